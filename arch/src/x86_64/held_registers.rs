//! Registers filled with known values and held there while interrupts come and go, or while a page fault is resolved.
//!
//! Written in assembly, because the compiler would use the registers for itself (and
//! knows no SIMD registers on this target). All general registers but RSP, the
//! arithmetic flags and all SIMD registers hold their values nearly all the time; to
//! look at the counter the loop puts RAX and the flags on the stack for a few
//! instructions and takes them back from there.

use core::arch::{asm, global_asm};
use core::sync::atomic::AtomicU64;

use super::features::{Features, features};
use crate::contract::{RegisterChanged, VirtAddr};
use crate::user::is_user_range;

const GENERAL: usize = 15;
const SIMD: usize = 16;
/// CF, PF, AF, ZF, SF, OF.
const ARITHMETIC_FLAGS: u64 = 0x8D5;

/// One value for each register; the assembly below knows the offsets.
#[repr(C, align(32))]
#[derive(Clone)]
struct Values {
    general: [u64; GENERAL],
    flags: u64,
    simd: [[u64; 4]; SIMD],
}

const NAMES: [&str; GENERAL] = [
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
    "r15",
];

macro_rules! simd_names {
    ($($number:literal)*) => {
        [$([
            concat!("xmm", $number, ".low"),
            concat!("xmm", $number, ".high"),
            concat!("ymm", $number, ".upper.low"),
            concat!("ymm", $number, ".upper.high"),
        ]),*]
    };
}

const SIMD_NAMES: [[&str; 4]; SIMD] = simd_names!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);

unsafe extern "C" {
    /// Holds with 128-bit registers until `*counter >= target`; then stores what it finds.
    fn hold_registers_128(
        values: *const Values,
        found: *mut Values,
        counter: *const AtomicU64,
        target: u64,
    );
    /// The same with 256-bit registers.
    fn hold_registers_256(
        values: *const Values,
        found: *mut Values,
        counter: *const AtomicU64,
        target: u64,
    );
    /// Loads the registers, 128-bit ones, calls `tarn_write_user_word` and stores what it finds.
    fn write_held_128(values: *const Values, found: *mut Values);
    /// The same with 256-bit registers.
    fn write_held_256(values: *const Values, found: *mut Values);
    /// Loads the 128-bit registers.
    fn load_simd_128(values: *const Values);
    /// Loads the 256-bit registers.
    fn load_simd_256(values: *const Values);
}

fn has_256() -> bool {
    features().contains(Features::AVX)
}

/// (registers, bytes of each).
pub(super) fn shape() -> (u32, u32) {
    (16, if has_256() { 32 } else { 16 })
}

/// A different value for each place and seed (the finaliser of SplitMix64).
fn value(seed: u64, place: u64) -> u64 {
    let mut word = seed.wrapping_add(place.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ word >> 31
}

impl Values {
    fn from_seed(seed: u64) -> Self {
        let mut places = 1..;
        let mut next = || value(seed, places.next().unwrap_or(0));
        let mut values = Self {
            general: [0; GENERAL],
            flags: 0,
            simd: [[0; 4]; SIMD],
        };
        values.general.iter_mut().for_each(|word| *word = next());
        values
            .simd
            .iter_mut()
            .flatten()
            .for_each(|word| *word = next());
        // The other flags, IF above all, stay as they are.
        values.flags = flags() & !ARITHMETIC_FLAGS | next() & ARITHMETIC_FLAGS;
        values
    }
}

fn flags() -> u64 {
    let flags;
    // SAFETY: reads the flags by way of the stack.
    unsafe { asm!("pushfq", "pop {}", out(reg) flags, options(nomem, preserves_flags)) };
    flags
}

/// See `SelfTest::hold_registers`.
pub(super) fn hold(counter: &AtomicU64, target: u64, seed: u64) -> Result<(), RegisterChanged> {
    let values = Values::from_seed(seed);
    let mut found = Values::from_seed(!seed);
    if has_256() {
        // SAFETY: the pointers are to live values of the right layout; the function keeps what the ABI says.
        unsafe { hold_registers_256(&raw const values, &raw mut found, counter, target) };
    } else {
        // SAFETY: as above.
        unsafe { hold_registers_128(&raw const values, &raw mut found, counter, target) };
    }
    compare(&values, &found)
}

/// Where these are among the general registers.
const RAX: usize = 0;
const RDX: usize = 3;
const RSI: usize = 4;
const RDI: usize = 5;

/// See `SelfTest::write_held`.
pub(super) fn write(to: VirtAddr, word: u64, seed: u64) -> Result<bool, RegisterChanged> {
    if !is_user_range(to, 8) {
        return Ok(false);
    }
    let mut values = Values::from_seed(seed);
    values.general[RDI] = to.0;
    values.general[RSI] = word;
    let mut found = Values::from_seed(!seed);
    if has_256() {
        // SAFETY: the pointers are to live values of the right layout; the function keeps what the ABI says, and writes
        // to nothing but `found` and the word, which is in the user half.
        unsafe { write_held_256(&raw const values, &raw mut found) };
    } else {
        // SAFETY: as above.
        unsafe { write_held_128(&raw const values, &raw mut found) };
    }
    // The routine's results, and what it does to the flags.
    let written = found.general[RAX] == 0;
    if !written {
        values.general[RDX] = !0;
    }
    values.general[RAX] = if written { 0 } else { !0 };
    values.flags = found.flags;
    compare(&values, &found)?;
    Ok(written)
}

fn compare(values: &Values, found: &Values) -> Result<(), RegisterChanged> {
    let check = |name, expected, found| {
        if expected == found {
            Ok(())
        } else {
            Err(RegisterChanged {
                name,
                expected,
                found,
            })
        }
    };
    for ((name, &expected), &found) in NAMES.into_iter().zip(&values.general).zip(&found.general) {
        check(name, expected, found)?;
    }
    check(
        "rflags",
        values.flags & ARITHMETIC_FLAGS,
        found.flags & ARITHMETIC_FLAGS,
    )?;
    let words = if has_256() { 4 } else { 2 };
    for ((names, expected), found) in SIMD_NAMES.iter().zip(&values.simd).zip(&found.simd) {
        for word in 0..words {
            check(names[word], expected[word], found[word])?;
        }
    }
    Ok(())
}

/// See `SelfTest::scramble_simd`.
pub(super) fn scramble(seed: u64) {
    let values = Values::from_seed(!seed);
    if has_256() {
        // SAFETY: loads registers that Rust code does not use.
        unsafe { load_simd_256(&raw const values) };
    } else {
        // SAFETY: as above.
        unsafe { load_simd_128(&raw const values) };
    }
    // Rounding (14:13), flush to zero (15) and the sticky flags (5:0) from the seed; every exception stays masked.
    let control = 0x1F80 | (values.general[0] & 0xE03F) as u32;
    // SAFETY: only bits that every processor with SSE has.
    unsafe {
        asm!("ldmxcsr [{}]", in(reg) &raw const control, options(nostack, preserves_flags, readonly))
    };
}

global_asm!(
    r#"
    # Values: general registers at 0, flags at 120, SIMD registers from 128, 32 bytes each.
    .macro each_simd operation
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    \operation \n
    .endr
    .endm
    .macro load_128 n
    movups 128 + 32 * \n(%rdi), %xmm\n
    .endm
    .macro load_256 n
    vmovups 128 + 32 * \n(%rdi), %ymm\n
    .endm
    .macro store_128 n
    movups %xmm\n, 128 + 32 * \n(%rdi)
    .endm
    .macro store_256 n
    vmovups %ymm\n, 128 + 32 * \n(%rdi)
    .endm

    .macro load_all size
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq %rcx
    pushq %rdx
    pushq %rsi
    each_simd load_\size
    pushq 120(%rdi)
    popfq
    movq (%rdi), %rax
    movq 8(%rdi), %rbx
    movq 16(%rdi), %rcx
    movq 24(%rdi), %rdx
    movq 32(%rdi), %rsi
    movq 48(%rdi), %rbp
    movq 56(%rdi), %r8
    movq 64(%rdi), %r9
    movq 72(%rdi), %r10
    movq 80(%rdi), %r11
    movq 88(%rdi), %r12
    movq 96(%rdi), %r13
    movq 104(%rdi), %r14
    movq 112(%rdi), %r15
    movq 40(%rdi), %rdi
    .endm

    .macro hold_registers size
    .text
    .p2align 4
    .global hold_registers_\size
hold_registers_\size:
    load_all \size
1:  .rept 16
    pause
    .endr
    pushfq
    pushq %rax
    movq 24(%rsp), %rax
    movq (%rax), %rax
    cmpq 32(%rsp), %rax
    popq %rax
    jae 2f
    popfq
    jmp 1b
    # On the stack: the flags, then where to store.
2:  pushq %rdi
    movq 16(%rsp), %rdi
    movq %rax, (%rdi)
    movq %rbx, 8(%rdi)
    movq %rcx, 16(%rdi)
    movq %rdx, 24(%rdi)
    movq %rsi, 32(%rdi)
    popq 40(%rdi)
    movq %rbp, 48(%rdi)
    movq %r8, 56(%rdi)
    movq %r9, 64(%rdi)
    movq %r10, 72(%rdi)
    movq %r11, 80(%rdi)
    movq %r12, 88(%rdi)
    movq %r13, 96(%rdi)
    movq %r14, 104(%rdi)
    movq %r15, 112(%rdi)
    popq 120(%rdi)
    each_simd store_\size
    addq $24, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    retq

    .p2align 4
    .global write_held_\size
write_held_\size:
    load_all \size
    callq tarn_write_user_word
    pushfq
    jmp 2b

    .p2align 4
    .global load_simd_\size
load_simd_\size:
    each_simd load_\size
    retq
    .endm

    hold_registers 128
    hold_registers 256

    .purgem each_simd
    .purgem load_128
    .purgem load_256
    .purgem store_128
    .purgem store_256
    .purgem load_all
    .purgem hold_registers
"#,
    options(att_syntax),
);
