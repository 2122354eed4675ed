//! The ARM Generic Interrupt Controller, versions 2 and 3, as pure logic.
//!
//! The crate knows registers by offset and system registers by method, never by
//! address: who drives a real controller implements [`Registers`] over a mapped
//! window and [`SystemRegisters`] with MSR and MRS; the tests implement both with a
//! model of the controller. So it has no `unsafe`, and no barriers either: where
//! one is needed the documentation of the function says so.
//!
//! **Priorities carry the interrupt request level.** A GIC priority is a byte, 0 the
//! highest; at least 16 values are implemented, spread over the byte, on every
//! controller and in its non-secure view too. An interrupt of level *n* (1 to 15)
//! gets [`priority_of`]`(n)` = (15 - n) << 4, and a processor at level *n* masks
//! with the same value: the GIC signals an interrupt only if its priority is
//! *lower as a number* than the mask, i.e. its level is higher. While an interrupt
//! is active the running priority masks in the same way, which is why entering an
//! interrupt's level needs no write. The binary point is set so that all
//! implemented bits count for preemption.
//!
//! Where there are two security states and we are in the non-secure one, the
//! controller shows us the upper half of its priorities, shifted up by a bit.
//! Version 2 does so for priorities, mask and running priority alike, so nothing
//! here changes; on version 3 the mask may be an exception, see [`v3::MaskView`].
//! [`PriorityBits`](Error::PriorityBits) is the error if fewer than four bits remain.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod error;
mod registers;
pub mod v2;
pub mod v3;

pub use error::Error;
pub use registers::{Registers, SystemRegisters};

/// The highest interrupt request level.
pub const HIGHEST_LEVEL: u8 = 15;
/// The first shared peripheral interrupt.
pub const FIRST_SHARED: u32 = 32;
/// INTIDs from here on are special: no interrupt is pending, or none for us.
pub const FIRST_SPECIAL: u32 = 1020;
/// Priority bits that sixteen levels need.
const NEEDED_PRIORITY_BITS: u8 = 0xF0;

/// The priority of an interrupt of that level.
pub const fn priority_of(level: u8) -> u8 {
    (HIGHEST_LEVEL
        - if level > HIGHEST_LEVEL {
            HIGHEST_LEVEL
        } else {
            level
        })
        << 4
}

/// The priority mask of a processor at that level. Level 0 lets everything in that has a level.
pub const fn mask_for(level: u8) -> u8 {
    priority_of(level)
}

/// How a line signals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trigger {
    /// By being held.
    Level,
    /// By an edge.
    Edge,
}

/// An interrupt that was acknowledged and must be ended.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an interrupt that is not ended holds back all others of its priority"]
pub struct Acknowledged {
    /// What the acknowledge register gave: on version 2 a software-generated interrupt has its sender in it.
    token: u32,
}

impl Acknowledged {
    /// `None` if nothing was pending any more.
    fn from_token(token: u32) -> Option<Self> {
        let acknowledged = Self { token };
        (acknowledged.intid() < FIRST_SPECIAL).then_some(acknowledged)
    }

    /// The interrupt's number.
    pub const fn intid(&self) -> u32 {
        // Version 2 has ten bits, with the sender above; version 3 has up to 24 and nothing above. Message-based
        // interrupts (8192 and up) are not in use, so ten bits are right for both.
        self.token & 0x3FF
    }
}

/// Offset of the register that holds one bit for `intid`, and the bit.
const fn bit_of(base: u64, intid: u32) -> (u64, u32) {
    (base + (intid / 32) as u64 * 4, 1 << (intid % 32))
}

/// Reads back how many priority bits there are, in the byte of `intid`; leaves the lowest priority there.
fn check_priority_bits(registers: &impl Registers, base: u64, intid: u32) -> Result<(), Error> {
    set_priority(registers, base, intid, 0xFF);
    let offset = base + u64::from(intid & !3);
    let [found, ..] = (registers.read32(offset) >> (8 * (intid % 4))).to_le_bytes();
    if found & NEEDED_PRIORITY_BITS == NEEDED_PRIORITY_BITS {
        Ok(())
    } else {
        Err(Error::PriorityBits { found })
    }
}

/// Priorities are bytes; word accesses work on every implementation.
fn set_priority(registers: &impl Registers, base: u64, intid: u32, priority: u8) {
    let offset = base + u64::from(intid & !3);
    let shift = 8 * (intid % 4);
    let others = registers.read32(offset) & !(0xFF << shift);
    registers.write32(offset, others | u32::from(priority) << shift);
}

/// Two bits a line, of which the upper says edge.
fn set_trigger(registers: &impl Registers, base: u64, intid: u32, trigger: Trigger) {
    let offset = base + u64::from(intid / 16) * 4;
    let bit = 2 << (2 * (intid % 16));
    let others = registers.read32(offset) & !bit;
    registers.write32(
        offset,
        if trigger == Trigger::Edge {
            others | bit
        } else {
            others
        },
    );
}
