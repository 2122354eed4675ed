//! Version 2 (Arm IHI 0048), among them the GIC-400 of the Raspberry Pi 4.
//!
//! The distributor is shared, except that the registers of interrupts 0 to 31 are
//! banked: each processor sees its own. The group registers are not written: with
//! one security state all interrupts are in group 0 and the enable bits are bit 0;
//! in the non-secure state of two, the firmware has put them into group 1, and
//! the same bit 0 is what that state calls its own enable. Either way the same
//! writes are right.

use crate::{
    Acknowledged, Error, FIRST_SHARED, FIRST_SPECIAL, Registers, Trigger, bit_of,
    check_priority_bits, mask_for, priority_of, set_priority, set_trigger,
};

const GICD_CTLR: u64 = 0x000;
const GICD_TYPER: u64 = 0x004;
const GICD_ISENABLER: u64 = 0x100;
const GICD_ICENABLER: u64 = 0x180;
const GICD_ICPENDR: u64 = 0x280;
const GICD_ICACTIVER: u64 = 0x380;
const GICD_IPRIORITYR: u64 = 0x400;
const GICD_ITARGETSR: u64 = 0x800;
const GICD_ICFGR: u64 = 0xC00;
const GICD_SGIR: u64 = 0xF00;
const GICC_CTLR: u64 = 0x00;
const GICC_PMR: u64 = 0x04;
const GICC_BPR: u64 = 0x08;
const GICC_IAR: u64 = 0x0C;
const GICC_EOIR: u64 = 0x10;

/// A GICv2: the distributor's registers and the (banked) CPU interface's.
#[derive(Debug)]
pub struct Gic<R> {
    distributor: R,
    interface: R,
    lines: u32,
}

impl<R: Registers> Gic<R> {
    /// Takes the distributor over: everything disabled, not pending, level-triggered, at the lowest priority.
    ///
    /// # Errors
    /// [`Error::PriorityBits`].
    pub fn new(distributor: R, interface: R) -> Result<Self, Error> {
        distributor.write32(GICD_CTLR, 0);
        let lines = (32 * ((distributor.read32(GICD_TYPER) & 31) + 1)).min(FIRST_SPECIAL);
        for word in 1..u64::from(lines.div_ceil(32)) {
            distributor.write32(GICD_ICENABLER + 4 * word, !0);
            distributor.write32(GICD_ICPENDR + 4 * word, !0);
            distributor.write32(GICD_ICACTIVER + 4 * word, !0);
        }
        for word in u64::from(FIRST_SHARED) / 4..u64::from(lines.div_ceil(4)) {
            distributor.write32(GICD_IPRIORITYR + 4 * word, !0);
            distributor.write32(GICD_ITARGETSR + 4 * word, 0);
        }
        for word in u64::from(FIRST_SHARED) / 16..u64::from(lines.div_ceil(16)) {
            distributor.write32(GICD_ICFGR + 4 * word, 0);
        }
        check_priority_bits(&distributor, GICD_IPRIORITYR, 0)?;
        distributor.write32(GICD_CTLR, 1);
        Ok(Self {
            distributor,
            interface,
            lines,
        })
    }

    /// How many INTIDs the controller has, private ones included.
    pub fn lines(&self) -> u32 {
        self.lines
    }

    /// Sets up this processor's part, masked for `level`; returns its bit in target masks.
    ///
    /// # Errors
    /// [`Error::PriorityMask`], [`Error::NoInterface`].
    pub fn initialize_processor(&self, level: u8) -> Result<u8, Error> {
        let (distributor, interface) = (&self.distributor, &self.interface);
        interface.write32(GICC_CTLR, 0);
        distributor.write32(GICD_ICENABLER, !0);
        distributor.write32(GICD_ICPENDR, !0);
        distributor.write32(GICD_ICACTIVER, !0);
        for word in 0..8 {
            distributor.write32(GICD_IPRIORITYR + 4 * word, !0);
        }
        // Whatever value is the smallest that the view allows: the most bits for preemption.
        interface.write32(GICC_BPR, 0);
        for probe in [0xF0, 0x10] {
            interface.write32(GICC_PMR, probe);
            if interface.read32(GICC_PMR) != probe {
                return Err(Error::PriorityMask);
            }
        }
        self.set_mask(level);
        interface.write32(GICC_CTLR, 1);
        self.own_target()
    }

    /// The target bytes of private interrupts read as the reading processor's bit; those that do not exist read as 0. With
    /// a single processor all may read as 0, and the bit does not matter.
    fn own_target(&self) -> Result<u8, Error> {
        for word in 0..8 {
            let mask = self
                .distributor
                .read32(GICD_ITARGETSR + 4 * word)
                .to_le_bytes()
                .into_iter()
                .fold(0, |all, byte| all | byte);
            if mask != 0 {
                return Ok(mask);
            }
        }
        let processors = (self.distributor.read32(GICD_TYPER) >> 5 & 7) + 1;
        if processors == 1 {
            Ok(1)
        } else {
            Err(Error::NoInterface)
        }
    }

    /// Masks this processor for `level`. The read makes sure that the write arrived; a DSB must follow if the caller raised
    /// the level and relies on the mask.
    pub fn set_mask(&self, level: u8) {
        self.interface.write32(GICC_PMR, u32::from(mask_for(level)));
        self.interface.read32(GICC_PMR);
    }

    /// Takes the pending interrupt of the highest priority, if there still is one. A DSB must follow before what the
    /// interrupt announces is read.
    pub fn acknowledge(&self) -> Option<Acknowledged> {
        Acknowledged::from_token(self.interface.read32(GICC_IAR))
    }

    /// Ends an interrupt. A DSB must come before, so that the device has let go of its line.
    pub fn end(&self, acknowledged: Acknowledged) {
        self.interface.write32(GICC_EOIR, acknowledged.token);
    }

    /// Enables a private interrupt of this processor.
    pub fn enable_private(&self, intid: u32, level: u8) {
        set_priority(
            &self.distributor,
            GICD_IPRIORITYR,
            intid,
            priority_of(level),
        );
        let (offset, bit) = bit_of(GICD_ISENABLER, intid);
        self.distributor.write32(offset, bit);
    }

    /// Routes a shared interrupt and enables it.
    pub fn connect(&self, intid: u32, level: u8, trigger: Trigger, target_mask: u8) {
        self.disable(intid);
        set_trigger(&self.distributor, GICD_ICFGR, intid, trigger);
        set_priority(
            &self.distributor,
            GICD_IPRIORITYR,
            intid,
            priority_of(level),
        );
        // Target bytes have the same shape as priorities.
        set_priority(&self.distributor, GICD_ITARGETSR, intid, target_mask);
        let (offset, bit) = bit_of(GICD_ISENABLER, intid);
        self.distributor.write32(offset, bit);
    }

    /// Disables an interrupt. It may be signalled already; its acknowledge is then spurious.
    pub fn disable(&self, intid: u32) {
        let (offset, bit) = bit_of(GICD_ICENABLER, intid);
        self.distributor.write32(offset, bit);
        self.distributor.read32(offset);
    }

    /// Sends a software-generated interrupt. A DSB must come before, so that the target sees what was written.
    pub fn send(&self, intid: u32, target_mask: u8) {
        self.distributor
            .write32(GICD_SGIR, u32::from(target_mask) << 16 | (intid & 15));
    }
}
