//! The debugger's or emulator's ear: ARM semihosting by `HLT #0xF000`.
//!
//! Where nobody listens HLT is undefined, so the first call is a question, and its
//! answer is kept.

use core::sync::atomic::{AtomicU8, Ordering};

use super::fixup;
use crate::contract::ExitCode;

const SYS_WRITE0: u64 = 4;
const SYS_EXIT_EXTENDED: u64 = 0x20;
/// `ADP_Stopped_ApplicationExit`: the second word is the exit code.
const APPLICATION_EXIT: u64 = 0x20026;

const UNKNOWN: u8 = 0;
const ANSWERS: u8 = 1;
const SILENT: u8 = 2;

/// Written by whoever asks first; asking twice at the same time gives the same answer twice.
static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

fn call(operation: u64, argument: u64) -> bool {
    if STATE.load(Ordering::Relaxed) == SILENT {
        return false;
    }
    // SAFETY: the two callers below pass what their operation wants.
    let answered = unsafe { fixup::semihosting_call(operation, argument) } != fixup::ABSENT;
    STATE.store(if answered { ANSWERS } else { SILENT }, Ordering::Relaxed);
    answered
}

/// Writes bytes (but zeroes) if the host listens.
pub(super) fn write(bytes: &[u8]) {
    // The operation takes a string that ends in zero, so the bytes go through a buffer.
    for chunk in bytes.chunks(63) {
        let mut text = [0; 64];
        for (to, from) in text.iter_mut().zip(chunk.iter().filter(|byte| **byte != 0)) {
            *to = *from;
        }
        if !call(SYS_WRITE0, text.as_ptr().addr() as u64) {
            return;
        }
    }
}

/// Ends the emulation with that code; returns if the host does not listen.
pub(super) fn exit(code: ExitCode) {
    let parameters = [APPLICATION_EXIT, u64::from(code as u8)];
    call(SYS_EXIT_EXTENDED, parameters.as_ptr().addr() as u64);
}
