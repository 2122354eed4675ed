//! The small structures that all others are built from: strings, lists, identifiers, the name and the outcome of an operation.
//!
//! `LARGE_INTEGER` is `i64` and `ULARGE_INTEGER` is `u64` everywhere; `BOOLEAN` is `u8`, `BOOL` and `LOGICAL` are `u32`.
//! A time is in units of 100 ns: positive ones count from 1601-01-01 UTC, negative ones from now.

use crate::layout::{layout, layouts};
use crate::numbers::flags;

layouts! {
    /// `UNICODE_STRING`: a counted string of UTF-16 units, not terminated.
    pub struct UnicodeString (0x10, 0x08) {
        /// Length in bytes; an odd one is an error of the caller.
        0x00 0x00 length: u16,
        /// Size of the buffer in bytes.
        0x02 0x02 maximum_length: u16,
        0x04 0x04 reserved: Only64<u32>,
        /// The units.
        0x08 0x04 buffer: Pointer,
    }

    /// `ANSI_STRING` (`STRING`): a counted string of bytes in the process's code page, not terminated.
    pub struct AnsiString (0x10, 0x08) {
        /// Length in bytes.
        0x00 0x00 length: u16,
        /// Size of the buffer in bytes.
        0x02 0x02 maximum_length: u16,
        0x04 0x04 reserved: Only64<u32>,
        /// The bytes.
        0x08 0x04 buffer: Pointer,
    }

    /// `OBJECT_ATTRIBUTES`: which object a service is to create or open, and how.
    pub struct ObjectAttributes (0x30, 0x18) {
        /// Size of this structure.
        0x00 0x00 length: u32,
        0x04 0x04 reserved0: Only64<u32>,
        /// Where the name begins; 0 for the root of the namespace.
        0x08 0x04 root_directory: Handle,
        /// A `UnicodeString`.
        0x10 0x08 object_name: Pointer,
        0x18 0x0C attributes: ObjectAttributeFlags,
        0x1C 0x10 reserved1: Only64<u32>,
        /// A self-relative or absolute security descriptor for a new object.
        0x20 0x10 security_descriptor: Pointer,
        /// A `SecurityQualityOfService`.
        0x28 0x14 security_quality_of_service: Pointer,
    }

    /// `CLIENT_ID`: a thread and its process.
    pub struct ClientId (0x10, 0x08) {
        0x00 0x00 unique_process: Handle,
        0x08 0x04 unique_thread: Handle,
    }

    /// `IO_STATUS_BLOCK`: the outcome of an I/O operation.
    pub struct IoStatusBlock (0x10, 0x08) {
        /// An `NtStatus`; `STATUS_PENDING` until the operation is complete.
        0x00 0x00 status: u32,
        /// The union's other member is a pointer; its upper half is not written.
        0x04 0x04 reserved: Only64<u32>,
        /// Mostly the number of bytes moved.
        0x08 0x04 information: Size,
    }

    /// `LIST_ENTRY`: a link of a list with two ends.
    pub struct ListEntry (0x10, 0x08) {
        /// The next entry.
        0x00 0x00 flink: Pointer,
        /// The previous entry.
        0x08 0x04 blink: Pointer,
    }

    /// `GROUP_AFFINITY`: processors of one group.
    pub struct GroupAffinity (0x10, 0x0C) {
        /// One bit for each processor.
        0x00 0x00 mask: Size,
        0x08 0x04 group: u16,
        0x0A 0x06 reserved: [u16; 3],
    }
}

layout! {
    /// `LUID`: an identifier that is unique until the next boot.
    pub struct Luid (8) {
        0x00 low_part: u32,
        0x04 high_part: i32,
    }

    /// `GUID`: an identifier that is unique everywhere.
    pub struct Guid (0x10) {
        0x00 data1: u32,
        0x04 data2: u16,
        0x06 data3: u16,
        0x08 data4: [u8; 8],
    }

    /// `PROCESSOR_NUMBER`: a processor by its group.
    pub struct ProcessorNumber (4) {
        0x00 group: u16,
        /// Its number in the group.
        0x02 number: u8,
        0x03 reserved: u8,
    }
}

flags! {
    /// `OBJECT_ATTRIBUTES.Attributes`.
    pub struct ObjectAttributeFlags: u32, "OBJ_" {
        /// A handle that closing fails for, with an exception.
        PROTECT_CLOSE = 0x0000_0001;
        /// Child processes that inherit handles get this one.
        INHERIT = 0x0000_0002;
        /// A closed handle's audit is generated (kernel only).
        AUDIT_OBJECT_CLOSE = 0x0000_0004;
        /// The object stays when its last handle is closed.
        PERMANENT = 0x0000_0010;
        /// No second handle to the object may exist.
        EXCLUSIVE = 0x0000_0020;
        /// Names are compared without regard to case.
        CASE_INSENSITIVE = 0x0000_0040;
        /// A create service opens an object that exists already.
        OPENIF = 0x0000_0080;
        /// A symbolic link is opened itself, not followed.
        OPENLINK = 0x0000_0100;
        /// The handle is for kernel mode (ignored from user mode).
        KERNEL_HANDLE = 0x0000_0200;
        /// Access is checked as if user mode asked.
        FORCE_ACCESS_CHECK = 0x0000_0400;
        /// DOS device names are those of the logged-on session, not the impersonated one.
        IGNORE_IMPERSONATED_DEVICEMAP = 0x0000_0800;
        /// A path that meets a reparse point fails.
        DONT_REPARSE = 0x0000_1000;
    }
}

impl w64::ObjectAttributes {
    /// `Length` as callers must give it.
    pub const LENGTH: u32 = 0x30;
}

impl w32::ObjectAttributes {
    /// `Length` as callers must give it.
    pub const LENGTH: u32 = 0x18;
}
