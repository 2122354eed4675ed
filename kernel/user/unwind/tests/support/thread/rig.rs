//! What a scripted thread needs to know of a machine: frames and unwind data.

use nt_abi::context::{Amd64Context, Arm64Context};
use unwind::machine::{Amd64, Arm64, Machine};

use super::{CODE, FRAME, Thread};

/// A machine that threads can be made for.
pub(crate) trait Rig: Machine + Copy + 'static {
    /// The unwind data of a function with a frame of [`FRAME`] bytes: up to its handler's own data.
    fn unwind_data(handler: Option<u32>) -> Vec<u8>;
    /// The entry of a function.
    fn function(begin: u32, data: u32) -> Self::Function;
    /// Enters a function: gives the stack pointer in it.
    fn enter(thread: &mut Thread<Self>, return_pc: u64) -> u64;
    /// The frame by which handlers know a function that has this stack pointer.
    fn frame(sp: u64) -> u64;
    fn context(pc: u64, sp: u64) -> Self::Context;
    fn result(context: &Self::Context) -> u64;
}

impl Rig for Amd64 {
    fn unwind_data(handler: Option<u32>) -> Vec<u8> {
        let flags = if handler.is_some() { 3 << 3 } else { 0 };
        // sub rsp, FRAME in four bytes.
        let mut data = vec![1 | flags, 4, 2, 0, 4, 0x01];
        data.extend((FRAME as u16 / 8).to_le_bytes());
        data.extend(handler.unwrap_or_default().to_le_bytes());
        data
    }

    fn function(begin: u32, data: u32) -> Self::Function {
        let mut bytes = [0; 12];
        for (place, word) in bytes.chunks_exact_mut(4).zip([begin, begin + CODE, data]) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        Self::Function::read(&bytes)
    }

    fn enter(thread: &mut Thread<Self>, return_pc: u64) -> u64 {
        let sp = thread.sp - 8;
        thread.store(sp, return_pc);
        sp - FRAME
    }

    fn frame(sp: u64) -> u64 {
        sp
    }

    fn context(pc: u64, sp: u64) -> Amd64Context {
        Amd64Context {
            rip: pc,
            rsp: sp,
            ..Amd64Context::default()
        }
    }

    fn result(context: &Amd64Context) -> u64 {
        context.rax
    }
}

impl Rig for Arm64 {
    fn unwind_data(handler: Option<u32>) -> Vec<u8> {
        let has_handler = u32::from(handler.is_some());
        let header = (CODE / 4) | (has_handler << 20) | (1 << 21) | (1 << 27);
        let mut data = header.to_le_bytes().to_vec();
        // stp x29, lr, [sp, #-FRAME]!
        data.extend([0x80 | (FRAME as u8 / 8 - 1), 0xE4, 0xE3, 0xE3]);
        data.extend(handler.unwrap_or_default().to_le_bytes());
        data
    }

    fn function(begin: u32, data: u32) -> Self::Function {
        Self::Function::read(begin, data).unwrap()
    }

    fn enter(thread: &mut Thread<Self>, return_pc: u64) -> u64 {
        let sp = thread.sp - FRAME;
        thread.store(sp, 0);
        thread.store(sp + 8, return_pc);
        sp
    }

    fn frame(sp: u64) -> u64 {
        sp + FRAME
    }

    fn context(pc: u64, sp: u64) -> Arm64Context {
        Arm64Context {
            pc,
            sp,
            ..Arm64Context::default()
        }
    }

    fn result(context: &Arm64Context) -> u64 {
        context.x[0]
    }
}
