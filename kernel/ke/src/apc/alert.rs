//! Alerts: what ends an alertable wait without an APC, and what a thread is woken with by its id.

use core::sync::atomic::Ordering;

use arch::contract::UserState;
use nt_abi::NtStatus;

use super::ATTENTION_USER_APC;
use crate::dispatcher::{self, unwait};
use crate::thread::{self, Mode, State, Thread};
use crate::wait::{self, WaitOptions};

/// Whether the calling thread was alerted, which is then forgotten; and wants its user APCs delivered if it has any.
#[doc(alias = "KeTestAlertThread")]
pub fn test_alert(mode: Mode) -> bool {
    let thread = thread::current();
    let database = dispatcher::lock();
    let alerted = &thread.alerted[mode as usize];
    let was = alerted.get(&database);
    alerted.set(&database, false);
    if mode == Mode::User && thread.apc.has_user(&database) {
        thread
            .user()
            .attention()
            .fetch_or(ATTENTION_USER_APC, Ordering::Relaxed);
    }
    was
}

/// Alerts a thread: an alertable wait of it ends, this one or the next. Gives whether it was alerted before.
#[doc(alias = "KeAlertThread")]
pub fn alert(thread: &'static Thread, mode: Mode) -> bool {
    let database = dispatcher::lock();
    let alerted = &thread.alerted[mode as usize];
    let was = alerted.get(&database);
    if !was {
        let for_user = thread.wait_mode_user.get(&database);
        if thread.state.get(&database) == State::Waiting
            && thread.wait_alertable.get(&database)
            && (mode == Mode::Kernel || for_user)
        {
            unwait(&database, thread, NtStatus::ALERTED, crate::ALERT_INCREMENT);
        } else {
            alerted.set(&database, true);
        }
    }
    was
}

/// Wakes a thread that waits to be alerted by its id, or lets its next such wait end at once. One alert is remembered, not
/// their number.
#[doc(alias = "NtAlertThreadByThreadId")]
pub fn alert_by_id(thread: &'static Thread) {
    let database = dispatcher::lock();
    if thread.state.get(&database) == State::Waiting && thread.waits_for_id_alert.get(&database) {
        unwait(&database, thread, NtStatus::ALERTED, crate::ALERT_INCREMENT);
    } else {
        thread.alerted_by_id.set(&database, true);
    }
}

/// Waits until somebody alerts the calling thread by its id.
///
/// `address` is what the caller says that it waits for; it is there to be looked at ([`Thread::alert_address`]) and
/// decides nothing. Gives `ALERTED`, `TIMEOUT`, or `USER_APC` for a wait on behalf of user mode whose attention is wanted.
///
/// # IRQL
/// Below Dispatch.
#[doc(alias = "NtWaitForAlertByThreadId")]
pub fn wait_for_alert_by_id(address: u64, options: &WaitOptions) -> NtStatus {
    // Only the thread itself writes it.
    thread::current().alert_address.set_by_owner(address);
    wait::wait_for_id_alert(options)
}

impl Thread {
    /// What the thread said that its last wait for an alert by id was for.
    pub fn alert_address(&self) -> u64 {
        self.alert_address.glance()
    }
}
