//! The algorithms, over words that threads share.
//!
//! Nothing here knows a structure of Windows or an address of a program: that is the business of the modules outside. So
//! the same files are also compiled into the models (`tests/models`), which put other modules in the places of `atomic` and
//! `block` and play each lock for every order of memory that the language allows. For that reason they name atomics through
//! `super::atomic` alone.

pub(crate) mod atomic;
pub(crate) mod barrier;
pub(crate) mod block;
pub(crate) mod bucket;
pub(crate) mod condition;
pub(crate) mod lock;
pub(crate) mod once;
pub(crate) mod parking;
pub(crate) mod queue;
pub(crate) mod section;
pub(crate) mod slist;
