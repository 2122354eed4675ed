//! What processes use, as structures.

use arch::contract::PAGE_SIZE;
use ex::QuotaKind;
use ke::schedule;
use nt_abi::accounting::KernelUserTimes;
use nt_abi::w64;
use ps::Process;

pub(super) fn basic(process: &Process) -> w64::ProcessBasicInformation {
    let scheduled = process.scheduled();
    w64::ProcessBasicInformation {
        exit_status: process.exit_status_if_ended().0,
        peb_base_address: process.peb(),
        affinity_mask: schedule::process_affinity(scheduled).0,
        base_priority: i32::from(schedule::process_base_priority(scheduled)),
        unique_process_id: u64::from(process.id()),
        inherited_from_unique_process_id: u64::from(process.parent()),
        ..w64::ProcessBasicInformation::default()
    }
}

fn signed(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

pub(super) fn times(process: &Process) -> KernelUserTimes {
    let (create, exit) = process.times();
    let (kernel, user) = process.scheduled().times();
    KernelUserTimes {
        create_time: signed(create),
        exit_time: signed(exit),
        kernel_time: signed(kernel),
        user_time: signed(user),
    }
}

pub(super) fn memory(process: &Process) -> w64::VmCountersEx {
    let counters = process.space().counters();
    let paged = process.quota().usage(QuotaKind::PagedPool);
    let non_paged = process.quota().usage(QuotaKind::NonPagedPool);
    w64::VmCountersEx {
        peak_virtual_size: counters.peak_virtual_size,
        virtual_size: counters.virtual_size,
        page_fault_count: u32::try_from(counters.page_fault_count).unwrap_or(u32::MAX),
        peak_working_set_size: counters.peak_working_set_size,
        working_set_size: counters.working_set_size,
        quota_peak_paged_pool_usage: paged.peak,
        quota_paged_pool_usage: paged.usage,
        quota_peak_non_paged_pool_usage: non_paged.peak,
        quota_non_paged_pool_usage: non_paged.usage,
        pagefile_usage: counters.pagefile_usage,
        peak_pagefile_usage: counters.peak_pagefile_usage,
        private_usage: counters.pagefile_usage,
        ..w64::VmCountersEx::default()
    }
}

pub(super) fn quota(process: &Process) -> w64::QuotaLimitsEx {
    /// `QUOTA_LIMITS_HARDWS_MIN_DISABLE | QUOTA_LIMITS_HARDWS_MAX_DISABLE`.
    const SOFT: u32 = 2 | 8;
    let limits = process.space().working_set_limits();
    w64::QuotaLimitsEx {
        paged_pool_limit: process.quota().usage(QuotaKind::PagedPool).limit,
        non_paged_pool_limit: process.quota().usage(QuotaKind::NonPagedPool).limit,
        minimum_working_set_size: limits.minimum * PAGE_SIZE,
        maximum_working_set_size: limits.maximum * PAGE_SIZE,
        pagefile_limit: process.space().pagefile_limit(),
        time_limit: -1,
        flags: SOFT,
        ..w64::QuotaLimitsEx::default()
    }
}
