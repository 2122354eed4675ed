//! How the machine ends, and how a test goes on after it.
//!
//! The kernel ends the machine from anywhere, by a panic with [`Ended`]. On its way
//! up it unwinds frames of the kernel, which is done to free the locks that they
//! hold: locks are statics, and the next test wants them. But such a frame may also
//! have an IRQL guard, which finds the level of the bug check instead of its own and
//! ends the machine again, and a second panic would end the process. So what
//! [`ended`] runs has a strand of its own. When a destructor ends the machine once
//! more, or waits for what never comes, the strand is abandoned there.
//!
//! While the machine is ending nothing interrupts, nobody else goes on, and the
//! console is closed.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::state::with;
use super::strand;
use crate::contract::ExitCode;

/// How the kernel ended the machine: the payload of the panic by which `power_off` leaves a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended(pub ExitCode);

thread_local! {
    /// Whether a strand was abandoned while it unwound: then the host thread counts as panicking for ever.
    static ABANDONED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the running strand unwinds, as far as can be told.
pub(super) fn is_unwinding() -> bool {
    std::thread::panicking() && !ABANDONED.get()
}

/// Ends the machine.
pub(super) fn end(code: ExitCode) -> ! {
    let again = with(|machine| {
        machine.ending.get_or_insert(code);
        machine.running_strand_unwinds(true)
    });
    if again || is_unwinding() {
        abandon(again);
    }
    if with(|machine| machine.catchers.is_empty()) {
        eprintln!(
            "the machine ended with {code:?}, and no `sim::ended` waits for it; its console:\n{}",
            super::console_output()
        );
    }
    // Without a word, because tests do this all the time.
    resume_unwind(Box::new(Ended(code)))
}

/// Unwinds the running strand, whose processor stopped for good, because the machine is off.
pub(super) fn end_stopped() -> ! {
    with(|machine| machine.running_strand_unwinds(true));
    resume_unwind(Box::new(Ended(ExitCode::Success)))
}

/// Leaves the running strand where it is, in the middle of its unwinding; returns if it is the one that catches panics.
/// `ending` says whether it unwinds because of the machine's end.
pub(super) fn abandon(ending: bool) {
    if with(|machine| machine.strand == machine.catcher()) {
        return;
    }
    ABANDONED.set(true);
    let code = with(|machine| machine.ending);
    match code {
        Some(code) if ending => strand::fail(Box::new(Ended(code))),
        _ => strand::fail(Box::new(
            "a panic, told above, unwound into code that ended the machine",
        )),
    }
}

/// After other strands were made to unwind: if one of them is still at it, it is abandoned.
pub(super) fn note_abandoned(was_unwinding: bool) {
    if std::thread::panicking() && !was_unwinding {
        ABANDONED.set(true);
    }
}

/// Runs `body`, which ends the machine; gives the exit code.
///
/// # Panics
/// If it did not end the machine.
pub fn ended(body: impl FnOnce()) -> ExitCode {
    let mut body = Some(body);
    let run = AssertUnwindSafe(|| {
        strand::run_apart(&mut || {
            if let Some(body) = body.take() {
                body();
            }
        });
    });
    let result = catch_unwind(run);
    with(|machine| machine.catchers.pop());
    let payload = result.expect_err("the machine was not ended");
    match payload.downcast::<Ended>() {
        Ok(ended) => ended.0,
        Err(other) => resume_unwind(other),
    }
}
