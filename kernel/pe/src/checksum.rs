//! The checksum of a file.
//!
//! A one's-complement sum of all 16-bit words, as in IP, plus the file's length; the field that holds the checksum
//! counts as zero. NT compares it for drivers and for system libraries.
//!
//! # NT
//! `CheckSumMappedFile` of IMAGEHLP.

use nt_abi::{NtResult, NtStatus};

use crate::headers::Headers;

/// Offset of the checksum in the NT headers, the same in both widths.
const FIELD: usize = 24 + 64;

/// Computes the checksum of a file.
///
/// # Errors
/// Those of [`Image::from_file`](crate::Image::from_file) that concern finding the headers.
pub fn checksum(file: &[u8]) -> NtResult<u32> {
    let length = u32::try_from(file.len()).map_err(|_| NtStatus::INVALID_FILE_FOR_SECTION)?;
    let headers = Headers::read(file)?;
    let field = crate::bytes::index(headers.nt_offset) + FIELD;
    let mut sum = 0_u64;
    for (number, word) in file.chunks(2).enumerate() {
        let at = number * 2;
        if at >= field && at < field + 4 {
            continue;
        }
        let high = word.get(1).copied().unwrap_or_default();
        let low = word.first().copied().unwrap_or_default();
        sum += u64::from(u16::from_le_bytes([low, high]));
    }
    // Folding once at the end is the same as carrying around after each word.
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    Ok(crate::bytes::low32(sum).wrapping_add(length))
}

/// Compares the checksum with the one in the header.
///
/// # Errors
/// `IMAGE_CHECKSUM_MISMATCH` if they differ, and those of [`checksum`].
pub fn verify_checksum(file: &[u8]) -> NtResult {
    if checksum(file)? == Headers::read(file)?.checksum {
        Ok(())
    } else {
        Err(NtStatus::IMAGE_CHECKSUM_MISMATCH)
    }
}
