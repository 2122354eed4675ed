//! `NtQuerySystemInformation(Ex)` and `NtSetSystemInformation`: the classes; their structures are in the files beside this one.
//!
//! The numbers are those of Windows 11; a class that a version does not know fails with `STATUS_INVALID_INFO_CLASS`.

pub mod activity;
pub mod machine;

use crate::numbers::numbers;

numbers! {
    /// `SYSTEM_INFORMATION_CLASS`.
    pub struct SystemInformationClass: u32 {
        /// [`w64::SystemBasicInformation`](crate::w64::SystemBasicInformation).
        BASIC = 0, "SystemBasicInformation";
        /// [`SystemProcessorInformation`](machine::SystemProcessorInformation).
        PROCESSOR = 1, "SystemProcessorInformation";
        /// [`SystemPerformanceInformation`](activity::SystemPerformanceInformation).
        PERFORMANCE = 2, "SystemPerformanceInformation";
        /// [`SystemTimeOfDayInformation`](machine::SystemTimeOfDayInformation).
        TIME_OF_DAY = 3, "SystemTimeOfDayInformation";
        PATH = 4, "SystemPathInformation";
        /// [`w64::SystemProcessInformation`](crate::w64::SystemProcessInformation), each with its threads and its name.
        PROCESS = 5, "SystemProcessInformation";
        CALL_COUNT = 6, "SystemCallCountInformation";
        DEVICE = 7, "SystemDeviceInformation";
        /// One [`SystemProcessorPerformanceInformation`](activity::SystemProcessorPerformanceInformation) for each processor.
        PROCESSOR_PERFORMANCE = 8, "SystemProcessorPerformanceInformation";
        /// [`SystemFlagsInformation`](machine::SystemFlagsInformation).
        FLAGS = 9, "SystemFlagsInformation";
        CALL_TIME = 10, "SystemCallTimeInformation";
        /// [`w64::RtlProcessModules`](crate::w64::RtlProcessModules).
        MODULE = 11, "SystemModuleInformation";
        LOCKS = 12, "SystemLocksInformation";
        STACK_TRACE = 13, "SystemStackTraceInformation";
        PAGED_POOL = 14, "SystemPagedPoolInformation";
        NON_PAGED_POOL = 15, "SystemNonPagedPoolInformation";
        /// [`w64::SystemHandleInformation`](crate::w64::SystemHandleInformation).
        HANDLE = 16, "SystemHandleInformation";
        /// [`w64::SystemObjectTypeInformation`](crate::w64::SystemObjectTypeInformation), each with its objects.
        OBJECT = 17, "SystemObjectInformation";
        /// [`w64::SystemPageFileInformation`](crate::w64::SystemPageFileInformation).
        PAGE_FILE = 18, "SystemPageFileInformation";
        VDM_INSTEMUL = 19, "SystemVdmInstemulInformation";
        VDM_BOP = 20, "SystemVdmBopInformation";
        /// [`w64::SystemFileCacheInformation`](crate::w64::SystemFileCacheInformation).
        FILE_CACHE = 21, "SystemFileCacheInformation";
        POOL_TAG = 22, "SystemPoolTagInformation";
        /// One [`SystemInterruptInformation`](activity::SystemInterruptInformation) for each processor.
        INTERRUPT = 23, "SystemInterruptInformation";
        DPC_BEHAVIOR = 24, "SystemDpcBehaviorInformation";
        FULL_MEMORY = 25, "SystemFullMemoryInformation";
        LOAD_GDI_DRIVER = 26, "SystemLoadGdiDriverInformation";
        UNLOAD_GDI_DRIVER = 27, "SystemUnloadGdiDriverInformation";
        /// [`SystemQueryTimeAdjustInformation`](machine::SystemQueryTimeAdjustInformation), [`SystemSetTimeAdjustInformation`](machine::SystemSetTimeAdjustInformation).
        TIME_ADJUSTMENT = 28, "SystemTimeAdjustmentInformation";
        SUMMARY_MEMORY = 29, "SystemSummaryMemoryInformation";
        MIRROR_MEMORY = 30, "SystemMirrorMemoryInformation";
        PERFORMANCE_TRACE = 31, "SystemPerformanceTraceInformation";
        OBSOLETE0 = 32, "SystemObsolete0";
        /// [`SystemExceptionInformation`](activity::SystemExceptionInformation).
        EXCEPTION = 33, "SystemExceptionInformation";
        CRASH_DUMP_STATE = 34, "SystemCrashDumpStateInformation";
        /// [`SystemKernelDebuggerInformation`](machine::SystemKernelDebuggerInformation).
        KERNEL_DEBUGGER = 35, "SystemKernelDebuggerInformation";
        CONTEXT_SWITCH = 36, "SystemContextSwitchInformation";
        /// [`w64::SystemRegistryQuotaInformation`](crate::w64::SystemRegistryQuotaInformation).
        REGISTRY_QUOTA = 37, "SystemRegistryQuotaInformation";
        EXTEND_SERVICE_TABLE = 38, "SystemExtendServiceTableInformation";
        PRIORITY_SEPARATION = 39, "SystemPrioritySeparation";
        VERIFIER_ADD_DRIVER = 40, "SystemVerifierAddDriverInformation";
        VERIFIER_REMOVE_DRIVER = 41, "SystemVerifierRemoveDriverInformation";
        PROCESSOR_IDLE = 42, "SystemProcessorIdleInformation";
        LEGACY_DRIVER = 43, "SystemLegacyDriverInformation";
        /// [`RtlTimeZoneInformation`](machine::RtlTimeZoneInformation).
        CURRENT_TIME_ZONE = 44, "SystemCurrentTimeZoneInformation";
        /// [`SystemLookasideInformation`](activity::SystemLookasideInformation)s.
        LOOKASIDE = 45, "SystemLookasideInformation";
        TIME_SLIP_NOTIFICATION = 46, "SystemTimeSlipNotification";
        SESSION_CREATE = 47, "SystemSessionCreate";
        SESSION_DETACH = 48, "SystemSessionDetach";
        SESSION = 49, "SystemSessionInformation";
        RANGE_START = 50, "SystemRangeStartInformation";
        VERIFIER = 51, "SystemVerifierInformation";
        VERIFIER_THUNK_EXTEND = 52, "SystemVerifierThunkExtend";
        SESSION_PROCESS = 53, "SystemSessionProcessInformation";
        LOAD_GDI_DRIVER_IN_SYSTEM_SPACE = 54, "SystemLoadGdiDriverInSystemSpace";
        NUMA_PROCESSOR_MAP = 55, "SystemNumaProcessorMap";
        PREFETCHER = 56, "SystemPrefetcherInformation";
        EXTENDED_PROCESS = 57, "SystemExtendedProcessInformation";
        RECOMMENDED_SHARED_DATA_ALIGNMENT = 58, "SystemRecommendedSharedDataAlignment";
        COM_PLUS_PACKAGE = 59, "SystemComPlusPackage";
        NUMA_AVAILABLE_MEMORY = 60, "SystemNumaAvailableMemory";
        PROCESSOR_POWER = 61, "SystemProcessorPowerInformation";
        /// As `BASIC`, for the emulated machine.
        EMULATION_BASIC = 62, "SystemEmulationBasicInformation";
        /// As `PROCESSOR`, for the emulated machine.
        EMULATION_PROCESSOR = 63, "SystemEmulationProcessorInformation";
        /// [`w64::SystemHandleInformationEx`](crate::w64::SystemHandleInformationEx).
        EXTENDED_HANDLE = 64, "SystemExtendedHandleInformation";
        LOST_DELAYED_WRITE = 65, "SystemLostDelayedWriteInformation";
        BIG_POOL = 66, "SystemBigPoolInformation";
        SESSION_POOL_TAG = 67, "SystemSessionPoolTagInformation";
        SESSION_MAPPED_VIEW = 68, "SystemSessionMappedViewInformation";
        HOTPATCH = 69, "SystemHotpatchInformation";
        OBJECT_SECURITY_MODE = 70, "SystemObjectSecurityMode";
        WATCHDOG_TIMER_HANDLER = 71, "SystemWatchdogTimerHandler";
        WATCHDOG_TIMER = 72, "SystemWatchdogTimerInformation";
        /// [`w64::SystemLogicalProcessorInformation`](crate::w64::SystemLogicalProcessorInformation)s.
        LOGICAL_PROCESSOR = 73, "SystemLogicalProcessorInformation";
        WOW64_SHARED_OBSOLETE = 74, "SystemWow64SharedInformationObsolete";
        REGISTER_FIRMWARE_TABLE_INFORMATION_HANDLER = 75, "SystemRegisterFirmwareTableInformationHandler";
        /// [`SystemFirmwareTableInformation`](machine::SystemFirmwareTableInformation).
        FIRMWARE_TABLE = 76, "SystemFirmwareTableInformation";
        MODULE_EX = 77, "SystemModuleInformationEx";
        VERIFIER_TRIAGE = 78, "SystemVerifierTriageInformation";
        SUPERFETCH = 79, "SystemSuperfetchInformation";
        MEMORY_LIST = 80, "SystemMemoryListInformation";
        FILE_CACHE_EX = 81, "SystemFileCacheInformationEx";
        THREAD_PRIORITY_CLIENT_ID = 82, "SystemThreadPriorityClientIdInformation";
        PROCESSOR_IDLE_CYCLE_TIME = 83, "SystemProcessorIdleCycleTimeInformation";
        VERIFIER_CANCELLATION = 84, "SystemVerifierCancellationInformation";
        PROCESSOR_POWER_EX = 85, "SystemProcessorPowerInformationEx";
        REF_TRACE = 86, "SystemRefTraceInformation";
        SPECIAL_POOL = 87, "SystemSpecialPoolInformation";
        /// [`w64::SystemProcessIdInformation`](crate::w64::SystemProcessIdInformation).
        PROCESS_ID = 88, "SystemProcessIdInformation";
        ERROR_PORT = 89, "SystemErrorPortInformation";
        BOOT_ENVIRONMENT = 90, "SystemBootEnvironmentInformation";
        HYPERVISOR = 91, "SystemHypervisorInformation";
        VERIFIER_EX = 92, "SystemVerifierInformationEx";
        TIME_ZONE = 93, "SystemTimeZoneInformation";
        IMAGE_FILE_EXECUTION_OPTIONS = 94, "SystemImageFileExecutionOptionsInformation";
        COVERAGE = 95, "SystemCoverageInformation";
        PREFETCH_PATCH = 96, "SystemPrefetchPatchInformation";
        VERIFIER_FAULTS = 97, "SystemVerifierFaultsInformation";
        SYSTEM_PARTITION = 98, "SystemSystemPartitionInformation";
        SYSTEM_DISK = 99, "SystemSystemDiskInformation";
        PROCESSOR_PERFORMANCE_DISTRIBUTION = 100, "SystemProcessorPerformanceDistribution";
        NUMA_PROXIMITY_NODE = 101, "SystemNumaProximityNodeInformation";
        DYNAMIC_TIME_ZONE = 102, "SystemDynamicTimeZoneInformation";
        CODE_INTEGRITY = 103, "SystemCodeIntegrityInformation";
        PROCESSOR_MICROCODE_UPDATE = 104, "SystemProcessorMicrocodeUpdateInformation";
        PROCESSOR_BRAND_STRING = 105, "SystemProcessorBrandString";
        VIRTUAL_ADDRESS = 106, "SystemVirtualAddressInformation";
        /// [`SystemLogicalProcessorInformationEx`](machine::SystemLogicalProcessorInformationEx) and what it announces.
        LOGICAL_PROCESSOR_AND_GROUP = 107, "SystemLogicalProcessorAndGroupInformation";
        PROCESSOR_CYCLE_TIME = 108, "SystemProcessorCycleTimeInformation";
        STORE = 109, "SystemStoreInformation";
        REGISTRY_APPEND_STRING = 110, "SystemRegistryAppendString";
        AIT_SAMPLING_VALUE = 111, "SystemAitSamplingValue";
        VHD_BOOT = 112, "SystemVhdBootInformation";
        CPU_QUOTA = 113, "SystemCpuQuotaInformation";
        NATIVE_BASIC = 114, "SystemNativeBasicInformation";
        ERROR_PORT_TIMEOUTS = 115, "SystemErrorPortTimeouts";
        LOW_PRIORITY_IO = 116, "SystemLowPriorityIoInformation";
        TPM_BOOT_ENTROPY = 117, "SystemTpmBootEntropyInformation";
        VERIFIER_COUNTERS = 118, "SystemVerifierCountersInformation";
        PAGED_POOL_EX = 119, "SystemPagedPoolInformationEx";
        SYSTEM_PTES_EX = 120, "SystemSystemPtesInformationEx";
        NODE_DISTANCE = 121, "SystemNodeDistanceInformation";
        ACPI_AUDIT = 122, "SystemAcpiAuditInformation";
        BASIC_PERFORMANCE = 123, "SystemBasicPerformanceInformation";
        QUERY_PERFORMANCE_COUNTER = 124, "SystemQueryPerformanceCounterInformation";
        SESSION_BIG_POOL = 125, "SystemSessionBigPoolInformation";
        BOOT_GRAPHICS = 126, "SystemBootGraphicsInformation";
        SCRUB_PHYSICAL_MEMORY = 127, "SystemScrubPhysicalMemoryInformation";
        BAD_PAGE = 128, "SystemBadPageInformation";
        PROCESSOR_PROFILE_CONTROL_AREA = 129, "SystemProcessorProfileControlArea";
        COMBINE_PHYSICAL_MEMORY = 130, "SystemCombinePhysicalMemoryInformation";
        ENTROPY_INTERRUPT_TIMING = 131, "SystemEntropyInterruptTimingInformation";
        CONSOLE = 132, "SystemConsoleInformation";
        PLATFORM_BINARY = 133, "SystemPlatformBinaryInformation";
        POLICY = 134, "SystemPolicyInformation";
        HYPERVISOR_PROCESSOR_COUNT = 135, "SystemHypervisorProcessorCountInformation";
        DEVICE_DATA = 136, "SystemDeviceDataInformation";
        DEVICE_DATA_ENUMERATION = 137, "SystemDeviceDataEnumerationInformation";
        MEMORY_TOPOLOGY = 138, "SystemMemoryTopologyInformation";
        MEMORY_CHANNEL = 139, "SystemMemoryChannelInformation";
        BOOT_LOGO = 140, "SystemBootLogoInformation";
        PROCESSOR_PERFORMANCE_EX = 141, "SystemProcessorPerformanceInformationEx";
        CRITICAL_PROCESS_ERROR_LOG = 142, "SystemCriticalProcessErrorLogInformation";
        SECURE_BOOT_POLICY = 143, "SystemSecureBootPolicyInformation";
        PAGE_FILE_EX = 144, "SystemPageFileInformationEx";
        SECURE_BOOT = 145, "SystemSecureBootInformation";
        ENTROPY_INTERRUPT_TIMING_RAW = 146, "SystemEntropyInterruptTimingRawInformation";
        PORTABLE_WORKSPACE_EFI_LAUNCHER = 147, "SystemPortableWorkspaceEfiLauncherInformation";
        FULL_PROCESS = 148, "SystemFullProcessInformation";
        KERNEL_DEBUGGER_EX = 149, "SystemKernelDebuggerInformationEx";
        BOOT_METADATA = 150, "SystemBootMetadataInformation";
        SOFT_REBOOT = 151, "SystemSoftRebootInformation";
        ELAM_CERTIFICATE = 152, "SystemElamCertificateInformation";
        OFFLINE_DUMP_CONFIG = 153, "SystemOfflineDumpConfigInformation";
        /// [`SystemProcessorFeaturesInformation`](machine::SystemProcessorFeaturesInformation).
        PROCESSOR_FEATURES = 154, "SystemProcessorFeaturesInformation";
        REGISTRY_RECONCILIATION = 155, "SystemRegistryReconciliationInformation";
        EDID = 156, "SystemEdidInformation";
        MANUFACTURING = 157, "SystemManufacturingInformation";
        ENERGY_ESTIMATION_CONFIG = 158, "SystemEnergyEstimationConfigInformation";
        HYPERVISOR_DETAIL = 159, "SystemHypervisorDetailInformation";
        PROCESSOR_CYCLE_STATS = 160, "SystemProcessorCycleStatsInformation";
        VM_GENERATION_COUNT = 161, "SystemVmGenerationCountInformation";
        TRUSTED_PLATFORM_MODULE = 162, "SystemTrustedPlatformModuleInformation";
        KERNEL_DEBUGGER_FLAGS = 163, "SystemKernelDebuggerFlags";
        CODE_INTEGRITY_POLICY = 164, "SystemCodeIntegrityPolicyInformation";
        ISOLATED_USER_MODE = 165, "SystemIsolatedUserModeInformation";
        HARDWARE_SECURITY_TEST_INTERFACE_RESULTS = 166, "SystemHardwareSecurityTestInterfaceResultsInformation";
        SINGLE_MODULE = 167, "SystemSingleModuleInformation";
        ALLOWED_CPU_SETS = 168, "SystemAllowedCpuSetsInformation";
        VSM_PROTECTION = 169, "SystemVsmProtectionInformation";
        INTERRUPT_CPU_SETS = 170, "SystemInterruptCpuSetsInformation";
        SECURE_BOOT_POLICY_FULL = 171, "SystemSecureBootPolicyFullInformation";
        CODE_INTEGRITY_POLICY_FULL = 172, "SystemCodeIntegrityPolicyFullInformation";
        AFFINITIZED_INTERRUPT_PROCESSOR = 173, "SystemAffinitizedInterruptProcessorInformation";
        ROOT_SILO = 174, "SystemRootSiloInformation";
        /// [`SystemCpuSetInformation`](machine::SystemCpuSetInformation)s.
        CPU_SET = 175, "SystemCpuSetInformation";
        CPU_SET_TAG = 176, "SystemCpuSetTagInformation";
        WIN32_WER_START_CALLOUT = 177, "SystemWin32WerStartCallout";
        SECURE_KERNEL_PROFILE = 178, "SystemSecureKernelProfileInformation";
        CODE_INTEGRITY_PLATFORM_MANIFEST = 179, "SystemCodeIntegrityPlatformManifestInformation";
        INTERRUPT_STEERING = 180, "SystemInterruptSteeringInformation";
        /// [`SupportedProcessorArchitecture`](machine::SupportedProcessorArchitecture)s, ended by zeros; given a process handle.
        SUPPORTED_PROCESSOR_ARCHITECTURES = 181, "SystemSupportedProcessorArchitectures";
        MEMORY_USAGE = 182, "SystemMemoryUsageInformation";
        CODE_INTEGRITY_CERTIFICATE = 183, "SystemCodeIntegrityCertificateInformation";
        PHYSICAL_MEMORY = 184, "SystemPhysicalMemoryInformation";
        CONTROL_FLOW_TRANSITION = 185, "SystemControlFlowTransition";
        KERNEL_DEBUGGING_ALLOWED = 186, "SystemKernelDebuggingAllowed";
        ACTIVITY_MODERATION_EXE_STATE = 187, "SystemActivityModerationExeState";
        ACTIVITY_MODERATION_USER_SETTINGS = 188, "SystemActivityModerationUserSettings";
        CODE_INTEGRITY_POLICIES_FULL = 189, "SystemCodeIntegrityPoliciesFullInformation";
        CODE_INTEGRITY_UNLOCK = 190, "SystemCodeIntegrityUnlockInformation";
        INTEGRITY_QUOTA = 191, "SystemIntegrityQuotaInformation";
        FLUSH = 192, "SystemFlushInformation";
        PROCESSOR_IDLE_MASK = 193, "SystemProcessorIdleMaskInformation";
        SECURE_DUMP_ENCRYPTION = 194, "SystemSecureDumpEncryptionInformation";
        WRITE_CONSTRAINT = 195, "SystemWriteConstraintInformation";
        KERNEL_VA_SHADOW = 196, "SystemKernelVaShadowInformation";
        HYPERVISOR_SHARED_PAGE = 197, "SystemHypervisorSharedPageInformation";
        FIRMWARE_BOOT_PERFORMANCE = 198, "SystemFirmwareBootPerformanceInformation";
        CODE_INTEGRITY_VERIFICATION = 199, "SystemCodeIntegrityVerificationInformation";
        FIRMWARE_PARTITION = 200, "SystemFirmwarePartitionInformation";
        /// [`SystemSpeculationControlInformation`](machine::SystemSpeculationControlInformation).
        SPECULATION_CONTROL = 201, "SystemSpeculationControlInformation";
        DMA_GUARD_POLICY = 202, "SystemDmaGuardPolicyInformation";
        ENCLAVE_LAUNCH_CONTROL = 203, "SystemEnclaveLaunchControlInformation";
        WORKLOAD_ALLOWED_CPU_SETS = 204, "SystemWorkloadAllowedCpuSetsInformation";
        CODE_INTEGRITY_UNLOCK_MODE = 205, "SystemCodeIntegrityUnlockModeInformation";
        LEAP_SECOND = 206, "SystemLeapSecondInformation";
        FLAGS2 = 207, "SystemFlags2Information";
        SECURITY_MODEL = 208, "SystemSecurityModelInformation";
        CODE_INTEGRITY_SYNTHETIC_CACHE = 209, "SystemCodeIntegritySyntheticCacheInformation";
        FEATURE_CONFIGURATION = 210, "SystemFeatureConfigurationInformation";
        FEATURE_CONFIGURATION_SECTION = 211, "SystemFeatureConfigurationSectionInformation";
        FEATURE_USAGE_SUBSCRIPTION = 212, "SystemFeatureUsageSubscriptionInformation";
        SECURE_SPECULATION_CONTROL = 213, "SystemSecureSpeculationControlInformation";
        SPACES_BOOT = 214, "SystemSpacesBootInformation";
        FW_RAMDISK = 215, "SystemFwRamdiskInformation";
        WHEA_IPMI_HARDWARE = 216, "SystemWheaIpmiHardwareInformation";
        DIF_SET_RULE_CLASS = 217, "SystemDifSetRuleClassInformation";
        DIF_CLEAR_RULE_CLASS = 218, "SystemDifClearRuleClassInformation";
        DIF_APPLY_PLUGIN_VERIFICATION_ON_DRIVER = 219, "SystemDifApplyPluginVerificationOnDriver";
        DIF_REMOVE_PLUGIN_VERIFICATION_ON_DRIVER = 220, "SystemDifRemovePluginVerificationOnDriver";
        SHADOW_STACK = 221, "SystemShadowStackInformation";
        BUILD_VERSION = 222, "SystemBuildVersionInformation";
        POOL_LIMIT = 223, "SystemPoolLimitInformation";
        CODE_INTEGRITY_ADD_DYNAMIC_STORE = 224, "SystemCodeIntegrityAddDynamicStore";
        CODE_INTEGRITY_CLEAR_DYNAMIC_STORES = 225, "SystemCodeIntegrityClearDynamicStores";
        DIF_POOL_TRACKING = 226, "SystemDifPoolTrackingInformation";
        POOL_ZEROING = 227, "SystemPoolZeroingInformation";
        DPC_WATCHDOG = 228, "SystemDpcWatchdogInformation";
        DPC_WATCHDOG_INFORMATION2 = 229, "SystemDpcWatchdogInformation2";
        /// The same, with one more flag.
        SUPPORTED_PROCESSOR_ARCHITECTURES2 = 230, "SystemSupportedProcessorArchitectures2";
        SINGLE_PROCESSOR_RELATIONSHIP = 231, "SystemSingleProcessorRelationshipInformation";
        XFG_CHECK_FAILURE = 232, "SystemXfgCheckFailureInformation";
        IOMMU_STATE = 233, "SystemIommuStateInformation";
        HYPERVISOR_MINROOT = 234, "SystemHypervisorMinrootInformation";
        HYPERVISOR_BOOT_PAGES = 235, "SystemHypervisorBootPagesInformation";
        POINTER_AUTH = 236, "SystemPointerAuthInformation";
        SECURE_KERNEL_DEBUGGER = 237, "SystemSecureKernelDebuggerInformation";
        ORIGINAL_IMAGE_FEATURE = 238, "SystemOriginalImageFeatureInformation";
        MEMORY_NUMA = 239, "SystemMemoryNumaInformation";
        MEMORY_NUMA_PERFORMANCE = 240, "SystemMemoryNumaPerformanceInformation";
        CODE_INTEGRITY_SIGNED_POLICIES_FULL = 241, "SystemCodeIntegritySignedPoliciesFullInformation";
        SECURE_CORE = 242, "SystemSecureCoreInformation";
        TRUSTED_APPS_RUNTIME = 243, "SystemTrustedAppsRuntimeInformation";
        BAD_PAGE_EX = 244, "SystemBadPageInformationEx";
        RESOURCE_DEADLOCK_TIMEOUT = 245, "SystemResourceDeadlockTimeout";
        BREAK_ON_CONTEXT_UNWIND_FAILURE = 246, "SystemBreakOnContextUnwindFailureInformation";
        OSL_RAMDISK = 247, "SystemOslRamdiskInformation";
        CODE_INTEGRITY_POLICY_MANAGEMENT = 248, "SystemCodeIntegrityPolicyManagementInformation";
        MEMORY_NUMA_CACHE = 249, "SystemMemoryNumaCacheInformation";
        PROCESSOR_FEATURES_BIT_MAP = 250, "SystemProcessorFeaturesBitMapInformation";
        /// Wine's own: its version, as terminated strings.
        WINE_VERSION = 1000, "SystemWineVersionInformation";
    }
}
