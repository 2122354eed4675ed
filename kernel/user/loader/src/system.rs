//! What the loader needs from the world around it.
//!
//! The loader decides; it maps nothing, calls nothing and waits for nothing by itself. In ntdll the methods here are
//! system services, calls in a guarded frame and locks; in the tests they are a script.

use core::fmt;

use c_interface::Ptr;
use nt_abi::native::{DelayloadInfo, LdrDllNotificationData, Peb, Teb};
use nt_abi::{NtResult, NtStatus};
use rtl::{Utf16Str, Utf16String};

/// Where an image comes from.
#[derive(Clone, Copy, Debug)]
pub enum ImageSource<'a> {
    /// The section `\KnownDlls\NAME`; the name has no path.
    KnownDll(Utf16Str<'a>),
    /// The file with this Win32 path, to run.
    File(Utf16Str<'a>),
    /// The file with this Win32 path, as an image that is only looked at (`LOAD_LIBRARY_AS_IMAGE_RESOURCE`).
    ImageResource(Utf16Str<'a>),
    /// The file with this Win32 path, byte by byte (`LOAD_LIBRARY_AS_DATAFILE`).
    DataFile(Utf16Str<'a>),
}

/// An image in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MappedImage {
    /// Its first byte.
    pub base: Ptr<u8>,
    /// Bytes of the view. All of them can be read, but for pages that the image's sections leave out or forbid.
    pub size: usize,
    /// What the view was given with: success, `IMAGE_NOT_AT_BASE` or `IMAGE_MACHINE_TYPE_MISMATCH`.
    pub status: NtStatus,
}

/// A directory that DLLs are searched in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WellKnownDirectory {
    /// `System32`.
    System,
    /// The 16-bit `System`.
    System16,
    /// Windows' own.
    Windows,
    /// The process's current one.
    Current,
}

/// What is told to the user, or to a debugger, when a program or DLL cannot be loaded: the parameters of the hard error.
#[derive(Clone, Copy, Debug)]
pub enum LoadFailure<'a> {
    /// `DLL_NOT_FOUND`: a DLL, and where it was searched.
    MissingDll {
        /// The DLL.
        name: Utf16Str<'a>,
    },
    /// `ENTRYPOINT_NOT_FOUND`: a name, and the DLL that has no such export.
    MissingName {
        /// The export.
        symbol: &'a [u8],
        /// The DLL.
        module: Utf16Str<'a>,
    },
    /// `ORDINAL_NOT_FOUND`: a number, and the DLL that has no such export.
    MissingOrdinal {
        /// The export.
        ordinal: u32,
        /// The DLL.
        module: Utf16Str<'a>,
    },
    /// `INVALID_IMAGE_FORMAT` or another status about a file: the DLL.
    BadImage {
        /// The DLL.
        name: Utf16Str<'a>,
        /// What is wrong.
        status: NtStatus,
    },
    /// `DLL_INIT_FAILED`: the DLL whose entry point failed.
    InitFailed {
        /// The DLL.
        name: Utf16Str<'a>,
    },
}

impl LoadFailure<'_> {
    /// The status that is raised.
    pub const fn status(&self) -> NtStatus {
        match self {
            Self::MissingDll { .. } => NtStatus::DLL_NOT_FOUND,
            Self::MissingName { .. } => NtStatus::ENTRYPOINT_NOT_FOUND,
            Self::MissingOrdinal { .. } => NtStatus::ORDINAL_NOT_FOUND,
            Self::BadImage { status, .. } => *status,
            Self::InitFailed { .. } => NtStatus::DLL_INIT_FAILED,
        }
    }
}

/// The process and the system that the loader works for.
pub trait System {
    /// The process's environment block.
    fn peb(&self) -> Ptr<Peb>;

    /// The calling thread's environment block.
    fn teb(&self) -> Ptr<Teb>;

    /// Memory of the process heap: zeroed, and aligned for anything (16 bytes, 8 with 32-bit pointers).
    fn allocate(&self, bytes: usize) -> Option<Ptr<u8>>;

    /// Gives memory back that [`allocate`](Self::allocate) gave.
    fn free(&self, block: Ptr<u8>);

    /// Maps an image into the process.
    ///
    /// # Errors
    /// - `OBJECT_NAME_NOT_FOUND`, `OBJECT_PATH_NOT_FOUND`, `NO_SUCH_FILE`: it is not there; the next place is tried.
    /// - Any other: the file is there and is no image, or there is no memory, or no right.
    fn map(&self, source: ImageSource<'_>) -> NtResult<MappedImage>;

    /// Unmaps what [`map`](Self::map) mapped.
    fn unmap(&self, base: Ptr<u8>);

    /// Changes the protection (`PAGE_*`) of all pages that the bytes touch, and gives that of the first.
    ///
    /// # Errors
    /// Those of `NtProtectVirtualMemory`.
    fn protect(&self, address: Ptr<u8>, bytes: usize, protection: u32) -> NtResult<u32>;

    /// Makes written code visible to the processors.
    fn flush_instruction_cache(&self, address: Ptr<u8>, bytes: usize);

    /// Calls the entry point of a DLL: its base, the reason (`DLL_PROCESS_ATTACH`, ...), and a context that is not null if
    /// the process starts or ends. `Ok(false)` if it returned `FALSE`.
    ///
    /// # Errors
    /// The code of an exception that it did not handle.
    fn call_entry_point(
        &self,
        entry: Ptr<u8>,
        base: Ptr<u8>,
        reason: u32,
        context: usize,
    ) -> NtResult<bool>;

    /// Calls a callback of the TLS directory, with the arguments of an entry point.
    ///
    /// # Errors
    /// The code of an exception that it did not handle.
    fn call_tls_callback(
        &self,
        callback: Ptr<u8>,
        base: Ptr<u8>,
        reason: u32,
        context: usize,
    ) -> NtResult;

    /// Calls a function that was registered for notifications.
    fn notify(
        &self,
        function: Ptr<u8>,
        reason: u32,
        data: Ptr<LdrDllNotificationData>,
        context: usize,
    );

    /// Calls a program's hook for a delayed import that cannot be resolved. It gives an address, or null.
    fn call_delay_hook(&self, hook: Ptr<u8>, reason: u32, info: Ptr<DelayloadInfo>) -> Ptr<u8>;

    /// Calls the system's hook for a delayed import that cannot be resolved: the DLL's name, and the export's name or
    /// number, as in the image. It gives an address, or null, or raises an exception and does not come back; the
    /// loader holds nothing then.
    fn call_delay_system_hook(&self, hook: Ptr<u8>, dll: Ptr<u8>, procedure: usize) -> Ptr<u8>;

    /// Asks whoever redirects DLLs (manifests, compatibility) where one with this name or path is to come from. Appends the
    /// path and says `true`, or says `false`.
    ///
    /// # Errors
    /// A status with which the load fails.
    fn redirect(&self, _name: Utf16Str<'_>, _path: &mut Utf16String) -> NtResult<bool> {
        Ok(false)
    }

    /// Raises a hard error. `process_start`: the process is not going to run.
    fn hard_error(&self, failure: &LoadFailure<'_>, process_start: bool);

    /// A line for whoever watches the loader (`FLG_SHOW_LDR_SNAPS`).
    fn trace(&self, line: fmt::Arguments<'_>);

    /// A number that nobody can guess.
    fn random(&self) -> u64;

    /// The time, in 100 ns since 1601.
    fn time(&self) -> i64;

    /// Appends the path of a directory, without a backslash at its end.
    ///
    /// # Errors
    /// `NO_MEMORY`, or what asking for it gives.
    fn directory(&self, which: WellKnownDirectory, path: &mut Utf16String) -> NtResult;

    /// Appends the value of an environment variable; nothing if there is none.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    fn environment(&self, name: Utf16Str<'_>, value: &mut Utf16String) -> NtResult;

    /// Takes the loader lock. Its owner may take it again.
    fn lock_loader(&self);

    /// Takes the loader lock if it is free or the caller's.
    fn try_lock_loader(&self) -> bool;

    /// Releases the loader lock once.
    fn unlock_loader(&self);

    /// Whether the calling thread owns the loader lock.
    fn owns_loader_lock(&self) -> bool;

    /// Takes the lock of the module lists, shared with others who look at them. It is held for a few hundred
    /// instructions, nothing is called meanwhile, and nobody takes it twice.
    fn lock_modules_shared(&self);

    /// Releases it.
    fn unlock_modules_shared(&self);

    /// Takes the lock of the module lists alone.
    fn lock_modules(&self);

    /// Releases it.
    fn unlock_modules(&self);
}

/// The loader lock, while it is held.
pub(crate) struct LoaderGuard<'a, S: System + ?Sized>(&'a S);

impl<'a, S: System + ?Sized> LoaderGuard<'a, S> {
    pub(crate) fn take(system: &'a S) -> Self {
        system.lock_loader();
        Self(system)
    }
}

impl<S: System + ?Sized> Drop for LoaderGuard<'_, S> {
    fn drop(&mut self) {
        self.0.unlock_loader();
    }
}

/// The lock of the module lists, shared, while it is held.
pub(crate) struct ReadGuard<'a, S: System + ?Sized>(&'a S);

impl<'a, S: System + ?Sized> ReadGuard<'a, S> {
    pub(crate) fn take(system: &'a S) -> Self {
        system.lock_modules_shared();
        Self(system)
    }
}

impl<S: System + ?Sized> Drop for ReadGuard<'_, S> {
    fn drop(&mut self) {
        self.0.unlock_modules_shared();
    }
}

/// The lock of the module lists, alone, while it is held.
pub(crate) struct WriteGuard<'a, S: System + ?Sized>(&'a S);

impl<'a, S: System + ?Sized> WriteGuard<'a, S> {
    pub(crate) fn take(system: &'a S) -> Self {
        system.lock_modules();
        Self(system)
    }
}

impl<S: System + ?Sized> Drop for WriteGuard<'_, S> {
    fn drop(&mut self) {
        self.0.unlock_modules();
    }
}
