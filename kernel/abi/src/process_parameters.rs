//! `RTL_USER_PROCESS_PARAMETERS`: what a parent gives to a new process: names, environment, standard handles, window.
//!
//! The caller of `NtCreateUserProcess` builds the block in its own memory; the kernel copies it into the new process, converts it
//! when the widths differ, and fixes the strings' pointers. While [`ParameterFlags::PARAMS_NORMALIZED`] is off, these are offsets from
//! the block's beginning.

use crate::layout::layouts;
use crate::numbers::flags;

/// `RTL_MAX_DRIVE_LETTERS`.
pub const RTL_MAX_DRIVE_LETTERS: usize = 32;

layouts! {
    /// `CURDIR`: a current directory.
    pub struct Curdir (0x18, 0x0C) {
        0x00 0x00 dos_path: UnicodeString,
        0x10 0x08 handle: Handle,
    }

    /// `RTL_DRIVE_LETTER_CURDIR`: a drive's current directory.
    pub struct RtlDriveLetterCurdir (0x18, 0x10) {
        0x00 0x00 flags: u16,
        0x02 0x02 length: u16,
        0x04 0x04 time_stamp: u32,
        0x08 0x08 dos_path: AnsiString,
    }

    /// `RTL_USER_PROCESS_PARAMETERS`; the strings' text and the environment follow it.
    pub struct RtlUserProcessParameters (0x440, 0x2C0) {
        /// Size of the whole block.
        0x000 0x000 maximum_length: u32,
        /// Used part of the block.
        0x004 0x004 length: u32,
        0x008 0x008 flags: ParameterFlags,
        0x00C 0x00C debug_flags: u32,
        0x010 0x010 console_handle: Handle,
        0x018 0x014 console_flags: u32,
        0x01C 0x018 reserved0: Only64<u32>,
        0x020 0x018 standard_input: Handle,
        0x028 0x01C standard_output: Handle,
        0x030 0x020 standard_error: Handle,
        0x038 0x024 current_directory: Curdir,
        0x050 0x030 dll_path: UnicodeString,
        0x060 0x038 image_path_name: UnicodeString,
        0x070 0x040 command_line: UnicodeString,
        /// Terminated strings, ended by an empty one.
        0x080 0x048 environment: Pointer,
        0x088 0x04C starting_x: u32,
        0x08C 0x050 starting_y: u32,
        0x090 0x054 count_x: u32,
        0x094 0x058 count_y: u32,
        0x098 0x05C count_chars_x: u32,
        0x09C 0x060 count_chars_y: u32,
        0x0A0 0x064 fill_attribute: u32,
        0x0A4 0x068 window_flags: u32,
        0x0A8 0x06C show_window_flags: u32,
        0x0AC 0x070 reserved1: Only64<u32>,
        0x0B0 0x070 window_title: UnicodeString,
        0x0C0 0x078 desktop_info: UnicodeString,
        0x0D0 0x080 shell_info: UnicodeString,
        /// The C library's inherited file descriptors.
        0x0E0 0x088 runtime_data: UnicodeString,
        0x0F0 0x090 current_directories: [RtlDriveLetterCurdir; RTL_MAX_DRIVE_LETTERS],
        /// In bytes.
        0x3F0 0x290 environment_size: Size,
        0x3F8 0x294 environment_version: Size,
        0x400 0x298 package_dependency_data: Pointer,
        0x408 0x29C process_group_id: u32,
        /// How many threads the loader may use; 1 for none but the first.
        0x40C 0x2A0 loader_threads: u32,
        0x410 0x2A4 redirection_dll_name: UnicodeString,
        0x420 0x2AC heap_partition_name: UnicodeString,
        0x430 0x2B4 default_threadpool_cpu_set_masks: Pointer,
        0x438 0x2B8 default_threadpool_cpu_set_mask_count: u32,
        0x43C 0x2BC default_threadpool_thread_maximum: u32,
    }
}

flags! {
    /// `RTL_USER_PROCESS_PARAMETERS.Flags`.
    pub struct ParameterFlags: u32, "RTL_USER_PROC_" {
        /// Pointers, not offsets.
        PARAMS_NORMALIZED = 0x0000_0001;
        /// Profile user mode.
        PROFILE_USER = 0x0000_0002;
        /// Profile kernel mode.
        PROFILE_KERNEL = 0x0000_0004;
        /// Profile the servers.
        PROFILE_SERVER = 0x0000_0008;
        /// The first megabyte is kept free.
        RESERVE_1MB = 0x0000_0020;
        /// The first 16 megabytes are kept free.
        RESERVE_16MB = 0x0000_0040;
        /// Case counts in names.
        CASE_SENSITIVE = 0x0000_0080;
        /// Heaps are not decommitted.
        DISABLE_HEAP_DECOMMIT = 0x0000_0100;
        /// DLLs may be redirected to the program's directory.
        DLL_REDIRECTION_LOCAL = 0x0000_1000;
        /// The program has a manifest.
        APP_MANIFEST_PRESENT = 0x0000_2000;
        /// The IFEO key does not exist.
        IMAGE_KEY_MISSING = 0x0000_4000;
        /// IFEO of the developer.
        DEV_OVERRIDE_ENABLED = 0x0000_8000;
        OPTIN_PROCESS = 0x0002_0000;
        SESSION_OWNER = 0x0004_0000;
        HANDLE_USER_CALLBACK_EXCEPTIONS = 0x0008_0000;
        /// A protected process.
        PROTECTED_PROCESS = 0x0040_0000;
        /// A secure process.
        SECURE_PROCESS = 0x8000_0000;
    }
}
