//! The page that the kernel shares with every process: time, version, processor features.
//!
//! It is one frame, shown read-only in every address space at the address where Windows has it. The kernel writes it by
//! copying, so that nobody needs a reference to what user mode reads at the same time.
//!
//! # NT
//! `KUSER_SHARED_DATA`.

use arch::contract::FrameNumber;
use arch::memory::{FrameSource, user_frame};
use nt_abi::{NtResult, NtStatus};

use crate::frames;

/// Where every process finds it.
pub const ADDRESS: u64 = 0x7FFE_0000;

static FRAME: spin::Once<FrameNumber> = spin::Once::new();

/// Makes the page, full of zeroes. Once.
pub(crate) fn initialize() -> NtResult {
    FRAME
        .try_call_once(|| {
            let mut frame = frames::lock()
                .allocate()
                .ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
            frame.zero();
            Ok(frame.into_user())
        })
        .map(|_| ())
}

/// The frame, once there is one.
pub(crate) fn frame() -> Option<FrameNumber> {
    FRAME.get().copied()
}

/// Writes bytes of the page; those of one aligned word change at once.
///
/// # Errors
/// `INVALID_PARAMETER`: they are not all in the page. `NOT_FOUND`: there is no page yet.
pub fn write(offset: usize, bytes: &[u8]) -> NtResult {
    let frame = frame().ok_or(NtStatus::NOT_FOUND)?;
    user_frame::write(frame, offset, bytes).map_err(|_| NtStatus::INVALID_PARAMETER)
}

/// Reads bytes of the page.
///
/// # Errors
/// As [`write`].
pub fn read(offset: usize, into: &mut [u8]) -> NtResult {
    let frame = frame().ok_or(NtStatus::NOT_FOUND)?;
    user_frame::read(frame, offset, into).map_err(|_| NtStatus::INVALID_PARAMETER)
}
