//! Which files are images, and what is said of those that are not.
//!
//! The statuses are those that Windows was seen to give: they are recorded in Wine's tests of the loader
//! (`dlls/kernel32/tests/loader.c`), which run on Windows. Where Windows' versions differ, the newer is taken. What those
//! tests do not cover is from the format's description.

mod support;

use nt_abi::{NtResult, NtStatus};
use pe::{Image, Machine};
use support::builder::NewImage;

const BAD: NtStatus = NtStatus::INVALID_IMAGE_FORMAT;

fn status(file: &[u8]) -> NtResult {
    Image::from_file(file).map(|_| ())
}

/// What is said of a good image after one change.
fn changed(machine: Machine, change: impl Fn(&mut NewImage)) -> NtResult {
    let mut image = NewImage::new(machine);
    change(&mut image);
    status(&image.build())
}

const MACHINES: [Machine; 4] = [
    Machine::I386,
    Machine::ARMNT,
    Machine::AMD64,
    Machine::ARM64,
];

#[test]
fn a_good_image_of_each_machine() {
    for machine in MACHINES {
        assert_eq!(changed(machine, |_| {}), Ok(()), "{machine:?}");
    }
}

#[test]
fn what_is_no_image() {
    let said = |change: fn(&mut NewImage)| changed(Machine::I386, change);
    assert_eq!(status(b""), Err(NtStatus::INVALID_IMAGE_NOT_MZ));
    assert_eq!(status(b"M"), Err(NtStatus::INVALID_IMAGE_NOT_MZ));
    assert_eq!(status(b"MZ"), Err(NtStatus::INVALID_IMAGE_PROTECT));
    assert_eq!(
        said(|image| image.magic = [0, 0]),
        Err(NtStatus::INVALID_IMAGE_NOT_MZ)
    );
    assert_eq!(
        said(|image| image.nt_offset = 0x9876_0000),
        Err(NtStatus::INVALID_IMAGE_PROTECT)
    );
    assert_eq!(
        said(|image| image.signature = 0xDEAD_BEEF_u32.to_le_bytes()),
        Err(NtStatus::INVALID_IMAGE_PROTECT)
    );
    assert_eq!(
        said(|image| image.signature = *b"LE\0\0"),
        Err(NtStatus::INVALID_IMAGE_LE_FORMAT)
    );
    assert_eq!(
        said(|image| {
            image.machine = 0;
            image.optional_size = Some(0);
        }),
        Err(NtStatus::INVALID_IMAGE_PROTECT)
    );
}

#[test]
fn kinds_of_16_bit_programs() {
    let mut file = NewImage::new(Machine::I386);
    file.signature = *b"NE\0\0";
    let mut file = file.build();
    for target in 0..16 {
        file[0x40 + 0x36] = target;
        let expected = match target {
            2 => NtStatus::INVALID_IMAGE_WIN_16,
            5 => NtStatus::INVALID_IMAGE_PROTECT,
            _ => NtStatus::INVALID_IMAGE_NE_FORMAT,
        };
        assert_eq!(status(&file), Err(expected), "{target}");
    }
    // Windows 3.0 programs of the first linkers name no target but the version.
    file[0x40 + 0x36] = 0;
    file[0x40 + 0x3F] = 3;
    assert_eq!(status(&file), Err(NtStatus::INVALID_IMAGE_WIN_16));
}

#[test]
fn machines_and_widths() {
    assert_eq!(
        changed(Machine::AMD64, |image| image.machine = 0xDEAD),
        Err(BAD)
    );
    assert_eq!(changed(Machine::AMD64, |image| image.machine = 0), Err(BAD));
    assert_eq!(
        changed(Machine::AMD64, |image| image.optional_magic = 0xDEAD),
        Err(BAD)
    );
    for (machine, other) in [
        (Machine::AMD64, Machine::I386),
        (Machine::I386, Machine::ARM64),
        (Machine::ARM64, Machine::ARMNT),
        (Machine::ARMNT, Machine::AMD64),
    ] {
        let said = changed(machine, |image| image.machine = other.0);
        assert_eq!(said, Err(BAD), "{other:?} in headers of {machine:?}");
    }
    assert_eq!(
        changed(Machine::I386, |image| image.characteristics = 0),
        Err(BAD)
    );
}

#[test]
fn arm64_images_must_bear_to_be_moved() {
    for flags in [0, 0x40, 0x100] {
        let said = |machine| changed(machine, |image| image.dll_characteristics = flags);
        assert_eq!(said(Machine::ARM64), Err(BAD), "{flags:#x}");
        assert_eq!(said(Machine::AMD64), Ok(()), "{flags:#x}");
    }
}

#[test]
fn alignments() {
    let said = |section, file| {
        changed(Machine::I386, |image| {
            image.section_alignment = section;
            image.file_alignment = file;
            // An image in one piece lies in memory as in the file.
            if section < 0x1000 {
                image.sections[0].rva = 0x200;
            }
        })
    };
    for good in [
        (0x1000, 0x200),
        (0x1000, 0x1000),
        (0x200, 0x200),
        (4, 4),
        (1, 1),
    ] {
        assert_eq!(said(good.0, good.1), Ok(()), "{good:x?}");
    }
    for bad in [
        (0, 0),
        (0x1000, 0),
        (0x200, 0x1000),
        (0x1000, 0x300),
        (0x300, 0x300),
        (0x1000, 0x100),
        (0x800, 0x200),
        (0x1800, 0x200),
    ] {
        assert_eq!(said(bad.0, bad.1), Err(BAD), "{bad:x?}");
    }
}

#[test]
fn sizes_and_bases() {
    let said = |change: &dyn Fn(&mut NewImage)| changed(Machine::I386, change);
    for size in [0, 0x200, 0x1000, 0x1FF, 0x7700_0001, u32::MAX] {
        assert_eq!(
            said(&|image| image.size_of_image = size),
            Err(BAD),
            "{size:x}"
        );
    }
    // It counts in pages, and may reach beyond the last section.
    for size in [0x1001, 0x1F00, 0x2000, 0x9000, 0x7700_0000] {
        assert_eq!(
            said(&|image| image.size_of_image = size),
            Ok(()),
            "{size:x}"
        );
    }
    for headers in [0, 0x1001, 0x2000, u32::MAX] {
        assert_eq!(
            said(&|image| image.size_of_headers = headers),
            Err(BAD),
            "{headers:x}"
        );
    }
    assert_eq!(said(&|image| image.size_of_headers = 0x178), Ok(()));
    assert_eq!(said(&|image| image.image_base = 0x40_1000), Err(BAD));
    assert_eq!(said(&|image| image.image_base = 0), Ok(()));
}

#[test]
fn sections_that_do_not_fit_together() {
    let said = |change: &dyn Fn(&mut NewImage)| {
        changed(Machine::AMD64, |image| {
            image.size_of_image = 0x4000;
            image
                .sections
                .push(NewImage::section(0x2000, 0x400, vec![0; 0x200]));
            change(image);
        })
    };
    assert_eq!(said(&|_| {}), Ok(()));
    assert_eq!(
        said(&|image| image.sections.swap(0, 1)),
        Err(BAD),
        "descending"
    );
    assert_eq!(
        said(&|image| image.sections[1].rva = 0x1000),
        Err(BAD),
        "overlapping"
    );
    assert_eq!(
        said(&|image| image.sections[1].rva = 0x3000),
        Err(BAD),
        "with a gap"
    );
    assert_eq!(
        said(&|image| image.sections[0].rva = 0x1010),
        Err(BAD),
        "unaligned"
    );
    assert_eq!(
        said(&|image| image.sections[0].virtual_size = 0x1001),
        Err(BAD)
    );
    assert_eq!(
        said(&|image| image.sections[1].virtual_size = 0x2000),
        Ok(())
    );
    assert_eq!(
        said(&|image| image.sections[1].virtual_size = 0x2001),
        Err(BAD)
    );
    assert_eq!(
        said(&|image| image.sections[1].virtual_size = u32::MAX),
        Err(BAD)
    );
    assert_eq!(
        said(&|image| image.sections[1].virtual_size = 0),
        Ok(()),
        "as in the file"
    );
    let empty = |image: &mut NewImage| {
        image.sections[1].virtual_size = 0;
        image.sections[1].raw_size = Some(0);
    };
    assert_eq!(said(&empty), Err(BAD));
}

#[test]
fn sections_beyond_the_file() {
    let said = |offset: u32, size: u32| {
        changed(Machine::AMD64, |image| {
            image.sections[0].bytes = Vec::new();
            image.sections[0].virtual_size = 0x200;
            image.sections[0].raw_offset = offset;
            image.sections[0].raw_size = Some(size);
            image.shortest = 0x400;
        })
    };
    assert_eq!(said(0x200, 0x200), Ok(()));
    assert_eq!(said(0x200, 0x201), Err(BAD));
    assert_eq!(said(0x400, 1), Err(BAD));
    assert_eq!(said(0xFFFF_FF00, 0x200), Err(BAD));
    assert_eq!(said(0, 0x4000), Ok(()), "nothing comes from the file");
    assert_eq!(said(0x4000, 0), Ok(()), "nothing comes from the file");
    let said = |count| changed(Machine::AMD64, |image| image.section_count = Some(count));
    assert_eq!(said(97), Err(BAD));
    assert_eq!(said(u16::MAX), Err(BAD));
    let said = |size| changed(Machine::AMD64, |image| image.optional_size = Some(size));
    assert_eq!(said(u16::MAX), Err(BAD));
}

#[test]
fn neither_the_entry_point_nor_the_subsystem_is_looked_at() {
    assert_eq!(
        changed(Machine::I386, |image| image.entry_point = 0x1234_5678),
        Ok(())
    );
    assert_eq!(
        changed(Machine::I386, |image| image.subsystem = 0xABCD),
        Ok(())
    );
}

#[test]
fn directories_beyond_their_count_are_none() {
    let mut image = NewImage::new(Machine::I386);
    image.directories = [(0x1000, 8); 16];
    image.directory_count = 1;
    let file = image.build();
    let image = Image::from_file(&file).unwrap();
    assert!(image.headers().directory(pe::Directory::Export).is_some());
    assert!(image.headers().directory(pe::Directory::Import).is_none());

    let mut image = NewImage::new(Machine::ARM64);
    image.directories[4] = (0x5001, 0x80);
    image.directories[14] = (0x1000, 72);
    image.directory_count = u32::MAX;
    let file = image.build();
    let image = Image::from_file(&file).unwrap();
    let found = image.headers().certificates().unwrap();
    assert_eq!((found.offset, found.size), (0x5001, 0x80));
    assert!(image.headers().has_clr_header());
}
