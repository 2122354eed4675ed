//! Handle tables: entries of one size, in one block, that are given out and taken back.
//!
//! An entry begins with a word. Of one that is given out the lowest bit is set, by whoever got it; one that is free holds
//! the address of the next free one, which is even. The block is made with the first entry, and its entries become free as
//! they are first needed: the marks in the table say how far that has come.

use c_interface::{Ptr, blocks, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::Pointer;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `RTL_HANDLE_TABLE`.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct HandleTable {
    maximum: u32,
    entry_size: u32,
    reserved: [u32; 2],
    /// The first free entry.
    free: Pointer,
    /// The first entry.
    committed: Pointer,
    /// The first entry that was never used.
    uncommitted: Pointer,
    /// The end of the entries.
    end: Pointer,
}

/// `RTL_HANDLE_ALLOCATED`.
const ALLOCATED: Pointer = 1;

type Table = Ptr<HandleTable>;
/// An entry; of it only the first word is known here.
type Entry = Ptr<Pointer>;

/// The block's entries: made, if they are not there yet.
fn begin(table: Table) -> Option<()> {
    if field!(table, HandleTable, committed).read() != 0 {
        return Some(());
    }
    let header = table.read();
    let bytes = usize::try_from(header.maximum)
        .ok()?
        .checked_mul(usize::try_from(header.entry_size).ok()?)?;
    let block = blocks::allocate(bytes)?;
    field!(table, HandleTable, committed).write(block.raw());
    field!(table, HandleTable, uncommitted).write(block.raw());
    field!(table, HandleTable, end).write(block.byte_add(bytes).raw());
    Some(())
}

fn allocate(table: Table) -> Option<Entry> {
    let free = field!(table, HandleTable, free);
    let size = field!(table, HandleTable, entry_size).read();
    let size = usize::try_from(size).ok()?;
    let entry = match Entry::at(free.read()).non_null() {
        Some(entry) => {
            free.write(entry.read());
            entry
        }
        None => {
            begin(table)?;
            let uncommitted = field!(table, HandleTable, uncommitted);
            let entry = Entry::at(uncommitted.read());
            if entry.raw() == field!(table, HandleTable, end).read() {
                return None;
            }
            uncommitted.write(entry.byte_add(size).raw());
            entry
        }
    };
    entry.cast::<u8>().fill(0, size);
    Some(entry)
}

/// The number of an entry, if there is one at this address that is given out.
fn index_of(table: Table, entry: Entry) -> Option<u32> {
    let header = table.read();
    let (first, end) = (Entry::at(header.committed), Entry::at(header.uncommitted));
    if entry < first || entry >= end {
        return None;
    }
    let offset = entry.address() - first.address();
    let size = usize::try_from(header.entry_size).ok()?;
    if !offset.is_multiple_of(size) || entry.read() & ALLOCATED == 0 {
        return None;
    }
    u32::try_from(offset / size).ok()
}

exports! {
    /// Makes a table of so many entries at most, each of so many bytes: a pointer's at least, and an even number.
    fn RtlInitializeHandleTable(maximum: u32, entry_size: u32, table: Table) {
        table.write(HandleTable { maximum, entry_size, ..HandleTable::default() });
    }

    /// Frees a table's entries.
    fn RtlDestroyHandleTable(table: Table) -> NtStatus {
        blocks::free(Ptr::at(field!(table, HandleTable, committed).read()));
        let header = table.read();
        RtlInitializeHandleTable(header.maximum, header.entry_size, table);
        NtStatus::SUCCESS
    }

    /// Gives an entry out, all zeros, and its number if asked for; null if there is none left. Who gets it sets the lowest bit
    /// of its first word.
    fn RtlAllocateHandle(table: Table, index: Ptr<u32>) -> Entry {
        let Some(entry) = allocate(table) else { return Ptr::NULL };
        if !index.is_null() {
            entry.write(ALLOCATED);
            index.write(index_of(table, entry).unwrap_or_default());
            entry.write(0);
        }
        entry
    }

    /// Takes an entry back; 0 if it is none that was given out (`BOOLEAN`).
    fn RtlFreeHandle(table: Table, entry: Entry) -> u8 {
        if index_of(table, entry).is_none() {
            return 0;
        }
        let free = field!(table, HandleTable, free);
        entry.write(free.read());
        free.write(entry.raw());
        1
    }

    /// Whether an entry is given out (`BOOLEAN`).
    fn RtlIsValidHandle(table: Table, entry: Entry) -> u8 {
        u8::from(index_of(table, entry).is_some())
    }

    /// Whether the entry of a number is given out, and where it is (`BOOLEAN`).
    fn RtlIsValidIndexHandle(table: Table, index: u32, found: Ptr<usize>) -> u8 {
        let header = table.read();
        if index >= header.maximum {
            return 0;
        }
        let offset = u64::from(index) * u64::from(header.entry_size);
        let offset = usize::try_from(offset).unwrap_or_default();
        let entry = Entry::at(header.committed).byte_add(offset);
        if index_of(table, entry) != Some(index) {
            return 0;
        }
        found.write(entry.address());
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_given_out_and_taken_back() {
        let mut table = HandleTable::default();
        let table = Ptr::of(&mut table);
        RtlInitializeHandleTable(3, 24, table);
        let mut index = 9;
        let take = |index: &mut u32| {
            let entry = RtlAllocateHandle(table, Ptr::of(index));
            if !entry.is_null() {
                entry.write(ALLOCATED);
            }
            entry
        };
        let first = take(&mut index);
        assert_eq!((index, RtlIsValidHandle(table, first)), (0, 1));
        let second = take(&mut index);
        assert_eq!((index, second.address() - first.address()), (1, 24));
        take(&mut index);
        assert!(take(&mut index).is_null(), "there are three");
        let mut found = 0;
        assert_eq!(RtlIsValidIndexHandle(table, 1, Ptr::of(&mut found)), 1);
        assert_eq!(found, second.address());
        assert_eq!(RtlFreeHandle(table, second), 1);
        assert_eq!(RtlFreeHandle(table, second), 0, "once");
        assert_eq!(RtlIsValidIndexHandle(table, 1, Ptr::of(&mut found)), 0);
        for wrong in [
            first.byte_add(8),
            first.byte_add(72),
            first.byte_sub(24),
            Ptr::NULL,
        ] {
            assert_eq!(RtlIsValidHandle(table, wrong), 0);
        }
        second.byte_add(16).write(7);
        assert_eq!(take(&mut index), second, "the free one comes again");
        assert_eq!((index, second.byte_add(16).read()), (1, 0));
        assert_eq!(RtlIsValidIndexHandle(table, 3, Ptr::of(&mut found)), 0);
        assert_eq!(RtlDestroyHandleTable(table), NtStatus::SUCCESS);
        assert_eq!(RtlIsValidIndexHandle(table, 0, Ptr::of(&mut found)), 0);
    }
}
