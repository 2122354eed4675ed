//! The names of paths in NT's namespace, and the way back.

use c_interface::{Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::{Handle, Pointer, UnicodeString};
use rtl::dos_path::{DosPath, device, nt_path};
use rtl::{Case, Utf16Str, utf16};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::current::with_directories;
use super::{files, make_string, put_file_part, terminated};
use crate::strings::buffers::RtlUnicodeStringBuffer;
use crate::strings::{set, string_length, text};

/// `RTL_RELATIVE_NAME_U`: a name below a directory that is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct RelativeName {
    /// The name.
    pub relative_name: UnicodeString,
    /// The directory; 0: the name is a whole one.
    pub containing_directory: Handle,
    /// What keeps the directory open.
    pub cur_dir_ref: Pointer,
}

const _: () =
    assert!(size_of::<RelativeName>() == if size_of::<usize>() == 8 { 0x20 } else { 0x10 });

/// `RTL_NT_PATH_NAME_TO_DOS_PATH_NAME_AMBIGUOUS`: it is a name of NT's that DOS has no path for.
const AMBIGUOUS: u32 = 1;
/// `RTL_NT_PATH_NAME_TO_DOS_PATH_NAME_UNC`.
const UNC: u32 = 2;
/// `RTL_NT_PATH_NAME_TO_DOS_PATH_NAME_DRIVE`.
const DRIVE: u32 = 3;
/// `RTL_NT_PATH_NAME_TO_DOS_PATH_NAME_ALREADY_DOS`.
const ALREADY_DOS: u32 = 4;

/// A path's name in NT's namespace.
fn name_of(path: &[u16]) -> Result<DosPath, NtStatus> {
    // A device is found in any directory, but the directory must be there.
    let directory = device(path).map_or(0, |device| device.start);
    let directory = &path[..directory];
    let has_directory = directory.iter().any(|unit| matches!(*unit, 0x2F | 0x5C));
    // Of these, the device is named by itself.
    let is_device_path = matches!(
        directory,
        [0x5C, 0x5C, 0x2E, 0x5C] | [0x5C, 0x3F, 0x3F, 0x5C]
    );
    if has_directory && !is_device_path {
        let name = converted(directory)?;
        match files::look_for(name.path.as_str()) {
            // Nobody can be asked.
            Ok(()) | Err(NtStatus::NOT_IMPLEMENTED) => {}
            Err(_) => return Err(NtStatus::OBJECT_NAME_INVALID),
        }
    }
    converted(path)
}

fn converted(path: &[u16]) -> Result<DosPath, NtStatus> {
    let name = with_directories(|directories| nt_path(path, directories));
    name.map_err(|_| NtStatus::NO_MEMORY)?
        .ok_or(NtStatus::OBJECT_NAME_INVALID)
}

fn convert(
    path: Ptr<u16>,
    name: Ptr<UnicodeString>,
    file_part: Ptr<Ptr<u16>>,
    relative: Ptr<RelativeName>,
) -> Result<(), NtStatus> {
    let converted = name_of(terminated(path))?;
    let copy = make_string(name, converted.path.as_str())?;
    put_file_part(file_part, &converted, copy);
    relative.write_optional(RelativeName::default());
    Ok(())
}

fn status(outcome: Result<(), NtStatus>) -> NtStatus {
    match outcome {
        Ok(()) => NtStatus::SUCCESS,
        Err(status) => status,
    }
}

/// What DOS calls a name of NT's: what goes, what comes in its place, and what kind of path it is.
fn dos_name(name: Utf16Str<'_>) -> (usize, &'static [u16], u32) {
    let unc = utf16!(r"\??\UNC\");
    let global = utf16!(r"\??\");
    if name.starts_with(unc, Case::Insensitive) {
        return (unc.len(), utf16!(r"\\").units(), UNC);
    }
    let rest = name.units().get(global.len()..).unwrap_or(&[]);
    if name.starts_with(global, Case::Sensitive) {
        return match rest {
            [_, 0x3A] | [_, 0x3A, 0x5C, ..] => (global.len(), &[], DRIVE),
            _ => (0, &[], AMBIGUOUS),
        };
    }
    match rtl::dos_path::kind(name.units()) {
        rtl::dos_path::Kind::Drive | rtl::dos_path::Kind::Unc => (0, &[], ALREADY_DOS),
        _ => (0, &[], AMBIGUOUS),
    }
}

exports! {
    /// The name of a path in NT's namespace, in a buffer of its own. 0: there is no such path, or no memory.
    fn RtlDosPathNameToNtPathName_U(
        path: Ptr<u16>,
        name: Ptr<UnicodeString>,
        file_part: Ptr<Ptr<u16>>,
        relative: Ptr<RelativeName>,
    ) -> u8 {
        u8::from(convert(path, name, file_part, relative).is_ok())
    }

    /// As `RtlDosPathNameToNtPathName_U`, with a status.
    ///
    /// # Errors
    /// `OBJECT_NAME_INVALID`: no path, or a device's name in a directory that is not there. `NAME_TOO_LONG`, `NO_MEMORY`.
    fn RtlDosPathNameToNtPathName_U_WithStatus(
        path: Ptr<u16>,
        name: Ptr<UnicodeString>,
        file_part: Ptr<Ptr<u16>>,
        relative: Ptr<RelativeName>,
    ) -> NtStatus {
        status(convert(path, name, file_part, relative))
    }

    /// As `RtlDosPathNameToNtPathName_U`.
    ///
    /// # Differs
    /// Windows gives a name below the current directory's handle where it can. A whole name is always right too.
    fn RtlDosPathNameToRelativeNtPathName_U(
        path: Ptr<u16>,
        name: Ptr<UnicodeString>,
        file_part: Ptr<Ptr<u16>>,
        relative: Ptr<RelativeName>,
    ) -> u8 {
        u8::from(convert(path, name, file_part, relative).is_ok())
    }

    /// As `RtlDosPathNameToRelativeNtPathName_U`, with a status.
    ///
    /// # Errors
    /// As of `RtlDosPathNameToNtPathName_U_WithStatus`.
    fn RtlDosPathNameToRelativeNtPathName_U_WithStatus(
        path: Ptr<u16>,
        name: Ptr<UnicodeString>,
        file_part: Ptr<Ptr<u16>>,
        relative: Ptr<RelativeName>,
    ) -> NtStatus {
        status(convert(path, name, file_part, relative))
    }

    /// As `RtlDosPathNameToNtPathName_U_WithStatus`, which refuses no long path either.
    ///
    /// # Errors
    /// As of `RtlDosPathNameToNtPathName_U_WithStatus`.
    fn RtlDosLongPathNameToNtPathName_U_WithStatus(
        path: Ptr<u16>,
        name: Ptr<UnicodeString>,
        file_part: Ptr<Ptr<u16>>,
        relative: Ptr<RelativeName>,
    ) -> NtStatus {
        status(convert(path, name, file_part, relative))
    }

    /// As `RtlDosLongPathNameToNtPathName_U_WithStatus`.
    ///
    /// # Errors
    /// As of `RtlDosPathNameToNtPathName_U_WithStatus`.
    fn RtlDosLongPathNameToRelativeNtPathName_U_WithStatus(
        path: Ptr<u16>,
        name: Ptr<UnicodeString>,
        file_part: Ptr<Ptr<u16>>,
        relative: Ptr<RelativeName>,
    ) -> NtStatus {
        status(convert(path, name, file_part, relative))
    }

    /// Lets go of the directory that a name is below. Here names are whole and hold none.
    fn RtlReleaseRelativeName(relative: Ptr<RelativeName>) {
        relative.write_optional(RelativeName::default());
    }

    /// Makes a name of NT's namespace the path that DOS has for it, in its place. What DOS has none for stays as it is.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: no name, or flags, of which there are none.
    fn RtlNtPathNameToDosPathName(
        flags: u32,
        path: Ptr<RtlUnicodeStringBuffer>,
        disposition: Ptr<u32>,
        file_part: Ptr<Ptr<u16>>,
    ) -> NtStatus {
        if flags != 0 || path.is_null() {
            return NtStatus::INVALID_PARAMETER;
        }
        let string = field!(path, RtlUnicodeStringBuffer, string);
        let name = text(string);
        let (dropped, added, kind) = dos_name(name);
        disposition.write_optional(kind);
        let kept = name.len() - dropped;
        // The path is never longer than the name.
        let buffer = Ptr::<u16>::at(string.read().buffer);
        let maximum = string.read().maximum_length;
        buffer.add(added.len()).cast::<u8>().copy_from(buffer.add(dropped).cast(), kept * 2);
        buffer.write_array(added);
        let length = added.len() + kept;
        if dropped > 0 {
            buffer.add(length).write(0);
            set(string, string_length(length * 2), maximum, buffer.cast());
        }
        let last = buffer.slice(length).iter().rposition(|unit| *unit == 0x5C);
        let start = last.map(|separator| separator + 1).filter(|start| *start < length);
        file_part.cast::<usize>().write_optional(start.map_or(Ptr::NULL, |start| buffer.add(start)).address());
        NtStatus::SUCCESS
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;

    use super::super::testing::begin;
    use super::*;
    use crate::strings::making::RtlFreeUnicodeString;
    use crate::strings::testing::{contents, unicode, wide};

    fn nt(path: &str) -> Result<(String, Option<usize>), NtStatus> {
        let mut name = UnicodeString::default();
        let mut file = Ptr::NULL;
        let mut relative = RelativeName {
            containing_directory: 7,
            ..RelativeName::default()
        };
        let path = wide(path);
        let status = RtlDosPathNameToNtPathName_U_WithStatus(
            path.ptr(),
            Ptr::of(&mut name),
            Ptr::of(&mut file),
            Ptr::of(&mut relative),
        );
        if status != NtStatus::SUCCESS {
            assert_eq!(
                RtlDosPathNameToNtPathName_U(path.ptr(), Ptr::of(&mut name), Ptr::NULL, Ptr::NULL),
                0
            );
            return Err(status);
        }
        assert_eq!(relative, RelativeName::default());
        assert_eq!(name.maximum_length, name.length + 2);
        let text = contents(&name);
        let file = file
            .non_null()
            .map(|file| (file.address() - Ptr::<u16>::at(name.buffer).address()) / 2);
        RtlFreeUnicodeString(Ptr::of(&mut name));
        Ok((text, file))
    }

    #[test]
    fn names_have_buffers_of_their_own() {
        let files = begin("C:\\windows\\");
        files.add(r"\??\C:\windows");
        assert_eq!(nt("foo"), Ok((r"\??\C:\windows\foo".into(), Some(15))));
        assert_eq!(nt(r"\windows\nul"), Ok((r"\??\nul".into(), None)));
        assert_eq!(nt("NUL"), Ok((r"\??\NUL".into(), None)));
        assert_eq!(nt(r"\\.\CON"), Ok((r"\??\CON".into(), None)));
        assert_eq!(nt(r"\??\CON"), Ok((r"\??\CON".into(), Some(4))));
        for path in ["", " ", r"C:\nonexistent\nul", r"C:\con\con"] {
            assert_eq!(nt(path), Err(NtStatus::OBJECT_NAME_INVALID), "{path}");
        }
        let long: String = "x".repeat(0x7FFE);
        assert_eq!(nt(&long), Err(NtStatus::NAME_TOO_LONG));
    }

    #[test]
    fn names_become_paths_again() {
        for (name, path, kind, file) in [
            (r"\??\C:\foo\bar", r"C:\foo\bar", DRIVE, Some(7)),
            (r"\??\unc\server\share", r"\\server\share", UNC, Some(9)),
            (r"\??\nul", r"\??\nul", AMBIGUOUS, Some(4)),
            (r"\Device\X", r"\Device\X", AMBIGUOUS, Some(8)),
            (r"C:\foo\", r"C:\foo\", ALREADY_DOS, None),
        ] {
            let string = unicode(name, 60);
            let mut buffer = RtlUnicodeStringBuffer {
                string: string.get(),
                ..RtlUnicodeStringBuffer::default()
            };
            let (mut got, mut part) = (0, Ptr::NULL);
            let status = RtlNtPathNameToDosPathName(
                0,
                Ptr::of(&mut buffer),
                Ptr::of(&mut got),
                Ptr::of(&mut part),
            );
            assert_eq!((status, got), (NtStatus::SUCCESS, kind), "{name}");
            assert_eq!(contents(&buffer.string), path);
            let start = Ptr::<u16>::at(buffer.string.buffer);
            assert_eq!(part, file.map_or(Ptr::NULL, |file| start.add(file)));
        }
        assert_eq!(
            RtlNtPathNameToDosPathName(1, Ptr::NULL, Ptr::NULL, Ptr::NULL),
            NtStatus::INVALID_PARAMETER
        );
    }
}
