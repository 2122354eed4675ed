//! Threads that come and go, and their static storage.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::rc::Rc;

use c_interface::{Ptr, field};
use loader::Loader;
use nt_abi::NtStatus;
use nt_abi::native::Teb;
use support::world::{List, Sys};
use support::{Dll, World};

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

#[test]
fn threads_have_storage_and_are_told() {
    let world = World::new();
    world.add(&Dll::new("plain.dll"));
    world.add(&Dll::new("quiet.dll"));
    world.add(&Dll::new("late.dll").with_tls(b"late", 4, 1));
    let with_storage = Dll::new("s.dll")
        .exporting(&["f"])
        .with_tls(b"static", 10, 2);
    world.add(&with_storage);
    let program = Dll::program("p.exe")
        .importing("s.dll", &["f"])
        .with_tls(b"program!", 0, 1);
    let loader = world.start(&Dll::new("ntdll.dll").without_entry(), &program);
    assert_eq!(
        world.events(),
        [
            "s.dll tls 0 attach static",
            "s.dll tls 1 attach static",
            "s.dll attach static",
            "p.exe tls 0 attach static",
        ]
    );
    let before = state(&world);
    world.load("plain.dll").unwrap();
    let quiet = world.load("quiet.dll").unwrap();
    assert_eq!(loader.disable_thread_calls(quiet), Ok(()));
    assert_eq!(
        loader.disable_thread_calls(world.base_of("s.dll")),
        Err(NtStatus::DLL_NOT_FOUND)
    );
    let second = world.new_thread();
    world.switch_to(second);
    world.events();
    loader.attach_thread().unwrap();
    assert_eq!(
        world.events(),
        [
            "s.dll tls 0 thread attach",
            "s.dll tls 1 thread attach",
            "s.dll thread attach",
            "plain.dll thread attach",
            "p.exe tls 0 thread attach",
        ]
    );
    let block = |thread: usize, number: usize| -> Ptr<u8> {
        let teb = world.teb_of(thread);
        let vector = field!(teb, Teb, thread_local_storage_pointer).read();
        Ptr::new(Ptr::<usize>::at(vector).add(number).read())
    };
    let index = |name: &str, dll: &Dll| {
        let at = dll.build().tls_index as usize;
        world.base_of(name).byte_add(at).cast::<u32>().read() as usize
    };
    let s = index("s.dll", &with_storage);
    let p = index("p.exe", &program);
    assert_eq!((p, s), (0, 1));
    for thread in [0, second] {
        assert_eq!(block(thread, p).slice(8), b"program!");
        assert_eq!(block(thread, s).slice(16), b"static\0\0\0\0\0\0\0\0\0\0");
    }
    assert_ne!(block(0, s), block(second, s));
    block(0, s).fill(b'x', 16);
    assert_eq!(block(second, s).slice(6), b"static");

    // A DLL with storage comes while both threads run.
    let late = world.load("late.dll").unwrap();
    assert_eq!(world.events(), ["late.dll tls 0 attach", "late.dll attach"]);
    let number = index("late.dll", &Dll::new("late.dll").with_tls(b"late", 4, 1));
    assert_eq!(number, 2);
    for thread in [0, second] {
        assert_eq!(block(thread, number).slice(8), b"late\0\0\0\0");
    }
    loader.shutdown_thread();
    assert_eq!(
        world.events(),
        [
            "late.dll tls 0 thread detach",
            "late.dll thread detach",
            "plain.dll thread detach",
            "s.dll tls 0 thread detach",
            "s.dll tls 1 thread detach",
            "s.dll thread detach",
            "p.exe tls 0 thread detach",
        ]
    );
    world.switch_to(0);
    for base in [late, quiet, world.base_of("plain.dll")] {
        loader.unload_dll(base).unwrap();
    }
    assert_eq!(block(0, number).address(), 0);
    assert_eq!(state(&world), before);
    // The index is given again.
    world.load("late.dll").unwrap();
    assert_eq!(block(0, number).slice(8), b"late\0\0\0\0");
}

#[test]
fn many_dlls_with_storage_make_vectors_grow() {
    let world = World::new();
    for number in 0..40_u8 {
        let name = format!("t{number}.dll");
        let mut dll = Dll::new(&name).with_tls(&[number; 3], 5, 0);
        dll.tls.as_mut().unwrap().alignment_bits = u32::from(number % 14) + 1;
        world.add(&dll);
    }
    let loader = start(&world);
    let before = state(&world);
    let second = world.new_thread();
    world.switch_to(second);
    loader.attach_thread().unwrap();
    let mut bases = Vec::new();
    for number in 0..40_u8 {
        bases.push(world.load(&format!("t{number}.dll")).unwrap());
    }
    for thread in [0, second] {
        let teb = world.teb_of(thread);
        let vector = field!(teb, Teb, thread_local_storage_pointer).read();
        for number in 0..40_u8 {
            let block = Ptr::<usize>::at(vector).add(usize::from(number)).read();
            let alignment = 1_usize << (number % 14);
            assert!(block.is_multiple_of(alignment), "{block:#x} {alignment:#x}");
            let bytes = Ptr::<u8>::new(block).slice(8);
            assert_eq!(bytes, [number, number, number, 0, 0, 0, 0, 0]);
        }
    }
    loader.shutdown_thread();
    world.switch_to(0);
    for base in bases {
        loader.unload_dll(base).unwrap();
    }
    // The first thread keeps its vectors.
    let teb = world.teb_of(0);
    assert_eq!(state(&world).0, before.0);
    let _ = teb;
    loader.shutdown_thread();
    assert_eq!(state(&world).1, before.1);
}
