//! Interlocked lists.

use std::boxed::Box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::vec::Vec;

use c_interface::Ptr;
use nt_abi::native::SListHeader;

use super::host::{Host, ROUNDS, THREADS, in_threads};
use crate::slist::*;

#[derive(Default)]
#[repr(C, align(16))]
struct Entry {
    link: SListEntry,
    /// How many threads have it: one, or the list.
    owners: AtomicU64,
    value: AtomicU64,
}

#[derive(Default)]
#[repr(align(16))]
struct Head(SListHeader);

fn at(entry: &Entry) -> Ptr<SListEntry> {
    Ptr::of_shared(entry).cast()
}

#[test]
fn last_in_is_first_out() {
    let host = Host::new(2);
    let mut head = Head::default();
    let list = Ptr::of(&mut head.0);
    initialize(list);
    let entries: [Entry; 5] = Default::default();
    let [a, b, c, d, e] = entries.each_ref().map(at);
    assert!(pop(&host, list).is_null() && first(list).is_null() && flush(&host, list).is_null());
    assert!(push(list, a).is_null());
    assert_eq!((push(list, b), first(list), depth(list)), (a, b, 2));
    let depth_at = if usize::BITS == 64 { 0 } else { 32 };
    assert_eq!(
        (list.read().alignment >> depth_at) & 0xFFFF,
        2,
        "the depth is where Windows has it"
    );
    assert_eq!(
        b.read(),
        a.address(),
        "an entry begins with the next one's address"
    );
    // Three that are linked already, as one.
    c.write(d.address());
    d.write(e.address());
    assert_eq!((push_list(list, c, e, 3), depth(list)), (b, 5));
    for (wanted, left) in [(c, 4), (d, 3), (e, 2)] {
        assert_eq!((pop(&host, list), depth(list)), (wanted, left));
    }
    assert_eq!((flush(&host, list), depth(list)), (b, 0));
    assert_eq!(
        (b.read(), a.read()),
        (a.address(), 0),
        "what was flushed is linked still"
    );
    assert!(pop(&host, list).is_null());
    assert_eq!(list.read(), SListHeader::default());
    assert_eq!(host.calls(), 0);
}

#[test]
fn addresses_of_all_user_memory_fit() {
    let mut head = Head::default();
    let list = Ptr::of(&mut head.0);
    let word = AtomicU64::new(0);
    // The end of user memory: of 47 bits, or of nearly all of 32.
    let end = if usize::BITS == 64 { 1 << 47 } else { 1 << 32 } - 0x10u64;
    for address in [0x10, end, end & 0x2345_6789_ABCD_EFF0] {
        let address = usize::try_from(address).unwrap();
        let link = std::sync::atomic::AtomicUsize::new(1);
        crate::words::slist::push(&word, address, &link, u16::MAX);
        let seen = word.load(Ordering::Relaxed);
        assert_eq!(crate::words::slist::first(seen), address);
    }
    assert_eq!(
        crate::words::slist::depth(word.load(Ordering::Relaxed)),
        u16::MAX - 2
    );
    assert_eq!(depth(list), 0);
}

/// Entries that threads hand round: none is ever owned twice, none is lost. Few entries and many rounds, so that entries
/// come back while others look.
fn hand_round(processors: u32) {
    const ENTRIES: usize = 6;
    let host = Host::new(processors);
    let head = Head::default();
    let list = Ptr::of_shared(&head.0);
    let entries: Vec<Box<Entry>> = (0..ENTRIES).map(|_| Box::default()).collect();
    for entry in &entries {
        push(list, at(entry));
    }
    let find = |ptr: Ptr<SListEntry>| {
        entries
            .iter()
            .find(|entry| at(entry) == ptr)
            .expect("an entry of the list")
    };
    let take = |entry: &Entry| {
        assert_eq!(
            entry.owners.fetch_add(1, Ordering::Relaxed),
            0,
            "somebody has it"
        );
        let value = entry.value.load(Ordering::Relaxed);
        entry.value.store(value + 1, Ordering::Relaxed);
    };
    let give = |entry: &Entry| assert_eq!(entry.owners.fetch_sub(1, Ordering::Relaxed), 1);
    let taken: u64 = in_threads(THREADS, |index| {
        let mut taken = 0;
        for round in 0..ROUNDS {
            if index == 0 && round % 64 == 0 {
                // All of them, and back as one.
                let all = flush(&host, list);
                let (mut last, mut count, mut next) = (all, 0, all);
                while !next.is_null() {
                    take(find(next));
                    give(find(next));
                    (last, count, taken) = (next, count + 1, taken + 1);
                    next = Ptr::new(next.read());
                }
                if count != 0 {
                    push_list(list, all, last, count);
                }
                continue;
            }
            // Two at once, back in the other order: the classic way to make the first one the same with another second one.
            let mine = [pop(&host, list), pop(&host, list)];
            for ptr in mine.iter().filter(|ptr| !ptr.is_null()) {
                take(find(*ptr));
                taken += 1;
            }
            for ptr in mine.iter().filter(|ptr| !ptr.is_null()) {
                give(find(*ptr));
                push(list, *ptr);
            }
        }
        taken
    })
    .into_iter()
    .sum();
    assert_eq!(usize::from(depth(list)), ENTRIES);
    let mut seen = 0;
    while let Some(ptr) = pop(&host, list).non_null() {
        take(find(ptr));
        seen += 1;
    }
    assert_eq!(seen, ENTRIES);
    let values: u64 = entries
        .iter()
        .map(|entry| entry.value.load(Ordering::Relaxed))
        .sum();
    assert_eq!(
        values,
        taken + ENTRIES as u64,
        "who had an entry saw what was done to it before"
    );
}

#[test]
fn none_is_lost_or_owned_twice() {
    hand_round(2);
}

#[test]
fn none_is_lost_or_owned_twice_without_spinning() {
    hand_round(1);
}
