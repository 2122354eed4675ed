//! Times that people ask for: the system's, the local one, how long the machine runs.

use core::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

pub use ke::clock::{interrupt_time, period, set_system_time, system_time, tick_count};

/// Which part of a time zone's year it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum ZonePart {
    /// The zone has one time all the year.
    Unknown = 0,
    /// Standard time.
    Standard = 1,
    /// Summer time.
    Daylight = 2,
}

/// What `SystemTimeOfDayInformation` tells, in 100 ns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeOfDay {
    /// When the machine was started, since 1601.
    pub boot_time: u64,
    /// Now, since 1601.
    pub current_time: u64,
    /// What is subtracted from the system's time to get the local one.
    pub zone_bias: i64,
    /// `ZonePart`'s number.
    pub zone_id: u32,
}

static BIAS: AtomicI64 = AtomicI64::new(0);
static PART: AtomicU32 = AtomicU32::new(ZonePart::Unknown as u32);
static BOOTED: AtomicU64 = AtomicU64::new(0);

/// Sets what is subtracted from the system's time to get the local one.
#[doc(alias = "ExpSetTimeZoneInformation")]
pub fn set_zone(bias_minutes: i32, part: ZonePart) {
    const MINUTE: i64 = 600_000_000;
    BIAS.store(i64::from(bias_minutes) * MINUTE, Ordering::Relaxed);
    PART.store(part as u32, Ordering::Relaxed);
}

/// Remembers when the machine was started: as soon as the system time was set for the first time.
pub fn note_boot_time() {
    BOOTED.store(
        system_time().saturating_sub(interrupt_time()),
        Ordering::Relaxed,
    );
}

/// The time of day.
pub fn time_of_day() -> TimeOfDay {
    TimeOfDay {
        boot_time: BOOTED.load(Ordering::Relaxed),
        current_time: system_time(),
        zone_bias: BIAS.load(Ordering::Relaxed),
        zone_id: PART.load(Ordering::Relaxed),
    }
}

/// The local time that a system time is.
#[doc(alias = "ExSystemTimeToLocalTime")]
pub fn to_local(system: u64) -> u64 {
    system.saturating_add_signed(BIAS.load(Ordering::Relaxed).saturating_neg())
}

/// The system time that a local time is.
#[doc(alias = "ExLocalTimeToSystemTime")]
pub fn from_local(local: u64) -> u64 {
    local.saturating_add_signed(BIAS.load(Ordering::Relaxed))
}
