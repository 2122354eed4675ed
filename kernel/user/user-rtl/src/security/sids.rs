//! SIDs: making, taking apart, comparing, copying, writing as text.

use alloc::vec::Vec;
use core::fmt::Write;

use c_interface::{Ptr, blocks, exports, field};
use nt_abi::native::{Pointer, UnicodeString};
use nt_abi::security::{SECURITY_MAX_SID_SIZE, SID_MAX_SUB_AUTHORITIES, SID_REVISION, SidHeader};
use nt_abi::{NtResult, NtStatus};
use rtl::digest::Sha1;
use rtl::security::{Sid, SidBuf, well_known};
use rtl::utf16::upcase;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{length, put, room, sid_at, sid_length, status};

/// `SID_AND_ATTRIBUTES`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct SidAndAttributes {
    pub(super) sid: Pointer,
    pub(super) attributes: u32,
    reserved: nt_abi::native::Only64<u32>,
}

/// `SID_AND_ATTRIBUTES_HASH`: for each half of a SID's last byte, which of the first SIDs have it.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct SidHash {
    count: u32,
    reserved: nt_abi::native::Only64<u32>,
    sids: Pointer,
    hash: [Pointer; 32],
}

/// The longest text of a SID, in units: an authority of 14 digits, 15 numbers of 10.
const LONGEST_TEXT: usize = 4 + 14 + 15 * 11;

/// A SID in text.
struct Text {
    units: [u16; LONGEST_TEXT],
    length: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        for unit in text.encode_utf16() {
            *self.units.get_mut(self.length).ok_or(core::fmt::Error)? = unit;
            self.length += 1;
        }
        Ok(())
    }
}

fn text_of(sid: Ptr<u8>) -> NtResult<Text> {
    let mut text = Text {
        units: [0; LONGEST_TEXT],
        length: 0,
    };
    let sid = sid_at(sid)?;
    write!(text, "{sid}").map_err(|_| NtStatus::INVALID_SID)?;
    Ok(text)
}

fn convert(to: Ptr<UnicodeString>, sid: Ptr<u8>, allocate: bool) -> NtResult {
    let text = text_of(sid)?;
    let units = &text.units[..text.length];
    // Less than 400 bytes.
    let bytes = u16::try_from(2 * text.length).map_err(|_| NtStatus::BUFFER_OVERFLOW)?;
    if allocate {
        let block = blocks::allocate(usize::from(bytes) + 2).ok_or(NtStatus::NO_MEMORY)?;
        to.write(UnicodeString {
            maximum_length: bytes + 2,
            buffer: block.raw(),
            ..UnicodeString::default()
        });
    }
    let room = field!(to, UnicodeString, maximum_length).read();
    if bytes > room {
        return Err(NtStatus::BUFFER_OVERFLOW);
    }
    let buffer = Ptr::<u16>::at(field!(to, UnicodeString, buffer).read());
    buffer.write_array(units);
    if room - bytes >= 2 {
        buffer.add(units.len()).write(0);
    }
    field!(to, UnicodeString, length).write(bytes);
    Ok(())
}

/// Writes a SID from its parts.
fn write_sid(to: Ptr<u8>, authority: Ptr<[u8; 6]>, sub_authorities: &[u32]) {
    to.cast::<SidHeader>()
        .write(header(authority, sub_authorities.len()));
    let numbers = to.byte_add(size_of::<SidHeader>()).cast::<u32>();
    numbers.write_array(sub_authorities);
}

fn header(authority: Ptr<[u8; 6]>, count: usize) -> SidHeader {
    SidHeader {
        revision: SID_REVISION,
        // Callers have at most 15.
        sub_authority_count: u8::try_from(count).unwrap_or_default(),
        identifier_authority: authority.read(),
    }
}

fn new_sid(authority: Ptr<[u8; 6]>, sub_authorities: &[u32], sid: Ptr<usize>) -> NtStatus {
    let bytes = size_of::<SidHeader>() + 4 * sub_authorities.len();
    let Some(block) = blocks::allocate(bytes) else {
        return NtStatus::NO_MEMORY;
    };
    write_sid(block, authority, sub_authorities);
    sid.write(block.address());
    NtStatus::SUCCESS
}

/// Writes a SID into room of a caller's, or says how much it needs.
fn give(sid: &SidBuf, to: Ptr<u8>, size: Ptr<u32>) -> NtStatus {
    let bytes = sid.as_sid().bytes();
    let has = room(size.read());
    size.write(length(bytes.len()));
    if has < bytes.len() {
        return NtStatus::BUFFER_TOO_SMALL;
    }
    put(to, bytes);
    NtStatus::SUCCESS
}

/// The SHA-1 of a name in upper-case UTF-16.
fn digest_of_name(name: Ptr<UnicodeString>) -> NtResult<[u8; 20]> {
    let name = name.read();
    let units = Ptr::<u16>::at(name.buffer);
    let count = usize::from(name.length / 2);
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(2 * count)
        .map_err(|_| NtStatus::NO_MEMORY)?;
    for index in 0..count {
        bytes.extend_from_slice(&upcase(units.add(index).read()).to_le_bytes());
    }
    Ok(Sha1::of(&bytes))
}

/// The integrity level of a label.
fn level(sid: Ptr<u8>) -> NtResult<u32> {
    well_known::label_level(sid_at(sid)?).ok_or(NtStatus::INVALID_SID)
}

fn compare_levels(
    left: Ptr<u8>,
    right: Ptr<u8>,
    answer: Ptr<u8>,
    holds: fn(u32, u32) -> bool,
) -> NtStatus {
    status((|| {
        answer.write(0);
        answer.write(u8::from(holds(level(left)?, level(right)?)));
        Ok(())
    })())
}

/// The two places in a hash that a SID is entered at: by the halves of its last number's lowest byte.
fn hash_places(sid: Ptr<u8>) -> [usize; 2] {
    let last = sid.byte_add(sid_length(sid).saturating_sub(4)).read();
    [usize::from(last & 0xF), 16 + usize::from(last >> 4)]
}

/// SIDs behind one another, with a count that may be lower than the hash has bits for.
fn hashed(count: u32) -> usize {
    room(count).min(usize::BITS as usize)
}

exports! {
    /// Whether there is a SID (`BOOLEAN`).
    fn RtlValidSid(sid: Ptr<u8>) -> u8 {
        u8::from(sid_at(sid).is_ok())
    }

    /// How many bytes a SID with so many subauthorities has.
    fn RtlLengthRequiredSid(count: u32) -> u32 {
        count.wrapping_mul(4).wrapping_add(8)
    }

    /// How many bytes a SID has; it is not checked.
    fn RtlLengthSid(sid: Ptr<u8>) -> u32 {
        length(sid_length(sid))
    }

    /// Writes the head of a SID; its subauthorities stay as they are.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for more than 15 subauthorities.
    fn RtlInitializeSid(sid: Ptr<u8>, authority: Ptr<[u8; 6]>, count: u8) -> NtStatus {
        if usize::from(count) > SID_MAX_SUB_AUTHORITIES {
            return NtStatus::INVALID_PARAMETER;
        }
        sid.cast().write(header(authority, usize::from(count)));
        NtStatus::SUCCESS
    }

    /// Writes a SID; `list` is the variable arguments of `RtlInitializeSidEx`, one subauthority in each.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for more than 15 subauthorities.
    cdecl fn vRtlInitializeSidEx(sid: Ptr<u8>, authority: Ptr<[u8; 6]>, count: u8, list: Ptr<usize>) -> NtStatus {
        let mut numbers = [0; SID_MAX_SUB_AUTHORITIES];
        let Some(numbers) = numbers.get_mut(..usize::from(count)) else {
            return NtStatus::INVALID_PARAMETER;
        };
        for (index, number) in numbers.iter_mut().enumerate() {
            *number = list.add(index).cast::<u32>().read();
        }
        write_sid(sid, authority, numbers);
        NtStatus::SUCCESS
    }

    /// Makes a SID with up to 8 subauthorities, to be freed by `RtlFreeSid`.
    ///
    /// # Errors
    /// `INVALID_SID` for more than 8 subauthorities, `NO_MEMORY`.
    fn RtlAllocateAndInitializeSid(
        authority: Ptr<[u8; 6]>,
        count: u8,
        first: u32,
        second: u32,
        third: u32,
        fourth: u32,
        fifth: u32,
        sixth: u32,
        seventh: u32,
        eighth: u32,
        sid: Ptr<usize>,
    ) -> NtStatus {
        let numbers = [first, second, third, fourth, fifth, sixth, seventh, eighth];
        match numbers.get(..usize::from(count)) {
            Some(numbers) => new_sid(authority, numbers, sid),
            None => NtStatus::INVALID_SID,
        }
    }

    /// Makes a SID, to be freed by `RtlFreeSid`.
    ///
    /// # Errors
    /// `INVALID_SID` for more than 15 subauthorities, `NO_MEMORY`.
    fn RtlAllocateAndInitializeSidEx(
        authority: Ptr<[u8; 6]>,
        count: u8,
        sub_authorities: Ptr<u32>,
        sid: Ptr<usize>,
    ) -> NtStatus {
        let mut numbers = [0; SID_MAX_SUB_AUTHORITIES];
        let Some(numbers) = numbers.get_mut(..usize::from(count)) else {
            return NtStatus::INVALID_SID;
        };
        sub_authorities.read_array(numbers);
        new_sid(authority, numbers, sid)
    }

    /// Frees a SID that this library made; gives null.
    fn RtlFreeSid(sid: Ptr<u8>) -> Ptr<u8> {
        blocks::free(sid);
        Ptr::NULL
    }

    /// Where a SID's authority is.
    fn RtlIdentifierAuthoritySid(sid: Ptr<u8>) -> Ptr<[u8; 6]> {
        field!(sid.cast::<SidHeader>(), SidHeader, identifier_authority)
    }

    /// Where a subauthority is.
    fn RtlSubAuthoritySid(sid: Ptr<u8>, index: u32) -> Ptr<u32> {
        sid.byte_add(size_of::<SidHeader>()).cast::<u32>().add(room(index))
    }

    /// Where the number of subauthorities is.
    fn RtlSubAuthorityCountSid(sid: Ptr<u8>) -> Ptr<u8> {
        field!(sid.cast::<SidHeader>(), SidHeader, sub_authority_count)
    }

    /// Whether two SIDs are the same (`BOOLEAN`).
    fn RtlEqualSid(left: Ptr<u8>, right: Ptr<u8>) -> u8 {
        // Revision and count first: they say how long both are.
        let same = left.cast::<u16>().read() == right.cast::<u16>().read()
            && left.slice(sid_length(left)) == right.slice(sid_length(right));
        u8::from(same)
    }

    /// Whether two SIDs are the same but for the last subauthority (`BOOLEAN`).
    fn RtlEqualPrefixSid(left: Ptr<u8>, right: Ptr<u8>) -> u8 {
        let common = sid_length(left).saturating_sub(4).max(size_of::<SidHeader>());
        let same = left.cast::<u16>().read() == right.cast::<u16>().read()
            && left.slice(common) == right.slice(common);
        u8::from(same)
    }

    /// Copies a SID.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL`.
    fn RtlCopySid(size: u32, to: Ptr<u8>, sid: Ptr<u8>) -> NtStatus {
        let bytes = sid_length(sid);
        if bytes > room(size) {
            return NtStatus::BUFFER_TOO_SMALL;
        }
        to.copy_from(sid, bytes);
        NtStatus::SUCCESS
    }

    /// Writes a SID as text, terminated if there is room; into memory of its own, for `RtlFreeUnicodeString`, if asked.
    ///
    /// # Errors
    /// `INVALID_SID`, `BUFFER_OVERFLOW`, `NO_MEMORY`.
    fn RtlConvertSidToUnicodeString(to: Ptr<UnicodeString>, sid: Ptr<u8>, allocate: u8) -> NtStatus {
        status(convert(to, sid, allocate != 0))
    }

    /// How many bytes a SID's text has.
    ///
    /// # Errors
    /// `INVALID_SID`.
    fn RtlLengthSidAsUnicodeString(sid: Ptr<u8>, bytes: Ptr<u32>) -> NtStatus {
        status(text_of(sid).map(|text| bytes.write(length(2 * text.length))))
    }

    /// The SID of a service, NT SERVICE\NAME, S-1-5-80 and the SHA-1 of its name in upper case.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL` with the size that is needed, `NO_MEMORY`.
    fn RtlCreateServiceSid(name: Ptr<UnicodeString>, sid: Ptr<u8>, size: Ptr<u32>) -> NtStatus {
        match digest_of_name(name) {
            Ok(digest) => give(&well_known::service(&digest), sid, size),
            Err(status) => status,
        }
    }

    /// The SID of a virtual account: S-1-5, a number, and the SHA-1 of its name in upper case.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a number outside of 80 to 111, `BUFFER_TOO_SMALL` with the size that is needed, `NO_MEMORY`.
    fn RtlCreateVirtualAccountSid(
        name: Ptr<UnicodeString>,
        base: u32,
        sid: Ptr<u8>,
        size: Ptr<u32>,
    ) -> NtStatus {
        if !(80..=111).contains(&base) {
            return NtStatus::INVALID_PARAMETER;
        }
        let digest = match digest_of_name(name) {
            Ok(digest) => digest,
            Err(status) => return status,
        };
        let mut numbers = [base, 0, 0, 0, 0, 0];
        for (number, four) in numbers[1..].iter_mut().zip(digest.chunks_exact(4)) {
            *number = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        }
        give(&SidBuf::new(5, &numbers), sid, size)
    }

    /// Whether the first label is at least as high as the second.
    ///
    /// # Errors
    /// `INVALID_SID` for what is no label.
    fn RtlSidDominates(left: Ptr<u8>, right: Ptr<u8>, answer: Ptr<u8>) -> NtStatus {
        compare_levels(left, right, answer, |left, right| left >= right)
    }

    /// Whether two labels are equally high.
    ///
    /// # Errors
    /// `INVALID_SID` for what is no label.
    fn RtlSidEqualLevel(left: Ptr<u8>, right: Ptr<u8>, answer: Ptr<u8>) -> NtStatus {
        compare_levels(left, right, answer, |left, right| left == right)
    }

    /// Whether the first label is higher than the second.
    ///
    /// # Errors
    /// `INVALID_SID` for what is no label.
    fn RtlSidIsHigherLevel(left: Ptr<u8>, right: Ptr<u8>, answer: Ptr<u8>) -> NtStatus {
        compare_levels(left, right, answer, |left, right| left > right)
    }

    /// Whether a SID is one of those for trust between processes, S-1-19-type-level (`BOOLEAN`).
    fn RtlIsValidProcessTrustLabelSid(sid: Ptr<u8>) -> u8 {
        let valid = |sid: Sid<'_>| sid.authority() == 19 && sid.sub_authorities().len() == 2;
        u8::from(sid_at(sid).is_ok_and(valid))
    }

    /// Prepares a list of SIDs for `RtlSidHashLookup`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` without a hash.
    fn RtlSidHashInitialize(sids: Ptr<SidAndAttributes>, count: u32, hash: Ptr<SidHash>) -> NtStatus {
        if hash.is_null() {
            return NtStatus::INVALID_PARAMETER;
        }
        let mut made = SidHash { count, reserved: Default::default(), sids: sids.raw(), hash: [0; 32] };
        for index in 0..hashed(count) {
            for place in hash_places(Ptr::at(sids.add(index).read().sid)) {
                made.hash[place] |= 1 << index;
            }
        }
        hash.write(made);
        NtStatus::SUCCESS
    }

    /// The entry of a SID in a list that was prepared; null if it has none.
    fn RtlSidHashLookup(hash: Ptr<SidHash>, sid: Ptr<u8>) -> Ptr<SidAndAttributes> {
        if hash.is_null() {
            return Ptr::NULL;
        }
        let entries = field!(hash, SidHash, hash).cast::<Pointer>();
        let [low, high] = hash_places(sid);
        let maybe = entries.add(low).read() & entries.add(high).read();
        let sids = Ptr::<SidAndAttributes>::at(field!(hash, SidHash, sids).read());
        let count = field!(hash, SidHash, count).read();
        let first = hashed(count);
        let is_it = |index: &usize| RtlEqualSid(Ptr::at(sids.add(*index).read().sid), sid) != 0;
        (0..first)
            .filter(|index| maybe >> index & 1 != 0)
            .chain(first..room(count))
            .find(is_it)
            .map_or(Ptr::NULL, |index| sids.add(index))
    }

    /// Copies SIDs and their attributes: entries to one place, the SIDs themselves to another.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL`.
    fn RtlCopySidAndAttributesArray(
        count: u32,
        from: Ptr<SidAndAttributes>,
        area_size: u32,
        to: Ptr<SidAndAttributes>,
        area: Ptr<u8>,
        rest: Ptr<usize>,
        rest_size: Ptr<u32>,
    ) -> NtStatus {
        let (mut area, mut left) = (area, area_size);
        for index in 0..room(count) {
            let entry = from.add(index).read();
            let sid = Ptr::<u8>::at(entry.sid);
            let size = RtlLengthSid(sid);
            if RtlCopySid(left, area, sid) != NtStatus::SUCCESS {
                return NtStatus::BUFFER_TOO_SMALL;
            }
            to.add(index).write(SidAndAttributes { sid: area.raw(), ..entry });
            left -= size;
            area = area.byte_add(room(size));
        }
        rest.write(area.address());
        rest_size.write(left);
        NtStatus::SUCCESS
    }
}

const _: () =
    assert!(SECURITY_MAX_SID_SIZE == size_of::<SidHeader>() + 4 * SID_MAX_SUB_AUTHORITIES);

#[cfg(test)]
mod tests;
