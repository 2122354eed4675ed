//! Sections of images: laid out, relocated, copied on writes.

use nt_abi::NtStatus;
use nt_abi::memory::PageProtection;
use pe::Image;

use super::sections::{SEC_IMAGE, WC, base_of, map, memory, section_request};
use super::*;
use crate::Section;
use crate::section::{BackingFile, FileHold, RamFile, in_use};

const PAGE: u64 = 0x1000;
const IMAGE: u32 = 0x100_0000;
const X86: &[u8] = include_bytes!("../../../pe/tests/data/x86.exe");
const X64: &[u8] = include_bytes!("../../../pe/tests/data/x64.dll");
const ARM64: &[u8] = include_bytes!("../../../pe/tests/data/arm64.dll");
const ARMNT: &[u8] = include_bytes!("../../../pe/tests/data/armnt.dll");
const FLAT: &[u8] = include_bytes!("../../../pe/tests/data/flat.exe");

fn image(bytes: &'static [u8]) -> Section {
    let file = FileHold::new(RamFile(bytes)).expect("memory");
    Section::create_of_file(&section_request(0, 0x10, SEC_IMAGE), file).expect("an image")
}

/// An image as it is to be at `base`, by the reader's own loader.
fn laid_out(bytes: &[u8], base: u64) -> Vec<u8> {
    let image = Image::from_file(bytes).expect("an image");
    let size = image.headers().size_of_image as usize;
    let mut memory = vec![0; size.next_multiple_of(0x1000)];
    image.copy_mapped(&mut memory).expect("it is long enough");
    let delta = base.wrapping_sub(image.headers().image_base);
    if delta != 0 {
        image
            .relocations()
            .expect("a table")
            .apply_to_image(&mut memory, delta)
            .expect("a good table");
        let field = image.headers().image_base_field();
        let at = field.offset as usize;
        let size = field.size as usize;
        memory[at..at + size].copy_from_slice(&base.to_le_bytes()[..size]);
    }
    memory
}

/// What user mode reads of an image, page by page; pages that it may not read are left out.
fn compare(space: &AddressSpace, base: u64, expected: &[u8]) -> usize {
    let mut compared = 0;
    for (number, page) in expected.chunks(0x1000).enumerate() {
        let mut bytes = vec![0; page.len()];
        let copied = space.read(base + number as u64 * PAGE, &mut bytes);
        if copied.status == NtStatus::SUCCESS {
            assert!(bytes == page, "page {number}");
            compared += 1;
        }
    }
    compared
}

fn is_relocatable(bytes: &[u8]) -> bool {
    let image = Image::from_file(bytes).expect("an image");
    image.headers().is_relocatable()
}

#[test]
fn images_are_as_the_reader_lays_them_out_at_every_base() {
    let _machine = crate::testing::boot();
    for bytes in [X86, X64, ARM64, ARMNT, FLAT] {
        let before = (balance(), in_use());
        let preferred = Image::from_file(bytes)
            .expect("an image")
            .headers()
            .image_base;
        let (one, two) = (new_space(), new_space());
        let section = image(bytes);
        let view = map(&one, &section, 0, 0, 0, RO).expect("memory");
        assert_eq!(
            (view.range.start.0, view.status),
            (preferred, NtStatus::SUCCESS)
        );
        let whole = laid_out(bytes, preferred);
        assert_eq!(view.range.length(), whole.len() as u64);
        assert!(compare(&one, preferred, &whole) > 0);
        let found = one.query(preferred).expect("an address");
        assert_eq!((found.kind.0, found.allocation_protection.0), (IMAGE, 0x80));
        // While somebody looks at it there, it is the same bytes elsewhere, and the loader is told.
        let elsewhere = map(&two, &section, 0x4000_0000, 0, 0, RO).expect("memory");
        assert_eq!(elsewhere.status, NtStatus::IMAGE_NOT_AT_BASE);
        assert!(compare(&two, 0x4000_0000, &whole) > 0);
        // The kernel can do that for it, in copies that nobody else sees.
        let relocated = two.relocate_image(0x4000_0000);
        if is_relocatable(bytes) {
            assert_eq!(relocated, Ok(()));
            assert!(compare(&two, 0x4000_0000, &laid_out(bytes, 0x4000_0000)) > 0);
        } else {
            assert_eq!(relocated, Err(NtStatus::CONFLICTING_ADDRESSES));
        }
        assert!(compare(&one, preferred, &whole) > 0);
        assert_eq!(
            section.image_information().expect("an image").base,
            preferred
        );
        drop((one, two));
        // When nobody does, it moves, and is relocated for where it is.
        let three = new_space();
        allocate(&three, preferred, PAGE, RESERVE, RW).expect("it is free");
        let moved = map(&three, &section, 0, 0, 0, RO).expect("memory");
        let base = moved.range.start.0;
        assert_ne!(base, preferred);
        if is_relocatable(bytes) {
            assert_eq!(moved.status, NtStatus::SUCCESS);
            assert!(compare(&three, base, &laid_out(bytes, base)) > 0);
            let four = new_space();
            let again = map(&four, &section, 0, 0, 0, RO).expect("memory");
            assert_eq!(
                (again.range.start.0, again.status),
                (base, NtStatus::SUCCESS)
            );
            assert_eq!(section.image_information().expect("an image").base, base);
        } else {
            assert_eq!(moved.status, NtStatus::IMAGE_NOT_AT_BASE);
        }
        drop(three);
        drop(section);
        assert_eq!((balance(), in_use()), before);
    }
}

#[test]
fn an_images_data_is_copied_by_whoever_writes_it_and_its_code_when_asked() {
    let _machine = crate::testing::boot();
    let before = balance();
    let (one, two) = (new_space(), new_space());
    let section = image(X64);
    let base = base_of(map(&one, &section, 0, 0, 0, RO));
    assert_eq!(base_of(map(&two, &section, 0, 0, 0, RO)), base);
    let expected = laid_out(X64, base);
    let mut tested = [0; 2];
    for number in 0..expected.len() as u64 / PAGE {
        let page = base + number * PAGE;
        let protection = region(&one, page).1;
        let original = expected[usize::try_from(number * PAGE).unwrap()];
        match protection {
            WC => {
                write(&one, page, &[!original]);
                assert_eq!(region(&one, page).1, RW);
                tested[0] += 1;
            }
            0x20 | RO => {
                assert_eq!(one.write(page, &[0]).count, 0);
                let (_, old) = one
                    .protect(page, PAGE, PageProtection(0x40))
                    .expect("a loader patches code");
                assert_eq!(old.0, protection);
                assert_eq!(region(&one, page).1, 0x80);
                write(&one, page, &[!original]);
                assert_eq!(region(&one, page).1, 0x40);
                one.protect(page, PAGE, PageProtection(protection))
                    .expect("it was so");
                tested[1] += 1;
            }
            _ => continue,
        }
        assert_eq!(read(&one, page), [!original]);
        assert_eq!(read(&two, page), [original]);
    }
    assert!(tested[0] > 0 && tested[1] > 1, "{tested:?}");
    drop((one, two, section));
    assert_eq!(balance(), before);
}

#[test]
fn what_is_mapped_can_be_told() {
    let _machine = crate::testing::boot();
    let space = new_space();
    let section = image(X86);
    let one = base_of(map(&space, &section, 0, 0, 0, RO));
    let two = base_of(map(&space, &section, 0x2000_0000, 0, 0, RO));
    let other = base_of(map(&space, &image(ARMNT), 0, 0, 0, RO));
    let data = base_of(map(&space, &memory(PAGE), 0, 0, 0, RO));
    assert_eq!(space.are_mapped_files_the_same(one, two + PAGE), Ok(()));
    assert_eq!(
        space.are_mapped_files_the_same(one, other),
        Err(NtStatus::NOT_SAME_DEVICE)
    );
    assert_eq!(
        space.are_mapped_files_the_same(one, 0x3000_0000),
        Err(NtStatus::INVALID_ADDRESS)
    );
    let size = space.with_mapped_file(two, |file| file.size());
    assert_eq!(size, Ok(X86.len() as u64));
    assert_eq!(
        space.with_mapped_file(data, |_| ()),
        Err(NtStatus::FILE_INVALID)
    );
    assert_eq!(space.query_region(one).expect("a region").region_type, 4);
    assert_eq!(space.query_region(data).expect("a region").region_type, 8);
}

#[test]
fn what_is_no_image_gets_the_readers_status() {
    let _machine = crate::testing::boot();
    let before = (balance(), in_use());
    let create = |bytes: &'static [u8]| {
        let file = FileHold::new(RamFile(bytes)).expect("memory");
        Section::create_of_file(&section_request(0, 0x10, SEC_IMAGE), file).err()
    };
    assert_eq!(create(b"no image"), Some(NtStatus::INVALID_IMAGE_NOT_MZ));
    assert_eq!(create(&X86[..0x180]), Some(NtStatus::INVALID_IMAGE_FORMAT));
    assert_eq!((balance(), in_use()), before);
}

/// A section of an image, if it can be had.
pub(super) fn try_image() -> NtResult<Section> {
    let file = FileHold::new(TestImage)?;
    Section::create_of_file(&section_request(0, 0x10, SEC_IMAGE), file)
}

/// An image in a file whose bytes have to be read.
struct TestImage;

impl BackingFile for TestImage {
    fn size(&self) -> u64 {
        X64.len() as u64
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> NtResult<usize> {
        RamFile(X64).read(offset, into)
    }

    fn write(&self, _offset: u64, _from: &[u8]) -> NtResult<usize> {
        Err(NtStatus::MEDIA_WRITE_PROTECTED)
    }

    fn identity(&self) -> Option<u64> {
        None
    }
}
