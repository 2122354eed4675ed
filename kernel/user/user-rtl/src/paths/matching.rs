//! Names with wildcards.

use c_interface::{Ptr, exports};
use nt_abi::native::UnicodeString;
use rtl::wildcard::{has_wildcards, matches};
use rtl::{Case, Utf16Str};

use crate::strings::{case, text};

/// Whether a name is one of those that an expression describes. Without memory to find out it is none.
fn is_match(expression: Utf16Str<'_>, name: Utf16Str<'_>, case: Case) -> u8 {
    u8::from(matches(expression, name, case).unwrap_or(false))
}

exports! {
    /// Whether text has wildcards.
    fn RtlDoesNameContainWildCards(name: Ptr<UnicodeString>) -> u8 {
        u8::from(has_wildcards(text(name)))
    }

    /// Whether a name is one of those that an expression describes. Without regard to case, the expression must be in
    /// capitals. A table of capitals of the caller's is not looked at: there is one alone.
    fn RtlIsNameInExpression(
        expression: Ptr<UnicodeString>,
        name: Ptr<UnicodeString>,
        ignore_case: u8,
        _capitals: Ptr<u16>,
    ) -> u8 {
        is_match(text(expression), text(name), case(ignore_case))
    }

    /// As `RtlIsNameInExpression`; the expression need not be in capitals.
    fn RtlIsNameInUnUpcasedExpression(
        expression: Ptr<UnicodeString>,
        name: Ptr<UnicodeString>,
        ignore_case: u8,
        _capitals: Ptr<u16>,
    ) -> u8 {
        is_match(text(expression), text(name), case(ignore_case))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strings::testing::unicode;

    #[test]
    fn names_match_expressions() {
        let is = |expression: &str, name: &str, ignore| {
            let (expression, name) = (unicode(expression, 30), unicode(name, 30));
            let got = RtlIsNameInExpression(expression.ptr(), name.ptr(), ignore, Ptr::NULL);
            assert_eq!(
                got,
                RtlIsNameInUnUpcasedExpression(expression.ptr(), name.ptr(), ignore, Ptr::NULL)
            );
            got
        };
        assert_eq!(is("*.TXT", "readme.txt", 1), 1);
        assert_eq!(is("*.TXT", "readme.txt", 0), 0);
        assert_eq!(is("R?AD<", "readme", 1), 1);
        assert_eq!(RtlDoesNameContainWildCards(unicode("a>b", 6).ptr()), 1);
        assert_eq!(RtlDoesNameContainWildCards(unicode("a.b", 6).ptr()), 0);
    }
}
