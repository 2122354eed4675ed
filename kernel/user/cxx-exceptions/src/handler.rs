//! The handler of all functions that have a table.
//!
//! ntdll calls it for two reasons, and in the first case it answers one of two things:
//!
//! - **A handler is searched.** The `try` blocks around the place where control left are asked, the innermost first, each
//!   `catch` block in the order in which it was written. If one takes the exception, its variable is made, and the stack is
//!   unwound to this frame: a *consolidating* unwind, at whose end ntdll calls a function of ours that runs the `catch` block
//!   and knows where to go on. Else the search goes on with the caller.
//! - **The stack is unwound.** The destructors of the states are called that lead from the state of the frame to none, or in
//!   the frame whose `catch` block takes the exception, to that of the `try` block.
//!
//! An exception that C++ did not throw passes functions by that were compiled for C++'s alone, also their destructors.

use c_interface::Ptr;
use nt_abi::NtStatus;
use nt_abi::exception::ExceptionFlags;
use nt_abi::native::{ExceptionRecord, Pointer};

use crate::frame::{Frame, Note};
use crate::matching::{Conversion, conversion, takes_anything};
use crate::object::make_variable;
use crate::tables::{Adjectives, Catch, State, Tables, TryBlock};
use crate::thrown::Thrown;
use crate::{Broken, CXX_EXCEPTION};

/// What the handler calls.
pub trait World {
    /// Calls a funclet that destroys something, while the stack is unwound. `frame` is that of the function's body. An
    /// exception must not leave the funclet.
    fn destroy(&mut self, funclet: usize, frame: usize);

    /// Calls a copy constructor. One for a class with virtual bases is told that it makes the most derived class. An
    /// exception must not leave it.
    fn copy_object(&mut self, constructor: usize, to: usize, from: usize, most_derived: bool);

    /// Gives an exception that C++ did not throw to the thread's translator (`_set_se_translator`), which may throw.
    fn translate(&mut self, record: Ptr<ExceptionRecord>, context: usize);

    /// The exception that the innermost `catch` block of the thread handles; null for none.
    fn handled(&self) -> Handled;
}

/// An exception, and the registers of where it happened.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Handled {
    /// Its record.
    pub record: Ptr<ExceptionRecord>,
    /// The address of its context.
    pub context: usize,
}

/// What the handler is called with.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The exception's record.
    pub record: Ptr<ExceptionRecord>,
    /// The address of the exception's context.
    pub context: usize,
    /// The frame.
    pub frame: usize,
    /// The function's image.
    pub image_base: usize,
    /// The function's beginning, relative to the image.
    pub function: u32,
    /// Where control left it, relative to the image.
    pub left_at: u32,
    /// Where the unwind's target goes on, relative to the image.
    pub target: u32,
    /// What the function's unwind data has for its handler.
    pub handler_data: Ptr<u32>,
    /// The function that runs `catch` blocks at the end of an unwind.
    pub run_catch: usize,
}

/// What the handler wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The search, or the unwind, goes on with the caller.
    GoOn,
    /// An unwind to a frame with a record of its own.
    Unwind(usize, ExceptionRecord),
    /// `std::terminate`.
    Terminate,
}

/// Places of the parameters of a consolidating unwind. The first is the function that ntdll calls; most others are where
/// debuggers know them.
mod parameter {
    pub(super) const RUN_CATCH: usize = 0;
    pub(super) const BODY_FRAME: usize = 1;
    pub(super) const FUNCLET: usize = 2;
    pub(super) const TARGET_STATE: usize = 3;
    pub(super) const CONTEXT: usize = 4;
    pub(super) const RECORD: usize = 6;
    pub(super) const IMAGE_BASE: usize = 9;
    /// ntdll puts the address of the target's registers there, if it finds -1.
    pub(super) const REGISTERS: usize = 10;
    pub(super) const NOTE_ADDRESS: usize = 11;
    pub(super) const NOTE_STATE: usize = 12;
    pub(super) const NOTE_LEVEL: usize = 13;
    pub(super) const COUNT: u32 = 15;
}

/// What the function knows that runs a `catch` block at the end of an unwind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CatchCall {
    /// The funclet.
    pub funclet: usize,
    /// The frame of the function's body.
    pub body_frame: usize,
    /// The registers of the frame that the funclet belongs to, where the machine wants them.
    pub registers: Pointer,
    /// The exception.
    pub exception: Handled,
    /// Where the function notes its state.
    note_address: usize,
    note: Note,
}

impl CatchCall {
    /// What the record of an unwind to a `catch` block says.
    pub fn of(record: &ExceptionRecord) -> Self {
        let parameters = &record.exception_information;
        let address = |index: usize| Ptr::<u8>::at(parameters[index]).address();
        Self {
            funclet: address(parameter::FUNCLET),
            body_frame: address(parameter::BODY_FRAME),
            registers: parameters[parameter::REGISTERS],
            exception: Handled {
                record: Ptr::at(parameters[parameter::RECORD]),
                context: address(parameter::CONTEXT),
            },
            note_address: address(parameter::NOTE_ADDRESS),
            note: Note {
                state: low_half(parameters[parameter::NOTE_STATE]),
                level: low_half(parameters[parameter::NOTE_LEVEL]),
            },
        }
    }

    /// Notes that the `catch` block has ended.
    pub fn end(&self) {
        crate::frame::write_note(self.note_address, self.note);
    }
}

/// The exception that an unwind is going to a `catch` block with; `None` if it goes somewhere else.
pub fn unwound_for(record: &ExceptionRecord, run_catch: usize) -> Option<Handled> {
    is_to_catch(record, run_catch).then(|| CatchCall::of(record).exception)
}

/// Whether the record is that of an unwind to a `catch` block.
fn is_to_catch(record: &ExceptionRecord, run_catch: usize) -> bool {
    record.code() == NtStatus::UNWIND_CONSOLIDATE
        && record.number_parameters == parameter::COUNT
        && record.exception_information[parameter::RUN_CATCH] == Ptr::<u8>::new(run_catch).raw()
}

/// Says what there is to do for a function, and does it if the stack is unwound.
///
/// # NT
/// `__CxxFrameHandler3`.
pub fn handle<W: World>(world: &mut W, call: &Call) -> Outcome {
    let record = call.record.read();
    let outcome = Tables::read(call.image_base, call.handler_data).and_then(|tables| {
        if tables.is_for_cxx_alone() && !concerns_cxx(&record) {
            return Ok(Outcome::GoOn);
        }
        let unwinding = ExceptionFlags::UNWINDING | ExceptionFlags::EXIT_UNWIND;
        if record.exception_flags.intersects(unwinding) {
            return match tables.has_no_states() {
                true => Ok(Outcome::GoOn),
                false => unwind(world, call, &tables, &record),
            };
        }
        match tables.has_no_try_blocks() && !tables.is_noexcept() {
            true => Ok(Outcome::GoOn),
            false => search(world, call, &tables, &record),
        }
    });
    outcome.unwrap_or(Outcome::Terminate)
}

/// Whether functions have a say that were compiled for exceptions of C++ alone: also when a `longjmp` leaves them.
fn concerns_cxx(record: &ExceptionRecord) -> bool {
    record.exception_code == CXX_EXCEPTION
        || [NtStatus::UNWIND_CONSOLIDATE, NtStatus::LONGJUMP].contains(&record.code())
}

/// Searches a `catch` block that takes the exception.
fn search<W: World>(
    world: &mut W,
    call: &Call,
    tables: &Tables,
    record: &ExceptionRecord,
) -> Result<Outcome, Broken> {
    let mut exception = Handled {
        record: call.record,
        context: call.context,
    };
    let mut thrown = Thrown::of(record);
    if thrown.is_some_and(|thrown| thrown.is_rethrow()) {
        exception = world.handled();
        thrown = exception
            .record
            .read_optional()
            .and_then(|record| Thrown::of(&record));
    }
    let frame = Frame::new(tables, call.frame, call.function);
    let state = frame.state(tables, call.left_at)?;
    let Some(thrown) = thrown else {
        return search_foreign(world, call, tables, &frame, state, exception);
    };
    for block in frame.try_blocks_around(tables, state) {
        for catch in tables.catches(&block) {
            if let Some(conversion) = conversion(tables, &catch, &thrown) {
                if let Conversion::To(kind) = conversion {
                    make_variable(world, &thrown, &kind, &catch, frame.body);
                }
                return unwind_to(call, tables, &frame, &block, &catch, exception);
            }
        }
    }
    Ok(match tables.is_noexcept() {
        true => Outcome::Terminate,
        false => Outcome::GoOn,
    })
}

/// The same for an exception that C++ did not throw: the translator may throw one that it did; else a `catch (...)` takes it
/// that is not of standard C++.
fn search_foreign<W: World>(
    world: &mut W,
    call: &Call,
    tables: &Tables,
    frame: &Frame,
    state: State,
    exception: Handled,
) -> Result<Outcome, Broken> {
    let Some(record) = exception.record.read_optional() else {
        return Ok(Outcome::GoOn);
    };
    if [NtStatus::BREAKPOINT, NtStatus::SINGLE_STEP].contains(&record.code()) {
        return Ok(Outcome::GoOn);
    }
    for block in frame.try_blocks_around(tables, state) {
        world.translate(exception.record, exception.context);
        let takes = |catch: &Catch| {
            takes_anything(tables, catch) && !catch.adjectives.has(Adjectives::STANDARD_ELLIPSIS)
        };
        if let Some(catch) = tables.catches(&block).find(takes) {
            return unwind_to(call, tables, frame, &block, &catch, exception);
        }
    }
    Ok(Outcome::GoOn)
}

/// An unwind to a `catch` block.
fn unwind_to(
    call: &Call,
    tables: &Tables,
    frame: &Frame,
    block: &TryBlock,
    catch: &Catch,
    exception: Handled,
) -> Result<Outcome, Broken> {
    let after = frame.while_running(tables)?;
    let mut record = ExceptionRecord {
        exception_code: NtStatus::UNWIND_CONSOLIDATE.0,
        exception_flags: ExceptionFlags::NONCONTINUABLE,
        number_parameters: parameter::COUNT,
        ..ExceptionRecord::default()
    };
    let mut set = |index: usize, value: usize| {
        record.exception_information[index] = Ptr::<u8>::new(value).raw();
    };
    set(parameter::RUN_CATCH, call.run_catch);
    set(parameter::BODY_FRAME, frame.body);
    set(parameter::FUNCLET, tables.funclet(catch.funclet));
    set(parameter::TARGET_STATE, word(block.try_low));
    set(parameter::CONTEXT, exception.context);
    set(parameter::RECORD, exception.record.address());
    set(parameter::IMAGE_BASE, call.image_base);
    set(parameter::REGISTERS, usize::MAX);
    set(parameter::NOTE_ADDRESS, frame.note_address(tables));
    set(parameter::NOTE_STATE, word(after.state));
    set(parameter::NOTE_LEVEL, word(after.level));
    Ok(Outcome::Unwind(call.frame, record))
}

/// Calls the destructors of what the frame has constructed.
fn unwind<W: World>(
    world: &mut W,
    call: &Call,
    tables: &Tables,
    record: &ExceptionRecord,
) -> Result<Outcome, Broken> {
    let frame = Frame::new(tables, call.frame, call.function);
    let state = frame.state(tables, call.left_at)?;
    let is_target = record
        .exception_flags
        .contains(ExceptionFlags::TARGET_UNWIND);
    if is_target && is_to_catch(record, call.run_catch) {
        let target = low_half(record.exception_information[parameter::TARGET_STATE]);
        destroy_until(world, tables, &frame, state, |state| state == target)?;
        let around = tables.unwind_entry(target)?.to;
        frame.set_note(tables, frame.while_unwound(around));
    } else if is_target && record.code() == NtStatus::LONGJUMP {
        let target = tables.state_at(call.target);
        let outer = |state| state == target || frame.is_unwound(state);
        destroy_until(world, tables, &frame, state, outer)?;
        frame.set_note(tables, frame.while_running(tables)?);
    } else {
        destroy_until(world, tables, &frame, state, |state| {
            frame.is_unwound(state)
        })?;
    }
    Ok(Outcome::GoOn)
}

/// Calls destructors from a state to another one, and notes before each how far it has come: should the destructor be left
/// by another unwind, that one goes on behind it.
fn destroy_until<W: World>(
    world: &mut W,
    tables: &Tables,
    frame: &Frame,
    from: State,
    is_end: impl Fn(State) -> bool,
) -> Result<(), Broken> {
    let mut state = from;
    while !is_end(state) {
        let entry = tables.unwind_entry(state)?;
        state = entry.to;
        if entry.action != 0 {
            frame.set_note(tables, frame.while_unwound(state));
            world.destroy(tables.funclet(entry.action), frame.body);
        }
    }
    frame.set_note(tables, frame.while_unwound(state));
    Ok(())
}

/// A state as a parameter.
fn word(number: i32) -> usize {
    usize::try_from(number.cast_unsigned()).unwrap_or_default()
}

/// The number that [`word`] made a parameter of.
fn low_half(parameter: Pointer) -> i32 {
    let [a, b, c, d, ..] = parameter.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}
