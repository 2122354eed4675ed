//! The loader, as programs call it.

use core::ops::ControlFlow;

use c_interface::{Function, Ptr, exports, field};
use loader::{
    DelayHooks, HandleReference, Layout, LoadFlags, LockOutcome, Procedure, ResourceName,
    ResourcePath, SearchPath,
};
use nt_abi::NtStatus;
use nt_abi::native::{AnsiString, LdrDataTableEntry, UnicodeString};
use rtl::Utf16Str;

use super::LOADER;
use crate::start::units;

/// Text up to its end.
fn terminated<'a>(text: Ptr<u16>) -> Utf16Str<'a> {
    let length = (0..)
        .take_while(|&index| text.add(index).read() != 0)
        .count();
    Utf16Str::new(text.slice(length))
}

/// The search path of an argument: not a string but flags if the lowest bit is set.
fn search_path<'a>(path: Ptr<u16>) -> SearchPath<'a> {
    let address = path.address();
    match path.non_null() {
        None => SearchPath::Default,
        Some(_) if address & 1 != 0 => {
            SearchPath::Flags(LoadFlags(u32::try_from(address & !1).unwrap_or(0)))
        }
        Some(path) => SearchPath::Directories(terminated(path)),
    }
}

/// Writes what was found, or null.
fn answer(result: nt_abi::NtResult<Ptr<u8>>, into: Ptr<usize>) -> NtStatus {
    match result {
        Ok(found) => {
            into.write_optional(found.address());
            NtStatus::SUCCESS
        }
        Err(status) => {
            into.write_optional(0);
            status
        }
    }
}

/// A part of a resource's way: a number below 64 Ki, or a name.
fn resource_name<'a>(part: usize) -> ResourceName<'a> {
    match u16::try_from(part) {
        Ok(number) => ResourceName::Id(number),
        Err(_) => ResourceName::Name(terminated(Ptr::new(part))),
    }
}

/// The way to a resource: type, name, language, as many as there are.
fn resource_path<'a>(parts: Ptr<usize>, count: u32) -> ResourcePath<'a> {
    let part = |index: u32| (index < count).then(|| parts.add(index as usize).read());
    ResourcePath {
        kind: part(0).map(resource_name),
        name: part(1).map(resource_name),
        language: part(2).and_then(|language| u16::try_from(language).ok()),
    }
}

/// `LDR_ENUM_CALLBACK`: the entry of a module, what the caller gave, and the byte that ends it.
type Enumerated = fn(Ptr<LdrDataTableEntry>, usize, Ptr<u8>);

exports! {
    /// Loads a DLL; gives its base.
    fn LdrLoadDll(
        path: Ptr<u16>,
        characteristics: Ptr<u32>,
        name: Ptr<UnicodeString>,
        base: Ptr<usize>,
    ) -> NtStatus {
        let flags = LoadFlags::of_ldr(characteristics.read_optional().unwrap_or(0));
        let name = name.read();
        answer(LOADER.load_dll(search_path(path), flags, Utf16Str::new(units(&name))), base)
    }

    /// Gives one reference to a DLL back.
    fn LdrUnloadDll(base: Ptr<u8>) -> NtStatus {
        LOADER.unload_dll(base).into()
    }

    /// Finds a DLL that is loaded, and takes no reference.
    fn LdrGetDllHandle(
        path: Ptr<u16>,
        _characteristics: Ptr<u32>,
        name: Ptr<UnicodeString>,
        base: Ptr<usize>,
    ) -> NtStatus {
        let name = name.read();
        let name = Utf16Str::new(units(&name));
        answer(LOADER.dll_handle(HandleReference::Leave, search_path(path), name), base)
    }

    /// Finds a DLL that is loaded; flag 1 takes no reference, flag 2 keeps it for good.
    fn LdrGetDllHandleEx(
        flags: u32,
        path: Ptr<u16>,
        _characteristics: Ptr<u32>,
        name: Ptr<UnicodeString>,
        base: Ptr<usize>,
    ) -> NtStatus {
        let name = name.read();
        let found = HandleReference::of_flags(flags).and_then(|reference| {
            LOADER.dll_handle(reference, search_path(path), Utf16Str::new(units(&name)))
        });
        answer(found, base)
    }

    /// Takes a reference to a DLL; flag 1 keeps it for good.
    fn LdrAddRefDll(flags: u32, base: Ptr<u8>) -> NtStatus {
        LOADER.add_reference(flags, base).into()
    }

    /// Finds an export by name, or by number if there is no name.
    fn LdrGetProcedureAddress(
        base: Ptr<u8>,
        name: Ptr<AnsiString>,
        ordinal: u32,
        address: Ptr<usize>,
    ) -> NtStatus {
        let name = name.read_optional();
        let procedure = match &name {
            Some(name) => Procedure::Name(Ptr::at(name.buffer).slice(usize::from(name.length))),
            None => Procedure::Ordinal(ordinal),
        };
        answer(LOADER.procedure_address(base, procedure), address)
    }

    /// As `LdrGetProcedureAddress`; the flags say what is recorded of it, which is nothing.
    fn LdrGetProcedureAddressEx(
        base: Ptr<u8>,
        name: Ptr<AnsiString>,
        ordinal: u32,
        address: Ptr<usize>,
        _flags: u32,
    ) -> NtStatus {
        LdrGetProcedureAddress(base, name, ordinal, address)
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

    /// Takes the loader lock; flag 2 does not wait. The disposition is 1 if it was taken, 2 if not.
    fn LdrLockLoaderLock(flags: u32, disposition: Ptr<u32>, cookie: Ptr<usize>) -> NtStatus {
        cookie.write_optional(0);
        disposition.write_optional(0);
        if flags & !3 != 0 {
            return NtStatus::INVALID_PARAMETER_1;
        }
        if cookie.is_null() {
            return NtStatus::INVALID_PARAMETER_3;
        }
        if flags & 2 != 0 && disposition.is_null() {
            return NtStatus::INVALID_PARAMETER_2;
        }
        match LOADER.lock_loader_lock(flags & 2 != 0) {
            LockOutcome::Acquired(taken) => {
                disposition.write_optional(1);
                cookie.write(taken);
            }
            LockOutcome::NotAcquired => disposition.write_optional(2),
        }
        NtStatus::SUCCESS
    }

    /// Gives the loader lock back.
    fn LdrUnlockLoaderLock(_flags: u32, cookie: usize) -> NtStatus {
        LOADER.unlock_loader_lock(cookie).into()
    }

    /// The entry of the module that an address is in.
    fn LdrFindEntryForAddress(address: usize, entry: Ptr<usize>) -> NtStatus {
        answer(LOADER.find_entry(address).map(Ptr::cast), entry)
    }

    /// Calls a function with the entry of each module, until it sets the byte that it is given.
    fn LdrEnumerateLoadedModules(
        _reserved: u32,
        function: Function<Enumerated>,
        context: usize,
    ) -> NtStatus {
        LOADER
            .enumerate(|entry| {
                let mut stop = 0u8;
                function.call(entry, context, Ptr::of(&mut stop));
                match stop {
                    0 => ControlFlow::Continue(()),
                    _ => ControlFlow::Break(()),
                }
            })
            .into()
    }

    /// The full name of a module, the program's for none.
    fn LdrGetDllFullName(base: Ptr<u8>, name: Ptr<UnicodeString>) -> NtStatus {
        let given = LOADER.full_name(base, |full| {
            let room = name.read();
            let bytes = full.units().len() * 2;
            let fits = bytes <= usize::from(room.maximum_length);
            let copied = if fits { bytes } else { usize::from(room.maximum_length & !1) };
            let text = full.units().get(..copied / 2).unwrap_or_default();
            Ptr::<u16>::at(room.buffer).write_array(text);
            field!(name, UnicodeString, length).write(u16::try_from(copied).unwrap_or(0));
            if fits { Ok(()) } else { Err(NtStatus::BUFFER_TOO_SMALL) }
        });
        given.into()
    }

    /// Says which modules there are.
    fn LdrQueryProcessModuleInformation(buffer: Ptr<u8>, size: u32, needed: Ptr<u32>) -> NtStatus {
        let (status, wanted) = LOADER.process_modules(buffer, size);
        needed.write_optional(wanted);
        status
    }

    /// Registers who hears of DLLs that come and go.
    fn LdrRegisterDllNotification(
        flags: u32,
        function: Ptr<u8>,
        context: usize,
        cookie: Ptr<usize>,
    ) -> NtStatus {
        match LOADER.register_notification(flags, function, context) {
            Ok(made) => {
                cookie.write(made);
                NtStatus::SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Ends such a registration.
    fn LdrUnregisterDllNotification(cookie: usize) -> NtStatus {
        LOADER.unregister_notification(cookie).into()
    }

    /// Resolves a delayed import.
    fn LdrResolveDelayLoadedAPI(
        parent: Ptr<u8>,
        descriptor: Ptr<u8>,
        dll_hook: Ptr<u8>,
        system_hook: Ptr<u8>,
        thunk: Ptr<u8>,
        _flags: u32,
    ) -> Ptr<u8> {
        let hooks = DelayHooks {
            program: dll_hook,
            system: system_hook,
        };
        LOADER.resolve_delayed(parent, descriptor, hooks, thunk).unwrap_or_default()
    }

    /// Resolves all delayed imports from a DLL.
    fn LdrResolveDelayLoadsFromDll(parent: Ptr<u8>, name: Ptr<u8>, _flags: u32) -> NtStatus {
        let length = (0..).take_while(|&index| name.add(index).read() != 0).count();
        LOADER.resolve_all_delayed(parent, name.slice(length)).into()
    }

    /// Sets the directory that is searched instead of the current one; none for the usual order.
    fn LdrSetDllDirectory(path: Ptr<UnicodeString>) -> NtStatus {
        let path = path.read_optional();
        let path = path.as_ref().map(|path| Utf16Str::new(units(path)));
        LOADER.set_dll_directory(path).into()
    }

    /// Gives that directory; none has no length. The length is set also if there is too little room, with that of an end.
    fn LdrGetDllDirectory(path: Ptr<UnicodeString>) -> NtStatus {
        let room = path.read();
        let give = |text: &[u16]| {
            let bytes = u16::try_from(text.len() * 2).map_err(|_| NtStatus::NAME_TOO_LONG)?;
            let with_end = bytes.saturating_add(2);
            let fits = room.maximum_length >= with_end;
            let length = if fits { bytes } else { with_end };
            field!(path, UnicodeString, length).write(length);
            if !fits {
                return Err(NtStatus::BUFFER_TOO_SMALL);
            }
            let to = Ptr::<u16>::at(room.buffer);
            to.write_array(text);
            to.add(text.len()).write(0);
            Ok(())
        };
        let given = LOADER.dll_directory(|directory| give(directory.units()));
        match given {
            Ok(true) => NtStatus::SUCCESS,
            Ok(false) => give(&[]).into(),
            Err(status) => status,
        }
    }

    /// Adds a directory to be searched; gives what it is removed by.
    fn LdrAddDllDirectory(path: Ptr<UnicodeString>, cookie: Ptr<usize>) -> NtStatus {
        let path = path.read();
        match LOADER.add_dll_directory(Utf16Str::new(units(&path))) {
            Ok(made) => {
                cookie.write(made);
                NtStatus::SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Removes such a directory.
    fn LdrRemoveDllDirectory(cookie: usize) -> NtStatus {
        LOADER.remove_dll_directory(cookie).into()
    }

    /// Sets which directories are searched by default.
    fn LdrSetDefaultDllDirectories(flags: u32) -> NtStatus {
        LOADER.set_default_directories(LoadFlags(flags)).into()
    }

    /// Finds a resource: its entry in the tree.
    fn LdrFindResource_U(base: Ptr<u8>, path: Ptr<usize>, levels: u32, entry: Ptr<usize>) -> NtStatus {
        answer(LOADER.find_resource(base, &resource_path(path, levels)), entry)
    }

    /// Finds a directory in the tree of resources.
    fn LdrFindResourceDirectory_U(
        base: Ptr<u8>,
        path: Ptr<usize>,
        levels: u32,
        directory: Ptr<usize>,
    ) -> NtStatus {
        answer(LOADER.find_resource_directory(base, &resource_path(path, levels)), directory)
    }

    /// Where a resource's bytes are, and how many.
    fn LdrAccessResource(base: Ptr<u8>, entry: Ptr<u8>, data: Ptr<usize>, size: Ptr<u32>) -> NtStatus {
        match LOADER.access_resource(base, entry) {
            Ok((found, bytes)) => {
                data.write_optional(found.address());
                size.write_optional(bytes);
                NtStatus::SUCCESS
            }
            Err(status) => status,
        }
    }

    /// The base of the image that an address is in; null if there is none.
    fn RtlPcToFileHeader(pc: usize, base: Ptr<usize>) -> Ptr<u8> {
        let found = LOADER.code_image(pc).map_or(Ptr::NULL, |image| image.base);
        base.write_optional(found.address());
        found
    }

    /// The headers of an image; null if it has none.
    fn RtlImageNtHeader(base: Ptr<u8>) -> Ptr<u8> {
        loader::image_nt_header(base, None).unwrap_or_default()
    }

    /// The headers of an image of a size that is known; flag 1 says that it is not.
    fn RtlImageNtHeaderEx(flags: u32, base: Ptr<u8>, size: u64, headers: Ptr<usize>) -> NtStatus {
        if flags & !1 != 0 || headers.is_null() {
            return NtStatus::INVALID_PARAMETER;
        }
        let size = (flags & 1 == 0).then_some(size);
        answer(loader::image_nt_header(base, size), headers)
    }

    /// A directory of an image, and its bytes.
    fn RtlImageDirectoryEntryToData(base: Ptr<u8>, mapped: u8, number: u16, size: Ptr<u32>) -> Ptr<u8> {
        let layout = if mapped == 0 { Layout::File } else { Layout::Mapped };
        let (found, bytes) = loader::image_directory(base, layout, number).unwrap_or_default();
        size.write(bytes);
        found
    }

    /// The header of the section that an address is in.
    fn RtlImageRvaToSection(headers: Ptr<u8>, _base: Ptr<u8>, rva: u32) -> Ptr<u8> {
        loader::image_rva_to_section(headers, rva).unwrap_or_default()
    }

    /// Where in a file the bytes of an address are.
    fn RtlImageRvaToVa(headers: Ptr<u8>, base: Ptr<u8>, rva: u32, _section: Ptr<u8>) -> Ptr<u8> {
        loader::image_rva_to_va(headers, base, rva).unwrap_or_default()
    }
}
