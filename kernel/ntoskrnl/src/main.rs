//! The kernel: boots, says what machine it found, checks it, and ends.
//!
//! There is nothing to run yet, so all is well when the self-checks hold.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]
#![deny(unsafe_code)]

#[cfg(target_os = "none")]
mod kernel {
    use arch::contract::{BootInfo, ExitCode};
    use ntoskrnl::{Program, Running};

    static PROGRAM: Program = Program {
        symbols: include_bytes!(env!("TARN_SYMBOLS")),
        then,
    };

    arch::kernel_entry!(start);

    fn start(boot: BootInfo) -> ! {
        ntoskrnl::start(&boot, &PROGRAM)
    }

    fn then(running: &Running) -> ExitCode {
        running.start_executive();
        if let Some(command_line) = running.options().program {
            running.run_program(command_line)
        } else if running.self_checks() {
            ExitCode::Success
        } else {
            ExitCode::CheckFailed
        }
    }
}

/// On a host there is no machine to boot.
#[cfg(not(target_os = "none"))]
fn main() {
    println!("This program is a kernel: start it with `cargo xtask run`.");
}
