//! Paths of DOS and of NT.

use c_interface::{Ptr, imports};
use nt_abi::NtStatus;
use nt_abi::native::UnicodeString;

imports! { "ntdll";
    /// The path that NT has for one of DOS; the caller frees it.
    fn RtlDosPathNameToNtPathName_U_WithStatus(path: Ptr<u16>, nt_path: Ptr<UnicodeString>, file_part: Ptr<usize>, relative: Ptr<u8>) -> NtStatus;
    /// Frees the text of a string.
    fn RtlFreeUnicodeString(string: Ptr<UnicodeString>);
    /// The full path of a name, in bytes; gives its length in bytes, or what would be needed.
    fn RtlGetFullPathName_U(path: Ptr<u16>, capacity: u32, into: Ptr<u16>, file_part: Ptr<usize>) -> u32;
    /// The current directory; gives its length in bytes, or what would be needed.
    fn RtlGetCurrentDirectory_U(capacity: u32, into: Ptr<u16>) -> u32;
    /// Sets the current directory.
    fn RtlSetCurrentDirectory_U(path: Ptr<UnicodeString>) -> NtStatus;
    /// What kind of path it is (`RtlPathType*`).
    fn RtlDetermineDosPathNameType_U(path: Ptr<u16>) -> u32;
    /// Whether a path is a device of DOS: its place and length in bytes, or 0.
    fn RtlIsDosDeviceName_U(path: Ptr<u16>) -> u32;
}
