//! What a review of the scheduler and the timers found, each with the runs that showed it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::vec::Vec;

use arch::contract::{Irql, ProcessorNumber, ProcessorSet};
use nt_abi::NtStatus;
use rtl::Random;

use crate::dispatcher::{Due, Event, EventKind, Timer, WaitKind};
use crate::testing::{join, run, spawn, thread};
use crate::thread::Mode;
use crate::wait::{WaitOptions, delay, wait_for_many, wait_for_one};
use crate::{irql, schedule};

const MS: u64 = 10_000;

fn scheduling_point() {
    drop(irql::raise(Irql::Dispatch));
}

/// A thread that was chosen and then passed over must be found where it was put; and what was put behind one that goes
/// elsewhere must not be forgotten by a processor that idles.
#[test]
fn priorities_and_affinities_may_change_at_any_moment() {
    for seed in 0..200 {
        run(3, seed, move || {
            let workers: Arc<Vec<_>> = Arc::new(
                (0..8)
                    .map(|_| {
                        thread(move || {
                            for _ in 0..10 {
                                (0..10).for_each(|_| scheduling_point());
                                delay(Due::In(MS), Mode::Kernel, false);
                            }
                        })
                    })
                    .collect(),
            );
            workers.iter().for_each(|worker| worker.start());
            let meddlers: Vec<_> = (0..2)
                .map(|meddler| {
                    let workers = workers.clone();
                    let thread = thread(move || {
                        let mut random = Random::new(seed * 2 + meddler);
                        for _ in 0..150 {
                            let worker = workers[random.index(workers.len())].thread();
                            if random.below(2) == 0 {
                                let priority = u8::try_from(1 + random.below(15)).expect("small");
                                schedule::set_priority(worker, priority).expect("a priority");
                            } else {
                                let set = ProcessorSet(1 + random.below(7));
                                schedule::set_affinity(worker, set).expect("active processors");
                            }
                            scheduling_point();
                        }
                    });
                    schedule::set_base_priority(thread.thread(), 9).expect("a priority");
                    thread.start();
                    thread
                })
                .collect();
            meddlers.iter().for_each(join);
            workers.iter().for_each(join);
        });
    }
}

/// The limit of a wait that a timer satisfies leaves the wheel's bucket while that is walked.
#[test]
fn a_timer_may_end_a_wait_whose_limit_is_due_at_the_same_time() {
    for seed in 0..20 {
        run(2, seed, || {
            let ended = Arc::new(AtomicU32::new(0));
            let timers: Arc<Vec<_>> = Arc::new(
                (0..6)
                    .map(|_| Timer::new(EventKind::Notification).expect("memory"))
                    .collect(),
            );
            let due = Due::At(crate::clock::system_time() + 40 * MS);
            let waiters: Vec<_> = (0..6)
                .map(|index| {
                    let (timers, ended) = (timers.clone(), ended.clone());
                    timers[index].set(due, 0, None);
                    spawn(move || {
                        let options = WaitOptions::kernel().until(due);
                        let status = wait_for_one(timers[index].header(), &options);
                        assert!(matches!(status, NtStatus::WAIT_0 | NtStatus::TIMEOUT));
                        ended.fetch_add(1, SeqCst);
                    })
                })
                .collect();
            let other = Timer::new(EventKind::Notification).expect("memory");
            other.set(due, 0, None);
            assert_eq!(
                wait_for_one(other.header(), &WaitOptions::kernel()),
                NtStatus::WAIT_0
            );
            waiters.iter().for_each(join);
            assert_eq!(ended.load(SeqCst), 6);
        });
    }
}

#[test]
fn a_timer_whose_time_is_past_is_signalled_when_it_is_set() {
    run(1, 1, || {
        let timer = Timer::new(EventKind::Notification).expect("memory");
        for due in [Due::In(0), Due::At(0)] {
            timer.set(due, 0, None);
            assert!(timer.state().signalled);
            assert_eq!(timer.state().remaining, None);
        }
    });
}

#[test]
fn all_of_several_objects_are_different_ones() {
    run(1, 1, || {
        let event = Event::new(EventKind::Synchronization, true).expect("memory");
        let twice = [event.header(), event.header()];
        let options = WaitOptions::kernel();
        assert_eq!(
            wait_for_many(&twice, WaitKind::All, &options),
            NtStatus::INVALID_PARAMETER_MIX
        );
        assert_eq!(
            wait_for_many(&twice, WaitKind::Any, &options),
            NtStatus::WAIT_0
        );
    });
}

#[test]
fn a_thread_that_yields_lets_a_lesser_one_run_and_takes_none_from_another_processor() {
    run(2, 3, || {
        let here = ProcessorSet::only(ProcessorNumber(0));
        let there = ProcessorSet::only(ProcessorNumber(1));
        let me = crate::thread::current();
        schedule::set_affinity(me, here).expect("active");
        let ran = Arc::new(AtomicU32::new(0));
        let theirs = ran.clone();
        let lesser = thread(move || {
            theirs.fetch_add(1, SeqCst);
        });
        schedule::set_base_priority(lesser.thread(), 4).expect("a priority");
        schedule::set_affinity(lesser.thread(), here).expect("active");
        lesser.start();
        assert_eq!(ran.load(SeqCst), 0);
        assert!(schedule::yield_execution());
        join(&lesser);
        let elsewhere = thread(|| ());
        schedule::set_affinity(elsewhere.thread(), there).expect("active");
        elsewhere.start();
        assert!(!schedule::yield_execution(), "nobody else is ready here");
        join(&elsewhere);
    });
}

/// The thread that an idle processor was to run next goes elsewhere: who was put behind it runs instead.
#[test]
fn a_processor_that_idles_does_not_forget_who_was_put_behind_the_next_one() {
    for seed in 0..200 {
        run(2, seed, || {
            let here = ProcessorSet::only(ProcessorNumber(0));
            let there = ProcessorSet::only(ProcessorNumber(1));
            schedule::set_affinity(crate::thread::current(), here).expect("active");
            let workers = [thread(|| ()), thread(|| ())];
            for worker in &workers {
                schedule::set_affinity(worker.thread(), there).expect("active");
            }
            {
                let _dispatch = irql::raise(Irql::Dispatch);
                workers.iter().for_each(|worker| worker.start());
                schedule::set_affinity(workers[0].thread(), here).expect("active");
            }
            let limit = WaitOptions::kernel().until(Due::In(1000 * MS));
            for worker in &workers {
                let status = wait_for_one(worker.thread().header(), &limit);
                assert_eq!(status, NtStatus::WAIT_0);
            }
        });
    }
}

#[test]
fn a_new_thread_does_not_inherit_what_its_slots_last_one_was_wanted_for() {
    run(1, 1, || {
        for _ in 0..3 {
            let worker = spawn(|| {
                let status = delay(Due::In(MS), Mode::User, false);
                assert_eq!(status, NtStatus::SUCCESS);
                crate::apc::request_attention(crate::thread::current(), 4);
            });
            join(&worker);
        }
    });
}
