//! From one kernel stack to another, and the contract's `Threads`.
//!
//! A switch is a function call to both sides: what the calling convention lets a
//! function change is not kept. GS is the processor's and stays.

use core::arch::{asm, global_asm};
use core::sync::atomic::AtomicU64;

use super::user::UserState;
use super::{Machine, division, floating_point, general_protection, per_processor, user_copy};
use crate::contract::{Exception, ExceptionClass, Threads, UserExit, VirtAddr};
use crate::thread::{Context, arrive};

/// Words that a switch keeps on the stack: R15, R14, R13, R12, RBX, RBP, and where it goes on.
const SAVED_WORDS: usize = 7;

unsafe extern "C" {
    fn tarn_switch_stack(save: &AtomicU64, load: u64, carried: u64) -> u64;
    fn tarn_first_switch();
}

global_asm!(
    r#"
    .text
    .p2align 4
    .global tarn_switch_stack
tarn_switch_stack:                  # (save, load, carried) -> carried
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [rdi], rsp
    mov rsp, rsi
    mov rax, rdx
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

    # Where a fresh stack goes on, with RSP at its end: R12 is the argument that it was prepared with.
    .p2align 4
    .global tarn_first_switch
tarn_first_switch:
    mov rdi, rax
    mov rsi, r12
    xor ebp, ebp
    call {arrive}
    ud2
"#,
    arrive = sym arrive,
);

impl Threads for Machine {
    type UserState = UserState;

    unsafe fn prepare_stack(top: VirtAddr, argument: u64) -> u64 {
        let mut words = [0u64; SAVED_WORDS];
        words[3] = argument;
        words[6] = tarn_first_switch as *const () as usize as u64;
        let stack_pointer = top.0 - size_of_val(&words) as u64;
        // SAFETY: the caller gives a writable stack of at least a page that nobody uses.
        unsafe { (stack_pointer as *mut [u64; SAVED_WORDS]).write(words) };
        stack_pointer
    }

    unsafe fn switch_stack(save: &AtomicU64, load: u64, carried: u64) -> u64 {
        // SAFETY: the caller's promise is what the code above needs.
        unsafe { tarn_switch_stack(save, load, carried) }
    }

    #[inline]
    fn current_context() -> Option<&'static Context> {
        let context: *const Context;
        // SAFETY: GS shows this processor's block; a load of its own word.
        unsafe {
            asm!("mov {}, gs:[{}]", out(reg) context, const per_processor::CONTEXT_OFFSET, options(nostack, preserves_flags, readonly));
        }
        // SAFETY: null, or what `set_current_context` was given.
        unsafe { context.as_ref() }
    }

    fn set_current_context(context: &'static Context) {
        let address = core::ptr::from_ref(context).addr() as u64;
        per_processor::current()
            .context
            .store(address, core::sync::atomic::Ordering::Relaxed);
    }

    fn leave_user_state(from: &UserState) {
        from.leave();
    }

    fn enter_user_state(to: &UserState) {
        to.enter();
    }

    #[inline]
    unsafe fn run_user(state: &UserState) -> UserExit {
        // SAFETY: the caller's promise.
        unsafe { state.run() }
    }

    #[inline]
    fn examine(exception: Exception, user: &UserState) -> Exception {
        match exception.class {
            ExceptionClass::PrivilegedInstruction => general_protection::examine(exception, user),
            ExceptionClass::FloatingPoint(_) => floating_point::examine(exception, user),
            ExceptionClass::IntegerDivide => division::examine(exception, user),
            _ => exception,
        }
    }

    #[inline]
    fn begin_system_call() {
        // SAFETY: as in `restore_interrupts`.
        unsafe { asm!("sti # system call", options(nostack)) };
    }

    #[inline]
    unsafe fn copy_from_user(to: *mut u8, from: VirtAddr, length: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { user_copy::copy(to.addr() as u64, from.0, length) }
    }

    #[inline]
    unsafe fn copy_to_user(to: VirtAddr, from: *const u8, length: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { user_copy::copy(to.0, from.addr() as u64, length) }
    }

    #[inline]
    unsafe fn read_user_word(from: VirtAddr) -> Option<u64> {
        // SAFETY: the caller's promise.
        unsafe { user_copy::read_word(from) }
    }

    #[inline]
    unsafe fn write_user_word(to: VirtAddr, word: u64) -> bool {
        // SAFETY: the caller's promise.
        unsafe { user_copy::write_word(to, word) }
    }
}
