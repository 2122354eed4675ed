//! The current directory, and those of drives.
//!
//! The process has one current directory, in its parameters: a path that ends with a separator, and a handle that keeps the
//! directory from going away. What programs call the current directory of a drive is an environment variable, `=C:`.

use c_interface::{Ptr, blocks, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::{Curdir, RtlUserProcessParameters, UnicodeString};
use rtl::dos_path::{CurrentDirectories, full_path, nt_path};
use rtl::{Utf16Str, Utf16String};

use super::{files, put};
use crate::given;
use crate::process::{PebLock, parameters};
use crate::strings::{set, string_length, units, units_before_zero};

const SEPARATOR: u16 = b'\\' as u16;

/// The process's directories, which stay as they are while this lives.
pub(super) struct Directories<'a> {
    current: &'a [u16],
    environment: &'a [u16],
}

impl CurrentDirectories for Directories<'_> {
    fn current(&self) -> Utf16Str<'_> {
        Utf16Str::new(self.current)
    }

    fn of_drive(&self, letter: u16) -> Option<Utf16Str<'_>> {
        let name = [u16::from(b'='), letter, u16::from(b':')];
        rtl::environment::find(self.environment, &name).map(Utf16Str::new)
    }
}

/// Where the current directory is in the process's parameters.
fn place(parameters: Ptr<RtlUserProcessParameters>) -> Ptr<Curdir> {
    field!(parameters, RtlUserProcessParameters, current_directory)
}

/// All variables of a block up to its last zero.
fn variables<'a>(block: Ptr<u16>) -> &'a [u16] {
    let Some(block) = block.non_null() else {
        return &[];
    };
    let mut length = 0;
    while block.add(length).read() != 0 {
        length += units_before_zero(block.add(length)) + 1;
    }
    block.slice(length)
}

/// Calls something with the process's directories, under its lock.
pub(super) fn with_directories<R>(call: impl FnOnce(&Directories<'_>) -> R) -> R {
    let _lock = PebLock::acquire();
    let Some(parameters) = parameters() else {
        return call(&Directories {
            current: &[],
            environment: &[],
        });
    };
    let environment = field!(parameters, RtlUserProcessParameters, environment).read();
    call(&Directories {
        current: units(field!(place(parameters), Curdir, dos_path)),
        environment: variables(Ptr::at(environment)),
    })
}

/// The path as callers see it: only that of a root ends with a separator.
fn shown(path: &[u16]) -> &[u16] {
    match path {
        [rest @ .., SEPARATOR] if rest.last() != Some(&u16::from(b':')) => rest,
        _ => path,
    }
}

/// The name of a directory in both namespaces: with a separator at its end, and in NT's.
fn names_of(
    path: &[u16],
    directories: &Directories<'_>,
) -> Result<(Utf16String, Utf16String), NtStatus> {
    let out_of_memory = |_| NtStatus::NO_MEMORY;
    let full = full_path(path, directories).map_err(out_of_memory)?;
    let mut full = full.ok_or(NtStatus::OBJECT_NAME_INVALID)?.path;
    let nt = nt_path(path, directories).map_err(out_of_memory)?;
    let nt = nt.ok_or(NtStatus::OBJECT_NAME_INVALID)?.path;
    if full.as_str().units().last() != Some(&SEPARATOR) {
        full.push_unit(SEPARATOR).map_err(out_of_memory)?;
    }
    Ok((full, nt))
}

/// Puts a path into the parameters, with a zero behind it.
fn store(parameters: Ptr<RtlUserProcessParameters>, path: Utf16Str<'_>) -> Result<(), NtStatus> {
    let string = field!(place(parameters), Curdir, dos_path);
    let old = string.read();
    let bytes = path.len() * 2;
    let room = u16::try_from(bytes + 2).map_err(|_| NtStatus::NAME_TOO_LONG)?;
    if old.buffer != 0 && room <= old.maximum_length {
        put(Ptr::at(old.buffer), path);
        set(
            string,
            string_length(bytes),
            old.maximum_length,
            Ptr::at(old.buffer),
        );
        return Ok(());
    }
    let block = blocks::allocate(bytes + 2).ok_or(NtStatus::NO_MEMORY)?;
    put(block.cast(), path);
    set(string, string_length(bytes), room, block);
    // The first path is part of the parameters' block.
    let size = field!(parameters, RtlUserProcessParameters, maximum_length).read();
    let start = parameters.address();
    let inside = (start..start + size as usize).contains(&Ptr::<u8>::at(old.buffer).address());
    if old.buffer != 0 && !inside {
        blocks::free(Ptr::at(old.buffer));
    }
    Ok(())
}

fn set_current(path: &[u16]) -> Result<(), NtStatus> {
    let _lock = PebLock::acquire();
    let parameters = parameters().ok_or(NtStatus::UNSUCCESSFUL)?;
    let (full, nt) = with_directories(|directories| names_of(path, directories))?;
    let handle = files::open_directory(nt.as_str())?;
    if let Err(status) = store(parameters, full.as_str()) {
        given::close(handle);
        return Err(status);
    }
    let kept = field!(place(parameters), Curdir, handle);
    let old = Ptr::<u8>::at(kept.read()).address();
    kept.write(Ptr::<u8>::new(handle).raw());
    if old != 0 {
        given::close(old);
    }
    Ok(())
}

exports! {
    /// Writes the current directory and a zero; the room is in bytes. Gives its length in bytes, without the zero; if it does
    /// not fit, what is needed with it.
    fn RtlGetCurrentDirectory_U(room: u32, to: Ptr<u16>) -> u32 {
        with_directories(|directories| {
            let path = shown(directories.current);
            // No path is longer than a string.
            let length = u32::try_from(path.len() * 2).unwrap_or(u32::MAX);
            if length + 2 > room {
                return length + 2;
            }
            put(to, Utf16Str::new(path));
            length
        })
    }

    /// Makes a directory the current one.
    ///
    /// # Errors
    /// `OBJECT_NAME_INVALID`: no path. `NAME_TOO_LONG`, `NO_MEMORY`, and what opening the directory says.
    fn RtlSetCurrentDirectory_U(path: Ptr<UnicodeString>) -> NtStatus {
        match set_current(units(path)) {
            Ok(()) => NtStatus::SUCCESS,
            Err(status) => status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{begin, current_handle};
    use super::*;
    use crate::strings::testing::{Room, unicode};

    #[test]
    fn the_current_directory_is_shown_without_its_separator() {
        // As Wine's ntdll has it.
        begin("C:\\windows\\");
        let to = Room::filled(0x78_u16, 20);
        assert_eq!(RtlGetCurrentDirectory_U(20, to.ptr()), 22);
        assert_eq!(to.now()[0], 0x78);
        assert_eq!(RtlGetCurrentDirectory_U(22, to.ptr()), 20);
        assert_eq!(to.text(), "C:\\windows");
        begin("C:\\");
        assert_eq!(RtlGetCurrentDirectory_U(40, to.ptr()), 6);
        assert_eq!(to.text(), "C:\\");
    }

    #[test]
    fn another_directory_is_opened_and_kept() {
        let files = begin("C:\\");
        files.add(r"\??\C:\windows");
        files.add(r"\??\C:\windows\system32");
        let set = |path: &str| RtlSetCurrentDirectory_U(unicode(path, 60).ptr());
        let to = Room::filled(0_u16, 40);
        assert_eq!(set("windows"), NtStatus::SUCCESS);
        let first = current_handle();
        RtlGetCurrentDirectory_U(80, to.ptr());
        assert_eq!(to.text(), "C:\\windows");
        assert_eq!(set("nowhere"), NtStatus::OBJECT_NAME_NOT_FOUND);
        assert_eq!(set(""), NtStatus::OBJECT_NAME_INVALID);
        assert_eq!(current_handle(), first);
        assert_eq!(set("./SYSTEM32/"), NtStatus::SUCCESS);
        assert_ne!(current_handle(), first);
        assert!(files.is_closed(first), "the old handle goes");
        RtlGetCurrentDirectory_U(80, to.ptr());
        assert_eq!(to.text(), "C:\\windows\\SYSTEM32");
    }
}
