//! C's functions on memory, where those of Rust's own library are slow.
//!
//! Compilers call them for every structure that is larger than a few registers, and what walks a stack copies the registers
//! of a thread once a frame: nine hundred bytes. Rust's library copies word by word on ARM64. Here 64 bytes go at a time,
//! and up to that there is no loop: what is read from both ends is kept in registers before anything is written, so the
//! pieces may overlap, in memory as well as each other. Since nothing touches the stack there is nothing to unwind.

use core::arch::naked_asm;

/// Copies bytes to a place that does not overlap; gives the place.
// SAFETY: the body follows the C convention.
#[unsafe(naked)]
// SAFETY: the name is C's, and so is what it does.
#[unsafe(no_mangle)]
pub extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    naked_asm!(
        "add x5, x1, x2",
        "add x6, x0, x2",
        "cmp x2, #64",
        "b.hi 5f",
        "cmp x2, #16",
        "b.lo 2f",
        "cmp x2, #32",
        "b.hi 1f",
        "ldr q0, [x1]",
        "ldr q1, [x5, #-16]",
        "str q0, [x0]",
        "str q1, [x6, #-16]",
        "ret",
        // From 33 to 64.
        "1: ldp q0, q1, [x1]",
        "ldp q2, q3, [x5, #-32]",
        "stp q0, q1, [x0]",
        "stp q2, q3, [x6, #-32]",
        "ret",
        // Less than 16.
        "2: tbz x2, #3, 3f",
        "ldr x3, [x1]",
        "ldr x4, [x5, #-8]",
        "str x3, [x0]",
        "str x4, [x6, #-8]",
        "ret",
        "3: tbz x2, #2, 4f",
        "ldr w3, [x1]",
        "ldr w4, [x5, #-4]",
        "str w3, [x0]",
        "str w4, [x6, #-4]",
        "ret",
        // Up to three: the first, the middle one, the last.
        "4: cbz x2, 7f",
        "lsr x7, x2, #1",
        "ldrb w3, [x1]",
        "ldrb w4, [x1, x7]",
        "ldrb w8, [x5, #-1]",
        "strb w3, [x0]",
        "strb w4, [x0, x7]",
        "strb w8, [x6, #-1]",
        "ret",
        // The last 64 are read first and written last; they overlap what is before them.
        "5: ldp q16, q17, [x5, #-64]",
        "ldp q18, q19, [x5, #-32]",
        "mov x3, x0",
        "sub x2, x2, #64",
        "6: ldp q0, q1, [x1]",
        "ldp q2, q3, [x1, #32]",
        "add x1, x1, #64",
        "stp q0, q1, [x3]",
        "stp q2, q3, [x3, #32]",
        "add x3, x3, #64",
        "subs x2, x2, #64",
        "b.hi 6b",
        "stp q16, q17, [x6, #-64]",
        "stp q18, q19, [x6, #-32]",
        "7: ret",
    )
}

/// Copies bytes to a place that may overlap; gives the place.
// SAFETY: the body follows the C convention.
#[unsafe(naked)]
// SAFETY: the name is C's, and so is what it does.
#[unsafe(no_mangle)]
pub extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    naked_asm!(
        // From the front, if the place is not above the bytes in the same memory: memcpy reads ahead of what it writes.
        "sub x3, x0, x1",
        "cmp x3, x2",
        "b.hs {forward}",
        "cmp x2, #64",
        "b.ls {forward}",
        "ldp q16, q17, [x1]",
        "ldp q18, q19, [x1, #32]",
        "add x5, x1, x2",
        "add x6, x0, x2",
        "sub x2, x2, #64",
        "1: ldp q0, q1, [x5, #-64]",
        "ldp q2, q3, [x5, #-32]",
        "sub x5, x5, #64",
        "stp q0, q1, [x6, #-64]",
        "stp q2, q3, [x6, #-32]",
        "sub x6, x6, #64",
        "subs x2, x2, #64",
        "b.hi 1b",
        "stp q16, q17, [x0]",
        "stp q18, q19, [x0, #32]",
        "ret",
        forward = sym memcpy,
    )
}

/// Sets bytes to a value; gives the place.
// SAFETY: the body follows the C convention.
#[unsafe(naked)]
// SAFETY: the name is C's, and so is what it does.
#[unsafe(no_mangle)]
pub extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    naked_asm!(
        "dup v0.16b, w1",
        "add x6, x0, x2",
        "cmp x2, #16",
        "b.lo 3f",
        "mov x3, x0",
        "subs x2, x2, #64",
        "b.ls 2f",
        "1: stp q0, q0, [x3]",
        "stp q0, q0, [x3, #32]",
        "add x3, x3, #64",
        "subs x2, x2, #64",
        "b.hi 1b",
        // From 1 to 64 are left: 16 at a time, the last ones overlapping.
        "2: adds x2, x2, #48",
        "b.le 5f",
        "str q0, [x3], #16",
        "sub x2, x2, #64",
        "b 2b",
        "5: str q0, [x6, #-16]",
        "ret",
        "3: umov x4, v0.d[0]",
        "tbz x2, #3, 4f",
        "str x4, [x0]",
        "str x4, [x6, #-8]",
        "ret",
        "4: tbz x2, #2, 6f",
        "str w4, [x0]",
        "str w4, [x6, #-4]",
        "ret",
        "6: cbz x2, 7f",
        "lsr x7, x2, #1",
        "strb w4, [x0]",
        "strb w4, [x0, x7]",
        "strb w4, [x6, #-1]",
        "7: ret",
    )
}
