//! What the machine and the system are: processors, memory, time, switches.

use ::ke::clock::{COARSEST_PERIOD, period};
use ::ke::processor::active;
use arch::contract::{PAGE_SIZE, UserState as _};
use arch::thread::UserState;
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{Handle, OptionalOutBytes};
use nt_abi::system_information::machine::{
    ArchitectureFlags, LogicalProcessorRelationship, RtlTimeZoneInformation,
    SupportedProcessorArchitecture, SystemCodeIntegrityInformation, SystemFlagsInformation,
    SystemKernelDebuggerInformation, SystemKernelDebuggerInformationEx,
    SystemLogicalProcessorInformationEx, SystemProcessorInformation,
    SystemQueryTimeAdjustInformation, SystemSecureBootInformation, SystemTimeOfDayInformation,
};
use nt_abi::w64::{
    GroupAffinity, GroupRelationship, NumaNodeRelationship, ProcessorGroupInfo,
    ProcessorRelationship, SystemBasicInformation, SystemLogicalProcessorInformation,
    SystemRangeStartInformation,
};
use nt_abi::{NtResult, NtStatus};
use zerocopy::IntoBytes as _;

use super::Bytes;
use crate::Caller;
use crate::capture::{self, Pointer};
use crate::information::Query;
use crate::numbers::{large, long};

/// The lowest and the highest address that user mode may use.
const USER_ADDRESSES: (u64, u64) = (0x1_0000, 0x7FFF_FFFE_FFFF);
/// Where the kernel's half begins.
const SYSTEM_RANGE: u64 = 0xFFFF_8000_0000_0000;
/// The multiple that allocations begin at.
const GRANULARITY: u32 = 0x1_0000;

fn short(value: u32) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

fn byte(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

/// # Differs
/// Physical pages are numbered from 1 here: where memory lies on the machine is nobody's business.
pub(super) fn basic() -> SystemBasicInformation {
    let pages = long(mm::frames::counts().total);
    SystemBasicInformation {
        timer_resolution: long(COARSEST_PERIOD),
        page_size: long(PAGE_SIZE),
        number_of_physical_pages: pages,
        lowest_physical_page_number: 1,
        highest_physical_page_number: pages,
        allocation_granularity: GRANULARITY,
        minimum_user_mode_address: USER_ADDRESSES.0,
        maximum_user_mode_address: USER_ADDRESSES.1,
        active_processors_affinity_mask: active().0,
        number_of_processors: byte(active().count()),
        ..SystemBasicInformation::default()
    }
}

/// `IMAGE_FILE_MACHINE_ARM64`.
const MACHINE_ARM64: u16 = 0xAA64;

/// # Differs
/// Level, revision and features are 0: no model of processor is told from another one.
pub(super) fn processor() -> SystemProcessorInformation {
    const ARCHITECTURE_AMD64: u16 = 9;
    const ARCHITECTURE_ARM64: u16 = 12;
    SystemProcessorInformation {
        processor_architecture: if UserState::MACHINE == MACHINE_ARM64 {
            ARCHITECTURE_ARM64
        } else {
            ARCHITECTURE_AMD64
        },
        maximum_processors: short(active().count()),
        ..SystemProcessorInformation::default()
    }
}

/// The first members may be asked for alone.
pub(super) fn time_of_day(query: &Query) -> NtResult {
    let now = ::ex::time::time_of_day();
    let answer = SystemTimeOfDayInformation {
        boot_time: large(now.boot_time),
        current_time: large(now.current_time),
        time_zone_bias: now.zone_bias,
        time_zone_id: now.zone_id,
        ..SystemTimeOfDayInformation::default()
    };
    let bytes = answer.as_bytes();
    let Some(shown) = bytes.get(..query.length() as usize) else {
        query.tell_length(bytes.len())?;
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    };
    query.bytes(shown, NtStatus::INFO_LENGTH_MISMATCH)
}

/// The bias is in 100 ns, the structure has minutes. The zone has no names and no rules: summer time is not reckoned here.
pub(super) fn time_zone() -> RtlTimeZoneInformation {
    const MINUTE: i64 = 600_000_000;
    let minutes = ::ex::time::time_of_day().zone_bias / MINUTE;
    RtlTimeZoneInformation {
        bias: i32::try_from(minutes).unwrap_or(0),
        ..RtlTimeZoneInformation::default()
    }
}

/// `NtGlobalFlag`: none is set.
pub(super) fn flags() -> SystemFlagsInformation {
    SystemFlagsInformation::default()
}

/// The clock is not adjusted: each tick adds what passed.
pub(super) fn time_adjustment() -> SystemQueryTimeAdjustInformation {
    SystemQueryTimeAdjustInformation {
        time_adjustment: long(period()),
        time_increment: long(period()),
        enable: 1,
        reserved0: [0; 3],
    }
}

/// There is none.
pub(super) fn kernel_debugger() -> SystemKernelDebuggerInformation {
    SystemKernelDebuggerInformation {
        kernel_debugger_enabled: 0,
        kernel_debugger_not_present: 1,
    }
}

/// There is none.
pub(super) fn kernel_debugger_ex() -> SystemKernelDebuggerInformationEx {
    SystemKernelDebuggerInformationEx::default()
}

pub(super) fn range_start() -> SystemRangeStartInformation {
    SystemRangeStartInformation {
        system_range_start: SYSTEM_RANGE,
    }
}

/// No signature is asked for.
pub(super) fn secure_boot() -> SystemSecureBootInformation {
    SystemSecureBootInformation::default()
}

/// No signature is asked for. The caller says in the structure how long it is.
pub(super) fn code_integrity(query: &Query, information: OptionalOutBytes) -> NtResult {
    type Answer = SystemCodeIntegrityInformation;
    if query.length() as usize != size_of::<Answer>() {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    let mut answer = capture::read::<Answer>(information.address())?;
    if answer.length as usize != size_of::<Answer>() {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    answer.code_integrity_options = 0;
    information.write(&answer)?;
    query.tell_length(size_of::<Answer>())
}

/// A core for each processor, one package and one node with all of them.
pub(super) fn logical_processors() -> NtResult<Bytes> {
    let mut answer = Bytes::new();
    let mut push = |processor_mask, relationship| {
        answer.push(&SystemLogicalProcessorInformation {
            processor_mask,
            relationship,
            ..SystemLogicalProcessorInformation::default()
        })
    };
    for number in active().iter() {
        push(1 << number.0, LogicalProcessorRelationship::PROCESSOR_CORE)?;
    }
    push(active().0, LogicalProcessorRelationship::PROCESSOR_PACKAGE)?;
    push(active().0, LogicalProcessorRelationship::NUMA_NODE)?;
    Ok(answer)
}

/// The same with group numbers, of one relationship or of all.
///
/// # Errors
/// `INVALID_PARAMETER` for a relationship that there is not; `INSUFFICIENT_RESOURCES`.
pub(super) fn relationships(wanted: u32) -> NtResult<Bytes> {
    type Relationship = LogicalProcessorRelationship;
    let wanted = LogicalProcessorRelationship(wanted);
    if wanted.name().is_none() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let mut answer = Bytes::new();
    let is_wanted = |relationship| wanted == relationship || wanted == Relationship::ALL;
    let all = active();
    if is_wanted(Relationship::PROCESSOR_CORE) {
        for number in all.iter() {
            unit(&mut answer, Relationship::PROCESSOR_CORE, 1 << number.0)?;
        }
    }
    if is_wanted(Relationship::NUMA_NODE) {
        head::<NumaNodeRelationship>(&mut answer, Relationship::NUMA_NODE, 0)?;
        answer.push(&NumaNodeRelationship {
            group_count: 1,
            group_mask: group(all.0),
            ..NumaNodeRelationship::default()
        })?;
    }
    if is_wanted(Relationship::PROCESSOR_PACKAGE) {
        unit(&mut answer, Relationship::PROCESSOR_PACKAGE, all.0)?;
    }
    if is_wanted(Relationship::GROUP) {
        let info = size_of::<ProcessorGroupInfo>();
        head::<GroupRelationship>(&mut answer, Relationship::GROUP, info)?;
        answer.push(&GroupRelationship {
            maximum_group_count: 1,
            active_group_count: 1,
            ..GroupRelationship::default()
        })?;
        answer.push(&ProcessorGroupInfo {
            maximum_processor_count: byte(all.count()),
            active_processor_count: byte(all.count()),
            active_processor_mask: all.0,
            ..ProcessorGroupInfo::default()
        })?;
    }
    Ok(answer)
}

fn group(mask: u64) -> GroupAffinity {
    GroupAffinity {
        mask,
        ..GroupAffinity::default()
    }
}

/// What comes before a `T` and `more` bytes.
fn head<T>(
    answer: &mut Bytes,
    relationship: LogicalProcessorRelationship,
    more: usize,
) -> NtResult {
    let size = size_of::<SystemLogicalProcessorInformationEx>() + size_of::<T>() + more;
    answer.push(&SystemLogicalProcessorInformationEx {
        relationship,
        size: u32::try_from(size).map_err(|_| NtStatus::INTEGER_OVERFLOW)?,
    })
}

/// A core or a package.
fn unit(answer: &mut Bytes, relationship: LogicalProcessorRelationship, mask: u64) -> NtResult {
    head::<ProcessorRelationship>(answer, relationship, size_of::<GroupAffinity>())?;
    answer.push(&ProcessorRelationship {
        group_count: 1,
        ..ProcessorRelationship::default()
    })?;
    answer.push(&group(mask))
}

/// The native machine, and zeroes at the end of the list.
pub(super) fn supported_architectures(caller: &Caller<'_>, process: u64) -> NtResult<Bytes> {
    let mut flags =
        ArchitectureFlags::KERNEL_MODE | ArchitectureFlags::USER_MODE | ArchitectureFlags::NATIVE;
    // Without a process the question is what the system can run.
    if process != 0 {
        let access = AccessMask::PROCESS_QUERY_LIMITED_INFORMATION;
        caller.reference_process(Handle(process), access)?;
        flags |= ArchitectureFlags::PROCESS;
    }
    let mut answer = Bytes::new();
    answer.push(&SupportedProcessorArchitecture {
        machine: UserState::MACHINE,
        flags,
    })?;
    answer.push(&SupportedProcessorArchitecture::default())?;
    Ok(answer)
}
