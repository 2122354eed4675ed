//! The simulated machine behind the contract.

use core::sync::atomic::{AtomicU64, Ordering};

use boards::{Console as ConsoleDescription, LoaderBlock};

use super::events::deliver;
use super::state::{Ended, Source, state};
use crate::contract::{
    Clock, Console, ExitChannel, ExitCode, Fault, InterruptLine, Interrupts, Irql, LineError,
    NotOnThisMachine, Power, Processor, ProcessorNumber, ProcessorSet, ProcessorStart,
    RegisterChanged, Registers, SelfTest, StartError, Trigger, VirtAddr,
};
use crate::dispatch::Levels;

/// The machine that this code runs on: the simulated one.
pub struct Machine;

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
        state().me().level = level;
    }

    fn settle_mask(level: Irql) {
        state().me().mask = if level.masks_hardware() {
            level
        } else {
            Irql::Passive
        };
    }
}

impl Processor for Machine {
    type TrapFrame = TrapFrame;
    type SimdState = SimdState;

    fn number() -> ProcessorNumber {
        state().current
    }

    fn irql() -> Irql {
        state().me().level
    }

    fn set_irql(level: Irql) {
        Self::record_level(level);
        Self::settle_mask(level);
        deliver();
    }

    fn disable_interrupts() -> bool {
        std::mem::replace(&mut state().me().interrupts_enabled, false)
    }

    fn restore_interrupts(enabled: bool) {
        state().me().interrupts_enabled = enabled;
        deliver();
    }

    fn halt_unless(work_is_there: impl FnOnce() -> bool) {
        let enabled = Self::disable_interrupts();
        let _ = work_is_there();
        Self::restore_interrupts(enabled);
    }

    fn relax() {
        std::thread::yield_now();
    }

    fn start_processor(start: ProcessorStart) -> Result<(), StartError> {
        let mut state = state();
        if start.number.index() >= state.processors.len() {
            return Err(StartError::BadHardwareId);
        }
        state.started.push(start);
        Ok(())
    }

    fn stop_by_force(_targets: ProcessorSet) -> bool {
        false
    }

    fn stop() -> ! {
        std::panic::panic_any(Ended(ExitCode::Success))
    }

    fn walk_stack(_frame: Option<&TrapFrame>, _visit: &mut dyn FnMut(VirtAddr) -> bool) {}

    fn save_simd(into: &mut SimdState) {
        into.0 = state().me().simd;
    }

    fn restore_simd(from: &SimdState) {
        state().me().simd = from.0;
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
        let mut state = state();
        if target.index() >= state.processors.len() {
            return Err(LineError::NoSuchLine);
        }
        if state.lines.iter().any(|(connected, ..)| *connected == line) {
            return Err(LineError::InUse);
        }
        state.lines.push((line, level, target));
        Ok(())
    }

    fn disconnect_line(line: InterruptLine) {
        state().lines.retain(|(connected, ..)| *connected != line);
    }

    fn send_ipi(targets: ProcessorSet) {
        for target in targets.iter() {
            {
                let mut state = state();
                let Some(processor) = state.processors.get_mut(target.index()) else {
                    continue;
                };
                if processor.pending.contains(&Source::Ipi) {
                    continue;
                }
                processor.pending.push(Source::Ipi);
            }
            super::events::on_processor(target, || {});
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
        state().counter
    }

    fn counter_frequency() -> u64 {
        1_000_000
    }

    fn start_clock(period: u64) {
        let mut state = state();
        let now = state.counter;
        let me = state.me();
        me.clock_period = period;
        me.next_tick = now + period;
    }

    fn stop_clock() {
        state().me().clock_period = 0;
    }

    fn describe_clock(out: &mut dyn core::fmt::Write) -> core::fmt::Result {
        out.write_str("simulated clock, 1000000 Hz")
    }
}

impl Console for Machine {
    fn open_console(_console: &ConsoleDescription) {}

    fn write_bytes(bytes: &[u8]) {
        state().console.extend_from_slice(bytes);
    }

    fn read_byte() -> Option<u8> {
        None
    }
}

impl Power for Machine {
    fn initialize_power(_loader: &LoaderBlock) {}

    fn set_exit_channel(_channel: ExitChannel) {}

    fn power_off(code: ExitCode) -> ! {
        std::panic::panic_any(Ended(code))
    }

    fn reset() -> ! {
        std::panic::panic_any(Ended(ExitCode::Success))
    }

    fn give_up(code: ExitCode) -> ! {
        std::panic::panic_any(Ended(code))
    }
}

impl SelfTest for Machine {
    fn provoke(_fault: Fault) -> Result<(), NotOnThisMachine> {
        Err(NotOnThisMachine)
    }

    fn hold_registers(counter: &AtomicU64, target: u64, seed: u64) -> Result<(), RegisterChanged> {
        Self::scramble_simd(seed);
        let expected = state().me().simd;
        while counter.load(Ordering::Acquire) < target {
            super::events::advance(1);
        }
        let found = state().me().simd;
        if found == expected {
            Ok(())
        } else {
            Err(RegisterChanged {
                name: "simd",
                expected: expected[0],
                found: found[0],
            })
        }
    }

    fn scramble_simd(seed: u64) {
        state().me().simd = [
            seed,
            seed.rotate_left(16),
            seed.rotate_left(32),
            seed.rotate_left(48),
        ];
    }

    fn simd_shape() -> (u32, u32) {
        (4, 8)
    }
}
