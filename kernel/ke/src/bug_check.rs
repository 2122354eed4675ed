//! The bug check: the machine stops, and says why.
//!
//! It must work when little else does. It takes no lock that it cannot give up
//! on, allocates nothing, and a fault within it ends it: the second time around
//! only the code is said, the third time nothing, and the machine is given up.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU32, Ordering};

use arch::contract::{Console, Exception, ExitCode, Irql, Power, Processor, Registers, VirtAddr};
use arch::{Machine, TrapFrame};
use nt_abi::BugCheckCode;
use rtl::symbols::Symbols;

use crate::{ipi, processor};

/// The processor that reports, plus one; 0 while nobody does.
static REPORTER: AtomicU32 = AtomicU32::new(0);
/// How often the reporter has entered: a fault within its own report comes back here.
static ENTERED: AtomicU32 = AtomicU32::new(0);

static SYMBOLS: spin::Once<Symbols<'static>> = spin::Once::new();

/// Gives the bug check the names of the kernel's functions. An empty or damaged table leaves addresses without names.
pub fn set_symbols(table: &'static [u8]) {
    if let Some(symbols) = Symbols::parse(table) {
        SYMBOLS.call_once(|| symbols);
    }
}

/// The code of a stop that somebody asked for.
pub const MANUAL: BugCheckCode = BugCheckCode::MANUALLY_INITIATED_CRASH;

/// Stops the machine.
#[doc(alias = "KeBugCheckEx")]
pub fn stop(code: BugCheckCode, parameters: [u64; 4]) -> ! {
    report(code, parameters, None, None)
}

/// Stops the machine because of a Rust panic, with what it said.
#[cfg_attr(
    not(target_os = "none"),
    allow(dead_code, reason = "on the host panics are the test program's own")
)]
pub(crate) fn stop_with_message(
    code: BugCheckCode,
    parameters: [u64; 4],
    message: &dyn fmt::Display,
) -> ! {
    report(code, parameters, None, Some(message))
}

/// Stops the machine because of an exception, whose registers are shown.
pub(crate) fn stop_with_frame(
    code: BugCheckCode,
    parameters: [u64; 4],
    exception: &Exception,
    frame: &TrapFrame,
) -> ! {
    report(code, parameters, Some((exception, frame)), None)
}

/// Another processor has stopped the machine.
pub(crate) fn frozen() -> ! {
    Machine::stop()
}

/// Writes to the console, past every lock of the log.
struct RawConsole;

impl Write for RawConsole {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        Machine::write_bytes(text.as_bytes());
        Ok(())
    }
}

fn report(
    code: BugCheckCode,
    parameters: [u64; 4],
    fault: Option<(&Exception, &TrapFrame)>,
    message: Option<&dyn fmt::Display>,
) -> ! {
    Machine::disable_interrupts();
    let me = Machine::number().0 + 1;
    let claimed = REPORTER.compare_exchange(0, me, Ordering::AcqRel, Ordering::Acquire);
    if claimed.is_err_and(|reporter| reporter != me) {
        // Another processor reports; this one is as frozen as if it had been asked.
        processor::current().frozen.store(true, Ordering::Release);
        frozen()
    }
    match ENTERED.fetch_add(1, Ordering::Relaxed) {
        0 => {}
        1 => {
            let _ = writeln!(
                RawConsole,
                "\n*** STOP while reporting: {code} {parameters:#x?}"
            );
            Machine::power_off(ExitCode::BugCheck)
        }
        _ => Machine::give_up(ExitCode::BugCheck),
    }
    // The level is what the report needs to know; from here on nothing may interrupt.
    let level = Machine::irql();
    let silent = ipi::freeze_others();
    // A console that is broken must not keep the machine from ending: its errors say nothing that could be done.
    let _ = write_report(&mut RawConsole, code, parameters, level, fault, message);
    if !silent.is_empty() {
        let _ = writeln!(
            RawConsole,
            "processors that did not stop when asked: {:#x}",
            silent.0
        );
    }
    let _ = writeln!(RawConsole, "*** end of bug check");
    Machine::power_off(ExitCode::BugCheck)
}

fn write_report(
    out: &mut dyn Write,
    code: BugCheckCode,
    parameters: [u64; 4],
    level: Irql,
    fault: Option<(&Exception, &TrapFrame)>,
    message: Option<&dyn fmt::Display>,
) -> fmt::Result {
    let [first, second, third, fourth] = parameters;
    writeln!(
        out,
        "\n*** STOP: {code} ({first:#x}, {second:#x}, {third:#x}, {fourth:#x})"
    )?;
    writeln!(
        out,
        "processor {}, IRQL {} ({level:?})",
        Machine::number().0,
        level.level()
    )?;
    if let Some(message) = message {
        writeln!(out, "{message}")?;
    }
    if let Some((exception, frame)) = fault {
        write!(out, "{:?} at {}", exception.class, exception.pc)?;
        if let Some(address) = exception.address {
            write!(out, ", address {address}")?;
        }
        writeln!(out, ", syndrome {:#x}", exception.syndrome)?;
        write_registers(out, frame)?;
    }
    write_call_stack(out, fault)
}

fn write_call_stack(out: &mut dyn Write, fault: Option<(&Exception, &TrapFrame)>) -> fmt::Result {
    writeln!(out, "call stack:")?;
    if let Some((exception, frame)) = fault {
        write_location(out, exception.pc, exception.pc)?;
        if let Some(link) = frame.link() {
            // A function that has not made its frame yet has its caller here and nowhere else; in any other it repeats
            // the first line of the walk, or names what was called last.
            write!(out, "  link register:")?;
            write_location(out, link, VirtAddr(link.0.wrapping_sub(1)))?;
        }
    }
    let mut last = None;
    let mut repeats = 0u32;
    let mut result = Ok(());
    Machine::walk_stack(fault.map(|(_, frame)| frame), &mut |address| {
        if last == Some(address) {
            repeats += 1;
            return true;
        }
        result = write_repeats(out, repeats);
        (last, repeats) = (Some(address), 0);
        // A return address is after the call; the call itself names the function even where it was the last instruction.
        result =
            result.and_then(|()| write_location(out, address, VirtAddr(address.0.wrapping_sub(1))));
        result.is_ok()
    });
    result?;
    write_repeats(out, repeats)
}

/// Says how often the last line came again: a recursion that ran over its stack would fill the screen.
fn write_repeats(out: &mut dyn Write, repeats: u32) -> fmt::Result {
    if repeats == 0 {
        Ok(())
    } else {
        writeln!(out, "  ... {repeats} times more")
    }
}

fn write_registers(out: &mut dyn Write, frame: &TrapFrame) -> fmt::Result {
    const PER_LINE: usize = 4;
    let mut column = 0;
    let mut result = Ok(());
    frame.for_each(&mut |name, value| {
        column += 1;
        let end = if column % PER_LINE == 0 { '\n' } else { ' ' };
        result = result.and_then(|()| write!(out, "{name:>6} {value:016x}{end}"));
    });
    result?;
    if column.is_multiple_of(PER_LINE) {
        Ok(())
    } else {
        writeln!(out)
    }
}

fn write_location(out: &mut dyn Write, address: VirtAddr, within: VirtAddr) -> fmt::Result {
    match SYMBOLS.get().and_then(|symbols| symbols.find(within.0)) {
        Some(symbol) => {
            let offset = symbol.offset + (address.0 - within.0);
            writeln!(out, "  {address} {}+{offset:#x}", symbol.name)
        }
        None => writeln!(out, "  {address}"),
    }
}

/// Lets the next bug check be the first again, for tests that go on after one.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn forget() {
    ENTERED.store(0, Ordering::Release);
    REPORTER.store(0, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use arch::contract::{ProcessorNumber, ProcessorSet};
    use arch::sim;

    use super::*;

    /// Text whose formatting fails as badly as code can.
    struct Fatal;

    impl fmt::Display for Fatal {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            // Meanwhile another processor fails too, which must not count as this one's second fault.
            let other = sim::ended(|| {
                sim::on_processor(ProcessorNumber(1), || {
                    stop(BugCheckCode::MANUALLY_INITIATED_CRASH, [7; 4])
                })
            });
            assert_eq!(other, ExitCode::Success, "the other processor merely stops");
            sim::become_processor(ProcessorNumber::BOOT);
            stop(BugCheckCode::KERNEL_SECURITY_CHECK_FAILURE, [0; 4])
        }
    }

    #[test]
    fn a_fault_while_reporting_still_ends_the_machine() {
        let _machine = crate::testing::boot(2);
        // The second processor is not asked to stop: it would do so by a panic, in the middle of the report.
        crate::processor::pretend_active(1);
        let code = sim::ended(|| {
            stop_with_message(BugCheckCode::MANUALLY_INITIATED_CRASH, [1, 2, 3, 4], &Fatal)
        });
        assert_eq!(code, ExitCode::BugCheck);
        let output = sim::console_output();
        let first = "*** STOP: 0x000000e2 MANUALLY_INITIATED_CRASH (0x1, 0x2, 0x3, 0x4)";
        assert!(output.contains(first), "{output}");
        assert!(
            output.contains("STOP while reporting: 0x00000139"),
            "{output}"
        );
        assert!(
            !output.contains("0x7"),
            "the other processor reports nothing: {output}"
        );
    }

    #[test]
    fn the_report_has_level_and_end() {
        let _machine = crate::testing::boot(1);
        let code = sim::ended(|| stop(BugCheckCode::MANUALLY_INITIATED_CRASH, [0; 4]));
        assert_eq!(code, ExitCode::BugCheck);
        let output = sim::console_output();
        assert!(output.contains("processor 0, IRQL 0 (Passive)"), "{output}");
        assert!(output.ends_with("*** end of bug check\n"), "{output}");
    }

    #[test]
    fn a_bug_check_of_one_processor_stops_the_others() {
        static FATAL: crate::dpc::Dpc = crate::dpc::Dpc::new(|_, _| {
            stop(BugCheckCode::MANUALLY_INITIATED_CRASH, [0; 4]);
        });
        for seed in 0..100 {
            let _machine = crate::testing::boot_multiprocessor(3, seed);
            let code = sim::ended(|| {
                let queue = |_| _ = FATAL.queue([0; 2]);
                crate::ipi::call(ProcessorSet::only(ProcessorNumber(1)), queue, 0);
                loop {
                    Machine::relax();
                }
            });
            assert_eq!(code, ExitCode::BugCheck);
            let output = sim::console_output();
            assert!(output.contains("processor 1, IRQL 2"), "{output}");
            assert!(output.ends_with("*** end of bug check\n"), "{output}");
            assert!(!output.contains("does not answer"), "{output}");
        }
    }
}
