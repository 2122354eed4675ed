//! Fibers: several stacks in turn on one thread, as the program says.
//!
//! What a thread has as long as it is on a fiber (the limits of its stack, the fiber's slots) is in the TEB, and in the
//! fiber while it is not running. Registers lie on the fiber's own stack.
//!
//! # Differs
//! Registers that functions keep for their callers are switched with every fiber, floating-point ones too.
//! `FIBER_FLAG_FLOAT_SWITCH` adds rounding and traps.

use c_interface::blocks;
use nt_abi::native::{InitialTeb, Pointer, Teb};
use nt_abi::teb::SameTebFlags;
use ntdll_imports::{
    RtlCreateUserStack, RtlExitUserThread, RtlFreeUserStack, RtlProcessFlsData, RtlUserFiberStart,
};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::win::*;

/// `FIBER_FLAG_FLOAT_SWITCH`.
const FLOAT_SWITCH: u32 = 1;

/// What a thread ends with that deletes the fiber it is on.
const DELETED_ITSELF: u32 = 1;

/// A fiber. Programs know where its data is (`GetFiberData`), and nothing else of it.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Fiber {
    data: Pointer,
    exception_list: Pointer,
    stack_base: Pointer,
    stack_limit: Pointer,
    deallocation_stack: Pointer,
    activation_contexts: Pointer,
    fls_data: Pointer,
    /// Where its registers lie on its stack.
    registers: usize,
    guaranteed_bytes: u32,
    flags: u32,
}

fn is_fiber() -> bool {
    let flags = field!(teb(), Teb, same_teb_flags).read();
    flags.contains(SameTebFlags::HAS_FIBER_DATA)
}

/// Says whether the thread is a fiber, and which.
fn set_fiber(fiber: Option<Ptr<Fiber>>) {
    let place = field!(teb(), Teb, same_teb_flags);
    let others = place.read().difference(SameTebFlags::HAS_FIBER_DATA);
    let own = match fiber {
        Some(_) => SameTebFlags::HAS_FIBER_DATA,
        None => SameTebFlags::empty(),
    };
    place.write(others.union(own));
    field!(teb(), Teb, nt_tib.fiber_data).write(fiber.map_or(0, Ptr::raw));
}

/// The fiber that the thread is on.
fn current() -> Ptr<Fiber> {
    Ptr::at(field!(teb(), Teb, nt_tib.fiber_data).read())
}

/// Does something with each thing that the TEB and a fiber have alike.
macro_rules! for_each_part {
    ($fiber:ident, |$in_teb:ident, $in_fiber:ident| $do:expr) => {
        for_each_part!(@ $fiber, $in_teb, $in_fiber, $do;
            (nt_tib.exception_list) exception_list, (nt_tib.stack_base) stack_base, (nt_tib.stack_limit) stack_limit,
            (deallocation_stack) deallocation_stack, (activation_context_stack_pointer) activation_contexts,
            (fls_data) fls_data, (guaranteed_stack_bytes) guaranteed_bytes)
    };
    (@ $fiber:ident, $in_teb:ident, $in_fiber:ident, $do:expr; $(($($teb_field:tt).+) $field:ident),*) => {$({
        let $in_teb = field!(teb(), Teb, $($teb_field).+);
        let $in_fiber = field!($fiber, Fiber, $field);
        $do
    })*};
}

/// Notes in a fiber what the TEB has.
fn keep(fiber: Ptr<Fiber>) {
    for_each_part!(fiber, |in_teb, in_fiber| in_fiber.write(in_teb.read()));
}

/// Gives the TEB what is noted in a fiber.
fn bring_back(fiber: Ptr<Fiber>) {
    for_each_part!(fiber, |in_teb, in_fiber| in_teb.write(in_fiber.read()));
}

fn new_fiber(fiber: Fiber) -> Win<Ptr<Fiber>> {
    let place = blocks::allocate(size_of::<Fiber>()).ok_or(Error::NOT_ENOUGH_MEMORY)?;
    place.cast().write(fiber);
    Ok(place.cast())
}

fn convert(data: Ptr<u8>, flags: u32) -> Win<Ptr<Fiber>> {
    if flags & !FLOAT_SWITCH != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    if is_fiber() {
        return Err(Error::ALREADY_FIBER);
    }
    let fiber = new_fiber(Fiber {
        data: data.raw(),
        flags,
        ..Fiber::default()
    })?;
    set_fiber(Some(fiber));
    Ok(fiber)
}

fn create(
    commit: usize,
    reserve: usize,
    flags: u32,
    routine: usize,
    data: Ptr<u8>,
) -> Win<Ptr<Fiber>> {
    if flags & !FLOAT_SWITCH != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    let mut stack = InitialTeb::default();
    check(RtlCreateUserStack(
        commit,
        reserve,
        0,
        0,
        0,
        Ptr::of(&mut stack),
    ))?;
    let base = Ptr::<u8>::at(stack.stack_base).address();
    let entry = RtlUserFiberStart as *const () as usize;
    new_fiber(Fiber {
        data: data.raw(),
        // No exception list yet, as a new thread has it.
        exception_list: Pointer::MAX,
        stack_base: stack.stack_base,
        stack_limit: stack.stack_limit,
        deallocation_stack: stack.stack_allocation_base,
        registers: fibers::first_frame(base, entry, routine, data.address()),
        flags,
        ..Fiber::default()
    })
    .inspect_err(|_| RtlFreeUserStack(Ptr::at(stack.stack_allocation_base)))
}

exports! {
    /// Makes a fiber of this thread; null: it failed.
    fn ConvertThreadToFiberEx(data: Ptr<u8>, flags: u32) -> Ptr<u8> {
        answer(convert(data, flags), Ptr::NULL).cast()
    }

    /// Makes a fiber of this thread; null: it failed.
    fn ConvertThreadToFiber(data: Ptr<u8>) -> Ptr<u8> {
        answer(convert(data, 0), Ptr::NULL).cast()
    }

    /// Makes a thread again of what was one. It keeps the stack that it is on.
    fn ConvertFiberToThread() -> Bool {
        if !is_fiber() {
            return truth(Err(Error::ALREADY_THREAD));
        }
        let fiber = current();
        set_fiber(None);
        blocks::free(fiber.cast());
        TRUE
    }

    /// Makes a fiber with a stack of its own; null: it failed. Sizes in bytes, 0 for those of the program's image.
    fn CreateFiberEx(commit: usize, reserve: usize, flags: u32, routine: usize, data: Ptr<u8>) -> Ptr<u8> {
        answer(create(commit, reserve, flags, routine, data), Ptr::NULL).cast()
    }

    /// Makes a fiber with a stack of its own; null: it failed.
    fn CreateFiber(commit: usize, routine: usize, data: Ptr<u8>) -> Ptr<u8> {
        answer(create(commit, 0, 0, routine, data), Ptr::NULL).cast()
    }

    /// Goes on with another fiber; returns when somebody comes back to this one.
    fn SwitchToFiber(fiber: Ptr<u8>) {
        let (from, to) = (current(), fiber.cast::<Fiber>());
        if from == to {
            return;
        }
        keep(from);
        bring_back(to);
        field!(teb(), Teb, nt_tib.fiber_data).write(to.raw());
        let floats = field!(to, Fiber, flags).read() & FLOAT_SWITCH;
        let registers = field!(to, Fiber, registers).read();
        fibers::switch(field!(from, Fiber, registers), registers, floats);
    }

    /// Takes a fiber away with its stack; the thread ends that is on it.
    fn DeleteFiber(fiber: Ptr<u8>) {
        let fiber = fiber.cast::<Fiber>();
        if is_fiber() && fiber == current() {
            RtlExitUserThread(DELETED_ITSELF);
        }
        let found = fiber.read();
        // Its values go, and the functions of their slots hear of it.
        RtlProcessFlsData(Ptr::at(found.fls_data), 3);
        if found.deallocation_stack != 0 {
            RtlFreeUserStack(Ptr::at(found.deallocation_stack));
        }
        blocks::free(fiber.cast());
    }

    /// Whether this thread is a fiber.
    fn IsThreadAFiber() -> Bool {
        Bool::from(is_fiber())
    }
}
