//! The registers that are being made those of the caller.

use nt_abi::context::{Amd64Context, M128A};
use nt_abi::exception::Amd64NonvolatileContextPointers;

use super::{BAD_STACK, MACHINE_FRAME_RSP, Memory, NtResult, pop};

/// A context, the memory that its registers are saved in, and where they were found.
pub(super) struct Registers<'m, 'c, M> {
    pub(super) memory: &'m M,
    pub(super) context: &'c mut Amd64Context,
    pub(super) saved: Option<&'c mut Amd64NonvolatileContextPointers>,
}

impl<M: Memory> Registers<'_, '_, M> {
    /// A register by its number.
    pub(super) fn get(&self, number: u8) -> u64 {
        let context = &*self.context;
        match number & 0xF {
            0 => context.rax,
            1 => context.rcx,
            2 => context.rdx,
            3 => context.rbx,
            4 => context.rsp,
            5 => context.rbp,
            6 => context.rsi,
            7 => context.rdi,
            8 => context.r8,
            9 => context.r9,
            10 => context.r10,
            11 => context.r11,
            12 => context.r12,
            13 => context.r13,
            14 => context.r14,
            _ => context.r15,
        }
    }

    fn set(&mut self, number: u8, value: u64) {
        let context = &mut *self.context;
        let register = match number & 0xF {
            0 => &mut context.rax,
            1 => &mut context.rcx,
            2 => &mut context.rdx,
            3 => &mut context.rbx,
            4 => &mut context.rsp,
            5 => &mut context.rbp,
            6 => &mut context.rsi,
            7 => &mut context.rdi,
            8 => &mut context.r8,
            9 => &mut context.r9,
            10 => &mut context.r10,
            11 => &mut context.r11,
            12 => &mut context.r12,
            13 => &mut context.r13,
            14 => &mut context.r14,
            _ => &mut context.r15,
        };
        *register = value;
    }

    /// Takes a register from where it was saved.
    pub(super) fn load(&mut self, number: u8, address: u64) -> NtResult {
        let value = pop(self.memory, address)?;
        self.set(number, value);
        if let Some(saved) = &mut self.saved {
            saved.integer_context[usize::from(number & 0xF)] = address;
        }
        Ok(())
    }

    /// Takes an XMM register from where it was saved.
    pub(super) fn load_xmm(&mut self, number: u8, address: u64) -> NtResult {
        let number = usize::from(number & 0xF);
        let low = pop(self.memory, address)?;
        let high = pop(self.memory, address.wrapping_add(8))?.cast_signed();
        self.context.float_save.xmm_registers[number] = M128A { low, high };
        if let Some(saved) = &mut self.saved {
            saved.floating_context[number] = address;
        }
        Ok(())
    }

    /// `pop`
    pub(super) fn pop(&mut self, number: u8) -> NtResult {
        let from = self.context.rsp;
        self.release(8);
        self.load(number, from)
    }

    /// Gives back bytes of the stack.
    pub(super) fn release(&mut self, bytes: u64) {
        self.context.rsp = self.context.rsp.wrapping_add(bytes);
    }

    /// `ret`
    pub(super) fn return_to_caller(&mut self) -> NtResult {
        self.context.rip = pop(self.memory, self.context.rsp)?;
        self.release(8);
        Ok(())
    }

    /// `iretq`, as far as unwinding goes.
    pub(super) fn return_from_interrupt(&mut self, error_code: bool) -> NtResult {
        let frame = self
            .context
            .rsp
            .wrapping_add(if error_code { 8 } else { 0 });
        self.context.rip = pop(self.memory, frame)?;
        let rsp = self.memory.read(frame.wrapping_add(MACHINE_FRAME_RSP));
        self.context.rsp = rsp.ok_or(BAD_STACK)?;
        Ok(())
    }
}
