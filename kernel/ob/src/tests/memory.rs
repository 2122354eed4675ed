//! Without memory: each operation fails at each allocation in turn, says so, and leaves nothing behind.

use arch::sim::alloc_failure::{fail_after, never};
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
