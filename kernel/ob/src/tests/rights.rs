//! Who may do what: descriptors and tokens.

use std::sync::Mutex;

use arch::counted::Counted;
use nt_abi::security::{AceFlags, SecurityInformation};
use rtl::security::{AclBuilder, AclState, DescriptorBuf, Provenance, well_known};

use super::people::{
    account, administrator, create_as, deprive, descriptor, open_as, subject, user,
};
use super::*;
use crate::handle_table::{Duplicate, DuplicateOptions};
use crate::header::SharedDescriptor;
use crate::security::{query_security, rights_to_query, rights_to_set, set_security};

const ALL: AccessMask = AccessMask::EVENT_ALL_ACCESS;
const DENIED: NtStatus = NtStatus::ACCESS_DENIED;
const NAME: &str = r"\BaseNamedObjects\secret";

#[test]
fn a_list_says_who_gets_what() {
    let world = world();
    let (alice, bob, admin) = (user(1), user(2), administrator());
    let query = AccessMask::EVENT_QUERY_STATE;
    let modify = AccessMask::EVENT_MODIFY_STATE;
    let given = descriptor(
        account(1).user,
        &[
            (account(2).user, modify, false),
            (account(1).user, AccessMask::GENERIC_ALL, true),
            (well_known::USERS, query | modify, true),
        ],
    );
    create_as(
        &world,
        EventBody,
        NAME,
        subject(&alice),
        Some(&given),
        NONE,
        ALL,
    )
    .expect("new");
    let maximum = AccessMask::MAXIMUM_ALLOWED;
    let sacl = AccessMask::ACCESS_SYSTEM_SECURITY;
    let rows = [
        (&alice, AccessMask::GENERIC_ALL, Ok(ALL)),
        (&alice, maximum, Ok(ALL)),
        (&bob, query, Ok(query)),
        (&bob, modify, Err(DENIED)),
        (&bob, query | modify, Err(DENIED)),
        (&bob, AccessMask::GENERIC_READ, Err(DENIED)),
        (&bob, maximum, Ok(query)),
        (&bob, AccessMask::NONE, Err(DENIED)),
        (&bob, sacl, Err(NtStatus::PRIVILEGE_NOT_HELD)),
        (&admin, query | modify, Ok(query | modify)),
        (&admin, AccessMask::WRITE_DAC, Err(DENIED)),
    ];
    for (token, access, expected) in rows {
        let granted = open_as(&world, NAME, subject(token), access);
        assert_eq!(granted, expected, "{access:?}");
    }
    let kernel = Subject::kernel();
    assert_eq!(
        open_as(&world, NAME, kernel, AccessMask::WRITE_DAC),
        Ok(AccessMask::WRITE_DAC)
    );
    let again = |token, attributes| {
        create_as(
            &world,
            EventBody,
            NAME,
            subject(token),
            None,
            attributes,
            modify,
        )
    };
    assert_eq!(
        again(&bob, Attributes::OPENIF),
        Err(DENIED),
        "it is as an open"
    );
    assert!(again(&alice, Attributes::OPENIF).is_ok());
}

#[test]
fn the_maker_gets_what_it_asks_for() {
    let world = world();
    let (alice, bob) = (user(1), user(2));
    let nobody = descriptor(account(1).user, &[]);
    let create = |token, name, given, access| {
        create_as(&world, EventBody, name, subject(token), given, NONE, access)
    };
    let handle = create(&alice, NAME, Some(&nobody), ALL).expect("it is new");
    assert_eq!(world.caller().entry(handle).expect("open").granted, ALL);
    assert_eq!(open_as(&world, NAME, subject(&alice), ALL), Err(DENIED));
    assert_eq!(
        open_as(&world, NAME, subject(&alice), AccessMask::WRITE_DAC),
        Ok(AccessMask::WRITE_DAC),
        "it is the owner"
    );
    let plain = r"\BaseNamedObjects\plain";
    create(&alice, plain, None, AccessMask::MAXIMUM_ALLOWED).expect("new");
    assert_eq!(
        open_as(&world, plain, subject(&alice), ALL),
        Ok(ALL),
        "the token's default"
    );
    assert_eq!(open_as(&world, plain, subject(&bob), ALL), Err(DENIED));
    let sacl = AccessMask::ACCESS_SYSTEM_SECURITY;
    let other = r"\BaseNamedObjects\other";
    assert_eq!(
        create(&alice, other, None, sacl),
        Err(NtStatus::PRIVILEGE_NOT_HELD)
    );
    assert_eq!(
        world.open(&EVENT, other),
        Err(NtStatus::OBJECT_NAME_NOT_FOUND),
        "nothing was made"
    );
    assert_eq!(
        create(&bob, other, Some(&nobody), ALL),
        Err(NtStatus::INVALID_OWNER)
    );
    let permanent = create_as(
        &world,
        EventBody,
        other,
        subject(&alice),
        None,
        Attributes::PERMANENT,
        ALL,
    );
    assert_eq!(permanent, Err(NtStatus::PRIVILEGE_NOT_HELD));
    let entry = world.caller().entry(handle).expect("open");
    assert_eq!(
        make_permanent(&entry.object, &subject(&alice)),
        Err(NtStatus::PRIVILEGE_NOT_HELD)
    );
    let unnamed = create(&alice, "", None, ALL).expect("new");
    let entry = world.caller().entry(unnamed).expect("open");
    assert!(
        entry.object.head().descriptor().is_none(),
        "without a name, none is needed"
    );
}

#[test]
fn directories_are_asked_on_the_way() {
    let world = world();
    let (alice, admin) = (user(1), administrator());
    let events = [r"\Driver\x", r"\KernelObjects\x", r"\KnownDlls\x"];
    for name in events {
        let made = create_as(&world, EventBody, name, subject(&alice), None, NONE, ALL);
        assert_eq!(made, Err(DENIED), "{name}");
        let made = create_as(&world, EventBody, name, subject(&admin), None, NONE, ALL);
        let handle = made.unwrap_or_else(|status| panic!("{name}: {status}"));
        world.close(handle);
    }
    let made = create_as(
        &world,
        Directory::new(),
        r"\x",
        subject(&alice),
        None,
        NONE,
        ALL,
    );
    assert_eq!(made, Err(DENIED));

    // A directory that only its owner may go through: the privilege spares the question.
    let closed = descriptor(
        account(1).user,
        &[(account(1).user, AccessMask::GENERIC_ALL, true)],
    );
    let path = r"\BaseNamedObjects\closed";
    let all = AccessMask::GENERIC_ALL;
    create_as(
        &world,
        Directory::new(),
        path,
        subject(&alice),
        Some(&closed),
        NONE,
        all,
    )
    .expect("new");
    let inner = r"\BaseNamedObjects\closed\inner";
    let open = descriptor(account(1).user, &[(well_known::EVERYONE, all, true)]);
    create_as(
        &world,
        EventBody,
        inner,
        subject(&alice),
        Some(&open),
        NONE,
        ALL,
    )
    .expect("new");
    let bob = user(2);
    assert_eq!(open_as(&world, inner, subject(&bob), ALL), Ok(ALL));
    let bob = deprive(bob);
    assert_eq!(open_as(&world, inner, subject(&bob), ALL), Err(DENIED));
    let alice = deprive(alice);
    assert_eq!(open_as(&world, inner, subject(&alice), ALL), Ok(ALL));
}

#[test]
fn descriptors_are_read_and_replaced() {
    let world = world();
    let (alice, bob) = (user(1), user(2));
    let given = descriptor(account(1).user, &[(account(1).user, ALL, true)]);
    let handle = create_as(
        &world,
        EventBody,
        NAME,
        subject(&alice),
        Some(&given),
        NONE,
        ALL,
    );
    let object = world
        .caller()
        .entry(handle.expect("new"))
        .expect("open")
        .object;
    let dacl = SecurityInformation::DACL;
    let read = query_security(&object, dacl).expect("memory");
    assert!(read.as_descriptor().owner().is_none());
    assert_eq!(read.as_descriptor().dacl().aces().count(), 1);
    let wider = descriptor(
        account(2).user,
        &[(account(1).user, ALL, true), (account(2).user, ALL, true)],
    );
    assert_eq!(open_as(&world, NAME, subject(&bob), ALL), Err(DENIED));
    set_security(&object, dacl, wider.as_descriptor(), subject(&alice)).expect("memory");
    assert_eq!(open_as(&world, NAME, subject(&bob), ALL), Ok(ALL));
    let all = SecurityInformation::OWNER | dacl;
    assert_eq!(
        set_security(&object, all, wider.as_descriptor(), subject(&alice)),
        Err(NtStatus::INVALID_OWNER)
    );
    set_security(&object, all, wider.as_descriptor(), subject(&bob)).expect("its own");
    let read = query_security(&object, SecurityInformation::OWNER).expect("memory");
    let owner = read.as_descriptor().owner().expect("it has one").to_buf();
    assert_eq!(owner, account(2).user);
    let unnamed = create(EventBody, &CreateParameters::KERNEL).expect("memory");
    let unnamed = Object::erase(unnamed.into_object());
    assert_eq!(
        set_security(&unnamed, dacl, wider.as_descriptor(), subject(&bob)),
        Err(NtStatus::NO_SECURITY_ON_OBJECT)
    );
    assert!(
        query_security(&unnamed, dacl)
            .expect("memory")
            .as_descriptor()
            .dacl()
            .acl()
            .is_none()
    );

    let rows = [
        (SecurityInformation::OWNER, 0x2_0000, 0x8_0000),
        (SecurityInformation::GROUP, 0x2_0000, 0x8_0000),
        (SecurityInformation::DACL, 0x2_0000, 0x4_0000),
        (SecurityInformation::SACL, 0x100_0000, 0x100_0000),
        (SecurityInformation::LABEL, 0x2_0000, 0x8_0000),
        (SecurityInformation::BACKUP, 0x102_0000, 0x10C_0000),
    ];
    for (part, to_query, to_set) in rows {
        let rights = (rights_to_query(part).0, rights_to_set(part).0);
        assert_eq!(rights, (to_query, to_set), "{part:?}");
    }
}

#[test]
fn a_duplicate_gets_more_only_from_the_descriptor() {
    let world = world();
    let (alice, bob) = (user(1), user(2));
    let query = AccessMask::EVENT_QUERY_STATE;
    let entries = [(account(1).user, ALL, true), (account(2).user, query, true)];
    let given = descriptor(account(1).user, &entries);
    create_as(
        &world,
        EventBody,
        NAME,
        subject(&alice),
        Some(&given),
        NONE,
        ALL,
    )
    .expect("new");
    let name = text(NAME);
    let weak = open_by_name(
        &world.caller(),
        &OpenParameters {
            name: Some(name.as_str()),
            root: Root::Namespace,
            attributes: NONE,
            kind: Some(&EVENT),
            access: query,
            subject: subject(&bob),
        },
        None,
    )
    .expect("it may");
    let copy = |token, access| {
        let copy = Duplicate {
            source: world.caller(),
            handle: weak,
            target: Some(&world.table),
            access,
            attributes: HandleAttributes::empty(),
            options: DuplicateOptions::empty(),
            subject: Some(subject(token)),
        };
        let handle = copy.perform()?.expect("there is a target");
        Ok(world.caller().entry(handle).expect("open").granted)
    };
    assert_eq!(copy(&bob, query), Ok(query));
    assert_eq!(copy(&bob, ALL), Err(DENIED));
    assert_eq!(copy(&alice, ALL), Ok(ALL));
    assert_eq!(copy(&bob, AccessMask::MAXIMUM_ALLOWED), Ok(query));
}

#[test]
fn audited_accesses_are_told() {
    static HEARD: Mutex<Vec<(u32, bool)>> = Mutex::new(Vec::new());
    security::set_auditor(|audit| {
        let heard = (audit.desired.0, audit.outcome.is_ok());
        HEARD.lock().expect("no panic here").push(heard);
    });
    let world = world();
    let alice = user(1);
    let mut sacl = AclBuilder::new().expect("memory");
    let failures = AceFlags::FAILED_ACCESS;
    sacl.audit(failures, ALL, well_known::EVERYONE.as_sid())
        .expect("memory");
    let sacl = sacl.finish();
    let given = descriptor(
        account(1).user,
        &[(well_known::EVERYONE, AccessMask(1), true)],
    );
    let mut given = given.as_descriptor();
    given.set_sacl(AclState::Present(sacl.as_acl()), Provenance::Given);
    let given = DescriptorBuf::build(&given).expect("memory");
    create_as(
        &world,
        EventBody,
        NAME,
        Subject::kernel(),
        Some(&given),
        NONE,
        ALL,
    )
    .expect("new");
    HEARD.lock().expect("no panic here").clear();
    assert_eq!(
        open_as(&world, NAME, subject(&alice), AccessMask(1)),
        Ok(AccessMask(1))
    );
    assert_eq!(
        open_as(&world, NAME, subject(&alice), AccessMask(2)),
        Err(DENIED)
    );
    assert_eq!(*HEARD.lock().expect("no panic here"), [(2, false)]);
}

/// What comes from the token alone is made once for each snapshot of a token; what also comes from elsewhere never is kept.
#[test]
fn descriptors_from_the_token_alone_are_shared() {
    struct Secured;
    static SECURED: ObjectType = ObjectType::new(TypeDescription {
        name: "Secured",
        security_required: true,
        ..TypeDescription::PLAIN
    });
    impl ObjectBody for Secured {
        fn kind() -> &'static ObjectType {
            &SECURED
        }
    }
    let _world = world();
    let (alice, bob) = (user(1), user(2));
    let make = |subject, given: Option<&DescriptorBuf>| {
        let parameters = CreateParameters {
            descriptor: given.map(DescriptorBuf::as_descriptor),
            subject,
            ..CreateParameters::KERNEL
        };
        let object = create(Secured, &parameters).expect("memory").into_object();
        Object::head(&object).descriptor().expect("it is required")
    };
    let same = |one: &SharedDescriptor, other: &SharedDescriptor| {
        Counted::as_erased(one).same(Counted::as_erased(other))
    };
    let (of_alice, of_bob) = (DefaultDescriptors::new(), DefaultDescriptors::new());
    let plain = make(subject(&alice), None);
    let first = make(subject(&alice).with_defaults(&of_alice), None);
    let second = make(subject(&alice).with_defaults(&of_alice), None);
    let other = make(subject(&bob).with_defaults(&of_bob), None);
    assert!(same(&first, &second) && !same(&first, &plain) && !same(&first, &other));
    assert_eq!(first.bytes(), plain.bytes());
    assert_ne!(first.bytes(), other.bytes());
    let given = descriptor(account(1).user, &[(account(2).user, ALL, true)]);
    let third = make(subject(&alice).with_defaults(&of_alice), Some(&given));
    assert!(!same(&first, &third));
    let fourth = make(subject(&alice).with_defaults(&of_alice), None);
    assert!(same(&first, &fourth));
}
