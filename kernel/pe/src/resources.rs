//! Resources: a tree of type, name and language with data at its leaves.
//!
//! Each directory lists its entries with names first, then those with numbers, both sorted, so finding one is a binary
//! search. Offsets in the tree are relative to its root; the data's is an address. The tree has three levels. A hostile
//! one can lead back to its own root, so a directory knows its level and leads no deeper than that.

use core::cmp::Ordering;

use nt_abi::{NtResult, NtStatus};

use crate::bytes::{BAD, Fields, index, low16, u16_at, u32_at};
use crate::headers::Directory;
use crate::image::Image;

/// Length of a directory's header.
const HEADER: usize = 16;
/// Length of an entry.
const ENTRY: usize = 8;
/// Levels of directories: type, name, language.
const LEVELS: u8 = 3;
/// The entry has a name; or it leads to a directory.
const HIGH_BIT: u32 = 1 << 31;

/// `RT_VERSION`.
const VERSION_TYPE: u16 = 16;

/// What an entry is called. Names are UTF-16; resource compilers write them in capitals, and they are compared as they
/// are, so whoever looks for one makes it capitals first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResourceId<'a> {
    /// A number.
    Id(u16),
    /// A name, two bytes for each unit, lower one first.
    Name(&'a [u8]),
}

/// Which language is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// That one (a `LANGID`).
    Exact(u16),
    /// Whichever comes first.
    Any,
}

/// The data of a resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResourceData<'a> {
    /// Where it is.
    pub rva: u32,
    /// Its code page, if it is text; not relied on.
    pub code_page: u32,
    /// The data.
    pub bytes: &'a [u8],
}

/// A directory of the tree.
#[derive(Clone, Copy, Debug)]
pub struct ResourceDirectory<'a> {
    image: Image<'a>,
    tree: &'a [u8],
    /// Its entries; those with names come first.
    entries: &'a [u8],
    named: usize,
    level: u8,
}

/// What an entry leads to.
#[derive(Clone, Copy, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "it lives on the stack for a moment, and there is no heap to put a part into"
)]
pub enum ResourceNode<'a> {
    /// A directory of the next level.
    Directory(ResourceDirectory<'a>),
    /// Data.
    Data(ResourceData<'a>),
}

/// An entry of a directory.
#[derive(Clone, Copy, Debug)]
pub struct ResourceEntry<'a> {
    /// What it is called.
    pub id: ResourceId<'a>,
    directory: ResourceDirectory<'a>,
    target: u32,
}

impl<'a> Image<'a> {
    /// The root of its resources; `None` if it has none.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: the tree is not in the image.
    pub fn resources(&self) -> NtResult<Option<ResourceDirectory<'a>>> {
        let Some(directory) = self.directory(Directory::Resource) else {
            return Ok(None);
        };
        // The length is not believed: Windows' loader does not look at it, and packers leave it wrong.
        let tree = self.from_rva(directory.rva).ok_or(BAD)?;
        ResourceDirectory::read(*self, tree, 0, 0).map(Some)
    }

    /// Finds a resource.
    ///
    /// # NT
    /// `LdrFindResource_U`, which falls back from language to language; here the caller does.
    ///
    /// # Errors
    /// - `RESOURCE_DATA_NOT_FOUND`: the image has no resources.
    /// - `RESOURCE_TYPE_NOT_FOUND`, `RESOURCE_NAME_NOT_FOUND`, `RESOURCE_LANG_NOT_FOUND`: it has none of that type; of
    ///   that type, none with that name; with that name, none in that language.
    /// - `INVALID_IMAGE_FORMAT`: the tree is damaged.
    pub fn find_resource(
        &self,
        kind: ResourceId<'_>,
        name: ResourceId<'_>,
        language: Language,
    ) -> NtResult<ResourceData<'a>> {
        let root = self.resources()?.ok_or(NtStatus::RESOURCE_DATA_NOT_FOUND)?;
        let names = root
            .find(kind)?
            .ok_or(NtStatus::RESOURCE_TYPE_NOT_FOUND)?
            .directory()?;
        let languages = names
            .find(name)?
            .ok_or(NtStatus::RESOURCE_NAME_NOT_FOUND)?
            .directory()?;
        let found = match language {
            Language::Exact(language) => languages.find(ResourceId::Id(language))?,
            Language::Any => languages.iter().next().transpose()?,
        };
        let found = found.ok_or(NtStatus::RESOURCE_LANG_NOT_FOUND)?;
        match found.open()? {
            ResourceNode::Data(data) => Ok(data),
            ResourceNode::Directory(_) => Err(BAD),
        }
    }

    /// Its version information (`VS_VERSIONINFO`), as it lies there.
    ///
    /// # Errors
    /// As [`find_resource`](Self::find_resource).
    pub fn version_info(&self) -> NtResult<ResourceData<'a>> {
        let (kind, name) = (ResourceId::Id(VERSION_TYPE), ResourceId::Id(1));
        self.find_resource(kind, name, Language::Any)
    }
}

impl<'a> ResourceDirectory<'a> {
    fn read(image: Image<'a>, tree: &'a [u8], offset: u32, level: u8) -> NtResult<Self> {
        let bytes = tree.get(index(offset)..).ok_or(BAD)?;
        let entries = bytes.get(HEADER..).ok_or(BAD)?;
        let mut fields = Fields::new(bytes);
        fields.skip(12);
        let named = usize::from(fields.u16());
        let count = named + usize::from(fields.u16());
        Ok(Self {
            image,
            tree,
            entries: entries.get(..count * ENTRY).ok_or(BAD)?,
            named,
            level,
        })
    }

    /// The number of entries.
    pub fn count(&self) -> usize {
        self.entries.len() / ENTRY
    }

    /// Its entries.
    pub fn iter(&self) -> impl Iterator<Item = NtResult<ResourceEntry<'a>>> + use<'a> {
        let directory = *self;
        (0..self.count()).map(move |number| directory.entry(number))
    }

    fn entry(&self, number: usize) -> NtResult<ResourceEntry<'a>> {
        let offset = number.saturating_mul(ENTRY);
        let id = u32_at(self.entries, offset).ok_or(BAD)?;
        let target = u32_at(self.entries, offset.saturating_add(4)).ok_or(BAD)?;
        let id = if number < self.named || id & HIGH_BIT != 0 {
            ResourceId::Name(self.name(id & !HIGH_BIT)?)
        } else {
            ResourceId::Id(low16(id))
        };
        Ok(ResourceEntry {
            id,
            directory: *self,
            target,
        })
    }

    fn name(&self, offset: u32) -> NtResult<&'a [u8]> {
        let bytes = self.tree.get(index(offset)..).ok_or(BAD)?;
        let length = usize::from(u16_at(bytes, 0).ok_or(BAD)?) * 2;
        bytes
            .get(2..)
            .and_then(|text| text.get(..length))
            .ok_or(BAD)
    }

    /// Finds an entry.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: an entry on the way is damaged.
    pub fn find(&self, id: ResourceId<'_>) -> NtResult<Option<ResourceEntry<'a>>> {
        let (mut low, mut high) = match id {
            ResourceId::Name(_) => (0, self.named),
            ResourceId::Id(_) => (self.named, self.count()),
        };
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.entry(middle)?;
            match compare(entry.id, id) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(Some(entry)),
            }
        }
        Ok(None)
    }
}

/// The order of entries: names before numbers, each by value.
fn compare(a: ResourceId<'_>, b: ResourceId<'_>) -> Ordering {
    let units = |text: &[u8], number: usize| u16_at(text, number * 2);
    match (a, b) {
        (ResourceId::Id(a), ResourceId::Id(b)) => a.cmp(&b),
        (ResourceId::Name(_), ResourceId::Id(_)) => Ordering::Less,
        (ResourceId::Id(_), ResourceId::Name(_)) => Ordering::Greater,
        (ResourceId::Name(a), ResourceId::Name(b)) => {
            let longer = a.len().max(b.len()) / 2;
            (0..longer)
                .map(|number| units(a, number).cmp(&units(b, number)))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        }
    }
}

impl<'a> ResourceEntry<'a> {
    /// What it leads to.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: it leads out of the tree, or too deep.
    pub fn open(&self) -> NtResult<ResourceNode<'a>> {
        let directory = &self.directory;
        let offset = self.target & !HIGH_BIT;
        if self.target & HIGH_BIT != 0 {
            let level = directory.level + 1;
            if level >= LEVELS {
                return Err(BAD);
            }
            return ResourceDirectory::read(directory.image, directory.tree, offset, level)
                .map(ResourceNode::Directory);
        }
        let bytes = directory.tree.get(index(offset)..).ok_or(BAD)?;
        let mut fields = Fields::new(bytes.get(..16).ok_or(BAD)?);
        let (rva, size, code_page) = (fields.u32(), fields.u32(), fields.u32());
        Ok(ResourceNode::Data(ResourceData {
            rva,
            code_page,
            bytes: directory.image.at(rva, index(size)).ok_or(BAD)?,
        }))
    }

    fn directory(&self) -> NtResult<ResourceDirectory<'a>> {
        match self.open()? {
            ResourceNode::Directory(directory) => Ok(directory),
            ResourceNode::Data(_) => Err(BAD),
        }
    }
}
