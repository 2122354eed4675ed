//! Unwind data for code that is in no image: a program made it at run time.
//!
//! Such tables are in a list that debuggers read (`RtlGetFunctionTableListHead`), under the lock of the module lists.
//!
//! # NT
//! `RtlAddFunctionTable`, `RtlInstallFunctionTableCallback`, `RtlDeleteFunctionTable`, and the growable tables.

use c_interface::{Ptr, field};
use nt_abi::loader::FunctionTableType;
use nt_abi::native::{DynamicFunctionTable, ListEntry};
use nt_abi::{NtResult, NtStatus};
use pe::Machine;

use crate::list;
use crate::loader::Loader;
use crate::number::index;
use crate::registry::block;
use crate::system::System;

/// Who describes the code at an address that is in no image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DynamicFunctions {
    /// A table of functions.
    Table {
        /// Its first entry.
        entries: Ptr<u8>,
        /// How many entries it has.
        count: u32,
        /// What the entries' offsets are relative to.
        base: Ptr<u8>,
        /// Whether the entries are sorted.
        sorted: bool,
    },
    /// A function that finds the entry: `PGET_RUNTIME_FUNCTION_CALLBACK`.
    Callback {
        /// The function.
        function: Ptr<u8>,
        /// What it gets as its second argument.
        context: usize,
        /// What the entry's offsets are relative to.
        base: Ptr<u8>,
    },
}

/// A table of functions that a program made.
#[derive(Clone, Copy, Debug)]
pub struct NewFunctionTable {
    /// Its first entry; for a callback, the number that identifies it.
    pub entries: Ptr<u8>,
    /// How many entries are in use.
    pub count: u32,
    /// What the entries' offsets are relative to.
    pub base: Ptr<u8>,
    /// The first address of the code.
    pub start: usize,
    /// The first address behind the code.
    pub end: usize,
}

impl<S: System> Loader<S> {
    /// Adds a table for code that is in no image. Its code begins with the lowest entry and ends with the highest one's end.
    ///
    /// # Errors
    /// `NO_MEMORY`; `INVALID_PARAMETER`: the table has no entries.
    #[doc(alias = "RtlAddFunctionTable")]
    pub fn add_functions(&self, entries: Ptr<u8>, count: u32, base: Ptr<u8>) -> NtResult {
        let (mut start, mut end, mut sorted) = (usize::MAX, 0, true);
        for number in 0..index(count) {
            let (first, last) = self.function_bounds(entries, number, base);
            sorted &= number == 0 || first >= self.function_bounds(entries, number - 1, base).0;
            start = start.min(first);
            end = end.max(last);
        }
        if count == 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let table = NewFunctionTable {
            entries,
            count,
            base,
            start,
            end,
        };
        let kind = if sorted {
            FunctionTableType::SORTED
        } else {
            FunctionTableType::UNSORTED
        };
        self.keep_functions(&table, kind, Ptr::NULL, 0, Ptr::NULL)
            .map(drop)
    }

    /// Adds a table that grows at its end, within a range of addresses. Gives the handle for growing and removing it.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    #[doc(alias = "RtlAddGrowableFunctionTable")]
    pub fn add_growable_functions(&self, table: &NewFunctionTable) -> NtResult<Ptr<u8>> {
        let kind = FunctionTableType::KERNEL_DYNAMIC;
        self.keep_functions(table, kind, Ptr::NULL, 0, Ptr::NULL)
    }

    /// Says that a growable table has more entries now. A handle that is none is ignored, and so are fewer entries.
    #[doc(alias = "RtlGrowFunctionTable")]
    pub fn grow_functions(&self, handle: Ptr<u8>, count: u32) {
        let Some(registry) = self.registry() else {
            return;
        };
        let _lists = self.write_modules();
        let found = list::entries(block!(registry, function_tables))
            .map(Ptr::<ListEntry>::cast::<DynamicFunctionTable>)
            .find(|table| table.address() == handle.address());
        if let Some(table) = found {
            let entries = field!(table, DynamicFunctionTable, entry_count);
            entries.write(entries.read().max(count));
        }
    }

    /// Removes a growable table.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: the handle is none.
    #[doc(alias = "RtlDeleteGrowableFunctionTable")]
    pub fn delete_growable_functions(&self, handle: Ptr<u8>) -> NtResult {
        self.delete_where(|table| table.address() == handle.address())
    }

    /// Adds a function that describes the code in a range of addresses. `out_of_process` is the name of a DLL for
    /// debuggers, or null.
    ///
    /// # Errors
    /// - `INVALID_PARAMETER`: the identifier's low two bits are not both set, as they are to tell it from a table.
    /// - `NO_MEMORY`.
    #[doc(alias = "RtlInstallFunctionTableCallback")]
    pub fn add_function_callback(
        &self,
        identifier: usize,
        (base, length): (Ptr<u8>, u32),
        function: Ptr<u8>,
        context: usize,
        out_of_process: Ptr<u16>,
    ) -> NtResult {
        if identifier & 3 != 3 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let table = NewFunctionTable {
            entries: Ptr::new(identifier),
            count: 0,
            base,
            start: base.address(),
            end: base.address().saturating_add(index(length)),
        };
        let kind = FunctionTableType::CALLBACK;
        self.keep_functions(&table, kind, function, context, out_of_process)
            .map(drop)
    }

    /// Removes a table by its first entry, or a callback by its identifier.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: there is none.
    #[doc(alias = "RtlDeleteFunctionTable")]
    pub fn delete_functions(&self, entries: usize) -> NtResult {
        let raw = Ptr::<u8>::new(entries).raw();
        self.delete_where(|table| {
            let kind = field!(table, DynamicFunctionTable, kind).read();
            kind != FunctionTableType::KERNEL_DYNAMIC
                && field!(table, DynamicFunctionTable, function_table).read() == raw
        })
    }

    fn delete_where(&self, wanted: impl Fn(Ptr<DynamicFunctionTable>) -> bool) -> NtResult {
        let registry = self.modules()?;
        let found = {
            let _lists = self.write_modules();
            let found = list::entries(block!(registry, function_tables))
                .map(Ptr::<ListEntry>::cast::<DynamicFunctionTable>)
                .find(|table| wanted(*table));
            let found = found.ok_or(NtStatus::INVALID_PARAMETER)?;
            list::remove(found.cast());
            found
        };
        self.system.free(found.cast());
        Ok(())
    }

    fn keep_functions(
        &self,
        table: &NewFunctionTable,
        kind: FunctionTableType,
        callback: Ptr<u8>,
        context: usize,
        out_of_process: Ptr<u16>,
    ) -> NtResult<Ptr<u8>> {
        let registry = self.modules()?;
        let block = self
            .system
            .allocate(size_of::<DynamicFunctionTable>())
            .ok_or(NtStatus::NO_MEMORY)?;
        let address = |value: usize| Ptr::<u8>::new(value).raw();
        block
            .cast::<DynamicFunctionTable>()
            .write(DynamicFunctionTable {
                function_table: table.entries.raw(),
                time_stamp: self.system.time(),
                minimum_address: address(table.start),
                maximum_address: address(table.end),
                base_address: table.base.raw(),
                callback: callback.raw(),
                context: address(context),
                out_of_process_callback_dll: out_of_process.raw(),
                kind,
                entry_count: table.count,
                ..DynamicFunctionTable::default()
            });
        let _lists = self.write_modules();
        list::insert_tail(block!(registry, function_tables), block.cast());
        Ok(block)
    }

    /// Finds who describes the code at an address that is in no image.
    ///
    /// # Locks
    /// That of the module lists, shared.
    pub fn dynamic_functions(&self, address: usize) -> Option<DynamicFunctions> {
        let registry = self.registry()?;
        let head = block!(registry, function_tables);
        if list::next(head) == head {
            return None;
        }
        let _lists = self.read_modules();
        for links in list::entries(head) {
            let table = links.cast::<DynamicFunctionTable>().read();
            let start = Ptr::<u8>::at(table.minimum_address).address();
            let end = Ptr::<u8>::at(table.maximum_address).address();
            if !(start..end).contains(&address) {
                continue;
            }
            let base = Ptr::at(table.base_address);
            return Some(if table.kind == FunctionTableType::CALLBACK {
                DynamicFunctions::Callback {
                    function: Ptr::at(table.callback),
                    context: Ptr::<u8>::at(table.context).address(),
                    base,
                }
            } else {
                DynamicFunctions::Table {
                    entries: Ptr::at(table.function_table),
                    count: table.entry_count,
                    base,
                    sorted: table.kind != FunctionTableType::UNSORTED,
                }
            });
        }
        None
    }

    /// Finds the entry for an address in a table: the last one that begins at or before it, if it does not end before.
    pub fn dynamic_function(&self, found: &DynamicFunctions, address: usize) -> Option<Ptr<u8>> {
        let DynamicFunctions::Table {
            entries,
            count,
            base,
            sorted,
        } = *found
        else {
            return None;
        };
        let count = index(count);
        let contains = |number: &usize| {
            let (start, end) = self.function_bounds(entries, *number, base);
            (start..end).contains(&address)
        };
        let number = if sorted {
            let (mut low, mut high) = (0, count);
            while low < high {
                let middle = low + (high - low) / 2;
                if self.function_bounds(entries, middle, base).0 <= address {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            low.checked_sub(1).filter(contains)?
        } else {
            (0..count).find(contains)?
        };
        Some(entries.byte_add(number * self.function_size()))
    }

    /// The list of tables for code that is in no image; null before the process is initialised.
    #[doc(alias = "RtlGetFunctionTableListHead")]
    pub fn function_table_list(&self) -> Ptr<ListEntry> {
        self.registry()
            .map_or(Ptr::NULL, |registry| block!(registry, function_tables))
    }

    /// Bytes of an entry.
    fn function_size(&self) -> usize {
        if self.machine() == Machine::AMD64 {
            12
        } else {
            8
        }
    }

    /// Where a function begins and ends.
    fn function_bounds(&self, entries: Ptr<u8>, number: usize, base: Ptr<u8>) -> (usize, usize) {
        let entry = entries
            .byte_add(number * self.function_size())
            .cast::<u32>();
        let (begin, second) = (entry.read(), entry.add(1).read());
        let at = |rva: u32| base.byte_add(index(rva)).address();
        match self.machine() {
            Machine::AMD64 => (at(begin), at(second)),
            machine => {
                // The unwind word itself, or a record, says how long the function is, in instructions.
                let unit = if machine == Machine::ARM64 { 4 } else { 2 };
                // The lowest bit of an address on ARM says Thumb.
                let begin = if unit == 2 { begin & !1 } else { begin };
                let length = if second & 3 == 0 {
                    base.byte_add(index(second)).cast::<u32>().read() & 0x3_FFFF
                } else {
                    second >> 2 & 0x7FF
                };
                (at(begin), at(begin).saturating_add(index(length) * unit))
            }
        }
    }
}
