//! Copies from and to user memory, which may fault.
//!
//! One stretch of code copies in both directions: while it runs, AC lets it access
//! user pages where SMAP would refuse, and CR0.WP makes a read-only page refuse the
//! kernel as it refuses user mode. A fault on a user address is the kernel's to
//! resolve (`Kernel::user_page_fault`), and what it cannot resolve ends the copy. A
//! fault on a kernel address is a fault like any other.
//!
//! AC is no longer set when anybody else's code runs: every entry clears it, and the
//! return to the copy takes it up again with the interrupted flags.
//!
//! Words of eight and four bytes are accessed in one piece. A string instruction would
//! be one instruction for all, but promises nothing about the size of its accesses.

use core::arch::global_asm;

use super::Machine;
use super::per_processor::HAS_SMAP_OFFSET;
use super::trap::TrapFrame;
use crate::contract::{Access, Irql, Processor, VirtAddr};
use crate::memory::layout;

/// What reading a word gives, in two registers.
#[repr(C)]
struct UserWord {
    word: u64,
    /// 0 if it could be read.
    failed: u64,
}

unsafe extern "C" {
    fn tarn_user_copy(to: u64, from: u64, length: usize) -> u64;
    fn tarn_read_user_word(from: u64) -> UserWord;
    fn tarn_write_user_word(to: u64, word: u64) -> u64;
    fn tarn_user_copy_failed();
}

global_asm!(
    r#"
    .macro user_access instruction
    cmp byte ptr gs:[{has_smap}], 0
    je 77f
    \instruction
77:
    .endm

    .text
    .p2align 4
    .global tarn_user_copy
tarn_user_copy:                     # (to, from, length) -> 0 or -1
    user_access stac
    sub rdx, 32
    jb 2f
1:  mov rax, [rsi]
    mov rcx, [rsi + 8]
    mov r8, [rsi + 16]
    mov r9, [rsi + 24]
    mov [rdi], rax
    mov [rdi + 8], rcx
    mov [rdi + 16], r8
    mov [rdi + 24], r9
    add rsi, 32
    add rdi, 32
    sub rdx, 32
    jae 1b
2:  and edx, 31                     # less 32 or not, the low bits are the rest's
    sub edx, 8
    jb 4f
3:  mov rax, [rsi]
    mov [rdi], rax
    add rsi, 8
    add rdi, 8
    sub edx, 8
    jae 3b
4:  test dl, 4
    jz 5f
    mov eax, [rsi]
    mov [rdi], eax
    add rsi, 4
    add rdi, 4
5:  and edx, 3
    jz 7f
6:  mov al, [rsi]
    mov [rdi], al
    inc rsi
    inc rdi
    dec edx
    jnz 6b
7:  xor eax, eax
    user_access clac
    ret

    .global tarn_read_user_word
tarn_read_user_word:                # (from) -> word, 0 or -1
    user_access stac
    mov rax, [rdi]
    xor edx, edx
    user_access clac
    ret

    .global tarn_write_user_word
tarn_write_user_word:               # (to, word) -> 0 or -1
    user_access stac
    mov [rdi], rsi
    xor eax, eax
    user_access clac
    ret

    .global tarn_user_copy_failed
tarn_user_copy_failed:              # what failed gives RAX or RDX
    user_access clac
    mov rax, -1
    mov rdx, rax
    ret
    .purgem user_access
"#,
    has_smap = const HAS_SMAP_OFFSET,
);

/// See `Threads::copy_from_user` and `Threads::copy_to_user`.
///
/// # Safety
/// As there: one side is in the user half, the other valid for the access; no byte is in both.
#[inline]
pub(super) unsafe fn copy(to: u64, from: u64, length: usize) -> bool {
    // SAFETY: the caller's promise; what faults on the user side ends the copy.
    unsafe { tarn_user_copy(to, from, length) == 0 }
}

/// See `Threads::read_user_word`.
///
/// # Safety
/// As there.
#[inline]
pub(super) unsafe fn read_word(from: VirtAddr) -> Option<u64> {
    // SAFETY: the caller's promise; a fault ends it.
    let read = unsafe { tarn_read_user_word(from.0) };
    (read.failed == 0).then_some(read.word)
}

/// See `Threads::write_user_word`.
///
/// # Safety
/// As there.
#[inline]
pub(super) unsafe fn write_word(to: VirtAddr, word: u64) -> bool {
    // SAFETY: as above.
    unsafe { tarn_write_user_word(to.0, word) == 0 }
}

/// Deals with a page fault if a copy met it on its user side; false if it is a fault like any other,
/// as each one is from Dispatch on, where nothing can wait for a page.
///
/// Interrupts are disabled; while the kernel looks for the page they are as the copying code had them.
pub(super) fn resume(frame: &mut TrapFrame, access: Access) -> bool {
    let code = tarn_user_copy as *const () as usize as u64
        ..tarn_user_copy_failed as *const () as usize as u64;
    let address = VirtAddr(frame.cr2);
    if !code.contains(&frame.rip) || address >= layout::PHYSICAL_MAP {
        return false;
    }
    if Machine::irql() >= Irql::Dispatch {
        return false;
    }
    let resolved = crate::kernel().is_some_and(|kernel| {
        Machine::restore_interrupts(frame.interrupts_enabled());
        let resolved = kernel.user_page_fault(address, access);
        Machine::disable_interrupts();
        resolved
    });
    if !resolved {
        frame.rip = code.end;
        frame.chain = code.end;
    }
    true
}
