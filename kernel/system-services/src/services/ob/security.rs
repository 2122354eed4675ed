//! Security descriptors of objects.

use nt_abi::security::SecurityInformation;
use nt_abi::services::arguments::{Handle, In, OptionalOutBytes, Out, SecurityDescriptor};
use nt_abi::{NtResult, NtStatus};
use ob::security::{query_security, rights_to_query, rights_to_set, set_security};

use crate::Caller;
use crate::capture::{self, Pointer};

pub(crate) fn nt_query_security_object(
    caller: &Caller<'_>,
    handle: Handle,
    security_information: u32,
    security_descriptor: OptionalOutBytes,
    length: u32,
    length_needed: Out<u32>,
) -> NtResult {
    length_needed.probe::<u32>()?;
    let buffer = security_descriptor.address();
    if !buffer.is_multiple_of(align_of::<u32>() as u64) {
        return Err(NtStatus::DATATYPE_MISALIGNMENT);
    }
    let information = SecurityInformation(security_information);
    let object = caller.reference_any(handle, rights_to_query(information))?;
    let descriptor = query_security(&object, information)?;
    let bytes = descriptor.bytes();
    let needed = u32::try_from(bytes.len()).map_err(|_| NtStatus::INTEGER_OVERFLOW)?;
    length_needed.write(&needed)?;
    if needed > length {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    capture::write_bytes(buffer, bytes)
}

pub(crate) fn nt_set_security_object(
    caller: &Caller<'_>,
    handle: Handle,
    security_information: u32,
    security_descriptor: In<SecurityDescriptor>,
) -> NtResult {
    if security_descriptor.is_null() {
        return Err(NtStatus::ACCESS_VIOLATION);
    }
    let information = SecurityInformation(security_information);
    let object = caller.reference_any(handle, rights_to_set(information))?;
    let captured = capture::security_descriptor(security_descriptor.address())?;
    let new = captured.as_descriptor();
    let lacks = |part, there: bool| information.contains(part) && !there;
    if lacks(SecurityInformation::OWNER, new.owner().is_some())
        || lacks(SecurityInformation::GROUP, new.group().is_some())
    {
        return Err(NtStatus::INVALID_SECURITY_DESCR);
    }
    let tokens = caller.tokens();
    set_security(&object, information, new, tokens.subject())
}
