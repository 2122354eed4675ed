//! The time of day, counters, the clock's resolution.

use ::ke::clock::{self, COARSEST_PERIOD, FINEST_PERIOD};
use arch::Machine;
use arch::contract::Clock;
use nt_abi::security::Privilege;
use nt_abi::services::arguments::{Boolean, In, OptionalIn, OptionalOut, Out};
use nt_abi::{NtResult, NtStatus};

use crate::Caller;
use crate::capture::Pointer;
use crate::numbers::{large, long};

pub(crate) fn nt_query_system_time(_caller: &Caller<'_>, system_time: Out<i64>) -> NtResult {
    system_time.write(&large(clock::system_time()))
}

/// Sets the time of day; without one it is set anew from the time zone, which changes nothing here.
///
/// # Errors
/// `PRIVILEGE_NOT_HELD`; `INVALID_PARAMETER` for a time before 1601 or after the year 30827, which no calendar of NT
/// reaches; the probes' statuses.
pub(crate) fn nt_set_system_time(
    caller: &Caller<'_>,
    system_time: OptionalIn<i64>,
    previous_time: OptionalOut<i64>,
) -> NtResult {
    /// Where `RtlTimeToTimeFields` ends.
    const LAST: u64 = 0x7FFF_35F4_F06C_58F0;
    previous_time.probe_optional::<i64>()?;
    let wanted: Option<i64> = system_time.read_optional()?;
    caller.require_privilege(Privilege::SYSTEMTIME)?;
    let before = clock::system_time();
    if let Some(wanted) = wanted {
        let wanted = u64::try_from(wanted).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        if wanted > LAST {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        clock::set_system_time(wanted);
    }
    previous_time.write_optional(&large(before))
}

pub(crate) fn nt_query_performance_counter(
    _caller: &Caller<'_>,
    performance_counter: Out<i64>,
    performance_frequency: OptionalOut<i64>,
) -> NtResult {
    performance_frequency.write_optional(&large(Machine::counter_frequency()))?;
    performance_counter.write(&large(Machine::counter()))
}

/// Reads the longest and the shortest time between two clock interrupts that can be had, and the present one.
pub(crate) fn nt_query_timer_resolution(
    _caller: &Caller<'_>,
    maximum_time: Out<u32>,
    minimum_time: Out<u32>,
    current_time: Out<u32>,
) -> NtResult {
    maximum_time.write(&long(COARSEST_PERIOD))?;
    minimum_time.write(&long(FINEST_PERIOD))?;
    current_time.write(&long(clock::period()))
}

/// Says what the calling process wants of the clock, or that it does not want it any more.
///
/// # Errors
/// `TIMER_RESOLUTION_NOT_SET` if it takes back what it has not asked for; the probes' statuses.
pub(crate) fn nt_set_timer_resolution(
    caller: &Caller<'_>,
    desired_time: u32,
    set_resolution: Boolean,
    actual_time: Out<u32>,
) -> NtResult {
    actual_time.probe::<u32>()?;
    let process = caller.process();
    if set_resolution.is_true() {
        // The new wish is there before the old one goes.
        let wanted = clock::request_resolution(u64::from(desired_time));
        drop(process.set_resolution(Some(wanted)));
        return actual_time.write(&long(clock::period()));
    }
    let wanted = process.set_resolution(None);
    let asked = wanted.is_some();
    drop(wanted);
    actual_time.write(&long(clock::period()))?;
    if asked {
        Ok(())
    } else {
        Err(NtStatus::TIMER_RESOLUTION_NOT_SET)
    }
}

/// There is no auxiliary counter on any machine that this kernel runs on.
pub(crate) fn nt_query_auxiliary_counter_frequency(
    _caller: &Caller<'_>,
    frequency: Out<u64>,
) -> NtResult {
    frequency.probe::<u64>()?;
    Err(NtStatus::NOT_SUPPORTED)
}

/// There is no auxiliary counter on any machine that this kernel runs on.
pub(crate) fn nt_convert_between_auxiliary_counter_and_performance_counter(
    _caller: &Caller<'_>,
    _from_auxiliary: Boolean,
    counter: In<u64>,
    converted_value: Out<u64>,
    conversion_error: OptionalOut<u64>,
) -> NtResult {
    counter.read::<u64>()?;
    converted_value.probe::<u64>()?;
    conversion_error.probe_optional::<u64>()?;
    Err(NtStatus::NOT_SUPPORTED)
}
