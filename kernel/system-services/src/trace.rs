//! The trace: every service that user mode calls, as a line on the console.
//!
//! ```text
//! [    1.234567] trace: 4.8 NtSetEvent(event: 0x4, previous_state: out 0x7ffe10) = STATUS_SUCCESS (0x00000000), previous_state: 0
//! ```
//!
//! The numbers are those of the process and the thread. A line is put together in memory and given to the log in one
//! piece, when the service is done: lines of several threads do not mix, and stand in the order in which services end.
//!
//! Whether there is a trace is decided before the first thread runs, and a traced thread has a loop of its own: a call
//! that is not traced pays nothing for it.

use alloc::string::String;
use core::fmt;

use arch::contract::VirtAddr;
use arch::thread::UserState;
use arch::user::copy_in;
use nt_abi::NtStatus;
use nt_abi::services::{
    CallerMemory, MAXIMUM_ARGUMENTS, RawArguments as _, Service, by_number, format_call,
    format_results,
};

use crate::Caller;
use crate::dispatch::{self, Arguments};

/// Bytes of a line; what is too long for it is cut.
const LINE: usize = 1000;

/// A line that is put together; it keeps what fits into the memory that there was for it.
struct Line(String);

impl Line {
    fn new() -> Self {
        let mut text = String::new();
        // Without memory the line stays empty, and the call is done as ever.
        let _ = text.try_reserve_exact(LINE);
        Self(text)
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.0.capacity() - self.0.len();
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        Ok(())
    }
}

/// What the calling thread can read.
struct OwnMemory;

impl CallerMemory for OwnMemory {
    fn read(&self, address: u64, into: &mut [u8]) -> bool {
        copy_in(into, VirtAddr(address)).is_ok()
    }
}

/// A call's arguments, taken before the service can change the registers that hold them.
struct Taken {
    raw: [u64; MAXIMUM_ARGUMENTS],
    count: usize,
}

impl Taken {
    fn of(service: &Service, user: &UserState) -> Self {
        let arguments = Arguments(user);
        let mut taken = Self {
            raw: [0; MAXIMUM_ARGUMENTS],
            count: 0,
        };
        for (slot, index) in taken.raw.iter_mut().zip(0..service.arguments.len()) {
            // Those on a stack that cannot be read are missing, as for the service.
            let Ok(value) = arguments.argument(index) else {
                break;
            };
            *slot = value;
            taken.count += 1;
        }
        taken
    }

    fn raw(&self) -> &[u64] {
        &self.raw[..self.count]
    }
}

/// Runs the service with that number for the caller, and shows the call.
pub(crate) fn call(caller: &Caller<'_>, number: u32, user: &UserState) -> NtStatus {
    let known = u16::try_from(number).ok().and_then(by_number);
    let mut line = Line::new();
    let Some(service) = known else {
        let status = dispatch::call(caller, number, user);
        show(caller, format_args!("service {number:#x} = {status}"));
        return status;
    };
    let taken = Taken::of(service, user);
    // A line takes everything.
    let _ = format_call(&mut line, service, taken.raw(), &OwnMemory);
    let status = dispatch::call(caller, number, user);
    let _ = format_results(&mut line, service, taken.raw(), status, &OwnMemory);
    show(caller, format_args!("{}", line.0));
    status
}

fn show(caller: &Caller<'_>, text: fmt::Arguments<'_>) {
    let (process, thread) = (caller.process().id(), caller.thread.id());
    ke::announce!("trace: {process}.{thread} {text}");
}
