//! `core::sync`, for who finds this crate under the name `core`.

/// `loom`'s atomics in the form of the language's own.
pub mod atomic {
    use ::std::sync::OnceLock;
    pub use ::std::sync::atomic::Ordering;

    /// A word that can be made in a constant: `loom`'s cannot, so it is made when it is first used.
    ///
    /// A test uses each word once before it starts threads.
    pub struct AtomicU64 {
        initial: u64,
        word: OnceLock<loom::sync::atomic::AtomicU64>,
    }

    impl AtomicU64 {
        /// A word with a value.
        pub const fn new(initial: u64) -> Self {
            Self {
                initial,
                word: OnceLock::new(),
            }
        }

        fn word(&self) -> &loom::sync::atomic::AtomicU64 {
            self.word
                .get_or_init(|| loom::sync::atomic::AtomicU64::new(self.initial))
        }

        /// As the language's.
        pub fn load(&self, order: Ordering) -> u64 {
            self.word().load(order)
        }

        /// As the language's.
        pub fn store(&self, value: u64, order: Ordering) {
            self.word().store(value, order);
        }

        /// As the language's.
        pub fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
            self.word().fetch_add(value, order)
        }

        /// As the language's.
        pub fn fetch_sub(&self, value: u64, order: Ordering) -> u64 {
            self.word().fetch_sub(value, order)
        }

        /// As the language's.
        pub fn fetch_or(&self, value: u64, order: Ordering) -> u64 {
            self.word().fetch_or(value, order)
        }

        /// As the language's.
        ///
        /// # Errors
        /// What is there instead.
        pub fn compare_exchange(
            &self,
            from: u64,
            to: u64,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u64, u64> {
            self.word().compare_exchange(from, to, success, failure)
        }

        /// As the language's, but that it never fails for nothing.
        ///
        /// # Errors
        /// What is there instead.
        pub fn compare_exchange_weak(
            &self,
            from: u64,
            to: u64,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u64, u64> {
            self.compare_exchange(from, to, success, failure)
        }
    }
}
