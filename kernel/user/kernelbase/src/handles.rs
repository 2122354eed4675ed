//! Handles of any object.

use nt_abi::object_information::{ObjectHandleFlagInformation, ObjectInformationClass as Class};
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::services::arguments::ObjectInformationClass;
use ntdll_imports::{
    NULL, NtClose, NtCompareObjects, NtDuplicateObject, NtQueryObject, NtSetInformationObject,
};

use crate::console;
use crate::objects::access;
use crate::win::*;

/// `HANDLE_FLAG_INHERIT`.
const INHERIT: u32 = 1;
/// `HANDLE_FLAG_PROTECT_FROM_CLOSE`.
const PROTECT: u32 = 2;

fn flags(handle: Handle) -> Win<ObjectHandleFlagInformation> {
    let mut found = ObjectHandleFlagInformation::default();
    let class = ObjectInformationClass(Class::HANDLE_FLAG.0);
    check(NtQueryObject(handle, class, &mut found, 2_u32, NULL))?;
    Ok(found)
}

fn set_flags(handle: Handle, mask: u32, new: u32) -> Win {
    let mut flags = flags(handle)?;
    if mask & INHERIT != 0 {
        flags.inherit = u8::from(new & INHERIT != 0);
    }
    if mask & PROTECT != 0 {
        flags.protect_from_close = u8::from(new & PROTECT != 0);
    }
    let class = ObjectInformationClass(Class::HANDLE_FLAG.0);
    check(NtSetInformationObject(handle, class, &flags, 2_u32))
}

exports! {
    /// Closes a handle. A pseudo handle of the console stays what it is.
    fn CloseHandle(handle: Handle) -> Bool {
        if console::is_console(handle) {
            return TRUE;
        }
        truth_of(NtClose(handle))
    }

    /// Makes another handle of the same object, maybe in another process. One of the console's is its own duplicate.
    fn DuplicateHandle(
        from: Handle,
        handle: Handle,
        to: Handle,
        duplicate: Ptr<Handle>,
        wanted: u32,
        inherit: Bool,
        options: u32,
    ) -> Bool {
        if console::is_console(handle) && from == Handle::CURRENT_PROCESS {
            duplicate.write_optional(handle);
            return TRUE;
        }
        let attributes = if inherit == FALSE { 0 } else { ObjectAttributeFlags::INHERIT.0 };
        truth_of(NtDuplicateObject(from, handle, to, duplicate, access(wanted), attributes, options))
    }

    /// Whether a handle is inherited and can be closed.
    fn GetHandleInformation(handle: Handle, information: Ptr<u32>) -> Bool {
        if console::is_console(handle) {
            information.write(INHERIT);
            return TRUE;
        }
        truth(flags(handle).map(|found| {
            let inherit = if found.inherit != 0 { INHERIT } else { 0 };
            let protect = if found.protect_from_close != 0 { PROTECT } else { 0 };
            information.write(inherit | protect);
        }))
    }

    /// Says whether a handle is inherited and can be closed.
    fn SetHandleInformation(handle: Handle, mask: u32, flags: u32) -> Bool {
        if console::is_console(handle) {
            return TRUE;
        }
        truth(set_flags(handle, mask, flags))
    }

    /// Whether two handles are of one object.
    fn CompareObjectHandles(first: Handle, second: Handle) -> Bool {
        Bool::from(NtCompareObjects(first, second).is_success())
    }

    /// How many handles a program of old may have: all it wants.
    fn SetHandleCount(count: u32) -> u32 {
        count
    }
}
