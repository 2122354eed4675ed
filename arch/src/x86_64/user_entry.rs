//! Into user mode and out of it: SYSRET or IRET, and SYSCALL or a vector.
//!
//! **Out.** While a thread is in user mode, RSP0 of the task state points just behind
//! the register area of its [`UserState`], so the processor itself pushes SS, RSP,
//! RFLAGS, CS, RIP and the error code where they belong, and the stub its vector.
//! SYSCALL pushes nothing and leaves RSP and GS the user's; it finds the area by the
//! processor's block. Both store the general registers there, take up the kernel
//! stack where `tarn_run_user` left it, and return to its caller. Maskable
//! interrupts alone are handled on the way and go back to user mode, unless the
//! thread's attention is wanted: that saves the common case the trip through the
//! caller's loop.
//!
//! SYSCALL's first instructions run on neither a kernel stack nor the kernel's GS.
//! FMASK keeps interrupts out of that window (and single step, AC, DF, NT and IOPL
//! with them); what cannot be kept out (NMI, #MC, #DB) enters by the IST and looks at
//! the GS base, see `vectors`. The area itself is never used as a stack below the
//! vector: nothing interrupts on it but by the IST.
//!
//! **In.** SYSRET only for an area that SYSCALL filled ([`BY_SYSCALL`] in the vector's
//! place) and in which since then at most RIP, RSP and RAX were set: so the selectors
//! are the 64-bit ones, and RCX and R11 may be RIP and RFLAGS. Who sets more takes the
//! mark away. And there must be no single step, and RIP in the lower half. The last is
//! a matter of security: with a non-canonical RIP, SYSRET of Intel's processors faults
//! in kernel mode on the user's stack. All else leaves by IRET, which faults in kernel
//! mode as well if RIP is beyond what the code segment can have: such an RIP, which
//! only another thread can have set, is an exception of the user mode that it would be.
//!
//! From 32-bit code AMD's processors enter at CSTAR; Intel's raise #UD there, and so
//! does this kernel. INT 0x2E works everywhere and is a vector like any other until
//! `user` looks at it.

use core::arch::global_asm;
use core::mem::offset_of;

use super::descriptors::{KERNEL_CODE, USER_CODE_32, USER_CODE_64, USER_DATA};
use super::per_processor::{HAS_SMAP_OFFSET, USER_STACK_OFFSET, USER_STATE_OFFSET};
use super::registers::{EFER, Msr};
use super::user::UserState;
use super::{idt, trap};

// SAFETY: every x86-64 processor has it; only selectors of our GDT are written.
const STAR: Msr = unsafe { Msr::new(0xC000_0081) };
// SAFETY: every x86-64 processor has it; only the stub's address is written.
const LSTAR: Msr = unsafe { Msr::new(0xC000_0082) };
// SAFETY: every x86-64 processor has it; only the stub's address is written.
const CSTAR: Msr = unsafe { Msr::new(0xC000_0083) };
// SAFETY: every x86-64 processor has it; it only clears flags on entry.
const FMASK: Msr = unsafe { Msr::new(0xC000_0084) };

/// TF, IF, DF, IOPL, NT, AC.
const CLEARED_FLAGS: u64 = 0x0004_7700;

/// What `tarn_run_user` returns: a SYSCALL.
pub(super) const SYSTEM_CALL: u64 = 0;
/// The thread's attention is wanted.
pub(super) const INTERRUPTED: u64 = 1;
/// A vector that is no interrupt; which, is in the area.
const TRAPPED: u64 = 2;
/// User mode was not entered: its program counter cannot be one.
pub(super) const BAD_PC: u64 = 3;

/// In the vector's place: the area was filled by a 64-bit SYSCALL.
pub(super) const BY_SYSCALL: u64 = 0x100;

/// #UD.
const UNDEFINED: u64 = 6;
/// Below it vectors are exceptions.
const FIRST_INTERRUPT: u64 = 0x20;

unsafe extern "C" {
    static syscall_entry: u8;
    static syscall_entry_32: u8;
    /// Runs user mode with the registers in `state`; returns why it was left.
    pub(super) fn tarn_run_user(state: &UserState) -> u64;
}

/// Makes SYSCALL lead to the stubs on this processor.
pub(super) fn enable() {
    STAR.write(u64::from(USER_CODE_32) << 48 | u64::from(KERNEL_CODE) << 32);
    LSTAR.write((&raw const syscall_entry) as u64);
    CSTAR.write((&raw const syscall_entry_32) as u64);
    FMASK.write(CLEARED_FLAGS);
    EFER.write(EFER.read() | 1);
}

/// An interrupt came in user mode.
extern "C" fn user_interrupt(vector: u64) {
    // Vectors have 8 bits.
    trap::interrupt((vector & 0xFF) as u8, true);
}

global_asm!(
    r#"
    # RSP is the area; all general registers but those that the entry stored already.
    .macro store_registers
    mov [rsp + {rax}], rax
    mov [rsp + {rbx}], rbx
    mov [rsp + {rdx}], rdx
    mov [rsp + {rsi}], rsi
    mov [rsp + {rdi}], rdi
    mov [rsp + {rbp}], rbp
    mov [rsp + {r8}], r8
    mov [rsp + {r9}], r9
    mov [rsp + {r10}], r10
    mov [rsp + {r12}], r12
    mov [rsp + {r13}], r13
    mov [rsp + {r14}], r14
    mov [rsp + {r15}], r15
    .endm

    .macro enter_system_call selector
    swapgs
    mov gs:[{user_stack}], rsp
    mov rsp, gs:[{user_state}]
    mov [rsp + {rcx}], rcx
    mov [rsp + {rip}], rcx
    mov [rsp + {r11}], r11
    mov [rsp + {rflags}], r11
    mov rcx, gs:[{user_stack}]
    mov [rsp + {rsp}], rcx
    mov qword ptr [rsp + {cs}], \selector
    mov qword ptr [rsp + {ss}], {user_data}
    mov dword ptr [rsp + {vector}], {by_syscall}
    store_registers
    .endm

    .text
    .p2align 4
    .global tarn_run_user
tarn_run_user:                      # (state) -> why it came back
    push rbp
    mov rbp, rsp
    push rbx
    push r12
    push r13
    push r14
    push r15
    push rdi
    mov [rdi + {kernel_rsp}], rsp
.Lenter_user:                       # RDI: the area
    mov rcx, [rdi + {rip}]
    mov r11, [rdi + {rflags}]
    cmp dword ptr [rdi + {vector}], {by_syscall}
    jne .Lreturn_by_iret
    # TF or RF: SYSRET would trap too early, or lose it.
    test r11d, 0x10100
    jnz .Lreturn_by_iret
    mov rax, rcx
    shr rax, 47
    jnz .Lreturn_by_iret
    mov rax, [rdi + {rax}]
    mov rbx, [rdi + {rbx}]
    mov rdx, [rdi + {rdx}]
    mov rsi, [rdi + {rsi}]
    mov rbp, [rdi + {rbp}]
    mov r8, [rdi + {r8}]
    mov r9, [rdi + {r9}]
    mov r10, [rdi + {r10}]
    mov r12, [rdi + {r12}]
    mov r13, [rdi + {r13}]
    mov r14, [rdi + {r14}]
    mov r15, [rdi + {r15}]
    mov rsp, [rdi + {rsp}]
    mov rdi, [rdi + {rdi}]
    swapgs
    sysretq

.Lreturn_by_iret:                   # RCX: RIP
    # 32-bit code has 32 bits of it, 64-bit code 47.
    mov rax, rcx
    shr rax, 32
    jz 1f
    cmp dword ptr [rdi + {cs}], {user_code_64}
    jne .Lbad_pc
    shr rax, 15
    jnz .Lbad_pc
1:  lea rsp, [rdi + {rip}]
    mov rax, [rdi + {rax}]
    mov rbx, [rdi + {rbx}]
    mov rcx, [rdi + {rcx}]
    mov rdx, [rdi + {rdx}]
    mov rsi, [rdi + {rsi}]
    mov rbp, [rdi + {rbp}]
    mov r8, [rdi + {r8}]
    mov r9, [rdi + {r9}]
    mov r10, [rdi + {r10}]
    mov r11, [rdi + {r11}]
    mov r12, [rdi + {r12}]
    mov r13, [rdi + {r13}]
    mov r14, [rdi + {r14}]
    mov r15, [rdi + {r15}]
    mov rdi, [rdi + {rdi}]
    swapgs
    iretq

.Lbad_pc:
    mov eax, {bad_pc}
    jmp .Lleave_user

    .p2align 4
    .global syscall_entry
syscall_entry:
    enter_system_call {user_code_64}
    mov rsp, [rsp + {kernel_rsp}]
    mov eax, {system_call}
.Lleave_user:                       # RSP as tarn_run_user left it, RAX: why
    add rsp, 8
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

    .p2align 4
    .global syscall_entry_32
syscall_entry_32:
    # The processor zeroed the upper half of RIP's copy in RCX. The instruction has two bytes.
    enter_system_call {user_code_32}
    sub qword ptr [rsp + {rip}], 2
    mov qword ptr [rsp + {vector}], {undefined}
    mov qword ptr [rsp + {error}], 0
    mov rsp, [rsp + {kernel_rsp}]
    mov eax, {trapped}
    jmp .Lleave_user

    # From the vectors: RSP is at the area's vector, GS the kernel's. A user's AC flag must not open its pages.
    .p2align 4
    .global tarn_user_trap
tarn_user_trap:
    lea rsp, [rsp - {vector}]
    store_registers
    mov [rsp + {rcx}], rcx
    mov [rsp + {r11}], r11
    cmp byte ptr gs:[{has_smap}], 0
    je 2f
    clac
2:  mov edi, [rsp + {vector}]
    mov rsp, [rsp + {kernel_rsp}]
    lea rbp, [rsp + 48]
    mov eax, {trapped}
    cmp edi, {first_interrupt}
    jb .Lleave_user
    cmp edi, {system_call_vector}
    je .Lleave_user
    call {user_interrupt}
    mov rdi, [rsp]
    cmp dword ptr [rdi + {attention}], 0
    je .Lenter_user
    mov eax, {interrupted}
    jmp .Lleave_user
    .purgem enter_system_call
    .purgem store_registers
"#,
    rax = const offset_of!(UserState, rax),
    rbx = const offset_of!(UserState, rbx),
    rcx = const offset_of!(UserState, rcx),
    rdx = const offset_of!(UserState, rdx),
    rsi = const offset_of!(UserState, rsi),
    rdi = const offset_of!(UserState, rdi),
    rbp = const offset_of!(UserState, rbp),
    r8 = const offset_of!(UserState, r8),
    r9 = const offset_of!(UserState, r9),
    r10 = const offset_of!(UserState, r10),
    r11 = const offset_of!(UserState, r11),
    r12 = const offset_of!(UserState, r12),
    r13 = const offset_of!(UserState, r13),
    r14 = const offset_of!(UserState, r14),
    r15 = const offset_of!(UserState, r15),
    vector = const offset_of!(UserState, vector),
    error = const offset_of!(UserState, error),
    rip = const offset_of!(UserState, rip),
    cs = const offset_of!(UserState, cs),
    rflags = const offset_of!(UserState, rflags),
    rsp = const offset_of!(UserState, rsp),
    ss = const offset_of!(UserState, ss),
    kernel_rsp = const offset_of!(UserState, kernel_rsp),
    attention = const offset_of!(UserState, attention),
    user_stack = const USER_STACK_OFFSET,
    user_state = const USER_STATE_OFFSET,
    has_smap = const HAS_SMAP_OFFSET,
    user_data = const USER_DATA,
    user_code_64 = const USER_CODE_64,
    user_code_32 = const USER_CODE_32,
    by_syscall = const BY_SYSCALL,
    undefined = const UNDEFINED,
    first_interrupt = const FIRST_INTERRUPT,
    system_call_vector = const idt::SYSTEM_CALL_VECTOR,
    system_call = const SYSTEM_CALL,
    interrupted = const INTERRUPTED,
    trapped = const TRAPPED,
    bad_pc = const BAD_PC,
    user_interrupt = sym user_interrupt,
);
