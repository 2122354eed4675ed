//! Drives, volumes, and devices of DOS.

use alloc::vec::Vec;

use nt_abi::native::{IoStatusBlock, ObjectDirectoryInformation, UnicodeString};
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::process_information::{ProcessDeviceMapQuery, ProcessInformationClass};
use nt_abi::services::arguments::FsInformationClass;
use ntdll_imports::{
    NtOpenDirectoryObject, NtOpenSymbolicLinkObject, NtQueryDirectoryObject,
    NtQuerySymbolicLinkObject, NtQueryVolumeInformationFile, NtSetVolumeInformationFile,
};
use zerocopy::FromZeros;

use crate::file_info::query_volume;
use crate::files::{self, OwnedHandle};
use crate::nt_files::{
    FileFsAttributeInformation, FileFsDeviceInformation, FileFsFullSizeInformation,
    FileFsVolumeInformation, VOLUME_LABEL, options, rights, volume_class,
};
use crate::objects::{access, attributes};
use crate::paths;
use crate::wide::{self, Wide};
use crate::win::*;

const BACKSLASH: u16 = b'\\' as u16;
const COLON: u16 = b':' as u16;

/// `DRIVE_*`.
const UNKNOWN: u32 = 0;
const NO_ROOT: u32 = 1;
const REMOVABLE: u32 = 2;
const FIXED: u32 = 3;
const REMOTE: u32 = 4;
const CD_ROM: u32 = 5;
const RAM_DISK: u32 = 6;

/// The drives that there are, a bit each, and the kind of each.
fn drives() -> Win<(u32, [u8; 32])> {
    let mut found = ProcessDeviceMapQuery::new_zeroed();
    let length = size_in_u32::<ProcessDeviceMapQuery>();
    check(ntdll_imports::NtQueryInformationProcess(
        Handle::CURRENT_PROCESS,
        nt_abi::services::arguments::ProcessInformationClass(ProcessInformationClass::DEVICE_MAP.0),
        &mut found,
        length,
        ntdll_imports::NULL,
    ))?;
    Ok((found.drive_map, found.drive_type))
}

/// What a name of a device of DOS stands for, in NT.
fn target_of(name: &[u16]) -> Win<Vec<u16>> {
    let mut path = wide::ascii(r"\??\");
    path.extend_from_slice(name);
    let path = wide::counted(&path)?;
    let object = attributes(
        Some(&path),
        Handle::NULL,
        ObjectAttributeFlags::CASE_INSENSITIVE,
        Ptr::NULL,
    );
    let mut handle = Handle::NULL;
    // `SYMBOLIC_LINK_QUERY`.
    check(NtOpenSymbolicLinkObject(&mut handle, access(1), &object))?;
    let link = OwnedHandle(handle);
    let mut room = wide::room::<u16>(0x4000)?;
    let mut target = UnicodeString {
        length: 0,
        maximum_length: 0x7FFE,
        buffer: wide::place(&mut room).raw(),
        ..UnicodeString::default()
    };
    check(NtQuerySymbolicLinkObject(
        link.0,
        &mut target,
        ntdll_imports::NULL,
    ))?;
    room.truncate(usize::from(target.length / 2));
    Ok(room)
}

/// The drive whose device a path of NT begins with, and what follows.
pub(crate) fn drive_of(path: &[u16]) -> Option<(u16, &[u16])> {
    // It may say the drive itself.
    if let Some([letter, COLON, rest @ ..]) = path.strip_prefix(wide::ascii(r"\??\").as_slice()) {
        return Some((*letter, rest));
    }
    (u16::from(b'A')..=u16::from(b'Z')).find_map(|letter| {
        let target = target_of(&[letter, COLON]).ok()?;
        let rest = path.strip_prefix(target.as_slice())?;
        let whole_name = rest.first().is_none_or(|&unit| unit == BACKSLASH);
        (whole_name && !target.is_empty()).then_some((letter, rest))
    })
}

/// The names of all devices of DOS, each terminated, and a terminator behind them.
fn all_devices() -> Win<Vec<u16>> {
    let path = wide::ascii(r"\??");
    let path = wide::counted(&path)?;
    let object = attributes(
        Some(&path),
        Handle::NULL,
        ObjectAttributeFlags::CASE_INSENSITIVE,
        Ptr::NULL,
    );
    let mut handle = Handle::NULL;
    // `DIRECTORY_QUERY`.
    check(NtOpenDirectoryObject(&mut handle, access(1), &object))?;
    let directory = OwnedHandle(handle);
    let mut names = Vec::new();
    let mut context = 0_u32;
    let mut room = wide::room::<u64>(0x200)?;
    loop {
        let place = wide::place(&mut room);
        let length = u32::try_from(room.len() * 8).unwrap_or(u32::MAX);
        let status = NtQueryDirectoryObject(
            directory.0,
            place,
            length,
            true,
            false,
            &mut context,
            ntdll_imports::NULL,
        );
        if status == NtStatus::NO_MORE_ENTRIES {
            break;
        }
        check(status)?;
        let entry = place.cast::<ObjectDirectoryInformation>().read();
        names.extend_from_slice(
            Ptr::<u16>::at(entry.name.buffer).slice(usize::from(entry.name.length / 2)),
        );
        names.push(0);
    }
    names.push(0);
    Ok(names)
}

/// Gives a list of strings with both terminators: the count, 0 if it fails.
fn give_list(list: Win<Vec<u16>>, into: Ptr<u16>, capacity: u32) -> u32 {
    answer(
        list.and_then(|list| {
            let count = u32::try_from(list.len()).map_err(|_| Error::INSUFFICIENT_BUFFER)?;
            if count > capacity {
                return Err(Error::INSUFFICIENT_BUFFER);
            }
            into.write_array(&list);
            Ok(count)
        }),
        0,
    )
}

/// The names of all drives, as `C:\`.
fn drive_strings() -> Vec<u16> {
    let (map, _) = drives().unwrap_or_default();
    let mut list = Vec::new();
    for index in (0..26_u16).filter(|&index| map >> index & 1 != 0) {
        list.extend([u16::from(b'A') + index, COLON, BACKSLASH, 0]);
    }
    list
}

/// The root of a volume: what the caller names, or that of the current directory.
fn root_of(name: &[u16]) -> Win<Wide> {
    if !name.is_empty() {
        return Wide::from_units(name);
    }
    let here = paths::full_path(&Wide::from_units(&wide::ascii("."))?)?;
    Wide::from_units(&root_part(&here))
}

/// The root that a full path begins with, with a backslash at its end.
fn root_part(path: &[u16]) -> Vec<u16> {
    if path.get(1) == Some(&COLON) {
        return alloc::vec![path[0], COLON, BACKSLASH];
    }
    // `\\server\share\`.
    let mut separators = 0;
    let end = path.iter().position(|&unit| {
        separators += usize::from(unit == BACKSLASH);
        separators == 4
    });
    let mut root = path[..end.unwrap_or(path.len())].to_vec();
    root.push(BACKSLASH);
    root
}

fn open_root(name: &[u16]) -> Win<OwnedHandle> {
    let root = root_of(name)?;
    let how = options::DIRECTORY_FILE
        | options::OPEN_FOR_BACKUP_INTENT
        | options::OPEN_FOR_FREE_SPACE_QUERY;
    files::open(root.ptr(), rights::READ_DATA, how)
        .or_else(|_| files::open(root.ptr(), rights::READ_ATTRIBUTES, how))
}

fn drive_type(name: &[u16]) -> u32 {
    let Ok(root) = open_root(name) else {
        return NO_ROOT;
    };
    let Ok(device) = query_volume::<FileFsDeviceInformation>(root.0, volume_class::DEVICE) else {
        return UNKNOWN;
    };
    /// `FILE_REMOVABLE_MEDIA`, `FILE_REMOTE_DEVICE`.
    const REMOVABLE_MEDIA: u32 = 0x1;
    const REMOTE_DEVICE: u32 = 0x10;
    match device.device_type {
        0x14 => REMOTE,
        0x02 | 0x03 => CD_ROM,
        0x24 => RAM_DISK,
        0x07 | 0x08 if device.characteristics & REMOTE_DEVICE != 0 => REMOTE,
        0x07 | 0x08 if device.characteristics & REMOVABLE_MEDIA != 0 => REMOVABLE,
        0x07 | 0x08 => FIXED,
        _ => UNKNOWN,
    }
}

/// A structure of a volume with text behind it.
fn with_text(file: Handle, class: u32) -> Win<Vec<u64>> {
    let mut room = wide::room::<u64>(0x100)?;
    let mut outcome = IoStatusBlock::default();
    let length = u32::try_from(room.len() * 8).unwrap_or(u32::MAX);
    let place = wide::place(&mut room);
    check(NtQueryVolumeInformationFile(
        file,
        &mut outcome,
        place,
        length,
        FsInformationClass(class),
    ))?;
    Ok(room)
}

/// What is told of a volume.
struct VolumeInformation {
    label: Vec<u16>,
    serial: u32,
    longest: u32,
    flags: u32,
    file_system: Vec<u16>,
}

fn volume_information(file: Handle) -> Win<VolumeInformation> {
    let mut volume = with_text(file, volume_class::VOLUME)?;
    let volume = wide::place(&mut volume).cast::<FileFsVolumeInformation>();
    let about = volume.read();
    let text = |place: Ptr<u8>, bytes: u32| place.cast::<u16>().slice(bytes as usize / 2).to_vec();
    let label = text(
        volume.cast::<u8>().byte_add(VOLUME_LABEL),
        about.label_length,
    );
    let mut system = with_text(file, volume_class::ATTRIBUTE)?;
    let system = wide::place(&mut system).cast::<FileFsAttributeInformation>();
    let attributes = system.read();
    let name = system
        .cast::<u8>()
        .byte_add(size_of::<FileFsAttributeInformation>());
    Ok(VolumeInformation {
        label,
        serial: about.serial_number,
        longest: attributes.maximum_component_length,
        flags: attributes.attributes,
        file_system: text(name, attributes.name_length),
    })
}

/// Where `GetVolumeInformation` puts what.
struct Wanted {
    serial: Ptr<u32>,
    longest: Ptr<u32>,
    flags: Ptr<u32>,
}

impl Wanted {
    fn give(&self, found: &VolumeInformation) {
        self.serial.write_optional(found.serial);
        self.longest.write_optional(found.longest);
        self.flags.write_optional(found.flags);
    }
}

/// Text that a caller wants if he gives room, which then has to be enough.
fn fits(told: u32, capacity: u32, wanted: bool) -> Win {
    if wanted && told >= capacity {
        return Err(Error::INSUFFICIENT_BUFFER);
    }
    Ok(())
}

fn give_volume(
    found: &VolumeInformation,
    wanted: &Wanted,
    label: (Ptr<u16>, u32),
    system: (Ptr<u16>, u32),
) -> Win {
    wanted.give(found);
    fits(
        wide::give(&found.label, label.0, label.1),
        label.1,
        !label.0.is_null(),
    )?;
    fits(
        wide::give(&found.file_system, system.0, system.1),
        system.1,
        !system.0.is_null(),
    )
}

fn give_volume_ansi(
    found: &VolumeInformation,
    wanted: &Wanted,
    label: (Ptr<u8>, u32),
    system: (Ptr<u8>, u32),
) -> Win {
    wanted.give(found);
    fits(
        wide::give_ansi(&found.label, label.0, label.1),
        label.1,
        !label.0.is_null(),
    )?;
    fits(
        wide::give_ansi(&found.file_system, system.0, system.1),
        system.1,
        !system.0.is_null(),
    )
}

/// Sectors of a unit, bytes of a sector, free units, all units.
fn disk_space(root: &[u16]) -> Win<[u32; 4]> {
    let space = full_space(root)?;
    // Programs of old count in 32 bits.
    let small = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok([
        space.sectors_per_unit,
        space.bytes_per_sector,
        small(space.caller_available_units),
        small(space.total_units),
    ])
}

fn full_space(root: &[u16]) -> Win<FileFsFullSizeInformation> {
    let file = open_root(root)?;
    query_volume(file.0, volume_class::FULL_SIZE)
}

fn give_space(root: &[u16], [available, total, free]: [Ptr<u64>; 3]) -> Win {
    let space = full_space(root)?;
    let unit = u64::from(space.sectors_per_unit) * u64::from(space.bytes_per_sector);
    let bytes = |units: i64| units.cast_unsigned().saturating_mul(unit);
    available.write_optional(bytes(space.caller_available_units));
    total.write_optional(bytes(space.total_units));
    free.write_optional(bytes(space.actual_available_units));
    Ok(())
}

fn set_label(root: &[u16], label: &[u16]) -> Win {
    /// `FILE_WRITE_DATA`.
    const WRITE_DATA: u32 = 2;
    let root = root_of(root)?;
    let file = files::open(root.ptr(), WRITE_DATA, options::OPEN_FOR_BACKUP_INTENT)?;
    let bytes = label.len() * 2;
    let mut room = wide::room::<u32>(1 + label.len().div_ceil(2))?;
    let place = wide::place(&mut room);
    place.write(u32::try_from(bytes).map_err(|_| Error::INVALID_PARAMETER)?);
    place.add(1).cast::<u16>().write_array(label);
    let mut outcome = IoStatusBlock::default();
    let length = u32::try_from(bytes + 4).unwrap_or(u32::MAX);
    check(NtSetVolumeInformationFile(
        file.0,
        &mut outcome,
        place,
        length,
        FsInformationClass(volume_class::LABEL),
    ))
}

exports! {
    /// The drives that there are, a bit each.
    fn GetLogicalDrives() -> u32 {
        answer(drives().map(|(map, _)| map), 0)
    }

    /// The roots of all drives, each terminated: the count, or the room they need.
    fn GetLogicalDriveStringsW(capacity: u32, into: Ptr<u16>) -> u32 {
        wide::give(&drive_strings(), into, capacity)
    }

    /// The roots of all drives, each terminated: the count, or the room they need.
    fn GetLogicalDriveStringsA(capacity: u32, into: Ptr<u8>) -> u32 {
        wide::give_ansi(&drive_strings(), into, capacity)
    }

    /// What kind of drive a root is of (`DRIVE_*`).
    fn GetDriveTypeW(root: Ptr<u16>) -> u32 {
        drive_type(wide::units(root))
    }

    /// What kind of drive a root is of (`DRIVE_*`).
    fn GetDriveTypeA(root: Ptr<u8>) -> u32 {
        Wide::from_ansi(root).map_or(UNKNOWN, |root| drive_type(root.units()))
    }

    /// What a device of DOS stands for, or the names of all; the count, 0 if it fails.
    fn QueryDosDeviceW(name: Ptr<u16>, into: Ptr<u16>, capacity: u32) -> u32 {
        let list = match name.non_null() {
            None => all_devices(),
            Some(name) => target_of(wide::units(name)).map(|mut target| {
                target.extend([0, 0]);
                target
            }),
        };
        give_list(list, into, capacity)
    }

    /// What a device of DOS stands for, or the names of all; the count, 0 if it fails.
    fn QueryDosDeviceA(name: Ptr<u8>, into: Ptr<u8>, capacity: u32) -> u32 {
        let list = Wide::from_ansi(name).and_then(|text| match name.non_null() {
            None => all_devices(),
            Some(_) => target_of(text.units()).map(|mut target| {
                target.extend([0, 0]);
                target
            }),
        });
        answer(list.and_then(|list| {
            if wide::ansi_length(&list) > capacity as usize {
                return Err(Error::INSUFFICIENT_BUFFER);
            }
            wide::to_ansi(&list, into.slice_mut(capacity as usize)).map(|count| u32::try_from(count).unwrap_or(0))
        }), 0)
    }

    /// What a volume is: its label, number, longest names, abilities, and its file system's name.
    fn GetVolumeInformationW(
        root: Ptr<u16>, label: Ptr<u16>, label_capacity: u32, serial: Ptr<u32>, longest: Ptr<u32>, flags: Ptr<u32>,
        system: Ptr<u16>, system_capacity: u32,
    ) -> Bool {
        let given = open_root(wide::units(root)).and_then(|file| volume_information(file.0)).and_then(|found| {
            give_volume(&found, &Wanted { serial, longest, flags }, (label, label_capacity), (system, system_capacity))
        });
        truth(given)
    }

    /// What a volume is: its label, number, longest names, abilities, and its file system's name.
    fn GetVolumeInformationA(
        root: Ptr<u8>, label: Ptr<u8>, label_capacity: u32, serial: Ptr<u32>, longest: Ptr<u32>, flags: Ptr<u32>,
        system: Ptr<u8>, system_capacity: u32,
    ) -> Bool {
        let given = Wide::from_ansi(root).and_then(|root| {
            let file = open_root(root.units())?;
            let found = volume_information(file.0)?;
            give_volume_ansi(&found, &Wanted { serial, longest, flags }, (label, label_capacity), (system, system_capacity))
        });
        truth(given)
    }

    /// What the volume of an open file is.
    fn GetVolumeInformationByHandleW(
        file: Handle, label: Ptr<u16>, label_capacity: u32, serial: Ptr<u32>, longest: Ptr<u32>, flags: Ptr<u32>,
        system: Ptr<u16>, system_capacity: u32,
    ) -> Bool {
        let given = volume_information(file).and_then(|found| {
            give_volume(&found, &Wanted { serial, longest, flags }, (label, label_capacity), (system, system_capacity))
        });
        truth(given)
    }

    /// The room on a volume: sectors of a unit, bytes of a sector, free units, all units.
    fn GetDiskFreeSpaceW(root: Ptr<u16>, sectors: Ptr<u32>, bytes: Ptr<u32>, free: Ptr<u32>, total: Ptr<u32>) -> Bool {
        truth(disk_space(wide::units(root)).map(|space| {
            for (place, number) in [sectors, bytes, free, total].into_iter().zip(space) {
                place.write_optional(number);
            }
        }))
    }

    /// The room on a volume: sectors of a unit, bytes of a sector, free units, all units.
    fn GetDiskFreeSpaceA(root: Ptr<u8>, sectors: Ptr<u32>, bytes: Ptr<u32>, free: Ptr<u32>, total: Ptr<u32>) -> Bool {
        let root = Wide::from_ansi(root).unwrap_or_default();
        GetDiskFreeSpaceW(root.ptr(), sectors, bytes, free, total)
    }

    /// The room on a volume, in bytes: for the caller, all, free.
    fn GetDiskFreeSpaceExW(root: Ptr<u16>, available: Ptr<u64>, total: Ptr<u64>, free: Ptr<u64>) -> Bool {
        truth(give_space(wide::units(root), [available, total, free]))
    }

    /// The room on a volume, in bytes: for the caller, all, free.
    fn GetDiskFreeSpaceExA(root: Ptr<u8>, available: Ptr<u64>, total: Ptr<u64>, free: Ptr<u64>) -> Bool {
        let root = Wide::from_ansi(root).unwrap_or_default();
        GetDiskFreeSpaceExW(root.ptr(), available, total, free)
    }

    /// The root of the volume that a path is on: no volume is mounted in a directory.
    fn GetVolumePathNameW(name: Ptr<u16>, into: Ptr<u16>, capacity: u32) -> Bool {
        let root = Wide::from_units(wide::units(name)).and_then(|name| paths::full_path(&name));
        truth(root.and_then(|path| {
            fits(wide::give(&root_part(&path), into, capacity), capacity, true).map_err(|_| Error::FILENAME_EXCED_RANGE)
        }))
    }

    /// The root of the volume that a path is on: no volume is mounted in a directory.
    fn GetVolumePathNameA(name: Ptr<u8>, into: Ptr<u8>, capacity: u32) -> Bool {
        let root = Wide::from_ansi(name).and_then(|name| paths::full_path(&name));
        truth(root.and_then(|path| {
            fits(wide::give_ansi(&root_part(&path), into, capacity), capacity, true).map_err(|_| Error::FILENAME_EXCED_RANGE)
        }))
    }

    /// Sets the label of a volume.
    fn SetVolumeLabelW(root: Ptr<u16>, label: Ptr<u16>) -> Bool {
        truth(set_label(wide::units(root), wide::units(label)))
    }

    /// Sets the label of a volume.
    fn SetVolumeLabelA(root: Ptr<u8>, label: Ptr<u8>) -> Bool {
        truth(Wide::from_ansi(root).and_then(|root| {
            let label = Wide::from_ansi(label)?;
            set_label(root.units(), label.units())
        }))
    }
}
