//! The one place that asks for memory, so that a test can be refused at any of its requests.

use alloc::vec::Vec;

use nt_abi::{NtResult, NtStatus};

/// Makes room for `additional` more elements.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`; the list is then as it was.
pub fn reserve<T>(list: &mut Vec<T>, additional: usize) -> NtResult {
    #[cfg(any(test, feature = "testing"))]
    if refusal::due() {
        return Err(NtStatus::INSUFFICIENT_RESOURCES);
    }
    list.try_reserve_exact(additional)
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
}

/// A list with a copy of each element.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`.
pub fn copy<T: Copy>(elements: &[T]) -> NtResult<Vec<T>> {
    let mut list = Vec::new();
    reserve(&mut list, elements.len())?;
    list.extend_from_slice(elements);
    Ok(list)
}

/// Refuses memory on purpose.
#[cfg(any(test, feature = "testing"))]
pub mod refusal {
    extern crate std;

    use core::cell::Cell;

    std::thread_local! {
        static COUNTDOWN: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Runs `body` so that the request after `granted` ones is refused, on this thread; gives what `body` gave and whether
    /// it came to that.
    pub fn after<T>(granted: usize, body: impl FnOnce() -> T) -> (T, bool) {
        COUNTDOWN.set(Some(granted));
        let outcome = body();
        let refused = COUNTDOWN.replace(None).is_none();
        (outcome, refused)
    }

    pub(super) fn due() -> bool {
        COUNTDOWN.with(|countdown| match countdown.get() {
            Some(0) => {
                countdown.set(None);
                true
            }
            Some(left) => {
                countdown.set(Some(left - 1));
                false
            }
            None => false,
        })
    }
}
