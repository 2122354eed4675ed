//! Sections as objects: what a handle to one is good for.

use nt_abi::NtResult;
use nt_abi::access::{AccessMask, GenericMapping};
use ob::quota::object_size;
use ob::{ObjectBody, ObjectType, TypeDescription, Waiting};

use super::Section;

/// The type of sections.
///
/// # NT
/// `MmSectionObjectType`.
pub static SECTION: ObjectType = ObjectType::new(TypeDescription {
    name: "Section",
    mapping: GenericMapping {
        generic_read: AccessMask::STANDARD_RIGHTS_READ
            .union(AccessMask::SECTION_QUERY)
            .union(AccessMask::SECTION_MAP_READ),
        generic_write: AccessMask::STANDARD_RIGHTS_WRITE.union(AccessMask::SECTION_MAP_WRITE),
        generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE.union(AccessMask::SECTION_MAP_EXECUTE),
        generic_all: AccessMask::SECTION_ALL_ACCESS,
    },
    valid_access: AccessMask::SECTION_ALL_ACCESS.union(AccessMask::SYNCHRONIZE),
    waiting: Waiting::Always,
    paged_charge: object_size::<Section>(0),
    ..TypeDescription::PLAIN
});

impl ObjectBody for Section {
    fn kind() -> &'static ObjectType {
        &SECTION
    }
}

/// Registers the type of sections.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`.
#[doc(alias = "MiSectionInitialization")]
pub fn register() -> NtResult {
    ob::register_type(&SECTION)
}
