//! Views of sections: to map and to unmap them.

use arch::contract::{PAGE_SIZE, VirtAddr, VirtRange};
use arch::memory::UserEntry;
use nt_abi::memory::{AllocationType, PageProtection, SectionInherit};
use nt_abi::{NtResult, NtStatus};
use rtl::interval_tree::Index;

use super::{
    ALLOCATION_GRANULARITY, AddressSpace, HIGHEST_USER_ADDRESS, LOWEST_USER_ADDRESS, Limits, Space,
    page_of, page_range,
};
use crate::frames;
use crate::protection::Protection;
use crate::section::{BackingFile, Section};
use crate::vad::{Kind, Vad, View};

/// What a view is asked to be.
#[derive(Clone, Copy, Debug)]
pub struct ViewRequest {
    /// Where; 0: anywhere, and an image at its base if it can be there.
    pub base: u64,
    /// As for an [`Allocation`](super::Allocation).
    pub zero_bits: u64,
    /// Where in the section it begins, in bytes.
    pub offset: u64,
    /// Bytes; 0: to the section's end.
    pub size: u64,
    /// Bytes that are committed at once, of a section whose pages are committed one by one.
    pub commit_size: u64,
    /// Whether children have it too: looked at, and of no consequence, as no process is made as another's copy.
    pub inherit: SectionInherit,
    /// `MEM_*`.
    pub kind: AllocationType,
    /// `PAGE_*`; for an image it says nothing.
    pub protection: PageProtection,
    /// Where it may lie.
    pub limits: Limits,
}

/// A view that was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MappedView {
    /// Where it is.
    pub range: VirtRange,
    /// Where in the section it begins, in bytes.
    pub offset: u64,
    /// `SUCCESS`, or for an image `IMAGE_NOT_AT_BASE`: its loader has to relocate it.
    pub status: NtStatus,
}

/// The kinds that the service knows.
const KNOWN: AllocationType = AllocationType::TOP_DOWN
    .union(AllocationType::RESERVE)
    .union(AllocationType::LARGE_PAGES)
    .union(AllocationType::DIFFERENT_IMAGE_BASE_OK)
    .union(AllocationType::REPLACE_PLACEHOLDER);

impl AddressSpace {
    /// Maps a section.
    ///
    /// # NT
    /// `NtMapViewOfSection`; "ZwMapViewOfSection function", "MapViewOfFileEx function".
    ///
    /// # Errors
    /// - `INVALID_PARAMETER_3`, `_4`, `_5`, `_8`, `_9`: base or size, zero bits, commit size, inheritance or kind.
    /// - `INVALID_PAGE_PROTECTION`; `SECTION_PROTECTION`: the section does not permit that much.
    /// - `MAPPED_ALIGNMENT`: base or offset is no multiple of 64 KiB. `INVALID_VIEW_SIZE`: it goes beyond the section.
    /// - `CONFLICTING_ADDRESSES`: something is there already. `NO_MEMORY`: no place is large enough.
    /// - `COMMITMENT_LIMIT`: copies of its pages cannot be promised. `INSUFFICIENT_RESOURCES`, `PROCESS_IS_TERMINATING`.
    ///
    /// # IRQL
    /// At most Apc.
    ///
    /// # Differs
    /// `IMAGE_MACHINE_TYPE_MISMATCH` is left to the caller, who knows the process's machine ([`pe::Headers::view_status`]).
    #[doc(alias = "NtMapViewOfSection")]
    pub fn map_view(&self, section: &Section, request: &ViewRequest) -> NtResult<MappedView> {
        let (limits, protection) = request.check(section)?;
        let offset = request.offset & !(ALLOCATION_GRANULARITY - 1);
        let size = match request.size {
            0 => section
                .size()
                .checked_sub(offset)
                .filter(|size| *size != 0)
                .ok_or(NtStatus::INVALID_VIEW_SIZE)?,
            size => size,
        };
        let beyond = offset
            .checked_add(size)
            .is_none_or(|end| end > section.size());
        if beyond {
            return Err(NtStatus::INVALID_VIEW_SIZE);
        }
        if request.commit_size > size {
            return Err(NtStatus::INVALID_PARAMETER_5);
        }
        let length = size.next_multiple_of(PAGE_SIZE);
        let first = u32::try_from(offset / PAGE_SIZE).map_err(|_| NtStatus::INVALID_VIEW_SIZE)?;
        let mut space = self.lock();
        space.tables()?;
        let (range, status) = if section.is_image() {
            space.place_image(section, request, limits, (offset, length))?
        } else {
            (space.place(request, limits, length)?, NtStatus::SUCCESS)
        };
        let copies = protection.is_copy();
        let mut view = View::new(section.area.clone(), range.start.0, first, copies);
        if protection.is_guard() {
            // Each page says whether it was touched.
            view.prepare(range.length() / PAGE_SIZE, space.pool_quota.as_ref())?;
        }
        let replaces = request.kind.contains(AllocationType::REPLACE_PLACEHOLDER);
        space.add_view(range, view, protection, replaces)?;
        // Last, for the section keeps what is committed: without a view nothing may be.
        if let Err(problem) = commit_pages(section, first, request.commit_size) {
            space.take_back(range, replaces);
            return Err(problem);
        }
        Ok(MappedView {
            range,
            offset,
            status,
        })
    }

    /// Takes away the view that an address is in: its addresses are free then.
    ///
    /// # NT
    /// `NtUnmapViewOfSection`; "UnmapViewOfFile function".
    ///
    /// # Errors
    /// `NOT_MAPPED_VIEW`: there is none. `PROCESS_IS_TERMINATING`.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "NtUnmapViewOfSection")]
    pub fn unmap_view(&self, address: u64) -> NtResult {
        let mut space = self.lock();
        space.tables()?;
        let view = space.find_view(address).ok_or(NtStatus::NOT_MAPPED_VIEW)?;
        space.release(view);
        Ok(())
    }

    /// Takes away the view that an address is in, which replaced a placeholder: its addresses are one again, so that
    /// nothing else gets them meanwhile.
    ///
    /// # NT
    /// `NtUnmapViewOfSectionEx` with `MEM_PRESERVE_PLACEHOLDER`.
    ///
    /// # Errors
    /// `NOT_MAPPED_VIEW`: there is none. `CONFLICTING_ADDRESSES`: it did not replace a placeholder.
    /// `PROCESS_IS_TERMINATING`.
    #[doc(alias = "NtUnmapViewOfSectionEx")]
    pub fn unmap_view_to_placeholder(&self, address: u64) -> NtResult {
        let mut space = self.lock();
        space.tables()?;
        let view = space.find_view(address).ok_or(NtStatus::NOT_MAPPED_VIEW)?;
        space.make_placeholder(view)
    }

    /// Writes the changed pages of a file's view to the file; gives the range that it did so with. A size of 0 stands for
    /// all pages from `base` on.
    ///
    /// # NT
    /// `NtFlushVirtualMemory`; "FlushViewOfFile function".
    ///
    /// # Errors
    /// `NOT_MAPPED_VIEW`, `INVALID_PARAMETER`, what the file says, `INSUFFICIENT_RESOURCES`, `PROCESS_IS_TERMINATING`.
    #[doc(alias = "NtFlushVirtualMemory")]
    pub fn flush(&self, base: u64, size: u64) -> NtResult<VirtRange> {
        if base > HIGHEST_USER_ADDRESS || size > HIGHEST_USER_ADDRESS + 1 - base {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut space = self.lock();
        space.tables()?;
        let index = space.find_view(base).ok_or(NtStatus::NOT_MAPPED_VIEW)?;
        let whole = space.range(index);
        let range = match size {
            0 => VirtRange {
                start: page_of(base),
                ..whole
            },
            size => page_range(base, size),
        };
        if range.end.0 > whole.end.0 {
            return Err(NtStatus::NOT_MAPPED_VIEW);
        }
        space.flush_view(index, range)?;
        Ok(range)
    }

    /// Whether two addresses are in views of one image.
    ///
    /// # NT
    /// `NtAreMappedFilesTheSame`.
    ///
    /// # Errors
    /// `INVALID_ADDRESS`: one is in nothing. `CONFLICTING_ADDRESSES`: one is in no view. `NOT_SAME_DEVICE`: they are not, or are
    /// not images. `PROCESS_IS_TERMINATING`.
    #[doc(alias = "NtAreMappedFilesTheSame")]
    pub fn are_mapped_files_the_same(&self, one: u64, other: u64) -> NtResult {
        let mut space = self.lock();
        space.tables()?;
        let mut find = |address| {
            let index = space.find_vad(address).ok_or(NtStatus::INVALID_ADDRESS)?;
            match space.vads.get(index).map(|vad| &vad.kind) {
                Some(Kind::View(view)) => Ok((view.image, view.area.clone())),
                _ => Err(NtStatus::CONFLICTING_ADDRESSES),
            }
        };
        let (one, other) = (find(one)?, find(other)?);
        if one.0 && other.0 && one.1 == other.1 {
            Ok(())
        } else {
            Err(NtStatus::NOT_SAME_DEVICE)
        }
    }

    /// Looks at the file whose view an address is in.
    ///
    /// # NT
    /// What `MemoryMappedFilenameInformation` begins with.
    ///
    /// # Errors
    /// `INVALID_ADDRESS`: no view is there. `FILE_INVALID`: it is of no file. `PROCESS_IS_TERMINATING`.
    pub fn with_mapped_file<R>(
        &self,
        address: u64,
        look: impl FnOnce(&dyn BackingFile) -> R,
    ) -> NtResult<R> {
        let mut space = self.lock();
        space.tables()?;
        let index = space.find_view(address).ok_or(NtStatus::INVALID_ADDRESS)?;
        let Some(Kind::View(view)) = space.vads.get(index).map(|vad| &vad.kind) else {
            return Err(NtStatus::INVALID_ADDRESS);
        };
        let content = view.area.lock();
        let file = content.file().ok_or(NtStatus::FILE_INVALID)?;
        Ok(look(&**file))
    }
}

/// Commits the first pages of a view, if its section's pages are committed one by one.
fn commit_pages(section: &Section, first: u32, bytes: u64) -> NtResult {
    if bytes == 0 || section.is_image() {
        return Ok(());
    }
    let pages = u32::try_from(bytes.div_ceil(PAGE_SIZE)).unwrap_or(u32::MAX);
    let mut content = section.area.lock();
    if content.is_whole() {
        Ok(())
    } else {
        content.commit(first, pages)
    }
}

impl ViewRequest {
    /// Looks at what depends neither on the range nor on the section: zero bits, inheritance, kind, protection, in this
    /// order.
    ///
    /// # Errors
    /// Those that [`AddressSpace::map_view`] gives for them.
    pub fn check_kind(&self) -> NtResult {
        self.checked_kind().map(|_| ())
    }

    /// Looks at base and size.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_3`.
    pub fn check_range(&self) -> NtResult {
        if self.base > HIGHEST_USER_ADDRESS || self.size > HIGHEST_USER_ADDRESS + 1 - self.base {
            return Err(NtStatus::INVALID_PARAMETER_3);
        }
        Ok(())
    }

    fn checked_kind(&self) -> NtResult<(Limits, Protection)> {
        let limits = self
            .limits
            .with_zero_bits(self.zero_bits)
            .map_err(|_| NtStatus::INVALID_PARAMETER_4)?;
        if self.inherit != SectionInherit::SHARE && self.inherit != SectionInherit::UNMAP {
            return Err(NtStatus::INVALID_PARAMETER_8);
        }
        if !KNOWN.contains(self.kind) {
            return Err(NtStatus::INVALID_PARAMETER_9);
        }
        let protection = Protection::from_page(self.protection)?;
        if protection.is_guard() {
            return Err(NtStatus::INVALID_PAGE_PROTECTION);
        }
        Ok((limits, protection))
    }

    fn check(&self, section: &Section) -> NtResult<(Limits, Protection)> {
        let (limits, protection) = self.checked_kind()?;
        self.check_range()?;
        if !section.is_image() && !protection.is_within(section.protection) {
            return Err(NtStatus::SECTION_PROTECTION);
        }
        let aligned = |at: u64| at.is_multiple_of(ALLOCATION_GRANULARITY);
        // A placeholder may begin at any page.
        let replaces = self.kind.contains(AllocationType::REPLACE_PLACEHOLDER);
        let base = if replaces { 0 } else { self.base };
        if !aligned(base) || !aligned(self.offset) {
            return Err(NtStatus::MAPPED_ALIGNMENT);
        }
        if section.is_image() {
            return Ok((limits, Protection::EXECUTE_WRITE_COPY));
        }
        Ok((limits, protection))
    }
}

impl Space {
    fn find_view(&mut self, address: u64) -> Option<Index> {
        let index = self.find_vad(address)?;
        let is_view = matches!(self.vads.get(index)?.kind, Kind::View(_));
        is_view.then_some(index)
    }

    /// Whether a range is free, and a process's.
    fn is_free(&self, start: u64, length: u64) -> bool {
        let end = start.checked_add(length);
        start >= LOWEST_USER_ADDRESS
            && end.is_some_and(|end| {
                end <= HIGHEST_USER_ADDRESS + 1 && self.vads.first_overlapping(start..end).is_none()
            })
    }

    /// Where a view goes.
    fn place(&mut self, request: &ViewRequest, limits: Limits, length: u64) -> NtResult<VirtRange> {
        if request.kind.contains(AllocationType::REPLACE_PLACEHOLDER) {
            let index = self.find_placeholder(request.base, length)?;
            return Ok(self.range(index));
        }
        if request.base == 0 {
            let top_down = request.kind.contains(AllocationType::TOP_DOWN);
            return self.find_room(length, limits, top_down);
        }
        if !self.is_free(request.base, length) {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        }
        Ok(VirtRange {
            start: VirtAddr(request.base),
            end: VirtAddr(request.base + length),
        })
    }

    /// Where a view of an image goes, and what its loader is told.
    fn place_image(
        &mut self,
        section: &Section,
        request: &ViewRequest,
        limits: Limits,
        (offset, length): (u64, u64),
    ) -> NtResult<(VirtRange, NtStatus)> {
        let mut content = section.area.lock();
        let base = content.image().map_or(0, |image| image.base());
        let wanted = base.wrapping_add(offset);
        let within = wanted >= limits.lowest
            && wanted
                .checked_add(length)
                .is_some_and(|end| end - 1 <= limits.highest);
        let range = if request.base == 0 && within && self.is_free(wanted, length) {
            VirtRange {
                start: VirtAddr(wanted),
                end: VirtAddr(wanted + length),
            }
        } else {
            self.place(request, limits, length)?
        };
        let at_base = range.start.0 == wanted || (offset == 0 && content.move_image(range.start.0));
        let status = if at_base {
            NtStatus::SUCCESS
        } else {
            NtStatus::IMAGE_NOT_AT_BASE
        };
        Ok((range, status))
    }

    /// Adds a view, and charges for the copies that its pages may become.
    fn add_view(
        &mut self,
        range: VirtRange,
        view: View,
        protection: Protection,
        replaces: bool,
    ) -> NtResult {
        let charge = {
            let content = view.area.lock();
            match content.image() {
                Some(image) => image.copied_pages(),
                None if protection.is_copy() => range.length() / PAGE_SIZE,
                None => 0,
            }
        };
        let area = view.area.clone();
        let committed = area.lock().is_whole();
        self.charge(charge)?;
        let vad = Vad {
            kind: Kind::View(view),
            protection,
            committed,
            charge,
            replaces: false,
            secured: false,
        };
        let added = if replaces {
            self.find_placeholder(range.start.0, range.length())
                .map(|index| self.replace_placeholder(index, vad))
        } else {
            self.insert(range, vad).map(|_| ())
        };
        match added {
            Ok(()) => {
                area.lock().views += 1;
                Ok(())
            }
            Err(status) => {
                self.give_back(charge);
                Err(status)
            }
        }
    }

    /// Takes away a view that was just added there.
    fn take_back(&mut self, range: VirtRange, replaces: bool) {
        let Some(index) = self.find_view(range.start.0) else {
            return;
        };
        if !replaces || self.make_placeholder(index).is_err() {
            self.release(index);
        }
    }

    fn flush_view(&mut self, index: Index, range: VirtRange) -> NtResult {
        let Self { tables, vads, .. } = self;
        let Some(Kind::View(view)) = vads.get(index).map(|vad| &vad.kind) else {
            return Err(NtStatus::NOT_MAPPED_VIEW);
        };
        let pages = view.page(range.start.0)..view.page(range.end.0);
        let mut content = view.area.lock();
        content.flush(pages, &mut |page, frame| {
            let number = u64::from(page - view.first);
            let address = VirtAddr(view.start + number * PAGE_SIZE);
            let Some(tables) = tables else { return false };
            let shown = matches!(
                tables.entry(address),
                UserEntry::Present { frame: here, .. } if here == frame
            );
            // One share is the flush's own. If no view but this one has the page, its next write can be noticed.
            let shares = frames::info(frame).map_or(u32::MAX, |info| info.shares);
            if shown && shares == 2 {
                tables.protect(VirtRange::of_pages(address, 1), &mut |_, _, protection| {
                    protection.without_write()
                });
            }
            shares == 1 || (shown && shares == 2)
        })
    }
}
