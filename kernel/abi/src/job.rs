//! Job objects: the classes of `NtQueryInformationJobObject` and `NtSetInformationJobObject`, and their structures.

use crate::accounting::IoCounters;
use crate::layout::{layout, layouts};
use crate::numbers::{flags, numbers};

numbers! {
    /// `JOBOBJECTINFOCLASS`.
    pub struct JobObjectInformationClass: u32 {
        /// [`JobObjectBasicAccountingInformation`].
        BASIC_ACCOUNTING = 1, "JobObjectBasicAccountingInformation";
        /// [`w64::JobObjectBasicLimitInformation`].
        BASIC_LIMIT = 2, "JobObjectBasicLimitInformation";
        /// [`JobObjectBasicProcessIdList`] and the pointer-sized ids.
        BASIC_PROCESS_ID_LIST = 3, "JobObjectBasicProcessIdList";
        /// [`JobObjectBasicUiRestrictions`].
        BASIC_UI_RESTRICTIONS = 4, "JobObjectBasicUIRestrictions";
        /// [`w64::JobObjectSecurityLimitInformation`].
        SECURITY_LIMIT = 5, "JobObjectSecurityLimitInformation";
        /// [`JobObjectEndOfJobTimeInformation`].
        END_OF_JOB_TIME = 6, "JobObjectEndOfJobTimeInformation";
        /// [`w64::JobObjectAssociateCompletionPort`].
        ASSOCIATE_COMPLETION_PORT = 7, "JobObjectAssociateCompletionPortInformation";
        /// [`JobObjectBasicAndIoAccountingInformation`].
        BASIC_AND_IO_ACCOUNTING = 8, "JobObjectBasicAndIoAccountingInformation";
        /// [`w64::JobObjectExtendedLimitInformation`].
        EXTENDED_LIMIT = 9, "JobObjectExtendedLimitInformation";
        /// [`JobObjectJobsetInformation`].
        JOB_SET = 10, "JobObjectJobSetInformation";
        /// `u16`s.
        GROUP = 11, "JobObjectGroupInformation";
        /// [`JobObjectNotificationLimitInformation`].
        NOTIFICATION_LIMIT = 12, "JobObjectNotificationLimitInformation";
        /// [`JobObjectLimitViolationInformation`].
        LIMIT_VIOLATION = 13, "JobObjectLimitViolationInformation";
        GROUP_EX = 14, "JobObjectGroupInformationEx";
        /// [`JobObjectCpuRateControlInformation`].
        CPU_RATE_CONTROL = 15, "JobObjectCpuRateControlInformation";
        COMPLETION_FILTER = 16, "JobObjectCompletionFilter";
        COMPLETION_COUNTER = 17, "JobObjectCompletionCounter";
        FREEZE = 18, "JobObjectFreezeInformation";
        EXTENDED_ACCOUNTING = 19, "JobObjectExtendedAccountingInformation";
        WAKE = 20, "JobObjectWakeInformation";
        BACKGROUND = 21, "JobObjectBackgroundInformation";
        SCHEDULING_RANK_BIAS = 22, "JobObjectSchedulingRankBiasInformation";
        TIMER_VIRTUALIZATION = 23, "JobObjectTimerVirtualizationInformation";
        CYCLE_TIME_NOTIFICATION = 24, "JobObjectCycleTimeNotification";
        CLEAR_EVENT = 25, "JobObjectClearEvent";
        INTERFERENCE = 26, "JobObjectInterferenceInformation";
        CLEAR_PEAK_JOB_MEMORY_USED = 27, "JobObjectClearPeakJobMemoryUsed";
        MEMORY_USAGE = 28, "JobObjectMemoryUsageInformation";
        SHARED_COMMIT = 29, "JobObjectSharedCommit";
        CONTAINER_ID = 30, "JobObjectContainerId";
        IO_RATE_CONTROL = 31, "JobObjectIoRateControlInformation";
        NET_RATE_CONTROL = 32, "JobObjectNetRateControlInformation";
        NOTIFICATION_LIMIT2 = 33, "JobObjectNotificationLimitInformation2";
        LIMIT_VIOLATION2 = 34, "JobObjectLimitViolationInformation2";
        CREATE_SILO = 35, "JobObjectCreateSilo";
        SILO_BASIC = 36, "JobObjectSiloBasicInformation";
        SILO_ROOT_DIRECTORY = 37, "JobObjectSiloRootDirectory";
        SERVER_SILO_BASIC = 38, "JobObjectServerSiloBasicInformation";
        SERVER_SILO_USER_SHARED_DATA = 39, "JobObjectServerSiloUserSharedData";
        SERVER_SILO_INITIALIZE = 40, "JobObjectServerSiloInitialize";
        SERVER_SILO_RUNNING_STATE = 41, "JobObjectServerSiloRunningState";
        IO_ATTRIBUTION = 42, "JobObjectIoAttribution";
        MEMORY_PARTITION = 43, "JobObjectMemoryPartitionInformation";
        CONTAINER_TELEMETRY_ID = 44, "JobObjectContainerTelemetryId";
        SILO_SYSTEM_ROOT = 45, "JobObjectSiloSystemRoot";
        ENERGY_TRACKING_STATE = 46, "JobObjectEnergyTrackingState";
        THREAD_IMPERSONATION = 47, "JobObjectThreadImpersonationInformation";
        IO_PRIORITY_LIMIT = 48, "JobObjectIoPriorityLimit";
        PAGE_PRIORITY_LIMIT = 49, "JobObjectPagePriorityLimit";
        SERVER_SILO_DIAGNOSTIC = 50, "JobObjectServerSiloDiagnosticInformation";
        NETWORK_ACCOUNTING = 51, "JobObjectNetworkAccountingInformation";
    }

    /// What a job reports to its completion port.
    pub struct JobObjectMessage: u32 {
        END_OF_JOB_TIME = 1, "JOB_OBJECT_MSG_END_OF_JOB_TIME";
        END_OF_PROCESS_TIME = 2, "JOB_OBJECT_MSG_END_OF_PROCESS_TIME";
        ACTIVE_PROCESS_LIMIT = 3, "JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT";
        ACTIVE_PROCESS_ZERO = 4, "JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO";
        NEW_PROCESS = 6, "JOB_OBJECT_MSG_NEW_PROCESS";
        EXIT_PROCESS = 7, "JOB_OBJECT_MSG_EXIT_PROCESS";
        ABNORMAL_EXIT_PROCESS = 8, "JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS";
        PROCESS_MEMORY_LIMIT = 9, "JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT";
        JOB_MEMORY_LIMIT = 10, "JOB_OBJECT_MSG_JOB_MEMORY_LIMIT";
        NOTIFICATION_LIMIT = 11, "JOB_OBJECT_MSG_NOTIFICATION_LIMIT";
        JOB_CYCLE_TIME_LIMIT = 12, "JOB_OBJECT_MSG_JOB_CYCLE_TIME_LIMIT";
        SILO_TERMINATED = 13, "JOB_OBJECT_MSG_SILO_TERMINATED";
    }

    /// What happens when a job's time is up.
    pub struct EndOfJobTimeAction: u32 {
        /// Its processes end.
        TERMINATE_AT_END_OF_JOB = 0, "JOB_OBJECT_TERMINATE_AT_END_OF_JOB";
        /// Its completion port hears of it.
        POST_AT_END_OF_JOB = 1, "JOB_OBJECT_POST_AT_END_OF_JOB";
    }
}

flags! {
    /// `LimitFlags`: which limits a job has.
    pub struct JobLimitFlags: u32, "JOB_OBJECT_LIMIT_" {
        WORKINGSET = 0x00000001;
        PROCESS_TIME = 0x00000002;
        JOB_TIME = 0x00000004;
        ACTIVE_PROCESS = 0x00000008;
        AFFINITY = 0x00000010;
        PRIORITY_CLASS = 0x00000020;
        PRESERVE_JOB_TIME = 0x00000040;
        SCHEDULING_CLASS = 0x00000080;
        PROCESS_MEMORY = 0x00000100;
        JOB_MEMORY = 0x00000200;
        DIE_ON_UNHANDLED_EXCEPTION = 0x00000400;
        BREAKAWAY_OK = 0x00000800;
        SILENT_BREAKAWAY_OK = 0x00001000;
        KILL_ON_JOB_CLOSE = 0x00002000;
        SUBSET_AFFINITY = 0x00004000;
        JOB_MEMORY_LOW = 0x00008000;
        JOB_READ_BYTES = 0x00010000;
        JOB_WRITE_BYTES = 0x00020000;
        RATE_CONTROL = 0x00040000;
        IO_RATE_CONTROL = 0x00080000;
        NET_RATE_CONTROL = 0x00100000;
    }

    /// `UIRestrictionsClass`: what a job's processes may not do.
    pub struct JobUiLimits: u32, "JOB_OBJECT_UILIMIT_" {
        HANDLES = 0x01;
        READCLIPBOARD = 0x02;
        WRITECLIPBOARD = 0x04;
        SYSTEMPARAMETERS = 0x08;
        DISPLAYSETTINGS = 0x10;
        GLOBALATOMS = 0x20;
        DESKTOP = 0x40;
        EXITWINDOWS = 0x80;
    }

    /// `ControlFlags` of a limit of processor time.
    pub struct JobCpuRateFlags: u32, "JOB_OBJECT_CPU_RATE_CONTROL_" {
        ENABLE = 0x01;
        WEIGHT_BASED = 0x02;
        HARD_CAP = 0x04;
        NOTIFY = 0x08;
        MIN_MAX_RATE = 0x10;
    }
}

layouts! {
    /// `JOBOBJECT_BASIC_LIMIT_INFORMATION`: times in 100 ns, sizes in bytes.
    pub struct JobObjectBasicLimitInformation (0x40, 0x30) {
        0x00 0x00 per_process_user_time_limit: i64,
        0x08 0x08 per_job_user_time_limit: i64,
        0x10 0x10 limit_flags: JobLimitFlags,
        0x14 0x14 reserved0: Only64<u32>,
        0x18 0x14 minimum_working_set_size: Size,
        0x20 0x18 maximum_working_set_size: Size,
        0x28 0x1C active_process_limit: u32,
        0x2C 0x20 reserved1: Only64<u32>,
        0x30 0x20 affinity: Size,
        0x38 0x24 priority_class: u32,
        0x3C 0x28 scheduling_class: u32,
        0x40 0x2C reserved2: Only32<u32>,
    }

    /// `JOBOBJECT_EXTENDED_LIMIT_INFORMATION`.
    pub struct JobObjectExtendedLimitInformation (0x90, 0x70) {
        0x00 0x00 basic_limit_information: JobObjectBasicLimitInformation,
        0x40 0x30 io_info: IoCounters,
        0x70 0x60 process_memory_limit: Size,
        0x78 0x64 job_memory_limit: Size,
        0x80 0x68 peak_process_memory_used: Size,
        0x88 0x6C peak_job_memory_used: Size,
    }

    /// `JOBOBJECT_ASSOCIATE_COMPLETION_PORT`.
    pub struct JobObjectAssociateCompletionPort (0x10, 0x08) {
        0x00 0x00 completion_key: Pointer,
        0x08 0x04 completion_port: Handle,
    }

    /// `JOBOBJECT_SECURITY_LIMIT_INFORMATION`.
    pub struct JobObjectSecurityLimitInformation (0x28, 0x14) {
        0x00 0x00 security_limit_flags: u32,
        0x04 0x04 reserved0: Only64<u32>,
        0x08 0x04 job_token: Handle,
        0x10 0x08 sids_to_disable: Pointer,
        0x18 0x0C privileges_to_delete: Pointer,
        0x20 0x10 restricted_sids: Pointer,
    }
}

layout! {
    /// `JOBOBJECT_BASIC_ACCOUNTING_INFORMATION`: times in 100 ns.
    pub struct JobObjectBasicAccountingInformation (0x30) {
        0x00 total_user_time: i64,
        0x08 total_kernel_time: i64,
        0x10 this_period_total_user_time: i64,
        0x18 this_period_total_kernel_time: i64,
        0x20 total_page_fault_count: u32,
        0x24 total_processes: u32,
        0x28 active_processes: u32,
        0x2C total_terminated_processes: u32,
    }

    /// `JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION`.
    pub struct JobObjectBasicAndIoAccountingInformation (0x60) {
        0x00 basic_info: JobObjectBasicAccountingInformation,
        0x30 io_info: IoCounters,
    }

    /// `JOBOBJECT_BASIC_PROCESS_ID_LIST`: the ids follow.
    pub struct JobObjectBasicProcessIdList (8) {
        0x00 number_of_assigned_processes: u32,
        0x04 number_of_process_ids_in_list: u32,
    }

    /// `JOBOBJECT_BASIC_UI_RESTRICTIONS`.
    pub struct JobObjectBasicUiRestrictions (0x04) {
        0x00 ui_restrictions_class: JobUiLimits,
    }

    /// `JOBOBJECT_END_OF_JOB_TIME_INFORMATION`.
    pub struct JobObjectEndOfJobTimeInformation (0x04) {
        0x00 end_of_job_time_action: EndOfJobTimeAction,
    }

    /// `JOBOBJECT_NOTIFICATION_LIMIT_INFORMATION`.
    pub struct JobObjectNotificationLimitInformation (0x30) {
        0x00 io_read_bytes_limit: u64,
        0x08 io_write_bytes_limit: u64,
        0x10 per_job_user_time_limit: i64,
        0x18 job_memory_limit: u64,
        0x20 rate_control_tolerance: u32,
        0x24 rate_control_tolerance_interval: u32,
        0x28 limit_flags: JobLimitFlags,
        0x2C reserved0: u32,
    }

    /// `JOBOBJECT_LIMIT_VIOLATION_INFORMATION`.
    pub struct JobObjectLimitViolationInformation (0x50) {
        0x00 limit_flags: JobLimitFlags,
        0x04 violation_limit_flags: JobLimitFlags,
        0x08 io_read_bytes: u64,
        0x10 io_read_bytes_limit: u64,
        0x18 io_write_bytes: u64,
        0x20 io_write_bytes_limit: u64,
        0x28 per_job_user_time: i64,
        0x30 per_job_user_time_limit: i64,
        0x38 job_memory: u64,
        0x40 job_memory_limit: u64,
        0x48 rate_control_tolerance: u32,
        0x4C rate_control_tolerance_limit: u32,
    }

    /// `JOBOBJECT_CPU_RATE_CONTROL_INFORMATION`.
    pub struct JobObjectCpuRateControlInformation (0x08) {
        0x00 control_flags: JobCpuRateFlags,
        /// Hundredths of a percent, or a weight.
        0x04 cpu_rate: u32,
    }

    /// `JOBOBJECT_JOBSET_INFORMATION`.
    pub struct JobObjectJobsetInformation (0x04) {
        0x00 member_level: u32,
    }
}
