//! User APCs on x64.

use core::arch::naked_asm;

/// Where the kernel makes a thread run a user APC: the context to go on with is at the stack pointer, with the arguments and
/// the routine in its homes (`Amd64ApcFrame`).
///
/// # Safety
/// Only the kernel enters here: nothing else has made the frame.
///
/// # NT
/// `KiUserApcDispatcher`.
// SAFETY: the kernel alone enters here, with the frame on the stack. The homes at the front of the context are the called
// functions' home area. If the kernel refuses the context, which it made, the thread gets a breakpoint.
#[unsafe(naked)]
// SAFETY: the name is NT's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KiUserApcDispatcher() {
    naked_asm!(
        ".seh_proc KiUserApcDispatcher",
        ".seh_pushframe",
        ".seh_stackalloc 0x4D0",
        ".seh_savereg rbx, 0x90",
        ".seh_savereg rbp, 0xA0",
        ".seh_savereg rsi, 0xA8",
        ".seh_savereg rdi, 0xB0",
        ".seh_savereg r12, 0xD8",
        ".seh_savereg r13, 0xE0",
        ".seh_savereg r14, 0xE8",
        ".seh_savereg r15, 0xF0",
        ".seh_savexmm xmm6, 0x200",
        ".seh_savexmm xmm7, 0x210",
        ".seh_savexmm xmm8, 0x220",
        ".seh_savexmm xmm9, 0x230",
        ".seh_savexmm xmm10, 0x240",
        ".seh_savexmm xmm11, 0x250",
        ".seh_savexmm xmm12, 0x260",
        ".seh_savexmm xmm13, 0x270",
        ".seh_savexmm xmm14, 0x280",
        ".seh_savexmm xmm15, 0x290",
        ".seh_endprologue",
        "mov rcx, [rsp]",
        "mov rdx, [rsp + 0x08]",
        "mov r8, [rsp + 0x10]",
        "mov rax, [rsp + 0x18]",
        "mov r9, rsp",
        "call rax",
        "mov rcx, rsp",
        "mov edx, 1",
        "call {go_on}",
        "int3",
        ".seh_endproc",
        go_on = sym stubs::NtContinue,
    )
}
