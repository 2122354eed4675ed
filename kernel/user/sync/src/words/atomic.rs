//! The language's own atomics. The models have `loom`'s in this place.

pub(crate) use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Where something is: a name for it, not a way to it.
#[inline]
pub(crate) fn address_of<T>(value: &T) -> usize {
    core::ptr::from_ref(value).addr()
}
