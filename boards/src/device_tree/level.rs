//! Standard properties of one node, and how values are read.
//!
//! A value is bytes; what they mean, only the property's name tells. Everything is
//! big-endian, in cells of 4 bytes, or text that ends in NUL, and a value that is
//! not of the expected form reads as none.
//!
//! Devicetree Specification 0.4, 2.2.4 and 2.3.

use core::ffi::CStr;

use super::blob::{Cursor, Token, be_u32};

/// Cells of an address or a size; 3 are used by PCI, whose first holds flags.
const MAX_CELLS: u32 = 4;

/// One node on the way down from the root.
///
/// The properties that every node is asked for, and those that its children ask for,
/// are noted when the walk passes them. Were they looked up for each child, a tree
/// made of one node with many properties and many children would cost the square of
/// its size.
#[derive(Clone, Copy)]
pub(super) struct Level<'a> {
    pub(super) name: &'a str,
    /// Stands before the node's first property.
    pub(super) properties: Cursor<'a>,
    address_cells: Option<&'a [u8]>,
    size_cells: Option<&'a [u8]>,
    pub(super) ranges: Option<&'a [u8]>,
    status: Option<&'a [u8]>,
    pub(super) interrupt_parent: Option<&'a [u8]>,
    pub(super) enable_method: Option<&'a [u8]>,
    pub(super) compatible: Option<&'a [u8]>,
    pub(super) device_type: Option<&'a [u8]>,
}

impl<'a> Level<'a> {
    /// The level of the node `name`, whose first property is the next token of `properties`.
    pub(super) fn new(name: &'a str, properties: Cursor<'a>) -> Self {
        Self {
            name,
            properties,
            address_cells: None,
            size_cells: None,
            ranges: None,
            status: None,
            interrupt_parent: None,
            enable_method: None,
            compatible: None,
            device_type: None,
        }
    }

    /// Notes one of its properties; of two of the same name, the first counts.
    pub(super) fn note(&mut self, name: &str, value: &'a [u8]) {
        let place = match name {
            "#address-cells" => &mut self.address_cells,
            "#size-cells" => &mut self.size_cells,
            "ranges" => &mut self.ranges,
            "status" => &mut self.status,
            "interrupt-parent" => &mut self.interrupt_parent,
            "enable-method" => &mut self.enable_method,
            "compatible" => &mut self.compatible,
            "device_type" => &mut self.device_type,
            _ => return,
        };
        place.get_or_insert(value);
    }

    /// The value of the property `wanted`; of two of the same name, the first.
    pub(super) fn property(&self, wanted: &str) -> Option<&'a [u8]> {
        let mut cursor = self.properties;
        while let Ok(Token::Property { name, value }) = cursor.next() {
            if name == wanted {
                return Some(value);
            }
        }
        None
    }

    /// The first text of the property `name`, if it is text.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        first_text(self.property(name)?)
    }

    /// Cells of an address in its children (2.3.5).
    pub(super) fn address_cells(&self) -> Option<u32> {
        cells(self.address_cells, 2)
    }

    /// Cells of a size in its children.
    pub(super) fn size_cells(&self) -> Option<u32> {
        cells(self.size_cells, 1)
    }

    /// Whether `status` does not switch it off (2.3.4).
    pub(super) fn is_available(&self) -> bool {
        self.status
            .is_none_or(|status| matches!(first_text(status), Some("okay" | "ok")))
    }
}

/// A number of cells from its property, or `default` without one; `None` if it cannot be.
fn cells(property: Option<&[u8]>, default: u32) -> Option<u32> {
    match property {
        None => Some(default),
        Some(value) => single_cell(value).filter(|&cells| cells <= MAX_CELLS),
    }
}

/// The value of a property that is one cell.
pub(super) fn single_cell(value: &[u8]) -> Option<u32> {
    (value.len() == 4).then(|| be_u32(value, 0)).flatten()
}

/// The number in `cells` cells of 4 bytes, `first` cells into `value`, if it fits into 64 bits.
pub(super) fn number(value: &[u8], first: u32, cells: u32) -> Option<u64> {
    let mut number = 0_u64;
    for cell in first..first.checked_add(cells)? {
        let offset = usize::try_from(cell).ok()?.checked_mul(4)?;
        if number >> 32 != 0 {
            return None;
        }
        number = number << 32 | u64::from(be_u32(value, offset)?);
    }
    Some(number)
}

/// The first of the texts in a property's value.
pub(super) fn first_text(value: &[u8]) -> Option<&str> {
    CStr::from_bytes_until_nul(value).ok()?.to_str().ok()
}

/// The texts in a property's value, as far as they are text.
pub(super) fn texts<'a>(value: Option<&'a [u8]>) -> impl Iterator<Item = &'a str> + use<'a> {
    let value = value.unwrap_or_default();
    let count = if value.is_empty() { 0 } else { usize::MAX };
    let value = value.strip_suffix(&[0]).unwrap_or(value);
    value
        .split(|&byte| byte == 0)
        .take(count)
        .filter_map(|text| core::str::from_utf8(text).ok())
}
