//! What a program does otherwise on another implementation of NT: it writes to its standard output, and hears of
//! exceptions through ntdll's own dispatcher.

use nt_abi::w64::{ExceptionRecord, IoStatusBlock};

use stubs::call::{Address, NULL, NtWriteFile, address_of, number_at};
use stubs::{Context, teb};

/// Where in a TEB, a PEB and the process parameters of 64 bits stands what leads to the standard output.
const TEB_PEB: u64 = 0x60;
const PEB_PARAMETERS: u64 = 0x20;
const PARAMETERS_OUTPUT: u64 = 0x28;

/// Writes text to the standard output.
///
/// # NT
/// `NtWriteFile`.
pub fn print(text: &str) {
    let peb = number_at(teb() + TEB_PEB);
    let output = number_at(number_at(peb + PEB_PARAMETERS) + PARAMETERS_OUTPUT);
    let mut outcome = IoStatusBlock {
        status: 0,
        reserved: 0,
        information: 0,
    };
    // Without a standard output there is nobody to tell.
    let _ = NtWriteFile(
        output,
        0u64,
        0u64,
        0u64,
        Address(address_of(&mut outcome)),
        text.as_bytes(),
        u32::try_from(text.len()).unwrap_or(0),
        NULL,
        NULL,
    );
}

/// `EXCEPTION_POINTERS`.
#[repr(C)]
struct Pointers<'a> {
    record: &'a ExceptionRecord,
    context: &'a mut Context,
}

#[link(name = "ntdll", kind = "raw-dylib")]
// SAFETY: the name, the argument and the result are those of the documentation.
unsafe extern "C" {
    fn RtlAddVectoredExceptionHandler(
        first: u32,
        handler: extern "C" fn(&mut Pointers<'_>) -> i32,
    ) -> u64;
}

/// Lets the program's handler look at exceptions first, as the program's own dispatcher does.
pub fn watch_exceptions() {
    // SAFETY: the handler stays for as long as the program runs.
    unsafe { RtlAddVectoredExceptionHandler(1, handle) };
}

extern "C" fn handle(pointers: &mut Pointers<'_>) -> i32 {
    let go_on = crate::dispatchers::handle_exception(pointers.record, pointers.context);
    // `EXCEPTION_CONTINUE_EXECUTION`, `EXCEPTION_CONTINUE_SEARCH`.
    if go_on == 0 { 0 } else { -1 }
}
