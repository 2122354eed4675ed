//! Generic tables on splay trees: `RTL_GENERIC_TABLE`.
//!
//! The table's owner says how elements compare and where they come from. An element is the owner's bytes behind two links:
//! one for the tree, one for the order in which elements came, which `RtlGetElementGenericTable` counts by. That routine
//! remembers where it was, so going through a table by numbers takes one step each. Looking an element up moves it to the
//! top of the tree: even questions change the table, and the owner locks it for them.

use c_interface::{Function, Ptr, exports, field};
use nt_abi::native::{ListEntry, Pointer};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::splay::{self, Node, Side, SplayLinks};

/// `RTL_GENERIC_TABLE`.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct GenericTable {
    table_root: Pointer,
    insert_order_list: ListEntry,
    /// The element that was asked for last, by its number from 1 on; the list's head is number 0.
    ordered_pointer: Pointer,
    which_ordered_element: u32,
    number_generic_table_elements: u32,
    compare_routine: Pointer,
    allocate_routine: Pointer,
    free_routine: Pointer,
    /// The owner's own.
    pub table_context: Pointer,
}

/// What precedes the owner's bytes.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Header {
    links: SplayLinks,
    order: ListEntry,
}

/// Where the owner's bytes begin: they are aligned for 64 bits.
const USER_DATA: usize = size_of::<Header>().next_multiple_of(8);

const _: () = assert!(size_of::<GenericTable>() == if size_of::<usize>() == 8 { 72 } else { 40 });
const _: () = assert!(USER_DATA == if size_of::<usize>() == 8 { 40 } else { 24 });

type Table = Ptr<GenericTable>;
/// Compares two of the owner's structures; see [`crate::generic_tables`].
pub type Compare<T> = Function<fn(Ptr<T>, Ptr<u8>, Ptr<u8>) -> u32>;
/// Gives memory for an element.
pub type Allocate<T> = Function<fn(Ptr<T>, u32) -> Ptr<u8>>;
/// Takes an element's memory back.
pub type Free<T> = Function<fn(Ptr<T>, Ptr<u8>)>;

/// `GenericLessThan`.
pub(crate) const LESS_THAN: u32 = 0;
/// `GenericGreaterThan`.
pub(crate) const GREATER_THAN: u32 = 1;

/// Where an element is, or would be (`TABLE_SEARCH_RESULT` and its node).
#[derive(Clone, Copy)]
pub(crate) enum Place<N> {
    /// Nowhere: the table is empty.
    EmptyTree,
    /// Here.
    Found(Ptr<N>),
    /// Below this node.
    Below(Ptr<N>, Side),
}

impl<N> Place<N> {
    /// `TABLE_SEARCH_RESULT`.
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::EmptyTree => 0,
            Self::Found(_) => 1,
            Self::Below(_, Side::Left) => 2,
            Self::Below(_, Side::Right) => 3,
        }
    }

    /// From what `code` and `node` gave.
    pub(crate) fn new(code: u32, node: Ptr<N>) -> Self {
        match code {
            1 => Self::Found(node),
            2 => Self::Below(node, Side::Left),
            3 => Self::Below(node, Side::Right),
            _ => Self::EmptyTree,
        }
    }

    pub(crate) fn node(self) -> Ptr<N> {
        match self {
            Self::EmptyTree => Ptr::NULL,
            Self::Found(node) | Self::Below(node, _) => node,
        }
    }

    pub(crate) fn found(self) -> Option<Ptr<N>> {
        match self {
            Self::Found(node) => Some(node),
            _ => None,
        }
    }
}

fn root(table: Table) -> Node {
    Ptr::at(field!(table, GenericTable, table_root).read())
}

fn set_root(table: Table, node: Node) {
    field!(table, GenericTable, table_root).write(node.raw());
}

fn count(table: Table) -> Ptr<u32> {
    field!(table, GenericTable, number_generic_table_elements)
}

fn list(table: Table) -> Ptr<ListEntry> {
    field!(table, GenericTable, insert_order_list)
}

fn user_data(node: Node) -> Ptr<u8> {
    node.cast().byte_add(USER_DATA)
}

fn order(node: Node) -> Ptr<ListEntry> {
    field!(node.cast::<Header>(), Header, order)
}

/// Forgets which element was asked for last.
fn forget_order(table: Table) {
    field!(table, GenericTable, ordered_pointer).write(list(table).raw());
    field!(table, GenericTable, which_ordered_element).write(0);
}

fn find(table: Table, key: Ptr<u8>) -> Place<SplayLinks> {
    let compare = field!(table, GenericTable, compare_routine).read();
    let compare = Compare::new(Ptr::<u8>::at(compare).address());
    let Some(mut node) = root(table).non_null() else {
        return Place::EmptyTree;
    };
    loop {
        let side = match compare.call(table, key, user_data(node)) {
            LESS_THAN => Side::Left,
            GREATER_THAN => Side::Right,
            _ => return Place::Found(node),
        };
        match splay::child(node, side).non_null() {
            Some(next) => node = next,
            None => return Place::Below(node, side),
        }
    }
}

/// Makes an element and links it where it belongs; `None`: the owner has no memory.
fn insert_new(table: Table, from: Ptr<u8>, size: u32, place: Place<SplayLinks>) -> Option<Node> {
    let allocate = field!(table, GenericTable, allocate_routine).read();
    let allocate = Allocate::new(Ptr::<u8>::at(allocate).address());
    // The header has a few bytes.
    let header = u32::try_from(USER_DATA).ok()?;
    let node: Node = allocate
        .call(table, size.checked_add(header)?)
        .non_null()?
        .cast();
    node.write(SplayLinks {
        parent: node.raw(),
        ..SplayLinks::default()
    });
    if let Place::Below(above, side) = place {
        splay::link(above, side, node);
    }
    let head = list(table);
    let last = Ptr::<ListEntry>::at(field!(head, ListEntry, blink).read());
    order(node).write(ListEntry {
        flink: head.raw(),
        blink: last.raw(),
    });
    field!(last, ListEntry, flink).write(order(node).raw());
    field!(head, ListEntry, blink).write(order(node).raw());
    count(table).write(count(table).read() + 1);
    user_data(node).copy_from(from, usize::try_from(size).ok()?);
    Some(node)
}

fn insert(
    table: Table,
    from: Ptr<u8>,
    size: u32,
    is_new: Ptr<u8>,
    place: Place<SplayLinks>,
) -> Ptr<u8> {
    is_new.write_optional(u8::from(place.found().is_none()));
    let node = match place {
        Place::Found(node) => Some(node),
        _ => insert_new(table, from, size, place),
    };
    match node {
        Some(node) => {
            set_root(table, splay::splay(node));
            user_data(node)
        }
        None => {
            is_new.write_optional(0);
            Ptr::NULL
        }
    }
}

fn remove(table: Table, node: Node) {
    set_root(table, splay::delete(node));
    let links = order(node).read();
    field!(Ptr::<ListEntry>::at(links.blink), ListEntry, flink).write(links.flink);
    field!(Ptr::<ListEntry>::at(links.flink), ListEntry, blink).write(links.blink);
    count(table).write(count(table).read() - 1);
    forget_order(table);
    let free = field!(table, GenericTable, free_routine).read();
    Free::new(Ptr::<u8>::at(free).address()).call(table, node.cast());
}

/// The element that came as the nth, from 0; `None` if there are fewer.
fn nth(table: Table, index: u32) -> Option<Node> {
    let total = count(table).read();
    if index >= total {
        return None;
    }
    let wanted = index + 1;
    let mut at = Ptr::<ListEntry>::at(field!(table, GenericTable, ordered_pointer).read());
    let mut number = field!(table, GenericTable, which_ordered_element).read();
    // From where it was last, or from the head, whichever is nearer; the head is also behind the last one.
    if wanted < number / 2 {
        (at, number) = (list(table), 0);
    } else if wanted > number && total + 1 - wanted < wanted - number {
        (at, number) = (list(table), total + 1);
    }
    while number != wanted {
        if number < wanted {
            at = Ptr::at(field!(at, ListEntry, flink).read());
            number += 1;
        } else {
            at = Ptr::at(field!(at, ListEntry, blink).read());
            number -= 1;
        }
    }
    field!(table, GenericTable, ordered_pointer).write(at.raw());
    field!(table, GenericTable, which_ordered_element).write(wanted);
    Some(at.byte_sub(core::mem::offset_of!(Header, order)).cast())
}

exports! {
    /// Makes a table: the owner says how its structures compare and where elements come from.
    fn RtlInitializeGenericTable(
        table: Table,
        compare: Compare<GenericTable>,
        allocate: Allocate<GenericTable>,
        free: Free<GenericTable>,
        context: Ptr<u8>,
    ) {
        let address = |routine: usize| Ptr::<u8>::new(routine).raw();
        table.write(GenericTable {
            insert_order_list: ListEntry { flink: list(table).raw(), blink: list(table).raw() },
            ordered_pointer: list(table).raw(),
            compare_routine: address(compare.address()),
            allocate_routine: address(allocate.address()),
            free_routine: address(free.address()),
            table_context: context.raw(),
            ..GenericTable::default()
        });
    }

    /// Adds a copy of a structure, unless there is one that compares equal; gives the one in the table, null if the owner
    /// has no memory. `is_new` says whether it was added.
    fn RtlInsertElementGenericTable(table: Table, from: Ptr<u8>, size: u32, is_new: Ptr<u8>) -> Ptr<u8> {
        insert(table, from, size, is_new, find(table, from))
    }

    /// As `RtlInsertElementGenericTable`, at the place that `RtlLookupElementGenericTableFull` found.
    fn RtlInsertElementGenericTableFull(
        table: Table,
        from: Ptr<u8>,
        size: u32,
        is_new: Ptr<u8>,
        node_or_parent: Node,
        result: u32,
    ) -> Ptr<u8> {
        insert(table, from, size, is_new, Place::new(result, node_or_parent))
    }

    /// Removes the structure that compares equal; 0 if there is none (`BOOLEAN`).
    fn RtlDeleteElementGenericTable(table: Table, key: Ptr<u8>) -> u8 {
        let Some(node) = find(table, key).found() else { return 0 };
        remove(table, node);
        1
    }

    /// The structure that compares equal; null if there is none.
    fn RtlLookupElementGenericTable(table: Table, key: Ptr<u8>) -> Ptr<u8> {
        let Some(node) = find(table, key).found() else { return Ptr::NULL };
        set_root(table, splay::splay(node));
        user_data(node)
    }

    /// As `RtlLookupElementGenericTable`; says also where the structure is, or would be (`TABLE_SEARCH_RESULT`).
    fn RtlLookupElementGenericTableFull(
        table: Table,
        key: Ptr<u8>,
        node_or_parent: Ptr<usize>,
        result: Ptr<u32>,
    ) -> Ptr<u8> {
        let place = find(table, key);
        node_or_parent.write(place.node().address());
        result.write(place.code());
        let Some(node) = place.found() else { return Ptr::NULL };
        set_root(table, splay::splay(node));
        user_data(node)
    }

    /// The first structure, or the one after that at the top; null behind the last. It moves to the top.
    fn RtlEnumerateGenericTable(table: Table, restart: u8) -> Ptr<u8> {
        let Some(top) = root(table).non_null() else { return Ptr::NULL };
        let next = match restart {
            0 => splay::neighbour(top, Side::Right),
            _ => splay::end(top, Side::Left),
        };
        if next.is_null() {
            return Ptr::NULL;
        }
        set_root(table, splay::splay(next));
        user_data(next)
    }

    /// The first structure, or the one after that of the key; null behind the last. Nothing moves.
    fn RtlEnumerateGenericTableWithoutSplaying(table: Table, restart_key: Ptr<usize>) -> Ptr<u8> {
        let Some(top) = root(table).non_null() else { return Ptr::NULL };
        let next = match Node::new(restart_key.read()).non_null() {
            Some(last) => splay::neighbour(last, Side::Right),
            None => splay::end(top, Side::Left),
        };
        if next.is_null() {
            return Ptr::NULL;
        }
        restart_key.write(next.address());
        user_data(next)
    }

    /// The structure that was added as the nth, from 0; null if there are fewer.
    fn RtlGetElementGenericTable(table: Table, index: u32) -> Ptr<u8> {
        nth(table, index).map_or(Ptr::NULL, user_data)
    }

    /// How many structures there are.
    fn RtlNumberGenericTableElements(table: Table) -> u32 {
        count(table).read()
    }

    /// Whether there is none (`BOOLEAN`).
    fn RtlIsGenericTableEmpty(table: Table) -> u8 {
        u8::from(root(table).is_null())
    }
}

#[cfg(test)]
mod tests;
