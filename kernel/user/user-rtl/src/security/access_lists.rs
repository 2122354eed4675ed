//! Access-control lists where they lie: made, asked, cut.
//!
//! What adds one entry is in [`super::add_entries`].

use c_interface::{Ptr, exports, field};
use nt_abi::security::{ACL_REVISION, ACL_REVISION_DS, AceHeader, AceType, AclHeader};
use nt_abi::{NtResult, NtStatus};
use rtl::security::well_known;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{acl_at, length, room, status};

const HEADER: usize = size_of::<AclHeader>();
/// `MAXULONG`: behind the last entry.
const AT_THE_END: u32 = u32::MAX;

/// `AclRevisionInformation`.
const REVISION_INFORMATION: u32 = 1;
/// `AclSizeInformation`.
const SIZE_INFORMATION: u32 = 2;

/// `ACL_SIZE_INFORMATION`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct SizeInformation {
    ace_count: u32,
    bytes_in_use: u32,
    bytes_free: u32,
}

/// A list that is to be changed: its header, and where it is. Its entries reach as far as their sizes say.
#[derive(Clone, Copy)]
pub(super) struct List {
    at: Ptr<u8>,
    pub(super) header: AclHeader,
}

impl List {
    /// The list at an address; its entries are not looked at.
    pub(super) fn new(at: Ptr<u8>) -> Self {
        let header = at.cast::<AclHeader>().read();
        Self { at, header }
    }

    /// Whether the revision is one of a list.
    pub(super) fn has_revision(self) -> bool {
        (ACL_REVISION..=ACL_REVISION_DS).contains(&self.header.revision)
    }

    /// Where an entry begins, from the list's start, or where the first free byte is; `None`: beyond the list's end.
    fn offset(self, index: u16) -> Option<usize> {
        let mut at = HEADER;
        for _ in 0..index.min(self.header.ace_count) {
            if at + size_of::<AceHeader>() > usize::from(self.header.size) {
                return None;
            }
            let entry = self.at.byte_add(at).cast::<AceHeader>();
            at += usize::from(field!(entry, AceHeader, size).read());
        }
        (at <= usize::from(self.header.size)).then_some(at)
    }

    /// The bytes that are used; `None`: more than there are.
    pub(super) fn used(self) -> Option<usize> {
        self.offset(self.header.ace_count)
    }

    /// Makes room for entries of so many bytes before the one with this number; gives where.
    ///
    /// # Errors
    /// `INVALID_ACL` for a list that is damaged; `none_left` if it has too little room.
    pub(super) fn open(self, index: u16, bytes: usize, none_left: NtStatus) -> NtResult<Ptr<u8>> {
        let used = self.used().ok_or(NtStatus::INVALID_ACL)?;
        let start = self.offset(index).ok_or(NtStatus::INVALID_ACL)?;
        if usize::from(self.header.size) - used < bytes {
            return Err(none_left);
        }
        let start_at = self.at.byte_add(start);
        start_at.byte_add(bytes).copy_from(start_at, used - start);
        Ok(start_at)
    }

    /// Notes entries that were added, and a revision that the list has at least.
    pub(super) fn note(self, entries: u16, revision: u8) {
        self.at.cast::<AclHeader>().write(AclHeader {
            revision: self.header.revision.max(revision),
            ace_count: self.header.ace_count.wrapping_add(entries),
            ..self.header
        });
    }

    /// The entry with this number.
    fn entry(self, index: u32) -> Option<Ptr<u8>> {
        let index = u16::try_from(index).ok()?;
        if !self.has_revision() || index >= self.header.ace_count {
            return None;
        }
        let at = self.offset(index)?;
        let whole = at + size_of::<AceHeader>() <= usize::from(self.header.size);
        whole.then(|| self.at.byte_add(at))
    }
}

fn create(acl: Ptr<u8>, size: u32, revision: u32) -> NtResult {
    if room(size) < HEADER {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    let revision = u8::try_from(revision).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    let size = u16::try_from(size).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    if !(ACL_REVISION..=ACL_REVISION_DS).contains(&revision) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    acl.cast().write(AclHeader {
        revision,
        padding_1: 0,
        size: size & !3,
        ace_count: 0,
        padding_2: 0,
    });
    Ok(())
}

/// How many entries there are in so many bytes; `None` if they do not end with them.
fn count_entries(entries: Ptr<u8>, bytes: usize, revision: u8) -> Option<u16> {
    let mut at = 0;
    let mut count = 0u16;
    while at < bytes {
        if bytes - at < size_of::<AceHeader>() {
            return None;
        }
        let header = entries.byte_add(at).cast::<AceHeader>().read();
        let needs = match header.ace_type {
            AceType(0..=3) => ACL_REVISION,
            AceType::ACCESS_ALLOWED_COMPOUND => 3,
            AceType(5..=8) => ACL_REVISION_DS,
            _ => ACL_REVISION,
        };
        let size = usize::from(header.size);
        if size < size_of::<AceHeader>() || size > bytes - at || needs > revision {
            return None;
        }
        at += size;
        count = count.checked_add(1)?;
    }
    Some(count)
}

fn add(acl: Ptr<u8>, revision: u32, index: u32, entries: Ptr<u8>, bytes: u32) -> NtResult {
    let list = List::new(acl);
    let revision = u8::try_from(revision).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    let bytes = room(bytes);
    if !list.has_revision() || revision > ACL_REVISION_DS || list.used().is_none() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let revision = revision.max(list.header.revision);
    let count = count_entries(entries, bytes, revision).ok_or(NtStatus::INVALID_PARAMETER)?;
    let index = match index {
        AT_THE_END => u16::MAX,
        index => u16::try_from(index).unwrap_or(u16::MAX),
    };
    let at = list.open(index, bytes, NtStatus::BUFFER_TOO_SMALL)?;
    at.copy_from(entries, bytes);
    list.note(count, revision);
    Ok(())
}

fn delete(acl: Ptr<u8>, index: u32) -> NtResult {
    let list = List::new(acl);
    let entry = list.entry(index).ok_or(NtStatus::INVALID_PARAMETER)?;
    let used = list.used().ok_or(NtStatus::INVALID_PARAMETER)?;
    let size = field!(entry.cast::<AceHeader>(), AceHeader, size).read();
    let behind = entry.byte_add(usize::from(size));
    let end = acl.byte_add(used);
    entry.copy_from(behind, end.address() - behind.address());
    end.byte_sub(usize::from(size)).fill(0, usize::from(size));
    list.note(0u16.wrapping_sub(1), 0);
    Ok(())
}

fn query(acl: Ptr<u8>, into: Ptr<u8>, size: u32, class: u32) -> NtResult {
    let list = List::new(acl);
    if !list.has_revision() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let fits = |needed| {
        if room(size) < needed {
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        Ok(())
    };
    match class {
        REVISION_INFORMATION => {
            fits(size_of::<u32>())?;
            into.cast().write(u32::from(list.header.revision));
        }
        SIZE_INFORMATION => {
            fits(size_of::<SizeInformation>())?;
            let all = usize::from(list.header.size);
            // Of a list that says more than it has, everything is in use.
            let used = list.used();
            into.cast().write(SizeInformation {
                ace_count: u32::from(list.header.ace_count),
                bytes_in_use: length(used.unwrap_or(all)),
                bytes_free: length(all - used.unwrap_or(all)),
            });
        }
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    }
    Ok(())
}

exports! {
    /// Makes an empty list in so many bytes.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL` for less than a header, `INVALID_PARAMETER` for more than 64 KiB or another revision than 2 to 4.
    fn RtlCreateAcl(acl: Ptr<u8>, size: u32, revision: u32) -> NtStatus {
        status(create(acl, size, revision))
    }

    /// Whether there is a list, with entries that are whole and fit it (`BOOLEAN`).
    fn RtlValidAcl(acl: Ptr<u8>) -> u8 {
        u8::from(acl_at(acl).is_ok())
    }

    /// Where the next entry can be put, null if the list is full; 0 if the entries exceed it (`BOOLEAN`).
    fn RtlFirstFreeAce(acl: Ptr<u8>, first_free: Ptr<usize>) -> u8 {
        let list = List::new(acl);
        let used = list.used();
        let free = used.filter(|used| *used < usize::from(list.header.size));
        first_free.write(free.map_or(0, |used| acl.byte_add(used).address()));
        u8::from(used.is_some())
    }

    /// Where an entry is.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if there is none with this number.
    fn RtlGetAce(acl: Ptr<u8>, index: u32, ace: Ptr<usize>) -> NtStatus {
        match List::new(acl).entry(index) {
            Some(entry) => {
                ace.write(entry.address());
                NtStatus::SUCCESS
            }
            None => NtStatus::INVALID_PARAMETER,
        }
    }

    /// Adds entries, one behind the other, before the one with a number, or at the end.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a list that is damaged, entries that do not fill their bytes, or ones that the revision does
    /// not know; `BUFFER_TOO_SMALL` if the list has no room.
    fn RtlAddAce(acl: Ptr<u8>, revision: u32, index: u32, entries: Ptr<u8>, bytes: u32) -> NtStatus {
        status(add(acl, revision, index, entries, bytes))
    }

    /// Takes an entry out; those behind it move up.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if there is none with this number.
    fn RtlDeleteAce(acl: Ptr<u8>, index: u32) -> NtStatus {
        status(delete(acl, index))
    }

    /// The list's revision (1), or its entries, the bytes they use, and those free (2).
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a list of another revision, `BUFFER_TOO_SMALL`, `INVALID_INFO_CLASS`.
    fn RtlQueryInformationAcl(acl: Ptr<u8>, into: Ptr<u8>, size: u32, class: u32) -> NtStatus {
        status(query(acl, into, size, class))
    }

    /// Sets the list's revision (1), upwards alone.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a list of another revision or one to become such, `BUFFER_TOO_SMALL`, `INVALID_INFO_CLASS`.
    fn RtlSetInformationAcl(acl: Ptr<u8>, from: Ptr<u8>, size: u32, class: u32) -> NtStatus {
        let list = List::new(acl);
        if !list.has_revision() {
            return NtStatus::INVALID_PARAMETER;
        }
        if class != REVISION_INFORMATION {
            return NtStatus::INVALID_INFO_CLASS;
        }
        if room(size) < size_of::<u32>() {
            return NtStatus::BUFFER_TOO_SMALL;
        }
        match u8::try_from(from.cast::<u32>().read()) {
            Ok(revision) if (list.header.revision..=ACL_REVISION_DS).contains(&revision) => {
                list.note(0, revision);
                NtStatus::SUCCESS
            }
            _ => NtStatus::INVALID_PARAMETER,
        }
    }

    /// The first entry of a type, and its number if asked for; null if there is none.
    fn RtlFindAceByType(acl: Ptr<u8>, ace_type: u8, index: Ptr<u32>) -> Ptr<u8> {
        let list = List::new(acl);
        for number in 0..u32::from(list.header.ace_count) {
            let Some(entry) = list.entry(number) else { break };
            if field!(entry.cast::<AceHeader>(), AceHeader, ace_type).read() == AceType(ace_type) {
                index.write_optional(number);
                return entry;
            }
        }
        Ptr::NULL
    }

    /// Whether an entry that counts says what the object's owner may (`BOOLEAN`).
    fn RtlOwnerAcesPresent(acl: Ptr<u8>) -> u8 {
        let Ok(acl) = acl_at(acl) else { return 0 };
        let of_owner = |sid| sid == well_known::OWNER_RIGHTS;
        u8::from(acl.aces().any(|ace| ace.is_effective() && ace.sid().is_some_and(of_owner)))
    }
}

#[cfg(test)]
mod tests;
