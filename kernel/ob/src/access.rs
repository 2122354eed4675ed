//! Who asks, and for what: the state of an open.

use nt_abi::access::AccessMask;
use nt_abi::security::Privilege;
use se::{PrivilegeMask, Requester, SubjectContext, single_privilege_check};

use crate::directory::Directory;
use crate::{DefaultDescriptors, Mode, Object, ObjectType};

/// Who asks for an object.
///
/// # NT
/// `SECURITY_SUBJECT_CONTEXT`, the previous mode, and the device map of the process or the session.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    mode: Mode,
    tokens: Option<SubjectContext<'a>>,
    devices: Option<&'a Object<Directory>>,
    defaults: Option<&'a DefaultDescriptors>,
}

impl<'a> Subject<'a> {
    /// The kernel, for itself; what it makes has a security descriptor only if it gives one.
    pub const fn kernel() -> Self {
        Self {
            mode: Mode::Kernel,
            tokens: None,
            devices: None,
            defaults: None,
        }
    }

    /// The kernel in a thread with these tokens: nothing is checked, and what it makes belongs to them.
    pub const fn kernel_as(tokens: SubjectContext<'a>) -> Self {
        Self {
            mode: Mode::Kernel,
            tokens: Some(tokens),
            devices: None,
            defaults: None,
        }
    }

    /// A program; or the kernel with `OBJ_FORCE_ACCESS_CHECK`.
    pub const fn user(tokens: SubjectContext<'a>) -> Self {
        Self {
            mode: Mode::User,
            tokens: Some(tokens),
            devices: None,
            defaults: None,
        }
    }

    /// The same with the directory that `\??` is for it: the logon session's, whose shadow is `\GLOBAL??`. Without one
    /// it is `\GLOBAL??`.
    #[must_use]
    pub const fn with_devices(self, devices: &'a Object<Directory>) -> Self {
        Self {
            devices: Some(devices),
            ..self
        }
    }

    /// The same with the descriptors that its effective token has given before, which are those of this very snapshot of
    /// it.
    #[must_use]
    pub const fn with_defaults(self, defaults: &'a DefaultDescriptors) -> Self {
        Self {
            defaults: Some(defaults),
            ..self
        }
    }

    /// For whom.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// With which tokens.
    pub const fn tokens(&self) -> Option<SubjectContext<'a>> {
        self.tokens
    }

    /// The directory that `\??` is.
    pub const fn devices(&self) -> Option<&'a Object<Directory>> {
        self.devices
    }

    /// The descriptors that its effective token has given before.
    pub(crate) const fn defaults(&self) -> Option<&'a DefaultDescriptors> {
        self.defaults
    }

    /// Whether it has a privilege enabled. The kernel has them all.
    pub fn has_privilege(&self, privilege: Privilege) -> bool {
        match (self.mode, self.tokens) {
            (Mode::Kernel, _) => true,
            (Mode::User, Some(tokens)) => single_privilege_check(tokens.effective(), privilege),
            (Mode::User, None) => false,
        }
    }

    pub(crate) fn requester(&self) -> Requester {
        match self.mode {
            Mode::Kernel => Requester::Kernel,
            Mode::User => Requester::User,
        }
    }
}

/// What an open has got so far and still wants. A parse procedure that checks rights by itself moves them.
///
/// # NT
/// `ACCESS_STATE`.
pub struct AccessState<'a> {
    /// Who asks.
    pub subject: Subject<'a>,
    /// What was asked for.
    pub original: AccessMask,
    /// What is not granted yet, generic rights mapped.
    pub remaining: AccessMask,
    /// What was granted.
    pub granted: AccessMask,
    /// Privileges that gave some of it, for the audit.
    pub used: PrivilegeMask,
}

impl<'a> AccessState<'a> {
    /// An open of an object of that type, with those rights wanted.
    ///
    /// # NT
    /// `SeCreateAccessState`.
    #[doc(alias = "SeCreateAccessState")]
    pub fn new(subject: Subject<'a>, access: AccessMask, kind: Option<&ObjectType>) -> Self {
        let mut state = Self {
            subject,
            original: access,
            remaining: access,
            granted: AccessMask::NONE,
            used: PrivilegeMask::EMPTY,
        };
        if let Some(kind) = kind {
            state.map(kind);
        }
        state
    }

    /// Replaces generic rights by what they mean for the type.
    pub(crate) fn map(&mut self, kind: &ObjectType) {
        self.remaining = kind.mapping().map(self.remaining);
    }

    /// Grants what remains without a question: to whoever made the object, or to the kernel.
    pub(crate) fn grant_all(&mut self, kind: &ObjectType) {
        let maximum = AccessMask::MAXIMUM_ALLOWED;
        let all = if self.remaining.contains(maximum) {
            kind.mapping().generic_all
        } else {
            AccessMask::NONE
        };
        self.granted |= (self.remaining - maximum) | all;
        self.remaining = AccessMask::NONE;
    }
}
