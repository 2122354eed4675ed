//! Threads at the level of registers: where one begins, and calls that no exception leaves.
//!
//! Both need a frame with a handler of its own, which a walk over the stack finds by its unwind data. The first frame of a
//! thread has the handler for what nobody else handled; the frame of a guarded call has one that takes every exception
//! and goes on behind the call. [`thread_entries!`](crate::thread_entries) makes them for ntdll, which gives the functions that
//! they call.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[doc(hidden)]
pub use {
    c_interface::{Ptr, field},
    nt_abi::exception::{ExceptionDisposition, ExceptionFlags},
    nt_abi::native::ExceptionRecord,
};

/// What a guarded call stores for its caller: the code of the exception that ended it, 0 if none did.
pub type Outcome = u32;

/// Makes `RtlUserThreadStart`, `RtlUserFiberStart` and `call_guarded`.
///
/// - `start`: `extern "C" fn(routine: usize, argument: usize) -> !` runs a thread.
/// - `fiber`: the same for a fiber.
/// - `unhandled`: `extern "C" fn(Ptr<ExceptionRecord>, Ptr<Context>) -> ExceptionDisposition` is asked about an exception that
///   nobody handled.
/// - `unwind`: `extern "C" fn(frame: u64, target: u64, Ptr<ExceptionRecord>, value: u64)` unwinds the stack to a frame and
///   goes on at the target (`RtlUnwind`).
///
/// `call_guarded` is `extern "C" fn(function: usize, [a, b, c]: usize, outcome: Ptr<Outcome>) -> usize`: it calls a function of
/// three arguments and gives what that returns, or 0 if an exception ended it.
#[macro_export]
macro_rules! thread_entries {
    (start: $start:path, fiber: $fiber:path, unhandled: $unhandled:path, unwind: $unwind:path $(,)?) => {
        #[cfg(target_os = "windows")]
        mod thread_entries {
            #![allow(
                unsafe_code,
                non_snake_case,
                reason = "entries of NT's, with their names"
            )]
            use $crate::exceptions::{Context, DispatcherContext};
            use $crate::threads::{
                ExceptionDisposition, ExceptionFlags, ExceptionRecord, Ptr, field,
            };

            /// The handler of a thread's first frame.
            extern "C" fn first_frame(
                record: Ptr<ExceptionRecord>,
                _frame: u64,
                context: Ptr<Context>,
                _dispatcher: Ptr<DispatcherContext>,
            ) -> ExceptionDisposition {
                let flags = field!(record, ExceptionRecord, exception_flags).read();
                if flags.intersects(ExceptionFlags::UNWINDING | ExceptionFlags::EXIT_UNWIND) {
                    return ExceptionDisposition::CONTINUE_SEARCH;
                }
                $unhandled(record, context)
            }

            /// The handler of a guarded call: it takes the exception, and goes on behind the call.
            extern "C" fn guarded_frame(
                record: Ptr<ExceptionRecord>,
                frame: u64,
                _context: Ptr<Context>,
                _dispatcher: Ptr<DispatcherContext>,
            ) -> ExceptionDisposition {
                let flags = field!(record, ExceptionRecord, exception_flags).read();
                if !flags.intersects(ExceptionFlags::UNWINDING | ExceptionFlags::EXIT_UNWIND) {
                    let code = field!(record, ExceptionRecord, exception_code).read();
                    let outcome = Ptr::<u64>::at(frame + SAVED_OUTCOME).read();
                    Ptr::<$crate::threads::Outcome>::at(outcome).write(code);
                    $unwind(frame, behind_guarded_call(), record, 0);
                }
                ExceptionDisposition::CONTINUE_SEARCH
            }

            $crate::__thread_entries!($start, $fiber);
        }
        #[cfg(target_os = "windows")]
        pub(crate) use thread_entries::call_guarded;
    };
}
