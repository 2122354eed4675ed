//! Exceptions on x86, which has no unwind data: frames with a handler register themselves.
//!
//! A function that has a handler puts a registration on its stack, two words: the registration before it and the handler. The
//! thread's TEB has the innermost one, and the last one's link is [`END`]. To search a handler is to follow the links; to
//! unwind is to call each handler once more and to take its registration off the list. Registers are restored by the
//! language's own code, which knows its frames.
//!
//! An exception in a handler is told apart as on the other machines: the function that calls handlers registers one of its
//! own, which answers [`nested`] or [`collided`] and names the registration whose handler was called.
//!
//! The facts: Matt Pietrek, "A Crash Course on the Depths of Win32 Structured Exception Handling" (MSJ, January 1997), and
//! the meaning of the flags in `winnt.h`.

use nt_abi::exception::{ExceptionDisposition, ExceptionFlags};
use nt_abi::{NtResult, NtStatus};

use crate::handler_call::is_unwinding;
use crate::memory::BAD_STACK;
use crate::platform::Purpose;
use crate::{SearchOutcome, UnwindOutcome};

/// What the last registration's link is (`EXCEPTION_CHAIN_END`).
pub const END: u32 = u32::MAX;
/// Bytes of a registration.
const REGISTRATION: u32 = 8;

/// A registration, `EXCEPTION_REGISTRATION_RECORD`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registration {
    /// The one around it, or [`END`].
    pub next: u32,
    /// Its handler.
    pub handler: u32,
}

/// The thread whose handlers are searched and called.
pub trait ChainPlatform {
    /// The innermost registration of the thread.
    fn first(&self) -> u32;

    /// Makes a registration the innermost one.
    fn set_first(&mut self, registration: u32);

    /// Reads a registration, which is on the stack; `None` if it cannot be read.
    fn registration(&self, address: u32) -> Option<Registration>;

    /// The lowest address of the thread's stack and the address behind it.
    fn stack_limits(&self) -> (u32, u32);

    /// Whether a handler may be called: it is in no stack, and one of those that its image lists, if that lists any.
    ///
    /// # NT
    /// `RtlIsValidHandler`.
    fn may_call(&self, handler: u32) -> bool;

    /// Reads the flags of an exception record.
    fn flags(&self, record: u32) -> ExceptionFlags;

    /// Writes the flags of an exception record.
    fn set_flags(&mut self, record: u32, flags: ExceptionFlags);

    /// Calls a handler, through a function that registers [`nested`] or [`collided`] around it. `dispatcher` is the word by
    /// which such a handler names the registration that was interrupted.
    fn call_handler(
        &mut self,
        purpose: Purpose,
        record: u32,
        registration: u32,
        context: u32,
        handler: u32,
        dispatcher: &mut u32,
    ) -> ExceptionDisposition;
}

/// What the handler answers that is registered around a handler's call while one is searched. `interrupted` is the
/// registration whose handler was called; it is named if the call is nested.
pub fn nested(flags: ExceptionFlags, interrupted: u32) -> (ExceptionDisposition, Option<u32>) {
    if is_unwinding(flags) {
        return (ExceptionDisposition::CONTINUE_SEARCH, None);
    }
    (ExceptionDisposition::NESTED_EXCEPTION, Some(interrupted))
}

/// What the handler answers that is registered around a handler's call while the stack is unwound.
pub fn collided(flags: ExceptionFlags, interrupted: u32) -> (ExceptionDisposition, Option<u32>) {
    if is_unwinding(flags) {
        return (ExceptionDisposition::COLLIDED_UNWIND, Some(interrupted));
    }
    (ExceptionDisposition::CONTINUE_SEARCH, None)
}

/// A registration that makes sense: on the stack, aligned, with a handler that may be called. Registrations are one above
/// the other, which is what ends a walk.
fn check<P: ChainPlatform>(platform: &P, address: u32, above: u32) -> NtResult<Registration> {
    let (low, high) = platform.stack_limits();
    let inside = address >= low
        && address
            .checked_add(REGISTRATION)
            .is_some_and(|end| end <= high);
    if !inside || !address.is_multiple_of(4) || address < above {
        return Err(BAD_STACK);
    }
    let registration = platform.registration(address).ok_or(BAD_STACK)?;
    match platform.may_call(registration.handler) {
        true => Ok(registration),
        false => Err(BAD_STACK),
    }
}

/// Asks the registered handlers, the innermost first. `record` and `context` are addresses. It does not return if a handler
/// unwinds.
///
/// # NT
/// The part of x86's `RtlDispatchException` behind the vectored handlers.
///
/// # Errors
/// Outcomes, as of [`search`](crate::search).
pub fn search<P: ChainPlatform>(platform: &mut P, record: u32, context: u32) -> SearchOutcome {
    let mut address = platform.first();
    let (mut above, mut nested_frame) = (0, 0);
    while address != END {
        let Ok(registration) = check(platform, address, above) else {
            let flags = platform.flags(record) | ExceptionFlags::STACK_INVALID;
            platform.set_flags(record, flags);
            return SearchOutcome::Unhandled;
        };
        let mut dispatcher = 0;
        let answer = platform.call_handler(
            Purpose::Search,
            record,
            address,
            context,
            registration.handler,
            &mut dispatcher,
        );
        let mut flags = platform.flags(record);
        if nested_frame == address {
            flags -= ExceptionFlags::NESTED_CALL;
            nested_frame = 0;
        }
        match answer {
            ExceptionDisposition::CONTINUE_SEARCH => {}
            ExceptionDisposition::CONTINUE_EXECUTION => {
                return match flags.contains(ExceptionFlags::NONCONTINUABLE) {
                    true => SearchOutcome::Raise(NtStatus::NONCONTINUABLE_EXCEPTION),
                    false => SearchOutcome::Continue,
                };
            }
            ExceptionDisposition::NESTED_EXCEPTION => {
                flags |= ExceptionFlags::NESTED_CALL;
                nested_frame = nested_frame.max(dispatcher);
            }
            _ => return SearchOutcome::Raise(NtStatus::INVALID_DISPOSITION),
        }
        platform.set_flags(record, flags);
        above = address.saturating_add(1);
        // What the handler made of its registration counts.
        address = match platform.registration(address) {
            Some(registration) => registration.next,
            None => END,
        };
    }
    SearchOutcome::Unhandled
}

/// Calls the handlers of all registrations inside of the target, and takes them off the list. `None` is the end of the list.
/// [`UnwindOutcome::GoOn`] returns to the caller, who goes on in the target by himself.
///
/// # NT
/// x86's `RtlUnwind`.
///
/// # Errors
/// Outcomes:
/// - `BAD_STACK`: a registration is not on the stack, or has no handler that may be called.
/// - `INVALID_UNWIND_TARGET`: the target is not registered.
/// - `INVALID_DISPOSITION`: a handler answered what there is not.
pub fn unwind<P: ChainPlatform>(
    platform: &mut P,
    target: Option<u32>,
    record: u32,
    context: u32,
) -> UnwindOutcome {
    let exit = match target {
        Some(_) => ExceptionFlags::empty(),
        None => ExceptionFlags::EXIT_UNWIND,
    };
    let flags = platform.flags(record) | ExceptionFlags::UNWINDING | exit;
    platform.set_flags(record, flags);
    take_off(platform, target, record, context).unwrap_or_else(UnwindOutcome::Raise)
}

fn take_off<P: ChainPlatform>(
    platform: &mut P,
    target: Option<u32>,
    record: u32,
    context: u32,
) -> NtResult<UnwindOutcome> {
    let mut address = platform.first();
    let mut above = 0;
    while address != END {
        if target == Some(address) {
            return Ok(UnwindOutcome::GoOn);
        }
        if target.is_some_and(|target| target < address) {
            return Err(NtStatus::INVALID_UNWIND_TARGET);
        }
        let registration = check(platform, address, above)?;
        let mut dispatcher = 0;
        let answer = platform.call_handler(
            Purpose::Unwind,
            record,
            address,
            context,
            registration.handler,
            &mut dispatcher,
        );
        match answer {
            ExceptionDisposition::CONTINUE_SEARCH => {}
            // The handler was called by another unwind: that one's registration is done with, too.
            ExceptionDisposition::COLLIDED_UNWIND => {
                check(platform, dispatcher, address)?;
                address = dispatcher;
            }
            _ => return Err(NtStatus::INVALID_DISPOSITION),
        }
        above = address.saturating_add(1);
        address = platform.registration(address).ok_or(BAD_STACK)?.next;
        platform.set_first(address);
    }
    match target {
        // The end itself was asked for.
        Some(END) => Ok(UnwindOutcome::GoOn),
        _ => Ok(UnwindOutcome::NoTarget),
    }
}
