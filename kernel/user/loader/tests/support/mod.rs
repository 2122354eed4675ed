//! What the tests of this crate share: images written to order, and a process around the loader.
#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]
#![allow(
    clippy::missing_panics_doc,
    clippy::cast_possible_truncation,
    reason = "tests, with small numbers"
)]

pub(crate) mod damage;
pub(crate) mod image;
pub(crate) mod world;

#[allow(unused_imports, reason = "each test program uses its own part")]
pub(crate) use image::{Built, Dll, Export, Import};
#[allow(unused_imports, reason = "each test program uses its own part")]
pub(crate) use world::{Action, World};

use rtl::Utf16String;

/// Text as the loader wants it.
pub(crate) fn wide(text: &str) -> Utf16String {
    Utf16String::try_from_str(text).unwrap()
}
