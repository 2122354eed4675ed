//! Handles from handles.

use nt_abi::access::AccessMask;
use nt_abi::{NtResult, NtStatus};

use super::{HandleAttributes, HandleTable};
use crate::grant::{self, NewHandle, OpenReason, Sharing};
use crate::{AccessState, Caller, Handle, HandleEntry, Subject, security};

bitflags::bitflags! {
    /// `DUPLICATE_*`.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct DuplicateOptions: u32 {
        /// The source is closed, whatever else happens.
        const CLOSE_SOURCE = 1;
        /// With the source's rights.
        const SAME_ACCESS = 2;
        /// With the source's attributes.
        const SAME_ATTRIBUTES = 4;
    }
}

/// A duplication that is wanted.
#[derive(Clone, Copy)]
pub struct Duplicate<'a> {
    /// Whose handle: the source process's table, and the mode of whoever asks.
    pub source: Caller<'a>,
    /// The handle.
    pub handle: Handle,
    /// Where the new one goes; `None` only to close the source.
    pub target: Option<&'a HandleTable>,
    /// The rights of the new one, unless they are to be the same.
    pub access: AccessMask,
    /// The attributes of the new one, unless they are to be the same.
    pub attributes: HandleAttributes,
    /// What is to be the same, and what becomes of the source.
    pub options: DuplicateOptions,
    /// Who asks, in case the new handle is to have rights that the source lacks; `None` gets none of those.
    pub subject: Option<Subject<'a>>,
}

impl Duplicate<'_> {
    /// Makes the new handle, and closes the source if that is asked for.
    ///
    /// Rights that the source has are given without a question. If more are wanted, the object's security descriptor is
    /// asked as if it were opened; a type that keeps its descriptor elsewhere refuses.
    ///
    /// # NT
    /// `ObDuplicateObject`.
    ///
    /// # Errors
    /// `INVALID_HANDLE`; `INVALID_PARAMETER` without a target if the source is not to be closed either;
    /// `ACCESS_DENIED`; further as for a new handle.
    #[doc(alias = "ObDuplicateObject")]
    #[doc(alias = "NtDuplicateObject")]
    pub fn perform(&self) -> NtResult<Option<Handle>> {
        let source = self.source.entry(self.handle)?;
        let closes = self.options.contains(DuplicateOptions::CLOSE_SOURCE);
        if closes {
            // Its failure is not told: a protected source stays.
            let _ = self.source.close(self.handle);
        }
        match self.target {
            None if closes => Ok(None),
            None => Err(NtStatus::INVALID_PARAMETER),
            Some(target) => self.copy(&source, target).map(Some),
        }
    }

    fn copy(&self, source: &HandleEntry, target: &HandleTable) -> NtResult<Handle> {
        let granted = self.rights(source)?;
        // Whether closing is audited always follows the object.
        let audit = source.attributes & HandleAttributes::AUDIT_OBJECT_CLOSE;
        let attributes = if self.options.contains(DuplicateOptions::SAME_ATTRIBUTES) {
            source.attributes
        } else {
            self.attributes
                .difference(HandleAttributes::AUDIT_OBJECT_CLOSE)
                | audit
        };
        let new = NewHandle {
            object: &source.object,
            reason: OpenReason::Duplicate,
            mode: self.source.mode,
            granted,
            attributes,
            sharing: Sharing::Shared,
            source_process: self.source.table.process(),
        };
        grant::make(target, &new)
    }

    fn rights(&self, source: &HandleEntry) -> NtResult<AccessMask> {
        if self.options.contains(DuplicateOptions::SAME_ACCESS) {
            return Ok(source.granted);
        }
        let kind = source.object.head().kind();
        let maximum = self.access & AccessMask::MAXIMUM_ALLOWED;
        let wanted = kind.valid_rights(self.access) | maximum;
        if source.granted.contains(wanted) {
            return Ok(wanted);
        }
        let subject = self.subject.ok_or(NtStatus::ACCESS_DENIED)?;
        if kind.procedures().security.is_some() {
            return Err(NtStatus::ACCESS_DENIED);
        }
        let mut state = AccessState::new(subject, wanted, Some(kind));
        security::check_access(&source.object, &mut state)?;
        Ok(kind.valid_rights(state.granted))
    }
}
