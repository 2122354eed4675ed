//! SIMD and floating-point registers: the only code, beside the self-tests, that touches them.
//!
//! Where the processor has XSAVE, what it saves is what `features` enabled in XCR0:
//! x87, SSE and, where they exist, the upper halves of AVX. Without XSAVE, FXSAVE
//! saves the first two. Registers that came later (AVX-512, AMX) are not enabled, so
//! nobody can have values in them.

use core::arch::asm;

use super::features::{Features, features};

/// Bytes of the legacy area (512), the XSAVE header (64) and AVX's upper halves (256; SDM volume 1, 13.5.3 and CPUID
/// leaf 0DH put them at offset 576 on every processor).
const LENGTH: usize = 832;
/// Bytes of the legacy area; the XSAVE header follows.
const LEGACY: usize = 512;
const CONTROL_WORD: usize = 0;
const MXCSR: usize = 24;

/// The SIMD and floating-point registers of a thread.
#[repr(C, align(64))]
#[derive(Clone, Debug)]
pub struct SimdState([u8; LENGTH]);

impl SimdState {
    /// The state that a thread begins with: all registers zero, every exception masked, x87 with 53 bits of precision, as
    /// Windows' x64 calling convention says ("FpCsr"); after reset a processor has 64.
    pub(super) const NEW: Self = {
        let mut bytes = [0; LENGTH];
        [bytes[CONTROL_WORD], bytes[CONTROL_WORD + 1]] = 0x027F_u16.to_le_bytes();
        [bytes[MXCSR], bytes[MXCSR + 1], _, _] = 0x1F80_u32.to_le_bytes();
        // XRSTOR gives x87 the processor's own first state, not these bytes, unless the header says that they count.
        bytes[LEGACY] = 1;
        Self(bytes)
    };

    /// x87 and SSE, as FXSAVE stores them.
    pub(super) fn legacy(&self) -> &[u8] {
        &self.0[..LEGACY]
    }

    /// Sets x87 and SSE from such bytes, whose MXCSR has no bits that processors lack; the rest stays.
    pub(super) fn set_legacy(&mut self, bytes: &[u8]) {
        for (into, from) in self.0[..LEGACY].iter_mut().zip(bytes) {
            *into = *from;
        }
        // The header says which components are not in their first state: now these two are not.
        self.0[LEGACY] |= 3;
    }
}

impl Default for SimdState {
    fn default() -> Self {
        Self::NEW
    }
}

/// Stores this processor's registers.
pub(super) fn save(into: &mut SimdState) {
    let area = into.0.as_mut_ptr();
    if features().contains(Features::XSAVE) {
        // SAFETY: the area is aligned to 64 and as long as the components in XCR0 need; its header is valid:
        // that of `NEW`, or XSAVE's own.
        unsafe {
            asm!("xsave64 [{}]", in(reg) area, in("eax") 7, in("edx") 0, options(nostack, preserves_flags))
        };
    } else {
        // SAFETY: the area is aligned to 16 and longer than 512 bytes.
        unsafe { asm!("fxsave64 [{}]", in(reg) area, options(nostack, preserves_flags)) };
    }
}

/// Loads them.
pub(super) fn restore(from: &SimdState) {
    let area = from.0.as_ptr();
    if features().contains(Features::XSAVE) {
        // SAFETY: the area was made by `save` or `default`, so its header and MXCSR are valid. Rust code does not use
        // these registers.
        unsafe {
            asm!("xrstor64 [{}]", in(reg) area, in("eax") 7, in("edx") 0, options(nostack, preserves_flags, readonly));
        }
    } else {
        // SAFETY: as above.
        unsafe {
            asm!("fxrstor64 [{}]", in(reg) area, options(nostack, preserves_flags, readonly))
        };
    }
}
