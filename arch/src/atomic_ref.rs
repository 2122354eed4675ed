//! A place for a reference to something that lives for good.
//!
//! The kernel's lists go through threads, timers and wait blocks that are never
//! freed, only used again. Their links are these: an `Option<&'static T>` that can
//! be read and written by several processors. Which processor may do so when is
//! the business of the lock that guards the list; what is here only says that a
//! reference which is read was one that was written.

use core::marker::PhantomData;
use core::sync::atomic::{AtomicPtr, Ordering};

/// An `Option<&'static T>` that is read and written atomically.
///
/// Loads acquire and stores release, so what was written to the value before the reference to it is visible to who follows it.
pub struct AtomicRef<T: 'static> {
    pointer: AtomicPtr<T>,
    _refers_to: PhantomData<&'static T>,
}

impl<T: Sync> AtomicRef<T> {
    /// No reference.
    pub const fn none() -> Self {
        Self {
            pointer: AtomicPtr::new(core::ptr::null_mut()),
            _refers_to: PhantomData,
        }
    }

    /// A reference.
    pub const fn to(value: &'static T) -> Self {
        Self {
            pointer: AtomicPtr::new(core::ptr::from_ref(value).cast_mut()),
            _refers_to: PhantomData,
        }
    }

    /// What it refers to.
    #[inline]
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: null, or from a `&'static T`, by the functions here.
        unsafe { self.pointer.load(Ordering::Acquire).as_ref() }
    }

    /// Makes it refer to another value, or to none.
    #[inline]
    pub fn set(&self, value: Option<&'static T>) {
        self.pointer.store(address_of(value), Ordering::Release);
    }

    /// Makes it refer to another value, and gives the old one.
    #[inline]
    pub fn replace(&self, value: Option<&'static T>) -> Option<&'static T> {
        // SAFETY: as in `get`.
        unsafe {
            self.pointer
                .swap(address_of(value), Ordering::AcqRel)
                .as_ref()
        }
    }
}

fn address_of<T>(value: Option<&'static T>) -> *mut T {
    value.map_or(core::ptr::null_mut(), |value| {
        core::ptr::from_ref(value).cast_mut()
    })
}

impl<T: Sync> Default for AtomicRef<T> {
    fn default() -> Self {
        Self::none()
    }
}
