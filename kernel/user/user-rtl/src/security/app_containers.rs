//! SIDs of app containers: packages, S-1-15-2, and capabilities, S-1-15-3 ("SID Strings", `winnt.h`).

use c_interface::{Ptr, blocks, exports};
use nt_abi::NtStatus;
use rtl::security::{Sid, SidBuf};

use super::{put, sid_at};

/// `SECURITY_APP_PACKAGE_AUTHORITY`.
const AUTHORITY: u64 = 15;
/// `SECURITY_APP_PACKAGE_BASE_RID`.
const PACKAGE: u32 = 2;
/// `SECURITY_CAPABILITY_BASE_RID`.
const CAPABILITY: u32 = 3;
/// `SECURITY_APP_PACKAGE_RID_COUNT`: the subauthorities of a package.
const PARENT_COUNT: usize = 8;
/// `SECURITY_CHILD_PACKAGE_RID_COUNT`: those of an app container that a package made.
const CHILD_COUNT: usize = 12;

/// `APPCONTAINER_SID_TYPE`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Not = 0,
    Child = 1,
    Parent = 2,
    Invalid = 3,
}

fn begins_with(sid: Sid<'_>, base: u32) -> bool {
    sid.authority() == AUTHORITY && sid.sub_authorities().next() == Some(base)
}

fn kind(sid: Sid<'_>) -> Kind {
    if !begins_with(sid, PACKAGE) {
        return Kind::Not;
    }
    match sid.sub_authorities().len() {
        PARENT_COUNT => Kind::Parent,
        CHILD_COUNT => Kind::Child,
        _ => Kind::Invalid,
    }
}

/// The package that made an app container.
fn parent(sid: Sid<'_>) -> Option<SidBuf> {
    if kind(sid) != Kind::Child {
        return None;
    }
    let mut numbers = [0; PARENT_COUNT];
    for (number, of_child) in numbers.iter_mut().zip(sid.sub_authorities()) {
        *number = of_child;
    }
    SidBuf::try_new(AUTHORITY, &numbers)
}

exports! {
    /// Whether a SID is a package's (`BOOLEAN`).
    fn RtlIsPackageSid(sid: Ptr<u8>) -> u8 {
        u8::from(sid_at(sid).is_ok_and(|sid| begins_with(sid, PACKAGE)))
    }

    /// Whether a SID is a capability's (`BOOLEAN`).
    fn RtlIsCapabilitySid(sid: Ptr<u8>) -> u8 {
        u8::from(sid_at(sid).is_ok_and(|sid| begins_with(sid, CAPABILITY)))
    }

    /// What a SID is among app containers: 0 nothing, 1 made by a package, 2 a package, 3 neither, though it begins so.
    ///
    /// # Errors
    /// `INVALID_SID`.
    fn RtlGetAppContainerSidType(sid: Ptr<u8>, kind_of: Ptr<u32>) -> NtStatus {
        let Ok(sid) = sid_at(sid) else { return NtStatus::INVALID_SID };
        kind_of.write(kind(sid) as u32);
        NtStatus::SUCCESS
    }

    /// The package that made an app container, to be freed by `RtlFreeSid`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for one that no package made, `NO_MEMORY`.
    fn RtlGetAppContainerParent(sid: Ptr<u8>, parent_sid: Ptr<usize>) -> NtStatus {
        parent_sid.write(0);
        let Some(sid) = sid_at(sid).ok().and_then(parent) else {
            return NtStatus::INVALID_PARAMETER;
        };
        let bytes = sid.as_sid().bytes();
        let Some(block) = blocks::allocate(bytes.len()) else {
            return NtStatus::NO_MEMORY;
        };
        put(block, bytes);
        parent_sid.write(block.address());
        NtStatus::SUCCESS
    }

    /// Whether a package made an app container (`BOOLEAN`).
    fn RtlIsParentOfChildAppContainer(parent_sid: Ptr<u8>, child: Ptr<u8>) -> u8 {
        let (Ok(of), Ok(child)) = (sid_at(parent_sid), sid_at(child)) else {
            return 0;
        };
        u8::from(parent(child).is_some_and(|sid| sid == of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ptr(sid: &SidBuf) -> Ptr<u8> {
        Ptr::new(sid.as_sid().bytes().as_ptr().expose_provenance())
    }

    #[test]
    fn kinds_go_by_the_number_of_subauthorities() {
        let numbers = [2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        let parent = SidBuf::new(15, &numbers[..8]);
        let child = SidBuf::new(15, &numbers);
        let other = SidBuf::new(15, &numbers[..9]);
        let everyone = SidBuf::new(1, &[0]);
        for (sid, expected) in [(&everyone, 0), (&child, 1), (&parent, 2), (&other, 3)] {
            let mut kind = 9;
            assert_eq!(
                RtlGetAppContainerSidType(ptr(sid), Ptr::of(&mut kind)),
                NtStatus::SUCCESS
            );
            assert_eq!(kind, expected);
        }
        assert_eq!(RtlIsParentOfChildAppContainer(ptr(&parent), ptr(&child)), 1);
        assert_eq!(RtlIsParentOfChildAppContainer(ptr(&other), ptr(&child)), 0);
        let mut made = 0;
        assert_eq!(
            RtlGetAppContainerParent(ptr(&child), Ptr::of(&mut made)),
            NtStatus::SUCCESS
        );
        assert_eq!(sid_at(Ptr::new(made)), Ok(parent.as_sid()));
        blocks::free(Ptr::new(made));
        let status = RtlGetAppContainerParent(ptr(&parent), Ptr::of(&mut made));
        assert_eq!((status, made), (NtStatus::INVALID_PARAMETER, 0));
        assert_eq!(RtlIsPackageSid(ptr(&parent)), 1);
        assert_eq!(RtlIsCapabilitySid(ptr(&SidBuf::new(15, &[3, 1]))), 1);
        assert_eq!(RtlIsCapabilitySid(ptr(&parent)), 0);
    }
}
