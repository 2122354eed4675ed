//! Resources. Pages: "Introduction to ERESOURCE Routines", "ExAcquireSharedStarveExclusive".

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::vec::Vec;

use ke::dispatcher::Due;
use ke::testing::{join, run, spawn};
use ke::thread::Mode;
use ke::wait::delay;
use rtl::Random;

use super::{MS, alone, counter, pause, scheduling_point, until_waiting};
use crate::{Patience, Resource, Sharing};

const FAIR: Sharing = Sharing::Fair;

#[test]
fn a_resource_excludes_shares_and_adds_up_whoever_comes_again() {
    for seed in 0..100 {
        run(4, seed, move || {
            let resource = Arc::new(Resource::new(()).expect("memory"));
            let (writers, readers) = (counter(), counter());
            let workers: Vec<_> = (0..6)
                .map(|number| {
                    let (resource, writers, readers) =
                        (resource.clone(), writers.clone(), readers.clone());
                    spawn(move || {
                        let mut random = Random::new(seed * 8 + number);
                        for _ in 0..25 {
                            if random.below(3) == 0 {
                                let outer = resource.acquire_exclusive(Patience::Wait);
                                let outer = outer.expect("it waits");
                                assert!(resource.is_acquired_exclusive());
                                assert_eq!(readers.load(SeqCst), 0);
                                alone(&writers);
                                let again = resource.acquire_shared(FAIR, Patience::Try);
                                assert_eq!(resource.times_acquired(), 2);
                                drop(again);
                                if random.below(3) == 0 {
                                    outer.convert_to_shared().expect("memory");
                                    assert!(!resource.is_acquired_exclusive());
                                }
                            } else {
                                let sharing =
                                    [FAIR, Sharing::StarveExclusive, Sharing::WaitForExclusive]
                                        [random.index(3)];
                                let share = resource.acquire_shared(sharing, Patience::Wait);
                                let _share = share.expect("memory").expect("it waits");
                                readers.fetch_add(1, SeqCst);
                                assert_eq!(writers.load(SeqCst), 0);
                                scheduling_point();
                                let again = resource.acquire_shared(FAIR, Patience::Wait);
                                assert_eq!(resource.times_acquired(), 2);
                                drop(again);
                                if random.below(8) == 0 {
                                    delay(Due::In(MS), Mode::Kernel, false);
                                }
                                readers.fetch_sub(1, SeqCst);
                            }
                            scheduling_point();
                        }
                    })
                })
                .collect();
            workers.iter().for_each(join);
            let state = resource.state();
            assert_eq!((state.exclusive, state.sharers), (0, 0));
            assert_eq!((state.waiting_exclusive, state.waiting_shared), (0, 0));
            assert_eq!(resource.times_acquired(), 0);
        });
    }
}

#[test]
fn who_waits_exclusively_goes_before_new_sharers_unless_they_starve_him() {
    run(2, 2, || {
        let resource = Arc::new(Resource::new(()).expect("memory"));
        let mine = resource
            .acquire_shared(FAIR, Patience::Try)
            .expect("memory");
        let mine = mine.expect("it is free");
        let theirs = resource.clone();
        let writer = spawn(move || {
            let exclusive = theirs.acquire_exclusive(Patience::Wait);
            pause();
            drop(exclusive);
        });
        until_waiting(&writer);
        let theirs = resource.clone();
        join(&spawn(move || {
            let share = |sharing| {
                let share = theirs.acquire_shared(sharing, Patience::Try);
                share.expect("memory").is_some()
            };
            assert!(!share(FAIR));
            assert!(!share(Sharing::WaitForExclusive));
            assert!(share(Sharing::StarveExclusive));
        }));
        let again = resource
            .acquire_shared(FAIR, Patience::Try)
            .expect("memory");
        assert!(again.is_some(), "who has it comes in again");
        drop((again, mine));
        let theirs = resource.clone();
        assert!(resource.acquire_exclusive(Patience::Try).is_none());
        let reader = spawn(move || {
            let share = theirs.acquire_shared(FAIR, Patience::Wait).expect("memory");
            pause();
            drop(share);
        });
        join(&writer);
        join(&reader);
        assert!(resource.state().contentions >= 2);
    });
}
