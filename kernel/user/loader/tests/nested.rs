//! Entry points that load, free and ask for exports themselves, at random, in the middle of everything.
//!
//! There is no model of what comes of it. What must hold in any case: an entry point hears that its module came before it
//! hears that it goes, and never twice the same; what a module imports from is there as long as the module is; the pages that
//! may not be written were not; and when all references are given back, nothing is left.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::collections::BTreeMap;
use std::rc::Rc;

use loader::{Loader, Procedure};
use rtl::Random;
use support::world::{List, Sys};
use support::{Action, Dll, Export, World};

const COUNT: usize = 14;

fn name(number: usize) -> String {
    format!("m{number}.dll")
}

fn start(world: &Rc<World>) -> Rc<Loader<Sys>> {
    let ntdll = Dll::new("ntdll.dll").without_entry();
    world.start(&ntdll, &Dll::program("p.exe"))
}

/// DLLs with imports at random, some exports of which lead to others, some with static TLS.
fn make(random: &mut Random, world: &World) -> Vec<Vec<usize>> {
    let mut graph = vec![Vec::new(); COUNT];
    for _ in 0..COUNT + random.index(COUNT) {
        let (from, to) = (random.index(COUNT), random.index(COUNT));
        if from != to && !graph[from].contains(&to) {
            graph[from].push(to);
        }
    }
    for (number, needed) in graph.iter().enumerate() {
        let mut dll = Dll::new(&name(number)).exporting(&["f"]);
        let to = random.index(COUNT);
        let target = Export::Forward(format!("m{to}.f"));
        dll.exports.push(("far".into(), target));
        for other in needed {
            dll = dll.importing(&name(*other), &["f"]);
        }
        if random.index(4) == 0 {
            dll = dll.with_tls(b"storage", 8, 1);
        }
        world.add(&dll);
    }
    graph
}

/// Something that an entry point does once.
fn random_action(random: &mut Random) -> Action {
    let other = name(random.index(COUNT));
    match random.index(9) {
        0..=2 => Action::Load(other),
        3..=5 => Action::Free(other),
        6 | 7 => Action::Ask(other, "far".into()),
        _ => Action::Fail,
    }
}

/// Follows what entry points heard.
#[derive(Default)]
struct Lives {
    attached: BTreeMap<String, bool>,
    told: usize,
}

impl Lives {
    fn follow(&mut self, events: &[String], what: &str) {
        for line in events {
            let mut words = line.split(' ');
            let (Some(module), Some(reason), None) = (words.next(), words.next(), words.next())
            else {
                continue;
            };
            let attached = self.attached.entry(module.to_owned()).or_default();
            let comes = match reason {
                "attach" => true,
                "detach" => false,
                _ => continue,
            };
            assert_ne!(*attached, comes, "{what}: {line} in {events:?}");
            *attached = comes;
            self.told += 1;
        }
    }
}

fn check(world: &World, graph: &[Vec<usize>], what: &str) {
    world.check();
    let mapped = world.mapped();
    for (number, needed) in graph.iter().enumerate() {
        if mapped.contains(&name(number)) {
            for other in needed {
                assert!(
                    mapped.contains(&name(*other)),
                    "{what}: {number} lost {other}"
                );
            }
        }
    }
    let mut loaded = world.list(List::Load);
    loaded.sort();
    assert_eq!(loaded, mapped, "{what}");
}

#[test]
fn whatever_entry_points_do() {
    let mut told = 0;
    for seed in 0..1500 {
        let mut random = Random::new(seed);
        let world = World::new();
        world.once.set(true);
        let graph = make(&mut random, &world);
        let loader = start(&world);
        let blocks = world.blocks();
        let mut lives = Lives::default();
        for step in 0..30 {
            let what = format!("seed {seed}, step {step}");
            for _ in 0..random.index(3) {
                let reason = u32::try_from(random.index(2)).unwrap();
                let action = random_action(&mut random);
                let fails = matches!(action, Action::Fail);
                if !(fails && reason == 0) {
                    world.on(&name(random.index(COUNT)), reason, action);
                }
            }
            let number = random.index(COUNT);
            let there = world.mapped().contains(&name(number));
            match random.index(4) {
                0 | 1 => drop(world.load(&name(number))),
                2 if there => drop(loader.unload_dll(world.base_of(&name(number)))),
                3 if there => {
                    let base = world.base_of(&name(number));
                    let _ = loader.procedure_address(base, Procedure::Name(b"far"));
                }
                _ => {}
            }
            let events = world.events();
            if std::env::var("SHOW").is_ok_and(|show| what.starts_with(&show)) {
                eprintln!("{what}: {number} {events:#?} {:?}", graph);
            }
            lives.follow(&events, &what);
            check(&world, &graph, &what);
        }
        world.forget_actions();
        // All references are given back, as many as there may be.
        for _ in 0..200 {
            for number in 0..COUNT {
                if world.mapped().contains(&name(number)) {
                    loader.unload_dll(world.base_of(&name(number))).unwrap();
                }
            }
            lives.follow(&world.events(), &format!("seed {seed}, the end"));
        }
        assert_eq!(world.mapped(), ["ntdll.dll", "p.exe"], "seed {seed}");
        assert!(
            lives.attached.values().all(|attached| !attached),
            "seed {seed}"
        );
        // The first thread's vectors stay as they have grown.
        loader.shutdown_thread();
        assert_eq!(world.blocks(), blocks, "seed {seed}");
        told += lives.told;
    }
    assert!(told > 10_000, "{told}");
}
