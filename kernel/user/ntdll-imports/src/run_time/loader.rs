//! The loader.

use c_interface::{Ptr, imports};
use nt_abi::NtStatus;
use nt_abi::native::{AnsiString, UnicodeString};

imports! { "ntdll";
    /// Loads a DLL: where to search (a path, or flags with bit 0 set), characteristics, its name, where its base goes.
    fn LdrLoadDll(path: Ptr<u8>, characteristics: Ptr<u32>, name: Ptr<UnicodeString>, base: Ptr<usize>) -> NtStatus;
    /// Gives a reference to a DLL back.
    fn LdrUnloadDll(base: Ptr<u8>) -> NtStatus;
    /// The base of a module that is loaded, without a reference.
    fn LdrGetDllHandle(path: Ptr<u8>, characteristics: Ptr<u32>, name: Ptr<UnicodeString>, base: Ptr<usize>) -> NtStatus;
    /// The base of a module that is loaded, with a reference unless the flags say otherwise.
    fn LdrGetDllHandleEx(flags: u32, path: Ptr<u8>, characteristics: Ptr<u32>, name: Ptr<UnicodeString>, base: Ptr<usize>) -> NtStatus;
    /// The address of an export, by name or by ordinal.
    fn LdrGetProcedureAddress(base: Ptr<u8>, name: Ptr<AnsiString>, ordinal: u32, address: Ptr<usize>) -> NtStatus;
    /// A reference more to a module, or for ever.
    fn LdrAddRefDll(flags: u32, base: Ptr<u8>) -> NtStatus;
    /// Spares a DLL the calls when threads begin and end.
    fn LdrDisableThreadCalloutsForDll(base: Ptr<u8>) -> NtStatus;
    /// Has the loader's lock.
    fn LdrLockLoaderLock(flags: u32, disposition: Ptr<u32>, cookie: Ptr<usize>) -> NtStatus;
    /// Gives the loader's lock back.
    fn LdrUnlockLoaderLock(flags: u32, cookie: usize) -> NtStatus;
    /// Adds a directory in which DLLs are looked for.
    fn LdrAddDllDirectory(path: Ptr<UnicodeString>, cookie: Ptr<usize>) -> NtStatus;
    /// Takes a directory away again.
    fn LdrRemoveDllDirectory(cookie: Ptr<u8>) -> NtStatus;
    /// Says in which directories DLLs are looked for.
    fn LdrSetDefaultDllDirectories(flags: u32) -> NtStatus;
    /// The directory that is searched instead of the current one.
    fn LdrGetDllDirectory(path: Ptr<UnicodeString>) -> NtStatus;
    /// Sets the directory that is searched instead of the current one.
    fn LdrSetDllDirectory(path: Ptr<UnicodeString>) -> NtStatus;
    /// The base of the module that an address is in; null: it is in none.
    fn RtlPcToFileHeader(address: Ptr<u8>, base: Ptr<usize>) -> Ptr<u8>;
    /// Finds a resource: its kind, name and language.
    fn LdrFindResource_U(base: Ptr<u8>, wanted: Ptr<usize>, level: u32, entry: Ptr<usize>) -> NtStatus;
    /// Finds a directory of resources.
    fn LdrFindResourceDirectory_U(base: Ptr<u8>, wanted: Ptr<usize>, level: u32, directory: Ptr<usize>) -> NtStatus;
    /// The bytes of a resource, and how many they are.
    fn LdrAccessResource(base: Ptr<u8>, entry: Ptr<u8>, bytes: Ptr<usize>, size: Ptr<u32>) -> NtStatus;
}
