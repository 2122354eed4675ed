//! Things that are done once. How they work: `words/once.rs`.
//!
//! A word of zeros is not done.

use c_interface::{Function, Ptr};
use nt_abi::native::{Pointer, RtlRunOnce};
use nt_abi::synchronization::{RUN_ONCE_CONTEXT_RESERVED_BITS, RunOnceFlags};
use nt_abi::{NtResult, NtStatus};

use crate::words::atomic::AtomicUsize;
use crate::words::once::{self, Begun, Mode, NotCompleted};
use crate::words::parking::Parking;

/// `RTL_RUN_ONCE_INIT_FN`: does it. Gets the word, the caller's parameter and where what comes of it goes; gives 0 if it
/// failed.
pub type RunOnceFunction = Function<fn(Ptr<RtlRunOnce>, usize, Ptr<Pointer>) -> u32>;

fn word<'a>(once: Ptr<RtlRunOnce>) -> &'a AtomicUsize {
    once.cast::<usize>().atomic()
}

fn write_context(context: Ptr<Pointer>, value: usize) {
    context.write_optional(Ptr::<u8>::new(value).raw());
}

/// The mode that flags name, which must be one of two or none.
fn mode(flags: RunOnceFlags, other: RunOnceFlags) -> NtResult<Mode> {
    let asynchronous = RunOnceFlags::ASYNC;
    if !(asynchronous | other).contains(flags) || flags == asynchronous | other {
        return Err(NtStatus::INVALID_PARAMETER_2);
    }
    Ok(if flags == asynchronous {
        Mode::Several
    } else {
        Mode::One
    })
}

/// Makes a word of something that is not done.
///
/// # NT
/// `RtlRunOnceInitialize`.
pub fn initialize(once: Ptr<RtlRunOnce>) {
    once.write(RtlRunOnce::default());
}

/// Begins something, or waits until another thread has done it.
///
/// Gives `SUCCESS` if it is done, with what came of it in `context`; `PENDING` if the caller is to do it and to call
/// [`complete`].
///
/// # NT
/// `RtlRunOnceBeginInitialize`.
///
/// # Errors
/// `INVALID_PARAMETER_2` for unknown flags, for both, and for another mode than that in which it was begun; `UNSUCCESSFUL`
/// with `CHECK_ONLY` if it is not done.
#[inline]
pub fn begin<P: Parking>(
    parking: &P,
    once: Ptr<RtlRunOnce>,
    flags: RunOnceFlags,
    context: Ptr<Pointer>,
) -> NtResult<NtStatus> {
    if let Some(result) = once::look(word(once))
        && mode(flags, RunOnceFlags::CHECK_ONLY).is_ok()
    {
        write_context(context, result);
        return Ok(NtStatus::SUCCESS);
    }
    begin_undone(parking, once, flags, context)
}

#[cold]
fn begin_undone<P: Parking>(
    parking: &P,
    once: Ptr<RtlRunOnce>,
    flags: RunOnceFlags,
    context: Ptr<Pointer>,
) -> NtResult<NtStatus> {
    let mode = mode(flags, RunOnceFlags::CHECK_ONLY)?;
    if flags.contains(RunOnceFlags::CHECK_ONLY) {
        return Err(NtStatus::UNSUCCESSFUL);
    }
    match once::begin(parking, word(once), mode) {
        Begun::Done(result) => {
            write_context(context, result);
            Ok(NtStatus::SUCCESS)
        }
        Begun::Yours => Ok(NtStatus::PENDING),
        Begun::OtherMode => Err(NtStatus::INVALID_PARAMETER_2),
    }
}

/// Ends what the caller has begun: `context` is what came of it.
///
/// # NT
/// `RtlRunOnceComplete`.
///
/// # Errors
/// `INVALID_PARAMETER_2` for unknown flags, for both, and for another mode than that in which it was begun;
/// `INVALID_PARAMETER_3` for a context whose low bits are not zero, or with `INIT_FAILED` any;
/// `OBJECT_NAME_COLLISION` if another thread was first; `UNSUCCESSFUL` if nobody is at it.
pub fn complete<P: Parking>(
    parking: &P,
    once: Ptr<RtlRunOnce>,
    flags: RunOnceFlags,
    context: usize,
) -> NtResult {
    let mode = mode(flags, RunOnceFlags::INIT_FAILED)?;
    let failed = flags.contains(RunOnceFlags::INIT_FAILED);
    let reserved = (1 << RUN_ONCE_CONTEXT_RESERVED_BITS) - 1;
    if context & reserved != 0 || (failed && context != 0) {
        return Err(NtStatus::INVALID_PARAMETER_3);
    }
    let result = (!failed).then_some(context);
    once::complete(parking, word(once), mode, result).map_err(|why| match why {
        NotCompleted::NotBegun => NtStatus::UNSUCCESSFUL,
        NotCompleted::OtherMode => NtStatus::INVALID_PARAMETER_2,
        NotCompleted::TooLate => NtStatus::OBJECT_NAME_COLLISION,
    })
}

/// Has something done by a function if it is not done, and gives what came of it in `context`.
///
/// # NT
/// `RtlRunOnceExecuteOnce`.
///
/// # Errors
/// `UNSUCCESSFUL` if the function failed; those of [`begin`] and [`complete`].
pub fn execute<P: Parking>(
    parking: &P,
    once: Ptr<RtlRunOnce>,
    function: RunOnceFunction,
    parameter: usize,
    context: Ptr<Pointer>,
) -> NtResult {
    let none = RunOnceFlags::default();
    if begin(parking, once, none, context)? == NtStatus::SUCCESS {
        return Ok(());
    }
    let mut own: Pointer = 0;
    let place = context.non_null().unwrap_or(Ptr::of(&mut own));
    place.write(0);
    if function.call(once, parameter, place) == 0 {
        complete(parking, once, RunOnceFlags::INIT_FAILED, 0)?;
        return Err(NtStatus::UNSUCCESSFUL);
    }
    let result = Ptr::<u8>::at(place.read()).address();
    complete(parking, once, none, result).inspect_err(|_| {
        // What came of it is nothing that can be kept: for who tries next, not for all who wait.
        let _ = complete(parking, once, RunOnceFlags::INIT_FAILED, 0);
    })
}
