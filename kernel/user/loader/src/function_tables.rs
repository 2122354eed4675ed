//! Whose code an address is in, for those who unwind stacks: images, and tables for code that is in no image.
//!
//! Unwinding asks this for every frame, in the middle of exceptions, maybe while another thread loads a DLL. So images are in
//! a table of their own that is read without a lock: sorted by address, with a number that changes with it. A reader
//! who sees the number change looks again, and after some times waits for the lock of the module lists instead, since
//! the one who changes the table may be a thread that does not get to run.
//!
//! Tables for code that a program made at run time are in a list that debuggers read (`RtlGetFunctionTableListHead`),
//! under the lock of the module lists.
//!
//! # NT
//! `KiUserInvertedFunctionTable`; `RtlLookupFunctionTable`, `RtlPcToFileHeader`, `RtlAddFunctionTable`,
//! `RtlInstallFunctionTableCallback`, `RtlDeleteFunctionTable`, and the growable tables.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};

use c_interface::{Ptr, field};
use nt_abi::loader::FunctionTableType;
use nt_abi::native::{DynamicFunctionTable, ListEntry};
use nt_abi::{NtResult, NtStatus};
use pe::Machine;

use crate::list;
use crate::loader::Loader;
use crate::module::{Module, own};
use crate::number::index;
use crate::registry::block;
use crate::system::System;

/// Images that the table has room for; those beyond are found in the module lists.
const ROOM: usize = 512;
/// How often a reader looks again before it waits.
const PATIENCE: u32 = 64;

/// An image that an address is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeImage {
    /// Its first byte.
    pub base: Ptr<u8>,
    /// Its bytes.
    pub size: u32,
    /// Its function table; null if it has none.
    pub functions: Ptr<u8>,
    /// The bytes of its function table.
    pub functions_size: u32,
}

struct Row {
    base: AtomicUsize,
    size: AtomicU32,
    functions_rva: AtomicU32,
    functions_size: AtomicU32,
}

impl Row {
    const fn new() -> Self {
        Self {
            base: AtomicUsize::new(0),
            size: AtomicU32::new(0),
            functions_rva: AtomicU32::new(0),
            functions_size: AtomicU32::new(0),
        }
    }

    fn copy_from(&self, other: &Self) {
        let copy = |to: &AtomicU32, from: &AtomicU32| {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        };
        self.base
            .store(other.base.load(Ordering::Relaxed), Ordering::Relaxed);
        copy(&self.size, &other.size);
        copy(&self.functions_rva, &other.functions_rva);
        copy(&self.functions_size, &other.functions_size);
    }

    fn read(&self) -> CodeImage {
        let base = Ptr::new(self.base.load(Ordering::Relaxed));
        let rva = self.functions_rva.load(Ordering::Relaxed);
        CodeImage {
            base,
            size: self.size.load(Ordering::Relaxed),
            functions: if rva == 0 {
                Ptr::NULL
            } else {
                base.byte_add(index(rva))
            },
            functions_size: self.functions_size.load(Ordering::Relaxed),
        }
    }
}

/// The images of the process by address.
pub(crate) struct CodeImages {
    /// Odd while the table changes.
    version: AtomicU32,
    count: AtomicUsize,
    /// Images that found no room.
    beyond: AtomicU32,
    rows: [Row; ROOM],
}

impl CodeImages {
    pub(crate) const fn new() -> Self {
        Self {
            version: AtomicU32::new(0),
            count: AtomicUsize::new(0),
            beyond: AtomicU32::new(0),
            rows: [const { Row::new() }; ROOM],
        }
    }

    fn rows(&self) -> &[Row] {
        let count = self.count.load(Ordering::Relaxed).min(ROOM);
        self.rows.get(..count).unwrap_or_default()
    }

    /// How many images begin at or below an address.
    fn at_or_below(&self, address: usize) -> usize {
        self.rows()
            .partition_point(|row| row.base.load(Ordering::Relaxed) <= address)
    }

    /// Changes the table, under the lock of the module lists.
    fn change(&self, act: impl FnOnce()) {
        let version = self.version.load(Ordering::Relaxed);
        self.version
            .store(version.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        act();
        self.version
            .store(version.wrapping_add(2), Ordering::Release);
    }

    fn insert(&self, image: &CodeImage, functions_rva: u32) {
        let count = self.count.load(Ordering::Relaxed);
        if count >= ROOM {
            self.beyond
                .store(self.beyond.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            return;
        }
        self.change(|| {
            let at = self.at_or_below(image.base.address());
            for number in (at..count).rev() {
                if let (Some(to), Some(from)) = (self.rows.get(number + 1), self.rows.get(number)) {
                    to.copy_from(from);
                }
            }
            if let Some(row) = self.rows.get(at) {
                row.base.store(image.base.address(), Ordering::Relaxed);
                row.size.store(image.size, Ordering::Relaxed);
                row.functions_rva.store(functions_rva, Ordering::Relaxed);
                row.functions_size
                    .store(image.functions_size, Ordering::Relaxed);
            }
            self.count.store(count + 1, Ordering::Relaxed);
        });
    }

    /// Takes an image out. Says whether it was there.
    fn remove(&self, base: Ptr<u8>) -> bool {
        let end = self.at_or_below(base.address());
        let Some(at) = end.checked_sub(1) else {
            return false;
        };
        let found = self
            .rows
            .get(at)
            .map(|row| row.base.load(Ordering::Relaxed));
        if found != Some(base.address()) {
            return false;
        }
        let count = self.count.load(Ordering::Relaxed);
        self.change(|| {
            for number in at + 1..count {
                if let (Some(to), Some(from)) = (self.rows.get(number - 1), self.rows.get(number)) {
                    to.copy_from(from);
                }
            }
            self.count.store(count - 1, Ordering::Relaxed);
        });
        true
    }

    fn find_now(&self, address: usize) -> Option<CodeImage> {
        let at = self.at_or_below(address).checked_sub(1)?;
        let image = self.rows.get(at)?.read();
        (address - image.base.address() < index(image.size)).then_some(image)
    }

    /// The image that an address is in; `Err` if the table changed all the time.
    fn find(&self, address: usize) -> Result<Option<CodeImage>, ()> {
        for _ in 0..PATIENCE {
            let before = self.version.load(Ordering::Acquire);
            if before.is_multiple_of(2) {
                let found = self.find_now(address);
                fence(Ordering::Acquire);
                if self.version.load(Ordering::Relaxed) == before {
                    return Ok(found);
                }
            }
            core::hint::spin_loop();
        }
        Err(())
    }
}

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
    pub(crate) fn add_function_table(&self, module: Module) {
        let exception = own!(module, exception).read();
        // A table outside of what can be read is none.
        let readable = module.view().place::<u8>(exception.rva, exception.size);
        let (rva, size) = if readable.is_ok() {
            (exception.rva, exception.size)
        } else {
            (0, 0)
        };
        let image = CodeImage {
            base: module.base(),
            size: module.size(),
            functions: Ptr::NULL,
            functions_size: size,
        };
        let _lists = self.write_modules();
        self.code_images.insert(&image, rva);
        module.set(nt_abi::loader::LdrEntryFlags::IN_EXCEPTION_TABLE, true);
    }

    pub(crate) fn remove_function_table(&self, module: Module) {
        let flag = nt_abi::loader::LdrEntryFlags::IN_EXCEPTION_TABLE;
        if !module.has(flag) {
            return;
        }
        let _lists = self.write_modules();
        module.set(flag, false);
        if !self.code_images.remove(module.base()) {
            let beyond = &self.code_images.beyond;
            beyond.store(
                beyond.load(Ordering::Relaxed).saturating_sub(1),
                Ordering::Relaxed,
            );
        }
    }

    /// Finds the image that an address is in, with its function table.
    ///
    /// # Locks
    /// None as a rule: it may be called in the middle of an exception.
    #[doc(alias = "RtlLookupFunctionTable")]
    #[doc(alias = "RtlPcToFileHeader")]
    pub fn code_image(&self, address: usize) -> Option<CodeImage> {
        match self.code_images.find(address) {
            Ok(Some(image)) => return Some(image),
            Ok(None) if self.code_images.beyond.load(Ordering::Relaxed) == 0 => return None,
            _ => {}
        }
        let registry = self.registry()?;
        let _lists = self.read_modules();
        let module = registry.by_address(address)?;
        let exception = own!(module, exception).read();
        let functions = module.view().place::<u8>(exception.rva, exception.size);
        let has = exception.rva != 0 && functions.is_ok();
        Some(CodeImage {
            base: module.base(),
            size: module.size(),
            functions: functions.ok().filter(|_| has).unwrap_or_default(),
            functions_size: if has { exception.size } else { 0 },
        })
    }

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
