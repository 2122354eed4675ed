//! DLLs that a compiler and a linker made, for x64 and ARM64, or for x86 and ARM32 where addresses have 32 bits; what is in
//! them is read by another tool.
//!
//! The tools are Debian's clang-19, lld-19 and llvm-19. Without them the test fails: it would prove nothing.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::Mutex;

use c_interface::{Ptr, field};
use loader::{DelayHooks, Loader, Procedure, ProcessImages};
use nt_abi::native::Teb;
use rtl::Random;
use support::damage::{damage, places};
use support::image::{POINTER, WIDE};
use support::world::Sys;
use support::{Dll, World, wide};

fn run(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| {
            panic!("{tool} is missing ({error}): install clang-19, lld-19 and llvm-19")
        });
    assert!(
        output.status.success(),
        "{tool} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The DLLs of one machine.
struct Build {
    folder: PathBuf,
    target: &'static str,
}

impl Build {
    fn new(target: &'static str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(target);
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, target }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// Whether forwarders can be made. For ARM32 the linker sets the bit for Thumb in the addresses of their texts too.
    fn forwards(&self) -> bool {
        !self.target.starts_with("thumb")
    }

    /// Compiles and links a DLL with its import library.
    fn link(&self, name: &str, more: &[&str]) {
        let source =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/source/{name}.c"));
        let object = self.path(&format!("{name}.obj"));
        let target = format!("--target={}", self.target);
        let source = source.to_str().unwrap();
        run(
            "clang-19",
            &[
                &target,
                "-O1",
                "-ffreestanding",
                "-fno-stack-protector",
                "-c",
                source,
                "-o",
                &object,
            ],
        );
        let mut arguments = vec![
            "/dll".to_owned(),
            "/nodefaultlib".to_owned(),
            "/brepro".to_owned(),
            format!("/out:{}", self.path(&format!("{name}.dll"))),
            format!("/implib:{}", self.path(&format!("{name}.lib"))),
            format!("/libpath:{}", self.folder.display()),
            "/safeseh:no".to_owned(),
            object,
        ];
        if name == "ntdll" {
            arguments.push("/noentry".to_owned());
        } else {
            arguments.push("/entry:Entry".to_owned());
        }
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run("lld-link-19", &arguments);
    }

    fn build(&self) {
        self.link("ntdll", &[]);
        self.link("other", &["/export:Second,@3"]);
        let mut exports = vec!["/export:Nameless,@77,NONAME"];
        if self.forwards() {
            exports.extend([
                "/export:Forwarded=other.Real",
                "/export:ForwardedTwice=base.Again",
                "/export:Again=other.#3",
            ]);
        } else {
            exports.extend(["/export:Forwarded=Add", "/export:ForwardedTwice=Subtract"]);
        }
        self.link("base", &exports);
        self.link("late", &["other.lib"]);
        self.link(
            "user",
            &["base.lib", "late.lib", "ntdll.lib", "/delayload:late.dll"],
        );
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(name)).unwrap()
    }

    fn read(&self, what: &str, name: &str) -> String {
        run("llvm-readobj-19", &[what, &self.path(name)])
    }

    /// What a DLL exports, as the other tool reads it: by name and by number an address, or a text.
    fn exports(&self, name: &str) -> Exports {
        let mut exports = Exports::default();
        let text = self.read("--coff-exports", name);
        let (mut ordinal, mut export) = (0, String::new());
        for line in text.lines().map(str::trim) {
            let Some((key, value)) = line.split_once(": ") else {
                if line == "Name:" {
                    export.clear();
                }
                continue;
            };
            match key {
                "Ordinal" => ordinal = value.parse().unwrap(),
                "Name" => value.clone_into(&mut export),
                "RVA" | "ForwardedTo" => {
                    let target = if key == "RVA" {
                        Target::Address(number(value))
                    } else {
                        Target::Text(value.to_owned())
                    };
                    exports.numbers.insert(ordinal, target.clone());
                    if !export.is_empty() {
                        exports.names.insert(export.clone(), target);
                    }
                }
                _ => {}
            }
        }
        assert!(!exports.numbers.is_empty(), "{text}");
        exports
    }
}

#[derive(Default)]
struct Exports {
    names: BTreeMap<String, Target>,
    numbers: BTreeMap<u32, Target>,
}

#[derive(Clone, Debug)]
enum Target {
    Address(usize),
    Text(String),
}

fn number(text: &str) -> usize {
    usize::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}

/// A module's imports, as the other tool reads them: the module, where its table is, what is wanted in order.
struct Imports {
    module: String,
    table: usize,
    symbols: Vec<Result<String, u32>>,
}

fn imports(text: &str, section: &str, table: &str) -> Vec<Imports> {
    let mut found = Vec::new();
    for part in text.split(&format!("\n{section} {{")).skip(1) {
        let part = part.split("\n}").next().unwrap();
        let mut imports = Imports {
            module: String::new(),
            table: 0,
            symbols: Vec::new(),
        };
        for line in part.lines().map(str::trim) {
            if line.starts_with("Import {") && section == "DelayImport" {
                continue;
            }
            match line.split_once(": ") {
                Some(("Name", value)) => value.clone_into(&mut imports.module),
                Some((key, value)) if key == table => imports.table = number(value),
                Some(("Symbol", value)) => {
                    // `Add (3)` for a name with a hint, `(77)` for a number.
                    let (name, hint) = value.split_once('(').unwrap();
                    let hint = hint.trim_end_matches(')').parse().unwrap();
                    let name = name.trim();
                    imports.symbols.push(if name.is_empty() {
                        Err(hint)
                    } else {
                        Ok(name.to_owned())
                    });
                }
                _ => {}
            }
        }
        found.push(imports);
    }
    found
}

struct Process<'a> {
    build: &'a Build,
    world: std::rc::Rc<World>,
    exports: BTreeMap<&'static str, Exports>,
}

const DLLS: [&str; 5] = ["ntdll.dll", "other.dll", "base.dll", "late.dll", "user.dll"];

impl Process<'_> {
    /// Where an import leads, by the other tool's word.
    fn resolve(&self, module: &str, symbol: &Result<String, u32>) -> usize {
        let (mut module, mut symbol) = (module.to_owned(), symbol.clone());
        loop {
            let exports = &self.exports[module.as_str()];
            let target = match &symbol {
                Ok(name) => &exports.names[name],
                Err(number) => &exports.numbers[number],
            };
            match target {
                Target::Address(rva) => return self.world.base_of(&module).address() + rva,
                Target::Text(text) => {
                    let (next, export) = text.rsplit_once('.').unwrap();
                    let export = export.to_owned();
                    module = format!("{next}.dll");
                    symbol = match export.strip_prefix('#') {
                        Some(number) => Err(number.parse().unwrap()),
                        None => Ok(export),
                    };
                }
            }
        }
    }

    fn check_imports(&self, name: &str) -> usize {
        let text = self.build.read("--coff-imports", name);
        let base = self.world.base_of(name);
        let mut count = 0;
        for imports in imports(&text, "Import", "ImportAddressTableRVA") {
            for (place, symbol) in (0..).zip(&imports.symbols) {
                let slot = base
                    .byte_add(imports.table + POINTER * place)
                    .cast::<usize>();
                let expected = self.resolve(&imports.module, symbol);
                assert_eq!(slot.read(), expected, "{symbol:?} of {}", imports.module);
                count += 1;
            }
        }
        count
    }
}

/// A process with ntdll.dll, in which the other DLLs can be loaded.
fn start(build: &Build, world: &Rc<World>) -> Rc<Loader<Sys>> {
    let place = |name: &str| world.place(name, &build.file(name)).unwrap();
    let mut program = Dll::program("p.exe");
    program.machine = match build.target.split('-').next() {
        Some("aarch64") => 0xAA64,
        Some("thumbv7a") => 0x1C4,
        _ => program.machine,
    };
    let loader = world.loader();
    let (ntdll_path, path) = (wide(r"C:\Windows\System32\ntdll.dll"), wide(r"C:\p.exe"));
    loader
        .initialize_process(&ProcessImages {
            ntdll: place("ntdll.dll"),
            ntdll_path: ntdll_path.as_str(),
            program: world.place("p.exe", &program.build().file).unwrap(),
            program_path: path.as_str(),
            subsystem_dll: None,
        })
        .unwrap();
    loader.attach_process(1).unwrap();
    for name in &DLLS[1..] {
        world.add_file(name, build.file(name));
    }
    loader
}

/// The DLLs are there from the first test that wants them on.
fn built(target: &'static str) -> Build {
    static BUILDING: Mutex<()> = Mutex::new(());
    let _turn = BUILDING.lock();
    let build = Build::new(target);
    build.build();
    build
}

fn real_dlls(target: &'static str) {
    let build = built(target);
    let world = World::new();
    let loader = start(&build, &world);
    let before = world.blocks();
    let user = world
        .load("user.dll")
        .unwrap_or_else(|status| panic!("{status}: {:?}", world.events()));
    world.check();
    let process = Process {
        build: &build,
        exports: DLLS.map(|name| (name, build.exports(name))).into(),
        world: world.clone(),
    };
    assert_eq!(process.check_imports("user.dll"), 6);
    let mut events = world.events();
    for line in &mut events {
        // Which callback it is, only addresses say.
        if line.starts_with("user.dll tls") {
            "user.dll tls".clone_into(line);
        }
    }
    if build.forwards() {
        assert_eq!(events.remove(0), "other.dll attach");
    }
    assert_eq!(
        events,
        [
            "base.dll attach",
            "user.dll tls",
            "user.dll tls",
            "user.dll attach",
        ]
    );
    check_storage(&process, user);
    check_delayed(&process, user);

    // Every export that the other tool sees, by name.
    for name in DLLS
        .iter()
        .filter(|name| world.mapped().contains(&(**name).to_owned()))
    {
        for export in process.exports[name].names.keys() {
            let found =
                loader.procedure_address(world.base_of(name), Procedure::Name(export.as_bytes()));
            let expected = process.resolve(name, &Ok(export.clone()));
            assert_eq!(found.map(Ptr::address), Ok(expected), "{export}");
        }
    }
    loader.unload_dll(user).unwrap();
    assert_eq!(world.mapped(), ["ntdll.dll", "p.exe"]);
    world.check();
    loader.shutdown_thread();
    assert_eq!(world.blocks(), before);
}

/// The first thread's storage is the template, by the other tool's word; the cookie is not the one that everybody knows.
fn check_storage(process: &Process<'_>, user: Ptr<u8>) {
    let file = process.build.file("user.dll");
    let image = pe::Image::from_file(&file).unwrap();
    let text = process.build.read("--coff-tls-directory", "user.dll");
    let value = |key: &str| -> usize {
        let line = text
            .lines()
            .find(|line| line.trim().starts_with(key))
            .unwrap();
        number(line.split_once(": ").unwrap().1.trim())
    };
    let linked = usize::try_from(image.headers().image_base).unwrap();
    let index = user
        .byte_add(value("AddressOfIndex") - linked)
        .cast::<u32>()
        .read();
    let teb = process.world.teb_of(0);
    let vector = field!(teb, Teb, thread_local_storage_pointer).read();
    let block = Ptr::<usize>::at(vector).add(index as usize).read();
    let start = value("StartAddressOfRawData");
    let size = value("EndAddressOfRawData") - start;
    let template = image
        .at(u32::try_from(start - linked).unwrap(), size)
        .unwrap();
    assert!(template.windows(6).any(|window| window == b"thread"));
    assert_eq!(Ptr::<u8>::new(block).slice(size), template);
    assert_eq!(block % 64, 0, "a variable wants it");
    let zeros = value("SizeOfZeroFill");
    assert_eq!(
        Ptr::<u8>::new(block).byte_add(size).slice(zeros),
        vec![0; zeros]
    );
    let config = image.load_config().unwrap().unwrap();
    let cookie = user
        .byte_add(config.security_cookie_rva as usize)
        .cast::<usize>()
        .read();
    let random = process.world.random.get();
    let expected = if WIDE {
        random & 0xFFFF_FFFF_FFFF
    } else {
        0x8888_8888
    };
    assert_eq!(cookie as u64, expected);
}

fn check_delayed(process: &Process<'_>, user: Ptr<u8>) {
    let world = &process.world;
    let text = process.build.read("--coff-imports", "user.dll");
    let delayed = imports(&text, "DelayImport", "ImportAddressTable");
    assert_eq!(delayed.len(), 1);
    let delayed = &delayed[0];
    assert_eq!(
        (delayed.module.as_str(), delayed.symbols.len()),
        ("late.dll", 2)
    );
    assert!(!world.mapped().contains(&"late.dll".to_owned()));
    let file = process.build.file("user.dll");
    let image = pe::Image::from_file(&file).unwrap();
    let directory = image
        .headers()
        .directory(pe::Directory::DelayImport)
        .unwrap();
    let descriptor = user.byte_add(directory.rva as usize);
    for (place, symbol) in (0..).zip(&delayed.symbols) {
        let slot = user.byte_add(delayed.table + POINTER * place);
        let loader = world.the_loader();
        let found = loader.resolve_delayed(user, descriptor, DelayHooks::default(), slot);
        let expected = process.resolve("late.dll", symbol);
        assert_eq!(found.map(Ptr::address), Ok(expected));
        assert_eq!(slot.cast::<usize>().read(), expected);
    }
    assert_eq!(process.check_imports("late.dll"), 1);
    world.check();
}

const PC: &str = if WIDE {
    "x86_64-pc-windows-msvc"
} else {
    "i686-pc-windows-msvc"
};
const ARM: &str = if WIDE {
    "aarch64-pc-windows-msvc"
} else {
    "thumbv7a-pc-windows-msvc"
};

#[test]
fn dlls_for_a_pc() {
    real_dlls(PC);
}

#[test]
fn dlls_for_arm() {
    real_dlls(ARM);
}

/// One of the DLLs is damaged each time: whatever comes of it, nothing is left.
fn damaged_dlls(target: &'static str) {
    const MUTANTS: u64 = 2000;
    let build = built(target);
    let world = World::new();
    world.lenient.set(true);
    let loader = start(&build, &world);
    let good: Vec<_> = DLLS[1..]
        .iter()
        .map(|name| (*name, build.file(name)))
        .collect();
    let mut loaded = 0;
    for seed in 0..MUTANTS {
        let mut random = Random::new(seed);
        let (name, whole) = &good[random.index(good.len())];
        let mut file = whole.clone();
        damage(&mut random, &places(whole), &mut file);
        world.add_file(name, file);
        if let Ok(user) = world.load("user.dll") {
            loaded += 1;
            for number in 0..8 {
                let _ = loader.procedure_address(user, Procedure::Ordinal(number));
            }
            for name in ["base.dll", "other.dll"] {
                let _ = loader.resolve_all_delayed(user, name.as_bytes());
            }
            loader.unload_dll(user).unwrap();
        }
        assert_eq!(world.mapped(), ["ntdll.dll", "p.exe"], "seed {seed}");
        world.check();
        world.events();
        world.add_file(name, whole.clone());
    }
    assert!(
        loaded > MUTANTS / 10 && loaded < MUTANTS * 9 / 10,
        "{loaded}"
    );
}

#[test]
fn damaged_dlls_for_a_pc() {
    damaged_dlls(PC);
}

#[test]
fn damaged_dlls_for_arm() {
    damaged_dlls(ARM);
}
