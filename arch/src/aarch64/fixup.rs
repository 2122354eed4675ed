//! The floor's own instructions that may fault, and where they go on.
//!
//! Two instructions are executed to find out whether they work: the HLT of a
//! semihosting call, undefined where no host listens, and a load from memory that
//! the firmware claims is there. Each exists once, in a function of its own below,
//! so the trap handler knows them by address; a table would be a third place to
//! keep in step. The copies from and to user memory are one stretch of code: a fault
//! in it is the kernel's to resolve, and what it cannot resolve ends the copy.
//!
//! The copies use LDTR and STTR, which access memory as user mode would, whatever
//! PAN says: a page that user mode may not write is not written for it either.

use core::arch::global_asm;

use super::trap::TrapFrame;
use super::{Machine, syndrome};
use crate::contract::{ExceptionClass, Irql, Processor, VirtAddr};
use crate::memory::layout;

global_asm!(
    r#"
    .section .text.fixup, "ax"
    .global tarn_semihosting_call
tarn_semihosting_call:              // (operation, argument) -> result
    .global tarn_semihosting_hlt
tarn_semihosting_hlt:
    hlt     #0xf000
    ret
    .global tarn_semihosting_absent
tarn_semihosting_absent:
    mov     x0, #-2
    ret

    .global tarn_checked_load
tarn_checked_load:                  // (address) -> word, or -1 as 64 bits
    .global tarn_checked_load_word
tarn_checked_load_word:
    ldr     w0, [x0]
    ret
    .global tarn_checked_load_failed
tarn_checked_load_failed:
    mov     x0, #-1
    ret
    .global tarn_copy_from_user
tarn_copy_from_user:                // (to, from, length) -> 0 or -1
1:  subs    x2, x2, #8
    b.lo    2f
    ldtr    x3, [x1]
    add     x1, x1, #8
    str     x3, [x0], #8
    b       1b
2:  tbz     x2, #2, 3f              // x2 is the rest less 8: its low bits are the rest's
    ldtr    w3, [x1]
    add     x1, x1, #4
    str     w3, [x0], #4
3:  ands    x2, x2, #3
    b.eq    5f
4:  ldtrb   w3, [x1]
    add     x1, x1, #1
    strb    w3, [x0], #1
    subs    x2, x2, #1
    b.ne    4b
5:  mov     x0, #0
    ret

    .global tarn_copy_to_user
tarn_copy_to_user:                  // (to, from, length) -> 0 or -1
1:  subs    x2, x2, #8
    b.lo    2f
    ldr     x3, [x1], #8
    sttr    x3, [x0]
    add     x0, x0, #8
    b       1b
2:  tbz     x2, #2, 3f
    ldr     w3, [x1], #4
    sttr    w3, [x0]
    add     x0, x0, #4
3:  ands    x2, x2, #3
    b.eq    5f
4:  ldrb    w3, [x1], #1
    sttrb   w3, [x0]
    add     x0, x0, #1
    subs    x2, x2, #1
    b.ne    4b
5:  mov     x0, #0
    ret

    .global tarn_read_user_word
tarn_read_user_word:                // (from) -> word, 0 or -1
    ldtr    x0, [x0]
    mov     x1, #0
    ret

    .global tarn_write_user_word
tarn_write_user_word:               // (to, word) -> 0 or -1
    sttr    x1, [x0]
    mov     x0, #0
    ret

    .global tarn_user_copy_failed
tarn_user_copy_failed:              // what failed gives x0 or x1
    mov     x0, #-1
    mov     x1, #-1
    ret
    .text
    "#
);

/// What reading a word gives, in two registers.
#[repr(C)]
struct UserWord {
    word: u64,
    /// 0 if it could be read.
    failed: u64,
}

unsafe extern "C" {
    fn tarn_semihosting_call(operation: u64, argument: u64) -> u64;
    fn tarn_semihosting_hlt();
    fn tarn_semihosting_absent();
    fn tarn_checked_load(address: u64) -> u64;
    fn tarn_checked_load_word();
    fn tarn_checked_load_failed();
    fn tarn_copy_from_user(to: *mut u8, from: u64, length: usize) -> u64;
    fn tarn_copy_to_user(to: u64, from: *const u8, length: usize) -> u64;
    fn tarn_read_user_word(from: u64) -> UserWord;
    fn tarn_write_user_word(to: u64, word: u64) -> u64;
    fn tarn_user_copy_failed();
}

/// What a semihosting call returns where no host listens.
pub(super) const ABSENT: u64 = u64::MAX - 1;

fn address_of(symbol: unsafe extern "C" fn()) -> u64 {
    symbol as usize as u64
}

/// Makes one of these instructions go on after a fault that is expected of it.
pub(super) fn resume(frame: &mut TrapFrame) -> bool {
    let class = syndrome::class(frame.esr);
    let copies =
        tarn_copy_from_user as *const () as usize as u64..address_of(tarn_user_copy_failed);
    if copies.contains(&frame.elr) {
        return resume_copy(frame, class);
    }
    let behind = if frame.elr == address_of(tarn_semihosting_hlt)
        && class == ExceptionClass::IllegalInstruction
    {
        address_of(tarn_semihosting_absent)
    } else if frame.elr == address_of(tarn_checked_load_word) {
        address_of(tarn_checked_load_failed)
    } else {
        return false;
    };
    frame.elr = behind;
    true
}

/// A copy met a fault: on its user side the kernel may resolve it; then the access is made again. A fault on the kernel's
/// side is a fault like any other, and so is each one from Dispatch on, where nothing can wait for a page.
fn resume_copy(frame: &mut TrapFrame, class: ExceptionClass) -> bool {
    let address = VirtAddr(frame.far);
    if address >= layout::PHYSICAL_MAP || !syndrome::has_address(frame.esr) {
        return false;
    }
    if Machine::irql() >= Irql::Dispatch {
        return false;
    }
    let resolved = match (class, crate::kernel()) {
        (ExceptionClass::PageFault { access, .. }, Some(kernel)) => {
            Machine::restore_interrupts(frame.interrupts_enabled());
            let resolved = kernel.user_page_fault(address, access);
            Machine::disable_interrupts();
            resolved
        }
        _ => false,
    };
    if !resolved {
        frame.elr = address_of(tarn_user_copy_failed);
    }
    true
}

/// See `Threads::copy_from_user`.
///
/// # Safety
/// As there.
#[inline]
pub(super) unsafe fn copy_from_user(to: *mut u8, from: VirtAddr, length: usize) -> bool {
    // SAFETY: the caller's promise; what faults on the user side ends the copy.
    unsafe { tarn_copy_from_user(to, from.0, length) == 0 }
}

/// See `Threads::copy_to_user`.
///
/// # Safety
/// As there.
#[inline]
pub(super) unsafe fn copy_to_user(to: VirtAddr, from: *const u8, length: usize) -> bool {
    // SAFETY: as above.
    unsafe { tarn_copy_to_user(to.0, from, length) == 0 }
}

/// See `Threads::read_user_word`.
///
/// # Safety
/// As there.
#[inline]
pub(super) unsafe fn read_user_word(from: VirtAddr) -> Option<u64> {
    // SAFETY: the caller's promise; a fault ends it.
    let read = unsafe { tarn_read_user_word(from.0) };
    (read.failed == 0).then_some(read.word)
}

/// See `Threads::write_user_word`.
///
/// # Safety
/// As there.
#[inline]
pub(super) unsafe fn write_user_word(to: VirtAddr, word: u64) -> bool {
    // SAFETY: as above.
    unsafe { tarn_write_user_word(to.0, word) == 0 }
}

/// Calls the host; [`ABSENT`] if there is none.
///
/// # Safety
/// `argument` is what the operation wants, as the semihosting specification says.
pub(super) unsafe fn semihosting_call(operation: u64, argument: u64) -> u64 {
    // SAFETY: the vectors are installed and resume behind the HLT; the rest is the caller's promise.
    unsafe { tarn_semihosting_call(operation, argument) }
}

/// The word at a mapped address, or `None` if the bus refuses it.
///
/// # Safety
/// Whatever is mapped there may be read without effect, and the address is a multiple of four.
pub(super) unsafe fn checked_load(address: VirtAddr) -> Option<u32> {
    // SAFETY: the vectors are installed and resume behind the load; the rest is the caller's promise.
    u32::try_from(unsafe { tarn_checked_load(address.0) }).ok()
}
