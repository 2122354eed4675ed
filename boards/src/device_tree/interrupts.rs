//! Interrupts of a node, as numbers of the GIC.
//!
//! A specifier means something only to the controller that it is for. The one that
//! Tarn drives is the GIC, so a device that interrupts another controller (behind a
//! multiplexer, say) counts as a device without interrupt rather than as an error:
//! a console can be polled.
//!
//! Devicetree Specification 0.4, 2.4.

use super::level::{number, single_cell};
use super::node::Node;

/// What a device's interrupts refer to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gic {
    /// The `phandle` of the interrupt controller.
    pub(super) handle: Option<u32>,
    /// Its `#interrupt-cells`.
    pub(super) cells: u32,
}

impl Node<'_, '_> {
    /// The GIC's number for interrupt `wanted` of this node, or `None` if it has none
    /// there or it belongs to another controller than the one with handle `gic`.
    ///
    /// The specifier is three cells or more: kind, number, flags (Linux binding
    /// `arm,gic.yaml` and `arm,gic-v3.yaml`).
    pub(super) fn gic_interrupt(&self, wanted: u32, gic: Gic) -> Option<u32> {
        let (value, first) = match self.property("interrupts-extended") {
            Some(value) => {
                // Each entry begins with its controller's handle. Entries of other
                // controllers have a length that only their node tells, so entries
                // are counted only as far as they are the GIC's.
                let stride = gic.cells.checked_add(1)?;
                let first = wanted.checked_mul(stride)?;
                for entry in 0..=wanted {
                    let handle = number(value, entry.checked_mul(stride)?, 1)?;
                    if handle != u64::from(gic.handle?) {
                        return None;
                    }
                }
                (value, first.checked_add(1)?)
            }
            None => {
                let controller = self
                    .levels
                    .iter()
                    .rev()
                    .find_map(|level| level.interrupt_parent)?;
                if single_cell(controller)? != gic.handle? {
                    return None;
                }
                (self.property("interrupts")?, wanted.checked_mul(gic.cells)?)
            }
        };
        let kind = number(value, first, 1)?;
        let number = u32::try_from(number(value, first.checked_add(1)?, 1)?).ok()?;
        match (kind, number) {
            (0, 0..=987) => number.checked_add(32),
            (1, 0..=15) => number.checked_add(16),
            // The extended ranges of GICv3.1.
            (2, 0..=1023) => number.checked_add(4096),
            (3, 0..=63) => number.checked_add(1056),
            _ => None,
        }
    }
}
