//! Single variables: their values read and set.

use c_interface::{Ptr, blocks as heap, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::UnicodeString;
use rtl::environment;

use super::{Own, view, with_block};
use crate::strings::{set_length, string_length, units};

/// The most units that a name or a value can have.
const LONGEST: usize = 0x7FFF;

/// Sets a variable in a block, or takes it out. A block of this size is changed in its place if the variable fits; otherwise
/// there is a new one, which is the result with its size, and the caller gives the old one back.
fn change(
    block: Ptr<u16>,
    size: usize,
    name: &[u16],
    value: Option<&[u16]>,
) -> Result<Option<(Ptr<u16>, usize)>, NtStatus> {
    let old = view(block);
    let place = environment::place(old, name);
    let added = value.map_or(0, |value| name.len() + value.len() + 2);
    let behind = block.add(place.end);
    // With the block's last zero.
    let rest = old.len() - place.end + 1;
    let length = place.start + added + rest;
    let bytes = length * 2;
    let target = if bytes <= size && !block.is_null() {
        block
    } else {
        heap::allocate(bytes).ok_or(NtStatus::NO_MEMORY)?.cast()
    };
    if target != block && !block.is_null() {
        target.cast::<u8>().copy_from(block.cast(), place.start * 2);
    }
    // First what is behind: in the same block the variable would overwrite it.
    if block.is_null() {
        target.add(place.start + added).write(0);
    } else {
        target
            .add(place.start + added)
            .cast::<u8>()
            .copy_from(behind.cast(), rest * 2);
    }
    if let Some(value) = value {
        let mut end = target.add(place.start);
        for piece in [name, &[u16::from(b'=')], value, &[0]] {
            end.write_array(piece);
            end = end.add(piece.len());
        }
    }
    Ok((target != block).then_some((target, bytes)))
}

/// Sets a variable of a block whose address the caller keeps, or of the process's own block.
fn set(place: Ptr<Ptr<u16>>, name: &[u16], value: Option<&[u16]>) -> NtStatus {
    if !environment::is_name(name)
        || name.len() > LONGEST
        || value.is_some_and(|value| value.len() > LONGEST)
    {
        return NtStatus::INVALID_PARAMETER;
    }
    if place.is_null() {
        return set_own(name, value);
    }
    let place = place.cast::<usize>();
    let block = Ptr::new(place.read());
    let size = (view(block).len() + 1) * 2;
    match change(block, size, name, value) {
        Ok(Some((new, _))) => {
            place.write(new.address());
            heap::free(block.cast());
            NtStatus::SUCCESS
        }
        Ok(None) => NtStatus::SUCCESS,
        Err(status) => status,
    }
}

fn set_own(name: &[u16], value: Option<&[u16]>) -> NtStatus {
    let Some(own) = Own::acquire() else {
        return NtStatus::UNSUCCESSFUL;
    };
    match change(own.block(), own.size(), name, value) {
        Ok(Some((new, bytes))) => {
            heap::free(own.replace(new, bytes).cast());
            NtStatus::SUCCESS
        }
        Ok(None) => {
            own.changed();
            NtStatus::SUCCESS
        }
        Err(status) => status,
    }
}

/// Text whose length is given in units.
fn text<'a>(text: Ptr<u16>, length: usize) -> &'a [u16] {
    text.slice(length)
}

exports! {
    /// Reads a variable's value, and puts a zero behind it if there is room. The length is that of the value even if it does
    /// not fit.
    ///
    /// # Errors
    /// `VARIABLE_NOT_FOUND`. `BUFFER_TOO_SMALL`.
    fn RtlQueryEnvironmentVariable_U(
        block: Ptr<u16>,
        name: Ptr<UnicodeString>,
        value: Ptr<UnicodeString>,
    ) -> NtStatus {
        with_block(block, |variables| {
            let Some(found) = environment::find(variables, units(name)) else {
                return NtStatus::VARIABLE_NOT_FOUND;
            };
            let length = found.len() * 2;
            set_length(value, string_length(length));
            let maximum = usize::from(field!(value, UnicodeString, maximum_length).read());
            if length > maximum {
                return NtStatus::BUFFER_TOO_SMALL;
            }
            let buffer = Ptr::<u16>::at(value.read().buffer);
            buffer.write_array(found);
            if maximum - length >= 2 {
                buffer.add(found.len()).write(0);
            }
            NtStatus::SUCCESS
        })
    }

    /// As `RtlQueryEnvironmentVariable_U`, with lengths in units. What is written is counted without its zero; what does not
    /// fit, with it.
    ///
    /// # Errors
    /// As of `RtlQueryEnvironmentVariable_U`.
    fn RtlQueryEnvironmentVariable(
        block: Ptr<u16>,
        name: Ptr<u16>,
        name_length: usize,
        value: Ptr<u16>,
        room: usize,
        length: Ptr<usize>,
    ) -> NtStatus {
        with_block(block, |variables| {
            let Some(found) = environment::find(variables, text(name, name_length)) else {
                return NtStatus::VARIABLE_NOT_FOUND;
            };
            if found.len() > room {
                length.write_optional(found.len() + 1);
                return NtStatus::BUFFER_TOO_SMALL;
            }
            length.write_optional(found.len());
            value.write_array(found);
            if found.len() < room {
                value.add(found.len()).write(0);
            }
            NtStatus::SUCCESS
        })
    }

    /// Sets a variable, or without a value takes it out.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: no name can be such. `NO_MEMORY`.
    fn RtlSetEnvironmentVariable(
        block: Ptr<Ptr<u16>>,
        name: Ptr<UnicodeString>,
        value: Ptr<UnicodeString>,
    ) -> NtStatus {
        set(block, units(name), value.non_null().map(units))
    }

    /// As `RtlSetEnvironmentVariable`, with lengths in units.
    ///
    /// # Errors
    /// As of `RtlSetEnvironmentVariable`.
    fn RtlSetEnvironmentVar(
        block: Ptr<Ptr<u16>>,
        name: Ptr<u16>,
        name_length: usize,
        value: Ptr<u16>,
        value_length: usize,
    ) -> NtStatus {
        set(block, text(name, name_length), value.non_null().map(|value| text(value, value_length)))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;

    use nt_abi::native::RtlUserProcessParameters;

    use super::super::blocks::{RtlCreateEnvironment, RtlDestroyEnvironment};
    use super::super::{adopt, length};
    use super::*;
    use crate::process::testing::begin;
    use crate::strings::testing::{Room, contents, unicode, wide};

    fn set_variable(block: &mut Ptr<u16>, name: &str, value: Option<&str>) -> NtStatus {
        let value = value.map(|value| unicode(value, 40));
        let value = value.as_ref().map_or(Ptr::NULL, |value| value.ptr());
        RtlSetEnvironmentVariable(Ptr::of(block), unicode(name, 40).ptr(), value)
    }

    fn value(block: Ptr<u16>, name: &str) -> Option<String> {
        let to = unicode("", 40);
        match RtlQueryEnvironmentVariable_U(block, unicode(name, 40).ptr(), to.ptr()) {
            NtStatus::SUCCESS => Some(contents(&to.get())),
            status => {
                assert_eq!(status, NtStatus::VARIABLE_NOT_FOUND);
                None
            }
        }
    }

    #[test]
    fn values_need_their_room() {
        let block = wide("foo=toto\0");
        let name = unicode("FOO", 6);
        // Of Windows, as Wine's conformance tests record it. Room in units.
        for (room, status) in [
            (1, NtStatus::BUFFER_TOO_SMALL),
            (3, NtStatus::BUFFER_TOO_SMALL),
            (4, NtStatus::SUCCESS),
            (5, NtStatus::SUCCESS),
        ] {
            let to = unicode("", room * 2);
            assert_eq!(
                RtlQueryEnvironmentVariable_U(block.ptr(), name.ptr(), to.ptr()),
                status
            );
            assert_eq!(to.get().length, 8);
            let to = Room::filled(0x40_u16, 6);
            let mut got = 0;
            let wanted = wide("foo");
            let room = usize::from(room);
            let answer = RtlQueryEnvironmentVariable(
                block.ptr(),
                wanted.ptr(),
                3,
                to.ptr(),
                room,
                Ptr::of(&mut got),
            );
            assert_eq!(
                (answer, got),
                (status, if status == NtStatus::SUCCESS { 4 } else { 5 })
            );
            assert_eq!(to.now()[room], 0x40);
        }
    }

    #[test]
    fn variables_come_and_go() {
        // As Wine's conformance tests have it of Windows.
        let mut block = Ptr::NULL;
        RtlCreateEnvironment(0, Ptr::of(&mut block));
        let ok = NtStatus::SUCCESS;
        assert_eq!(set_variable(&mut block, "cat", Some("dog")), ok);
        assert_eq!(value(block, "cat").as_deref(), Some("dog"));
        assert_eq!(set_variable(&mut block, "cat", Some("horse")), ok);
        assert_eq!(value(block, "cat").as_deref(), Some("horse"));
        assert_eq!(set_variable(&mut block, "cat", None), ok);
        assert_eq!(value(block, "cat"), None);
        assert_eq!(set_variable(&mut block, "cat", None), ok, "there is none");
        assert_eq!(set_variable(&mut block, "foo", Some("meouw")), ok);
        assert_eq!(set_variable(&mut block, "fOo", None), ok);
        assert_eq!(value(block, "foo"), None);
        assert_eq!(
            set_variable(&mut block, "me=too", Some("also")),
            NtStatus::INVALID_PARAMETER
        );
        assert_eq!(
            set_variable(&mut block, "", Some("x")),
            NtStatus::INVALID_PARAMETER
        );
        assert_eq!(set_variable(&mut block, "me", Some("too=also")), ok);
        assert_eq!(value(block, "me").as_deref(), Some("too=also"));
        assert_eq!(set_variable(&mut block, "=too", Some("also")), ok);
        assert_eq!(value(block, "=too").as_deref(), Some("also"));
        assert_eq!(set_variable(&mut block, "=", Some("also")), ok);
        assert_eq!(value(block, "=").as_deref(), Some("also"));
        assert_eq!(set_variable(&mut block, "a", Some("")), ok);
        assert_eq!(set_variable(&mut block, "ME", Some("t")), ok);
        let text = String::from_utf16(block.slice(length(block))).unwrap();
        assert_eq!(text, "==also\0=too=also\0a=\0ME=t\0");
        RtlDestroyEnvironment(block);
    }

    #[test]
    fn the_processs_own_block_keeps_its_room() {
        let parameters = begin();
        let original = wide("a=1\0");
        field!(parameters, RtlUserProcessParameters, environment).write(original.ptr().raw());
        adopt().unwrap();
        let size = || field!(parameters, RtlUserProcessParameters, environment_size).read();
        let block = || field!(parameters, RtlUserProcessParameters, environment).read();
        let (name, text) = (wide("testenv"), wide("value"));
        let set = |value| RtlSetEnvironmentVar(Ptr::NULL, name.ptr(), 7, value, 5);
        assert_eq!(set(text.ptr()), NtStatus::SUCCESS);
        assert_eq!(size(), 2 * (4 + 14 + 1));
        let before = block();
        assert_eq!(set(Ptr::NULL), NtStatus::SUCCESS);
        assert_eq!((size(), block()), (38, before), "the room stays");
        assert_eq!(value(Ptr::NULL, "testenv"), None);
        assert_eq!(value(Ptr::NULL, "A").as_deref(), Some("1"));
        assert_eq!(set(text.ptr()), NtStatus::SUCCESS);
        assert_eq!(block(), before);
        assert_eq!(value(Ptr::NULL, "TESTENV").as_deref(), Some("value"));
    }
}
