//! Pools: how they are made, what they have at most and at least, how they go.

use c_interface::Ptr;
use nt_abi::native::TpPoolStackInformation;
use nt_abi::{NtResult, NtStatus};

use super::kernel::PoolKernel;
use super::slab::Id;
use super::state::{Locked, Pool};

/// The maximum of a pool that nobody has given one.
const MAXIMUM: u32 = 500;

impl<K: PoolKernel> Locked<'_, K> {
    fn add_pool(&mut self) -> NtResult<Id> {
        let pool = Pool {
            minimum: 0,
            maximum: MAXIMUM,
            threads: 0,
            idle: 0,
            long: 0,
            ready: Default::default(),
            begun: 0,
            begun_then: 0,
            objects: 0,
            released: false,
            stack_reserve: 0,
            stack_commit: 0,
        };
        self.pools.insert(pool).ok_or(NtStatus::NO_MEMORY)
    }

    /// The process's own pool.
    pub(super) fn default_pool(&mut self) -> NtResult<Id> {
        if let Some(pool) = self.default_pool {
            return Ok(pool);
        }
        let pool = self.add_pool()?;
        self.default_pool = Some(pool);
        Ok(pool)
    }

    pub(super) fn own_pool(&mut self, id: Id) -> NtResult<&mut Pool> {
        match self.pools.get_mut(id) {
            Some(pool) if !pool.released => Ok(pool),
            _ => Err(NtStatus::INVALID_PARAMETER),
        }
    }
}

/// Makes a pool.
///
/// # NT
/// `TpAllocPool`.
///
/// # Errors
/// `NO_MEMORY`.
pub fn alloc_pool<K: PoolKernel>(kernel: &K) -> NtResult<Id> {
    Locked::new(kernel).add_pool()
}

/// Gives a pool up; it goes when its objects have gone.
///
/// # NT
/// `TpReleasePool`.
///
/// # Errors
/// `INVALID_PARAMETER` if it is none.
pub fn release_pool<K: PoolKernel>(kernel: &K, pool: Id) -> NtResult {
    let mut locked = Locked::new(kernel);
    if locked.default_pool == Some(pool) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    locked.own_pool(pool)?.released = true;
    locked.settle_pool(pool);
    Ok(())
}

/// Sets how many threads a pool has at most; those that it has besides end when they have no work.
///
/// # NT
/// `TpSetPoolMaxThreads`.
///
/// # Errors
/// `INVALID_PARAMETER` if it is no pool.
pub fn set_pool_maximum<K: PoolKernel>(kernel: &K, pool: Id, maximum: u32) -> NtResult {
    let mut locked = Locked::new(kernel);
    let own = locked.own_pool(pool)?;
    own.maximum = maximum.max(1);
    own.minimum = own.minimum.min(own.maximum);
    locked.settle_pool(pool);
    Ok(())
}

/// Sets how many threads a pool has at least, and starts those that it lacks.
///
/// # NT
/// `TpSetPoolMinThreads`.
///
/// # Errors
/// `INVALID_PARAMETER` if it is no pool.
pub fn set_pool_minimum<K: PoolKernel>(kernel: &K, pool: Id, minimum: u32) -> NtResult {
    let mut locked = Locked::new(kernel);
    let own = locked.own_pool(pool)?;
    own.minimum = minimum;
    own.maximum = own.maximum.max(minimum);
    while locked.own_pool(pool)?.threads < minimum {
        locked.add_worker(pool);
    }
    Ok(())
}

/// Sets the stacks of the threads that a pool starts from now on; the values are not looked at.
///
/// # NT
/// `TpSetPoolStackInformation`.
///
/// # Errors
/// `INVALID_PARAMETER` if it is no pool.
pub fn set_pool_stack<K: PoolKernel>(
    kernel: &K,
    pool: Id,
    stack: &TpPoolStackInformation,
) -> NtResult {
    let mut locked = Locked::new(kernel);
    let own = locked.own_pool(pool)?;
    own.stack_reserve = Ptr::<u8>::at(stack.stack_reserve).address();
    own.stack_commit = Ptr::<u8>::at(stack.stack_commit).address();
    Ok(())
}

/// The stacks of a pool's threads; `image` is what holds if nobody has set any.
///
/// # NT
/// `TpQueryPoolStackInformation`.
///
/// # Errors
/// `INVALID_PARAMETER` if it is no pool.
pub fn query_pool_stack<K: PoolKernel>(
    kernel: &K,
    pool: Id,
    image: TpPoolStackInformation,
) -> NtResult<TpPoolStackInformation> {
    let mut locked = Locked::new(kernel);
    let own = locked.own_pool(pool)?;
    let or = |own: usize, image| {
        if own == 0 {
            image
        } else {
            Ptr::<u8>::new(own).raw()
        }
    };
    Ok(TpPoolStackInformation {
        stack_reserve: or(own.stack_reserve, image.stack_reserve),
        stack_commit: or(own.stack_commit, image.stack_commit),
    })
}
