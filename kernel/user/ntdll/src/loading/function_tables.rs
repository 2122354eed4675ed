//! Unwind data of code that programs make at run time, as programs hand it over and as walks over a stack find it.

use c_interface::{Function, Ptr, exports};
use loader::{DynamicFunctions, NewFunctionTable};
use nt_abi::NtStatus;
use nt_abi::native::ListEntry;

use super::LOADER;

/// The entry of a function that is in no image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DynamicEntry {
    /// Where the entry is.
    pub(crate) entry: Ptr<u8>,
    /// What its offsets are relative to.
    pub(crate) base: u64,
}

/// Finds the function that an address in no image is in.
pub(crate) fn dynamic_entry(pc: u64) -> Option<DynamicEntry> {
    /// `PGET_RUNTIME_FUNCTION_CALLBACK`.
    type FindFunction = fn(u64, usize) -> Ptr<u8>;
    let address = Ptr::<u8>::at(pc).address();
    let found = LOADER.dynamic_functions(address)?;
    let (entry, base) = match found {
        DynamicFunctions::Table { base, .. } => (LOADER.dynamic_function(&found, address)?, base),
        DynamicFunctions::Callback {
            function,
            context,
            base,
        } => {
            let find = Function::<FindFunction>::new(function.address());
            (find.call(pc, context).non_null()?, base)
        }
    };
    Some(DynamicEntry {
        entry,
        base: base.raw(),
    })
}

exports! {
    /// Adds unwind data of code that is in no image. Says whether that could be done.
    fn RtlAddFunctionTable(entries: Ptr<u8>, count: u32, base: Ptr<u8>) -> u8 {
        LOADER.add_functions(entries, count, base).is_ok().into()
    }

    /// Removes such a table by its first entry, or a callback by its identifier. Says whether there was one.
    fn RtlDeleteFunctionTable(entries: usize) -> u8 {
        LOADER.delete_functions(entries).is_ok().into()
    }

    /// Adds a function that finds the unwind data of the code in a range of addresses. Says whether that could be done.
    fn RtlInstallFunctionTableCallback(
        identifier: usize,
        base: Ptr<u8>,
        length: u32,
        function: Ptr<u8>,
        context: usize,
        out_of_process: Ptr<u16>,
    ) -> u8 {
        let added =
            LOADER.add_function_callback(identifier, (base, length), function, context, out_of_process);
        added.is_ok().into()
    }

    /// Adds a table to which entries can be appended, for the code in a range of addresses; gives what it is known by.
    fn RtlAddGrowableFunctionTable(
        table: Ptr<usize>,
        entries: Ptr<u8>,
        count: u32,
        most: u32,
        start: usize,
        end: usize,
    ) -> NtStatus {
        if count > most || start >= end {
            return NtStatus::INVALID_PARAMETER;
        }
        let added = LOADER.add_growable_functions(&NewFunctionTable {
            entries,
            count,
            base: Ptr::new(start),
            start,
            end,
        });
        match added {
            Ok(made) => {
                table.write(made.address());
                NtStatus::SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Says how many entries such a table has now.
    fn RtlGrowFunctionTable(table: Ptr<u8>, count: u32) {
        LOADER.grow_functions(table, count);
    }

    /// Removes such a table.
    fn RtlDeleteGrowableFunctionTable(table: Ptr<u8>) {
        // Windows says nothing of a table that is none.
        let _ = LOADER.delete_growable_functions(table);
    }

    /// The list of all such tables, for debuggers.
    fn RtlGetFunctionTableListHead() -> Ptr<ListEntry> {
        LOADER.function_table_list()
    }
}
