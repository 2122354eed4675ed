//! The smaller things: delayed imports, notifications, resources, function tables, cookies, locks.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::ops::ControlFlow;
use std::rc::Rc;

use c_interface::{Ptr, field};
use loader::{
    CodeImage, DelayHooks, DynamicFunctions, Layout, LoadFlags, Loader, LockOutcome,
    NewFunctionTable, Procedure, ResourceName, ResourcePath, SearchPath, image_directory,
    image_nt_header, image_rva_to_section, image_rva_to_va,
};
use nt_abi::native::{LdrDataTableEntry, RtlProcessModuleInformation, RtlProcessModules};
use nt_abi::{NtResult, NtStatus};
use support::image::{DEFAULT_COOKIE, POINTER, WIDE};
use support::world::{Sys, text};
use support::{Action, Dll, Export, Import, World, wide};

fn start(world: &Rc<World>) -> Rc<Loader<Sys>> {
    world.start(
        &Dll::new("ntdll.dll").without_entry(),
        &Dll::program("p.exe"),
    )
}

fn state(world: &World) -> (Vec<String>, usize) {
    world.check();
    (world.mapped(), world.blocks())
}

#[test]
fn delayed_imports_are_resolved_once() {
    let world = World::new();
    let mut late = Dll::new("late.dll").exporting(&["one", "two"]);
    late = late.forwarding("far", "other.f");
    world.add(&late);
    world.add(&Dll::new("other.dll").exporting(&["f"]));
    let mut user = Dll::new("user.dll").delaying("late.dll", &["two", "missing", "far"]);
    user.delayed[0].1.push(Import::Ordinal(1));
    user.delayed[0].1.push(Import::Ordinal(99));
    user = user.delaying("nowhere.dll", &["f"]);
    let built = user.build();
    world.add(&user);
    let loader = start(&world);
    let before = state(&world);
    let base = world.load("user.dll").unwrap();
    assert_eq!(world.events(), ["user.dll attach"]);
    let (slots, handle) = built.delayed_slots[0];
    let slot = |number: u32| base.byte_add(slots as usize + POINTER * number as usize);
    let stub = slot(0).cast::<usize>().read();
    assert!(stub > base.address(), "the code that resolves it");
    let descriptor = base.byte_add(built.delay_directory as usize);
    let resolve = |number: u32, hooks: DelayHooks| {
        loader.resolve_delayed(base, descriptor, hooks, slot(number))
    };
    let none = DelayHooks::default();
    let two = resolve(0, none).unwrap();
    assert_eq!(world.events(), ["late.dll attach"]);
    let late_base = world.base_of("late.dll");
    assert_eq!(two, late_base.byte_add(late.address_of("two") as usize));
    assert_eq!(slot(0).cast::<usize>().read(), two.address());
    let kept = base.byte_add(handle as usize).cast::<usize>().read();
    assert_eq!(kept, late_base.address());
    assert_eq!(resolve(0, none), Ok(two));
    assert_eq!(resolve(3, none), Ok(late_base.byte_add(0x2000)));
    let far = resolve(2, none).unwrap();
    assert_eq!(far, world.base_of("other.dll").byte_add(0x2000));
    world.events();

    // Without hooks a failure is a status, and nothing is written.
    let unresolved = slot(1).cast::<usize>().read();
    assert_eq!(resolve(1, none), Err(NtStatus::ENTRYPOINT_NOT_FOUND));
    assert_eq!(resolve(4, none), Err(NtStatus::ORDINAL_NOT_FOUND));
    assert_eq!(slot(1).cast::<usize>().read(), unresolved);
    let hooks = DelayHooks {
        program: Ptr::new(0xAAA),
        system: Ptr::new(0xBBB),
    };
    world.hook_answers.borrow_mut().push_back(Ptr::NULL);
    world.hook_answers.borrow_mut().push_back(Ptr::new(0x5150));
    assert_eq!(resolve(1, hooks), Ok(Ptr::new(0x5150)));
    assert_eq!(slot(1).cast::<usize>().read(), 0x5150);
    world.hook_answers.borrow_mut().push_back(Ptr::new(0x6160));
    assert_eq!(resolve(4, hooks), Ok(Ptr::new(0x6160)));
    assert_eq!(
        world.events(),
        [
            "hook aaa for missing of late.dll: ENTRYPOINT_NOT_FOUND",
            "system hook bbb for missing of late.dll",
            "hook aaa for #99 of late.dll: ORDINAL_NOT_FOUND",
        ]
    );
    // Another DLL that is not there, by its own descriptor.
    let second = base.byte_add(built.delay_directory as usize + 32);
    let place = base.byte_add(built.delayed_slots[1].0 as usize);
    let result = loader.resolve_delayed(base, second, none, place);
    assert_eq!(result, Err(NtStatus::DLL_NOT_FOUND));
    // What is no descriptor, and what is no place.
    let wrong = loader.resolve_delayed(base, Ptr::new(8), none, slot(0));
    assert_eq!(wrong, Err(NtStatus::INVALID_PARAMETER));
    let wrong = loader.resolve_delayed(base, descriptor, none, slot(0).byte_add(3));
    assert_eq!(wrong, Err(NtStatus::INVALID_PARAMETER));
    let wrong = loader.resolve_delayed(base, descriptor, none, slot(5));
    assert_eq!(wrong, Err(NtStatus::INVALID_PARAMETER));
    // The image needs what it resolved.
    loader.unload_dll(base).unwrap();
    assert_eq!(
        world.events(),
        ["user.dll detach", "late.dll detach", "other.dll detach"]
    );
    assert_eq!(state(&world), before);
}

#[test]
fn all_delayed_imports_of_a_dll_are_resolved() {
    let world = World::new();
    world.add(&Dll::new("late.dll").exporting(&["a", "b"]));
    world.add(&Dll::new("poor.dll").exporting(&["a"]));
    let user = Dll::new("user.dll");
    let user = user
        .delaying("poor.dll", &["a", "c"])
        .delaying("late.dll", &["b", "a"]);
    let built = user.build();
    world.add(&user);
    let loader = start(&world);
    let base = world.load("user.dll").unwrap();
    assert_eq!(loader.resolve_all_delayed(base, b"LATE.dll"), Ok(()));
    let late = world.base_of("late.dll");
    let (slots, _) = built.delayed_slots[1];
    for (number, rva) in [(0, 0x2010), (1, 0x2000)] {
        let slot = base
            .byte_add(slots as usize + POINTER * number)
            .cast::<usize>();
        assert_eq!(slot.read(), late.address() + rva);
    }
    for (name, status) in [
        (&b"poor.dll"[..], NtStatus::ENTRYPOINT_NOT_FOUND),
        (b"user32.dll", NtStatus::DLL_NOT_FOUND),
    ] {
        assert_eq!(loader.resolve_all_delayed(base, name), Err(status));
    }
}

#[test]
fn notifications_come_around_entry_points() {
    let world = World::new();
    world.add(&Dll::new("a.dll").importing("b.dll", &["f"]));
    world.add(&Dll::new("b.dll").exporting(&["f"]));
    world.add(&Dll::new("bad.dll").importing("b.dll", &["g"]));
    let loader = start(&world);
    let first = loader.register_notification(0, Ptr::new(0x11), 1).unwrap();
    let second = loader.register_notification(0, Ptr::new(0x22), 2).unwrap();
    assert_eq!(
        loader.register_notification(1, Ptr::new(0x33), 0),
        Err(NtStatus::INVALID_PARAMETER)
    );
    let base = world.load("a.dll").unwrap();
    assert_eq!(
        world.events(),
        [
            "loaded a.dll to 11(1)",
            "loaded a.dll to 22(2)",
            "loaded b.dll to 11(1)",
            "loaded b.dll to 22(2)",
            "b.dll attach",
            "a.dll attach",
        ]
    );
    loader.unregister_notification(first).unwrap();
    assert_eq!(
        loader.unregister_notification(first),
        Err(NtStatus::DLL_NOT_FOUND)
    );
    // A load that cannot be is not told.
    assert_eq!(world.load("bad.dll"), Err(NtStatus::ENTRYPOINT_NOT_FOUND));
    assert_eq!(world.events(), ["error missing g in b.dll"]);
    loader.unload_dll(base).unwrap();
    assert_eq!(
        world.events(),
        [
            "a.dll detach",
            "b.dll detach",
            "unloaded b.dll to 22(2)",
            "unloaded a.dll to 22(2)",
        ]
    );
    // One whose entry point fails came and went.
    world.on("b.dll", 1, Action::Fail);
    assert!(world.load("a.dll").is_err());
    let events = world.events();
    assert_eq!(
        events
            .iter()
            .filter(|line| line.starts_with("loaded"))
            .count(),
        2
    );
    assert_eq!(
        events
            .iter()
            .filter(|line| line.starts_with("unloaded"))
            .count(),
        2
    );
    // A function that loads and frees meanwhile.
    world.forget_actions();
    world.add(&Dll::new("c.dll"));
    world.on("loaded a.dll", 1, Action::Load("c.dll".into()));
    world.on("unloaded a.dll", 2, Action::Free("c.dll".into()));
    let base = world.load("a.dll").unwrap();
    assert_eq!(
        world.mapped(),
        ["a.dll", "b.dll", "c.dll", "ntdll.dll", "p.exe"]
    );
    loader.unload_dll(base).unwrap();
    assert_eq!(world.mapped(), ["ntdll.dll", "p.exe"]);
    loader.unregister_notification(second).unwrap();
}

/// A tree with one type (10), two names (`MENU` and 7), and languages.
fn resource_tree(base_rva: u32) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let put = |out: &mut Vec<u8>, value: u32| out.extend_from_slice(&value.to_le_bytes());
    let directory = |out: &mut Vec<u8>, named: u16, numbered: u16| {
        out.extend_from_slice(&[0; 12]);
        out.extend_from_slice(&named.to_le_bytes());
        out.extend_from_slice(&numbered.to_le_bytes());
    };
    directory(&mut out, 0, 1); // 0x00
    put(&mut out, 10);
    put(&mut out, 0x8000_0018);
    directory(&mut out, 1, 1); // 0x18
    put(&mut out, 0x8000_0090);
    put(&mut out, 0x8000_0038);
    put(&mut out, 7);
    put(&mut out, 0x8000_0058);
    directory(&mut out, 0, 2); // 0x38: MENU in neutral and German
    put(&mut out, 0x0007);
    put(&mut out, 0x70);
    put(&mut out, 0x0409);
    put(&mut out, 0x80);
    directory(&mut out, 0, 1); // 0x58: 7 in French of Canada
    put(&mut out, 0x0C0C);
    put(&mut out, 0x80);
    for (offset, size) in [(0xA0, 4), (0xA4, 6)] {
        for value in [base_rva + offset, size, 0, 0] {
            put(&mut out, value); // 0x70, 0x80
        }
    }
    out.extend_from_slice(&4_u16.to_le_bytes()); // 0x90
    for unit in "MENU".encode_utf16() {
        out.extend_from_slice(&unit.to_le_bytes());
    }
    out.resize(0xA0, 0);
    out.extend_from_slice(b"germ");
    out.extend_from_slice(b"englis");
    out
}

#[test]
fn resources_are_found() {
    let world = World::new();
    let mut dll = Dll::new("r.dll");
    // The tree's place is known when the file is built: it is the first thing in the tables.
    dll.resources = resource_tree(0x3000);
    let built = dll.build();
    let place = pe::Image::from_file(&built.file).unwrap();
    let tree = place.headers().directory(pe::Directory::Resource).unwrap();
    assert_eq!(tree.rva, 0x3000);
    world.add(&dll);
    world.add(&Dll::new("none.dll"));
    world.add_path(r"C:\Program\data.dll", built.file.clone());
    let loader = start(&world);
    let before = state(&world);
    let base = world.load("r.dll").unwrap();
    let load_data = |flags: LoadFlags| {
        loader
            .load_as_data(SearchPath::Default, flags, wide("data").as_str())
            .unwrap()
    };
    let file = load_data(LoadFlags::AS_DATAFILE);
    let image = load_data(LoadFlags::AS_IMAGE_RESOURCE);
    assert_eq!((file.address() & 3, image.address() & 3), (1, 2));
    let menu = wide("Menu");
    let menu = ResourceName::Name(menu.as_str());
    for handle in [base, file, image] {
        let find = |kind: u16, name: ResourceName<'_>, language: u16| -> NtResult<Vec<u8>> {
            let path = ResourcePath {
                kind: Some(ResourceName::Id(kind)),
                name: Some(name),
                language: Some(language),
            };
            let entry = loader.find_resource(handle, &path)?;
            let (data, size) = loader.access_resource(handle, entry)?;
            Ok(data.slice(size as usize).to_vec())
        };
        // German of Switzerland is not there, German is.
        assert_eq!(find(10, menu, 0x0807).unwrap(), b"germ");
        assert_eq!(find(10, menu, 0x0409).unwrap(), b"englis");
        assert_eq!(find(10, menu, 0).unwrap(), b"englis");
        assert_eq!(find(10, ResourceName::Id(7), 0).unwrap(), b"englis");
        assert_eq!(find(10, ResourceName::Id(7), 0x0C0C).unwrap(), b"englis");
        let missing = [
            (find(10, menu, 0x0411), NtStatus::RESOURCE_LANG_NOT_FOUND),
            (find(11, menu, 0), NtStatus::RESOURCE_TYPE_NOT_FOUND),
            (
                find(10, ResourceName::Id(8), 0),
                NtStatus::RESOURCE_NAME_NOT_FOUND,
            ),
        ];
        for (result, status) in missing {
            assert_eq!(result, Err(status));
        }
        let root = loader
            .find_resource_directory(handle, &ResourcePath::default())
            .unwrap();
        let directory = loader.find_resource_directory(
            handle,
            &ResourcePath {
                kind: Some(ResourceName::Id(10)),
                ..ResourcePath::default()
            },
        );
        assert_eq!(directory, Ok(root.byte_add(0x18)));
    }
    let none = world.load("none.dll").unwrap();
    let result = loader.find_resource_directory(none, &ResourcePath::default());
    assert_eq!(result, Err(NtStatus::RESOURCE_DATA_NOT_FOUND));
    let name = loader.data_file_name(file, |name| Ok(name.to_string()));
    assert_eq!(name.unwrap(), r"C:\Program\data.dll");
    loader.unload_data(file).unwrap();
    loader.unload_data(image).unwrap();
    assert_eq!(loader.unload_data(image), Err(NtStatus::DLL_NOT_FOUND));
    loader.unload_dll(base).unwrap();
    loader.unload_dll(none).unwrap();
    assert_eq!(state(&world), before);
}

#[test]
fn code_is_found_by_address() {
    let world = World::new();
    let mut with = Dll::new("with.dll");
    with.functions = vec![(0x1000, 0x1080, 0x3000), (0x1100, 0x1200, 0x3000)];
    world.add(&with);
    world.add(&Dll::new("without.dll"));
    let loader = start(&world);
    let base = world.load("with.dll").unwrap();
    let other = world.load("without.dll").unwrap();
    let found = loader.code_image(base.address() + 0x1234).unwrap();
    let expected = CodeImage {
        base,
        size: found.size,
        functions: base.byte_add(0x3000),
        functions_size: 24,
    };
    assert_eq!(found, expected);
    assert_eq!(loader.code_image(base.address()), Some(expected));
    let end = base.address() + found.size as usize;
    assert_eq!(loader.code_image(end - 1), Some(expected));
    assert_ne!(loader.code_image(end), Some(expected));
    let bare = loader.code_image(other.address() + 5).unwrap();
    assert_eq!((bare.base, bare.functions), (other, Ptr::NULL));
    assert_eq!(loader.code_image(0x10), None);
    let entry = loader.find_entry(base.address() + 8).unwrap();
    assert_eq!(entry, world.entry("with.dll"));
    assert_eq!(loader.find_entry(8), Err(NtStatus::NO_MORE_ENTRIES));
    loader.unload_dll(base).unwrap();
    assert_eq!(loader.code_image(base.address() + 0x1234), None);
    assert_eq!(loader.code_image(other.address()), Some(bare));
}

#[test]
fn more_images_than_the_table_has_room_for() {
    let world = World::new();
    let loader = start(&world);
    let file = Dll::new("x.dll").build().file;
    let mut bases = Vec::new();
    for number in 0..600 {
        world.add_file(&format!("n{number}.dll"), file.clone());
        bases.push(world.load(&format!("n{number}.dll")).unwrap());
    }
    let check = |bases: &[Ptr<u8>]| {
        for base in bases {
            let image = loader.code_image(base.address() + 0x1010).unwrap();
            assert_eq!(image.base, *base);
        }
    };
    check(&bases);
    while let Some(base) = bases.pop() {
        loader.unload_dll(base).unwrap();
        assert_eq!(loader.code_image(base.address()), None);
        if bases.len() % 97 == 0 {
            let middle = bases.len() / 2;
            bases.rotate_left(middle);
            check(&bases);
        }
    }
}

#[test]
fn code_in_no_image_has_tables() {
    if !WIDE {
        // x86 has no function tables.
        return;
    }
    let world = World::new();
    let loader = start(&world);
    let before = world.blocks();
    // 12 bytes for each function of x64: begin, end, unwind data.
    let sorted: [u32; 9] = [0x100, 0x180, 0, 0x180, 0x200, 0, 0x300, 0x340, 0];
    let unsorted: [u32; 6] = [0x900, 0x980, 0, 0x800, 0x880, 0];
    let code = Ptr::<u8>::new(0x7000_0000);
    let entries = |table: &[u32]| Ptr::<u8>::new(table.as_ptr().expose_provenance());
    loader.add_functions(entries(&sorted), 3, code).unwrap();
    loader.add_functions(entries(&unsorted), 2, code).unwrap();
    let find = |offset: usize| {
        let found = loader.dynamic_functions(code.address() + offset)?;
        loader.dynamic_function(&found, code.address() + offset)
    };
    let rows = [
        (0x0FF, None),
        (0x100, Some(0)),
        (0x17F, Some(0)),
        (0x180, Some(1)),
        (0x200, None),
        (0x33F, Some(2)),
        (0x340, None),
    ];
    for (offset, number) in rows {
        let expected = number.map(|number: usize| entries(&sorted).byte_add(12 * number));
        assert_eq!(find(offset), expected, "{offset:#x}");
    }
    assert_eq!(find(0x810), Some(entries(&unsorted).byte_add(12)));
    assert_eq!(find(0x910), Some(entries(&unsorted)));
    assert_eq!(find(0x8A0), None);
    let growing = NewFunctionTable {
        entries: entries(&sorted),
        count: 1,
        base: code.byte_add(0x1000),
        start: code.address() + 0x1000,
        end: code.address() + 0x2000,
    };
    let handle = loader.add_growable_functions(&growing).unwrap();
    assert_eq!(find(0x1190), None);
    loader.grow_functions(handle, 2);
    assert_eq!(find(0x1190), Some(entries(&sorted).byte_add(12)));
    let callback = |identifier| {
        let range = (code.byte_add(0x3000), 0x100);
        loader.add_function_callback(identifier, range, Ptr::new(0xCA11), 5, Ptr::NULL)
    };
    assert_eq!(callback(0x1001), Err(NtStatus::INVALID_PARAMETER));
    callback(0x1003).unwrap();
    assert_eq!(
        loader.dynamic_functions(code.address() + 0x30FF),
        Some(DynamicFunctions::Callback {
            function: Ptr::new(0xCA11),
            context: 5,
            base: code.byte_add(0x3000),
        })
    );
    assert_eq!(loader.dynamic_functions(code.address() + 0x3100), None);
    loader.delete_functions(0x1003).unwrap();
    loader.delete_functions(entries(&sorted).address()).unwrap();
    loader
        .delete_functions(entries(&unsorted).address())
        .unwrap();
    assert_eq!(
        loader.delete_functions(entries(&sorted).address()),
        Err(NtStatus::INVALID_PARAMETER),
        "the growable one has a handle"
    );
    loader.delete_growable_functions(handle).unwrap();
    assert_eq!(
        loader.delete_growable_functions(handle),
        Err(NtStatus::INVALID_PARAMETER)
    );
    assert_eq!(world.blocks(), before);
}

#[test]
fn cookies_are_made_once() {
    let default = DEFAULT_COOKIE;
    // The top 16 bits of a wide one are 0; of a narrow one's two halves both count.
    let random = 0x1234_5678_9ABC_DEF0_u64;
    let rows = [
        (
            default,
            random,
            if WIDE {
                random & 0xFFFF_FFFF_FFFF
            } else {
                0x8888_8888
            },
        ),
        // Somebody has set it already.
        (0x4242_4242, 1, 0x4242_4242),
        (default, 0, 1),
        (default, default, default + 1),
        (
            0xBB40,
            0x0000_0005_0000_0000,
            if WIDE { 0x5_0000_0000 } else { 5 },
        ),
    ];
    for (brought, random, expected) in rows {
        let world = World::new();
        world.random.set(random);
        let mut dll = Dll::new("c.dll");
        dll.cookie = Some(brought);
        let built = dll.build();
        world.add(&dll);
        let _loader = start(&world);
        let base = world.load("c.dll").unwrap();
        let cookie = base.byte_add(built.cookie as usize).cast::<usize>().read();
        assert_eq!(cookie as u64, expected, "{brought:#x} {random:#x}");
        world.check();
    }
}

#[test]
fn imports_that_were_bound_are_resolved_anew() {
    for lookup_table in [true, false] {
        let world = World::new();
        world.add(&Dll::new("a.dll").exporting(&["f", "g"]));
        let mut bound = Dll::new("b.dll").importing("a.dll", &["g", "#1"]);
        bound.bound = u32::MAX;
        bound.lookup_table = lookup_table;
        let built = bound.build();
        world.add(&bound);
        let _loader = start(&world);
        let before = state(&world);
        let result = world.load("b.dll");
        if !lookup_table {
            // Nothing says what is wanted any more.
            assert_eq!(result, Err(NtStatus::INVALID_IMAGE_FORMAT));
            assert_eq!(state(&world), before);
            continue;
        }
        let base = result.unwrap();
        let slot = |number: usize| {
            let at = built.slots[0] as usize + POINTER * number;
            base.byte_add(at).cast::<usize>().read()
        };
        let a = world.base_of("a.dll").address();
        assert_eq!((slot(0), slot(1)), (a + 0x2010, a + 0x2000));
    }
}

#[test]
fn import_tables_are_opened_as_seldom_as_can_be() {
    let names: Vec<String> = (0..50).map(|number| format!("f{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (address_table, most) in [(true, 2), (false, 8)] {
        let world = World::new();
        let mut user = Dll::new("user.dll");
        user.address_table = address_table;
        for number in 0..4 {
            let name = format!("x{number}.dll");
            world.add(&Dll::new(&name).exporting(&names));
            user = user.importing(&name, &names);
        }
        world.add(&user);
        let _loader = start(&world);
        world.protect_calls.set(0);
        world.load("user.dll").unwrap();
        assert_eq!(world.protect_calls.get(), most);
        world.check();
    }
}

#[test]
fn modules_are_listed() {
    let world = World::new();
    world.add(&Dll::new("a.dll"));
    let loader = start(&world);
    world.load("a.dll").unwrap();
    let mut names = Vec::new();
    loader
        .enumerate(|entry| {
            let name = field!(entry, LdrDataTableEntry, base_dll_name).read();
            names.push(text(name).to_string());
            if names.len() == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
    assert_eq!(names, ["p.exe", "ntdll.dll"]);
    let row = size_of::<RtlProcessModuleInformation>();
    let header = size_of::<RtlProcessModules>();
    let mut buffer = vec![0_u64; (header + 3 * row).div_ceil(8)];
    let at = Ptr::<u8>::new(buffer.as_mut_ptr().expose_provenance());
    let whole = u32::try_from(header + 3 * row).unwrap();
    assert_eq!(
        loader.process_modules(at, whole - 1),
        (NtStatus::INFO_LENGTH_MISMATCH, whole)
    );
    assert_eq!(
        loader.process_modules(Ptr::NULL, 0),
        (NtStatus::INFO_LENGTH_MISMATCH, whole)
    );
    assert_eq!(
        loader.process_modules(at, whole),
        (NtStatus::SUCCESS, whole)
    );
    assert_eq!(at.cast::<u32>().read(), 3);
    let third = at
        .byte_add(header + 2 * row)
        .cast::<RtlProcessModuleInformation>()
        .read();
    assert_eq!(third.image_base, world.base_of("a.dll").raw());
    let name = &third.full_path_name[usize::from(third.offset_to_file_name)..];
    assert!(name.starts_with(b"a.dll\0"));
    assert_eq!((third.load_order_index, third.load_count), (2, 1));
}

#[test]
fn the_loader_lock_has_cookies() {
    let world = World::new();
    let loader = start(&world);
    let LockOutcome::Acquired(cookie) = loader.lock_loader_lock(false) else {
        panic!("nobody else has it");
    };
    assert_ne!(cookie, 0);
    assert_eq!(
        loader.unlock_loader_lock(cookie + 0x1_0000),
        Err(NtStatus::INVALID_PARAMETER_2)
    );
    let again = loader.lock_loader_lock(true);
    assert!(matches!(again, LockOutcome::Acquired(_)));
    assert_eq!(loader.unlock_loader_lock(cookie), Ok(()));
    assert_eq!(loader.unlock_loader_lock(cookie), Ok(()));
    assert_eq!(
        loader.unlock_loader_lock(cookie),
        Err(NtStatus::INVALID_PARAMETER_2),
        "it is not held any more"
    );
    assert_eq!(loader.unlock_loader_lock(0), Ok(()));
    world.check();
}

#[test]
fn images_of_all_kinds_are_looked_at() {
    let mut dll = Dll::new("i.dll").exporting(&["f"]);
    dll.resources = b"resources".to_vec();
    let built = dll.build();
    let file = Ptr::<u8>::new(built.file.as_ptr().expose_provenance());
    let size = built.file.len() as u64;
    let headers = image_nt_header(file, Some(size)).unwrap();
    assert_eq!(headers, file.byte_add(0x80));
    assert_eq!(
        image_nt_header(file, Some(0x90)),
        Err(NtStatus::INVALID_IMAGE_FORMAT)
    );
    assert_eq!(
        image_nt_header(file, Some(0)),
        Err(NtStatus::INVALID_IMAGE_FORMAT)
    );
    assert_eq!(
        image_nt_header(Ptr::NULL, None),
        Err(NtStatus::INVALID_PARAMETER)
    );
    let image = pe::Image::from_file(&built.file).unwrap();
    let directory = image.headers().directory(pe::Directory::Resource).unwrap();
    let section = image
        .sections()
        .iter()
        .find(|section| section.rva <= directory.rva);
    let _ = section;
    let (at, size) = image_directory(file, Layout::File, 2).unwrap();
    assert_eq!((at.slice(9), size), (&b"resources"[..], 9));
    let tagged = file.byte_add(1);
    assert_eq!(image_directory(tagged, Layout::Mapped, 2), Some((at, size)));
    assert_eq!(
        image_directory(file, Layout::Mapped, 2),
        Some((file.byte_add(directory.rva as usize), 9))
    );
    assert_eq!(
        image_directory(file, Layout::File, 5).map(|(_, size)| size),
        Some(8)
    );
    assert_eq!(image_directory(file, Layout::File, 6), None);
    assert_eq!(image_directory(file, Layout::File, 16), None);
    assert_eq!(image_rva_to_va(headers, file, directory.rva), Some(at));
    assert_eq!(image_rva_to_va(headers, file, 0x7000_0000), None);
    let table = image_rva_to_section(headers, 0x1234).unwrap();
    assert_eq!(table.slice(5), b".text");
}

#[test]
fn exports_by_hint_and_by_name_are_the_same() {
    // Hints that are right, wrong and out of range; names in and out of order.
    let names: Vec<String> = (0..300)
        .map(|number| format!("Function{}", number * 7919 % 1000))
        .collect();
    let world = World::new();
    let mut dll = Dll::new("many.dll");
    for name in &names {
        dll.exports.push((name.clone(), Export::Code));
    }
    world.add(&dll);
    let mut user = Dll::new("user.dll");
    let mut wanted = Vec::new();
    for (number, name) in (0_u16..).zip(&names) {
        wanted.push(Import::Name(name.clone(), number.wrapping_mul(37)));
    }
    user.imports.push(("many.dll".into(), wanted));
    let built = user.build();
    world.add(&user);
    let loader = start(&world);
    let base = world.load("user.dll").unwrap();
    let many = world.base_of("many.dll");
    for (number, name) in names.iter().enumerate() {
        let slot = base.byte_add(built.slots[0] as usize + POINTER * number);
        let expected = many.byte_add(0x2000 + 16 * number);
        assert_eq!(slot.cast::<usize>().read(), expected.address(), "{name}");
        let asked = loader.procedure_address(many, Procedure::Name(name.as_bytes()));
        assert_eq!(asked, Ok(expected), "{name}");
        let missing = format!("{name}x");
        let asked = loader.procedure_address(many, Procedure::Name(missing.as_bytes()));
        assert_eq!(asked, Err(NtStatus::ENTRYPOINT_NOT_FOUND));
    }
}
