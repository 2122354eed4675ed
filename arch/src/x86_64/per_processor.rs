//! The block that each processor finds through GS.
//!
//! User mode has its own GS base; SWAPGS on the way in and out keeps ours in the
//! register whenever kernel code runs. The block holds its own address first, so
//! one load turns GS into an ordinary reference.
//!
//! A thread may be moved to another processor between any two instructions while
//! the level is below DISPATCH. The level is therefore read and written by single
//! instructions relative to GS, never through a pointer fetched before:
//!
//! * reading: the thread is at the same level wherever it runs, because whoever
//!   moved it did so at that level; so either processor's byte is the right answer.
//! * raising: the store lands on the processor that executes it, and from the next
//!   instruction on the kernel sees a level that forbids moving the thread.
//! * lowering: until the store the thread could not be moved.

use core::arch::asm;
use core::mem::offset_of;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64};

use boards::MAX_PROCESSORS;

use super::descriptors::{Descriptors, Stacks};
use super::registers::{GS_BASE, KERNEL_GS_BASE};
use super::user::AREA;
use crate::contract::{Irql, ProcessorNumber};
use crate::memory::SpaceId;

/// What a processor has of its own.
#[repr(C, align(64))]
pub(super) struct ProcessorBlock {
    this: AtomicU64,
    number: AtomicU32,
    /// What the kernel above wants of it; others write it too.
    work: AtomicU32,
    level: AtomicU8,
    /// What was last written to CR8.
    mask: AtomicU8,
    /// 1 if CLAC is an instruction here; read by the entry stubs.
    has_smap: AtomicU8,
    /// Whether this processor reports from its emergency stack.
    pub(super) in_emergency: AtomicBool,
    /// The user registers that entries from user mode are stored in (`user`).
    user_state: AtomicU64,
    /// Where the SYSCALL stub keeps the user's RSP for three instructions.
    user_stack: AtomicU64,
    /// [`HAS_APIC_ID`] and the local APIC's id; 0 until the processor was started. (Zero, so that the blocks are not part
    /// of the image file.)
    apic_id: AtomicU64,
    /// The context that it runs (`arch::thread`), or 0.
    pub(super) context: AtomicU64,
    /// The number of the address space that CR3 shows, or 0. Others read it: see `shootdown`.
    pub(super) space: AtomicU32,
    /// Ticks of the counter between clock interrupts; 0: stopped.
    pub(super) clock_period: AtomicU64,
    /// The counter's value at which the next clock interrupt is due.
    pub(super) clock_deadline: AtomicU64,
    pub(super) descriptors: Descriptors,
}

/// Offsets for the entry stubs.
pub(super) const HAS_SMAP_OFFSET: usize = offset_of!(ProcessorBlock, has_smap);
/// See [`HAS_SMAP_OFFSET`].
pub(super) const USER_STATE_OFFSET: usize = offset_of!(ProcessorBlock, user_state);
/// For `Threads::current_context`.
pub(super) const CONTEXT_OFFSET: usize = offset_of!(ProcessorBlock, context);
/// See [`HAS_SMAP_OFFSET`].
pub(super) const USER_STACK_OFFSET: usize = offset_of!(ProcessorBlock, user_stack);
const THIS_OFFSET: usize = offset_of!(ProcessorBlock, this);
const NUMBER_OFFSET: usize = offset_of!(ProcessorBlock, number);
const WORK_OFFSET: usize = offset_of!(ProcessorBlock, work);
const LEVEL_OFFSET: usize = offset_of!(ProcessorBlock, level);
const MASK_OFFSET: usize = offset_of!(ProcessorBlock, mask);

impl ProcessorBlock {
    const fn new() -> Self {
        Self {
            this: AtomicU64::new(0),
            number: AtomicU32::new(0),
            work: AtomicU32::new(0),
            level: AtomicU8::new(0),
            mask: AtomicU8::new(0),
            has_smap: AtomicU8::new(0),
            in_emergency: AtomicBool::new(false),
            user_state: AtomicU64::new(0),
            user_stack: AtomicU64::new(0),
            apic_id: AtomicU64::new(0),
            context: AtomicU64::new(0),
            space: AtomicU32::new(0),
            clock_period: AtomicU64::new(0),
            clock_deadline: AtomicU64::new(0),
            descriptors: Descriptors::new(),
        }
    }
}

impl ProcessorBlock {
    /// The address space that the processor has announced.
    pub(super) fn active_space(&self) -> Option<SpaceId> {
        u16::try_from(self.space.load(Relaxed))
            .ok()
            .filter(|id| *id != 0)
            .map(SpaceId)
    }

    /// Makes entries from user mode arrive in the `UserState` at that address. For this processor's own block, with
    /// interrupts disabled: in kernel mode nobody reads what changes here.
    pub(super) fn set_user_state(&self, state: u64) {
        self.user_state.store(state, Relaxed);
        self.descriptors.set_entry_stack(state + AREA as u64);
    }
}

/// Above the 32 bits of an id.
const HAS_APIC_ID: u64 = 1 << 32;

static BLOCKS: [ProcessorBlock; MAX_PROCESSORS] = [const { ProcessorBlock::new() }; MAX_PROCESSORS];

/// The block of a processor, or `None` for a number beyond [`MAX_PROCESSORS`].
pub(super) fn block(number: ProcessorNumber) -> Option<&'static ProcessorBlock> {
    BLOCKS.get(number.index())
}

/// The APIC id of a processor, if it was ever started.
pub(super) fn apic_id(number: ProcessorNumber) -> Option<u32> {
    // Relaxed: whoever knows that the processor is up learned it with an ordering of its own.
    let id = block(number)?.apic_id.load(Relaxed);
    (id & HAS_APIC_ID != 0).then_some((id & 0xFFFF_FFFF) as u32)
}

/// The block of the processor that this runs on; the caller must not be moved while it uses it.
#[inline]
pub(super) fn current() -> &'static ProcessorBlock {
    let block: *const ProcessorBlock;
    // SAFETY: GS points to this processor's block from the first Rust code on, and the block starts with its address.
    unsafe {
        asm!("mov {}, gs:[{}]", out(reg) block, const THIS_OFFSET, options(nostack, preserves_flags, readonly, pure));
    }
    // SAFETY: the address is that of an element of BLOCKS.
    unsafe { &*block }
}

/// Fills a block in for a processor that does not run yet, or has no block yet.
pub(super) fn prepare(block: &ProcessorBlock, apic_id: u32, stacks: &Stacks) {
    // Relaxed: the processor itself is told by an exchange of its own, others by the kernel above.
    block
        .apic_id
        .store(HAS_APIC_ID | u64::from(apic_id), Relaxed);
    block.descriptors.prepare(stacks);
}

/// Makes `block` what GS shows on this processor, with the level at High and the controller's mask not yet written.
pub(super) fn install(block: &'static ProcessorBlock, number: ProcessorNumber, has_smap: bool) {
    let address = core::ptr::from_ref(block) as u64;
    // Relaxed throughout: only this processor reads these fields, through GS.
    block.this.store(address, Relaxed);
    block.number.store(number.0, Relaxed);
    block.level.store(Irql::High.level(), Relaxed);
    block.mask.store(u8::MAX, Relaxed);
    block.has_smap.store(u8::from(has_smap), Relaxed);
    GS_BASE.write(address);
    KERNEL_GS_BASE.write(0);
}

/// The number of the processor that this runs on.
#[inline]
pub(super) fn number() -> ProcessorNumber {
    let number: u32;
    // SAFETY: a load from this processor's block.
    unsafe {
        asm!("mov {:e}, gs:[{}]", out(reg) number, const NUMBER_OFFSET, options(nostack, preserves_flags, readonly));
    }
    ProcessorNumber(number)
}

/// A processor's word of work.
#[inline]
pub(super) fn work(number: ProcessorNumber) -> &'static AtomicU32 {
    &BLOCKS[number.index()].work
}

/// Whether this processor's word of work is not 0.
#[inline]
pub(super) fn has_work() -> bool {
    let work: u32;
    // SAFETY: a load from this processor's block.
    unsafe {
        asm!("mov {0:e}, gs:[{1}]", out(reg) work, const WORK_OFFSET, options(nostack, preserves_flags, readonly));
    }
    work != 0
}

/// The recorded level.
#[inline]
pub(super) fn level() -> Irql {
    let level: u8;
    // SAFETY: a load from this processor's block.
    unsafe {
        asm!("mov {}, gs:[{}]", out(reg_byte) level, const LEVEL_OFFSET, options(nostack, preserves_flags, readonly));
    }
    // Only numbers of levels are ever stored.
    Irql::recorded(level)
}

/// Records a level. Not `nomem`: what the level protects must not be moved across it by the compiler.
#[inline]
pub(super) fn record_level(level: Irql) {
    // SAFETY: a store of one byte to this processor's block, into a field that is read and written only like this.
    unsafe {
        asm!("mov gs:[{}], {}", const LEVEL_OFFSET, in(reg_byte) level.level(), options(nostack, preserves_flags));
    }
}

/// What CR8 was last set to on this processor.
#[inline]
pub(super) fn mask() -> u8 {
    let mask: u8;
    // SAFETY: a load from this processor's block.
    unsafe {
        asm!("mov {}, gs:[{}]", out(reg_byte) mask, const MASK_OFFSET, options(nostack, preserves_flags, readonly));
    }
    mask
}

/// Sets CR8, and notes it. Interrupts are disabled.
pub(super) fn set_mask(mask: u8) {
    // SAFETY: CR8 decides which interrupts are held back and nothing else; the store is to this processor's block.
    unsafe {
        asm!("mov cr8, {value}", "mov gs:[{offset}], {value:l}",
            value = in(reg) u64::from(mask), offset = const MASK_OFFSET, options(nostack, preserves_flags));
    }
}
