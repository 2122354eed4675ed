//! Handles of any object.

use ntdll_imports::NtClose;

use crate::console;
use crate::win::*;

exports! {
    /// Closes a handle. A pseudo handle of the console stays what it is.
    fn CloseHandle(handle: Handle) -> Bool {
        if console::is_console(handle) {
            return TRUE;
        }
        truth_of(NtClose(handle))
    }
}
