//! Who calls a service.

use nt_abi::NtResult;
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::Handle;
use ob::{AnyObject, Mode, Object, ObjectBody};
use ps::process::SharedToken;
use ps::{Process, Thread};
use se::SubjectContext;

/// The thread that calls a service, and its process.
pub struct Caller<'a> {
    /// The thread.
    pub thread: &'a Object<Thread>,
}

/// The tokens with which a caller acts, kept while a subject borrows them.
pub(crate) struct Tokens {
    primary: SharedToken,
    client: Option<SharedToken>,
}

impl Tokens {
    /// The subject that they make.
    pub(crate) fn subject(&self) -> ob::Subject<'_> {
        ob::Subject::user(SubjectContext {
            primary: &self.primary,
            client: self.client.as_deref(),
        })
    }
}

/// The object manager's form of a handle.
pub(crate) const fn handle_of(handle: Handle) -> ob::Handle {
    ob::Handle(handle.0)
}

impl<'a> Caller<'a> {
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
            primary: self.process().token(),
            client: self.thread.impersonates(),
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

    /// The same for any type.
    pub(crate) fn reference_any(&self, handle: Handle, access: AccessMask) -> NtResult<AnyObject> {
        self.handles().reference(handle_of(handle), access, None)
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
