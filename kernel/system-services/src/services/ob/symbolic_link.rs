//! Symbolic links of the namespace.

use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{
    AccessMask as Access, Handle, In, InOut, ObjectAttributes, OptionalOut, Out, UnicodeString,
};
use nt_abi::{NtResult, NtStatus, w64};
use ob::SymbolicLink;
use zerocopy::IntoBytes as _;

use crate::Caller;
use crate::capture::{self, Pointer};
use crate::services::ex::{create_object, open_object};

pub(crate) fn nt_create_symbolic_link_object(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
    link_target: In<UnicodeString>,
) -> NtResult<NtStatus> {
    handle.probe::<u64>()?;
    let string: w64::UnicodeString = link_target.read()?;
    // Some programs say an odd size of the buffer.
    let maximum = string.maximum_length & !1;
    if string.length > maximum || !string.length.is_multiple_of(2) || maximum == 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let units = capture::read_array(string.buffer, usize::from(string.length / 2))?;
    let target = rtl::Utf16String::from_units(units);
    create_object(caller, handle, access, attributes.address(), || {
        Ok(SymbolicLink::new(target, ke::clock::system_time()))
    })
}

pub(crate) fn nt_open_symbolic_link_object(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    handle.probe::<u64>()?;
    if attributes.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    open_object::<SymbolicLink>(caller, handle, access, attributes)
}

/// # Differs
/// NT remembers how large the buffer of the target was when the link was made, and with a return length asks for as much;
/// here it is always the text and a terminator.
pub(crate) fn nt_query_symbolic_link_object(
    caller: &Caller<'_>,
    link: Handle,
    link_target: InOut<UnicodeString>,
    return_length: OptionalOut<u32>,
) -> NtResult {
    let string: w64::UnicodeString = link_target.read()?;
    link_target.probe::<w64::UnicodeString>()?;
    return_length.probe_optional::<u32>()?;
    let link = caller.reference::<SymbolicLink>(link, AccessMask::SYMBOLIC_LINK_QUERY)?;
    let target = link.target();
    let length = u16::try_from(2 * target.len()).map_err(|_| NtStatus::NAME_TOO_LONG)?;
    let with_end = u32::from(length) + 2;
    let wants_end = !return_length.is_null();
    let needed = if wants_end {
        with_end
    } else {
        u32::from(length)
    };
    if needed > u32::from(string.maximum_length) {
        return_length.write_optional(&with_end)?;
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    capture::write_bytes(string.buffer, target.units().as_bytes())?;
    if wants_end {
        let end = string.buffer.wrapping_add(u64::from(length));
        capture::write_bytes(end, &[0; 2])?;
    }
    link_target.write(&w64::UnicodeString { length, ..string })?;
    return_length.write_optional(&with_end)
}
