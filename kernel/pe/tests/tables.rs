//! Tables that linkers of today do not write, and damaged ones, built by hand from the format's description.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use nt_abi::{NtResult, NtStatus};
use pe::{
    ExportTarget, Forwarder, ForwarderSymbol, Image, ImportSymbol, Language, Machine, ResourceId,
};
use support::builder::{NewImage, Writer};

const BAD: NtStatus = NtStatus::INVALID_IMAGE_FORMAT;

/// An image with a directory at 0x1000 and bytes from there on.
fn with_directory(machine: Machine, number: usize, size: u32, bytes: Vec<u8>) -> Vec<u8> {
    let mut image = NewImage::new(machine);
    image.directories[number] = (0x1000, size);
    image.sections = vec![NewImage::section(0x1000, 0x200, bytes)];
    image.build()
}

/// Puts pieces at their offsets.
fn pieces(pieces: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; 0x400];
    for (at, piece) in pieces {
        bytes[*at..*at + piece.len()].copy_from_slice(piece);
    }
    bytes
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Borland's linker leaves the lookup table out; VB5's leaves the directory's size wrong.
#[test]
fn imports_without_a_lookup_table() {
    let bytes = pieces(&[
        (0, &words(&[0, 0, 0, 0x1080, 0x1040])),
        (0x40, &words(&[0x1090, 0x8000_0005, 0])),
        (0x80, b"old.dll\0"),
        (0x90, b"\x02\x01Name\0"),
    ]);
    let file = with_directory(Machine::I386, 1, 1, bytes);
    let image = Image::from_file(&file).unwrap();
    let module = image.imports().unwrap().next().unwrap().unwrap();
    assert_eq!(
        (module.name, module.lookup_rva),
        (b"old.dll".as_slice(), 0x1040)
    );
    let all: Vec<_> = module
        .iter()
        .map(|import| import.unwrap())
        .map(|i| (i.slot_rva, i.symbol))
        .collect();
    let name = ImportSymbol::Name {
        hint: 0x102,
        name: b"Name",
    };
    assert_eq!(all, [(0x1040, name), (0x1044, ImportSymbol::Ordinal(5))]);
}

#[test]
fn damaged_imports() {
    let opened = |descriptor: [u32; 5], thunks: &[u32]| -> NtResult<()> {
        let bytes = pieces(&[
            (0, &words(&descriptor)),
            (0x40, &words(thunks)),
            (0x80, b"a.dll\0"),
        ]);
        let file = with_directory(Machine::I386, 1, 20, bytes);
        let image = Image::from_file(&file).unwrap();
        for module in image.imports()? {
            for import in module?.iter() {
                import?;
            }
        }
        Ok(())
    };
    assert_eq!(
        opened([0x1040, 0, 0, 0x1080, 0x1040], &[0x8000_0001, 0]),
        Ok(())
    );
    assert_eq!(
        opened([0x1040, 0, 0, 0x1080, 0], &[0x7000]),
        Ok(()),
        "this ends the list"
    );
    assert_eq!(opened([0x7040, 0, 0, 0x1080, 0x1040], &[]), Err(BAD));
    assert_eq!(opened([0x1040, 0, 0, 0x7080, 0x1040], &[]), Err(BAD));
    assert_eq!(
        opened([0x1040, 0, 0, 0x1080, 0x1040], &[0x7000, 0]),
        Err(BAD)
    );
    assert_eq!(opened([0x13F8, 0, 0, 0x1080, 0x1040], &[]), Ok(()));
    // The name has no end: the section is full of it.
    let bytes = [words(&[0x1040, 0, 0, 0x1014, 0x1040]), vec![1; 0x3EC]].concat();
    let file = with_directory(Machine::I386, 1, 20, bytes);
    assert!(Image::from_file(&file).unwrap().imports().is_err());
}

#[test]
fn tables_that_overlap_too_much_are_refused() {
    // A hundred modules with the same table of 200 entries, in a file of 5 KB.
    let mut bytes = words(&[0x1C00, 0, 0, 0x1BF0, 0x1C00].repeat(100));
    bytes.resize(0xBF0, 0);
    bytes.extend(b"a.dll\0\0\0\0\0\0\0\0\0\0\0");
    bytes.extend(words(&[0x8000_0001].repeat(200)));
    bytes.extend(words(&[0]));
    let file = with_directory(Machine::I386, 1, 20, bytes);
    let image = Image::from_file(&file).unwrap();
    assert_eq!(image.imports().err(), Some(BAD));
}

#[test]
fn bound_imports() {
    let bytes = pieces(&[
        (
            0,
            &words(&[
                0x1111_1111,
                0x0001_0030,
                0x2222_2222,
                0x0000_0038,
                0x3333_3333,
                0x40,
            ]),
        ),
        (0x30, b"one.dll\0two.dll\0three.dll\0"),
    ]);
    let file = with_directory(Machine::I386, 11, 0x50, bytes);
    let image = Image::from_file(&file).unwrap();
    let all: Vec<_> = image
        .bound_imports()
        .unwrap()
        .map(Result::unwrap)
        .map(|bound| (bound.time_date_stamp, bound.name, bound.forwarded_to))
        .collect();
    assert_eq!(
        all,
        [
            (0x1111_1111, b"one.dll".as_slice(), false),
            (0x2222_2222, b"two.dll", true),
            (0x3333_3333, b"three.dll", false),
        ]
    );
}

/// The descriptors of Visual C++ 6 hold addresses.
#[test]
fn delayed_imports_of_old() {
    let bytes = pieces(&[
        (
            0,
            &words(&[0, 0x40_1080, 0x40_1090, 0x40_1040, 0x40_1050, 0, 0, 7]),
        ),
        (0x50, &words(&[0x40_1060, 0])),
        (0x80, b"late.dll\0"),
    ]);
    let file = with_directory(Machine::I386, 13, 32, bytes);
    let image = Image::from_file(&file).unwrap();
    let module = image.delay_imports().unwrap().next().unwrap().unwrap();
    assert_eq!(module.name, b"late.dll");
    assert_eq!(
        (module.module_handle_rva, module.address_rva),
        (0x1090, 0x1040)
    );
    assert_eq!((module.lookup_rva, module.bound_rva), (0x1050, 0));
    assert_eq!(module.time_date_stamp, 7);
    assert!(module.iter().is_err(), "its names are addresses too");
}

/// An export directory with one forwarder.
fn forwarder(text: &[u8]) -> NtResult<Option<(Vec<u8>, Option<u32>)>> {
    let bytes = pieces(&[
        (0, &words(&[0, 0, 0, 0, 1, 1, 0, 0x1030, 0, 0])),
        (0x30, &words(&[0x1080])),
        (0x80, text),
    ]);
    let file = with_directory(Machine::I386, 0, 0x200, bytes);
    let image = Image::from_file(&file).unwrap();
    let exports = image.exports()?.unwrap();
    Ok(match exports.by_ordinal(1)?.target {
        ExportTarget::Forwarder(Forwarder {
            module,
            symbol: ForwarderSymbol::Name(name),
        }) => Some(([module, b"|", name].concat(), None)),
        ExportTarget::Forwarder(Forwarder {
            module,
            symbol: ForwarderSymbol::Ordinal(ordinal),
        }) => Some((module.to_vec(), Some(ordinal))),
        ExportTarget::Address(_) => None,
    })
}

#[test]
fn forwarders() {
    let name = |text: &[u8]| Ok(Some((text.to_vec(), None)));
    assert_eq!(
        forwarder(b"NTDLL.RtlAllocateHeap\0"),
        name(b"NTDLL|RtlAllocateHeap")
    );
    assert_eq!(
        forwarder(b"api-ms.v1.dll.Name\0"),
        name(b"api-ms.v1.dll|Name")
    );
    assert_eq!(
        forwarder(b"A.#4294967295\0"),
        Ok(Some((b"A".to_vec(), Some(u32::MAX))))
    );
    for bad in [
        b"A.#4294967296\0".as_slice(),
        b"A.#\0",
        b"A.#1x\0",
        b"NoDot\0",
        b"A.\0",
        b"\0",
        b"A.#99999999999999999999\0",
    ] {
        assert_eq!(forwarder(bad), Err(BAD), "{bad:?}");
    }
}

#[test]
fn exports_whose_tables_are_not_there() {
    let opened = |header: [u32; 10]| {
        let file = with_directory(Machine::I386, 0, 0x40, pieces(&[(0, &words(&header))]));
        Image::from_file(&file).unwrap().exports().map(|_| ())
    };
    assert_eq!(opened([0, 0, 0, 0, 1, 0, 0, 0, 0, 0]), Ok(()));
    assert_eq!(opened([0, 0, 0, 0, 1, 1, 0, 0x7000, 0, 0]), Err(BAD));
    assert_eq!(opened([0, 0, 0, 0, 1, u32::MAX, 0, 0x1000, 0, 0]), Err(BAD));
    assert_eq!(opened([0, 0, 0, 0, 1, 0, 1, 0, 0x1000, 0x13FF]), Err(BAD));
    assert_eq!(opened([0, 0, 0, 0x7000, 1, 0, 0, 0, 0, 0]), Err(BAD));
}

#[test]
fn resources_that_lead_in_circles() {
    let tree = |entry: [u32; 2]| {
        let bytes = pieces(&[(0, &words(&[0, 0, 0, 0x0001_0000, entry[0], entry[1]]))]);
        let file = with_directory(Machine::I386, 2, 0x40, bytes);
        let image = Image::from_file(&file).unwrap();
        image
            .find_resource(ResourceId::Id(1), ResourceId::Id(1), Language::Any)
            .map(|_| ())
    };
    assert_eq!(tree([1, 0x8000_0000]), Err(BAD), "the root again and again");
    assert_eq!(tree([1, 0x8000_7000]), Err(BAD), "out of the tree");
    assert_eq!(
        tree([1, 0x40]),
        Err(BAD),
        "data where a directory should be"
    );
    assert_eq!(
        tree([2, 0x8000_0000]),
        Err(NtStatus::RESOURCE_TYPE_NOT_FOUND)
    );
}

#[test]
fn tables_that_end_early() {
    let mut tls = Writer(Vec::new());
    tls.u64(0x40_2000).u64(0x40_1000).u64(0).u64(0).u64(0);
    let file = with_directory(Machine::AMD64, 9, 40, tls.0);
    assert_eq!(
        Image::from_file(&file).unwrap().tls(),
        Err(BAD),
        "it ends before it begins"
    );

    let mut config = vec![0; 0x70];
    config[0] = 0x70;
    config[0x60..0x68].copy_from_slice(&0x40_1000_u64.to_le_bytes());
    let opened = |count: u64| {
        let mut config = config.clone();
        config[0x68..0x70].copy_from_slice(&count.to_le_bytes());
        let file = with_directory(Machine::AMD64, 10, 0x70, config);
        let image = Image::from_file(&file).unwrap();
        image
            .load_config()
            .map(|found| found.unwrap().safe_handlers.unwrap().count())
    };
    assert_eq!(opened(28), Ok(28));
    assert_eq!(opened(0), Ok(0), "a table that allows none");
    assert_eq!(opened(29), Err(BAD));
    assert_eq!(opened(u64::MAX), Err(BAD));
}
