//! Rows of the table: services of memory and sections.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __mm_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__ob_services! {
            $callback $($before)*
            mm {
                /// Allocates pages of memory without addresses.
                planned NtAllocateUserPhysicalPages = nt_allocate_user_physical_pages(
                    process: Handle, page_count: InOut<Size>, frame_numbers: OutArray<Size, Before>,
                );

                /// Allocates pages of memory without addresses, with further parameters.
                planned NtAllocateUserPhysicalPagesEx = nt_allocate_user_physical_pages_ex(
                    process: Handle, page_count: InOut<Size>, frame_numbers: OutArray<Size, Before>,
                    extended_parameters: OptionalInOutArray<MemoryExtendedParameter>, parameter_count: u32,
                );

                /// Reserves, commits or resets pages of a process.
                /// No large pages and no physical pages (STATUS_NOT_SUPPORTED).
                done NtAllocateVirtualMemory = nt_allocate_virtual_memory(
                    process: Handle, base: InOut<UserAddress>, zero_bits: Size, size: InOut<Size>,
                    allocation_type: u32, protection: u32,
                );

                /// Reserves, commits or resets pages, with further parameters.
                /// As NtAllocateVirtualMemory; no partitions, no attributes that would need more than ordinary pages.
                done NtAllocateVirtualMemoryEx = nt_allocate_virtual_memory_ex(
                    process: Handle, base: InOut<UserAddress>, size: InOut<Size>, allocation_type: u32,
                    protection: u32, extended_parameters: OptionalInOutArray<MemoryExtendedParameter>,
                    parameter_count: u32,
                );

                /// Says whether two views show the same file.
                /// Views of images of the kernel only: there are no files.
                done NtAreMappedFilesTheSame = nt_are_mapped_files_the_same(
                    image_view: UserAddress, data_view: UserAddress,
                );

                /// Creates a paging file.
                planned NtCreatePagingFile = nt_create_paging_file(
                    page_file_name: In<UnicodeString>, minimum_size: In<i64>, maximum_size: In<i64>,
                    priority: u32,
                );

                /// Creates memory that can be mapped: from a file, an image or the paging file.
                /// No files: sections of the paging file, and of programs in the RAM disk, which the kernel makes
                /// itself.
                done NtCreateSection = nt_create_section(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    maximum_size: OptionalIn<i64>, protection: u32, allocation_attributes: u32, file: Handle,
                );

                /// Creates a section, with further parameters.
                /// As NtCreateSection; no extended parameter.
                done NtCreateSectionEx = nt_create_section_ex(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    maximum_size: OptionalIn<i64>, protection: u32, allocation_attributes: u32, file: Handle,
                    extended_parameters: OptionalInOutArray<MemoryExtendedParameter>, parameter_count: u32,
                );

                /// Makes a section longer.
                done NtExtendSection = nt_extend_section(section: Handle, new_section_size: InOut<i64>);

                /// Makes code that was written visible to instruction fetch.
                done NtFlushInstructionCache = nt_flush_instruction_cache(
                    process: Handle, base: UserAddress, size: Size,
                );

                /// Writes changed pages of a view to their file.
                /// Nothing is written: there are no files.
                done NtFlushVirtualMemory = nt_flush_virtual_memory(
                    process: Handle, base: InOut<UserAddress>, size: InOut<Size>,
                    io_status: Out<IoStatusBlock>,
                );

                /// Waits until the processor's writes are done.
                done NtFlushWriteBuffer = nt_flush_write_buffer();

                /// Frees pages of memory without addresses.
                planned NtFreeUserPhysicalPages = nt_free_user_physical_pages(
                    process: Handle, page_count: InOut<Size>, frame_numbers: InArray<Size, Before>,
                );

                /// Decommits or releases pages of a process.
                done NtFreeVirtualMemory = nt_free_virtual_memory(
                    process: Handle, base: InOut<UserAddress>, size: InOut<Size>, free_type: u32,
                );

                /// Lists the pages of a region that were written.
                /// 65,536 addresses at most in one call.
                done NtGetWriteWatch = nt_get_write_watch(
                    process: Handle, flags: u32, base: UserAddress, size: Size,
                    addresses: OutArray<UserAddress>, address_count: InOut<Size>, granularity: Out<u32>,
                );

                /// Keeps pages in memory.
                /// Locks in the working set only (MAP_PROCESS).
                done NtLockVirtualMemory = nt_lock_virtual_memory(
                    process: Handle, base: InOut<UserAddress>, size: InOut<Size>, map_type: u32,
                );

                /// Gives pages of memory addresses one after another.
                planned NtMapUserPhysicalPages = nt_map_user_physical_pages(
                    virtual_address: UserAddress, page_count: Size,
                    frame_numbers: OptionalInArray<Size, Before>,
                );

                /// Gives pages of memory addresses anywhere.
                planned NtMapUserPhysicalPagesScatter = nt_map_user_physical_pages_scatter(
                    addresses: InArray<UserAddress>, page_count: Size,
                    frame_numbers: OptionalInArray<Size, Before>,
                );

                /// Maps part of a section into a process.
                /// No large pages.
                done NtMapViewOfSection = nt_map_view_of_section(
                    section: Handle, process: Handle, base: InOut<UserAddress>, zero_bits: Size,
                    commit_size: Size, section_offset: OptionalInOut<i64>, view_size: InOut<Size>,
                    inherit_disposition: SectionInherit, allocation_type: u32, protection: u32,
                );

                /// Maps part of a section, with further parameters.
                /// No large pages; no partitions.
                done NtMapViewOfSectionEx = nt_map_view_of_section_ex(
                    section: Handle, process: Handle, base: InOut<UserAddress>,
                    section_offset: OptionalInOut<i64>, view_size: InOut<Size>, allocation_type: u32,
                    protection: u32, extended_parameters: OptionalInOutArray<MemoryExtendedParameter>,
                    parameter_count: u32,
                );

                /// Opens a section by name.
                done NtOpenSection = nt_open_section(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Changes what may be done with pages of a process.
                done NtProtectVirtualMemory = nt_protect_virtual_memory(
                    process: Handle, base: InOut<UserAddress>, size: InOut<Size>, protection: u32,
                    old_protection: Out<u32>,
                );

                /// Reads size and attributes of a section, or of the image in it.
                /// Classes 0, 1 and 3; not 2 (relocation) and 4 (internal image).
                done NtQuerySection = nt_query_section(
                    section: Handle, class: SectionInformationClass, information: OutBytes, length: Size,
                    return_length: OptionalOut<Size>,
                );

                /// Reads what an address of a process belongs to.
                /// Classes 0, 1, 3, 4, 6 and 7; 2 (mapped file name) always fails, since no view has a file with a
                /// name. Not shared commitment, enclaves, contiguity, bad memory.
                done NtQueryVirtualMemory = nt_query_virtual_memory(
                    process: Handle, base: UserAddress, class: MemoryInformationClass, information: OutBytes,
                    length: Size, return_length: OptionalOut<Size>,
                );

                /// Copies memory out of another process.
                done NtReadVirtualMemory = nt_read_virtual_memory(
                    process: Handle, base: UserAddress, buffer: OutBytes, size: Size,
                    bytes_read: OptionalOut<Size>,
                );

                /// Copies memory out of another process, with flags.
                done NtReadVirtualMemoryEx = nt_read_virtual_memory_ex(
                    process: Handle, base: UserAddress, buffer: OutBytes, size: Size,
                    bytes_read: OptionalOut<Size>, flags: u32,
                );

                /// Forgets which pages of a region were written.
                done NtResetWriteWatch = nt_reset_write_watch(
                    process: Handle, base: UserAddress, size: Size,
                );

                /// Changes a property of ranges of memory, or advises about them.
                /// Class 0 (prefetch), up to 4,096 ranges; not page priority, call targets, dirty state.
                done NtSetInformationVirtualMemory = nt_set_information_virtual_memory(
                    process: Handle, class: VirtualMemoryInformationClass, count: Size,
                    addresses: InArray<MemoryRangeEntry, Before>, information: InBytes, length: u32,
                );

                /// Lets pages leave memory.
                /// Of the working set only (MAP_PROCESS).
                done NtUnlockVirtualMemory = nt_unlock_virtual_memory(
                    process: Handle, base: InOut<UserAddress>, size: InOut<Size>, map_type: u32,
                );

                /// Removes a view from a process.
                done NtUnmapViewOfSection = nt_unmap_view_of_section(process: Handle, base: UserAddress);

                /// Removes a view, with flags.
                done NtUnmapViewOfSectionEx = nt_unmap_view_of_section_ex(
                    process: Handle, base: UserAddress, flags: u32,
                );

                /// Copies memory into another process.
                done NtWriteVirtualMemory = nt_write_virtual_memory(
                    process: Handle, base: UserAddress, buffer: InBytes, size: Size,
                    bytes_written: OptionalOut<Size>,
                );
            }
        }
    };
}
