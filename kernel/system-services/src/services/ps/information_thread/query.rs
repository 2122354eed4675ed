//! What there is to ask of a thread.

use core::sync::atomic::Ordering;

use ke::schedule;
use nt_abi::access::AccessMask;
use nt_abi::accounting::KernelUserTimes;
use nt_abi::primitives::ProcessorNumber;
use nt_abi::services::arguments::{Handle, OptionalOut, OutBytes, ThreadInformationClass};
use nt_abi::thread_information::ThreadInformationClass as Class;
use nt_abi::{NtResult, NtStatus, w64};
use ps::Thread;
use zerocopy::IntoBytes as _;

use crate::Caller;
use crate::capture::Plain;
use crate::information::Query;
use crate::services::ps::thread::ids_of;

const LIMITED: AccessMask = AccessMask::THREAD_QUERY_LIMITED_INFORMATION;
const FULL: AccessMask = AccessMask::THREAD_QUERY_INFORMATION;

/// A query of a thread.
struct Asked<'a> {
    caller: &'a Caller<'a>,
    thread: Handle,
    query: Query,
}

impl Asked<'_> {
    /// Answers a class of one length to who has that right.
    fn answer<T: Plain>(&self, right: AccessMask, make: impl FnOnce(&Thread) -> T) -> NtResult {
        if self.query.length() as usize != size_of::<T>() {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        let thread = self.caller.reference_thread(self.thread, right)?;
        self.query.exactly(&make(&thread))
    }

    /// Answers with the name, which lies behind the string that describes it.
    fn name(&self) -> NtResult {
        type Information = w64::ThreadNameInformation;
        let thread = self.caller.reference_thread(self.thread, LIMITED)?;
        let mut bytes = alloc::vec::Vec::new();
        {
            let room = {
                let name = thread.settings().name.acquire();
                name.as_ref().map_or(0, |name| name.text().len() * 2)
            };
            bytes
                .try_reserve_exact(size_of::<Information>() + room)
                .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
            let name = thread.settings().name.acquire();
            let units = name.as_ref().map_or(&[][..], |name| name.text().units());
            // A name that grew since is cut.
            let units = units.get(..units.len().min(room / 2)).unwrap_or(&[]);
            let length = u16::try_from(units.len() * 2).unwrap_or(0);
            let buffer = self.query.buffer() + size_of::<Information>() as u64;
            let information = Information {
                thread_name: w64::UnicodeString {
                    length,
                    maximum_length: length,
                    reserved: 0,
                    buffer: if length == 0 { 0 } else { buffer },
                },
            };
            bytes.extend_from_slice(information.as_bytes());
            bytes.extend_from_slice(units.as_bytes());
        }
        self.query.bytes(&bytes, NtStatus::BUFFER_TOO_SMALL)
    }
}

fn basic(thread: &Thread) -> w64::ThreadBasicInformation {
    let scheduled = thread.scheduled();
    w64::ThreadBasicInformation {
        exit_status: thread.exit_status_if_ended().0,
        teb_base_address: thread.teb(),
        client_id: ids_of(thread),
        affinity_mask: schedule::affinity(scheduled).0,
        priority: i32::from(schedule::priority(scheduled)),
        base_priority: schedule::priority_increment(scheduled),
        ..w64::ThreadBasicInformation::default()
    }
}

fn signed(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

fn times(thread: &Thread) -> KernelUserTimes {
    let (create, exit) = thread.times();
    let (kernel, user) = thread.scheduled().times();
    KernelUserTimes {
        create_time: signed(create),
        exit_time: signed(exit),
        kernel_time: signed(kernel),
        user_time: signed(user),
    }
}

fn group_affinity(thread: &Thread) -> w64::GroupAffinity {
    w64::GroupAffinity {
        mask: schedule::affinity(thread.scheduled()).0,
        ..w64::GroupAffinity::default()
    }
}

/// The number of a processor, in the one group that there is.
pub(super) fn numbered(number: u32) -> ProcessorNumber {
    ProcessorNumber {
        group: 0,
        number: u8::try_from(number).unwrap_or(u8::MAX),
        reserved: 0,
    }
}

/// # Differs
/// I/O and page priorities are kept and told; nothing asks for them yet. A thread has no I/O that could be pending.
pub(crate) fn nt_query_information_thread(
    caller: &Caller<'_>,
    thread: Handle,
    class: ThreadInformationClass,
    information: OutBytes,
    length: u32,
    return_length: OptionalOut<u32>,
) -> NtResult {
    let asked = Asked {
        caller,
        thread,
        query: Query::probed(information.address(), length, return_length.address())?,
    };
    let relaxed = Ordering::Relaxed;
    match Class(class.0) {
        Class::BASIC => asked.answer(LIMITED, basic),
        Class::TIMES => asked.answer(LIMITED, times),
        Class::QUERY_SET_WIN32_START_ADDRESS => asked.answer(FULL, Thread::start_address),
        Class::PERFORMANCE_COUNT => asked.answer(FULL, |_| 0i64),
        Class::AM_I_LAST_THREAD => {
            asked.answer(FULL, |_| u32::from(caller.process().threads() == 1))
        }
        Class::PRIORITY_BOOST => asked.answer(LIMITED, |thread| {
            u32::from(schedule::boosts_disabled(thread.scheduled()))
        }),
        Class::IS_IO_PENDING => asked.answer(FULL, |_| 0u32),
        Class::HIDE_FROM_DEBUGGER => asked.answer(FULL, |thread| {
            u8::from(thread.settings().hidden_from_debugger.load(relaxed))
        }),
        Class::BREAK_ON_TERMINATION => asked.answer(FULL, |thread| {
            u32::from(thread.settings().break_on_termination.load(relaxed))
        }),
        Class::IS_TERMINATED => {
            asked.answer(LIMITED, |thread| u32::from(thread.scheduled().has_ended()))
        }
        Class::IO_PRIORITY => asked.answer(LIMITED, |thread| {
            thread.settings().io_priority.load(relaxed)
        }),
        Class::PAGE_PRIORITY => asked.answer(LIMITED, |thread| {
            thread.settings().page_priority.load(relaxed)
        }),
        Class::ACTUAL_BASE_PRIORITY => asked.answer(LIMITED, |thread| {
            i32::from(schedule::base_priority(thread.scheduled()))
        }),
        Class::GROUP => asked.answer(LIMITED, group_affinity),
        Class::IDEAL_PROCESSOR_EX => asked.answer(LIMITED, |thread| {
            numbered(schedule::ideal_processor(thread.scheduled()).0)
        }),
        Class::SUSPEND_COUNT => asked.answer(LIMITED, |thread| thread.scheduled().suspend_count()),
        Class::NAME => asked.name(),
        // What is only set.
        Class::PRIORITY
        | Class::BASE_PRIORITY
        | Class::AFFINITY_MASK
        | Class::IMPERSONATION_TOKEN
        | Class::ENABLE_ALIGNMENT_FAULT_FIXUP
        | Class::EVENT_PAIR
        | Class::ZERO_TLS_CELL
        | Class::IDEAL_PROCESSOR
        | Class::SET_TLS_ARRAY_ADDRESS
        | Class::SWITCH_LEGACY_STATE => Err(NtStatus::INVALID_INFO_CLASS),
        // There are no segments that a descriptor could describe.
        Class::DESCRIPTOR_TABLE_ENTRY => Err(NtStatus::NOT_IMPLEMENTED),
        class if class.name().is_some() => Err(NtStatus::NOT_IMPLEMENTED),
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    }
}
