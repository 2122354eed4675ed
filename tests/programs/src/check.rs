//! Checks with names: each says whether what the kernel did is what its documentation promises.
//!
//! A program declares its checks with [`checks!`](crate::checks); it runs all, writes a line for each and one for the
//! sum, and ends with the number of those that failed.

use core::fmt::{self, Debug, Write};

/// The check failed; why has been written.
#[derive(Clone, Copy, Debug)]
pub struct Failed;

/// A status that a check did not count on.
impl From<nt_abi::NtStatus> for Failed {
    #[track_caller]
    fn from(status: nt_abi::NtStatus) -> Self {
        let place = core::panic::Location::caller();
        line(format_args!(
            "       {}:{}: {status}",
            place.file(),
            place.line()
        ));
        Self
    }
}

/// What a check gives.
pub type Outcome = Result<(), Failed>;

/// A check and its name.
pub type Check = (&'static str, fn() -> Outcome);

/// Collects text so that one line is one service call, whichever thread writes at the same time.
struct Line {
    bytes: [u8; 240],
    length: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if let Some(slot) = self.bytes.get_mut(self.length) {
                *slot = byte;
                self.length += 1;
            }
        }
        Ok(())
    }
}

/// Writes a line to the console; what is too long for it is cut.
pub fn line(text: fmt::Arguments<'_>) {
    let mut line = Line {
        bytes: [0; 240],
        length: 0,
    };
    // A `Line` takes everything.
    let _ = line.write_fmt(text);
    line.length = line.length.min(line.bytes.len() - 2);
    let _ = line.write_str("\r\n");
    let text = &line.bytes[..line.length];
    crate::print(core::str::from_utf8(text).unwrap_or("a line that was cut inside a letter\r\n"));
}

/// Writes that two values differ.
#[doc(hidden)]
pub fn differ(place: (&str, u32), what: &str, got: &dyn Debug, expected: &dyn Debug) -> Failed {
    line(format_args!(
        "       {}:{}: {what}: got {got:x?}, expected {expected:x?}",
        place.0, place.1
    ));
    Failed
}

/// Writes that something does not hold.
#[doc(hidden)]
pub fn does_not_hold(place: (&str, u32), what: &str) -> Failed {
    line(format_args!(
        "       {}:{}: not so: {what}",
        place.0, place.1
    ));
    Failed
}

/// Runs checks; gives how many failed.
pub fn run(checks: &[Check]) -> u32 {
    let mut failed = 0;
    for (name, check) in checks {
        match check() {
            Ok(()) => line(format_args!("ok     {name}")),
            Err(Failed) => {
                failed += 1;
                line(format_args!("failed {name}"));
            }
        }
    }
    line(format_args!("{} checks, {failed} failed", checks.len()));
    failed
}

/// A status that lines of failed checks show by its name.
#[derive(PartialEq, Eq, Clone, Copy)]
pub struct Shown(pub nt_abi::NtStatus);

impl Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Expects a value: `expect!(got, expected)`.
#[macro_export]
macro_rules! expect {
    ($got:expr, $expected:expr $(,)?) => {{
        let (got, expected) = ($got, $expected);
        if got != expected {
            return Err($crate::check::differ(
                (file!(), line!()),
                stringify!($got),
                &got,
                &expected,
            ));
        }
    }};
}

/// Expects a status: `status!(call, STATUS_NAME)`; without a name, success.
#[macro_export]
macro_rules! status {
    ($got:expr $(,)?) => {
        $crate::status!($got, SUCCESS)
    };
    ($got:expr, $expected:ident $(,)?) => {{
        let got: nt_abi::NtStatus = $got;
        if got != nt_abi::NtStatus::$expected {
            return Err($crate::check::differ(
                (file!(), line!()),
                stringify!($got),
                &$crate::check::Shown(got),
                &$crate::check::Shown(nt_abi::NtStatus::$expected),
            ));
        }
    }};
}

/// Expects that something holds.
#[macro_export]
macro_rules! holds {
    ($what:expr $(,)?) => {
        if !$what {
            return Err($crate::check::does_not_hold(
                (file!(), line!()),
                stringify!($what),
            ));
        }
    };
}

/// Makes a program out of checks: functions that return an [`Outcome`].
#[macro_export]
macro_rules! checks {
    ($($check:path),* $(,)?) => {
        $crate::program!(start);
        $crate::list_of_checks!($($check),*);
    };
}

/// Makes the function `start` out of checks, for a program whose root, in another file, makes it the entry point.
#[macro_export]
macro_rules! list_of_checks {
    ($($check:path),* $(,)?) => {
        pub(crate) fn start() -> u32 {
            $crate::check::run(&[$((stringify!($check), $check)),*])
        }
    };
}
