//! Message tables: texts with numbers, as a resource of a module.
//!
//! A table begins with the number of its blocks. A block has messages with consecutive numbers, one behind the other: each is
//! its length, that included, what letters it has, and the text.

use c_interface::{Ptr, exports};
use loader::{ResourceName, ResourcePath};
use nt_abi::{NtResult, NtStatus};

use super::LOADER;

/// The name of each message table.
const TABLE: u16 = 1;

/// The entry of a message in a table; `None` if it is not there.
fn find(table: Ptr<u8>, message: u32) -> Option<Ptr<u8>> {
    let count = table.cast::<u32>().read();
    let blocks = table.cast::<u32>().add(1);
    for number in 0..count as usize {
        let block = blocks.add(number * 3);
        let (low, high) = (block.read(), block.add(1).read());
        if !(low..=high).contains(&message) {
            continue;
        }
        let mut entry = table.byte_add(block.add(2).read() as usize);
        for _ in low..message {
            entry = entry.byte_add(usize::from(entry.cast::<u16>().read()));
        }
        return Some(entry);
    }
    None
}

fn find_in_module(base: Ptr<u8>, kind: u32, language: u32, message: u32) -> NtResult<Ptr<u8>> {
    let number = |number| u16::try_from(number).map_err(|_| NtStatus::INVALID_PARAMETER);
    let path = ResourcePath {
        kind: Some(ResourceName::Id(number(kind)?)),
        name: Some(ResourceName::Id(TABLE)),
        language: Some(number(language)?),
    };
    let (table, _) = LOADER.access_resource(base, LOADER.find_resource(base, &path)?)?;
    find(table, message).ok_or(NtStatus::MESSAGE_NOT_FOUND)
}

exports! {
    /// Finds a message in a module: the kind of its table, its language, its number. The tables are believed.
    fn RtlFindMessage(
        base: Ptr<u8>,
        kind: u32,
        language: u32,
        message: u32,
        entry: Ptr<usize>,
    ) -> NtStatus {
        match find_in_module(base, kind, language, message) {
            Ok(found) => {
                entry.write(found.address());
                NtStatus::SUCCESS
            }
            Err(status) => status,
        }
    }
}
