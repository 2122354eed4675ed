//! What ntdll itself has to say: text on the console.

use core::fmt::{self, Write as _};

use nt_abi::native::UnicodeString;
use stubs::call::NtDisplayString;

/// UTF-16 units that are written at once.
const PIECE: usize = 256;

/// Text on its way to the console, on the stack: what is said here is said when there may be no memory.
struct Text {
    units: [u16; PIECE],
    used: usize,
}

impl Text {
    fn show(&mut self) {
        let bytes = u16::try_from(self.used * 2).unwrap_or(0);
        let string = UnicodeString {
            length: bytes,
            maximum_length: bytes,
            buffer: c_interface::Ptr::of(&mut self.units).raw(),
            ..UnicodeString::default()
        };
        // Without a console there is nobody to tell.
        let _ = NtDisplayString(&string);
        self.used = 0;
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for unit in text.encode_utf16() {
            if let Some(place) = self.units.get_mut(self.used) {
                *place = unit;
                self.used += 1;
            }
            // A line is one call, which the kernel keeps whole; a letter of two units is not cut.
            let full = self.used + 1 >= PIECE && !(0xD800..0xDC00).contains(&unit);
            if full || unit == u16::from(b'\n') {
                self.show();
            }
        }
        Ok(())
    }
}

/// Writes text.
pub(crate) fn write(text: fmt::Arguments<'_>) {
    let mut out = Text {
        units: [0; PIECE],
        used: 0,
    };
    // Writing here does not fail.
    let _ = out.write_fmt(text);
    if out.used != 0 {
        out.show();
    }
}
