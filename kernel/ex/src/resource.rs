//! Resources: shared or exclusive, and the owner may come again.
//!
//! What file systems lock with. Other than a push lock, a resource knows its owners: a
//! thread that has it may take it once more, exclusively or shared, and can be asked about.
//! That costs a spin lock at each step, under which all of its state is.
//!
//! Guarantee: an exclusive owner is alone. A resource that somebody waits for is handed over under the spin lock, to all who
//! wait to share it, if an exclusive owner leaves, and to one who waits to have it exclusively, if the last sharer does; so
//! neither sort starves while both wait. Who was given it finds its place among the owners made: memory for it was set aside before the wait.
//! The thread is in a critical region for as long as it has the resource.

use ke::apc::{CriticalRegion, critical_region};
use ke::dispatcher::{Event, EventKind, Semaphore};
use ke::wait::{WaitOptions, wait_for_one};
use ke::{LockOrder, SpinLock};
use nt_abi::{NtResult, NtStatus};

use crate::pool::{PoolTag, PoolVec};

const TAG: PoolTag = PoolTag(*b"ExRe");

/// How a share is taken while somebody waits to have the resource exclusively.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sharing {
    /// Who has it already comes in again; others wait behind him.
    Fair,
    /// Everybody comes in: `ExAcquireSharedStarveExclusive`.
    StarveExclusive,
    /// Everybody waits behind him, who has it already too: `ExAcquireSharedWaitForExclusive`.
    WaitForExclusive,
}

/// Whether who finds it taken waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// It waits.
    Wait,
    /// It goes without.
    Try,
}

struct Sharer {
    thread: u32,
    times: u32,
}

struct State {
    /// The thread that has it exclusively; none while it is on its way from the wait.
    owner: Option<u32>,
    /// How often it has it; 0: nobody has it exclusively.
    owner_times: u32,
    /// Who share it. There is always room for those who were given a share and are on their way.
    sharers: PoolVec<Sharer>,
    /// Those on their way.
    given: u32,
    waiting_exclusive: u32,
    waiting_shared: u32,
    contentions: u64,
}

/// A value under a resource. The value is shared by the owners, exclusive or not, because the same thread may have it twice.
///
/// # NT
/// `ERESOURCE`.
///
/// # Differs
/// Nobody's priority is boosted for the waiters' sake.
pub struct Resource<T> {
    state: SpinLock<State>,
    share: Semaphore,
    turn: Event,
    value: T,
}

/// What a resource is at, at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ResourceState {
    /// How often its exclusive owner has it.
    pub exclusive: u32,
    /// Threads that share it.
    pub sharers: u32,
    /// Threads that wait to have it exclusively.
    pub waiting_exclusive: u32,
    /// Threads that wait to share it.
    pub waiting_shared: u32,
    /// How often somebody had to wait.
    pub contentions: u64,
}

/// The calling thread has the resource, once more.
#[must_use = "the resource is released when the guard is dropped"]
pub struct ResourceGuard<'a, T> {
    resource: &'a Resource<T>,
    _region: CriticalRegion,
}

enum Found {
    Taken,
    Refused,
    MustWait,
}

fn me() -> u32 {
    ke::thread::current().number()
}

impl State {
    fn is_exclusive(&self) -> bool {
        self.owner_times > 0
    }

    fn is_shared(&self) -> bool {
        self.given > 0 || !self.sharers.is_empty()
    }

    fn is_owner(&self, thread: u32) -> bool {
        self.is_exclusive() && self.owner == Some(thread)
    }

    fn sharer(&mut self, thread: u32) -> Option<&mut Sharer> {
        self.sharers
            .iter_mut()
            .find(|sharer| sharer.thread == thread)
    }

    /// Makes room for one sharer more than can come at most.
    fn reserve(&mut self) -> NtResult {
        let coming = self.given + self.waiting_shared + 1;
        self.sharers.reserve(coming as usize)
    }

    fn take_exclusive(&mut self, thread: u32, patience: Patience) -> Found {
        if self.is_owner(thread) {
            self.owner_times += 1;
            Found::Taken
        } else if !self.is_exclusive() && !self.is_shared() {
            self.owner = Some(thread);
            self.owner_times = 1;
            Found::Taken
        } else if patience == Patience::Try {
            Found::Refused
        } else {
            self.waiting_exclusive += 1;
            self.contentions += 1;
            Found::MustWait
        }
    }

    fn take_shared(
        &mut self,
        thread: u32,
        sharing: Sharing,
        patience: Patience,
    ) -> NtResult<Found> {
        if self.is_owner(thread) {
            self.owner_times += 1;
            return Ok(Found::Taken);
        }
        let behind = self.waiting_exclusive > 0;
        if !self.is_exclusive() {
            if let Some(sharer) = self.sharer(thread) {
                if !behind || sharing != Sharing::WaitForExclusive {
                    sharer.times += 1;
                    return Ok(Found::Taken);
                }
            } else if !behind || sharing == Sharing::StarveExclusive {
                self.reserve()?;
                self.sharers.push(Sharer { thread, times: 1 })?;
                return Ok(Found::Taken);
            }
        }
        if patience == Patience::Try {
            return Ok(Found::Refused);
        }
        self.reserve()?;
        self.waiting_shared += 1;
        self.contentions += 1;
        Ok(Found::MustWait)
    }

    /// A thread that was given a share has arrived.
    fn arrive(&mut self, thread: u32) -> NtResult {
        self.given -= 1;
        match self.sharer(thread) {
            Some(sharer) => sharer.times += 1,
            None => self.sharers.push(Sharer { thread, times: 1 })?,
        }
        Ok(())
    }

    /// Takes back one time that the thread has it; true if nobody has it now.
    fn release(&mut self, thread: u32) -> bool {
        if self.is_owner(thread) {
            self.owner_times -= 1;
            if self.owner_times == 0 {
                self.owner = None;
            }
        } else if let Some(at) = self
            .sharers
            .iter()
            .position(|sharer| sharer.thread == thread)
        {
            self.sharers[at].times -= 1;
            if self.sharers[at].times == 0 {
                let last = self.sharers.len() - 1;
                self.sharers.swap(at, last);
                self.sharers.pop();
            }
        } else {
            unreachable!("a resource was released by a thread that does not have it");
        }
        !self.is_exclusive() && !self.is_shared()
    }
}

impl<T> Resource<T> {
    /// A free one.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "ExInitializeResourceLite")]
    pub fn new(value: T) -> NtResult<Self> {
        let state = State {
            owner: None,
            owner_times: 0,
            sharers: PoolVec::new(TAG),
            given: 0,
            waiting_exclusive: 0,
            waiting_shared: 0,
            contentions: 0,
        };
        Ok(Self {
            state: SpinLock::ordered(state, LockOrder::RESOURCE),
            share: Semaphore::new(0, i32::MAX)?,
            turn: Event::new(EventKind::Synchronization, false)?,
            value,
        })
    }

    /// Takes it exclusively; none if it is taken and the caller does not wait. A thread that shares it must not wait for it.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "ExAcquireResourceExclusiveLite")]
    pub fn acquire_exclusive(&self, patience: Patience) -> Option<ResourceGuard<'_, T>> {
        let region = critical_region();
        let found = self.state.acquire().take_exclusive(me(), patience);
        match found {
            Found::Taken => {}
            Found::Refused => return None,
            Found::MustWait => {
                // Neither alertable nor limited; whoever set the event gave the resource with it.
                let _ = wait_for_one(self.turn.header(), &WaitOptions::kernel());
                self.state.acquire().owner = Some(me());
            }
        }
        Some(self.guard(region))
    }

    /// Takes a share; none if it is taken and the caller does not wait. An exclusive owner takes it once more.
    ///
    /// # IRQL
    /// At most Apc.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES` if there is no memory to remember the owner.
    ///
    /// # Differs
    /// Windows waits for the memory.
    #[doc(alias = "ExAcquireResourceSharedLite")]
    pub fn acquire_shared(
        &self,
        sharing: Sharing,
        patience: Patience,
    ) -> NtResult<Option<ResourceGuard<'_, T>>> {
        let region = critical_region();
        let found = self.state.acquire().take_shared(me(), sharing, patience)?;
        match found {
            Found::Taken => {}
            Found::Refused => return Ok(None),
            Found::MustWait => {
                let status = wait_for_one(self.share.header(), &WaitOptions::kernel());
                debug_assert_eq!(status, NtStatus::WAIT_0, "the wait has one outcome");
                self.state.acquire().arrive(me())?;
            }
        }
        Ok(Some(self.guard(region)))
    }

    fn guard(&self, region: CriticalRegion) -> ResourceGuard<'_, T> {
        ResourceGuard {
            resource: self,
            _region: region,
        }
    }

    fn release(&self) {
        let mut state = self.state.acquire();
        let was_exclusive = state.is_exclusive();
        if !state.release(me()) {
            return;
        }
        if state.waiting_shared > 0 && (was_exclusive || state.waiting_exclusive == 0) {
            self.let_sharers_in(&mut state);
        } else if state.waiting_exclusive > 0 {
            state.waiting_exclusive -= 1;
            state.owner_times = 1;
            self.turn.set();
        }
    }

    fn let_sharers_in(&self, state: &mut State) {
        let waiting = core::mem::take(&mut state.waiting_shared);
        state.given += waiting;
        if let Ok(count @ 1..) = i32::try_from(waiting) {
            let released = self.share.release(count);
            debug_assert!(released.is_ok(), "the semaphore has no limit");
        }
    }

    /// Whether the calling thread has it exclusively.
    #[doc(alias = "ExIsResourceAcquiredExclusiveLite")]
    pub fn is_acquired_exclusive(&self) -> bool {
        self.state.acquire().is_owner(me())
    }

    /// How often the calling thread has it, exclusively or shared.
    #[doc(alias = "ExIsResourceAcquiredSharedLite")]
    pub fn times_acquired(&self) -> u32 {
        let mut state = self.state.acquire();
        if state.is_owner(me()) {
            return state.owner_times;
        }
        state.sharer(me()).map_or(0, |sharer| sharer.times)
    }

    /// What it is at, at this moment.
    pub fn state(&self) -> ResourceState {
        let state = self.state.acquire();
        let sharers = u32::try_from(state.sharers.len()).unwrap_or(u32::MAX);
        ResourceState {
            exclusive: state.owner_times,
            sharers: sharers.saturating_add(state.given),
            waiting_exclusive: state.waiting_exclusive,
            waiting_shared: state.waiting_shared,
            contentions: state.contentions,
        }
    }
}

impl<T> ResourceGuard<'_, T> {
    /// Makes what the calling thread has exclusively a share, as often as it has it, and lets in who waits to share it.
    /// Changes nothing for one who shares it already.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES` if there is no memory to remember the owner; it has it exclusively still.
    #[doc(alias = "ExConvertExclusiveToSharedLite")]
    pub fn convert_to_shared(&self) -> NtResult {
        let mut state = self.resource.state.acquire();
        if state.is_owner(me()) {
            state.reserve()?;
            let times = state.owner_times;
            state.sharers.push(Sharer {
                thread: me(),
                times,
            })?;
            state.owner = None;
            state.owner_times = 0;
            self.resource.let_sharers_in(&mut state);
        }
        Ok(())
    }
}

impl<T> core::ops::Deref for ResourceGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.resource.value
    }
}

impl<T> Drop for ResourceGuard<'_, T> {
    #[doc(alias = "ExReleaseResourceLite")]
    fn drop(&mut self) {
        self.resource.release();
    }
}
