//! Critical sections.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{thread, vec};

use c_interface::{Ptr, field};
use nt_abi::NtStatus;
use nt_abi::native::{Handle, RtlCriticalSection, RtlCriticalSectionDebug};
use nt_abi::synchronization::CriticalSectionFlags;

use super::host::{Host, Pair, ROUNDS, THREADS, in_threads, milliseconds, until};
use crate::Parking;
use crate::critical_section::*;

type Section = Ptr<RtlCriticalSection>;

fn section(host: &Host, memory: &mut RtlCriticalSection) -> Section {
    let section = Ptr::of(memory);
    initialize(host, section, 0, CriticalSectionFlags::default(), None).unwrap();
    section
}

fn enter_it(host: &Host, section: Section) {
    enter(host, section, || None, || ()).unwrap();
}

fn lock_count(section: Section) -> i32 {
    field!(section, RtlCriticalSection, lock_count)
        .read()
        .cast_signed()
}

#[test]
fn the_fields_are_those_that_a_debugger_knows() {
    let host = Host::new(2);
    let mut memory = RtlCriticalSection::default();
    let section = section(&host, &mut memory);
    let read = || section.read();
    assert_eq!(read().lock_count, u32::MAX);
    assert_eq!(read().debug_info, RtlCriticalSection::NO_DEBUG_INFO);
    assert_eq!(read().spin_count, 0x0200_07D0);
    enter_it(&host, section);
    assert_eq!(lock_count(section), -2, "held: bit 0 is clear");
    enter_it(&host, section);
    assert_eq!(
        lock_count(section),
        -2,
        "the owner's second time does not show"
    );
    assert_eq!(read().recursion_count, 2);
    assert_eq!(read().owning_thread, host.thread_id() as Handle);
    assert_eq!(read().lock_semaphore, 0);
    assert_eq!(leave(&host, section), NtStatus::SUCCESS);
    assert!(is_locked(section) && is_locked_by_caller(&host, section));
    assert_eq!(recursion(&host, section), 1);
    assert_eq!(leave(&host, section), NtStatus::SUCCESS);
    assert_eq!(lock_count(section), -1);
    assert_eq!((read().recursion_count, read().owning_thread), (0, 0));
    assert!(!is_locked(section));
    assert_eq!(recursion(&host, section), 0);
    assert_eq!(host.calls(), 0, "the kernel was not needed");
}

#[test]
fn five_waiters_look_as_in_the_debuggers_manual() {
    // "LockCount -22": locked, nobody woken, 5 threads wait.
    let host = Host::new(1);
    let mut memory = RtlCriticalSection::default();
    let section = section(&host, &mut memory);
    enter_it(&host, section);
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                enter_it(&host, section);
                assert!(is_locked_by_caller(&host, section));
                assert_eq!(leave(&host, section), NtStatus::SUCCESS);
            });
        }
        until(|| lock_count(section) == -22);
        thread::scope(|scope| {
            scope.spawn(|| {
                assert!(!try_enter(&host, section));
                assert!(is_locked(section) && !is_locked_by_caller(&host, section));
                assert_eq!(recursion(&host, section), 0);
            });
        });
        assert_eq!(leave(&host, section), NtStatus::SUCCESS);
    });
    assert_eq!(lock_count(section), -1);
}

fn storm(processors: u32, rounds: usize) {
    let host = Host::new(processors);
    let mut memory = RtlCriticalSection::default();
    let section = section(&host, &mut memory);
    let pair = Pair::default();
    in_threads(THREADS, |index| {
        for round in 0..rounds {
            if (round + index) % 16 == 0 {
                while !try_enter(&host, section) {
                    thread::yield_now();
                }
            } else {
                enter_it(&host, section);
            }
            let again = round % 7 == 0;
            if again {
                enter_it(&host, section);
            }
            pair.add();
            if again {
                assert_eq!(leave(&host, section), NtStatus::SUCCESS);
            }
            assert_eq!(leave(&host, section), NtStatus::SUCCESS);
        }
    });
    assert_eq!(pair.look(), (THREADS * rounds) as u64);
    assert_eq!(lock_count(section), -1);
    let end = section.read();
    assert_eq!((end.owning_thread, end.recursion_count), (0, 0));
}

#[test]
fn one_at_a_time() {
    storm(2, ROUNDS);
}

#[test]
fn one_at_a_time_without_spinning() {
    storm(1, ROUNDS);
}

#[test]
fn nobody_starves() {
    // A thread that keeps the section nearly all the time, and takes it again at once, must let a waiter in.
    let host = Host::new(1);
    let mut memory = RtlCriticalSection::default();
    let section = section(&host, &mut memory);
    let got = AtomicU64::new(0);
    const WANTED: u64 = 50;
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..WANTED {
                enter_it(&host, section);
                got.fetch_add(1, Ordering::Relaxed);
                assert_eq!(leave(&host, section), NtStatus::SUCCESS);
            }
        });
        let start = Instant::now();
        while got.load(Ordering::Relaxed) < WANTED {
            enter_it(&host, section);
            thread::sleep(Duration::from_micros(200));
            assert_eq!(leave(&host, section), NtStatus::SUCCESS);
            assert!(start.elapsed() < Duration::from_secs(60));
        }
    });
}

#[test]
fn a_waiter_that_is_passed_three_times_is_given_the_section() {
    // A thread takes the section while another sleeps between being woken and running: simulated by how often the holder
    // leaves and enters before the waiter has it.
    let host = Host::new(1);
    let mut memory = RtlCriticalSection::default();
    let section = section(&host, &mut memory);
    enter_it(&host, section);
    let has_it = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            enter_it(&host, section);
            has_it.store(1, Ordering::Release);
            assert_eq!(leave(&host, section), NtStatus::SUCCESS);
        });
        // Each round: the waiter is asleep; the section is left and taken again at once, mostly before the waiter runs.
        let mut passed = 0;
        loop {
            until(|| lock_count(section) == -6 || has_it.load(Ordering::Acquire) == 1);
            assert_eq!(leave(&host, section), NtStatus::SUCCESS);
            if !try_enter(&host, section) || has_it.load(Ordering::Acquire) == 1 {
                break;
            }
            passed += 1;
            assert!(passed <= 3, "it was passed {passed} times");
        }
        if is_locked_by_caller(&host, section) {
            assert_eq!(leave(&host, section), NtStatus::SUCCESS);
        }
    });
    assert_eq!(has_it.load(Ordering::Relaxed), 1);
    assert_eq!(lock_count(section), -1);
}

#[test]
fn a_wait_that_lasts_too_long_is_told_and_goes_on() {
    let host = Host::new(1);
    let mut memory = RtlCriticalSection::default();
    let section = section(&host, &mut memory);
    enter_it(&host, section);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let start = Instant::now();
            let mut overdue = vec![];
            let entered = enter(
                &host,
                section,
                || milliseconds(20),
                || {
                    overdue.push(start.elapsed());
                    assert_eq!(
                        lock_count(section),
                        -2,
                        "the caller does not count as a waiter"
                    );
                },
            );
            assert_eq!(entered, Ok(()));
            assert_eq!(leave(&host, section), NtStatus::SUCCESS);
            overdue
        });
        thread::sleep(Duration::from_millis(70));
        assert_eq!(leave(&host, section), NtStatus::SUCCESS);
        let overdue = waiter.join().unwrap();
        assert!(!overdue.is_empty(), "{overdue:?}");
        assert!(overdue[0] >= Duration::from_millis(20), "{overdue:?}");
    });
    assert_eq!(lock_count(section), -1);
}

#[test]
fn what_is_wrong_is_said() {
    let host = Host::new(2);
    let mut memory = RtlCriticalSection::default();
    let section = section(&host, &mut memory);
    let none = CriticalSectionFlags::default();
    assert_eq!(leave(&host, section), NtStatus::RESOURCE_NOT_OWNED);
    assert_eq!(lock_count(section), -1, "and does no harm");
    assert!(try_enter(&host, section));
    assert_eq!(leave(&host, section), NtStatus::SUCCESS);
    assert_eq!(
        initialize(&host, section, 0x0100_0000, none, None),
        Err(NtStatus::INVALID_PARAMETER_2)
    );
    assert_eq!(
        initialize(&host, section, 0, CriticalSectionFlags(1), None),
        Err(NtStatus::INVALID_PARAMETER_3)
    );
    let mut info = RtlCriticalSectionDebug::default();
    let info = Ptr::of(&mut info);
    initialize(
        &host,
        section,
        100,
        CriticalSectionFlags::FORCE_DEBUG_INFO,
        Some(info),
    )
    .unwrap();
    assert_eq!(section.read().spin_count, 100);
    assert_eq!(set_spin_count(&host, section, 4000), 100);
    assert_eq!(section.read().spin_count, 4000);
    assert_eq!(info.read().critical_section, section.raw());
    assert_eq!(delete(section), Some(info));
    assert_eq!(
        enter(&host, section, || None, || ()),
        Err(NtStatus::ACCESS_VIOLATION),
        "a deleted section does not hang"
    );
    assert!(!try_enter(&host, section));
}

#[test]
fn waiting_is_counted_where_there_is_debug_information() {
    let host = Host::new(1);
    let mut memory = RtlCriticalSection::default();
    let section = Ptr::of(&mut memory);
    let mut info = RtlCriticalSectionDebug::default();
    let info = Ptr::of(&mut info);
    initialize(
        &host,
        section,
        0,
        CriticalSectionFlags::FORCE_DEBUG_INFO,
        Some(info),
    )
    .unwrap();
    assert_eq!(
        section.read().spin_count,
        0,
        "nobody spins on one processor"
    );
    enter_it(&host, section);
    thread::scope(|scope| {
        scope.spawn(|| {
            enter_it(&host, section);
            assert_eq!(leave(&host, section), NtStatus::SUCCESS);
        });
        until(|| lock_count(section) == -6);
        assert_eq!(leave(&host, section), NtStatus::SUCCESS);
    });
    assert_eq!(info.read().contention_count, 1);
}

#[test]
fn a_section_may_be_left_by_another_thread() {
    let host = Host::new(2);
    let mut memory = RtlCriticalSection::default();
    let section = section(&host, &mut memory);
    enter_it(&host, section);
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(leave(&host, section), NtStatus::SUCCESS));
    });
    assert!(try_enter(&host, section));
}
