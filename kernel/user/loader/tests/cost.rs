//! What a start costs: a program that imports 600 names of three DLLs, most of them through forwarders.
//!
//! The test holds the imports to where they lead. To count instructions, build it optimised and let callgrind count inside of
//! the loader (the first step of the start, with everything that the script of the process does taken out):
//!
//! ```text
//! cargo test --release -p loader --test cost --no-run
//! COST=hints valgrind --tool=callgrind --toggle-collect='*snap_table*' target/release/deps/cost-*
//! ```
//!
//! `COST` is `hints` (right ones, names in order), `order` (names in order, no hints) or `mixed` (neither). With `DIRECT=1`
//! nothing is forwarded.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use rtl::Random;
use support::image::POINTER;
use support::{Dll, Export, Import, World};

const VERBS: [&str; 24] = [
    "Acquire",
    "Add",
    "Close",
    "Compare",
    "Copy",
    "Create",
    "Delete",
    "Enum",
    "Find",
    "Flush",
    "Get",
    "Initialize",
    "Is",
    "Load",
    "Lock",
    "Open",
    "Query",
    "Read",
    "Release",
    "Rtl",
    "Set",
    "Unlock",
    "Wait",
    "Write",
];
const NOUNS: [&str; 20] = [
    "Atom",
    "Console",
    "CriticalSection",
    "CurrentDirectory",
    "Environment",
    "Event",
    "File",
    "FileInformation",
    "Handle",
    "Heap",
    "Locale",
    "Mapping",
    "Module",
    "Mutex",
    "Pipe",
    "Process",
    "Profile",
    "Semaphore",
    "Thread",
    "VirtualMemory",
];
const ENDS: [&str; 5] = ["", "A", "Ex", "ExW", "W"];

fn names(count: usize, salt: usize) -> Vec<String> {
    let mut names: Vec<String> = VERBS
        .iter()
        .flat_map(|verb| NOUNS.iter().map(move |noun| format!("{verb}{noun}")))
        .flat_map(|name| ENDS.iter().map(move |end| format!("{name}{end}")))
        .skip(salt)
        .take(count)
        .collect();
    names.sort();
    names
}

#[test]
fn six_hundred_imports() {
    let kind = std::env::var("COST").unwrap_or_else(|_| "mixed".into());
    let direct = std::env::var("DIRECT").is_ok();
    let world = World::new();
    let native = names(2400, 0);
    let base = names(1800, 100);
    let front = names(1600, 200);
    let plain = |name: &str, exports: &[String]| {
        let mut dll = Dll::new(name).without_entry();
        for export in exports {
            dll.exports.push((export.clone(), Export::Code));
        }
        dll
    };
    let ntdll = plain("ntdll.dll", &native);
    let kernelbase = plain("KERNELBASE.dll", &base).importing("ntdll.dll", &[&native[7]]);
    let mut kernel32 = Dll::new("KERNEL32.dll").importing("KERNELBASE.dll", &[&base[3]]);
    for (number, name) in front.iter().enumerate() {
        // Two of three lead on, some to an API set, a few to ntdll.
        let target = match if direct { 11 } else { number % 12 } {
            0 => Export::Forward(format!("NTDLL.{name}")),
            1..=4 => Export::Forward(format!("KERNELBASE.{name}")),
            5..=7 => Export::Forward(format!("api-ms-win-core-file-l1-2-{}.{name}", number % 3)),
            _ => Export::Code,
        };
        kernel32.exports.push((name.clone(), target));
    }
    let mut random = Random::new(5);
    let mut program = Dll::program("p.exe");
    let mut wanted = Vec::new();
    for (dll, exports, count) in [
        (&kernel32, &front, 300),
        (&kernelbase, &base, 150),
        (&ntdll, &native, 150),
    ] {
        let mut chosen = Vec::new();
        while chosen.len() < count {
            let number = random.index(exports.len().min(1500));
            if !chosen.contains(&number) {
                chosen.push(number);
            }
        }
        if kind != "mixed" {
            chosen.sort_unstable();
        }
        let imports = chosen
            .iter()
            .map(|&number| {
                let hint = if kind == "hints" { number } else { 0 };
                Import::Name(exports[number].clone(), u16::try_from(hint).unwrap())
            })
            .collect();
        program.imports.push((dll.name.clone(), imports));
        wanted.push((dll, exports, chosen));
    }
    world.add(&kernelbase);
    world.add(&kernel32);
    let loader = world.loader();
    world.initialize(&loader, &ntdll, &program, None).unwrap();
    let built = program.build();
    let start = world.base_of("p.exe");
    for ((dll, exports, chosen), slots) in wanted.iter().zip(&built.slots) {
        for (number, &export) in chosen.iter().enumerate() {
            let name = &exports[export];
            let (end, rva) = match &dll.exports[export].1 {
                Export::Forward(to) if to.starts_with("NTDLL") => (&ntdll, ntdll.address_of(name)),
                Export::Forward(_) => (&kernelbase, kernelbase.address_of(name)),
                _ => (*dll, dll.address_of(name)),
            };
            let expected = world.base_of(&end.name).address() + rva as usize;
            let slot = start
                .byte_add(*slots as usize + POINTER * number)
                .cast::<usize>();
            assert_eq!(slot.read(), expected, "{name} of {}", dll.name);
        }
    }
}
