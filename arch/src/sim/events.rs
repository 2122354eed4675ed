//! Interrupts by script.
//!
//! An interrupt is taken on a processor when it has interrupts enabled, its
//! recorded mask and what it has in service are below the interrupt's level: the
//! same rule as a real controller's. The single host thread plays whichever
//! processor takes one, and then goes on as the one that it was.

use super::machine::Machine;
use super::state::{Source, state};
use crate::contract::{InterruptLine, Irql, Processor as _, ProcessorNumber};
use crate::dispatch;

/// Runs `body` as another processor.
pub fn on_processor<T>(number: ProcessorNumber, body: impl FnOnce() -> T) -> T {
    let before = std::mem::replace(&mut state().current, number);
    deliver();
    let result = body();
    state().current = before;
    result
}

/// Goes on as that processor: for a test that was thrown out of [`on_processor`].
pub fn become_processor(number: ProcessorNumber) {
    state().current = number;
}

/// Lets a connected line interrupt now.
pub fn interrupt(line: InterruptLine) {
    let found = state()
        .lines
        .iter()
        .find(|(connected, ..)| *connected == line)
        .copied();
    if let Some((line, level, target)) = found {
        state().processors[target.index()]
            .pending
            .push(Source::Device(line, level));
        on_processor(target, || {});
    }
}

/// Lets a connected line interrupt when the counter reaches `at`.
pub fn script_interrupt(at: u64, line: InterruptLine) {
    let target = state()
        .lines
        .iter()
        .find(|(connected, ..)| *connected == line)
        .map_or(ProcessorNumber::BOOT, |found| found.2);
    state().scripted.push((at, target, line));
}

/// Moves the counter by `ticks`; every clock and scripted interrupt on the way comes at its time, in order.
pub fn advance(ticks: u64) {
    let end = state().counter + ticks;
    loop {
        let next = next_event(end);
        state().counter = next;
        fire(next);
        if next == end {
            return;
        }
    }
}

fn next_event(end: u64) -> u64 {
    let state = state();
    let clocks = state
        .processors
        .iter()
        .filter(|p| p.clock_period > 0)
        .map(|p| p.next_tick);
    let scripted = state.scripted.iter().map(|(at, ..)| *at);
    clocks
        .chain(scripted)
        .filter(|at| *at > state.counter)
        .min()
        .map_or(end, |at| at.min(end))
}

fn fire(now: u64) {
    let mut targets = Vec::new();
    {
        let mut state = state();
        for (index, processor) in state.processors.iter_mut().enumerate() {
            if processor.clock_period > 0 && processor.next_tick <= now {
                processor.next_tick += processor.clock_period;
                if !processor.pending.contains(&Source::Clock) {
                    processor.pending.push(Source::Clock);
                }
                targets.push(ProcessorNumber(
                    u32::try_from(index).expect("a simulated machine has few processors"),
                ));
            }
        }
        let due: Vec<_> = state
            .scripted
            .extract_if(.., |(at, ..)| *at <= now)
            .collect();
        for (_, target, line) in due {
            if let Some((_, level, _)) = state
                .lines
                .iter()
                .find(|(connected, ..)| *connected == line)
                .copied()
            {
                state.processors[target.index()]
                    .pending
                    .push(Source::Device(line, level));
                targets.push(target);
            }
        }
    }
    for target in targets {
        on_processor(target, || {});
    }
}

/// Takes every interrupt that the current processor may take now, highest level first.
pub(super) fn deliver() {
    while let Some(source) = take_deliverable() {
        let level = source.level();
        state().me().in_service.push(level);
        Machine::disable_interrupts();
        dispatch::take_interrupt(
            level,
            |kernel| match source {
                Source::Clock => kernel.clock_interrupt(),
                Source::Ipi => kernel.interprocessor_interrupt(),
                Source::Device(line, _) => kernel.device_interrupt(line),
            },
            || {
                state().me().in_service.pop();
            },
        );
        Machine::restore_interrupts(true);
    }
}

fn take_deliverable() -> Option<Source> {
    let mut state = state();
    let me = state.me();
    if !me.interrupts_enabled {
        return None;
    }
    let running = me
        .in_service
        .last()
        .copied()
        .unwrap_or(Irql::Passive)
        .max(me.mask);
    let (index, _) = me
        .pending
        .iter()
        .enumerate()
        .filter(|(_, source)| source.level() > running)
        .max_by_key(|(_, source)| source.level())?;
    Some(me.pending.remove(index))
}
