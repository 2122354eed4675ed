//! Where the kernel enters a program by itself, on x86-64.

use stubs::Context;

/// Makes a context ask for all registers.
pub fn full(context: &mut Context) {
    context.context_flags = nt_abi::context::Amd64ContextFlags::ALL;
}

/// Makes a thread go on at another place, which is 64-bit code, as if that were called.
pub fn set_pc(context: &mut Context, pc: u64) {
    context.seg_cs = 0x33;
    context.rip = pc;
    context.rsp = (context.rsp & !0xF) - 0x28;
}

/// A function's first argument.
pub fn first_argument(context: &Context) -> u64 {
    context.rcx
}

/// Sets a function's first argument.
pub fn set_first_argument(context: &mut Context, value: u64) {
    context.rcx = value;
}

/// Where the kernel makes a thread run a user APC: the context to go on with is at the stack pointer, with the arguments
/// and the routine in its homes (`Amd64ApcFrame`).
// SAFETY: the kernel alone enters here, with the frame on the stack; the name is NT's.
#[unsafe(naked)]
// SAFETY: as above.
#[unsafe(no_mangle)]
unsafe extern "C" fn KiUserApcDispatcher() {
    core::arch::naked_asm!(
        "mov rcx, [rsp]",
        "mov rdx, [rsp + 0x08]",
        "mov r8, [rsp + 0x10]",
        "mov rax, [rsp + 0x18]",
        "mov r9, rsp",
        "sub rsp, 0x20",
        "call rax",
        "add rsp, 0x20",
        "mov rcx, rsp",
        "mov edx, 1",
        "sub rsp, 0x20",
        "call {go_on}",
        "int3",
        go_on = sym stubs::NtContinue,
    )
}

/// Where the kernel makes a thread look at its exception (`Amd64ExceptionFrame`).
// SAFETY: the kernel alone enters here, with the frame on the stack; the name is NT's.
#[unsafe(naked)]
// SAFETY: as above.
#[unsafe(no_mangle)]
unsafe extern "C" fn KiUserExceptionDispatcher() {
    core::arch::naked_asm!(
        "lea rcx, [rsp + 0x4F0]",
        "mov rdx, rsp",
        "sub rsp, 0x20",
        "call {handle}",
        "add rsp, 0x20",
        "test eax, eax",
        "jz 2f",
        "mov rcx, rsp",
        "xor edx, edx",
        "sub rsp, 0x20",
        "call {go_on}",
        "int3",
        "2: lea rcx, [rsp + 0x4F0]",
        "mov rdx, rsp",
        "xor r8d, r8d",
        "sub rsp, 0x20",
        "call {raise}",
        "int3",
        handle = sym crate::dispatchers::handle_exception,
        go_on = sym stubs::NtContinue,
        raise = sym stubs::NtRaiseException,
    )
}
