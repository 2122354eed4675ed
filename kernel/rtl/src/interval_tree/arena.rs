//! Where a tree keeps its nodes: one vector, with a list through the places that are free.
//!
//! Nodes name each other by their place, so a tree needs neither pointers nor an allocation for each node, and may
//! move as a whole. A place keeps its number until its node is removed; then the next node gets it.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use crate::NoMemory;

/// A range's place in its tree: good from the insertion to the removal. The tree that made it may then give the same
/// index to another range; in another tree it means nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Index(NonZeroU32);

impl Index {
    /// The most places that can be told apart.
    const MOST: usize = u32::MAX as usize;

    fn from_place(place: usize) -> Option<Self> {
        let number = u32::try_from(place).ok()?.checked_add(1)?;
        NonZeroU32::new(number).map(Self)
    }

    #[inline(always)]
    fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

enum Slot<N> {
    Free { next: Option<Index> },
    Used(N),
}

/// Nodes, each at the index that it got when it came.
pub(super) struct Arena<N> {
    slots: Vec<Slot<N>>,
    free: Option<Index>,
    used: usize,
    limit: usize,
}

impl<N> Arena<N> {
    pub(super) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: None,
            used: 0,
            limit: Index::MOST,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// Beyond `limit` nodes no more are taken.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit.min(Index::MOST);
    }

    /// Makes sure that the next `additional` nodes are taken.
    pub(super) fn reserve(&mut self, additional: usize) -> Result<(), NoMemory> {
        let wanted = self.used.checked_add(additional).ok_or(NoMemory)?;
        if wanted > self.limit {
            return Err(NoMemory);
        }
        let free = self.slots.len() - self.used;
        Ok(self.slots.try_reserve(additional.saturating_sub(free))?)
    }

    /// The index that the next node will have, for which there is room from now on.
    #[inline]
    pub(super) fn next_index(&mut self) -> Result<Index, NoMemory> {
        match self.free {
            // It is the list's first, so it is there.
            Some(index) if self.used < self.limit => Ok(index),
            _ => {
                self.reserve(1)?;
                Index::from_place(self.slots.len()).ok_or(NoMemory)
            }
        }
    }

    /// Takes a node at the index that [`next_index`](Self::next_index) has just given: there is nothing left that could
    /// refuse it, so that it is written where it belongs and not moved about.
    #[inline]
    pub(super) fn fill(&mut self, index: Index, node: N) {
        match self.slots.get_mut(index.place()) {
            Some(slot) => {
                if let Slot::Free { next } = *slot {
                    self.free = next;
                }
                *slot = Slot::Used(node);
            }
            None => self.slots.push(Slot::Used(node)),
        }
        self.used += 1;
    }

    #[inline]
    pub(super) fn remove(&mut self, index: Index) -> Option<N> {
        let slot = self.slots.get_mut(index.place())?;
        if matches!(slot, Slot::Free { .. }) {
            return None;
        }
        let Slot::Used(node) = core::mem::replace(slot, Slot::Free { next: self.free }) else {
            return None;
        };
        self.free = Some(index);
        self.used -= 1;
        Some(node)
    }

    /// [`remove`](Self::remove) of a node that nobody wants.
    #[inline]
    pub(super) fn discard(&mut self, index: Index) {
        if let Some(slot) = self.slots.get_mut(index.place())
            && matches!(slot, Slot::Used(_))
        {
            *slot = Slot::Free { next: self.free };
            self.free = Some(index);
            self.used -= 1;
        }
    }

    #[inline(always)]
    pub(super) fn get(&self, index: Index) -> Option<&N> {
        match self.slots.get(index.place())? {
            Slot::Used(node) => Some(node),
            Slot::Free { .. } => None,
        }
    }

    #[inline(always)]
    pub(super) fn get_mut(&mut self, index: Index) -> Option<&mut N> {
        match self.slots.get_mut(index.place())? {
            Slot::Used(node) => Some(node),
            Slot::Free { .. } => None,
        }
    }

    /// Whether the list of free places has all of them, once.
    pub(super) fn free_list_is_whole(&self) -> bool {
        let free = self.slots.len() - self.used;
        let listed =
            core::iter::successors(self.free, |index| match self.slots.get(index.place()) {
                Some(Slot::Free { next }) => *next,
                _ => None,
            });
        listed
            .take(free + 1)
            .filter(|index| self.get(*index).is_none())
            .count()
            == free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(arena: &mut Arena<i32>, node: i32) {
        let index = arena.next_index().expect("memory");
        arena.fill(index, node);
    }

    /// A vector that must grow to take an element ends the kernel if it cannot: the room is there before.
    #[test]
    fn what_is_reserved_needs_no_more_memory() {
        let mut arena = Arena::new();
        for number in 0..1000 {
            arena.reserve(1).expect("memory");
            let room = arena.slots.capacity();
            insert(&mut arena, number);
            assert_eq!(arena.slots.capacity(), room);
        }
        let first = Index::from_place(0).expect("it is small");
        assert_eq!(arena.remove(first), Some(0));
        arena.reserve(5000).expect("memory");
        let room = arena.slots.capacity();
        for number in 0..5000 {
            insert(&mut arena, number);
        }
        assert_eq!(arena.slots.capacity(), room);
        assert_eq!(arena.get(first), Some(&0), "the free place is filled first");
    }
}
