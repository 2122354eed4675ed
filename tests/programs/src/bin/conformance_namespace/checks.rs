//! The checks of this program that stand alone, and what all of them share.

use nt_abi::access::AccessMask;
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::services::arguments::EventType;
use nt_abi::w64::{ObjectDirectoryInformation, UnicodeString};
use test_programs::buffer::Buffer;
use test_programs::check::{Failed, Outcome};
use test_programs::names::{Named, Wide};
use test_programs::services::*;
use test_programs::{expect, holds, status};

mod links;

use links::{
    a_link_is_made_read_and_followed, a_long_chain_of_shadows_ends,
    a_name_may_begin_at_a_directory, a_second_directory_shows_behind_the_first,
    an_exclusive_object_has_one_owner, links_refuse_what_is_wrong,
};

test_programs::list_of_checks! {
    the_directories_of_windows_are_there,
    names_that_are_wrong_are_refused,
    a_directory_is_listed_entry_by_entry,
    a_directory_is_listed_at_once,
    a_link_is_made_read_and_followed,
    links_refuse_what_is_wrong,
    a_name_may_begin_at_a_directory,
    a_second_directory_shows_behind_the_first,
    a_long_chain_of_shadows_ends,
    an_exclusive_object_has_one_owner,
}

const DIRECTORY: AccessMask = AccessMask::DIRECTORY_ALL_ACCESS;
const LINK: AccessMask = AccessMask::SYMBOLIC_LINK_ALL_ACCESS;
const EVENT: AccessMask = AccessMask::EVENT_ALL_ACCESS;
const KERNEL: Address = Address(0xFFFF_8000_0000_0000);
const NOTIFICATION: EventType = EventType(0);
/// The bytes of an entry's head.
const HEAD: u32 = 0x20;

fn open_directory(path: &str) -> Result<u64, Failed> {
    let mut handle = 0u64;
    let mut name = Named::new(path);
    status!(NtOpenDirectoryObject(
        &mut handle,
        AccessMask::DIRECTORY_QUERY,
        name.get()
    ));
    Ok(handle)
}

fn directory(path: &str) -> Result<u64, Failed> {
    let mut handle = 0u64;
    let mut name = Named::new(path);
    status!(NtCreateDirectoryObject(&mut handle, DIRECTORY, name.get()));
    Ok(handle)
}

fn event(path: &str, root: u64) -> Result<u64, Failed> {
    let mut handle = 0u64;
    let mut name = Named::new(path).under(root);
    status!(NtCreateEvent(
        &mut handle,
        EVENT,
        name.get(),
        NOTIFICATION,
        false
    ));
    Ok(handle)
}

/// Whether a directory has an entry of that name and type.
fn lists(directory: u64, name: &str, kind: &str) -> Result<bool, Failed> {
    let (mut answer, mut context, mut length) = (Buffer::<512>::new(), 0u32, 0u32);
    let mut restart = true;
    loop {
        let next = NtQueryDirectoryObject(
            directory,
            &mut answer.0,
            512u32,
            true,
            restart,
            &mut context,
            &mut length,
        );
        restart = false;
        if next == nt_abi::NtStatus::NO_MORE_ENTRIES {
            return Ok(false);
        }
        status!(next);
        let entry: ObjectDirectoryInformation = answer.at(0);
        if answer.says(&entry.name, name) {
            holds!(answer.says(&entry.type_name, kind));
            return Ok(true);
        }
    }
}

fn the_directories_of_windows_are_there() -> Outcome {
    let root = open_directory("\\")?;
    for name in [
        "BaseNamedObjects",
        "Device",
        "GLOBAL??",
        "KnownDlls",
        "KnownDlls32",
        "ObjectTypes",
        "Sessions",
        "RPC Control",
        "Windows",
    ] {
        expect!((name, lists(root, name, "Directory")?), (name, true));
    }
    holds!(lists(root, "DosDevices", "SymbolicLink")?);
    holds!(!lists(root, "Nowhere", "")?);
    status!(NtClose(root));
    for path in [
        "\\??",
        "\\Device",
        "\\KnownDlls32",
        "\\BaseNamedObjects",
        "\\DosDevices",
    ] {
        status!(NtClose(open_directory(path)?));
    }
    let types = open_directory("\\ObjectTypes")?;
    for name in ["Type", "Directory", "Event", "Token", "Process"] {
        expect!((name, lists(types, name, "Type")?), (name, true));
    }
    status!(NtClose(types));
    let objects = open_directory("\\BaseNamedObjects")?;
    for name in ["Global", "Local", "Session"] {
        holds!(lists(objects, name, "SymbolicLink")?);
    }
    holds!(lists(objects, "Restricted", "Directory")?);
    status!(NtClose(objects));
    let devices = open_directory("\\GLOBAL??")?;
    holds!(lists(devices, "GLOBALROOT", "SymbolicLink")?);
    status!(NtClose(devices));
    Ok(())
}

fn names_that_are_wrong_are_refused() -> Outcome {
    let mut handle = 0u64;
    let mut open = |path: &str| {
        let mut name = Named::new(path);
        NtOpenDirectoryObject(&mut handle, AccessMask::DIRECTORY_QUERY, name.get())
    };
    status!(open("\\Nowhere"), OBJECT_NAME_NOT_FOUND);
    status!(open("\\Nowhere\\Further"), OBJECT_PATH_NOT_FOUND);
    status!(open("Device"), OBJECT_PATH_SYNTAX_BAD);
    status!(open(""), OBJECT_PATH_SYNTAX_BAD);
    status!(open("\\Device\\"), OBJECT_NAME_INVALID);
    status!(open("\\\\Device"), OBJECT_NAME_INVALID);
    status!(open("\\ObjectTypes\\Event"), OBJECT_TYPE_MISMATCH);
    status!(open("\\device"), OBJECT_NAME_NOT_FOUND);
    let query = AccessMask::DIRECTORY_QUERY;
    let mut name = Named::new("\\device").flags(ObjectAttributeFlags::CASE_INSENSITIVE);
    status!(NtOpenDirectoryObject(&mut handle, query, name.get()));
    status!(NtClose(handle));
    status!(
        NtOpenDirectoryObject(&mut handle, query, NULL),
        INVALID_PARAMETER
    );
    status!(
        NtOpenDirectoryObject(&mut handle, query, KERNEL),
        ACCESS_VIOLATION
    );
    status!(
        NtOpenDirectoryObject(NULL, query, name.get()),
        ACCESS_VIOLATION
    );
    status!(
        NtOpenDirectoryObject(KERNEL, query, name.get()),
        ACCESS_VIOLATION
    );
    status!(NtCreateDirectoryObject(NULL, query, NULL), ACCESS_VIOLATION);
    status!(NtCreateDirectoryObject(&mut handle, query, NULL));
    status!(NtClose(handle));
    name.get().length = 47;
    status!(
        NtOpenDirectoryObject(&mut handle, query, name.get()),
        INVALID_PARAMETER
    );
    let mut there = Named::new("\\BaseNamedObjects");
    status!(
        NtCreateDirectoryObject(&mut handle, DIRECTORY, there.get()),
        OBJECT_NAME_COLLISION
    );
    let mut there = there.flags(ObjectAttributeFlags::OPENIF);
    status!(
        NtCreateDirectoryObject(&mut handle, DIRECTORY, there.get()),
        OBJECT_NAME_EXISTS
    );
    status!(NtClose(handle));
    Ok(())
}

fn a_directory_is_listed_entry_by_entry() -> Outcome {
    let directory = directory("\\BaseNamedObjects\\One")?;
    let (mut answer, mut context, mut length) = (Buffer::<256>::new(), 7u32, 0u32);
    let mut query = |buffer: &mut [u8], room: u32, single: bool, restart: bool| {
        let status = NtQueryDirectoryObject(
            directory,
            buffer,
            room,
            single,
            restart,
            &mut context,
            &mut length,
        );
        (status, context, length)
    };
    let (status, context, _) = query(&mut answer.0, 256, true, true);
    status!(status, NO_MORE_ENTRIES);
    expect!(context, 7);
    let event = event("\\BaseNamedObjects\\One\\Event1", 0)?;
    let needed = 2 * HEAD + 2 * ("Event1".len() + 1 + "Event".len() + 1) as u32;
    let (status, context, length) = query(&mut answer.0, needed - 1, true, true);
    status!(status, BUFFER_TOO_SMALL);
    expect!((context, length), (7, needed));
    let (status, context, length) = query(&mut answer.0, needed, true, true);
    status!(status);
    expect!((context, length), (1, needed));
    let entry: ObjectDirectoryInformation = answer.at(0);
    holds!(answer.says(&entry.name, "Event1"));
    holds!(answer.says(&entry.type_name, "Event"));
    expect!(answer.at::<[u64; 4]>(HEAD as usize), [0; 4]);
    let (status, context, _) = query(&mut answer.0, 256, true, false);
    status!(status, NO_MORE_ENTRIES);
    expect!(context, 1);
    status!(NtClose(event));
    status!(
        NtQueryDirectoryObject(directory, &mut answer.0, 256u32, true, true, NULL, NULL),
        ACCESS_VIOLATION
    );
    let mut number = 0u32;
    status!(
        NtQueryDirectoryObject(directory, KERNEL, 256u32, true, true, &mut number, NULL),
        ACCESS_VIOLATION,
    );
    status!(
        NtQueryDirectoryObject(0u64, &mut answer.0, 256u32, true, true, &mut number, NULL),
        INVALID_HANDLE
    );
    status!(NtClose(directory));
    Ok(())
}

fn a_directory_is_listed_at_once() -> Outcome {
    let directory = directory("\\BaseNamedObjects\\Many")?;
    let events = [
        event("a", directory)?,
        event("b", directory)?,
        event("c", directory)?,
    ];
    let (mut answer, mut context, mut length) = (Buffer::<512>::new(), 0u32, 0u32);
    let each = HEAD + 2 * (1 + 1 + "Event".len() + 1) as u32;
    let mut query = |answer: &mut Buffer<512>, room: u32, restart: bool| {
        let status = NtQueryDirectoryObject(
            directory,
            &mut answer.0,
            room,
            false,
            restart,
            &mut context,
            &mut length,
        );
        (status, context, length)
    };
    let (status, context, length) = query(&mut answer, 512, true);
    status!(status);
    expect!((context, length), (3, HEAD + 3 * each));
    let mut seen = 0;
    for index in 0..3 {
        let entry: ObjectDirectoryInformation = answer.at(index * HEAD as usize);
        for (bit, name) in ["a", "b", "c"].into_iter().enumerate() {
            seen |= u32::from(answer.says(&entry.name, name)) << bit;
        }
    }
    expect!(seen, 7);
    // Room for two: the third comes next.
    let (status, context, _) = query(&mut answer, HEAD + 2 * each, true);
    status!(status, MORE_ENTRIES);
    expect!(context, 2);
    let (status, context, _) = query(&mut answer, 512, false);
    status!(status);
    expect!(context, 3);
    let (status, _, _) = query(&mut answer, 512, false);
    status!(status, NO_MORE_ENTRIES);
    for handle in events {
        status!(NtClose(handle));
    }
    status!(NtClose(directory));
    Ok(())
}
