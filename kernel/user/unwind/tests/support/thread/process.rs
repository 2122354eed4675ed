//! The thread as the crate under test sees it.

use std::rc::Rc;

use nt_abi::exception::{ExceptionDisposition, ExceptionFlags};
use nt_abi::w64::ExceptionRecord;
use unwind::c_handler::CPlatform;
use unwind::platform::{Platform, Purpose, StackLimits};
use unwind::{FunctionEntry, Functions, Memory};

use super::{
    BASE, C_HANDLER, CALLS_FOR_SEARCH, CALLS_FOR_UNWIND, CODE, FIRST, Handling, Rig, Thread,
};

impl<M: Rig> Memory for Thread<M> {
    fn read(&self, address: u64) -> Option<u64> {
        self.words.get(&address).copied()
    }

    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        let rva = usize::try_from(address.checked_sub(BASE)?).ok()?;
        self.image.get(rva..)?.get(..length)
    }
}

impl<M: Rig> Functions for Thread<M> {
    type Function = M::Function;

    fn find(&self, pc: u64) -> Option<FunctionEntry<M::Function>> {
        let rva = pc.checked_sub(BASE + u64::from(FIRST))?;
        let number = usize::try_from(rva / u64::from(CODE)).ok()?;
        let function = (*self.functions.get(number)?)?;
        Some(FunctionEntry {
            image_base: BASE,
            address: 0xE000 + number as u64,
            function,
        })
    }
}

impl<M: Rig> Platform for Thread<M> {
    type Machine = M;

    fn stack_limits(&self) -> StackLimits {
        self.limits
    }

    fn record(&self, address: u64) -> ExceptionRecord {
        self.records[&address]
    }

    fn set_flags(&mut self, record: u64, flags: ExceptionFlags) {
        self.set_record_flags(record, flags);
    }

    fn set_parameter(&mut self, record: u64, index: usize, value: u64) {
        self.records.get_mut(&record).unwrap().exception_information[index] = value;
    }

    fn context(&self, address: u64) -> M::Context {
        self.contexts[&address]
    }

    fn set_context(&mut self, address: u64, context: &M::Context) {
        self.contexts.insert(address, *context);
    }

    fn set_registers(&mut self, address: u64, registers: &M::Registers) {
        self.registers.insert(address, *registers);
    }

    fn call_handler(
        &mut self,
        purpose: Purpose,
        record: u64,
        context: u64,
        dispatcher: &mut M::Dispatcher,
    ) -> ExceptionDisposition {
        self.calls += 1;
        let caller = match purpose {
            Purpose::Search => CALLS_FOR_SEARCH,
            Purpose::Unwind => CALLS_FOR_UNWIND,
        };
        let call = M::call(dispatcher);
        let handler = Rc::clone(&self.handlers[&call.handler]);
        let address = self.room();
        self.dispatchers.insert(address, *dispatcher);
        let mut answer = ExceptionDisposition(0xFFFF);
        self.call(caller, |thread| {
            let frame = thread.frame();
            thread.saved.insert(frame, address);
            answer = handler(
                thread,
                Handling {
                    record,
                    frame: call.establisher_frame,
                    context,
                    dispatcher: address,
                },
            );
        });
        *dispatcher = self.dispatchers[&address];
        answer
    }
}

impl<M: Rig> CPlatform for Thread<M> {
    fn dispatcher(&self, address: u64) -> M::Dispatcher {
        self.dispatchers[&address]
    }

    fn set_scope_index(&mut self, dispatcher: u64, index: u32) {
        let mut call = self.dispatcher_at(dispatcher);
        call.scope_index = index;
        self.dispatchers.insert(dispatcher, M::dispatcher(&call));
    }

    fn call_filter(
        &mut self,
        filter: u64,
        record: u64,
        context: u64,
        frame: u64,
        dispatcher: u64,
    ) -> i32 {
        let script = Rc::clone(&self.filters[&((filter - BASE) as u32)]);
        let mut answer = 0;
        self.call(C_HANDLER, |thread| {
            answer = script(
                thread,
                Handling {
                    record,
                    frame,
                    context,
                    dispatcher,
                },
            );
        });
        answer
    }

    fn call_termination(&mut self, block: u64, frame: u64, dispatcher: u64) {
        let script = Rc::clone(&self.filters[&((block - BASE) as u32)]);
        self.call(C_HANDLER, |thread| {
            script(
                thread,
                Handling {
                    record: 0,
                    frame,
                    context: 0,
                    dispatcher,
                },
            );
        });
    }
}
