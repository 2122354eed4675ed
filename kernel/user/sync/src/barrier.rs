//! Barriers, where a number of threads meet. How they work: `words/barrier.rs`.

use c_interface::{Ptr, field};
use nt_abi::native::RtlBarrier;
use nt_abi::synchronization::BarrierFlags;
use nt_abi::{NtResult, NtStatus};

use crate::words::barrier::Words;
use crate::words::parking::{Parking, spins};

/// How often to look before waiting if nobody says.
const DEFAULT_SPINS: u32 = 2000;

fn words<'a>(barrier: Ptr<RtlBarrier>) -> Words<'a> {
    Words {
        total: field!(barrier, RtlBarrier, reserved1).read(),
        arrivals: field!(barrier, RtlBarrier, reserved2).atomic(),
        inside: field!(barrier, RtlBarrier, reserved4).atomic(),
    }
}

/// Makes a barrier for so many threads, which look `spin_count` times before they wait; `u32::MAX` for a usual number.
///
/// # NT
/// `RtlInitBarrier`.
///
/// # Errors
/// `INVALID_PARAMETER` for no threads or more than 2^31 - 1.
pub fn initialize(barrier: Ptr<RtlBarrier>, total: u32, spin_count: u32) -> NtResult {
    if total == 0 || total > i32::MAX.unsigned_abs() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let spin_count = if spin_count == u32::MAX {
        DEFAULT_SPINS
    } else {
        spin_count
    };
    barrier.write(RtlBarrier {
        reserved1: total,
        reserved5: spin_count,
        ..Default::default()
    });
    Ok(())
}

/// Waits until as many threads have come as the barrier is for. True for the last of them.
///
/// Spinning without end is spinning for long, so that the thread that the others wait for gets a processor.
///
/// # NT
/// `RtlBarrier`.
pub fn meet<P: Parking>(parking: &P, barrier: Ptr<RtlBarrier>, flags: BarrierFlags) -> bool {
    let wanted = if flags.contains(BarrierFlags::BLOCK_ONLY) {
        0
    } else if flags.contains(BarrierFlags::SPIN_ONLY) {
        10 * DEFAULT_SPINS
    } else {
        field!(barrier, RtlBarrier, reserved5).read()
    };
    let may_be_deleted = !flags.contains(BarrierFlags::NO_DELETE);
    words(barrier).meet(parking, spins(parking, wanted), may_be_deleted)
}

/// Waits until all threads have left the barrier; its memory is the caller's then. Nobody may come any more.
///
/// # NT
/// `RtlDeleteBarrier`.
pub fn delete<P: Parking>(parking: &P, barrier: Ptr<RtlBarrier>) {
    words(barrier).end(parking);
}
