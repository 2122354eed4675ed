//! Frames that no prolog made: of interrupts, of the kernel's way into user mode, of emulated code.

use core::mem::offset_of;

use nt_abi::NtResult;
use nt_abi::context::{Amd64Context, Arm64Context, Arm64ContextFlags, XmmSaveArea32};
use pe::unwind_arm64::{RegisterKind, UnwindCode};

use super::{LR, Undo};
use crate::memory::{BAD_TABLE, Memory, pop};

/// Where an emulated x64 context keeps the registers of ARM64: of an emulated thread, each register of ARM64 that x64 code
/// can see is one of x64's.
const EMULATED: [(u8, usize); 23] = [
    (0, offset_of!(Amd64Context, rcx)),
    (1, offset_of!(Amd64Context, rdx)),
    (2, offset_of!(Amd64Context, r8)),
    (3, offset_of!(Amd64Context, r9)),
    (4, offset_of!(Amd64Context, r10)),
    (5, offset_of!(Amd64Context, r11)),
    (6, x87(1)),
    (7, x87(2)),
    (8, offset_of!(Amd64Context, rax)),
    (9, x87(3)),
    (10, x87(4)),
    (11, x87(5)),
    (12, x87(6)),
    (15, x87(7)),
    (19, offset_of!(Amd64Context, r12)),
    (20, offset_of!(Amd64Context, r13)),
    (21, offset_of!(Amd64Context, r14)),
    (22, offset_of!(Amd64Context, r15)),
    (25, offset_of!(Amd64Context, rsi)),
    (26, offset_of!(Amd64Context, rdi)),
    (27, offset_of!(Amd64Context, rbx)),
    (29, offset_of!(Amd64Context, rbp)),
    (30, x87(0)),
];
/// Where an x87 register is in an x64 context.
const fn x87(number: usize) -> usize {
    offset_of!(Amd64Context, float_save) + offset_of!(XmmSaveArea32, float_registers) + number * 16
}

impl<M: Memory> Undo<'_, '_, M> {
    /// Does the code of a frame that no prolog made.
    pub(super) fn custom(&mut self, code: UnwindCode) -> NtResult {
        self.resumes_elsewhere = true;
        let context = &mut *self.registers.context;
        match code {
            UnwindCode::MachineFrame => {
                let frame = context.sp;
                context.sp = pop(self.registers.memory, frame)?;
                context.pc = pop(self.registers.memory, frame.wrapping_add(8))?;
                context.context_flags &= !Arm64ContextFlags::UNWOUND_TO_CALL;
                Ok(())
            }
            UnwindCode::Context => self.context(),
            UnwindCode::EcContext => self.emulated_context(),
            UnwindCode::ClearUnwoundToCall => {
                context.context_flags &= !Arm64ContextFlags::UNWOUND_TO_CALL;
                context.pc = context.x[usize::from(LR)];
                Ok(())
            }
            _ => Err(BAD_TABLE),
        }
    }

    /// A whole context is at the stack pointer.
    fn context(&mut self) -> NtResult {
        let frame = self.registers.context.sp;
        let at = |offset: usize| frame.wrapping_add(offset as u64);
        let word = |offset: usize| pop(self.registers.memory, at(offset));
        let flags_and_cpsr = word(offset_of!(Arm64Context, context_flags))?;
        let control_and_status = word(offset_of!(Arm64Context, fpcr))?;
        let (sp, pc) = (
            word(offset_of!(Arm64Context, sp))?,
            word(offset_of!(Arm64Context, pc))?,
        );
        for register in 0..=LR {
            let offset = offset_of!(Arm64Context, x) + usize::from(register) * 8;
            self.registers
                .load_at(RegisterKind::Integer, register, at(offset))?;
        }
        for register in 0..32 {
            let offset = offset_of!(Arm64Context, v) + usize::from(register) * 16;
            self.registers
                .load_at(RegisterKind::Quad, register, at(offset))?;
        }
        let context = &mut *self.registers.context;
        (context.sp, context.pc) = (sp, pc);
        (context.fpcr, context.fpsr) = halves(control_and_status);
        let (flags, cpsr) = halves(flags_and_cpsr);
        context.cpsr = cpsr;
        self.take_flags(Arm64ContextFlags(flags));
        Ok(())
    }

    /// A context of x64 is at the stack pointer, with the registers that ARM64 code sees of it.
    fn emulated_context(&mut self) -> NtResult {
        let frame = self.registers.context.sp;
        let at = |offset: usize| frame.wrapping_add(offset as u64);
        let word = |offset: usize| pop(self.registers.memory, at(offset));
        let (flags, _) = halves(word(offset_of!(Amd64Context, context_flags))?);
        let (sp, pc) = (
            word(offset_of!(Amd64Context, rsp))?,
            word(offset_of!(Amd64Context, rip))?,
        );
        for (register, offset) in EMULATED {
            self.registers
                .load_at(RegisterKind::Integer, register, at(offset))?;
        }
        for register in 0..16 {
            let xmm =
                offset_of!(Amd64Context, float_save) + offset_of!(XmmSaveArea32, xmm_registers);
            let offset = xmm + usize::from(register) * 16;
            self.registers
                .load_at(RegisterKind::Quad, register, at(offset))?;
        }
        (self.registers.context.sp, self.registers.context.pc) = (sp, pc);
        self.take_flags(Arm64ContextFlags(flags));
        Ok(())
    }

    /// Whether the frame's thread is behind a call is what its context says; the bit is the same on every machine.
    fn take_flags(&mut self, flags: Arm64ContextFlags) {
        let context = &mut *self.registers.context;
        context.context_flags &= !Arm64ContextFlags::UNWOUND_TO_CALL;
        context.context_flags |= flags & Arm64ContextFlags::UNWOUND_TO_CALL;
    }
}

/// The lower and the upper half of what two neighbouring numbers of 32 bits are read as.
#[allow(clippy::cast_possible_truncation, reason = "halves are what is wanted")]
fn halves(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}
