//! Handle tables: statuses, protection, counts, a million handles.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::Arc;
use std::sync::Mutex;

use super::*;
use crate::handle_table::{Duplicate, DuplicateOptions};
use crate::object_type::Procedures;

/// A type that is counted by process, and tells what happens to it.
pub(super) static WATCHED: ObjectType = ObjectType::new(TypeDescription {
    name: "Watched",
    valid_access: AccessMask::EVENT_ALL_ACCESS,
    counts_per_process: true,
    procedures: Procedures {
        open: Some(|operation| {
            if REFUSES.load(SeqCst) {
                return Err(NtStatus::ACCESS_DENIED);
            }
            LOG.lock().expect("no panic here").push((
                "open",
                operation.process,
                operation.process_handles,
                0,
            ));
            Ok(operation.granted - AccessMask::WRITE_DAC)
        }),
        close: Some(|operation| {
            LOG.lock().expect("no panic here").push((
                "close",
                operation.process,
                operation.process_handles,
                operation.system_handles,
            ));
        }),
        okay_to_close: Some(|_, _, _| MAY_CLOSE.load(SeqCst)),
        ..Procedures::NONE
    },
    ..TypeDescription::PLAIN
});

pub(super) static REFUSES: AtomicBool = AtomicBool::new(false);
static MAY_CLOSE: AtomicBool = AtomicBool::new(true);
/// What happened: process, its handles, all handles.
static LOG: Mutex<Vec<(&str, u32, u32, u32)>> = Mutex::new(Vec::new());

pub(super) fn log() -> Vec<(&'static str, u32, u32, u32)> {
    std::mem::take(&mut *LOG.lock().expect("no panic here"))
}

/// Its `Drop` counts.
pub(super) struct WatchedBody(pub(super) Arc<AtomicU32>);

impl ObjectBody for WatchedBody {
    fn kind() -> &'static ObjectType {
        &WATCHED
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

pub(super) fn caller_of(table: &HandleTable) -> Caller<'_> {
    Caller {
        table,
        mode: Mode::User,
        process: None,
        thread: None,
    }
}

/// A duplication within a table, with the same rights and attributes.
pub(super) fn same<'a>(table: &'a HandleTable, handle: Handle) -> Duplicate<'a> {
    Duplicate {
        source: caller_of(table),
        handle,
        target: Some(table),
        access: AccessMask::NONE,
        attributes: HandleAttributes::empty(),
        options: DuplicateOptions::SAME_ACCESS | DuplicateOptions::SAME_ATTRIBUTES,
        subject: Some(Subject::kernel()),
    }
}

#[test]
fn what_a_handle_is_refused_for() {
    let world = world();
    let event = world.create(EventBody, "").expect("memory");
    let all = AccessMask::EVENT_ALL_ACCESS;
    let weak = same(&world.table, event);
    let weak = Duplicate {
        access: AccessMask::EVENT_QUERY_STATE,
        options: DuplicateOptions::empty(),
        ..weak
    };
    let weak = weak.perform().expect("fewer rights").expect("a target");
    let query = AccessMask::EVENT_QUERY_STATE;
    let invalid = Err(NtStatus::INVALID_HANDLE);
    let mismatch = Err(NtStatus::OBJECT_TYPE_MISMATCH);
    let denied = Err(NtStatus::ACCESS_DENIED);
    let rows = [
        (event, all, Some(&EVENT), Mode::User, Ok(())),
        (event, all, None, Mode::User, Ok(())),
        (Handle(event.0 + 3), all, None, Mode::User, Ok(())),
        (Handle::NULL, all, None, Mode::User, invalid),
        (Handle(0x1000), all, None, Mode::User, invalid),
        (Handle(0xDEAD_BEEF), all, None, Mode::User, invalid),
        (Handle(1 << 32 | event.0), all, None, Mode::User, invalid),
        (Handle(u64::MAX), all, None, Mode::User, invalid),
        (Handle::of_kernel(4), all, None, Mode::User, invalid),
        (
            Handle::of_kernel(0x7FFF_0000),
            all,
            None,
            Mode::Kernel,
            invalid,
        ),
        (event, all, Some(&MUTANT), Mode::User, mismatch),
        (weak, all, Some(&MUTANT), Mode::User, mismatch),
        (weak, all, Some(&EVENT), Mode::User, denied),
        (weak, all, Some(&EVENT), Mode::Kernel, Ok(())),
        (weak, query, Some(&EVENT), Mode::User, Ok(())),
    ];
    for (handle, access, kind, mode, expected) in rows {
        let caller = world.caller().in_mode(mode);
        let found = caller.reference(handle, access, kind);
        assert_eq!(found.map(drop), expected, "{handle:?} {access:?} {mode:?}");
    }
    let body = world.caller().reference_by_handle::<EventBody>(event, all);
    assert!(body.is_ok());
    assert_eq!(world.caller().close(Handle(0x1000)), invalid);
    assert_eq!(world.caller().close(Handle::of_kernel(4)), invalid);
}

#[test]
fn a_handle_is_withdrawn_as_long_as_it_is_to_the_same_object() {
    let world = world();
    let all = AccessMask::EVENT_ALL_ACCESS;
    let first = world.create(EventBody, "").expect("memory");
    let caller = world.caller();
    let object = caller.reference_by_handle::<EventBody>(first, all);
    let object = object.expect("it is there");
    // Another thread closed it, and has another object under its number.
    assert_eq!(caller.close(first), Ok(()));
    let second = world.create(EventBody, "").expect("memory");
    assert_eq!(second, first);
    world.table.withdraw(first, &object);
    let other = caller.reference_by_handle::<EventBody>(second, all);
    let other = other.expect("it stays");
    // Another thread protected it.
    let protected = HandleAttributes::PROTECT_FROM_CLOSE;
    assert_eq!(world.table.set_information(second, protected), Ok(()));
    world.table.withdraw(second, &other);
    let found = caller.reference(second, all, None);
    assert_eq!(found.map(drop), Err(NtStatus::INVALID_HANDLE));
    world.table.withdraw(Handle::CURRENT_PROCESS, &other);
}

#[test]
fn pseudo_handles_name_process_and_thread() {
    let world = world();
    let process = create(EventBody, &CreateParameters::KERNEL).expect("memory");
    let process = Object::erase(process.into_object());
    let caller = Caller {
        process: Some(&process),
        ..world.caller()
    };
    let all = AccessMask::EVENT_ALL_ACCESS;
    let found = caller.reference(Handle::CURRENT_PROCESS, all, Some(&EVENT));
    assert!(found.expect("it is meant").same(&process));
    assert_eq!(
        caller
            .reference(Handle::CURRENT_PROCESS, all, Some(&MUTANT))
            .map(drop),
        Err(NtStatus::OBJECT_TYPE_MISMATCH)
    );
    assert_eq!(
        caller
            .reference(Handle::CURRENT_THREAD, all, None)
            .map(drop),
        Err(NtStatus::INVALID_HANDLE)
    );
    assert_eq!(
        caller.close(Handle::CURRENT_PROCESS),
        Err(NtStatus::INVALID_HANDLE)
    );
    let copy = Duplicate {
        source: caller,
        ..same(&world.table, Handle::CURRENT_PROCESS)
    };
    let copy = copy.perform().expect("memory").expect("a target");
    assert!(
        world
            .caller()
            .entry(copy)
            .expect("open")
            .object
            .same(&process)
    );
    assert_eq!(Handle::from_32(u32::MAX), Handle::CURRENT_PROCESS);
    assert_eq!(Handle::CURRENT_THREAD.to_32(), u32::MAX - 1);
}

#[test]
fn kernel_handles_are_not_for_programs() {
    let world = world();
    let created = create(
        EventBody,
        &CreateParameters {
            attributes: Attributes::KERNEL_HANDLE,
            ..CreateParameters::KERNEL
        },
    )
    .expect("memory");
    let kernel = world.caller().in_mode(Mode::Kernel);
    let handle = created.into_handle(&kernel).expect("memory");
    assert!(handle.is_kernel());
    assert!(world.table.is_empty());
    assert!(kernel.reference(handle, AccessMask::NONE, None).is_ok());
    let user = world.caller().reference(handle, AccessMask::NONE, None);
    assert_eq!(user.map(drop), Err(NtStatus::INVALID_HANDLE));
    assert_eq!(world.caller().close(handle), Err(NtStatus::INVALID_HANDLE));
    let (next, entry) = kernel_handles()
        .next_after(Handle::NULL)
        .expect("it is there");
    assert_eq!(next, handle);
    assert!(kernel_handles().next_after(next).is_none());
    drop(entry);
    assert_eq!(Caller::kernel().close(handle), Ok(()));
}

#[test]
fn a_protected_handle_is_not_closed() {
    let world = world();
    let attributes = Attributes::PROTECT_CLOSE | Attributes::INHERIT;
    let (handle, _) = world
        .create_at(EventBody, Handle::NULL, None, attributes)
        .expect("memory");
    let not_closable = Err(NtStatus::HANDLE_NOT_CLOSABLE);
    assert_eq!(world.caller().close(handle), not_closable);
    let entry = world.caller().entry(handle).expect("open");
    let protected = HandleAttributes::PROTECT_FROM_CLOSE;
    assert_eq!(entry.attributes, protected | HandleAttributes::INHERIT);
    drop(entry);
    let closing = Duplicate {
        options: DuplicateOptions::CLOSE_SOURCE | DuplicateOptions::SAME_ACCESS,
        ..same(&world.table, handle)
    };
    let copy = closing.perform().expect("it is copied").expect("a target");
    assert!(world.caller().entry(handle).is_ok(), "the source stays");
    world.close(copy);
    world
        .table
        .set_information(handle, HandleAttributes::empty())
        .expect("open");
    world.close(handle);
    assert_eq!(
        world.table.set_information(handle, protected),
        Err(NtStatus::INVALID_HANDLE)
    );
    let again = world.create(EventBody, "").expect("memory");
    world.table.set_information(again, protected).expect("open");
    world.table.close_all();
    assert!(world.table.is_empty(), "the end of a process closes it too");
    assert_eq!(
        world.create(EventBody, ""),
        Err(NtStatus::PROCESS_IS_TERMINATING)
    );
}

#[test]
fn a_type_hears_of_its_handles_and_its_body_ends_once() {
    let world = world();
    log();
    let drops = Arc::new(AtomicU32::new(0));
    let body = WatchedBody(drops.clone());
    let first = world
        .create(body, r"\BaseNamedObjects\watched")
        .expect("new");
    let other = HandleTable::new(12, None);
    let second = world
        .open(&WATCHED, r"\BaseNamedObjects\watched")
        .expect("there");
    let third = Duplicate {
        target: Some(&other),
        ..same(&world.table, first)
    };
    let third = third.perform().expect("memory").expect("a target");
    let entry = other.entry(third).expect("open");
    assert!(
        !entry.granted.contains(AccessMask::WRITE_DAC),
        "its procedure took it"
    );
    drop(entry);
    assert_eq!(
        log(),
        [("open", 8, 1, 0), ("open", 8, 2, 0), ("open", 12, 1, 0)]
    );
    assert_eq!((WATCHED.objects(), WATCHED.handles()), ((1, 1), (3, 3)));

    MAY_CLOSE.store(false, SeqCst);
    assert_eq!(
        world.caller().close(first),
        Err(NtStatus::HANDLE_NOT_CLOSABLE)
    );
    MAY_CLOSE.store(true, SeqCst);
    REFUSES.store(true, SeqCst);
    let refused = world.open(&WATCHED, r"\BaseNamedObjects\watched");
    REFUSES.store(false, SeqCst);
    assert_eq!(refused, Err(NtStatus::ACCESS_DENIED));
    assert_eq!(
        log(),
        [("close", 8, 3, 4)],
        "the handle that was refused had been counted"
    );

    let reference = world.caller().entry(first).expect("open").object;
    world.close(first);
    world.close(second);
    drop(other);
    assert_eq!(
        log(),
        [("close", 8, 2, 3), ("close", 8, 1, 2), ("close", 12, 1, 1)]
    );
    assert_eq!(drops.load(SeqCst), 0, "there is a reference");
    assert_eq!(
        world.open(&WATCHED, r"\BaseNamedObjects\watched"),
        Err(NtStatus::OBJECT_NAME_NOT_FOUND)
    );
    assert_eq!(reference.references(), 1);
    drop(reference);
    assert_eq!(drops.load(SeqCst), 1);
    assert_eq!((WATCHED.objects().0, WATCHED.handles().0), (0, 0));
}

#[test]
fn a_million_handles() {
    const COUNT: u64 = 1_000_000;
    let world = world();
    let first = world.create(EventBody, "").expect("memory");
    let before = EVENT.handles().0;
    let copy = same(&world.table, first);
    for number in 2..=COUNT {
        assert_eq!(copy.perform(), Ok(Some(Handle(number * 4))));
    }
    let entry = world.caller().entry(Handle(COUNT * 4)).expect("open");
    assert_eq!(entry.object.head().handle_count(), 1_000_000);
    assert_eq!(entry.object.references(), 1_000_001);
    assert_eq!(EVENT.handles().0 - before, 999_999);
    drop(entry);
    let child = HandleTable::new(16, None);
    world
        .table
        .set_information(Handle(COUNT * 4), HandleAttributes::INHERIT)
        .expect("open");
    child.inherit(&world.table, |_| true).expect("memory");
    assert!(child.entry(Handle(COUNT * 4)).is_ok());
    child.close_all();
    for number in (1..=COUNT).rev() {
        world.close(Handle(number * 4));
    }
    assert!(world.table.is_empty());
}

#[test]
fn a_table_has_a_limit() {
    let world = world();
    world.table.set_limit(3);
    let handles: Vec<_> = (0..3)
        .map(|_| world.create(EventBody, "").expect("below"))
        .collect();
    let full = Err(NtStatus::INSUFFICIENT_RESOURCES);
    assert_eq!(world.create(EventBody, ""), full);
    assert_eq!(
        same(&world.table, handles[0]).perform().map(drop),
        full.map(drop)
    );
    assert_eq!(world.create(EventBody, r"\BaseNamedObjects\limit"), full);
    assert_eq!(
        world.open(&EVENT, r"\BaseNamedObjects\limit"),
        Err(NtStatus::OBJECT_NAME_NOT_FOUND),
        "it has no handle, so it keeps no name"
    );
    world.close(handles[1]);
    assert_eq!(
        world.create(EventBody, ""),
        Ok(handles[1]),
        "the last that was closed"
    );
}
