//! The handler of C: `__try`, `__except`, `__finally`.
//!
//! The compiler describes each guarded region of a function with a scope: from where to where it goes, and either a filter
//! and where the `__except` block begins, or a `__finally` block. Inner scopes come before those around them. So a look at
//! the scopes in order, from the point where control left, finds who is concerned, the innermost first.
//!
//! A filter may raise an exception itself, and a `__finally` block may be left by one. Either comes back here through
//! ntdll's frames, and must not be given to the scope that it came out of. Before a `__finally` block runs, the index of the
//! scope behind it is stored in the dispatcher context; an unwind that collides goes on there.
//!
//! The facts: Microsoft's "x64 exception handling" and "ARM64 exception handling", LLVM's `WinException`, which writes the
//! same tables, and "Programming against the x64 exception handling support" (Skywing, nynaeve.net).

use nt_abi::NtResult;
use nt_abi::exception::{ExceptionDisposition, ExceptionFlags};
use pe::unwind_x64::ScopeEntry;

use crate::handler_call::{HandlerCall, is_unwinding};
use crate::machine::Machine;
use crate::memory::{BAD_TABLE, relative};
use crate::platform::Platform;
use crate::unwinding::UnwindRequest;

/// What a platform gives the handler of C besides.
pub trait CPlatform: Platform {
    /// Reads a dispatcher context.
    fn dispatcher(&self, address: u64) -> <Self::Machine as Machine>::Dispatcher;

    /// Stores which scope of a dispatcher context counts from now on.
    fn set_scope_index(&mut self, dispatcher: u64, index: u32);

    /// Calls a filter with the record and the context of the exception: below 0 the thread goes on, 0 means no, above 0 the
    /// block takes the exception.
    fn call_filter(
        &mut self,
        filter: u64,
        record: u64,
        context: u64,
        frame: u64,
        dispatcher: u64,
    ) -> i32;

    /// Calls a `__finally` block of a function that an exception leaves.
    fn call_termination(&mut self, block: u64, frame: u64, dispatcher: u64);
}

/// What the handler of C wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CHandlerOutcome {
    /// Answer that.
    Answer(ExceptionDisposition),
    /// Unwind to its function (`RtlUnwindEx`).
    Unwind(UnwindFromHandler),
}

/// An unwind that a handler asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnwindFromHandler {
    /// Where to.
    pub request: UnwindRequest,
    /// A context that may be overwritten: an address.
    pub scratch: u64,
    /// The address of a context with which the unwind may begin, or 0: the exception's. Between the handler and the function
    /// that raised there are frames of the search alone, which nobody has to tell anything, and which are most of those that
    /// an exception has to cross.
    pub origin: u64,
}

/// Filters that are numbers: the block takes every exception.
const EXECUTE_HANDLER: u32 = 1;
/// Bytes of a scope.
const SCOPE: u64 = 16;

/// Searches the scopes of a function for one that wants an exception, or runs its `__finally` blocks.
///
/// All arguments are addresses, but for the frame.
///
/// # NT
/// `__C_specific_handler`.
///
/// # Errors
/// `BAD_FUNCTION_TABLE`: the scopes cannot be read.
///
/// # Differs
/// A C++ exception that a scope takes is not destroyed (`_DestructExceptionObject`).
pub fn c_specific_handler<P: CPlatform>(
    platform: &mut P,
    record: u64,
    frame: u64,
    context: u64,
    dispatcher: u64,
) -> NtResult<CHandlerOutcome> {
    let call = P::Machine::call(&platform.dispatcher(dispatcher));
    let fields = platform.record(record);
    let left_at = P::Machine::left_at(call.control_pc, call.behind_call);
    let scopes = Scopes {
        table: call.handler_data,
        pc: relative(left_at, call.image_base),
    };
    if is_unwinding(fields.exception_flags) {
        let is_target = fields
            .exception_flags
            .contains(ExceptionFlags::TARGET_UNWIND);
        let target = is_target.then(|| relative(call.target, call.image_base));
        scopes.terminate(platform, frame, &call, dispatcher, target)?;
        return Ok(CHandlerOutcome::Answer(
            ExceptionDisposition::CONTINUE_SEARCH,
        ));
    }
    let base = call.image_base;
    let mut origin = context;
    for index in call.scope_index..scopes.count(platform)? {
        let scope = scopes.get(platform, index)?;
        if !scopes.is_in(&scope) || scope.target_rva == 0 {
            continue;
        }
        let answer = match scope.handler_rva {
            EXECUTE_HANDLER => 1,
            rva => {
                let filter = base.wrapping_add(u64::from(rva));
                // It may change the context, but what it changes counts only if the thread goes on with it.
                let before = P::Machine::kept(&platform.context(context));
                let answer = platform.call_filter(filter, record, context, frame, dispatcher);
                if P::Machine::kept(&platform.context(context)) != before {
                    origin = 0;
                }
                answer
            }
        };
        if answer < 0 {
            return Ok(CHandlerOutcome::Answer(
                ExceptionDisposition::CONTINUE_EXECUTION,
            ));
        }
        if answer > 0 {
            let request = UnwindRequest {
                target_frame: Some(frame),
                target_pc: base.wrapping_add(u64::from(scope.target_rva)),
                record,
                result: u64::from(fields.exception_code),
                history_table: call.history_table,
            };
            return Ok(CHandlerOutcome::Unwind(UnwindFromHandler {
                request,
                scratch: call.context,
                origin,
            }));
        }
    }
    Ok(CHandlerOutcome::Answer(
        ExceptionDisposition::CONTINUE_SEARCH,
    ))
}

/// The scopes of a function, seen from where control left it.
struct Scopes {
    /// Where the table is.
    table: u64,
    /// Where control left, relative to the image.
    pc: u32,
}

impl Scopes {
    fn count<P: CPlatform>(&self, platform: &P) -> NtResult<u32> {
        let bytes = platform.bytes(self.table, 4).ok_or(BAD_TABLE)?;
        let count = bytes.first_chunk().ok_or(BAD_TABLE)?;
        Ok(u32::from_le_bytes(*count))
    }

    fn get<P: CPlatform>(&self, platform: &P, index: u32) -> NtResult<ScopeEntry> {
        let place = self.table.checked_add(4 + u64::from(index) * SCOPE);
        let bytes = place.and_then(|place| platform.bytes(place, 16));
        let bytes = bytes.and_then(|bytes| bytes.first_chunk());
        bytes.map(ScopeEntry::read).ok_or(BAD_TABLE)
    }

    fn is_in(&self, scope: &ScopeEntry) -> bool {
        (scope.begin_rva..scope.end_rva).contains(&self.pc)
    }

    /// Runs the `__finally` blocks of the scopes that are left, the innermost first.
    fn terminate<P: CPlatform>(
        &self,
        platform: &mut P,
        frame: u64,
        call: &HandlerCall,
        dispatcher: u64,
        target: Option<u32>,
    ) -> NtResult {
        let count = self.count(platform)?;
        for index in call.scope_index..count {
            let scope = self.get(platform, index)?;
            if !self.is_in(&scope) {
                continue;
            }
            if let Some(target) = target
                && self.stays_in(platform, &scope, target, count)?
            {
                break;
            }
            if scope.target_rva == 0 {
                platform.set_scope_index(dispatcher, index + 1);
                let block = call.image_base.wrapping_add(u64::from(scope.handler_rva));
                platform.call_termination(block, frame, dispatcher);
            }
        }
        Ok(())
    }

    /// Whether an unwind to a place in this function does not leave a scope: the place is in it, or begins the block that
    /// belongs to it, which is in all scopes around. A scope may be written in several pieces, which have the same block.
    fn stays_in<P: CPlatform>(
        &self,
        platform: &P,
        scope: &ScopeEntry,
        target: u32,
        count: u32,
    ) -> NtResult<bool> {
        if scope.target_rva != 0 && scope.target_rva == target {
            return Ok(true);
        }
        for index in 0..count {
            let piece = self.get(platform, index)?;
            let same =
                (piece.handler_rva, piece.target_rva) == (scope.handler_rva, scope.target_rva);
            if same && (piece.begin_rva..piece.end_rva).contains(&target) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
