//! Values that the dispatcher's lock guards.
//!
//! A field is an atomic word that is read and written relaxed: to the processor a
//! plain load or store. What orders it is the lock; that the lock is held is shown
//! by lending its guard. So the state of threads and objects can be shared by
//! reference among all processors without a lock of its own for each value.

use core::marker::PhantomData;
use core::sync::atomic::{AtomicU64, Ordering};

use super::Database;

/// What fits a word.
pub(crate) trait Word: Copy {
    fn pack(self) -> u64;
    fn unpack(word: u64) -> Self;
}

macro_rules! words {
    ($($type:ty),*) => {
        $(impl Word for $type {
            #[inline]
            #[allow(clippy::cast_lossless, reason = "one form for all widths")]
            fn pack(self) -> u64 {
                self as u64
            }

            #[inline]
            #[allow(clippy::cast_possible_truncation, reason = "only packed values of this width come back")]
            fn unpack(word: u64) -> Self {
                word as Self
            }
        })*
    };
}

words!(u8, u16, u32, u64, usize);

impl Word for i32 {
    #[inline]
    #[allow(clippy::cast_sign_loss, reason = "the bits come back as they were")]
    fn pack(self) -> u64 {
        u64::from(self as u32)
    }

    #[inline]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "only packed values come back"
    )]
    fn unpack(word: u64) -> Self {
        word as u32 as Self
    }
}

impl Word for bool {
    #[inline]
    fn pack(self) -> u64 {
        u64::from(self)
    }

    #[inline]
    fn unpack(word: u64) -> Self {
        word != 0
    }
}

/// A value that is touched only by who holds the dispatcher database.
pub(crate) struct Field<T: Word> {
    word: AtomicU64,
    _holds: PhantomData<T>,
}

impl<T: Word> Field<T> {
    /// A field whose word is zero.
    pub(crate) const fn zero() -> Self {
        Self::of_word(0)
    }

    /// A field with that word.
    pub(crate) const fn of_word(word: u64) -> Self {
        Self {
            word: AtomicU64::new(word),
            _holds: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn get(&self, _database: &Database) -> T {
        self.glance()
    }

    #[inline]
    pub(crate) fn set(&self, _database: &Database, value: T) {
        self.word.store(value.pack(), Ordering::Relaxed);
    }

    /// Changes a value that only one thread or processor ever changes: for that one.
    #[inline]
    pub(crate) fn set_by_owner(&self, value: T) {
        self.word.store(value.pack(), Ordering::Relaxed);
    }

    /// The value as it is at this moment, for statistics, or for the one thread that changes it.
    #[inline]
    pub(crate) fn glance(&self) -> T {
        T::unpack(self.word.load(Ordering::Relaxed))
    }
}
