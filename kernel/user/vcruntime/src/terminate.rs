//! The end, when there is no other way.

use core::sync::atomic::{AtomicUsize, Ordering};

use c_interface::{Function, Ptr, exports};
use nt_abi::NtStatus;
use nt_abi::services::arguments::Handle;
use ntdll_imports::NtTerminateProcess;

/// What is called in place of the end, which it must not return from.
type Handler = Function<fn()>;

static TERMINATE: AtomicUsize = AtomicUsize::new(0);
static UNEXPECTED: AtomicUsize = AtomicUsize::new(0);
static PURE_CALL: AtomicUsize = AtomicUsize::new(0);

/// Ends the process.
///
/// # NT
/// `abort`: the process's exit code is that of a fast failure.
fn abort() -> ! {
    loop {
        let _refused = NtTerminateProcess(Handle::CURRENT_PROCESS, NtStatus::STACK_BUFFER_OVERRUN);
    }
}

/// Calls a handler, if one was named, and ends the process.
fn call_and_end(handler: &AtomicUsize) -> ! {
    if let Some(handler) = Handler::new(handler.load(Ordering::Acquire)).non_null() {
        handler.call_cdecl();
    }
    abort()
}

/// Names a handler; gives the one before.
fn exchange(place: &AtomicUsize, handler: Handler) -> Handler {
    Function::new(place.swap(handler.address(), Ordering::AcqRel))
}

/// `std::terminate`.
pub(crate) fn end() -> ! {
    call_and_end(&TERMINATE)
}

exports! {
    /// Calls the handler of `set_terminate`, and ends the process.
    ///
    /// # NT
    /// `terminate`: in Windows it is ucrtbase's.
    cdecl fn terminate() {
        end()
    }

    /// The same: functions that let no exception out call it when one would leave them.
    cdecl fn __std_terminate() {
        end()
    }

    /// Names what `terminate` calls; gives what was named before. One name for all threads, as C++ has it.
    ///
    /// # Differs
    /// Windows has one for each thread.
    cdecl fn set_terminate(handler: Handler) -> Handler {
        exchange(&TERMINATE, handler)
    }

    /// What `terminate` calls.
    cdecl fn _get_terminate() -> Handler {
        Function::new(TERMINATE.load(Ordering::Acquire))
    }

    /// Calls the handler of `set_unexpected`, or `terminate`. No compiler calls it any more.
    cdecl fn unexpected() {
        if let Some(handler) = _get_unexpected().non_null() {
            handler.call_cdecl();
        }
        end()
    }

    /// Names what `unexpected` calls; gives what was named before.
    cdecl fn set_unexpected(handler: Handler) -> Handler {
        exchange(&UNEXPECTED, handler)
    }

    /// What `unexpected` calls.
    cdecl fn _get_unexpected() -> Handler {
        Function::new(UNEXPECTED.load(Ordering::Acquire))
    }

    /// What a call of a virtual function without a body comes to.
    cdecl fn _purecall() -> i32 {
        call_and_end(&PURE_CALL)
    }

    /// Names what `_purecall` calls; gives what was named before.
    cdecl fn _set_purecall_handler(handler: Handler) -> Handler {
        exchange(&PURE_CALL, handler)
    }

    /// What `_purecall` calls.
    cdecl fn _get_purecall_handler() -> Handler {
        Function::new(PURE_CALL.load(Ordering::Acquire))
    }

    /// The handler of functions of C that let no exception out: ends the process.
    cdecl fn __C_specific_handler_noexcept(
        _record: Ptr<u8>,
        _frame: u64,
        _context: Ptr<u8>,
        _dispatcher: Ptr<u8>,
    ) -> u32 {
        end()
    }
}
