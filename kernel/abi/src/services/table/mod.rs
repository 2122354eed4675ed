//! The rows, a file for each component, and the macro that hands all of them to a caller.
//!
//! Rust's macros cannot read files, so each group is a macro that appends its rows to those it was given and calls the
//! macro of the next group, in alphabetical order; the last one calls the caller's macro with the whole.

mod alpc;
mod cm;
mod dbgk;
mod etw;
mod ex;
mod io;
mod ke;
mod mm;
mod ob;
mod po;
mod ps;
mod se;
mod tm;
mod wnf;
mod wow64;

/// Hands the table of system services, as tokens, to the macro that is named: `with_system_services!(callback)` expands
/// to
///
/// ```text
/// callback! {
///     alpc { /// Accepts ...
///            planned NtAcceptConnectPort = nt_accept_connect_port(port: Out<Handle>, ...); ... }
///     cm { ... }
///     ...
/// }
/// ```
///
/// Further arguments come before the groups: `with_system_services!(callback, [first tokens])`.
/// A callback that gives types to arguments needs the names of [`services::arguments`](crate::services::arguments) in
/// scope.
///
/// ```
/// macro_rules! count {
///     ($($component:ident { $(
///         #[doc = $summary:literal]
///         $(#[doc = $note:literal])*
///         $state:ident $name:ident = $function:ident($($argument:ident: $type:ty),* $(,)?);
///     )* })*) => {
///         [$($(stringify!($name),)*)*].len()
///     };
/// }
/// assert_eq!(nt_abi::with_system_services!(count), nt_abi::services::SERVICES.len());
/// ```
#[macro_export]
macro_rules! with_system_services {
    ($($callback:ident)::+ $(, $($first:tt)*)?) => {
        $crate::__alpc_services! { [[$($callback)::+] [$($($first)*)?]] }
    };
}

/// Calls the caller's macro with all groups.
#[doc(hidden)]
#[macro_export]
macro_rules! __services_end {
    ([[$($callback:ident)::+] [$($first:tt)*]] $($groups:tt)*) => {
        $($callback)::+! { $($first)* $($groups)* }
    };
}
