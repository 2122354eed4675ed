//! Atoms: short strings that are known by a number of 16 bits.
//!
//! Two kinds share the numbers. Those below [`FIRST_STRING_ATOM`] are their own strings: 5 is `#5`, is always there and
//! is never deleted. The others stand for strings that were added; who adds a string that is there gets its number and
//! one more reference, and a string goes when as many references were taken back. A pinned one stays.
//!
//! # NT
//! `RtlCreateAtomTable`; the table of `NtAddAtom`.

use alloc::vec::Vec;

use nt_abi::{NtResult, NtStatus};
use rtl::utf16::{Case, Utf16Str, Utf16String};

use crate::FastMutex;

/// The lowest number of a string that was added (`RTL_ATOM_MAXIMUM_INTEGER_ATOM`).
pub const FIRST_STRING_ATOM: u16 = 0xC000;
/// The longest string, in units.
pub const LONGEST: usize = 255;
/// Strings that there can be: the numbers from [`FIRST_STRING_ATOM`] on.
const MOST: usize = 0x1_0000 - FIRST_STRING_ATOM as usize;
const LISTS: usize = 64;

/// What is known of an atom.
#[derive(Debug)]
pub struct AtomInformation {
    /// How often it was added and not deleted; 1 for a number.
    pub references: u16,
    /// Whether it stays for good.
    pub pinned: bool,
    /// Its string as it was first added.
    pub name: Utf16String,
}

struct Entry {
    name: Utf16String,
    hash: u32,
    references: u16,
    pinned: bool,
    /// The next one whose hash is in the same list.
    next: Option<u16>,
}

/// A table of atoms.
pub struct AtomTable {
    entries: FastMutex<Entries>,
}

struct Entries {
    /// By number less [`FIRST_STRING_ATOM`].
    slots: Vec<Option<Entry>>,
    first: [Option<u16>; LISTS],
}

/// The table that all processes share.
pub static GLOBAL: AtomTable = AtomTable::new();

/// The number that a string of the form `#123` stands for.
///
/// # Errors
/// `INVALID_PARAMETER` for one that is 0 or not below [`FIRST_STRING_ATOM`].
fn integer(name: Utf16Str<'_>) -> NtResult<Option<u16>> {
    let [hash, digits @ ..] = name.units() else {
        return Ok(None);
    };
    if *hash != u16::from(b'#') || digits.is_empty() {
        return Ok(None);
    }
    let mut value = 0u32;
    for digit in digits {
        let digit = match digit.checked_sub(u16::from(b'0')) {
            Some(digit) if digit < 10 => u32::from(digit),
            _ => return Ok(None),
        };
        value = value.saturating_mul(10).saturating_add(digit);
    }
    match u16::try_from(value) {
        Ok(value) => number(value).map(Some),
        Err(_) => Err(NtStatus::INVALID_PARAMETER),
    }
}

/// A number as an atom of its own.
///
/// # Errors
/// `INVALID_PARAMETER` for 0 and for the numbers of strings.
pub fn number(value: u16) -> NtResult<u16> {
    if value == 0 || value >= FIRST_STRING_ATOM {
        Err(NtStatus::INVALID_PARAMETER)
    } else {
        Ok(value)
    }
}

fn index_of(atom: u16) -> Option<u16> {
    atom.checked_sub(FIRST_STRING_ATOM)
}

impl Entries {
    fn list(hash: u32) -> usize {
        hash as usize % LISTS
    }

    fn get(&self, index: u16) -> Option<&Entry> {
        self.slots.get(usize::from(index))?.as_ref()
    }

    fn get_mut(&mut self, index: u16) -> Option<&mut Entry> {
        self.slots.get_mut(usize::from(index))?.as_mut()
    }

    fn find(&self, name: Utf16Str<'_>, hash: u32) -> Option<u16> {
        let mut next = self.first[Self::list(hash)];
        while let Some(index) = next {
            let entry = self.get(index)?;
            if entry.hash == hash && entry.name.as_str().equals(name, Case::Insensitive) {
                return Some(index);
            }
            next = entry.next;
        }
        None
    }

    /// Puts a string in that is not there.
    fn insert(&mut self, name: Utf16Str<'_>, hash: u32, pinned: bool) -> NtResult<u16> {
        let free = self.slots.iter().position(Option::is_none);
        let place = free.unwrap_or(self.slots.len());
        if place >= MOST {
            return Err(NtStatus::NO_MEMORY);
        }
        let index = u16::try_from(place).map_err(|_| NtStatus::NO_MEMORY)?;
        let name = name.try_to_owned().map_err(|_| NtStatus::NO_MEMORY)?;
        if free.is_none() {
            self.slots.try_reserve(1).map_err(|_| NtStatus::NO_MEMORY)?;
            self.slots.push(None);
        }
        let first = &mut self.first[Self::list(hash)];
        let entry = Entry {
            name,
            hash,
            references: 1,
            pinned,
            next: first.replace(index),
        };
        self.slots[place] = Some(entry);
        Ok(index)
    }

    fn remove(&mut self, index: u16) {
        let Some(entry) = self.slots[usize::from(index)].take() else {
            return;
        };
        let list = Self::list(entry.hash);
        if self.first[list] == Some(index) {
            self.first[list] = entry.next;
            return;
        }
        let mut before = self.first[list];
        while let Some(at) = before {
            let Some(other) = self.get_mut(at) else {
                return;
            };
            if other.next == Some(index) {
                other.next = entry.next;
                return;
            }
            before = other.next;
        }
    }
}

impl AtomTable {
    /// An empty table.
    pub const fn new() -> Self {
        Self {
            entries: FastMutex::new(Entries {
                slots: Vec::new(),
                first: [None; LISTS],
            }),
        }
    }

    /// Adds a string, or one more reference to it; gives its number.
    ///
    /// # Errors
    /// `OBJECT_NAME_INVALID` for no string; `INVALID_PARAMETER` for one that is too long, or `#n` that is no number of an
    /// atom; `NO_MEMORY`.
    #[doc(alias = "RtlAddAtomToAtomTable")]
    pub fn add(&self, name: Utf16Str<'_>) -> NtResult<u16> {
        self.add_as(name, false)
    }

    /// Adds a string that stays for good.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    #[doc(alias = "RtlPinAtomInAtomTable")]
    pub fn pin(&self, name: Utf16Str<'_>) -> NtResult<u16> {
        self.add_as(name, true)
    }

    fn add_as(&self, name: Utf16Str<'_>, pinned: bool) -> NtResult<u16> {
        if let Some(number) = judge(name)? {
            return Ok(number);
        }
        let hash = name.hash_x65599(Case::Insensitive);
        let mut entries = self.entries.acquire();
        let index = if let Some(index) = entries.find(name, hash) {
            if let Some(entry) = entries.get_mut(index) {
                // Past the last number nobody knows how many references there are: the string stays for good.
                match entry.references.checked_add(1) {
                    Some(references) => entry.references = references,
                    None => entry.pinned = true,
                }
                entry.pinned |= pinned;
            }
            index
        } else {
            entries.insert(name, hash, pinned)?
        };
        Ok(FIRST_STRING_ATOM + index)
    }

    /// The number of a string.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`; those of [`add`](Self::add) but for memory.
    #[doc(alias = "RtlLookupAtomInAtomTable")]
    pub fn find(&self, name: Utf16Str<'_>) -> NtResult<u16> {
        if let Some(number) = judge(name)? {
            return Ok(number);
        }
        let hash = name.hash_x65599(Case::Insensitive);
        let found = self.entries.acquire().find(name, hash);
        found
            .map(|index| FIRST_STRING_ATOM + index)
            .ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)
    }

    /// Takes back one reference. Gives whether the string is pinned, so that nothing was done.
    ///
    /// # Errors
    /// `INVALID_HANDLE` if there is no such atom.
    #[doc(alias = "RtlDeleteAtomFromAtomTable")]
    pub fn delete(&self, atom: u16) -> NtResult<bool> {
        let Some(index) = index_of(atom) else {
            return Ok(false);
        };
        let mut entries = self.entries.acquire();
        let entry = entries.get_mut(index).ok_or(NtStatus::INVALID_HANDLE)?;
        if entry.pinned {
            return Ok(true);
        }
        entry.references -= 1;
        if entry.references == 0 {
            entries.remove(index);
        }
        Ok(false)
    }

    /// What is known of an atom.
    ///
    /// # Errors
    /// `INVALID_HANDLE` if there is no such atom; `INVALID_PARAMETER` for 0; `NO_MEMORY`.
    #[doc(alias = "RtlQueryAtomInAtomTable")]
    pub fn query(&self, atom: u16) -> NtResult<AtomInformation> {
        let Some(index) = index_of(atom) else {
            return describe_number(number(atom)?);
        };
        let entries = self.entries.acquire();
        let entry = entries.get(index).ok_or(NtStatus::INVALID_HANDLE)?;
        Ok(AtomInformation {
            references: entry.references,
            pinned: entry.pinned,
            name: entry
                .name
                .as_str()
                .try_to_owned()
                .map_err(|_| NtStatus::NO_MEMORY)?,
        })
    }

    /// The numbers of all strings.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    #[doc(alias = "RtlQueryAtomListInAtomTable")]
    pub fn list(&self) -> NtResult<Vec<u16>> {
        let entries = self.entries.acquire();
        let mut atoms = Vec::new();
        atoms
            .try_reserve_exact(entries.slots.len())
            .map_err(|_| NtStatus::NO_MEMORY)?;
        let used = entries.slots.iter().zip(FIRST_STRING_ATOM..=u16::MAX);
        atoms.extend(
            used.filter(|(slot, _)| slot.is_some())
                .map(|(_, atom)| atom),
        );
        Ok(atoms)
    }
}

impl Default for AtomTable {
    fn default() -> Self {
        Self::new()
    }
}

/// Judges a string: gives its number if it is one.
fn judge(name: Utf16Str<'_>) -> NtResult<Option<u16>> {
    match name.units().len() {
        0 => Err(NtStatus::OBJECT_NAME_INVALID),
        length if length > LONGEST => Err(NtStatus::INVALID_PARAMETER),
        _ => integer(name),
    }
}

fn describe_number(value: u16) -> NtResult<AtomInformation> {
    let mut digits = [0; 5];
    let mut rest = value;
    let mut count = 0;
    for digit in &mut digits {
        *digit = u16::from(b'0') + rest % 10;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    let mut name = Utf16String::new();
    let units = core::iter::once(u16::from(b'#')).chain(digits[..count].iter().rev().copied());
    for unit in units {
        name.push_unit(unit).map_err(|_| NtStatus::NO_MEMORY)?;
    }
    Ok(AtomInformation {
        references: 1,
        pinned: true,
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<R>(name: &str, body: impl FnOnce(Utf16Str<'_>) -> R) -> R {
        let name = Utf16String::try_from_str(name).expect("memory");
        body(name.as_str())
    }

    fn text(atom: &AtomInformation) -> std::string::String {
        std::string::String::from_utf16(atom.name.as_str().units()).expect("text")
    }

    #[test]
    fn a_string_keeps_its_number_until_each_addition_is_taken_back() {
        let _machine = arch::sim::boot(1);
        let table = AtomTable::new();
        let atom = with("First", |name| table.add(name)).expect("memory");
        assert!(atom >= FIRST_STRING_ATOM);
        assert_eq!(with("fIRST", |name| table.add(name)), Ok(atom));
        assert_ne!(with("Second", |name| table.add(name)), Ok(atom));
        let known = table.query(atom).expect("there");
        assert_eq!((known.references, known.pinned), (2, false));
        assert_eq!(text(&known), "First", "as it was first added");
        assert_eq!(table.delete(atom), Ok(false));
        assert_eq!(with("FIRST", |name| table.find(name)), Ok(atom));
        assert_eq!(table.delete(atom), Ok(false));
        assert_eq!(
            with("First", |name| table.find(name)),
            Err(NtStatus::OBJECT_NAME_NOT_FOUND)
        );
        assert_eq!(table.delete(atom), Err(NtStatus::INVALID_HANDLE));
        assert_eq!(table.list().expect("memory").len(), 1);
    }

    #[test]
    fn numbers_are_their_own_strings() {
        let _machine = arch::sim::boot(1);
        let table = AtomTable::new();
        assert_eq!(with("#1", |name| table.add(name)), Ok(1));
        assert_eq!(with("#49151", |name| table.find(name)), Ok(0xBFFF));
        for bad in ["#0", "#49152", "#65536", "#99999999999"] {
            let got = with(bad, |name| table.add(name));
            assert_eq!(got, Err(NtStatus::INVALID_PARAMETER), "{bad}");
        }
        for string in ["#", "#1a", "# 1", "1"] {
            let atom = with(string, |name| table.add(name)).expect("memory");
            assert!(atom >= FIRST_STRING_ATOM, "{string}");
        }
        let known = table.query(345).expect("a number");
        assert_eq!((known.references, known.pinned), (1, true));
        assert_eq!(text(&known), "#345");
        assert_eq!(text(&table.query(10).expect("a number")), "#10");
        assert_eq!(table.query(0).err(), Some(NtStatus::INVALID_PARAMETER));
        assert_eq!(table.delete(345), Ok(false));
    }

    #[test]
    fn strings_have_1_to_255_units() {
        let _machine = arch::sim::boot(1);
        let table = AtomTable::new();
        let add = |length: usize| with(&"x".repeat(length), |name| table.add(name));
        assert_eq!(add(0), Err(NtStatus::OBJECT_NAME_INVALID));
        assert!(add(255).is_ok());
        assert_eq!(add(256), Err(NtStatus::INVALID_PARAMETER));
    }

    #[test]
    fn a_pinned_string_stays() {
        let _machine = arch::sim::boot(1);
        let table = AtomTable::new();
        let atom = with("stays", |name| table.pin(name)).expect("memory");
        assert_eq!(table.delete(atom), Ok(true));
        assert_eq!(with("stays", |name| table.find(name)), Ok(atom));
    }

    #[test]
    fn a_string_with_more_references_than_are_counted_stays() {
        let _machine = arch::sim::boot(1);
        let table = AtomTable::new();
        let add = || with("often", |name| table.add(name)).expect("memory");
        let atom = add();
        for _ in 1..u16::MAX {
            add();
        }
        let known = table.query(atom).expect("there");
        assert_eq!((known.references, known.pinned), (u16::MAX, false));
        add();
        assert!(table.query(atom).expect("there").pinned);
        assert_eq!(table.delete(atom), Ok(true));
        assert_eq!(table.query(atom).expect("there").references, u16::MAX);
    }

    #[test]
    fn many_strings_share_lists_and_go_from_any_place_in_them() {
        let _machine = arch::sim::boot(1);
        let table = AtomTable::new();
        let name = |number: u32| std::format!("atom {number}");
        let atoms: std::vec::Vec<u16> = (0..1000)
            .map(|number| with(&name(number), |name| table.add(name)).expect("memory"))
            .collect();
        for (number, atom) in (0..).zip(&atoms) {
            if number % 3 == 0 {
                assert_eq!(table.delete(*atom), Ok(false));
            }
        }
        for (number, atom) in (0..).zip(&atoms) {
            let found = with(&name(number), |name| table.find(name));
            if number % 3 == 0 {
                assert_eq!(found, Err(NtStatus::OBJECT_NAME_NOT_FOUND));
            } else {
                assert_eq!(found, Ok(*atom));
            }
        }
        // A free number is given again.
        let again = with("again", |name| table.add(name)).expect("memory");
        assert!(atoms.contains(&again));
        let full = (0..)
            .find_map(|number| with(&std::format!("more {number}"), |name| table.add(name)).err());
        assert_eq!(full, Some(NtStatus::NO_MEMORY));
        assert_eq!(table.list().expect("memory").len(), MOST);
    }
}
