//! What user mode points to, brought into the kernel once.
//!
//! An argument that is an address proves nothing. A structure behind it is copied
//! once and judged by the copy, because the original may change between two looks.
//! What cannot be read or written gives the status that Windows' probes raise:
//! `DATATYPE_MISALIGNMENT` for an address that is not aligned for the type,
//! `ACCESS_VIOLATION` for one that is not there or not the user's.

mod security;

pub(crate) use security::{acl, optional_sid, security_descriptor, sid};

use alloc::vec::Vec;

use arch::contract::{PAGE_SIZE, VirtAddr};
use arch::user::{UserFault, copy_in, copy_out, is_user_range, read_word, write_word};
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::services::arguments::{Handle, UserPointer};
use nt_abi::{NtResult, NtStatus, w64};
use rtl::security::DescriptorBuf;
use rtl::utf16::Utf16String;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// What is read as bytes and written as bytes.
pub(crate) trait Plain: FromBytes + IntoBytes + Immutable {}

impl<T: FromBytes + IntoBytes + Immutable> Plain for T {}

fn fault(_: UserFault) -> NtStatus {
    NtStatus::ACCESS_VIOLATION
}

fn check_alignment<T>(address: u64) -> NtResult {
    if address.is_multiple_of(align_of::<T>() as u64) {
        Ok(())
    } else {
        Err(NtStatus::DATATYPE_MISALIGNMENT)
    }
}

/// Reads a value.
#[inline]
pub(crate) fn read<T: Plain>(address: u64) -> NtResult<T> {
    check_alignment::<T>(address)?;
    let mut value = T::new_zeroed();
    if size_of::<T>() == size_of::<u64>() {
        let word = read_word(VirtAddr(address)).map_err(fault)?;
        value
            .as_mut_bytes()
            .copy_from_slice(word.to_ne_bytes().as_slice());
    } else {
        copy_in(value.as_mut_bytes(), VirtAddr(address)).map_err(fault)?;
    }
    Ok(value)
}

/// Reads a value that need not be aligned.
pub(crate) fn read_unaligned<T: Plain>(address: u64) -> NtResult<T> {
    let mut value = T::new_zeroed();
    copy_in(value.as_mut_bytes(), VirtAddr(address)).map_err(fault)?;
    Ok(value)
}

/// Writes a value.
#[inline]
pub(crate) fn write<T: Plain>(address: u64, value: &T) -> NtResult {
    check_alignment::<T>(address)?;
    match <[u8; 8]>::try_from(value.as_bytes()) {
        Ok(word) => write_word(VirtAddr(address), u64::from_ne_bytes(word)),
        Err(_) => copy_out(VirtAddr(address), value.as_bytes()),
    }
    .map_err(fault)
}

/// Looks whether a value could be written, before the work that it is the result of; gives the value that is there.
#[inline]
pub(crate) fn probe_and_read<T: Plain>(address: u64) -> NtResult<T> {
    let value: T = read(address)?;
    write(address, &value)?;
    Ok(value)
}

/// Looks whether a value could be written, before the work that it is the result of.
#[inline]
pub(crate) fn probe_for_write<T: Plain>(address: u64) -> NtResult {
    probe_and_read::<T>(address).map(|_| ())
}

/// Reads bytes, of which there are at most `most`.
pub(crate) fn read_bytes(address: u64, length: usize, most: usize) -> NtResult<Vec<u8>> {
    if length > most {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(length)
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    bytes.resize(length, 0);
    copy_in(&mut bytes, VirtAddr(address)).map_err(fault)?;
    Ok(bytes)
}

/// Fills `into`.
pub(crate) fn read_into(address: u64, into: &mut [u8]) -> NtResult {
    copy_in(into, VirtAddr(address)).map_err(fault)
}

/// Looks whether bytes could be written, one of each page.
///
/// # NT
/// `ProbeForWrite`.
pub(crate) fn probe_bytes_for_write(address: u64, length: u64) -> NtResult {
    if length == 0 {
        return Ok(());
    }
    if !is_user_range(VirtAddr(address), length) {
        return Err(NtStatus::ACCESS_VIOLATION);
    }
    let mut place = address;
    while place < address + length {
        probe_for_write::<u8>(place)?;
        place = (place / PAGE_SIZE + 1) * PAGE_SIZE;
    }
    Ok(())
}

/// Looks whether so many values could be written.
pub(crate) fn probe_array_for_write<T: Plain>(address: u64, count: u64) -> NtResult {
    check_alignment::<T>(address)?;
    let length = count.checked_mul(size_of::<T>() as u64);
    probe_bytes_for_write(address, length.ok_or(NtStatus::ACCESS_VIOLATION)?)
}

/// Writes bytes.
pub(crate) fn write_bytes(address: u64, bytes: &[u8]) -> NtResult {
    copy_out(VirtAddr(address), bytes).map_err(fault)
}

/// Fills bytes from there.
fn fill(bytes: &mut [u8], address: u64) -> NtResult {
    copy_in(bytes, VirtAddr(address)).map_err(fault)
}

/// Bytes of an array that are read at once.
const PIECE: usize = 64 * 1024;

/// Reads `count` values that lie one after another.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES` if there is no memory for them; the probes' statuses.
pub(crate) fn read_array<T: Plain>(address: u64, count: usize) -> NtResult<Vec<T>> {
    let mut values = Vec::new();
    if count == 0 {
        return Ok(values);
    }
    check_alignment::<T>(address)?;
    // Memory is asked for only if there can be so much to read.
    let length = count
        .checked_mul(size_of::<T>())
        .ok_or(NtStatus::ACCESS_VIOLATION)?;
    if !is_user_range(VirtAddr(address), length as u64) {
        return Err(NtStatus::ACCESS_VIOLATION);
    }
    // Piece by piece, so that the kernel's memory grows only as far as there is something to read.
    let piece = (PIECE / size_of::<T>()).max(1);
    while values.len() < count {
        let before = values.len();
        let now = piece.min(count - before);
        values
            .try_reserve(now)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        values.resize_with(before + now, T::new_zeroed);
        let place = address + (before * size_of::<T>()) as u64;
        if let Some(part) = values.get_mut(before..) {
            fill(part.as_mut_bytes(), place)?;
        }
    }
    Ok(values)
}

/// Reading and writing one value through an argument.
pub(crate) trait Pointer: Copy {
    fn address(self) -> u64;

    /// Reads the value.
    fn read<T: Plain>(self) -> NtResult<T> {
        read(self.address())
    }

    /// Reads the value, if there is one.
    fn read_optional<T: Plain>(self) -> NtResult<Option<T>> {
        if self.address() == 0 {
            Ok(None)
        } else {
            read(self.address()).map(Some)
        }
    }

    /// Writes the value.
    fn write<T: Plain>(self, value: &T) -> NtResult {
        write(self.address(), value)
    }

    /// Writes the value, if it is wanted.
    fn write_optional<T: Plain>(self, value: &T) -> NtResult {
        if self.address() == 0 {
            Ok(())
        } else {
            write(self.address(), value)
        }
    }

    /// Looks whether the value could be written.
    fn probe<T: Plain>(self) -> NtResult {
        probe_for_write::<T>(self.address())
    }

    /// Looks whether the value could be written, if it is wanted.
    fn probe_optional<T: Plain>(self) -> NtResult {
        if self.address() == 0 {
            Ok(())
        } else {
            probe_for_write::<T>(self.address())
        }
    }
}

impl<S, F, P> Pointer for UserPointer<S, F, P> {
    #[inline]
    fn address(self) -> u64 {
        UserPointer::address(self)
    }
}

/// Captures a `UNICODE_STRING` and its units.
///
/// # Errors
/// `OBJECT_NAME_INVALID` for an odd length, as the object manager says; the probes' statuses.
pub(crate) fn unicode_string(address: u64) -> NtResult<Utf16String> {
    let string: w64::UnicodeString = read(address)?;
    units(&string)
}

fn units(string: &w64::UnicodeString) -> NtResult<Utf16String> {
    if !string.length.is_multiple_of(2) {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    let units = read_array(string.buffer, usize::from(string.length / 2))?;
    Ok(Utf16String::from_units(units))
}

/// A captured `OBJECT_ATTRIBUTES`.
pub(crate) struct Attributes {
    /// Where the name begins.
    pub(crate) root: Option<Handle>,
    /// The name, if there is one.
    pub(crate) name: Option<Utf16String>,
    pub(crate) flags: ObjectAttributeFlags,
    /// Where a security descriptor is, or 0.
    pub(crate) descriptor: u64,
    /// Where a quality of service is, or 0.
    pub(crate) quality_of_service: u64,
}

impl Attributes {
    /// What a null pointer means: no name, no flags.
    pub(crate) fn none() -> Self {
        Self {
            root: None,
            name: None,
            flags: ObjectAttributeFlags::empty(),
            descriptor: 0,
            quality_of_service: 0,
        }
    }

    /// Captures the security descriptor, if there is one.
    ///
    /// # Errors
    /// Those of a damaged descriptor; the probes' statuses.
    pub(crate) fn descriptor(&self) -> NtResult<Option<DescriptorBuf>> {
        if self.descriptor == 0 {
            return Ok(None);
        }
        security_descriptor(self.descriptor).map(Some)
    }

    /// Captures them; a null pointer means none.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a wrong length or unknown flags; the probes' statuses.
    pub(crate) fn capture(address: u64) -> NtResult<Self> {
        if address == 0 {
            return Ok(Self::none());
        }
        let attributes: w64::ObjectAttributes = read(address)?;
        if attributes.length as usize != size_of::<w64::ObjectAttributes>() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let flags = attributes.attributes;
        if flags.bits() & !ObjectAttributeFlags::all().bits() != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let name = match attributes.object_name {
            0 => None,
            name => Some(unicode_string(name)?).filter(|name| !name.as_str().is_empty()),
        };
        let root = attributes.root_directory;
        Ok(Self {
            root: (root != 0).then_some(Handle(root)),
            name,
            flags,
            descriptor: attributes.security_descriptor,
            quality_of_service: attributes.security_quality_of_service,
        })
    }
}
