//! Pipes, with a name and without.

use nt_abi::native::IoStatusBlock;
use nt_abi::primitives::ObjectAttributeFlags;
use ntdll_imports::{
    NULL, NtClose, NtCreateFile, NtCreateNamedPipeFile, NtFsControlFile, NtWaitForSingleObject,
};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::files::{NtPath, OwnedHandle, query, set, with_wide};
use crate::nt_files::{FilePipeInformation, FilePipeLocalInformation, class, options, rights};
use crate::objects::{access, attributes};
use crate::structures::{Overlapped, SecurityAttributes};
use crate::threads::security_of;
use crate::wide;
use crate::win::*;

/// `PIPE_TYPE_MESSAGE`, `PIPE_READMODE_MESSAGE`, `PIPE_NOWAIT`.
const MESSAGE_TYPE: u32 = 4;
const MESSAGE_READ: u32 = 2;
const NO_WAIT: u32 = 1;
/// `PIPE_REJECT_REMOTE_CLIENTS`.
const NO_REMOTE: u32 = 8;
/// `PIPE_UNLIMITED_INSTANCES`.
const UNLIMITED: u32 = 255;

/// How a named pipe is made.
struct Pipe {
    mode: u32,
    pipe_mode: u32,
    instances: u32,
    output: u32,
    input: u32,
    /// In ms; 0 for 50.
    timeout: u32,
    security: Ptr<SecurityAttributes>,
}

impl Pipe {
    fn create(&self, name: Ptr<u16>) -> Win<Handle> {
        let (inbound, outbound) = (self.mode & 1 != 0, self.mode & 2 != 0);
        if !inbound && !outbound || self.instances == 0 || self.instances > UNLIMITED {
            return Err(Error::INVALID_PARAMETER);
        }
        /// `GENERIC_READ`, `GENERIC_WRITE`; `FILE_SHARE_READ`, `FILE_SHARE_WRITE`.
        const READ: u32 = 0x8000_0000;
        const WRITE: u32 = 0x4000_0000;
        let wanted =
            (u32::from(inbound) * READ) | (u32::from(outbound) * WRITE) | rights::SYNCHRONIZE;
        // The other end does the opposite.
        let share = u32::from(outbound) | (u32::from(inbound) * 2);
        // `FILE_FLAG_OVERLAPPED`, `FILE_FLAG_WRITE_THROUGH`; the rights to change security besides.
        let mut how = if self.mode & 0x4000_0000 == 0 {
            options::SYNCHRONOUS_IO_NONALERT
        } else {
            0
        };
        if self.mode & 0x8000_0000 != 0 {
            how |= options::WRITE_THROUGH;
        }
        let wanted = wanted | self.mode & 0x010C_0000;
        // `FILE_FLAG_FIRST_PIPE_INSTANCE`: `FILE_CREATE`, otherwise `FILE_OPEN_IF`.
        let disposition = if self.mode & 0x8_0000 != 0 { 2_u32 } else { 3 };
        let path = NtPath::of(name)?;
        let (inherit, descriptor) = security_of(self.security);
        let flags = inherit | ObjectAttributeFlags::CASE_INSENSITIVE;
        let object = attributes(Some(path.string()), Handle::NULL, flags, descriptor);
        let kind = u32::from(self.pipe_mode & MESSAGE_TYPE != 0)
            | (u32::from(self.pipe_mode & NO_REMOTE != 0) * 2);
        let instances = if self.instances == UNLIMITED {
            u32::MAX
        } else {
            self.instances
        };
        let timeout = -10_000 * i64::from(if self.timeout == 0 { 50 } else { self.timeout });
        let (mut handle, mut outcome) = (Handle::NULL, IoStatusBlock::default());
        let status = NtCreateNamedPipeFile(
            &mut handle,
            access(wanted),
            &object,
            &mut outcome,
            share,
            disposition,
            how,
            kind,
            u32::from(self.pipe_mode & MESSAGE_READ != 0),
            u32::from(self.pipe_mode & NO_WAIT != 0),
            instances,
            self.input,
            self.output,
            &timeout,
        );
        check(status)?;
        Ok(handle)
    }
}

/// Counts pipes without a name of their own.
static ANONYMOUS: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0);

/// Makes a pipe without a name: the end that reads, and the one that writes.
fn anonymous(security: Ptr<SecurityAttributes>, size: u32) -> Win<(Handle, Handle)> {
    use alloc::format;
    let number = ANONYMOUS.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
    let process = crate::processes::GetCurrentProcessId();
    let name = format!(r"\\.\pipe\Win32Pipes.{process:08x}.{number:08x}");
    let name = wide::Wide::from_units(&wide::ascii(&name))?;
    let reading = Pipe {
        mode: 1,
        pipe_mode: 0,
        instances: 1,
        output: 0,
        input: if size == 0 { 0x1000 } else { size },
        timeout: 120_000,
        security,
    };
    let read = reading.create(name.ptr())?;
    let path = NtPath::of(name.ptr())?;
    let (inherit, descriptor) = security_of(security);
    let object = attributes(Some(path.string()), Handle::NULL, inherit, descriptor);
    let (mut write, mut outcome) = (Handle::NULL, IoStatusBlock::default());
    // `GENERIC_WRITE`, `FILE_OPEN`.
    let wanted = access(0x4000_0000 | rights::SYNCHRONIZE | rights::READ_ATTRIBUTES);
    let how = options::SYNCHRONOUS_IO_NONALERT | options::NON_DIRECTORY_FILE;
    let status = NtCreateFile(
        &mut write,
        wanted,
        &object,
        &mut outcome,
        NULL,
        0_u32,
        1_u32,
        1_u32,
        how,
        NULL,
        0_u32,
    );
    check(status).inspect_err(|_| {
        let _closed = NtClose(read);
    })?;
    Ok((read, write))
}

/// `FSCTL_PIPE_*`.
const DISCONNECT: u32 = 0x11_0004;
const LISTEN: u32 = 0x11_0008;
const PEEK: u32 = 0x11_400C;
const TRANSCEIVE: u32 = 0x11_C017;
const WAIT: u32 = 0x11_0018;

/// Asks the file system of pipes for something, and waits for it.
fn control(
    pipe: Handle,
    code: u32,
    input: (Ptr<u8>, u32),
    output: (Ptr<u8>, u32),
) -> (NtStatus, u32) {
    let mut outcome = IoStatusBlock::default();
    let none = Ptr::<u8>::NULL;
    let mut status = NtFsControlFile(
        pipe,
        Handle::NULL,
        none,
        none,
        &mut outcome,
        code,
        input.0,
        input.1,
        output.0,
        output.1,
    );
    if status == NtStatus::PENDING {
        status = NtWaitForSingleObject(pipe, false, NULL);
        if status.is_success() {
            status = NtStatus(Ptr::of_shared(&outcome.status).read());
        }
    }
    let moved = Ptr::of_shared(&outcome.information).read();
    (status, u32::try_from(moved).unwrap_or(u32::MAX))
}

const NOTHING: (Ptr<u8>, u32) = (Ptr::NULL, 0);

fn connect(pipe: Handle, overlapped: Ptr<Overlapped>) -> Win {
    let Some(overlapped) = overlapped.non_null() else {
        return check(control(pipe, LISTEN, NOTHING, NOTHING).0);
    };
    let event = field!(overlapped, Overlapped, event).read();
    field!(overlapped, Overlapped, internal).write(NtStatus::PENDING.0 as nt_abi::native::Size);
    let none = Ptr::<u8>::NULL;
    let context = if event & 1 != 0 {
        none
    } else {
        overlapped.cast()
    };
    let outcome = overlapped.cast::<IoStatusBlock>();
    let status = NtFsControlFile(
        pipe,
        Handle(event & !1),
        none,
        context,
        outcome,
        LISTEN,
        none,
        0_u32,
        none,
        0_u32,
    );
    if status == NtStatus::PENDING {
        return Err(Error::IO_PENDING);
    }
    check(status)
}

/// `FILE_PIPE_PEEK_BUFFER` before its data.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Peek {
    state: u32,
    available: u32,
    messages: u32,
    message_length: u32,
}

fn peek(pipe: Handle, into: Ptr<u8>, capacity: u32, [read, available, left]: [Ptr<u32>; 3]) -> Win {
    let header = size_of::<Peek>();
    let mut room = wide::room::<u8>(header + capacity as usize)?;
    let place = wide::place(&mut room);
    let length = u32::try_from(room.len()).map_err(|_| Error::INVALID_PARAMETER)?;
    let (status, moved) = control(pipe, PEEK, NOTHING, (place, length));
    if status != NtStatus::BUFFER_OVERFLOW {
        check(status)?;
    }
    let found = place.cast::<Peek>().read();
    let data = (moved as usize)
        .saturating_sub(header)
        .min(capacity as usize);
    if !into.is_null() {
        into.copy_from(place.byte_add(header), data);
    }
    let data = u32::try_from(data).unwrap_or(0);
    read.write_optional(data);
    available.write_optional(found.available);
    left.write_optional(found.message_length.saturating_sub(data));
    Ok(())
}

/// Waits until a pipe of a name has an end free.
fn wait_for(name: Ptr<u16>, milliseconds: u32) -> Win {
    let path = NtPath::of(name)?;
    // `\??\pipe\NAME`: the file system of pipes and what it knows.
    let prefix = wide::ascii(r"\??\pipe\");
    let units = path.units();
    let small = |unit: &u16| rtl::utf16::downcase(*unit);
    let is_pipe = units.len() > prefix.len()
        && units
            .iter()
            .take(prefix.len())
            .map(small)
            .eq(prefix.iter().map(small));
    if !is_pipe {
        return Err(Error::BAD_PATHNAME);
    }
    let root = wide::Wide::from_units(&wide::ascii(r"\\.\pipe\"))?;
    let root = NtPath::of(root.ptr())?;
    let (mut handle, mut outcome) = (Handle::NULL, IoStatusBlock::default());
    let wanted = access(rights::READ_ATTRIBUTES | rights::SYNCHRONIZE);
    let how = options::SYNCHRONOUS_IO_NONALERT;
    check(root.with(|object| {
        NtCreateFile(
            &mut handle,
            wanted,
            object,
            &mut outcome,
            NULL,
            0_u32,
            3_u32,
            1_u32,
            how,
            NULL,
            0_u32,
        )
    }))?;
    let device = OwnedHandle(handle);
    // `FILE_PIPE_WAIT_FOR_BUFFER`: a time, the name's length, whether the time counts, the name at 0x0E.
    let rest = &units[prefix.len()..];
    let mut request = wide::room::<u8>(0x0E + rest.len() * 2)?;
    let place = wide::place(&mut request);
    let time = match milliseconds {
        u32::MAX => i64::MIN,
        other => -10_000 * i64::from(other),
    };
    place.cast::<i64>().write(time);
    let length = u32::try_from(rest.len() * 2).map_err(|_| Error::BAD_PATHNAME)?;
    place.byte_add(8).cast::<u32>().write(length);
    place.byte_add(12).write(u8::from(milliseconds != 0));
    place.byte_add(14).cast::<u16>().write_array(rest);
    let total = u32::try_from(request.len()).map_err(|_| Error::BAD_PATHNAME)?;
    let (status, _) = control(device.0, WAIT, (place, total), NOTHING);
    if status == NtStatus::IO_TIMEOUT {
        return Err(Error::SEM_TIMEOUT);
    }
    check(status)
}

exports! {
    /// Makes an end of a named pipe; `INVALID_HANDLE_VALUE`: it failed.
    fn CreateNamedPipeW(
        name: Ptr<u16>, mode: u32, pipe_mode: u32, instances: u32, output: u32, input: u32, timeout: u32, security: Ptr<SecurityAttributes>,
    ) -> Handle {
        let pipe = Pipe { mode, pipe_mode, instances, output, input, timeout, security };
        answer(pipe.create(name), Handle::INVALID)
    }

    /// Makes an end of a named pipe; `INVALID_HANDLE_VALUE`: it failed.
    fn CreateNamedPipeA(
        name: Ptr<u8>, mode: u32, pipe_mode: u32, instances: u32, output: u32, input: u32, timeout: u32, security: Ptr<SecurityAttributes>,
    ) -> Handle {
        with_wide(name, Handle::INVALID, |name| CreateNamedPipeW(name, mode, pipe_mode, instances, output, input, timeout, security))
    }

    /// Makes a pipe without a name.
    fn CreatePipe(read: Ptr<Handle>, write: Ptr<Handle>, security: Ptr<SecurityAttributes>, size: u32) -> Bool {
        truth(anonymous(security, size).map(|(reading, writing)| {
            read.write(reading);
            write.write(writing);
        }))
    }

    /// Waits for somebody at the other end of a pipe.
    fn ConnectNamedPipe(pipe: Handle, overlapped: Ptr<Overlapped>) -> Bool {
        truth(connect(pipe, overlapped))
    }

    /// Lets the other end of a pipe go.
    fn DisconnectNamedPipe(pipe: Handle) -> Bool {
        truth_of(control(pipe, DISCONNECT, NOTHING, NOTHING).0)
    }

    /// Looks at what is in a pipe.
    fn PeekNamedPipe(pipe: Handle, into: Ptr<u8>, capacity: u32, read: Ptr<u32>, available: Ptr<u32>, left: Ptr<u32>) -> Bool {
        truth(peek(pipe, into, capacity, [read, available, left]))
    }

    /// Waits until a pipe of a name has an end free.
    fn WaitNamedPipeW(name: Ptr<u16>, milliseconds: u32) -> Bool {
        truth(wait_for(name, milliseconds))
    }

    /// Waits until a pipe of a name has an end free.
    fn WaitNamedPipeA(name: Ptr<u8>, milliseconds: u32) -> Bool {
        with_wide(name, FALSE, |name| truth(wait_for(name, milliseconds)))
    }

    /// Writes a message to a pipe and reads the answer.
    fn TransactNamedPipe(pipe: Handle, input: Ptr<u8>, input_length: u32, output: Ptr<u8>, output_length: u32, done: Ptr<u32>, overlapped: Ptr<Overlapped>) -> Bool {
        if !overlapped.is_null() {
            return truth(Err(Error::NOT_SUPPORTED));
        }
        let (status, moved) = control(pipe, TRANSCEIVE, (input, input_length), (output, output_length));
        done.write_optional(moved);
        truth_of(status)
    }

    /// Sets how a pipe is read.
    fn SetNamedPipeHandleState(pipe: Handle, mode: Ptr<u32>, _count: Ptr<u32>, _timeout: Ptr<u32>) -> Bool {
        let Some(mode) = mode.read_optional() else {
            return TRUE;
        };
        let information = FilePipeInformation {
            read_mode: u32::from(mode & MESSAGE_READ != 0),
            completion_mode: u32::from(mode & NO_WAIT != 0),
        };
        truth(set(pipe, class::PIPE, &information))
    }

    /// How a pipe is read, and how many ends it has.
    fn GetNamedPipeHandleStateW(pipe: Handle, state: Ptr<u32>, instances: Ptr<u32>, _count: Ptr<u32>, _timeout: Ptr<u32>, _user: Ptr<u16>, _length: u32) -> Bool {
        let told = || {
            let mode: FilePipeInformation = query(pipe, class::PIPE)?;
            let local: FilePipeLocalInformation = query(pipe, class::PIPE_LOCAL)?;
            state.write_optional((mode.read_mode * MESSAGE_READ) | (mode.completion_mode * NO_WAIT));
            instances.write_optional(local.current_instances);
            Ok(())
        };
        truth(told())
    }

    /// How a pipe is read, and how many ends it has.
    fn GetNamedPipeHandleStateA(pipe: Handle, state: Ptr<u32>, instances: Ptr<u32>, count: Ptr<u32>, timeout: Ptr<u32>, _user: Ptr<u8>, length: u32) -> Bool {
        GetNamedPipeHandleStateW(pipe, state, instances, count, timeout, Ptr::NULL, length)
    }

    /// What a pipe is.
    fn GetNamedPipeInfo(pipe: Handle, flags: Ptr<u32>, output: Ptr<u32>, input: Ptr<u32>, instances: Ptr<u32>) -> Bool {
        truth(query::<FilePipeLocalInformation>(pipe, class::PIPE_LOCAL).map(|found| {
            flags.write_optional((found.pipe_type * MESSAGE_TYPE) | found.end);
            output.write_optional(found.outbound_quota);
            input.write_optional(found.inbound_quota);
            instances.write_optional(if found.maximum_instances == u32::MAX { UNLIMITED } else { found.maximum_instances });
        }))
    }
}
