//! The context of an ARM32 (Thumb-2) thread.

use crate::layout::layout;
use crate::numbers::flags;

layout! {
    /// `CONTEXT` of ARM32 (`ARM_CONTEXT`).
    pub struct ArmContext (0x1A0) {
        0x000 context_flags: ArmContextFlags,
        /// R0 to R12.
        0x004 r: [u32; 13],
        0x038 sp: u32,
        0x03C lr: u32,
        0x040 pc: u32,
        0x044 cpsr: u32,
        0x048 fpscr: u32,
        0x04C padding: u32,
        /// D0 to D31; two of them are a Q register.
        0x050 d: [u64; 32],
        /// Breakpoint value registers.
        0x150 bvr: [u32; 8],
        /// Breakpoint control registers.
        0x170 bcr: [u32; 8],
        /// Watchpoint value register.
        0x190 wvr: [u32; 1],
        /// Watchpoint control register.
        0x194 wcr: [u32; 1],
        0x198 padding2: [u32; 2],
    }
}

flags! {
    /// `CONTEXT.ContextFlags` of ARM32.
    pub struct ArmContextFlags: u32, "CONTEXT_" {
        /// The machine's own bit.
        ARM = 0x0020_0000;
        /// SP, LR, PC, CPSR.
        CONTROL = 0x0020_0001;
        /// R0 to R12.
        INTEGER = 0x0020_0002;
        /// D0 to D31, FPSCR.
        FLOATING_POINT = 0x0020_0004;
        /// Breakpoints and watchpoints.
        DEBUG_REGISTERS = 0x0020_0008;
        /// Control, integer and floating-point registers.
        FULL = 0x0020_0007;
        /// Everything.
        ALL = 0x0020_000F;
        /// The thread is in the kernel for an exception (reported, when asked for).
        EXCEPTION_ACTIVE = 0x0800_0000;
        /// The thread is in the kernel for a system call (reported, when asked for).
        SERVICE_ACTIVE = 0x1000_0000;
        /// The unwinder stands behind a call.
        UNWOUND_TO_CALL = 0x2000_0000;
        /// Asks for the two reports above.
        EXCEPTION_REQUEST = 0x4000_0000;
        /// The two reports above are valid.
        EXCEPTION_REPORTING = 0x8000_0000;
    }
}
