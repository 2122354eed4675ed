//! `ke::keyed` in its simplest form: one lock, one list of who waits, one condition that all of them look at.
//!
//! What it promises is what the kernel's promises: the check and the beginning of a wait are one step under the lock, so
//! are the look at the waiters and what is done about them, and who came first is first.

use ::std::cell::RefCell;

use loom::sync::{Condvar, Mutex};

use crate::NtStatus;
use crate::wait::WaitOptions;

/// What a wait is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Whose key.
    pub owner: u64,
    /// Which of the owner's.
    pub value: u64,
}

/// A thread that waits.
#[derive(Clone, Copy)]
pub struct Waiter {
    ticket: u64,
    key: Key,
    status: Option<NtStatus>,
    /// What it said that it wants.
    pub wants: u64,
}

struct Dispatcher {
    waiters: Mutex<(u64, Vec<Waiter>)>,
    woken: Condvar,
}

loom::lazy_static! {
    static ref DISPATCHER: Dispatcher = Dispatcher {
        waiters: Mutex::new((0, Vec::new())),
        woken: Condvar::new(),
    };
}

/// Those who wait by a key, while nobody comes or goes.
pub struct Waiters<'a> {
    list: RefCell<&'a mut Vec<Waiter>>,
    key: Key,
}

impl Waiters<'_> {
    /// The one who came first.
    pub fn first(&self) -> Option<Waiter> {
        let list = self.list.borrow();
        list.iter()
            .find(|waiter| waiter.key == self.key && waiter.status.is_none())
            .copied()
    }

    /// Ends the wait of one of them.
    pub fn wake(&self, waiter: Waiter, status: NtStatus, _increment: u8) {
        for other in self.list.borrow_mut().iter_mut() {
            if other.ticket == waiter.ticket {
                other.status = Some(status);
            }
        }
        DISPATCHER.woken.notify_all();
    }
}

/// Waits by a key unless `check` gives a status.
///
/// # Panics
/// When the model is wrong: a waiter is gone before it is woken.
pub fn wait(
    key: Key,
    wants: u64,
    _options: &WaitOptions,
    check: &dyn Fn(&Waiters<'_>) -> Option<NtStatus>,
) -> NtStatus {
    let mut state = DISPATCHER.waiters.lock().unwrap();
    let checked = check(&Waiters {
        list: RefCell::new(&mut state.1),
        key,
    });
    if let Some(status) = checked {
        return status;
    }
    state.0 += 1;
    let ticket = state.0;
    state.1.push(Waiter {
        ticket,
        key,
        status: None,
        wants,
    });
    loop {
        state = DISPATCHER.woken.wait(state).unwrap();
        let place = state.1.iter().position(|waiter| waiter.ticket == ticket);
        let place = place.expect("a waiter stays until it is woken");
        if let Some(status) = state.1[place].status {
            state.1.remove(place);
            return status;
        }
    }
}

/// Looks at those who wait by a key, and does something about them, in one step.
///
/// # Panics
/// When a thread of the model has.
pub fn with_waiters<T>(key: Key, body: impl FnOnce(&Waiters<'_>) -> T) -> T {
    let mut state = DISPATCHER.waiters.lock().unwrap();
    body(&Waiters {
        list: RefCell::new(&mut state.1),
        key,
    })
}
