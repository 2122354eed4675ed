//! What is expected is from the documentation of `FormatMessage`, or recorded from Wine's (32-bit, version 8).

use super::*;

/// Numbers, or indexes of texts.
struct Given {
    words: Vec<usize>,
    texts: Vec<&'static str>,
}

impl Values for Given {
    fn word(&mut self, number: usize) -> Win<usize> {
        self.words
            .get(number - 1)
            .copied()
            .ok_or(Error::INVALID_PARAMETER)
    }

    fn wide(&mut self, number: usize) -> Win<u64> {
        self.word(number).map(|word| word as u64)
    }

    fn text(&self, at: usize, _kind: Text, most: Option<usize>) -> Win<Vec<u16>> {
        let units: Vec<u16> = self.texts[at].encode_utf16().collect();
        let end = most.unwrap_or(units.len()).min(units.len());
        Ok(units[..end].to_vec())
    }
}

fn made(text: &str, width: Width, words: &[usize], texts: &[&'static str]) -> Win<String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut given = Given {
        words: words.to_vec(),
        texts: texts.to_vec(),
    };
    let units = format(&units, width, Some(&mut given))?;
    Ok(String::from_utf16(&units).unwrap())
}

fn plain(text: &str) -> String {
    made(text, Width::AsWritten, &[], &[]).unwrap()
}

#[test]
fn the_example_of_the_documentation() {
    let text = "%1!*.*s! %4 %5!*s!";
    let words = [4, 2, 0, 1, 6, 2];
    let texts = ["Bill", "Bob", "Bill"];
    assert_eq!(
        made(text, Width::AsWritten, &words, &texts),
        Ok("  Bi Bob   Bill".into())
    );
}

#[test]
fn escapes() {
    assert_eq!(plain("a%nb%rc%%d%.e%!f% g"), "a\r\nb\rc%d.e!f g");
    assert_eq!(plain("a%0b"), "a");
    assert_eq!(
        made("a%", Width::AsWritten, &[], &[]),
        Err(Error::INVALID_PARAMETER)
    );
    assert_eq!(
        made("%1", Width::AsWritten, &[], &[]),
        Err(Error::INVALID_PARAMETER)
    );
}

#[test]
fn numbers_have_formats() {
    for (format, word, expected) in [
        ("%1!d!", 0xFFFF_FFFF, "-1"),
        ("%1!u!", 0xFFFF_FFFF, "4294967295"),
        ("%1!08x!", 0xABC, "00000abc"),
        ("%1!#X!", 0xABC, "0XABC"),
        ("%1!-6d!|", 42, "42    |"),
        ("%1!+d!", 42, "+42"),
        ("%1!6.3d!", 42, "   042"),
        ("%1!hd!", 0x1_FFFF, "-1"),
        ("%1!o!", 8, "10"),
        ("%1!c!", 0x41, "A"),
        ("%1!.0d!", 0, ""),
    ] {
        assert_eq!(
            made(format, Width::AsWritten, &[word], &[]),
            Ok(expected.into()),
            "{format}"
        );
    }
}

#[test]
fn inserts_have_two_digits() {
    let words: Vec<usize> = (0..12).collect();
    assert_eq!(
        made("%12!u!-%1!u!", Width::AsWritten, &words, &[]),
        Ok("11-0".into())
    );
    let words = [0; 12];
    assert_eq!(
        made("%123", Width::AsWritten, &words, &["x"]),
        Ok("x3".into())
    );
}

#[test]
fn without_values_inserts_stay() {
    let units: Vec<u16> = "%1 is %2!d!%n%%".encode_utf16().collect();
    let made = format(&units, Width::AsWritten, None).unwrap();
    assert_eq!(String::from_utf16(&made).unwrap(), "%1 is %2!d!\r\n%%");
}

#[test]
fn breaks_of_the_text() {
    assert_eq!(
        plain("one\ntwo\r\nthree\rfour"),
        "one\r\ntwo\r\nthree\r\nfour"
    );
    assert_eq!(
        made("one\ntwo\r\nthree%nfour", Width::None, &[], &[]),
        Ok("one two three\r\nfour".into())
    );
    assert_eq!(
        made("one two three", Width::Most(8), &[], &[]),
        Ok("one two\r\nthree".into())
    );
}
