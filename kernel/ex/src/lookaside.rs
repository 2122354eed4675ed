//! Lookaside lists: memory of one size that is kept at hand.
//!
//! What is given back goes on a list, up to a depth, and the next request takes it from
//! there instead of from the pool. The depth follows the use: once a second
//! ([`LookasideList::adjust`]) it grows if many requests found the list empty, and shrinks if few came.

use core::ops::{Deref, DerefMut};

use ke::{LockOrder, SpinLock};
use nt_abi::NtResult;

use crate::pool::{PoolBox, PoolTag, PoolVec};

/// Depths between which a list moves, as NT's do.
const LEAST_DEPTH: u32 = 4;
const MOST_DEPTH: u32 = 256;

/// What a list did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LookasideCounters {
    /// Requests.
    pub allocations: u64,
    /// Of them, those that the pool had to meet.
    pub allocation_misses: u64,
    /// Values that were given back.
    pub frees: u64,
    /// Of them, those that found the list full.
    pub free_misses: u64,
    /// Places that are at hand.
    pub kept: u32,
    /// How many may be.
    pub depth: u32,
}

struct Kept<T> {
    places: PoolVec<PoolBox<Option<T>>>,
    counters: LookasideCounters,
    /// Requests and misses at the last adjustment.
    last: (u64, u64),
}

/// A list of places for values of one type.
///
/// # NT
/// `LOOKASIDE_LIST_EX`, of nonpaged pool.
pub struct LookasideList<T> {
    tag: PoolTag,
    kept: SpinLock<Kept<T>>,
}

/// A value in a place of a lookaside list, which goes back there.
pub struct LookasideBox<'a, T> {
    list: &'a LookasideList<T>,
    place: Option<PoolBox<Option<T>>>,
}

impl<T> LookasideList<T> {
    /// An empty list, whose memory is charged to `tag`.
    #[doc(alias = "ExInitializeLookasideListEx")]
    pub const fn new(tag: PoolTag) -> Self {
        let kept = Kept {
            places: PoolVec::new(tag),
            counters: LookasideCounters {
                allocations: 0,
                allocation_misses: 0,
                frees: 0,
                free_misses: 0,
                kept: 0,
                depth: LEAST_DEPTH,
            },
            last: (0, 0),
        };
        Self {
            tag,
            kept: SpinLock::ordered(kept, LockOrder::LOOKASIDE),
        }
    }

    /// Moves a value into a place of the list's, or into pool memory.
    ///
    /// # IRQL
    /// At most Dispatch.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "ExAllocateFromLookasideListEx")]
    pub fn allocate(&self, value: T) -> NtResult<LookasideBox<'_, T>> {
        let at_hand = {
            let mut kept = self.kept.acquire();
            kept.counters.allocations += 1;
            let place = kept.places.pop();
            kept.counters.allocation_misses += u64::from(place.is_none());
            place
        };
        let place = match at_hand {
            Some(mut place) => {
                *place = Some(value);
                place
            }
            None => PoolBox::new(self.tag, Some(value))?,
        };
        Ok(LookasideBox {
            list: self,
            place: Some(place),
        })
    }

    fn give_back(&self, place: PoolBox<Option<T>>) {
        let refused = {
            let mut kept = self.kept.acquire();
            kept.counters.frees += 1;
            let has_room = kept.places.len() < kept.counters.depth as usize;
            if has_room && kept.places.reserve(1).is_ok() {
                // There is room, so this cannot fail.
                let _ = kept.places.push(place);
                None
            } else {
                kept.counters.free_misses += 1;
                Some(place)
            }
        };
        // The pool takes it back outside of the lock.
        drop(refused);
    }

    /// Fits the depth to the use since the last call: once a second, NT's balance set manager does it for all lists.
    #[doc(alias = "ExAdjustLookasideDepth")]
    pub fn adjust(&self) {
        /// Requests in a second below which a list is not worth its memory.
        const FEW: u64 = 25;
        {
            let mut kept = self.kept.acquire();
            let counters = kept.counters;
            let (allocations, misses) = kept.last;
            kept.last = (counters.allocations, counters.allocation_misses);
            let asked = counters.allocations - allocations;
            let missed = counters.allocation_misses - misses;
            let depth = counters.depth;
            kept.counters.depth = if asked < FEW {
                depth.saturating_sub(10).max(LEAST_DEPTH)
            } else if missed * 200 < asked {
                // Less than one in two hundred missed: it may be deeper than it need be.
                depth.saturating_sub(1).max(LEAST_DEPTH)
            } else {
                let more = missed * u64::from(MOST_DEPTH - depth) / asked / 2 + 5;
                depth
                    .saturating_add(u32::try_from(more).unwrap_or(MOST_DEPTH))
                    .min(MOST_DEPTH)
            };
        }
        while let Some(surplus) = self.take_surplus() {
            // Outside of the lock.
            drop(surplus);
        }
    }

    fn take_surplus(&self) -> Option<PoolBox<Option<T>>> {
        let mut kept = self.kept.acquire();
        let over = kept.places.len() > kept.counters.depth as usize;
        over.then(|| kept.places.pop()).flatten()
    }

    /// What the list did.
    pub fn counters(&self) -> LookasideCounters {
        let kept = self.kept.acquire();
        LookasideCounters {
            kept: u32::try_from(kept.places.len()).unwrap_or(u32::MAX),
            ..kept.counters
        }
    }
}

impl<T> Drop for LookasideBox<'_, T> {
    #[doc(alias = "ExFreeToLookasideListEx")]
    fn drop(&mut self) {
        if let Some(mut place) = self.place.take() {
            // The value ends here, outside of the list's lock.
            *place = None;
            self.list.give_back(place);
        }
    }
}

impl<T> Deref for LookasideBox<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self.place.as_ref().and_then(|place| place.as_ref()) {
            Some(value) => value,
            None => unreachable!("the place is full until the box is dropped"),
        }
    }
}

impl<T> DerefMut for LookasideBox<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match self.place.as_mut().and_then(|place| place.as_mut()) {
            Some(value) => value,
            None => unreachable!("the place is full until the box is dropped"),
        }
    }
}
