//! UTF-8 that comes in pieces, which may end inside a character.

use rtl::utf8::utf8_pieces;

/// The beginning of a character whose end has not come yet: up to three bytes, and in the highest byte how many.
pub type Unfinished = u32;

/// Gives the units of bytes that follow what was unfinished, and what is unfinished now.
pub fn feed(unfinished: Unfinished, bytes: &[u8], mut put: impl FnMut(u16)) -> Unfinished {
    let mut put_all = |bytes: &[u8]| {
        for piece in utf8_pieces(bytes) {
            for unit in piece.character().encode_utf16(&mut [0; 2]) {
                put(*unit);
            }
        }
    };
    let mut bytes = bytes;
    let [first, second, third, count] = unfinished.to_le_bytes();
    let mut held = [first, second, third, 0];
    let mut count = usize::from(count).min(3);
    if count > 0 {
        // The character's own bytes, as far as they are there: they are all that continues something.
        while let Some((&next, after)) = bytes.split_first()
            && (0x80..=0xBF).contains(&next)
            && count < held.len()
            && unfinished_at_end(&held[..count]) > 0
        {
            held[count] = next;
            count += 1;
            bytes = after;
        }
        if bytes.is_empty() && unfinished_at_end(&held[..count]) == count {
            return packed(&held[..count]);
        }
        put_all(&held[..count]);
    }
    let (whole, rest) = bytes.split_at(bytes.len() - unfinished_at_end(bytes));
    put_all(whole);
    packed(rest)
}

fn packed(bytes: &[u8]) -> Unfinished {
    let mut packed = [0; 4];
    packed[..bytes.len()].copy_from_slice(bytes);
    packed[3] = u8::try_from(bytes.len()).unwrap_or_default();
    u32::from_le_bytes(packed)
}

/// How many bytes at the end are a character that is cut off.
fn unfinished_at_end(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let needed = match bytes[bytes.len() - back] {
            0x80..=0xBF => continue,
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        return if needed > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of bytes that come in pieces of a length.
    fn in_pieces(bytes: &[u8], length: usize) -> String {
        let mut units = Vec::new();
        let mut unfinished = 0;
        for piece in bytes.chunks(length) {
            unfinished = feed(unfinished, piece, |unit| units.push(unit));
        }
        assert_eq!(unfinished, 0, "nothing is left");
        String::from_utf16(&units).unwrap()
    }

    #[test]
    fn pieces_make_the_same_text_as_the_whole() {
        let text = "aß€😀z, λόγος и 漢字\r\n";
        for length in 1..8 {
            assert_eq!(in_pieces(text.as_bytes(), length), text, "{length}");
        }
    }

    #[test]
    fn what_was_no_beginning_is_replaced() {
        for length in 1..4 {
            assert_eq!(
                in_pieces(b"a\xE2\x82bc\xFF\x80d", length),
                "a\u{FFFD}bc\u{FFFD}\u{FFFD}d",
                "{length}"
            );
        }
    }
}
