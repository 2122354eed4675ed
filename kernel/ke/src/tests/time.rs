//! Timers, the clock's resolution, starvation and what ticks are charged to. Pages: "Timer Objects", "ExSetTimerResolution",
//! "KeSetCoalescableTimer", "Priority Boosts".

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::vec::Vec;

use arch::Machine;
use arch::contract::{Irql, Processor, ProcessorNumber};
use nt_abi::NtStatus;
use rtl::Random;

use crate::dispatcher::{Due, EventKind, Timer, timer_expirations};
use crate::dpc::Dpc;
use crate::testing::{join, run, spawn, thread};
use crate::thread::Mode;
use crate::wait::{WaitOptions, delay, wait_for_one};
use crate::{clock, irql, process, processor, schedule};

const MS: u64 = 10_000;
const TICK: u64 = clock::DEFAULT_PERIOD;

fn scheduling_point() {
    drop(irql::raise(Irql::Dispatch));
}

#[test]
fn of_ten_thousand_timers_on_four_processors_none_is_early_and_99_in_100_are_less_than_a_tick_late()
{
    run(4, 1, || {
        let (late, count) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let (late, count) = (late.clone(), count.clone());
                spawn(move || {
                    let mut random = Random::new(worker);
                    let now = clock::interrupt_time();
                    let mut timers: Vec<_> = (0..2_500)
                        .map(|_| {
                            let timer = Timer::new(EventKind::Notification).expect("memory");
                            let due = now + 2_000 * MS + random.below(4_000 * MS);
                            timer.set(Due::In(due - clock::interrupt_time()), 0, None);
                            (due, timer)
                        })
                        .collect();
                    timers.sort_by_key(|(due, _)| *due);
                    for (due, timer) in &timers {
                        let status = wait_for_one(timer.header(), &WaitOptions::kernel());
                        assert_eq!(status, NtStatus::WAIT_0);
                        // The due time was taken from a clock that moved on before the timer was set: it is not before that.
                        let now = clock::interrupt_time();
                        assert!(now >= *due, "early by {}", due - now);
                        late.fetch_add(u32::from(now - due >= TICK + MS), SeqCst);
                        count.fetch_add(1, SeqCst);
                    }
                })
            })
            .collect();
        workers.iter().for_each(join);
        assert_eq!(count.load(SeqCst), 10_000);
        assert!(late.load(SeqCst) < 100, "{} were late", late.load(SeqCst));
    });
}

#[test]
fn the_finest_resolution_that_is_wanted_wins_on_all_processors() {
    run(3, 2, || {
        let ticks = || [0, 1, 2].map(|number| processor::prcb(ProcessorNumber(number)).ticks());
        let ticks_in_a_second = || {
            let (start, before) = (clock::interrupt_time(), ticks());
            while clock::interrupt_time() < start + 1000 * MS {
                delay(Due::In(100 * MS), Mode::Kernel, false);
            }
            let after = ticks();
            [0, 1, 2].map(|number| after[number] - before[number])
        };
        let about = |counts: [u64; 3], right: u64| {
            let close = counts
                .iter()
                .all(|count| count.abs_diff(right) * 7 <= right);
            assert!(close, "{counts:?} instead of {right}");
        };
        about(ticks_in_a_second(), 64);
        let fine = clock::request_resolution(MS);
        assert_eq!(clock::period(), MS);
        about(ticks_in_a_second(), 1000);
        let finest = clock::request_resolution(1);
        let coarse = clock::request_resolution(u64::MAX);
        assert_eq!(clock::period(), clock::FINEST_PERIOD);
        about(ticks_in_a_second(), 2000);
        drop(finest);
        assert_eq!(clock::period(), MS);
        let before = clock::interrupt_time();
        delay(Due::In(MS), Mode::Kernel, false);
        assert!(
            clock::interrupt_time() - before < 4 * MS,
            "the wait is fine too"
        );
        drop((fine, coarse));
        assert_eq!(clock::period(), clock::COARSEST_PERIOD);
        about(ticks_in_a_second(), 64);
    });
}

#[test]
fn a_fine_resolution_does_not_make_a_turn_shorter() {
    run(1, 3, || {
        let _fine = clock::request_resolution(MS);
        let stop = Arc::new(AtomicU32::new(0));
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let stop = stop.clone();
                let worker = thread(move || {
                    while stop.load(SeqCst) == 0 {
                        scheduling_point();
                    }
                });
                schedule::set_base_priority(worker.thread(), 6).expect("a priority");
                worker.start();
                worker
            })
            .collect();
        let switches = |workers: &[crate::thread::ThreadHandle]| -> u64 {
            workers.iter().map(|worker| worker.context_switches()).sum()
        };
        let before = switches(&workers);
        delay(Due::In(1000 * MS), Mode::Kernel, false);
        // A turn is two ticks of the default rate, 31.25 ms.
        let turns = switches(&workers) - before;
        assert!((28..=36).contains(&turns), "{turns}");
        let (kernel, user) = workers[0].times();
        assert!(kernel.abs_diff(500 * MS) < 80 * MS && user == 0, "{kernel}");
        process::system().set_quantum(process::LONG_QUANTUM);
        delay(Due::In(200 * MS), Mode::Kernel, false);
        let before = switches(&workers);
        delay(Due::In(1000 * MS), Mode::Kernel, false);
        let turns = switches(&workers) - before;
        assert!((4..=9).contains(&turns), "{turns}");
        process::system().set_quantum(process::SHORT_QUANTUM);
        stop.store(1, SeqCst);
        workers.iter().for_each(join);
    });
}

#[test]
fn timers_that_tolerate_a_delay_fall_due_together() {
    fn looks(tolerance: u64) -> u64 {
        let timers: Vec<_> = (0..40u64)
            .map(|number| {
                let timer = Timer::new(EventKind::Notification).expect("memory");
                let due = Due::In((200 + number * 50) * MS);
                timer.set_coalescable(due, 0, tolerance, None);
                (clock::interrupt_time() + (200 + number * 50) * MS, timer)
            })
            .collect();
        let before = timer_expirations();
        for (due, timer) in &timers {
            while !timer.state().signalled {
                // Without a timer of its own, which would be one to look for.
                (0..100).for_each(|_| scheduling_point());
            }
            let now = clock::interrupt_time();
            assert!(now + MS >= *due, "early");
            assert!(now < due + tolerance + 3 * TICK, "later than it tolerates");
        }
        timer_expirations() - before
    }
    run(2, 1, || {
        let exact = looks(0);
        let tolerant = looks(500 * MS);
        assert!(exact >= 40, "{exact}");
        assert!(tolerant <= 8, "{tolerant}");
    });
}

#[test]
fn who_starves_is_boosted_for_two_turns_and_falls_back() {
    run(1, 1, || {
        let ran = Arc::new(AtomicU32::new(0));
        let stop = Arc::new(AtomicU32::new(0));
        let busy = |priority: u8, counts: bool| {
            let (ran, stop) = (ran.clone(), stop.clone());
            let worker = thread(move || {
                while stop.load(SeqCst) == 0 {
                    ran.fetch_add(u32::from(counts), SeqCst);
                    scheduling_point();
                }
            });
            schedule::set_base_priority(worker.thread(), priority).expect("a priority");
            worker.start();
            worker
        };
        schedule::set_base_priority(crate::thread::current(), 16).expect("a priority");
        let workers = [busy(10, false), busy(3, true)];
        delay(Due::In(3_000 * MS), Mode::Kernel, false);
        assert_eq!(schedule::boost_starved(), 0, "not yet");
        delay(Due::In(3_000 * MS), Mode::Kernel, false);
        assert_eq!(ran.load(SeqCst), 0);
        assert_eq!(schedule::boost_starved(), 1);
        delay(Due::In(1_000 * MS), Mode::Kernel, false);
        let times = workers[1].times().0;
        assert!((3 * TICK..=5 * TICK).contains(&times), "{times}");
        assert_eq!(schedule::boost_starved(), 0, "it has had its turn");
        stop.store(1, SeqCst);
        workers.iter().for_each(join);
    });
}

#[test]
fn ticks_are_charged_to_what_they_find() {
    static LONG: Dpc = Dpc::new(|_, _| {
        let start = clock::interrupt_time();
        while clock::interrupt_time() < start + 500 * MS {
            Machine::relax();
        }
    });
    run(2, 1, || {
        let here = crate::thread::current();
        let only = arch::contract::ProcessorSet::only(ProcessorNumber(0));
        schedule::set_affinity(here, only).expect("active");
        let before = processor::prcb(ProcessorNumber(0)).times();
        let idle_before = processor::prcb(ProcessorNumber(1)).times().idle;
        LONG.queue([0; 2]);
        let start = clock::interrupt_time();
        while clock::interrupt_time() < start + 300 * MS {
            scheduling_point();
        }
        delay(Due::In(200 * MS), Mode::Kernel, false);
        let after = processor::prcb(ProcessorNumber(0)).times();
        let about = |time: u64, right: u64| assert!(time.abs_diff(right) <= 2 * TICK, "{time}");
        about(after.dpc - before.dpc, 500 * MS);
        about(after.kernel - before.kernel, 300 * MS);
        about(after.idle - before.idle, 200 * MS);
        assert_eq!(
            (after.user, after.interrupt),
            (before.user, before.interrupt)
        );
        let idle = processor::prcb(ProcessorNumber(1)).times().idle - idle_before;
        about(idle, 1000 * MS);
    });
}

#[test]
fn what_is_set_for_a_system_time_moves_with_the_systems_clock() {
    run(2, 1, || {
        const HOUR: u64 = 3_600_000 * MS;
        let noon = 1_000 * HOUR;
        clock::set_system_time(noon);
        let absolute = Timer::new(EventKind::Notification).expect("memory");
        let relative = Timer::new(EventKind::Notification).expect("memory");
        absolute.set(Due::At(noon + HOUR), 0, None);
        relative.set(Due::In(HOUR), 0, None);
        let waiter = spawn(move || {
            assert_eq!(
                delay(Due::At(noon + HOUR), Mode::Kernel, false),
                NtStatus::SUCCESS
            );
        });
        delay(Due::In(50 * MS), Mode::Kernel, false);
        // Back: longer to wait than before.
        clock::set_system_time(noon - HOUR);
        let left = absolute.state().remaining.expect("it is set");
        assert!(left > HOUR + HOUR / 2, "{left}");
        delay(Due::In(50 * MS), Mode::Kernel, false);
        assert!(!waiter.has_ended());
        // Forth: it is past.
        clock::set_system_time(noon + 2 * HOUR);
        join(&waiter);
        delay(Due::In(50 * MS), Mode::Kernel, false);
        assert!(absolute.state().signalled);
        let left = relative.state().remaining.expect("it is set");
        assert!(left < HOUR && left > HOUR / 2, "{left}");
    });
}
