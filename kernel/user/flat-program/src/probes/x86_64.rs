//! The same for x86-64.

use core::arch::{global_asm, naked_asm};

use nt_abi::NtStatus;

use super::Trap;
use crate::dispatchers::ThreadRoutine;
use stubs::NtYieldExecution;

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
    halt: "hlt";
    model_register: "rdmsr";
    breakpoint: "nop", "int3";
    debug_service: "mov eax, 0x1234", "int 0x2D", "nop";
    assertion: "int 0x2C";
    fast_fail: "mov ecx, 7", "int 0x29";
    single_step: "pushfq", "or dword ptr [rsp], 0x100", "popfq", "nop", "nop";
    int1: "nop", ".byte 0xF1";
    divide: "xor ecx, ecx", "xor edx, edx", "mov eax, 1", "div ecx";
    divide_memory: "mov qword ptr [rsp + 8], 0", "xor edx, edx", "mov eax, 1", "div qword ptr [rsp + 8]";
    divide_high_byte: "mov ecx, 0x00FF", "mov eax, 1", "div ch";
    quotient: "mov eax, 0x80000000", "cdq", "mov ecx, -1", "idiv ecx";
    quotient_memory: "mov dword ptr [rsp + 8], -1", "xor ecx, ecx", "mov eax, 0x80000000", "cdq", "idiv dword ptr [rsp + rcx * 2 + 8]";
    quotient_byte: "mov eax, 0x7FFF", "mov ecx, 0x0100", "div ch";
    quotient_extended: "mov edx, 5", "xor eax, eax", "mov r9d, 2", "div r9";
    read: "mov rcx, 0x1238", "mov rcx, [rcx]";
    write: "mov rcx, 0x1238", "mov [rcx], rcx";
    read_kernel: "mov rcx, 0xFFFF800000000000", "mov rcx, [rcx]";
    not_canonical: "mov rcx, 0x800000000000", "mov rcx, [rcx]";
    stack_not_canonical: "mov rcx, rbp", "mov rbp, 0x800000000000", "mov rax, [rbp]", "mov rbp, rcx";
    bad_selector: "mov cx, 0x1233", "mov fs, cx";
    kernel_selector: "mov cx, 0x10", "mov ds, cx";
    local_selector: "mov cx, 0x2F", "mov es, cx";
    kernel_gs: "mov cx, 0x18", "mov gs, cx";
    kernel_stack: "mov cx, 0x18", "mov ss, cx";
    bad_stack: "mov cx, 0x1233", "mov ss, cx";
    far_return: "lea rax, [rip]", "push 0x10", "push rax", ".byte 0x48, 0xCB";
    far_return_nowhere: "lea rax, [rip]", "push 0x1233", "push rax", ".byte 0x48, 0xCB";
    interrupt_return: "lea rax, [rip]", "mov rcx, rsp", "push 0x18", "push rcx", "push 0x202", "push 0x10", "push rax", "iretq";
    no_teb: "mov cx, 0x2B", "mov gs, cx", "mov rcx, gs:[0x30]";
    forbidden_interrupt: "int 0x80";
    x87_divide: "fninit", "mov dword ptr [rsp + 8], 0x37B", "fldcw [rsp + 8]", "fld1", "fldz", "fdivp", "fwait";
    x87_invalid: "fninit", "mov dword ptr [rsp + 8], 0x37E", "fldcw [rsp + 8]", "fldz", "fldz", "fdivp", "fwait";
    x87_inexact: "fninit", "mov dword ptr [rsp + 8], 0x35F", "fldcw [rsp + 8]", "fld1", "fldpi", "fdivp", "fwait";
    x87_overflow: "fninit", "mov dword ptr [rsp + 8], 0x377", "fldcw [rsp + 8]",
        "mov dword ptr [rsp + 16], 0x7F7FFFFF", "fld dword ptr [rsp + 16]", "fmul st(0), st(0)", "fstp dword ptr [rsp + 16]", "fwait";
    x87_underflow: "fninit", "mov dword ptr [rsp + 8], 0x36F", "fldcw [rsp + 8]",
        "mov dword ptr [rsp + 16], 0x00800001", "fld dword ptr [rsp + 16]", "fmul st(0), st(0)", "fstp dword ptr [rsp + 16]", "fwait";
    // An emulator may look at neither operands nor the stack: the environment says what they would.
    x87_denormal: "fninit", "sub rsp, 40", "fnstenv [rsp]", "mov word ptr [rsp], 0x37D", "mov word ptr [rsp + 4], 0x8082",
        "fldenv [rsp]", "add rsp, 40", "fwait";
    x87_stack: "fninit", "sub rsp, 40", "fnstenv [rsp]", "mov word ptr [rsp], 0x37E", "mov word ptr [rsp + 4], 0x80C1",
        "fldenv [rsp]", "add rsp, 40", "fwait";
    sse_divide: "mov dword ptr [rsp + 8], 0x1D80", "ldmxcsr [rsp + 8]",
        "mov eax, 0x3F800000", "movd xmm0, eax", "xorps xmm1, xmm1", "divss xmm0, xmm1";
    sse_invalid: "mov dword ptr [rsp + 8], 0x1F00", "ldmxcsr [rsp + 8]", "xorps xmm1, xmm1", "divss xmm1, xmm1";
    sse_denormal: "mov dword ptr [rsp + 8], 0x1E80", "ldmxcsr [rsp + 8]", "mov eax, 1", "movd xmm0, eax", "addss xmm0, xmm0";
    sse_overflow: "mov dword ptr [rsp + 8], 0x1B80", "ldmxcsr [rsp + 8]",
        "mov eax, 0x7F7FFFFF", "movd xmm0, eax", "mulss xmm0, xmm0";
    sse_underflow: "mov dword ptr [rsp + 8], 0x1780", "ldmxcsr [rsp + 8]",
        "mov eax, 0x00800001", "movd xmm0, eax", "mulss xmm0, xmm0";
    sse_inexact: "mov dword ptr [rsp + 8], 0x0F80", "ldmxcsr [rsp + 8]",
        "mov eax, 0x3F800000", "movd xmm0, eax", "mov eax, 0x40400000", "movd xmm1, eax", "divss xmm0, xmm1";
}

/// `__fastfail(7)`.
pub const FAST_FAIL: ThreadRoutine = fast_fail;

/// An access that is refused: how, and where.
const READ_NOTHING: &[u64] = &[0, 0x1238];
const WRITE_NOTHING: &[u64] = &[1, 0x1238];
const READ_KERNEL: &[u64] = &[0, 0xFFFF_8000_0000_0000];
const NO_BASE: &[u64] = &[0, 0x30];
/// What the processor does not say the address of.
const NOWHERE: &[u64] = &[0, u64::MAX];

/// What traps, and how.
pub const TRAPS: &[Trap] = &[
    Trap::new(
        "an undefined instruction",
        undefined,
        NtStatus::ILLEGAL_INSTRUCTION,
    )
    .at(0),
    Trap::new("CLI", privileged, NtStatus::PRIVILEGED_INSTRUCTION).at(0),
    Trap::new("a port", port, NtStatus::PRIVILEGED_INSTRUCTION).at(0),
    Trap::new("CR3", control_register, NtStatus::PRIVILEGED_INSTRUCTION).at(0),
    Trap::new("HLT", halt, NtStatus::PRIVILEGED_INSTRUCTION).at(0),
    Trap::new(
        "a register of the kernel",
        model_register,
        NtStatus::PRIVILEGED_INSTRUCTION,
    )
    .at(0),
    Trap::new("a breakpoint", breakpoint, NtStatus::BREAKPOINT)
        .with(&[0])
        .at(1),
    Trap::new("a debug service", debug_service, NtStatus::BREAKPOINT)
        .with(&[0x1234])
        .at(7),
    Trap::new("an assertion", assertion, NtStatus::ASSERTION_FAILURE).at(0),
    Trap::new("a single step", single_step, NtStatus::SINGLE_STEP).at(10),
    Trap::new("INT1", int1, NtStatus::SINGLE_STEP).at(2),
    Trap::new(
        "a division by zero",
        divide,
        NtStatus::INTEGER_DIVIDE_BY_ZERO,
    )
    .at(9),
    Trap::new(
        "a division by zero in memory",
        divide_memory,
        NtStatus::INTEGER_DIVIDE_BY_ZERO,
    ),
    Trap::new(
        "a division by one byte of zero",
        divide_high_byte,
        NtStatus::INTEGER_DIVIDE_BY_ZERO,
    ),
    Trap::new(
        "a quotient that is too large",
        quotient,
        NtStatus::INTEGER_OVERFLOW,
    ),
    Trap::new(
        "the same by memory",
        quotient_memory,
        NtStatus::INTEGER_OVERFLOW,
    ),
    Trap::new(
        "the same by one byte",
        quotient_byte,
        NtStatus::INTEGER_OVERFLOW,
    ),
    Trap::new(
        "the same by a later register",
        quotient_extended,
        NtStatus::INTEGER_OVERFLOW,
    ),
    Trap::new(
        "a read of what is not there",
        read,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(READ_NOTHING)
    .at(7),
    Trap::new(
        "a write to what is not there",
        write,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(WRITE_NOTHING)
    .at(7),
    Trap::new(
        "a read of the kernel's memory",
        read_kernel,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(READ_KERNEL)
    .at(10),
    Trap::new(
        "an address that is not canonical",
        not_canonical,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(NOWHERE)
    .at(10),
    Trap::new(
        "a stack that is not canonical",
        stack_not_canonical,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(NOWHERE),
    Trap::new(
        "a selector that is none",
        bad_selector,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(NOWHERE)
    .at(4),
    Trap::new(
        "a selector of the kernel",
        kernel_selector,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(NOWHERE)
    .at(4),
    Trap::new(
        "a selector of a table that is none",
        local_selector,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(NOWHERE)
    .at(4),
    Trap::new("GS of the kernel", kernel_gs, NtStatus::ACCESS_VIOLATION)
        .with(NOWHERE)
        .at(4),
    Trap::new("SS of the kernel", kernel_stack, NtStatus::ACCESS_VIOLATION)
        .with(NOWHERE)
        .at(4),
    Trap::new("SS that is none", bad_stack, NtStatus::ACCESS_VIOLATION)
        .with(NOWHERE)
        .at(4),
    Trap::new(
        "a far return to the kernel",
        far_return,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(NOWHERE),
    Trap::new(
        "a far return to nowhere",
        far_return_nowhere,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(NOWHERE),
    Trap::new(
        "an interrupt return to the kernel",
        interrupt_return,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(NOWHERE),
    Trap::new(
        "a TEB that was given up",
        no_teb,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(NO_BASE),
    Trap::new(
        "an interrupt of the kernel",
        forbidden_interrupt,
        NtStatus::ACCESS_VIOLATION,
    )
    .with(NOWHERE)
    .at(0),
    Trap::new(
        "x87: a division by zero",
        x87_divide,
        NtStatus::FLOAT_DIVIDE_BY_ZERO,
    )
    .with(&[0]),
    Trap::new(
        "x87: an operation that is none",
        x87_invalid,
        NtStatus::FLOAT_INVALID_OPERATION,
    )
    .with(&[0]),
    Trap::new(
        "x87: a result that is rounded",
        x87_inexact,
        NtStatus::FLOAT_INEXACT_RESULT,
    )
    .with(&[0]),
    Trap::new(
        "x87: too large a result",
        x87_overflow,
        NtStatus::FLOAT_OVERFLOW,
    )
    .with(&[0]),
    Trap::new(
        "x87: too small a result",
        x87_underflow,
        NtStatus::FLOAT_UNDERFLOW,
    )
    .with(&[0]),
    Trap::new(
        "x87: a denormal operand",
        x87_denormal,
        NtStatus::FLOAT_DENORMAL_OPERAND,
    )
    .with(&[0]),
    Trap::new("x87: its stack", x87_stack, NtStatus::FLOAT_STACK_CHECK).with(&[0]),
    Trap::new(
        "SSE: a division by zero",
        sse_divide,
        NtStatus::FLOAT_DIVIDE_BY_ZERO,
    )
    .with(&[0])
    .depends(),
    Trap::new(
        "SSE: an operation that is none",
        sse_invalid,
        NtStatus::FLOAT_INVALID_OPERATION,
    )
    .with(&[0])
    .depends(),
    Trap::new(
        "SSE: a denormal operand",
        sse_denormal,
        NtStatus::FLOAT_DENORMAL_OPERAND,
    )
    .with(&[0])
    .depends(),
    Trap::new(
        "SSE: too large a result",
        sse_overflow,
        NtStatus::FLOAT_OVERFLOW,
    )
    .with(&[0])
    .depends(),
    Trap::new(
        "SSE: too small a result",
        sse_underflow,
        NtStatus::FLOAT_UNDERFLOW,
    )
    .with(&[0])
    .depends(),
    Trap::new(
        "SSE: a result that is rounded",
        sse_inexact,
        NtStatus::FLOAT_INEXACT_RESULT,
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
