//! Pages on their way out of an address space.
//!
//! An entry that was emptied may still be known to a processor, and to ask them all to forget costs more than the rest. So
//! pages are gathered, each processor is asked once for many of them, and only then are their frames let go.

use arrayvec::ArrayVec;

use super::frame::unshare;
use super::space_table::SpaceId;
use crate::Machine;
use crate::contract::{FrameNumber, PAGE_SIZE, UserTranslation, VirtAddr, VirtRange};

/// Told of pages that no processor can reach any more, and of the frames that they showed.
pub type Leave<'a> = dyn FnMut(&[(VirtAddr, FrameNumber)]) + 'a;

/// Pages whose entries were emptied, and whose frames processors may still reach.
pub(super) struct Taken {
    pages: ArrayVec<(VirtAddr, FrameNumber), BATCH>,
    /// What lies between the first and the last page of each range.
    spans: ArrayVec<VirtRange, SPANS>,
    /// Whether the next page begins a span.
    begins: bool,
}

/// Pages between two invalidations, so that no list needs memory.
pub(super) const BATCH: usize = 32;
/// Ranges that one invalidation is for at most.
const SPANS: usize = 2;

impl Taken {
    pub(super) fn new() -> Self {
        Self {
            pages: ArrayVec::new(),
            spans: ArrayVec::new(),
            begins: true,
        }
    }

    /// What comes now lies elsewhere.
    pub(super) fn begin_range(&mut self) {
        self.begins = true;
    }

    /// Whether it must be ended before the next page.
    pub(super) fn is_full(&self) -> bool {
        self.pages.is_full() || self.spans.is_full() && self.begins
    }

    pub(super) fn add(&mut self, page: VirtAddr, frame: FrameNumber) {
        let end = VirtAddr(page.0 + PAGE_SIZE);
        match self.spans.last_mut() {
            Some(span) if !self.begins => span.end = end,
            _ => self.spans.push(VirtRange { start: page, end }),
        }
        self.begins = false;
        self.pages.push((page, frame));
    }

    /// Makes every processor forget the pages, and tells `leave` of them.
    pub(super) fn end(&mut self, space: SpaceId, leave: &mut Leave<'_>) {
        if self.pages.is_empty() {
            return;
        }
        Machine::invalidate_user(space, &self.spans);
        for (_, frame) in &self.pages {
            unshare(*frame);
        }
        leave(&self.pages);
        self.pages.clear();
        self.spans.clear();
        self.begins = true;
    }
}
