//! The process as the walks over a stack see it.

use core::cell::Cell;

use c_interface::{Ptr, field};
use entries::exceptions::{
    Context, DispatcherContext, call_filter, call_termination, execute_handler_for_exception,
    execute_handler_for_unwind,
};
use nt_abi::exception::{ExceptionDisposition, ExceptionFlags};
use nt_abi::native::{ExceptionPointers, ExceptionRecord, Teb};
use pe::ImageBytes;
use unwind::c_handler::CPlatform;
use unwind::platform::{Platform, Purpose, StackLimits};
use unwind::tables::{self, Tables as _};
use unwind::{FunctionEntry, Functions, Memory};

use super::{Machine, Registers};
use crate::loading::{self, DynamicEntry, ImageRange, dynamic_entry};
use crate::process;

/// An entry of the machine's function tables.
pub(super) type Function = <Machine as unwind::machine::Machine>::Function;

/// How far unwind data can be from what it is relative to.
const REACH: u64 = 1 << 32;

/// The own process, and the calling thread's stack.
pub(super) struct Own {
    /// Of the stack what may be read.
    limits: StackLimits,
    /// The image that was looked at last: a function's unwind data is in the function's image.
    image: Cell<ImageRange>,
    /// What the unwind data of the last function that is in no image is relative to.
    dynamic: Cell<Option<u64>>,
}

impl Own {
    pub(super) fn new() -> Self {
        let teb = process::teb();
        Self::within(StackLimits {
            low: field!(teb, Teb, nt_tib.stack_limit).read(),
            high: field!(teb, Teb, nt_tib.stack_base).read(),
        })
    }

    /// The same for a walk that is not over the calling thread's stack: everything may be read.
    pub(super) fn without_limits() -> Self {
        Self::within(StackLimits {
            low: 0,
            high: u64::MAX,
        })
    }

    fn within(limits: StackLimits) -> Self {
        Self {
            limits,
            image: Cell::new(ImageRange::default()),
            dynamic: Cell::new(None),
        }
    }

    fn image_of(&self, address: u64) -> Option<ImageRange> {
        let image = self.image.get();
        if image.contains(address) {
            return Some(image);
        }
        let image = loading::image_at(address)?;
        self.image.set(image);
        Some(image)
    }
}

impl Memory for Own {
    fn read(&self, address: u64) -> Option<u64> {
        let end = address.checked_add(8)?;
        (address >= self.limits.low && end <= self.limits.high)
            .then(|| Ptr::<u64>::at(address).read())
    }

    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        match self.image_of(address) {
            Some(image) => image.bytes(address, length),
            // Of code that a program made, and of its unwind data, nobody but the program knows where they end.
            None => {
                let offset = address.checked_sub(self.dynamic.get()?)?;
                (offset < REACH).then(|| Ptr::at(address).slice(length))
            }
        }
    }
}

impl Own {
    /// The entry of a function that is in no image.
    fn find_dynamic(&self, pc: u64) -> Option<FunctionEntry<Function>> {
        let DynamicEntry { entry, base } = dynamic_entry(pc)?;
        let (_, function) = Machine::read(entry.slice(Machine::ENTRY))?;
        self.dynamic.set(Some(base));
        Some(FunctionEntry {
            image_base: base,
            address: entry.raw(),
            function,
        })
    }
}

/// An image's bytes, by their places in it.
struct Bytes(ImageRange);

impl<'a> ImageBytes<'a> for Bytes {
    fn bytes_at(&self, rva: u32, length: usize) -> Option<&'a [u8]> {
        self.0.bytes(self.0.base + u64::from(rva), length)
    }
}

impl Functions for Own {
    type Function = Function;

    fn find(&self, pc: u64) -> Option<FunctionEntry<Function>> {
        let Some(image) = self.image_of(pc) else {
            return self.find_dynamic(pc);
        };
        let rva = u32::try_from(pc - image.base).ok()?;
        let table = image.function_table();
        let (number, function) = tables::find_function::<Machine>(
            table.slice(image.function_bytes()),
            rva,
            &Bytes(image),
        )?;
        Some(FunctionEntry {
            image_base: image.base,
            address: table.byte_add(number * Machine::ENTRY).raw(),
            function,
        })
    }
}

impl Platform for Own {
    type Machine = Machine;

    fn stack_limits(&self) -> StackLimits {
        self.limits
    }

    fn record(&self, address: u64) -> ExceptionRecord {
        Ptr::at(address).read()
    }

    fn set_flags(&mut self, record: u64, flags: ExceptionFlags) {
        field!(Ptr::at(record), ExceptionRecord, exception_flags).write(flags);
    }

    fn set_parameter(&mut self, record: u64, index: usize, value: u64) {
        field!(Ptr::at(record), ExceptionRecord, exception_information)
            .cast::<u64>()
            .add(index)
            .write(value);
    }

    fn context(&self, address: u64) -> Context {
        Ptr::at(address).read()
    }

    fn set_context(&mut self, address: u64, context: &Context) {
        Ptr::at(address).write(*context);
    }

    fn set_registers(&mut self, address: u64, registers: &Registers) {
        Ptr::at(address).write(*registers);
    }

    fn call_handler(
        &mut self,
        purpose: Purpose,
        record: u64,
        context: u64,
        dispatcher: &mut DispatcherContext,
    ) -> ExceptionDisposition {
        let frame = dispatcher.establisher_frame;
        let (record, context) = (Ptr::at(record), Ptr::at(context));
        let dispatcher = Ptr::of(dispatcher);
        ExceptionDisposition(match purpose {
            Purpose::Search => execute_handler_for_exception(record, frame, context, dispatcher),
            Purpose::Unwind => execute_handler_for_unwind(record, frame, context, dispatcher),
        })
    }
}

impl CPlatform for Own {
    fn dispatcher(&self, address: u64) -> DispatcherContext {
        Ptr::at(address).read()
    }

    fn set_scope_index(&mut self, dispatcher: u64, index: u32) {
        field!(Ptr::at(dispatcher), DispatcherContext, scope_index).write(index);
    }

    fn call_filter(
        &mut self,
        filter: u64,
        record: u64,
        context: u64,
        frame: u64,
        dispatcher: u64,
    ) -> i32 {
        let mut pointers = ExceptionPointers {
            exception_record: record,
            context_record: context,
        };
        let pointers = Ptr::of(&mut pointers).raw();
        call_filter(filter, pointers, frame, Ptr::at(dispatcher))
    }

    fn call_termination(&mut self, block: u64, frame: u64, dispatcher: u64) {
        call_termination(block, frame, Ptr::at(dispatcher));
    }
}
