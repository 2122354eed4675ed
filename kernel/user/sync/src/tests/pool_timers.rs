//! Thread pools: timers, timer queues and work items.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};
use std::vec::Vec;

use c_interface::{Function, Ptr};
use nt_abi::NtStatus;
use nt_abi::native::{Handle, TpCallbackEnviron};
use nt_abi::synchronization::WorkFlags;

use super::host::{in_time, system_time};
use super::pool_host::{Process, Tally};
use crate::thread_pool::*;
use crate::words::parking::Parking;

const NO_ENVIRONMENT: Ptr<TpCallbackEnviron> = Ptr::NULL;

macro_rules! function {
    ($function:path) => {
        Function::new($function as *const () as usize)
    };
}

extern "system" fn count_work(_instance: usize, context: usize, _work: usize) {
    let tally = Tally::of(context);
    tally.count.fetch_add(1, Ordering::Relaxed);
    tally.process.signal(tally.done, 1);
}

#[test]
fn timers_come_when_they_are_due() {
    let process = Process::new(2);
    let tally = Tally::listed(process);
    let timer = alloc_timer(
        process,
        function!(count_work),
        tally.context(),
        NO_ENVIRONMENT,
    )
    .unwrap();
    assert!(!is_timer_set(process, timer));
    for form in 0..2 {
        let start = Instant::now();
        let due = if form == 0 {
            -100 * 10_000
        } else {
            system_time() + 100 * 10_000
        };
        assert_eq!(set_timer(process, timer, Some(due), 0, 0), Ok(false));
        assert!(is_timer_set(process, timer));
        assert!(process.wait(tally.done, 5000));
        assert!(
            start.elapsed() >= Duration::from_millis(99),
            "{:?}",
            start.elapsed()
        );
        assert!(is_timer_set(process, timer), "though it has come");
    }
    // One that has not come is not waited for: that would take some days.
    set_timer(process, timer, Some(i64::MIN / 2), 0, 0).unwrap();
    wait_for_callbacks(process, timer, false).unwrap();
    assert_eq!(set_timer(process, timer, Some(0), 0, 0), Ok(true));
    assert!(process.wait(tally.done, 5000));
    // One that is taken back does not come.
    assert_eq!(
        set_timer(process, timer, Some(-300 * 10_000), 0, 0),
        Ok(false)
    );
    assert_eq!(set_timer(process, timer, None, 0, 0), Ok(true));
    assert!(!is_timer_set(process, timer));
    assert!(!process.wait(tally.done, 400));
    // Again and again, in step.
    let five_times = || {
        let start = Instant::now();
        set_timer(process, timer, Some(-40 * 10_000), 40, 0).unwrap();
        for _ in 0..5 {
            assert!(process.wait(tally.done, 5000));
        }
        let took = start.elapsed();
        set_timer(process, timer, None, 0, 0).unwrap();
        wait_for_callbacks(process, timer, false).unwrap();
        while process.wait(tally.done, 0) {}
        took
    };
    in_time(five_times, Duration::from_millis(300));
    let took = five_times();
    assert!(took >= Duration::from_millis(190), "{took:?}");
    set_timer(process, timer, Some(-40 * 10_000), 40, 0).unwrap();
    release(process, timer).unwrap();
    let count = tally.count();
    thread::sleep(Duration::from_millis(100));
    assert!(
        tally.count() <= count + 1,
        "what was posted runs, and no more"
    );
}

extern "system" fn notes_time(_instance: usize, context: usize, _timer: usize) {
    let tally = Tally::of(context);
    let now = tally.process.interrupt_time();
    tally.count.store(now.unsigned_abs(), Ordering::Relaxed);
    tally.process.signal(tally.done, 1);
}

#[test]
fn timers_with_a_window_come_together() {
    let process = Process::new(2);
    let tallies = [Tally::listed(process), Tally::listed(process)];
    let [early, late] = tallies.map(|tally| {
        alloc_timer(
            process,
            function!(notes_time),
            tally.context(),
            NO_ENVIRONMENT,
        )
        .unwrap()
    });
    let apart = |window| {
        set_timer(process, late, Some(-180 * 10_000), 0, 0).unwrap();
        set_timer(process, early, Some(-80 * 10_000), 0, window).unwrap();
        for tally in tallies {
            assert!(process.wait(tally.done, 5000));
        }
        let [early, late] = tallies.map(|tally| tally.count());
        Duration::from_nanos(late.abs_diff(early) * 100)
    };
    in_time(|| apart(150), Duration::from_millis(20));
    // With a smaller one the thread wakes 40 ms before the other is due, if it is not late by that much.
    in_time(
        || Duration::from_millis(100).saturating_sub(apart(60)),
        Duration::from_millis(80),
    );
}

extern "system" fn item(context: usize) -> u32 {
    Tally::of(context)
        .process
        .signal(Tally::of(context).done, 1);
    0
}

extern "system" fn fired(context: usize, timed_out: u8) {
    let tally = Tally::of(context);
    assert_eq!(timed_out, 1);
    tally
        .thread
        .store(tally.process.thread_id(), Ordering::Relaxed);
    tally.count.fetch_add(1, Ordering::Relaxed);
    tally.process.signal(tally.done, 1);
    if tally.other.load(Ordering::Relaxed) != 0 {
        assert!(tally.process.wait(tally.gate, 10_000));
    }
}

#[test]
fn work_items_and_timer_queues_are_served() {
    let process = Process::new(2);
    let tally = Tally::listed(process);
    let flags = WorkFlags::default();
    queue_work_item(process, function!(item), tally.context(), flags).unwrap();
    queue_work_item(
        process,
        function!(item),
        tally.context(),
        WorkFlags::EXECUTELONGFUNCTION,
    )
    .unwrap();
    assert!(process.wait(tally.done, 5000) && process.wait(tally.done, 5000));

    let queue = create_timer_queue(process).unwrap();
    let add = |queue, due, period, flags| {
        create_timer(
            process,
            queue,
            function!(fired),
            tally.context(),
            due,
            period,
            flags,
        )
        .unwrap()
    };
    let timer = add(Some(queue), 20, 20, flags);
    for _ in 0..3 {
        assert!(process.wait(tally.done, 5000));
    }
    assert_eq!(update_timer(process, timer, 5000, 0), Ok(()));
    while process.wait(tally.done, 60) {}
    assert_eq!(delete_timer(process, timer, 0), Ok(NtStatus::SUCCESS));
    assert_eq!(
        delete_timer(process, timer, 0),
        Err(NtStatus::INVALID_HANDLE)
    );
    // In the timers' thread, all in the same.
    let mut threads = Vec::new();
    for _ in 0..2 {
        let timer = add(None, 1, 0, WorkFlags::EXECUTEINTIMERTHREAD);
        assert!(process.wait(tally.done, 5000));
        threads.push(tally.thread.load(Ordering::Relaxed));
        delete_timer(process, timer, Handle::MAX).unwrap();
    }
    assert_eq!(threads[0], threads[1]);
    // One that runs: pending, then an event.
    tally.other.store(1, Ordering::Relaxed);
    let timer = add(Some(queue), 0, 0, flags);
    assert!(process.wait(tally.done, 5000));
    let event = process.event();
    assert_eq!(delete_timer(process, timer, event), Ok(NtStatus::PENDING));
    assert!(!process.wait(event, 20));
    process.signal(tally.gate, 1);
    assert!(process.wait(event, 5000));
    // A queue with one that runs and one that waits.
    add(Some(queue), 0, 0, flags);
    add(Some(queue), 100_000, 0, flags);
    assert!(process.wait(tally.done, 5000));
    assert_eq!(
        delete_timer_queue(process, queue, event),
        Ok(NtStatus::PENDING)
    );
    assert_eq!(
        delete_timer_queue(process, queue, event),
        Err(NtStatus::INVALID_HANDLE)
    );
    assert!(!process.wait(event, 20));
    process.signal(tally.gate, 1);
    assert!(process.wait(event, 5000));
    // And one that is waited for.
    let queue = create_timer_queue(process).unwrap();
    add(Some(queue), 0, 0, flags);
    assert!(process.wait(tally.done, 5000));
    let count = tally.count();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(30));
            process.signal(tally.gate, 1);
        });
        let start = Instant::now();
        assert_eq!(
            delete_timer_queue(process, queue, Handle::MAX),
            Ok(NtStatus::SUCCESS)
        );
        assert!(start.elapsed() >= Duration::from_millis(25));
    });
    assert_eq!(tally.count(), count);
}
