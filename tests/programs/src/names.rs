//! Names of objects as services want them: units, a counted string, attributes that point to it.

use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::w64::{ObjectAttributes, UnicodeString};
use zerocopy::FromZeros as _;

use crate::services::address_of;

/// The longest name that a test uses, in units.
const LONGEST: usize = 260;

/// A string in UTF-16 with room for what a test writes.
#[derive(Clone, Debug)]
pub struct Wide {
    units: [u16; LONGEST],
    length: u16,
}

impl Wide {
    /// The text in UTF-16.
    ///
    /// # Panics
    /// If it is longer than 260 units.
    pub fn new(text: &str) -> Self {
        let mut wide = Self {
            units: [0; LONGEST],
            length: 0,
        };
        for (slot, unit) in wide.units.iter_mut().zip(text.encode_utf16()) {
            *slot = unit;
            wide.length += 1;
        }
        assert_eq!(usize::from(wide.length), text.encode_utf16().count());
        wide
    }

    /// The units.
    pub fn units(&self) -> &[u16] {
        &self.units[..usize::from(self.length)]
    }

    /// A counted string that points to the units, good as long as this one is neither moved nor dropped.
    pub fn counted(&mut self) -> UnicodeString {
        UnicodeString {
            length: self.length * 2,
            maximum_length: self.length * 2,
            reserved: 0,
            buffer: address_of(&mut self.units),
        }
    }
}

/// `OBJECT_ATTRIBUTES` with the name that it points to.
#[derive(Clone, Debug)]
pub struct Named {
    name: Wide,
    string: UnicodeString,
    attributes: ObjectAttributes,
}

impl Named {
    /// Attributes with that name and no flags.
    pub fn new(name: &str) -> Self {
        Self {
            name: Wide::new(name),
            string: UnicodeString::new_zeroed(),
            attributes: ObjectAttributes {
                length: size_of::<ObjectAttributes>() as u32,
                ..ObjectAttributes::new_zeroed()
            },
        }
    }

    /// Attributes without a name.
    pub fn unnamed() -> Self {
        Self::new("")
    }

    /// With these flags.
    #[must_use]
    pub fn flags(mut self, flags: ObjectAttributeFlags) -> Self {
        self.attributes.attributes = flags;
        self
    }

    /// With names that begin at this directory.
    #[must_use]
    pub fn under(mut self, directory: u64) -> Self {
        self.attributes.root_directory = directory;
        self
    }

    /// With a security descriptor at that address.
    #[must_use]
    pub fn secured(mut self, descriptor: u64) -> Self {
        self.attributes.security_descriptor = descriptor;
        self
    }

    /// The attributes with their pointers set; good as long as this is not moved.
    pub fn get(&mut self) -> &mut ObjectAttributes {
        if self.name.length > 0 {
            self.string = self.name.counted();
            self.attributes.object_name = address_of(&mut self.string);
        }
        &mut self.attributes
    }
}
