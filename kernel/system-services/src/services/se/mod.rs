//! Services of security: tokens, privileges, the access check, audits.
//!
//! | module | services |
//! |---|---|
//! | `token` | opening, copying, filtering, making tokens; who acts as whom |
//! | `adjust` | privileges and groups on and off |
//! | `information` | what a token says |
//! | `check` | the access check and the privilege check for servers |
//! | `audit` | the checks and notes that belong in an audit |
//! | `lists` | lists of SIDs, privileges and parts of objects behind addresses |

mod adjust;
mod audit;
mod check;
mod information;
mod lists;
mod token;

pub(crate) use adjust::*;
pub(crate) use audit::*;
pub(crate) use check::*;
pub(crate) use information::*;
pub(crate) use token::*;

use nt_abi::access::AccessMask;
use nt_abi::services::arguments::Handle;
use nt_abi::{NtResult, NtStatus};
use ps::token::{SharedToken, TokenBody};

use crate::Caller;

/// The pseudo handle of the own process's token (`NtCurrentProcessToken()`).
const PROCESS_TOKEN: Handle = Handle(0u64.wrapping_sub(4));
/// The pseudo handle of the token that the own thread acts with (`NtCurrentThreadToken()`).
const THREAD_TOKEN: Handle = Handle(0u64.wrapping_sub(5));
/// The pseudo handle of that one or else the process's (`NtCurrentThreadEffectiveToken()`).
const EFFECTIVE_TOKEN: Handle = Handle(0u64.wrapping_sub(6));

/// A token for a right; the pseudo handles are good for looking alone.
fn reference(caller: &Caller<'_>, handle: Handle, access: AccessMask) -> NtResult<SharedToken> {
    let own = match handle {
        PROCESS_TOKEN => caller.process().token(),
        THREAD_TOKEN => caller.thread.impersonates().ok_or(NtStatus::NO_TOKEN)?,
        EFFECTIVE_TOKEN => caller
            .thread
            .impersonates()
            .unwrap_or_else(|| caller.process().token()),
        _ => return caller.reference::<TokenBody>(handle, access),
    };
    let looking = AccessMask::TOKEN_QUERY | AccessMask::TOKEN_QUERY_SOURCE;
    if !looking.contains(access) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    Ok(own)
}
