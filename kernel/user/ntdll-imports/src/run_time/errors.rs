//! Errors and exceptions.

use c_interface::{Ptr, imports};
use nt_abi::NtStatus;
use nt_abi::native::ExceptionRecord;

imports! { "ntdll";
    /// What a status is in terms of Win32; notes it as the thread's last.
    fn RtlNtStatusToDosError(status: NtStatus) -> u32;
    /// Which errors this thread wants to see in windows.
    fn RtlGetThreadErrorMode() -> u32;
    /// Says which errors this thread wants to see in windows.
    fn RtlSetThreadErrorMode(mode: u32, before: Ptr<u32>) -> NtStatus;
    /// Raises an exception, with the caller's registers.
    fn RtlRaiseException(record: Ptr<ExceptionRecord>);
    /// The caller's registers.
    fn RtlCaptureContext(context: Ptr<u8>);
    /// Says who is asked about exceptions that nobody handles.
    fn RtlSetUnhandledExceptionFilter(filter: Ptr<u8>);
    /// Adds a handler that sees each exception before frames do; gives a cookie.
    fn RtlAddVectoredExceptionHandler(first: u32, handler: Ptr<u8>) -> Ptr<u8>;
    /// Finds a message in a module: the kind of its table, its language, its number.
    fn RtlFindMessage(base: Ptr<u8>, kind: u32, language: u32, message: u32, entry: Ptr<usize>) -> NtStatus;
}
