//! A program without the standard library: it names what it imports itself. Writes a line, and ends with 23.
#![no_std]
#![no_main]

use core::ffi::c_void;
use core::panic::PanicInfo;

/// `STD_OUTPUT_HANDLE`.
const OUTPUT: u32 = -11_i32 as u32;

#[link(name = "kernel32", kind = "raw-dylib")]
unsafe extern "system" {
    fn GetStdHandle(which: u32) -> *mut c_void;
    fn WriteFile(
        file: *mut c_void,
        bytes: *const u8,
        count: u32,
        written: *mut u32,
        overlapped: *mut c_void,
    ) -> i32;
    fn ExitProcess(code: u32) -> !;
}

#[unsafe(no_mangle)]
extern "system" fn mainCRTStartup() -> ! {
    let text = b"Hello without a library.\n";
    let mut written = 0;
    // SAFETY: the text is as long as is said.
    let done = unsafe {
        WriteFile(
            GetStdHandle(OUTPUT),
            text.as_ptr(),
            text.len() as u32,
            &mut written,
            core::ptr::null_mut(),
        )
    };
    let all = done != 0 && written as usize == text.len();
    // SAFETY: the process ends.
    unsafe { ExitProcess(if all { 23 } else { 1 }) }
}

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    // SAFETY: the process ends.
    unsafe { ExitProcess(101) }
}
