//! The context of an ARM64 thread.

use crate::layout::layout;
use crate::numbers::flags;

layout! {
    /// `CONTEXT` of ARM64.
    pub struct Arm64Context (0x390, align 16) {
        0x000 context_flags: Arm64ContextFlags,
        0x004 cpsr: u32,
        /// X0 to X28, then the frame pointer (X29) and the link register (X30).
        0x008 x: [u64; 31],
        0x100 sp: u64,
        0x108 pc: u64,
        /// V0 to V31, low half first.
        0x110 v: [[u64; 2]; 32],
        0x310 fpcr: u32,
        0x314 fpsr: u32,
        /// Breakpoint control registers.
        0x318 bcr: [u32; 8],
        /// Breakpoint value registers.
        0x338 bvr: [u64; 8],
        /// Watchpoint control registers.
        0x378 wcr: [u32; 2],
        /// Watchpoint value registers.
        0x380 wvr: [u64; 2],
    }
}

flags! {
    /// `CONTEXT.ContextFlags` of ARM64.
    pub struct Arm64ContextFlags: u32, "CONTEXT_ARM64_" {
        /// The machine's own bit (`CONTEXT_ARM64`).
        MACHINE = 0x0040_0000;
        /// FP, LR, SP, PC, CPSR.
        CONTROL = 0x0040_0001;
        /// X0 to X28 but for X18.
        INTEGER = 0x0040_0002;
        /// V0 to V31, FPCR, FPSR.
        FLOATING_POINT = 0x0040_0004;
        /// Breakpoints and watchpoints.
        DEBUG_REGISTERS = 0x0040_0008;
        /// X18, which holds the TEB and is not for programs to change.
        X18 = 0x0040_0010;
        /// Control, integer and floating-point registers.
        FULL = 0x0040_0007;
        /// Everything.
        ALL = 0x0040_001F;
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
