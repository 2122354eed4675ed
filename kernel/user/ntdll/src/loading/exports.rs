//! The loader, as programs call it.

use c_interface::{Ptr, exports};
use loader::{LoadFlags, Procedure, SearchPath};
use nt_abi::NtStatus;
use nt_abi::native::{AnsiString, UnicodeString};
use rtl::Utf16Str;

use super::LOADER;
use crate::start::units;

/// The search path of an argument: not a string but flags if the lowest bit is set.
fn search_path<'a>(path: Ptr<u16>) -> SearchPath<'a> {
    let address = path.address();
    match path.non_null() {
        None => SearchPath::Default,
        Some(_) if address & 1 != 0 => {
            SearchPath::Flags(LoadFlags(u32::try_from(address & !1).unwrap_or(0)))
        }
        Some(path) => {
            let length = (0..)
                .take_while(|&index| path.add(index).read() != 0)
                .count();
            SearchPath::Directories(Utf16Str::new(path.slice(length)))
        }
    }
}

exports! {
    /// Loads a DLL; gives its base.
    fn LdrLoadDll(
        path: Ptr<u16>,
        characteristics: Ptr<u32>,
        name: Ptr<UnicodeString>,
        base: Ptr<Ptr<u8>>,
    ) -> NtStatus {
        let flags = LoadFlags::of_ldr(characteristics.read_optional().unwrap_or(0));
        let name = name.read();
        let loaded = LOADER.load_dll(search_path(path), flags, Utf16Str::new(units(&name)));
        match loaded {
            Ok(loaded) => {
                base.cast::<usize>().write(loaded.address());
                NtStatus::SUCCESS
            }
            Err(status) => {
                base.cast::<usize>().write(0);
                status
            }
        }
    }

    /// Gives one reference to a DLL back.
    fn LdrUnloadDll(base: Ptr<u8>) -> NtStatus {
        LOADER.unload_dll(base).into()
    }

    /// Finds an export by name, or by number if there is no name.
    fn LdrGetProcedureAddress(
        base: Ptr<u8>,
        name: Ptr<AnsiString>,
        ordinal: u32,
        address: Ptr<Ptr<u8>>,
    ) -> NtStatus {
        let name = name.read_optional();
        let procedure = match &name {
            Some(name) => Procedure::Name(Ptr::at(name.buffer).slice(usize::from(name.length))),
            None => Procedure::Ordinal(ordinal),
        };
        match LOADER.procedure_address(base, procedure) {
            Ok(found) => {
                address.cast::<usize>().write(found.address());
                NtStatus::SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Stops telling a DLL of threads.
    fn LdrDisableThreadCalloutsForDll(base: Ptr<u8>) -> NtStatus {
        LOADER.disable_thread_calls(base).into()
    }

    /// Tells the DLLs that the thread goes.
    fn LdrShutdownThread() {
        LOADER.shutdown_thread();
    }

    /// Tells the DLLs that the process ends.
    fn LdrShutdownProcess() {
        LOADER.shutdown_process();
    }
}
