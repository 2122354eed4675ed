//! A process that services may do anything to: end it, stop it, set its registers, take its memory away.
//!
//! It runs this same program, whose image is at the same place in every process. So the fuzzer knows where in it there is
//! something to break, and can start its own functions there.

use nt_abi::NtStatus;
use nt_abi::access::AccessMask;
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::process_creation::PsCreateState;
use nt_abi::services::arguments::{ProcessInformationClass, ThreadInformationClass};
use nt_abi::w64::{ClientId, ObjectAttributes, ProcessBasicInformation, ThreadBasicInformation};
use zerocopy::FromZeros as _;

use super::Random;
use super::handles::Handles;
use crate::processes::{Child, Options, command_line, peb, try_start};
use crate::services::{
    CURRENT_PROCESS, NULL, NtAllocateVirtualMemory, NtClose, NtCreateThreadEx, NtDelayExecution,
    NtFreeVirtualMemory, NtOpenProcess, NtQueryInformationProcess, NtQueryInformationThread,
    NtTerminateProcess, NtWaitForSingleObject, NtYieldExecution, address_of,
};
use crate::threads;

const PROGRAM: &str = r"\??\C:\fuzz_services.exe";
const LINE: &str = "fuzz_services victim";
/// Places in a victim's memory that are known.
const PLACES: usize = 12;
/// How long a victim may take to end, in 100 ns.
const PATIENCE: i64 = -600_000_000;

/// Whether this process is to be a victim.
pub(super) fn is_wanted() -> bool {
    command_line().iter().copied().eq(LINE.encode_utf16())
}

/// What a victim does: it waits, in a way that APCs can interrupt, and ends by itself if it is forgotten.
pub(super) fn live() -> u32 {
    for _ in 0..200 {
        let _ = NtDelayExecution(true, &-1_000_000i64);
    }
    0
}

/// What another thread of a victim does: it uses its memory while others take it away.
extern "C" fn work(_: u64) -> u32 {
    for _ in 0..1000 {
        let (mut base, mut size) = (0u64, 0x3000u64);
        let kind = AllocationType::COMMIT | AllocationType::RESERVE;
        let made = NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &mut base,
            0u64,
            &mut size,
            kind.bits(),
            PageProtection::READWRITE.bits(),
        );
        if made == NtStatus::SUCCESS {
            crate::services::fill(base + 0xFFC, &[1; 8]);
            size = 0;
            let release = AllocationType::RELEASE.bits();
            let _ = NtFreeVirtualMemory(CURRENT_PROCESS, &mut base, &mut size, release);
        }
        let _ = NtYieldExecution();
        let _ = NtDelayExecution(true, &-100_000i64);
    }
    0
}

/// A victim.
#[derive(Debug)]
pub(super) struct Victim {
    pub(super) process: u64,
    /// Its threads: the first, one that works, and one that was never resumed.
    pub(super) threads: [u64; 3],
    number: u64,
    thread_numbers: [u64; 3],
    places: [u64; PLACES],
}

impl Victim {
    /// Makes one.
    ///
    /// # Errors
    /// The status of whoever refuses.
    pub(super) fn make(random: &mut Random) -> Result<Self, NtStatus> {
        let mut child = Child::default();
        let options = Options {
            thread_flags: u32::from(random.once_in(4)) * threads::SUSPENDED,
            ..Options::default()
        };
        let (status, state) = try_start(PROGRAM, LINE, options, &mut child);
        if status != NtStatus::SUCCESS || state != PsCreateState::SUCCESS {
            return Err(status);
        }
        let mut victim = Self {
            process: child.process,
            threads: [child.thread, 0, 0],
            number: child.id.unique_process,
            thread_numbers: [0; 3],
            places: [0; PLACES],
        };
        for (place, flags) in [(1, 0), (2, threads::SUSPENDED)] {
            // Without memory it has fewer threads.
            let _ = NtCreateThreadEx(
                &mut victim.threads[place],
                AccessMask::THREAD_ALL_ACCESS,
                NULL,
                victim.process,
                threads::address(work),
                0u64,
                flags,
                0u64,
                0u64,
                0u64,
                NULL,
            );
        }
        victim.look_for_places();
        Ok(victim)
    }

    /// Finds where in its memory there is something that it, or the kernel on its behalf, needs.
    fn look_for_places(&mut self) {
        let image = peb().image_base_address;
        let mut basic = ProcessBasicInformation::new_zeroed();
        let _ = basic_of_process(self.process, &mut basic);
        let mut places = [0; PLACES];
        places[..4].copy_from_slice(&[
            basic.peb_base_address,
            image,
            threads::address(work).0,
            // KUSER_SHARED_DATA.
            0x7FFE_0000,
        ]);
        for (index, thread) in self.threads.into_iter().enumerate() {
            let mut basic = ThreadBasicInformation::new_zeroed();
            let _ = basic_of_thread(thread, &mut basic);
            self.thread_numbers[index] = basic.client_id.unique_thread;
            places[4 + 2 * index] = basic.teb_base_address;
            // The stack is in the TEB's first words: its base, and how far down it has grown.
            let mut words = [0u64; 2];
            let _ = crate::services::NtReadVirtualMemory(
                self.process,
                basic.teb_base_address.wrapping_add(8),
                &mut words,
                16usize,
                NULL,
            );
            places[5 + 2 * index] = words[1];
        }
        self.places = places;
    }

    /// Its number and those of its threads, with which they are opened; 0 stands for any.
    pub(super) fn numbers(&self) -> [u64; 4] {
        let [first, second, _] = self.thread_numbers;
        [self.number, 0, first, second]
    }

    /// An address in it: mostly one that matters.
    pub(super) fn address(&self, random: &mut Random) -> u64 {
        let place = random.of(&self.places);
        match random.below(8) {
            0 => place.wrapping_add(random.below(0x1_0000)),
            1 => place.wrapping_sub(random.below(0x1_0000)),
            2 => place.wrapping_add(0x1000 * random.below(64)),
            3 => place & !0xFFFF,
            _ => place,
        }
    }

    /// Whether a handle is to it.
    fn is_process(&self, handle: u64) -> bool {
        let mut basic = ProcessBasicInformation::new_zeroed();
        basic_of_process(handle, &mut basic) == NtStatus::SUCCESS
            && basic.unique_process_id == self.number
    }

    /// Whether a handle is to one of its threads.
    fn is_thread(&self, handle: u64) -> bool {
        let mut basic = ThreadBasicInformation::new_zeroed();
        basic_of_thread(handle, &mut basic) == NtStatus::SUCCESS
            && basic.client_id.unique_process == self.number
    }

    /// A handle to it, if one can be found: numbers of handles are used again, so that nothing is certain until it was
    /// looked.
    pub(super) fn process_for(&self, random: &mut Random, handles: &Handles) -> u64 {
        let one = handles.suited(random, "Process", "process");
        let found = [one, self.process]
            .into_iter()
            .find(|handle| self.is_process(*handle));
        found.unwrap_or_else(|| Handles::bad(random))
    }

    /// A handle to one of its threads, if one can be found.
    pub(super) fn thread_for(&self, random: &mut Random, handles: &Handles) -> u64 {
        let one = handles.suited(random, "Thread", "thread");
        let other = random.of(&self.threads);
        let found = [one, other]
            .into_iter()
            .find(|handle| self.is_thread(*handle));
        found.unwrap_or_else(|| Handles::bad(random))
    }

    /// Whether it lives, as far as can be seen.
    pub(super) fn lives(&self) -> bool {
        self.is_process(self.process)
            && NtWaitForSingleObject(self.process, false, &0i64) == NtStatus::TIMEOUT
    }

    /// Ends it, and waits until it has ended; false if it does not.
    pub(super) fn end(self) -> bool {
        let mut ended = true;
        let mut other = 0u64;
        let attributes = ObjectAttributes {
            length: size_of::<ObjectAttributes>() as u32,
            attributes: ObjectAttributeFlags::empty(),
            ..ObjectAttributes::new_zeroed()
        };
        let mut id = ClientId {
            unique_process: self.number,
            unique_thread: 0,
        };
        let access = AccessMask::PROCESS_TERMINATE | AccessMask::SYNCHRONIZE;
        // By its number, because its handles may have been closed; by a handle, because its descriptor may have been changed.
        let _ = NtOpenProcess(
            crate::services::Address(address_of(&mut other)),
            access,
            &attributes,
            crate::services::Address(address_of(&mut id)),
        );
        for handle in [other, self.process] {
            if handle == 0 || (handle != other && !self.is_process(handle)) {
                continue;
            }
            let status = NtTerminateProcess(handle, NtStatus::UNSUCCESSFUL);
            if status == NtStatus::SUCCESS || status == NtStatus::PROCESS_IS_TERMINATING {
                ended &= NtWaitForSingleObject(handle, false, &PATIENCE) != NtStatus::TIMEOUT;
                break;
            }
        }
        if other != 0 {
            let _ = NtClose(other);
        }
        ended
    }
}

/// Whether a handle is to this process.
pub(super) fn is_own(handle: u64) -> bool {
    if handle == CURRENT_PROCESS.0 {
        return true;
    }
    let (mut own, mut other) = (
        ProcessBasicInformation::new_zeroed(),
        ProcessBasicInformation::new_zeroed(),
    );
    basic_of_process(CURRENT_PROCESS.0, &mut own) == NtStatus::SUCCESS
        && basic_of_process(handle, &mut other) == NtStatus::SUCCESS
        && own.unique_process_id == other.unique_process_id
}

fn basic_of_process(handle: u64, basic: &mut ProcessBasicInformation) -> NtStatus {
    let length = size_of::<ProcessBasicInformation>() as u32;
    NtQueryInformationProcess(handle, ProcessInformationClass(0), basic, length, NULL)
}

fn basic_of_thread(handle: u64, basic: &mut ThreadBasicInformation) -> NtStatus {
    let length = size_of::<ThreadBasicInformation>() as u32;
    NtQueryInformationThread(handle, ThreadInformationClass(0), basic, length, NULL)
}
