//! The context of an x86-64 thread.

use crate::layout::layout;
use crate::numbers::flags;

layout! {
    /// `M128A`: an SSE register, or an x87 register in its low 80 bits.
    pub struct M128A (0x10, align 16) {
        0x00 low: u64,
        0x08 high: i64,
    }

    /// `XMM_SAVE_AREA32`: x87 and SSE state as `FXSAVE64` stores it.
    pub struct XmmSaveArea32 (0x200, align 16) {
        0x000 control_word: u16,
        0x002 status_word: u16,
        /// Abridged: one bit for each register, 1 for valid.
        0x004 tag_word: u8,
        0x005 reserved1: u8,
        0x006 error_opcode: u16,
        0x008 error_offset: u32,
        0x00C error_selector: u16,
        0x00E reserved2: u16,
        0x010 data_offset: u32,
        0x014 data_selector: u16,
        0x016 reserved3: u16,
        0x018 mx_csr: u32,
        0x01C mx_csr_mask: u32,
        0x020 float_registers: [M128A; 8],
        0x0A0 xmm_registers: [M128A; 16],
        0x1A0 reserved4: [u8; 96],
    }

    /// `CONTEXT` of x86-64.
    pub struct Amd64Context (0x4D0, align 16) {
        /// To a user APC: its first argument (`NormalContext`). Otherwise unused, as the other homes.
        0x000 p1_home: u64,
        /// To a user APC: its second argument.
        0x008 p2_home: u64,
        /// To a user APC: its third argument.
        0x010 p3_home: u64,
        /// To a user APC: its routine.
        0x018 p4_home: u64,
        0x020 p5_home: u64,
        0x028 p6_home: u64,
        0x030 context_flags: Amd64ContextFlags,
        0x034 mx_csr: u32,
        0x038 seg_cs: u16,
        0x03A seg_ds: u16,
        0x03C seg_es: u16,
        0x03E seg_fs: u16,
        0x040 seg_gs: u16,
        0x042 seg_ss: u16,
        0x044 e_flags: u32,
        0x048 dr0: u64,
        0x050 dr1: u64,
        0x058 dr2: u64,
        0x060 dr3: u64,
        0x068 dr6: u64,
        0x070 dr7: u64,
        0x078 rax: u64,
        0x080 rcx: u64,
        0x088 rdx: u64,
        0x090 rbx: u64,
        0x098 rsp: u64,
        0x0A0 rbp: u64,
        0x0A8 rsi: u64,
        0x0B0 rdi: u64,
        0x0B8 r8: u64,
        0x0C0 r9: u64,
        0x0C8 r10: u64,
        0x0D0 r11: u64,
        0x0D8 r12: u64,
        0x0E0 r13: u64,
        0x0E8 r14: u64,
        0x0F0 r15: u64,
        0x0F8 rip: u64,
        0x100 float_save: XmmSaveArea32,
        0x300 vector_register: [M128A; 26],
        0x4A0 vector_control: u64,
        0x4A8 debug_control: u64,
        0x4B0 last_branch_to_rip: u64,
        0x4B8 last_branch_from_rip: u64,
        0x4C0 last_exception_to_rip: u64,
        0x4C8 last_exception_from_rip: u64,
    }
}

flags! {
    /// `CONTEXT.ContextFlags` of x86-64.
    pub struct Amd64ContextFlags: u32, "CONTEXT_" {
        /// The machine's own bit.
        AMD64 = 0x0010_0000;
        /// SS, RSP, CS, RIP, EFLAGS.
        CONTROL = 0x0010_0001;
        /// RAX to R15 but for RSP.
        INTEGER = 0x0010_0002;
        /// DS, ES, FS, GS.
        SEGMENTS = 0x0010_0004;
        /// MXCSR, x87 and XMM registers.
        FLOATING_POINT = 0x0010_0008;
        /// DR0 to DR3, DR6, DR7.
        DEBUG_REGISTERS = 0x0010_0010;
        /// More follows, see `ContextEx`.
        XSTATE = 0x0010_0040;
        /// Control, integer and floating-point registers.
        FULL = 0x0010_000B;
        /// Everything but extended state.
        ALL = 0x0010_001F;
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
