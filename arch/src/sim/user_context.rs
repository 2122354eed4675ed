//! Contexts of the simulated machine: ARM64's, of whose registers it has the first eight, the stack pointer and the
//! program counter.

use core::sync::atomic::Ordering::Relaxed;

use nt_abi::context::{Arm64Context, Arm64ContextFlags};
use nt_abi::exception::{Arm64ApcFrame, Arm64ExceptionFrame};
use nt_abi::w64::ExceptionRecord;

use super::user::UserState;
use crate::contract::{UserCall, UserContext, UserState as _, VirtAddr};

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

    fn sets_result(_context: &Arm64Context) -> bool {
        true
    }

    fn context_sp(context: &Arm64Context) -> u64 {
        context.sp
    }

    fn fast_fail_code(&self) -> u64 {
        self.arguments[0].load(Relaxed)
    }

    fn debug_service_code(&self) -> u64 {
        0
    }

    fn save(&self, context: &mut Arm64Context) {
        for (into, register) in context.x.iter_mut().zip(&self.arguments) {
            *into = register.load(Relaxed);
        }
        context.sp = self.sp().0;
        context.pc = self.pc().0;
    }

    fn load(&self, context: &Arm64Context) {
        for (register, from) in self.arguments.iter().zip(&context.x) {
            register.store(*from, Relaxed);
        }
        self.set_sp(VirtAddr(context.sp));
        self.set_pc(VirtAddr(context.pc));
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
