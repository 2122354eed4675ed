//! The first program: what the command line names, out of the boot RAM disk.

use arch::contract::{ExitCode, UserState as _};
use arch::thread::UserState;
use ke::wait::{WaitOptions, wait_for_one};
use ke::{announce, error};
use mm::address_space::{Allocation, Limits};
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::{NtResult, NtStatus};
use ob::{CreateParameters, Object};
use ps::process::ProcessParameters;
use ps::thread::UserStart;
use ps::{Process, Thread};
use rtl::cpio::Archive;

use crate::Running;

/// Bytes of a first thread's stack.
const STACK: u64 = 1 << 20;

/// Runs a program to its end and says how it ended.
pub(crate) fn run(running: &Running, command_line: &str) -> ExitCode {
    match start(running, command_line) {
        Ok(status) => {
            announce!("program ended with {:#010x}", status.0);
            ExitCode::Success
        }
        Err((what, status)) => {
            error!("`{command_line}`: {what}: {status}");
            ExitCode::CheckFailed
        }
    }
}

type Failure = (&'static str, NtStatus);

fn start(running: &Running, command_line: &str) -> Result<NtStatus, Failure> {
    let because = |what: &'static str| move |status: NtStatus| (what, status);
    let disk = arch::memory::ram_disk(running.loader())
        .ok_or(("there is no boot RAM disk", NtStatus::NO_SUCH_DEVICE))?;
    let name = program_name(command_line);
    let file = find(disk, name).map_err(because("it is not on the boot RAM disk"))?;
    let process = make_process().map_err(because("its process cannot be made"))?;
    let space = process.space();
    let image = ps::image::load(space, file, UserState::MACHINE)
        .map_err(because("its image cannot be loaded"))?;
    let stack = space
        .allocate(&Allocation {
            base: 0,
            size: STACK,
            zero_bits: 0,
            kind: AllocationType::COMMIT | AllocationType::RESERVE,
            protection: PageProtection::READWRITE,
            limits: Limits::ANYWHERE,
        })
        .map_err(because("its stack cannot be made"))?;
    let start = UserStart {
        pc: image.entry,
        // As after a call: room for what a function may store for its caller, and aligned as the machine wants it.
        sp: stack.end.0 - 0x100 - UserState::RETURN_ADDRESS_BYTES,
        ..UserStart::default()
    };
    let thread = Thread::create(&process, &start, &CreateParameters::KERNEL)
        .map_err(because("its thread cannot be made"))?
        .into_object();
    Thread::start(&thread).map_err(because("its thread cannot be started"))?;
    drop(thread);
    let header = process.scheduled().header();
    wait_for_one(header, &WaitOptions::kernel());
    Ok(process.exit_status())
}

fn make_process() -> NtResult<Object<Process>> {
    let token = se::Token::system(nt_abi::security::Luid::default())?;
    let token =
        arch::counted::Counted::new((), token).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    let parameters = ProcessParameters { parent: 0, token };
    Ok(Process::create(parameters, &CreateParameters::KERNEL)?.into_object())
}

/// The first word of a command line, without quotes.
fn program_name(command_line: &str) -> &str {
    let line = command_line.trim_start();
    match line.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or(quoted),
        None => line.split(' ').next().unwrap_or(line),
    }
}

/// A file of the RAM disk, by its name with or without `.exe`.
fn find<'a>(disk: &'a [u8], name: &str) -> NtResult<&'a [u8]> {
    let archive = Archive::new(disk);
    for entry in archive.entries() {
        let entry = entry.map_err(|_| NtStatus::DISK_CORRUPT_ERROR)?;
        let matches = entry.name.eq_ignore_ascii_case(name.as_bytes())
            || entry
                .name
                .strip_suffix(b".exe")
                .is_some_and(|stem| stem.eq_ignore_ascii_case(name.as_bytes()));
        if matches {
            return Ok(entry.data);
        }
    }
    Err(NtStatus::OBJECT_NAME_NOT_FOUND)
}
