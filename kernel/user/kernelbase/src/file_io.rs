//! Reading and writing, of files and of what else has a handle.

use nt_abi::native::IoStatusBlock;
use ntdll_imports::{
    NULL, NtCancelIoFile, NtCancelIoFileEx, NtCancelSynchronousIoFile, NtDeviceIoControlFile,
    NtFlushBuffersFile, NtFsControlFile, NtLockFile, NtReadFile, NtUnlockFile,
    NtWaitForSingleObject, NtWriteFile,
};

use crate::console;
use crate::structures::Overlapped;
use crate::waits::Timeout;
use crate::win::*;

/// `LOCKFILE_FAIL_IMMEDIATELY`.
const FAIL_IMMEDIATELY: u32 = 1;
/// `LOCKFILE_EXCLUSIVE_LOCK`.
const EXCLUSIVE: u32 = 2;

/// Where an operation is to begin, and who hears of its end, as `OVERLAPPED` says it.
struct Operation {
    event: Handle,
    /// What a completion port is told; null: it hears nothing.
    context: Ptr<u8>,
    status: Ptr<IoStatusBlock>,
    offset: i64,
}

impl Operation {
    /// Marks an operation as one that is under way.
    fn begin(overlapped: Ptr<Overlapped>) -> Self {
        let asked = overlapped.read();
        field!(overlapped, Overlapped, internal).write(NtStatus::PENDING.0 as nt_abi::native::Size);
        // The lowest bit of the event keeps a completion port out.
        let quiet = asked.event & 1 != 0;
        Self {
            event: Handle(asked.event & !1),
            context: if quiet { Ptr::NULL } else { overlapped.cast() },
            status: overlapped.cast(),
            offset: i64::from(asked.offset_high.cast_signed()) << 32 | i64::from(asked.offset),
        }
    }
}

/// Waits for the end of an operation that has no event of its own.
fn finish(file: Handle, status: NtStatus, outcome: &IoStatusBlock) -> NtStatus {
    if status != NtStatus::PENDING {
        return status;
    }
    let waited = NtWaitForSingleObject(file, false, NULL);
    if waited.is_success() {
        // The kernel has written it meanwhile.
        NtStatus(Ptr::of_shared(&outcome.status).read())
    } else {
        waited
    }
}

/// How many bytes an operation moved.
fn moved(outcome: &IoStatusBlock) -> u32 {
    u32::try_from(Ptr::of_shared(&outcome.information).read()).unwrap_or(u32::MAX)
}

/// What an operation with `OVERLAPPED` returns at once.
fn begun(status: NtStatus, overlapped: Ptr<Overlapped>, done: Ptr<u32>) -> Win {
    if status.is_success() && status != NtStatus::PENDING {
        let bytes = field!(overlapped, Overlapped, internal_high).read();
        done.write_optional(u32::try_from(bytes).unwrap_or(u32::MAX));
        return Ok(());
    }
    done.write_optional(0);
    if status == NtStatus::PENDING {
        return Err(Error::IO_PENDING);
    }
    check(status)
}

fn read(
    file: Handle,
    into: Ptr<u8>,
    count: u32,
    done: Ptr<u32>,
    overlapped: Ptr<Overlapped>,
) -> Win {
    if console::is_console(file) {
        return Err(Error::NOT_SUPPORTED);
    }
    let no_routine = Ptr::<u8>::NULL;
    if let Some(overlapped) = overlapped.non_null() {
        let operation = Operation::begin(overlapped);
        let status = NtReadFile(
            file,
            operation.event,
            no_routine,
            operation.context,
            operation.status,
            into,
            count,
            &operation.offset,
            NULL,
        );
        return begun(status, overlapped, done);
    }
    done.write_optional(0);
    let mut outcome = IoStatusBlock::default();
    let status = NtReadFile(
        file,
        Handle::NULL,
        no_routine,
        no_routine,
        &mut outcome,
        into,
        count,
        NULL,
        NULL,
    );
    let status = finish(file, status, &outcome);
    if status == NtStatus::END_OF_FILE {
        return Ok(());
    }
    check(status)?;
    done.write_optional(moved(&outcome));
    Ok(())
}

fn write(
    file: Handle,
    from: Ptr<u8>,
    count: u32,
    done: Ptr<u32>,
    overlapped: Ptr<Overlapped>,
) -> Win {
    if console::is_console(file) {
        console::write_bytes(file, from.slice(count as usize))?;
        done.write_optional(count);
        return Ok(());
    }
    let no_routine = Ptr::<u8>::NULL;
    if let Some(overlapped) = overlapped.non_null() {
        let operation = Operation::begin(overlapped);
        let status = NtWriteFile(
            file,
            operation.event,
            no_routine,
            operation.context,
            operation.status,
            from,
            count,
            &operation.offset,
            NULL,
        );
        return begun(status, overlapped, done);
    }
    done.write_optional(0);
    let mut outcome = IoStatusBlock::default();
    let status = NtWriteFile(
        file,
        Handle::NULL,
        no_routine,
        no_routine,
        &mut outcome,
        from,
        count,
        NULL,
        NULL,
    );
    check(finish(file, status, &outcome))?;
    done.write_optional(moved(&outcome));
    Ok(())
}

/// Where the completion routines of `ReadFileEx` and `WriteFileEx` are called from: the APC's context is the routine.
extern "system" fn complete(
    routine: Function<fn(u32, u32, Ptr<Overlapped>)>,
    outcome: Ptr<IoStatusBlock>,
    _reserved: u32,
) {
    let status = NtStatus(field!(outcome, IoStatusBlock, status).read());
    let error = if status.is_success() {
        0
    } else {
        from_status(status).0
    };
    let bytes = field!(outcome, IoStatusBlock, information).read();
    routine.call(
        error,
        u32::try_from(bytes).unwrap_or(u32::MAX),
        outcome.cast(),
    );
}

fn completer() -> Ptr<u8> {
    Ptr::new(complete as *const () as usize)
}

/// What `ReadFileEx` and `WriteFileEx` return: an operation that is under way is a success.
fn begun_ex(status: NtStatus) -> Bool {
    truth_of(status)
}

/// A request to a device: its number says whether it is for a file system.
struct Request {
    device: Handle,
    code: u32,
    input: (Ptr<u8>, u32),
    output: (Ptr<u8>, u32),
}

impl Request {
    /// `FILE_DEVICE_FILE_SYSTEM`.
    const FILE_SYSTEM: u32 = 9;

    fn send(&self, event: Handle, context: Ptr<u8>, outcome: Ptr<IoStatusBlock>) -> NtStatus {
        let (device, code) = (self.device, self.code);
        let ((input, input_length), (output, output_length)) = (self.input, self.output);
        let no_routine = Ptr::<u8>::NULL;
        if code >> 16 == Self::FILE_SYSTEM {
            NtFsControlFile(
                device,
                event,
                no_routine,
                context,
                outcome,
                code,
                input,
                input_length,
                output,
                output_length,
            )
        } else {
            NtDeviceIoControlFile(
                device,
                event,
                no_routine,
                context,
                outcome,
                code,
                input,
                input_length,
                output,
                output_length,
            )
        }
    }

    fn perform(&self, done: Ptr<u32>, overlapped: Ptr<Overlapped>) -> Win {
        if let Some(overlapped) = overlapped.non_null() {
            let operation = Operation::begin(overlapped);
            let status = self.send(operation.event, operation.context, operation.status);
            return begun(status, overlapped, done);
        }
        let mut outcome = IoStatusBlock::default();
        let status = self.send(Handle::NULL, Ptr::NULL, Ptr::of(&mut outcome));
        let status = finish(self.device, status, &outcome);
        // A warning, such as "more data", has told something too.
        if status.0 < 0xC000_0000 {
            done.write_optional(moved(&outcome));
        }
        check(status)
    }
}

/// The outcome of an operation, waiting for it at most so long.
fn result(
    file: Handle,
    overlapped: Ptr<Overlapped>,
    done: Ptr<u32>,
    milliseconds: u32,
    alertable: bool,
) -> Win {
    let pending = NtStatus::PENDING.0;
    let status = field!(overlapped, Overlapped, internal).cast::<u32>();
    let state = || status.atomic().load(core::sync::atomic::Ordering::Acquire);
    if state() == pending {
        if milliseconds == 0 {
            return Err(Error::IO_INCOMPLETE);
        }
        let event = field!(overlapped, Overlapped, event).read() & !1;
        let object = if event == 0 { file } else { Handle(event) };
        let waited = NtWaitForSingleObject(object, alertable, Timeout::new(milliseconds).place());
        if waited == NtStatus::TIMEOUT {
            // `WAIT_TIMEOUT`.
            return Err(Error(258));
        }
        if waited == NtStatus::USER_APC {
            // `WAIT_IO_COMPLETION`.
            return Err(Error(192));
        }
        check(waited)?;
        if state() == pending {
            return Err(Error::IO_INCOMPLETE);
        }
    }
    let bytes = field!(overlapped, Overlapped, internal_high).read();
    done.write(u32::try_from(bytes).unwrap_or(u32::MAX));
    check(NtStatus(state()))
}

/// A range of a file.
struct Range {
    file: Handle,
    offset: i64,
    length: i64,
}

/// A number of 64 bits from its halves.
fn joined(low: u32, high: u32) -> i64 {
    (u64::from(high) << 32 | u64::from(low)).cast_signed()
}

impl Range {
    fn lock(&self, flags: u32) -> Win {
        let mut outcome = IoStatusBlock::default();
        let no_routine = Ptr::<u8>::NULL;
        let status = NtLockFile(
            self.file,
            Handle::NULL,
            no_routine,
            no_routine,
            &mut outcome,
            &self.offset,
            &self.length,
            0_u32,
            flags & FAIL_IMMEDIATELY != 0,
            flags & EXCLUSIVE != 0,
        );
        check(finish(self.file, status, &outcome))
    }

    fn unlock(&self) -> Win {
        let mut outcome = IoStatusBlock::default();
        check(NtUnlockFile(
            self.file,
            &mut outcome,
            &self.offset,
            &self.length,
            0_u32,
        ))
    }
}

exports! {
    /// Reads bytes.
    fn ReadFile(file: Handle, into: Ptr<u8>, count: u32, done: Ptr<u32>, overlapped: Ptr<Overlapped>) -> Bool {
        truth(read(file, into, count, done, overlapped))
    }

    /// Writes bytes.
    fn WriteFile(file: Handle, from: Ptr<u8>, count: u32, done: Ptr<u32>, overlapped: Ptr<Overlapped>) -> Bool {
        truth(write(file, from, count, done, overlapped))
    }

    /// Reads bytes, and has a routine called at the end.
    fn ReadFileEx(file: Handle, into: Ptr<u8>, count: u32, overlapped: Ptr<Overlapped>, routine: Ptr<u8>) -> Bool {
        let operation = Operation::begin(overlapped);
        begun_ex(NtReadFile(file, Handle::NULL, completer(), routine, operation.status, into, count, &operation.offset, NULL))
    }

    /// Writes bytes, and has a routine called at the end.
    fn WriteFileEx(file: Handle, from: Ptr<u8>, count: u32, overlapped: Ptr<Overlapped>, routine: Ptr<u8>) -> Bool {
        let operation = Operation::begin(overlapped);
        begun_ex(NtWriteFile(file, Handle::NULL, completer(), routine, operation.status, from, count, &operation.offset, NULL))
    }

    /// Has what was written reach the device.
    fn FlushFileBuffers(file: Handle) -> Bool {
        if console::is_console(file) {
            return TRUE;
        }
        let mut outcome = IoStatusBlock::default();
        truth_of(NtFlushBuffersFile(file, &mut outcome))
    }

    /// Asks a device for something.
    fn DeviceIoControl(device: Handle, code: u32, input: Ptr<u8>, input_length: u32, output: Ptr<u8>, output_length: u32, done: Ptr<u32>, overlapped: Ptr<Overlapped>) -> Bool {
        let request = Request { device, code, input: (input, input_length), output: (output, output_length) };
        truth(request.perform(done, overlapped))
    }

    /// The outcome of an operation, at its end if the caller wants to wait.
    fn GetOverlappedResult(file: Handle, overlapped: Ptr<Overlapped>, done: Ptr<u32>, wait: Bool) -> Bool {
        truth(result(file, overlapped, done, if wait == FALSE { 0 } else { u32::MAX }, false))
    }

    /// The outcome of an operation, if it comes in time.
    fn GetOverlappedResultEx(file: Handle, overlapped: Ptr<Overlapped>, done: Ptr<u32>, milliseconds: u32, alertable: Bool) -> Bool {
        truth(result(file, overlapped, done, milliseconds, alertable != FALSE))
    }

    /// Stops what this thread has begun with a file.
    fn CancelIo(file: Handle) -> Bool {
        let mut outcome = IoStatusBlock::default();
        truth_of(NtCancelIoFile(file, &mut outcome))
    }

    /// Stops an operation, or all, that the process has begun with a file.
    fn CancelIoEx(file: Handle, overlapped: Ptr<Overlapped>) -> Bool {
        let mut outcome = IoStatusBlock::default();
        truth_of(NtCancelIoFileEx(file, overlapped, &mut outcome))
    }

    /// Stops what a thread waits for.
    fn CancelSynchronousIo(thread: Handle) -> Bool {
        let mut outcome = IoStatusBlock::default();
        truth_of(NtCancelSynchronousIoFile(thread, Ptr::<u8>::NULL, &mut outcome))
    }

    /// Has a range of a file alone, or fails at once.
    fn LockFile(file: Handle, low: u32, high: u32, length_low: u32, length_high: u32) -> Bool {
        let range = Range { file, offset: joined(low, high), length: joined(length_low, length_high) };
        truth(range.lock(EXCLUSIVE | FAIL_IMMEDIATELY))
    }

    /// Has a range of a file, alone or with others.
    fn LockFileEx(file: Handle, flags: u32, _reserved: u32, length_low: u32, length_high: u32, overlapped: Ptr<Overlapped>) -> Bool {
        let asked = overlapped.read();
        let range = Range { file, offset: joined(asked.offset, asked.offset_high), length: joined(length_low, length_high) };
        truth(range.lock(flags))
    }

    /// Gives a range of a file back.
    fn UnlockFile(file: Handle, low: u32, high: u32, length_low: u32, length_high: u32) -> Bool {
        let range = Range { file, offset: joined(low, high), length: joined(length_low, length_high) };
        truth(range.unlock())
    }

    /// Gives a range of a file back.
    fn UnlockFileEx(file: Handle, _reserved: u32, length_low: u32, length_high: u32, overlapped: Ptr<Overlapped>) -> Bool {
        let asked = overlapped.read();
        let range = Range { file, offset: joined(asked.offset, asked.offset_high), length: joined(length_low, length_high) };
        truth(range.unlock())
    }
}
