//! What the memory manager asks of a file.

use alloc::boxed::Box;
use alloc::vec::Vec;

use nt_abi::{NtResult, NtStatus};

/// A file that sections are made of, filled from above.
///
/// Its methods are called at Apc at most, with the lock of an address space or a control area held: they must not touch
/// user memory.
pub trait BackingFile: Send + Sync {
    /// Bytes.
    fn size(&self) -> u64;

    /// Reads from `offset` on; gives how many bytes there were, fewer than wanted only at the end.
    ///
    /// # Errors
    /// That of the device.
    fn read(&self, offset: u64, into: &mut [u8]) -> NtResult<usize>;

    /// Writes from `offset` on.
    ///
    /// # Errors
    /// That of the device; `MEDIA_WRITE_PROTECTED` if there is nothing to be written.
    fn write(&self, offset: u64, from: &[u8]) -> NtResult<usize>;

    /// Changes the size.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn set_size(&self, size: u64) -> NtResult {
        let _ = size;
        Err(NtStatus::MEDIA_WRITE_PROTECTED)
    }

    /// A number that all holds on this file have, and no other file has; `None` if there is no such number. Sections of one
    /// file share their pages.
    ///
    /// # NT
    /// `FILE_OBJECT.SectionObjectPointer`.
    fn identity(&self) -> Option<u64>;

    /// All its bytes, if they are in memory for as long as the file is held.
    fn contents(&self) -> Option<&[u8]> {
        None
    }
}

/// A file of a RAM disk: bytes that are there for good, to be read.
#[derive(Clone, Copy, Debug)]
pub struct RamFile(pub &'static [u8]);

impl BackingFile for RamFile {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> NtResult<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.0.get(offset..))
            .unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write(&self, _offset: u64, _from: &[u8]) -> NtResult<usize> {
        Err(NtStatus::MEDIA_WRITE_PROTECTED)
    }

    fn identity(&self) -> Option<u64> {
        // Where its bytes are is what no other file has.
        Some(self.0.as_ptr() as u64)
    }

    fn contents(&self) -> Option<&[u8]> {
        Some(self.0)
    }
}

impl<T: BackingFile> BackingFile for [T; 1] {
    fn size(&self) -> u64 {
        self[0].size()
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> NtResult<usize> {
        self[0].read(offset, into)
    }

    fn write(&self, offset: u64, from: &[u8]) -> NtResult<usize> {
        self[0].write(offset, from)
    }

    fn set_size(&self, size: u64) -> NtResult {
        self[0].set_size(size)
    }

    fn identity(&self) -> Option<u64> {
        self[0].identity()
    }

    fn contents(&self) -> Option<&[u8]> {
        self[0].contents()
    }
}

/// A hold on a file, of whichever kind.
pub struct FileHold(Box<dyn BackingFile>);

impl FileHold {
    /// Takes a hold into memory of its own.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn new<T: BackingFile + 'static>(file: T) -> NtResult<Self> {
        let none = NtStatus::INSUFFICIENT_RESOURCES;
        // A vector of exactly one element is the one fallible way to a box in stable Rust.
        let mut one = Vec::new();
        one.try_reserve_exact(1).map_err(|_| none)?;
        one.push(file);
        let one: Box<[T; 1]> = one.into_boxed_slice().try_into().map_err(|_| none)?;
        Ok(Self(one))
    }

    /// Fills `into` from `offset` on, with zeroes behind the file's end.
    pub(crate) fn fill(&self, offset: u64, into: &mut [u8]) -> NtResult {
        let mut done = 0;
        while done < into.len() {
            match self.0.read(offset + done as u64, &mut into[done..])? {
                0 => break,
                count => done += count.min(into.len() - done),
            }
        }
        into[done..].fill(0);
        Ok(())
    }
}

impl core::ops::Deref for FileHold {
    type Target = dyn BackingFile;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}
