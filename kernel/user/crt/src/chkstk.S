// The compiler calls this before it takes a frame larger than a page: it touches each page from the top down, so that the
// guard page below the stack is met and never stepped over.
#if defined(__x86_64__)
        .intel_syntax noprefix
        .text
        .globl  __chkstk
__chkstk:                       // rax: bytes, kept; r10 and r11 may change
        mov     r10, rsp
        mov     r11, rax
1:      sub     r10, 4096
        test    qword ptr [r10], r10
        sub     r11, 4096
        ja      1b
        ret
#elif defined(__aarch64__)
        .text
        .globl  __chkstk
__chkstk:                       // x15: units of 16 bytes; x16 and x17 may change
        lsl     x16, x15, #4
        mov     x17, sp
1:      sub     x17, x17, #4096
        ldr     xzr, [x17]
        subs    x16, x16, #4096
        b.hi    1b
        ret
#endif
