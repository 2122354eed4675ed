//! Directories: names, in 37 lists by hash.
//!
//! A name is kept as it was given, and hashed in capitals, so that a lookup with and one without regard to case find the
//! same list. In a list the order is that of insertion.
//!
//! A directory may have a **shadow**: what is not in it is looked for there, but new names go into the directory itself.
//! The DOS devices of a logon session are such a directory, and `\GLOBAL??` is its shadow.
//!
//! # NT
//! `OBJECT_DIRECTORY`, `ObpLookupDirectoryEntry`, `ObpInsertDirectoryEntry`, `ObpDeleteDirectoryEntry`.

use alloc::vec::Vec;

use arch::counted::Counted;
use ke::SpinLock;
use nt_abi::NtResult;
use nt_abi::access::{AccessMask, GenericMapping};
use rtl::{Case, NoMemory, Utf16Str};

use crate::header::{HeaderFlags, Name, Opening, SharedName};
use crate::object_type::{ObjectType, TypeDescription};
use crate::quota::object_size;
use crate::{AnyObject, Object, ObjectBody};

/// How many lists.
const BUCKETS: usize = 37;

/// The type of directories.
pub static DIRECTORY: ObjectType = ObjectType::new(TypeDescription {
    name: "Directory",
    mapping: GenericMapping {
        generic_read: AccessMask::STANDARD_RIGHTS_READ
            .union(AccessMask::DIRECTORY_QUERY)
            .union(AccessMask::DIRECTORY_TRAVERSE),
        generic_write: AccessMask::STANDARD_RIGHTS_WRITE
            .union(AccessMask::DIRECTORY_CREATE_OBJECT)
            .union(AccessMask::DIRECTORY_CREATE_SUBDIRECTORY),
        generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE
            .union(AccessMask::DIRECTORY_QUERY)
            .union(AccessMask::DIRECTORY_TRAVERSE),
        generic_all: AccessMask::DIRECTORY_ALL_ACCESS,
    },
    valid_access: AccessMask::DIRECTORY_ALL_ACCESS,
    is_container: true,
    paged_charge: object_size::<Directory>(0),
    ..TypeDescription::PLAIN
});

/// A directory's body.
pub struct Directory {
    buckets: SpinLock<[Vec<Entry>; BUCKETS]>,
    shadow: Option<Object<Directory>>,
}

struct Entry {
    hash: u32,
    name: SharedName,
    object: AnyObject,
}

impl Entry {
    fn is(&self, hash: u32, name: Utf16Str<'_>, case: Case) -> bool {
        self.hash == hash && self.name.as_str().equals(name, case)
    }
}

/// A name in a directory, for a list of them.
pub struct DirectoryEntry {
    /// The name.
    pub name: SharedName,
    /// What has it.
    pub object: AnyObject,
}

impl ObjectBody for Directory {
    fn kind() -> &'static ObjectType {
        &DIRECTORY
    }
}

impl Directory {
    /// An empty one.
    pub const fn new() -> Self {
        Self::with_shadow(None)
    }

    /// An empty one in which also what is in `shadow` is found.
    pub const fn with_shadow(shadow: Option<Object<Directory>>) -> Self {
        Self {
            buckets: SpinLock::new([const { Vec::new() }; BUCKETS]),
            shadow,
        }
    }

    /// Where else names are looked for.
    pub(crate) fn shadow(&self) -> Option<&Object<Directory>> {
        self.shadow.as_ref()
    }

    /// The object with that name, kept from losing it.
    pub(crate) fn find(&self, name: Utf16Str<'_>, case: Case) -> Option<Opening> {
        let hash = hash(name);
        let buckets = self.buckets.acquire();
        let mut entries = buckets[bucket(hash)].iter().rev();
        entries
            .find(|entry| entry.is(hash, name, case))
            .map(|entry| Opening::of(&entry.object))
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.buckets.acquire().iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name with that number in the order of the lists: what `NtQueryDirectoryObject` counts in its context. Names
    /// that come or go meanwhile may be missed or shown twice, as in NT.
    pub fn entry(&self, number: usize) -> Option<DirectoryEntry> {
        let buckets = self.buckets.acquire();
        let mut before = 0;
        for entries in buckets.iter() {
            if let Some(entry) = entries.iter().rev().nth(number - before) {
                return Some(DirectoryEntry {
                    name: entry.name.clone(),
                    object: entry.object.clone(),
                });
            }
            before += entries.len();
        }
        None
    }
}

impl Drop for Directory {
    /// A program may make a directory the shadow of another as often as it likes; each of them ends after the one before,
    /// not in it.
    fn drop(&mut self) {
        let mut next = self.shadow.take();
        while let Some(directory) = next {
            next = Counted::give_up(directory, |ended| ended.shadow.take()).flatten();
        }
    }
}

impl Default for Directory {
    fn default() -> Self {
        Self::new()
    }
}

/// What became of an attempt to give a name.
pub(crate) enum Insertion {
    Done,
    /// Another object has it.
    Exists(Opening),
}

/// Gives an object a name in a directory, unless another has it.
///
/// # Locks
/// Takes the directory's, and in it the header's.
pub(crate) fn insert(
    directory: &Object<Directory>,
    name: &SharedName,
    case: Case,
    object: &AnyObject,
) -> NtResult<Insertion> {
    let hash = hash(name.as_str());
    let mut buckets = directory.buckets.acquire();
    let entries = &mut buckets[bucket(hash)];
    if let Some(other) = entries
        .iter()
        .rev()
        .find(|entry| entry.is(hash, name.as_str(), case))
    {
        return Ok(Insertion::Exists(Opening::of(&other.object)));
    }
    entries.try_reserve(1).map_err(|_| NoMemory)?;
    entries.push(Entry {
        hash,
        name: name.clone(),
        object: object.clone(),
    });
    object.head().set_flag(HeaderFlags::NAMED, true);
    object.head().with(|fields| {
        fields.name = Some(Name {
            directory: directory.clone(),
            text: name.clone(),
        });
    });
    Ok(Insertion::Done)
}

/// Takes away an object's name if `still` says so under the directory's lock.
pub(crate) fn remove(object: &AnyObject, still: impl FnOnce() -> bool) {
    let Some(name) = object.head().name() else {
        return;
    };
    let hash = hash(name.text.as_str());
    // What is taken out is dropped after the lock is free.
    let removed = {
        let mut buckets = name.directory.buckets.acquire();
        let entries = &mut buckets[bucket(hash)];
        let position = entries
            .iter()
            .position(|entry| entry.object.same(object))
            .filter(|_| still());
        position.map(|position| {
            let entry = entries.remove(position);
            (entry, object.head().with(|fields| fields.name.take()))
        })
    };
    drop(removed);
}

fn hash(name: Utf16Str<'_>) -> u32 {
    name.hash_x65599(Case::Insensitive)
}

fn bucket(hash: u32) -> usize {
    hash as usize % BUCKETS
}
