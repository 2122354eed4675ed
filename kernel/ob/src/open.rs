//! Handles and references to objects that are there.

use core::any::Any;

use nt_abi::NtResult;
use nt_abi::access::AccessMask;
use nt_abi::primitives::ObjectAttributeFlags as Attributes;
use rtl::Utf16Str;

use crate::create::Granted;
use crate::grant::OpenReason;
use crate::header::{Opening, check_type};
use crate::lookup::{Found, Lookup};
use crate::{AccessState, AnyObject, Caller, Handle, ObjectType, Root, Subject, security};
use nt_abi::NtStatus;

/// How an object is to be opened.
///
/// # NT
/// `OBJECT_ATTRIBUTES`, `DesiredAccess`, and who asks.
#[derive(Clone, Copy)]
pub struct OpenParameters<'a> {
    /// Its name.
    pub name: Option<Utf16Str<'a>>,
    /// Where the name begins.
    pub root: Root<'a>,
    /// How the name is looked up, and what becomes of the handle.
    pub attributes: Attributes,
    /// The type that it must be of; `None` is any.
    pub kind: Option<&'static ObjectType>,
    /// The rights of the handle.
    pub access: AccessMask,
    /// Who asks.
    pub subject: Subject<'a>,
}

/// Opens an object by its name. `context` is for a parse procedure.
///
/// # NT
/// `ObOpenObjectByName`.
///
/// # Errors
/// What stands in the lookup of a name; `ACCESS_DENIED`, `PRIVILEGE_NOT_HELD` and what else the access check says; what a
/// new handle may fail with.
#[doc(alias = "ObOpenObjectByName")]
pub fn open_by_name(
    caller: &Caller<'_>,
    parameters: &OpenParameters<'_>,
    context: Option<&mut (dyn Any + 'static)>,
) -> NtResult<Handle> {
    find(parameters, context)?.make_handle(caller)
}

/// A reference to an object, by its name. `context` is for a parse procedure.
///
/// # NT
/// `ObReferenceObjectByName`.
///
/// # Errors
/// As [`open_by_name`].
#[doc(alias = "ObReferenceObjectByName")]
pub fn reference_by_name(
    parameters: &OpenParameters<'_>,
    context: Option<&mut (dyn Any + 'static)>,
) -> NtResult<AnyObject> {
    Ok(find(parameters, context)?.opening.object().clone())
}

fn find(
    parameters: &OpenParameters<'_>,
    context: Option<&mut (dyn Any + 'static)>,
) -> NtResult<Granted> {
    let mut state = AccessState::new(parameters.subject, parameters.access, parameters.kind);
    let found = Lookup {
        root: parameters.root,
        name: parameters.name,
        attributes: parameters.attributes,
        kind: parameters.kind,
        state: &mut state,
        context,
        creates: false,
    }
    .walk()?;
    let Found::Object(opening) = found else {
        return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    };
    granted(opening, &mut state, parameters.attributes)
}

fn granted(
    opening: Opening,
    state: &mut AccessState<'_>,
    attributes: Attributes,
) -> NtResult<Granted> {
    let kind = opening.object().head().kind();
    state.map(kind);
    security::check_access(opening.object(), state)?;
    Ok(Granted {
        reason: OpenReason::Open,
        mode: state.subject.mode(),
        granted: kind.valid_rights(state.granted),
        attributes,
        opening,
    })
}

/// Makes a handle to an object that the caller has a reference to.
///
/// # NT
/// `ObOpenObjectByPointer`.
///
/// # Errors
/// `OBJECT_TYPE_MISMATCH`; further as [`open_by_name`] after the name is found.
#[doc(alias = "ObOpenObjectByPointer")]
pub fn open_by_pointer(
    caller: &Caller<'_>,
    object: &AnyObject,
    attributes: Attributes,
    access: AccessMask,
    kind: Option<&'static ObjectType>,
    subject: Subject<'_>,
) -> NtResult<Handle> {
    check_type(object, kind)?;
    let kind = object.head().kind();
    let mut state = AccessState::new(subject, access, Some(kind));
    granted(Opening::of(object), &mut state, attributes)?.make_handle(caller)
}
