//! Where symbolic links lead, and the DOS devices.

use std::string::ToString;

use super::*;
use crate::header::{self, HeaderFlags};

#[test]
fn chains_of_links_end_somewhere() {
    let world = world();
    let link = |number: u32, target: &str| {
        world.link(&std::format!(r"\BaseNamedObjects\link{number}"), target);
    };
    let event = world
        .create(EventBody, r"\BaseNamedObjects\end")
        .expect("new");
    link(0, r"\BaseNamedObjects\end");
    for number in 1..40 {
        link(
            number,
            &std::format!(r"\BaseNamedObjects\link{}", number - 1),
        );
    }
    let open = |number: u32| {
        let handle = world.open(&EVENT, &std::format!(r"\BaseNamedObjects\link{number}"))?;
        assert_eq!(world.name_of(handle), r"\BaseNamedObjects\end");
        world.close(handle);
        Ok(())
    };
    for number in 0..32 {
        assert_eq!(open(number), Ok(()), "{number} links before the last");
    }
    assert_eq!(
        open(32),
        Err(NtStatus::OBJECT_NAME_NOT_FOUND),
        "33 are too many"
    );
    world.link(r"\BaseNamedObjects\a", r"\BaseNamedObjects\b");
    world.link(r"\BaseNamedObjects\b", r"\BaseNamedObjects\a");
    for name in [r"\BaseNamedObjects\a", r"\BaseNamedObjects\b\c"] {
        assert_eq!(
            world.open(&EVENT, name),
            Err(NtStatus::OBJECT_NAME_NOT_FOUND)
        );
        assert_eq!(
            world.create(EventBody, name),
            Err(NtStatus::OBJECT_NAME_NOT_FOUND)
        );
    }
    world.close(event);
}

#[test]
fn where_links_lead() {
    let world = world();
    world
        .create(Directory::new(), r"\BaseNamedObjects\d")
        .expect("new");
    world
        .create(EventBody, r"\BaseNamedObjects\d\e")
        .expect("new");
    world.link(r"\BaseNamedObjects\trailing", r"\BaseNamedObjects\d\");
    world.link(r"\BaseNamedObjects\relative", "d");
    world.link(r"\BaseNamedObjects\nowhere", r"\Nowhere\at all");
    world.link(r"\BaseNamedObjects\bad", r"\\");
    let long = "x".repeat(MOST_NAME_UNITS - 10);
    world.link(r"\BaseNamedObjects\long", &(String::from(r"\") + &long));
    let rows = [
        (r"\BaseNamedObjects\trailing\e", Ok(())),
        (
            r"\BaseNamedObjects\trailing\\e",
            Err(NtStatus::OBJECT_NAME_INVALID),
        ),
        (
            r"\BaseNamedObjects\relative\e",
            Err(NtStatus::OBJECT_NAME_NOT_FOUND),
        ),
        (
            r"\BaseNamedObjects\nowhere",
            Err(NtStatus::OBJECT_PATH_NOT_FOUND),
        ),
        (
            r"\BaseNamedObjects\bad\e",
            Err(NtStatus::OBJECT_NAME_INVALID),
        ),
        (
            r"\BaseNamedObjects\long\123456789012",
            Err(NtStatus::NAME_TOO_LONG),
        ),
        (
            r"\BaseNamedObjects\d\e\f",
            Err(NtStatus::OBJECT_TYPE_MISMATCH),
        ),
        (r"\BaseNamedObjects\Global\Local\Session\0\d\e", Ok(())),
        (r"\??\GLOBALROOT\BaseNamedObjects\d\e", Ok(())),
        (r"\??\Global\GLOBALROOT\BaseNamedObjects\d\e", Ok(())),
        (r"\DosDevices\GLOBALROOT\BaseNamedObjects\d\e", Ok(())),
        (r"\??\GLOBALROOT", Err(NtStatus::OBJECT_NAME_NOT_FOUND)),
        (r"\???", Err(NtStatus::OBJECT_NAME_NOT_FOUND)),
        (r"\??\", Err(NtStatus::OBJECT_NAME_INVALID)),
    ];
    for (name, expected) in rows {
        assert_eq!(world.open(&EVENT, name).map(drop), expected, "{name}");
    }
    let directory = world.open(&DIRECTORY, r"\BaseNamedObjects").expect("there");
    assert!(
        world
            .open_at(Some(&EVENT), directory, Some(r"relative\e"), NONE)
            .is_ok(),
        "a relative target is relative to the root that was given"
    );
    let name = r"\BaseNamedObjects\trailing\e";
    assert_eq!(
        world.open_at(
            Some(&EVENT),
            Handle::NULL,
            Some(name),
            Attributes::DONT_REPARSE
        ),
        Err(NtStatus::REPARSE_POINT_ENCOUNTERED)
    );
    let any = |name, attributes| {
        let handle = world
            .open_at(None, Handle::NULL, Some(name), attributes)
            .expect("there");
        world.name_of(handle)
    };
    assert_eq!(any(r"\BaseNamedObjects\Local", NONE), r"\BaseNamedObjects");
    assert_eq!(
        any(r"\BaseNamedObjects\Local", Attributes::OPENLINK),
        r"\BaseNamedObjects\Local"
    );
    assert_eq!(
        world.create_at(EventBody, Handle::NULL, None, Attributes::OPENLINK),
        Err(NtStatus::INVALID_PARAMETER)
    );
}

/// A thread of the host has a stack of two megabytes: a drop in a drop for each of these would not fit.
#[test]
fn a_long_chain_of_shadows_ends_one_after_another() {
    let _world = world();
    let new = |shadow| {
        let body = Directory::with_shadow(shadow);
        header::new_object(body, HeaderFlags::empty()).expect("memory")
    };
    let before = DIRECTORY.objects().0;
    let mut last = new(None);
    let mut kept = std::vec::Vec::new();
    for number in 0..100_000 {
        if number % 1000 == 0 {
            kept.push(last.clone());
        }
        last = new(Some(last));
    }
    assert_eq!(DIRECTORY.objects().0, before + 100_001);
    drop(last);
    assert_eq!(
        DIRECTORY.objects().0,
        before + 99_001,
        "one that is referred to keeps what is behind it"
    );
    drop(kept);
    assert_eq!(DIRECTORY.objects().0, before);
}

#[test]
fn dos_devices_of_a_logon_session_hide_the_global_ones() {
    let world = world();
    let logon = nt_abi::security::Luid {
        low: 0xABCD,
        high: 1,
    };
    let devices = namespace::create_dos_devices(0, logon).expect("memory");
    let global = world.create(EventBody, r"\GLOBAL??\C:").expect("new");
    let open = |subject: Subject<'_>, name: &str| {
        let name = text(name);
        let parameters = OpenParameters {
            name: Some(name.as_str()),
            root: Root::Namespace,
            attributes: NONE,
            kind: Some(&EVENT),
            access: AccessMask::GENERIC_READ,
            subject,
        };
        let object = reference_by_name(&parameters, None)?;
        Ok(crate::name_of(&object).expect("memory").to_string())
    };
    let logged_on = Subject::kernel().with_devices(&devices);
    assert_eq!(
        open(logged_on, r"\??\C:"),
        Ok(r"\GLOBAL??\C:".into()),
        "by its shadow"
    );
    let name = text(r"\??\C:");
    let own = create(
        EventBody,
        &CreateParameters {
            name: Some(name.as_str()),
            subject: logged_on,
            ..CreateParameters::KERNEL
        },
    )
    .expect("the shadow does not count for a new name");
    let own = own.into_handle(&world.caller()).expect("memory");
    let path = r"\Sessions\0\DosDevices\00000001-0000abcd\C:";
    assert_eq!(open(logged_on, r"\??\C:"), Ok(path.into()));
    assert_eq!(open(logged_on, r"\DosDevices\C:"), Ok(path.into()));
    assert_eq!(
        open(Subject::kernel(), r"\??\C:"),
        Ok(r"\GLOBAL??\C:".into())
    );
    for global in [r"\??\Global\C:", r"\??\GLOBALROOT\GLOBAL??\C:"] {
        assert_eq!(open(logged_on, global), Ok(r"\GLOBAL??\C:".into()));
    }
    world.close(own);
    world.close(global);
    let gone = open(logged_on, r"\??\C:");
    assert_eq!(gone, Err(NtStatus::OBJECT_NAME_NOT_FOUND));
    // Take down what is permanent.
    let link = world.open(
        &SYMBOLIC_LINK,
        r"\Sessions\0\DosDevices\00000001-0000abcd\Global",
    );
    let link = world
        .caller()
        .entry(link.expect("there"))
        .expect("open")
        .object;
    world.table.close_all();
    make_temporary(&link);
    make_temporary(Object::as_erased(&devices));
}
