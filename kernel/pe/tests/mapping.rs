//! How images are laid out in memory.
//!
//! The protections are those of NT's table for a section's four top bits, as Wine's tests of the loader record them from
//! Windows (`dlls/kernel32/tests/loader.c`); so are the sector's start, the tails and the flat image.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use pe::{Image, Machine, PageProtection, SectionCharacteristics, Subsection};
use support::builder::NewImage;
use support::{data, mapped};

#[test]
fn protections() {
    use PageProtection as P;
    let expected = [
        P::NO_ACCESS,
        P::NO_ACCESS,
        P::EXECUTE,
        P::EXECUTE,
        P::READ_ONLY,
        P::READ_ONLY,
        P::EXECUTE_READ,
        P::EXECUTE_READ,
        P::WRITE_COPY,
        P::READ_WRITE,
        P::EXECUTE_WRITE_COPY,
        P::EXECUTE_READ_WRITE,
        P::WRITE_COPY,
        P::READ_WRITE,
        P::EXECUTE_WRITE_COPY,
        P::EXECUTE_READ_WRITE,
    ];
    for (bits, expected) in (0_u32..).zip(expected) {
        let characteristics = SectionCharacteristics::from_bits_retain(bits << 28 | 0x60);
        assert_eq!(P::of_section(characteristics), expected, "{bits:04b}");
    }
}

/// Sections' addresses, sizes and characteristics as `llvm-readobj --sections` prints them.
#[test]
fn subsections_of_a_library() {
    let file = data("x64.dll");
    let image = Image::from_file(&file).unwrap();
    let all: Vec<_> = image
        .subsections()
        .map(|part| {
            (
                part.section,
                part.rva,
                part.size,
                part.file_offset,
                part.file_size,
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            (None, 0, 0x1000, 0, 0x400),
            (Some(0), 0x1000, 0x1000, 0x400, 0x200),
            (Some(1), 0x2000, 0x1000, 0x600, 0x400),
            (Some(2), 0x3000, 0x4000, 0xA00, 0x1200),
            (Some(3), 0x7000, 0x1000, 0x1C00, 0x200),
            (Some(4), 0x8000, 0x1000, 0x1E00, 0x200),
            (Some(5), 0x9000, 0x1000, 0x2000, 0x400),
            (Some(6), 0xA000, 0x1000, 0x2400, 0x200),
        ]
    );
    let protections: Vec<_> = image.subsections().map(|part| part.protection.0).collect();
    assert_eq!(
        protections,
        [0x02, 0x20, 0x02, 0x08, 0x02, 0x04, 0x02, 0x02]
    );
}

#[test]
fn a_library_in_memory() {
    let file = data("x64.dll");
    let memory = mapped(&file);
    assert_eq!(memory[..0x400], file[..0x400]);
    assert!(memory[0x400..0x1000].iter().all(|byte| *byte == 0));
    assert_eq!(memory[0x3000..0x4200], file[0xA00..0x1C00]);
    assert!(memory[0x4200..0x7000].iter().all(|byte| *byte == 0));
    let image = Image::from_file(&file).unwrap();
    for rva in 0..image.headers().size_of_image {
        let byte = memory[usize::try_from(rva).unwrap()];
        assert_eq!(image.byte_in_memory(rva), byte, "{rva:#x}");
    }
    let mut short = vec![0; 0x1000];
    assert!(image.copy_mapped(&mut short).is_err());
}

#[test]
fn a_mapped_image_maps_to_itself() {
    for name in ["x64.dll", "x86.exe", "flat.exe"] {
        let memory = mapped(&data(name));
        let mut again = vec![0xCC; memory.len()];
        Image::from_mapped(&memory)
            .unwrap()
            .copy_mapped(&mut again)
            .unwrap();
        assert_eq!(again, memory, "{name}");
    }
}

#[test]
fn a_flat_image_is_one_piece() {
    let file = data("flat.exe");
    let image = Image::from_file(&file).unwrap();
    let all: Vec<_> = image.subsections().collect();
    let expected = Subsection {
        section: None,
        rva: 0,
        size: 0x1000,
        file_offset: 0,
        file_size: 0xE00,
        protection: PageProtection::EXECUTE_WRITE_COPY,
    };
    assert_eq!(all, [expected]);
    assert_eq!(mapped(&file)[..0xE00], file[..0xE00]);
}

#[test]
fn flat_images_lie_in_memory_as_in_the_file() {
    let accepted = |change: fn(&mut NewImage)| {
        let mut image = NewImage::new(Machine::I386);
        (image.section_alignment, image.file_alignment) = (0x200, 0x200);
        image.sections[0].rva = 0x200;
        change(&mut image);
        Image::from_file(&image.build()).is_ok()
    };
    assert!(accepted(|_| {}));
    assert!(!accepted(|image| image.sections[0].rva = 0x400));
    assert!(!accepted(|image| image.sections[0].virtual_size = 0x201));
    assert!(
        accepted(|image| image.size_of_image = 0x300),
        "sections may reach beyond"
    );
    assert!(accepted(|image| {
        image.sections[0].rva = 0x400;
        image.sections[0].raw_size = Some(0);
    }));
}

/// Windows reads whole sectors: what is before the section's offset in its sector comes along, and what is behind it.
#[test]
fn sections_begin_at_sectors() {
    let mut new = NewImage::new(Machine::AMD64);
    new.sections[0].raw_offset = 0x2A0;
    new.sections[0].bytes = b"section".to_vec();
    new.sections[0].virtual_size = 100;
    new.shortest = 0x600;
    let mut file = new.build();
    file[0x200..0x204].copy_from_slice(b"fore");
    file[0x3FF] = 1;
    file[0x400] = 2;
    let memory = mapped(&file);
    assert_eq!(&memory[0x1000..0x1004], b"fore");
    assert_eq!(&memory[0x10A0..0x10A7], b"section");
    assert_eq!(memory[0x11FF], 1);
    assert_eq!(memory[0x1200], 0, "the next sector is not the section's");
}

#[test]
fn more_in_the_file_than_in_memory() {
    let mut new = NewImage::new(Machine::AMD64);
    new.size_of_image = 0x3000;
    new.sections[0].bytes = vec![0x11; 0x3000];
    new.sections[0].virtual_size = 0x800;
    new.sections
        .push(NewImage::section(0x2000, 0x3200, vec![0x22; 0x10]));
    let file = new.build();
    let image = Image::from_file(&file).unwrap();
    let first = image.subsections().nth(1).unwrap();
    assert_eq!(
        (first.size, first.file_size),
        (0x1000, 0x1000),
        "as many as pages"
    );
    let memory = mapped(&file);
    assert_eq!(memory[0x1FFF], 0x11);
    assert_eq!(memory[0x2000], 0x22);
    assert_eq!(image.at(0x1FFF, 1), Some([0x11].as_slice()));
    assert_eq!(image.at(0x1FFF, 2), None, "sections are read one by one");
}

#[test]
fn large_alignments_leave_gaps() {
    let mut new = NewImage::new(Machine::AMD64);
    new.section_alignment = 0x1_0000;
    new.size_of_image = 0x3_0000;
    new.sections[0].rva = 0x1_0000;
    new.sections
        .push(NewImage::section(0x2_0000, 0x400, vec![1; 0x200]));
    let file = new.build();
    let image = Image::from_file(&file).unwrap();
    let all: Vec<_> = image
        .subsections()
        .map(|part| (part.rva, part.size))
        .collect();
    assert_eq!(all, [(0, 0x1000), (0x1_0000, 0x1000), (0x2_0000, 0x1000)]);
    assert_eq!(image.from_rva(0x1_F000), None);
    assert_eq!(image.byte_in_memory(0x1_F000), 0);
}

#[test]
fn images_without_code() {
    let contains = |change: fn(&mut NewImage)| {
        let mut new = NewImage::new(Machine::AMD64);
        new.entry_point = 0;
        change(&mut new);
        Image::from_file(&new.build()).unwrap().contains_code()
    };
    assert!(!contains(|_| {}));
    assert!(contains(|new| new.entry_point = 1));
    assert!(contains(|new| new.sections[0].characteristics = 0x6000_0000));
    assert!(contains(|new| {
        (new.section_alignment, new.file_alignment) = (0x200, 0x200);
        new.sections[0].rva = 0x200;
    }));
}
