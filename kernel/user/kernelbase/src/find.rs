//! Searching directories.

use alloc::vec::Vec;

use c_interface::blocks;
use nt_abi::native::{IoStatusBlock, UnicodeString};
use nt_abi::services::arguments::FileInformationClass;
use ntdll_imports::{NtClose, NtNotifyChangeDirectoryFile, NtOpenFile, NtQueryDirectoryFile};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::file_masks;
use crate::files::{NtPath, attribute, with_wide};
use crate::nt_files::{ENTRY_NAME, FileBothDirInformation, class, options, rights};
use crate::objects::{access, attributes};
use crate::structures::{FileAttributeData, FileTime, FindData, FindDataA};
use crate::wide;
use crate::win::*;

const BACKSLASH: u16 = b'\\' as u16;

/// How many bytes of entries are asked for at once.
const ROOM: usize = 0x2000;

/// A search: its handle is the address of this block. The entries follow it.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Search {
    /// [`MARK`].
    mark: usize,
    directory: Handle,
    /// Where the next entry is in the room; [`NOTHING`]: there are none left.
    next: usize,
    /// Only directories are wanted.
    only_directories: usize,
}

/// Says that a block is a search.
const MARK: usize = 0x4653_4D21;
/// No entry is left in the room.
const NOTHING: usize = usize::MAX;

fn room_of(search: Ptr<Search>) -> Ptr<u8> {
    // Entries want to lie at multiples of eight.
    search
        .cast::<u8>()
        .byte_add(size_of::<Search>().next_multiple_of(8))
}

/// A search by its handle.
fn search_of(handle: Handle) -> Win<Ptr<Search>> {
    if handle.is_null() || handle == Handle::INVALID {
        return Err(Error::INVALID_HANDLE);
    }
    let search = Ptr::<Search>::at(handle.0);
    if field!(search, Search, mark).read() != MARK {
        return Err(Error::INVALID_HANDLE);
    }
    Ok(search)
}

/// Asks a directory for its next entries.
fn ask(
    directory: Handle,
    kind: u32,
    into: Ptr<u8>,
    length: u32,
    mask: Option<&UnicodeString>,
    restart: bool,
) -> NtStatus {
    let mut outcome = IoStatusBlock::default();
    let no_routine = Ptr::<u8>::NULL;
    let mask = mask.map_or(Ptr::NULL, Ptr::of_shared);
    NtQueryDirectoryFile(
        directory,
        Handle::NULL,
        no_routine,
        no_routine,
        &mut outcome,
        into,
        length,
        FileInformationClass(kind),
        false,
        mask,
        restart,
    )
}

/// Lists entries of a directory for `GetFileInformationByHandleEx`.
pub(crate) fn list(directory: Handle, kind: u32, into: Ptr<u8>, length: u32, restart: bool) -> Win {
    check(ask(directory, kind, into, length, None, restart))
}

/// Opens the directory of a path and gives the mask behind it.
fn begin(path: Ptr<u16>, case_sensitive: bool) -> Win<(Handle, Vec<u16>)> {
    let whole = NtPath::of(path)?;
    let units = whole.units();
    let split = units
        .iter()
        .rposition(|&unit| unit == BACKSLASH)
        .ok_or(Error::PATH_NOT_FOUND)?;
    let mut mask = units[split + 1..].to_vec();
    // The path loses dots at its end, which in a mask mean something.
    let given = wide::units(path);
    if given.ends_with(&[u16::from(b'*'), u16::from(b'.')]) && !mask.ends_with(&[u16::from(b'.')]) {
        mask.push(u16::from(b'.'));
    }
    if mask.is_empty() {
        return Err(Error::FILE_NOT_FOUND);
    }
    // The root of a volume keeps its backslash.
    let directory = wide::counted(&units[..split + 1])?;
    let flags = if case_sensitive {
        nt_abi::primitives::ObjectAttributeFlags::empty()
    } else {
        nt_abi::primitives::ObjectAttributeFlags::CASE_INSENSITIVE
    };
    let object = attributes(Some(&directory), Handle::NULL, flags, Ptr::NULL);
    let (mut handle, mut outcome) = (Handle::NULL, IoStatusBlock::default());
    let how = options::DIRECTORY_FILE
        | options::SYNCHRONOUS_IO_NONALERT
        | options::OPEN_FOR_BACKUP_INTENT;
    let wanted = access(rights::READ_DATA | rights::SYNCHRONIZE);
    let status = NtOpenFile(
        &mut handle,
        wanted,
        &object,
        &mut outcome,
        rights::SHARE_ALL,
        how,
    );
    match check(status) {
        Ok(()) => Ok((handle, file_masks::of_dos(&mask))),
        // The directory is what is not there.
        Err(Error::FILE_NOT_FOUND) => Err(Error::PATH_NOT_FOUND),
        Err(error) => Err(error),
    }
}

/// Begins a search; gives its handle and the first entry.
fn first(path: Ptr<u16>, only_directories: bool, case_sensitive: bool) -> Win<(Handle, FindData)> {
    if path.is_null() {
        return Err(Error::PATH_NOT_FOUND);
    }
    let (directory, mask) = begin(path, case_sensitive)?;
    let size = size_of::<Search>().next_multiple_of(8) + ROOM;
    let Some(block) = blocks::allocate(size) else {
        let _closed = NtClose(directory);
        return Err(Error::NOT_ENOUGH_MEMORY);
    };
    let search = block.cast::<Search>();
    search.write(Search {
        mark: MARK,
        directory,
        next: NOTHING,
        only_directories: usize::from(only_directories),
    });
    let found = wide::counted(&mask)
        .and_then(|mask| more(search, Some(&mask)))
        .and_then(|()| next(search));
    match found {
        Ok(entry) => Ok((Handle(search.raw()), entry)),
        Err(error) => {
            close(search);
            // None at all is told in another way than no more.
            Err(if error == Error::NO_MORE_FILES {
                Error::FILE_NOT_FOUND
            } else {
                error
            })
        }
    }
}

/// Gets more entries into the room.
fn more(search: Ptr<Search>, mask: Option<&UnicodeString>) -> Win {
    let directory = field!(search, Search, directory).read();
    let length = u32::try_from(ROOM).unwrap_or(u32::MAX);
    let is_first = mask.is_some();
    check(ask(
        directory,
        class::BOTH_DIRECTORY,
        room_of(search),
        length,
        mask,
        is_first,
    ))?;
    field!(search, Search, next).write(0);
    Ok(())
}

/// The next entry of a search.
fn next(search: Ptr<Search>) -> Win<FindData> {
    loop {
        let at = field!(search, Search, next).read();
        if at == NOTHING {
            more(search, None)?;
            continue;
        }
        let place = room_of(search).byte_add(at);
        let entry = place.cast::<FileBothDirInformation>().read();
        let following = match entry.next_entry_offset {
            0 => NOTHING,
            offset => at + offset as usize,
        };
        field!(search, Search, next).write(following);
        let only_directories = field!(search, Search, only_directories).read() != 0;
        if only_directories && entry.attributes & attribute::DIRECTORY == 0 {
            continue;
        }
        return Ok(data_of(&entry, place.byte_add(ENTRY_NAME).cast()));
    }
}

/// An entry as Win32 has it.
fn data_of(entry: &FileBothDirInformation, name: Ptr<u16>) -> FindData {
    let mut data = FindData::default();
    let size = FileTime::new(entry.end_of_file);
    data.file = FileAttributeData {
        attributes: entry.attributes,
        creation_time: FileTime::new(entry.creation_time),
        last_access_time: FileTime::new(entry.last_access_time),
        last_write_time: FileTime::new(entry.last_write_time),
        size_high: size.high,
        size_low: size.low,
    };
    if entry.attributes & attribute::REPARSE_POINT != 0 {
        data.reserved0 = entry.ea_size;
    }
    let length = (entry.file_name_length as usize / 2).min(data.file_name.len() - 1);
    name.read_array(&mut data.file_name[..length]);
    let short = usize::from(entry.short_name_length / 2).min(entry.short_name.len());
    data.alternate_file_name[..short].copy_from_slice(&entry.short_name[..short]);
    data
}

/// The same with names in the ANSI code page.
fn ansi_data(data: &FindData) -> FindDataA {
    let mut made = FindDataA {
        file: data.file,
        reserved0: data.reserved0,
        reserved1: data.reserved1,
        ..FindDataA::default()
    };
    let end = |units: &[u16]| {
        units
            .iter()
            .position(|&unit| unit == 0)
            .unwrap_or(units.len())
    };
    let last = made.file_name.len() - 1;
    let _fits = wide::to_ansi(
        &data.file_name[..end(&data.file_name)],
        &mut made.file_name[..last],
    );
    let last = made.alternate_file_name.len() - 1;
    let alternate = &data.alternate_file_name[..end(&data.alternate_file_name)];
    let _fits = wide::to_ansi(alternate, &mut made.alternate_file_name[..last]);
    made
}

fn close(search: Ptr<Search>) {
    let _closed = NtClose(field!(search, Search, directory).read());
    field!(search, Search, mark).write(0);
    blocks::free(search.cast());
}

/// `FindExSearchLimitToDirectories`.
const ONLY_DIRECTORIES: u32 = 1;
/// `FIND_FIRST_EX_CASE_SENSITIVE`.
const CASE_SENSITIVE: u32 = 1;

fn first_ex(path: Ptr<u16>, level: u32, kind: u32, flags: u32) -> Win<(Handle, FindData)> {
    // `FindExInfoStandard`, `FindExInfoBasic`.
    if level > 1 {
        return Err(Error::INVALID_PARAMETER);
    }
    first(path, kind == ONLY_DIRECTORIES, flags & CASE_SENSITIVE != 0)
}

/// What `FILE_NOTIFY_INFORMATION` is wanted of: the request of a notification goes on as long as its handle is open.
fn notify(directory: Handle, subtree: bool, filter: u32) -> NtStatus {
    /// Where outcomes go that nobody reads.
    static OUTCOME: [core::sync::atomic::AtomicU64; 4] =
        [const { core::sync::atomic::AtomicU64::new(0) }; 4];
    let no_routine = Ptr::<u8>::NULL;
    let outcome = Ptr::of_shared(&OUTCOME).cast::<IoStatusBlock>();
    NtNotifyChangeDirectoryFile(
        directory,
        Handle::NULL,
        no_routine,
        no_routine,
        outcome,
        Ptr::<u8>::NULL,
        0_u32,
        filter,
        subtree,
    )
}

fn first_change(path: Ptr<u16>, subtree: Bool, filter: u32) -> Win<Handle> {
    let whole = NtPath::of(path)?;
    let (mut handle, mut outcome) = (Handle::NULL, IoStatusBlock::default());
    let wanted = access(rights::READ_DATA | rights::SYNCHRONIZE);
    let how = options::DIRECTORY_FILE | options::OPEN_FOR_BACKUP_INTENT;
    check(whole.with(|object| {
        NtOpenFile(
            &mut handle,
            wanted,
            object,
            &mut outcome,
            rights::SHARE_ALL,
            how,
        )
    }))?;
    let status = notify(handle, subtree != FALSE, filter);
    check(status).inspect_err(|_| {
        let _closed = NtClose(handle);
    })?;
    Ok(handle)
}

exports! {
    /// Begins a search for files; `INVALID_HANDLE_VALUE`: it failed.
    fn FindFirstFileW(path: Ptr<u16>, into: Ptr<FindData>) -> Handle {
        FindFirstFileExW(path, 0, into, 0, Ptr::NULL, 0)
    }

    /// Begins a search for files; `INVALID_HANDLE_VALUE`: it failed.
    fn FindFirstFileA(path: Ptr<u8>, into: Ptr<FindDataA>) -> Handle {
        FindFirstFileExA(path, 0, into, 0, Ptr::NULL, 0)
    }

    /// Begins a search for files; `INVALID_HANDLE_VALUE`: it failed.
    fn FindFirstFileExW(path: Ptr<u16>, level: u32, into: Ptr<FindData>, kind: u32, _filter: Ptr<u8>, flags: u32) -> Handle {
        answer(first_ex(path, level, kind, flags).map(|(handle, found)| {
            into.write(found);
            handle
        }), Handle::INVALID)
    }

    /// Begins a search for files; `INVALID_HANDLE_VALUE`: it failed.
    fn FindFirstFileExA(path: Ptr<u8>, level: u32, into: Ptr<FindDataA>, kind: u32, _filter: Ptr<u8>, flags: u32) -> Handle {
        with_wide(path, Handle::INVALID, |path| {
            answer(first_ex(path, level, kind, flags).map(|(handle, found)| {
                // The padding at the end is not the structure's.
                let found = ansi_data(&found);
                into.cast::<u8>().copy_from(Ptr::of_shared(&found).cast(), size_of::<FindDataA>());
                handle
            }), Handle::INVALID)
        })
    }

    /// The next file of a search.
    fn FindNextFileW(handle: Handle, into: Ptr<FindData>) -> Bool {
        truth(search_of(handle).and_then(next).map(|found| into.write(found)))
    }

    /// The next file of a search.
    fn FindNextFileA(handle: Handle, into: Ptr<FindDataA>) -> Bool {
        truth(search_of(handle).and_then(next).map(|found| into.write(ansi_data(&found))))
    }

    /// Ends a search.
    fn FindClose(handle: Handle) -> Bool {
        truth(search_of(handle).map(close))
    }

    /// Begins to watch a directory; the handle is set when something changes.
    fn FindFirstChangeNotificationW(path: Ptr<u16>, subtree: Bool, filter: u32) -> Handle {
        answer(first_change(path, subtree, filter), Handle::INVALID)
    }

    /// Begins to watch a directory; the handle is set when something changes.
    fn FindFirstChangeNotificationA(path: Ptr<u8>, subtree: Bool, filter: u32) -> Handle {
        with_wide(path, Handle::INVALID, |path| FindFirstChangeNotificationW(path, subtree, filter))
    }

    /// Goes on watching.
    fn FindNextChangeNotification(handle: Handle) -> Bool {
        // What is watched is what the first call said.
        truth_of(notify(handle, false, 0xFFF))
    }

    /// Ends watching.
    fn FindCloseChangeNotification(handle: Handle) -> Bool {
        truth_of(NtClose(handle))
    }

    /// What changes in a directory.
    fn ReadDirectoryChangesW(
        directory: Handle,
        into: Ptr<u8>,
        length: u32,
        subtree: Bool,
        filter: u32,
        done: Ptr<u32>,
        overlapped: Ptr<crate::structures::Overlapped>,
        routine: Ptr<u8>,
    ) -> Bool {
        if overlapped.is_null() || !routine.is_null() {
            return truth(Err(Error::NOT_SUPPORTED));
        }
        let event = field!(overlapped, crate::structures::Overlapped, event).read();
        done.write_optional(0);
        let status = NtNotifyChangeDirectoryFile(
            directory,
            Handle(event & !1),
            Ptr::<u8>::NULL,
            overlapped,
            overlapped.cast::<IoStatusBlock>(),
            into,
            length,
            filter,
            subtree != FALSE,
        );
        // Under way is what the caller wants.
        truth_of(status)
    }
}
