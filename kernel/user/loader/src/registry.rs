//! The modules of the process, as they are found: by name, by address, in the order of loading.
//!
//! Programs walk the same structures, so they are Windows': the three lists of `PEB_LDR_DATA`, 32 lists by the hash of the
//! base name, a red-black tree by address. They change under the loader lock and the lock of the lists together; either
//! is enough to look.

use c_interface::Ptr;
use nt_abi::loader::LdrEntryFlags;
use nt_abi::native::{ListEntry, PebLdrData, RtlRbTree};
use rtl::{Case, Utf16Str};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::list;
use crate::module::{Module, entry};
use crate::number::index;
use crate::rb_tree::{self, Side};

/// Lists by hash.
const BUCKETS: u32 = 32;

/// What the loader keeps for the process, in memory of the process since lists lead there.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Block {
    /// `PEB.Ldr`.
    pub(crate) ldr: PebLdrData,
    /// The modules by base address.
    tree: RtlRbTree,
    names: [ListEntry; BUCKETS as usize],
    /// The nodes whose entry points were not called yet, what is needed first.
    pub(crate) pending: ListEntry,
    /// The threads, by `tls_links` of their TEBs.
    pub(crate) threads: ListEntry,
    /// Who wants to hear of loads and unloads.
    pub(crate) notifications: ListEntry,
    /// Function tables of code that is in no image.
    pub(crate) function_tables: ListEntry,
    /// Directories that were added to the search.
    pub(crate) directories: ListEntry,
    /// Files that were loaded as data.
    pub(crate) data_files: ListEntry,
}

/// The modules of the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registry(pub(crate) Ptr<Block>);

macro_rules! block {
    ($registry:expr, $($field:tt).+) => {
        c_interface::field!($registry.0, $crate::registry::Block, $($field).+)
    };
}

pub(crate) use block;

impl Registry {
    /// Makes the memory an empty registry.
    pub(crate) fn initialize(self) {
        let names = block!(self, names).cast::<ListEntry>();
        for bucket in 0..index(BUCKETS) {
            list::initialize(names.add(bucket));
        }
        for head in [
            block!(self, ldr.in_load_order_module_list),
            block!(self, ldr.in_memory_order_module_list),
            block!(self, ldr.in_initialization_order_module_list),
            block!(self, pending),
            block!(self, threads),
            block!(self, notifications),
            block!(self, function_tables),
            block!(self, directories),
            block!(self, data_files),
        ] {
            list::initialize(head);
        }
        #[allow(clippy::cast_possible_truncation, reason = "a structure's size")]
        block!(self, ldr.length).write(size_of::<PebLdrData>() as u32);
    }

    fn bucket(self, hash: u32) -> Ptr<ListEntry> {
        block!(self, names)
            .cast::<ListEntry>()
            .add(index(hash % BUCKETS))
    }

    /// Links a module everywhere but into the order of initialisation.
    pub(crate) fn insert(self, module: Module) {
        list::insert_tail(
            block!(self, ldr.in_load_order_module_list),
            entry!(module, in_load_order_links),
        );
        list::insert_tail(
            block!(self, ldr.in_memory_order_module_list),
            entry!(module, in_memory_order_links),
        );
        let hash = entry!(module, base_name_hash_value).read();
        list::insert_tail(self.bucket(hash), entry!(module, hash_links));
        let tree = block!(self, tree);
        let (mut above, mut side) = (Ptr::NULL, Side::Left);
        let mut at = rb_tree::root(tree);
        while !at.is_null() {
            above = at;
            side = if module.base() < Module::of_tree_node(at).base() {
                Side::Left
            } else {
                Side::Right
            };
            at = rb_tree::child(at, side);
        }
        rb_tree::insert(tree, above, side, entry!(module, base_address_index_node));
        module.set(
            LdrEntryFlags::IN_LEGACY_LISTS | LdrEntryFlags::IN_INDEXES,
            true,
        );
    }

    /// Links a module behind those that were initialised before.
    pub(crate) fn append_initialized(self, module: Module) {
        let links = entry!(module, in_initialization_order_links);
        list::remove(links);
        list::insert_tail(block!(self, ldr.in_initialization_order_module_list), links);
    }

    /// Unlinks a module.
    pub(crate) fn remove(self, module: Module) {
        list::remove(entry!(module, in_load_order_links));
        list::remove(entry!(module, in_memory_order_links));
        list::remove(entry!(module, in_initialization_order_links));
        list::remove(entry!(module, hash_links));
        rb_tree::remove(block!(self, tree), entry!(module, base_address_index_node));
        module.set(
            LdrEntryFlags::IN_LEGACY_LISTS | LdrEntryFlags::IN_INDEXES,
            false,
        );
    }

    /// The modules with a hash, of which some may have another name.
    pub(crate) fn with_hash(self, hash: u32) -> impl Iterator<Item = Module> {
        list::entries(self.bucket(hash))
            .map(Module::of_hash_links)
            .filter(move |module| entry!(module, base_name_hash_value).read() == hash)
    }

    /// The module with a base name that came first.
    pub(crate) fn by_base_name(self, name: Utf16Str<'_>) -> Option<Module> {
        self.with_hash(hash(name))
            .find(|module| module.base_name().equals(name, Case::Insensitive))
    }

    /// The module with a path.
    pub(crate) fn by_full_name(self, base: Utf16Str<'_>, full: Utf16Str<'_>) -> Option<Module> {
        self.with_hash(hash(base))
            .find(|module| module.full_name().equals(full, Case::Insensitive))
    }

    /// The module that an address is in.
    pub(crate) fn by_address(self, address: usize) -> Option<Module> {
        let mut at = rb_tree::root(block!(self, tree));
        while !at.is_null() {
            let module = Module::of_tree_node(at);
            if address < module.base().address() {
                at = rb_tree::child(at, Side::Left);
            } else if module.contains(address) {
                return Some(module);
            } else {
                at = rb_tree::child(at, Side::Right);
            }
        }
        None
    }

    /// The module with a base.
    pub(crate) fn by_base(self, base: Ptr<u8>) -> Option<Module> {
        self.by_address(base.address())
            .filter(|module| module.base() == base)
    }

    /// The modules in the order of loading.
    pub(crate) fn in_load_order(self) -> impl Iterator<Item = Module> {
        list::entries(block!(self, ldr.in_load_order_module_list)).map(Module::of_load_links)
    }

    /// The modules in the order of initialisation.
    pub(crate) fn in_initialization_order(self) -> impl Iterator<Item = Module> {
        list::entries(block!(self, ldr.in_initialization_order_module_list))
            .map(Module::of_initialization_links)
    }

    /// The module that was loaded after one.
    pub(crate) fn loaded_after(self, module: Module) -> Option<Module> {
        let next = list::next(entry!(module, in_load_order_links));
        (next != block!(self, ldr.in_load_order_module_list)).then(|| Module::of_load_links(next))
    }

    /// The module that was loaded last.
    pub(crate) fn loaded_last(self) -> Option<Module> {
        let head = block!(self, ldr.in_load_order_module_list);
        let last = list::previous(head);
        (last != head).then(|| Module::of_load_links(last))
    }

    /// The last module of the order of initialisation for which something holds.
    pub(crate) fn initialized_last(self, mut holds: impl FnMut(Module) -> bool) -> Option<Module> {
        let head = block!(self, ldr.in_initialization_order_module_list);
        let mut at = list::previous(head);
        while at != head {
            let module = Module::of_initialization_links(at);
            if holds(module) {
                return Some(module);
            }
            at = list::previous(at);
        }
        None
    }
}

/// The hash of a base name: what Windows keeps in `BaseNameHashValue`.
pub(crate) fn hash(name: Utf16Str<'_>) -> u32 {
    name.hash_x65599(Case::Insensitive)
}
