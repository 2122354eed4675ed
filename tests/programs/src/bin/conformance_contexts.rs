//! Contexts of threads: read, set, gone on with; and what a program must not get away with in them.
//!
//! Expectations: the documentation of GetThreadContext, SetThreadContext, SuspendThread and of the processors' flags. What
//! user mode may not have is taken from a context and the rest of it is used; no context stops the machine.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

// What it sets and finds in contexts goes by code of our own that another implementation of NT does not bring along.
#[cfg(all(target_os = "windows", feature = "reference"))]
mod program {
    test_programs::checks! {}
}

#[cfg(all(target_os = "windows", not(feature = "reference")))]
mod program {
    use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    use nt_abi::NtStatus;
    use nt_abi::access::AccessMask;
    use nt_abi::memory::{AllocationType, PageProtection};
    use nt_abi::services::arguments::EventType;
    use nt_abi::w64::ExceptionRecord;
    use test_programs::check::{Failed, Outcome, line};
    use test_programs::counters::until_it_waits;
    use test_programs::memory::{KERNEL, allocate, free, protect};
    use test_programs::probes::contexts::*;
    use test_programs::probes::rounds::step;
    use test_programs::processes::on_one_processor;
    use test_programs::processes::{Options, number, start_with};
    use test_programs::services::*;
    use test_programs::threads::{
        Context, Disposition, SUSPENDED, continue_at, exit_thread, full, join,
        set_exception_handler, spawn, spawn_with, teb,
    };
    use test_programs::{expect, holds, status};

    test_programs::program!(begin);

    const PROGRAM: &str = r"\??\C:\conformance_contexts.exe";

    /// Runs the checks, or is the child that ends by the bad stack of the command line's number.
    fn begin() -> u32 {
        if let Some(index) = number(1) {
            return ends_by_its_stack(index as usize);
        }
        test_programs::check::run(&[
            ("a_step_is_its_threads_alone", a_step_is_its_threads_alone),
            ("a_spoiled_context_is_mended", a_spoiled_context_is_mended),
            ("a_thread_goes_on_mended", a_thread_goes_on_mended),
            ("a_thread_raises_mended", a_thread_raises_mended),
            ("a_bad_place_is_an_exception", a_bad_place_is_an_exception),
            ("a_bad_stack_ends_the_process", a_bad_stack_ends_the_process),
            ("foreign_flags_name_nothing", foreign_flags_name_nothing),
            ("general_registers_come_back", general_registers_come_back),
            ("vectors_come_back", vectors_come_back),
            (
                "vectors_are_set_before_a_thread_runs",
                vectors_of_a_new_thread,
            ),
            ("a_running_thread_is_read", a_running_thread_is_read),
            ("a_waiting_thread_is_read_and_set", a_waiting_thread),
            ("an_ended_thread_has_none", an_ended_thread_has_none),
            ("threads_read_each_other", threads_read_each_other),
            ("threads_that_end_are_read", threads_that_end_are_read),
            ("rights_are_asked_for", rights_are_asked_for),
            ("hostile_pointers_are_refused", hostile_pointers_are_refused),
        ])
    }

    /// A thread that is to be stepped and never runs leaves nothing behind for the one that runs next on its processor: this
    /// one, which would end by it.
    fn a_step_is_its_threads_alone() -> Outcome {
        on_one_processor(|| {
            for _ in 0..20 {
                let thread = spawn_with(runs, ARGUMENT, SUSPENDED)?;
                let mut context = context_of(thread)?;
                step(&mut context);
                status!(NtSetContextThread(thread, &context));
                let _ = NtYieldExecution();
                status!(NtTerminateThread(thread, NtStatus::SUCCESS));
                join(thread)?;
            }
            Ok(())
        })
    }

    fn context_of(thread: u64) -> Result<Context, Failed> {
        let mut context = Context::default();
        full(&mut context);
        status!(NtGetContextThread(thread, &mut context));
        Ok(context)
    }

    static RAN: AtomicU64 = AtomicU64::new(0);
    static OWN_TEB: AtomicU64 = AtomicU64::new(0);

    extern "C" fn runs(argument: u64) -> u32 {
        OWN_TEB.store(teb(), Ordering::SeqCst);
        RAN.store(argument, Ordering::SeqCst);
        exit_thread(0)
    }

    const ARGUMENT: u64 = 0x1234_5678_9ABC;

    /// Each is set, looked at, and then run with: by the processor, not by the kernel's word alone.
    fn a_spoiled_context_is_mended() -> Outcome {
        for spoiled in SPOILED {
            line(format_args!("       {}", spoiled.name));
            RAN.store(0, Ordering::SeqCst);
            OWN_TEB.store(0, Ordering::SeqCst);
            let thread = spawn_with(runs, ARGUMENT, SUSPENDED)?;
            let before = context_of(thread)?;
            let mut context = before;
            (spoiled.spoil)(&mut context);
            status!(NtSetContextThread(thread, &context));
            let after = context_of(thread)?;
            holds!((spoiled.is_mended)(&before, &after));
            status!(NtResumeThread(thread, NULL));
            join(thread)?;
            expect!(RAN.load(Ordering::SeqCst), ARGUMENT);
            holds!(OWN_TEB.load(Ordering::SeqCst) != 0);
            holds!(OWN_TEB.load(Ordering::SeqCst) != teb());
        }
        Ok(())
    }

    extern "C" fn goes_on(index: u64) -> u32 {
        let mut context = Context::default();
        full(&mut context);
        if NtGetContextThread(CURRENT_THREAD, &mut context) != NtStatus::SUCCESS {
            return 1;
        }
        continue_at(&mut context, is_gone_on_with);
        if let Some(spoiled) = SPOILED.get(index as usize) {
            (spoiled.spoil)(&mut context);
        }
        NtContinue(&context, false).0
    }

    extern "C" fn is_gone_on_with(_: u64) -> u32 {
        OWN_TEB.store(teb(), Ordering::SeqCst);
        RAN.store(ARGUMENT, Ordering::SeqCst);
        let mut context = Context::default();
        full(&mut context);
        if NtGetContextThread(CURRENT_THREAD, &mut context) == NtStatus::SUCCESS {
            let clean = SPOILED
                .iter()
                .all(|spoiled| (spoiled.is_mended)(&context, &context));
            RAN.fetch_add(u64::from(clean), Ordering::SeqCst);
        }
        exit_thread(0)
    }

    fn a_thread_goes_on_mended() -> Outcome {
        for (index, spoiled) in SPOILED.iter().enumerate() {
            line(format_args!("       {}", spoiled.name));
            RAN.store(0, Ordering::SeqCst);
            join(spawn(goes_on, index as u64)?)?;
            expect!(RAN.load(Ordering::SeqCst), ARGUMENT + 1);
            holds!(OWN_TEB.load(Ordering::SeqCst) != 0);
        }
        Ok(())
    }

    static CODE: AtomicU32 = AtomicU32::new(0);
    static SEEN: AtomicU64 = AtomicU64::new(0);

    extern "C" fn ends(_: u64) -> u32 {
        exit_thread(0)
    }

    fn notes_and_ends(record: &ExceptionRecord, context: &mut Context) -> Disposition {
        CODE.store(record.exception_code, Ordering::SeqCst);
        let clean = SPOILED
            .iter()
            .all(|spoiled| (spoiled.is_mended)(context, context));
        SEEN.store(u64::from(clean), Ordering::SeqCst);
        continue_at(context, ends);
        Disposition::Continue
    }

    extern "C" fn raises(index: u64) -> u32 {
        let mut context = Context::default();
        full(&mut context);
        if NtGetContextThread(CURRENT_THREAD, &mut context) != NtStatus::SUCCESS {
            return 1;
        }
        if let Some(spoiled) = SPOILED.get(index as usize) {
            (spoiled.spoil)(&mut context);
        }
        let record = ExceptionRecord {
            exception_code: 0xE000_0000 + index as u32,
            ..ExceptionRecord::default()
        };
        NtRaiseException(&record, &context, true).0
    }

    /// What the handler sees is the thread's, not what was asked for.
    fn a_thread_raises_mended() -> Outcome {
        set_exception_handler(notes_and_ends);
        for (index, spoiled) in SPOILED.iter().enumerate() {
            line(format_args!("       {}", spoiled.name));
            CODE.store(0, Ordering::SeqCst);
            SEEN.store(0, Ordering::SeqCst);
            join(spawn(raises, index as u64)?)?;
            expect!(CODE.load(Ordering::SeqCst), 0xE000_0000 + index as u32);
            expect!(SEEN.load(Ordering::SeqCst), 1);
        }
        Ok(())
    }

    fn a_bad_place_is_an_exception() -> Outcome {
        set_exception_handler(notes_and_ends);
        for place in BAD_PLACES {
            line(format_args!("       {}", place.name));
            CODE.store(0, Ordering::SeqCst);
            RAN.store(0, Ordering::SeqCst);
            let thread = spawn_with(runs, ARGUMENT, SUSPENDED)?;
            let mut context = context_of(thread)?;
            (place.spoil)(&mut context);
            status!(NtSetContextThread(thread, &context));
            status!(NtResumeThread(thread, NULL));
            join(thread)?;
            expect!(NtStatus(CODE.load(Ordering::SeqCst)), place.code);
            expect!(RAN.load(Ordering::SeqCst), 0);
        }
        Ok(())
    }

    fn ends_by_its_stack(index: usize) -> u32 {
        set_exception_handler(notes_and_ends);
        let Some(place) = BAD_STACKS.get(index) else {
            return 1;
        };
        let Ok(thread) = spawn_with(runs, ARGUMENT, SUSPENDED) else {
            return 2;
        };
        let Ok(mut context) = context_of(thread) else {
            return 3;
        };
        (place.spoil)(&mut context);
        if NtSetContextThread(thread, &context) != NtStatus::SUCCESS
            || NtResumeThread(thread, NULL) != NtStatus::SUCCESS
        {
            return 4;
        }
        let _ = join(thread);
        5
    }

    fn a_bad_stack_ends_the_process() -> Outcome {
        for (place, name) in BAD_STACKS.iter().zip(["x 0", "x 1", "x 2", "x 3"]) {
            line(format_args!("       {}", place.name));
            let child = start_with(PROGRAM, name, Options::default())?;
            status!(NtWaitForSingleObject(child.process, false, NULL));
            expect!(NtStatus(child.exit_status()?), place.code);
            child.close()?;
        }
        Ok(())
    }

    /// Nothing is read and nothing is set that no flag of this machine's names.
    fn foreign_flags_name_nothing() -> Outcome {
        let thread = spawn_with(runs, ARGUMENT, SUSPENDED)?;
        let before = context_of(thread)?;
        for flags in FOREIGN_FLAGS {
            let mut context = Context::default();
            fill_general(&mut context, || 0x5A5A_5A5A);
            let junk = context;
            set_flags(&mut context, *flags);
            let got = NtGetContextThread(thread, &mut context);
            holds!(matches!(
                got,
                NtStatus::SUCCESS | NtStatus::INVALID_PARAMETER
            ));
            holds!(same_general(&junk, &context));
            let got = NtSetContextThread(thread, &context);
            holds!(matches!(
                got,
                NtStatus::SUCCESS | NtStatus::INVALID_PARAMETER
            ));
            let after = context_of(thread)?;
            holds!(same_general(&before, &after));
            holds!(same_vectors(&before, &after));
        }
        status!(NtResumeThread(thread, NULL));
        join(thread)?;
        expect!(RAN.load(Ordering::SeqCst), ARGUMENT);
        Ok(())
    }

    fn numbers(mut state: u64) -> impl FnMut() -> u64 {
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        }
    }

    fn general_registers_come_back() -> Outcome {
        let thread = spawn_with(runs, ARGUMENT, SUSPENDED)?;
        let before = context_of(thread)?;
        let mut context = before;
        fill_general(&mut context, numbers(0x1357_9BDF));
        with_general(&mut context);
        status!(NtSetContextThread(thread, &context));
        let after = context_of(thread)?;
        holds!(same_general(&context, &after));
        holds!(!same_general(&before, &after));
        holds!(same_vectors(&before, &after));
        // With its own registers again it runs as if nothing had been.
        RAN.store(0, Ordering::SeqCst);
        status!(NtSetContextThread(thread, &before));
        status!(NtResumeThread(thread, NULL));
        join(thread)?;
        expect!(RAN.load(Ordering::SeqCst), ARGUMENT);
        Ok(())
    }

    fn vectors_come_back() -> Outcome {
        let thread = spawn_with(runs, ARGUMENT, SUSPENDED)?;
        let before = context_of(thread)?;
        let mut context = before;
        fill_vectors(&mut context, numbers(0x2468_ACE1));
        with_vectors(&mut context);
        status!(NtSetContextThread(thread, &context));
        let after = context_of(thread)?;
        holds!(same_vectors(&context, &after));
        holds!(same_general(&before, &after));
        RAN.store(0, Ordering::SeqCst);
        status!(NtResumeThread(thread, NULL));
        join(thread)?;
        expect!(RAN.load(Ordering::SeqCst), ARGUMENT);
        Ok(())
    }

    static STOP: AtomicU32 = AtomicU32::new(0);
    static STARTED: AtomicU32 = AtomicU32::new(0);

    extern "C" fn spins(_: u64) -> u32 {
        STARTED.store(1, Ordering::SeqCst);
        while STOP.load(Ordering::SeqCst) == 0 {
            core::hint::spin_loop();
        }
        0
    }

    /// On one processor a new thread runs for the first time when it is given registers: they are its own from then on, and
    /// in user mode.
    fn vectors_of_a_new_thread() -> Outcome {
        on_one_processor(|| {
            for round in 0..20 {
                STOP.store(0, Ordering::SeqCst);
                STARTED.store(0, Ordering::SeqCst);
                let thread = spawn_with(spins, 0, SUSPENDED)?;
                let mut context = Context::default();
                fill_vectors(&mut context, numbers(0x1357_9BDF + round));
                with_vectors(&mut context);
                status!(NtSetContextThread(thread, &context));
                // Other threads use the registers meanwhile.
                status!(NtDelayExecution(false, &-1i64));
                let suspended = context_of(thread)?;
                status!(NtResumeThread(thread, NULL));
                while STARTED.load(Ordering::SeqCst) == 0 {
                    NtYieldExecution();
                }
                let running = context_of(thread)?;
                STOP.store(1, Ordering::SeqCst);
                join(thread)?;
                holds!(same_vectors(&context, &suspended));
                holds!(same_vectors(&context, &running));
            }
            Ok(())
        })
    }

    fn a_running_thread_is_read() -> Outcome {
        STOP.store(0, Ordering::SeqCst);
        STARTED.store(0, Ordering::SeqCst);
        let thread = spawn(spins, 0)?;
        while STARTED.load(Ordering::SeqCst) == 0 {
            NtYieldExecution();
        }
        for round in 0..200 {
            let mut context = context_of(thread)?;
            // What it is given back it goes on with, if it has stood still meanwhile.
            if round % 4 == 0 {
                status!(NtSuspendThread(thread, NULL));
                context = context_of(thread)?;
                status!(NtSetContextThread(thread, &context));
                let again = context_of(thread)?;
                holds!(same_general(&context, &again));
                holds!(same_vectors(&context, &again));
                status!(NtResumeThread(thread, NULL));
            }
            holds!(
                SPOILED
                    .first()
                    .is_some_and(|first| (first.is_mended)(&context, &context))
            );
        }
        STOP.store(1, Ordering::SeqCst);
        join(thread)
    }

    static EVENT: AtomicU64 = AtomicU64::new(0);

    extern "C" fn waits(_: u64) -> u32 {
        STARTED.store(1, Ordering::SeqCst);
        NtWaitForSingleObject(EVENT.load(Ordering::SeqCst), false, NULL).0
    }

    /// The wait goes on; where the thread goes on afterwards is what was set.
    fn a_waiting_thread() -> Outcome {
        let mut event = 0u64;
        status!(NtCreateEvent(
            &mut event,
            AccessMask::EVENT_ALL_ACCESS,
            NULL,
            EventType(0),
            false
        ));
        EVENT.store(event, Ordering::SeqCst);
        STARTED.store(0, Ordering::SeqCst);
        RAN.store(0, Ordering::SeqCst);
        let thread = spawn(waits, 0)?;
        while STARTED.load(Ordering::SeqCst) == 0 {
            NtYieldExecution();
        }
        until_it_waits(thread)?;
        let mut context = context_of(thread)?;
        holds!(same_general(&context, &context_of(thread)?));
        continue_at(&mut context, is_gone_on_with);
        status!(NtSetContextThread(thread, &context));
        let now = 0i64;
        status!(NtWaitForSingleObject(thread, false, &now), TIMEOUT);
        expect!(RAN.load(Ordering::SeqCst), 0);
        status!(NtSetEvent(event, NULL));
        join(thread)?;
        expect!(RAN.load(Ordering::SeqCst), ARGUMENT + 1);
        status!(NtClose(event));
        Ok(())
    }

    fn an_ended_thread_has_none() -> Outcome {
        let thread = spawn(ends, 0)?;
        status!(NtWaitForSingleObject(thread, false, NULL));
        let mut context = Context::default();
        full(&mut context);
        status!(NtGetContextThread(thread, &mut context), UNSUCCESSFUL);
        status!(NtSetContextThread(thread, &context), UNSUCCESSFUL);
        status!(NtClose(thread));
        Ok(())
    }

    static OTHERS: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];
    static BAD: AtomicU32 = AtomicU32::new(0);

    extern "C" fn reads_the_others(own: u64) -> u32 {
        while OTHERS.iter().any(|other| other.load(Ordering::SeqCst) == 0) {
            NtYieldExecution();
        }
        for _ in 0..100 {
            for (index, other) in OTHERS.iter().enumerate() {
                if index as u64 == own {
                    continue;
                }
                let mut context = Context::default();
                full(&mut context);
                let got = NtGetContextThread(other.load(Ordering::SeqCst), &mut context);
                if !matches!(got, NtStatus::SUCCESS | NtStatus::UNSUCCESSFUL) {
                    BAD.store(got.0, Ordering::SeqCst);
                }
            }
        }
        0
    }

    /// Each waits for the others, which wait for it: nobody waits for ever.
    fn threads_read_each_other() -> Outcome {
        BAD.store(0, Ordering::SeqCst);
        for (index, other) in OTHERS.iter().enumerate() {
            other.store(spawn(reads_the_others, index as u64)?, Ordering::SeqCst);
        }
        // No handle is closed while one of them may still use it.
        for other in &OTHERS {
            status!(NtWaitForSingleObject(
                other.load(Ordering::SeqCst),
                false,
                NULL
            ));
        }
        for other in &OTHERS {
            status!(NtClose(other.load(Ordering::SeqCst)));
        }
        expect!(BAD.load(Ordering::SeqCst), 0);
        Ok(())
    }

    /// Each is read again and again while it runs and ends: it is read until it is gone, and never again afterwards.
    fn threads_that_end_are_read() -> Outcome {
        /// More than a thread that has so little to do can be read.
        const MOST_READS: u32 = 1_000_000;
        let mut read = 0;
        for round in 0..100 {
            let thread = spawn_with(runs, ARGUMENT, SUSPENDED)?;
            let mut context = context_of(thread)?;
            RAN.store(0, Ordering::SeqCst);
            status!(NtResumeThread(thread, NULL));
            let is_ended = round % 2 == 0;
            if is_ended {
                status!(NtTerminateThread(thread, NtStatus(9)));
            }
            let before = read;
            let end = loop {
                match NtGetContextThread(thread, &mut context) {
                    NtStatus::SUCCESS if read - before < MOST_READS => read += 1,
                    end => break end,
                }
            };
            status!(end, UNSUCCESSFUL);
            status!(NtWaitForSingleObject(thread, false, NULL));
            status!(NtGetContextThread(thread, &mut context), UNSUCCESSFUL);
            // To be read has not kept it from what it had to do.
            holds!(is_ended || RAN.load(Ordering::SeqCst) == ARGUMENT);
            status!(NtClose(thread));
        }
        // Some were still there.
        holds!(read > 0);
        Ok(())
    }

    /// A handle of the own thread that has no more than those rights.
    fn with_rights(rights: AccessMask) -> Result<u64, Failed> {
        let mut handle = 0u64;
        status!(NtDuplicateObject(
            CURRENT_PROCESS,
            CURRENT_THREAD,
            CURRENT_PROCESS,
            &mut handle,
            rights,
            0u32,
            0u32
        ));
        Ok(handle)
    }

    fn rights_are_asked_for() -> Outcome {
        let mut context = Context::default();
        full(&mut context);
        let get = with_rights(AccessMask::THREAD_GET_CONTEXT)?;
        let set = with_rights(AccessMask::THREAD_SET_CONTEXT)?;
        status!(NtGetContextThread(get, &mut context));
        status!(NtGetContextThread(set, &mut context), ACCESS_DENIED);
        status!(NtSetContextThread(get, &context), ACCESS_DENIED);
        set_flags(&mut context, 0);
        status!(NtSetContextThread(set, &context));
        status!(NtClose(get));
        status!(NtClose(set));
        status!(NtGetContextThread(get, &mut context), INVALID_HANDLE);
        status!(NtSetContextThread(get, &context), INVALID_HANDLE);
        status!(
            NtGetContextThread(CURRENT_PROCESS, &mut context),
            OBJECT_TYPE_MISMATCH
        );
        Ok(())
    }

    fn hostile_pointers_are_refused() -> Outcome {
        let (page, _) = allocate(
            0,
            0x2000,
            AllocationType::RESERVE | AllocationType::COMMIT,
            PageProtection::READWRITE,
        )?;
        protect(page + 0x1000, 0x1000, PageProtection::READONLY)?;
        let kernel = Address(KERNEL);
        let cut = Address(page + 0x2000 - 0x20);
        for bad in [
            NULL,
            kernel,
            cut,
            Address(0x1230),
            Address(0x7FFF_FFFF_FFF0),
        ] {
            status!(NtGetContextThread(CURRENT_THREAD, bad), ACCESS_VIOLATION);
            status!(NtSetContextThread(CURRENT_THREAD, bad), ACCESS_VIOLATION);
            status!(NtContinue(bad, true), ACCESS_VIOLATION);
        }
        let odd = Address(page + 8);
        status!(
            NtGetContextThread(CURRENT_THREAD, odd),
            DATATYPE_MISALIGNMENT
        );
        status!(
            NtSetContextThread(CURRENT_THREAD, odd),
            DATATYPE_MISALIGNMENT
        );
        status!(NtContinue(odd, false), DATATYPE_MISALIGNMENT);
        // It can be read, and not be answered to.
        status!(
            NtGetContextThread(CURRENT_THREAD, Address(page + 0x1000)),
            ACCESS_VIOLATION
        );
        let mut context = Context::default();
        set_flags(&mut context, 0);
        let mut record = ExceptionRecord::default();
        status!(NtRaiseException(kernel, &context, true), ACCESS_VIOLATION);
        status!(NtRaiseException(&record, kernel, true), ACCESS_VIOLATION);
        record.number_parameters = 16;
        status!(NtRaiseException(&record, &context, true), INVALID_PARAMETER);
        record.number_parameters = u32::MAX;
        status!(
            NtRaiseException(&record, &context, false),
            INVALID_PARAMETER
        );
        free(page, 0, AllocationType::RELEASE)?;
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
