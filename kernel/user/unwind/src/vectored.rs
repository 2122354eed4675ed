//! The lists of vectored handlers: those that see an exception before any frame, and those that see it when the thread is to
//! go on.
//!
//! Handlers come and go while they are called: a handler may remove itself, and another thread any. So a call is not a loop
//! over the list but a position in it, and the list is locked only from one position to the next. An entry that is being
//! called is kept until all calls of it are over; once removed it begins no more calls.
//!
//! The lock is the caller's: everything here is under it, the handlers themselves are called without.

extern crate alloc;

use alloc::vec::Vec;

use nt_abi::{NtResult, NtStatus};

/// What a vectored handler answers if the thread is to go on (`EXCEPTION_CONTINUE_EXECUTION`). Anything else is no.
pub const CONTINUE_EXECUTION: i32 = -1;

/// A list of vectored handlers.
#[derive(Debug, Default)]
pub struct VectoredHandlers {
    /// In the order in which they are called.
    entries: Vec<Entry>,
    last_handle: usize,
}

#[derive(Debug)]
struct Entry {
    handle: usize,
    function: usize,
    calls: u32,
    removed: bool,
}

/// A handler that is to be called now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VectoredCall {
    /// Its address, as it was added.
    pub function: usize,
    handle: usize,
}

impl VectoredHandlers {
    /// An empty list.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
            last_handle: 0,
        }
    }

    /// Adds a handler before all others, or behind them. Gives what it is removed with, which is never 0.
    ///
    /// # NT
    /// `RtlAddVectoredExceptionHandler`, `RtlAddVectoredContinueHandler`.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    ///
    /// # Differs
    /// The handle is a number and not the address of anything.
    pub fn add(&mut self, first: bool, function: usize) -> NtResult<usize> {
        let reserved = self.entries.try_reserve(1);
        reserved.map_err(|_| NtStatus::NO_MEMORY)?;
        // Even numbers of the size of an allocation, as programs have seen them.
        self.last_handle = self.last_handle.wrapping_add(16).max(16);
        let entry = Entry {
            handle: self.last_handle,
            function,
            calls: 0,
            removed: false,
        };
        let place = if first { 0 } else { self.entries.len() };
        self.entries.insert(place, entry);
        Ok(self.last_handle)
    }

    /// Removes a handler; gives whether there was one.
    ///
    /// # NT
    /// `RtlRemoveVectoredExceptionHandler`, `RtlRemoveVectoredContinueHandler`.
    pub fn remove(&mut self, handle: usize) -> bool {
        let Some(index) = self.index(handle) else {
            return false;
        };
        let entry = &mut self.entries[index];
        let was_there = !core::mem::replace(&mut entry.removed, true);
        if entry.calls == 0 {
            self.entries.remove(index);
        }
        was_there
    }

    /// Whether there is none: what an exception asks first, without calling anybody.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first handler to call.
    pub fn first(&mut self) -> Option<VectoredCall> {
        self.call_from(0)
    }

    /// The handler to call behind one whose call is over.
    pub fn next(&mut self, call: VectoredCall) -> Option<VectoredCall> {
        let index = self.index(call.handle)?;
        let next = self.call_from(index + 1);
        self.end(call);
        next
    }

    /// Ends a call behind which no other follows.
    pub fn end(&mut self, call: VectoredCall) {
        let Some(index) = self.index(call.handle) else {
            return;
        };
        let entry = &mut self.entries[index];
        entry.calls = entry.calls.saturating_sub(1);
        if entry.removed && entry.calls == 0 {
            self.entries.remove(index);
        }
    }

    fn index(&self, handle: usize) -> Option<usize> {
        self.entries.iter().position(|entry| entry.handle == handle)
    }

    fn call_from(&mut self, index: usize) -> Option<VectoredCall> {
        let rest = self.entries.get_mut(index..)?;
        let entry = rest.iter_mut().find(|entry| !entry.removed)?;
        entry.calls += 1;
        Some(VectoredCall {
            function: entry.function,
            handle: entry.handle,
        })
    }
}
