//! Integrity levels: a limit that no DACL lifts.
//!
//! An object has a level and says what those below it may not do; without a
//! label it is Medium and forbids writing. ([MS-DTYP] 2.5.3.3; "Mandatory
//! Integrity Control".) The documentation speaks of reading, writing and
//! executing; a type's mapping says which rights those are, and the standard
//! rights belong to one of the three as well:
//!
//! | class | rights |
//! |---|---|
//! | reading | what generic read means, `READ_CONTROL` |
//! | writing | what generic write means, `DELETE`, `WRITE_DAC`, `WRITE_OWNER`, `ACCESS_SYSTEM_SECURITY` |
//! | executing | what generic execute means and reading does not, `SYNCHRONIZE` |
//!
//! A right of two classes is forbidden only if both are.

use nt_abi::security::{
    AccessMask, GenericMapping, MandatoryLabelPolicy, Privilege, TokenMandatoryPolicy,
};
use rtl::security::{Ace, AclState, Effect, Sid, SidBuf, well_known};

use crate::Token;

/// An integrity level: the higher, the more trusted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IntegrityLevel(pub u32);

impl IntegrityLevel {
    /// Below all.
    pub const UNTRUSTED: Self = Self(0);
    /// A sandbox.
    pub const LOW: Self = Self(0x1000);
    /// A user.
    pub const MEDIUM: Self = Self(0x2000);
    /// An administrator.
    pub const HIGH: Self = Self(0x3000);
    /// The system.
    pub const SYSTEM: Self = Self(0x4000);

    /// The level that a SID stands for.
    pub fn of(sid: Sid<'_>) -> Option<Self> {
        well_known::label_level(sid).map(Self)
    }

    /// Its SID.
    pub fn sid(self) -> SidBuf {
        well_known::label(self.0)
    }
}

/// The first label of a SACL that is meant for the object itself.
fn label_of(sacl: AclState<'_>) -> (IntegrityLevel, MandatoryLabelPolicy) {
    let is_label = |ace: &Ace<'_>| ace.effect() == Effect::Label && ace.is_effective();
    sacl.aces()
        .find(is_label)
        .and_then(|ace| {
            let level = IntegrityLevel::of(ace.sid()?)?;
            Some((level, MandatoryLabelPolicy(ace.mask().0)))
        })
        .unwrap_or((IntegrityLevel::MEDIUM, MandatoryLabelPolicy::NO_WRITE_UP))
}

/// What the levels let the token have at most, whatever the DACL says.
///
/// # NT
/// [MS-DTYP] 2.5.3.3. `SeRelabelPrivilege` adds `WRITE_OWNER`, with which a label is changed.
pub fn allowed_access(token: &Token, sacl: AclState<'_>, mapping: &GenericMapping) -> AccessMask {
    let (level, policy) = label_of(sacl);
    let ignores = !token
        .mandatory_policy()
        .contains(TokenMandatoryPolicy::NO_WRITE_UP);
    if ignores || token.integrity() >= level {
        return AccessMask::all();
    }
    let mut allowed = AccessMask::all() - forbidden(policy, mapping);
    if token.privileges().enabled().contains(Privilege::RELABEL) {
        allowed |= AccessMask::WRITE_OWNER;
    }
    allowed
}

fn forbidden(policy: MandatoryLabelPolicy, mapping: &GenericMapping) -> AccessMask {
    let write = mapping.generic_write
        | AccessMask::DELETE
        | AccessMask::WRITE_DAC
        | AccessMask::WRITE_OWNER
        | AccessMask::ACCESS_SYSTEM_SECURITY;
    let read = mapping.generic_read | AccessMask::READ_CONTROL;
    let execute = (mapping.generic_execute - mapping.generic_read) | AccessMask::SYNCHRONIZE;
    let classes = [
        (MandatoryLabelPolicy::NO_WRITE_UP, write),
        (MandatoryLabelPolicy::NO_READ_UP, read),
        (MandatoryLabelPolicy::NO_EXECUTE_UP, execute),
    ];
    let (mut kept, mut lost) = (AccessMask::empty(), AccessMask::empty());
    for (bit, rights) in classes {
        if policy.contains(bit) {
            lost |= rights;
        } else {
            kept |= rights;
        }
    }
    // Rights that only generic all has are as much as writing.
    if policy.contains(MandatoryLabelPolicy::NO_WRITE_UP) {
        lost |= mapping.generic_all;
    }
    lost - kept
}
