//! Waiting until the value at an address is another one. How it works: `words/queue.rs`.
//!
//! The check of the value and the entry into the queue are one step for whoever wakes, so a waker who stores first and
//! wakes then finds whoever saw the old value. Addresses of another process are other addresses, even where memory is
//! shared.

use c_interface::Ptr;
use nt_abi::{NtResult, NtStatus};

use crate::words::atomic::Ordering;
use crate::words::parking::{Deadline, Parking, spins};
use crate::words::queue::{Key, Outcome, Purpose, Wait, with_queue};

fn key(address: usize) -> Key {
    Key {
        address,
        purpose: Purpose::Address,
    }
}

/// The value of 1, 2, 4 or 8 bytes at an address, with its size as a power of two.
///
/// One that lies as its size wants is read in one step. So is a small one inside of an aligned word, through that word,
/// which is in the same page.
fn value(address: usize, size: u32) -> u64 {
    let misaligned = |size: usize| address & (size - 1) != 0;
    match size {
        8 if misaligned(8) => Ptr::<u64>::new(address).read(),
        8 => Ptr::<u64>::new(address).atomic().load(Ordering::Acquire),
        4 if misaligned(4) => Ptr::<u32>::new(address).read().into(),
        2 if misaligned(2) => Ptr::<u16>::new(address).read().into(),
        4 => Ptr::<u32>::new(address)
            .atomic()
            .load(Ordering::Acquire)
            .into(),
        _ => {
            let within = address & 3;
            let word = Ptr::<u32>::new(address - within)
                .atomic()
                .load(Ordering::Acquire);
            let value = word >> (within * 8);
            u64::from(value & if size == 1 { 0xFF } else { 0xFFFF })
        }
    }
}

/// The value that the caller knows, which nobody else looks at.
fn known(address: usize, size: u32) -> u64 {
    match size {
        1 => Ptr::<u8>::new(address).read().into(),
        2 => Ptr::<u16>::new(address).read().into(),
        4 => Ptr::<u32>::new(address).read().into(),
        _ => Ptr::<u64>::new(address).read(),
    }
}

/// Waits while the value at `address`, of `size` bytes, is that at `compare`, until somebody wakes the caller.
///
/// Gives `SUCCESS`, also if the value is another one already and perhaps if nobody woke it; `TIMEOUT` if the time, in
/// NT's form, came first.
///
/// # NT
/// `RtlWaitOnAddress`.
///
/// # Errors
/// `INVALID_PARAMETER` if the size is not 1, 2, 4 or 8.
pub fn wait<P: Parking>(
    parking: &P,
    address: usize,
    compare: usize,
    size: usize,
    timeout: Option<i64>,
) -> NtResult<NtStatus> {
    let size = match size {
        1 => 1,
        2 => 2,
        4 => 4,
        8 => 8,
        _ => return Err(NtStatus::INVALID_PARAMETER),
    };
    let undesired = known(compare, size);
    if value(address, size) != undesired {
        return Ok(NtStatus::SUCCESS);
    }
    let wait = Wait {
        deadline: Deadline::of(parking, timeout),
        spins: spins(parking, P::SPINS),
        ..Wait::new(key(address), 0)
    };
    let unchanged = || value(address, size) == undesired;
    match wait.park(parking, unchanged, || (), |_| ()) {
        Outcome::TimedOut => Ok(NtStatus::TIMEOUT),
        Outcome::Woken(_) | Outcome::Unneeded => Ok(NtStatus::SUCCESS),
    }
}

/// Wakes the thread that has waited longest for an address; what is there is not looked at.
///
/// # NT
/// `RtlWakeAddressSingle`.
pub fn wake_single<P: Parking>(parking: &P, address: usize) {
    with_queue(parking, key(address), |queue| {
        if let Some(first) = queue.first() {
            queue.wake(first, 0);
        }
    });
}

/// Wakes all threads that wait for an address; what is there is not looked at.
///
/// # NT
/// `RtlWakeAddressAll`.
pub fn wake_all<P: Parking>(parking: &P, address: usize) {
    with_queue(parking, key(address), |queue| queue.wake_all(0));
}
