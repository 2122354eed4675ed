//! What becomes of one entry when an object gets it, from its parent or from its creator.
//!
//! Two things may have to happen to an entry that the object is to obey:
//! generic rights get the meaning that they have for its type, and the
//! placeholders Creator Owner and Creator Group become its owner and group. An
//! entry that is passed on further must keep both, since the next object may
//! be of another type and have another owner. So where an entry is obeyed *and*
//! passed on, and there is something to replace, it becomes two: one that is
//! obeyed, and one that is for inheriting alone. ([MS-DTYP] 2.5.3.4.4, the
//! table and the paragraph below it; "ACE Inheritance Rules".)

use nt_abi::NtResult;
use nt_abi::security::{AccessMask, AceFlags, GenericMapping, Guid};

use super::{Ace, AclBuilder, Effect, ObjectKind, Sid, well_known};

/// Who passes an entry on to which objects.
const PASSED_ON: AceFlags = AceFlags::CONTAINER_INHERIT.union(AceFlags::OBJECT_INHERIT);

/// What is known of the object that gets entries.
pub(super) struct Recipient<'a> {
    pub(super) kind: ObjectKind,
    /// The types it is of; entries may be for some alone.
    pub(super) object_types: &'a [Guid],
    pub(super) mapping: &'a GenericMapping,
    pub(super) owner: Option<Sid<'a>>,
    pub(super) group: Option<Sid<'a>>,
    /// `INHERITED` where inherited entries are to be told from others.
    pub(super) mark: AceFlags,
}

impl Recipient<'_> {
    /// Adds what the object inherits of its parent's entry.
    pub(super) fn inherit(&self, ace: &Ace<'_>, list: &mut AclBuilder) -> NtResult {
        let flags = ace.flags();
        let meant = ace
            .inherited_object_type()
            .is_none_or(|wanted| self.object_types.contains(&wanted));
        let own = flags.difference(AceFlags::VALID_INHERIT_FLAGS) | self.mark;
        if self.kind == ObjectKind::Leaf {
            return if meant && flags.contains(AceFlags::OBJECT_INHERIT) {
                self.obeyed(ace, own, list)
            } else {
                Ok(())
            };
        }
        let passed_on = if flags.contains(AceFlags::NO_PROPAGATE_INHERIT) {
            AceFlags::empty()
        } else {
            flags & PASSED_ON
        };
        if meant && flags.contains(AceFlags::CONTAINER_INHERIT) {
            self.obeyed_and_passed_on(ace, own, passed_on, list)
        } else if passed_on.is_empty() {
            Ok(())
        } else {
            let flags = own | passed_on | AceFlags::INHERIT_ONLY;
            list.copy_changed(ace, flags, ace.mask(), ace.sid())
        }
    }

    /// Adds an entry that somebody gave for this object.
    ///
    /// # Differs
    /// [MS-DTYP] 2.5.3.4.5 loses entries that are not inheritable where the parent has inheritable ones; Windows does not.
    pub(super) fn take_explicit(&self, ace: &Ace<'_>, list: &mut AclBuilder) -> NtResult {
        let flags = ace.flags().difference(AceFlags::INHERITED);
        if self.kind == ObjectKind::Leaf {
            return if ace.is_effective() {
                self.obeyed(ace, flags.difference(AceFlags::VALID_INHERIT_FLAGS), list)
            } else {
                Ok(())
            };
        }
        if !ace.is_effective() {
            return list.copy_changed(ace, flags, ace.mask(), ace.sid());
        }
        let own = flags.difference(AceFlags::VALID_INHERIT_FLAGS);
        let mut passed_on = flags & PASSED_ON;
        if !passed_on.is_empty() {
            passed_on |= flags & AceFlags::NO_PROPAGATE_INHERIT;
        }
        self.obeyed_and_passed_on(ace, own, passed_on, list)
    }

    /// Adds an entry for this object and for those below it: one if it says the same to all, else two.
    fn obeyed_and_passed_on(
        &self,
        ace: &Ace<'_>,
        own: AceFlags,
        passed_on: AceFlags,
        list: &mut AclBuilder,
    ) -> NtResult {
        if passed_on.is_empty() || !has_placeholder(ace) {
            return self.obeyed(ace, own | passed_on, list);
        }
        self.obeyed(ace, own, list)?;
        let flags = own | passed_on | AceFlags::INHERIT_ONLY;
        list.copy_changed(ace, flags, ace.mask(), ace.sid())
    }

    /// Adds an entry as this object obeys it.
    fn obeyed(&self, ace: &Ace<'_>, flags: AceFlags, list: &mut AclBuilder) -> NtResult {
        let sid = ace.sid().map(|sid| match sid {
            sid if sid == well_known::CREATOR_OWNER => self.owner.unwrap_or(sid),
            sid if sid == well_known::CREATOR_GROUP => self.group.unwrap_or(sid),
            sid => sid,
        });
        let mask = if has_rights(ace) {
            self.mapping.map(ace.mask())
        } else {
            ace.mask()
        };
        list.copy_changed(ace, flags, mask, sid)
    }
}

/// Whether the mask is one of rights: a label's is a policy.
fn has_rights(ace: &Ace<'_>) -> bool {
    matches!(
        ace.effect(),
        Effect::Allow | Effect::Deny | Effect::Audit | Effect::Alarm
    )
}

/// Whether objects that obey the entry see it differently.
fn has_placeholder(ace: &Ace<'_>) -> bool {
    let placeholder =
        |sid: Sid<'_>| sid == well_known::CREATOR_OWNER || sid == well_known::CREATOR_GROUP;
    (has_rights(ace) && ace.mask().intersects(AccessMask::GENERIC))
        || ace.sid().is_some_and(placeholder)
}
