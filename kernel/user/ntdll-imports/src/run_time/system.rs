//! Time and the version of the system.

use c_interface::{Ptr, imports};
use nt_abi::NtStatus;
use nt_abi::system_information::machine::RtlTimeZoneInformation;

imports! { "ntdll";
    /// The time of day.
    fn RtlGetSystemTimePrecise() -> i64;
    /// The time since boot, and the counter's.
    fn RtlGetInterruptTimePrecise(counter: Ptr<i64>) -> i64;
    /// The time since boot without that in which the system slept.
    fn RtlQueryUnbiasedInterruptTime(time: Ptr<u64>) -> u8;
    /// The time zone.
    fn RtlQueryTimeZoneInformation(zone: Ptr<RtlTimeZoneInformation>) -> NtStatus;
    /// Sets the time zone.
    fn RtlSetTimeZoneInformation(zone: Ptr<RtlTimeZoneInformation>) -> NtStatus;
    /// Whether the version is as somebody wants it.
    fn RtlVerifyVersionInfo(wanted: Ptr<u8>, types: u32, conditions: u64) -> NtStatus;
}
