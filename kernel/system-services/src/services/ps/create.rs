//! Services that make processes.

use alloc::vec::Vec;

use mm::Section;
use nt_abi::access::AccessMask;
use nt_abi::process_creation::{ProcessCreateFlags, PsAttributeNumber, ThreadCreateFlags};
use nt_abi::services::arguments::{
    AccessMask as Access, Boolean, Handle, InOut, ObjectAttributes, OptionalIn, Out,
    PsAttributeList, PsCreateInfo, UserProcessParameters,
};
use nt_abi::w64::{self, RtlUserProcessParameters};
use nt_abi::{NtResult, NtStatus};
use ob::{CreateParameters, Object, ObjectBody, Root};
use ps::environment::{self, ParameterBlock, ParameterTexts};
use ps::image::Loaded;
use ps::process::{Inheritance, ProcessParameters};
use ps::thread::ThreadParameters;
use ps::token::{SharedToken, TokenBody};
use ps::{Process, Thread};
use rtl::Utf16Str;
use rtl::security::DescriptorBuf;

use super::attributes::Attributes;
use super::newborn::Newborn;
use super::program::{self, CreateInfo};
use super::thread::{ids_of, note_flags};
use crate::Caller;
use crate::capture::{self, Pointer};

/// The bits of `NtCreateProcessEx` that mean something here.
const KNOWN_FLAGS: ProcessCreateFlags = ProcessCreateFlags::BREAKAWAY
    .union(ProcessCreateFlags::NO_DEBUG_INHERIT)
    .union(ProcessCreateFlags::INHERIT_HANDLES)
    .union(ProcessCreateFlags::OVERRIDE_ADDRESS_SPACE)
    .union(ProcessCreateFlags::CREATE_SUSPENDED)
    .union(ProcessCreateFlags::FORCE_BREAKAWAY)
    .union(ProcessCreateFlags::RELEASE_SECTION);

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_create_process(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    parent_process: Handle,
    inherit_object_table: Boolean,
    section: Handle,
    debug_port: Handle,
    token: Handle,
) -> NtResult {
    let flags = if inherit_object_table.is_true() {
        ProcessCreateFlags::INHERIT_HANDLES
    } else {
        ProcessCreateFlags::empty()
    };
    nt_create_process_ex(
        caller,
        handle,
        access,
        attributes,
        parent_process,
        flags.bits(),
        section,
        debug_port,
        token,
        0,
    )
}

/// Makes a process without threads from an image section.
///
/// # Differs
/// A process without a section, which on Windows is a copy of its parent, is not done: `NOT_IMPLEMENTED`.
#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_create_process_ex(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    parent_process: Handle,
    flags: u32,
    section: Handle,
    debug_port: Handle,
    token: Handle,
    _reserved: u32,
) -> NtResult {
    let flags = ProcessCreateFlags::from_bits(flags)
        .filter(|flags| KNOWN_FLAGS.contains(*flags))
        .ok_or(NtStatus::INVALID_PARAMETER)?;
    handle.probe::<u64>()?;
    let attributes = capture::Attributes::capture(attributes.address())?;
    if parent_process.is_null() {
        // The system's first process alone has no parent, and user mode does not make it.
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let parent = caller.reference_process(parent_process, AccessMask::PROCESS_CREATE_PROCESS)?;
    if !debug_port.is_null() {
        // Of whatever type it is, it is no debug object: there are none.
        caller.reference_any(debug_port, AccessMask::NONE)?;
        return Err(NtStatus::OBJECT_TYPE_MISMATCH);
    }
    if section.is_null() {
        return Err(NtStatus::NOT_IMPLEMENTED);
    }
    let section: Object<Section> = caller.reference(section, AccessMask::SECTION_MAP_EXECUTE)?;
    let (_, refused) = program::refusal(&section.image_information()?).unzip();
    if let Some(status) = refused {
        return Err(status);
    }
    let token = token_for(caller, &parent, token)?;
    let inherit = flags
        .contains(ProcessCreateFlags::INHERIT_HANDLES)
        .then_some(Inheritance {
            from: &parent,
            only: None,
        });
    let parameters = ProcessParameters {
        parent: parent.id(),
        token,
        inherit,
    };
    let created = with_object(caller, &attributes, access, |object| {
        Process::create(parameters, object)
    })?;
    let process = created.object.clone();
    let newborn = Newborn::begin(caller, &parent, &process, flags, &Attributes::default())?;
    let loaded = ps::image::map_program(process.space(), &section, Utf16Str::new(&[]))?;
    process.set_image(loaded);
    process.set_peb(environment::create_peb(process.space(), &loaded, 0)?);
    let number = created.into_handle(&caller.handles())?;
    handle.write(&number.0).inspect_err(|_| {
        // Nobody knows its handle.
        caller.handles().table.withdraw(number, &process);
    })?;
    newborn.keep();
    Ok(())
}

/// Makes an object with the caller's attributes and tokens.
pub(super) fn with_object<T: ObjectBody>(
    caller: &Caller<'_>,
    attributes: &capture::Attributes,
    access: Access,
    make: impl FnOnce(&CreateParameters<'_>) -> NtResult<ob::Created<T>>,
) -> NtResult<ob::Created<T>> {
    let descriptor = attributes.descriptor()?;
    let tokens = caller.tokens();
    if attributes.name.is_some() {
        // Processes and threads have no names.
        return Err(NtStatus::INVALID_PARAMETER);
    }
    make(&CreateParameters {
        name: None,
        root: Root::Namespace,
        attributes: attributes.flags,
        descriptor: descriptor.as_ref().map(DescriptorBuf::as_descriptor),
        access: AccessMask(access.0),
        subject: tokens.subject(),
    })
}

/// The token of a new process: a copy of the one that was named, or of its parent's.
fn token_for(caller: &Caller<'_>, parent: &Process, handle: Handle) -> NtResult<SharedToken> {
    let from = if handle.is_null() {
        parent.token()
    } else {
        let token: SharedToken = caller.reference(handle, AccessMask::TOKEN_ASSIGN_PRIMARY)?;
        ps::token::check_assignable(&token, &parent.token(), &caller.tokens().subject())?;
        token
    };
    TokenBody::create_primary_of(&from)
}

/// The attributes that a new process and its first thread can have.
const ATTRIBUTES: [PsAttributeNumber; 8] = [
    PsAttributeNumber::JOB_LIST,
    PsAttributeNumber::PARENT_PROCESS,
    PsAttributeNumber::TOKEN,
    PsAttributeNumber::CLIENT_ID,
    PsAttributeNumber::TEB_ADDRESS,
    PsAttributeNumber::IMAGE_NAME,
    PsAttributeNumber::IMAGE_INFO,
    PsAttributeNumber::HANDLE_LIST,
];

/// Makes a process that runs a program, with its first thread.
///
/// # Differs
/// There are no files yet: of the program's path the last part counts, which names an image in `\KnownDlls`.
#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_create_user_process(
    caller: &Caller<'_>,
    process: Out<Handle>,
    thread: Out<Handle>,
    process_access: Access,
    thread_access: Access,
    process_attributes: OptionalIn<ObjectAttributes>,
    thread_attributes: OptionalIn<ObjectAttributes>,
    process_flags: u32,
    thread_flags: u32,
    process_parameters: OptionalIn<UserProcessParameters>,
    create_info: InOut<PsCreateInfo>,
    attribute_list: OptionalIn<PsAttributeList>,
) -> NtResult {
    let flags = ProcessCreateFlags::from_bits(process_flags)
        .filter(|flags| KNOWN_FLAGS.contains(*flags))
        .ok_or(NtStatus::INVALID_PARAMETER)?;
    let thread_flags =
        ThreadCreateFlags::from_bits(thread_flags).ok_or(NtStatus::INVALID_PARAMETER)?;
    process.probe::<u64>()?;
    thread.probe::<u64>()?;
    let create_info = CreateInfo::capture(create_info)?;
    let list = Attributes::capture(attribute_list.address())?;
    list.only(&ATTRIBUTES)?;
    let process_attributes = capture::Attributes::capture(process_attributes.address())?;
    let thread_attributes = capture::Attributes::capture(thread_attributes.address())?;
    let parameters = Parameters::capture(process_parameters.address())?;
    let section = program::find(caller, &list, &create_info)?;

    let parent = match list.find(PsAttributeNumber::PARENT_PROCESS) {
        Some(attribute) => {
            caller.reference_process(Handle(attribute.value), AccessMask::PROCESS_CREATE_PROCESS)?
        }
        None => caller.process().clone(),
    };
    let token = list.find(PsAttributeNumber::TOKEN);
    let token = token_for(
        caller,
        &parent,
        Handle(token.map_or(0, |attribute| attribute.value)),
    )?;
    let only = list.handles()?;
    let inherit = flags
        .contains(ProcessCreateFlags::INHERIT_HANDLES)
        .then_some(Inheritance {
            from: &parent,
            only: only.as_deref(),
        });
    let created = with_object(caller, &process_attributes, process_access, |object| {
        let parameters = ProcessParameters {
            parent: parent.id(),
            token,
            inherit,
        };
        Process::create(parameters, object)
    })?;
    let new = created.object.clone();
    let newborn = Newborn::begin(caller, &parent, &new, flags, &list)?;
    let loaded = fill(&new, &section, &parameters)?;
    let suspended = thread_flags.contains(ThreadCreateFlags::CREATE_SUSPENDED)
        || flags.contains(ProcessCreateFlags::CREATE_SUSPENDED);
    let first = with_object(caller, &thread_attributes, thread_access, |object| {
        let parameters = ThreadParameters {
            start: loaded.entry,
            argument: new.peb(),
            suspended,
            ..ThreadParameters::default()
        };
        Thread::create(&new, &parameters, object)
    })?;
    let first_thread = first.object.clone();
    note_flags(&first_thread, thread_flags);
    let process_handle = created.into_handle(&caller.handles())?;
    let thread_handle = first.into_handle(&caller.handles()).inspect_err(|_| {
        caller.handles().table.withdraw(process_handle, &new);
    })?;
    let told = process
        .write(&process_handle.0)
        .and_then(|()| thread.write(&thread_handle.0))
        .and_then(|()| list.answer_thread(ids_of(&first_thread), first_thread.teb()))
        .and_then(|()| list.answer_image(&loaded))
        .and_then(|()| create_info.succeeded(&new))
        .and_then(|()| Thread::start(&first_thread));
    if told.is_err() {
        // It never runs, and nobody knows the handles.
        caller
            .handles()
            .table
            .withdraw(thread_handle, &first_thread);
        caller.handles().table.withdraw(process_handle, &new);
    } else {
        newborn.keep();
    }
    told
}

/// Brings a program and what it is given into a new process.
fn fill(process: &Process, section: &Section, parameters: &Parameters) -> NtResult<Loaded> {
    let space = process.space();
    let loaded =
        ps::image::map_program(space, section, Utf16Str::new(parameters.texts().image_path))?;
    process.set_image(loaded);
    let block = ParameterBlock::create(space, &parameters.header, &parameters.texts())?;
    process.set_peb(environment::create_peb(space, &loaded, block)?);
    Ok(loaded)
}

/// Captured process parameters.
struct Parameters {
    header: RtlUserProcessParameters,
    /// In the order of [`ParameterTexts`].
    texts: [Vec<u16>; 9],
}

/// The longest environment, in units.
const LONGEST_ENVIRONMENT: u64 = 1 << 19;

impl Parameters {
    /// Captures the block of a caller; its strings are where they say, or at offsets from the block's beginning if it is not
    /// normalised.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for none, for a length that no block has or an environment that is too long; the probes' statuses.
    fn capture(address: u64) -> NtResult<Self> {
        if address == 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let header: RtlUserProcessParameters = capture::read(address)?;
        if (header.length as usize) < size_of::<RtlUserProcessParameters>() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let normalised = header
            .flags
            .contains(nt_abi::process_parameters::ParameterFlags::PARAMS_NORMALIZED);
        let base = if normalised { 0 } else { address };
        let text = |string: &w64::UnicodeString| -> NtResult<Vec<u16>> {
            if string.length == 0 {
                return Ok(Vec::new());
            }
            let place = base.wrapping_add(string.buffer);
            capture::read_array(place, usize::from(string.length) / 2)
        };
        if header.environment_size / 2 > LONGEST_ENVIRONMENT {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let environment = if header.environment == 0 {
            Vec::new()
        } else {
            let units = usize::try_from(header.environment_size / 2).unwrap_or(0);
            capture::read_array(base.wrapping_add(header.environment), units)?
        };
        Ok(Self {
            texts: [
                text(&header.current_directory.dos_path)?,
                text(&header.dll_path)?,
                text(&header.image_path_name)?,
                text(&header.command_line)?,
                text(&header.window_title)?,
                text(&header.desktop_info)?,
                text(&header.shell_info)?,
                text(&header.runtime_data)?,
                environment,
            ],
            header,
        })
    }

    fn texts(&self) -> ParameterTexts<'_> {
        let [
            current_directory,
            dll_path,
            image_path,
            command_line,
            window_title,
            desktop,
            shell,
            runtime_data,
            environment,
        ] = &self.texts;
        ParameterTexts {
            current_directory,
            dll_path,
            image_path,
            command_line,
            window_title,
            desktop,
            shell,
            runtime_data,
            environment,
        }
    }
}
