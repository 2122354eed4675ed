//! The layouts, compared with a source that is not ours.
//!
//! The numbers below were printed by a C compiler (for x86-64, x86, ARM64 and ARM32 Windows) from the public
//! headers of Wine 8.0, which were written apart from the sources that this crate's own offsets come from (published symbols
//! and Microsoft's documentation, through System Informer's and mingw-w64's headers). Only what those headers have, under the
//! same name, is here. A structure without a size is one that ends, with us, where an array of unknown length begins, or that later
//! versions of Windows appended to. `Peb.gdi_handle_buffer` is missing, because those headers put it over the 64-bit affinity mask.

use std::mem::{offset_of, size_of};

use nt_abi::{
    access, accounting, context, debug, job, memory, object_information, primitives,
    process_information, system_information, user_shared_data, w32, w64,
};

macro_rules! compare {
    ($($structure:path $([$size:literal])? { $($field:ident $offset:literal),* $(,)? })*) => {
        #[test]
        fn layouts_are_those_of_another_source() {
            let mut wrong = Vec::new();
            let mut compared = 0;
            $(
                $(
                    compared += 1;
                    if size_of::<$structure>() != $size {
                        wrong.push(format!("{}: size", stringify!($structure)));
                    }
                )?
                $(
                    compared += 1;
                    if offset_of!($structure, $field) != $offset {
                        wrong.push(format!("{}.{}", stringify!($structure), stringify!($field)));
                    }
                )*
            )*
            assert!(wrong.is_empty(), "{wrong:?}");
            assert!(compared > 1000, "the table has shrunk: {compared}");
        }
    };
}

compare! {
    access::GenericMapping [0x10] { generic_read 0x0, generic_write 0x4, generic_execute 0x8, generic_all 0xC }
    w64::QuotaLimits [0x30] { paged_pool_limit 0x0, non_paged_pool_limit 0x8, minimum_working_set_size 0x10,
        maximum_working_set_size 0x18, pagefile_limit 0x20, time_limit 0x28 }
    w32::QuotaLimits [0x20] { paged_pool_limit 0x0, non_paged_pool_limit 0x4, minimum_working_set_size 0x8,
        maximum_working_set_size 0xC, pagefile_limit 0x10, time_limit 0x18 }
    w64::QuotaLimitsEx [0x58] { paged_pool_limit 0x0, non_paged_pool_limit 0x8, minimum_working_set_size 0x10,
        maximum_working_set_size 0x18, pagefile_limit 0x20, time_limit 0x28, working_set_limit 0x30, flags 0x50,
        cpu_rate_limit 0x54 }
    w32::QuotaLimitsEx [0x38] { paged_pool_limit 0x0, non_paged_pool_limit 0x4, minimum_working_set_size 0x8,
        maximum_working_set_size 0xC, pagefile_limit 0x10, time_limit 0x18, working_set_limit 0x20, flags 0x30,
        cpu_rate_limit 0x34 }
    w64::VmCounters [0x58] { peak_virtual_size 0x0, virtual_size 0x8, page_fault_count 0x10, peak_working_set_size 0x18,
        working_set_size 0x20, quota_peak_paged_pool_usage 0x28, quota_paged_pool_usage 0x30,
        quota_peak_non_paged_pool_usage 0x38, quota_non_paged_pool_usage 0x40, pagefile_usage 0x48,
        peak_pagefile_usage 0x50 }
    w32::VmCounters [0x2C] { peak_virtual_size 0x0, virtual_size 0x4, page_fault_count 0x8, peak_working_set_size 0xC,
        working_set_size 0x10, quota_peak_paged_pool_usage 0x14, quota_paged_pool_usage 0x18,
        quota_peak_non_paged_pool_usage 0x1C, quota_non_paged_pool_usage 0x20, pagefile_usage 0x24,
        peak_pagefile_usage 0x28 }
    w64::VmCountersEx [0x60] { peak_virtual_size 0x0, virtual_size 0x8, page_fault_count 0x10, peak_working_set_size 0x18,
        working_set_size 0x20, quota_peak_paged_pool_usage 0x28, quota_paged_pool_usage 0x30,
        quota_peak_non_paged_pool_usage 0x38, quota_non_paged_pool_usage 0x40, pagefile_usage 0x48,
        peak_pagefile_usage 0x50, private_usage 0x58 }
    w32::VmCountersEx [0x30] { peak_virtual_size 0x0, virtual_size 0x4, page_fault_count 0x8, peak_working_set_size 0xC,
        working_set_size 0x10, quota_peak_paged_pool_usage 0x14, quota_paged_pool_usage 0x18,
        quota_peak_non_paged_pool_usage 0x1C, quota_non_paged_pool_usage 0x20, pagefile_usage 0x24,
        peak_pagefile_usage 0x28, private_usage 0x2C }
    accounting::IoCounters [0x30] { read_operation_count 0x0, write_operation_count 0x8, other_operation_count 0x10,
        read_transfer_count 0x18, write_transfer_count 0x20, other_transfer_count 0x28 }
    accounting::KernelUserTimes [0x20] { create_time 0x0, exit_time 0x8, kernel_time 0x10, user_time 0x18 }
    context::M128A [0x10] { low 0x0, high 0x8 }
    context::XmmSaveArea32 [0x200] { control_word 0x0, status_word 0x2, tag_word 0x4, error_opcode 0x6, error_offset 0x8,
        error_selector 0xC, data_offset 0x10, data_selector 0x14, mx_csr 0x18, mx_csr_mask 0x1C, float_registers 0x20,
        xmm_registers 0xA0 }
    context::Amd64Context [0x4D0] { p1_home 0x0, p2_home 0x8, p3_home 0x10, p4_home 0x18, p5_home 0x20, p6_home 0x28,
        context_flags 0x30, mx_csr 0x34, seg_cs 0x38, seg_ds 0x3A, seg_es 0x3C, seg_fs 0x3E, seg_gs 0x40, seg_ss 0x42,
        e_flags 0x44, dr0 0x48, dr1 0x50, dr2 0x58, dr3 0x60, dr6 0x68, dr7 0x70, rax 0x78, rcx 0x80, rdx 0x88, rbx 0x90,
        rsp 0x98, rbp 0xA0, rsi 0xA8, rdi 0xB0, r8 0xB8, r9 0xC0, r10 0xC8, r11 0xD0, r12 0xD8, r13 0xE0, r14 0xE8,
        r15 0xF0, rip 0xF8, vector_register 0x300, vector_control 0x4A0, debug_control 0x4A8, last_branch_to_rip 0x4B0,
        last_branch_from_rip 0x4B8, last_exception_to_rip 0x4C0, last_exception_from_rip 0x4C8 }
    context::ArmContext [0x1A0] { context_flags 0x0, sp 0x38, lr 0x3C, pc 0x40, cpsr 0x44, fpscr 0x48, padding 0x4C, d 0x50,
        bvr 0x150, bcr 0x170, wvr 0x190, wcr 0x194, padding2 0x198 }
    context::Arm64Context [0x390] { context_flags 0x0, cpsr 0x4, x 0x8, sp 0x100, pc 0x108, v 0x110, fpcr 0x310, fpsr 0x314,
        bcr 0x318, bvr 0x338, wcr 0x378, wvr 0x380 }
    context::FloatingSaveArea [0x70] { control_word 0x0, status_word 0x4, tag_word 0x8, error_offset 0xC,
        error_selector 0x10, data_offset 0x14, data_selector 0x18, register_area 0x1C, cr0_npx_state 0x6C }
    context::I386Context [0x2CC] { context_flags 0x0, dr0 0x4, dr1 0x8, dr2 0xC, dr3 0x10, dr6 0x14, dr7 0x18,
        float_save 0x1C, seg_gs 0x8C, seg_fs 0x90, seg_es 0x94, seg_ds 0x98, edi 0x9C, esi 0xA0, ebx 0xA4, edx 0xA8,
        ecx 0xAC, eax 0xB0, ebp 0xB4, eip 0xB8, seg_cs 0xBC, e_flags 0xC0, esp 0xC4, seg_ss 0xC8, extended_registers 0xCC }
    context::ContextChunk [0x8] { offset 0x0, length 0x4 }
    context::ContextEx { all 0x0, legacy 0x8, xstate 0x10 }
    context::CpuReserved [0x4] { flags 0x0, machine 0x2 }
    w64::DbgKmException [0xA0] { exception_record 0x0, first_chance 0x98 }
    w32::DbgKmException [0x54] { exception_record 0x0, first_chance 0x50 }
    w64::DbgKmCreateThread [0x10] { sub_system_key 0x0, start_address 0x8 }
    w32::DbgKmCreateThread [0x8] { sub_system_key 0x0, start_address 0x4 }
    w64::DbgKmCreateProcess [0x30] { sub_system_key 0x0, file_handle 0x8, base_of_image 0x10, debug_info_file_offset 0x18,
        debug_info_size 0x1C, initial_thread 0x20 }
    w32::DbgKmCreateProcess [0x1C] { sub_system_key 0x0, file_handle 0x4, base_of_image 0x8, debug_info_file_offset 0xC,
        debug_info_size 0x10, initial_thread 0x14 }
    w64::DbgKmLoadDll [0x20] { file_handle 0x0, base_of_dll 0x8, debug_info_file_offset 0x10, debug_info_size 0x14,
        name_pointer 0x18 }
    w32::DbgKmLoadDll [0x14] { file_handle 0x0, base_of_dll 0x4, debug_info_file_offset 0x8, debug_info_size 0xC,
        name_pointer 0x10 }
    w64::DbgKmUnloadDll [0x8] { base_address 0x0 }
    w32::DbgKmUnloadDll [0x4] { base_address 0x0 }
    w64::DbgUiCreateThread [0x18] { handle_to_thread 0x0, new_thread 0x8 }
    w32::DbgUiCreateThread [0xC] { handle_to_thread 0x0, new_thread 0x4 }
    w64::DbgUiCreateProcess [0x40] { handle_to_process 0x0, handle_to_thread 0x8, new_process 0x10 }
    w32::DbgUiCreateProcess [0x24] { handle_to_process 0x0, handle_to_thread 0x4, new_process 0x8 }
    w64::DbgUiWaitStateChange [0xB8] { new_state 0x0, app_client_id 0x8, state_info 0x18 }
    w32::DbgUiWaitStateChange [0x60] { new_state 0x0, app_client_id 0x4, state_info 0xC }
    debug::DbgKmExitThread [0x4] { exit_status 0x0 }
    debug::DbgKmExitProcess [0x4] { exit_status 0x0 }
    w64::ExceptionRecord [0x98] { exception_code 0x0, exception_flags 0x4, exception_record 0x8, exception_address 0x10,
        number_parameters 0x18, exception_information 0x20 }
    w32::ExceptionRecord [0x50] { exception_code 0x0, exception_flags 0x4, exception_record 0x8, exception_address 0xC,
        number_parameters 0x10, exception_information 0x14 }
    w64::ExceptionPointers [0x10] { exception_record 0x0, context_record 0x8 }
    w32::ExceptionPointers [0x8] { exception_record 0x0, context_record 0x4 }
    w64::JobObjectBasicLimitInformation [0x40] { per_process_user_time_limit 0x0, per_job_user_time_limit 0x8,
        limit_flags 0x10, minimum_working_set_size 0x18, maximum_working_set_size 0x20, active_process_limit 0x28,
        affinity 0x30, priority_class 0x38, scheduling_class 0x3C }
    w32::JobObjectBasicLimitInformation [0x30] { per_process_user_time_limit 0x0, per_job_user_time_limit 0x8,
        limit_flags 0x10, minimum_working_set_size 0x14, maximum_working_set_size 0x18, active_process_limit 0x1C,
        affinity 0x20, priority_class 0x24, scheduling_class 0x28 }
    w64::JobObjectExtendedLimitInformation [0x90] { basic_limit_information 0x0, io_info 0x40, process_memory_limit 0x70,
        job_memory_limit 0x78, peak_process_memory_used 0x80, peak_job_memory_used 0x88 }
    w32::JobObjectExtendedLimitInformation [0x70] { basic_limit_information 0x0, io_info 0x30, process_memory_limit 0x60,
        job_memory_limit 0x64, peak_process_memory_used 0x68, peak_job_memory_used 0x6C }
    w64::JobObjectAssociateCompletionPort [0x10] { completion_key 0x0, completion_port 0x8 }
    w32::JobObjectAssociateCompletionPort [0x8] { completion_key 0x0, completion_port 0x4 }
    w64::JobObjectSecurityLimitInformation [0x28] { security_limit_flags 0x0, job_token 0x8, sids_to_disable 0x10,
        privileges_to_delete 0x18, restricted_sids 0x20 }
    w32::JobObjectSecurityLimitInformation [0x14] { security_limit_flags 0x0, job_token 0x4, sids_to_disable 0x8,
        privileges_to_delete 0xC, restricted_sids 0x10 }
    job::JobObjectBasicAccountingInformation [0x30] { total_user_time 0x0, total_kernel_time 0x8,
        this_period_total_user_time 0x10, this_period_total_kernel_time 0x18, total_page_fault_count 0x20,
        total_processes 0x24, active_processes 0x28, total_terminated_processes 0x2C }
    job::JobObjectBasicAndIoAccountingInformation [0x60] { basic_info 0x0, io_info 0x30 }
    job::JobObjectBasicProcessIdList { number_of_assigned_processes 0x0, number_of_process_ids_in_list 0x4 }
    job::JobObjectBasicUiRestrictions [0x4] { ui_restrictions_class 0x0 }
    job::JobObjectEndOfJobTimeInformation [0x4] { end_of_job_time_action 0x0 }
    w64::MemoryBasicInformation [0x30] { base_address 0x0, allocation_base 0x8, allocation_protect 0x10, region_size 0x18,
        state 0x20, protect 0x24, kind 0x28 }
    w32::MemoryBasicInformation [0x1C] { base_address 0x0, allocation_base 0x4, allocation_protect 0x8, region_size 0xC,
        state 0x10, protect 0x14, kind 0x18 }
    w64::MemoryRegionInformation [0x30] { allocation_base 0x0, allocation_protect 0x8, region_type 0xC, region_size 0x10,
        commit_size 0x18, partition_id 0x20, node_preference 0x28 }
    w32::MemoryRegionInformation [0x1C] { allocation_base 0x0, allocation_protect 0x4, region_type 0x8, region_size 0xC,
        commit_size 0x10, partition_id 0x14, node_preference 0x18 }
    w64::MemoryWorkingSetExInformation [0x10] { virtual_address 0x0, virtual_attributes 0x8 }
    w32::MemoryWorkingSetExInformation [0x8] { virtual_address 0x0, virtual_attributes 0x4 }
    w64::MemoryRangeEntry [0x10] { virtual_address 0x0, number_of_bytes 0x8 }
    w32::MemoryRangeEntry [0x8] { virtual_address 0x0, number_of_bytes 0x4 }
    w64::SectionBasicInformation [0x18] { base_address 0x0 }
    w32::SectionBasicInformation [0x10] { base_address 0x0 }
    w64::SectionImageInformation [0x40] { transfer_address 0x0, zero_bits 0x8, maximum_stack_size 0x10,
        committed_stack_size 0x18, sub_system_type 0x20, major_operating_system_version 0x28,
        minor_operating_system_version 0x2A, image_characteristics 0x2C, dll_characteristics 0x2E, machine 0x30,
        image_contains_code 0x32, image_flags 0x33, loader_flags 0x34, image_file_size 0x38, check_sum 0x3C }
    w32::SectionImageInformation [0x30] { transfer_address 0x0, zero_bits 0x4, maximum_stack_size 0x8,
        committed_stack_size 0xC, sub_system_type 0x10, major_operating_system_version 0x18,
        minor_operating_system_version 0x1A, image_characteristics 0x1C, dll_characteristics 0x1E, machine 0x20,
        image_contains_code 0x22, image_flags 0x23, loader_flags 0x24, image_file_size 0x28, check_sum 0x2C }
    w64::MemAddressRequirements [0x18] { lowest_starting_address 0x0, highest_ending_address 0x8, alignment 0x10 }
    w32::MemAddressRequirements [0xC] { lowest_starting_address 0x0, highest_ending_address 0x4, alignment 0x8 }
    memory::MemExtendedParameter [0x10] { }
    w64::ObjectNameInformation [0x10] { name 0x0 }
    w32::ObjectNameInformation [0x8] { name 0x0 }
    w64::FileIoCompletionInformation [0x20] { io_status_block 0x10 }
    w32::FileIoCompletionInformation [0x10] { io_status_block 0x8 }
    object_information::ObjectBasicInformation [0x38] { attributes 0x0, granted_access 0x4, handle_count 0x8,
        pointer_count 0xC }
    object_information::ObjectTypesInformation [0x4] { number_of_types 0x0 }
    object_information::EventBasicInformation [0x8] { event_type 0x0, event_state 0x4 }
    object_information::MutantBasicInformation [0x8] { current_count 0x0, owned_by_caller 0x4, abandoned_state 0x5 }
    object_information::SemaphoreBasicInformation [0x8] { current_count 0x0, maximum_count 0x4 }
    object_information::TimerBasicInformation [0x10] { remaining_time 0x0, timer_state 0x8 }
    w64::Peb [0x7C8] { inherited_address_space 0x0, read_image_file_exec_options 0x1, being_debugged 0x2, mutant 0x8,
        image_base_address 0x10, process_parameters 0x20, sub_system_data 0x28, process_heap 0x30, fast_peb_lock 0x38,
        kernel_callback_table 0x58, atl_thunk_s_list_ptr32 0x64, api_set_map 0x68, tls_expansion_counter 0x70,
        tls_bitmap 0x78, tls_bitmap_bits 0x80, read_only_shared_memory_base 0x88, read_only_static_server_data 0x98,
        ansi_code_page_data 0xA0, oem_code_page_data 0xA8, unicode_case_table_data 0xB0, number_of_processors 0xB8,
        nt_global_flag 0xBC, critical_section_timeout 0xC0, heap_segment_reserve 0xC8, heap_segment_commit 0xD0,
        heap_de_commit_total_free_threshold 0xD8, heap_de_commit_free_block_threshold 0xE0, number_of_heaps 0xE8,
        maximum_number_of_heaps 0xEC, process_heaps 0xF0, gdi_shared_handle_table 0xF8, process_starter_helper 0x100,
        gdi_dc_attribute_list 0x108, loader_lock 0x110, os_major_version 0x118, os_minor_version 0x11C,
        os_build_number 0x120, os_platform_id 0x124, image_subsystem 0x128, image_subsystem_major_version 0x12C,
        image_subsystem_minor_version 0x130, post_process_init_routine 0x230, tls_expansion_bitmap 0x238,
        tls_expansion_bitmap_bits 0x240, session_id 0x2C0, app_compat_flags 0x2C8, app_compat_flags_user 0x2D0,
        shim_data 0x2D8, app_compat_info 0x2E0, csd_version 0x2E8, activation_context_data 0x2F8,
        process_assembly_storage_map 0x300, system_assembly_storage_map 0x310, minimum_stack_commit 0x318,
        wer_registration_data 0x358, wer_ship_assert_ptr 0x360, image_header_hash 0x370, tracing_flags 0x378,
        csr_server_read_only_shared_memory_base 0x380, tpp_workerp_list_lock 0x388, tpp_workerp_list 0x390,
        wait_on_address_hash_table 0x3A0, telemetry_coverage_header 0x7A0, cloud_file_flags 0x7A8,
        cloud_file_diag_flags 0x7AC, placeholder_compatibility_mode 0x7B0, placeholder_compatibility_mode_reserved 0x7B1,
        leap_second_data 0x7B8, leap_second_flags 0x7C0, nt_global_flag2 0x7C4 }
    w32::Peb [0x480] { inherited_address_space 0x0, read_image_file_exec_options 0x1, being_debugged 0x2, mutant 0x4,
        image_base_address 0x8, process_parameters 0x10, sub_system_data 0x14, process_heap 0x18, fast_peb_lock 0x1C,
        kernel_callback_table 0x2C, atl_thunk_s_list_ptr32 0x34, api_set_map 0x38, tls_expansion_counter 0x3C,
        tls_bitmap 0x40, tls_bitmap_bits 0x44, read_only_shared_memory_base 0x4C, read_only_static_server_data 0x54,
        ansi_code_page_data 0x58, oem_code_page_data 0x5C, unicode_case_table_data 0x60, number_of_processors 0x64,
        nt_global_flag 0x68, critical_section_timeout 0x70, heap_segment_reserve 0x78, heap_segment_commit 0x7C,
        heap_de_commit_total_free_threshold 0x80, heap_de_commit_free_block_threshold 0x84, number_of_heaps 0x88,
        maximum_number_of_heaps 0x8C, process_heaps 0x90, gdi_shared_handle_table 0x94, process_starter_helper 0x98,
        gdi_dc_attribute_list 0x9C, loader_lock 0xA0, os_major_version 0xA4, os_minor_version 0xA8, os_build_number 0xAC,
        os_platform_id 0xB0, image_subsystem 0xB4, image_subsystem_major_version 0xB8, image_subsystem_minor_version 0xBC,
        post_process_init_routine 0x14C, tls_expansion_bitmap 0x150, tls_expansion_bitmap_bits 0x154, session_id 0x1D4,
        app_compat_flags 0x1D8, app_compat_flags_user 0x1E0, shim_data 0x1E8, app_compat_info 0x1EC, csd_version 0x1F0,
        activation_context_data 0x1F8, process_assembly_storage_map 0x1FC, system_assembly_storage_map 0x204,
        minimum_stack_commit 0x208, wer_registration_data 0x230, wer_ship_assert_ptr 0x234, image_header_hash 0x23C,
        tracing_flags 0x240, csr_server_read_only_shared_memory_base 0x248, tpp_workerp_list_lock 0x250,
        tpp_workerp_list 0x254, wait_on_address_hash_table 0x25C, telemetry_coverage_header 0x45C, cloud_file_flags 0x460,
        cloud_file_diag_flags 0x464, placeholder_compatibility_mode 0x468, placeholder_compatibility_mode_reserved 0x469,
        leap_second_data 0x470, leap_second_flags 0x474, nt_global_flag2 0x478 }
    w64::PebLdrData [0x58] { length 0x0, initialized 0x4, ss_handle 0x8, in_load_order_module_list 0x10,
        in_memory_order_module_list 0x20, in_initialization_order_module_list 0x30, entry_in_progress 0x40,
        shutdown_in_progress 0x48, shutdown_thread_id 0x50 }
    w32::PebLdrData [0x30] { length 0x0, initialized 0x4, ss_handle 0x8, in_load_order_module_list 0xC,
        in_memory_order_module_list 0x14, in_initialization_order_module_list 0x1C, entry_in_progress 0x24,
        shutdown_in_progress 0x28, shutdown_thread_id 0x2C }
    w64::RtlBalancedNode [0x18] { children 0x0, parent_value 0x10 }
    w32::RtlBalancedNode [0xC] { children 0x0, parent_value 0x8 }
    w64::LdrDataTableEntry { in_load_order_links 0x0, in_memory_order_links 0x10, in_initialization_order_links 0x20,
        dll_base 0x30, entry_point 0x38, size_of_image 0x40, full_dll_name 0x48, base_dll_name 0x58, flags 0x68,
        tls_index 0x6E, hash_links 0x70, time_date_stamp 0x80, lock 0x90, ddag_node 0x98, node_module_link 0xA0,
        load_context 0xB0, parent_dll_base 0xB8, switch_back_context 0xC0, base_address_index_node 0xC8,
        mapping_info_index_node 0xE0, original_base 0xF8, load_time 0x100, base_name_hash_value 0x108, load_reason 0x10C,
        implicit_path_options 0x110, reference_count 0x114 }
    w32::LdrDataTableEntry { in_load_order_links 0x0, in_memory_order_links 0x8, in_initialization_order_links 0x10,
        dll_base 0x18, entry_point 0x1C, size_of_image 0x20, full_dll_name 0x24, base_dll_name 0x2C, flags 0x34,
        tls_index 0x3A, hash_links 0x3C, time_date_stamp 0x44, lock 0x4C, ddag_node 0x50, node_module_link 0x54,
        load_context 0x5C, parent_dll_base 0x60, switch_back_context 0x64, base_address_index_node 0x68,
        mapping_info_index_node 0x74, original_base 0x80, load_time 0x88, base_name_hash_value 0x90, load_reason 0x94,
        implicit_path_options 0x98, reference_count 0x9C }
    w64::UnicodeString [0x10] { length 0x0, maximum_length 0x2, buffer 0x8 }
    w32::UnicodeString [0x8] { length 0x0, maximum_length 0x2, buffer 0x4 }
    w64::ObjectAttributes [0x30] { length 0x0, root_directory 0x8, object_name 0x10, attributes 0x18,
        security_descriptor 0x20, security_quality_of_service 0x28 }
    w32::ObjectAttributes [0x18] { length 0x0, root_directory 0x4, object_name 0x8, attributes 0xC,
        security_descriptor 0x10, security_quality_of_service 0x14 }
    w64::ClientId [0x10] { unique_process 0x0, unique_thread 0x8 }
    w32::ClientId [0x8] { unique_process 0x0, unique_thread 0x4 }
    w64::IoStatusBlock [0x10] { status 0x0, information 0x8 }
    w32::IoStatusBlock [0x8] { status 0x0, information 0x4 }
    w64::ListEntry [0x10] { flink 0x0, blink 0x8 }
    w32::ListEntry [0x8] { flink 0x0, blink 0x4 }
    w64::GroupAffinity [0x10] { mask 0x0, group 0x8 }
    w32::GroupAffinity [0xC] { mask 0x0, group 0x4 }
    primitives::Luid [0x8] { low_part 0x0, high_part 0x4 }
    primitives::Guid [0x10] { data1 0x0, data2 0x4, data3 0x6, data4 0x8 }
    primitives::ProcessorNumber [0x4] { group 0x0, number 0x2 }
    w64::PsAttribute [0x20] { attribute 0x0, size 0x8, value 0x10, return_length 0x18 }
    w32::PsAttribute [0x10] { attribute 0x0, size 0x4, value 0x8, return_length 0xC }
    w64::PsAttributeList { total_length 0x0 }
    w32::PsAttributeList { total_length 0x0 }
    w64::PsCreateInfo [0x58] { size 0x0, state 0x8 }
    w32::PsCreateInfo [0x48] { size 0x0, state 0x4 }
    w64::InitialTeb [0x28] { old_stack_base 0x0, old_stack_limit 0x8, stack_base 0x10, stack_limit 0x18 }
    w32::InitialTeb [0x14] { old_stack_base 0x0, old_stack_limit 0x4, stack_base 0x8, stack_limit 0xC }
    w64::ProcessBasicInformation [0x30] { peb_base_address 0x8, unique_process_id 0x20 }
    w32::ProcessBasicInformation [0x18] { peb_base_address 0x4, unique_process_id 0x10 }
    w64::ProcessInstrumentationCallbackInformation [0x10] { version 0x0, callback 0x8 }
    w32::ProcessInstrumentationCallbackInformation [0xC] { version 0x0, callback 0x8 }
    w64::ProcessStackAllocationInformation [0x18] { reserve_size 0x0, zero_bits 0x8, stack_base 0x10 }
    w32::ProcessStackAllocationInformation [0xC] { reserve_size 0x0, zero_bits 0x4, stack_base 0x8 }
    process_information::ProcessPriorityClass [0x2] { foreground 0x0, priority_class 0x1 }
    w64::Curdir [0x18] { dos_path 0x0, handle 0x10 }
    w32::Curdir [0xC] { dos_path 0x0, handle 0x8 }
    w64::RtlDriveLetterCurdir [0x18] { flags 0x0, length 0x2, time_stamp 0x4, dos_path 0x8 }
    w32::RtlDriveLetterCurdir [0x10] { flags 0x0, length 0x2, time_stamp 0x4, dos_path 0x8 }
    w64::RtlUserProcessParameters { flags 0x8, debug_flags 0xC, console_handle 0x10, console_flags 0x18,
        current_directory 0x38, dll_path 0x50, image_path_name 0x60, command_line 0x70, environment 0x80, window_title 0xB0,
        shell_info 0xD0, environment_size 0x3F0, environment_version 0x3F8, package_dependency_data 0x400,
        process_group_id 0x408, loader_threads 0x40C }
    w32::RtlUserProcessParameters { flags 0x8, debug_flags 0xC, console_handle 0x10, console_flags 0x14,
        current_directory 0x24, dll_path 0x30, image_path_name 0x38, command_line 0x40, environment 0x48, window_title 0x70,
        shell_info 0x80, environment_size 0x290, environment_version 0x294, package_dependency_data 0x298,
        process_group_id 0x29C, loader_threads 0x2A0 }
    w64::SystemThreadInformation [0x50] { kernel_time 0x0, user_time 0x8, create_time 0x10, start_address 0x20,
        client_id 0x28 }
    w32::SystemThreadInformation [0x40] { kernel_time 0x0, user_time 0x8, create_time 0x10, start_address 0x1C,
        client_id 0x20 }
    w64::SystemExtendedThreadInformation [0x88] { thread_info 0x0, stack_base 0x50, stack_limit 0x58,
        win32_start_address 0x60, teb_base 0x68 }
    w32::SystemExtendedThreadInformation [0x60] { thread_info 0x0, stack_base 0x40, stack_limit 0x44,
        win32_start_address 0x48, teb_base 0x4C }
    w64::SystemProcessInformation { next_entry_offset 0x0, unique_process_id 0x50, handle_count 0x60,
        peak_pagefile_usage 0xC0, private_page_count 0xC8 }
    w32::SystemProcessInformation { next_entry_offset 0x0, unique_process_id 0x44, handle_count 0x4C,
        peak_pagefile_usage 0x80, private_page_count 0x84 }
    w64::RtlProcessModuleInformation [0x128] { section 0x0, image_size 0x18, flags 0x1C, load_order_index 0x20,
        init_order_index 0x22, load_count 0x24 }
    w32::RtlProcessModuleInformation [0x11C] { section 0x0, image_size 0xC, flags 0x10, load_order_index 0x14,
        init_order_index 0x16, load_count 0x18 }
    w64::RtlProcessModules { }
    w32::RtlProcessModules { }
    w64::RtlProcessModuleInformationEx [0x140] { next_offset 0x0, base_info 0x8, image_checksum 0x130,
        time_date_stamp 0x134, default_base 0x138 }
    w32::RtlProcessModuleInformationEx [0x12C] { next_offset 0x0, base_info 0x4, image_checksum 0x120,
        time_date_stamp 0x124, default_base 0x128 }
    w64::SystemHandleInformation { }
    w32::SystemHandleInformation { }
    w64::SystemHandleTableEntryInfoEx [0x28] { object 0x0, unique_process_id 0x8, handle_value 0x10, granted_access 0x18,
        creator_back_trace_index 0x1C, object_type_index 0x1E, handle_attributes 0x20 }
    w32::SystemHandleTableEntryInfoEx [0x1C] { object 0x0, unique_process_id 0x4, handle_value 0x8, granted_access 0xC,
        creator_back_trace_index 0x10, object_type_index 0x12, handle_attributes 0x14 }
    w64::SystemHandleInformationEx { number_of_handles 0x0 }
    w32::SystemHandleInformationEx { number_of_handles 0x0 }
    w64::SystemRegistryQuotaInformation [0x10] { registry_quota_allowed 0x0, registry_quota_used 0x4 }
    w32::SystemRegistryQuotaInformation [0xC] { registry_quota_allowed 0x0, registry_quota_used 0x4 }
    system_information::activity::SystemPerformanceInformation { available_pages 0x2C, peak_commitment 0x38,
        paged_pool_allocs 0x78, paged_pool_frees 0x7C, non_paged_pool_allocs 0x80, non_paged_pool_frees 0x84,
        total_system_driver_pages 0x90, total_system_code_pages 0x94, context_switches 0x128, first_level_tb_fills 0x12C,
        second_level_tb_fills 0x130, system_calls 0x134 }
    system_information::activity::SystemProcessorPerformanceInformation [0x30] { idle_time 0x0, kernel_time 0x8,
        user_time 0x10 }
    system_information::activity::SystemInterruptInformation [0x18] { context_switches 0x0, dpc_count 0x4, dpc_rate 0x8,
        time_increment 0xC, dpc_bypass_count 0x10, apc_bypass_count 0x14 }
    system_information::activity::SystemExceptionInformation [0x10] { }
    system_information::activity::SystemLookasideInformation [0x20] { }
    w64::SystemBasicInformation [0x40] { number_of_processors 0x38 }
    w32::SystemBasicInformation [0x2C] { number_of_processors 0x28 }
    w64::ProcessorRelationship { flags 0x0, efficiency_class 0x1, group_count 0x16 }
    w32::ProcessorRelationship { flags 0x0, efficiency_class 0x1, group_count 0x16 }
    w64::NumaNodeRelationship { node_number 0x0, group_mask 0x18 }
    w32::NumaNodeRelationship { node_number 0x0, group_mask 0x18 }
    w64::ProcessorGroupInfo [0x30] { maximum_processor_count 0x0, active_processor_count 0x1, active_processor_mask 0x28 }
    w32::ProcessorGroupInfo [0x2C] { maximum_processor_count 0x0, active_processor_count 0x1, active_processor_mask 0x28 }
    w64::GroupRelationship { maximum_group_count 0x0, active_group_count 0x2 }
    w32::GroupRelationship { maximum_group_count 0x0, active_group_count 0x2 }
    w64::CacheRelationship [0x30] { level 0x0, associativity 0x1, line_size 0x2, cache_size 0x4, kind 0x8, group_mask 0x20 }
    w32::CacheRelationship [0x2C] { level 0x0, associativity 0x1, line_size 0x2, cache_size 0x4, kind 0x8, group_mask 0x20 }
    w64::SystemLogicalProcessorInformation [0x20] { processor_mask 0x0, relationship 0x8 }
    w32::SystemLogicalProcessorInformation [0x18] { processor_mask 0x0, relationship 0x4 }
    system_information::machine::SystemTimeOfDayInformation [0x30] { }
    system_information::machine::SystemKernelDebuggerInformation [0x2] { }
    system_information::machine::SystemKernelDebuggerInformationEx [0x3] { debugger_allowed 0x0, debugger_enabled 0x1,
        debugger_present 0x2 }
    system_information::machine::RtlTimeZoneInformation [0xAC] { bias 0x0, standard_name 0x4, standard_bias 0x54,
        daylight_name 0x58, daylight_bias 0xA8 }
    system_information::machine::SystemFirmwareTableInformation { provider_signature 0x0, action 0x4, table_id 0x8,
        table_buffer_length 0xC }
    system_information::machine::SystemCodeIntegrityInformation [0x8] { length 0x0, code_integrity_options 0x4 }
    system_information::machine::TimeFields [0x10] { year 0x0, month 0x2, day 0x4, hour 0x6, minute 0x8, second 0xA,
        milliseconds 0xC, weekday 0xE }
    system_information::machine::SystemLogicalProcessorInformationEx { relationship 0x0, size 0x4 }
    system_information::machine::SystemCpuSetInformation [0x20] { size 0x0, kind 0x4 }
    w64::NtTib [0x38] { exception_list 0x0, stack_base 0x8, stack_limit 0x10, sub_system_tib 0x18, fiber_data 0x20,
        arbitrary_user_pointer 0x28, this 0x30 }
    w32::NtTib [0x1C] { exception_list 0x0, stack_base 0x4, stack_limit 0x8, sub_system_tib 0xC, fiber_data 0x10,
        arbitrary_user_pointer 0x14, this 0x18 }
    w64::ActivationContextStack [0x28] { active_frame 0x0, frame_list_cache 0x8, flags 0x18,
        next_cookie_sequence_number 0x1C, stack_id 0x20 }
    w32::ActivationContextStack [0x18] { active_frame 0x0, frame_list_cache 0x4, flags 0xC,
        next_cookie_sequence_number 0x10, stack_id 0x14 }
    w64::GdiTebBatch [0x4E8] { offset 0x0, hdc 0x8, buffer 0x10 }
    w32::GdiTebBatch [0x4E0] { offset 0x0, hdc 0x4, buffer 0x8 }
    w64::Teb [0x1838] { environment_pointer 0x38, client_id 0x40, active_rpc_handle 0x50, thread_local_storage_pointer 0x58,
        last_error_value 0x68, count_of_owned_critical_sections 0x6C, csr_client_thread 0x70, win32_thread_info 0x78,
        user32_reserved 0x80, user_reserved 0xE8, wow32_reserved 0x100, current_locale 0x108,
        fp_software_status_register 0x10C, system_reserved1 0x190, placeholder_compatibility_mode 0x280,
        proxied_process_id 0x28C, exception_code 0x2C0, activation_context_stack_pointer 0x2C8,
        instrumentation_callback_sp 0x2D0, instrumentation_callback_previous_pc 0x2D8,
        instrumentation_callback_previous_sp 0x2E0, instrumentation_callback_disabled 0x2EC, gdi_teb_batch 0x2F0,
        real_client_id 0x7D8, gdi_cached_process_handle 0x7E8, gdi_client_pid 0x7F0, gdi_client_tid 0x7F4,
        win32_client_info 0x800, gl_dispatch_table 0x9F0, gl_reserved1 0x1138, gl_reserved2 0x1220, gl_section_info 0x1228,
        gl_section 0x1230, gl_table 0x1238, gl_current_rc 0x1240, gl_context 0x1248, last_status_value 0x1250,
        static_unicode_string 0x1258, static_unicode_buffer 0x1268, deallocation_stack 0x1478, tls_slots 0x1480,
        tls_links 0x1680, vdm 0x1690, dbg_ss_reserved 0x16A0, instrumentation 0x16B8, win_sock_data 0x1738,
        gdi_batch_count 0x1740, guaranteed_stack_bytes 0x1748, waiting_on_loader_lock 0x1760, tls_expansion_slots 0x1780,
        deallocation_b_store 0x1788, b_store_limit 0x1790, is_impersonating 0x179C, nls_cache 0x17A0, shim_data 0x17A8,
        current_transaction_handle 0x17B8, active_frame 0x17C0, preferred_languages 0x17D0, user_pref_languages 0x17D8,
        merged_pref_languages 0x17E0, mui_impersonation 0x17E8, cross_teb_flags 0x17EC, same_teb_flags 0x17EE,
        txn_scope_enter_callback 0x17F0, txn_scope_exit_callback 0x17F8, txn_scope_context 0x1800, lock_count 0x1808,
        wow_teb_offset 0x180C, resource_ret_value 0x1810, effective_container_id 0x1828 }
    w32::Teb [0x1000] { environment_pointer 0x1C, client_id 0x20, active_rpc_handle 0x28, thread_local_storage_pointer 0x2C,
        last_error_value 0x34, count_of_owned_critical_sections 0x38, csr_client_thread 0x3C, win32_thread_info 0x40,
        user32_reserved 0x44, user_reserved 0xAC, wow32_reserved 0xC0, current_locale 0xC4,
        fp_software_status_register 0xC8, system_reserved1 0x10C, placeholder_compatibility_mode 0x174,
        proxied_process_id 0x180, exception_code 0x1A4, activation_context_stack_pointer 0x1A8,
        instrumentation_callback_sp 0x1AC, instrumentation_callback_previous_pc 0x1B0,
        instrumentation_callback_previous_sp 0x1B4, instrumentation_callback_disabled 0x1B8, gdi_teb_batch 0x1D4,
        real_client_id 0x6B4, gdi_cached_process_handle 0x6BC, gdi_client_pid 0x6C0, gdi_client_tid 0x6C4,
        win32_client_info 0x6CC, gl_dispatch_table 0x7C4, gl_reserved1 0xB68, gl_reserved2 0xBDC, gl_section_info 0xBE0,
        gl_section 0xBE4, gl_table 0xBE8, gl_current_rc 0xBEC, gl_context 0xBF0, last_status_value 0xBF4,
        static_unicode_string 0xBF8, static_unicode_buffer 0xC00, deallocation_stack 0xE0C, tls_slots 0xE10,
        tls_links 0xF10, vdm 0xF18, dbg_ss_reserved 0xF20, instrumentation 0xF2C, win_sock_data 0xF6C,
        gdi_batch_count 0xF70, guaranteed_stack_bytes 0xF78, waiting_on_loader_lock 0xF84, tls_expansion_slots 0xF94,
        is_impersonating 0xF9C, nls_cache 0xFA0, shim_data 0xFA4, current_transaction_handle 0xFAC, active_frame 0xFB0,
        preferred_languages 0xFB8, user_pref_languages 0xFBC, merged_pref_languages 0xFC0, mui_impersonation 0xFC4,
        cross_teb_flags 0xFC8, same_teb_flags 0xFCA, txn_scope_enter_callback 0xFCC, txn_scope_exit_callback 0xFD0,
        txn_scope_context 0xFD4, lock_count 0xFD8, wow_teb_offset 0xFDC, resource_ret_value 0xFE0,
        effective_container_id 0xFF0 }
    w64::ThreadBasicInformation [0x30] { exit_status 0x0, teb_base_address 0x8, client_id 0x10, affinity_mask 0x20,
        priority 0x28, base_priority 0x2C }
    w32::ThreadBasicInformation [0x1C] { exit_status 0x0, teb_base_address 0x4, client_id 0x8, affinity_mask 0x10,
        priority 0x14, base_priority 0x18 }
    w64::ThreadNameInformation [0x10] { thread_name 0x0 }
    w32::ThreadNameInformation [0x8] { thread_name 0x0 }
    user_shared_data::KsystemTime [0xC] { low_part 0x0, high1_time 0x4, high2_time 0x8 }
    user_shared_data::XstateFeature [0x8] { offset 0x0, size 0x4 }
    user_shared_data::XstateConfiguration [0x338] { enabled_features 0x0, enabled_volatile_features 0x8, size 0x10,
        features 0x18, enabled_supervisor_features 0x218, aligned_features 0x220, all_feature_size 0x228,
        all_features 0x22C, enabled_user_visible_supervisor_features 0x330 }
    user_shared_data::KuserSharedData { tick_count_low_deprecated 0x0, tick_count_multiplier 0x4, interrupt_time 0x8,
        system_time 0x14, time_zone_bias 0x20, image_number_low 0x2C, image_number_high 0x2E, nt_system_root 0x30,
        max_stack_trace_depth 0x238, crypto_exponent 0x23C, time_zone_id 0x240, large_page_minimum 0x244,
        ait_sampling_value 0x248, app_compat_flag 0x24C, rng_seed_version 0x250, global_validation_run_level 0x258,
        time_zone_bias_stamp 0x25C, nt_build_number 0x260, nt_product_type 0x264, product_type_is_valid 0x268,
        native_processor_architecture 0x26A, nt_major_version 0x26C, nt_minor_version 0x270, processor_features 0x274,
        time_slip 0x2BC, alternative_architecture 0x2C0, boot_id 0x2C4, system_expiration_date 0x2C8, suite_mask 0x2D0,
        kd_debugger_enabled 0x2D4, cycles_per_yield 0x2D6, active_console_id 0x2D8, dismount_count 0x2DC,
        com_plus_package 0x2E0, last_system_rit_event_tick_count 0x2E4, number_of_physical_pages 0x2E8,
        safe_boot_mode 0x2EC, virtualization_flags 0x2ED, shared_data_flags 0x2F0, data_flags_pad 0x2F4,
        test_ret_instruction 0x2F8, qpc_frequency 0x300, system_call 0x308, user_cet_available_environments 0x30C,
        system_call_pad 0x310, tick_count 0x320, cookie 0x330, cookie_pad 0x334,
        console_session_foreground_process_id 0x338, time_update_lock 0x340, baseline_system_time_qpc 0x348,
        baseline_interrupt_time_qpc 0x350, qpc_system_time_increment 0x358, qpc_interrupt_time_increment 0x360,
        qpc_system_time_increment_shift 0x368, qpc_interrupt_time_increment_shift 0x369, unparked_processor_count 0x36A,
        enclave_feature_mask 0x36C, telemetry_coverage_round 0x37C, user_mode_global_logger 0x380,
        image_file_execution_options 0x3A0, lang_generation_count 0x3A4, interrupt_time_bias 0x3B0, qpc_bias 0x3B8,
        active_processor_count 0x3C0, active_group_count 0x3C4, qpc_data 0x3C6, time_zone_bias_effective_start 0x3C8,
        time_zone_bias_effective_end 0x3D0, x_state 0x3D8 }
}
