//! User halves: the page tables of processes.
//!
//! An [`AddressSpace`] has one owner, `mm`, who decides what is where. The floor
//! keeps that safe: it shows only user frames, counts each entry that does, and
//! lowers the count only after every processor has forgotten the entry. So a frame
//! that is reachable from user mode by any table or any old translation cannot be
//! taken back, whatever mistake the memory manager makes.
//!
//! An entry that is not present holds a **software value** of the memory manager's,
//! 63 bits with 0 for nothing: what the page is when it is not in memory.

use core::sync::atomic::{AtomicU64, Ordering};

use arrayvec::ArrayVec;

use super::boot_tables::{self, kernel_root};
use super::frame::{FrameSource, share, unshare};
use super::space_table::{self, SpaceId};
use super::table::{ENTRIES, index, span};
use super::taken::{BATCH, Leave, Taken};
use super::user_tables::{Tables, entries_at, entry_at, known_leaf_table, leaf_table, unwanted};
use super::{MapError, layout};
use crate::Machine;
use crate::contract::{
    Entry, FrameNumber, PAGE_SIZE, PhysAddr, Translation, UserProtection, UserTranslation,
    VirtAddr, VirtRange,
};

/// What a page's entry says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserEntry {
    /// Not present; the memory manager's value, 0 where it never set one. Its top bit is clear.
    Absent(u64),
    /// User mode finds this frame there.
    Present {
        /// The frame.
        frame: FrameNumber,
        /// What user mode may do.
        protection: UserProtection,
    },
}

/// The user half of a process: page tables with one owner.
///
/// To drop one is to leave it for good; [`destroy`](Self::destroy) takes it apart.
#[derive(Debug)]
#[must_use = "an address space that is dropped keeps its memory for good"]
pub struct AddressSpace {
    id: SpaceId,
    root: PhysAddr,
    /// How many entries show a frame.
    shown: u64,
    tables: Tables,
}

/// Both machines' present bit; software values stand above it.
const PRESENT: u64 = 1;

fn read(entry: u64) -> UserEntry {
    if entry & PRESENT == 0 {
        return UserEntry::Absent(entry >> 1);
    }
    let (address, protection) = Machine::decode_user(entry);
    UserEntry::Present {
        frame: FrameNumber::containing(address),
        protection,
    }
}

fn is_user_page(page: VirtAddr) -> bool {
    page.0.is_multiple_of(PAGE_SIZE) && layout::USER.contains(page)
}

/// The entries of a table of level 3 that are for addresses from `at` on, and below `end`.
#[inline]
fn entries_between(table: PhysAddr, at: u64, end: u64) -> &'static [AtomicU64] {
    let table_end = ((at / span(2) + 1) * span(2)).min(end);
    let first = index(VirtAddr(at), 3);
    let last = index(VirtAddr(table_end - 1), 3);
    &entries_at(table)[first..=last]
}

impl AddressSpace {
    /// Makes an empty one.
    ///
    /// # Errors
    /// [`MapError::NoMemory`] if there is no frame for the root, or no number left.
    pub fn create(frames: &mut dyn FrameSource) -> Result<Self, MapError> {
        let mut frame = frames.allocate().ok_or(MapError::NoMemory)?;
        frame.zero();
        let root = frame.number().start();
        if Machine::ROOT_HOLDS_KERNEL {
            let Some(kernel) = kernel_root() else {
                frames.free(frame);
                return Err(MapError::NoMemory);
            };
            // The kernel's half of its root never changes after `memory::initialize`: what is below it is shared.
            let (from, to) = (boot_tables::entries_at(kernel), entries_at(root));
            for slot in ENTRIES / 2..ENTRIES {
                to[slot].store(from[slot].load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
        match space_table::take(root) {
            Some(id) => {
                frame.into_address();
                Ok(Self {
                    id,
                    root,
                    shown: 0,
                    tables: Tables::new(),
                })
            }
            None => {
                frames.free(frame);
                Err(MapError::NoMemory)
            }
        }
    }

    /// Its number.
    pub fn id(&self) -> SpaceId {
        self.id
    }

    /// What the entry of a page says.
    #[inline]
    pub fn entry(&self, page: VirtAddr) -> UserEntry {
        // First, because a root may hold the kernel's half too, whose tables are elsewhere.
        if !is_user_page(page) {
            return UserEntry::Absent(0);
        }
        entry_at(self.root, page).map_or(UserEntry::Absent(0), |entry| {
            read(entry.load(Ordering::Relaxed))
        })
    }

    /// Shows a user frame at a page that shows none; the page's software value is gone.
    ///
    /// # Errors
    /// [`MapError::BadRange`] if it is no user page or no user frame, [`MapError::Occupied`], [`MapError::NoMemory`] for a table.
    pub fn map(
        &mut self,
        page: VirtAddr,
        frame: FrameNumber,
        protection: UserProtection,
        frames: &mut dyn FrameSource,
    ) -> Result<(), MapError> {
        self.map_where_none(PRESENT, page, frame, protection, frames)
    }

    /// The same for a page that has no software value either.
    ///
    /// # Errors
    /// As [`map`](Self::map) gives; [`MapError::Occupied`] for a page of which something is said.
    pub fn map_unused(
        &mut self,
        page: VirtAddr,
        frame: FrameNumber,
        protection: UserProtection,
        frames: &mut dyn FrameSource,
    ) -> Result<(), MapError> {
        self.map_where_none(u64::MAX, page, frame, protection, frames)
    }

    /// [`map`](Self::map), unless the page's entry has one of the bits `refused`, which are [`PRESENT`] at least.
    #[inline(always)]
    fn map_where_none(
        &mut self,
        refused: u64,
        page: VirtAddr,
        frame: FrameNumber,
        protection: UserProtection,
        frames: &mut dyn FrameSource,
    ) -> Result<(), MapError> {
        if !is_user_page(page) {
            return Err(MapError::BadRange);
        }
        let table = leaf_table(self.root, page, Some((frames, &mut self.tables)))?
            .ok_or(MapError::NoMemory)?;
        let entry = &entries_at(table)[index(page, 3)];
        if entry.load(Ordering::Relaxed) & (refused | PRESENT) != 0 {
            return Err(MapError::Occupied);
        }
        if !share(frame) {
            return Err(MapError::BadRange);
        }
        if protection.executes() {
            Machine::publish_code(frame.start());
        }
        // Release: the page's contents are visible to whoever finds it by this entry.
        entry.store(
            Machine::user_leaf(frame.start(), protection),
            Ordering::Release,
        );
        self.shown += 1;
        Machine::publish_entries();
        Ok(())
    }

    /// Sets the software value of a page that shows no frame; the value's top bit must be clear.
    ///
    /// # Errors
    /// As [`map`](Self::map) gives; a value of 0 needs no memory.
    pub fn set_absent(
        &mut self,
        page: VirtAddr,
        value: u64,
        frames: &mut dyn FrameSource,
    ) -> Result<(), MapError> {
        if !is_user_page(page) || value >> 63 != 0 {
            return Err(MapError::BadRange);
        }
        let source = (value != 0).then_some((frames, &mut self.tables));
        let Some(table) = leaf_table(self.root, page, source)? else {
            return Ok(());
        };
        let entry = &entries_at(table)[index(page, 3)];
        if entry.load(Ordering::Relaxed) & PRESENT != 0 {
            return Err(MapError::Occupied);
        }
        entry.store(value << 1, Ordering::Relaxed);
        Ok(())
    }

    /// Takes away every frame that is shown in `range`. For each, when no processor can reach it from here any more,
    /// `leave` is told the page and the frame, and gives the software value that the page gets.
    ///
    /// # IRQL
    /// At most Dispatch, with interrupts enabled: other processors are told and waited for.
    pub fn unmap(&mut self, range: VirtRange, leave: &mut dyn FnMut(VirtAddr, FrameNumber) -> u64) {
        let mut page = range.start;
        while self.shown != 0 {
            let mut taken = ArrayVec::<(VirtAddr, FrameNumber), BATCH>::new();
            while !taken.is_full()
                && let Some((found, UserEntry::Present { frame, .. })) =
                    self.next_where(page, range.end, true)
            {
                if let Some(entry) = entry_at(self.root, found) {
                    entry.store(0, Ordering::Relaxed);
                    self.shown -= 1;
                }
                taken.push((found, frame));
                page = VirtAddr(found.0 + PAGE_SIZE);
            }
            let Some((start, _)) = taken.first() else {
                return;
            };
            let range = VirtRange {
                start: *start,
                end: page,
            };
            Machine::invalidate_user(self.id, &[range]);
            for (page, frame) in &taken {
                unshare(*frame);
                let value = leave(*page, *frame);
                if let Some(entry) = entry_at(self.root, *page) {
                    entry.store(value << 1, Ordering::Relaxed);
                }
            }
        }
    }

    /// Empties `ranges`: takes away every frame that is shown, and every software value. `leave` is told frames, when no
    /// processor can reach them from here any more, and `forget` each value.
    ///
    /// Processors are asked to forget as seldom as can be: mostly once for all ranges, if they are two.
    ///
    /// # IRQL
    /// As [`unmap`](Self::unmap).
    pub fn clear(
        &mut self,
        ranges: &[VirtRange],
        leave: &mut Leave<'_>,
        forget: &mut dyn FnMut(VirtAddr, u64),
    ) {
        let mut taken = Taken::new();
        for range in ranges {
            let end = range.end.0.min(layout::USER.end.0);
            let mut at = range.start.0.max(layout::USER.start.0) & !(PAGE_SIZE - 1);
            taken.begin_range();
            if taken.is_full() {
                taken.end(self.id, leave);
            }
            while let Some((start, entries)) = self.next_table(at, end) {
                let mut place = 0;
                while let Some(entry) = entries.get(place) {
                    let word = entry.load(Ordering::Relaxed);
                    if word == 0 {
                        place += unwanted(&entries[place..], u64::MAX);
                        continue;
                    }
                    let page = VirtAddr(start + place as u64 * PAGE_SIZE);
                    entry.store(0, Ordering::Relaxed);
                    match read(word) {
                        UserEntry::Absent(value) => forget(page, value),
                        UserEntry::Present { frame, .. } => {
                            self.shown -= 1;
                            taken.add(page, frame);
                            if taken.is_full() {
                                taken.end(self.id, leave);
                            }
                        }
                    }
                    place += 1;
                }
                at = start + entries.len() as u64 * PAGE_SIZE;
            }
        }
        taken.end(self.id, leave);
    }

    /// Changes what user mode may do with the frames shown in `range`: `change` is told each and gives the new protection.
    ///
    /// # IRQL
    /// As [`unmap`](Self::unmap).
    pub fn protect(
        &mut self,
        range: VirtRange,
        change: &mut dyn FnMut(VirtAddr, FrameNumber, UserProtection) -> UserProtection,
    ) {
        let mut page = range.start;
        let mut changed: Option<VirtRange> = None;
        while let Some((found, UserEntry::Present { frame, protection })) =
            self.next_where(page, range.end, true)
        {
            page = VirtAddr(found.0 + PAGE_SIZE);
            let new = change(found, frame, protection);
            if new == protection {
                continue;
            }
            if new.executes() && !protection.executes() {
                Machine::publish_code(frame.start());
            }
            if let Some(entry) = entry_at(self.root, found) {
                // Only permissions change, which both machines allow in place.
                entry.store(Machine::user_leaf(frame.start(), new), Ordering::Release);
            }
            let start = changed.map_or(found, |range| range.start);
            changed = Some(VirtRange { start, end: page });
        }
        if let Some(range) = changed {
            Machine::invalidate_user(self.id, &[range]);
        }
    }

    /// Visits every page of `range` that shows a frame or has a software value, lowest first.
    pub fn for_each(&self, range: VirtRange, visit: &mut dyn FnMut(VirtAddr, UserEntry)) {
        let mut page = range.start;
        while let Some((found, entry)) = self.next_used(page, range.end) {
            visit(found, entry);
            page = VirtAddr(found.0 + PAGE_SIZE);
        }
    }

    /// The first page from `page` on, below `end`, that shows a frame or has a software value.
    pub fn next_used(&self, page: VirtAddr, end: VirtAddr) -> Option<(VirtAddr, UserEntry)> {
        self.next_where(page, end, false)
    }

    fn next_where(
        &self,
        page: VirtAddr,
        end: VirtAddr,
        present: bool,
    ) -> Option<(VirtAddr, UserEntry)> {
        let wanted = if present { PRESENT } else { u64::MAX };
        let end = end.0.min(layout::USER.end.0);
        let mut at = page.0.max(layout::USER.start.0) & !(PAGE_SIZE - 1);
        while let Some((start, entries)) = self.next_table(at, end) {
            let skipped = unwanted(entries, wanted);
            at = start + skipped as u64 * PAGE_SIZE;
            if let Some(entry) = entries.get(skipped) {
                return Some((VirtAddr(at), read(entry.load(Ordering::Relaxed))));
            }
        }
        None
    }

    /// The entries of the first table of pages between `at` and `end`, as far as they are for addresses between the two, and
    /// the address that the first of them is for.
    #[inline]
    fn next_table(&self, at: u64, end: u64) -> Option<(u64, &'static [AtomicU64])> {
        if at >= end {
            return None;
        }
        match known_leaf_table(self.root, VirtAddr(at)) {
            Some(table) => Some((at, entries_between(table, at, end))),
            None => self.search_table(at, end),
        }
    }

    #[inline(never)]
    fn search_table(&self, at: u64, end: u64) -> Option<(u64, &'static [AtomicU64])> {
        let mut at = at;
        'tables: while at < end {
            let mut table = self.root;
            for level in 0..3 {
                let entries = entries_at(table);
                let place = index(VirtAddr(at), level);
                match Machine::decode(entries[place].load(Ordering::Relaxed), level) {
                    Entry::Table(next) => table = next,
                    _ => {
                        // Most of a space is empty: what else of this table is need not be looked for from the root.
                        let of_table = span(level) * ENTRIES as u64;
                        let last = if at / of_table == (end - 1) / of_table {
                            index(VirtAddr(end - 1), level)
                        } else {
                            ENTRIES - 1
                        };
                        let empty = unwanted(&entries[place..=last], u64::MAX).max(1) as u64;
                        at = (at / span(level) + empty) * span(level);
                        continue 'tables;
                    }
                }
            }
            return Some((at, entries_between(table, at, end)));
        }
        None
    }

    /// Takes everything apart: unmaps what is left (`leave` is told each frame), and gives the tables back.
    ///
    /// # Errors
    /// The space, unchanged, if a processor still has it active.
    #[allow(
        clippy::result_large_err,
        reason = "the space itself comes back, and there may be no memory to box it"
    )]
    pub fn destroy(
        mut self,
        frames: &mut dyn FrameSource,
        leave: &mut dyn FnMut(VirtAddr, FrameNumber),
    ) -> Result<(), Self> {
        let Some(dead) = space_table::end(self.id) else {
            return Err(self);
        };
        self.unmap(layout::USER, &mut |page, frame| {
            leave(page, frame);
            0
        });
        Machine::invalidate_space(self.id);
        self.tables.free(self.root, frames);
        dead.give_back();
        Ok(())
    }
}
