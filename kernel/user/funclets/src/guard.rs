//! What is told when an exception leaves a call.

use c_interface::Ptr;
use nt_abi::exception::ExceptionDisposition;
use nt_abi::native::ExceptionRecord;

use crate::machine::{Context, DispatcherContext, saved_guard};

/// Told of an exception that leaves a call, with its record: first while a handler is searched, then when the stack is
/// unwound, which the record's flags tell apart. The second argument is the one that the caller named with the guard.
pub type Guard = extern "C" fn(record: Ptr<ExceptionRecord>, data: usize);

/// A [`Guard`] as it lies in memory.
pub(crate) type Guarded = fn(Ptr<ExceptionRecord>, usize);

/// The handler of the functions that call.
pub(crate) extern "C" fn guarded(
    record: Ptr<ExceptionRecord>,
    frame: u64,
    _context: Ptr<Context>,
    _dispatcher: Ptr<DispatcherContext>,
) -> ExceptionDisposition {
    let (guard, data) = saved_guard(frame);
    guard.call_cdecl(record, data);
    ExceptionDisposition::CONTINUE_SEARCH
}
