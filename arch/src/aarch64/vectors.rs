//! The exception vectors: from any interruption to a [`TrapFrame`](super::trap::TrapFrame) and back.
//!
//! **Is there a stack?** An exception at EL1 finds `SP` as the interrupted code
//! left it: possibly in a guard page, or anywhere at all. The first store would
//! then fault, enter the same vector, and do so for ever. So before any store the
//! vector asks the MMU, with `AT S1E1W`, whether the place of the frame (and some
//! headroom for the handler below it) may be written, and looks at the alignment.
//! That needs two registers; they go to the processor's block by `x18`, which
//! is right at EL1 whatever happened. `AT` is exact for every stack, wherever and
//! however large it is, needs no bounds to be kept up to date at each thread
//! switch and no alignment of stacks; it costs one walk that hits the TLB.
//! `PAR_EL1` is overwritten; who uses it keeps interrupts off meanwhile.
//!
//! If there is no stack, the emergency stack is used, once. If it fails while it
//! is in use, a third entry starts it afresh for one last message.
//!
//! **From EL0** the entries go to `user`: there `SP_EL1` is the place of the thread's
//! user registers, and is trusted.
//!
//! **SIMD registers** are not saved: the kernel is compiled without them. The
//! frame ends in a frame record {x29, ELR}, so that a stack walk passes through an
//! interruption to the interrupted code, including the exact place.
//!
//! On return to EL1 `x18` is not restored (see `per_processor`), and `SP` comes
//! from the frame, so that a handler on the emergency stack may resume code on
//! another one.

use core::arch::{asm, global_asm};
use core::mem::{offset_of, size_of};

use super::per_processor::{EMERGENCY_DEPTH, EMERGENCY_STACK_TOP, SCRATCH};
use super::trap::{self, TrapFrame};
use super::user::AREA;

/// Bytes that must be writable below the frame, for the handler.
const HEADROOM: usize = 1024;

/// What `x1` tells the handler: the kind in bits 1:0, and flags.
pub(super) const KIND_MASK: u64 = 3;
pub(super) const SYNCHRONOUS: u64 = 0;
pub(super) const INTERRUPT: u64 = 1;
pub(super) const FAST_INTERRUPT: u64 = 2;
pub(super) const SYSTEM_ERROR: u64 = 3;
/// The stack was not usable; this is the emergency stack.
pub(super) const NO_STACK: u64 = 1 << 3;

/// Points this processor at the vectors.
pub(super) fn install() {
    // SAFETY: the table below is aligned and handles every entry; x18 is right on this processor.
    unsafe {
        asm!("adrp {t}, tarn_vectors", "add {t}, {t}, :lo12:tarn_vectors", "msr vbar_el1, {t}", "isb", t = out(reg) _, options(nostack))
    };
}

global_asm!(
    r#"
    .macro  entry_from_el1 kind
    .balign 0x80
    stp     x0, x1, [x18, #{scratch}]
    sub     x0, sp, #({frame} + {headroom})
    at      s1e1w, x0
    isb
    mrs     x1, par_el1
    and     x0, x0, #15
    bfi     x1, x0, #1, #4          // PAR_EL1.F or a misaligned SP
    tst     x1, #0x1F
    mov     x1, #\kind
    b.ne    .Lno_stack
    ldr     x0, [x18, #{scratch}]
    sub     sp, sp, #{frame}
    stp     x2, x3, [sp, #16]
    add     x2, sp, #{frame}
    b       .Lsave_from_el1
    .endm

    .macro  entry_from_el0 kind
    .balign 0x80
    sub     sp, sp, #{user_area}
    stp     x0, x1, [sp]
    mov     x0, #\kind
    b       tarn_user_entry
    .endm

    // x4 to x30 but x18, which differs between the levels, and what the exception left in system registers.
    .macro  save_rest
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    stp     x30, x2, [sp, #240]     // x2: the interrupted SP
    mrs     x3, elr_el1
    mrs     x4, spsr_el1
    mrs     x5, esr_el1
    mrs     x6, far_el1
    stp     x3, x4, [sp, #{elr}]
    stp     x5, x6, [sp, #{esr}]
    stp     x29, x3, [sp, #{record}]
    add     x29, sp, #{record}
    mov     x0, sp
    .endm

    .section .text.vectors, "ax"
    .balign 0x800
    .global tarn_vectors
tarn_vectors:
    entry_from_el1 {synchronous}    // on SP_EL0, which the kernel never uses; SP_EL1 is as good as it was
    entry_from_el1 {interrupt}
    entry_from_el1 {fast_interrupt}
    entry_from_el1 {system_error}
    entry_from_el1 {synchronous}    // on SP_EL1
    entry_from_el1 {interrupt}
    entry_from_el1 {fast_interrupt}
    entry_from_el1 {system_error}
    entry_from_el0 {synchronous}
    entry_from_el0 {interrupt}
    entry_from_el0 {fast_interrupt}
    entry_from_el0 {system_error}
    entry_from_el0 {synchronous}    // from AArch32, the last four
    entry_from_el0 {interrupt}
    entry_from_el0 {fast_interrupt}
    entry_from_el0 {system_error}

    // x0: its own value; x1: kind, its own value in the scratch; x2: interrupted SP, saved with x3.
.Lsave_from_el1:
    str     x0, [sp]
    ldr     x0, [x18, #{scratch} + 8]
    str     x0, [sp, #8]
    save_rest
    bl      {handle}
    // Everything is loaded relative to x30, because SP changes in between; nothing interrupts, so what lies below SP stays.
    mov     x30, sp
    ldp     x3, x4, [x30, #{elr}]
    msr     elr_el1, x3
    msr     spsr_el1, x4
    ldp     x2, x3, [x30, #16]
    ldp     x4, x5, [x30, #32]
    ldp     x6, x7, [x30, #48]
    ldp     x8, x9, [x30, #64]
    ldp     x10, x11, [x30, #80]
    ldp     x12, x13, [x30, #96]
    ldp     x14, x15, [x30, #112]
    ldp     x16, x17, [x30, #128]
    ldr     x19, [x30, #152]
    ldp     x20, x21, [x30, #160]
    ldp     x22, x23, [x30, #176]
    ldp     x24, x25, [x30, #192]
    ldp     x26, x27, [x30, #208]
    ldp     x28, x29, [x30, #224]
    ldr     x0, [x30, #{sp}]
    mov     sp, x0
    ldp     x0, x1, [x30]
    ldr     x30, [x30, #240]
    eret

    // x1: kind; x0 is free; both are in the scratch.
.Lno_stack:
    orr     x1, x1, #{no_stack}
    str     x1, [x18, #{scratch} + 24]
    mov     x1, sp
    str     x1, [x18, #{scratch} + 16]
    ldr     x0, [x18, #{depth}]
    add     x0, x0, #1
    str     x0, [x18, #{depth}]
    cmp     x0, #1
    b.ne    2f
    ldr     x0, [x18, #{emergency_top}]
    mov     sp, x0
    ldr     x0, [x18, #{scratch}]
    ldr     x1, [x18, #{scratch} + 24]
    sub     sp, sp, #{frame}
    stp     x2, x3, [sp, #16]
    ldr     x2, [x18, #{scratch} + 16]
    b       .Lsave_from_el1

    // The emergency stack failed too: what is on it is given up.
2:  cmp     x0, #2
    b.ne    3f
    ldr     x1, [x18, #{emergency_top}]
    mov     sp, x1
    mrs     x0, elr_el1
    mrs     x1, esr_el1
    mrs     x2, far_el1
    ldr     x3, [x18, #{scratch} + 16]
    mov     x29, xzr
    mov     x30, xzr
    b       {last_resort}
3:  wfe
    b       3b
    .text
    "#,
    scratch = const SCRATCH,
    emergency_top = const EMERGENCY_STACK_TOP,
    depth = const EMERGENCY_DEPTH,
    frame = const size_of::<TrapFrame>(),
    headroom = const HEADROOM,
    sp = const offset_of!(TrapFrame, sp),
    elr = const offset_of!(TrapFrame, elr),
    esr = const offset_of!(TrapFrame, esr),
    record = const offset_of!(TrapFrame, record),
    user_area = const AREA,
    no_stack = const NO_STACK,
    synchronous = const SYNCHRONOUS,
    interrupt = const INTERRUPT,
    fast_interrupt = const FAST_INTERRUPT,
    system_error = const SYSTEM_ERROR,
    handle = sym trap::handle,
    last_resort = sym trap::last_resort,
);
