//! What is known of a thread, and who may ask for it.

use c_interface::{Function, Ptr, exports, field};
use cxx_exceptions::catches::{Thread, is_free};

const _: () = assert!(size_of::<Thread>() <= funclets::BLOCK);

/// What is known of the calling thread.
pub(crate) fn thread() -> Ptr<Thread> {
    funclets::thread_block().cast()
}

exports! {
    /// Where the address is of the record of the exception that the thread handles.
    cdecl fn __current_exception() -> Ptr<usize> {
        field!(thread(), Thread, handled_record)
    }

    /// Where the address is of that exception's context.
    cdecl fn __current_exception_context() -> Ptr<usize> {
        field!(thread(), Thread, handled_context)
    }

    /// Where the number is of exceptions that are on their way to a handler.
    cdecl fn __processing_throw() -> Ptr<i32> {
        field!(thread(), Thread, uncaught).cast()
    }

    /// How many exceptions are on their way to a handler.
    ///
    /// # NT
    /// Under `std::uncaught_exceptions`.
    cdecl fn __uncaught_exceptions() -> i32 {
        __processing_throw().read()
    }

    /// Whether an exception is on its way to a handler.
    ///
    /// # NT
    /// Under `std::uncaught_exception`.
    cdecl fn __uncaught_exception() -> u8 {
        u8::from(__uncaught_exceptions() != 0)
    }

    /// Whether no `catch` block of the thread that runs has an object.
    cdecl fn _IsExceptionObjectToBeDestroyed(object: usize) -> i32 {
        i32::from(is_free(thread(), object))
    }

    /// Names the function that is given exceptions which C++ did not throw, and may throw one that it did; gives the one before.
    /// Functions are asked that were compiled with `/EHa`.
    ///
    /// # NT
    /// `_set_se_translator`.
    cdecl fn _set_se_translator(
        translator: Function<fn(u32, Ptr<u8>)>,
    ) -> Function<fn(u32, Ptr<u8>)> {
        let place = field!(thread(), Thread, translator);
        let before = place.read();
        place.write(translator.address());
        Function::new(before)
    }
}
