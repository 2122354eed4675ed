//! What a DLL exports, as safe functions.

/// Makes functions exports of the DLL under their own names: `WINAPI`, and with `cdecl` before `fn` as C's own functions.
///
/// A body is safe code. Arguments are numbers, [`Ptr`](crate::Ptr) and [`Function`](crate::Function), in the order of C's
/// prototype. Off Windows they are ordinary functions, so that tests on the host call them and no name of the host's C
/// library is taken.
///
/// ```
/// use c_interface::{Ptr, exports};
///
/// exports! {
///     /// Counts the units of a string.
///     cdecl fn wcslen(string: Ptr<u16>) -> usize {
///         (0..).take_while(|&index| string.add(index).read() != 0).count()
///     }
/// }
/// ```
#[macro_export]
macro_rules! exports {
    () => {};
    (
        $(#[$attribute:meta])*
        cdecl fn $name:ident($($argument:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block
        $($rest:tt)*
    ) => {
        $(#[$attribute])*
        #[allow(unsafe_code, non_snake_case, clippy::too_many_arguments, reason = "an export of C's, with its name")]
        #[cfg_attr(target_os = "windows", unsafe(no_mangle))]
        pub extern "C" fn $name($($argument: $kind),*) $(-> $result)? $body
        $crate::exports! { $($rest)* }
    };
    (
        $(#[$attribute:meta])*
        fn $name:ident($($argument:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block
        $($rest:tt)*
    ) => {
        $(#[$attribute])*
        #[allow(unsafe_code, non_snake_case, clippy::too_many_arguments, reason = "an export of Windows', with its name")]
        #[cfg_attr(target_os = "windows", unsafe(no_mangle))]
        pub extern "system" fn $name($($argument: $kind),*) $(-> $result)? $body
        $crate::exports! { $($rest)* }
    };
}
