//! Exceptions of this process: who is asked, in which order, and what becomes of one that nobody wants.
//!
//! The kernel brings an exception to `KiUserExceptionDispatcher`, a program raises one with `RtlRaiseException`; both come to
//! [`dispatch`]. First the vectored handlers are asked, then the frames of the stack, then the kernel is told that
//! nobody wants it. The first frame of every thread has a handler of last resort ([`unhandled`]), so that this hardly ever happens.
//!
//! How frames are walked is in `unwind`, what has to be machine code in `entries`; here they meet the process.

mod exports;
mod platform;
mod stack_walk;
mod unhandled;
mod vectored;

use c_interface::{Ptr, field};
use entries::exceptions::{Context, RtlCaptureContext, RtlRestoreContext};
use nt_abi::NtStatus;
use nt_abi::exception::ExceptionFlags;
use nt_abi::native::ExceptionRecord;
use stubs::call::{Address, NtContinue, NtRaiseException};
use unwind::machine::Machine as _;
use unwind::platform::Scratch;
use unwind::{SearchOutcome, UnwindOutcome, UnwindRequest};

use self::platform::Own;
pub(crate) use self::unhandled::start_failed;

type Machine = entries::exceptions::Machine;
type Registers = <Machine as unwind::machine::Machine>::Registers;

entries::exception_entries! {
    dispatch: crate::exceptions::dispatch,
    raise: crate::exceptions::raise_with,
}

entries::thread_entries! {
    start: crate::start::run_thread,
    fiber: crate::start::run_fiber,
    unhandled: crate::exceptions::unhandled::unhandled,
    unwind: crate::exceptions::unwind_to,
}

/// Room for what handlers see of a walk over the stack.
struct Room {
    context: Context,
    registers: Registers,
}

impl Room {
    fn new() -> Self {
        let context = Context::default();
        let registers = Machine::registers(&context);
        Self { context, registers }
    }

    fn scratch(&mut self) -> Scratch {
        Scratch {
            context: Ptr::of(&mut self.context).raw(),
            registers: Ptr::of(&mut self.registers).raw(),
        }
    }
}

/// Finds out who handles an exception, and goes on there.
///
/// # NT
/// `KiUserExceptionDispatcher` and `RtlDispatchException`.
pub(crate) extern "C" fn dispatch(record: Ptr<ExceptionRecord>, context: Ptr<Context>) -> ! {
    let outcome = match vectored::handle(record, context) {
        true => SearchOutcome::Continue,
        false => {
            let mut room = Room::new();
            let scratch = room.scratch();
            unwind::search(&mut Own::new(), record.raw(), context.raw(), scratch)
        }
    };
    match outcome {
        SearchOutcome::Continue => {
            vectored::before_continuing(record, context);
            go_on(context)
        }
        SearchOutcome::Unhandled => give_up(record, context),
        SearchOutcome::Raise(status) => raise_about(status, record),
    }
}

/// Goes on with the registers in a context: all of them, as only the kernel can load them behind an exception.
fn go_on(context: Ptr<Context>) -> ! {
    let refused = NtContinue(Address(context.raw()), false);
    raise_status(refused)
}

/// Tells the kernel that nobody wants an exception: it ends the process.
fn give_up(record: Ptr<ExceptionRecord>, context: Ptr<Context>) -> ! {
    let refused = NtRaiseException(Address(record.raw()), Address(context.raw()), false);
    crate::ending::terminate(refused)
}

/// Raises an exception whose registers are in a context: what `RtlRaiseException` does when it has them.
extern "C" fn raise_with(record: Ptr<ExceptionRecord>, context: Ptr<Context>) -> ! {
    let address = field!(record, ExceptionRecord, exception_address);
    address.write(Machine::pc(&context.read()));
    dispatch(record, context)
}

/// Raises a status as an exception that cannot be continued.
///
/// # NT
/// `RtlRaiseStatus`.
pub(crate) fn raise_status(status: NtStatus) -> ! {
    raise_about(status, Ptr::NULL)
}

/// Raises a status as an exception behind which the thread may go on.
pub(crate) fn raise_continuable(status: NtStatus) {
    let mut record = ExceptionRecord {
        exception_code: status.0,
        ..ExceptionRecord::default()
    };
    exception_entries::RtlRaiseException(Ptr::of(&mut record));
}

/// Raises a status, about another exception.
fn raise_about(status: NtStatus, about: Ptr<ExceptionRecord>) -> ! {
    let mut record = ExceptionRecord {
        exception_code: status.0,
        exception_flags: ExceptionFlags::NONCONTINUABLE,
        exception_record: about.raw(),
        ..ExceptionRecord::default()
    };
    loop {
        exception_entries::RtlRaiseException(Ptr::of(&mut record));
    }
}

/// Unwinds the stack to a frame and goes on at an address in its function. The walk begins here, or with the registers of an
/// exception in whose search this is: see [`UnwindFromHandler::origin`](unwind::c_handler::UnwindFromHandler::origin).
///
/// # NT
/// `RtlUnwindEx`.
fn unwind(request: UnwindRequest, scratch_context: Ptr<Context>, origin: Ptr<Context>) -> ! {
    let mut own = ExceptionRecord {
        exception_code: NtStatus::UNWIND.0,
        ..ExceptionRecord::default()
    };
    let mut room = Room::new();
    let mut scratch = room.scratch();
    if let Some(context) = scratch_context.non_null() {
        scratch.context = context.raw();
    }
    let context = Ptr::<Context>::at(scratch.context);
    match origin.non_null() {
        None => {
            RtlCaptureContext(context);
        }
        Some(origin) => {
            RtlCaptureContext(Ptr::of(&mut room.context));
            let mut begin = origin.read();
            Machine::take_thread_state(&mut begin, &room.context);
            context.write(begin);
        }
    }
    let mut request = request;
    if request.record == 0 {
        let address = field!(Ptr::of(&mut own), ExceptionRecord, exception_address);
        address.write(Machine::pc(&context.read()));
        request.record = Ptr::of(&mut own).raw();
    }
    let record = Ptr::<ExceptionRecord>::at(request.record);
    match unwind::unwind(&mut Own::new(), request, scratch) {
        UnwindOutcome::GoOn => RtlRestoreContext(context, record),
        UnwindOutcome::NoTarget => give_up(record, context),
        UnwindOutcome::Raise(status) => raise_about(status, record),
    }
    raise_status(NtStatus::INVALID_UNWIND_TARGET)
}

/// Unwinds to the frame of a guarded call.
extern "C" fn unwind_to(frame: u64, target: u64, record: Ptr<ExceptionRecord>, value: u64) {
    unwind(
        UnwindRequest {
            target_frame: Some(frame),
            target_pc: target,
            record: record.raw(),
            result: value,
            history_table: 0,
        },
        Ptr::NULL,
        Ptr::NULL,
    );
}
