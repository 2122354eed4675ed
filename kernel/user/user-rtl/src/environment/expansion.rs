//! Text in which names between percent signs stand for values.

use c_interface::{Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::UnicodeString;
use rtl::environment;

use super::with_block;
use crate::strings::{set_length, string_length, units};

/// Writes expanded text with a zero, as far as there is room; gives how long it is with the zero, in units.
fn expand(block: Ptr<u16>, text: &[u16], to: Ptr<u16>, room: usize) -> usize {
    let mut length = 0;
    with_block(block, |variables| {
        environment::expand(variables, text, |piece| {
            let fits = piece.len().min(room.saturating_sub(length));
            to.add(length).write_array(&piece[..fits]);
            length += piece.len();
        });
    });
    if length < room {
        to.add(length).write(0);
    }
    length + 1
}

exports! {
    /// Writes text with the values of variables, and a zero. The length, which includes the zero, is in bytes, and says what
    /// is needed if the buffer is too small, which has what fits then.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL`.
    fn RtlExpandEnvironmentStrings_U(
        block: Ptr<u16>,
        from: Ptr<UnicodeString>,
        to: Ptr<UnicodeString>,
        length: Ptr<u32>,
    ) -> NtStatus {
        let string = to.read();
        let room = usize::from(field!(to, UnicodeString, maximum_length).read() / 2);
        let needed = expand(block, units(from), Ptr::at(string.buffer), room);
        length.write_optional(u32::try_from(needed * 2).unwrap_or(u32::MAX));
        if needed > room {
            return NtStatus::BUFFER_TOO_SMALL;
        }
        set_length(to, string_length((needed - 1) * 2));
        NtStatus::SUCCESS
    }

    /// As `RtlExpandEnvironmentStrings_U`, with lengths in units.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL`.
    fn RtlExpandEnvironmentStrings(
        block: Ptr<u16>,
        from: Ptr<u16>,
        from_length: usize,
        to: Ptr<u16>,
        room: usize,
        length: Ptr<usize>,
    ) -> NtStatus {
        let needed = expand(block, from.slice(from_length), to, room);
        length.write_optional(needed);
        if needed > room { NtStatus::BUFFER_TOO_SMALL } else { NtStatus::SUCCESS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strings::testing::{Room, contents, unicode, wide};

    #[test]
    fn the_length_says_what_is_needed() {
        let block = wide("foo=toto\0=oOH=III\0");
        for (source, expected) in [
            ("hello%foo%world", "hellototoworld"),
            ("hello%=oOH%world", "helloIIIworld"),
            ("hello%foo", "hello%foo"),
            ("hello%bar%world", "hello%bar%world"),
        ] {
            let from = unicode(source, 60);
            let needed = u32::try_from(expected.len() * 2 + 2).unwrap();
            let mut length = 0;
            let none = unicode("", 0);
            let expand = |to, length: &mut u32| {
                RtlExpandEnvironmentStrings_U(block.ptr(), from.ptr(), to, Ptr::of(length))
            };
            assert_eq!(expand(none.ptr(), &mut length), NtStatus::BUFFER_TOO_SMALL);
            assert_eq!(length, needed);
            let to = unicode("", 60);
            assert_eq!(expand(to.ptr(), &mut length), NtStatus::SUCCESS);
            assert_eq!((length, contents(&to.get()).as_str()), (needed, expected));
            assert_eq!(to.whole()[expected.len()], 0);
            let small = unicode("", 18);
            small.change(|string| string.maximum_length = 16);
            assert_eq!(expand(small.ptr(), &mut length), NtStatus::BUFFER_TOO_SMALL);
            assert_eq!((length, small.whole()[8]), (needed, 0x2D));

            let source = wide(source);
            let to = Room::filled(0x2D_u16, 30);
            let mut length = 0;
            let units = source.now().len() - 1;
            let status = RtlExpandEnvironmentStrings(
                block.ptr(),
                source.ptr(),
                units,
                to.ptr(),
                30,
                Ptr::of(&mut length),
            );
            assert_eq!(
                (status, length, to.text().as_str()),
                (NtStatus::SUCCESS, expected.len() + 1, expected)
            );
        }
    }
}
