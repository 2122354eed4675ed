//! What there is to ask of a process.

use alloc::vec::Vec;
use core::mem::offset_of;
use core::sync::atomic::Ordering;

use ke::schedule;
use nt_abi::access::AccessMask;
use nt_abi::accounting::IoCounters;
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::process_information::{
    PagePriorityInformation, ProcessHandleInformation, ProcessInformationClass as Class,
    ProcessMitigationPolicy as Policy, ProcessMitigationPolicyInformation, ProcessPriorityClass,
    ProcessSessionInformation, PsProtection,
};
use nt_abi::services::arguments::{Handle, OptionalOut, OutBytes, ProcessInformationClass};
use nt_abi::{NtResult, NtStatus, w64};
use ob::{HandleAttributes, Object};
use ps::Process;
use zerocopy::IntoBytes as _;

use super::counters;
use crate::Caller;
use crate::capture::{self, Plain};
use crate::information::Query;

const LIMITED: AccessMask = AccessMask::PROCESS_QUERY_LIMITED_INFORMATION;
const FULL: AccessMask = AccessMask::PROCESS_QUERY_INFORMATION;

/// A query of a process.
struct Asked<'a> {
    caller: &'a Caller<'a>,
    process: Handle,
    query: Query,
}

impl Asked<'_> {
    fn process(&self, right: AccessMask) -> NtResult<Object<Process>> {
        self.caller.reference_process(self.process, right)
    }

    fn has_length<T>(&self) -> bool {
        self.query.length() as usize == size_of::<T>()
    }

    /// Answers a class of one length to who has that right.
    fn answer<T: Plain>(&self, right: AccessMask, make: impl FnOnce(&Process) -> T) -> NtResult {
        if !self.has_length::<T>() {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        self.query.exactly(&make(&*self.process(right)?))
    }

    /// Only the process itself may ask.
    fn own(&self) -> NtResult {
        if self.process == Handle::CURRENT_PROCESS {
            Ok(())
        } else {
            Err(NtStatus::INVALID_PARAMETER)
        }
    }

    /// The basic or, by its length, the extended structure, which says itself how long it is.
    fn basic(&self) -> NtResult {
        type Extended = w64::ProcessExtendedBasicInformation;
        if !self.has_length::<Extended>() {
            return self.answer(LIMITED, counters::basic);
        }
        let size: u64 = capture::read_unaligned(self.query.buffer())?;
        if size != size_of::<Extended>() as u64 {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        self.answer(LIMITED, |process| Extended {
            size,
            basic_info: counters::basic(process),
            flags: u32::from(process.is_ending()) << 2,
            ..Extended::default()
        })
    }

    /// The structure, or by its length the shorter one that it begins with.
    fn longer_or_shorter<L: Plain, S: Plain>(&self, make: impl FnOnce(&Process) -> L) -> NtResult {
        if !self.has_length::<S>() {
            return self.answer(LIMITED, make);
        }
        self.answer(LIMITED, |process| {
            let longer = make(process);
            S::read_from_prefix(longer.as_bytes())
                .map_or_else(|_| S::new_zeroed(), |(short, _)| short)
        })
    }

    fn handle_count(&self) -> NtResult {
        let information = |process: &Process| {
            let now = u32::try_from(process.handles().len()).unwrap_or(u32::MAX);
            let most = process
                .settings()
                .most_handles
                .fetch_max(now, Ordering::Relaxed);
            ProcessHandleInformation {
                handle_count: now,
                handle_count_high_watermark: most.max(now),
            }
        };
        self.longer_or_shorter::<ProcessHandleInformation, u32>(information)
    }

    /// All handles of the process.
    fn handles(&self) -> NtResult {
        type Header = w64::ProcessHandleSnapshotInformation;
        type Entry = w64::ProcessHandleTableEntryInfo;
        let process = self.process(FULL)?;
        let length_of = |count: usize| size_of::<Header>() + count * size_of::<Entry>();
        let room = self.query.length() as usize;
        let needed = length_of(process.handles().len());
        if needed > room {
            // Nothing is made that would not be told.
            self.query.tell_length(needed)?;
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(needed)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        bytes.extend_from_slice(Header::default().as_bytes());
        let (mut count, mut left_out) = (0, 0);
        let mut after = ob::Handle::NULL;
        while let Some((handle, entry)) = process.handles().next_after(after) {
            after = handle;
            if length_of(count + 1) > room || bytes.try_reserve(size_of::<Entry>()).is_err() {
                // Handles come while it is looked: those beyond the buffer are counted, no more.
                left_out += 1;
                continue;
            }
            count += 1;
            bytes.extend_from_slice(handle_information(handle, &entry).as_bytes());
        }
        if left_out > 0 {
            self.query.tell_length(length_of(count + left_out))?;
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        let header = Header {
            number_of_handles: count as u64,
            reserved: 0,
        };
        if let Some(place) = bytes.get_mut(..size_of::<Header>()) {
            place.copy_from_slice(header.as_bytes());
        }
        self.query.bytes(&bytes, NtStatus::INFO_LENGTH_MISMATCH)
    }

    /// The command line, as it is in the process's memory now.
    fn command_line(&self) -> NtResult {
        let process = self.process(LIMITED)?;
        let space = process.space();
        let read = |address: u64, into: &mut [u8]| match space.read(address, into).status {
            NtStatus::SUCCESS => Ok(()),
            status => Err(status),
        };
        let mut parameters = 0u64;
        let place = process.peb() + offset_of!(w64::Peb, process_parameters) as u64;
        read(place, parameters.as_mut_bytes())?;
        let mut string = w64::UnicodeString::default();
        if parameters != 0 {
            let offset = offset_of!(w64::RtlUserProcessParameters, command_line) as u64;
            read(parameters.wrapping_add(offset), string.as_mut_bytes())?;
        }
        let mut text = Vec::new();
        text.try_reserve_exact(usize::from(string.length))
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        text.resize(usize::from(string.length), 0);
        if !text.is_empty() {
            read(string.buffer, &mut text)?;
        }
        self.string(&text)
    }

    /// Answers with a string and its terminated text behind it.
    fn string(&self, text: &[u8]) -> NtResult {
        const HEADER: usize = size_of::<w64::UnicodeString>();
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(HEADER + text.len() + 2)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        let length = u16::try_from(text.len()).map_err(|_| NtStatus::NAME_TOO_LONG)?;
        let string = w64::UnicodeString {
            length,
            maximum_length: length.saturating_add(2),
            reserved: 0,
            buffer: self.query.buffer() + HEADER as u64,
        };
        bytes.extend_from_slice(string.as_bytes());
        bytes.extend_from_slice(text);
        bytes.extend_from_slice(&[0; 2]);
        self.query.bytes(&bytes, NtStatus::INFO_LENGTH_MISMATCH)
    }

    fn image(&self) -> NtResult {
        if !self.has_length::<w64::SectionImageInformation>() {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        let process = self.process(LIMITED)?;
        let image = process.image().ok_or(NtStatus::INVALID_PARAMETER)?;
        self.query.exactly(&image.information.report())
    }

    /// Which policies there are; no data is executed that is not to be, and nothing else is enforced.
    fn mitigation_policy(&self) -> NtResult {
        type Information = ProcessMitigationPolicyInformation;
        if !self.has_length::<Information>() {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        let asked: Information = capture::read_unaligned(self.query.buffer())?;
        self.process(FULL)?;
        let flags = match asked.policy {
            Policy::DEP => 1,
            policy if policy.name().is_some() => 0,
            _ => return Err(NtStatus::INVALID_PARAMETER),
        };
        self.query.exactly(&Information { flags, ..asked })
    }

    /// A handle of a debug object, of which there is none.
    fn debug_object(&self) -> NtResult {
        if !self.has_length::<u64>() {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        self.process(FULL)?;
        capture::write_bytes(self.query.buffer(), &[0; 8])?;
        Err(NtStatus::PORT_NOT_SET)
    }

    /// The groups of its processors: one.
    fn groups(&self) -> NtResult {
        self.process(LIMITED)?;
        self.query
            .bytes(0u16.as_bytes(), NtStatus::BUFFER_TOO_SMALL)
    }

    /// A number that the process itself asks for, to make pointers hard to guess.
    fn cookie(&self) -> NtResult {
        if !self.has_length::<u32>() {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        self.own()?;
        let process = self.caller.process();
        let moment = ke::clock::interrupt_time().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let [_, _, _, _, a, b, c, d] = (moment ^ ke::clock::system_time()).to_le_bytes();
        let candidate = u32::from_le_bytes([a, b, c, d]);
        self.query.exactly(&process.settings().cookie(candidate))
    }
}

/// What is told of a handle.
fn handle_information(
    handle: ob::Handle,
    entry: &ob::HandleEntry,
) -> w64::ProcessHandleTableEntryInfo {
    let head = entry.object.head();
    let mut attributes = ObjectAttributeFlags::empty();
    if entry.attributes.contains(HandleAttributes::INHERIT) {
        attributes |= ObjectAttributeFlags::INHERIT;
    }
    if entry
        .attributes
        .contains(HandleAttributes::PROTECT_FROM_CLOSE)
    {
        attributes |= ObjectAttributeFlags::PROTECT_CLOSE;
    }
    w64::ProcessHandleTableEntryInfo {
        handle_value: handle.0,
        handle_count: u64::from(head.handle_count()),
        // The table's own reference counts, this look does not.
        pointer_count: entry.object.references().saturating_sub(1) as u64,
        granted_access: entry.granted,
        object_type_index: u32::from(head.kind().index()),
        handle_attributes: attributes,
        reserved: 0,
    }
}

/// # Differs
/// Processes do no I/O yet: its counts are zero. I/O and page priorities are kept and told; nothing asks for them yet. The most
/// handles that a process had are the most that a query saw.
pub(crate) fn nt_query_information_process(
    caller: &Caller<'_>,
    process: Handle,
    class: ProcessInformationClass,
    information: OutBytes,
    length: u32,
    return_length: OptionalOut<u32>,
) -> NtResult {
    let asked = Asked {
        caller,
        process,
        query: Query::probed(information.address(), length, return_length.address())?,
    };
    let relaxed = Ordering::Relaxed;
    match Class(class.0) {
        Class::BASIC => asked.basic(),
        Class::QUOTA_LIMITS => {
            asked.longer_or_shorter::<w64::QuotaLimitsEx, w64::QuotaLimits>(counters::quota)
        }
        Class::IO_COUNTERS => asked.answer(LIMITED, |_| IoCounters::default()),
        Class::VM_COUNTERS => {
            asked.longer_or_shorter::<w64::VmCountersEx, w64::VmCounters>(counters::memory)
        }
        Class::TIMES => asked.answer(LIMITED, counters::times),
        Class::DEBUG_PORT => asked.answer(FULL, |_| 0u64),
        Class::DEFAULT_HARD_ERROR_MODE => asked.answer(LIMITED, |process| {
            process.settings().hard_error_mode.load(relaxed)
        }),
        Class::PRIORITY_CLASS => asked.answer(LIMITED, |process| ProcessPriorityClass {
            foreground: u8::from(process.settings().is_foreground()),
            priority_class: process.settings().class().number(),
        }),
        Class::HANDLE_COUNT => asked.handle_count(),
        Class::AFFINITY_MASK => asked.answer(LIMITED, |process| {
            schedule::process_affinity(process.scheduled()).0
        }),
        Class::PRIORITY_BOOST => asked.answer(LIMITED, |process| {
            u32::from(schedule::process_boosts_disabled(process.scheduled()))
        }),
        Class::SESSION => asked.answer(LIMITED, |process| ProcessSessionInformation {
            session_id: process.token().state().session_id(),
        }),
        // A native process has no 32-bit PEB.
        Class::WOW64 => asked.answer(LIMITED, |_| 0u64),
        Class::BREAK_ON_TERMINATION => asked.answer(LIMITED, |process| {
            u32::from(process.settings().break_on_termination.load(relaxed))
        }),
        Class::DEBUG_OBJECT_HANDLE => asked.debug_object(),
        Class::DEBUG_FLAGS => asked.answer(FULL, |process| {
            u32::from(process.settings().debug_inherit.load(relaxed))
        }),
        Class::IO_PRIORITY => asked.answer(LIMITED, |process| {
            process.settings().io_priority.load(relaxed)
        }),
        Class::EXECUTE_FLAGS => asked.own().and_then(|()| {
            asked.answer(FULL, |process| {
                process.settings().execute_options.load(relaxed)
            })
        }),
        Class::COOKIE => asked.cookie(),
        Class::IMAGE => asked.image(),
        Class::PAGE_PRIORITY => asked.answer(LIMITED, |process| PagePriorityInformation {
            page_priority: process.settings().page_priority.load(relaxed),
        }),
        Class::AFFINITY_UPDATE_MODE => asked.answer(FULL, |process| {
            process.settings().affinity_update.load(relaxed)
        }),
        Class::GROUP => asked.groups(),
        Class::HANDLE => asked.handles(),
        Class::MITIGATION_POLICY => asked.mitigation_policy(),
        Class::COMMAND_LINE => asked.command_line(),
        // Nothing is protected.
        Class::PROTECTION => asked.answer(LIMITED, |_| PsProtection::default()),
        // `SubsystemInformationTypeWin32`.
        Class::SUBSYSTEM => asked.answer(LIMITED, |_| 0u32),
        // It is not recorded which pages are touched.
        Class::WORKING_SET_WATCH | Class::WORKING_SET_WATCH_EX => Err(NtStatus::UNSUCCESSFUL),
        // What is only set.
        Class::BASE_PRIORITY
        | Class::RAISE_PRIORITY
        | Class::EXCEPTION_PORT
        | Class::ACCESS_TOKEN
        | Class::IO_PORT_HANDLERS
        | Class::USER_MODE_IOPL
        | Class::ENABLE_ALIGNMENT_FAULT_FIXUP
        | Class::FOREGROUND
        | Class::THREAD_STACK_ALLOCATION => Err(NtStatus::INVALID_INFO_CLASS),
        class if class.name().is_some() => Err(NtStatus::NOT_IMPLEMENTED),
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    }
}
