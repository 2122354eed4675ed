//! What the system says of itself.
//!
//! A class is answered if the kernel knows all that its structure tells. One that Windows knows and this kernel does not
//! answer yet gives `NOT_IMPLEMENTED`; a number that is no class gives `INVALID_INFO_CLASS`.

mod activity;
mod lists;
mod machine;

use alloc::vec::Vec;

use nt_abi::services::arguments::{InBytes, OptionalOut, OptionalOutBytes, SystemInformationClass};
use nt_abi::system_information::SystemInformationClass as Class;
use nt_abi::{NtResult, NtStatus};

use crate::Caller;
use crate::capture::{self, Plain};
use crate::information::Query;

/// Elements one after another, as bytes.
struct Bytes(Vec<u8>);

impl Bytes {
    const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends a structure.
    fn push<T: Plain>(&mut self, value: &T) -> NtResult {
        let bytes = value.as_bytes();
        self.0
            .try_reserve(bytes.len())
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

/// Answers with as many whole elements as fit, at least one.
fn whole_elements(query: &Query, elements: &Bytes, size: usize) -> NtResult {
    let room = query.length() as usize / size * size;
    let answer = elements.as_slice();
    let shown = answer.get(..room).unwrap_or(answer);
    if shown.is_empty() {
        query.tell_length(answer.len())?;
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    query.bytes(shown, NtStatus::INFO_LENGTH_MISMATCH)
}

fn too_short(query: &Query, answer: &Bytes) -> NtResult {
    query.bytes(answer.as_slice(), NtStatus::INFO_LENGTH_MISMATCH)
}

/// What a class that is not answered gives.
fn not_answered(class: Class) -> NtStatus {
    if class.name().is_some() {
        NtStatus::NOT_IMPLEMENTED
    } else {
        NtStatus::INVALID_INFO_CLASS
    }
}

pub(crate) fn nt_query_system_information(
    _caller: &Caller<'_>,
    class: SystemInformationClass,
    information: OptionalOutBytes,
    length: u32,
    return_length: OptionalOut<u32>,
) -> NtResult {
    let query = Query::probed(information.address(), length, return_length.address())?;
    let class = Class(class.0);
    match class {
        Class::BASIC | Class::EMULATION_BASIC => query.exactly(&machine::basic()),
        Class::PROCESSOR | Class::EMULATION_PROCESSOR => query.at_least(&machine::processor()),
        Class::PERFORMANCE => query.at_least(&activity::performance()?),
        Class::TIME_OF_DAY => machine::time_of_day(&query),
        Class::PROCESS => too_short(&query, &lists::processes()?),
        Class::PROCESSOR_PERFORMANCE => {
            let (elements, size) = activity::processors()?;
            whole_elements(&query, &elements, size)
        }
        Class::FLAGS => query.exactly(&machine::flags()),
        Class::HANDLE => too_short(&query, &lists::handles()?),
        Class::EXTENDED_HANDLE => too_short(&query, &lists::handles_ex()?),
        Class::POOL_TAG => too_short(&query, &activity::pool_tags()?),
        Class::TIME_ADJUSTMENT => query.exactly(&machine::time_adjustment()),
        Class::KERNEL_DEBUGGER => query.at_least(&machine::kernel_debugger()),
        Class::KERNEL_DEBUGGER_EX => query.at_least(&machine::kernel_debugger_ex()),
        Class::CURRENT_TIME_ZONE => query.at_least(&machine::time_zone()),
        Class::RANGE_START => query.exactly(&machine::range_start()),
        Class::LOGICAL_PROCESSOR => too_short(&query, &machine::logical_processors()?),
        Class::CODE_INTEGRITY => machine::code_integrity(&query, information),
        Class::SECURE_BOOT => query.at_least(&machine::secure_boot()),
        Class::BASIC_PERFORMANCE => query.at_least(&activity::basic_performance()),
        _ => Err(not_answered(class)),
    }
}

pub(crate) fn nt_query_system_information_ex(
    caller: &Caller<'_>,
    class: SystemInformationClass,
    input_buffer: InBytes,
    input_buffer_length: u32,
    information: OptionalOutBytes,
    length: u32,
    return_length: OptionalOut<u32>,
) -> NtResult {
    if input_buffer.is_null() || input_buffer_length == 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let query = Query::probed(information.address(), length, return_length.address())?;
    let class = Class(class.0);
    match class {
        Class::LOGICAL_PROCESSOR_AND_GROUP => {
            if input_buffer_length as usize != size_of::<u32>() {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            let relationship = capture::read::<u32>(input_buffer.address())?;
            too_short(&query, &machine::relationships(relationship)?)
        }
        Class::SUPPORTED_PROCESSOR_ARCHITECTURES | Class::SUPPORTED_PROCESSOR_ARCHITECTURES2 => {
            if input_buffer_length as usize != size_of::<u64>() {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            let process = capture::read::<u64>(input_buffer.address())?;
            let answer = machine::supported_architectures(caller, process)?;
            query.bytes(answer.as_slice(), NtStatus::BUFFER_TOO_SMALL)
        }
        // The others have no input.
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    }
}
