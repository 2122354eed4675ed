//! What the tests of compiled images have in common.
#![allow(dead_code, reason = "no test file uses everything")]

pub(crate) mod image;
pub(crate) mod tools;
pub(crate) mod walk;
