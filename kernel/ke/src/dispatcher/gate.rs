//! Gates: the synchronisation event that the locks of `ex` block on.

use nt_abi::NtResult;

use super::{Event, EventKind};
use crate::wait::{WaitOptions, wait_for_one};

/// One thread goes through for each time that it is opened.
///
/// # NT
/// `KGATE`. Who goes through gets no boost.
pub struct Gate {
    event: Event,
}

impl Gate {
    /// A closed one.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "KeInitializeGate")]
    pub fn new() -> NtResult<Self> {
        Ok(Self {
            event: Event::new(EventKind::Synchronization, false)?,
        })
    }

    /// Lets one thread through, now or when it comes.
    #[doc(alias = "KeSignalGate")]
    pub fn open(&self) {
        self.event.set_with(0);
    }

    /// Waits until it is opened, and closes it.
    ///
    /// # IRQL
    /// Below Dispatch.
    #[doc(alias = "KeWaitForGate")]
    pub fn pass(&self) {
        // Neither alertable nor with a time limit, the wait has one outcome.
        let _ = wait_for_one(self.event.header(), &WaitOptions::kernel());
    }
}
