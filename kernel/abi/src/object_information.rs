//! What can be asked about any object, and about the ones that threads wait for.

use crate::access::{AccessMask, GenericMapping};
use crate::layout::{layout, layouts};
use crate::numbers::{flags, numbers};
use crate::primitives::ObjectAttributeFlags;

numbers! {
    /// `OBJECT_INFORMATION_CLASS`, of `NtQueryObject` and `NtSetInformationObject`.
    pub struct ObjectInformationClass: u32 {
        /// [`ObjectBasicInformation`].
        BASIC = 0, "ObjectBasicInformation";
        /// [`w64::ObjectNameInformation`] and its text.
        NAME = 1, "ObjectNameInformation";
        /// [`w64::ObjectTypeInformation`] and its name.
        TYPE = 2, "ObjectTypeInformation";
        /// [`ObjectTypesInformation`] and all types, each at a multiple of a pointer's size.
        TYPES = 3, "ObjectTypesInformation";
        /// [`ObjectHandleFlagInformation`].
        HANDLE_FLAG = 4, "ObjectHandleFlagInformation";
        /// To move an object into another session.
        SESSION = 5, "ObjectSessionInformation";
        /// The same for one object.
        SESSION_OBJECT = 6, "ObjectSessionObjectInformation";
    }

    /// `EVENT_INFORMATION_CLASS`.
    pub struct EventInformationClass: u32 {
        /// [`EventBasicInformation`].
        BASIC = 0, "EventBasicInformation";
    }

    /// `MUTANT_INFORMATION_CLASS`.
    pub struct MutantInformationClass: u32 {
        /// [`MutantBasicInformation`].
        BASIC = 0, "MutantBasicInformation";
        /// [`w64::MutantOwnerInformation`].
        OWNER = 1, "MutantOwnerInformation";
    }

    /// `SEMAPHORE_INFORMATION_CLASS`.
    pub struct SemaphoreInformationClass: u32 {
        /// [`SemaphoreBasicInformation`].
        BASIC = 0, "SemaphoreBasicInformation";
    }

    /// `TIMER_INFORMATION_CLASS`.
    pub struct TimerInformationClass: u32 {
        /// [`TimerBasicInformation`].
        BASIC = 0, "TimerBasicInformation";
    }

    /// `IO_COMPLETION_INFORMATION_CLASS`.
    pub struct IoCompletionInformationClass: u32 {
        /// [`IoCompletionBasicInformation`].
        BASIC = 0, "IoCompletionBasicInformation";
    }

    /// `EVENT_TYPE`.
    pub struct EventType: u32 {
        /// Stays set until it is reset.
        NOTIFICATION = 0, "NotificationEvent";
        /// One waiter resets it.
        SYNCHRONIZATION = 1, "SynchronizationEvent";
    }

    /// `TIMER_TYPE`.
    pub struct TimerType: u32 {
        /// Stays set until it is set again.
        NOTIFICATION = 0, "NotificationTimer";
        /// One waiter resets it.
        SYNCHRONIZATION = 1, "SynchronizationTimer";
    }

    /// `WAIT_TYPE`, of `NtWaitForMultipleObjects`.
    pub struct WaitType: u32 {
        /// All of them.
        ALL = 0, "WaitAll";
        /// The first of them.
        ANY = 1, "WaitAny";
    }
}

flags! {
    /// Options of `NtDuplicateObject`.
    pub struct DuplicateOptions: u32, "DUPLICATE_" {
        /// The source handle is closed, whatever else happens.
        CLOSE_SOURCE = 0x1;
        /// With the source's access.
        SAME_ACCESS = 0x2;
        /// With the source's attributes.
        SAME_ATTRIBUTES = 0x4;
    }
}

layouts! {
    /// `OBJECT_NAME_INFORMATION`: the text follows.
    pub struct ObjectNameInformation (0x10, 0x08) {
        0x00 0x00 name: UnicodeString,
    }

    /// `OBJECT_TYPE_INFORMATION`: the name's text follows.
    pub struct ObjectTypeInformation (0x68, 0x60) {
        0x00 0x00 type_name: UnicodeString,
        0x10 0x08 total_number_of_objects: u32,
        0x14 0x0C total_number_of_handles: u32,
        0x18 0x10 total_paged_pool_usage: u32,
        0x1C 0x14 total_non_paged_pool_usage: u32,
        0x20 0x18 total_name_pool_usage: u32,
        0x24 0x1C total_handle_table_usage: u32,
        0x28 0x20 high_water_number_of_objects: u32,
        0x2C 0x24 high_water_number_of_handles: u32,
        0x30 0x28 high_water_paged_pool_usage: u32,
        0x34 0x2C high_water_non_paged_pool_usage: u32,
        0x38 0x30 high_water_name_pool_usage: u32,
        0x3C 0x34 high_water_handle_table_usage: u32,
        0x40 0x38 invalid_attributes: ObjectAttributeFlags,
        0x44 0x3C generic_mapping: GenericMapping,
        0x54 0x4C valid_access_mask: AccessMask,
        0x58 0x50 security_required: u8,
        0x59 0x51 maintain_handle_count: u8,
        0x5A 0x52 type_index: u8,
        0x5B 0x53 reserved_byte: u8,
        /// `POOL_TYPE`.
        0x5C 0x54 pool_type: u32,
        0x60 0x58 default_paged_pool_charge: u32,
        0x64 0x5C default_non_paged_pool_charge: u32,
    }

    /// `OBJECT_DIRECTORY_INFORMATION`: an entry of a directory; an empty one ends the list, then the texts follow.
    pub struct ObjectDirectoryInformation (0x20, 0x10) {
        0x00 0x00 name: UnicodeString,
        0x10 0x08 type_name: UnicodeString,
    }

    /// `MUTANT_OWNER_INFORMATION`.
    pub struct MutantOwnerInformation (0x10, 0x08) {
        0x00 0x00 client_id: ClientId,
    }

    /// `FILE_IO_COMPLETION_INFORMATION`: a packet of a completion port.
    pub struct FileIoCompletionInformation (0x20, 0x10) {
        0x00 0x00 key_context: Pointer,
        0x08 0x04 apc_context: Pointer,
        0x10 0x08 io_status_block: IoStatusBlock,
    }
}

layout! {
    /// `OBJECT_BASIC_INFORMATION`.
    pub struct ObjectBasicInformation (0x38) {
        0x00 attributes: ObjectAttributeFlags,
        0x04 granted_access: AccessMask,
        0x08 handle_count: u32,
        0x0C pointer_count: u32,
        0x10 paged_pool_charge: u32,
        0x14 non_paged_pool_charge: u32,
        0x18 reserved: [u32; 3],
        0x24 name_info_size: u32,
        0x28 type_info_size: u32,
        0x2C security_descriptor_size: u32,
        /// Of a symbolic link; otherwise 0.
        0x30 creation_time: i64,
    }

    /// `OBJECT_TYPES_INFORMATION`.
    pub struct ObjectTypesInformation (0x04) {
        0x00 number_of_types: u32,
    }

    /// `OBJECT_HANDLE_FLAG_INFORMATION`.
    pub struct ObjectHandleFlagInformation (0x02) {
        0x00 inherit: u8,
        0x01 protect_from_close: u8,
    }

    /// `EVENT_BASIC_INFORMATION`.
    pub struct EventBasicInformation (0x08) {
        0x00 event_type: EventType,
        0x04 event_state: i32,
    }

    /// `MUTANT_BASIC_INFORMATION`.
    pub struct MutantBasicInformation (0x08) {
        /// 1 when free, then down by one for each time that its owner took it.
        0x00 current_count: i32,
        0x04 owned_by_caller: u8,
        0x05 abandoned_state: u8,
        0x06 reserved0: [u8; 2],
    }

    /// `SEMAPHORE_BASIC_INFORMATION`.
    pub struct SemaphoreBasicInformation (0x08) {
        0x00 current_count: i32,
        0x04 maximum_count: i32,
    }

    /// `TIMER_BASIC_INFORMATION`.
    pub struct TimerBasicInformation (0x10) {
        /// In 100 ns; negative when it is past.
        0x00 remaining_time: i64,
        0x08 timer_state: u8,
        0x09 reserved0: [u8; 7],
    }

    /// `IO_COMPLETION_BASIC_INFORMATION`.
    pub struct IoCompletionBasicInformation (0x04) {
        0x00 depth: i32,
    }
}
