//! What wimlib wrote is read, and what a writer of our own makes of the documentation's text; damage is seen.

extern crate std;

use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use nt_abi::NtStatus;

use super::*;
use crate::compression::samples::{Numbers, text};

/// `text(7, 20000)`, compressed by wimlib 1.13.
const TEXT: &[u8] = include_bytes!("text.bin");

fn codes() -> Box<Codes> {
    Box::new(Codes::new())
}

#[test]
fn what_wimlib_compressed_is_read() {
    let plain = text(7, 20_000);
    let mut out = vec![0; 20_000];
    assert_eq!(decompress(TEXT, &mut out, &mut codes()), Ok(20_000));
    assert_eq!(out, plain);
    let mut out = vec![0; 25_000];
    assert_eq!(
        decompress(TEXT, &mut out, &mut codes()),
        Ok(20_000),
        "the end is seen"
    );
    assert_eq!(out[..20_000], plain);
    let mut out = vec![0; 777];
    assert_eq!(decompress(TEXT, &mut out, &mut codes()), Ok(777));
    assert_eq!(out, plain[..777]);
}

/// Writes as [MS-XCA] 2.1.4.3 says, with codes of 9 bits for all symbols.
struct Writer {
    out: Vec<u8>,
    /// The two words that are to be filled next.
    places: [usize; 2],
    word: u32,
    free: u32,
}

impl Writer {
    fn block(mut out: Vec<u8>) -> Self {
        out.extend([0x99; 256]);
        let first = out.len();
        out.extend([0; 4]);
        Self {
            out,
            places: [first, first + 2],
            word: 0,
            free: 16,
        }
    }

    fn put(&mut self, word: u32) {
        let [at, next] = self.places;
        self.out[at..at + 2].copy_from_slice(&word.to_le_bytes()[..2]);
        self.places = [next, self.out.len()];
    }

    fn bits(&mut self, bits: u32, count: u32) {
        if self.free >= count {
            self.free -= count;
            self.word = self.word << count | bits;
            return;
        }
        let over = count - self.free;
        self.put(self.word << self.free | bits >> over);
        self.out.extend([0; 2]);
        self.free = 16 - over;
        self.word = bits & ((1 << over) - 1);
    }

    fn repeat(&mut self, offset: usize, length: usize) {
        let bits = offset.ilog2();
        let rest = length - 3;
        let nibble = u32::try_from(rest.min(15)).expect("4 bits");
        self.bits(256 | bits << 4 | nibble, 9);
        if let Some(more) = rest.checked_sub(15) {
            if more < 255 {
                self.out.push(u8::try_from(more).expect("8 bits"));
            } else {
                self.out.push(255);
                match u16::try_from(rest) {
                    Ok(short) => self.out.extend(short.to_le_bytes()),
                    Err(_) => {
                        let long = u32::try_from(rest).expect("32 bits");
                        self.out.extend([&[0, 0][..], &long.to_le_bytes()].concat());
                    }
                }
            }
        }
        self.bits(
            u32::try_from(offset).expect("16 bits") & ((1 << bits) - 1),
            bits,
        );
    }

    fn finish(mut self) -> Vec<u8> {
        self.put(self.word << self.free);
        self.put(0);
        self.out
    }
}

#[test]
fn blocks_follow_one_another() {
    let mut numbers = Numbers(4);
    let mut plain: Vec<u8> = Vec::new();
    let mut out = Vec::new();
    for block in 1..=3 {
        let mut writer = Writer::block(out);
        while plain.len() < block * BLOCK {
            if plain.is_empty() || numbers.below(3) == 0 {
                plain.push(numbers.byte());
                writer.bits(u32::from(plain[plain.len() - 1]), 9);
                continue;
            }
            let offset = 1 + numbers.index(plain.len().min(65_535));
            let limit = [10, 100, 1000, 70_000][numbers.index(if block == 2 { 4 } else { 3 })];
            let length = 3 + numbers.index(limit);
            writer.repeat(offset, length);
            (0..length).for_each(|_| plain.push(plain[plain.len() - offset]));
        }
        out = writer.finish();
    }
    let mut read = vec![0; plain.len()];
    assert_eq!(decompress(&out, &mut read, &mut codes()), Ok(plain.len()));
    assert!(read == plain);
}

#[test]
fn damage_is_seen() {
    let bad = Err(NtStatus::BAD_COMPRESSION_BUFFER);
    let mut out = vec![0; 20_000];
    assert_eq!(
        decompress(&TEXT[..200], &mut out, &mut codes()),
        bad,
        "no whole table"
    );
    assert_eq!(
        decompress(&TEXT[..258], &mut out, &mut codes()),
        bad,
        "no bits"
    );
    assert_eq!(
        decompress(&TEXT[..800], &mut out, &mut codes()),
        bad,
        "cut off"
    );
    let mut changed = TEXT.to_vec();
    changed[16] ^= 1;
    assert_eq!(
        decompress(&changed, &mut out, &mut codes()),
        bad,
        "codes that do not fill the table"
    );
}

#[test]
fn nothing_reads_or_writes_beyond_its_bounds() {
    let mut numbers = Numbers(6);
    for _ in 0..60 {
        let mut bytes = TEXT.to_vec();
        for _ in 0..1 + numbers.index(5) {
            let place = numbers.index(bytes.len());
            bytes[place] = numbers.byte();
        }
        bytes.truncate(numbers.index(bytes.len()));
        crate::compression::fuzz(&bytes);
        let noise: Vec<u8> = (0..numbers.index(600)).map(|_| numbers.byte()).collect();
        crate::compression::fuzz(&noise);
    }
}
