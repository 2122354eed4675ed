//! Everything that has a width, in the width of the machine that this is compiled for: for code of user mode, which sees its
//! own process alone.

#[cfg(target_pointer_width = "32")]
pub use crate::w32::*;
#[cfg(target_pointer_width = "64")]
pub use crate::w64::*;
