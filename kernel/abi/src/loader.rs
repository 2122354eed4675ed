//! What the loader of user mode keeps and hands out beside the module entries of [`peb`](crate::peb): the graph of
//! dependencies, notifications, delayed imports, API sets, dynamic function tables.
//!
//! Programs see these: debuggers and module listers walk the graph, protection software registers for notifications,
//! compilers' helpers pass delay-load structures, just-in-time compilers read the list of function tables.
//!
//! Layouts: the public symbols of Windows 10 (version 1909), Microsoft's documentation of `LdrRegisterDllNotification`
//! and `LdrResolveDelayLoadedAPI`, and for API sets the published descriptions of schema version 6.

use crate::layout::{layout, layouts};
use crate::numbers::{flags, numbers};

layouts! {
    /// `LDR_DDAG_NODE`: modules that need each other, and what they need together.
    pub struct LdrDdagNode (0x50, 0x2C) {
        /// The modules, linked by `node_module_link`.
        0x00 0x00 modules: ListEntry,
        0x10 0x08 service_tag_list: Pointer,
        /// References from callers and from other nodes; [`LDR_PINNED`] if they are not counted.
        0x18 0x0C load_count: u32,
        0x1C 0x10 load_while_unloading_count: u32,
        0x20 0x14 lowest_link: u32,
        0x24 0x18 reserved0: Only64<u32>,
        /// The last of a circle of [`LdrDependencyRecord`]s, by `dependency_link`.
        0x28 0x18 dependencies: Pointer,
        /// The last of a circle of [`LdrDependencyRecord`]s, by `incoming_dependency_link`.
        0x30 0x1C incoming_dependencies: Pointer,
        0x38 0x20 state: LdrDdagState,
        0x3C 0x24 reserved1: Only64<u32>,
        0x40 0x24 condense_link: Pointer,
        0x48 0x28 preorder_number: u32,
        0x4C 0x2C reserved2: Only64<u32>,
    }

    /// `LDR_DEPENDENCY_RECORD`: one node needs another one.
    pub struct LdrDependencyRecord (0x20, 0x10) {
        /// The next one of the node that needs.
        0x00 0x00 dependency_link: Pointer,
        /// The node that is needed.
        0x08 0x04 dependency_node: Pointer,
        /// The next one of the node that is needed: the address of this field there.
        0x10 0x08 incoming_dependency_link: Pointer,
        /// The node that needs.
        0x18 0x0C incoming_dependency_node: Pointer,
    }

    /// `LDR_DLL_NOTIFICATION_DATA`: `LDR_DLL_LOADED_NOTIFICATION_DATA` and `LDR_DLL_UNLOADED_NOTIFICATION_DATA`.
    pub struct LdrDllNotificationData (0x28, 0x14) {
        /// Reserved; 0.
        0x00 0x00 flags: u32,
        0x04 0x04 reserved0: Only64<u32>,
        /// A [`UnicodeString`].
        0x08 0x04 full_dll_name: Pointer,
        /// A [`UnicodeString`].
        0x10 0x08 base_dll_name: Pointer,
        0x18 0x0C dll_base: Pointer,
        /// In bytes.
        0x20 0x10 size_of_image: u32,
        0x24 0x14 reserved1: Only64<u32>,
    }

    /// `LDR_RESOURCE_INFO`: which resource is wanted; each a number, or the address of a name.
    pub struct LdrResourceInfo (0x18, 0x0C) {
        0x00 0x00 kind: Size,
        0x08 0x04 name: Size,
        /// A `LANGID`.
        0x10 0x08 language: Size,
    }

    /// `DELAYLOAD_PROC_DESCRIPTOR`: which export a delayed import wants.
    pub struct DelayloadProcDescriptor (0x10, 0x08) {
        /// 0: by ordinal.
        0x00 0x00 import_described_by_name: u32,
        0x04 0x04 reserved: Only64<u32>,
        /// A terminated string of bytes, or the ordinal.
        0x08 0x04 description: Size,
    }

    /// `DELAYLOAD_INFO`: what a failure hook of delayed imports is told.
    pub struct DelayloadInfo (0x48, 0x24) {
        /// Size of this structure.
        0x00 0x00 size: u32,
        0x04 0x04 reserved0: Only64<u32>,
        /// The descriptor in the image.
        0x08 0x04 delayload_descriptor: Pointer,
        /// The place in the import address table.
        0x10 0x08 thunk_address: Pointer,
        /// A terminated string of bytes.
        0x18 0x0C target_dll_name: Pointer,
        0x20 0x10 target_api_descriptor: DelayloadProcDescriptor,
        0x30 0x18 target_module_base: Pointer,
        0x38 0x1C unused: Pointer,
        /// An `NtStatus`.
        0x40 0x20 last_error: u32,
        0x44 0x24 reserved1: Only64<u32>,
    }

    /// `DYNAMIC_FUNCTION_TABLE`: unwind data for code that is in no image.
    pub struct DynamicFunctionTable (0x88, 0x50) {
        0x00 0x00 list_entry: ListEntry,
        0x10 0x08 function_table: Pointer,
        0x18 0x0C reserved: Only32<u32>,
        0x18 0x10 time_stamp: i64,
        0x20 0x18 minimum_address: Size,
        /// The first address behind the code.
        0x28 0x1C maximum_address: Size,
        0x30 0x20 base_address: Size,
        0x38 0x24 callback: Pointer,
        0x40 0x28 context: Pointer,
        0x48 0x2C out_of_process_callback_dll: Pointer,
        0x50 0x30 kind: FunctionTableType,
        0x54 0x34 entry_count: u32,
        0x58 0x38 tree_node_min: RtlBalancedNode,
        0x70 0x44 tree_node_max: RtlBalancedNode,
    }

    /// `RTL_RB_TREE`: the root of a red-black tree of `RTL_BALANCED_NODE`s.
    pub struct RtlRbTree (0x10, 0x08) {
        0x00 0x00 root: Pointer,
        /// The first node; bit 0 set: parents are kept relative to their children.
        0x08 0x04 min: Size,
    }
}

/// `LDR_DDAG_NODE.LoadCount` of modules that stay for good.
pub const LDR_PINNED: u32 = u32::MAX;

layout! {
    /// `API_SET_NAMESPACE` of schema version 6: the header of `PEB.ApiSetMap`. Offsets are from its start.
    pub struct ApiSetNamespace (0x1C) {
        0x00 version: u32,
        /// Bytes of the whole map.
        0x04 size: u32,
        0x08 flags: u32,
        0x0C count: u32,
        /// [`ApiSetNamespaceEntry`]s, sorted by name.
        0x10 entry_offset: u32,
        /// [`ApiSetHashEntry`]s, sorted by hash.
        0x14 hash_offset: u32,
        /// What a hash is multiplied by before a unit is added.
        0x18 hash_factor: u32,
    }

    /// `API_SET_NAMESPACE_ENTRY`: an API set. Lengths are in bytes.
    pub struct ApiSetNamespaceEntry (0x18) {
        /// Bit 0: sealed.
        0x00 flags: u32,
        0x04 name_offset: u32,
        0x08 name_length: u32,
        /// Up to the last hyphen: what is compared.
        0x0C hashed_length: u32,
        /// [`ApiSetValueEntry`]s, the general one first.
        0x10 value_offset: u32,
        0x14 value_count: u32,
    }

    /// `API_SET_HASH_ENTRY`.
    pub struct ApiSetHashEntry (0x08) {
        0x00 hash: u32,
        0x04 index: u32,
    }

    /// `API_SET_VALUE_ENTRY`: who implements an API set, for one importer or for all.
    pub struct ApiSetValueEntry (0x14) {
        0x00 flags: u32,
        /// The importer; no length for all.
        0x04 name_offset: u32,
        0x08 name_length: u32,
        0x0C value_offset: u32,
        /// 0 if nobody implements it here.
        0x10 value_length: u32,
    }
}

numbers! {
    /// `LDR_DDAG_STATE`.
    pub struct LdrDdagState: i32 {
        /// Its modules went to another node.
        MERGED = -5, "LdrModulesMerged";
        /// An entry point failed.
        INIT_ERROR = -4, "LdrModulesInitError";
        /// An import was not found.
        SNAP_ERROR = -3, "LdrModulesSnapError";
        /// Unmapped.
        UNLOADED = -2, "LdrModulesUnloaded";
        /// On the way out.
        UNLOADING = -1, "LdrModulesUnloading";
        /// Nothing yet.
        PLACE_HOLDER = 0, "LdrModulesPlaceHolder";
        /// Being mapped.
        MAPPING = 1, "LdrModulesMapping";
        /// Mapped.
        MAPPED = 2, "LdrModulesMapped";
        /// What it needs is being mapped.
        WAITING_FOR_DEPENDENCIES = 3, "LdrModulesWaitingForDependencies";
        /// Its imports are being resolved.
        SNAPPING = 4, "LdrModulesSnapping";
        /// Its imports are resolved.
        SNAPPED = 5, "LdrModulesSnapped";
        /// Cycles were joined.
        CONDENSED = 6, "LdrModulesCondensed";
        /// Its entry points may be called.
        READY_TO_INIT = 7, "LdrModulesReadyToInit";
        /// Its entry points are being called.
        INITIALIZING = 8, "LdrModulesInitializing";
        /// In use.
        READY_TO_RUN = 9, "LdrModulesReadyToRun";
    }

    /// `LDR_DLL_LOAD_REASON`: why a module came into the process.
    pub struct LdrDllLoadReason: i32 {
        /// Somebody imports from it.
        STATIC_DEPENDENCY = 0, "LoadReasonStaticDependency";
        /// Somebody imports what is forwarded to it.
        STATIC_FORWARDER_DEPENDENCY = 1, "LoadReasonStaticForwarderDependency";
        /// Somebody asked for an export that is forwarded to it.
        DYNAMIC_FORWARDER_DEPENDENCY = 2, "LoadReasonDynamicForwarderDependency";
        /// A delayed import.
        DELAYLOAD_DEPENDENCY = 3, "LoadReasonDelayloadDependency";
        /// `LdrLoadDll`.
        DYNAMIC_LOAD = 4, "LoadReasonDynamicLoad";
        /// As an image that nothing is called of.
        AS_IMAGE_LOAD = 5, "LoadReasonAsImageLoad";
        /// As data.
        AS_DATA_LOAD = 6, "LoadReasonAsDataLoad";
        /// Not said.
        UNKNOWN = -1, "LoadReasonUnknown";
    }

    /// `FUNCTION_TABLE_TYPE`.
    pub struct FunctionTableType: u32 {
        /// Sorted by address.
        SORTED = 0, "RF_SORTED";
        /// Not sorted.
        UNSORTED = 1, "RF_UNSORTED";
        /// A function gives the entries.
        CALLBACK = 2, "RF_CALLBACK";
        /// Grows at its end.
        KERNEL_DYNAMIC = 3, "RF_KERNEL_DYNAMIC";
    }

    /// Why a DLL's entry point is called.
    pub struct DllReason: u32 {
        /// The DLL goes.
        PROCESS_DETACH = 0, "DLL_PROCESS_DETACH";
        /// The DLL came.
        PROCESS_ATTACH = 1, "DLL_PROCESS_ATTACH";
        /// A thread came.
        THREAD_ATTACH = 2, "DLL_THREAD_ATTACH";
        /// A thread goes.
        THREAD_DETACH = 3, "DLL_THREAD_DETACH";
    }

    /// Why a notification function is called.
    pub struct LdrNotificationReason: u32 {
        /// A DLL was loaded.
        LOADED = 1, "LDR_DLL_NOTIFICATION_REASON_LOADED";
        /// A DLL was unloaded.
        UNLOADED = 2, "LDR_DLL_NOTIFICATION_REASON_UNLOADED";
    }
}

flags! {
    /// `LDR_DATA_TABLE_ENTRY.Flags`.
    pub struct LdrEntryFlags: u32, "LDRP_" {
        PACKAGED_BINARY = 0x0000_0001;
        /// It is on the way out.
        MARKED_FOR_REMOVAL = 0x0000_0002;
        /// A DLL, not a program.
        IMAGE_DLL = 0x0000_0004;
        /// Notification functions have heard of it.
        LOAD_NOTIFICATIONS_SENT = 0x0000_0008;
        TELEMETRY_ENTRY_PROCESSED = 0x0000_0010;
        /// The program needs it from the start.
        PROCESS_STATIC_IMPORT = 0x0000_0020;
        /// It is in the three lists.
        IN_LEGACY_LISTS = 0x0000_0040;
        /// It is in the trees.
        IN_INDEXES = 0x0000_0080;
        SHIM_DLL = 0x0000_0100;
        /// Its function table is known to the unwinder.
        IN_EXCEPTION_TABLE = 0x0000_0200;
        /// It is being loaded.
        LOAD_IN_PROGRESS = 0x0000_1000;
        /// Its load configuration was looked at.
        LOAD_CONFIG_PROCESSED = 0x0000_2000;
        /// Its imports were looked at.
        ENTRY_PROCESSED = 0x0000_4000;
        /// Its table of delayed imports is read-only.
        PROTECT_DELAY_LOAD = 0x0000_8000;
        /// It does not hear of threads.
        DONT_CALL_FOR_THREADS = 0x0004_0000;
        /// Its entry point has been called for the process.
        PROCESS_ATTACH_CALLED = 0x0008_0000;
        /// Its entry point failed.
        PROCESS_ATTACH_FAILED = 0x0010_0000;
        COR_DEFERRED_VALIDATE = 0x0020_0000;
        COR_IMAGE = 0x0040_0000;
        /// It stays where it is, though that is not its base.
        DONT_RELOCATE = 0x0080_0000;
        COR_IL_ONLY = 0x0100_0000;
        /// It was found under another name.
        REDIRECTED = 0x1000_0000;
        COMPAT_DATABASE_PROCESSED = 0x8000_0000;
    }

    /// The flags of `LdrLoadDll`'s third argument.
    pub struct LdrLoadFlags: u32, "LDR_" {
        /// `IMAGE_FILE_EXECUTABLE_IMAGE`: `DONT_RESOLVE_DLL_REFERENCES`.
        DONT_RESOLVE_DLL_REFERENCES = 0x0000_0002;
        /// `LOAD_LIBRARY_REQUIRE_SIGNED_TARGET`.
        REQUIRE_SIGNED_TARGET = 0x0080_0000;
    }
}
