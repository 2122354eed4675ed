//! The smaller things: delayed imports, notifications, cookies, import tables of all kinds, locks.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::rc::Rc;

use c_interface::Ptr;
use loader::{DelayHooks, Loader, LockOutcome, Procedure};
use nt_abi::NtStatus;
use support::image::{DEFAULT_COOKIE, POINTER, WIDE};
use support::world::Sys;
use support::{Action, Dll, Export, Import, World};

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
