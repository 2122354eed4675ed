//! The same for ARM64.

use core::arch::{global_asm, naked_asm};

use nt_abi::NtStatus;

use super::Trap;
use crate::dispatchers::ThreadRoutine;
use stubs::NtYieldExecution;

/// A routine that is one instruction, and then a return.
macro_rules! routines {
    ($($name:ident: $($instruction:literal),+;)*) => {$(
        // SAFETY: it follows the C convention; that it traps is what it is for.
        #[unsafe(naked)]
        extern "C" fn $name(_argument: u64) -> u32 {
            naked_asm!($($instruction,)+ "mov w0, #0", "ret")
        }
    )*};
}

routines! {
    undefined: "udf #0";
    privileged: "msr vbar_el1, x0";
    level: "mrs x0, CurrentEL";
    halt: "hlt #1";
    hypervisor: "hvc #0";
    exception_return: "eret";
    mask: "msr daifset, #2";
    breakpoint: "nop", "brk #0xF000";
    assertion: "brk #0xF001";
    fast_fail: "mov w0, #7", "brk #0xF003";
    divide: "brk #0xF004";
    read: "mov x1, #0x1238", "ldr x1, [x1]";
    write: "mov x1, #0x1238", "str x1, [x1]";
    read_kernel: "mov x1, #-0x800000000000", "ldr x1, [x1]";
    float_divide: "mov x1, #0x200", "msr fpcr, x1", "fmov s0, #1.0", "movi v1.2d, #0", "fdiv s0, s0, s1", "msr fpcr, xzr";
    float_invalid: "mov x1, #0x100", "msr fpcr, x1", "movi v1.2d, #0", "fdiv s0, s1, s1", "msr fpcr, xzr";
}

/// `__fastfail(7)`.
pub const FAST_FAIL: ThreadRoutine = fast_fail;

/// An access that is refused: how, and where.
const READ_NOTHING: &[u64] = &[0, 0x1238];
const WRITE_NOTHING: &[u64] = &[1, 0x1238];
const READ_KERNEL: &[u64] = &[0, 0xFFFF_8000_0000_0000];

/// What traps, and how.
pub const TRAPS: &[Trap] = &[
    Trap::new(
        "an undefined instruction",
        undefined,
        NtStatus::ILLEGAL_INSTRUCTION,
    )
    .at(0),
    Trap::new(
        "a register of the kernel",
        privileged,
        NtStatus::ILLEGAL_INSTRUCTION,
    )
    .at(0),
    Trap::new(
        "a look at the exception level",
        level,
        NtStatus::ILLEGAL_INSTRUCTION,
    )
    .at(0),
    Trap::new("a halt for a debugger", halt, NtStatus::ILLEGAL_INSTRUCTION).at(0),
    Trap::new(
        "a call of the hypervisor",
        hypervisor,
        NtStatus::ILLEGAL_INSTRUCTION,
    )
    .at(0),
    Trap::new(
        "a return from an exception",
        exception_return,
        NtStatus::ILLEGAL_INSTRUCTION,
    )
    .at(0),
    Trap::new("interrupts off", mask, NtStatus::PRIVILEGED_INSTRUCTION).at(0),
    Trap::new("a breakpoint", breakpoint, NtStatus::BREAKPOINT)
        .with(&[0])
        .at(4),
    Trap::new("an assertion", assertion, NtStatus::ASSERTION_FAILURE).at(0),
    Trap::new(
        "a division by zero",
        divide,
        NtStatus::INTEGER_DIVIDE_BY_ZERO,
    )
    .at(0),
    Trap::new(
        "a read of what is not there",
        read,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(READ_NOTHING)
    .at(4),
    Trap::new(
        "a write to what is not there",
        write,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(WRITE_NOTHING)
    .at(4),
    Trap::new(
        "a read of the kernel's memory",
        read_kernel,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(READ_KERNEL)
    .at(4),
    Trap::new(
        "a floating-point division by zero",
        float_divide,
        NtStatus::FLOAT_DIVIDE_BY_ZERO,
    )
    .with(&[0])
    .depends(),
    Trap::new(
        "a floating-point operation that is none",
        float_invalid,
        NtStatus::FLOAT_INVALID_OPERATION,
    )
    .with(&[0])
    .depends(),
];

unsafe extern "C" {
    /// See `super::keep_registers`.
    #[link_name = "tarn_keep_registers"]
    pub(super) fn keep_registers(rounds: u64, seed: u64) -> u64;
}

global_asm!(
    ".text",
    ".balign 4",
    ".globl tarn_keep_registers",
    "tarn_keep_registers:",
    "    stp x29, x30, [sp, #-160]!",
    "    stp x19, x20, [sp, #16]",
    "    stp x21, x22, [sp, #32]",
    "    stp x23, x24, [sp, #48]",
    "    stp x25, x26, [sp, #64]",
    "    stp x27, x28, [sp, #80]",
    "    stp d8, d9, [sp, #96]",
    "    stp d10, d11, [sp, #112]",
    "    stp d12, d13, [sp, #128]",
    "    stp d14, d15, [sp, #144]",
    "    mov x19, x0",
    "    mov x20, x1",
    "1:  cbz x19, 8f",
    ".irp n, 21, 22, 23, 24, 25, 26, 27, 28",
    "    add x\\n, x20, #\\n",
    ".endr",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
    "    add x9, x20, #(\\n * 64)",
    "    dup v\\n\\().2d, x9",
    ".endr",
    "    and x9, x20, #0xF0000000",
    "    msr nzcv, x9",
    "    bl {yield_}",
    "    mrs x9, nzcv",
    "    and x10, x20, #0xF0000000",
    "    cmp x9, x10",
    "    b.ne 8f",
    "    ldr x9, [x18, #0x30]",
    "    cmp x9, x18",
    "    b.ne 8f",
    ".irp n, 21, 22, 23, 24, 25, 26, 27, 28",
    "    add x9, x20, #\\n",
    "    cmp x9, x\\n",
    "    b.ne 8f",
    ".endr",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
    "    add x9, x20, #(\\n * 64)",
    "    mov x10, v\\n\\().d[0]",
    "    cmp x9, x10",
    "    b.ne 8f",
    "    mov x10, v\\n\\().d[1]",
    "    cmp x9, x10",
    "    b.ne 8f",
    ".endr",
    "    mov x9, #0x4C2D",
    "    movk x9, #0xF42D, lsl #16",
    "    movk x9, #0x5851, lsl #48",
    "    mul x20, x20, x9",
    "    sub x19, x19, #1",
    "    b 1b",
    "8:  mov x0, x19",
    "    ldp x19, x20, [sp, #16]",
    "    ldp x21, x22, [sp, #32]",
    "    ldp x23, x24, [sp, #48]",
    "    ldp x25, x26, [sp, #64]",
    "    ldp x27, x28, [sp, #80]",
    "    ldp d8, d9, [sp, #96]",
    "    ldp d10, d11, [sp, #112]",
    "    ldp d12, d13, [sp, #128]",
    "    ldp d14, d15, [sp, #144]",
    "    ldp x29, x30, [sp], #160",
    "    ret",
    yield_ = sym NtYieldExecution,
);
