//! What else stands between a caller and a handle: callbacks and quotas.

use std::string::ToString;
use std::sync::Mutex;

use ex::{Quota, QuotaKind};

use super::*;
use crate::callbacks::{Operation, Registration, TypeCallbacks};
use crate::handle_table::{Duplicate, DuplicateOptions};

/// A type that callbacks may watch.
pub(super) static PROCESS: ObjectType = ObjectType::new(TypeDescription {
    name: "TestProcess",
    valid_access: AccessMask::PROCESS_ALL_ACCESS,
    mapping: nt_abi::access::GenericMapping {
        generic_all: AccessMask::PROCESS_ALL_ACCESS,
        ..TypeDescription::PLAIN.mapping
    },
    allows_callbacks: true,
    ..TypeDescription::PLAIN
});

struct Process;

impl ObjectBody for Process {
    fn kind() -> &'static ObjectType {
        &PROCESS
    }
}

static CALLS: Mutex<Vec<(String, u32, u32)>> = Mutex::new(Vec::new());

fn call(who: &str, first: u32, second: u32) {
    let mut calls = CALLS.lock().expect("no panic here");
    calls.push((who.to_string(), first, second));
}

fn calls() -> Vec<(String, u32, u32)> {
    std::mem::take(&mut *CALLS.lock().expect("no panic here"))
}

const BOTH: &[Operation] = &[Operation::Create, Operation::Duplicate];

#[test]
fn callbacks_strip_rights_by_altitude() {
    const HIGH: Registration = Registration {
        altitude: "1000.5",
        types: &[TypeCallbacks {
            kind: &PROCESS,
            operations: BOTH,
            before: Some(|about| {
                call("high", about.original.0, about.desired.0);
                about.desired -= AccessMask::PROCESS_TERMINATE;
            }),
            after: Some(|about| call("high after", about.granted.0, 0)),
        }],
    };
    const LOW: Registration = Registration {
        altitude: "999",
        types: &[TypeCallbacks {
            kind: &PROCESS,
            operations: &[Operation::Create],
            before: Some(|about| {
                call("low", about.original.0, about.desired.0);
                about.desired = AccessMask::PROCESS_VM_READ | AccessMask::PROCESS_TERMINATE;
            }),
            after: Some(|about| call("low after", about.granted.0, 0)),
        }],
    };
    ke::testing::run(1, 1, || {
        prepare();
        let table = HandleTable::new(8, None);
        let low = callbacks::register(LOW).expect("it is alone");
        let high = callbacks::register(HIGH).expect("another altitude");
        let again = Registration {
            altitude: "0999.0",
            ..HIGH
        };
        assert_eq!(
            callbacks::register(again).map(drop),
            Err(NtStatus::FLT_INSTANCE_ALTITUDE_COLLISION)
        );
        let caller = Caller {
            table: &table,
            ..Caller::kernel()
        };
        let parameters = CreateParameters {
            access: AccessMask(0x0019),
            ..CreateParameters::KERNEL
        };
        let process = create(Process, &parameters).expect("memory");
        let handle = process.into_handle(&caller).expect("memory");
        assert_eq!(table.entry(handle).expect("open").granted.0, 0x10);
        let expected = [
            ("high", 0x19, 0x19),
            ("low", 0x19, 0x18),
            ("low after", 0x10, 0),
            ("high after", 0x10, 0),
        ];
        let expected: Vec<_> = expected.map(|(who, a, b)| (who.to_string(), a, b)).into();
        assert_eq!(calls(), expected);
        callbacks::unregister(&low);
        let copy = Duplicate {
            source: caller,
            handle,
            target: Some(&table),
            access: AccessMask(0x11),
            attributes: HandleAttributes::empty(),
            options: DuplicateOptions::empty(),
            subject: Some(Subject::kernel()),
        };
        let copy = copy.perform().expect("memory").expect("a target");
        assert_eq!(table.entry(copy).expect("open").granted.0, 0x10);
        callbacks::unregister(&high);
        calls();
        let process = create(Process, &parameters).expect("memory");
        let handle = process.into_handle(&caller).expect("memory");
        assert_eq!(table.entry(handle).expect("open").granted.0, 0x19);
        assert!(calls().is_empty());
    });
}

#[test]
fn callbacks_that_are_refused() {
    const WATCH: TypeCallbacks = TypeCallbacks {
        kind: &PROCESS,
        operations: BOTH,
        before: Some(|_| ()),
        after: None,
    };
    const EVENTS: &[TypeCallbacks] = &[TypeCallbacks {
        kind: &EVENT,
        ..WATCH
    }];
    const NOTHING: &[TypeCallbacks] = &[TypeCallbacks {
        before: None,
        ..WATCH
    }];
    const NEVER: &[TypeCallbacks] = &[TypeCallbacks {
        operations: &[],
        ..WATCH
    }];
    let rows: [(&str, &[TypeCallbacks]); 6] = [
        ("1", &[]),
        ("1", EVENTS),
        ("1", NOTHING),
        ("1", NEVER),
        ("", &[WATCH]),
        ("1.x", &[WATCH]),
    ];
    let _world = world();
    for (altitude, types) in rows {
        let result = callbacks::register(Registration { altitude, types });
        assert_eq!(
            result.map(drop),
            Err(NtStatus::INVALID_PARAMETER),
            "{altitude:?}"
        );
    }
}

#[test]
fn quota_is_charged_and_returned() {
    let world = world();
    let quota = Quota::new().expect("memory");
    quota.set_limit(QuotaKind::NonPagedPool, 640);
    let used = || quota.usage(QuotaKind::NonPagedPool).usage;
    let table = HandleTable::new(12, Some(quota.clone()));
    let caller = Caller {
        table: &table,
        ..world.caller()
    };
    let events = EVENT.objects().0;
    let new = || create(EventBody, &CreateParameters::KERNEL).expect("memory");
    let handles: Vec<_> = (0..10)
        .map(|_| new().into_handle(&caller).expect("it is paid"))
        .collect();
    assert_eq!(used(), 640);
    assert_eq!(new().into_handle(&caller), Err(NtStatus::QUOTA_EXCEEDED));
    assert_eq!(used(), 640, "what was refused is not charged");
    assert_eq!(EVENT.objects().0 - events, 10);
    let entry = table.entry(handles[0]).expect("open");
    assert_eq!(query::basic(&entry).expect("memory").charge.non_paged, 64);
    let copy = Duplicate {
        source: caller,
        handle: handles[0],
        target: Some(&world.table),
        access: AccessMask::NONE,
        attributes: HandleAttributes::empty(),
        options: DuplicateOptions::SAME_ACCESS,
        subject: Some(Subject::kernel()),
    };
    copy.perform().expect("it is paid already");
    drop(entry);
    for handle in &handles {
        caller.close(*handle).expect("open");
    }
    assert_eq!(used(), 64, "one object is still there");
    drop(table);
    world.table.close_all();
    assert_eq!(used(), 0, "it goes back to whom it was taken from");
}

#[test]
fn a_tables_pages_are_charged_and_returned() {
    let world = world();
    let quota = Quota::new().expect("memory");
    let page = HandleTable::PAGE_BYTES as u64;
    quota.set_limit(QuotaKind::PagedPool, 2 * page);
    let used = || quota.usage(QuotaKind::PagedPool).usage;
    let table = HandleTable::new(12, Some(quota.clone()));
    let caller = Caller {
        table: &table,
        ..world.caller()
    };
    let event = create(EventBody, &CreateParameters::KERNEL).expect("memory");
    let first = event.into_handle(&caller).expect("it is paid");
    assert_eq!(used(), page);
    let copy = || Duplicate {
        source: caller,
        handle: first,
        target: Some(&table),
        access: AccessMask::NONE,
        attributes: HandleAttributes::empty(),
        options: DuplicateOptions::SAME_ACCESS,
        subject: Some(Subject::kernel()),
    };
    // Two pages of 256 entries, of which the first is none, and one handle is there.
    for number in 0..510 {
        assert!(copy().perform().is_ok(), "copy {number}");
    }
    assert_eq!(used(), 2 * page);
    assert_eq!(copy().perform(), Err(NtStatus::QUOTA_EXCEEDED));
    assert_eq!(table.len(), 511, "what was refused left nothing");
    table.close_all();
    assert_eq!(used(), 0, "the object of a process may outlive its table");
}
