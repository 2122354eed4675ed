//! Undoing one function on ARM32.
//!
//! As on ARM64, each instruction of a prolog or an epilog has one unwind code; but instructions have one or two halfwords, so
//! what is counted are bytes. An unwind code is the epilog's instruction, and undoing is to carry it out. The frame by
//! which handlers know a function is the stack pointer that it was called with.
//!
//! A packed entry's codes are written out ([`packed`]) and done alike. An epilog may be conditional: it is one only if the
//! flags say so when control is in it.
//!
//! The facts: Microsoft's "ARM exception handling", and for what it leaves open (the custom frames' numbers and lengths) the
//! unwinder that the .NET runtime shares with Windows.

mod packed;
mod registers;

use nt_abi::NtResult;
use nt_abi::context::{ArmContext, ArmContextFlags};
use nt_abi::exception::{ArmNonvolatileContextPointers, HandlerTypes};
use pe::unwind_arm::{Return, RuntimeFunction, UnwindCode, UnwindData, UnwindRecord};

use crate::memory::{BAD_TABLE, FunctionEntry, Handler, Memory, Tables, Unwound, relative};
use registers::Registers;

/// The condition of what is always done.
const ALWAYS: u8 = 0xE;

/// Undoes a function: makes of the registers in it those of its caller behind the call.
///
/// `function` is where control left; `None` is a leaf, which has changed neither the stack nor the link register. `wanted`
/// are the kinds of handlers that are of interest; a function has one handler for all kinds. `saved` gets where each
/// register was found, if it was on the stack. The program counter has the bit of Thumb code afterwards, as the link
/// register has it.
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
/// The codes for trap frames, which only Windows' kernel uses, are errors.
pub fn virtual_unwind<M: Memory>(
    memory: &M,
    wanted: HandlerTypes,
    function: Option<&FunctionEntry<RuntimeFunction>>,
    control_pc: u64,
    context: &mut ArmContext,
    saved: Option<&mut ArmNonvolatileContextPointers>,
) -> NtResult<Unwound> {
    let Some(entry) = function else {
        if control_pc == u64::from(context.lr) {
            return Err(BAD_TABLE);
        }
        context.pc = context.lr;
        context.context_flags |= ArmContextFlags::UNWOUND_TO_CALL;
        return Ok(Unwound {
            establisher_frame: u64::from(context.sp),
            handler: None,
        });
    };
    context.context_flags |= ArmContextFlags::UNWOUND_TO_CALL;
    let tables = Tables {
        memory,
        image_base: entry.image_base,
    };
    let pc = relative(control_pc, entry.image_base);
    let offset = pc.wrapping_sub(entry.function.begin_rva) & !1;
    let cpsr = context.cpsr;
    let mut undo = Undo {
        registers: Registers {
            memory,
            context,
            saved,
        },
        resumes_elsewhere: false,
    };
    let handler = match entry.function.unwind {
        UnwindData::Packed(packed) => {
            let (prolog, epilog) = packed::codes(&packed);
            let prolog_size = match packed.fragment {
                true => 0,
                false => size(prolog.iter(), false),
            };
            let epilog_start = match packed.returns {
                Return::Elsewhere => u32::MAX,
                _ => packed.length.saturating_sub(size(epilog.iter(), true)),
            };
            if offset < prolog_size {
                undo.run(prolog.iter(), prolog_size - offset)?;
            } else if offset >= epilog_start {
                undo.run(epilog.iter(), offset - epilog_start)?;
            } else {
                undo.run(prolog.iter(), 0)?;
            }
            None
        }
        UnwindData::Record(rva) => undo.record(&UnwindRecord::read(&tables, rva)?, offset, cpsr)?,
    };
    if !undo.resumes_elsewhere {
        context.pc = context.lr;
    }
    let asked_for = wanted.intersects(HandlerTypes::EHANDLER | HandlerTypes::UHANDLER);
    Ok(Unwound {
        establisher_frame: u64::from(context.sp),
        handler: handler.filter(|_| asked_for),
    })
}

/// Bytes of the instructions that codes stand for, with the end's if it is an epilog. What is damaged counts for nothing
/// here: doing it is an error.
fn size(codes: impl Iterator<Item = NtResult<UnwindCode>>, is_epilog: bool) -> u32 {
    let bytes = codes.map_while(Result::ok).map(|code| match code {
        UnwindCode::End(halfwords) if is_epilog => u32::from(halfwords) * 2,
        code => code.instruction_bytes(),
    });
    bytes.sum()
}

/// Whether a condition holds under flags.
fn holds(condition: u8, cpsr: u32) -> bool {
    let flag = |bit: u32| cpsr >> bit & 1 != 0;
    let (n, z, c, v) = (flag(31), flag(30), flag(29), flag(28));
    let plain = match condition >> 1 {
        0 => z,
        1 => c,
        2 => n,
        3 => v,
        4 => c && !z,
        5 => n == v,
        6 => n == v && !z,
        _ => return condition == ALWAYS,
    };
    // Every second condition is the one before it, turned round.
    plain == (condition & 1 == 0)
}

/// A function that is being undone.
struct Undo<'m, 'c, M> {
    registers: Registers<'m, 'c, M>,
    /// A frame said where to go on.
    resumes_elsewhere: bool,
}

impl<M: Memory> Undo<'_, '_, M> {
    /// Undoes a function that has a record; gives its handler, if control was in its body.
    fn record(
        &mut self,
        record: &UnwindRecord<'_>,
        offset: u32,
        cpsr: u32,
    ) -> NtResult<Option<Handler>> {
        if offset >= record.function_length {
            return Err(BAD_TABLE);
        }
        let prolog_size = match record.fragment {
            true => 0,
            false => size(record.prolog(), false),
        };
        if offset < prolog_size {
            self.run(record.prolog(), prolog_size - offset)?;
            return Ok(None);
        }
        // No epilog is longer than that, so that mostly nothing needs to be counted.
        let most = u32::try_from(record.code_bytes()).map_err(|_| BAD_TABLE)? * 4;
        for epilog in record.epilogs() {
            let bytes = || record.epilog(epilog).map(|codes| size(codes, true));
            let start = match epilog.start {
                Some(start) => start,
                None => record.function_length.saturating_sub(bytes()?),
            };
            // They are in the order of addresses.
            if offset < start {
                break;
            }
            let done = offset - start;
            if done < most && done < bytes()? && holds(epilog.condition, cpsr) {
                self.run(record.epilog(epilog)?, done)?;
                return Ok(None);
            }
        }
        self.run(record.prolog(), 0)?;
        Ok(record.handler_rva.map(|rva| Handler {
            rva,
            data_rva: record.handler_data_rva,
        }))
    }

    /// Does codes, but for those of the first instructions, of so many bytes.
    fn run(&mut self, codes: impl Iterator<Item = NtResult<UnwindCode>>, skipped: u32) -> NtResult {
        let mut skipped = skipped;
        for code in codes {
            let code = code?;
            match code {
                UnwindCode::End(_) => break,
                _ if skipped > 0 => skipped = skipped.saturating_sub(code.instruction_bytes()),
                _ => self.code(code)?,
            }
        }
        Ok(())
    }

    /// Does one code.
    fn code(&mut self, code: UnwindCode) -> NtResult {
        let registers = &mut self.registers;
        match code {
            UnwindCode::Allocate { bytes, .. } => registers.release(bytes),
            UnwindCode::Pop {
                registers: which, ..
            } => registers.pop(which)?,
            UnwindCode::MoveSp(register) => registers.context.sp = registers.get(register)?,
            UnwindCode::PopFloats { first, last } => registers.pop_floats(first, last)?,
            UnwindCode::PopLr(bytes) => {
                registers.load_lr()?;
                registers.release(u32::from(bytes));
            }
            UnwindCode::Custom(number) => {
                self.resumes_elsewhere = true;
                registers.custom(number)?;
            }
            UnwindCode::Nop { .. } | UnwindCode::End(_) => {}
            UnwindCode::Reserved(_) => return Err(BAD_TABLE),
        }
        Ok(())
    }
}
