//! Pages for tests, in one large piece of memory, and the watch over every access of the heap's.
//!
//! Each page of the piece has a state: nobody's, reserved or committed, and by whom. Every access that the heap makes through
//! `memory` is looked up; one outside of the pages that the heap of the test has committed ends the test.

use core::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::vec;
use std::vec::Vec;

use c_interface::Ptr;
use nt_abi::{NtResult, NtStatus};

use crate::{Access, Pages};

const PAGE: usize = 0x1000;
const UNIT: usize = 0x1_0000;
/// How large the piece is.
const BYTES: usize = if size_of::<usize>() == 8 {
    (1usize << 30).wrapping_mul(8)
} else {
    1 << 29
};
/// In a page's state: it is committed.
const COMMITTED: u32 = 1;

struct Arena {
    base: usize,
    /// For each page the owner's number times two, and one if it is committed.
    pages: Vec<AtomicU32>,
    /// Free ranges: where and how long.
    free: Mutex<BTreeMap<usize, usize>>,
}

static ARENA: OnceLock<Arena> = OnceLock::new();

std::thread_local! {
    /// Whose pages this thread may touch.
    static OWNER: Cell<u32> = const { Cell::new(0) };
    /// How often the heap touched memory in this thread.
    static TOUCHES: Cell<usize> = const { Cell::new(0) };
}

fn arena() -> &'static Arena {
    ARENA.get_or_init(|| {
        let memory = Vec::leak(vec![0u8; BYTES + UNIT]);
        let base = memory
            .as_mut_ptr()
            .expose_provenance()
            .next_multiple_of(UNIT);
        Arena {
            base,
            pages: (0..BYTES / PAGE).map(|_| AtomicU32::new(0)).collect(),
            free: Mutex::new(BTreeMap::from([(base, BYTES)])),
        }
    })
}

impl Arena {
    fn page(&self, address: usize) -> &AtomicU32 {
        &self.pages[(address - self.base) / PAGE]
    }

    fn has(&self, address: usize) -> bool {
        address >= self.base && address < self.base + BYTES
    }
}

/// Every access of the heap's.
pub(crate) fn watch(address: usize, bytes: usize) {
    if bytes == 0 {
        return;
    }
    TOUCHES.with(|touches| touches.set(touches.get() + 1));
    let owner = OWNER.with(Cell::get);
    let arena = arena();
    let last = address.checked_add(bytes - 1).expect("it ends in memory");
    assert!(
        arena.has(address) && arena.has(last),
        "{address:#x} and {bytes:#x} bytes: outside of everything"
    );
    for page in (address / PAGE..=last / PAGE).map(|page| page * PAGE) {
        let state = arena.page(page.max(arena.base)).load(Ordering::Relaxed);
        assert_eq!(
            state,
            owner * 2 + COMMITTED,
            "{address:#x} and {bytes:#x} bytes: not this heap's pages"
        );
    }
}

/// How often the heap touched memory in this thread.
pub(crate) fn touches() -> usize {
    TOUCHES.with(Cell::get)
}

/// Pages for the heaps of a test.
pub(crate) struct TestPages {
    owner: u32,
    reserved: Mutex<HashMap<usize, usize>>,
    committed: AtomicUsize,
    peak: AtomicUsize,
    most: AtomicUsize,
    calls: AtomicU64,
    /// Each call of that number fails, and its multiples; 0 for none.
    fails: AtomicU64,
    decommits: AtomicU64,
}

impl TestPages {
    /// Pages for a test that runs in this thread.
    pub(crate) fn new() -> Self {
        static OWNERS: AtomicU32 = AtomicU32::new(1);
        let pages = Self {
            owner: OWNERS.fetch_add(1, Ordering::Relaxed),
            reserved: Mutex::default(),
            committed: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            most: AtomicUsize::new(usize::MAX),
            calls: AtomicU64::new(0),
            fails: AtomicU64::new(0),
            decommits: AtomicU64::new(0),
        };
        pages.enter();
        pages
    }

    /// This thread may touch these pages from now on.
    pub(crate) fn enter(&self) {
        OWNER.with(|owner| owner.set(self.owner));
    }

    /// Committed bytes, as the system would count them.
    pub(crate) fn committed(&self) -> usize {
        self.committed.load(Ordering::Relaxed)
    }

    /// The most that they were.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// How many reservations there are.
    pub(crate) fn reservations(&self) -> usize {
        self.reserved.lock().unwrap().len()
    }

    /// How often pages were taken away.
    pub(crate) fn decommits(&self) -> u64 {
        self.decommits.load(Ordering::Relaxed)
    }

    /// No more than so many bytes from now on.
    pub(crate) fn limit(&self, bytes: usize) {
        self.most.store(bytes, Ordering::Relaxed);
    }

    /// Each call for memory of a number, and of its multiples, fails; 0 for none.
    pub(crate) fn fail_every(&self, number: u64) {
        self.calls.store(0, Ordering::Relaxed);
        self.fails.store(number, Ordering::Relaxed);
    }

    /// Whether there is a page of ours.
    pub(crate) fn is_committed(&self, address: usize) -> bool {
        arena().has(address)
            && arena().page(address).load(Ordering::Relaxed) == self.owner * 2 + COMMITTED
    }

    fn spent(&self) -> NtResult {
        let number = self.fails.load(Ordering::Relaxed);
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if number != 0 && call.is_multiple_of(number) {
            return Err(NtStatus::NO_MEMORY);
        }
        Ok(())
    }

    fn check(&self, address: usize, bytes: usize) {
        assert!(address.is_multiple_of(PAGE) && bytes.is_multiple_of(PAGE) && bytes != 0);
        let reserved = self.reserved.lock().unwrap();
        assert!(
            reserved
                .iter()
                .any(|(&base, &all)| address >= base && address + bytes <= base + all),
            "{address:#x} and {bytes:#x} bytes: not reserved as one"
        );
    }
}

impl Pages for TestPages {
    fn reserve(&self, bytes: usize, _access: Access) -> NtResult<usize> {
        assert!(bytes.is_multiple_of(UNIT) && bytes != 0);
        self.spent()?;
        let mut free = arena().free.lock().unwrap();
        let (at, room) = free
            .iter()
            .find(|&(_, &room)| room >= bytes)
            .map(|(&at, &room)| (at, room))
            .ok_or(NtStatus::NO_MEMORY)?;
        free.remove(&at);
        if room > bytes {
            free.insert(at + bytes, room - bytes);
        }
        for page in (at..at + bytes).step_by(PAGE) {
            arena().page(page).store(self.owner * 2, Ordering::Relaxed);
        }
        self.reserved.lock().unwrap().insert(at, bytes);
        Ok(at)
    }

    fn commit(&self, address: usize, bytes: usize, _access: Access) -> NtResult {
        self.check(address, bytes);
        self.spent()?;
        if self.committed() + bytes > self.most.load(Ordering::Relaxed) {
            return Err(NtStatus::COMMITMENT_LIMIT);
        }
        for page in (address..address + bytes).step_by(PAGE) {
            let state = arena().page(page);
            if state.load(Ordering::Relaxed) == self.owner * 2 {
                Ptr::<u8>::new(page).fill(0, PAGE);
                state.store(self.owner * 2 + COMMITTED, Ordering::Relaxed);
                let now = self.committed.fetch_add(PAGE, Ordering::Relaxed) + PAGE;
                self.peak.fetch_max(now, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn decommit(&self, address: usize, bytes: usize) -> NtResult {
        self.check(address, bytes);
        self.decommits.fetch_add(1, Ordering::Relaxed);
        for page in (address..address + bytes).step_by(PAGE) {
            let state = arena().page(page);
            if state.load(Ordering::Relaxed) == self.owner * 2 + COMMITTED {
                Ptr::<u8>::new(page).fill(0xDD, PAGE);
                state.store(self.owner * 2, Ordering::Relaxed);
                self.committed.fetch_sub(PAGE, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn release(&self, address: usize) -> NtResult {
        let bytes = self
            .reserved
            .lock()
            .unwrap()
            .remove(&address)
            .expect("it was reserved");
        for page in (address..address + bytes).step_by(PAGE) {
            let state = arena().page(page);
            if state.load(Ordering::Relaxed) == self.owner * 2 + COMMITTED {
                Ptr::<u8>::new(page).fill(0xDD, PAGE);
                self.committed.fetch_sub(PAGE, Ordering::Relaxed);
            }
            state.store(0, Ordering::Relaxed);
        }
        let mut free = arena().free.lock().unwrap();
        let (mut at, mut room) = (address, bytes);
        if let Some((&before, &its)) = free.range(..at).next_back()
            && before + its == at
        {
            free.remove(&before);
            (at, room) = (before, its + room);
        }
        if let Some(behind) = free.remove(&(at + room)) {
            room += behind;
        }
        free.insert(at, room);
        Ok(())
    }
}

impl Drop for TestPages {
    fn drop(&mut self) {
        let left: Vec<_> = self.reserved.lock().unwrap().keys().copied().collect();
        for base in left {
            let _ = self.release(base);
        }
    }
}
