//! What is imported from a DLL, as safe functions.

/// Declares functions of a DLL that the linker imports by name: `imports! { "ntdll"; fn RtlGetVersion(version: Ptr<u8>) -> u32; }`.
///
/// A declaration is the promise that the DLL's function has these arguments. Calling one is safe in the sense of this
/// crate: its pointers are [`Ptr`](crate::Ptr), for which who made them answers. Off Windows nothing is declared.
#[macro_export]
macro_rules! imports {
    ($dll:literal; $(
        $(#[$attribute:meta])*
        fn $name:ident($($argument:ident: $kind:ty),* $(,)?) $(-> $result:ty)?;
    )*) => {
        #[cfg(target_os = "windows")]
        #[allow(unsafe_code, non_snake_case, clashing_extern_declarations, reason = "functions of a DLL, with their names")]
        mod imported {
            #[allow(unused_imports, reason = "a list may name no types")]
            use super::*;

            #[link(name = $dll, kind = "raw-dylib")]
            // SAFETY: the names, the arguments and the results are those of their documentation.
            unsafe extern "system" {
                $(
                    $(#[$attribute])*
                    pub safe fn $name($($argument: $kind),*) $(-> $result)?;
                )*
            }
        }
        #[cfg(target_os = "windows")]
        pub use imported::*;
    };
}
