//! What was found by bad input and by looking for it, and is to stay mended.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use core::mem::offset_of;
    use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

    use nt_abi::NtStatus;
    use nt_abi::access::AccessMask;
    use nt_abi::job::{JobLimitFlags as Flags, JobObjectInformationClass as JobClass};
    use nt_abi::memory::{AllocationType, PageProtection};
    use nt_abi::primitives::ObjectAttributeFlags;
    use nt_abi::process_creation::PsAttributeNumber;
    use nt_abi::process_information::{ProcessInformationClass as OfProcess, ProcessPriorityClass};
    use nt_abi::process_parameters::ParameterFlags;
    use nt_abi::services::arguments::{
        EventType, Handle, JobObjectInformationClass, ProcessInformationClass,
        ThreadInformationClass,
    };
    use nt_abi::thread_information::ThreadInformationClass as OfThread;
    use nt_abi::w64::{
        JobObjectBasicLimitInformation, ObjectAttributes, ProcessHandleSnapshotInformation,
        ProcessHandleTableEntryInfo, PsCreateInfo, RtlUserProcessParameters, Teb,
    };
    use test_programs::check::{Failed, Outcome};
    use test_programs::memory::{allocate, free, protect, region};
    use test_programs::names::Wide;
    use test_programs::processes::{AttributeList, Child, Options, command_line, start_with};
    use test_programs::services::*;
    use test_programs::threads::{SUSPENDED, join, spawn, spawn_with, teb};
    use test_programs::{expect, holds, status};
    use zerocopy::FromZeros as _;

    test_programs::program!(begin);

    const PROGRAM: &str = r"\??\C:\conformance_bad_input.exe";

    fn begin() -> u32 {
        if command_line().len() > PROGRAM.len() {
            let for_ever = i64::MIN;
            return NtDelayExecution(false, &for_ever).0;
        }
        test_programs::check::run(&[
            ("handles_are_told_where_there_is_room", handles_are_told),
            ("a_list_of_handles_is_judged", a_list_of_handles),
            ("a_slot_is_zeroed_while_threads_end", a_slot_is_zeroed),
            (
                "a_slot_of_an_ended_thread_is_nobodys",
                an_ended_threads_slot,
            ),
            ("a_teb_can_neither_go_nor_change", a_teb_stays),
            ("jobs_nest_so_deep_and_no_deeper", jobs_nest_so_deep),
            ("a_jobs_class_is_its_processes_class", a_jobs_class),
            ("a_new_thread_can_be_hidden", a_new_thread_is_hidden),
        ])
    }

    fn waiting(flags: u32) -> Result<Child, Failed> {
        let options = Options {
            thread_flags: flags,
            ..Options::default()
        };
        start_with(PROGRAM, r"\??\C:\conformance_bad_input.exe waits", options)
    }

    fn handles_of(process: Handle, buffer: &mut [u64], told: &mut u32) -> NtStatus {
        let length = size_of_val(buffer) as u32;
        let class = ProcessInformationClass(OfProcess::HANDLE.0);
        NtQueryInformationProcess(process, class, buffer, length, told)
    }

    fn length_for(handles: u64) -> u32 {
        let header = size_of::<ProcessHandleSnapshotInformation>();
        (header + handles as usize * size_of::<ProcessHandleTableEntryInfo>()) as u32
    }

    fn handles_are_told() -> Outcome {
        let mut buffer = [0u64; 256];
        let mut told = 0u32;
        status!(handles_of(CURRENT_PROCESS, &mut buffer, &mut told));
        let count = buffer[0];
        expect!(told, length_for(count));
        // One handle more, and there is no room: how long it is to be is told, and nothing else.
        let event = event(ObjectAttributeFlags::empty())?;
        let (mut short, mut told) = ([0u64; 2], 0u32);
        status!(
            handles_of(CURRENT_PROCESS, &mut short, &mut told),
            INFO_LENGTH_MISMATCH
        );
        expect!(told, length_for(count + 1));
        expect!(short, [0, 0]);
        let words = told as usize / 8;
        status!(
            handles_of(CURRENT_PROCESS, &mut buffer[..words - 1], &mut told),
            INFO_LENGTH_MISMATCH
        );
        status!(handles_of(CURRENT_PROCESS, &mut buffer[..words], &mut told));
        expect!(buffer[0], count + 1);
        status!(NtClose(event));
        Ok(())
    }

    fn event(attributes: ObjectAttributeFlags) -> Result<u64, Failed> {
        let attributes = ObjectAttributes {
            length: size_of::<ObjectAttributes>() as u32,
            attributes,
            ..ObjectAttributes::new_zeroed()
        };
        let mut event = 0u64;
        status!(NtCreateEvent(
            &mut event,
            AccessMask::EVENT_ALL_ACCESS,
            &attributes,
            EventType(0),
            false
        ));
        Ok(event)
    }

    /// `PROCESS_CREATE_FLAGS_INHERIT_HANDLES`.
    const INHERIT: u32 = 4;

    /// Makes a process that gets the handles of a list.
    fn start_with_handles(list: &[u64], bytes: usize, child: &mut Child) -> NtStatus {
        let mut path = Wide::new(PROGRAM);
        let mut line = Wide::new(r"\??\C:\conformance_bad_input.exe waits");
        let mut parameters = RtlUserProcessParameters::new_zeroed();
        parameters.length = size_of::<RtlUserProcessParameters>() as u32;
        parameters.maximum_length = parameters.length;
        parameters.flags = ParameterFlags::PARAMS_NORMALIZED;
        parameters.image_path_name = path.counted();
        parameters.command_line = line.counted();
        let mut info = PsCreateInfo::new_zeroed();
        info.size = size_of::<PsCreateInfo>() as u64;
        let image = path.counted();
        let list = AttributeList::new()
            .with(
                PsAttributeNumber::IMAGE_NAME,
                u64::from(image.length),
                image.buffer,
            )
            .with(
                PsAttributeNumber::HANDLE_LIST,
                bytes as u64,
                list.as_ptr() as u64,
            );
        NtCreateUserProcess(
            &mut child.process,
            &mut child.thread,
            AccessMask::PROCESS_ALL_ACCESS,
            AccessMask::THREAD_ALL_ACCESS,
            NULL,
            NULL,
            INHERIT,
            SUSPENDED,
            &parameters,
            &mut info,
            &list,
        )
    }

    fn a_list_of_handles() -> Outcome {
        let (one, two) = (
            event(ObjectAttributeFlags::INHERIT)?,
            event(ObjectAttributeFlags::INHERIT)?,
        );
        let own = event(ObjectAttributeFlags::empty())?;
        let mut child = Child::default();
        // In any order, and twice; the other inheritable one stays.
        status!(start_with_handles(&[two, two], 16, &mut child));
        let (mut buffer, mut told) = ([0u64; 64], 0u32);
        status!(handles_of(Handle(child.process), &mut buffer, &mut told));
        expect!([buffer[0], buffer[2]], [1, two]);
        status!(NtTerminateProcess(child.process, NtStatus(0)));
        child.join()?;
        for (list, bytes) in [
            ([own, 0], 8),
            ([two, own], 16),
            ([two, 0], 16),
            ([one, 0x7FFF_FFF0], 16),
            ([one, u64::MAX], 16),
            ([one, two], 7),
            ([one, two], 1 << 30),
        ] {
            status!(
                start_with_handles(&list, bytes, &mut child),
                INVALID_PARAMETER
            );
        }
        for event in [one, two, own] {
            status!(NtClose(event));
        }
        Ok(())
    }

    static STOP: AtomicBool = AtomicBool::new(false);

    /// How often cells were zeroed, and the status of the first time that they were not.
    static ZEROED: AtomicU64 = AtomicU64::new(0);
    static REFUSED: AtomicU32 = AtomicU32::new(0);

    extern "C" fn zeroes(cell: u64) -> u32 {
        let class = ThreadInformationClass(OfThread::ZERO_TLS_CELL.0);
        let cell = cell as u32;
        while !STOP.load(Ordering::Relaxed) {
            let done = NtSetInformationThread(CURRENT_THREAD, class, &cell, 4u32);
            if done != NtStatus::SUCCESS {
                REFUSED.store(done.0, Ordering::Relaxed);
                return 1;
            }
            ZEROED.fetch_add(1, Ordering::Relaxed);
        }
        0
    }

    /// Where the last thread that ran had its TEB, how often a thread had it where the one before did, and words that were
    /// not what they must be.
    static LAST_TEB: AtomicU64 = AtomicU64::new(0);
    static SAME: AtomicU64 = AtomicU64::new(0);
    static WRONG: AtomicU64 = AtomicU64::new(0);

    /// Cells for thread-local storage in a TEB, and where they begin.
    const CELLS: u64 = 64;
    const TLS_SLOTS: u64 = 0x1480;
    /// The one that is zeroed.
    const ZEROED_CELL: u32 = 5;

    fn own_cells() -> impl Iterator<Item = u64> {
        (0..CELLS).map(|cell| teb() + TLS_SLOTS + 8 * cell)
    }

    extern "C" fn keeps_its_cells(_: u64) -> u32 {
        if LAST_TEB.swap(teb(), Ordering::SeqCst) == teb() {
            SAME.fetch_add(1, Ordering::SeqCst);
        }
        let not_zero = own_cells().filter(|cell| number_at(*cell) != 0);
        WRONG.fetch_add(not_zero.count() as u64, Ordering::SeqCst);
        own_cells().for_each(|cell| fill(cell, &[0xFF; 8]));
        let _ = NtYieldExecution();
        let changed = own_cells()
            .zip(0..)
            .filter(|(cell, number)| *number != ZEROED_CELL && number_at(*cell) != u64::MAX);
        WRONG.fetch_add(changed.count() as u64, Ordering::SeqCst);
        0
    }

    /// A TEB is new for each thread, wherever it is, and only the cell that is meant is zeroed in it.
    fn a_slot_is_zeroed() -> Outcome {
        const THREADS: u64 = 400;
        STOP.store(false, Ordering::Relaxed);
        let zeroing = spawn(zeroes, u64::from(ZEROED_CELL))?;
        for _ in 0..THREADS {
            join(spawn(keeps_its_cells, 0)?)?;
            // When a thread has ended its TEB is gone, and the place is nobody's.
            let was_there = LAST_TEB.load(Ordering::SeqCst);
            expect!(region(was_there)?.0, AllocationType::RESERVE);
        }
        STOP.store(true, Ordering::Relaxed);
        join(zeroing)?;
        expect!(REFUSED.load(Ordering::Relaxed), 0);
        holds!(ZEROED.load(Ordering::Relaxed) > 0);
        expect!(WRONG.load(Ordering::SeqCst), 0);
        // They came where others were, or nothing would be shown.
        holds!(SAME.load(Ordering::SeqCst) > THREADS / 2);
        Ok(())
    }

    /// A thread has more cells where its TEB says. The first of these is zeroed.
    extern "C" fn has_more_cells(more: u64) -> u32 {
        fill(
            teb() + offset_of!(Teb, tls_expansion_slots) as u64,
            &more.to_le_bytes(),
        );
        // If the cell is refused it is never zeroed, and nothing is shown; the check sees that.
        while number_at(more) != 0 && REFUSED.load(Ordering::Relaxed) == 0 {
            let _ = NtYieldExecution();
        }
        0
    }

    /// What a thread had for its cells may be used for something else when it has ended: nothing is zeroed there any more, not
    /// even by who was in the middle of it.
    fn an_ended_threads_slot() -> Outcome {
        const THREADS: u64 = 600;
        /// More than processors, so that each is stopped in the middle now and then.
        const ZEROING: usize = 6;
        let commit = AllocationType::RESERVE | AllocationType::COMMIT;
        let Ok((cells, _)) = allocate(0, 8 * THREADS, commit, PageProtection::READWRITE) else {
            return Err(Failed);
        };
        let cells = (0..THREADS).map(|number| cells + 8 * number);
        STOP.store(false, Ordering::Relaxed);
        REFUSED.store(0, Ordering::Relaxed);
        let mut zeroing = [0; ZEROING];
        for thread in &mut zeroing {
            *thread = spawn(zeroes, CELLS)?;
        }
        for cell in cells.clone() {
            fill(cell, &[0xFF; 8]);
            join(spawn(has_more_cells, cell)?)?;
            fill(cell, &[0xFF; 8]);
        }
        STOP.store(true, Ordering::Relaxed);
        zeroing.into_iter().try_for_each(join)?;
        expect!(REFUSED.load(Ordering::Relaxed), 0);
        expect!(cells.filter(|cell| number_at(*cell) != u64::MAX).count(), 0);
        Ok(())
    }

    extern "C" fn nothing(_: u64) -> u32 {
        LAST_TEB.store(teb(), Ordering::SeqCst);
        0
    }

    /// The VAD of a TEB is secured: it can neither be deleted nor lose rights.
    fn a_teb_stays() -> Outcome {
        let refused = NtStatus::INVALID_PAGE_PROTECTION;
        for kind in [AllocationType::RELEASE, AllocationType::DECOMMIT] {
            expect!(free(teb(), 0x1000, kind).err(), Some(refused));
        }
        for protection in [
            PageProtection::NOACCESS,
            PageProtection::READONLY,
            PageProtection::READWRITE | PageProtection::GUARD,
        ] {
            expect!(protect(teb(), 0x1000, protection).err(), Some(refused));
        }
        holds!(protect(teb(), 0x1000, PageProtection::READWRITE).is_ok());
        // Nor can anything be put where one was.
        join(spawn(nothing, 0)?)?;
        let was_there = LAST_TEB.load(Ordering::SeqCst);
        let commit = AllocationType::COMMIT;
        let read_write = PageProtection::READWRITE;
        let made = allocate(was_there, 0x1000, commit, read_write);
        expect!(made.err(), Some(refused));
        let made = allocate(
            was_there,
            0x1000,
            commit | AllocationType::RESERVE,
            read_write,
        );
        expect!(made.err(), Some(NtStatus::CONFLICTING_ADDRESSES));
        Ok(())
    }

    fn jobs_nest_so_deep() -> Outcome {
        let child = waiting(SUSPENDED)?;
        let mut jobs = [0u64; 64];
        let mut refused = None;
        for (depth, job) in jobs.iter_mut().enumerate() {
            let access = AccessMask::JOB_OBJECT_ALL_ACCESS;
            status!(NtCreateJobObject(&mut *job, access, NULL));
            let done = NtAssignProcessToJobObject(*job, child.process);
            if done != NtStatus::SUCCESS {
                status!(done, ACCESS_DENIED);
                refused = Some(depth);
                break;
            }
        }
        holds!(refused.is_some_and(|depth| depth >= 8));
        let last = refused.unwrap_or(0);
        // Who was refused is in no job: it may be the first one of another process.
        let other = waiting(SUSPENDED)?;
        status!(NtAssignProcessToJobObject(jobs[last], other.process));
        status!(NtTerminateJobObject(jobs[0], NtStatus(0)));
        status!(NtWaitForSingleObject(child.process, false, NULL));
        status!(NtIsProcessInJob(other.process, jobs[0]), PROCESS_NOT_IN_JOB);
        status!(NtTerminateJobObject(jobs[last], NtStatus(0)));
        child.join()?;
        other.join()?;
        for job in jobs.into_iter().filter(|job| *job != 0) {
            status!(NtClose(job));
        }
        Ok(())
    }

    /// `PROCESS_PRIORITY_CLASS_IDLE`, `..._HIGH`.
    const IDLE: u8 = 1;
    const HIGH: u8 = 3;

    extern "C" fn wants_more(process: u64) -> u32 {
        let class = ProcessInformationClass(OfProcess::PRIORITY_CLASS.0);
        let wanted = ProcessPriorityClass {
            foreground: 0,
            priority_class: HIGH,
        };
        while !STOP.load(Ordering::Relaxed) {
            let done = NtSetInformationProcess(process, class, &wanted, 2u32);
            if done != NtStatus::SUCCESS {
                return 1;
            }
        }
        0
    }

    fn a_jobs_class() -> Outcome {
        let child = waiting(SUSPENDED)?;
        STOP.store(false, Ordering::Relaxed);
        let wanting = spawn(wants_more, child.process)?;
        let mut job = 0u64;
        let access = AccessMask::JOB_OBJECT_ALL_ACCESS;
        status!(NtCreateJobObject(&mut job, access, NULL));
        status!(NtAssignProcessToJobObject(job, child.process));
        let mut limits = JobObjectBasicLimitInformation::new_zeroed();
        limits.priority_class = u32::from(IDLE);
        for _ in 0..200 {
            for flags in [Flags::empty(), Flags::PRIORITY_CLASS] {
                limits.limit_flags = flags;
                let length = size_of_val(&limits) as u32;
                let class = JobObjectInformationClass(JobClass::BASIC_LIMIT.0);
                status!(NtSetInformationJobObject(job, class, &limits, length));
            }
            // Whatever the other thread was about to do when the limit came.
            for _ in 0..4 {
                let mut word = 0u32;
                let class = ProcessInformationClass(OfProcess::PRIORITY_CLASS.0);
                status!(NtQueryInformationProcess(
                    child.process,
                    class,
                    &mut word,
                    2u32,
                    NULL
                ));
                expect!((word >> 8) as u8, IDLE);
                let _ = NtYieldExecution();
            }
        }
        STOP.store(true, Ordering::Relaxed);
        join(wanting)?;
        status!(NtTerminateJobObject(job, NtStatus(0)));
        status!(NtClose(job));
        child.join()
    }

    fn a_new_thread_is_hidden() -> Outcome {
        /// `THREAD_CREATE_FLAGS_HIDE_FROM_DEBUGGER`.
        const HIDDEN: u32 = 4;
        for (flags, expected) in [(SUSPENDED, 0), (SUSPENDED | HIDDEN, 1)] {
            let thread = spawn_with(nothing, 0, flags)?;
            let mut word = 0u32;
            let class = ThreadInformationClass(OfThread::HIDE_FROM_DEBUGGER.0);
            status!(NtQueryInformationThread(
                thread, class, &mut word, 1u32, NULL
            ));
            expect!(word & 0xFF, expected);
            status!(NtResumeThread(thread, NULL));
            join(thread)?;
        }
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
