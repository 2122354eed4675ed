//! The search for room between the ranges.
//!
//! Every node knows the [`Extent`] of what is below it: where its ranges begin and end, and the widest gap between
//! two of them. Extents of neighbours join to the extent of both, so a node's follows from its children's, and an
//! insertion, removal or change of size brings them up to date on one path to the root.
//!
//! A search walks the tree in the wanted direction, each subtree framed by the ends of its neighbours, and turns
//! away from those whose frame is outside of the window or whose widest gap is too narrow. Why that is O(log n):
//!
//! - A frame that is wholly inside the window and wide enough holds the answer, so the search never comes back from
//!   it empty-handed.
//! - It may from a frame that the window cuts, since the gap may be in the part that is cut off. On each level the
//!   window's two ends cut two frames at most.
//!
//! "Wide enough" is about places, not bytes: a gap of 100 KiB may have no 64 KiB that begin at a multiple of 64 KiB.
//! The tree has one granularity for which it measures what is left of a gap after the first such multiple; for it the
//! argument is exact. It is also exact for alignments that all ranges have anyhow (pages), by the plain width. For
//! others, such as large pages, the answer is as right, but the search also visits the gaps that are wide enough and
//! badly placed.

use core::ops::Range;

use super::IntervalTree;
use super::arena::Index;
use super::links::Side;

/// The widest gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Widest {
    /// In bytes.
    plain: u64,
    /// In bytes that follow the gap's first multiple of the tree's granularity.
    aligned: u64,
}

impl Widest {
    const NONE: Self = Self {
        plain: 0,
        aligned: 0,
    };

    #[inline]
    fn between(start: u64, end: u64, granularity: u64) -> Self {
        let plain = end.saturating_sub(start);
        // What is before the first multiple; a power of two, so no division is needed.
        let before = start.wrapping_neg() & (granularity - 1);
        Self {
            plain,
            aligned: plain.saturating_sub(before),
        }
    }

    #[inline]
    fn max(self, other: Self) -> Self {
        Self {
            plain: self.plain.max(other.plain),
            aligned: self.aligned.max(other.aligned),
        }
    }
}

/// What ranges that follow each other cover, and the gaps between them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Extent {
    start: u64,
    end: u64,
    widest: Widest,
}

impl Extent {
    /// The extent of one range.
    pub(super) const fn of(start: u64, end: u64) -> Self {
        Self {
            start,
            end,
            widest: Widest::NONE,
        }
    }

    /// The extent of these ranges and of those of `higher`, which come after them.
    #[inline]
    pub(super) fn join(self, higher: Self, granularity: u64) -> Self {
        let between = Widest::between(self.end, higher.start, granularity);
        Self {
            start: self.start,
            end: higher.end,
            widest: self.widest.max(between).max(higher.widest),
        }
    }
}

/// What is looked for, and where.
struct Search<'a, T> {
    tree: &'a IntervalTree<T>,
    length: u64,
    alignment: u64,
    window: Range<u64>,
    /// The tree's granularity less one if gaps are measured from their first multiple of it, else 0.
    rounding: u64,
    /// The side on which to look first.
    first: Side,
    /// Frames looked at, as tests count them.
    visits: usize,
}

impl<T> Search<'_, T> {
    /// Looks at the frame from `start` to `end`, in which just the ranges at and below `link` are.
    ///
    /// It calls itself once for each level of the tree, which has less than 1.82 log2 n: 58 at the very most.
    fn frame(&mut self, link: Option<Index>, start: u64, end: u64) -> Option<u64> {
        self.visit();
        if end <= self.window.start || start >= self.window.end {
            return None;
        }
        let Some(index) = link else {
            return self.place(start, end);
        };
        let node = self.tree.node(index);
        let inside = if self.rounding == 0 {
            node.extent.widest.plain
        } else {
            node.extent.widest.aligned
        };
        if inside < self.length
            && self.width(start, node.extent.start) < self.length
            && self.width(node.extent.end, end) < self.length
        {
            return None;
        }
        let lower = (node.lower, start, node.start);
        let higher = (node.higher, node.end, end);
        let (near, far) = match self.first {
            Side::Lower => (lower, higher),
            Side::Higher => (higher, lower),
        };
        self.below(near).or_else(|| self.below(far))
    }

    /// Tests count.
    #[inline]
    fn visit(&mut self) {
        if cfg!(test) {
            self.visits += 1;
        }
    }

    /// How wide a gap is, as the search measures it.
    #[inline]
    fn width(&self, start: u64, end: u64) -> u64 {
        let before = start.wrapping_neg() & self.rounding;
        end.saturating_sub(start).saturating_sub(before)
    }

    /// [`frame`](Self::frame), without a call where nothing hangs.
    #[inline]
    fn below(&mut self, (link, start, end): (Option<Index>, u64, u64)) -> Option<u64> {
        if link.is_none() {
            self.visit();
            return self.place(start, end);
        }
        self.frame(link, start, end)
    }

    /// The outermost place in the part of a gap that is in the window.
    #[inline]
    fn place(&self, gap_start: u64, gap_end: u64) -> Option<u64> {
        let start = gap_start.max(self.window.start);
        let end = gap_end.min(self.window.end);
        let last = end.checked_sub(self.length)?;
        match self.first {
            Side::Lower => {
                let place = start.checked_add(start.wrapping_neg() & (self.alignment - 1))?;
                (place <= last).then_some(place)
            }
            Side::Higher => {
                // A power of two, as `find_gap` has seen.
                let place = last & !(self.alignment - 1);
                (place >= start).then_some(place)
            }
        }
    }
}

impl<T> IntervalTree<T> {
    /// The lowest multiple of `alignment` from which `length` bytes inside `window` touch no range. `None` also for
    /// a length of 0 and for an alignment that is no power of two.
    ///
    /// O(log n) for an alignment that is the tree's granularity or that all ranges have.
    ///
    /// # NT
    /// `MiFindEmptyAddressRangeInTree`.
    pub fn lowest_gap(&self, length: u64, alignment: u64, window: Range<u64>) -> Option<u64> {
        self.find_gap(length, alignment, window, Side::Lower).0
    }

    /// The highest multiple of `alignment` from which `length` bytes inside `window` touch no range; the rest as for
    /// [`lowest_gap`](Self::lowest_gap).
    ///
    /// # NT
    /// `MiFindEmptyAddressRangeDownTree`, for `MEM_TOP_DOWN`.
    pub fn highest_gap(&self, length: u64, alignment: u64, window: Range<u64>) -> Option<u64> {
        self.find_gap(length, alignment, window, Side::Higher).0
    }

    /// The place, and how many frames were looked at to find it.
    pub(super) fn find_gap(
        &self,
        length: u64,
        alignment: u64,
        window: Range<u64>,
        first: Side,
    ) -> (Option<u64>, usize) {
        if length == 0 || !alignment.is_power_of_two() {
            return (None, 0);
        }
        let mut search = Search {
            tree: self,
            length,
            alignment,
            window,
            rounding: if alignment < self.granularity {
                0
            } else {
                self.granularity - 1
            },
            first,
            visits: 0,
        };
        let place = search.frame(self.root, 0, u64::MAX);
        (place, search.visits)
    }
}
