//! How an address space comes to be, and how all of it goes back.

use core::ops::Deref;
use core::sync::atomic::{AtomicU32, Ordering};

use arch::contract::{VirtAddr, VirtRange};
use nt_abi::NtResult;

use super::environments::Environments;
use super::{
    ALLOCATION_GRANULARITY, AddressSpace, SPACES, Space, TAG, VAD_BYTES, VmCounters,
    WorkingSetLimits, map_status,
};
use crate::frames;
use crate::protection::Protection;
use crate::shared_data;
use crate::vad::{Kind, Vad};
use ex::QuotaKind;
use ex::pool::PoolVec;
use rtl::IntervalTree;

/// How an address space begins.
#[derive(Clone, Copy, Debug)]
pub struct SpaceOptions {
    /// Whether the page of [`shared_data`] is in it.
    pub shared_data: bool,
    /// How large its working set is to be.
    pub limits: WorkingSetLimits,
}

impl Default for SpaceOptions {
    fn default() -> Self {
        Self {
            shared_data: true,
            limits: WorkingSetLimits::DEFAULT,
        }
    }
}

/// A process's hold on its address space. When it is dropped, everything in it goes.
pub struct AddressSpaceHandle(&'static AddressSpace);

impl Deref for AddressSpaceHandle {
    type Target = AddressSpace;

    fn deref(&self) -> &AddressSpace {
        self.0
    }
}

impl AddressSpaceHandle {
    /// Makes an address space in which nothing is but the shared page.
    ///
    /// # NT
    /// `MmCreateProcessAddressSpace`.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`, `NO_MEMORY`.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "MmCreateProcessAddressSpace")]
    pub fn create(options: &SpaceOptions) -> NtResult<Self> {
        reap();
        let place = SPACES.take()?;
        match place.begin(options) {
            Ok(()) => Ok(Self(place)),
            Err(status) => {
                place.end();
                Err(status)
            }
        }
    }

    /// The address space, for who keeps it no longer than this lives.
    pub fn space(&self) -> &'static AddressSpace {
        self.0
    }
}

impl AddressSpaceHandle {
    /// Takes everything out of it, for good: the process has ended, but others may know the space still. What they ask
    /// of it is `PROCESS_IS_TERMINATING` from now on.
    ///
    /// # NT
    /// `MmCleanProcessAddressSpace`.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "MmCleanProcessAddressSpace")]
    pub fn clear(&self) {
        self.0.lock().finish();
    }
}

impl Drop for AddressSpaceHandle {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl AddressSpace {
    fn begin(&self, options: &SpaceOptions) -> NtResult {
        let tables = arch::memory::AddressSpace::create(&mut frames::Source).map_err(map_status)?;
        let mut space = self.lock();
        self.id.store(u32::from(tables.id().0), Ordering::Relaxed);
        space.tables = Some(tables);
        space.held = true;
        space.counters = VmCounters::default();
        space.limits = options.limits;
        if let Some(frame) = shared_data::frame().filter(|_| options.shared_data) {
            let vad = Vad {
                kind: Kind::Fixed(frame),
                protection: Protection::READ_ONLY,
                committed: true,
                charge: 0,
                replaces: false,
                secured: false,
            };
            space.insert(VirtRange::of_pages(VirtAddr(shared_data::ADDRESS), 1), vad)?;
        }
        Ok(())
    }

    /// Takes everything apart. If a processor still has the tables, the place waits until [`reap`] comes by.
    fn end(&'static self) {
        let mut space = self.lock();
        space.finish();
        space.held = false;
        let gone = space.end_tables();
        if !gone {
            WAITING.fetch_add(1, Ordering::Relaxed);
        }
        drop(space);
        if gone {
            self.id.store(0, Ordering::Relaxed);
            SPACES.give_back(self);
        }
    }
}

impl Space {
    /// From now on nothing is in it and nothing comes in.
    fn finish(&mut self) {
        self.end_all();
        self.dying = true;
    }

    /// Ends every allocation and view.
    fn end_all(&mut self) {
        while let Some(index) = self.vads.first() {
            self.release(index);
        }
        self.vads = IntervalTree::new(ALLOCATION_GRANULARITY);
        self.locked = PoolVec::new(TAG);
        self.recent = None;
        self.environments = Environments::new();
        self.quota = None;
        if let Some(quota) = self.pool_quota.take() {
            let bytes = self.vads_charged as u64 * VAD_BYTES;
            quota.give_back(QuotaKind::NonPagedPool, bytes);
        }
        self.vads_charged = 0;
        self.pagefile_limit = u64::MAX;
        self.hand = 0;
    }

    /// Gives the tables back if nobody holds the space; false if somebody does, or a processor has them still.
    fn end_tables(&mut self) -> bool {
        if self.held {
            return false;
        }
        if let Some(tables) = self.tables.take()
            && let Err(tables) = tables.destroy(&mut frames::Source, &mut |_, _| {})
        {
            self.tables = Some(tables);
            return false;
        }
        self.dying = false;
        true
    }
}

/// Spaces that nobody holds any more and whose tables a processor had when they ended. It changes under a space's lock but
/// is read without one, as a hint: who misses one leaves it to the next who comes by.
static WAITING: AtomicU32 = AtomicU32::new(0);

/// Gives back what remained of spaces when they ended.
pub(crate) fn reap() {
    if WAITING.load(Ordering::Relaxed) == 0 {
        return;
    }
    for place in SPACES.iter() {
        let gone = match place.try_lock() {
            Some(mut space) if space.dying => {
                let gone = space.end_tables();
                WAITING.fetch_sub(u32::from(gone), Ordering::Relaxed);
                gone
            }
            _ => false,
        };
        if gone {
            place.id.store(0, Ordering::Relaxed);
            SPACES.give_back(place);
        }
    }
}

/// Address spaces that are in use, for tests of what is left behind.
pub fn in_use() -> usize {
    SPACES.used()
}

/// The number of a place, which frames name it by.
pub fn by_number(number: u32) -> Option<&'static AddressSpace> {
    SPACES.get(number).filter(|place| place.number() == number)
}
