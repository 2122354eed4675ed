//! The documentation's example, what our own writer makes, and damaged input that Wine was asked about too.

extern crate std;

use std::vec;
use std::vec::Vec;

use nt_abi::NtStatus;

use super::*;
use crate::compression::lznt1_encoder::{Engine, SCRATCH, compress};
use crate::compression::samples::{Numbers, text};

fn encode(bytes: &[u8], engine: Engine) -> Vec<u8> {
    let mut out = vec![0; bytes.len() + 2 * (bytes.len() / CHUNK + 1)];
    let mut scratch = [0; SCRATCH];
    let length = compress(bytes, &mut out, engine, &mut scratch).expect("room");
    out.truncate(length);
    out
}

#[test]
fn the_documented_example() {
    // [MS-XCA] 3.3: a terminated text, its compressed form.
    let plain = b"F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D E F# \
        G F# E D E A F# F# G A A G F# E D D E F# E D D\0";
    let compressed = [
        0x38, 0xB0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xA2, 0x47,
        0x01, 0xA0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xC0, 0x45, 0x20,
        0x05, 0x24, 0x13, 0x88, 0x05, 0xB4, 0x02, 0x4A, 0x44, 0xEF, 0x03, 0x58, 0x02, 0x8C, 0x09,
        0x16, 0x01, 0x48, 0x45, 0x00, 0xBE, 0x00, 0x9E, 0x00, 0x04, 0x01, 0x18, 0x90, 0x00,
    ];
    let mut out = [0; 200];
    let length = decompress(&compressed, &mut out).expect("good");
    assert_eq!(
        std::str::from_utf8(&out[..length]),
        std::str::from_utf8(plain)
    );
}

#[test]
fn what_is_compressed_is_got_back() {
    for engine in [Engine::Standard, Engine::Maximum] {
        for (seed, size) in [(2, 1), (3, 3), (4, 4095), (5, 4096), (6, 4097), (7, 30_000)] {
            let plain = text(seed, size);
            let compressed = encode(&plain, engine);
            let mut out = vec![0xCC; size + 10];
            assert_eq!(decompress(&compressed, &mut out), Ok(size));
            assert_eq!(out[..size], plain);
            if size > 4000 {
                assert!(compressed.len() < size / 2, "{}", compressed.len());
            }
        }
    }
    let best = encode(&text(7, 30_000), Engine::Maximum).len();
    assert!(best <= encode(&text(7, 30_000), Engine::Standard).len());
}

#[test]
fn noise_is_stored() {
    let mut numbers = Numbers(5);
    let noise: Vec<u8> = (0..9000).map(|_| numbers.byte()).collect();
    let compressed = encode(&noise, Engine::Standard);
    assert_eq!(compressed.len(), 9000 + 3 * 2);
    assert_eq!(compressed[..2], [0xFF, 0x3F]);
    let mut scratch = [0; SCRATCH];
    let short = &mut [0; 9005][..];
    assert_eq!(
        compress(&noise, short, Engine::Standard, &mut scratch),
        Err(NtStatus::BUFFER_TOO_SMALL)
    );
}

#[test]
fn fragments_are_parts_of_the_whole() {
    let plain = text(8, 20_000);
    let compressed = encode(&plain, Engine::Standard);
    let mut scratch = [0; CHUNK];
    let mut numbers = Numbers(9);
    for _ in 0..200 {
        let from = numbers.index(20_000);
        let mut out = vec![0xCC; numbers.index(9000)];
        let length = fragment(&compressed, from, &mut out, &mut scratch).expect("good");
        let rest = &plain[from..];
        assert_eq!(length, rest.len().min(out.len()));
        assert_eq!(out[..length], rest[..length]);
    }
    assert_eq!(
        fragment(&compressed, 24_576, &mut [0; 10], &mut scratch),
        Err(NtStatus::BAD_COMPRESSION_BUFFER)
    );
}

/// Bytes as Wine was asked about: a compressed text, some of whose bytes were changed, or cut off.
fn damaged(numbers: &mut Numbers) -> (Vec<u8>, usize) {
    let size = 1 + numbers.index(10_000);
    let mut bytes = encode(&text(numbers.below(1000), size), Engine::Standard);
    for _ in 0..numbers.index(4) {
        let place = numbers.index(bytes.len());
        bytes[place] = numbers.byte();
    }
    if numbers.below(3) == 0 {
        bytes.truncate(1 + numbers.index(bytes.len()));
    }
    (bytes, numbers.index(12_000))
}

/// Where a chunk that was changed holds more than 4 KiB, Wine goes on writing; here a chunk has no more.
const LONGER_THAN_A_CHUNK: [usize; 3] = [116, 169, 335];

/// What Wine's reader answers. With `LZNT1_CASES` set to a folder when this is compiled, the cases are written there.
#[test]
fn wine_reads_damaged_input_alike() {
    let mut numbers = Numbers(77);
    let mut hash = 0u64;
    let mut note = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
    for round in 0..400 {
        let (bytes, room) = damaged(&mut numbers);
        if let Some(folder) = std::option_env!("LZNT1_CASES") {
            let mut file = bytes.clone();
            file.extend_from_slice(&u32::try_from(room).expect("short").to_le_bytes());
            std::fs::write(std::format!("{folder}/{round}.bin"), file).expect("written");
        }
        if LONGER_THAN_A_CHUNK.contains(&round) {
            continue;
        }
        let mut out = vec![0; room];
        match decompress(&bytes, &mut out) {
            Ok(length) => {
                note(1);
                out[..length].iter().for_each(|byte| note(*byte));
            }
            Err(_) => note(0),
        }
    }
    assert_eq!(hash, 0x2eb0_6b05_d8b8_b1a4, "{hash:#x}");
}
