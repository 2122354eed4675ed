//! The threads of the memory manager.
//!
//! | thread | priority | what it does |
//! |---|---|---|
//! | zero page thread | 0 | fills free frames with zeroes when nobody else wants a processor |
//! | balance set manager | 17 | once a second, and when a fault found no frame: [`balance`](crate::balance) |
//! | modified page writer | 18 | once a second, and when it is asked to: writes what there is too much of |
//!
//! # NT
//! `MmZeroPageThread`, `KeBalanceSetManager`, `MiModifiedPageWriter`.
//!
//! # Differs
//! The zero page thread looks for frames four times a second, instead of being told of each that becomes free.

use ke::dispatcher::{Due, Event, EventKind};
use ke::schedule;
use ke::thread::{Mode, ThreadHandle, ThreadStart};
use ke::wait::{WaitOptions, delay, wait_for_one};
use nt_abi::{NtResult, NtStatus};

use crate::{balance, frames, modified_writer};

/// A second, in 100 ns.
const SECOND: u64 = 10_000_000;
/// Frames that are zeroed between two looks.
const ZEROED_AT_ONCE: u64 = 16;
/// One frame of this many may be modified; what is more is written.
const MODIFIED_SHARE: u64 = 16;

const BALANCE_PRIORITY: u8 = 17;
const WRITER_PRIORITY: u8 = 18;

/// What those two threads wait for.
struct Events {
    balance: Event,
    writer: Event,
}

static EVENTS: spin::Once<Events> = spin::Once::new();

/// Starts the threads. Once.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`; `CONFLICTING_ADDRESSES` if they run already.
pub fn start() -> NtResult {
    if EVENTS.get().is_some() {
        return Err(NtStatus::CONFLICTING_ADDRESSES);
    }
    let event = || Event::new(EventKind::Synchronization, false);
    let events = Events {
        balance: event()?,
        writer: event()?,
    };
    EVENTS.call_once(|| events);
    let thread = |routine: fn(u64)| {
        ThreadHandle::create(ke::process::system(), ThreadStart::kernel(routine, 0))
    };
    let (zero, manager, writer) = (
        thread(zero_pages)?,
        thread(manage_balance)?,
        thread(write_modified)?,
    );
    schedule::set_below_all(zero.thread());
    schedule::set_base_priority(manager.thread(), BALANCE_PRIORITY)?;
    schedule::set_base_priority(writer.thread(), WRITER_PRIORITY)?;
    for thread in [zero, manager, writer] {
        thread.start();
    }
    Ok(())
}

/// Memory is short: the balance set manager is to look now.
///
/// # IRQL
/// At most Dispatch, without a lock.
pub(crate) fn ask_for_balance() {
    if let Some(events) = EVENTS.get() {
        events.balance.set();
    }
}

#[doc(alias = "MmZeroPageThread")]
fn zero_pages(_argument: u64) {
    loop {
        while frames::zero_pages(ZEROED_AT_ONCE) == ZEROED_AT_ONCE {}
        // It is neither alertable nor for user mode, so it ends in one way.
        let _ = delay(Due::In(SECOND / 4), Mode::Kernel, false);
    }
}

#[doc(alias = "KeBalanceSetManager")]
fn manage_balance(_argument: u64) {
    let Some(events) = EVENTS.get() else { return };
    let options = WaitOptions::kernel().until(Due::In(SECOND));
    loop {
        let _ = wait_for_one(events.balance.header(), &options);
        if balance::balance() < balance::wanted() {
            events.writer.set();
        }
    }
}

#[doc(alias = "MiModifiedPageWriter")]
fn write_modified(_argument: u64) {
    let Some(events) = EVENTS.get() else { return };
    let options = WaitOptions::kernel().until(Due::In(SECOND));
    loop {
        let asked = wait_for_one(events.writer.header(), &options) != NtStatus::TIMEOUT;
        let frames = frames::statistics();
        let kept = if asked {
            0
        } else {
            frames.total / MODIFIED_SHARE
        };
        modified_writer::write_modified(frames.modified.saturating_sub(kept));
    }
}
