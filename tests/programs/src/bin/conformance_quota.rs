//! Quotas: what a process may take of the pools, and that it comes back.
//!
//! Expectations: the documentation of `QUOTA_LIMITS`, of `VM_COUNTERS` and of STATUS_QUOTA_EXCEEDED. How much each thing
//! costs is the kernel's own affair; that it costs something, that it is refused at the limit, and that it is given back, is
//! not.
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
    use nt_abi::access::AccessMask;
    use nt_abi::memory::{AllocationType, PageProtection};
    use nt_abi::services::arguments::{EventType, ProcessInformationClass, ThreadInformationClass};
    use nt_abi::thread_information::ThreadInformationClass as OfThread;
    use nt_abi::w64::{QuotaLimits, UnicodeString, VmCountersEx};
    use test_programs::check::{Failed, Outcome, line};
    use test_programs::counters::Counters;
    use test_programs::memory::{allocate, free};
    use test_programs::names::Wide;
    use test_programs::processes;
    use test_programs::services::*;
    use test_programs::threads::{self, SUSPENDED, spawn_with};
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        objects_are_charged_until_the_limit,
        limits_ask_for_a_privilege,
        handles_are_charged,
        names_are_charged,
        names_of_threads_are_charged,
        ranges_of_addresses_are_charged,
        watched_ranges_are_charged,
        queued_calls_are_charged,
        packets_are_charged,
        the_page_file_has_a_limit,
        what_a_process_took_comes_back_with_its_end,
        a_large_record_comes_back,
    }

    /// `ProcessQuotaLimits`.
    const LIMITS: ProcessInformationClass = ProcessInformationClass(1);
    /// `ProcessVmCounters`.
    const COUNTERS: ProcessInformationClass = ProcessInformationClass(3);
    const QUOTA_EXCEEDED: NtStatus = NtStatus::QUOTA_EXCEEDED;
    const RESERVE: AllocationType = AllocationType::RESERVE;
    const RW: PageProtection = PageProtection::READWRITE;

    fn counters() -> Result<VmCountersEx, Failed> {
        let mut counters = VmCountersEx::default();
        status!(NtQueryInformationProcess(
            CURRENT_PROCESS,
            COUNTERS,
            &mut counters,
            size_of::<VmCountersEx>() as u32,
            NULL
        ));
        Ok(counters)
    }

    /// Bytes of both pools that the process has.
    fn used() -> Result<u64, Failed> {
        let counters = counters()?;
        Ok(counters.quota_paged_pool_usage + counters.quota_non_paged_pool_usage)
    }

    fn limits() -> Result<QuotaLimits, Failed> {
        let mut limits = QuotaLimits::default();
        status!(NtQueryInformationProcess(
            CURRENT_PROCESS,
            LIMITS,
            &mut limits,
            size_of::<QuotaLimits>() as u32,
            NULL
        ));
        Ok(limits)
    }

    fn set_limits(limits: &QuotaLimits) -> NtStatus {
        NtSetInformationProcess(
            CURRENT_PROCESS,
            LIMITS,
            limits,
            size_of::<QuotaLimits>() as u32,
        )
    }

    static TOKEN: AtomicU64 = AtomicU64::new(0);

    /// Closes all handles but that.
    fn close_all() -> Outcome {
        /// More than the quota lets a process have.
        const MOST: u64 = 500_000;
        let token = TOKEN.load(Ordering::Relaxed);
        let others = (1..MOST).map(|number| 4 * number);
        let closed = others
            .filter(|handle| *handle != token && NtClose(*handle) == NtStatus::SUCCESS)
            .count();
        holds!(closed > 0);
        Ok(())
    }

    /// Switches the privilege to change limits.
    fn switch(enabled: bool) -> Outcome {
        /// `SE_INCREASE_QUOTA_PRIVILEGE`.
        const INCREASE_QUOTA: u32 = 5;
        // Opened once: at the limit there may be no room for a handle.
        let mut token = TOKEN.load(Ordering::Relaxed);
        if token == 0 {
            let rights = AccessMask::TOKEN_ADJUST_PRIVILEGES;
            status!(NtOpenProcessToken(CURRENT_PROCESS, rights, &mut token));
            TOKEN.store(token, Ordering::Relaxed);
        }
        let list = [1u32, INCREASE_QUOTA, 0, if enabled { 2 } else { 0 }];
        status!(NtAdjustPrivilegesToken(
            token, false, &list, 16u32, NULL, NULL
        ));
        Ok(())
    }

    /// Lets the process have so many bytes more of each pool; gives what it might have before.
    fn leave(bytes: u64) -> Outcome {
        let now = counters()?;
        switch(true)?;
        status!(set_limits(&QuotaLimits {
            paged_pool_limit: now.quota_paged_pool_usage + bytes,
            non_paged_pool_limit: now.quota_non_paged_pool_usage + bytes,
            ..QuotaLimits::default()
        }));
        switch(false)
    }

    /// Lets it have as much as it began with.
    fn leave_all() -> Outcome {
        switch(true)?;
        status!(set_limits(&QuotaLimits::default()));
        switch(false)
    }

    fn event(handle: &mut u64) -> NtStatus {
        NtCreateEvent(
            handle,
            AccessMask::EVENT_ALL_ACCESS,
            NULL,
            EventType(0),
            false,
        )
    }

    /// Does something until it is refused; gives how often it was done, and why not once more.
    fn until_refused(mut once: impl FnMut(u32) -> NtStatus) -> (u32, NtStatus) {
        let mut done = 0;
        loop {
            let status = once(done);
            if status != NtStatus::SUCCESS {
                return (done, status);
            }
            done += 1;
        }
    }

    fn objects_are_charged_until_the_limit() -> Outcome {
        switch(false)?;
        let before = used()?;
        let mut first = 0u64;
        status!(event(&mut first));
        holds!(used()? > before);
        let mut last = first;
        let (made, refused) = until_refused(|_| event(&mut last));
        expect!(refused, QUOTA_EXCEEDED);
        holds!(made > 1000);
        let limits = limits()?;
        let now = counters()?;
        holds!(now.quota_non_paged_pool_usage <= limits.non_paged_pool_limit);
        holds!(now.quota_paged_pool_usage <= limits.paged_pool_limit);
        // Somebody else has what it needs: a new process, once there is room for the handles to it.
        for handle in (last - 4 * 200..=last).step_by(4) {
            status!(NtClose(handle));
        }
        let child = processes::start("\\KnownDlls\\conformance_ex.exe")?;
        status!(NtWaitForSingleObject(child.process, false, NULL));
        expect!(exit_status(child.process)?, NtStatus::SUCCESS);
        child.close()?;
        close_all()?;
        // The handle table keeps its pages; with those it has room for as many again.
        let kept = used()?;
        let mut again = 0u64;
        status!(event(&mut again));
        status!(NtClose(again));
        expect!(used()?, kept);
        holds!(counters()?.quota_peak_non_paged_pool_usage >= now.quota_non_paged_pool_usage);
        expect!(
            counters()?.quota_non_paged_pool_usage < now.quota_non_paged_pool_usage / 100,
            true
        );
        Ok(())
    }

    fn exit_status(process: u64) -> Result<NtStatus, Failed> {
        let mut basic = nt_abi::w64::ProcessBasicInformation::default();
        status!(NtQueryInformationProcess(
            process,
            ProcessInformationClass(0),
            &mut basic,
            size_of::<nt_abi::w64::ProcessBasicInformation>() as u32,
            NULL
        ));
        Ok(NtStatus(basic.exit_status))
    }

    fn limits_ask_for_a_privilege() -> Outcome {
        let usual = limits()?;
        holds!(usual.paged_pool_limit > 1 << 20 && usual.non_paged_pool_limit > 1 << 20);
        switch(false)?;
        expect!(
            set_limits(&QuotaLimits::default()),
            NtStatus::PRIVILEGE_NOT_HELD
        );
        leave(1 << 16)?;
        let small = limits()?;
        expect!(
            small.non_paged_pool_limit,
            counters()?.quota_non_paged_pool_usage + (1 << 16)
        );
        let mut handle = 0u64;
        let mut first = 0u64;
        status!(event(&mut first));
        let (made, refused) = until_refused(|_| event(&mut handle));
        expect!(refused, QUOTA_EXCEEDED);
        holds!(made < 1000);
        leave_all()?;
        expect!(limits()?.non_paged_pool_limit, usual.non_paged_pool_limit);
        status!(event(&mut handle));
        close_all()?;
        Ok(())
    }

    /// Copies of one handle cost no object, but room in the table.
    fn handles_are_charged() -> Outcome {
        let mut first = 0u64;
        status!(event(&mut first));
        leave(1 << 16)?;
        let mut last = first;
        let (made, refused) = until_refused(|_| {
            NtDuplicateObject(
                CURRENT_PROCESS,
                first,
                CURRENT_PROCESS,
                &mut last,
                AccessMask::NONE,
                0u32,
                2u32,
            )
        });
        leave_all()?;
        expect!(refused, QUOTA_EXCEEDED);
        // 16 bytes each on Windows: the table had room for some before.
        holds!(made >= 1024);
        close_all()?;
        Ok(())
    }

    fn names_are_charged() -> Outcome {
        use test_programs::names::Named;
        let before = counters()?.quota_paged_pool_usage;
        let mut named =
            Named::new("\\BaseNamedObjects\\a name that costs two bytes for each of its letters");
        let mut handle = 0u64;
        status!(NtCreateEvent(
            &mut handle,
            AccessMask::EVENT_ALL_ACCESS,
            named.get(),
            EventType(0),
            false
        ));
        holds!(counters()?.quota_paged_pool_usage >= before + 2 * 40);
        status!(NtClose(handle));
        expect!(counters()?.quota_paged_pool_usage, before);
        Ok(())
    }

    fn names_of_threads_are_charged() -> Outcome {
        let before = counters()?.quota_paged_pool_usage;
        let mut name = Wide::new("a name for people, two bytes for each of its letters");
        let length = 2 * name.units().len() as u64;
        let thread = spawn_with(ends, 0, SUSPENDED)?;
        status!(set_name(thread, &name.counted()));
        let named = counters()?.quota_paged_pool_usage;
        // The old name goes with the new one.
        status!(set_name(thread, &name.counted()));
        expect!(counters()?.quota_paged_pool_usage, named);
        let mut shorter = Wide::new("");
        status!(set_name(thread, &shorter.counted()));
        expect!(counters()?.quota_paged_pool_usage + length, named);
        holds!(named >= before + length);
        leave(length - 2)?;
        let refused = set_name(thread, &name.counted());
        leave_all()?;
        expect!(refused, QUOTA_EXCEEDED);
        status!(NtTerminateThread(thread, NtStatus::SUCCESS));
        status!(NtClose(thread));
        Ok(())
    }

    fn set_name(thread: u64, name: &UnicodeString) -> NtStatus {
        let class = ThreadInformationClass(OfThread::NAME.0);
        NtSetInformationThread(thread, class, name, size_of::<UnicodeString>() as u32)
    }

    fn ranges_of_addresses_are_charged() -> Outcome {
        const START: u64 = 0x10_0000_0000;
        leave(1 << 16)?;
        let (made, refused) = until_refused(|number| {
            let base = START + u64::from(number) * 0x10000;
            match allocate(base, 0x1000, RESERVE, RW) {
                Ok(_) => NtStatus::SUCCESS,
                Err(status) => status,
            }
        });
        leave_all()?;
        expect!(refused, QUOTA_EXCEEDED);
        holds!((100..4096).contains(&made));
        // One in the middle of another needs one more.
        for number in 0..made {
            let base = START + u64::from(number) * 0x10000;
            free(base, 0, AllocationType::RELEASE)?;
        }
        Ok(())
    }

    fn watched_ranges_are_charged() -> Outcome {
        let watched = RESERVE | AllocationType::WRITE_WATCH;
        let before = used()?;
        // A bit for each of 2^20 pages.
        let (base, _) = allocate(0, 1 << 32, watched, RW)?;
        holds!(used()? >= before + (1 << 17));
        free(base, 0, AllocationType::RELEASE)?;
        expect!(used()?, before);
        expect!(allocate(0, 1 << 46, watched, RW), Err(QUOTA_EXCEEDED));
        expect!(used()?, before);
        Ok(())
    }

    static RAN: AtomicU32 = AtomicU32::new(0);

    extern "C" fn count(_: u64, _: u64, _: u64) {
        RAN.fetch_add(1, Ordering::SeqCst);
    }

    extern "C" fn ends(_: u64) -> u32 {
        0
    }

    fn queue(thread: u64) -> NtStatus {
        let routine = count as extern "C" fn(u64, u64, u64) as usize as u64;
        NtQueueApcThread(thread, routine, 0u64, 0u64, 0u64)
    }

    fn queued_calls_are_charged() -> Outcome {
        RAN.store(0, Ordering::SeqCst);
        let other = spawn_with(ends, 0, SUSPENDED)?;
        let before = counters()?.quota_non_paged_pool_usage;
        leave(1 << 15)?;
        let (own, refused) = until_refused(|_| queue(CURRENT_THREAD.0));
        expect!(refused, QUOTA_EXCEEDED);
        holds!(own > 16);
        expect!(queue(other), QUOTA_EXCEEDED);
        // What the kernel itself queues is no matter of quota.
        let mut context = threads::Context::default();
        threads::full(&mut context);
        status!(NtGetContextThread(other, &mut context));
        // They run, and cost nothing any more.
        let now = 0i64;
        expect!(NtDelayExecution(true, &now), NtStatus::USER_APC);
        expect!(RAN.load(Ordering::SeqCst), own);
        expect!(counters()?.quota_non_paged_pool_usage, before);
        // Those of a thread that ends without having run them go with it.
        let (queued, refused) = until_refused(|_| queue(other));
        expect!(refused, QUOTA_EXCEEDED);
        expect!(queued, own);
        leave_all()?;
        status!(NtTerminateThread(other, NtStatus::SUCCESS));
        threads::join(other)?;
        holds!(counters()?.quota_non_paged_pool_usage <= before);
        expect!(RAN.load(Ordering::SeqCst), own);
        Ok(())
    }

    fn packets_are_charged() -> Outcome {
        let mut port = 0u64;
        let all = AccessMask::IO_COMPLETION_ALL_ACCESS;
        status!(NtCreateIoCompletion(&mut port, all, NULL, 0u32));
        let before = counters()?.quota_non_paged_pool_usage;
        leave(1 << 15)?;
        let (put, refused) =
            until_refused(|_| NtSetIoCompletion(port, 1u64, 2u64, NtStatus::SUCCESS, 3u64));
        leave_all()?;
        expect!(refused, QUOTA_EXCEEDED);
        holds!((16..2048).contains(&put));
        status!(NtClose(port));
        holds!(counters()?.quota_non_paged_pool_usage < before);
        Ok(())
    }

    fn the_page_file_has_a_limit() -> Outcome {
        let both = RESERVE | AllocationType::COMMIT;
        let (base, size) = allocate(0, 1 << 20, RESERVE, RW)?;
        switch(true)?;
        status!(set_limits(&QuotaLimits {
            pagefile_limit: counters()?.pagefile_usage + 0x4000,
            ..QuotaLimits::default()
        }));
        let refused = allocate(base, 0x5000, AllocationType::COMMIT, RW);
        let granted = allocate(base, 0x4000, AllocationType::COMMIT, RW);
        let more = allocate(0, 0x1000, both, RW);
        leave_all()?;
        expect!(refused, Err(NtStatus::PAGEFILE_QUOTA_EXCEEDED));
        expect!(granted, Ok((base, 0x4000)));
        expect!(more, Err(NtStatus::PAGEFILE_QUOTA_EXCEEDED));
        allocate(base, size, AllocationType::COMMIT, RW)?;
        free(base, 0, AllocationType::RELEASE)?;
        Ok(())
    }

    fn what_a_process_took_comes_back_with_its_end() -> Outcome {
        // What the first process of all costs for good is not meant.
        processes::start("\\KnownDlls\\nothing.exe")?.join()?;
        let before = Counters::settled()?;
        for _ in 0..3 {
            let child = processes::start("\\KnownDlls\\fill_pools.exe")?;
            status!(NtWaitForSingleObject(child.process, false, NULL));
            let thousands = exit_status(child.process)?.0;
            holds!((10..100_000).contains(&thousands));
            child.close()?;
            let now = Counters::settled()?;
            // Many thousands of objects of some hundred bytes: less than a tenth of their pages stays, where something else
            // happens to be among them.
            line(format_args!(
                "       {thousands} thousand objects; {} pages before, {} after",
                before.available, now.available
            ));
            holds!(now.available + thousands * 2 >= before.available);
        }
        Ok(())
    }

    /// What one request takes of the pools alone goes back whole.
    fn a_large_record_comes_back() -> Outcome {
        /// A bit for each page, in pages.
        const RECORD: u32 = 2048;
        let watched = RESERVE | AllocationType::WRITE_WATCH;
        let before = Counters::settled()?;
        let bytes = u64::from(RECORD) << (12 + 3 + 12);
        let (base, _) = allocate(0, bytes, watched, RW)?;
        holds!(Counters::now()?.committed >= before.committed + RECORD);
        free(base, 0, AllocationType::RELEASE)?;
        let after = Counters::settled()?;
        holds!(after.committed < before.committed + RECORD / 8);
        holds!(after.available + RECORD / 8 > before.available);
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
