//! Working sets: the pages that a process can use without a fault, and which of them go when memory is short.
//!
//! A working set is nothing but the frames that the space's tables show, so it costs neither memory nor time to keep,
//! and a fault cannot fail for want of room in a list. Trimming walks the tables in a circle: the hand goes on where it
//! stopped last, and takes what it meets. That is first in, first out by place instead of by time. What makes up for it
//! is that a trimmed page is not gone: it stays in its frame on the standby or modified list, and a page that is in use
//! comes back by a cheap fault before its frame is wanted. The lists, not the hand, find out what is not used.
//!
//! # NT
//! `MiTrimWorkingSet`, `MmWorkingSetManager`.
//!
//! # Differs
//! There are no entries (`MMWSLE`) with ages: no table here has a bit that says that a page was accessed.

use arch::contract::{PAGE_SIZE, VirtAddr, VirtRange};
use arch::memory::layout;
use nt_abi::{NtResult, NtStatus};

use crate::address_space::{AddressSpace, PageEntry, SPACES, Space, WorkingSetLimits};
use crate::frames::{self, Owner};
use crate::{paging, statistics};

/// Pages that are taken out between two orders to the processors to forget them.
const RUN: u64 = 32;

/// Whose pages are not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Floor {
    /// Of a working set that is not above its maximum.
    Maximum,
    /// Of a working set that is not above its minimum.
    Minimum,
    /// Nobody's.
    None,
}

impl Space {
    /// How many pages can be taken at most.
    fn above(&self, floor: Floor) -> u64 {
        let size = self.counters().working_set_size / PAGE_SIZE;
        let limits = self.limits();
        size.saturating_sub(match floor {
            Floor::Maximum => limits.maximum,
            Floor::Minimum => limits.minimum,
            Floor::None => 0,
        })
    }

    /// Takes at most `count` pages out of the working set; gives how many it took.
    pub(crate) fn trim(&mut self, count: u64) -> u64 {
        let paging = paging::is_there();
        let mut taken = 0;
        let mut wrapped = false;
        let begun_at = self.hand;
        while taken < count {
            let end = if wrapped {
                begun_at
            } else {
                layout::USER.end.0
            };
            let from = VirtAddr(self.hand);
            match self.next_run(from, VirtAddr(end), RUN.min(count - taken), paging) {
                Some(run) => {
                    taken += self.hide(run, &mut |_, frame| frames::leave(frame));
                    self.hand = run.end.0;
                }
                None if wrapped => break,
                None => {
                    wrapped = true;
                    self.hand = 0;
                }
            }
        }
        statistics::count_trimmed(taken);
        taken
    }

    /// The next pages in a row that can be taken, at most `most`.
    fn next_run(
        &self,
        from: VirtAddr,
        end: VirtAddr,
        most: u64,
        paging: bool,
    ) -> Option<VirtRange> {
        let mut run: Option<VirtRange> = None;
        let range = VirtRange { start: from, end };
        self.visit_used(range, &mut |page, entry| {
            let PageEntry::Shown(frame) = entry else {
                return run.is_none();
            };
            let takes = !self.is_locked(page)
                && frames::info(frame).is_some_and(|info| {
                    let stays = info.modified && !paging;
                    info.locks == 0
                        && match info.owner {
                            Owner::Private { .. } => !stays,
                            Owner::Area { .. } => true,
                            Owner::Kernel | Owner::None => false,
                        }
                });
            match &mut run {
                Some(run) if !takes || page != run.end => return false,
                Some(run) => run.end.0 += PAGE_SIZE,
                None if takes => run = Some(VirtRange::of_pages(page, 1)),
                None => {}
            }
            run.is_none_or(|run| run.length() < most * PAGE_SIZE)
        });
        run
    }
}

/// Takes about `wanted` pages out of all working sets together, from each according to its size; gives how many.
///
/// A space that is locked now is left out: its thread may be the one that needs memory.
pub(crate) fn trim_all(wanted: u64, floor: Floor) -> u64 {
    let mut total = 0;
    for place in SPACES.iter() {
        if let Some(space) = place.try_lock() {
            total += space.above(floor);
        }
    }
    let mut taken = 0;
    for place in SPACES.iter() {
        if taken >= wanted || total == 0 {
            break;
        }
        let Some(mut space) = place.try_lock() else {
            continue;
        };
        let above = space.above(floor);
        let share = (above * wanted).div_ceil(total).min(above);
        taken += space.trim(share);
    }
    taken
}

impl AddressSpace {
    /// How large its working set is to be.
    pub fn working_set_limits(&self) -> WorkingSetLimits {
        self.lock().limits()
    }

    /// Says how large its working set is to be, in pages; what is above the maximum goes when memory is short.
    ///
    /// # NT
    /// "SetProcessWorkingSetSize function".
    ///
    /// # Errors
    /// `BAD_WORKING_SET_LIMIT`: the minimum is below 20 pages or not below the maximum.
    pub fn set_working_set_limits(&self, limits: WorkingSetLimits) -> NtResult {
        /// "The minimum working set size must be at least 20 memory pages".
        const LEAST: u64 = 20;
        if limits.minimum < LEAST || limits.minimum >= limits.maximum {
            return Err(NtStatus::BAD_WORKING_SET_LIMIT);
        }
        self.lock().set_limits(limits);
        Ok(())
    }

    /// Takes as many pages as possible out of its working set; gives how many.
    ///
    /// # NT
    /// "EmptyWorkingSet function".
    pub fn empty_working_set(&self) -> u64 {
        let mut space = self.lock();
        let all = space.above(Floor::None);
        space.trim(all)
    }
}
