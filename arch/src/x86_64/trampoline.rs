//! The first instructions of a processor that is started: real mode to long mode.
//!
//! A start-up interrupt names a page below 1 MiB; the processor begins there in real
//! mode with CS = page << 8, IP = 0. The code is linked elsewhere and copied to the
//! page, so it knows its own place only from CS: EBX is made the page's address, what
//! a descriptor-table load or a far jump needs as an absolute address is filled in
//! when it is copied, and everything else is relative.
//!
//! It goes to long mode in the boot tables, whose root lies below 4 GiB (CR3 is loaded
//! from a 32-bit register) and which map the page onto itself. Only then, in the image
//! in the upper half, is the kernel's root loaded, which may be anywhere.
//!
//! **Handing over.** STATE in the page says OFFERED when the page is ready. The
//! processor takes it (a locked exchange) or, if the starter WITHDREW in the meantime,
//! halts; when it has read all that is for it, it says LEFT, and the page may be
//! filled anew. So a processor that is very late never runs with another one's stack.

use core::arch::global_asm;
use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, Ordering};

use super::entry::{CR0, CR4};
use super::start::arrive;
use crate::contract::PhysAddr;
use crate::memory::layout;

/// The starter filled the page in.
const OFFERED: u32 = 1;
/// The processor runs with what is in the page.
const TAKEN: u32 = 2;
/// It needs the page no more.
const LEFT: u32 = 3;
/// The starter waits no longer.
const WITHDRAWN: u32 = 4;

/// What the page says to the processor; the assembly knows the layout.
#[repr(C)]
struct Parameters {
    state: AtomicU32,
    boot_root: u32,
    /// Limit, then base, as LGDT reads them.
    gdt: [u16; 4],
    /// Far pointers: offset, then selector.
    far_32: [u32; 2],
    far_64: [u32; 2],
    entry: u64,
    kernel_root: u64,
    stack_top: u64,
    number: u64,
}

unsafe extern "C" {
    static trampoline_start: u8;
    static trampoline_gdt: u8;
    static trampoline_32: u8;
    static trampoline_64: u8;
    static trampoline_parameters: u8;
    static trampoline_end: u8;
    static trampoline_upper: u8;
}

/// The page that processors start from, filled in for one of them.
pub(super) struct Trampoline {
    parameters: *mut Parameters,
}

fn offset_in_blob(symbol: *const u8) -> u64 {
    symbol as u64 - (&raw const trampoline_start) as u64
}

impl Trampoline {
    /// Copies the code to `page`, for processor `number` with that stack.
    ///
    /// # Safety
    /// The page lies below 1 MiB, belongs to the caller, is in the physical map, and no processor is starting from it.
    pub(super) unsafe fn offer(
        page: PhysAddr,
        boot_root: u64,
        kernel_root: u64,
        stack_top: u64,
        number: u32,
    ) -> Self {
        let base = layout::physical_map(page).0;
        // The symbols are the blob's own, which is a few hundred bytes.
        let length = (&raw const trampoline_end).addr() - (&raw const trampoline_start).addr();
        // SAFETY: the blob is shorter than the page, which the caller owns.
        unsafe {
            core::ptr::copy_nonoverlapping(&raw const trampoline_start, base as *mut u8, length)
        };
        let parameters =
            (base + offset_in_blob(&raw const trampoline_parameters)) as *mut Parameters;
        // The page is below 1 MiB and the image below 4 GiB, so these fit into 32 bits.
        let low = |value: u64| (value & 0xFFFF_FFFF) as u32;
        let here = |symbol: *const u8| low(page.0 + offset_in_blob(symbol));
        let gdt = here(&raw const trampoline_gdt);
        let filled = Parameters {
            state: AtomicU32::new(0),
            boot_root: low(boot_root),
            gdt: [39, (gdt & 0xFFFF) as u16, (gdt >> 16) as u16, 0],
            far_32: [here(&raw const trampoline_32), 0x20],
            far_64: [here(&raw const trampoline_64), 0x10],
            entry: (&raw const trampoline_upper) as u64,
            kernel_root,
            stack_top,
            number: u64::from(number),
        };
        // SAFETY: the blob reserves room for them, aligned to 8.
        unsafe { parameters.write(filled) };
        let offered = Self { parameters };
        // Release: the processor that takes the offer sees all of the above, and what the starter prepared before.
        offered.state().store(OFFERED, Ordering::Release);
        offered
    }

    fn state(&self) -> &AtomicU32 {
        // SAFETY: `offer` wrote the parameters there; the page stays what it is while this value lives.
        unsafe { &(*self.parameters).state }
    }

    /// Takes the offer back; false if the processor has taken it already.
    pub(super) fn withdraw(&self) -> bool {
        self.state()
            .compare_exchange(OFFERED, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

const PARAMETERS_LENGTH: usize = size_of::<Parameters>();

global_asm!(
    r#"
    .section .rodata.trampoline, "a"
    .balign 16
    .global trampoline_start
    .global trampoline_gdt
    .global trampoline_32
    .global trampoline_64
    .global trampoline_parameters
    .global trampoline_end
    .code16
trampoline_start:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    xorl %ebx, %ebx
    movw %ax, %bx
    shll $4, %ebx
    lgdtl trampoline_parameters - trampoline_start + {gdt}
    movl $0x11, %eax
    movl %eax, %cr0
    ljmpl *(trampoline_parameters - trampoline_start + {far_32})

    .code32
trampoline_32:
    movl $0x18, %eax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl ${cr4}, %eax
    movl %eax, %cr4
    movl trampoline_parameters - trampoline_start + {boot_root}(%ebx), %eax
    movl %eax, %cr3
    movl $0xC0000080, %ecx
    rdmsr
    orl $0x900, %eax
    wrmsr
    movl ${cr0}, %eax
    movl %eax, %cr0
    ljmpl *trampoline_parameters - trampoline_start + {far_64}(%ebx)

    .code64
trampoline_64:
    movl %ebx, %ebx
    addq $(trampoline_parameters - trampoline_start), %rbx
    movq {entry}(%rbx), %rax
    jmpq *%rax

    .balign 8
    # As in the kernel's own table, and a 32-bit code segment at 0x20.
trampoline_gdt:
    .quad 0, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CF9B000000FFFF
    .balign 8
trampoline_parameters:
    .skip {length}
trampoline_end:

    # In the image: the page is still mapped, the stack not yet.
    .text
    .global trampoline_upper
trampoline_upper:
    movl ${offered}, %eax
    movl ${taken}, %ecx
    lock cmpxchgl %ecx, {state}(%rbx)
    jne 1f
    movq {number}(%rbx), %rdi
    movq {kernel_root}(%rbx), %rax
    movq {stack_top}(%rbx), %rdx
    movl ${left}, {state}(%rbx)
    movq %rax, %cr3
    movq %rdx, %rsp
    xorl %ebp, %ebp
    call {arrive}
1:  cli
    hlt
    jmp 1b
"#,
    gdt = const offset_of!(Parameters, gdt),
    far_32 = const offset_of!(Parameters, far_32),
    far_64 = const offset_of!(Parameters, far_64),
    boot_root = const offset_of!(Parameters, boot_root),
    entry = const offset_of!(Parameters, entry),
    state = const offset_of!(Parameters, state),
    number = const offset_of!(Parameters, number),
    kernel_root = const offset_of!(Parameters, kernel_root),
    stack_top = const offset_of!(Parameters, stack_top),
    length = const PARAMETERS_LENGTH,
    cr4 = const CR4,
    cr0 = const CR0,
    offered = const OFFERED,
    taken = const TAKEN,
    left = const LEFT,
    arrive = sym arrive,
    options(att_syntax),
);
