//! The statuses of names, against what Wine's tests of the object manager (`dlls/ntdll/tests/om.c`) find on Windows.

use super::*;

const BNO: &str = r"\BaseNamedObjects";

/// Creates and opens a directory, as `check_create_open_dir` there.
fn both(world: &World, root: Handle, name: &str) -> (NtStatus, NtStatus) {
    let status = |result: NtResult<Handle>| match result {
        Ok(handle) => {
            world.close(handle);
            NtStatus::SUCCESS
        }
        Err(status) => status,
    };
    let created = world.create_at(Directory::new(), root, Some(name), NONE);
    (
        status(created.map(|(handle, _)| handle)),
        status(world.open_at(Some(&DIRECTORY), root, Some(name), NONE)),
    )
}

#[test]
fn bad_names_of_directories() {
    let world = world();
    let rows = [
        ("BaseNamedObjects", NtStatus::OBJECT_PATH_SYNTAX_BAD),
        (r"\BaseNamedObjects\", NtStatus::OBJECT_NAME_INVALID),
        (r"\\BaseNamedObjects", NtStatus::OBJECT_NAME_INVALID),
        (
            r"\BaseNamedObjects\\om.c-test",
            NtStatus::OBJECT_NAME_INVALID,
        ),
        (
            r"\BaseNamedObjects\om.c-test\",
            NtStatus::OBJECT_PATH_NOT_FOUND,
        ),
    ];
    for (name, status) in rows {
        assert_eq!(both(&world, Handle::NULL, name), (status, status), "{name}");
    }
    let directory = world.open(&DIRECTORY, BNO).expect("it is there");
    let rows = [
        ("", NtStatus::SUCCESS),
        (r"\", NtStatus::OBJECT_PATH_SYNTAX_BAD),
        (r"\om.c-test", NtStatus::OBJECT_PATH_SYNTAX_BAD),
        (r"\om.c-test\", NtStatus::OBJECT_PATH_SYNTAX_BAD),
        (r"om.c-test\", NtStatus::OBJECT_PATH_NOT_FOUND),
    ];
    for (name, status) in rows {
        assert_eq!(both(&world, directory, name), (status, status), "{name}");
    }
}

#[test]
fn without_a_name() {
    let world = world();
    let unnamed = |name| world.create_at(Directory::new(), Handle::NULL, name, NONE);
    for name in [None, Some("")] {
        unnamed(name).expect("it needs no name");
        assert_eq!(
            world.open_at(Some(&DIRECTORY), Handle::NULL, name, NONE),
            Err(NtStatus::OBJECT_PATH_SYNTAX_BAD)
        );
    }
    let wrong = Handle(0xDEAD_BEEC);
    world
        .create_at(EventBody, wrong, Some(""), NONE)
        .expect("the root is not looked at");
    assert_eq!(
        world.create_at(EventBody, wrong, None, NONE),
        Err(NtStatus::OBJECT_NAME_INVALID)
    );
    assert_eq!(
        world.open_at(Some(&EVENT), wrong, None, NONE),
        Err(NtStatus::OBJECT_NAME_INVALID)
    );
    assert_eq!(
        world.create_at(EventBody, wrong, Some("x"), NONE),
        Err(NtStatus::INVALID_HANDLE)
    );
}

#[test]
fn the_longest_name() {
    let world = world();
    let directory = world.open(&DIRECTORY, BNO).expect("it is there");
    let long = "a".repeat(MOST_NAME_UNITS);
    world
        .create_at(EventBody, directory, Some(&long), NONE)
        .expect("65,532 bytes are allowed");
    let longer = "a".repeat(MOST_NAME_UNITS + 1);
    assert_eq!(
        world.create_at(EventBody, directory, Some(&longer), NONE),
        Err(NtStatus::OBJECT_NAME_INVALID)
    );
}

#[test]
fn the_root_of_a_relative_name() {
    let world = world();
    let directory = world.open(&DIRECTORY, BNO).expect("it is there");
    let event = world
        .create(EventBody, r"\BaseNamedObjects\e")
        .expect("new");
    let link = world
        .open(&SYMBOLIC_LINK, r"\BaseNamedObjects\Local")
        .expect("it is there");
    let mismatch = Err(NtStatus::OBJECT_TYPE_MISMATCH);
    let open = |kind, root, name| world.open_at(Some(kind), root, Some(name), NONE);
    assert_eq!(open(&EVENT, directory, ""), mismatch, "it is a directory");
    assert_eq!(
        open(&EVENT, event, ""),
        mismatch,
        "an event has no names in it"
    );
    assert_eq!(open(&EVENT, event, "x"), mismatch);
    assert!(open(&DIRECTORY, directory, "").is_ok());
    assert!(open(&SYMBOLIC_LINK, link, "").is_ok());
    assert_eq!(open(&EVENT, link, "e"), mismatch, "a link is no directory");
    assert_eq!(
        world.create_at(Directory::new(), link, Some("one more level"), NONE),
        Err(NtStatus::OBJECT_TYPE_MISMATCH)
    );
    assert!(open(&EVENT, directory, "e").is_ok());
}

#[test]
fn capitals() {
    let world = world();
    let insensitive = Attributes::CASE_INSENSITIVE;
    let mutant = world.create(MutantBody, r"\BaseNamedObjects\test");
    let mutant = mutant.expect("new");
    assert_eq!(
        world.create(EventBody, r"\BaseNamedObjects\test"),
        Err(NtStatus::OBJECT_TYPE_MISMATCH)
    );
    let event = world.create(EventBody, r"\BaseNamedObjects\Test");
    let event = event.expect("another name");
    assert_eq!(
        world.open_at(
            Some(&MUTANT),
            Handle::NULL,
            Some(r"\BaseNamedObjects\TEst"),
            insensitive
        ),
        Err(NtStatus::OBJECT_TYPE_MISMATCH)
    );
    world.close(mutant);
    let name = r"\BASENamedObjects\test";
    assert_eq!(
        world.create_at(MutantBody, Handle::NULL, Some(name), insensitive),
        Err(NtStatus::OBJECT_TYPE_MISMATCH)
    );
    assert_eq!(
        world.create_at(EventBody, Handle::NULL, Some(name), insensitive),
        Err(NtStatus::OBJECT_NAME_COLLISION)
    );
    assert_eq!(
        world.create(MutantBody, name),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND)
    );
    assert_eq!(
        world.name_of(event),
        r"\BaseNamedObjects\Test",
        "the case is kept"
    );
}

#[test]
fn collisions() {
    let world = world();
    let open_if = Attributes::OPENIF;
    let at =
        |name, attributes| world.create_at(Directory::new(), Handle::NULL, Some(name), attributes);
    assert_eq!(at(r"\", NONE), Err(NtStatus::OBJECT_NAME_COLLISION));
    assert!(at(r"\", open_if).expect("it is there").1);
    let mutant =
        |name, attributes| world.create_at(MutantBody, Handle::NULL, Some(name), attributes);
    assert_eq!(mutant(r"\", open_if), Err(NtStatus::OBJECT_TYPE_MISMATCH));
    let link = SymbolicLink::new(text("anywhere"), 0);
    assert_eq!(
        world.create(link, r"\"),
        Err(NtStatus::OBJECT_TYPE_MISMATCH)
    );

    let (first, existed) = mutant(r"\BaseNamedObjects\om.c-test", open_if).expect("new");
    assert!(!existed);
    let (second, existed) = mutant(r"\BaseNamedObjects\om.c-test", open_if).expect("there");
    assert!(existed);
    let entry = |handle| world.caller().entry(handle).expect("open");
    assert!(entry(first).object.same(&entry(second).object));
    assert_eq!(
        mutant(r"\BaseNamedObjects\om.c-test", NONE),
        Err(NtStatus::OBJECT_NAME_COLLISION)
    );
    world.close(first);
    assert!(
        world.open(&MUTANT, r"\BaseNamedObjects\om.c-test").is_ok(),
        "one is left"
    );
}

#[test]
fn links_as_in_om() {
    let world = world();
    world
        .create(Directory::new(), r"\BaseNamedObjects\om.c-test")
        .expect("new");
    let link = world.link(r"\DosDevices\test_link", r"\BaseNamedObjects");
    let through = r"\DosDevices\test_link\om.c-test\test_object";
    let event = world.create(EventBody, through).expect("new");
    assert_eq!(
        world.name_of(event),
        r"\BaseNamedObjects\om.c-test\test_object"
    );
    assert_eq!(world.name_of(link), r"\GLOBAL??\test_link");
    assert!(world.open(&EVENT, through).is_ok());
    assert_eq!(
        world.create(EventBody, r"\BaseNamedObjects\om.c-test\test_object"),
        Err(NtStatus::OBJECT_NAME_COLLISION)
    );
    assert_eq!(
        world.open_at(Some(&EVENT), link, Some(r"om.c-test\test_object"), NONE),
        Err(NtStatus::OBJECT_TYPE_MISMATCH)
    );
    assert_eq!(
        world.open(&EVENT, r"\DosDevices\test_link"),
        Err(NtStatus::OBJECT_TYPE_MISMATCH),
        "it leads to a directory"
    );
    assert!(world.open(&SYMBOLIC_LINK, r"\DosDevices\test_link").is_ok());
    assert_eq!(
        world.open(&EVENT, r"\BasedNamedObjects\Local\om.c-test\test_object"),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND)
    );
    assert!(
        world
            .open(&EVENT, r"\BaseNamedObjects\Local\om.c-test\test_object")
            .is_ok()
    );
    assert!(
        world
            .open(&DIRECTORY, r"\BaseNamedObjects\Session\0")
            .is_ok()
    );
    assert_eq!(
        world.create(MutantBody, r"\BaseNamedObjects\om.c-test\test_object\x"),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND)
    );
}
