//! Code of user mode for the tests: see `UserCode`.
//!
//! It is never executed where it is linked, but copied into a page of user mode; so it
//! is constant data here, and every branch is relative.

use core::arch::global_asm;

use crate::contract::UserCode;

global_asm!(
    r#"
    .section .rodata.user_code, "a"
    .arch_extension simd
    .macro code name
    .balign 16
    .global user_code_\name
user_code_\name:
    .endm

    code system_calls
    sub     sp, sp, #16
    mov     x0, #0x108
    mov     x1, #0x109
    stp     x0, x1, [sp]
    mov     x0, #0x100
    mov     x1, #0x101
    mov     x2, #0x102
    mov     x3, #0x103
    mov     x4, #0x104
    mov     x5, #0x105
    mov     x6, #0x106
    mov     x7, #0x107
    svc     #7
    add     sp, sp, #16
    svc     #8
    b       user_code_system_calls

    code null_system_calls
    svc     #5
    b       user_code_null_system_calls

    code read
    ldr     x0, [x0]
    svc     #1
    udf     #0

    code write
    str     x1, [x0]
    svc     #1
    udf     #0

    code execute
    blr     x0
    svc     #1
    udf     #0

    code illegal_instruction
    udf     #0

    code breakpoint
    brk     #0xf000
    udf     #0

    code endless
1:  yield
    b       1b

    code read_teb
    ldr     x0, [x18]
    svc     #1
    udf     #0

    // x0 is the address, x1 the seed, x2 scratch; nothing that waits touches the flags.
    code hold_registers
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    add     x2, x1, #(256 + \n)
    dup     v\n\().2d, x2
    .endr
    .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    add     x\n, x1, #\n
    .endr
    add     x2, x1, #31
    msr     tpidr_el0, x2
    msr     nzcv, x1
1:  ldr     x2, [x0]
    cbz     x2, 1b
    mrs     x2, nzcv
    eor     x2, x2, x1
    ands    x2, x2, #0xf0000000
    b.ne    2f
    mrs     x2, tpidr_el0
    sub     x2, x2, x1
    cmp     x2, #31
    b.ne    2f
    .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    sub     x2, x\n, x1
    cmp     x2, #\n
    b.ne    2f
    .endr
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    mov     x2, v\n\().d[0]
    sub     x2, x2, x1
    cmp     x2, #(256 + \n)
    b.ne    2f
    mov     x2, v\n\().d[1]
    sub     x2, x2, x1
    cmp     x2, #(256 + \n)
    b.ne    2f
    .endr
    mov     x0, #0
    ldr     x1, [x18]
    b       3f
2:  mov     x0, #1
3:  svc     #1
    udf     #0

    code end
    .purgem code
    .text
"#
);

unsafe extern "C" {
    static user_code_system_calls: u8;
    static user_code_null_system_calls: u8;
    static user_code_read: u8;
    static user_code_write: u8;
    static user_code_execute: u8;
    static user_code_illegal_instruction: u8;
    static user_code_breakpoint: u8;
    static user_code_endless: u8;
    static user_code_read_teb: u8;
    static user_code_hold_registers: u8;
    static user_code_end: u8;
}

/// See `SelfTest::user_code`.
pub(super) fn get(code: UserCode) -> Option<&'static [u8]> {
    let start = match code {
        UserCode::SystemCalls => &raw const user_code_system_calls,
        UserCode::NullSystemCalls => &raw const user_code_null_system_calls,
        UserCode::Read => &raw const user_code_read,
        UserCode::Write => &raw const user_code_write,
        UserCode::Execute => &raw const user_code_execute,
        UserCode::IllegalInstruction => &raw const user_code_illegal_instruction,
        UserCode::Breakpoint => &raw const user_code_breakpoint,
        UserCode::Endless => &raw const user_code_endless,
        UserCode::ReadTeb => &raw const user_code_read_teb,
        UserCode::HoldRegisters => &raw const user_code_hold_registers,
        UserCode::OldSystemCall
        | UserCode::SingleStep
        | UserCode::BadSelector
        | UserCode::ThirtyTwoBit => return None,
    };
    let length = (&raw const user_code_end).addr() - start.addr();
    // SAFETY: the block above, in order: from any of its labels to its end are constant bytes. That what follows the
    // wanted code is copied along harms nobody.
    Some(unsafe { core::slice::from_raw_parts(start, length) })
}
