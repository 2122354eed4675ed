//! What the machine and the system are: processors, memory, time, firmware, switches.

use crate::layout::{layout, layouts};
use crate::numbers::{flags, numbers};
use crate::primitives::Guid;

layouts! {
    /// `SYSTEM_BASIC_INFORMATION`.
    pub struct SystemBasicInformation (0x40, 0x2C) {
        0x00 0x00 reserved: u32,
        /// In 100 ns.
        0x04 0x04 timer_resolution: u32,
        0x08 0x08 page_size: u32,
        0x0C 0x0C number_of_physical_pages: u32,
        0x10 0x10 lowest_physical_page_number: u32,
        0x14 0x14 highest_physical_page_number: u32,
        0x18 0x18 allocation_granularity: u32,
        0x1C 0x1C reserved0: Only64<u32>,
        0x20 0x1C minimum_user_mode_address: Size,
        0x28 0x20 maximum_user_mode_address: Size,
        0x30 0x24 active_processors_affinity_mask: Size,
        0x38 0x28 number_of_processors: u8,
        0x39 0x29 reserved1: [u8; 3],
        0x3C 0x2C reserved2: Only64<u32>,
    }

    /// `SYSTEM_RANGE_START_INFORMATION`.
    pub struct SystemRangeStartInformation (0x08, 0x04) {
        0x00 0x00 system_range_start: Size,
    }

    /// `PROCESSOR_RELATIONSHIP`: a core or a package; a `GroupAffinity` for each group follows.
    pub struct ProcessorRelationship (0x18, 0x18) {
        0x00 0x00 flags: u8,
        0x01 0x01 efficiency_class: u8,
        0x02 0x02 reserved: [u8; 20],
        0x16 0x16 group_count: u16,
    }

    /// `NUMA_NODE_RELATIONSHIP`: a node.
    pub struct NumaNodeRelationship (0x28, 0x24) {
        0x00 0x00 node_number: u32,
        0x04 0x04 reserved: [u8; 18],
        0x16 0x16 group_count: u16,
        0x18 0x18 group_mask: GroupAffinity,
    }

    /// `PROCESSOR_GROUP_INFO`: a group.
    pub struct ProcessorGroupInfo (0x30, 0x2C) {
        0x00 0x00 maximum_processor_count: u8,
        0x01 0x01 active_processor_count: u8,
        0x02 0x02 reserved: [u8; 38],
        0x28 0x28 active_processor_mask: Size,
    }

    /// `GROUP_RELATIONSHIP`: a `ProcessorGroupInfo` for each group follows.
    pub struct GroupRelationship (0x18, 0x18) {
        0x00 0x00 maximum_group_count: u16,
        0x02 0x02 active_group_count: u16,
        0x04 0x04 reserved: [u8; 20],
    }

    /// `CACHE_RELATIONSHIP`: a cache.
    pub struct CacheRelationship (0x30, 0x2C) {
        0x00 0x00 level: u8,
        0x01 0x01 associativity: u8,
        0x02 0x02 line_size: u16,
        0x04 0x04 cache_size: u32,
        /// 0 unified, 1 instructions, 2 data, 3 trace.
        0x08 0x08 kind: u32,
        0x0C 0x0C reserved: [u8; 18],
        0x1E 0x1E group_count: u16,
        0x20 0x20 group_mask: GroupAffinity,
    }

    /// `SYSTEM_LOGICAL_PROCESSOR_INFORMATION`.
    pub struct SystemLogicalProcessorInformation (0x20, 0x18) {
        0x00 0x00 processor_mask: Size,
        0x08 0x04 relationship: LogicalProcessorRelationship,
        0x0C 0x08 reserved: Only64<u32>,
        /// For a core its flags in the first byte, for a node its number, for a cache the first 12 bytes of a
        /// `CacheRelationship`.
        0x10 0x08 data: [u64; 2],
    }
}

layout! {
    /// `SYSTEM_PROCESSOR_INFORMATION`.
    pub struct SystemProcessorInformation (0x0C) {
        /// `PROCESSOR_ARCHITECTURE_*`.
        0x00 processor_architecture: u16,
        0x02 processor_level: u16,
        0x04 processor_revision: u16,
        0x06 maximum_processors: u16,
        0x08 processor_feature_bits: u32,
    }

    /// `SYSTEM_TIMEOFDAY_INFORMATION`: in 100 ns.
    pub struct SystemTimeOfDayInformation (0x30) {
        0x00 boot_time: i64,
        0x08 current_time: i64,
        0x10 time_zone_bias: i64,
        0x18 time_zone_id: u32,
        0x1C reserved: u32,
        0x20 boot_time_bias: u64,
        0x28 sleep_time_bias: u64,
    }

    /// `SYSTEM_DEVICE_INFORMATION`.
    pub struct SystemDeviceInformation (0x18) {
        0x00 number_of_disks: u32,
        0x04 number_of_floppies: u32,
        0x08 number_of_cd_roms: u32,
        0x0C number_of_tapes: u32,
        0x10 number_of_serial_ports: u32,
        0x14 number_of_parallel_ports: u32,
    }

    /// `SYSTEM_FLAGS_INFORMATION`: `NtGlobalFlag`.
    pub struct SystemFlagsInformation (0x04) {
        0x00 flags: u32,
    }

    /// `SYSTEM_QUERY_TIME_ADJUST_INFORMATION`: in 100 ns.
    pub struct SystemQueryTimeAdjustInformation (0x0C) {
        0x00 time_adjustment: u32,
        0x04 time_increment: u32,
        0x08 enable: u8,
        0x09 reserved0: [u8; 3],
    }

    /// `SYSTEM_SET_TIME_ADJUST_INFORMATION`: in 100 ns.
    pub struct SystemSetTimeAdjustInformation (0x08) {
        0x00 time_adjustment: u32,
        0x04 enable: u8,
        0x05 reserved0: [u8; 3],
    }

    /// `SYSTEM_KERNEL_DEBUGGER_INFORMATION`.
    pub struct SystemKernelDebuggerInformation (0x02) {
        0x00 kernel_debugger_enabled: u8,
        0x01 kernel_debugger_not_present: u8,
    }

    /// `SYSTEM_KERNEL_DEBUGGER_INFORMATION_EX`.
    pub struct SystemKernelDebuggerInformationEx (0x03) {
        0x00 debugger_allowed: u8,
        0x01 debugger_enabled: u8,
        0x02 debugger_present: u8,
    }

    /// `SYSTEM_KERNEL_DEBUGGER_FLAGS`.
    pub struct SystemKernelDebuggerFlags (0x01) {
        0x00 kernel_debugger_ignore_um_exceptions: u8,
    }

    /// `RTL_TIME_ZONE_INFORMATION`: biases in minutes.
    pub struct RtlTimeZoneInformation (0xAC) {
        0x00 bias: i32,
        0x04 standard_name: [u16; 32],
        0x44 standard_start: TimeFields,
        0x54 standard_bias: i32,
        0x58 daylight_name: [u16; 32],
        0x98 daylight_start: TimeFields,
        0xA8 daylight_bias: i32,
    }

    /// `SYSTEM_FIRMWARE_TABLE_INFORMATION`: the table follows.
    pub struct SystemFirmwareTableInformation (0x10) {
        /// 'ACPI', 'FIRM' or 'RSMB', first letter in the high byte.
        0x00 provider_signature: u32,
        /// 0 enumerate, 1 get.
        0x04 action: u32,
        0x08 table_id: u32,
        0x0C table_buffer_length: u32,
    }

    /// `SYSTEM_BOOT_ENVIRONMENT_INFORMATION`.
    pub struct SystemBootEnvironmentInformation (0x20) {
        0x00 boot_identifier: Guid,
        /// 1 BIOS, 2 UEFI.
        0x10 firmware_type: u32,
        0x14 reserved0: u32,
        0x18 boot_flags: u64,
    }

    /// `SYSTEM_CODEINTEGRITY_INFORMATION`.
    pub struct SystemCodeIntegrityInformation (0x08) {
        0x00 length: u32,
        0x04 code_integrity_options: u32,
    }

    /// `SYSTEM_PROCESSOR_FEATURES_INFORMATION`.
    pub struct SystemProcessorFeaturesInformation (0x20) {
        0x00 processor_feature_bits: u64,
        0x08 reserved: [u64; 3],
    }

    /// `SYSTEM_SECUREBOOT_INFORMATION`.
    pub struct SystemSecureBootInformation (0x02) {
        0x00 secure_boot_enabled: u8,
        0x01 secure_boot_capable: u8,
    }

    /// `TIME_FIELDS`: a moment of a calendar, or a rule when the year is 0.
    pub struct TimeFields (0x10) {
        0x00 year: i16,
        0x02 month: i16,
        /// In a rule: which of the month's such weekdays, 5 for the last.
        0x04 day: i16,
        0x06 hour: i16,
        0x08 minute: i16,
        0x0A second: i16,
        0x0C milliseconds: i16,
        /// 0 for Sunday.
        0x0E weekday: i16,
    }

    /// `SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX` without its data: a relationship's structure follows.
    pub struct SystemLogicalProcessorInformationEx (8) {
        0x00 relationship: LogicalProcessorRelationship,
        /// In bytes, with this.
        0x04 size: u32,
    }

    /// `SYSTEM_CPU_SET_INFORMATION`.
    pub struct SystemCpuSetInformation (0x20) {
        0x00 size: u32,
        0x04 kind: u32,
        0x08 id: u32,
        0x0C group: u16,
        0x0E logical_processor_index: u8,
        0x0F core_index: u8,
        0x10 last_level_cache_index: u8,
        0x11 numa_node_index: u8,
        0x12 efficiency_class: u8,
        /// Bit 0 parked, 1 allocated, 2 to this process, 3 real time.
        0x13 all_flags: u8,
        0x14 scheduling_class: u32,
        0x18 allocation_tag: u64,
    }

    /// `SYSTEM_SPECULATION_CONTROL_INFORMATION`.
    pub struct SystemSpeculationControlInformation (8) {
        0x00 flags: u32,
        0x04 flags2: u32,
    }

    /// `SYSTEM_SUPPORTED_PROCESSOR_ARCHITECTURES_INFORMATION`.
    pub struct SupportedProcessorArchitecture (4) {
        /// `IMAGE_FILE_MACHINE_*`.
        0x00 machine: u16,
        0x02 flags: ArchitectureFlags,
    }
}

flags! {
    /// What a machine is good for; the flags of `SYSTEM_SUPPORTED_PROCESSOR_ARCHITECTURES_INFORMATION`.
    pub struct ArchitectureFlags: u16, "" {
        /// Kernel mode.
        KERNEL_MODE = 0x01;
        /// User mode.
        USER_MODE = 0x02;
        /// The machine itself.
        NATIVE = 0x04;
        /// What the process asked about is.
        PROCESS = 0x08;
        /// By WoW64, in a container of its own.
        WOW64_CONTAINER = 0x10;
    }
}

numbers! {
    /// `LOGICAL_PROCESSOR_RELATIONSHIP`.
    pub struct LogicalProcessorRelationship: u32 {
        PROCESSOR_CORE = 0, "RelationProcessorCore";
        NUMA_NODE = 1, "RelationNumaNode";
        CACHE = 2, "RelationCache";
        PROCESSOR_PACKAGE = 3, "RelationProcessorPackage";
        GROUP = 4, "RelationGroup";
        PROCESSOR_DIE = 5, "RelationProcessorDie";
        NUMA_NODE_EX = 6, "RelationNumaNodeEx";
        PROCESSOR_MODULE = 7, "RelationProcessorModule";
        ALL = 0xFFFF, "RelationAll";
    }
}
