//! The same for x86-64.

use core::arch::{global_asm, naked_asm};

use nt_abi::NtStatus;

use super::Trap;
use crate::NtYieldExecution;

/// A routine that is a few instructions, and then a return.
macro_rules! routines {
    ($($name:ident: $($instruction:literal),+;)*) => {$(
        // SAFETY: it follows the C convention; that it traps is what it is for.
        #[unsafe(naked)]
        extern "C" fn $name(_argument: u64) -> u32 {
            naked_asm!($($instruction,)+ "xor eax, eax", "ret")
        }
    )*};
}

routines! {
    undefined: "ud2";
    privileged: "cli";
    port: "in al, 0x60";
    control_register: "mov rax, cr3";
    breakpoint: "int3";
    assertion: "int 0x2C";
    divide: "xor ecx, ecx", "xor edx, edx", "mov eax, 1", "div ecx";
    read: "mov rcx, 0x1238", "mov rcx, [rcx]";
    write: "mov rcx, 0x1238", "mov [rcx], rcx";
    read_kernel: "mov rcx, 0xFFFF800000000000", "mov rcx, [rcx]";
    not_canonical: "mov rcx, 0x800000000000", "mov rcx, [rcx]";
    bad_selector: "mov cx, 0x1233", "mov fs, cx";
    kernel_selector: "mov cx, 0x10", "mov ds, cx";
    forbidden_interrupt: "int 0x80";
}

/// What traps, and how.
pub const TRAPS: &[Trap] = &[
    trap(
        "an undefined instruction",
        undefined,
        NtStatus::ILLEGAL_INSTRUCTION,
        &[],
    ),
    trap("CLI", privileged, NtStatus::PRIVILEGED_INSTRUCTION, &[]),
    trap("a port", port, NtStatus::PRIVILEGED_INSTRUCTION, &[]),
    trap(
        "CR3",
        control_register,
        NtStatus::PRIVILEGED_INSTRUCTION,
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
    trap(
        "an address that is not canonical",
        not_canonical,
        NtStatus::ACCESS_VIOLATION,
        &[0, u64::MAX],
    ),
    trap(
        "a selector that is none",
        bad_selector,
        NtStatus::ACCESS_VIOLATION,
        &[0, u64::MAX],
    ),
    trap(
        "a selector of the kernel",
        kernel_selector,
        NtStatus::ACCESS_VIOLATION,
        &[0, u64::MAX],
    ),
    trap(
        "an interrupt of the kernel",
        forbidden_interrupt,
        NtStatus::ACCESS_VIOLATION,
        &[0, u64::MAX],
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
    ".globl tarn_keep_registers",
    "tarn_keep_registers:",
    "    push rbx",
    "    push rbp",
    "    push rsi",
    "    push rdi",
    "    push r12",
    "    push r13",
    "    push r14",
    "    push r15",
    "    sub rsp, 0xD8",
    ".irp n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "    movups [rsp + 0x30 + (\\n - 6) * 16], xmm\\n",
    ".endr",
    "    mov rbx, rcx",
    "    mov rbp, rdx",
    "2:  test rbx, rbx",
    "    jz 8f",
    ".irp r, rsi, rdi, r12, r13, r14, r15",
    "    lea \\r, [rbp + 7]",
    "    ror \\r, 3",
    "    mov rbp, \\r",
    ".endr",
    // RBP ends as the value of R15, from which all others are found again by turning back.
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "    lea rax, [rbp + \\n]",
    "    movq xmm\\n, rax",
    "    punpcklqdq xmm\\n, xmm\\n",
    ".endr",
    // CF, PF, AF, ZF, SF, OF as the value has them.
    "    mov rax, rbp",
    "    and eax, 0x8D5",
    "    or eax, 0x202",
    "    mov [rsp + 0x28], rax",
    "    push rax",
    "    popfq",
    "    call {yield_}",
    "    pushfq",
    "    pop rax",
    "    xor rax, [rsp + 0x28]",
    "    test eax, 0x8D5",
    "    jnz 8f",
    "    mov rax, gs:[0x30]",
    "    cmp rax, [rax + 0x30]",
    "    jne 8f",
    "    cmp rbp, r15",
    "    jne 8f",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "    lea rcx, [rbp + \\n]",
    "    movq rax, xmm\\n",
    "    cmp rax, rcx",
    "    jne 8f",
    "    punpckhqdq xmm\\n, xmm\\n",
    "    movq rax, xmm\\n",
    "    cmp rax, rcx",
    "    jne 8f",
    ".endr",
    ".irp r, r14, r13, r12, rdi, rsi",
    "    rol rbp, 3",
    "    sub rbp, 7",
    "    cmp rbp, \\r",
    "    jne 8f",
    ".endr",
    "    mov rax, 0x5851F42D4C957F2D",
    "    imul rbp, rax",
    "    dec rbx",
    "    jmp 2b",
    "8:  mov rax, rbx",
    ".irp n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "    movups xmm\\n, [rsp + 0x30 + (\\n - 6) * 16]",
    ".endr",
    "    add rsp, 0xD8",
    "    pop r15",
    "    pop r14",
    "    pop r13",
    "    pop r12",
    "    pop rdi",
    "    pop rsi",
    "    pop rbp",
    "    pop rbx",
    "    ret",
    yield_ = sym NtYieldExecution,
);
