//! What programs and compilers' libraries call: unwinding, looking up functions, the handler of C.

use c_interface::{Ptr, exports, field};
use entries::exceptions::{Context, DispatcherContext};
use nt_abi::NtStatus;
use nt_abi::exception::{ExceptionDisposition, HandlerTypes, UnwindHistoryTable};
use nt_abi::native::ExceptionRecord;
use unwind::c_handler::{self, CHandlerOutcome};
use unwind::tables::Tables as _;
use unwind::{FunctionEntry, Functions as _, UnwindRequest};

use super::Machine;
use super::platform::Own;
use crate::loading;

exports! {
    /// Raises a status as an exception that cannot be continued.
    fn RtlRaiseStatus(status: NtStatus) {
        super::raise_status(status);
    }

    /// Unwinds the stack to a frame, or to its end for none, and goes on at an address in the frame's function.
    fn RtlUnwindEx(
        target_frame: usize,
        target_ip: usize,
        record: Ptr<ExceptionRecord>,
        return_value: usize,
        context: Ptr<Context>,
        history: Ptr<UnwindHistoryTable>,
    ) {
        super::unwind(
            UnwindRequest {
                target_frame: (target_frame != 0).then_some(target_frame as u64),
                target_pc: target_ip as u64,
                record: record.raw(),
                result: return_value as u64,
                history_table: history.raw(),
            },
            context,
            Ptr::NULL,
        );
    }

    /// As `RtlUnwindEx`, with a context of its own.
    fn RtlUnwind(
        target_frame: usize,
        target_ip: usize,
        record: Ptr<ExceptionRecord>,
        return_value: usize,
    ) {
        RtlUnwindEx(target_frame, target_ip, record, return_value, Ptr::NULL, Ptr::NULL);
    }

    /// The entry of the function that an address is in, and the base of its image; null for a leaf.
    fn RtlLookupFunctionEntry(
        pc: usize,
        image_base: Ptr<usize>,
        _history: Ptr<UnwindHistoryTable>,
    ) -> Ptr<u8> {
        match Own::without_limits().find(pc as u64) {
            Some(found) => {
                image_base.write_optional(Ptr::<u8>::at(found.image_base).address());
                Ptr::at(found.address)
            }
            None => {
                let image = loading::image_at(pc as u64);
                image_base.write_optional(image.map_or(0, |image| Ptr::<u8>::at(image.base).address()));
                Ptr::NULL
            }
        }
    }

    /// Undoes one function: gives its handler, if it is of a kind that is wanted, with the handler's data and the frame.
    fn RtlVirtualUnwind(
        handler_type: u32,
        image_base: usize,
        pc: usize,
        function: Ptr<u8>,
        context: Ptr<Context>,
        handler_data: Ptr<usize>,
        establisher_frame: Ptr<u64>,
        pointers: Ptr<u8>,
    ) -> Ptr<u8> {
        let own = Own::without_limits();
        let entry = function.non_null().and_then(|function| {
            let (_, read) = Machine::read(function.slice(Machine::ENTRY))?;
            Some(FunctionEntry {
                image_base: image_base as u64,
                address: function.raw(),
                function: read,
            })
        });
        let mut registers = context.read();
        let wanted = HandlerTypes::from_bits_retain(handler_type);
        let undone = entries::exceptions::undo(
            &own,
            wanted,
            entry.as_ref(),
            pc as u64,
            &mut registers,
            pointers,
        );
        let undone = match undone {
            Ok(undone) => undone,
            Err(status) => super::raise_status(status),
        };
        context.write(registers);
        establisher_frame.write_optional(undone.establisher_frame);
        let place = |rva: u32| Ptr::<u8>::new(image_base).byte_add(rva as usize);
        match undone.handler {
            Some(handler) => {
                handler_data.write_optional(place(handler.data_rva).address());
                place(handler.rva)
            }
            None => Ptr::NULL,
        }
    }

    /// The handler of functions with `__try`.
    cdecl fn __C_specific_handler(
        record: Ptr<ExceptionRecord>,
        frame: u64,
        context: Ptr<Context>,
        dispatcher: Ptr<DispatcherContext>,
    ) -> ExceptionDisposition {
        let mut own = Own::new();
        let outcome = c_handler::c_specific_handler(
            &mut own,
            record.raw(),
            frame,
            context.raw(),
            dispatcher.raw(),
        );
        match outcome {
            Ok(CHandlerOutcome::Answer(answer)) => answer,
            Ok(CHandlerOutcome::Unwind(wanted)) => super::unwind(
                wanted.request,
                Ptr::at(wanted.scratch),
                Ptr::at(wanted.origin),
            ),
            Err(status) => super::raise_status(status),
        }
    }

    /// Sets the code of the exception that a system call's status is to be raised as.
    fn RtlRaiseUserException() {
        let code = field!(crate::process::teb(), nt_abi::native::Teb, exception_code).read();
        super::raise_status(NtStatus(code));
    }
}
