//! Answers to queries: a structure into a buffer whose length the caller says, and the length that would have done.
//!
//! Three customs exist, and each information class has one of them: a buffer of exactly the structure's length
//! ([`Query::exactly`]), one of at least that length ([`Query::at_least`]), and one for a structure with something of
//! any length behind it ([`Query::bytes`]).

use arch::contract::VirtAddr;
use arch::user::is_user_range;
use nt_abi::{NtResult, NtStatus};

use crate::capture::{self, Plain};

/// Where the answer to a query goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query {
    /// The buffer.
    buffer: u64,
    /// Its length in bytes.
    length: u32,
    /// Where the length of the answer is wanted, or 0.
    return_length: u64,
    /// Whether lengths are as wide as pointers.
    is_wide: bool,
}

impl Query {
    /// A query with that buffer; it is looked at when the answer is known.
    ///
    /// # Errors
    /// The probes' statuses for the place of the length.
    pub(crate) fn new(buffer: u64, length: u32, return_length: u64) -> NtResult<Self> {
        if return_length != 0 {
            capture::probe_for_write::<u32>(return_length)?;
        }
        Ok(Self {
            buffer,
            length,
            return_length,
            is_wide: false,
        })
    }

    /// The same for a service that looks first whether the buffer is one: aligned like a ULONG, and the user's.
    ///
    /// # Errors
    /// `DATATYPE_MISALIGNMENT`, `ACCESS_VIOLATION`.
    pub(crate) fn probed(buffer: u64, length: u32, return_length: u64) -> NtResult<Self> {
        check_buffer(buffer, length)?;
        Self::new(buffer, length, return_length)
    }

    /// The same for a service whose lengths are as wide as pointers. An answer is never so long that the buffer's length
    /// needs more than 32 bits.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn wide(buffer: u64, length: u64, return_length: u64) -> NtResult<Self> {
        if return_length != 0 {
            capture::probe_for_write::<u64>(return_length)?;
        }
        Ok(Self {
            buffer,
            length: u32::try_from(length).unwrap_or(u32::MAX),
            return_length,
            is_wide: true,
        })
    }

    /// The buffer.
    pub(crate) const fn buffer(&self) -> u64 {
        self.buffer
    }

    /// The length of the buffer.
    pub(crate) const fn length(&self) -> u32 {
        self.length
    }

    /// Answers a class whose buffer must have just the structure's length.
    ///
    /// # Errors
    /// `INFO_LENGTH_MISMATCH`; the probes' statuses.
    pub(crate) fn exactly<T: Plain>(&self, answer: &T) -> NtResult {
        if self.length as usize != size_of::<T>() {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        self.write(answer)
    }

    /// Answers a class whose buffer may be longer than the structure.
    ///
    /// # Errors
    /// `INFO_LENGTH_MISMATCH` if it is shorter, and the length that would do is told; the probes' statuses.
    pub(crate) fn at_least<T: Plain>(&self, answer: &T) -> NtResult {
        if (self.length as usize) < size_of::<T>() {
            self.tell_length(size_of::<T>())?;
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        self.write(answer)
    }

    /// Answers with bytes; `too_short` is the class's status for a buffer that cannot hold them, and the length that
    /// would do is told with it.
    ///
    /// # Errors
    /// `too_short`; the probes' statuses.
    pub(crate) fn bytes(&self, answer: &[u8], too_short: NtStatus) -> NtResult {
        if (self.length as usize) < answer.len() {
            self.tell_length(answer.len())?;
            return Err(too_short);
        }
        capture::write_bytes(self.buffer, answer)?;
        self.tell_length(answer.len())
    }

    /// Answers a class whose structure has grown: with as much of it as the buffer holds, and the whole length.
    ///
    /// # Errors
    /// The probes' statuses.
    pub(crate) fn as_much_as_fits(&self, answer: &[u8]) -> NtResult {
        let length = (self.length as usize).min(answer.len());
        capture::write_bytes(self.buffer, &answer[..length])?;
        self.tell_length(answer.len())
    }

    /// Writes the length of the answer, if it is wanted.
    ///
    /// # Errors
    /// The probes' statuses.
    pub(crate) fn tell_length(&self, length: usize) -> NtResult {
        if self.return_length == 0 {
            return Ok(());
        }
        if self.is_wide {
            return capture::write(self.return_length, &(length as u64));
        }
        let length = u32::try_from(length).map_err(|_| NtStatus::INTEGER_OVERFLOW)?;
        capture::write(self.return_length, &length)
    }

    fn write<T: Plain>(&self, answer: &T) -> NtResult {
        capture::write_bytes(self.buffer, answer.as_bytes())?;
        self.tell_length(size_of::<T>())
    }
}

/// Looks whether a buffer of queries and settings is one: aligned like a ULONG, and the user's.
///
/// # Errors
/// `DATATYPE_MISALIGNMENT`, `ACCESS_VIOLATION`.
fn check_buffer(buffer: u64, length: u32) -> NtResult {
    if length == 0 {
        return Ok(());
    }
    // What is shorter than a ULONG, a BOOLEAN or two bytes, lies anywhere.
    let aligned = (length as usize) < size_of::<u32>() || buffer.is_multiple_of(4);
    if !aligned {
        return Err(NtStatus::DATATYPE_MISALIGNMENT);
    }
    if !is_user_range(VirtAddr(buffer), u64::from(length)) {
        return Err(NtStatus::ACCESS_VIOLATION);
    }
    Ok(())
}

/// What a caller sets information with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    buffer: u64,
    length: u32,
}

impl Setting {
    /// What is in that buffer.
    ///
    /// # Errors
    /// `DATATYPE_MISALIGNMENT`, `ACCESS_VIOLATION`.
    pub(crate) fn probed(buffer: u64, length: u32) -> NtResult<Self> {
        check_buffer(buffer, length)?;
        Ok(Self { buffer, length })
    }

    /// The buffer's length.
    pub(crate) const fn length(&self) -> u32 {
        self.length
    }

    /// The buffer.
    pub(crate) const fn buffer(&self) -> u64 {
        self.buffer
    }

    /// The structure in it, whose length it must have.
    ///
    /// # Errors
    /// `INFO_LENGTH_MISMATCH`; the probes' statuses.
    pub(crate) fn value<T: Plain>(&self) -> NtResult<T> {
        if self.length as usize != size_of::<T>() {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        capture::read_unaligned(self.buffer)
    }
}

/// The structure that a caller sets information with: its length must be just the structure's.
///
/// # Errors
/// `INFO_LENGTH_MISMATCH`; the probes' statuses.
pub(crate) fn setting<T: Plain>(buffer: u64, length: u32) -> NtResult<T> {
    if length as usize != size_of::<T>() {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    capture::read(buffer)
}
