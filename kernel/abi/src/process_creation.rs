//! What `NtCreateUserProcess` and `NtCreateThreadEx` are given and give back, beside the process parameters.

use crate::access::AccessMask;
use crate::layout::{layout, layouts};
use crate::numbers::{flags, numbers};

layouts! {
    /// `PS_ATTRIBUTE`: one thing that is asked for or told.
    pub struct PsAttribute (0x20, 0x10) {
        /// Number and flags, see [`PsAttributeNumber`].
        0x00 0x00 attribute: Size,
        /// Size in bytes of what `value` is or points to.
        0x08 0x04 size: Size,
        /// A number or a pointer.
        0x10 0x08 value: Size,
        /// Where to put how much was returned, or 0.
        0x18 0x0C return_length: Pointer,
    }

    /// `PS_ATTRIBUTE_LIST` without its attributes, which follow.
    pub struct PsAttributeList (0x08, 0x04) {
        /// Size in bytes of this and all attributes.
        0x00 0x00 total_length: Size,
    }

    /// `PS_MEMORY_RESERVE`: addresses that the new process is to keep free.
    pub struct PsMemoryReserve (0x10, 0x08) {
        0x00 0x00 reserve_address: Pointer,
        0x08 0x04 reserve_size: Size,
    }

    /// `PS_CREATE_INFO`, with the union's member that `state` says in `data` ([`PsCreateInitialState`],
    /// `PsCreateSuccess`; otherwise a handle, or 16 bits of characteristics).
    pub struct PsCreateInfo (0x58, 0x48) {
        0x00 0x00 size: Size,
        0x08 0x04 state: PsCreateState,
        0x0C 0x08 reserved: Only64<u32>,
        0x10 0x08 data: PsCreateInfoData,
    }

    /// `PS_CREATE_INFO.SuccessState`.
    pub struct PsCreateSuccess (0x48, 0x40) {
        /// Bit 0 protected, 1 address space overridden, 2 IFEO of the developer, 3 manifest found, 4 protected light.
        0x00 0x00 output_flags: u32,
        0x04 0x04 reserved0: Only64<u32>,
        0x08 0x04 file_handle: Handle,
        0x10 0x08 section_handle: Handle,
        0x18 0x0C reserved1: Only32<u32>,
        0x18 0x10 user_process_parameters_native: u64,
        0x20 0x18 user_process_parameters_wow64: u32,
        0x24 0x1C current_parameter_flags: u32,
        0x28 0x20 peb_address_native: u64,
        0x30 0x28 peb_address_wow64: u32,
        0x34 0x2C reserved2: u32,
        0x38 0x30 manifest_address: u64,
        0x40 0x38 manifest_size: u32,
        0x44 0x3C reserved3: u32,
    }

    /// `RTL_USER_PROCESS_INFORMATION`: a process that ntdll made.
    pub struct RtlUserProcessInformation (0x68, 0x44) {
        0x00 0x00 length: u32,
        0x04 0x04 reserved: Only64<u32>,
        0x08 0x04 process: Handle,
        0x10 0x08 thread: Handle,
        0x18 0x0C client_id: ClientId,
        0x28 0x14 image_information: SectionImageInformation,
    }

    /// `INITIAL_TEB`: a new thread's stack.
    pub struct InitialTeb (0x28, 0x14) {
        0x00 0x00 old_stack_base: Pointer,
        0x08 0x04 old_stack_limit: Pointer,
        0x10 0x08 stack_base: Pointer,
        0x18 0x0C stack_limit: Pointer,
        0x20 0x10 stack_allocation_base: Pointer,
    }

    /// `USER_STACK` of the first Windows NT, the same as `INITIAL_TEB`: a fixed stack, or one that can grow.
    pub struct UserStack (0x28, 0x14) {
        0x00 0x00 fixed_stack_base: Pointer,
        0x08 0x04 fixed_stack_limit: Pointer,
        0x10 0x08 expandable_stack_base: Pointer,
        0x18 0x0C expandable_stack_limit: Pointer,
        0x20 0x10 expandable_stack_bottom: Pointer,
    }
}

layout! {
    /// `PS_CREATE_INFO.InitState`.
    pub struct PsCreateInitialState (8) {
        /// Bit 0 results are wanted, 1 look for a manifest, 2 no debugger of IFEO, 3 IFEO key is not handed on;
        /// the upper half: characteristics that an image may not have.
        0x00 init_flags: u32,
        /// More access that the file is opened with.
        0x04 additional_file_access: AccessMask,
    }

    /// `PS_STD_HANDLE_INFO`: which standard handles are duplicated.
    pub struct PsStdHandleInfo (8) {
        /// Bits 0 and 1: 0 never, 1 when the parent's are pseudo-handles, 2 always; 2 to 4 which ones.
        0x00 flags: u32,
        /// For programs of this subsystem only.
        0x04 std_handle_subsystem_type: u32,
    }
}

numbers! {
    /// `PS_CREATE_STATE`: how far a creation came.
    pub struct PsCreateState: u32 {
        /// As the caller gives it.
        INITIAL_STATE = 0, "PsCreateInitialState";
        /// The image could not be opened.
        FAIL_ON_FILE_OPEN = 1, "PsCreateFailOnFileOpen";
        /// It is no image.
        FAIL_ON_SECTION_CREATE = 2, "PsCreateFailOnSectionCreate";
        /// Its characteristics are not allowed.
        FAIL_EXE_FORMAT = 3, "PsCreateFailExeFormat";
        /// It is for another machine.
        FAIL_MACHINE_MISMATCH = 4, "PsCreateFailMachineMismatch";
        /// IFEO names a debugger.
        FAIL_EXE_NAME = 5, "PsCreateFailExeName";
        /// All is done.
        SUCCESS = 6, "PsCreateSuccess";
    }

    /// `PS_ATTRIBUTE_NUM` with its flags, as `PS_ATTRIBUTE.Attribute` holds them.
    pub struct PsAttributeNumber: u32 {
        /// In: a process handle.
        PARENT_PROCESS = 0x0006_0000, "PS_ATTRIBUTE_PARENT_PROCESS";
        /// In: a debug object's handle.
        DEBUG_OBJECT = 0x0006_0001, "PS_ATTRIBUTE_DEBUG_OBJECT";
        /// In: a token's handle.
        TOKEN = 0x0006_0002, "PS_ATTRIBUTE_TOKEN";
        /// Out: a `ClientId`.
        CLIENT_ID = 0x0001_0003, "PS_ATTRIBUTE_CLIENT_ID";
        /// Out: the TEB's address.
        TEB_ADDRESS = 0x0001_0004, "PS_ATTRIBUTE_TEB_ADDRESS";
        /// In: the image's NT path.
        IMAGE_NAME = 0x0002_0005, "PS_ATTRIBUTE_IMAGE_NAME";
        /// Out: a `SectionImageInformation`.
        IMAGE_INFO = 0x0000_0006, "PS_ATTRIBUTE_IMAGE_INFO";
        /// In: array of `PsMemoryReserve`.
        MEMORY_RESERVE = 0x0002_0007, "PS_ATTRIBUTE_MEMORY_RESERVE";
        /// In: a priority class, 8 bits.
        PRIORITY_CLASS = 0x0002_0008, "PS_ATTRIBUTE_PRIORITY_CLASS";
        /// In: the hard-error mode.
        ERROR_MODE = 0x0002_0009, "PS_ATTRIBUTE_ERROR_MODE";
        /// In: a `PsStdHandleInfo`.
        STD_HANDLE_INFO = 0x0002_000A, "PS_ATTRIBUTE_STD_HANDLE_INFO";
        /// In: the handles that are inherited.
        HANDLE_LIST = 0x0002_000B, "PS_ATTRIBUTE_HANDLE_LIST";
        /// In: a `GroupAffinity`.
        GROUP_AFFINITY = 0x0003_000C, "PS_ATTRIBUTE_GROUP_AFFINITY";
        /// In: a NUMA node, 16 bits.
        PREFERRED_NODE = 0x0002_000D, "PS_ATTRIBUTE_PREFERRED_NODE";
        /// In: a `ProcessorNumber`.
        IDEAL_PROCESSOR = 0x0003_000E, "PS_ATTRIBUTE_IDEAL_PROCESSOR";
        /// In: user-mode scheduling.
        UMS_THREAD = 0x0003_000F, "PS_ATTRIBUTE_UMS_THREAD";
        /// In: mitigation options.
        MITIGATION_OPTIONS = 0x0002_0010, "PS_ATTRIBUTE_MITIGATION_OPTIONS";
        /// In: a protection, 8 bits.
        PROTECTION_LEVEL = 0x0006_0011, "PS_ATTRIBUTE_PROTECTION_LEVEL";
        /// In: a trustlet's attributes.
        SECURE_PROCESS = 0x0002_0012, "PS_ATTRIBUTE_SECURE_PROCESS";
        /// In: handles of jobs.
        JOB_LIST = 0x0002_0013, "PS_ATTRIBUTE_JOB_LIST";
        /// In: whether it may have children.
        CHILD_PROCESS_POLICY = 0x0002_0014, "PS_ATTRIBUTE_CHILD_PROCESS_POLICY";
        /// In: access by all packages.
        ALL_APPLICATION_PACKAGES_POLICY = 0x0002_0015, "PS_ATTRIBUTE_ALL_APPLICATION_PACKAGES_POLICY";
        /// In: a filter of graphics services.
        WIN32K_FILTER = 0x0002_0016, "PS_ATTRIBUTE_WIN32K_FILTER";
        /// In: where a file came from.
        SAFE_OPEN_PROMPT_ORIGIN_CLAIM = 0x0002_0017, "PS_ATTRIBUTE_SAFE_OPEN_PROMPT_ORIGIN_CLAIM";
        /// In: a private namespace of named objects.
        BNO_ISOLATION = 0x0002_0018, "PS_ATTRIBUTE_BNO_ISOLATION";
        /// In: desktop programs in packages.
        DESKTOP_APP_POLICY = 0x0002_0019, "PS_ATTRIBUTE_DESKTOP_APP_POLICY";
        /// In: hybrid images, 8 bits.
        CHPE = 0x0006_001A, "PS_ATTRIBUTE_CHPE";
        /// In: mitigations that are only recorded.
        MITIGATION_AUDIT_OPTIONS = 0x0002_001B, "PS_ATTRIBUTE_MITIGATION_AUDIT_OPTIONS";
        /// In: a machine, 16 bits.
        MACHINE_TYPE = 0x0006_001C, "PS_ATTRIBUTE_MACHINE_TYPE";
        /// In: components that are filtered out.
        COMPONENT_FILTER = 0x0002_001D, "PS_ATTRIBUTE_COMPONENT_FILTER";
        /// In: extended registers that are used.
        ENABLE_OPTIONAL_XSTATE_FEATURES = 0x0003_001E, "PS_ATTRIBUTE_ENABLE_OPTIONAL_XSTATE_FEATURES";
    }
}

impl PsAttributeNumber {
    /// `PS_ATTRIBUTE_NUMBER_MASK`: the number alone.
    pub const NUMBER_MASK: u32 = 0xFFFF;
    /// `PS_ATTRIBUTE_THREAD`: for a thread as well.
    pub const THREAD: u32 = 0x0001_0000;
    /// `PS_ATTRIBUTE_INPUT`: given, not asked for.
    pub const INPUT: u32 = 0x0002_0000;
    /// `PS_ATTRIBUTE_ADDITIVE`: may come more than once.
    pub const ADDITIVE: u32 = 0x0004_0000;
}

flags! {
    /// Flags of `NtCreateProcessEx` and `NtCreateUserProcess`.
    pub struct ProcessCreateFlags: u32, "PROCESS_CREATE_FLAGS_" {
        /// Not in the parent's job.
        BREAKAWAY = 0x0000_0001;
        /// The parent's debugger does not get it.
        NO_DEBUG_INHERIT = 0x0000_0002;
        /// Handles that are marked for it are inherited.
        INHERIT_HANDLES = 0x0000_0004;
        /// Large addresses, whatever the image says.
        OVERRIDE_ADDRESS_SPACE = 0x0000_0008;
        /// The image in large pages.
        LARGE_PAGES = 0x0000_0010;
        /// ntdll in large pages.
        LARGE_PAGE_SYSTEM_DLL = 0x0000_0020;
        /// Protected.
        PROTECTED_PROCESS = 0x0000_0040;
        /// In a session of its own.
        CREATE_SESSION = 0x0000_0080;
        /// Attributes come from the parent.
        INHERIT_FROM_PARENT = 0x0000_0100;
        /// Suspended.
        CREATE_SUSPENDED = 0x0000_0200;
        /// Out of the job, whatever that says.
        FORCE_BREAKAWAY = 0x0000_0400;
        /// Without an image.
        MINIMAL_PROCESS = 0x0000_0800;
        /// The section is given up.
        RELEASE_SECTION = 0x0000_1000;
        /// A copy of a minimal process.
        CLONE_MINIMAL = 0x0000_2000;
        /// A copy that commits less.
        CLONE_MINIMAL_REDUCED_COMMIT = 0x0000_4000;
        /// An auxiliary process.
        AUXILIARY_PROCESS = 0x0000_8000;
        /// The memory manager's store.
        CREATE_STORE = 0x0002_0000;
        /// A protected environment.
        USE_PROTECTED_ENVIRONMENT = 0x0004_0000;
    }

    /// Flags of `NtCreateThreadEx`, and of the first thread in `NtCreateUserProcess`.
    pub struct ThreadCreateFlags: u32, "THREAD_CREATE_FLAGS_" {
        /// Suspended.
        CREATE_SUSPENDED = 0x01;
        /// DLLs do not hear of it.
        SKIP_THREAD_ATTACH = 0x02;
        /// A debugger does not hear of it.
        HIDE_FROM_DEBUGGER = 0x04;
        /// One of the loader's own.
        LOADER_WORKER = 0x10;
        /// The loader does not initialise for it.
        SKIP_LOADER_INIT = 0x20;
        /// It runs in a frozen process.
        BYPASS_PROCESS_FREEZE = 0x40;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_success_member_fills_the_union() {
        assert_eq!(
            size_of::<w64::PsCreateSuccess>(),
            size_of::<crate::w64::PsCreateInfoData>()
        );
        assert_eq!(
            size_of::<w32::PsCreateSuccess>(),
            size_of::<crate::w32::PsCreateInfoData>()
        );
    }
}
