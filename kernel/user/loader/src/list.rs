//! Doubly linked lists as NT has them: links inside of the things that are linked, a head that is linked like them.

use c_interface::{Ptr, field};
use nt_abi::native::ListEntry;

/// Makes a head an empty list.
pub(crate) fn initialize(head: Ptr<ListEntry>) {
    head.write(ListEntry {
        flink: head.raw(),
        blink: head.raw(),
    });
}

/// The entry after one; the head, after the last.
#[inline]
pub(crate) fn next(entry: Ptr<ListEntry>) -> Ptr<ListEntry> {
    Ptr::at(field!(entry, ListEntry, flink).read())
}

/// The entry before one; the head, before the first.
#[inline]
pub(crate) fn previous(entry: Ptr<ListEntry>) -> Ptr<ListEntry> {
    Ptr::at(field!(entry, ListEntry, blink).read())
}

/// Links an entry at the end.
pub(crate) fn insert_tail(head: Ptr<ListEntry>, entry: Ptr<ListEntry>) {
    let last = previous(head);
    // The entry first: whoever walks the list without a lock finds it whole or not at all.
    entry.write(ListEntry {
        flink: head.raw(),
        blink: last.raw(),
    });
    field!(last, ListEntry, flink).write(entry.raw());
    field!(head, ListEntry, blink).write(entry.raw());
}

/// Unlinks an entry, which then is a list of its own; nothing happens to one that was never linked.
pub(crate) fn remove(entry: Ptr<ListEntry>) {
    let links = entry.read();
    if links.flink == 0 {
        return;
    }
    field!(Ptr::at(links.blink), ListEntry, flink).write(links.flink);
    field!(Ptr::at(links.flink), ListEntry, blink).write(links.blink);
    initialize(entry);
}

/// The entries of a list, first to last. Each is left before it is given out, so it may be unlinked.
pub(crate) fn entries(head: Ptr<ListEntry>) -> impl Iterator<Item = Ptr<ListEntry>> {
    let mut at = if head.read().flink == 0 {
        head
    } else {
        next(head)
    };
    core::iter::from_fn(move || {
        let entry = at;
        (entry != head).then(|| {
            at = next(entry);
            entry
        })
    })
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    #[test]
    fn entries_come_in_order_and_go() {
        let mut room = [ListEntry::default(); 4];
        let head = Ptr::of(&mut room[0]);
        let [first, second, third] = [head.add(1), head.add(2), head.add(3)];
        assert_eq!(entries(head).count(), 0, "a head of zeros is empty");
        initialize(head);
        assert_eq!(entries(head).count(), 0);
        for entry in [first, second, third] {
            insert_tail(head, entry);
        }
        remove(second);
        remove(second);
        let left: Vec<_> = entries(head).collect();
        assert_eq!(left, [first, third]);
        assert_eq!((previous(head), previous(first)), (third, head));
        entries(head).for_each(remove);
        assert_eq!(next(head), head);
    }
}
