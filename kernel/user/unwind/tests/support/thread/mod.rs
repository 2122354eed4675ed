//! A thread that runs scripts instead of code, on a stack and with unwind data that are the machine's own.
//!
//! A script is a closure that stands for the body of a function. Calling one function from another pushes a frame as the
//! machine does it; raising an exception and unwinding go through the crate under test; handlers are closures again, called
//! inside of the frames that ntdll has for that. An unwind that arrives leaves all scripts below its target, as Rust's own
//! unwinding, and the call of the target's function says where it landed.

mod process;
mod rig;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use nt_abi::NtStatus;
use nt_abi::exception::{ExceptionDisposition, ExceptionFlags};
use nt_abi::w64::ExceptionRecord;
use unwind::c_handler::{CHandlerOutcome, c_specific_handler};
use unwind::handler_call::{HandlerCall, collided, nested};
use unwind::platform::{Scratch, StackLimits};
use unwind::{SearchOutcome, UnwindOutcome, UnwindRequest, search, unwind};

pub(crate) use rig::Rig;

/// Where the image lies.
pub(crate) const BASE: u64 = 0x7FF6_0000_0000;
const STACK_LOW: u64 = 0x1000_0000;
const STACK_HIGH: u64 = 0x1010_0000;
/// Bytes of each function's code.
const CODE: u32 = 0x100;
/// Where the first function is.
const FIRST: u32 = 0x1000;
/// Where the first function's unwind data is, and bytes of each.
const DATA: (u32, u32) = (0x10000, 0x200);
/// Bytes of a frame.
const FRAME: u64 = 0x60;

/// Functions of ntdll's.
const DISPATCHER: usize = 0;
const UNWINDER: usize = 1;
const CALLS_FOR_SEARCH: usize = 2;
const CALLS_FOR_UNWIND: usize = 3;
const C_HANDLER: usize = 4;
/// The first function that a test names.
pub(crate) const FREE: usize = 5;

/// What a handler gets.
#[derive(Clone, Copy)]
pub(crate) struct Handling {
    pub(crate) record: u64,
    pub(crate) frame: u64,
    pub(crate) context: u64,
    pub(crate) dispatcher: u64,
}

type HandlerScript<M> = Rc<dyn Fn(&mut Thread<M>, Handling) -> ExceptionDisposition>;
type FilterScript<M> = Rc<dyn Fn(&mut Thread<M>, Handling) -> i32>;

/// A scope of C in a function: offsets in it, a filter's or a block's number, and where the block begins.
#[derive(Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) begin: u32,
    pub(crate) end: u32,
    pub(crate) part: Part,
}

/// What belongs to a scope.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// A filter's script, and where the block begins.
    Filter(u32, u32),
    /// A block that takes everything: where it begins.
    Always(u32),
    /// A `__finally` block's script.
    Finally(u32),
}

/// Where a function goes on after an unwind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Landing {
    /// Bytes from the function's start.
    pub(crate) offset: u64,
    pub(crate) result: u64,
}

/// An unwind that has arrived.
struct Jump {
    sp: u64,
    pc: u64,
    result: u64,
}

/// An exception that nobody handled.
pub(crate) struct Unhandled(pub(crate) ExceptionRecord);

pub(crate) struct Thread<M: Rig> {
    image: Vec<u8>,
    words: HashMap<u64, u64>,
    records: HashMap<u64, ExceptionRecord>,
    contexts: HashMap<u64, M::Context>,
    dispatchers: HashMap<u64, M::Dispatcher>,
    /// Dispatcher contexts by the frames of the functions that call handlers with them.
    saved: HashMap<u64, u64>,
    rooms: u64,
    pub(crate) registers: HashMap<u64, M::Registers>,
    handlers: HashMap<u64, HandlerScript<M>>,
    filters: HashMap<u32, FilterScript<M>>,
    functions: Vec<Option<M::Function>>,
    sp: u64,
    pc: u64,
    pub(crate) limits: StackLimits,
    pub(crate) trace: Vec<String>,
    /// How often handlers were called.
    pub(crate) calls: u32,
}

/// Where a function's handler is, which nobody runs.
fn handler_rva(function: usize) -> u32 {
    0x80000 + function as u32 * 16
}

/// Where a filter or block is.
fn part_rva(number: u32) -> u32 {
    0x90000 + number * 16
}

impl<M: Rig> Thread<M> {
    pub(crate) fn new() -> Self {
        let mut thread = Self {
            image: vec![0; 0x40000],
            words: HashMap::new(),
            records: HashMap::new(),
            contexts: HashMap::new(),
            dispatchers: HashMap::new(),
            saved: HashMap::new(),
            rooms: 0,
            registers: HashMap::new(),
            handlers: HashMap::new(),
            filters: HashMap::new(),
            functions: Vec::new(),
            sp: STACK_HIGH - 0x100,
            // The first function is called from nowhere.
            pc: 0,
            limits: StackLimits {
                low: STACK_LOW,
                high: STACK_HIGH,
            },
            trace: Vec::new(),
            calls: 0,
        };
        thread.define(DISPATCHER, None);
        thread.define(UNWINDER, None);
        thread.define(CALLS_FOR_SEARCH, Some(Rc::new(Self::nested)));
        thread.define(CALLS_FOR_UNWIND, Some(Rc::new(Self::collided)));
        thread.define(C_HANDLER, None);
        thread
    }

    pub(crate) fn say(&mut self, text: impl Into<String>) {
        self.trace.push(text.into());
    }

    /// The address of a place in a function.
    pub(crate) fn place(function: usize, offset: u64) -> u64 {
        BASE + u64::from(FIRST) + u64::from(CODE) * function as u64 + offset
    }

    fn define(&mut self, function: usize, handler: Option<HandlerScript<M>>) {
        let data = DATA.0 + DATA.1 * function as u32;
        let rva = handler.is_some().then(|| handler_rva(function));
        let bytes = M::unwind_data(rva);
        self.image[data as usize..][..bytes.len()].copy_from_slice(&bytes);
        if self.functions.len() <= function {
            self.functions.resize(function + 1, None);
        }
        let begin = FIRST + CODE * function as u32;
        self.functions[function] = Some(M::function(begin, data));
        if let Some(handler) = handler {
            let address = BASE + u64::from(handler_rva(function));
            self.handlers.insert(address, handler);
        }
    }

    /// Defines a function without a handler.
    pub(crate) fn plain(&mut self, function: usize) {
        self.define(function, None);
    }

    /// Defines a function with a handler.
    pub(crate) fn handled(
        &mut self,
        function: usize,
        handler: impl Fn(&mut Self, Handling) -> ExceptionDisposition + 'static,
    ) {
        self.define(function, Some(Rc::new(handler)));
    }

    /// Defines a function with scopes of C.
    pub(crate) fn scoped(&mut self, function: usize, scopes: &[Scope]) {
        self.define(function, Some(Rc::new(Self::c_handler)));
        let begin = FIRST + CODE * function as u32;
        let mut table = vec![scopes.len() as u32];
        for scope in scopes {
            let (handler, target) = match scope.part {
                Part::Filter(number, target) => (part_rva(number), begin + target),
                Part::Always(target) => (1, begin + target),
                Part::Finally(number) => (part_rva(number), 0),
            };
            table.extend([begin + scope.begin, begin + scope.end, handler, target]);
        }
        let place = (DATA.0 + DATA.1 * function as u32) as usize + 12;
        for (index, word) in table.into_iter().enumerate() {
            self.image[place + index * 4..][..4].copy_from_slice(&word.to_le_bytes());
        }
    }

    /// Defines the script of a filter, or of a `__finally` block, which answers nothing.
    pub(crate) fn part(
        &mut self,
        number: u32,
        script: impl Fn(&mut Self, Handling) -> i32 + 'static,
    ) {
        self.filters.insert(part_rva(number), Rc::new(script));
    }

    fn store(&mut self, address: u64, value: u64) {
        assert!(
            (STACK_LOW..STACK_HIGH).contains(&address),
            "the stack overflows"
        );
        self.words.insert(address, value);
    }

    /// Moves control to a place in the function that runs.
    pub(crate) fn at(&mut self, function: usize, offset: u64) {
        self.pc = Self::place(function, offset);
    }

    /// Moves the stack pointer.
    pub(crate) fn skew(&mut self, bytes: u64) {
        self.sp -= bytes;
    }

    /// The frame of the function that runs.
    pub(crate) fn frame(&self) -> u64 {
        M::frame(self.sp)
    }

    /// Calls a function, whose body is a script; gives where it landed, if an unwind came to it.
    pub(crate) fn call(
        &mut self,
        function: usize,
        script: impl FnOnce(&mut Self),
    ) -> Option<Landing> {
        let (sp, pc) = (self.sp, self.pc);
        self.sp = M::enter(self, pc);
        self.pc = Self::place(function, 0x40);
        let inside = self.sp;
        let outcome = catch_unwind(AssertUnwindSafe(|| script(self)));
        let landing = match outcome {
            Ok(()) => None,
            Err(payload) => match payload.downcast::<Jump>() {
                Ok(jump) if jump.sp == inside => Some(Landing {
                    offset: jump.pc.wrapping_sub(Self::place(function, 0)),
                    result: jump.result,
                }),
                Ok(jump) => resume_unwind(jump),
                Err(other) => resume_unwind(other),
            },
        };
        (self.sp, self.pc) = (sp, pc);
        landing
    }

    /// An address for something that nobody looks for on the stack.
    fn room(&mut self) -> u64 {
        self.rooms += 0x1000;
        self.rooms
    }

    /// Raises an exception in the function that runs.
    pub(crate) fn raise(&mut self, code: u32, flags: ExceptionFlags) {
        self.raise_record(ExceptionRecord {
            exception_code: code,
            exception_flags: flags,
            ..ExceptionRecord::default()
        });
    }

    fn raise_record(&mut self, record: ExceptionRecord) {
        let (sp, pc) = (self.sp, self.pc);
        let thrown = M::context(pc, sp);
        let (address, context) = (self.room(), self.room());
        let scratch = Scratch {
            context: self.room(),
            registers: self.room(),
        };
        self.contexts.insert(context, thrown);
        self.records.insert(address, record);
        // ntdll's own frame.
        self.sp = M::enter(self, pc);
        self.pc = Self::place(DISPATCHER, 0x40);
        let outcome = search(self, address, context, scratch);
        let raised = self.records[&address];
        (self.sp, self.pc) = (sp, pc);
        match outcome {
            SearchOutcome::Continue => {}
            SearchOutcome::Unhandled => resume_unwind(Box::new(Unhandled(raised))),
            SearchOutcome::Raise(status) => self.raise_record(ExceptionRecord {
                exception_code: status.0,
                exception_flags: ExceptionFlags::NONCONTINUABLE,
                exception_record: address,
                ..ExceptionRecord::default()
            }),
        }
    }

    /// Unwinds from the function that runs.
    pub(crate) fn unwind(&mut self, request: UnwindRequest) -> UnwindOutcome {
        self.unwind_from(request, 0)
    }

    /// The same, beginning with the context at an address if that is not 0.
    fn unwind_from(&mut self, request: UnwindRequest, origin: u64) -> UnwindOutcome {
        let (sp, pc) = (self.sp, self.pc);
        self.sp = M::enter(self, pc);
        self.pc = Self::place(UNWINDER, 0x40);
        let captured = match origin {
            0 => M::context(self.pc, self.sp),
            origin => self.contexts[&origin],
        };
        let scratch = Scratch {
            context: self.room(),
            registers: self.room(),
        };
        let mut request = request;
        if request.record == 0 {
            request.record = self.room();
            let record = ExceptionRecord {
                exception_code: NtStatus::UNWIND.0,
                ..ExceptionRecord::default()
            };
            self.records.insert(request.record, record);
        }
        self.contexts.insert(scratch.context, captured);
        let outcome = unwind(self, request, scratch);
        let arrived = self.contexts[&scratch.context];
        (self.sp, self.pc) = (sp, pc);
        if outcome == UnwindOutcome::GoOn {
            resume_unwind(Box::new(Jump {
                sp: M::sp(&arrived),
                pc: M::pc(&arrived),
                result: M::result(&arrived),
            }));
        }
        outcome
    }

    pub(crate) fn dispatcher_at(&self, address: u64) -> HandlerCall {
        M::call(&self.dispatchers[&address])
    }

    /// The flags of a record.
    pub(crate) fn flags(&self, record: u64) -> ExceptionFlags {
        self.records[&record].exception_flags
    }

    pub(crate) fn set_record_flags(&mut self, record: u64, flags: ExceptionFlags) {
        self.records.get_mut(&record).unwrap().exception_flags = flags;
    }

    /// Makes a record that an unwind may use.
    pub(crate) fn new_record(&mut self, record: ExceptionRecord) -> u64 {
        let address = self.room();
        self.records.insert(address, record);
        address
    }

    fn saved_dispatcher(&self, frame: u64) -> M::Dispatcher {
        self.dispatchers[&self.saved[&frame]]
    }

    fn nested(&mut self, handling: Handling) -> ExceptionDisposition {
        let own = self.dispatchers[&handling.dispatcher];
        let outer = self.saved_dispatcher(handling.frame);
        let (answer, own) = nested::<M>(self.flags(handling.record), own, outer);
        self.dispatchers.insert(handling.dispatcher, own);
        answer
    }

    fn collided(&mut self, handling: Handling) -> ExceptionDisposition {
        let own = self.dispatchers[&handling.dispatcher];
        let outer = self.saved_dispatcher(handling.frame);
        let (answer, own) = collided::<M>(own, outer);
        self.dispatchers.insert(handling.dispatcher, own);
        answer
    }

    fn c_handler(&mut self, handling: Handling) -> ExceptionDisposition {
        let mut answer = ExceptionDisposition::CONTINUE_SEARCH;
        let Handling {
            record,
            frame,
            context,
            dispatcher,
        } = handling;
        self.call(C_HANDLER, |thread| {
            match c_specific_handler(thread, record, frame, context, dispatcher).unwrap() {
                CHandlerOutcome::Answer(said) => answer = said,
                CHandlerOutcome::Unwind(wanted) => {
                    assert_eq!(wanted.scratch, thread.dispatcher_at(dispatcher).context);
                    assert!([0, context].contains(&wanted.origin));
                    let outcome = thread.unwind_from(wanted.request, wanted.origin);
                    panic!("{outcome:?}");
                }
            }
        });
        answer
    }
}
