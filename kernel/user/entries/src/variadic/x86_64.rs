//! Exports with an ellipsis on x64.

/// Puts the address of the list where the argument behind the named ones is.
#[doc(hidden)]
#[macro_export]
macro_rules! __list_argument {
    (1) => {
        "lea rdx, [rsp + 0x48]"
    };
    (2) => {
        "lea r8, [rsp + 0x50]"
    };
    (3) => {
        "lea r9, [rsp + 0x58]"
    };
    (4) => {
        "lea rax, [rsp + 0x60]\nmov [rsp + 0x20], rax"
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
                // The homes of the four registers are right below what is on the stack.
                "mov [rsp + 0x08], rcx",
                "mov [rsp + 0x10], rdx",
                "mov [rsp + 0x18], r8",
                "mov [rsp + 0x20], r9",
                "sub rsp, 0x38",
                ".seh_stackalloc 0x38",
                ".seh_endprologue",
                $crate::__list_argument!($named),
                "call {list_form}",
                "add rsp, 0x38",
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
    core::arch::naked_asm!("int3", "ret")
}
