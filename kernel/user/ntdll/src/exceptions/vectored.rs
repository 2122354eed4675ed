//! The vectored handlers of the process.

use c_interface::{Function, Ptr, exports};
use entries::exceptions::Context;
use entries::locked::Locked;
use nt_abi::native::{ExceptionPointers, ExceptionRecord};
use unwind::vectored::{CONTINUE_EXECUTION, VectoredHandlers};

use crate::parking::Threads;

/// A handler: `PVECTORED_EXCEPTION_HANDLER`.
type Handler = fn(Ptr<ExceptionPointers>) -> i32;

type List = Locked<Threads, VectoredHandlers>;

/// Who is asked before any frame.
static EXCEPTION: List = List::new(VectoredHandlers::new());
/// Who hears of it when the thread goes on.
static CONTINUE: List = List::new(VectoredHandlers::new());

/// Asks the handlers of a list; gives whether one says that the thread goes on.
fn ask(list: &List, record: Ptr<ExceptionRecord>, context: Ptr<Context>) -> bool {
    let mut next = list.lock().first();
    let mut pointers = ExceptionPointers {
        exception_record: record.raw(),
        context_record: context.raw(),
    };
    while let Some(call) = next {
        let handler = Function::<Handler>::new(call.function);
        if handler.call(Ptr::of(&mut pointers)) == CONTINUE_EXECUTION {
            list.lock().end(call);
            return true;
        }
        next = list.lock().next(call);
    }
    false
}

/// Asks the vectored exception handlers.
pub(super) fn handle(record: Ptr<ExceptionRecord>, context: Ptr<Context>) -> bool {
    ask(&EXCEPTION, record, context)
}

/// Tells the vectored continue handlers.
pub(super) fn before_continuing(record: Ptr<ExceptionRecord>, context: Ptr<Context>) {
    ask(&CONTINUE, record, context);
}

fn add(list: &List, first: u32, handler: Function<Handler>) -> usize {
    list.lock().add(first != 0, handler.address()).unwrap_or(0)
}

exports! {
    /// Adds a handler that is asked before any frame; gives what it is removed by, 0 without memory.
    fn RtlAddVectoredExceptionHandler(first: u32, handler: Function<Handler>) -> usize {
        add(&EXCEPTION, first, handler)
    }

    /// Removes such a handler: not 0 if it was there.
    fn RtlRemoveVectoredExceptionHandler(handle: usize) -> u32 {
        EXCEPTION.lock().remove(handle).into()
    }

    /// Adds a handler that hears of exceptions behind which the thread goes on.
    fn RtlAddVectoredContinueHandler(first: u32, handler: Function<Handler>) -> usize {
        add(&CONTINUE, first, handler)
    }

    /// Removes such a handler: not 0 if it was there.
    fn RtlRemoveVectoredContinueHandler(handle: usize) -> u32 {
        CONTINUE.lock().remove(handle).into()
    }
}
