//! Things by number: what a program has of a pool, a timer or a running callback.
//!
//! Windows hands out addresses, and whoever uses one too late reads memory that is another's. A number says which kind of
//! thing it is of, where it is and how often that place was used before, so that one that is used too late is mostly found
//! out. Programs cannot tell: to them the type is opaque.

use alloc::vec::Vec;

/// A number of a thing: its place, the place's age and the kind. Never 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Id(usize);

const KIND_BITS: u32 = 4;
const AGE_BITS: u32 = 8;
/// So many places fit into 32 bits.
const MOST: usize = 1 << 20;

impl Id {
    /// A number that a program has handed in.
    pub const fn new(number: usize) -> Self {
        Self(number)
    }

    /// The number that a program gets.
    pub const fn number(self) -> usize {
        self.0
    }

    const fn place(self) -> usize {
        (self.0 >> (KIND_BITS + AGE_BITS)).wrapping_sub(1)
    }
}

struct Slot<T> {
    id: Id,
    thing: Option<T>,
}

/// Things of one kind.
pub(super) struct Slab<T> {
    kind: usize,
    slots: Vec<Slot<T>>,
    free: Vec<usize>,
}

impl<T> Slab<T> {
    /// Nothing yet, of a kind from 1 to 15.
    pub(super) const fn new(kind: usize) -> Self {
        Self {
            kind,
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Keeps a thing; `None` if there is no memory.
    pub(super) fn insert(&mut self, thing: T) -> Option<Id> {
        if let Some(place) = self.free.pop() {
            let slot = &mut self.slots[place];
            slot.thing = Some(thing);
            return Some(slot.id);
        }
        let place = self.slots.len();
        if place + 1 >= MOST {
            return None;
        }
        self.slots.try_reserve(1).ok()?;
        // Whoever is in a slot can be removed without asking for memory.
        self.free.try_reserve(place + 1 - self.free.len()).ok()?;
        let id = Id(((place + 1) << (KIND_BITS + AGE_BITS)) | self.kind);
        self.slots.push(Slot {
            id,
            thing: Some(thing),
        });
        Some(id)
    }

    pub(super) fn get(&self, id: Id) -> Option<&T> {
        let slot = self.slots.get(id.place())?;
        slot.thing.as_ref().filter(|_| slot.id == id)
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        let slot = self.slots.get_mut(id.place())?;
        slot.thing.as_mut().filter(|_| slot.id == id)
    }

    /// Gives a thing up; its number is old from now on.
    pub(super) fn remove(&mut self, id: Id) -> Option<T> {
        let slot = self.slots.get_mut(id.place())?;
        if slot.id != id {
            return None;
        }
        let thing = slot.thing.take()?;
        let age = ((id.0 >> KIND_BITS) + 1) & ((1 << AGE_BITS) - 1);
        let rest = id.0 & !(((1 << AGE_BITS) - 1) << KIND_BITS);
        slot.id = Id(rest | (age << KIND_BITS));
        self.free.push(id.place());
        Some(thing)
    }

    /// All things, in the order of their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Id, &T)> {
        self.slots
            .iter()
            .filter_map(|slot| Some((slot.id, slot.thing.as_ref()?)))
    }

    /// All things, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (Id, &mut T)> {
        self.slots
            .iter_mut()
            .filter_map(|slot| Some((slot.id, slot.thing.as_mut()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_number_finds_nothing() {
        let mut slab = Slab::new(3);
        let a = slab.insert('a').unwrap();
        let b = slab.insert('b').unwrap();
        assert_eq!((slab.get(a), slab.get(b)), (Some(&'a'), Some(&'b')));
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!(slab.get(a), None);
        assert_eq!(slab.remove(a), None);
        let c = slab.insert('c').unwrap();
        assert_ne!(a, c);
        assert_eq!((slab.get(a), slab.get(c)), (None, Some(&'c')));
        assert_eq!(slab.iter().count(), 2);
        for number in [0, 1, a.number() ^ 1, usize::MAX, 0xDEAD_BEE0] {
            assert_eq!(slab.get(Id::new(number)), None, "{number:x}");
        }
    }

    #[test]
    fn other_kinds_numbers_find_nothing() {
        let mut pools = Slab::new(1);
        let mut works = Slab::new(2);
        let pool = pools.insert(()).unwrap();
        let work = works.insert(()).unwrap();
        assert_eq!((works.get(pool), pools.get(work)), (None, None));
    }
}
