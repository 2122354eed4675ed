//! `CONTEXT`: the registers of a thread, one shape for each machine.
//!
//! The kernel shows a native thread's registers in the context of the machine that it runs on. The 32-bit contexts are the
//! guest's registers of a WoW64 thread; they lie in the CPU area at the top of its 64-bit stack, see [`CpuReserved`].
//!
//! `ContextFlags` says which groups of registers a context holds, or which ones a caller asks for. Each group's constant
//! contains the machine's own bit, so a context of the wrong machine matches nothing.

mod amd64;
mod arm;
mod arm64;
mod i386;

pub use amd64::{Amd64Context, Amd64ContextFlags, M128A, XmmSaveArea32};
pub use arm::{ArmContext, ArmContextFlags};
pub use arm64::{Arm64Context, Arm64ContextFlags};
pub use i386::{FloatingSaveArea, I386Context, I386ContextFlags};

use crate::layout::layout;

layout! {
    /// `CONTEXT_CHUNK`: where a part of an extended context lies.
    pub struct ContextChunk (8) {
        /// Offset in bytes from the `ContextEx` that holds this, mostly negative.
        0x00 offset: i32,
        /// Size in bytes.
        0x04 length: u32,
    }

    /// `CONTEXT_EX`: follows a `CONTEXT` that has more behind it, such as AVX registers.
    pub struct ContextEx (0x18) {
        /// Everything, from the first byte of the context.
        0x00 all: ContextChunk,
        /// The context itself.
        0x08 legacy: ContextChunk,
        /// The XSAVE area.
        0x10 xstate: ContextChunk,
    }

    /// `WOW64_CPURESERVED`: precedes a guest's context in the CPU area of a WoW64 thread, which `TlsSlots[1]` of its 64-bit TEB
    /// points to.
    pub struct CpuReserved (4) {
        /// Bit 0: all of the context was replaced, take everything from it.
        0x00 flags: u16,
        /// The guest's machine (`IMAGE_FILE_MACHINE_*`).
        0x02 machine: u16,
    }
}

impl CpuReserved {
    /// `WOW64_CPURESERVED_FLAG_RESET_STATE`.
    pub const RESET_STATE: u16 = 1;
}
