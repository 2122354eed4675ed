//! How fast the TSC and the local APIC's timer run, measured against a clock whose rate is known.
//!
//! The reference is the HPET, whose period stands in a register, or the PIT, which
//! has run at 1193182 Hz since 1981. A sample reads the reference between two reads
//! of the TSC; of several the tightest counts, so an interruption of the emulator
//! or a system management interrupt spoils one sample and not the result. Two
//! samples a few milliseconds apart give the rates. Every loop is bounded: a
//! reference that stands still is an error, not a hang.
//!
//! Under QEMU's `-icount` all of these clocks follow the count of instructions, so
//! the result is the same in every run.

use super::apic::{self, MASKED, TIMER_CURRENT, TIMER_DIVIDE, TIMER_ENTRY, TIMER_INITIAL};
use super::registers::IoPort;
use super::timer::read_counter;
use crate::Machine;
use crate::contract::{PhysAddr, Processor};
use crate::memory::DeviceWindow;

/// The time between the two samples, in nanoseconds.
const SPAN: u64 = 5_000_000;
/// Looks at a reference that stands still before it is given up: some 100 ms on a slow bus.
const PATIENCE: u32 = 100_000;
const FEMTOSECONDS_PER_SECOND: u128 = 1_000_000_000_000_000;

/// HPET registers, as byte offsets.
const HPET_CAPABILITIES: u64 = 0x00;
const HPET_CONFIGURATION: u64 = 0x10;
const HPET_COUNTER: u64 = 0xF0;
/// The longest period that the specification allows, in femtoseconds (100 ns).
const HPET_LONGEST_PERIOD: u32 = 100_000_000;

/// The PIT's period: 1 s / 1193182, in femtoseconds.
const PIT_PERIOD: u32 = 838_095_110;

/// What was measured.
pub(super) struct Rates {
    /// Hertz of the TSC.
    pub(super) counter: u64,
    /// Hertz of the local APIC's timer, undivided; 0 if it stands still.
    pub(super) apic_timer: u64,
    /// The name of the reference.
    pub(super) reference: &'static str,
}

/// A counter with a known period.
enum Reference {
    Hpet { window: DeviceWindow, period: u32 },
    Pit,
}

impl Reference {
    /// The HPET at that address, running, if there is one that makes sense.
    fn hpet(address: u64) -> Option<Self> {
        let window = DeviceWindow::map(PhysAddr(address), 0x400).ok()?;
        let period = window.read32(HPET_CAPABILITIES + 4);
        if period == 0 || period > HPET_LONGEST_PERIOD {
            return None;
        }
        window.write32(HPET_CONFIGURATION, window.read32(HPET_CONFIGURATION) | 1);
        Some(Self::Hpet { window, period })
    }

    /// The PIT's channel 2, counting down from 65536 again and again, its speaker off.
    fn pit() -> Self {
        let gate = SPEAKER.read8();
        SPEAKER.write8(gate & !0x02 | 0x01);
        PIT.offset(3).write8(0b1011_0100);
        PIT.offset(2).write8(0);
        PIT.offset(2).write8(0);
        Self::Pit
    }

    /// Its count, upwards; only the bits of `mask` mean anything.
    fn read(&self) -> u32 {
        match self {
            Self::Hpet { window, .. } => window.read32(HPET_COUNTER),
            Self::Pit => {
                PIT.offset(3).write8(0b1000_0000);
                let low = PIT.offset(2).read8();
                let high = PIT.offset(2).read8();
                u32::from(u16::from_le_bytes([low, high]).wrapping_neg())
            }
        }
    }

    fn elapsed(&self, from: u32, to: u32) -> u32 {
        let mask = match self {
            Self::Hpet { .. } => u32::MAX,
            Self::Pit => 0xFFFF,
        };
        to.wrapping_sub(from) & mask
    }

    /// Femtoseconds of one count.
    fn period(&self) -> u32 {
        match self {
            Self::Hpet { period, .. } => *period,
            Self::Pit => PIT_PERIOD,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Hpet { .. } => "HPET",
            Self::Pit => "PIT",
        }
    }

    /// Whether it moves at all.
    fn is_running(&self) -> bool {
        let start = self.read();
        (0..PATIENCE).any(|_| self.elapsed(start, self.read()) != 0)
    }

    fn measure(&self) -> Option<Rates> {
        if !self.is_running() {
            return None;
        }
        apic::write(TIMER_ENTRY, MASKED);
        apic::write(TIMER_DIVIDE, DIVIDE_BY_ONE);
        apic::write(TIMER_INITIAL, u32::MAX);
        let begin = self.sample();
        let span = u32::try_from(SPAN * 1_000_000 / u64::from(self.period())).ok()?;
        self.wait_for(begin.reference, span)?;
        let end = self.sample();
        apic::write(TIMER_INITIAL, 0);

        let femtoseconds =
            u128::from(self.elapsed(begin.reference, end.reference)) * u128::from(self.period());
        let rate = |ticks: u64| {
            // The PIT's 16 bits may have come round to where they were: no time went by, so there is no rate.
            let rate = (u128::from(ticks) * FEMTOSECONDS_PER_SECOND).checked_div(femtoseconds)?;
            u64::try_from(rate).ok()
        };
        Some(Rates {
            counter: rate(end.counter.checked_sub(begin.counter)?)?,
            apic_timer: rate(u64::from(begin.apic_timer.wrapping_sub(end.apic_timer)))?,
            reference: self.name(),
        })
    }

    /// Waits until the reference has moved on by `span`; `None` if it stops.
    fn wait_for(&self, start: u32, span: u32) -> Option<()> {
        let mut last = start;
        let mut idle = 0;
        while idle < PATIENCE {
            let now = self.read();
            if self.elapsed(start, now) >= span {
                return Some(());
            }
            idle = if now == last { idle + 1 } else { 0 };
            last = now;
            Machine::relax();
        }
        None
    }

    /// The three clocks at one moment: the tightest of several tries.
    fn sample(&self) -> Sample {
        let mut best = (
            u64::MAX,
            Sample {
                counter: 0,
                reference: 0,
                apic_timer: 0,
            },
        );
        for _ in 0..8 {
            let before = read_counter();
            let reference = self.read();
            let apic_timer = apic::read(TIMER_CURRENT);
            let width = read_counter().wrapping_sub(before);
            if width < best.0 {
                best = (
                    width,
                    Sample {
                        counter: before + width / 2,
                        reference,
                        apic_timer,
                    },
                );
            }
        }
        best.1
    }
}

struct Sample {
    counter: u64,
    reference: u32,
    apic_timer: u32,
}

/// The timer's divider, set so that it does not divide.
pub(super) const DIVIDE_BY_ONE: u32 = 0b1011;

// SAFETY: the PIT is at this port on every PC; it writes no memory.
const PIT: IoPort = unsafe { IoPort::new(0x40) };
// SAFETY: the gate of the PIT's channel 2, and the speaker; neither writes memory.
const SPEAKER: IoPort = unsafe { IoPort::new(0x61) };

/// Measures against the HPET at that address, if there is one and it works, else against the PIT.
pub(super) fn measure(hpet: Option<u64>) -> Result<Rates, &'static str> {
    hpet.and_then(Reference::hpet)
        .and_then(|hpet| hpet.measure())
        .or_else(|| Reference::pit().measure())
        .filter(|rates| rates.counter > 1_000_000)
        .ok_or("neither the HPET nor the PIT runs, so the processor's counter cannot be calibrated")
}
