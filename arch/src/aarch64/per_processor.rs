//! The block that each processor has for itself.
//!
//! `x18` holds its address whenever the processor is at EL1, as on NT; the
//! compiler is told to keep off (`-Zfixed-x18`). User mode has an `x18` of its
//! own (the TEB), so entry from EL0 takes the block's address from `TPIDR_EL1`.
//!
//! Every access that may happen below [`Irql::Dispatch`] is one instruction
//! relative to `x18`. A thread can be moved to another processor between any two
//! instructions there; if it first computed an address from `x18` and then used
//! it, it would use the block of the processor it left. With one instruction,
//! base and access cannot be parted: the access goes to the block of whichever
//! processor executes it, and that is the only processor that means anything to
//! the thread. That the value may be old by the next instruction is in its
//! nature; for the level it is not even that, because a thread below Dispatch
//! finds the same level (its own) on every processor that runs it.
//!
//! A thread that resumes after a trap must not get its old `x18` back: it may
//! resume elsewhere. The return path leaves `x18` alone.

use core::arch::asm;
use core::mem::offset_of;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use boards::MAX_PROCESSORS;

use super::start::StartSlot;
use super::{Machine, boot, interrupts, simd, start, timer, trap};
use crate::contract::{
    Irql, Processor, ProcessorNumber, ProcessorSet, ProcessorStart, StartError, VirtAddr,
};
use crate::dispatch::Levels;

/// What a processor keeps for itself; written by no other, except before it runs.
#[repr(C, align(128))]
pub(super) struct PerProcessor {
    /// Where the vectors keep x0, x1, SP and the kind of an exception until there is a stack for them.
    pub(super) scratch: [AtomicU64; 4],
    /// Top of the emergency stack.
    pub(super) emergency_stack_top: AtomicU64,
    /// How often the emergency stack was entered and not left: 2 means that it failed as well.
    pub(super) emergency_depth: AtomicU64,
    /// MPIDR affinity bits.
    pub(super) hardware_id: AtomicU64,
    /// CNTV_CVAL and the period of the clock interrupt.
    pub(super) clock_next: AtomicU64,
    pub(super) clock_period: AtomicU64,
    /// The context that it runs (`arch::thread`), or 0.
    pub(super) context: AtomicU64,
    /// The number of the address space that TTBR0 shows, or 0.
    pub(super) space: AtomicU32,
    /// The processor's number.
    number: AtomicU32,
    /// What the kernel above wants of it; others write it too.
    work: AtomicU32,
    /// The present IRQL.
    level: AtomicU8,
    /// The level that the GIC's priority mask was last set for.
    pub(super) mask_level: AtomicU8,
    /// GICv2: this processor's bit in target masks.
    pub(super) target_mask: AtomicU8,
    /// Whether its part of the interrupt controller is set up, so that lines may be routed to it.
    pub(super) takes_interrupts: AtomicBool,
}

/// Offsets for the vectors.
pub(super) const SCRATCH: usize = offset_of!(PerProcessor, scratch);
pub(super) const EMERGENCY_STACK_TOP: usize = offset_of!(PerProcessor, emergency_stack_top);
pub(super) const EMERGENCY_DEPTH: usize = offset_of!(PerProcessor, emergency_depth);

impl PerProcessor {
    const fn new() -> Self {
        Self {
            scratch: [const { AtomicU64::new(0) }; 4],
            emergency_stack_top: AtomicU64::new(0),
            emergency_depth: AtomicU64::new(0),
            hardware_id: AtomicU64::new(0),
            clock_next: AtomicU64::new(0),
            clock_period: AtomicU64::new(0),
            context: AtomicU64::new(0),
            space: AtomicU32::new(0),
            number: AtomicU32::new(0),
            work: AtomicU32::new(0),
            level: AtomicU8::new(0),
            mask_level: AtomicU8::new(0),
            target_mask: AtomicU8::new(0),
            takes_interrupts: AtomicBool::new(false),
        }
    }

    /// Fills in what the processor finds when it comes up: level High, nothing masked by the controller yet.
    pub(super) fn prepare(
        &self,
        number: ProcessorNumber,
        hardware_id: u64,
        emergency_stack_top: VirtAddr,
    ) {
        self.emergency_stack_top
            .store(emergency_stack_top.0, Ordering::Relaxed);
        self.emergency_depth.store(0, Ordering::Relaxed);
        self.hardware_id.store(hardware_id, Ordering::Relaxed);
        self.number.store(number.0, Ordering::Relaxed);
        self.level.store(Irql::High.level(), Ordering::Relaxed);
        self.mask_level
            .store(Irql::Passive.level(), Ordering::Relaxed);
    }
}

/// All processors' blocks, by number.
pub(super) static BLOCKS: [PerProcessor; MAX_PROCESSORS] =
    [const { PerProcessor::new() }; MAX_PROCESSORS];
/// What each processor finds when it comes up, by number.
pub(super) static START_SLOTS: [StartSlot; MAX_PROCESSORS] =
    [const { StartSlot::new() }; MAX_PROCESSORS];

/// This processor's block. For callers that cannot be moved: interrupts off, or at Dispatch and above.
pub(super) fn current() -> &'static PerProcessor {
    &BLOCKS[Machine::number().index()]
}

impl Processor for Machine {
    type TrapFrame = trap::TrapFrame;
    type SimdState = simd::SimdState;

    #[inline]
    fn number() -> ProcessorNumber {
        let number: u32;
        // SAFETY: x18 points to this processor's block, which is never freed; a load of its own word.
        unsafe {
            asm!("ldr {0:w}, [x18, {1}]", out(reg) number, const offset_of!(PerProcessor, number), options(nostack, readonly, preserves_flags));
        }
        ProcessorNumber(number)
    }

    #[inline]
    fn irql() -> Irql {
        let level: u32;
        // SAFETY: as for `number`.
        unsafe {
            asm!("ldrb {0:w}, [x18, {1}]", out(reg) level, const offset_of!(PerProcessor, level), options(nostack, readonly, preserves_flags));
        }
        // One that `record_level` or `prepare` stored.
        Irql::recorded((level & 15) as u8)
    }

    /// Raising, the level is recorded before the mask is written. An interrupt in between has a higher level than the old
    /// one; on its way out it settles the mask for the recorded, new level, which is what we are about to write. Written
    /// the other way round, it would settle the mask for the old level, and the new one would be recorded without a mask.
    /// Lowering, the same order means that such an interrupt already leaves the mask as low as it will be.
    #[inline]
    fn set_irql(level: Irql) {
        Self::record_level(level);
        Self::settle_mask(level);
    }

    #[inline]
    fn set_software_irql(level: Irql) {
        Self::record_level(level);
    }

    #[inline]
    fn work_word(number: ProcessorNumber) -> &'static AtomicU32 {
        &BLOCKS[number.index()].work
    }

    #[inline]
    fn has_work() -> bool {
        let work: u32;
        // SAFETY: as for `number`.
        unsafe {
            asm!("ldr {0:w}, [x18, {1}]", out(reg) work, const offset_of!(PerProcessor, work), options(nostack, readonly, preserves_flags));
        }
        work != 0
    }

    #[inline]
    fn disable_interrupts() -> bool {
        let flags: u64;
        // SAFETY: reads PSTATE's masks. Without `nomem`, so that no access moves out of the section that begins here.
        unsafe {
            asm!("mrs {}, daif", "msr daifset, #3", out(reg) flags, options(nostack, preserves_flags))
        };
        flags & (1 << 7) == 0
    }

    #[inline]
    fn restore_interrupts(enabled: bool) {
        if enabled {
            // SErrors as well: an entry masks them, and the code that goes on here may have come from one.
            // SAFETY: the vectors and the stack are set up before interrupts are first enabled. Without `nomem`, so that
            // no access moves out of the section that ends here.
            unsafe { asm!("msr daifclr, #7", options(nostack, preserves_flags)) };
        }
    }

    /// WFI ends when an interrupt is pending that the GIC lets through, even while PSTATE masks it, so with interrupts off
    /// from before the question until after the WFI nothing is slept through.
    fn halt_unless(work_is_there: impl FnOnce() -> bool) {
        let enabled = Self::disable_interrupts();
        if !work_is_there() {
            // SAFETY: waits; the DSB lets stores reach those who may wake us first.
            unsafe { asm!("dsb sy", "wfi", options(nostack, preserves_flags)) };
        }
        Self::restore_interrupts(enabled);
    }

    #[inline]
    fn relax() {
        // SAFETY: two hints. YIELD lets another hardware thread, or an emulator's other processors, go on; where it does
        // nothing, ISB holds the pipeline up for some ten cycles.
        unsafe { asm!("yield", "isb", options(nomem, nostack, preserves_flags)) };
    }

    fn start_processor(start: ProcessorStart) -> Result<(), StartError> {
        start::start_processor(&start)
    }

    fn stop_by_force(_targets: ProcessorSet) -> bool {
        // A GIC of these versions has no interrupt that passes PSTATE.I.
        false
    }

    fn stop() -> ! {
        // SAFETY: masks everything, for good.
        unsafe { asm!("msr daifset, #15", options(nostack, preserves_flags)) };
        loop {
            // SAFETY: waits; nothing that ends the wait matters.
            unsafe { asm!("dsb sy", "wfi", options(nostack, preserves_flags)) };
        }
    }

    fn walk_stack(frame: Option<&trap::TrapFrame>, visit: &mut dyn FnMut(VirtAddr) -> bool) {
        super::backtrace::walk(frame, visit);
    }

    fn save_simd(into: &mut simd::SimdState) {
        simd::save(into);
    }

    fn restore_simd(from: &simd::SimdState) {
        simd::restore(from);
    }
}

impl Levels for Machine {
    #[inline]
    fn record_level(level: Irql) {
        // SAFETY: x18 points to this processor's block; a store of its own byte. Without `nomem`, so that no access moves
        // across the change of level.
        unsafe {
            asm!("strb {0:w}, [x18, {1}]", in(reg) u64::from(level.level()), const offset_of!(PerProcessor, level), options(nostack, preserves_flags));
        }
    }

    /// The controller is written before the shadow. An interrupt in between finds the shadow stale, so on its way out it
    /// writes both for the recorded level, which is the one we are setting; our store of the shadow then changes nothing.
    /// The other way round it would find a shadow that promises a mask which is not written yet, and if it left for
    /// another thread, that thread would run under the wrong mask.
    ///
    /// A thread that is lowered below Dispatch may itself be moved between the steps. It arrives on a processor whose mask
    /// is open and whose shadow says so, because that processor ran below Dispatch to switch to it; so what is written
    /// there is what is there. Load and store of the shadow are one instruction each, so that none of them hits the block
    /// of the processor that was left.
    #[inline]
    fn settle_mask(level: Irql) {
        let wanted = if level.masks_hardware() {
            level
        } else {
            Irql::Passive
        }
        .level();
        let shadow: u64;
        // SAFETY: as for `number`.
        unsafe {
            asm!("ldrb {0:w}, [x18, {1}]", out(reg) shadow, const offset_of!(PerProcessor, mask_level), options(nostack, preserves_flags));
        }
        if shadow == u64::from(wanted) {
            return;
        }
        interrupts::write_mask(wanted);
        // SAFETY: as for `record_level`.
        unsafe {
            asm!("strb {0:w}, [x18, {1}]", in(reg) u64::from(wanted), const offset_of!(PerProcessor, mask_level), options(nostack, preserves_flags));
        }
    }
}

/// Features of this processor that do not depend on others: the vectors, PAN, what user mode may read, SErrors let in.
pub(super) fn initialize_this_processor() {
    super::vectors::install();
    timer::allow_user_counter();
    super::user::initialize_debug();
    boot::enable_privileged_access_never();
    // SAFETY: the vectors that report an SError are installed.
    unsafe { asm!("msr daifclr, #4", options(nostack, preserves_flags)) };
}
