//! The descriptor of a new object.
//!
//! Three may have a say: the parent (a directory, a key), the creator, who may
//! pass a descriptor, and the creator's token, whose default applies where the
//! others say nothing. For each of the two lists ([MS-DTYP] 2.5.3.4.2; "DACL
//! for a New Object"):
//!
//! | the creator gives | the parent passes on | result |
//! |---|---|---|
//! | a list | anything | the list, and with auto-inherit also what is passed on, unless it is protected |
//! | none, or a default | something | what is passed on |
//! | a default | nothing | the default |
//! | none | nothing | the token's default DACL; no SACL |

use nt_abi::security::{
    AceFlags, AutoInheritFlags, DescriptorControl, GenericMapping, Guid, MandatoryLabelPolicy,
};
use nt_abi::{NtResult, NtStatus};

use super::inherit::Recipient;
use super::{
    Ace, Acl, AclBuf, AclBuilder, AclState, Descriptor, DescriptorBuf, Effect, Provenance, Sid,
};

/// Whether an object holds others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ObjectKind {
    /// It does: a directory, a key.
    Container,
    /// It does not: a file, an event.
    Leaf,
}

/// A label for objects that get none otherwise.
#[derive(Clone, Copy)]
pub struct Label<'a> {
    /// The level.
    pub sid: Sid<'a>,
    /// What it forbids.
    pub policy: MandatoryLabelPolicy,
}

/// What the creator's token says about objects that it makes.
#[derive(Clone, Copy)]
pub struct Creator<'a> {
    /// Their owner.
    pub owner: Sid<'a>,
    /// Their primary group.
    pub group: Sid<'a>,
    /// Their DACL.
    pub default_dacl: Option<Acl<'a>>,
    /// Their label; `None` leaves them without one, which means Medium.
    pub label: Option<Label<'a>>,
}

/// An object that is about to be.
#[derive(Clone, Copy)]
pub struct NewObject<'a> {
    /// The parent's descriptor.
    pub parent: Option<Descriptor<'a>>,
    /// What the creator passed.
    pub given: Option<Descriptor<'a>>,
    /// The creator.
    pub creator: Creator<'a>,
    /// Whether it holds others.
    pub kind: ObjectKind,
    /// The types that it is of, for entries that only some types inherit; mostly none.
    pub object_types: &'a [Guid],
    /// How to inherit.
    pub flags: AutoInheritFlags,
    /// What generic rights mean for it.
    pub mapping: &'a GenericMapping,
}

/// One of the two lists: where it is and which bits are about it.
struct List<'a> {
    parent: AclState<'a>,
    given: AclState<'a>,
    given_control: DescriptorControl,
    default: Option<Acl<'a>>,
    auto: bool,
    defaulted: DescriptorControl,
    protected: DescriptorControl,
    auto_inherited: DescriptorControl,
}

/// A list that was made, and the bits about it.
#[derive(Default)]
struct Made {
    list: MadeList,
    control: DescriptorControl,
}

#[derive(Default)]
enum MadeList {
    #[default]
    Absent,
    Null,
    Present(AclBuf),
}

impl MadeList {
    fn state(&self) -> AclState<'_> {
        match self {
            Self::Absent => AclState::Absent,
            Self::Null => AclState::Null,
            Self::Present(acl) => AclState::Present(acl.as_acl()),
        }
    }
}

impl<'a> NewObject<'a> {
    /// Makes the descriptor.
    ///
    /// # NT
    /// `RtlNewSecurityObjectWithMultipleInheritance`, and so `RtlNewSecurityObject(Ex)` and the inner part of
    /// `SeAssignSecurity(Ex)`. Whether the creator may name that owner or pass a SACL is the caller's question, since the
    /// answer needs the token.
    ///
    /// # Errors
    /// `INVALID_OWNER` or `INVALID_PRIMARY_GROUP` if they are to come from a parent that has none, `ALLOTTED_SPACE_EXCEEDED`
    /// if a list would exceed 64 KiB, `INSUFFICIENT_RESOURCES`.
    ///
    /// # Differs
    /// Without auto-inherit, entries that are marked as inherited stay in a list that the creator gives ([MS-DTYP] 2.5.3.4.6
    /// drops them always): it would otherwise be empty and lock everyone out. An entry for some types of object keeps its
    /// second GUID where it is obeyed.
    #[doc(alias = "RtlNewSecurityObjectEx")]
    #[doc(alias = "SeAssignSecurityEx")]
    pub fn descriptor(&self) -> NtResult<DescriptorBuf> {
        let parent = self.parent.unwrap_or_default();
        let given = self.given.unwrap_or_default();
        let from_parent = |flag| self.flags.contains(flag);
        let owner = match given.owner() {
            Some(owner) => owner,
            None if from_parent(AutoInheritFlags::DEFAULT_OWNER_FROM_PARENT) => {
                parent.owner().ok_or(NtStatus::INVALID_OWNER)?
            }
            None => self.creator.owner,
        };
        let group = match given.group() {
            Some(group) => group,
            None if from_parent(AutoInheritFlags::DEFAULT_GROUP_FROM_PARENT) => {
                parent.group().ok_or(NtStatus::INVALID_PRIMARY_GROUP)?
            }
            None => self.creator.group,
        };
        let dacl = self.make(&self.dacl(), owner, group)?;
        let mut sacl = self.make(&self.sacl(), owner, group)?;
        self.add_label(&mut sacl, owner, group)?;

        let mut descriptor = Descriptor::new();
        descriptor.set_owner(Some(owner), Provenance::Given);
        descriptor.set_group(Some(group), Provenance::Given);
        descriptor.set_dacl(dacl.list.state(), Provenance::Given);
        descriptor.set_sacl(sacl.list.state(), Provenance::Given);
        let parts = DescriptorControl::OWNER_DEFAULTED | DescriptorControl::GROUP_DEFAULTED;
        let control = dacl.control | sacl.control | (given.control() & parts);
        descriptor.take_control(control, DescriptorControl::all());
        DescriptorBuf::build(&descriptor)
    }

    fn dacl(&self) -> List<'a> {
        let given = self.given.unwrap_or_default();
        List {
            parent: self.parent.unwrap_or_default().dacl(),
            given: given.dacl(),
            given_control: given.control(),
            default: self.creator.default_dacl,
            auto: self.flags.contains(AutoInheritFlags::DACL_AUTO_INHERIT),
            defaulted: DescriptorControl::DACL_DEFAULTED,
            protected: DescriptorControl::DACL_PROTECTED,
            auto_inherited: DescriptorControl::DACL_AUTO_INHERITED,
        }
    }

    fn sacl(&self) -> List<'a> {
        let given = self.given.unwrap_or_default();
        List {
            parent: self.parent.unwrap_or_default().sacl(),
            given: given.sacl(),
            given_control: given.control(),
            default: None,
            auto: self.flags.contains(AutoInheritFlags::SACL_AUTO_INHERIT),
            defaulted: DescriptorControl::SACL_DEFAULTED,
            protected: DescriptorControl::SACL_PROTECTED,
            auto_inherited: DescriptorControl::SACL_AUTO_INHERITED,
        }
    }

    fn recipient<'b>(&'b self, auto: bool, owner: Sid<'b>, group: Sid<'b>) -> Recipient<'b> {
        Recipient {
            kind: self.kind,
            object_types: self.object_types,
            mapping: self.mapping,
            owner: Some(owner),
            group: Some(group),
            mark: if auto {
                AceFlags::INHERITED
            } else {
                AceFlags::empty()
            },
        }
    }

    /// The table of the module's comment.
    fn make(&self, list: &List<'_>, owner: Sid<'_>, group: Sid<'_>) -> NtResult<Made> {
        let recipient = self.recipient(list.auto, owner, group);
        let default = self
            .flags
            .contains(AutoInheritFlags::DEFAULT_DESCRIPTOR_FOR_OBJECT)
            || list.given_control.contains(list.defaulted);
        if list.given.is_present() && !default {
            return list.explicit(&recipient);
        }
        let mut builder = AclBuilder::new()?;
        for ace in list.parent.aces() {
            recipient.inherit(&ace, &mut builder)?;
        }
        if builder.count() > 0 {
            return Ok(Made {
                list: MadeList::Present(builder.finish()),
                control: if list.auto {
                    list.auto_inherited
                } else {
                    DescriptorControl::empty()
                },
            });
        }
        if list.given.is_present() {
            let mut made = list.explicit(&recipient)?;
            made.control |= list.given_control & list.defaulted;
            return Ok(made);
        }
        let Some(acl) = list.default else {
            return Ok(Made::default());
        };
        for ace in acl.aces() {
            recipient.take_explicit(&ace, &mut builder)?;
        }
        Ok(Made {
            list: MadeList::Present(builder.finish()),
            control: DescriptorControl::empty(),
        })
    }

    /// Gives the SACL a label if it has none: the one that the parent passes on, or else the creator's.
    fn add_label(&self, sacl: &mut Made, owner: Sid<'_>, group: Sid<'_>) -> NtResult {
        let is_label = |ace: &Ace<'_>| ace.effect() == Effect::Label;
        if sacl
            .list
            .state()
            .aces()
            .any(|ace| is_label(&ace) && ace.is_effective())
        {
            return Ok(());
        }
        let mut builder = AclBuilder::new()?;
        for ace in sacl.list.state().aces() {
            builder.copy(&ace)?;
        }
        let before = builder.count();
        let auto = self.flags.contains(AutoInheritFlags::SACL_AUTO_INHERIT);
        let recipient = self.recipient(auto, owner, group);
        let parent = self.parent.unwrap_or_default().sacl();
        if !sacl.list.state().aces().any(|ace| is_label(&ace)) {
            for ace in parent.aces().filter(is_label) {
                recipient.inherit(&ace, &mut builder)?;
            }
        }
        if let (true, Some(label)) = (builder.count() == before, self.creator.label) {
            builder.label(AceFlags::empty(), label.policy, label.sid)?;
        }
        if builder.count() > before {
            sacl.list = MadeList::Present(builder.finish());
        }
        Ok(())
    }
}

impl List<'_> {
    /// The list that was given, merged with what the parent passes on.
    fn explicit(&self, recipient: &Recipient<'_>) -> NtResult<Made> {
        let protected = self.given_control.contains(self.protected);
        let merge = self.auto && !protected;
        let mut control = self.given_control & self.protected;
        let AclState::Present(acl) = self.given else {
            return Ok(Made {
                list: MadeList::Null,
                control,
            });
        };
        let mut builder = AclBuilder::new()?;
        for ace in acl.aces() {
            if !(merge && ace.flags().contains(AceFlags::INHERITED)) {
                recipient.take_explicit(&ace, &mut builder)?;
            }
        }
        if merge {
            for ace in self.parent.aces() {
                recipient.inherit(&ace, &mut builder)?;
            }
            control |= self.auto_inherited;
        }
        Ok(Made {
            list: MadeList::Present(builder.finish()),
            control,
        })
    }
}
