//! Contexts on several processors: a scheduler as small as can be, one queue and an idle context for each processor.

mod common;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use arch::contract::{Clock, Irql, Processor, ProcessorNumber};
use arch::thread::{Context, current_thread, leave, switch};
use arch::{Machine, sim};
use common::{come_up, leak, set_upcalls};

const IDLE: u32 = 1000;

static READY: Mutex<VecDeque<u32>> = Mutex::new(VecDeque::new());
static LEFT: AtomicU32 = AtomicU32::new(0);
static SWITCHES: AtomicU64 = AtomicU64::new(0);
/// Whether threads are switched by the clock, too.
static PREEMPTS: AtomicBool = AtomicBool::new(false);

thread_local! {
    static CONTEXTS: RefCell<BTreeMap<u32, &'static Context>> = const { RefCell::new(BTreeMap::new()) };
}

fn context(thread: u32) -> &'static Context {
    CONTEXTS.with_borrow_mut(|contexts| {
        *contexts
            .entry(thread)
            .or_insert_with(|| leak(Context::new()))
    })
}

/// Forgets what an earlier machine left.
fn reset(threads: u32) {
    READY.lock().expect("nobody panics with it").clear();
    LEFT.store(threads, Relaxed);
    for thread in (1..=threads).chain(IDLE..IDLE + 8) {
        if let Some(stack) = context(thread).forget() {
            sim::give_stack_back(stack);
        }
    }
}

fn make_ready(thread: u32) {
    READY
        .lock()
        .expect("nobody panics with it")
        .push_back(thread);
}

fn next() -> Option<u32> {
    READY.lock().expect("nobody panics with it").pop_front()
}

/// Lets the next thread run, at Dispatch.
fn yield_at_dispatch() {
    let own = current_thread().expect("there are threads");
    let next = {
        let mut ready = READY.lock().expect("nobody panics with it");
        if own < IDLE {
            ready.push_back(own);
        }
        ready.pop_front()
    };
    let Some(next) = next.filter(|next| *next != own) else {
        return;
    };
    // Another processor may take this thread up before it is left: it must wait.
    Machine::relax();
    SWITCHES.fetch_add(1, Relaxed);
    switch(context(own), context(next));
    assert_eq!(current_thread(), Some(own));
}

fn yield_now() {
    Machine::set_irql(Irql::Dispatch);
    yield_at_dispatch();
    Machine::set_irql(Irql::Passive);
}

fn end_thread(thread: u32) -> ! {
    Machine::set_irql(Irql::Dispatch);
    LEFT.fetch_sub(1, Relaxed);
    let next = next().unwrap_or(IDLE + Machine::number().0);
    Machine::relax();
    leave(context(thread), context(next))
}

/// What the idle thread does until all others ended.
fn idle() {
    let own = IDLE + Machine::number().0;
    context(own).adopt(own).expect("it is fresh");
    while LEFT.load(Relaxed) > 0 {
        yield_now();
        assert_eq!(own, IDLE + Machine::number().0, "an idle thread stays");
        Machine::relax();
    }
}

fn leave_interrupt(interrupted: Irql) {
    if PREEMPTS.load(Relaxed) && interrupted < Irql::Dispatch && current_thread().is_some() {
        Machine::set_irql(Irql::Dispatch);
        yield_at_dispatch();
        Machine::set_irql(interrupted);
    }
}

fn run_threads(processors: u32, seed: u64, threads: u32, preempts: bool) -> (u64, u64) {
    static RUNS: [AtomicBool; 16] = [const { AtomicBool::new(false) }; 16];
    static STEPS: AtomicU32 = AtomicU32::new(0);
    fn thread(own: u32) -> ! {
        // A first switch comes at the scheduler's level.
        Machine::set_irql(Irql::Passive);
        for _ in 0..10 {
            assert!(!RUNS[own as usize].swap(true, Relaxed), "it runs twice");
            let before = Machine::counter();
            assert!(Machine::counter() >= before);
            STEPS.fetch_add(1, Relaxed);
            RUNS[own as usize].store(false, Relaxed);
            yield_now();
        }
        end_thread(own)
    }
    let _machine = sim::boot_multiprocessor(processors, seed);
    PREEMPTS.store(preempts, Relaxed);
    reset(threads);
    STEPS.store(0, Relaxed);
    set_upcalls(|upcalls| {
        upcalls.leave = leave_interrupt;
        upcalls.started = |_| {
            come_up();
            Machine::start_clock(600);
            idle();
        };
    });
    for number in 1..processors {
        assert!(sim::start_processor(ProcessorNumber(number)));
    }
    Machine::start_clock(500);
    for number in 1..=threads {
        context(number)
            .prepare(sim::kernel_stack(), thread, number)
            .expect("it is empty");
        make_ready(number);
    }
    idle();
    for number in 1..=threads {
        while !context(number).has_ended() {
            Machine::relax();
        }
    }
    assert_eq!(STEPS.load(Relaxed), threads * 10);
    sim::fingerprint()
}

#[test]
fn two_processors_hand_contexts_back_and_forth() {
    SWITCHES.store(0, Relaxed);
    for seed in 0..200 {
        run_threads(
            2,
            seed,
            1 + u32::try_from(seed % 4).expect("a remainder"),
            false,
        );
    }
    assert!(SWITCHES.load(Relaxed) > 2000);
}

#[test]
fn four_processors_with_preemption_and_equal_runs_for_equal_seeds() {
    for seed in 0..50 {
        let one = run_threads(4, seed, 9, true);
        assert_eq!(one, run_threads(4, seed, 9, true));
    }
}
