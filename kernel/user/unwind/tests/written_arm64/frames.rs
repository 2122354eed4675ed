//! Frames that no prolog made.

use core::mem::offset_of;

use nt_abi::context::{Amd64Context, Arm64Context, Arm64ContextFlags};
use zerocopy::IntoBytes;

use crate::following::{at_entry, code, process, undo};
use crate::support::arm64::{Kept, Registers, SP, Simulator, Stored};
use crate::support::{Process, Random, STACK_HIGH};

/// Puts bytes on the stack.
fn put(process: &mut Process, address: u64, bytes: &[u8]) {
    for (index, word) in bytes.chunks_exact(8).enumerate() {
        let value = u64::from_le_bytes(word.try_into().unwrap());
        process.store(address + index as u64 * 8, value);
    }
}

/// A context at the stack pointer is taken whole, and says whether it stands behind a call.
#[test]
fn contexts_on_the_stack() {
    let text = "start:
    .seh_proc start
    .seh_context
    .seh_endprologue
    nop
end:
    brk #0
    .seh_endproc";
    let (mut process, start, _) = process("context", text);
    for behind_call in [false, true] {
        let mut interrupted = Registers::random(&mut Random(9)).context();
        interrupted.context_flags = Arm64ContextFlags::FULL;
        if behind_call {
            interrupted.context_flags |= Arm64ContextFlags::UNWOUND_TO_CALL;
        }
        (interrupted.cpsr, interrupted.fpcr, interrupted.fpsr) = (0x6000_0000, 3, 4);
        let mut context = at_entry(start).context();
        let before = context;
        put(&mut process, context.sp, interrupted.as_bytes());
        let saved = undo(&process, &mut context).unwrap();
        let expected = Arm64Context {
            context_flags: before.context_flags
                | interrupted.context_flags & Arm64ContextFlags::UNWOUND_TO_CALL,
            ..interrupted
        };
        assert_eq!(context, expected);
        assert_eq!(
            saved.integer[0],
            before.sp + offset_of!(Arm64Context, x) as u64 + 19 * 8
        );
        assert_eq!(
            saved.float[7],
            before.sp + offset_of!(Arm64Context, v) as u64 + 15 * 16
        );
    }
}

/// A prolog in front of a context moves the stack pointer there.
#[test]
fn a_context_above_other_things() {
    let text = "start:
    .seh_proc start
    .seh_context
    nop
    .seh_stackalloc 0x30
    .seh_endprologue
    nop
end:
    brk #0
    .seh_endproc";
    let (mut process, start, _) = process("context-above", text);
    let interrupted = Registers::random(&mut Random(9)).context();
    for (offset, distance) in [(0, 0), (4, 0x30)] {
        let mut context = at_entry(start).context();
        context.pc += offset;
        put(&mut process, context.sp + distance, interrupted.as_bytes());
        undo(&process, &mut context).unwrap();
        assert_eq!(context.x, interrupted.x);
        assert_eq!((context.sp, context.pc), (interrupted.sp, interrupted.pc));
    }
}

/// A machine frame has the stack pointer and the instruction, and stands behind no call.
#[test]
fn machine_frames() {
    let text = "start:
    .seh_proc start
    .seh_pushframe
    stp x29, x30, [sp, #-0x20]!
    .seh_save_fplr_x 0x20
    str x19, [sp, #0x10]
    .seh_save_reg x19, 0x10
    .seh_endprologue
    mov x19, x0
    nop
end:
    brk #0
    .seh_endproc";
    let (mut process, start, end) = process("machine-frame", text);
    let registers = at_entry(start);
    let mut interrupted = registers.context();
    (interrupted.sp, interrupted.pc) = (STACK_HIGH - 0x800, 0x7FFF_1234);
    process.store(registers.x[SP], interrupted.sp);
    process.store(registers.x[SP] + 8, interrupted.pc);
    let code = code(&process, start, end);
    let mut simulator = Simulator {
        process: &mut process,
        registers,
        random: Random(3),
        probe: 0,
        stored: Stored::default(),
    };
    for effect in code {
        let mut context = simulator.registers.context();
        undo(simulator.process, &mut context).unwrap();
        assert_eq!(Kept::of(&context), Kept::of(&interrupted));
        assert!(
            !context
                .context_flags
                .contains(Arm64ContextFlags::UNWOUND_TO_CALL)
        );
        assert!(simulator.step(effect));
    }
}

/// A frame whose caller is not behind a call.
#[test]
fn frames_that_are_no_call() {
    let text = "start:
    .seh_proc start
    .seh_clear_unwound_to_call
    stp x29, x30, [sp, #-0x20]!
    .seh_save_fplr_x 0x20
    .seh_endprologue
    nop
end:
    brk #0
    .seh_endproc";
    let (mut process, start, _) = process("no-call", text);
    let mut context = at_entry(start).context();
    context.pc += 4;
    let (fp, lr) = (0x1111, 0x7FFF_2222);
    process.store(context.sp, fp);
    process.store(context.sp + 8, lr);
    let sp = context.sp;
    undo(&process, &mut context).unwrap();
    assert_eq!((context.pc, context.x[29], context.sp), (lr, fp, sp + 0x20));
    assert!(
        !context
            .context_flags
            .contains(Arm64ContextFlags::UNWOUND_TO_CALL)
    );
}

/// A context of emulated x64 code: each register of ARM64 that it has is where `ARM64EC_NT_CONTEXT` of winnt.h has it.
#[test]
fn emulated_contexts() {
    let text = "start:
    .seh_proc start
    .seh_ec_context
    .seh_endprologue
    nop
end:
    brk #0
    .seh_endproc";
    let (mut process, start, _) = process("ec-context", text);
    let mut emulated = Amd64Context::default();
    let random = &mut Random(11);
    let mut fresh = || random.next();
    emulated.rcx = fresh();
    emulated.rdx = fresh();
    emulated.rax = fresh();
    emulated.rbx = fresh();
    emulated.rbp = fresh();
    emulated.r12 = fresh();
    emulated.rsi = fresh();
    emulated.rsp = STACK_HIGH - 0x100;
    emulated.rip = fresh();
    emulated.float_save.float_registers[0].low = fresh();
    emulated.float_save.float_registers[2].low = fresh();
    emulated.float_save.xmm_registers[9].low = fresh();
    let mut context = at_entry(start).context();
    put(&mut process, context.sp, emulated.as_bytes());
    undo(&process, &mut context).unwrap();
    let x = context.x;
    assert_eq!(
        (x[0], x[1], x[8], x[27]),
        (emulated.rcx, emulated.rdx, emulated.rax, emulated.rbx)
    );
    assert_eq!(
        (x[29], x[19], x[25]),
        (emulated.rbp, emulated.r12, emulated.rsi)
    );
    assert_eq!((context.sp, context.pc), (emulated.rsp, emulated.rip));
    let x87 = emulated.float_save.float_registers;
    assert_eq!((x[30], x[7]), (x87[0].low, x87[2].low));
    assert_eq!(context.v[9][0], emulated.float_save.xmm_registers[9].low);
}
