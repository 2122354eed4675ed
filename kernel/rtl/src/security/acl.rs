//! Access-control lists: a header, entries, and maybe unused bytes at the end.

use nt_abi::security::{ACL_REVISION, ACL_REVISION_DS, AclHeader};
use nt_abi::{NtResult, NtStatus};
use zerocopy::FromBytes;

use super::Ace;

const HEADER: usize = size_of::<AclHeader>();

/// A list in bytes that were checked, entry by entry.
#[derive(Clone, Copy)]
pub struct Acl<'a> {
    bytes: &'a [u8],
    revision: u8,
    count: u16,
}

impl<'a> Acl<'a> {
    /// Reads the list that `bytes` start with; what follows it is ignored.
    ///
    /// # NT
    /// `RtlValidAcl`.
    ///
    /// # Errors
    /// `INVALID_ACL`: a revision other than 2 to 4, or entries that are damaged or do not fit its size.
    ///
    /// # Differs
    /// The two SIDs of a compound entry, which Windows reserves and nobody writes, are not looked at.
    #[doc(alias = "RtlValidAcl")]
    pub fn read(bytes: &'a [u8]) -> NtResult<Self> {
        let acl = Self::read_unchecked(bytes).ok_or(NtStatus::INVALID_ACL)?;
        if !(ACL_REVISION..=ACL_REVISION_DS).contains(&acl.revision) {
            return Err(NtStatus::INVALID_ACL);
        }
        let mut rest = acl.bytes.get(HEADER..).ok_or(NtStatus::INVALID_ACL)?;
        for _ in 0..acl.count {
            (_, rest) = Ace::read(rest)?;
        }
        Ok(acl)
    }

    /// Takes a list whose entries were checked before.
    pub(super) fn read_unchecked(bytes: &'a [u8]) -> Option<Self> {
        let (header, _) = AclHeader::read_from_prefix(bytes).ok()?;
        Some(Self {
            bytes: bytes.get(..usize::from(header.size))?,
            revision: header.revision,
            count: header.ace_count,
        })
    }

    /// A list without entries: nobody is allowed anything.
    pub const EMPTY: Acl<'static> = Acl {
        bytes: &[ACL_REVISION, 0, 8, 0, 0, 0, 0, 0],
        revision: ACL_REVISION,
        count: 0,
    };

    /// Its bytes, with what is unused at the end.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Its revision, 2 to 4.
    pub fn revision(self) -> u8 {
        self.revision
    }

    /// The number of entries.
    pub fn count(self) -> u16 {
        self.count
    }

    /// The entries, in order.
    pub fn aces(self) -> Aces<'a> {
        Aces {
            rest: self.bytes.get(HEADER..).unwrap_or_default(),
            left: self.count,
        }
    }

    /// The bytes in use: the header and the entries.
    ///
    /// # NT
    /// `AclBytesInUse` of `RtlQueryInformationAcl`.
    pub fn used(self) -> usize {
        HEADER + self.aces().map(|ace| ace.bytes().len()).sum::<usize>()
    }
}

/// The entries of a list.
#[derive(Clone)]
pub struct Aces<'a> {
    rest: &'a [u8],
    left: u16,
}

impl<'a> Iterator for Aces<'a> {
    type Item = Ace<'a>;

    fn next(&mut self) -> Option<Ace<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (ace, rest) = Ace::read(self.rest).ok()?;
        self.rest = rest;
        Some(ace)
    }
}

/// What a descriptor says about one of its lists. The three are as different as can be: a DACL that is absent or null
/// allows everyone everything, one that is empty allows nobody anything.
#[derive(Clone, Copy, Default)]
pub enum AclState<'a> {
    /// There is none.
    #[default]
    Absent,
    /// There is one, and it is null.
    Null,
    /// There is one.
    Present(Acl<'a>),
}

impl<'a> AclState<'a> {
    /// The list, if there is one that is not null.
    pub fn acl(self) -> Option<Acl<'a>> {
        match self {
            Self::Present(acl) => Some(acl),
            Self::Absent | Self::Null => None,
        }
    }

    /// Its entries; none if it has none.
    pub fn aces(self) -> impl Iterator<Item = Ace<'a>> + Clone {
        self.acl().into_iter().flat_map(Acl::aces)
    }

    /// Whether the descriptor has it, be it null.
    pub fn is_present(self) -> bool {
        !matches!(self, Self::Absent)
    }
}

/// Looks at every part of every entry.
pub(super) fn walk(acl: Acl<'_>) {
    for ace in acl.aces() {
        let seen = (ace.effect(), ace.condition(), ace.mask(), ace.object_type());
        let rest = (ace.inherited_object_type(), ace.data().len(), ace.flags());
        core::hint::black_box((seen, rest, ace.sid().map(|sid| sid.relative_id())));
    }
    core::hint::black_box(acl.used());
}

#[cfg(test)]
mod tests {
    use nt_abi::security::{AccessMask, AceFlags, AceType};

    use super::*;
    use crate::security::{Effect, well_known};

    /// The ACL of [MS-DTYP] 2.5.1.4 "SDDL String to Binary Example": its header and its first entry,
    /// (A;CIOI;GRGX;;;BU), with the header's sizes cut down to that one.
    const EXAMPLE: [u8; 32] = [
        2, 0, 32, 0, 1, 0, 0, 0, //
        0, 3, 0x18, 0, 0, 0, 0, 0xA0, 1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x21, 2, 0, 0,
    ];

    #[test]
    fn the_documented_example_is_read() {
        let acl = Acl::read(&EXAMPLE).expect("good");
        assert_eq!((acl.revision(), acl.count(), acl.used()), (2, 1, 32));
        let ace = acl.aces().next().expect("one");
        assert_eq!(ace.ace_type(), AceType::ACCESS_ALLOWED);
        assert_eq!(ace.effect(), Effect::Allow);
        assert_eq!(
            ace.flags(),
            AceFlags::CONTAINER_INHERIT | AceFlags::OBJECT_INHERIT
        );
        assert_eq!(
            ace.mask(),
            AccessMask::GENERIC_READ | AccessMask::GENERIC_EXECUTE
        );
        assert_eq!(ace.sid(), Some(well_known::USERS.as_sid()));
    }

    #[test]
    fn each_damage_is_seen() {
        for (what, position, value) in [
            ("revision 1", 0, 1),
            ("revision 5", 0, 5),
            ("shorter than its header", 2, 7),
            ("longer than the bytes", 2, 33),
            ("an entry too many", 4, 2),
            ("an entry longer than the list", 10, 0x1C),
            ("an entry's size not a multiple of 4", 10, 0x17),
            ("an entry without its SID", 10, 8),
            ("an entry with half its SID", 10, 0x14),
            ("a SID of another revision", 16, 2),
            ("a SID longer than its entry", 17, 3),
        ] {
            let mut bytes = EXAMPLE;
            bytes[position] = value;
            assert_eq!(
                Acl::read(&bytes).err(),
                Some(NtStatus::INVALID_ACL),
                "{what}"
            );
        }
        for length in 0..EXAMPLE.len() {
            assert!(Acl::read(&EXAMPLE[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn the_size_of_an_entry_is_a_multiple_of_4() {
        // [MS-DTYP] 2.4.4.1: AceSize. What follows the SID is the entry's own affair.
        for (more, good) in [(0, true), (2, false), (4, true)] {
            let mut bytes = [0; 36];
            bytes[..32].copy_from_slice(&EXAMPLE);
            bytes[2] += more;
            bytes[10] += more;
            assert_eq!(Acl::read(&bytes).is_ok(), good, "{more} more");
        }
    }

    #[test]
    fn an_entry_of_an_unknown_type_is_carried_along() {
        let mut bytes = EXAMPLE;
        bytes[8] = 0x77;
        bytes[16] = 9;
        let ace = Acl::read(&bytes)
            .expect("its SID is not looked at")
            .aces()
            .next()
            .expect("one");
        assert_eq!((ace.effect(), ace.sid()), (Effect::Unknown, None));
    }
}
