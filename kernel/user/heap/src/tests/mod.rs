//! Tests of the heap against models that were written apart from it.

#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of the process's own width, on both"
)]

pub(crate) mod arena;
mod calls;
mod fuzz;
mod hostile;
mod model;
mod threads;
mod torture;

use std::cell::Cell;
use std::sync::atomic::Ordering;

use c_interface::Ptr;
use nt_abi::NtResult;

use crate::Lock;

/// A lock that waits by giving its turn away, and knows its owner.
pub(crate) struct TestLock;

std::thread_local! {
    static ME: Cell<u8> = const { Cell::new(0) };
}

/// A number of this thread that no other one has while it lives.
fn me() -> usize {
    ME.with(|me| core::ptr::from_ref(me).addr())
}

impl TestLock {
    fn parts(place: Ptr<u8>) -> (Ptr<usize>, Ptr<usize>) {
        let owner = place.cast::<usize>();
        (owner, owner.add(1))
    }
}

impl Lock for TestLock {
    const BYTES: usize = 2 * size_of::<usize>();

    fn initialize(place: Ptr<u8>) -> NtResult {
        let (owner, depth) = Self::parts(place);
        assert_eq!((owner.read(), depth.read()), (0, 0), "it begins as zero");
        Ok(())
    }

    fn acquire(place: Ptr<u8>) {
        let (owner, depth) = Self::parts(place);
        if owner.atomic().load(Ordering::Relaxed) != me() {
            let begin = std::time::Instant::now();
            while owner
                .atomic()
                .compare_exchange_weak(0, me(), Ordering::Acquire, Ordering::Relaxed)
                .is_err()
            {
                // A thread whose test failed never releases it.
                assert!(begin.elapsed().as_secs() < 40, "it is never released");
                std::thread::yield_now();
            }
        }
        depth.write(depth.read() + 1);
    }

    fn acquire_at_once(place: Ptr<u8>) -> bool {
        let (owner, depth) = Self::parts(place);
        let taken = owner
            .atomic()
            .compare_exchange(0, me(), Ordering::Acquire, Ordering::Relaxed)
            .is_ok();
        if taken {
            depth.write(1);
        }
        taken
    }

    fn release_with<R>(place: Ptr<u8>, answer: R) -> R {
        Self::release(place);
        answer
    }

    fn release(place: Ptr<u8>) {
        let (owner, depth) = Self::parts(place);
        assert_eq!(owner.atomic().load(Ordering::Relaxed), me(), "whose lock?");
        let less = depth.read() - 1;
        depth.write(less);
        if less == 0 {
            owner.atomic().store(0, Ordering::Release);
        }
    }

    fn destroy(place: Ptr<u8>) {
        let (owner, _) = Self::parts(place);
        assert_eq!(owner.read(), 0, "a lock that is held is destroyed");
    }
}

/// A number of 64 bits, brought below an end.
#[allow(clippy::cast_possible_truncation, reason = "it is below a usize")]
pub(crate) fn scale(number: u64, end: usize) -> usize {
    ((u128::from(number) * end as u128) >> 64) as usize
}

/// Numbers that look random (SplitMix64).
#[derive(Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        scale(self.next(), end)
    }
}
