//! The same for ARM64.

use core::arch::{asm, global_asm};

use nt_abi::context::Arm64Context;
use nt_abi::services::number;

/// All registers; X18, which shows the TEB, keeps its place and is neither loaded nor stored.
#[repr(C, align(16))]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegisterFile {
    /// X0 to X30.
    pub general: [u64; GENERAL],
    /// NZCV.
    pub flags: u64,
    /// V0 to V31.
    pub vectors: [[u64; 2]; 32],
    /// FPCR.
    pub control: u32,
    /// FPSR.
    pub status: u32,
    padding: u64,
}

impl Default for RegisterFile {
    fn default() -> Self {
        Self {
            general: [0; GENERAL],
            flags: 0,
            vectors: [[0; 2]; 32],
            control: 0,
            status: 0,
            padding: 0,
        }
    }
}

impl RegisterFile {
    /// One to be stored to, which has nothing of this one's but X18, which is not stored.
    #[must_use]
    pub fn blank(&self) -> Self {
        let mut blank = Self::default();
        blank.general[18] = self.general[18];
        blank
    }

    /// Fills the registers that only this machine has: none.
    pub fn fill_others(&mut self, _next: impl FnMut() -> u64) {}
}

/// How many general registers a file has.
pub const GENERAL: usize = 31;
/// N, Z, C, V.
pub const FLAG_BITS: u64 = 0xF000_0000;
/// AHP, DN, FZ, rounding.
pub const CONTROL_BITS: u32 = 0x07C0_0000;
/// QC and the flags.
pub const STATUS_BITS: u32 = 0x0800_009F;
/// X0: the result.
pub const LOST_IN_CALLS: &[usize] = &[0];
/// X5.
pub const PLACE: usize = 5;
/// X6.
pub const COUNT: usize = 6;

/// Flags that user mode always has.
pub const FIXED_FLAGS: u64 = 0;
/// Control bits that are always set: no exceptions.
pub const FIXED_CONTROL: u32 = 0;

/// Whether a file has all registers that a program may use here; there is no SVE.
pub fn carries_all() -> bool {
    true
}

/// Makes a thread go on behind the breakpoint that it met.
pub fn skip_breakpoint(context: &mut Arm64Context) {
    context.pc += 4;
}

/// Makes a thread stop after its next instruction.
pub fn step(context: &mut Arm64Context) {
    context.cpsr |= 1 << 21;
}

/// Overwrites every SIMD register and the general ones that a function may change.
pub fn scramble() {
    // SAFETY: says which registers it changes.
    unsafe {
        asm!(
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
            "movi v\\n\\().16b, #0x5A",
            ".endr",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17",
            "mov x\\n, #0x5A5A",
            ".endr",
            out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _, out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _, out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            out("x0") _, out("x1") _, out("x2") _, out("x3") _, out("x4") _, out("x5") _, out("x6") _, out("x7") _,
            out("x8") _, out("x9") _, out("x10") _, out("x11") _, out("x12") _, out("x13") _, out("x14") _, out("x15") _,
            out("x16") _, out("x17") _,
        );
    }
}

macro_rules! round {
    ($name:ident = $symbol:literal: $($trap:literal),+; $($operands:tt)*) => {
        unsafe extern "C" {
            #[link_name = $symbol]
            pub(super) fn $name(from: &RegisterFile, to: &mut RegisterFile);
        }

        global_asm!(
            ".text",
            ".balign 4",
            concat!(".globl ", $symbol),
            concat!($symbol, ":"),
            "    sub sp, sp, #208",
            "    stp x29, x30, [sp]",
            "    stp x19, x20, [sp, #16]",
            "    stp x21, x22, [sp, #32]",
            "    stp x23, x24, [sp, #48]",
            "    stp x25, x26, [sp, #64]",
            "    stp x27, x28, [sp, #80]",
            "    stp d8, d9, [sp, #96]",
            "    stp d10, d11, [sp, #112]",
            "    stp d12, d13, [sp, #128]",
            "    stp d14, d15, [sp, #144]",
            "    mrs x2, fpcr",
            "    stp x1, x2, [sp, #160]",
            "    ldr x2, [x0, #248]",
            "    msr nzcv, x2",
            "    ldr w2, [x0, #768]",
            "    ldr w3, [x0, #772]",
            "    msr fpcr, x2",
            "    msr fpsr, x3",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
            "    ldr q\\n, [x0, #(256 + \\n * 16)]",
            ".endr",
            ".irp n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30",
            "    ldr x\\n, [x0, #(\\n * 8)]",
            ".endr",
            "    ldp x0, x1, [x0]",
            $("    ", $trap,)+
            "    stp x0, x1, [sp, #176]",
            "    ldr x0, [sp, #160]",
            ".irp n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30",
            "    str x\\n, [x0, #(\\n * 8)]",
            ".endr",
            "    ldp x2, x3, [sp, #176]",
            "    stp x2, x3, [x0]",
            "    mrs x2, nzcv",
            "    str x2, [x0, #248]",
            "    mrs x2, fpcr",
            "    mrs x3, fpsr",
            "    str w2, [x0, #768]",
            "    str w3, [x0, #772]",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
            "    str q\\n, [x0, #(256 + \\n * 16)]",
            ".endr",
            "    ldp x29, x30, [sp]",
            "    ldp x19, x20, [sp, #16]",
            "    ldp x21, x22, [sp, #32]",
            "    ldp x23, x24, [sp, #48]",
            "    ldp x25, x26, [sp, #64]",
            "    ldp x27, x28, [sp, #80]",
            "    ldp d8, d9, [sp, #96]",
            "    ldp d10, d11, [sp, #112]",
            "    ldp d12, d13, [sp, #128]",
            "    ldp d14, d15, [sp, #144]",
            "    ldr x2, [sp, #168]",
            "    msr fpcr, x2",
            "    add sp, sp, #208",
            "    ret",
            $($operands)*
        );
    };
}

round!(yields = "tarn_round_yields": "svc #{number}"; number = const number::NtYieldExecution);
round!(tests_alert = "tarn_round_tests_alert": "svc #{number}"; number = const number::NtTestAlert);
round!(writes = "tarn_round_writes": "strb w0, [x5]";);
round!(breaks = "tarn_round_breaks": "brk #0xF000";);
round!(steps = "tarn_round_steps": "brk #0xF000", "nop";);
round!(spins = "tarn_round_spins": "2: sub x6, x6, #1", "cbnz x6, 2b";);
