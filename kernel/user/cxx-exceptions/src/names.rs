//! Names of types.
//!
//! Compilers write a type as a few letters: `PEAH` is `int * __ptr64`, and `?AVtype_info@@` is `class type_info`. People read
//! the longer form, which programs get of `type_info::name`. Scopes are written from the inside out, and names that came
//! before are written as digits. Here is what names classes, unions, enumerations, numbers, pointers and references to them,
//! arrays, and templates of all that; of anything else (functions, members, what is local to a function) a name stays as the
//! compiler wrote it.
//!
//! The forms are those of LLVM's `MicrosoftMangle`; the words, their order and the spaces are those of Windows' `undname`.

use core::fmt::{self, Write};

/// A number for a name, the same in all images.
///
/// # NT
/// What `type_info::hash_code` gives: Fowler, Noll and Vo's hash (FNV-1a) in the width of an address, whose halves are
/// mixed where it has 64 bits.
pub fn hash(name: &[u8]) -> usize {
    if size_of::<usize>() == 4 {
        let hash = name.iter().fold(0x811C_9DC5_u32, |hash, &byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        return usize::try_from(hash).unwrap_or(0);
    }
    let hash = name.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    usize::try_from(hash ^ hash >> 32).unwrap_or(0)
}

/// Writes a type's name as people write it, from the compiler's without the point in front. What is not known is written as
/// the compiler wrote it.
///
/// # Errors
/// Those of writing.
pub fn readable(name: &[u8], out: &mut impl Write) -> fmt::Result {
    if write_type(name, &mut Nowhere).is_ok() {
        return write_type(name, out);
    }
    name.iter()
        .try_for_each(|&byte| out.write_char(char::from(byte)))
}

fn write_type(name: &[u8], out: &mut dyn Write) -> fmt::Result {
    // "Of no storage class": in front of classes and enumerations alone.
    let rest = name.strip_prefix(b"?A").unwrap_or(name);
    let mut parser = Parser::new(rest, 0);
    let mut out = Out { to: out, last: ' ' };
    parser.any_type(&mut out)?;
    match parser.at == rest.len() {
        true => Ok(()),
        false => Err(fmt::Error),
    }
}

/// Takes everything.
struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _text: &str) -> fmt::Result {
        Ok(())
    }
}

/// Knows what was written last.
struct Out<'o> {
    to: &'o mut dyn Write,
    last: char,
}

impl Write for Out<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.last = text.chars().next_back().unwrap_or(self.last);
        self.to.write_str(text)
    }
}

/// How deep templates may be in each other.
const DEEPEST: u32 = 16;
/// How many names digits can mean.
const MOST_KNOWN: usize = 10;

/// A place in a name, and the names before it.
#[derive(Clone)]
struct Parser<'n> {
    name: &'n [u8],
    at: usize,
    /// Where names begin that digits mean.
    known: [usize; MOST_KNOWN],
    known_count: usize,
    depth: u32,
}

impl<'n> Parser<'n> {
    fn new(name: &'n [u8], depth: u32) -> Self {
        Self {
            name,
            at: 0,
            known: [0; MOST_KNOWN],
            known_count: 0,
            depth,
        }
    }

    fn peek(&self) -> Result<u8, fmt::Error> {
        self.name.get(self.at).copied().ok_or(fmt::Error)
    }

    fn take(&mut self) -> Result<u8, fmt::Error> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    fn take_if(&mut self, prefix: &[u8]) -> bool {
        let found = self.name[self.at..].starts_with(prefix);
        self.at += if found { prefix.len() } else { 0 };
        found
    }

    fn any_type(&mut self, out: &mut Out<'_>) -> fmt::Result {
        if self.take_if(b"$$B") {
            return self.any_type(out);
        }
        if self.take_if(b"$$Q") {
            return self.pointer(" && ", out);
        }
        if self.take_if(b"$$T") {
            return out.write_str("std::nullptr_t");
        }
        let letter = self.take()?;
        let key = match letter {
            b'T' => "union ",
            b'U' => "struct ",
            b'V' => "class ",
            // The number says what the enumeration is made of; it is always 4 today.
            b'W' => {
                self.take()?;
                "enum "
            }
            b'A' => return self.pointer(" &", out),
            b'P' => return self.pointer(" *", out),
            b'Q' => {
                self.pointer(" *", out)?;
                return out.write_str(" const");
            }
            b'Y' => return self.array(out),
            b'_' => {
                let letter = self.take()?;
                return out.write_str(later_number(letter).ok_or(fmt::Error)?);
            }
            _ => return out.write_str(number(letter).ok_or(fmt::Error)?),
        };
        out.write_str(key)?;
        self.scopes(out)
    }

    /// What a pointer points to, then the pointer.
    fn pointer(&mut self, sign: &str, out: &mut Out<'_>) -> fmt::Result {
        let is_wide = self.take_if(b"E");
        let qualifiers = match self.take()? {
            b'A' => "",
            b'B' => " const",
            b'C' => " volatile",
            b'D' => " const volatile",
            _ => return Err(fmt::Error),
        };
        match self.peek()? {
            // An array, in brackets around the pointer: not known here.
            b'Y' => return Err(fmt::Error),
            // The pointer that is pointed to says once more that it is constant.
            b'Q' => {
                self.at += 1;
                self.pointer(" *", out)?;
            }
            _ => self.any_type(out)?,
        }
        out.write_str(qualifiers)?;
        out.write_str(sign.trim_end())?;
        match is_wide {
            true => out.write_str(" __ptr64"),
            false => Ok(()),
        }
    }

    /// The dimensions are in front of the type.
    fn array(&mut self, out: &mut Out<'_>) -> fmt::Result {
        let dimensions = self.integer()?;
        let start = self.at;
        for _ in 0..dimensions {
            self.integer()?;
        }
        self.any_type(out)?;
        out.write_char(' ')?;
        let mut sizes = self.clone();
        sizes.at = start;
        for _ in 0..dimensions {
            write!(out, "[{}]", sizes.integer()?)?;
        }
        Ok(())
    }

    /// A name in its scopes, which are written behind it.
    fn scopes(&mut self, out: &mut Out<'_>) -> fmt::Result {
        let mut own = self.clone();
        self.fragment(&mut Out {
            to: &mut Nowhere,
            last: ' ',
        })?;
        if self.peek()? == b'@' {
            self.at += 1;
        } else {
            self.deeper()?;
            self.scopes(out)?;
            self.depth -= 1;
            out.write_str("::")?;
        }
        own.fragment(out)
    }

    fn deeper(&mut self) -> fmt::Result {
        self.depth += 1;
        match self.depth > DEEPEST {
            true => Err(fmt::Error),
            false => Ok(()),
        }
    }

    /// One name without scopes.
    fn fragment(&mut self, out: &mut Out<'_>) -> fmt::Result {
        let start = self.at;
        let first = self.peek()?;
        if first.is_ascii_digit() {
            self.at += 1;
            let index = usize::from(first - b'0');
            let mut known = self.clone();
            known.at = *self.known[..self.known_count]
                .get(index)
                .ok_or(fmt::Error)?;
            return known.fragment(out);
        }
        if self.take_if(b"?$") {
            let mut inner = Self::new(self.name, self.depth);
            inner.at = self.at;
            inner.deeper()?;
            inner.template(out)?;
            self.at = inner.at;
        } else if self.take_if(b"?A") {
            self.identifier()?;
            out.write_str("`anonymous namespace'")?;
        } else {
            out.write_str(self.identifier()?)?;
        }
        if self.known_count < MOST_KNOWN && !self.known[..self.known_count].contains(&start) {
            self.known[self.known_count] = start;
            self.known_count += 1;
        }
        Ok(())
    }

    fn identifier(&mut self) -> Result<&'n str, fmt::Error> {
        let rest = &self.name[self.at..];
        let length = rest.iter().position(|&byte| byte == b'@');
        let name = &rest[..length.ok_or(fmt::Error)?];
        if name.first().is_none_or(|&first| first == b'?') {
            return Err(fmt::Error);
        }
        self.at += name.len() + 1;
        core::str::from_utf8(name).map_err(|_| fmt::Error)
    }

    /// A template's name and arguments; the names in it count on their own.
    fn template(&mut self, out: &mut Out<'_>) -> fmt::Result {
        self.fragment(out)?;
        out.write_char('<')?;
        let mut between = "";
        while !self.take_if(b"@") {
            // An empty list of arguments.
            if self.take_if(b"$$V") || self.take_if(b"$$Z") {
                continue;
            }
            out.write_str(between)?;
            between = ",";
            match self.take_if(b"$0") {
                true => write!(out, "{}", self.integer()?)?,
                false => self.any_type(out)?,
            }
        }
        if out.last == '>' {
            out.write_char(' ')?;
        }
        out.write_char('>')
    }

    fn integer(&mut self) -> Result<i64, fmt::Error> {
        let is_negative = self.take_if(b"?");
        let first = self.take()?;
        let mut number = match first {
            b'0'..=b'9' => i64::from(first - b'0') + 1,
            _ => {
                self.at -= 1;
                let mut number = 0_i64;
                loop {
                    match self.take()? {
                        b'@' => break number,
                        digit @ b'A'..=b'P' => {
                            number = number.checked_mul(16).ok_or(fmt::Error)?;
                            number += i64::from(digit - b'A');
                        }
                        _ => return Err(fmt::Error),
                    }
                }
            }
        };
        if is_negative {
            number = -number;
        }
        Ok(number)
    }
}

/// The numbers of C.
fn number(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'C' => "signed char",
        b'D' => "char",
        b'E' => "unsigned char",
        b'F' => "short",
        b'G' => "unsigned short",
        b'H' => "int",
        b'I' => "unsigned int",
        b'J' => "long",
        b'K' => "unsigned long",
        b'M' => "float",
        b'N' => "double",
        b'O' => "long double",
        b'X' => "void",
        _ => return None,
    })
}

/// Those that came later, behind `_`.
fn later_number(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'J' => "__int64",
        b'K' => "unsigned __int64",
        b'N' => "bool",
        b'Q' => "char8_t",
        b'S' => "char16_t",
        b'U' => "char32_t",
        b'W' => "wchar_t",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    extern crate alloc;

    use alloc::string::String;

    use super::*;

    /// Pairs of names by clang and by Windows' `type_info::name`.
    #[test]
    fn names_are_readable() {
        let pairs: [(&str, &str); 14] = [
            ("H", "int"),
            ("_J", "__int64"),
            ("PEAH", "int * __ptr64"),
            ("PAH", "int *"),
            ("PEBD", "char const * __ptr64"),
            ("PAPAUCircle@shapes@@", "struct shapes::Circle * *"),
            ("PBQBH", "int const * const *"),
            ("?AVexception@std@@", "class std::exception"),
            ("?AW4Side@shapes@@", "enum shapes::Side"),
            ("?AU?$Row@H$04@shapes@@", "struct shapes::Row<int,5>"),
            (
                "$$BY02U?$Row@PAUCircle@shapes@@$0?BCM@@shapes@@",
                "struct shapes::Row<struct shapes::Circle *,-300> [3]",
            ),
            (
                "?AV?$vector@HV?$allocator@H@std@@@std@@",
                "class std::vector<int,class std::allocator<int> >",
            ),
            (
                "?AU?$Pair@UOne@a@@U12@@a@@",
                "struct a::Pair<struct a::One,struct a::One>",
            ),
            (
                "?AUHere@?A0x12345678@@",
                "struct `anonymous namespace'::Here",
            ),
        ];
        for (decorated, expected) in pairs {
            let mut text = String::new();
            readable(decorated.as_bytes(), &mut text).unwrap();
            assert_eq!(text, expected, "{decorated}");
        }
    }

    #[test]
    fn what_is_not_known_stays() {
        let too_deep = "?AU".repeat(2) + &"?$A@U".repeat(40) + &"@".repeat(90);
        for name in [
            "P6AHD@Z",
            "?AUx@?1??f@@YAXXZ@",
            "",
            "PEA",
            "?AU",
            "?AU1@",
            &too_deep,
        ] {
            let mut text = String::new();
            readable(name.as_bytes(), &mut text).unwrap();
            assert_eq!(text, name);
        }
    }
}
