//! How a machine ended: from QEMU's exit status back to the kernel's exit code, and to its program's.

use std::fmt;
use std::process::ExitStatus;

use nt_abi::NtStatus;
use serde::Deserialize;

/// The way in which the kernel hands its exit code to QEMU.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Protocol {
    /// ARM semihosting: QEMU's exit status is the code.
    Semihosting,
    /// QEMU's `isa-debug-exit`: a write of `v` makes the status `(v << 1) | 1`. The kernel
    /// writes [`DEBUG_PORT_BASE`] plus its code, so that no code looks like QEMU's own failure.
    DebugPort,
}

/// What the kernel adds to its code at the debug port.
pub(crate) const DEBUG_PORT_BASE: i32 = 0x10;

/// The kernel ended with nothing to report.
pub(crate) const ALL_WELL: u8 = 0;
/// A self-check or a test failed.
pub(crate) const CHECK_FAILED: u8 = 10;
/// A bug check.
pub(crate) const BUG_CHECK: u8 = 11;
/// What the firmware said does not suffice to boot.
pub(crate) const CANNOT_BOOT: u8 = 12;

/// How a machine ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The kernel ended it with this code.
    Kernel(u8),
    /// The kernel's program ended with this code, and the kernel well.
    Program(u32),
    /// The kernel ended well, and did not say that its program ended.
    ProgramUntold,
    /// It was switched off or reset, and no code was given.
    Off,
    /// QEMU itself failed, with this status.
    Emulator(i32),
    /// QEMU was killed by a signal, or by the time limit.
    Killed,
}

/// Reads QEMU's exit status.
pub(crate) fn interpret(protocol: Protocol, status: ExitStatus) -> Ending {
    status
        .code()
        .map_or(Ending::Killed, |code| interpret_code(protocol, code))
}

fn interpret_code(protocol: Protocol, code: i32) -> Ending {
    match protocol {
        // QEMU's own failures have status 1.
        Protocol::Semihosting if code == 1 => Ending::Emulator(code),
        Protocol::Semihosting => u8::try_from(code).map_or(Ending::Emulator(code), Ending::Kernel),
        Protocol::DebugPort if code == 0 => Ending::Off,
        Protocol::DebugPort if code & 1 == 1 => u8::try_from((code >> 1) - DEBUG_PORT_BASE)
            .map_or(Ending::Emulator(code), Ending::Kernel),
        Protocol::DebugPort => Ending::Emulator(code),
    }
}

impl Ending {
    /// The end of a machine that was to run a program; `told` is what the kernel said of it last.
    #[must_use]
    pub(crate) fn of_program(self, told: Option<u32>) -> Self {
        match (self, told) {
            (Self::Kernel(ALL_WELL) | Self::Off, Some(code)) => Self::Program(code),
            (Self::Kernel(ALL_WELL), None) => Self::ProgramUntold,
            (other, _) => other,
        }
    }

    /// The status with which the tool itself ends.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Kernel(code) => *code,
            // The host's status has eight bits. What is no success must not look like one.
            Self::Program(code) => match code.to_le_bytes() {
                [0, rest @ ..] if rest != [0; 3] => u8::MAX,
                [low, ..] => low,
            },
            Self::ProgramUntold | Self::Off | Self::Emulator(_) | Self::Killed => 1,
        }
    }

    /// Whether the tool's own status says all that there is to say.
    pub(crate) fn is_told_by_status(&self) -> bool {
        match self {
            Self::Program(code) => u32::from(self.exit_code()) == *code,
            other => other.is_success(),
        }
    }

    /// Whether all is well.
    pub(crate) fn is_success(&self) -> bool {
        *self == Self::Kernel(ALL_WELL)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(ALL_WELL) => write!(f, "the kernel ended well (exit code 0)"),
            Self::Kernel(CHECK_FAILED) => write!(
                f,
                "a self-check or test in the kernel failed (exit code {CHECK_FAILED}): its name is in the log above"
            ),
            Self::Kernel(BUG_CHECK) => write!(
                f,
                "the kernel stopped with a bug check (exit code {BUG_CHECK}): the stop code and the backtrace are in the log above"
            ),
            Self::Kernel(CANNOT_BOOT) => write!(
                f,
                "the kernel could not boot from what the firmware told it (exit code {CANNOT_BOOT}): the log above says what is wrong"
            ),
            Self::Kernel(code) => write!(f, "the kernel ended with exit code {code}"),
            Self::Program(code) => {
                write!(f, "the program ended with {code:#010x}")?;
                match NtStatus(*code).name() {
                    Some(name) if *code > u32::from(u8::MAX) => write!(f, " (STATUS_{name})"),
                    _ => Ok(()),
                }
            }
            Self::ProgramUntold => write!(
                f,
                "the kernel ended without having said how the program ended: look at its log with `--verbose`"
            ),
            Self::Off => write!(
                f,
                "the machine was switched off or reset and gave no exit code: after a triple fault it ends so too, try `--gdb`"
            ),
            Self::Emulator(status) => {
                write!(
                    f,
                    "QEMU itself failed (status {status}): what it said is above"
                )
            }
            Self::Killed => write!(f, "QEMU was killed before the kernel ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semihosting_hands_the_code_through() {
        for code in [0, 10, 11, 12, 255] {
            assert_eq!(
                interpret_code(Protocol::Semihosting, i32::from(code)),
                Ending::Kernel(code)
            );
        }
        assert_eq!(
            interpret_code(Protocol::Semihosting, 1),
            Ending::Emulator(1)
        );
    }

    #[test]
    fn debug_port_is_unfolded() {
        for code in [0_u8, 10, 11, 12, 111] {
            let status = ((DEBUG_PORT_BASE + i32::from(code)) << 1) | 1;
            assert_eq!(
                interpret_code(Protocol::DebugPort, status),
                Ending::Kernel(code)
            );
        }
    }

    #[test]
    fn debug_port_knows_what_is_not_the_kernels() {
        assert_eq!(interpret_code(Protocol::DebugPort, 0), Ending::Off);
        assert_eq!(interpret_code(Protocol::DebugPort, 1), Ending::Emulator(1));
        assert_eq!(interpret_code(Protocol::DebugPort, 2), Ending::Emulator(2));
        assert_eq!(
            interpret_code(Protocol::DebugPort, 0x1f),
            Ending::Emulator(0x1f)
        );
        assert_eq!(interpret_code(Protocol::DebugPort, 0x21), Ending::Kernel(0));
    }

    #[test]
    fn a_programs_code_counts_if_the_kernel_ended_well() {
        assert_eq!(Ending::Kernel(0).of_program(Some(11)), Ending::Program(11));
        assert_eq!(Ending::Off.of_program(Some(0)), Ending::Program(0));
        assert_eq!(Ending::Kernel(0).of_program(None), Ending::ProgramUntold);
        assert_eq!(Ending::Kernel(11).of_program(Some(0)), Ending::Kernel(11));
        assert_eq!(Ending::Killed.of_program(Some(0)), Ending::Killed);
        assert_eq!(Ending::ProgramUntold.exit_code(), 1);
    }

    #[test]
    fn a_programs_code_becomes_eight_bits() {
        for (code, status, told) in [
            (0, 0, true),
            (42, 42, true),
            (255, 255, true),
            (0xC000_0005, 5, false),
            (0x100, 255, false),
            (0xFFFF_FFFF, 255, false),
        ] {
            let ending = Ending::Program(code);
            assert_eq!(
                (ending.exit_code(), ending.is_told_by_status()),
                (status, told)
            );
        }
        let said = Ending::Program(0xC000_0005).to_string();
        assert!(
            said.ends_with("0xc0000005 (STATUS_ACCESS_VIOLATION)"),
            "{said}"
        );
    }

    #[test]
    fn only_code_zero_is_success() {
        assert!(Ending::Kernel(0).is_success());
        for ending in [
            Ending::Kernel(10),
            Ending::Off,
            Ending::Emulator(1),
            Ending::Killed,
        ] {
            assert!(!ending.is_success());
            assert_ne!(ending.exit_code(), 0);
        }
    }
}
