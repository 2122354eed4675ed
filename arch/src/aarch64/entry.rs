//! From the firmware's jump to Rust in the upper half.
//!
//! Everything in this file lies in the image's first page (`.head.text`; the
//! linker script checks it), for two reasons. That page is the only one that is
//! identity-mapped, so the instruction that turns the MMU on, the early vectors
//! and the code that exchanges TTBR1 are all reachable before and after. And a
//! truncated image has that page when it has anything, so it can still say so.
//!
//! Until the MMU is on the code is position-independent: addresses come from
//! `adrp`, never from a literal. Memory is then Device-nGnRnE: stores go straight
//! to RAM, past the caches. A stale cache line over the same address would hide
//! them once caches are on, so everything that is written here (`.bss`, the
//! stacks, and the tables, which are part of it) is invalidated before, because a
//! dirty line might be evicted on top of it, and after, because a clean line may
//! have been fetched in between.
//!
//! Registers until Rust: x19 counter, x20 device tree, x21 physical base, x22 level
//! of entry; x9 to x15 are scratch for everyone.

use core::arch::global_asm;

use super::per_processor::{BLOCKS, START_SLOTS};
use super::{boot, boot_tables, start};

/// Normal write-back memory, attribute 0; Device-nGnRE, attribute 1; Normal non-cacheable, attribute 2.
const MAIR: u64 = 0x44_04_FF;
/// 48-bit halves, 4 KiB granules, walks inner-shareable and write-back; IPS is filled in from the processor. ASIDs of 16
/// bits, where the processor has them (AS, bit 36, is RES0 where it has not).
const TCR: u64 =
    16 | 1 << 8 | 1 << 10 | 3 << 12 | 16 << 16 | 1 << 24 | 1 << 26 | 3 << 28 | 2 << 30 | 1 << 36;
/// SCTLR_EL1 with the MMU off: the bits that are RES1 in ARMv8.0, among them SPAN.
pub(super) const SCTLR_OFF: u64 = 0x30D0_0800;
/// SCTLR_EL1 in the kernel: MMU, caches, stack alignment checks at both levels, and for user mode CP15 barriers, CTR_EL0,
/// DC ZVA, cache maintenance (code generators need it), WFI and WFE.
///
/// WXN stays 0: it would also deny execution of writable pages to user mode, and Windows programs have such pages. The
/// kernel's own tables never have them anyway (`Translation::leaf` cannot say it).
const SCTLR_ON: u64 = SCTLR_OFF
    | 1
    | 1 << 2
    | 1 << 3
    | 1 << 4
    | 1 << 5
    | 1 << 12
    | 1 << 14
    | 1 << 15
    | 1 << 16
    | 1 << 18
    | 1 << 26;
/// The bytes "arn end." that close the loaded image.
const FOOTER: u64 = 0x2E64_6E65_206E_7261;

/// Attributes of boot page-table entries; `Translation::leaf` makes the same ones.
const TABLE: u64 = 0b11;
const PAGE: u64 = 0b11 | 3 << 8 | 1 << 10 | 1 << 54;
const PAGE_TEXT: u64 = PAGE | 1 << 7;
const PAGE_CONSTANT: u64 = PAGE | 1 << 7 | 1 << 53;
const PAGE_DATA: u64 = PAGE | 1 << 53;

global_asm!(
    r#"
    // reg = where the symbol is now: its physical address before the MMU is on, its virtual one after.
    .macro address_of reg, symbol
    adrp    \reg, \symbol
    add     \reg, \reg, :lo12:\symbol
    .endm

    .section .head.text, "ax"
    .global tarn_image_header
tarn_image_header:
    b       .Lentry
    .long   0
    .quad   0                       // load at the start of RAM
    .quad   __image_size            // with everything that is not in the file
    .quad   0xA                     // little-endian, 4 KiB pages, anywhere in memory
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

.Lentry:
    mrs     x9, CurrentEL
    mrs     x19, cntvct_el0
    mov     x20, x0
    lsr     x22, x9, #2
    cmp     x22, #2
    b.ne    1f
    mrs     x19, cntpct_el0         // CNTVOFF_EL2 is not known yet, and will be 0
1:  bl      .Linstall_early_vectors
    adr     x1, .Lat_el3
    cmp     x22, #3
    b.eq    .Lnot_at_el3
    address_of x9, __footer
    ldr     x9, [x9]
    ldr     x10, ={footer}
    cmp     x9, x10
    adr     x1, .Ltruncated
    b.ne    .Learly_fatal
    bl      tarn_drop_to_el1
    bl      .Linstall_early_vectors

    // Zero what the file does not hold, around the caches.
    address_of x0, __bss_start
    address_of x1, __image_end
    bl      .Linvalidate
    mov     x9, x0
2:  stp     xzr, xzr, [x9], #16
    cmp     x9, x1
    b.lo    2b

    // The tables of the upper half: image and early window.
    address_of x21, tarn_image_header
    address_of x9, {root}
    address_of x10, {image_level1}
    add     x11, x10, #{table}
    str     x11, [x9, #(511 * 8)]
    address_of x9, {image_level2}
    add     x11, x9, #{table}
    str     x11, [x10, #(510 * 8)]
    address_of x10, {image_level3}
    add     x11, x10, #{table}
    mov     x12, #4
3:  str     x11, [x9], #8
    add     x11, x11, #4096
    subs    x12, x12, #1
    b.ne    3b
    address_of x9, {root}
    address_of x12, {window_level1}
    add     x11, x12, #{table}
    str     x11, [x9, #({window_slot} * 8)]
    address_of x9, {window_level2}
    add     x11, x9, #{table}
    str     x11, [x12]
    address_of x12, {window_level3}
    add     x11, x12, #{table}
    mov     x12, #{window_tables}
4:  str     x11, [x9], #8
    add     x11, x11, #4096
    subs    x12, x12, #1
    b.ne    4b

    .macro  map_pages first, last, attributes
    address_of x12, \first
    address_of x13, \last
    ldr     x14, =\attributes
    bl      .Lmap_pages
    .endm
    map_pages tarn_image_header, __text_end, {page_text}
    map_pages __rodata_start, __rodata_end, {page_constant}
    map_pages __data_start, __data_end, {page_data}
    map_pages __boot_stack_start, __boot_stack_end, {page_data}
    map_pages __boot_emergency_stack_start, __boot_emergency_stack_end, {page_data}

    // The identity map of this page.
    address_of x9, {identity}
    add     x10, x9, #4096
    add     x11, x10, #{table}
    ubfx    x12, x21, #39, #9
    str     x11, [x9, x12, lsl #3]
    add     x9, x10, #4096
    add     x11, x9, #{table}
    ubfx    x12, x21, #30, #9
    str     x11, [x10, x12, lsl #3]
    add     x10, x9, #4096
    add     x11, x10, #{table}
    ubfx    x12, x21, #21, #9
    str     x11, [x9, x12, lsl #3]
    ldr     x11, ={page_text}
    orr     x11, x11, x21
    ubfx    x12, x21, #12, #9
    str     x11, [x10, x12, lsl #3]

    bl      .Linvalidate            // x0 and x1 are still the range
    address_of x0, {identity}
    address_of x1, {root}
    bl      .Lenable_mmu
    ldr     x9, =.Lupper_half
    br      x9
.Lupper_half:
    ldr     x9, =__boot_stack_end
    mov     sp, x9
    ldr     x18, ={blocks}
    msr     tpidr_el1, x18
    mov     x0, x20
    mov     x1, x22
    mov     x2, x19
    mov     x3, x21
    mov     x29, xzr
    mov     x30, xzr
    b       {boot_entry}

    // Maps physical x12..x13 of the image with attributes x14; x10 is its level 3 table, x21 its base.
.Lmap_pages:
    cmp     x12, x13
    b.hs    5f
    sub     x9, x12, x21
    lsr     x9, x9, #12
    orr     x11, x12, x14
    str     x11, [x10, x9, lsl #3]
    add     x12, x12, #4096
    b       .Lmap_pages
5:  ret

    // Throws the cache lines of x0..x1 away.
.Linvalidate:
    mrs     x9, ctr_el0
    ubfx    x9, x9, #16, #4
    mov     x10, #4
    lsl     x10, x10, x9            // bytes in the smallest data cache line
    sub     x9, x10, #1
    bic     x9, x0, x9
6:  dc      ivac, x9
    add     x9, x9, x10
    cmp     x9, x1
    b.lo    6b
    dsb     sy
    ret

    // Turns the MMU on, with TTBR0 = x0 and TTBR1 = x1. Needs to run from the identity-mapped page.
.Lenable_mmu:
    ldr     x9, ={mair}
    msr     mair_el1, x9
    ldr     x9, ={tcr}
    mrs     x10, id_aa64mmfr0_el1
    and     x10, x10, #15
    mov     x11, #5
    cmp     x10, x11
    csel    x10, x11, x10, hi       // 52 bits need another entry format
    bfi     x9, x10, #32, #3
    msr     tcr_el1, x9
    msr     ttbr0_el1, x0
    msr     ttbr1_el1, x1
    dsb     sy                      // what was stored with the MMU off is in memory
    tlbi    vmalle1
    ic      iallu
    dsb     nsh
    isb
    ldr     x9, ={sctlr_on}
    mrs     x10, id_aa64mmfr1_el1
    ubfx    x10, x10, #20, #4
    cbz     x10, 7f
    bic     x9, x9, #(1 << 23)      // SPAN: with PAN, exceptions set it
7:  msr     sctlr_el1, x9
    isb
    mov     x9, #(3 << 20)
    msr     cpacr_el1, x9           // SIMD for user mode and for tests; the kernel is compiled without
    isb
    ret

    // A processor that start_processor woke up, by PSCI or from a spin table, with the MMU off. Its slot was cleaned to
    // memory before it was woken; a processor that finds none was let loose together with another, and waits for its own.
    .global tarn_secondary_entry
tarn_secondary_entry:
    bl      .Linstall_early_vectors
    bl      tarn_drop_to_el1
    bl      .Linstall_early_vectors
    mrs     x9, mpidr_el1
    ldr     x10, =0xFF00FFFFFF
    and     x9, x9, x10
    orr     x9, x9, #(1 << 63)      // a slot in use
8:  address_of x10, {start_slots}
    mov     x11, #{slot_count}
9:  ldr     x12, [x10]
    cmp     x12, x9
    b.eq    10f
    add     x10, x10, #{slot_size}
    subs    x11, x11, #1
    b.ne    9b
    wfe
    b       8b
10: ldp     x19, x18, [x10, #8]     // stack, block
    ldr     x1, [x10, #24]          // the kernel's root
    address_of x0, {identity}
    bl      .Lenable_mmu
    ldr     x9, =.Lsecondary_upper_half
    br      x9
.Lsecondary_upper_half:
    mov     sp, x19
    msr     tpidr_el1, x18
    mov     x29, xzr
    mov     x30, xzr
    b       {secondary_main}

    // Makes x0 the root of the upper half and returns to x1, virtual. Entered at its identity address with interrupts off:
    // between old and new table the upper half is empty, as break-before-make demands, because the two may map the
    // image in pieces of different size. x2 is the empty table.
    .global tarn_exchange_root
tarn_exchange_root:
    msr     ttbr1_el1, x2
    isb
    tlbi    vmalle1
    dsb     nsh
    isb
    msr     ttbr1_el1, x0
    isb
    br      x1

.Linstall_early_vectors:
    mrs     x9, CurrentEL
    address_of x10, .Learly_vectors
    cmp     x9, #(2 << 2)
    b.eq    11f
    b.hi    12f
    msr     vbar_el1, x10
    isb
    ret
11: msr     vbar_el2, x10
    isb
    ret
12: msr     vbar_el3, x10
    isb
    ret

    // At EL3 an emulator may start all processors at once: one of them speaks.
.Lnot_at_el3:
    mrs     x9, mpidr_el1
    ldr     x10, =0xFF00FFFFFF
    tst     x9, x10
    b.ne    .Lpark

    // Says x1 and ends with code 12, by semihosting if it answers.
.Learly_fatal:
    mov     w0, #4                  // SYS_WRITE0
    hlt     #0xf000
    mov     w0, #0x20               // SYS_EXIT_EXTENDED
    adr     x1, .Lexit_cannot_boot
    hlt     #0xf000
.Lpark:
    wfe
    b       .Lpark

    // HLT is undefined where nobody serves semihosting: go on behind it. Anything else is fatal.
.Learly_synchronous:
    mrs     x9, CurrentEL
    cmp     x9, #(2 << 2)
    b.eq    13f
    b.hi    14f
    mrs     x10, elr_el1
    add     x11, x10, #4
    msr     elr_el1, x11
    b       15f
13: mrs     x10, elr_el2
    add     x11, x10, #4
    msr     elr_el2, x11
    b       15f
14: mrs     x10, elr_el3
    add     x11, x10, #4
    msr     elr_el3, x11
15: adr     x11, .Learly_fatal
    sub     x10, x10, x11
    cmp     x10, #(.Lpark - .Learly_fatal)
    b.hs    .Learly_unexpected
    eret
.Learly_unexpected:
    adr     x1, .Lunexpected
    b       .Learly_fatal

    .balign 8
.Lexit_cannot_boot:
    .quad   0x20026, {cannot_boot}
.Lat_el3:
    .asciz  "tarn: entered at EL3; boot the flat Image, so that the firmware starts it at EL2 or EL1\n"
.Ltruncated:
    .asciz  "tarn: image truncated: its end is not in memory\n"
.Lunexpected:
    .asciz  "tarn: exception in the entry code\n"
    .balign 4
    .ltorg

    .balign 0x800
.Learly_vectors:
    .rept   4
    b       .Learly_unexpected
    .balign 0x80
    .endr
    b       .Learly_synchronous
    .balign 0x80
    .rept   10
    b       .Learly_unexpected
    .balign 0x80
    .endr
    b       .Learly_unexpected
    .text
    "#,
    footer = const FOOTER,
    table = const TABLE,
    page_text = const PAGE_TEXT,
    page_constant = const PAGE_CONSTANT,
    page_data = const PAGE_DATA,
    mair = const MAIR,
    tcr = const TCR,
    sctlr_on = const SCTLR_ON,
    cannot_boot = const crate::contract::ExitCode::CannotBoot as u64,
    root = sym boot_tables::ROOT,
    image_level1 = sym boot_tables::IMAGE_LEVEL1,
    image_level2 = sym boot_tables::IMAGE_LEVEL2,
    image_level3 = sym boot_tables::IMAGE_LEVEL3,
    window_level1 = sym boot_tables::WINDOW_LEVEL1,
    window_level2 = sym boot_tables::WINDOW_LEVEL2,
    window_level3 = sym boot_tables::WINDOW_LEVEL3,
    window_slot = const boot_tables::WINDOW_SLOT,
    window_tables = const boot_tables::WINDOW_TABLES,
    identity = sym boot_tables::IDENTITY,
    blocks = sym BLOCKS,
    start_slots = sym START_SLOTS,
    slot_count = const boards::MAX_PROCESSORS,
    slot_size = const size_of::<start::StartSlot>(),
    boot_entry = sym boot::boot_entry,
    secondary_main = sym start::secondary_main,
);
