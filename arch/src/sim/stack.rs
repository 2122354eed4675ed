//! Stacks on the host: what strands run on.
//!
//! A strand is a line of execution with a stack of its own. All strands of a machine
//! take turns on the one host thread that powered it on, by a switch of ten
//! instructions like the real machines'. Host threads would do as well, but for
//! their end: a context that is left for good must vanish *without* running the
//! destructors of its frames, as it does on a real machine. A host thread can only
//! end by unwinding, which would lower levels and free locks that nobody frees on
//! a real machine. A stack that is merely not used any more has no such end.
//!
//! A stack comes from a pool and goes back to it. Its lowest page is no memory, so
//! that an overflow ends the test instead of changing a neighbour.

use std::alloc::{Layout, alloc};
use std::arch::naked_asm;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use crate::contract::PAGE_BYTES;

/// Bytes of a strand's stack. Only what is used becomes memory; code without optimisation uses much.
const STACK_BYTES: usize = 512 << 10;

/// A stack that nobody else has.
pub(super) struct Stack {
    base: *mut u8,
}

// SAFETY: the pointer is to memory that this value alone owns.
unsafe impl Send for Stack {}

static POOL: Mutex<Vec<Stack>> = Mutex::new(Vec::new());

impl Stack {
    /// One from the pool, or a new one.
    pub(super) fn take() -> Self {
        let pooled = POOL.lock().unwrap_or_else(PoisonError::into_inner).pop();
        pooled.unwrap_or_else(Self::new)
    }

    /// Puts it into the pool; what is on it is forgotten.
    pub(super) fn give_back(self) {
        POOL.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self);
    }

    fn new() -> Self {
        let layout = Layout::from_size_align(STACK_BYTES, PAGE_BYTES).expect("both are constants");
        // SAFETY: the layout has a size.
        let base = unsafe { alloc(layout) };
        assert!(!base.is_null(), "the host has no memory for a stack");
        guard(base);
        Self { base }
    }

    /// Lays it out so that the first switch to it enters `entry` with what was carried; gives the stack pointer.
    pub(super) fn lay_out(&self, entry: Entry) -> u64 {
        let mut words = [0u64; FRAME_WORDS];
        words[RETURN_WORD] = first as *const () as usize as u64;
        words[ENTRY_WORD] = entry as *const () as usize as u64;
        let top = self.base.wrapping_add(STACK_BYTES);
        let frame = top
            .wrapping_sub(size_of_val(&words))
            .cast::<[u64; FRAME_WORDS]>();
        // SAFETY: within the stack, aligned, and nothing runs on it.
        unsafe { frame.write(words) };
        frame.addr() as u64
    }
}

/// Makes the lowest page of a stack no memory, where the host can.
fn guard(base: *mut u8) {
    #[cfg(unix)]
    {
        unsafe extern "C" {
            fn mprotect(address: *mut u8, length: usize, protection: i32) -> i32;
        }
        // SAFETY: a page of an allocation that is never freed, so nothing else will be in it.
        let failed = unsafe { mprotect(base, PAGE_BYTES, 0) };
        assert_eq!(failed, 0, "the host refused to guard a stack");
    }
    #[cfg(not(unix))]
    let _ = base;
}

/// Where a fresh strand goes on, with what the switch carried.
pub(super) type Entry = extern "C" fn(u64) -> !;

#[cfg(target_arch = "x86_64")]
mod host {
    pub(super) const FRAME_WORDS: usize = 8;
    pub(super) const ENTRY_WORD: usize = 4;
    pub(super) const RETURN_WORD: usize = 6;
}

#[cfg(target_arch = "aarch64")]
mod host {
    pub(super) const FRAME_WORDS: usize = 20;
    pub(super) const ENTRY_WORD: usize = 2;
    pub(super) const RETURN_WORD: usize = 1;
}

use host::{ENTRY_WORD, FRAME_WORDS, RETURN_WORD};

/// Saves what a called function must keep, stores the stack pointer to `save`, and goes on where `load` was stored.
/// Returns what the switch back carries.
///
/// # Safety
/// `save` is writable until the strand goes on; `load` is what `lay_out` gave or a switch stored, and its stack is alive and
/// nobody runs on it.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn switch(save: *const AtomicU64, load: u64, carried: u64) -> u64 {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "mov rax, rdx",
        "ret",
    )
}

/// Where a fresh stack goes on: RBX is the entry.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn first() {
    naked_asm!("mov rdi, rax", "sub rsp, 8", "call rbx", "ud2")
}

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn switch(save: *const AtomicU64, load: u64, carried: u64) -> u64 {
    naked_asm!(
        "stp x29, x30, [sp, #-160]!",
        "stp x19, x20, [sp, #16]",
        "stp x21, x22, [sp, #32]",
        "stp x23, x24, [sp, #48]",
        "stp x25, x26, [sp, #64]",
        "stp x27, x28, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "mov x3, sp",
        "str x3, [x0]",
        "mov sp, x1",
        "ldp x19, x20, [sp, #16]",
        "ldp x21, x22, [sp, #32]",
        "ldp x23, x24, [sp, #48]",
        "ldp x25, x26, [sp, #64]",
        "ldp x27, x28, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "ldp x29, x30, [sp], #160",
        "mov x0, x2",
        "ret",
    )
}

/// Where a fresh stack goes on: X19 is the entry.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn first() {
    naked_asm!("mov x29, xzr", "mov x30, xzr", "blr x19", "brk #1")
}
