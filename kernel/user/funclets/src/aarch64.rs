//! Funclets and jumps on ARM64.

use core::arch::naked_asm;

use c_interface::{Function, Ptr};
use nt_abi::exception::{Arm64DispatcherContext, Arm64JumpBuffer};

use crate::guard::{Guard, Guarded, guarded};

/// This machine.
pub type Machine = unwind::machine::Arm64;
/// `CONTEXT` of this machine.
pub type Context = nt_abi::context::Arm64Context;
/// `DISPATCHER_CONTEXT` of this machine.
pub type DispatcherContext = Arm64DispatcherContext;
/// `_JUMP_BUFFER` of this machine.
pub type JumpBuffer = Arm64JumpBuffer;

/// From where the calling functions keep a guard and its data to their frame, which is the stack pointer that they were
/// called with.
const SAVED_GUARD: u64 = 0xC0 - 0x08;

/// The guard of the call that a frame belongs to, and its data.
pub(crate) fn saved_guard(frame: u64) -> (Function<Guarded>, usize) {
    let place = Ptr::<usize>::at(frame.wrapping_sub(SAVED_GUARD));
    (Function::new(place.read()), place.add(1).read())
}

/// Calls a funclet of a function. `frame` is that of the function's body, and `registers` the address of those that the
/// function had (`Arm64NonvolatileRegisters`). Gives what the funclet answers.
///
/// The address of the body's frame is kept at the stack pointer that the funclet is called with, which is the funclet's own
/// frame: the distance that tables give for it (`dispFrame`) is 0 on this machine.
// SAFETY: the body follows the C convention: it saves all that it loads.
#[unsafe(naked)]
pub extern "C" fn call_funclet(
    funclet: usize,
    frame: usize,
    registers: nt_abi::native::Pointer,
    guard: Guard,
    data: usize,
) -> usize {
    naked_asm!(
        ".seh_proc {this}",
        "sub sp, sp, #0xC0",
        ".seh_stackalloc 0xC0",
        "stp x29, x30, [sp, #0x20]",
        ".seh_save_fplr 0x20",
        "stp x19, x20, [sp, #0x30]",
        ".seh_save_regp x19, 0x30",
        "stp x21, x22, [sp, #0x40]",
        ".seh_save_regp x21, 0x40",
        "stp x23, x24, [sp, #0x50]",
        ".seh_save_regp x23, 0x50",
        "stp x25, x26, [sp, #0x60]",
        ".seh_save_regp x25, 0x60",
        "stp x27, x28, [sp, #0x70]",
        ".seh_save_regp x27, 0x70",
        "stp d8, d9, [sp, #0x80]",
        ".seh_save_fregp d8, 0x80",
        "stp d10, d11, [sp, #0x90]",
        ".seh_save_fregp d10, 0x90",
        "stp d12, d13, [sp, #0xA0]",
        ".seh_save_fregp d12, 0xA0",
        "stp d14, d15, [sp, #0xB0]",
        ".seh_save_fregp d14, 0xB0",
        ".seh_endprologue",
        "stp x1, x3, [sp]",
        "str x4, [sp, #0x10]",
        "mov x9, x0",
        "ldp x19, x20, [x2]",
        "ldp x21, x22, [x2, #0x10]",
        "ldp x23, x24, [x2, #0x20]",
        "ldp x25, x26, [x2, #0x30]",
        "ldp x27, x28, [x2, #0x40]",
        "ldr x29, [x2, #0x50]",
        "ldp d8, d9, [x2, #0x58]",
        "ldp d10, d11, [x2, #0x68]",
        "ldp d12, d13, [x2, #0x78]",
        "ldp d14, d15, [x2, #0x88]",
        "blr x9",
        // An epilog that begins at the return address would hide the handler from who does not look in front of it.
        "nop",
        ".seh_startepilogue",
        "ldp d14, d15, [sp, #0xB0]",
        ".seh_save_fregp d14, 0xB0",
        "ldp d12, d13, [sp, #0xA0]",
        ".seh_save_fregp d12, 0xA0",
        "ldp d10, d11, [sp, #0x90]",
        ".seh_save_fregp d10, 0x90",
        "ldp d8, d9, [sp, #0x80]",
        ".seh_save_fregp d8, 0x80",
        "ldp x27, x28, [sp, #0x70]",
        ".seh_save_regp x27, 0x70",
        "ldp x25, x26, [sp, #0x60]",
        ".seh_save_regp x25, 0x60",
        "ldp x23, x24, [sp, #0x50]",
        ".seh_save_regp x23, 0x50",
        "ldp x21, x22, [sp, #0x40]",
        ".seh_save_regp x21, 0x40",
        "ldp x19, x20, [sp, #0x30]",
        ".seh_save_regp x19, 0x30",
        "ldp x29, x30, [sp, #0x20]",
        ".seh_save_fplr 0x20",
        "add sp, sp, #0xC0",
        ".seh_stackalloc 0xC0",
        ".seh_endepilogue",
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
        "sub sp, sp, #0xC0",
        ".seh_stackalloc 0xC0",
        "stp x29, x30, [sp, #0x20]",
        ".seh_save_fplr 0x20",
        ".seh_endprologue",
        "stp x2, x3, [sp, #0x08]",
        "mov x9, x0",
        "mov x10, x1",
        "ldp x0, x1, [x10]",
        "ldr x2, [x10, #0x10]",
        "blr x9",
        "nop",
        ".seh_startepilogue",
        "ldp x29, x30, [sp, #0x20]",
        ".seh_save_fplr 0x20",
        "add sp, sp, #0xC0",
        ".seh_stackalloc 0xC0",
        ".seh_endepilogue",
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
/// `__intrinsic_setjmpex`.
// SAFETY: the body follows the C convention; it writes to the buffer alone.
#[unsafe(naked)]
// SAFETY: the name is that of Windows' C library.
#[unsafe(no_mangle)]
pub extern "C" fn __intrinsic_setjmpex(buffer: Ptr<JumpBuffer>, frame: usize) -> i32 {
    naked_asm!(
        "stp x1, xzr, [x0]",
        "stp x19, x20, [x0, #0x10]",
        "stp x21, x22, [x0, #0x20]",
        "stp x23, x24, [x0, #0x30]",
        "stp x25, x26, [x0, #0x40]",
        "stp x27, x28, [x0, #0x50]",
        "stp x29, x30, [x0, #0x60]",
        "mov x9, sp",
        "str x9, [x0, #0x70]",
        "mrs x9, fpcr",
        "str w9, [x0, #0x78]",
        "mrs x9, fpsr",
        "str w9, [x0, #0x7C]",
        "stp d8, d9, [x0, #0x80]",
        "stp d10, d11, [x0, #0x90]",
        "stp d12, d13, [x0, #0xA0]",
        "stp d14, d15, [x0, #0xB0]",
        "mov w0, #0",
        "ret",
    )
}

/// Where a jump goes on.
pub fn goes_on_at(buffer: &JumpBuffer) -> usize {
    Ptr::<u8>::at(buffer.lr).address()
}

/// Loads the registers of a buffer without an unwind; `setjmp` answers the value.
// SAFETY: the body does not return; the caller of `longjmp` answers for the buffer.
#[unsafe(naked)]
pub extern "C" fn jump(buffer: Ptr<JumpBuffer>, value: i32) -> ! {
    naked_asm!(
        "ldr w9, [x0, #0x78]",
        "msr fpcr, x9",
        "ldr w9, [x0, #0x7C]",
        "msr fpsr, x9",
        "ldp d8, d9, [x0, #0x80]",
        "ldp d10, d11, [x0, #0x90]",
        "ldp d12, d13, [x0, #0xA0]",
        "ldp d14, d15, [x0, #0xB0]",
        "ldp x19, x20, [x0, #0x10]",
        "ldp x21, x22, [x0, #0x20]",
        "ldp x23, x24, [x0, #0x30]",
        "ldp x25, x26, [x0, #0x40]",
        "ldp x27, x28, [x0, #0x50]",
        "ldp x29, x30, [x0, #0x60]",
        "ldr x9, [x0, #0x70]",
        "mov sp, x9",
        "mov w0, w1",
        "ret",
    )
}
