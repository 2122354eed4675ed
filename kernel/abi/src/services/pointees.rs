//! What arguments point to and which sets their numbers are from, by name.
//!
//! The table speaks of structures that are not laid out yet, and needs no layout: a tracer or a thunk goes by the name,
//! and the kernel captures only what has a layout. When a structure gets one, it implements [`Pointee`] and its
//! namesake goes away from here; when a set of numbers gets its constants, they are added to the type here.

use super::arguments::{ArgumentKind, Pointee, ServiceArgument};

/// Declares structures without a layout.
macro_rules! pointees {
    ($($(#[$doc:meta])* $name:ident = $nt_name:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Pointee for $name {
            const NAME: &'static str = $nt_name;
        }
    )*};
}

pointees! {
    /// The part of a message attribute that says which message.
    AlpcContextAttribute = "ALPC_CONTEXT_ATTR";
    /// A view of a port section.
    AlpcDataViewAttribute = "ALPC_DATA_VIEW_ATTR";
    /// What travels with a message beside its bytes; says itself how long it is.
    AlpcMessageAttributes = "ALPC_MESSAGE_ATTRIBUTES";
    /// Limits and flags of a port.
    AlpcPortAttributes = "ALPC_PORT_ATTRIBUTES";
    /// A security context that travels with messages.
    AlpcSecurityAttribute = "ALPC_SECURITY_ATTR";
    /// A boot entry of the firmware; says itself how long it is.
    BootEntry = "BOOT_ENTRY";
    /// Boot options of the firmware; says itself how long it is.
    BootOptions = "BOOT_OPTIONS";
    /// Ids of a process and a thread.
    ClientId = "CLIENT_ID";
    /// A further parameter of loading a hive.
    CmExtendedParameter = "CM_EXTENDED_PARAMETER";
    /// Registers of a thread; says itself which.
    Context = "CONTEXT";
    /// The id of a transaction protocol.
    CrmProtocolId = "CRM_PROTOCOL_ID";
    /// An event of a process that is debugged.
    DebugWaitStateChange = "DBGUI_WAIT_STATE_CHANGE";
    /// A driver entry of the firmware; says itself how long it is.
    DriverEntry = "EFI_DRIVER_ENTRY";
    /// What happened, where, and with which parameters.
    ExceptionRecord = "EXCEPTION_RECORD";
    /// Times and attributes of a file.
    FileBasicInformation = "FILE_BASIC_INFORMATION";
    /// A packet taken from a completion port.
    FileIoCompletionInformation = "FILE_IO_COMPLETION_INFORMATION";
    /// Times, attributes and sizes of a file.
    FileNetworkOpenInformation = "FILE_NETWORK_OPEN_INFORMATION";
    /// A path in one of several notations; says itself how long it is.
    FilePath = "FILE_PATH";
    /// The address of one page.
    FileSegmentElement = "FILE_SEGMENT_ELEMENT";
    /// Which rights the generic ones stand for.
    GenericMapping = "GENERIC_MAPPING";
    /// Processors of one group.
    GroupAffinity = "GROUP_AFFINITY";
    /// A globally unique id.
    Guid = "GUID";
    /// The bounds of a stack.
    InitialTeb = "INITIAL_TEB";
    /// The outcome of an I/O operation.
    IoStatusBlock = "IO_STATUS_BLOCK";
    /// One job of a set.
    JobSetArray = "JOB_SET_ARRAY";
    /// One of several registry values that are asked for.
    KeyValueEntry = "KEY_VALUE_ENTRY";
    /// An id that is unique until the next start.
    Luid = "LUID";
    /// A further parameter of an allocation or a mapping.
    MemoryExtendedParameter = "MEM_EXTENDED_PARAMETER";
    /// Address and length of a range.
    MemoryRangeEntry = "MEMORY_RANGE_ENTRY";
    /// Name, root, attributes and security of an object to create or open.
    ObjectAttributes = "OBJECT_ATTRIBUTES";
    /// Who may open a private namespace; says itself how long it is.
    ObjectBoundaryDescriptor = "OBJECT_BOUNDARY_DESCRIPTOR";
    /// One level of an object with several access checks.
    ObjectTypeList = "OBJECT_TYPE_LIST";
    /// The head of a message, and the message; says itself how long it is.
    PortMessage = "PORT_MESSAGE";
    /// A section that a port shares.
    PortView = "PORT_VIEW";
    /// Privileges and whether all are needed; says itself how long it is.
    PrivilegeSet = "PRIVILEGE_SET";
    /// Group and number of a processor.
    ProcessorNumber = "PROCESSOR_NUMBER";
    /// A further parameter of alerting threads.
    PsAlertThreadExtendedParameter = "PS_ALERT_THREAD_EXTENDED_PARAMETER";
    /// Attributes of a new process or thread; says itself how long it is.
    PsAttributeList = "PS_ATTRIBUTE_LIST";
    /// How far the creation of a process came, and what it found.
    PsCreateInfo = "PS_CREATE_INFO";
    /// Where the other side sees a shared section.
    RemotePortView = "REMOTE_PORT_VIEW";
    /// Owner, group and access lists; says itself how long it is.
    SecurityDescriptor = "SECURITY_DESCRIPTOR";
    /// How far a server may act as its client.
    SecurityQualityOfService = "SECURITY_QUALITY_OF_SERVICE";
    /// A security identifier; says itself how long it is.
    Sid = "SID";
    /// A security identifier with flags.
    SidAndAttributes = "SID_AND_ATTRIBUTES";
    /// More about a signing level to be remembered.
    SigningCacheInformation = "SE_SET_FILE_CACHE_INFORMATION";
    /// A slim lock in user mode.
    SrwLock = "RTL_SRWLOCK";
    /// How to stop a timer.
    TimerCancelParameters = "T2_CANCEL_PARAMETERS";
    /// How exact a timer has to be.
    TimerSetParameters = "T2_SET_PARAMETERS";
    /// The access list that new objects get.
    TokenDefaultDacl = "TOKEN_DEFAULT_DACL";
    /// Groups; says itself how many.
    TokenGroups = "TOKEN_GROUPS";
    /// How integrity levels are enforced.
    TokenMandatoryPolicy = "TOKEN_MANDATORY_POLICY";
    /// The owner that new objects get.
    TokenOwner = "TOKEN_OWNER";
    /// The group that new objects get.
    TokenPrimaryGroup = "TOKEN_PRIMARY_GROUP";
    /// Privileges; says itself how many.
    TokenPrivileges = "TOKEN_PRIVILEGES";
    /// Claims; says itself how many.
    TokenSecurityAttributes = "TOKEN_SECURITY_ATTRIBUTES_INFORMATION";
    /// Who made a token.
    TokenSource = "TOKEN_SOURCE";
    /// The user of a token.
    TokenUser = "TOKEN_USER";
    /// A counted UTF-16 string.
    UnicodeString = "UNICODE_STRING";
    /// Command line, environment, standard handles; says itself how long it is.
    UserProcessParameters = "RTL_USER_PROCESS_PARAMETERS";
    /// The six bytes of a node that UUIDs are made from.
    UuidSeed = "UUID_SEED";
    /// The name of a published state, 64 bits.
    WnfStateName = "WNF_STATE_NAME";
    /// The type of a state.
    WnfTypeId = "WNF_TYPE_ID";
}

/// Declares open enumerations of 32 bits.
macro_rules! enumerations {
    ($($(#[$doc:meta])* $name:ident = $nt_name:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl ServiceArgument for $name {
            const KIND: ArgumentKind = ArgumentKind::Enumeration($nt_name);

            #[inline]
            fn from_raw(raw: u64) -> Self {
                Self(u32::from_raw(raw))
            }

            #[inline]
            fn raw(&self) -> u64 {
                u64::from(self.0)
            }
        }
    )*};
}

enumerations! {
    /// Which property of a message.
    AlpcMessageInformationClass = "ALPC_MESSAGE_INFORMATION_CLASS";
    /// Which property of an ALPC port.
    AlpcPortInformationClass = "ALPC_PORT_INFORMATION_CLASS";
    /// What to do with the cache of compatibility data.
    AppHelpServiceClass = "AHC_SERVICE_CLASS";
    /// Which property of an atom.
    AtomInformationClass = "ATOM_INFORMATION_CLASS";
    /// What kind of audit: of an object or a directory-service object.
    AuditEventType = "AUDIT_EVENT_TYPE";
    /// Which property of a debug object.
    DebugObjectInformationClass = "DEBUGOBJECTINFOCLASS";
    /// Which property of a directory change.
    DirectoryNotifyInformationClass = "DIRECTORY_NOTIFY_INFORMATION_CLASS";
    /// Which property of an enlistment.
    EnlistmentInformationClass = "ENLISTMENT_INFORMATION_CLASS";
    /// Which property of an event.
    EventInformationClass = "EVENT_INFORMATION_CLASS";
    /// Whether an event stays signaled (notification) or lets one waiter through (synchronization).
    EventType = "EVENT_TYPE";
    /// Which property of a file.
    FileInformationClass = "FILE_INFORMATION_CLASS";
    /// What to do with a boot option.
    FilterBootOptionOperation = "FILTER_BOOT_OPTION_OPERATION";
    /// Which property of a file-system volume.
    FsInformationClass = "FSINFOCLASS";
    /// Which property of a hot patch.
    HotPatchInformationClass = "HOT_PATCH_INFORMATION_CLASS";
    /// Which property of a I/O completion port.
    IoCompletionInformationClass = "IO_COMPLETION_INFORMATION_CLASS";
    /// What happened to a session.
    IoSessionEvent = "IO_SESSION_EVENT";
    /// The state of a session.
    IoSessionState = "IO_SESSION_STATE";
    /// Which property of a job object.
    JobObjectInformationClass = "JOBOBJECTINFOCLASS";
    /// Which property of a key.
    KeyInformationClass = "KEY_INFORMATION_CLASS";
    /// Which property of a key to be changed.
    KeySetInformationClass = "KEY_SET_INFORMATION_CLASS";
    /// Which property of a registry value.
    KeyValueInformationClass = "KEY_VALUE_INFORMATION_CLASS";
    /// Which kind of transaction object.
    KtmObjectType = "KTMOBJECT_TYPE";
    /// How fast the machine has to wake up.
    LatencyTime = "LATENCY_TIME";
    /// Which property of a memory.
    MemoryInformationClass = "MEMORY_INFORMATION_CLASS";
    /// What a reserve object keeps memory for: an APC or a completion packet.
    MemoryReserveType = "MEMORY_RESERVE_TYPE";
    /// Which property of a mutant.
    MutantInformationClass = "MUTANT_INFORMATION_CLASS";
    /// Which property of an object.
    ObjectInformationClass = "OBJECT_INFORMATION_CLASS";
    /// What to do with Plug and Play.
    PlugPlayControlClass = "PLUGPLAY_CONTROL_CLASS";
    /// Which property of a port.
    PortInformationClass = "PORT_INFORMATION_CLASS";
    /// What to do to the power of the machine.
    PowerAction = "POWER_ACTION";
    /// Which property of power management.
    PowerInformationLevel = "POWER_INFORMATION_LEVEL";
    /// Which property of a process.
    ProcessInformationClass = "PROCESSINFOCLASS";
    /// Whether to suspend or resume a process.
    ProcessStateChangeType = "PROCESS_STATE_CHANGE_TYPE";
    /// What a profile counts.
    ProfileSource = "KPROFILE_SOURCE";
    /// Which property of a resource manager.
    ResourceManagerInformationClass = "RESOURCEMANAGER_INFORMATION_CLASS";
    /// Which property of a section.
    SectionInformationClass = "SECTION_INFORMATION_CLASS";
    /// Whether a child process gets the view.
    SectionInherit = "SECTION_INHERIT";
    /// The type of a policy value.
    SecureSettingValueType = "SECURE_SETTING_VALUE_TYPE";
    /// Which property of a semaphore.
    SemaphoreInformationClass = "SEMAPHORE_INFORMATION_CLASS";
    /// What comes after the shutdown.
    ShutdownAction = "SHUTDOWN_ACTION";
    /// Which property of a symbolic link.
    SymbolicLinkInformationClass = "SYMBOLIC_LINK_INFO_CLASS";
    /// What to ask the kernel debugger.
    SystemDebugCommand = "SYSDBG_COMMAND";
    /// Which property of the system.
    SystemInformationClass = "SYSTEM_INFORMATION_CLASS";
    /// How deep the machine sleeps.
    SystemPowerState = "SYSTEM_POWER_STATE";
    /// Which property of a thread.
    ThreadInformationClass = "THREADINFOCLASS";
    /// Whether to suspend or resume a thread.
    ThreadStateChangeType = "THREAD_STATE_CHANGE_TYPE";
    /// Which property of a timer.
    TimerInformationClass = "TIMER_INFORMATION_CLASS";
    /// Which property of a timer set.
    TimerSetInformationClass = "TIMER_SET_INFORMATION_CLASS";
    /// Whether a timer stays signaled (notification) or lets one waiter through (synchronization).
    TimerType = "TIMER_TYPE";
    /// Which property of a token.
    TokenInformationClass = "TOKEN_INFORMATION_CLASS";
    /// Whether a token is a primary or an impersonation token.
    TokenType = "TOKEN_TYPE";
    /// What to do with event tracing.
    TraceControlCode = "ETWTRACECONTROLCODE";
    /// Which property of a transaction.
    TransactionInformationClass = "TRANSACTION_INFORMATION_CLASS";
    /// Which property of a transaction manager.
    TransactionManagerInformationClass = "TRANSACTIONMANAGER_INFORMATION_CLASS";
    /// Which property of a range of virtual memory.
    VirtualMemoryInformationClass = "VIRTUAL_MEMORY_INFORMATION_CLASS";
    /// Whether to wait for all objects or for any.
    WaitType = "WAIT_TYPE";
    /// For whom a state has a value of its own.
    WnfDataScope = "WNF_DATA_SCOPE";
    /// Which property of a state name.
    WnfStateNameInformation = "WNF_STATE_NAME_INFORMATION";
    /// How long a state name lives.
    WnfStateNameLifetime = "WNF_STATE_NAME_LIFETIME";
    /// Which property of a worker factory.
    WorkerFactoryInformationClass = "WORKERFACTORYINFOCLASS";
}
