//! `NtQueryInformationProcess` and `NtSetInformationProcess`.
//!
//! Of each class the length of the buffer is judged first, then the handle, then the value.

mod counters;
mod query;
mod set;

pub(crate) use query::nt_query_information_process;
pub(crate) use set::nt_set_information_process;
