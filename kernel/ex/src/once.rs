//! What is made once, when it is first wanted.

use nt_abi::NtResult;

use crate::mutex::FastMutex;

/// A value that the first who wants it makes; others wait meanwhile. Who fails leaves it to the next.
///
/// # NT
/// `RTL_RUN_ONCE`.
pub struct InitOnce<T> {
    makes: FastMutex<()>,
    value: spin::Once<T>,
}

impl<T> InitOnce<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self {
            makes: FastMutex::new(()),
            value: spin::Once::new(),
        }
    }

    /// The value, if it was made. One load.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value, made by `make` if it was not yet.
    ///
    /// # IRQL
    /// At most Apc; `make` runs at Apc.
    ///
    /// # Errors
    /// What `make` gives.
    #[doc(alias = "RtlRunOnceExecuteOnce")]
    pub fn get_or_make(&self, make: impl FnOnce() -> NtResult<T>) -> NtResult<&T> {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let _one_at_a_time = self.makes.acquire();
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let value = make()?;
        Ok(self.value.call_once(|| value))
    }
}

impl<T> Default for InitOnce<T> {
    fn default() -> Self {
        Self::new()
    }
}
