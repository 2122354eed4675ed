//! Images that are in a process where their pages are not made for.
//!
//! The pages of an image are made for one base (`section::image`). A process that has them elsewhere relocates its own
//! copies. For a library its loader in user mode does that; for a program that runs without a loader the kernel does.

use arch::contract::{PAGE_BYTES, PAGE_SIZE};
use ex::pool::{PoolTag, PoolVec};
use nt_abi::memory::PageProtection;
use nt_abi::{NtResult, NtStatus};

use super::AddressSpace;
use crate::section::AreaRef;
use crate::vad::Kind;

const TAG: PoolTag = PoolTag(*b"MmRl");

impl AddressSpace {
    /// Relocates the view of an image that begins at `base`, in copies that are the process's own; the header in memory
    /// says afterwards where the image is, so a loader finds nothing to do. Nobody may have written to the view yet.
    ///
    /// # Errors
    /// - `NOT_MAPPED_VIEW`: no view of a whole image begins there.
    /// - `CONFLICTING_ADDRESSES`: it cannot be relocated.
    /// - `COMMITMENT_LIMIT`, `NO_MEMORY`, `INSUFFICIENT_RESOURCES`, `INVALID_IMAGE_FORMAT`, what the file says: some pages
    ///   may be relocated already.
    /// - `PROCESS_IS_TERMINATING`.
    #[doc(alias = "LdrRelocateImage")]
    pub fn relocate_image(&self, base: u64) -> NtResult {
        let (area, pages) = self.whole_image(base)?;
        let mut before = page_buffer()?;
        let mut after = page_buffer()?;
        for page in 0..pages {
            let changed = {
                let content = area.lock();
                let image = content.image().ok_or(NtStatus::NOT_MAPPED_VIEW)?;
                let (before, after) = (as_page(&mut before)?, as_page(&mut after)?);
                image.page_at(page, image.base(), before)?;
                image.page_at(page, base, after)?;
                before != after
            };
            if changed {
                self.replace_page(base + u64::from(page) * PAGE_SIZE, &after)?;
            }
        }
        Ok(())
    }

    fn whole_image(&self, base: u64) -> NtResult<(AreaRef, u32)> {
        let mut space = self.lock();
        space.tables()?;
        let index = space.find_vad(base).ok_or(NtStatus::NOT_MAPPED_VIEW)?;
        let length = space.range(index).length();
        let Some(Kind::View(view)) = space.vads.get(index).map(|vad| &vad.kind) else {
            return Err(NtStatus::NOT_MAPPED_VIEW);
        };
        if !view.image || view.start != base || view.first != 0 {
            return Err(NtStatus::NOT_MAPPED_VIEW);
        }
        let relocatable = (view.area.lock().image()).is_some_and(|image| image.is_relocatable());
        if !relocatable {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        }
        let pages = u32::try_from(length / PAGE_SIZE).map_err(|_| NtStatus::NOT_MAPPED_VIEW)?;
        Ok((view.area.clone(), pages))
    }

    /// Writes a page, whatever its protection is.
    fn replace_page(&self, address: u64, bytes: &[u8]) -> NtResult {
        let (_, before) = self.protect(address, PAGE_SIZE, PageProtection::READWRITE)?;
        let copied = self.write(address, bytes);
        self.protect(address, PAGE_SIZE, before)?;
        match copied.status {
            NtStatus::SUCCESS => Ok(()),
            _ => Err(NtStatus::NO_MEMORY),
        }
    }
}

fn page_buffer() -> NtResult<PoolVec<u8>> {
    let mut bytes = PoolVec::new(TAG);
    bytes.resize(PAGE_BYTES, 0)?;
    Ok(bytes)
}

fn as_page(bytes: &mut PoolVec<u8>) -> NtResult<&mut [u8; PAGE_BYTES]> {
    let bytes: &mut [u8] = bytes;
    bytes
        .try_into()
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
}
