//! Names that are devices in every directory: `con`, `nul`, `com1`.

use super::{COLON, DOT, Kind, SPACE, is_separator, kind};
use crate::{Case, Utf16Str, utf16};

/// Where the name of a device is in a path, in units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device {
    /// Its first unit.
    pub start: usize,
    /// How many units.
    pub length: usize,
}

/// The device that a path names; `None`: it names none.
///
/// What follows the name behind a dot or a colon does not count, nor do spaces before that.
pub fn device(path: &[u16]) -> Option<Device> {
    let rest = match kind(path) {
        Kind::Unc | Kind::DeviceRoot => return None,
        Kind::Device => return console(path),
        _ => path,
    };
    let end = rest
        .iter()
        .rposition(|unit| !matches!(*unit, COLON | DOT | SPACE))
        .map_or(0, |last| last + 1);
    let drive = if matches!(rest, [_, COLON, ..]) { 2 } else { 0 };
    let start = rest[..end]
        .iter()
        .rposition(|unit| is_separator(*unit))
        .map_or(drive, |separator| separator + 1);
    let component = rest.get(start..end)?;
    let name = component
        .split(|unit| matches!(*unit, DOT | COLON))
        .next()?;
    let length = name.iter().rposition(|unit| *unit != SPACE)? + 1;
    is_device(&name[..length]).then_some(Device { start, length })
}

/// Of devices by their own names, only the console is one of DOS' too.
fn console(path: &[u16]) -> Option<Device> {
    let name = Utf16Str::new(path.get(4..)?);
    name.equals(utf16!("CON"), Case::Insensitive)
        .then_some(Device {
            start: 4,
            length: 3,
        })
}

fn is_device(name: &[u16]) -> bool {
    let is = |other: Utf16Str<'_>| Utf16Str::new(name).equals(other, Case::Insensitive);
    match name {
        [_, _, _] => {
            is(utf16!("CON")) || is(utf16!("PRN")) || is(utf16!("AUX")) || is(utf16!("NUL"))
        }
        [port @ .., 0x31..=0x39] => {
            let is = |other: Utf16Str<'_>| Utf16Str::new(port).equals(other, Case::Insensitive);
            is(utf16!("COM")) || is(utf16!("LPT"))
        }
        _ => is(utf16!("CONIN$")) || is(utf16!("CONOUT$")),
    }
}
