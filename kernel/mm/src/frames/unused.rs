//! Frames that nobody has had since the start.
//!
//! They are free, and on no list: to put all of a machine's frames onto one would be most of its start. Their entries are
//! those of bad frames until they are taken, the lowest first, which keeps the high end whole for those who will need
//! contiguous memory.

use arch::contract::{FrameNumber, PAGE_SIZE};
use boards::PhysRange;

/// What is left of the usable frames.
pub(super) struct Unused {
    /// Where usable frames are, lowest first; the first of these ranges may have been taken in part.
    ranges: &'static [PhysRange],
    /// The next frame of the first range.
    next: u64,
    /// How many there are.
    count: u64,
    /// Of the frames in the ranges, those that the floor had for good when they were counted.
    kept: u64,
}

impl Unused {
    pub(super) const NONE: Self = Self {
        ranges: &[],
        next: 0,
        count: 0,
        kept: 0,
    };

    /// All frames of these ranges but those that the floor keeps, which are met on the way.
    pub(super) fn new(ranges: &'static [PhysRange], kept: u64) -> Self {
        let all: u64 = ranges.iter().map(|range| range.length() / PAGE_SIZE).sum();
        Self {
            ranges,
            next: 0,
            count: all.saturating_sub(kept),
            kept,
        }
    }

    /// How many there are.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The next frame in the ranges, if there is one that is nobody's: what it is, [`note_taken`](Self::note_taken) or
    /// [`note_kept`](Self::note_kept) is to be told.
    pub(super) fn next(&mut self) -> Option<FrameNumber> {
        if self.count == 0 {
            return None;
        }
        loop {
            let (range, others) = self.ranges.split_first()?;
            let number = self.next.max(range.start / PAGE_SIZE);
            if number < range.end / PAGE_SIZE {
                self.next = number + 1;
                return Some(FrameNumber(number));
            }
            self.ranges = others;
        }
    }

    /// It was nobody's, and is taken.
    pub(super) fn note_taken(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    /// It is the floor's. True if it was not when the frames were counted, so that there is one less than it seemed.
    pub(super) fn note_kept(&mut self) -> bool {
        match self.kept.checked_sub(1) {
            Some(kept) => {
                self.kept = kept;
                false
            }
            None => {
                self.count = self.count.saturating_sub(1);
                true
            }
        }
    }
}
