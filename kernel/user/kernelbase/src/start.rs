//! How the DLL comes up, and how it goes down when one of its own rules is broken.

use core::fmt::Write;

use c_interface::blocks;
use nt_abi::services::arguments;
use ntdll_imports::NtTerminateProcess;

use crate::win::*;

/// `DLL_PROCESS_ATTACH`.
const PROCESS_ATTACH: u32 = 1;

fn allocate(bytes: usize) -> Ptr<u8> {
    ntdll_imports::RtlAllocateHeap(process_heap(), 0, bytes)
}

fn free(block: Ptr<u8>) {
    if !block.is_null() {
        ntdll_imports::RtlFreeHeap(process_heap(), 0, block);
    }
}

exports! {
    /// The DLL's entry point.
    fn KernelBaseDllInitialize(_module: Ptr<u8>, reason: u32, _reserved: Ptr<u8>) -> Bool {
        if reason == PROCESS_ATTACH {
            blocks::set_heap(allocate, free);
            crate::errors::begin();
        }
        TRUE
    }
}

/// A line of ASCII, made without memory.
pub struct Line {
    bytes: [u8; 256],
    used: usize,
}

impl Line {
    /// An empty one.
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; 256],
            used: 0,
        }
    }

    /// Shows it on the console.
    pub(crate) fn show(&self) {
        crate::console::display(self.bytes[..self.used].iter().map(|&byte| u16::from(byte)));
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        for byte in text.bytes() {
            let Some(place) = self.bytes.get_mut(self.used) else {
                break;
            };
            *place = byte;
            self.used += 1;
        }
        Ok(())
    }
}

#[cfg(not(test))]
#[panic_handler]
fn panic(what: &core::panic::PanicInfo<'_>) -> ! {
    let mut line = Line::new();
    let _full = writeln!(line, "kernelbase: {what}");
    line.show();
    loop {
        let _refused = NtTerminateProcess(
            arguments::Handle::CURRENT_PROCESS,
            NtStatus::ASSERTION_FAILURE,
        );
    }
}
