//! `TEB`: what a thread keeps in user memory, found through X18 (ARM64), GS (x64), FS (x86) or CP15 (ARM32).
//!
//! A WoW64 thread has two: the 64-bit one, and [`WOW_TEB_OFFSET`] bytes behind it the 32-bit one. Each says in `wow_teb_offset`
//! where the other one is, relative to itself. The guest's stack limits, last error and TLS are in the 32-bit TEB; the WoW64
//! layer keeps its own state in the first `tls_slots` of the 64-bit one ([`WowTlsSlot`]).
//!
//! Offsets: Windows 10, version 1909; later versions append, and name what was reserved.

use crate::layout::layouts;
use crate::numbers::{flags, numbers};
use crate::primitives::{Guid, ProcessorNumber};

/// `TLS_MINIMUM_AVAILABLE`: TLS slots in the TEB itself.
pub const TLS_MINIMUM_AVAILABLE: usize = 64;

/// Where the 32-bit TEB lies relative to the 64-bit one (`wow_teb_offset` of the 64-bit TEB; the 32-bit one has its negative).
pub const WOW_TEB_OFFSET: i32 = 0x2000;

layouts! {
    /// `NT_TIB`: what every subsystem's thread block begins with.
    pub struct NtTib (0x38, 0x1C) {
        /// x86: the innermost exception registration, or -1. In a WoW64 thread's 64-bit TEB: the 32-bit TEB.
        0x00 0x00 exception_list: Pointer,
        /// The end of the stack, its highest address.
        0x08 0x04 stack_base: Pointer,
        /// The lowest address that the thread has touched.
        0x10 0x08 stack_limit: Pointer,
        0x18 0x0C sub_system_tib: Pointer,
        /// Fiber data, or a version.
        0x20 0x10 fiber_data: Pointer,
        0x28 0x14 arbitrary_user_pointer: Pointer,
        /// The TEB's own address.
        0x30 0x18 this: Pointer,
    }

    /// `ACTIVATION_CONTEXT_STACK`: which manifest is active.
    pub struct ActivationContextStack (0x28, 0x18) {
        0x00 0x00 active_frame: Pointer,
        0x08 0x04 frame_list_cache: ListEntry,
        0x18 0x0C flags: u32,
        0x1C 0x10 next_cookie_sequence_number: u32,
        0x20 0x14 stack_id: u32,
        0x24 0x18 reserved: Only64<u32>,
    }

    /// `GDI_TEB_BATCH`: drawing that was put off. Wine's ntdll keeps private data here.
    pub struct GdiTebBatch (0x4E8, 0x4E0) {
        0x000 0x000 offset: u32,
        0x004 0x004 reserved: Only64<u32>,
        0x008 0x004 hdc: Size,
        0x010 0x008 buffer: [u32; 310],
    }

    /// `TEB`.
    pub struct Teb (0x1838, 0x1000) {
        0x0000 0x0000 nt_tib: NtTib,
        0x0038 0x001C environment_pointer: Pointer,
        0x0040 0x0020 client_id: ClientId,
        0x0050 0x0028 active_rpc_handle: Pointer,
        /// Array of the modules' TLS blocks.
        0x0058 0x002C thread_local_storage_pointer: Pointer,
        /// The PEB.
        0x0060 0x0030 process_environment_block: Pointer,
        0x0068 0x0034 last_error_value: u32,
        0x006C 0x0038 count_of_owned_critical_sections: u32,
        0x0070 0x003C csr_client_thread: Pointer,
        0x0078 0x0040 win32_thread_info: Pointer,
        0x0080 0x0044 user32_reserved: [u32; 26],
        0x00E8 0x00AC user_reserved: [u32; 5],
        0x00FC 0x00C0 reserved0: Only64<u32>,
        /// WoW64: 32-bit code calls here for a system call.
        0x0100 0x00C0 wow32_reserved: Pointer,
        0x0108 0x00C4 current_locale: u32,
        0x010C 0x00C8 fp_software_status_register: u32,
        0x0110 0x00CC reserved_for_debugger_instrumentation: [Pointer; 16],
        0x0190 0x010C system_reserved1: TebSystemReserved1,
        0x0280 0x0174 placeholder_compatibility_mode: u8,
        0x0281 0x0175 placeholder_hydration_always_explicit: u8,
        0x0282 0x0176 placeholder_reserved: [u8; 10],
        0x028C 0x0180 proxied_process_id: u32,
        0x0290 0x0184 activation_stack: ActivationContextStack,
        0x02B8 0x019C working_on_behalf_ticket: [u8; 8],
        /// The status that the thread died of.
        0x02C0 0x01A4 exception_code: u32,
        0x02C4 0x01A8 reserved1: Only64<u32>,
        /// The activation stack in use.
        0x02C8 0x01A8 activation_context_stack_pointer: Pointer,
        0x02D0 0x01AC instrumentation_callback_sp: Size,
        0x02D8 0x01B0 instrumentation_callback_previous_pc: Size,
        0x02E0 0x01B4 instrumentation_callback_previous_sp: Size,
        /// `TxFsContext`, where the 64-bit form has it.
        0x02E8 0x01B8 tx_fs_context64: Only64<u32>,
        0x02EC 0x01B8 instrumentation_callback_disabled: u8,
        /// Spare in the 32-bit form.
        0x02ED 0x01B9 unaligned_load_store_exceptions: u8,
        0x02EE 0x01BA spare_bytes: TebSpareBytes,
        /// `TxFsContext`, where the 32-bit form has it.
        0x02F0 0x01D0 tx_fs_context32: Only32<u32>,
        0x02F0 0x01D4 gdi_teb_batch: GdiTebBatch,
        0x07D8 0x06B4 real_client_id: ClientId,
        0x07E8 0x06BC gdi_cached_process_handle: Handle,
        0x07F0 0x06C0 gdi_client_pid: u32,
        0x07F4 0x06C4 gdi_client_tid: u32,
        0x07F8 0x06C8 gdi_thread_local_info: Pointer,
        0x0800 0x06CC win32_client_info: [Size; 62],
        0x09F0 0x07C4 gl_dispatch_table: [Pointer; 233],
        0x1138 0x0B68 gl_reserved1: [Size; 29],
        0x1220 0x0BDC gl_reserved2: Pointer,
        0x1228 0x0BE0 gl_section_info: Pointer,
        0x1230 0x0BE4 gl_section: Pointer,
        0x1238 0x0BE8 gl_table: Pointer,
        0x1240 0x0BEC gl_current_rc: Pointer,
        0x1248 0x0BF0 gl_context: Pointer,
        0x1250 0x0BF4 last_status_value: u32,
        0x1254 0x0BF8 reserved2: Only64<u32>,
        /// For conversions of names: refers to `static_unicode_buffer`.
        0x1258 0x0BF8 static_unicode_string: UnicodeString,
        0x1268 0x0C00 static_unicode_buffer: [u16; 261],
        0x1472 0x0E0A reserved3: [u8; 2],
        0x1474 0x0E0C reserved4: Only64<u32>,
        /// The stack's allocation.
        0x1478 0x0E0C deallocation_stack: Pointer,
        0x1480 0x0E10 tls_slots: [Pointer; TLS_MINIMUM_AVAILABLE],
        0x1680 0x0F10 tls_links: ListEntry,
        0x1690 0x0F18 vdm: Pointer,
        0x1698 0x0F1C reserved_for_nt_rpc: Pointer,
        0x16A0 0x0F20 dbg_ss_reserved: [Pointer; 2],
        0x16B0 0x0F28 hard_error_mode: u32,
        0x16B4 0x0F2C reserved5: Only64<u32>,
        0x16B8 0x0F2C instrumentation: TebInstrumentation,
        0x1710 0x0F50 activity_id: Guid,
        0x1720 0x0F60 sub_process_tag: Pointer,
        0x1728 0x0F64 perflib_data: Pointer,
        0x1730 0x0F68 etw_trace_data: Pointer,
        0x1738 0x0F6C win_sock_data: Pointer,
        0x1740 0x0F70 gdi_batch_count: u32,
        0x1744 0x0F74 current_ideal_processor: ProcessorNumber,
        0x1748 0x0F78 guaranteed_stack_bytes: u32,
        0x174C 0x0F7C reserved6: Only64<u32>,
        0x1750 0x0F7C reserved_for_perf: Pointer,
        0x1758 0x0F80 reserved_for_ole: Pointer,
        0x1760 0x0F84 waiting_on_loader_lock: u32,
        0x1764 0x0F88 reserved7: Only64<u32>,
        0x1768 0x0F88 saved_priority_state: Pointer,
        0x1770 0x0F8C reserved_for_code_coverage: Size,
        0x1778 0x0F90 thread_pool_data: Pointer,
        0x1780 0x0F94 tls_expansion_slots: Pointer,
        /// `DeallocationBStore`; ARM64EC's CPU area in later versions.
        0x1788 0x0F98 deallocation_b_store: Only64<u64>,
        /// `BStoreLimit`.
        0x1790 0x0F98 b_store_limit: Only64<u64>,
        0x1798 0x0F98 mui_generation: u32,
        0x179C 0x0F9C is_impersonating: u32,
        0x17A0 0x0FA0 nls_cache: Pointer,
        0x17A8 0x0FA4 shim_data: Pointer,
        0x17B0 0x0FA8 heap_data: u32,
        0x17B4 0x0FAC reserved8: Only64<u32>,
        0x17B8 0x0FAC current_transaction_handle: Handle,
        0x17C0 0x0FB0 active_frame: Pointer,
        0x17C8 0x0FB4 fls_data: Pointer,
        0x17D0 0x0FB8 preferred_languages: Pointer,
        0x17D8 0x0FBC user_pref_languages: Pointer,
        0x17E0 0x0FC0 merged_pref_languages: Pointer,
        0x17E8 0x0FC4 mui_impersonation: u32,
        0x17EC 0x0FC8 cross_teb_flags: u16,
        0x17EE 0x0FCA same_teb_flags: SameTebFlags,
        0x17F0 0x0FCC txn_scope_enter_callback: Pointer,
        0x17F8 0x0FD0 txn_scope_exit_callback: Pointer,
        0x1800 0x0FD4 txn_scope_context: Pointer,
        0x1808 0x0FD8 lock_count: u32,
        /// See [`WOW_TEB_OFFSET`]; 0 in a thread that has one TEB.
        0x180C 0x0FDC wow_teb_offset: i32,
        0x1810 0x0FE0 resource_ret_value: Pointer,
        0x1818 0x0FE4 reserved_for_wdf: Pointer,
        0x1820 0x0FE8 reserved_for_crt: u64,
        0x1828 0x0FF0 effective_container_id: Guid,
    }
}

flags! {
    /// `TEB.SameTebFlags`: written by the thread itself.
    pub struct SameTebFlags: u16, "" {
        /// `SafeThunkCall`.
        SAFE_THUNK_CALL = 0x0001;
        /// `InDebugPrint`.
        IN_DEBUG_PRINT = 0x0002;
        /// `HasFiberData`: the thread is a fiber.
        HAS_FIBER_DATA = 0x0004;
        /// `SkipThreadAttach`: DLLs do not hear of it.
        SKIP_THREAD_ATTACH = 0x0008;
        /// `WerInShipAssertCode`.
        WER_IN_SHIP_ASSERT_CODE = 0x0010;
        /// `RanProcessInit`: it initialised the process.
        RAN_PROCESS_INIT = 0x0020;
        /// `ClonedThread`.
        CLONED_THREAD = 0x0040;
        /// `SuppressDebugMsg`.
        SUPPRESS_DEBUG_MSG = 0x0080;
        /// `DisableUserStackWalk`.
        DISABLE_USER_STACK_WALK = 0x0100;
        /// `RtlExceptionAttached`.
        RTL_EXCEPTION_ATTACHED = 0x0200;
        /// `InitialThread`: the first of its process.
        INITIAL_THREAD = 0x0400;
        /// `SessionAware`.
        SESSION_AWARE = 0x0800;
        /// `LoadOwner`.
        LOAD_OWNER = 0x1000;
        /// `LoaderWorker`.
        LOADER_WORKER = 0x2000;
        /// `SkipLoaderInit`.
        SKIP_LOADER_INIT = 0x4000;
        /// `SkipFileAPIBrokering`.
        SKIP_FILE_API_BROKERING = 0x8000;
    }
}

numbers! {
    /// `WOW64_TLS_*`: what WoW64 keeps in the `tls_slots` of a thread's 64-bit TEB.
    pub struct WowTlsSlot: u32 {
        /// The 64-bit stack pointer while 32-bit code runs.
        STACKPTR64 = 0, "WOW64_TLS_STACKPTR64";
        /// The CPU area, a [`CpuReserved`](crate::context::CpuReserved).
        CPURESERVED = 1, "WOW64_TLS_CPURESERVED";
        /// Not 0 while 32-bit code runs.
        INCPUSIMULATION = 2, "WOW64_TLS_INCPUSIMULATION";
        /// Memory to free after the call.
        TEMPLIST = 3, "WOW64_TLS_TEMPLIST";
        /// The exception being passed.
        EXCEPTIONADDR = 4, "WOW64_TLS_EXCEPTIONADDR";
        /// The callback in progress.
        USERCALLBACKDATA = 5, "WOW64_TLS_USERCALLBACKDATA";
        /// Floating-point state beyond the context.
        EXTENDED_FLOAT = 6, "WOW64_TLS_EXTENDED_FLOAT";
        /// APCs in progress.
        APCLIST = 7, "WOW64_TLS_APCLIST";
        /// Not 0: file redirection is off.
        FILESYSREDIR = 8, "WOW64_TLS_FILESYSREDIR";
        /// The last system call.
        LASTWOWCALL = 9, "WOW64_TLS_LASTWOWCALL";
        /// `WOW64INFO`, behind the 32-bit PEB.
        WOW64INFO = 10, "WOW64_TLS_WOW64INFO";
        /// The initial 32-bit TEB.
        INITIAL_TEB32 = 11, "WOW64_TLS_INITIAL_TEB32";
    }
}
