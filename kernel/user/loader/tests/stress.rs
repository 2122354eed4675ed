//! Random graphs of DLLs, loaded and freed at random, against a model that knows nothing of counting: a module is there if
//! somebody who loaded one can reach it.
//!
//! The model's order of entry points is put in other words than the loader's: a depth-first walk along the imports numbers
//! modules when it leaves them; modules that reach each other are a circle; circles come by their highest
//! number, modules within one by their own.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use c_interface::{Ptr, field};
use loader::{Loader, Procedure};
use nt_abi::NtStatus;
use nt_abi::native::{LdrDataTableEntry, LdrDdagNode};
use rtl::Random;
use support::world::{List, Sys};
use support::{Action, Dll, Export, World};

fn name(number: usize) -> String {
    format!("m{number}.dll")
}

/// Who imports from whom, in the order of the import tables.
type Graph = Vec<Vec<usize>>;

fn random_graph(random: &mut Random, count: usize, edges: usize) -> Graph {
    let mut graph = vec![Vec::new(); count];
    for _ in 0..edges {
        let from = random.index(count);
        // Mostly to a later one, sometimes back, which makes circles.
        let to = if random.index(6) == 0 {
            random.index(count)
        } else {
            from + random.index(count - from)
        };
        if from != to && !graph[from].contains(&to) {
            graph[from].push(to);
        }
    }
    graph
}

/// What is reached from some modules, within a set, without the modules themselves unless they are reached.
fn reach(graph: &Graph, from: usize, within: &dyn Fn(usize) -> bool) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut work = vec![from];
    while let Some(at) = work.pop() {
        for &next in &graph[at] {
            if within(next) && seen.insert(next) {
                work.push(next);
            }
        }
    }
    seen
}

/// The model of a process.
#[derive(Default)]
struct Model {
    graph: Graph,
    explicit: BTreeMap<usize, u32>,
    /// Loaded, in the order of loading.
    loaded: Vec<usize>,
    /// Initialised, in that order.
    initialized: Vec<usize>,
}

impl Model {
    fn alive(&self) -> BTreeSet<usize> {
        let mut alive = BTreeSet::new();
        for (&root, _) in self.explicit.iter().filter(|(_, count)| **count > 0) {
            alive.insert(root);
            alive.extend(reach(&self.graph, root, &|_| true));
        }
        alive
    }

    /// The order of loading of what is not there yet.
    fn breadth_first(&self, root: usize) -> Vec<usize> {
        let mut order = vec![root];
        let mut work = VecDeque::from([root]);
        while let Some(at) = work.pop_front() {
            for &next in &self.graph[at] {
                if !self.loaded.contains(&next) && !order.contains(&next) {
                    order.push(next);
                    work.push_back(next);
                }
            }
        }
        order
    }

    fn leave_order(
        &self,
        at: usize,
        new: &BTreeSet<usize>,
        left: &mut Vec<usize>,
        seen: &mut BTreeSet<usize>,
    ) {
        seen.insert(at);
        for &next in &self.graph[at] {
            if new.contains(&next) && !seen.contains(&next) {
                self.leave_order(next, new, left, seen);
            }
        }
        left.push(at);
    }

    fn entry_order(&self, root: usize, new: &BTreeSet<usize>) -> Vec<usize> {
        let mut left = Vec::new();
        self.leave_order(root, new, &mut left, &mut BTreeSet::new());
        let within = |module: usize| new.contains(&module);
        let reached: BTreeMap<usize, BTreeSet<usize>> = new
            .iter()
            .map(|&module| (module, reach(&self.graph, module, &within)))
            .collect();
        let number = |module: usize| left.iter().position(|&other| other == module).unwrap();
        let circle_end = |module: usize| {
            new.iter()
                .filter(|&&other| {
                    reached[&module].contains(&other) && reached[&other].contains(&module)
                })
                .map(|&other| number(other))
                .max()
                .unwrap_or(0)
                .max(number(module))
        };
        let mut order = left.clone();
        order.sort_by_key(|&module| (circle_end(module), number(module)));
        order
    }

    /// What a load does: the lines of the log. `failing` returns `FALSE` or raises.
    fn load(&mut self, root: usize, failing: Option<(usize, bool)>) -> (bool, Vec<String>) {
        if self.loaded.contains(&root) {
            *self.explicit.entry(root).or_default() += 1;
            return (true, Vec::new());
        }
        let order = self.breadth_first(root);
        let new: BTreeSet<usize> = order.iter().copied().collect();
        let entries = self.entry_order(root, &new);
        let mut log = Vec::new();
        for (number, &module) in entries.iter().enumerate() {
            log.push(format!("{} attach", name(module)));
            let Some((_, raises)) = failing.filter(|(failing, _)| *failing == module) else {
                continue;
            };
            let told = if raises { number } else { number + 1 };
            log.extend(
                entries[..told]
                    .iter()
                    .rev()
                    .map(|module| format!("{} detach", name(*module))),
            );
            return (false, log);
        }
        self.loaded.extend(order);
        self.initialized.extend(entries);
        *self.explicit.entry(root).or_default() += 1;
        (true, log)
    }

    fn unload(&mut self, root: usize) -> Vec<String> {
        *self.explicit.get_mut(&root).unwrap() -= 1;
        let alive = self.alive();
        let gone: Vec<_> = self
            .initialized
            .iter()
            .rev()
            .filter(|module| !alive.contains(module))
            .map(|module| format!("{} detach", name(*module)))
            .collect();
        self.loaded.retain(|module| alive.contains(module));
        self.initialized.retain(|module| alive.contains(module));
        gone
    }

    /// References to the node of a module: of callers to its circle, and from other circles.
    fn load_count(&self, module: usize) -> u32 {
        let loaded = |module: usize| self.loaded.contains(&module);
        let circle_of = |module: usize| -> BTreeSet<usize> {
            let ahead = reach(&self.graph, module, &loaded);
            let mut circle: BTreeSet<usize> = ahead
                .iter()
                .copied()
                .filter(|&other| reach(&self.graph, other, &loaded).contains(&module))
                .collect();
            circle.insert(module);
            circle
        };
        let own = circle_of(module);
        let explicit: u32 = own
            .iter()
            .map(|module| self.explicit.get(module).copied().unwrap_or(0))
            .sum();
        let others: BTreeSet<BTreeSet<usize>> = self
            .loaded
            .iter()
            .copied()
            .filter(|other| !own.contains(other))
            .filter(|other| self.graph[*other].iter().any(|needed| own.contains(needed)))
            .map(circle_of)
            .collect();
        explicit + u32::try_from(others.len()).unwrap()
    }
}

fn start(world: &Rc<World>) -> Rc<Loader<Sys>> {
    world.start(
        &Dll::new("ntdll.dll").without_entry(),
        &Dll::program("p.exe"),
    )
}

fn add_all(world: &World, graph: &Graph) {
    for (number, needed) in graph.iter().enumerate() {
        let mut dll = Dll::new(&name(number)).exporting(&["f"]);
        for other in needed {
            dll = dll.importing(&name(*other), &["f"]);
        }
        world.add(&dll);
    }
}

fn check(world: &World, model: &Model, counts: bool) {
    world.check();
    let names =
        |modules: &[usize]| -> Vec<String> { modules.iter().map(|&module| name(module)).collect() };
    let mut loaded = vec!["p.exe".to_owned(), "ntdll.dll".to_owned()];
    loaded.extend(names(&model.loaded));
    assert_eq!(world.list(List::Load), loaded);
    assert_eq!(world.list(List::Memory), loaded);
    let mut initialized = vec!["ntdll.dll".to_owned()];
    initialized.extend(names(&model.initialized));
    assert_eq!(world.list(List::Initialization), initialized);
    loaded.sort();
    assert_eq!(world.mapped(), loaded);
    if counts {
        for &module in &model.loaded {
            let node = field!(world.entry(&name(module)), LdrDataTableEntry, ddag_node).read();
            let count = field!(Ptr::<LdrDdagNode>::at(node), LdrDdagNode, load_count).read();
            assert_eq!(count, model.load_count(module), "{}", name(module));
        }
    }
}

fn run(seed: u64, count: usize, edges: usize, steps: usize) {
    let mut random = Random::new(seed);
    let world = World::new();
    let mut model = Model {
        graph: random_graph(&mut random, count, edges),
        ..Model::default()
    };
    add_all(&world, &model.graph);
    let loader = start(&world);
    let blocks = world.blocks();
    for step in 0..steps {
        let held: Vec<usize> = model
            .explicit
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(module, _)| *module)
            .collect();
        if !held.is_empty() && random.index(2) == 0 {
            let module = held[random.index(held.len())];
            let expected = model.unload(module);
            loader.unload_dll(world.base_of(&name(module))).unwrap();
            assert_eq!(world.events(), expected, "seed {seed}, step {step}");
        } else {
            let module = random.index(count);
            let failing =
                (random.index(3) == 0).then(|| (random.index(count), random.index(2) == 0));
            world.forget_actions();
            if let Some((failing, raises)) = failing {
                let action = if raises {
                    Action::Raise(NtStatus::BREAKPOINT)
                } else {
                    Action::Fail
                };
                world.on(&name(failing), 1, action);
            }
            let (good, expected) = model.load(module, failing);
            let result = world.load(&name(module));
            assert_eq!(result.is_ok(), good, "seed {seed}, step {step}");
            assert_eq!(world.events(), expected, "seed {seed}, step {step}");
        }
        check(&world, &model, count <= 30);
    }
    world.forget_actions();
    let held: Vec<(usize, u32)> = model
        .explicit
        .iter()
        .map(|(module, count)| (*module, *count))
        .collect();
    for (module, count) in held {
        for _ in 0..count {
            let expected = model.unload(module);
            loader.unload_dll(world.base_of(&name(module))).unwrap();
            assert_eq!(world.events(), expected, "seed {seed}");
        }
    }
    check(&world, &model, true);
    assert_eq!(world.blocks(), blocks, "seed {seed}");
    assert!(model.loaded.is_empty());
}

#[test]
fn small_graphs() {
    for seed in 0..150 {
        let count = 2 + usize::try_from(seed % 11).unwrap();
        run(
            seed,
            count,
            count * (1 + usize::try_from(seed % 3).unwrap()),
            40,
        );
    }
}

#[test]
fn graphs_of_200_dlls() {
    for seed in 0..6 {
        run(1000 + seed, 200, 260, 40);
    }
}

#[test]
fn an_entry_point_fails_at_every_place() {
    let mut random = Random::new(77);
    let graph = random_graph(&mut random, 200, 420);
    let mut model = Model {
        graph,
        ..Model::default()
    };
    // The module with the most behind it.
    let root = (0..200)
        .max_by_key(|&module| reach(&model.graph, module, &|_| true).len())
        .unwrap();
    let world = World::new();
    add_all(&world, &model.graph);
    let loader = start(&world);
    let blocks = world.blocks();
    let (_, order) = model.load(root, None);
    assert!(order.len() > 100, "{}", order.len());
    model.unload(root);
    for line in order.iter().step_by(3) {
        let failing: usize = line[1..line.find('.').unwrap()].parse().unwrap();
        world.forget_actions();
        world.on(&name(failing), 1, Action::Fail);
        let (_, expected) = model.load(root, Some((failing, false)));
        assert_eq!(world.load(&name(root)), Err(NtStatus::DLL_INIT_FAILED));
        assert_eq!(world.events(), expected);
        check(&world, &model, false);
        assert_eq!(world.blocks(), blocks);
    }
    world.forget_actions();
    let base = world.load(&name(root)).unwrap();
    loader.unload_dll(base).unwrap();
    assert_eq!(world.blocks(), blocks);
}

#[test]
fn long_chains_and_circles() {
    let count = 3000;
    for close in [false, true] {
        let world = World::new();
        let mut graph: Graph = (0..count).map(|number| vec![number + 1]).collect();
        graph[count - 1] = if close { vec![0] } else { Vec::new() };
        add_all(&world, &graph);
        let loader = start(&world);
        let blocks = world.blocks();
        let base = world.load(&name(0)).unwrap();
        let events = world.events();
        assert_eq!(events.len(), count);
        assert_eq!(events[0], format!("{} attach", name(count - 1)));
        loader.unload_dll(base).unwrap();
        assert_eq!(world.events().len(), count);
        assert_eq!(world.blocks(), blocks);
    }
}

/// Where an export leads in the end, by the definitions alone; `None` if nowhere.
fn resolve(dlls: &[Dll], module: usize, export: &str) -> Option<(usize, u32)> {
    let (mut module, mut export) = (module, export.to_owned());
    for _ in 0..60 {
        let (_, target) = dlls[module]
            .exports
            .iter()
            .find(|(own, _)| *own == export)?;
        match target {
            Export::Code => return Some((module, dlls[module].address_of(&export))),
            Export::Empty => return None,
            Export::Forward(to) => {
                let (next, name) = to.split_once('.')?;
                module = next
                    .strip_prefix('m')?
                    .parse()
                    .ok()
                    .filter(|next| *next < dlls.len())?;
                name.clone_into(&mut export);
            }
        }
    }
    None
}

#[test]
fn forwarders_in_random_graphs() {
    let (mut good, mut bad) = (0, 0);
    for seed in 0..120 {
        let mut random = Random::new(seed);
        let count = 3 + random.index(12);
        let graph = random_graph(&mut random, count, count);
        let mut dlls: Vec<Dll> = (0..count).map(|number| Dll::new(&name(number))).collect();
        for dll in &mut dlls {
            for number in 0..5 {
                let export = if random.index(3) == 0 {
                    // Now and then to a DLL that is not there, or to an export that is not.
                    let (lost, none) = (random.index(12) == 0, random.index(12) == 0);
                    let module = random.index(count + usize::from(lost));
                    let to = random.index(5 + usize::from(none));
                    Export::Forward(format!("m{module}.f{to}"))
                } else {
                    Export::Code
                };
                dll.exports.push((format!("f{number}"), export));
            }
        }
        let mut wanted = vec![Vec::new(); count];
        for (module, needed) in graph.iter().enumerate() {
            for other in needed {
                let export = format!("f{}", random.index(5));
                dlls[module] = dlls[module]
                    .clone()
                    .importing(&name(*other), &[export.as_str()]);
                wanted[module].push((*other, export));
            }
        }
        let world = World::new();
        for dll in &dlls {
            world.add(dll);
        }
        let loader = start(&world);
        let blocks = world.blocks();
        let mut held = Vec::new();
        for _ in 0..30 {
            let module = random.index(count);
            match random.index(3) {
                0 if !held.is_empty() => {
                    let base = held.swap_remove(random.index(held.len()));
                    loader.unload_dll(base).unwrap();
                }
                1 if world.mapped().contains(&name(module)) => {
                    let export = format!("f{}", random.index(5));
                    let base = world.base_of(&name(module));
                    let asked = loader.procedure_address(base, Procedure::Name(export.as_bytes()));
                    // It may lead somewhere and still fail: what is there may need what is not.
                    match (asked, resolve(&dlls, module, &export)) {
                        (Ok(address), Some((end, rva))) => {
                            let expected = world.base_of(&name(end)).byte_add(rva as usize);
                            assert_eq!(address, expected, "seed {seed}");
                            good += 1;
                        }
                        (Ok(_), None) => panic!("seed {seed}: {export} of {module} leads nowhere"),
                        (Err(_), _) => bad += 1,
                    }
                }
                _ => match world.load(&name(module)) {
                    Ok(base) => held.push(base),
                    Err(_) => bad += 1,
                },
            }
            world.check();
            check_imports(&world, &dlls, &wanted);
        }
        for base in held {
            loader.unload_dll(base).unwrap();
        }
        assert_eq!(world.mapped(), ["ntdll.dll", "p.exe"], "seed {seed}");
        assert_eq!(world.blocks(), blocks, "seed {seed}");
    }
    assert!(good > 500 && bad > 50, "{good} {bad}");
}

/// All imports of what is loaded lead where they should, to modules that are loaded.
fn check_imports(world: &World, dlls: &[Dll], wanted: &[Vec<(usize, String)>]) {
    let mapped = world.mapped();
    for (module, imports) in wanted.iter().enumerate() {
        if !mapped.contains(&name(module)) {
            continue;
        }
        let built = dlls[module].build();
        let base = world.base_of(&name(module));
        for ((other, export), slots) in imports.iter().zip(&built.slots) {
            let (end, rva) = resolve(dlls, *other, export).expect("it was loaded");
            assert!(mapped.contains(&name(end)), "{} went too early", name(end));
            let expected = world.base_of(&name(end)).address() + rva as usize;
            assert_eq!(
                base.byte_add(*slots as usize).cast::<usize>().read(),
                expected
            );
        }
    }
}
