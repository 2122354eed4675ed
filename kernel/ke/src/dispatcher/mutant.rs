//! Mutants: a lock with an owner, who may take it again, and who may end without giving it back.

use nt_abi::{NtResult, NtStatus};

use super::{Database, Header, Kind, lock, signalled};
use crate::MUTANT_INCREMENT;
use crate::thread::{self, Thread};

/// A mutant; a mutex, in user mode's words.
///
/// # NT
/// `KMUTANT`.
pub struct Mutant {
    header: &'static Header,
}

/// What a mutant is at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MutantState {
    /// 1 if it is free, else 1 less the times that its owner has it.
    pub count: i32,
    /// Whether the calling thread owns it.
    pub owned_by_caller: bool,
    /// Whether its last owner ended without giving it back, and nobody has taken it since.
    pub abandoned: bool,
    /// The client ids of its owner: process and thread.
    pub owner: Option<(u32, u32)>,
}

impl Mutant {
    /// Makes one, owned by the calling thread or free.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "KeInitializeMutant")]
    pub fn new(owned: bool) -> NtResult<Self> {
        let header = Header::take(Kind::Mutant, 1, 0)?;
        if owned {
            let database = lock();
            header.satisfy(&database, thread::current());
        }
        Ok(Self { header })
    }

    /// What waits name it by.
    pub fn header(&self) -> &'static Header {
        self.header
    }

    /// Gives it back once; gives what the count was before.
    ///
    /// # Errors
    /// `MUTANT_NOT_OWNED` if the calling thread does not own it.
    #[doc(alias = "KeReleaseMutant")]
    pub fn release(&self) -> NtResult<i32> {
        self.release_in(&lock())
    }

    /// The same for who holds the database: for [`signal_and_wait`](crate::wait::signal_and_wait).
    ///
    /// # Errors
    /// As [`release`](Self::release).
    pub fn release_in(&self, database: &Database) -> NtResult<i32> {
        let caller = thread::current();
        let owner = self.header.owner.get();
        if !owner.is_some_and(|owner| core::ptr::eq(owner, caller)) {
            return Err(NtStatus::MUTANT_NOT_OWNED);
        }
        let before = self.header.signal.get(database);
        self.header.signal.set(database, before + 1);
        if before == 0 {
            caller.owned_mutants.remove(database, self.header);
            self.header.owner.set(None);
            signalled(database, self.header, MUTANT_INCREMENT);
        }
        Ok(before)
    }

    /// What it is at this moment.
    #[doc(alias = "KeReadStateMutant")]
    pub fn state(&self) -> MutantState {
        let database = lock();
        let caller = thread::current();
        let owner = self.header.owner.get();
        MutantState {
            count: self.header.signal.get(&database),
            owned_by_caller: owner.is_some_and(|owner| core::ptr::eq(owner, caller)),
            owner: owner.map(Thread::client_id),
            abandoned: self.header.abandoned.get(&database),
        }
    }

    /// The number of the thread that owns it.
    pub fn owner(&self) -> Option<&'static Thread> {
        self.header.owner.get()
    }
}

impl Drop for Mutant {
    /// Whoever still owns it owns nothing any more: the object's last reference is gone.
    fn drop(&mut self) {
        {
            let database = lock();
            if let Some(owner) = self.header.owner.replace(None) {
                owner.owned_mutants.remove(&database, self.header);
            }
        }
        Header::give_back(self.header);
    }
}

/// A thread ends: what it owns is abandoned, and whoever waits for it is told so.
pub(crate) fn abandon_all(database: &Database, thread: &'static Thread) {
    while let Some(mutant) = thread.owned_mutants.pop_front(database) {
        mutant.owner.set(None);
        mutant.abandoned.set(database, true);
        mutant.signal.set(database, 1);
        signalled(database, mutant, MUTANT_INCREMENT);
    }
}
