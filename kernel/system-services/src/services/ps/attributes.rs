//! `PS_ATTRIBUTE_LIST`: what else is said of a new process or thread, and asked of it.

use alloc::vec::Vec;

use nt_abi::process_creation::PsAttributeNumber;
use nt_abi::w64::{ClientId, PsAttribute, PsAttributeList};
use nt_abi::{NtResult, NtStatus};
use ps::image::Loaded;
use zerocopy::IntoBytes as _;

use crate::capture;

/// As many attributes as there are kinds of them.
const MOST: usize = 32;

/// The most handles that a list of them has.
const MOST_HANDLES: usize = 1 << 16;

/// A captured list. Mostly there is none, which costs nothing.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<PsAttribute>);

impl Attributes {
    /// Captures a list; a null pointer is an empty one.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a length that no list has, or an attribute that there is twice and may not be;
    /// `INSUFFICIENT_RESOURCES`.
    pub(super) fn capture(address: u64) -> NtResult<Self> {
        let mut list = Self::default();
        if address == 0 {
            return Ok(list);
        }
        let header: PsAttributeList = capture::read(address)?;
        let bytes = usize::try_from(header.total_length)
            .ok()
            .and_then(|length| length.checked_sub(size_of::<PsAttributeList>()))
            .filter(|bytes| bytes.is_multiple_of(size_of::<PsAttribute>()))
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        let count = bytes / size_of::<PsAttribute>();
        if count > MOST {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        list.0
            .try_reserve_exact(count)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        let first = address + size_of::<PsAttributeList>() as u64;
        for index in 0..count {
            let offset = (index * size_of::<PsAttribute>()) as u64;
            let attribute: PsAttribute = capture::read(first.wrapping_add(offset))?;
            let number = PsAttributeNumber(u32::try_from(attribute.attribute).unwrap_or(u32::MAX));
            if list.find(number).is_some() {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            list.0.push(attribute);
        }
        Ok(list)
    }

    /// The attribute of that kind, if it is there.
    pub(super) fn find(&self, number: PsAttributeNumber) -> Option<&PsAttribute> {
        self.0
            .iter()
            .find(|attribute| attribute.attribute == u64::from(number.0))
    }

    /// Refuses attributes that are not among these.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for those that the service does not have, as NT says.
    pub(super) fn only(&self, known: &[PsAttributeNumber]) -> NtResult {
        let all_known = self.0.iter().all(|attribute| {
            known
                .iter()
                .any(|number| attribute.attribute == u64::from(number.0))
        });
        if all_known {
            Ok(())
        } else {
            Err(NtStatus::INVALID_PARAMETER)
        }
    }

    /// The handles of `HANDLE_LIST`, if it is there, in ascending order and each once.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a length that no list has; the probes' statuses.
    pub(super) fn handles(&self) -> NtResult<Option<Vec<u64>>> {
        let Some(attribute) = self.find(PsAttributeNumber::HANDLE_LIST) else {
            return Ok(None);
        };
        let count = usize::try_from(attribute.size / 8).unwrap_or(usize::MAX);
        if !attribute.size.is_multiple_of(8) || count > MOST_HANDLES {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut handles: Vec<u64> = capture::read_array(attribute.value, count)?;
        for handle in &mut handles {
            // The two lowest bits are the caller's own.
            *handle &= !3;
        }
        // Each handle of the parent is looked for in it.
        handles.sort_unstable();
        handles.dedup();
        Ok(Some(handles))
    }

    /// Answers `IMAGE_INFO`, if it is asked for.
    ///
    /// # Errors
    /// The probes' statuses.
    pub(super) fn answer_image(&self, loaded: &Loaded) -> NtResult {
        let report = loaded.information.report();
        self.answer(PsAttributeNumber::IMAGE_INFO, report.as_bytes())
    }

    /// Answers `CLIENT_ID` and `TEB_ADDRESS`, where they are asked for.
    ///
    /// # Errors
    /// The probes' statuses.
    pub(super) fn answer_thread(&self, id: ClientId, teb: u64) -> NtResult {
        self.answer(PsAttributeNumber::CLIENT_ID, id.as_bytes())?;
        self.answer(PsAttributeNumber::TEB_ADDRESS, teb.as_bytes())
    }

    /// Writes the answer to an attribute, if it is asked for: as much of it as there is room.
    ///
    /// # Errors
    /// The probes' statuses.
    pub(super) fn answer(&self, number: PsAttributeNumber, bytes: &[u8]) -> NtResult {
        let Some(attribute) = self.find(number) else {
            return Ok(());
        };
        let room = usize::try_from(attribute.size).unwrap_or(usize::MAX);
        let part = bytes.get(..room.min(bytes.len())).unwrap_or(bytes);
        capture::write_bytes(attribute.value, part)?;
        if attribute.return_length != 0 {
            capture::write(attribute.return_length, &(part.len() as u64))?;
        }
        Ok(())
    }
}
