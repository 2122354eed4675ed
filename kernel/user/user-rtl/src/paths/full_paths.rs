//! Kinds of paths, and full ones.

use c_interface::{Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::{Peb, UnicodeString};
use nt_abi::peb::PebFlags;
use rtl::dos_path::{DosPath, device, full_path, kind};

use super::current::with_directories;
use super::{make_string, put, put_file_part, terminated};
use crate::given;
use crate::strings::{set_length, string_length, units};

/// Units of the longest path that programs expect by default, and of `\??\UNC\` and a zero before and behind it.
const LONGEST_NT_PATH: u32 = 260 + 9;

/// A path from its beginning on.
pub(super) fn full(path: &[u16]) -> Result<DosPath, NtStatus> {
    let full = with_directories(|directories| full_path(path, directories));
    full.map_err(|_| NtStatus::NO_MEMORY)?
        .ok_or(NtStatus::OBJECT_NAME_INVALID)
}

/// Writes a full path and a zero, if there is room; gives its length in bytes.
fn put_full(path: &DosPath, room: u32, to: Ptr<u16>, file_part: Ptr<Ptr<u16>>) -> Result<u32, u32> {
    let length = u32::try_from(path.path.len() * 2).map_err(|_| u32::MAX)?;
    if length.saturating_add(2) > room {
        return Err(length.saturating_add(2));
    }
    put(to, path.path.as_str());
    put_file_part(file_part, path, to);
    Ok(length)
}

/// Writes a full path as `RtlGetFullPathName_U` does.
pub(super) fn answer(path: &DosPath, room: u32, to: Ptr<u16>, file_part: Ptr<Ptr<u16>>) -> u32 {
    put_full(path, room, to, file_part).unwrap_or_else(|needed| needed)
}

/// Where a path goes: into the caller's string, or into one that is given memory of its own.
pub(super) struct Targets {
    pub(super) own: Ptr<UnicodeString>,
    pub(super) dynamic: Ptr<UnicodeString>,
    /// Which of the two it was.
    pub(super) used: Ptr<Ptr<UnicodeString>>,
    /// How many units come before the last component.
    pub(super) prefix_length: Ptr<usize>,
    /// How many bytes the path needs.
    pub(super) needed: Ptr<usize>,
}

impl Targets {
    /// Puts a path where it fits.
    pub(super) fn put(&self, path: &DosPath) -> NtStatus {
        self.prefix_length
            .write_optional(path.file_part.unwrap_or(0));
        let bytes = path.path.len() * 2;
        self.needed.write_optional(bytes + 2);
        let own = self
            .own
            .read_optional()
            .filter(|own| usize::from(own.maximum_length) >= bytes + 2);
        let used = if let Some(own) = own {
            put(Ptr::at(own.buffer), path.path.as_str());
            set_length(self.own, string_length(bytes));
            self.own
        } else if self.dynamic.is_null() {
            return NtStatus::BUFFER_TOO_SMALL;
        } else {
            if let Err(status) = make_string(self.dynamic, path.path.as_str()) {
                return status;
            }
            self.dynamic
        };
        self.used.cast::<usize>().write_optional(used.address());
        NtStatus::SUCCESS
    }
}

exports! {
    /// What a path begins with, as a number of `RTL_PATH_TYPE`.
    fn RtlDetermineDosPathNameType_U(path: Ptr<u16>) -> u32 {
        kind(terminated(path)) as u32
    }

    /// Where the name of a device is in a path: the upper half says where it begins, the lower one how long it is, in bytes;
    /// 0: there is none.
    fn RtlIsDosDeviceName_U(path: Ptr<u16>) -> u32 {
        let found = device(terminated(path));
        let place = found.and_then(|device| {
            let start = u16::try_from(device.start * 2).ok()?;
            let length = u16::try_from(device.length * 2).ok()?;
            Some(u32::from(start) << 16 | u32::from(length))
        });
        place.unwrap_or(0)
    }

    /// Writes a path from its beginning on, and a zero; the room is in bytes. Gives the length in bytes, without the zero; if
    /// it does not fit, what is needed with it; 0: there is no path.
    fn RtlGetFullPathName_U(path: Ptr<u16>, room: u32, to: Ptr<u16>, file_part: Ptr<Ptr<u16>>) -> u32 {
        match full(terminated(path)) {
            Ok(path) => answer(&path, room, to, file_part),
            Err(_) => 0,
        }
    }

    /// As `RtlGetFullPathName_U`, with a status.
    ///
    /// # Errors
    /// `OBJECT_NAME_INVALID`: no path. `BUFFER_TOO_SMALL`. `NO_MEMORY`.
    fn RtlGetFullPathName_UEx(
        path: Ptr<u16>,
        room: u32,
        to: Ptr<u16>,
        file_part: Ptr<Ptr<u16>>,
        length: Ptr<u32>,
    ) -> NtStatus {
        let path = match full(terminated(path)) {
            Ok(path) => path,
            Err(status) => return status,
        };
        match put_full(&path, room, to, file_part) {
            Ok(written) => {
                length.write_optional(written);
                NtStatus::SUCCESS
            }
            Err(needed) => {
                length.write_optional(needed);
                NtStatus::BUFFER_TOO_SMALL
            }
        }
    }

    /// A path from its beginning on, in the caller's buffer or, if it does not fit there, in one of its own.
    ///
    /// # Errors
    /// As of `RtlGetFullPathName_UEx`.
    fn RtlGetFullPathName_UstrEx(
        path: Ptr<UnicodeString>,
        own: Ptr<UnicodeString>,
        dynamic: Ptr<UnicodeString>,
        used: Ptr<Ptr<UnicodeString>>,
        prefix_length: Ptr<usize>,
        is_invalid: Ptr<u8>,
        path_kind: Ptr<u32>,
        needed: Ptr<usize>,
    ) -> NtStatus {
        let path = units(path);
        is_invalid.write_optional(0);
        path_kind.write_optional(kind(path) as u32);
        match full(path) {
            Ok(path) => Targets { own, dynamic, used, prefix_length, needed }.put(&path),
            Err(status) => {
                is_invalid.write_optional(1);
                status
            }
        }
    }

    /// How many units the name of a path in NT's namespace has at most, as long as programs ask for no longer ones.
    fn RtlGetLongestNtPathLength() -> u32 {
        LONGEST_NT_PATH
    }

    /// Whether the process expects paths beyond 260 units.
    fn RtlAreLongPathsEnabled() -> u8 {
        let flags = given::peb().map(|peb| field!(peb, Peb, bit_field).read());
        u8::from(flags.is_some_and(|flags| flags.contains(PebFlags::IS_LONG_PATH_AWARE_PROCESS)))
    }

    /// How many units a path has without separators at its end.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: there are no flags.
    fn RtlGetLengthWithoutTrailingPathSeperators(flags: u32, path: Ptr<UnicodeString>, length: Ptr<u32>) -> NtStatus {
        if flags != 0 || length.is_null() {
            return NtStatus::INVALID_PARAMETER;
        }
        let path = units(path);
        let is_separator = |unit: &u16| matches!(*unit, 0x2F | 0x5C);
        let kept = path.iter().rposition(|unit| !is_separator(unit)).map_or(0, |last| last + 1);
        // No string has more.
        length.write(u32::from(string_length(kept)));
        NtStatus::SUCCESS
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::begin;
    use super::*;
    use crate::strings::testing::{Room, contents, unicode, wide};

    #[test]
    fn kinds_and_devices_are_numbers() {
        assert_eq!(RtlDetermineDosPathNameType_U(wide("c:\\x").ptr()), 2);
        assert_eq!(RtlDetermineDosPathNameType_U(wide("\\\\?\\x").ptr()), 6);
        assert_eq!(RtlIsDosDeviceName_U(wide("c:\\nul:").ptr()), 6 << 16 | 6);
        assert_eq!(RtlIsDosDeviceName_U(wide("CONOUT$").ptr()), 14);
        assert_eq!(RtlIsDosDeviceName_U(wide("x").ptr()), 0);
    }

    #[test]
    fn full_paths_need_their_room() {
        begin("C:\\windows\\");
        let to = Room::filled(0x7E_u16, 30);
        let mut file = Ptr::NULL;
        let path = wide("foo");
        let get = |room, file: &mut Ptr<u16>| {
            RtlGetFullPathName_U(path.ptr(), room, to.ptr(), Ptr::of(file))
        };
        assert_eq!((get(28, &mut file), to.now()[0]), (30, 0x7E));
        assert_eq!(
            (get(30, &mut file), to.text().as_str()),
            (28, "C:\\windows\\foo")
        );
        assert_eq!(file, to.ptr().add(11));
        assert_eq!(
            RtlGetFullPathName_U(wide("d:x/").ptr(), 60, to.ptr(), Ptr::of(&mut file)),
            22
        );
        assert_eq!((to.text().as_str(), file), ("D:\\games\\x\\", Ptr::NULL));
        assert_eq!(RtlGetFullPathName_U(Ptr::NULL, 60, to.ptr(), Ptr::NULL), 0);
        assert_eq!(
            RtlGetFullPathName_U(wide("").ptr(), 60, to.ptr(), Ptr::NULL),
            0
        );
        let mut length = 0;
        let status =
            RtlGetFullPathName_UEx(path.ptr(), 10, to.ptr(), Ptr::NULL, Ptr::of(&mut length));
        assert_eq!((status, length), (NtStatus::BUFFER_TOO_SMALL, 30));
    }

    #[test]
    fn strings_are_used_in_their_order() {
        begin("C:\\windows\\");
        let (own, mut dynamic, mut used) = (unicode("", 30), UnicodeString::default(), Ptr::NULL);
        let (mut prefix, mut invalid, mut kind, mut needed) = (0, 7, 0, 0);
        let mut get = |own: Ptr<UnicodeString>,
                       dynamic: Ptr<UnicodeString>,
                       used: &mut Ptr<UnicodeString>| {
            RtlGetFullPathName_UstrEx(
                unicode("foo", 6).ptr(),
                own,
                dynamic,
                Ptr::of(used),
                Ptr::of(&mut prefix),
                Ptr::of(&mut invalid),
                Ptr::of(&mut kind),
                Ptr::of(&mut needed),
            )
        };
        assert_eq!(get(own.ptr(), Ptr::NULL, &mut used), NtStatus::SUCCESS);
        assert_eq!(
            (used, contents(&own.get()).as_str()),
            (own.ptr(), "C:\\windows\\foo")
        );
        own.change(|string| string.maximum_length = 28);
        assert_eq!(
            get(own.ptr(), Ptr::NULL, &mut used),
            NtStatus::BUFFER_TOO_SMALL
        );
        assert_eq!(
            get(own.ptr(), Ptr::of(&mut dynamic), &mut used),
            NtStatus::SUCCESS
        );
        assert_eq!(
            (used, contents(&dynamic).as_str()),
            (Ptr::of(&mut dynamic), "C:\\windows\\foo")
        );
        assert_eq!((prefix, invalid, kind, needed), (11, 0, 5, 30));
        crate::strings::making::RtlFreeUnicodeString(Ptr::of(&mut dynamic));
    }

    #[test]
    fn separators_at_the_end_are_not_counted() {
        let mut length = 9;
        for (path, expected) in [("c:\\a\\/", 4), ("abc", 3), ("\\\\", 0), ("", 0)] {
            let status = RtlGetLengthWithoutTrailingPathSeperators(
                0,
                unicode(path, 20).ptr(),
                Ptr::of(&mut length),
            );
            assert_eq!((status, length), (NtStatus::SUCCESS, expected));
        }
    }
}
