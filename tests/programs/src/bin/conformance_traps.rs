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

#[cfg(target_os = "windows")]
mod program {
    use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    use nt_abi::NtStatus;
    use nt_abi::w64::ExceptionRecord;
    use test_programs::check::{Outcome, line};
    use test_programs::threads::{
        Context, Disposition, ThreadRoutine, continue_at, exit_thread, join, set_exception_handler,
        spawn,
    };
    use test_programs::{expect, probes};

    test_programs::checks! {
        each_trap_is_its_exception,
        registers_are_kept_across_switches,
    }

    static CODE: AtomicU32 = AtomicU32::new(0);
    static COUNT: AtomicU32 = AtomicU32::new(0);
    static PARAMETERS: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];
    static PLACE: AtomicU64 = AtomicU64::new(0);

    fn notes_and_ends(record: &ExceptionRecord, context: &mut Context) -> Disposition {
        CODE.store(record.exception_code, Ordering::SeqCst);
        COUNT.store(record.number_parameters, Ordering::SeqCst);
        for (place, value) in PARAMETERS.iter().zip(record.exception_information) {
            place.store(value, Ordering::SeqCst);
        }
        PLACE.store(record.exception_address, Ordering::SeqCst);
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
            line(format_args!("       {}", trap.name));
            expect!(NtStatus(CODE.load(Ordering::SeqCst)), trap.code);
            expect!(COUNT.load(Ordering::SeqCst) as usize, trap.parameters.len());
            for (got, expected) in PARAMETERS.iter().zip(trap.parameters) {
                expect!(got.load(Ordering::SeqCst), *expected);
            }
            let start = trap.routine as usize as u64;
            let place = PLACE.load(Ordering::SeqCst);
            // The trap is within the first few instructions.
            expect!(place.wrapping_sub(start) < 0x18, true);
        }
        Ok(())
    }

    /// In all threads together.
    const SWITCHES: u64 = 1_000_000;
    const THREADS: u64 = 8;
    static CHANGED: AtomicU64 = AtomicU64::new(0);

    extern "C" fn keeps(seed: u64) -> u32 {
        let left =
            probes::keep_registers(SWITCHES / THREADS, seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        CHANGED.fetch_add(left, Ordering::SeqCst);
        0
    }

    fn registers_are_kept_across_switches() -> Outcome {
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
