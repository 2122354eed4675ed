//! The tables of a user half: found, made where they are missing, and given back.
//!
//! A space remembers its first tables, which for most is all that it ever has: to give them back it need not look for them
//! in the entries of each other.

use core::sync::atomic::{AtomicU64, Ordering};

use arrayvec::ArrayVec;

use super::MapError;
use super::frame::{Frame, FrameSource};
use super::table::{ENTRIES, index};
use crate::Machine;
use crate::contract::{Entry, PhysAddr, Translation, UserTranslation, VirtAddr};

/// Tables that a space remembers.
const KNOWN: usize = 16;

/// The tables below a space's root, as far as they are remembered.
#[derive(Debug)]
pub(super) struct Tables {
    known: ArrayVec<PhysAddr, KNOWN>,
    /// Whether there are more.
    others: bool,
}

impl Tables {
    pub(super) const fn new() -> Self {
        Self {
            known: ArrayVec::new_const(),
            others: false,
        }
    }

    fn note(&mut self, table: PhysAddr) {
        self.others |= self.known.try_push(table).is_err();
    }

    /// Gives back the root and all tables below it; nothing shows a frame any more, and no processor uses them.
    pub(super) fn free(self, root: PhysAddr, frames: &mut dyn FrameSource) {
        if self.others {
            return free_tables(root, 0, frames);
        }
        for table in self.known.into_iter().rev() {
            free_table(table, frames);
        }
        free_table(root, frames);
    }
}

/// The entries of a table of a user half. Unlike the kernel's first ones they are never in the image.
#[inline]
pub(super) fn entries_at(table: PhysAddr) -> &'static [AtomicU64; ENTRIES] {
    let pointer = Machine::physical_pointer(table)
        .cast::<[AtomicU64; ENTRIES]>()
        .cast_const();
    // SAFETY: `table` is a space's root, or came from an entry that this module wrote, so it is a page that serves as a table
    // as long as the space lives; its words are accessed as atomics only.
    unsafe { &*pointer }
}

/// The table of level 3 that covers a page, made where it is missing if frames are given.
#[inline]
pub(super) fn leaf_table(
    root: PhysAddr,
    page: VirtAddr,
    frames: Option<(&mut dyn FrameSource, &mut Tables)>,
) -> Result<Option<PhysAddr>, MapError> {
    match known_leaf_table(root, page) {
        None => make_leaf_table(root, page, frames),
        known => Ok(known),
    }
}

#[inline(never)]
fn make_leaf_table(
    root: PhysAddr,
    page: VirtAddr,
    mut frames: Option<(&mut dyn FrameSource, &mut Tables)>,
) -> Result<Option<PhysAddr>, MapError> {
    let mut table = root;
    for level in 0..3 {
        let entry = &entries_at(table)[index(page, level)];
        table = match Machine::decode(entry.load(Ordering::Relaxed), level) {
            Entry::Table(next) => next,
            _ => {
                let Some((source, tables)) = &mut frames else {
                    return Ok(None);
                };
                let mut frame = source.allocate().ok_or(MapError::NoMemory)?;
                frame.zero();
                let next = frame.into_address();
                tables.note(next);
                // Release: the new table's zeroes are visible to whoever, processor or code, follows this entry.
                entry.store(Machine::table(next), Ordering::Release);
                next
            }
        };
    }
    Ok(Some(table))
}

/// The table of level 3 that covers a page, if it is there.
#[inline]
pub(super) fn known_leaf_table(root: PhysAddr, page: VirtAddr) -> Option<PhysAddr> {
    let mut table = root;
    for level in 0..3 {
        let entry = entries_at(table)[index(page, level)].load(Ordering::Relaxed);
        let Entry::Table(next) = Machine::decode(entry, level) else {
            return None;
        };
        table = next;
    }
    Some(table)
}

/// The entry of a page, if there is a table for it.
#[inline]
pub(super) fn entry_at(root: PhysAddr, page: VirtAddr) -> Option<&'static AtomicU64> {
    known_leaf_table(root, page).map(|table| &entries_at(table)[index(page, 3)])
}

/// How many of these entries, from the first on, have none of the bits `wanted`.
#[inline]
pub(super) fn unwanted(entries: &[AtomicU64], wanted: u64) -> usize {
    // Sixteen together, since most of a table is empty.
    let (parts, _) = entries.as_chunks::<16>();
    let empty = parts.iter().take_while(|part| {
        let bits = part.iter().map(|entry| entry.load(Ordering::Relaxed));
        bits.fold(0, |all, bits| all | bits) & wanted == 0
    });
    let passed = empty.count() * 16;
    let rest = entries[passed..]
        .iter()
        .take_while(|entry| entry.load(Ordering::Relaxed) & wanted == 0);
    passed + rest.count()
}

/// Gives back a table of that level and those below it; nothing shows a frame any more, and no processor uses them.
fn free_tables(table: PhysAddr, level: u8, frames: &mut dyn FrameSource) {
    let user_slots = if level == 0 && Machine::ROOT_HOLDS_KERNEL {
        ENTRIES / 2
    } else {
        ENTRIES
    };
    if level < 3 {
        let mut entries = &entries_at(table)[..user_slots];
        loop {
            entries = &entries[unwanted(entries, u64::MAX)..];
            let Some((entry, others)) = entries.split_first() else {
                break;
            };
            if let Entry::Table(next) = Machine::decode(entry.load(Ordering::Relaxed), level) {
                free_tables(next, level + 1, frames);
            }
            entries = others;
        }
    }
    free_table(table, frames);
}

fn free_table(table: PhysAddr, frames: &mut dyn FrameSource) {
    // SAFETY: the table was made from a frame by this module or as a space's root; the space is dead and every processor has
    // forgotten it.
    frames.free(unsafe { Frame::from_address(table) });
}
