//! From one kernel stack to another, and copies that may fault.
//!
//! A switch is a function call to both sides: what the procedure call standard lets
//! a function change is not kept. `x18` is the processor's and stays.

use core::arch::{asm, global_asm};
use core::mem::offset_of;
use core::sync::atomic::AtomicU64;

use super::per_processor::{self, PerProcessor};
use super::user::UserState;
use super::{Machine, fixup};
use crate::contract::{Threads, UserExit, VirtAddr};
use crate::thread::{Context, arrive};

/// Words that a switch keeps on the stack: x19 to x30.
const SAVED_WORDS: usize = 12;

unsafe extern "C" {
    fn tarn_switch_stack(save: &AtomicU64, load: u64, carried: u64) -> u64;
    fn tarn_first_switch();
}

global_asm!(
    r#"
    .text
    .balign 16
    .global tarn_switch_stack
tarn_switch_stack:                  // (save, load, carried) -> carried
    stp     x29, x30, [sp, #-96]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    mov     x3, sp
    str     x3, [x0]
    mov     sp, x1
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #96
    mov     x0, x2
    ret

    // Where a fresh stack goes on: x19 is the argument that it was prepared with.
    .global tarn_first_switch
tarn_first_switch:
    mov     x1, x19
    mov     x29, xzr
    mov     x30, xzr
    b       {arrive}
    "#,
    arrive = sym arrive,
);

impl Threads for Machine {
    type UserState = UserState;

    unsafe fn prepare_stack(top: VirtAddr, argument: u64) -> u64 {
        let mut words = [0u64; SAVED_WORDS];
        words[1] = tarn_first_switch as *const () as usize as u64;
        words[2] = argument;
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
        // SAFETY: x18 points to this processor's block; a load of its own word.
        unsafe {
            asm!("ldr {}, [x18, {}]", out(reg) context, const offset_of!(PerProcessor, context), options(nostack, readonly, preserves_flags));
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
    fn begin_system_call() {
        // SAFETY: as in `restore_interrupts`.
        unsafe {
            asm!(
                "msr daifclr, #7 // system call",
                options(nostack, preserves_flags)
            )
        };
    }

    #[inline]
    unsafe fn copy_from_user(to: *mut u8, from: VirtAddr, length: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { fixup::copy_from_user(to, from, length) }
    }

    #[inline]
    unsafe fn copy_to_user(to: VirtAddr, from: *const u8, length: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { fixup::copy_to_user(to, from, length) }
    }

    #[inline]
    unsafe fn read_user_word(from: VirtAddr) -> Option<u64> {
        // SAFETY: the caller's promise.
        unsafe { fixup::read_user_word(from) }
    }

    #[inline]
    unsafe fn write_user_word(to: VirtAddr, word: u64) -> bool {
        // SAFETY: the caller's promise.
        unsafe { fixup::write_user_word(to, word) }
    }
}
