//! `core::ptr`, for who finds this crate under the name `core`.

pub use ::std::ptr::from_ref;
