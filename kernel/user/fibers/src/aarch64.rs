//! Fibers on ARM64.

use core::arch::naked_asm;

use c_interface::Ptr;

/// Bytes that a fiber's registers take: `x29`, `x30`, `x19` to `x28`, `d8` to `d15`, FPCR.
const FRAME: usize = 0xB0;

/// Leaves this stack for another. Where the registers lie is written to `from`; `to` is what was written when the other stack
/// was left, or what [`first_frame`] gave. With `floats` the other's rounding and traps come back too.
///
/// It returns when somebody comes back to this stack, maybe in another thread.
// SAFETY: the body follows the C convention: what it shall keep it finds on the stack that it comes back to.
#[unsafe(naked)]
pub extern "C" fn switch(from: Ptr<usize>, to: usize, floats: u32) {
    naked_asm!(
        ".seh_proc {this}",
        "stp x29, x30, [sp, #-0xB0]!",
        ".seh_save_fplr_x 0xB0",
        "stp x19, x20, [sp, #0x10]",
        ".seh_save_regp x19, 0x10",
        "stp x21, x22, [sp, #0x20]",
        ".seh_save_regp x21, 0x20",
        "stp x23, x24, [sp, #0x30]",
        ".seh_save_regp x23, 0x30",
        "stp x25, x26, [sp, #0x40]",
        ".seh_save_regp x25, 0x40",
        "stp x27, x28, [sp, #0x50]",
        ".seh_save_regp x27, 0x50",
        "stp d8, d9, [sp, #0x60]",
        ".seh_save_fregp d8, 0x60",
        "stp d10, d11, [sp, #0x70]",
        ".seh_save_fregp d10, 0x70",
        "stp d12, d13, [sp, #0x80]",
        ".seh_save_fregp d12, 0x80",
        "stp d14, d15, [sp, #0x90]",
        ".seh_save_fregp d14, 0x90",
        ".seh_endprologue",
        "mrs x9, fpcr",
        "str x9, [sp, #0xA0]",
        "mov x9, sp",
        "str x9, [x0]",
        "mov sp, x1",
        "cbz w2, 1f",
        "ldr x9, [sp, #0xA0]",
        "msr fpcr, x9",
        "1:",
        "ldp d14, d15, [sp, #0x90]",
        "ldp d12, d13, [sp, #0x80]",
        "ldp d10, d11, [sp, #0x70]",
        "ldp d8, d9, [sp, #0x60]",
        "ldp x27, x28, [sp, #0x50]",
        "ldp x25, x26, [sp, #0x40]",
        "ldp x23, x24, [sp, #0x30]",
        "ldp x21, x22, [sp, #0x20]",
        "ldp x19, x20, [sp, #0x10]",
        ".seh_startepilogue",
        "ldp x29, x30, [sp], #0xB0",
        ".seh_save_fplr_x 0xB0",
        ".seh_endepilogue",
        "ret",
        ".seh_endproc",
        this = sym switch,
    )
}

/// Puts registers on a new stack, whose first address above is `base`, with which it begins at `entry` (ntdll's
/// `RtlUserFiberStart`). Gives where they lie.
pub fn first_frame(base: usize, entry: usize, routine: usize, argument: usize) -> usize {
    let frame = Ptr::<usize>::new((base & !0xF) - FRAME);
    for word in 0..FRAME / size_of::<usize>() {
        frame.add(word).write(0);
    }
    frame.add(1).write(entry);
    frame.add(2).write(routine);
    frame.add(3).write(argument);
    frame.address()
}
