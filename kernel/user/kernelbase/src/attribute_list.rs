//! `PROC_THREAD_ATTRIBUTE_LIST`: what else is said of a process or thread that is to be made.
//!
//! The list lies in memory of the caller, who asked how much it needs. What is in it is nobody else's business.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::win::*;

/// How a list begins; the attributes follow.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Header {
    /// A bit for each kind of attribute that is there.
    present: u32,
    /// How many find room.
    room: u32,
    /// How many there are.
    count: u32,
    reserved: u32,
}

/// An attribute: its number with flags, and where its value is.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Attribute {
    pub(crate) number: usize,
    pub(crate) size: usize,
    pub(crate) value: usize,
}

/// `PROC_THREAD_ATTRIBUTE_*`.
pub(crate) mod number {
    /// A process.
    pub(crate) const PARENT_PROCESS: usize = 0x2_0000;
    /// Handles that are inherited.
    pub(crate) const HANDLE_LIST: usize = 0x2_0002;
    /// Jobs.
    pub(crate) const JOB_LIST: usize = 0x2_000D;
}

/// The bits of a number that say which kind it is.
const NUMBER: usize = 0xFFFF;
/// `PROC_THREAD_ATTRIBUTE_REPLACE_VALUE`.
const REPLACE: u32 = 1;

fn attributes(list: Ptr<u8>) -> Ptr<Attribute> {
    list.byte_add(size_of::<Header>()).cast()
}

/// The attribute of a number, if it is there.
pub(crate) fn find(list: Ptr<u8>, number: usize) -> Option<Attribute> {
    let header = list.non_null()?.cast::<Header>().read();
    (0..header.count as usize)
        .map(|index| attributes(list).add(index).read())
        .find(|attribute| attribute.number == number)
}

fn initialize(list: Ptr<u8>, count: u32, size: Ptr<usize>) -> Win {
    let needed = size_of::<Header>() + count as usize * size_of::<Attribute>();
    let given = size.read();
    size.write(needed);
    if list.is_null() || given < needed {
        return Err(Error::INSUFFICIENT_BUFFER);
    }
    list.cast::<Header>().write(Header {
        present: 0,
        room: count,
        count: 0,
        reserved: 0,
    });
    Ok(())
}

fn update(list: Ptr<u8>, flags: u32, new: Attribute, previous: Ptr<u8>) -> Win {
    let bit = u32::try_from(new.number & NUMBER)
        .ok()
        .filter(|bit| *bit < 32)
        .ok_or(Error::NOT_SUPPORTED)?;
    if flags & !REPLACE != 0 || !previous.is_null() && flags & REPLACE == 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    let mut header = list.cast::<Header>().read();
    if header.present >> bit & 1 != 0 {
        // `ERROR_OBJECT_NAME_EXISTS`.
        return Err(Error(698));
    }
    if header.count >= header.room {
        return Err(Error::GEN_FAILURE);
    }
    attributes(list).add(header.count as usize).write(new);
    header.present |= 1 << bit;
    header.count += 1;
    list.cast::<Header>().write(header);
    Ok(())
}

exports! {
    /// Makes a list of attributes in the caller's memory, or says how much memory it needs.
    fn InitializeProcThreadAttributeList(list: Ptr<u8>, count: u32, flags: u32, size: Ptr<usize>) -> Bool {
        if flags != 0 {
            return truth(Err(Error::INVALID_PARAMETER));
        }
        truth(initialize(list, count, size))
    }

    /// Adds an attribute to a list; its value stays where it is.
    fn UpdateProcThreadAttribute(list: Ptr<u8>, flags: u32, number: usize, value: Ptr<u8>, size: usize, previous: Ptr<u8>, _returned: Ptr<usize>) -> Bool {
        let new = Attribute { number, size, value: value.address() };
        truth(update(list, flags, new, previous))
    }

    /// Gives a list of attributes up.
    fn DeleteProcThreadAttributeList(_list: Ptr<u8>) {}
}
