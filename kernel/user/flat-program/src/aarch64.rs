//! Where the kernel enters a program by itself, on ARM64.

use stubs::Context;

/// Makes a context ask for all registers.
pub fn full(context: &mut Context) {
    context.context_flags = nt_abi::context::Arm64ContextFlags::ALL;
}

/// Makes a thread go on at another place.
pub fn set_pc(context: &mut Context, pc: u64) {
    context.pc = pc;
}

/// A function's first argument.
pub fn first_argument(context: &Context) -> u64 {
    context.x[0]
}

/// Sets a function's first argument.
pub fn set_first_argument(context: &mut Context, value: u64) {
    context.x[0] = value;
}

/// Where the kernel makes a thread run a user APC: the routine and its arguments are at the stack pointer, then the
/// context to go on with (`Arm64ApcFrame`).
// SAFETY: the kernel alone enters here, with the frame on the stack; the name is NT's.
#[unsafe(naked)]
// SAFETY: as above.
#[unsafe(no_mangle)]
unsafe extern "C" fn KiUserApcDispatcher() {
    core::arch::naked_asm!(
        "ldp x16, x0, [sp]",
        "ldp x1, x2, [sp, #0x10]",
        "blr x16",
        "add x0, sp, #0x30",
        "ldr w1, [sp, #0x20]",
        "bl {go_on}",
        "brk #0xF000",
        go_on = sym stubs::NtContinue,
    )
}

/// Where the kernel makes a thread look at its exception (`Arm64ExceptionFrame`).
// SAFETY: the kernel alone enters here, with the frame on the stack; the name is NT's.
#[unsafe(naked)]
// SAFETY: as above.
#[unsafe(no_mangle)]
unsafe extern "C" fn KiUserExceptionDispatcher() {
    core::arch::naked_asm!(
        "add x0, sp, #0x3B0",
        "mov x1, sp",
        "bl {handle}",
        "cbz w0, 1f",
        "mov x0, sp",
        "mov w1, #0",
        "bl {go_on}",
        "brk #0xF000",
        "1: add x0, sp, #0x3B0",
        "mov x1, sp",
        "mov w2, #0",
        "bl {raise}",
        "brk #0xF000",
        handle = sym crate::dispatchers::handle_exception,
        go_on = sym stubs::NtContinue,
        raise = sym stubs::NtRaiseException,
    )
}
