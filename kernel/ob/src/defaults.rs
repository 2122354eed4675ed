//! Descriptors that come from the maker's token alone, made once for each type.
//!
//! An object without a name whose maker gives no descriptor gets what the maker's token says: owner, group and default
//! DACL, with the type's own meaning of generic rights. For every such object of one type that is the same descriptor as
//! long as the token says the same, and descriptors are shared and never change. So it is kept beside what it was made
//! from: whoever has a snapshot of a token has one of these with it, and with the snapshot it goes.
//!
//! # NT
//! The cache of security descriptors in `ObpLogSecurityDescriptor` also makes such objects share one; there it is found by
//! its content, after it was made.

use ke::SpinLock;

use crate::ObjectType;
use crate::header::SharedDescriptor;

/// As many types as a program makes many unnamed objects with descriptors of: processes and threads.
const KEPT: usize = 2;

/// The descriptors that one snapshot of a token gives.
pub struct DefaultDescriptors {
    kept: SpinLock<[Option<(&'static ObjectType, SharedDescriptor)>; KEPT]>,
}

impl DefaultDescriptors {
    /// None yet.
    pub const fn new() -> Self {
        Self {
            kept: SpinLock::new([const { None }; KEPT]),
        }
    }

    /// The descriptor of new objects of a type, if it was made before.
    pub(crate) fn find(&self, kind: &'static ObjectType) -> Option<SharedDescriptor> {
        let kept = self.kept.acquire();
        let mut kept = kept.iter().flatten();
        let found = kept.find(|(of, _)| core::ptr::eq(*of, kind));
        found.map(|(_, descriptor)| descriptor.clone())
    }

    /// Keeps the descriptor of new objects of a type, if there is room. Types that came first stay.
    pub(crate) fn keep(&self, kind: &'static ObjectType, descriptor: &SharedDescriptor) {
        let mut kept = self.kept.acquire();
        let known = kept
            .iter()
            .flatten()
            .any(|(of, _)| core::ptr::eq(*of, kind));
        if !known && let Some(place) = kept.iter_mut().find(|place| place.is_none()) {
            *place = Some((kind, descriptor.clone()));
        }
    }
}

impl Default for DefaultDescriptors {
    fn default() -> Self {
        Self::new()
    }
}
