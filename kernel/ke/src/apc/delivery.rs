//! Running a thread's APCs, in the thread itself.

use core::sync::atomic::Ordering;

use arch::contract::{Irql, UserState};

use super::{ATTENTION_SPECIAL_USER_APC, ATTENTION_USER_APC, Apc, ApcCall, Form};
use crate::dispatcher::{self, Database};
use crate::irql;
use crate::thread::{self, Thread};

/// Runs the calling thread's kernel APCs. Called at Apc level; returns at it.
pub(crate) fn deliver() {
    let thread = thread::current();
    loop {
        let database = dispatcher::lock();
        let Some(apc) = thread.apc.next_kernel(&database, thread) else {
            return;
        };
        thread.apc.kernel.remove(&database, apc);
        apc.inserted.set(&database, false);
        let form = apc.form.get(&database);
        let routines = apc.routines.get();
        let mut call = apc.call(&database);
        drop(database);
        let Some(routines) = routines else { continue };
        (routines.kernel)(apc, &mut call);
        if let Some(normal) = routines.normal.filter(|_| form == Form::Kernel) {
            thread.apc.in_progress.set(&dispatcher::lock(), true);
            irql::lower_to(Irql::Passive);
            normal(&call);
            irql::raise_for_apc();
            thread.apc.in_progress.set(&dispatcher::lock(), false);
        }
    }
}

/// Takes the calling thread's next user APC, having run its kernel part; `None` if there is none that is to run now.
///
/// # IRQL
/// Passive.
#[doc(alias = "KiDeliverApc")]
pub fn take_user_apc() -> Option<ApcCall> {
    let thread = thread::current();
    let attention = thread.user().attention();
    let wanted = attention.load(Ordering::Relaxed) & ATTENTION_USER_APC != 0;
    loop {
        let database = dispatcher::lock();
        let apc = next_user(&database, thread, wanted);
        if let Some(apc) = apc {
            thread.apc.user.remove(&database, apc);
            apc.inserted.set(&database, false);
        }
        settle_attention(&database, thread);
        let apc = apc?;
        let mut call = apc.call(&database);
        let routines = apc.routines.get();
        drop(database);
        if let Some(routines) = routines {
            let _apc_level = irql::raise(Irql::Apc);
            (routines.kernel)(apc, &mut call);
        }
        if call.routine != 0 {
            return Some(call);
        }
    }
}

/// The first user APC, if it is a special one or user APCs are wanted.
fn next_user(database: &Database, thread: &'static Thread, wanted: bool) -> Option<&'static Apc> {
    let first = thread.apc.user.first(database)?;
    (wanted || first.form.get(database) == Form::SpecialUser).then_some(first)
}

/// Forgets what the attention says: one APC is delivered at a time, and the thread asks for the next ([`super::test_alert`])
/// when that one is over. Were the next delivered at once, it would run first, on top of it.
fn settle_attention(_database: &Database, thread: &'static Thread) {
    let over = ATTENTION_USER_APC | ATTENTION_SPECIAL_USER_APC;
    thread
        .user()
        .attention()
        .fetch_and(!over, Ordering::Relaxed);
}
