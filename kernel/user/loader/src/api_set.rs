//! API sets: names of contracts that stand for the DLL that has the functions here.
//!
//! `api-ms-win-core-file-l1-2-1.dll` is no file. Which DLL it means, a map says that the kernel puts into each process
//! (`PEB.ApiSetMap`), of which schema version 6 is read here. Where there is no map, a short table of our own answers.
//!
//! The last number of a name, a revision, is not compared: a program that was linked against a later revision of
//! a contract finds the one that is there, and misses single functions if at all.
//!
//! The map comes from the kernel, but it is memory of the process: every offset is checked.

use nt_abi::loader::{ApiSetHashEntry, ApiSetNamespace, ApiSetNamespaceEntry, ApiSetValueEntry};
use rtl::{Case, Utf16Str};
use zerocopy::FromBytes;

use crate::names::{EXTENSION, is_api_set};
use crate::number::index;

mod built_in;

const HYPHEN: u16 = b'-' as u16;

/// What a name means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolution<'a> {
    /// It names no API set, or one that nobody knows: it may be a file.
    NotASet,
    /// The name of the DLL that has it. Two bytes for each unit, lower one first, if it comes from a map.
    Host(HostName<'a>),
    /// Nobody has it on this system.
    Nobody,
}

/// The name of a DLL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostName<'a> {
    /// From the map: UTF-16, lower bytes first.
    Bytes(&'a [u8]),
    /// From our own table.
    Text(Utf16Str<'static>),
}

impl HostName<'_> {
    /// Its units.
    pub fn units(&self) -> impl Iterator<Item = u16> + '_ {
        let (bytes, text): (&[u8], &[u16]) = match self {
            Self::Bytes(bytes) => (bytes, &[]),
            Self::Text(text) => (&[], text.units()),
        };
        units(bytes).chain(text.iter().copied())
    }
}

/// Finds what a name means, by the map if there is one of version 6, else by the table.
///
/// `importer` is the base name of the module that wants it; some sets mean another DLL for one of their hosts.
pub fn resolve<'a>(
    map: Option<&'a [u8]>,
    name: Utf16Str<'_>,
    importer: Option<Utf16Str<'_>>,
) -> Resolution<'a> {
    if !is_api_set(name) {
        return Resolution::NotASet;
    }
    let contract = contract_of(name);
    let Some(map) = map.filter(|map| version(map) == Some(6)) else {
        return match built_in::host(contract) {
            Some(host) => Resolution::Host(HostName::Text(host)),
            None => Resolution::NotASet,
        };
    };
    match find(map, contract) {
        Some(entry) => match value(map, &entry, importer) {
            Some(host) if !host.is_empty() => Resolution::Host(HostName::Bytes(host)),
            _ => Resolution::Nobody,
        },
        None => Resolution::NotASet,
    }
}

/// The name without its extension and without the last number.
fn contract_of(name: Utf16Str<'_>) -> Utf16Str<'_> {
    let mut units = name.units();
    if units.len() > EXTENSION.len() {
        let (rest, end) = units.split_at(units.len() - EXTENSION.len());
        if Utf16Str::new(end).equals(EXTENSION, Case::Insensitive) {
            units = rest;
        }
    }
    let end = units.iter().rposition(|unit| *unit == HYPHEN);
    Utf16Str::new(units.get(..end.unwrap_or(units.len())).unwrap_or_default())
}

/// The version of a map.
fn version(map: &[u8]) -> Option<u32> {
    read::<u32>(map, 0)
}

/// The structure at an offset.
fn read<T: FromBytes>(map: &[u8], offset: u32) -> Option<T> {
    let bytes = map.get(index(offset)..)?;
    T::read_from_prefix(bytes).ok().map(|(value, _)| value)
}

/// The element of a table.
fn element<T: FromBytes>(map: &[u8], table: u32, number: u32) -> Option<T> {
    let size = u32::try_from(size_of::<T>()).ok()?;
    read(map, table.checked_add(number.checked_mul(size)?)?)
}

fn units(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(|unit| {
        unit.first_chunk()
            .map_or(0, |unit| u16::from_le_bytes(*unit))
    })
}

fn text(map: &[u8], offset: u32, bytes: u32) -> Option<&[u8]> {
    map.get(index(offset)..)?.get(..index(bytes))
}

/// The small letter of an ASCII capital: hashes are of small letters.
fn small(unit: u16) -> u16 {
    match unit {
        0x41..=0x5A => unit + 0x20,
        _ => unit,
    }
}

/// Finds the entry of a contract.
fn find(map: &[u8], contract: Utf16Str<'_>) -> Option<ApiSetNamespaceEntry> {
    let header: ApiSetNamespace = read(map, 0)?;
    let map = map.get(..index(header.size)).unwrap_or(map);
    let hash = contract.units().iter().fold(0_u32, |hash, unit| {
        hash.wrapping_mul(header.hash_factor)
            .wrapping_add(u32::from(small(*unit)))
    });
    let (mut low, mut high) = (0, header.count);
    while low < high {
        let middle = low + (high - low) / 2;
        let found: ApiSetHashEntry = element(map, header.hash_offset, middle)?;
        if found.hash < hash {
            low = middle + 1;
        } else if found.hash > hash {
            high = middle;
        } else {
            let entry: ApiSetNamespaceEntry = element(map, header.entry_offset, found.index)?;
            let name = text(map, entry.name_offset, entry.hashed_length)?;
            let same = units(name)
                .map(small)
                .eq(contract.units().iter().copied().map(small));
            return same.then_some(entry);
        }
    }
    None
}

/// Who has a contract: for that importer, or for all.
fn value<'a>(
    map: &'a [u8],
    entry: &ApiSetNamespaceEntry,
    importer: Option<Utf16Str<'_>>,
) -> Option<&'a [u8]> {
    let at = |number: u32| element::<ApiSetValueEntry>(map, entry.value_offset, number);
    if let Some(importer) = importer {
        // The values for single importers follow the general one; there are two or three.
        for number in 1..entry.value_count {
            let found = at(number)?;
            let name = text(map, found.name_offset, found.name_length)?;
            if units(name)
                .map(small)
                .eq(importer.units().iter().copied().map(small))
            {
                return text(map, found.value_offset, found.value_length);
            }
        }
    }
    if entry.value_count == 0 {
        return None;
    }
    let general = at(0)?;
    text(map, general.value_offset, general.value_length)
}

#[cfg(test)]
mod tests;
