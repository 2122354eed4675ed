//! Undoing one function on ARM64.
//!
//! Each instruction of a prolog or an epilog has one unwind code, so counting codes is counting instructions, and no
//! instruction needs to be looked at. A prolog's codes begin with its last step: in the body all are done, at an
//! instruction of the prolog those of the instructions before it, that is all but the first few. An epilog's codes are
//! in its own order: at one of its instructions the codes from there on are done.
//!
//! A packed entry is a short way to write codes of the usual form; they are written out ([`packed`]) and done alike.
//!
//! When all is undone, the link register is what the function was called with, so it is the caller's program counter; only
//! frames that the kernel or an interrupt made say themselves where to go on. The frame by which handlers know a function
//! is the stack pointer that it was called with.
//!
//! The facts: Microsoft's "ARM64 exception handling", and for what it leaves open (how many instructions a code of a
//! custom frame counts, what is an error) the unwinder that the .NET runtime shares with Windows.

mod custom;
mod packed;
mod registers;

use nt_abi::NtResult;
use nt_abi::context::{Arm64Context, Arm64ContextFlags};
use nt_abi::exception::{Arm64NonvolatileContextPointers, HandlerTypes};
use pe::unwind_arm64::{
    Epilog, Epilogs, Packed, RegisterKind, RuntimeFunction, UnwindCode, UnwindData, UnwindRecord,
};

use crate::memory::{BAD_TABLE, FunctionEntry, Handler, Memory, Tables, Unwound, relative};
use registers::Registers;

/// Bytes of an instruction.
const INSTRUCTION: u32 = 4;
/// The number of the frame pointer.
const FP: u8 = 29;
/// The number of the link register.
const LR: u8 = 30;

/// Undoes a function: makes of the registers in it those of its caller behind the call.
///
/// `function` is where control left; `None` is a leaf, which has changed neither the stack nor the link register. `wanted`
/// are the kinds of handlers that are of interest; a function has one handler for all kinds. `saved` gets where each
/// register was found, if it was on the stack.
///
/// # NT
/// `RtlVirtualUnwind`.
///
/// # Errors
/// The context is then of no use.
/// - `BAD_FUNCTION_TABLE`: the unwind data makes no sense, or a leaf would return to itself.
/// - `BAD_STACK`: the stack cannot be read where a register should be.
///
/// # Differs
/// The code for a trap frame, which only Windows' kernel uses, is an error.
pub fn virtual_unwind<M: Memory>(
    memory: &M,
    wanted: HandlerTypes,
    function: Option<&FunctionEntry<RuntimeFunction>>,
    control_pc: u64,
    context: &mut Arm64Context,
    saved: Option<&mut Arm64NonvolatileContextPointers>,
) -> NtResult<Unwound> {
    let Some(entry) = function else {
        return leaf(control_pc, context);
    };
    context.context_flags |= Arm64ContextFlags::UNWOUND_TO_CALL;
    let tables = Tables {
        memory,
        image_base: entry.image_base,
    };
    let pc = relative(control_pc, entry.image_base);
    let index = pc.wrapping_sub(entry.function.begin_rva) / INSTRUCTION;
    let mut undo = Undo {
        registers: Registers {
            memory,
            context,
            saved,
        },
        more_pairs: 0,
        resumes_elsewhere: false,
    };
    let handler = match entry.function.unwind {
        UnwindData::Packed(packed) => {
            undo.packed(&packed, index)?;
            None
        }
        UnwindData::Record(rva) => undo.record(&UnwindRecord::read(&tables, rva)?, index)?,
    };
    if !undo.resumes_elsewhere {
        context.pc = context.x[usize::from(LR)];
    }
    let asked_for = wanted.intersects(HandlerTypes::EHANDLER | HandlerTypes::UHANDLER);
    Ok(Unwound {
        establisher_frame: context.sp,
        handler: handler.filter(|_| asked_for),
    })
}

/// A function without unwind data: it has not touched what a caller keeps.
fn leaf(control_pc: u64, context: &mut Arm64Context) -> NtResult<Unwound> {
    let return_address = context.x[usize::from(LR)];
    // It cannot have been called from itself without having saved the link register.
    if control_pc == return_address {
        return Err(BAD_TABLE);
    }
    context.pc = return_address;
    context.context_flags |= Arm64ContextFlags::UNWOUND_TO_CALL;
    Ok(Unwound {
        establisher_frame: context.sp,
        handler: None,
    })
}

/// Where control left a function.
enum Place {
    /// In the prolog, with that many instructions left.
    Prolog(u32),
    /// In neither.
    Body,
    /// In an epilog, with that many instructions done.
    Epilog(u32),
}

/// How many instructions a code stands for.
fn instructions_of(code: UnwindCode) -> u32 {
    match code {
        // A custom frame was made by somebody else; the end is the return.
        UnwindCode::TrapFrame
        | UnwindCode::MachineFrame
        | UnwindCode::Context
        | UnwindCode::EcContext
        | UnwindCode::ClearUnwoundToCall
        | UnwindCode::End
        | UnwindCode::EndChained
        | UnwindCode::Reserved(..0xF8) => 0,
        _ => 1,
    }
}

/// How many instructions codes stand for, up to the end of the piece of the function that they begin with. What is damaged
/// counts for nothing here: doing it is an error.
fn instructions(codes: impl Iterator<Item = NtResult<UnwindCode>>) -> u32 {
    codes
        .map_while(Result::ok)
        .take_while(|code| !matches!(code, UnwindCode::End | UnwindCode::EndChained))
        .map(instructions_of)
        .sum()
}

/// A function that is being undone.
struct Undo<'m, 'c, M> {
    registers: Registers<'m, 'c, M>,
    /// Pairs of registers that follow the next pair that is saved.
    more_pairs: u8,
    /// A frame said where to go on.
    resumes_elsewhere: bool,
}

impl<M: Memory> Undo<'_, '_, M> {
    /// Undoes a function of the usual form. Its one epilog is at its end; a fragment has neither prolog nor epilog.
    fn packed(&mut self, packed: &Packed, index: u32) -> NtResult {
        let codes = packed::Codes::of(packed)?;
        if packed.fragment {
            return self.run(codes.prolog(), 0);
        }
        let prolog = instructions(codes.prolog());
        if index < prolog {
            return self.run(codes.prolog(), prolog - index);
        }
        // The return has no code but the end.
        let length = packed.length / INSTRUCTION;
        let epilog = length.saturating_sub(instructions(codes.epilog()) + 1);
        if index >= epilog {
            return self.run(codes.epilog(), index - epilog);
        }
        self.run(codes.prolog(), 0)
    }

    /// Undoes a function that has a record; gives its handler, if control was in its body.
    fn record(&mut self, record: &UnwindRecord<'_>, index: u32) -> NtResult<Option<Handler>> {
        match place_in_record(record, index)? {
            (Place::Prolog(left), _) => self.run(record.prolog(), left)?,
            (Place::Epilog(done), Some(epilog)) => self.run(record.epilog(epilog)?, done)?,
            _ => {
                self.run(record.prolog(), 0)?;
                return Ok(record.handler_rva.map(|rva| Handler {
                    rva,
                    data_rva: record.handler_data_rva,
                }));
            }
        }
        Ok(None)
    }

    /// Does codes, but for those of the first instructions.
    fn run(
        &mut self,
        mut codes: impl Iterator<Item = NtResult<UnwindCode>>,
        skipped: u32,
    ) -> NtResult {
        let mut skipped = skipped;
        while let Some(code) = codes.next().transpose()? {
            match code {
                UnwindCode::End => break,
                UnwindCode::EndChained => skipped = 0,
                _ if skipped > 0 => skipped = skipped.saturating_sub(instructions_of(code)),
                _ => self.code(code)?,
            }
        }
        match self.more_pairs {
            0 => Ok(()),
            _ => Err(BAD_TABLE),
        }
    }

    /// Does one code.
    fn code(&mut self, code: UnwindCode) -> NtResult {
        use RegisterKind::{Double, Integer};
        match code {
            UnwindCode::SaveNext => {
                // No more than there are registers.
                self.more_pairs = self
                    .more_pairs
                    .checked_add(1)
                    .filter(|count| *count < 16)
                    .ok_or(BAD_TABLE)?;
                return Ok(());
            }
            UnwindCode::SaveR19R20Pre(size) => return self.pairs(Integer, 19, 0, size),
            UnwindCode::SavePair(at) => return self.pairs(Integer, at.register, at.offset, 0),
            UnwindCode::SavePairPre(at) => return self.pairs(Integer, at.register, 0, at.offset),
            UnwindCode::SaveFloatPair(at) => return self.pairs(Double, at.register, at.offset, 0),
            UnwindCode::SaveFloatPairPre(at) => {
                return self.pairs(Double, at.register, 0, at.offset);
            }
            UnwindCode::SaveAny {
                kind,
                register,
                pair: true,
                moves_stack,
                offset,
            } => {
                return match moves_stack {
                    true => self.pairs(kind, register, 0, offset),
                    false => self.pairs(kind, register, offset, 0),
                };
            }
            _ => {}
        }
        // What follows is no pair.
        if self.more_pairs != 0 {
            return Err(BAD_TABLE);
        }
        let registers = &mut self.registers;
        match code {
            UnwindCode::Allocate(bytes) => registers.release(u64::from(bytes)),
            UnwindCode::SaveFpLr(offset) => registers.load_pair(Integer, FP, offset)?,
            UnwindCode::SaveFpLrPre(size) => {
                registers.load_pair(Integer, FP, 0)?;
                registers.release(u64::from(size));
            }
            UnwindCode::Save(at) => registers.load(Integer, at.register, at.offset)?,
            UnwindCode::SavePre(at) => {
                registers.load(Integer, at.register, 0)?;
                registers.release(u64::from(at.offset));
            }
            UnwindCode::SaveLrPair(at) => {
                registers.load(Integer, at.register, at.offset)?;
                registers.load(Integer, LR, at.offset + 8)?;
            }
            UnwindCode::SaveFloat(at) => registers.load(Double, at.register, at.offset)?,
            UnwindCode::SaveFloatPre(at) => {
                registers.load(Double, at.register, 0)?;
                registers.release(u64::from(at.offset));
            }
            UnwindCode::SaveAny {
                kind,
                register,
                moves_stack,
                offset,
                ..
            } => {
                registers.load(kind, register, if moves_stack { 0 } else { offset })?;
                registers.release(if moves_stack { u64::from(offset) } else { 0 });
            }
            UnwindCode::SetFrame => registers.context.sp = registers.context.x[usize::from(FP)],
            UnwindCode::AddFrame(offset) => {
                let frame = registers.context.x[usize::from(FP)];
                registers.context.sp = frame.wrapping_sub(u64::from(offset));
            }
            UnwindCode::SignLr => registers.strip_signature(),
            UnwindCode::Nop | UnwindCode::Reserved(0xF8..) => {}
            _ => return self.custom(code),
        }
        Ok(())
    }

    /// Takes pairs of registers from where they were saved, one above the other, and gives back bytes of the stack.
    fn pairs(&mut self, kind: RegisterKind, first: u8, offset: u16, release: u16) -> NtResult {
        let (mut kind, mut register, mut offset) = (kind, first, offset);
        let pair_bytes = if kind == RegisterKind::Quad { 32 } else { 16 };
        for _ in 0..=core::mem::take(&mut self.more_pairs) {
            self.registers.load_pair(kind, register, offset)?;
            register += 2;
            offset += pair_bytes;
            // The pair behind the last one of integer registers is the first one of float registers.
            if kind == RegisterKind::Integer && register == FP {
                (kind, register) = (RegisterKind::Double, 8);
            }
        }
        self.registers.release(u64::from(release));
        Ok(())
    }
}

/// Where an instruction is in a function with a record, and in which epilog.
fn place_in_record(record: &UnwindRecord<'_>, index: u32) -> NtResult<(Place, Option<Epilog>)> {
    // A code has at least one byte, so no prolog or epilog has more instructions than there are bytes: mostly nothing
    // needs to be counted.
    let most = u32::try_from(record.code_bytes()).map_err(|_| BAD_TABLE)?;
    if index < most {
        let prolog = instructions(record.prolog());
        if index < prolog {
            return Ok((Place::Prolog(prolog - index), None));
        }
    }
    let length = record.function_length / INSTRUCTION;
    for epilog in record.epilogs.iter() {
        let size = || record.epilog(epilog).map(|codes| instructions(codes) + 1);
        let start = match (record.epilogs, epilog.start) {
            (Epilogs::Scopes(_), Some(start)) => start / INSTRUCTION,
            _ if index.saturating_add(most).saturating_add(1) < length => break,
            _ => length.wrapping_sub(size()?),
        };
        // They are in the order of addresses.
        if index < start {
            break;
        }
        if index - start <= most && index - start < size()? {
            return Ok((Place::Epilog(index - start), Some(epilog)));
        }
    }
    Ok((Place::Body, None))
}
