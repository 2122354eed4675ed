//! Processes.

use ntdll_imports::RtlExitUserProcess;

use crate::win::*;

exports! {
    /// Ends the process.
    fn ExitProcess(code: u32) {
        RtlExitUserProcess(code);
    }
}
