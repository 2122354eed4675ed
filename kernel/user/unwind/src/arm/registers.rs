//! The registers that are being made those of the caller.

use core::mem::offset_of;

use nt_abi::NtResult;
use nt_abi::context::{ArmContext, ArmContextFlags};
use nt_abi::exception::ArmNonvolatileContextPointers;

use crate::memory::{BAD_STACK, BAD_TABLE, Memory};

/// The link register's bit among registers to pop.
const LR: u16 = 1 << 14;

/// Frames that no prolog made, by Microsoft's numbers.
mod frame {
    pub(super) const MACHINE: u8 = 1;
    pub(super) const CONTEXT: u8 = 2;
    pub(super) const RED_ZONE: u8 = 4;
}

/// A context, the memory that its registers are saved in, and where they were found.
pub(super) struct Registers<'m, 'c, M> {
    pub(super) memory: &'m M,
    pub(super) context: &'c mut ArmContext,
    pub(super) saved: Option<&'c mut ArmNonvolatileContextPointers>,
}

impl<M: Memory> Registers<'_, '_, M> {
    /// A register by its number.
    pub(super) fn get(&self, number: u8) -> NtResult<u32> {
        match number {
            13 => Ok(self.context.sp),
            14 => Ok(self.context.lr),
            _ => self
                .context
                .r
                .get(usize::from(number))
                .copied()
                .ok_or(BAD_TABLE),
        }
    }

    /// Gives back bytes of the stack.
    pub(super) fn release(&mut self, bytes: u32) {
        self.context.sp = self.context.sp.wrapping_add(bytes);
    }

    fn word(&self, address: u32) -> NtResult<u32> {
        self.memory.read32(u64::from(address)).ok_or(BAD_STACK)
    }

    fn two_words(&self, address: u32) -> NtResult<u64> {
        let high = u64::from(self.word(address.wrapping_add(4))?);
        Ok(high << 32 | u64::from(self.word(address)?))
    }

    fn load(&mut self, number: usize, address: u32) -> NtResult {
        let value = self.word(address)?;
        *self.context.r.get_mut(number).ok_or(BAD_TABLE)? = value;
        if let Some(saved) = &mut self.saved
            && let Some(place) = number
                .checked_sub(4)
                .and_then(|index| saved.integer.get_mut(index))
        {
            *place = address;
        }
        Ok(())
    }

    fn load_float(&mut self, number: usize, address: u32) -> NtResult {
        let value = self.two_words(address)?;
        *self.context.d.get_mut(number).ok_or(BAD_TABLE)? = value;
        if let Some(saved) = &mut self.saved
            && let Some(place) = number
                .checked_sub(8)
                .and_then(|index| saved.float.get_mut(index))
        {
            *place = address;
        }
        Ok(())
    }

    /// Takes the link register from the stack pointer, which stays.
    pub(super) fn load_lr(&mut self) -> NtResult {
        let sp = self.context.sp;
        self.context.lr = self.word(sp)?;
        if let Some(saved) = &mut self.saved {
            saved.lr = sp;
        }
        Ok(())
    }

    /// `pop {registers}`
    pub(super) fn pop(&mut self, registers: u16) -> NtResult {
        for number in 0..13 {
            if registers >> number & 1 != 0 {
                self.load(number, self.context.sp)?;
                self.release(4);
            }
        }
        if registers & LR != 0 {
            self.load_lr()?;
            self.release(4);
        }
        Ok(())
    }

    /// `vpop {first-last}`
    pub(super) fn pop_floats(&mut self, first: u8, last: u8) -> NtResult {
        if first > last {
            return Err(BAD_TABLE);
        }
        for number in first..=last {
            self.load_float(usize::from(number), self.context.sp)?;
            self.release(8);
        }
        Ok(())
    }

    /// A frame that no prolog made.
    pub(super) fn custom(&mut self, number: u8) -> NtResult {
        let sp = self.context.sp;
        match number {
            frame::MACHINE => {
                let pc = self.word(sp.wrapping_add(4))?;
                (self.context.sp, self.context.pc) = (self.word(sp)?, pc);
                self.context.context_flags &= !ArmContextFlags::UNWOUND_TO_CALL;
                Ok(())
            }
            frame::CONTEXT => self.whole_context(sp),
            frame::RED_ZONE => {
                self.context.pc = self.context.lr;
                self.context.lr = self.word(sp.wrapping_sub(8))?;
                Ok(())
            }
            _ => Err(BAD_TABLE),
        }
    }

    /// A whole context is at an address.
    fn whole_context(&mut self, frame: u32) -> NtResult {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "offsets in a context are small"
        )]
        let at = |offset: usize| frame.wrapping_add(offset as u32);
        for number in 0..13 {
            self.load(number, at(offset_of!(ArmContext, r) + number * 4))?;
        }
        for number in 0..32 {
            self.load_float(number, at(offset_of!(ArmContext, d) + number * 8))?;
        }
        let flags = ArmContextFlags(self.word(at(offset_of!(ArmContext, context_flags)))?);
        let context = ArmContext {
            sp: self.word(at(offset_of!(ArmContext, sp)))?,
            lr: self.word(at(offset_of!(ArmContext, lr)))?,
            pc: self.word(at(offset_of!(ArmContext, pc)))?,
            cpsr: self.word(at(offset_of!(ArmContext, cpsr)))?,
            fpscr: self.word(at(offset_of!(ArmContext, fpscr)))?,
            ..*self.context
        };
        *self.context = context;
        // Whether the frame's thread is behind a call is what its context says.
        self.context.context_flags &= !ArmContextFlags::UNWOUND_TO_CALL;
        self.context.context_flags |= flags & ArmContextFlags::UNWOUND_TO_CALL;
        Ok(())
    }
}
