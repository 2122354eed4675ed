//! Model-specific registers and I/O ports.
//!
//! What a write to one of them does depends on the register, so the argument for
//! it is made once, where the register is named: [`Msr::new`] and [`IoPort::new`]
//! are unsafe, the accesses are not.

use ::x86_64::instructions::port::Port;

/// A model-specific register.
#[derive(Clone, Copy)]
pub(super) struct Msr(u32);

impl Msr {
    /// Names a register.
    ///
    /// # Safety
    /// Wherever the value is used the processor has the register, and no value that is written to it there breaks
    /// what Rust assumes (a pointer in it stays valid, a mode it selects is one that this kernel runs in).
    pub(super) const unsafe fn new(number: u32) -> Self {
        Self(number)
    }

    /// Reads it.
    pub(super) fn read(self) -> u64 {
        let register = ::x86_64::registers::model_specific::Msr::new(self.0);
        // SAFETY: `new`'s caller vouched that the register exists; reading one changes nothing.
        unsafe { register.read() }
    }

    /// Writes it.
    pub(super) fn write(self, value: u64) {
        let mut register = ::x86_64::registers::model_specific::Msr::new(self.0);
        // SAFETY: `new`'s caller vouched for the writes that this crate makes.
        unsafe { register.write(value) }
    }
}

/// Long mode, NX and SYSCALL: the entry code turned the first two on.
// SAFETY: every x86-64 processor has it; only bits that this kernel relies on are set, none is cleared.
pub(super) const EFER: Msr = unsafe { Msr::new(0xC000_0080) };
/// Where the local APIC is and whether it is on.
// SAFETY: every x86-64 processor has it; only the two enabling bits are changed.
pub(super) const APIC_BASE: Msr = unsafe { Msr::new(0x1B) };
/// The current GS base: the processor's own block.
// SAFETY: every x86-64 processor has it; only the address of a block that lives for good is written.
pub(super) const GS_BASE: Msr = unsafe { Msr::new(0xC000_0101) };
/// The GS base that SWAPGS brings: user mode's, while the kernel runs.
// SAFETY: every x86-64 processor has it; the kernel itself never dereferences it.
pub(super) const KERNEL_GS_BASE: Msr = unsafe { Msr::new(0xC000_0102) };

/// The FS base: user mode's.
// SAFETY: every x86-64 processor has it; the kernel itself never uses FS.
pub(super) const FS_BASE: Msr = unsafe { Msr::new(0xC000_0100) };

/// An I/O port.
#[derive(Clone, Copy)]
pub(super) struct IoPort(u16);

impl IoPort {
    /// Names a port.
    ///
    /// # Safety
    /// No value that is written there makes a device write to memory that Rust owns.
    pub(super) const unsafe fn new(port: u16) -> Self {
        Self(port)
    }

    /// The port `offset` further on, of the same device.
    pub(super) const fn offset(self, offset: u16) -> Self {
        Self(self.0.wrapping_add(offset))
    }

    /// Reads a byte.
    pub(super) fn read8(self) -> u8 {
        // SAFETY: `new`'s caller vouched for the device; a port that nothing answers gives all ones.
        unsafe { Port::new(self.0).read() }
    }

    /// Writes a byte.
    pub(super) fn write8(self, value: u8) {
        // SAFETY: `new`'s caller vouched for the device.
        unsafe { Port::new(self.0).write(value) }
    }

    /// Reads 16 bits.
    pub(super) fn read16(self) -> u16 {
        // SAFETY: as for `read8`.
        unsafe { Port::new(self.0).read() }
    }

    /// Writes 16 bits.
    pub(super) fn write16(self, value: u16) {
        // SAFETY: `new`'s caller vouched for the device.
        unsafe { Port::new(self.0).write(value) }
    }

    /// Writes 32 bits.
    pub(super) fn write32(self, value: u32) {
        // SAFETY: `new`'s caller vouched for the device.
        unsafe { Port::new(self.0).write(value) }
    }
}
