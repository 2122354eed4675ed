//! Symbolic links: names that stand for others.
//!
//! A link's parse procedure replaces what was walked so far by the target; what is left of the path follows it. The empty
//! target of `\GLOBAL??\GLOBALROOT` makes that the rest of the path starts at the root.
//!
//! # NT
//! `OBJECT_SYMBOLIC_LINK`, `ObpParseSymbolicLink`.

use nt_abi::access::{AccessMask, GenericMapping};
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::{NtResult, NtStatus};
use rtl::utf16::SEPARATOR;
use rtl::{Utf16Str, Utf16String};

use crate::lookup::{MOST_NAME_UNITS, Parse, Parsed};
use crate::object_type::{ObjectType, Procedures, TypeDescription};
use crate::quota::object_size;
use crate::{Header, ObjectBody};

/// The type of symbolic links.
pub static SYMBOLIC_LINK: ObjectType = ObjectType::new(TypeDescription {
    name: "SymbolicLink",
    mapping: GenericMapping {
        generic_read: AccessMask::STANDARD_RIGHTS_READ.union(AccessMask::SYMBOLIC_LINK_QUERY),
        generic_write: AccessMask::STANDARD_RIGHTS_WRITE.union(AccessMask::SYMBOLIC_LINK_SET),
        generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE.union(AccessMask::SYMBOLIC_LINK_QUERY),
        generic_all: AccessMask::SYMBOLIC_LINK_ALL_ACCESS_EX,
    },
    valid_access: AccessMask::SYMBOLIC_LINK_ALL_ACCESS_EX,
    procedures: Procedures {
        parse: Some(parse),
        ..Procedures::NONE
    },
    paged_charge: object_size::<SymbolicLink>(0),
    ..TypeDescription::PLAIN
});

/// A symbolic link's body.
pub struct SymbolicLink {
    target: Utf16String,
    creation_time: u64,
}

impl ObjectBody for SymbolicLink {
    fn kind() -> &'static ObjectType {
        &SYMBOLIC_LINK
    }
}

impl SymbolicLink {
    /// A link to `target`, which need not exist. `creation_time` is in 100 ns since 1601.
    pub const fn new(target: Utf16String, creation_time: u64) -> Self {
        Self {
            target,
            creation_time,
        }
    }

    /// What it stands for.
    pub fn target(&self) -> Utf16Str<'_> {
        self.target.as_str()
    }

    /// When it was made.
    pub const fn creation_time(&self) -> u64 {
        self.creation_time
    }
}

fn parse(walk: &mut Parse<'_, '_>) -> NtResult<Parsed> {
    if walk.remaining.is_empty() {
        let wanted = walk.kind.map_or(
            walk.attributes.contains(ObjectAttributeFlags::OPENLINK),
            |kind| core::ptr::eq(kind, &SYMBOLIC_LINK),
        );
        if wanted {
            return Ok(Parsed::Object(walk.object.clone()));
        }
    } else if !walk.remaining.is_absolute() {
        // It was given as the root of a relative name, and is no directory.
        return Err(NtStatus::OBJECT_TYPE_MISMATCH);
    }
    if walk.attributes.contains(ObjectAttributeFlags::DONT_REPARSE) {
        return Err(NtStatus::REPARSE_POINT_ENCOUNTERED);
    }
    let link = link_of(walk)?;
    let target = link.target();
    let mut rest = walk.remaining.units();
    if target.has_trailing_separator() {
        rest = rest.strip_prefix(&[SEPARATOR]).unwrap_or(rest);
    }
    if target.len() + rest.len() > MOST_NAME_UNITS {
        return Err(NtStatus::NAME_TOO_LONG);
    }
    let mut path = Utf16String::new();
    path.reserve(target.len() + rest.len())?;
    path.push(target)?;
    path.push(Utf16Str::new(rest))?;
    Ok(Parsed::Reparse(path))
}

fn link_of<'a>(walk: &Parse<'a, '_>) -> NtResult<&'a SymbolicLink> {
    arch::counted::Erased::<Header>::body(walk.object).ok_or(NtStatus::OBJECT_TYPE_MISMATCH)
}
