//! Memory and strings as C code would hand them in, for tests.

extern crate std;

use std::string::String;
use std::vec::Vec;

use c_interface::Ptr;
use nt_abi::native::{AnsiString, UnicodeString};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Memory of C code's.
pub(crate) struct Room<T> {
    items: Vec<T>,
}

impl<T: Copy + FromBytes + IntoBytes + Immutable> Room<T> {
    pub(crate) fn new(items: &[T]) -> Self {
        Self {
            items: items.to_vec(),
        }
    }

    /// So many, all with one value.
    pub(crate) fn filled(value: T, count: usize) -> Self {
        Self {
            items: std::vec![value; count],
        }
    }

    pub(crate) fn ptr(&self) -> Ptr<T> {
        Ptr::new(self.items.as_ptr().expose_provenance())
    }

    /// What is there now.
    pub(crate) fn now(&self) -> Vec<T> {
        let mut now = self.items.clone();
        self.ptr().read_array(&mut now);
        now
    }
}

impl Room<u16> {
    /// The text before the zero.
    pub(crate) fn text(&self) -> String {
        let now = self.now();
        let end = now.iter().position(|unit| *unit == 0).expect("a zero");
        String::from_utf16(&now[..end]).expect("characters")
    }
}

impl Room<u8> {
    /// The text before the zero.
    pub(crate) fn text(&self) -> String {
        let now = self.now();
        let end = now.iter().position(|byte| *byte == 0).expect("a zero");
        now[..end].iter().map(|byte| char::from(*byte)).collect()
    }
}

/// Text that ends with a zero.
pub(crate) fn wide(text: &str) -> Room<u16> {
    let mut units: Vec<u16> = text.encode_utf16().collect();
    units.push(0);
    Room::new(&units)
}

/// Text that ends with a zero; its characters are bytes.
pub(crate) fn narrow(text: &str) -> Room<u8> {
    let mut bytes: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).expect("a byte"))
        .collect();
    bytes.push(0);
    Room::new(&bytes)
}

/// A string with its buffer.
pub(crate) struct Held<S, T> {
    string: Room<S>,
    room: Room<T>,
}

impl<S, T> Held<S, T>
where
    S: Copy + FromBytes + IntoBytes + Immutable,
    T: Copy + FromBytes + IntoBytes + Immutable,
{
    pub(crate) fn ptr(&self) -> Ptr<S> {
        self.string.ptr()
    }

    /// The string's fields now.
    pub(crate) fn get(&self) -> S {
        self.ptr().read()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut S)) {
        let mut string = self.get();
        change(&mut string);
        self.ptr().write(string);
    }

    /// The whole buffer now.
    pub(crate) fn whole(&self) -> Vec<T> {
        self.room.now()
    }

    pub(crate) fn fill(&self, value: T) {
        for index in 0..self.room.items.len() {
            self.room.ptr().add(index).write(value);
        }
    }
}

/// A string in a buffer of so many bytes.
pub(crate) fn unicode(text: &str, bytes: u16) -> Held<UnicodeString, u16> {
    let mut units: Vec<u16> = text.encode_utf16().collect();
    let length = u16::try_from(units.len() * 2).expect("short");
    assert!(length <= bytes);
    units.resize(usize::from(bytes).div_ceil(2), 0x2D);
    let room = Room { items: units };
    Held {
        string: Room::new(&[UnicodeString {
            length,
            maximum_length: bytes,
            reserved: Default::default(),
            buffer: room.ptr().raw(),
        }]),
        room,
    }
}

/// A string in a buffer of so many bytes; its characters are bytes.
pub(crate) fn ansi(text: &str, bytes: u16) -> Held<AnsiString, u8> {
    let mut content: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).expect("a byte"))
        .collect();
    let length = u16::try_from(content.len()).expect("short");
    assert!(length <= bytes);
    content.resize(usize::from(bytes), b'-');
    let room = Room { items: content };
    Held {
        string: Room::new(&[AnsiString {
            length,
            maximum_length: bytes,
            reserved: Default::default(),
            buffer: room.ptr().raw(),
        }]),
        room,
    }
}

/// A string's text.
pub(crate) fn contents(string: &UnicodeString) -> String {
    let units = Ptr::<u16>::at(string.buffer).slice(usize::from(string.length / 2));
    String::from_utf16(units).expect("characters")
}

/// A string's bytes, as characters.
pub(crate) fn ansi_contents(string: &AnsiString) -> String {
    let bytes = Ptr::<u8>::at(string.buffer).slice(usize::from(string.length));
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
