//! Views of sections.

use arch::contract::UserState as _;
use arch::thread::UserState;
use mm::Section;
use mm::address_space::{Limits, MappedView, ViewRequest};
use nt_abi::access::AccessMask;
use nt_abi::memory::{AllocationType, PageProtection, SectionInherit as Inherit};
use nt_abi::services::arguments::{
    Handle, InOut, IoStatusBlock, MemoryExtendedParameter, OptionalInOut, OptionalInOutArray, Out,
    SectionInherit, Size, UserAddress,
};
use nt_abi::{NtResult, NtStatus, w64};
use ob::Object;
use zerocopy::FromZeros as _;

use super::parameters::Parameters;
use super::{capture_range, check_range, write_range};
use crate::Caller;
use crate::capture::Pointer;

/// The rights to a section that a view with that protection wants.
///
/// # NT
/// `MmMakeSectionAccess`.
fn section_access(protection: PageProtection) -> AccessMask {
    type Page = PageProtection;
    let [base, ..] = protection.0.to_le_bytes();
    match PageProtection(u32::from(base)) {
        Page::READWRITE => AccessMask::SECTION_MAP_WRITE,
        Page::EXECUTE => AccessMask::SECTION_MAP_EXECUTE,
        Page::EXECUTE_READ | Page::EXECUTE_WRITECOPY => {
            AccessMask::SECTION_MAP_EXECUTE | AccessMask::SECTION_MAP_READ
        }
        Page::EXECUTE_READWRITE => AccessMask::SECTION_MAP_EXECUTE | AccessMask::SECTION_MAP_WRITE,
        _ => AccessMask::SECTION_MAP_READ,
    }
}

/// Where the arguments are that the services have in common.
#[derive(Clone, Copy)]
struct Places {
    section: Handle,
    process: Handle,
    base: InOut<UserAddress>,
    offset: OptionalInOut<i64>,
    size: InOut<Size>,
}

impl Places {
    /// Maps what is asked for, and says where.
    fn map(self, caller: &Caller<'_>, request: &ViewRequest, machine: u16) -> NtResult<NtStatus> {
        request.check_kind()?;
        let (base, size) = capture_range(self.base, self.size)?;
        self.offset.probe_optional::<i64>()?;
        let offset: Option<i64> = self.offset.read_optional()?;
        let request = ViewRequest {
            base,
            size,
            offset: offset.unwrap_or(0).cast_unsigned(),
            ..*request
        };
        request.check_range()?;
        if base != 0 && request.limits != Limits::ANYWHERE {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let process = caller.reference_process(self.process, AccessMask::PROCESS_VM_OPERATION)?;
        let section: Object<Section> =
            caller.reference(self.section, section_access(request.protection))?;
        let mismatch = other_machine(&section, machine)?;
        let view = process.space().map_view(&section, &request)?;
        write_range(self.base, self.size, view.range)?;
        self.offset.write_optional(&view.offset.cast_signed())?;
        Ok(mismatch.unwrap_or(status(&view, request.kind)))
    }
}

/// What the caller is told of a view that was made.
fn status(view: &MappedView, kind: AllocationType) -> NtStatus {
    if kind.contains(AllocationType::DIFFERENT_IMAGE_BASE_OK) {
        NtStatus::SUCCESS
    } else {
        view.status
    }
}

/// What is said of a view of an image that is not for this machine: it is made all the same.
fn other_machine(section: &Section, wanted: u16) -> NtResult<Option<NtStatus>> {
    if !section.is_image() {
        return Ok(None);
    }
    let headers = section.image_information()?.headers;
    if wanted != 0 && headers.machine.0 != wanted {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    Ok((headers.machine.0 != UserState::MACHINE).then_some(NtStatus::IMAGE_MACHINE_TYPE_MISMATCH))
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_map_view_of_section(
    caller: &Caller<'_>,
    section: Handle,
    process: Handle,
    base: InOut<UserAddress>,
    zero_bits: Size,
    commit_size: Size,
    section_offset: OptionalInOut<i64>,
    view_size: InOut<Size>,
    inherit_disposition: SectionInherit,
    allocation_type: u32,
    protection: u32,
) -> NtResult<NtStatus> {
    let request = ViewRequest {
        base: 0,
        zero_bits: zero_bits.0,
        offset: 0,
        size: 0,
        commit_size: commit_size.0,
        inherit: Inherit(inherit_disposition.0),
        kind: AllocationType(allocation_type),
        protection: PageProtection(protection),
        limits: Limits::ANYWHERE,
    };
    let places = Places {
        section,
        process,
        base,
        offset: section_offset,
        size: view_size,
    };
    if request.kind.contains(AllocationType::REPLACE_PLACEHOLDER) {
        return Err(NtStatus::INVALID_PARAMETER_9);
    }
    places.map(caller, &request, 0)
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_map_view_of_section_ex(
    caller: &Caller<'_>,
    section: Handle,
    process: Handle,
    base: InOut<UserAddress>,
    section_offset: OptionalInOut<i64>,
    view_size: InOut<Size>,
    allocation_type: u32,
    protection: u32,
    extended_parameters: OptionalInOutArray<MemoryExtendedParameter>,
    parameter_count: u32,
) -> NtResult<NtStatus> {
    let parameters = Parameters::capture(extended_parameters.address(), parameter_count)?;
    let request = ViewRequest {
        base: 0,
        zero_bits: 0,
        offset: 0,
        size: 0,
        commit_size: 0,
        inherit: Inherit::UNMAP,
        kind: AllocationType(allocation_type),
        protection: PageProtection(protection),
        limits: parameters.limits,
    };
    let places = Places {
        section,
        process,
        base,
        offset: section_offset,
        size: view_size,
    };
    let mapped = places.map(caller, &request, parameters.machine);
    mapped.map_err(|status| match status {
        NtStatus::INVALID_PARAMETER_3 | NtStatus::INVALID_PARAMETER_9 => {
            NtStatus::INVALID_PARAMETER
        }
        other => other,
    })
}

pub(crate) fn nt_unmap_view_of_section(
    caller: &Caller<'_>,
    process: Handle,
    base: UserAddress,
) -> NtResult {
    nt_unmap_view_of_section_ex(caller, process, base, 0)
}

/// `MEM_UNMAP_WITH_TRANSIENT_BOOST`: an advice about page priorities, of no consequence here.
const TRANSIENT_BOOST: AllocationType = AllocationType(1);

pub(crate) fn nt_unmap_view_of_section_ex(
    caller: &Caller<'_>,
    process: Handle,
    base: UserAddress,
    flags: u32,
) -> NtResult {
    let flags = AllocationType(flags);
    if !(TRANSIENT_BOOST | AllocationType::PRESERVE_PLACEHOLDER).contains(flags) {
        return Err(NtStatus::INVALID_PARAMETER_3);
    }
    check_range(
        base.0,
        0,
        NtStatus::NOT_MAPPED_VIEW,
        NtStatus::NOT_MAPPED_VIEW,
    )?;
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_OPERATION)?;
    if flags.contains(AllocationType::PRESERVE_PLACEHOLDER) {
        process.space().unmap_view_to_placeholder(base.0)
    } else {
        process.space().unmap_view(base.0)
    }
}

pub(crate) fn nt_flush_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    base: InOut<UserAddress>,
    size: InOut<Size>,
    io_status: Out<IoStatusBlock>,
) -> NtResult {
    let (wanted, length) = capture_range(base, size)?;
    io_status.probe::<w64::IoStatusBlock>()?;
    check_range(
        wanted,
        length,
        NtStatus::INVALID_PARAMETER_2,
        NtStatus::INVALID_PARAMETER_3,
    )?;
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_OPERATION)?;
    let range = process.space().flush(wanted, length)?;
    write_range(base, size, range)?;
    io_status.write(&w64::IoStatusBlock {
        status: NtStatus::SUCCESS.0,
        information: range.length(),
        ..w64::IoStatusBlock::new_zeroed()
    })
}
