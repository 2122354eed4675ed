//! SIMD and floating-point registers, for who uses them.

use core::arch::asm;
use core::mem::offset_of;

/// q0 to q31, FPCR and FPSR.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct SimdState {
    /// The vector registers.
    pub q: [u128; 32],
    /// The control register.
    pub fpcr: u64,
    /// The status register.
    pub fpsr: u64,
}

impl SimdState {
    /// All registers zero.
    pub(super) const NEW: Self = Self {
        q: [0; 32],
        fpcr: 0,
        fpsr: 0,
    };
}

const FPCR: usize = offset_of!(SimdState, fpcr);

/// Stores them.
pub(super) fn save(into: &mut SimdState) {
    // SAFETY: CPACR_EL1 permits SIMD at EL1; the state has room for 32 registers and the two words behind them.
    unsafe {
        asm!(
            ".arch_extension simd",
            "stp q0, q1, [{s}]", "stp q2, q3, [{s}, #32]", "stp q4, q5, [{s}, #64]", "stp q6, q7, [{s}, #96]",
            "stp q8, q9, [{s}, #128]", "stp q10, q11, [{s}, #160]", "stp q12, q13, [{s}, #192]", "stp q14, q15, [{s}, #224]",
            "stp q16, q17, [{s}, #256]", "stp q18, q19, [{s}, #288]", "stp q20, q21, [{s}, #320]", "stp q22, q23, [{s}, #352]",
            "stp q24, q25, [{s}, #384]", "stp q26, q27, [{s}, #416]", "stp q28, q29, [{s}, #448]", "stp q30, q31, [{s}, #480]",
            "mrs {t}, fpcr", "str {t}, [{s}, #{fpcr}]", "mrs {t}, fpsr", "str {t}, [{s}, #{fpcr} + 8]",
            s = in(reg) core::ptr::from_mut(into), t = out(reg) _, fpcr = const FPCR, options(nostack, preserves_flags)
        );
    }
}

/// Loads them.
pub(super) fn restore(from: &SimdState) {
    // SAFETY: as for `save`; the kernel is compiled without SIMD, so no Rust value lives in these registers.
    unsafe {
        asm!(
            ".arch_extension simd",
            "ldp q0, q1, [{s}]", "ldp q2, q3, [{s}, #32]", "ldp q4, q5, [{s}, #64]", "ldp q6, q7, [{s}, #96]",
            "ldp q8, q9, [{s}, #128]", "ldp q10, q11, [{s}, #160]", "ldp q12, q13, [{s}, #192]", "ldp q14, q15, [{s}, #224]",
            "ldp q16, q17, [{s}, #256]", "ldp q18, q19, [{s}, #288]", "ldp q20, q21, [{s}, #320]", "ldp q22, q23, [{s}, #352]",
            "ldp q24, q25, [{s}, #384]", "ldp q26, q27, [{s}, #416]", "ldp q28, q29, [{s}, #448]", "ldp q30, q31, [{s}, #480]",
            "ldr {t}, [{s}, #{fpcr}]", "msr fpcr, {t}", "ldr {t}, [{s}, #{fpcr} + 8]", "msr fpsr, {t}",
            s = in(reg) core::ptr::from_ref(from), t = out(reg) _, fpcr = const FPCR, options(nostack, preserves_flags)
        );
    }
}
