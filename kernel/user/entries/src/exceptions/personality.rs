//! The handlers of the functions that call handlers: what a walk over the stack is told when it meets a walk that was
//! going on.

use c_interface::{Ptr, field};
use nt_abi::exception::ExceptionDisposition;
use nt_abi::native::ExceptionRecord;

use unwind::handler_call::{collided, nested};

use super::machine::{Context, DispatcherContext, Machine, saved_dispatcher};

/// The handler of [`execute_handler_for_exception`](super::execute_handler_for_exception): an exception happened in a
/// handler, or in a filter that it called. The search is told which frame the first search had come to: handlers up to
/// there are called for a nested exception.
///
/// # NT
/// Part of `RtlDispatchException`'s protocol with itself; it has no public name.
pub(super) extern "C" fn nested_exception(
    record: Ptr<ExceptionRecord>,
    frame: u64,
    _context: Ptr<Context>,
    dispatcher: Ptr<DispatcherContext>,
) -> ExceptionDisposition {
    let flags = field!(record, ExceptionRecord, exception_flags).read();
    let outer = saved_dispatcher(frame).read();
    let (disposition, own) = nested::<Machine>(flags, dispatcher.read(), outer);
    dispatcher.write(own);
    disposition
}

/// The handler of [`execute_handler_for_unwind`](super::execute_handler_for_unwind): an exception or another unwind met a
/// handler that an unwind had called. The walk is told all that the first unwind knew, and goes on where that was; only
/// where it is going to is its own.
///
/// # NT
/// Part of `RtlUnwindEx`'s protocol with itself; it has no public name.
pub(super) extern "C" fn collided_unwind(
    _record: Ptr<ExceptionRecord>,
    frame: u64,
    _context: Ptr<Context>,
    dispatcher: Ptr<DispatcherContext>,
) -> ExceptionDisposition {
    let outer = saved_dispatcher(frame).read();
    let (disposition, own) = collided::<Machine>(dispatcher.read(), outer);
    dispatcher.write(own);
    disposition
}
