//! How long the object of an exception lives, and which exception is being handled.
//!
//! The object is in the frame of the `throw`, deep in the stack, which is not taken back before the `catch` block has ended.
//! Then the object is destroyed, unless somebody still has it: a `catch` block around that had thrown it again, or the
//! unwind itself by which the block is left, if the block threw it again to the outside. The blocks that run are a list
//! through the stack, the innermost first.

use c_interface::{Ptr, field};
use nt_abi::native::ExceptionRecord;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::handler::{Handled, unwound_for};
use crate::thrown::Thrown;

/// What is known of a thread. All zeros at its beginning.
#[derive(Clone, Copy, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Thread {
    /// The record of the exception that is being handled, or 0: of what `throw;` throws again.
    pub handled_record: usize,
    /// The address of its context.
    pub handled_context: usize,
    /// The innermost `catch` block that runs, a [`Running`]; 0 for none.
    running: usize,
    /// The thread's translator of other exceptions, or 0.
    pub translator: usize,
    /// How many exceptions are on their way to a handler, as far as destructors can see it.
    pub uncaught: usize,
}

/// A `catch` block that runs: kept in the frame that called it.
#[derive(Clone, Copy, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Running {
    /// The one around.
    outer: usize,
    /// Where the object is; 0 if C++ did not throw it.
    object: usize,
    /// Its destructor, or 0.
    destructor: usize,
    /// What was being handled before.
    outer_record: usize,
    outer_context: usize,
}

/// An object that is to be destroyed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Doomed {
    /// Where it is.
    pub object: usize,
    /// Its destructor.
    pub destructor: usize,
}

/// A `catch` block begins; what is known of it is kept at `place`.
pub fn begin(thread: Ptr<Thread>, place: Ptr<Running>, exception: Handled) {
    let now = thread.read();
    let record = exception.record.read_optional();
    let thrown = record.and_then(|record| Thrown::of(&record));
    place.write(Running {
        outer: now.running,
        object: thrown.map_or(0, |thrown| thrown.object),
        destructor: thrown.and_then(|thrown| thrown.destructor()).unwrap_or(0),
        outer_record: now.handled_record,
        outer_context: now.handled_context,
    });
    thread.write(Thread {
        handled_record: exception.record.address(),
        handled_context: exception.context,
        running: place.address(),
        ..now
    });
}

/// A `catch` block has ended. Gives the object if it is to be destroyed.
pub fn end(thread: Ptr<Thread>, place: Ptr<Running>) -> Option<Doomed> {
    leave(thread, place, None)
}

/// A `catch` block is left by an unwind with a record. Gives the object if it is to be destroyed: not if the unwind goes to
/// another `catch` block with it.
pub fn abandon(
    thread: Ptr<Thread>,
    place: Ptr<Running>,
    record: &ExceptionRecord,
    run_catch: usize,
) -> Option<Doomed> {
    let carried = unwound_for(record, run_catch)
        .and_then(|exception| exception.record.read_optional())
        .and_then(|record| Thrown::of(&record));
    leave(thread, place, carried)
}

fn leave(thread: Ptr<Thread>, place: Ptr<Running>, carried: Option<Thrown>) -> Option<Doomed> {
    let ended = place.read();
    field!(thread, Thread, running).write(ended.outer);
    field!(thread, Thread, handled_record).write(ended.outer_record);
    field!(thread, Thread, handled_context).write(ended.outer_context);
    let is_carried = carried.is_some_and(|thrown| thrown.object == ended.object);
    let doomed = ended.destructor != 0 && !is_carried && !is_held(ended.object, ended.outer);
    doomed.then_some(Doomed {
        object: ended.object,
        destructor: ended.destructor,
    })
}

/// Whether a `catch` block that runs has the object, from one on to the outside.
fn is_held(object: usize, from: usize) -> bool {
    let mut next = Ptr::<Running>::new(from);
    while let Some(running) = next.read_optional() {
        if running.object == object {
            return true;
        }
        next = Ptr::new(running.outer);
    }
    false
}

/// Whether no `catch` block of the thread that runs has the object.
///
/// # NT
/// `_IsExceptionObjectToBeDestroyed`.
pub fn is_free(thread: Ptr<Thread>, object: usize) -> bool {
    !is_held(object, field!(thread, Thread, running).read())
}

/// The exception that the thread handles.
pub fn handled(thread: Ptr<Thread>) -> Handled {
    let now = thread.read();
    Handled {
        record: Ptr::new(now.handled_record),
        context: now.handled_context,
    }
}
