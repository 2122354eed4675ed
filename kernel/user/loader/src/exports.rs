//! Finding exports fast.
//!
//! A program start resolves hundreds of names, mostly those of a few DLLs, and each by itself must be cheap. So:
//!
//! - A module's export directory is checked once; where its tables are is kept in the module's record.
//! - Nothing is copied. Names are compared where they are, eight bytes at a time.
//! - A name is first looked for where the importer's hint says, then near the name that was found last: linkers sort
//!   both the imports of a module and the names of exports, so the next one is a few names further on. The search from
//!   there doubles its steps; for names in no order it costs twice a binary search.
//!
//! An address inside the export directory is a text, `MODULE.Name` or `MODULE.#ordinal`: the export is another module's.

use core::cmp::Ordering;
use core::sync::atomic::Ordering::Relaxed;

use c_interface::Ptr;
use nt_abi::{NtResult, NtStatus};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::module::{Module, Place, own};
use crate::number::index;
use crate::view::{BAD, View};

/// Length of the directory's header.
const HEADER: u32 = 40;

/// What the directory was found to be.
const NONE: u32 = 1;
const GOOD: u32 = 2;
const DAMAGED: u32 = 3;

/// Where the tables of a module's exports are, once they were found good.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct ExportTable {
    state: u32,
    pub(crate) directory: Place,
    ordinal_base: u32,
    functions_rva: u32,
    function_count: u32,
    names_rva: u32,
    name_count: u32,
    name_ordinals_rva: u32,
    /// Where the next name is expected.
    cursor: u32,
}

/// What an export is called.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Symbol<'a> {
    /// A name, which ends at its NUL or with the bytes; and where it probably is in the table of names, 0 if nobody knows.
    Name(&'a [u8], u16),
    /// A number.
    Ordinal(u32),
}

/// What an export leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// An address.
    Address(Ptr<u8>),
    /// A text in the image that says where it is.
    Forwarder(u32),
}

/// The exports of a module.
pub(crate) struct Exports {
    module: Module,
    view: View,
    table: ExportTable,
}

impl Exports {
    /// The exports of a module; `None` if it has none.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: a table is not in the image.
    pub(crate) fn of(module: Module) -> NtResult<Option<Self>> {
        let view = module.view();
        let table = own!(module, exports).read();
        match table.state {
            GOOD => Ok(Some(Self {
                module,
                view,
                table,
            })),
            NONE => Ok(None),
            _ => Err(BAD),
        }
    }

    /// Finds an export.
    ///
    /// # Errors
    /// - `ENTRYPOINT_NOT_FOUND`, `ORDINAL_NOT_FOUND`: there is none, or it has no address.
    /// - `INVALID_IMAGE_FORMAT`: the table is damaged.
    pub(crate) fn find(&mut self, symbol: Symbol<'_>) -> NtResult<Target> {
        match symbol {
            Symbol::Name(name, hint) => {
                let number = self
                    .find_name(name, u32::from(hint))?
                    .ok_or(NtStatus::ENTRYPOINT_NOT_FOUND)?;
                let ordinals = self.view.base.byte_add(index(self.table.name_ordinals_rva));
                // The table was found to be in the image, and the number is one of its entries'.
                let function = ordinals.cast::<u16>().add(index(number)).read();
                if u32::from(function) >= self.table.function_count {
                    return Err(BAD);
                }
                self.function(u32::from(function))
                    .ok_or(NtStatus::ENTRYPOINT_NOT_FOUND)
            }
            Symbol::Ordinal(ordinal) => ordinal
                .checked_sub(self.table.ordinal_base)
                .filter(|number| *number < self.table.function_count)
                .and_then(|number| self.function(number))
                .ok_or(NtStatus::ORDINAL_NOT_FOUND),
        }
    }

    /// What a number below the count leads to; `None` for an empty place.
    fn function(&self, number: u32) -> Option<Target> {
        let functions = self.view.base.byte_add(index(self.table.functions_rva));
        let rva = functions.cast::<u32>().add(index(number)).read();
        if rva == 0 {
            return None;
        }
        let directory = self.table.directory;
        if rva.wrapping_sub(directory.rva) < directory.size {
            return Some(Target::Forwarder(rva));
        }
        Some(Target::Address(self.view.base.byte_add(index(rva))))
    }

    /// Where a name is in the table of names.
    fn find_name(&mut self, name: &[u8], hint: u32) -> NtResult<Option<u32>> {
        let found = self.search(name, hint)?;
        if let Some(number) = found {
            self.table.cursor = number + 1;
            // Threads that look at the same time may each set it: it is a guess.
            let cursor = own!(self.module, exports.cursor);
            cursor.atomic().store(number + 1, Relaxed);
        }
        Ok(found)
    }

    fn search(&self, name: &[u8], hint: u32) -> NtResult<Option<u32>> {
        let count = self.table.name_count;
        let bytes = self.view.bytes();
        let names = self
            .view
            .base
            .byte_add(index(self.table.names_rva))
            .cast::<u32>();
        let look = |number: u32| -> NtResult<Ordering> {
            let rva = names.add(index(number)).read();
            Ok(compare(bytes.get(index(rva)..).ok_or(BAD)?, name))
        };
        if hint != 0 && hint < count && look(hint)? == Ordering::Equal {
            return Ok(Some(hint));
        }
        // What is sought is in low..high.
        let (mut low, mut high) = (0, count);
        let start = self.table.cursor;
        if start < count {
            match look(start)? {
                Ordering::Equal => return Ok(Some(start)),
                Ordering::Greater => high = start,
                Ordering::Less => {
                    low = start + 1;
                    let mut step = 1;
                    while let Some(probe) = low.checked_add(step).filter(|probe| *probe < high) {
                        match look(probe)? {
                            Ordering::Equal => return Ok(Some(probe)),
                            Ordering::Greater => high = probe,
                            Ordering::Less => {
                                low = probe + 1;
                                step = step.saturating_mul(2);
                            }
                        }
                    }
                }
            }
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match look(middle)? {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(Some(middle)),
            }
        }
        Ok(None)
    }
}

/// Looks at an export directory.
pub(crate) fn read_table(view: &View, directory: Place) -> ExportTable {
    let mut table = ExportTable {
        directory,
        state: NONE,
        ..ExportTable::default()
    };
    if directory.rva != 0 {
        table.state = match fill_table(view, &mut table) {
            Ok(()) => GOOD,
            Err(_) => DAMAGED,
        };
    }
    table
}

fn fill_table(view: &View, table: &mut ExportTable) -> NtResult {
    let header = view.place::<[u32; 10]>(table.directory.rva, HEADER)?.read();
    let [
        _,
        _,
        _,
        _,
        base,
        functions,
        names,
        functions_rva,
        names_rva,
        ordinals_rva,
    ] = header;
    let check = |rva: u32, count: u32, entry: u32| -> NtResult {
        if count == 0 {
            return Ok(());
        }
        let bytes = count.checked_mul(entry).ok_or(BAD)?;
        view.place::<u8>(rva, bytes).map(drop)
    };
    check(functions_rva, functions, 4)?;
    check(names_rva, names, 4)?;
    check(ordinals_rva, names, 2)?;
    table.ordinal_base = base;
    table.functions_rva = functions_rva;
    table.function_count = functions;
    table.names_rva = names_rva;
    table.name_count = names;
    table.name_ordinals_rva = ordinals_rva;
    Ok(())
}

/// Compares two strings, of which each ends at its NUL, or with its bytes, or after as many as are compared at all.
fn compare(left: &[u8], right: &[u8]) -> Ordering {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (mut left, mut right) = (left, right);
    for _ in 0..pe::MAX_NAME / 8 {
        let (Some((a, left_rest)), Some((b, right_rest))) = (
            left.split_first_chunk::<8>(),
            right.split_first_chunk::<8>(),
        ) else {
            return compare_bytes(left, right);
        };
        let (a, b) = (u64::from_le_bytes(*a), u64::from_le_bytes(*b));
        // The lowest bit that is set here is in the first byte that is zero.
        let zeros = a.wrapping_sub(ONES) & !a & (ONES << 7);
        let different = a ^ b;
        if different | zeros != 0 {
            let same = different.trailing_zeros() & !7;
            if zeros.trailing_zeros() & !7 < same {
                return Ordering::Equal;
            }
            return (a >> same & 0xFF).cmp(&(b >> same & 0xFF));
        }
        (left, right) = (left_rest, right_rest);
    }
    Ordering::Equal
}

/// The same, byte by byte.
#[cold]
fn compare_bytes(left: &[u8], right: &[u8]) -> Ordering {
    let ended = |bytes: &'_ [u8], at: usize| bytes.get(at).copied().unwrap_or_default();
    for at in 0..pe::MAX_NAME {
        let (a, b) = (ended(left, at), ended(right, at));
        if a != b || a == 0 {
            return a.cmp(&b);
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use rtl::Random;

    use super::*;

    /// What C's `strcmp` says of strings that may lack their NUL.
    fn model(left: &[u8], right: &[u8]) -> Ordering {
        let cut = |bytes: &[u8]| -> Vec<u8> {
            bytes
                .iter()
                .copied()
                .take_while(|byte| *byte != 0)
                .collect()
        };
        cut(left).cmp(&cut(right))
    }

    #[test]
    fn strings_compare_as_in_c() {
        let mut random = Random::new(7);
        for _ in 0..200_000 {
            let mut string = || -> Vec<u8> {
                let length = random.index(40);
                let mut bytes: Vec<u8> = (0..length)
                    .map(|_| [b'a', b'b', 0x80, 0xFF][random.index(4)])
                    .collect();
                if random.index(2) == 0 {
                    bytes.fill(b'a');
                }
                if random.index(8) != 0 {
                    let at = random.index(bytes.len() + 1);
                    bytes.insert(at, 0);
                }
                bytes
            };
            let (left, right) = (string(), string());
            assert_eq!(
                compare(&left, &right),
                model(&left, &right),
                "{left:?} {right:?}"
            );
        }
    }
}
