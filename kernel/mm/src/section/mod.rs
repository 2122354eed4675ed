//! Sections: memory that several processes may see, of its own or a file's.
//!
//! A [`Section`] is what a handle names: a size and a protection. Its pages are those of a control area (`area`), which
//! all sections of a file have in common; address spaces show them in views (`address_space::view`).
//!
//! | file | what |
//! |---|---|
//! | `area`, `content` | the pages, and who refers to them |
//! | `flush` | changed pages go to their file |
//! | `prototypes` | what each page is |
//! | `image` | areas of program files |
//! | `file` | what a file must give |
//! | `object` | the type of their objects |
//!
//! # Locks
//! A control area's mutex, taken inside of an address space's.
//!
//! # NT
//! `SECTION`, `CONTROL_AREA`, `SEGMENT`.

mod area;
mod content;
mod file;
mod flush;
mod image;
mod object;
mod prototypes;

use core::sync::atomic::{AtomicU64, Ordering};

use arch::contract::PAGE_SIZE;
use ex::pool::{PoolBox, PoolTag};
use nt_abi::memory::{PageProtection, SectionAttributes};
use nt_abi::{NtResult, NtStatus};

pub use area::in_use;
pub(crate) use area::{AreaRef, by_number};
use content::Backing;
pub(crate) use content::Place;
pub use file::{BackingFile, FileHold, RamFile};
use image::ImageArea;
pub use image::ImageInformation;
pub use object::{SECTION, register};

use crate::lock::Mutex;
use crate::protection::Protection;

/// A section: a number of bytes that can be mapped.
///
/// # NT
/// `SECTION`.
pub struct Section {
    pub(crate) area: AreaRef,
    size: AtomicU64,
    pub(crate) protection: Protection,
    attributes: SectionAttributes,
    found: spin::Once<Found>,
}

/// What who maps an image found in it, kept so that it is looked for once: offsets whose meaning is theirs.
pub type Found = [u32; 5];

/// What a section is asked to be.
#[derive(Clone, Copy, Debug)]
pub struct SectionRequest {
    /// Bytes; 0: as many as the file has.
    pub size: u64,
    /// `PAGE_*`: the most that a view may permit.
    pub protection: PageProtection,
    /// `SEC_*`.
    pub attributes: SectionAttributes,
}

/// What a section is.
///
/// # NT
/// `SECTION_BASIC_INFORMATION`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SectionInformation {
    /// `SEC_*`.
    pub attributes: SectionAttributes,
    /// Bytes.
    pub size: u64,
}

/// Only one thread at a time makes an area of a file, so that a file has one.
static CREATION: Mutex<()> = Mutex::new(());

impl SectionRequest {
    /// Looks at attributes and protection, in this order.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_6`, `INVALID_PAGE_PROTECTION`.
    pub fn check_kind(&self) -> NtResult {
        self.checked_kind().map(|_| ())
    }

    fn checked_kind(&self) -> NtResult<Protection> {
        type Is = SectionAttributes;
        let kinds = [Is::COMMIT, Is::RESERVE, Is::IMAGE];
        let known = Is::COMMIT | Is::RESERVE | Is::IMAGE | Is::NOCACHE | Is::WRITECOMBINE;
        let known = known | Is::NO_CHANGE | Is::FILE | Is::LARGE_PAGES;
        let attributes = self.attributes;
        let image = attributes.contains(Is::IMAGE);
        // An image that nothing of runs is `SEC_IMAGE` with a bit that means something else alone.
        let with_image = Is::IMAGE_NO_EXECUTE | Is::FILE;
        if !known.contains(attributes)
            || kinds
                .iter()
                .filter(|kind| attributes.contains(**kind))
                .count()
                != 1
            || (image && !with_image.contains(attributes))
        {
            return Err(NtStatus::INVALID_PARAMETER_6);
        }
        let modifiers = PageProtection::GUARD | PageProtection::NOACCESS;
        if self.protection.intersects(modifiers) {
            return Err(NtStatus::INVALID_PAGE_PROTECTION);
        }
        Protection::from_page(self.protection)
    }

    /// What the protection means, if request and file go together.
    fn check(&self, has_file: bool) -> NtResult<Protection> {
        let protection = self.checked_kind()?;
        if self.attributes.contains(SectionAttributes::LARGE_PAGES) {
            return Err(NtStatus::PRIVILEGE_NOT_HELD);
        }
        if self.attributes.contains(SectionAttributes::IMAGE) && !has_file {
            return Err(NtStatus::INVALID_FILE_FOR_SECTION);
        }
        Ok(protection)
    }
}

impl Section {
    /// Makes a section of memory of its own.
    ///
    /// # NT
    /// `MmCreateSection` without a file; "NtCreateSection function", "CreateFileMapping function".
    ///
    /// # Errors
    /// - `INVALID_PARAMETER_4`: a size of 0. `SECTION_TOO_BIG`: 16 TiB or more.
    /// - `INVALID_PARAMETER_6`: not exactly one of commit, reserve and image, or what is not known or not done (`SEC_BASED`).
    /// - `INVALID_FILE_FOR_SECTION`: an image without a file.
    /// - `INVALID_PAGE_PROTECTION`, `PRIVILEGE_NOT_HELD` (large pages), `COMMITMENT_LIMIT`, `INSUFFICIENT_RESOURCES`.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "NtCreateSection")]
    pub fn create(request: &SectionRequest) -> NtResult<Self> {
        let protection = request.check(false)?;
        if request.size == 0 {
            return Err(NtStatus::INVALID_PARAMETER_4);
        }
        let pages = request.size.div_ceil(PAGE_SIZE);
        let committed = request.attributes.contains(SectionAttributes::COMMIT);
        let charge = if committed { pages } else { 0 };
        let area = AreaRef::create(Backing::PagingFile { committed }, pages, charge)?;
        Ok(Self {
            area,
            size: AtomicU64::new(pages * PAGE_SIZE),
            protection,
            attributes: request.attributes,
            found: spin::Once::new(),
        })
    }

    /// Makes a section of a file, as it is or as an image.
    ///
    /// # NT
    /// `MmCreateSection` with a file.
    ///
    /// # Errors
    /// As [`create`](Self::create), and:
    /// - `MAPPED_FILE_SIZE_ZERO`: a size of 0, and the file is empty.
    /// - `SECTION_TOO_BIG`: it is larger than the file, and permits no writing to make that larger.
    /// - `INVALID_IMAGE_...`, `INVALID_FILE_FOR_SECTION`: it is no image.
    /// - What the file says.
    pub fn create_of_file(request: &SectionRequest, file: FileHold) -> NtResult<Self> {
        let protection = request.check(true)?;
        let image = request.attributes.contains(SectionAttributes::IMAGE);
        let _creation = CREATION.acquire();
        let area = file
            .identity()
            .and_then(|identity| AreaRef::find(identity, image));
        let (area, size) = if image {
            image_area(area, file)?
        } else {
            data_area(area, file, request.size, protection)?
        };
        Ok(Self {
            area,
            size: AtomicU64::new(size),
            protection,
            attributes: request.attributes | SectionAttributes::FILE,
            found: spin::Once::new(),
        })
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size.load(Ordering::Relaxed)
    }

    /// Whether it is an image's.
    pub fn is_image(&self) -> bool {
        self.attributes.contains(SectionAttributes::IMAGE)
    }

    /// What was found in it, if somebody looked.
    pub fn found(&self) -> Option<Found> {
        self.found.get().copied()
    }

    /// Keeps what was found in it. The first word counts.
    pub fn set_found(&self, found: Found) {
        self.found.call_once(|| found);
    }

    /// What it is.
    ///
    /// # NT
    /// `NtQuerySection` with `SectionBasicInformation`.
    #[doc(alias = "NtQuerySection")]
    pub fn information(&self) -> SectionInformation {
        SectionInformation {
            attributes: self.attributes,
            size: self.size(),
        }
    }

    /// What its image is.
    ///
    /// # NT
    /// `NtQuerySection` with `SectionImageInformation`.
    ///
    /// # Errors
    /// `SECTION_NOT_IMAGE`.
    pub fn image_information(&self) -> NtResult<ImageInformation> {
        let content = self.area.lock();
        let image = content.image().ok_or(NtStatus::SECTION_NOT_IMAGE)?;
        Ok(*image.information())
    }

    /// Makes it larger; gives the size that it has then. One that is as large already stays.
    ///
    /// # NT
    /// `NtExtendSection`.
    ///
    /// # Errors
    /// `SECTION_NOT_EXTENDED`: it is not a file's, as it is. `SECTION_TOO_BIG`, `INSUFFICIENT_RESOURCES`, what the file says.
    #[doc(alias = "NtExtendSection")]
    pub fn extend(&self, size: u64) -> NtResult<u64> {
        let mut content = self.area.lock();
        if size > self.size() {
            content.extend(size)?;
            self.size.store(size, Ordering::Relaxed);
        }
        Ok(self.size())
    }
}

fn image_area(found: Option<AreaRef>, file: FileHold) -> NtResult<(AreaRef, u64)> {
    if let Some(area) = found {
        let size = area.lock().image().map_or(0, ImageArea::size);
        return Ok((area, size));
    }
    let image = PoolBox::new(PoolTag(*b"MmIm"), ImageArea::read(file)?)?;
    let size = image.size();
    let area = AreaRef::create(Backing::Image(image), size / PAGE_SIZE, 0)?;
    Ok((area, size))
}

fn data_area(
    found: Option<AreaRef>,
    file: FileHold,
    wanted: u64,
    protection: Protection,
) -> NtResult<(AreaRef, u64)> {
    let file_size = file.size();
    let size = if wanted == 0 { file_size } else { wanted };
    if size == 0 {
        return Err(NtStatus::MAPPED_FILE_SIZE_ZERO);
    }
    let grows = size > file_size;
    if grows && !protection.is_write() {
        return Err(NtStatus::SECTION_TOO_BIG);
    }
    let area = match found {
        Some(area) => {
            area.lock().extend(size)?;
            area
        }
        None => {
            if grows {
                file.set_size(size)?;
            }
            AreaRef::create(Backing::Data(file), size.div_ceil(PAGE_SIZE), 0)?
        }
    };
    Ok((area, size))
}
