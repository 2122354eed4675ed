//! What is numbered about access tokens: privileges, attributes, types, information classes (`winnt.h`).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

flags! {
    /// How a token holds a SID (`SE_GROUP_*`).
    GroupAttributes: u32 {
        /// It cannot be disabled.
        MANDATORY = 0x0000_0001;
        /// It is enabled from the start.
        ENABLED_BY_DEFAULT = 0x0000_0002;
        /// It counts in access checks.
        ENABLED = 0x0000_0004;
        /// It may own objects that the token's user makes.
        OWNER = 0x0000_0008;
        /// It counts in access checks only where it denies.
        USE_FOR_DENY_ONLY = 0x0000_0010;
        /// It is the integrity label.
        INTEGRITY = 0x0000_0020;
        /// The label counts.
        INTEGRITY_ENABLED = 0x0000_0040;
        /// It is a group of the resource's domain.
        RESOURCE = 0x2000_0000;
        /// It stands for the logon session.
        LOGON_ID = 0xC000_0000;
    }

    /// How a token holds a privilege (`SE_PRIVILEGE_*`).
    PrivilegeAttributes: u32 {
        /// Enabled from the start.
        ENABLED_BY_DEFAULT = 0x0000_0001;
        /// Enabled.
        ENABLED = 0x0000_0002;
        /// Asks to remove it for good.
        REMOVED = 0x0000_0004;
        /// An access check used it.
        USED_FOR_ACCESS = 0x8000_0000;
    }

    /// What integrity levels mean for a token (`TOKEN_MANDATORY_POLICY`).
    TokenMandatoryPolicy: u32 {
        /// It may not write to what has a higher level.
        NO_WRITE_UP = 1;
        /// A process gets the lower of its token's level and its image's.
        NEW_PROCESS_MIN = 2;
    }

    /// How `NtFilterToken` filters.
    FilterFlags: u32 {
        /// All privileges go but `SeChangeNotifyPrivilege`.
        DISABLE_MAX_PRIVILEGE = 1;
        /// Software restriction policies do not look at it.
        SANDBOX_INERT = 2;
        /// Makes of an administrator's token the one that works day by day.
        LUA_TOKEN = 4;
        /// The restricting SIDs count for writing alone.
        WRITE_RESTRICTED = 8;
    }

    /// `PRIVILEGE_SET::Control`.
    PrivilegeSetControl: u32 {
        /// All are needed, not one of them.
        ALL_NECESSARY = 1;
    }
}

open_enum! {
    /// A privilege's number, the low half of its LUID (`SE_*_PRIVILEGE`).
    Privilege: u32 {
        /// `SeCreateTokenPrivilege`.
        CREATE_TOKEN = 2;
        /// `SeAssignPrimaryTokenPrivilege`.
        ASSIGN_PRIMARY_TOKEN = 3;
        /// `SeLockMemoryPrivilege`.
        LOCK_MEMORY = 4;
        /// `SeIncreaseQuotaPrivilege`.
        INCREASE_QUOTA = 5;
        /// `SeMachineAccountPrivilege`.
        MACHINE_ACCOUNT = 6;
        /// `SeTcbPrivilege`.
        TCB = 7;
        /// `SeSecurityPrivilege`.
        SECURITY = 8;
        /// `SeTakeOwnershipPrivilege`.
        TAKE_OWNERSHIP = 9;
        /// `SeLoadDriverPrivilege`.
        LOAD_DRIVER = 10;
        /// `SeSystemProfilePrivilege`.
        SYSTEM_PROFILE = 11;
        /// `SeSystemtimePrivilege`.
        SYSTEMTIME = 12;
        /// `SeProfileSingleProcessPrivilege`.
        PROFILE_SINGLE_PROCESS = 13;
        /// `SeIncreaseBasePriorityPrivilege`.
        INCREASE_BASE_PRIORITY = 14;
        /// `SeCreatePagefilePrivilege`.
        CREATE_PAGEFILE = 15;
        /// `SeCreatePermanentPrivilege`.
        CREATE_PERMANENT = 16;
        /// `SeBackupPrivilege`.
        BACKUP = 17;
        /// `SeRestorePrivilege`.
        RESTORE = 18;
        /// `SeShutdownPrivilege`.
        SHUTDOWN = 19;
        /// `SeDebugPrivilege`.
        DEBUG = 20;
        /// `SeAuditPrivilege`.
        AUDIT = 21;
        /// `SeSystemEnvironmentPrivilege`.
        SYSTEM_ENVIRONMENT = 22;
        /// `SeChangeNotifyPrivilege`.
        CHANGE_NOTIFY = 23;
        /// `SeRemoteShutdownPrivilege`.
        REMOTE_SHUTDOWN = 24;
        /// `SeUndockPrivilege`.
        UNDOCK = 25;
        /// `SeSyncAgentPrivilege`.
        SYNC_AGENT = 26;
        /// `SeEnableDelegationPrivilege`.
        ENABLE_DELEGATION = 27;
        /// `SeManageVolumePrivilege`.
        MANAGE_VOLUME = 28;
        /// `SeImpersonatePrivilege`.
        IMPERSONATE = 29;
        /// `SeCreateGlobalPrivilege`.
        CREATE_GLOBAL = 30;
        /// `SeTrustedCredManAccessPrivilege`.
        TRUSTED_CREDMAN_ACCESS = 31;
        /// `SeRelabelPrivilege`.
        RELABEL = 32;
        /// `SeIncreaseWorkingSetPrivilege`.
        INCREASE_WORKING_SET = 33;
        /// `SeTimeZonePrivilege`.
        TIME_ZONE = 34;
        /// `SeCreateSymbolicLinkPrivilege`.
        CREATE_SYMBOLIC_LINK = 35;
        /// `SeDelegateSessionUserImpersonatePrivilege`.
        DELEGATE_SESSION_USER_IMPERSONATE = 36;
    }

    /// `TOKEN_TYPE`.
    TokenType: u32 {
        /// A process has it.
        PRIMARY = 1;
        /// A thread has it for a while.
        IMPERSONATION = 2;
    }

    /// `SECURITY_IMPERSONATION_LEVEL`: how far a server may act for its client.
    ImpersonationLevel: u32 {
        /// It learns nothing.
        ANONYMOUS = 0;
        /// It learns who the client is.
        IDENTIFICATION = 1;
        /// It acts for it on this machine.
        IMPERSONATION = 2;
        /// It acts for it on others too.
        DELEGATION = 3;
    }

    /// `TOKEN_ELEVATION_TYPE`.
    TokenElevationType: u32 {
        /// It has no other half.
        DEFAULT = 1;
        /// It is the administrator's half.
        FULL = 2;
        /// It is the filtered half.
        LIMITED = 3;
    }

    /// What is asked of a token or set in it (`TOKEN_INFORMATION_CLASS`).
    TokenInformationClass: u32 {
        /// `TOKEN_USER`.
        USER = 1;
        /// `TOKEN_GROUPS`.
        GROUPS = 2;
        /// `TOKEN_PRIVILEGES`.
        PRIVILEGES = 3;
        /// `TOKEN_OWNER`.
        OWNER = 4;
        /// `TOKEN_PRIMARY_GROUP`.
        PRIMARY_GROUP = 5;
        /// `TOKEN_DEFAULT_DACL`.
        DEFAULT_DACL = 6;
        /// [`TokenSource`].
        SOURCE = 7;
        /// [`TokenType`].
        TYPE = 8;
        /// [`ImpersonationLevel`].
        IMPERSONATION_LEVEL = 9;
        /// [`TokenStatistics`].
        STATISTICS = 10;
        /// `TOKEN_GROUPS`.
        RESTRICTED_SIDS = 11;
        /// 32 bits.
        SESSION_ID = 12;
        /// `TOKEN_GROUPS_AND_PRIVILEGES`.
        GROUPS_AND_PRIVILEGES = 13;
        /// Reserved.
        SESSION_REFERENCE = 14;
        /// 32 bits.
        SAND_BOX_INERT = 15;
        /// Reserved.
        AUDIT_POLICY = 16;
        /// A [`Luid`].
        ORIGIN = 17;
        /// [`TokenElevationType`].
        ELEVATION_TYPE = 18;
        /// A handle.
        LINKED_TOKEN = 19;
        /// 32 bits.
        ELEVATION = 20;
        /// 32 bits.
        HAS_RESTRICTIONS = 21;
        /// `TOKEN_ACCESS_INFORMATION`.
        ACCESS_INFORMATION = 22;
        /// 32 bits.
        VIRTUALIZATION_ALLOWED = 23;
        /// 32 bits.
        VIRTUALIZATION_ENABLED = 24;
        /// `TOKEN_MANDATORY_LABEL`.
        INTEGRITY_LEVEL = 25;
        /// 32 bits.
        UI_ACCESS = 26;
        /// [`TokenMandatoryPolicy`].
        MANDATORY_POLICY = 27;
        /// `TOKEN_GROUPS` with the logon SID.
        LOGON_SID = 28;
        /// 32 bits.
        IS_APP_CONTAINER = 29;
        /// `TOKEN_GROUPS`.
        CAPABILITIES = 30;
        /// A pointer to a SID.
        APP_CONTAINER_SID = 31;
        /// 32 bits.
        APP_CONTAINER_NUMBER = 32;
        /// 32 bits.
        IS_RESTRICTED = 40;
    }
}
