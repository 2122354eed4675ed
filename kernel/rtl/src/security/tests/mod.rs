//! What the tests of this module share: a random source, and lists as text.

extern crate std;

mod damaged;
mod inheritance;
mod parts;
mod refusals;

use std::format;
use std::string::String;
use std::vec::Vec;

use nt_abi::security::{AccessMask, AceFlags, AceType, GenericMapping};

use super::*;

/// Files' mapping ("File Access Rights Constants").
const FILE: GenericMapping = GenericMapping {
    generic_read: AccessMask(0x0012_0089),
    generic_write: AccessMask(0x0012_0116),
    generic_execute: AccessMask(0x0012_00A0),
    generic_all: AccessMask(0x001F_01FF),
};

/// The same numbers in every run (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).expect("small");
        usize::try_from((self.next() >> 16) % limit).expect("small")
    }
}

/// An entry as SDDL would have it, with numbers for rights and SIDs.
fn text(ace: &Ace<'_>) -> String {
    let kind = match ace.ace_type() {
        AceType::ACCESS_ALLOWED => "A",
        AceType::ACCESS_DENIED => "D",
        AceType::SYSTEM_AUDIT => "AU",
        AceType::SYSTEM_MANDATORY_LABEL => "ML",
        AceType::ACCESS_ALLOWED_OBJECT => "OA",
        _ => "?",
    };
    let names = [
        (AceFlags::OBJECT_INHERIT, "OI"),
        (AceFlags::CONTAINER_INHERIT, "CI"),
        (AceFlags::NO_PROPAGATE_INHERIT, "NP"),
        (AceFlags::INHERIT_ONLY, "IO"),
        (AceFlags::INHERITED, "ID"),
        (AceFlags::SUCCESSFUL_ACCESS, "SA"),
        (AceFlags::FAILED_ACCESS, "FA"),
    ];
    let flags: String = names
        .iter()
        .filter(|(flag, _)| ace.flags().contains(*flag))
        .map(|(_, name)| *name)
        .collect();
    let sid = ace.sid().map(Sid::to_buf);
    format!("{kind};{flags};{:#x};{}", ace.mask().0, sid.expect("known"))
}

fn texts(list: AclState<'_>) -> Vec<String> {
    list.aces().map(|ace| text(&ace)).collect()
}

/// A list of (type, flags, mask, SID).
fn list(entries: &[(AceType, AceFlags, u32, SidBuf)]) -> AclBuf {
    let mut builder = AclBuilder::new().expect("memory");
    for (kind, flags, mask, sid) in entries {
        let (mask, sid) = (AccessMask(*mask), sid.as_sid());
        match *kind {
            AceType::ACCESS_ALLOWED => builder.allow(*flags, mask, sid),
            AceType::ACCESS_DENIED => builder.deny(*flags, mask, sid),
            AceType::SYSTEM_AUDIT => builder.audit(*flags, mask, sid),
            AceType::SYSTEM_MANDATORY_LABEL => {
                builder.label(*flags, nt_abi::security::MandatoryLabelPolicy(mask.0), sid)
            }
            other => builder.object(other, *flags, mask, (None, None), sid),
        }
        .expect("it fits");
    }
    builder.finish()
}
