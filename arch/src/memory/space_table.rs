//! The numbers of address spaces, and which processor uses which.
//!
//! The scheduler names a space by its [`SpaceId`], which is also its
//! ASID where the machine has those. A table has a word for each number: alive or
//! not, the root, and on how many processors it is active. To activate is to count
//! up a word that says alive; to destroy is to change a word that says alive and
//! active nowhere to dead, in one step. So no processor is left with the tables of a
//! space that is gone. The two orders: activating acquires what `create` released
//! (the root's contents); destroying acquires what deactivating released.

use core::sync::atomic::{AtomicU64, Ordering};

use super::permanent_words;
use crate::Machine;
use crate::contract::{PAGE_SIZE, PhysAddr, Processor, UserTranslation};
use crate::lock::FloorLock;

/// The number of an address space; 0 is none's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SpaceId(pub u16);

/// A word of the table of spaces: alive, the root's frame number, and active processors in the low bits.
const ALIVE: u64 = 1 << 63;
/// The whole word of a space that is being taken apart: its number is not free yet.
const DEAD: u64 = 1 << 62;
const ACTIVE_MASK: u64 = 0xFFFF;
const ROOT_SHIFT: u32 = 16;

/// Spaces whose words are in one piece of memory.
const CHUNK: usize = 512;
const CHUNKS: usize = 65536 / CHUNK;

type Chunk = &'static [AtomicU64];

static CHUNK_TABLE: [spin::Once<Chunk>; CHUNKS] = [const { spin::Once::new() }; CHUNKS];

/// Where the search for a free number starts; the lock is the right to take one.
static NEXT_NUMBER: FloorLock<u32> = FloorLock::new(1);

fn word(id: SpaceId) -> Option<&'static AtomicU64> {
    let id = usize::from(id.0);
    CHUNK_TABLE[id / CHUNK].get()?.get(id % CHUNK)
}

fn word_made(id: SpaceId) -> Option<&'static AtomicU64> {
    let slot = &CHUNK_TABLE[usize::from(id.0) / CHUNK];
    if slot.get().is_none() {
        let words = permanent_words(CHUNK)?;
        let atomic = core::ptr::from_mut(words) as *const [AtomicU64];
        // SAFETY: the words are this table's for good, and an AtomicU64 has the layout of a u64.
        let atomic: Chunk = unsafe { &*atomic };
        slot.call_once(|| atomic);
    }
    word(id)
}

/// Takes a free number for a root, whose space is alive from then on.
pub(super) fn take(root: PhysAddr) -> Option<SpaceId> {
    let most = Machine::most_spaces().min(65536);
    let alive = ALIVE | (root.0 / PAGE_SIZE) << ROOT_SHIFT;
    let mut next = NEXT_NUMBER.acquire();
    for step in 0..most {
        let number = (*next + step) % most;
        // `most` is at most 65536, so a remainder fits.
        let Some(id) = u16::try_from(number)
            .ok()
            .filter(|id| *id != 0)
            .map(SpaceId)
        else {
            continue;
        };
        let word = word_made(id)?;
        // Release: who activates the space finds the root's contents.
        if word
            .compare_exchange(0, alive, Ordering::Release, Ordering::Relaxed)
            .is_ok()
        {
            *next = number + 1;
            return Some(id);
        }
    }
    None
}

/// Makes `space` what user mode sees on this processor, or nothing; false if there is no such space, and then nothing is.
///
/// Called at [`Irql::Dispatch`](crate::contract::Irql::Dispatch) or above by the scheduler; the space stays active here until the next call.
pub fn activate(space: Option<SpaceId>) -> bool {
    let enabled = Machine::disable_interrupts();
    let found = space.and_then(|id| {
        // Acquire: see the module.
        let before = word(id)?.fetch_update(Ordering::Acquire, Ordering::Relaxed, |word| {
            (word & ALIVE != 0).then(|| word + 1)
        });
        let root = (before.ok()? & !ALIVE) >> ROOT_SHIFT;
        Some((id, PhysAddr(root * PAGE_SIZE)))
    });
    let previous = Machine::active_space();
    // SAFETY: the space is alive and counted as active here, so it is not destroyed before the count falls, which is
    // below, in the call that activates the next one.
    unsafe { Machine::activate_user(found) };
    if let Some(word) = previous.and_then(word) {
        // Release: this processor's last walk through the tables happened before they are taken apart.
        word.fetch_sub(1, Ordering::Release);
    }
    Machine::restore_interrupts(enabled);
    found.is_some() == space.is_some()
}

/// The number of a space that is alive no more, and active nowhere.
pub(super) struct Dead(&'static AtomicU64);

/// Ends a space's life; `None` if a processor has it active.
pub(super) fn end(id: SpaceId) -> Option<Dead> {
    let word = word(id)?;
    let alive = word.load(Ordering::Relaxed);
    if alive & ACTIVE_MASK != 0 {
        return None;
    }
    // Acquire: see the module. A word that is neither alive nor 0 can be neither activated nor taken by another space.
    word.compare_exchange(alive, DEAD, Ordering::Acquire, Ordering::Relaxed)
        .ok()
        .map(|_| Dead(word))
}

impl Dead {
    /// Another space may have the number: nothing of this one is left.
    pub(super) fn give_back(self) {
        // Release: the number's next owner finds nothing of this one.
        self.0.store(0, Ordering::Release);
    }
}
