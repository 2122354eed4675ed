//! Types at run time: what class an object really is, and where in it other classes are.
//!
//! In front of each table of virtual functions the compiler puts the address of a *locator*: how far the table's pointer is
//! from the beginning of the whole object, the whole object's type, and its hierarchy. The hierarchy is the tree of all base
//! classes, the class itself first, each class followed by the classes below it, with the number of those. A virtual base
//! class stands in the tree once for each way that leads to it, but is one place in the object. Each class says where it is
//! in the object and whether its derived class has it as a public one.
//!
//! The rules are those of `dynamic_cast` in the C++ standard, \[expr.dynamic.cast\]. The flags by which compilers say that a
//! class is ambiguous are not needed: places say it.

use c_interface::Ptr;
use zerocopy::{FromBytes, Immutable, KnownLayout};

use crate::matching::{NAME, same_name};
use crate::object::adjust;
use crate::tables::{index, offset, place};
use crate::thrown::Position;

/// `RTTICompleteObjectLocator`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Locator {
    /// 0: places are addresses; 1: they are relative to the image.
    form: u32,
    /// From the beginning of the whole object to the table's pointer.
    offset: u32,
    /// From a number by which the object has been moved, while it is made, to the table's pointer; 0 for no such number.
    moved_by: u32,
    type_descriptor: u32,
    hierarchy: u32,
    /// Where the locator is itself, if places are relative.
    own: u32,
}

/// `RTTIClassHierarchyDescriptor`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Hierarchy {
    _form: u32,
    _attributes: u32,
    count: u32,
    /// Of places of [`Class`].
    classes: u32,
}

/// `RTTIBaseClassDescriptor`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Class {
    type_descriptor: u32,
    /// How many classes follow that are below it.
    below: u32,
    position: Position,
    attributes: u32,
}

/// The derived class does not have it as a public base class.
const NOT_PUBLIC: u32 = 0x04;

/// An object with virtual functions, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Whole {
    /// Where the whole object begins.
    pub address: usize,
    base: usize,
    locator: Locator,
}

impl Whole {
    /// The whole object that a pointer to a table of virtual functions is in.
    pub fn of(table_pointer: usize) -> Self {
        let table = Ptr::<usize>::new(table_pointer).read();
        let found = Ptr::<usize>::new(table).byte_sub(size_of::<usize>()).read();
        // Where addresses have 32 bits there is no last word; nor is it read as one.
        let locator = Ptr::<Locator>::new(found).read();
        let base = match locator.form {
            0 => 0,
            _ => found.wrapping_sub(index(locator.own)),
        };
        let mut address = table_pointer.wrapping_sub(index(locator.offset));
        if locator.moved_by != 0 {
            let moved = table_pointer.wrapping_sub(index(locator.moved_by));
            let distance = offset::<i32>(moved, 0).read().wrapping_neg();
            address = offset::<u8>(address, distance).address();
        }
        Self {
            address,
            base,
            locator,
        }
    }

    /// The descriptor of its type.
    ///
    /// # NT
    /// `__RTtypeid`.
    pub fn type_descriptor(&self) -> usize {
        place::<u8>(self.base, self.locator.type_descriptor).address()
    }

    fn classes(&self) -> Classes {
        let hierarchy = place::<Hierarchy>(self.base, self.locator.hierarchy).read();
        Classes {
            whole: *self,
            list: place(self.base, hierarchy.classes),
            count: hierarchy.count,
        }
    }

    /// Where in the object an object of another class is, for somebody who has one of a third class in it; `None` if the
    /// cast is none that C++ allows. Types are given by the addresses of their descriptors.
    ///
    /// # NT
    /// `__RTDynamicCast`.
    pub fn cast(&self, source: usize, source_type: usize, target_type: usize) -> Option<usize> {
        let classes = self.classes();
        // An object of the target that has the source as a public base class, and only one.
        let mut down = Only::Nobody;
        // An object of the target that is a public base class of the whole object.
        let mut across = Only::Nobody;
        let mut source_is_public = false;
        for number in 0..classes.count {
            let class = classes.get(number);
            let address = adjust(self.address, class.position);
            if classes.is(&class, source_type) && address == source {
                source_is_public |= classes.is_public(0, number);
            }
            if !classes.is(&class, target_type) {
                continue;
            }
            across.add(address, classes.is_public(0, number));
            let last = number.saturating_add(class.below).min(classes.count - 1);
            for inner in number..=last {
                let base = classes.get(inner);
                let found = adjust(self.address, base.position);
                if classes.is(&base, source_type) && found == source {
                    down.add(address, classes.is_public(number, inner));
                }
            }
        }
        match (down, across) {
            (Only::One(address, true), _) => Some(address),
            (_, Only::One(address, true)) if source_is_public => Some(address),
            _ => None,
        }
    }
}

/// Whether there is one object of a kind, and whether a way to it is public.
enum Only {
    Nobody,
    One(usize, bool),
    Several,
}

impl Only {
    fn add(&mut self, address: usize, is_public: bool) {
        *self = match *self {
            Self::Nobody => Self::One(address, is_public),
            Self::One(known, before) if known == address => Self::One(known, before || is_public),
            _ => Self::Several,
        };
    }
}

/// The classes of an object.
struct Classes {
    whole: Whole,
    list: Ptr<u32>,
    count: u32,
}

impl Classes {
    fn get(&self, number: u32) -> Class {
        let rva = self.list.add(index(number)).read();
        place(self.whole.base, rva).read()
    }

    fn is(&self, class: &Class, type_descriptor: usize) -> bool {
        let own = place::<u8>(self.whole.base, class.type_descriptor);
        let other = Ptr::<u8>::new(type_descriptor);
        own == other || same_name(own.byte_add(NAME), other.byte_add(NAME))
    }

    /// Whether every class on the way from one down to another one is a public base class.
    fn is_public(&self, from: u32, to: u32) -> bool {
        // Those on the way stand in front of it and have it among those below.
        (from + 1..=to)
            .map(|number| (number, self.get(number)))
            .filter(|(number, class)| number.saturating_add(class.below) >= to)
            .all(|(_, class)| class.attributes & NOT_PUBLIC == 0)
    }
}
