//! Tests, on the simulated machine.
//!
//! The namespace, the types and the kernel's handles are statics, so tests that use them have the machine to themselves
//! and leave everything as it was: a [`World`] looks when it ends.

mod browse;
mod copies;
mod handles;
mod links;
mod memory;
mod om;
mod people;
mod rights;
mod storms;
mod watching;

use std::string::String;
use std::vec::Vec;

use arch::sim::Running;
use nt_abi::access::AccessMask;
use nt_abi::primitives::ObjectAttributeFlags as Attributes;
use nt_abi::{NtResult, NtStatus};
use rtl::Utf16String;

use crate::directory::DIRECTORY;
use crate::object_type::{ObjectType, TypeDescription};
use crate::symbolic_link::SYMBOLIC_LINK;
use crate::*;

/// For tests of what becomes of failed allocations.
#[global_allocator]
static HEAP: arch::sim::FailingAllocator = arch::sim::FailingAllocator;

/// A type of which nothing special is known.
pub(super) static EVENT: ObjectType = ObjectType::new(TypeDescription {
    name: "Event",
    mapping: nt_abi::access::GenericMapping {
        generic_read: AccessMask::STANDARD_RIGHTS_READ.union(AccessMask::EVENT_QUERY_STATE),
        generic_write: AccessMask::STANDARD_RIGHTS_WRITE.union(AccessMask::EVENT_MODIFY_STATE),
        generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE.union(AccessMask::SYNCHRONIZE),
        generic_all: AccessMask::EVENT_ALL_ACCESS,
    },
    valid_access: AccessMask::EVENT_ALL_ACCESS,
    paged_charge: 0,
    non_paged_charge: 64,
    ..TypeDescription::PLAIN
});

/// Another one.
pub(super) static MUTANT: ObjectType = ObjectType::new(TypeDescription {
    name: "Mutant",
    valid_access: AccessMask::MUTANT_ALL_ACCESS,
    ..TypeDescription::PLAIN
});

pub(super) struct EventBody;
pub(super) struct MutantBody;

impl ObjectBody for EventBody {
    fn kind() -> &'static ObjectType {
        &EVENT
    }
}

impl ObjectBody for MutantBody {
    fn kind() -> &'static ObjectType {
        &MUTANT
    }
}

const KINDS: [&ObjectType; 5] = [
    &EVENT,
    &MUTANT,
    &DIRECTORY,
    &SYMBOLIC_LINK,
    &namespace::TYPE,
];

/// How many objects and handles of each type there are.
pub(super) fn counts() -> Vec<(u32, u32)> {
    let counts = KINDS.iter();
    counts
        .map(|kind| (kind.objects().0, kind.handles().0))
        .collect()
}

/// The machine with a namespace, and a process.
pub(super) struct World {
    pub(super) table: HandleTable,
    before: Vec<(u32, u32)>,
    _machine: Running,
}

pub(super) fn world() -> World {
    let machine = ke::testing::boot(1);
    prepare();
    World {
        table: HandleTable::new(8, None),
        before: counts(),
        _machine: machine,
    }
}

pub(super) fn prepare() {
    initialize().expect("memory");
    create_session(1).expect("memory");
    register_type(&EVENT).expect("memory");
    for kind in [
        &MUTANT,
        &browse::DEVICE,
        &handles::WATCHED,
        &watching::PROCESS,
    ] {
        register_type(kind).expect("memory");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.table.close_all();
        assert_eq!(counts(), self.before, "objects or handles are left behind");
    }
}

/// Text of its own memory.
pub(super) fn text(text: &str) -> Utf16String {
    Utf16String::try_from_str(text).expect("memory")
}

pub(super) const NONE: Attributes = Attributes::empty();

impl World {
    pub(super) fn caller(&self) -> Caller<'_> {
        Caller {
            table: &self.table,
            mode: Mode::User,
            process: None,
            thread: None,
        }
    }

    /// Makes an object as the kernel would, with a handle; tells whether it existed.
    pub(super) fn create_at<T: ObjectBody>(
        &self,
        body: T,
        root: Handle,
        name: Option<&str>,
        attributes: Attributes,
    ) -> NtResult<(Handle, bool)> {
        let name = name.map(text);
        let created = create(
            body,
            &CreateParameters {
                name: name.as_ref().map(Utf16String::as_str),
                root: Root::Handle(self.caller(), root),
                attributes,
                access: AccessMask::GENERIC_ALL,
                ..CreateParameters::KERNEL
            },
        )?;
        let existed = created.existed;
        Ok((created.into_handle(&self.caller())?, existed))
    }

    pub(super) fn create<T: ObjectBody>(&self, body: T, name: &str) -> NtResult<Handle> {
        self.create_at(body, Handle::NULL, Some(name), NONE)
            .map(|(handle, _)| handle)
    }

    pub(super) fn link(&self, name: &str, target: &str) -> Handle {
        let link = SymbolicLink::new(text(target), 0);
        self.create(link, name).expect("it is new")
    }

    pub(super) fn open_at(
        &self,
        kind: Option<&'static ObjectType>,
        root: Handle,
        name: Option<&str>,
        attributes: Attributes,
    ) -> NtResult<Handle> {
        let name = name.map(text);
        open_by_name(
            &self.caller(),
            &OpenParameters {
                name: name.as_ref().map(Utf16String::as_str),
                root: Root::Handle(self.caller(), root),
                attributes,
                kind,
                access: AccessMask::GENERIC_ALL,
                subject: Subject::kernel(),
            },
            None,
        )
    }

    pub(super) fn open(&self, kind: &'static ObjectType, name: &str) -> NtResult<Handle> {
        self.open_at(Some(kind), Handle::NULL, Some(name), NONE)
    }

    pub(super) fn close(&self, handle: Handle) {
        self.caller().close(handle).expect("it is open");
    }

    pub(super) fn name_of(&self, handle: Handle) -> String {
        use std::string::ToString;
        let entry = self.caller().entry(handle).expect("it is open");
        name_of(&entry.object).expect("memory").to_string()
    }
}
