//! Many threads that wait and signal on many processors, by many seeds: what is counted must add up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::vec::Vec;

use nt_abi::NtStatus;
use rtl::Random;

use crate::dispatcher::{Due, Event, EventKind, Mutant, Semaphore, WaitKind};
use crate::testing::{join, run, spawn};
use crate::wait::{WaitOptions, wait_for_many, wait_for_one};

#[test]
fn events_handed_back_and_forth_are_never_lost() {
    for seed in 0..100 {
        run(3, seed, || {
            let ping = Arc::new(Event::new(EventKind::Synchronization, false).expect("memory"));
            let pong = Arc::new(Event::new(EventKind::Synchronization, false).expect("memory"));
            let (mine, theirs) = (ping.clone(), pong.clone());
            let worker = spawn(move || {
                for _ in 0..100 {
                    wait_for_one(mine.header(), &WaitOptions::kernel());
                    theirs.set();
                }
            });
            for _ in 0..100 {
                ping.set();
                wait_for_one(pong.header(), &WaitOptions::kernel());
            }
            join(&worker);
        });
    }
}

#[test]
fn a_mutant_excludes() {
    for seed in 0..60 {
        run(4, seed, || {
            let mutant = Arc::new(Mutant::new(false).expect("memory"));
            let inside = Arc::new(AtomicU32::new(0));
            let entered = Arc::new(AtomicU32::new(0));
            let workers: Vec<_> = (0..5)
                .map(|_| {
                    let (mutant, inside, entered) =
                        (mutant.clone(), inside.clone(), entered.clone());
                    spawn(move || {
                        for _ in 0..20 {
                            let status = wait_for_one(mutant.header(), &WaitOptions::kernel());
                            assert_eq!(status, NtStatus::WAIT_0);
                            assert_eq!(inside.fetch_add(1, SeqCst), 0, "two are inside");
                            drop(crate::irql::raise(arch::contract::Irql::Dispatch));
                            entered.fetch_add(1, SeqCst);
                            inside.fetch_sub(1, SeqCst);
                            mutant.release().expect("it is ours");
                        }
                    })
                })
                .collect();
            workers.iter().for_each(join);
            assert_eq!(entered.load(SeqCst), 100);
        });
    }
}

/// Waits for any, all, with and without a limit, on semaphores that others release: what is taken and what is left add up.
#[test]
fn wait_any_and_wait_all_storms_add_up() {
    for seed in 0..100 {
        run(4, seed, move || {
            const EACH: i32 = 200;
            let semaphores: Arc<Vec<_>> = Arc::new(
                (0..4)
                    .map(|_| Semaphore::new(EACH, i32::MAX).expect("memory"))
                    .collect(),
            );
            let taken = Arc::new([const { AtomicU32::new(0) }; 4]);
            let workers: Vec<_> = (0..6)
                .map(|worker| {
                    let (semaphores, taken) = (semaphores.clone(), taken.clone());
                    spawn(move || {
                        let mut random = Random::new(seed * 16 + worker);
                        for _ in 0..30 {
                            let first = random.index(4);
                            let second = (first + 1 + random.index(3)) % 4;
                            let pair = [semaphores[first].header(), semaphores[second].header()];
                            let kind = if random.below(2) == 0 {
                                WaitKind::Any
                            } else {
                                WaitKind::All
                            };
                            let limit = Due::In(random.below(3) * 20_000);
                            let status =
                                wait_for_many(&pair, kind, &WaitOptions::kernel().until(limit));
                            match (kind, status) {
                                (_, NtStatus::TIMEOUT) => {
                                    // Nothing was taken: give one of each, so that others go on.
                                    for index in [first, second] {
                                        semaphores[index].release(1).expect("no limit");
                                        taken[index].fetch_sub(1, SeqCst);
                                    }
                                }
                                (WaitKind::All, NtStatus::WAIT_0) => {
                                    taken[first].fetch_add(1, SeqCst);
                                    taken[second].fetch_add(1, SeqCst);
                                }
                                (WaitKind::Any, NtStatus(which @ 0..=1)) => {
                                    let index = [first, second][which as usize];
                                    taken[index].fetch_add(1, SeqCst);
                                }
                                other => panic!("{other:?}"),
                            }
                        }
                    })
                })
                .collect();
            workers.iter().for_each(join);
            for (semaphore, taken) in semaphores.iter().zip(taken.iter()) {
                assert_eq!(
                    semaphore.count(),
                    EACH - taken.load(SeqCst).cast_signed(),
                    "seed {seed}"
                );
            }
        });
    }
}
