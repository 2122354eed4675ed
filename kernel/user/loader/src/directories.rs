//! What a program says about where its DLLs are searched.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use c_interface::{Ptr, field};
use nt_abi::native::ListEntry;
use nt_abi::{NtResult, NtStatus};
use rtl::Utf16Str;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::list;
use crate::load::LoadFlags;
use crate::loader::Loader;
use crate::names::{PathKind, kind_of};
use crate::number::index;
use crate::registry::block;
use crate::system::System;

/// How DLLs are searched in this process.
pub(crate) struct SearchSettings {
    /// Flags that count where a load says none; 0 for the order of old.
    default_flags: AtomicU32,
    /// Whether the current directory comes late.
    safe: AtomicU32,
    /// The directory that replaces the current one: 0 for none, else a [`Directory`] of the heap, maybe an empty one.
    dll_directory: AtomicUsize,
}

impl SearchSettings {
    pub(crate) const fn new() -> Self {
        Self {
            default_flags: AtomicU32::new(0),
            safe: AtomicU32::new(1),
            dll_directory: AtomicUsize::new(0),
        }
    }
}

/// A directory in memory of the heap; its units follow. Its address is the cookie.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Directory {
    links: ListEntry,
    /// In units.
    length: u32,
    reserved: u32,
}

fn text(directory: Ptr<Directory>) -> Utf16Str<'static> {
    let length = field!(directory, Directory, length).read();
    let units = directory.byte_add(size_of::<Directory>()).cast::<u16>();
    Utf16Str::new(units.slice(index(length)))
}

impl<S: System> Loader<S> {
    fn new_directory(&self, path: Utf16Str<'_>) -> NtResult<Ptr<Directory>> {
        let length = u32::try_from(path.len()).map_err(|_| NtStatus::NAME_TOO_LONG)?;
        let bytes = size_of::<Directory>() + path.len() * 2;
        let block = self.system.allocate(bytes).ok_or(NtStatus::NO_MEMORY)?;
        let directory = block.cast::<Directory>();
        field!(directory, Directory, length).write(length);
        let units = block.byte_add(size_of::<Directory>()).cast::<u16>();
        units.write_array(path.units());
        Ok(directory)
    }

    /// Sets the directory that is searched instead of the current one; an empty one: neither is; `None`: as at first.
    ///
    /// # Errors
    /// `NO_MEMORY`; `INVALID_PARAMETER`: the path has a semicolon.
    #[doc(alias = "LdrSetDllDirectory")]
    pub fn set_dll_directory(&self, path: Option<Utf16Str<'_>>) -> NtResult {
        let new = match path {
            Some(path) if path.units().contains(&crate::search::SEMICOLON) => {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            Some(path) => self.new_directory(path)?.address(),
            None => 0,
        };
        let _lock = self.lock();
        let old = self.search.dll_directory.swap(new, Ordering::Relaxed);
        if let Some(old) = Ptr::new(old).non_null() {
            self.system.free(old);
        }
        Ok(())
    }

    /// Gives the directory that was set to a function, if one was set. Says whether.
    ///
    /// # Errors
    /// Those of the function.
    #[doc(alias = "LdrGetDllDirectory")]
    pub fn dll_directory(&self, give: impl FnOnce(Utf16Str<'_>) -> NtResult) -> NtResult<bool> {
        let _lock = self.lock();
        let directory = Ptr::<Directory>::new(self.search.dll_directory.load(Ordering::Relaxed));
        match directory.non_null() {
            Some(directory) => give(text(directory)).map(|()| true),
            None => Ok(false),
        }
    }

    /// Adds a directory to those that are searched with `LOAD_LIBRARY_SEARCH_USER_DIRS`. Gives the cookie that removes it.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: the path does not begin at a root; `NO_MEMORY`.
    #[doc(alias = "LdrAddDllDirectory")]
    pub fn add_dll_directory(&self, path: Utf16Str<'_>) -> NtResult<usize> {
        if kind_of(path) != PathKind::Absolute {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let _lock = self.lock();
        let registry = self.modules()?;
        let directory = self.new_directory(path)?;
        let links = field!(directory, Directory, links);
        list::insert_tail(block!(registry, directories), links);
        Ok(directory.address())
    }

    /// Removes a directory that was added.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: the cookie is none.
    #[doc(alias = "LdrRemoveDllDirectory")]
    pub fn remove_dll_directory(&self, cookie: usize) -> NtResult {
        let _lock = self.lock();
        let registry = self.modules()?;
        let links = list::entries(block!(registry, directories))
            .find(|links| links.address() == cookie)
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        list::remove(links);
        self.system.free(links.cast());
        Ok(())
    }

    /// The directories that the program named.
    pub(crate) fn user_directories(
        &self,
        mut give: impl FnMut(Utf16Str<'_>) -> NtResult,
    ) -> NtResult {
        self.dll_directory(&mut give)?;
        let _lock = self.lock();
        let registry = self.modules()?;
        for links in list::entries(block!(registry, directories)) {
            give(text(links.cast()))?;
        }
        Ok(())
    }

    /// Sets the flags that count for loads without any of their own.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: none of `LOAD_LIBRARY_SEARCH_*`, or others too.
    #[doc(alias = "LdrSetDefaultDllDirectories")]
    pub fn set_default_directories(&self, flags: LoadFlags) -> NtResult {
        let allowed = LoadFlags::SEARCH_ALL.0 & !LoadFlags::SEARCH_DLL_LOAD_DIR.0;
        if flags.0 == 0 || flags.0 & !allowed != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.search.default_flags.store(flags.0, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn default_directories(&self) -> LoadFlags {
        LoadFlags(self.search.default_flags.load(Ordering::Relaxed))
    }

    /// Says whether the current directory comes late in the search (`SafeDllSearchMode`; it does if nobody says).
    pub fn set_safe_search(&self, safe: bool) {
        self.search.safe.store(u32::from(safe), Ordering::Relaxed);
    }

    pub(crate) fn is_safe_search(&self) -> bool {
        self.search.safe.load(Ordering::Relaxed) != 0
    }
}
