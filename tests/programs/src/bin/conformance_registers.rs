//! Registers across traps: every register that user mode has, filled with random values, is what it was behind a system
//! call, an APC, a page fault, a breakpoint, a single step and interrupts, `conformance_registers 1000000` times in all.
//!
//! Handlers and APC routines overwrite what they may, SIMD registers too. What each way counts shows that its traps happened.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

// It carries registers by code of our own that another implementation of NT does not bring along.
#[cfg(all(target_os = "windows", feature = "reference"))]
mod program {
    test_programs::checks! {}
}

#[cfg(all(target_os = "windows", not(feature = "reference")))]
mod program {
    use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use nt_abi::NtStatus;
    use nt_abi::memory::{AllocationType, PageProtection};
    use nt_abi::services::arguments::{ProcessInformationClass, SystemInformationClass};
    use nt_abi::w64::{ExceptionRecord, VmCounters};
    use test_programs::check::{Failed, Outcome, line};
    use test_programs::memory::{PAGE, allocate, done, free};
    use test_programs::probes::contexts::has_first_vectors;
    use test_programs::probes::rounds::*;
    use test_programs::processes::{number, on_one_processor};
    use test_programs::services::*;
    use test_programs::threads::{
        Context, Disposition, SUSPENDED, ThreadRoutine, full, join, set_exception_handler, spawn,
        spawn_with,
    };
    use test_programs::{expect, holds, status};
    use zerocopy::FromZeros as _;

    test_programs::program!(begin);

    const ROUNDS: u64 = 1_000_000;
    /// More than one, so that threads are switched on the way.
    const THREADS: u64 = 6;

    static TOTAL: AtomicU64 = AtomicU64::new(ROUNDS);

    fn begin() -> u32 {
        TOTAL.store(number(1).unwrap_or(ROUNDS).max(1000), Ordering::SeqCst);
        set_exception_handler(goes_on);
        test_programs::check::run(&[
            ("every_register_is_carried", every_register_is_carried),
            ("a_thread_begins_with_nobodys", a_thread_begins_with_nobodys),
            ("system_calls", system_calls),
            ("apcs_in_system_calls", apcs_in_system_calls),
            ("page_faults", page_faults),
            ("breakpoints", breakpoints),
            ("single_steps", single_steps),
            ("interrupts_and_apcs_between", interrupts_and_apcs_between),
            ("rounds_in_all", rounds_in_all),
        ])
    }

    /// Random numbers, another sequence for each seed.
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn file(&mut self) -> RegisterFile {
            let mut file = RegisterFile::default();
            file.general.fill_with(|| self.next());
            for vector in &mut file.vectors {
                *vector = [self.next(), self.next()];
            }
            file.flags = self.next() & FLAG_BITS | FIXED_FLAGS;
            file.control = (self.next() >> 32) as u32 & CONTROL_BITS | FIXED_CONTROL;
            file.status = (self.next() >> 32) as u32 & STATUS_BITS;
            file.fill_others(|| self.next());
            file
        }
    }

    static DONE: AtomicU64 = AtomicU64::new(0);
    static CHANGED: AtomicU64 = AtomicU64::new(0);
    static EXCEPTIONS: AtomicU64 = AtomicU64::new(0);
    static APCS: AtomicU64 = AtomicU64::new(0);
    /// Handlers ask for a step.
    static STEPPING: AtomicBool = AtomicBool::new(false);

    fn goes_on(record: &ExceptionRecord, context: &mut Context) -> Disposition {
        EXCEPTIONS.fetch_add(1, Ordering::SeqCst);
        scramble();
        match record.code() {
            NtStatus::BREAKPOINT => {
                skip_breakpoint(context);
                if STEPPING.load(Ordering::SeqCst) {
                    step(context);
                }
                Disposition::Continue
            }
            NtStatus::SINGLE_STEP => Disposition::Continue,
            _ => Disposition::Unhandled,
        }
    }

    extern "C" fn apc(_: u64, _: u64, _: u64) {
        APCS.fetch_add(1, Ordering::SeqCst);
        scramble();
    }

    fn apc_address() -> u64 {
        apc as extern "C" fn(u64, u64, u64) as usize as u64
    }

    /// Writes which registers differ.
    fn differs(way: Way, from: &RegisterFile, to: &RegisterFile) {
        for (index, (was, is)) in from.general.iter().zip(&to.general).enumerate() {
            if was != is {
                line(format_args!(
                    "       {way:?}: general {index}: {was:x} became {is:x}"
                ));
            }
        }
        for (index, (was, is)) in from.vectors.iter().zip(&to.vectors).enumerate() {
            if was != is {
                line(format_args!(
                    "       {way:?}: vector {index}: {was:x?} became {is:x?}"
                ));
            }
        }
        line(format_args!(
            "       {way:?}: flags {:x}, {:x}; control {:x}, {:x}; status {:x}, {:x}",
            from.flags, to.flags, from.control, to.control, from.status, to.status
        ));
        if from.general == to.general && from.vectors == to.vectors {
            line(format_args!("       {from:x?}"));
            line(format_args!("       {to:x?}"));
        }
    }

    /// One round; whether everything is as it was but what the way may change.
    fn one(way: Way, numbers: &mut Numbers, place: u64) -> bool {
        let mut from = numbers.file();
        let mut to = from.blank();
        let mut expected = from;
        match way {
            Way::PageFault => from.general[PLACE] = place,
            Way::Spin => from.general[COUNT] = 1 + (numbers.next() & 0x3FFF),
            _ => {}
        }
        carry(way, &from, &mut to);
        match way {
            Way::PageFault => expected.general[PLACE] = place,
            Way::Spin => expected.general[COUNT] = 0,
            Way::SystemCall | Way::Apc => {
                for lost in LOST_IN_CALLS {
                    expected.general[*lost] = to.general[*lost];
                }
            }
            Way::Breakpoint | Way::Step => {}
        }
        let same = expected == to;
        if !same {
            differs(way, &expected, &to);
        }
        same
    }

    /// Runs rounds until one goes wrong.
    fn rounds(way: Way, count: u64, seed: u64, mut prepare: impl FnMut() -> Result<u64, NtStatus>) {
        let mut numbers = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..count {
            let fine = prepare().is_ok_and(|place| one(way, &mut numbers, place));
            if !fine {
                CHANGED.fetch_add(1, Ordering::SeqCst);
                return;
            }
            DONE.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Of a thousand rounds so many go this way.
    const fn share(way: Way) -> u64 {
        match way {
            Way::SystemCall => 400,
            Way::Apc | Way::PageFault | Way::Breakpoint => 150,
            Way::Step => 100,
            Way::Spin => 50,
        }
    }

    fn count_of(way: Way) -> u64 {
        TOTAL.load(Ordering::SeqCst).div_ceil(1000) * share(way)
    }

    fn part_of(way: Way) -> u64 {
        count_of(way).div_ceil(THREADS)
    }

    extern "C" fn calls(seed: u64) -> u32 {
        rounds(Way::SystemCall, part_of(Way::SystemCall), seed, || Ok(0));
        0
    }

    extern "C" fn takes_apcs(seed: u64) -> u32 {
        rounds(Way::Apc, part_of(Way::Apc), seed, || {
            let queued = NtQueueApcThread(CURRENT_THREAD, apc_address(), 0u64, 0u64, 0u64);
            done(queued, 0)
        });
        0
    }

    extern "C" fn breaks(seed: u64) -> u32 {
        rounds(Way::Breakpoint, part_of(Way::Breakpoint), seed, || Ok(0));
        0
    }

    extern "C" fn steps(seed: u64) -> u32 {
        rounds(Way::Step, part_of(Way::Step), seed, || Ok(0));
        0
    }

    extern "C" fn spins(seed: u64) -> u32 {
        rounds(Way::Spin, part_of(Way::Spin), seed, || Ok(0));
        SPINNING.fetch_sub(1, Ordering::SeqCst);
        0
    }

    /// Pages that a thread touches before it gives them back.
    const PAGES: u64 = 256;

    extern "C" fn touches(seed: u64) -> u32 {
        let both = AllocationType::RESERVE | AllocationType::COMMIT;
        let Ok((base, _)) = allocate(0, PAGES * PAGE, both, PageProtection::READWRITE) else {
            CHANGED.fetch_add(1, Ordering::SeqCst);
            return 1;
        };
        let mut next = 0;
        rounds(Way::PageFault, part_of(Way::PageFault), seed, || {
            if next == PAGES {
                free(base, PAGES * PAGE, AllocationType::DECOMMIT)?;
                allocate(
                    base,
                    PAGES * PAGE,
                    AllocationType::COMMIT,
                    PageProtection::READWRITE,
                )?;
                next = 0;
            }
            next += 1;
            Ok(base + (next - 1) * PAGE)
        });
        let _ = free(base, 0, AllocationType::RELEASE);
        0
    }

    fn start(routine: ThreadRoutine) -> Result<[u64; THREADS as usize], Failed> {
        CHANGED.store(0, Ordering::SeqCst);
        let mut threads = [0u64; THREADS as usize];
        for (thread, seed) in threads.iter_mut().zip(1..) {
            *thread = spawn(routine, seed)?;
        }
        Ok(threads)
    }

    fn all(routine: ThreadRoutine) -> Outcome {
        for thread in start(routine)? {
            join(thread)?;
        }
        expect!(CHANGED.load(Ordering::SeqCst), 0);
        Ok(())
    }

    extern "C" fn ends(_: u64) -> u32 {
        0
    }

    /// Nothing that the processor has is left out, because the kernel keeps it from programs for one.
    fn every_register_is_carried() -> Outcome {
        holds!(carries_all());
        Ok(())
    }

    /// The SIMD registers of a thread that has not run are the first ones, though its maker had all of its own in use before
    /// it gave the processor to it.
    fn a_thread_begins_with_nobodys() -> Outcome {
        on_one_processor(begins_with_nobodys)
    }

    fn begins_with_nobodys() -> Outcome {
        let mut numbers = Numbers(1);
        for _ in 0..20 {
            let thread = spawn_with(ends, 0, SUSPENDED)?;
            holds!(one(Way::SystemCall, &mut numbers, 0));
            let mut context = Context::default();
            full(&mut context);
            status!(NtGetContextThread(thread, &mut context));
            holds!(has_first_vectors(&context));
            status!(NtResumeThread(thread, NULL));
            join(thread)?;
        }
        Ok(())
    }

    fn system_calls() -> Outcome {
        all(calls)
    }

    fn apcs_in_system_calls() -> Outcome {
        APCS.store(0, Ordering::SeqCst);
        all(takes_apcs)?;
        expect!(APCS.load(Ordering::SeqCst), part_of(Way::Apc) * THREADS);
        Ok(())
    }

    /// `ProcessVmCounters`.
    const VM_COUNTERS: ProcessInformationClass = ProcessInformationClass(3);

    fn faults() -> Result<u32, Failed> {
        let mut counters = VmCounters::new_zeroed();
        status!(NtQueryInformationProcess(
            CURRENT_PROCESS,
            VM_COUNTERS,
            &mut counters,
            size_of::<VmCounters>() as u32,
            NULL
        ));
        Ok(counters.page_fault_count)
    }

    fn page_faults() -> Outcome {
        let before = faults()?;
        all(touches)?;
        let met = faults()?.wrapping_sub(before);
        holds!(u64::from(met) >= part_of(Way::PageFault) * THREADS);
        Ok(())
    }

    fn breakpoints() -> Outcome {
        EXCEPTIONS.store(0, Ordering::SeqCst);
        all(breaks)?;
        expect!(
            EXCEPTIONS.load(Ordering::SeqCst),
            part_of(Way::Breakpoint) * THREADS
        );
        Ok(())
    }

    fn single_steps() -> Outcome {
        EXCEPTIONS.store(0, Ordering::SeqCst);
        STEPPING.store(true, Ordering::SeqCst);
        let outcome = all(steps);
        STEPPING.store(false, Ordering::SeqCst);
        outcome?;
        // The breakpoint and the step.
        expect!(
            EXCEPTIONS.load(Ordering::SeqCst),
            2 * part_of(Way::Step) * THREADS
        );
        Ok(())
    }

    /// `SystemProcessorPerformanceInformation`, of at most so many processors.
    const PROCESSORS: SystemInformationClass = SystemInformationClass(8);
    const MOST: usize = 16;

    /// Interrupts of all processors.
    fn interrupts() -> Result<u64, Failed> {
        /// Six numbers of 64 bits, the last half of which is the count of interrupts.
        const WORDS: usize = 6;
        let mut list = [0u64; WORDS * MOST];
        let mut length = 0u32;
        status!(NtQuerySystemInformation(
            PROCESSORS,
            &mut list,
            (8 * WORDS * MOST) as u32,
            &mut length
        ));
        let used = length as usize / 8;
        let counts = list.iter().take(used).skip(5).step_by(WORDS);
        Ok(counts.map(|word| word & 0xFFFF_FFFF).sum())
    }

    static SPINNING: AtomicU64 = AtomicU64::new(0);

    /// While the threads count, the clock interrupts them, they are switched, and special APCs come between.
    fn interrupts_and_apcs_between() -> Outcome {
        APCS.store(0, Ordering::SeqCst);
        SPINNING.store(THREADS, Ordering::SeqCst);
        let before = interrupts()?;
        let threads = start(spins)?;
        let mut queued = 0;
        let pause = -10_000i64;
        while SPINNING.load(Ordering::SeqCst) != 0 {
            for thread in threads {
                let got = NtQueueApcThreadEx2(thread, 0u64, 1u32, apc_address(), 0u64, 0u64, 0u64);
                queued += u64::from(got == NtStatus::SUCCESS);
            }
            status!(NtDelayExecution(false, &pause));
        }
        for thread in threads {
            join(thread)?;
        }
        let met = interrupts()?.wrapping_sub(before);
        let ran = APCS.load(Ordering::SeqCst);
        line(format_args!(
            "       {met} interrupts, {ran} of {queued} APCs"
        ));
        expect!(CHANGED.load(Ordering::SeqCst), 0);
        holds!(met > 0);
        holds!(ran > 0);
        Ok(())
    }

    fn rounds_in_all() -> Outcome {
        let done = DONE.load(Ordering::SeqCst);
        line(format_args!("       {done} rounds"));
        holds!(done >= TOTAL.load(Ordering::SeqCst));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
