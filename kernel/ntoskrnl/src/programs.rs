//! The first program: what the command line names, among the [known images](crate::known_images).

use alloc::vec::Vec;

use arch::contract::{ExitCode, UserState as _};
use arch::thread::UserState;
use ke::wait::{WaitOptions, wait_for_one};
use ke::{announce, error};
use nt_abi::w64::RtlUserProcessParameters;
use nt_abi::{NtResult, NtStatus};
use ob::{CreateParameters, Object};
use ps::environment::{self, ParameterBlock, ParameterTexts};
use ps::image::Loaded;
use ps::process::ProcessParameters;
use ps::thread::ThreadParameters;
use ps::{Process, Thread};
use rtl::Utf16Str;

use crate::known_images;

/// Runs a program to its end and says how it ended.
pub(crate) fn run(command_line: &str) -> ExitCode {
    match start(command_line) {
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

fn start(command_line: &str) -> Result<NtStatus, Failure> {
    let because = |what: &'static str| move |status: NtStatus| (what, status);
    let name = program_name(command_line);
    let section =
        known_images::find(name).map_err(because("it is no program of the boot RAM disk"))?;
    let process = make_process().map_err(because("its process cannot be made"))?;
    let space = process.space();
    let path = wide(name).map_err(because("its name cannot be kept"))?;
    let image = ps::image::map_program(space, &section, Utf16Str::new(&path))
        .map_err(because("its image cannot be mapped"))?;
    if image.information.headers.machine.0 != UserState::MACHINE {
        return Err((
            "it is for another machine",
            NtStatus::IMAGE_MACHINE_TYPE_MISMATCH,
        ));
    }
    process.set_image(image);
    make_environment(&process, &image, name, command_line)
        .map_err(because("its environment cannot be made"))?;
    let parameters = ThreadParameters {
        start: image.entry,
        argument: process.peb(),
        ..ThreadParameters::default()
    };
    let thread = Thread::create(&process, &parameters, &CreateParameters::KERNEL)
        .map_err(because("its thread cannot be made"))?
        .into_object();
    Thread::start(&thread).map_err(because("its thread cannot be started"))?;
    drop(thread);
    let header = process.scheduled().header();
    wait_for_one(header, &WaitOptions::kernel());
    Ok(process.exit_status())
}

fn make_process() -> NtResult<Object<Process>> {
    let token = se::Token::system(ps::token::next_id())?;
    let token = ps::token::TokenBody::create(token)?;
    let parameters = ProcessParameters {
        parent: 0,
        token,
        inherit: None,
    };
    Ok(Process::create(parameters, &CreateParameters::KERNEL)?.into_object())
}

/// Where programs believe that they are.
const FOLDER: &str = "C:\\";

/// Gives a process its parameters and its PEB.
fn make_environment(process: &Process, image: &Loaded, name: &str, command_line: &str) -> NtResult {
    let mut path = wide(FOLDER)?;
    path.extend(wide(name)?);
    let directory = wide(FOLDER)?;
    let command_line = wide(command_line)?;
    let parameters = ParameterBlock::create(
        process.space(),
        &RtlUserProcessParameters::default(),
        &ParameterTexts {
            current_directory: &directory,
            image_path: &path,
            command_line: &command_line,
            ..ParameterTexts::default()
        },
    )?;
    process.set_peb(environment::create_peb(process.space(), image, parameters)?);
    Ok(())
}

fn wide(text: &str) -> NtResult<Vec<u16>> {
    let mut units = Vec::new();
    units
        .try_reserve(text.len())
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    units.extend(text.encode_utf16());
    Ok(units)
}

/// The first word of a command line, without quotes.
fn program_name(command_line: &str) -> &str {
    let line = command_line.trim_start();
    match line.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or(quoted),
        None => line.split(' ').next().unwrap_or(line),
    }
}
