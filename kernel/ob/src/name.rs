//! Names of objects: what they are, and when they end.

use nt_abi::NtResult;
use nt_abi::NtStatus;
use nt_abi::security::Privilege;
use rtl::Utf16String;
use rtl::utf16::SEPARATOR;

use crate::header::HeaderFlags;
use crate::lookup::MOST_NAME_UNITS;
use crate::{AnyObject, Object, Subject, directory, namespace};

/// The full name of an object; empty if it has none.
///
/// # NT
/// `ObQueryNameString`. If a directory on the way has no name itself, and is not the root, the part that it does not know
/// is shown as `...`.
///
/// # Errors
/// `NAME_TOO_LONG`, `INSUFFICIENT_RESOURCES`; what a type's own procedure says.
#[doc(alias = "ObQueryNameString")]
pub fn name_of(object: &AnyObject) -> NtResult<Utf16String> {
    if let Some(query) = object.head().kind().procedures().query_name {
        return query(object);
    }
    let mut name = Utf16String::new();
    if namespace::is_root(object) {
        name.push_unit(SEPARATOR)?;
        return Ok(name);
    }
    // From the last part to the first: each with its units reversed, and all reversed in the end.
    let mut units = alloc::vec::Vec::new();
    let mut at = object.head().name();
    if at.is_none() {
        return Ok(name);
    }
    while let Some(part) = at {
        let text = part.text.as_str();
        if units.len() + text.len() >= MOST_NAME_UNITS {
            return Err(NtStatus::NAME_TOO_LONG);
        }
        units
            .try_reserve(text.len() + 1)
            .map_err(|_| rtl::NoMemory)?;
        units.extend(text.units().iter().rev());
        units.push(SEPARATOR);
        let directory = Object::as_erased(&part.directory);
        at = directory.head().name();
        if at.is_none() && !namespace::is_root(directory) {
            units.try_reserve(4).map_err(|_| rtl::NoMemory)?;
            units.extend([u16::from(b'.'); 3]);
        }
    }
    units.reverse();
    name.push(rtl::Utf16Str::new(&units))?;
    Ok(name)
}

/// Makes an object temporary: it loses its name with its last handle, or now if it has none.
///
/// # NT
/// `NtMakeTemporaryObject`, `ObMakeTemporaryObject`. The handle must have the right `DELETE`.
#[doc(alias = "ObMakeTemporaryObject")]
#[doc(alias = "NtMakeTemporaryObject")]
pub fn make_temporary(object: &AnyObject) {
    object.head().set_flag(HeaderFlags::PERMANENT, false);
    leave_if_temporary(object);
}

/// Makes an object permanent: it keeps its name without handles.
///
/// # NT
/// `NtMakePermanentObject`.
///
/// # Errors
/// `PRIVILEGE_NOT_HELD` without `SeCreatePermanentPrivilege`.
#[doc(alias = "NtMakePermanentObject")]
pub fn make_permanent(object: &AnyObject, subject: &Subject<'_>) -> NtResult {
    if !subject.has_privilege(Privilege::CREATE_PERMANENT) {
        return Err(NtStatus::PRIVILEGE_NOT_HELD);
    }
    object.head().set_flag(HeaderFlags::PERMANENT, true);
    Ok(())
}

/// Takes away the name of a temporary object that had handles and that nobody uses.
pub(crate) fn leave_if_unused(object: &AnyObject) {
    if object.head().flags().contains(HeaderFlags::HAD_HANDLE) {
        leave_if_temporary(object);
    }
}

/// The same if it never had a handle.
pub(crate) fn leave_if_temporary(object: &AnyObject) {
    let may_leave = || {
        let header = object.head();
        header.is_unused() && !header.flags().contains(HeaderFlags::PERMANENT)
    };
    if object.head().flags().contains(HeaderFlags::NAMED) && may_leave() {
        directory::remove(object, may_leave);
    }
}
