//! Waiting for dispatcher objects.
//!
//! A wait looks first whether it is satisfied already, and if not puts a block into
//! the list of each object and gives up the processor. Whoever signals an object
//! does to it, and to the thread, what the satisfied wait means (`dispatcher`), so
//! a thread that goes on has only its status to look at. A kernel APC interrupts a
//! wait: the thread runs it and begins the wait again, with the time that is left.
//!
//! # NT
//! `KeWaitForSingleObject`, `KeWaitForMultipleObjects`, `KeDelayExecutionThread`.

use core::sync::atomic::Ordering;

use arch::contract::{Irql, UserState};
use nt_abi::NtStatus;

use crate::apc::ATTENTION_SPECIAL_USER_APC;
use crate::dispatcher::{self, Database, Due, Header, WaitKind, satisfy_now, take_entry};
use crate::keyed::KeyedWait;
use crate::thread::{self, MAXIMUM_WAIT_OBJECTS, Mode, State, Thread};
use crate::{bug_check, clock, irql, schedule};

/// How a wait is made.
#[derive(Clone, Copy, Debug)]
pub struct WaitOptions {
    /// For whom.
    pub mode: Mode,
    /// Whether alerts and user APCs end it.
    pub alertable: bool,
    /// When it ends at the latest; `None`: never. A relative time that is not zero lasts until the clock ticks, however short it
    /// is; only a kernel APC that comes meanwhile ends that.
    pub timeout: Option<Due>,
    /// Why it waits, for those who look (`KWAIT_REASON`).
    pub reason: u8,
}

/// `KWAIT_REASON` values.
pub mod reason {
    /// In the executive.
    pub const EXECUTIVE: u8 = 0;
    /// Delays its execution.
    pub const DELAY_EXECUTION: u8 = 4;
    /// Is suspended.
    pub const SUSPENDED: u8 = 5;
    /// Waits for what a user request named.
    pub const USER_REQUEST: u8 = 6;
    /// Waits for a queue's entries.
    pub const QUEUE: u8 = 15;
    /// Waits for a keyed event.
    pub const KEYED_EVENT: u8 = 21;
    /// Waits for a push lock.
    pub const PUSH_LOCK: u8 = 28;
    /// Waits to be alerted by its id.
    pub const ALERT_BY_ID: u8 = 37;
}

impl WaitOptions {
    /// Kernel code's own wait, for as long as it takes.
    pub const fn kernel() -> Self {
        Self {
            mode: Mode::Kernel,
            alertable: false,
            timeout: None,
            reason: reason::EXECUTIVE,
        }
    }

    /// On behalf of user mode.
    pub const fn user(alertable: bool, timeout: Option<Due>) -> Self {
        Self {
            mode: Mode::User,
            alertable,
            timeout,
            reason: reason::USER_REQUEST,
        }
    }

    pub(crate) const fn suspended() -> Self {
        Self {
            reason: reason::SUSPENDED,
            ..Self::kernel()
        }
    }

    /// The same with a time limit.
    #[must_use]
    pub const fn until(self, due: Due) -> Self {
        Self {
            timeout: Some(due),
            ..self
        }
    }
}

/// A wait that has no blocks of its own, or those of several objects.
#[derive(Clone, Copy)]
enum For<'a> {
    Objects(&'a [&'static Header], WaitKind),
    Queue(&'static Header),
    Time,
    Key(&'a KeyedWait<'a>),
    AlertById,
}

/// Waits for one object.
///
/// Gives `WAIT_0`, `ABANDONED_WAIT_0`, `TIMEOUT`, `USER_APC` or `ALERTED`; `MUTANT_LIMIT_EXCEEDED` for a mutant that its owner
/// has too often.
///
/// # IRQL
/// Below Dispatch, unless the time limit is zero.
#[doc(alias = "KeWaitForSingleObject")]
#[inline]
pub fn wait_for_one(object: &'static Header, options: &WaitOptions) -> NtStatus {
    wait(For::Objects(&[object], WaitKind::Any), options, None)
}

/// Waits for one or for all of several objects.
///
/// Gives `WAIT_0 + n` or `ABANDONED_WAIT_0 + n` for the object with index *n* (0 if all were waited for), or what
/// [`wait_for_one`] gives; `INVALID_PARAMETER` for no object or more than 64; `INVALID_PARAMETER_MIX` for an object that is
/// to be had twice at once; `INSUFFICIENT_RESOURCES`.
///
/// # IRQL
/// As [`wait_for_one`].
#[doc(alias = "KeWaitForMultipleObjects")]
pub fn wait_for_many(
    objects: &[&'static Header],
    kind: WaitKind,
    options: &WaitOptions,
) -> NtStatus {
    if objects.is_empty() || objects.len() > MAXIMUM_WAIT_OBJECTS {
        return NtStatus::INVALID_PARAMETER;
    }
    if kind == WaitKind::All && names_one_twice(objects) {
        return NtStatus::INVALID_PARAMETER_MIX;
    }
    // Memory is asked for before the database is held.
    if let Err(status) = thread::current().prepare_blocks(objects.len()) {
        return status;
    }
    wait(For::Objects(objects, kind), options, None)
}

fn names_one_twice(objects: &[&'static Header]) -> bool {
    objects.iter().enumerate().any(|(index, object)| {
        objects[..index]
            .iter()
            .any(|earlier| core::ptr::eq(*earlier, *object))
    })
}

/// Waits for a time to pass; gives `SUCCESS` when it has, or `USER_APC`, `ALERTED`.
///
/// No time at all is [`schedule::yield_execution`]: the best of the threads that are ready gets the processor, even one of lower
/// priority, and where there is none it gives `NO_YIELD_PERFORMED`.
///
/// # IRQL
/// Below Dispatch.
#[doc(alias = "KeDelayExecutionThread")]
pub fn delay(due: Due, mode: Mode, alertable: bool) -> NtStatus {
    let options = WaitOptions {
        mode,
        alertable,
        timeout: Some(due),
        reason: reason::DELAY_EXECUTION,
    };
    match wait(For::Time, &options, None) {
        NtStatus::TIMEOUT if matches!(due, Due::In(0) | Due::At(0)) => {
            if schedule::yield_execution() {
                NtStatus::SUCCESS
            } else {
                NtStatus::NO_YIELD_PERFORMED
            }
        }
        NtStatus::TIMEOUT => NtStatus::SUCCESS,
        other => other,
    }
}

/// Does `signal` and begins to wait for `object` in one step, so that nobody can come between.
///
/// # Errors
/// What `signal` gives; nothing is waited for then.
pub fn signal_and_wait(
    signal: &dyn Fn(&Database) -> Result<(), NtStatus>,
    object: &'static Header,
    options: &WaitOptions,
) -> Result<NtStatus, NtStatus> {
    let database = dispatcher::lock();
    signal(&database)?;
    Ok(wait(
        For::Objects(&[object], WaitKind::Any),
        options,
        Some(database),
    ))
}

/// Waits for an entry of a queue.
pub(crate) fn wait_for_queue(queue: &'static Header, options: &WaitOptions) -> NtStatus {
    let options = WaitOptions {
        reason: reason::QUEUE,
        ..*options
    };
    {
        // Whoever comes for more has done the work that it had.
        let database = dispatcher::lock();
        let thread = thread::current();
        dispatcher::leave(&database, thread);
        thread.queue.set(None);
    }
    wait(For::Queue(queue), &options, None)
}

/// Waits by key, unless the check says otherwise.
pub(crate) fn wait_by_key(keyed: &KeyedWait<'_>, options: &WaitOptions) -> NtStatus {
    wait(For::Key(keyed), options, None)
}

/// Waits for an alert by id.
pub(crate) fn wait_for_id_alert(options: &WaitOptions) -> NtStatus {
    let options = WaitOptions {
        reason: reason::ALERT_BY_ID,
        ..*options
    };
    wait(For::AlertById, &options, None)
}

fn wait(what: For<'_>, options: &WaitOptions, held: Option<Database>) -> NtStatus {
    let thread = thread::current();
    let due = options.timeout.map(Due::interrupt_time);
    let polls = matches!(options.timeout, Some(Due::In(0)));
    // However short a time is that begins now, the clock has to tick once for it to pass: who waits for it in a loop gives
    // way to threads of lower priority too.
    let mut begins = matches!(options.timeout, Some(Due::In(1..)));
    let mut held = held;
    loop {
        let database = held.take().unwrap_or_else(dispatcher::lock);
        // A system time may have become another moment since the last turn, and since it was looked at.
        let due = match options.timeout {
            Some(Due::At(system)) => Some(clock::to_interrupt_time(system)),
            _ => due,
        };
        if let Some(status) = satisfied_now(&database, thread, what) {
            return status;
        }
        if let Some(status) = alerted(&database, thread, options) {
            return status;
        }
        if polls || (!begins && due.is_some_and(|due| due <= clock::interrupt_time())) {
            return NtStatus::TIMEOUT;
        }
        let level = database.level_before();
        if level >= Irql::Dispatch {
            drop(database);
            assert_can_block();
            continue;
        }
        if level < Irql::Apc && thread.apc.kernel_deliverable(&database, thread) {
            // Freeing the database lowers the level, which delivers it.
            crate::processor::request_apc_here();
            drop(database);
            continue;
        }
        enqueue(&database, thread, what);
        thread
            .wait_mode_user
            .set(&database, options.mode == Mode::User);
        thread.wait_alertable.set(&database, options.alertable);
        thread.wait_reason.set(&database, options.reason);
        thread.wait_below_apc.set(&database, level < Irql::Apc);
        if let (Some(due), Some(said)) = (due, options.timeout) {
            thread.wait_timer.start_for(&database, due, said);
        }
        thread.state.set(&database, State::Waiting);
        let guard = schedule::block(database);
        let status = NtStatus(thread.wait_status.glance());
        drop(guard);
        if status != NtStatus::KERNEL_APC {
            return status;
        }
        begins = false;
    }
}

/// The wait's status if it is satisfied without waiting.
#[inline]
fn satisfied_now(database: &Database, thread: &'static Thread, what: For<'_>) -> Option<NtStatus> {
    match what {
        For::Time => None,
        For::Objects(objects, kind) => satisfy_now(database, thread, objects, kind),
        For::Queue(queue) => {
            let room = queue.active.get(database) < queue.limit.get(database);
            (queue.signal.get(database) > 0 && room).then(|| {
                take_entry(database, queue, thread);
                NtStatus::WAIT_0
            })
        }
        For::Key(keyed) => keyed.check(database),
        For::AlertById => {
            let alerted = thread.alerted_by_id.get(database);
            thread.alerted_by_id.set(database, false);
            alerted.then_some(NtStatus::ALERTED)
        }
    }
}

/// What ends a wait before it begins: an alert, a user APC, or attention that is wanted in user mode.
fn alerted(database: &Database, thread: &Thread, options: &WaitOptions) -> Option<NtStatus> {
    let attention = thread.user().attention().load(Ordering::Relaxed);
    if options.mode == Mode::User && attention & !ATTENTION_SPECIAL_USER_APC != 0 {
        return Some(NtStatus::USER_APC);
    }
    if !options.alertable {
        return None;
    }
    let take_alert = |mode: Mode| {
        let alerted = &thread.alerted[mode as usize];
        let was = alerted.get(database);
        alerted.set(database, false);
        was
    };
    if take_alert(options.mode) {
        return Some(NtStatus::ALERTED);
    }
    if options.mode == Mode::User && thread.apc.has_user(database) {
        thread
            .user()
            .attention()
            .fetch_or(crate::apc::ATTENTION_USER_APC, Ordering::Relaxed);
        return Some(NtStatus::USER_APC);
    }
    take_alert(Mode::Kernel).then_some(NtStatus::ALERTED)
}

/// Puts the thread's blocks into the lists of what it waits for.
fn enqueue(database: &Database, thread: &'static Thread, what: For<'_>) {
    thread.waits_for_queue.set(database, false);
    thread.waits_for_id_alert.set(database, false);
    match what {
        For::Time => thread.wait_count.set(database, 0),
        For::AlertById => {
            thread.waits_for_id_alert.set(database, true);
            thread.wait_count.set(database, 0);
        }
        For::Key(keyed) => {
            thread.wait_kind.set(database, WaitKind::Any);
            for block in thread.blocks_for(1) {
                keyed.enqueue(database, thread, block);
            }
            thread.wait_count.set(database, 1);
        }
        For::Queue(queue) => {
            thread.waits_for_queue.set(database, true);
            thread.wait_kind.set(database, WaitKind::Any);
            for block in thread.blocks_for(1) {
                block.object.set(Some(queue));
                block.key.set(database, 0);
                queue.waiters.push_front(database, block);
            }
            thread.wait_count.set(database, 1);
        }
        For::Objects(objects, kind) => {
            thread.wait_kind.set(database, kind);
            let mut key = 0;
            for (block, object) in thread.blocks_for(objects.len()).zip(objects) {
                block.object.set(Some(object));
                block.key.set(database, key);
                object.waiters.push_back(database, block);
                key += 1;
            }
            thread.wait_count.set(database, key);
        }
    }
}

/// Stops the machine if the calling code may not give up the processor.
pub(crate) fn assert_can_block() {
    let level = irql::current();
    if level >= Irql::Dispatch {
        bug_check::stop(
            nt_abi::BugCheckCode::IRQL_NOT_LESS_OR_EQUAL,
            [0, u64::from(level.level()), 0, 0],
        );
    }
}
