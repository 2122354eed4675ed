//! Mutants, which Win32 calls mutexes.

use ::ke::dispatcher::Mutant;
use nt_abi::access::AccessMask;
use nt_abi::object_information::MutantBasicInformation;
use nt_abi::services::arguments::{
    AccessMask as Access, Boolean, Handle, In, MutantInformationClass, ObjectAttributes,
    OptionalIn, OptionalOut, Out, OutBytes,
};
use nt_abi::w64::{ClientId, MutantOwnerInformation};
use nt_abi::{NtResult, NtStatus};

use super::{Fixed, create_object, open_object};
use crate::Caller;
use crate::capture::Pointer;
use crate::object_types::MutantBody;

pub(crate) fn nt_create_mutant(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    initial_owner: Boolean,
) -> NtResult<NtStatus> {
    create_object(caller, handle, access, attributes.address(), || {
        Mutant::new(initial_owner.is_true()).map(MutantBody)
    })
}

pub(crate) fn nt_open_mutant(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    open_object::<MutantBody>(caller, handle, access, attributes)
}

pub(crate) fn nt_release_mutant(
    caller: &Caller<'_>,
    mutant: Handle,
    previous_count: OptionalOut<i32>,
) -> NtResult {
    previous_count.probe_optional::<i32>()?;
    // No right is asked for: only the owner can do it.
    let mutant = caller.reference::<MutantBody>(mutant, AccessMask::NONE)?;
    let before = mutant.0.release()?;
    previous_count.write_optional(&before)
}

pub(crate) fn nt_query_mutant(
    caller: &Caller<'_>,
    mutant: Handle,
    class: MutantInformationClass,
    information: OutBytes,
    length: u32,
    return_length: OptionalOut<u32>,
) -> NtResult {
    use nt_abi::object_information::MutantInformationClass as Class;
    match Class(class.0) {
        Class::BASIC => {
            let answer = Fixed::new(information, length, return_length)?;
            let mutant = caller.reference::<MutantBody>(mutant, AccessMask::MUTANT_QUERY_STATE)?;
            let state = mutant.0.state();
            answer.give(&MutantBasicInformation {
                current_count: state.count,
                owned_by_caller: u8::from(state.owned_by_caller),
                abandoned_state: u8::from(state.abandoned),
                reserved0: [0; 2],
            })
        }
        Class::OWNER => {
            let answer = Fixed::new(information, length, return_length)?;
            let mutant = caller.reference::<MutantBody>(mutant, AccessMask::MUTANT_QUERY_STATE)?;
            let (process, thread) = mutant.0.state().owner.unwrap_or((0, 0));
            answer.give(&MutantOwnerInformation {
                client_id: ClientId {
                    unique_process: u64::from(process),
                    unique_thread: u64::from(thread),
                },
            })
        }
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    }
}
