//! Open files: their size, place, times, and what they are.

use alloc::vec::Vec;

use nt_abi::native::{IoStatusBlock, UnicodeString};
use nt_abi::object_information::ObjectInformationClass as ObjectClass;
use nt_abi::services::arguments::{
    FileInformationClass, FsInformationClass, ObjectInformationClass,
};
use ntdll_imports::{
    NtQueryInformationFile, NtQueryObject, NtQueryVolumeInformationFile, NtSetInformationFile,
};

use crate::console;
use crate::files::{self, query, set};
use crate::nt_files::{
    FileBasicInformation, FileCompressionInformation, FileFsDeviceInformation,
    FileFsVolumeInformation, FileStandardInformation, class, rights, volume_class,
};
use crate::structures::{ByHandleFileInformation, FileTime};
use crate::volumes;
use crate::wide;
use crate::win::*;

/// `INVALID_SET_FILE_POINTER`, `INVALID_FILE_SIZE`.
const INVALID: u32 = u32::MAX;
/// `FILE_TYPE_DISK`, `FILE_TYPE_CHAR`, `FILE_TYPE_PIPE`.
const DISK: u32 = 1;
const CHARACTERS: u32 = 2;
const PIPE: u32 = 3;

/// Types of devices whose files are on disks, are characters, or are pipes (`FILE_DEVICE_*`).
const DISKS: [u32; 6] = [0x02, 0x03, 0x07, 0x08, 0x14, 0x24];
const CHARACTER_DEVICES: [u32; 10] = [0x0A, 0x0B, 0x0F, 0x15, 0x16, 0x18, 0x1B, 0x1C, 0x2B, 0x50];
const PIPES: [u32; 2] = [0x0C, 0x11];

/// The halves of a number of 64 bits, the low one first.
fn halves(number: i64) -> (u32, u32) {
    let time = FileTime::new(number);
    (time.low, time.high)
}

fn joined(low: u32, high: u32) -> i64 {
    FileTime { low, high }.time()
}

/// Asks after the volume of a file.
pub(crate) fn query_volume<T: Default>(file: Handle, class: u32) -> Win<T> {
    let mut found = T::default();
    let mut outcome = IoStatusBlock::default();
    let length = size_in_u32::<T>();
    let status = NtQueryVolumeInformationFile(
        file,
        &mut outcome,
        &mut found,
        length,
        FsInformationClass(class),
    );
    // The name behind it did not find room, and is not wanted.
    if status == NtStatus::BUFFER_OVERFLOW {
        return Ok(found);
    }
    check(status)?;
    Ok(found)
}

fn kind(file: Handle) -> Win<u32> {
    if console::is_console(file) {
        return Ok(CHARACTERS);
    }
    let device: FileFsDeviceInformation = query_volume(file, volume_class::DEVICE)?;
    let kind = device.device_type;
    Ok(match () {
        () if DISKS.contains(&kind) => DISK,
        () if CHARACTER_DEVICES.contains(&kind) => CHARACTERS,
        () if PIPES.contains(&kind) => PIPE,
        () => 0,
    })
}

fn size(file: Handle) -> Win<i64> {
    query::<FileStandardInformation>(file, class::STANDARD).map(|found| found.end_of_file)
}

/// Moves the place where a file is read and written: from its beginning, from where it is, from its end.
fn seek(file: Handle, distance: i64, from: u32) -> Win<i64> {
    let base = match from {
        0 => 0,
        1 => query::<i64>(file, class::POSITION)?,
        2 => size(file)?,
        _ => return Err(Error::INVALID_PARAMETER),
    };
    let place = base.checked_add(distance).ok_or(Error::INVALID_PARAMETER)?;
    if place < 0 {
        return Err(Error::NEGATIVE_SEEK);
    }
    set(file, class::POSITION, &place)?;
    Ok(place)
}

fn set_end(file: Handle) -> Win {
    let place = query::<i64>(file, class::POSITION)?;
    set(file, class::END_OF_FILE, &place)
}

fn times(file: Handle) -> Win<[i64; 3]> {
    let found: FileBasicInformation = query(file, class::BASIC)?;
    Ok([
        found.creation_time,
        found.last_access_time,
        found.last_write_time,
    ])
}

fn by_handle(file: Handle) -> Win<ByHandleFileInformation> {
    let basic: FileBasicInformation = query(file, class::BASIC)?;
    let standard: FileStandardInformation = query(file, class::STANDARD)?;
    let index: i64 = query(file, class::INTERNAL)?;
    let volume = query_volume::<FileFsVolumeInformation>(file, volume_class::VOLUME);
    let (size_low, size_high) = halves(standard.end_of_file);
    let (index_low, index_high) = halves(index);
    Ok(ByHandleFileInformation {
        attributes: basic.attributes,
        creation_time: FileTime::new(basic.creation_time),
        last_access_time: FileTime::new(basic.last_access_time),
        last_write_time: FileTime::new(basic.last_write_time),
        volume_serial_number: volume.map_or(0, |volume| volume.serial_number),
        size_high,
        size_low,
        number_of_links: standard.number_of_links,
        index_high,
        index_low,
    })
}

/// `FILE_INFO_BY_HANDLE_CLASS`, in order, and the classes of NT that they are; 0: there is none, or it is for one way only.
static HANDLE_CLASSES: [u32; 25] = [
    class::BASIC,
    class::STANDARD,
    class::NAME,
    class::RENAME,
    class::DISPOSITION,
    class::ALLOCATION,
    class::END_OF_FILE,
    class::STREAM,
    class::COMPRESSION,
    class::ATTRIBUTE_TAG,
    class::ID_BOTH_DIRECTORY,
    class::ID_BOTH_DIRECTORY,
    43,
    55,
    2,
    2,
    56,
    17,
    class::ID,
    60,
    60,
    64,
    65,
    71,
    71,
];
/// Those that list a directory, from its beginning.
const DIRECTORY_CLASSES: [(u32, bool); 6] = [
    (10, false),
    (11, true),
    (14, false),
    (15, true),
    (19, false),
    (20, true),
];

fn nt_class(kind: u32) -> Win<u32> {
    usize::try_from(kind)
        .ok()
        .and_then(|at| HANDLE_CLASSES.get(at).copied())
        .ok_or(Error::INVALID_PARAMETER)
}

fn information(file: Handle, kind: u32, into: Ptr<u8>, length: u32) -> Win {
    let class = nt_class(kind)?;
    let mut outcome = IoStatusBlock::default();
    if let Some((_, restart)) = DIRECTORY_CLASSES.iter().find(|(known, _)| *known == kind) {
        return crate::find::list(file, class, into, length, *restart);
    }
    check(NtQueryInformationFile(
        file,
        &mut outcome,
        into,
        length,
        FileInformationClass(class),
    ))
}

fn set_information(file: Handle, kind: u32, from: Ptr<u8>, length: u32) -> Win {
    let class = nt_class(kind)?;
    let mut outcome = IoStatusBlock::default();
    check(NtSetInformationFile(
        file,
        &mut outcome,
        from,
        length,
        FileInformationClass(class),
    ))
}

/// The path that NT has for an open file.
pub(crate) fn nt_name(file: Handle) -> Win<Vec<u16>> {
    let mut length = 0x420_u32;
    loop {
        let mut room = wide::room::<u64>(length as usize / 8 + 1)?;
        let mut needed = 0_u32;
        let class = ObjectInformationClass(ObjectClass::NAME.0);
        let place = wide::place(&mut room);
        let status = NtQueryObject(file, class, place, length, &mut needed);
        let too_small = status == NtStatus::INFO_LENGTH_MISMATCH
            || status == NtStatus::BUFFER_OVERFLOW
            || status == NtStatus::BUFFER_TOO_SMALL;
        if too_small && needed > length {
            length = needed;
            continue;
        }
        check(status)?;
        let name = place.cast::<UnicodeString>().read();
        return Ok(Ptr::<u16>::at(name.buffer)
            .slice(usize::from(name.length / 2))
            .to_vec());
    }
}

/// `VOLUME_NAME_NT`.
const NAME_NT: u32 = 2;
/// `VOLUME_NAME_NONE`.
const NAME_NONE: u32 = 4;
/// All that say which name is wanted, `FILE_NAME_OPENED` among them.
const NAME_FLAGS: u32 = 0xF;

fn final_path(file: Handle, flags: u32) -> Win<Vec<u16>> {
    if flags & !NAME_FLAGS != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    let name = nt_name(file)?;
    if flags & NAME_NT != 0 {
        return Ok(name);
    }
    let (drive, rest) = volumes::drive_of(&name).ok_or(Error::PATH_NOT_FOUND)?;
    if flags & NAME_NONE != 0 {
        return Ok(rest.to_vec());
    }
    let mut path = wide::ascii(r"\\?\");
    path.extend([drive, u16::from(b':')]);
    path.extend_from_slice(rest);
    Ok(path)
}

fn compressed_size(name: Ptr<u16>) -> Win<i64> {
    let file = files::open(name, rights::READ_ATTRIBUTES, 0)?;
    query::<FileCompressionInformation>(file.0, class::COMPRESSION)
        .map(|found| found.compressed_size)
        .or_else(|_| size(file.0))
}

/// What a function returns that gives a path; that it did not fit has an error of its own.
fn told_path(told: u32, capacity: u32) -> u32 {
    if told >= capacity {
        set_last_error(Error::NOT_ENOUGH_MEMORY);
    }
    told
}

/// A size in two halves, as functions of old tell it: -1 with an error is a failure.
fn give_size(size: Win<i64>, high: Ptr<u32>) -> u32 {
    match size {
        Ok(size) => {
            let (low, upper) = halves(size);
            high.write_optional(upper);
            if low == INVALID {
                set_last_error(Error::SUCCESS);
            }
            low
        }
        Err(error) => answer(Err(error), INVALID),
    }
}

exports! {
    /// What kind of file it is (`FILE_TYPE_*`); 0: it is not known, or it failed.
    fn GetFileType(file: Handle) -> u32 {
        answer(kind(file).inspect(|&kind| {
            if kind == 0 {
                set_last_error(Error::SUCCESS);
            }
        }), 0)
    }

    /// The size of a file, in two halves.
    fn GetFileSize(file: Handle, high: Ptr<u32>) -> u32 {
        give_size(size(file), high)
    }

    /// The size of a file.
    fn GetFileSizeEx(file: Handle, into: Ptr<i64>) -> Bool {
        truth(size(file).map(|size| into.write(size)))
    }

    /// The room that a file takes, in two halves.
    fn GetCompressedFileSizeW(name: Ptr<u16>, high: Ptr<u32>) -> u32 {
        give_size(compressed_size(name), high)
    }

    /// The room that a file takes, in two halves.
    fn GetCompressedFileSizeA(name: Ptr<u8>, high: Ptr<u32>) -> u32 {
        files::with_wide(name, INVALID, |name| give_size(compressed_size(name), high))
    }

    /// Moves the place where a file is read and written; gives where it is, in two halves.
    fn SetFilePointer(file: Handle, low: i32, high: Ptr<u32>, from: u32) -> u32 {
        let distance = match high.read_optional() {
            Some(upper) => joined(low.cast_unsigned(), upper),
            None => i64::from(low),
        };
        let place = seek(file, distance, from).and_then(|place| {
            if high.is_null() && u32::try_from(place).is_err() {
                return Err(Error::INVALID_PARAMETER);
            }
            Ok(place)
        });
        give_size(place, high)
    }

    /// Moves the place where a file is read and written.
    fn SetFilePointerEx(file: Handle, distance: i64, place: Ptr<i64>, from: u32) -> Bool {
        truth(seek(file, distance, from).map(|found| place.write_optional(found)))
    }

    /// Ends a file where it is read and written.
    fn SetEndOfFile(file: Handle) -> Bool {
        truth(set_end(file))
    }

    /// Says how much of a file has been written.
    fn SetFileValidData(file: Handle, length: i64) -> Bool {
        truth(set(file, class::VALID_DATA_LENGTH, &length))
    }

    /// When a file was made, read and written.
    fn GetFileTime(file: Handle, created: Ptr<FileTime>, accessed: Ptr<FileTime>, written: Ptr<FileTime>) -> Bool {
        truth(times(file).map(|times| {
            for (place, time) in [created, accessed, written].into_iter().zip(times) {
                place.write_optional(FileTime::new(time));
            }
        }))
    }

    /// Sets when a file was made, read and written.
    fn SetFileTime(file: Handle, created: Ptr<FileTime>, accessed: Ptr<FileTime>, written: Ptr<FileTime>) -> Bool {
        let time = |place: Ptr<FileTime>| place.read_optional().map_or(0, FileTime::time);
        let information = FileBasicInformation {
            creation_time: time(created),
            last_access_time: time(accessed),
            last_write_time: time(written),
            ..FileBasicInformation::default()
        };
        truth(set(file, class::BASIC, &information))
    }

    /// What everybody wants to know of an open file.
    fn GetFileInformationByHandle(file: Handle, into: Ptr<ByHandleFileInformation>) -> Bool {
        truth(by_handle(file).map(|found| into.write(found)))
    }

    /// Tells something of an open file.
    fn GetFileInformationByHandleEx(file: Handle, kind: u32, into: Ptr<u8>, length: u32) -> Bool {
        truth(information(file, kind, into, length))
    }

    /// Sets something of an open file.
    fn SetFileInformationByHandle(file: Handle, kind: u32, from: Ptr<u8>, length: u32) -> Bool {
        truth(set_information(file, kind, from, length))
    }

    /// Says what a completion port hears of a file.
    fn SetFileCompletionNotificationModes(file: Handle, modes: u8) -> Bool {
        truth(set(file, class::COMPLETION_NOTIFICATION, &u32::from(modes)))
    }

    /// The path of an open file: its length, or the room it needs.
    fn GetFinalPathNameByHandleW(file: Handle, into: Ptr<u16>, capacity: u32, flags: u32) -> u32 {
        answer(final_path(file, flags).map(|path| told_path(wide::give(&path, into, capacity), capacity)), 0)
    }

    /// The path of an open file: its length, or the room it needs.
    fn GetFinalPathNameByHandleA(file: Handle, into: Ptr<u8>, capacity: u32, flags: u32) -> u32 {
        answer(final_path(file, flags).map(|path| told_path(wide::give_ansi(&path, into, capacity), capacity)), 0)
    }
}
