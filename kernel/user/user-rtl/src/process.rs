//! What the process has once: its parameters, and the lock over them.
//!
//! The lock is the PEB's own, `FastPebLock`, which is a critical section. Critical sections are another crate's, so ntdll
//! names the functions that enter and leave one; before it has, and without a section in the PEB, there is one thread only
//! and nothing to lock.

use core::sync::atomic::{AtomicUsize, Ordering};

use c_interface::{Function, Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::{Peb, RtlUserProcessParameters};

use crate::given;

/// Enters or leaves a critical section.
pub type SectionFunction = Function<fn(Ptr<u8>) -> NtStatus>;

static ENTER: AtomicUsize = AtomicUsize::new(0);
static LEAVE: AtomicUsize = AtomicUsize::new(0);

/// Names `RtlEnterCriticalSection` and `RtlLeaveCriticalSection`: once, before there is a second thread.
pub fn set_critical_sections(enter: SectionFunction, leave: SectionFunction) {
    LEAVE.store(leave.address(), Ordering::Release);
    ENTER.store(enter.address(), Ordering::Release);
}

/// The process's parameters; `None`: it has none.
pub fn parameters() -> Option<Ptr<RtlUserProcessParameters>> {
    let parameters = field!(given::peb()?, Peb, process_parameters).read();
    Ptr::at(parameters).non_null()
}

/// While this lives, nobody else changes what the process has once. A thread may have several.
pub struct PebLock {
    section: Option<Ptr<u8>>,
}

impl PebLock {
    /// Waits for the lock.
    pub fn acquire() -> Self {
        let section = section();
        if let Some(section) = section {
            SectionFunction::new(ENTER.load(Ordering::Acquire)).call(section);
        }
        Self { section }
    }
}

impl Drop for PebLock {
    fn drop(&mut self) {
        if let Some(section) = self.section {
            SectionFunction::new(LEAVE.load(Ordering::Acquire)).call(section);
        }
    }
}

exports! {
    /// Waits for the lock of what the process has once.
    fn RtlAcquirePebLock() -> NtStatus {
        match section() {
            Some(section) => SectionFunction::new(ENTER.load(Ordering::Acquire)).call(section),
            None => NtStatus::SUCCESS,
        }
    }

    /// Gives the lock back.
    fn RtlReleasePebLock() -> NtStatus {
        match section() {
            Some(section) => SectionFunction::new(LEAVE.load(Ordering::Acquire)).call(section),
            None => NtStatus::SUCCESS,
        }
    }
}

/// The critical section, if there is one and somebody can enter it.
fn section() -> Option<Ptr<u8>> {
    if ENTER.load(Ordering::Acquire) == 0 {
        return None;
    }
    Ptr::at(field!(given::peb()?, Peb, fast_peb_lock).read()).non_null()
}

/// A process for tests: each thread has one of its own.
#[cfg(test)]
pub(crate) mod testing {
    extern crate std;

    use std::boxed::Box;

    use nt_abi::native::{Pointer, Teb};
    use zerocopy::FromZeros;

    use super::*;

    /// Makes new parameters, all zeros, the thread's process's.
    pub(crate) fn begin() -> Ptr<RtlUserProcessParameters> {
        let teb = given::testing::begin();
        let peb = Ptr::<Peb>::at(field!(teb, Teb, process_environment_block).read());
        let parameters = Ptr::of(Box::leak(Box::new(RtlUserProcessParameters::new_zeroed())));
        field!(peb, Peb, process_parameters).write(parameters.raw());
        field!(peb, Peb, fast_peb_lock).write(0 as Pointer);
        parameters
    }

    #[test]
    fn the_lock_is_the_sections() {
        extern "system" fn enter(count: Ptr<u8>) -> NtStatus {
            count.write(count.read() + 1);
            NtStatus::SUCCESS
        }
        extern "system" fn leave(count: Ptr<u8>) -> NtStatus {
            count.write(count.read() - 1);
            NtStatus::SUCCESS
        }
        begin();
        let count = Box::leak(Box::new(0_u8));
        let place = Ptr::of(count);
        let peb = given::peb().expect("a PEB");
        field!(peb, Peb, fast_peb_lock).write(place.raw());
        // The functions are for all threads' processes; without a section they are not called.
        set_critical_sections(
            Function::new(enter as *const () as usize),
            Function::new(leave as *const () as usize),
        );
        let outer = PebLock::acquire();
        let inner = PebLock::acquire();
        assert_eq!(place.read(), 2);
        RtlAcquirePebLock();
        assert_eq!(place.read(), 3);
        RtlReleasePebLock();
        drop(inner);
        drop(outer);
        assert_eq!(place.read(), 0);
    }
}
