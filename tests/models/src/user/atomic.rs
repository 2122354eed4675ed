//! `loom`'s atomics in the form of the language's own.

use ::std::sync::OnceLock;
pub(crate) use ::std::sync::atomic::Ordering;

/// Where something is.
pub(crate) fn address_of<T>(value: &T) -> usize {
    ::std::ptr::from_ref(value).addr()
}

macro_rules! atomics {
    ($($name:ident $number:ty;)*) => {$(
        /// A word that can be made in a constant: `loom`'s cannot, so it is made when it is first used.
        ///
        /// A test uses each word once before it starts threads.
        pub(crate) struct $name {
            initial: $number,
            word: OnceLock<loom::sync::atomic::$name>,
        }

        #[allow(dead_code, reason = "each has all, as the language's")]
        impl $name {
            pub(crate) const fn new(initial: $number) -> Self {
                Self {
                    initial,
                    word: OnceLock::new(),
                }
            }

            fn word(&self) -> &loom::sync::atomic::$name {
                self.word.get_or_init(|| loom::sync::atomic::$name::new(self.initial))
            }

            pub(crate) fn load(&self, order: Ordering) -> $number {
                self.word().load(order)
            }

            pub(crate) fn store(&self, value: $number, order: Ordering) {
                self.word().store(value, order);
            }

            pub(crate) fn swap(&self, value: $number, order: Ordering) -> $number {
                self.word().swap(value, order)
            }

            pub(crate) fn fetch_add(&self, value: $number, order: Ordering) -> $number {
                self.word().fetch_add(value, order)
            }

            pub(crate) fn fetch_sub(&self, value: $number, order: Ordering) -> $number {
                self.word().fetch_sub(value, order)
            }

            pub(crate) fn fetch_or(&self, value: $number, order: Ordering) -> $number {
                self.word().fetch_or(value, order)
            }

            pub(crate) fn fetch_and(&self, value: $number, order: Ordering) -> $number {
                self.word().fetch_and(value, order)
            }

            pub(crate) fn compare_exchange(
                &self,
                from: $number,
                to: $number,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$number, $number> {
                self.word().compare_exchange(from, to, success, failure)
            }

            /// It never fails for nothing.
            pub(crate) fn compare_exchange_weak(
                &self,
                from: $number,
                to: $number,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$number, $number> {
                self.compare_exchange(from, to, success, failure)
            }
        }
    )*};
}

atomics! {
    AtomicU32 u32;
    AtomicU64 u64;
    AtomicUsize usize;
}
