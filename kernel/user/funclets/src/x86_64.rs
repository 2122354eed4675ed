//! Funclets and jumps on x64.

use core::arch::naked_asm;

use c_interface::{Function, Ptr};
use nt_abi::exception::{Amd64DispatcherContext, Amd64JumpBuffer};

use crate::guard::{Guard, Guarded, guarded};

/// This machine.
pub type Machine = unwind::machine::Amd64;
/// `CONTEXT` of this machine.
pub type Context = nt_abi::context::Amd64Context;
/// `DISPATCHER_CONTEXT` of this machine.
pub type DispatcherContext = Amd64DispatcherContext;
/// `_JUMP_BUFFER` of this machine.
pub type JumpBuffer = Amd64JumpBuffer;

/// From the frame of a calling function to where it keeps a guard and its data.
const SAVED_GUARD: u64 = 0x20;

/// The guard of the call that a frame belongs to, and its data.
pub(crate) fn saved_guard(frame: u64) -> (Function<Guarded>, usize) {
    let place = Ptr::<usize>::at(frame.wrapping_add(SAVED_GUARD));
    (Function::new(place.read()), place.add(1).read())
}

/// Calls a funclet of a function. `frame` is that of the function's body; a funclet needs no registers of the function on
/// this machine. Gives what the funclet answers.
// SAFETY: the body follows the C convention.
#[unsafe(naked)]
pub extern "C" fn call_funclet(
    funclet: usize,
    frame: usize,
    _registers: nt_abi::native::Pointer,
    guard: Guard,
    data: usize,
) -> usize {
    naked_asm!(
        ".seh_proc {this}",
        "sub rsp, 0x38",
        ".seh_stackalloc 0x38",
        ".seh_endprologue",
        "mov [rsp + 0x20], r9",
        // The fifth argument is behind the homes of the first four.
        "mov rax, [rsp + 0x38 + 0x28]",
        "mov [rsp + 0x28], rax",
        "mov rax, rcx",
        "call rax",
        // An epilog that begins at the return address would hide the handler.
        "nop",
        "add rsp, 0x38",
        "ret",
        ".seh_handler {handler}, @except, @unwind",
        ".seh_endproc",
        this = sym call_funclet,
        handler = sym guarded,
    )
}

/// Calls an ordinary function with three arguments, under a guard.
// SAFETY: the body follows the C convention.
#[unsafe(naked)]
pub extern "C" fn call(
    function: usize,
    arguments: &[usize; 3],
    guard: Guard,
    data: usize,
) -> usize {
    naked_asm!(
        ".seh_proc {this}",
        "sub rsp, 0x38",
        ".seh_stackalloc 0x38",
        ".seh_endprologue",
        "mov [rsp + 0x20], r8",
        "mov [rsp + 0x28], r9",
        "mov rax, rcx",
        "mov r10, rdx",
        "mov rcx, [r10]",
        "mov rdx, [r10 + 8]",
        "mov r8, [r10 + 16]",
        "call rax",
        "nop",
        "add rsp, 0x38",
        "ret",
        ".seh_handler {handler}, @except, @unwind",
        ".seh_endproc",
        this = sym call,
        handler = sym guarded,
    )
}

/// Saves the caller's registers for `longjmp`, with the frame that it unwinds to; answers 0. What `longjmp` was given is
/// answered when it comes back.
///
/// # NT
/// `__intrinsic_setjmp`, `__intrinsic_setjmpex`.
// SAFETY: the body follows the C convention; it writes to the buffer alone.
#[unsafe(naked)]
// SAFETY: the name is that of Windows' C library.
#[unsafe(no_mangle)]
pub extern "C" fn __intrinsic_setjmpex(buffer: Ptr<JumpBuffer>, frame: usize) -> i32 {
    naked_asm!(
        "mov [rcx], rdx",
        "mov [rcx + 0x08], rbx",
        "lea rax, [rsp + 8]",
        "mov [rcx + 0x10], rax",
        "mov [rcx + 0x18], rbp",
        "mov [rcx + 0x20], rsi",
        "mov [rcx + 0x28], rdi",
        "mov [rcx + 0x30], r12",
        "mov [rcx + 0x38], r13",
        "mov [rcx + 0x40], r14",
        "mov [rcx + 0x48], r15",
        "mov rax, [rsp]",
        "mov [rcx + 0x50], rax",
        "stmxcsr [rcx + 0x58]",
        "fnstcw [rcx + 0x5C]",
        "movups [rcx + 0x60], xmm6",
        "movups [rcx + 0x70], xmm7",
        "movups [rcx + 0x80], xmm8",
        "movups [rcx + 0x90], xmm9",
        "movups [rcx + 0xA0], xmm10",
        "movups [rcx + 0xB0], xmm11",
        "movups [rcx + 0xC0], xmm12",
        "movups [rcx + 0xD0], xmm13",
        "movups [rcx + 0xE0], xmm14",
        "movups [rcx + 0xF0], xmm15",
        "xor eax, eax",
        "ret",
    )
}

/// Where a jump goes on.
pub fn goes_on_at(buffer: &JumpBuffer) -> usize {
    Ptr::<u8>::at(buffer.rip).address()
}

/// Loads the registers of a buffer without an unwind; `setjmp` answers the value.
// SAFETY: the body does not return; the caller of `longjmp` answers for the buffer.
#[unsafe(naked)]
pub extern "C" fn jump(buffer: Ptr<JumpBuffer>, value: i32) -> ! {
    naked_asm!(
        "mov eax, edx",
        "mov rbx, [rcx + 0x08]",
        "mov rbp, [rcx + 0x18]",
        "mov rsi, [rcx + 0x20]",
        "mov rdi, [rcx + 0x28]",
        "mov r12, [rcx + 0x30]",
        "mov r13, [rcx + 0x38]",
        "mov r14, [rcx + 0x40]",
        "mov r15, [rcx + 0x48]",
        "ldmxcsr [rcx + 0x58]",
        "fldcw [rcx + 0x5C]",
        "movups xmm6, [rcx + 0x60]",
        "movups xmm7, [rcx + 0x70]",
        "movups xmm8, [rcx + 0x80]",
        "movups xmm9, [rcx + 0x90]",
        "movups xmm10, [rcx + 0xA0]",
        "movups xmm11, [rcx + 0xB0]",
        "movups xmm12, [rcx + 0xC0]",
        "movups xmm13, [rcx + 0xD0]",
        "movups xmm14, [rcx + 0xE0]",
        "movups xmm15, [rcx + 0xF0]",
        "mov rdx, [rcx + 0x50]",
        "mov rsp, [rcx + 0x10]",
        "jmp rdx",
    )
}
