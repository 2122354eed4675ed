//! Threads and waits on the simulated machine, whose processors take turns by a seed.
//!
//! What a wait, a signal or a priority must mean here is what Microsoft's pages on
//! the routine say; each test names them.

mod apcs;
mod interruptions;
mod locks;
mod objects;
mod reviews;
mod scheduling;
mod storms;
mod time;
