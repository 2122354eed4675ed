//! Everything that the crate offers, called on any bytes: shared by the tests with damaged images and the fuzz target.

use nt_abi::NtResult;
use pe::unwind_x64::UnwindTail;
use pe::{
    Image, Language, RelocationIndex, ResourceDirectory, ResourceId, ResourceNode, Tls, checksum,
    relocate_in_place, verify_checksum,
};

/// How much of a tree or of shared unwind codes is read: hostile ones give the same part again and again, and it is for
/// who asks to stop.
const ENOUGH: usize = 10_000;
/// The largest image that is laid out in memory.
const LARGEST: u32 = 1 << 20;

/// Reads `bytes` as a file and as an image in memory. Says whether the file was an image.
pub(crate) fn fuzz(bytes: &[u8]) -> bool {
    let _ = checksum(bytes);
    let _ = verify_checksum(bytes);
    if let Ok(image) = Image::from_mapped(bytes) {
        read_all(&image);
    }
    let Ok(image) = Image::from_file(bytes) else {
        return false;
    };
    check_layout(&image);
    read_all(&image);
    if image.headers().size_of_image <= LARGEST {
        lay_out(&image);
    }
    true
}

/// Subsections are pages, ascend, do not overlap, and are within the image and the file.
fn check_layout(image: &Image<'_>) {
    let mut end = 0;
    let size = image.headers().size_of_image.next_multiple_of(4096);
    for subsection in image.subsections() {
        assert!(subsection.rva >= end && subsection.rva % 4096 == 0);
        assert!(subsection.size > 0 && subsection.size % 4096 == 0);
        assert!(subsection.file_size <= subsection.size);
        end = subsection.rva + subsection.size;
        assert!(end <= size, "{subsection:?} in {size:#x}");
    }
}

/// Lays the image out in memory, relocates it in three ways, and reads it there.
fn lay_out(image: &Image<'_>) {
    let size = usize::try_from(image.headers().size_of_image).expect("it is at most 1 MiB");
    let mut memory = vec![0; size.next_multiple_of(4096)];
    image.copy_mapped(&mut memory).expect("it is long enough");
    if let Ok(mapped) = Image::from_mapped(&memory) {
        read_all(&mapped);
    }
    let delta = 0x12_3456_0000;
    if let Ok(relocations) = image.relocations() {
        let index = RelocationIndex::new(&relocations);
        let outside = |rva| image.byte_in_memory(rva);
        for (page_rva, page) in (0..).step_by(4096).zip(memory.chunks_exact(4096)).take(16) {
            let (mut direct, mut indexed) = (page.to_vec(), page.to_vec());
            let by_table = relocations.apply_to_page(page_rva, &mut direct, delta, &outside);
            if let Ok(index) = &index {
                let by_index =
                    index.apply_to_page(&relocations, page_rva, &mut indexed, delta, &outside);
                // Both go through the same blocks; where one stops at damage, the other may not come there.
                if by_table.is_ok() {
                    assert!(by_index.is_ok());
                }
            }
        }
        let mut whole = memory.clone();
        let _ = relocations.apply_to_image(&mut whole, delta);
    }
    let _ = relocate_in_place(&mut memory, delta);
}

fn read_all(image: &Image<'_>) {
    let headers = image.headers();
    let _ = (headers.certificates(), headers.has_clr_header());
    let _ = (headers.is_relocatable(), headers.image_base_field());
    for section in image.sections().iter() {
        let _ = (section.short_name().len(), image.from_rva(section.rva));
    }
    read_imports(image);
    read_exports(image);
    if let Ok(Some(tls)) = image.tls() {
        read_tls(image, &tls);
    }
    if let Ok(Some(config)) = image.load_config() {
        for table in [config.safe_handlers, config.guard_functions]
            .iter()
            .flatten()
        {
            let _ = (table.contains(0x1000), table.get(table.count()));
        }
    }
    if let Ok(relocations) = image.relocations() {
        for block in relocations.blocks().flatten() {
            let _ = block.iter().count();
        }
    }
    read_resources(image);
    if let Ok(directory) = image.debug_directory() {
        let _ = (directory.iter().count(), directory.code_view());
    }
    read_unwind_x64(image);
    let _ = read_unwind_arm64(image);
    let _ = read_unwind_arm(image);
}

fn read_imports(image: &Image<'_>) {
    let limit = image.headers().size_of_image.max(1 << 24) / 4;
    let mut entries = 0;
    if let Ok(imports) = image.imports() {
        for module in imports.flatten() {
            entries += module.iter().count();
        }
    }
    if let Ok(imports) = image.delay_imports() {
        for module in imports.flatten() {
            entries += module.iter().map(Iterator::count).unwrap_or_default();
        }
    }
    assert!(entries <= usize::try_from(limit).expect("32 bits fit") * 2);
    if let Ok(bound) = image.bound_imports() {
        let _ = bound.count();
    }
}

fn read_exports(image: &Image<'_>) {
    let Ok(Some(exports)) = image.exports() else {
        return;
    };
    for export in exports.iter().flatten() {
        let _ = (
            exports.by_ordinal(export.ordinal),
            exports.slot_rva(export.ordinal),
        );
    }
    for (name, ordinal) in exports.names().flatten().take(ENOUGH) {
        let _ = exports.by_name(name, None);
        let _ = exports.by_name(name, Some(1));
        let _ = exports.by_ordinal(ordinal);
    }
    let _ = exports.by_name(b"Framed", None);
    let _ = exports.by_name(b"", Some(u16::MAX));
}

fn read_tls(image: &Image<'_>, tls: &Tls) {
    let _ = image.tls_callbacks(tls).count();
}

fn read_resources(image: &Image<'_>) {
    if let Ok(Some(root)) = image.resources() {
        let mut left = ENOUGH;
        walk(&root, 0, &mut left);
    }
    let _ = image.version_info();
    let named = ResourceId::Name(b"Z\0U\0L\0U\0");
    let _ = image.find_resource(ResourceId::Id(10), named, Language::Exact(1033));
    let _ = image.find_resource(named, ResourceId::Id(7), Language::Any);
}

fn walk(directory: &ResourceDirectory<'_>, depth: usize, left: &mut usize) {
    assert!(depth < 3);
    for entry in directory.iter().flatten() {
        let Some(rest) = left.checked_sub(1) else {
            return;
        };
        *left = rest;
        if let Ok(ResourceNode::Directory(next)) = entry.open() {
            walk(&next, depth + 1, left);
        }
    }
}

fn read_unwind_x64(image: &Image<'_>) {
    let Ok(Some(functions)) = image.functions_x64() else {
        return;
    };
    for function in functions.iter().take(ENOUGH) {
        let _ = functions.find(function.begin_rva);
        let _ = (functions.primary(function), functions.get(0));
        if let Ok(info) = functions.unwind_info(function) {
            let _ = info.codes.iter().count();
            if let UnwindTail::Handler { data_rva, .. } = info.tail
                && let Ok(scopes) = image.scope_table(data_rva)
            {
                let _ = scopes.count();
            }
        }
    }
}

fn read_unwind_arm64(image: &Image<'_>) -> NtResult {
    let Some(functions) = image.functions_arm64()? else {
        return Ok(());
    };
    let mut left = ENOUGH;
    for function in functions.iter().flatten().take(ENOUGH) {
        let _ = functions.find(function.begin_rva);
        let _ = functions.length(function);
        let pe::unwind_arm64::UnwindData::Record(rva) = function.unwind else {
            continue;
        };
        let Ok(record) = functions.record(rva) else {
            continue;
        };
        left = left.saturating_sub(record.prolog().count());
        for epilog in record.epilogs.iter().take(left) {
            if let Ok(codes) = record.epilog(epilog) {
                left = left.saturating_sub(codes.count());
            }
        }
    }
    Ok(())
}

fn read_unwind_arm(image: &Image<'_>) -> NtResult {
    let Some(functions) = image.functions_arm()? else {
        return Ok(());
    };
    for function in functions.iter().flatten().take(ENOUGH) {
        let _ = functions.length(function);
        let pe::unwind_arm::UnwindData::Record(rva) = function.unwind else {
            continue;
        };
        let record = pe::unwind_arm::UnwindRecord::read(image, rva)?;
        for code in record.prolog() {
            let _ = code?.instruction_bytes();
        }
        for epilog in record.epilogs().take(ENOUGH) {
            let _ = record.epilog(epilog)?.next();
        }
    }
    Ok(())
}
