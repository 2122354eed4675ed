//! The search for a handler of an exception.
//!
//! The frames of the stack are asked one after the other, the innermost first. A language handler looks whether one of its
//! scopes wants the exception; if so, it unwinds to there and never comes back. It may also say that the thread goes on
//! where it was, or that it has nothing to say. Two more answers come from ntdll's own frames (see
//! [`handler_call`](crate::handler_call)), when the exception happened while a handler was running:
//!
//! - **Nested**: the handler was called by another search. The frames up to the one whose handler it is are asked again, and
//!   are told that the call is nested.
//! - **Collided**: the handler was called by an unwind. The frames below the one whose handler it is are undone already, as
//!   far as the program is concerned, and are not asked: the search goes on with that frame, behind the scopes that the
//!   unwind had left.

use nt_abi::NtStatus;
use nt_abi::exception::{ExceptionDisposition, ExceptionFlags, HandlerTypes};

use crate::handler_call::HandlerCall;
use crate::machine::Machine;
use crate::platform::{Frame, Platform, Progress, Purpose, Scratch};

/// How a search ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SearchOutcome {
    /// The thread goes on with the context.
    Continue,
    /// Nobody wanted the exception.
    Unhandled,
    /// A handler answered what it must not: another exception is to be raised, which cannot be continued and whose record
    /// refers to this one's.
    Raise(NtStatus),
}

/// Flags of a record that a search keeps.
const KEPT: ExceptionFlags =
    ExceptionFlags::NONCONTINUABLE.union(ExceptionFlags::SOFTWARE_ORIGINATE);

/// Asks the frames of the stack for a handler. `record` and `context` are the addresses of the exception's record and of the
/// thread's registers. It does not return if a handler unwinds.
///
/// # NT
/// The part of `RtlDispatchException` behind the vectored handlers.
///
/// # Errors
/// An outcome, not an error: `NONCONTINUABLE_EXCEPTION` if a handler wants to go on behind an exception that cannot be
/// continued, `INVALID_DISPOSITION` if it answers anything else that there is not.
pub fn search<P: Platform>(
    platform: &mut P,
    record: u64,
    context: u64,
    scratch: Scratch,
) -> SearchOutcome {
    let mut search = Search {
        platform,
        record,
        context,
        scratch,
        flags: ExceptionFlags::empty(),
        nested_frame: 0,
    };
    search.flags = search.platform.record(record).exception_flags & KEPT;
    let outcome = search.run();
    let flags = search.flags;
    search.platform.set_flags(record, flags);
    outcome
}

struct Search<'p, P> {
    platform: &'p mut P,
    record: u64,
    context: u64,
    scratch: Scratch,
    /// The record's flags.
    flags: ExceptionFlags,
    /// The frame whose handler the exception happened in, or 0: up to there calls are nested.
    nested_frame: u64,
}

/// What follows from a handler's answer.
enum Next {
    /// The frame's caller is asked.
    Caller,
    /// The frame of another unwind is asked instead, which was called with that.
    Interrupted(HandlerCall),
    /// The search is over.
    Over(SearchOutcome),
}

impl<P: Platform> Search<'_, P> {
    fn run(&mut self) -> SearchOutcome {
        let mut progress = Progress::new(self.platform.stack_limits());
        let mut context = self.platform.context(self.context);
        loop {
            let mut registers = P::Machine::registers(&context);
            let frame = Frame::undo(self.platform, HandlerTypes::EHANDLER, &mut context);
            let Ok(mut frame) = frame else {
                return self.bad_stack();
            };
            loop {
                if progress.check::<P::Machine>(&frame).is_err() {
                    return self.bad_stack();
                }
                let call = match self.ask(&frame, &context, &registers) {
                    Next::Caller => break,
                    Next::Interrupted(call) => call,
                    Next::Over(outcome) => return outcome,
                };
                context = self.platform.context(call.context);
                registers = P::Machine::registers(&context);
                frame = match Frame::undo_interrupted(self.platform, call, &mut context) {
                    Ok(frame) => frame,
                    Err(_) => return self.bad_stack(),
                };
            }
            if progress.is_end::<P::Machine>(&context) {
                return SearchOutcome::Unhandled;
            }
        }
    }

    fn bad_stack(&mut self) -> SearchOutcome {
        self.flags |= ExceptionFlags::STACK_INVALID;
        SearchOutcome::Unhandled
    }

    /// Asks a frame's handler, if it has one. The context is that of the function's caller, the registers are the function's.
    fn ask(
        &mut self,
        frame: &Frame,
        outside: &<P::Machine as Machine>::Context,
        registers: &<P::Machine as Machine>::Registers,
    ) -> Next {
        if frame.call.handler == 0 {
            return Next::Caller;
        }
        self.platform.set_flags(self.record, self.flags);
        self.platform.set_context(self.scratch.context, outside);
        self.platform
            .set_registers(self.scratch.registers, registers);
        let mut dispatcher = P::Machine::dispatcher(&HandlerCall {
            context: self.scratch.context,
            registers: self.scratch.registers,
            ..frame.call
        });
        let answer =
            self.platform
                .call_handler(Purpose::Search, self.record, self.context, &mut dispatcher);
        // A handler may make an exception one that cannot be continued.
        let flags = self.platform.record(self.record).exception_flags;
        self.flags |= flags & ExceptionFlags::NONCONTINUABLE;
        if self.nested_frame == frame.call.establisher_frame {
            self.flags -= ExceptionFlags::NESTED_CALL;
            self.nested_frame = 0;
        }
        self.follow(answer, P::Machine::call(&dispatcher))
    }

    fn follow(&mut self, answer: ExceptionDisposition, call: HandlerCall) -> Next {
        match answer {
            ExceptionDisposition::CONTINUE_SEARCH => Next::Caller,
            ExceptionDisposition::CONTINUE_EXECUTION => {
                Next::Over(if self.flags.contains(ExceptionFlags::NONCONTINUABLE) {
                    SearchOutcome::Raise(NtStatus::NONCONTINUABLE_EXCEPTION)
                } else {
                    SearchOutcome::Continue
                })
            }
            ExceptionDisposition::NESTED_EXCEPTION => {
                self.flags |= ExceptionFlags::NESTED_CALL;
                self.nested_frame = self.nested_frame.max(call.establisher_frame);
                Next::Caller
            }
            ExceptionDisposition::COLLIDED_UNWIND => Next::Interrupted(call),
            _ => Next::Over(SearchOutcome::Raise(NtStatus::INVALID_DISPOSITION)),
        }
    }
}
