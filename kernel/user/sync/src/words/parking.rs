//! What the locks ask of the kernel, and of who puts them into a DLL.

use super::atomic::Ordering;
use super::block::{BlockRef, Field, WOKEN};
use super::bucket::Bucket;

/// How a wait for an alert ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alert {
    /// By an alert, or for any other reason but time.
    Alerted,
    /// The time had come.
    TimedOut,
}

/// The kernel below the locks: threads that wait until somebody alerts them.
///
/// An alert that comes before the wait ends the next one at once. One that nobody waits for any more does so too, so every
/// waiter looks whether what it waits for has happened; alerts too many do no harm.
pub trait Parking {
    /// How often a thread that waits for a lock is woken in vain, because others took it first, before the lock is handed
    /// to it.
    const PATIENCE: usize = 3;

    /// How often a thread looks before it waits in the kernel, where the lock does not say.
    const SPINS: u32 = 64;

    /// The calling thread's id; never 0.
    fn thread_id(&self) -> usize;

    /// Waits until somebody alerts the calling thread, or until a time in units of 100 ns: negative from now, otherwise
    /// since 1601-01-01 UTC (`NtWaitForAlertByThreadId`). The address is what the caller waits for, for those who look.
    ///
    /// While a process ends, when no other thread is left, nobody would come: there an implementation may end the process.
    fn wait_for_alert(&self, address: usize, timeout: Option<i64>) -> Alert;

    /// Alerts a thread of this process, if it is there still (`NtAlertThreadByThreadId`).
    fn alert(&self, thread: usize);

    /// Time since the system started, in units of 100 ns.
    fn interrupt_time(&self) -> i64;

    /// How many processors the process can use. Nobody spins on one.
    fn processors(&self) -> u32;

    /// Tells the processor that the caller spins.
    fn relax(&self);

    /// The queues of those who wait for an address: [`Buckets::bucket`](super::bucket::Buckets::bucket).
    fn bucket(&self, address: usize) -> &Bucket;
}

/// How often to look before waiting: not at all where only one thread can run.
pub(crate) fn spins<P: Parking>(parking: &P, wanted: u32) -> u32 {
    if parking.processors() > 1 { wanted } else { 0 }
}

/// Until when a wait lasts.
///
/// A wait may be a wait for several alerts, so a time from now becomes a time of the clock when it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deadline {
    /// As long as it takes.
    Never,
    /// A time of the calendar, in units of 100 ns since 1601-01-01 UTC.
    At(i64),
    /// When the system has run so long, in units of 100 ns.
    Running(i64),
}

impl Deadline {
    /// The deadline of a wait that begins now, from NT's form of a timeout: negative ones count from now, in units of 100
    /// ns.
    pub fn of<P: Parking>(parking: &P, timeout: Option<i64>) -> Self {
        match timeout {
            None => Self::Never,
            Some(time @ 0..) => Self::At(time),
            Some(time) => Self::Running(parking.interrupt_time().saturating_sub(time)),
        }
    }

    /// What is left of it, in NT's form.
    fn timeout<P: Parking>(self, parking: &P) -> Option<i64> {
        match self {
            Self::Never => None,
            Self::At(time) => Some(time),
            // 0 is a time of the calendar that has long passed.
            Self::Running(time) => Some(parking.interrupt_time().saturating_sub(time).min(0)),
        }
    }
}

/// Waits until a block's state is `WOKEN`, or until its time, which may have come together with that.
///
/// Whoever wakes reads the thread's id before the state changes, and alerts after it: only if the state was `ASLEEP`. So a
/// thread that still spins costs nobody a system call.
pub(crate) fn sleep<P: Parking>(
    parking: &P,
    block: BlockRef,
    spins: u32,
    deadline: Deadline,
) -> Alert {
    for _ in 0..spins {
        if block.state(Ordering::Acquire) == WOKEN {
            return Alert::Alerted;
        }
        parking.relax();
    }
    // Who fails here is woken; who came back after its time did this before.
    block.fall_asleep();
    loop {
        if block.state(Ordering::Acquire) == WOKEN {
            return Alert::Alerted;
        }
        let alert = parking.wait_for_alert(block.get(Field::Address), deadline.timeout(parking));
        if alert == Alert::TimedOut {
            return alert;
        }
    }
}

/// Lets a block's thread go on. The block is not the caller's to touch any more.
pub(crate) fn wake<P: Parking>(parking: &P, block: BlockRef) {
    let thread = block.get(Field::Thread);
    if block.wake() == super::block::ASLEEP {
        parking.alert(thread);
    }
}
