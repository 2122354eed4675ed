//! The stubs that every vector enters through.
//!
//! A stub makes the stack look the same whether the processor pushed an error code
//! or not, names its vector and goes to one of two common paths:
//!
//! * `trap_entry`: on the interrupted kernel stack or, from user mode, at the end of
//!   the thread's register area. CS says which, and so whether to SWAPGS; what comes
//!   from user mode goes on in `user_entry`.
//! * `trap_entry_ist`, for #DB, NMI, #DF and #MC, which can hit between SYSCALL and
//!   its SWAPGS: CS then says "kernel" while GS is still the user's. Here the GS base
//!   itself decides: the kernel's is in the upper half, a user's never is (user mode
//!   cannot write it, since CR4.FSGSBASE is off, and the kernel refuses such a value).
//!   From user mode #DB moves to the register area, since it is an exception like any
//!   other there; NMI, #MC and #DF stay where they are: they are the machine's business,
//!   and an NMI holds back the next until IRET.
//!
//! The saved RBP lies below a copy of RIP, like in any called function's frame, and
//! RBP points there while Rust code runs: a walk along the frame pointers passes
//! through the interrupted instruction.
//!
//! All gates are interrupt gates: IF is clear until Rust sets it. DF is cleared as
//! the ABI wants, and AC where there is SMAP, lest a user's AC flag opens its pages.

use core::arch::global_asm;

use super::per_processor::{HAS_SMAP_OFFSET, USER_STATE_OFFSET};
use super::trap::trap;
use super::user::AREA;

/// Bytes from one stub to the next.
pub(super) const STUB_LENGTH: u64 = 16;

unsafe extern "C" {
    /// The first stub.
    static trap_stubs: u8;
}

/// The address of a vector's stub.
pub(super) fn stub(vector: u8) -> u64 {
    (&raw const trap_stubs) as u64 + STUB_LENGTH * u64::from(vector)
}

global_asm!(
    r#"
    # On the stack: vector, error code, RIP, CS, RFLAGS, RSP, SS. Makes a TrapFrame of it.
    .macro save_registers
    push 0
    push qword ptr [rsp + 24]
    push rbp
    mov rbp, rsp
    push rax
    push rbx
    push rcx
    push rdx
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
    .endm

    # Leaves RSP at the saved RBP's upper neighbour, the copy of RIP.
    .macro restore_registers
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rbx
    pop rax
    pop rbp
    .endm

    .macro forbid_user_pages
    cmp byte ptr gs:[{has_smap}], 0
    je 77f
    clac
77:
    .endm

    .text
    .p2align 4
    .global trap_entry
trap_entry:
    cld
    test byte ptr [rsp + 24], 3
    jz trap_entry_kernel_gs
    swapgs
    jmp tarn_user_trap
trap_entry_kernel_gs:
    save_registers
    forbid_user_pages
    mov rdi, rsp
    call {trap}
    restore_registers
    add rsp, 32
    test byte ptr [rsp + 8], 3
    jz 1f
    swapgs
1:  iretq

    .p2align 4
    .global trap_entry_ist
trap_entry_ist:
    cld
    test byte ptr [rsp + 24], 3
    jnz 3f
    save_registers
    # EBX survives the call: 1 if GS was the user's.
    xor ebx, ebx
    mov ecx, 0xC0000101
    rdmsr
    test edx, edx
    js 1f
    swapgs
    inc ebx
1:  forbid_user_pages
    mov rdi, rsp
    call {trap}
    test ebx, ebx
    jz 2f
    swapgs
2:  restore_registers
    add rsp, 32
    iretq
    # From user mode.
3:  swapgs
    cmp dword ptr [rsp], 1
    jne trap_entry_kernel_gs
    push rax
    mov rax, rsp
    mov rsp, gs:[{user_state}]
    add rsp, {user_area}
    push qword ptr [rax + 56]
    push qword ptr [rax + 48]
    push qword ptr [rax + 40]
    push qword ptr [rax + 32]
    push qword ptr [rax + 24]
    push qword ptr [rax + 16]
    push qword ptr [rax + 8]
    mov rax, [rax]
    jmp tarn_user_trap
    .purgem forbid_user_pages
    .purgem save_registers
    .purgem restore_registers
"#,
    has_smap = const HAS_SMAP_OFFSET,
    user_state = const USER_STATE_OFFSET,
    user_area = const AREA,
    trap = sym trap,
);

global_asm!(
    r#"
    .text
    .p2align 4
    .global trap_stubs
trap_stubs:
    .set vector, 0
    .rept 256
    .p2align 4
    # Vectors for which the processor itself pushes an error code.
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
    .else
    pushq $0
    .endif
    pushq $vector
    .if vector == 1 || vector == 2 || vector == 8 || vector == 18
    jmp trap_entry_ist
    .else
    jmp trap_entry
    .endif
    .set vector, vector + 1
    .endr
    .p2align 4
"#,
    options(att_syntax),
);
