//! The rest of ntdll's exports, as far as our own DLLs and programs use them, group by group.
//!
//! Where a structure's content is nobody's business here, its address is a `Ptr<u8>`.

mod creation;
mod errors;
mod heap;
mod loader;
mod paths;
mod pools;
mod process;
mod stacks;
mod synchronization;
mod system;

pub use creation::*;
pub use errors::*;
pub use heap::*;
pub use loader::*;
pub use paths::*;
pub use pools::*;
pub use process::*;
pub use stacks::*;
pub use synchronization::*;
pub use system::*;
