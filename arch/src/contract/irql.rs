//! The interrupt request level: what may interrupt a processor now.

/// A processor's interrupt request level, with NT's sixteen levels on every machine.
///
/// An interrupt of level *n* is taken only while the processor is below *n*.
/// [`Passive`](Irql::Passive) to [`Dispatch`](Irql::Dispatch) concern software
/// alone, so a machine records them without touching its interrupt controller;
/// from [`Device3`](Irql::Device3) on, the controller's priority mask follows.
///
/// # NT
/// `KIRQL`; *Windows Internals*, Part 2, chapter 8, "Interrupt request levels". The numbers are those of x64 and ARM64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Irql {
    /// Threads run; everything may interrupt.
    Passive = 0,
    /// Asynchronous procedure calls are held back.
    Apc = 1,
    /// The dispatcher and DPCs run: no thread switch, no wait, no page fault.
    Dispatch = 2,
    /// Lowest device level.
    Device3 = 3,
    /// Device level.
    Device4 = 4,
    /// Device level.
    Device5 = 5,
    /// Device level.
    Device6 = 6,
    /// Device level.
    Device7 = 7,
    /// Device level.
    Device8 = 8,
    /// Device level.
    Device9 = 9,
    /// Device level.
    Device10 = 10,
    /// Highest device level.
    Device11 = 11,
    /// Synchronisation across processors (NT's `SYNCH_LEVEL`).
    Synch = 12,
    /// The clock interrupt.
    Clock = 13,
    /// Interrupts between processors.
    Ipi = 14,
    /// Nothing interrupts.
    High = 15,
}

impl Irql {
    /// Every level, lowest first.
    pub const ALL: [Self; 16] = [
        Self::Passive,
        Self::Apc,
        Self::Dispatch,
        Self::Device3,
        Self::Device4,
        Self::Device5,
        Self::Device6,
        Self::Device7,
        Self::Device8,
        Self::Device9,
        Self::Device10,
        Self::Device11,
        Self::Synch,
        Self::Clock,
        Self::Ipi,
        Self::High,
    ];

    /// The level with that number, or `None` above 15.
    pub fn from_level(level: u8) -> Option<Self> {
        Self::ALL.get(usize::from(level)).copied()
    }

    /// The level with a number that a processor has recorded: one that [`level`](Self::level) gave.
    #[cfg(target_os = "none")]
    #[inline]
    pub(crate) const fn recorded(level: u8) -> Self {
        // SAFETY: the value has four bits, each of which is the number of a level.
        unsafe { core::mem::transmute::<u8, Self>(level & 15) }
    }

    /// Its number, 0 to 15.
    pub const fn level(self) -> u8 {
        self as u8
    }

    /// Whether an interrupt controller is asked to mask at this level.
    #[inline]
    pub const fn masks_hardware(self) -> bool {
        self.level() > Self::Dispatch.level()
    }
}
