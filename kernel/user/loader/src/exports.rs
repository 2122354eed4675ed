//! Finding exports fast.
//!
//! A program start resolves hundreds of names, mostly those of a few DLLs, and each by itself must be cheap. So:
//!
//! - A module's export directory is checked once; where its tables are is kept in the module's record.
//! - Nothing is copied. Names are compared where they are, eight bytes at a time.
//! - A name is first looked for where the importer's hint says, then near the name that was found last: linkers sort
//!   both the imports of a module and the names of exports, so the next one is a few names further on.
//!
//! An address inside the export directory is a text, `MODULE.Name` or `MODULE.#ordinal`: the export is another module's.

use core::cmp::Ordering;
use core::sync::atomic::Ordering::Relaxed;

use c_interface::Ptr;
use nt_abi::{NtResult, NtStatus};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::module::{Module, Place, own};
use crate::number::index;
use crate::symbols::{Key, same};
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
    /// Behind the name that was found last.
    cursor: u32,
    /// How far names that were sought one after the other are from each other.
    stride: u32,
    /// So that what follows is aligned.
    reserved: u32,
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

/// The status for an export that is not there.
pub(crate) const fn missing(symbol: Symbol<'_>) -> NtStatus {
    match symbol {
        Symbol::Name(..) => NtStatus::ENTRYPOINT_NOT_FOUND,
        Symbol::Ordinal(_) => NtStatus::ORDINAL_NOT_FOUND,
    }
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
    /// `ENTRYPOINT_NOT_FOUND`, `ORDINAL_NOT_FOUND`: there is none, or it has no address.
    pub(crate) fn find(&mut self, symbol: Symbol<'_>) -> NtResult<Target> {
        let rva = self.find_rva(symbol).ok_or(missing(symbol))?;
        Ok(if self.is_forwarder(rva) {
            Target::Forwarder(rva)
        } else {
            Target::Address(self.view.base.byte_add(index(rva)))
        })
    }

    /// Finds where an export is; `None` if there is none, or it has no address.
    #[inline]
    pub(crate) fn find_rva(&mut self, symbol: Symbol<'_>) -> Option<u32> {
        let number = match symbol {
            Symbol::Name(name, hint) => {
                let number = self.find_name(name, u32::from(hint))?;
                let ordinals = self.view.base.byte_add(index(self.table.name_ordinals_rva));
                // The table was found to be in the image, and the number is one of its entries'.
                u32::from(ordinals.cast::<u16>().add(index(number)).read())
            }
            Symbol::Ordinal(ordinal) => ordinal.checked_sub(self.table.ordinal_base)?,
        };
        if number >= self.table.function_count {
            return None;
        }
        let functions = self.view.base.byte_add(index(self.table.functions_rva));
        let rva = functions.cast::<u32>().add(index(number)).read();
        (rva != 0).then_some(rva)
    }

    /// Whether there is a text at an export's place that says where it is.
    #[inline]
    pub(crate) fn is_forwarder(&self, rva: u32) -> bool {
        rva.wrapping_sub(self.table.directory.rva) < self.table.directory.size
    }

    /// Where a name is in the table of names.
    #[inline]
    fn find_name(&mut self, name: &[u8], hint: u32) -> Option<u32> {
        let found = if hint != 0 && hint < self.table.name_count && self.is_named(hint, name) {
            Some(hint)
        } else {
            self.search(name)
        };
        if let Some(number) = found {
            self.table.expect_after(number);
            // Threads that look at the same time may each set these: they are guesses.
            let (cursor, stride) = (self.table.cursor, self.table.stride);
            own!(self.module, exports.cursor)
                .atomic()
                .store(cursor, Relaxed);
            own!(self.module, exports.stride)
                .atomic()
                .store(stride, Relaxed);
        }
        found
    }

    /// Where the name with a number is. The table was found to be in the image, and the number is below its count.
    #[inline]
    fn name_rva(&self, number: u32) -> u32 {
        let names = self.view.base.byte_add(index(self.table.names_rva));
        names.cast::<u32>().add(index(number)).read()
    }

    #[inline]
    fn is_named(&self, number: u32, name: &[u8]) -> bool {
        self.view
            .from(self.name_rva(number))
            .is_some_and(|found| same(found, name))
    }

    #[inline(never)]
    fn search(&self, name: &[u8]) -> Option<u32> {
        let mut key = Key::new(name, &self.view);
        key.read();
        self.table
            .search(|number| key.compare_at(self.name_rva(number)))
    }
}

impl ExportTable {
    /// Searches the table of names; `look` says how the name with a number compares with the one that is sought.
    ///
    /// The first look is where the name is expected. From there steps double, up or down, until the name is between
    /// two that were seen; then the middle is taken. Where names come in no order, the middle is taken from the start.
    #[inline]
    fn search(&self, look: impl Fn(u32) -> Ordering) -> Option<u32> {
        // What is sought is in low..high.
        let (mut low, mut high) = (0, self.name_count);
        if self.stride < LARGEST_STRIDE && high != 0 {
            let mut step = self.stride / 2 + 1;
            let mut probe = self.cursor.saturating_add(self.stride / 2).min(high - 1);
            match look(probe) {
                Ordering::Equal => return Some(probe),
                Ordering::Less => loop {
                    low = probe + 1;
                    probe = low.wrapping_add(step);
                    if probe >= high || step > high {
                        break;
                    }
                    step *= 2;
                    match look(probe) {
                        Ordering::Equal => return Some(probe),
                        Ordering::Less => {}
                        Ordering::Greater => {
                            high = probe;
                            break;
                        }
                    }
                },
                Ordering::Greater => loop {
                    high = probe;
                    if high <= step {
                        break;
                    }
                    probe = high - 1 - step;
                    step *= 2;
                    match look(probe) {
                        Ordering::Equal => return Some(probe),
                        Ordering::Less => {
                            low = probe + 1;
                            break;
                        }
                        Ordering::Greater => {}
                    }
                },
            }
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match look(middle) {
                Ordering::Equal => return Some(middle),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Notes where a name was, so that the next one is looked for behind it.
    #[inline]
    fn expect_after(&mut self, number: u32) {
        let leap = number.abs_diff(self.cursor).min(4 * LARGEST_STRIDE);
        self.stride = (self.stride + leap).div_ceil(2);
        self.cursor = number + 1;
    }
}

/// From this mean distance of names on, no place is expected.
const LARGEST_STRIDE: u32 = 64;

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
