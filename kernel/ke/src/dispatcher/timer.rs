//! Timers: objects that are signalled at a time, and the limits of waits.

use arch::AtomicRef;
use nt_abi::NtResult;

use super::list::{Linked, Links};
use super::wheel::{self, Bucket};
use super::{Database, EventKind, Field, Header, Kind, lock, signalled, unwait_of};
use crate::apc::Apc;
use crate::arena::{Arena, Chunks, Slot, no_chunks};
use crate::clock;
use crate::dpc::Dpc;
use crate::thread::Thread;
use nt_abi::NtStatus;

/// What falls due at a time: an entry of the wheel.
pub(crate) struct WaitTimer {
    links: Links<WaitTimer>,
    /// Interrupt time, in 100 ns.
    pub(crate) due: Field<u64>,
    pub(super) inserted: Field<bool>,
    /// The system time that it is due at, if it was set for one: it moves with the system's clock. 0: none.
    system: Field<u64>,
    /// The thread whose wait ends; a timer object has none.
    pub(crate) thread: AtomicRef<Thread>,
    /// The timer object that is signalled.
    object: AtomicRef<TimerSlot>,
}

impl Linked<Bucket> for WaitTimer {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl WaitTimer {
    pub(crate) const fn new() -> Self {
        Self {
            links: Links::new(),
            due: Field::zero(),
            inserted: Field::zero(),
            system: Field::zero(),
            thread: AtomicRef::none(),
            object: AtomicRef::none(),
        }
    }

    /// Lets it fall due at that interrupt time, or at once if that is past.
    pub(crate) fn start(&'static self, database: &Database, due: u64) {
        self.cancel(database);
        self.system.set(database, 0);
        self.due.set(database, due);
        self.inserted.set(database, true);
        wheel::insert(database, self);
    }

    /// The same; if that time was said as a system time, it moves when the system's clock is set.
    pub(crate) fn start_for(&'static self, database: &Database, due: u64, said: Due) {
        self.start(database, due);
        if let Due::At(system) = said {
            self.system.set(database, system);
        }
    }

    /// The system's clock was set: is due when it says the time that it was set for. True if that is another moment.
    pub(super) fn follow_system_time(&'static self, database: &Database) -> bool {
        let system = self.system.get(database);
        let due = clock::to_interrupt_time(system);
        let before = match self.object.get() {
            Some(timer) => timer.wanted.get(database),
            None => self.due.get(database),
        };
        if system == 0 || due == before {
            return false;
        }
        match self.object.get() {
            Some(timer) => timer.start(database, due),
            None => self.start(database, due),
        }
        self.system.set(database, system);
        true
    }

    /// Takes it back; false if it was not started, or has fallen due.
    pub(crate) fn cancel(&'static self, database: &Database) -> bool {
        let inserted = self.inserted.get(database);
        if inserted {
            wheel::remove(database, self);
            self.inserted.set(database, false);
        }
        inserted
    }

    /// It fell due, and is out of the wheel.
    pub(super) fn expired(&'static self, database: &Database, now: u64) {
        self.inserted.set(database, false);
        if let Some(thread) = self.thread.get() {
            unwait_of(database, thread, NtStatus::TIMEOUT);
        } else if let Some(timer) = self.object.get() {
            timer.expired(database, now);
        }
    }
}

/// A timer object's lasting part.
struct TimerSlot {
    header: Header,
    entry: WaitTimer,
    /// Between two times it is due, in 100 ns; 0: once.
    period: Field<u64>,
    /// The time that it was set for, or the next one of its period, in 100 ns; it falls due then or, if it tolerates
    /// a delay, together with others a little later.
    wanted: Field<u64>,
    /// The delay that it tolerates, in 100 ns.
    tolerance: Field<u64>,
    dpc: AtomicRef<Dpc>,
    apc: AtomicRef<Apc>,
    free: AtomicRef<TimerSlot>,
}

impl Slot for TimerSlot {
    fn make(_number: u32) -> Self {
        Self {
            header: Header::new(Kind::Notification, 0, 0),
            entry: WaitTimer::new(),
            period: Field::zero(),
            wanted: Field::zero(),
            tolerance: Field::zero(),
            dpc: AtomicRef::none(),
            apc: AtomicRef::none(),
            free: AtomicRef::none(),
        }
    }

    fn free_link(&self) -> &AtomicRef<Self> {
        &self.free
    }
}

/// Bytes of memory that a timer takes: what a process may be charged for it.
pub const TIMER_BYTES: usize = size_of::<TimerSlot>();

static TIMERS: Arena<TimerSlot, 128, 4096> = Arena::new(&TIMERS_CHUNKS);
static TIMERS_CHUNKS: Chunks<TimerSlot, 4096> = no_chunks();

/// The time in `due..=due + tolerance` that most timers would choose: the one that is a multiple of the highest power of two.
fn meeting_point(due: u64, tolerance: u64) -> u64 {
    let latest = due.saturating_add(tolerance);
    // The bits above the first one in which the two ends differ are common to all between; with that bit set and all below
    // clear it is the roundest number there is, unless `due` itself is rounder.
    let differing = (due.wrapping_sub(1)) ^ latest;
    match differing.checked_ilog2() {
        Some(highest) if due > 0 => latest >> highest << highest,
        _ => due,
    }
}

impl TimerSlot {
    /// Lets it fall due at that time, or as long after it as it tolerates.
    fn start(&'static self, database: &Database, due: u64) {
        self.wanted.set(database, due);
        let tolerance = self.tolerance.get(database);
        self.entry.start(database, meeting_point(due, tolerance));
    }

    fn expired(&'static self, database: &Database, now: u64) {
        let period = self.period.get(database);
        let system = clock::system_time();
        let due = self.wanted.get(database);
        if let Some(missed) = now.saturating_sub(due).checked_div(period) {
            // What was missed is not made up for: the next time is the first one of the grid that is still to come.
            let next = due.saturating_add((missed + 1).saturating_mul(period));
            self.start(database, next);
        }
        if self.header.signal.get(database) == 0 {
            self.header.signal.set(database, 1);
            signalled(database, &self.header, 0);
        }
        if let Some(dpc) = self.dpc.get() {
            dpc.queue([0; 2]);
        }
        if let Some(apc) = self.apc.get() {
            // The routine is told when the timer fell due, as two halves of a system time.
            apc.set_arguments(database, [system & 0xFFFF_FFFF, system >> 32]);
            apc.queue_locked(database, 0);
        }
    }
}

/// A timer object.
///
/// # NT
/// `KTIMER`.
pub struct Timer {
    slot: &'static TimerSlot,
}

/// What a timer is at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerState {
    /// Whether it is signalled.
    pub signalled: bool,
    /// 100 ns until it is due; `None` if it is not set.
    pub remaining: Option<u64>,
    /// When it was last to be due, in interrupt time of 100 ns; 0 if it was never set.
    pub due: u64,
}

/// When a timer is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// After so many units of 100 ns.
    In(u64),
    /// At that system time, in 100 ns since 1601.
    At(u64),
}

impl Due {
    /// As NT passes it: negative is relative, else it is a system time.
    pub const fn from_nt(time: i64) -> Self {
        if time < 0 {
            Self::In(time.unsigned_abs())
        } else {
            Self::At(time.unsigned_abs())
        }
    }

    /// The interrupt time that this is, as of now.
    pub fn interrupt_time(self) -> u64 {
        match self {
            Self::In(units) => clock::interrupt_time().saturating_add(units),
            Self::At(system) => clock::to_interrupt_time(system),
        }
    }
}

impl Timer {
    /// Makes one that is not set.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "KeInitializeTimerEx")]
    pub fn new(kind: EventKind) -> NtResult<Self> {
        let slot = TIMERS.take()?;
        let database = lock();
        let kind = match kind {
            EventKind::Notification => Kind::Notification,
            EventKind::Synchronization => Kind::Synchronization,
        };
        slot.header.reset(&database, kind, 0, 0);
        slot.entry.object.set(Some(slot));
        slot.period.set(&database, 0);
        slot.wanted.set(&database, 0);
        slot.dpc.set(None);
        slot.apc.set(None);
        Ok(Self { slot })
    }

    /// What waits name it by.
    pub fn header(&self) -> &'static Header {
        &self.slot.header
    }

    /// Sets it: not signalled, until it is due; then again each `period` units of 100 ns, unless that is 0. What it did
    /// when it was set before is forgotten. Gives whether it was set.
    #[doc(alias = "KeSetTimerEx")]
    pub fn set(&self, due: Due, period: u64, dpc: Option<&'static Dpc>) -> bool {
        self.set_with_apc(due, period, dpc, None).0
    }

    /// The same; each time it may be up to `tolerance` units of 100 ns late, so that it falls due together with others.
    #[doc(alias = "KeSetCoalescableTimer")]
    pub fn set_coalescable(
        &self,
        due: Due,
        period: u64,
        tolerance: u64,
        dpc: Option<&'static Dpc>,
    ) -> bool {
        self.set_fully(due, period, tolerance, dpc, None).0
    }

    /// The same with an APC that is queued when it is due; gives whether it was set, and the APC of that time.
    pub fn set_with_apc(
        &self,
        due: Due,
        period: u64,
        dpc: Option<&'static Dpc>,
        apc: Option<&'static Apc>,
    ) -> (bool, Option<&'static Apc>) {
        self.set_fully(due, period, 0, dpc, apc)
    }

    /// The same with all that a timer can have.
    pub fn set_fully(
        &self,
        due: Due,
        period: u64,
        tolerance: u64,
        dpc: Option<&'static Dpc>,
        apc: Option<&'static Apc>,
    ) -> (bool, Option<&'static Apc>) {
        let said = due;
        let database = lock();
        let due = said.interrupt_time();
        let was_set = self.slot.entry.cancel(&database);
        let old = self.slot.apc.replace(apc);
        self.slot.header.signal.set(&database, 0);
        self.slot.period.set(&database, period);
        self.slot.tolerance.set(&database, tolerance);
        self.slot.dpc.set(dpc);
        let now = clock::interrupt_time();
        if due <= now {
            // No tick has to come first.
            self.slot.wanted.set(&database, due);
            self.slot.expired(&database, now);
        } else {
            self.slot.start(&database, due);
            if let Due::At(system) = said {
                self.slot.entry.system.set(&database, system);
            }
        }
        (was_set, old)
    }

    /// Takes it back; gives whether it was set. Whether it is signalled does not change.
    #[doc(alias = "KeCancelTimer")]
    pub fn cancel(&self) -> bool {
        self.cancel_with_apc().0
    }

    /// The same; gives also the APC that it would have queued.
    pub fn cancel_with_apc(&self) -> (bool, Option<&'static Apc>) {
        let database = lock();
        self.slot.period.set(&database, 0);
        self.slot.dpc.set(None);
        let apc = self.slot.apc.replace(None);
        (self.slot.entry.cancel(&database), apc)
    }

    /// What it is at this moment.
    #[doc(alias = "KeReadStateTimer")]
    pub fn state(&self) -> TimerState {
        let database = lock();
        let now = clock::interrupt_time();
        TimerState {
            signalled: self.slot.header.signal.get(&database) > 0,
            due: self.slot.wanted.get(&database),
            remaining: self
                .slot
                .entry
                .inserted
                .get(&database)
                .then(|| self.slot.entry.due.get(&database).saturating_sub(now)),
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.cancel();
        let waited_for = !self.slot.header.waiters.is_empty(&lock());
        debug_assert!(!waited_for, "a timer ended while a thread waits for it");
        if !waited_for {
            TIMERS.give_back(self.slot);
        }
    }
}
