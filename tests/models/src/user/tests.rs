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
use super::{lock, section};

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
pub(super) struct Shared<W, const PATIENCE: usize> {
    pub(super) kernel: Kernel<PATIENCE>,
    pub(super) word: W,
    pub(super) pair: Pair,
}

impl<const PATIENCE: usize> Shared<AtomicUsize, PATIENCE> {
    pub(super) fn new() -> Arc<Self> {
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
pub(super) type Lock<const PATIENCE: usize> = Shared<AtomicUsize, PATIENCE>;

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
