//! A descriptor that holds its bytes: what an object carries.

use alloc::vec::Vec;

use nt_abi::NtResult;

use super::{Descriptor, memory};

/// A self-relative descriptor in memory of its own.
pub struct DescriptorBuf {
    bytes: Vec<u8>,
}

impl DescriptorBuf {
    /// Puts the parts together.
    ///
    /// # NT
    /// `RtlAbsoluteToSelfRelativeSD` into memory that it takes itself.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn build(descriptor: &Descriptor<'_>) -> NtResult<Self> {
        let length = descriptor.relative_length();
        let mut bytes = Vec::new();
        memory::reserve(&mut bytes, length)?;
        bytes.resize(length, 0);
        descriptor.write_relative(&mut bytes)?;
        Ok(Self { bytes })
    }

    /// Checks a self-relative descriptor and copies its parts, without what may lie between them.
    ///
    /// # NT
    /// `SeCaptureSecurityDescriptor`, after the bytes were copied from user mode.
    ///
    /// # Errors
    /// As [`Descriptor::read_relative`]; `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "SeCaptureSecurityDescriptor")]
    pub fn capture(bytes: &[u8]) -> NtResult<Self> {
        Self::build(&Descriptor::read_relative(bytes)?)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its parts.
    pub fn as_descriptor(&self) -> Descriptor<'_> {
        Descriptor::read_unchecked(&self.bytes).unwrap_or_default()
    }
}
