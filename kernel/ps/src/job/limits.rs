//! The limits of a job: what may be set, and what comes of the limits of several nested jobs.

use arch::contract::PAGE_SIZE;
use nt_abi::job::JobLimitFlags as Flags;
use nt_abi::w64::{JobObjectBasicLimitInformation, JobObjectExtendedLimitInformation};
use nt_abi::{NtResult, NtStatus};

use crate::settings::PriorityClass;

/// Limits that `JobObjectBasicLimitInformation` knows.
const BASIC: u32 = 0xFF;
/// Limits that `JobObjectExtendedLimitInformation` knows.
const EXTENDED: u32 = 0x7FFF;
/// Scheduling classes are 0 to 9.
const SCHEDULING_CLASSES: u32 = 10;
/// The scheduling class above which a privilege is needed.
const DEFAULT_SCHEDULING_CLASS: u32 = 5;

/// A job's limits; each counts only if its flag is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Which there are.
    pub flags: Flags,
    /// User time of each process, in 100 ns.
    pub process_time: u64,
    /// User time of all of them together since this was set, in 100 ns.
    pub job_time: u64,
    /// Smallest and largest working set, in bytes.
    pub working_set: (u64, u64),
    /// Processes at one time.
    pub active_processes: u32,
    /// Processors.
    pub affinity: u64,
    /// The priority class of all processes.
    pub priority_class: PriorityClass,
    /// How long its threads' turns are: 0 to 9.
    pub scheduling_class: u32,
    /// Bytes that each process may commit.
    pub process_memory: u64,
    /// Bytes that they may commit together.
    pub job_memory: u64,
}

fn require(condition: bool) -> NtResult {
    if condition {
        Ok(())
    } else {
        Err(NtStatus::INVALID_PARAMETER)
    }
}

fn time(value: i64) -> NtResult<u64> {
    u64::try_from(value)
        .ok()
        .filter(|time| *time > 0)
        .ok_or(NtStatus::INVALID_PARAMETER)
}

impl Limits {
    /// What the basic structure says.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for flags that it does not know and for values that no limit has.
    pub fn basic(from: &JobObjectBasicLimitInformation, processors: u64) -> NtResult<Self> {
        require(from.limit_flags.0 & !BASIC == 0)?;
        Self::check(from, processors)
    }

    /// What the extended structure says.
    ///
    /// # Errors
    /// As [`basic`](Self::basic).
    pub fn extended(from: &JobObjectExtendedLimitInformation, processors: u64) -> NtResult<Self> {
        let basic = &from.basic_limit_information;
        require(basic.limit_flags.0 & !EXTENDED == 0)?;
        let mut limits = Self::check(basic, processors)?;
        if limits.has(Flags::PROCESS_MEMORY) {
            require(from.process_memory_limit >= PAGE_SIZE)?;
            limits.process_memory = from.process_memory_limit;
        }
        if limits.has(Flags::JOB_MEMORY) {
            require(from.job_memory_limit >= PAGE_SIZE)?;
            limits.job_memory = from.job_memory_limit;
        }
        Ok(limits)
    }

    fn check(from: &JobObjectBasicLimitInformation, processors: u64) -> NtResult<Self> {
        let mut limits = Self {
            flags: from.limit_flags,
            ..Self::default()
        };
        require(!limits.has(Flags::JOB_TIME) || !limits.has(Flags::PRESERVE_JOB_TIME))?;
        require(!limits.has(Flags::SUBSET_AFFINITY) || limits.has(Flags::AFFINITY))?;
        if limits.has(Flags::PROCESS_TIME) {
            limits.process_time = time(from.per_process_user_time_limit)?;
        }
        if limits.has(Flags::JOB_TIME) {
            limits.job_time = time(from.per_job_user_time_limit)?;
        }
        if limits.has(Flags::WORKINGSET) {
            let (least, most) = (from.minimum_working_set_size, from.maximum_working_set_size);
            require(least > 0 && least < most)?;
            limits.working_set = (least, most);
        }
        if limits.has(Flags::ACTIVE_PROCESS) {
            require(from.active_process_limit > 0)?;
            limits.active_processes = from.active_process_limit;
        }
        if limits.has(Flags::AFFINITY) {
            require(from.affinity != 0 && from.affinity & !processors == 0)?;
            limits.affinity = from.affinity;
        }
        if limits.has(Flags::PRIORITY_CLASS) {
            limits.priority_class = u8::try_from(from.priority_class)
                .ok()
                .and_then(PriorityClass::from_number)
                .ok_or(NtStatus::INVALID_PARAMETER)?;
        }
        if limits.has(Flags::SCHEDULING_CLASS) {
            require(from.scheduling_class < SCHEDULING_CLASSES)?;
            limits.scheduling_class = from.scheduling_class;
        }
        Ok(limits)
    }

    /// Whether there is that limit.
    pub fn has(&self, flag: Flags) -> bool {
        self.flags.contains(flag)
    }

    /// Whether `SeIncreaseBasePriorityPrivilege` is needed to set them.
    pub fn needs_priority_privilege(&self) -> bool {
        let realtime =
            self.has(Flags::PRIORITY_CLASS) && self.priority_class == PriorityClass::Realtime;
        let long_turns =
            self.has(Flags::SCHEDULING_CLASS) && self.scheduling_class > DEFAULT_SCHEDULING_CLASS;
        realtime || long_turns
    }

    /// As the basic structure tells them.
    pub fn report_basic(&self) -> JobObjectBasicLimitInformation {
        JobObjectBasicLimitInformation {
            limit_flags: Flags(self.flags.0 & BASIC),
            ..self.report()
        }
    }

    /// As the extended structure tells them.
    pub fn report(&self) -> JobObjectBasicLimitInformation {
        let (minimum_working_set_size, maximum_working_set_size) = self.working_set;
        JobObjectBasicLimitInformation {
            per_process_user_time_limit: i64::try_from(self.process_time).unwrap_or(i64::MAX),
            per_job_user_time_limit: i64::try_from(self.job_time).unwrap_or(i64::MAX),
            limit_flags: self.flags,
            minimum_working_set_size,
            maximum_working_set_size,
            active_process_limit: self.active_processes,
            affinity: self.affinity,
            priority_class: match self.has(Flags::PRIORITY_CLASS) {
                true => u32::from(self.priority_class.number()),
                false => 0,
            },
            scheduling_class: match self.has(Flags::SCHEDULING_CLASS) {
                true => self.scheduling_class,
                false => DEFAULT_SCHEDULING_CLASS,
            },
            ..JobObjectBasicLimitInformation::default()
        }
    }
}

/// What the limits of a process's jobs together make of its settings: the strictest one of each counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Effective {
    pub(crate) affinity: Option<u64>,
    pub(crate) priority_class: Option<PriorityClass>,
    pub(crate) working_set: Option<(u64, u64)>,
}

impl Effective {
    /// The same with the limits of another one of its jobs.
    pub(crate) fn and(self, limits: &Limits) -> Self {
        let mut both = self;
        if limits.has(Flags::AFFINITY) {
            let common = limits.affinity & self.affinity.unwrap_or(u64::MAX);
            both.affinity = Some(if common == 0 { limits.affinity } else { common });
        }
        if limits.has(Flags::PRIORITY_CLASS) {
            let class = limits.priority_class;
            let lower = self
                .priority_class
                .filter(|other| other.base_priority() < class.base_priority());
            both.priority_class = Some(lower.unwrap_or(class));
        }
        if limits.has(Flags::WORKINGSET) {
            let smaller = self
                .working_set
                .filter(|(_, most)| *most < limits.working_set.1);
            both.working_set = Some(smaller.unwrap_or(limits.working_set));
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(flags: Flags) -> JobObjectBasicLimitInformation {
        JobObjectBasicLimitInformation {
            limit_flags: flags,
            ..JobObjectBasicLimitInformation::default()
        }
    }

    fn refused(from: &JobObjectBasicLimitInformation) -> bool {
        Limits::basic(from, 0b11) == Err(NtStatus::INVALID_PARAMETER)
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        for flag in [
            Flags::ACTIVE_PROCESS,
            Flags::PROCESS_TIME,
            Flags::JOB_TIME,
            Flags::WORKINGSET,
            Flags::AFFINITY,
            Flags::PRIORITY_CLASS,
        ] {
            assert!(refused(&basic(flag)), "{flag:?}");
        }
        assert!(Limits::basic(&basic(Flags::empty()), 0b11).is_ok());
    }

    #[test]
    fn each_structure_has_its_flags() {
        assert!(refused(&basic(Flags::KILL_ON_JOB_CLOSE)));
        let extended = |flags| JobObjectExtendedLimitInformation {
            basic_limit_information: basic(flags),
            ..JobObjectExtendedLimitInformation::default()
        };
        assert!(Limits::extended(&extended(Flags::KILL_ON_JOB_CLOSE), 1).is_ok());
        assert!(Limits::extended(&extended(Flags::RATE_CONTROL), 1).is_err());
        assert!(Limits::extended(&extended(Flags::PROCESS_MEMORY), 1).is_err());
        assert!(Limits::extended(&extended(Flags::JOB_MEMORY), 1).is_err());
    }

    #[test]
    fn processors_that_do_not_run_are_no_limit() {
        let with = |affinity| JobObjectBasicLimitInformation {
            affinity,
            ..basic(Flags::AFFINITY)
        };
        assert!(Limits::basic(&with(0b10), 0b11).is_ok());
        assert!(refused(&with(0b110)));
    }

    #[test]
    fn a_new_time_and_keeping_the_old_one_exclude_each_other() {
        let both = JobObjectBasicLimitInformation {
            per_job_user_time_limit: 1,
            ..basic(Flags::JOB_TIME | Flags::PRESERVE_JOB_TIME)
        };
        assert!(refused(&both));
        assert!(Limits::basic(&basic(Flags::PRESERVE_JOB_TIME), 1).is_ok());
    }

    #[test]
    fn the_strictest_of_nested_limits_counts() {
        let inner = Limits {
            flags: Flags::AFFINITY | Flags::PRIORITY_CLASS | Flags::WORKINGSET,
            affinity: 0b0110,
            priority_class: PriorityClass::High,
            working_set: (1 << 20, 2 << 20),
            ..Limits::default()
        };
        let outer = Limits {
            affinity: 0b0011,
            priority_class: PriorityClass::BelowNormal,
            working_set: (1 << 20, 4 << 20),
            ..inner
        };
        let expected = Effective {
            affinity: Some(0b0010),
            priority_class: Some(PriorityClass::BelowNormal),
            working_set: Some((1 << 20, 2 << 20)),
        };
        assert_eq!(Effective::default().and(&inner).and(&outer), expected);
        assert_eq!(Effective::default().and(&outer).and(&inner), expected);
    }
}
