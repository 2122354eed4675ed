//! The same for x86-64.

use nt_abi::NtStatus;
use nt_abi::context::{Amd64Context, Amd64ContextFlags, M128A};

use super::{BadPlace, Spoiled};

/// TF.
const SINGLE_STEP: u32 = 1 << 8;
/// DF.
const DIRECTION: u32 = 1 << 10;
/// IOPL, NT, VM, VIF, VIP, and what is reserved.
const FORBIDDEN_FLAGS: u32 = 0x3000 | 1 << 14 | 1 << 17 | 1 << 19 | 1 << 20 | 0xFFC0_8028;
/// IF, and the bit that is always 1.
const REQUIRED_FLAGS: u32 = 0x202;

fn flags_are_clean(_: &Amd64Context, after: &Amd64Context) -> bool {
    after.e_flags & (FORBIDDEN_FLAGS | REQUIRED_FLAGS) == REQUIRED_FLAGS
}

fn selectors_are_clean(_: &Amd64Context, after: &Amd64Context) -> bool {
    (after.seg_cs, after.seg_ss) == (0x33, 0x2B)
}

fn data_selectors_are_kept(before: &Amd64Context, after: &Amd64Context) -> bool {
    let of = |context: &Amd64Context| (context.seg_ds, context.seg_es, context.seg_gs);
    of(before) == of(after)
}

fn control_is_clean(_: &Amd64Context, after: &Amd64Context) -> bool {
    after.mx_csr & 0xFFFF_0000 == 0 && after.float_save.mx_csr & 0xFFFF_0000 == 0
}

fn anything(_: &Amd64Context, _: &Amd64Context) -> bool {
    true
}

/// Of debug registers nothing may be left that stops in the kernel.
fn no_kernel_breakpoint(_: &Amd64Context, after: &Amd64Context) -> bool {
    [after.dr0, after.dr1, after.dr2, after.dr3]
        .iter()
        .all(|address| address >> 47 == 0)
        && after.dr7 >> 32 == 0
}

const fn spoiled(
    name: &'static str,
    spoil: fn(&mut Amd64Context),
    is_mended: fn(&Amd64Context, &Amd64Context) -> bool,
) -> Spoiled {
    Spoiled {
        name,
        spoil,
        is_mended,
    }
}

/// What a thread must not get.
pub const SPOILED: &[Spoiled] = &[
    // Compiled code counts on DF being clear.
    spoiled(
        "all flags",
        |context| context.e_flags = !(SINGLE_STEP | DIRECTION),
        flags_are_clean,
    ),
    spoiled("no flags", |context| context.e_flags = 0, flags_are_clean),
    spoiled(
        "the kernel's I/O privilege",
        |context| context.e_flags = 0x3202,
        flags_are_clean,
    ),
    spoiled(
        "a nested task in virtual-8086 mode",
        |context| context.e_flags = 0x2_4202,
        flags_are_clean,
    ),
    spoiled(
        "the kernel's code selector",
        |context| context.seg_cs = 0x10,
        selectors_are_clean,
    ),
    spoiled(
        "its other code selector",
        |context| context.seg_cs = 0x08,
        selectors_are_clean,
    ),
    spoiled(
        "no selectors",
        |context| (context.seg_cs, context.seg_ss) = (0, 0),
        selectors_are_clean,
    ),
    spoiled(
        "junk of selectors",
        |context| (context.seg_cs, context.seg_ss) = (0xFFFF, 0x18),
        selectors_are_clean,
    ),
    spoiled(
        "junk of data selectors",
        |context| {
            (
                context.seg_ds,
                context.seg_es,
                context.seg_fs,
                context.seg_gs,
            ) = (0x10, 0xFFFF, 0x18, 0x40)
        },
        data_selectors_are_kept,
    ),
    spoiled(
        "all of MXCSR",
        |context| (context.mx_csr, context.float_save.mx_csr) = (u32::MAX, u32::MAX),
        control_is_clean,
    ),
    spoiled(
        "reserved bits of MXCSR",
        |context| context.mx_csr = 0x8001_1F80,
        control_is_clean,
    ),
    spoiled(
        "x87 with an exception that waits",
        |context| {
            context.float_save.control_word = 0;
            context.float_save.status_word = 0xFFFF;
            context.float_save.tag_word = 0xFF;
        },
        anything,
    ),
    spoiled(
        "junk behind the registers of SSE",
        |context| context.float_save.reserved4 = [0xFF; 96],
        anything,
    ),
    spoiled(
        "breakpoints in the kernel",
        |context| {
            (context.dr0, context.dr1) = (0xFFFF_8000_0000_0000, u64::MAX);
            (context.dr6, context.dr7) = (u64::MAX, u64::MAX);
        },
        no_kernel_breakpoint,
    ),
    spoiled(
        "junk where nothing is",
        |context| {
            context.p1_home = u64::MAX;
            context.vector_register = [M128A {
                low: u64::MAX,
                high: -1,
            }; 26];
            context.debug_control = u64::MAX;
            context.last_branch_to_rip = u64::MAX;
        },
        anything,
    ),
];

/// Where no thread can go on.
pub const BAD_PLACES: &[BadPlace] = &[
    BadPlace {
        name: "the kernel",
        spoil: |context| context.rip = 0xFFFF_8000_0000_0000,
        code: NtStatus::ACCESS_VIOLATION,
    },
    BadPlace {
        name: "the kernel's image",
        spoil: |context| context.rip = 0xFFFF_FFFF_8000_1000,
        code: NtStatus::ACCESS_VIOLATION,
    },
    BadPlace {
        name: "an address that is not canonical",
        spoil: |context| context.rip = 0x0000_8000_0000_0000,
        code: NtStatus::ACCESS_VIOLATION,
    },
    BadPlace {
        name: "another one",
        spoil: |context| context.rip = 0x1234_5678_9ABC_DEF0,
        code: NtStatus::ACCESS_VIOLATION,
    },
    BadPlace {
        name: "more than 32-bit code can have",
        spoil: |context| (context.seg_cs, context.rip) = (0x23, 0x1_0000_0000),
        code: NtStatus::ACCESS_VIOLATION,
    },
    BadPlace {
        name: "nothing",
        spoil: |context| context.rip = 0x1230,
        code: NtStatus::ACCESS_VIOLATION,
    },
];

/// Stacks on which no exception can be told either: the process ends with it.
pub const BAD_STACKS: &[BadPlace] = &[
    BadPlace {
        name: "a stack in the kernel",
        spoil: |context| context.rsp = 0xFFFF_8000_0000_1000,
        code: NtStatus::ACCESS_VIOLATION,
    },
    BadPlace {
        name: "a stack that is not canonical",
        spoil: |context| context.rsp = 0x0000_8000_0000_1000,
        code: NtStatus::ACCESS_VIOLATION,
    },
    BadPlace {
        name: "a stack at nothing",
        spoil: |context| context.rsp = 0,
        code: NtStatus::ACCESS_VIOLATION,
    },
];

/// Flags of other machines' contexts: 32-bit x86, ARM, ARM64, and none.
pub const FOREIGN_FLAGS: &[u32] = &[
    0x0001_003F,
    0x0020_000F,
    0x0040_001F,
    0x0000_001F,
    0,
    0xFFEF_FFFF,
];

/// Sets a context's flags.
pub fn set_flags(context: &mut Amd64Context, flags: u32) {
    context.context_flags = Amd64ContextFlags::from_bits_retain(flags);
}

/// Where a thread goes on.
pub fn pc(context: &Amd64Context) -> u64 {
    context.rip
}

/// Makes a context one of general registers alone.
pub fn with_general(context: &mut Amd64Context) {
    context.context_flags = Amd64ContextFlags::INTEGER;
}

/// Makes a context one of SIMD registers alone.
pub fn with_vectors(context: &mut Amd64Context) {
    context.context_flags = Amd64ContextFlags::FLOATING_POINT;
}

fn general(context: &mut Amd64Context) -> [&mut u64; 15] {
    [
        &mut context.rax,
        &mut context.rcx,
        &mut context.rdx,
        &mut context.rbx,
        &mut context.rbp,
        &mut context.rsi,
        &mut context.rdi,
        &mut context.r8,
        &mut context.r9,
        &mut context.r10,
        &mut context.r11,
        &mut context.r12,
        &mut context.r13,
        &mut context.r14,
        &mut context.r15,
    ]
}

/// Fills the general registers.
pub fn fill_general(context: &mut Amd64Context, mut next: impl FnMut() -> u64) {
    for register in general(context) {
        *register = next();
    }
}

/// Whether the general registers of two contexts are the same.
pub fn same_general(left: &Amd64Context, right: &Amd64Context) -> bool {
    let (mut left, mut right) = (*left, *right);
    general(&mut left) == general(&mut right)
}

/// Fills the SIMD registers, those of x87 among them.
pub fn fill_vectors(context: &mut Amd64Context, mut next: impl FnMut() -> u64) {
    for register in &mut context.float_save.xmm_registers {
        register.low = next();
        register.high = next().cast_signed();
    }
    for register in &mut context.float_save.float_registers {
        register.low = next();
        register.high = (next() & 0x7FFF).cast_signed();
    }
    context.float_save.tag_word = 0xFF;
    context.float_save.control_word = 0x77F;
    context.mx_csr = 0x1F80 | 0x2000;
}

/// Whether the SIMD registers are as a thread begins with them: control as the x64 calling convention's pages "FpCsr" and
/// "MxCsr" say, and nothing of anybody's in the others.
pub fn has_first_vectors(context: &Amd64Context) -> bool {
    let mut first = Amd64Context::default();
    first.float_save.control_word = 0x27F;
    first.float_save.mx_csr = 0x1F80;
    first.mx_csr = 0x1F80;
    let area = &context.float_save;
    same_vectors(&first, context) && area.status_word == 0
}

/// Whether the SIMD registers of two contexts are the same.
pub fn same_vectors(left: &Amd64Context, right: &Amd64Context) -> bool {
    left.float_save.xmm_registers == right.float_save.xmm_registers
        && left.float_save.float_registers == right.float_save.float_registers
        && left.float_save.control_word == right.float_save.control_word
        && left.float_save.tag_word == right.float_save.tag_word
        && left.mx_csr == right.mx_csr
        && right.float_save.mx_csr == right.mx_csr
}
