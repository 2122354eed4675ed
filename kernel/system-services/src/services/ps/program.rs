//! Which image a new process runs, and what `PS_CREATE_INFO` says of the attempt.

use arch::contract::UserState as _;
use arch::thread::UserState;
use mm::Section;
use mm::section::{ImageInformation, SECTION};
use nt_abi::access::AccessMask;
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::process_creation::{PsAttributeNumber, PsCreateState};
use nt_abi::services::arguments::{InOut, PsCreateInfo};
use nt_abi::w64::{self, PsCreateSuccess};
use nt_abi::{NtResult, NtStatus};
use ob::{Object, OpenParameters, Root};
use ps::Process;
use rtl::utf16::{Utf16Str, Utf16String};
use zerocopy::{FromBytes as _, IntoBytes as _};

use super::attributes::Attributes;
use crate::Caller;
use crate::capture::{self, Pointer};

/// A captured `PS_CREATE_INFO`.
pub(super) struct CreateInfo {
    place: InOut<PsCreateInfo>,
    info: w64::PsCreateInfo,
}

impl CreateInfo {
    /// Captures it.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a wrong length or a state that is not the first; the probes' statuses.
    pub(super) fn capture(place: InOut<PsCreateInfo>) -> NtResult<Self> {
        let info: w64::PsCreateInfo = place.read()?;
        place.probe::<w64::PsCreateInfo>()?;
        let right_size = info.size == size_of::<w64::PsCreateInfo>() as u64;
        if !right_size || info.state != PsCreateState::INITIAL_STATE {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        Ok(Self { place, info })
    }

    /// Says how far the attempt came; gives the status that it failed with.
    fn failed(&self, state: PsCreateState, status: NtStatus) -> NtStatus {
        let mut info = self.info;
        info.state = state;
        match self.place.write(&info) {
            Ok(()) => status,
            Err(fault) => fault,
        }
    }

    /// Says that all is done, and where things are.
    ///
    /// # Errors
    /// The probes' statuses.
    pub(super) fn succeeded(&self, process: &Process) -> NtResult {
        let mut parameters = [0; 8];
        let place = process.peb() + core::mem::offset_of!(w64::Peb, process_parameters) as u64;
        // It was written there just now.
        let _ = process.space().read(place, &mut parameters);
        let success = PsCreateSuccess {
            user_process_parameters_native: u64::from_le_bytes(parameters),
            current_parameter_flags: 1,
            peb_address_native: process.peb(),
            ..PsCreateSuccess::default()
        };
        let mut info = self.info;
        info.state = PsCreateState::SUCCESS;
        if let Ok(data) = w64::PsCreateInfoData::read_from_bytes(success.as_bytes()) {
            info.data = data;
        }
        self.place.write(&info)
    }
}

/// The longest path, in bytes: what a `UNICODE_STRING` holds.
const LONGEST_PATH: usize = 0xFFFE;

/// The section of the program that an attribute list names.
///
/// # Errors
/// `INVALID_PARAMETER` without a path; `OBJECT_NAME_INVALID`; what the open says; `IMAGE_MACHINE_TYPE_MISMATCH`;
/// `INVALID_IMAGE_FORMAT` for a library. What failed is said in `info` too.
pub(super) fn find(
    caller: &Caller<'_>,
    list: &Attributes,
    info: &CreateInfo,
) -> NtResult<Object<Section>> {
    let path = list
        .find(PsAttributeNumber::IMAGE_NAME)
        .ok_or(NtStatus::INVALID_PARAMETER)?;
    let length = usize::try_from(path.size).unwrap_or(usize::MAX);
    if length > LONGEST_PATH || !length.is_multiple_of(2) {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    let units = capture::read_array::<u16>(path.value, length / 2)?;
    let section = open(caller, Utf16Str::new(&units))
        .map_err(|status| info.failed(PsCreateState::FAIL_ON_FILE_OPEN, status))?;
    let image = section
        .image_information()
        .map_err(|status| info.failed(PsCreateState::FAIL_ON_SECTION_CREATE, status))?;
    if let Some((state, status)) = refusal(&image) {
        return Err(info.failed(state, status));
    }
    Ok(section)
}

/// Why no process can run an image, and how the attempt then ends: it is for another machine, or a library.
pub(super) fn refusal(image: &ImageInformation) -> Option<(PsCreateState, NtStatus)> {
    if image.headers.machine.0 != UserState::MACHINE {
        let status = NtStatus::IMAGE_MACHINE_TYPE_MISMATCH;
        return Some((PsCreateState::FAIL_MACHINE_MISMATCH, status));
    }
    let is_library = image
        .headers
        .characteristics
        .contains(pe::FileCharacteristics::DLL);
    is_library.then_some((
        PsCreateState::FAIL_EXE_FORMAT,
        NtStatus::INVALID_IMAGE_FORMAT,
    ))
}

fn open(caller: &Caller<'_>, path: Utf16Str<'_>) -> NtResult<Object<Section>> {
    let (_, name) = path.split_last();
    if name.units().is_empty() {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    let mut known = Utf16String::new();
    known.push_str(r"\KnownDlls\")?;
    known.push(name)?;
    let tokens = caller.tokens();
    let object = ob::open::reference_by_name(
        &OpenParameters {
            name: Some(known.as_str()),
            root: Root::Namespace,
            attributes: ObjectAttributeFlags::CASE_INSENSITIVE,
            kind: Some(&SECTION),
            access: AccessMask::SECTION_MAP_EXECUTE,
            subject: tokens.subject(),
        },
        None,
    )?;
    object
        .downcast()
        .map_err(|_| NtStatus::OBJECT_TYPE_MISMATCH)
}
