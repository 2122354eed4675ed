//! The tests of what is no lock: once, barriers, lists.

use loom::sync::Arc;
use loom::sync::atomic::AtomicU64 as Plain;

use super::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use super::barrier::Words;
use super::kernel::Kernel;
use super::once::{self, Begun, Mode, NotCompleted};
use super::slist;
use super::tests::{Pair, model, together};

struct Once {
    kernel: Kernel<3>,
    word: AtomicUsize,
    pair: Pair,
    failures: u64,
}

impl Once {
    /// Does it unless it is done: adds one to the pair, each time that it fails and when it succeeds.
    fn one(&self) {
        loop {
            match once::begin(&self.kernel, &self.word, Mode::One) {
                Begun::Done(result) => {
                    assert_eq!((result, self.pair.look()), (8, self.failures + 1));
                    return;
                }
                begun => assert_eq!(begun, Begun::Yours),
            }
            let result = (self.pair.look() == self.failures).then_some(8);
            self.pair.add();
            once::complete(&self.kernel, &self.word, Mode::One, result).unwrap();
        }
    }
}

fn play_once(interruptions: usize, failures: u64, bodies: &'static [fn(&Once)]) {
    model(interruptions, move || {
        let word = AtomicUsize::new(0);
        word.load(Ordering::Relaxed);
        let shared = Arc::new(Once {
            kernel: Kernel::new(1),
            word,
            pair: Pair::new(),
            failures,
        });
        together(&shared, bodies);
        assert_eq!(once::look(&shared.word), Some(8));
        assert_eq!(shared.pair.look(), failures + 1);
    });
}

#[test]
fn it_is_done_once_and_seen() {
    play_once(4, 0, &[Once::one, Once::one]);
    play_once(2, 0, &[Once::one, Once::one, Once::one]);
}

#[test]
fn what_was_begun_in_vain_is_seen_by_the_next() {
    play_once(3, 1, &[Once::one, Once::one]);
    play_once(1, 1, &[Once::one, Once::one, Once::one]);
}

#[test]
fn a_look_sees_what_was_done() {
    play_once(
        4,
        0,
        &[Once::one, |shared| {
            if once::look(&shared.word).is_some() {
                assert_eq!(shared.pair.look(), 1);
            }
        }],
    );
}

#[test]
fn one_of_several_is_first() {
    struct Race {
        kernel: Kernel<3>,
        word: AtomicUsize,
        won: Plain,
        what: [Plain; 2],
    }
    fn run(race: &Race, own: usize) {
        let result = match once::begin(&race.kernel, &race.word, Mode::Several) {
            Begun::Done(result) => result,
            begun => {
                assert_eq!(begun, Begun::Yours);
                race.what[own].store(7, Ordering::Relaxed);
                let ended =
                    once::complete(&race.kernel, &race.word, Mode::Several, Some((own + 1) * 4));
                match ended {
                    Ok(()) => {
                        race.won.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(why) => assert_ne!(why, NotCompleted::OtherMode),
                }
                once::look(&race.word).unwrap()
            }
        };
        assert_eq!(race.what[result / 4 - 1].load(Ordering::Relaxed), 7);
    }
    model(4, || {
        let word = AtomicUsize::new(0);
        word.load(Ordering::Relaxed);
        let race = Arc::new(Race {
            kernel: Kernel::new(1),
            word,
            won: Plain::new(0),
            what: [Plain::new(0), Plain::new(0)],
        });
        together(&race, &[|race| run(race, 0), |race| run(race, 1)]);
        assert_eq!(race.won.load(Ordering::Relaxed), 1);
    });
}

/// What the memory of a barrier has when it is none any more.
const GONE: u32 = 0xDDDD_DDDD;

/// A barrier, and what each thread did before it came.
struct Place {
    kernel: Kernel<3>,
    arrivals: AtomicU32,
    inside: AtomicU32,
    done: [Plain; 3],
    last: Plain,
    total: u32,
    spins: u32,
}

impl Place {
    fn meet(&self, own: usize, round: u64, may_be_deleted: bool) -> bool {
        self.done[own].store(round, Ordering::Relaxed);
        let words = Words {
            total: self.total,
            arrivals: &self.arrivals,
            inside: &self.inside,
        };
        let last = words.meet(&self.kernel, self.spins, may_be_deleted);
        for done in &self.done[..self.total as usize] {
            assert!(
                done.load(Ordering::Relaxed) >= round,
                "it was not waited for"
            );
        }
        if last {
            self.last.fetch_add(1, Ordering::Relaxed);
        }
        last
    }
}

fn play_barrier(interruptions: usize, spins: u32, rounds: u64, bodies: &'static [fn(&Place)]) {
    model(interruptions, move || {
        let (arrivals, inside) = (AtomicU32::new(0), AtomicU32::new(0));
        arrivals.load(Ordering::Relaxed);
        inside.load(Ordering::Relaxed);
        let place = Arc::new(Place {
            kernel: Kernel::new(1),
            arrivals,
            inside,
            done: [Plain::new(0), Plain::new(0), Plain::new(0)],
            last: Plain::new(0),
            total: u32::try_from(bodies.len()).unwrap(),
            spins,
        });
        together(&place, bodies);
        assert_eq!(place.last.load(Ordering::Relaxed), rounds);
        let end = [&place.arrivals, &place.inside].map(|word| word.load(Ordering::Relaxed));
        assert!(end[1] == 0 || end == [GONE; 2], "{end:x?}");
    });
}

#[test]
fn threads_meet_again_and_again() {
    fn rounds(place: &Place, own: usize, count: u64) {
        for round in 1..=count {
            place.meet(own, round, false);
        }
    }
    play_barrier(
        2,
        1,
        1,
        &[|place| rounds(place, 0, 1), |place| rounds(place, 1, 1)],
    );
    play_barrier(
        3,
        0,
        3,
        &[|place| rounds(place, 0, 3), |place| rounds(place, 1, 3)],
    );
    play_barrier(
        1,
        0,
        2,
        &[
            |place| rounds(place, 0, 2),
            |place| rounds(place, 1, 2),
            |place| rounds(place, 2, 2),
        ],
    );
}

#[test]
fn a_barrier_is_deleted_when_all_have_left() {
    fn meet(place: &Place, own: usize) {
        if place.meet(own, 1, true) {
            let words = Words {
                total: place.total,
                arrivals: &place.arrivals,
                inside: &place.inside,
            };
            words.end(&place.kernel);
            // The memory is another's now; whoever changed it later would be found at the end.
            place.arrivals.store(GONE, Ordering::Relaxed);
            place.inside.store(GONE, Ordering::Relaxed);
        }
    }
    play_barrier(3, 0, 1, &[|place| meet(place, 0), |place| meet(place, 1)]);
    play_barrier(
        2,
        0,
        1,
        &[
            |place| meet(place, 0),
            |place| meet(place, 1),
            |place| meet(place, 2),
        ],
    );
}

/// A list of entries, each with a link, a count of owners and contents.
struct List {
    kernel: Kernel<3>,
    word: AtomicU64,
    links: [AtomicUsize; 3],
    owners: [Plain; 3],
    contents: [Plain; 3],
}

impl List {
    fn new(entries: usize) -> Arc<Self> {
        let list = Self {
            kernel: Kernel::new(1),
            word: AtomicU64::new(0),
            links: [const { AtomicUsize::new(0) }; 3],
            owners: [Plain::new(0), Plain::new(0), Plain::new(0)],
            contents: [Plain::new(0), Plain::new(0), Plain::new(0)],
        };
        for link in &list.links {
            link.load(Ordering::Relaxed);
        }
        for entry in 0..entries {
            list.owners[entry].store(1, Ordering::Relaxed);
            list.push(entry);
        }
        Arc::new(list)
    }

    fn push(&self, entry: usize) {
        self.contents[entry].fetch_add(1, Ordering::Relaxed);
        assert_eq!(self.owners[entry].fetch_sub(1, Ordering::Relaxed), 1);
        slist::push(&self.word, (entry + 1) * 16, &self.links[entry], 1);
    }

    fn pop(&self) -> Option<usize> {
        let address = slist::pop(&self.kernel, &self.word, |entry| {
            &self.links[entry / 16 - 1]
        });
        let entry = (address / 16).checked_sub(1)?;
        self.take(entry);
        Some(entry)
    }

    fn take(&self, entry: usize) {
        assert_eq!(
            self.owners[entry].fetch_add(1, Ordering::Relaxed),
            0,
            "an entry is owned twice"
        );
        // A plain store after a plain load: what the one before did must be seen.
        let seen = self.contents[entry].load(Ordering::Relaxed);
        self.contents[entry].store(seen + 1, Ordering::Relaxed);
    }

    /// The classic: two off, the first one back on.
    fn two_off_one_on(&self) {
        let Some(first) = self.pop() else { return };
        let second = self.pop();
        self.push(first);
        if let Some(second) = second {
            self.push(second);
        }
    }

    fn one_off(&self) {
        if let Some(entry) = self.pop() {
            self.push(entry);
        }
    }

    fn all_off(&self) {
        let mut address = slist::flush(&self.kernel, &self.word);
        while address != 0 {
            let entry = address / 16 - 1;
            address = self.links[entry].load(Ordering::Relaxed);
            self.take(entry);
            self.push(entry);
        }
    }
}

fn play_list(interruptions: usize, entries: usize, bodies: &'static [fn(&List)]) {
    model(interruptions, move || {
        let list = List::new(entries);
        together(&list, bodies);
        let word = list.word.load(Ordering::Relaxed);
        assert_eq!(usize::from(slist::depth(word)), entries);
        let mut found = 0;
        while list.pop().is_some() {
            found += 1;
        }
        assert_eq!(found, entries, "an entry is lost");
        for (owners, contents) in list.owners.iter().zip(&list.contents).take(entries) {
            assert_eq!(owners.load(Ordering::Relaxed), 1);
            // Each time off and each time on, and first on and last off.
            assert_eq!(contents.load(Ordering::Relaxed) % 2, 0);
        }
    });
}

#[test]
fn an_entry_that_comes_back_confuses_nobody() {
    play_list(4, 2, &[List::two_off_one_on, List::one_off]);
    play_list(3, 3, &[List::two_off_one_on, List::two_off_one_on]);
}

#[test]
fn several_take_off_and_put_on() {
    play_list(2, 1, &[List::one_off, List::one_off, List::one_off]);
    play_list(1, 2, &[List::two_off_one_on, List::one_off, List::all_off]);
}

#[test]
fn all_are_taken_off_at_once() {
    play_list(4, 2, &[List::all_off, List::two_off_one_on]);
    play_list(3, 2, &[List::all_off, List::all_off]);
}
