//! vcruntime140.dll: what compilers of C++ expect below the C library.
//!
//! Code that a compiler for Windows makes of `throw`, `catch`, destructors, `dynamic_cast` and `typeid` calls functions that no
//! programmer writes. They are here. What a throw means is in `cxx-exceptions`, what has to be machine code in `funclets`;
//! here both meet ntdll and the thread.
//!
//! | module | what |
//! |---|---|
//! | `throwing` | `throw`, and the handler of functions with `try` blocks or destructors |
//! | `terminate` | the end, when there is no other way |
//! | `thread` | what is known of a thread, and who may ask for it |
//! | `exceptions`, `standard` | texts of exceptions; those of the standard library that are thrown from here |
//! | `casts`, `type_info` | `dynamic_cast`, `typeid`, `std::type_info` |
//! | `jumps` | `longjmp` |
//! | `ntdll` | what is imported |
//!
//! # Differs
//! What is known of a thread belongs to the thread, and not to the fiber that it runs.
#![cfg_attr(target_os = "windows", no_std)]
#![deny(unsafe_code)]

#[cfg(all(target_os = "windows", target_pointer_width = "64"))]
pub mod casts;
#[cfg(all(target_os = "windows", target_pointer_width = "64"))]
pub mod exceptions;
#[cfg(all(target_os = "windows", target_pointer_width = "64"))]
pub mod jumps;
#[cfg(all(target_os = "windows", target_pointer_width = "64"))]
mod ntdll;
#[cfg(all(target_os = "windows", target_pointer_width = "64"))]
mod standard;
#[cfg(all(target_os = "windows", target_pointer_width = "64"))]
pub mod terminate;
#[cfg(all(target_os = "windows", target_pointer_width = "64"))]
pub mod thread;
#[cfg(all(target_os = "windows", target_pointer_width = "64"))]
pub mod throwing;
#[cfg(all(target_os = "windows", target_pointer_width = "64"))]
pub mod type_info;

#[cfg(target_os = "windows")]
#[global_allocator]
static HEAP: c_interface::blocks::ProcessHeap = c_interface::blocks::ProcessHeap;

#[cfg(target_os = "windows")]
#[panic_handler]
fn panic(_what: &core::panic::PanicInfo<'_>) -> ! {
    use nt_abi::services::arguments::Handle;
    loop {
        let _refused = ntdll_imports::NtTerminateProcess(
            Handle::CURRENT_PROCESS,
            nt_abi::NtStatus::ASSERTION_FAILURE,
        );
    }
}
