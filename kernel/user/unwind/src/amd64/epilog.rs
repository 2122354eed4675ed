//! Epilogs on x64: whether control is in one, and the rest of it.
//!
//! An epilog has a fixed form: at most one instruction that gives back the stack (`add rsp, n`, or `lea rsp, [frame + n]`
//! with the frame register), any number of `pop`, and a return or a jump out of the function. Version 1 of the unwind data
//! looks at the instructions from where control is: if they are such a rest, they are an epilog, and doing them is all
//! there is to undo. Version 2 says where epilogs are; in them, only the pops and the return are left to do, in the order
//! of the prolog's pushes.

use pe::unwind_x64::{RuntimeFunction, UnwindInfo, UnwindOperation, UnwindTail};

use super::{BAD_TABLE, Frame, Functions, LONGEST_CHAIN, Memory, NtResult, Registers};

/// The most pops that an epilog has: there are no more registers.
const MOST_POPS: usize = 16;
/// The most bytes of an epilog: an instruction for the stack, the pops, and what leaves.
const LONGEST_EPILOG: usize = 8 + 2 * MOST_POPS + 6;

/// An instruction of an epilog.
#[derive(Clone, Copy)]
enum Step {
    /// `add rsp, n`
    Add(u64),
    /// `lea rsp, [frame + n]`
    Lea(u64),
    /// `pop`
    Pop(u8),
    /// A return, or a jump that leaves the function for certain.
    Leave,
    /// A jump to there, relative to the image.
    Jump(u32),
}

impl<M> Frame<'_, M>
where
    M: Memory + Functions<Function = RuntimeFunction>,
{
    /// Does the rest of an epilog, if control is in one.
    pub(super) fn undo_epilog(
        &self,
        info: &UnwindInfo<'_>,
        registers: &mut Registers<'_, '_, M>,
    ) -> NtResult<bool> {
        if info.version >= 2 {
            let Some(offset) = self.offset_in_epilog(info)? else {
                return Ok(false);
            };
            self.undo_listed_epilog(info, offset, registers)?;
            return Ok(true);
        }
        if !self.is_in_epilog(info) {
            return Ok(false);
        }
        let mut code = self.code();
        while let Some(step) = code.step(info.frame_register) {
            match step {
                Step::Add(bytes) => registers.release(bytes),
                Step::Lea(bytes) => {
                    let frame = info.frame_register.ok_or(BAD_TABLE)?;
                    registers.context.rsp = registers.get(frame).wrapping_add(bytes);
                }
                Step::Pop(register) => registers.pop(register)?,
                Step::Leave | Step::Jump(_) => break,
            }
        }
        registers.return_to_caller()?;
        Ok(true)
    }

    /// Whether the instructions from where control is are the rest of an epilog.
    fn is_in_epilog(&self, info: &UnwindInfo<'_>) -> bool {
        let mut code = self.code();
        loop {
            match code.step(info.frame_register) {
                None => return false,
                Some(Step::Leave) => return true,
                Some(Step::Jump(target)) => return self.leaves(info, target),
                Some(_) => {}
            }
        }
    }

    fn code(&self) -> Code<'_> {
        let tables = &self.tables;
        let address = tables.image_base.wrapping_add(u64::from(self.pc));
        // As many bytes as there are before the end of the image.
        let sizes = [LONGEST_EPILOG, 16, 8, 4, 2, 1];
        let read = |size: usize| tables.memory.bytes(address, size);
        Code {
            rest: sizes.into_iter().find_map(read).unwrap_or_default(),
            pc: self.pc,
            pops: 0,
            is_first: true,
        }
    }

    /// Whether a jump ends the function: one to another function does, and one to its own start, which is a call of it.
    fn leaves(&self, info: &UnwindInfo<'_>, target: u32) -> bool {
        let function = self.function;
        if (function.begin_rva..function.end_rva).contains(&target) {
            let is_first_part = !matches!(info.tail, UnwindTail::Chained(_));
            return target == function.begin_rva && is_first_part;
        }
        // It may go to another part of the same function.
        let address = self.tables.image_base.wrapping_add(u64::from(target));
        let Some(other) = self.tables.memory.find(address) else {
            return true;
        };
        if other.image_base != self.tables.image_base {
            return true;
        }
        let first_part = |part: RuntimeFunction| part.primary(&self.tables);
        match (first_part(function), first_part(other.function)) {
            (Ok(own), Ok(other)) if own.begin_rva == other.begin_rva => target == own.begin_rva,
            _ => true,
        }
    }

    /// How far control is in an epilog that the unwind data lists.
    fn offset_in_epilog(&self, info: &UnwindInfo<'_>) -> NtResult<Option<u32>> {
        let mut codes = info.codes.iter();
        let Some(first) = codes.next().transpose()? else {
            return Ok(None);
        };
        let UnwindOperation::Epilog {
            size_or_offset: size,
            info: at_end,
        } = first.operation
        else {
            return Ok(None);
        };
        let end = self.function.end_rva;
        let offset_from = |start: u32| {
            let offset = self.pc.wrapping_sub(start);
            (offset < u32::from(size)).then_some(offset)
        };
        if at_end & 1 != 0
            && let Some(offset) = offset_from(end.wrapping_sub(u32::from(size)))
        {
            return Ok(Some(offset));
        }
        for code in codes {
            let UnwindOperation::Epilog {
                size_or_offset: low,
                info: high,
            } = code?.operation
            else {
                break;
            };
            let from_end = u32::from(low) | u32::from(high) << 8;
            // The number of these codes is even; one that fills up is 0.
            if from_end == 0 {
                break;
            }
            if let Some(offset) = offset_from(end.wrapping_sub(from_end)) {
                return Ok(Some(offset));
            }
        }
        Ok(None)
    }

    /// Does the rest of an epilog of which `offset` bytes are done.
    fn undo_listed_epilog(
        &self,
        info: &UnwindInfo<'_>,
        offset: u32,
        registers: &mut Registers<'_, '_, M>,
    ) -> NtResult {
        let pushed = |operation| {
            matches!(
                operation,
                UnwindOperation::Push(_) | UnwindOperation::MachineFrame { .. }
            )
        };
        // All pushes are in one part of the function.
        let mut info = *info;
        for _ in 0..LONGEST_CHAIN {
            let mut has_pushes = false;
            for code in info.codes.iter() {
                has_pushes |= pushed(code?.operation);
            }
            match info.tail {
                UnwindTail::Chained(next) if !has_pushes => {
                    let next = next.resolve(&self.tables)?;
                    info = UnwindInfo::read(&self.tables, next.unwind_rva)?;
                }
                _ => break,
            }
        }
        let mut done = 0;
        let mut codes = info.codes.iter().skip_while(|code| {
            let operation = code.map(|code| code.operation);
            operation.is_ok_and(|operation| !pushed(operation))
        });
        while let Some(code) = codes.next().transpose()? {
            match code.operation {
                UnwindOperation::Push(register) => {
                    if done >= offset {
                        registers.pop(register)?;
                    }
                    // `pop` has one byte, and a prefix for r8 and on.
                    done += if register < 8 { 1 } else { 2 };
                }
                // The flags were pushed; a pop of a register that nobody keeps takes them off.
                UnwindOperation::Allocate(8) => {
                    if done >= offset {
                        registers.release(8);
                    }
                    done += 1;
                }
                UnwindOperation::MachineFrame { error_code } => {
                    return registers.return_from_interrupt(error_code);
                }
                _ => return Err(BAD_TABLE),
            }
        }
        registers.return_to_caller()
    }
}

/// Instructions, read one after the other as those of an epilog.
struct Code<'f> {
    rest: &'f [u8],
    /// Where that is.
    pc: u32,
    pops: usize,
    is_first: bool,
}

impl Code<'_> {
    /// A byte of the next instruction; 0, which begins none that is of interest, where nothing can be read.
    fn byte(&self, index: usize) -> u8 {
        self.rest.get(index).copied().unwrap_or_default()
    }

    fn bytes<const N: usize>(&self, index: usize) -> [u8; N] {
        let mut bytes = [0; N];
        for (byte, index) in bytes.iter_mut().zip(index..) {
            *byte = self.byte(index);
        }
        bytes
    }

    /// A signed number of one byte.
    fn near(&self, index: usize) -> i64 {
        i64::from(i8::from_le_bytes(self.bytes(index)))
    }

    /// A signed number of four bytes.
    fn far(&self, index: usize) -> i64 {
        i64::from(i32::from_le_bytes(self.bytes(index)))
    }

    fn skip(&mut self, length: u8) {
        self.rest = self.rest.get(usize::from(length)..).unwrap_or_default();
        self.pc = self.pc.wrapping_add(u32::from(length));
    }

    fn take(&mut self, length: u8, step: Step) -> Option<Step> {
        self.skip(length);
        Some(step)
    }

    /// The next instruction, if it can be one of an epilog.
    fn step(&mut self, frame_register: Option<u8>) -> Option<Step> {
        if core::mem::take(&mut self.is_first)
            && let Some((length, step)) = self.release(frame_register)
        {
            return self.take(length, step);
        }
        let [first, second]: [u8; 2] = self.bytes(0);
        let pop = match (first, second) {
            (0x58..=0x5F, _) => Some((1, first & 7)),
            (0x40..=0x4F, 0x58..=0x5F) => Some((2, (first & 1) << 3 | second & 7)),
            _ => None,
        };
        if let Some((length, register)) = pop {
            self.pops += 1;
            if self.pops > MOST_POPS {
                return None;
            }
            return self.take(length, Step::Pop(register));
        }
        self.leave()
    }

    /// The instruction that gives back the stack, and its length.
    fn release(&self, frame_register: Option<u8>) -> Option<(u8, Step)> {
        let [prefix, code, operand]: [u8; 3] = self.bytes(0);
        match (prefix, code, operand) {
            (0x48, 0x83, 0xC4) => Some((4, Step::Add(self.near(3).cast_unsigned()))),
            (0x48, 0x81, 0xC4) => Some((7, Step::Add(self.far(3).cast_unsigned()))),
            (0x48 | 0x49, 0x8D, _) => {
                let base = (prefix & 1) << 3 | operand & 7;
                if frame_register != Some(base) {
                    return None;
                }
                // r12 as a base needs one more byte.
                let more = u8::from(base == 12);
                let at = 3 + usize::from(more);
                if more != 0 && self.byte(3) != 0x24 {
                    return None;
                }
                match operand & 0xF8 {
                    0x60 => Some((4 + more, Step::Lea(self.near(at).cast_unsigned()))),
                    0xA0 => Some((7 + more, Step::Lea(self.far(at).cast_unsigned()))),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The instruction that ends an epilog.
    fn leave(&mut self) -> Option<Step> {
        // A prefix that says how far branches are checked changes nothing.
        if self.byte(0) == 0xF2 {
            self.skip(1);
        }
        let [first, second, third]: [u8; 3] = self.bytes(0);
        match (first, second, third) {
            (0xC2 | 0xC3, _, _) | (0xF3, 0xC3, _) => Some(Step::Leave),
            (0xEB, _, _) => Some(self.jump(2, self.near(1))),
            (0xE9, _, _) => Some(self.jump(5, self.far(1))),
            // jmp [rip + n], as to an import.
            (0xFF, 0x25, _) => Some(Step::Leave),
            // jmp through a register or memory: the prefix, which it does not need, marks that it leaves the function.
            (0x48..=0x4F, 0xFF, operand) if operand & 0x38 == 0x20 => Some(Step::Leave),
            _ => None,
        }
    }

    fn jump(&self, length: u32, distance: i64) -> Step {
        let from = i64::from(self.pc.wrapping_add(length));
        // A target outside of 32 bits is in no image; the largest number is in no function.
        let target = u32::try_from(from.wrapping_add(distance));
        Step::Jump(target.unwrap_or(u32::MAX))
    }
}
