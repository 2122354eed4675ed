//! The bytes of pages that user mode may see and change.
//!
//! A user frame may be shown in several address spaces while the kernel fills or
//! reads it, so there are no references to its bytes: they are copied, word by word,
//! with relaxed atomic accesses, which are plain loads and stores. While a copy is
//! under way it counts as a use, so the frame cannot be taken back under it.

use core::sync::atomic::{AtomicU64, Ordering};

use super::frame::{share, shares, unshare};
use crate::Machine;
use crate::contract::{FrameNumber, PAGE_BYTES, Translation, UserTranslation};

const WORDS: usize = PAGE_BYTES / 8;

/// The frame is none that user mode has, or the bytes are not within a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAUserFrame;

/// A use of a frame, counted until it is dropped.
struct Use(FrameNumber);

impl Use {
    fn of(frame: FrameNumber) -> Result<Self, NotAUserFrame> {
        // Not `then_some`, whose value is made, and dropped, also where nothing was counted.
        if share(frame) {
            Ok(Self(frame))
        } else {
            Err(NotAUserFrame)
        }
    }

    fn words(&self) -> &[AtomicU64; WORDS] {
        let pointer = Machine::physical_pointer(self.0.start()).cast::<[AtomicU64; WORDS]>();
        // SAFETY: a user frame is RAM in the physical map, and this use keeps it one; nobody has a reference to its bytes
        // but as these atomic words.
        unsafe { &*pointer }
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        unshare(self.0);
    }
}

/// How many page-table entries show the frame (and copies are under way); `None` if it is no user frame.
pub fn uses(frame: FrameNumber) -> Option<u32> {
    shares(frame)
}

/// Makes what was written into the frame visible to instruction fetch, on every processor.
///
/// # Errors
/// [`NotAUserFrame`].
pub fn publish_code(frame: FrameNumber) -> Result<(), NotAUserFrame> {
    let frame = Use::of(frame)?;
    Machine::publish_code(frame.0.start());
    Ok(())
}

/// Fills the frame with zeroes.
///
/// # Errors
/// [`NotAUserFrame`].
pub fn zero(frame: FrameNumber) -> Result<(), NotAUserFrame> {
    let frame = Use::of(frame)?;
    for word in frame.words() {
        word.store(0, Ordering::Relaxed);
    }
    Ok(())
}

/// Copies a whole frame.
///
/// # Errors
/// [`NotAUserFrame`].
pub fn copy(from: FrameNumber, to: FrameNumber) -> Result<(), NotAUserFrame> {
    let (from, to) = (Use::of(from)?, Use::of(to)?);
    for (source, target) in from.words().iter().zip(to.words()) {
        target.store(source.load(Ordering::Relaxed), Ordering::Relaxed);
    }
    Ok(())
}

/// Reads bytes of a frame from `offset` on.
///
/// # Errors
/// [`NotAUserFrame`], also if the bytes are not all in the page.
pub fn read(frame: FrameNumber, offset: usize, into: &mut [u8]) -> Result<(), NotAUserFrame> {
    let end = offset.checked_add(into.len()).ok_or(NotAUserFrame)?;
    if end > PAGE_BYTES {
        return Err(NotAUserFrame);
    }
    let frame = Use::of(frame)?;
    let words = frame.words();
    if offset.is_multiple_of(8) && into.as_ptr().addr().is_multiple_of(8) {
        // What is aligned on both sides, as most is, needs no shifting.
        let (wholes, rest) = into.as_chunks_mut::<8>();
        let words = &words[offset / 8..];
        for (whole, word) in wholes.iter_mut().zip(words) {
            let pointer = whole.as_mut_ptr().cast::<u64>();
            // SAFETY: the eight bytes are borrowed alone, and aligned: the first is, and the others follow.
            unsafe { pointer.write(word.load(Ordering::Relaxed)) };
        }
        if let Some(last) = words.get(wholes.len()) {
            let last = last.load(Ordering::Relaxed).to_le_bytes();
            rest.copy_from_slice(&last[..rest.len()]);
        }
        return Ok(());
    }
    let mut at = offset;
    let mut rest = into;
    while !rest.is_empty() {
        let bytes = words[at / 8].load(Ordering::Relaxed).to_le_bytes();
        let part = &bytes[at % 8..];
        let length = part.len().min(rest.len());
        let (now, later) = rest.split_at_mut(length);
        now.copy_from_slice(&part[..length]);
        at += length;
        rest = later;
    }
    Ok(())
}

/// Writes bytes of a frame from `offset` on, and no other.
///
/// # Errors
/// [`NotAUserFrame`], also if the bytes are not all in the page.
pub fn write(frame: FrameNumber, offset: usize, from: &[u8]) -> Result<(), NotAUserFrame> {
    let end = offset.checked_add(from.len()).ok_or(NotAUserFrame)?;
    if end > PAGE_BYTES {
        return Err(NotAUserFrame);
    }
    let frame = Use::of(frame)?;
    let words = frame.words();
    let mut at = offset;
    let mut rest = from;
    if offset.is_multiple_of(8) && from.as_ptr().addr().is_multiple_of(8) {
        // What is aligned on both sides, as most is, needs no shifting.
        let (wholes, last) = from.as_chunks::<8>();
        for (whole, word) in wholes.iter().zip(&words[offset / 8..]) {
            let pointer = whole.as_ptr().cast::<u64>();
            // SAFETY: the eight bytes are borrowed, and aligned: the first is, and the others follow.
            word.store(unsafe { pointer.read() }, Ordering::Relaxed);
        }
        at += from.len() - last.len();
        rest = last;
    }
    while !rest.is_empty() {
        let word = &words[at / 8];
        let length = (8 - at % 8).min(rest.len());
        let (now, later) = rest.split_at(length);
        if let Ok(whole) = <[u8; 8]>::try_from(now) {
            word.store(u64::from_le_bytes(whole), Ordering::Relaxed);
        } else {
            // User mode may write the word's other bytes at this moment: they must not get their old values back.
            let _ = word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| {
                let mut bytes = old.to_le_bytes();
                bytes[at % 8..at % 8 + length].copy_from_slice(now);
                Some(u64::from_le_bytes(bytes))
            });
        }
        at += length;
        rest = later;
    }
    Ok(())
}
