//! Services of the kernel core.

use core::sync::atomic::{Ordering, fence};

use arch::Machine;
use arch::contract::Processor;
use nt_abi::primitives::ProcessorNumber as Numbered;
use nt_abi::services::arguments::{
    Boolean, Context, ExceptionRecord, In, OptionalOut, ProcessorNumber, UserAddress,
};
use nt_abi::{NtResult, NtStatus, w64};

use crate::capture::{self, Pointer};
use crate::thread_context;
use crate::{Caller, exceptions};

/// The calling thread goes on with these registers; after `test_alert`, with its user APCs first.
fn go_on(caller: &Caller<'_>, context: thread_context::Context, test_alert: bool) -> NtResult {
    thread_context::set(caller.thread, context)?;
    caller.note_registers_set();
    if test_alert {
        // That it was alerted ends nothing here; that it has APCs is seen on the way to user mode.
        let _ = ke::apc::test_alert(ke::thread::Mode::User);
    }
    Ok(())
}

pub(crate) fn nt_continue(
    caller: &Caller<'_>,
    context_record: In<Context>,
    test_alert: Boolean,
) -> NtResult {
    go_on(caller, context_record.read()?, test_alert.is_true())
}

/// `KCONTINUE_FLAG_TEST_ALERT`.
const CONTINUE_TEST_ALERT: u32 = 1;
/// The highest value of the argument that is a `BOOLEAN` and not the address of a structure.
const LAST_BOOLEAN: u64 = 0xFF;

/// The argument is a `BOOLEAN` or a `KCONTINUE_ARGUMENT`: its type, then flags.
pub(crate) fn nt_continue_ex(
    caller: &Caller<'_>,
    context_record: In<Context>,
    continue_argument: UserAddress,
) -> NtResult {
    let context = context_record.read()?;
    let test_alert = if continue_argument.0 <= LAST_BOOLEAN {
        continue_argument.0 != 0
    } else {
        let [kind, flags]: [u32; 2] = capture::read(continue_argument.0)?;
        // `KCONTINUE_UNWIND`, `_RESUME`, `_LONGJUMP`, `_SET`.
        if kind > 3 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        flags & CONTINUE_TEST_ALERT != 0
    };
    go_on(caller, context, test_alert)
}

/// The bit of an exception's code that is the kernel's own: user mode cannot raise one that has it.
///
/// # NT
/// `KI_EXCEPTION_INTERNAL`.
const RESERVED_OF_CODE: u32 = 1 << 28;

pub(crate) fn nt_raise_exception(
    caller: &Caller<'_>,
    exception_record: In<ExceptionRecord>,
    context_record: In<Context>,
    first_chance: Boolean,
) -> NtResult {
    let mut record: w64::ExceptionRecord = exception_record.read()?;
    let context = context_record.read()?;
    if record.number_parameters as usize > record.exception_information.len() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    record.exception_code &= !RESERVED_OF_CODE;
    go_on(caller, context, false)?;
    exceptions::dispatch(caller.thread, &record, first_chance.is_true());
    Ok(())
}

pub(crate) fn nt_yield_execution(_caller: &Caller<'_>) -> NtStatus {
    if ke::schedule::yield_execution() {
        NtStatus::SUCCESS
    } else {
        NtStatus::NO_YIELD_PERFORMED
    }
}

/// Answers with the number instead of a status.
pub(crate) fn nt_get_current_processor_number(_caller: &Caller<'_>) -> NtStatus {
    NtStatus(Machine::number().0)
}

/// Answers with the number instead of a status, and writes it with its group, of which there is one.
pub(crate) fn nt_get_current_processor_number_ex(
    _caller: &Caller<'_>,
    processor_number: OptionalOut<ProcessorNumber>,
) -> NtResult<NtStatus> {
    let number = Machine::number().0;
    processor_number.write_optional(&Numbered {
        group: 0,
        number: u8::try_from(number).unwrap_or(u8::MAX),
        reserved: 0,
    })?;
    Ok(NtStatus(number))
}

/// All processors that run threads of the caller's process see what it wrote: each takes an interrupt.
pub(crate) fn nt_flush_process_write_buffers(_caller: &Caller<'_>) -> NtResult {
    fence(Ordering::SeqCst);
    let barrier = |_| fence(Ordering::SeqCst);
    ke::ipi::call(ke::processor::active(), barrier, 0);
    Ok(())
}
