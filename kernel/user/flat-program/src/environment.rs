//! What a program was given: its parameters, found through the TEB and the PEB.
//!
//! The kernel wrote these structures before the program began. What the program does to them since is its own business:
//! only what it wrote there itself can make these functions read something else.

use nt_abi::w64::{Peb, RtlUserProcessParameters, Teb};

use stubs::teb;

/// The process's PEB.
pub fn peb() -> &'static Peb {
    let teb = teb() as usize as *const Teb;
    // SAFETY: the TEB is there as long as the thread is, and its field for the PEB is what the kernel wrote.
    let peb = unsafe { (*teb).process_environment_block } as usize as *const Peb;
    // SAFETY: the PEB is there as long as the process is.
    unsafe { &*peb }
}

/// The process's parameters; `None` if it was made without.
pub fn parameters() -> Option<&'static RtlUserProcessParameters> {
    let address = peb().process_parameters as usize as *const RtlUserProcessParameters;
    // SAFETY: the kernel wrote the address of a block that is there as long as the process is, or 0.
    unsafe { address.as_ref() }
}

/// The command line in UTF-16, its first word the program's name; empty if there is none.
pub fn command_line() -> &'static [u16] {
    let Some(parameters) = parameters() else {
        return &[];
    };
    let line = &parameters.command_line;
    if line.buffer == 0 {
        return &[];
    }
    let units = line.buffer as usize as *const u16;
    // SAFETY: the kernel wrote a string of that length there, behind the block.
    unsafe { core::slice::from_raw_parts(units, usize::from(line.length / 2)) }
}
