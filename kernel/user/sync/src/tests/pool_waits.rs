//! Thread pools: waits for objects.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};
use std::vec::Vec;

use c_interface::{Function, Ptr};
use nt_abi::NtStatus;
use nt_abi::native::Handle;
use nt_abi::synchronization::WorkFlags;

use super::pool_host::{Process, Tally};
use crate::Parking;
use crate::thread_pool::*;

const MINUS_ONE: Handle = Handle::MAX;
const INFINITE: u32 = u32::MAX;
const ONCE: WorkFlags = WorkFlags::EXECUTEONLYONCE;

macro_rules! function {
    ($function:path) => {
        Function::new($function as *const () as usize)
    };
}

/// Counts signals, and times in the upper half.
extern "system" fn waited(_instance: usize, context: usize, _wait: usize, result: u32) {
    let tally = Tally::of(context);
    let one = match result {
        0 => 1,
        0x102 => 0x1_0000,
        other => panic!("{other}"),
    };
    tally.count.fetch_add(one, Ordering::Relaxed);
    tally.process.signal(tally.done, 1);
}

fn wait(process: &'static Process) -> (&'static Tally, Id) {
    let tally = Tally::listed(process);
    let wait = alloc_wait(process, function!(waited), tally.context(), Ptr::NULL).unwrap();
    (tally, wait)
}

fn milliseconds(count: i64) -> Option<i64> {
    Some(-count * 10_000)
}

#[test]
fn a_signal_or_a_time_ends_a_wait() {
    let process = Process::new(2);
    let (tally, wait) = wait(process);
    let object = process.semaphore();
    // A signal, which the wait takes.
    set_wait(process, wait, object, None).unwrap();
    process.signal(object, 1);
    assert!(process.wait(tally.done, 5000));
    assert_eq!((tally.count(), process.wait(object, 0)), (1, false));
    // It is for once.
    process.signal(object, 1);
    assert!(!process.wait(tally.done, 50) && process.wait(object, 0));
    // A time.
    let start = Instant::now();
    set_wait(process, wait, object, milliseconds(60)).unwrap();
    assert!(process.wait(tally.done, 5000));
    assert!(start.elapsed() >= Duration::from_millis(60));
    assert_eq!(tally.count(), 0x1_0001);
    // No time: the object is looked at all the same.
    set_wait(process, wait, object, Some(0)).unwrap();
    assert!(process.wait(tally.done, 5000));
    assert_eq!(tally.count(), 0x2_0001);
    process.signal(object, 1);
    set_wait(process, wait, object, Some(0)).unwrap();
    assert!(process.wait(tally.done, 5000));
    assert_eq!((tally.count(), process.wait(object, 0)), (0x2_0002, false));
    // -1 is signalled never.
    set_wait(process, wait, MINUS_ONE, milliseconds(10)).unwrap();
    assert!(process.wait(tally.done, 5000));
    assert_eq!(tally.count(), 0x3_0002);
    // To wait for its callbacks is not to wait for its object.
    set_wait(process, wait, object, milliseconds(50)).unwrap();
    wait_for_callbacks(process, wait, true).unwrap();
    assert_eq!(tally.count(), 0x3_0002);
    assert!(process.wait(tally.done, 5000));
    release(process, wait).unwrap();
    assert_eq!(
        set_wait(process, wait, object, None),
        Err(NtStatus::INVALID_PARAMETER)
    );
}

#[test]
fn a_wait_that_is_taken_back_takes_no_signal() {
    let process = Process::new(2);
    let (tally, wait) = wait(process);
    let object = process.semaphore();
    let mut callbacks = 0;
    for round in 0..300 {
        set_wait(process, wait, object, None).unwrap();
        if round % 10 == 0 {
            process.signal(object, 1);
            assert!(process.wait(tally.done, 5000));
        }
        let before = callbacks + u64::from(round % 10 == 0);
        let taken_back = thread::scope(|scope| {
            let other = scope.spawn(|| {
                if round % 10 > 1 {
                    thread::sleep(Duration::from_micros(10 * (round % 10)));
                    process.signal(object, 1);
                }
            });
            // Meanwhile, another, or none.
            let next = if round % 2 == 0 { 0 } else { MINUS_ONE };
            let taken_back = set_wait(process, wait, next, None).unwrap();
            other.join().unwrap();
            taken_back
        });
        if round % 10 == 1 {
            process.signal(object, 1);
        }
        wait_for_callbacks(process, wait, false).unwrap();
        // The signal went to the callback or is there still.
        let left = process.wait(object, 0);
        callbacks += u64::from(!left);
        assert_eq!(tally.count(), callbacks, "in round {round}");
        let has_run = round % 10 == 0 || callbacks > before;
        assert_eq!(taken_back, !has_run, "in round {round}");
        set_wait(process, wait, 0, None).unwrap();
    }
    assert!(
        (30..=270).contains(&callbacks),
        "both ways were seen: {callbacks}"
    );
}

#[test]
fn many_objects_are_waited_for() {
    const MANY: usize = 200;
    let process = Process::new(2);
    let waits: Vec<_> = (0..MANY)
        .map(|_| {
            let (tally, wait) = wait(process);
            (tally, wait, process.semaphore())
        })
        .collect();
    for (_, wait, object) in &waits {
        set_wait(process, *wait, *object, None).unwrap();
    }
    for (tally, wait, object) in waits.iter().rev() {
        process.signal(*object, 1);
        assert!(process.wait(tally.done, 5000));
        set_wait(process, *wait, *object, milliseconds(30)).unwrap();
    }
    for (tally, ..) in &waits {
        assert!(process.wait(tally.done, 5000));
        assert_eq!(tally.count(), 0x1_0001);
    }
    for (_, wait, object) in &waits {
        set_wait(process, *wait, *object, None).unwrap();
    }
    for (_, wait, object) in &waits {
        release(process, *wait).unwrap();
        process.close(*object);
    }
    assert!(
        process.alive.load(Ordering::Relaxed) <= 4 + 3,
        "63 objects a thread"
    );
}

#[test]
fn a_handle_that_is_none_stops_nobody_else() {
    let process = Process::new(2);
    let [(bad, bad_wait), (good, good_wait)] = [wait(process), wait(process)];
    let object = process.semaphore();
    set_wait(process, bad_wait, 0x9998, None).unwrap();
    set_wait(process, good_wait, object, None).unwrap();
    process.signal(object, 1);
    assert!(process.wait(good.done, 5000));
    assert_eq!((good.count(), bad.count()), (1, 0));
}

/// Counts as above; with a second argument waits for the gate.
extern "system" fn registered(context: usize, timed_out: u8) {
    let tally = Tally::of(context);
    let one = if timed_out == 0 { 1 } else { 0x1_0000 };
    tally.count.fetch_add(one, Ordering::Relaxed);
    tally
        .thread
        .store(tally.process.thread_id(), Ordering::Relaxed);
    tally.process.signal(tally.done, 1);
    if tally.other.load(Ordering::Relaxed) != 0 {
        tally.process.wait(tally.gate, 200);
        tally.process.signal(tally.done, 1);
    }
}

#[test]
fn a_registered_wait_goes_on_or_is_for_once() {
    let process = Process::new(2);
    let tally = Tally::listed(process);
    let object = process.semaphore();
    let register = |milliseconds, flags| {
        tally.count.store(0, Ordering::Relaxed);
        register_wait(
            process,
            object,
            function!(registered),
            tally.context(),
            milliseconds,
            flags,
        )
        .unwrap()
    };
    let wait = register(INFINITE, WorkFlags::default());
    for count in 1..=3 {
        process.signal(object, 1);
        assert!(process.wait(tally.done, 5000));
        assert_eq!(tally.count(), count);
    }
    thread::sleep(Duration::from_millis(20));
    assert_eq!(deregister_wait(process, wait, 0), Ok(NtStatus::SUCCESS));
    assert_eq!(
        deregister_wait(process, wait, 0),
        Err(NtStatus::INVALID_HANDLE)
    );
    process.signal(object, 1);
    assert!(!process.wait(tally.done, 30) && process.wait(object, 0));

    let wait = register(INFINITE, ONCE);
    process.signal(object, 1);
    assert!(process.wait(tally.done, 5000));
    process.signal(object, 1);
    assert!(!process.wait(tally.done, 30) && process.wait(object, 0));
    assert_eq!(
        deregister_wait(process, wait, MINUS_ONE),
        Ok(NtStatus::SUCCESS)
    );

    // Each time anew.
    let wait = register(40, WorkFlags::default());
    for _ in 0..2 {
        assert!(process.wait(tally.done, 5000));
    }
    process.signal(object, 1);
    assert!(process.wait(tally.done, 5000));
    assert!(
        tally.count() & 0xFFFF == 1 && tally.count() >= 0x2_0001,
        "{:x}",
        tally.count()
    );
    let event = process.event();
    deregister_wait(process, wait, event).unwrap();
    assert!(process.wait(event, 5000));

    // In the thread that waits, which is the same each time.
    let mut threads = Vec::new();
    for (milliseconds, wanted) in [(200, 1), (200, 1), (0, 0x1_0000)] {
        while process.wait(tally.done, 0) {}
        let wait = register(milliseconds, WorkFlags::EXECUTEINWAITTHREAD | ONCE);
        if wanted == 1 {
            process.signal(object, 1);
        }
        assert!(process.wait(tally.done, 5000));
        assert_eq!(tally.count(), wanted);
        threads.push(tally.thread.load(Ordering::Relaxed));
        deregister_wait(process, wait, MINUS_ONE).unwrap();
    }
    assert!(
        threads
            .iter()
            .all(|thread| *thread == threads[0] && *thread != process.thread_id())
    );
}

#[test]
fn deregistering_tells_whether_a_callback_runs() {
    let process = Process::new(2);
    let tally = Tally::listed(process);
    tally.other.store(1, Ordering::Relaxed);
    let object = process.semaphore();
    for flags in [ONCE, ONCE | WorkFlags::EXECUTEINWAITTHREAD] {
        let running = || {
            let wait = register_wait(
                process,
                object,
                function!(registered),
                tally.context(),
                INFINITE,
                flags,
            )
            .unwrap();
            process.signal(object, 1);
            assert!(process.wait(tally.done, 5000));
            wait
        };
        // Neither event nor waiting.
        assert_eq!(
            deregister_wait(process, running(), 0),
            Ok(NtStatus::PENDING)
        );
        process.signal(tally.gate, 1);
        assert!(process.wait(tally.done, 5000));
        // Waiting for its end.
        assert_eq!(
            deregister_wait(process, running(), MINUS_ONE),
            Ok(NtStatus::SUCCESS)
        );
        assert!(process.wait(tally.done, 0), "it has ended");
        // An event for its end.
        let event = process.event();
        assert_eq!(
            deregister_wait(process, running(), event),
            Ok(NtStatus::PENDING)
        );
        assert!(!process.wait(event, 20));
        process.signal(tally.gate, 1);
        assert!(process.wait(event, 5000) && process.wait(tally.done, 0));
    }
}
