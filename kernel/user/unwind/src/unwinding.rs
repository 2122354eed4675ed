//! The unwind to a frame: the handlers of all functions in between are told to clean up, and the thread goes on in the target.
//!
//! Nothing is undone in reality until the end. The handlers run deeper in the same stack, and only when the last one is done
//! the registers of the target's frame are loaded, and all below it is gone at once.
//!
//! An exception in such a handler may itself unwind, to a target beyond the frame whose handler it is. That second unwind
//! comes to ntdll's frame of the first one, which tells it how far the first one was ([`collided`]): it goes on from there,
//! with its own target, and the first one is never heard of again.
//!
//! [`collided`]: crate::handler_call::collided

use nt_abi::exception::{ExceptionDisposition, ExceptionFlags, HandlerTypes};
use nt_abi::{NtResult, NtStatus};

use crate::handler_call::HandlerCall;
use crate::machine::Machine;
use crate::memory::BAD_STACK;
use crate::platform::{Frame, Platform, Progress, Purpose, Scratch};

/// Where an unwind goes, and what for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnwindRequest {
    /// The frame to unwind to; `None` for the end of the stack, when a thread ends.
    pub target_frame: Option<u64>,
    /// Where that frame goes on.
    pub target_pc: u64,
    /// The exception's record, which handlers get: an address. One who has none gives one with the code `UNWIND`.
    pub record: u64,
    /// What the target finds where a function's result is.
    pub result: u64,
    /// `UNWIND_HISTORY_TABLE`, or 0; handlers get it.
    pub history_table: u64,
}

/// How an unwind ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnwindOutcome {
    /// The thread goes on with the context in [`Scratch`], through `RtlRestoreContext` with the record.
    GoOn,
    /// The stack ended before the target, as it does when the thread ends: the exception is brought to the kernel as one that
    /// nobody handles (`NtRaiseException`, not at first chance), with the context in [`Scratch`].
    NoTarget,
    /// Another exception is to be raised, which cannot be continued and whose record refers to this one's.
    Raise(NtStatus),
}

/// Flags of a record that an unwind keeps.
const KEPT: ExceptionFlags =
    ExceptionFlags::NONCONTINUABLE.union(ExceptionFlags::SOFTWARE_ORIGINATE);
/// Where the parameters of a consolidating unwind have room for the address of the target's registers, and what stands there
/// until then.
const REGISTERS_PARAMETER: (usize, u64) = (10, u64::MAX);

/// Unwinds the stack. The unwind begins with the registers in [`Scratch::context`], which are those of the caller.
///
/// # NT
/// `RtlUnwindEx`.
///
/// # Errors
/// Outcomes, not errors:
/// - `BAD_STACK`: a frame is not on the stack.
/// - `BAD_FUNCTION_TABLE`: unwind data makes no sense.
/// - `INVALID_UNWIND_TARGET`: the target is not a frame, but between two.
/// - `INVALID_DISPOSITION`: a handler answered what there is not.
pub fn unwind<P: Platform>(
    platform: &mut P,
    request: UnwindRequest,
    scratch: Scratch,
) -> UnwindOutcome {
    let kept = platform.record(request.record).exception_flags & KEPT;
    let exit = match request.target_frame {
        Some(_) => ExceptionFlags::empty(),
        None => ExceptionFlags::EXIT_UNWIND,
    };
    let mut unwind = Unwind {
        platform,
        request,
        scratch,
        flags: kept | ExceptionFlags::UNWINDING | exit,
    };
    unwind.run().unwrap_or_else(UnwindOutcome::Raise)
}

struct Unwind<'p, P> {
    platform: &'p mut P,
    request: UnwindRequest,
    scratch: Scratch,
    /// The record's flags, but for those of the frame.
    flags: ExceptionFlags,
}

impl<P: Platform> Unwind<'_, P> {
    fn run(&mut self) -> NtResult<UnwindOutcome> {
        let mut progress = Progress::new(self.platform.stack_limits());
        // The registers in the function and those in its caller, by turns.
        let mut one = self.platform.context(self.scratch.context);
        let mut other = one;
        let (mut inside, mut outside) = (&mut one, &mut other);
        loop {
            let undone = Frame::undo(self.platform, HandlerTypes::UHANDLER, outside);
            if undone.is_err() && P::Machine::pc(inside) == 0 {
                return Ok(self.no_target(inside));
            }
            let mut frame = undone?;
            self.check(&mut progress, &frame)?;
            // An unwind that runs into another one goes on from where that was.
            let mut collided = ExceptionFlags::empty();
            while let Some(call) = self.tell(&frame, inside, collided)? {
                *inside = self.platform.context(call.context);
                *outside = *inside;
                let interrupted = Frame::undo_interrupted(self.platform, call, outside);
                frame = interrupted.map_err(|_| BAD_STACK)?;
                self.check(&mut progress, &frame)?;
                collided = ExceptionFlags::COLLIDED_UNWIND;
            }
            if !frame.is_leaf && self.is_target(&frame) {
                return Ok(self.arrive(inside));
            }
            core::mem::swap(&mut inside, &mut outside);
            if self.is_end(&progress, inside) {
                return Ok(self.no_target(inside));
            }
            *outside = *inside;
        }
    }

    fn no_target(&mut self, context: &<P::Machine as Machine>::Context) -> UnwindOutcome {
        self.platform.set_context(self.scratch.context, context);
        UnwindOutcome::NoTarget
    }

    /// Whether the stack ends before the target. With a target, control can be at address 0 without having returned there:
    /// by a call of nothing, whose exception is being handled.
    fn is_end(&self, progress: &Progress, inside: &<P::Machine as Machine>::Context) -> bool {
        match self.request.target_frame {
            Some(_) if !P::Machine::is_behind_call(inside) => {
                progress.is_at_top::<P::Machine>(inside)
            }
            _ => progress.is_end::<P::Machine>(inside),
        }
    }

    fn is_target(&self, frame: &Frame) -> bool {
        self.request.target_frame == Some(frame.call.establisher_frame)
    }

    fn check(&self, progress: &mut Progress, frame: &Frame) -> NtResult {
        progress.check::<P::Machine>(frame)?;
        let beyond = |target| !frame.is_leaf && target < frame.call.establisher_frame;
        if self.request.target_frame.is_some_and(beyond) {
            return Err(NtStatus::INVALID_UNWIND_TARGET);
        }
        Ok(())
    }

    /// Tells a frame's handler, if it has one, to clean up. If it was called by another unwind, gives what that one had called
    /// it with.
    fn tell(
        &mut self,
        frame: &Frame,
        inside: &mut <P::Machine as Machine>::Context,
        collided: ExceptionFlags,
    ) -> NtResult<Option<HandlerCall>> {
        if frame.call.handler == 0 {
            return Ok(None);
        }
        let target = match self.is_target(frame) {
            true => ExceptionFlags::TARGET_UNWIND,
            false => ExceptionFlags::empty(),
        };
        let record = self.request.record;
        self.platform
            .set_flags(record, self.flags | collided | target);
        P::Machine::set_result(inside, self.request.result);
        self.platform.set_context(self.scratch.context, inside);
        let registers = P::Machine::registers(inside);
        self.platform
            .set_registers(self.scratch.registers, &registers);
        let mut dispatcher = P::Machine::dispatcher(&HandlerCall {
            target: self.request.target_pc,
            context: self.scratch.context,
            registers: self.scratch.registers,
            history_table: self.request.history_table,
            ..frame.call
        });
        let answer = self.platform.call_handler(
            Purpose::Unwind,
            record,
            self.scratch.context,
            &mut dispatcher,
        );
        match answer {
            ExceptionDisposition::CONTINUE_SEARCH => Ok(None),
            ExceptionDisposition::COLLIDED_UNWIND => Ok(Some(P::Machine::call(&dispatcher))),
            _ => Err(NtStatus::INVALID_DISPOSITION),
        }
    }

    /// Makes the context that the target goes on with.
    fn arrive(&mut self, context: &mut <P::Machine as Machine>::Context) -> UnwindOutcome {
        let record = self.platform.record(self.request.record);
        if record.code() != NtStatus::UNWIND_CONSOLIDATE {
            P::Machine::go_on_at(context, self.request.target_pc);
        } else if P::Machine::CONSOLIDATES_REGISTERS {
            let (index, none) = REGISTERS_PARAMETER;
            let registers = P::Machine::registers(context);
            self.platform
                .set_registers(self.scratch.registers, &registers);
            let count = usize::try_from(record.number_parameters).unwrap_or_default();
            if count > index && record.exception_information.get(index) == Some(&none) {
                let address = self.scratch.registers;
                self.platform
                    .set_parameter(self.request.record, index, address);
            }
        }
        P::Machine::set_result(context, self.request.result);
        self.platform.set_context(self.scratch.context, context);
        UnwindOutcome::GoOn
    }
}
