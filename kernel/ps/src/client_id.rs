//! Client ids: the numbers by which user mode knows processes and threads.
//!
//! Both come from one table, so no process has the number of a thread. Numbers are
//! multiples of four and are used again as late as possible.
//!
//! # NT
//! `PspCidTable`.
//!
//! # Differs
//! A number is free again when its process or thread has ended, not only when its last handle is closed.

use ke::SpinLock;
use nt_abi::{NtResult, NtStatus};
use ob::{AnyObject, Object, ObjectBody};
use rtl::IdTable;
use rtl::id_table::{Reuse, Value};

/// What a number stands for: nothing yet, while its object is being made.
struct Entry(Option<AnyObject>);

static TABLE: SpinLock<IdTable<Entry>> = SpinLock::new(IdTable::new(Reuse::FirstFreed));

/// A number that is taken until this is dropped.
#[derive(Debug)]
pub struct ClientId(u32);

impl ClientId {
    /// Takes a number, which stands for nothing yet.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "ExCreateHandle")]
    pub fn take() -> NtResult<Self> {
        let value = TABLE.acquire().insert(Entry(None))?;
        Ok(Self(value.0))
    }

    /// The number.
    pub const fn number(&self) -> u32 {
        self.0
    }

    /// Lets it stand for an object, until [`clear`](Self::clear).
    pub fn stand_for(&self, object: AnyObject) {
        let before = TABLE
            .acquire()
            .get_mut(Value(self.0))
            .and_then(|entry| entry.0.replace(object));
        drop(before);
    }

    /// Lets it stand for nothing: what it stood for has ended.
    pub fn clear(&self) {
        let before = TABLE
            .acquire()
            .get_mut(Value(self.0))
            .and_then(|entry| entry.0.take());
        // Perhaps the last reference: dropped when the lock is free.
        drop(before);
    }
}

impl Drop for ClientId {
    fn drop(&mut self) {
        let entry = TABLE.acquire().remove(Value(self.0));
        drop(entry);
    }
}

/// The process or thread with the lowest number above `number`, of those of that type.
pub fn next_after<T: ObjectBody>(number: u32) -> Option<Object<T>> {
    let mut after = number;
    loop {
        let (found, object) = {
            let table = TABLE.acquire();
            let value = table.next_after(Value(after))?;
            let object = table.get(value).and_then(|entry| entry.0.clone());
            (value.0, object)
        };
        after = found;
        if let Some(Ok(object)) = object.map(AnyObject::downcast) {
            return Some(object);
        }
    }
}

/// The process or thread with the highest number below `number`, of those of that type.
pub fn last_before<T: ObjectBody>(number: u32) -> Option<Object<T>> {
    let mut last = None;
    let mut after = 0;
    while let Some((object, found)) = next_of(after).filter(|(_, found)| *found < number) {
        after = found;
        last = object.and_then(|object| object.downcast().ok()).or(last);
    }
    last
}

/// The next number that is taken, and what it stands for.
fn next_of(after: u32) -> Option<(Option<AnyObject>, u32)> {
    let table = TABLE.acquire();
    let value = table.next_after(Value(after))?;
    Some((table.get(value).and_then(|entry| entry.0.clone()), value.0))
}

/// The process or thread with that number.
///
/// # Errors
/// `INVALID_CID` if there is none of that type.
#[doc(alias = "PsLookupProcessByProcessId")]
#[doc(alias = "PsLookupThreadByThreadId")]
pub fn look_up<T: ObjectBody>(number: u64) -> NtResult<Object<T>> {
    let number = u32::try_from(number).map_err(|_| NtStatus::INVALID_CID)?;
    let object = TABLE
        .acquire()
        .get(Value(number))
        .and_then(|entry| entry.0.clone())
        .ok_or(NtStatus::INVALID_CID)?;
    object.downcast().map_err(|_| NtStatus::INVALID_CID)
}
