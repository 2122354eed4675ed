//! The system services as functions that can be called without ceremony, for programs that test the kernel.
//!
//! Each takes whatever can be [`Passed`] for its typed arguments: a reference where the service wants a pointer, a plain
//! number for a handle or a size, or an [`Address`] that need not be good. They are safe to call only in the sense that
//! a test wants: it passes bad addresses on purpose, the kernel has to refuse them, and what a service is asked to do to
//! the caller's own memory is the caller's risk. Programs that people depend on call the stubs themselves.
#![allow(
    non_snake_case,
    clippy::too_many_arguments,
    clippy::cast_possible_truncation,
    reason = "names and arguments are NT's; programs have 64-bit addresses"
)]

pub use c_interface::services::{Address, NULL, Passed, address_of};
use nt_abi::NtStatus;
use nt_abi::services::arguments::*;

/// The pseudo handle of the own process.
pub const CURRENT_PROCESS: Handle = Handle::CURRENT_PROCESS;
/// The pseudo handle of the own thread.
pub const CURRENT_THREAD: Handle = Handle::CURRENT_THREAD;

/// Makes the functions out of the rows.
macro_rules! functions {
    ($($component:ident {
        $(
            #[doc = $summary:literal]
            $(#[doc = $note:literal])*
            $state:ident $name:ident = $function:ident($($argument:ident: $type:ty),* $(,)?);
        )*
    })*) => {$($(
        #[doc = $summary]
        #[inline]
        pub fn $name($($argument: impl Passed<$type>),*) -> NtStatus {
            // SAFETY: the arguments are references that live until the call is over, or numbers and addresses that a test
            // has chosen because the kernel must refuse them or may do to this program what they ask for.
            unsafe { crate::$name($($argument.argument()),*) }
        }
    )*)*};
}

nt_abi::with_system_services!(functions);

/// Services by their numbers, which another implementation of NT does not have.
#[cfg(not(feature = "reference"))]
mod by_number {
    use nt_abi::NtStatus;
    use nt_abi::services::MAXIMUM_ARGUMENTS;
    use nt_abi::services::arguments::*;

    /// A stub as a function of as many arguments as any service has: what a service does not look at does no harm.
    type Entry = unsafe extern "C" fn(
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
    ) -> NtStatus;

    /// Lists the stubs by their numbers.
    macro_rules! entries {
        ($($component:ident {
            $(
                #[doc = $summary:literal]
                $(#[doc = $note:literal])*
                $state:ident $name:ident = $function:ident($($argument:ident: $type:ty),* $(,)?);
            )*
        })*) => {
            static ENTRIES: &[Entry] = &[$($(
                // SAFETY: a stub only enters the kernel and leaves all registers and the stack's arguments as they are, so it is
                // a function of any number of arguments that are passed as 64-bit numbers are; those that it is declared with
                // are passed alike.
                unsafe {
                    core::mem::transmute::<unsafe extern "C" fn($($type),*) -> NtStatus, Entry>(crate::$name)
                },
            )*)*];
        };
    }
    nt_abi::with_system_services!(entries);

    /// Calls the service with a number, whatever the arguments are; a number beyond the table's stands for one that the
    /// kernel does not know.
    ///
    /// What the caller answers for: that nothing which the service is asked to write, unmap or end is of use to the program.
    pub fn raw(number: u16, arguments: &[u64; MAXIMUM_ARGUMENTS]) -> NtStatus {
        let entry = match ENTRIES.get(usize::from(number)) {
            Some(entry) => *entry,
            None => crate::machine::no_service as Entry,
        };
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = *arguments;
        // SAFETY: the stub may be called with any arguments; what the kernel then does to the program's own memory is what the
        // caller of this function answers for.
        unsafe { entry(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q) }
    }
}
#[cfg(not(feature = "reference"))]
pub use by_number::raw;

/// A counter that goes on at a constant rate, and that rate in hertz: for measures under an emulator that counts
/// instructions, where a second has 10^9 of them.
pub fn counter() -> (u64, u64) {
    crate::machine::counter()
}

/// Writes bytes to memory that a service gave.
///
/// What the caller answers for: that the memory is there, can be written, and is nothing that the program knows by
/// another name.
pub fn fill(address: u64, bytes: &[u8]) {
    let place = core::ptr::with_exposed_provenance_mut::<u8>(address as usize);
    // SAFETY: memory that a service gave belongs to no object of the program's; it can be written, as the caller says.
    unsafe { core::ptr::copy(bytes.as_ptr(), place, bytes.len()) };
}

/// Reads a number from memory that a service gave.
///
/// What the caller answers for: that the memory is there.
pub fn number_at(address: u64) -> u64 {
    let place = core::ptr::with_exposed_provenance::<u64>(address as usize);
    // SAFETY: memory that a service gave can be read, as the caller says; any bits are a number.
    unsafe { place.read_unaligned() }
}
