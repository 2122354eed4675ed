//! Segments and the task state, one set for each processor.
//!
//! The selectors are NT's, because 32-bit programs and their debuggers see them:
//! user code finds 0x23 (32-bit), 0x33 (64-bit), 0x2B (data) and 0x53 (32-bit TEB).
//! SYSRET computes its selectors from one base: 0x23 + 8 is the data segment,
//! 0x23 + 16 the 64-bit code segment, which is why the three are in this order.
//!
//! There is no local table: reset leaves one of 64 KiB at address 0, which would be
//! user mode's to fill, so its register is loaded with none.
//!
//! The task state names the stacks that certain exceptions switch to whatever
//! RSP holds (the IST): an exhausted or damaged stack must not keep them from
//! being reported, and NMI, machine check and debug trap can hit between SYSCALL
//! and the first instruction that loads a kernel stack.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Kernel code.
pub(super) const KERNEL_CODE: u16 = 0x10;
/// Kernel data.
pub(super) const KERNEL_DATA: u16 = 0x18;
/// User 32-bit code.
pub(super) const USER_CODE_32: u16 = 0x20 | 3;
/// User data.
pub(super) const USER_DATA: u16 = 0x28 | 3;
/// User 64-bit code.
pub(super) const USER_CODE_64: u16 = 0x30 | 3;
const TASK_STATE: u16 = 0x40;

/// Slots of the interrupt stack table.
pub(super) const IST_EMERGENCY: u8 = 1;
/// See [`IST_EMERGENCY`].
pub(super) const IST_NMI: u8 = 2;
/// See [`IST_EMERGENCY`].
pub(super) const IST_MACHINE_CHECK: u8 = 3;
/// See [`IST_EMERGENCY`].
pub(super) const IST_DEBUG: u8 = 4;

/// Bytes of each of the three small stacks: those of NMI, machine check and debug trap.
pub(super) const SMALL_STACK: usize = 8192;

/// Every descriptor but the task state's, which has the block's own address. The "accessed" bit is set in all, so the
/// processor never writes to them.
const SEGMENTS: [u64; 11] = [
    0,
    0,
    0x00AF_9B00_0000_FFFF,
    0x00CF_9300_0000_FFFF,
    0x00CF_FB00_0000_FFFF,
    0x00CF_F300_0000_FFFF,
    0x00AF_FB00_0000_FFFF,
    0,
    0,
    0,
    // The 32-bit TEB: base 0 until a thread has one.
    0x0040_F300_0000_3C00,
];

/// The last byte of the descriptor table.
const LIMIT: u16 = 0x57;
const _: () = assert!(LIMIT as usize == size_of_val(&SEGMENTS) - 1);

/// 32-bit words of a task state: 0x68 bytes.
const TASK_STATE_WORDS: usize = 26;

/// A processor's GDT and task state. Words that the processor itself reads (and, for the busy bit, writes), hence atomics.
#[repr(C, align(16))]
pub(super) struct Descriptors {
    segments: [AtomicU64; SEGMENTS.len()],
    task_state: [AtomicU32; TASK_STATE_WORDS],
}

/// Tops of the stacks that the task state names.
#[derive(Clone, Copy)]
pub(super) struct Stacks {
    /// For double faults and stack overflows.
    pub(super) emergency: u64,
    /// For NMI.
    pub(super) nmi: u64,
    /// For machine checks.
    pub(super) machine_check: u64,
    /// For debug traps.
    pub(super) debug: u64,
}

impl Descriptors {
    pub(super) const fn new() -> Self {
        Self {
            segments: [const { AtomicU64::new(0) }; SEGMENTS.len()],
            task_state: [const { AtomicU32::new(0) }; TASK_STATE_WORDS],
        }
    }

    /// Fills the tables in. The processor that they are for has not loaded them yet.
    pub(super) fn prepare(&self, stacks: &Stacks) {
        for (slot, descriptor) in self.segments.iter().zip(SEGMENTS) {
            slot.store(descriptor, Ordering::Relaxed);
        }
        // SDM volume 3, 8.7 (64-bit TSS): IST1 at 0x24, and so on by eight; the I/O map's offset at 0x66.
        for (slot, top) in [
            (IST_EMERGENCY, stacks.emergency),
            (IST_NMI, stacks.nmi),
            (IST_MACHINE_CHECK, stacks.machine_check),
            (IST_DEBUG, stacks.debug),
        ] {
            self.set_stack(0x1C + 8 * usize::from(slot), top);
        }
        // No I/O permission map: its offset is beyond the segment's limit.
        self.task_state[25].store(0x68 << 16, Ordering::Relaxed);

        // An available 64-bit task state (type 9), present, limit 0x67.
        let base = self.task_state.as_ptr() as u64;
        let low = 0x0000_8900_0000_0067 | (base & 0x00FF_FFFF) << 16 | (base >> 24 & 0xFF) << 56;
        self.segments[usize::from(TASK_STATE) / 8].store(low, Ordering::Relaxed);
        self.segments[usize::from(TASK_STATE) / 8 + 1].store(base >> 32, Ordering::Relaxed);
    }

    fn set_stack(&self, offset: usize, top: u64) {
        self.task_state[offset / 4].store((top & 0xFFFF_FFFF) as u32, Ordering::Relaxed);
        self.task_state[offset / 4 + 1].store((top >> 32) as u32, Ordering::Relaxed);
    }

    /// Sets RSP0, where the processor pushes when an interruption takes it from user mode to the kernel.
    pub(super) fn set_entry_stack(&self, top: u64) {
        self.set_stack(0x04, top);
    }

    /// The top of the emergency stack.
    pub(super) fn emergency_stack_top(&self) -> u64 {
        let word = |index: usize| u64::from(self.task_state[index].load(Ordering::Relaxed));
        word(9) | word(10) << 32
    }

    /// Loads the tables on this processor, and every segment register from them. Ends with GS base 0.
    ///
    /// # Safety
    /// [`prepare`](Self::prepare) filled the tables in with stacks that stay mapped, and they are this processor's alone.
    pub(super) unsafe fn load(&'static self) {
        #[repr(C, packed)]
        struct Pointer {
            limit: u16,
            base: u64,
        }
        let pointer = Pointer {
            limit: LIMIT,
            base: self.segments.as_ptr() as u64,
        };
        // SAFETY: the table lives for good and its code and data segments are flat and those that run now by nature, so
        // loading CS (by a far return to the next instruction), SS and the rest changes nothing for the running code.
        unsafe {
            asm!(
                "lgdt [{pointer}]",
                "push {code}",
                "lea {scratch}, [rip + 2f]",
                "push {scratch}",
                "retfq",
                "2:",
                "mov ss, {data:e}",
                "mov ds, {user_data:e}",
                "mov es, {user_data:e}",
                "xor {scratch:e}, {scratch:e}",
                "mov fs, {scratch:e}",
                "mov gs, {scratch:e}",
                "lldt {scratch:x}",
                "ltr {task_state:x}",
                pointer = in(reg) &raw const pointer,
                code = in(reg) u64::from(KERNEL_CODE),
                data = in(reg) u64::from(KERNEL_DATA),
                user_data = in(reg) u64::from(USER_DATA),
                task_state = in(reg) u64::from(TASK_STATE),
                scratch = out(reg) _,
            );
        }
    }
}
