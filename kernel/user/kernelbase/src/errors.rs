//! The thread's last error and the process's error mode.

use nt_abi::native::Teb;

use crate::win::*;

exports! {
    /// The thread's last error.
    fn GetLastError() -> u32 {
        field!(teb(), Teb, last_error_value).read()
    }

    /// Sets the thread's last error.
    fn SetLastError(error: u32) {
        set_last_error(Error(error));
    }
}
