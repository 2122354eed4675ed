//! What the tests of this crate share.
#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

pub(crate) mod builder;
pub(crate) mod damage;
pub(crate) mod fuzz;

use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// A file of `tests/data`.
pub(crate) fn data(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of `tests/data/broken`, by name.
pub(crate) fn broken() -> Vec<(String, Vec<u8>)> {
    let mut names: Vec<_> = std::fs::read_dir(folder().join("broken"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".bin"))
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let bytes = data(&format!("broken/{name}"));
            (name, bytes)
        })
        .collect()
}

/// The image of a file as it is in memory, before relocation.
pub(crate) fn mapped(file: &[u8]) -> Vec<u8> {
    let image = pe::Image::from_file(file).unwrap();
    let size = usize::try_from(image.headers().size_of_image).unwrap();
    let mut memory = vec![0xCC; size.next_multiple_of(4096)];
    image.copy_mapped(&mut memory).unwrap();
    memory
}
