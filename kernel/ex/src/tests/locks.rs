//! Push locks, mutexes, run-down, keyed events. Pages: "Fast Mutexes and Guarded Mutexes", "ExAcquirePushLockExclusive",
//! "Run-Down Protection"; "NtWaitForKeyedEvent" as programs see it.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::vec::Vec;

use arch::contract::Irql;
use ke::apc::{are_all_apcs_disabled, are_apcs_disabled};
use ke::dispatcher::Due;
use ke::testing::{join, run, spawn};
use ke::thread::Mode;
use ke::wait::{WaitOptions, delay};
use nt_abi::NtStatus;
use rtl::Random;

use super::{MS, alone, counter, pause, scheduling_point, until_waiting};
use crate::{FastMutex, GuardedMutex, InitOnce, KeyedEvent, PushLock, RundownProtection};

#[test]
fn a_push_lock_excludes_shares_and_loses_no_wake_up() {
    for seed in 0..150 {
        run(4, seed, move || {
            let lock = Arc::new(PushLock::new((0u64, 0u64)));
            let (writers, readers) = (counter(), counter());
            let workers: Vec<_> = (0..6)
                .map(|number| {
                    let (lock, writers, readers) = (lock.clone(), writers.clone(), readers.clone());
                    spawn(move || {
                        let mut random = Random::new(seed * 8 + number);
                        for _ in 0..25 {
                            match random.below(4) {
                                0 => {
                                    let mut pair = lock.acquire_exclusive();
                                    assert_eq!(readers.load(SeqCst), 0);
                                    alone(&writers);
                                    pair.0 += 1;
                                    scheduling_point();
                                    pair.1 += 1;
                                }
                                1 => {
                                    let mut pair = lock.acquire_exclusive();
                                    alone(&writers);
                                    pair.0 += 1;
                                    pair.1 += 1;
                                    let count = pair.0;
                                    let pair = pair.into_shared();
                                    scheduling_point();
                                    assert_eq!(pair.0, count, "changed in between");
                                }
                                _ => {
                                    let pair = lock.acquire_shared();
                                    readers.fetch_add(1, SeqCst);
                                    assert_eq!(writers.load(SeqCst), 0);
                                    scheduling_point();
                                    assert_eq!(pair.0, pair.1);
                                    if random.below(8) == 0 {
                                        delay(Due::In(MS), Mode::Kernel, false);
                                    }
                                    readers.fetch_sub(1, SeqCst);
                                }
                            }
                            scheduling_point();
                        }
                    })
                })
                .collect();
            workers.iter().for_each(join);
            assert!(!lock.is_held());
            assert!(!are_apcs_disabled());
        });
    }
}

#[test]
fn a_stream_of_readers_does_not_keep_a_writer_out_nor_writers_a_reader() {
    run(4, 3, || {
        let lock = Arc::new(PushLock::new(()));
        let stop = counter();
        let readers: Vec<_> = (0..5)
            .map(|_| {
                let (lock, stop) = (lock.clone(), stop.clone());
                spawn(move || {
                    while stop.load(SeqCst) == 0 {
                        let _shared = lock.acquire_shared();
                        delay(Due::In(20 * MS), Mode::Kernel, false);
                    }
                })
            })
            .collect();
        for _ in 0..10 {
            let start = ke::clock::interrupt_time();
            drop(lock.acquire_exclusive());
            assert!(ke::clock::interrupt_time() - start < 200 * MS);
        }
        stop.store(1, SeqCst);
        readers.iter().for_each(join);
        stop.store(0, SeqCst);
        let writers: Vec<_> = (0..3)
            .map(|_| {
                let (lock, stop) = (lock.clone(), stop.clone());
                spawn(move || {
                    while stop.load(SeqCst) == 0 {
                        let _whole = lock.acquire_exclusive();
                        delay(Due::In(20 * MS), Mode::Kernel, false);
                    }
                })
            })
            .collect();
        for _ in 0..10 {
            let start = ke::clock::interrupt_time();
            drop(lock.acquire_shared());
            assert!(ke::clock::interrupt_time() - start < 200 * MS);
        }
        stop.store(1, SeqCst);
        writers.iter().for_each(join);
    });
}

#[test]
fn who_waits_for_a_push_lock_goes_on_in_order_and_sharers_together() {
    run(2, 1, || {
        let lock = Arc::new(PushLock::new(()));
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = lock.acquire_exclusive();
        assert!(lock.try_acquire_shared().is_none());
        assert!(lock.try_acquire_exclusive().is_none());
        let waiters: Vec<_> = [true, false, false, true, false]
            .into_iter()
            .zip(0..)
            .map(|(shares, number)| {
                let (lock, order) = (lock.clone(), order.clone());
                let note =
                    move |order: &Mutex<Vec<i32>>| order.lock().expect("no panic").push(number);
                let waiter = spawn(move || {
                    if shares {
                        let _shared = lock.acquire_shared();
                        note(&order);
                        pause();
                    } else {
                        let _whole = lock.acquire_exclusive();
                        note(&order);
                        pause();
                    }
                });
                until_waiting(&waiter);
                waiter
            })
            .collect();
        // What was had alone becomes a share, which the first one waits for; the others wait for both.
        let first = first.into_shared();
        join(&waiters[0]);
        assert!(lock.try_acquire_shared().is_none(), "somebody came before");
        drop(first);
        waiters.iter().for_each(join);
        assert_eq!(*order.lock().expect("no panic"), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn mutexes_exclude_and_keep_apcs_away() {
    for seed in 0..60 {
        run(3, seed, || {
            let fast = Arc::new(FastMutex::new(0));
            let guarded = Arc::new(GuardedMutex::new(0));
            let inside = [counter(), counter()];
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    let (fast, guarded, inside) = (fast.clone(), guarded.clone(), inside.clone());
                    spawn(move || {
                        for _ in 0..20 {
                            {
                                let mut count = fast.acquire();
                                assert_eq!(ke::irql::current(), Irql::Apc);
                                alone(&inside[0]);
                                *count += 1;
                            }
                            let mut count = guarded.acquire();
                            assert_eq!(ke::irql::current(), Irql::Passive);
                            assert!(are_all_apcs_disabled());
                            alone(&inside[1]);
                            *count += 1;
                        }
                    })
                })
                .collect();
            workers.iter().for_each(join);
            assert_eq!((*fast.acquire(), *guarded.acquire()), (80, 80));
            let held = fast.acquire();
            assert!(fast.try_acquire().is_none());
            drop(held);
            assert!(!are_apcs_disabled());
        });
    }
}

#[test]
fn a_run_down_waits_for_all_who_are_inside_and_lets_nobody_in() {
    for seed in 0..100 {
        run(4, seed, || {
            let protection = Arc::new(RundownProtection::new());
            let (inside, entered, refused) = (counter(), counter(), counter());
            let over = counter();
            let workers: Vec<_> = (0..5)
                .map(|_| {
                    let protection = protection.clone();
                    let (inside, entered, refused, over) = (
                        inside.clone(),
                        entered.clone(),
                        refused.clone(),
                        over.clone(),
                    );
                    spawn(move || {
                        loop {
                            let Some(_inside) = protection.enter() else {
                                refused.fetch_add(1, SeqCst);
                                return;
                            };
                            assert_eq!(over.load(SeqCst), 0, "somebody is inside after the end");
                            inside.fetch_add(1, SeqCst);
                            entered.fetch_add(1, SeqCst);
                            scheduling_point();
                            delay(Due::In(MS), Mode::Kernel, false);
                            inside.fetch_sub(1, SeqCst);
                        }
                    })
                })
                .collect();
            pause();
            protection.wait();
            over.store(1, SeqCst);
            assert_eq!(inside.load(SeqCst), 0);
            assert!(entered.load(SeqCst) > 0 && protection.runs_down());
            workers.iter().for_each(join);
            assert_eq!(refused.load(SeqCst), 5);
            protection.reopen();
            assert!(protection.enter().is_some());
        });
    }
}

#[test]
fn who_waits_and_who_releases_meet_by_key_first_come_first_served() {
    for seed in 0..30 {
        run(3, seed, || {
            let event = Arc::new(KeyedEvent::new());
            let limit = WaitOptions::user(false, Some(Due::In(10 * MS)));
            for (key, status) in [
                (255, NtStatus::INVALID_PARAMETER_1),
                (254, NtStatus::TIMEOUT),
                (0, NtStatus::TIMEOUT),
            ] {
                assert_eq!(event.wait(1, key, &limit), status);
                assert_eq!(event.release(1, key, &limit), status);
            }
            let order = Arc::new(Mutex::new(Vec::new()));
            let waiters: Vec<_> = (0..4)
                .map(|number| {
                    let (event, order) = (event.clone(), order.clone());
                    let waiter = spawn(move || {
                        let options = WaitOptions::user(false, None);
                        assert_eq!(event.wait(1, 8, &options), NtStatus::SUCCESS);
                        order.lock().expect("no panic").push(number);
                    });
                    until_waiting(&waiter);
                    waiter
                })
                .collect();
            assert_eq!(
                event.release(2, 8, &limit),
                NtStatus::TIMEOUT,
                "another process"
            );
            assert_eq!(
                event.release(1, 10, &limit),
                NtStatus::TIMEOUT,
                "another key"
            );
            assert_eq!(
                KeyedEvent::new().release(1, 8, &limit),
                NtStatus::TIMEOUT,
                "another event"
            );
            for waiter in &waiters {
                assert_eq!(event.release(1, 8, &limit), NtStatus::SUCCESS);
                join(waiter);
            }
            assert_eq!(*order.lock().expect("no panic"), [0, 1, 2, 3]);
            let theirs = event.clone();
            let releaser = spawn(move || {
                let options = WaitOptions::user(false, None);
                assert_eq!(theirs.release(1, 8, &options), NtStatus::SUCCESS);
            });
            until_waiting(&releaser);
            assert_eq!(event.wait(1, 8, &limit), NtStatus::SUCCESS);
            join(&releaser);
        });
    }
}

#[test]
fn a_value_is_made_once_and_a_failure_leaves_it_to_the_next() {
    for seed in 0..30 {
        run(3, seed, || {
            let once = Arc::new(InitOnce::new());
            let made = Arc::new(AtomicU32::new(0));
            let failed = once.get_or_make(|| Err::<u32, _>(NtStatus::NO_MEMORY));
            assert_eq!(failed, Err(NtStatus::NO_MEMORY));
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    let (once, made) = (once.clone(), made.clone());
                    spawn(move || {
                        let value = once.get_or_make(|| {
                            (0..3).for_each(|_| scheduling_point());
                            made.fetch_add(1, SeqCst);
                            Ok(7)
                        });
                        assert_eq!(value, Ok(&7));
                    })
                })
                .collect();
            workers.iter().for_each(join);
            assert_eq!(made.load(SeqCst), 1);
        });
    }
}
