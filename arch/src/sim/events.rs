//! Interrupts by script, and by the clock.
//!
//! An interrupt is taken on a processor when it has interrupts enabled, its
//! recorded mask and what it has in service are below the interrupt's level: the
//! same rule as a real controller's. Where one strand plays all processors, it plays
//! the one that takes an interrupt at once, and then goes on as the one that it was.
//! Where processors take turns, the interrupt is pending until its processor's turn.

use super::state::{Source, State, with};
use super::turns;
use crate::contract::{InterruptLine, ProcessorNumber};
use crate::dispatch;

/// Runs `body` as another processor, one that was not started.
///
/// # Panics
/// If processors take turns and that one was started: it plays itself.
pub fn on_processor<T>(number: ProcessorNumber, body: impl FnOnce() -> T) -> T {
    let before = with(|machine| {
        assert!(
            !turns::plays_itself(machine, number),
            "processor {} was started and plays itself",
            number.0
        );
        std::mem::replace(&mut machine.current, number)
    });
    deliver();
    let result = body();
    with(|machine| machine.current = before);
    result
}

/// Goes on as that processor: for a test that was thrown out of [`on_processor`].
pub fn become_processor(number: ProcessorNumber) {
    with(|machine| machine.current = number);
}

/// Lets a connected line interrupt now.
pub fn interrupt(line: InterruptLine) {
    if let Some(target) = with(|machine| raise(machine, line)) {
        notify(target);
    }
}

/// Lets a connected line interrupt when the counter reaches `at`.
pub fn script_interrupt(at: u64, line: InterruptLine) {
    with(|machine| machine.scripted.push((at, line)));
}

/// Moves the counter by `ticks`; every clock and scripted interrupt on the way comes at its time, in order.
pub fn advance(ticks: u64) {
    let end = with(|machine| machine.counter + ticks);
    loop {
        let targets = with(|machine| {
            let next = next_event(machine).map_or(end, |at| at.min(end));
            machine.counter = machine.counter.max(next);
            make_pending(machine)
        });
        if turns::is_scheduled() {
            turns::point(false);
        } else {
            targets.into_iter().for_each(notify);
        }
        if with(|machine| machine.counter) >= end {
            return;
        }
    }
}

/// An interrupt is pending on that processor: it takes it now if it can, unless it does so when it has its turn.
pub(super) fn notify(target: ProcessorNumber) {
    if turns::is_scheduled() {
        turns::point(false);
    } else {
        on_processor(target, || {});
    }
}

/// Moves time to the next event that can wake a processor; false if there is none.
pub(super) fn leap(machine: &mut State) -> bool {
    let Some(at) = next_event(machine) else {
        return false;
    };
    machine.counter = at;
    make_pending(machine);
    true
}

/// When the next clock or scripted interrupt comes.
fn next_event(machine: &State) -> Option<u64> {
    let clocks = machine
        .processors
        .iter()
        .filter(|processor| processor.clock_period > 0 && turns::is_on(machine, processor))
        .map(|processor| processor.next_tick);
    let scripted = machine.scripted.iter().map(|(at, _)| *at);
    clocks
        .chain(scripted)
        .filter(|at| *at > machine.counter)
        .min()
}

/// Makes pending what is due; gives the processors which that is for.
pub(super) fn make_pending(machine: &mut State) -> Vec<ProcessorNumber> {
    let now = machine.counter;
    let mut targets = Vec::new();
    for (number, processor) in (0..).zip(&mut machine.processors) {
        if processor.clock_period == 0 || processor.next_tick > now {
            continue;
        }
        let missed = (now - processor.next_tick) / processor.clock_period;
        processor.next_tick += (missed + 1) * processor.clock_period;
        if !processor.pending.contains(&Source::Clock) {
            processor.pending.push(Source::Clock);
        }
        targets.push(ProcessorNumber(number));
    }
    let due: Vec<_> = machine
        .scripted
        .extract_if(.., |(at, _)| *at <= now)
        .collect();
    for (_, line) in due {
        targets.extend(raise(machine, line));
    }
    targets
}

/// Makes a line's interrupt pending; gives the processor that it is for, if the line is connected.
fn raise(machine: &mut State, line: InterruptLine) -> Option<ProcessorNumber> {
    let lines = &machine.lines;
    let (line, level, target) = *lines.iter().find(|(connected, ..)| *connected == line)?;
    let pending = &mut machine.processors[target.index()].pending;
    pending.push(Source::Device(line, level));
    Some(target)
}

/// Takes every interrupt that the current processor may take now, highest level first.
pub(super) fn deliver() {
    while let Some(source) = with(take_deliverable) {
        dispatch::take_interrupt(
            source.level(),
            |kernel| match source {
                // The simulated user mode is a call of the kernel's: its ticks are the kernel's.
                Source::Clock => kernel.clock_interrupt(false),
                Source::Ipi => kernel.interprocessor_interrupt(),
                Source::Device(line, _) => kernel.device_interrupt(line),
            },
            || {
                with(|machine| machine.me().in_service.pop());
            },
        );
        // Perhaps on another processor: the kernel may have switched on the way out.
        with(|machine| machine.me().interrupts_enabled = true);
    }
}

/// Takes an interrupt into service, with interrupts disabled.
fn take_deliverable(machine: &mut State) -> Option<Source> {
    if machine.is_stopping() || machine.ending.is_some() || !machine.me().interrupts_enabled {
        return None;
    }
    let me = machine.me();
    let index = me.wanted()?;
    let source = me.pending.remove(index);
    me.in_service.push(source.level());
    me.interrupts_enabled = false;
    Some(source)
}
