//! Modules: which are loaded, loading and freeing them, what they export.

use nt_abi::native::{AnsiString, LdrDataTableEntry, ListEntry, Peb, PebLdrData};
use ntdll_imports::{
    LdrAddDllDirectory, LdrAddRefDll, LdrDisableThreadCalloutsForDll, LdrGetDllHandle,
    LdrGetDllHandleEx, LdrGetProcedureAddress, LdrLoadDll, LdrLockLoaderLock,
    LdrRemoveDllDirectory, LdrSetDefaultDllDirectories, LdrUnloadDll, LdrUnlockLoaderLock,
    RtlExitUserThread, RtlPcToFileHeader,
};

use crate::wide::{self, Wide};
use crate::win::*;

/// `LOAD_LIBRARY_AS_DATAFILE`, `LOAD_LIBRARY_AS_IMAGE_RESOURCE`, `LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE`.
const AS_DATA: u32 = 0x02 | 0x20 | 0x40;
/// `DONT_RESOLVE_DLL_REFERENCES`.
const DONT_RESOLVE: u32 = 0x01;
/// All that say how and where to search, as `LdrLoadDll` knows them: `LOAD_WITH_ALTERED_SEARCH_PATH`, `LOAD_LIBRARY_SEARCH_*`.
const SEARCH: u32 = 0x08 | 0x1F00;
/// What the second argument of `LdrLoadDll` says of an image whose imports are not resolved.
const LDR_DONT_RESOLVE: u32 = 2;

/// `GET_MODULE_HANDLE_EX_FLAG_PIN`.
const PIN: u32 = 1;
/// `GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT`.
const UNCHANGED: u32 = 2;
/// `GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS`.
const FROM_ADDRESS: u32 = 4;
/// `LDR_ADDREF_DLL_PIN`.
const LDR_PIN: u32 = 1;
/// `LDR_GET_DLL_HANDLE_EX_UNCHANGED_REFCOUNT`.
const LDR_UNCHANGED: u32 = 1;
/// `LDR_GET_DLL_HANDLE_EX_PIN`.
const LDR_EX_PIN: u32 = 2;

/// The low bits of a module's handle that say that it was loaded as data.
const DATA_BITS: usize = 3;

/// The base of the program.
pub(crate) fn program() -> Ptr<u8> {
    Ptr::at(field!(peb(), Peb, image_base_address).read())
}

/// The base of a module, the program's for none.
pub(crate) fn base_of(module: Ptr<u8>) -> Ptr<u8> {
    module.non_null().unwrap_or_else(program)
}

/// Has the loader's lock.
struct LoaderLock(usize);

impl LoaderLock {
    fn acquire() -> Self {
        let mut cookie = 0;
        LdrLockLoaderLock(0, Ptr::NULL, Ptr::of(&mut cookie));
        Self(cookie)
    }
}

impl Drop for LoaderLock {
    fn drop(&mut self) {
        LdrUnlockLoaderLock(0, self.0);
    }
}

/// The loader's entry of a module.
fn entry_of(base: Ptr<u8>) -> Option<Ptr<LdrDataTableEntry>> {
    let data = Ptr::<PebLdrData>::at(field!(peb(), Peb, ldr).read()).non_null()?;
    let head = field!(data, PebLdrData, in_load_order_module_list);
    let mut at = Ptr::<ListEntry>::at(field!(head, ListEntry, flink).read());
    while at != head {
        // The links are the entry's first field.
        let entry = at.cast::<LdrDataTableEntry>();
        if field!(entry, LdrDataTableEntry, dll_base).read() == base.raw() {
            return Some(entry);
        }
        at = Ptr::at(field!(at, ListEntry, flink).read());
    }
    None
}

/// Gives the path of a module to somebody, while nobody unloads it.
///
/// # Errors
/// `MOD_NOT_FOUND`.
pub(crate) fn with_path<T>(module: Ptr<u8>, give: impl FnOnce(&[u16]) -> T) -> Win<T> {
    let _lock = LoaderLock::acquire();
    let entry = entry_of(base_of(module)).ok_or(Error::MOD_NOT_FOUND)?;
    let path = field!(entry, LdrDataTableEntry, full_dll_name).read();
    Ok(give(
        Ptr::<u16>::at(path.buffer).slice(usize::from(path.length / 2)),
    ))
}

/// Loads a DLL.
fn load(name: &[u16], flags: u32) -> Win<Ptr<u8>> {
    // Blanks at the end are not part of the name.
    let end = name.iter().rposition(|&unit| unit != u16::from(b' '));
    let name = end.map_or(&[][..], |end| &name[..=end]);
    if name.is_empty() {
        return Err(Error::MOD_NOT_FOUND);
    }
    if flags & AS_DATA != 0 {
        return load_as_data(name, flags);
    }
    let name = wide::counted(name)?;
    let mut characteristics = LDR_DONT_RESOLVE;
    let characteristics = match flags & DONT_RESOLVE {
        0 => Ptr::NULL,
        _ => Ptr::of(&mut characteristics),
    };
    // Bit 0 says that the first argument is no path.
    let path = match flags & SEARCH {
        0 => Ptr::NULL,
        search => Ptr::new((search | 1) as usize),
    };
    let mut base = Ptr::NULL;
    let (name, place) = (Ptr::of_shared(&name), place_of(&mut base));
    check(LdrLoadDll(path, characteristics, name, place))?;
    Ok(base)
}

/// A module that is loaded serves as data too; a file cannot be mapped yet.
fn load_as_data(name: &[u16], _flags: u32) -> Win<Ptr<u8>> {
    find(name, 0)
}

/// Where an address is told.
fn place_of(base: &mut Ptr<u8>) -> Ptr<usize> {
    Ptr::of(base).cast()
}

/// A module that is loaded, with a reference more unless the flags (`LDR_GET_DLL_HANDLE_EX_*`) say otherwise.
fn find(name: &[u16], flags: u32) -> Win<Ptr<u8>> {
    let name = wide::counted(name)?;
    let mut base = Ptr::NULL;
    let status = LdrGetDllHandleEx(
        flags,
        Ptr::NULL,
        Ptr::NULL,
        Ptr::of_shared(&name),
        place_of(&mut base),
    );
    // "Not there" means here what it means for files that are loaded.
    check(status).map(|()| base)
}

/// A module that is loaded, without a reference: what nearly every caller wants.
fn find_borrowed(name: &[u16]) -> Win<Ptr<u8>> {
    let name = wide::counted(name)?;
    let mut base = Ptr::NULL;
    check(LdrGetDllHandle(
        Ptr::NULL,
        Ptr::NULL,
        Ptr::of_shared(&name),
        place_of(&mut base),
    ))?;
    Ok(base)
}

/// `GetModuleHandleEx`, of a name or an address.
fn find_ex(flags: u32, name: Option<&[u16]>, address: Ptr<u8>) -> Win<Ptr<u8>> {
    if flags & !(PIN | UNCHANGED | FROM_ADDRESS) != 0
        || flags & (PIN | UNCHANGED) == PIN | UNCHANGED
    {
        return Err(Error::INVALID_PARAMETER);
    }
    if flags & FROM_ADDRESS != 0 {
        let mut base = Ptr::NULL;
        if RtlPcToFileHeader(address, place_of(&mut base)).is_null() {
            return Err(Error::MOD_NOT_FOUND);
        }
        return referenced(base, flags);
    }
    let Some(name) = name else {
        // The program is never unloaded: nothing is counted.
        return Ok(program());
    };
    find(
        name,
        match flags {
            UNCHANGED => LDR_UNCHANGED,
            PIN => LDR_EX_PIN,
            _ => 0,
        },
    )
}

fn referenced(base: Ptr<u8>, flags: u32) -> Win<Ptr<u8>> {
    if flags & UNCHANGED == 0 {
        let pin = if flags & PIN != 0 { LDR_PIN } else { 0 };
        check(LdrAddRefDll(pin, base))?;
    }
    Ok(base)
}

/// An export of a module, by name or ordinal.
fn export(module: Ptr<u8>, name: Ptr<u8>) -> Win<Ptr<u8>> {
    let mut address = Ptr::<u8>::NULL;
    let base = base_of(module);
    let by_ordinal = u16::try_from(name.address()).ok();
    let status = match by_ordinal {
        Some(ordinal) => LdrGetProcedureAddress(
            base,
            Ptr::NULL,
            u32::from(ordinal),
            Ptr::of(&mut address).cast(),
        ),
        None => {
            let length = wide::byte_length(name);
            let counted = AnsiString {
                length: u16::try_from(length).map_err(|_| Error::PROC_NOT_FOUND)?,
                maximum_length: u16::try_from(length + 1).map_err(|_| Error::PROC_NOT_FOUND)?,
                buffer: name.raw(),
                ..AnsiString::default()
            };
            LdrGetProcedureAddress(
                base,
                Ptr::of_shared(&counted),
                0,
                Ptr::of(&mut address).cast(),
            )
        }
    };
    if status == NtStatus::ORDINAL_NOT_FOUND && by_ordinal.is_some() {
        return Err(Error::PROC_NOT_FOUND);
    }
    check(status)?;
    Ok(address)
}

exports! {
    /// Loads a DLL; null: it failed.
    fn LoadLibraryExW(name: Ptr<u16>, file: Handle, flags: u32) -> Ptr<u8> {
        if name.is_null() || !file.is_null() {
            return answer(Err(Error::INVALID_PARAMETER), Ptr::NULL);
        }
        answer(load(wide::units(name), flags), Ptr::NULL)
    }

    /// Loads a DLL; null: it failed.
    fn LoadLibraryExA(name: Ptr<u8>, file: Handle, flags: u32) -> Ptr<u8> {
        match Wide::from_ansi(name) {
            Ok(name) => LoadLibraryExW(name.ptr(), file, flags),
            Err(error) => answer(Err(error), Ptr::NULL),
        }
    }

    /// Loads a DLL; null: it failed.
    fn LoadLibraryW(name: Ptr<u16>) -> Ptr<u8> {
        LoadLibraryExW(name, Handle::NULL, 0)
    }

    /// Loads a DLL; null: it failed.
    fn LoadLibraryA(name: Ptr<u8>) -> Ptr<u8> {
        LoadLibraryExA(name, Handle::NULL, 0)
    }

    /// Gives a reference to a DLL back.
    fn FreeLibrary(module: Ptr<u8>) -> Bool {
        if module.is_null() || module.address() & DATA_BITS != 0 {
            return truth(Err(Error::INVALID_HANDLE));
        }
        truth_of(LdrUnloadDll(module))
    }

    /// Gives a reference to a DLL back and ends the thread, without coming back into the DLL.
    fn FreeLibraryAndExitThread(module: Ptr<u8>, code: u32) {
        FreeLibrary(module);
        RtlExitUserThread(code);
    }

    /// The address of an export, by name or ordinal; null: there is none.
    fn GetProcAddress(module: Ptr<u8>, name: Ptr<u8>) -> Ptr<u8> {
        answer(export(module, name), Ptr::NULL)
    }

    /// The address of an export, asked for by another module.
    fn GetProcAddressForCaller(module: Ptr<u8>, name: Ptr<u8>, _caller: Ptr<u8>) -> Ptr<u8> {
        answer(export(module, name), Ptr::NULL)
    }

    /// The base of a module that is loaded, the program's for no name; null: there is none.
    fn GetModuleHandleW(name: Ptr<u16>) -> Ptr<u8> {
        match name.non_null() {
            None => program(),
            Some(name) => answer(find_borrowed(wide::units(name)), Ptr::NULL),
        }
    }

    /// The base of a module that is loaded, the program's for no name; null: there is none.
    fn GetModuleHandleA(name: Ptr<u8>) -> Ptr<u8> {
        if name.is_null() {
            return program();
        }
        let found = Wide::from_ansi(name).and_then(|name| find_borrowed(name.units()));
        answer(found, Ptr::NULL)
    }

    /// The base of a module by its name or by an address in it, with a reference if that is wanted.
    fn GetModuleHandleExW(flags: u32, name: Ptr<u16>, module: Ptr<Ptr<u8>>) -> Bool {
        let address = name.cast();
        let name = (flags & FROM_ADDRESS == 0).then(|| name.non_null().map(wide::units)).flatten();
        give_module(find_ex(flags, name, address), module)
    }

    /// The base of a module by its name or by an address in it, with a reference if that is wanted.
    fn GetModuleHandleExA(flags: u32, name: Ptr<u8>, module: Ptr<Ptr<u8>>) -> Bool {
        if flags & FROM_ADDRESS != 0 || name.is_null() {
            return give_module(find_ex(flags, None, name), module);
        }
        let found = Wide::from_ansi(name).and_then(|text| find_ex(flags, Some(text.units()), name));
        give_module(found, module)
    }

    /// The path of a module: its length, or the room if that is too small for it.
    fn GetModuleFileNameW(module: Ptr<u8>, into: Ptr<u16>, capacity: u32) -> u32 {
        let given = with_path(module, |path| {
            let room = into.slice_mut(capacity as usize);
            let whole = path.len() < room.len();
            let count = path.len().min(room.len().saturating_sub(1));
            room.iter_mut().zip(path).take(count).for_each(|(place, unit)| *place = *unit);
            if let Some(end) = room.get_mut(count) {
                *end = 0;
            }
            (whole, count)
        });
        give_path(given, capacity)
    }

    /// The path of a module in the ANSI code page: its length, or the room if that is too small for it.
    fn GetModuleFileNameA(module: Ptr<u8>, into: Ptr<u8>, capacity: u32) -> u32 {
        let given = with_path(module, |path| {
            let room = into.slice_mut(capacity as usize);
            let Some((last, text)) = room.split_last_mut() else {
                return (false, 0);
            };
            match wide::to_ansi(path, text) {
                Ok(count) => {
                    into.add(count).write(0);
                    (true, count)
                }
                Err(_) => {
                    *last = 0;
                    (false, text.len())
                }
            }
        });
        give_path(given, capacity)
    }

    /// Spares a DLL the calls when threads begin and end.
    fn DisableThreadLibraryCalls(module: Ptr<u8>) -> Bool {
        truth_of(LdrDisableThreadCalloutsForDll(module))
    }

    /// Adds a directory to those in which DLLs are looked for; gives a cookie.
    fn AddDllDirectory(path: Ptr<u16>) -> Ptr<u8> {
        let mut cookie = Ptr::<u8>::NULL;
        let added = wide::string(path).and_then(|path| {
            check(LdrAddDllDirectory(Ptr::of_shared(&path), Ptr::of(&mut cookie).cast()))
        });
        answer(added.map(|()| cookie), Ptr::NULL)
    }

    /// Takes a directory away again.
    fn RemoveDllDirectory(cookie: Ptr<u8>) -> Bool {
        truth_of(LdrRemoveDllDirectory(cookie))
    }

    /// Says in which directories DLLs are looked for when a load does not say it.
    fn SetDefaultDllDirectories(flags: u32) -> Bool {
        truth_of(LdrSetDefaultDllDirectories(flags))
    }
}

fn give_module(found: Win<Ptr<u8>>, into: Ptr<Ptr<u8>>) -> Bool {
    let place = into.cast::<usize>();
    if place.is_null() {
        return truth(Err(Error::INVALID_PARAMETER));
    }
    place.write(found.map_or(0, Ptr::address));
    truth(found.map(|_| ()))
}

/// What a function that gives a path returns: it has told whether all of it found room, and how much did.
fn give_path(given: Win<(bool, usize)>, capacity: u32) -> u32 {
    match given {
        Err(error) => answer(Err(error), 0),
        Ok((true, count)) => {
            set_last_error(Error::SUCCESS);
            u32::try_from(count).unwrap_or(capacity)
        }
        Ok((false, _)) => {
            set_last_error(Error::INSUFFICIENT_BUFFER);
            capacity
        }
    }
}
