//! Hard errors as sentences.

use core::fmt::{self, Write as _};

use arrayvec::ArrayString;
use nt_abi::NtStatus;
use ps::Process;
use rtl::Utf16String;

/// A parameter of a hard error.
#[derive(Debug)]
pub(super) enum Parameter {
    /// A string.
    Text(Utf16String),
    /// Anything else.
    Number(u64),
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.as_str().fmt(f),
            Self::Number(number) => write!(f, "{number:#x}"),
        }
    }
}

/// What is said of the errors that a person can do something about: `{0}` and `{1}` stand for the parameters.
///
/// The parameters are those that Windows' loader gives: the missing thing first, then who wants it.
const SENTENCES: [(NtStatus, &str); 5] = [
    (
        NtStatus::DLL_NOT_FOUND,
        "the DLL {0} was not found: put it beside the program",
    ),
    (
        NtStatus::ENTRYPOINT_NOT_FOUND,
        "the function {0} is not in {1}: that DLL is of another version, or Tarn's does not have it yet",
    ),
    (
        NtStatus::ORDINAL_NOT_FOUND,
        "the function number {0} is not in {1}: that DLL is of another version, or Tarn's does not have it yet",
    ),
    (
        NtStatus::DLL_INIT_FAILED,
        "the DLL {0} failed when it was loaded",
    ),
    (
        NtStatus::INVALID_IMAGE_FORMAT,
        "{0} is damaged, or no program or DLL for this machine",
    ),
];

/// A hard error as it is shown.
struct Sentence<'a> {
    status: NtStatus,
    parameters: &'a [Parameter],
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = SENTENCES.iter().find(|(status, _)| *status == self.status);
        let Some((_, text)) = known else {
            write!(f, "{}", self.status)?;
            for (index, parameter) in self.parameters.iter().enumerate() {
                let separator = if index == 0 { ": " } else { ", " };
                write!(f, "{separator}{parameter}")?;
            }
            return Ok(());
        };
        let mut rest = *text;
        while let Some((before, behind)) = rest.split_once('{') {
            f.write_str(before)?;
            let (index, behind) = behind.split_once('}').unwrap_or((behind, ""));
            match index
                .parse()
                .ok()
                .and_then(|index: usize| self.parameters.get(index))
            {
                Some(parameter) => write!(f, "{parameter}")?,
                None => f.write_char('?')?,
            }
            rest = behind;
        }
        write!(f, "{rest} ({})", self.status)
    }
}

/// The most bytes that are shown of a hard error.
const LONGEST: usize = 512;

/// Shows a hard error of a process on the console.
pub(super) fn show(process: &Process, status: NtStatus, parameters: &[Parameter]) {
    let name = process
        .look_at_image(|image| image.name)
        .unwrap_or_default();
    let sentence = Sentence { status, parameters };
    let mut line = ArrayString::<LONGEST>::new();
    // What does not fit any more is cut.
    let _ = writeln!(line, "{name} (process {}): {sentence}", process.id());
    ke::log::write_text(line.chars());
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use alloc::vec;

    use super::*;

    fn said(status: NtStatus, parameters: &[Parameter]) -> alloc::string::String {
        Sentence { status, parameters }.to_string()
    }

    fn text(text: &str) -> Parameter {
        let mut string = Utf16String::new();
        string.push_str(text).unwrap();
        Parameter::Text(string)
    }

    #[test]
    fn what_is_missing_is_named() {
        let parameters = vec![text("frob"), text("b.dll")];
        let line = said(NtStatus::ENTRYPOINT_NOT_FOUND, &parameters);
        assert!(
            line.starts_with("the function frob is not in b.dll: "),
            "{line}"
        );
        assert!(
            line.ends_with("(STATUS_ENTRYPOINT_NOT_FOUND (0xc0000139))"),
            "{line}"
        );
        let line = said(NtStatus::ORDINAL_NOT_FOUND, &[Parameter::Number(7)]);
        assert!(
            line.starts_with("the function number 0x7 is not in ?: "),
            "{line}"
        );
    }

    #[test]
    fn other_errors_are_said_with_their_parameters() {
        let parameters = vec![Parameter::Number(16), text("x")];
        assert_eq!(
            said(NtStatus::ACCESS_DENIED, &parameters),
            "STATUS_ACCESS_DENIED (0xc0000022): 0x10, x"
        );
    }
}
