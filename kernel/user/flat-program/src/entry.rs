//! Where a program begins, and how it ends: the least that one without a C library needs.

use nt_abi::NtStatus;
use nt_abi::services::arguments::Handle;
#[cfg(not(feature = "reference"))]
use nt_abi::services::arguments::In;

#[cfg(not(feature = "reference"))]
use stubs::NtDisplayString;
use stubs::NtTerminateProcess;

/// Ends the process.
///
/// # NT
/// `NtTerminateProcess` on the own process, which does not return.
pub fn exit(code: u32) -> ! {
    loop {
        // SAFETY: no argument is a pointer, and a process that ends has nothing left that could be harmed.
        let _refused = unsafe { NtTerminateProcess(Handle::CURRENT_PROCESS, NtStatus(code)) };
        core::hint::spin_loop();
    }
}

/// Writes text to the console, a few letters at a time.
///
/// # NT
/// `NtDisplayString`.
#[cfg(not(feature = "reference"))]
pub fn print(text: &str) {
    /// UTF-16 units that are written at once: a line of a check is one call, which the kernel keeps whole.
    const PIECE: usize = 512;
    let mut units = [0u16; PIECE];
    let mut count = 0u16;
    let mut pair = [0; 2];
    for letter in text.chars() {
        for unit in letter.encode_utf16(&mut pair) {
            units[usize::from(count)] = *unit;
            count += 1;
        }
        // Room for a letter of two units is left.
        if usize::from(count) + 2 > PIECE {
            display(&units, count);
            count = 0;
        }
    }
    display(&units, count);
}

#[cfg(not(feature = "reference"))]
fn display(units: &[u16], count: u16) {
    let string = nt_abi::w64::UnicodeString {
        length: count * 2,
        maximum_length: count * 2,
        reserved: 0,
        buffer: units.as_ptr().addr() as u64,
    };
    let address = core::ptr::from_ref(&string).addr() as u64;
    // SAFETY: the kernel reads the string and its units, which live until the call is over. Without a console there is
    // nobody to tell.
    let _ = unsafe { NtDisplayString(In::new(address)) };
}

/// What a program does first.
#[doc(hidden)]
pub fn begin() {
    #[cfg(feature = "reference")]
    crate::reference::watch_exceptions();
}

/// Makes `$start`, a `fn() -> u32`, the place at which the kernel enters a program.
///
/// The linker is given the name `program_start` (`xtask/src/build/cargo.rs`). What `$start` returns is the exit code.
#[macro_export]
macro_rules! program_entry {
    ($start:path) => {
        #[allow(
            unsafe_code,
            reason = "the linker finds the entry point by this symbol"
        )]
        // SAFETY: the name is used for this function alone, and only the kernel calls it.
        #[unsafe(no_mangle)]
        extern "system" fn program_start() -> ! {
            $crate::begin();
            $crate::exit($start())
        }
    };
}
