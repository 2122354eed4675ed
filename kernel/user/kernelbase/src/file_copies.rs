//! Copies of files.

use nt_abi::native::IoStatusBlock;
use ntdll_imports::{NULL, NtReadFile, NtWriteFile};

use crate::files::{self, Opening, OwnedHandle};
use crate::nt_files::{FileBasicInformation, class};
use crate::wide;
use crate::win::*;

/// `GENERIC_READ`.
const GENERIC_READ: u32 = 0x8000_0000;
/// `GENERIC_WRITE`.
const GENERIC_WRITE: u32 = 0x4000_0000;
/// How much is copied at once.
const PIECE: usize = 0x1_0000;

fn opened(name: Ptr<u16>, access: u32, disposition: u32, flags: u32) -> Win<OwnedHandle> {
    // Others may read meanwhile.
    let opening = Opening {
        access,
        share: if access == GENERIC_READ { 3 } else { 0 },
        security: Ptr::NULL,
        disposition,
        flags,
        template: Handle::NULL,
    };
    opening.open(name).map(|(handle, _)| OwnedHandle(handle))
}

/// Copies a file with its attributes and the time of its last change; without replacing another one if that is wanted.
///
/// # Errors
/// Those of opening, reading and writing; `FILE_EXISTS`.
pub(crate) fn copy(from: Ptr<u16>, to: Ptr<u16>, fail_if_exists: bool) -> Win {
    /// `CREATE_NEW`, `CREATE_ALWAYS`, `OPEN_EXISTING`.
    const NEW: u32 = 1;
    const ALWAYS: u32 = 2;
    const EXISTING: u32 = 3;
    let source = opened(from, GENERIC_READ, EXISTING, 0)?;
    let about: FileBasicInformation = files::query(source.0, class::BASIC)?;
    let disposition = if fail_if_exists { NEW } else { ALWAYS };
    let target = opened(to, GENERIC_WRITE, disposition, about.attributes)?;
    let mut room = wide::room::<u8>(PIECE)?;
    let place = wide::place(&mut room);
    let no_routine = Ptr::<u8>::NULL;
    loop {
        let mut outcome = IoStatusBlock::default();
        let length = u32::try_from(PIECE).unwrap_or(u32::MAX);
        let status = NtReadFile(
            source.0,
            Handle::NULL,
            no_routine,
            no_routine,
            &mut outcome,
            place,
            length,
            NULL,
            NULL,
        );
        if status == NtStatus::END_OF_FILE {
            break;
        }
        check(status)?;
        let count = u32::try_from(outcome.information).unwrap_or(0);
        if count == 0 {
            break;
        }
        let mut outcome = IoStatusBlock::default();
        check(NtWriteFile(
            target.0,
            Handle::NULL,
            no_routine,
            no_routine,
            &mut outcome,
            place,
            count,
            NULL,
            NULL,
        ))?;
    }
    let times = FileBasicInformation {
        last_write_time: about.last_write_time,
        ..FileBasicInformation::default()
    };
    files::set(target.0, class::BASIC, &times)
}

/// `COPY_FILE_FAIL_IF_EXISTS`.
const FAIL_IF_EXISTS: u32 = 1;

exports! {
    /// Copies a file.
    fn CopyFileW(from: Ptr<u16>, to: Ptr<u16>, fail_if_exists: Bool) -> Bool {
        truth(copy(from, to, fail_if_exists != FALSE))
    }

    /// Copies a file.
    fn CopyFileA(from: Ptr<u8>, to: Ptr<u8>, fail_if_exists: Bool) -> Bool {
        files::with_wide(from, FALSE, |from| files::with_wide(to, FALSE, |to| CopyFileW(from, to, fail_if_exists)))
    }

    /// Copies a file.
    ///
    /// # Differs
    /// Progress is not told.
    fn CopyFileExW(from: Ptr<u16>, to: Ptr<u16>, _progress: Ptr<u8>, _context: Ptr<u8>, _cancel: Ptr<u32>, flags: u32) -> Bool {
        truth(copy(from, to, flags & FAIL_IF_EXISTS != 0))
    }

    /// Copies a file.
    ///
    /// # Differs
    /// Progress is not told.
    fn CopyFileExA(from: Ptr<u8>, to: Ptr<u8>, _progress: Ptr<u8>, _context: Ptr<u8>, _cancel: Ptr<u32>, flags: u32) -> Bool {
        CopyFileA(from, to, flags & FAIL_IF_EXISTS)
    }

    /// Copies a file (`HRESULT`); its parameters say their size, then flags.
    ///
    /// # Differs
    /// Progress is not told.
    fn CopyFile2(from: Ptr<u16>, to: Ptr<u16>, parameters: Ptr<u32>) -> u32 {
        /// `FACILITY_WIN32` as a failure.
        const WIN32: u32 = 0x8007_0000;
        let flags = parameters.non_null().map_or(0, |parameters| parameters.add(1).read());
        copy(from, to, flags & FAIL_IF_EXISTS != 0).map_or_else(|error| error.0 | WIN32, |()| 0)
    }
}
