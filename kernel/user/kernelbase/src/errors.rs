//! Errors: the thread's last one, exceptions that programs raise, what becomes of those that nobody handles, debuggers.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use nt_abi::exception::{EXCEPTION_MAXIMUM_PARAMETERS, ExceptionFlags};
use nt_abi::native::{ExceptionPointers, ExceptionRecord, Peb, Size, Teb};
use nt_abi::process_information::ProcessInformationClass as Class;
use ntdll_imports::{
    NtRaiseException, NtTerminateProcess, RtlAddVectoredExceptionHandler, RtlCaptureContext,
    RtlRaiseException, RtlSetUnhandledExceptionFilter,
};

use crate::processes;
use crate::wide::{self, Wide};
use crate::win::*;

/// `SEM_FAILCRITICALERRORS`, which NT has the other way round.
const FAIL_CRITICAL_ERRORS: u32 = 1;
/// `SEM_NOALIGNMENTFAULTEXCEPT`: once on, it stays.
const NO_ALIGNMENT_FAULTS: u32 = 4;

/// `DBG_PRINTEXCEPTION_C`: text for a debugger.
const PRINT_BYTES: u32 = 0x4001_0006;
/// `DBG_PRINTEXCEPTION_WIDE_C`: the same as units, and as bytes for those who do not know it.
const PRINT_UNITS: u32 = 0x4001_000A;
/// `STATUS_FAIL_FAST_EXCEPTION`.
const FAIL_FAST: u32 = 0xC000_0602;

/// What a filter says: `EXCEPTION_CONTINUE_SEARCH`.
const CONTINUE_SEARCH: i32 = 0;
/// `EXCEPTION_EXECUTE_HANDLER`.
const EXECUTE_HANDLER: i32 = 1;
/// `EXCEPTION_CONTINUE_EXECUTION`.
const CONTINUE_EXECUTION: i32 = -1;

/// The program's own filter of exceptions that nobody handles.
static FILTER: AtomicUsize = AtomicUsize::new(0);
/// Whether text for debuggers has its handler.
static PRINTING: AtomicU32 = AtomicU32::new(0);

/// Registers of any machine.
#[repr(C, align(64))]
struct AnyContext([u8; 0x1000]);

/// A filter of exceptions that nobody handles.
type Filter = Function<fn(Ptr<ExceptionPointers>) -> i32>;

/// Whether a debugger is attached.
fn debugged() -> bool {
    field!(peb(), Peb, being_debugged).read() != 0
}

/// The process's error mode, as Win32 has it.
fn error_mode() -> u32 {
    let mode = processes::query::<u32>(Handle::CURRENT_PROCESS, Class::DEFAULT_HARD_ERROR_MODE);
    mode.map_or(0, |mode| mode ^ FAIL_CRITICAL_ERRORS)
}

/// Has ntdll ask here about exceptions that nobody handles.
pub(crate) fn begin() {
    let filter = UnhandledExceptionFilter as *const () as usize;
    RtlSetUnhandledExceptionFilter(Ptr::new(filter));
}

/// A record of an exception with parameters.
fn record(code: u32, flags: u32, parameters: &[Size]) -> ExceptionRecord {
    let mut record = ExceptionRecord {
        exception_code: code,
        exception_flags: ExceptionFlags(flags & ExceptionFlags::NONCONTINUABLE.0),
        exception_address: RaiseException as *const () as usize as nt_abi::native::Pointer,
        ..ExceptionRecord::default()
    };
    let count = parameters.len().min(EXCEPTION_MAXIMUM_PARAMETERS);
    record.exception_information[..count].copy_from_slice(&parameters[..count]);
    record.number_parameters = u32::try_from(count).unwrap_or_default();
    record
}

fn raise(code: u32, flags: u32, parameters: &[Size]) {
    let mut record = record(code, flags, parameters);
    RtlRaiseException(Ptr::of(&mut record));
}

/// Continues after text for a debugger that no debugger took.
extern "system" fn continue_after_text(pointers: Ptr<ExceptionPointers>) -> i32 {
    let record =
        Ptr::<ExceptionRecord>::at(field!(pointers, ExceptionPointers, exception_record).read());
    match field!(record, ExceptionRecord, exception_code).read() {
        PRINT_BYTES | PRINT_UNITS => CONTINUE_EXECUTION,
        _ => CONTINUE_SEARCH,
    }
}

/// Raises text for a debugger, if there is one.
fn print(code: u32, parameters: &[Size]) {
    if !debugged() {
        return;
    }
    if PRINTING.swap(1, Ordering::AcqRel) == 0 {
        let handler = continue_after_text as *const () as usize;
        RtlAddVectoredExceptionHandler(0, Ptr::new(handler));
    }
    raise(code, 0, parameters);
}

/// The length of a string with its terminator, and where it is.
fn text_parameters(length: usize, at: usize) -> [Size; 2] {
    [(length + 1) as Size, at as Size]
}

exports! {
    /// The thread's last error.
    fn GetLastError() -> u32 {
        field!(teb(), Teb, last_error_value).read()
    }

    /// Sets the thread's last error.
    fn SetLastError(error: u32) {
        set_last_error(Error(error));
    }

    /// Which errors the process wants to see in windows (`SEM_*`).
    fn GetErrorMode() -> u32 {
        error_mode()
    }

    /// Says which errors the process wants to see in windows; gives what it was before.
    fn SetErrorMode(mode: u32) -> u32 {
        let before = error_mode();
        let new = mode | before & NO_ALIGNMENT_FAULTS;
        let _refused = processes::set(Handle::CURRENT_PROCESS, Class::DEFAULT_HARD_ERROR_MODE, &(new ^ FAIL_CRITICAL_ERRORS));
        before
    }

    /// Raises an exception.
    fn RaiseException(code: u32, flags: u32, count: u32, parameters: Ptr<Size>) {
        // A severity without the bit of the kernel's own.
        let code = code & 0xEFFF_FFFF;
        let parameters = if parameters.is_null() { &[] } else {
            parameters.slice((count as usize).min(EXCEPTION_MAXIMUM_PARAMETERS))
        };
        raise(code, flags, parameters);
    }

    /// Ends the process with an exception that no handler sees.
    fn RaiseFailFastException(given: Ptr<ExceptionRecord>, context: Ptr<u8>, _flags: u32) {
        let mut own = record(FAIL_FAST, ExceptionFlags::NONCONTINUABLE.0, &[]);
        let own = given.non_null().unwrap_or(Ptr::of(&mut own));
        let mut registers = AnyContext([0; 0x1000]);
        let context = match context.non_null() {
            Some(context) => context,
            None => {
                let place = Ptr::of(&mut registers).cast();
                RtlCaptureContext(place);
                place
            }
        };
        let _refused = NtRaiseException(own, context, false);
        let _refused = NtTerminateProcess(Handle::CURRENT_PROCESS, NtStatus(FAIL_FAST));
    }

    /// Sets the program's filter of exceptions that nobody handles; gives the one before.
    fn SetUnhandledExceptionFilter(filter: Ptr<u8>) -> Ptr<u8> {
        Ptr::new(FILTER.swap(filter.address(), Ordering::AcqRel))
    }

    /// What becomes of an exception that nobody handles: the debugger's, the filter's, or the end.
    fn UnhandledExceptionFilter(pointers: Ptr<ExceptionPointers>) -> i32 {
        if debugged() {
            return CONTINUE_SEARCH;
        }
        let filter = Filter::new(FILTER.load(Ordering::Acquire));
        if let Some(filter) = filter.non_null() {
            let said = filter.call(pointers);
            if said == EXECUTE_HANDLER || said == CONTINUE_EXECUTION {
                return said;
            }
        }
        EXECUTE_HANDLER
    }

    /// Whether a debugger is attached to this process.
    fn IsDebuggerPresent() -> Bool {
        Bool::from(debugged())
    }

    /// Gives text to a debugger.
    ///
    /// # Differs
    /// Without a debugger nobody listens.
    fn OutputDebugStringA(text: Ptr<u8>) {
        if !text.is_null() {
            print(PRINT_BYTES, &text_parameters(wide::byte_length(text), text.address()));
        }
    }

    /// Gives text to a debugger, as units and as bytes.
    ///
    /// # Differs
    /// Without a debugger nobody listens.
    fn OutputDebugStringW(text: Ptr<u16>) {
        if text.is_null() || !debugged() {
            return;
        }
        let units = wide::units(text);
        let Ok(mut bytes) = wide::room::<u8>(wide::ansi_length(units) + 1) else {
            return;
        };
        let _fits = wide::to_ansi(units, &mut bytes);
        let [length, at] = text_parameters(units.len(), text.address());
        let [bytes_length, bytes_at] = text_parameters(bytes.len() - 1, wide::place(&mut bytes).address());
        print(PRINT_UNITS, &[length, at, bytes_length, bytes_at]);
    }

    /// Ends the process.
    fn FatalExit(code: i32) {
        ntdll_imports::RtlExitUserProcess(code.cast_unsigned());
    }

    /// Tells the user something and ends the process.
    fn FatalAppExitW(_action: u32, text: Ptr<u16>) {
        crate::console::display(wide::units(text).iter().copied().chain([u16::from(b'\n')]));
        ntdll_imports::RtlExitUserProcess(0);
    }

    /// Tells the user something and ends the process.
    fn FatalAppExitA(action: u32, text: Ptr<u8>) {
        let text = Wide::from_ansi(text).unwrap_or_default();
        FatalAppExitW(action, text.ptr());
    }
}
