//! From a number and registers to a service's function.

use arch::contract::{UserState as _, VirtAddr};
use arch::thread::UserState;
use nt_abi::services::RawArguments;
use nt_abi::{NtResult, NtStatus};

use crate::{Caller, capture};

/// The arguments of a call: the first in registers, the others on the user's stack.
pub(crate) struct Arguments<'a>(pub(crate) &'a UserState);

impl RawArguments for Arguments<'_> {
    #[inline(always)]
    fn argument(&self, index: usize) -> NtResult<u64> {
        if index < UserState::REGISTER_ARGUMENTS {
            return Ok(self.0.argument(index));
        }
        let VirtAddr(first) = self.0.stack_arguments();
        let offset = (index - UserState::REGISTER_ARGUMENTS) as u64 * 8;
        capture::read(first.wrapping_add(offset))
    }
}

nt_abi::define_service_dispatch! {
    /// Runs a system service.
    pub(crate) fn dispatch(Caller<'_>);
    ex = crate::services::ex;
    io = crate::services::io;
    ke = crate::services::ke;
    mm = crate::services::mm;
    ob = crate::services::ob;
    ps = crate::services::ps;
    se = crate::services::se;
}

/// Runs the service with that number for the caller.
#[inline]
pub(crate) fn call(caller: &Caller<'_>, number: u32, user: &UserState) -> NtStatus {
    let Ok(number) = u16::try_from(number) else {
        return NtStatus::INVALID_SYSTEM_SERVICE;
    };
    dispatch(caller, number, &Arguments(user))
}
