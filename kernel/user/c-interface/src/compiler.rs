//! What the compiler expects of a C library in every image of Windows, besides the functions on memory, which come with
//! Rust's library.

// The compiler marks with this name that floating-point numbers are used, and expects a C library to have it; nobody
// reads it.
#[cfg(all(target_os = "windows", not(target_arch = "x86")))]
core::arch::global_asm!(
    ".section .rdata,\"dr\"",
    ".globl _fltused",
    "_fltused: .long 0x9875",
    ".text",
);

// The same for x86, whose C names have an underscore more.
#[cfg(all(target_os = "windows", target_arch = "x86"))]
core::arch::global_asm!(
    ".section .rdata,\"dr\"",
    ".globl __fltused",
    "__fltused: .long 0x9875",
    ".text",
);

// The compiler calls this before it takes a frame larger than a page, and expects a C library to have it: it touches
// each page from the top down, so that the guard page below the stack is met and never stepped over. `rax` holds the
// size in bytes and keeps it; `r10` and `r11` may change.
#[cfg(all(target_os = "windows", target_arch = "x86_64"))]
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

// The compiler calls this before it takes a frame larger than a page, and expects a C library to have it: it touches
// each page from the top down, so that the guard page below the stack is met and never stepped over. `x15` holds the
// size in units of 16 bytes; `x16` and `x17` may change.
#[cfg(all(target_os = "windows", target_arch = "aarch64"))]
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
