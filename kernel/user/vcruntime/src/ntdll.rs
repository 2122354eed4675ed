//! What is imported from ntdll besides the services.

use c_interface::{Ptr, imports};
use funclets::Context;
use nt_abi::native::ExceptionRecord;

imports! { "ntdll";
    /// Raises an exception.
    fn RtlRaiseException(record: Ptr<ExceptionRecord>);
    /// Unwinds the stack to a frame and goes on at an address in the frame's function.
    fn RtlUnwindEx(
        target_frame: usize,
        target_ip: usize,
        record: Ptr<ExceptionRecord>,
        value: usize,
        context: Ptr<Context>,
        history: Ptr<u8>,
    );
    /// The entry of the function that an address is in, and the base of its image.
    fn RtlLookupFunctionEntry(address: usize, base: Ptr<usize>, history: Ptr<u8>) -> Ptr<u8>;
}
