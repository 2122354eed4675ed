//! Entering the kernel on x86-64.
//!
//! As Windows does it, the number is in `eax`, and the first argument moves from `rcx` to `r10`, because `syscall`
//! puts the return address into `rcx`. The others are in `rdx`, `r8` and `r9`, and then on the stack from `rsp + 40` on,
//! behind the return address and the callee's home area; the status comes back in `rax`.

// The compiler calls this before it takes a frame larger than a page, and expects a C library to have it: it touches
// each page from the top down, so that the guard page below the stack is met and never stepped over. `rax` holds the
// size in bytes and keeps it; `r10` and `r11` may change.
core::arch::global_asm!(
    ".globl __chkstk",
    "__chkstk:",
    "    mov r10, rsp",
    "    mov r11, rax",
    "1:  sub r10, 4096",
    "    test [r10], r10",
    "    sub r11, 4096",
    "    ja 1b",
    "    ret",
);

/// The body of the stub for a service's number.
macro_rules! enter_kernel {
    ($number:expr) => {
        core::arch::naked_asm!(
            "mov r10, rcx",
            "mov eax, {number}",
            "syscall",
            "ret",
            number = const $number,
        )
    };
}
pub(crate) use enter_kernel;
