//! The tests of waiting: conditions that came true, addresses, times.

use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;

use super::atomic::{AtomicUsize, Ordering};
use super::kernel::Kernel;
use super::parking::Deadline;
use super::queue::{Key, Outcome, Purpose, Wait, with_queue};
use super::tests::{Lock, Shared, model, together};
use super::{condition, lock};

/// A ball that two threads hit in turn, each under a lock and with a condition variable.
struct Game {
    shared: Arc<Lock<3>>,
    turned: AtomicUsize,
    timeout: Deadline,
}

impl Game {
    fn hit(&self, own: u64, times: u64, wake: fn(&Kernel<3>, &AtomicUsize)) {
        let Shared { kernel, word, pair } = &*self.shared;
        for _ in 0..times {
            lock::acquire_alone(kernel, word);
            while pair.look() % 2 != own {
                condition::sleep(kernel, &self.turned, self.timeout, || {
                    lock::release_alone(kernel, word).unwrap();
                });
                lock::acquire_alone(kernel, word);
            }
            pair.add();
            lock::release_alone(kernel, word).unwrap();
            wake(kernel, &self.turned);
        }
    }
}

fn play_game(interruptions: usize, timeout: Deadline, bodies: &'static [fn(&Game)], hits: u64) {
    model(interruptions, move || {
        let turned = AtomicUsize::new(0);
        turned.load(Ordering::Relaxed);
        let game = Arc::new(Game {
            shared: Lock::<3>::new(),
            turned,
            timeout,
        });
        together(&game, bodies);
        assert_eq!(game.turned.load(Ordering::Relaxed), 0, "nobody waits");
        assert_eq!(game.shared.pair.look(), hits);
    });
}

#[test]
fn a_condition_that_came_true_is_noticed() {
    play_game(
        3,
        Deadline::Never,
        &[
            |game| game.hit(0, 2, condition::wake),
            |game| game.hit(1, 2, condition::wake),
        ],
        4,
    );
}

#[test]
fn all_who_wait_for_a_condition_notice() {
    fn wait(game: &Game) {
        let Shared { kernel, word, pair } = &*game.shared;
        lock::acquire_share(kernel, word);
        while pair.look() == 0 {
            condition::sleep(kernel, &game.turned, game.timeout, || {
                lock::release_share(kernel, word).unwrap();
            });
            lock::acquire_share(kernel, word);
        }
        lock::release_share(kernel, word).unwrap();
    }
    play_game(
        2,
        Deadline::Never,
        &[wait, wait, |game| game.hit(0, 1, condition::wake_all)],
        1,
    );
}

/// Someone who waits for an address, or may not have to; and whoever wakes.
struct Signal {
    kernel: Kernel<3>,
    word: AtomicUsize,
    message: AtomicU64,
}

const KEY: Key = Key {
    address: 16,
    purpose: Purpose::Address,
};

impl Signal {
    fn new() -> Arc<Self> {
        let word = AtomicUsize::new(0);
        word.load(Ordering::Relaxed);
        Arc::new(Self {
            kernel: Kernel::new(1),
            word,
            message: AtomicU64::new(0),
        })
    }

    /// Waits once; says how it ended.
    fn wait(&self, deadline: Deadline) -> Outcome {
        let wait = Wait {
            deadline,
            ..Wait::new(KEY, 0)
        };
        let unset = || self.word.load(Ordering::Acquire) == 0;
        wait.park(&self.kernel, unset, || (), |_| ())
    }

    fn set_and_wake(&self) {
        self.message.store(1, Ordering::Relaxed);
        self.word.store(1, Ordering::Release);
        with_queue(&self.kernel, KEY, |queue| queue.wake_all(5));
    }
}

#[test]
fn whoever_waits_while_a_value_is_changed_goes_on() {
    model(4, || {
        let signal = Signal::new();
        together(
            &signal,
            &[Signal::set_and_wake, |signal| {
                let outcome = signal.wait(Deadline::Never);
                assert!(matches!(outcome, Outcome::Woken(5) | Outcome::Unneeded));
                assert_eq!(signal.message.load(Ordering::Relaxed), 1);
            }],
        );
    });
}

#[test]
fn a_wake_with_nothing_but_the_queue_orders_what_came_before() {
    // The message is stored without any order before the wake: the wait block's state and the queue's lock order it.
    model(4, || {
        let signal = Signal::new();
        together(
            &signal,
            &[
                |signal| {
                    signal.message.store(1, Ordering::Relaxed);
                    with_queue(&signal.kernel, KEY, |queue| match queue.first() {
                        Some(first) => queue.wake(first, 5),
                        None => signal.word.store(1, Ordering::Relaxed),
                    });
                },
                |signal| {
                    let unset = || signal.word.load(Ordering::Relaxed) == 0;
                    let outcome = Wait::new(KEY, 0).park(&signal.kernel, unset, || (), |_| ());
                    assert!(matches!(outcome, Outcome::Woken(5) | Outcome::Unneeded));
                    assert_eq!(signal.message.load(Ordering::Relaxed), 1);
                },
            ],
        );
    });
}

#[test]
fn who_spins_sees_what_was_done_before_it_was_woken() {
    model(4, || {
        let signal = Arc::new(Signal {
            kernel: Kernel::new(2),
            word: AtomicUsize::new(0),
            message: AtomicU64::new(0),
        });
        signal.word.load(Ordering::Relaxed);
        together(
            &signal,
            &[Signal::set_and_wake, |signal| {
                let wait = Wait {
                    spins: 2,
                    ..Wait::new(KEY, 0)
                };
                let unset = || signal.word.load(Ordering::Acquire) == 0;
                let outcome = wait.park(&signal.kernel, unset, || (), |_| ());
                assert!(matches!(outcome, Outcome::Woken(5) | Outcome::Unneeded));
                assert_eq!(signal.message.load(Ordering::Relaxed), 1);
            }],
        );
    });
}

#[test]
fn times_and_wakes_meet() {
    // Each of two has its time at once; whoever was woken says so, and no block is touched when its thread has gone.
    fn wait(signal: &Signal) {
        match signal.wait(Deadline::At(0)) {
            Outcome::Woken(5) | Outcome::Unneeded => {
                assert_eq!(signal.message.load(Ordering::Relaxed), 1);
            }
            outcome => assert_eq!(outcome, Outcome::TimedOut),
        }
    }
    model(4, || {
        together(&Signal::new(), &[Signal::set_and_wake, wait]);
    });
    // The check does not order anything here: what a thread sees, it sees because it was woken.
    model(4, || {
        together(
            &Signal::new(),
            &[Signal::set_and_wake, |signal| {
                let wait = Wait {
                    deadline: Deadline::At(0),
                    ..Wait::new(KEY, 0)
                };
                let outcome = wait.park(&signal.kernel, || true, || (), |_| ());
                if outcome != Outcome::TimedOut {
                    assert_eq!(outcome, Outcome::Woken(5));
                    assert_eq!(signal.message.load(Ordering::Relaxed), 1);
                }
            }],
        );
    });
    model(2, || {
        let signal = Signal::new();
        together(&signal, &[Signal::set_and_wake, wait, wait]);
        with_queue(&signal.kernel, KEY, |queue| assert!(queue.is_empty()));
    });
}

#[test]
fn a_condition_may_be_waited_for_in_small_steps() {
    play_game(
        2,
        Deadline::At(0),
        &[
            |game| game.hit(0, 1, condition::wake),
            |game| {
                // One look: with no limit of looks there would be no end of ways to play.
                let Shared { kernel, word, .. } = &*game.shared;
                lock::acquire_alone(kernel, word);
                condition::sleep(kernel, &game.turned, game.timeout, || {
                    lock::release_alone(kernel, word).unwrap();
                });
            },
        ],
        1,
    );
}
