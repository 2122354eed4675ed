//! The table of symbols that a bug check reads to name the functions of a backtrace.
//!
//! Little-endian: `TARNSYM1`, `u32` count, `u32` length of the strings; then for each
//! function, ascending by address, `u64` address, `u32` size, `u32` offset of its name;
//! then the strings, each a `u16` length and UTF-8.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use object::{Object, ObjectSymbol, SymbolKind};

const MAGIC: &[u8; 8] = b"TARNSYM1";
/// Names are cut here: generic ones can be longer than a line, and memory is dear.
const LONGEST_NAME: usize = 120;

/// A table of no functions, for the first build.
pub(super) fn empty_table() -> Vec<u8> {
    encode(&BTreeMap::new()).expect("an empty table is small")
}

/// The table of an ELF file's functions.
pub(super) fn table(elf: &[u8]) -> Result<Vec<u8>> {
    let file = object::File::parse(elf).context("what the linker wrote is no ELF file")?;
    let mut functions = BTreeMap::new();
    for symbol in file.symbols() {
        let Ok(name) = symbol.name() else { continue };
        if symbol.kind() != SymbolKind::Text || symbol.is_undefined() || name.is_empty() {
            continue;
        }
        let size = u32::try_from(symbol.size()).context("a function is larger than 4 GiB")?;
        let name = readable(name);
        // Functions with the same code are one in the image: the shortest name stands for all,
        // and the choice must not depend on the order in the file.
        let better = |old: &(u32, String)| {
            (size, std::cmp::Reverse((name.len(), &name)))
                > (old.0, std::cmp::Reverse((old.1.len(), &old.1)))
        };
        if functions.get(&symbol.address()).is_none_or(better) {
            functions.insert(symbol.address(), (size, name));
        }
    }
    encode(&functions)
}

/// Whether a table is part of an image.
pub(super) fn is_within(image: &[u8], table: &[u8]) -> bool {
    image
        .windows(table.len())
        .any(|window| window.starts_with(MAGIC) && window == table)
}

fn readable(mangled: &str) -> String {
    let mut name = without_arguments(&format!("{:#}", rustc_demangle::demangle(mangled)));
    if name.len() > LONGEST_NAME {
        name.truncate(name.floor_char_boundary(LONGEST_NAME));
    }
    name
}

/// A name without the types that generic functions and types were made for: they would be a third of the table. What
/// begins with a type in angle brackets (`<T as Trait>::function`) keeps that.
fn without_arguments(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let mut depth = 0_u32;
    let mut before = ' ';
    for letter in name.chars() {
        let follows_name = before.is_alphanumeric() || before == '_' || short.ends_with("::");
        match letter {
            '<' if depth > 0 || follows_name => {
                if depth == 0 && short.ends_with("::") {
                    short.truncate(short.len() - 2);
                }
                depth += 1;
            }
            '>' if depth > 0 => depth -= u32::from(before != '-'),
            _ if depth == 0 => short.push(letter),
            _ => {}
        }
        before = letter;
    }
    short
}

fn encode(functions: &BTreeMap<u64, (u32, String)>) -> Result<Vec<u8>> {
    let mut strings: Vec<u8> = Vec::new();
    let mut places: HashMap<&str, u32> = HashMap::new();
    let mut entries = Vec::new();
    for (address, (size, name)) in functions {
        let place = match places.get(name.as_str()) {
            Some(place) => *place,
            None => {
                let place = u32::try_from(strings.len())
                    .context("the names of symbols are too long together")?;
                let length = u16::try_from(name.len()).context("a symbol's name is too long")?;
                strings.extend(length.to_le_bytes());
                strings.extend(name.as_bytes());
                places.insert(name, place);
                place
            }
        };
        entries.extend(address.to_le_bytes());
        entries.extend(size.to_le_bytes());
        entries.extend(place.to_le_bytes());
    }
    let mut table = MAGIC.to_vec();
    table.extend(
        u32::try_from(functions.len())
            .context("there are too many symbols")?
            .to_le_bytes(),
    );
    table.extend(
        u32::try_from(strings.len())
            .context("the names of symbols are too long together")?
            .to_le_bytes(),
    );
    table.extend(entries);
    table.extend(strings);
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(bytes: &[u8], at: usize) -> usize {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
    }

    #[test]
    fn the_empty_table() {
        assert_eq!(empty_table(), b"TARNSYM1\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn entries_and_names_are_where_the_header_says() {
        let functions = BTreeMap::from([
            (0x2000_u64, (8, "b::two".to_owned())),
            (0x1000, (4, "a".to_owned())),
        ]);
        let table = encode(&functions).unwrap();
        assert_eq!((word(&table, 8), word(&table, 12)), (2, 3 + 8));
        let strings = 16 + 2 * 16;
        for (index, (address, size, name)) in [(0x1000_u64, 4, "a"), (0x2000, 8, "b::two")]
            .into_iter()
            .enumerate()
        {
            let at = 16 + 16 * index;
            assert_eq!(table[at..at + 8], address.to_le_bytes());
            assert_eq!(word(&table, at + 8), size);
            let place = strings + word(&table, at + 12);
            let length = usize::from(u16::from_le_bytes(
                table[place..place + 2].try_into().unwrap(),
            ));
            assert_eq!(&table[place + 2..place + 2 + length], name.as_bytes());
        }
        assert_eq!(table.len(), strings + 3 + 8);
    }

    #[test]
    fn a_table_is_found_in_an_image() {
        let functions = BTreeMap::from([(0x1000_u64, (4, "a".to_owned()))]);
        let table = encode(&functions).unwrap();
        let image = [b"TARNSYM1 in code".as_slice(), &table, b"data"].concat();
        assert!(is_within(&image, &table));
        assert!(!is_within(&image, &empty_table()));
        assert!(!is_within(b"short", &table));
    }

    #[test]
    fn names_are_demangled_and_cut() {
        assert_eq!(
            readable("_ZN4core3fmt5write17h0123456789abcdefE"),
            "core::fmt::write"
        );
        assert_eq!(readable("memcpy"), "memcpy");
        for (long, short) in [
            ("<a::B<C, D<E>> as F<G>>::h::<I>", "<a::B as F>::h"),
            ("a::b::<fn(C) -> D<E>>::{closure#0}", "a::b::{closure#0}"),
            ("<a::B>::c", "<a::B>::c"),
        ] {
            assert_eq!(without_arguments(long), short);
        }
        let long = format!("{}é", "x".repeat(119));
        assert_eq!(readable(&long), "x".repeat(119));
    }

    #[test]
    fn this_very_program_has_symbols() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let table = table(&program).unwrap();
        assert!(word(&table, 8) > 100);
        let text = String::from_utf8_lossy(&table);
        assert!(
            text.contains("xtask::build::symbols::"),
            "the names are readable"
        );
    }
}
