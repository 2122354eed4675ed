//! How interrupts nest: the machine-independent half, on the simulated machine.

use std::sync::Mutex;

use arch::contract::{
    Access, Clock, Exception, InterruptLine, Interrupts, Irql, Kernel, Processor, ProcessorNumber,
    ProcessorSet, Trigger, VirtAddr,
};
use arch::{Machine, TrapFrame, sim};

/// What happened, in order, each with the level at which it did.
static HAPPENED: Mutex<Vec<(&'static str, Irql)>> = Mutex::new(Vec::new());

struct Recorder;

fn note(what: &'static str) {
    HAPPENED
        .lock()
        .expect("no test panics while it holds this")
        .push((what, Machine::irql()));
}

fn take_notes() -> Vec<(&'static str, Irql)> {
    std::mem::take(&mut *HAPPENED.lock().expect("no test panics while it holds this"))
}

impl Kernel for Recorder {
    fn clock_interrupt(&self, _: bool) {
        note("clock");
    }

    fn interprocessor_interrupt(&self) {
        note("call");
    }

    fn device_interrupt(&self, line: InterruptLine) {
        note("device begins");
        if line == InterruptLine(50) {
            sim::interrupt(InterruptLine(51));
            Machine::send_ipi(ProcessorSet::only(ProcessorNumber::BOOT));
        }
        note("device ends");
    }

    fn leave_interrupt(&self, interrupted: Irql) {
        assert_eq!(Machine::irql(), interrupted);
        note("leave");
    }

    fn exception(&self, _: &Exception, _: &mut TrapFrame) {}

    fn user_page_fault(&self, _: VirtAddr, _: Access) -> bool {
        false
    }

    fn processor_started(&self, _: ProcessorNumber) -> ! {
        unreachable!("the simulated machine starts no processor by itself")
    }
}

fn boot(processors: u32) -> sim::Running {
    let running = sim::boot(processors);
    arch::set_kernel(&Recorder);
    take_notes();
    running
}

fn connect(line: u32, level: Irql) {
    Machine::connect_line(
        InterruptLine(line),
        level,
        Trigger::Level,
        ProcessorNumber::BOOT,
    )
    .expect("the line is free");
}

#[test]
fn a_higher_interrupt_comes_between_and_a_lower_one_waits() {
    let _machine = boot(1);
    connect(50, Irql::Device7);
    connect(51, Irql::Device5);
    sim::interrupt(InterruptLine(50));
    assert_eq!(
        take_notes(),
        [
            ("device begins", Irql::Device7),
            ("call", Irql::Ipi),
            ("leave", Irql::Device7),
            ("device ends", Irql::Device7),
            ("leave", Irql::Passive),
            ("device begins", Irql::Device5),
            ("device ends", Irql::Device5),
            ("leave", Irql::Passive),
        ]
    );
}

#[test]
fn a_level_masks_what_is_not_above_it() {
    let _machine = boot(1);
    connect(51, Irql::Device5);
    Machine::set_irql(Irql::Device5);
    sim::interrupt(InterruptLine(51));
    assert_eq!(take_notes(), []);
    Machine::set_irql(Irql::Device4);
    assert_eq!(
        take_notes().first(),
        Some(&("device begins", Irql::Device5))
    );
    Machine::set_irql(Irql::Passive);
}

#[test]
fn nothing_comes_while_interrupts_are_disabled() {
    let _machine = boot(1);
    let enabled = Machine::disable_interrupts();
    Machine::send_ipi(ProcessorSet::only(ProcessorNumber::BOOT));
    assert_eq!(take_notes(), []);
    Machine::restore_interrupts(enabled);
    assert_eq!(
        take_notes(),
        [("call", Irql::Ipi), ("leave", Irql::Passive)]
    );
}

#[test]
fn the_clock_of_each_processor_ticks_by_the_counter() {
    let _machine = boot(2);
    Machine::start_clock(100);
    sim::on_processor(ProcessorNumber(1), || Machine::start_clock(250));
    sim::advance(1000);
    let ticks = take_notes()
        .iter()
        .filter(|(what, _)| *what == "clock")
        .count();
    assert_eq!(ticks, 10 + 4);
}
