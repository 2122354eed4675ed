//! Keyed events: an event for each value of a pointer, without memory for any.
//!
//! Who waits and who releases meet by key: each waits for the other, first come first
//! served on both sides, and none is remembered. That is why a keyed event can neither run
//! out of memory nor be signalled too often.

use core::sync::atomic::{AtomicU64, Ordering};

use ke::keyed::{self, Key};
use ke::wait::{WaitOptions, reason};
use nt_abi::NtStatus;

const WAITS: u64 = 0;
const RELEASES: u64 = 1;

/// A keyed event.
///
/// # NT
/// The object of `NtCreateKeyedEvent`.
pub struct KeyedEvent {
    number: u64,
}

impl KeyedEvent {
    /// A keyed event that no other thing shares keys with.
    #[expect(clippy::new_without_default, reason = "no two are equal")]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            // Shifted: the lower half is the process's. No address of the kernel looks like it.
            number: NEXT.fetch_add(1, Ordering::Relaxed) << 32,
        }
    }

    /// Waits until somebody of the same process releases the key. Gives `SUCCESS`, `TIMEOUT`, `ALERTED`, `USER_APC`, or
    /// `INVALID_PARAMETER_1` for an odd key.
    ///
    /// # IRQL
    /// Below Dispatch.
    #[doc(alias = "NtWaitForKeyedEvent")]
    pub fn wait(&self, process: u32, key: u64, options: &WaitOptions) -> NtStatus {
        self.meet(process, key, options, WAITS, RELEASES)
    }

    /// Lets one go on that waits for the key, and waits for one until then. Gives the same.
    ///
    /// # IRQL
    /// Below Dispatch.
    #[doc(alias = "NtReleaseKeyedEvent")]
    pub fn release(&self, process: u32, key: u64, options: &WaitOptions) -> NtStatus {
        self.meet(process, key, options, RELEASES, WAITS)
    }

    fn meet(
        &self,
        process: u32,
        key: u64,
        options: &WaitOptions,
        mine: u64,
        other: u64,
    ) -> NtStatus {
        if key & 1 != 0 {
            return NtStatus::INVALID_PARAMETER_1;
        }
        let options = WaitOptions {
            reason: reason::KEYED_EVENT,
            ..*options
        };
        let key = Key {
            owner: self.number | u64::from(process),
            value: key,
        };
        keyed::wait(key, mine, &options, &|waiters| {
            let partner = waiters.iter().find(|waiter| waiter.wants == other)?;
            waiters.wake(partner, NtStatus::SUCCESS, ke::EVENT_INCREMENT);
            Some(NtStatus::SUCCESS)
        })
    }
}
