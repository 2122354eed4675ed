//! The same for ARM64.

use core::arch::{global_asm, naked_asm};

use nt_abi::NtStatus;

use super::Trap;
use crate::NtYieldExecution;

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
    breakpoint: "brk #0xF000";
    assertion: "brk #0xF001";
    divide: "brk #0xF004";
    read: "mov x1, #0x1238", "ldr x1, [x1]";
    write: "mov x1, #0x1238", "str x1, [x1]";
    read_kernel: "mov x1, #-0x800000000000", "ldr x1, [x1]";
}

/// What traps, and how.
pub const TRAPS: &[Trap] = &[
    trap(
        "an undefined instruction",
        undefined,
        NtStatus::ILLEGAL_INSTRUCTION,
        &[],
    ),
    trap(
        "a register of the kernel",
        privileged,
        NtStatus::ILLEGAL_INSTRUCTION,
        &[],
    ),
    trap("a breakpoint", breakpoint, NtStatus::BREAKPOINT, &[0]),
    trap("an assertion", assertion, NtStatus::ASSERTION_FAILURE, &[]),
    trap(
        "a division by zero",
        divide,
        NtStatus::INTEGER_DIVIDE_BY_ZERO,
        &[],
    ),
    trap(
        "a read of what is not there",
        read,
        NtStatus::ACCESS_VIOLATION,
        &[0, 0x1238],
    ),
    trap(
        "a write to what is not there",
        write,
        NtStatus::ACCESS_VIOLATION,
        &[1, 0x1238],
    ),
    trap(
        "a read of the kernel's memory",
        read_kernel,
        NtStatus::ACCESS_VIOLATION,
        &[0, 0xFFFF_8000_0000_0000],
    ),
];

const fn trap(
    name: &'static str,
    routine: crate::dispatchers::ThreadRoutine,
    code: NtStatus,
    parameters: &'static [u64],
) -> Trap {
    Trap {
        name,
        routine,
        code,
        parameters,
    }
}

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
