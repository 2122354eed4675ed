//! What was done: faults, ticks, promises of memory, pool tags.

use ::ex::pool::{TagUsage, usages};
use ::ke::processor::{active, prcb};
use arch::contract::PAGE_SIZE;
use nt_abi::system_information::activity::{
    SystemPerformanceInformation, SystemProcessorPerformanceInformation,
};
use nt_abi::w64::{SystemBasicPerformanceInformation, SystemPoolTag};
use nt_abi::{NtResult, NtStatus};

use super::Bytes;
use crate::numbers::{large, long, wrapped};

/// # Differs
/// What there is none of yet (I/O, a file cache, paged pool) is 0; switches and system calls are not counted in one place
/// and are 0 too.
pub(super) fn performance() -> NtResult<SystemPerformanceInformation> {
    let memory = mm::statistics::query();
    let pool = tag_usages()?;
    let sum = |part: fn(&TagUsage) -> u64| pool.iter().map(part).sum::<u64>();
    let idle: u64 = active()
        .iter()
        .map(|number| prcb(number).times().idle)
        .sum();
    let faults = memory.demand_zero
        + memory.transition
        + memory.page_in
        + memory.copy_on_write
        + memory.shared
        + memory.file_read
        + memory.write;
    Ok(SystemPerformanceInformation {
        non_paged_pool_pages: long(sum(|tag| tag.bytes) / PAGE_SIZE),
        non_paged_pool_allocs: wrapped(sum(|tag| tag.allocations)),
        non_paged_pool_frees: wrapped(sum(|tag| tag.frees)),
        idle_process_time: large(idle),
        available_pages: long(mm::frames::available()),
        committed_pages: long(memory.commit.charged),
        commit_limit: long(memory.commit.limit),
        peak_commitment: long(memory.commit.peak),
        page_fault_count: wrapped(faults),
        copy_on_write_count: wrapped(memory.copy_on_write),
        transition_count: wrapped(memory.transition),
        demand_zero_count: wrapped(memory.demand_zero),
        page_read_count: wrapped(memory.page_in + memory.file_read),
        dirty_pages_write_count: wrapped(memory.pages_written),
        resident_available_pages: large(mm::frames::available()),
        ..SystemPerformanceInformation::default()
    })
}

pub(super) fn basic_performance() -> SystemBasicPerformanceInformation {
    let commit = mm::commit::counts();
    SystemBasicPerformanceInformation {
        available_pages: mm::frames::available(),
        committed_pages: commit.charged,
        commit_limit: commit.limit,
        peak_commitment: commit.peak,
    }
}

/// An element for each processor, and its size.
pub(super) fn processors() -> NtResult<(Bytes, usize)> {
    let mut answer = Bytes::new();
    for number in active().iter() {
        let processor = prcb(number);
        let times = processor.times();
        answer.push(&SystemProcessorPerformanceInformation {
            idle_time: large(times.idle),
            kernel_time: large(times.idle + times.kernel + times.dpc + times.interrupt),
            user_time: large(times.user),
            dpc_time: large(times.dpc),
            interrupt_time: large(times.interrupt),
            interrupt_count: wrapped(processor.interrupts() + processor.ticks() + processor.ipis()),
            reserved0: 0,
        })?;
    }
    Ok((answer, size_of::<SystemProcessorPerformanceInformation>()))
}

/// What each tag has in use. All pool memory is non-paged.
fn tag_usages() -> NtResult<alloc::vec::Vec<TagUsage>> {
    /// More than are told apart.
    const MOST: usize = 256;
    let mut tags = alloc::vec::Vec::new();
    tags.try_reserve_exact(MOST)
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    tags.resize(
        MOST,
        TagUsage {
            tag: ::ex::pool::OTHER,
            allocations: 0,
            frees: 0,
            bytes: 0,
        },
    );
    let count = usages(&mut tags).min(MOST);
    tags.truncate(count);
    Ok(tags)
}

/// The number of tags, and what each has in use.
pub(super) fn pool_tags() -> NtResult<Bytes> {
    let tags = tag_usages()?;
    let count = tags.len();
    let mut answer = Bytes::new();
    // The number is 32 bits; what follows is aligned like an address.
    answer.push(&[long(count), 0])?;
    for usage in &tags {
        answer.push(&SystemPoolTag {
            tag: usage.tag.0,
            non_paged_allocs: wrapped(usage.allocations),
            non_paged_frees: wrapped(usage.frees),
            non_paged_used: usage.bytes,
            ..SystemPoolTag::default()
        })?;
    }
    Ok(answer)
}
