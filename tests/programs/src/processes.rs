//! Processes that a test program makes.

use nt_abi::access::AccessMask;
use nt_abi::process_creation::{PsAttributeNumber, PsCreateState};
use nt_abi::process_parameters::ParameterFlags;
use nt_abi::services::arguments::ProcessInformationClass;
use nt_abi::w64::{ClientId, PsAttribute, PsAttributeList, PsCreateInfo, RtlUserProcessParameters};
use nt_abi::{NtStatus, w64};
use zerocopy::{FromZeros as _, Immutable, IntoBytes, KnownLayout};

pub use flat_program::environment::{command_line, peb};

use crate::check::{Failed, Outcome};
use crate::names::Wide;
use crate::services::{
    CURRENT_PROCESS, NULL, NtClose, NtCreateUserProcess, NtQueryInformationProcess,
    NtSetInformationProcess, NtWaitForSingleObject, address_of,
};
use crate::status;

/// `ProcessBasicInformation`.
const BASIC: ProcessInformationClass = ProcessInformationClass(0);

/// `ProcessAffinityMask`.
const AFFINITY_MASK: ProcessInformationClass = ProcessInformationClass(21);

/// Makes a check while all threads of this process have to share the first processor.
///
/// # Errors
/// The check's; if the processors cannot be asked for or set.
pub fn on_one_processor(check: impl FnOnce() -> Outcome) -> Outcome {
    let restrict = |processors: u64| {
        NtSetInformationProcess(CURRENT_PROCESS, AFFINITY_MASK, &processors, 8u32)
    };
    let mut basic = w64::ProcessBasicInformation::default();
    status!(NtQueryInformationProcess(
        CURRENT_PROCESS,
        BASIC,
        &mut basic,
        size_of::<w64::ProcessBasicInformation>() as u32,
        NULL
    ));
    status!(restrict(1));
    let outcome = check();
    status!(restrict(basic.affinity_mask));
    outcome
}

/// A new process and its first thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Child {
    /// The process's handle.
    pub process: u64,
    /// The thread's handle.
    pub thread: u64,
    /// Both numbers.
    pub id: ClientId,
}

/// An attribute list with room for what a test says.
#[derive(Clone, Copy, Debug, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct AttributeList {
    /// How long it is.
    pub header: PsAttributeList,
    /// What it says; those beyond the length do not count.
    pub attributes: [PsAttribute; 6],
}

impl AttributeList {
    /// An empty list.
    pub fn new() -> Self {
        let mut list = Self {
            header: PsAttributeList::new_zeroed(),
            attributes: [PsAttribute::new_zeroed(); 6],
        };
        list.header.total_length = size_of::<PsAttributeList>() as u64;
        list
    }

    /// With one attribute more.
    ///
    /// # Panics
    /// If there is no room.
    #[must_use]
    pub fn with(mut self, number: PsAttributeNumber, size: u64, value: u64) -> Self {
        let header = size_of::<PsAttributeList>() as u64;
        let count = (self.header.total_length - header) / size_of::<PsAttribute>() as u64;
        let slot = &mut self.attributes[count as usize];
        slot.attribute = u64::from(number.0);
        slot.size = size;
        slot.value = value;
        self.header.total_length += size_of::<PsAttribute>() as u64;
        self
    }
}

impl Default for AttributeList {
    fn default() -> Self {
        Self::new()
    }
}

/// A word of this program's own command line as a decimal number, counted from the program's name, which is 0.
pub fn number(index: usize) -> Option<u64> {
    let words = command_line().split(|unit| *unit == u16::from(b' '));
    let word = words.filter(|word| !word.is_empty()).nth(index)?;
    word.iter().try_fold(0u64, |number, unit| {
        let digit = char::from_u32(u32::from(*unit))?.to_digit(10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// How a child is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// `PROCESS_CREATE_FLAGS_*`.
    pub process_flags: u32,
    /// `THREAD_CREATE_FLAGS_*`.
    pub thread_flags: u32,
}

/// Tries to make a process that runs a program, with a command line; gives the status, and how far it came.
pub fn try_start(
    program: &str,
    line: &str,
    options: Options,
    child: &mut Child,
) -> (NtStatus, PsCreateState) {
    let mut path = Wide::new(program);
    let mut line = Wide::new(line);
    let mut parameters = RtlUserProcessParameters::new_zeroed();
    parameters.length = size_of::<RtlUserProcessParameters>() as u32;
    parameters.maximum_length = parameters.length;
    parameters.flags = ParameterFlags::PARAMS_NORMALIZED;
    parameters.image_path_name = path.counted();
    parameters.command_line = line.counted();
    let mut info = PsCreateInfo::new_zeroed();
    info.size = size_of::<PsCreateInfo>() as u64;
    let image = path.counted();
    let id = address_of(&mut child.id);
    let list = AttributeList::new()
        .with(
            PsAttributeNumber::IMAGE_NAME,
            u64::from(image.length),
            image.buffer,
        )
        .with(
            PsAttributeNumber::CLIENT_ID,
            size_of::<w64::ClientId>() as u64,
            id,
        );
    let status = NtCreateUserProcess(
        &mut child.process,
        &mut child.thread,
        AccessMask::PROCESS_ALL_ACCESS,
        AccessMask::THREAD_ALL_ACCESS,
        NULL,
        NULL,
        options.process_flags,
        options.thread_flags,
        &parameters,
        &mut info,
        &list,
    );
    (status, info.state)
}

/// Makes a process that runs a program of ours, by its name.
///
/// # Errors
/// If it cannot be made.
pub fn start_with(program: &str, line: &str, options: Options) -> Result<Child, Failed> {
    let mut child = Child::default();
    let (status, state) = try_start(program, line, options, &mut child);
    status!(status);
    crate::expect!(state, PsCreateState::SUCCESS);
    Ok(child)
}

/// Makes a process that runs a program of ours, by its name.
///
/// # Errors
/// If it cannot be made.
pub fn start(program: &str) -> Result<Child, Failed> {
    start_with(program, program, Options::default())
}

impl Child {
    /// Waits until it has ended; gives what it ended with.
    ///
    /// # Errors
    /// If that is refused.
    pub fn exit_status(self) -> Result<u32, Failed> {
        status!(NtWaitForSingleObject(self.process, false, NULL));
        let mut basic = w64::ProcessBasicInformation::new_zeroed();
        status!(NtQueryInformationProcess(
            self.process,
            BASIC,
            &mut basic,
            size_of::<w64::ProcessBasicInformation>() as u32,
            NULL
        ));
        Ok(basic.exit_status)
    }

    /// Waits until it has ended, and closes its handles.
    ///
    /// # Errors
    /// If that is refused.
    pub fn join(self) -> Outcome {
        status!(NtWaitForSingleObject(self.process, false, NULL));
        self.close()
    }

    /// Closes its handles.
    ///
    /// # Errors
    /// If that is refused.
    pub fn close(self) -> Outcome {
        status!(NtClose(self.thread));
        status!(NtClose(self.process));
        Ok(())
    }
}
