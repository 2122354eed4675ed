//! Security identifiers: who is meant.
//!
//! A SID is at most 68 bytes, so an owned one holds them inline and copying it
//! needs no memory. Both forms keep the bytes as Windows lays them out; two
//! SIDs are the same if their bytes are.

use core::fmt;
use core::str::FromStr;

use nt_abi::security::{SECURITY_MAX_SID_SIZE, SID_MAX_SUB_AUTHORITIES, SID_REVISION, SidHeader};
use nt_abi::{NtResult, NtStatus};
use zerocopy::FromBytes;

const HEADER: usize = size_of::<SidHeader>();

/// A SID in bytes that were checked.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sid<'a> {
    bytes: &'a [u8],
}

impl<'a> Sid<'a> {
    /// Reads the SID that `bytes` start with; what follows it is ignored.
    ///
    /// # NT
    /// `RtlValidSid`, which takes the memory behind its pointer on trust.
    ///
    /// # Errors
    /// `INVALID_SID`: a revision other than 1, more than 15 subauthorities, or bytes missing.
    #[doc(alias = "RtlValidSid")]
    pub fn read(bytes: &'a [u8]) -> NtResult<Self> {
        let (header, _) = SidHeader::read_from_prefix(bytes).map_err(|_| NtStatus::INVALID_SID)?;
        let count = usize::from(header.sub_authority_count);
        if header.revision != SID_REVISION || count > SID_MAX_SUB_AUTHORITIES {
            return Err(NtStatus::INVALID_SID);
        }
        let bytes = bytes
            .get(..HEADER + 4 * count)
            .ok_or(NtStatus::INVALID_SID)?;
        Ok(Self { bytes })
    }

    /// Its bytes, 8 to 68, a multiple of 4.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The 48-bit number of who defines what the subauthorities mean.
    pub fn authority(self) -> u64 {
        self.bytes[2..HEADER]
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// The subauthorities, in order.
    pub fn sub_authorities(self) -> impl ExactSizeIterator<Item = u32> + 'a {
        self.bytes[HEADER..]
            .chunks_exact(4)
            .map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
    }

    /// The last subauthority, which tells accounts of one domain apart.
    pub fn relative_id(self) -> Option<u32> {
        self.sub_authorities().last()
    }

    /// A copy of its own.
    pub fn to_buf(self) -> SidBuf {
        let mut bytes = [0; SECURITY_MAX_SID_SIZE];
        bytes[..self.bytes.len()].copy_from_slice(self.bytes);
        SidBuf { bytes }
    }
}

/// A SID that holds its bytes; those behind its end are zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SidBuf {
    bytes: [u8; SECURITY_MAX_SID_SIZE],
}

impl SidBuf {
    /// Makes a SID from its numbers.
    ///
    /// # Panics
    /// On more than 15 subauthorities or an authority of more than 48 bits: a mistake in the source. Numbers from outside go
    /// through [`try_new`](Self::try_new).
    pub const fn new(authority: u64, sub_authorities: &[u32]) -> Self {
        match Self::try_new(authority, sub_authorities) {
            Some(sid) => sid,
            None => panic!("a SID has at most 15 subauthorities and an authority of 48 bits"),
        }
    }

    /// Makes a SID from its numbers; `None` on more than 15 subauthorities or an authority of more than 48 bits.
    pub const fn try_new(authority: u64, sub_authorities: &[u32]) -> Option<Self> {
        if sub_authorities.len() > SID_MAX_SUB_AUTHORITIES || authority >> 48 != 0 {
            return None;
        }
        let mut bytes = [0; SECURITY_MAX_SID_SIZE];
        bytes[0] = SID_REVISION;
        // At most 15, as was checked.
        bytes[1] = sub_authorities.len().to_le_bytes()[0];
        let big_endian = authority.to_be_bytes();
        let mut index = 0;
        while index < 6 {
            bytes[2 + index] = big_endian[2 + index];
            index += 1;
        }
        let mut count = 0;
        while count < sub_authorities.len() {
            let four = sub_authorities[count].to_le_bytes();
            let mut byte = 0;
            while byte < 4 {
                bytes[HEADER + 4 * count + byte] = four[byte];
                byte += 1;
            }
            count += 1;
        }
        Some(Self { bytes })
    }

    /// The SID in it.
    pub fn as_sid(&self) -> Sid<'_> {
        Sid {
            bytes: &self.bytes[..HEADER + 4 * usize::from(self.bytes[1])],
        }
    }
}

impl PartialEq<SidBuf> for Sid<'_> {
    fn eq(&self, other: &SidBuf) -> bool {
        *self == other.as_sid()
    }
}

impl PartialEq<Sid<'_>> for SidBuf {
    fn eq(&self, other: &Sid<'_>) -> bool {
        self.as_sid() == *other
    }
}

impl fmt::Display for Sid<'_> {
    /// As `RtlConvertSidToUnicodeString` does: the authority in decimal if it fits 32 bits, else in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u32::try_from(self.authority()) {
            Ok(authority) => write!(f, "S-1-{authority}")?,
            Err(_) => write!(f, "S-1-0x{:012x}", self.authority())?,
        }
        self.sub_authorities()
            .try_for_each(|number| write!(f, "-{number}"))
    }
}

impl fmt::Debug for Sid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SidBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_sid(), f)
    }
}

impl fmt::Debug for SidBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_sid(), f)
    }
}

impl FromStr for SidBuf {
    type Err = NtStatus;

    /// Reads the text form ([MS-DTYP] 2.4.2.1).
    ///
    /// # Errors
    /// `INVALID_SID`.
    ///
    /// # Differs
    /// A SID without subauthorities is read too, since that is how such a one is printed.
    fn from_str(text: &str) -> NtResult<Self> {
        let rest = text
            .strip_prefix("S-1-")
            .or_else(|| text.strip_prefix("s-1-"))
            .ok_or(NtStatus::INVALID_SID)?;
        let mut numbers = rest.split('-');
        let authority = numbers
            .next()
            .and_then(read_authority)
            .ok_or(NtStatus::INVALID_SID)?;
        let mut sub_authorities = [0; SID_MAX_SUB_AUTHORITIES];
        let mut count = 0;
        for number in numbers {
            *sub_authorities
                .get_mut(count)
                .ok_or(NtStatus::INVALID_SID)? = read_decimal(number)
                .and_then(|number| u32::try_from(number).ok())
                .ok_or(NtStatus::INVALID_SID)?;
            count += 1;
        }
        Self::try_new(authority, &sub_authorities[..count]).ok_or(NtStatus::INVALID_SID)
    }
}

/// Digits alone: `parse` would take a sign as well.
fn read_decimal(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(())?;
    text.parse().ok()
}

fn read_authority(text: &str) -> Option<u64> {
    let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) else {
        return read_decimal(text);
    };
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then_some(())?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::security::well_known;

    extern crate std;

    #[test]
    fn the_bytes_are_those_of_the_documentation() {
        // [MS-DTYP] 2.5.1.4 "SDDL String to Binary Example": the SID of "BU" in the first ACE.
        let users = [1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x21, 2, 0, 0];
        assert_eq!(well_known::USERS.as_sid().bytes(), users);
        assert_eq!(Sid::read(&users).expect("good"), well_known::USERS);
        assert_eq!(well_known::USERS.to_string(), "S-1-5-32-545");
    }

    #[test]
    fn text_goes_both_ways() {
        for text in [
            "S-1-0-0",
            "S-1-5-21-397955417-626881126-188441444-1010",
            "S-1-16-12288",
            "S-1-4294967295-1",
            "S-1-0x0100000000ff-4294967295",
            "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15",
        ] {
            let sid: SidBuf = text.parse().expect(text);
            assert_eq!(sid.to_string(), text);
        }
        let lower: SidBuf = "s-1-0x5-32".parse().expect("case does not matter");
        assert_eq!(lower.to_string(), "S-1-5-32");
    }

    #[test]
    fn text_that_is_no_sid_is_refused() {
        for text in [
            "",
            "S",
            "S-1",
            "S-1-",
            "S-2-5-32",
            "S-1-5-",
            "S-1-5--1",
            "S-1-5-+1",
            "S-1-5-4294967296",
            "S-1-0x1000000000000-1",
            "S-1-281474976710656-1",
            "S-1-5-32 ",
            "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
        ] {
            assert_eq!(text.parse::<SidBuf>(), Err(NtStatus::INVALID_SID), "{text}");
        }
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let good = *well_known::ADMINISTRATORS
            .as_sid()
            .bytes()
            .first_chunk::<16>()
            .expect("two");
        for length in 0..16 {
            assert_eq!(Sid::read(&good[..length]), Err(NtStatus::INVALID_SID));
        }
        for (position, value) in [(0, 0), (0, 2), (1, 16), (1, 255)] {
            let mut long = [0; 80];
            long[..16].copy_from_slice(&good);
            long[position] = value;
            assert_eq!(Sid::read(&long), Err(NtStatus::INVALID_SID));
        }
        assert_eq!(
            Sid::read(&[1, 0, 0, 0, 0, 0, 0, 0]).map(|sid| sid.relative_id()),
            Ok(None)
        );
    }
}
