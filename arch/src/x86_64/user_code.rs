//! Code of user mode for the tests: see `UserCode`.
//!
//! It is never executed where it is linked, but copied into a page of user mode; so it
//! is constant data here, and every jump is relative.

use core::arch::global_asm;

use crate::contract::UserCode;

global_asm!(
    r#"
    .section .rodata.user_code, "a"
    .macro code name
    .p2align 4
    .global user_code_\name
user_code_\name:
    .endm
    .macro system_call number
    mov eax, \number
    syscall
    .endm
    .macro each_simd operation
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    \operation \n
    .endr
    .endm

    code system_calls
    sub rsp, 0x58
    mov qword ptr [rsp + 0x28], 0x104
    mov qword ptr [rsp + 0x30], 0x105
    mov qword ptr [rsp + 0x38], 0x106
    mov qword ptr [rsp + 0x40], 0x107
    mov qword ptr [rsp + 0x48], 0x108
    mov qword ptr [rsp + 0x50], 0x109
    mov r10d, 0x100
    mov edx, 0x101
    mov r8d, 0x102
    mov r9d, 0x103
    system_call 7
    add rsp, 0x58
    mov r10, rax
    system_call 8
    jmp user_code_system_calls

    code null_system_calls
    system_call 5
    jmp user_code_null_system_calls

    code old_system_call
    mov eax, 7
    int 0x2e
    ud2

    code read
    mov r10, [rcx]
    system_call 1
    ud2

    code write
    mov [rcx], rdx
    system_call 1
    ud2

    code execute
    call rcx
    system_call 1
    ud2

    code illegal_instruction
    ud2

    code breakpoint
    int3
    ud2

    code single_step
    pushfq
    or dword ptr [rsp], 0x100
    popfq
    nop
    ud2

    code bad_selector
    mov eax, 0x63
    mov ds, eax
    ud2

    code thirty_two_bit
    push 0x23
    lea rax, [rip + 1f]
    push rax
    retfq
    .code32
1:  mov eax, 9
    int 0x2e
    syscall
    ud2
    .code64

    code endless
1:  pause
    jmp 1b

    code read_teb
    mov r10, gs:[0]
    system_call 1
    ud2

    # The address in RDX, the seed in R8; RCX is scratch; nothing that waits touches the flags.
    code hold_registers
    mov r8, rdx
    mov rdx, rcx
    .macro fill_simd n
    lea rax, [r8 + 256 + \n]
    movq xmm\n, rax
    punpcklqdq xmm\n, xmm\n
    .endm
    each_simd fill_simd
    mov rax, r8
    and eax, 0x8d5
    or eax, 2
    push rax
    popfq
    lea rax, [r8 + 1]
    lea rbx, [r8 + 2]
    lea rsi, [r8 + 3]
    lea rdi, [r8 + 4]
    lea rbp, [r8 + 5]
    lea r9, [r8 + 9]
    lea r10, [r8 + 10]
    lea r11, [r8 + 11]
    lea r12, [r8 + 12]
    lea r13, [r8 + 13]
    lea r14, [r8 + 14]
    lea r15, [r8 + 15]
1:  mov rcx, [rdx]
    jrcxz 1b
    pushfq
    pop rcx
    xor rcx, r8
    test ecx, 0x8d5
    jnz 2f
    .macro compare register, value
    sub \register, r8
    cmp \register, \value
    jne 2f
    .endm
    compare rax, 1
    compare rbx, 2
    compare rsi, 3
    compare rdi, 4
    compare rbp, 5
    compare r9, 9
    compare r10, 10
    compare r11, 11
    compare r12, 12
    compare r13, 13
    compare r14, 14
    compare r15, 15
    .macro compare_simd n
    movq rax, xmm\n
    compare rax, 256+\n
    psrldq xmm\n, 8
    movq rax, xmm\n
    compare rax, 256+\n
    .endm
    each_simd compare_simd
    xor r10d, r10d
    mov rdx, gs:[0]
    jmp 3f
2:  mov r10d, 1
3:  system_call 1
    ud2

    code end
    .purgem code
    .purgem system_call
    .purgem each_simd
    .purgem fill_simd
    .purgem compare
    .purgem compare_simd
    .text
"#
);

unsafe extern "C" {
    static user_code_system_calls: u8;
    static user_code_null_system_calls: u8;
    static user_code_old_system_call: u8;
    static user_code_read: u8;
    static user_code_write: u8;
    static user_code_execute: u8;
    static user_code_illegal_instruction: u8;
    static user_code_breakpoint: u8;
    static user_code_single_step: u8;
    static user_code_bad_selector: u8;
    static user_code_thirty_two_bit: u8;
    static user_code_endless: u8;
    static user_code_read_teb: u8;
    static user_code_hold_registers: u8;
    static user_code_end: u8;
}

/// See `SelfTest::user_code`.
pub(super) fn get(code: UserCode) -> &'static [u8] {
    let start = match code {
        UserCode::SystemCalls => &raw const user_code_system_calls,
        UserCode::NullSystemCalls => &raw const user_code_null_system_calls,
        UserCode::OldSystemCall => &raw const user_code_old_system_call,
        UserCode::Read => &raw const user_code_read,
        UserCode::Write => &raw const user_code_write,
        UserCode::Execute => &raw const user_code_execute,
        UserCode::IllegalInstruction => &raw const user_code_illegal_instruction,
        UserCode::Breakpoint => &raw const user_code_breakpoint,
        UserCode::SingleStep => &raw const user_code_single_step,
        UserCode::BadSelector => &raw const user_code_bad_selector,
        UserCode::ThirtyTwoBit => &raw const user_code_thirty_two_bit,
        UserCode::Endless => &raw const user_code_endless,
        UserCode::ReadTeb => &raw const user_code_read_teb,
        UserCode::HoldRegisters => &raw const user_code_hold_registers,
    };
    let length = (&raw const user_code_end).addr() - start.addr();
    // SAFETY: the block above, in order: from any of its labels to its end are constant bytes. That what follows the
    // wanted code is copied along harms nobody.
    unsafe { core::slice::from_raw_parts(start, length) }
}
