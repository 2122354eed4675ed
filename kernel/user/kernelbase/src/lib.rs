//! kernelbase.dll: the base of Win32.
//!
//! Programs import these functions from kernel32.dll, which hands on to here, or by the names of API sets. Each is a thin
//! function over NT: it puts names and times into NT's form, calls a service or the run-time library of ntdll, and tells
//! failures as Win32 does, by a value and the thread's last error. Where Win32 has work of its own (messages, code pages,
//! locales, handles of movable memory, text on the console), that work is in modules that need no Windows and are tested
//! on the host; the exports, which need ntdll, are for Windows alone.
//!
//! `kernel32/exports.txt` says of each name of Windows 10 whether it is here.
#![cfg_attr(target_os = "windows", no_std)]
#![deny(unsafe_code)]
#![cfg_attr(
    target_pointer_width = "32",
    allow(
        clippy::cast_possible_truncation,
        reason = "addresses and sizes of the process have the width of its usize"
    )
)]
#![allow(
    clippy::useless_conversion,
    reason = "what is a conversion in one width is none in the other"
)]

extern crate alloc;

pub mod characters;
pub mod code_pages;
pub mod command_lines;
pub mod error;
pub mod file_masks;
pub mod locale;
pub mod messages;
pub mod movable;
pub mod nt_files;
pub mod sorting;
pub mod structures;
pub mod times;
pub mod utf8_stream;

#[cfg(target_os = "windows")]
pub mod attribute_list;
#[cfg(target_os = "windows")]
pub mod char_functions;
#[cfg(target_os = "windows")]
pub mod console;
#[cfg(target_os = "windows")]
pub mod control_handlers;
#[cfg(target_os = "windows")]
pub mod create_process;
#[cfg(target_os = "windows")]
pub mod errors;
#[cfg(target_os = "windows")]
pub mod events;
#[cfg(target_os = "windows")]
pub mod fibers;
#[cfg(target_os = "windows")]
pub mod file_copies;
#[cfg(target_os = "windows")]
pub mod file_info;
#[cfg(target_os = "windows")]
pub mod file_io;
#[cfg(target_os = "windows")]
pub mod files;
#[cfg(target_os = "windows")]
pub mod find;
#[cfg(target_os = "windows")]
pub mod format_message;
#[cfg(target_os = "windows")]
pub mod global_memory;
#[cfg(target_os = "windows")]
pub mod handles;
#[cfg(target_os = "windows")]
pub mod heap;
#[cfg(target_os = "windows")]
pub mod locales;
#[cfg(target_os = "windows")]
pub mod lock;
#[cfg(target_os = "windows")]
pub mod memory;
#[cfg(target_os = "windows")]
pub mod modules;
#[cfg(target_os = "windows")]
pub mod nls;
#[cfg(target_os = "windows")]
pub mod objects;
#[cfg(target_os = "windows")]
pub mod paths;
#[cfg(target_os = "windows")]
pub mod pipes;
#[cfg(target_os = "windows")]
pub mod pools;
#[cfg(target_os = "windows")]
pub mod ports;
#[cfg(target_os = "windows")]
pub mod processes;
#[cfg(target_os = "windows")]
pub mod resources;
#[cfg(target_os = "windows")]
pub mod sections;
#[cfg(target_os = "windows")]
pub mod start;
#[cfg(target_os = "windows")]
pub mod startup;
#[cfg(target_os = "windows")]
pub mod strings;
#[cfg(target_os = "windows")]
pub mod system;
#[cfg(target_os = "windows")]
pub mod threads;
#[cfg(target_os = "windows")]
pub mod time;
#[cfg(target_os = "windows")]
pub mod tls;
#[cfg(target_os = "windows")]
pub mod volumes;
#[cfg(target_os = "windows")]
pub mod waits;
#[cfg(target_os = "windows")]
pub mod wide;
#[cfg(target_os = "windows")]
pub mod win;

#[cfg(target_os = "windows")]
#[global_allocator]
static HEAP: c_interface::blocks::ProcessHeap = c_interface::blocks::ProcessHeap;
