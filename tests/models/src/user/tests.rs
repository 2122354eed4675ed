//! The tests: one at a time, what was done inside is seen, and every wait ends.
//!
//! That a wait ends needs no line of its own: `loom` fails where all threads wait.

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;
use loom::thread::spawn;

use super::atomic::{AtomicU32, AtomicUsize, Ordering};
use super::bucket::Bucket;
use super::kernel::Kernel;
use super::parking::Deadline;
use super::queue::{Key, Outcome, Purpose, Wait, with_queue};
use super::{condition, lock, section};

/// Plays a test for all orders in which threads are interrupted at most so many times where they would not wait anyway.
pub(super) fn model(interruptions: usize, test: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(interruptions);
    builder.max_branches = 100_000;
    builder.check(test);
}

/// Two words that are equal whenever nobody changes them.
pub(super) struct Pair([AtomicU64; 2]);

impl Pair {
    pub(super) fn new() -> Self {
        Self([AtomicU64::new(0), AtomicU64::new(0)])
    }

    pub(super) fn look(&self) -> u64 {
        let [left, right] = &self.0;
        let seen = left.load(Ordering::Relaxed);
        assert_eq!(seen, right.load(Ordering::Relaxed));
        seen
    }

    pub(super) fn add(&self) {
        let seen = self.look();
        for word in &self.0 {
            word.store(seen + 1, Ordering::Relaxed);
        }
    }
}

/// A process, a word of a lock, and what the lock protects.
struct Shared<W, const PATIENCE: usize> {
    kernel: Kernel<PATIENCE>,
    word: W,
    pair: Pair,
}

impl<const PATIENCE: usize> Shared<AtomicUsize, PATIENCE> {
    fn new() -> Arc<Self> {
        let word = AtomicUsize::new(0);
        word.load(Ordering::Relaxed);
        Arc::new(Self {
            kernel: Kernel::new(1),
            word,
            pair: Pair::new(),
        })
    }

    fn add_alone(&self) {
        lock::acquire_alone(&self.kernel, &self.word);
        self.pair.add();
        lock::release_alone(&self.kernel, &self.word).unwrap();
    }

    fn look_in_share(&self) {
        lock::acquire_share(&self.kernel, &self.word);
        self.pair.look();
        lock::release_share(&self.kernel, &self.word).unwrap();
    }

    fn add_and_share(&self) {
        lock::acquire_alone(&self.kernel, &self.word);
        self.pair.add();
        let mine = self.pair.look();
        lock::share(&self.kernel, &self.word).unwrap();
        assert_eq!(self.pair.look(), mine);
        lock::release_share(&self.kernel, &self.word).unwrap();
    }
}

impl<const PATIENCE: usize> Shared<AtomicU32, PATIENCE> {
    fn new() -> Arc<Self> {
        let word = AtomicU32::new(section::FREE);
        word.load(Ordering::Relaxed);
        Arc::new(Self {
            kernel: Kernel::new(1),
            word,
            pair: Pair::new(),
        })
    }

    fn enter(&self, timeout: Option<i64>) {
        if !section::try_enter(&self.word) {
            section::enter_contended(
                &self.kernel,
                &self.word,
                4,
                0,
                timeout,
                loom::thread::yield_now,
            );
        }
    }

    fn leave(&self) {
        if !section::leave(&self.word) {
            section::leave_contended(&self.kernel, &self.word, 4);
        }
    }

    fn add_inside(&self) {
        self.enter(None);
        self.pair.add();
        self.leave();
    }
}

/// Runs bodies at once, the last one in the test's own thread.
pub(super) fn together<T: Send + Sync + 'static>(shared: &Arc<T>, bodies: &[fn(&T)]) {
    let (last, others) = bodies.split_last().unwrap();
    let others: Vec<_> = others
        .iter()
        .map(|&body| {
            let shared = Arc::clone(shared);
            spawn(move || body(&shared))
        })
        .collect();
    last(shared);
    for other in others {
        other.join().unwrap();
    }
}

/// The bodies leave a lock that is free and that the given number of additions was done under.
fn play_lock<const PATIENCE: usize>(
    interruptions: usize,
    added: u64,
    bodies: &'static [fn(&Shared<AtomicUsize, PATIENCE>)],
) {
    model(interruptions, move || {
        let shared = Shared::<AtomicUsize, PATIENCE>::new();
        together(&shared, bodies);
        assert_eq!(shared.word.load(Ordering::Relaxed), 0);
        assert_eq!(shared.pair.look(), added);
    });
}

fn play_section<const PATIENCE: usize>(
    interruptions: usize,
    added: u64,
    bodies: &'static [fn(&Shared<AtomicU32, PATIENCE>)],
) {
    model(interruptions, move || {
        let shared = Shared::<AtomicU32, PATIENCE>::new();
        together(&shared, bodies);
        assert_eq!(shared.word.load(Ordering::Relaxed), section::FREE);
        assert_eq!(shared.pair.look(), added);
    });
}

/// A bucket's lock with what it protects.
struct Locked {
    kernel: Kernel<0>,
    bucket: Bucket,
    pair: Pair,
}

impl Locked {
    fn add(&self) {
        self.bucket.lock(&self.kernel);
        self.pair.add();
        self.bucket.unlock(&self.kernel);
    }
}

fn play_bucket(interruptions: usize, bodies: &'static [fn(&Locked)], added: u64) {
    model(interruptions, move || {
        let shared = Arc::new(Locked {
            kernel: Kernel::new(1),
            bucket: Bucket::new(),
            pair: Pair::new(),
        });
        shared.bucket.forget();
        together(&shared, bodies);
        assert_eq!(shared.pair.look(), added);
    });
}

#[test]
fn a_bucket_is_held_by_one() {
    play_bucket(3, &[Locked::add, Locked::add], 2);
}

#[test]
fn a_bucket_is_held_by_one_again_and_again() {
    fn twice(shared: &Locked) {
        shared.add();
        shared.add();
    }
    play_bucket(3, &[twice, twice], 4);
}

#[test]
fn a_bucket_with_several_waiters_forgets_none() {
    play_bucket(2, &[Locked::add, Locked::add, Locked::add], 3);
}

type Section<const PATIENCE: usize> = Shared<AtomicU32, PATIENCE>;
type Lock<const PATIENCE: usize> = Shared<AtomicUsize, PATIENCE>;

#[test]
fn who_comes_between_sees_what_was_done() {
    // Two wait, and as the holder frees the lock a fourth takes it before the one that is woken.
    play_bucket(2, &[Locked::add, Locked::add, Locked::add, Locked::add], 4);
}

#[test]
fn a_section_is_held_by_one() {
    play_section::<3>(4, 2, &[Section::add_inside, Section::add_inside]);
}

#[test]
fn a_section_is_held_by_one_again_and_again() {
    fn thrice<const PATIENCE: usize>(shared: &Section<PATIENCE>) {
        for _ in 0..3 {
            shared.add_inside();
        }
    }
    play_section::<3>(3, 6, &[thrice, thrice]);
    play_section::<1>(3, 6, &[thrice, thrice]);
    play_section::<0>(3, 6, &[thrice, thrice]);
}

#[test]
fn a_section_with_several_waiters_forgets_none() {
    play_section::<3>(
        2,
        3,
        &[
            Section::add_inside,
            Section::add_inside,
            Section::add_inside,
        ],
    );
    play_section::<0>(
        2,
        3,
        &[
            Section::add_inside,
            Section::add_inside,
            Section::add_inside,
        ],
    );
}

#[test]
fn a_wait_for_a_section_may_be_overdue() {
    // The wait is over as soon as it begins, so the word alone keeps what is right.
    fn impatient(shared: &Section<1>) {
        shared.enter(Some(-1));
        shared.pair.add();
        shared.leave();
    }
    play_section::<1>(2, 2, &[impatient, Section::add_inside]);
    play_section::<1>(2, 3, &[impatient, Section::add_inside, Section::add_inside]);
}

#[test]
fn a_lock_is_held_alone_by_one() {
    play_lock::<3>(4, 2, &[Lock::add_alone, Lock::add_alone]);
}

#[test]
fn a_lock_is_held_alone_by_one_again_and_again() {
    fn thrice<const PATIENCE: usize>(shared: &Lock<PATIENCE>) {
        for _ in 0..3 {
            shared.add_alone();
        }
    }
    play_lock::<3>(3, 6, &[thrice, thrice]);
    play_lock::<1>(3, 6, &[thrice, thrice]);
    play_lock::<0>(3, 6, &[thrice, thrice]);
}

#[test]
fn a_lock_with_several_waiters_forgets_none() {
    play_lock::<3>(2, 3, &[Lock::add_alone, Lock::add_alone, Lock::add_alone]);
    play_lock::<0>(2, 3, &[Lock::add_alone, Lock::add_alone, Lock::add_alone]);
}

#[test]
fn sharers_see_all_or_nothing() {
    play_lock::<3>(4, 1, &[Lock::add_alone, Lock::look_in_share]);
    play_lock::<3>(
        2,
        1,
        &[Lock::add_alone, Lock::look_in_share, Lock::look_in_share],
    );
    play_lock::<0>(
        2,
        1,
        &[Lock::add_alone, Lock::look_in_share, Lock::look_in_share],
    );
    play_lock::<3>(
        2,
        2,
        &[Lock::add_alone, Lock::look_in_share, Lock::add_alone],
    );
    play_lock::<0>(
        2,
        2,
        &[Lock::add_alone, Lock::look_in_share, Lock::add_alone],
    );
}

#[test]
fn who_shares_what_it_held_alone_lets_sharers_in() {
    play_lock::<3>(3, 2, &[Lock::add_and_share, Lock::add_alone]);
    play_lock::<3>(
        2,
        1,
        &[
            Lock::add_and_share,
            Lock::look_in_share,
            Lock::look_in_share,
        ],
    );
    play_lock::<0>(
        2,
        2,
        &[Lock::add_and_share, Lock::look_in_share, Lock::add_alone],
    );
}

#[test]
fn what_sharers_did_is_seen_by_who_has_it_alone_next() {
    // Each sharer writes a word of its own; who has the lock alone sees the word of each sharer that was before it.
    struct Sharers {
        shared: Arc<Lock<0>>,
        done: [AtomicU64; 2],
        marks: [AtomicU64; 2],
    }
    fn write(sharers: &Sharers, own: usize) {
        let Shared { kernel, word, .. } = &*sharers.shared;
        lock::acquire_share(kernel, word);
        sharers.done[own].store(1, Ordering::Relaxed);
        sharers.marks[own].fetch_add(1, Ordering::Relaxed);
        lock::release_share(kernel, word).unwrap();
    }
    model(2, || {
        let sharers = Arc::new(Sharers {
            shared: Lock::<0>::new(),
            done: [AtomicU64::new(0), AtomicU64::new(0)],
            marks: [AtomicU64::new(0), AtomicU64::new(0)],
        });
        together(
            &sharers,
            &[
                |sharers| write(sharers, 0),
                |sharers| write(sharers, 1),
                |sharers| {
                    let Shared { kernel, word, .. } = &*sharers.shared;
                    lock::acquire_alone(kernel, word);
                    for own in 0..2 {
                        // A read-modify-write sees the newest value whatever the order, so it says who was before.
                        let was_here = sharers.marks[own].fetch_add(0, Ordering::Relaxed);
                        assert_eq!(sharers.done[own].load(Ordering::Relaxed), was_here);
                    }
                    lock::release_alone(kernel, word).unwrap();
                },
            ],
        );
    });
}

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
