//! Files that are loaded as data: to look at their resources, not to run.
//!
//! They are no modules: no list has them, nothing of them is called. Their handle is the base with a bit that says what they
//! are, which every function that takes a base of a module looks at.
//!
//! # NT
//! `LOAD_LIBRARY_AS_DATAFILE`, `LOAD_LIBRARY_AS_IMAGE_RESOURCE`; the table of `LdrAddLoadAsDataTable`.

use c_interface::{Ptr, field};
use nt_abi::native::{ListEntry, Pointer};
use nt_abi::{NtResult, NtStatus};
use pe::Image;
use rtl::{Utf16Str, Utf16String};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::images::untagged;
use crate::list;
use crate::load::{LoadFlags, SearchPath};
use crate::loader::Loader;
use crate::names::{EXTENSION, Extension, PathKind, extension_of, join, kind_of};
use crate::number::{index, saturating};
use crate::registry::block;
use crate::search::{SEMICOLON, found};
use crate::system::{ImageSource, MappedImage, System};
use crate::view::View;

/// The handle of a file, byte by byte (`LDR_IS_DATAFILE`).
const FILE: usize = 1;
/// The handle of an image (`LDR_IS_IMAGEMAPPING`).
const IMAGE: usize = 2;

/// A file that was loaded as data; the units of its path follow.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct DataFile {
    links: ListEntry,
    base: Pointer,
    /// In bytes.
    size: u32,
    /// `FILE` or `IMAGE`.
    tag: u32,
    /// Of the path, in units.
    length: u32,
    reserved: u32,
}

impl<S: System> Loader<S> {
    /// Maps a file as data. Gives its handle.
    ///
    /// # Errors
    /// - `DLL_NOT_FOUND`: it is not there.
    /// - `INVALID_IMAGE_FORMAT` or another status that its image gives.
    /// - `INVALID_PARAMETER`: the name is empty, or the flags want no data.
    /// - `NO_MEMORY`.
    pub fn load_as_data(
        &self,
        path: SearchPath<'_>,
        flags: LoadFlags,
        name: Utf16Str<'_>,
    ) -> NtResult<Ptr<u8>> {
        let as_file = LoadFlags(LoadFlags::AS_DATAFILE.0 | LoadFlags::AS_DATAFILE_EXCLUSIVE.0);
        // As an image if both are wanted: what is found in a file is found there too.
        let tag = if flags.contains(LoadFlags::AS_IMAGE_RESOURCE) {
            IMAGE
        } else if flags.intersects(as_file) {
            FILE
        } else {
            return Err(NtStatus::INVALID_PARAMETER);
        };
        if name.is_empty() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let no_memory = |_| NtStatus::NO_MEMORY;
        let mut given = name.try_to_owned().map_err(no_memory)?;
        match extension_of(name) {
            Extension::Missing => given.push(EXTENSION).map_err(no_memory)?,
            Extension::TrailingDot => given.truncate(given.len() - 1),
            Extension::Given => {}
        }
        let given = given.as_str();
        if !matches!(kind_of(given), PathKind::Name | PathKind::Relative) {
            let full = self.full_path(given)?;
            return self.map_data(&full, tag)?.ok_or(NtStatus::DLL_NOT_FOUND);
        }
        let directories = self.directories(path.into())?;
        for directory in directories
            .as_str()
            .units()
            .split(|unit| *unit == SEMICOLON)
        {
            if directory.is_empty() {
                continue;
            }
            let full = join(Utf16Str::new(directory), given)?;
            if let Some(handle) = self.map_data(&full, tag)? {
                return Ok(handle);
            }
        }
        Err(NtStatus::DLL_NOT_FOUND)
    }

    fn map_data(&self, path: &Utf16String, tag: usize) -> NtResult<Option<Ptr<u8>>> {
        let path = path.as_str();
        let source = if tag == FILE {
            ImageSource::DataFile(path)
        } else {
            ImageSource::ImageResource(path)
        };
        let Some(image) = found(self.system.map(source))? else {
            return Ok(None);
        };
        let kept = self.keep_data(&image, path, tag);
        kept.map(Some)
            .inspect_err(|_| self.system.unmap(image.base))
    }

    fn keep_data(&self, image: &MappedImage, path: Utf16Str<'_>, tag: usize) -> NtResult<Ptr<u8>> {
        let view = if tag == FILE {
            View {
                base: image.base,
                readable: saturating(image.size),
            }
        } else {
            View::open(image.base, image.size)?.0
        };
        let _lock = self.lock();
        let registry = self.modules()?;
        let bytes = size_of::<DataFile>() + path.len() * 2;
        let block = self.system.allocate(bytes).ok_or(NtStatus::NO_MEMORY)?;
        block.cast::<DataFile>().write(DataFile {
            links: ListEntry::default(),
            base: image.base.raw(),
            size: view.readable,
            tag: saturating(tag),
            length: saturating(path.len()),
            reserved: 0,
        });
        let units = block.byte_add(size_of::<DataFile>()).cast::<u16>();
        units.write_array(path.units());
        let _lists = self.write_modules();
        list::insert_tail(block!(registry, data_files), block.cast());
        Ok(image.base.byte_add(tag))
    }

    /// The record of a handle.
    fn data_file(&self, handle: Ptr<u8>) -> Option<Ptr<DataFile>> {
        let registry = self.registry()?;
        let base = untagged(handle);
        if base == handle {
            return None;
        }
        list::entries(block!(registry, data_files))
            .map(Ptr::cast::<DataFile>)
            .find(|file| {
                let tag = index(field!(*file, DataFile, tag).read());
                field!(*file, DataFile, base).read() == base.raw() && base.byte_add(tag) == handle
            })
    }

    /// What can be read of a file that was loaded as data.
    pub(crate) fn data_view(&self, handle: Ptr<u8>) -> Option<View> {
        let _lists = self.read_modules();
        let file = self.data_file(handle)?;
        Some(View {
            base: untagged(handle),
            readable: field!(file, DataFile, size).read(),
        })
    }

    /// A view as the reader of PE files sees it: in the way that the handle says.
    pub(crate) fn image_of<'a>(&self, handle: Ptr<u8>, view: &'a View) -> NtResult<Image<'a>> {
        if handle.address() & (FILE | IMAGE) == FILE {
            Image::from_file(view.bytes())
        } else {
            view.image()
        }
    }

    /// Unmaps a file that was loaded as data.
    ///
    /// # Errors
    /// `DLL_NOT_FOUND`: the handle is none.
    pub fn unload_data(&self, handle: Ptr<u8>) -> NtResult {
        let _lock = self.lock();
        let file = {
            let _lists = self.write_modules();
            let file = self.data_file(handle).ok_or(NtStatus::DLL_NOT_FOUND)?;
            list::remove(file.cast());
            file
        };
        self.system.free(file.cast());
        self.system.unmap(untagged(handle));
        Ok(())
    }

    /// Gives the path of a file that was loaded as data to a function.
    ///
    /// # Errors
    /// `DLL_NOT_FOUND`: the handle is none. Those of the function.
    #[doc(alias = "LdrGetFileNameFromLoadAsDataTable")]
    pub fn data_file_name<T>(
        &self,
        handle: Ptr<u8>,
        give: impl FnOnce(Utf16Str<'_>) -> NtResult<T>,
    ) -> NtResult<T> {
        let _lock = self.lock();
        let file = self.data_file(handle).ok_or(NtStatus::DLL_NOT_FOUND)?;
        let length = field!(file, DataFile, length).read();
        let units = file.byte_add(size_of::<DataFile>()).cast::<u16>();
        give(Utf16Str::new(units.slice(index(length))))
    }
}
