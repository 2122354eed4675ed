//! Undoing one function on x64.
//!
//! The unwind codes tell what the prolog did, its last step first, each with the offset in the prolog behind which it is
//! done. So where control left the function decides: in the body all steps are undone, in the prolog those that are done.
//! An epilog is different, because the codes say nothing of how far it is. Version 1 finds epilogs by their instructions,
//! which have a fixed form, and goes on as the processor would; version 2 lists them ([`epilog`]).
//!
//! Registers are saved relative to the frame: the stack pointer behind the prolog, or what the frame register says of it.
//! Inside of a prolog before the frame is set it is the stack pointer as it is; what has not been set is not used yet.
//!
//! The facts: Microsoft's "x64 exception handling", and for what it leaves open (functions in parts, jumps that end a
//! function, the order of checks) the unwinder that the .NET runtime shares with Windows.

mod epilog;
mod registers;

use nt_abi::NtResult;
use nt_abi::context::Amd64Context;
use nt_abi::exception::{Amd64NonvolatileContextPointers, HandlerTypes};
use pe::unwind_x64::{RuntimeFunction, UnwindInfo, UnwindOperation, UnwindTail};

use crate::memory::{
    BAD_STACK, BAD_TABLE, FunctionEntry, Functions, Handler, Memory, Tables, Unwound, pop, relative,
};
use registers::Registers;

/// How many parts a function may have.
const LONGEST_CHAIN: usize = 32;
/// From a machine frame's RIP to its RSP.
const MACHINE_FRAME_RSP: u64 = 0x18;

/// Undoes a function: makes of the registers in it those of its caller behind the call.
///
/// `function` is where control left; `None` is a leaf, which has changed nothing that a caller keeps. `wanted` are the
/// kinds of handlers that are of interest. `saved` gets where each register was found, if it was on the stack.
///
/// # NT
/// `RtlVirtualUnwind`.
///
/// # Errors
/// The context is then of no use.
/// - `BAD_FUNCTION_TABLE`: the unwind data makes no sense.
/// - `BAD_STACK`: the stack cannot be read where a register should be.
pub fn virtual_unwind<M>(
    memory: &M,
    wanted: HandlerTypes,
    function: Option<&FunctionEntry<RuntimeFunction>>,
    control_pc: u64,
    context: &mut Amd64Context,
    saved: Option<&mut Amd64NonvolatileContextPointers>,
) -> NtResult<Unwound>
where
    M: Memory + Functions<Function = RuntimeFunction>,
{
    let mut registers = Registers {
        memory,
        context,
        saved,
    };
    let Some(entry) = function else {
        let establisher_frame = registers.context.rsp;
        registers.return_to_caller()?;
        return Ok(Unwound {
            establisher_frame,
            handler: None,
        });
    };
    let tables = Tables {
        memory,
        image_base: entry.image_base,
    };
    let frame = Frame {
        function: entry.function.resolve(&tables)?,
        tables,
        pc: relative(control_pc, entry.image_base),
    };
    frame.undo(wanted, &mut registers)
}

/// A function that control left.
pub(crate) struct Frame<'m, M> {
    tables: Tables<'m, M>,
    function: RuntimeFunction,
    /// Where, relative to the image.
    pc: u32,
}

impl<M> Frame<'_, M>
where
    M: Memory + Functions<Function = RuntimeFunction>,
{
    fn undo(
        &self,
        wanted: HandlerTypes,
        registers: &mut Registers<'_, '_, M>,
    ) -> NtResult<Unwound> {
        let info = UnwindInfo::read(&self.tables, self.function.unwind_rva)?;
        let establisher_frame = self.establisher_frame(&info, registers)?;
        let maybe_epilog = !wanted.contains(HandlerTypes::NO_EPILOGUE);
        if maybe_epilog && self.undo_epilog(&info, registers)? {
            return Ok(Unwound {
                establisher_frame,
                handler: None,
            });
        }
        let (first, info) = self.undo_prologs(info, establisher_frame, registers)?;
        Ok(Unwound {
            establisher_frame,
            handler: self.handler(wanted, first, &info),
        })
    }

    /// Bytes from a part's start to where control is. Of a part that control is not in only that it is large matters.
    fn offset_in(&self, part: RuntimeFunction) -> u32 {
        self.pc.wrapping_sub(part.begin_rva)
    }

    /// The frame that registers are saved relative to, and by which handlers know the function.
    fn establisher_frame(
        &self,
        info: &UnwindInfo<'_>,
        registers: &Registers<'_, '_, M>,
    ) -> NtResult<u64> {
        let Some(register) = info.frame_register else {
            return Ok(registers.context.rsp);
        };
        let offset = self.offset_in(self.function);
        let in_prolog = offset < u32::from(info.prolog_size);
        // Only the first part has the instruction that sets it; in the others it is set already.
        let is_first_part = !matches!(info.tail, UnwindTail::Chained(_));
        if in_prolog && is_first_part {
            for code in info.codes.iter() {
                let code = code?;
                if code.operation == UnwindOperation::SetFrame {
                    if offset < u32::from(code.prolog_offset) {
                        return Ok(registers.context.rsp);
                    }
                    break;
                }
            }
        }
        let base = registers.get(register);
        Ok(base.wrapping_sub(u64::from(info.frame_offset)))
    }

    /// Undoes the prologs of all parts, and gives the first part.
    fn undo_prologs<'m>(
        &'m self,
        info: UnwindInfo<'m>,
        frame: u64,
        registers: &mut Registers<'_, '_, M>,
    ) -> NtResult<(RuntimeFunction, UnwindInfo<'m>)> {
        let (mut part, mut info) = (self.function, info);
        for _ in 0..LONGEST_CHAIN {
            let offset = self.offset_in(part);
            let interrupted = undo_prolog(&info, offset, frame, registers)?;
            match info.tail {
                UnwindTail::Chained(next) => {
                    part = next.resolve(&self.tables)?;
                    info = UnwindInfo::read(&self.tables, part.unwind_rva)?;
                }
                _ => {
                    if !interrupted {
                        registers.return_to_caller()?;
                    }
                    return Ok((part, info));
                }
            }
        }
        Err(BAD_TABLE)
    }

    /// The handler, which belongs to the first part.
    fn handler(
        &self,
        wanted: HandlerTypes,
        first: RuntimeFunction,
        info: &UnwindInfo<'_>,
    ) -> Option<Handler> {
        let UnwindTail::Handler {
            rva,
            data_rva,
            on_exception,
            on_unwind,
        } = info.tail
        else {
            return None;
        };
        let fits = on_exception && wanted.contains(HandlerTypes::EHANDLER)
            || on_unwind && wanted.contains(HandlerTypes::UHANDLER);
        let in_prolog = self.offset_in(first) < u32::from(info.prolog_size);
        (fits && !in_prolog).then_some(Handler { rva, data_rva })
    }
}

/// Undoes the steps of a prolog that are done; gives whether one of them was an interrupt, which has brought the caller's
/// instruction and stack with it.
fn undo_prolog<M: Memory>(
    info: &UnwindInfo<'_>,
    offset: u32,
    frame: u64,
    registers: &mut Registers<'_, '_, M>,
) -> NtResult<bool> {
    let mut interrupted = false;
    for code in info.codes.iter() {
        let code = code?;
        let is_epilog = matches!(code.operation, UnwindOperation::Epilog { .. });
        if is_epilog || offset < u32::from(code.prolog_offset) {
            continue;
        }
        match code.operation {
            UnwindOperation::Push(register) => registers.pop(register)?,
            UnwindOperation::Allocate(bytes) => registers.release(u64::from(bytes)),
            UnwindOperation::SetFrame => {
                let register = info.frame_register.ok_or(BAD_TABLE)?;
                let base = registers.get(register);
                registers.context.rsp = base.wrapping_sub(u64::from(info.frame_offset));
            }
            UnwindOperation::Save { register, offset } => {
                registers.load(register, frame.wrapping_add(u64::from(offset)))?;
            }
            UnwindOperation::SaveXmm { register, offset } => {
                registers.load_xmm(register, frame.wrapping_add(u64::from(offset)))?;
            }
            UnwindOperation::Epilog { .. } => {}
            UnwindOperation::MachineFrame { error_code } => {
                registers.return_from_interrupt(error_code)?;
                interrupted = true;
            }
        }
    }
    Ok(interrupted)
}
