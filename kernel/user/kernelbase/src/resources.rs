//! Resources of modules: found by kind, name and language, listed, read.

use alloc::vec::Vec;

use ntdll_imports::{LdrAccessResource, LdrFindResource_U, LdrFindResourceDirectory_U};
use rtl::utf16::upcase;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::modules;
use crate::wide::{self, Wide};
use crate::win::*;

/// `RT_STRING`.
const STRING_TABLE: usize = 6;
/// Strings of a table.
const STRINGS: u32 = 16;

/// `IMAGE_RESOURCE_DIRECTORY`; the entries follow.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Directory {
    characteristics: u32,
    time_date_stamp: u32,
    major_version: u16,
    minor_version: u16,
    named_entries: u16,
    id_entries: u16,
}

/// `IMAGE_RESOURCE_DIRECTORY_ENTRY`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Entry {
    /// A number, or with the highest bit where a name is.
    name: u32,
    data: u32,
}

/// `IMAGE_RESOURCE_DATA_ENTRY`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Data {
    offset: u32,
    size: u32,
    code_page: u32,
    reserved: u32,
}

/// The bit of an entry's name that says that it is none but a place.
const NAMED: u32 = 0x8000_0000;

/// A kind or a name as the loader wants it: a number, or capitals.
struct Name {
    number: usize,
    text: Vec<u16>,
}

impl Name {
    /// What a caller says: a number in the place of an address, `#` and digits, or text.
    fn of(argument: usize) -> Win<Self> {
        if argument <= usize::from(u16::MAX) {
            return Ok(Self {
                number: argument,
                text: Vec::new(),
            });
        }
        Self::of_text(wide::units(Ptr::new(argument)))
    }

    fn of_text(text: &[u16]) -> Win<Self> {
        if let Some((&0x23, digits)) = text.split_first() {
            let number = rtl::numerals::read(digits.iter().copied(), 10);
            let number = usize::try_from(number.value).unwrap_or(usize::MAX);
            if number > usize::from(u16::MAX) {
                return Err(Error::INVALID_PARAMETER);
            }
            return Ok(Self {
                number,
                text: Vec::new(),
            });
        }
        let mut capitals: Vec<u16> = text.iter().map(|&unit| upcase(unit)).collect();
        capitals.push(0);
        Ok(Self {
            number: 0,
            text: capitals,
        })
    }

    /// The same of bytes.
    fn of_ansi(argument: usize) -> Win<Self> {
        if argument <= usize::from(u16::MAX) {
            return Self::of(argument);
        }
        Self::of_text(Wide::from_ansi(Ptr::new(argument))?.units())
    }

    fn argument(&mut self) -> usize {
        if self.text.is_empty() {
            self.number
        } else {
            wide::place(&mut self.text).address()
        }
    }
}

/// Finds a resource; gives its entry.
fn find(module: Ptr<u8>, kind: Win<Name>, name: Win<Name>, language: u16) -> Win<Ptr<Data>> {
    let (mut kind, mut name) = (kind?, name?);
    let mut wanted = [kind.argument(), name.argument(), usize::from(language)];
    let mut entry = 0_usize;
    check(LdrFindResource_U(
        modules::base_of(module),
        wide::place(&mut wanted),
        3,
        Ptr::of(&mut entry),
    ))?;
    Ok(Ptr::new(entry))
}

/// A directory of resources: of all kinds, of the names of one, of the languages of one of these.
fn directory(module: Ptr<u8>, path: &mut [usize]) -> Win<Ptr<Directory>> {
    let mut found = 0_usize;
    let level = u32::try_from(path.len()).unwrap_or(0);
    check(LdrFindResourceDirectory_U(
        modules::base_of(module),
        wide::place(path),
        level,
        Ptr::of(&mut found),
    ))?;
    Ok(Ptr::new(found))
}

/// What entries of a directory are called: numbers, or texts with a terminator.
fn entries(module: Ptr<u8>, path: &mut [usize]) -> Win<Vec<Name>> {
    let root = directory(module, &mut [])?;
    let found = directory(module, path)?;
    let header = found.read();
    let count = usize::from(header.named_entries) + usize::from(header.id_entries);
    let first = found
        .cast::<u8>()
        .byte_add(size_of::<Directory>())
        .cast::<Entry>();
    let mut names = Vec::new();
    for index in 0..count {
        let entry = first.add(index).read();
        if entry.name & NAMED == 0 {
            names.push(Name {
                number: entry.name as usize,
                text: Vec::new(),
            });
            continue;
        }
        let place = root
            .cast::<u8>()
            .byte_add((entry.name & !NAMED) as usize)
            .cast::<u16>();
        let mut text = place.add(1).slice(usize::from(place.read())).to_vec();
        text.push(0);
        names.push(Name { number: 0, text });
    }
    Ok(names)
}

/// A name for a function that wants bytes.
fn ansi_argument(name: &mut Name) -> Win<(usize, Vec<u8>)> {
    if name.text.is_empty() {
        return Ok((name.number, Vec::new()));
    }
    let mut bytes = wide::room::<u8>(wide::ansi_length(&name.text))?;
    wide::to_ansi(&name.text, &mut bytes)?;
    Ok((wide::place(&mut bytes).address(), bytes))
}

/// Tells each entry to somebody, until he says no. That he did is an error of its own.
fn tell_each(names: Win<Vec<Name>>, mut tell: impl FnMut(&mut Name) -> Win<u32>) -> Bool {
    let told = names.and_then(|names| {
        for mut name in names {
            if tell(&mut name)? == FALSE {
                // `ERROR_RESOURCE_ENUM_USER_STOP`.
                return Err(Error(15106));
            }
        }
        Ok(())
    });
    truth(told)
}

/// `ENUMRESTYPEPROC`: a module, a kind, a parameter.
type EachType = Function<fn(Ptr<u8>, usize, isize) -> u32>;
/// `ENUMRESNAMEPROC`: a module, a kind, a name, a parameter.
type EachName = Function<fn(Ptr<u8>, usize, usize, isize) -> u32>;
/// `ENUMRESLANGPROC`: a module, a kind, a name, a language, a parameter.
type EachLanguage = Function<fn(Ptr<u8>, usize, usize, u16, isize) -> u32>;

/// The string of a number: where its units are, and how many.
fn string(module: Ptr<u8>, number: u32) -> Win<(Ptr<u16>, usize)> {
    let table = number / STRINGS + 1;
    let numbered = |number| {
        Ok(Name {
            number,
            text: Vec::new(),
        })
    };
    let entry = find(module, numbered(STRING_TABLE), numbered(table as usize), 0)?;
    let mut place = bytes_of(module, entry)?.cast::<u16>();
    for _ in 0..number % STRINGS {
        place = place.add(1 + usize::from(place.read()));
    }
    Ok((place.add(1), usize::from(place.read())))
}

/// Where the bytes of a resource are.
fn bytes_of(module: Ptr<u8>, entry: Ptr<Data>) -> Win<Ptr<u8>> {
    let mut bytes = 0_usize;
    check(LdrAccessResource(
        modules::base_of(module),
        entry.cast(),
        Ptr::of(&mut bytes),
        Ptr::NULL,
    ))?;
    Ok(Ptr::new(bytes))
}

exports! {
    /// Finds a resource in a language; null: it is not there.
    fn FindResourceExW(module: Ptr<u8>, kind: usize, name: usize, language: u16) -> Ptr<u8> {
        answer(find(module, Name::of(kind), Name::of(name), language), Ptr::NULL).cast()
    }

    /// Finds a resource in a language; null: it is not there.
    fn FindResourceExA(module: Ptr<u8>, kind: usize, name: usize, language: u16) -> Ptr<u8> {
        answer(find(module, Name::of_ansi(kind), Name::of_ansi(name), language), Ptr::NULL).cast()
    }

    /// Finds a resource; null: it is not there.
    fn FindResourceW(module: Ptr<u8>, name: usize, kind: usize) -> Ptr<u8> {
        FindResourceExW(module, kind, name, 0)
    }

    /// Finds a resource; null: it is not there.
    fn FindResourceA(module: Ptr<u8>, name: usize, kind: usize) -> Ptr<u8> {
        FindResourceExA(module, kind, name, 0)
    }

    /// The bytes of a resource; null: it failed.
    fn LoadResource(module: Ptr<u8>, entry: Ptr<u8>) -> Ptr<u8> {
        if entry.is_null() {
            return Ptr::NULL;
        }
        answer(bytes_of(module, entry.cast()), Ptr::NULL)
    }

    /// How many bytes a resource has; 0: it is none.
    fn SizeofResource(_module: Ptr<u8>, entry: Ptr<u8>) -> u32 {
        entry.non_null().map_or(0, |entry| field!(entry.cast::<Data>(), Data, size).read())
    }

    /// The bytes of a resource are where they were loaded.
    fn LockResource(bytes: Ptr<u8>) -> Ptr<u8> {
        bytes
    }

    /// Gives a resource back: it stays with its module.
    fn FreeResource(_bytes: Ptr<u8>) -> Bool {
        FALSE
    }

    /// Tells each kind of resource to a function.
    fn EnumResourceTypesW(module: Ptr<u8>, each: EachType, parameter: isize) -> Bool {
        tell_each(entries(module, &mut []), |kind| Ok(each.call(module, kind.argument(), parameter)))
    }

    /// Tells each kind of resource to a function.
    fn EnumResourceTypesA(module: Ptr<u8>, each: EachType, parameter: isize) -> Bool {
        tell_each(entries(module, &mut []), |kind| {
            let (argument, _bytes) = ansi_argument(kind)?;
            Ok(each.call(module, argument, parameter))
        })
    }

    /// Tells each kind of resource to a function.
    fn EnumResourceTypesExW(module: Ptr<u8>, each: EachType, parameter: isize, _flags: u32, _language: u16) -> Bool {
        EnumResourceTypesW(module, each, parameter)
    }

    /// Tells each kind of resource to a function.
    fn EnumResourceTypesExA(module: Ptr<u8>, each: EachType, parameter: isize, _flags: u32, _language: u16) -> Bool {
        EnumResourceTypesA(module, each, parameter)
    }

    /// Tells each resource of a kind to a function.
    fn EnumResourceNamesW(module: Ptr<u8>, kind: usize, each: EachName, parameter: isize) -> Bool {
        let names = Name::of(kind).and_then(|mut wanted| entries(module, &mut [wanted.argument()]));
        tell_each(names, |name| Ok(each.call(module, kind, name.argument(), parameter)))
    }

    /// Tells each resource of a kind to a function.
    fn EnumResourceNamesA(module: Ptr<u8>, kind: usize, each: EachName, parameter: isize) -> Bool {
        let names = Name::of_ansi(kind).and_then(|mut wanted| entries(module, &mut [wanted.argument()]));
        tell_each(names, |name| {
            let (argument, _bytes) = ansi_argument(name)?;
            Ok(each.call(module, kind, argument, parameter))
        })
    }

    /// Tells each resource of a kind to a function.
    fn EnumResourceNamesExW(module: Ptr<u8>, kind: usize, each: EachName, parameter: isize, _flags: u32, _language: u16) -> Bool {
        EnumResourceNamesW(module, kind, each, parameter)
    }

    /// Tells each resource of a kind to a function.
    fn EnumResourceNamesExA(module: Ptr<u8>, kind: usize, each: EachName, parameter: isize, _flags: u32, _language: u16) -> Bool {
        EnumResourceNamesA(module, kind, each, parameter)
    }

    /// Tells each language of a resource to a function.
    fn EnumResourceLanguagesW(module: Ptr<u8>, kind: usize, name: usize, each: EachLanguage, parameter: isize) -> Bool {
        let languages = Name::of(kind).and_then(|mut wanted| {
            let mut of = Name::of(name)?;
            entries(module, &mut [wanted.argument(), of.argument()])
        });
        tell_each(languages, |language| {
            let language = u16::try_from(language.number).unwrap_or_default();
            Ok(each.call(module, kind, name, language, parameter))
        })
    }

    /// Tells each language of a resource to a function.
    fn EnumResourceLanguagesA(module: Ptr<u8>, kind: usize, name: usize, each: EachLanguage, parameter: isize) -> Bool {
        let languages = Name::of_ansi(kind).and_then(|mut wanted| {
            let mut of = Name::of_ansi(name)?;
            entries(module, &mut [wanted.argument(), of.argument()])
        });
        tell_each(languages, |language| {
            let language = u16::try_from(language.number).unwrap_or_default();
            Ok(each.call(module, kind, name, language, parameter))
        })
    }

    /// Tells each language of a resource to a function.
    fn EnumResourceLanguagesExW(module: Ptr<u8>, kind: usize, name: usize, each: EachLanguage, parameter: isize, _flags: u32, _language: u16) -> Bool {
        EnumResourceLanguagesW(module, kind, name, each, parameter)
    }

    /// Tells each language of a resource to a function.
    fn EnumResourceLanguagesExA(module: Ptr<u8>, kind: usize, name: usize, each: EachLanguage, parameter: isize, _flags: u32, _language: u16) -> Bool {
        EnumResourceLanguagesA(module, kind, name, each, parameter)
    }

    /// A string of a module: its length; with no room, where it is.
    fn LoadStringW(module: Ptr<u8>, number: u32, into: Ptr<u16>, capacity: i32) -> i32 {
        let Ok((place, length)) = string(module, number) else {
            return 0;
        };
        let told = i32::try_from(length).unwrap_or(0);
        let Ok(capacity) = usize::try_from(capacity) else {
            return 0;
        };
        if capacity == 0 {
            into.cast::<usize>().write(place.address());
            return told;
        }
        let count = length.min(capacity - 1);
        into.write_array(place.slice(count));
        into.add(count).write(0);
        i32::try_from(count).unwrap_or(0)
    }

    /// A string of a module in the ANSI code page: its length.
    fn LoadStringA(module: Ptr<u8>, number: u32, into: Ptr<u8>, capacity: i32) -> i32 {
        let Some(room) = usize::try_from(capacity).ok().and_then(|capacity| capacity.checked_sub(1)) else {
            return 0;
        };
        let Ok((place, length)) = string(module, number) else {
            into.write(0);
            return 0;
        };
        let units = place.slice(length);
        // As much as fits.
        let count = wide::to_ansi(units, into.slice_mut(room)).unwrap_or(room);
        into.add(count).write(0);
        i32::try_from(count).unwrap_or(0)
    }
}
