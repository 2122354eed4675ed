//! A process on the host, with a script: which DLLs there are, what their entry points do, and which call fails.
//!
//! Images lie in real memory, where the loader reads and writes them. What a page may not be written is checked after
//! the fact: a copy of it is kept while it is read-only, and compared. Everything that the loader gets it must give
//! back, and what it gave back is filled with a pattern and kept, so that a late read of it shows.

mod system;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::{Rc, Weak};

use c_interface::{Ptr, field};
use loader::{LoadFlags, Loader, MappedImage, Procedure, ProcessImages, SearchPath};
use nt_abi::native::{LdrDataTableEntry, ListEntry, Peb, PebLdrData, Teb, UnicodeString};
use nt_abi::{NtResult, NtStatus};
use rtl::{Utf16Str, Utf16String};

use super::image::{Dll, POINTER};

const PAGE: usize = 0x1000;
const GRANULARITY: usize = 0x1_0000;
/// How much memory that was given back is kept.
const BURIED: usize = 300;

/// What an entry point does when it is called for a reason.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Returns `FALSE`.
    Fail,
    /// Raises an exception.
    Raise(NtStatus),
    /// Loads a DLL.
    Load(String),
    /// Frees a DLL that it finds by its name.
    Free(String),
    /// Asks for an export of a DLL.
    Ask(String, String),
}

/// Memory that begins at a multiple of something.
struct Memory {
    bytes: Vec<u8>,
    start: usize,
}

impl Memory {
    fn new(length: usize, alignment: usize) -> Self {
        let bytes = vec![0; length + alignment];
        let address = bytes.as_ptr().expose_provenance();
        let start = address.next_multiple_of(alignment) - address;
        Self { bytes, start }
    }

    fn address(&mut self) -> usize {
        self.bytes.as_mut_ptr().expose_provenance() + self.start
    }
}

/// A view of an image.
struct View {
    memory: Memory,
    size: usize,
    name: String,
    /// The protection of each page.
    pages: Vec<u32>,
    /// What the pages had when they became read-only.
    kept: Vec<u8>,
    /// What a page must have at the end.
    first_pages: Vec<u32>,
}

/// The process.
pub(crate) struct World {
    loader: RefCell<Weak<Loader<Sys>>>,
    known: RefCell<HashMap<String, Rc<Vec<u8>>>>,
    files: RefCell<HashMap<String, Rc<Vec<u8>>>>,
    views: RefCell<BTreeMap<usize, View>>,
    heap: RefCell<HashMap<usize, Memory>>,
    graveyard: RefCell<VecDeque<Memory>>,
    peb: RefCell<Memory>,
    tebs: RefCell<Vec<Memory>>,
    current: Cell<usize>,
    /// What happened, line by line.
    pub(crate) log: RefCell<Vec<String>>,
    /// What an entry point does it does once.
    pub(crate) once: Cell<bool>,
    /// Entry points may be anywhere: files are damaged.
    pub(crate) lenient: Cell<bool>,
    /// Lines about searches and mappings too.
    pub(crate) verbose: Cell<bool>,
    actions: RefCell<HashMap<(String, u32), Vec<Action>>>,
    /// The call that fails, counted down.
    fail_at: Cell<Option<u32>>,
    /// Calls that could have failed.
    pub(crate) steps: Cell<u32>,
    locks: Cell<[i32; 3]>,
    /// How many `map` calls place an image and leave it unrelocated.
    pub(crate) leave_unrelocated: Cell<bool>,
    pub(crate) environment: RefCell<HashMap<String, String>>,
    pub(crate) searches: RefCell<Vec<String>>,
    pub(crate) protect_calls: Cell<u32>,
    pub(crate) random: Cell<u64>,
    /// What hooks of delayed imports give.
    pub(crate) hook_answers: RefCell<VecDeque<Ptr<u8>>>,
    pub(crate) redirections: RefCell<HashMap<String, String>>,
}

/// The process as the loader sees it.
pub(crate) struct Sys(pub(crate) Rc<World>);

impl World {
    /// A process of which nothing is initialised, with an empty ntdll.
    pub(crate) fn new() -> Rc<Self> {
        let world = Rc::new(Self {
            loader: RefCell::default(),
            known: RefCell::default(),
            files: RefCell::default(),
            views: RefCell::default(),
            heap: RefCell::default(),
            graveyard: RefCell::default(),
            peb: RefCell::new(Memory::new(size_of::<Peb>(), 16)),
            tebs: RefCell::default(),
            current: Cell::new(0),
            log: RefCell::default(),
            once: Cell::new(false),
            lenient: Cell::new(false),
            verbose: Cell::new(false),
            actions: RefCell::default(),
            fail_at: Cell::new(None),
            steps: Cell::new(0),
            locks: Cell::new([0; 3]),
            leave_unrelocated: Cell::new(false),
            environment: RefCell::default(),
            searches: RefCell::default(),
            protect_calls: Cell::new(0),
            random: Cell::new(0x1234_5678_9ABC_DEF0),
            hook_answers: RefCell::default(),
            redirections: RefCell::default(),
        });
        world.new_thread();
        world
    }

    /// A DLL becomes a known one.
    pub(crate) fn add(&self, dll: &Dll) {
        self.add_file(&dll.name, dll.build().file);
    }

    /// A file becomes a known DLL.
    pub(crate) fn add_file(&self, name: &str, file: Vec<u8>) {
        self.known
            .borrow_mut()
            .insert(name.to_ascii_lowercase(), Rc::new(file));
    }

    /// A known DLL is no more.
    pub(crate) fn take_away(&self, name: &str) {
        self.known.borrow_mut().remove(&name.to_ascii_lowercase());
    }

    /// A file with a path.
    pub(crate) fn add_path(&self, path: &str, file: Vec<u8>) {
        self.files
            .borrow_mut()
            .insert(path.to_ascii_lowercase(), Rc::new(file));
    }

    /// What an entry point does.
    pub(crate) fn on(&self, dll: &str, reason: u32, action: Action) {
        let key = (dll.to_ascii_lowercase(), reason);
        self.actions
            .borrow_mut()
            .entry(key)
            .or_default()
            .push(action);
    }

    /// Nothing is done any more.
    pub(crate) fn forget_actions(&self) {
        self.actions.borrow_mut().clear();
    }

    /// From now on the call with this number fails; `None`: none does.
    pub(crate) fn fail_at(&self, step: Option<u32>) {
        self.fail_at.set(step);
        self.steps.set(0);
    }

    /// What happened since the last time.
    pub(crate) fn events(&self) -> Vec<String> {
        self.log.take()
    }

    fn say(&self, line: String) {
        self.log.borrow_mut().push(line);
    }

    fn step(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        match self.fail_at.get() {
            Some(0) => {
                self.fail_at.set(None);
                false
            }
            Some(left) => {
                self.fail_at.set(Some(left - 1));
                true
            }
            None => true,
        }
    }

    /// A thread that nobody told the loader of; its number.
    pub(crate) fn new_thread(&self) -> usize {
        let mut tebs = self.tebs.borrow_mut();
        tebs.push(Memory::new(size_of::<Teb>(), 16));
        tebs.len() - 1
    }

    /// Another thread runs.
    pub(crate) fn switch_to(&self, thread: usize) {
        self.current.set(thread);
    }

    /// The environment block of a thread.
    pub(crate) fn teb_of(&self, thread: usize) -> Ptr<Teb> {
        Ptr::new(self.tebs.borrow_mut()[thread].address())
    }

    /// The process's environment block.
    pub(crate) fn peb_of(&self) -> Ptr<Peb> {
        Ptr::new(self.peb.borrow_mut().address())
    }

    /// Lays an image out in memory, as the kernel does.
    pub(crate) fn place(&self, name: &str, file: &[u8]) -> NtResult<MappedImage> {
        let image = pe::Image::from_file(file)?;
        let size = (image.headers().size_of_image as usize).next_multiple_of(PAGE);
        let mut memory = Memory::new(size, GRANULARITY);
        let base = memory.address();
        let start = memory.start;
        let bytes = &mut memory.bytes[start..start + size];
        image.copy_mapped(bytes)?;
        let headers = image.headers();
        let delta = (base as u64).wrapping_sub(headers.image_base);
        if !self.leave_unrelocated.get() {
            if headers.is_relocatable() {
                pe::relocate_in_place(bytes, delta)?;
            }
            let field = headers.image_base_field();
            let at = field.offset as usize;
            bytes[at..at + POINTER].copy_from_slice(&base.to_le_bytes());
        }
        let mut pages = vec![0x01; size / PAGE];
        for part in image.subsections() {
            let first = part.rva as usize / PAGE;
            let count = part.size as usize / PAGE;
            pages[first..first + count].fill(part.protection.0);
        }
        let kept = bytes.to_vec();
        let status = if self.leave_unrelocated.get() {
            NtStatus::IMAGE_NOT_AT_BASE
        } else {
            NtStatus::SUCCESS
        };
        self.views.borrow_mut().insert(
            base,
            View {
                memory,
                size,
                name: name.to_ascii_lowercase(),
                first_pages: pages.clone(),
                pages,
                kept,
            },
        );
        Ok(MappedImage {
            base: Ptr::new(base),
            size,
            status,
        })
    }

    /// The name and base of the image that an address is in.
    pub(crate) fn image_at(&self, address: usize) -> Option<(String, usize)> {
        let views = self.views.borrow();
        let (base, view) = views.range(..=address).next_back()?;
        (address < base + view.size).then(|| (view.name.clone(), *base))
    }

    /// The image whose code is called; `None` if that is nowhere, in a damaged file.
    fn code_at(&self, code: Ptr<u8>) -> Option<(String, usize)> {
        let found = self.image_at(code.address());
        assert!(found.is_some() || self.lenient.get(), "no code of an image");
        found
    }

    /// Images that are mapped, by name.
    pub(crate) fn mapped(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .views
            .borrow()
            .values()
            .map(|view| view.name.clone())
            .collect();
        names.sort();
        names
    }

    /// Blocks of the heap that are in use.
    pub(crate) fn blocks(&self) -> usize {
        self.heap.borrow().len()
    }

    /// The base of a DLL that is mapped.
    pub(crate) fn base_of(&self, name: &str) -> Ptr<u8> {
        let name = name.to_ascii_lowercase();
        let views = self.views.borrow();
        let found = views.iter().find(|(_, view)| view.name == name);
        Ptr::new(*found.unwrap_or_else(|| panic!("{name} is not mapped")).0)
    }

    /// What is wrong: pages that were written though they may not, protections that were left changed, locks that are held.
    pub(crate) fn check(&self) {
        assert_eq!(self.locks.get(), [0; 3], "locks are held");
        for (base, view) in self.views.borrow_mut().iter_mut() {
            let start = view.memory.start;
            for (number, protection) in view.pages.iter().enumerate() {
                assert_eq!(
                    *protection, view.first_pages[number],
                    "{}: page {number} is left with another protection",
                    view.name
                );
                if is_writable(*protection) {
                    continue;
                }
                let at = number * PAGE;
                let now = &view.memory.bytes[start + at..start + at + PAGE];
                assert!(
                    now == &view.kept[at..at + PAGE],
                    "{} at {base:#x}: page {number} was written and may not be",
                    view.name
                );
            }
        }
    }

    fn run(&self, dll: &str, reason: u32) -> NtResult<bool> {
        let key = (dll.to_owned(), reason);
        let actions = if self.once.get() {
            self.actions.borrow_mut().remove(&key)
        } else {
            self.actions.borrow().get(&key).cloned()
        };
        let actions = actions.unwrap_or_default();
        for action in actions {
            match action {
                Action::Fail => return Ok(false),
                Action::Raise(status) => return Err(status),
                Action::Load(name) => {
                    let result = self.load(&name);
                    self.say(format!("{dll} loads {name}: {}", outcome(&result)));
                }
                Action::Free(name) => {
                    let result = self
                        .find(&name)
                        .and_then(|base| self.the_loader().unload_dll(base));
                    self.say(format!("{dll} frees {name}: {}", outcome(&result)));
                }
                Action::Ask(module, name) => {
                    let result = self.find(&module).and_then(|base| {
                        let name = Procedure::Name(name.as_bytes());
                        self.the_loader().procedure_address(base, name)
                    });
                    self.say(format!(
                        "{dll} asks {module} for {name}: {}",
                        outcome(&result)
                    ));
                }
            }
        }
        Ok(true)
    }

    /// A loader for the process.
    pub(crate) fn loader(self: &Rc<Self>) -> Rc<Loader<Sys>> {
        let loader = Rc::new(Loader::new(Sys(self.clone())));
        *self.loader.borrow_mut() = Rc::downgrade(&loader);
        loader
    }

    pub(crate) fn the_loader(&self) -> Rc<Loader<Sys>> {
        self.loader.borrow().upgrade().expect("there is a loader")
    }

    /// A process with a program: its DLLs are mapped and their entry points were called.
    pub(crate) fn start(self: &Rc<Self>, ntdll: &Dll, program: &Dll) -> Rc<Loader<Sys>> {
        let loader = self.loader();
        self.initialize(&loader, ntdll, program, None)
            .expect("the process starts");
        loader
            .attach_process(0x77)
            .expect("the entry points are good");
        loader
    }

    /// The first step of a start.
    pub(crate) fn initialize(
        &self,
        loader: &Loader<Sys>,
        ntdll: &Dll,
        program: &Dll,
        subsystem_dll: Option<&str>,
    ) -> NtResult {
        let ntdll_image = self.place("ntdll.dll", &ntdll.build().file)?;
        let program_image = self.place(&program.name, &program.build().file)?;
        let path = super::wide(&format!(r"C:\Program\{}", program.name));
        let ntdll_path = super::wide(r"C:\Windows\System32\ntdll.dll");
        let subsystem_dll = subsystem_dll.map(super::wide);
        loader.initialize_process(&ProcessImages {
            ntdll: ntdll_image,
            ntdll_path: ntdll_path.as_str(),
            program: program_image,
            program_path: path.as_str(),
            subsystem_dll: subsystem_dll.as_ref().map(Utf16String::as_str),
        })
    }

    /// Loads a DLL as programs do.
    pub(crate) fn load(&self, name: &str) -> NtResult<Ptr<u8>> {
        let name = super::wide(name);
        self.the_loader()
            .load_dll(SearchPath::Default, LoadFlags::default(), name.as_str())
    }

    fn find(&self, name: &str) -> NtResult<Ptr<u8>> {
        let name = name.to_ascii_lowercase();
        let views = self.views.borrow();
        let found = views.iter().find(|(_, view)| view.name == name);
        found
            .map(|(base, _)| Ptr::new(*base))
            .ok_or(NtStatus::DLL_NOT_FOUND)
    }

    /// The modules of one of the three lists, as a program walks them.
    pub(crate) fn list(&self, which: List) -> Vec<String> {
        let ldr = Ptr::<PebLdrData>::at(field!(self.peb_of(), Peb, ldr).read());
        if ldr.is_null() {
            return Vec::new();
        }
        let (head, offset) = match which {
            List::Load => (field!(ldr, PebLdrData, in_load_order_module_list), 0),
            List::Memory => (
                field!(ldr, PebLdrData, in_memory_order_module_list),
                size_of::<ListEntry>(),
            ),
            List::Initialization => (
                field!(ldr, PebLdrData, in_initialization_order_module_list),
                2 * size_of::<ListEntry>(),
            ),
        };
        let mut names = Vec::new();
        let mut at = Ptr::<ListEntry>::at(head.read().flink);
        let mut before = head;
        while at != head {
            assert_eq!(at.read().blink, before.raw(), "the links back");
            let entry = at.byte_sub(offset).cast::<LdrDataTableEntry>();
            let name = field!(entry, LdrDataTableEntry, base_dll_name).read();
            names.push(text(name).to_string().to_ascii_lowercase());
            (before, at) = (at, Ptr::at(at.read().flink));
        }
        names
    }

    /// A module's entry.
    pub(crate) fn entry(&self, name: &str) -> Ptr<LdrDataTableEntry> {
        let base = self.base_of(name);
        let ldr = Ptr::<PebLdrData>::at(field!(self.peb_of(), Peb, ldr).read());
        let head = field!(ldr, PebLdrData, in_load_order_module_list);
        let mut at = Ptr::<ListEntry>::at(head.read().flink);
        while at != head {
            let entry = at.cast::<LdrDataTableEntry>();
            if field!(entry, LdrDataTableEntry, dll_base).read() == base.raw() {
                return entry;
            }
            at = Ptr::at(at.read().flink);
        }
        panic!("{name} is in no list");
    }
}

/// One of the lists of `PEB_LDR_DATA`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum List {
    Load,
    Memory,
    Initialization,
}

/// The text of a string of the process.
pub(crate) fn text(string: UnicodeString) -> Utf16Str<'static> {
    Utf16Str::new(Ptr::<u16>::at(string.buffer).slice(usize::from(string.length / 2)))
}

/// A terminated string of the process.
fn c_text(at: Ptr<u8>) -> String {
    let bytes: Vec<u8> = (0..)
        .map(|number| at.add(number).read())
        .take_while(|byte| *byte != 0)
        .collect();
    String::from_utf8(bytes).unwrap()
}

fn outcome<T>(result: &NtResult<T>) -> String {
    match result {
        Ok(_) => String::from("good"),
        Err(status) => status.name().unwrap_or("?").to_owned(),
    }
}

fn is_writable(protection: u32) -> bool {
    [0x04, 0x08, 0x40, 0x80].contains(&protection)
}

fn reason_name(reason: u32) -> &'static str {
    ["detach", "attach", "thread attach", "thread detach"][reason as usize]
}
