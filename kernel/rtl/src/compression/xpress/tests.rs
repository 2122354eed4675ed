//! The documentation's examples, and what a writer made of its text writes.

extern crate std;

use std::vec;
use std::vec::Vec;

use nt_abi::NtStatus;

use super::*;
use crate::compression::samples::Numbers;

#[test]
fn the_documented_examples() {
    // [MS-XCA] 3.2.
    let mut out = [0; 400];
    let mut alphabet = vec![0x3F, 0, 0, 0];
    alphabet.extend(b'a'..=b'z');
    assert_eq!(decompress(&alphabet, &mut out), Ok(26));
    assert!(out[..26].iter().copied().eq(b'a'..=b'z'));
    let repeated = [
        0xFF, 0xFF, 0xFF, 0x1F, 0x61, 0x62, 0x63, 0x17, 0x00, 0x0F, 0xFF, 0x26, 0x01,
    ];
    assert_eq!(decompress(&repeated, &mut out), Ok(300));
    assert_eq!(out[..300], *b"abc".repeat(100));
}

/// Writes as [MS-XCA] 2.3 says: bytes and matches.
#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    flags_at: usize,
    flags: u32,
    count: u32,
    half_at: Option<usize>,
}

impl Writer {
    fn flag(&mut self, flag: u32) {
        if self.count.is_multiple_of(32) {
            self.flags_at = self.out.len();
            self.out.extend([0; 4]);
            self.flags = 0;
        }
        self.flags |= flag << (31 - self.count % 32);
        self.count += 1;
        let at = self.flags_at;
        self.out[at..at + 4].copy_from_slice(&self.flags.to_le_bytes());
    }

    fn repeat(&mut self, offset: usize, length: usize) {
        self.flag(1);
        let rest = length - 3;
        let pair = u16::try_from((offset - 1) << 3 | rest.min(7)).expect("13 bits");
        self.out.extend(pair.to_le_bytes());
        let Some(rest) = rest.checked_sub(7) else {
            return;
        };
        let nibble = u8::try_from(rest.min(15)).expect("4 bits");
        match self.half_at.take() {
            Some(at) => self.out[at] |= nibble << 4,
            None => {
                self.half_at = Some(self.out.len());
                self.out.push(nibble);
            }
        }
        let Some(rest) = rest.checked_sub(15) else {
            return;
        };
        if rest < 255 {
            self.out.push(u8::try_from(rest).expect("8 bits"));
            return;
        }
        self.out.push(255);
        let whole = u32::try_from(length - 3).expect("32 bits");
        match u16::try_from(whole) {
            Ok(short) => self.out.extend(short.to_le_bytes()),
            Err(_) => self
                .out
                .extend([&[0, 0][..], &whole.to_le_bytes()].concat()),
        }
    }

    /// The flags that are left over, one at least, say matches.
    fn finish(mut self) -> Vec<u8> {
        self.flag(1);
        while !self.count.is_multiple_of(32) {
            self.flag(1);
        }
        self.out
    }
}

#[test]
fn every_length_is_read() {
    let mut numbers = Numbers(3);
    for round in 0..60 {
        let mut writer = Writer::default();
        let mut plain: Vec<u8> = Vec::new();
        while plain.len() < 3000 {
            if plain.is_empty() || numbers.below(3) == 0 {
                let byte = numbers.byte();
                writer.flag(0);
                writer.out.push(byte);
                plain.push(byte);
                continue;
            }
            let offset = 1 + numbers.index(plain.len().min(8192));
            let limit = [8, 30, 300, 1000, 70_000][numbers.index(if round == 0 { 5 } else { 4 })];
            let length = 3 + numbers.index(limit);
            writer.repeat(offset, length);
            (0..length).for_each(|_| plain.push(plain[plain.len() - offset]));
        }
        let compressed = writer.finish();
        let mut out = vec![0; plain.len() + 5];
        assert_eq!(decompress(&compressed, &mut out), Ok(plain.len()));
        assert_eq!(out[..plain.len()], plain);
        let room = numbers.index(plain.len());
        assert_eq!(
            decompress(&compressed, &mut out[..room]),
            Ok(room),
            "as much as there is room for"
        );
    }
}

#[test]
fn damage_is_seen() {
    let mut out = [0; 100];
    let bad = Err(NtStatus::BAD_COMPRESSION_BUFFER);
    for damaged in [
        &[][..],
        &[0, 0, 0],
        &[0, 0, 0, 0],
        // A match before anything, one of half its bits, one with no length, one whose length is too short for its form.
        &[0, 0, 0, 0x80, 0, 0],
        &[0, 0, 0, 0x40, 1, 0],
        &[0, 0, 0, 0x40, 1, 7, 0],
        &[0, 0, 0, 0x40, 1, 7, 0, 0x0F, 0xFF, 21, 0],
    ] {
        assert_eq!(decompress(damaged, &mut out), bad, "{damaged:?}");
    }
}
