//! What the machine and the system are.

use nt_abi::native::{
    Peb, SystemBasicInformation, SystemBasicPerformanceInformation,
    SystemLogicalProcessorInformation, VmCounters,
};
use nt_abi::process_information::ProcessInformationClass;
use nt_abi::services::arguments::SystemInformationClass;
use nt_abi::system_information::SystemInformationClass as Class;
use nt_abi::system_information::machine::{
    SystemFirmwareTableInformation, SystemProcessorInformation,
};
use nt_abi::user_shared_data::KuserSharedData;
use ntdll_imports::{
    NULL, NtQuerySystemInformation, NtQuerySystemInformationEx, RtlVerifyVersionInfo,
};

use crate::processes;
use crate::structures::{MemoryStatus, MemoryStatusEx, SystemInfo};
use crate::wide;
use crate::win::*;

/// `PROCESSOR_ARCHITECTURE_AMD64`, `_INTEL`, `_ARM64`, `_ARM`, and what `dwProcessorType` says of them.
const PROCESSOR_TYPES: [(u16, u32); 4] = [(9, 8664), (0, 586), (12, 0), (5, 2577)];
/// The version of Windows that programs see which say nothing of newer ones: 6.2.9200.
const VERSION_8: (u32, u32, u32) = (6, 2, 9200);
/// `VER_PLATFORM_WIN32_NT`.
const PLATFORM_NT: u32 = 2;
/// Sizes of `OSVERSIONINFOA`, `OSVERSIONINFOEXA`, `OSVERSIONINFOW`, `OSVERSIONINFOEXW`.
const SIZES_A: [u32; 2] = [148, 156];
const SIZES_W: [u32; 2] = [276, 284];

/// Asks after the system.
pub(crate) fn query<T: Default>(class: Class) -> Win<T> {
    let mut into = T::default();
    let length = size_in_u32::<T>();
    check(NtQuerySystemInformation(
        SystemInformationClass(class.0),
        &mut into,
        length,
        NULL,
    ))?;
    Ok(into)
}

fn system_info(basic: Class, processor: Class) -> SystemInfo {
    let basic = query::<SystemBasicInformation>(basic).or_else(|_| query(Class::BASIC));
    let processor =
        query::<SystemProcessorInformation>(processor).or_else(|_| query(Class::PROCESSOR));
    let (basic, processor) = (basic.unwrap_or_default(), processor.unwrap_or_default());
    let architecture = processor.processor_architecture;
    let kind = PROCESSOR_TYPES
        .iter()
        .find(|(known, _)| *known == architecture);
    SystemInfo {
        processor_architecture: architecture,
        page_size: basic.page_size,
        minimum_application_address: basic.minimum_user_mode_address,
        maximum_application_address: basic.maximum_user_mode_address,
        active_processor_mask: basic.active_processors_affinity_mask,
        number_of_processors: u32::from(basic.number_of_processors),
        processor_type: kind.map_or(0, |(_, kind)| *kind),
        allocation_granularity: basic.allocation_granularity,
        processor_level: processor.processor_level,
        processor_revision: processor.processor_revision,
        ..SystemInfo::default()
    }
}

fn memory_status() -> Win<MemoryStatusEx> {
    let basic: SystemBasicInformation = query(Class::BASIC)?;
    let performance: SystemBasicPerformanceInformation = query(Class::BASIC_PERFORMANCE)?;
    let own: VmCounters = processes::query(
        Handle::CURRENT_PROCESS,
        ProcessInformationClass::VM_COUNTERS,
    )?;
    let page = u64::from(basic.page_size);
    let total = u64::from(basic.number_of_physical_pages);
    let available = u64::from(performance.available_pages);
    let limit = u64::from(performance.commit_limit);
    let committed = u64::from(performance.committed_pages);
    let addresses =
        u64::from(basic.maximum_user_mode_address) - u64::from(basic.minimum_user_mode_address) + 1;
    let load = total.saturating_sub(available) * 100 / total.max(1);
    Ok(MemoryStatusEx {
        length: MemoryStatusEx::SIZE,
        memory_load: u32::try_from(load).unwrap_or(100),
        total_phys: total * page,
        avail_phys: available * page,
        total_page_file: limit * page,
        avail_page_file: limit.saturating_sub(committed) * page,
        total_virtual: addresses,
        avail_virtual: addresses.saturating_sub(u64::from(own.virtual_size)),
        avail_extended_virtual: 0,
    })
}

/// A number of the width of a pointer, at most so large.
fn fitting(number: u64) -> nt_abi::native::Size {
    nt_abi::native::Size::try_from(number).unwrap_or(nt_abi::native::Size::MAX)
}

/// Writes the version of Windows into a structure of one of the sizes: `W`, or `A` if `bytes`.
fn give_version(into: Ptr<u8>, sizes: [u32; 2], bytes: bool) -> Win {
    let size = into.cast::<u32>().read();
    if !sizes.contains(&size) {
        return Err(Error::INSUFFICIENT_BUFFER);
    }
    let (major, minor, build) = VERSION_8;
    for (index, number) in [major, minor, build, PLATFORM_NT].into_iter().enumerate() {
        into.cast::<u32>().add(index + 1).write(number);
    }
    // No service pack: the text is empty, and so are its numbers.
    let text = into.byte_add(20);
    let length = if bytes { 128 } else { 256 };
    text.fill(0, length);
    if size == sizes[1] {
        let rest = text.byte_add(length);
        rest.fill(0, 8);
        let suite = field!(shared_data(), KuserSharedData, suite_mask).read();
        let [low, high, ..] = suite.to_le_bytes();
        rest.byte_add(4)
            .cast::<u16>()
            .write(u16::from_le_bytes([low, high]));
        let product = field!(shared_data(), KuserSharedData, nt_product_type).read();
        rest.byte_add(6).write(product.0.to_le_bytes()[0]);
    }
    Ok(())
}

/// Tells what the processors have to do with each other, in a form that says its own length.
fn relations(class: Class, input: Option<u32>, into: Ptr<u8>, length: Ptr<u32>) -> Win {
    if length.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    let mut needed = 0_u32;
    let class = SystemInformationClass(class.0);
    let status = match input {
        Some(mut relation) => NtQuerySystemInformationEx(
            class,
            Ptr::of(&mut relation),
            4_u32,
            into,
            length.read(),
            &mut needed,
        ),
        None => NtQuerySystemInformation(class, into, length.read(), &mut needed),
    };
    if status == NtStatus::INFO_LENGTH_MISMATCH || status == NtStatus::BUFFER_TOO_SMALL {
        length.write(needed);
        return Err(Error::INSUFFICIENT_BUFFER);
    }
    check(status)?;
    length.write(needed);
    Ok(())
}

/// A table of the firmware, or the list of tables.
fn firmware(provider: u32, action: u32, table: u32, into: Ptr<u8>, capacity: u32) -> Win<u32> {
    const HEADER: usize = size_of::<SystemFirmwareTableInformation>();
    let mut room = wide::room::<u8>(HEADER + capacity as usize)?;
    let request = wide::place(&mut room).cast::<SystemFirmwareTableInformation>();
    request.write(SystemFirmwareTableInformation {
        provider_signature: provider,
        action,
        table_id: table,
        table_buffer_length: capacity,
    });
    let mut needed = 0_u32;
    let class = SystemInformationClass(Class::FIRMWARE_TABLE.0);
    let length = u32::try_from(room.len()).map_err(|_| Error::INVALID_PARAMETER)?;
    let status = NtQuerySystemInformation(class, request, length, &mut needed);
    let size = field!(request, SystemFirmwareTableInformation, table_buffer_length).read();
    if status == NtStatus::BUFFER_TOO_SMALL {
        return Ok(size);
    }
    check(status)?;
    into.copy_from(
        request.cast::<u8>().byte_add(HEADER),
        size.min(capacity) as usize,
    );
    Ok(size)
}

/// How many processors there are.
pub(crate) fn processors() -> u32 {
    field!(peb(), Peb, number_of_processors).read()
}

/// `ALL_PROCESSOR_GROUPS`.
const ALL_GROUPS: u16 = 0xFFFF;

/// How many processors a group has: there is one group.
fn processors_of(group: u16) -> u32 {
    match group {
        0 | ALL_GROUPS => processors(),
        _ => answer(Err(Error::INVALID_PARAMETER), 0),
    }
}

exports! {
    /// Whether processors have a feature (`PF_*`). ntdll's function tells it in a byte, which is no `BOOL`.
    fn IsProcessorFeaturePresent(feature: u32) -> Bool {
        let features = field!(shared_data(), KuserSharedData, processor_features).read();
        let found = features.get(feature as usize).copied();
        Bool::from(found.unwrap_or(0) != 0)
    }

    /// What the processors and the addresses are, as this program sees them.
    fn GetSystemInfo(info: Ptr<SystemInfo>) {
        info.write(system_info(Class::BASIC, Class::PROCESSOR));
    }

    /// What the processors and the addresses are.
    fn GetNativeSystemInfo(info: Ptr<SystemInfo>) {
        info.write(system_info(Class::NATIVE_BASIC, Class::EMULATION_PROCESSOR));
    }

    /// The version of Windows that programs see which say nothing of newer ones: 6.2, build 9200.
    fn GetVersion() -> u32 {
        let (major, minor, build) = VERSION_8;
        build << 16 | minor << 8 | major
    }

    /// The version of Windows that programs see which say nothing of newer ones.
    fn GetVersionExW(into: Ptr<u8>) -> Bool {
        truth(give_version(into, SIZES_W, false))
    }

    /// The version of Windows that programs see which say nothing of newer ones.
    fn GetVersionExA(into: Ptr<u8>) -> Bool {
        truth(give_version(into, SIZES_A, true))
    }

    /// Whether the version of Windows is as somebody wants it.
    fn VerifyVersionInfoW(wanted: Ptr<u8>, types: u32, conditions: u64) -> Bool {
        let status = RtlVerifyVersionInfo(wanted, types, conditions);
        if status == NtStatus::REVISION_MISMATCH {
            // `ERROR_OLD_WIN_VERSION`.
            return truth(Err(Error(1150)));
        }
        truth_of(status)
    }

    /// Whether the version of Windows is as somebody wants it.
    fn VerifyVersionInfoA(wanted: Ptr<u8>, types: u32, conditions: u64) -> Bool {
        // The numbers are the same; the text between them is not compared.
        let mut own = [0_u8; 284];
        let place = wide::place(&mut own);
        place.copy_from(wanted, 20);
        place.cast::<u32>().write(SIZES_W[1]);
        place.byte_add(276).copy_from(wanted.byte_add(148), 8);
        VerifyVersionInfoW(place, types, conditions)
    }

    /// How much memory there is, and how much is free.
    fn GlobalMemoryStatusEx(status: Ptr<MemoryStatusEx>) -> Bool {
        if field!(status, MemoryStatusEx, length).read() != MemoryStatusEx::SIZE {
            return truth(Err(Error::INVALID_PARAMETER));
        }
        truth(memory_status().map(|found| status.write(found)))
    }

    /// How much memory there is, and how much is free, as far as a pointer's width tells it.
    fn GlobalMemoryStatus(status: Ptr<MemoryStatus>) {
        let found = memory_status().unwrap_or_default();
        status.write(MemoryStatus {
            length: MemoryStatus::SIZE,
            memory_load: found.memory_load,
            total_phys: fitting(found.total_phys),
            avail_phys: fitting(found.avail_phys),
            total_page_file: fitting(found.total_page_file),
            avail_page_file: fitting(found.avail_page_file),
            total_virtual: fitting(found.total_virtual),
            avail_virtual: fitting(found.avail_virtual),
        });
    }

    /// How much memory the machine has, in KB.
    fn GetPhysicallyInstalledSystemMemory(kilobytes: Ptr<u64>) -> Bool {
        truth(query::<SystemBasicInformation>(Class::BASIC).map(|found| {
            kilobytes.write(u64::from(found.number_of_physical_pages) * u64::from(found.page_size) / 1024);
        }))
    }

    /// What the processors have to do with each other.
    fn GetLogicalProcessorInformation(into: Ptr<SystemLogicalProcessorInformation>, length: Ptr<u32>) -> Bool {
        truth(relations(Class::LOGICAL_PROCESSOR, None, into.cast(), length))
    }

    /// What the processors have to do with each other, of one kind or of all.
    fn GetLogicalProcessorInformationEx(relation: u32, into: Ptr<u8>, length: Ptr<u32>) -> Bool {
        truth(relations(Class::LOGICAL_PROCESSOR_AND_GROUP, Some(relation), into, length))
    }

    /// How many processors a group has.
    fn GetActiveProcessorCount(group: u16) -> u32 {
        processors_of(group)
    }

    /// How many processors a group can have.
    fn GetMaximumProcessorCount(group: u16) -> u32 {
        processors_of(group)
    }

    /// How many groups of processors there are: one.
    fn GetActiveProcessorGroupCount() -> u16 {
        1
    }

    /// How many groups of processors there can be: one.
    fn GetMaximumProcessorGroupCount() -> u16 {
        1
    }

    /// The highest node of memory: there is one, 0.
    fn GetNumaHighestNodeNumber(highest: Ptr<u32>) -> Bool {
        highest.write(0);
        TRUE
    }

    /// The processors of a node of memory.
    fn GetNumaNodeProcessorMask(node: u8, mask: Ptr<u64>) -> Bool {
        if node != 0 {
            return truth(Err(Error::INVALID_PARAMETER));
        }
        mask.write(u64::from(field!(peb(), Peb, active_process_affinity_mask).read()));
        TRUE
    }

    /// The node of memory of a processor.
    fn GetNumaProcessorNode(processor: u8, node: Ptr<u8>) -> Bool {
        if u32::from(processor) >= processors() {
            node.write(0xFF);
            return truth(Err(Error::INVALID_PARAMETER));
        }
        node.write(0);
        TRUE
    }

    /// How large large pages are.
    fn GetLargePageMinimum() -> usize {
        field!(shared_data(), KuserSharedData, large_page_minimum).read() as usize
    }

    /// A table of the firmware; its length.
    fn GetSystemFirmwareTable(provider: u32, table: u32, into: Ptr<u8>, capacity: u32) -> u32 {
        /// `SystemFirmwareTable_Get`.
        const GET: u32 = 1;
        answer(firmware(provider, GET, table, into, capacity), 0)
    }

    /// The names of the firmware's tables; the length of all.
    fn EnumSystemFirmwareTables(provider: u32, into: Ptr<u8>, capacity: u32) -> u32 {
        /// `SystemFirmwareTable_Enumerate`.
        const ENUMERATE: u32 = 0;
        answer(firmware(provider, ENUMERATE, 0, into, capacity), 0)
    }

    /// Whether the system was started from a virtual disk: it was not.
    fn IsNativeVhdBoot(native: Ptr<u32>) -> Bool {
        native.write(FALSE);
        TRUE
    }

    /// What the firmware is; it is not known here.
    fn GetFirmwareType(kind: Ptr<u32>) -> Bool {
        // `FirmwareTypeUnknown`.
        kind.write(0);
        TRUE
    }
}
