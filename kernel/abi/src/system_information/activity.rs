//! What runs, and what it used: processes and threads, handles, objects, modules, counters.

use crate::access::{AccessMask, GenericMapping};
use crate::layout::{layout, layouts};
use crate::primitives::ObjectAttributeFlags;
use crate::thread_information::{ThreadState, WaitReason};

layouts! {
    /// `SYSTEM_THREAD_INFORMATION`: times in 100 ns.
    pub struct SystemThreadInformation (0x50, 0x40) {
        0x00 0x00 kernel_time: i64,
        0x08 0x08 user_time: i64,
        0x10 0x10 create_time: i64,
        /// When it began to wait, in ticks.
        0x18 0x18 wait_time: u32,
        0x1C 0x1C reserved0: Only64<u32>,
        0x20 0x1C start_address: Pointer,
        0x28 0x20 client_id: ClientId,
        0x38 0x28 priority: i32,
        0x3C 0x2C base_priority: i32,
        0x40 0x30 context_switches: u32,
        0x44 0x34 thread_state: ThreadState,
        0x48 0x38 wait_reason: WaitReason,
        0x4C 0x3C reserved1: u32,
    }

    /// `SYSTEM_EXTENDED_THREAD_INFORMATION`.
    pub struct SystemExtendedThreadInformation (0x88, 0x60) {
        0x00 0x00 thread_info: SystemThreadInformation,
        0x50 0x40 stack_base: Size,
        0x58 0x44 stack_limit: Size,
        0x60 0x48 win32_start_address: Pointer,
        0x68 0x4C teb_base: Pointer,
        0x70 0x50 reserved2: Size,
        0x78 0x54 reserved3: Size,
        0x80 0x58 reserved4: Size,
        0x88 0x5C reserved0: Only32<u32>,
    }

    /// `SYSTEM_PROCESS_INFORMATION`: its threads follow, then its name's text.
    pub struct SystemProcessInformation (0x100, 0xB8) {
        /// In bytes from here; 0 in the last one.
        0x00 0x00 next_entry_offset: u32,
        0x04 0x04 number_of_threads: u32,
        0x08 0x08 working_set_private_size: u64,
        0x10 0x10 hard_fault_count: u32,
        0x14 0x14 number_of_threads_high_watermark: u32,
        0x18 0x18 cycle_time: u64,
        0x20 0x20 create_time: i64,
        0x28 0x28 user_time: i64,
        0x30 0x30 kernel_time: i64,
        0x38 0x38 image_name: UnicodeString,
        0x48 0x40 base_priority: i32,
        0x4C 0x44 reserved0: Only64<u32>,
        0x50 0x44 unique_process_id: Handle,
        0x58 0x48 inherited_from_unique_process_id: Handle,
        0x60 0x4C handle_count: u32,
        0x64 0x50 session_id: u32,
        0x68 0x54 unique_process_key: Size,
        0x70 0x58 peak_virtual_size: Size,
        0x78 0x5C virtual_size: Size,
        0x80 0x60 page_fault_count: u32,
        0x84 0x64 reserved1: Only64<u32>,
        0x88 0x64 peak_working_set_size: Size,
        0x90 0x68 working_set_size: Size,
        0x98 0x6C quota_peak_paged_pool_usage: Size,
        0xA0 0x70 quota_paged_pool_usage: Size,
        0xA8 0x74 quota_peak_non_paged_pool_usage: Size,
        0xB0 0x78 quota_non_paged_pool_usage: Size,
        0xB8 0x7C pagefile_usage: Size,
        0xC0 0x80 peak_pagefile_usage: Size,
        0xC8 0x84 private_page_count: Size,
        0xD0 0x88 read_operation_count: i64,
        0xD8 0x90 write_operation_count: i64,
        0xE0 0x98 other_operation_count: i64,
        0xE8 0xA0 read_transfer_count: i64,
        0xF0 0xA8 write_transfer_count: i64,
        0xF8 0xB0 other_transfer_count: i64,
    }

    /// `RTL_PROCESS_MODULE_INFORMATION`: a module.
    pub struct RtlProcessModuleInformation (0x128, 0x11C) {
        0x00 0x00 section: Pointer,
        0x08 0x04 mapped_base: Pointer,
        0x10 0x08 image_base: Pointer,
        0x18 0x0C image_size: u32,
        0x1C 0x10 flags: u32,
        0x20 0x14 load_order_index: u16,
        0x22 0x16 init_order_index: u16,
        0x24 0x18 load_count: u16,
        /// Of the last part of the path.
        0x26 0x1A offset_to_file_name: u16,
        0x28 0x1C full_path_name: [u8; 256],
    }

    /// `RTL_PROCESS_MODULES`: the modules follow.
    pub struct RtlProcessModules (0x08, 0x04) {
        0x00 0x00 number_of_modules: u32,
        0x04 0x04 reserved0: Only64<u32>,
    }

    /// `RTL_PROCESS_MODULE_INFORMATION_EX`.
    pub struct RtlProcessModuleInformationEx (0x140, 0x12C) {
        0x00 0x00 next_offset: u16,
        0x02 0x02 reserved0: [u8; 2],
        0x04 0x04 reserved1: Only64<u32>,
        0x08 0x04 base_info: RtlProcessModuleInformation,
        0x130 0x120 image_checksum: u32,
        0x134 0x124 time_date_stamp: u32,
        0x138 0x128 default_base: Pointer,
    }

    /// `SYSTEM_HANDLE_TABLE_ENTRY_INFO`: a handle, with what does not fit cut off.
    pub struct SystemHandleTableEntryInfo (0x18, 0x10) {
        0x00 0x00 unique_process_id: u16,
        0x02 0x02 creator_back_trace_index: u16,
        0x04 0x04 object_type_index: u8,
        0x05 0x05 handle_attributes: u8,
        0x06 0x06 handle_value: u16,
        0x08 0x08 object: Pointer,
        0x10 0x0C granted_access: AccessMask,
        0x14 0x10 reserved0: Only64<u32>,
    }

    /// `SYSTEM_HANDLE_INFORMATION`: the handles follow.
    pub struct SystemHandleInformation (0x08, 0x04) {
        0x00 0x00 number_of_handles: u32,
        0x04 0x04 reserved0: Only64<u32>,
    }

    /// `SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX`: a handle.
    pub struct SystemHandleTableEntryInfoEx (0x28, 0x1C) {
        0x00 0x00 object: Pointer,
        0x08 0x04 unique_process_id: Handle,
        0x10 0x08 handle_value: Handle,
        0x18 0x0C granted_access: AccessMask,
        0x1C 0x10 creator_back_trace_index: u16,
        0x1E 0x12 object_type_index: u16,
        0x20 0x14 handle_attributes: ObjectAttributeFlags,
        0x24 0x18 reserved: u32,
    }

    /// `SYSTEM_HANDLE_INFORMATION_EX`: the handles follow.
    pub struct SystemHandleInformationEx (0x10, 0x08) {
        0x00 0x00 number_of_handles: Size,
        0x08 0x04 reserved: Size,
    }

    /// `SYSTEM_OBJECTTYPE_INFORMATION`: a type; its name and its objects follow.
    pub struct SystemObjectTypeInformation (0x40, 0x38) {
        0x00 0x00 next_entry_offset: u32,
        0x04 0x04 number_of_objects: u32,
        0x08 0x08 number_of_handles: u32,
        0x0C 0x0C type_index: u32,
        0x10 0x10 invalid_attributes: ObjectAttributeFlags,
        0x14 0x14 generic_mapping: GenericMapping,
        0x24 0x24 valid_access_mask: AccessMask,
        0x28 0x28 pool_type: u32,
        0x2C 0x2C security_required: u8,
        0x2D 0x2D waitable_object: u8,
        0x2E 0x2E reserved0: [u8; 2],
        0x30 0x30 type_name: UnicodeString,
    }

    /// `SYSTEM_OBJECT_INFORMATION`: an object; its name follows.
    pub struct SystemObjectInformation (0x50, 0x30) {
        0x00 0x00 next_entry_offset: u32,
        0x04 0x04 reserved0: Only64<u32>,
        0x08 0x04 object: Pointer,
        0x10 0x08 creator_unique_process: Handle,
        0x18 0x0C creator_back_trace_index: u16,
        0x1A 0x0E flags: u16,
        0x1C 0x10 pointer_count: i32,
        0x20 0x14 handle_count: i32,
        0x24 0x18 paged_pool_charge: u32,
        0x28 0x1C non_paged_pool_charge: u32,
        0x2C 0x20 reserved1: Only64<u32>,
        0x30 0x20 exclusive_process_id: Handle,
        0x38 0x24 security_descriptor: Pointer,
        0x40 0x28 name_info: UnicodeString,
    }

    /// `SYSTEM_PAGEFILE_INFORMATION`: sizes in pages.
    pub struct SystemPageFileInformation (0x20, 0x18) {
        0x00 0x00 next_entry_offset: u32,
        0x04 0x04 total_size: u32,
        0x08 0x08 total_in_use: u32,
        0x0C 0x0C peak_usage: u32,
        0x10 0x10 page_file_name: UnicodeString,
    }

    /// `SYSTEM_FILECACHE_INFORMATION`.
    pub struct SystemFileCacheInformation (0x40, 0x24) {
        0x00 0x00 current_size: Size,
        0x08 0x04 peak_size: Size,
        0x10 0x08 page_fault_count: u32,
        0x14 0x0C reserved0: Only64<u32>,
        0x18 0x0C minimum_working_set: Size,
        0x20 0x10 maximum_working_set: Size,
        0x28 0x14 current_size_including_transition_in_pages: Size,
        0x30 0x18 peak_size_including_transition_in_pages: Size,
        0x38 0x1C transition_re_purpose_count: u32,
        0x3C 0x20 flags: u32,
    }

    /// `SYSTEM_POOLTAG`.
    pub struct SystemPoolTag (0x28, 0x1C) {
        0x00 0x00 tag: [u8; 4],
        0x04 0x04 paged_allocs: u32,
        0x08 0x08 paged_frees: u32,
        0x0C 0x0C reserved0: Only64<u32>,
        0x10 0x0C paged_used: Size,
        0x18 0x10 non_paged_allocs: u32,
        0x1C 0x14 non_paged_frees: u32,
        0x20 0x18 non_paged_used: Size,
    }

    /// `SYSTEM_REGISTRY_QUOTA_INFORMATION`.
    pub struct SystemRegistryQuotaInformation (0x10, 0x0C) {
        0x00 0x00 registry_quota_allowed: u32,
        0x04 0x04 registry_quota_used: u32,
        0x08 0x08 paged_pool_size: Size,
    }

    /// `SYSTEM_PROCESS_ID_INFORMATION`: a process's image.
    pub struct SystemProcessIdInformation (0x18, 0x0C) {
        /// In.
        0x00 0x00 process_id: Handle,
        /// In: a buffer; out: the path.
        0x08 0x04 image_name: UnicodeString,
    }

    /// `SYSTEM_BASIC_PERFORMANCE_INFORMATION`: in pages.
    pub struct SystemBasicPerformanceInformation (0x20, 0x10) {
        0x00 0x00 available_pages: Size,
        0x08 0x04 committed_pages: Size,
        0x10 0x08 commit_limit: Size,
        0x18 0x0C peak_commitment: Size,
    }
}

layout! {
    /// `SYSTEM_PERFORMANCE_INFORMATION`. Callers from before Windows 10 know its first 0x138 bytes.
    pub struct SystemPerformanceInformation (0x178) {
        0x00 idle_process_time: i64,
        0x08 io_read_transfer_count: i64,
        0x10 io_write_transfer_count: i64,
        0x18 io_other_transfer_count: i64,
        0x20 io_read_operation_count: u32,
        0x24 io_write_operation_count: u32,
        0x28 io_other_operation_count: u32,
        0x2C available_pages: u32,
        0x30 committed_pages: u32,
        0x34 commit_limit: u32,
        0x38 peak_commitment: u32,
        0x3C page_fault_count: u32,
        0x40 copy_on_write_count: u32,
        0x44 transition_count: u32,
        0x48 cache_transition_count: u32,
        0x4C demand_zero_count: u32,
        0x50 page_read_count: u32,
        0x54 page_read_io_count: u32,
        0x58 cache_read_count: u32,
        0x5C cache_io_count: u32,
        0x60 dirty_pages_write_count: u32,
        0x64 dirty_write_io_count: u32,
        0x68 mapped_pages_write_count: u32,
        0x6C mapped_write_io_count: u32,
        0x70 paged_pool_pages: u32,
        0x74 non_paged_pool_pages: u32,
        0x78 paged_pool_allocs: u32,
        0x7C paged_pool_frees: u32,
        0x80 non_paged_pool_allocs: u32,
        0x84 non_paged_pool_frees: u32,
        0x88 free_system_ptes: u32,
        0x8C resident_system_code_page: u32,
        0x90 total_system_driver_pages: u32,
        0x94 total_system_code_pages: u32,
        0x98 non_paged_pool_lookaside_hits: u32,
        0x9C paged_pool_lookaside_hits: u32,
        0xA0 available_paged_pool_pages: u32,
        0xA4 resident_system_cache_page: u32,
        0xA8 resident_paged_pool_page: u32,
        0xAC resident_system_driver_page: u32,
        0xB0 cc_fast_read_no_wait: u32,
        0xB4 cc_fast_read_wait: u32,
        0xB8 cc_fast_read_resource_miss: u32,
        0xBC cc_fast_read_not_possible: u32,
        0xC0 cc_fast_mdl_read_no_wait: u32,
        0xC4 cc_fast_mdl_read_wait: u32,
        0xC8 cc_fast_mdl_read_resource_miss: u32,
        0xCC cc_fast_mdl_read_not_possible: u32,
        0xD0 cc_map_data_no_wait: u32,
        0xD4 cc_map_data_wait: u32,
        0xD8 cc_map_data_no_wait_miss: u32,
        0xDC cc_map_data_wait_miss: u32,
        0xE0 cc_pin_mapped_data_count: u32,
        0xE4 cc_pin_read_no_wait: u32,
        0xE8 cc_pin_read_wait: u32,
        0xEC cc_pin_read_no_wait_miss: u32,
        0xF0 cc_pin_read_wait_miss: u32,
        0xF4 cc_copy_read_no_wait: u32,
        0xF8 cc_copy_read_wait: u32,
        0xFC cc_copy_read_no_wait_miss: u32,
        0x100 cc_copy_read_wait_miss: u32,
        0x104 cc_mdl_read_no_wait: u32,
        0x108 cc_mdl_read_wait: u32,
        0x10C cc_mdl_read_no_wait_miss: u32,
        0x110 cc_mdl_read_wait_miss: u32,
        0x114 cc_read_ahead_ios: u32,
        0x118 cc_lazy_write_ios: u32,
        0x11C cc_lazy_write_pages: u32,
        0x120 cc_data_flushes: u32,
        0x124 cc_data_pages: u32,
        0x128 context_switches: u32,
        0x12C first_level_tb_fills: u32,
        0x130 second_level_tb_fills: u32,
        0x134 system_calls: u32,
        0x138 cc_total_dirty_pages: u64,
        0x140 cc_dirty_page_threshold: u64,
        0x148 resident_available_pages: i64,
        0x150 shared_committed_pages: u64,
        0x158 mdl_pages_allocated: u64,
        0x160 pfn_database_committed_pages: u64,
        0x168 system_page_table_committed_pages: u64,
        0x170 contiguous_pages_allocated: u64,
    }

    /// `SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION`: times in 100 ns.
    pub struct SystemProcessorPerformanceInformation (0x30) {
        0x00 idle_time: i64,
        /// With the idle time.
        0x08 kernel_time: i64,
        0x10 user_time: i64,
        0x18 dpc_time: i64,
        0x20 interrupt_time: i64,
        0x28 interrupt_count: u32,
        0x2C reserved0: u32,
    }

    /// `SYSTEM_INTERRUPT_INFORMATION`.
    pub struct SystemInterruptInformation (0x18) {
        0x00 context_switches: u32,
        0x04 dpc_count: u32,
        0x08 dpc_rate: u32,
        0x0C time_increment: u32,
        0x10 dpc_bypass_count: u32,
        0x14 apc_bypass_count: u32,
    }

    /// `SYSTEM_DPC_BEHAVIOR_INFORMATION`.
    pub struct SystemDpcBehaviorInformation (0x14) {
        0x00 spare: u32,
        0x04 dpc_queue_depth: u32,
        0x08 minimum_dpc_rate: u32,
        0x0C adjust_dpc_threshold: u32,
        0x10 ideal_dpc_rate: u32,
    }

    /// `SYSTEM_EXCEPTION_INFORMATION`.
    pub struct SystemExceptionInformation (0x10) {
        0x00 alignment_fixup_count: u32,
        0x04 exception_dispatch_count: u32,
        0x08 floating_emulation_count: u32,
        0x0C byte_word_emulation_count: u32,
    }

    /// `SYSTEM_CONTEXT_SWITCH_INFORMATION`.
    pub struct SystemContextSwitchInformation (0x30) {
        0x00 context_switches: u32,
        0x04 find_any: u32,
        0x08 find_last: u32,
        0x0C find_ideal: u32,
        0x10 idle_any: u32,
        0x14 idle_current: u32,
        0x18 idle_last: u32,
        0x1C idle_ideal: u32,
        0x20 preempt_any: u32,
        0x24 preempt_current: u32,
        0x28 preempt_last: u32,
        0x2C switch_to_idle: u32,
    }

    /// `SYSTEM_CALL_COUNT_INFORMATION`.
    pub struct SystemCallCountInformation (0x08) {
        0x00 length: u32,
        0x04 number_of_tables: u32,
    }

    /// `SYSTEM_LOOKASIDE_INFORMATION`.
    pub struct SystemLookasideInformation (0x20) {
        0x00 current_depth: u16,
        0x02 maximum_depth: u16,
        0x04 total_allocates: u32,
        0x08 allocate_misses: u32,
        0x0C total_frees: u32,
        0x10 free_misses: u32,
        0x14 kind: u32,
        0x18 tag: u32,
        0x1C size: u32,
    }

    /// `SYSTEM_PROCESSOR_IDLE_INFORMATION`.
    pub struct SystemProcessorIdleInformation (0x30) {
        0x00 idle_time: u64,
        0x08 c1_time: u64,
        0x10 c2_time: u64,
        0x18 c3_time: u64,
        0x20 c1_transitions: u32,
        0x24 c2_transitions: u32,
        0x28 c3_transitions: u32,
        0x2C padding: u32,
    }

    /// `SYSTEM_PROCESSOR_IDLE_CYCLE_TIME_INFORMATION`.
    pub struct SystemProcessorIdleCycleTimeInformation (0x08) {
        0x00 cycle_time: u64,
    }

    /// `SYSTEM_PROCESSOR_CYCLE_TIME_INFORMATION`.
    pub struct SystemProcessorCycleTimeInformation (0x08) {
        0x00 cycle_time: u64,
    }
}
