//! Text on the console.
//!
//! There is no console device yet. A program that the first process started has pseudo handles, as programs of Windows up
//! to version 7 had them: 3 for input, 7 for output, 11 for errors. What is written to 7 or 11 the kernel shows
//! (`NtDisplayString`); nothing can be read.

use nt_abi::native::UnicodeString;
use ntdll_imports::NtDisplayString;

use crate::win::*;

/// The most units that are shown at once.
const PIECE: usize = 512;

/// Whether a handle is one of the console's pseudo handles: its two low bits are set, which no handle of the kernel has.
pub fn is_console(handle: Handle) -> bool {
    handle.0 & 3 == 3 && handle.0 < 0x1000
}

/// Shows text, line by line.
pub fn display(units: impl Iterator<Item = u16>) {
    let mut piece = [0u16; PIECE];
    let mut used = 0;
    for unit in units {
        piece[used] = unit;
        used += 1;
        let full = used >= PIECE - 1 && !(0xD800..0xDC00).contains(&unit);
        if unit == u16::from(b'\n') || full || used == PIECE {
            show(&piece[..used]);
            used = 0;
        }
    }
    show(&piece[..used]);
}

fn show(units: &[u16]) {
    if units.is_empty() {
        return;
    }
    let length = u16::try_from(size_of_val(units)).unwrap_or(u16::MAX);
    let string = UnicodeString {
        length,
        maximum_length: length,
        buffer: units.as_ptr().expose_provenance() as nt_abi::native::Pointer,
        ..UnicodeString::default()
    };
    let _refused = NtDisplayString(&string);
}
