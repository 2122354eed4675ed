//! What several services do to the pages of a range.

use arch::contract::{FrameNumber, PAGE_SIZE, VirtAddr, VirtRange};
use arch::memory::UserEntry;
use nt_abi::NtResult;
use rtl::interval_tree::Index;

use super::Space;
use crate::frames::{self, Owner};
use crate::protection::Protection;
use crate::pte::Pte;
use crate::vad::{Kind, View};

/// Bytes that one page table of the last level covers.
const TABLE_SPAN: u64 = 512 * PAGE_SIZE;

/// What an entry of a private range is, as the services tell pages apart.
#[derive(Clone, Copy)]
pub(crate) enum PageEntry {
    /// In memory, and in the working set.
    Shown(FrameNumber),
    /// Anything else.
    Value(Pte),
}

/// Pages of which something was said, and nothing any more.
#[derive(Clone, Copy, Default)]
pub(super) struct Ended {
    pub(super) all: u64,
    pub(super) of_last: u64,
}

impl PageEntry {
    fn of(entry: UserEntry) -> Self {
        match entry {
            UserEntry::Present { frame, .. } => Self::Shown(frame),
            UserEntry::Absent(value) => Self::Value(Pte::unpack(value)),
        }
    }
}

impl Space {
    /// What a page is.
    pub(crate) fn entry(&self, page: VirtAddr) -> PageEntry {
        match &self.tables {
            Some(tables) => PageEntry::of(tables.entry(page)),
            None => PageEntry::Value(Pte::Unset),
        }
    }

    /// Visits the pages of a range of which something is said, in order, as long as `visit` gives true.
    pub(crate) fn visit_used(
        &self,
        range: VirtRange,
        visit: &mut dyn FnMut(VirtAddr, PageEntry) -> bool,
    ) {
        let Some(tables) = &self.tables else {
            return;
        };
        let mut page = range.start;
        while let Some((found, entry)) = tables.next_used(page, range.end) {
            if !visit(found, PageEntry::of(entry)) {
                return;
            }
            page = VirtAddr(found.0 + PAGE_SIZE);
        }
    }

    /// How many pages of a range of private memory are committed.
    pub(crate) fn committed_pages(&self, vad: Index, range: VirtRange) -> u64 {
        let by_default = self.vads.get(vad).is_some_and(|vad| vad.committed);
        let (mut used, mut decommitted) = (0, 0);
        self.visit_used(range, &mut |_, entry| {
            match entry {
                PageEntry::Value(Pte::Decommitted) => decommitted += 1,
                _ => used += 1,
            }
            true
        });
        if by_default {
            range.length() / PAGE_SIZE - decommitted
        } else {
            used
        }
    }

    /// Makes the page tables of a range, so that values can be written into it without fail.
    ///
    /// # Errors
    /// `NO_MEMORY`; tables that were made stay, empty.
    pub(crate) fn make_tables(&mut self, range: VirtRange) -> NtResult {
        let mut page = range.start.0;
        while page < range.end.0 {
            if let PageEntry::Value(Pte::Unset) = self.entry(VirtAddr(page)) {
                self.set_value(VirtAddr(page), Pte::Decommitted)?;
                self.set_value(VirtAddr(page), Pte::Unset)?;
            }
            page = (page / TABLE_SPAN + 1) * TABLE_SPAN;
        }
        Ok(())
    }

    /// Changes the values of all pages of a range that are not shown. The tables are there already, or the value is one
    /// that needs none.
    pub(crate) fn change_values(
        &mut self,
        range: VirtRange,
        change: &mut dyn FnMut(VirtAddr, Pte) -> Pte,
    ) {
        let mut page = range.start;
        while page.0 < range.end.0 {
            if let PageEntry::Value(before) = self.entry(page) {
                let after = change(page, before);
                if after != before {
                    // See above: no memory is needed for it.
                    let _ = self.set_value(page, after);
                }
            }
            page = VirtAddr(page.0 + PAGE_SIZE);
        }
    }

    /// Ends all pages of a range: what was private is discarded, what was shared is left. Each gets the value `then`,
    /// for which the tables are there if it is not [`Pte::Unset`].
    pub(crate) fn end_pages(&mut self, range: VirtRange, then: Pte) {
        self.forget_locks(range);
        if then == Pte::Unset {
            self.clear(&[range]);
            return;
        }
        self.hide(range, &mut |_, frame| {
            frames::end_shown(frame);
            then
        });
        let mut page = range.start;
        loop {
            let mut found = None;
            self.visit_used(
                VirtRange {
                    start: page,
                    ..range
                },
                &mut |at, entry| {
                    found = Some((at, entry));
                    false
                },
            );
            let Some((at, entry)) = found else { break };
            if let PageEntry::Value(Pte::Paged { slot, frame, .. }) = entry {
                frames::discard_paged(slot, frame, self.owner(at));
            }
            if let PageEntry::Value(_) = entry {
                let _ = self.set_value(at, then);
            }
            page = VirtAddr(at.0 + PAGE_SIZE);
        }
        self.change_values(range, &mut |_, _| then);
    }

    /// Ends all pages of some ranges, of which nothing is said from now on; gives of how many pages something was said, of
    /// all ranges and of the last one.
    pub(super) fn clear(&mut self, ranges: &[VirtRange]) -> Ended {
        let space = self.number;
        let Some(tables) = &mut self.tables else {
            return Ended::default();
        };
        let is_in_last = |page: VirtAddr| ranges.last().is_some_and(|last| last.contains(page));
        let (mut hidden, mut shown_in_last, mut values, mut values_in_last) = (0, 0, 0, 0);
        tables.clear(
            ranges,
            &mut |pages| {
                hidden += pages.len() as u64;
                shown_in_last += pages.iter().filter(|(page, _)| is_in_last(*page)).count() as u64;
                frames::end_all_shown(pages);
            },
            &mut |at, value| {
                values += 1;
                values_in_last += u64::from(is_in_last(at));
                if let Pte::Paged { slot, frame, .. } = Pte::unpack(value) {
                    let page = at.0 / PAGE_SIZE;
                    frames::discard_paged(slot, frame, Owner::Private { space, page });
                }
            },
        );
        self.take_from_working_set(hidden);
        Ended {
            all: hidden + values,
            of_last: shown_in_last + values_in_last,
        }
    }

    /// The protection of a page of an allocation or a view; `None` if it is not committed.
    pub(crate) fn page_state(&self, vad: Index, page: VirtAddr) -> Option<Protection> {
        let vad = self.vads.get(vad)?;
        let entry = self.entry(page);
        let own = match entry {
            PageEntry::Shown(frame) => frames::info(frame)
                .filter(|info| matches!(info.owner, Owner::Private { .. }))
                .map(|info| info.protection),
            PageEntry::Value(Pte::DemandZero(protection) | Pte::Paged { protection, .. }) => {
                Some(protection)
            }
            PageEntry::Value(Pte::Decommitted) => return None,
            PageEntry::Value(Pte::Unset) => None,
        };
        if own.is_some() {
            return own;
        }
        match &vad.kind {
            Kind::Private { .. } | Kind::Fixed(_) | Kind::Placeholder => {
                vad.committed.then_some(vad.protection)
            }
            Kind::View(view) => shared_state(view, vad.protection, page),
        }
    }
}

/// The protection of a page of a view that is not a copy of the process's own; `None` if it is not committed.
pub(crate) fn shared_state(view: &View, of_view: Protection, page: VirtAddr) -> Option<Protection> {
    let content = view.area.lock();
    let number = view.page(page.0);
    if !content.is_committed(number) {
        return None;
    }
    let first = content.image_protection(number).unwrap_or(of_view);
    Some(view.set_protection(page.0).unwrap_or(first))
}
