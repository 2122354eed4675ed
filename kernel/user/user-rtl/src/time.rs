//! Time: dates, seconds since a year, local time, and what the shared page says of the clock.
//!
//! The time of day costs no system call: the kernel keeps it in the shared page.

use core::sync::atomic::Ordering::Acquire;

use c_interface::{Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::system_information::SystemInformationClass;
use nt_abi::system_information::machine::RtlTimeZoneInformation;
use nt_abi::user_shared_data::{KsystemTime, KuserSharedData};
use rtl::{Time, TimeFields};

use crate::given;

/// The size of `RTL_DYNAMIC_TIME_ZONE_INFORMATION`: the plain one, the key's name, a switch.
const DYNAMIC_TIME_ZONE_SIZE: u32 = 0x1B0;

/// Reads a time that the kernel changes meanwhile.
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

fn system_time() -> i64 {
    whole(field!(given::shared_data(), KuserSharedData, system_time))
}

fn interrupt_time() -> i64 {
    whole(field!(
        given::shared_data(),
        KuserSharedData,
        interrupt_time
    ))
}

/// UTC less local time.
fn bias() -> i64 {
    whole(field!(
        given::shared_data(),
        KuserSharedData,
        time_zone_bias
    ))
}

/// The size of a structure, as services take it.
fn size<T>() -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or(u32::MAX)
}

exports! {
    /// The date and time of day of a moment, UTC. A negative moment has none, and gives zeros.
    fn RtlTimeToTimeFields(time: Ptr<i64>, fields: Ptr<TimeFields>) {
        fields.write(Time(time.read()).fields().unwrap_or_default());
    }

    /// The moment of a date and time of day, UTC; 0 if there is none (`BOOLEAN`).
    fn RtlTimeFieldsToTime(fields: Ptr<TimeFields>, time: Ptr<i64>) -> u8 {
        fields.read().time().map_or(0, |found| {
            time.write(found.0);
            1
        })
    }

    /// A span of time as days, hours, minutes, seconds, milliseconds; the weekday is not written.
    fn RtlTimeToElapsedTimeFields(time: Ptr<i64>, fields: Ptr<TimeFields>) {
        let weekday = field!(fields, TimeFields, weekday).read();
        fields.write(TimeFields { weekday, ..TimeFields::elapsed(time.read()) });
    }

    /// Seconds since 1970; 0 if 32 bits do not hold them (`BOOLEAN`).
    fn RtlTimeToSecondsSince1970(time: Ptr<i64>, seconds: Ptr<u32>) -> u8 {
        Time(time.read()).seconds_since_1970().map_or(0, |found| {
            seconds.write(found);
            1
        })
    }

    /// Seconds since 1980; 0 if 32 bits do not hold them (`BOOLEAN`).
    fn RtlTimeToSecondsSince1980(time: Ptr<i64>, seconds: Ptr<u32>) -> u8 {
        Time(time.read()).seconds_since_1980().map_or(0, |found| {
            seconds.write(found);
            1
        })
    }

    /// The moment so many seconds after 1970.
    fn RtlSecondsSince1970ToTime(seconds: u32, time: Ptr<i64>) {
        time.write(Time::from_seconds_since_1970(seconds).0);
    }

    /// The moment so many seconds after 1980.
    fn RtlSecondsSince1980ToTime(seconds: u32, time: Ptr<i64>) {
        time.write(Time::from_seconds_since_1980(seconds).0);
    }

    /// When a time zone changes over; 0 if that is never (`BOOLEAN`). See [`TimeFields::cutover`].
    fn RtlCutoverTimeToSystemTime(fields: Ptr<TimeFields>, time: Ptr<i64>, now: Ptr<i64>, this_year: u8) -> u8 {
        fields.read().cutover(Time(now.read()), this_year != 0).map_or(0, |found| {
            time.write(found.0);
            1
        })
    }

    /// Local time of a moment, with the bias of now.
    fn RtlSystemTimeToLocalTime(time: Ptr<i64>, local: Ptr<i64>) -> NtStatus {
        local.write(time.read().wrapping_sub(bias()));
        NtStatus::SUCCESS
    }

    /// The moment of a local time, with the bias of now.
    fn RtlLocalTimeToSystemTime(local: Ptr<i64>, time: Ptr<i64>) -> NtStatus {
        time.write(local.read().wrapping_add(bias()));
        NtStatus::SUCCESS
    }

    /// The time.
    ///
    /// # Differs
    /// It is as old as the last tick; Windows adds what the performance counter says has passed since.
    fn RtlGetSystemTimePrecise() -> i64 {
        system_time()
    }

    /// The time since boot. What Windows counts between ticks is left out, as in `RtlGetSystemTimePrecise`.
    fn RtlGetInterruptTimePrecise(counter: Ptr<i64>) -> i64 {
        let mut frequency = 0i64;
        let _status = given::query_performance_counter(counter, Ptr::of(&mut frequency));
        interrupt_time()
    }

    /// The time, UTC less local time, and since when that holds, all of one moment.
    fn RtlGetSystemTimeAndBias(time: Ptr<i64>, bias_now: Ptr<i64>, bias_since: Ptr<i64>) {
        let page = given::shared_data();
        loop {
            let before = bias();
            time.write(system_time());
            bias_now.write(before);
            bias_since.write_optional(field!(page, KuserSharedData, time_zone_bias_effective_start).read());
            if bias() == before {
                return;
            }
        }
    }

    /// The time since boot without that in which the system slept; 1 (`BOOLEAN`).
    fn RtlQueryUnbiasedInterruptTime(time: Ptr<u64>) -> u8 {
        if time.is_null() {
            return 0;
        }
        let page = given::shared_data();
        let asleep = field!(page, KuserSharedData, interrupt_time_bias);
        loop {
            let before = asleep.read();
            let now = interrupt_time().cast_unsigned();
            if asleep.read() == before {
                time.write(now.wrapping_sub(before));
                return 1;
            }
        }
    }

    /// The performance counter; 1 (`BOOL`).
    fn RtlQueryPerformanceCounter(counter: Ptr<i64>) -> u32 {
        u32::from(given::query_performance_counter(counter, Ptr::NULL).is_success())
    }

    /// Counts of the performance counter in a second; 1 (`BOOL`).
    fn RtlQueryPerformanceFrequency(frequency: Ptr<i64>) -> u32 {
        frequency.write(field!(given::shared_data(), KuserSharedData, qpc_frequency).read());
        1
    }

    /// The time zone.
    ///
    /// # Errors
    /// Those of `NtQuerySystemInformation`.
    fn RtlQueryTimeZoneInformation(zone: Ptr<RtlTimeZoneInformation>) -> NtStatus {
        let class = SystemInformationClass::CURRENT_TIME_ZONE.0;
        given::query_system_information(class, zone.cast(), size::<RtlTimeZoneInformation>(), Ptr::NULL)
    }

    /// Sets the time zone.
    ///
    /// # Errors
    /// Those of `NtSetSystemInformation`.
    fn RtlSetTimeZoneInformation(zone: Ptr<RtlTimeZoneInformation>) -> NtStatus {
        let class = SystemInformationClass::CURRENT_TIME_ZONE.0;
        given::set_system_information(class, zone.cast(), size::<RtlTimeZoneInformation>())
    }

    /// The time zone, with the name of its key in the registry.
    ///
    /// # Errors
    /// Those of `NtQuerySystemInformation`.
    fn RtlQueryDynamicTimeZoneInformation(zone: Ptr<u8>) -> NtStatus {
        let class = SystemInformationClass::DYNAMIC_TIME_ZONE.0;
        given::query_system_information(class, zone, DYNAMIC_TIME_ZONE_SIZE, Ptr::NULL)
    }

    /// Sets the time zone, with the name of its key in the registry.
    ///
    /// # Errors
    /// Those of `NtSetSystemInformation`.
    fn RtlSetDynamicTimeZoneInformation(zone: Ptr<u8>) -> NtStatus {
        let class = SystemInformationClass::DYNAMIC_TIME_ZONE.0;
        given::set_system_information(class, zone, DYNAMIC_TIME_ZONE_SIZE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::testing;

    #[test]
    fn the_clock_is_that_of_the_shared_page() {
        testing::begin();
        let page = given::shared_data();
        let hour = 36_000_000_000i64;
        field!(page, KuserSharedData, time_zone_bias).write(KsystemTime::new(-2 * hour));
        field!(page, KuserSharedData, system_time).write(KsystemTime::new(0x01D0_1234_5678_9ABC));
        field!(page, KuserSharedData, interrupt_time).write(KsystemTime::new(1000));
        field!(page, KuserSharedData, interrupt_time_bias).write(300);
        assert_eq!(RtlGetSystemTimePrecise(), 0x01D0_1234_5678_9ABC);

        let (mut utc, mut local) = (5 * hour, 0);
        RtlSystemTimeToLocalTime(Ptr::of(&mut utc), Ptr::of(&mut local));
        assert_eq!(local, 7 * hour, "two hours east of Greenwich");
        RtlLocalTimeToSystemTime(Ptr::of(&mut local), Ptr::of(&mut utc));
        assert_eq!(utc, 5 * hour);

        let mut awake = 0;
        assert_eq!(RtlQueryUnbiasedInterruptTime(Ptr::of(&mut awake)), 1);
        assert_eq!(awake, 700);
        let (mut time, mut bias_now, mut since) = (0, 0, 9);
        RtlGetSystemTimeAndBias(
            Ptr::of(&mut time),
            Ptr::of(&mut bias_now),
            Ptr::of(&mut since),
        );
        assert_eq!((bias_now, since), (-2 * hour, 0));
    }

    #[test]
    fn dates_go_both_ways() {
        let mut time = 128_166_372_003_061_629;
        let mut fields = TimeFields::default();
        RtlTimeToTimeFields(Ptr::of(&mut time), Ptr::of(&mut fields));
        assert_eq!(
            (fields.year, fields.day, fields.milliseconds),
            (2007, 22, 306)
        );
        let mut back = 0;
        assert_eq!(
            RtlTimeFieldsToTime(Ptr::of(&mut fields), Ptr::of(&mut back)),
            1
        );
        assert_eq!(back, 128_166_372_003_060_000);
        fields.month = 13;
        assert_eq!(
            RtlTimeFieldsToTime(Ptr::of(&mut fields), Ptr::of(&mut back)),
            0
        );
        assert_eq!(back, 128_166_372_003_060_000, "not written");
        fields.weekday = 77;
        RtlTimeToElapsedTimeFields(Ptr::of(&mut time), Ptr::of(&mut fields));
        assert_eq!((fields.year, fields.weekday), (0, 77));
    }

    #[test]
    fn what_does_not_fit_32_bits_is_refused_and_not_written() {
        let (mut time, mut seconds) = (0, 7);
        assert_eq!(
            RtlTimeToSecondsSince1970(Ptr::of(&mut time), Ptr::of(&mut seconds)),
            0
        );
        assert_eq!(
            RtlTimeToSecondsSince1980(Ptr::of(&mut time), Ptr::of(&mut seconds)),
            0
        );
        assert_eq!(seconds, 7);
        RtlSecondsSince1980ToTime(0, Ptr::of(&mut time));
        assert_eq!(
            RtlTimeToSecondsSince1970(Ptr::of(&mut time), Ptr::of(&mut seconds)),
            1
        );
        assert_eq!(seconds, 315_532_800);
    }
}
