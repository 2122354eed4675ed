//! Making objects.
//!
//! [`create`] makes an object, gives it a security descriptor and a name, and answers with something that becomes a
//! handle or a reference. Until then the name is kept, so there is no moment at which another process could find the
//! object and lose it again.
//!
//! If the name exists and `OBJ_OPENIF` is given, the answer is the object that has it, checked as if it had been opened,
//! and the new body is dropped.
//!
//! The descriptor is made before the name is inserted, so nobody finds an object without one. Two who make the same name
//! both find it free; the directory's lock decides, and the second one finds the first one's object.

use nt_abi::access::AccessMask;
use nt_abi::primitives::ObjectAttributeFlags as Attributes;
use nt_abi::security::Privilege;
use nt_abi::{NtResult, NtStatus};
use rtl::Utf16Str;
use rtl::security::Descriptor;

use crate::directory::{self, DIRECTORY, Insertion};
use crate::grant::{self, NewHandle, OpenReason, Sharing};
use crate::header::{HeaderFlags, Opening, check_type, downcast, new_object};
use crate::lookup::{Found, Lookup};
use crate::{
    AccessState, AnyObject, Caller, Handle, HandleAttributes, Mode, Object, ObjectBody, Root,
    Subject, kernel_handles, security,
};

/// How an object is to be made.
///
/// # NT
/// `OBJECT_ATTRIBUTES`, `DesiredAccess`, and who asks.
#[derive(Clone, Copy)]
pub struct CreateParameters<'a> {
    /// Its name; one of no length is none, and `None` is none unless there is a root.
    pub name: Option<Utf16Str<'a>>,
    /// Where the name begins.
    pub root: Root<'a>,
    /// How the name is looked up, and what becomes of object and handle.
    pub attributes: Attributes,
    /// The security descriptor; what it does not say comes from the directory and from the token.
    pub descriptor: Option<Descriptor<'a>>,
    /// The rights of the handle.
    pub access: AccessMask,
    /// Who asks.
    pub subject: Subject<'a>,
}

impl CreateParameters<'_> {
    /// For the kernel itself, without a name.
    pub const KERNEL: Self = Self {
        name: None,
        root: Root::Namespace,
        attributes: Attributes::empty(),
        descriptor: None,
        access: AccessMask::NONE,
        subject: Subject::kernel(),
    };
}

/// An object that was made, or found for `OBJ_OPENIF`.
#[must_use = "a temporary object without handles is dropped"]
pub struct Created<T: ObjectBody> {
    /// The object.
    pub object: Object<T>,
    /// Whether it was there before.
    pub existed: bool,
    access: Granted,
}

/// What was granted with an object, and keeps its name until there is a handle.
pub(crate) struct Granted {
    pub(crate) opening: Opening,
    pub(crate) reason: OpenReason,
    pub(crate) mode: Mode,
    pub(crate) granted: AccessMask,
    pub(crate) attributes: Attributes,
}

/// Makes an object.
///
/// # NT
/// `ObCreateObject` and the first half of `ObInsertObject`.
///
/// # Errors
/// `INVALID_PARAMETER` for attributes that the type does not have; `PRIVILEGE_NOT_HELD` for `OBJ_PERMANENT` without
/// `SeCreatePermanentPrivilege`; what stands in the lookup of a name; `OBJECT_TYPE_MISMATCH` if an object of another type
/// has the name, else `OBJECT_NAME_COLLISION` without `OBJ_OPENIF`; `ACCESS_DENIED` for the directory or the object that
/// was found; what the descriptor's making says; `INSUFFICIENT_RESOURCES`.
#[doc(alias = "ObCreateObject")]
#[doc(alias = "ObInsertObject")]
pub fn create<T: ObjectBody>(body: T, parameters: &CreateParameters<'_>) -> NtResult<Created<T>> {
    let kind = T::kind();
    let attributes = parameters.attributes;
    let subject = parameters.subject;
    if attributes.intersects(kind.description().invalid_attributes) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if attributes.contains(Attributes::PERMANENT)
        && !subject.has_privilege(Privilege::CREATE_PERMANENT)
    {
        return Err(NtStatus::PRIVILEGE_NOT_HELD);
    }
    let mut state = AccessState::new(subject, parameters.access, Some(kind));
    let object = new_object(body, header_flags(parameters))?;
    let is_named = match parameters.name {
        Some(name) => !name.is_empty(),
        None => !matches!(
            parameters.root,
            Root::Namespace | Root::Handle(_, Handle::NULL)
        ),
    };
    let granted = |opening, reason, rights| Granted {
        opening,
        reason,
        mode: subject.mode(),
        granted: kind.valid_rights(rights),
        attributes,
    };
    let opening = Opening::of(Object::as_erased(&object));
    let rights = security::creators_rights(&state, kind);
    if !is_named && (kind.description().security_required || parameters.descriptor.is_some()) {
        security::assign(opening.object(), None, parameters)?;
    }
    let found = if is_named {
        give_name(opening.object(), parameters, &mut state, rights)?
    } else {
        None
    };
    let Some(found) = found else {
        return Ok(Created {
            object,
            existed: false,
            access: granted(opening, OpenReason::Create, rights?),
        });
    };
    check_type(found.object(), Some(kind))?;
    if !attributes.contains(Attributes::OPENIF) {
        return Err(NtStatus::OBJECT_NAME_COLLISION);
    }
    security::check_access(found.object(), &mut state)?;
    Ok(Created {
        object: downcast(found.object().clone())?,
        existed: true,
        access: granted(found, OpenReason::Open, state.granted),
    })
}

fn header_flags(parameters: &CreateParameters<'_>) -> HeaderFlags {
    let mut flags = HeaderFlags::empty();
    let pairs = [
        (Attributes::PERMANENT, HeaderFlags::PERMANENT),
        (Attributes::EXCLUSIVE, HeaderFlags::EXCLUSIVE),
    ];
    for (attribute, flag) in pairs {
        flags.set(flag, parameters.attributes.contains(attribute));
    }
    flags.set(
        HeaderFlags::KERNEL_MODE,
        parameters.subject.mode() == Mode::Kernel,
    );
    flags
}

/// Gives a new object its descriptor and its name; `Some` is the object that has the name already.
fn give_name(
    object: &AnyObject,
    parameters: &CreateParameters<'_>,
    state: &mut AccessState<'_>,
    rights: NtResult<AccessMask>,
) -> NtResult<Option<Opening>> {
    let kind = object.head().kind();
    let found = Lookup {
        root: parameters.root,
        name: parameters.name,
        attributes: parameters.attributes,
        kind: Some(kind),
        state: &mut *state,
        context: None,
        creates: true,
    }
    .walk()?;
    let (directory, name) = match found {
        Found::Object(opening) => return Ok(Some(opening)),
        Found::Vacant { directory, name } => (directory, name),
    };
    let right = if core::ptr::eq(kind, &DIRECTORY) {
        AccessMask::DIRECTORY_CREATE_SUBDIRECTORY
    } else {
        AccessMask::DIRECTORY_CREATE_OBJECT
    };
    security::check_directory(&directory, right, state)?;
    // Whoever may not have what it wants must fail before others can find the object.
    rights?;
    security::assign(object, Some(&directory), parameters)?;
    let case = Lookup::case(parameters.attributes, Some(kind));
    match directory::insert(&directory, &name, case, object)? {
        Insertion::Done => Ok(None),
        Insertion::Exists(other) => Ok(Some(other)),
    }
}

impl<T: ObjectBody> Created<T> {
    /// Makes a handle to it: in the caller's table, or with `OBJ_KERNEL_HANDLE` from kernel mode in the kernel's.
    ///
    /// # NT
    /// The second half of `ObInsertObject`. A service answers `OBJECT_NAME_EXISTS` if the object [`existed`](Self::existed).
    ///
    /// # Errors
    /// As for any new handle; a new object loses its name then.
    #[doc(alias = "ObInsertObject")]
    pub fn into_handle(self, caller: &Caller<'_>) -> NtResult<Handle> {
        let Self {
            object,
            existed,
            access,
        } = self;
        let result = access.make_handle(caller);
        drop(access);
        if result.is_err() && !existed {
            crate::name::leave_if_temporary(Object::as_erased(&object));
        }
        result
    }

    /// The object without a handle. A temporary one keeps its name until somebody opens it and closes the last handle, or
    /// [`make_temporary`](crate::make_temporary) is called.
    pub fn into_object(self) -> Object<T> {
        self.object
    }
}

impl Granted {
    /// Makes the handle.
    pub(crate) fn make_handle(&self, caller: &Caller<'_>) -> NtResult<Handle> {
        let for_kernel =
            self.attributes.contains(Attributes::KERNEL_HANDLE) && caller.mode == Mode::Kernel;
        let table = if for_kernel {
            kernel_handles()
        } else {
            caller.table
        };
        let sharing = if self.attributes.contains(Attributes::EXCLUSIVE) {
            Sharing::Exclusive
        } else {
            Sharing::Shared
        };
        let new = NewHandle {
            object: self.opening.object(),
            reason: self.reason,
            mode: self.mode,
            granted: self.granted,
            attributes: handle_attributes(self.attributes),
            sharing,
            source_process: table.process(),
        };
        grant::make(table, &new)
    }
}

/// What of the attributes is kept in the handle.
pub(crate) fn handle_attributes(attributes: Attributes) -> HandleAttributes {
    let pairs = [
        (
            Attributes::PROTECT_CLOSE,
            HandleAttributes::PROTECT_FROM_CLOSE,
        ),
        (Attributes::INHERIT, HandleAttributes::INHERIT),
    ];
    pairs
        .into_iter()
        .filter(|(attribute, _)| attributes.contains(*attribute))
        .map(|(_, kept)| kept)
        .collect()
}
