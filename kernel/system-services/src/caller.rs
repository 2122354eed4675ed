//! Who calls a service.

use core::cell::Cell;

use arch::counted::Counted;
use nt_abi::access::AccessMask;
use nt_abi::security::{Luid, Privilege};
use nt_abi::services::arguments::Handle;
use nt_abi::{NtResult, NtStatus};
use ob::{AnyObject, DefaultDescriptors, Mode, Object, ObjectBody};
use ps::token::TokenState;
use ps::{Process, Thread};
use se::SubjectContext;

/// The thread that calls a service, and its process.
pub struct Caller<'a> {
    /// The thread.
    pub thread: &'a Object<Thread>,
    /// A service has set the thread's registers, the one for its result too.
    registers_set: Cell<bool>,
}

/// The tokens with which a caller acts, kept while a subject borrows them.
pub(crate) struct Tokens {
    primary: TokenState,
    client: Option<TokenState>,
}

impl Tokens {
    /// The subject that they make, for whom nothing is checked.
    pub(crate) fn unchecked(&self) -> ob::Subject<'_> {
        ob::Subject::kernel_as(self.context()).with_defaults(self.defaults())
    }

    /// The subject that they make.
    pub(crate) fn subject(&self) -> ob::Subject<'_> {
        ob::Subject::user(self.context()).with_defaults(self.defaults())
    }

    fn context(&self) -> SubjectContext<'_> {
        SubjectContext {
            primary: &self.primary,
            client: self.client.as_deref(),
        }
    }

    /// Those of the token that counts.
    fn defaults(&self) -> &DefaultDescriptors {
        Counted::head(self.client.as_ref().unwrap_or(&self.primary))
    }
}

/// The object manager's form of a handle.
pub(crate) const fn handle_of(handle: Handle) -> ob::Handle {
    ob::Handle(handle.0)
}

impl<'a> Caller<'a> {
    /// The calling thread.
    pub(crate) const fn new(thread: &'a Object<Thread>) -> Self {
        Self {
            thread,
            registers_set: Cell::new(false),
        }
    }

    /// A service says that it has set the thread's registers: its status goes nowhere.
    pub(crate) fn note_registers_set(&self) {
        self.registers_set.set(true);
    }

    /// Whether a service said so, once.
    pub(crate) fn take_registers_set(&self) -> bool {
        self.registers_set.take()
    }

    /// Its process.
    pub fn process(&self) -> &'a Object<Process> {
        self.thread.process()
    }

    /// Whose handles are meant.
    pub(crate) fn handles(&self) -> ob::Caller<'a> {
        ob::Caller {
            table: self.process().handles(),
            mode: Mode::User,
            process: Some(Object::as_erased(self.process())),
            thread: Some(Object::as_erased(self.thread)),
        }
    }

    /// The tokens with which it acts.
    pub(crate) fn tokens(&self) -> Tokens {
        Tokens {
            primary: self.process().token().state(),
            client: self.thread.impersonates().map(|token| token.state()),
        }
    }

    /// A reference to what a handle refers to, if it is of that type and the handle has those rights.
    pub(crate) fn reference<T: ObjectBody>(
        &self,
        handle: Handle,
        access: AccessMask,
    ) -> NtResult<Object<T>> {
        self.handles()
            .reference_by_handle(handle_of(handle), access)
    }

    /// The same, with the rights that the handle has: both from one look at it, for meanwhile another thread may close it
    /// and open another under its number.
    ///
    /// # Errors
    /// In this order: `INVALID_HANDLE`; `OBJECT_TYPE_MISMATCH`; `ACCESS_DENIED`.
    pub(crate) fn reference_with_rights<T: ObjectBody>(
        &self,
        handle: Handle,
        access: AccessMask,
    ) -> NtResult<(Object<T>, AccessMask)> {
        let entry = self.handles().entry(handle_of(handle))?;
        let object = ob::header::downcast(entry.object)?;
        if !entry.granted.contains(access) {
            return Err(NtStatus::ACCESS_DENIED);
        }
        Ok((object, entry.granted))
    }

    /// [`reference`](Self::reference) for any type.
    pub(crate) fn reference_any(&self, handle: Handle, access: AccessMask) -> NtResult<AnyObject> {
        self.handles().reference(handle_of(handle), access, None)
    }

    /// A reference to a thread, for a right that one has over itself without asking.
    pub(crate) fn reference_thread(
        &self,
        handle: Handle,
        access: AccessMask,
    ) -> NtResult<Object<Thread>> {
        if handle == Handle::CURRENT_THREAD {
            return Ok(self.thread.clone());
        }
        self.reference(handle, access)
    }

    /// Whether it acts with a token that has the privilege enabled.
    pub(crate) fn has_privilege(&self, privilege: Privilege) -> bool {
        let tokens = self.tokens();
        let token = tokens.client.as_deref().unwrap_or(&tokens.primary);
        se::single_privilege_check(token, privilege)
    }

    /// The logon session of the token that it acts with.
    pub(crate) fn authentication_id(&self) -> Luid {
        let tokens = self.tokens();
        let token = tokens.client.as_deref().unwrap_or(&tokens.primary);
        token.authentication_id()
    }

    /// Demands a privilege.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD`.
    pub(crate) fn require_privilege(&self, privilege: Privilege) -> NtResult {
        if self.has_privilege(privilege) {
            Ok(())
        } else {
            Err(NtStatus::PRIVILEGE_NOT_HELD)
        }
    }

    /// A reference to a process, for a right that a thread has over its own without asking.
    pub(crate) fn reference_process(
        &self,
        handle: Handle,
        access: AccessMask,
    ) -> NtResult<Object<Process>> {
        if handle == Handle::CURRENT_PROCESS {
            return Ok(self.process().clone());
        }
        self.reference(handle, access)
    }
}

/// A time as NT passes it, if there is one.
pub(crate) fn due(time: Option<i64>) -> Option<::ke::dispatcher::Due> {
    time.map(::ke::dispatcher::Due::from_nt)
}
