//! Debug objects: what a debugger gets from `NtWaitForDebugEvent`, and what it may set.

use crate::layout::{layout, layouts};
use crate::numbers::{flags, numbers};

numbers! {
    /// `DBG_STATE`: what happened.
    pub struct DebugState: u32 {
        IDLE = 0, "DbgIdle";
        REPLY_PENDING = 1, "DbgReplyPending";
        /// [`w64::DbgUiCreateThread`].
        CREATE_THREAD = 2, "DbgCreateThreadStateChange";
        /// [`w64::DbgUiCreateProcess`].
        CREATE_PROCESS = 3, "DbgCreateProcessStateChange";
        /// [`DbgKmExitThread`].
        EXIT_THREAD = 4, "DbgExitThreadStateChange";
        /// [`DbgKmExitProcess`].
        EXIT_PROCESS = 5, "DbgExitProcessStateChange";
        /// [`w64::DbgKmException`].
        EXCEPTION = 6, "DbgExceptionStateChange";
        /// [`w64::DbgKmException`].
        BREAKPOINT = 7, "DbgBreakpointStateChange";
        /// [`w64::DbgKmException`].
        SINGLE_STEP = 8, "DbgSingleStepStateChange";
        /// [`w64::DbgKmLoadDll`].
        LOAD_DLL = 9, "DbgLoadDllStateChange";
        /// [`w64::DbgKmUnloadDll`].
        UNLOAD_DLL = 10, "DbgUnloadDllStateChange";
    }

    /// `DEBUGOBJECTINFOCLASS`, of `NtSetInformationDebugObject`.
    pub struct DebugObjectInformationClass: u32 {
        /// `u32`: [`DebugObjectFlags`].
        KILL_PROCESS_ON_EXIT = 1, "DebugObjectKillProcessOnExitInformation";
    }
}

flags! {
    /// Flags of a debug object.
    pub struct DebugObjectFlags: u32, "DEBUG_" {
        /// When its last handle is closed, its processes end.
        KILL_ON_CLOSE = 0x1;
    }
}

layouts! {
    /// `DBGKM_EXCEPTION`.
    pub struct DbgKmException (0xA0, 0x54) {
        0x00 0x00 exception_record: ExceptionRecord,
        0x98 0x50 first_chance: u32,
        0x9C 0x54 reserved0: Only64<u32>,
    }

    /// `DBGKM_CREATE_THREAD`.
    pub struct DbgKmCreateThread (0x10, 0x08) {
        0x00 0x00 sub_system_key: u32,
        0x04 0x04 reserved0: Only64<u32>,
        0x08 0x04 start_address: Pointer,
    }

    /// `DBGKM_CREATE_PROCESS`.
    pub struct DbgKmCreateProcess (0x30, 0x1C) {
        0x00 0x00 sub_system_key: u32,
        0x04 0x04 reserved0: Only64<u32>,
        0x08 0x04 file_handle: Handle,
        0x10 0x08 base_of_image: Pointer,
        0x18 0x0C debug_info_file_offset: u32,
        0x1C 0x10 debug_info_size: u32,
        0x20 0x14 initial_thread: DbgKmCreateThread,
    }

    /// `DBGKM_LOAD_DLL`.
    pub struct DbgKmLoadDll (0x20, 0x14) {
        0x00 0x00 file_handle: Handle,
        0x08 0x04 base_of_dll: Pointer,
        0x10 0x08 debug_info_file_offset: u32,
        0x14 0x0C debug_info_size: u32,
        /// Where the process has a pointer to its name.
        0x18 0x10 name_pointer: Pointer,
    }

    /// `DBGKM_UNLOAD_DLL`.
    pub struct DbgKmUnloadDll (0x08, 0x04) {
        0x00 0x00 base_address: Pointer,
    }

    /// `DBGUI_CREATE_THREAD`.
    pub struct DbgUiCreateThread (0x18, 0x0C) {
        0x00 0x00 handle_to_thread: Handle,
        0x08 0x04 new_thread: DbgKmCreateThread,
    }

    /// `DBGUI_CREATE_PROCESS`.
    pub struct DbgUiCreateProcess (0x40, 0x24) {
        0x00 0x00 handle_to_process: Handle,
        0x08 0x04 handle_to_thread: Handle,
        0x10 0x08 new_process: DbgKmCreateProcess,
    }

    /// `DBGUI_WAIT_STATE_CHANGE`: an event.
    pub struct DbgUiWaitStateChange (0xB8, 0x60) {
        0x00 0x00 new_state: DebugState,
        0x04 0x04 reserved0: Only64<u32>,
        0x08 0x04 app_client_id: ClientId,
        /// The union: see [`DebugState`] for its members.
        0x18 0x0C state_info: DbgUiStateInfo,
    }
}

layout! {
    /// `DBGKM_EXIT_THREAD`.
    pub struct DbgKmExitThread (0x04) {
        0x00 exit_status: u32,
    }

    /// `DBGKM_EXIT_PROCESS`.
    pub struct DbgKmExitProcess (0x04) {
        0x00 exit_status: u32,
    }
}
