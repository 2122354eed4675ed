//! What several threads of ntdll use, behind a slim lock.

use core::marker::PhantomData;

use c_interface::Ptr;
use lock_api::{GuardSend, Mutex, RawMutex};
use nt_abi::native::RtlSrwLock;
use sync::{Parking, srw_lock};

/// A value behind a slim lock; waiters wait as `P` says.
pub type Locked<P, T> = Mutex<SlimLock<P>, T>;

/// A slim lock as a lock of Rust's.
#[derive(Debug)]
pub struct SlimLock<P> {
    word: core::sync::atomic::AtomicUsize,
    parking: PhantomData<fn() -> P>,
}

impl<P> SlimLock<P> {
    fn lock(&self) -> Ptr<RtlSrwLock> {
        Ptr::of_shared(&self.word).cast()
    }
}

// SAFETY: a slim lock that is taken alone is nobody else's until it is released.
unsafe impl<P: Parking + Default> RawMutex for SlimLock<P> {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "the trait's way to make a lock"
    )]
    const INIT: Self = Self {
        word: core::sync::atomic::AtomicUsize::new(0),
        parking: PhantomData,
    };

    type GuardMarker = GuardSend;

    fn lock(&self) {
        srw_lock::acquire_exclusive(&P::default(), Self::lock(self));
    }

    fn try_lock(&self) -> bool {
        srw_lock::try_acquire_exclusive(Self::lock(self))
    }

    unsafe fn unlock(&self) {
        // It is the caller's, so this succeeds.
        let _ = srw_lock::release_exclusive(&P::default(), Self::lock(self));
    }
}
