//! How threads wait: what the locks of `sync` ask of the kernel.

use core::mem::offset_of;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use c_interface::{Ptr, field};
use nt_abi::NtStatus;
use nt_abi::native::Peb;
use nt_abi::user_shared_data::{KsystemTime, KuserSharedData};
use stubs::call::{NULL, NtAlertThreadByThreadId, NtWaitForAlertByThreadId};
use sync::{Alert, Bucket, Buckets, Parking};

use crate::{ending, process};

/// Threads wait for an alert by their ids.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Threads;

/// Where they wait. Each bucket has a line of the cache; locks of programs hardly ever wait at the same time in more.
static BUCKETS: Buckets<128> = Buckets::new();

impl Parking for Threads {
    #[inline]
    fn thread_id(&self) -> usize {
        process::thread_id()
    }

    fn wait_for_alert(&self, address: usize, timeout: Option<i64>) -> Alert {
        if timeout.is_none() && process_ends() {
            ending::terminate(NtStatus(EXIT_STATUS.load(Ordering::Relaxed)));
        }
        let address = Ptr::<u8>::new(address);
        let status = match &timeout {
            Some(timeout) => NtWaitForAlertByThreadId(address, timeout),
            None => NtWaitForAlertByThreadId(address, NULL),
        };
        if status == NtStatus::TIMEOUT {
            Alert::TimedOut
        } else {
            Alert::Alerted
        }
    }

    fn alert(&self, thread: usize) {
        // A thread that has ended needs no alert.
        let _ = NtAlertThreadByThreadId(thread as u64);
    }

    fn interrupt_time(&self) -> i64 {
        let time = field!(process::shared_data(), KuserSharedData, interrupt_time);
        read_time(time)
    }

    #[inline]
    fn processors(&self) -> u32 {
        field!(process::peb(), Peb, number_of_processors).read()
    }

    fn relax(&self) {
        core::hint::spin_loop();
    }

    #[inline]
    fn bucket(&self, address: usize) -> &Bucket {
        BUCKETS.bucket(address)
    }
}

/// The time of the calendar, in units of 100 ns since 1601-01-01 UTC.
pub(crate) fn system_time() -> i64 {
    read_time(field!(process::shared_data(), KuserSharedData, system_time))
}

/// Whether the process ends and its other threads are gone, and the status that it ends with.
static ENDS: AtomicBool = AtomicBool::new(false);
static EXIT_STATUS: AtomicU32 = AtomicU32::new(0);

/// Whether the process ends, and the calling thread is its last.
pub(crate) fn process_ends() -> bool {
    ENDS.load(Ordering::Relaxed)
}

/// Forgets who waits: for a process whose other threads are gone.
///
/// A lock that one of them had is never freed. So who waits for good from now on, in a DLL's entry point, ends the process,
/// as on Windows.
pub(crate) fn forget_waiters(exit_status: NtStatus) {
    BUCKETS.forget();
    EXIT_STATUS.store(exit_status.0, Ordering::Relaxed);
    ENDS.store(true, Ordering::Relaxed);
}

/// A time of the shared page. The kernel writes `high2`, `low`, `high1`; whoever reads the other way round and finds both
/// high parts alike has a low part that belongs to them.
pub(crate) fn read_time(time: Ptr<KsystemTime>) -> i64 {
    let part = |offset: usize| {
        time.byte_add(offset)
            .cast::<u32>()
            .atomic()
            .load(Ordering::Acquire)
    };
    loop {
        let high = part(offset_of!(KsystemTime, high1_time));
        let low = part(offset_of!(KsystemTime, low_part));
        if high == part(offset_of!(KsystemTime, high2_time)) {
            return i64::from(high.cast_signed()) << 32 | i64::from(low);
        }
        core::hint::spin_loop();
    }
}
