//! What is found in the modules that are loaded: resources, code, headers, the modules themselves.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::ops::ControlFlow;
use std::rc::Rc;

use c_interface::{Ptr, field};
use loader::{
    CodeImage, DynamicFunctions, Layout, LoadFlags, Loader, NewFunctionTable, ResourceName,
    ResourcePath, SearchPath, image_directory, image_nt_header, image_rva_to_section,
    image_rva_to_va,
};
use nt_abi::native::{LdrDataTableEntry, RtlProcessModuleInformation, RtlProcessModules};
use nt_abi::{NtResult, NtStatus};
use support::image::WIDE;
use support::world::{Sys, text};
use support::{Dll, World, wide};

fn start(world: &Rc<World>) -> Rc<Loader<Sys>> {
    world.start(
        &Dll::new("ntdll.dll").without_entry(),
        &Dll::program("p.exe"),
    )
}

fn state(world: &World) -> (Vec<String>, usize) {
    world.check();
    (world.mapped(), world.blocks())
}

/// A tree with one type (10), two names (`MENU` and 7), and languages.
fn resource_tree(base_rva: u32) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let put = |out: &mut Vec<u8>, value: u32| out.extend_from_slice(&value.to_le_bytes());
    let directory = |out: &mut Vec<u8>, named: u16, numbered: u16| {
        out.extend_from_slice(&[0; 12]);
        out.extend_from_slice(&named.to_le_bytes());
        out.extend_from_slice(&numbered.to_le_bytes());
    };
    directory(&mut out, 0, 1); // 0x00
    put(&mut out, 10);
    put(&mut out, 0x8000_0018);
    directory(&mut out, 1, 1); // 0x18
    put(&mut out, 0x8000_0090);
    put(&mut out, 0x8000_0038);
    put(&mut out, 7);
    put(&mut out, 0x8000_0058);
    directory(&mut out, 0, 2); // 0x38: MENU in neutral and German
    put(&mut out, 0x0007);
    put(&mut out, 0x70);
    put(&mut out, 0x0409);
    put(&mut out, 0x80);
    directory(&mut out, 0, 1); // 0x58: 7 in French of Canada
    put(&mut out, 0x0C0C);
    put(&mut out, 0x80);
    for (offset, size) in [(0xA0, 4), (0xA4, 6)] {
        for value in [base_rva + offset, size, 0, 0] {
            put(&mut out, value); // 0x70, 0x80
        }
    }
    out.extend_from_slice(&4_u16.to_le_bytes()); // 0x90
    for unit in "MENU".encode_utf16() {
        out.extend_from_slice(&unit.to_le_bytes());
    }
    out.resize(0xA0, 0);
    out.extend_from_slice(b"germ");
    out.extend_from_slice(b"englis");
    out
}

#[test]
fn resources_are_found() {
    let world = World::new();
    let mut dll = Dll::new("r.dll");
    // The tree's place is known when the file is built: it is the first thing in the tables.
    dll.resources = resource_tree(0x3000);
    let built = dll.build();
    let place = pe::Image::from_file(&built.file).unwrap();
    let tree = place.headers().directory(pe::Directory::Resource).unwrap();
    assert_eq!(tree.rva, 0x3000);
    world.add(&dll);
    world.add(&Dll::new("none.dll"));
    world.add_path(r"C:\Program\data.dll", built.file.clone());
    let loader = start(&world);
    let before = state(&world);
    let base = world.load("r.dll").unwrap();
    let load_data = |flags: LoadFlags| {
        loader
            .load_as_data(SearchPath::Default, flags, wide("data").as_str())
            .unwrap()
    };
    let file = load_data(LoadFlags::AS_DATAFILE);
    let image = load_data(LoadFlags::AS_IMAGE_RESOURCE);
    assert_eq!((file.address() & 3, image.address() & 3), (1, 2));
    let menu = wide("Menu");
    let menu = ResourceName::Name(menu.as_str());
    for handle in [base, file, image] {
        let find = |kind: u16, name: ResourceName<'_>, language: u16| -> NtResult<Vec<u8>> {
            let path = ResourcePath {
                kind: Some(ResourceName::Id(kind)),
                name: Some(name),
                language: Some(language),
            };
            let entry = loader.find_resource(handle, &path)?;
            let (data, size) = loader.access_resource(handle, entry)?;
            Ok(data.slice(size as usize).to_vec())
        };
        // German of Switzerland is not there, German is.
        assert_eq!(find(10, menu, 0x0807).unwrap(), b"germ");
        assert_eq!(find(10, menu, 0x0409).unwrap(), b"englis");
        assert_eq!(find(10, menu, 0).unwrap(), b"englis");
        assert_eq!(find(10, ResourceName::Id(7), 0).unwrap(), b"englis");
        assert_eq!(find(10, ResourceName::Id(7), 0x0C0C).unwrap(), b"englis");
        let missing = [
            (find(10, menu, 0x0411), NtStatus::RESOURCE_LANG_NOT_FOUND),
            (find(11, menu, 0), NtStatus::RESOURCE_TYPE_NOT_FOUND),
            (
                find(10, ResourceName::Id(8), 0),
                NtStatus::RESOURCE_NAME_NOT_FOUND,
            ),
        ];
        for (result, status) in missing {
            assert_eq!(result, Err(status));
        }
        let root = loader
            .find_resource_directory(handle, &ResourcePath::default())
            .unwrap();
        let directory = loader.find_resource_directory(
            handle,
            &ResourcePath {
                kind: Some(ResourceName::Id(10)),
                ..ResourcePath::default()
            },
        );
        assert_eq!(directory, Ok(root.byte_add(0x18)));
    }
    let none = world.load("none.dll").unwrap();
    let result = loader.find_resource_directory(none, &ResourcePath::default());
    assert_eq!(result, Err(NtStatus::RESOURCE_DATA_NOT_FOUND));
    let name = loader.data_file_name(file, |name| Ok(name.to_string()));
    assert_eq!(name.unwrap(), r"C:\Program\data.dll");
    loader.unload_data(file).unwrap();
    loader.unload_data(image).unwrap();
    assert_eq!(loader.unload_data(image), Err(NtStatus::DLL_NOT_FOUND));
    loader.unload_dll(base).unwrap();
    loader.unload_dll(none).unwrap();
    assert_eq!(state(&world), before);
}

#[test]
fn code_is_found_by_address() {
    let world = World::new();
    let mut with = Dll::new("with.dll");
    with.functions = vec![(0x1000, 0x1080, 0x3000), (0x1100, 0x1200, 0x3000)];
    world.add(&with);
    world.add(&Dll::new("without.dll"));
    let loader = start(&world);
    let base = world.load("with.dll").unwrap();
    let other = world.load("without.dll").unwrap();
    let found = loader.code_image(base.address() + 0x1234).unwrap();
    let expected = CodeImage {
        base,
        size: found.size,
        functions: base.byte_add(0x3000),
        functions_size: 24,
    };
    assert_eq!(found, expected);
    assert_eq!(loader.code_image(base.address()), Some(expected));
    let end = base.address() + found.size as usize;
    assert_eq!(loader.code_image(end - 1), Some(expected));
    assert_ne!(loader.code_image(end), Some(expected));
    let bare = loader.code_image(other.address() + 5).unwrap();
    assert_eq!((bare.base, bare.functions), (other, Ptr::NULL));
    assert_eq!(loader.code_image(0x10), None);
    let entry = loader.find_entry(base.address() + 8).unwrap();
    assert_eq!(entry, world.entry("with.dll"));
    assert_eq!(loader.find_entry(8), Err(NtStatus::NO_MORE_ENTRIES));
    loader.unload_dll(base).unwrap();
    assert_eq!(loader.code_image(base.address() + 0x1234), None);
    assert_eq!(loader.code_image(other.address()), Some(bare));
}

#[test]
fn more_images_than_the_table_has_room_for() {
    let world = World::new();
    let loader = start(&world);
    let file = Dll::new("x.dll").build().file;
    let mut bases = Vec::new();
    for number in 0..600 {
        world.add_file(&format!("n{number}.dll"), file.clone());
        bases.push(world.load(&format!("n{number}.dll")).unwrap());
    }
    let check = |bases: &[Ptr<u8>]| {
        for base in bases {
            let image = loader.code_image(base.address() + 0x1010).unwrap();
            assert_eq!(image.base, *base);
        }
    };
    check(&bases);
    while let Some(base) = bases.pop() {
        loader.unload_dll(base).unwrap();
        assert_eq!(loader.code_image(base.address()), None);
        if bases.len() % 97 == 0 {
            let middle = bases.len() / 2;
            bases.rotate_left(middle);
            check(&bases);
        }
    }
}

#[test]
fn code_in_no_image_has_tables() {
    if !WIDE {
        // x86 has no function tables.
        return;
    }
    let world = World::new();
    let loader = start(&world);
    let before = world.blocks();
    // 12 bytes for each function of x64: begin, end, unwind data.
    let sorted: [u32; 9] = [0x100, 0x180, 0, 0x180, 0x200, 0, 0x300, 0x340, 0];
    let unsorted: [u32; 6] = [0x900, 0x980, 0, 0x800, 0x880, 0];
    let code = Ptr::<u8>::new(0x7000_0000);
    let entries = |table: &[u32]| Ptr::<u8>::new(table.as_ptr().expose_provenance());
    loader.add_functions(entries(&sorted), 3, code).unwrap();
    loader.add_functions(entries(&unsorted), 2, code).unwrap();
    let find = |offset: usize| {
        let found = loader.dynamic_functions(code.address() + offset)?;
        loader.dynamic_function(&found, code.address() + offset)
    };
    let rows = [
        (0x0FF, None),
        (0x100, Some(0)),
        (0x17F, Some(0)),
        (0x180, Some(1)),
        (0x200, None),
        (0x33F, Some(2)),
        (0x340, None),
    ];
    for (offset, number) in rows {
        let expected = number.map(|number: usize| entries(&sorted).byte_add(12 * number));
        assert_eq!(find(offset), expected, "{offset:#x}");
    }
    assert_eq!(find(0x810), Some(entries(&unsorted).byte_add(12)));
    assert_eq!(find(0x910), Some(entries(&unsorted)));
    assert_eq!(find(0x8A0), None);
    let growing = NewFunctionTable {
        entries: entries(&sorted),
        count: 1,
        base: code.byte_add(0x1000),
        start: code.address() + 0x1000,
        end: code.address() + 0x2000,
    };
    let handle = loader.add_growable_functions(&growing).unwrap();
    assert_eq!(find(0x1190), None);
    loader.grow_functions(handle, 2);
    assert_eq!(find(0x1190), Some(entries(&sorted).byte_add(12)));
    let callback = |identifier| {
        let range = (code.byte_add(0x3000), 0x100);
        loader.add_function_callback(identifier, range, Ptr::new(0xCA11), 5, Ptr::NULL)
    };
    assert_eq!(callback(0x1001), Err(NtStatus::INVALID_PARAMETER));
    callback(0x1003).unwrap();
    assert_eq!(
        loader.dynamic_functions(code.address() + 0x30FF),
        Some(DynamicFunctions::Callback {
            function: Ptr::new(0xCA11),
            context: 5,
            base: code.byte_add(0x3000),
        })
    );
    assert_eq!(loader.dynamic_functions(code.address() + 0x3100), None);
    loader.delete_functions(0x1003).unwrap();
    loader.delete_functions(entries(&sorted).address()).unwrap();
    loader
        .delete_functions(entries(&unsorted).address())
        .unwrap();
    assert_eq!(
        loader.delete_functions(entries(&sorted).address()),
        Err(NtStatus::INVALID_PARAMETER),
        "the growable one has a handle"
    );
    loader.delete_growable_functions(handle).unwrap();
    assert_eq!(
        loader.delete_growable_functions(handle),
        Err(NtStatus::INVALID_PARAMETER)
    );
    assert_eq!(world.blocks(), before);
}

#[test]
fn modules_are_listed() {
    let world = World::new();
    world.add(&Dll::new("a.dll"));
    let loader = start(&world);
    world.load("a.dll").unwrap();
    let mut names = Vec::new();
    loader
        .enumerate(|entry| {
            let name = field!(entry, LdrDataTableEntry, base_dll_name).read();
            names.push(text(name).to_string());
            if names.len() == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
    assert_eq!(names, ["p.exe", "ntdll.dll"]);
    let row = size_of::<RtlProcessModuleInformation>();
    let header = size_of::<RtlProcessModules>();
    let mut buffer = vec![0_u64; (header + 3 * row).div_ceil(8)];
    let at = Ptr::<u8>::new(buffer.as_mut_ptr().expose_provenance());
    let whole = u32::try_from(header + 3 * row).unwrap();
    assert_eq!(
        loader.process_modules(at, whole - 1),
        (NtStatus::INFO_LENGTH_MISMATCH, whole)
    );
    assert_eq!(
        loader.process_modules(Ptr::NULL, 0),
        (NtStatus::INFO_LENGTH_MISMATCH, whole)
    );
    assert_eq!(
        loader.process_modules(at, whole),
        (NtStatus::SUCCESS, whole)
    );
    assert_eq!(at.cast::<u32>().read(), 3);
    let third = at
        .byte_add(header + 2 * row)
        .cast::<RtlProcessModuleInformation>()
        .read();
    assert_eq!(third.image_base, world.base_of("a.dll").raw());
    let name = &third.full_path_name[usize::from(third.offset_to_file_name)..];
    assert!(name.starts_with(b"a.dll\0"));
    assert_eq!((third.load_order_index, third.load_count), (2, 1));
}

#[test]
fn images_of_all_kinds_are_looked_at() {
    let mut dll = Dll::new("i.dll").exporting(&["f"]);
    dll.resources = b"resources".to_vec();
    let built = dll.build();
    let file = Ptr::<u8>::new(built.file.as_ptr().expose_provenance());
    let size = built.file.len() as u64;
    let headers = image_nt_header(file, Some(size)).unwrap();
    assert_eq!(headers, file.byte_add(0x80));
    assert_eq!(
        image_nt_header(file, Some(0x90)),
        Err(NtStatus::INVALID_IMAGE_FORMAT)
    );
    assert_eq!(
        image_nt_header(file, Some(0)),
        Err(NtStatus::INVALID_IMAGE_FORMAT)
    );
    assert_eq!(
        image_nt_header(Ptr::NULL, None),
        Err(NtStatus::INVALID_PARAMETER)
    );
    let image = pe::Image::from_file(&built.file).unwrap();
    let directory = image.headers().directory(pe::Directory::Resource).unwrap();
    let section = image
        .sections()
        .iter()
        .find(|section| section.rva <= directory.rva);
    let _ = section;
    let (at, size) = image_directory(file, Layout::File, 2).unwrap();
    assert_eq!((at.slice(9), size), (&b"resources"[..], 9));
    let tagged = file.byte_add(1);
    assert_eq!(image_directory(tagged, Layout::Mapped, 2), Some((at, size)));
    assert_eq!(
        image_directory(file, Layout::Mapped, 2),
        Some((file.byte_add(directory.rva as usize), 9))
    );
    assert_eq!(
        image_directory(file, Layout::File, 5).map(|(_, size)| size),
        Some(8)
    );
    assert_eq!(image_directory(file, Layout::File, 6), None);
    assert_eq!(image_directory(file, Layout::File, 16), None);
    assert_eq!(image_rva_to_va(headers, file, directory.rva), Some(at));
    assert_eq!(image_rva_to_va(headers, file, 0x7000_0000), None);
    let table = image_rva_to_section(headers, 0x1234).unwrap();
    assert_eq!(table.slice(5), b".text");
}
