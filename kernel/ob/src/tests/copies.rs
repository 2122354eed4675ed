//! Handles from handles: duplicates, what a child inherits, and objects of which there is one process's alone.

use core::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::Arc;

use super::handles::{REFUSES, WatchedBody, caller_of, log, same};
use super::*;
use crate::handle_table::{Duplicate, DuplicateOptions};

#[test]
fn rights_and_attributes_of_a_duplicate() {
    let world = world();
    let (source, _) = world
        .create_at(EventBody, Handle::NULL, None, Attributes::INHERIT)
        .expect("memory");
    let modify = AccessMask::EVENT_MODIFY_STATE;
    let read = EVENT.mapping().generic_read;
    let plain = DuplicateOptions::empty();
    let attributes = DuplicateOptions::SAME_ATTRIBUTES;
    let none = HandleAttributes::empty();
    let inherit = HandleAttributes::INHERIT;
    let rows = [
        (plain, modify, none, modify, none),
        (plain, AccessMask::GENERIC_READ, inherit, read, inherit),
        (attributes, modify, none, modify, inherit),
        (
            DuplicateOptions::SAME_ACCESS,
            modify,
            none,
            AccessMask::EVENT_ALL_ACCESS,
            none,
        ),
        (plain, AccessMask::NONE, none, AccessMask::NONE, none),
        (plain, AccessMask(0x8000) | modify, none, modify, none),
    ];
    for (options, access, wanted, granted, expected) in rows {
        let copy = Duplicate {
            options,
            access,
            attributes: wanted,
            ..same(&world.table, source)
        };
        let copy = copy.perform().expect("memory").expect("a target");
        let entry = world.caller().entry(copy).expect("open");
        assert_eq!(
            (entry.granted, entry.attributes),
            (granted, expected),
            "{options:?} {access:?}"
        );
    }
    let nowhere = Duplicate {
        target: None,
        ..same(&world.table, source)
    };
    assert_eq!(nowhere.perform(), Err(NtStatus::INVALID_PARAMETER));
    let closed = Duplicate {
        options: DuplicateOptions::CLOSE_SOURCE,
        ..nowhere
    };
    assert_eq!(closed.perform(), Ok(None));
    assert_eq!(closed.perform(), Err(NtStatus::INVALID_HANDLE));
}

#[test]
fn a_child_has_the_inheritable_handles_at_the_same_numbers() {
    let world = world();
    let mut inheritable = Vec::new();
    for number in 0..600 {
        let (attributes, inherits) = match number % 3 {
            0 => (Attributes::INHERIT, true),
            _ => (NONE, false),
        };
        let (handle, _) = world
            .create_at(EventBody, Handle::NULL, None, attributes)
            .expect("memory");
        if inherits {
            inheritable.push(handle);
        }
    }
    let drops = Arc::new(AtomicU32::new(0));
    world
        .create_at(WatchedBody(drops), Handle::NULL, None, Attributes::INHERIT)
        .expect("memory");
    let child = HandleTable::new(16, None);
    REFUSES.store(true, SeqCst);
    let inherited = child.inherit(&world.table, |_| true);
    REFUSES.store(false, SeqCst);
    assert_eq!(inherited, Ok(()));
    let mut found = Vec::new();
    let mut after = Handle::NULL;
    while let Some((handle, entry)) = child.next_after(after) {
        let parents = world.caller().entry(handle).expect("open");
        assert!(entry.object.same(&parents.object));
        assert_eq!(
            (entry.granted, entry.attributes),
            (parents.granted, parents.attributes)
        );
        assert_eq!(entry.object.head().handle_count(), 2);
        found.push(handle);
        after = handle;
    }
    assert_eq!(found, inheritable, "the type refused the last one");
    let grandchild = HandleTable::new(20, None);
    let wanted = inheritable[7];
    grandchild
        .inherit(&child, |handle| handle == wanted)
        .expect("memory");
    assert_eq!(grandchild.len(), 1);
    assert!(grandchild.entry(wanted).is_ok());
    drop((child, grandchild));
    let entry = world.caller().entry(wanted).expect("open");
    assert_eq!(entry.object.head().handle_count(), 1);
    log();
}

#[test]
fn an_exclusive_object_has_one_process() {
    let world = world();
    let other = HandleTable::new(12, None);
    let exclusive = Attributes::EXCLUSIVE;
    let name = r"\BaseNamedObjects\mine";
    let (handle, _) = world
        .create_at(EventBody, Handle::NULL, Some(name), exclusive)
        .expect("new");
    let open = |caller: &Caller<'_>, attributes| {
        let name = text(name);
        let parameters = OpenParameters {
            name: Some(name.as_str()),
            root: Root::Namespace,
            attributes,
            kind: Some(&EVENT),
            access: AccessMask::GENERIC_READ,
            subject: Subject::kernel(),
        };
        open_by_name(caller, &parameters, None)
    };
    let (own, others) = (world.caller(), caller_of(&other));
    let denied = Err(NtStatus::ACCESS_DENIED);
    let wrong = Err(NtStatus::INVALID_PARAMETER);
    assert_eq!(open(&own, NONE), denied, "who has it must want it so again");
    assert_eq!(open(&others, NONE), denied);
    assert_eq!(open(&others, exclusive), denied);
    assert_eq!(open(&own, exclusive | Attributes::INHERIT), wrong);
    let second = open(&own, exclusive).expect("its own");
    world.close(handle);
    assert_eq!(open(&others, exclusive), denied);
    let kept = world.caller().entry(second).expect("open").object;
    world.close(second);
    let pointer = |attributes| {
        let access = AccessMask::GENERIC_READ;
        open_by_pointer(&others, &kept, attributes, access, None, Subject::kernel())
    };
    let taken = pointer(exclusive).expect("nobody has it");
    assert_eq!(pointer(NONE), denied);
    others.close(taken).expect("open");
    let shared = pointer(NONE).expect("nobody has it");
    assert_eq!(pointer(exclusive), denied, "somebody has it");
    others.close(shared).expect("open");
    let plain = world
        .create(EventBody, r"\BaseNamedObjects\all")
        .expect("new");
    let plain = world.caller().entry(plain).expect("open").object;
    let result = open_by_pointer(
        &own,
        &plain,
        exclusive,
        AccessMask::NONE,
        None,
        Subject::kernel(),
    );
    assert_eq!(result, wrong, "it is not exclusive");
}
