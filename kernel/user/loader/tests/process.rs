//! A process starts: what is mapped, in which order entry points are called, what the lists say.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use c_interface::Ptr;
use nt_abi::NtStatus;
use support::image::POINTER;
use support::world::List;
use support::{Action, Dll, World};

fn ntdll() -> Dll {
    Dll::new("ntdll.dll")
        .exporting(&["NtClose", "RtlZeroMemory", "LdrLoadDll"])
        .without_entry()
}

/// The address that is in a slot of an import table.
fn slot(base: Ptr<u8>, table: u32, number: usize) -> usize {
    let at = table as usize + POINTER * number;
    base.byte_add(at).cast::<usize>().read()
}

#[test]
fn a_program_with_two_dlls_starts() {
    let world = World::new();
    let kernelbase = Dll::new("kernelbase.dll")
        .exporting(&["CreateFileW", "ReadFile", "CloseHandle"])
        .importing("ntdll.dll", &["NtClose"]);
    let kernel32 = Dll::new("KERNEL32.dll")
        .exporting(&["ExitProcess"])
        .forwarding("CloseHandle", "KERNELBASE.CloseHandle")
        .forwarding("RtlZeroMemory", "NTDLL.RtlZeroMemory")
        .importing("kernelbase.dll", &["ReadFile"]);
    let program = Dll::program("test.exe")
        .importing(
            "KERNEL32.dll",
            &["CloseHandle", "ExitProcess", "RtlZeroMemory", "#1"],
        )
        .importing("ntdll.dll", &["LdrLoadDll"]);
    world.add(&kernelbase);
    world.add(&kernel32);
    let loader = world.start(&ntdll(), &program);
    assert_eq!(
        world.events(),
        ["kernelbase.dll attach static", "kernel32.dll attach static"]
    );
    let loaded = ["test.exe", "ntdll.dll", "kernel32.dll", "kernelbase.dll"];
    assert_eq!(world.list(List::Load), loaded);
    assert_eq!(world.list(List::Memory), loaded);
    assert_eq!(
        world.list(List::Initialization),
        ["ntdll.dll", "kernelbase.dll", "kernel32.dll"]
    );
    let built = program.build();
    let base = |name: &str| world.base_of(name);
    let at = |name: &str, rva: u32| base(name).address() + rva as usize;
    let first = built.slots[0];
    let expected = [
        at("kernelbase.dll", kernelbase.address_of("CloseHandle")),
        at("kernel32.dll", kernel32.address_of("ExitProcess")),
        at("ntdll.dll", ntdll().address_of("RtlZeroMemory")),
        at("kernel32.dll", kernel32.address_of("ExitProcess")),
    ];
    for (number, expected) in (0..).zip(expected) {
        assert_eq!(
            slot(base("test.exe"), first, number),
            expected,
            "import {number}"
        );
    }
    let imported = at("ntdll.dll", ntdll().address_of("LdrLoadDll"));
    assert_eq!(slot(base("test.exe"), built.slots[1], 0), imported);
    world.check();
    loader.shutdown_process();
    assert_eq!(
        world.events(),
        ["kernel32.dll detach static", "kernelbase.dll detach static"]
    );
    world.check();
}

#[test]
fn a_failing_entry_point_ends_the_start() {
    let world = World::new();
    world.add(&Dll::new("a.dll").exporting(&["f"]));
    world.add(
        &Dll::new("b.dll")
            .exporting(&["f"])
            .importing("a.dll", &["f"]),
    );
    world.add(
        &Dll::new("c.dll")
            .exporting(&["f"])
            .importing("b.dll", &["f"]),
    );
    world.on("b.dll", 1, Action::Fail);
    let program = Dll::program("p.exe").importing("c.dll", &["f"]);
    let loader = world.loader();
    world.initialize(&loader, &ntdll(), &program, None).unwrap();
    assert_eq!(loader.attach_process(1), Err(NtStatus::DLL_INIT_FAILED));
    assert_eq!(
        world.events(),
        [
            "a.dll attach static",
            "b.dll attach static",
            "error at start: failed b.dll",
            "b.dll detach static",
            "a.dll detach static",
        ]
    );
    world.check();
}

#[test]
fn a_start_that_fails_leaves_nothing() {
    let rows: [(Dll, &str, NtStatus); 4] = [
        (
            Dll::program("p.exe").importing("nowhere.dll", &["f"]),
            "error at start: missing nowhere.dll",
            NtStatus::DLL_NOT_FOUND,
        ),
        (
            Dll::program("p.exe").importing("a.dll", &["g"]),
            "error at start: missing g in a.dll",
            NtStatus::ENTRYPOINT_NOT_FOUND,
        ),
        (
            Dll::program("p.exe").importing("a.dll", &["#77"]),
            "error at start: missing #77 in a.dll",
            NtStatus::ORDINAL_NOT_FOUND,
        ),
        (
            Dll::program("p.exe").importing("b.dll", &["f"]),
            "error at start: missing nowhere.dll",
            NtStatus::DLL_NOT_FOUND,
        ),
    ];
    for (program, error, status) in rows {
        let world = World::new();
        world.add(&Dll::new("a.dll").exporting(&["f"]));
        let b = Dll::new("b.dll").exporting(&["f"]);
        world.add(
            &b.importing("a.dll", &["f"])
                .importing("nowhere.dll", &["f"]),
        );
        let loader = world.loader();
        assert_eq!(
            world.initialize(&loader, &ntdll(), &program, None),
            Err(status)
        );
        assert_eq!(world.events(), [error]);
        assert_eq!(world.mapped(), ["ntdll.dll", "p.exe"]);
        assert_eq!(world.blocks(), 0);
        world.check();
    }
}

#[test]
fn the_subsystems_dll_comes_first() {
    let world = World::new();
    world.add(&Dll::new("kernel32.dll").exporting(&["f"]));
    world.add(&Dll::new("a.dll").exporting(&["f"]));
    let program = Dll::program("p.exe").importing("a.dll", &["f"]);
    let loader = world.loader();
    world
        .initialize(&loader, &ntdll(), &program, Some("kernel32"))
        .unwrap();
    loader.attach_process(1).unwrap();
    assert_eq!(
        world.list(List::Initialization),
        ["ntdll.dll", "kernel32.dll", "a.dll"]
    );
}
