//! The floor's own instructions that may fault, and where they go on.
//!
//! Two instructions are executed to find out whether they work: the HLT of a
//! semihosting call, undefined where no host listens, and a load from memory that
//! the firmware claims is there. Each exists once, in a function of its own below,
//! so the trap handler knows them by address; a table would be a third place to
//! keep in step. A third function tells the handler nothing and is simply where a
//! checked load goes on after a fault.

use core::arch::global_asm;

use super::syndrome;
use super::trap::TrapFrame;
use crate::contract::{ExceptionClass, VirtAddr};

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
    .text
    "#
);

unsafe extern "C" {
    fn tarn_semihosting_call(operation: u64, argument: u64) -> u64;
    fn tarn_semihosting_hlt();
    fn tarn_semihosting_absent();
    fn tarn_checked_load(address: u64) -> u64;
    fn tarn_checked_load_word();
    fn tarn_checked_load_failed();
}

/// What a semihosting call returns where no host listens.
pub(super) const ABSENT: u64 = u64::MAX - 1;

fn address_of(symbol: unsafe extern "C" fn()) -> u64 {
    symbol as usize as u64
}

/// Makes one of the two instructions go on behind a fault that is expected of it.
pub(super) fn resume(frame: &mut TrapFrame) -> bool {
    let class = syndrome::class(frame.esr);
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
