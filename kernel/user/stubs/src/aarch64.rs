//! Entering the kernel on ARM64.
//!
//! As Windows does it, the number is in the instruction itself, where the kernel finds it in the syndrome register.
//! Arguments are in `x0` to `x7` and then on the stack from `sp` on; the status comes back in `x0`.

// The compiler calls this before it takes a frame larger than a page, and expects a C library to have it: it touches
// each page from the top down, so that the guard page below the stack is met and never stepped over. `x15` holds the
// size in units of 16 bytes; `x16` and `x17` may change.
core::arch::global_asm!(
    ".globl __chkstk",
    "__chkstk:",
    "    lsl x16, x15, #4",
    "    mov x17, sp",
    "1:  sub x17, x17, #4096",
    "    ldr xzr, [x17]",
    "    subs x16, x16, #4096",
    "    b.hi 1b",
    "    ret",
);

/// The body of the stub for a service's number.
macro_rules! enter_kernel {
    ($number:expr) => {
        core::arch::naked_asm!("svc #{number}", "ret", number = const $number)
    };
}
pub(crate) use enter_kernel;
