//! Who runs. Pages: "Scheduling Priorities", "Priority Boosts", "Processor Affinity" (Win32), "Thread Scheduling" of
//! *Windows Internals*, Part 1, chapter 4.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::vec::Vec;

use arch::Machine;
use arch::contract::{Irql, Processor, ProcessorNumber, ProcessorSet};

use nt_abi::NtStatus;

use crate::dispatcher::{Due, Event, EventKind};
use crate::testing::{join, run, spawn, thread};
use crate::thread::{Mode, State};
use crate::wait::{WaitOptions, delay, wait_for_one};
use crate::{irql, schedule};

const MS: u64 = 10_000;

fn scheduling_point() {
    drop(irql::raise(Irql::Dispatch));
}

#[test]
fn a_better_thread_runs_at_once_and_a_lesser_one_only_when_nobody_else_can() {
    run(1, 1, || {
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |what: u32| {
            let order = order.clone();
            thread(move || order.lock().expect("no panic").push(what))
        };
        let (low, high) = (note(1), note(3));
        schedule::set_base_priority(low.thread(), 4).expect("a priority");
        schedule::set_base_priority(high.thread(), 12).expect("a priority");
        low.start();
        order.lock().expect("no panic").push(0);
        high.start();
        order.lock().expect("no panic").push(4);
        join(&low);
        assert_eq!(*order.lock().expect("no panic"), [0, 3, 4, 1]);
        assert!(schedule::set_priority(low.thread(), 0).is_err());
        assert!(schedule::set_priority(low.thread(), 32).is_err());
    });
}

/// Windows Internals, "Zero Page Thread": the one thread of priority 0 runs when nobody else wants a processor.
#[test]
fn a_thread_below_all_runs_when_nobody_else_does_and_is_never_boosted() {
    run(1, 1, || {
        let (ran, stop) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let busy = |counts: bool| {
            let (ran, stop) = (ran.clone(), stop.clone());
            thread(move || {
                while stop.load(SeqCst) == 0 {
                    ran.fetch_add(u32::from(counts), SeqCst);
                    scheduling_point();
                    if counts {
                        delay(Due::In(MS), Mode::Kernel, false);
                    }
                }
            })
        };
        schedule::set_base_priority(crate::thread::current(), 16).expect("a priority");
        let (worst, low) = (busy(true), busy(false));
        schedule::set_below_all(worst.thread());
        assert_eq!(schedule::base_priority(worst.thread()), 0);
        schedule::set_base_priority(low.thread(), 1).expect("a priority");
        worst.start();
        delay(Due::In(100 * MS), Mode::Kernel, false);
        assert!(ran.load(SeqCst) > 3, "nobody else wants the processor");
        low.start();
        delay(Due::In(10 * MS), Mode::Kernel, false);
        let before = ran.load(SeqCst);
        delay(Due::In(6_000 * MS), Mode::Kernel, false);
        assert_eq!(schedule::boost_starved(), 0);
        assert_eq!(ran.load(SeqCst), before);
        stop.store(1, SeqCst);
        [&worst, &low].into_iter().for_each(join);
    });
}

/// "Sleep": no time at all gives the rest of the turn to another thread that is ready. That a time which is yet to pass lasts
/// until the clock ticks is shown where time goes by itself, by `conformance_timers`.
#[test]
fn a_delay_of_no_time_lets_others_run() {
    run(1, 1, || {
        let order = Arc::new(Mutex::new(Vec::new()));
        let priority = schedule::base_priority(crate::thread::current());
        for (due, other) in [
            (Due::In(0), priority),
            (Due::At(0), priority),
            (Due::In(0), 1),
        ] {
            let ready = {
                let order = order.clone();
                thread(move || order.lock().expect("no panic").push(2))
            };
            schedule::set_base_priority(ready.thread(), other).expect("a priority");
            ready.start();
            order.lock().expect("no panic").push(1);
            let status = delay(due, Mode::Kernel, false);
            assert_eq!(status, NtStatus::SUCCESS);
            order.lock().expect("no panic").push(3);
            join(&ready);
            let order = core::mem::take(&mut *order.lock().expect("no panic"));
            assert_eq!(order, [1, 2, 3], "{due:?}, priority {other}");
            let status = delay(due, Mode::Kernel, false);
            assert_eq!(status, NtStatus::NO_YIELD_PERFORMED);
        }
    });
}

#[test]
fn threads_of_one_priority_take_turns_by_quantum() {
    run(1, 1, || {
        let counts = Arc::new([const { AtomicU64::new(0) }; 3]);
        let stop = Arc::new(AtomicU32::new(0));
        let workers: Vec<_> = (0..3)
            .map(|index| {
                let (counts, stop) = (counts.clone(), stop.clone());
                let worker = thread(move || {
                    while stop.load(SeqCst) == 0 {
                        counts[index].fetch_add(1, SeqCst);
                        scheduling_point();
                    }
                });
                schedule::set_base_priority(worker.thread(), 6).expect("a priority");
                worker.start();
                worker
            })
            .collect();
        delay(Due::In(3000 * MS), Mode::Kernel, false);
        stop.store(1, SeqCst);
        workers.iter().for_each(join);
        let counts: Vec<u64> = counts.iter().map(|count| count.load(SeqCst)).collect();
        let (least, most) = (counts.iter().min(), counts.iter().max());
        let (least, most) = (*least.expect("three"), *most.expect("three"));
        assert!(least * 10 > most * 8, "{counts:?}");
    });
}

#[test]
fn a_ready_thread_finds_a_processor_that_idles_and_affinity_is_kept() {
    for seed in 0..30 {
        run(4, seed, || {
            for number in 0..4 {
                let seen = Arc::new(AtomicU64::new(0));
                let mine = seen.clone();
                let worker = thread(move || {
                    for _ in 0..50 {
                        let _dispatch = irql::raise(Irql::Dispatch);
                        mine.fetch_or(1 << Machine::number().0, SeqCst);
                    }
                });
                let only = ProcessorSet::only(ProcessorNumber(number));
                schedule::set_affinity(worker.thread(), only).expect("an active processor");
                worker.start();
                join(&worker);
                assert_eq!(seen.load(SeqCst), only.0);
            }
            let none = ProcessorSet::only(ProcessorNumber(9));
            let worker = spawn(|| ());
            assert!(schedule::set_affinity(worker.thread(), none).is_err());
            join(&worker);
        });
    }
}

#[test]
fn a_running_thread_leaves_a_processor_that_it_may_not_use_any_more() {
    for seed in 0..30 {
        run(3, seed, || {
            let seen = Arc::new(AtomicU64::new(0));
            let stop = Arc::new(AtomicU32::new(0));
            let (mine, stops) = (seen.clone(), stop.clone());
            let worker = spawn(move || {
                while stops.load(SeqCst) == 0 {
                    {
                        let _dispatch = irql::raise(Irql::Dispatch);
                        mine.store(u64::from(Machine::number().0), SeqCst);
                    }
                    scheduling_point();
                }
            });
            for number in [2, 1, 0, 2, 0, 1] {
                let only = ProcessorSet::only(ProcessorNumber(number));
                schedule::set_affinity(worker.thread(), only).expect("an active processor");
                delay(Due::In(100 * MS), Mode::Kernel, false);
                assert_eq!(seen.load(SeqCst), u64::from(number));
            }
            stop.store(1, SeqCst);
            join(&worker);
        });
    }
}

#[test]
fn a_wait_that_ends_boosts_and_the_boost_decays() {
    run(1, 1, || {
        let gate = Arc::new(Event::new(EventKind::Synchronization, false).expect("memory"));
        let mine = gate.clone();
        let order = Arc::new(Mutex::new(Vec::new()));
        let theirs = order.clone();
        let worker = spawn(move || {
            wait_for_one(mine.header(), &WaitOptions::kernel());
            theirs.lock().expect("no panic").push("woken");
        });
        while worker.state() != State::Waiting {
            delay(Due::In(MS), Mode::Kernel, false);
        }
        // As good as this thread by base; the boost makes it better, so it runs before `set` returns.
        gate.set();
        order.lock().expect("no panic").push("setter");
        join(&worker);
        assert_eq!(*order.lock().expect("no panic"), ["woken", "setter"]);
    });
}

#[test]
fn twenty_thousand_threads_come_and_go_and_leave_nothing() {
    run(2, 11, || {
        let before = crate::thread::in_use();
        let count = Arc::new(AtomicU32::new(0));
        for _ in 0..20_000 {
            let mine = count.clone();
            let worker = spawn(move || {
                mine.fetch_add(1, SeqCst);
            });
            join(&worker);
        }
        assert_eq!(count.load(SeqCst), 20_000);
        crate::thread::reap();
        // The last one may still be leaving its stack.
        assert!(crate::thread::in_use() <= before + 1);
    });
}
