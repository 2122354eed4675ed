//! Calls of the system that fail, and files that are damaged: whatever happens, nothing is left behind.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::path::PathBuf;
use std::rc::Rc;

use c_interface::Ptr;
use loader::{DelayHooks, Loader, Procedure, ResourceName, ResourcePath};
use nt_abi::{NtResult, NtStatus};
use rtl::Random;
use support::damage::{damage, places};
use support::image::{DEFAULT_COOKIE, POINTER};
use support::world::{List, Sys};
use support::{Dll, World};

fn ntdll() -> Dll {
    Dll::new("ntdll.dll")
        .exporting(&["NtClose", "RtlZeroMemory"])
        .without_entry()
}

/// DLLs that use everything.
fn rich() -> Vec<Dll> {
    let mut first = Dll::new("first.dll")
        .exporting(&["alpha", "beta", "gamma"])
        .importing("second.dll", &["one", "#2", "far"])
        .importing("ntdll.dll", &["NtClose"])
        .importing("api-ms-win-core-file-l1-1-0.dll", &["CreateFileW"])
        .delaying("late.dll", &["later", "far"])
        .with_tls(b"template", 24, 2);
    first.cookie = Some(DEFAULT_COOKIE);
    first.functions = vec![(0x1000, 0x1100, 0x3000)];
    first.resources = vec![0; 64];
    first.resources[14] = 1;
    first.resources[16] = 10;
    first.resources[20] = 0x20;
    let second = Dll::new("second.dll")
        .exporting(&["one", "two"])
        .forwarding("far", "third.away")
        .forwarding("close", "first.alpha")
        .importing("first.dll", &["beta"])
        .with_tls(b"2nd", 0, 0);
    let third = Dll::new("third.dll")
        .exporting(&["away"])
        .importing("fourth.dll", &["x"])
        .forwarding("deep", "fourth.x");
    let fourth = Dll::new("fourth.dll")
        .exporting(&["x"])
        .with_tls(b"4", 100, 1);
    let late = Dll::new("late.dll")
        .exporting(&["later"])
        .forwarding("far", "fifth.f");
    let fifth = Dll::new("fifth.dll")
        .exporting(&["f"])
        .importing("third.dll", &["deep"]);
    let base = Dll::new("kernelbase.dll").exporting(&["CreateFileW", "ReadFile"]);
    vec![first, second, third, fourth, late, fifth, base]
}

/// Uses everything that a loaded first.dll offers; whatever comes of it.
fn exercise(world: &World, loader: &Loader<Sys>, base: Ptr<u8>) -> NtResult {
    let mut worst = Ok(());
    let mut note = |result: NtResult<Ptr<u8>>| {
        if let Err(status) = result {
            worst = Err(status);
        }
    };
    for name in [&b"alpha"[..], b"gamma\0", b"none"] {
        note(loader.procedure_address(base, Procedure::Name(name)));
    }
    note(loader.procedure_address(base, Procedure::Ordinal(2)));
    if let Ok(module) = world.load("second.dll") {
        note(loader.procedure_address(module, Procedure::Name(b"close")));
        note(loader.unload_dll(module).map(|()| module));
    }
    let path = ResourcePath {
        kind: Some(ResourceName::Id(10)),
        name: Some(ResourceName::Id(1)),
        language: Some(0),
    };
    if let Ok(entry) = loader.find_resource(base, &path) {
        note(loader.access_resource(base, entry).map(|(data, _)| data));
    }
    note(loader.find_resource_directory(base, &ResourcePath::default()));
    world.switch_to(1);
    if loader.attach_thread().is_ok() {
        note(world.load("third.dll"));
        loader.shutdown_thread();
        if world.mapped().contains(&"third.dll".to_owned()) {
            let third = world.base_of("third.dll");
            note(loader.unload_dll(third).map(|()| third));
        }
    }
    world.switch_to(0);
    worst
}

/// A process with one thread, and another one that nobody told the loader of yet.
fn start(world: &Rc<World>) -> Rc<Loader<Sys>> {
    world.new_thread();
    world.start(&ntdll(), &Dll::program("p.exe").with_tls(b"p", 0, 1))
}

type State = (Vec<String>, usize, Vec<String>, Vec<String>);

fn state(world: &World) -> State {
    world.check();
    (
        world.mapped(),
        world.blocks(),
        world.list(List::Load),
        world.list(List::Initialization),
    )
}

#[test]
fn each_call_fails_at_a_start() {
    let program = Dll::program("p.exe")
        .importing("first.dll", &["alpha"])
        .importing("fifth.dll", &["f"])
        .with_tls(b"program", 8, 1);
    let mut failures = 0;
    for step in 0.. {
        let world = World::new();
        for dll in rich() {
            world.add(&dll);
        }
        let loader = world.loader();
        world.fail_at(Some(step));
        let result = world.initialize(&loader, &ntdll(), &program, Some("kernelbase.dll"));
        if result.is_ok() {
            assert!(world.steps.get() <= step, "a call failed and nobody saw it");
            world.fail_at(None);
            loader.attach_process(1).unwrap();
            break;
        }
        failures += 1;
        world.check();
        assert_eq!(world.mapped(), ["ntdll.dll", "p.exe"], "call {step}");
        assert_eq!(world.blocks(), 0, "call {step}");
        assert!(world.events().iter().all(|line| line.starts_with("error")));
        assert_eq!(world.list(List::Load), Vec::<String>::new());
    }
    assert!(failures > 40, "{failures}");
}

#[test]
fn each_call_fails_at_a_load() {
    let world = World::new();
    for dll in rich() {
        world.add(&dll);
    }
    let loader = start(&world);
    let before = state(&world);
    let mut failures = 0;
    for step in 0.. {
        world.fail_at(Some(step));
        let result = world.load("first.dll");
        let all = world.steps.get() <= step;
        world.fail_at(None);
        if all {
            exercise(&world, &loader, result.unwrap()).unwrap_err();
            loader.unload_dll(result.unwrap()).unwrap();
            assert_eq!(state(&world), before);
            break;
        }
        failures += 1;
        let status = result.unwrap_err();
        let known = [NtStatus::NO_MEMORY, NtStatus::INSUFFICIENT_RESOURCES];
        assert!(known.contains(&status), "call {step}: {status}");
        assert_eq!(state(&world), before, "call {step}");
    }
    assert!(failures > 25, "{failures}");
}

#[test]
fn each_call_fails_later() {
    let world = World::new();
    for dll in rich() {
        world.add(&dll);
    }
    let loader = start(&world);
    let first = &rich()[0];
    let built = first.build();
    let before = state(&world);
    let mut failures = 0;
    for step in 0..1000 {
        let base = world.load("first.dll").unwrap();
        let loaded = state(&world);
        world.fail_at(Some(step));
        let descriptor = base.byte_add(built.delay_directory as usize);
        let slot = base.byte_add(built.delayed_slots[0].0 as usize + POINTER);
        let delayed = loader.resolve_delayed(base, descriptor, DelayHooks::default(), slot);
        let in_delayed = world.steps.get() > step;
        if in_delayed {
            assert!(delayed.is_err(), "call {step}");
        }
        let _ = exercise(&world, &loader, base);
        let all = world.steps.get() <= step;
        world.fail_at(None);
        world.check();
        let _ = loaded;
        loader.unload_dll(base).unwrap();
        // The first thread's vectors stay as they have grown.
        assert_eq!(state(&world).0, before.0, "call {step}");
        if all {
            break;
        }
        failures += 1;
    }
    assert!(failures > 12, "{failures}");
}

/// Loads a damaged file and uses it; then everything must be as before.
fn try_file(world: &World, loader: &Loader<Sys>, file: Vec<u8>, what: &dyn Fn() -> String) -> bool {
    world.add_file("first.dll", file);
    let before = state(world);
    let result = world.load("first.dll");
    if let Ok(base) = result {
        let _ = exercise(world, loader, base);
        let _ = loader.resolve_all_delayed(base, b"late.dll");
        assert_eq!(loader.unload_dll(base), Ok(()), "{}", what());
    }
    let after = state(world);
    assert_eq!(
        after.0,
        before.0,
        "{} {result:?} {:?}",
        what(),
        world.events()
    );
    assert_eq!(after.2, before.2, "{}", what());
    assert_eq!(after.3, before.3, "{}", what());
    world.events();
    result.is_ok()
}

#[test]
fn damaged_files_leave_nothing() {
    let world = World::new();
    world.lenient.set(true);
    for dll in rich() {
        world.add(&dll);
    }
    let loader = start(&world);
    let good = rich()[0].build().file;
    let places = places(&good);
    let mut loaded = 0;
    const MUTANTS: u64 = 24_000;
    for seed in 0..MUTANTS {
        let mut random = Random::new(seed);
        let mut file = good.clone();
        damage(&mut random, &places, &mut file);
        world.leave_unrelocated.set(seed % 8 == 0);
        if try_file(&world, &loader, file, &|| format!("seed {seed}")) {
            loaded += 1;
        }
    }
    // Enough that comes through, and enough that does not.
    assert!(
        loaded > MUTANTS / 10 && loaded < MUTANTS * 9 / 10,
        "{loaded}"
    );
}

#[test]
fn damaged_exports_leave_nothing() {
    let world = World::new();
    world.lenient.set(true);
    for dll in rich() {
        world.add(&dll);
    }
    let loader = start(&world);
    let good = rich()[1].build().file;
    let places = places(&good);
    let first = rich()[0].build().file;
    for seed in 0..6_000 {
        let mut random = Random::new(seed);
        let mut file = good.clone();
        damage(&mut random, &places, &mut file);
        world.add_file("second.dll", file);
        try_file(&world, &loader, first.clone(), &|| format!("seed {seed}"));
    }
}

#[test]
fn files_that_broke_it_once() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/broken");
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "bin"))
        .collect();
    names.sort();
    let world = World::new();
    world.lenient.set(true);
    for dll in rich() {
        world.add(&dll);
    }
    let loader = start(&world);
    for path in names {
        let file = std::fs::read(&path).unwrap();
        try_file(&world, &loader, file, &|| path.display().to_string());
    }
}

#[test]
fn tables_that_lie() {
    let world = World::new();
    world.lenient.set(true);
    for dll in rich() {
        world.add(&dll);
    }
    let loader = start(&world);
    let before = state(&world);
    // A file for another machine; a machine that nobody knows; too short; empty.
    let mut arm = Dll::new("first.dll");
    arm.machine = 0xAA64;
    let good = Dll::new("first.dll").build().file;
    let rows = [
        (arm.build().file, NtStatus::INVALID_IMAGE_FORMAT),
        (good[..0x100].to_vec(), NtStatus::INVALID_IMAGE_FORMAT),
        (Vec::new(), NtStatus::INVALID_IMAGE_NOT_MZ),
    ];
    for (file, status) in rows {
        world.add_file("first.dll", file);
        assert_eq!(world.load("first.dll"), Err(status));
        assert_eq!(state(&world), before);
    }
    // It imports from itself.
    let itself = Dll::new("first.dll")
        .exporting(&["f"])
        .importing("FIRST", &["f"]);
    world.add(&itself);
    let base = world.load("first.dll").unwrap();
    loader.unload_dll(base).unwrap();
    assert_eq!(state(&world), before);
    // Names that are no names.
    for bad in ["", "a/b", "x\u{7f}", &"n".repeat(300)] {
        world.add(&Dll::new("first.dll").importing(bad, &["f"]));
        assert!(world.load("first.dll").is_err(), "{bad}");
        assert_eq!(state(&world), before);
    }
}
