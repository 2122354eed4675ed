//! Fairness of the queued spin lock; waits by key; DPCs that are waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::vec::Vec;

use arch::Machine;
use arch::contract::{Irql, Processor, ProcessorNumber, ProcessorSet};
use nt_abi::NtStatus;

use crate::apc::{alert_by_id, wait_for_alert_by_id};
use crate::dispatcher::{Due, Event, EventKind};
use crate::dpc::{self, Dpc, Importance};
use crate::keyed::{self, Key};
use crate::testing::{join, run, spawn, thread};
use crate::thread::{Mode, State, ThreadHandle};
use crate::wait::{WaitOptions, delay, wait_for_many};
use crate::{LockOrder, QueuedSpinLock, irql, schedule};

const MS: u64 = 10_000;

fn until_waiting(thread: &ThreadHandle) {
    while thread.state() != State::Waiting {
        delay(Due::In(MS), Mode::Kernel, false);
    }
}

/// Between the note of the arrival and the draw of the ticket there is no call of the floor, so nothing comes between.
#[test]
fn a_queued_lock_serves_in_the_order_of_arrival_on_four_processors() {
    for seed in 0..40 {
        run(4, seed, || {
            const ORDER: LockOrder = LockOrder::new(2, Irql::Dispatch, "the served");
            let served = Arc::new(QueuedSpinLock::new(0u32, ORDER));
            let arrivals = Arc::new(AtomicU32::new(0));
            let contended = Arc::new(AtomicU32::new(0));
            let workers: Vec<_> = (0..4)
                .map(|number| {
                    let (served, arrivals, contended) =
                        (served.clone(), arrivals.clone(), contended.clone());
                    let worker = thread(move || {
                        for _ in 0..50 {
                            let _dispatch = irql::raise(Irql::Dispatch);
                            let arrival = arrivals.fetch_add(1, SeqCst);
                            let mut served = served.acquire();
                            assert_eq!(*served, arrival, "somebody came before his turn");
                            (0..3).for_each(|_| Machine::relax());
                            *served += 1;
                            if arrivals.load(SeqCst) > *served {
                                contended.fetch_add(1, SeqCst);
                            }
                        }
                    });
                    let only = ProcessorSet::only(ProcessorNumber(number));
                    schedule::set_affinity(worker.thread(), only).expect("active");
                    worker.start();
                    worker
                })
                .collect();
            workers.iter().for_each(join);
            assert!(served.try_acquire().is_some_and(|served| *served == 200));
            assert!(contended.load(SeqCst) > 50, "nobody ever had to wait");
        });
    }
}

#[test]
fn a_flush_returns_when_all_that_was_queued_has_run() {
    static SLOW: [Dpc; 3] = [const { Dpc::new(slow).with_importance(Importance::Low) }; 3];
    static RAN: AtomicU32 = AtomicU32::new(0);
    fn slow(_: &'static Dpc, _: [u64; 2]) {
        (0..20).for_each(|_| Machine::relax());
        RAN.fetch_add(1, SeqCst);
    }
    for (number, dpc) in (0..).zip(&SLOW) {
        dpc.set_target(ProcessorNumber(number));
    }
    for seed in 0..60 {
        run(3, seed, || {
            RAN.store(0, SeqCst);
            for round in 1..=10 {
                assert!(SLOW.iter().all(|dpc| dpc.queue([0; 2])));
                dpc::flush();
                assert_eq!(RAN.load(SeqCst), 3 * round);
            }
        });
    }
}

#[test]
fn who_waits_by_one_key_goes_on_in_order_and_others_do_not() {
    run(2, 5, || {
        let key = |value| Key { owner: 7, value };
        let order = Arc::new(AtomicU64::new(0));
        let waiters: Vec<_> = [1, 2, 1, 1]
            .into_iter()
            .zip(1u64..)
            .map(|(value, number)| {
                let order = order.clone();
                let waiter = spawn(move || {
                    let status = keyed::wait(key(value), number, &WaitOptions::kernel(), &|_| None);
                    assert_eq!(status, NtStatus::SUCCESS);
                    let _ = order.fetch_update(SeqCst, SeqCst, |sum| Some(sum * 10 + number));
                });
                until_waiting(&waiter);
                waiter
            })
            .collect();
        for expected in [1, 3, 4] {
            let woken = keyed::with_waiters(key(1), |waiters| {
                let first = waiters.first()?;
                waiters.wake(first, NtStatus::SUCCESS, 0);
                Some(first.wants)
            });
            assert_eq!(woken, Some(expected));
            delay(Due::In(MS), Mode::Kernel, false);
        }
        assert_eq!(order.load(SeqCst), 134);
        assert!(keyed::with_waiters(key(1), |waiters| waiters
            .first()
            .is_none()));
        keyed::with_waiters(key(2), |waiters| {
            waiters.wake(waiters.first().expect("it waits"), NtStatus::SUCCESS, 0);
        });
        waiters.iter().for_each(join);
        let limit = WaitOptions::kernel().until(Due::In(MS));
        assert_eq!(keyed::wait(key(1), 0, &limit, &|_| None), NtStatus::TIMEOUT);
        assert_eq!(
            keyed::wait(key(1), 0, &limit, &|_| Some(NtStatus::RETRY)),
            NtStatus::RETRY
        );
    });
}

#[test]
fn an_alert_by_id_is_remembered_once() {
    run(1, 1, || {
        let me = crate::thread::current();
        let limit = WaitOptions::user(false, Some(Due::In(MS)));
        alert_by_id(me);
        alert_by_id(me);
        assert_eq!(wait_for_alert_by_id(0x1234, &limit), NtStatus::ALERTED);
        assert_eq!(me.alert_address(), 0x1234);
        assert_eq!(wait_for_alert_by_id(0, &limit), NtStatus::TIMEOUT);
    });
}

/// A lock as ntdll builds it on these waits: a storm of them must not lose one.
#[test]
fn alerts_by_id_storm() {
    for seed in 0..60 {
        run(4, seed, || {
            let turn = Arc::new(AtomicU32::new(0));
            let runners = Arc::new(std::sync::OnceLock::<Vec<ThreadHandle>>::new());
            let threads: Vec<_> = (0..4u32)
                .map(|number| {
                    let (turn, runners) = (turn.clone(), runners.clone());
                    thread(move || {
                        for round in 0..50 {
                            while turn.load(SeqCst) != round * 4 + number {
                                let options = WaitOptions::user(false, None);
                                assert_eq!(wait_for_alert_by_id(0, &options), NtStatus::ALERTED);
                            }
                            turn.fetch_add(1, SeqCst);
                            let next = (number as usize + 1) % 4;
                            alert_by_id(runners.get().expect("set")[next].thread());
                        }
                    })
                })
                .collect();
            assert!(runners.set(threads).is_ok());
            let runners = runners.get().expect("set");
            runners.iter().for_each(|runner| runner.start());
            runners.iter().for_each(join);
            assert_eq!(turn.load(SeqCst), 200);
        });
    }
}

/// Simulated RAM has room for the stacks of five thousand threads; each waits for the event twice at once.
#[test]
fn ten_thousand_wait_for_one_event() {
    run(4, 1, || {
        const THREADS: u32 = 5_000;
        let event = Arc::new(Event::new(EventKind::Notification, false).expect("memory"));
        let woken = Arc::new(AtomicU32::new(0));
        let waiters: Vec<_> = (0..THREADS)
            .map(|_| {
                let (event, woken) = (event.clone(), woken.clone());
                spawn(move || {
                    let twice = [event.header(), event.header()];
                    let kind = crate::dispatcher::WaitKind::Any;
                    let status = wait_for_many(&twice, kind, &WaitOptions::kernel());
                    assert_eq!(status, NtStatus::WAIT_0);
                    woken.fetch_add(1, SeqCst);
                })
            })
            .collect();
        waiters.iter().for_each(until_waiting);
        assert_eq!(woken.load(SeqCst), 0);
        event.set();
        waiters.iter().for_each(join);
        assert_eq!(woken.load(SeqCst), THREADS);
    });
}
