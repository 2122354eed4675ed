//! Damaged images: no panic, bounded work, and answers that keep their promises.
//!
//! The damage is the same in every run. `PE_DAMAGED_INPUTS=N` runs N inputs instead of 100,000. What is found here or by
//! the target in `fuzz/` goes to `tests/data/broken/NAME.bin` and is run again by `inputs_that_were_hard`.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::time::{Duration, Instant};

use pe::{Image, Machine};
use support::builder::{NewImage, Writer};
use support::damage::{Chance, damage};
use support::fuzz::fuzz;

fn inputs() -> usize {
    std::env::var("PE_DAMAGED_INPUTS")
        .ok()
        .map_or(100_000, |count| {
            count.parse().expect("PE_DAMAGED_INPUTS is a number")
        })
}

const NAMES: [&str; 5] = ["x64.dll", "x86.exe", "arm64.dll", "armnt.dll", "flat.exe"];

#[test]
fn damaged_images() {
    let seeds = NAMES.map(support::data);
    let mut chance = Chance::new(1);
    let mut accepted = 0;
    let all = inputs();
    for _ in 0..all {
        let mut file = seeds[chance.below(seeds.len())].clone();
        damage(&mut chance, &mut file);
        accepted += usize::from(fuzz(&file));
    }
    // Damage that is always found at the door tests nothing behind it.
    assert!(
        accepted > all / 4 && accepted < all,
        "{accepted} of {all} accepted"
    );
}

#[test]
fn cut_images() {
    for name in NAMES {
        let file = support::data(name);
        for length in 0..file.len() {
            fuzz(&file[..length]);
        }
    }
}

#[test]
fn inputs_that_were_hard() {
    for (name, file) in support::broken() {
        println!("{name}");
        fuzz(&file);
    }
}

const SIZE: usize = 8 << 20;

/// An image with one section at 0x1000 and a directory that begins there.
fn with_directory(number: usize, bytes: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    let mut image = NewImage::new(Machine::AMD64);
    image.size_of_image = 0x1000 + length.next_multiple_of(0x1000);
    image.directories[number] = (0x1000, length);
    image.sections = vec![NewImage::section(0x1000, 0x200, bytes)];
    image.build()
}

fn repeated(entry: &[u32]) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    while out.0.len() < SIZE {
        entry.iter().for_each(|word| {
            out.u32(*word);
        });
    }
    out.0
}

/// Images that are made to be slow: the work must stay linear.
#[test]
fn images_that_are_made_to_be_slow() {
    let images = [
        // Exports: two million empty names; two million names without an end.
        with_directory(0, {
            let mut bytes = repeated(&[0x1000]);
            let mut header = Writer(Vec::new());
            header.zeros(12).u32(0).u32(1).u32(1 << 20).u32(1 << 20);
            header.u32(0x2000).u32(0x2000).u32(0x2000);
            bytes[..40].copy_from_slice(&header.0);
            bytes
        }),
        with_directory(0, {
            let mut bytes = repeated(&[0x0101_0101]);
            let mut header = Writer(Vec::new());
            header.zeros(12).u32(0).u32(1).u32(1 << 20).u32(1 << 20);
            header.u32(0x2000).u32(0x2000).u32(0x2000);
            bytes[..40].copy_from_slice(&header.0);
            bytes
        }),
        // Imports: every module has the table that is the whole section.
        with_directory(1, repeated(&[0x1000, 0, 0, 0x1000, 0x1000])),
        with_directory(13, repeated(&[1, 0x1000, 0, 0x1000, 0x1000, 0, 0, 0])),
        // The same with names of 16,000 bytes, for modules and for imports.
        with_directory(1, {
            let mut bytes = repeated(&[0x1000, 0, 0, 0x1000 + 20_000_000 / 8, 0x1000]);
            bytes[20_000_000 / 8..].fill(b'x');
            (20_000_000 / 8..bytes.len())
                .step_by(16_000)
                .for_each(|at| bytes[at] = 0);
            bytes
        }),
        with_directory(1, {
            let mut bytes = repeated(&[0x4000, 0]);
            bytes[..40].copy_from_slice(&repeated(&[0x1100, 0, 0, 0x1080, 0x1100])[..40]);
            bytes[20..0x100].fill(0);
            bytes[0x3000..0x3000 + 16_000].fill(b'x');
            bytes
        }),
        // Resources: a directory of 65,535 entries that all lead to itself.
        with_directory(2, {
            let mut bytes = repeated(&[0x8000_0000, 0x8000_0000]);
            bytes[12..16].copy_from_slice(&[0xFF, 0xFF, 0, 0]);
            bytes
        }),
        // Functions that chain to themselves.
        with_directory(3, repeated(&[0x1000, 0x2000, 0x1001])),
        with_directory(3, repeated(&[0x0000_0021, 0, 0x1000])),
        // Relocations: blocks of 8 bytes; one block.
        with_directory(5, repeated(&[0x1000, 8])),
        with_directory(5, {
            let mut bytes = repeated(&[0xA000_A000]);
            bytes[4..8].copy_from_slice(&u32::try_from(SIZE).unwrap().to_le_bytes());
            bytes
        }),
        with_directory(11, repeated(&[1, 0xFFFF_0004])),
    ];
    for (number, image) in images.iter().enumerate() {
        Image::from_file(image).unwrap();
        let start = Instant::now();
        fuzz(image);
        // A hundred times what it takes here: a square of the size would take hours.
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{number}: {:?}",
            start.elapsed()
        );
        println!("{number}: {:?}", start.elapsed());
    }
}
