//! C++ exceptions: what compilers write about functions and types, and what follows from it for a throw.
//!
//! A C++ compiler for Windows gives every function with `try` blocks or destructors a table, and names one handler for all
//! of them, `__CxxFrameHandler3`, in the function's unwind data. A `throw` raises an exception whose parameters lead to
//! the object and to a description of its type. From then on ntdll walks over the stack, and the handler says for each
//! function what there is to do. All of that which is no machine code is here:
//!
//! - **Tables of functions** ([`tables`]): where control is in terms of *states*, which destructors lead from one state to
//!   the next, which states a `try` block covers.
//! - **Which part of a function a frame runs** ([`frame`]): its body or one of its `catch` blocks, and how far it has been
//!   unwound.
//! - **What was thrown** ([`thrown`]), **which handler takes it** ([`matching`]), **what the handler's variable becomes**
//!   ([`object`]).
//! - **The handler** ([`handler`]), which puts these together, and **how long the object lives** ([`catches`]).
//! - **Types at run time** ([`rtti`]): `dynamic_cast`, `typeid`, names.
//!
//! What has to be called is behind a trait, [`World`]. vcruntime140.dll fills it with calls of the real thing, tests with
//! scripts.
//!
//! # The facts
//! Microsoft's "x64 exception handling" and "ARM64 exception handling" for what is called how; LLVM's `WinException`, which
//! writes the tables of functions, and clang's `MicrosoftCXXABI`, which writes those of types; "Reversing Microsoft Visual
//! C++ Part II: Classes, Methods and RTTI" (openrce.org) for names and meanings.
//!
//! # What is trusted
//! The tables are in images of the own process, and what they lead to would be called anyway. They are read where they are;
//! a table that contradicts itself is an error, [`Broken`], and not an endless loop.
//!
//! # Differs
//! Tables of the older machines (x86: no unwind data at all; ARM32: absolute addresses) and the packed ones of
//! `__CxxFrameHandler4` are not read.
#![no_std]
#![forbid(unsafe_code)]

pub mod catches;
pub mod frame;
pub mod handler;
pub mod matching;
pub mod names;
pub mod object;
pub mod rtti;
pub mod tables;
pub mod thrown;

pub use handler::World;

/// A table that contradicts itself. C++ knows no way on from there but `std::terminate`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken;

/// The exception code of everything that C++ throws.
///
/// # NT
/// `EH_EXCEPTION_NUMBER`: the letters "msc" behind `0xE0`.
pub const CXX_EXCEPTION: u32 = 0xE06D_7363;

/// The numbers that tables and exceptions begin with: `EH_MAGIC_NUMBER1` and those of the two later versions.
pub const MAGIC: core::ops::RangeInclusive<u32> = 0x1993_0520..=0x1993_0522;

/// The number of exceptions that are thrown from code without machine code of its own: `EH_PURE_MAGIC_NUMBER1`.
pub const PURE_MAGIC: u32 = 0x0199_4000;
