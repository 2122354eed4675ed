//! Local atom tables: numbers for names.
//!
//! Atoms below 0xC000 are numbers that stand for themselves; a name `#123` means such a one too. Others are the places of
//! names in a table, from 0xC000 on; the lowest free place is taken. Names are the same whatever the case of their letters,
//! and keep the case that came first. A name is there for as many deletions as there were additions, or, if it is pinned,
//! for ever.
//!
//! A table is a block with the heads of its hash chains, and a block with its names' entries, which grows. A lock in it is
//! held for the length of a search; whoever waits for it spins.

use core::sync::atomic::Ordering;

use c_interface::{Ptr, blocks, exports, field};
use nt_abi::native::Pointer;
use nt_abi::{NtResult, NtStatus};
use rtl::utf16::upcase;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The first atom that has a name (`MAXINTATOM`).
const FIRST: u16 = 0xC000;
/// How many names a table can have.
const MOST: u32 = 0x4000;
/// The longest name, in units (`RTL_ATOM_MAXIMUM_NAME_LENGTH`).
const LONGEST: usize = 255;
/// The hash chains of a table whose maker does not care.
const DEFAULT_CHAINS: u32 = 37;
/// No entry.
const NONE: u32 = u32::MAX;

/// The start of a table; its chains follow.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct AtomTable {
    /// 1 while somebody uses it.
    lock: u32,
    chains: u32,
    /// Entries that there is room for.
    room: u32,
    /// Entries that have been used.
    used: u32,
    entries: Pointer,
}

/// A name.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Entry {
    /// Its units, in a block; null: the place is free.
    name: Pointer,
    /// The next one of its chain.
    next: u32,
    references: u32,
    /// In units.
    length: u32,
    pinned: u32,
}

/// A table that is locked; it is released with this.
struct Locked {
    table: Ptr<AtomTable>,
}

impl Locked {
    /// Locks a table.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if there is none.
    fn new(table: Ptr<AtomTable>) -> NtResult<Self> {
        let table = table.non_null().ok_or(NtStatus::INVALID_PARAMETER)?;
        let lock = field!(table, AtomTable, lock).atomic();
        while lock.swap(1, Ordering::Acquire) != 0 {
            core::hint::spin_loop();
        }
        Ok(Self { table })
    }

    fn entry(&self, index: u32) -> Ptr<Entry> {
        let entries = Ptr::<Entry>::at(field!(self.table, AtomTable, entries).read());
        entries.add(place(index))
    }

    /// Where the first entry of a chain is noted.
    fn chain(&self, hash: u32) -> Ptr<u32> {
        let chains = field!(self.table, AtomTable, chains).read();
        self.table.add(1).cast::<u32>().add(place(hash % chains))
    }

    fn find(&self, name: &Name) -> Option<u32> {
        let mut index = self.chain(name.hash).read();
        while index != NONE {
            let entry = self.entry(index).read();
            if name.is(&entry) {
                return Some(index);
            }
            index = entry.next;
        }
        None
    }

    /// The entry of an atom with a name.
    fn of_atom(&self, atom: u16) -> Option<u32> {
        let index = u32::from(atom.checked_sub(FIRST)?);
        let used = field!(self.table, AtomTable, used).read();
        (index < used && self.entry(index).read().name != 0).then_some(index)
    }

    /// A place for an entry.
    fn free_place(&self) -> NtResult<u32> {
        let used = field!(self.table, AtomTable, used);
        let free = (0..used.read()).find(|index| self.entry(*index).read().name == 0);
        if let Some(index) = free {
            return Ok(index);
        }
        let room = field!(self.table, AtomTable, room);
        let index = used.read();
        if index == room.read() {
            let more = (2 * room.read()).clamp(32, MOST);
            if more == index {
                return Err(NtStatus::NO_MEMORY);
            }
            let bytes = place(more) * size_of::<Entry>();
            let block = blocks::allocate(bytes).ok_or(NtStatus::NO_MEMORY)?;
            let entries = field!(self.table, AtomTable, entries);
            let old = Ptr::<u8>::at(entries.read());
            block.copy_from(old, place(index) * size_of::<Entry>());
            blocks::free(old);
            entries.write(block.raw());
            room.write(more);
        }
        used.write(index + 1);
        self.entry(index).cast::<u8>().fill(0, size_of::<Entry>());
        Ok(index)
    }

    fn add(&self, name: &Name) -> NtResult<u32> {
        if let Some(index) = self.find(name) {
            let references = field!(self.entry(index), Entry, references);
            references.write(references.read().saturating_add(1));
            return Ok(index);
        }
        let block = blocks::allocate(2 * name.length).ok_or(NtStatus::NO_MEMORY)?;
        let index = match self.free_place() {
            Ok(index) => index,
            Err(status) => {
                blocks::free(block);
                return Err(status);
            }
        };
        block.cast::<u16>().write_array(&name.units[..name.length]);
        let chain = self.chain(name.hash);
        self.entry(index).write(Entry {
            name: block.raw(),
            next: chain.read(),
            references: 1,
            // At most 255.
            length: u32::try_from(name.length).unwrap_or_default(),
            pinned: 0,
        });
        chain.write(index);
        Ok(index)
    }

    /// Takes an entry out, whatever refers to it.
    fn remove(&self, index: u32) {
        let entry = self.entry(index).read();
        let units = Ptr::<u16>::at(entry.name);
        let name = Name::new(units, place(entry.length));
        let mut link = self.chain(name.hash);
        while link.read() != index && link.read() != NONE {
            link = field!(self.entry(link.read()), Entry, next);
        }
        link.write(entry.next);
        blocks::free(units.cast());
        field!(self.entry(index), Entry, name).write(0);
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        let lock = field!(self.table, AtomTable, lock).atomic();
        lock.store(0, Ordering::Release);
    }
}

/// An index of memory.
fn place(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// A name, with what it is found by.
struct Name {
    units: [u16; LONGEST],
    length: usize,
    hash: u32,
}

impl Name {
    /// So many units, 255 at most.
    fn new(from: Ptr<u16>, length: usize) -> Self {
        let mut name = Self {
            units: [0; LONGEST],
            length: length.min(LONGEST),
            hash: 0,
        };
        for (index, unit) in name.units[..name.length].iter_mut().enumerate() {
            *unit = from.add(index).read();
            name.hash = name
                .hash
                .wrapping_mul(65_599)
                .wrapping_add(u32::from(upcase(*unit)));
        }
        name
    }

    fn is(&self, entry: &Entry) -> bool {
        let units = Ptr::<u16>::at(entry.name);
        let same = |(index, unit): (usize, &u16)| upcase(units.add(index).read()) == upcase(*unit);
        place(entry.length) == self.length && self.units[..self.length].iter().enumerate().all(same)
    }

    fn text(&self) -> &[u16] {
        &self.units[..self.length]
    }
}

/// What a caller means by a name.
#[allow(
    clippy::large_enum_variant,
    reason = "it lives for one call, on the stack"
)]
enum Meant {
    /// A number that stands for itself; 0 is none.
    Number(u16),
    /// A name.
    Name(Name),
}

/// Reads what a caller means: a number in place of an address, a number in text, or a name.
///
/// # Errors
/// `OBJECT_NAME_INVALID` for an empty name, `INVALID_PARAMETER` for one that is too long.
fn read(name: Ptr<u16>) -> NtResult<Meant> {
    if let Ok(number) = u16::try_from(name.address()) {
        return Ok(Meant::Number(if number < FIRST { number } else { 0 }));
    }
    let length = (0..=LONGEST)
        .find(|index| name.add(*index).read() == 0)
        .ok_or(NtStatus::INVALID_PARAMETER)?;
    if length == 0 {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    let name = Name::new(name, length);
    Ok(match number(name.text()) {
        Some(number) => Meant::Number(number),
        None => Meant::Name(name),
    })
}

/// The number of `#123`; 0 if it is no atom's.
fn number(text: &[u16]) -> Option<u16> {
    let digits = text.strip_prefix(&[u16::from(b'#')])?;
    if digits.is_empty() {
        return None;
    }
    let mut number = 0u32;
    for unit in digits {
        let digit = unit
            .checked_sub(u16::from(b'0'))
            .filter(|digit| *digit < 10)?;
        number = number.saturating_mul(10).saturating_add(u32::from(digit));
    }
    Some(
        u16::try_from(number)
            .ok()
            .filter(|number| *number < FIRST)
            .unwrap_or(0),
    )
}

/// The atom of an entry.
fn atom(index: u32) -> u16 {
    // A table has 0x4000 entries at most.
    u16::try_from(index).map_or(0, |index| FIRST + index)
}

/// A number as an atom.
///
/// # Errors
/// `INVALID_PARAMETER` if it is none.
fn number_atom(number: u16) -> NtResult<u16> {
    if number == 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(number)
}

fn create(chains: u32, made: Ptr<usize>) -> NtResult {
    if made.read() != 0 {
        return if chains == 0 {
            Ok(())
        } else {
            Err(NtStatus::INVALID_PARAMETER)
        };
    }
    let chains = if chains == 0 {
        DEFAULT_CHAINS
    } else {
        chains.min(MOST)
    };
    let bytes = size_of::<AtomTable>() + 4 * place(chains);
    let table = blocks::allocate(bytes)
        .ok_or(NtStatus::NO_MEMORY)?
        .cast::<AtomTable>();
    table.write(AtomTable {
        lock: 0,
        chains,
        room: 0,
        used: 0,
        entries: 0,
    });
    table.add(1).cast::<u8>().fill(0xFF, 4 * place(chains));
    made.write(table.address());
    Ok(())
}

fn add(table: Ptr<AtomTable>, name: Ptr<u16>) -> NtResult<u16> {
    let locked = Locked::new(table)?;
    match read(name)? {
        Meant::Number(number) => number_atom(number),
        Meant::Name(name) => locked.add(&name).map(atom),
    }
}

fn look_up(table: Ptr<AtomTable>, name: Ptr<u16>) -> NtResult<u16> {
    let locked = Locked::new(table)?;
    match read(name)? {
        Meant::Number(number) => number_atom(number),
        Meant::Name(name) => locked
            .find(&name)
            .map(atom)
            .ok_or(NtStatus::OBJECT_NAME_NOT_FOUND),
    }
}

fn delete(table: Ptr<AtomTable>, atom: u16) -> NtResult {
    let locked = Locked::new(table)?;
    let index = locked.of_atom(atom).ok_or(NtStatus::INVALID_HANDLE)?;
    let entry = locked.entry(index);
    let references = field!(entry, Entry, references);
    if field!(entry, Entry, pinned).read() != 0 {
        return Err(NtStatus::WAS_LOCKED);
    }
    references.write(references.read().saturating_sub(1));
    if references.read() == 0 {
        locked.remove(index);
    }
    Ok(())
}

fn empty(table: Ptr<AtomTable>, pinned_too: bool) -> NtResult {
    let locked = Locked::new(table)?;
    for index in 0..field!(table, AtomTable, used).read() {
        let entry = locked.entry(index).read();
        if entry.name != 0 && (pinned_too || entry.pinned == 0) {
            locked.remove(index);
        }
    }
    Ok(())
}

/// Writes a name, terminated, as much as there is room for.
///
/// # Errors
/// `BUFFER_TOO_SMALL` if there is room for nothing.
fn write_name(name: &[u16], to: Ptr<u16>, bytes: Ptr<u32>) -> NtResult {
    if to.is_null() || bytes.is_null() {
        return Ok(());
    }
    let length = |units: usize| u32::try_from(2 * units).unwrap_or(u32::MAX);
    let room = place(bytes.read()) / 2;
    let Some(room) = room.checked_sub(1) else {
        bytes.write(length(name.len()));
        return Err(NtStatus::BUFFER_TOO_SMALL);
    };
    let name = &name[..name.len().min(room)];
    to.write_array(name);
    to.add(name.len()).write(0);
    bytes.write(length(name.len()));
    Ok(())
}

/// The text of a number's atom.
fn number_name(number: u16) -> Name {
    let mut digits = [0u16; 6];
    let mut at = digits.len();
    let mut rest = number;
    while rest > 0 {
        at -= 1;
        digits[at] = u16::from(b'0') + rest % 10;
        rest /= 10;
    }
    digits[at - 1] = u16::from(b'#');
    Name::new(Ptr::of(&mut digits[at - 1]), digits.len() + 1 - at)
}

fn query(
    table: Ptr<AtomTable>,
    atom: u16,
    counts: (Ptr<u32>, Ptr<u32>),
    name: Ptr<u16>,
    bytes: Ptr<u32>,
) -> NtResult {
    let locked = Locked::new(table)?;
    let (references, pinned, text) = if atom < FIRST {
        (1, 1, number_name(number_atom(atom)?))
    } else {
        let index = locked.of_atom(atom).ok_or(NtStatus::INVALID_HANDLE)?;
        let entry = locked.entry(index).read();
        let text = Name::new(Ptr::at(entry.name), place(entry.length));
        (entry.references, entry.pinned, text)
    };
    counts.0.write_optional(references);
    counts.1.write_optional(pinned);
    write_name(text.text(), name, bytes)
}

fn status(result: NtResult) -> NtStatus {
    match result {
        Ok(()) => NtStatus::SUCCESS,
        Err(status) => status,
    }
}

exports! {
    /// Makes a table with so many hash chains, 0 for the usual; one that is there already stays.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for chains of a table that is there already, `NO_MEMORY`.
    fn RtlCreateAtomTable(chains: u32, table: Ptr<usize>) -> NtStatus {
        status(create(chains, table))
    }

    /// Frees a table.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` without a table.
    fn RtlDestroyAtomTable(table: Ptr<AtomTable>) -> NtStatus {
        if let Err(status) = empty(table, true) {
            return status;
        }
        blocks::free(Ptr::at(field!(table, AtomTable, entries).read()));
        blocks::free(table.cast());
        NtStatus::SUCCESS
    }

    /// Takes all names out, or those that are not pinned.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` without a table.
    fn RtlEmptyAtomTable(table: Ptr<AtomTable>, pinned_too: u8) -> NtStatus {
        status(empty(table, pinned_too != 0))
    }

    /// The atom of a name, which is added or referred to once more.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a number that is no atom, or a name of more than 255 units; `OBJECT_NAME_INVALID` for an empty
    /// name; `NO_MEMORY`.
    fn RtlAddAtomToAtomTable(table: Ptr<AtomTable>, name: Ptr<u16>, found: Ptr<u16>) -> NtStatus {
        status(add(table, name).map(|atom| found.write_optional(atom)))
    }

    /// The atom of a name.
    ///
    /// # Errors
    /// As `RtlAddAtomToAtomTable`; `OBJECT_NAME_NOT_FOUND`.
    fn RtlLookupAtomInAtomTable(table: Ptr<AtomTable>, name: Ptr<u16>, found: Ptr<u16>) -> NtStatus {
        status(look_up(table, name).map(|atom| found.write_optional(atom)))
    }

    /// Takes a reference back; the name goes with the last one.
    ///
    /// # Errors
    /// `INVALID_HANDLE` for an atom without a name; the information `WAS_LOCKED` for one that is pinned.
    fn RtlDeleteAtomFromAtomTable(table: Ptr<AtomTable>, atom: u16) -> NtStatus {
        status(delete(table, atom))
    }

    /// Makes a name stay for ever.
    ///
    /// # Errors
    /// `INVALID_HANDLE` for an atom that is none.
    fn RtlPinAtomInAtomTable(table: Ptr<AtomTable>, atom: u16) -> NtStatus {
        let locked = match Locked::new(table) {
            Ok(locked) => locked,
            Err(status) => return status,
        };
        match locked.of_atom(atom) {
            Some(index) => field!(locked.entry(index), Entry, pinned).write(1),
            None if (1..FIRST).contains(&atom) => {}
            None => return NtStatus::INVALID_HANDLE,
        }
        NtStatus::SUCCESS
    }

    /// What is known of an atom: references, whether it is pinned, and its name, terminated, as much as there is room for.
    /// The length is in bytes, without what terminates the name.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for atom 0, `INVALID_HANDLE` for one without a name, `BUFFER_TOO_SMALL` without room.
    fn RtlQueryAtomInAtomTable(
        table: Ptr<AtomTable>,
        atom: u16,
        references: Ptr<u32>,
        pinned: Ptr<u32>,
        name: Ptr<u16>,
        bytes: Ptr<u32>,
    ) -> NtStatus {
        status(query(table, atom, (references, pinned), name, bytes))
    }

    /// The number that a name means; 0 if it means none (`BOOLEAN`).
    fn RtlGetIntegerAtom(name: Ptr<u16>, found: Ptr<u16>) -> u8 {
        match read(name) {
            Ok(Meant::Number(number)) => {
                found.write_optional(number);
                1
            }
            _ => 0,
        }
    }

    /// Nothing: a table is made when it is first asked for.
    fn RtlInitializeAtomPackage(_tag: u32) -> NtStatus {
        NtStatus::SUCCESS
    }
}

#[cfg(test)]
mod tests;
