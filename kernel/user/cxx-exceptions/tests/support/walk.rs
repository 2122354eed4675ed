//! A stack on which a compiled function and its `catch` blocks are, and a walk over it as ntdll does it. Nothing runs: a test
//! says where control is, and sees which funclets would be called.

use c_interface::Ptr;
use cxx_exceptions::catches::{self, Running, Thread};
use cxx_exceptions::handler::{Call, CatchCall, Handled, Outcome, World, handle};
use cxx_exceptions::thrown::ThrowInfo;
use cxx_exceptions::{CXX_EXCEPTION, MAGIC};
use nt_abi::exception::ExceptionFlags;
use nt_abi::native::ExceptionRecord;

use super::image::Mapped;
use super::tools::Built;

/// What happens during a walk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// A destructor is called for a variable.
    Destroy(String),
    /// An exception's object is destroyed.
    Doom(usize),
    /// A `catch` block begins: its funclet, relative to the image.
    Catch(u32),
    /// The exception leaves the function.
    Left,
    /// C++ ends.
    Terminate,
}

/// Words of a part's frame.
const FRAME: usize = 512;
/// Words of a frame that lie below its address: tables have distances in both directions.
const BELOW: usize = FRAME / 2;
/// What functions put into the eight bytes for their handler; here it is everywhere.
const NOTHING_NOTED: u64 = u64::MAX - 1;
/// Stands for the address of the function that runs `catch` blocks.
pub(crate) const RUN_CATCH: usize = 0x5_0000;

/// A part of the function that is on the stack.
struct Part {
    function: u32,
    memory: Vec<u64>,
    left_at: u32,
    /// What its call by our runtime keeps, and how it ends.
    catch: Option<(Box<Running>, CatchCall)>,
}

impl Part {
    fn frame(&self) -> usize {
        self.memory.as_ptr().expose_provenance() + BELOW * 8
    }
}

/// The stack, and what is on it.
pub(crate) struct Walk<'a> {
    built: &'a Built,
    mapped: &'a Mapped,
    /// The function's unwind data for its handler: the place of its table.
    handler_data: Box<u32>,
    parts: Vec<Part>,
    #[allow(
        clippy::vec_box,
        reason = "what is called keeps the addresses of records"
    )]
    records: Vec<Box<ExceptionRecord>>,
    thread: Box<Thread>,
    events: Vec<Event>,
}

/// What is thrown: a description and the object's address, or what is handled again.
pub(crate) enum What {
    New(u32, usize),
    Again,
}

impl<'a> Walk<'a> {
    /// The body of a function is on the stack.
    pub(crate) fn new(built: &'a Built, mapped: &'a Mapped, function: &str) -> Self {
        Self {
            built,
            mapped,
            handler_data: Box::new(built.symbol(&format!("$cppxdata${function}"))),
            parts: vec![Part {
                function: built.symbol(function),
                memory: vec![NOTHING_NOTED; FRAME],
                left_at: 0,
                catch: None,
            }],
            records: Vec::new(),
            thread: Box::default(),
            events: Vec::new(),
        }
    }

    /// The part that runs.
    pub(crate) fn running(&self) -> u32 {
        self.parts.last().unwrap().function
    }

    /// How many blocks run.
    pub(crate) fn depth(&self) -> usize {
        self.parts.len() - 1
    }

    fn thread(&mut self) -> Ptr<Thread> {
        Ptr::of(&mut *self.thread)
    }

    fn keep(&mut self, record: ExceptionRecord) -> Ptr<ExceptionRecord> {
        self.records.push(Box::new(record));
        Ptr::of(self.records.last_mut().unwrap())
    }

    fn call(&mut self, part: usize, record: Ptr<ExceptionRecord>) -> Outcome {
        let base = self.mapped.base();
        let call = Call {
            record,
            context: 0xC0,
            frame: self.parts[part].frame(),
            image_base: base,
            function: self.parts[part].function,
            left_at: self.parts[part].left_at,
            target: 0,
            handler_data: Ptr::of(&mut *self.handler_data),
            run_catch: RUN_CATCH,
        };
        handle(self, &call)
    }

    /// Throws in the part that runs, from a call that returns to a place.
    pub(crate) fn throw(&mut self, what: &What, return_address: u32) -> Vec<Event> {
        self.parts.last_mut().unwrap().left_at = self.built.target.left_at(return_address);
        let base = self.mapped.base();
        let (info, object) = match *what {
            What::New(info, object) => (base + info as usize, object),
            What::Again => (0, 0),
        };
        let mut record = ExceptionRecord {
            exception_code: CXX_EXCEPTION,
            exception_flags: ExceptionFlags::NONCONTINUABLE,
            number_parameters: 4,
            ..ExceptionRecord::default()
        };
        record.exception_information[0] = u64::from(*MAGIC.start());
        record.exception_information[1] = object as u64;
        record.exception_information[2] = Ptr::<ThrowInfo>::new(info).raw();
        record.exception_information[3] = base as u64;
        let record = self.keep(record);
        for part in (0..self.parts.len()).rev() {
            match self.call(part, record) {
                Outcome::GoOn => {}
                Outcome::Unwind(frame, record) => {
                    assert_eq!(
                        frame,
                        self.parts[part].frame(),
                        "an unwind to another frame"
                    );
                    self.unwind(record, Some(part));
                    return std::mem::take(&mut self.events);
                }
                Outcome::Terminate => return vec![Event::Terminate],
            }
        }
        // Somebody outside catches it.
        let exception = match *what {
            What::New(..) => record,
            What::Again => catches::handled(self.thread()).record,
        };
        let mut record = ExceptionRecord {
            exception_code: nt_abi::NtStatus::UNWIND_CONSOLIDATE.0,
            number_parameters: 15,
            ..ExceptionRecord::default()
        };
        record.exception_information[0] = RUN_CATCH as u64;
        record.exception_information[6] = exception.raw();
        self.unwind(record, None);
        self.events.push(Event::Left);
        std::mem::take(&mut self.events)
    }

    fn unwind(&mut self, record: ExceptionRecord, target: Option<usize>) {
        let record = self.keep(record);
        let set_flags = |flags| {
            c_interface::field!(record, ExceptionRecord, exception_flags).write(flags);
        };
        while self.parts.len() > target.map_or(0, |target| target + 1) {
            set_flags(ExceptionFlags::UNWINDING);
            let outcome = self.call(self.parts.len() - 1, record);
            assert_eq!(outcome, Outcome::GoOn);
            let part = self.parts.pop().unwrap();
            if let Some((mut running, _)) = part.catch {
                let place = Ptr::of(&mut *running);
                let doomed = catches::abandon(self.thread(), place, &record.read(), RUN_CATCH);
                self.events
                    .extend(doomed.map(|doomed| Event::Doom(doomed.object)));
            }
        }
        let Some(target) = target else {
            return;
        };
        set_flags(ExceptionFlags::UNWINDING | ExceptionFlags::TARGET_UNWIND);
        assert_eq!(self.call(target, record), Outcome::GoOn);
        let call = CatchCall::of(&record.read());
        let body = self.parts[0].frame();
        assert_eq!(call.body_frame, body, "the block works on another frame");
        let funclet = u32::try_from(call.funclet - self.mapped.base()).unwrap();
        let mut running = Box::<Running>::default();
        catches::begin(self.thread(), Ptr::of(&mut *running), call.exception);
        self.parts.push(Part {
            function: funclet,
            // The funclet keeps the address somewhere in its frame.
            memory: vec![body as u64; FRAME],
            left_at: 0,
            catch: Some((running, call)),
        });
        self.events.push(Event::Catch(funclet));
    }

    /// The block that runs ends.
    pub(crate) fn end_catch(&mut self) -> Vec<Event> {
        let part = self.parts.pop().unwrap();
        let (mut running, call) = part.catch.unwrap();
        let doomed = catches::end(self.thread(), Ptr::of(&mut *running));
        call.end();
        doomed
            .map(|doomed| Event::Doom(doomed.object))
            .into_iter()
            .collect()
    }

    /// A word of the body's frame, by its distance.
    pub(crate) fn frame_word(&self, distance: i32) -> u64 {
        let place = self.parts[0].frame().wrapping_add_signed(distance as isize);
        Ptr::<u64>::new(place).read()
    }
}

impl World for Walk<'_> {
    fn destroy(&mut self, funclet: usize, frame: usize) {
        assert_eq!(
            frame,
            self.parts[0].frame(),
            "a destructor works on another frame"
        );
        let funclet = u32::try_from(funclet - self.mapped.base()).unwrap();
        // One funclet may destroy several variables.
        let called = self.built.calls_in(funclet);
        self.events
            .extend(called.map(|call| Event::Destroy(call.name.clone())));
    }

    fn copy_object(&mut self, _constructor: usize, _to: usize, _from: usize, _most_derived: bool) {
        panic!("nothing is caught by value");
    }

    fn translate(&mut self, _record: Ptr<ExceptionRecord>, _context: usize) {}

    fn handled(&self) -> Handled {
        catches::handled(Ptr::of_shared(&*self.thread))
    }
}
