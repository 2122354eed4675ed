//! The parameters of a new process, built by whoever starts it.
//!
//! They are one block: the structure, the text of its strings, each at a multiple of a pointer's size, and behind what
//! `Length` counts the environment. Strings hold offsets into the block until it is normalized, and then addresses; the
//! environment's is an address in either form.

use c_interface::{Ptr, blocks, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::{Curdir, Pointer, RtlUserProcessParameters, UnicodeString};
use nt_abi::process_parameters::ParameterFlags;

use crate::process::{PebLock, parameters};

/// The room of a current directory's path, in bytes: 260 units.
const CURRENT_DIRECTORY_ROOM: u16 = 520;
/// What ends a directory.
const SEPARATOR: u16 = b'\\' as u16;

/// A string that goes into the block.
#[derive(Clone, Copy)]
struct Text {
    from: Ptr<u8>,
    length: u16,
    /// 0: there is no string, and nothing in the block.
    room: u16,
    /// Whether a separator is added to a directory.
    separator: bool,
}

impl Text {
    /// No string.
    const NONE: Self = Self {
        from: Ptr::NULL,
        length: 0,
        room: 0,
        separator: false,
    };
    /// A string without text, but with a zero.
    const EMPTY: Self = Self {
        from: Ptr::NULL,
        length: 0,
        room: 2,
        separator: false,
    };

    /// A string as it is, with all its room.
    fn of(string: UnicodeString) -> Self {
        Self {
            from: Ptr::at(string.buffer),
            length: string.length,
            room: string.maximum_length.max(string.length),
            separator: false,
        }
    }

    /// A string of the caller's, or another one.
    fn given(string: Ptr<UnicodeString>, otherwise: Self) -> Self {
        string.read_optional().map_or(otherwise, Self::of)
    }

    /// A current directory.
    fn directory(mut self) -> Self {
        let units = usize::from(self.length / 2);
        let last = units
            .checked_sub(1)
            .map(|last| self.from.cast::<u16>().add(last).read());
        // A path without room for one more is left as it is.
        self.separator = last.is_some_and(|last| last != SEPARATOR) && self.length <= u16::MAX - 4;
        let needed = self
            .length
            .saturating_add(if self.separator { 4 } else { 2 });
        self.room = needed.max(CURRENT_DIRECTORY_ROOM);
        self
    }

    /// Writes the string, whose text comes to this offset in the block; gives the offset behind it.
    fn put(&self, block: Ptr<u8>, offset: usize, string: Ptr<UnicodeString>) -> usize {
        if self.room == 0 {
            string.write(UnicodeString::default());
            return offset;
        }
        let offset = offset.next_multiple_of(size_of::<usize>());
        let place = block.byte_add(offset);
        let mut length = self.length;
        place.copy_from(self.from, usize::from(length));
        if self.separator {
            place
                .byte_add(usize::from(length))
                .cast::<u16>()
                .write(SEPARATOR);
            length += 2;
        }
        place
            .byte_add(usize::from(length))
            .fill(0, usize::from(self.room - length));
        crate::strings::set(string, length, self.room, Ptr::new(offset));
        offset + usize::from(self.room)
    }

    /// The offset behind the string, if it comes to this one.
    fn end(&self, offset: usize) -> usize {
        match self.room {
            0 => offset,
            room => offset.next_multiple_of(size_of::<usize>()) + usize::from(room),
        }
    }
}

/// The strings of parameters, in the order of the block.
fn strings(parameters: Ptr<RtlUserProcessParameters>) -> [Ptr<UnicodeString>; 8] {
    let directory = field!(parameters, RtlUserProcessParameters, current_directory);
    [
        field!(directory, Curdir, dos_path),
        field!(parameters, RtlUserProcessParameters, dll_path),
        field!(parameters, RtlUserProcessParameters, image_path_name),
        field!(parameters, RtlUserProcessParameters, command_line),
        field!(parameters, RtlUserProcessParameters, window_title),
        field!(parameters, RtlUserProcessParameters, desktop_info),
        field!(parameters, RtlUserProcessParameters, shell_info),
        field!(parameters, RtlUserProcessParameters, runtime_data),
    ]
}

/// How many bytes an environment has, with its last zero.
fn environment_bytes(environment: Ptr<u16>) -> usize {
    let mut length = 0;
    while environment.add(length).read() != 0 {
        length += crate::strings::units_before_zero(environment.add(length)) + 1;
    }
    (length + 1) * 2
}

/// What a caller names for new parameters.
struct Wanted {
    image: Ptr<UnicodeString>,
    dll_path: Ptr<UnicodeString>,
    directory: Ptr<UnicodeString>,
    command_line: Ptr<UnicodeString>,
    environment: Ptr<u16>,
    title: Ptr<UnicodeString>,
    desktop: Ptr<UnicodeString>,
    shell: Ptr<UnicodeString>,
    runtime: Ptr<UnicodeString>,
}

/// Builds parameters, not normalized. What the caller does not name comes from the process's own.
fn build(wanted: &Wanted) -> Result<Ptr<RtlUserProcessParameters>, NtStatus> {
    let _lock = PebLock::acquire();
    let own = parameters().map(Ptr::read).unwrap_or_default();
    if wanted.image.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let image = Text::given(wanted.image, Text::NONE);
    let texts = [
        Text::given(wanted.directory, Text::of(own.current_directory.dos_path)).directory(),
        Text::given(wanted.dll_path, Text::of(own.dll_path)),
        image,
        Text::given(wanted.command_line, image),
        Text::given(wanted.title, Text::EMPTY),
        Text::given(wanted.desktop, Text::EMPTY),
        Text::given(wanted.shell, Text::EMPTY),
        Text::given(wanted.runtime, Text::NONE),
    ];
    let environment = wanted
        .environment
        .non_null()
        .unwrap_or(Ptr::at(own.environment));
    let environment_length = environment.non_null().map_or(0, environment_bytes);

    let header = size_of::<RtlUserProcessParameters>();
    let end = texts.iter().fold(header, |offset, text| text.end(offset));
    let length = end.next_multiple_of(size_of::<u32>());
    let total = (length + environment_length).next_multiple_of(size_of::<usize>());
    let short = u32::try_from(length).map_err(|_| NtStatus::NAME_TOO_LONG)?;

    let block = blocks::allocate(total).ok_or(NtStatus::NO_MEMORY)?;
    block.fill(0, total);
    let built: Ptr<RtlUserProcessParameters> = block.cast();
    field!(built, RtlUserProcessParameters, maximum_length).write(short);
    field!(built, RtlUserProcessParameters, length).write(short);
    field!(built, RtlUserProcessParameters, process_group_id).write(own.process_group_id);
    let mut offset = header;
    for (text, string) in texts.iter().zip(strings(built)) {
        offset = text.put(block, offset, string);
    }
    if environment_length > 0 {
        let place = block.byte_add(length);
        place.copy_from(environment.cast(), environment_length);
        field!(built, RtlUserProcessParameters, environment).write(place.raw());
        let size = Ptr::<u8>::new(total - length).raw();
        field!(built, RtlUserProcessParameters, environment_size).write(size);
    }
    Ok(built)
}

/// Makes offsets addresses, or addresses offsets, unless they are that already.
fn convert(
    block: Ptr<RtlUserProcessParameters>,
    normalized: bool,
    change: impl Fn(Pointer) -> Pointer,
) {
    if block.is_null() {
        return;
    }
    let flags = field!(block, RtlUserProcessParameters, flags);
    let now = flags.read();
    if now.contains(ParameterFlags::PARAMS_NORMALIZED) == normalized {
        return;
    }
    let further = [
        field!(block, RtlUserProcessParameters, redirection_dll_name),
        field!(block, RtlUserProcessParameters, heap_partition_name),
    ];
    for string in strings(block).into_iter().chain(further) {
        let buffer = field!(string, UnicodeString, buffer);
        match buffer.read() {
            0 => {}
            old => buffer.write(change(old)),
        }
    }
    flags.write(if normalized {
        now | ParameterFlags::PARAMS_NORMALIZED
    } else {
        now & !ParameterFlags::PARAMS_NORMALIZED
    });
}

fn normalize(block: Ptr<RtlUserProcessParameters>) {
    convert(block, true, |offset| offset.wrapping_add(block.raw()));
}

fn create(into: Ptr<Ptr<RtlUserProcessParameters>>, wanted: &Wanted, flags: u32) -> NtStatus {
    match build(wanted) {
        Ok(built) => {
            if flags & ParameterFlags::PARAMS_NORMALIZED.bits() != 0 {
                normalize(built);
            }
            into.cast::<usize>().write(built.address());
            NtStatus::SUCCESS
        }
        Err(status) => status,
    }
}

exports! {
    /// Builds the parameters of a new process, not normalized. The command line is the image's path, and the directory, DLL
    /// path and environment are the process's own, where the caller names none.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: no image. `NO_MEMORY`.
    fn RtlCreateProcessParameters(
        into: Ptr<Ptr<RtlUserProcessParameters>>,
        image: Ptr<UnicodeString>,
        dll_path: Ptr<UnicodeString>,
        directory: Ptr<UnicodeString>,
        command_line: Ptr<UnicodeString>,
        environment: Ptr<u16>,
        title: Ptr<UnicodeString>,
        desktop: Ptr<UnicodeString>,
        shell: Ptr<UnicodeString>,
        runtime: Ptr<UnicodeString>,
    ) -> NtStatus {
        let wanted =
            Wanted { image, dll_path, directory, command_line, environment, title, desktop, shell, runtime };
        create(into, &wanted, 0)
    }

    /// As `RtlCreateProcessParameters`; bit 0 of the flags asks for normalized parameters.
    ///
    /// # Errors
    /// As of `RtlCreateProcessParameters`.
    fn RtlCreateProcessParametersEx(
        into: Ptr<Ptr<RtlUserProcessParameters>>,
        image: Ptr<UnicodeString>,
        dll_path: Ptr<UnicodeString>,
        directory: Ptr<UnicodeString>,
        command_line: Ptr<UnicodeString>,
        environment: Ptr<u16>,
        title: Ptr<UnicodeString>,
        desktop: Ptr<UnicodeString>,
        shell: Ptr<UnicodeString>,
        runtime: Ptr<UnicodeString>,
        flags: u32,
    ) -> NtStatus {
        let wanted =
            Wanted { image, dll_path, directory, command_line, environment, title, desktop, shell, runtime };
        create(into, &wanted, flags)
    }

    /// Makes offsets addresses, unless they are.
    fn RtlNormalizeProcessParams(block: Ptr<RtlUserProcessParameters>) -> Ptr<RtlUserProcessParameters> {
        normalize(block);
        block
    }

    /// Makes addresses offsets, unless they are.
    fn RtlDeNormalizeProcessParams(block: Ptr<RtlUserProcessParameters>) -> Ptr<RtlUserProcessParameters> {
        convert(block, false, |address| address.wrapping_sub(block.raw()));
        block
    }

    /// Gives parameters back.
    fn RtlDestroyProcessParameters(block: Ptr<RtlUserProcessParameters>) -> NtStatus {
        blocks::free(block.cast());
        NtStatus::SUCCESS
    }
}

#[cfg(test)]
mod tests;
