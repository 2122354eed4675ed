//! Services of processes and threads.

mod attributes;
mod context;
mod create;
mod information_process;
mod information_thread;
mod job;
mod newborn;
mod process;
mod program;
mod suspension;
mod thread;

pub(crate) use super::se::nt_impersonate_thread;
pub(crate) use context::*;
pub(crate) use create::*;
pub(crate) use information_process::*;
pub(crate) use information_thread::*;
pub(crate) use job::*;
pub(crate) use process::*;
pub(crate) use suspension::*;
pub(crate) use thread::*;

pub(crate) use super::alert::*;
