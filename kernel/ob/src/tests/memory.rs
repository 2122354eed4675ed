//! Without memory: each operation fails at each allocation in turn, says so, and leaves nothing behind.

use arch::sim::alloc_failure::{fail_after, never};
use ex::{Quota, QuotaKind};
use nt_abi::security::SecurityInformation;

use super::*;
use crate::handle_table::{Duplicate, DuplicateOptions};

/// Runs an operation with 0, 1, 2, ... allocations that succeed, until it has what it needs; it fails before that.
fn starve<R>(world: &World, what: &str, mut operation: impl FnMut() -> NtResult<R>) -> R {
    let before = counts();
    let handles = world.table.len();
    for successes in 0..100 {
        fail_after(successes);
        let result = operation();
        if never() == 0 {
            assert!(successes > 0, "{what} needs no memory");
            return result.unwrap_or_else(|status| panic!("{what}: {status}"));
        }
        let status = result.map(drop);
        assert_eq!(status, Err(NtStatus::INSUFFICIENT_RESOURCES), "{what}");
        assert_eq!(counts(), before, "{what} leaves something behind");
        assert_eq!(world.table.len(), handles, "{what}");
    }
    panic!("{what} never has enough");
}

#[test]
fn operations_without_memory() {
    let world = world();
    let (name, link_name) = (text(r"\BaseNamedObjects\m"), text(r"\BaseNamedObjects\l"));
    let descriptor = security::standard_descriptor(namespace::Protection::Shared).expect("memory");
    let caller = world.caller();
    let parameters = CreateParameters {
        name: Some(name.as_str()),
        descriptor: Some(descriptor.as_descriptor()),
        access: AccessMask::GENERIC_ALL,
        ..CreateParameters::KERNEL
    };
    let handle = starve(&world, "create", || {
        create(EventBody, &parameters)?.into_handle(&caller)
    });
    let link = SymbolicLink::new(text(r"\BaseNamedObjects\m"), 0);
    let to_link = CreateParameters {
        name: Some(link_name.as_str()),
        ..parameters
    };
    let _link = create(link, &to_link).expect("memory").into_handle(&caller);
    let open = OpenParameters {
        name: Some(link_name.as_str()),
        root: Root::Namespace,
        attributes: NONE,
        kind: Some(&EVENT),
        access: AccessMask::GENERIC_ALL,
        subject: Subject::kernel(),
    };
    starve(&world, "open through a link", || {
        reference_by_name(&open, None).map(drop)
    });
    let object = world.caller().entry(handle).expect("open").object;
    starve(&world, "name", || name_of(&object));
    starve(&world, "query security", || {
        security::query_security(&object, SecurityInformation::DACL)
    });
    starve(&world, "set security", || {
        let new = descriptor.as_descriptor();
        security::set_security(&object, SecurityInformation::DACL, new, Subject::kernel())
    });
    let child = HandleTable::new(12, None);
    let copy = Duplicate {
        source: caller,
        handle,
        target: Some(&child),
        access: AccessMask::NONE,
        attributes: HandleAttributes::INHERIT,
        options: DuplicateOptions::SAME_ACCESS,
        subject: Some(Subject::kernel()),
    };
    starve(&world, "duplicate", || copy.perform());
    let grandchild = HandleTable::new(16, None);
    starve(&world, "inherit", || grandchild.inherit(&child, |_| true));
    assert_eq!(grandchild.len(), 1);
}

/// A handle for which the table cannot grow costs nothing: neither its object nor the page.
#[test]
fn a_charge_is_returned_when_a_table_cannot_grow() {
    let world = world();
    let quota = Quota::new().expect("memory");
    let used =
        || [QuotaKind::PagedPool, QuotaKind::NonPagedPool].map(|kind| quota.usage(kind).usage);
    let table = HandleTable::new(12, Some(quota.clone()));
    let caller = Caller {
        table: &table,
        ..world.caller()
    };
    let new = || create(EventBody, &CreateParameters::KERNEL).expect("memory");
    let objects = EVENT.objects().0;
    // The first page, and the second one: a page has room for 256, and the first handle's place is nobody's.
    for full in [0, 255] {
        while table.len() < full {
            new().into_handle(&caller).expect("there is room");
        }
        let before = used();
        let mut successes = 0;
        loop {
            let created = new();
            fail_after(successes);
            let result = created.into_handle(&caller);
            if never() == 0 {
                assert!(result.is_ok());
                break;
            }
            assert_eq!(result, Err(NtStatus::INSUFFICIENT_RESOURCES));
            assert_eq!(used(), before, "with {successes} allocations");
            assert_eq!(table.len(), full);
            successes += 1;
        }
        assert!(successes > 0, "a table grows without memory");
        let page = HandleTable::PAGE_BYTES as u64;
        assert_eq!(used(), [before[0] + page, before[1] + 64]);
    }
    table.close_all();
    assert_eq!(used(), [0, 0]);
    assert_eq!(EVENT.objects().0, objects);
}

/// The same for a table that takes handles over.
#[test]
fn a_charge_is_returned_when_handles_cannot_be_inherited() {
    let world = world();
    let parameters = CreateParameters {
        attributes: Attributes::INHERIT,
        ..CreateParameters::KERNEL
    };
    let new = || create(EventBody, &parameters).expect("memory");
    new().into_handle(&world.caller()).expect("there is room");
    let quota = Quota::new().expect("memory");
    let used = || quota.usage(QuotaKind::PagedPool).usage;
    let child = HandleTable::new(12, Some(quota.clone()));
    for successes in 0.. {
        fail_after(successes);
        let result = child.inherit(&world.table, |_| true);
        if never() == 0 {
            assert!(result.is_ok() && successes > 0);
            break;
        }
        assert_eq!(result, Err(NtStatus::INSUFFICIENT_RESOURCES));
        assert_eq!(
            (used(), child.len()),
            (0, 0),
            "with {successes} allocations"
        );
    }
    assert_eq!((used(), child.len()), (HandleTable::PAGE_BYTES as u64, 1));
    child.close_all();
    assert_eq!(used(), 0);
}
