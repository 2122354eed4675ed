//! A module: its entry in the lists that programs see, and behind it what the loader alone knows.
//!
//! Entries are memory of the process, because others walk them: debuggers through `PEB.Ldr`, programs that look for a
//! DLL by hand, protection software. So a module is an address here, read and written field by field; nothing of it is
//! borrowed, and a callback in the middle of an operation finds everything as it is. The fields behind Windows' own are
//! ours.

use c_interface::Ptr;
use nt_abi::loader::LdrEntryFlags;
use nt_abi::native::{LdrDataTableEntry, ListEntry, Pointer, RtlBalancedNode, Size, UnicodeString};
use pe::{Directory, Headers};
use rtl::Utf16Str;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::exports::ExportTable;
use crate::graph::Node;
use crate::number::index;
use crate::view::View;

/// Where a directory is in the image; no address if it has none.
#[derive(Clone, Copy, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Place {
    pub(crate) rva: u32,
    pub(crate) size: u32,
}

impl Place {
    pub(crate) fn of(headers: &Headers, directory: Directory) -> Self {
        headers
            .directory(directory)
            .map_or_else(Self::default, |found| Self {
                rva: found.rva,
                size: found.size,
            })
    }
}

/// The memory of a module. The units of its full name follow.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct ModuleRecord {
    /// What programs see.
    pub(crate) entry: LdrDataTableEntry,
    /// The export directory, once it was looked at.
    pub(crate) exports: ExportTable,
    /// Bytes of the image that can be read.
    pub(crate) readable: u32,
    /// `IMAGE_DLLCHARACTERISTICS_*`, and in the upper half what the view was given with (bit 16: not at its base).
    pub(crate) characteristics: u32,
    pub(crate) import: Place,
    pub(crate) address_table: Place,
    pub(crate) tls: Place,
    pub(crate) load_config: Place,
    pub(crate) exception: Place,
    /// The TLS index, if it has static TLS.
    pub(crate) tls_index: u32,
    /// Where a walk over the graph left it: what it needs before it.
    pub(crate) order: u32,
    /// Which initialisation of all it was, from 1; 0 before.
    pub(crate) sequence: u32,
    /// How far it is ([`Phase`]).
    pub(crate) phase: u32,
    /// Which operation wants to initialise it.
    pub(crate) mark: u32,
    /// Its static TLS.
    pub(crate) tls_template_rva: u32,
    pub(crate) tls_template_size: u32,
    pub(crate) tls_zero_fill: u32,
    pub(crate) tls_alignment: u32,
    /// So that the links are aligned.
    pub(crate) reserved: u32,
    /// The list of modules that wait for their entry points.
    pub(crate) pending: ListEntry,
}

/// How far a module is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Phase(pub(crate) u32);

impl Phase {
    /// In memory.
    pub(crate) const MAPPED: Self = Self(0);
    /// Its imports are resolved.
    pub(crate) const SNAPPED: Self = Self(1);
    /// Its entry point is being called, or was and failed.
    pub(crate) const INITIALIZING: Self = Self(2);
    /// In use.
    pub(crate) const READY: Self = Self(3);
    /// It was told that it goes.
    pub(crate) const DETACHED: Self = Self(4);
}

/// A module of the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Module(pub(crate) Ptr<ModuleRecord>);

/// The address of a field of the entry.
macro_rules! entry {
    ($module:expr, $field:ident) => {
        c_interface::field!($module.entry(), nt_abi::native::LdrDataTableEntry, $field)
    };
}

/// The address of a field of our own.
macro_rules! own {
    ($module:expr, $($field:tt).+) => {
        c_interface::field!($module.0, $crate::module::ModuleRecord, $($field).+)
    };
}

pub(crate) use {entry, own};

impl Module {
    /// Its entry.
    pub(crate) fn entry(self) -> Ptr<LdrDataTableEntry> {
        self.0.cast()
    }

    /// The module whose entry's field is at an address.
    pub(crate) fn of_load_links(links: Ptr<ListEntry>) -> Self {
        // They are the entry's first field.
        Self(links.cast())
    }

    pub(crate) fn of_initialization_links(links: Ptr<ListEntry>) -> Self {
        let offset = core::mem::offset_of!(LdrDataTableEntry, in_initialization_order_links);
        Self(links.byte_sub(offset).cast())
    }

    pub(crate) fn of_hash_links(links: Ptr<ListEntry>) -> Self {
        let offset = core::mem::offset_of!(LdrDataTableEntry, hash_links);
        Self(links.byte_sub(offset).cast())
    }

    pub(crate) fn of_node_links(links: Ptr<ListEntry>) -> Self {
        let offset = core::mem::offset_of!(LdrDataTableEntry, node_module_link);
        Self(links.byte_sub(offset).cast())
    }

    pub(crate) fn of_tree_node(node: Ptr<RtlBalancedNode>) -> Self {
        let offset = core::mem::offset_of!(LdrDataTableEntry, base_address_index_node);
        Self(node.byte_sub(offset).cast())
    }

    /// Its first byte.
    #[inline]
    pub(crate) fn base(self) -> Ptr<u8> {
        Ptr::at(entry!(self, dll_base).read())
    }

    /// Bytes of the image.
    pub(crate) fn size(self) -> u32 {
        entry!(self, size_of_image).read()
    }

    /// Whether an address is in it.
    pub(crate) fn contains(self, address: usize) -> bool {
        address
            .checked_sub(self.base().address())
            .is_some_and(|offset| offset < index(self.size()))
    }

    /// Where it starts; null if nowhere.
    pub(crate) fn entry_point(self) -> Ptr<u8> {
        Ptr::at(entry!(self, entry_point).read())
    }

    /// Its bytes.
    #[inline]
    pub(crate) fn view(self) -> View {
        View {
            base: self.base(),
            readable: own!(self, readable).read(),
        }
    }

    /// Its path.
    pub(crate) fn full_name(self) -> Utf16Str<'static> {
        text(entry!(self, full_dll_name).read())
    }

    /// The last part of its path.
    pub(crate) fn base_name(self) -> Utf16Str<'static> {
        text(entry!(self, base_dll_name).read())
    }

    pub(crate) fn flags(self) -> LdrEntryFlags {
        LdrEntryFlags(entry!(self, flags).read())
    }

    pub(crate) fn has(self, flag: LdrEntryFlags) -> bool {
        self.flags().contains(flag)
    }

    pub(crate) fn set(self, flag: LdrEntryFlags, on: bool) {
        let mut flags = self.flags();
        flags.set(flag, on);
        entry!(self, flags).write(flags.bits());
    }

    /// Its node in the graph of dependencies.
    #[inline]
    pub(crate) fn node(self) -> Node {
        Node(Ptr::at(entry!(self, ddag_node).read()))
    }

    /// Whether it has static TLS, and its index.
    pub(crate) fn tls_index(self) -> Option<u32> {
        (entry!(self, tls_index).read() != 0).then(|| own!(self, tls_index).read())
    }

    pub(crate) fn phase(self) -> Phase {
        Phase(own!(self, phase).read())
    }

    pub(crate) fn set_phase(self, phase: Phase) {
        own!(self, phase).write(phase.0);
    }
}

/// In the upper half of a record's characteristics: the image is not where it was linked for.
pub(crate) const MOVED: u32 = 1 << 16;

/// The text of a string of the process. It lives as long as its module.
fn text(string: UnicodeString) -> Utf16Str<'static> {
    Utf16Str::new(Ptr::<u16>::at(string.buffer).slice(usize::from(string.length / 2)))
}

/// A string over units of the process.
pub(crate) fn unicode_string(units: Ptr<u16>, count: u16) -> UnicodeString {
    UnicodeString {
        length: count * 2,
        maximum_length: (count * 2).saturating_add(2),
        buffer: units.raw(),
        ..UnicodeString::default()
    }
}

/// An address as the fields of entries have it.
pub(crate) fn raw_size(address: usize) -> Size {
    let raw: Pointer = Ptr::<u8>::new(address).raw();
    raw
}
