//! The simulated machine behind the contract.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use boards::{Console as ConsoleDescription, LoaderBlock, MAX_PROCESSORS};

use super::ending::end;
use super::state::{Source, with};
use super::{events, turns};
use crate::contract::{
    Clock, Console, ExitChannel, ExitCode, Fault, InterruptLine, Interrupts, Irql, LineError,
    NotOnThisMachine, Power, Processor, ProcessorNumber, ProcessorSet, ProcessorStart,
    RegisterChanged, Registers, SelfTest, StartError, Trigger, VirtAddr,
};
use crate::dispatch::Levels;

/// The machine that this code runs on: the simulated one.
pub struct Machine;

/// What the kernel above wants of each processor.
static WORK: [AtomicU32; MAX_PROCESSORS] = [const { AtomicU32::new(0) }; MAX_PROCESSORS];

/// Saved registers of the simulated machine: it has but three.
#[derive(Clone, Debug, Default)]
pub struct TrapFrame {
    /// Program counter.
    pub pc: u64,
    /// Stack pointer.
    pub sp: u64,
    /// The one general register.
    pub r0: u64,
}

impl Registers for TrapFrame {
    fn pc(&self) -> VirtAddr {
        VirtAddr(self.pc)
    }

    fn sp(&self) -> VirtAddr {
        VirtAddr(self.sp)
    }

    fn for_each(&self, visit: &mut dyn FnMut(&'static str, u64)) {
        visit("pc", self.pc);
        visit("sp", self.sp);
        visit("r0", self.r0);
    }
}

/// SIMD registers of the simulated machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimdState(pub(super) [u64; 4]);

impl Levels for Machine {
    fn record_level(level: Irql) {
        with(|machine| machine.me().level = level);
    }

    fn settle_mask(level: Irql) {
        let mask = if level.masks_hardware() {
            level
        } else {
            Irql::Passive
        };
        with(|machine| machine.me().mask = mask);
    }
}

impl Processor for Machine {
    type TrapFrame = TrapFrame;
    type SimdState = SimdState;

    fn number() -> ProcessorNumber {
        with(|machine| machine.current)
    }

    fn irql() -> Irql {
        with(|machine| machine.me().level)
    }

    fn set_irql(level: Irql) {
        Self::record_level(level);
        Self::settle_mask(level);
        turns::point(false);
    }

    fn work_word(number: ProcessorNumber) -> &'static AtomicU32 {
        &WORK[number.index()]
    }

    fn has_work() -> bool {
        Self::work_word(Self::number()).load(Ordering::Acquire) != 0
    }

    fn disable_interrupts() -> bool {
        turns::point(false);
        with(|machine| std::mem::replace(&mut machine.me().interrupts_enabled, false))
    }

    fn restore_interrupts(enabled: bool) {
        if enabled {
            with(|machine| machine.me().interrupts_enabled = true);
        }
        turns::point(false);
    }

    fn halt_unless(work_is_there: impl FnOnce() -> bool) {
        let enabled = Self::disable_interrupts();
        if !work_is_there() {
            turns::halt();
        }
        Self::restore_interrupts(enabled);
    }

    fn relax() {
        turns::point(true);
    }

    fn start_processor(start: ProcessorStart) -> Result<(), StartError> {
        /// PSCI's word for it.
        const ALREADY_ON: i64 = -4;
        with(|machine| {
            if start.number.index() >= machine.processors.len() {
                return Err(StartError::BadHardwareId);
            }
            if machine.schedule.is_some() && !turns::start(machine, start.number) {
                return Err(StartError::Firmware(ALREADY_ON));
            }
            machine.started.push(start);
            Ok(())
        })?;
        turns::point(false);
        Ok(())
    }

    fn stop_by_force(_targets: ProcessorSet) -> bool {
        false
    }

    fn stop() -> ! {
        with(|machine| machine.me().interrupts_enabled = false);
        turns::stop();
        end(ExitCode::Success)
    }

    fn walk_stack(_frame: Option<&TrapFrame>, _visit: &mut dyn FnMut(VirtAddr) -> bool) {}

    fn save_simd(into: &mut SimdState) {
        into.0 = with(|machine| machine.me().simd);
    }

    fn restore_simd(from: &SimdState) {
        with(|machine| machine.me().simd = from.0);
    }
}

impl Interrupts for Machine {
    fn initialize(_loader: &LoaderBlock) -> Result<(), &'static str> {
        Ok(())
    }

    fn initialize_processor() -> Result<(), &'static str> {
        Ok(())
    }

    fn describe(out: &mut dyn core::fmt::Write) -> core::fmt::Result {
        out.write_str("simulated interrupt controller")
    }

    fn connect_line(
        line: InterruptLine,
        level: Irql,
        _trigger: Trigger,
        target: ProcessorNumber,
    ) -> Result<(), LineError> {
        if !(Irql::Device3..=Irql::Device11).contains(&level) {
            return Err(LineError::NoVector);
        }
        with(|machine| {
            if target.index() >= machine.processors.len() {
                return Err(LineError::NoSuchLine);
            }
            let lines = &mut machine.lines;
            if lines.iter().any(|(connected, ..)| *connected == line) {
                return Err(LineError::InUse);
            }
            lines.push((line, level, target));
            Ok(())
        })
    }

    fn disconnect_line(line: InterruptLine) {
        with(|machine| machine.lines.retain(|(connected, ..)| *connected != line));
    }

    fn send_ipi(targets: ProcessorSet) {
        for target in targets.iter() {
            let sent = with(|machine| {
                let Some(processor) = machine.processors.get_mut(target.index()) else {
                    return false;
                };
                let sent = !processor.pending.contains(&Source::Ipi);
                if sent {
                    processor.pending.push(Source::Ipi);
                }
                sent
            });
            if sent {
                events::notify(target);
            }
        }
    }

    fn spurious_count() -> u64 {
        0
    }
}

impl Clock for Machine {
    fn initialize_clock(_loader: &LoaderBlock) -> Result<(), &'static str> {
        Ok(())
    }

    fn counter() -> u64 {
        with(|machine| machine.counter)
    }

    fn counter_frequency() -> u64 {
        1_000_000
    }

    fn start_clock(period: u64) {
        with(|machine| {
            let now = machine.counter;
            let me = machine.me();
            me.clock_period = period;
            me.next_tick = now + period;
        });
    }

    fn stop_clock() {
        with(|machine| machine.me().clock_period = 0);
    }

    fn describe_clock(out: &mut dyn core::fmt::Write) -> core::fmt::Result {
        out.write_str("simulated clock, 1000000 Hz")
    }
}

impl Console for Machine {
    fn open_console(_console: &ConsoleDescription) {}

    fn write_bytes(bytes: &[u8]) {
        with(|machine| {
            if machine.ending.is_none() && !machine.is_stopping() {
                machine.console.extend_from_slice(bytes);
            }
        });
    }

    fn read_byte() -> Option<u8> {
        None
    }
}

impl Power for Machine {
    fn initialize_power(_loader: &LoaderBlock) {}

    fn set_exit_channel(_channel: ExitChannel) {}

    fn power_off(code: ExitCode) -> ! {
        end(code)
    }

    fn reset() -> ! {
        end(ExitCode::Success)
    }

    fn give_up(code: ExitCode) -> ! {
        end(code)
    }
}

fn compare_simd(expected: [u64; 4]) -> Result<(), RegisterChanged> {
    let found = with(|machine| machine.me().simd);
    let differing = expected.iter().zip(found).find(|(was, is)| *was != is);
    differing.map_or(Ok(()), |(was, is)| {
        Err(RegisterChanged {
            name: "simd",
            expected: *was,
            found: is,
        })
    })
}

impl SelfTest for Machine {
    fn provoke(_fault: Fault) -> Result<(), NotOnThisMachine> {
        Err(NotOnThisMachine)
    }

    fn hold_registers(counter: &AtomicU64, target: u64, seed: u64) -> Result<(), RegisterChanged> {
        Self::scramble_simd(seed);
        let expected = with(|machine| machine.me().simd);
        while counter.load(Ordering::Acquire) < target {
            events::advance(1);
        }
        compare_simd(expected)
    }

    fn write_held(to: VirtAddr, word: u64, seed: u64) -> Result<bool, RegisterChanged> {
        Self::scramble_simd(seed);
        let expected = with(|machine| machine.me().simd);
        let written = crate::user::write_word(to, word);
        compare_simd(expected)?;
        Ok(written.is_ok())
    }

    fn scramble_simd(seed: u64) {
        let simd = [0, 16, 32, 48].map(|bits| seed.rotate_left(bits));
        with(|machine| machine.me().simd = simd);
    }

    fn simd_shape() -> (u32, u32) {
        (4, 8)
    }
}
