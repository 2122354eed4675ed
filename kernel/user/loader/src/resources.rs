//! Finding resources: `LdrFindResource_U` and its relatives.
//!
//! Programs get addresses of the tree's own entries, so the tree is walked here where it lies, by offsets that are checked.
//! Names in a tree are in capitals and sorted; entries with numbers follow, sorted too.
//!
//! A language that is wanted and not there may be replaced: the same language of no country, then none; if no language was
//! wanted in particular, English and then whatever is first.
//!
//! # Differs
//! The languages of the thread, the user and the system are not asked, and there are no alternate resource modules
//! (`.mui`).

use core::cmp::Ordering;

use c_interface::Ptr;
use nt_abi::{NtResult, NtStatus};
use rtl::Utf16Str;
use rtl::utf16::upcase;

use crate::images::untagged;
use crate::loader::Loader;
use crate::number::index;
use crate::system::System;
use crate::view::{BAD, View, start_of};

/// Length of a directory's header.
const HEADER: u32 = 16;
/// Length of an entry.
const ENTRY: u32 = 8;
/// The entry has a name; or it leads to a directory.
const HIGH_BIT: u32 = 1 << 31;
/// English of the United States.
const ENGLISH: u16 = 0x0409;

/// What an entry is called: a number, or a name in any case.
#[derive(Clone, Copy, Debug)]
pub enum ResourceName<'a> {
    /// A number.
    Id(u16),
    /// A name.
    Name(Utf16Str<'a>),
}

/// The way down the tree: type, name, language; as many as are wanted.
#[derive(Clone, Copy, Default, Debug)]
pub struct ResourcePath<'a> {
    /// The type.
    pub kind: Option<ResourceName<'a>>,
    /// The name.
    pub name: Option<ResourceName<'a>>,
    /// A `LANGID`.
    pub language: Option<u16>,
}

/// The resource tree of an image.
struct Tree<'a> {
    bytes: &'a [u8],
    /// Where it begins in memory.
    start: Ptr<u8>,
}

impl Tree<'_> {
    fn u32(&self, offset: u32) -> NtResult<u32> {
        let bytes = self.bytes.get(index(offset)..).ok_or(BAD)?;
        let bytes = bytes.first_chunk().ok_or(BAD)?;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn u16(&self, offset: u32) -> NtResult<u16> {
        let bytes = self.bytes.get(index(offset)..).ok_or(BAD)?;
        let bytes = bytes.first_chunk().ok_or(BAD)?;
        Ok(u16::from_le_bytes(*bytes))
    }

    fn place(&self, offset: u32) -> Ptr<u8> {
        self.start.byte_add(index(offset))
    }

    /// Where the entries of a directory begin, how many have names, how many there are.
    fn directory(&self, offset: u32) -> NtResult<(u32, u32, u32)> {
        let counts = offset.checked_add(12).ok_or(BAD)?;
        let named = u32::from(self.u16(counts)?);
        let all = named + u32::from(self.u16(counts + 2)?);
        let first = offset.checked_add(HEADER).ok_or(BAD)?;
        let end = first.checked_add(all * ENTRY).ok_or(BAD)?;
        if index(end) > self.bytes.len() {
            return Err(BAD);
        }
        Ok((first, named, all))
    }

    /// Where an entry of a directory leads to: an offset, with the high bit for another directory.
    fn find(&self, directory: u32, wanted: ResourceName<'_>) -> NtResult<Option<u32>> {
        let (first, named, all) = self.directory(directory)?;
        let (mut low, mut high) = match wanted {
            ResourceName::Name(_) => (0, named),
            ResourceName::Id(_) => (named, all),
        };
        while low < high {
            let middle = low + (high - low) / 2;
            let at = first + middle * ENTRY;
            let id = self.u32(at)?;
            let order = match wanted {
                ResourceName::Id(wanted) => (id & 0xFFFF).cmp(&u32::from(wanted)),
                ResourceName::Name(wanted) => self.compare(id & !HIGH_BIT, wanted)?,
            };
            match order {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return self.u32(at + 4).map(Some),
            }
        }
        Ok(None)
    }

    /// How a name of the tree compares with the capitals of another.
    fn compare(&self, offset: u32, wanted: Utf16Str<'_>) -> NtResult<Ordering> {
        let length = u32::from(self.u16(offset)?);
        for (number, unit) in (0..length).zip(wanted.units()) {
            let at = offset.checked_add(2 + 2 * number).ok_or(BAD)?;
            let order = self.u16(at)?.cmp(&upcase(*unit));
            if order.is_ne() {
                return Ok(order);
            }
        }
        Ok(index(length).cmp(&wanted.len()))
    }

    /// Where the first entry of a directory leads to.
    fn first(&self, directory: u32) -> NtResult<Option<u32>> {
        let (first, _, all) = self.directory(directory)?;
        if all == 0 {
            return Ok(None);
        }
        self.u32(first + 4).map(Some)
    }

    /// Where a language leads to, or one that stands for it.
    fn language(&self, directory: u32, wanted: u16) -> NtResult<Option<u32>> {
        let neutral = wanted & 0x3FF;
        for language in [wanted, neutral, 0] {
            if let Some(found) = self.find(directory, ResourceName::Id(language))? {
                return Ok(Some(found));
            }
        }
        if neutral != 0 {
            return Ok(None);
        }
        match self.find(directory, ResourceName::Id(ENGLISH))? {
            Some(found) => Ok(Some(found)),
            None => self.first(directory),
        }
    }

    /// Walks as far down as the path says.
    fn walk(&self, path: &ResourcePath<'_>) -> NtResult<u32> {
        let mut at = HIGH_BIT;
        for (wanted, missing) in [
            (path.kind, NtStatus::RESOURCE_TYPE_NOT_FOUND),
            (path.name, NtStatus::RESOURCE_NAME_NOT_FOUND),
        ] {
            let Some(wanted) = wanted else {
                return Ok(at);
            };
            at = self.find(directory_at(at)?, wanted)?.ok_or(missing)?;
        }
        match path.language {
            Some(language) => self
                .language(directory_at(at)?, language)?
                .ok_or(NtStatus::RESOURCE_LANG_NOT_FOUND),
            None => Ok(at),
        }
    }
}

fn directory_at(target: u32) -> NtResult<u32> {
    if target & HIGH_BIT == 0 {
        return Err(BAD);
    }
    Ok(target & !HIGH_BIT)
}

impl<S: System> Loader<S> {
    /// What can be read of the image at a base, which may be tagged as data; only of images that the loader mapped.
    fn resource_view(&self, base: Ptr<u8>) -> NtResult<View> {
        if let Some(view) = self.data_view(base) {
            return Ok(view);
        }
        let registry = self.modules()?;
        let _lists = self.read_modules();
        let module = registry.by_base(untagged(base));
        Ok(module.ok_or(NtStatus::RESOURCE_DATA_NOT_FOUND)?.view())
    }

    fn with_tree<T>(
        &self,
        base: Ptr<u8>,
        act: impl FnOnce(&Tree<'_>) -> NtResult<T>,
    ) -> NtResult<T> {
        let missing = NtStatus::RESOURCE_DATA_NOT_FOUND;
        let view = self.resource_view(base)?;
        let image = self.image_of(base, &view)?;
        let directory = image.headers().directory(pe::Directory::Resource);
        let bytes = image.from_rva(directory.ok_or(missing)?.rva).ok_or(BAD)?;
        // Where the piece lies in the view.
        let start = start_of(bytes);
        act(&Tree { bytes, start })
    }

    /// Finds the data entry of a resource: type, name and language must all be said.
    ///
    /// # Errors
    /// - `RESOURCE_DATA_NOT_FOUND`: the image has no resources, or is none that the loader knows.
    /// - `RESOURCE_TYPE_NOT_FOUND`, `RESOURCE_NAME_NOT_FOUND`, `RESOURCE_LANG_NOT_FOUND`: it has none of that type; of
    ///   that type, none with that name; with that name, none in that language or one that stands for it.
    /// - `INVALID_IMAGE_FORMAT`: the tree is damaged.
    /// - `INVALID_PARAMETER`: something is not said.
    #[doc(alias = "LdrFindResource_U")]
    pub fn find_resource(&self, base: Ptr<u8>, path: &ResourcePath<'_>) -> NtResult<Ptr<u8>> {
        if path.kind.is_none() || path.name.is_none() || path.language.is_none() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.with_tree(base, |tree| {
            let at = tree.walk(path)?;
            if at & HIGH_BIT != 0 || index(at) + 16 > tree.bytes.len() {
                return Err(BAD);
            }
            Ok(tree.place(at))
        })
    }

    /// Finds a directory of the tree: the root, that of a type, or that of a name.
    ///
    /// # Errors
    /// As [`find_resource`](Self::find_resource).
    #[doc(alias = "LdrFindResourceDirectory_U")]
    pub fn find_resource_directory(
        &self,
        base: Ptr<u8>,
        path: &ResourcePath<'_>,
    ) -> NtResult<Ptr<u8>> {
        self.with_tree(base, |tree| {
            let at = directory_at(tree.walk(path)?)?;
            tree.directory(at)?;
            Ok(tree.place(at))
        })
    }

    /// Finds the bytes that a data entry describes, and how many there are.
    ///
    /// # Errors
    /// - `RESOURCE_DATA_NOT_FOUND`: the image is none that the loader knows, or the entry is not in it.
    /// - `INVALID_IMAGE_FORMAT`: the bytes are not in the image.
    #[doc(alias = "LdrAccessResource")]
    pub fn access_resource(&self, base: Ptr<u8>, entry: Ptr<u8>) -> NtResult<(Ptr<u8>, u32)> {
        let view = self.resource_view(base)?;
        let at = view
            .rva_of(entry.address())
            .ok_or(NtStatus::RESOURCE_DATA_NOT_FOUND)?;
        let [rva, size, ..] = view.place::<[u32; 4]>(at, 16)?.read();
        let image = self.image_of(base, &view)?;
        let bytes = image.at(rva, index(size)).ok_or(BAD)?;
        Ok((start_of(bytes), size))
    }
}
