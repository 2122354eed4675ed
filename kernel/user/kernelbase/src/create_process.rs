//! Making processes.

use alloc::vec::Vec;

use nt_abi::native::{
    ClientId, Peb, PsAttribute, PsCreateInfo, RtlUserProcessParameters, SectionImageInformation,
    Size, UnicodeString,
};
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::process_creation::{ProcessCreateFlags, PsAttributeNumber, ThreadCreateFlags};
use ntdll_imports::{
    NULL, NtClose, NtCreateUserProcess, NtDuplicateObject, NtResumeThread,
    RtlCreateProcessParametersEx, RtlDestroyProcessParameters,
};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::attribute_list::{self, number};
use crate::command_lines;
use crate::console;
use crate::files::{self, NtPath};
use crate::memory;
use crate::objects::{access, attributes};
use crate::paths;
use crate::processes;
use crate::structures::{ProcessInformation, SecurityAttributes, StartupInfo, StartupInfoEx};
use crate::threads::{attribute, identifier, security_of};
use crate::wide::{self, Wide};
use crate::win::*;

/// `CREATE_*` and their like.
mod flags {
    pub(super) const DEBUG_PROCESS: u32 = 0x1;
    pub(super) const DEBUG_ONLY_THIS_PROCESS: u32 = 0x2;
    pub(super) const SUSPENDED: u32 = 0x4;
    pub(super) const UNICODE_ENVIRONMENT: u32 = 0x400;
    pub(super) const EXTENDED_STARTUP_INFO: u32 = 0x8_0000;
    pub(super) const BREAKAWAY_FROM_JOB: u32 = 0x100_0000;
    pub(super) const DETACHED: u32 = 0x8;
    pub(super) const NEW_CONSOLE: u32 = 0x10;
    pub(super) const NO_WINDOW: u32 = 0x800_0000;
    pub(super) const NEW_PROCESS_GROUP: u32 = 0x200;
    /// The classes of priority.
    pub(super) const PRIORITIES: u32 = 0x40 | 0x20 | 0x80 | 0x100 | 0x4000 | 0x8000;
}

/// `STARTF_USESTDHANDLES`.
const USE_HANDLES: u32 = 0x100;
/// `MAXIMUM_ALLOWED`.
const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
/// `RTL_USER_PROC_PARAMS_NORMALIZED`.
const NORMALIZED: u32 = 1;
/// The most attributes that are told.
const ATTRIBUTES: usize = 6;

/// `PS_ATTRIBUTE_LIST` with room.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct List {
    total_length: Size,
    attributes: [PsAttribute; ATTRIBUTES],
}

impl List {
    fn new() -> Self {
        Self {
            total_length: size_of::<Size>() as Size,
            ..Self::new_zeroed()
        }
    }

    fn push(&mut self, new: PsAttribute) {
        let used = native_size(self.total_length) - size_of::<Size>();
        if let Some(place) = self.attributes.get_mut(used / size_of::<PsAttribute>()) {
            *place = new;
            self.total_length += size_of::<PsAttribute>() as Size;
        }
    }
}

/// What is asked for.
struct Asked<'a> {
    application: Option<&'a [u16]>,
    command_line: Option<&'a [u16]>,
    process_security: Ptr<SecurityAttributes>,
    thread_security: Ptr<SecurityAttributes>,
    inherit: bool,
    flags: u32,
    environment: Ptr<u8>,
    directory: Option<&'a [u16]>,
    startup: Ptr<StartupInfo>,
    /// Strings of the start-up information are bytes.
    bytes: bool,
}

/// The parameters of a new process, until it has them.
struct Parameters(Ptr<RtlUserProcessParameters>);

impl Drop for Parameters {
    fn drop(&mut self) {
        RtlDestroyProcessParameters(self.0);
    }
}

/// An environment of bytes as units.
fn wide_environment(environment: Ptr<u8>) -> Win<Vec<u16>> {
    let mut length = 0;
    while environment.add(length).read() != 0 {
        length += wide::byte_length(environment.add(length)) + 1;
    }
    let whole = Wide::from_bytes(wide::ansi(), environment.slice(length))?;
    let mut units = whole.units().to_vec();
    // An empty one has two terminators as well.
    if units.is_empty() {
        units.push(0);
    }
    units.push(0);
    Ok(units)
}

/// A string of the start-up information.
fn startup_text(place: nt_abi::native::Pointer, bytes: bool) -> Win<Vec<u16>> {
    if bytes {
        return Ok(Wide::from_ansi(Ptr::at(place))?.units().to_vec());
    }
    Ok(wide::units(Ptr::at(place)).to_vec())
}

impl Asked<'_> {
    /// The paths that the program may have, in the order in which they are tried.
    fn programs(&self) -> Win<Vec<Vec<u16>>> {
        if let Some(name) = self.application {
            let name = Wide::from_units(name)?;
            return Ok(alloc::vec![paths::full_path(&name)?]);
        }
        let line = self.command_line.ok_or(Error::INVALID_PARAMETER)?;
        let names = command_lines::candidates(line);
        let extension = wide::ascii(".exe");
        let directories = paths::search_path()?;
        let mut found = Vec::new();
        for name in &names {
            if let Ok(path) = paths::search(&directories, name, &extension) {
                found.push(path);
            }
        }
        if found.is_empty() {
            // Nobody can look for files yet: the kernel knows programs by their last names.
            let first = names.first().ok_or(Error::INVALID_PARAMETER)?;
            found.push(with_extension(first, &extension)?);
        }
        Ok(found)
    }

    /// The parameters that the new process gets.
    fn parameters(&self, program: &[u16]) -> Win<Parameters> {
        let startup = self.startup.read();
        let command_line = self.command_line.unwrap_or(program);
        let given = (!self.environment.is_null() && self.flags & flags::UNICODE_ENVIRONMENT == 0)
            .then(|| wide_environment(self.environment))
            .transpose()?;
        let mut given = given.unwrap_or_default();
        let environment = if given.is_empty() {
            self.environment.cast()
        } else {
            wide::place(&mut given)
        };
        let directory = self.directory.map(directory_path).transpose()?;
        let title = if startup.title == 0 {
            program.to_vec()
        } else {
            startup_text(startup.title, self.bytes)?
        };
        let desktop = if startup.desktop == 0 {
            let own = field!(parameters(), RtlUserProcessParameters, desktop_info).read();
            Ptr::<u16>::at(own.buffer)
                .slice(usize::from(own.length / 2))
                .to_vec()
        } else {
            startup_text(startup.desktop, self.bytes)?
        };
        let inherited = Ptr::<u8>::at(startup.reserved2);
        let runtime = UnicodeString {
            length: startup.size_of_reserved2,
            maximum_length: startup.size_of_reserved2,
            buffer: inherited.raw(),
            ..UnicodeString::default()
        };
        let strings = [
            Some(program),
            directory.as_deref(),
            Some(command_line),
            Some(&title),
            Some(&desktop),
        ];
        let mut counted = [UnicodeString::default(); 5];
        for (place, string) in counted.iter_mut().zip(strings) {
            *place = wide::counted(string.unwrap_or_default())?;
        }
        let [program, directory_string, command_line, title, desktop] = &counted;
        let directory_string = directory
            .as_ref()
            .map_or(Ptr::NULL, |_| Ptr::of_shared(directory_string));
        let runtime = if runtime.length == 0 {
            Ptr::NULL
        } else {
            Ptr::of_shared(&runtime)
        };
        let mut made = Ptr::NULL;
        check(RtlCreateProcessParametersEx(
            Ptr::of(&mut made),
            Ptr::of_shared(program),
            Ptr::NULL,
            directory_string,
            Ptr::of_shared(command_line),
            environment,
            Ptr::of_shared(title),
            Ptr::of_shared(desktop),
            Ptr::NULL,
            runtime,
            NORMALIZED,
        ))?;
        let made = Parameters(made);
        self.complete(made.0, &startup);
        Ok(made)
    }

    /// What the parameters say besides strings: the window, the standard handles, the console.
    fn complete(&self, made: Ptr<RtlUserProcessParameters>, startup: &StartupInfo) {
        field!(made, RtlUserProcessParameters, starting_x).write(startup.x);
        field!(made, RtlUserProcessParameters, starting_y).write(startup.y);
        field!(made, RtlUserProcessParameters, count_x).write(startup.x_size);
        field!(made, RtlUserProcessParameters, count_y).write(startup.y_size);
        field!(made, RtlUserProcessParameters, count_chars_x).write(startup.x_count_chars);
        field!(made, RtlUserProcessParameters, count_chars_y).write(startup.y_count_chars);
        field!(made, RtlUserProcessParameters, fill_attribute).write(startup.fill_attribute);
        field!(made, RtlUserProcessParameters, window_flags).write(startup.flags);
        field!(made, RtlUserProcessParameters, show_window_flags)
            .write(u32::from(startup.show_window));
        let own = parameters();
        let handles = if startup.flags & USE_HANDLES != 0 {
            [
                startup.standard_input,
                startup.standard_output,
                startup.standard_error,
            ]
        } else {
            [
                self.inherited(field!(own, RtlUserProcessParameters, standard_input).read()),
                self.inherited(field!(own, RtlUserProcessParameters, standard_output).read()),
                self.inherited(field!(own, RtlUserProcessParameters, standard_error).read()),
            ]
        };
        let [input, output, error] = handles;
        field!(made, RtlUserProcessParameters, standard_input).write(input);
        field!(made, RtlUserProcessParameters, standard_output).write(output);
        field!(made, RtlUserProcessParameters, standard_error).write(error);
        // `CONSOLE_DETACHED_PROCESS`, `CONSOLE_NEW_CONSOLE`, `CONSOLE_CREATE_NO_WINDOW`: -1, -2, -3.
        let console = match self.flags {
            flags if flags & flags::DETACHED != 0 => nt_abi::native::Handle::MAX,
            flags if flags & flags::NEW_CONSOLE != 0 => nt_abi::native::Handle::MAX - 1,
            flags if flags & flags::NO_WINDOW != 0 => nt_abi::native::Handle::MAX - 2,
            _ => field!(own, RtlUserProcessParameters, console_handle).read(),
        };
        field!(made, RtlUserProcessParameters, console_handle).write(console);
        if self.flags & flags::NEW_PROCESS_GROUP != 0 {
            // It does not hear Ctrl+C.
            field!(made, RtlUserProcessParameters, console_flags).write(1);
        }
    }

    /// A standard handle of this process for the new one: the console's, or one that it inherits.
    fn inherited(&self, handle: nt_abi::native::Handle) -> nt_abi::native::Handle {
        let is_detached = self.flags & (flags::DETACHED | flags::NEW_CONSOLE) != 0;
        let stays = console::is_console(Handle(handle)) && !is_detached;
        if stays || self.inherit { handle } else { 0 }
    }

    /// The list of attributes behind the start-up information.
    fn further(&self) -> Ptr<u8> {
        if self.flags & flags::EXTENDED_STARTUP_INFO == 0 {
            return Ptr::NULL;
        }
        Ptr::at(
            field!(
                self.startup.cast::<StartupInfoEx>(),
                StartupInfoEx,
                attribute_list
            )
            .read(),
        )
    }

    fn create(&self, program: &[u16]) -> Win<ProcessInformation> {
        let parameters = self.parameters(program)?;
        let name = Wide::from_units(program)?;
        let path = NtPath::of(name.ptr())?;
        let mut client = ClientId::default();
        let mut image = SectionImageInformation::default();
        let mut list = List::new();
        list.push(PsAttribute {
            attribute: PsAttributeNumber::IMAGE_NAME.0 as Size,
            size: Size::from(path.string().length),
            value: path.string().buffer,
            return_length: 0,
        });
        list.push(attribute(PsAttributeNumber::CLIENT_ID, &mut client));
        list.push(attribute(PsAttributeNumber::IMAGE_INFO, &mut image));
        let further = self.further();
        if let Some(parent) = attribute_list::find(further, number::PARENT_PROCESS) {
            list.push(PsAttribute {
                attribute: PsAttributeNumber::PARENT_PROCESS.0 as Size,
                size: size_of::<Size>() as Size,
                value: Ptr::<Size>::new(parent.value).read(),
                return_length: 0,
            });
        }
        for (theirs, ours) in [
            (number::HANDLE_LIST, PsAttributeNumber::HANDLE_LIST),
            (number::JOB_LIST, PsAttributeNumber::JOB_LIST),
        ] {
            if let Some(handles) = attribute_list::find(further, theirs) {
                list.push(PsAttribute {
                    attribute: ours.0 as Size,
                    size: handles.size as Size,
                    value: handles.value as Size,
                    return_length: 0,
                });
            }
        }
        let made = self.call(&list, parameters.0)?;
        self.share_handles(made[0], &image);
        let information = ProcessInformation {
            process: made[0].0,
            thread: made[1].0,
            process_id: identifier(client.unique_process),
            thread_id: identifier(client.unique_thread),
        };
        self.begin(&information)?;
        Ok(information)
    }

    /// Makes the process, its thread suspended.
    fn call(&self, list: &List, parameters: Ptr<RtlUserProcessParameters>) -> Win<[Handle; 2]> {
        let mut create_flags = 0;
        if self.inherit {
            create_flags |= ProcessCreateFlags::INHERIT_HANDLES.0;
        }
        if self.flags & flags::BREAKAWAY_FROM_JOB != 0 {
            create_flags |= ProcessCreateFlags::BREAKAWAY.0;
        }
        let object = |security| {
            let (inherit, descriptor): (ObjectAttributeFlags, Ptr<u8>) = security_of(security);
            attributes(None, Handle::NULL, inherit, descriptor)
        };
        let (process_object, thread_object) =
            (object(self.process_security), object(self.thread_security));
        let mut info = PsCreateInfo {
            size: size_of::<PsCreateInfo>() as Size,
            ..PsCreateInfo::default()
        };
        let (mut process, mut thread) = (Handle::NULL, Handle::NULL);
        let all = access(MAXIMUM_ALLOWED);
        check(NtCreateUserProcess(
            &mut process,
            &mut thread,
            all,
            all,
            &process_object,
            &thread_object,
            create_flags,
            ThreadCreateFlags::CREATE_SUSPENDED.0,
            parameters,
            &mut info,
            Ptr::of_shared(list),
        ))?;
        // `PsCreateSuccess` has handles of the file and its section, which nobody needs.
        let success = Ptr::of_shared(&info.data)
            .cast::<nt_abi::native::PsCreateSuccess>()
            .read();
        for handle in [success.file_handle, success.section_handle] {
            if handle != 0 {
                let _closed = NtClose(Handle(handle));
            }
        }
        Ok([process, thread])
    }

    /// Gives a program of the console the standard handles that it does not inherit: duplicates, put into its parameters before
    /// it runs.
    fn share_handles(&self, process: Handle, image: &SectionImageInformation) {
        /// `IMAGE_SUBSYSTEM_WINDOWS_CUI`.
        const CONSOLE_PROGRAM: u32 = 3;
        /// `DUPLICATE_SAME_ACCESS | DUPLICATE_SAME_ATTRIBUTES`.
        const THE_SAME: u32 = 6;
        let says_handles = field!(self.startup, StartupInfo, flags).read() & USE_HANDLES != 0;
        let own_console =
            self.flags & (flags::DETACHED | flags::NEW_CONSOLE | flags::NO_WINDOW) != 0;
        if self.inherit || says_handles || own_console || image.sub_system_type != CONSOLE_PROGRAM {
            return;
        }
        let Ok(basic) = processes::basic(process) else {
            return;
        };
        let place = field!(
            Ptr::<Peb>::at(basic.peb_base_address),
            Peb,
            process_parameters
        );
        let mut theirs = Ptr::<RtlUserProcessParameters>::NULL;
        if !memory::read_word(process, place.cast(), Ptr::of(&mut theirs).cast()) {
            return;
        }
        let own = parameters();
        let pairs = [
            (
                field!(own, RtlUserProcessParameters, standard_input),
                field!(theirs, RtlUserProcessParameters, standard_input),
            ),
            (
                field!(own, RtlUserProcessParameters, standard_output),
                field!(theirs, RtlUserProcessParameters, standard_output),
            ),
            (
                field!(own, RtlUserProcessParameters, standard_error),
                field!(theirs, RtlUserProcessParameters, standard_error),
            ),
        ];
        for (own, theirs) in pairs {
            let handle = Handle(own.read());
            if handle.is_null() || console::is_console(handle) {
                continue;
            }
            let mut duplicate = Handle::NULL;
            let none = access(0);
            let from = Handle::CURRENT_PROCESS;
            let status =
                NtDuplicateObject(from, handle, process, &mut duplicate, none, 0_u32, THE_SAME);
            if status.is_success() {
                memory::write_word(process, theirs.cast(), Ptr::of(&mut duplicate).cast());
            }
        }
    }

    /// Says the rest of the process and lets it run.
    fn begin(&self, made: &ProcessInformation) -> Win {
        let priority = self.flags & flags::PRIORITIES;
        if priority != 0 {
            let _refused = processes::SetPriorityClass(Handle(made.process), priority);
        }
        if self.flags & flags::SUSPENDED == 0 {
            check(NtResumeThread(Handle(made.thread), NULL))?;
        }
        Ok(())
    }
}

/// A name with an extension, if its last part has none.
fn with_extension(name: &[u16], extension: &[u16]) -> Win<Vec<u16>> {
    let mut whole = paths::full_path(&Wide::from_units(name)?)?;
    let last = whole
        .rsplit(|&unit| unit == u16::from(b'\\'))
        .next()
        .unwrap_or_default();
    if !last.contains(&u16::from(b'.')) {
        whole.extend_from_slice(extension);
    }
    Ok(whole)
}

/// A directory as parameters want it: its full path, with a backslash at its end.
fn directory_path(name: &[u16]) -> Win<Vec<u16>> {
    let mut path = paths::full_path(&Wide::from_units(name)?)?;
    if path.last() != Some(&u16::from(b'\\')) {
        path.push(u16::from(b'\\'));
    }
    Ok(path)
}

fn create(asked: &Asked<'_>, into: Ptr<ProcessInformation>) -> Win {
    if asked.flags & (flags::DEBUG_PROCESS | flags::DEBUG_ONLY_THIS_PROCESS) != 0 {
        return Err(Error::NOT_SUPPORTED);
    }
    let mut outcome = Err(Error::FILE_NOT_FOUND);
    for program in asked.programs()? {
        outcome = asked.create(&program);
        match outcome {
            Err(Error::FILE_NOT_FOUND | Error::PATH_NOT_FOUND) => {}
            _ => break,
        }
    }
    outcome.map(|made| into.write(made))
}

exports! {
    /// Makes a process that runs a program.
    ///
    /// # Differs
    /// No debugger can be attached from the beginning, and of the attributes a parent, handles and jobs are looked at.
    fn CreateProcessW(
        application: Ptr<u16>, command_line: Ptr<u16>, process_security: Ptr<SecurityAttributes>, thread_security: Ptr<SecurityAttributes>,
        inherit: Bool, flags: u32, environment: Ptr<u8>, directory: Ptr<u16>, startup: Ptr<StartupInfo>, made: Ptr<ProcessInformation>,
    ) -> Bool {
        truth(create(&Asked {
            application: application.non_null().map(wide::units),
            command_line: command_line.non_null().map(wide::units),
            process_security,
            thread_security,
            inherit: inherit != FALSE,
            flags,
            environment,
            directory: directory.non_null().map(wide::units),
            startup,
            bytes: false,
        }, made))
    }

    /// Makes a process that runs a program.
    fn CreateProcessA(
        application: Ptr<u8>, command_line: Ptr<u8>, process_security: Ptr<SecurityAttributes>, thread_security: Ptr<SecurityAttributes>,
        inherit: Bool, flags: u32, environment: Ptr<u8>, directory: Ptr<u8>, startup: Ptr<StartupInfo>, made: Ptr<ProcessInformation>,
    ) -> Bool {
        let created = || {
            let (name, line, here) = (Wide::from_ansi(application)?, Wide::from_ansi(command_line)?, Wide::from_ansi(directory)?);
            create(&Asked {
                application: application.non_null().map(|_| name.units()),
                command_line: command_line.non_null().map(|_| line.units()),
                process_security,
                thread_security,
                inherit: inherit != FALSE,
                flags,
                environment,
                directory: directory.non_null().map(|_| here.units()),
                startup,
                bytes: true,
            }, made)
        };
        truth(created())
    }

    /// Makes a process as others do, for a token: the caller's own.
    fn CreateProcessInternalW(
        token: Handle, application: Ptr<u16>, command_line: Ptr<u16>, process_security: Ptr<SecurityAttributes>,
        thread_security: Ptr<SecurityAttributes>, inherit: Bool, flags: u32, environment: Ptr<u8>, directory: Ptr<u16>,
        startup: Ptr<StartupInfo>, made: Ptr<ProcessInformation>, _new_token: Ptr<Handle>,
    ) -> Bool {
        if !token.is_null() {
            return truth(Err(Error::NOT_SUPPORTED));
        }
        CreateProcessW(application, command_line, process_security, thread_security, inherit, flags, environment, directory, startup, made)
    }

    /// Runs a command line, as programs of old do; less than 32: it failed.
    fn WinExec(command_line: Ptr<u8>, show: u32) -> u32 {
        /// `STARTF_USESHOWWINDOW`.
        const USE_SHOW: u32 = 1;
        let startup = StartupInfo {
            size: StartupInfo::SIZE,
            flags: USE_SHOW,
            show_window: u16::try_from(show).unwrap_or(0),
            ..StartupInfo::default()
        };
        let mut made = ProcessInformation::default();
        let none = Ptr::NULL;
        let started = CreateProcessA(
            none, command_line, Ptr::NULL, Ptr::NULL, FALSE, 0, Ptr::NULL, Ptr::NULL, Ptr::of_shared(&startup), Ptr::of(&mut made),
        );
        if started == FALSE {
            // Numbers of old for what went wrong.
            return match crate::errors::GetLastError() {
                error @ (2 | 3 | 11) => error,
                _ => 0,
            };
        }
        drop(files::OwnedHandle(Handle(made.thread)));
        drop(files::OwnedHandle(Handle(made.process)));
        33
    }
}
