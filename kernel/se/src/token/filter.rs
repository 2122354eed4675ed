//! Tokens that can do less.

use alloc::vec::Vec;

use nt_abi::NtResult;
use nt_abi::security::{FilterFlags, GroupAttributes, Luid, Privilege, TokenElevationType};
use rtl::security::{Sid, memory, well_known};

use super::{Group, Token, TokenFlags};
use crate::mandatory::IntegrityLevel;
use crate::privileges::PrivilegeMask;

/// What is to be left out of a copy.
#[derive(Clone, Copy)]
pub struct Filter<'a> {
    /// The simple wishes.
    pub flags: FilterFlags,
    /// User and groups that are to count for denials alone.
    pub disable: &'a [Sid<'a>],
    /// Privileges that are to be removed.
    pub delete: PrivilegeMask,
    /// SIDs that must be allowed as well.
    pub restrict: &'a [Sid<'a>],
}

/// What an administrator keeps for daily work ("How User Account Control works").
const DAILY: PrivilegeMask = PrivilegeMask::of(&[
    Privilege::CHANGE_NOTIFY,
    Privilege::SHUTDOWN,
    Privilege::UNDOCK,
    Privilege::INCREASE_WORKING_SET,
    Privilege::TIME_ZONE,
]);

/// Groups of BUILTIN that make an administrator, by their last number: Administrators, Power Users, Account, System, Print
/// and Backup Operators, RAS Servers, Network Configuration Operators, Cryptographic Operators.
const POWERFUL_ALIASES: [u32; 9] = [544, 547, 548, 549, 550, 551, 553, 556, 569];
/// Groups of a domain that do: Domain Admins, Domain Controllers, Cert Publishers, Schema Admins, Enterprise Admins, Group
/// Policy Creator Owners, Read-only Domain Controllers.
const POWERFUL_DOMAIN_GROUPS: [u32; 7] = [512, 516, 517, 518, 519, 520, 521];

fn is_powerful(sid: Sid<'_>) -> bool {
    let mut numbers = sid.sub_authorities();
    let (count, domain) = (numbers.len(), numbers.next());
    let last = sid.relative_id().unwrap_or_default();
    sid.authority() == 5
        && match (count, domain) {
            (2, Some(32)) => POWERFUL_ALIASES.contains(&last),
            (5, Some(21)) => POWERFUL_DOMAIN_GROUPS.contains(&last),
            _ => sid == well_known::LOCAL_ACCOUNT_AND_ADMINISTRATOR,
        }
}

impl Token {
    /// Makes a copy that can do less.
    ///
    /// # NT
    /// `NtFilterToken` ("CreateRestrictedToken function"). With `DISABLE_MAX_PRIVILEGE` the list of privileges is not looked
    /// at. SIDs and privileges that the token does not have are passed over. A token that is restricted already gets the
    /// restricting SIDs that both lists have. The copy keeps the type.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    ///
    /// # Differs
    /// The two lists of a token that is restricted twice may have nothing in common: nothing is then allowed, where
    /// documentation is silent. The list of groups that `LUA_TOKEN` takes away is Windows' documented one, not what an
    /// administrator configured.
    #[doc(alias = "NtFilterToken")]
    pub fn filter(&self, filter: &Filter<'_>, token_id: Luid) -> NtResult<Self> {
        let mut copy = self.copy(token_id)?;
        copy.parent_token_id = self.token_id;
        copy.modified_id = token_id;
        copy.flags |= TokenFlags::FILTERED;
        let lua = filter.flags.contains(FilterFlags::LUA_TOKEN);
        for (index, group) in copy.sids.iter_mut().enumerate() {
            let named = filter.disable.iter().any(|sid| group.sid == *sid);
            let powerful = lua && index > 0 && is_powerful(group.sid.as_sid());
            if (named || powerful) && !group.attributes.contains(GroupAttributes::INTEGRITY) {
                group.attributes -= GroupAttributes::MANDATORY
                    | GroupAttributes::ENABLED
                    | GroupAttributes::ENABLED_BY_DEFAULT
                    | GroupAttributes::OWNER;
                group.attributes |= GroupAttributes::USE_FOR_DENY_ONLY;
            }
        }
        let present = copy.privileges.present();
        let mut gone = if filter.flags.contains(FilterFlags::DISABLE_MAX_PRIVILEGE) {
            present.difference(PrivilegeMask::of(&[Privilege::CHANGE_NOTIFY]))
        } else {
            filter.delete
        };
        if lua {
            gone = gone.union(present.difference(DAILY));
            if copy.integrity() > IntegrityLevel::MEDIUM {
                copy.replace_label(IntegrityLevel::MEDIUM);
            }
            if copy.elevation_type == TokenElevationType::FULL {
                copy.elevation_type = TokenElevationType::LIMITED;
            }
        }
        copy.privileges.remove(gone);
        if filter.flags.contains(FilterFlags::SANDBOX_INERT) {
            copy.flags |= TokenFlags::SANDBOX_INERT;
        }
        if !filter.restrict.is_empty() {
            copy.restrict(filter)?;
        }
        copy.mend_defaults();
        Ok(copy)
    }

    fn restrict(&mut self, filter: &Filter<'_>) -> NtResult {
        let attributes = GroupAttributes::MANDATORY
            | GroupAttributes::ENABLED_BY_DEFAULT
            | GroupAttributes::ENABLED;
        let mut restricting = Vec::new();
        memory::reserve(&mut restricting, filter.restrict.len())?;
        for sid in filter.restrict {
            let before = self
                .restricting
                .as_ref()
                .is_none_or(|sids| sids.iter().any(|group| group.sid == *sid));
            if before {
                restricting.push(Group {
                    sid: sid.to_buf(),
                    attributes,
                });
            }
        }
        // Restricting for writing alone must not undo what restricts everything.
        let write_only = filter.flags.contains(FilterFlags::WRITE_RESTRICTED)
            && (self.restricting.is_none() || self.flags.contains(TokenFlags::WRITE_RESTRICTED));
        self.flags.set(TokenFlags::WRITE_RESTRICTED, write_only);
        self.restricting = Some(restricting);
        Ok(())
    }
}
