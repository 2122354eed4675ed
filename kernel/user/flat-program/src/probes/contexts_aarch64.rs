//! The same for ARM64.

use nt_abi::NtStatus;
use nt_abi::context::{Arm64Context, Arm64ContextFlags};

use super::{BadPlace, Spoiled};

/// N, Z, C, V.
const FLAGS: u32 = 0xF000_0000;
/// SS.
const SINGLE_STEP: u32 = 1 << 21;

fn state_is_clean(_: &Arm64Context, after: &Arm64Context) -> bool {
    after.cpsr & !FLAGS == 0
}

fn teb_is_kept(before: &Arm64Context, after: &Arm64Context) -> bool {
    before.x[18] == after.x[18]
}

fn anything(_: &Arm64Context, _: &Arm64Context) -> bool {
    true
}

/// Of debug registers nothing may be left that stops in the kernel.
fn no_kernel_breakpoint(_: &Arm64Context, after: &Arm64Context) -> bool {
    after.bvr.iter().all(|address| address >> 55 == 0)
        && after.wvr.iter().all(|address| address >> 55 == 0)
}

const fn spoiled(
    name: &'static str,
    spoil: fn(&mut Arm64Context),
    is_mended: fn(&Arm64Context, &Arm64Context) -> bool,
) -> Spoiled {
    Spoiled {
        name,
        spoil,
        is_mended,
    }
}

/// What a thread must not get.
pub const SPOILED: &[Spoiled] = &[
    spoiled(
        "all of PSTATE",
        |context| context.cpsr = !SINGLE_STEP,
        state_is_clean,
    ),
    spoiled(
        "EL1 with its own stack",
        |context| context.cpsr = 0x3C5,
        state_is_clean,
    ),
    spoiled("EL1", |context| context.cpsr = 0x4, state_is_clean),
    spoiled("EL2", |context| context.cpsr = 0x3C9, state_is_clean),
    spoiled("EL3", |context| context.cpsr = 0xD, state_is_clean),
    spoiled("32-bit code", |context| context.cpsr = 0x10, state_is_clean),
    spoiled(
        "the supervisor of 32-bit code",
        |context| context.cpsr = 0x1D3,
        state_is_clean,
    ),
    spoiled(
        "no interrupts",
        |context| context.cpsr = 0x3C0,
        state_is_clean,
    ),
    spoiled(
        "an illegal state",
        |context| context.cpsr = 1 << 20,
        state_is_clean,
    ),
    spoiled(
        "access to pages of user mode",
        |context| context.cpsr = 1 << 22 | 1 << 23,
        state_is_clean,
    ),
    spoiled(
        "all of the control and status of SIMD",
        |context| (context.fpcr, context.fpsr) = (u32::MAX, u32::MAX),
        anything,
    ),
    spoiled(
        "another TEB",
        |context| context.x[18] = 0xFFFF_8000_0000_0000,
        teb_is_kept,
    ),
    spoiled(
        "breakpoints in the kernel",
        |context| {
            context.bvr = [0xFFFF_8000_0000_0000; 8];
            context.bcr = [u32::MAX; 8];
            context.wvr = [0xFFFF_8000_0000_0000; 2];
            context.wcr = [u32::MAX; 2];
        },
        no_kernel_breakpoint,
    ),
];

/// Where no thread can go on.
pub const BAD_PLACES: &[BadPlace] = &[
    BadPlace {
        name: "the kernel",
        spoil: |context| context.pc = 0xFFFF_8000_0000_0000,
        code: NtStatus::ACCESS_VIOLATION,
    },
    BadPlace {
        name: "the kernel's image",
        spoil: |context| context.pc = 0xFFFF_FFFF_8000_1000,
        code: NtStatus::ACCESS_VIOLATION,
    },
    BadPlace {
        name: "an address between the halves",
        spoil: |context| context.pc = 0x0001_0000_0000_0000,
        code: NtStatus::ACCESS_VIOLATION,
    },
    BadPlace {
        name: "half an instruction",
        spoil: |context| context.pc += 2,
        code: NtStatus::DATATYPE_MISALIGNMENT,
    },
    BadPlace {
        name: "nothing",
        spoil: |context| context.pc = 0x1230,
        code: NtStatus::ACCESS_VIOLATION,
    },
];

/// Stacks on which no exception can be told either: the process ends with it.
pub const BAD_STACKS: &[BadPlace] = &[
    BadPlace {
        name: "a stack in the kernel",
        spoil: |context| context.sp = 0xFFFF_8000_0000_1000,
        code: NtStatus::ACCESS_VIOLATION,
    },
    BadPlace {
        name: "a stack between the halves",
        spoil: |context| context.sp = 0x0001_0000_0000_1000,
        code: NtStatus::ACCESS_VIOLATION,
    },
    BadPlace {
        name: "a stack at nothing",
        spoil: |context| context.sp = 0,
        code: NtStatus::ACCESS_VIOLATION,
    },
];

/// Flags of other machines' contexts: 32-bit x86, x86-64, ARM, and none.
pub const FOREIGN_FLAGS: &[u32] = &[
    0x0001_003F,
    0x0010_001F,
    0x0020_000F,
    0x0000_001F,
    0,
    0xFFBF_FFFF,
];

/// Sets a context's flags.
pub fn set_flags(context: &mut Arm64Context, flags: u32) {
    context.context_flags = Arm64ContextFlags::from_bits_retain(flags);
}

/// Where a thread goes on.
pub fn pc(context: &Arm64Context) -> u64 {
    context.pc
}

/// Makes a context one of general registers alone.
pub fn with_general(context: &mut Arm64Context) {
    context.context_flags = Arm64ContextFlags::INTEGER;
}

/// Makes a context one of SIMD registers alone.
pub fn with_vectors(context: &mut Arm64Context) {
    context.context_flags = Arm64ContextFlags::FLOATING_POINT;
}

/// X0 to X28 without X18.
const GROUP: core::ops::Range<usize> = 0..29;

/// Fills the general registers.
pub fn fill_general(context: &mut Arm64Context, mut next: impl FnMut() -> u64) {
    for number in GROUP {
        if number != 18 {
            context.x[number] = next();
        }
    }
}

/// Whether the general registers of two contexts are the same.
pub fn same_general(left: &Arm64Context, right: &Arm64Context) -> bool {
    GROUP
        .filter(|number| *number != 18)
        .all(|number| left.x[number] == right.x[number])
}

/// Fills the SIMD registers.
pub fn fill_vectors(context: &mut Arm64Context, mut next: impl FnMut() -> u64) {
    for register in &mut context.v {
        *register = [next(), next()];
    }
    context.fpcr = 0x0340_0000;
    context.fpsr = 0x0800_001F;
}

/// Whether the SIMD registers are as a thread begins with them: rounding to nearest, no exceptions, and nothing of
/// anybody's in the others.
pub fn has_first_vectors(context: &Arm64Context) -> bool {
    same_vectors(&Arm64Context::default(), context)
}

/// Whether the SIMD registers of two contexts are the same.
pub fn same_vectors(left: &Arm64Context, right: &Arm64Context) -> bool {
    left.v == right.v && left.fpcr == right.fpcr && left.fpsr == right.fpsr
}
