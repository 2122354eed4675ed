//! What can be wrong with a controller.

use core::fmt;

/// What can be wrong with a controller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// Fewer than 16 priorities: what reads back after 0xFF was written.
    PriorityBits {
        /// The byte that was read.
        found: u8,
    },
    /// The priority mask does not take our values: the non-secure view is not set up.
    PriorityMask,
    /// A register write did not take effect in reasonable time.
    Timeout,
    /// The processor's interface by system registers cannot be switched on.
    SystemRegisters,
    /// This processor has no redistributor, or no bit in target masks.
    NoInterface,
}

impl Error {
    /// One sentence for people.
    pub const fn message(self) -> &'static str {
        match self {
            Self::PriorityBits { .. } => "the GIC implements fewer than 16 priorities",
            Self::PriorityMask => {
                "the GIC does not take our priority masks (was it left to secure state?)"
            }
            Self::Timeout => "the GIC does not finish a register write",
            Self::SystemRegisters => {
                "the GIC's system registers cannot be enabled (ICC_SRE_EL1.SRE stays 0)"
            }
            Self::NoInterface => "the GIC has no interface for this processor",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}
