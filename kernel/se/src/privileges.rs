//! Privileges: rights that no descriptor gives.
//!
//! A token *has* some of them, and of those some are *enabled*: only these
//! count. Enabling is everyone's own affair, having is not; one that was
//! removed never comes back. There are 35, so three sets of bits hold it all.

use nt_abi::security::{
    ImpersonationLevel, Luid, LuidAndAttributes, Privilege, PrivilegeAttributes,
    PrivilegeSetControl,
};
use nt_abi::{NtResult, NtStatus};

use crate::Token;
use crate::token::TokenKind;

const LOWEST: u32 = Privilege::CREATE_TOKEN.0;
const HIGHEST: u32 = Privilege::DELEGATE_SESSION_USER_IMPERSONATE.0;
/// How many there are.
const COUNT: usize = 35;

/// A set of privileges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PrivilegeMask(u64);

impl PrivilegeMask {
    /// None.
    pub const EMPTY: Self = Self(0);
    /// All that exist.
    pub const ALL: Self = Self((1 << (HIGHEST + 1)) - (1 << LOWEST));

    /// The set of those in a list.
    pub const fn of(privileges: &[Privilege]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < privileges.len() {
            bits |= Self::bit(privileges[index]);
            index += 1;
        }
        Self(bits)
    }

    const fn bit(privilege: Privilege) -> u64 {
        if privilege.0 < LOWEST || privilege.0 > HIGHEST {
            0
        } else {
            1 << privilege.0
        }
    }

    /// The set of those in a list of LUIDs; one that names none is passed over.
    pub fn of_list(list: &[LuidAndAttributes]) -> Self {
        let mut mask = Self::EMPTY;
        for privilege in list.iter().filter_map(|entry| named(entry.luid)) {
            mask.insert(privilege);
        }
        mask
    }

    /// Whether it has that one; one that does not exist is in no set.
    pub const fn contains(self, privilege: Privilege) -> bool {
        self.0 & Self::bit(privilege) != 0
    }

    /// Adds one.
    pub fn insert(&mut self, privilege: Privilege) {
        self.0 |= Self::bit(privilege);
    }

    fn set(&mut self, privilege: Privilege, present: bool) {
        let bit = Self::bit(privilege);
        self.0 = if present { self.0 | bit } else { self.0 & !bit };
    }

    /// Those of either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that the other lacks.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// They, by number.
    pub fn iter(self) -> impl Iterator<Item = Privilege> {
        (LOWEST..=HIGHEST)
            .map(Privilege)
            .filter(move |privilege| self.contains(*privilege))
    }
}

/// The privilege that a LUID names.
fn named(luid: Luid) -> Option<Privilege> {
    let known = luid.high == 0 && (LOWEST..=HIGHEST).contains(&luid.low);
    known.then_some(Privilege(luid.low))
}

/// The privileges of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Privileges {
    present: PrivilegeMask,
    enabled: PrivilegeMask,
    enabled_by_default: PrivilegeMask,
}

impl Privileges {
    /// Those of a new token; only those that are present can be enabled.
    pub const fn new(present: PrivilegeMask, enabled: PrivilegeMask) -> Self {
        let enabled = present.intersection(enabled);
        Self {
            present,
            enabled,
            enabled_by_default: enabled,
        }
    }

    /// Those of a new token, as a list with states has them; a LUID that names none is passed over.
    pub fn of_list(list: &[LuidAndAttributes]) -> Self {
        let mut made = Self::default();
        for entry in list {
            let Some(privilege) = named(entry.luid) else {
                continue;
            };
            let has = |attribute| entry.attributes.contains(attribute);
            made.present.insert(privilege);
            made.enabled
                .set(privilege, has(PrivilegeAttributes::ENABLED));
            made.enabled_by_default
                .set(privilege, has(PrivilegeAttributes::ENABLED_BY_DEFAULT));
        }
        made
    }

    /// Those that the token has.
    pub const fn present(&self) -> PrivilegeMask {
        self.present
    }

    /// Those that count.
    pub const fn enabled(&self) -> PrivilegeMask {
        self.enabled
    }

    /// Those that counted from the start.
    pub const fn enabled_by_default(&self) -> PrivilegeMask {
        self.enabled_by_default
    }

    /// Their list, as `TOKEN_PRIVILEGES` has it.
    pub fn list(&self) -> PrivilegeList {
        let mut list = PrivilegeList::default();
        for privilege in self.present.iter() {
            list.push(privilege, self.attributes(privilege));
        }
        list
    }

    fn attributes(&self, privilege: Privilege) -> PrivilegeAttributes {
        let mut attributes = PrivilegeAttributes::empty();
        attributes.set(
            PrivilegeAttributes::ENABLED,
            self.enabled.contains(privilege),
        );
        attributes.set(
            PrivilegeAttributes::ENABLED_BY_DEFAULT,
            self.enabled_by_default.contains(privilege),
        );
        attributes
    }

    /// Takes privileges away for good.
    pub(crate) fn remove(&mut self, gone: PrivilegeMask) {
        self.present = self.present.difference(gone);
        self.enabled = self.enabled.difference(gone);
        self.enabled_by_default = self.enabled_by_default.difference(gone);
    }

    /// Works out a change without making it.
    ///
    /// # NT
    /// `NtAdjustPrivilegesToken` ("AdjustTokenPrivileges function"). Privileges are gone through in the token's order; where
    /// a list names one twice, the first counts, and the second as one that the token does not have.
    #[must_use]
    pub fn plan(&self, request: &PrivilegeRequest<'_>) -> PrivilegePlan {
        let mut plan = PrivilegePlan {
            assigned: Assigned::All,
            previous: PrivilegeList::default(),
            result: *self,
        };
        let mut found = 0;
        for privilege in self.present.iter() {
            let wanted = match request {
                PrivilegeRequest::DisableAll => PrivilegeAttributes::empty(),
                PrivilegeRequest::Set(list) => {
                    let entry = list
                        .iter()
                        .find(|entry| named(entry.luid) == Some(privilege));
                    let Some(entry) = entry else { continue };
                    found += 1;
                    entry.attributes
                }
            };
            let removed = wanted.contains(PrivilegeAttributes::REMOVED);
            let enabled = wanted.contains(PrivilegeAttributes::ENABLED) && !removed;
            if removed || enabled != self.enabled.contains(privilege) {
                plan.previous.push(privilege, self.attributes(privilege));
                plan.result.enabled.set(privilege, enabled);
            }
            if removed {
                plan.result.remove(PrivilegeMask::of(&[privilege]));
            }
        }
        if let PrivilegeRequest::Set(list) = request
            && found < list.len()
        {
            plan.assigned = Assigned::NotAll;
        }
        plan
    }
}

/// What is to become of a token's privileges.
#[derive(Clone, Copy, Debug)]
pub enum PrivilegeRequest<'a> {
    /// All are disabled.
    DisableAll,
    /// Each of the list is enabled, disabled or removed; the others stay.
    Set(&'a [LuidAndAttributes]),
}

/// Whether all of a list were in the token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Assigned {
    /// They were.
    All,
    /// Some were not; the others were adjusted all the same.
    NotAll,
}

impl Assigned {
    /// The service's status, a success either way.
    pub fn status(self) -> NtStatus {
        match self {
            Self::All => NtStatus::SUCCESS,
            Self::NotAll => NtStatus::NOT_ALL_ASSIGNED,
        }
    }
}

/// A change that was worked out: a service first sees whether the previous state fits the caller's buffer.
#[derive(Clone, Copy, Debug)]
pub struct PrivilegePlan {
    /// Whether all were found.
    pub assigned: Assigned,
    /// What changes, as it was.
    pub previous: PrivilegeList,
    pub(crate) result: Privileges,
}

/// Privileges with their states; there is room for all that exist.
#[derive(Clone, Copy, Debug)]
pub struct PrivilegeList {
    count: usize,
    entries: [LuidAndAttributes; COUNT],
}

impl Default for PrivilegeList {
    fn default() -> Self {
        Self {
            count: 0,
            entries: [LuidAndAttributes {
                luid: Luid::new(0),
                attributes: PrivilegeAttributes::empty(),
            }; COUNT],
        }
    }
}

impl PrivilegeList {
    /// Each privilege comes once, so that the list never overflows.
    fn push(&mut self, privilege: Privilege, attributes: PrivilegeAttributes) {
        if let Some(entry) = self.entries.get_mut(self.count) {
            *entry = LuidAndAttributes {
                luid: privilege.into(),
                attributes,
            };
            self.count += 1;
        }
    }

    /// The entries.
    pub fn as_slice(&self) -> &[LuidAndAttributes] {
        &self.entries[..self.count]
    }
}

/// Whether the token has privileges enabled: all of the list, or one if `control` does not ask for all. Those that it has
/// are marked as used.
///
/// # NT
/// `NtPrivilegeCheck`.
///
/// # Errors
/// `BAD_IMPERSONATION_LEVEL` for an impersonation token of the level Anonymous.
#[doc(alias = "NtPrivilegeCheck")]
pub fn privilege_check(
    token: &Token,
    required: &mut [LuidAndAttributes],
    control: PrivilegeSetControl,
) -> NtResult<bool> {
    if let TokenKind::Impersonation(level) = token.kind()
        && level < ImpersonationLevel::IDENTIFICATION
    {
        return Err(NtStatus::BAD_IMPERSONATION_LEVEL);
    }
    let enabled = token.privileges().enabled();
    let mut held = 0;
    for entry in required.iter_mut() {
        let found = named(entry.luid).is_some_and(|privilege| enabled.contains(privilege));
        if found {
            entry.attributes |= PrivilegeAttributes::USED_FOR_ACCESS;
            held += 1;
        }
    }
    Ok(if control.contains(PrivilegeSetControl::ALL_NECESSARY) {
        held == required.len()
    } else {
        held > 0
    })
}

/// Whether the token has one privilege enabled, and may use it: an impersonation token below the level Impersonation may
/// not.
///
/// # NT
/// `SeSinglePrivilegeCheck` for a requester in user mode.
#[doc(alias = "SeSinglePrivilegeCheck")]
pub fn single_privilege_check(token: &Token, privilege: Privilege) -> bool {
    token.may_act() && token.privileges().enabled().contains(privilege)
}
