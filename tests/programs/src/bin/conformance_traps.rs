//! Instructions that trap: each is the exception that Windows makes of it, with its parameters, and the thread's alone.
//!
//! Expectations: the documentation of EXCEPTION_RECORD, of __fastfail, and of the ABI of Windows on ARM64 for BRK.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

// What it probes are instructions and selectors, by code of our own that another implementation of NT does not bring along.
#[cfg(all(target_os = "windows", feature = "reference"))]
mod program {
    test_programs::checks! {}
}

#[cfg(all(target_os = "windows", not(feature = "reference")))]
mod program {
    use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    use nt_abi::NtStatus;
    use nt_abi::w64::ExceptionRecord;
    use test_programs::check::{Failed, Outcome, line};
    use test_programs::counters::own_switches;
    use test_programs::processes::{Options, number, start_with};
    use test_programs::services::{CURRENT_THREAD, NtGetContextThread, NtRaiseException};
    use test_programs::threads::{
        Context, Disposition, ThreadRoutine, continue_at, exit_thread, full, join,
        set_exception_handler, spawn,
    };
    use test_programs::{expect, holds, probes};

    test_programs::program!(begin);

    const PROGRAM: &str = r"\??\C:\conformance_traps.exe";

    /// Runs the checks, or plays the part that the command line says.
    fn begin() -> u32 {
        if let Some(part) = number(1) {
            return meets(part);
        }
        test_programs::check::run(&[
            ("each_trap_is_its_exception", each_trap_is_its_exception),
            (
                "an_unhandled_trap_ends_its_process",
                an_unhandled_trap_ends_its_process,
            ),
            ("a_fast_fail_asks_nobody", a_fast_fail_asks_nobody),
            (
                "a_second_chance_ends_the_process",
                a_second_chance_ends_the_process,
            ),
            (
                "the_kernels_bit_is_not_raised",
                the_kernels_bit_is_not_raised,
            ),
            (
                "registers_are_kept_across_switches",
                registers_are_kept_across_switches,
            ),
        ])
    }

    /// Parts that are no trap's number.
    const FAST_FAILS: u64 = 1000;
    const RAISES: u64 = 1001;
    /// What a child ends with in whose way no exception was.
    const NOTHING_HAPPENED: u32 = 77;

    fn goes_on(_: &ExceptionRecord, context: &mut Context) -> Disposition {
        continue_at(context, ends_well);
        Disposition::Continue
    }

    extern "C" fn ends_well(_: u64) -> u32 {
        test_programs::flat_program::exit(NOTHING_HAPPENED)
    }

    fn meets(part: u64) -> u32 {
        match part {
            FAST_FAILS => {
                set_exception_handler(goes_on);
                (probes::FAST_FAIL)(0);
            }
            RAISES => {
                set_exception_handler(goes_on);
                raises(0xE000_0042, false);
            }
            _ => {
                if let Some(trap) = probes::TRAPS.get(part as usize) {
                    (trap.routine)(0);
                }
            }
        }
        NOTHING_HAPPENED
    }

    fn raises(code: u32, first_chance: bool) {
        let mut context = Context::default();
        full(&mut context);
        let record = ExceptionRecord {
            exception_code: code,
            ..ExceptionRecord::default()
        };
        if NtGetContextThread(CURRENT_THREAD, &mut context) == NtStatus::SUCCESS {
            NtRaiseException(&record, &context, first_chance);
        }
    }

    /// What this program ends with in that part.
    fn end_of(part: u64) -> Result<u32, Failed> {
        let mut text = *b"x 0000";
        let mut left = part;
        for digit in text.iter_mut().skip(2).rev() {
            *digit = b'0' + (left % 10) as u8;
            left /= 10;
        }
        let text = core::str::from_utf8(&text).unwrap_or("x");
        let child = start_with(PROGRAM, text, Options::default())?;
        let ended = child.exit_status()?;
        child.close()?;
        Ok(ended)
    }

    fn an_unhandled_trap_ends_its_process() -> Outcome {
        for (part, trap) in probes::TRAPS.iter().enumerate() {
            let ended = end_of(part as u64)?;
            if trap.depends && ended == NOTHING_HAPPENED {
                continue;
            }
            line(format_args!("       {}", trap.name));
            expect!(NtStatus(ended), trap.code);
        }
        Ok(())
    }

    fn a_fast_fail_asks_nobody() -> Outcome {
        expect!(
            NtStatus(end_of(FAST_FAILS)?),
            NtStatus::STACK_BUFFER_OVERRUN
        );
        Ok(())
    }

    fn a_second_chance_ends_the_process() -> Outcome {
        expect!(end_of(RAISES)?, 0xE000_0042);
        Ok(())
    }

    extern "C" fn raises_reserved(_: u64) -> u32 {
        raises(0xF000_0043, true);
        1
    }

    /// The documentation of RaiseException: bit 28 is cleared.
    fn the_kernels_bit_is_not_raised() -> Outcome {
        set_exception_handler(notes_and_ends);
        CODE.store(0, Ordering::SeqCst);
        join(spawn(raises_reserved, 0)?)?;
        expect!(CODE.load(Ordering::SeqCst), 0xE000_0043);
        Ok(())
    }

    static CODE: AtomicU32 = AtomicU32::new(0);
    static COUNT: AtomicU32 = AtomicU32::new(0);
    static PARAMETERS: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];
    static PLACE: AtomicU64 = AtomicU64::new(0);
    /// Where the context says that the thread would go on.
    static WENT_ON: AtomicU64 = AtomicU64::new(0);

    fn notes_and_ends(record: &ExceptionRecord, context: &mut Context) -> Disposition {
        CODE.store(record.exception_code, Ordering::SeqCst);
        COUNT.store(record.number_parameters, Ordering::SeqCst);
        for (place, value) in PARAMETERS.iter().zip(record.exception_information) {
            place.store(value, Ordering::SeqCst);
        }
        PLACE.store(record.exception_address, Ordering::SeqCst);
        WENT_ON.store(probes::contexts::pc(context), Ordering::SeqCst);
        continue_at(context, ends);
        Disposition::Continue
    }

    extern "C" fn ends(_: u64) -> u32 {
        exit_thread(0)
    }

    fn each_trap_is_its_exception() -> Outcome {
        set_exception_handler(notes_and_ends);
        for trap in probes::TRAPS {
            CODE.store(0, Ordering::SeqCst);
            join(spawn(trap.routine, 0)?)?;
            if trap.depends && CODE.load(Ordering::SeqCst) == 0 {
                line(format_args!("       {}: not on this machine", trap.name));
                continue;
            }
            line(format_args!("       {}", trap.name));
            expect!(NtStatus(CODE.load(Ordering::SeqCst)), trap.code);
            expect!(COUNT.load(Ordering::SeqCst) as usize, trap.parameters.len());
            for (got, expected) in PARAMETERS.iter().zip(trap.parameters) {
                expect!(got.load(Ordering::SeqCst), *expected);
            }
            let start = trap.routine as usize as u64;
            let place = PLACE.load(Ordering::SeqCst);
            // The trap is within the first few instructions.
            holds!(place.wrapping_sub(start) < 0x60);
            if let Some(offset) = trap.offset {
                expect!(place - start, offset);
                expect!(WENT_ON.load(Ordering::SeqCst), place);
            }
        }
        Ok(())
    }

    /// In all threads together.
    const SWITCHES: u64 = 1_000_000;
    const THREADS: u64 = 8;
    static SWITCHED: AtomicU64 = AtomicU64::new(0);
    static CHANGED: AtomicU64 = AtomicU64::new(0);

    extern "C" fn keeps(seed: u64) -> u32 {
        let left =
            probes::keep_registers(SWITCHES / THREADS, seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        CHANGED.fetch_add(left, Ordering::SeqCst);
        let switched = own_switches().unwrap_or(0);
        SWITCHED.fetch_add(u64::from(switched), Ordering::SeqCst);
        0
    }

    /// The threads give their processors away until they were switched to that often, which is counted, not assumed.
    fn registers_are_kept_across_switches() -> Outcome {
        let mut rounds = 0;
        while SWITCHED.load(Ordering::SeqCst) < SWITCHES && rounds < 16 {
            a_round_of_switches()?;
            rounds += 1;
        }
        let switched = SWITCHED.load(Ordering::SeqCst);
        line(format_args!(
            "       {switched} switches in {rounds} rounds"
        ));
        holds!(switched >= SWITCHES);
        Ok(())
    }

    fn a_round_of_switches() -> Outcome {
        let mut threads = [0u64; THREADS as usize];
        let routine: ThreadRoutine = keeps;
        for (thread, seed) in threads.iter_mut().zip(1..) {
            *thread = spawn(routine, seed)?;
        }
        for thread in threads {
            join(thread)?;
        }
        expect!(CHANGED.load(Ordering::SeqCst), 0);
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
