//! Handles that are open, and some that were.

use nt_abi::NtStatus;
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::EventType;

use super::Random;
use crate::services::{
    CURRENT_PROCESS, CURRENT_THREAD, NULL, NtClose, NtCreateEvent, NtCreateMutant,
    NtCreateSemaphore, NtDuplicateObject, NtSetInformationObject,
};
use nt_abi::services::arguments::ObjectInformationClass;

/// Handles that are kept.
pub(super) const MOST: usize = 96;
/// Handles that are made again from time to time: five of the program's own, and those of the victim and its threads.
const ALWAYS: usize = 9;
const OWN: usize = 5;
/// Handles that are remembered after they were closed.
const CLOSED: usize = 16;
/// `DUPLICATE_SAME_ACCESS`.
const SAME_ACCESS: u32 = 2;
/// `ObjectHandleFlagInformation`.
const HANDLE_FLAGS: ObjectInformationClass = ObjectInformationClass(4);

/// A handle that is open, unless a service has closed it.
#[derive(Clone, Copy, Debug)]
struct Open {
    handle: u64,
    /// What it is a handle to, as the service that made it says: `Event` of `NtCreateEvent`.
    noun: &'static str,
}

/// The handles.
#[derive(Debug)]
pub(super) struct Handles {
    open: [Open; MOST],
    count: usize,
    closed: [u64; CLOSED],
    closed_count: usize,
}

impl Handles {
    /// A few of each type that can be made without further ado.
    pub(super) fn new() -> Self {
        let mut handles = Self::none();
        handles.renew();
        handles
    }

    /// Those that somebody else has.
    pub(super) fn of(open: impl Iterator<Item = u64>) -> Self {
        let mut handles = Self::none();
        for (place, handle) in handles.open.iter_mut().zip(open) {
            place.handle = handle;
            handles.count += 1;
        }
        handles.count = handles.count.max(1);
        handles
    }

    /// All that are open, unless a service has closed them.
    pub(super) fn all(&self) -> impl Iterator<Item = u64> {
        self.open[..self.count].iter().map(|open| open.handle)
    }

    fn none() -> Self {
        Self {
            open: [Open {
                handle: 0,
                noun: "",
            }; MOST],
            count: 0,
            closed: [0xDEA0; CLOSED],
            closed_count: 0,
        }
    }

    /// Takes those of a new victim: its process and its threads. The old ones are closed.
    pub(super) fn take_victim(&mut self, victim: [u64; ALWAYS - OWN]) {
        let nouns = ["Process", "Thread", "Thread", "Thread"];
        for (place, (handle, noun)) in victim.into_iter().zip(nouns).enumerate() {
            let open = &mut self.open[OWN + place];
            close(open.handle);
            *open = Open { handle, noun };
        }
    }

    /// Makes those again that are always there.
    pub(super) fn renew(&mut self) {
        let mut made = [0u64; OWN];
        let [event, mutant, semaphore, process, thread] = &mut made;
        let all = AccessMask::GENERIC_ALL;
        let _ = NtCreateEvent(event, all, NULL, EventType(1), false);
        let _ = NtCreateMutant(mutant, all, NULL, false);
        let _ = NtCreateSemaphore(semaphore, all, NULL, 1i32, 2i32);
        for (own, handle) in [(CURRENT_PROCESS, process), (CURRENT_THREAD, thread)] {
            let _ = NtDuplicateObject(
                CURRENT_PROCESS,
                own,
                CURRENT_PROCESS,
                handle,
                AccessMask::NONE,
                0u32,
                SAME_ACCESS,
            );
        }
        let nouns = ["Event", "Mutant", "Semaphore", "Process", "Thread"];
        for (place, (handle, noun)) in made.into_iter().zip(nouns).enumerate() {
            close(self.open[place].handle);
            self.open[place] = Open { handle, noun };
        }
        self.count = self.count.max(ALWAYS);
    }

    /// Takes a handle that a service has made; if there are many, another one is closed for it.
    pub(super) fn keep(&mut self, random: &mut Random, handle: u64, service: &'static str) {
        let noun = ["NtCreate", "NtOpen", "NtGetNext"]
            .iter()
            .find_map(|verb| service.strip_prefix(verb))
            .map_or("", |noun| noun.strip_suffix("Ex").unwrap_or(noun));
        let place = if self.count < MOST {
            self.count += 1;
            self.count - 1
        } else {
            ALWAYS + random.below((MOST - ALWAYS) as u64) as usize
        };
        if self.open[place].handle != handle {
            close(self.open[place].handle);
        }
        self.open[place] = Open { handle, noun };
    }

    /// Notes that a handle was closed, so that not most of those that are kept are nobody's.
    pub(super) fn closed(&mut self, handle: u64) {
        self.closed[self.closed_count % CLOSED] = handle;
        self.closed_count += 1;
        // Those that are always there keep their places.
        let made = ALWAYS..self.count;
        if let Some(place) = made
            .into_iter()
            .find(|place| self.open[*place].handle == handle)
        {
            self.count -= 1;
            self.open[place] = self.open[self.count];
        }
    }

    /// A handle for an argument of a service: mostly an open one, and then mostly one of the right type.
    pub(super) fn suited(&self, random: &mut Random, service: &str, argument: &str) -> u64 {
        if random.below(8) < 5 {
            let start = random.below(self.count as u64) as usize;
            let suits = |open: &&Open| {
                !open.noun.is_empty()
                    && (service.contains(open.noun) || starts_alike(open.noun, argument))
            };
            let (before, after) = self.open[..self.count].split_at(start);
            if let Some(open) = after.iter().chain(before).find(suits) {
                return open.handle;
            }
        }
        self.any(random)
    }

    /// A handle: mostly an open one.
    pub(super) fn any(&self, random: &mut Random) -> u64 {
        let open = random.of(&self.open[..self.count]).handle;
        match random.below(24) {
            0 => 0,
            1 | 2 => u64::MAX,
            3 | 4 => u64::MAX - 1,
            5 => u64::MAX - 2 - random.below(4),
            6 => random.of(&self.closed),
            7 => random.below(0x100) * 4,
            8 => random.next(),
            // The two lowest bits are the caller's own.
            9 => open | random.below(4),
            _ => open,
        }
    }

    /// A handle that is nobody's.
    pub(super) fn bad(random: &mut Random) -> u64 {
        random.of(&[0x7FFF_FFFC, 0xDEAD_BEE0, 0xFFFF_FFFF_8000_0004, 0x3FF_FFFC])
    }
}

fn close(handle: u64) {
    if handle == 0 {
        return;
    }
    if NtClose(handle) == NtStatus::HANDLE_NOT_CLOSABLE {
        // Neither inherited nor protected.
        let _ = NtSetInformationObject(handle, HANDLE_FLAGS, &[0u8; 2], 2u32);
        let _ = NtClose(handle);
    }
}

/// Whether a noun of a service begins as an argument is named, whatever the capitals: `JobObject` and `job`.
fn starts_alike(noun: &str, argument: &str) -> bool {
    noun.get(..argument.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(argument))
}
