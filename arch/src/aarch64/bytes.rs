//! `memcpy` and `memset`, which the compiler calls for every value that is too large for registers.
//!
//! The ones that come with the compiler take eight bytes a round; these take thirty-two and more. Every access is aligned
//! to its size, because the first code of a boot runs without the MMU, where nothing else is allowed.

use core::arch::global_asm;

global_asm!(
    r#"
    .section .text.tarn_bytes, "ax"
    .balign 16
    .global memcpy
    .type   memcpy, %function
memcpy:                             // (to, from, length) -> to
    mov     x3, x0
    orr     x4, x0, x1
    tst     x4, #7
    b.ne    6f
0:  subs    x2, x2, #32
    b.lo    2f
1:  ldp     x4, x5, [x1], #16
    ldp     x6, x7, [x1], #16
    stp     x4, x5, [x3], #16
    stp     x6, x7, [x3], #16
    subs    x2, x2, #32
    b.hs    1b
2:  tbz     x2, #4, 3f              // From here on x2 is the rest less a power of two: its low bits are the rest's.
    ldp     x4, x5, [x1], #16
    stp     x4, x5, [x3], #16
3:  tbz     x2, #3, 4f
    ldr     x4, [x1], #8
    str     x4, [x3], #8
4:  tbz     x2, #2, 5f
    ldr     w4, [x1], #4
    str     w4, [x3], #4
5:  tbz     x2, #1, 51f
    ldrh    w4, [x1], #2
    strh    w4, [x3], #2
51: tbz     x2, #0, 52f
    ldrb    w4, [x1]
    strb    w4, [x3]
52: ret
6:  eor     x4, x0, x1
    tst     x4, #3
    b.ne    9f
61: tst     x3, #3                  // Single bytes to the first word.
    b.eq    7f
    cbz     x2, 52b
    ldrb    w5, [x1], #1
    strb    w5, [x3], #1
    sub     x2, x2, #1
    b       61b
7:  tst     x4, #7
    b.eq    8f
71: subs    x2, x2, #8              // The two are four bytes apart from each other's alignment.
    b.lo    4b
    ldr     w4, [x1], #4
    ldr     w5, [x1], #4
    str     w4, [x3], #4
    str     w5, [x3], #4
    b       71b
8:  tbz     x3, #2, 0b              // One word to the first double word.
    cmp     x2, #4
    b.lo    5b
    ldr     w4, [x1], #4
    str     w4, [x3], #4
    sub     x2, x2, #4
    b       0b
9:  subs    x2, x2, #4
    b.lo    91f
    ldrb    w4, [x1], #1
    ldrb    w5, [x1], #1
    ldrb    w6, [x1], #1
    ldrb    w7, [x1], #1
    strb    w4, [x3], #1
    strb    w5, [x3], #1
    strb    w6, [x3], #1
    strb    w7, [x3], #1
    b       9b
91: tbz     x2, #1, 51b
    ldrb    w4, [x1], #1
    ldrb    w5, [x1], #1
    strb    w4, [x3], #1
    strb    w5, [x3], #1
    b       51b
    .size   memcpy, . - memcpy

    .balign 16
    .global memset
    .type   memset, %function
memset:                             // (to, byte, length) -> to
    mov     x3, x0
    and     w1, w1, #0xFF
    orr     w1, w1, w1, lsl #8
    orr     w1, w1, w1, lsl #16
    orr     x1, x1, x1, lsl #32
0:  tst     x3, #7
    b.eq    1f
    cbz     x2, 8f
    strb    w1, [x3], #1
    sub     x2, x2, #1
    b       0b
1:  subs    x2, x2, #64
    b.lo    3f
2:  stp     x1, x1, [x3], #16
    stp     x1, x1, [x3], #16
    stp     x1, x1, [x3], #16
    stp     x1, x1, [x3], #16
    subs    x2, x2, #64
    b.hs    2b
3:  tbz     x2, #5, 4f              // x2 is the rest less 64: its low bits are the rest's.
    stp     x1, x1, [x3], #16
    stp     x1, x1, [x3], #16
4:  tbz     x2, #4, 5f
    stp     x1, x1, [x3], #16
5:  tbz     x2, #3, 6f
    str     x1, [x3], #8
6:  tbz     x2, #2, 7f
    str     w1, [x3], #4
7:  tbz     x2, #1, 71f
    strh    w1, [x3], #2
71: tbz     x2, #0, 8f
    strb    w1, [x3]
8:  ret
    .size   memset, . - memset
    .text
    "#
);
