//! Entries of an access-control list.
//!
//! | bytes | in | what |
//! |---|---|---|
//! | 4 | all | type, flags, size |
//! | 4 | all that are known | mask |
//! | 4, 0 to 32 | object entries | which GUIDs there are, then those |
//! | 8 to 68 | all that are known | SID |
//! | rest | some | a condition or a claim |
//!
//! An entry of a type that is not known is carried along and means nothing.

use nt_abi::security::{AccessMask, AceFlags, AceHeader, AceType, Guid, KnownAce, ObjectAceFlags};
use nt_abi::{NtResult, NtStatus};
use zerocopy::FromBytes;

use super::Sid;

const HEADER: usize = size_of::<AceHeader>();
/// Where what follows the mask begins.
pub(super) const AFTER_MASK: usize = size_of::<KnownAce>();
const GUID: usize = size_of::<Guid>();

/// What an entry does, whatever its form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Allows its mask.
    Allow,
    /// Denies its mask.
    Deny,
    /// Has access audited.
    Audit,
    /// Nothing: reserved.
    Alarm,
    /// Labels the object with an integrity level; the mask is its policy.
    Label,
    /// Claims something about the object.
    ResourceAttribute,
    /// Names a central access policy.
    ScopedPolicy,
    /// Limits the object to protected processes.
    ProcessTrust,
    /// Limits what others allow.
    AccessFilter,
    /// The type is not known, or a compound one.
    Unknown,
}

/// Whether an entry always counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// It does.
    None,
    /// Only if the expression behind its SID is true (a callback entry).
    Expression,
}

/// What the type says about the rest of an entry.
#[derive(Clone, Copy)]
struct Form {
    effect: Effect,
    condition: Condition,
    guids: bool,
}

const fn form(ace_type: AceType) -> Form {
    use Condition::{Expression, None};
    let (effect, condition, guids) = match ace_type {
        AceType::ACCESS_ALLOWED => (Effect::Allow, None, false),
        AceType::ACCESS_DENIED => (Effect::Deny, None, false),
        AceType::SYSTEM_AUDIT => (Effect::Audit, None, false),
        AceType::SYSTEM_ALARM => (Effect::Alarm, None, false),
        AceType::ACCESS_ALLOWED_OBJECT => (Effect::Allow, None, true),
        AceType::ACCESS_DENIED_OBJECT => (Effect::Deny, None, true),
        AceType::SYSTEM_AUDIT_OBJECT => (Effect::Audit, None, true),
        AceType::SYSTEM_ALARM_OBJECT => (Effect::Alarm, None, true),
        AceType::ACCESS_ALLOWED_CALLBACK => (Effect::Allow, Expression, false),
        AceType::ACCESS_DENIED_CALLBACK => (Effect::Deny, Expression, false),
        AceType::ACCESS_ALLOWED_CALLBACK_OBJECT => (Effect::Allow, Expression, true),
        AceType::ACCESS_DENIED_CALLBACK_OBJECT => (Effect::Deny, Expression, true),
        AceType::SYSTEM_AUDIT_CALLBACK => (Effect::Audit, Expression, false),
        AceType::SYSTEM_ALARM_CALLBACK => (Effect::Alarm, Expression, false),
        AceType::SYSTEM_AUDIT_CALLBACK_OBJECT => (Effect::Audit, Expression, true),
        AceType::SYSTEM_ALARM_CALLBACK_OBJECT => (Effect::Alarm, Expression, true),
        AceType::SYSTEM_MANDATORY_LABEL => (Effect::Label, None, false),
        AceType::SYSTEM_RESOURCE_ATTRIBUTE => (Effect::ResourceAttribute, None, false),
        AceType::SYSTEM_SCOPED_POLICY_ID => (Effect::ScopedPolicy, None, false),
        AceType::SYSTEM_PROCESS_TRUST_LABEL => (Effect::ProcessTrust, None, false),
        AceType::SYSTEM_ACCESS_FILTER => (Effect::AccessFilter, None, false),
        _ => (Effect::Unknown, None, false),
    };
    Form {
        effect,
        condition,
        guids,
    }
}

/// An entry in bytes that were checked.
#[derive(Clone, Copy)]
pub struct Ace<'a> {
    bytes: &'a [u8],
    header: AceHeader,
    mask: AccessMask,
    object_type: Option<Guid>,
    inherited_object_type: Option<Guid>,
    /// The SID, and where it is.
    sid: Option<(usize, Sid<'a>)>,
}

impl<'a> Ace<'a> {
    /// Reads the entry that `bytes` start with; gives it and what follows.
    ///
    /// # NT
    /// What `RtlValidAcl` asks of an entry.
    ///
    /// # Errors
    /// `INVALID_ACL`: its size is no multiple of 4 or leaves out what its type must have, or its SID is none.
    pub(super) fn read(bytes: &'a [u8]) -> NtResult<(Self, &'a [u8])> {
        Self::split(bytes).ok_or(NtStatus::INVALID_ACL)
    }

    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (header, _) = AceHeader::read_from_prefix(bytes).ok()?;
        let size = usize::from(header.size);
        if size < HEADER || size % 4 != 0 {
            return None;
        }
        let (bytes, rest) = bytes.split_at_checked(size)?;
        let form = form(header.ace_type);
        let mut ace = Self {
            bytes,
            header,
            mask: AccessMask::empty(),
            object_type: None,
            inherited_object_type: None,
            sid: None,
        };
        if form.effect != Effect::Unknown {
            ace.mask = KnownAce::read_from_prefix(bytes).ok()?.0.mask;
            let mut at = AFTER_MASK;
            if form.guids {
                at = ace.read_guids()?;
            }
            ace.sid = Some((at, Sid::read(bytes.get(at..)?).ok()?));
        }
        Some((ace, rest))
    }

    /// Reads the GUIDs of an object entry; gives where they end.
    fn read_guids(&mut self) -> Option<usize> {
        let (present, _) = u32::read_from_prefix(self.bytes.get(AFTER_MASK..)?).ok()?;
        let present = ObjectAceFlags(present);
        let mut at = AFTER_MASK + size_of::<u32>();
        if present.contains(ObjectAceFlags::OBJECT_TYPE_PRESENT) {
            self.object_type = Some(Guid::read_from_prefix(self.bytes.get(at..)?).ok()?.0);
            at += GUID;
        }
        if present.contains(ObjectAceFlags::INHERITED_OBJECT_TYPE_PRESENT) {
            self.inherited_object_type =
                Some(Guid::read_from_prefix(self.bytes.get(at..)?).ok()?.0);
            at += GUID;
        }
        Some(at)
    }

    /// Its bytes, a multiple of 4.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Its type's number.
    pub fn ace_type(&self) -> AceType {
        self.header.ace_type
    }

    /// What it does.
    pub fn effect(&self) -> Effect {
        form(self.header.ace_type).effect
    }

    /// Whether it always counts.
    pub fn condition(&self) -> Condition {
        form(self.header.ace_type).condition
    }

    /// Whether it has the form with GUIDs, even if it has none.
    pub fn is_object_form(&self) -> bool {
        form(self.header.ace_type).guids
    }

    /// Inheritance and audit.
    pub fn flags(&self) -> AceFlags {
        self.header.flags
    }

    /// The rights; none for a type that is not known.
    pub fn mask(&self) -> AccessMask {
        self.mask
    }

    /// Whom it is about; `None` for a type that is not known.
    pub fn sid(&self) -> Option<Sid<'a>> {
        self.sid.map(|(_, sid)| sid)
    }

    /// What part of the object it is about; `None` for all of it.
    pub fn object_type(&self) -> Option<Guid> {
        self.object_type
    }

    /// Which type of object inherits it; `None` for all.
    pub fn inherited_object_type(&self) -> Option<Guid> {
        self.inherited_object_type
    }

    /// What follows the SID: a condition or a claim, and padding.
    pub fn data(&self) -> &'a [u8] {
        self.sid
            .and_then(|(at, sid)| self.bytes.get(at + sid.bytes().len()..))
            .unwrap_or_default()
    }

    /// What lies between mask and SID.
    pub(super) fn guid_bytes(&self) -> &'a [u8] {
        self.sid
            .and_then(|(at, _)| self.bytes.get(AFTER_MASK..at))
            .unwrap_or_default()
    }

    /// Whether it says something about the object that has it, not only about those that inherit it.
    pub fn is_effective(&self) -> bool {
        !self.flags().contains(AceFlags::INHERIT_ONLY)
    }
}
