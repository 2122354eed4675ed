//! Finding modules that are loaded: by name, by address, all of them.

use core::ops::ControlFlow;

use c_interface::{Ptr, field};
use nt_abi::native::{LdrDataTableEntry, RtlProcessModuleInformation, RtlProcessModules, Teb};
use nt_abi::{NtResult, NtStatus};
use rtl::{Utf16Str, Utf16String};

use crate::load::SearchPath;
use crate::loader::Loader;
use crate::module::{Module, entry, own};
use crate::names::{
    EXTENSION, Extension, NameBuffer, PathKind, base_of, extension_of, join, kind_of,
};
use crate::registry::Registry;
use crate::search::SEMICOLON;
use crate::system::System;

/// What `LdrGetDllHandleEx` does with the module's references.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HandleReference {
    /// One more (no flag).
    Take,
    /// None (`LDR_GET_DLL_HANDLE_EX_UNCHANGED_REFCOUNT`).
    Leave,
    /// The module stays for good (`LDR_GET_DLL_HANDLE_EX_PIN`).
    Pin,
}

impl HandleReference {
    /// The meaning of the flags.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: unknown ones, or both.
    pub const fn of_flags(flags: u32) -> NtResult<Self> {
        match flags {
            0 => Ok(Self::Take),
            1 => Ok(Self::Leave),
            2 => Ok(Self::Pin),
            _ => Err(NtStatus::INVALID_PARAMETER),
        }
    }
}

/// What became of the wish for the loader lock (`LDR_LOCK_LOADER_LOCK_DISPOSITION_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockOutcome {
    /// It is the caller's; the cookie releases it.
    Acquired(usize),
    /// It is another thread's, and the caller did not want to wait.
    NotAcquired,
}

impl<S: System> Loader<S> {
    /// Finds a module that is loaded, by a name or path as for [`load_dll`](Self::load_dll).
    ///
    /// # Errors
    /// - `DLL_NOT_FOUND`: it is not loaded.
    /// - `INVALID_PARAMETER`: the name is empty.
    /// - `NO_MEMORY`.
    ///
    /// # Locks
    /// For a name without a path, if references stay as they are: that of the module lists. Otherwise the loader lock.
    #[doc(alias = "LdrGetDllHandle")]
    #[doc(alias = "LdrGetDllHandleEx")]
    pub fn dll_handle(
        &self,
        reference: HandleReference,
        path: SearchPath<'_>,
        name: Utf16Str<'_>,
    ) -> NtResult<Ptr<u8>> {
        if name.is_empty() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let registry = self.modules()?;
        if reference == HandleReference::Leave && kind_of(name) == PathKind::Name {
            // An entry point may wait for a thread that asks this, so not even the loader lock is taken.
            let _lists = self.read_modules();
            return self.find_loaded(registry, path, name).map(Module::base);
        }
        let _lock = self.lock();
        let module = self.find_loaded(registry, path, name)?;
        match reference {
            HandleReference::Take => module.node().acquire_explicit(),
            HandleReference::Leave => {}
            HandleReference::Pin => module.node().pin(),
        }
        Ok(module.base())
    }

    fn find_loaded(
        &self,
        registry: Registry,
        path: SearchPath<'_>,
        name: Utf16Str<'_>,
    ) -> NtResult<Module> {
        let missing = NtStatus::DLL_NOT_FOUND;
        if kind_of(name) == PathKind::Name {
            let mut host = NameBuffer::new();
            host.set_text(name).map_err(|_| missing)?;
            self.resolve_api_set(&mut host, None)?;
            return registry.by_base_name(host.as_str()).ok_or(missing);
        }
        let mut given = name.try_to_owned().map_err(|_| NtStatus::NO_MEMORY)?;
        match extension_of(name) {
            Extension::Missing => given.push(EXTENSION).map_err(|_| NtStatus::NO_MEMORY)?,
            Extension::TrailingDot => given.truncate(given.len() - 1),
            Extension::Given => {}
        }
        let find = |full: &Utf16String| {
            let full = full.as_str();
            registry.by_full_name(base_of(full), full)
        };
        if kind_of(name) != PathKind::Relative {
            return find(&self.full_path(given.as_str())?).ok_or(missing);
        }
        let directories = self.directories(path.into())?;
        for directory in directories
            .as_str()
            .units()
            .split(|unit| *unit == SEMICOLON)
        {
            if directory.is_empty() {
                continue;
            }
            let full = join(Utf16Str::new(directory), given.as_str())?;
            if let Some(module) = find(&full) {
                return Ok(module);
            }
        }
        Err(missing)
    }

    /// Takes one more reference to a module, or makes it stay for good.
    ///
    /// # Errors
    /// - `DLL_NOT_FOUND`: no module has this base.
    /// - `INVALID_PARAMETER`: unknown flags.
    #[doc(alias = "LdrAddRefDll")]
    pub fn add_reference(&self, flags: u32, base: Ptr<u8>) -> NtResult {
        if flags & !1 != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let _lock = self.lock();
        let module = self
            .modules()?
            .by_base(base)
            .ok_or(NtStatus::DLL_NOT_FOUND)?;
        if flags & 1 != 0 {
            module.node().pin();
        } else {
            module.node().acquire_explicit();
        }
        Ok(())
    }

    /// Gives the path of a module to a function; that of the program for a null base.
    ///
    /// # Errors
    /// `DLL_NOT_FOUND`: no module has this base. Those of the function.
    ///
    /// # Locks
    /// That of the module lists, shared, while the function runs: it copies the path and calls nothing.
    #[doc(alias = "LdrGetDllFullName")]
    pub fn full_name<T>(
        &self,
        base: Ptr<u8>,
        give: impl FnOnce(Utf16Str<'_>) -> NtResult<T>,
    ) -> NtResult<T> {
        let registry = self.modules()?;
        let _lists = self.read_modules();
        let module = if base.is_null() {
            registry.in_load_order().next()
        } else {
            registry.by_base(base)
        };
        give(module.ok_or(NtStatus::DLL_NOT_FOUND)?.full_name())
    }

    /// Finds the entry of the module that an address is in.
    ///
    /// # Errors
    /// `NO_MORE_ENTRIES`: it is in none.
    #[doc(alias = "LdrFindEntryForAddress")]
    pub fn find_entry(&self, address: usize) -> NtResult<Ptr<LdrDataTableEntry>> {
        let registry = self.registry().ok_or(NtStatus::NO_MORE_ENTRIES)?;
        let _lists = self.read_modules();
        registry
            .by_address(address)
            .map(Module::entry)
            .ok_or(NtStatus::NO_MORE_ENTRIES)
    }

    /// Gives the entries of all modules to a function, in the order of loading, until it has enough.
    ///
    /// # Errors
    /// `UNSUCCESSFUL`: the process is not initialised.
    ///
    /// # Locks
    /// The loader lock, while the function runs.
    #[doc(alias = "LdrEnumerateLoadedModules")]
    pub fn enumerate(
        &self,
        mut give: impl FnMut(Ptr<LdrDataTableEntry>) -> ControlFlow<()>,
    ) -> NtResult {
        let _lock = self.lock();
        for module in self.modules()?.in_load_order() {
            if give(module.entry()).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Takes the loader lock for a caller that is not the loader.
    ///
    /// # NT
    /// `LdrLockLoaderLock`; the checks of its pointers are its export's.
    #[doc(alias = "LdrLockLoaderLock")]
    pub fn lock_loader_lock(&self, try_only: bool) -> LockOutcome {
        if !try_only {
            self.system.lock_loader();
        } else if !self.system.try_lock_loader() {
            return LockOutcome::NotAcquired;
        }
        LockOutcome::Acquired(self.lock_cookie())
    }

    /// Releases the loader lock that [`lock_loader_lock`](Self::lock_loader_lock) took. A cookie of 0 stands for a lock
    /// that was not acquired.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_2`: the cookie is another thread's, or none.
    #[doc(alias = "LdrUnlockLoaderLock")]
    pub fn unlock_loader_lock(&self, cookie: usize) -> NtResult {
        if cookie == 0 {
            return Ok(());
        }
        if cookie != self.lock_cookie() || !self.system.owns_loader_lock() {
            return Err(NtStatus::INVALID_PARAMETER_2);
        }
        self.system.unlock_loader();
        Ok(())
    }

    /// What only the thread that holds the lock knows; never 0.
    fn lock_cookie(&self) -> usize {
        let thread = field!(self.system.teb(), Teb, client_id.unique_thread).read();
        (Ptr::<u8>::at(thread).address() & 0xFFF) << 16 | 1
    }

    /// Lists all modules into a buffer as `RTL_PROCESS_MODULES`. Gives how many bytes the list has.
    ///
    /// # Errors
    /// `INFO_LENGTH_MISMATCH`, with the bytes that are needed: the buffer is too short. As much as fits is written.
    #[doc(alias = "LdrQueryProcessModuleInformation")]
    pub fn process_modules(&self, buffer: Ptr<u8>, size: u32) -> (NtStatus, u32) {
        let _lock = self.lock();
        let Some(registry) = self.registry() else {
            return (NtStatus::UNSUCCESSFUL, 0);
        };
        let header = size_of::<RtlProcessModules>() as u32;
        let row = size_of::<RtlProcessModuleInformation>() as u32;
        let mut needed = header;
        let mut count = 0;
        for (number, module) in (0_u16..).zip(registry.in_load_order()) {
            if needed.saturating_add(row) <= size {
                let at = buffer.byte_add(crate::number::index(needed)).cast();
                write_information(at, number, module);
                count += 1;
            }
            needed = needed.saturating_add(row);
        }
        if size >= header {
            let head = buffer.cast::<RtlProcessModules>();
            field!(head, RtlProcessModules, number_of_modules).write(count);
        }
        if needed <= size {
            (NtStatus::SUCCESS, needed)
        } else {
            (NtStatus::INFO_LENGTH_MISMATCH, needed)
        }
    }
}

/// Describes a module. The path is cut if it is too long; what is not ASCII is a question mark.
fn write_information(at: Ptr<RtlProcessModuleInformation>, number: u16, module: Module) {
    let mut path = [0; 256];
    let full = module.full_name();
    for (to, unit) in path.iter_mut().take(255).zip(full.units()) {
        *to = u8::try_from(*unit)
            .ok()
            .filter(u8::is_ascii)
            .unwrap_or(b'?');
    }
    let name = full.len() - module.base_name().len();
    at.write(RtlProcessModuleInformation {
        image_base: module.base().raw(),
        image_size: module.size(),
        flags: module.flags().bits(),
        load_order_index: number,
        init_order_index: u16::try_from(own!(module, sequence).read()).unwrap_or(u16::MAX),
        load_count: entry!(module, obsolete_load_count).read(),
        offset_to_file_name: u16::try_from(name).unwrap_or_default(),
        full_path_name: path,
        ..RtlProcessModuleInformation::default()
    });
}
