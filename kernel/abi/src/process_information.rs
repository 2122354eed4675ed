//! `NtQueryInformationProcess` and `NtSetInformationProcess`: the classes and their structures.
//!
//! A class without a structure of its own says in its comment what it takes. `BOOLEAN` and plain numbers are written as such.

use crate::access::AccessMask;
use crate::layout::{layout, layouts};
use crate::numbers::{flags, numbers};
use crate::primitives::ObjectAttributeFlags;

numbers! {
    /// `PROCESSINFOCLASS`.
    pub struct ProcessInformationClass: u32 {
        /// [`w64::ProcessBasicInformation`], or the extended one by its size.
        BASIC = 0, "ProcessBasicInformation";
        /// `QuotaLimits`, `QuotaLimitsEx`.
        QUOTA_LIMITS = 1, "ProcessQuotaLimits";
        /// `IoCounters`.
        IO_COUNTERS = 2, "ProcessIoCounters";
        /// `VmCounters`, `VmCountersEx`.
        VM_COUNTERS = 3, "ProcessVmCounters";
        /// `KernelUserTimes`.
        TIMES = 4, "ProcessTimes";
        /// `i32`, set only.
        BASE_PRIORITY = 5, "ProcessBasePriority";
        RAISE_PRIORITY = 6, "ProcessRaisePriority";
        /// A pointer-sized number: -1 when debugged, otherwise 0.
        DEBUG_PORT = 7, "ProcessDebugPort";
        EXCEPTION_PORT = 8, "ProcessExceptionPort";
        /// [`w64::ProcessAccessToken`], set only.
        ACCESS_TOKEN = 9, "ProcessAccessToken";
        LDT = 10, "ProcessLdtInformation";
        LDT_SIZE = 11, "ProcessLdtSize";
        /// `u32`.
        DEFAULT_HARD_ERROR_MODE = 12, "ProcessDefaultHardErrorMode";
        IO_PORT_HANDLERS = 13, "ProcessIoPortHandlers";
        POOLED_USAGE_AND_LIMITS = 14, "ProcessPooledUsageAndLimits";
        WORKING_SET_WATCH = 15, "ProcessWorkingSetWatch";
        USER_MODE_IOPL = 16, "ProcessUserModeIOPL";
        ENABLE_ALIGNMENT_FAULT_FIXUP = 17, "ProcessEnableAlignmentFaultFixup";
        /// [`ProcessPriorityClass`].
        PRIORITY_CLASS = 18, "ProcessPriorityClass";
        WX86 = 19, "ProcessWx86Information";
        /// `u32`, or [`ProcessHandleInformation`].
        HANDLE_COUNT = 20, "ProcessHandleCount";
        /// A pointer-sized mask.
        AFFINITY_MASK = 21, "ProcessAffinityMask";
        /// `u32`: 1 for disabled.
        PRIORITY_BOOST = 22, "ProcessPriorityBoost";
        /// [`w64::ProcessDeviceMapSet`], [`ProcessDeviceMapQuery`].
        DEVICE_MAP = 23, "ProcessDeviceMap";
        /// [`ProcessSessionInformation`].
        SESSION = 24, "ProcessSessionInformation";
        FOREGROUND = 25, "ProcessForegroundInformation";
        /// A pointer-sized number: the 32-bit PEB, or 0.
        WOW64 = 26, "ProcessWow64Information";
        /// A `UnicodeString` and its text: the NT path.
        IMAGE_FILE_NAME = 27, "ProcessImageFileName";
        LUID_DEVICE_MAPS_ENABLED = 28, "ProcessLUIDDeviceMapsEnabled";
        /// `u32`.
        BREAK_ON_TERMINATION = 29, "ProcessBreakOnTermination";
        /// A handle.
        DEBUG_OBJECT_HANDLE = 30, "ProcessDebugObjectHandle";
        /// `u32`: 1 when children are not debugged.
        DEBUG_FLAGS = 31, "ProcessDebugFlags";
        HANDLE_TRACING = 32, "ProcessHandleTracing";
        IO_PRIORITY = 33, "ProcessIoPriority";
        /// [`ExecuteFlags`].
        EXECUTE_FLAGS = 34, "ProcessExecuteFlags";
        TLS = 35, "ProcessTlsInformation";
        /// `u32`.
        COOKIE = 36, "ProcessCookie";
        /// A `SectionImageInformation`.
        IMAGE = 37, "ProcessImageInformation";
        /// [`ProcessCycleTimeInformation`].
        CYCLE_TIME = 38, "ProcessCycleTime";
        /// [`PagePriorityInformation`].
        PAGE_PRIORITY = 39, "ProcessPagePriority";
        /// [`w64::ProcessInstrumentationCallbackInformation`].
        INSTRUMENTATION_CALLBACK = 40, "ProcessInstrumentationCallback";
        /// [`w64::ProcessStackAllocationInformation`].
        THREAD_STACK_ALLOCATION = 41, "ProcessThreadStackAllocation";
        WORKING_SET_WATCH_EX = 42, "ProcessWorkingSetWatchEx";
        /// A `UnicodeString` and its text: the DOS path.
        IMAGE_FILE_NAME_WIN32 = 43, "ProcessImageFileNameWin32";
        IMAGE_FILE_MAPPING = 44, "ProcessImageFileMapping";
        AFFINITY_UPDATE_MODE = 45, "ProcessAffinityUpdateMode";
        MEMORY_ALLOCATION_MODE = 46, "ProcessMemoryAllocationMode";
        /// `u16`s.
        GROUP = 47, "ProcessGroupInformation";
        TOKEN_VIRTUALIZATION_ENABLED = 48, "ProcessTokenVirtualizationEnabled";
        CONSOLE_HOST_PROCESS = 49, "ProcessConsoleHostProcess";
        WINDOW = 50, "ProcessWindowInformation";
        /// [`w64::ProcessHandleSnapshotInformation`].
        HANDLE = 51, "ProcessHandleInformation";
        /// [`ProcessMitigationPolicyInformation`].
        MITIGATION_POLICY = 52, "ProcessMitigationPolicy";
        DYNAMIC_FUNCTION_TABLE = 53, "ProcessDynamicFunctionTableInformation";
        HANDLE_CHECKING_MODE = 54, "ProcessHandleCheckingMode";
        KEEP_ALIVE_COUNT = 55, "ProcessKeepAliveCount";
        REVOKE_FILE_HANDLES = 56, "ProcessRevokeFileHandles";
        WORKING_SET_CONTROL = 57, "ProcessWorkingSetControl";
        HANDLE_TABLE = 58, "ProcessHandleTable";
        CHECK_STACK_EXTENTS_MODE = 59, "ProcessCheckStackExtentsMode";
        /// A `UnicodeString` and its text.
        COMMAND_LINE = 60, "ProcessCommandLineInformation";
        /// [`PsProtection`].
        PROTECTION = 61, "ProcessProtectionInformation";
        MEMORY_EXHAUSTION = 62, "ProcessMemoryExhaustion";
        FAULT = 63, "ProcessFaultInformation";
        TELEMETRY_ID = 64, "ProcessTelemetryIdInformation";
        COMMIT_RELEASE = 65, "ProcessCommitReleaseInformation";
        DEFAULT_CPU_SETS = 66, "ProcessDefaultCpuSetsInformation";
        ALLOWED_CPU_SETS = 67, "ProcessAllowedCpuSetsInformation";
        SUBSYSTEM_PROCESS = 68, "ProcessSubsystemProcess";
        JOB_MEMORY = 69, "ProcessJobMemoryInformation";
        IN_PRIVATE = 70, "ProcessInPrivate";
        RAISE_UM_EXCEPTION_ON_INVALID_HANDLE_CLOSE = 71, "ProcessRaiseUMExceptionOnInvalidHandleClose";
        IUM_CHALLENGE_RESPONSE = 72, "ProcessIumChallengeResponse";
        CHILD_PROCESS = 73, "ProcessChildProcessInformation";
        HIGH_GRAPHICS_PRIORITY = 74, "ProcessHighGraphicsPriorityInformation";
        SUBSYSTEM = 75, "ProcessSubsystemInformation";
        ENERGY_VALUES = 76, "ProcessEnergyValues";
        POWER_THROTTLING_STATE = 77, "ProcessPowerThrottlingState";
        RESERVED3 = 78, "ProcessReserved3Information";
        WIN32K_SYSCALL_FILTER = 79, "ProcessWin32kSyscallFilterInformation";
        DISABLE_SYSTEM_ALLOWED_CPU_SETS = 80, "ProcessDisableSystemAllowedCpuSets";
        WAKE = 81, "ProcessWakeInformation";
        ENERGY_TRACKING_STATE = 82, "ProcessEnergyTrackingState";
        MANAGE_WRITES_TO_EXECUTABLE_MEMORY = 83, "ProcessManageWritesToExecutableMemory";
        CAPTURE_TRUSTLET_LIVE_DUMP = 84, "ProcessCaptureTrustletLiveDump";
        TELEMETRY_COVERAGE = 85, "ProcessTelemetryCoverage";
        ENCLAVE = 86, "ProcessEnclaveInformation";
        ENABLE_READ_WRITE_VM_LOGGING = 87, "ProcessEnableReadWriteVmLogging";
        UPTIME = 88, "ProcessUptimeInformation";
        IMAGE_SECTION = 89, "ProcessImageSection";
        DEBUG_AUTH = 90, "ProcessDebugAuthInformation";
        SYSTEM_RESOURCE_MANAGEMENT = 91, "ProcessSystemResourceManagement";
        SEQUENCE_NUMBER = 92, "ProcessSequenceNumber";
        LOADER_DETOUR = 93, "ProcessLoaderDetour";
        SECURITY_DOMAIN = 94, "ProcessSecurityDomainInformation";
        COMBINE_SECURITY_DOMAINS = 95, "ProcessCombineSecurityDomainsInformation";
        ENABLE_LOGGING = 96, "ProcessEnableLogging";
        LEAP_SECOND = 97, "ProcessLeapSecondInformation";
        FIBER_SHADOW_STACK_ALLOCATION = 98, "ProcessFiberShadowStackAllocation";
        FREE_FIBER_SHADOW_STACK_ALLOCATION = 99, "ProcessFreeFiberShadowStackAllocation";
        ALT_SYSTEM_CALL = 100, "ProcessAltSystemCallInformation";
        DYNAMIC_EH_CONTINUATION_TARGETS = 101, "ProcessDynamicEHContinuationTargets";
        DYNAMIC_ENFORCED_CET_COMPATIBLE_RANGES = 102, "ProcessDynamicEnforcedCetCompatibleRanges";
        CREATE_STATE_CHANGE = 103, "ProcessCreateStateChange";
        APPLY_STATE_CHANGE = 104, "ProcessApplyStateChange";
        ENABLE_OPTIONAL_X_STATE_FEATURES = 105, "ProcessEnableOptionalXStateFeatures";
        ALT_PREFETCH_PARAM = 106, "ProcessAltPrefetchParam";
        ASSIGN_CPU_PARTITIONS = 107, "ProcessAssignCpuPartitions";
        PRIORITY_CLASS_EX = 108, "ProcessPriorityClassEx";
        MEMBERSHIP = 109, "ProcessMembershipInformation";
        EFFECTIVE_IO_PRIORITY = 110, "ProcessEffectiveIoPriority";
        EFFECTIVE_PAGE_PRIORITY = 111, "ProcessEffectivePagePriority";
        SCHEDULER_SHARED_DATA = 112, "ProcessSchedulerSharedData";
        SLIST_ROLLBACK = 113, "ProcessSlistRollbackInformation";
        NETWORK_IO_COUNTERS = 114, "ProcessNetworkIoCounters";
        FIND_FIRST_THREAD_BY_TEB_VALUE = 115, "ProcessFindFirstThreadByTebValue";
        ENCLAVE_ADDRESS_SPACE_RESTRICTION = 116, "ProcessEnclaveAddressSpaceRestriction";
        AVAILABLE_CPUS = 117, "ProcessAvailableCpus";
        /// Wine's own: the process is one of the system's; gives an event.
        WINE_MAKE_PROCESS_SYSTEM = 1000, "ProcessWineMakeProcessSystem";
        /// Wine's own: entries of the 16-bit descriptor table.
        WINE_LDT_COPY = 1001, "ProcessWineLdtCopy";
    }

    /// `PROCESS_MITIGATION_POLICY`.
    pub struct ProcessMitigationPolicy: u32 {
        DEP = 0, "ProcessDEPPolicy";
        ASLR = 1, "ProcessASLRPolicy";
        DYNAMIC_CODE = 2, "ProcessDynamicCodePolicy";
        STRICT_HANDLE_CHECK = 3, "ProcessStrictHandleCheckPolicy";
        SYSTEM_CALL_DISABLE = 4, "ProcessSystemCallDisablePolicy";
        MITIGATION_OPTIONS_MASK = 5, "ProcessMitigationOptionsMask";
        EXTENSION_POINT_DISABLE = 6, "ProcessExtensionPointDisablePolicy";
        CONTROL_FLOW_GUARD = 7, "ProcessControlFlowGuardPolicy";
        SIGNATURE = 8, "ProcessSignaturePolicy";
        FONT_DISABLE = 9, "ProcessFontDisablePolicy";
        IMAGE_LOAD = 10, "ProcessImageLoadPolicy";
        SYSTEM_CALL_FILTER = 11, "ProcessSystemCallFilterPolicy";
        PAYLOAD_RESTRICTION = 12, "ProcessPayloadRestrictionPolicy";
        CHILD_PROCESS = 13, "ProcessChildProcessPolicy";
        SIDE_CHANNEL_ISOLATION = 14, "ProcessSideChannelIsolationPolicy";
        USER_SHADOW_STACK = 15, "ProcessUserShadowStackPolicy";
        REDIRECTION_TRUST = 16, "ProcessRedirectionTrustPolicy";
    }
}

flags! {
    /// What may be executed, of `ProcessExecuteFlags`.
    pub struct ExecuteFlags: u32, "MEM_EXECUTE_OPTION_" {
        /// Data pages may not be executed.
        DISABLE = 0x01;
        /// They may: as if there were no protection.
        ENABLE = 0x02;
        /// Old thunks in data are not emulated.
        DISABLE_THUNK_EMULATION = 0x04;
        /// This cannot be changed any more.
        PERMANENT = 0x08;
        /// Exception handlers may lie outside of images.
        EXECUTE_DISPATCH_ENABLE = 0x10;
        /// Exception handlers may lie in any image.
        IMAGE_DISPATCH_ENABLE = 0x20;
        /// The chain of exception handlers is not checked.
        DISABLE_EXCEPTION_CHAIN_VALIDATION = 0x40;
    }
}

layouts! {
    /// `PROCESS_BASIC_INFORMATION`.
    pub struct ProcessBasicInformation (0x30, 0x18) {
        /// An `NtStatus`; `STATUS_PENDING` while it runs.
        0x00 0x00 exit_status: u32,
        0x04 0x04 reserved0: Only64<u32>,
        0x08 0x04 peb_base_address: Pointer,
        0x10 0x08 affinity_mask: Size,
        0x18 0x0C base_priority: i32,
        0x1C 0x10 reserved1: Only64<u32>,
        0x20 0x10 unique_process_id: Handle,
        0x28 0x14 inherited_from_unique_process_id: Handle,
    }

    /// `PROCESS_EXTENDED_BASIC_INFORMATION`.
    pub struct ProcessExtendedBasicInformation (0x40, 0x20) {
        /// Of this structure; given by the caller.
        0x00 0x00 size: Size,
        0x08 0x04 basic_info: ProcessBasicInformation,
        /// Bit 0 protected, 1 WoW64, 2 being deleted, 3 cross-session, 4 frozen, 5 background, 6 strongly named, 7 secure, 8 subsystem.
        0x38 0x1C flags: u32,
        0x3C 0x20 reserved0: Only64<u32>,
    }

    /// `PROCESS_ACCESS_TOKEN`: a token for a process that has not run yet.
    pub struct ProcessAccessToken (0x10, 0x08) {
        0x00 0x00 token: Handle,
        /// Its first thread, or 0.
        0x08 0x04 thread: Handle,
    }

    /// `PROCESS_HANDLE_TABLE_ENTRY_INFO`: one handle.
    pub struct ProcessHandleTableEntryInfo (0x28, 0x1C) {
        0x00 0x00 handle_value: Handle,
        0x08 0x04 handle_count: Size,
        0x10 0x08 pointer_count: Size,
        0x18 0x0C granted_access: AccessMask,
        0x1C 0x10 object_type_index: u32,
        0x20 0x14 handle_attributes: ObjectAttributeFlags,
        0x24 0x18 reserved: u32,
    }

    /// `PROCESS_HANDLE_SNAPSHOT_INFORMATION`: the handles ([`ProcessHandleTableEntryInfo`]) follow.
    pub struct ProcessHandleSnapshotInformation (0x10, 0x08) {
        0x00 0x00 number_of_handles: Size,
        0x08 0x04 reserved: Size,
    }

    /// `PROCESS_INSTRUMENTATION_CALLBACK_INFORMATION`: where to continue after each return to user mode.
    pub struct ProcessInstrumentationCallbackInformation (0x10, 0x0C) {
        0x00 0x00 version: u32,
        0x04 0x04 reserved: u32,
        0x08 0x08 callback: Pointer,
    }

    /// `PROCESS_STACK_ALLOCATION_INFORMATION`: a thread's stack.
    pub struct ProcessStackAllocationInformation (0x18, 0x0C) {
        0x00 0x00 reserve_size: Size,
        0x08 0x04 zero_bits: Size,
        /// Out.
        0x10 0x08 stack_base: Pointer,
    }

    /// `PROCESS_WS_WATCH_INFORMATION`: a page fault.
    pub struct ProcessWsWatchInformation (0x10, 0x08) {
        0x00 0x00 faulting_pc: Pointer,
        0x08 0x04 faulting_va: Pointer,
    }

    /// `PROCESS_DEVICEMAP_INFORMATION`, to set.
    pub struct ProcessDeviceMapSet (0x08, 0x04) {
        0x00 0x00 directory_handle: Handle,
    }
}

layout! {
    /// `PROCESS_PRIORITY_CLASS`.
    pub struct ProcessPriorityClass (0x02) {
        0x00 foreground: u8,
        /// 1 idle, 2 normal, 3 high, 4 real time, 5 below normal, 6 above normal.
        0x01 priority_class: u8,
    }

    /// `PROCESS_PRIORITY_CLASS_EX`.
    pub struct ProcessPriorityClassEx (0x04) {
        0x00 flags: u16,
        0x02 priority_class: u8,
        0x03 foreground: u8,
    }

    /// `PROCESS_SESSION_INFORMATION`.
    pub struct ProcessSessionInformation (0x04) {
        0x00 session_id: u32,
    }

    /// `PROCESS_FOREGROUND_BACKGROUND`.
    pub struct ProcessForegroundBackground (0x01) {
        0x00 foreground: u8,
    }

    /// `PROCESS_CYCLE_TIME_INFORMATION`.
    pub struct ProcessCycleTimeInformation (0x10) {
        0x00 accumulated_cycles: u64,
        0x08 current_cycle_count: u64,
    }

    /// `PAGE_PRIORITY_INFORMATION`.
    pub struct PagePriorityInformation (0x04) {
        0x00 page_priority: u32,
    }

    /// `PROCESS_WINDOW_INFORMATION`: the rest of the title follows.
    pub struct ProcessWindowInformation (0x08) {
        0x00 window_flags: u32,
        0x04 window_title_length: u16,
        0x06 window_title: [u16; 1],
    }

    /// `PROCESS_HANDLE_INFORMATION`.
    pub struct ProcessHandleInformation (0x08) {
        0x00 handle_count: u32,
        0x04 handle_count_high_watermark: u32,
    }

    /// `PROCESS_KEEPALIVE_COUNT_INFORMATION`.
    pub struct ProcessKeepaliveCountInformation (0x08) {
        0x00 wake_count: u32,
        0x04 no_wake_count: u32,
    }

    /// `PROCESS_JOB_MEMORY_INFO`: sizes in bytes.
    pub struct ProcessJobMemoryInfo (0x28) {
        0x00 shared_commit_usage: u64,
        0x08 private_commit_usage: u64,
        0x10 peak_private_commit_usage: u64,
        0x18 private_commit_limit: u64,
        0x20 total_commit_limit: u64,
    }

    /// `PROCESS_UPTIME_INFORMATION`.
    pub struct ProcessUptimeInformation (0x38) {
        0x00 query_interrupt_time: u64,
        0x08 query_unbiased_time: u64,
        0x10 end_interrupt_time: u64,
        0x18 time_since_creation: u64,
        0x20 uptime: u64,
        0x28 suspended_time: u64,
        0x30 flags: u32,
        0x34 reserved0: u32,
    }

    /// `PS_PROTECTION`.
    pub struct PsProtection (0x01) {
        /// Bits 0 to 2 type (1 light, 2 full), 3 audit, 4 to 7 signer.
        0x00 level: u8,
    }

    /// `PROCESS_MITIGATION_POLICY_INFORMATION`.
    pub struct ProcessMitigationPolicyInformation (8) {
        0x00 policy: ProcessMitigationPolicy,
        /// Bits that depend on the policy.
        0x04 flags: u32,
    }

    /// `PROCESS_DEVICEMAP_INFORMATION`, when queried.
    pub struct ProcessDeviceMapQuery (0x24) {
        /// A bit for each drive.
        0x00 drive_map: u32,
        /// `DRIVE_*`.
        0x04 drive_type: [u8; 32],
    }
}
