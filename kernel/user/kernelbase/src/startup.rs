//! What a program was started with: its command line, how its window shall look, its environment.

use core::sync::atomic::{AtomicUsize, Ordering};

use c_interface::blocks;
use nt_abi::native::{RtlUserProcessParameters, UnicodeString};
use ntdll_imports::{
    RtlAcquirePebLock, RtlExpandEnvironmentStrings_U, RtlQueryEnvironmentVariable_U,
    RtlReleasePebLock, RtlSetEnvironmentVariable,
};

use crate::structures::StartupInfo;
use crate::wide::{self, Wide};
use crate::win::*;

/// `STARTF_USESTDHANDLES`, and those with which the handles' places mean something else.
const FLAGS_WITH_HANDLES: u32 = 0x100 | 0x200 | 0x400;

/// The most units of a variable's value with its terminator.
const LONGEST_VALUE: usize = 0x7FFF;

/// The command line in the ANSI code page: made once, for the life of the process.
static COMMAND_LINE_A: AtomicUsize = AtomicUsize::new(0);
/// The parameters' strings of `STARTUPINFOA`, likewise: desktop, title, shell information.
static STARTUP_STRINGS_A: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];

/// A field of the parameters.
macro_rules! parameter {
    ($field:ident) => {
        field!(parameters(), RtlUserProcessParameters, $field).read()
    };
}

/// The units of a counted string.
fn units_of<'a>(string: &UnicodeString) -> &'a [u16] {
    Ptr::<u16>::at(string.buffer).slice(usize::from(string.length / 2))
}

/// Units as a terminated string of bytes, which a static remembers.
fn remembered(place: &AtomicUsize, units: &[u16]) -> Ptr<u8> {
    if let Some(known) = Ptr::new(place.load(Ordering::Acquire)).non_null() {
        return known;
    }
    let length = wide::ansi_length(units);
    let Some(block) = blocks::allocate(length + 1) else {
        return Ptr::NULL;
    };
    wide::give_ansi(units, block, u32::try_from(length + 1).unwrap_or(u32::MAX));
    match place.compare_exchange(0, block.address(), Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => block,
        Err(first) => {
            blocks::free(block);
            Ptr::new(first)
        }
    }
}

fn startup_info() -> StartupInfo {
    let flags = parameter!(window_flags);
    let with_handles = flags & FLAGS_WITH_HANDLES != 0;
    let handle = |handle| if with_handles { handle } else { 0 };
    let inherited = parameter!(runtime_data);
    StartupInfo {
        size: StartupInfo::SIZE,
        reserved: parameter!(shell_info).buffer,
        desktop: parameter!(desktop_info).buffer,
        title: parameter!(window_title).buffer,
        x: parameter!(starting_x),
        y: parameter!(starting_y),
        x_size: parameter!(count_x),
        y_size: parameter!(count_y),
        x_count_chars: parameter!(count_chars_x),
        y_count_chars: parameter!(count_chars_y),
        fill_attribute: parameter!(fill_attribute),
        flags,
        // The upper half is not used.
        show_window: parameter!(show_window_flags).to_le_bytes()[0].into(),
        size_of_reserved2: inherited.length,
        reserved2: inherited.buffer,
        standard_input: handle(parameter!(standard_input)),
        standard_output: handle(parameter!(standard_output)),
        standard_error: handle(parameter!(standard_error)),
        ..StartupInfo::default()
    }
}

/// Units of the environment, with both terminators at its end.
fn environment_length(environment: Ptr<u16>) -> usize {
    let mut at = 0;
    while environment.add(at).read() != 0 {
        at += wide::length(environment.add(at)) + 1;
    }
    // An empty environment has two terminators too.
    at.max(1) + 1
}

/// A copy of the environment, made while nobody changes it.
fn copied_environment<T: zerocopy::IntoBytes + zerocopy::Immutable>(
    convert: impl Fn(&[u16]) -> Option<alloc::vec::Vec<T>>,
) -> Ptr<T> {
    RtlAcquirePebLock();
    let environment =
        Ptr::<u16>::at(field!(parameters(), RtlUserProcessParameters, environment).read());
    let length = environment_length(environment);
    let copied = convert(environment.slice(length));
    RtlReleasePebLock();
    let block = copied.and_then(|units| {
        let block = blocks::allocate(size_of_val(units.as_slice()))?.cast::<T>();
        block.write_array(&units);
        Some(block)
    });
    match block {
        Some(block) => block,
        None => answer(Err(Error::NOT_ENOUGH_MEMORY), Ptr::NULL),
    }
}

/// The value of a variable, as far as a room holds it; gives its length, or what would be needed with a terminator.
fn variable(name: &[u16], room: &mut [u16]) -> Win<usize> {
    let name = wide::counted(name)?;
    let bytes = size_of_val(room).min(2 * (LONGEST_VALUE - 1));
    let bytes = u16::try_from(bytes).map_err(|_| Error::INVALID_PARAMETER)?;
    let mut value = UnicodeString {
        length: 0,
        maximum_length: bytes,
        buffer: wide::place(room).raw(),
        ..UnicodeString::default()
    };
    let status =
        RtlQueryEnvironmentVariable_U(Ptr::NULL, Ptr::of_shared(&name), Ptr::of(&mut value));
    let length = usize::from(value.length / 2);
    if status == NtStatus::BUFFER_TOO_SMALL {
        return Ok(length + 1);
    }
    check(status)?;
    if length >= room.len() {
        // It fits without the terminator only.
        return Ok(length + 1);
    }
    room[length] = 0;
    Ok(length)
}

/// The whole value of a variable.
pub(crate) fn whole_variable(name: &[u16]) -> Win<alloc::vec::Vec<u16>> {
    let mut room = wide::room(LONGEST_VALUE)?;
    let length = variable(name, &mut room)?;
    room.truncate(length);
    Ok(room)
}

fn set_variable(name: &[u16], value: Option<&[u16]>) -> Win {
    let name = wide::counted(name).map_err(|_| Error::INVALID_PARAMETER)?;
    let value = value
        .map(wide::counted)
        .transpose()
        .map_err(|_| Error::INVALID_PARAMETER)?;
    let value = value.as_ref().map_or(Ptr::NULL, Ptr::of_shared);
    let status = RtlSetEnvironmentVariable(Ptr::NULL, Ptr::of_shared(&name), value);
    if status == NtStatus::VARIABLE_NOT_FOUND && value.is_null() {
        return Err(Error::ENVVAR_NOT_FOUND);
    }
    check(status)
}

/// Text with the variables between percent signs put in, terminated.
fn expanded(text: &[u16]) -> Win<alloc::vec::Vec<u16>> {
    let source = wide::counted(text)?;
    let mut room = wide::room::<u16>((text.len() + 0x100).min(LONGEST_VALUE))?;
    loop {
        let bytes = u16::try_from(size_of_val(room.as_slice())).unwrap_or(u16::MAX - 1);
        let mut into = UnicodeString {
            length: 0,
            maximum_length: bytes,
            buffer: wide::place(&mut room).raw(),
            ..UnicodeString::default()
        };
        let mut needed = 0u32;
        let status = RtlExpandEnvironmentStrings_U(
            Ptr::NULL,
            Ptr::of_shared(&source),
            Ptr::of(&mut into),
            Ptr::of(&mut needed),
        );
        let units = needed as usize / 2;
        if status == NtStatus::BUFFER_TOO_SMALL && units > room.len() && units <= LONGEST_VALUE {
            room = wide::room(units)?;
            continue;
        }
        check(status)?;
        room.truncate(usize::from(into.length / 2) + 1);
        return Ok(room);
    }
}

/// What an expansion returns: the length with the terminator, also if there was no room for it.
fn expansion(length: usize, capacity: u32) -> u32 {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    if length > capacity {
        set_last_error(Error::INSUFFICIENT_BUFFER);
    }
    length
}

exports! {
    /// The command line.
    fn GetCommandLineW() -> Ptr<u16> {
        Ptr::at(field!(parameters(), RtlUserProcessParameters, command_line.buffer).read())
    }

    /// The command line in the ANSI code page.
    fn GetCommandLineA() -> Ptr<u8> {
        remembered(&COMMAND_LINE_A, units_of(&parameter!(command_line)))
    }

    /// What the program's first window shall look like, and its standard handles.
    fn GetStartupInfoW(info: Ptr<StartupInfo>) {
        info.write(startup_info());
    }

    /// The same, with strings of the ANSI code page.
    fn GetStartupInfoA(info: Ptr<StartupInfo>) {
        let [desktop, title, shell] = &STARTUP_STRINGS_A;
        info.write(StartupInfo {
            desktop: remembered(desktop, units_of(&parameter!(desktop_info))).raw(),
            title: remembered(title, units_of(&parameter!(window_title))).raw(),
            reserved: remembered(shell, units_of(&parameter!(shell_info))).raw(),
            ..startup_info()
        });
    }

    /// A copy of the environment.
    fn GetEnvironmentStringsW() -> Ptr<u16> {
        copied_environment(|units| {
            let mut copy = wide::room(units.len()).ok()?;
            copy.copy_from_slice(units);
            Some(copy)
        })
    }

    /// A copy of the environment in the ANSI code page.
    fn GetEnvironmentStringsA() -> Ptr<u8> {
        copied_environment(|units| {
            let mut copy = wide::room(wide::ansi_length(units)).ok()?;
            wide::to_ansi(units, &mut copy).ok()?;
            Some(copy)
        })
    }

    /// A copy of the environment in the ANSI code page, under the name of old.
    fn GetEnvironmentStrings() -> Ptr<u8> {
        GetEnvironmentStringsA()
    }

    /// Gives a copy of the environment back.
    fn FreeEnvironmentStringsW(block: Ptr<u16>) -> Bool {
        blocks::free(block.cast());
        TRUE
    }

    /// Gives a copy of the environment back.
    fn FreeEnvironmentStringsA(block: Ptr<u8>) -> Bool {
        blocks::free(block);
        TRUE
    }

    /// The value of a variable: its length, or the room it needs with a terminator; 0 if there is none.
    fn GetEnvironmentVariableW(name: Ptr<u16>, into: Ptr<u16>, capacity: u32) -> u32 {
        let capacity = if into.is_null() { 0 } else { capacity };
        let found = variable(wide::units(name), into.slice_mut(capacity as usize));
        answer(found.map(|length| u32::try_from(length).unwrap_or(u32::MAX)), 0)
    }

    /// The value of a variable in the ANSI code page.
    fn GetEnvironmentVariableA(name: Ptr<u8>, into: Ptr<u8>, capacity: u32) -> u32 {
        let found = Wide::from_ansi(name).and_then(|name| whole_variable(name.units()));
        answer(found.map(|value| wide::give_ansi(&value, into, capacity)), 0)
    }

    /// Sets a variable, or with a null pointer removes it.
    fn SetEnvironmentVariableW(name: Ptr<u16>, value: Ptr<u16>) -> Bool {
        if name.is_null() {
            return truth(Err(Error::ENVVAR_NOT_FOUND));
        }
        truth(set_variable(wide::units(name), value.non_null().map(wide::units)))
    }

    /// Sets a variable, or with a null pointer removes it.
    fn SetEnvironmentVariableA(name: Ptr<u8>, value: Ptr<u8>) -> Bool {
        if name.is_null() {
            return truth(Err(Error::ENVVAR_NOT_FOUND));
        }
        let set = || {
            let (name, new) = (Wide::from_ansi(name)?, Wide::from_ansi(value)?);
            set_variable(name.units(), value.non_null().map(|_| new.units()))
        };
        truth(set())
    }

    /// Puts the values of variables for their names between percent signs: the length with the terminator, which is more than
    /// the room if it does not fit.
    fn ExpandEnvironmentStringsW(text: Ptr<u16>, into: Ptr<u16>, capacity: u32) -> u32 {
        answer(expanded(wide::units(text)).map(|whole| {
            if whole.len() <= capacity as usize && !into.is_null() {
                into.write_array(&whole);
            }
            expansion(whole.len(), capacity)
        }), 0)
    }

    /// The same in the ANSI code page.
    fn ExpandEnvironmentStringsA(text: Ptr<u8>, into: Ptr<u8>, capacity: u32) -> u32 {
        let whole = Wide::from_ansi(text).and_then(|text| expanded(text.units()));
        answer(whole.map(|whole| {
            let (_terminator, units) = whole.split_last().unwrap_or((&0, &[]));
            wide::give_ansi(units, into, capacity);
            expansion(wide::ansi_length(units) + 1, capacity)
        }), 0)
    }
}
