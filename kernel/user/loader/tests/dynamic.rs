//! DLLs that are loaded and freed while the program runs.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::rc::Rc;

use c_interface::{Ptr, field};
use loader::{LoadFlags, Loader, Procedure, SearchPath};
use nt_abi::NtStatus;
use nt_abi::native::{LdrDataTableEntry, LdrDdagNode};
use support::world::{List, Sys};
use support::{Action, Dll, World, wide};

/// A process with ntdll alone.
fn start(world: &Rc<World>) -> Rc<Loader<Sys>> {
    let ntdll = Dll::new("ntdll.dll")
        .exporting(&["NtClose"])
        .without_entry();
    world.start(
        &ntdll,
        &Dll::program("p.exe").importing("ntdll.dll", &["NtClose"]),
    )
}

/// What is mapped and how many blocks of the heap are in use.
fn state(world: &World) -> (Vec<String>, usize, Vec<String>, Vec<String>) {
    world.check();
    (
        world.mapped(),
        world.blocks(),
        world.list(List::Load),
        world.list(List::Initialization),
    )
}

fn load_count(world: &World, name: &str) -> u32 {
    let node = field!(world.entry(name), LdrDataTableEntry, ddag_node).read();
    field!(Ptr::<LdrDdagNode>::at(node), LdrDdagNode, load_count).read()
}

#[test]
fn a_dll_comes_and_goes_with_what_it_needs() {
    let world = World::new();
    world.add(
        &Dll::new("a.dll")
            .exporting(&["f"])
            .importing("b.dll", &["g"]),
    );
    world.add(&Dll::new("b.dll").exporting(&["g"]));
    let loader = start(&world);
    let before = state(&world);
    let base = world.load("a").unwrap();
    assert_eq!(world.load("A.DLL"), Ok(base));
    assert_eq!(world.events(), ["b.dll attach", "a.dll attach"]);
    assert_eq!(
        (load_count(&world, "a.dll"), load_count(&world, "b.dll")),
        (2, 1)
    );
    let b = world.load("b.dll").unwrap();
    assert_eq!(loader.unload_dll(base), Ok(()));
    assert_eq!(world.events(), Vec::<String>::new());
    assert_eq!(loader.unload_dll(base), Ok(()));
    assert_eq!(world.events(), ["a.dll detach"]);
    assert_eq!(loader.unload_dll(base), Err(NtStatus::DLL_NOT_FOUND));
    assert_eq!(loader.unload_dll(b), Ok(()));
    assert_eq!(world.events(), ["b.dll detach"]);
    assert_eq!(state(&world), before);
}

#[test]
fn circles_come_and_go_together() {
    let world = World::new();
    // a needs b and c; b and d need each other, and d needs c.
    world.add(
        &Dll::new("a.dll")
            .importing("b.dll", &["f"])
            .importing("c.dll", &["f"]),
    );
    world.add(
        &Dll::new("b.dll")
            .exporting(&["f"])
            .importing("d.dll", &["f"]),
    );
    world.add(&Dll::new("c.dll").exporting(&["f"]));
    let d = Dll::new("d.dll")
        .exporting(&["f"])
        .importing("b.dll", &["f"]);
    world.add(&d.importing("c.dll", &["f"]));
    let loader = start(&world);
    let before = state(&world);
    let base = world.load("a.dll").unwrap();
    assert_eq!(
        world.events(),
        [
            "c.dll attach",
            "d.dll attach",
            "b.dll attach",
            "a.dll attach"
        ]
    );
    let node = |name: &str| field!(world.entry(name), LdrDataTableEntry, ddag_node).read();
    assert_eq!(node("b.dll"), node("d.dll"));
    assert_ne!(node("a.dll"), node("b.dll"));
    // One from a, one from the circle.
    assert_eq!(load_count(&world, "c.dll"), 2);
    assert_eq!(load_count(&world, "d.dll"), 1);
    loader.unload_dll(base).unwrap();
    assert_eq!(
        world.events(),
        [
            "a.dll detach",
            "b.dll detach",
            "d.dll detach",
            "c.dll detach"
        ]
    );
    assert_eq!(state(&world), before);
    // And from within the circle, the one that was asked for is the last.
    world.load("d.dll").unwrap();
    assert_eq!(
        world.events(),
        ["c.dll attach", "b.dll attach", "d.dll attach"]
    );
}

#[test]
fn a_dll_of_the_start_stays() {
    let world = World::new();
    world.add(&Dll::new("s.dll").exporting(&["f"]));
    let program = Dll::program("p.exe").importing("s.dll", &["f"]);
    let loader = world.start(&Dll::new("ntdll.dll").without_entry(), &program);
    let base = world.base_of("s.dll");
    let before = state(&world);
    for _ in 0..3 {
        assert_eq!(loader.unload_dll(base), Ok(()));
    }
    assert_eq!(world.load("s.dll"), Ok(base));
    assert_eq!(state(&world), before);
    assert_eq!(load_count(&world, "s.dll"), u32::MAX);
}

#[test]
fn nobody_frees_more_than_he_loaded() {
    let world = World::new();
    world.add(&Dll::new("a.dll").importing("b.dll", &["g"]));
    world.add(&Dll::new("b.dll").exporting(&["g"]));
    let loader = start(&world);
    world.load("a.dll").unwrap();
    let b = world.base_of("b.dll");
    assert_eq!(loader.unload_dll(b), Ok(()));
    assert_eq!(world.mapped(), ["a.dll", "b.dll", "ntdll.dll", "p.exe"]);
}

#[test]
fn a_failing_entry_point_takes_its_load_back() {
    for (action, status) in [
        (Action::Fail, NtStatus::DLL_INIT_FAILED),
        (
            Action::Raise(NtStatus::ACCESS_VIOLATION),
            NtStatus::ACCESS_VIOLATION,
        ),
    ] {
        let world = World::new();
        world.add(
            &Dll::new("a.dll")
                .importing("b.dll", &["g"])
                .importing("c.dll", &["g"]),
        );
        world.add(&Dll::new("b.dll").exporting(&["g"]));
        world.add(&Dll::new("c.dll").exporting(&["g"]));
        let _loader = start(&world);
        let before = state(&world);
        world.on("c.dll", 1, action.clone());
        assert_eq!(world.load("a.dll"), Err(status));
        let mut expected = vec!["b.dll attach", "c.dll attach"];
        if matches!(action, Action::Fail) {
            expected.push("c.dll detach");
        }
        expected.push("b.dll detach");
        assert_eq!(world.events(), expected);
        assert_eq!(state(&world), before);
        world.forget_actions();
        assert!(world.load("a.dll").is_ok());
    }
}

#[test]
fn entry_points_load_and_free() {
    let world = World::new();
    world.add(
        &Dll::new("a.dll")
            .importing("b.dll", &["g"])
            .importing("c.dll", &["g"]),
    );
    world.add(&Dll::new("b.dll").exporting(&["g"]));
    world.add(&Dll::new("c.dll").exporting(&["g"]));
    world.add(&Dll::new("plug.dll").importing("c.dll", &["g"]));
    let loader = start(&world);
    let before = state(&world);
    // plug needs c, which waits for its entry point in the outer load: it comes first here.
    world.on("b.dll", 1, Action::Load("plug.dll".into()));
    world.on("b.dll", 0, Action::Free("plug.dll".into()));
    // It frees what is just being loaded, of which it has no reference.
    world.on("c.dll", 1, Action::Free("a.dll".into()));
    let base = world.load("a.dll").unwrap();
    assert_eq!(
        world.events(),
        [
            "b.dll attach",
            "c.dll attach",
            "c.dll frees a.dll: good",
            "plug.dll attach",
            "b.dll loads plug.dll: good",
            "a.dll attach",
        ]
    );
    assert_eq!(loader.unload_dll(base), Ok(()));
    assert_eq!(
        world.events(),
        [
            "a.dll detach",
            "b.dll detach",
            "b.dll frees plug.dll: good",
            "plug.dll detach",
            "c.dll detach",
        ]
    );
    assert_eq!(state(&world), before);
}

#[test]
fn what_is_freed_in_a_detach_goes_with_it() {
    let world = World::new();
    world.add(&Dll::new("a.dll"));
    world.add(&Dll::new("plug.dll").importing("deep.dll", &["f"]));
    world.add(&Dll::new("deep.dll").exporting(&["f"]));
    let loader = start(&world);
    let before = state(&world);
    world.on("a.dll", 1, Action::Load("plug.dll".into()));
    world.on("a.dll", 0, Action::Free("plug.dll".into()));
    let base = world.load("a.dll").unwrap();
    world.events();
    loader.unload_dll(base).unwrap();
    assert_eq!(
        world.events(),
        [
            "a.dll detach",
            "a.dll frees plug.dll: good",
            "plug.dll detach",
            "deep.dll detach"
        ]
    );
    assert_eq!(state(&world), before);
}

#[test]
fn what_is_wanted_on_its_way_out_stays() {
    let world = World::new();
    world.add(&Dll::new("a.dll").importing("b.dll", &["f"]));
    world.add(
        &Dll::new("b.dll")
            .exporting(&["f"])
            .importing("c.dll", &["f"]),
    );
    world.add(&Dll::new("c.dll").exporting(&["f"]));
    let loader = start(&world);
    let before = state(&world);
    let base = world.load("a.dll").unwrap();
    world.on("a.dll", 0, Action::Load("b.dll".into()));
    world.events();
    loader.unload_dll(base).unwrap();
    assert_eq!(
        world.events(),
        [
            "a.dll detach",
            "a.dll loads b.dll: good",
            "b.dll detach",
            "c.dll detach",
            "c.dll attach",
            "b.dll attach",
        ]
    );
    assert_eq!(world.mapped(), ["b.dll", "c.dll", "ntdll.dll", "p.exe"]);
    loader.unload_dll(world.base_of("b.dll")).unwrap();
    assert_eq!(world.events(), ["b.dll detach", "c.dll detach"]);
    assert_eq!(state(&world), before);
}

#[test]
fn forwarders_bring_dlls() {
    let world = World::new();
    let front = Dll::new("front.dll").exporting(&["own"]);
    let front = front
        .forwarding("far", "back.deep")
        .forwarding("number", "back.#2");
    let front = front.forwarding("set", "api-ms-win-core-file-l1-2-0.CreateFileW");
    let front = front
        .forwarding("nowhere", "lost.f")
        .forwarding("wrong", "back.wrong");
    let front = front
        .forwarding("bad", "nodot")
        .forwarding("round", "round.f");
    world.add(&front);
    let back = Dll::new("back.dll")
        .forwarding("deep", "deeper.f")
        .exporting(&["second"]);
    world.add(&back);
    let deeper = Dll::new("deeper.dll")
        .exporting(&["f"])
        .importing("front.dll", &["own"]);
    world.add(&deeper);
    world.add(&Dll::new("kernelbase.dll").exporting(&["CreateFileW"]));
    world.add(&Dll::new("round.dll").forwarding("f", "round2.f"));
    world.add(&Dll::new("round2.dll").forwarding("f", "round.f"));
    let loader = start(&world);
    let before = state(&world);
    let base = world.load("front.dll").unwrap();
    let loaded = state(&world);
    let ask = |name: &str| loader.procedure_address(base, Procedure::Name(name.as_bytes()));
    let at = |dll: &Dll, name: &str| {
        world
            .base_of(&dll.name)
            .byte_add(dll.address_of(name) as usize)
    };
    assert_eq!(ask("own"), Ok(at(&front, "own")));
    for (name, status) in [
        ("nowhere", NtStatus::DLL_NOT_FOUND),
        ("wrong", NtStatus::ENTRYPOINT_NOT_FOUND),
        ("bad", NtStatus::INVALID_IMAGE_FORMAT),
        ("round", NtStatus::ENTRYPOINT_NOT_FOUND),
        ("none", NtStatus::ENTRYPOINT_NOT_FOUND),
    ] {
        assert_eq!(ask(name), Err(status), "{name}");
        assert_eq!(state(&world), loaded, "{name}");
    }
    assert_eq!(world.events(), ["front.dll attach"]);
    assert_eq!(ask("far"), Ok(at(&deeper, "f")));
    // deeper needs front, which has its entry point behind it.
    assert_eq!(world.events(), ["deeper.dll attach", "back.dll attach"]);
    assert_eq!(ask("number"), Ok(at(&back, "second")));
    assert_eq!(
        ask("set"),
        Ok(world.base_of("kernelbase.dll").byte_add(0x2000))
    );
    // front needs back, back needs deeper, deeper needs front: one circle.
    let node = |name: &str| field!(world.entry(name), LdrDataTableEntry, ddag_node).read();
    assert_eq!(
        (node("front.dll"), node("back.dll")),
        (node("deeper.dll"), node("deeper.dll"))
    );
    world.events();
    loader.unload_dll(base).unwrap();
    assert_eq!(state(&world), before);
}

#[test]
fn exports_are_asked_for() {
    let world = World::new();
    let mut dll = Dll::new("a.dll").exporting(&["first", "second"]);
    dll.exports.push((String::new(), support::Export::Code));
    dll.exports.push(("hole".into(), support::Export::Empty));
    dll.ordinal_base = 10;
    world.add(&dll);
    world.add(&Dll::new("b.dll"));
    let loader = start(&world);
    let a = world.load("a.dll").unwrap();
    let b = world.load("b.dll").unwrap();
    let name = |base: Ptr<u8>, name: &[u8]| loader.procedure_address(base, Procedure::Name(name));
    let number = |base: Ptr<u8>, number| loader.procedure_address(base, Procedure::Ordinal(number));
    assert_eq!(name(a, b"second\0"), Ok(a.byte_add(0x2010)));
    assert_eq!(name(a, b"second"), Ok(a.byte_add(0x2010)));
    assert_eq!(number(a, 12), Ok(a.byte_add(0x2020)));
    let rows = [
        (name(a, b"secon"), NtStatus::ENTRYPOINT_NOT_FOUND),
        (name(a, b"second2"), NtStatus::ENTRYPOINT_NOT_FOUND),
        (name(a, b"Second"), NtStatus::ENTRYPOINT_NOT_FOUND),
        (name(a, b"hole"), NtStatus::ENTRYPOINT_NOT_FOUND),
        (number(a, 9), NtStatus::ORDINAL_NOT_FOUND),
        (number(a, 13), NtStatus::ORDINAL_NOT_FOUND),
        (number(a, 14), NtStatus::ORDINAL_NOT_FOUND),
        (number(a, u32::MAX), NtStatus::ORDINAL_NOT_FOUND),
        (name(a, b""), NtStatus::INVALID_PARAMETER),
        (number(a, 0), NtStatus::INVALID_PARAMETER),
        (name(b, b"first"), NtStatus::PROCEDURE_NOT_FOUND),
        (name(a.byte_add(0x1000), b"first"), NtStatus::DLL_NOT_FOUND),
        (name(Ptr::NULL, b"first"), NtStatus::DLL_NOT_FOUND),
    ];
    for (row, (result, status)) in rows.into_iter().enumerate() {
        assert_eq!(result, Err(status), "row {row}");
    }
}

#[test]
fn a_view_that_nobody_relocated_is() {
    let world = World::new();
    world.leave_unrelocated.set(true);
    let dll = Dll::new("a.dll").exporting(&["f"]).with_tls(b"abc", 0, 1);
    world.add(&dll);
    let mut fixed = Dll::new("fixed.dll").exporting(&["f"]);
    fixed.relocatable = false;
    world.add(&fixed);
    let _loader = start(&world);
    world.load("a.dll").unwrap();
    // The callback is found: its address was relocated.
    assert_eq!(world.events(), ["a.dll tls 0 attach", "a.dll attach"]);
    let before = state(&world);
    assert_eq!(
        world.load("fixed.dll"),
        Err(NtStatus::CONFLICTING_ADDRESSES)
    );
    assert_eq!(state(&world), before);
}

#[test]
fn nothing_is_resolved_if_nobody_wants_it() {
    let world = World::new();
    world.add(&Dll::new("a.dll").importing("nowhere.dll", &["f"]));
    let mut program = Dll::program("tool.exe").importing("nowhere.dll", &["f"]);
    program.name = "tool.exe".into();
    world.add(&program);
    let loader = start(&world);
    let before = state(&world);
    let name = wide("a.dll");
    let flags = LoadFlags::DONT_RESOLVE_DLL_REFERENCES;
    let base = loader
        .load_dll(SearchPath::Default, flags, name.as_str())
        .unwrap();
    // A program is no library either.
    let tool = world.load("tool.exe").unwrap();
    assert_eq!(world.events(), Vec::<String>::new());
    loader.unload_dll(base).unwrap();
    loader.unload_dll(tool).unwrap();
    assert_eq!(world.events(), Vec::<String>::new());
    assert_eq!(state(&world), before);
}

#[test]
fn a_program_may_be_imported_from() {
    let world = World::new();
    let mut tool = Dll::program("tool.exe")
        .exporting(&["f"])
        .importing("b.dll", &["g"]);
    tool.name = "tool.exe".into();
    world.add(&tool);
    world.add(&Dll::new("b.dll").exporting(&["g"]));
    world.add(&Dll::new("a.dll").importing("tool.exe", &["f"]));
    let loader = start(&world);
    let before = state(&world);
    let base = world.load("a.dll").unwrap();
    // It has no entry point for DLLs.
    assert_eq!(world.events(), ["b.dll attach", "a.dll attach"]);
    loader.unload_dll(base).unwrap();
    assert_eq!(world.events(), ["a.dll detach", "b.dll detach"]);
    assert_eq!(state(&world), before);
}
