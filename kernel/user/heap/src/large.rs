//! Large blocks: each has a reservation of its own.
//!
//! Where they are and how long is not beside them but in the **directory**, a table in a reservation of its own, so an address
//! is known for a block before anything at it is read. The table is open-addressed, with linear probing, and at most three
//! quarters full; a record that is taken out is filled by moving later ones of its run. The eight bytes before a block are
//! a seal only: what is written before the block by accident is noticed.

use crate::Pages;
use crate::errors::{CorruptionKind, Done, Fault, damage};
use crate::header::Core;
use crate::memory::{Place, mix, mix_word, places};
use crate::sizes::{LARGE_HEADER, PAGE, UNIT, up};

places! {
    /// A record of the directory.
    struct Record: RecordLayout {
        /// The block; 0 if there is none.
        data: usize,
        /// Bytes of its reservation.
        reserved: usize,
        /// Bytes of that that are committed, from the begin on.
        committed: usize,
        /// The bytes that the program asked for.
        requested: usize,
        /// The user value.
        value: usize,
        /// Flags, as those of the back end's blocks.
        flags: usize,
        /// The seal.
        seal: usize,
        /// To make it a power of two.
        spare: usize,
    }
}

/// How many records the first directory has.
const FIRST_SLOTS: usize = PAGE / Record::BYTES;
/// The most records: as many as blocks fit into any address space that we have.
const MOST_SLOTS: usize = 1 << 24;

/// A large block, its record having been verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LargeBlock {
    /// What the program has.
    pub(crate) data: usize,
    /// Bytes of its reservation.
    pub(crate) reserved: usize,
    /// Bytes of that that are committed.
    pub(crate) committed: usize,
    /// The bytes that the program asked for.
    pub(crate) requested: usize,
    /// The user value.
    pub(crate) value: usize,
    /// Its flags.
    pub(crate) flags: u8,
}

impl<P: Pages> Core<'_, P> {
    fn slot(self, directory: usize, index: usize) -> Record {
        Record(directory + index * Record::BYTES)
    }

    fn large_seal(self, at: Record, block: &LargeBlock) -> usize {
        let words = [
            block.data,
            block.reserved,
            block.committed,
            block.requested,
            block.value,
            usize::from(block.flags),
        ];
        let digest = words
            .iter()
            .fold(self.key(at.0) ^ 3, |digest, &word| mix_word(digest, word));
        self.sealed(digest as usize)
    }

    fn read_record(self, at: Record) -> Done<Option<LargeBlock>> {
        let flags = at.flags().get();
        let block = LargeBlock {
            data: at.data().get(),
            reserved: at.reserved().get(),
            committed: at.committed().get(),
            requested: at.requested().get(),
            value: at.value().get(),
            flags: flags.to_le_bytes()[0],
        };
        if block.data == 0 && at.seal().get() == 0 {
            return Ok(None);
        }
        if at.seal().get() != self.large_seal(at, &block) || flags > 0xFF {
            return Err(damage(CorruptionKind::LargeRecord, at.0));
        }
        Ok(Some(block))
    }

    fn write_record(self, at: Record, block: &LargeBlock) {
        at.data().set(block.data);
        at.reserved().set(block.reserved);
        at.committed().set(block.committed);
        at.requested().set(block.requested);
        at.value().set(block.value);
        at.flags().set(usize::from(block.flags));
        at.seal().set(self.large_seal(at, block));
    }

    fn clear_record(at: Record) {
        at.data().set(0);
        at.seal().set(0);
    }

    /// Where a block's record would be: reservations are told apart by the upper bits.
    fn home(data: usize, slots: usize) -> usize {
        mix(0, crate::memory::low(data >> 16)) as usize & (slots - 1)
    }

    /// The record of a block, if there is one.
    fn find_large(self, data: usize) -> Done<Option<(Record, LargeBlock)>> {
        let (directory, slots) = self.directory()?;
        if slots == 0 || data % UNIT != LARGE_HEADER {
            return Ok(None);
        }
        let mut index = Self::home(data, slots);
        for _ in 0..slots {
            let at = self.slot(directory, index);
            match self.read_record(at)? {
                None => return Ok(None),
                Some(block) if block.data == data => return Ok(Some((at, block))),
                Some(_) => index = (index + 1) & (slots - 1),
            }
        }
        Ok(None)
    }

    /// The large block at an address, if there is one; its record may have been changed by the program, and so may the bytes
    /// before it.
    pub(crate) fn large_block(self, data: usize) -> Done<Option<LargeBlock>> {
        let Some((_, block)) = self.find_large(data)? else {
            return Ok(None);
        };
        if self
            .canary(data)
            .iter()
            .any(|(place, value)| place.get() != *value)
        {
            return Err(damage(CorruptionKind::BlockHeader, data));
        }
        Ok(Some(block))
    }

    /// Changes what is known of a large block.
    pub(crate) fn set_large(self, block: &LargeBlock) -> Done {
        let (at, _) = self
            .find_large(block.data)?
            .ok_or(damage(CorruptionKind::NotABlock, block.data))?;
        self.write_record(at, block);
        Ok(())
    }

    /// The bytes before a large block, and what they should be.
    fn canary(self, data: usize) -> [(Place<u32>, u32); 2] {
        let first = mix(self.key(data), 4);
        [
            (Place::at(data - 8), first),
            (Place::at(data - 4), mix(first, 5)),
        ]
    }

    /// Takes a large block, of which `room` bytes are reserved, at least as many as are requested.
    pub(crate) fn take_large(self, requested: usize, room: usize, flags: u8) -> Done<LargeBlock> {
        self.make_place()?;
        let whole = |bytes: usize, to: usize| {
            bytes
                .checked_add(LARGE_HEADER)
                .filter(|&bytes| bytes < usize::MAX / 2)
                .map(|bytes| up(bytes, to))
        };
        let committed = whole(requested, PAGE).ok_or(Fault::NoMemory)?;
        let least = up(committed, UNIT);
        let wanted = whole(room, UNIT).unwrap_or(least).max(least);
        let mut reserved = wanted;
        let base = match self.pages.reserve(wanted, self.access()) {
            Ok(base) => base,
            Err(_) => {
                reserved = least;
                self.pages
                    .reserve(least, self.access())
                    .map_err(|_| Fault::NoMemory)?
            }
        };
        if self.pages.commit(base, committed, self.access()).is_err() {
            // What cannot be given back stays reserved; nobody knows of it.
            let _ = self.pages.release(base);
            return Err(Fault::NoMemory);
        }
        let block = LargeBlock {
            data: base + LARGE_HEADER,
            reserved,
            committed,
            requested,
            value: 0,
            flags,
        };
        for (place, value) in self.canary(block.data) {
            place.set(value);
        }
        self.enter(&block)?;
        self.add_committed(committed);
        Ok(block)
    }

    /// Gives a large block back.
    pub(crate) fn give_back_large(self, block: &LargeBlock) -> Done {
        let (directory, slots) = self.directory()?;
        let (at, _) = self
            .find_large(block.data)?
            .ok_or(damage(CorruptionKind::NotABlock, block.data))?;
        self.pages
            .release(block.data - LARGE_HEADER)
            .map_err(|_| Fault::Refused)?;
        self.sub_committed(block.committed);
        let count = self.header.large_count();
        count.set(count.get().saturating_sub(1));

        let mut hole = (at.0 - directory) / Record::BYTES;
        let mut index = hole;
        Self::clear_record(at);
        for _ in 0..slots {
            index = (index + 1) & (slots - 1);
            let Some(other) = self.read_record(self.slot(directory, index))? else {
                break;
            };
            // It may move into the hole if that is not before its home.
            let home = Self::home(other.data, slots);
            if (index.wrapping_sub(home) & (slots - 1)) >= (index.wrapping_sub(hole) & (slots - 1))
            {
                self.write_record(self.slot(directory, hole), &other);
                Self::clear_record(self.slot(directory, index));
                hole = index;
            }
        }
        Ok(())
    }

    /// Changes the size of a large block where it is; whether that was possible.
    ///
    /// # Errors
    /// [`Fault::NoMemory`] if there are addresses but no pages.
    pub(crate) fn resize_large(self, block: &LargeBlock, requested: usize) -> Done<bool> {
        let Some(needs) = requested
            .checked_add(LARGE_HEADER)
            .filter(|&bytes| bytes <= block.reserved)
        else {
            return Ok(false);
        };
        let needs = up(needs, PAGE);
        let base = block.data - LARGE_HEADER;
        let mut committed = block.committed;
        if needs > committed {
            self.pages
                .commit(base + committed, needs - committed, self.access())
                .map_err(|_| Fault::NoMemory)?;
            self.add_committed(needs - committed);
            committed = needs;
        } else if needs < committed && self.pages.decommit(base + needs, committed - needs).is_ok()
        {
            self.sub_committed(committed - needs);
            committed = needs;
        }
        self.set_large(&LargeBlock {
            committed,
            requested,
            ..*block
        })?;
        Ok(true)
    }

    /// Makes sure that the directory has room for one more.
    fn make_place(self) -> Done {
        let (directory, slots) = self.directory()?;
        let count = self.header.large_count().get();
        if (count + 1) * 4 <= slots * 3 {
            return Ok(());
        }
        let more = if slots == 0 { FIRST_SLOTS } else { slots * 2 };
        if more > MOST_SLOTS {
            return Err(Fault::NoMemory);
        }
        let bytes = more * Record::BYTES;
        let base = self
            .pages
            .reserve(up(bytes, UNIT), crate::Access::Data)
            .map_err(|_| Fault::NoMemory)?;
        if self.pages.commit(base, bytes, crate::Access::Data).is_err() {
            let _ = self.pages.release(base);
            return Err(Fault::NoMemory);
        }
        self.add_committed(bytes);
        let mut moved = 0;
        for index in 0..slots {
            if let Some(block) = self.read_record(self.slot(directory, index))? {
                self.place(base, more, &block);
                moved += 1;
            }
        }
        self.header.large_count().set(moved);
        self.set_directory(base, more);
        if slots != 0 {
            let _ = self.pages.release(directory);
            self.sub_committed(slots * Record::BYTES);
        }
        Ok(())
    }

    fn enter(self, block: &LargeBlock) -> Done {
        let (directory, slots) = self.directory()?;
        self.place(directory, slots, block);
        let count = self.header.large_count();
        count.set(count.get() + 1);
        Ok(())
    }

    /// Writes a record into the first free place of its run; there is one.
    fn place(self, directory: usize, slots: usize, block: &LargeBlock) {
        let mut index = Self::home(block.data, slots);
        for _ in 0..slots {
            let at = self.slot(directory, index);
            if at.data().get() == 0 {
                return self.write_record(at, block);
            }
            index = (index + 1) & (slots - 1);
        }
    }

    /// The first large block in the directory's order, or the one behind another.
    pub(crate) fn next_large(self, after: Option<usize>) -> Done<Option<LargeBlock>> {
        let (directory, slots) = self.directory()?;
        let mut index = match after {
            None => 0,
            Some(data) => match self.find_large(data)? {
                Some((at, _)) => (at.0 - directory) / Record::BYTES + 1,
                None => return Err(Fault::Refused),
            },
        };
        while index < slots {
            if let Some(block) = self.read_record(self.slot(directory, index))? {
                return Ok(Some(block));
            }
            index += 1;
        }
        Ok(None)
    }

    /// Releases the directory when a heap ends.
    pub(crate) fn release_directory(self) -> Done {
        let (directory, slots) = self.directory()?;
        if slots != 0 {
            self.set_directory(0, 0);
            let _ = self.pages.release(directory);
        }
        Ok(())
    }
}

const _: () = assert!(Record::BYTES.is_power_of_two());
