//! Thread pools: works, single callbacks, timers, groups and what callbacks ask for.
//!
//! What is expected is what the documentation of `threadpoolapiset.h` says and what programs have been seen to rely on.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};
use std::vec::Vec;

use c_interface::{Function, Ptr};
use nt_abi::NtStatus;
use nt_abi::native::{Pointer, RtlCriticalSection, TpCallbackEnviron};
use nt_abi::synchronization::{CriticalSectionFlags, TpCallbackFlags};

use super::host::{in_time, until};
use super::pool_host::{Process, Tally};
use crate::critical_section;
use crate::thread_pool::*;
use crate::words::parking::Parking;

const NO_ENVIRONMENT: Ptr<TpCallbackEnviron> = Ptr::NULL;

fn environment(pool: Id) -> TpCallbackEnviron {
    TpCallbackEnviron {
        version: 1,
        pool: pool.number() as Pointer,
        ..Default::default()
    }
}

macro_rules! function {
    ($function:path) => {
        Function::new($function as *const () as usize)
    };
}

extern "system" fn count_simple(_instance: usize, context: usize) {
    let tally = Tally::of(context);
    tally.count.fetch_add(1, Ordering::Relaxed);
    tally.process.signal(tally.done, 1);
}

extern "system" fn count_work(_instance: usize, context: usize, _work: usize) {
    let tally = Tally::of(context);
    tally.count.fetch_add(1, Ordering::Relaxed);
    tally.process.signal(tally.done, 1);
}

extern "system" fn slow_work(_instance: usize, context: usize, _work: usize) {
    thread::sleep(Duration::from_millis(10));
    Tally::of(context).count.fetch_add(1, Ordering::Relaxed);
}

extern "system" fn gated_work(_instance: usize, context: usize, _work: usize) {
    let tally = Tally::of(context);
    tally.process.signal(tally.done, 1);
    assert!(tally.process.wait(tally.gate, 10_000));
    tally.count.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn what_is_posted_runs() {
    let process = Process::new(2);
    let tally = Tally::listed(process);
    post_simple(
        process,
        function!(count_simple),
        tally.context(),
        NO_ENVIRONMENT,
    )
    .unwrap();
    assert!(process.wait(tally.done, 5000));
    let work = alloc_work(
        process,
        function!(count_work),
        tally.context(),
        NO_ENVIRONMENT,
    )
    .unwrap();
    const POSTED: u64 = 10_000;
    for _ in 0..POSTED {
        post_work(process, work).unwrap();
    }
    wait_for_callbacks(process, work, false).unwrap();
    assert_eq!(
        tally.count(),
        POSTED + 1,
        "each ran once, and before the wait ended"
    );
    release(process, work).unwrap();
    assert_eq!(post_work(process, work), Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(release(process, work), Err(NtStatus::INVALID_PARAMETER));
    assert!(
        process.started.load(Ordering::Relaxed) <= 3,
        "two processors, and perhaps the timers'"
    );
}

#[test]
fn many_threads_post_and_wait() {
    let process = Process::new(2);
    let tally = Tally::listed(process);
    super::host::in_threads(6, |_| {
        for _ in 0..500 {
            let work = alloc_work(
                process,
                function!(count_work),
                tally.context(),
                NO_ENVIRONMENT,
            )
            .unwrap();
            for _ in 0..4 {
                post_work(process, work).unwrap();
            }
            wait_for_callbacks(process, work, false).unwrap();
            post_work(process, work).unwrap();
            release(process, work).unwrap();
        }
    });
    until(|| tally.count() == 6 * 500 * 5);
}

#[test]
fn what_is_cancelled_does_not_run() {
    let process = Process::new(1);
    let tally = Tally::listed(process);
    let pool = alloc_pool(process).unwrap();
    set_pool_maximum(process, pool, 1).unwrap();
    let work = alloc_work(
        process,
        function!(slow_work),
        tally.context(),
        Ptr::of(&mut environment(pool)),
    )
    .unwrap();
    for _ in 0..100 {
        post_work(process, work).unwrap();
    }
    thread::sleep(Duration::from_millis(30));
    wait_for_callbacks(process, work, true).unwrap();
    let ran = tally.count();
    assert!(ran < 100, "{ran}");
    thread::sleep(Duration::from_millis(30));
    assert_eq!(tally.count(), ran, "nothing runs after the wait");
    release(process, work).unwrap();
    release_pool(process, pool).unwrap();
    until(|| process.alive.load(Ordering::Relaxed) <= 1);
}

#[test]
fn objects_take_turns() {
    // One thread; a hundred of one, then one of another: that one does not wait for all of the first.
    let process = Process::new(1);
    let [first, second] = [Tally::listed(process), Tally::listed(process)];
    let pool = alloc_pool(process).unwrap();
    set_pool_maximum(process, pool, 1).unwrap();
    let mut environment = environment(pool);
    let environment = Ptr::of(&mut environment);
    let [one, other] = [first, second].map(|tally| {
        alloc_work(process, function!(slow_work), tally.context(), environment).unwrap()
    });
    for _ in 0..100 {
        post_work(process, one).unwrap();
    }
    post_work(process, other).unwrap();
    wait_for_callbacks(process, other, false).unwrap();
    assert!(first.count() < 20, "{}", first.count());
    wait_for_callbacks(process, one, true).unwrap();
}

#[test]
fn priorities_come_first() {
    let process = Process::new(1);
    let pool = alloc_pool(process).unwrap();
    set_pool_maximum(process, pool, 1).unwrap();
    let gate = Tally::listed(process);
    let mut base = environment(pool);
    let blocker = alloc_work(
        process,
        function!(gated_work),
        gate.context(),
        Ptr::of(&mut base),
    )
    .unwrap();
    post_work(process, blocker).unwrap();
    assert!(process.wait(gate.done, 5000));
    let tallies: Vec<_> = [2, 1, 0]
        .into_iter()
        .map(|priority| {
            let tally = Tally::listed(process);
            let mut environment = TpCallbackEnviron {
                version: 3,
                callback_priority: priority,
                size: 0x48,
                ..base
            };
            let work = alloc_work(
                process,
                function!(gated_work),
                tally.context(),
                Ptr::of(&mut environment),
            )
            .unwrap();
            post_work(process, work).unwrap();
            tally
        })
        .collect();
    process.signal(gate.gate, 1);
    for begun in (0..3).rev() {
        assert!(process.wait(tallies[begun].done, 5000));
        let others = (0..begun).any(|other| process.wait(tallies[other].done, 0));
        assert!(!others, "a lower one ran first");
        process.signal(tallies[begun].gate, 1);
    }
    for (version, priority) in [(3, 3), (2, 0), (9999, 0)] {
        let mut environment = TpCallbackEnviron {
            version,
            callback_priority: priority,
            ..base
        };
        let posted = post_simple(
            process,
            function!(count_simple),
            gate.context(),
            Ptr::of(&mut environment),
        );
        assert_eq!(
            posted,
            Err(NtStatus::INVALID_PARAMETER),
            "{version} {priority}"
        );
    }
}

#[test]
fn callbacks_that_wait_for_one_another_end() {
    // Twenty wait until all are there, with two processors: the pool must notice that it is stuck.
    let process = Process::new(2);
    let tally = Tally::listed(process);
    let work = alloc_work(
        process,
        function!(gated_work),
        tally.context(),
        NO_ENVIRONMENT,
    )
    .unwrap();
    let start = Instant::now();
    for _ in 0..20 {
        post_work(process, work).unwrap();
    }
    for _ in 0..20 {
        assert!(process.wait(tally.done, 10_000), "a callback has not begun");
    }
    assert!(start.elapsed() < Duration::from_secs(8));
    process.signal(tally.gate, 20);
    wait_for_callbacks(process, work, false).unwrap();
    assert_eq!(tally.count(), 20);
}

#[test]
fn the_maximum_and_the_minimum_hold() {
    let process = Process::new(4);
    let tally = Tally::listed(process);
    let pool = alloc_pool(process).unwrap();
    set_pool_maximum(process, pool, 2).unwrap();
    let mut environment = environment(pool);
    let work = alloc_work(
        process,
        function!(gated_work),
        tally.context(),
        Ptr::of(&mut environment),
    )
    .unwrap();
    for _ in 0..6 {
        post_work(process, work).unwrap();
    }
    assert!(process.wait(tally.done, 5000) && process.wait(tally.done, 5000));
    assert!(!process.wait(tally.done, 300), "a third runs");
    process.signal(tally.gate, 6);
    wait_for_callbacks(process, work, false).unwrap();
    set_pool_minimum(process, pool, 5).unwrap();
    until(|| process.alive.load(Ordering::Relaxed) >= 5);
    set_pool_maximum(process, pool, 1).unwrap();
    until(|| process.alive.load(Ordering::Relaxed) <= 2);
    release(process, work).unwrap();
    release_pool(process, pool).unwrap();
    until(|| process.alive.load(Ordering::Relaxed) <= 1);
    assert_eq!(
        set_pool_maximum(process, pool, 1),
        Err(NtStatus::INVALID_PARAMETER)
    );
}

#[test]
fn workers_without_work_end() {
    let process = Process::new(4);
    process.idle_time.store(20 * 10_000, Ordering::Relaxed);
    let tally = Tally::listed(process);
    let pool = alloc_pool(process).unwrap();
    set_pool_minimum(process, pool, 1).unwrap();
    let mut environment = environment(pool);
    let environment = Ptr::of(&mut environment);
    let work = alloc_work(process, function!(gated_work), tally.context(), environment).unwrap();
    for _ in 0..4 {
        post_work(process, work).unwrap();
    }
    for _ in 0..4 {
        assert!(process.wait(tally.done, 5000));
    }
    assert!(process.alive.load(Ordering::Relaxed) >= 4);
    process.signal(tally.gate, 4);
    wait_for_callbacks(process, work, false).unwrap();
    until(|| process.alive.load(Ordering::Relaxed) <= 2);
    thread::sleep(Duration::from_millis(60));
    assert!(
        process.alive.load(Ordering::Relaxed) >= 1,
        "the minimum stays"
    );
}

#[test]
fn work_is_not_lost_between_workers_that_end_and_begin() {
    let process = Process::new(2);
    // Workers end at once, so every post meets one that is about to.
    process.idle_time.store(100, Ordering::Relaxed);
    let tally = Tally::listed(process);
    let work = alloc_work(
        process,
        function!(count_work),
        tally.context(),
        NO_ENVIRONMENT,
    )
    .unwrap();
    const POSTED: u64 = 20_000;
    super::host::in_threads(2, |own| {
        for round in 0..POSTED / 2 {
            post_work(process, work).unwrap();
            if round % 16 == 0 {
                thread::sleep(Duration::from_micros(own as u64 * 7 + round % 40));
            }
            if round % 64 == 0 {
                wait_for_callbacks(process, work, false).unwrap();
            }
        }
    });
    wait_for_callbacks(process, work, false).unwrap();
    assert_eq!(tally.count(), POSTED);
}

#[test]
fn a_thread_that_does_not_start_is_tried_again() {
    let process = Process::new(1);
    let tally = Tally::listed(process);
    process.failures.store(1, Ordering::Relaxed);
    post_simple(
        process,
        function!(count_simple),
        tally.context(),
        NO_ENVIRONMENT,
    )
    .unwrap();
    assert!(process.wait(tally.done, 5000));
}

extern "system" fn long_simple(instance: usize, context: usize) {
    let tally = Tally::of(context);
    let status = call_may_run_long(tally.process, Id::new(instance));
    tally.other.store(
        u64::from(status.err().unwrap_or(NtStatus::SUCCESS).0),
        Ordering::Relaxed,
    );
    tally.process.signal(tally.done, 1);
    assert!(tally.process.wait(tally.gate, 10_000));
}

#[test]
fn what_is_long_has_another_worker_or_is_told() {
    let process = Process::new(1);
    for (maximum, wanted) in [(2, NtStatus::SUCCESS), (1, NtStatus::TOO_MANY_THREADS)] {
        let pool = alloc_pool(process).unwrap();
        set_pool_maximum(process, pool, maximum).unwrap();
        let [long, short] = [Tally::listed(process), Tally::listed(process)];
        let mut environment = environment(pool);
        let environment = Ptr::of(&mut environment);
        post_simple(process, function!(long_simple), long.context(), environment).unwrap();
        assert!(process.wait(long.done, 5000));
        assert_eq!(long.other.load(Ordering::Relaxed), u64::from(wanted.0));
        post_simple(
            process,
            function!(count_simple),
            short.context(),
            environment,
        )
        .unwrap();
        let patience = if maximum == 2 { 5000 } else { 50 };
        assert_eq!(process.wait(short.done, patience), maximum == 2);
        process.signal(long.gate, 1);
    }
    // An environment can say so beforehand.
    let pool = alloc_pool(process).unwrap();
    let mut environment = TpCallbackEnviron {
        flags: TpCallbackFlags::LONG_FUNCTION,
        ..environment(pool)
    };
    let tally = Tally::listed(process);
    let works: Vec<_> = (0..4)
        .map(|_| {
            alloc_work(
                process,
                function!(gated_work),
                tally.context(),
                Ptr::of(&mut environment),
            )
            .unwrap()
        })
        .collect();
    // All are begun at once, without the pool having been stuck.
    let begin_all = || {
        let start = Instant::now();
        for work in &works {
            post_work(process, *work).unwrap();
        }
        for _ in 0..4 {
            assert!(process.wait(tally.done, 5000));
        }
        let took = start.elapsed();
        process.signal(tally.gate, 4);
        for work in &works {
            wait_for_callbacks(process, *work, false).unwrap();
        }
        took
    };
    in_time(begin_all, Duration::from_millis(90));
}

extern "system" fn asks(instance: usize, context: usize) {
    let (tally, instance) = (Tally::of(context), Id::new(instance));
    let process = tally.process;
    call_releases_semaphore(process, instance, tally.done, 3);
    call_sets_event(process, instance, tally.gate);
    call_unloads_module(process, instance, 0x1000);
    let section = Ptr::<RtlCriticalSection>::new(
        usize::try_from(tally.other.load(Ordering::Relaxed)).unwrap(),
    );
    critical_section::enter(process, section, || None, || ()).unwrap();
    call_leaves_critical_section(process, instance, section);
    assert!(!process.wait(tally.done, 20), "not before the end");
    tally.thread.store(instance.number(), Ordering::Relaxed);
}

extern "system" fn finalize(_instance: usize, context: usize) {
    Tally::of(context).count.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn what_a_callback_asks_for_is_done_at_its_end() {
    let process = Process::new(2);
    let tally = Tally::listed(process);
    let mut section = RtlCriticalSection::default();
    let section = Ptr::of(&mut section);
    critical_section::initialize(process, section, 0, CriticalSectionFlags::default(), None)
        .unwrap();
    tally
        .other
        .store(section.address() as u64, Ordering::Relaxed);
    process.module.store(2, Ordering::Relaxed);
    let mut environment = TpCallbackEnviron {
        version: 1,
        race_dll: 0x2000,
        finalization_callback: finalize as *const () as Pointer,
        ..Default::default()
    };
    post_simple(
        process,
        function!(asks),
        tally.context(),
        Ptr::of(&mut environment),
    )
    .unwrap();
    for _ in 0..3 {
        assert!(process.wait(tally.done, 5000));
    }
    assert!(process.wait(tally.gate, 5000));
    until(|| tally.count() == 1);
    until(|| process.module.load(Ordering::Relaxed) == 1);
    assert!(!critical_section::is_locked(section));
    // Its instance is over.
    let instance = Id::new(tally.thread.load(Ordering::Relaxed));
    call_sets_event(process, instance, tally.gate);
    assert!(call_may_run_long(process, instance).is_err());
}

extern "system" fn disassociates(instance: usize, context: usize, _work: usize) {
    let tally = Tally::of(context);
    call_disassociate(tally.process, Id::new(instance));
    assert!(tally.process.wait(tally.gate, 10_000));
    tally.process.signal(tally.done, 1);
}

#[test]
fn nobody_waits_for_a_callback_that_left_its_object() {
    let process = Process::new(2);
    let tally = Tally::listed(process);
    let work = alloc_work(
        process,
        function!(disassociates),
        tally.context(),
        NO_ENVIRONMENT,
    )
    .unwrap();
    post_work(process, work).unwrap();
    wait_for_callbacks(process, work, false).unwrap();
    assert!(!process.wait(tally.done, 20));
    release(process, work).unwrap();
    process.signal(tally.gate, 1);
    assert!(process.wait(tally.done, 5000));
}

extern "system" fn cancelled(context: usize, cleanup: usize) {
    let tally = Tally::of(cleanup);
    assert_eq!(context, 0xDEAD_BEEF);
    assert_eq!(
        tally.process.thread_id(),
        tally.thread.load(Ordering::Relaxed)
    );
    tally.count.fetch_add(1, Ordering::Relaxed);
}

extern "system" fn unexpected_simple(_instance: usize, _context: usize) {
    std::process::abort();
}

extern "system" fn unexpected_work(_instance: usize, _context: usize, _work: usize) {
    std::process::abort();
}

extern "system" fn unexpected_wait(_instance: usize, _context: usize, _wait: usize, _result: u32) {
    std::process::abort();
}

#[test]
fn a_group_is_cancelled_as_a_whole() {
    let process = Process::new(1);
    let tally = Tally::listed(process);
    tally.thread.store(process.thread_id(), Ordering::Relaxed);
    let pool = alloc_pool(process).unwrap();
    set_pool_maximum(process, pool, 1).unwrap();
    let group = alloc_group(process).unwrap();
    let mut plain = environment(pool);
    let mut member = TpCallbackEnviron {
        cleanup_group: group.number() as Pointer,
        cleanup_group_cancel_callback: cancelled as *const () as Pointer,
        ..plain
    };
    let member = Ptr::of(&mut member);
    // The only worker is busy, so nothing of the group begins.
    let busy = alloc_work(
        process,
        function!(gated_work),
        tally.context(),
        Ptr::of(&mut plain),
    )
    .unwrap();
    post_work(process, busy).unwrap();
    assert!(process.wait(tally.done, 5000));
    let context = 0xDEAD_BEEF;
    post_simple(process, function!(unexpected_simple), context, member).unwrap();
    let work = alloc_work(process, function!(unexpected_work), context, member).unwrap();
    for _ in 0..5 {
        post_work(process, work).unwrap();
    }
    let timer = alloc_timer(process, function!(unexpected_work), context, member).unwrap();
    set_timer(process, timer, Some(-50 * 10_000), 0, 0).unwrap();
    let wait = alloc_wait(process, function!(unexpected_wait), context, member).unwrap();
    let never = process.event();
    set_wait(process, wait, never, None).unwrap();
    release_group_members(process, group, true, tally.context()).unwrap();
    assert_eq!(
        tally.count(),
        4,
        "one for each member, however often it was posted"
    );
    for gone in [work, timer, wait] {
        assert_eq!(release(process, gone), Err(NtStatus::INVALID_PARAMETER));
    }
    process.signal(tally.gate, 1);
    wait_for_callbacks(process, busy, false).unwrap();
    process.signal(never, 1);
    thread::sleep(Duration::from_millis(80));
    assert!(process.wait(never, 0), "nobody waits for it any more");
    release_group(process, group).unwrap();
    assert_eq!(
        release_group(process, group),
        Err(NtStatus::INVALID_PARAMETER)
    );
}

extern "system" fn releases_itself(_instance: usize, context: usize, work: usize) {
    let tally = Tally::of(context);
    tally.process.signal(tally.done, 1);
    thread::sleep(Duration::from_millis(60));
    release(tally.process, Id::new(work)).unwrap();
    tally.count.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn a_group_waits_for_what_runs() {
    let process = Process::new(2);
    let tally = Tally::listed(process);
    let group = alloc_group(process).unwrap();
    let mut member = TpCallbackEnviron {
        version: 1,
        cleanup_group: group.number() as Pointer,
        cleanup_group_cancel_callback: cancelled as *const () as Pointer,
        ..Default::default()
    };
    let member = Ptr::of(&mut member);
    // Given up by its own callback meanwhile: then it is not told that it was cancelled.
    let work = alloc_work(process, function!(releases_itself), tally.context(), member).unwrap();
    post_work(process, work).unwrap();
    assert!(process.wait(tally.done, 5000));
    release_group_members(process, group, true, 0).unwrap();
    assert_eq!(tally.count(), 1, "it has ended");
    // Without cancelling, what was posted runs first.
    let work = alloc_work(process, function!(slow_work), tally.context(), member).unwrap();
    for _ in 0..3 {
        post_work(process, work).unwrap();
    }
    post_simple(process, function!(count_simple), tally.context(), member).unwrap();
    release_group_members(process, group, false, 0).unwrap();
    assert_eq!(tally.count(), 5);
}
