//! What processes, threads and jobs have used and may use: times, memory, I/O.

use crate::layout::{layout, layouts};

layouts! {
    /// `QUOTA_LIMITS`: sizes in bytes.
    pub struct QuotaLimits (0x30, 0x20) {
        0x00 0x00 paged_pool_limit: Size,
        0x08 0x04 non_paged_pool_limit: Size,
        0x10 0x08 minimum_working_set_size: Size,
        0x18 0x0C maximum_working_set_size: Size,
        0x20 0x10 pagefile_limit: Size,
        0x28 0x14 reserved0: Only32<u32>,
        0x28 0x18 time_limit: i64,
    }

    /// `QUOTA_LIMITS_EX`: sizes in bytes.
    pub struct QuotaLimitsEx (0x58, 0x38) {
        0x00 0x00 paged_pool_limit: Size,
        0x08 0x04 non_paged_pool_limit: Size,
        0x10 0x08 minimum_working_set_size: Size,
        0x18 0x0C maximum_working_set_size: Size,
        0x20 0x10 pagefile_limit: Size,
        0x28 0x14 reserved0: Only32<u32>,
        0x28 0x18 time_limit: i64,
        0x30 0x20 working_set_limit: Size,
        0x38 0x24 reserved2: Size,
        0x40 0x28 reserved3: Size,
        0x48 0x2C reserved4: Size,
        /// `QUOTA_LIMITS_HARDWS_*`: bit 0 and 1 a hard minimum or not, 2 and 3 a hard maximum or not.
        0x50 0x30 flags: u32,
        0x54 0x34 cpu_rate_limit: u32,
    }

    /// `VM_COUNTERS`: sizes in bytes.
    pub struct VmCounters (0x58, 0x2C) {
        0x00 0x00 peak_virtual_size: Size,
        0x08 0x04 virtual_size: Size,
        0x10 0x08 page_fault_count: u32,
        0x14 0x0C reserved0: Only64<u32>,
        0x18 0x0C peak_working_set_size: Size,
        0x20 0x10 working_set_size: Size,
        0x28 0x14 quota_peak_paged_pool_usage: Size,
        0x30 0x18 quota_paged_pool_usage: Size,
        0x38 0x1C quota_peak_non_paged_pool_usage: Size,
        0x40 0x20 quota_non_paged_pool_usage: Size,
        0x48 0x24 pagefile_usage: Size,
        0x50 0x28 peak_pagefile_usage: Size,
    }

    /// `VM_COUNTERS_EX`: sizes in bytes.
    pub struct VmCountersEx (0x60, 0x30) {
        0x00 0x00 peak_virtual_size: Size,
        0x08 0x04 virtual_size: Size,
        0x10 0x08 page_fault_count: u32,
        0x14 0x0C reserved0: Only64<u32>,
        0x18 0x0C peak_working_set_size: Size,
        0x20 0x10 working_set_size: Size,
        0x28 0x14 quota_peak_paged_pool_usage: Size,
        0x30 0x18 quota_paged_pool_usage: Size,
        0x38 0x1C quota_peak_non_paged_pool_usage: Size,
        0x40 0x20 quota_non_paged_pool_usage: Size,
        0x48 0x24 pagefile_usage: Size,
        0x50 0x28 peak_pagefile_usage: Size,
        0x58 0x2C private_usage: Size,
    }

    /// `POOLED_USAGE_AND_LIMITS`.
    pub struct PooledUsageAndLimits (0x48, 0x24) {
        0x00 0x00 peak_paged_pool_usage: Size,
        0x08 0x04 paged_pool_usage: Size,
        0x10 0x08 paged_pool_limit: Size,
        0x18 0x0C peak_non_paged_pool_usage: Size,
        0x20 0x10 non_paged_pool_usage: Size,
        0x28 0x14 non_paged_pool_limit: Size,
        0x30 0x18 peak_pagefile_usage: Size,
        0x38 0x1C pagefile_usage: Size,
        0x40 0x20 pagefile_limit: Size,
    }
}

layout! {
    /// `IO_COUNTERS`.
    pub struct IoCounters (0x30) {
        0x00 read_operation_count: u64,
        0x08 write_operation_count: u64,
        0x10 other_operation_count: u64,
        0x18 read_transfer_count: u64,
        0x20 write_transfer_count: u64,
        0x28 other_transfer_count: u64,
    }

    /// `KERNEL_USER_TIMES`: in 100 ns.
    pub struct KernelUserTimes (0x20) {
        0x00 create_time: i64,
        /// 0 while it runs.
        0x08 exit_time: i64,
        0x10 kernel_time: i64,
        0x18 user_time: i64,
    }
}
