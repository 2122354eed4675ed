//! Generic tables on AVL trees: `RTL_AVL_TABLE`, and the bare trees of `RTL_BALANCED_NODE`.
//!
//! As [`crate::generic_tables`], but questions change nothing that others see. The table has a node of its own above the
//! root, whose right child the root is. Elements are numbered in the order of the tree. An enumeration's key is the element
//! that it gave last; where that one is deleted, the table's own key goes back to the one before it.

use c_interface::{Function, Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::{Only64, Pointer, RtlBalancedNode};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::avl::{self, Links, Side};
use crate::generic_tables::{Allocate, Compare, Free, GREATER_THAN, LESS_THAN, Place};

/// `RTL_BALANCED_LINKS`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct BalancedLinks {
    parent: Pointer,
    left_child: Pointer,
    right_child: Pointer,
    balance: i8,
    reserved: [u8; 3],
    padding: Only64<u32>,
}

/// `RTL_AVL_TABLE`.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct AvlTable {
    balanced_root: BalancedLinks,
    /// The element that was asked for last by its number, from 1 on.
    ordered_pointer: Pointer,
    which_ordered_element: u32,
    number_generic_table_elements: u32,
    depth_of_tree: u32,
    padding0: Only64<u32>,
    restart_key: Pointer,
    delete_count: u32,
    padding1: Only64<u32>,
    compare_routine: Pointer,
    allocate_routine: Pointer,
    free_routine: Pointer,
    /// The owner's own.
    pub table_context: Pointer,
}

/// `RTL_AVL_TREE`.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct AvlTree {
    root: Pointer,
}

const WIDE: bool = size_of::<usize>() == 8;
const _: () = assert!(size_of::<BalancedLinks>() == if WIDE { 32 } else { 16 });
const _: () = assert!(size_of::<AvlTable>() == if WIDE { 104 } else { 56 });

/// Where the owner's bytes begin in an element.
const USER_DATA: usize = size_of::<BalancedLinks>();

type Node = Ptr<BalancedLinks>;
type Table = Ptr<AvlTable>;
/// Whether an enumeration wants a structure: a success, `NO_MATCH`, or `NO_MORE_MATCHES`.
type Match = Function<fn(Table, Ptr<u8>, Ptr<u8>) -> NtStatus>;

/// The nodes of tables.
struct TableLinks;

impl Links for TableLinks {
    type Node = BalancedLinks;
    type Tree = Table;

    fn child(node: Node, side: Side) -> Node {
        Ptr::at(match side {
            Side::Left => field!(node, BalancedLinks, left_child).read(),
            Side::Right => field!(node, BalancedLinks, right_child).read(),
        })
    }

    fn set_child(node: Node, side: Side, child: Node) {
        match side {
            Side::Left => field!(node, BalancedLinks, left_child).write(child.raw()),
            Side::Right => field!(node, BalancedLinks, right_child).write(child.raw()),
        }
    }

    fn parent(node: Node) -> Node {
        Ptr::at(field!(node, BalancedLinks, parent).read())
    }

    fn set_parent(node: Node, parent: Node) {
        field!(node, BalancedLinks, parent).write(parent.raw());
    }

    fn balance(node: Node) -> i8 {
        field!(node, BalancedLinks, balance).read()
    }

    fn set_balance(node: Node, balance: i8) {
        field!(node, BalancedLinks, balance).write(balance);
    }

    fn root(table: Table) -> Node {
        Self::child(above_root(table), Side::Right)
    }

    fn set_root(table: Table, node: Node) {
        Self::set_child(above_root(table), Side::Right, node);
    }

    fn above_root(table: Table) -> Node {
        above_root(table)
    }
}

fn above_root(table: Table) -> Node {
    field!(table, AvlTable, balanced_root)
}

/// The nodes of bare trees: the balance is in the two lowest bits of the parent's address, 3 being -1.
struct BareLinks;

/// The bits of `parent_value` that are no address.
const BALANCE_BITS: Pointer = 3;

impl Links for BareLinks {
    type Node = RtlBalancedNode;
    type Tree = Ptr<AvlTree>;

    fn child(node: Ptr<RtlBalancedNode>, side: Side) -> Ptr<RtlBalancedNode> {
        let [left, right] = field!(node, RtlBalancedNode, children).read();
        Ptr::at(if side == Side::Left { left } else { right })
    }

    fn set_child(node: Ptr<RtlBalancedNode>, side: Side, child: Ptr<RtlBalancedNode>) {
        let children = field!(node, RtlBalancedNode, children).cast::<Pointer>();
        children
            .add(usize::from(side == Side::Right))
            .write(child.raw());
    }

    fn parent(node: Ptr<RtlBalancedNode>) -> Ptr<RtlBalancedNode> {
        Ptr::at(field!(node, RtlBalancedNode, parent_value).read() & !BALANCE_BITS)
    }

    fn set_parent(node: Ptr<RtlBalancedNode>, parent: Ptr<RtlBalancedNode>) {
        let value = field!(node, RtlBalancedNode, parent_value);
        value.write(parent.raw() | value.read() & BALANCE_BITS);
    }

    fn balance(node: Ptr<RtlBalancedNode>) -> i8 {
        match field!(node, RtlBalancedNode, parent_value).read() & BALANCE_BITS {
            0 => 0,
            1 => 1,
            _ => -1,
        }
    }

    fn set_balance(node: Ptr<RtlBalancedNode>, balance: i8) {
        let value = field!(node, RtlBalancedNode, parent_value);
        let bits = match balance {
            0 => 0,
            1 => 1,
            _ => 3,
        };
        value.write(value.read() & !BALANCE_BITS | bits);
    }

    fn root(tree: Ptr<AvlTree>) -> Ptr<RtlBalancedNode> {
        Ptr::at(field!(tree, AvlTree, root).read())
    }

    fn set_root(tree: Ptr<AvlTree>, node: Ptr<RtlBalancedNode>) {
        field!(tree, AvlTree, root).write(node.raw());
    }

    fn above_root(_tree: Ptr<AvlTree>) -> Ptr<RtlBalancedNode> {
        Ptr::NULL
    }
}

fn user_data(node: Node) -> Ptr<u8> {
    node.cast().byte_add(USER_DATA)
}

/// The structure of a node; null for none.
fn user_data_or_null(node: Node) -> Ptr<u8> {
    node.non_null().map_or(Ptr::NULL, user_data)
}

fn count(table: Table) -> Ptr<u32> {
    field!(table, AvlTable, number_generic_table_elements)
}

fn forget_order(table: Table) {
    field!(table, AvlTable, ordered_pointer).write(0);
    field!(table, AvlTable, which_ordered_element).write(0);
}

fn first(table: Table) -> Node {
    match TableLinks::root(table).non_null() {
        Some(root) => avl::end::<TableLinks>(root, Side::Left),
        None => Ptr::NULL,
    }
}

fn next(table: Table, node: Node) -> Node {
    avl::neighbour::<TableLinks>(table, node, Side::Right)
}

fn previous(table: Table, node: Node) -> Node {
    avl::neighbour::<TableLinks>(table, node, Side::Left)
}

fn compare(table: Table, key: Ptr<u8>, node: Node) -> u32 {
    let routine = field!(table, AvlTable, compare_routine).read();
    Compare::new(Ptr::<u8>::at(routine).address()).call(table, key, user_data(node))
}

fn find(table: Table, key: Ptr<u8>) -> Place<BalancedLinks> {
    let Some(mut node) = TableLinks::root(table).non_null() else {
        return Place::EmptyTree;
    };
    loop {
        let side = match compare(table, key, node) {
            LESS_THAN => Side::Left,
            GREATER_THAN => Side::Right,
            _ => return Place::Found(node),
        };
        match TableLinks::child(node, side).non_null() {
            Some(next) => node = next,
            None => return Place::Below(node, side),
        }
    }
}

/// Makes an element and links it where it belongs; `None`: the owner has no memory.
fn insert_new(table: Table, from: Ptr<u8>, size: u32, place: Place<BalancedLinks>) -> Option<Node> {
    let allocate = field!(table, AvlTable, allocate_routine).read();
    let allocate = Allocate::new(Ptr::<u8>::at(allocate).address());
    let header = u32::try_from(USER_DATA).ok()?;
    let node: Node = allocate
        .call(table, size.checked_add(header)?)
        .non_null()?
        .cast();
    node.write(BalancedLinks::default());
    let side = match place {
        Place::Below(_, side) => side,
        _ => Side::Right,
    };
    if avl::insert::<TableLinks>(table, place.node(), side, node) {
        let depth = field!(table, AvlTable, depth_of_tree);
        depth.write(depth.read() + 1);
    }
    count(table).write(count(table).read() + 1);
    forget_order(table);
    user_data(node).copy_from(from, usize::try_from(size).ok()?);
    Some(node)
}

fn insert(
    table: Table,
    from: Ptr<u8>,
    size: u32,
    is_new: Ptr<u8>,
    place: Place<BalancedLinks>,
) -> Ptr<u8> {
    if let Some(node) = place.found() {
        is_new.write_optional(0);
        return user_data(node);
    }
    let node = insert_new(table, from, size, place);
    is_new.write_optional(u8::from(node.is_some()));
    node.map_or(Ptr::NULL, user_data)
}

fn remove(table: Table, node: Node) {
    let restart_key = field!(table, AvlTable, restart_key);
    if restart_key.read() == node.raw() {
        restart_key.write(previous(table, node).raw());
    }
    let deletions = field!(table, AvlTable, delete_count);
    deletions.write(deletions.read().wrapping_add(1));
    if avl::remove::<TableLinks>(table, node) {
        let depth = field!(table, AvlTable, depth_of_tree);
        depth.write(depth.read().saturating_sub(1));
    }
    count(table).write(count(table).read().saturating_sub(1));
    forget_order(table);
    let free = field!(table, AvlTable, free_routine).read();
    Free::new(Ptr::<u8>::at(free).address()).call(table, node.cast());
}

/// The nth element, from 0; `None` if there are fewer.
fn nth(table: Table, index: u32) -> Option<Node> {
    let total = count(table).read();
    if index >= total {
        return None;
    }
    let wanted = index + 1;
    let mut at = Node::at(field!(table, AvlTable, ordered_pointer).read());
    let mut number = field!(table, AvlTable, which_ordered_element).read();
    // From where it was last, or from one of the ends, whichever is nearer.
    if at.is_null() || wanted <= number / 2 {
        (at, number) = (first(table), 1);
    }
    if wanted > number && total - wanted < wanted - number {
        at = avl::end::<TableLinks>(TableLinks::root(table), Side::Right);
        number = total;
    }
    while number != wanted {
        if number < wanted {
            at = next(table, at);
            number += 1;
        } else {
            at = previous(table, at);
            number -= 1;
        }
    }
    field!(table, AvlTable, ordered_pointer).write(at.raw());
    field!(table, AvlTable, which_ordered_element).write(wanted);
    Some(at)
}

/// The element after that of a key, or the first; the key follows.
fn enumerate(table: Table, key: Node) -> Node {
    match key.non_null() {
        Some(last) => next(table, last),
        None => first(table),
    }
}

/// The element that an enumeration goes on with: by its key, or where `buffer` belongs if elements were deleted since.
fn resume(table: Table, key: Node, next_one: bool, buffer: Ptr<u8>) -> Node {
    let step = |node, on| if on { next(table, node) } else { node };
    if !key.is_null() {
        return step(key, next_one);
    }
    match find(table, buffer) {
        Place::EmptyTree => Ptr::NULL,
        Place::Found(node) => step(node, next_one),
        Place::Below(node, Side::Left) => node,
        Place::Below(node, Side::Right) => next(table, node),
    }
}

exports! {
    /// Makes a table: the owner says how its structures compare and where elements come from.
    fn RtlInitializeGenericTableAvl(
        table: Table,
        compare: Compare<AvlTable>,
        allocate: Allocate<AvlTable>,
        free: Free<AvlTable>,
        context: Ptr<u8>,
    ) {
        let address = |routine: usize| Ptr::<u8>::new(routine).raw();
        table.write(AvlTable {
            balanced_root: BalancedLinks { parent: above_root(table).raw(), ..BalancedLinks::default() },
            compare_routine: address(compare.address()),
            allocate_routine: address(allocate.address()),
            free_routine: address(free.address()),
            table_context: context.raw(),
            ..AvlTable::default()
        });
    }

    /// Adds a copy of a structure, unless there is one that compares equal; gives the one in the table, null if the owner
    /// has no memory. `is_new` says whether it was added.
    fn RtlInsertElementGenericTableAvl(table: Table, from: Ptr<u8>, size: u32, is_new: Ptr<u8>) -> Ptr<u8> {
        insert(table, from, size, is_new, find(table, from))
    }

    /// As `RtlInsertElementGenericTableAvl`, at the place that `RtlLookupElementGenericTableFullAvl` found.
    fn RtlInsertElementGenericTableFullAvl(
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
    fn RtlDeleteElementGenericTableAvl(table: Table, key: Ptr<u8>) -> u8 {
        let Some(node) = find(table, key).found() else { return 0 };
        remove(table, node);
        1
    }

    /// Removes the structure of a node that `RtlLookupElementGenericTableFullAvl` found.
    fn RtlDeleteElementGenericTableAvlEx(table: Table, node: Node) {
        remove(table, node);
    }

    /// The structure that compares equal; null if there is none.
    fn RtlLookupElementGenericTableAvl(table: Table, key: Ptr<u8>) -> Ptr<u8> {
        find(table, key).found().map_or(Ptr::NULL, user_data)
    }

    /// As `RtlLookupElementGenericTableAvl`; says also where the structure is, or would be (`TABLE_SEARCH_RESULT`).
    fn RtlLookupElementGenericTableFullAvl(
        table: Table,
        key: Ptr<u8>,
        node_or_parent: Ptr<usize>,
        result: Ptr<u32>,
    ) -> Ptr<u8> {
        let place = find(table, key);
        node_or_parent.write(place.node().address());
        result.write(place.code());
        place.found().map_or(Ptr::NULL, user_data)
    }

    /// The first of the structures that compare equal, for tables whose comparison has several of them; `restart_key` is
    /// one that `RtlEnumerateGenericTableWithoutSplayingAvl` goes on from.
    fn RtlLookupFirstMatchingElementGenericTableAvl(table: Table, key: Ptr<u8>, restart_key: Ptr<usize>) -> Ptr<u8> {
        restart_key.write(0);
        let Some(mut node) = find(table, key).found() else { return Ptr::NULL };
        while let Some(before) = previous(table, node).non_null() {
            if compare(table, key, before) <= GREATER_THAN {
                break;
            }
            node = before;
        }
        restart_key.write(node.address());
        user_data(node)
    }

    /// The first structure, or the next one after that given last; null behind the last.
    fn RtlEnumerateGenericTableAvl(table: Table, restart: u8) -> Ptr<u8> {
        let key = field!(table, AvlTable, restart_key);
        let last = if restart == 0 { Node::at(key.read()) } else { Ptr::NULL };
        let node = enumerate(table, last);
        if restart != 0 || !node.is_null() {
            key.write(node.raw());
        }
        user_data_or_null(node)
    }

    /// The first structure, or the one after that of the key; null behind the last.
    fn RtlEnumerateGenericTableWithoutSplayingAvl(table: Table, restart_key: Ptr<usize>) -> Ptr<u8> {
        let node = enumerate(table, Ptr::new(restart_key.read()));
        if !node.is_null() {
            restart_key.write(node.address());
        }
        user_data_or_null(node)
    }

    /// The next structure that is wanted, in a table that may change between calls: where elements were deleted since, it
    /// goes on where `buffer` belongs.
    fn RtlEnumerateGenericTableLikeADirectory(
        table: Table,
        wants: Match,
        wants_data: Ptr<u8>,
        next_flag: u32,
        restart_key: Ptr<usize>,
        delete_count: Ptr<u32>,
        buffer: Ptr<u8>,
    ) -> Ptr<u8> {
        let deletions = field!(table, AvlTable, delete_count).read();
        let mut key = Node::new(restart_key.read());
        if delete_count.read() != deletions {
            key = Ptr::NULL;
        }
        let mut node = resume(table, key, next_flag != 0, buffer);
        while !node.is_null() {
            let answer = match wants.non_null() {
                Some(wants) => wants.call(table, user_data(node), wants_data),
                None => NtStatus::SUCCESS,
            };
            if answer == NtStatus::NO_MORE_MATCHES {
                node = Ptr::NULL;
            } else if answer == NtStatus::NO_MATCH {
                key = node;
                node = next(table, node);
            } else {
                key = node;
                break;
            }
        }
        restart_key.write(key.address());
        delete_count.write(deletions);
        user_data_or_null(node)
    }

    /// The nth structure, from 0; null if there are fewer.
    fn RtlGetElementGenericTableAvl(table: Table, index: u32) -> Ptr<u8> {
        nth(table, index).map_or(Ptr::NULL, user_data)
    }

    /// How many structures there are.
    fn RtlNumberGenericTableElementsAvl(table: Table) -> u32 {
        count(table).read()
    }

    /// Whether there is none (`BOOLEAN`).
    fn RtlIsGenericTableEmptyAvl(table: Table) -> u8 {
        u8::from(count(table).read() == 0)
    }

    /// Links a node of a bare tree below another one, where there is none yet; `right` is a `BOOLEAN`.
    fn RtlAvlInsertNodeEx(tree: Ptr<AvlTree>, above: Ptr<RtlBalancedNode>, right: u8, node: Ptr<RtlBalancedNode>) {
        let side = if right == 0 { Side::Left } else { Side::Right };
        node.write(RtlBalancedNode::default());
        avl::insert::<BareLinks>(tree, above, side, node);
    }

    /// Takes a node out of a bare tree.
    fn RtlAvlRemoveNode(tree: Ptr<AvlTree>, node: Ptr<RtlBalancedNode>) {
        avl::remove::<BareLinks>(tree, node);
    }
}

#[cfg(test)]
mod tests;
