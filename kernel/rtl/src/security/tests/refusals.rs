//! Memory runs out at every request in turn: the status says so, and nothing has changed.

use nt_abi::NtStatus;
use nt_abi::security::{AutoInheritFlags, SecurityInformation};

use super::memory::refusal;
use super::*;

/// Runs `body` with its first, second, ... request refused, until it is refused none; gives how many it makes.
fn refuse_each<T>(mut body: impl FnMut() -> nt_abi::NtResult<T>) -> usize {
    for granted in 0.. {
        let (outcome, refused) = refusal::after(granted, &mut body);
        if !refused {
            assert!(outcome.is_ok());
            return granted;
        }
        assert_eq!(outcome.err(), Some(NtStatus::INSUFFICIENT_RESOURCES));
    }
    unreachable!("a body makes finitely many requests")
}

#[test]
fn each_request_may_be_refused() {
    let everyone = well_known::EVERYONE;
    let flags = AceFlags::CONTAINER_INHERIT;
    let acl = list(&[
        (AceType::ACCESS_ALLOWED, flags, 0x8000_0000, everyone),
        (AceType::ACCESS_DENIED, flags, 0x1, everyone),
    ]);
    let label = list(&[(
        AceType::SYSTEM_MANDATORY_LABEL,
        flags,
        1,
        well_known::LOW_LABEL,
    )]);
    let mut descriptor = Descriptor::new();
    descriptor.set_owner(Some(everyone.as_sid()), Provenance::Given);
    descriptor.set_group(Some(everyone.as_sid()), Provenance::Given);
    descriptor.set_dacl(AclState::Present(acl.as_acl()), Provenance::Given);
    descriptor.set_sacl(AclState::Present(label.as_acl()), Provenance::Given);

    assert_eq!(refuse_each(|| DescriptorBuf::build(&descriptor)), 1);
    assert_eq!(refuse_each(|| AclBuf::copy_of(acl.as_acl())), 4);
    assert!(refuse_each(|| query(&descriptor, SecurityInformation::LABEL)) > 2);
    let inherit = || {
        NewObject {
            parent: Some(descriptor),
            given: None,
            creator: Creator {
                owner: everyone.as_sid(),
                group: everyone.as_sid(),
                default_dacl: None,
                label: None,
            },
            kind: ObjectKind::Container,
            object_types: &[],
            flags: AutoInheritFlags::empty(),
            mapping: &FILE,
        }
        .descriptor()
    };
    assert!(refuse_each(inherit) > 5);
    let replace = || {
        set(&Replacement {
            current: descriptor,
            new: descriptor,
            information: SecurityInformation::BACKUP,
            flags: AutoInheritFlags::empty(),
            mapping: &FILE,
        })
    };
    assert!(refuse_each(replace) > 5);
}

#[test]
fn a_builder_that_is_refused_is_as_it_was() {
    let mut builder = AclBuilder::new().expect("memory");
    let sid = well_known::EVERYONE;
    let mut add = || builder.allow(AceFlags::empty(), AccessMask(1), sid.as_sid());
    add().expect("memory");
    let (outcome, refused) = refusal::after(0, &mut add);
    assert!(refused && outcome.is_err());
    assert_eq!(builder.count(), 1);
    assert_eq!(builder.finish().as_acl().bytes().len(), 28);
}
