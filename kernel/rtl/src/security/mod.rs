//! Security descriptors and what they are made of, read from bytes that nobody vouches for.
//!
//! A descriptor reaches the kernel from user mode, from a disk or from a hive,
//! and the access check walks it every time an object is opened. So the bytes
//! are judged once, when they come in, and what was judged has a type:
//!
//! | type | holds | owned |
//! |---|---|---|
//! | [`Sid`] | bytes that are one SID | [`SidBuf`], inline, no memory needed |
//! | [`Ace`] | bytes that are one entry | |
//! | [`Acl`] | bytes that are a list of entries | [`AclBuf`], from an [`AclBuilder`] |
//! | [`Descriptor`] | the parts of a descriptor, wherever each lies | [`DescriptorBuf`], self-relative |
//!
//! Nothing here keeps state or needs a kernel: user mode's `Rtl` functions are
//! the same code. All memory is asked for by [`memory::reserve`] and may be
//! refused, in which case nothing has changed.

mod ace;
mod acl;
mod acl_builder;
mod descriptor;
mod descriptor_buf;
mod inherit;
pub mod memory;
mod new_object;
mod set;
mod sid;
#[cfg(test)]
mod tests;
pub mod well_known;

pub use ace::{Ace, Condition, Effect};
pub use acl::{Aces, Acl, AclState};
pub use acl_builder::{AclBuf, AclBuilder};
pub use descriptor::{Descriptor, Provenance};
pub use descriptor_buf::DescriptorBuf;
pub use new_object::{Creator, Label, NewObject, ObjectKind};
pub use set::{Replacement, query, set};
pub use sid::{Sid, SidBuf};

/// Reads `bytes` with every reader of this module and walks what it finds; for fuzzers and tests of damaged input.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(sid) = Sid::read(bytes) {
        sid.sub_authorities().for_each(drop);
    }
    if let Ok(text) = core::str::from_utf8(bytes) {
        let _ = text.parse::<SidBuf>();
    }
    if let Ok(acl) = Acl::read(bytes) {
        acl::walk(acl);
    }
    if let Ok(descriptor) = Descriptor::read_relative(bytes) {
        descriptor::walk(&descriptor);
    }
}
