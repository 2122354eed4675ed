//! Versions 3 and 4 (Arm IHI 0069), with affinity routing and the system-register interface.
//!
//! Each processor has a redistributor for its private interrupts: two frames of
//! 64 KiB (four, where there are virtual LPIs), one after another in a few regions,
//! and only the affinity value in its type register says whose it is; see [`walk`].
//! All interrupts are non-secure group 1.

use crate::{
    Acknowledged, Error, FIRST_SHARED, FIRST_SPECIAL, Registers, SystemRegisters, Trigger, bit_of,
    check_priority_bits, mask_for, priority_of, set_priority, set_trigger,
};

const GICD_CTLR: u64 = 0x0000;
const GICD_TYPER: u64 = 0x0004;
const GICD_IGROUPR: u64 = 0x0080;
const GICD_ISENABLER: u64 = 0x0100;
const GICD_ICENABLER: u64 = 0x0180;
const GICD_ICPENDR: u64 = 0x0280;
const GICD_ICACTIVER: u64 = 0x0380;
const GICD_IPRIORITYR: u64 = 0x0400;
const GICD_ICFGR: u64 = 0x0C00;
const GICD_IROUTER: u64 = 0x6000;
/// Affinity routing, and group 1 (of the non-secure state, where there are two).
const CTLR_ENABLE: u32 = 1 << 4 | 1 << 1;
/// There is one security state.
const CTLR_SECURITY_DISABLED: u32 = 1 << 6;
/// A write is still on its way, in GICD_CTLR.
const CTLR_PENDING: u32 = 1 << 31;

const GICR_CTLR: u64 = 0x0000;
/// GICR_TYPER: whose redistributor this is, and where the next one is.
pub const GICR_TYPER: u64 = 0x0008;
const GICR_WAKER: u64 = 0x0014;
const WAKER_PROCESSOR_SLEEP: u32 = 1 << 1;
const WAKER_CHILDREN_ASLEEP: u32 = 1 << 2;
/// A write is still on its way, in GICR_CTLR.
const GICR_CTLR_PENDING: u32 = 1 << 3;
/// Offset of the second frame, that of the private interrupts. Its registers have the distributor's offsets.
pub const PRIVATE_FRAME: u64 = 0x1_0000;
/// Bytes of a redistributor that are used: all of the first page of each of the two frames.
pub const REDISTRIBUTOR_LENGTH: u64 = PRIVATE_FRAME + 0x1000;

/// How often a register is looked at before it is given up: hundreds of milliseconds on any machine.
const PATIENCE: u32 = 10_000_000;

/// A redistributor that [`walk`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Redistributor {
    /// Physical address of its first frame.
    pub address: u64,
    /// Affinity of its processor, as in MPIDR_EL1.
    pub affinity: u64,
}

/// How ICC_PMR_EL1 shows priorities (IHI 0069, "Accessing interrupt priorities"). The distributor shows the non-secure state, where there are two, the
/// upper half of its priorities, shifted up by a bit. The mask is shifted in the same way if EL3 keeps group 0 for itself
/// (SCR_EL3.FIQ), and else not: then the mask must be written as the distributor keeps priorities.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MaskView {
    /// Mask and priorities are shown alike.
    Alike,
    /// The distributor shifts what we write, the mask does not.
    Unshifted,
}

impl MaskView {
    const fn mask_for(self, level: u8) -> u64 {
        let mask = mask_for(level) as u64;
        match self {
            Self::Alike => mask,
            Self::Unshifted => 0x80 | mask >> 1,
        }
    }
}

/// Walks over the redistributors in `start..end`. `typer` reads GICR_TYPER of the one at an address, `visit` gets each.
pub fn walk(
    start: u64,
    end: u64,
    typer: &mut dyn FnMut(u64) -> Option<u64>,
    visit: &mut dyn FnMut(Redistributor),
) {
    let mut address = start;
    while address
        .checked_add(REDISTRIBUTOR_LENGTH)
        .is_some_and(|needed| needed <= end)
    {
        let Some(value) = typer(address) else { return };
        visit(Redistributor {
            address,
            affinity: affinity_of_typer(value),
        });
        let (last, virtual_lpis) = (value & 1 << 4 != 0, value & 1 << 1 != 0);
        if last {
            return;
        }
        address += if virtual_lpis { 0x4_0000 } else { 0x2_0000 };
    }
}

/// GICR_TYPER has the four affinity bytes together, MPIDR has the highest apart.
const fn affinity_of_typer(typer: u64) -> u64 {
    let value = typer >> 32;
    (value & 0xFF00_0000) << 8 | (value & 0x00FF_FFFF)
}

/// A GICv3: the distributor's registers.
#[derive(Debug)]
pub struct Gic<R> {
    distributor: R,
    lines: u32,
}

fn wait(registers: &impl Registers, offset: u64, bits: u32) -> Result<(), Error> {
    for _ in 0..PATIENCE {
        if registers.read32(offset) & bits == 0 {
            return Ok(());
        }
    }
    Err(Error::Timeout)
}

impl<R: Registers> Gic<R> {
    /// Takes the distributor over: everything disabled, in group 1, level-triggered, at the lowest priority.
    ///
    /// # Errors
    /// [`Error::Timeout`], [`Error::PriorityBits`].
    pub fn new(distributor: R) -> Result<Self, Error> {
        distributor.write32(GICD_CTLR, 0);
        wait(&distributor, GICD_CTLR, CTLR_PENDING)?;
        let lines = (32 * ((distributor.read32(GICD_TYPER) & 31) + 1)).min(FIRST_SPECIAL);
        for word in 1..u64::from(lines.div_ceil(32)) {
            distributor.write32(GICD_ICENABLER + 4 * word, !0);
            distributor.write32(GICD_ICPENDR + 4 * word, !0);
            distributor.write32(GICD_ICACTIVER + 4 * word, !0);
            distributor.write32(GICD_IGROUPR + 4 * word, !0);
        }
        for word in u64::from(FIRST_SHARED) / 4..u64::from(lines.div_ceil(4)) {
            distributor.write32(GICD_IPRIORITYR + 4 * word, !0);
        }
        for word in u64::from(FIRST_SHARED) / 16..u64::from(lines.div_ceil(16)) {
            distributor.write32(GICD_ICFGR + 4 * word, 0);
        }
        wait(&distributor, GICD_CTLR, CTLR_PENDING)?;
        if lines > FIRST_SHARED {
            check_priority_bits(&distributor, GICD_IPRIORITYR, FIRST_SHARED)?;
        }
        distributor.write32(GICD_CTLR, CTLR_ENABLE);
        wait(&distributor, GICD_CTLR, CTLR_PENDING)?;
        Ok(Self { distributor, lines })
    }

    /// How many INTIDs the controller has, private ones included.
    pub fn lines(&self) -> u32 {
        self.lines
    }

    /// Finds out how the mask is shown, on a processor whose interrupts are off; leaves everything masked.
    ///
    /// The lowest priority bit that exists is written to the mask: in the shifted view it is the bit that is lost, so it
    /// reads as 0.
    ///
    /// # Errors
    /// [`Error::SystemRegisters`].
    pub fn mask_view(&self, system: &impl SystemRegisters) -> Result<MaskView, Error> {
        enable_system_registers(system)?;
        let priority_bits = (system.control() >> 8 & 7) + 1;
        system.set_priority_mask(1 << (8 - priority_bits));
        let shifted = system.priority_mask() == 0;
        system.set_priority_mask(0);
        let one_security_state = self.distributor.read32(GICD_CTLR) & CTLR_SECURITY_DISABLED != 0;
        Ok(if one_security_state || shifted {
            MaskView::Alike
        } else {
            MaskView::Unshifted
        })
    }

    /// Routes a shared interrupt to the processor of that affinity and enables it.
    pub fn connect(&self, intid: u32, level: u8, trigger: Trigger, affinity: u64) {
        self.disable(intid);
        set_trigger(&self.distributor, GICD_ICFGR, intid, trigger);
        set_priority(
            &self.distributor,
            GICD_IPRIORITYR,
            intid,
            priority_of(level),
        );
        self.distributor
            .write64(GICD_IROUTER + 8 * u64::from(intid), affinity);
        let (offset, bit) = bit_of(GICD_ISENABLER, intid);
        self.distributor.write32(offset, bit);
    }

    /// Disables an interrupt; when this returns, it is not signalled any more.
    pub fn disable(&self, intid: u32) {
        let (offset, bit) = bit_of(GICD_ICENABLER, intid);
        self.distributor.write32(offset, bit);
        // A distributor that never finishes cannot be helped here; an interrupt that still comes is spurious above.
        let _ = wait(&self.distributor, GICD_CTLR, CTLR_PENDING);
    }
}

/// Sets up this processor's redistributor and interface, masked for `level`.
///
/// # Errors
/// [`Error::Timeout`], [`Error::PriorityBits`], [`Error::SystemRegisters`], [`Error::PriorityMask`].
pub fn initialize_processor(
    redistributor: &impl Registers,
    system: &impl SystemRegisters,
    view: MaskView,
    level: u8,
) -> Result<(), Error> {
    let waker = redistributor.read32(GICR_WAKER);
    redistributor.write32(GICR_WAKER, waker & !WAKER_PROCESSOR_SLEEP);
    wait(redistributor, GICR_WAKER, WAKER_CHILDREN_ASLEEP)?;
    redistributor.write32(PRIVATE_FRAME + GICD_ICENABLER, !0);
    wait(redistributor, GICR_CTLR, GICR_CTLR_PENDING)?;
    redistributor.write32(PRIVATE_FRAME + GICD_IGROUPR, !0);
    redistributor.write32(PRIVATE_FRAME + GICD_ICPENDR, !0);
    redistributor.write32(PRIVATE_FRAME + GICD_ICACTIVER, !0);
    for word in 0..8 {
        redistributor.write32(PRIVATE_FRAME + GICD_IPRIORITYR + 4 * word, !0);
    }
    check_priority_bits(redistributor, PRIVATE_FRAME + GICD_IPRIORITYR, 0)?;

    enable_system_registers(system)?;
    system.set_binary_point(0);
    for probe in [0xF0, 0x10] {
        system.set_priority_mask(probe);
        if system.priority_mask() != probe {
            return Err(Error::PriorityMask);
        }
    }
    set_mask(system, view, level);
    // EOImode (bit 1) 0: the write that ends an interrupt drops the priority and deactivates. CBPR (bit 0) 0.
    system.set_control(system.control() & !3);
    system.set_group_enable(1);
    Ok(())
}

fn enable_system_registers(system: &impl SystemRegisters) -> Result<(), Error> {
    system.set_system_register_enable(system.system_register_enable() | 1);
    if system.system_register_enable() & 1 == 0 {
        Err(Error::SystemRegisters)
    } else {
        Ok(())
    }
}

/// Enables a private interrupt of the redistributor's processor.
pub fn enable_private(redistributor: &impl Registers, intid: u32, level: u8) {
    set_priority(
        redistributor,
        PRIVATE_FRAME + GICD_IPRIORITYR,
        intid,
        priority_of(level),
    );
    redistributor.write32(PRIVATE_FRAME + GICD_ISENABLER, 1 << (intid % 32));
}

/// Masks this processor for `level`.
pub fn set_mask(system: &impl SystemRegisters, view: MaskView, level: u8) {
    system.set_priority_mask(view.mask_for(level));
}

/// Takes the pending interrupt of the highest priority, if there still is one. A DSB must follow before what the interrupt
/// announces is read.
pub fn acknowledge(system: &impl SystemRegisters) -> Option<Acknowledged> {
    Acknowledged::from_token(u32::try_from(system.acknowledge()).ok()?)
}

/// Ends an interrupt. A DSB must come before, so that the device has let go of its line.
pub fn end(system: &impl SystemRegisters, acknowledged: Acknowledged) {
    system.end(u64::from(acknowledged.token));
}

/// Sends a software-generated interrupt to each affinity, one write for each sixteen that differ in the lowest four bits
/// only. A DSB must come before, so that the targets see what was written.
pub fn send(
    system: &impl SystemRegisters,
    intid: u32,
    affinities: impl Iterator<Item = u64> + Clone,
) {
    let cluster = |affinity: u64| affinity & !15;
    for (position, affinity) in affinities.clone().enumerate() {
        // The first of its cluster speaks for all of them.
        if affinities
            .clone()
            .take(position)
            .any(|earlier| cluster(earlier) == cluster(affinity))
        {
            continue;
        }
        let list = affinities
            .clone()
            .filter(|other| cluster(*other) == cluster(affinity))
            .fold(0, |list, other| list | 1 << (other & 15));
        system.send(sgi1r(intid, cluster(affinity), list));
    }
}

/// ICC_SGI1R_EL1: target list, Aff1, INTID, Aff2, range selector (bits 7:4 of Aff0), Aff3.
const fn sgi1r(intid: u32, cluster: u64, list: u64) -> u64 {
    let (aff0, aff1, aff2, aff3) = (
        cluster & 0xFF,
        cluster >> 8 & 0xFF,
        cluster >> 16 & 0xFF,
        cluster >> 32 & 0xFF,
    );
    list | aff1 << 16 | ((intid & 15) as u64) << 24 | aff2 << 32 | (aff0 >> 4) << 44 | aff3 << 48
}
