//! Events: a flag that threads wait for.

use nt_abi::NtResult;

use super::{Database, Header, Kind, lock, signalled};
use crate::EVENT_INCREMENT;

/// What becomes of the event when a wait is satisfied.
///
/// # NT
/// `EVENT_TYPE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// It stays set until it is cleared, and satisfies everyone.
    Notification,
    /// It satisfies one wait and is clear again.
    Synchronization,
}

/// An event.
///
/// # NT
/// `KEVENT`.
pub struct Event {
    header: &'static Header,
    /// Whether the header goes back to its arena at the end.
    taken: bool,
}

impl Event {
    /// Makes one.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "KeInitializeEvent")]
    pub fn new(kind: EventKind, set: bool) -> NtResult<Self> {
        let header = Header::take(dispatcher_kind(kind), i32::from(set), 0)?;
        Ok(Self {
            header,
            taken: true,
        })
    }

    /// One for a static, with a header that is one too.
    pub const fn on(header: &'static Header) -> Self {
        Self {
            header,
            taken: false,
        }
    }

    /// The header of a static event, clear.
    pub const fn header_of(kind: EventKind) -> Header {
        Header::new(dispatcher_kind(kind), 0, 0)
    }

    /// What waits name it by.
    pub fn header(&self) -> &'static Header {
        self.header
    }

    /// Sets it; gives whether it was set before.
    #[doc(alias = "KeSetEvent")]
    pub fn set(&self) -> bool {
        self.set_with(EVENT_INCREMENT)
    }

    /// The same, with another boost for who goes on because of it.
    pub fn set_with(&self, increment: u8) -> bool {
        self.set_in(&lock(), increment)
    }

    /// The same for who holds the database: for [`signal_and_wait`](crate::wait::signal_and_wait).
    pub fn set_in(&self, database: &Database, increment: u8) -> bool {
        let before = self.header.signal.get(database);
        if before == 0 {
            self.header.signal.set(database, 1);
            signalled(database, self.header, increment);
        }
        before != 0
    }

    /// Clears it.
    #[doc(alias = "KeClearEvent")]
    pub fn clear(&self) {
        let database = lock();
        self.header.signal.set(&database, 0);
    }

    /// Clears it; gives whether it was set before.
    #[doc(alias = "KeResetEvent")]
    pub fn reset(&self) -> bool {
        let database = lock();
        let before = self.header.signal.get(&database);
        self.header.signal.set(&database, 0);
        before != 0
    }

    /// Sets it for those who wait at this moment, and clears it; gives whether it was set before.
    #[doc(alias = "KePulseEvent")]
    pub fn pulse(&self) -> bool {
        let database = lock();
        let before = self.header.signal.get(&database);
        if before == 0 {
            self.header.signal.set(&database, 1);
            signalled(&database, self.header, EVENT_INCREMENT);
        }
        self.header.signal.set(&database, 0);
        before != 0
    }

    /// Whether it is set, at this moment.
    #[doc(alias = "KeReadStateEvent")]
    pub fn is_set(&self) -> bool {
        self.header.signal.glance() != 0
    }

    /// What becomes of it when a wait is satisfied.
    pub fn kind(&self) -> EventKind {
        match self.header.kind.glance() {
            Kind::Synchronization => EventKind::Synchronization,
            _ => EventKind::Notification,
        }
    }
}

const fn dispatcher_kind(kind: EventKind) -> Kind {
    match kind {
        EventKind::Notification => Kind::Notification,
        EventKind::Synchronization => Kind::Synchronization,
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if self.taken {
            Header::give_back(self.header);
        }
    }
}
