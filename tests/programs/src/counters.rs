//! What of the machine is in use, as the kernel tells it: to see whether everything came back.

use nt_abi::services::arguments::{Handle, SystemInformationClass, ThreadInformationClass};
use nt_abi::system_information::activity::SystemPerformanceInformation;
use nt_abi::thread_information::ThreadState;
use nt_abi::w64::{SystemProcessInformation, SystemThreadInformation, ThreadBasicInformation};
use zerocopy::{FromBytes as _, FromZeros as _};

use crate::check::{Failed, Outcome, line};
use crate::services::{
    CURRENT_THREAD, NULL, NtDelayExecution, NtQueryInformationThread, NtQuerySystemInformation,
    NtYieldExecution,
};
use crate::{expect, holds, status};

/// `SystemPerformanceInformation`.
const PERFORMANCE: SystemInformationClass = SystemInformationClass(2);
/// `SystemProcessInformation`.
const PROCESSES: SystemInformationClass = SystemInformationClass(5);

/// Room for as many processes as a test leaves alive.
const ROOM: usize = 16 * 1024;

/// What is in use at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Pages that nobody uses.
    pub available: u32,
    /// Pages that are promised.
    pub committed: u32,
    /// Blocks of the pools: taken less given back.
    pub blocks: u32,
    /// Processes.
    pub processes: u32,
    /// Their threads.
    pub threads: u32,
    /// Their handles.
    pub handles: u32,
}

impl Counters {
    /// What is in use now.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn now() -> Result<Self, Failed> {
        let mut performance = SystemPerformanceInformation::default();
        status!(NtQuerySystemInformation(
            PERFORMANCE,
            &mut performance,
            size_of::<SystemPerformanceInformation>() as u32,
            NULL
        ));
        let taken = performance
            .paged_pool_allocs
            .wrapping_add(performance.non_paged_pool_allocs);
        let back = performance
            .paged_pool_frees
            .wrapping_add(performance.non_paged_pool_frees);
        let mut counters = Self {
            available: performance.available_pages,
            committed: performance.committed_pages,
            blocks: taken.wrapping_sub(back),
            ..Self::default()
        };
        counters.count_processes()?;
        Ok(counters)
    }

    fn count_processes(&mut self) -> Outcome {
        let mut list = [0u64; ROOM / 8];
        status!(NtQuerySystemInformation(
            PROCESSES,
            &mut list,
            ROOM as u32,
            NULL
        ));
        let bytes = zerocopy::IntoBytes::as_bytes(&list);
        let mut offset = 0;
        loop {
            let entry = bytes.get(offset..).unwrap_or_default();
            let Ok((process, _)) = SystemProcessInformation::read_from_prefix(entry) else {
                return Err(Failed);
            };
            self.processes += 1;
            self.threads += process.number_of_threads;
            self.handles += process.handle_count;
            if process.next_entry_offset == 0 {
                return Ok(());
            }
            offset += process.next_entry_offset as usize;
        }
    }

    /// What is in use when those who clean up have done so: when two looks some time apart are alike.
    ///
    /// # Errors
    /// If the kernel does not tell, or something still changes after ten looks.
    pub fn settled() -> Result<Self, Failed> {
        let mut last = Self::now()?;
        // A second and a half is more than any worker waits before it cleans up.
        let pause = -15_000_000i64;
        for _ in 0..10 {
            status!(NtDelayExecution(false, &pause));
            let now = Self::now()?;
            if now == last {
                return Ok(now);
            }
            last = now;
        }
        line(format_args!("       it does not settle: {last:?}"));
        Err(Failed)
    }

    /// Expects that no more is in use than `before`.
    ///
    /// # Errors
    /// If there is.
    pub fn expect_back_to(&self, before: &Self) -> Outcome {
        expect!(self.processes, before.processes);
        expect!(self.threads, before.threads);
        expect!(self.handles, before.handles);
        // Never a page for each of what came and went.
        holds!(self.committed <= before.committed + SLACK + KEPT_STACKS);
        expect!(self.blocks, before.blocks);
        holds!(self.available + SLACK + KEPT_STACKS >= before.available);
        Ok(())
    }
}

/// `ThreadBasicInformation`.
const BASIC: ThreadInformationClass = ThreadInformationClass(0);

/// How often the calling thread was switched to.
///
/// # Errors
/// If the kernel does not tell.
pub fn own_switches() -> Result<u32, Failed> {
    Ok(told_of(CURRENT_THREAD)?.context_switches)
}

/// Lets others run until a thread waits.
///
/// # Errors
/// If the kernel does not tell.
pub fn until_it_waits(thread: u64) -> Outcome {
    while told_of(Handle(thread))?.thread_state != ThreadState::WAITING {
        let _ = NtYieldExecution();
    }
    Ok(())
}

/// What the system tells of a thread.
fn told_of(thread: Handle) -> Result<SystemThreadInformation, Failed> {
    let mut basic = ThreadBasicInformation::new_zeroed();
    status!(NtQueryInformationThread(
        thread,
        BASIC,
        &mut basic,
        size_of::<ThreadBasicInformation>() as u32,
        NULL
    ));
    let mut list = [0u64; ROOM / 8];
    status!(NtQuerySystemInformation(
        PROCESSES,
        &mut list,
        ROOM as u32,
        NULL
    ));
    let bytes = zerocopy::IntoBytes::as_bytes(&list);
    let mut offset = 0;
    loop {
        let entry = bytes.get(offset..).unwrap_or_default();
        let Ok((process, mut rest)) = SystemProcessInformation::read_from_prefix(entry) else {
            return Err(Failed);
        };
        for _ in 0..process.number_of_threads {
            let Ok((thread, more)) = SystemThreadInformation::read_from_prefix(rest) else {
                return Err(Failed);
            };
            if thread.client_id == basic.client_id {
                return Ok(thread);
            }
            rest = more;
        }
        if process.next_entry_offset == 0 {
            return Err(Failed);
        }
        offset += process.next_entry_offset as usize;
    }
}

/// Pages: two steps of the pools, of 256 KiB each. How many threads there are at one time depends on how soon each ended one is
/// cleared away, and what the most of them needed stays for the next; so may a step in which nothing is in use.
const SLACK: u32 = 2 * 64;
/// Pages of the kernel stacks that are kept for the next threads: at most 32 of six pages each. How many there are depends on
/// how many threads were ending at the same time.
const KEPT_STACKS: u32 = 32 * 6;
