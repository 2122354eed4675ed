//! Applying base relocations: each kind, items across pages, a page and a whole image.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use nt_abi::{NtResult, NtStatus};
use pe::{Image, Machine, RelocationIndex, Relocations, relocate_in_place};
use support::builder::{NewImage, Writer};
use support::{data, mapped};

const BAD: NtStatus = NtStatus::INVALID_IMAGE_FORMAT;

/// An image whose data at 0x1000 is given, with relocations at 0x3000: blocks of an address and entries.
fn with_relocations(machine: Machine, item: &[u8], at: usize, blocks: &[(u32, &[u16])]) -> Vec<u8> {
    let mut bytes = vec![0; 0x2000];
    bytes[at..at + item.len()].copy_from_slice(item);
    let mut table = Writer(Vec::new());
    for (rva, entries) in blocks {
        table
            .u32(*rva)
            .u32(u32::try_from(8 + entries.len() * 2).unwrap());
        entries.iter().for_each(|entry| {
            table.u16(*entry);
        });
    }
    with_table(machine, bytes, table.0)
}

fn with_table(machine: Machine, bytes: Vec<u8>, table: Vec<u8>) -> Vec<u8> {
    let mut image = NewImage::new(machine);
    image.size_of_image = 0x4000;
    image.directories[5] = (0x3000, u32::try_from(table.len()).unwrap());
    image.sections = vec![
        NewImage::section(0x1000, 0x200, bytes),
        NewImage::section(0x3000, 0x2200, table),
    ];
    image.build()
}

/// Relocates an image in each way and asserts that all come to the same.
fn relocated(file: &[u8], delta: u64) -> NtResult<Vec<u8>> {
    let image = Image::from_file(file).unwrap();
    let relocations = image.relocations()?;
    let before = mapped(file);
    let mut whole = before.clone();
    let result = relocations.apply_to_image(&mut whole, delta);

    let mut in_place = before.clone();
    assert_eq!(relocate_in_place(&mut in_place, delta), result);
    result?;
    assert_eq!(in_place, whole);

    let index = RelocationIndex::new(&relocations)?;
    let outside = |rva| image.byte_in_memory(rva);
    let (mut by_table, mut by_index) = (before.clone(), before);
    for page in (0..whole.len()).step_by(4096) {
        let rva = u32::try_from(page).unwrap();
        let (table, indexed) = (
            &mut by_table[page..page + 4096],
            &mut by_index[page..page + 4096],
        );
        relocations.apply_to_page(rva, table, delta, &outside)?;
        index.apply_to_page(&relocations, rva, indexed, delta, &outside)?;
    }
    assert_eq!(by_table, whole);
    assert_eq!(by_index, whole);
    Ok(whole)
}

/// Relocates one item at 0x1100.
fn item<const N: usize>(machine: Machine, entries: &[u16], item: [u8; N], delta: u64) -> [u8; N] {
    let file = with_relocations(machine, &item, 0x100, &[(0x1000, entries)]);
    let after = relocated(&file, delta).unwrap();
    *after[0x1100..].first_chunk().unwrap()
}

#[test]
fn each_kind() {
    let x86 = Machine::I386;
    let kind = |kind: u16| [kind << 12 | 0x100];
    assert_eq!(item(x86, &kind(0), [1, 2], 0x1_0000), [1, 2]);
    // 0x12FF'0000 + 0x0101'8000: the upper half, without rounding.
    assert_eq!(item(x86, &kind(1), [0xFF, 0x12], 0x0101_8000), [0x00, 0x14]);
    assert_eq!(item(x86, &kind(2), [0xFF, 0xFF], 0x1_0002), [1, 0]);
    assert_eq!(
        item(
            x86,
            &kind(3),
            0x0040_1234_u32.to_le_bytes(),
            0xFFFF_FFFF_FFFF_0000
        ),
        0x003F_1234_u32.to_le_bytes()
    );
    assert_eq!(
        item(
            Machine::AMD64,
            &kind(10),
            0x1_4000_1000_u64.to_le_bytes(),
            0x7FF0_1234_0000
        ),
        0x7FF1_5234_1000_u64.to_le_bytes()
    );
    // The address was 0x0040'9000: upper half 0x0041 (it rounds), lower 0x9000, which is negative. It goes to
    // 0x0041'1000 and its upper half to 0x0041.
    assert_eq!(
        item(x86, &[4 << 12 | 0x100, 0x9000], [0x41, 0], 0x8000),
        [0x41, 0]
    );
    assert_eq!(
        item(x86, &[4 << 12 | 0x100, 0x9000], [0x41, 0], 0x1_0000),
        [0x42, 0]
    );
}

/// `movw r0, #0x5678; movt r0, #0x1234` and the same for 0x12A4'F678, as llvm-mc 14 assembles them for thumbv7.
#[test]
fn the_pair_of_thumb_instructions() {
    let before = [0x45, 0xF2, 0x78, 0x60, 0xC1, 0xF2, 0x34, 0x20];
    let after = [0x4F, 0xF2, 0x78, 0x60, 0xC1, 0xF2, 0xA4, 0x20];
    let delta = 0x12A4_F678 - 0x1234_5678;
    assert_eq!(
        item(Machine::ARMNT, &[7 << 12 | 0x100], before, delta),
        after
    );
    // Other machines have no such kind.
    let file = with_relocations(Machine::I386, &before, 0, &[(0x1000, &[7 << 12])]);
    assert_eq!(relocated(&file, delta), Err(BAD));
}

#[test]
fn items_across_two_pages() {
    let address = 0x1122_3344_5566_7788_u64;
    let delta = 0x0101_0101_0101_0199;
    for at in 0xFF8..=0x1000 {
        let entry = 10 << 12 | u16::try_from(at & 0xFFF).unwrap();
        let block = 0x1000 + u32::try_from(at & 0x1000).unwrap();
        let bytes = address.to_le_bytes();
        let file = with_relocations(Machine::ARM64, &bytes, at, &[(block, &[entry])]);
        let after = relocated(&file, delta).unwrap();
        let found = u64::from_le_bytes(*after[0x1000 + at..].first_chunk().unwrap());
        assert_eq!(found, address.wrapping_add(delta), "{at:#x}");
    }
    // A block need not begin at a page.
    let file = with_relocations(
        Machine::ARM64,
        &address.to_le_bytes(),
        0xFFC,
        &[(0x1FFC, &[10 << 12])],
    );
    let after = relocated(&file, delta).unwrap();
    assert_eq!(
        after[0x1FFC..0x2004],
        address.wrapping_add(delta).to_le_bytes()
    );
}

#[test]
fn blocks_in_any_order() {
    let file = with_relocations(
        Machine::I386,
        &[1, 0, 0, 0],
        0x10,
        &[
            (0x2000, &[3 << 12]),
            (0x1000, &[3 << 12 | 0x10, 0]),
            (0x2000, &[3 << 12 | 8]),
        ],
    );
    let after = relocated(&file, 0x100).unwrap();
    assert_eq!(after[0x1010..0x1014], 0x101_u32.to_le_bytes());
    assert_eq!(after[0x2000..0x2004], 0x100_u32.to_le_bytes());
    assert_eq!(after[0x2008..0x200C], 0x100_u32.to_le_bytes());
}

#[test]
fn damaged_tables() {
    let said = |table: &[u32]| {
        let mut bytes = Writer(Vec::new());
        table.iter().for_each(|word| {
            bytes.u32(*word);
        });
        relocated(
            &with_table(Machine::I386, vec![0; 0x2000], bytes.0),
            0x1_0000,
        )
        .map(|_| ())
    };
    assert_eq!(said(&[0x1000, 12, 0x3008_3000]), Ok(()));
    assert_eq!(
        said(&[0x1000, 12, 0x3008_3000, 0, 0]),
        Ok(()),
        "zeros end a table"
    );
    assert_eq!(
        said(&[0x1000, 12, 0x3008_3000, 7]),
        Ok(()),
        "so does half a header"
    );
    assert_eq!(said(&[0x1000, 7, 0]), Err(BAD));
    assert_eq!(said(&[0x1000, 16, 0x3000]), Err(BAD));
    assert_eq!(said(&[0x1000, u32::MAX, 0x3000]), Err(BAD));
    assert_eq!(said(&[0x1000, 12, 0x0000_5000]), Err(BAD), "no such kind");
    assert_eq!(said(&[0x1000, 12, 0x4000_0000]), Err(BAD), "half an entry");
    assert_eq!(said(&[u32::MAX, 12, 0x0000_3001]), Err(BAD));
    assert_eq!(
        said(&[0x9000, 12, 0x0000_3000]),
        Err(BAD),
        "not in the image"
    );
    assert_eq!(said(&[0x9000, 12, 0]), Ok(()), "padding may point anywhere");
}

#[test]
fn damage_is_found_before_a_page_comes() {
    let index = |words: [u32; 3]| {
        let table: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        RelocationIndex::new(&Relocations::from_table(&table, Machine::I386)).map(|_| ())
    };
    assert_eq!(index([0x1000, 12, 0x3008_3000]), Ok(()));
    assert_eq!(index([0x1000, 12, 0x0000_5000]), Err(BAD), "no such kind");
    assert_eq!(index([0x1000, 12, 0x4000_0000]), Err(BAD), "half an entry");
    assert_eq!(
        index([u32::MAX, 12, 0x0000_3001]),
        Err(BAD),
        "behind all addresses"
    );
}

/// A table that relocates itself: what is left of it is read as it has become, and it ends.
#[test]
fn a_table_that_relocates_itself() {
    let file = with_relocations(
        Machine::I386,
        &[],
        0,
        &[(0x3000, &[3 << 12, 3 << 12 | 4, 3 << 12 | 8])],
    );
    let mut memory = mapped(&file);
    let _ = relocate_in_place(&mut memory, 0x1111_1111);
    let image = Image::from_file(&file).unwrap();
    let relocations = image.relocations().unwrap();
    assert_eq!(relocations.apply_to_image(&mut memory, 1), Ok(()));
}

/// What `llvm-readobj` shows at these places, plus the delta.
#[test]
fn linked_images() {
    let delta = 0x7654_0000;
    let x64 = relocated(&data("x64.dll"), delta).unwrap();
    let at = |rva: usize| u64::from_le_bytes(*x64[rva..].first_chunk().unwrap());
    assert_eq!(at(0x3FFC), 0x1_8000_101F + delta, "across pages");
    assert_eq!(at(0x20B0), 0x1_8000_300C + delta);
    assert_eq!(at(0x4010), 0x1_8000_10A6 + delta);

    let mut x86 = relocated(&data("x86.exe"), 0x10_0000).unwrap();
    x86[120 + 24 + 28 + 2] = 0x50;
    let image = Image::from_mapped(&x86).unwrap();
    assert_eq!(image.headers().image_base, 0x50_0000);
    assert_eq!(
        image.tls().unwrap().unwrap().index_rva,
        0x3000,
        "relative to the new base"
    );

    let arm = relocated(&data("armnt.dll"), 0x1234_5678).unwrap();
    let at = |rva: usize| u32::from_le_bytes(*arm[rva..].first_chunk().unwrap());
    assert_eq!(at(0x3008), 0x1000_3008 + 0x1234_5678);
    // movw r0, #0x8680; movt r0, #0x2234: 0x1000'3008 + 0x1234'5678, as llvm-mc assembles it.
    assert_eq!(
        arm[0x1000..0x1008],
        [0x48, 0xF2, 0x80, 0x60, 0xC2, 0xF2, 0x34, 0x20]
    );
}
