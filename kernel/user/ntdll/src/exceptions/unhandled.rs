//! Exceptions that nobody wants: who is asked last, what is said, and with which status the process ends.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use c_interface::{Function, Ptr, exports};
use entries::exceptions::Context;
use nt_abi::NtStatus;
use nt_abi::exception::ExceptionDisposition;
use nt_abi::native::{ExceptionPointers, ExceptionRecord};

use super::stack_walk;
use crate::{console, ending, loading};

/// A filter of last resort: kernelbase's `UnhandledExceptionFilter`.
type Filter = fn(Ptr<ExceptionPointers>) -> i32;

const EXECUTE_HANDLER: i32 = 1;
const CONTINUE_EXECUTION: i32 = -1;

static FILTER: AtomicUsize = AtomicUsize::new(0);
/// Something was said already: one report is enough, also if several threads fail at one time.
static REPORTED: AtomicBool = AtomicBool::new(false);

/// The handler of a thread's first frame.
pub(super) extern "C" fn unhandled(
    record: Ptr<ExceptionRecord>,
    context: Ptr<Context>,
) -> ExceptionDisposition {
    let mut pointers = ExceptionPointers {
        exception_record: record.raw(),
        context_record: context.raw(),
    };
    let pointers = Ptr::of(&mut pointers);
    let answer = match Function::<Filter>::new(FILTER.load(Ordering::Acquire)).non_null() {
        Some(filter) => filter.call(pointers),
        None => EXECUTE_HANDLER,
    };
    match answer {
        CONTINUE_EXECUTION => ExceptionDisposition::CONTINUE_EXECUTION,
        answer if answer >= EXECUTE_HANDLER => end(record, context),
        _ => ExceptionDisposition::CONTINUE_SEARCH,
    }
}

/// Says what happened, and ends the process with the exception's code.
fn end(record: Ptr<ExceptionRecord>, context: Ptr<Context>) -> ! {
    let fields = record.read();
    if !REPORTED.swap(true, Ordering::Relaxed) {
        report(&fields, &context.read());
    }
    ending::terminate(NtStatus(fields.exception_code))
}

/// An exception that ended the process before its program ran.
pub(crate) fn start_failed(status: NtStatus) -> ! {
    ending::terminate(status)
}

/// An address as a person finds it: the module, and the place in it.
struct Place(u64);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)?;
        loading::with_module_name(self.0, |name, offset| write!(f, " ({name}+{offset:#x})"))
            .unwrap_or(Ok(()))
    }
}

/// How many callers are shown.
const CALLERS: usize = 16;

fn report(record: &ExceptionRecord, context: &Context) {
    let code = NtStatus(record.exception_code);
    let count = usize::try_from(record.number_parameters).unwrap_or(0);
    let parameters = record
        .exception_information
        .get(..count)
        .unwrap_or_default();
    console::write(format_args!(
        "unhandled exception {code} at {}, parameters {parameters:x?}\n",
        Place(record.exception_address)
    ));
    console::write(format_args!("{}", entries::exceptions::Shown(context)));
    stack_walk::for_each_caller(context, CALLERS, |pc| {
        console::write(format_args!("  called from {}\n", Place(pc)));
    });
}

exports! {
    /// Names the filter of last resort.
    fn RtlSetUnhandledExceptionFilter(filter: Function<Filter>) {
        FILTER.store(filter.address(), Ordering::Release);
    }

    /// Says what happened and answers that the process is to end: what kernelbase's filter does when the program has none.
    fn RtlUnhandledExceptionFilter(pointers: Ptr<ExceptionPointers>) -> i32 {
        let pointers = pointers.read();
        let record = Ptr::<ExceptionRecord>::at(pointers.exception_record);
        if !REPORTED.swap(true, Ordering::Relaxed) {
            report(&record.read(), &Ptr::<Context>::at(pointers.context_record).read());
        }
        EXECUTE_HANDLER
    }
}
