//! The exceptions of the standard library that compiled code throws without naming them: `std::bad_cast`, `std::bad_typeid`.
//!
//! A compiler that sees the class writes its table of virtual functions, its descriptor and the description of a throw. Here
//! is none, so they are written when the first such exception is thrown. Places in them are relative to this image.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use c_interface::{Ptr, field};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::exceptions::{__std_exception_copy, __std_exception_destroy, ExceptionData};
use crate::ntdll::RtlLookupFunctionEntry;
use crate::throwing::_CxxThrowException;

/// A class of the standard library, by its number. `std::exception`, of which both are derived, is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// `std::bad_cast`.
    BadCast = 1,
    /// `std::bad_typeid`.
    BadTypeid = 2,
}

/// How many there are.
const CLASSES: usize = 3;

/// An object of such a class.
#[derive(Clone, Copy, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Object {
    table: usize,
    data: ExceptionData,
}

/// `TypeDescriptor`, with room for each of the names.
#[repr(C)]
struct Descriptor {
    table: AtomicUsize,
    _readable: usize,
    name: [u8; 24],
}

impl Descriptor {
    const fn new(text: &[u8]) -> Self {
        let mut name = [0; 24];
        let mut at = 0;
        while at < text.len() {
            name[at] = text[at];
            at += 1;
        }
        Self {
            table: AtomicUsize::new(0),
            _readable: 0,
            name,
        }
    }
}

static DESCRIPTORS: [Descriptor; CLASSES] = [
    Descriptor::new(b".?AVexception@std@@"),
    Descriptor::new(b".?AVbad_cast@std@@"),
    Descriptor::new(b".?AVbad_typeid@std@@"),
];

/// For each class the locator's address, then its virtual functions: the destructor and `what`.
static TABLES: [[AtomicUsize; 3]; CLASSES] =
    [const { [const { AtomicUsize::new(0) }; 3] }; CLASSES];

/// Words of the descriptions of each class.
const WORDS: usize = 40;
/// Where in a class's words each description is.
mod at {
    pub(super) const LOCATOR: usize = 0;
    pub(super) const HIERARCHY: usize = 6;
    pub(super) const CLASS_LIST: usize = 10;
    pub(super) const CLASS: usize = 12;
    pub(super) const CATCHABLE: usize = 19;
    pub(super) const CATCHABLE_LIST: usize = 26;
    pub(super) const THROW: usize = 29;
}
static NUMBERS: [[AtomicU32; WORDS]; CLASSES] =
    [const { [const { AtomicU32::new(0) }; WORDS] }; CLASSES];

/// Throws an exception with a message.
pub(crate) fn throw(class: Class, message: &'static CStr) -> ! {
    describe();
    let mut object = Object {
        table: table(class as usize),
        data: ExceptionData::of(message),
    };
    let info = Ptr::of_shared(&NUMBERS[class as usize][at::THROW]).cast();
    _CxxThrowException(Ptr::of(&mut object).address(), info);
    crate::terminate::end()
}

/// What objects of a class have as the address of their table.
fn table(class: usize) -> usize {
    Ptr::of_shared(&TABLES[class][1]).address()
}

/// Writes everything. Two threads may do so at once, and write the same.
fn describe() {
    let own = describe as *const () as usize;
    let mut base = 0;
    RtlLookupFunctionEntry(own, Ptr::of(&mut base), Ptr::NULL);
    let rva = |address: usize| u32::try_from(address.wrapping_sub(base)).unwrap_or(0);
    let word = |class: usize, index: usize| rva(Ptr::of_shared(&NUMBERS[class][index]).address());
    let descriptor = |class: usize| rva(Ptr::of_shared(&DESCRIPTORS[class]).address());
    let code = |function: *const ()| rva(function as usize);
    let copies = [
        copy::<0> as *const (),
        copy::<1> as *const (),
        copy::<2> as *const (),
    ];
    let size = u32::try_from(size_of::<Object>()).unwrap_or(0);
    for class in 0..CLASSES {
        // Each is derived from the first, which is derived from nothing.
        let bases = u32::from(class != 0);
        let list: &[(usize, &[u32])] = &[
            (
                at::LOCATOR,
                &[
                    1,
                    0,
                    0,
                    descriptor(class),
                    word(class, at::HIERARCHY),
                    word(class, at::LOCATOR),
                ],
            ),
            (
                at::HIERARCHY,
                &[0, 0, 1 + bases, word(class, at::CLASS_LIST)],
            ),
            (
                at::CLASS_LIST,
                &[word(class, at::CLASS), word(0, at::CLASS)],
            ),
            // The base class is at its beginning.
            (
                at::CLASS,
                &[
                    descriptor(class),
                    bases,
                    0,
                    u32::MAX,
                    0,
                    0x40,
                    word(class, at::HIERARCHY),
                ],
            ),
            (
                at::CATCHABLE,
                &[
                    0,
                    descriptor(class),
                    0,
                    u32::MAX,
                    0,
                    size,
                    code(copies[class]),
                ],
            ),
            (
                at::CATCHABLE_LIST,
                &[
                    1 + bases,
                    word(class, at::CATCHABLE),
                    word(0, at::CATCHABLE),
                ],
            ),
            (
                at::THROW,
                &[
                    0,
                    code(destroy as *const ()),
                    0,
                    word(class, at::CATCHABLE_LIST),
                ],
            ),
        ];
        for &(start, words) in list {
            for (place, &value) in NUMBERS[class][start..].iter().zip(words) {
                place.store(value, Ordering::Relaxed);
            }
        }
        let locator = Ptr::of_shared(&NUMBERS[class][at::LOCATOR]).address();
        let functions = [
            locator,
            delete as *const () as usize,
            what as *const () as usize,
        ];
        for (place, value) in TABLES[class].iter().zip(functions) {
            place.store(value, Ordering::Release);
        }
        DESCRIPTORS[class].table.store(table(0), Ordering::Relaxed);
    }
}

/// The copy constructor of a class.
extern "C" fn copy<const CLASS: usize>(to: Ptr<u8>, from: Ptr<u8>) -> Ptr<u8> {
    let (object, other) = (to.cast::<Object>(), from.cast::<Object>());
    object.write(Object {
        table: table(CLASS),
        data: ExceptionData::default(),
    });
    __std_exception_copy(field!(other, Object, data), field!(object, Object, data));
    to
}

/// The destructor of each.
extern "C" fn destroy(object: Ptr<u8>) {
    __std_exception_destroy(field!(object.cast::<Object>(), Object, data));
}

/// The virtual destructor, which also gives the memory back if the lowest flag says so. These objects are in frames of the
/// stack, and nobody has made one of them with `new`.
extern "C" fn delete(object: Ptr<u8>, _flags: u32) -> Ptr<u8> {
    destroy(object);
    object
}

/// `what`.
extern "C" fn what(object: Ptr<u8>) -> Ptr<u8> {
    let data = field!(object.cast::<Object>(), Object, data).read();
    match data.what {
        0 => Ptr::new(c"unknown exception".as_ptr().expose_provenance()),
        text => Ptr::new(text),
    }
}
