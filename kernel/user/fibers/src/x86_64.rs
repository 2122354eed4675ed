//! Fibers on x64.

use core::arch::naked_asm;

use c_interface::Ptr;

/// Bytes of a fiber's registers with the address that it goes on at: `xmm6` to `xmm15`, two control words, `r15` to `r12`,
/// `rsi`, `rdi`, `rbp`, `rbx`.
const FRAME: usize = 0xF0;
/// Where in it are the control words: MXCSR, and behind it that of the x87.
const CONTROL: usize = 0xA0;
/// Where in it are `r13` and `r12`.
const R13: usize = 0xB8;
const R12: usize = 0xC0;
/// Where in it is the address.
const ADDRESS: usize = 0xE8;

/// What both control words are when a thread begins: all exceptions masked, rounding to the nearest.
const FIRST_MXCSR: u32 = 0x1F80;
const FIRST_X87: u32 = 0x027F;

/// Leaves this stack for another. Where the registers lie is written to `from`; `to` is what was written when the other stack
/// was left, or what [`first_frame`] gave. With `floats` the other's rounding and traps come back too.
///
/// It returns when somebody comes back to this stack, maybe in another thread.
// SAFETY: the body follows the C convention: what it shall keep it finds on the stack that it comes back to.
#[unsafe(naked)]
pub extern "C" fn switch(from: Ptr<usize>, to: usize, floats: u32) {
    naked_asm!(
        ".seh_proc {this}",
        "push rbx",
        ".seh_pushreg rbx",
        "push rbp",
        ".seh_pushreg rbp",
        "push rdi",
        ".seh_pushreg rdi",
        "push rsi",
        ".seh_pushreg rsi",
        "push r12",
        ".seh_pushreg r12",
        "push r13",
        ".seh_pushreg r13",
        "push r14",
        ".seh_pushreg r14",
        "push r15",
        ".seh_pushreg r15",
        "sub rsp, 0xA8",
        ".seh_stackalloc 0xA8",
        "movaps [rsp + 0x00], xmm6",
        ".seh_savexmm xmm6, 0x00",
        "movaps [rsp + 0x10], xmm7",
        ".seh_savexmm xmm7, 0x10",
        "movaps [rsp + 0x20], xmm8",
        ".seh_savexmm xmm8, 0x20",
        "movaps [rsp + 0x30], xmm9",
        ".seh_savexmm xmm9, 0x30",
        "movaps [rsp + 0x40], xmm10",
        ".seh_savexmm xmm10, 0x40",
        "movaps [rsp + 0x50], xmm11",
        ".seh_savexmm xmm11, 0x50",
        "movaps [rsp + 0x60], xmm12",
        ".seh_savexmm xmm12, 0x60",
        "movaps [rsp + 0x70], xmm13",
        ".seh_savexmm xmm13, 0x70",
        "movaps [rsp + 0x80], xmm14",
        ".seh_savexmm xmm14, 0x80",
        "movaps [rsp + 0x90], xmm15",
        ".seh_savexmm xmm15, 0x90",
        ".seh_endprologue",
        "stmxcsr [rsp + 0xA0]",
        "fnstcw [rsp + 0xA4]",
        "mov [rcx], rsp",
        "mov rsp, rdx",
        "test r8d, r8d",
        "jz 2f",
        "ldmxcsr [rsp + 0xA0]",
        "fldcw [rsp + 0xA4]",
        "2:",
        "movaps xmm6, [rsp + 0x00]",
        "movaps xmm7, [rsp + 0x10]",
        "movaps xmm8, [rsp + 0x20]",
        "movaps xmm9, [rsp + 0x30]",
        "movaps xmm10, [rsp + 0x40]",
        "movaps xmm11, [rsp + 0x50]",
        "movaps xmm12, [rsp + 0x60]",
        "movaps xmm13, [rsp + 0x70]",
        "movaps xmm14, [rsp + 0x80]",
        "movaps xmm15, [rsp + 0x90]",
        "add rsp, 0xA8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rsi",
        "pop rdi",
        "pop rbp",
        "pop rbx",
        "ret",
        ".seh_endproc",
        this = sym switch,
    )
}

/// Puts registers on a new stack, whose first address above is `base`, with which it begins at `entry` (ntdll's
/// `RtlUserFiberStart`). Gives where they lie.
pub fn first_frame(base: usize, entry: usize, routine: usize, argument: usize) -> usize {
    // Above them no address to return to, so that a walk over the stack ends there.
    let frame = Ptr::<u8>::new((base & !0xF) - 0x10 - FRAME);
    frame.fill(0, FRAME + 0x10);
    let word = |offset: usize| frame.byte_add(offset).cast::<usize>();
    let control = frame.byte_add(CONTROL).cast::<u32>();
    control.write(FIRST_MXCSR);
    control.add(1).write(FIRST_X87);
    word(R12).write(routine);
    word(R13).write(argument);
    word(ADDRESS).write(entry);
    frame.address()
}
