//! Control areas: places for the pages of sections, with who refers to them.
//!
//! Areas of a file live as long as a section or a view refers to them; then their changes are written and their frames
//! go back.

use core::sync::atomic::{AtomicU32, Ordering};

use nt_abi::{NtResult, NtStatus};

use super::content::{Backing, Content};
use super::prototypes::Prototypes;
use crate::commit;
use crate::lock::{Mutex, MutexGuard};
use crate::slots::{Chunks, Slot, Slots, no_chunks};

/// The pages of sections.
///
/// # NT
/// `CONTROL_AREA`, `SEGMENT`.
pub(crate) struct ControlArea {
    number: u32,
    next_free: AtomicU32,
    /// Sections and views that refer to it.
    references: AtomicU32,
    content: Mutex<Content>,
}

impl Slot for ControlArea {
    fn make(number: u32) -> Self {
        Self {
            number,
            next_free: AtomicU32::new(0),
            references: AtomicU32::new(0),
            content: Mutex::new(Content::none(number)),
        }
    }

    fn number(&self) -> u32 {
        self.number
    }

    fn next_free(&self) -> &AtomicU32 {
        &self.next_free
    }
}

static AREAS: Slots<ControlArea, 32, 1024> = Slots::new(&AREAS_CHUNKS);
static AREAS_CHUNKS: Chunks<ControlArea, 1024> = no_chunks();

/// A reference to an area.
pub(crate) struct AreaRef(&'static ControlArea);

impl Clone for AreaRef {
    fn clone(&self) -> Self {
        self.0.references.fetch_add(1, Ordering::Relaxed);
        Self(self.0)
    }
}

impl Drop for AreaRef {
    fn drop(&mut self) {
        let one_of_several =
            self.0
                .references
                .fetch_update(Ordering::Release, Ordering::Relaxed, |references| {
                    (references > 1).then(|| references - 1)
                });
        if one_of_several.is_ok() {
            return;
        }
        // Who looks for the area of a file waits for the lock, and finds the area whole, or gone with its changes written.
        let mut content = self.0.lock();
        if self.0.references.fetch_sub(1, Ordering::AcqRel) == 1 {
            content.end();
            drop(content);
            AREAS.give_back(self.0);
        }
    }
}

impl PartialEq for AreaRef {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.0, other.0)
    }
}

impl AreaRef {
    /// Makes an area of `pages` pages, charged for if its content is its own.
    pub(super) fn create(backing: Backing, pages: u64, charge: u64) -> NtResult<Self> {
        if u32::try_from(pages).is_err() {
            return Err(NtStatus::SECTION_TOO_BIG);
        }
        // What cannot be promised is refused before there is memory to describe it.
        commit::charge(charge)?;
        let mut prototypes = Prototypes::new();
        let area = prototypes.grow(pages).and_then(|()| AREAS.take());
        let area = area.inspect_err(|_| commit::give_back(charge))?;
        area.lock().begin(backing, pages, prototypes, charge);
        area.references.store(1, Ordering::Release);
        Ok(Self(area))
    }

    /// The area of that file, as an image or as it is, if there is one.
    pub(super) fn find(identity: u64, image: bool) -> Option<Self> {
        AREAS.iter().find_map(|area| {
            let content = area.lock();
            if !content.is_of(identity, image) {
                return None;
            }
            let taken =
                area.references
                    .fetch_update(Ordering::Acquire, Ordering::Relaxed, |references| {
                        (references != 0).then(|| references + 1)
                    });
            taken.is_ok().then(|| Self(area))
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock()
    }
}

impl ControlArea {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.acquire()
    }
}

/// The area with that number, for who found it at a frame; it may be another one by now.
pub(crate) fn by_number(number: u32) -> Option<&'static ControlArea> {
    AREAS.get(number)
}

/// Areas that are in use, for tests of what is left behind.
pub fn in_use() -> usize {
    AREAS.used()
}
