//! A second thread of the fuzzer's own process: it calls services at the same time, with the first one's handles, and
//! changes what the first one's pointers lead to while the kernel reads it.
//!
//! It makes no handles. So between the first thread's look at what a handle is to and the call with it, the handle may be
//! closed but cannot become one to something else.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use nt_abi::NtStatus;
use nt_abi::services::SERVICES;

use super::ground::{BEHIND, Ground, SLOT};
use super::handles::{Handles, MOST};
use super::values::{KERNEL, NOWHERE};
use super::{Fuzzer, Random};
use crate::check::{Failed, Outcome, line};
use crate::clocks::counter_time;
use crate::services::{NtClose, NtDelayExecution, NtWaitForSingleObject, NtYieldExecution, fill};
use crate::threads::spawn;

/// Slots whose content is changed.
const SLOTS: u64 = 17;
/// Calls after which it looks again which handles there are.
const BETWEEN_LOOKS: u64 = 64;
/// Calls after which it lets others run.
const BETWEEN_RESTS: u64 = 512;
/// How long it is waited for until it counts as lost, in 100 ns: two minutes, whatever the clock's resolution has become.
const PATIENCE: i64 = 1_200_000_000;
/// What `pause` is until it is first told to go on.
const BEFORE: u64 = 1;

/// What the first thread tells the second one.
struct Shared {
    /// The first thread's slots, and memory that may be taken away.
    slots: AtomicU64,
    sacrificed: AtomicU64,
    /// Its handles.
    handles: [AtomicU64; MOST],
    handle_count: AtomicU64,
    /// Odd while the second thread is to stand still.
    pause: AtomicU64,
    /// The last value of `pause` at which it did.
    stands: AtomicU64,
    stop: AtomicBool,
    calls: AtomicU64,
    /// The service it is in or was in last.
    service: AtomicU64,
}

static SHARED: Shared = Shared {
    slots: AtomicU64::new(0),
    sacrificed: AtomicU64::new(0),
    handles: [const { AtomicU64::new(0) }; MOST],
    handle_count: AtomicU64::new(0),
    pause: AtomicU64::new(BEFORE),
    stands: AtomicU64::new(0),
    stop: AtomicBool::new(false),
    calls: AtomicU64::new(0),
    service: AtomicU64::new(u64::MAX),
};

/// The second thread, as the first one sees it.
#[derive(Debug)]
pub(super) struct Second {
    thread: u64,
}

impl Second {
    /// Starts it, so that it stands still. That is before anything is taken away: its stack and memory must not come to lie
    /// in a hole of the first one's sacrificed part.
    pub(super) fn start(ground: &Ground, seed: u64) -> Result<Self, Failed> {
        SHARED.slots.store(ground.slot(0), Ordering::Relaxed);
        let (sacrificed, _) = ground.sacrificed();
        SHARED.sacrificed.store(sacrificed, Ordering::Relaxed);
        let thread = spawn(run, seed)?;
        let second = Self { thread };
        second.stands_at(BEFORE)?;
        Ok(second)
    }

    /// How many services it has called.
    pub(super) fn calls() -> u64 {
        SHARED.calls.load(Ordering::Relaxed)
    }

    /// Tells it which handles there are.
    pub(super) fn tell(handles: &Handles) {
        let mut count = 0;
        for (place, handle) in SHARED.handles.iter().zip(handles.all()) {
            place.store(handle, Ordering::Relaxed);
            count += 1;
        }
        SHARED.handle_count.store(count, Ordering::Relaxed);
    }

    /// Makes it stand still, outside of the kernel.
    pub(super) fn pause(&self) -> Outcome {
        let wanted = SHARED.pause.fetch_add(1, Ordering::AcqRel) + 1;
        self.stands_at(wanted)
    }

    /// Waits until it stands still.
    fn stands_at(&self, wanted: u64) -> Outcome {
        let start = counter_time();
        let mut round = 0;
        while counter_time() - start < PATIENCE {
            if SHARED.stands.load(Ordering::Acquire) == wanted {
                return Ok(());
            }
            if round < 64 {
                round += 1;
                let _ = NtYieldExecution();
            } else {
                let _ = NtDelayExecution(false, &-1i64);
            }
        }
        let service = SHARED.service.load(Ordering::Relaxed);
        let calls = SHARED.calls.load(Ordering::Relaxed);
        let name = SERVICES
            .get(service as usize)
            .map_or("none", |service| service.name);
        line(format_args!(
            "fuzz: the second thread does not come to stand: {calls} calls, the last one {name}"
        ));
        Err(Failed)
    }

    /// Lets it go on.
    pub(super) fn go_on(&self) {
        SHARED.pause.fetch_add(1, Ordering::AcqRel);
    }

    /// Ends it.
    pub(super) fn end(self) -> Outcome {
        SHARED.stop.store(true, Ordering::Release);
        // The handle may have been closed: what counts is that it stands still for good.
        self.pause()?;
        if NtWaitForSingleObject(self.thread, false, &0i64) == NtStatus::SUCCESS {
            let _ = NtClose(self.thread);
        }
        Ok(())
    }
}

extern "C" fn run(seed: u64) -> u32 {
    let Some(ground) = Ground::new() else {
        return 1;
    };
    let mut fuzzer = Fuzzer::new(Random::new(seed), ground);
    fuzzer.list_services(super::Role::Second);
    let mut calls = 0;
    loop {
        let pause = SHARED.pause.load(Ordering::Acquire);
        if pause % 2 == 1 {
            SHARED.stands.store(pause, Ordering::Release);
            if SHARED.stop.load(Ordering::Acquire) {
                return 0;
            }
            // The first time is long, and it should not be in the way.
            let rest = if pause == BEFORE { -100_000i64 } else { -1 };
            while SHARED.pause.load(Ordering::Acquire) == pause {
                let _ = NtDelayExecution(false, &rest);
            }
        }
        if calls % BETWEEN_LOOKS == 0 {
            let count = SHARED.handle_count.load(Ordering::Relaxed) as usize;
            let handles = SHARED.handles.iter().take(count);
            fuzzer.handles = Handles::of(handles.map(|handle| handle.load(Ordering::Relaxed)));
            fuzzer.give_all_back();
        }
        if calls % BETWEEN_RESTS == 0 {
            let _ = NtDelayExecution(false, &-1i64);
        }
        fuzzer.call_one();
        scribble(&mut fuzzer.random);
        calls += 1;
        SHARED.calls.store(calls, Ordering::Relaxed);
    }
}

/// Changes a word that the first thread's pointers may lead to. No value is an address that the program needs, not even one
/// of a slot: a service may take it for something to be freed.
fn scribble(random: &mut Random) {
    let slots = SHARED.slots.load(Ordering::Relaxed);
    let slot = slots + random.below(SLOTS) * SLOT;
    let sacrificed = SHARED.sacrificed.load(Ordering::Relaxed);
    for _ in 0..random.below(4) {
        let place = match random.below(4) {
            0 => BEHIND + 8 * random.below(48),
            1 => 8 * random.below(128),
            _ => 8 * random.below(6),
        };
        let handle = &SHARED.handles[random.below(MOST as u64) as usize];
        let value = match random.below(12) {
            0 => KERNEL,
            1 => NOWHERE,
            2 => u64::MAX,
            3 => 0x30,
            4 => 0xFFFE_FFFE,
            5 | 6 => sacrificed + 0x1000 * random.below(256),
            7 => handle.load(Ordering::Relaxed),
            8 => 0x7FFF_FFFF_FFFF_FFFF,
            9 => 0xFFFF,
            _ => random.below(64),
        };
        fill(slot + place, &value.to_le_bytes());
    }
}

/// Notes which service the second thread calls.
pub(super) fn note_service(service: u16) {
    SHARED.service.store(u64::from(service), Ordering::Relaxed);
}

/// What is checked while nobody else calls anything.
pub(super) fn undisturbed(second: Option<&Second>, check: impl FnOnce() -> Outcome) -> Outcome {
    let Some(second) = second else {
        return check();
    };
    second.pause()?;
    let outcome = check();
    second.go_on();
    outcome
}
