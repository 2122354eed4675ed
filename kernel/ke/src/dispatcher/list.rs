//! Lists through things that live for good, guarded by the dispatcher database.
//!
//! A list is doubly linked through links inside its items, so nothing is
//! allocated and an item leaves in a few stores. A thing may be in several lists at
//! once by links of different kinds; the kind is a type, so that a ready queue
//! cannot be walked by the links of a wait list.

use core::marker::PhantomData;

use arch::AtomicRef;

use super::Database;

/// Something that can be in a list of kind `K`.
pub(crate) trait Linked<K>: Sync + Sized + 'static {
    fn links(&self) -> &Links<Self>;
}

/// An item's links.
pub(crate) struct Links<T: 'static> {
    next: AtomicRef<T>,
    previous: AtomicRef<T>,
}

impl<T: Sync> Links<T> {
    pub(crate) const fn new() -> Self {
        Self {
            next: AtomicRef::none(),
            previous: AtomicRef::none(),
        }
    }
}

/// A list of kind `K`.
pub(crate) struct List<T: 'static, K> {
    first: AtomicRef<T>,
    last: AtomicRef<T>,
    _kind: PhantomData<fn() -> K>,
}

impl<T: Linked<K>, K> List<T, K> {
    pub(crate) const fn new() -> Self {
        Self {
            first: AtomicRef::none(),
            last: AtomicRef::none(),
            _kind: PhantomData,
        }
    }

    /// Forgets what an earlier test left.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn forget(&self) {
        self.first.set(None);
        self.last.set(None);
    }

    #[inline]
    pub(crate) fn first(&self, _database: &Database) -> Option<&'static T> {
        self.first.get()
    }

    #[inline]
    pub(crate) fn is_empty(&self, _database: &Database) -> bool {
        self.first.get().is_none()
    }

    /// Whether it is empty at this moment.
    #[inline]
    pub(crate) fn glance_is_empty(&self) -> bool {
        self.first.get().is_none()
    }

    /// The item behind `item`, which is in this list.
    #[inline]
    pub(crate) fn next(&self, _database: &Database, item: &'static T) -> Option<&'static T> {
        item.links().next.get()
    }

    pub(crate) fn push_back(&self, _database: &Database, item: &'static T) {
        let last = self.last.replace(Some(item));
        item.links().previous.set(last);
        item.links().next.set(None);
        match last {
            Some(last) => last.links().next.set(Some(item)),
            None => self.first.set(Some(item)),
        }
    }

    pub(crate) fn push_front(&self, _database: &Database, item: &'static T) {
        let first = self.first.replace(Some(item));
        item.links().next.set(first);
        item.links().previous.set(None);
        match first {
            Some(first) => first.links().previous.set(Some(item)),
            None => self.last.set(Some(item)),
        }
    }

    /// Puts an item behind one that is in this list.
    pub(crate) fn insert_behind(&self, database: &Database, earlier: &'static T, item: &'static T) {
        let Some(next) = self.next(database, earlier) else {
            return self.push_back(database, item);
        };
        item.links().previous.set(Some(earlier));
        item.links().next.set(Some(next));
        earlier.links().next.set(Some(item));
        next.links().previous.set(Some(item));
    }

    /// Takes an item out that is in this list.
    pub(crate) fn remove(&self, _database: &Database, item: &'static T) {
        let next = item.links().next.replace(None);
        let previous = item.links().previous.replace(None);
        match previous {
            Some(previous) => previous.links().next.set(next),
            None => self.first.set(next),
        }
        match next {
            Some(next) => next.links().previous.set(previous),
            None => self.last.set(previous),
        }
    }

    pub(crate) fn pop_front(&self, database: &Database) -> Option<&'static T> {
        let first = self.first.get()?;
        self.remove(database, first);
        Some(first)
    }
}
