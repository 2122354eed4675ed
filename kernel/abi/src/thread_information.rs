//! `NtQueryInformationThread` and `NtSetInformationThread`: the classes and their structures.

use crate::layout::{layout, layouts};
use crate::numbers::numbers;

numbers! {
    /// `THREADINFOCLASS`.
    pub struct ThreadInformationClass: u32 {
        /// [`w64::ThreadBasicInformation`].
        BASIC = 0, "ThreadBasicInformation";
        /// `KernelUserTimes`.
        TIMES = 1, "ThreadTimes";
        /// `i32`, set only.
        PRIORITY = 2, "ThreadPriority";
        /// `i32`, set only: an increment.
        BASE_PRIORITY = 3, "ThreadBasePriority";
        /// A pointer-sized mask, set only.
        AFFINITY_MASK = 4, "ThreadAffinityMask";
        /// A handle, set only; 0 to stop.
        IMPERSONATION_TOKEN = 5, "ThreadImpersonationToken";
        /// [`DescriptorTableEntry`].
        DESCRIPTOR_TABLE_ENTRY = 6, "ThreadDescriptorTableEntry";
        ENABLE_ALIGNMENT_FAULT_FIXUP = 7, "ThreadEnableAlignmentFaultFixup";
        EVENT_PAIR = 8, "ThreadEventPair";
        /// A pointer.
        QUERY_SET_WIN32_START_ADDRESS = 9, "ThreadQuerySetWin32StartAddress";
        /// `u32`: which slot is zeroed in all threads, set only.
        ZERO_TLS_CELL = 10, "ThreadZeroTlsCell";
        /// `i64`.
        PERFORMANCE_COUNT = 11, "ThreadPerformanceCount";
        /// `u32`.
        AM_I_LAST_THREAD = 12, "ThreadAmILastThread";
        /// `u32`, set only.
        IDEAL_PROCESSOR = 13, "ThreadIdealProcessor";
        /// `u32`: 1 for disabled.
        PRIORITY_BOOST = 14, "ThreadPriorityBoost";
        SET_TLS_ARRAY_ADDRESS = 15, "ThreadSetTlsArrayAddress";
        /// `u32`.
        IS_IO_PENDING = 16, "ThreadIsIoPending";
        /// `BOOLEAN`; set with nothing.
        HIDE_FROM_DEBUGGER = 17, "ThreadHideFromDebugger";
        /// `u32`.
        BREAK_ON_TERMINATION = 18, "ThreadBreakOnTermination";
        SWITCH_LEGACY_STATE = 19, "ThreadSwitchLegacyState";
        /// `u32`.
        IS_TERMINATED = 20, "ThreadIsTerminated";
        /// [`w64::ThreadLastSyscallInformation`].
        LAST_SYSTEM_CALL = 21, "ThreadLastSystemCall";
        IO_PRIORITY = 22, "ThreadIoPriority";
        /// [`ThreadCycleTimeInformation`].
        CYCLE_TIME = 23, "ThreadCycleTime";
        PAGE_PRIORITY = 24, "ThreadPagePriority";
        ACTUAL_BASE_PRIORITY = 25, "ThreadActualBasePriority";
        /// [`w64::ThreadTebInformation`].
        TEB = 26, "ThreadTebInformation";
        C_SWITCH_MON = 27, "ThreadCSwitchMon";
        C_SWITCH_PMU = 28, "ThreadCSwitchPmu";
        /// The guest's context.
        WOW64_CONTEXT = 29, "ThreadWow64Context";
        /// A `GroupAffinity`.
        GROUP = 30, "ThreadGroupInformation";
        UMS = 31, "ThreadUmsInformation";
        COUNTER_PROFILING = 32, "ThreadCounterProfiling";
        /// A `ProcessorNumber`.
        IDEAL_PROCESSOR_EX = 33, "ThreadIdealProcessorEx";
        CPU_ACCOUNTING = 34, "ThreadCpuAccountingInformation";
        /// `u32`.
        SUSPEND_COUNT = 35, "ThreadSuspendCount";
        HETEROGENEOUS_CPU_POLICY = 36, "ThreadHeterogeneousCpuPolicy";
        CONTAINER_ID = 37, "ThreadContainerId";
        /// [`w64::ThreadNameInformation`] and its text.
        NAME = 38, "ThreadNameInformation";
        SELECTED_CPU_SETS = 39, "ThreadSelectedCpuSets";
        /// A `SystemThreadInformation`.
        SYSTEM_THREAD = 40, "ThreadSystemThreadInformation";
        ACTUAL_GROUP_AFFINITY = 41, "ThreadActualGroupAffinity";
        DYNAMIC_CODE_POLICY_INFO = 42, "ThreadDynamicCodePolicyInfo";
        EXPLICIT_CASE_SENSITIVITY = 43, "ThreadExplicitCaseSensitivity";
        WORK_ON_BEHALF_TICKET = 44, "ThreadWorkOnBehalfTicket";
        SUBSYSTEM = 45, "ThreadSubsystemInformation";
        DBGK_WER_REPORT_ACTIVE = 46, "ThreadDbgkWerReportActive";
        ATTACH_CONTAINER = 47, "ThreadAttachContainer";
        MANAGE_WRITES_TO_EXECUTABLE_MEMORY = 48, "ThreadManageWritesToExecutableMemory";
        POWER_THROTTLING_STATE = 49, "ThreadPowerThrottlingState";
        WORKLOAD_CLASS = 50, "ThreadWorkloadClass";
        CREATE_STATE_CHANGE = 51, "ThreadCreateStateChange";
        APPLY_STATE_CHANGE = 52, "ThreadApplyStateChange";
        STRONGER_BAD_HANDLE_CHECKS = 53, "ThreadStrongerBadHandleChecks";
        EFFECTIVE_IO_PRIORITY = 54, "ThreadEffectiveIoPriority";
        EFFECTIVE_PAGE_PRIORITY = 55, "ThreadEffectivePagePriority";
        UPDATE_LOCK_OWNERSHIP = 56, "ThreadUpdateLockOwnership";
        SCHEDULER_SHARED_DATA_SLOT = 57, "ThreadSchedulerSharedDataSlot";
        TEB_INFORMATION_ATOMIC = 58, "ThreadTebInformationAtomic";
        INDEX = 59, "ThreadIndexInformation";
        /// Wine's own: the name of the Unix thread.
        WINE_NATIVE_THREAD_NAME = 1000, "ThreadWineNativeThreadName";
    }

    /// `KTHREAD_STATE`.
    pub struct ThreadState: u32 {
        INITIALIZED = 0, "Initialized";
        READY = 1, "Ready";
        RUNNING = 2, "Running";
        STANDBY = 3, "Standby";
        TERMINATED = 4, "Terminated";
        WAITING = 5, "Waiting";
        TRANSITION = 6, "Transition";
        DEFERRED_READY = 7, "DeferredReady";
        GATE_WAIT_OBSOLETE = 8, "GateWaitObsolete";
        WAITING_FOR_PROCESS_IN_SWAP = 9, "WaitingForProcessInSwap";
    }

    /// `KWAIT_REASON`.
    pub struct WaitReason: u32 {
        EXECUTIVE = 0, "Executive";
        FREE_PAGE = 1, "FreePage";
        PAGE_IN = 2, "PageIn";
        POOL_ALLOCATION = 3, "PoolAllocation";
        DELAY_EXECUTION = 4, "DelayExecution";
        SUSPENDED = 5, "Suspended";
        USER_REQUEST = 6, "UserRequest";
        WR_EXECUTIVE = 7, "WrExecutive";
        WR_FREE_PAGE = 8, "WrFreePage";
        WR_PAGE_IN = 9, "WrPageIn";
        WR_POOL_ALLOCATION = 10, "WrPoolAllocation";
        WR_DELAY_EXECUTION = 11, "WrDelayExecution";
        WR_SUSPENDED = 12, "WrSuspended";
        WR_USER_REQUEST = 13, "WrUserRequest";
        WR_EVENT_PAIR = 14, "WrEventPair";
        WR_QUEUE = 15, "WrQueue";
        WR_LPC_RECEIVE = 16, "WrLpcReceive";
        WR_LPC_REPLY = 17, "WrLpcReply";
        WR_VIRTUAL_MEMORY = 18, "WrVirtualMemory";
        WR_PAGE_OUT = 19, "WrPageOut";
        WR_RENDEZVOUS = 20, "WrRendezvous";
        WR_KEYED_EVENT = 21, "WrKeyedEvent";
        WR_TERMINATED = 22, "WrTerminated";
        WR_PROCESS_IN_SWAP = 23, "WrProcessInSwap";
        WR_CPU_RATE_CONTROL = 24, "WrCpuRateControl";
        WR_CALLOUT_STACK = 25, "WrCalloutStack";
        WR_KERNEL = 26, "WrKernel";
        WR_RESOURCE = 27, "WrResource";
        WR_PUSH_LOCK = 28, "WrPushLock";
        WR_MUTEX = 29, "WrMutex";
        WR_QUANTUM_END = 30, "WrQuantumEnd";
        WR_DISPATCH_INT = 31, "WrDispatchInt";
        WR_PREEMPTED = 32, "WrPreempted";
        WR_YIELD_EXECUTION = 33, "WrYieldExecution";
        WR_FAST_MUTEX = 34, "WrFastMutex";
        WR_GUARDED_MUTEX = 35, "WrGuardedMutex";
        WR_RUNDOWN = 36, "WrRundown";
        WR_ALERT_BY_THREAD_ID = 37, "WrAlertByThreadId";
        WR_DEFERRED_PREEMPT = 38, "WrDeferredPreempt";
    }
}

layouts! {
    /// `THREAD_BASIC_INFORMATION`.
    pub struct ThreadBasicInformation (0x30, 0x1C) {
        /// An `NtStatus`; `STATUS_PENDING` while it runs.
        0x00 0x00 exit_status: u32,
        0x04 0x04 reserved0: Only64<u32>,
        0x08 0x04 teb_base_address: Pointer,
        0x10 0x08 client_id: ClientId,
        0x20 0x10 affinity_mask: Size,
        0x28 0x14 priority: i32,
        0x2C 0x18 base_priority: i32,
    }

    /// `THREAD_TEB_INFORMATION`: a part of the TEB.
    pub struct ThreadTebInformation (0x10, 0x0C) {
        /// Where to put it.
        0x00 0x00 teb_information: Pointer,
        0x08 0x04 teb_offset: u32,
        0x0C 0x08 bytes_to_read: u32,
    }

    /// `THREAD_NAME_INFORMATION`: the text follows when queried.
    pub struct ThreadNameInformation (0x10, 0x08) {
        0x00 0x00 thread_name: UnicodeString,
    }

    /// `THREAD_LAST_SYSCALL_INFORMATION`.
    pub struct ThreadLastSyscallInformation (0x18, 0x10) {
        0x00 0x00 first_argument: Pointer,
        0x08 0x04 system_call_number: u16,
        0x0A 0x06 reserved0: u16,
        0x0C 0x08 reserved1: Only64<u32>,
        /// In ticks.
        0x10 0x08 wait_time: u64,
    }
}

layout! {
    /// `THREAD_CYCLE_TIME_INFORMATION`.
    pub struct ThreadCycleTimeInformation (0x10) {
        0x00 accumulated_cycles: u64,
        0x08 current_cycle_count: u64,
    }

    /// `DESCRIPTOR_TABLE_ENTRY`.
    pub struct DescriptorTableEntry (0x0C) {
        /// In.
        0x00 selector: u32,
        /// Out: as the processor has it.
        0x04 descriptor: [u32; 2],
    }
}
