//! What this crate reads in four images, against what other readers see there.
//!
//! The images come from `tests/data/source` by llvm-mc 14, llvm-rc 14 and lld-link 22. All expected values are those that
//! `llvm-readobj` 14 prints for them (`--coff-imports`, `--coff-exports`, `--coff-tls-directory`, `--coff-load-config`,
//! `--coff-resources`, `--coff-debug-directory`, `--coff-basereloc`), in offsets instead of addresses; the checksums are
//! the linker's and were also computed with pefile 2024.8.26.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use nt_abi::NtStatus;
use pe::{
    DllCharacteristics, ExportTarget, Forwarder, ForwarderSymbol, GuardFlags, Image, ImportSymbol,
    Language, Machine, ModuleImports, RelocationKind, ResourceId, ResourceNode, Subsystem, Version,
    Width, checksum, verify_checksum,
};
use support::{data, mapped};

/// Runs a test on an image in both views.
fn in_both_views(name: &str, test: impl Fn(&Image<'_>)) {
    let file = data(name);
    test(&Image::from_file(&file).unwrap());
    test(&Image::from_mapped(&mapped(&file)).unwrap());
}

#[test]
fn headers_of_x64() {
    in_both_views("x64.dll", |image| {
        let headers = image.headers();
        assert_eq!(headers.machine, Machine::AMD64);
        assert_eq!(headers.width, Width::Pe32Plus);
        assert_eq!(headers.section_count, 7);
        assert_eq!(headers.time_date_stamp, 0x30C8_4CDC);
        assert_eq!(headers.characteristics.bits(), 0x2022);
        assert_eq!(headers.entry_point_rva, 0x1000);
        assert_eq!(headers.image_base, 0x1_8000_0000);
        assert_eq!(headers.section_alignment, 4096);
        assert_eq!(headers.file_alignment, 512);
        assert_eq!(headers.subsystem_version, Version { major: 6, minor: 0 });
        assert_eq!(headers.size_of_image, 45056);
        assert_eq!(headers.size_of_headers, 1024);
        assert_eq!(headers.subsystem, Subsystem::WINDOWS_GUI);
        assert_eq!(headers.dll_characteristics.bits(), 0x160);
        assert_eq!(headers.stack_reserve, 1_048_576);
        assert_eq!(headers.stack_commit, 4096);
        assert_eq!(headers.nt_offset, 120);
        assert!(headers.is_relocatable() && !headers.has_clr_header());
        assert_eq!(headers.certificates(), None);
        assert_eq!(headers.view_status(Machine::AMD64), NtStatus::SUCCESS);
        assert_eq!(
            headers.view_status(Machine::ARM64),
            NtStatus::IMAGE_MACHINE_TYPE_MISMATCH
        );
    });
}

#[test]
fn headers_of_x86() {
    in_both_views("x86.exe", |image| {
        let headers = image.headers();
        assert_eq!(
            (headers.machine, headers.width),
            (Machine::I386, Width::Pe32)
        );
        assert_eq!(headers.image_base, 0x40_0000);
        assert_eq!(headers.size_of_image, 20480);
        assert_eq!(headers.subsystem, Subsystem::WINDOWS_CUI);
        assert!(
            headers
                .dll_characteristics
                .contains(DllCharacteristics::TERMINAL_SERVER_AWARE)
        );
        let names: Vec<_> = image
            .sections()
            .iter()
            .map(|section| {
                (
                    section.short_name().to_vec(),
                    section.rva,
                    section.virtual_size,
                )
            })
            .collect();
        assert_eq!(
            names,
            [
                (b".text".to_vec(), 0x1000, 0x14),
                (b".rdata".to_vec(), 0x2000, 0xE6),
                (b".data".to_vec(), 0x3000, 0x204),
                (b".reloc".to_vec(), 0x4000, 0x28),
            ]
        );
    });
}

#[test]
fn the_base_stands_where_the_headers_say() {
    for name in ["x64.dll", "x86.exe", "arm64.dll", "armnt.dll"] {
        let file = data(name);
        let image = Image::from_file(&file).unwrap();
        let field = image.headers().image_base_field();
        let (start, size) = (field.offset as usize, field.size as usize);
        let mut base = [0; 8];
        base[..size].copy_from_slice(&file[start..start + size]);
        assert_eq!(
            u64::from_le_bytes(base),
            image.headers().image_base,
            "{name}"
        );
    }
}

#[test]
fn checksums() {
    for (name, sum) in [("x64.dll", 0xC6D6), ("x86.exe", 0x2985)] {
        let file = data(name);
        assert_eq!(checksum(&file), Ok(sum), "{name}");
        assert_eq!(verify_checksum(&file), Ok(()), "{name}");
        let mut longer = file.clone();
        longer.push(7);
        assert_eq!(
            verify_checksum(&longer),
            Err(NtStatus::IMAGE_CHECKSUM_MISMATCH)
        );
        assert_eq!(checksum(&longer), Ok(sum + 8), "an odd byte is a word");
    }
}

fn symbols<'a>(imports: ModuleImports<'a>) -> Vec<(u32, ImportSymbol<'a>)> {
    imports
        .map(|import| import.map(|import| (import.slot_rva, import.symbol)))
        .collect::<Result<_, _>>()
        .unwrap()
}

fn named(name: &[u8]) -> ImportSymbol<'_> {
    ImportSymbol::Name { hint: 0, name }
}

#[test]
fn imports() {
    in_both_views("x64.dll", |image| {
        let modules: Vec<_> = image.imports().unwrap().map(Result::unwrap).collect();
        assert_eq!(modules.len(), 1);
        assert_eq!(modules[0].name, b"other.dll");
        assert_eq!(modules[0].lookup_rva, 0x2288);
        assert_eq!(modules[0].address_rva, 0x22A0);
        assert_eq!(
            symbols(modules[0].iter()),
            [
                (0x22A0, named(b"Alpha")),
                (0x22A8, ImportSymbol::Ordinal(7))
            ]
        );
    });
    in_both_views("x86.exe", |image| {
        let modules: Vec<_> = image.imports().unwrap().map(Result::unwrap).collect();
        assert_eq!(modules.len(), 1);
        assert_eq!(symbols(modules[0].iter()), [(0x20CC, named(b"Beta"))]);
        assert_eq!(image.delay_imports().unwrap().count(), 0);
        assert_eq!(image.bound_imports().unwrap().count(), 0);
    });
}

#[test]
fn delayed_imports() {
    in_both_views("x64.dll", |image| {
        let modules: Vec<_> = image.delay_imports().unwrap().map(Result::unwrap).collect();
        assert_eq!(modules.len(), 1);
        assert_eq!(modules[0].name, b"late.dll");
        assert_eq!(modules[0].module_handle_rva, 0x4008);
        assert_eq!(modules[0].lookup_rva, 0x2198);
        assert_eq!(
            symbols(modules[0].iter().unwrap()),
            [
                (0x4010, named(b"Later")),
                (0x4018, ImportSymbol::Ordinal(21))
            ]
        );
    });
}

#[test]
fn exports() {
    in_both_views("x64.dll", |image| {
        let exports = image.exports().unwrap().unwrap();
        assert_eq!(exports.module_name, b"x64.dll");
        assert_eq!((exports.count(), exports.name_count()), (8, 4));
        let forwarded = |symbol| {
            ExportTarget::Forwarder(Forwarder {
                module: b"other",
                symbol,
            })
        };
        let all: Vec<_> = exports
            .iter()
            .map(|export| {
                export
                    .map(|export| (export.ordinal, export.target))
                    .unwrap()
            })
            .collect();
        assert_eq!(
            all,
            [
                (5, ExportTarget::Address(0x101F)),
                (9, ExportTarget::Address(0x1050)),
                (10, forwarded(ForwarderSymbol::Name(b"Alpha"))),
                (11, forwarded(ForwarderSymbol::Ordinal(7))),
                (12, ExportTarget::Address(0x1020)),
            ]
        );
        let names: Vec<_> = exports.names().map(Result::unwrap).collect();
        let expected: [(&[u8], u32); 4] = [
            (b"Else", 10),
            (b"ElseNumber", 11),
            (b"Framed", 12),
            (b"Plain", 5),
        ];
        assert_eq!(names, expected);

        for (name, ordinal) in expected {
            for hint in [None, Some(0), Some(2), Some(u16::MAX)] {
                assert_eq!(exports.by_name(name, hint).unwrap().ordinal, ordinal);
            }
            assert_eq!(exports.by_ordinal(ordinal).unwrap().ordinal, ordinal);
        }
        for name in [
            b"".as_slice(),
            b"Els",
            b"ElseN",
            b"Plain2",
            b"Zebra",
            b"else",
        ] {
            assert_eq!(
                exports.by_name(name, Some(1)),
                Err(NtStatus::ENTRYPOINT_NOT_FOUND)
            );
        }
        for ordinal in [0, 4, 6, 13, u32::MAX] {
            assert_eq!(
                exports.by_ordinal(ordinal),
                Err(NtStatus::ORDINAL_NOT_FOUND)
            );
        }
        let slot = exports.slot_rva(9).unwrap();
        assert_eq!(image.at(slot, 4).unwrap(), 0x1050_u32.to_le_bytes());
    });
    in_both_views("x86.exe", |image| {
        assert!(image.exports().unwrap().is_none());
    });
}

#[test]
fn thread_local_storage() {
    in_both_views("x64.dll", |image| {
        let tls = image.tls().unwrap().unwrap();
        assert_eq!((tls.template_rva, tls.template_size), (0x300C, 8));
        assert_eq!(image.at(tls.template_rva, 8), Some(b"template".as_slice()));
        assert_eq!((tls.zero_fill, tls.index_rva), (16, 0x3008));
        assert_eq!(tls.characteristics, 0x50_0000);
        let callbacks: Vec<_> = image.tls_callbacks(&tls).map(Result::unwrap).collect();
        assert_eq!(callbacks, [0x101F, 0x1062]);
    });
    in_both_views("x86.exe", |image| {
        let tls = image.tls().unwrap().unwrap();
        assert_eq!((tls.template_rva, tls.template_size), (0, 0));
        assert_eq!(tls.index_rva, 0x3000);
        assert_eq!(image.tls_callbacks(&tls).count(), 1);
    });
    in_both_views("arm64.dll", |image| assert_eq!(image.tls(), Ok(None)));
}

#[test]
fn load_configuration() {
    in_both_views("x64.dll", |image| {
        let config = image.load_config().unwrap().unwrap();
        assert_eq!((config.size, config.time_date_stamp), (0x94, 0x1122_3344));
        assert_eq!(
            (config.global_flags_clear, config.global_flags_set),
            (16, 32)
        );
        assert_eq!(config.critical_section_timeout, 0x1388);
        assert_eq!(config.process_heap_flags, 0x40);
        assert_eq!(config.process_affinity_mask, 3);
        assert_eq!(config.security_cookie_rva, 0x3000);
        assert_eq!(config.safe_handlers, None);
        assert_eq!(config.guard_check_rva, 0x2094);
        assert_eq!(config.guard_dispatch_rva, 0x209C);
        assert!(config.guard_flags.contains(GuardFlags::CF_INSTRUMENTED));
        let functions = config.guard_functions.unwrap();
        assert_eq!(functions.count(), 2);
        assert_eq!(
            (functions.get(0), functions.get(1)),
            (Some(0x101F), Some(0x1062))
        );
        assert!(functions.contains(0x1062) && !functions.contains(0x1020));
    });
    in_both_views("x86.exe", |image| {
        let config = image.load_config().unwrap().unwrap();
        assert_eq!(
            (config.lock_prefix_table_rva, config.security_cookie_rva),
            (0x2050, 0x3000)
        );
        let handlers = config.safe_handlers.unwrap();
        assert_eq!(handlers.count(), 2);
        assert!(handlers.contains(0x1011) && handlers.contains(0x1012));
        assert!(!handlers.contains(0x1013) && !handlers.contains(0));
        assert_eq!(config.guard_flags, GuardFlags::empty(), "behind its end");
    });
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn resources() {
    let (alpha, zulu, own) = (utf16("ALPHA"), utf16("ZULU"), utf16("OWNTYPE"));
    let english = Language::Exact(1033);
    in_both_views("x64.dll", |image| {
        let find = |kind, name, language| {
            image
                .find_resource(kind, name, language)
                .map(|data| (data.rva, data.bytes.to_vec()))
        };
        let (rc_data, seven) = (ResourceId::Id(10), ResourceId::Id(7));
        assert_eq!(
            find(rc_data, ResourceId::Name(&alpha), english),
            Ok((0x9270, b"alpha".to_vec()))
        );
        assert_eq!(
            find(rc_data, ResourceId::Name(&zulu), Language::Any),
            Ok((0x9268, b"zulu".to_vec()))
        );
        assert_eq!(
            find(rc_data, seven, english),
            Ok((0x9260, b"seven".to_vec()))
        );
        assert_eq!(
            find(rc_data, seven, Language::Exact(1031)),
            Ok((0x9278, b"sieben".to_vec()))
        );
        assert_eq!(
            find(ResourceId::Name(&own), seven, Language::Any),
            Ok((0x9280, b"own".to_vec()))
        );
        assert_eq!(
            find(ResourceId::Id(11), seven, english),
            Err(NtStatus::RESOURCE_TYPE_NOT_FOUND)
        );
        assert_eq!(
            find(rc_data, ResourceId::Id(8), english),
            Err(NtStatus::RESOURCE_NAME_NOT_FOUND)
        );
        assert_eq!(
            find(rc_data, seven, Language::Exact(1)),
            Err(NtStatus::RESOURCE_LANG_NOT_FOUND)
        );
        let version = image.version_info().unwrap();
        assert_eq!((version.rva, version.bytes.len()), (0x9190, 206));
        assert_eq!(version.bytes[6..36], utf16("VS_VERSION_INFO"));

        let root = image.resources().unwrap().unwrap();
        let types: Vec<_> = root.iter().map(|entry| entry.unwrap().id).collect();
        assert_eq!(types, [ResourceId::Name(&own), rc_data, ResourceId::Id(16)]);
        let last = root.iter().last().unwrap().unwrap();
        assert!(matches!(last.open(), Ok(ResourceNode::Directory(names)) if names.count() == 1));
    });
    in_both_views("x86.exe", |image| {
        assert_eq!(image.version_info(), Err(NtStatus::RESOURCE_DATA_NOT_FOUND));
    });
}

#[test]
fn debug_directory() {
    in_both_views("x64.dll", |image| {
        let directory = image.debug_directory().unwrap();
        let kinds: Vec<_> = directory
            .iter()
            .map(|entry| (entry.kind.0, entry.size))
            .collect();
        assert_eq!(kinds, [(2, 0x23), (16, 0)]);
        let view = directory.code_view().unwrap().unwrap();
        let guid = [
            0x70, 0xA9, 0xA7, 0x98, 0x5A, 0x09, 0x48, 0x31, 0x4C, 0x4C, 0x44, 0x20, 0x50, 0x44,
            0x42, 0x2E,
        ];
        assert_eq!(
            (view.guid, view.age, view.path),
            (guid, 1, b"sample.pdb".as_slice())
        );
    });
}

#[test]
fn relocations() {
    let listed = |name: &str| {
        let file = data(name);
        let image = Image::from_file(&file).unwrap();
        let mut found = Vec::new();
        for block in image.relocations().unwrap().blocks() {
            for relocation in block.unwrap().iter() {
                let relocation = relocation.unwrap();
                if relocation.kind != RelocationKind::ABSOLUTE {
                    found.push((relocation.kind.0, relocation.rva));
                }
            }
        }
        found
    };
    assert_eq!(
        listed("x86.exe"),
        [
            0x1001, 0x1007, 0x100C, 0x2028, 0x2044, 0x2048, 0x2050, 0x2060, 0x2064, 0x2070
        ]
        .map(|rva| (3, rva))
    );
    assert_eq!(listed("armnt.dll"), [(7, 0x1000), (3, 0x3008)]);
    assert_eq!(listed("arm64.dll"), [(10, 0x2000), (10, 0x2008)]);
    assert_eq!(
        listed("x64.dll"),
        [
            0x2058, 0x2070, 0x2078, 0x2080, 0x2094, 0x209C, 0x20B0, 0x20B8, 0x20C0, 0x20C8, 0x20D8,
            0x20E0, 0x3FFC, 0x4010, 0x4018
        ]
        .map(|rva| (10, rva))
    );
}
