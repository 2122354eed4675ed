//! What a token says, as bytes for user mode of either width.
//!
//! An answer is a structure whose pointers lead into the same buffer, so it
//! must be known where the caller's buffer will be. Everything is laid out
//! twice: first into nothing, to learn the length, then for good.

use nt_abi::security::{
    GroupAttributes, TokenGroupsAndPrivileges32, TokenGroupsAndPrivileges64, TokenInformationClass,
    TokenStatistics,
};
use nt_abi::{NtResult, NtStatus};
use zerocopy::{Immutable, IntoBytes};

use super::information::DYNAMIC_CHARGED;
use super::{Group, Token, TokenFlags, TokenKind};

/// How wide the caller's pointers are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PointerWidth {
    /// 32 bits.
    Bits32,
    /// 64 bits.
    Bits64,
}

impl PointerWidth {
    const fn bytes(self) -> usize {
        match self {
            Self::Bits32 => 4,
            Self::Bits64 => 8,
        }
    }

    /// The bytes of `SID_AND_ATTRIBUTES`, and of any pointer with a number behind it.
    const fn pair(self) -> usize {
        2 * self.bytes()
    }
}

/// What became of a query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Whether the answer was written.
    pub status: NtResult,
    /// The bytes that it has or would have; 0 if the class is refused.
    pub length: usize,
}

/// Puts bytes where they belong and remembers how far they reach.
struct Layout<'a> {
    out: &'a mut [u8],
    base: u64,
    width: PointerWidth,
    end: usize,
}

impl Layout<'_> {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.out.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        self.end = self.end.max(at + bytes.len());
    }

    fn value(&mut self, at: usize, value: &(impl IntoBytes + Immutable)) {
        self.put(at, value.as_bytes());
    }

    fn count(&mut self, at: usize, count: usize) {
        self.value(at, &u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// The address at which the caller sees an offset.
    fn address(&self, offset: usize) -> u64 {
        self.base.wrapping_add(offset as u64)
    }

    /// Writes a pointer to `to`; the null pointer for `None`.
    fn pointer(&mut self, at: usize, to: Option<usize>) {
        let address = to.map_or(0, |offset| self.address(offset)).to_le_bytes();
        self.put(at, &address[..self.width.bytes()]);
    }

    /// Writes an array of SIDs with attributes, and the SIDs from `data` on; gives where those end.
    fn groups<'b>(
        &mut self,
        array: usize,
        mut data: usize,
        groups: impl Iterator<Item = &'b Group>,
    ) -> usize {
        for (index, group) in groups.enumerate() {
            let at = array + index * self.width.pair();
            let sid = group.sid.as_sid();
            self.pointer(at, Some(data));
            let padded = u64::from(group.attributes.bits()).to_le_bytes();
            let pointer = self.width.bytes();
            self.put(at + pointer, &padded[..pointer]);
            self.put(data, sid.bytes());
            data += sid.bytes().len();
        }
        data
    }

    /// `TOKEN_GROUPS`.
    fn group_list<'b>(&mut self, groups: impl Iterator<Item = &'b Group> + Clone) {
        let count = groups.clone().count();
        let array = self.width.bytes();
        self.put(0, &[0; 8][..array]);
        self.count(0, count);
        self.groups(array, array + count * self.width.pair(), groups);
    }

    /// One pointer, and what it leads to behind it.
    fn pointed(&mut self, bytes: Option<&[u8]>) {
        let data = self.width.bytes();
        self.pointer(0, bytes.map(|_| data));
        self.put(data, bytes.unwrap_or_default());
    }
}

impl Token {
    /// Answers a class of information into `out`, which the caller will see at `base`.
    ///
    /// # NT
    /// `NtQueryInformationToken`, after the handle's access was checked.
    ///
    /// # Errors
    /// In the answer: `BUFFER_TOO_SMALL`, and `out` is as it was; `INVALID_INFO_CLASS` for a class that does not exist or
    /// that needs a handle; `INVALID_PARAMETER` for the level of a token that is no impersonation token, or a base that
    /// 32-bit pointers cannot express; `UNSUCCESSFUL` if there is no logon SID.
    #[doc(alias = "NtQueryInformationToken")]
    pub fn query(
        &self,
        class: TokenInformationClass,
        width: PointerWidth,
        base: u64,
        out: &mut [u8],
    ) -> Answer {
        let mut measure = Layout {
            out: &mut [],
            base,
            width,
            end: 0,
        };
        if let Err(status) = self.lay_out(class, &mut measure) {
            return Answer {
                status: Err(status),
                length: 0,
            };
        }
        let length = measure.end;
        let last = base.checked_add(length as u64);
        let reachable = match width {
            PointerWidth::Bits32 => last.is_some_and(|last| last <= 1 << 32),
            PointerWidth::Bits64 => last.is_some(),
        };
        let status = match out.get_mut(..length) {
            None => Err(NtStatus::BUFFER_TOO_SMALL),
            Some(_) if !reachable => Err(NtStatus::INVALID_PARAMETER),
            Some(out) => self.lay_out(
                class,
                &mut Layout {
                    out,
                    base,
                    width,
                    end: 0,
                },
            ),
        };
        Answer { status, length }
    }

    fn lay_out(&self, class: TokenInformationClass, to: &mut Layout<'_>) -> NtResult {
        use TokenInformationClass as Class;
        let flag = |set: bool| u32::from(set);
        let has = |flag: TokenFlags| u32::from(self.flags.contains(flag));
        let is_label = |group: &&Group| group.attributes.contains(GroupAttributes::INTEGRITY);
        let is_logon = |group: &&Group| group.attributes.contains(GroupAttributes::LOGON_ID);
        match class {
            Class::USER => {
                to.groups(0, to.width.pair(), core::iter::once(self.user()));
            }
            Class::GROUPS => to.group_list(self.groups().iter()),
            Class::RESTRICTED_SIDS => {
                to.group_list(self.restricting_sids().unwrap_or_default().iter());
            }
            Class::CAPABILITIES => to.group_list([].iter()),
            Class::LOGON_SID => {
                if !self.groups().iter().any(|group| is_logon(&group)) {
                    return Err(NtStatus::UNSUCCESSFUL);
                }
                to.group_list(self.groups().iter().filter(is_logon));
            }
            Class::INTEGRITY_LEVEL => {
                let label = self.groups().iter().find(is_label);
                to.groups(0, to.width.pair(), label.into_iter());
            }
            Class::PRIVILEGES => {
                let list = self.privileges.list();
                to.count(0, list.as_slice().len());
                to.put(4, list.as_slice().as_bytes());
            }
            Class::GROUPS_AND_PRIVILEGES => self.lay_out_groups_and_privileges(to),
            Class::OWNER => to.pointed(Some(self.owner.as_sid().bytes())),
            Class::PRIMARY_GROUP => to.pointed(Some(self.primary_group.as_sid().bytes())),
            Class::DEFAULT_DACL => to.pointed(self.default_dacl().map(|acl| acl.bytes())),
            Class::APP_CONTAINER_SID => to.pointed(None),
            Class::SOURCE => to.value(0, &self.source),
            Class::TYPE => to.value(0, &self.kind.token_type()),
            Class::IMPERSONATION_LEVEL => match self.kind {
                TokenKind::Impersonation(level) => to.value(0, &level),
                TokenKind::Primary => return Err(NtStatus::INVALID_PARAMETER),
            },
            Class::STATISTICS => to.value(0, &self.statistics()),
            Class::SESSION_ID => to.value(0, &self.session_id),
            Class::ORIGIN => to.value(0, &self.origin),
            Class::ELEVATION_TYPE => to.value(0, &self.elevation_type),
            Class::ELEVATION => to.value(0, &flag(self.is_administrator())),
            Class::HAS_RESTRICTIONS => to.value(0, &has(TokenFlags::FILTERED)),
            Class::SAND_BOX_INERT => to.value(0, &has(TokenFlags::SANDBOX_INERT)),
            Class::VIRTUALIZATION_ALLOWED => to.value(0, &has(TokenFlags::VIRTUALIZATION_ALLOWED)),
            Class::VIRTUALIZATION_ENABLED => to.value(0, &has(TokenFlags::VIRTUALIZATION_ENABLED)),
            Class::UI_ACCESS => to.value(0, &has(TokenFlags::UI_ACCESS)),
            Class::MANDATORY_POLICY => to.value(0, &self.mandatory_policy),
            Class::IS_RESTRICTED => to.value(0, &flag(self.is_restricted())),
            Class::IS_APP_CONTAINER | Class::APP_CONTAINER_NUMBER => to.value(0, &0u32),
            _ => return Err(NtStatus::INVALID_INFO_CLASS),
        }
        Ok(())
    }

    /// The token in numbers.
    pub fn statistics(&self) -> TokenStatistics {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let used = self.dynamic_length();
        let charged = used.max(DYNAMIC_CHARGED);
        TokenStatistics {
            token_id: self.token_id,
            authentication_id: self.authentication_id,
            expiration_time: self.expiration_time,
            token_type: self.kind.token_type(),
            impersonation_level: self.kind.level(),
            dynamic_charged: number(charged),
            dynamic_available: number(charged - used),
            group_count: number(self.groups().len()),
            privilege_count: self.privileges.present().count(),
            modified_id: self.modified_id,
        }
    }

    /// `TOKEN_GROUPS_AND_PRIVILEGES`: the head, all SIDs, the restricting ones, the privileges.
    fn lay_out_groups_and_privileges(&self, to: &mut Layout<'_>) {
        let head = match to.width {
            PointerWidth::Bits32 => size_of::<TokenGroupsAndPrivileges32>(),
            PointerWidth::Bits64 => size_of::<TokenGroupsAndPrivileges64>(),
        };
        let pointer = to.width.bytes();
        let member = 8 + pointer;
        let restricting = self.restricting_sids().unwrap_or_default();
        let list = self.privileges.list();
        let mut at = head;
        for (index, sids) in [&self.sids[..], restricting].into_iter().enumerate() {
            let array = at;
            at = to.groups(array, array + sids.len() * to.width.pair(), sids.iter());
            to.count(index * member, sids.len());
            to.count(index * member + 4, at - array);
            to.pointer(index * member + 8, (!sids.is_empty()).then_some(array));
        }
        let bytes = list.as_slice().as_bytes();
        to.put(at, bytes);
        to.count(2 * member, list.as_slice().len());
        to.count(2 * member + 4, bytes.len());
        to.pointer(2 * member + 8, Some(at));
        to.value(3 * member, &self.authentication_id);
    }
}
