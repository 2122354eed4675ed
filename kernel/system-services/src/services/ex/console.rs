//! What needs a person: text on the console, hard errors.

use nt_abi::security::Privilege;
use nt_abi::services::arguments::{Elsewhere, In, InArray, Out, Size, UnicodeString};
use nt_abi::{NtResult, NtStatus};

use ::ex::GuardedMutex;
use alloc::vec::Vec;

use super::hard_error::{self, Parameter};
use crate::Caller;
use crate::capture::{Pointer, read_array, unicode_string};

/// Who writes text: one thread at a time, so that what several write does not mix.
static WRITER: GuardedMutex<()> = GuardedMutex::new(());

/// Writes text to the console, unpaired surrogates as replacement characters. What one call writes stays together, but for
/// lines of the kernel's log.
///
/// # Differs
/// NT asks for `SeTcbPrivilege`: only its boot programs print so. Here it is the one way in which a program without a C
/// library prints, and such programs run with the rights of any user. The console shows nothing else that text could be
/// taken for but the kernel's log.
pub(crate) fn nt_display_string(_caller: &Caller<'_>, string: In<UnicodeString>) -> NtResult {
    let text = unicode_string(string.address())?;
    // It sleeps; the lock under it keeps interrupts out, and so is held for a piece of the text at most.
    let _turn = WRITER.acquire();
    let letters = char::decode_utf16(text.as_str().units().iter().copied());
    ::ke::log::write_text(letters.map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)));
    Ok(())
}

/// The most parameters of a hard error.
const MOST_PARAMETERS: u32 = 4;
/// `OptionShutdownSystem`.
const OPTION_SHUTDOWN: u32 = 6;
/// `OptionCancelTryContinue`, the last one.
const LAST_OPTION: u32 = 8;
/// `ResponseNotHandled`: nobody was there to answer.
const NOT_HANDLED: u32 = 1;

/// Shows the error on the console; there is nobody who could answer.
///
/// # Differs
/// NT hands the error to a port, and the subsystem's server shows a box. Here it is a line on the console: who, what, and
/// the strings among the parameters. `OptionShutdownSystem` does not stop the machine; it asks for the privilege and is
/// answered like the others.
pub(crate) fn nt_raise_hard_error(
    caller: &Caller<'_>,
    error_status: NtStatus,
    parameter_count: u32,
    unicode_string_mask: u32,
    parameters: InArray<Size, Elsewhere>,
    valid_response_options: u32,
    response: Out<u32>,
) -> NtResult {
    if parameter_count > MOST_PARAMETERS {
        return Err(NtStatus::INVALID_PARAMETER_2);
    }
    if valid_response_options > LAST_OPTION {
        return Err(NtStatus::INVALID_PARAMETER_4);
    }
    response.probe::<u32>()?;
    if valid_response_options == OPTION_SHUTDOWN {
        caller.require_privilege(Privilege::SHUTDOWN)?;
    }
    let values = if parameters.address() == 0 {
        Vec::new()
    } else {
        read_array::<u64>(parameters.address(), parameter_count as usize)?
    };
    let parameters = captured(&values, unicode_string_mask)?;
    let _turn = WRITER.acquire();
    hard_error::show(caller.process(), error_status, &parameters);
    response.write(&NOT_HANDLED)
}

/// The parameters: strings where the mask has a bit, numbers otherwise.
fn captured(values: &[u64], unicode_string_mask: u32) -> NtResult<Vec<Parameter>> {
    let mut parameters = Vec::new();
    parameters
        .try_reserve_exact(values.len())
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    for (index, value) in (0..).zip(values) {
        parameters.push(match unicode_string_mask >> index & 1 {
            0 => Parameter::Number(*value),
            _ => Parameter::Text(unicode_string(*value)?),
        });
    }
    Ok(parameters)
}
