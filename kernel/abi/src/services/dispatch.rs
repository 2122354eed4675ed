//! From a service's number and raw arguments to the Rust function behind it.
//!
//! The dispatcher is one `match` without gaps, which becomes a jump table. Each arm calls a small function of its own,
//! which takes the arguments out and calls the service; were they part of the dispatcher, the neediest of them would
//! decide how many registers every call has to save. Places of arguments are constants, so an implementation of
//! [`RawArguments`] whose `argument` is inlined decides register or stack when it is compiled.

use crate::{NtResult, NtStatus};

/// The arguments of a system call as the machine passed them.
pub trait RawArguments {
    /// Argument `index`, counted from 0, as a register or a slot of the caller's stack holds it.
    ///
    /// # Errors
    /// `STATUS_ACCESS_VIOLATION` if it is on a stack that cannot be read.
    fn argument(&self, index: usize) -> NtResult<u64>;
}

/// Arguments that are in memory already; those that are missing count as a stack that cannot be read.
impl RawArguments for [u64] {
    #[inline]
    fn argument(&self, index: usize) -> NtResult<u64> {
        self.get(index).copied().ok_or(NtStatus::ACCESS_VIOLATION)
    }
}

impl<const N: usize> RawArguments for [u64; N] {
    #[inline]
    fn argument(&self, index: usize) -> NtResult<u64> {
        self.as_slice().argument(index)
    }
}

/// Defines the function that runs a service by its number.
///
/// The kernel names its context and where each component keeps its services; a component whose services are all
/// planned needs no path.
///
/// ```text
/// struct Caller;
///
/// mod handles {
///     use nt_abi::NtResult;
///     use nt_abi::services::arguments::Handle;
///
///     pub fn nt_close(_caller: &super::Caller, _handle: Handle) -> NtResult {
///         Ok(())
///     }
/// }
///
/// nt_abi::define_service_dispatch! {
///     /// Runs a system service for a thread.
///     fn dispatch(Caller);
///     ob = crate::handles;
/// }
/// ```
///
/// defines `fn dispatch<R: RawArguments + ?Sized>(context: &Caller, number: u16, raw: &R) -> NtStatus`.
///
/// The function behind a service that is `done` takes the context and the typed arguments, and returns what an
/// [`NtStatus`](crate::NtStatus) can be made `From`: a status, or an [`NtResult`](crate::NtResult) with nothing in it
/// or with a success that means something, such as `STATUS_TIMEOUT`. A service that answers a plain number, as a few do,
/// wraps it in a status.
///
/// The dispatcher answers `STATUS_NOT_IMPLEMENTED` for a planned service, `STATUS_INVALID_SYSTEM_SERVICE` beyond the
/// table, and the status with which an argument could not be read.
#[macro_export]
macro_rules! define_service_dispatch {
    ($($definition:tt)*) => {
        $crate::with_system_services!($crate::__service_dispatch, [$($definition)*]);
    };
}

/// The dispatcher made out of the rows.
#[doc(hidden)]
#[macro_export]
macro_rules! __service_dispatch {
    (
        [
            $(#[$attribute:meta])*
            $visibility:vis fn $dispatch:ident($context:ty);
            $($prefix:ident = $path:path;)*
        ]
        $($component:ident {
            $(
                #[doc = $summary:literal]
                $(#[doc = $note:literal])*
                $state:ident $name:ident = $function:ident($($argument:ident: $type:ty),* $(,)?);
            )*
        })*
    ) => {
        $(#[$attribute])*
        // One arm for each service; there is nothing to split.
        #[allow(clippy::too_many_lines, unused_variables)]
        $visibility fn $dispatch<R: $crate::services::RawArguments + ?Sized>(
            context: &$context,
            number: u16,
            raw: &R,
        ) -> $crate::NtStatus {
            #[allow(unused_imports)]
            use $crate::services::arguments::*;
            $(#[allow(unused_imports)] use $path as $prefix;)*

            match number {
                $($($crate::services::number::$name => $crate::__service_call!(
                    $state $component::$function(context: $context, raw: R; $($argument: $type),*)
                ),)*)*
                _ => $crate::NtStatus::INVALID_SYSTEM_SERVICE,
            }
        }
    };
}

/// What the dispatcher does for one row.
#[doc(hidden)]
#[macro_export]
macro_rules! __service_call {
    (planned $component:ident::$function:ident($($rest:tt)*)) => {
        $crate::NtStatus::NOT_IMPLEMENTED
    };
    (
        done $component:ident::$function:ident($context:ident: $context_type:ty, $raw:ident: $raw_type:ty;
            $($argument:ident: $type:ty),*)
    ) => {{
        // The n-th name has the value n, which makes places constants.
        #[allow(non_camel_case_types, dead_code)]
        enum Place {
            $($argument),*
        }
        #[allow(unused_variables)]
        #[inline(never)]
        fn call<R: $crate::services::RawArguments + ?Sized>($context: &$context_type, $raw: &R) -> $crate::NtStatus {
            $crate::NtStatus::from($component::$function(
                $context,
                $(match $raw.argument(Place::$argument as usize) {
                    Ok(value) => <$type as ServiceArgument>::from_raw(value),
                    Err(status) => return status,
                }),*
            ))
        }
        call::<$raw_type>($context, $raw)
    }};
}

impl From<NtResult> for NtStatus {
    #[inline]
    fn from(result: NtResult) -> Self {
        result.err().unwrap_or(Self::SUCCESS)
    }
}

impl From<NtResult<NtStatus>> for NtStatus {
    #[inline]
    fn from(result: NtResult<NtStatus>) -> Self {
        result.unwrap_or_else(|error| error)
    }
}
