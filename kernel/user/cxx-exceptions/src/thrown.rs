//! What was thrown: the object, and the description that the compiler made of its type.
//!
//! The description lists every type by which the object can be caught, the most derived one first: the type itself, its
//! accessible and unambiguous base classes, `void*` for pointers. So a handler needs to know nothing of inheritance.

use c_interface::Ptr;
use nt_abi::native::ExceptionRecord;
use zerocopy::{FromBytes, Immutable, KnownLayout};

use crate::tables::{index, place};
use crate::{CXX_EXCEPTION, MAGIC, PURE_MAGIC};

/// `ThrowInfo`: what a `throw` says of its object. Places are relative to the image that has it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ThrowInfo {
    /// Of what is pointed to, if a pointer was thrown.
    pub attributes: u32,
    /// The object's destructor; 0 for none.
    pub destructor: u32,
    /// A handler that is asked instead of ours; 0 for none.
    pub forward: u32,
    /// The types by which it can be caught: a count, then the place of each [`CatchableType`].
    pub catchable_types: u32,
}

impl ThrowInfo {
    /// `const`, as in [`Adjectives`](crate::tables::Adjectives).
    pub const CONST: u32 = 0x01;
    /// `volatile`.
    pub const VOLATILE: u32 = 0x02;
    /// `__unaligned`.
    pub const UNALIGNED: u32 = 0x04;
    /// The exception is of code without machine code of its own.
    pub const PURE: u32 = 0x08;
}

/// `CatchableType`: a type by which an object can be caught.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct CatchableType {
    /// Bits of [`CatchableType`].
    pub properties: u32,
    /// Its descriptor.
    pub type_descriptor: u32,
    /// Where in the object it is.
    pub position: Position,
    /// Its size in bytes.
    pub size: u32,
    /// Its copy constructor; 0 if bytes are copied.
    pub copy: u32,
}

impl CatchableType {
    /// A number, a pointer: no class.
    pub const SIMPLE: u32 = 0x01;
    /// Can be caught by reference alone.
    pub const REFERENCE_ONLY: u32 = 0x02;
    /// Has virtual base classes, so that its copy constructor wants to know whether it is the most derived class.
    pub const VIRTUAL_BASES: u32 = 0x04;

    /// Whether one of the properties is there.
    pub const fn has(&self, property: u32) -> bool {
        self.properties & property != 0
    }
}

/// `PMD`: where in an object a base class is.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Position {
    /// How far from the object, or from where its virtual base class is, in bytes.
    pub member: i32,
    /// Where in the object the address of its table of virtual base classes is; below 0 if the base class is not virtual.
    pub table: i32,
    /// Where in that table the distance to the base class is.
    pub in_table: i32,
}

/// An exception of C++.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thrown {
    /// Where the object is; 0 for a `throw` without an object.
    pub object: usize,
    /// Where its description is; null for a `throw` without an object.
    pub info: Ptr<ThrowInfo>,
    /// What places in the description are relative to.
    pub base: usize,
}

impl Thrown {
    /// What was thrown, if a record is of C++.
    pub fn of(record: &ExceptionRecord) -> Option<Self> {
        let [magic, object, info, base, ..] = record.exception_information;
        let enough = record.number_parameters >= PARAMETERS;
        let magic = u32::try_from(magic).unwrap_or(0);
        if record.exception_code != CXX_EXCEPTION
            || !enough
            || !(MAGIC.contains(&magic) || magic == PURE_MAGIC)
        {
            return None;
        }
        let address = |value| Ptr::<u8>::at(value).address();
        Some(Self {
            object: address(object),
            info: Ptr::at(info),
            base: if PARAMETERS == 4 { address(base) } else { 0 },
        })
    }

    /// Whether it throws again what is being handled.
    pub fn is_rethrow(&self) -> bool {
        self.info.is_null()
    }

    /// Its description.
    pub fn info(&self) -> ThrowInfo {
        self.info.read_optional().unwrap_or_default()
    }

    /// The types by which it can be caught.
    pub fn catchable_types(&self) -> impl Iterator<Item = CatchableType> + use<> {
        let (base, list) = (self.base, self.info().catchable_types);
        let list = place::<u32>(base, list);
        let count = match self.is_rethrow() {
            true => 0,
            false => list.read(),
        };
        (1..=index(count)).map(move |number| place(base, list.add(number).read()).read())
    }

    /// Its destructor.
    pub fn destructor(&self) -> Option<usize> {
        let destructor = self.info().destructor;
        (destructor != 0).then(|| place::<u8>(self.base, destructor).address())
    }
}

/// How many parameters an exception has: magic number, object, description, and where addresses have 64 bits the image of
/// the description. A machine with 32 bits has addresses in its descriptions.
pub const PARAMETERS: u32 = if size_of::<usize>() == 8 { 4 } else { 3 };
