//! The access check: may this token have these rights to the object with this descriptor?
//!
//! In this order, and whatever comes first decides:
//!
//! 1. The kernel itself may everything.
//! 2. A thread that impersonates below the level Impersonation may nothing.
//! 3. Integrity: what the object's label forbids is not granted by anything below.
//! 4. Privileges: `SeSecurityPrivilege` for the SACL, without which a request
//!    for it fails; `SeTakeOwnershipPrivilege` for `WRITE_OWNER`.
//! 5. An object without a DACL, or with a null one, grants everything.
//! 6. The owner has `READ_CONTROL` and `WRITE_DAC`, unless the DACL says what Owner Rights has.
//! 7. The DACL, entry by entry. The first entry that speaks of a right and of one of the token's SIDs decides about that
//!    right. A right of which no entry speaks is not granted.
//! 8. A restricted token goes through 6 and 7 a second time with its restricting SIDs alone, and gets what both give; a
//!    write-restricted one needs the second for writing only.
//!
//! Requests come in two kinds. For named rights the walk ends at the first
//! denial; `MAXIMUM_ALLOWED` goes through all entries and collects. Both are
//! done for a tree of nodes (see [`object_types`]), which for an ordinary check
//! is one node. ("Access Control Model", "How DACLs Control Access to an
//! Object", [MS-DTYP] 2.5.3.2.)

use nt_abi::security::{AccessMask, GenericMapping, ImpersonationLevel, Privilege};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{Acl, AclState, Descriptor, Sid};

use crate::mandatory::allowed_access;
use crate::privileges::PrivilegeMask;
use crate::token::{SidList, Token, TokenFlags, TokenKind};

pub(crate) mod audit;
mod entries;
pub(crate) mod object_types;
pub(crate) mod service;

use entries::{Matcher, Mode};
use object_types::{Node, ObjectTypeList};

/// Where a request comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requester {
    /// The kernel, for itself: nothing is checked.
    Kernel,
    /// User mode.
    User,
}

/// The tokens of a thread (`SECURITY_SUBJECT_CONTEXT`).
#[derive(Clone, Copy)]
pub struct SubjectContext<'a> {
    /// The process'.
    pub primary: &'a Token,
    /// The thread's own, while it impersonates.
    pub client: Option<&'a Token>,
}

impl<'a> SubjectContext<'a> {
    /// The token that counts.
    #[doc(alias = "SeQuerySubjectContextToken")]
    pub fn effective(&self) -> &'a Token {
        self.client.unwrap_or(self.primary)
    }
}

/// What is asked.
#[derive(Clone, Copy)]
pub struct AccessRequest<'a> {
    /// The object's descriptor.
    pub descriptor: Descriptor<'a>,
    /// Who asks.
    pub token: &'a Token,
    /// The rights; generic ones were mapped before.
    pub desired: AccessMask,
    /// Rights that were granted already and are to be in the result.
    pub previously_granted: AccessMask,
    /// What generic rights mean for the object.
    pub mapping: &'a GenericMapping,
    /// The SID that entries for Principal Self are about, if the object is an account.
    pub principal_self: Option<Sid<'a>>,
    /// Where the request comes from.
    pub requester: Requester,
}

/// The answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccessDecision {
    /// The rights, or why not.
    pub granted: NtResult<AccessMask>,
    /// Privileges that gave some of them, for the audit; none if the answer is no.
    pub used: PrivilegeMask,
}

impl AccessDecision {
    fn denied(status: NtStatus) -> Self {
        Self {
            granted: Err(status),
            used: PrivilegeMask::EMPTY,
        }
    }

    fn granted(rights: AccessMask, used: PrivilegeMask) -> Self {
        Self {
            granted: Ok(rights),
            used,
        }
    }
}

/// Answers an ordinary request.
///
/// # NT
/// `SeAccessCheck`.
///
/// # Errors
/// In the answer: `ACCESS_DENIED`; `PRIVILEGE_NOT_HELD` for the SACL without `SeSecurityPrivilege`;
/// `BAD_IMPERSONATION_LEVEL`; `GENERIC_NOT_MAPPED`.
///
/// # Differs
/// A request with generic bits is refused, as `NtAccessCheck` does; `SeAccessCheck` takes it for a mistake of the driver's.
/// [MS-DTYP] 2.5.3.2 takes every denial from `MAXIMUM_ALLOWED`; here, as in Windows, one that comes after the right was
/// granted changes nothing, so that whatever can be had by name is part of what can be had at most. Documentation does not
/// say which rights a write-restricted token has without its restricting SIDs: here those of generic read and execute.
#[doc(alias = "SeAccessCheck")]
pub fn access_check(request: &AccessRequest<'_>) -> AccessDecision {
    let mut nodes = [Node::ROOT];
    match Check::start(request) {
        Ok(check) => check.whole(&mut nodes, false),
        Err(decision) => decision,
    }
}

/// Answers a request about an object with parts: the rights to all of it.
///
/// # NT
/// `NtAccessCheckByType`.
///
/// # Errors
/// As [`access_check`].
#[doc(alias = "NtAccessCheckByType")]
pub fn access_check_by_type(
    request: &AccessRequest<'_>,
    parts: &mut ObjectTypeList,
) -> AccessDecision {
    match Check::start(request) {
        Ok(check) => check.whole(parts.reset(), true),
        Err(decision) => decision,
    }
}

/// Answers a request about an object with parts, for each part; [`ObjectTypeList::results`] has the answers, in order.
///
/// # NT
/// `NtAccessCheckByTypeResultList`.
///
/// # Errors
/// For a part as [`access_check`].
#[doc(alias = "NtAccessCheckByTypeResultList")]
pub fn access_check_by_type_result_list(
    request: &AccessRequest<'_>,
    parts: &mut ObjectTypeList,
) -> PrivilegeMask {
    let nodes = parts.reset();
    match Check::start(request) {
        Ok(check) => check.each(nodes),
        Err(decision) => {
            for node in nodes {
                node.result = decision.granted;
            }
            decision.used
        }
    }
}

/// A request after integrity and privileges had their say.
struct Check<'a> {
    request: &'a AccessRequest<'a>,
    /// The rights asked for by name that are not granted yet.
    remaining: AccessMask,
    /// Whether whatever can be had is asked for.
    maximum: bool,
    /// What integrity allows.
    allowed: AccessMask,
    by_privilege: AccessMask,
    used: PrivilegeMask,
}

impl<'a> Check<'a> {
    fn new(request: &'a AccessRequest<'a>) -> Self {
        Self {
            request,
            remaining: request.desired - AccessMask::MAXIMUM_ALLOWED,
            maximum: request.desired.contains(AccessMask::MAXIMUM_ALLOWED),
            allowed: AccessMask::all(),
            by_privilege: AccessMask::empty(),
            used: PrivilegeMask::EMPTY,
        }
    }

    /// Steps 1 to 4; an `Err` is an answer.
    fn start(request: &'a AccessRequest<'a>) -> Result<Self, AccessDecision> {
        let mut check = Self::new(request);
        if request.requester == Requester::Kernel {
            return Err(check.everything());
        }
        if let TokenKind::Impersonation(level) = request.token.kind()
            && level < ImpersonationLevel::IMPERSONATION
        {
            return Err(AccessDecision::denied(NtStatus::BAD_IMPERSONATION_LEVEL));
        }
        check.judge_levels_and_privileges()?;
        Ok(check)
    }

    fn judge_levels_and_privileges(&mut self) -> Result<(), AccessDecision> {
        let request = self.request;
        if request.desired.intersects(AccessMask::GENERIC) {
            return Err(AccessDecision::denied(NtStatus::GENERIC_NOT_MAPPED));
        }
        if request.desired.is_empty() {
            let before = request.previously_granted;
            return Err(if before.is_empty() {
                AccessDecision::denied(NtStatus::ACCESS_DENIED)
            } else {
                AccessDecision::granted(before, PrivilegeMask::EMPTY)
            });
        }
        self.allowed = allowed_access(request.token, request.descriptor.sacl(), request.mapping);
        if !self.allowed.contains(self.remaining) {
            return Err(AccessDecision::denied(NtStatus::ACCESS_DENIED));
        }
        if self.remaining.contains(AccessMask::ACCESS_SYSTEM_SECURITY)
            && !self.use_privilege(Privilege::SECURITY, AccessMask::ACCESS_SYSTEM_SECURITY)
        {
            return Err(AccessDecision::denied(NtStatus::PRIVILEGE_NOT_HELD));
        }
        if self.remaining.contains(AccessMask::WRITE_OWNER) {
            self.use_privilege(Privilege::TAKE_OWNERSHIP, AccessMask::WRITE_OWNER);
        }
        Ok(())
    }

    /// Takes a right from a privilege, if the token has that enabled.
    fn use_privilege(&mut self, privilege: Privilege, right: AccessMask) -> bool {
        let enabled = self.request.token.privileges().enabled();
        if !enabled.contains(privilege) {
            return false;
        }
        self.remaining -= right;
        self.by_privilege |= right;
        self.used.insert(privilege);
        true
    }

    /// All that was asked for, and for `MAXIMUM_ALLOWED` all that there is.
    fn everything(&self) -> AccessDecision {
        let all = if self.maximum {
            self.request.mapping.generic_all & self.allowed
        } else {
            AccessMask::empty()
        };
        self.grant(all | self.remaining)
    }

    fn grant(&self, rights: AccessMask) -> AccessDecision {
        let all = rights | self.by_privilege | self.request.previously_granted;
        AccessDecision::granted(all, self.used)
    }

    /// The DACL, if it is to be looked at.
    fn dacl(&self) -> Option<Acl<'a>> {
        match self.request.descriptor.dacl() {
            AclState::Absent | AclState::Null => None,
            AclState::Present(acl) => Some(acl),
        }
    }

    fn matcher(&self, list: SidList, parts_listed: bool) -> Matcher<'a> {
        Matcher {
            token: self.request.token,
            list,
            owner: self.request.descriptor.owner(),
            principal_self: self.request.principal_self,
            parts_listed,
        }
    }

    /// What a write-restricted token may do without its restricting SIDs.
    fn exempt(&self) -> AccessMask {
        let flags = self.request.token.flags();
        if flags.contains(TokenFlags::WRITE_RESTRICTED) {
            self.request.mapping.generic_read | self.request.mapping.generic_execute
        } else {
            AccessMask::empty()
        }
    }

    /// Steps 5 to 8 for the object as a whole.
    fn whole(&self, nodes: &mut [Node], parts_listed: bool) -> AccessDecision {
        let Some(dacl) = self.dacl() else {
            return self.everything();
        };
        if self.maximum {
            self.collect(dacl, nodes, parts_listed);
            return self.answer_for(self.collected(&nodes[0]));
        }
        let normal = self.matcher(SidList::Normal, parts_listed);
        if !normal.satisfied(dacl, nodes, self.remaining) {
            return AccessDecision::denied(NtStatus::ACCESS_DENIED);
        }
        if self.request.token.is_restricted() {
            let restricting = self.matcher(SidList::Restricting, parts_listed);
            if !restricting.satisfied(dacl, nodes, self.remaining - self.exempt()) {
                return AccessDecision::denied(NtStatus::ACCESS_DENIED);
            }
        }
        self.grant(self.remaining)
    }

    /// Steps 5 to 8 for each part.
    fn each(&self, nodes: &mut [Node]) -> PrivilegeMask {
        let Some(dacl) = self.dacl() else {
            let all = self.everything();
            for node in nodes {
                node.result = all.granted;
            }
            return all.used;
        };
        self.collect(dacl, nodes, true);
        let mut used = PrivilegeMask::EMPTY;
        for node in nodes {
            let answer = self.answer_for(self.collected(node));
            used = used.union(answer.used);
            node.result = answer.granted;
        }
        used
    }

    /// Collects in the nodes what the DACL grants.
    fn collect(&self, dacl: Acl<'_>, nodes: &mut [Node], parts_listed: bool) {
        self.matcher(SidList::Normal, parts_listed)
            .collect(dacl, nodes);
        if self.request.token.is_restricted() {
            self.matcher(SidList::Restricting, parts_listed)
                .collect(dacl, nodes);
        }
    }

    fn collected(&self, node: &Node) -> AccessMask {
        let mut granted = node.states[Mode::NORMAL].granted;
        if self.request.token.is_restricted() {
            granted &= node.states[Mode::RESTRICTING].granted | self.exempt();
        }
        granted & self.allowed
    }

    /// The answer where the DACL grants that much: for `MAXIMUM_ALLOWED` all of it, else what was named.
    fn answer_for(&self, collected: AccessMask) -> AccessDecision {
        let rights = if self.maximum {
            collected
        } else {
            collected & self.remaining
        };
        let answer = self.grant(rights);
        let nothing = answer.granted.is_ok_and(|rights| rights.is_empty());
        if !collected.contains(self.remaining) || nothing {
            return AccessDecision::denied(NtStatus::ACCESS_DENIED);
        }
        answer
    }
}
