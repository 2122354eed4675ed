//! What the tests of compiled images have in common.
#![allow(dead_code, reason = "no test file uses everything")]

pub mod image;
pub mod tools;
pub mod walk;

