//! Services of the executive's own objects and settings.
//!
//! | module | services |
//! |---|---|
//! | `object` | what all that create or open an object have in common |
//! | `event`, `mutant`, `semaphore`, `timer`, `keyed_event` | those objects |
//! | `time` | the clock, counters, the clock's resolution |
//! | `identifier`, `atom`, `locale` | numbers that are given out once; strings that have a number; languages |
//! | `system_information` | what the system says of itself |
//! | `console`, `hard_error` | text on the console; hard errors as sentences |

mod atom;
mod console;
mod event;
mod hard_error;
mod identifier;
mod keyed_event;
mod locale;
mod mutant;
mod object;
mod semaphore;
mod system_information;
mod time;
mod timer;

pub(crate) use atom::*;
pub(crate) use console::*;
pub(crate) use event::*;
pub(crate) use identifier::*;
pub(crate) use keyed_event::*;
pub(crate) use locale::*;
pub(crate) use mutant::*;
pub(in crate::services) use object::{create_object, open_object};
pub(crate) use semaphore::*;
pub(crate) use system_information::*;
pub(crate) use time::*;
pub(crate) use timer::*;

use core::marker::PhantomData;

use nt_abi::services::arguments::{OptionalOut, OutBytes};
use nt_abi::{NtResult, NtStatus};

use crate::capture::{self, Plain, Pointer};

/// The answer to a query whose classes are structures of one length: buffer and length are judged before the handle is.
pub(in crate::services) struct Fixed<T> {
    buffer: u64,
    return_length: OptionalOut<u32>,
    _answer: PhantomData<T>,
}

impl<T: Plain> Fixed<T> {
    /// An answer into that buffer.
    ///
    /// # Errors
    /// `INFO_LENGTH_MISMATCH` unless the buffer has just the structure's length; the probes' statuses.
    pub(in crate::services) fn new(
        buffer: OutBytes,
        length: u32,
        return_length: OptionalOut<u32>,
    ) -> NtResult<Self> {
        if length as usize != size_of::<T>() {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        let buffer = buffer.address();
        // Whatever the structure needs, a buffer is aligned like a ULONG.
        if !buffer.is_multiple_of(align_of::<u32>() as u64) {
            return Err(NtStatus::DATATYPE_MISALIGNMENT);
        }
        let present = capture::read_bytes(buffer, size_of::<T>(), size_of::<T>())?;
        capture::write_bytes(buffer, &present)?;
        return_length.probe_optional::<u32>()?;
        Ok(Self {
            buffer,
            return_length,
            _answer: PhantomData,
        })
    }

    /// Writes the answer, and its length if that is wanted.
    ///
    /// # Errors
    /// The probes' statuses.
    pub(in crate::services) fn give(&self, answer: &T) -> NtResult {
        capture::write_bytes(self.buffer, answer.as_bytes())?;
        let length = u32::try_from(size_of::<T>()).map_err(|_| NtStatus::INFO_LENGTH_MISMATCH)?;
        self.return_length.write_optional(&length)
    }
}
