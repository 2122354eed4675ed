//! What can be set of a process.

use core::sync::atomic::Ordering;

use arch::contract::PAGE_SIZE;
use ex::QuotaKind;
use ke::schedule;
use mm::address_space::WorkingSetLimits;
use nt_abi::access::AccessMask;
use nt_abi::process_information::{
    ExecuteFlags, PagePriorityInformation, ProcessForegroundBackground,
    ProcessInformationClass as Class, ProcessPriorityClass, ProcessSessionInformation,
};
use nt_abi::security::Privilege;
use nt_abi::services::arguments::{Handle, InBytes, ProcessInformationClass};
use nt_abi::{NtResult, NtStatus, w64};
use ob::Object;
use ps::Process;
use ps::settings::PriorityClass;
use ps::token::SharedToken;

use crate::Caller;
use crate::capture::Plain;
use crate::information::Setting;

const FULL: AccessMask = AccessMask::PROCESS_SET_INFORMATION;

/// What is to be set of a process.
struct Wanted<'a> {
    caller: &'a Caller<'a>,
    process: Handle,
    setting: Setting,
}

fn require(condition: bool) -> NtResult {
    if condition {
        Ok(())
    } else {
        Err(NtStatus::INVALID_PARAMETER)
    }
}

impl Wanted<'_> {
    fn process(&self, right: AccessMask) -> NtResult<Object<Process>> {
        self.caller.reference_process(self.process, right)
    }

    /// The value, and the process if the handle has that right.
    fn value<T: Plain>(&self, right: AccessMask) -> NtResult<(T, Object<Process>)> {
        let value = self.setting.value()?;
        Ok((value, self.process(right)?))
    }

    /// Sizes of the working set; -1 twice empties it. Without them the limits of the pools and of the page file, of which 0
    /// is what a process begins with.
    fn quota(&self) -> NtResult {
        let limits: w64::QuotaLimits = match self.setting.length() as usize {
            length if length == size_of::<w64::QuotaLimitsEx>() => {
                let longer: w64::QuotaLimitsEx = self.setting.value()?;
                w64::QuotaLimits {
                    paged_pool_limit: longer.paged_pool_limit,
                    non_paged_pool_limit: longer.non_paged_pool_limit,
                    pagefile_limit: longer.pagefile_limit,
                    minimum_working_set_size: longer.minimum_working_set_size,
                    maximum_working_set_size: longer.maximum_working_set_size,
                    ..w64::QuotaLimits::default()
                }
            }
            _ => self.setting.value()?,
        };
        let process = self.process(AccessMask::PROCESS_SET_QUOTA)?;
        let space = process.space();
        let (least, most) = (
            limits.minimum_working_set_size,
            limits.maximum_working_set_size,
        );
        if (least, most) == (u64::MAX, u64::MAX) {
            space.empty_working_set();
            return Ok(());
        }
        if (least, most) == (0, 0) {
            self.caller.require_privilege(Privilege::INCREASE_QUOTA)?;
            let or = |limit, default| if limit == 0 { default } else { limit };
            let pools = [
                (QuotaKind::PagedPool, limits.paged_pool_limit),
                (QuotaKind::NonPagedPool, limits.non_paged_pool_limit),
            ];
            for (kind, limit) in pools {
                let limit = or(limit, ps::quota::default_limit());
                process.quota().set_limit(kind, limit);
            }
            space.set_pagefile_limit(or(limits.pagefile_limit, u64::MAX));
            return Ok(());
        }
        let wanted = WorkingSetLimits {
            minimum: least / PAGE_SIZE,
            maximum: most / PAGE_SIZE,
        };
        if wanted.maximum > space.working_set_limits().maximum {
            self.caller
                .require_privilege(Privilege::INCREASE_WORKING_SET)?;
        }
        space.set_working_set_limits(wanted)
    }

    fn base_priority(&self) -> NtResult {
        let (wanted, process) = self.value::<i32>(FULL)?;
        let priority = u8::try_from(wanted)
            .ok()
            .filter(|priority| (1..=schedule::HIGHEST).contains(priority))
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        if priority > schedule::process_base_priority(process.scheduled()) {
            self.caller
                .require_privilege(Privilege::INCREASE_BASE_PRIORITY)?;
        }
        schedule::set_process_base_priority(process.scheduled(), priority).map(drop)
    }

    fn priority_class(&self) -> NtResult {
        let wanted: ProcessPriorityClass = self.setting.value()?;
        let class =
            PriorityClass::from_number(wanted.priority_class).ok_or(NtStatus::INVALID_PARAMETER)?;
        let process = self.process(FULL)?;
        if class == PriorityClass::Realtime && process.settings().class() != class {
            self.caller
                .require_privilege(Privilege::INCREASE_BASE_PRIORITY)?;
        }
        process.set_foreground(wanted.foreground != 0);
        process.set_class(class);
        Ok(())
    }

    fn affinity(&self) -> NtResult {
        let (mask, process) = self.value::<u64>(FULL)?;
        process.set_affinity(mask)
    }

    fn access_token(&self) -> NtResult {
        let (wanted, process) = self.value::<w64::ProcessAccessToken>(FULL)?;
        let token: SharedToken = self
            .caller
            .reference(Handle(wanted.token), AccessMask::TOKEN_ASSIGN_PRIMARY)?;
        let tokens = self.caller.tokens();
        ps::token::check_assignable(&token, &self.caller.process().token(), &tokens.subject())?;
        process.set_token(token)
    }

    fn break_on_termination(&self) -> NtResult {
        let (value, process) = self.value::<u32>(FULL)?;
        self.caller.require_privilege(Privilege::DEBUG)?;
        let place = &process.settings().break_on_termination;
        place.store(value != 0, Ordering::Relaxed);
        Ok(())
    }

    /// What may be executed; every process has it fixed, so nothing can be changed.
    fn execute_flags(&self) -> NtResult {
        let flags: u32 = self.setting.value()?;
        if self.process != Handle::CURRENT_PROCESS {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        require(ExecuteFlags::from_bits(flags).is_some())?;
        let options = &self.caller.process().settings().execute_options;
        let present = ExecuteFlags(options.load(Ordering::Relaxed));
        if present.contains(ExecuteFlags::PERMANENT) {
            return Err(NtStatus::ACCESS_DENIED);
        }
        options.store(flags, Ordering::Relaxed);
        Ok(())
    }

    fn session(&self) -> NtResult {
        let right = AccessMask::PROCESS_SET_INFORMATION | AccessMask::PROCESS_SET_SESSIONID;
        let (wanted, process) = self.value::<ProcessSessionInformation>(right)?;
        self.caller.require_privilege(Privilege::TCB)?;
        if wanted.session_id == process.token().state().session_id() {
            Ok(())
        } else {
            Err(NtStatus::NOT_IMPLEMENTED)
        }
    }

    fn io_priority(&self) -> NtResult {
        let (priority, process) = self.value::<u32>(FULL)?;
        // Critical is the memory manager's own.
        require(priority <= 3)?;
        if priority > 2 {
            self.caller
                .require_privilege(Privilege::INCREASE_BASE_PRIORITY)?;
        }
        let place = &process.settings().io_priority;
        place.store(priority, Ordering::Relaxed);
        Ok(())
    }

    fn page_priority(&self) -> NtResult {
        let (wanted, process) = self.value::<PagePriorityInformation>(FULL)?;
        require((1..=5).contains(&wanted.page_priority))?;
        let place = &process.settings().page_priority;
        place.store(wanted.page_priority, Ordering::Relaxed);
        Ok(())
    }

    fn debug_flags(&self) -> NtResult {
        let (flags, process) = self.value::<u32>(FULL)?;
        require(flags <= 1)?;
        let place = &process.settings().debug_inherit;
        place.store(flags == 1, Ordering::Relaxed);
        Ok(())
    }

    fn affinity_update(&self) -> NtResult {
        let (mode, process) = self.value::<u32>(FULL)?;
        require(mode <= 3)?;
        let place = &process.settings().affinity_update;
        place.store(mode, Ordering::Relaxed);
        Ok(())
    }
}

/// # Differs
/// I/O and page priorities are kept and told; nothing asks for them yet.
pub(crate) fn nt_set_information_process(
    caller: &Caller<'_>,
    process: Handle,
    class: ProcessInformationClass,
    information: InBytes,
    length: u32,
) -> NtResult {
    let wanted = Wanted {
        caller,
        process,
        setting: Setting::probed(information.address(), length)?,
    };
    match Class(class.0) {
        Class::QUOTA_LIMITS => wanted.quota(),
        Class::BASE_PRIORITY => wanted.base_priority(),
        Class::PRIORITY_CLASS => wanted.priority_class(),
        Class::FOREGROUND => wanted
            .value::<ProcessForegroundBackground>(FULL)
            .map(|(value, process)| process.set_foreground(value.foreground != 0)),
        Class::AFFINITY_MASK => wanted.affinity(),
        Class::PRIORITY_BOOST => wanted.value::<u32>(FULL).map(|(disabled, process)| {
            schedule::set_process_boosts_disabled(process.scheduled(), disabled != 0);
        }),
        Class::ACCESS_TOKEN => wanted.access_token(),
        Class::DEFAULT_HARD_ERROR_MODE => wanted.value::<u32>(FULL).map(|(mode, process)| {
            let place = &process.settings().hard_error_mode;
            place.store(mode, Ordering::Relaxed);
        }),
        Class::SESSION => wanted.session(),
        Class::BREAK_ON_TERMINATION => wanted.break_on_termination(),
        Class::DEBUG_FLAGS => wanted.debug_flags(),
        Class::IO_PRIORITY => wanted.io_priority(),
        Class::EXECUTE_FLAGS => wanted.execute_flags(),
        Class::PAGE_PRIORITY => wanted.page_priority(),
        Class::AFFINITY_UPDATE_MODE => wanted.affinity_update(),
        // What is only asked.
        Class::BASIC
        | Class::IO_COUNTERS
        | Class::VM_COUNTERS
        | Class::TIMES
        | Class::DEBUG_PORT
        | Class::HANDLE_COUNT
        | Class::WOW64
        | Class::IMAGE_FILE_NAME
        | Class::IMAGE
        | Class::COOKIE
        | Class::CYCLE_TIME
        | Class::IMAGE_FILE_NAME_WIN32
        | Class::GROUP
        | Class::HANDLE
        | Class::COMMAND_LINE
        | Class::PROTECTION
        | Class::SUBSYSTEM => Err(NtStatus::INVALID_INFO_CLASS),
        class if class.name().is_some() => Err(NtStatus::NOT_IMPLEMENTED),
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    }
}
