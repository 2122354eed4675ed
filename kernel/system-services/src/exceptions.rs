//! Exceptions of user mode: what is said of them, and who is told.
//!
//! A thread's exception goes to `KiUserExceptionDispatcher` with its registers and a record on its own stack. If nobody
//! is there, if the stack cannot take them, or if user mode says that nobody handled it (the second chance), the process
//! ends with the exception's code.

use arch::contract::{
    Access, Exception, ExceptionClass, FloatingPointTrap, UserContext, UserState as _, VirtAddr,
};
use arch::thread::UserState;
use nt_abi::NtStatus;
use nt_abi::exception::{EXCEPTION_MAXIMUM_PARAMETERS, ExceptionFlags};
use nt_abi::w64::ExceptionRecord;
use ob::Object;
use ps::Thread;
use zerocopy::IntoBytes as _;

/// `ExceptionInformation[0]` of an access violation.
const fn access_code(access: Access) -> u64 {
    match access {
        Access::Read => 0,
        Access::Write => 1,
        Access::Execute => 8,
    }
}

/// An exception that user mode gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Raised {
    code: NtStatus,
    parameters: [u64; 3],
    count: u32,
}

impl Raised {
    /// One that has no parameters.
    const fn plain(code: NtStatus) -> Self {
        Self {
            code,
            parameters: [0; 3],
            count: 0,
        }
    }

    /// An access that was refused.
    pub(crate) const fn of_access(code: NtStatus, access: Access, address: u64) -> Self {
        Self {
            code,
            parameters: [access_code(access), address, 0],
            count: 2,
        }
    }

    /// `STATUS_ACCESS_VIOLATION`.
    pub(crate) const fn access_violation(access: Access, address: u64) -> Self {
        Self::of_access(NtStatus::ACCESS_VIOLATION, access, address)
    }

    /// A page could not be brought in, for that reason.
    pub(crate) fn in_page_error(access: Access, address: u64, reason: NtStatus) -> Self {
        Self {
            code: NtStatus::IN_PAGE_ERROR,
            parameters: [access_code(access), address, u64::from(reason.0)],
            count: 3,
        }
    }

    /// What an instruction did that is not an access to a page.
    pub(crate) fn by_instruction(exception: &Exception) -> Self {
        let address = exception
            .address
            .map_or(u64::MAX, |VirtAddr(address)| address);
        match exception.class {
            ExceptionClass::IllegalInstruction | ExceptionClass::FloatingPointUnavailable => {
                Self::plain(NtStatus::ILLEGAL_INSTRUCTION)
            }
            ExceptionClass::PrivilegedInstruction => Self::plain(NtStatus::PRIVILEGED_INSTRUCTION),
            ExceptionClass::IntegerDivide => Self::plain(NtStatus::INTEGER_DIVIDE_BY_ZERO),
            ExceptionClass::IntegerOverflow => Self::plain(NtStatus::INTEGER_OVERFLOW),
            ExceptionClass::BoundRangeExceeded => Self::plain(NtStatus::ARRAY_BOUNDS_EXCEEDED),
            // Its parameter says which of the debugger's services is wanted: none.
            ExceptionClass::Breakpoint => Self {
                count: 1,
                ..Self::plain(NtStatus::BREAKPOINT)
            },
            ExceptionClass::AssertionFailure => Self::plain(NtStatus::ASSERTION_FAILURE),
            ExceptionClass::DebugTrap => Self::plain(NtStatus::SINGLE_STEP),
            ExceptionClass::Misaligned
            | ExceptionClass::MisalignedPc
            | ExceptionClass::MisalignedStack => {
                Self::of_access(NtStatus::DATATYPE_MISALIGNMENT, Access::Read, address)
            }
            ExceptionClass::FloatingPoint(trap) => Self::floating_point(trap),
            // Memory that should be there is not: the same as a page that cannot be read from its disk.
            ExceptionClass::BusError | ExceptionClass::MachineCheck => {
                Self::in_page_error(Access::Read, address, NtStatus::DEVICE_DATA_ERROR)
            }
            _ => Self::access_violation(Access::Read, address),
        }
    }

    /// What a floating-point unit found; the parameter is zero.
    const fn floating_point(trap: FloatingPointTrap) -> Self {
        let code = match trap {
            FloatingPointTrap::InvalidOperation => NtStatus::FLOAT_INVALID_OPERATION,
            FloatingPointTrap::StackCheck => NtStatus::FLOAT_STACK_CHECK,
            FloatingPointTrap::DivideByZero => NtStatus::FLOAT_DIVIDE_BY_ZERO,
            FloatingPointTrap::DenormalOperand => NtStatus::FLOAT_DENORMAL_OPERAND,
            FloatingPointTrap::Overflow => NtStatus::FLOAT_OVERFLOW,
            FloatingPointTrap::Underflow => NtStatus::FLOAT_UNDERFLOW,
            FloatingPointTrap::Inexact => NtStatus::FLOAT_INEXACT_RESULT,
            FloatingPointTrap::Unknown => NtStatus::FLOAT_MULTIPLE_TRAPS,
        };
        Self {
            code,
            parameters: [0; 3],
            count: 1,
        }
    }

    /// A breakpoint whose parameter says what the debugger is asked for.
    pub(crate) fn debug_service(code: u64) -> Self {
        Self {
            parameters: [code, 0, 0],
            count: 1,
            ..Self::plain(NtStatus::BREAKPOINT)
        }
    }

    /// `__fastfail`: the program says why, and that none of its handlers is to be trusted any more.
    pub(crate) fn fast_fail(code: u64) -> Self {
        Self {
            parameters: [code, 0, 0],
            count: 1,
            ..Self::plain(NtStatus::STACK_BUFFER_OVERRUN)
        }
    }

    /// The record of it.
    pub(crate) fn record(&self, exception: &Exception) -> ExceptionRecord {
        let mut information = [0; EXCEPTION_MAXIMUM_PARAMETERS];
        for (into, from) in information.iter_mut().zip(self.parameters) {
            *into = from;
        }
        ExceptionRecord {
            exception_code: self.code.0,
            exception_flags: ExceptionFlags::empty(),
            exception_address: exception.pc.0,
            number_parameters: self.count,
            exception_information: information,
            ..ExceptionRecord::default()
        }
    }
}

/// Hands an exception of the calling thread, whose registers are as it met it, to user mode; or ends its process.
///
/// # NT
/// `KiDispatchException` for user mode, without a debugger.
#[doc(alias = "KiDispatchException")]
pub(crate) fn dispatch(thread: &Object<Thread>, record: &ExceptionRecord, first_chance: bool) {
    if first_chance && enter_dispatcher(thread, record).is_some() {
        return;
    }
    let code = record.code();
    ke::info!(
        "process {}, thread {}: {code} at {:#x}, {:x?}: nobody handles it",
        thread.process().id(),
        thread.id(),
        record.exception_address,
        record
            .exception_information
            .get(..record.number_parameters as usize)
            .unwrap_or_default()
    );
    thread.process().end(code);
}

/// Makes the thread go on in `KiUserExceptionDispatcher`; `None` if there is none, or its stack has no room.
fn enter_dispatcher(thread: &Thread, record: &ExceptionRecord) -> Option<()> {
    let dispatcher = thread
        .process()
        .image()
        .map_or(0, |image| image.routines.exception);
    if dispatcher == 0 {
        return None;
    }
    let user = thread.scheduled().user();
    let context = registers(user);
    let frame = UserState::exception_frame(&context, record);
    let place = push(UserState::context_sp(&context), frame.as_bytes())?;
    user.enter_routine(VirtAddr(dispatcher), VirtAddr(place));
    Some(())
}

/// All registers of the calling thread.
pub(crate) fn registers(user: &UserState) -> <UserState as UserContext>::Context {
    let mut context = Default::default();
    UserState::set_context_flags(&mut context, UserState::ALL);
    user.save(&mut context);
    context
}

/// Writes a frame below a stack pointer, aligned; gives where, or `None` if that is not possible.
///
/// What lies directly below the stack pointer and still belongs to the thread is the frame's last part: it stays.
pub(crate) fn push(sp: u64, frame: &[u8]) -> Option<u64> {
    let place = sp.checked_sub(frame.len() as u64)? & !0xF;
    let own = usize::try_from(UserState::RED_ZONE).ok()?;
    let written = frame.get(..frame.len().checked_sub(own)?)?;
    arch::user::copy_out(VirtAddr(place), written).ok()?;
    Some(place)
}

/// Writes bytes below the stack pointer of a thread that runs nothing yet, aligned; gives where, or `None` if that is not
/// possible.
pub(crate) fn put_below(sp: u64, bytes: &[u8]) -> Option<u64> {
    let place = sp.checked_sub(bytes.len() as u64)? & !0xF;
    arch::user::copy_out(VirtAddr(place), bytes).ok()?;
    Some(place)
}
