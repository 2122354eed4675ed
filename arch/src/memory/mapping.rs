//! Kernel mappings that come and go: each owns its frames.
//!
//! Which addresses are used for what is `mm`'s decision. The floor insists on
//! two things only: the range lies in a region for such mappings, and nothing is
//! mapped there. So no mapping can be laid over another, or over the image.

use super::boot_tables::{KERNEL_ROOT, any_mapped, entries_at};
use super::frame::{Frame, FrameSource};
use super::layout;
use super::table::{self, ENTRIES, TableAccess, TableError, Target};
use crate::Machine;
use crate::contract::{
    MemoryType, PAGE_SIZE, PhysAddr, Protection, Translation, VirtAddr, VirtRange,
};
use core::sync::atomic::AtomicU64;

/// Why a range was not mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapError {
    /// The range is empty, not of whole pages, or outside the regions for such mappings.
    BadRange,
    /// Something is mapped there.
    Occupied,
    /// No frame was left, for the range or for its tables.
    NoMemory,
}

/// Pages of kernel memory, mapped, with the frames that they show.
///
/// To drop one is to leave it mapped for good; [`destroy`](Self::destroy) takes it apart.
#[derive(Debug)]
#[must_use = "a mapping that is dropped stays mapped for good"]
pub struct KernelMapping {
    range: VirtRange,
}

/// The top of a stack that nobody else uses, now or later.
///
/// It is made from a [`KernelMapping`] alone and cannot be copied, so no two processors can be started on one stack.
#[derive(Debug)]
#[must_use = "a stack that is dropped stays mapped for good"]
pub struct StackTop(VirtAddr);

impl StackTop {
    /// Where the stack pointer starts: 16-byte aligned, one past the stack's last byte.
    pub fn address(&self) -> VirtAddr {
        self.0
    }
}

/// The walker's access when tables come from a frame source.
struct SourceAccess<'a> {
    frames: &'a mut dyn FrameSource,
}

impl TableAccess for SourceAccess<'_> {
    fn entries(&self, table: PhysAddr) -> &[AtomicU64; ENTRIES] {
        entries_at(table)
    }

    fn allocate(&mut self) -> Option<PhysAddr> {
        let mut frame = self.frames.allocate()?;
        frame.zero();
        Some(frame.into_address())
    }
}

impl KernelMapping {
    /// Maps frames from `frames` at `range`, with what their last owners left in them.
    ///
    /// # Errors
    /// See [`MapError`]; nothing is then mapped and no frame is gone, except for page tables, which stay for the next mapping.
    pub fn create(
        range: VirtRange,
        protection: Protection,
        frames: &mut dyn FrameSource,
    ) -> Result<Self, MapError> {
        if !layout::is_dynamic(range) || range.length() == 0 {
            return Err(MapError::BadRange);
        }
        let guard = KERNEL_ROOT.acquire();
        let root = guard.ok_or(MapError::NoMemory)?;
        if any_mapped(root, range) {
            return Err(MapError::Occupied);
        }
        let mut page = range.start;
        let result = loop {
            if page == range.end {
                break Ok(());
            }
            if let Err(error) = map_one(root, page, protection, frames) {
                break Err(error);
            }
            page.0 += PAGE_SIZE;
        };
        Machine::publish_entries();
        drop(guard);
        let mapped = Self {
            range: VirtRange {
                start: range.start,
                end: page,
            },
        };
        match result {
            Ok(()) => Ok(mapped),
            Err(error) => {
                mapped.destroy(frames);
                Err(error)
            }
        }
    }

    /// Gives the mapping up for good as a stack, e.g. a processor's own.
    pub fn into_stack(self) -> StackTop {
        StackTop(self.range.end)
    }

    /// The addresses.
    pub fn range(&self) -> VirtRange {
        self.range
    }

    /// Unmaps it on every processor and gives its frames back.
    ///
    /// # IRQL
    /// At most Dispatch, with interrupts enabled: other processors are told and waited for.
    pub fn destroy(self, frames: &mut dyn FrameSource) {
        /// Pages unmapped between two invalidations, so that no list needs memory.
        const BATCH: usize = 32;
        let mut start = self.range.start;
        while start.0 < self.range.end.0 {
            let mut taken = [None; BATCH];
            let mut end = start;
            {
                let guard = KERNEL_ROOT.acquire();
                let Some(root) = *guard else { return };
                let access = SourceAccess { frames };
                for slot in &mut taken {
                    if end.0 >= self.range.end.0 {
                        break;
                    }
                    *slot = table::unmap_page(&access, root, end);
                    end.0 += PAGE_SIZE;
                }
            }
            Machine::invalidate(VirtRange { start, end });
            for address in taken.into_iter().flatten() {
                // SAFETY: the page's only mapping was this one, which owned it; it is unmapped, and after `invalidate` no
                // processor can reach it by an old translation.
                frames.free(unsafe { Frame::from_address(address) });
            }
            start = end;
        }
    }
}

fn map_one(
    root: PhysAddr,
    page: VirtAddr,
    protection: Protection,
    frames: &mut dyn FrameSource,
) -> Result<(), MapError> {
    let frame = frames.allocate().ok_or(MapError::NoMemory)?;
    let target = Target {
        physical: frame.number().start(),
        protection,
        memory_type: MemoryType::Normal,
    };
    match table::map(&mut SourceAccess { frames }, root, page, PAGE_SIZE, target) {
        Ok(()) => {
            frame.into_address();
            Ok(())
        }
        Err(error) => {
            frames.free(frame);
            Err(match error {
                TableError::Occupied(_) => MapError::Occupied,
                TableError::NoTable => MapError::NoMemory,
            })
        }
    }
}
