//! `ACCESS_MASK`: what a caller may do, or wants to do, with an object.
//!
//! Bits 0 to 15 mean something else for each type of object, bits 16 to 20 mean the same for all, bits 28 to 31 are shorthand
//! that the type's [`GenericMapping`] replaces when a handle is opened: a granted mask never has one of them.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::layout::layout;

/// A set of rights.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct AccessMask(pub u32);

bitflags::bitflags! {
    // The names of the rights are in the table below; any bit may be set.
    impl AccessMask: u32 {
        const _ = !0;
    }
}

impl AccessMask {
    /// No right.
    pub const NONE: Self = Self(0);
}

layout! {
    /// `GENERIC_MAPPING`: what the generic rights mean for a type of object.
    pub struct GenericMapping (0x10) {
        0x00 generic_read: AccessMask,
        0x04 generic_write: AccessMask,
        0x08 generic_execute: AccessMask,
        0x0C generic_all: AccessMask,
    }
}

impl GenericMapping {
    /// `mask` with its generic rights replaced by what they mean (`RtlMapGenericMask`).
    #[inline]
    pub const fn map(&self, mask: AccessMask) -> AccessMask {
        let specific = mask.difference(AccessMask::GENERIC_MASK);
        // Most ask for just what they want.
        if specific.bits() == mask.bits() {
            return mask;
        }
        let mut mapped = specific;
        if mask.contains(AccessMask::GENERIC_READ) {
            mapped = mapped.union(self.generic_read);
        }
        if mask.contains(AccessMask::GENERIC_WRITE) {
            mapped = mapped.union(self.generic_write);
        }
        if mask.contains(AccessMask::GENERIC_EXECUTE) {
            mapped = mapped.union(self.generic_execute);
        }
        if mask.contains(AccessMask::GENERIC_ALL) {
            mapped = mapped.union(self.generic_all);
        }
        mapped
    }
}

/// The rights, with their names in Windows' headers; the common ones have names in traces.
macro_rules! rights {
    (
        common { $($(#[$doc:meta])* $common:ident = $value:literal;)* }
        $(#[doc = $type:literal] { $($specific:ident = $bits:expr;)* })*
    ) => {
        impl AccessMask {
            $($(#[$doc])* pub const $common: Self = Self($value);)*
            $($(#[doc = concat!("`", stringify!($specific), "`, for ", $type, ".")] pub const $specific: Self = Self($bits);)*)*
        }

        /// What a trace calls the rights that all types have.
        const NAMES: &[(u32, &str)] = &[$(($value, stringify!($common)),)*];
    };
}

const REQUIRED: u32 = AccessMask::STANDARD_RIGHTS_REQUIRED.0;
const REQUIRED_AND_WAIT: u32 = AccessMask::STANDARD_RIGHTS_ALL.0;

rights! {
    common {
        /// To delete the object.
        DELETE = 0x0001_0000;
        /// To read its security descriptor but for the audit list.
        READ_CONTROL = 0x0002_0000;
        /// To change who may do what.
        WRITE_DAC = 0x0004_0000;
        /// To change its owner.
        WRITE_OWNER = 0x0008_0000;
        /// To wait for it.
        SYNCHRONIZE = 0x0010_0000;
        /// To read and change the audit list.
        ACCESS_SYSTEM_SECURITY = 0x0100_0000;
        /// All that the caller may have.
        MAXIMUM_ALLOWED = 0x0200_0000;
        /// All that the type knows.
        GENERIC_ALL = 0x1000_0000;
        /// What the type means by executing.
        GENERIC_EXECUTE = 0x2000_0000;
        /// What the type means by writing.
        GENERIC_WRITE = 0x4000_0000;
        /// What the type means by reading.
        GENERIC_READ = 0x8000_0000;
    }
    #[doc = "every type"] {
        STANDARD_RIGHTS_REQUIRED = 0x000F_0000;
        STANDARD_RIGHTS_READ = 0x0002_0000;
        STANDARD_RIGHTS_WRITE = 0x0002_0000;
        STANDARD_RIGHTS_EXECUTE = 0x0002_0000;
        STANDARD_RIGHTS_ALL = 0x001F_0000;
        SPECIFIC_RIGHTS_ALL = 0x0000_FFFF;
        GENERIC_MASK = 0xF000_0000;
        GENERIC = 0xF000_0000;
    }
    #[doc = "processes"] {
        PROCESS_TERMINATE = 0x0001;
        PROCESS_CREATE_THREAD = 0x0002;
        PROCESS_SET_SESSIONID = 0x0004;
        PROCESS_VM_OPERATION = 0x0008;
        PROCESS_VM_READ = 0x0010;
        PROCESS_VM_WRITE = 0x0020;
        PROCESS_DUP_HANDLE = 0x0040;
        PROCESS_CREATE_PROCESS = 0x0080;
        PROCESS_SET_QUOTA = 0x0100;
        PROCESS_SET_INFORMATION = 0x0200;
        PROCESS_QUERY_INFORMATION = 0x0400;
        PROCESS_SET_PORT = 0x0800;
        PROCESS_SUSPEND_RESUME = 0x0800;
        PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;
        PROCESS_SET_LIMITED_INFORMATION = 0x2000;
        PROCESS_ALL_ACCESS = REQUIRED_AND_WAIT | 0xFFFF;
    }
    #[doc = "threads"] {
        THREAD_TERMINATE = 0x0001;
        THREAD_SUSPEND_RESUME = 0x0002;
        THREAD_ALERT = 0x0004;
        THREAD_GET_CONTEXT = 0x0008;
        THREAD_SET_CONTEXT = 0x0010;
        THREAD_SET_INFORMATION = 0x0020;
        THREAD_QUERY_INFORMATION = 0x0040;
        THREAD_SET_THREAD_TOKEN = 0x0080;
        THREAD_IMPERSONATE = 0x0100;
        THREAD_DIRECT_IMPERSONATION = 0x0200;
        THREAD_SET_LIMITED_INFORMATION = 0x0400;
        THREAD_QUERY_LIMITED_INFORMATION = 0x0800;
        THREAD_RESUME = 0x1000;
        THREAD_ALL_ACCESS = REQUIRED_AND_WAIT | 0xFFFF;
    }
    #[doc = "jobs"] {
        JOB_OBJECT_ASSIGN_PROCESS = 0x0001;
        JOB_OBJECT_SET_ATTRIBUTES = 0x0002;
        JOB_OBJECT_QUERY = 0x0004;
        JOB_OBJECT_TERMINATE = 0x0008;
        JOB_OBJECT_SET_SECURITY_ATTRIBUTES = 0x0010;
        JOB_OBJECT_IMPERSONATE = 0x0020;
        JOB_OBJECT_ALL_ACCESS = REQUIRED_AND_WAIT | 0x3F;
    }
    #[doc = "debug objects"] {
        DEBUG_READ_EVENT = 0x0001;
        DEBUG_PROCESS_ASSIGN = 0x0002;
        DEBUG_SET_INFORMATION = 0x0004;
        DEBUG_QUERY_INFORMATION = 0x0008;
        DEBUG_ALL_ACCESS = REQUIRED_AND_WAIT | 0x0F;
    }
    #[doc = "tokens"] {
        TOKEN_ASSIGN_PRIMARY = 0x0001;
        TOKEN_DUPLICATE = 0x0002;
        TOKEN_IMPERSONATE = 0x0004;
        TOKEN_QUERY = 0x0008;
        TOKEN_QUERY_SOURCE = 0x0010;
        TOKEN_ADJUST_PRIVILEGES = 0x0020;
        TOKEN_ADJUST_GROUPS = 0x0040;
        TOKEN_ADJUST_DEFAULT = 0x0080;
        TOKEN_ADJUST_SESSIONID = 0x0100;
        TOKEN_ALL_ACCESS = REQUIRED | 0x1FF;
    }
    #[doc = "events"] {
        EVENT_QUERY_STATE = 0x0001;
        EVENT_MODIFY_STATE = 0x0002;
        EVENT_ALL_ACCESS = REQUIRED_AND_WAIT | 0x3;
    }
    #[doc = "pairs of events"] {
        EVENT_PAIR_ALL_ACCESS = REQUIRED_AND_WAIT;
    }
    #[doc = "mutants"] {
        MUTANT_QUERY_STATE = 0x0001;
        MUTANT_ALL_ACCESS = REQUIRED_AND_WAIT | 0x1;
    }
    #[doc = "semaphores"] {
        SEMAPHORE_QUERY_STATE = 0x0001;
        SEMAPHORE_MODIFY_STATE = 0x0002;
        SEMAPHORE_ALL_ACCESS = REQUIRED_AND_WAIT | 0x3;
    }
    #[doc = "timers"] {
        TIMER_QUERY_STATE = 0x0001;
        TIMER_MODIFY_STATE = 0x0002;
        TIMER_ALL_ACCESS = REQUIRED_AND_WAIT | 0x3;
    }
    #[doc = "keyed events"] {
        KEYEDEVENT_WAIT = 0x0001;
        KEYEDEVENT_WAKE = 0x0002;
        KEYEDEVENT_ALL_ACCESS = REQUIRED | 0x3;
    }
    #[doc = "profiles"] {
        PROFILE_CONTROL = 0x0001;
        PROFILE_ALL_ACCESS = REQUIRED | 0x1;
    }
    #[doc = "completion ports"] {
        IO_COMPLETION_QUERY_STATE = 0x0001;
        IO_COMPLETION_MODIFY_STATE = 0x0002;
        IO_COMPLETION_ALL_ACCESS = REQUIRED_AND_WAIT | 0x3;
    }
    #[doc = "worker factories"] {
        WORKER_FACTORY_RELEASE_WORKER = 0x0001;
        WORKER_FACTORY_WAIT = 0x0002;
        WORKER_FACTORY_SET_INFORMATION = 0x0004;
        WORKER_FACTORY_QUERY_INFORMATION = 0x0008;
        WORKER_FACTORY_READY_WORKER = 0x0010;
        WORKER_FACTORY_SHUTDOWN = 0x0020;
        WORKER_FACTORY_ALL_ACCESS = REQUIRED | 0x3F;
    }
    #[doc = "sections"] {
        SECTION_QUERY = 0x0001;
        SECTION_MAP_WRITE = 0x0002;
        SECTION_MAP_READ = 0x0004;
        SECTION_MAP_EXECUTE = 0x0008;
        SECTION_EXTEND_SIZE = 0x0010;
        SECTION_MAP_EXECUTE_EXPLICIT = 0x0020;
        SECTION_ALL_ACCESS = REQUIRED | 0x1F;
    }
    #[doc = "memory partitions"] {
        MEMORY_PARTITION_QUERY_ACCESS = 0x0001;
        MEMORY_PARTITION_MODIFY_ACCESS = 0x0002;
        MEMORY_PARTITION_ALL_ACCESS = REQUIRED_AND_WAIT | 0x3;
    }
    #[doc = "sessions"] {
        SESSION_QUERY_ACCESS = 0x0001;
        SESSION_MODIFY_ACCESS = 0x0002;
        SESSION_ALL_ACCESS = REQUIRED | 0x3;
    }
    #[doc = "object types"] {
        OBJECT_TYPE_CREATE = 0x0001;
        OBJECT_TYPE_ALL_ACCESS = REQUIRED | 0x1;
    }
    #[doc = "object directories"] {
        DIRECTORY_QUERY = 0x0001;
        DIRECTORY_TRAVERSE = 0x0002;
        DIRECTORY_CREATE_OBJECT = 0x0004;
        DIRECTORY_CREATE_SUBDIRECTORY = 0x0008;
        DIRECTORY_ALL_ACCESS = REQUIRED | 0xF;
    }
    #[doc = "symbolic links"] {
        SYMBOLIC_LINK_QUERY = 0x0001;
        SYMBOLIC_LINK_SET = 0x0002;
        SYMBOLIC_LINK_ALL_ACCESS = REQUIRED | 0x1;
        SYMBOLIC_LINK_ALL_ACCESS_EX = REQUIRED | 0xFFFF;
    }
    #[doc = "ports"] {
        PORT_CONNECT = 0x0001;
        PORT_ALL_ACCESS = REQUIRED_AND_WAIT | 0x1;
    }
    #[doc = "registry keys"] {
        KEY_QUERY_VALUE = 0x0001;
        KEY_SET_VALUE = 0x0002;
        KEY_CREATE_SUB_KEY = 0x0004;
        KEY_ENUMERATE_SUB_KEYS = 0x0008;
        KEY_NOTIFY = 0x0010;
        KEY_CREATE_LINK = 0x0020;
        KEY_WOW64_64KEY = 0x0100;
        KEY_WOW64_32KEY = 0x0200;
        KEY_READ = 0x0002_0019;
        KEY_WRITE = 0x0002_0006;
        KEY_EXECUTE = 0x0002_0019;
        KEY_ALL_ACCESS = REQUIRED | 0x3F;
    }
    #[doc = "files, pipes and directories"] {
        FILE_READ_DATA = 0x0001;
        FILE_LIST_DIRECTORY = 0x0001;
        FILE_WRITE_DATA = 0x0002;
        FILE_ADD_FILE = 0x0002;
        FILE_APPEND_DATA = 0x0004;
        FILE_ADD_SUBDIRECTORY = 0x0004;
        FILE_CREATE_PIPE_INSTANCE = 0x0004;
        FILE_READ_EA = 0x0008;
        FILE_WRITE_EA = 0x0010;
        FILE_EXECUTE = 0x0020;
        FILE_TRAVERSE = 0x0020;
        FILE_DELETE_CHILD = 0x0040;
        FILE_READ_ATTRIBUTES = 0x0080;
        FILE_WRITE_ATTRIBUTES = 0x0100;
        FILE_GENERIC_READ = 0x0012_0089;
        FILE_GENERIC_WRITE = 0x0012_0116;
        FILE_GENERIC_EXECUTE = 0x0012_00A0;
        FILE_ALL_ACCESS = REQUIRED_AND_WAIT | 0x1FF;
    }
}

impl fmt::Debug for AccessMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        for &(bit, name) in NAMES.iter().filter(|(bit, _)| self.0 & bit != 0) {
            write!(f, "{name} | ")?;
            rest &= !bit;
        }
        write!(f, "{rest:#x}")
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;

    use super::*;

    #[test]
    fn generic_rights_become_what_the_type_means() {
        let event = GenericMapping {
            generic_read: AccessMask::STANDARD_RIGHTS_READ | AccessMask::EVENT_QUERY_STATE,
            generic_write: AccessMask::STANDARD_RIGHTS_WRITE | AccessMask::EVENT_MODIFY_STATE,
            generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE | AccessMask::SYNCHRONIZE,
            generic_all: AccessMask::EVENT_ALL_ACCESS,
        };
        assert_eq!(
            event.map(AccessMask::GENERIC_READ | AccessMask::DELETE),
            AccessMask(0x0003_0001)
        );
        assert_eq!(event.map(AccessMask::GENERIC_ALL), AccessMask(0x001F_0003));
        assert_eq!(event.map(AccessMask::NONE), AccessMask::NONE);
    }

    #[test]
    fn a_mask_prints_the_names_that_all_types_share() {
        let mask = AccessMask::SYNCHRONIZE | AccessMask::FILE_EXECUTE;
        assert_eq!(format!("{mask:?}"), "SYNCHRONIZE | 0x20");
        assert_eq!(format!("{:?}", AccessMask::NONE), "0x0");
    }
}
