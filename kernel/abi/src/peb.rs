//! `PEB`: what a process keeps in user memory, and the loader's lists behind it.
//!
//! A WoW64 process has two PEBs. The kernel fills both from the image and its options; the loaders of both widths do the rest.
//!
//! Offsets: Windows 10, version 1909, whose 32-bit PEB is 0x480 bytes long. WoW64's own block, [`Wow64Info`], lies directly
//! behind it, so the length is part of the contract with the 32-bit ntdll.

use crate::layout::{layout, layouts};
use crate::numbers::flags;

layouts! {
    /// `PEB`.
    pub struct Peb (0x7C8, 0x480) {
        0x000 0x000 inherited_address_space: u8,
        /// IFEO options were read.
        0x001 0x001 read_image_file_exec_options: u8,
        0x002 0x002 being_debugged: u8,
        0x003 0x003 bit_field: PebFlags,
        0x004 0x004 reserved0: Only64<u32>,
        0x008 0x004 mutant: Handle,
        0x010 0x008 image_base_address: Pointer,
        /// [`PebLdrData`].
        0x018 0x00C ldr: Pointer,
        /// `RtlUserProcessParameters`.
        0x020 0x010 process_parameters: Pointer,
        0x028 0x014 sub_system_data: Pointer,
        0x030 0x018 process_heap: Pointer,
        0x038 0x01C fast_peb_lock: Pointer,
        0x040 0x020 atl_thunk_s_list_ptr: Pointer,
        0x048 0x024 ifeo_key: Pointer,
        0x050 0x028 cross_process_flags: CrossProcessFlags,
        0x054 0x02C reserved1: Only64<u32>,
        /// Routines of user-mode callbacks; also `UserSharedInfoPtr`.
        0x058 0x02C kernel_callback_table: Pointer,
        0x060 0x030 system_reserved: u32,
        0x064 0x034 atl_thunk_s_list_ptr32: u32,
        0x068 0x038 api_set_map: Pointer,
        0x070 0x03C tls_expansion_counter: u32,
        0x074 0x040 reserved2: Only64<u32>,
        0x078 0x040 tls_bitmap: Pointer,
        0x080 0x044 tls_bitmap_bits: [u32; 2],
        0x088 0x04C read_only_shared_memory_base: Pointer,
        /// `SharedData`; `HotpatchInformation` before.
        0x090 0x050 shared_data: Pointer,
        0x098 0x054 read_only_static_server_data: Pointer,
        0x0A0 0x058 ansi_code_page_data: Pointer,
        0x0A8 0x05C oem_code_page_data: Pointer,
        0x0B0 0x060 unicode_case_table_data: Pointer,
        0x0B8 0x064 number_of_processors: u32,
        0x0BC 0x068 nt_global_flag: u32,
        0x0C0 0x06C reserved3: Only32<u32>,
        /// After how long a wait for a critical section is taken for a deadlock, in 100 ns, negative.
        0x0C0 0x070 critical_section_timeout: i64,
        0x0C8 0x078 heap_segment_reserve: Size,
        0x0D0 0x07C heap_segment_commit: Size,
        0x0D8 0x080 heap_de_commit_total_free_threshold: Size,
        0x0E0 0x084 heap_de_commit_free_block_threshold: Size,
        0x0E8 0x088 number_of_heaps: u32,
        0x0EC 0x08C maximum_number_of_heaps: u32,
        0x0F0 0x090 process_heaps: Pointer,
        0x0F8 0x094 gdi_shared_handle_table: Pointer,
        0x100 0x098 process_starter_helper: Pointer,
        0x108 0x09C gdi_dc_attribute_list: u32,
        0x10C 0x0A0 reserved5: Only64<u32>,
        0x110 0x0A0 loader_lock: Pointer,
        0x118 0x0A4 os_major_version: u32,
        0x11C 0x0A8 os_minor_version: u32,
        0x120 0x0AC os_build_number: u16,
        /// Service pack: major in the high byte.
        0x122 0x0AE os_csd_version: u16,
        0x124 0x0B0 os_platform_id: u32,
        0x128 0x0B4 image_subsystem: u32,
        0x12C 0x0B8 image_subsystem_major_version: u32,
        0x130 0x0BC image_subsystem_minor_version: u32,
        0x134 0x0C0 reserved6: Only64<u32>,
        0x138 0x0C0 active_process_affinity_mask: Size,
        0x140 0x0C4 gdi_handle_buffer: PebGdiHandleBuffer,
        0x230 0x14C post_process_init_routine: Pointer,
        0x238 0x150 tls_expansion_bitmap: Pointer,
        0x240 0x154 tls_expansion_bitmap_bits: [u32; 32],
        0x2C0 0x1D4 session_id: u32,
        0x2C4 0x1D8 reserved7: Only64<u32>,
        0x2C8 0x1D8 app_compat_flags: u64,
        0x2D0 0x1E0 app_compat_flags_user: u64,
        0x2D8 0x1E8 shim_data: Pointer,
        0x2E0 0x1EC app_compat_info: Pointer,
        0x2E8 0x1F0 csd_version: UnicodeString,
        0x2F8 0x1F8 activation_context_data: Pointer,
        0x300 0x1FC process_assembly_storage_map: Pointer,
        0x308 0x200 system_default_activation_context_data: Pointer,
        0x310 0x204 system_assembly_storage_map: Pointer,
        0x318 0x208 minimum_stack_commit: Size,
        /// `FlsCallback` and what follows it before version 1903.
        0x320 0x20C spare_pointers: [Pointer; 4],
        0x340 0x21C spare_ulongs: [u32; 5],
        0x354 0x230 reserved8: Only64<u32>,
        0x358 0x230 wer_registration_data: Pointer,
        0x360 0x234 wer_ship_assert_ptr: Pointer,
        0x368 0x238 context_data: Pointer,
        0x370 0x23C image_header_hash: Pointer,
        /// Bit 0 heaps, 1 critical sections, 2 loader.
        0x378 0x240 tracing_flags: u32,
        0x37C 0x244 reserved9: u32,
        0x380 0x248 csr_server_read_only_shared_memory_base: u64,
        0x388 0x250 tpp_workerp_list_lock: Pointer,
        0x390 0x254 tpp_workerp_list: ListEntry,
        0x3A0 0x25C wait_on_address_hash_table: [Pointer; 128],
        0x7A0 0x45C telemetry_coverage_header: Pointer,
        0x7A8 0x460 cloud_file_flags: u32,
        0x7AC 0x464 cloud_file_diag_flags: u32,
        0x7B0 0x468 placeholder_compatibility_mode: u8,
        0x7B1 0x469 placeholder_compatibility_mode_reserved: [u8; 7],
        0x7B8 0x470 leap_second_data: Pointer,
        /// Bit 0: a minute may have 61 seconds.
        0x7C0 0x474 leap_second_flags: u32,
        0x7C4 0x478 nt_global_flag2: u32,
        0x7C8 0x47C reserved10: Only32<u32>,
    }

    /// `PEB_LDR_DATA`: the loader's lists of modules.
    pub struct PebLdrData (0x58, 0x30) {
        0x00 0x00 length: u32,
        0x04 0x04 initialized: u8,
        0x05 0x05 reserved0: [u8; 3],
        0x08 0x08 ss_handle: Handle,
        0x10 0x0C in_load_order_module_list: ListEntry,
        0x20 0x14 in_memory_order_module_list: ListEntry,
        0x30 0x1C in_initialization_order_module_list: ListEntry,
        0x40 0x24 entry_in_progress: Pointer,
        0x48 0x28 shutdown_in_progress: u8,
        0x49 0x29 reserved1: [u8; 3],
        0x4C 0x2C reserved2: Only64<u32>,
        0x50 0x2C shutdown_thread_id: Handle,
    }

    /// `RTL_BALANCED_NODE`: a node of a red-black tree.
    pub struct RtlBalancedNode (0x18, 0x0C) {
        /// Left and right.
        0x00 0x00 children: [Pointer; 2],
        /// The parent, with the colour in its low bits.
        0x10 0x08 parent_value: Size,
    }

    /// `LDR_DATA_TABLE_ENTRY`: a module.
    pub struct LdrDataTableEntry (0x120, 0xA8) {
        0x000 0x000 in_load_order_links: ListEntry,
        0x010 0x008 in_memory_order_links: ListEntry,
        0x020 0x010 in_initialization_order_links: ListEntry,
        0x030 0x018 dll_base: Pointer,
        0x038 0x01C entry_point: Pointer,
        0x040 0x020 size_of_image: u32,
        0x044 0x024 reserved0: Only64<u32>,
        0x048 0x024 full_dll_name: UnicodeString,
        0x058 0x02C base_dll_name: UnicodeString,
        0x068 0x034 flags: u32,
        0x06C 0x038 obsolete_load_count: u16,
        0x06E 0x03A tls_index: u16,
        0x070 0x03C hash_links: ListEntry,
        0x080 0x044 time_date_stamp: u32,
        0x084 0x048 reserved1: Only64<u32>,
        0x088 0x048 entry_point_activation_context: Pointer,
        0x090 0x04C lock: Pointer,
        0x098 0x050 ddag_node: Pointer,
        0x0A0 0x054 node_module_link: ListEntry,
        0x0B0 0x05C load_context: Pointer,
        0x0B8 0x060 parent_dll_base: Pointer,
        0x0C0 0x064 switch_back_context: Pointer,
        0x0C8 0x068 base_address_index_node: RtlBalancedNode,
        0x0E0 0x074 mapping_info_index_node: RtlBalancedNode,
        0x0F8 0x080 original_base: Size,
        0x100 0x084 reserved2: Only32<u32>,
        0x100 0x088 load_time: i64,
        0x108 0x090 base_name_hash_value: u32,
        0x10C 0x094 load_reason: i32,
        0x110 0x098 implicit_path_options: u32,
        0x114 0x09C reference_count: u32,
        0x118 0x0A0 dependent_load_flags: u32,
        0x11C 0x0A4 signing_level: u8,
        0x11D 0x0A5 reserved3: [u8; 3],
    }
}

layout! {
    /// `WOW64INFO`: what WoW64's halves tell each other, directly behind the 32-bit PEB.
    pub struct Wow64Info (0x28) {
        0x00 native_system_page_size: u32,
        /// Bit 1: the processor is made of software.
        0x04 cpu_flags: u32,
        0x08 wow64_execute_flags: u32,
        0x0C reserved0: u32,
        0x10 section_handle: u64,
        0x18 cross_process_work_list: u64,
        /// `IMAGE_FILE_MACHINE_*`.
        0x20 native_machine: u16,
        /// `IMAGE_FILE_MACHINE_*`.
        0x22 emulated_machine: u16,
        0x24 reserved1: u32,
    }
}

flags! {
    /// `PEB.BitField`.
    pub struct PebFlags: u8, "" {
        /// `ImageUsesLargePages`.
        IMAGE_USES_LARGE_PAGES = 0x01;
        /// `IsProtectedProcess`.
        IS_PROTECTED_PROCESS = 0x02;
        /// `IsImageDynamicallyRelocated`.
        IS_IMAGE_DYNAMICALLY_RELOCATED = 0x04;
        /// `SkipPatchingUser32Forwarders`.
        SKIP_PATCHING_USER32_FORWARDERS = 0x08;
        /// `IsPackagedProcess`.
        IS_PACKAGED_PROCESS = 0x10;
        /// `IsAppContainer`.
        IS_APP_CONTAINER = 0x20;
        /// `IsProtectedProcessLight`.
        IS_PROTECTED_PROCESS_LIGHT = 0x40;
        /// `IsLongPathAwareProcess`.
        IS_LONG_PATH_AWARE_PROCESS = 0x80;
    }

    /// `PEB.CrossProcessFlags`.
    pub struct CrossProcessFlags: u32, "" {
        /// `ProcessInJob`.
        PROCESS_IN_JOB = 0x01;
        /// `ProcessInitializing`.
        PROCESS_INITIALIZING = 0x02;
        /// `ProcessUsingVEH`: it has vectored exception handlers.
        PROCESS_USING_VEH = 0x04;
        /// `ProcessUsingVCH`: it has vectored continue handlers.
        PROCESS_USING_VCH = 0x08;
        /// `ProcessUsingFTH`: its heap tolerates faults.
        PROCESS_USING_FTH = 0x10;
        /// `ProcessPreviouslyThrottled`.
        PROCESS_PREVIOUSLY_THROTTLED = 0x20;
        /// `ProcessCurrentlyThrottled`.
        PROCESS_CURRENTLY_THROTTLED = 0x40;
        /// `ProcessImagesHotPatched`.
        PROCESS_IMAGES_HOT_PATCHED = 0x80;
    }
}
