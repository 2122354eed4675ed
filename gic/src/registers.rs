//! What the logic needs of the machine.

/// A block of memory-mapped registers, by offset in bytes. Accesses to one block reach it in program order.
pub trait Registers {
    /// Reads a 32-bit register.
    fn read32(&self, offset: u64) -> u32;
    /// Writes a 32-bit register.
    fn write32(&self, offset: u64, value: u32);
    /// Reads a 64-bit register.
    fn read64(&self, offset: u64) -> u64;
    /// Writes a 64-bit register.
    fn write64(&self, offset: u64, value: u64);
}

/// The `ICC_*_EL1` registers of this processor. A write has taken effect when the method returns.
pub trait SystemRegisters {
    /// `ICC_SRE_EL1`.
    fn system_register_enable(&self) -> u64;
    /// Writes `ICC_SRE_EL1`.
    fn set_system_register_enable(&self, value: u64);
    /// `ICC_PMR_EL1`.
    fn priority_mask(&self) -> u64;
    /// Writes `ICC_PMR_EL1`.
    fn set_priority_mask(&self, value: u64);
    /// Writes `ICC_BPR1_EL1`.
    fn set_binary_point(&self, value: u64);
    /// `ICC_CTLR_EL1`.
    fn control(&self) -> u64;
    /// Writes `ICC_CTLR_EL1`.
    fn set_control(&self, value: u64);
    /// Writes `ICC_IGRPEN1_EL1`.
    fn set_group_enable(&self, value: u64);
    /// Reads `ICC_IAR1_EL1`, which acknowledges.
    fn acknowledge(&self) -> u64;
    /// Writes `ICC_EOIR1_EL1`.
    fn end(&self, value: u64);
    /// Writes `ICC_SGI1R_EL1`.
    fn send(&self, value: u64);
}
