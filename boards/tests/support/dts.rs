//! A compiler for the part of the device tree source language that the tests use.
//!
//! Tests say their trees in source, as people write them, and need no tool for it.
//! There are no labels, references or includes. Two things go beyond the language:
//! the comment `// FDT_NOP` leaves a gap, as boot loaders do where they take a node
//! out, and what follows what is not checked, so that wrong trees can be said too.
//!
//! Written from the Devicetree Specification 0.4, chapters 5 and 6.

use std::collections::HashMap;

#[derive(Debug, PartialEq)]
enum Word {
    /// A name or number.
    Plain(String),
    Text(String),
    Sign(char),
    Gap,
}

/// Compiles `source` into a flattened device tree.
pub(crate) fn compile(source: &str) -> Vec<u8> {
    let mut compiler = Compiler::default();
    let words = words(source);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word {
            Word::Plain(word) if word == "/dts-v1/" => {
                words.next();
            }
            Word::Plain(word) if word == "/memreserve/" => {
                for _ in 0..2 {
                    let Some(Word::Plain(value)) = words.next() else {
                        panic!("no number")
                    };
                    compiler.reservations.extend(number(value).to_be_bytes());
                }
                words.next();
            }
            Word::Plain(word) if word == "/" => {
                words.next();
                compiler.node("", &mut words);
            }
            Word::Sign(';') => {}
            Word::Gap => compiler.token(4),
            word => panic!("{word:?} outside a node"),
        }
    }
    compiler.finish()
}

#[derive(Default)]
struct Compiler {
    reservations: Vec<u8>,
    structure: Vec<u8>,
    strings: Vec<u8>,
    places: HashMap<String, u32>,
}

impl Compiler {
    fn token(&mut self, token: u32) {
        self.structure.extend(token.to_be_bytes());
    }

    fn pad(&mut self) {
        while !self.structure.len().is_multiple_of(4) {
            self.structure.push(0);
        }
    }

    /// Compiles a node whose name and opening brace are read.
    fn node(&mut self, name: &str, words: &mut dyn Iterator<Item = &Word>) {
        self.token(1);
        self.structure.extend(name.bytes());
        self.structure.push(0);
        self.pad();
        let mut item = String::new();
        loop {
            match words.next().unwrap_or_else(|| panic!("{name} has no end")) {
                Word::Gap => self.token(4),
                Word::Plain(word) => item.clone_from(word),
                Word::Sign('{') => {
                    self.node(&std::mem::take(&mut item), words);
                    words.next();
                }
                Word::Sign('=') => {
                    let value = value(words);
                    self.property(&std::mem::take(&mut item), &value);
                }
                Word::Sign(';') => self.property(&std::mem::take(&mut item), &[]),
                Word::Sign('}') => break,
                word => panic!("{word:?} in {name}"),
            }
        }
        self.token(2);
    }

    fn property(&mut self, name: &str, value: &[u8]) {
        let end = u32::try_from(self.strings.len()).unwrap();
        let place = *self.places.entry(name.to_owned()).or_insert(end);
        if place == end {
            self.strings.extend(name.bytes());
            self.strings.push(0);
        }
        self.token(3);
        self.token(u32::try_from(value.len()).unwrap());
        self.token(place);
        self.structure.extend(value);
        self.pad();
    }

    fn finish(mut self) -> Vec<u8> {
        self.token(9);
        self.reservations.extend([0; 16]);
        let structure = 40 + self.reservations.len();
        let strings = structure + self.structure.len();
        let total = strings + self.strings.len();
        let header = [
            0xd00d_feed,
            total,
            structure,
            strings,
            40,
            17,
            16,
            0,
            self.strings.len(),
            self.structure.len(),
        ];
        let mut blob = Vec::new();
        for field in header {
            blob.extend(u32::try_from(field).unwrap().to_be_bytes());
        }
        blob.extend(self.reservations);
        blob.extend(self.structure);
        blob.extend(self.strings);
        blob
    }
}

/// Reads a property's value up to its semicolon.
fn value(words: &mut dyn Iterator<Item = &Word>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut is_cells = true;
    loop {
        match words.next().expect("a value ends") {
            Word::Sign(';') => return bytes,
            Word::Sign(',' | '>' | ']') => {}
            Word::Sign('<') => is_cells = true,
            Word::Sign('[') => is_cells = false,
            Word::Text(text) => {
                bytes.extend(text.bytes());
                bytes.push(0);
            }
            Word::Plain(cell) if is_cells => {
                bytes.extend(u32::try_from(number(cell)).unwrap().to_be_bytes());
            }
            Word::Plain(byte) => bytes.push(u8::from_str_radix(byte, 16).unwrap()),
            word => panic!("{word:?} in a value"),
        }
    }
}

fn number(word: &str) -> u64 {
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => word.parse(),
    }
    .unwrap_or_else(|error| panic!("{word}: {error}"))
}

fn words(source: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for line in source.lines() {
        let (line, comment) = line.split_once("//").unwrap_or((line, ""));
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if first == '"' {
                let length = rest[1..].find('"').expect("a text ends");
                words.push(Word::Text(rest[1..=length].to_owned()));
                length + 2
            } else if "{}=<>;[],".contains(first) {
                words.push(Word::Sign(first));
                1
            } else {
                let ends =
                    |character: char| character.is_whitespace() || "{}=<>;[]\"".contains(character);
                let length = rest.find(ends).unwrap_or(rest.len());
                words.push(Word::Plain(rest[..length].to_owned()));
                length
            };
            rest = rest[length..].trim_start();
        }
        if comment.trim() == "FDT_NOP" {
            words.push(Word::Gap);
        }
    }
    words
}
