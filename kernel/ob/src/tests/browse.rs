//! The namespace: what stands in it, parse procedures, names that come and go.

use std::string::ToString;

use rtl::Utf16Str;

use super::*;
use crate::object_type::Procedures;

/// The names and types in a directory, in order.
fn list(world: &World, path: &str) -> Vec<(String, &'static str)> {
    let handle = world.open(&DIRECTORY, path).expect("it is there");
    let caller = world.caller();
    let directory = caller
        .reference_by_handle::<Directory>(handle, AccessMask::DIRECTORY_QUERY)
        .expect("open");
    let entries = (0..).map_while(|number| directory.entry(number));
    let mut names: Vec<_> = entries
        .map(|entry| (entry.name.to_string(), entry.object.head().kind().name()))
        .collect();
    assert_eq!(names.len(), directory.len());
    names.sort();
    world.close(handle);
    names
}

/// What is in the namespace from the start: each directory with what is in it.
const TREE: &[(&str, &str)] = &[
    (
        r"\",
        r"BaseNamedObjects\ Callback\ Device\ DosDevices> Driver\ FileSystem\ GLOBAL??\ KernelObjects\ KnownDlls\ KnownDlls32\ NLS\ ObjectTypes\ RPC_Control\ Security\ Sessions\ Windows\",
    ),
    (r"\GLOBAL??", "GLOBALROOT> Global>"),
    (r"\??", "GLOBALROOT> Global>"),
    (r"\BaseNamedObjects", r"Global> Local> Restricted\ Session>"),
    (r"\Sessions", r"0\ 1\ BNOLINKS\"),
    (r"\Sessions\0", r"DosDevices\ Windows\"),
    (r"\Sessions\1", r"BaseNamedObjects\ DosDevices\ Windows\"),
    (r"\Sessions\1\Windows", r"WindowStations\"),
    (r"\Sessions\1\BaseNamedObjects", "Global> Local> Session>"),
    (r"\Sessions\BNOLINKS", "0> 1>"),
    (r"\Device", ""),
    (r"\KnownDlls32", ""),
];

#[test]
fn the_standard_tree() {
    let world = world();
    for (path, expected) in TREE {
        let shown: Vec<_> = list(&world, path)
            .into_iter()
            .map(|(name, kind)| {
                let mark = if kind == "Directory" { r"\" } else { ">" };
                name.replace(' ', "_") + mark
            })
            .collect();
        assert_eq!(shown.join(" "), *expected, "{path}");
    }
    let types = list(&world, r"\ObjectTypes");
    assert!(types.iter().all(|(_, kind)| *kind == "Type"));
    for kind in types_by_name() {
        assert!(types.iter().any(|(name, _)| name == kind), "{kind}");
    }
}

fn types_by_name() -> Vec<&'static str> {
    types().map(ObjectType::name).collect()
}

#[test]
fn types_are_numbered_from_two_on() {
    let _world = world();
    let numbers: Vec<_> = types().map(ObjectType::index).collect();
    assert!(numbers.iter().copied().eq((2..).take(numbers.len())));
    assert_eq!(types_by_name()[..3], ["Type", "Directory", "SymbolicLink"]);
    static SECOND_EVENT: ObjectType = ObjectType::new(TypeDescription {
        name: "Event",
        ..TypeDescription::PLAIN
    });
    assert_eq!(
        register_type(&SECOND_EVENT),
        Err(NtStatus::OBJECT_NAME_COLLISION)
    );
    assert_eq!(register_type(&EVENT), Ok(()), "once more changes nothing");
    let event = query::of_type(&EVENT);
    assert_eq!(
        (event.name, event.mapping.generic_all.0),
        ("Event", 0x1F_0003)
    );
}

#[test]
fn many_names_in_a_directory() {
    let world = world();
    world
        .create(Directory::new(), r"\BaseNamedObjects\many")
        .expect("new");
    for number in 0..500 {
        let name = std::format!(r"\BaseNamedObjects\many\{number}");
        world.create(EventBody, &name).expect("new");
    }
    let names = list(&world, r"\BaseNamedObjects\many");
    assert_eq!(names.len(), 500);
    for number in 0..500 {
        let name = std::format!(r"\BaseNamedObjects\MANY\{number}");
        let insensitive = Attributes::CASE_INSENSITIVE;
        let handle = world.open_at(Some(&EVENT), Handle::NULL, Some(&name), insensitive);
        world.close(handle.expect("it is there"));
        assert_eq!(
            world.open(&EVENT, &name),
            Err(NtStatus::OBJECT_PATH_NOT_FOUND)
        );
    }
}

/// A type whose objects parse the rest of a name, as devices do.
pub(super) static DEVICE: ObjectType = ObjectType::new(TypeDescription {
    name: "TestDevice",
    procedures: Procedures {
        parse: Some(parse),
        ..Procedures::NONE
    },
    ..TypeDescription::PLAIN
});

struct Device;

impl ObjectBody for Device {
    fn kind() -> &'static ObjectType {
        &DEVICE
    }
}

/// Opens an event for each name, leads `elsewhere` to an event that is there, and refuses other types.
fn parse(walk: &mut Parse<'_, '_>) -> NtResult<Parsed> {
    if let Some(seen) = walk
        .context
        .as_mut()
        .and_then(|any| any.downcast_mut::<Vec<String>>())
    {
        seen.push(walk.remaining.to_string());
        seen.push(walk.complete.to_string());
    }
    if walk.remaining == *r"\elsewhere" {
        return Ok(Parsed::Reparse(text(r"\BaseNamedObjects\e")));
    }
    if walk.kind != Some(&EVENT) {
        return Err(NtStatus::OBJECT_TYPE_MISMATCH);
    }
    // It looks at rights by itself.
    walk.state.grant_all(&EVENT);
    let created = create(EventBody, &CreateParameters::KERNEL)?;
    Ok(Parsed::Object(Object::erase(created.into_object())))
}

#[test]
fn parse_procedures_take_over() {
    let world = world();
    let device = world.create(Device, r"\Device\Test").expect("new");
    let event = world
        .create(EventBody, r"\BaseNamedObjects\e")
        .expect("new");
    let mut seen: Vec<String> = Vec::new();
    let name = text(r"\Device\Test\any\thing");
    let parameters = OpenParameters {
        name: Some(name.as_str()),
        root: Root::Namespace,
        attributes: NONE,
        kind: Some(&EVENT),
        access: AccessMask::GENERIC_READ,
        subject: Subject::kernel(),
    };
    let opened = open_by_name(&world.caller(), &parameters, Some(&mut seen)).expect("it opens");
    assert_eq!(seen, [r"\any\thing", r"\Device\Test\any\thing"]);
    assert_eq!(world.name_of(opened), "", "it has no name of its own");
    let relative = OpenParameters {
        name: Some(Utf16Str::new(&name.as_str().units()[13..])),
        root: Root::Handle(world.caller(), device),
        ..parameters
    };
    open_by_name(&world.caller(), &relative, Some(&mut seen)).expect("it opens");
    assert_eq!(seen[2..], [r"any\thing", r"any\thing"]);
    let elsewhere = world
        .open(&EVENT, r"\Device\Test\elsewhere")
        .expect("it leads there");
    let object = |handle| world.caller().entry(handle).expect("open").object;
    assert!(object(elsewhere).same(&object(event)));
    assert_eq!(
        world.open(&MUTANT, r"\Device\Test\x"),
        Err(NtStatus::OBJECT_TYPE_MISMATCH)
    );
    assert_eq!(
        world.create(MutantBody, r"\Device\Test\x"),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND),
        "nothing is made behind it"
    );
    assert_eq!(
        world.create(Device, r"\Device\Test"),
        Err(NtStatus::OBJECT_NAME_COLLISION)
    );
}

#[test]
fn temporary_objects_leave_and_permanent_ones_stay() {
    let world = world();
    let name = r"\BaseNamedObjects\p";
    let not_found = Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    let first = world.create(EventBody, name).expect("new");
    let second = world.open(&EVENT, name).expect("there");
    world.close(first);
    let third = world.open(&EVENT, name).expect("the second keeps it");
    world.close(third);
    world.close(second);
    assert_eq!(world.open(&EVENT, name), not_found);

    let (handle, _) = world
        .create_at(EventBody, Handle::NULL, Some(name), Attributes::PERMANENT)
        .expect("new");
    world.close(handle);
    let handle = world.open(&EVENT, name).expect("it stays");
    let object = world.caller().entry(handle).expect("open").object;
    make_temporary(&object);
    assert!(world.open(&EVENT, name).is_ok(), "there are handles");
    make_permanent(&object, &Subject::kernel()).expect("the kernel may");
    world.table.close_all();
    assert!(reference(name).is_ok());
    make_temporary(&object);
    assert_eq!(
        reference(name).map(drop),
        not_found.map(drop),
        "there are none"
    );

    // One that never had a handle stays until someone has had one.
    let path = text(name);
    let made = create(
        EventBody,
        &CreateParameters {
            name: Some(path.as_str()),
            ..CreateParameters::KERNEL
        },
    );
    let object = made.expect("new").into_object();
    assert!(reference(name).is_ok());
    assert!(reference(name).is_ok());
    make_temporary(Object::as_erased(&object));
    assert_eq!(reference(name).map(drop), not_found.map(drop));
}

fn reference(name: &str) -> NtResult<AnyObject> {
    let name = text(name);
    let parameters = OpenParameters {
        name: Some(name.as_str()),
        root: Root::Namespace,
        attributes: NONE,
        kind: Some(&EVENT),
        access: AccessMask::NONE,
        subject: Subject::kernel(),
    };
    reference_by_name(&parameters, None)
}

#[test]
fn full_names() {
    let world = world();
    assert_eq!(
        world.name_of(world.open(&DIRECTORY, r"\").expect("there")),
        r"\"
    );
    let unnamed = world.create(Directory::new(), "").expect("memory");
    assert_eq!(world.name_of(unnamed), "");
    let inside = world
        .create_at(EventBody, unnamed, Some("x"), NONE)
        .expect("new")
        .0;
    assert_eq!(world.name_of(inside), r"...\x", "the rest is not known");
    let session = world
        .open(&DIRECTORY, r"\BaseNamedObjects\Session\1")
        .expect("there");
    assert_eq!(world.name_of(session), r"\Sessions\1\BaseNamedObjects");
    let entry = world.caller().entry(session).expect("open");
    let basic = query::basic(&entry).expect("memory");
    assert_eq!(basic.attributes, Attributes::PERMANENT);
    assert_eq!((basic.handle_count, basic.name_units), (1, 28));
    let link = world
        .create(SymbolicLink::new(text(r"\x"), 77), r"\BaseNamedObjects\l")
        .expect("new");
    let link = query::basic(&world.caller().entry(link).expect("open")).expect("memory");
    assert_eq!((link.creation_time, link.granted_access.0), (77, 0xF_FFFF));
    assert_eq!(query::compare(&entry, &entry), Ok(()));
}
