//! Callbacks: who wants to be told when something happens.
//!
//! Guarantee: whoever was told off ([`CallbackList::remove`]) is not called any more, and not being called either.

use nt_abi::NtResult;

use crate::pool::{PoolTag, PoolVec};
use crate::push_lock::PushLock;

const TAG: PoolTag = PoolTag(*b"Cbrb");

/// What is called, at Passive or Apc, with what it was registered with and what happened.
pub type Callback<A> = fn(context: u64, what: &A);

/// Those who want to be told.
///
/// # NT
/// `CALLBACK_OBJECT`.
///
/// # Differs
/// They are told at most at Apc level.
pub struct CallbackList<A: 'static> {
    registered: PushLock<Registered<A>>,
}

struct Registered<A: 'static> {
    next: u64,
    callbacks: PoolVec<(u64, Callback<A>, u64)>,
}

impl<A> CallbackList<A> {
    /// Nobody yet.
    pub const fn new() -> Self {
        Self {
            registered: PushLock::new(Registered {
                next: 1,
                callbacks: PoolVec::new(TAG),
            }),
        }
    }

    /// Adds one, behind those that are there; gives what to remove it by.
    ///
    /// # IRQL
    /// At most Apc; not in a callback.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "ExRegisterCallback")]
    pub fn add(&self, callback: Callback<A>, context: u64) -> NtResult<u64> {
        let mut registered = self.registered.acquire_exclusive();
        let number = registered.next;
        registered.callbacks.push((number, callback, context))?;
        registered.next += 1;
        Ok(number)
    }

    /// Removes one; waits until nobody is told any more.
    ///
    /// # IRQL
    /// At most Apc; not in a callback.
    #[doc(alias = "ExUnregisterCallback")]
    pub fn remove(&self, number: u64) {
        let mut registered = self.registered.acquire_exclusive();
        let callbacks = &mut registered.callbacks;
        if let Some(at) = callbacks.iter().position(|entry| entry.0 == number) {
            callbacks[at..].rotate_left(1);
            callbacks.pop();
        }
    }

    /// Tells all, in the order in which they were added.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "ExNotifyCallback")]
    pub fn tell(&self, what: &A) {
        for (_, callback, context) in self.registered.acquire_shared().callbacks.iter() {
            callback(*context, what);
        }
    }
}

impl<A> Default for CallbackList<A> {
    fn default() -> Self {
        Self::new()
    }
}
