//! Text from one encoding to another: the process's code pages, others that come as tables, UTF-8 and UTF-16.
//!
//! Nothing is refused: what an encoding cannot hold becomes what is near, or a question mark. Only UTF-8 says so.
//!
//! # Differs
//! The system has no tables of code pages yet, so that a process begins with Windows-1252 and 437, which are built in.

pub mod counted;
pub mod multi_byte;
pub mod normalization;
pub(crate) mod page;
pub mod tables;
pub mod utf8;

pub use page::CpTableInfo;
