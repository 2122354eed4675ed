//! Thread pools of this process: what they do is in `sync`, and what they need of the process is here.

mod objects;
mod queues;

use c_interface::{Ptr, field};
use nt_abi::access::AccessMask;
use nt_abi::native::{Handle, Peb, TpPoolStackInformation};
use nt_abi::services::arguments::{EventType, WaitType};
use nt_abi::{NtResult, NtStatus};
use stubs::call::{
    CURRENT_PROCESS, NULL, NtClose, NtCreateEvent, NtCreateThreadEx, NtReleaseMutant,
    NtReleaseSemaphore, NtSetEvent, NtWaitForMultipleObjects,
};
use sync::thread_pool::{self, Id, PoolKernel, Role, ThreadPools};

use crate::exceptions::raise_status;
use crate::parking::{self, Threads};
use crate::{loading, process};

/// `SynchronizationEvent`: one that a single wait takes.
const SYNCHRONIZATION_EVENT: EventType = EventType(1);
/// `WaitAny`.
const WAIT_ANY: WaitType = WaitType(1);

static POOLS: ThreadPools = ThreadPools::new();

/// What every thread of a pool begins with; what it returns is its exit status.
extern "system" fn pool_thread(role: usize) -> u32 {
    thread_pool::run(&Threads, role);
    0
}

impl PoolKernel for Threads {
    fn pools(&self) -> &ThreadPools {
        &POOLS
    }

    fn start_thread(&self, role: Role, stack_reserve: usize, stack_commit: usize) -> NtResult {
        let mut handle = 0_u64;
        let status = NtCreateThreadEx(
            &mut handle,
            AccessMask::THREAD_ALL_ACCESS,
            NULL,
            CURRENT_PROCESS,
            Ptr::<u8>::new(pool_thread as *const () as usize),
            Ptr::<u8>::new(role.number()),
            0_u32,
            0_u64,
            stack_commit,
            stack_reserve,
            NULL,
        );
        if !status.is_success() {
            return Err(status);
        }
        // Nobody waits for it, or ends it.
        let _ = NtClose(handle);
        Ok(())
    }

    fn system_time(&self) -> i64 {
        parking::system_time()
    }

    fn create_event(&self) -> NtResult<Handle> {
        let mut event = 0_u64;
        let access = AccessMask::EVENT_ALL_ACCESS;
        match NtCreateEvent(&mut event, access, NULL, SYNCHRONIZATION_EVENT, false) {
            status if status.is_success() => Ok(event),
            status => Err(status),
        }
    }

    fn wait_for_any(&self, handles: &[Handle], timeout: Option<i64>) -> NtStatus {
        let count = handles.len() as u32;
        match &timeout {
            Some(timeout) => NtWaitForMultipleObjects(count, handles, WAIT_ANY, false, timeout),
            None => NtWaitForMultipleObjects(count, handles, WAIT_ANY, false, NULL),
        }
    }

    fn set_event(&self, event: Handle) {
        // The handle is the program's: what it is, is his affair, as below.
        let _ = NtSetEvent(event, NULL);
    }

    fn release_semaphore(&self, semaphore: Handle, count: u32) {
        let _ = NtReleaseSemaphore(semaphore, count.cast_signed(), NULL);
    }

    fn release_mutant(&self, mutant: Handle) {
        let _ = NtReleaseMutant(mutant, NULL);
    }

    fn hold_module(&self, base: usize) {
        loading::hold(Ptr::new(base));
    }

    fn release_module(&self, base: usize) {
        loading::release(Ptr::new(base));
    }
}

/// Gives the number of what was made.
fn made(result: NtResult<Id>, into: Ptr<usize>) -> NtStatus {
    match result {
        Ok(id) => {
            into.write(id.number());
            NtStatus::SUCCESS
        }
        Err(status) => status,
    }
}

/// What was asked for; what is wrong is raised, since these functions give no status.
fn well<T>(result: NtResult<T>) -> T {
    match result {
        Ok(value) => value,
        Err(status) => raise_status(status),
    }
}

/// What a function with an outcome of its own gives.
fn outcome(result: NtResult<NtStatus>) -> NtStatus {
    result.unwrap_or_else(|status| status)
}

/// The stacks that the program's image wants, in bytes.
fn image_stack() -> TpPoolStackInformation {
    loading::stack_of(Ptr::at(
        field!(process::peb(), Peb, image_base_address).read(),
    ))
}
