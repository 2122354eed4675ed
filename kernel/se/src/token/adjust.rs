//! Enabling and disabling privileges and groups.
//!
//! Both happen in two steps, because the service must know before it changes
//! anything whether the previous state fits the caller's buffer: first a plan,
//! then its application, which cannot fail.

use alloc::vec::Vec;

use nt_abi::security::{GroupAttributes, Luid};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{Sid, memory};

use super::{Group, Token};
use crate::privileges::{Assigned, PrivilegePlan};

/// What is to become of a token's groups.
#[derive(Clone, Copy)]
pub enum GroupRequest<'a> {
    /// Each is enabled if it was so from the start.
    ResetToDefault,
    /// Each of the list is enabled if its attributes say so, else disabled; the others stay.
    Set(&'a [(Sid<'a>, GroupAttributes)]),
}

/// A change of groups that was worked out.
pub struct GroupPlan {
    /// Whether all were found.
    pub assigned: Assigned,
    /// What changes, as it was.
    pub previous: Vec<Group>,
    result: Vec<Group>,
}

impl Token {
    /// Makes a change of privileges that was planned on this token's [`privileges`](Token::privileges).
    #[doc(alias = "NtAdjustPrivilegesToken")]
    pub fn apply_privileges(&mut self, plan: &PrivilegePlan, modified_id: Luid) {
        if !plan.previous.as_slice().is_empty() {
            self.privileges = plan.result;
            self.modified_id = modified_id;
        }
    }

    /// Works out a change of groups without making it.
    ///
    /// # NT
    /// `NtAdjustGroupsToken` ("AdjustTokenGroups function"). The user and the label are not groups in this sense.
    ///
    /// # Errors
    /// `CANT_DISABLE_MANDATORY`; `CANT_ENABLE_DENY_ONLY`; `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "NtAdjustGroupsToken")]
    pub fn plan_groups(&self, request: GroupRequest<'_>) -> NtResult<GroupPlan> {
        let mut plan = GroupPlan {
            assigned: Assigned::All,
            previous: Vec::new(),
            result: memory::copy(&self.sids)?,
        };
        memory::reserve(&mut plan.previous, self.sids.len())?;
        let mut found = 0;
        for group in plan.result.iter_mut().skip(1) {
            let attributes = group.attributes;
            if attributes.contains(GroupAttributes::INTEGRITY) {
                continue;
            }
            let mandatory = attributes.contains(GroupAttributes::MANDATORY);
            let deny_only = attributes.contains(GroupAttributes::USE_FOR_DENY_ONLY);
            let enable = match request {
                GroupRequest::ResetToDefault => {
                    if mandatory || deny_only {
                        continue;
                    }
                    attributes.contains(GroupAttributes::ENABLED_BY_DEFAULT)
                }
                GroupRequest::Set(list) => {
                    let Some((_, wanted)) = list.iter().find(|(sid, _)| group.sid == *sid) else {
                        continue;
                    };
                    found += 1;
                    wanted.contains(GroupAttributes::ENABLED)
                }
            };
            if mandatory && !enable {
                return Err(NtStatus::CANT_DISABLE_MANDATORY);
            }
            if deny_only && enable {
                return Err(NtStatus::CANT_ENABLE_DENY_ONLY);
            }
            if enable != attributes.contains(GroupAttributes::ENABLED) {
                plan.previous.push(*group);
                group.attributes.set(GroupAttributes::ENABLED, enable);
            }
        }
        if let GroupRequest::Set(list) = request
            && found < list.len()
        {
            plan.assigned = Assigned::NotAll;
        }
        Ok(plan)
    }

    /// Makes a change of groups that was planned on this token.
    pub fn apply_groups(&mut self, plan: GroupPlan, modified_id: Luid) {
        if !plan.previous.is_empty() {
            self.sids = plan.result;
            self.modified_id = modified_id;
        }
    }
}
