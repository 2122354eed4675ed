//! The context of a 32-bit x86 thread.

use crate::layout::layout;
use crate::numbers::flags;

layout! {
    /// `FLOATING_SAVE_AREA`: x87 state as `FNSAVE` stores it, and one word of NT.
    pub struct FloatingSaveArea (0x70) {
        0x00 control_word: u32,
        0x04 status_word: u32,
        /// Full: two bits for each register.
        0x08 tag_word: u32,
        0x0C error_offset: u32,
        0x10 error_selector: u32,
        0x14 data_offset: u32,
        0x18 data_selector: u32,
        /// ST(0) to ST(7), ten bytes each.
        0x1C register_area: [u8; 80],
        /// `Cr0NpxState`, or `Spare0` in WoW64.
        0x6C cr0_npx_state: u32,
    }

    /// `CONTEXT` of 32-bit x86 (`WOW64_CONTEXT`).
    pub struct I386Context (0x2CC) {
        0x000 context_flags: I386ContextFlags,
        0x004 dr0: u32,
        0x008 dr1: u32,
        0x00C dr2: u32,
        0x010 dr3: u32,
        0x014 dr6: u32,
        0x018 dr7: u32,
        0x01C float_save: FloatingSaveArea,
        0x08C seg_gs: u32,
        0x090 seg_fs: u32,
        0x094 seg_es: u32,
        0x098 seg_ds: u32,
        0x09C edi: u32,
        0x0A0 esi: u32,
        0x0A4 ebx: u32,
        0x0A8 edx: u32,
        0x0AC ecx: u32,
        0x0B0 eax: u32,
        0x0B4 ebp: u32,
        0x0B8 eip: u32,
        0x0BC seg_cs: u32,
        0x0C0 e_flags: u32,
        0x0C4 esp: u32,
        0x0C8 seg_ss: u32,
        /// x87 and SSE state as 32-bit `FXSAVE` stores it.
        0x0CC extended_registers: [u8; 512],
    }
}

flags! {
    /// `CONTEXT.ContextFlags` of 32-bit x86.
    pub struct I386ContextFlags: u32, "CONTEXT_" {
        /// The machine's own bit (`CONTEXT_i386`).
        I386 = 0x0001_0000;
        /// SS, ESP, CS, EIP, EFLAGS, EBP.
        CONTROL = 0x0001_0001;
        /// EAX, EBX, ECX, EDX, ESI, EDI.
        INTEGER = 0x0001_0002;
        /// DS, ES, FS, GS.
        SEGMENTS = 0x0001_0004;
        /// x87 state.
        FLOATING_POINT = 0x0001_0008;
        /// DR0 to DR3, DR6, DR7.
        DEBUG_REGISTERS = 0x0001_0010;
        /// x87 and SSE state together.
        EXTENDED_REGISTERS = 0x0001_0020;
        /// More follows, see `ContextEx`.
        XSTATE = 0x0001_0040;
        /// Control, integer and segment registers.
        FULL = 0x0001_0007;
        /// Everything but extended state behind the context.
        ALL = 0x0001_003F;
        /// The thread is in the kernel for an exception (reported, when asked for).
        EXCEPTION_ACTIVE = 0x0800_0000;
        /// The thread is in the kernel for a system call (reported, when asked for).
        SERVICE_ACTIVE = 0x1000_0000;
        /// Asks for the two reports above.
        EXCEPTION_REQUEST = 0x4000_0000;
        /// The two reports above are valid.
        EXCEPTION_REPORTING = 0x8000_0000;
    }
}
