//! Dispatcher objects and waits. Pages: "Event Objects", "Mutex Objects", "Semaphore Objects", "Timer Objects",
//! "KeWaitForMultipleObjects", "Introduction to Kernel Dispatcher Objects".

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::vec::Vec;

use nt_abi::NtStatus;

use crate::dispatcher::{Due, Event, EventKind, Header, Mutant, Queue, Semaphore, Timer, WaitKind};
use crate::testing::{join, run, spawn};
use crate::thread::{Mode, State, ThreadHandle};
use crate::wait::{WaitOptions, delay, wait_for_many, wait_for_one};
use crate::{clock, schedule};

/// 100 ns units in a millisecond.
pub(super) const MS: u64 = 10_000;

pub(super) fn poll(object: &'static Header) -> NtStatus {
    wait_for_one(object, &WaitOptions::kernel().until(Due::In(0)))
}

pub(super) fn event(kind: EventKind) -> Event {
    Event::new(kind, false).expect("there is memory")
}

/// Lets the others run until `thread` waits.
pub(super) fn until_waiting(thread: &ThreadHandle) {
    while thread.state() != State::Waiting {
        delay(Due::In(MS), Mode::Kernel, false);
    }
}

pub(super) fn pause() {
    delay(Due::In(20 * MS), Mode::Kernel, false);
}

#[test]
fn a_notification_event_stays_set_and_a_synchronisation_event_satisfies_one_wait() {
    run(1, 1, || {
        let stays = event(EventKind::Notification);
        assert_eq!(poll(stays.header()), NtStatus::TIMEOUT);
        assert!(!stays.set());
        assert!(stays.set(), "it was set already");
        assert_eq!(poll(stays.header()), NtStatus::WAIT_0);
        assert_eq!(poll(stays.header()), NtStatus::WAIT_0);
        assert!(stays.reset());
        assert_eq!(poll(stays.header()), NtStatus::TIMEOUT);

        let once = event(EventKind::Synchronization);
        once.set();
        assert_eq!(poll(once.header()), NtStatus::WAIT_0);
        assert_eq!(poll(once.header()), NtStatus::TIMEOUT);
    });
}

#[test]
fn setting_an_event_wakes_all_or_one_and_a_pulse_leaves_it_clear() {
    for seed in 0..20 {
        run(2, seed, || {
            for (kind, expected) in [
                (EventKind::Notification, 5),
                (EventKind::Synchronization, 1),
            ] {
                let event = Arc::new(event(kind));
                let woken = Arc::new(AtomicU32::new(0));
                let waiters: Vec<_> = (0..5)
                    .map(|_| {
                        let (event, woken) = (event.clone(), woken.clone());
                        spawn(move || {
                            wait_for_one(event.header(), &WaitOptions::kernel());
                            woken.fetch_add(1, SeqCst);
                        })
                    })
                    .collect();
                waiters.iter().for_each(until_waiting);
                event.pulse();
                pause();
                assert_eq!(woken.load(SeqCst), expected, "{kind:?}");
                assert!(!event.is_set());
                for _ in &waiters {
                    event.set();
                }
                waiters.iter().for_each(join);
            }
        });
    }
}

#[test]
fn a_semaphore_counts_and_refuses_to_exceed_its_limit() {
    run(1, 1, || {
        assert!(Semaphore::new(2, 1).is_err());
        assert!(Semaphore::new(-1, 1).is_err());
        assert!(Semaphore::new(0, 0).is_err());
        let semaphore = Semaphore::new(1, 3).expect("good counts");
        assert_eq!(poll(semaphore.header()), NtStatus::WAIT_0);
        assert_eq!(poll(semaphore.header()), NtStatus::TIMEOUT);
        assert_eq!(semaphore.release(2), Ok(0));
        assert_eq!(
            semaphore.release(2),
            Err(NtStatus::SEMAPHORE_LIMIT_EXCEEDED)
        );
        assert_eq!(semaphore.count(), 2, "a refused release changes nothing");
        assert_eq!(
            semaphore.release(i32::MAX),
            Err(NtStatus::SEMAPHORE_LIMIT_EXCEEDED)
        );
        assert_eq!(semaphore.release(0), Err(NtStatus::INVALID_PARAMETER));
        assert_eq!(semaphore.release(1), Ok(2));
    });
}

#[test]
fn a_mutant_is_its_owners_as_often_as_taken_and_is_abandoned_at_its_end() {
    run(2, 7, || {
        let mutant = Arc::new(Mutant::new(false).expect("there is memory"));
        assert_eq!(mutant.release(), Err(NtStatus::MUTANT_NOT_OWNED));
        assert_eq!(poll(mutant.header()), NtStatus::WAIT_0);
        assert_eq!(poll(mutant.header()), NtStatus::WAIT_0);
        assert_eq!(mutant.state().count, -1);
        let other = mutant.clone();
        join(&spawn(move || {
            assert_eq!(poll(other.header()), NtStatus::TIMEOUT);
            assert_eq!(other.release(), Err(NtStatus::MUTANT_NOT_OWNED));
            assert!(!other.state().owned_by_caller);
        }));
        assert_eq!(mutant.release(), Ok(-1));
        assert_eq!(mutant.release(), Ok(0));
        assert_eq!(mutant.release(), Err(NtStatus::MUTANT_NOT_OWNED));

        let other = mutant.clone();
        join(&spawn(move || {
            assert_eq!(poll(other.header()), NtStatus::WAIT_0);
        }));
        assert!(mutant.state().abandoned);
        assert_eq!(poll(mutant.header()), NtStatus::ABANDONED_WAIT_0);
        assert_eq!(
            poll(mutant.header()),
            NtStatus::WAIT_0,
            "it is said once that it was abandoned"
        );
        assert_eq!(mutant.state().count, -1);
    });
}

#[test]
fn waiting_for_any_takes_the_first_and_waiting_for_all_takes_none_until_all_are_there() {
    run(1, 1, || {
        let first = event(EventKind::Synchronization);
        let second = event(EventKind::Synchronization);
        let both = [first.header(), second.header()];
        let now = WaitOptions::kernel().until(Due::In(0));
        second.set();
        assert_eq!(wait_for_many(&both, WaitKind::All, &now), NtStatus::TIMEOUT);
        assert!(second.is_set(), "a wait for all takes nothing in part");
        first.set();
        assert_eq!(
            wait_for_many(&both, WaitKind::Any, &now),
            NtStatus::WAIT_0,
            "the lowest index"
        );
        assert!(second.is_set());
        assert_eq!(
            wait_for_many(&both, WaitKind::Any, &now),
            NtStatus(NtStatus::WAIT_0.0 + 1)
        );
        first.set();
        second.set();
        assert_eq!(wait_for_many(&both, WaitKind::All, &now), NtStatus::WAIT_0);
        assert!(!first.is_set() && !second.is_set());
        assert_eq!(
            wait_for_many(&[], WaitKind::Any, &now),
            NtStatus::INVALID_PARAMETER
        );
        assert_eq!(
            wait_for_many(&[first.header(); 65], WaitKind::Any, &now),
            NtStatus::INVALID_PARAMETER
        );
    });
}

#[test]
fn a_waiting_thread_that_needs_all_lets_others_have_the_object_until_it_can_have_all() {
    run(1, 1, || {
        let first = Arc::new(event(EventKind::Synchronization));
        let second = Arc::new(event(EventKind::Synchronization));
        let got = Arc::new(AtomicU32::new(0));
        let all = {
            let (first, second, got) = (first.clone(), second.clone(), got.clone());
            spawn(move || {
                let status = wait_for_many(
                    &[first.header(), second.header()],
                    WaitKind::All,
                    &WaitOptions::kernel(),
                );
                assert_eq!(status, NtStatus::WAIT_0);
                got.fetch_add(100, SeqCst);
            })
        };
        until_waiting(&all);
        let one = {
            let (first, got) = (first.clone(), got.clone());
            spawn(move || {
                wait_for_one(first.header(), &WaitOptions::kernel());
                got.fetch_add(1, SeqCst);
            })
        };
        until_waiting(&one);
        first.set();
        pause();
        assert_eq!(got.load(SeqCst), 1, "who waits for one object has it");
        second.set();
        pause();
        assert_eq!(got.load(SeqCst), 1);
        assert!(second.is_set());
        first.set();
        join(&all);
        assert_eq!(got.load(SeqCst), 101);
        assert!(!first.is_set() && !second.is_set());
    });
}

#[test]
fn sixty_four_objects_can_be_waited_for() {
    run(2, 3, || {
        let events: Vec<_> = (0..64).map(|_| event(EventKind::Notification)).collect();
        let headers: Vec<_> = events.iter().map(Event::header).collect();
        let waiter = spawn(move || {
            let any = wait_for_many(&headers, WaitKind::Any, &WaitOptions::kernel());
            assert_eq!(any, NtStatus(63));
            let all = wait_for_many(&headers, WaitKind::All, &WaitOptions::kernel());
            assert_eq!(all, NtStatus::WAIT_0);
        });
        until_waiting(&waiter);
        for event in events.iter().rev() {
            event.set();
        }
        join(&waiter);
    });
}

#[test]
fn a_wait_ends_at_its_time_and_not_before() {
    run(1, 1, || {
        let never = event(EventKind::Notification);
        for milliseconds in [1, 10, 100, 700] {
            let before = clock::interrupt_time();
            let options = WaitOptions::kernel().until(Due::In(milliseconds * MS));
            assert_eq!(wait_for_one(never.header(), &options), NtStatus::TIMEOUT);
            let passed = clock::interrupt_time() - before;
            assert!(
                passed >= milliseconds * MS,
                "{passed} for {milliseconds} ms"
            );
            assert!(
                passed <= milliseconds * MS + 2 * 156_250,
                "{passed} for {milliseconds} ms"
            );
        }
        clock::set_system_time(1_000_000 * MS);
        let at = clock::system_time() + 50 * MS;
        assert_eq!(delay(Due::At(at), Mode::Kernel, false), NtStatus::SUCCESS);
        assert!(clock::system_time() >= at);
        assert_eq!(
            delay(Due::At(1), Mode::Kernel, false),
            NtStatus::SUCCESS,
            "a time that is past"
        );
    });
}

#[test]
fn timers_fall_due_once_or_again_and_again_and_a_cancelled_one_never() {
    run(1, 1, || {
        let timer = Timer::new(EventKind::Synchronization).expect("there is memory");
        let before = clock::interrupt_time();
        assert!(!timer.set(Due::In(100 * MS), 0, None));
        assert!(timer.set(Due::In(50 * MS), 0, None), "it was set");
        assert_eq!(poll(timer.header()), NtStatus::TIMEOUT);
        wait_for_one(timer.header(), &WaitOptions::kernel());
        let passed = clock::interrupt_time() - before;
        assert!((50 * MS..100 * MS).contains(&passed), "{passed}");
        assert!(!timer.cancel(), "it is not set any more");

        let before = clock::interrupt_time();
        timer.set(Due::In(40 * MS), 40 * MS, None);
        for turn in 1..=5 {
            wait_for_one(timer.header(), &WaitOptions::kernel());
            let passed = clock::interrupt_time() - before;
            assert!(passed >= turn * 40 * MS, "turn {turn} after {passed}");
        }
        assert!(timer.cancel());
        let limit = WaitOptions::kernel().until(Due::In(200 * MS));
        assert_eq!(wait_for_one(timer.header(), &limit), NtStatus::TIMEOUT);
    });
}

#[test]
fn a_thread_is_signalled_when_it_has_ended() {
    run(1, 1, || {
        let gate = Arc::new(event(EventKind::Notification));
        let mine = gate.clone();
        let worker = spawn(move || {
            wait_for_one(mine.header(), &WaitOptions::kernel());
        });
        assert_eq!(poll(worker.thread().header()), NtStatus::TIMEOUT);
        assert!(!worker.has_ended());
        gate.set();
        join(&worker);
        assert!(worker.has_ended());
    });
}

#[test]
fn a_queue_lets_as_many_threads_work_as_it_may_and_replaces_one_that_blocks() {
    for seed in 0..20 {
        run(2, seed, || {
            let queue = Arc::new(Queue::new(1).expect("there is memory"));
            let gate = Arc::new(event(EventKind::Notification));
            let started = Arc::new(AtomicU32::new(0));
            let workers: Vec<_> = (0..2)
                .map(|_| {
                    let (queue, gate, started) = (queue.clone(), gate.clone(), started.clone());
                    spawn(move || {
                        while queue.remove(&WaitOptions::kernel()).is_ok() {
                            started.fetch_add(1, SeqCst);
                            // The first blocks; the second one then has room.
                            wait_for_one(gate.header(), &WaitOptions::kernel());
                        }
                    })
                })
                .collect();
            workers.iter().for_each(until_waiting);
            queue.insert();
            pause();
            assert_eq!(started.load(SeqCst), 1);
            queue.insert();
            pause();
            assert_eq!(started.load(SeqCst), 2);
            assert_eq!(queue.active(), 0, "both are blocked");
            gate.set();
            workers.iter().for_each(until_waiting);
            queue.run_down();
            workers.iter().for_each(join);
            assert_eq!(queue.active(), 0);
            schedule::yield_execution();
        });
    }
}
