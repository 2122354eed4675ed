//! What can be set of a thread.

use core::mem::offset_of;
use core::sync::atomic::Ordering;

use arch::contract::ProcessorNumber as Number;
use ke::schedule;
use mm::AddressSpace;
use nt_abi::access::AccessMask;
use nt_abi::primitives::ProcessorNumber;
use nt_abi::security::Privilege;
use nt_abi::services::arguments::{Handle, InBytes, ThreadInformationClass};
use nt_abi::thread_information::ThreadInformationClass as Class;
use nt_abi::{NtResult, NtStatus, w64};
use ob::Object;
use ps::Thread;
use ps::settings::{PriorityClass, ThreadName};
use ps::thread::threads_of;
use ps::token::SharedToken;
use rtl::utf16::Utf16String;

use super::query::numbered;
use crate::Caller;
use crate::capture::{self, Plain};
use crate::information::Setting;

const FULL: AccessMask = AccessMask::THREAD_SET_INFORMATION;
const LIMITED: AccessMask = AccessMask::THREAD_SET_LIMITED_INFORMATION;

/// What is to be set of a thread.
struct Wanted<'a> {
    caller: &'a Caller<'a>,
    thread: Handle,
    setting: Setting,
}

impl Wanted<'_> {
    fn thread(&self, right: AccessMask) -> NtResult<Object<Thread>> {
        self.caller.reference_thread(self.thread, right)
    }

    /// The value, and the thread if the handle has that right.
    fn value<T: Plain>(&self, right: AccessMask) -> NtResult<(T, Object<Thread>)> {
        let value = self.setting.value()?;
        Ok((value, self.thread(right)?))
    }

    fn priority(&self) -> NtResult {
        let wanted = priority_of(self.caller, self.setting.value()?)?;
        let thread = self.thread(FULL)?;
        schedule::set_priority(thread.scheduled(), wanted).map(drop)
    }

    fn actual_base_priority(&self) -> NtResult {
        let wanted = priority_of(self.caller, self.setting.value()?)?;
        let thread = self.thread(FULL)?;
        schedule::set_base_priority(thread.scheduled(), wanted).map(drop)
    }

    /// By how much the base priority differs from the process's; 16 and -16 are the ends of the class.
    fn base_priority(&self) -> NtResult {
        let (increment, thread) = self.value::<i32>(LIMITED)?;
        let usual = (-2..=2).contains(&increment) || matches!(increment, 16 | -16);
        let is_realtime = thread.process().settings().class() == PriorityClass::Realtime;
        let allowed = usual || (is_realtime && (-16..=16).contains(&increment));
        if !allowed {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        schedule::set_priority_increment(thread.scheduled(), increment);
        Ok(())
    }

    fn affinity(&self, mask: u64, right: AccessMask) -> NtResult {
        self.thread(right)?.set_affinity(mask)
    }

    fn group_affinity(&self) -> NtResult {
        let wanted: w64::GroupAffinity = self.setting.value()?;
        if wanted.group != 0 || wanted.reserved != [0; 3] {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.affinity(wanted.mask, FULL)
    }

    /// Gives the one that it preferred before.
    fn ideal_processor(&self) -> NtResult<NtStatus> {
        /// `MAXIMUM_PROCESSORS`: how to ask without changing anything.
        const ASKS: u32 = 64;
        let (number, thread) = self.value::<u32>(LIMITED)?;
        if number > ASKS {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if number != ASKS && !ke::processor::active().contains(Number(number)) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let before = schedule::set_ideal_processor(thread.scheduled(), Number(number));
        Ok(NtStatus(before.0))
    }

    /// Writes the one that it preferred before into the buffer.
    fn ideal_processor_ex(&self) -> NtResult {
        let (wanted, thread) = self.value::<ProcessorNumber>(LIMITED)?;
        let number = Number(u32::from(wanted.number));
        let exists = wanted.number < 64 && ke::processor::active().contains(number);
        if wanted.group != 0 || wanted.reserved != 0 || !exists {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let before = schedule::set_ideal_processor(thread.scheduled(), number);
        capture::write_bytes(
            self.setting.buffer(),
            zerocopy::IntoBytes::as_bytes(&numbered(before.0)),
        )
    }

    fn impersonation_token(&self) -> NtResult {
        let (token, thread) = self.value::<u64>(AccessMask::THREAD_SET_THREAD_TOKEN)?;
        let token = match token {
            0 => None,
            token => {
                let right = AccessMask::TOKEN_IMPERSONATE;
                Some(
                    self.caller
                        .reference::<ps::token::TokenBody>(Handle(token), right)?,
                )
            }
        };
        let token: Option<SharedToken> = token;
        thread.set_impersonation(token)
    }

    /// Zeroes a slot of all threads of the process.
    fn zero_tls_cell(&self) -> NtResult {
        let (cell, thread) = self.value::<u32>(FULL)?;
        let cell = u64::from(cell);
        if thread.id() != self.caller.thread.id() || cell >= OWN_SLOTS + MORE_SLOTS {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        for thread in threads_of(self.caller.process()) {
            // A thread that has ended has no TEB any more, and another that ends waits with its own.
            let _ =
                thread.with_teb(|teb| zero_tls_cell_of(self.caller.process().space(), teb, cell));
        }
        Ok(())
    }

    fn hide_from_debugger(&self) -> NtResult {
        if self.setting.length() != 0 {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        let thread = self.thread(FULL)?;
        let hidden = &thread.settings().hidden_from_debugger;
        hidden.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn break_on_termination(&self) -> NtResult {
        let (value, thread) = self.value::<u32>(FULL)?;
        self.caller.require_privilege(Privilege::DEBUG)?;
        let place = &thread.settings().break_on_termination;
        place.store(value != 0, Ordering::Relaxed);
        Ok(())
    }

    fn name(&self) -> NtResult {
        let wanted: w64::ThreadNameInformation = self.setting.value()?;
        let string = wanted.thread_name;
        if !string.length.is_multiple_of(2) || string.length > string.maximum_length {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let units = capture::read_array(string.buffer, usize::from(string.length / 2))?;
        let thread = self.thread(LIMITED)?;
        let text = Utf16String::from_units(units);
        let name = Some(ThreadName::new(text, thread.process().quota())?);
        let before = core::mem::replace(&mut *thread.settings().name.acquire(), name);
        drop(before);
        Ok(())
    }
}

/// Slots for a thread's own data in its TEB itself, and behind the TEB's pointer.
const OWN_SLOTS: u64 = 64;
const MORE_SLOTS: u64 = 1024;

/// Zeroes a slot of the thread with that TEB. What a program does with its TEB is its business: where there is nothing,
/// nothing is zeroed.
fn zero_tls_cell_of(space: &AddressSpace, teb: u64, cell: u64) {
    let place = if cell < OWN_SLOTS {
        teb + offset_of!(w64::Teb, tls_slots) as u64 + cell * 8
    } else {
        let mut more = [0; 8];
        let pointer = teb + offset_of!(w64::Teb, tls_expansion_slots) as u64;
        // What cannot be read has no more slots.
        let _ = space.read(pointer, &mut more);
        match u64::from_le_bytes(more) {
            0 => return,
            more => more.wrapping_add((cell - OWN_SLOTS) * 8),
        }
    };
    let _ = space.write(place, &[0; 8]);
}

/// A priority that the caller may set.
pub(super) fn priority_of(caller: &Caller<'_>, value: i32) -> NtResult<u8> {
    let priority = u8::try_from(value)
        .ok()
        .filter(|priority| (1..=schedule::HIGHEST).contains(priority))
        .ok_or(NtStatus::INVALID_PARAMETER)?;
    if priority >= schedule::LOWEST_REALTIME {
        caller.require_privilege(Privilege::INCREASE_BASE_PRIORITY)?;
    }
    Ok(priority)
}

pub(crate) fn nt_set_information_thread(
    caller: &Caller<'_>,
    thread: Handle,
    class: ThreadInformationClass,
    information: InBytes,
    length: u32,
) -> NtResult<NtStatus> {
    let wanted = Wanted {
        caller,
        thread,
        setting: Setting::probed(information.address(), length)?,
    };
    let done = match Class(class.0) {
        Class::PRIORITY => wanted.priority(),
        Class::BASE_PRIORITY => wanted.base_priority(),
        Class::ACTUAL_BASE_PRIORITY => wanted.actual_base_priority(),
        Class::AFFINITY_MASK => wanted
            .setting
            .value()
            .and_then(|mask| wanted.affinity(mask, LIMITED)),
        Class::GROUP => wanted.group_affinity(),
        Class::IMPERSONATION_TOKEN => wanted.impersonation_token(),
        Class::QUERY_SET_WIN32_START_ADDRESS => wanted
            .value::<u64>(FULL)
            .map(|(address, thread)| thread.set_start_address(address)),
        Class::ZERO_TLS_CELL => wanted.zero_tls_cell(),
        Class::IDEAL_PROCESSOR => return wanted.ideal_processor(),
        Class::IDEAL_PROCESSOR_EX => wanted.ideal_processor_ex(),
        Class::PRIORITY_BOOST => wanted.value::<u32>(FULL).map(|(disabled, thread)| {
            schedule::set_boosts_disabled(thread.scheduled(), disabled != 0);
        }),
        Class::HIDE_FROM_DEBUGGER => wanted.hide_from_debugger(),
        Class::BREAK_ON_TERMINATION => wanted.break_on_termination(),
        Class::IO_PRIORITY => wanted.value::<u32>(FULL).and_then(|(priority, thread)| {
            // Critical is the memory manager's own.
            if priority > 3 {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            if priority > 2 {
                caller.require_privilege(Privilege::INCREASE_BASE_PRIORITY)?;
            }
            let place = &thread.settings().io_priority;
            place.store(priority, Ordering::Relaxed);
            Ok(())
        }),
        Class::PAGE_PRIORITY => wanted.value::<u32>(FULL).and_then(|(priority, thread)| {
            if !(1..=5).contains(&priority) {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            let place = &thread.settings().page_priority;
            place.store(priority, Ordering::Relaxed);
            Ok(())
        }),
        Class::NAME => wanted.name(),
        // What is only asked.
        Class::BASIC
        | Class::TIMES
        | Class::DESCRIPTOR_TABLE_ENTRY
        | Class::PERFORMANCE_COUNT
        | Class::AM_I_LAST_THREAD
        | Class::IS_IO_PENDING
        | Class::IS_TERMINATED
        | Class::LAST_SYSTEM_CALL
        | Class::CYCLE_TIME
        | Class::TEB
        | Class::SUSPEND_COUNT => Err(NtStatus::INVALID_INFO_CLASS),
        class if class.name().is_some() => Err(NtStatus::NOT_IMPLEMENTED),
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    };
    done.map(|()| NtStatus::SUCCESS)
}
