//! Whether an access is to be audited.

use nt_abi::NtResult;
use nt_abi::security::{AccessMask, AceFlags};
use rtl::security::{AclState, Condition, Effect, Sid, well_known};

use crate::token::{SidList, SidUse, Token};

/// What happened, as far as the audit cares.
#[derive(Clone, Copy)]
pub struct AuditRequest<'a> {
    /// The object's SACL.
    pub sacl: AclState<'a>,
    /// Who asked.
    pub token: &'a Token,
    /// What was asked for, generic rights mapped.
    pub desired: AccessMask,
    /// The answer.
    pub outcome: NtResult<AccessMask>,
    /// The SID that entries for Principal Self are about.
    pub principal_self: Option<Sid<'a>>,
}

/// The number of the entry that has the access audited, if one does.
///
/// # NT
/// "SACL for a New Object", "Audit Generation": an entry fires if it is about one of the token's SIDs (also one for denials
/// alone), if it is for that outcome, and if it speaks of a right that was granted or, after a refusal, asked for.
/// `MAXIMUM_ALLOWED` asks for all. Entries about parts count for the whole, those with a condition do not count.
#[doc(alias = "SeOpenObjectAuditAlarm")]
pub fn audited_by(request: &AuditRequest<'_>) -> Option<usize> {
    let (wanted, rights) = match request.outcome {
        Ok(granted) => (AceFlags::SUCCESSFUL_ACCESS, granted),
        Err(_) if request.desired.contains(AccessMask::MAXIMUM_ALLOWED) => {
            (AceFlags::FAILED_ACCESS, AccessMask::all())
        }
        Err(_) => (AceFlags::FAILED_ACCESS, request.desired),
    };
    request.sacl.aces().position(|ace| {
        let sid = ace.sid().and_then(|sid| {
            if sid == well_known::PRINCIPAL_SELF {
                request.principal_self
            } else {
                Some(sid)
            }
        });
        ace.effect() == Effect::Audit
            && ace.condition() == Condition::None
            && ace.is_effective()
            && ace.flags().contains(wanted)
            && ace.mask().intersects(rights)
            && sid.is_some_and(|sid| request.token.holds(SidList::Normal, sid, SidUse::Deny))
    })
}
