//! Rows of the table: services of a 32-bit ntdll alone.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __wow64_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__services_end! {
            $callback $($before)*
            wow64 {
                /// Reserves or commits pages of a 64-bit process.
                planned NtWow64AllocateVirtualMemory64 = nt_wow64_allocate_virtual_memory64(
                    process: Handle, base: InOut<u64>, zero_bits: u64, size: InOut<u64>, allocation_type: u32,
                    protection: u32,
                );

                /// Reads a property of the system as 64-bit programs see it.
                planned NtWow64GetNativeSystemInformation = nt_wow64_get_native_system_information(
                    class: SystemInformationClass, information: OutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads a property of a 64-bit process.
                planned NtWow64QueryInformationProcess64 = nt_wow64_query_information_process64(
                    process: Handle, class: ProcessInformationClass, information: OutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads what an address of a 64-bit process belongs to.
                planned NtWow64QueryVirtualMemory64 = nt_wow64_query_virtual_memory64(
                    process: Handle, base: u64, class: MemoryInformationClass, information: OutBytes,
                    length: u64, return_length: OptionalOut<u64>,
                );

                /// Copies memory out of a 64-bit process.
                planned NtWow64ReadVirtualMemory64 = nt_wow64_read_virtual_memory64(
                    process: Handle, base: u64, buffer: OutBytes, size: u64, bytes_read: OptionalOut<u64>,
                );

                /// Copies memory into a 64-bit process.
                planned NtWow64WriteVirtualMemory64 = nt_wow64_write_virtual_memory64(
                    process: Handle, base: u64, buffer: InBytes, size: u64, bytes_written: OptionalOut<u64>,
                );
            }
        }
    };
}
