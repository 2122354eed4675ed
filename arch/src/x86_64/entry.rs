//! From the firmware's 32-bit mode to Rust in the upper half.
//!
//! PVH (the note "Xen", type 18) enters in protected mode, paging off, flat
//! segments, interrupts off, EBX = the start-of-day structure. The image is linked
//! 0xFFFFFFFF80000000 above where it is loaded, so until paging is on each symbol
//! is used minus that offset.
//!
//! What is checked before a single byte of Rust runs, because Rust could not:
//!
//! * the word at the end of what the loader should have loaded: a truncated image
//!   may lack any function, so the code that reports it is here, in the first page;
//! * long mode and NX: the tables below have neither meaning nor protection without.
//!
//! A failure prints one line on COM1 (a PC's first serial port, by convention: no
//! table was read that would say more) and leaves by the debug port if the command
//! line names one with `exit=debug-port:0x…`; else the processor halts. A port that
//! nobody named is not touched: it could belong to a real device.
//!
//! The boot tables map the low 4 GiB onto themselves (the firmware's tables are read
//! there) and the image, all of it writable and executable: they serve until
//! `memory::initialize`, and for the first instructions of each further processor.
//! `boot_guard` takes execution from the low 4 GiB but for the first 2 MiB.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, Ordering};

use super::descriptors::{SMALL_STACK, Stacks};
use super::features::{Features, features};
use super::{descriptors, features as cpu, firmware, idt, per_processor, user_entry};
use crate::contract::{BootInfo, EntryLevel, Irql, ProcessorNumber};

/// What the footer holds.
const FOOTER: u64 = 0x544F_4F46_4E52_4154;

#[used]
#[unsafe(link_section = ".image_footer")]
static IMAGE_FOOTER: u64 = FOOTER;

/// What the first instructions found. Not in .bss, which is zeroed after they wrote here.
#[repr(C)]
struct EntryRecord {
    start_info: AtomicU32,
    counter_low: AtomicU32,
    counter_high: AtomicU32,
}

#[unsafe(link_section = ".data.entry_record")]
static ENTRY_RECORD: EntryRecord = EntryRecord {
    start_info: AtomicU32::new(1),
    counter_low: AtomicU32::new(0),
    counter_high: AtomicU32::new(0),
};

global_asm!(
    r#"
    .set OFFSET, 0xFFFFFFFF80000000

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18
    .asciz "Xen"
    .quad pvh_entry - OFFSET

    .section .text.entry, "ax"
    .code32
    .global pvh_entry
pvh_entry:
    cli
    cld
    movl $(image_boot_stack_end - OFFSET), %esp
    rdtsc
    movl %eax, {record} + 4 - OFFSET
    movl %edx, {record} + 8 - OFFSET
    movl %ebx, {record} - OFFSET

    movl $(entry_truncated - OFFSET), %esi
    cmpl ${footer_low}, {footer} - OFFSET
    jne entry_failed
    cmpl ${footer_high}, {footer} + 4 - OFFSET
    jne entry_failed

    # CPUID 0x80000001: EDX bit 29 is long mode, bit 20 NX. CPUID changes EBX.
    movl $(entry_no_long_mode - OFFSET), %esi
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb entry_failed
    movl $0x80000001, %eax
    cpuid
    btl $29, %edx
    jnc entry_failed
    movl $(entry_no_nx - OFFSET), %esi
    btl $20, %edx
    jnc entry_failed

    # The loader of the ELF file should have zeroed this; some do not.
    movl $(image_bss_start - OFFSET), %edi
    movl $(image_bss_end - OFFSET), %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    xorl %eax, %eax
    rep stosl

    # Four directories of 2 MiB pages (present, writable, large) map 4 GiB onto themselves.
    movl $(boot_directories - OFFSET), %edi
    movl $0x83, %eax
    movl $2048, %ecx
1:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 1b
    movl $(boot_directories - OFFSET + 3), %eax
    movl %eax, boot_low - OFFSET
    movl %eax, boot_high + 510 * 8 - OFFSET
    addl $0x1000, %eax
    movl %eax, boot_low + 8 - OFFSET
    addl $0x1000, %eax
    movl %eax, boot_low + 16 - OFFSET
    addl $0x1000, %eax
    movl %eax, boot_low + 24 - OFFSET
    movl $(boot_low - OFFSET + 3), boot_root - OFFSET
    movl $(boot_high - OFFSET + 3), boot_root + 511 * 8 - OFFSET

    # CR4: PAE, MCE, PGE, OSFXSR, OSXMMEXCPT. What depends on CPUID is set later, in Rust.
    movl ${cr4}, %eax
    movl %eax, %cr4
    movl $(boot_root - OFFSET), %eax
    movl %eax, %cr3
    # EFER: long mode and NX.
    movl $0xC0000080, %ecx
    rdmsr
    orl $0x900, %eax
    wrmsr
    # CR0: paging, write protection in the kernel too, caches on, x87 present and reporting by #MF.
    movl ${cr0}, %eax
    movl %eax, %cr0
    lgdt boot_gdt_pointer - OFFSET
    ljmp $0x10, $(entry_long - OFFSET)

    # ESI: the message.
entry_failed:
    movl $(entry_uart_setup - OFFSET), %edi
    xorl %edx, %edx
2:  movb (%edi), %dl
    testb %dl, %dl
    jz 3f
    movb 1(%edi), %al
    addl $0x300, %edx
    outb %al, %dx
    xorl %edx, %edx
    addl $2, %edi
    jmp 2b
3:  movl $0x100000, %ecx
    movl $0x3FD, %edx
4:  inb %dx, %al
    testb $0x20, %al
    loopz 4b
    movl $0x3F8, %edx
    lodsb
    testb %al, %al
    jz 5f
    outb %al, %dx
    jmp 3b
    # The command line, if the structure is one: search it for the exit key, within 1024 bytes.
5:  movl {record} - OFFSET, %ebx
    testl $3, %ebx
    jnz 9f
    cmpl $0x336ec578, (%ebx)
    jne 9f
    cmpl $0, 28(%ebx)
    jne 9f
    movl 24(%ebx), %esi
    testl %esi, %esi
    jz 9f
    leal 1024(%esi), %ebp
6:  cmpl %ebp, %esi
    jae 9f
    cmpb $0, (%esi)
    je 9f
    pushl %esi
    movl $(entry_exit_key - OFFSET), %edi
    movl $(entry_exit_key_end - entry_exit_key), %ecx
    repe cmpsb
    je 7f
    popl %esi
    incl %esi
    jmp 6b
    # Hexadecimal digits of the port.
7:  xorl %edx, %edx
8:  movzbl (%esi), %eax
    incl %esi
    orb $0x20, %al
    subb $'0', %al
    cmpb $9, %al
    jbe 10f
    subb $('a' - '0'), %al
    cmpb $5, %al
    ja 11f
    addb $10, %al
10: shll $4, %edx
    orl %eax, %edx
    jmp 8b
11: testl %edx, %edx
    jz 9f
    movl ${exit_value}, %eax
    outl %eax, %dx
9:  hlt
    jmp 9b

entry_truncated:
    .asciz "tarn: cannot boot: the kernel image is incomplete in memory\r\n"
entry_no_long_mode:
    .asciz "tarn: cannot boot: the processor has no 64-bit mode\r\n"
entry_no_nx:
    .asciz "tarn: cannot boot: the processor cannot protect pages from execution (NX)\r\n"
entry_exit_key:
    .ascii "exit=debug-port:0x"
entry_exit_key_end:
    # 115200 baud, 8 bits, no parity, 1 stop bit: (port - 0x300, value), ended by 0.
entry_uart_setup:
    .byte 0xF9, 0x00, 0xFB, 0x80, 0xF8, 0x01, 0xF9, 0x00, 0xFB, 0x03, 0xFA, 0xC7, 0xFC, 0x03, 0

    .balign 8
boot_gdt:
    .quad 0, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
boot_gdt_pointer:
    .word 31
    .long boot_gdt - OFFSET

    .code64
entry_long:
    movabsq $entry_upper, %rax
    jmp *%rax
entry_upper:
    movl $0x18, %eax
    movw %ax, %ss
    movw %ax, %ds
    movw %ax, %es
    movq $image_boot_stack_end, %rsp
    xorl %ebp, %ebp
    call {start}
    ud2

    .section .bss.boot_tables, "aw", @nobits
    .balign 4096
    .global boot_root
    .global boot_high
    .global boot_directories
boot_root:        .skip 4096
boot_low:         .skip 4096
boot_high:        .skip 4096
boot_directories: .skip 4 * 4096
    .text
"#,
    record = sym ENTRY_RECORD,
    footer = sym IMAGE_FOOTER,
    footer_low = const FOOTER & 0xFFFF_FFFF,
    footer_high = const FOOTER >> 32,
    cr4 = const CR4,
    cr0 = const CR0,
    exit_value = const 12 + 0x10,
    start = sym start,
    options(att_syntax),
);

/// PAE, MCE, PGE, OSFXSR, OSXMMEXCPT.
pub(super) const CR4: u32 = 1 << 5 | 1 << 6 | 1 << 7 | 1 << 9 | 1 << 10;
/// PE, MP, ET, NE, WP, PG.
pub(super) const CR0: u32 = 1 | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 16 | 1 << 31;

unsafe extern "Rust" {
    /// The kernel program's entry, made by `kernel_entry!`.
    safe fn tarn_kernel_main(boot: BootInfo) -> !;
}

unsafe extern "C" {
    /// The root of the boot tables.
    static boot_root: [u64; 512];
    static image_emergency_stack_end: u8;
}

/// The boot tables' root, for processors that start in it: below 4 GiB, as the whole image is.
pub(super) fn boot_root_address() -> u64 {
    (&raw const boot_root) as u64 - 0xFFFF_FFFF_8000_0000
}

/// The boot processor's small stacks: NMI, machine check, debug trap.
#[repr(C, align(16))]
struct SmallStacks(core::cell::UnsafeCell<[[u8; SMALL_STACK]; 3]>);

// SAFETY: only the boot processor uses them, as stacks; Rust code never looks inside.
unsafe impl Sync for SmallStacks {}

static SMALL_STACKS: SmallStacks = SmallStacks(core::cell::UnsafeCell::new([[0; SMALL_STACK]; 3]));

/// The first Rust code: on the boot stack, interrupts off, in the boot tables.
extern "C" fn start() -> ! {
    cpu::detect();
    let small = SMALL_STACKS.0.get() as u64;
    let stack = SMALL_STACK as u64;
    let stacks = Stacks {
        emergency: (&raw const image_emergency_stack_end) as u64,
        nmi: small + stack,
        machine_check: small + 2 * stack,
        debug: small + 3 * stack,
    };
    if let Some(block) = per_processor::block(ProcessorNumber::BOOT) {
        per_processor::prepare(block, cpu::apic_id(), &stacks);
    }
    idt::fill();
    adopt(ProcessorNumber::BOOT);
    super::boot_guard::install();
    let counter = |half: &AtomicU32| u64::from(half.load(Ordering::Relaxed));
    let firmware = firmware::find(ENTRY_RECORD.start_info.load(Ordering::Relaxed));
    tarn_kernel_main(BootInfo {
        firmware,
        boot_processor: u64::from(cpu::apic_id()),
        entry_level: EntryLevel::Protected32,
        counter_at_entry: counter(&ENTRY_RECORD.counter_low)
            | counter(&ENTRY_RECORD.counter_high) << 32,
    })
}

/// Makes this processor ready for exceptions, interrupts (still masked) and SYSCALL: the one whose block was prepared.
pub(super) fn adopt(number: ProcessorNumber) {
    let Some(block) = per_processor::block(number) else {
        super::power::halt()
    };
    // SAFETY: `prepare` filled the tables in with stacks that live for good; the block is this processor's alone.
    unsafe { descriptors::Descriptors::load(&block.descriptors) };
    per_processor::install(block, number, features().contains(Features::SMAP));
    idt::load();
    cpu::enable_on_this_processor();
    user_entry::enable();
    per_processor::set_mask(Irql::High.level());
}
