//! What user mode points to, brought into the kernel once.
//!
//! An argument that is an address proves nothing. A structure behind it is copied
//! once and judged by the copy, because the original may change between two looks.
//! What cannot be read or written gives the status that Windows' probes raise:
//! `DATATYPE_MISALIGNMENT` for an address that is not aligned for the type,
//! `ACCESS_VIOLATION` for one that is not there or not the user's.

use alloc::vec::Vec;

use arch::contract::VirtAddr;
use arch::user::{UserFault, copy_in, copy_out};
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
    copy_in(value.as_mut_bytes(), VirtAddr(address)).map_err(fault)?;
    Ok(value)
}

/// Writes a value.
#[inline]
pub(crate) fn write<T: Plain>(address: u64, value: &T) -> NtResult {
    check_alignment::<T>(address)?;
    copy_out(VirtAddr(address), value.as_bytes()).map_err(fault)
}

/// Looks whether a value could be written, before the work that it is the result of.
pub(crate) fn probe_for_write<T: Plain>(address: u64) -> NtResult {
    let value: T = read(address)?;
    write(address, &value)
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
    let mut name = Utf16String::new();
    if string.length == 0 {
        return Ok(name);
    }
    if !string.length.is_multiple_of(2) {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    check_alignment::<u16>(string.buffer)?;
    let bytes = read_bytes(string.buffer, usize::from(string.length), usize::MAX)?;
    for pair in bytes.chunks_exact(2) {
        name.push_unit(u16::from_le_bytes([pair[0], pair[1]]))
            .map_err(NtStatus::from)?;
    }
    Ok(name)
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
}

impl Attributes {
    /// What a null pointer means: no name, no flags.
    pub(crate) fn none() -> Self {
        Self {
            root: None,
            name: None,
            flags: ObjectAttributeFlags::empty(),
            descriptor: 0,
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
        })
    }
}

/// The header of a self-relative security descriptor: revision, padding, control; then four offsets.
const DESCRIPTOR_HEADER: usize = 20;
/// The longest descriptor that is captured.
const LONGEST_DESCRIPTOR: usize = 128 * 1024;

/// Captures a self-relative security descriptor.
///
/// # Differs
/// An absolute one, whose parts are at addresses, is refused with `INVALID_SECURITY_DESCR`.
fn security_descriptor(address: u64) -> NtResult<DescriptorBuf> {
    let header = read_bytes(address, DESCRIPTOR_HEADER, DESCRIPTOR_HEADER)?;
    // The parts may be in any order, and each says itself how long it is: what follows is read page by page, as far as it
    // can be, until the descriptor is whole.
    let mut length = DESCRIPTOR_HEADER;
    let mut result = DescriptorBuf::capture(&header);
    while result.is_err() && length < LONGEST_DESCRIPTOR {
        let end = address.wrapping_add(length as u64);
        let page = arch::contract::PAGE_SIZE;
        let more = usize::try_from(page - end % page).unwrap_or(0);
        length += more;
        match read_bytes(
            address,
            length,
            LONGEST_DESCRIPTOR + DESCRIPTOR_HEADER + more,
        ) {
            Ok(bytes) => result = DescriptorBuf::capture(&bytes),
            Err(_) => return result,
        }
    }
    result
}
