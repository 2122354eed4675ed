//! Text on the console.
//!
//! There is no console device yet. A program that the first process started has pseudo handles, as programs of Windows up
//! to version 7 had them: 3 for input, 7 for output, 11 for errors. What is written to 7 or 11 the kernel shows
//! (`NtDisplayString`); nothing can be read, and what asks after a screen is told `ERROR_NOT_SUPPORTED`.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use nt_abi::native::{RtlUserProcessParameters, UnicodeString};
use ntdll_imports::NtDisplayString;

use crate::code_pages::{self, Encoding};
use crate::utf8_stream;
use crate::win::*;

/// The most units that are shown at once.
const PIECE: usize = 512;
/// Input, as the parameters of a process have it.
pub(crate) const INPUT: Handle = Handle(3);
/// Output, as the parameters of a process have it.
pub(crate) const OUTPUT: Handle = Handle(7);

/// `STD_INPUT_HANDLE`.
const STD_INPUT: u32 = 0xFFFF_FFF6;
/// `STD_OUTPUT_HANDLE`.
const STD_OUTPUT: u32 = 0xFFFF_FFF5;
/// `STD_ERROR_HANDLE`.
const STD_ERROR: u32 = 0xFFFF_FFF4;

/// `ENABLE_*`: processed, lines, echo, mouse, insert, quick edit, extended, position.
static INPUT_MODE: AtomicU32 = AtomicU32::new(0x1F7);
/// `ENABLE_*`: processed, wrapped.
static OUTPUT_MODE: AtomicU32 = AtomicU32::new(3);
/// All that the input's mode may be.
const INPUT_MODES: u32 = 0x3FF;
/// All that the output's mode may be.
const OUTPUT_MODES: u32 = 0x1F;

static INPUT_PAGE: AtomicU32 = AtomicU32::new(code_pages::OEM);
static OUTPUT_PAGE: AtomicU32 = AtomicU32::new(code_pages::OEM);

/// The beginning of a character of UTF-8 whose end has not been written yet.
static UNFINISHED: AtomicU32 = AtomicU32::new(0);

/// Whether a handle is one of the console's pseudo handles: its two low bits are set, which no handle of the kernel has.
pub(crate) fn is_console(handle: Handle) -> bool {
    handle.0 & 3 == 3 && handle.0 < 0x1000
}

/// The handle of the console itself.
///
/// # Errors
/// `INVALID_HANDLE`.
fn console(handle: Handle) -> Win {
    if is_console(handle) {
        Ok(())
    } else {
        Err(Error::INVALID_HANDLE)
    }
}

/// What gathers text into pieces of whole characters, a line each where one is short enough.
struct Display {
    piece: [u16; PIECE],
    used: usize,
}

impl Display {
    const fn new() -> Self {
        Self {
            piece: [0; PIECE],
            used: 0,
        }
    }

    fn put(&mut self, unit: u16) {
        self.piece[self.used] = unit;
        self.used += 1;
        // The second half of a pair still finds room.
        let full = self.used >= PIECE - 1 && !(0xD800..0xDC00).contains(&unit);
        if unit == u16::from(b'\n') || full || self.used == PIECE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let units = &self.piece[..self.used];
        if units.is_empty() {
            return;
        }
        // A piece is short.
        let length = u16::try_from(size_of_val(units)).unwrap_or_default();
        let string = UnicodeString {
            length,
            maximum_length: length,
            buffer: Ptr::<u16>::new(units.as_ptr().expose_provenance()).raw(),
            ..UnicodeString::default()
        };
        let _refused = NtDisplayString(&string);
        self.used = 0;
    }
}

/// Shows text, line by line.
pub(crate) fn display(units: impl Iterator<Item = u16>) {
    let mut display = Display::new();
    for unit in units {
        display.put(unit);
    }
    display.flush();
}

/// Writes bytes of a code page to a handle of the console.
///
/// # Errors
/// `ACCESS_DENIED`: it is the input.
pub(crate) fn write_bytes(handle: Handle, bytes: &[u8]) -> Win {
    writable(handle)?;
    match code_pages::encoding(OUTPUT_PAGE.load(Relaxed)) {
        Some(Encoding::Page(page)) => display(bytes.iter().map(|&byte| page.unit(byte))),
        Some(Encoding::Below(limit)) => {
            display(bytes.iter().map(|&byte| u16::from(byte) & (limit - 1)));
        }
        Some(Encoding::Utf8) | None => {
            let mut display = Display::new();
            let before = UNFINISHED.swap(0, Relaxed);
            let after = utf8_stream::feed(before, bytes, |unit| display.put(unit));
            UNFINISHED.store(after, Relaxed);
            display.flush();
        }
    }
    Ok(())
}

/// A handle that text can be written to.
fn writable(handle: Handle) -> Win {
    console(handle)?;
    if handle == INPUT {
        return Err(Error::ACCESS_DENIED);
    }
    Ok(())
}

/// Where the parameters have a standard handle.
fn standard(which: u32) -> Win<Ptr<Handle>> {
    let parameters = parameters();
    Ok(match which {
        STD_INPUT => field!(parameters, RtlUserProcessParameters, standard_input),
        STD_OUTPUT => field!(parameters, RtlUserProcessParameters, standard_output),
        STD_ERROR => field!(parameters, RtlUserProcessParameters, standard_error),
        _ => return Err(Error::INVALID_HANDLE),
    }
    .cast())
}

/// The mode of a handle, and all that it may be.
fn mode_of(handle: Handle) -> Win<(&'static AtomicU32, u32)> {
    console(handle)?;
    Ok(if handle == INPUT {
        (&INPUT_MODE, INPUT_MODES)
    } else {
        (&OUTPUT_MODE, OUTPUT_MODES)
    })
}

/// Sets a code page.
fn set_page(of: &AtomicU32, page: u32) -> Win {
    if page == 0 || code_pages::encoding(page).is_none() {
        return Err(Error::INVALID_PARAMETER);
    }
    of.store(code_pages::number(page), Relaxed);
    Ok(())
}

/// What needs a console with a screen and a keyboard.
fn not_supported(handle: Handle) -> Bool {
    truth(console(handle).and(Err(Error::NOT_SUPPORTED)))
}

exports! {
    /// A standard handle (`STD_*_HANDLE`).
    fn GetStdHandle(which: u32) -> Handle {
        answer(standard(which).map(Ptr::read), Handle::INVALID)
    }

    /// Sets a standard handle.
    fn SetStdHandle(which: u32, handle: Handle) -> Bool {
        truth(standard(which).map(|place| place.write(handle)))
    }

    /// Sets a standard handle, and gives the one before.
    fn SetStdHandleEx(which: u32, handle: Handle, before: Ptr<Handle>) -> Bool {
        truth(standard(which).map(|place| {
            before.write_optional(place.read());
            place.write(handle);
        }))
    }

    /// The mode of a handle of the console.
    fn GetConsoleMode(handle: Handle, mode: Ptr<u32>) -> Bool {
        truth(mode_of(handle).map(|(place, _all)| mode.write(place.load(Relaxed))))
    }

    /// Sets the mode of a handle of the console.
    fn SetConsoleMode(handle: Handle, mode: u32) -> Bool {
        truth(mode_of(handle).and_then(|(place, all)| {
            if mode & !all != 0 {
                return Err(Error::INVALID_PARAMETER);
            }
            place.store(mode, Relaxed);
            Ok(())
        }))
    }

    /// The code page of what is read.
    fn GetConsoleCP() -> u32 {
        INPUT_PAGE.load(Relaxed)
    }

    /// Sets the code page of what is read.
    fn SetConsoleCP(page: u32) -> Bool {
        truth(set_page(&INPUT_PAGE, page))
    }

    /// The code page of what is written.
    fn GetConsoleOutputCP() -> u32 {
        OUTPUT_PAGE.load(Relaxed)
    }

    /// Sets the code page of what is written.
    fn SetConsoleOutputCP(page: u32) -> Bool {
        truth(set_page(&OUTPUT_PAGE, page))
    }

    /// Writes units.
    fn WriteConsoleW(handle: Handle, text: Ptr<u16>, count: u32, written: Ptr<u32>, _reserved: Ptr<u8>) -> Bool {
        truth(writable(handle).map(|()| {
            display((0..count as usize).map(|index| text.add(index).read()));
            written.write_optional(count);
        }))
    }

    /// Writes bytes of the output's code page.
    fn WriteConsoleA(handle: Handle, text: Ptr<u8>, count: u32, written: Ptr<u32>, _reserved: Ptr<u8>) -> Bool {
        truth(write_bytes(handle, text.slice(count as usize)).map(|()| written.write_optional(count)))
    }

    /// Reads a line as units.
    ///
    /// # Differs
    /// Nothing can be read.
    fn ReadConsoleW(handle: Handle, _text: Ptr<u16>, _count: u32, _read: Ptr<u32>, _control: Ptr<u8>) -> Bool {
        not_supported(handle)
    }

    /// Reads a line as bytes.
    ///
    /// # Differs
    /// Nothing can be read.
    fn ReadConsoleA(handle: Handle, _text: Ptr<u8>, _count: u32, _read: Ptr<u32>, _control: Ptr<u8>) -> Bool {
        not_supported(handle)
    }

    /// Keys and other events.
    ///
    /// # Differs
    /// Nothing can be read.
    fn ReadConsoleInputW(handle: Handle, _events: Ptr<u8>, _count: u32, _read: Ptr<u32>) -> Bool {
        not_supported(handle)
    }

    /// Keys and other events.
    ///
    /// # Differs
    /// Nothing can be read.
    fn ReadConsoleInputA(handle: Handle, _events: Ptr<u8>, _count: u32, _read: Ptr<u32>) -> Bool {
        not_supported(handle)
    }

    /// Keys and other events, without taking them away: there are none.
    fn PeekConsoleInputW(handle: Handle, _events: Ptr<u8>, _count: u32, read: Ptr<u32>) -> Bool {
        truth(console(handle).map(|()| read.write(0)))
    }

    /// Keys and other events, without taking them away: there are none.
    fn PeekConsoleInputA(handle: Handle, _events: Ptr<u8>, _count: u32, read: Ptr<u32>) -> Bool {
        truth(console(handle).map(|()| read.write(0)))
    }

    /// How many keys and other events wait: none.
    fn GetNumberOfConsoleInputEvents(handle: Handle, count: Ptr<u32>) -> Bool {
        truth(console(handle).map(|()| count.write(0)))
    }

    /// Forgets keys that wait.
    fn FlushConsoleInputBuffer(handle: Handle) -> Bool {
        truth(console(handle))
    }

    /// The size of the screen, and where the cursor is.
    ///
    /// # Differs
    /// There is no screen.
    fn GetConsoleScreenBufferInfo(handle: Handle, _information: Ptr<u8>) -> Bool {
        not_supported(handle)
    }

    /// The size of the screen, and where the cursor is.
    ///
    /// # Differs
    /// There is no screen.
    fn GetConsoleScreenBufferInfoEx(handle: Handle, _information: Ptr<u8>) -> Bool {
        not_supported(handle)
    }

    /// The form of the cursor.
    ///
    /// # Differs
    /// There is no screen.
    fn GetConsoleCursorInfo(handle: Handle, _information: Ptr<u8>) -> Bool {
        not_supported(handle)
    }

    /// Sets the form of the cursor.
    ///
    /// # Differs
    /// There is no screen.
    fn SetConsoleCursorInfo(handle: Handle, _information: Ptr<u8>) -> Bool {
        not_supported(handle)
    }

    /// Moves the cursor.
    ///
    /// # Differs
    /// There is no screen.
    fn SetConsoleCursorPosition(handle: Handle, _position: u32) -> Bool {
        not_supported(handle)
    }

    /// Sets the colours of what is written.
    ///
    /// # Differs
    /// There is no screen.
    fn SetConsoleTextAttribute(handle: Handle, _attribute: u16) -> Bool {
        not_supported(handle)
    }

    /// Fills a part of the screen with a character.
    ///
    /// # Differs
    /// There is no screen.
    fn FillConsoleOutputCharacterW(handle: Handle, _unit: u16, _count: u32, _place: u32, _written: Ptr<u32>) -> Bool {
        not_supported(handle)
    }

    /// Fills a part of the screen with a character.
    ///
    /// # Differs
    /// There is no screen.
    fn FillConsoleOutputCharacterA(handle: Handle, _byte: u8, _count: u32, _place: u32, _written: Ptr<u32>) -> Bool {
        not_supported(handle)
    }

    /// Fills a part of the screen with colours.
    ///
    /// # Differs
    /// There is no screen.
    fn FillConsoleOutputAttribute(handle: Handle, _attribute: u16, _count: u32, _place: u32, _written: Ptr<u32>) -> Bool {
        not_supported(handle)
    }

    /// Sets the size of the screen's text.
    ///
    /// # Differs
    /// There is no screen.
    fn SetConsoleScreenBufferSize(handle: Handle, _size: u32) -> Bool {
        not_supported(handle)
    }

    /// The window of the console: there is none.
    fn GetConsoleWindow() -> Handle {
        Handle::NULL
    }

    /// Whether a handle is one of the console's.
    fn VerifyConsoleIoHandle(handle: Handle) -> Bool {
        Bool::from(is_console(handle))
    }

    /// Gives the process a console.
    ///
    /// # Differs
    /// It has one, if it has anything that could be one.
    fn AllocConsole() -> Bool {
        truth(Err(Error::ACCESS_DENIED))
    }

    /// Gives the process the console of another one.
    ///
    /// # Differs
    /// It has one, if it has anything that could be one.
    fn AttachConsole(_process: u32) -> Bool {
        truth(Err(Error::ACCESS_DENIED))
    }

    /// Takes the console away from the process.
    ///
    /// # Differs
    /// It stays.
    fn FreeConsole() -> Bool {
        TRUE
    }
}
