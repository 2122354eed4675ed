//! Faults on purpose, and registers held on purpose, for the test kernel.

use core::arch::{asm, global_asm};
use core::hint::black_box;
use core::sync::atomic::{AtomicU64, Ordering};

use super::{Machine, console, interrupts, simd, user_code, window};
use crate::contract::{
    Fault, Interrupts, NotOnThisMachine, PAGE_SIZE, PhysAddr, Processor, RegisterChanged, SelfTest,
    UserCode, VirtAddr,
};
use crate::memory::layout;
use crate::user::is_user_range;

/// Nothing is ever mapped here: the last page before the early window's end.
const UNMAPPED: u64 = layout::POOL.start.0 - PAGE_SIZE;

static CONSTANT: u64 = 0x7461_726E;
static mut VARIABLE: [u32; 2] = [0xD65F_03C0; 2];

global_asm!(
    r#"
    .section .text.selftest, "ax"
    // (expected, found, third, fourth): keeps what a callee has to, and loads all registers from `expected`, but x0 with the
    // third argument and x2 with the fourth. Files are x0 to x30, NZCV, q0 to q31; x18 has another use.
    .macro load_held
    stp     x29, x30, [sp, #-112]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    str     x1, [sp, #96]
    ldr     x4, [x0, #248]
    msr     nzcv, x4
    add     x1, x0, #256
    ldp     q0, q1, [x1]
    ldp     q2, q3, [x1, #32]
    ldp     q4, q5, [x1, #64]
    ldp     q6, q7, [x1, #96]
    ldp     q8, q9, [x1, #128]
    ldp     q10, q11, [x1, #160]
    ldp     q12, q13, [x1, #192]
    ldp     q14, q15, [x1, #224]
    ldp     q16, q17, [x1, #256]
    ldp     q18, q19, [x1, #288]
    ldp     q20, q21, [x1, #320]
    ldp     q22, q23, [x1, #352]
    ldp     q24, q25, [x1, #384]
    ldp     q26, q27, [x1, #416]
    ldp     q28, q29, [x1, #448]
    ldp     q30, q31, [x1, #480]
    mov     x1, x0
    mov     x0, x2
    mov     x2, x3
    ldr     x3, [x1, #24]
    ldp     x4, x5, [x1, #32]
    ldp     x6, x7, [x1, #48]
    ldp     x8, x9, [x1, #64]
    ldp     x10, x11, [x1, #80]
    ldp     x12, x13, [x1, #96]
    ldp     x14, x15, [x1, #112]
    ldp     x16, x17, [x1, #128]
    ldr     x19, [x1, #152]
    ldp     x20, x21, [x1, #160]
    ldp     x22, x23, [x1, #176]
    ldp     x24, x25, [x1, #192]
    ldp     x26, x27, [x1, #208]
    ldp     x28, x29, [x1, #224]
    ldr     x30, [x1, #240]
    .endm

    .arch_extension simd
    // (expected, found, counter, target): loads all registers, loops until *counter >= target, stores them in `found`. x0,
    // x1 and x2 are the loop's own.
    .global tarn_hold_registers
tarn_hold_registers:
    load_held                       // x0 is the counter, x2 the target
1:  ldr     x1, [x0]                // no instruction of the loop touches the flags
    sub     x1, x1, x2
    tbnz    x1, #63, 1b
2:  ldr     x1, [sp, #96]
    stp     x2, x3, [x1, #16]
    str     x0, [x1]
    mrs     x3, nzcv
    str     x3, [x1, #248]
    stp     x4, x5, [x1, #32]
    stp     x6, x7, [x1, #48]
    stp     x8, x9, [x1, #64]
    stp     x10, x11, [x1, #80]
    stp     x12, x13, [x1, #96]
    stp     x14, x15, [x1, #112]
    stp     x16, x17, [x1, #128]
    str     x19, [x1, #152]
    stp     x20, x21, [x1, #160]
    stp     x22, x23, [x1, #176]
    stp     x24, x25, [x1, #192]
    stp     x26, x27, [x1, #208]
    stp     x28, x29, [x1, #224]
    str     x30, [x1, #240]
    add     x1, x1, #256
    stp     q0, q1, [x1]
    stp     q2, q3, [x1, #32]
    stp     q4, q5, [x1, #64]
    stp     q6, q7, [x1, #96]
    stp     q8, q9, [x1, #128]
    stp     q10, q11, [x1, #160]
    stp     q12, q13, [x1, #192]
    stp     q14, q15, [x1, #224]
    stp     q16, q17, [x1, #256]
    stp     q18, q19, [x1, #288]
    stp     q20, q21, [x1, #320]
    stp     q22, q23, [x1, #352]
    stp     q24, q25, [x1, #384]
    stp     q26, q27, [x1, #416]
    stp     q28, q29, [x1, #448]
    stp     q30, q31, [x1, #480]
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #112
    ret

    // (expected, found, address, word): the same, but writes the word to the address instead of looping.
    .global tarn_write_held
tarn_write_held:
    load_held                       // x0 is the address, x2 the word
    mov     x1, x2
    bl      tarn_write_user_word
    b       2b
    .purgem load_held
    .text
    "#
);

unsafe extern "C" {
    fn tarn_hold_registers(
        expected: &RegisterFile,
        found: &mut RegisterFile,
        counter: &AtomicU64,
        target: u64,
    );
    fn tarn_write_held(expected: &RegisterFile, found: &mut RegisterFile, to: u64, word: u64);
}

/// As `tarn_hold_registers` knows it.
#[repr(C, align(16))]
struct RegisterFile {
    x: [u64; 31],
    nzcv: u64,
    q: [[u64; 2]; 32],
}

impl RegisterFile {
    fn from_seed(seed: u64) -> Self {
        let mut file = Self {
            x: [0; 31],
            nzcv: (seed & 15) << 28,
            q: [[0; 2]; 32],
        };
        let words = file.x.iter_mut().chain(file.q.as_flattened_mut());
        for (value, word) in (1_u64..).zip(words) {
            *word = seed ^ value.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
        file
    }
}

const X_NAMES: [&str; 31] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
    "x28", "x29", "x30",
];
const Q_NAMES: [[&str; 2]; 32] = [
    ["q0.low", "q0.high"],
    ["q1.low", "q1.high"],
    ["q2.low", "q2.high"],
    ["q3.low", "q3.high"],
    ["q4.low", "q4.high"],
    ["q5.low", "q5.high"],
    ["q6.low", "q6.high"],
    ["q7.low", "q7.high"],
    ["q8.low", "q8.high"],
    ["q9.low", "q9.high"],
    ["q10.low", "q10.high"],
    ["q11.low", "q11.high"],
    ["q12.low", "q12.high"],
    ["q13.low", "q13.high"],
    ["q14.low", "q14.high"],
    ["q15.low", "q15.high"],
    ["q16.low", "q16.high"],
    ["q17.low", "q17.high"],
    ["q18.low", "q18.high"],
    ["q19.low", "q19.high"],
    ["q20.low", "q20.high"],
    ["q21.low", "q21.high"],
    ["q22.low", "q22.high"],
    ["q23.low", "q23.high"],
    ["q24.low", "q24.high"],
    ["q25.low", "q25.high"],
    ["q26.low", "q26.high"],
    ["q27.low", "q27.high"],
    ["q28.low", "q28.high"],
    ["q29.low", "q29.high"],
    ["q30.low", "q30.high"],
    ["q31.low", "q31.high"],
];

/// The general registers from x3 to below `end`, without x18, and all SIMD registers: names, and values before and after.
fn others<'a>(
    expected: &'a RegisterFile,
    found: &'a RegisterFile,
    end: usize,
) -> impl Iterator<Item = (&'static str, u64, u64)> + 'a {
    let general = (3..end)
        .filter(|number| *number != 18)
        .map(|number| (X_NAMES[number], expected.x[number], found.x[number]));
    let vector = (0..64).map(|half| {
        (
            Q_NAMES[half / 2][half % 2],
            expected.q[half / 2][half % 2],
            found.q[half / 2][half % 2],
        )
    });
    vector.chain(general)
}

fn first_change(
    mut registers: impl Iterator<Item = (&'static str, u64, u64)>,
) -> Result<(), RegisterChanged> {
    match registers.find(|(_, expected, found)| expected != found) {
        Some((name, expected, found)) => Err(RegisterChanged {
            name,
            expected,
            found,
        }),
        None => Ok(()),
    }
}

#[expect(
    unconditional_recursion,
    reason = "to overflow the stack is its purpose"
)]
#[inline(never)]
fn recurse(depth: u64) -> u64 {
    let here = [depth; 16];
    recurse(black_box(&here)[3] + 1) + black_box(here)[5]
}

fn load(address: u64) {
    // SAFETY: meant to fault; if it does not, a word is read and dropped.
    unsafe { asm!("ldr {t}, [{a}]", t = out(reg) _, a = in(reg) address, options(nostack)) };
}

fn store(address: u64) {
    // SAFETY: meant to fault.
    unsafe { asm!("str xzr, [{a}]", a = in(reg) address, options(nostack)) };
}

fn jump(address: u64) {
    // SAFETY: meant to fault; a handler may resume behind it, through the link register.
    unsafe { asm!("blr {a}", a = in(reg) address, clobber_abi("C"), options(nostack)) };
}

fn misaligned_stack() {
    // SAFETY: meant to fault; where the machine does not check, a word of our own frame is read and SP is restored.
    unsafe { asm!("sub sp, sp, #24", "ldr {t}, [sp]", "add sp, sp, #24", t = out(reg) _) };
}

fn without_stack() -> ! {
    // SAFETY: meant to fault with no way back.
    unsafe {
        asm!("mov sp, {a}", "brk #0xDF", "2: wfe", "b 2b", a = in(reg) UNMAPPED - 64 * PAGE_SIZE, options(noreturn))
    }
}

/// Without interrupts meanwhile: a handler that saves SIMD registers would be the one to fault.
fn simd_while_off() {
    let enabled = Machine::disable_interrupts();
    // SAFETY: meant to fault; afterwards SIMD is on again.
    unsafe {
        asm!(".arch_extension simd", "mrs {o}, cpacr_el1", "msr cpacr_el1, xzr", "isb", "fmov d0, xzr", "msr cpacr_el1, {o}", "isb",
            o = out(reg) _, options(nostack));
    }
    Machine::restore_interrupts(enabled);
}

/// Where nothing is on any machine that we know: the end of the processor's address space; on QEMU's `virt` with a processor
/// of 40 bits, where that is a PCI window, the gap behind the virtio slots.
fn bus_error() {
    use aarch64_cpu::registers::{ID_AA64MMFR0_EL1, Readable};
    let bits = [32, 36, 40, 42, 44, 48, 48, 48]
        [usize::try_from(ID_AA64MMFR0_EL1.read(ID_AA64MMFR0_EL1::PARange) & 7).unwrap_or(0)];
    for address in [(1 << bits) - PAGE_SIZE, 0x0BFF_F000] {
        if let Some(window) = window::map_device(PhysAddr(address), 4) {
            load(window.0);
        }
    }
}

impl SelfTest for Machine {
    fn provoke(fault: Fault) -> Result<(), NotOnThisMachine> {
        match fault {
            Fault::ReadUnmapped => load(0x10),
            Fault::WriteUnmapped => store(UNMAPPED),
            Fault::WriteText => store(recurse as fn(u64) -> u64 as usize as u64),
            Fault::WriteReadOnly => store(core::ptr::from_ref(black_box(&CONSTANT)).addr() as u64),
            Fault::ExecuteData => jump((&raw const VARIABLE).addr() as u64),
            // SAFETY: UDF is meant to fault.
            Fault::IllegalInstruction => unsafe { asm!("udf #0xDF", options(nostack)) },
            Fault::GeneralProtection | Fault::DivideByZero => return Err(NotOnThisMachine),
            // SAFETY: BRK is meant to fault.
            Fault::Breakpoint => unsafe { asm!("brk #0xDF", options(nostack)) },
            Fault::Misaligned => {
                let words = [0_u64; 2];
                // SAFETY: an exclusive load at an odd address is meant to fault; it reads our own words.
                unsafe {
                    asm!("ldxr {t}, [{a}]", t = out(reg) _, a = in(reg) words.as_ptr().addr() + 1, options(nostack))
                };
            }
            Fault::MisalignedPc => jump(recurse as fn(u64) -> u64 as usize as u64 + 2),
            Fault::MisalignedStack => {
                misaligned_stack();
                // Arrived here: QEMU's TCG does not check.
                return Err(NotOnThisMachine);
            }
            Fault::StackOverflow => {
                black_box(recurse(black_box(0)));
            }
            Fault::DoubleFault => without_stack(),
            Fault::BusError => bus_error(),
            Fault::FloatingPointUnavailable => simd_while_off(),
        }
        Ok(())
    }

    fn hold_registers(counter: &AtomicU64, target: u64, seed: u64) -> Result<(), RegisterChanged> {
        let expected = RegisterFile::from_seed(seed);
        let mut found = RegisterFile::from_seed(!seed);
        let mut before = simd::SimdState::default();
        simd::save(&mut before);
        // SAFETY: the routine keeps to the calling convention but for SIMD, which Rust does not use here and which is
        // put back a line below.
        unsafe { tarn_hold_registers(&expected, &mut found, counter, target) };
        simd::restore(&before);
        // x0 and x2 were the loop's own; x1 was loaded anew each time; x18 is the processor's.
        let loop_values = [
            ("x0", core::ptr::from_ref(counter).addr() as u64, found.x[0]),
            ("x2", target, found.x[2]),
        ];
        let early = [("x1", target, counter.load(Ordering::Relaxed).min(target))];
        let flags = [("nzcv", expected.nzcv, found.nzcv)];
        first_change(
            loop_values
                .into_iter()
                .chain(early)
                .chain(flags)
                .chain(others(&expected, &found, 31)),
        )
    }

    fn write_held(to: VirtAddr, word: u64, seed: u64) -> Result<bool, RegisterChanged> {
        if !is_user_range(to, 8) {
            return Ok(false);
        }
        let expected = RegisterFile::from_seed(seed);
        let mut found = RegisterFile::from_seed(!seed);
        let mut before = simd::SimdState::default();
        simd::save(&mut before);
        // SAFETY: the routine keeps to the calling convention but for SIMD, which Rust does not use here and which is
        // put back a line below; it writes to nothing but `found` and the word, which is in the user half.
        unsafe { tarn_write_held(&expected, &mut found, to.0, word) };
        simd::restore(&before);
        // x0 and x1 are the results, x30 where the routine went back to, and x18 the processor's; no flags are touched.
        let written = found.x[0] == 0;
        let own = [
            ("x0", if written { 0 } else { u64::MAX }, found.x[0]),
            ("x2", word, found.x[2]),
            ("nzcv", expected.nzcv, found.nzcv),
        ];
        first_change(own.into_iter().chain(others(&expected, &found, 30)))?;
        Ok(written)
    }

    fn scramble_simd(seed: u64) {
        let mut state = simd::SimdState::default();
        for (value, register) in (1_u64..).zip(&mut state.q) {
            let half = seed ^ value.wrapping_mul(0xD134_2543_DE82_EF95);
            *register = u128::from(half) << 64 | u128::from(!half);
        }
        // Rounding mode, flush to zero, default NaN; the cumulative flags and saturation.
        state.fpcr = (seed & 0xF) << 22;
        state.fpsr = (seed & 0x1F) | (seed & 1) << 27;
        simd::restore(&state);
    }

    fn user_code(code: UserCode) -> Option<&'static [u8]> {
        user_code::get(code)
    }

    fn let_console_interrupt(enabled: bool) {
        console::let_interrupt(enabled);
    }

    fn settle_console_interrupt() -> bool {
        console::settle_interrupt()
    }

    fn take_spurious_interrupt() -> bool {
        let enabled = Self::disable_interrupts();
        let before = Self::spurious_count();
        // What is pending is served on the way, as from the vector.
        while Self::spurious_count() == before {
            interrupts::take(false);
        }
        Self::restore_interrupts(enabled);
        true
    }

    fn simd_shape() -> (u32, u32) {
        (32, 16)
    }
}
