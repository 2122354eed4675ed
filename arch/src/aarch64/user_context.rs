//! `CONTEXT` of ARM64, and the frames that hold it.
//!
//! X18 is the TEB's and not a program's to set: NT keeps it whatever a context says. Of PSTATE, what [`sanitised`] leaves:
//! SS is among it, and stops the thread after its next instruction.
//!
//! # Differs
//! Breakpoints and watchpoints read as zero and cannot be set: no thread has any of the processor's yet.

use core::sync::atomic::Ordering::Relaxed;

use nt_abi::context::{Arm64Context, Arm64ContextFlags};
use nt_abi::exception::{Arm64ApcFrame, Arm64ExceptionFrame};
use nt_abi::w64::ExceptionRecord;

use super::Machine;
use super::simd::{self, SimdState};
use super::user::{SINGLE_STEP, UserState, sanitised};
use crate::contract::{Processor, UserCall, UserContext};

/// X18, which shows the TEB.
const PLATFORM: usize = 18;
/// The frame pointer and the link register, which belong to the control group.
const FRAME: usize = 29;

const fn asks(flags: Arm64ContextFlags, group: Arm64ContextFlags) -> bool {
    flags.bits() & group.bits() == group.bits()
}

impl UserContext for UserState {
    type Context = Arm64Context;
    type ExceptionFrame = Arm64ExceptionFrame;
    type ApcFrame = Arm64ApcFrame;

    const ALL: u32 = Arm64ContextFlags::ALL.bits();
    const RED_ZONE: u64 = 16;

    fn context_flags(context: &Arm64Context) -> u32 {
        context.context_flags.bits()
    }

    fn set_context_flags(context: &mut Arm64Context, flags: u32) {
        context.context_flags = Arm64ContextFlags::from_bits_retain(flags);
    }

    fn sets_result(context: &Arm64Context) -> bool {
        asks(context.context_flags, Arm64ContextFlags::INTEGER)
    }

    fn context_sp(context: &Arm64Context) -> u64 {
        context.sp
    }

    fn fast_fail_code(&self) -> u64 {
        self.x[0].load(Relaxed)
    }

    /// Of a machine that has no such exception.
    fn debug_service_code(&self) -> u64 {
        0
    }

    fn save(&self, context: &mut Arm64Context) {
        let flags = context.context_flags;
        for (index, register) in self.x.iter().enumerate() {
            let group = match index {
                PLATFORM => Arm64ContextFlags::X18,
                FRAME.. => Arm64ContextFlags::CONTROL,
                _ => Arm64ContextFlags::INTEGER,
            };
            if asks(flags, group) {
                context.x[index] = register.load(Relaxed);
            }
        }
        if asks(flags, Arm64ContextFlags::CONTROL) {
            context.sp = self.sp.load(Relaxed);
            context.pc = self.pc.load(Relaxed);
            context.cpsr = (self.pstate.load(Relaxed) & 0xFFFF_FFFF) as u32;
        }
        if asks(flags, Arm64ContextFlags::FLOATING_POINT) {
            let state = self.own_simd();
            for (into, from) in context.v.iter_mut().zip(&state.q) {
                let [low, high] = into;
                let bytes = from.to_le_bytes();
                let (low_bytes, high_bytes) = bytes.split_at(8);
                *low = low_bytes.try_into().map_or(0, u64::from_le_bytes);
                *high = high_bytes.try_into().map_or(0, u64::from_le_bytes);
            }
            context.fpcr = (state.fpcr & 0xFFFF_FFFF) as u32;
            context.fpsr = (state.fpsr & 0xFFFF_FFFF) as u32;
        }
        if asks(flags, Arm64ContextFlags::DEBUG_REGISTERS) {
            // None are in use.
            context.bcr = [0; 8];
            context.bvr = [0; 8];
            context.wcr = [0; 2];
            context.wvr = [0; 2];
        }
    }

    fn load(&self, context: &Arm64Context) {
        let flags = context.context_flags;
        for (index, register) in self.x.iter().enumerate() {
            let group = match index {
                PLATFORM => continue,
                FRAME.. => Arm64ContextFlags::CONTROL,
                _ => Arm64ContextFlags::INTEGER,
            };
            if asks(flags, group) {
                register.store(context.x[index], Relaxed);
            }
        }
        if asks(flags, Arm64ContextFlags::CONTROL) {
            self.sp.store(context.sp, Relaxed);
            self.pc.store(context.pc, Relaxed);
            let pstate = sanitised(u64::from(context.cpsr));
            self.pstate.store(pstate, Relaxed);
            self.set_stepping(pstate & SINGLE_STEP != 0);
        }
        if asks(flags, Arm64ContextFlags::FLOATING_POINT) {
            let mut state = SimdState::NEW;
            for (into, [low, high]) in state.q.iter_mut().zip(context.v) {
                *into = u128::from(high) << 64 | u128::from(low);
            }
            // Bits that a processor does not have are not written.
            state.fpcr = u64::from(context.fpcr);
            state.fpsr = u64::from(context.fpsr);
            self.set_own_simd(&state);
        }
    }

    fn exception_frame(context: &Arm64Context, record: &ExceptionRecord) -> Arm64ExceptionFrame {
        Arm64ExceptionFrame {
            context: *context,
            exception_record: *record,
            sp: context.sp,
            pc: context.pc,
            ..Arm64ExceptionFrame::default()
        }
    }

    fn apc_frame(context: &Arm64Context, call: &UserCall, alertable: bool) -> Arm64ApcFrame {
        Arm64ApcFrame {
            routine: call.routine,
            arguments: call.arguments,
            alertable: u64::from(alertable),
            context: *context,
            ..Arm64ApcFrame::default()
        }
    }
}

impl UserState {
    /// The SIMD registers of the thread, which is the one that runs here; zeros for any other.
    fn own_simd(&self) -> SimdState {
        let mut state = SimdState::NEW;
        let enabled = Machine::disable_interrupts();
        if self.runs_here() {
            simd::save(&mut state);
        }
        Machine::restore_interrupts(enabled);
        state
    }

    fn set_own_simd(&self, state: &SimdState) {
        let enabled = Machine::disable_interrupts();
        if self.runs_here() {
            simd::restore(state);
        }
        Machine::restore_interrupts(enabled);
    }
}
