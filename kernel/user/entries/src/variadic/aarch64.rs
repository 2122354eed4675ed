//! Exports with an ellipsis on ARM64.

/// Puts the address of the list where the argument behind the named ones is.
#[doc(hidden)]
#[macro_export]
macro_rules! __list_argument {
    (1) => {
        "add x1, sp, #0x18"
    };
    (2) => {
        "add x2, sp, #0x20"
    };
    (3) => {
        "add x3, sp, #0x28"
    };
    (4) => {
        "add x4, sp, #0x30"
    };
}

/// Makes an entry of this machine.
#[doc(hidden)]
#[macro_export]
macro_rules! __variadic_entry {
    ($(#[$attribute:meta])* $name:ident, $named:tt, $list_form:path) => {
        $(#[$attribute])*
        // SAFETY: the body follows the C convention; what it calls takes the named arguments and the list.
        #[unsafe(naked)]
        // SAFETY: the name is Windows'.
        #[unsafe(no_mangle)]
        pub extern "C" fn $name() {
            core::arch::naked_asm!(
                ".seh_proc {this}",
                "stp x29, x30, [sp, #-0x50]!",
                ".seh_save_fplr_x 0x50",
                "mov x29, sp",
                ".seh_set_fp",
                ".seh_endprologue",
                "stp x0, x1, [sp, #0x10]",
                "stp x2, x3, [sp, #0x20]",
                "stp x4, x5, [sp, #0x30]",
                "stp x6, x7, [sp, #0x40]",
                $crate::__list_argument!($named),
                "bl {list_form}",
                ".seh_startepilogue",
                "ldp x29, x30, [sp], #0x50",
                ".seh_save_fplr_x 0x50",
                ".seh_endepilogue",
                "ret",
                ".seh_endproc",
                this = sym $name,
                list_form = sym $list_form,
            )
        }
    };
}

/// Stops for a debugger; without one it is an exception.
///
/// # NT
/// `DbgBreakPoint`, `DbgUserBreakPoint`. A debugger that goes on behind it finds a function that returns.
// SAFETY: one instruction that raises an exception, and the return.
#[unsafe(naked)]
// SAFETY: the name is NT's.
#[unsafe(no_mangle)]
pub extern "C" fn DbgBreakPoint() {
    core::arch::naked_asm!("brk #0xF000", "ret")
}
