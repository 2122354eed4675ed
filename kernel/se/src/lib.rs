//! Security: tokens, privileges, the access check.
//!
//! A [`Token`] says who somebody is, an object's descriptor says who may do
//! what, and [`access_check`] puts the two together; every open of every
//! object comes to that one function. All of this is data and arithmetic:
//!
//! * no locks: whoever holds a token's lock passes `&Token` or `&mut Token`;
//! * no clock and no counter: a new token's id and the id that marks a change
//!   ([`Luid`](nt_abi::security::Luid)) are given by the caller;
//! * no handles and no user memory: services capture first, then come here;
//! * no memory in the access check. What does need memory says
//!   `INSUFFICIENT_RESOURCES` if it is refused, and has then changed nothing.
//!
//! Not here: conditional expressions and central access policies (an entry
//! with a condition never allows and always denies), capabilities of app
//! containers, process trust labels.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod access_check;
mod assign;
mod boot;
mod impersonation;
mod mandatory;
mod privileges;
mod token;

pub use access_check::audit::{AuditRequest, audited_by};
pub use access_check::object_types::{ObjectTypeList, ObjectTypeResult};
pub use access_check::service::{
    check_client, check_client_by_type, check_client_by_type_result_list, may_be_asked_about,
};
pub use access_check::{
    AccessDecision, AccessRequest, Requester, SubjectContext, access_check, access_check_by_type,
    access_check_by_type_result_list,
};
pub use assign::{Assignment, assign_security, may_assign_owner, set_security};
pub use boot::{Account, SYSTEM_PRIVILEGES};
pub use impersonation::may_impersonate;
pub use mandatory::{IntegrityLevel, allowed_access};
pub use privileges::{
    Assigned, PrivilegeList, PrivilegeMask, PrivilegePlan, PrivilegeRequest, Privileges,
    privilege_check, single_privilege_check,
};
pub use token::adjust::{GroupPlan, GroupRequest};
pub use token::duplicate::Scope;
pub use token::filter::Filter;
pub use token::information::LabelChange;
pub use token::query::{Answer, PointerWidth};
pub use token::{Group, SidList, SidUse, Token, TokenDescription, TokenFlags, TokenKind};
