//! EL2: how the kernel leaves it, and what stays there.
//!
//! Entered at EL2, the kernel sets EL1 up as if nothing were above it (no traps,
//! virtual counter equal to the physical one, GIC system registers allowed) and
//! drops to EL1h. A vector table stays behind, so that a hypervisor can take EL2
//! back later without a reboot. It answers HVC with SMCCC numbers of the
//! vendor-specific hypervisor range:
//!
//! | x0 | call | result in x0 |
//! |---|---|---|
//! | `0xC600_0000` | version | 1, and x1 = the bytes "Tarn" |
//! | `0xC600_0001` | replace vectors; x1 = physical address, 2 KiB aligned | 0, or -2 (bad address) |
//! | other | | -1 (not supported) |
//!
//! All other registers keep their values. The stub runs with EL2's MMU off, at
//! the image's physical address, and uses no memory. The image's code is never
//! moved or freed, so the stub stays good. Anything else that arrives at EL2 has
//! no cause that the kernel set up: the stub says so and ends.

use core::arch::global_asm;

use super::entry::SCTLR_OFF;

/// HCR_EL2: EL1 is AArch64, and pointer authentication is EL1's own business.
const HCR: u64 = 1 << 31 | 1 << 41 | 1 << 40;
/// SCTLR_EL2 with MMU and data cache off: the RES1 bits, and instruction cache on.
const SCTLR_EL2: u64 = 0x30C5_0830 | 1 << 12;
/// CPTR_EL2: the RES1 bits; SIMD is not trapped, SVE is.
const CPTR: u64 = 0x33FF;
/// SPSR for EL1h with D, A, I and F masked.
const SPSR: u64 = 0x3C5;

global_asm!(
    r#"
    .section .text.el2_drop, "ax"
    // Returns at EL1h with all exceptions masked, MMU off. Clobbers x9 to x11.
    .global tarn_drop_to_el1
tarn_drop_to_el1:
    ldr     x9, ={sctlr}
    msr     sctlr_el1, x9
    isb
    mrs     x9, CurrentEL
    cmp     x9, #(2 << 2)
    b.eq    1f
    ret
1:  ldr     x9, ={hcr}
    msr     hcr_el2, x9
    isb
    ldr     x9, ={sctlr_el2}
    msr     sctlr_el2, x9
    mov     x9, #{cptr}
    msr     cptr_el2, x9
    msr     hstr_el2, xzr
    msr     vttbr_el2, xzr
    mrs     x9, cnthctl_el2
    orr     x9, x9, #3              // EL1 may read the physical counter and use the physical timer
    msr     cnthctl_el2, x9
    msr     cntvoff_el2, xzr
    mrs     x9, midr_el1
    msr     vpidr_el2, x9
    mrs     x9, mpidr_el1
    msr     vmpidr_el2, x9

    // All performance counters belong to EL1, if there are any.
    mov     x10, xzr
    mrs     x9, id_aa64dfr0_el1
    ubfx    x9, x9, #8, #4
    cbz     x9, 2f
    cmp     x9, #15
    b.eq    2f
    mrs     x10, pmcr_el0
    ubfx    x10, x10, #11, #5
2:  msr     mdcr_el2, x10

    // The GIC's system registers, where the processor has them and EL3 lets us.
    mrs     x9, id_aa64pfr0_el1
    ubfx    x9, x9, #24, #4
    cbz     x9, 3f
    mrs     x9, S3_4_C12_C9_5       // ICC_SRE_EL2
    orr     x9, x9, #0xF            // system registers, no legacy bypass, EL1 decides for itself
    msr     S3_4_C12_C9_5, x9
    isb
    mrs     x9, S3_4_C12_C9_5
    tbz     x9, #0, 3f
    msr     S3_4_C12_C11_0, xzr     // ICH_HCR_EL2

    // Fine-grained traps and the extended configuration register have no defined value after reset.
3:  mrs     x9, id_aa64mmfr0_el1
    ubfx    x9, x9, #56, #4
    cbz     x9, 4f
    msr     S3_4_C1_C1_4, xzr       // HFGRTR_EL2
    msr     S3_4_C1_C1_5, xzr       // HFGWTR_EL2
    msr     S3_4_C1_C1_6, xzr       // HFGITR_EL2
    msr     S3_4_C3_C1_4, xzr       // HDFGRTR_EL2
    msr     S3_4_C3_C1_5, xzr       // HDFGWTR_EL2
4:  mrs     x9, id_aa64mmfr1_el1
    ubfx    x9, x9, #40, #4
    cbz     x9, 5f
    msr     S3_4_C1_C2_2, xzr       // HCRX_EL2

5:  adrp    x9, tarn_el2_vectors
    add     x9, x9, :lo12:tarn_el2_vectors
    msr     vbar_el2, x9
    mov     x9, #{spsr}
    msr     spsr_el2, x9
    msr     elr_el2, x30
    isb
    eret
    .ltorg

    .section .text.el2_stub, "ax"
    .balign 0x800
tarn_el2_vectors:
    .rept   4                       // from EL2 on SP_EL0
    b       .Lel2_park
    .balign 0x80
    .endr
    .rept   4                       // from EL2 itself: the HLT below, where semihosting is not served
    b       .Lel2_park
    .balign 0x80
    .endr
    msr     tpidr_el2, x2           // synchronous, from EL1 or EL0 in AArch64
    mrs     x2, esr_el2
    lsr     x2, x2, #26
    cmp     x2, #0x16
    b.ne    .Lel2_unexpected
    b       .Lel2_call
    .balign 0x80
    .rept   7
    b       .Lel2_unexpected
    .balign 0x80
    .endr

.Lel2_call:
    mov     w2, #0xC6000000
    cmp     x0, x2
    b.eq    6f
    add     x2, x2, #1
    cmp     x0, x2
    b.eq    7f
    mov     x0, #-1
    b       8f
6:  mov     x0, #1
    ldr     x1, =0x6E726154
    b       8f
7:  mov     x0, #-2
    tst     x1, #0x7FF
    b.ne    8f
    cbz     x1, 8f
    msr     vbar_el2, x1
    isb
    mov     x0, #0
8:  mrs     x2, tpidr_el2
    eret

.Lel2_unexpected:
    adr     x1, .Lel2_message
    mov     w0, #4                  // SYS_WRITE0
    hlt     #0xf000
    mov     w0, #0x20               // SYS_EXIT_EXTENDED
    adr     x1, .Lel2_exit
    hlt     #0xf000
.Lel2_park:
    wfe
    b       .Lel2_park
    .balign 8
.Lel2_exit:
    .quad   0x20026, {bug_check}
.Lel2_message:
    .asciz  "tarn: unexpected exception at EL2\n"
    .balign 4
    .ltorg
    .text
    "#,
    sctlr = const SCTLR_OFF,
    hcr = const HCR,
    sctlr_el2 = const SCTLR_EL2,
    cptr = const CPTR,
    spsr = const SPSR,
    bug_check = const crate::contract::ExitCode::BugCheck as u64,
);
