//! Undoing functions of x64 that are written by hand, with what compilers seldom or never make.
//!
//! Each function is carried out from its first instruction to its last, and undone at each of them.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use nt_abi::exception::{Amd64NonvolatileContextPointers, HandlerTypes};
use pe::Image;
use support::tools::{Target, assemble};
use support::x64::{Kept, RSP, Registers, Simulator, Stored, decode};
use support::{IMAGE_BASE, Process, Random, STACK_HIGH, exported};
use unwind::{Functions, amd64};

/// Builds a text whose function under test begins at `start` and ends at `end`.
fn process(name: &str, text: &str) -> (Process, u32, u32) {
    let text = format!(
        "    .intel_syntax noprefix\n    .text\n    .globl start\n    .globl end\n{text}\n    .section .drectve,\"yn\"\n    .ascii \" /export:end\"\n"
    );
    let built = assemble(Target::X64, name, &text);
    let image = Image::from_file(&built.bytes).unwrap();
    let mut process = Process::new(&built.bytes);
    process.fill_stack(&mut Random(1));
    let (start, end) = (exported(&image, b"start"), exported(&image, b"end"));
    (process, start, end)
}

fn at_entry(start: u32) -> Registers {
    let mut registers = Registers::random(&mut Random(2));
    registers.rip = IMAGE_BASE + u64::from(start);
    registers.integer[RSP] = STACK_HIGH - 0x1008;
    registers
}

/// Carries out a function and undoes it at each instruction. Gives how many there were.
fn follow(name: &str, text: &str) -> usize {
    let (mut process, start, end) = process(name, text);
    let registers = at_entry(start);
    let expected = Kept::at_entry(&registers, &process);
    let code = decode(&process, start, end);
    let mut simulator = Simulator {
        process: &mut process,
        registers,
        random: Random(3),
        probe: 0,
        stored: Stored::default(),
    };
    for (index, instruction) in code.iter().enumerate() {
        check(simulator.process, &simulator.registers, &expected);
        if !simulator.step(instruction) {
            assert_eq!(index + 1, code.len(), "{name} is not straight");
        }
    }
    code.len()
}

fn check(process: &Process, registers: &Registers, expected: &Kept) {
    let mut context = registers.context();
    let rip = registers.rip;
    let function = process.find(rip);
    let mut saved = Amd64NonvolatileContextPointers::default();
    let undone = amd64::virtual_unwind(
        process,
        HandlerTypes::EHANDLER,
        function.as_ref(),
        rip,
        &mut context,
        Some(&mut saved),
    );
    let offset = rip - IMAGE_BASE;
    undone.unwrap_or_else(|error| panic!("{error} at {offset:#x}"));
    assert_eq!(Kept::of(&context), *expected, "at {offset:#x}");
    // Where a register is said to be found, there it is.
    let integers = [
        (3, context.rbx),
        (5, context.rbp),
        (6, context.rsi),
        (7, context.rdi),
        (12, context.r12),
        (13, context.r13),
        (14, context.r14),
        (15, context.r15),
    ];
    for (number, value) in integers {
        match saved.integer_context[number] {
            0 => assert_eq!(registers.integer[number], value, "{number} at {offset:#x}"),
            place => assert_eq!(process.load(place), value, "{number} at {offset:#x}"),
        }
    }
    for number in 6..16 {
        let register = context.float_save.xmm_registers[number];
        let value = (register.low, register.high.cast_unsigned());
        match saved.floating_context[number] {
            0 => assert_eq!(registers.xmm[number], value, "xmm{number} at {offset:#x}"),
            place => {
                let found = (process.load(place), process.load(place + 8));
                assert_eq!(found, value, "xmm{number} at {offset:#x}");
            }
        }
    }
}

#[test]
fn a_leaf_has_changed_nothing() {
    assert_eq!(follow("leaf", "start:\n    nop\n    ret\nend:\n"), 2);
}

#[test]
fn saves_far_from_the_stack_pointer() {
    let count = follow(
        "far",
        "start:
    .seh_proc start
    push rbp
    .seh_pushreg rbp
    mov eax, 0x210000
    sub rsp, rax
    .seh_stackalloc 0x210000
    mov [rsp + 0x208000], rbx
    .seh_savereg rbx, 0x208000
    mov [rsp + 0x7FF8], rdi
    .seh_savereg rdi, 0x7FF8
    movaps [rsp + 0x200000], xmm15
    .seh_savexmm xmm15, 0x200000
    movaps [rsp + 0xFFFF0], xmm6
    .seh_savexmm xmm6, 0xFFFF0
    .seh_endprologue
    nop
    movaps xmm6, [rsp + 0xFFFF0]
    movaps xmm15, [rsp + 0x200000]
    mov rdi, [rsp + 0x7FF8]
    mov rbx, [rsp + 0x208000]
    add rsp, 0x210000
    pop rbp
    ret
end:
    .seh_endproc",
    );
    assert_eq!(count, 15);
}

#[test]
fn frame_registers_other_than_rbp() {
    for (register, name) in [("r13", "frame13"), ("r12", "frame12"), ("rbx", "frame3")] {
        for offset in [0, 0x20, 0xF0] {
            // From the frame register to where the pops begin, in one byte and in four.
            for size in [0x100, 0x60] {
                let size = size.max(offset);
                let back = size - offset;
                let text = format!(
                    "start:
    .seh_proc start
    push {register}
    .seh_pushreg {register}
    push r15
    .seh_pushreg r15
    sub rsp, {size}
    .seh_stackalloc {size}
    lea {register}, [rsp + {offset}]
    .seh_setframe {register}, {offset}
    mov [rsp + 0x18], rsi
    .seh_savereg rsi, 0x18
    .seh_endprologue
    sub rsp, 0x400
    nop
    mov rsi, [{register} + 0x18 - {offset}]
    lea rsp, [{register} + {back}]
    pop r15
    pop {register}
    ret
end:
    .seh_endproc"
                );
                follow(&format!("{name}-{offset}-{size}"), &text);
            }
        }
    }
}

/// A function in three parts, of which the others chain to the first one; they name the same frame register.
#[test]
fn a_function_in_parts() {
    let count = follow(
        "parts",
        "start:
    push rbp
1:  sub rsp, 0x60
2:  lea rbp, [rsp + 0x20]
3:  nop
second:
    mov [rsp + 0x30], rsi
4:  mov [rsp + 0x38], rdi
5:  movaps [rsp + 0x40], xmm9
6:  mov rsi, rax
    movaps xmm9, xmm0
    sub rsp, 0x100
    mov rdi, rax
    nop
    lea rsp, [rbp - 0x20]
    movaps xmm9, [rsp + 0x40]
    mov rdi, [rsp + 0x38]
    mov rsi, [rsp + 0x30]
third:
    sub rsp, 0x200
    nop
    lea rsp, [rbp + 0x40]
    pop rbp
    ret
end:
    .section .xdata,\"dr\"
    .p2align 2
7:  .byte 1, 3b - start, 3, 0x25
    .byte 3b - start, 0x03, 2b - start, 0xB2, 1b - start, 0x50, 0, 0
8:  .byte 0x21, 6b - second, 6, 0x25
    .byte 6b - second, 0x98, 4, 0, 5b - second, 0x74, 7, 0, 4b - second, 0x64, 6, 0
    .long start@IMGREL, second@IMGREL, 7b@IMGREL
9:  .byte 0x21, 0, 0, 0x25
    .long start@IMGREL, second@IMGREL, 7b@IMGREL
    .section .pdata,\"dr\"
    .long start@IMGREL, second@IMGREL, 7b@IMGREL
    .long second@IMGREL, third@IMGREL, 8b@IMGREL
    .long third@IMGREL, end@IMGREL, 9b@IMGREL
    .text",
    );
    assert_eq!(count, 21);
}

#[test]
fn ways_out_of_a_function() {
    for (name, last) in [
        ("ret", "ret"),
        ("rep-ret", "rep ret"),
        ("ret-n", "ret 0"),
        ("bnd-ret", "repne ret"),
        ("jump-near", "jmp end"),
        ("jump-far", ".byte 0xE9\n    .long other - . - 4"),
        ("jump-import", "jmp [rip + 0x100]"),
        ("jump-register", "rex64 jmp rax"),
        ("jump-r10", ".byte 0x49, 0xFF, 0xE2"),
        ("jump-memory", "rex64 jmp [rax + 8]"),
        // To its own start: a call of itself.
        ("jump-self", "jmp start"),
    ] {
        let text = format!(
            "start:
    .seh_proc start
    push rdi
    .seh_pushreg rdi
    push r14
    .seh_pushreg r14
    sub rsp, 0x1000
    .seh_stackalloc 0x1000
    .seh_endprologue
    mov rdi, rax
    mov r14, rax
    add rsp, 0x1000
    pop r14
    pop rdi
    {last}
end:
    .seh_endproc
other:
    ret"
        );
        follow(name, &text);
    }
}

/// What looks like the end of a function but goes on inside of it is its body: registers are where the prolog put them.
#[test]
fn a_jump_inside_is_no_way_out() {
    let text = |jump: &str| {
        format!(
            "start:
    .seh_proc start
    push rbp
    .seh_pushreg rbp
    push rsi
    .seh_pushreg rsi
    mov rbp, rsp
    .seh_setframe rbp, 0
    .seh_endprologue
    mov rsi, rax
    push rax
    push rdi
    nop
    pop rax
    pop rcx
    {jump}
end:
    nop
2:  lea rsp, [rbp + 0]
    pop rsi
    pop rbp
    ret
    .seh_endproc"
        )
    };
    follow("jump-inside", &text("jmp 2f"));
    // Without the prefix, which marks jumps out of the function, a jump through a register is one of a table.
    follow("jump-table", &text("jmp rax"));
    // A prefix that names the register is not that one.
    follow("jump-table-r10", &text("jmp r10"));
    follow("jump-memory-table", &text("jmp [rax + rcx * 8]"));
}

/// A jump to another part of the same function is none out of it; one to that function's start is, as any call of it.
#[test]
fn a_jump_to_another_part() {
    let text = |work: &str, jump: &str| {
        format!(
            "first:
    push rbp
1:  mov rbp, rsp
2:  nop
3:  pop rbp
    ret
start = second
second:
    push rbx
4:  nop
    mov rbx, rax
    {work}
    pop rbx
    {jump}
end:
    ret
    .section .xdata,\"dr\"
    .p2align 2
7:  .byte 1, 2b - first, 2, 5
    .byte 2b - first, 0x03, 1b - first, 0x50
8:  .byte 0x21, 4b - second, 1, 5
    .byte 4b - second, 0x30, 0, 0
    .long first@IMGREL, second@IMGREL, 7b@IMGREL
    .section .pdata,\"dr\"
    .long first@IMGREL, second@IMGREL, 7b@IMGREL
    .long second@IMGREL, end@IMGREL, 8b@IMGREL
    .text"
        )
    };
    // The second part begins with the first one's prolog done: its frame pointer is set, and the caller's is on the stack.
    let (mut process, start, end) = process("jump-part", &text("nop", "jmp 3b"));
    let mut registers = at_entry(start);
    let before = registers.clone();
    registers.integer[RSP] -= 8;
    process.store(registers.integer[RSP], before.integer[5]);
    registers.integer[5] = registers.integer[RSP];
    let expected = Kept::at_entry(&before, &process);
    let code = decode(&process, start, end);
    let mut simulator = Simulator {
        process: &mut process,
        registers,
        random: Random(3),
        probe: 0,
        stored: Stored::default(),
    };
    for instruction in &code {
        // At the pop and at the jump the first part's frame is still there: an epilog would have lost it.
        let mut context = simulator.registers.context();
        let rip = simulator.registers.rip;
        let function = simulator.process.find(rip);
        let memory = &*simulator.process;
        let wanted = HandlerTypes::empty();
        amd64::virtual_unwind(memory, wanted, function.as_ref(), rip, &mut context, None).unwrap();
        let found = Kept::of(&context);
        // The register that the second part saves is restored behind its pop, and its place is gone.
        if instruction.mnemonic() == iced_x86::Mnemonic::Jmp {
            assert_eq!((found.rip(), found.rsp()), (expected.rip(), expected.rsp()));
        } else {
            assert_eq!(found, expected, "at {:#x}", rip - IMAGE_BASE);
        }
        simulator.step(instruction);
    }
}

/// Version 2 lists epilogs: at the end, and elsewhere by their distance from it.
#[test]
fn epilogs_that_are_listed() {
    let text = |codes: &str, count: u32| {
        format!(
            "start:
    push rbx
1:  push r12
2:  push rdi
3:  sub rsp, 0x20
4:  nop
    mov rbx, rax
    add rsp, 0x20
    pop rdi
    pop r12
    pop rbx
    ret
end:
    nop
    mov rbx, rax
    add rsp, 0x20
    pop rdi
    pop r12
    pop rbx
    ret
5:
    .section .xdata,\"dr\"
    .p2align 2
6:  .byte 2, 4b - start, {count}, 0
    {codes}
    .byte 4b - start, 0x32, 3b - start, 0x70, 2b - start, 0xC0, 1b - start, 0x30
    .section .pdata,\"dr\"
    .long start@IMGREL, 5b@IMGREL, 6b@IMGREL
    .text"
        )
    };
    // Five bytes: pop, pop with a prefix, pop, ret. At the end, and ending seven bytes and more before it.
    follow("listed-both", &text(".byte 5, 0x16, 5b - end + 5, 0x06", 6));
    // None at the end.
    follow("listed-one", &text(".byte 5, 0x06, 5b - end + 5, 0x06", 6));
}

/// Flags that are pushed are taken off by a pop of a register that nobody keeps.
#[test]
fn an_epilog_that_takes_off_flags() {
    follow(
        "listed-flags",
        "start:
    push rax
1:  push rsi
2:  sub rsp, 0x28
3:  mov rsi, rax
    add rsp, 0x28
    pop rsi
    pop rcx
    ret
end:
    .section .xdata,\"dr\"
    .p2align 2
4:  .byte 2, 3b - start, 5, 0
    .byte 3, 0x16, 0, 0x06
    .byte 3b - start, 0x42, 2b - start, 0x60, 1b - start, 0x02
    .byte 0, 0
    .section .pdata,\"dr\"
    .long start@IMGREL, end@IMGREL, 4b@IMGREL
    .text",
    );
}

/// An entry that stands for another one.
#[test]
fn an_indirect_entry() {
    follow(
        "indirect",
        "start:
    push rsi
1:  sub rsp, 0x20
2:  mov rsi, rax
    add rsp, 0x20
    pop rsi
    ret
end:
    .section .xdata,\"dr\"
    .p2align 2
4:  .byte 1, 2b - start, 2, 0
    .byte 2b - start, 0x32, 1b - start, 0x60
5:  .long start@IMGREL, end@IMGREL, 4b@IMGREL
    .section .pdata,\"dr\"
    .long start@IMGREL, end@IMGREL, 5b@IMGREL + 1
    .text",
    );
}

/// What an interrupt pushed says where control was and with which stack.
#[test]
fn machine_frames() {
    for (name, directive, error_code) in [("frame", "", 0), ("frame-code", "@code", 8)] {
        let (mut process, start, end) = process(
            name,
            &format!(
                "start:
    .seh_proc start
    .seh_pushframe {directive}
    push rdi
    .seh_pushreg rdi
    sub rsp, 0x30
    .seh_stackalloc 0x30
    .seh_endprologue
    mov rdi, rax
    nop
end:
    ud2
    .seh_endproc"
            ),
        );
        let registers = at_entry(start);
        let frame = registers.integer[RSP] + error_code;
        let mut interrupted = registers.clone();
        interrupted.rip = 0x1234_5678;
        interrupted.integer[RSP] = frame + 0x5550;
        process.store(frame, interrupted.rip);
        process.store(frame + 0x18, interrupted.integer[RSP]);
        let expected = Kept::of(&interrupted.context());
        let code = decode(&process, start, end);
        let mut simulator = Simulator {
            process: &mut process,
            registers,
            random: Random(3),
            probe: 0,
            stored: Stored::default(),
        };
        for instruction in &code {
            check(simulator.process, &simulator.registers, &expected);
            assert!(simulator.step(instruction));
        }
    }
}
