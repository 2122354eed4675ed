//! User APCs on ARM64.

use core::arch::naked_asm;

/// Where the kernel makes a thread run a user APC: the routine and its arguments are at the stack pointer, then the context
/// to go on with (`Arm64ApcFrame`).
///
/// # Safety
/// Only the kernel enters here: nothing else has made the frame.
///
/// # NT
/// `KiUserApcDispatcher`.
// SAFETY: the kernel alone enters here, with the frame on the stack. If the kernel refuses the context, which it made, the
// thread gets a breakpoint.
#[unsafe(naked)]
// SAFETY: the name is NT's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KiUserApcDispatcher() {
    naked_asm!(
        ".seh_proc KiUserApcDispatcher",
        ".seh_context",
        ".seh_stackalloc 0x30",
        ".seh_endprologue",
        "ldp x16, x0, [sp]",
        "ldp x1, x2, [sp, #0x10]",
        "add x3, sp, #0x30",
        "blr x16",
        "add x0, sp, #0x30",
        "ldr w1, [sp, #0x20]",
        "bl {go_on}",
        "brk #0xF000",
        ".seh_endproc",
        go_on = sym stubs::NtContinue,
    )
}
