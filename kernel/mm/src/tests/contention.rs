//! Threads that want the same page, or the same address space, at the same time.
//!
//! The processors of the simulated machine take turns at every call of the floor, by the throw of a seeded die; each test
//! runs with many seeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ke::testing;
use nt_abi::memory::PageProtection;

use super::sections::{base_of, map, memory};
use super::*;

const PAGE: u64 = 0x1000;
const SEEDS: u64 = 40;

/// Runs a test on several processors, with many seeds.
fn with_seeds(processors: u32, body: fn()) {
    for seed in 0..SEEDS {
        testing::run(processors, seed, move || {
            let _ = frames::initialize();
            crate::shared_data::initialize().expect("there is memory");
            body();
        });
    }
}

/// Runs a closure in so many threads at the same time, each with its number, and waits for all.
fn in_threads(count: u64, body: impl Fn(u64) + Send + Sync + 'static) {
    let body = Arc::new(body);
    let threads: Vec<_> = (0..count)
        .map(|number| {
            let body = body.clone();
            testing::spawn(move || body(number))
        })
        .collect();
    for thread in &threads {
        testing::join(thread);
    }
}

#[test]
fn threads_that_fault_on_one_page_find_one_frame() {
    with_seeds(3, || {
        let handle = new_space();
        let space = handle.space();
        let (base, size) = allocate(space, 0, 4 * PAGE, RESERVE | COMMIT, RW).expect("memory");
        let before = crate::statistics::query().demand_zero;
        in_threads(6, move |number| {
            let page = base + number % 2 * PAGE;
            for access in [Access::Read, Access::Write] {
                touch(space, page + number * 8, access);
            }
            write(
                space,
                page + number * 8,
                &[1 + u8::try_from(number).unwrap(); 8],
            );
        });
        for number in 0..6u8 {
            let at = base + u64::from(number) % 2 * PAGE + u64::from(number) * 8;
            assert_eq!(read(space, at), [1 + number; 8], "a page was lost");
        }
        assert_eq!(crate::statistics::query().demand_zero - before, 2);
        assert_eq!(space.counters().working_set_size, 2 * PAGE);
        space
            .free(base, size, FreeKind::Release)
            .expect("it is there");
        frames::lock().check().expect("the frames are sound");
    });
}

#[test]
fn threads_that_write_one_page_of_a_view_share_or_copy_it() {
    with_seeds(3, || {
        let section = memory(2 * PAGE);
        let (one, two) = (new_space(), new_space());
        let shared = base_of(map(one.space(), &section, 0, 0, 0, RW));
        let copies = base_of(map(two.space(), &section, 0, 0, 0, 0x08));
        let (first, second) = (one.space(), two.space());
        in_threads(4, move |number| {
            let byte = [u8::try_from(number).unwrap() + 1; 1];
            if number % 2 == 0 {
                write(first, shared + number, &byte);
            } else {
                write(second, copies + number, &byte);
            }
        });
        assert_eq!(read::<4>(first, shared), [1, 0, 3, 0]);
        let [_, two, _, four] = read::<4>(second, copies);
        assert_eq!((two, four), (2, 4), "a copy was lost");
        frames::lock().check().expect("the frames are sound");
    });
}

/// Faults, protections, decommits and queries of one space: each page is one thread's, the lock is everybody's.
#[test]
fn threads_that_want_one_space_wait_for_each_other() {
    static DONE: AtomicU32 = AtomicU32::new(0);
    with_seeds(4, || {
        DONE.store(0, Ordering::Relaxed);
        let handle = new_space();
        let space = handle.space();
        let (base, _) = allocate(space, 0, 8 * PAGE, RESERVE, RW).expect("memory");
        in_threads(8, move |number| {
            let page = base + number * PAGE;
            for round in 0..3u8 {
                allocate(space, page, PAGE, COMMIT, RW).expect("memory");
                assert_eq!(read(space, page), [0; 4]);
                write(space, page, &[round + 1; 4]);
                space
                    .protect(page, PAGE, PageProtection(RO))
                    .expect("it is committed");
                assert_eq!(space.write(page, &[9]).count, 0);
                assert_eq!(read(space, page), [round + 1; 4]);
                assert_eq!(region(space, page).1, RO);
                space
                    .free(page, PAGE, FreeKind::Decommit)
                    .expect("it is committed");
            }
            DONE.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(DONE.load(Ordering::Relaxed), 8);
        assert_eq!(space.counters().working_set_size, 0);
        assert_eq!(space.counters().pagefile_usage, 0);
        release(space, base);
        frames::lock().check().expect("the frames are sound");
    });
}

/// A thread reads what another one unmaps and maps again: it finds the bytes, or nothing.
#[test]
fn a_view_that_goes_while_it_is_read_shows_its_bytes_or_nothing() {
    with_seeds(3, || {
        let section = Arc::new(memory(PAGE));
        let handle = new_space();
        let space = handle.space();
        let base = base_of(map(space, &section, 0, 0, 0, RW));
        write(space, base, &[7; 16]);
        let held = section.clone();
        in_threads(3, move |number| {
            for _ in 0..4 {
                if number == 0 {
                    space.unmap_view(base).expect("it is a view");
                    base_of(map(space, &held, base, 0, 0, RW));
                } else {
                    let mut bytes = [0; 16];
                    let copied = space.read(base, &mut bytes);
                    assert!(copied.count == 0 || bytes == [7; 16], "{copied:?}");
                }
            }
        });
        assert_eq!(read(space, base), [7; 16]);
        frames::lock().check().expect("the frames are sound");
    });
}
