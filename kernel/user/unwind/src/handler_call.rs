//! A call of a language handler, and how the functions that make such calls are handlers themselves.
//!
//! ntdll calls every handler through one of two small functions: one for the search of a handler, one for an unwind. Each
//! keeps the address of the dispatcher context in its frame and has a handler of its own. So when an exception happens in a
//! handler, the search for it comes to that small function, calls its handler, and is told what was interrupted:
//! [`nested`] or [`collided`].

use nt_abi::exception::{ExceptionDisposition, ExceptionFlags};

use crate::machine::Machine;

/// What a language handler is called with besides the record, the frame and the context: `DISPATCHER_CONTEXT` of any
/// machine. Everything that is somewhere is an address.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct HandlerCall {
    /// Where control left the function.
    pub control_pc: u64,
    /// Whether that is the return address of a call, where the machine needs to know.
    pub behind_call: bool,
    /// Base of the function's image.
    pub image_base: u64,
    /// The function's entry in its table.
    pub function_entry: u64,
    /// The function's frame.
    pub establisher_frame: u64,
    /// Unwinding: where the target goes on.
    pub target: u64,
    /// A context: of the function's caller while a handler is searched, of the function while the stack is unwound.
    pub context: u64,
    /// The handler.
    pub handler: u64,
    /// Its data for the function.
    pub handler_data: u64,
    /// `UNWIND_HISTORY_TABLE`, or 0.
    pub history_table: u64,
    /// The first scope of the function that counts.
    pub scope_index: u32,
    /// Where the registers are that filters and `__finally` blocks want, on machines where they do.
    pub registers: u64,
}

/// What the handler of the function answers that calls handlers while one is searched. `flags` are those of the exception
/// that happened, `dispatcher` is of the call for it, `interrupted` is what the function was called with.
pub fn nested<M: Machine>(
    flags: ExceptionFlags,
    dispatcher: M::Dispatcher,
    interrupted: M::Dispatcher,
) -> (ExceptionDisposition, M::Dispatcher) {
    if is_unwinding(flags) {
        return (ExceptionDisposition::CONTINUE_SEARCH, dispatcher);
    }
    let mut call = M::call(&dispatcher);
    call.establisher_frame = M::call(&interrupted).establisher_frame;
    (ExceptionDisposition::NESTED_EXCEPTION, M::dispatcher(&call))
}

/// What the handler of the function answers that calls handlers while the stack is unwound. Everything that the interrupted
/// unwind knew is taken over, but for where it was going to.
pub fn collided<M: Machine>(
    dispatcher: M::Dispatcher,
    interrupted: M::Dispatcher,
) -> (ExceptionDisposition, M::Dispatcher) {
    let call = HandlerCall {
        target: M::call(&dispatcher).target,
        ..M::call(&interrupted)
    };
    (ExceptionDisposition::COLLIDED_UNWIND, M::dispatcher(&call))
}

/// Whether handlers are called to unwind.
pub(crate) fn is_unwinding(flags: ExceptionFlags) -> bool {
    flags.intersects(ExceptionFlags::UNWINDING | ExceptionFlags::EXIT_UNWIND)
}
