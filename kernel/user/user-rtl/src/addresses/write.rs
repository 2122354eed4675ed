//! Writing addresses.

use core::fmt::{self, Write};

use super::Unit;
use c_interface::Ptr;

/// The longest text, terminated: an IPv6 address with a dotted end, in brackets, with scope and port (`INET6_ADDRSTRLEN`).
const LONGEST: usize = 65;

/// Text in the making.
pub(super) struct Text {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let place = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

impl Text {
    /// Writes text, which is short enough.
    pub(super) fn new(write: impl FnOnce(&mut Self) -> fmt::Result) -> Self {
        let mut text = Self {
            bytes: [0; LONGEST],
            length: 0,
        };
        // The longest form that there is fits.
        let _ = write(&mut text);
        text
    }

    /// How many units it has with what terminates it.
    pub(super) fn terminated(&self) -> u32 {
        u32::try_from(self.length + 1).unwrap_or(u32::MAX)
    }

    /// Copies it, terminated; gives where it ends.
    pub(super) fn copy_to<U: Unit>(&self, to: Ptr<U>) -> Ptr<U> {
        for (index, byte) in self.bytes[..self.length].iter().enumerate() {
            to.add(index).write(U::of(*byte));
        }
        to.add(self.length).write(U::of(0));
        to.add(self.length)
    }
}

pub(super) fn ipv4([a, b, c, d]: [u8; 4], to: &mut Text) -> fmt::Result {
    write!(to, "{a}.{b}.{c}.{d}")
}

/// Whether the last two groups are an IPv4 address: in addresses that are mapped, compatible, translated, or made by ISATAP.
fn has_ipv4(groups: &[u16; 8]) -> bool {
    match groups {
        [.., 0, _] => false,
        [0, 0, 0, 0, 0, 0 | 0xFFFF, _, _] | [0, 0, 0, 0, 0xFFFF, 0, _, _] => true,
        [_, _, _, _, 0 | 0x0200, 0x5EFE, _, _] => true,
        _ => false,
    }
}

/// The longest run of zeros, the first of several; none shorter than two.
fn longest_zeros(groups: &[u16]) -> Option<(usize, usize)> {
    let mut longest: Option<(usize, usize)> = None;
    let mut start = 0;
    for (index, group) in groups.iter().enumerate() {
        if *group != 0 {
            start = index + 1;
            continue;
        }
        let length = index + 1 - start;
        if length >= longest.map_or(2, |(_, longest)| longest + 1) {
            longest = Some((start, length));
        }
    }
    longest
}

pub(super) fn ipv6(groups: &[u16; 8], to: &mut Text) -> fmt::Result {
    let dotted = has_ipv4(groups);
    let count = if dotted { 6 } else { 8 };
    let zeros = longest_zeros(&groups[..count]);
    let mut index = 0;
    // What comes next has a colon before it, unless one is there.
    let mut colon = false;
    while index < count {
        if let Some((start, length)) = zeros.filter(|(start, _)| *start == index) {
            to.write_str("::")?;
            index = start + length;
            colon = false;
            continue;
        }
        if colon {
            to.write_str(":")?;
        }
        write!(to, "{:x}", groups[index])?;
        colon = true;
        index += 1;
    }
    if dotted {
        if colon {
            to.write_str(":")?;
        }
        let ([a, b], [c, d]) = (groups[6].to_be_bytes(), groups[7].to_be_bytes());
        ipv4([a, b, c, d], to)?;
    }
    Ok(())
}

pub(super) fn ethernet(address: [u8; 6], to: &mut Text) -> fmt::Result {
    for (index, byte) in address.iter().enumerate() {
        let dash = if index == 0 { "" } else { "-" };
        write!(to, "{dash}{byte:02X}")?;
    }
    Ok(())
}
