//! The pages of a control area, shared by all views of them.
//!
//! A page of an area is in memory once, whoever sees it. Its prototype says where it is; a view has no value of its own
//! for it, so a fault in a view asks here. What a page begins as depends on what the area is made of: zeroes, bytes of a
//! file, or bytes of an image, relocated.

use arch::contract::{FrameNumber, PAGE_BYTES, PAGE_SIZE};
use ex::pool::PoolBox;
use nt_abi::{NtResult, NtStatus};

use super::file::FileHold;
use super::image::ImageArea;
use super::prototypes::Prototypes;
use crate::fault::Problem;
use crate::frames::{self, NewPage, Owner};
use crate::modified_writer::with_slot;
use crate::protection::Protection;
use crate::pte::{PagingSlot, Pte};
use crate::statistics::{self, FaultKind};
use crate::{commit, paging};

/// What an area is made of.
pub(crate) enum Backing {
    /// Nothing: the place is free.
    None,
    /// Memory of its own.
    PagingFile {
        /// Whether all its pages are committed, or each when it is asked for.
        committed: bool,
    },
    /// A file, as it is.
    Data(FileHold),
    /// A file, as an image.
    Image(PoolBox<ImageArea>),
}

/// What a control area has.
pub(crate) struct Content {
    pub(super) number: u32,
    pub(super) backing: Backing,
    /// How many pages it has.
    pub(crate) pages: u64,
    pub(super) prototypes: Prototypes,
    /// Views of it.
    pub(crate) views: u32,
    /// Pages that were charged for it.
    charge: u64,
}

impl Content {
    /// That of a free place.
    pub(super) const fn none(number: u32) -> Self {
        Self {
            number,
            backing: Backing::None,
            pages: 0,
            prototypes: Prototypes::new(),
            views: 0,
            charge: 0,
        }
    }

    /// That of an area that begins.
    pub(super) fn begin(
        &mut self,
        backing: Backing,
        pages: u64,
        prototypes: Prototypes,
        charge: u64,
    ) {
        *self = Self {
            number: self.number,
            backing,
            pages,
            prototypes,
            views: 0,
            charge,
        };
    }

    pub(super) fn is_of(&self, identity: u64, image: bool) -> bool {
        let is_image = matches!(self.backing, Backing::Image(_));
        is_image == image && self.file().and_then(|file| file.identity()) == Some(identity)
    }

    pub(super) fn owner(&self, page: u32) -> Owner {
        Owner::Area {
            area: self.number,
            page,
        }
    }

    /// Whether a page can be accessed at all.
    pub(crate) fn is_committed(&self, page: u32) -> bool {
        match self.backing {
            Backing::PagingFile { committed } => {
                committed || self.prototypes.get(page) != Pte::Unset
            }
            _ => u64::from(page) < self.pages,
        }
    }

    /// The first page from `page` on that can be accessed, of an area whose pages are committed one by one.
    pub(crate) fn next_committed(&self, page: u32) -> Option<u32> {
        self.prototypes.next_set(page)
    }

    /// The protection that a view of an image gives a page at first; `None` if the view says.
    pub(crate) fn image_protection(&self, page: u32) -> Option<Protection> {
        match &self.backing {
            Backing::Image(image) => Some(image.protection(page)),
            _ => None,
        }
    }

    /// Whether it is a file's, as it is.
    pub(crate) fn is_of_file(&self) -> bool {
        matches!(self.backing, Backing::Data(_))
    }

    /// Whether all its pages can be accessed, now and always.
    pub(crate) fn is_whole(&self) -> bool {
        !matches!(self.backing, Backing::PagingFile { committed: false })
    }

    /// The file that it is of.
    pub(crate) fn file(&self) -> Option<&FileHold> {
        match &self.backing {
            Backing::Data(file) => Some(file),
            Backing::Image(image) => Some(image.file()),
            Backing::None | Backing::PagingFile { .. } => None,
        }
    }

    /// The image that the area is of.
    pub(crate) fn image(&self) -> Option<&ImageArea> {
        match &self.backing {
            Backing::Image(image) => Some(image),
            _ => None,
        }
    }

    /// Commits pages of an area that was reserved; gives nothing, or why not, and then nothing has changed.
    pub(crate) fn commit(&mut self, first: u32, count: u32) -> NtResult {
        match self.backing {
            Backing::PagingFile { committed: true } => return Ok(()),
            Backing::PagingFile { committed: false } => {}
            _ => return Err(NtStatus::ALREADY_COMMITTED),
        }
        // No more are committed already than are charged for. This bounds the work and the memory that follow.
        commit::could_charge(u64::from(count).saturating_sub(self.charge))?;
        let pages = first..first.saturating_add(count);
        let is_new = |page: &u32| self.prototypes.get(*page) == Pte::Unset;
        let new = pages.clone().filter(is_new).count() as u64;
        commit::charge(new)?;
        for page in pages.clone() {
            self.prototypes
                .prepare(page)
                .inspect_err(|_| commit::give_back(new))?;
        }
        self.charge += new;
        for page in pages {
            if self.prototypes.get(page) == Pte::Unset {
                self.prototypes
                    .set(page, Pte::DemandZero(Protection::READ_WRITE));
            }
        }
        Ok(())
    }

    /// Brings a page into memory, and takes part in it: who gets the frame gives it back by [`frames::leave`]. Also gives
    /// whether its content is nowhere else.
    pub(crate) fn bring_in(&mut self, page: u32) -> Result<(FrameNumber, bool), Problem> {
        let value = self.prototypes.get(page);
        let owner = self.owner(page);
        if let Pte::Paged { slot, frame, .. } = value {
            if let Some(revived) = frame.and_then(|frame| frames::revive(frame, owner)) {
                statistics::count(FaultKind::Shared);
                return Ok((revived.frame, revived.modified));
            }
            if let Some(slot) = slot {
                let frame = self.fill(page, false, &|bytes| paging::read(slot, bytes))?;
                frames::set_slot(frame, Some(slot));
                statistics::count(FaultKind::PageIn);
                self.remember(page, frame, Some(slot));
                return Ok((frame, false));
            }
        }
        self.prototypes
            .prepare(page)
            .map_err(|status| match status {
                NtStatus::INSUFFICIENT_RESOURCES => Problem::NoFrames,
                other => Problem::InPage(other),
            })?;
        let offset = u64::from(page) * PAGE_SIZE;
        let (frame, modified) = match &self.backing {
            Backing::None => return Err(Problem::AccessViolation),
            Backing::PagingFile { .. } => {
                let zeroes = NewPage {
                    owner,
                    protection: Protection::NO_ACCESS,
                    zeroed: true,
                    modified: true,
                };
                statistics::count(FaultKind::DemandZero);
                let frame = frames::take(&zeroes).ok_or(Problem::NoFrames)?;
                (frame.into_user(), true)
            }
            Backing::Data(file) => {
                statistics::count(FaultKind::FileRead);
                let frame = self.fill(page, false, &|bytes| file.fill(offset, bytes))?;
                (frame, false)
            }
            Backing::Image(image) => {
                statistics::count(FaultKind::FileRead);
                let shared = image.protection(page).is_write();
                let frame = self.fill(page, shared, &|bytes| image.page(page, bytes))?;
                (frame, shared)
            }
        };
        self.remember(page, frame, None);
        Ok((frame, modified))
    }

    fn fill(
        &self,
        page: u32,
        modified: bool,
        fill: &dyn Fn(&mut [u8; PAGE_BYTES]) -> NtResult,
    ) -> Result<FrameNumber, Problem> {
        let new = NewPage {
            owner: self.owner(page),
            protection: Protection::NO_ACCESS,
            zeroed: false,
            modified,
        };
        let mut frame = frames::take(&new).ok_or(Problem::NoFrames)?;
        match fill(frame.bytes()) {
            Ok(()) => Ok(frame.into_user()),
            Err(status) => {
                frames::give_back(frame);
                Err(Problem::InPage(status))
            }
        }
    }

    /// Writes down where a page is. Its prototype was prepared.
    fn remember(&mut self, page: u32, frame: FrameNumber, slot: Option<PagingSlot>) {
        let value = Pte::Paged {
            protection: Protection::READ_WRITE,
            slot,
            frame: frames::index_of(frame),
        };
        self.prototypes.set(page, value);
    }

    /// Where modified pages are written to.
    pub(crate) fn place_to_write(&self) -> Place {
        match &self.backing {
            Backing::None => Place::Nowhere,
            Backing::Data(_) => Place::File,
            Backing::PagingFile { .. } | Backing::Image(_) => Place::PagingFile,
        }
    }

    /// A page gets a place in the paging file.
    pub(crate) fn note_slot(&mut self, page: u32, slot: PagingSlot) {
        let value = with_slot(self.prototypes.get(page), slot);
        self.prototypes.set(page, value);
    }

    /// The area grows.
    ///
    /// # Errors
    /// `SECTION_NOT_EXTENDED`: it is not a file's. What the file says; `INSUFFICIENT_RESOURCES`.
    pub(super) fn extend(&mut self, size: u64) -> NtResult {
        let Backing::Data(file) = &self.backing else {
            return Err(NtStatus::SECTION_NOT_EXTENDED);
        };
        let pages = size.div_ceil(PAGE_SIZE);
        if u32::try_from(pages).is_err() {
            return Err(NtStatus::SECTION_TOO_BIG);
        }
        self.prototypes.grow(pages)?;
        if size > file.size() {
            file.set_size(size)?;
        }
        self.pages = self.pages.max(pages);
        Ok(())
    }

    /// The image is to be somewhere else. Only when nobody looks at it can it move: its pages are the same for all.
    pub(crate) fn move_image(&mut self, base: u64) -> bool {
        if self.views != 0 || !self.image().is_some_and(ImageArea::is_relocatable) {
            return false;
        }
        self.discard_pages();
        if let Backing::Image(image) = &mut self.backing {
            image.set_base(base);
        }
        true
    }

    /// Ends all pages.
    fn discard_pages(&mut self) {
        let number = self.number;
        self.prototypes.for_each(0, &mut |page, value| {
            if let Pte::Paged { slot, frame, .. } = value {
                let owner = Owner::Area { area: number, page };
                frames::discard_paged(slot, frame, owner);
            }
        });
        self.prototypes.clear();
    }

    /// Nobody refers to the area any more.
    pub(super) fn end(&mut self) {
        let pages = u32::try_from(self.pages).unwrap_or(u32::MAX);
        // Nobody is left who could be told.
        let _ = self.flush(0..pages, &mut |_, _| true);
        self.discard_pages();
        self.prototypes = Prototypes::new();
        self.backing = Backing::None;
        self.pages = 0;
        commit::give_back(core::mem::take(&mut self.charge));
    }
}

/// Where a page is written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// The area is gone.
    Nowhere,
    /// The area's file.
    File,
    /// The paging file.
    PagingFile,
}
