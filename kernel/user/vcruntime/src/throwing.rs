//! `throw`, and the handler of functions with `try` blocks or destructors.

use c_interface::{Function, Ptr, exports, field};
use cxx_exceptions::catches::{self, Doomed, Running, Thread};
use cxx_exceptions::handler::{Call, CatchCall, Handled, Outcome, World, handle};
use cxx_exceptions::thrown::{PARAMETERS, ThrowInfo, Thrown};
use cxx_exceptions::{CXX_EXCEPTION, MAGIC, PURE_MAGIC};
use funclets::{Context, DispatcherContext, Guard, Machine};
use nt_abi::exception::{ExceptionDisposition, ExceptionFlags};
use nt_abi::native::{ExceptionPointers, ExceptionRecord, Pointer};
use unwind::machine::Machine as _;

use crate::ntdll::{RtlLookupFunctionEntry, RtlRaiseException, RtlUnwindEx};
use crate::terminate::end;
use crate::thread::thread;

exports! {
    /// Throws an object, or again what is being handled for none.
    ///
    /// # NT
    /// `_CxxThrowException`: an exception with four parameters, that nobody can continue.
    cdecl fn _CxxThrowException(object: usize, info: Ptr<ThrowInfo>) {
        if info.is_null() && field!(thread(), Thread, handled_record).read() == 0 {
            end();
        }
        let mut base = 0;
        let mut magic = *MAGIC.start();
        if let Some(fields) = info.read_optional() {
            RtlLookupFunctionEntry(info.address(), Ptr::of(&mut base), Ptr::NULL);
            if fields.attributes & ThrowInfo::PURE != 0 {
                magic = PURE_MAGIC;
            }
        }
        let mut record = ExceptionRecord {
            exception_code: CXX_EXCEPTION,
            exception_flags: ExceptionFlags::NONCONTINUABLE,
            number_parameters: PARAMETERS,
            ..ExceptionRecord::default()
        };
        record.exception_information[0] = Pointer::from(magic);
        record.exception_information[1] = Ptr::<u8>::new(object).raw();
        record.exception_information[2] = info.raw();
        record.exception_information[3] = Ptr::<u8>::new(base).raw();
        RtlRaiseException(Ptr::of(&mut record));
        end();
    }

    /// The handler of functions with `try` blocks or destructors.
    cdecl fn __CxxFrameHandler3(
        record: Ptr<ExceptionRecord>,
        frame: usize,
        context: Ptr<Context>,
        dispatcher: Ptr<DispatcherContext>,
    ) -> ExceptionDisposition {
        let fields = dispatcher.read();
        let call = Machine::call(&fields);
        let relative = |address: Pointer| {
            u32::try_from(address.wrapping_sub(call.image_base)).unwrap_or(u32::MAX)
        };
        let left_at = Machine::left_at(call.control_pc, call.behind_call);
        let mut own = Own {
            registers: call.registers,
        };
        let outcome = handle(
            &mut own,
            &Call {
                record,
                context: context.address(),
                frame,
                image_base: Ptr::<u8>::at(call.image_base).address(),
                function: Ptr::<u32>::at(call.function_entry).read(),
                left_at: relative(left_at),
                // A jump goes on behind the call of `setjmp`.
                target: relative(Machine::left_at(call.target, true)),
                handler_data: Ptr::at(call.handler_data),
                run_catch: run_catch as *const () as usize,
            },
        );
        match outcome {
            Outcome::GoOn => ExceptionDisposition::CONTINUE_SEARCH,
            Outcome::Unwind(frame, mut record) => {
                let funclet = CatchCall::of(&record).funclet;
                let scratch = Ptr::at(call.context);
                RtlUnwindEx(frame, funclet, Ptr::of(&mut record), 0, scratch, Ptr::at(call.history_table));
                end()
            }
            Outcome::Terminate => end(),
        }
    }

    /// Destroys the object of an exception of C++.
    cdecl fn __DestructExceptionObject(record: Ptr<ExceptionRecord>, _throws: u8) {
        let thrown = record.read_optional().and_then(|record| Thrown::of(&record));
        if let Some(thrown) = thrown
            && let Some(destructor) = thrown.destructor()
        {
            destroy(Doomed {
                object: thrown.object,
                destructor,
            });
        }
    }

    /// What a guard against exceptions of destructors answers: it ends the process for one of C++'s, while another one is on
    /// its way, and lets others pass.
    cdecl fn __FrameUnwindFilter(pointers: Ptr<ExceptionPointers>) -> i32 {
        let record = Ptr::<ExceptionRecord>::at(pointers.read().exception_record);
        if record.read().exception_code == CXX_EXCEPTION {
            end();
        }
        0
    }
}

/// The handler's world: this thread.
struct Own {
    /// The registers of the frame, where funclets want them.
    registers: Pointer,
}

impl World for Own {
    fn destroy(&mut self, funclet: usize, frame: usize) {
        count_uncaught(1);
        let _ = funclets::call_funclet(funclet, frame, self.registers, on_the_way, 0);
        count_uncaught(-1);
    }

    fn copy_object(&mut self, constructor: usize, to: usize, from: usize, most_derived: bool) {
        count_uncaught(1);
        let arguments = [to, from, usize::from(most_derived)];
        let _ = funclets::call(constructor, &arguments, on_the_way, 0);
        count_uncaught(-1);
    }

    fn translate(&mut self, record: Ptr<ExceptionRecord>, context: usize) {
        let translator = field!(thread(), Thread, translator).read();
        if let Some(translator) = Function::<fn(u32, Ptr<u8>)>::new(translator).non_null() {
            let mut pointers = ExceptionPointers {
                exception_record: record.raw(),
                context_record: Ptr::<u8>::new(context).raw(),
            };
            let code = record.read().exception_code;
            translator.call_cdecl(code, Ptr::of(&mut pointers).cast());
        }
    }

    fn handled(&self) -> Handled {
        catches::handled(thread())
    }
}

/// Runs a `catch` block: what ntdll calls at the end of an unwind to one. Gives the address where its function goes on.
extern "C" fn run_catch(record: Ptr<ExceptionRecord>) -> usize {
    let call = CatchCall::of(&record.read());
    let mut running = Running::default();
    let place = Ptr::of(&mut running);
    catches::begin(thread(), place, call.exception);
    let next = funclets::call_funclet(
        call.funclet,
        call.body_frame,
        call.registers,
        catch_left,
        place.address(),
    );
    if let Some(doomed) = catches::end(thread(), place) {
        destroy(doomed);
    }
    call.end();
    next
}

/// Destroys the object of an exception.
fn destroy(doomed: Doomed) {
    let guard: Guard = must_not_throw;
    let _ = funclets::call(doomed.destructor, &[doomed.object, 0, 0], guard, 0);
}

/// One exception more is on its way, or one less.
fn count_uncaught(change: isize) {
    let place = field!(thread(), Thread, uncaught);
    place.write(place.read().wrapping_add_signed(change));
}

/// Whether handlers are called to unwind.
fn is_unwinding(record: &ExceptionRecord) -> bool {
    let flags = ExceptionFlags::UNWINDING | ExceptionFlags::EXIT_UNWIND;
    record.exception_flags.intersects(flags)
}

/// An exception leaves what must not throw: C++ ends there.
extern "C" fn must_not_throw(record: Ptr<ExceptionRecord>, _data: usize) {
    let record = record.read();
    if !is_unwinding(&record) && record.exception_code == CXX_EXCEPTION {
        end();
    }
}

/// The same, in what runs while an exception is on its way: another kind of exception, or a jump, may leave it.
extern "C" fn on_the_way(record: Ptr<ExceptionRecord>, data: usize) {
    must_not_throw(record, data);
    if is_unwinding(&record.read()) {
        count_uncaught(-1);
    }
}

/// An exception leaves a `catch` block: once the stack is unwound, the one that it handled is over.
extern "C" fn catch_left(record: Ptr<ExceptionRecord>, data: usize) {
    let fields = record.read();
    if !is_unwinding(&fields) {
        return;
    }
    let run_catch = run_catch as *const () as usize;
    if let Some(doomed) = catches::abandon(thread(), Ptr::new(data), &fields, run_catch) {
        destroy(doomed);
    }
}
