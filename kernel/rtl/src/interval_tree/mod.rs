//! Ranges of addresses that do not overlap, in order, each with a value: what a process's memory is described by.
//!
//! What the memory manager asks of it decides its shape:
//!
//! - *Which range has this address?*, on every page fault: a search tree.
//! - *Where are 64 KiB free, from the bottom or the top?*, on every allocation: each node also knows the gaps below
//!   it (`gaps`).
//! - Programs allocate in ascending order and choose sizes and addresses themselves. A tree without balance would
//!   become a list, and one balanced by chance cannot promise anything. Of the trees that promise O(log n), those
//!   balanced by height are the flattest: searches are shortest, and there are more of them than changes. NT keeps its
//!   VADs in an AVL tree; here the sides of a node may differ by one level more (`links`).
//! - Others name a range while it exists (a view of a section, a locked page): an [`Index`], which stays as it is
//!   whatever happens to other ranges. Nodes live in an arena, so a tree of many ranges is one allocation.
//!
//! Ranges are half open; the last byte of the 64-bit address space can be in none.
//!
//! # Locks
//! None inside: the owner locks.
//!
//! # NT
//! `RTL_BALANCED_NODE` and `MMVAD`'s tree.

mod arena;
mod gaps;
mod links;
#[cfg(test)]
mod tests;

use core::ops::Range;

use nt_abi::NtStatus;

use crate::NoMemory;
use arena::Arena;
pub use arena::Index;
use gaps::Extent;
use links::Side;

/// A range, its value, and its place in the tree.
struct Node<T> {
    start: u64,
    end: u64,
    value: T,
    parent: Option<Index>,
    lower: Option<Index>,
    higher: Option<Index>,
    /// Levels from here down, with this one.
    height: u8,
    extent: Extent,
}

/// Disjoint half-open ranges of `u64` in order, each with a `T`.
pub struct IntervalTree<T> {
    arena: Arena<Node<T>>,
    root: Option<Index>,
    granularity: u64,
}

/// Why a range is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It ends where it begins, or before.
    Empty,
    /// It overlaps this range, the first that it does.
    Overlap(Index),
    /// There is no memory for one more.
    NoMemory,
    /// The index names no range.
    Gone,
}

impl From<Refusal> for NtStatus {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Empty | Refusal::Gone => Self::INVALID_PARAMETER,
            Refusal::Overlap(_) => Self::CONFLICTING_ADDRESSES,
            Refusal::NoMemory => NoMemory.into(),
        }
    }
}

/// An insertion that was refused, with the value that was to go in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused<T> {
    /// Why.
    pub why: Refusal,
    /// The value, back.
    pub value: T,
}

impl<T> From<Refused<T>> for NtStatus {
    fn from(refused: Refused<T>) -> Self {
        refused.why.into()
    }
}

impl<T> IntervalTree<T> {
    /// An empty tree, which holds no memory yet.
    ///
    /// `granularity` is the alignment for which searches for gaps are fast; what is no power of two counts as 1.
    pub const fn new(granularity: u64) -> Self {
        Self {
            arena: Arena::new(),
            root: None,
            granularity: if granularity.is_power_of_two() {
                granularity
            } else {
                1
            },
        }
    }

    /// How many ranges there are.
    pub fn len(&self) -> usize {
        self.arena.len()
    }

    /// Bytes that the tree takes for each range.
    pub const NODE_BYTES: usize = size_of::<Node<T>>();

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// From now on refuses insertions beyond `limit` ranges, as if memory had run out.
    pub fn set_limit(&mut self, limit: usize) {
        self.arena.set_limit(limit);
    }

    /// Makes sure that the next `additional` insertions do not fail for want of memory: for a change of several
    /// steps that must not stop half way.
    ///
    /// # Errors
    /// [`NoMemory`].
    pub fn reserve(&mut self, additional: usize) -> Result<(), NoMemory> {
        self.arena.reserve(additional)
    }

    /// Adds a range.
    ///
    /// # Errors
    /// [`Refused`], with the value; the tree is then as it was.
    pub fn try_insert(&mut self, range: Range<u64>, value: T) -> Result<Index, Refused<T>> {
        if range.is_empty() {
            let why = Refusal::Empty;
            return Err(Refused { why, value });
        }
        let Some(place) = self.place_of(range.start, range.end) else {
            // Not an overlap with nothing, or there would be a place.
            let why = match self.first_overlapping(range) {
                Some(index) => Refusal::Overlap(index),
                None => Refusal::Empty,
            };
            return Err(Refused { why, value });
        };
        let Ok(index) = self.arena.next_index() else {
            let why = Refusal::NoMemory;
            return Err(Refused { why, value });
        };
        let node = Node {
            start: range.start,
            end: range.end,
            value,
            parent: None,
            lower: None,
            higher: None,
            height: 1,
            extent: Extent::of(range.start, range.end),
        };
        self.arena.fill(index, node);
        self.link(index, place);
        Ok(index)
    }

    /// Takes a range out; `None` if the index names none.
    pub fn remove(&mut self, index: Index) -> Option<(Range<u64>, T)> {
        self.arena.get(index)?;
        self.unlink(index);
        let node = self.arena.remove(index)?;
        Some((node.start..node.end, node.value))
    }

    /// Takes a range out and drops its value where it is, which need not be moved then; whether there was one.
    pub fn discard(&mut self, index: Index) -> bool {
        if self.arena.get(index).is_none() {
            return false;
        }
        self.unlink(index);
        self.arena.discard(index);
        true
    }

    /// Changes where a range begins and ends, between its neighbours; order and index stay.
    ///
    /// # Errors
    /// [`Refusal`]; `Overlap` names the neighbour that would be touched or jumped over. The tree is then as it was.
    pub fn resize(&mut self, index: Index, range: Range<u64>) -> Result<(), Refusal> {
        if self.arena.get(index).is_none() {
            return Err(Refusal::Gone);
        }
        if range.is_empty() {
            return Err(Refusal::Empty);
        }
        if let Some(previous) = self.neighbour(index, Side::Lower)
            && self.node(previous).end > range.start
        {
            return Err(Refusal::Overlap(previous));
        }
        if let Some(next) = self.neighbour(index, Side::Higher)
            && self.node(next).start < range.end
        {
            return Err(Refusal::Overlap(next));
        }
        if let Some(node) = self.arena.get_mut(index) {
            node.start = range.start;
            node.end = range.end;
        }
        self.refresh_upwards(Some(index));
        Ok(())
    }

    /// The value of a range.
    pub fn get(&self, index: Index) -> Option<&T> {
        Some(&self.arena.get(index)?.value)
    }

    /// The value of a range, to change it.
    pub fn get_mut(&mut self, index: Index) -> Option<&mut T> {
        Some(&mut self.arena.get_mut(index)?.value)
    }

    /// Where a range begins and ends.
    pub fn range(&self, index: Index) -> Option<Range<u64>> {
        let node = self.arena.get(index)?;
        Some(node.start..node.end)
    }

    /// The range that `address` is in.
    pub fn find(&self, address: u64) -> Option<Index> {
        self.first_ending_after(address)
            .filter(|index| self.node(*index).start <= address)
    }

    /// The range that `address` is in, or else the first one above it.
    pub fn first_ending_after(&self, address: u64) -> Option<Index> {
        let mut found = None;
        let mut next = self.root;
        while let Some(at) = next {
            // Disjoint ranges have their ends in the same order as their starts.
            next = if self.node(at).end > address {
                found = Some(at);
                self.node(at).lower
            } else {
                self.node(at).higher
            };
        }
        found
    }

    /// The lowest range that has an address in common with `range`; an empty range has none.
    pub fn first_overlapping(&self, range: Range<u64>) -> Option<Index> {
        if range.is_empty() {
            return None;
        }
        self.first_ending_after(range.start)
            .filter(|index| self.node(*index).start < range.end)
    }

    /// The lowest range.
    pub fn first(&self) -> Option<Index> {
        self.root.map(|root| self.outermost(root, Side::Lower))
    }

    /// The highest range.
    pub fn last(&self) -> Option<Index> {
        self.root.map(|root| self.outermost(root, Side::Higher))
    }

    /// The range after this one.
    pub fn next(&self, index: Index) -> Option<Index> {
        self.arena.get(index)?;
        self.neighbour(index, Side::Higher)
    }

    /// The range before this one.
    pub fn previous(&self, index: Index) -> Option<Index> {
        self.arena.get(index)?;
        self.neighbour(index, Side::Lower)
    }

    /// All ranges in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (Index, Range<u64>, &T)> {
        self.ascending(self.first(), u64::MAX)
    }

    /// The ranges that have an address in common with `range`, in ascending order.
    pub fn overlapping(&self, range: Range<u64>) -> impl Iterator<Item = (Index, Range<u64>, &T)> {
        self.ascending(self.first_overlapping(range.clone()), range.end)
    }

    /// From one range on, those that begin before `end`.
    fn ascending(
        &self,
        from: Option<Index>,
        end: u64,
    ) -> impl Iterator<Item = (Index, Range<u64>, &T)> {
        core::iter::successors(from, |index| self.next(*index))
            .map(|index| (index, self.node(index)))
            .take_while(move |(_, node)| node.start < end)
            .map(|(index, node)| (index, node.start..node.end, &node.value))
    }

    /// Looks at every node: order, links, balance, what it knows of the gaps below it, and the list of free places.
    ///
    /// # Errors
    /// One sentence about the first thing that is wrong: a mistake in this module.
    pub fn check(&self) -> Result<(), &'static str> {
        if let Some(root) = self.root
            && self.node(root).parent.is_some()
        {
            return Err("the root hangs below another node");
        }
        let mut met = 0;
        let mut end = 0;
        for (index, range, _) in self.iter() {
            met += 1;
            if range.is_empty() || range.start < end {
                return Err("two ranges overlap, or are out of order");
            }
            end = range.end;
            let node = self.node(index);
            let mut below = [node.lower, node.higher].into_iter().flatten();
            if below.any(|child| self.node(child).parent != Some(index)) {
                return Err("a node's child hangs below another node");
            }
            if self.height(node.lower).abs_diff(self.height(node.higher)) > links::SLACK {
                return Err("a node is out of balance");
            }
            if self.summary(index) != (node.height, node.extent) {
                return Err("a node does not know what is below it");
            }
        }
        if met != self.len() {
            return Err("a node is not to be reached");
        }
        if !self.arena.free_list_is_whole() {
            return Err("the list of free places is damaged");
        }
        Ok(())
    }
}
