//! Atoms: strings that all processes know by the same number.

use alloc::vec::Vec;

use ::ex::atom::{self, GLOBAL, LONGEST};
use nt_abi::services::arguments::{AtomInformationClass, OptionalInBytes, OptionalOut, OutBytes};
use nt_abi::{NtResult, NtStatus};
use rtl::utf16::{Utf16Str, Utf16String};

use crate::Caller;
use crate::capture::{self, Pointer, read_bytes};

/// `RTL_ATOM_PINNED`, as `ATOM_BASIC_INFORMATION` tells it.
const PINNED: u16 = 1;
/// `ATOM_FLAG_GLOBAL`: not the table of the caller's container; there are no containers.
const FLAG_GLOBAL: u32 = 2;
/// Addresses below this one are numbers where a string is expected.
const NO_ADDRESS: u64 = 0x1_0000;

/// A captured string, or the number that stands in its place.
enum Name {
    String(Utf16String),
    Number(u16),
}

/// Captures a string of `length` bytes; it ends at its first zero.
fn name(address: u64, length: u32) -> NtResult<Name> {
    let length = length as usize;
    if length > LONGEST * 2 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if address < NO_ADDRESS {
        let [low, high, ..] = address.to_le_bytes();
        return atom::number(u16::from_le_bytes([low, high])).map(Name::Number);
    }
    if !address.is_multiple_of(2) {
        return Err(NtStatus::DATATYPE_MISALIGNMENT);
    }
    let bytes = read_bytes(address, length, LONGEST * 2)?;
    let mut string = Utf16String::new();
    for pair in bytes.chunks_exact(2) {
        let unit = u16::from_le_bytes([pair[0], pair[1]]);
        if unit == 0 {
            break;
        }
        string.push_unit(unit).map_err(NtStatus::from)?;
    }
    Ok(Name::String(string))
}

/// What adding and finding have in common.
fn look_up(
    atom_name: OptionalInBytes,
    length: u32,
    atom: OptionalOut<u16>,
    find: impl FnOnce(Utf16Str<'_>) -> NtResult<u16>,
) -> NtResult {
    let name = name(atom_name.address(), length)?;
    atom.probe_optional::<u16>()?;
    let found = match name {
        Name::Number(number) => number,
        Name::String(string) => find(string.as_str())?,
    };
    atom.write_optional(&found)
}

pub(crate) fn nt_add_atom(
    caller: &Caller<'_>,
    atom_name: OptionalInBytes,
    length: u32,
    atom: OptionalOut<u16>,
) -> NtResult {
    nt_add_atom_ex(caller, atom_name, length, atom, 0)
}

pub(crate) fn nt_add_atom_ex(
    _caller: &Caller<'_>,
    atom_name: OptionalInBytes,
    length: u32,
    atom: OptionalOut<u16>,
    flags: u32,
) -> NtResult {
    if flags & !FLAG_GLOBAL != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    look_up(atom_name, length, atom, |name| GLOBAL.add(name))
}

pub(crate) fn nt_find_atom(
    _caller: &Caller<'_>,
    atom_name: OptionalInBytes,
    length: u32,
    atom: OptionalOut<u16>,
) -> NtResult {
    look_up(atom_name, length, atom, |name| GLOBAL.find(name))
}

pub(crate) fn nt_delete_atom(_caller: &Caller<'_>, atom: u16) -> NtResult<NtStatus> {
    Ok(if GLOBAL.delete(atom)? {
        NtStatus::WAS_LOCKED
    } else {
        NtStatus::SUCCESS
    })
}

/// Bytes of `ATOM_BASIC_INFORMATION` before the name: references, flags, length.
const BASIC_HEAD: usize = 6;
/// Bytes of `ATOM_TABLE_INFORMATION` before the list: the number of atoms.
const TABLE_HEAD: usize = 4;

pub(crate) fn nt_query_information_atom(
    _caller: &Caller<'_>,
    atom: u16,
    class: AtomInformationClass,
    information: OutBytes,
    length: u32,
    return_length: OptionalOut<u32>,
) -> NtResult {
    return_length.probe_optional::<u32>()?;
    let room = length as usize;
    let answer = match class.0 {
        0 => basic(atom, information, room)?,
        1 => table(room)?,
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    };
    capture::write_bytes(information.address(), &answer)?;
    let written = u32::try_from(answer.len()).map_err(|_| NtStatus::INFO_LENGTH_MISMATCH)?;
    return_length.write_optional(&written)
}

fn bytes(capacity: usize) -> NtResult<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(capacity)
        .map_err(|_| NtStatus::NO_MEMORY)?;
    Ok(bytes)
}

/// `AtomBasicInformation`. A name that does not fit is cut; if not one letter fits beside the zero at its end, the answer
/// is `BUFFER_TOO_SMALL` and the length that it has.
fn basic(atom: u16, information: OutBytes, room: usize) -> NtResult<Vec<u8>> {
    if room < BASIC_HEAD {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    let known = GLOBAL.query(atom)?;
    let units = known.name.as_str().units();
    let fits = ((room - BASIC_HEAD) / 2).saturating_sub(1);
    let shown = units.get(..fits).unwrap_or(units);
    let told = if shown.is_empty() { units } else { shown };
    let told = u16::try_from(told.len() * 2).map_err(|_| NtStatus::NO_MEMORY)?;
    let flags = if known.pinned { PINNED } else { 0 };
    let mut answer = bytes(BASIC_HEAD + (shown.len() + 1) * 2)?;
    for head in [known.references, flags, told] {
        answer.extend(head.to_le_bytes());
    }
    if shown.is_empty() {
        capture::write_bytes(information.address(), &answer)?;
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    for unit in shown.iter().chain(&[0]) {
        answer.extend(unit.to_le_bytes());
    }
    Ok(answer)
}

/// `AtomTableInformation`: the number of atoms, and as many as fit.
fn table(room: usize) -> NtResult<Vec<u8>> {
    if room < TABLE_HEAD {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    let atoms = GLOBAL.list()?;
    let count = u32::try_from(atoms.len()).map_err(|_| NtStatus::NO_MEMORY)?;
    let fits = (room - TABLE_HEAD) / 2;
    if atoms.len() > fits {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    let mut answer = bytes(TABLE_HEAD + atoms.len() * 2)?;
    answer.extend(count.to_le_bytes());
    for atom in atoms {
        answer.extend(atom.to_le_bytes());
    }
    Ok(answer)
}
