//! The object manager: one way for all that the kernel shares.
//!
//! An object is a [`Header`] and a body. The header is the same for all: type, counts, name, security descriptor. The
//! body is what a component makes of it, an event or a process; this crate has three of its own, directories, symbolic
//! links and types. Two things keep an object. A **reference** ([`AnyObject`], [`Object<T>`]) keeps it in memory, and
//! when the last one goes the body is dropped: that is NT's delete procedure. A **handle** is a reference in a process's
//! [`HandleTable`], with the rights that were checked when it was made; when the last one goes, an object that is not
//! permanent loses its name.
//!
//! Rights are asked for once, when a handle is made, and remembered in it. So the check may be slow and exact (the
//! object's descriptor, the caller's token, callbacks), and each use of a handle costs one look into the table.
//!
//! | module | NT's names |
//! |---|---|
//! | [`object_type`] | `OBJECT_TYPE`, `ObCreateObjectType` |
//! | [`header`] | `OBJECT_HEADER` |
//! | [`handle_table`] | `HANDLE_TABLE`, `ObReferenceObjectByHandle`, `NtClose`, `ObDuplicateObject`, `ObDupHandleProcess` |
//! | [`caller`] | whose handles are meant: pseudo handles, kernel handles |
//! | [`directory`], [`symbolic_link`] | `OBJECT_DIRECTORY`, `OBJECT_SYMBOLIC_LINK` |
//! | [`namespace`] | the root and what stands in it from the start |
//! | `lookup` | `ObpLookupObjectName` |
//! | [`create`](mod@create), [`open`] | `ObCreateObject`, `ObInsertObject`, `ObOpenObjectByName`, `ObOpenObjectByPointer` |
//! | [`name`] | `ObQueryNameString`, `ObMakeTemporaryObject` |
//! | [`access`], [`security`] | `ACCESS_STATE`; `ObAssignSecurity`, `ObCheckObjectAccess` |
//! | [`callbacks`] | `ObRegisterCallbacks` |
//! | [`quota`] | `ObpChargeQuotaForObject` |
//! | [`query`] | what `NtQueryObject` answers |
//!
//! # Locks
//! Spin locks of Dispatch level, in this order: handle table, directory, header. None is held while a procedure of a
//! type or a callback runs, while security is checked, or when a reference is dropped that may be the last.
//!
//! # IRQL
//! Objects are made, found by name and dropped below Dispatch, because a body may wait when it ends. Handles may be
//! referenced up to Dispatch.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod access;
pub mod callbacks;
pub mod caller;
pub mod create;
mod defaults;
pub mod directory;
mod grant;
mod handle;
pub mod handle_table;
pub mod header;
mod lookup;
pub mod name;
pub mod namespace;
pub mod object_type;
pub mod open;
pub mod query;
pub mod quota;
pub mod security;
pub mod symbolic_link;
#[cfg(test)]
mod tests;

pub use access::{AccessState, Subject};
pub use caller::{Caller, kernel_handles};
pub use create::{CreateParameters, Created, create};
pub use defaults::DefaultDescriptors;
pub use directory::Directory;
pub use grant::OpenReason;
pub use handle::Handle;
pub use handle_table::{HandleAttributes, HandleEntry, HandleTable};
pub use header::{AnyObject, Header, Object, ObjectBody};
pub use ke::thread::Mode;
pub use lookup::{MOST_NAME_UNITS, MOST_REPARSES, Parse, Parsed, Root};
pub use name::{make_permanent, make_temporary, name_of};
pub use namespace::{create_session, initialize, root};
pub use object_type::{
    CloseOperation, ObjectType, OpenOperation, Procedures, TypeDescription, Waiting, register_type,
    types,
};
pub use open::{OpenParameters, open_by_name, open_by_pointer, reference_by_name};
pub use symbolic_link::SymbolicLink;
