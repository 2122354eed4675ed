//! `CONTEXT` of x86-64, and the frames that hold it.
//!
//! A SYSCALL takes RCX and R11 for itself; a context that is saved in one has there what the processor put there. Selectors
//! other than the two of user code cannot be set. The bytes of x87 and SSE are those of FXSAVE, with which both the
//! context and the processor begin.
//!
//! Of the flags, what [`sanitised`] leaves; of MXCSR, what every processor has. A program counter or a stack pointer may
//! be anything: what is none is an exception in user mode.
//!
//! # Differs
//! Debug registers read as zero and cannot be set: no thread has breakpoints of the processor's yet. `CONTEXT_XSTATE` is
//! ignored: the upper halves of AVX's registers are in no context, so what an exception handler or an APC routine does to
//! them its thread keeps.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use nt_abi::context::{Amd64Context, Amd64ContextFlags, XmmSaveArea32};
use nt_abi::exception::{Amd64ApcFrame, Amd64ExceptionFrame, MachineFrame};
use nt_abi::w64::ExceptionRecord;
use zerocopy::{FromBytes, IntoBytes};

use super::Machine;
use super::descriptors::{USER_CODE_32, USER_CODE_64, USER_DATA};
use super::simd::{self, SimdState};
use super::user::{UserState, sanitised};
use super::user_entry::BY_SYSCALL;
use crate::contract::{Processor, UserCall, UserContext};

/// The bits of MXCSR that every x86-64 processor has; to load others is an exception of the kernel's.
const MXCSR_BITS: u32 = 0xFFFF;

const fn asks(flags: Amd64ContextFlags, group: Amd64ContextFlags) -> bool {
    flags.bits() & group.bits() == group.bits()
}

fn low_32(register: &AtomicU64) -> u32 {
    (register.load(Relaxed) & 0xFFFF_FFFF) as u32
}

fn low_16(register: &AtomicU64) -> u16 {
    (register.load(Relaxed) & 0xFFFF) as u16
}

impl UserContext for UserState {
    type Context = Amd64Context;
    type ExceptionFrame = Amd64ExceptionFrame;
    type ApcFrame = Amd64ApcFrame;

    const ALL: u32 = Amd64ContextFlags::ALL.bits();
    const RED_ZONE: u64 = 0;

    fn context_flags(context: &Amd64Context) -> u32 {
        context.context_flags.bits()
    }

    fn set_context_flags(context: &mut Amd64Context, flags: u32) {
        context.context_flags = Amd64ContextFlags::from_bits_retain(flags);
    }

    fn sets_result(context: &Amd64Context) -> bool {
        asks(context.context_flags, Amd64ContextFlags::INTEGER)
    }

    fn context_sp(context: &Amd64Context) -> u64 {
        context.rsp
    }

    fn fast_fail_code(&self) -> u64 {
        self.rcx.load(Relaxed)
    }

    fn debug_service_code(&self) -> u64 {
        self.rax.load(Relaxed)
    }

    fn save(&self, context: &mut Amd64Context) {
        let flags = context.context_flags;
        if asks(flags, Amd64ContextFlags::CONTROL) {
            context.rip = self.rip.load(Relaxed);
            context.rsp = self.rsp.load(Relaxed);
            context.e_flags = low_32(&self.rflags);
            context.seg_cs = low_16(&self.cs);
            context.seg_ss = low_16(&self.ss);
        }
        if asks(flags, Amd64ContextFlags::INTEGER) {
            for (into, register) in self.integer(context) {
                *into = register.load(Relaxed);
            }
            if self.vector.load(Relaxed) == BY_SYSCALL {
                context.rcx = self.rip.load(Relaxed);
                context.r11 = self.rflags.load(Relaxed);
            }
        }
        if asks(flags, Amd64ContextFlags::SEGMENTS) {
            context.seg_ds = USER_DATA;
            context.seg_es = USER_DATA;
            context.seg_fs = 0;
            context.seg_gs = USER_DATA;
        }
        if asks(flags, Amd64ContextFlags::FLOATING_POINT) {
            let state = self.own_simd();
            let legacy = state.legacy();
            if let Ok((area, _)) = XmmSaveArea32::read_from_prefix(legacy) {
                context.mx_csr = area.mx_csr;
                context.float_save = area;
            }
        }
        if asks(flags, Amd64ContextFlags::DEBUG_REGISTERS) {
            // None are in use.
            context.dr0 = 0;
            context.dr1 = 0;
            context.dr2 = 0;
            context.dr3 = 0;
            context.dr6 = 0;
            context.dr7 = 0;
        }
    }

    fn load(&self, context: &Amd64Context) {
        let flags = context.context_flags;
        self.return_by_iret();
        if asks(flags, Amd64ContextFlags::CONTROL) {
            self.rip.store(context.rip, Relaxed);
            self.rsp.store(context.rsp, Relaxed);
            self.rflags
                .store(sanitised(u64::from(context.e_flags)), Relaxed);
            let code = match context.seg_cs {
                USER_CODE_32 => USER_CODE_32,
                _ => USER_CODE_64,
            };
            self.cs.store(u64::from(code), Relaxed);
            self.ss.store(u64::from(USER_DATA), Relaxed);
        }
        if asks(flags, Amd64ContextFlags::INTEGER) {
            let mut copy = *context;
            for (value, register) in self.integer(&mut copy) {
                register.store(*value, Relaxed);
            }
        }
        if asks(flags, Amd64ContextFlags::FLOATING_POINT) {
            let mut area = context.float_save;
            area.mx_csr = context.mx_csr & MXCSR_BITS;
            let mut state = self.own_simd();
            state.set_legacy(area.as_bytes());
            self.set_own_simd(&state);
        }
    }

    fn exception_frame(context: &Amd64Context, record: &ExceptionRecord) -> Amd64ExceptionFrame {
        Amd64ExceptionFrame {
            context: *context,
            exception_record: *record,
            machine_frame: machine_frame(context),
            ..Amd64ExceptionFrame::default()
        }
    }

    fn apc_frame(context: &Amd64Context, call: &UserCall, _alertable: bool) -> Amd64ApcFrame {
        let mut context = *context;
        let [first, second, third] = call.arguments;
        context.p1_home = first;
        context.p2_home = second;
        context.p3_home = third;
        context.p4_home = call.routine;
        Amd64ApcFrame {
            machine_frame: machine_frame(&context),
            context,
            ..Amd64ApcFrame::default()
        }
    }
}

/// What an unwinder finds where the processor would have pushed it.
fn machine_frame(context: &Amd64Context) -> MachineFrame {
    MachineFrame {
        rip: context.rip,
        cs: u64::from(context.seg_cs),
        e_flags: u64::from(context.e_flags),
        rsp: context.rsp,
        ss: u64::from(context.seg_ss),
    }
}

impl UserState {
    /// The general registers but the stack pointer, each beside its place in a context.
    fn integer<'a>(&'a self, context: &'a mut Amd64Context) -> [(&'a mut u64, &'a AtomicU64); 15] {
        [
            (&mut context.rax, &self.rax),
            (&mut context.rbx, &self.rbx),
            (&mut context.rcx, &self.rcx),
            (&mut context.rdx, &self.rdx),
            (&mut context.rsi, &self.rsi),
            (&mut context.rdi, &self.rdi),
            (&mut context.rbp, &self.rbp),
            (&mut context.r8, &self.r8),
            (&mut context.r9, &self.r9),
            (&mut context.r10, &self.r10),
            (&mut context.r11, &self.r11),
            (&mut context.r12, &self.r12),
            (&mut context.r13, &self.r13),
            (&mut context.r14, &self.r14),
            (&mut context.r15, &self.r15),
        ]
    }

    /// The SIMD registers of the thread, which is the one that runs here; those of a new thread for any other.
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
