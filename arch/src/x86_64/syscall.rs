//! SYSCALL and back.
//!
//! SYSCALL leaves the user's RSP and GS in place: for three instructions the kernel
//! runs on neither its own stack nor its own block. FMASK keeps interrupts out of
//! that window (and single step, AC, DF, NT and IOPL with them); what cannot be kept
//! out (NMI, #MC, #DB) enters by the IST and looks at the GS base, see `vectors`.
//!
//! The way back is SYSRET only for a frame that it can restore: 64-bit selectors,
//! RCX and R11 equal to RIP and RFLAGS, no single step, and RIP in the lower half.
//! The last is a matter of security: with a non-canonical RIP, SYSRET of Intel's
//! processors faults in kernel mode on the user's stack. All else leaves by IRET.
//!
//! From 32-bit code AMD's processors enter at CSTAR; Intel's raise #UD there.
//! INT 0x2E works everywhere and arrives in the same place.

use core::arch::global_asm;

use super::descriptors::{KERNEL_CODE, USER_CODE_32, USER_CODE_64, USER_DATA};
use super::per_processor::{KERNEL_STACK_OFFSET, USER_STACK_OFFSET};
use super::registers::{EFER, Msr};
use super::trap::{SYSCALL_32, SYSCALL_64, TrapFrame};
use super::vectors::{end_frame_macros, frame_macros};
use crate::Machine;
use crate::contract::Processor;

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

unsafe extern "C" {
    static syscall_entry: u8;
    static syscall_entry_32: u8;
}

/// Makes SYSCALL lead to the stubs on this processor.
pub(super) fn enable() {
    STAR.write(u64::from(USER_CODE_32) << 48 | u64::from(KERNEL_CODE) << 32);
    LSTAR.write((&raw const syscall_entry) as u64);
    CSTAR.write((&raw const syscall_entry_32) as u64);
    FMASK.write(CLEARED_FLAGS);
    EFER.write(EFER.read() | 1);
}

/// Called by the SYSCALL stubs and for INT 0x2E, with interrupts disabled; returns in the same state.
pub(super) extern "C" fn system_call(frame: &mut TrapFrame) {
    Machine::restore_interrupts(true);
    // Without a kernel there is no user mode.
    if let Some(kernel) = crate::kernel() {
        kernel.system_call(frame);
    }
    Machine::disable_interrupts();
}

global_asm!(
    frame_macros!(),
    r#"
    .macro enter_system_call selector, marker
    swapgs
    mov gs:[{user_stack}], rsp
    mov rsp, gs:[{kernel_stack}]
    push {user_data}
    push qword ptr gs:[{user_stack}]
    push r11
    push \selector
    push rcx
    push 0
    push \marker
    save_registers
    mov rdi, rsp
    call {system_call}
    .endm

    .text
    .p2align 4
    .global syscall_entry
syscall_entry:
    enter_system_call {user_code_64}, {syscall_64}
    # Offsets of TrapFrame: R11 32, RCX 88, RIP 152, CS 160, RFLAGS 168, RSP 176, SS 184.
    mov rcx, [rsp + 152]
    cmp rcx, [rsp + 88]
    jne 1f
    mov r11, [rsp + 168]
    cmp r11, [rsp + 32]
    jne 1f
    # TF or RF: SYSRET would trap too early, or lose it.
    test r11d, 0x10100
    jnz 1f
    cmp dword ptr [rsp + 160], {user_code_64}
    jne 1f
    cmp dword ptr [rsp + 184], {user_data}
    jne 1f
    mov rax, rcx
    shr rax, 47
    jnz 1f
    restore_registers
    mov rsp, [rsp + 56]
    swapgs
    sysretq
1:  restore_registers
    add rsp, 32
    swapgs
    iretq

    .p2align 4
    .global syscall_entry_32
syscall_entry_32:
    # The processor zeroed the upper half of RIP's copy in RCX.
    enter_system_call {user_code_32}, {syscall_32}
    jmp 1b
    .purgem enter_system_call
"#,
    end_frame_macros!(),
    user_stack = const USER_STACK_OFFSET,
    kernel_stack = const KERNEL_STACK_OFFSET,
    user_data = const USER_DATA,
    user_code_64 = const USER_CODE_64,
    user_code_32 = const USER_CODE_32,
    syscall_64 = const SYSCALL_64,
    syscall_32 = const SYSCALL_32,
    system_call = sym system_call,
);

const _: () = {
    use core::mem::offset_of;
    assert!(offset_of!(TrapFrame, r11) == 32 && offset_of!(TrapFrame, rcx) == 88);
    assert!(offset_of!(TrapFrame, rip) == 152 && offset_of!(TrapFrame, cs) == 160);
    assert!(offset_of!(TrapFrame, rflags) == 168 && offset_of!(TrapFrame, rsp) == 176);
    assert!(
        offset_of!(TrapFrame, ss) == 184
            && offset_of!(TrapFrame, chain) + 56 == offset_of!(TrapFrame, rsp)
    );
};
