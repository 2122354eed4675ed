//! Exports with an ellipsis, which Rust cannot write: each makes a `va_list` of its arguments and goes on in the function that
//! takes one. And breakpoints that a program calls.
//!
//! On both machines a caller passes the arguments behind the last named one as it passes the named ones, in general registers
//! and behind them on the stack. So a `va_list` is an address in a row of slots, once the registers are stored right below
//! those that are on the stack.

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod machine;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod machine;

pub use machine::DbgBreakPoint;

/// Makes exports with an ellipsis: `variadic_entries! { sprintf(2) => crate::vsprintf; }` for one with two named arguments. The
/// function behind the arrow has those and the list.
#[macro_export]
macro_rules! variadic_entries {
    ($($(#[$attribute:meta])* $name:ident($named:tt) => $list_form:path;)*) => {
        #[cfg(target_os = "windows")]
        mod variadic_entries {
            #![allow(
                unsafe_code,
                non_snake_case,
                reason = "exports of Windows', with their names"
            )]
            use super::*;

            $($crate::__variadic_entry! { $(#[$attribute])* $name, $named, $list_form })*
        }
    };
}
