//! Barriers.

use std::boxed::Box;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::vec::Vec;

use c_interface::Ptr;
use nt_abi::NtStatus;
use nt_abi::native::RtlBarrier;
use nt_abi::synchronization::BarrierFlags;

use super::host::{Host, THREADS, in_threads};
use crate::barrier::*;

#[test]
fn all_come_before_any_goes() {
    for (processors, flags) in [
        (2, BarrierFlags::default()),
        (1, BarrierFlags::default()),
        (2, BarrierFlags::SPIN_ONLY | BarrierFlags::NO_DELETE),
        (2, BarrierFlags::BLOCK_ONLY),
        (1, BarrierFlags::BLOCK_ONLY | BarrierFlags::NO_DELETE),
    ] {
        let host = Host::new(processors);
        let mut memory = RtlBarrier::default();
        let barrier = Ptr::of(&mut memory);
        initialize(barrier, 8, 50).unwrap();
        let arrived = AtomicU64::new(0);
        // Those who only spin take processors from those they wait for.
        let rounds = if flags.contains(BarrierFlags::SPIN_ONLY) {
            100
        } else {
            3000
        };
        let last: u64 = in_threads(THREADS, |_| {
            let mut last = 0;
            for round in 1..=rounds {
                arrived.fetch_add(1, Ordering::Relaxed);
                last += u64::from(meet(&host, barrier, flags));
                let seen = arrived.load(Ordering::Relaxed);
                let all = THREADS as u64;
                assert!(
                    seen >= round * all && seen <= (round + 1) * all,
                    "{seen} in {round}"
                );
            }
            last
        })
        .into_iter()
        .sum();
        assert_eq!(last, rounds, "one is the last, each time");
        delete(&host, barrier);
    }
}

#[test]
fn who_deletes_it_has_the_memory() {
    // The last one deletes the barrier and fills the memory while others leave.
    const BARRIERS: usize = 5000;
    let host = Host::new(2);
    let barriers: Vec<Box<RtlBarrier>> = (0..BARRIERS).map(|_| Box::default()).collect();
    let next = AtomicUsize::new(0);
    for memory in &barriers {
        initialize(Ptr::of_shared(&**memory), 4, 20).unwrap();
    }
    in_threads(4, |_| {
        for (index, memory) in barriers.iter().enumerate() {
            let barrier = Ptr::of_shared(&**memory);
            if meet(&host, barrier, BarrierFlags::default()) {
                delete(&host, barrier);
                barrier.cast::<u8>().fill(0xDD, size_of::<RtlBarrier>());
                assert_eq!(next.fetch_add(1, Ordering::Relaxed), index);
            }
        }
    });
    for memory in &barriers {
        let left = Ptr::of_shared(&**memory)
            .cast::<u8>()
            .slice(size_of::<RtlBarrier>());
        assert!(
            left.iter().all(|&byte| byte == 0xDD),
            "somebody has touched it since"
        );
    }
}

#[test]
fn what_is_no_barrier_is_refused() {
    let mut memory = RtlBarrier::default();
    let barrier = Ptr::of(&mut memory);
    for total in [0, 0x8000_0000, u32::MAX] {
        assert_eq!(
            initialize(barrier, total, 0),
            Err(NtStatus::INVALID_PARAMETER)
        );
    }
    initialize(barrier, 1, u32::MAX).unwrap();
    let host = Host::new(2);
    for _ in 0..3 {
        assert!(
            meet(&host, barrier, BarrierFlags::default()),
            "alone, each is the last"
        );
    }
    assert_eq!(host.calls(), 0);
}
