//! Time: the clock, the counters, and dates.
//!
//! The time of day and the ticks cost no system call: the kernel keeps them in the shared page.

use core::sync::atomic::Ordering::Acquire;

use nt_abi::services::arguments::SystemInformationClass;
use nt_abi::system_information::SystemInformationClass as Class;
use nt_abi::system_information::activity::SystemProcessorPerformanceInformation;
use nt_abi::system_information::machine::{
    RtlTimeZoneInformation, SystemQueryTimeAdjustInformation, TimeFields,
};
use nt_abi::user_shared_data::{KsystemTime, KuserSharedData};
use ntdll_imports::{
    NULL, NtQuerySystemInformation, NtSetSystemTime, RtlGetInterruptTimePrecise,
    RtlGetSystemTimePrecise, RtlQueryTimeZoneInformation, RtlQueryUnbiasedInterruptTime,
    RtlSetTimeZoneInformation,
};

use crate::structures::{DynamicTimeZoneInformation, FileTime, SystemTime, TimeZoneInformation};
use crate::times;
use crate::win::*;

/// `TIME_ZONE_ID_INVALID`.
const NO_ZONE: u32 = u32::MAX;
/// The most processors that times are asked of.
const PROCESSORS: u32 = 64;

/// Reads a number that the kernel changes meanwhile.
fn whole(time: Ptr<KsystemTime>) -> i64 {
    loop {
        // The order matters: it is the writer's, backwards.
        let high1_time = field!(time, KsystemTime, high1_time).cast::<u32>().atomic();
        let low_part = field!(time, KsystemTime, low_part).atomic();
        let high2_time = field!(time, KsystemTime, high2_time).cast::<u32>().atomic();
        let read = KsystemTime {
            high1_time: high1_time.load(Acquire).cast_signed(),
            low_part: low_part.load(Acquire),
            high2_time: high2_time.load(Acquire).cast_signed(),
        };
        if let Some(time) = read.get() {
            return time;
        }
        core::hint::spin_loop();
    }
}

macro_rules! shared {
    ($field:ident) => {
        field!(shared_data(), KuserSharedData, $field)
    };
}

/// The time of day, UTC.
pub(crate) fn now() -> i64 {
    whole(shared!(system_time))
}

/// UTC less local time.
fn bias() -> i64 {
    whole(shared!(time_zone_bias))
}

/// The time of day, local.
pub(crate) fn local_now() -> i64 {
    now().wrapping_sub(bias())
}

fn ticks() -> u64 {
    let ticks = whole(shared!(tick_count)).cast_unsigned();
    times::milliseconds(ticks, shared!(tick_count_multiplier).read())
}

fn set_time(time: Win<i64>) -> Win {
    let time = time?;
    check(NtSetSystemTime(&time, NULL))
}

/// The time zone, in Win32's form.
fn zone() -> Win<TimeZoneInformation> {
    let mut found = RtlTimeZoneInformation::default();
    check(RtlQueryTimeZoneInformation(Ptr::of(&mut found)))?;
    Ok(TimeZoneInformation {
        bias: found.bias,
        standard_name: found.standard_name,
        standard_date: date(&found.standard_start),
        standard_bias: found.standard_bias,
        daylight_name: found.daylight_name,
        daylight_date: date(&found.daylight_start),
        daylight_bias: found.daylight_bias,
    })
}

/// A date as Win32 has it.
fn date(from: &TimeFields) -> SystemTime {
    SystemTime {
        year: from.year.cast_unsigned(),
        month: from.month.cast_unsigned(),
        day_of_week: from.weekday.cast_unsigned(),
        day: from.day.cast_unsigned(),
        hour: from.hour.cast_unsigned(),
        minute: from.minute.cast_unsigned(),
        second: from.second.cast_unsigned(),
        milliseconds: from.milliseconds.cast_unsigned(),
    }
}

/// A date as NT has it.
fn nt_date(from: &SystemTime) -> TimeFields {
    TimeFields {
        year: from.year.cast_signed(),
        month: from.month.cast_signed(),
        day: from.day.cast_signed(),
        hour: from.hour.cast_signed(),
        minute: from.minute.cast_signed(),
        second: from.second.cast_signed(),
        milliseconds: from.milliseconds.cast_signed(),
        weekday: from.day_of_week.cast_signed(),
    }
}

/// The time zone that the caller names, or the system's.
fn zone_or_own(given: Ptr<TimeZoneInformation>) -> Win<TimeZoneInformation> {
    given.read_optional().map_or_else(zone, Ok)
}

/// Sums of what the processors did: idle, in the kernel, in user mode.
fn system_times() -> Win<[i64; 3]> {
    let mut found = [SystemProcessorPerformanceInformation::default(); PROCESSORS as usize];
    let mut length = 0_u32;
    check(NtQuerySystemInformation(
        SystemInformationClass(Class::PROCESSOR_PERFORMANCE.0),
        &mut found,
        size_in_u32::<SystemProcessorPerformanceInformation>() * PROCESSORS,
        &mut length,
    ))?;
    let count = length as usize / size_of::<SystemProcessorPerformanceInformation>();
    let found = &found[..count.min(PROCESSORS as usize)];
    Ok([
        found.iter().map(|one| one.idle_time).sum(),
        found.iter().map(|one| one.kernel_time).sum(),
        found.iter().map(|one| one.user_time).sum(),
    ])
}

exports! {
    /// The time of day, UTC, as old as the last tick.
    fn GetSystemTimeAsFileTime(time: Ptr<FileTime>) {
        time.write(FileTime::new(now()));
    }

    /// The time of day, UTC, as exact as it is known.
    fn GetSystemTimePreciseAsFileTime(time: Ptr<FileTime>) {
        time.write(FileTime::new(RtlGetSystemTimePrecise()));
    }

    /// The date and time of day, UTC.
    fn GetSystemTime(time: Ptr<SystemTime>) {
        time.write(times::fields(now()).unwrap_or_default());
    }

    /// The date and time of day, local.
    fn GetLocalTime(time: Ptr<SystemTime>) {
        time.write(times::fields(local_now()).unwrap_or_default());
    }

    /// Sets the clock, UTC.
    fn SetSystemTime(time: Ptr<SystemTime>) -> Bool {
        truth(set_time(times::moment(&time.read())))
    }

    /// Sets the clock, local time.
    fn SetLocalTime(time: Ptr<SystemTime>) -> Bool {
        truth(set_time(times::moment(&time.read()).map(|local| local.wrapping_add(bias()))))
    }

    /// Milliseconds since boot, in 32 bits.
    fn GetTickCount() -> u32 {
        let [a, b, c, d, ..] = ticks().to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// Milliseconds since boot.
    fn GetTickCount64() -> u64 {
        ticks()
    }

    /// The time since boot, in 100 ns, as old as the last tick.
    fn QueryInterruptTime(time: Ptr<u64>) {
        time.write(whole(shared!(interrupt_time)).cast_unsigned());
    }

    /// The time since boot, in 100 ns.
    fn QueryInterruptTimePrecise(time: Ptr<u64>) {
        let mut counter = 0;
        time.write(RtlGetInterruptTimePrecise(Ptr::of(&mut counter)).cast_unsigned());
    }

    /// The time since boot without that in which the system slept.
    fn QueryUnbiasedInterruptTime(time: Ptr<u64>) -> Bool {
        if time.is_null() {
            return truth(Err(Error::INVALID_PARAMETER));
        }
        Bool::from(RtlQueryUnbiasedInterruptTime(time) != 0)
    }

    /// The time since boot without that in which the system slept.
    fn QueryUnbiasedInterruptTimePrecise(time: Ptr<u64>) {
        RtlQueryUnbiasedInterruptTime(time);
    }

    /// The local time of a moment, with the bias of now.
    fn FileTimeToLocalFileTime(time: Ptr<FileTime>, local: Ptr<FileTime>) -> Bool {
        local.write(FileTime::new(time.read().time().wrapping_sub(bias())));
        TRUE
    }

    /// The moment of a local time, with the bias of now.
    fn LocalFileTimeToFileTime(local: Ptr<FileTime>, time: Ptr<FileTime>) -> Bool {
        time.write(FileTime::new(local.read().time().wrapping_add(bias())));
        TRUE
    }

    /// Which of two moments is earlier: -1 the first, 1 the second, 0 neither.
    fn CompareFileTime(first: Ptr<FileTime>, second: Ptr<FileTime>) -> i32 {
        let unsigned = |time: Ptr<FileTime>| time.read().time().cast_unsigned();
        unsigned(first).cmp(&unsigned(second)) as i32
    }

    /// The date and time of day of a moment.
    fn FileTimeToSystemTime(time: Ptr<FileTime>, fields: Ptr<SystemTime>) -> Bool {
        truth(times::fields(time.read().time()).map(|found| fields.write(found)))
    }

    /// The moment of a date and time of day.
    fn SystemTimeToFileTime(fields: Ptr<SystemTime>, time: Ptr<FileTime>) -> Bool {
        truth(times::moment(&fields.read()).map(|found| time.write(FileTime::new(found))))
    }

    /// The moment of a date and time of MS-DOS.
    fn DosDateTimeToFileTime(date: u16, clock: u16, time: Ptr<FileTime>) -> Bool {
        truth(times::from_dos(date, clock).map(|found| time.write(FileTime::new(found))))
    }

    /// The date and time of MS-DOS of a moment.
    fn FileTimeToDosDateTime(time: Ptr<FileTime>, date: Ptr<u16>, clock: Ptr<u16>) -> Bool {
        truth(times::to_dos(time.read().time()).map(|found| {
            date.write(found.0);
            clock.write(found.1);
        }))
    }

    /// The time zone; which of its times counts (`TIME_ZONE_ID_*`).
    fn GetTimeZoneInformation(information: Ptr<TimeZoneInformation>) -> u32 {
        answer(zone().map(|found| {
            information.write(found);
            shared!(time_zone_id).read()
        }), NO_ZONE)
    }

    /// The time zone; which of its times counts (`TIME_ZONE_ID_*`).
    ///
    /// # Differs
    /// It has no key in the registry.
    fn GetDynamicTimeZoneInformation(information: Ptr<DynamicTimeZoneInformation>) -> u32 {
        answer(zone().map(|zone| {
            information.write(DynamicTimeZoneInformation { zone, ..DynamicTimeZoneInformation::default() });
            shared!(time_zone_id).read()
        }), NO_ZONE)
    }

    /// The rules of a time zone in a year: they are the same in each.
    fn GetTimeZoneInformationForYear(_year: u16, given: Ptr<DynamicTimeZoneInformation>, information: Ptr<TimeZoneInformation>) -> Bool {
        let found = given.read_optional().map_or_else(zone, |given| Ok(given.zone));
        truth(found.map(|found| information.write(found)))
    }

    /// Sets the time zone.
    fn SetTimeZoneInformation(information: Ptr<TimeZoneInformation>) -> Bool {
        let from = information.read();
        let mut new = RtlTimeZoneInformation {
            bias: from.bias,
            standard_name: from.standard_name,
            standard_start: nt_date(&from.standard_date),
            standard_bias: from.standard_bias,
            daylight_name: from.daylight_name,
            daylight_start: nt_date(&from.daylight_date),
            daylight_bias: from.daylight_bias,
        };
        truth_of(RtlSetTimeZoneInformation(Ptr::of(&mut new)))
    }

    /// The local time, in a time zone, of a date and time of day.
    fn SystemTimeToTzSpecificLocalTime(given: Ptr<TimeZoneInformation>, time: Ptr<SystemTime>, local: Ptr<SystemTime>) -> Bool {
        let found = zone_or_own(given).and_then(|zone| {
            times::fields(times::local(&zone, times::moment(&time.read())?)?)
        });
        truth(found.map(|found| local.write(found)))
    }

    /// The same, with a time zone that says which key it has.
    fn SystemTimeToTzSpecificLocalTimeEx(given: Ptr<DynamicTimeZoneInformation>, time: Ptr<SystemTime>, local: Ptr<SystemTime>) -> Bool {
        // It begins with the plain one.
        SystemTimeToTzSpecificLocalTime(given.cast(), time, local)
    }

    /// The date and time of day, UTC, of a local time in a time zone.
    fn TzSpecificLocalTimeToSystemTime(given: Ptr<TimeZoneInformation>, local: Ptr<SystemTime>, time: Ptr<SystemTime>) -> Bool {
        let found = zone_or_own(given).and_then(|zone| {
            times::fields(times::universal(&zone, times::moment(&local.read())?)?)
        });
        truth(found.map(|found| time.write(found)))
    }

    /// The same, with a time zone that says which key it has.
    fn TzSpecificLocalTimeToSystemTimeEx(given: Ptr<DynamicTimeZoneInformation>, local: Ptr<SystemTime>, time: Ptr<SystemTime>) -> Bool {
        TzSpecificLocalTimeToSystemTime(given.cast(), local, time)
    }

    /// By how much the clock is moved at each tick.
    fn GetSystemTimeAdjustment(adjustment: Ptr<u32>, increment: Ptr<u32>, disabled: Ptr<u32>) -> Bool {
        let mut found = SystemQueryTimeAdjustInformation::default();
        let class = SystemInformationClass(Class::TIME_ADJUSTMENT.0);
        let length = size_in_u32::<SystemQueryTimeAdjustInformation>();
        truth(check(NtQuerySystemInformation(class, &mut found, length, NULL)).map(|()| {
            adjustment.write(found.time_adjustment);
            increment.write(found.time_increment);
            // "Enable" means here that nobody adjusts it.
            disabled.write(u32::from(found.enable));
        }))
    }

    /// How long the processors were idle, in the kernel (which idling is part of), and in user mode.
    fn GetSystemTimes(idle: Ptr<FileTime>, kernel: Ptr<FileTime>, user: Ptr<FileTime>) -> Bool {
        truth(system_times().map(|sums| {
            for (place, sum) in [idle, kernel, user].into_iter().zip(sums) {
                place.write_optional(FileTime::new(sum));
            }
        }))
    }
}
