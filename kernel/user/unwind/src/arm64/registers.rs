//! The registers that are being made those of the caller.

use nt_abi::NtResult;
use nt_abi::context::Arm64Context;
use nt_abi::exception::Arm64NonvolatileContextPointers;
use pe::unwind_arm64::RegisterKind;

use super::LR;
use crate::memory::{BAD_TABLE, Memory, pop};

/// The bits of an address; a signature is above them.
const ADDRESS_BITS: u64 = (1 << 48) - 1;
/// The bit that says which half of the address space it is, with a signature as without.
const HALF: u64 = 1 << 55;

/// A context, the memory that its registers are saved in, and where they were found.
pub(super) struct Registers<'m, 'c, M> {
    pub(super) memory: &'m M,
    pub(super) context: &'c mut Arm64Context,
    pub(super) saved: Option<&'c mut Arm64NonvolatileContextPointers>,
}

impl<M: Memory> Registers<'_, '_, M> {
    /// Gives back bytes of the stack.
    pub(super) fn release(&mut self, bytes: u64) {
        self.context.sp = self.context.sp.wrapping_add(bytes);
    }

    /// Takes a register from where it was saved, an offset from the stack pointer.
    pub(super) fn load(&mut self, kind: RegisterKind, register: u8, offset: u16) -> NtResult {
        self.load_at(
            kind,
            register,
            self.context.sp.wrapping_add(u64::from(offset)),
        )
    }

    /// Takes a register and the one behind it from where they were saved.
    pub(super) fn load_pair(&mut self, kind: RegisterKind, first: u8, offset: u16) -> NtResult {
        let size = if kind == RegisterKind::Quad { 16 } else { 8 };
        self.load(kind, first, offset)?;
        self.load(kind, first + 1, offset + size)
    }

    /// Takes a register from an address.
    pub(super) fn load_at(&mut self, kind: RegisterKind, register: u8, address: u64) -> NtResult {
        let number = usize::from(register);
        let low = pop(self.memory, address)?;
        if kind == RegisterKind::Integer {
            *self.context.x.get_mut(number).ok_or(BAD_TABLE)? = low;
        } else {
            let halves = self.context.v.get_mut(number).ok_or(BAD_TABLE)?;
            halves[0] = low;
            if kind == RegisterKind::Quad {
                halves[1] = pop(self.memory, address.wrapping_add(8))?;
            }
        }
        let Some(saved) = &mut self.saved else {
            return Ok(());
        };
        let place = match kind {
            RegisterKind::Integer => number
                .checked_sub(19)
                .and_then(|index| saved.integer.get_mut(index)),
            _ => number
                .checked_sub(8)
                .and_then(|index| saved.float.get_mut(index)),
        };
        if let Some(place) = place {
            *place = address;
        }
        Ok(())
    }

    /// Takes the signature off the link register, without checking it.
    pub(super) fn strip_signature(&mut self) {
        let lr = &mut self.context.x[usize::from(LR)];
        *lr = match *lr & HALF {
            0 => *lr & ADDRESS_BITS,
            _ => *lr | !ADDRESS_BITS,
        };
    }
}
