//! What the scripts are made of: names of functions, handlers that say what they see, scopes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use nt_abi::exception::{ExceptionDisposition, ExceptionFlags};
use nt_abi::w64::ExceptionRecord;
use unwind::UnwindRequest;
use unwind::platform::Platform;

use crate::support::thread::{FREE, Handling, Part, Rig, Scope, Thread, Unhandled};

/// Functions of the scripts.
pub(crate) const A: usize = FREE;
pub(crate) const B: usize = FREE + 1;
pub(crate) const C: usize = FREE + 2;
pub(crate) const D: usize = FREE + 3;
pub(crate) const E: usize = FREE + 4;
pub(crate) const NONE: ExceptionFlags = ExceptionFlags::empty();
pub(crate) const SEARCH: ExceptionDisposition = ExceptionDisposition::CONTINUE_SEARCH;
pub(crate) const CONTINUE: ExceptionDisposition = ExceptionDisposition::CONTINUE_EXECUTION;

/// Runs a script that nobody handles an exception of; gives its record.
pub(crate) fn unhandled<M: Rig>(
    thread: &mut Thread<M>,
    script: impl FnOnce(&mut Thread<M>),
) -> ExceptionRecord {
    let outcome = catch_unwind(AssertUnwindSafe(|| script(thread)));
    match outcome.unwrap_err().downcast::<Unhandled>() {
        Ok(unhandled) => unhandled.0,
        Err(other) => std::panic::resume_unwind(other),
    }
}

/// A handler that says its name and the record's code and flags, and answers.
pub(crate) fn says<M: Rig>(
    name: &'static str,
    answer: ExceptionDisposition,
) -> impl Fn(&mut Thread<M>, Handling) -> ExceptionDisposition {
    move |thread, handling| {
        let record = thread.record(handling.record);
        thread.say(format!(
            "{name} {:x} {:?}",
            record.exception_code, record.exception_flags
        ));
        answer
    }
}

pub(crate) fn filter(begin: u32, end: u32, number: u32, target: u32) -> Scope {
    Scope {
        begin,
        end,
        part: Part::Filter(number, target),
    }
}

pub(crate) fn always(begin: u32, end: u32, target: u32) -> Scope {
    Scope {
        begin,
        end,
        part: Part::Always(target),
    }
}

pub(crate) fn finally(begin: u32, end: u32, number: u32) -> Scope {
    Scope {
        begin,
        end,
        part: Part::Finally(number),
    }
}

/// A `__finally` block that says its name.
pub(crate) fn block<M: Rig>(thread: &mut Thread<M>, number: u32, name: &'static str) {
    thread.part(number, move |thread, _| {
        thread.say(name);
        0
    });
}

/// A filter that says its name and what it sees, and answers.
pub(crate) fn asks<M: Rig>(thread: &mut Thread<M>, number: u32, name: &'static str, answer: i32) {
    thread.part(number, move |thread, handling| {
        let code = thread.record(handling.record).exception_code;
        thread.say(format!("{name} {code:x}"));
        answer
    });
}

pub(crate) fn request(frame: u64, pc: u64, result: u64) -> UnwindRequest {
    UnwindRequest {
        target_frame: Some(frame),
        target_pc: pc,
        record: 0,
        result,
        history_table: 0,
    }
}
