//! A function for each service that is done, in the module of its component.
//!
//! They are called by the dispatcher alone, under the names that the table gives.

mod alert;
pub(crate) mod ex;
pub(crate) mod io;
pub(crate) mod ke;
pub(crate) mod mm;
pub(crate) mod ob;
pub(crate) mod ps;
pub(crate) mod se;
mod signal;
