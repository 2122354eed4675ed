//! Undoing functions of ARM64 that are written by hand, with what compilers seldom or never make; see `written_x64.rs`.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod following;
mod frames;
#[path = "../support/mod.rs"]
mod support;

use following::{at_entry, follow, process, undo};
use nt_abi::NtStatus;
use nt_abi::exception::HandlerTypes;
use pe::unwind_arm64::RuntimeFunction;
use support::arm64::LR;
use support::{IMAGE_BASE, STACK_HIGH};
use unwind::{FunctionEntry, arm64};

#[test]
fn a_leaf_has_changed_nothing() {
    assert_eq!(follow("leaf", "start:\n    nop\n    ret\nend:\n"), 2);
}

#[test]
fn a_leaf_that_would_return_to_itself() {
    let (process, start, _) = process("leaf-itself", "start:\n    nop\n    ret\nend:\n");
    let mut registers = at_entry(start);
    registers.x[LR] = registers.pc;
    assert_eq!(
        undo(&process, &mut registers.context()),
        Err(NtStatus::BAD_FUNCTION_TABLE)
    );
}

/// Each line of a prolog with its directive, and the mirror: a function of that.
fn mirrored(name: &str, lines: &[(&str, &str, &str)]) -> usize {
    let mut text = String::from("start:\n    .seh_proc start\n");
    for (prolog, directive, _) in lines {
        text += &format!("    {prolog}\n    {directive}\n");
    }
    text += "    .seh_endprologue\n    nop\n    mov x30, x0\n    nop\n    .seh_startepilogue\n";
    for (_, directive, epilog) in lines.iter().rev() {
        text += &format!("    {epilog}\n    {directive}\n");
    }
    text += "    .seh_endepilogue\n    ret\nend:\n    .seh_endproc\n";
    follow(name, &text)
}

/// Every instruction that saves any register, alone and in pairs, with and without moving the stack pointer.
#[test]
fn any_register() {
    let count = mirrored(
        "any",
        &[
            (
                "stp x29, x30, [sp, #-0x120]!",
                ".seh_save_fplr_x 0x120",
                "ldp x29, x30, [sp], #0x120",
            ),
            (
                "str x3, [sp, #0x10]",
                ".seh_save_any_reg x3, 0x10",
                "ldr x3, [sp, #0x10]",
            ),
            (
                "str x21, [sp, #0x18]",
                ".seh_save_any_reg x21, 0x18",
                "ldr x21, [sp, #0x18]",
            ),
            (
                "stp x4, x5, [sp, #0x20]",
                ".seh_save_any_reg_p x4, 0x20",
                "ldp x4, x5, [sp, #0x20]",
            ),
            (
                "stp x25, x26, [sp, #0x30]",
                ".seh_save_any_reg_p x25, 0x30",
                "ldp x25, x26, [sp, #0x30]",
            ),
            (
                "str d9, [sp, #0x40]",
                ".seh_save_any_reg d9, 0x40",
                "ldr d9, [sp, #0x40]",
            ),
            (
                "stp d10, d11, [sp, #0x50]",
                ".seh_save_any_reg_p d10, 0x50",
                "ldp d10, d11, [sp, #0x50]",
            ),
            (
                "str q12, [sp, #0x60]",
                ".seh_save_any_reg q12, 0x60",
                "ldr q12, [sp, #0x60]",
            ),
            (
                "stp q13, q14, [sp, #0x80]",
                ".seh_save_any_reg_p q13, 0x80",
                "ldp q13, q14, [sp, #0x80]",
            ),
            (
                "str x19, [sp, #-0x10]!",
                ".seh_save_any_reg_x x19, 0x10",
                "ldr x19, [sp], #0x10",
            ),
            (
                "stp x22, x23, [sp, #-0x40]!",
                ".seh_save_any_reg_px x22, 0x40",
                "ldp x22, x23, [sp], #0x40",
            ),
            (
                "str d8, [sp, #-0x20]!",
                ".seh_save_any_reg_x d8, 0x20",
                "ldr d8, [sp], #0x20",
            ),
            (
                "stp d8, d9, [sp, #-0x30]!",
                ".seh_save_any_reg_px d8, 0x30",
                "ldp d8, d9, [sp], #0x30",
            ),
            (
                "str q15, [sp, #-0x10]!",
                ".seh_save_any_reg_x q15, 0x10",
                "ldr q15, [sp], #0x10",
            ),
            (
                "stp q8, q9, [sp, #-0x100]!",
                ".seh_save_any_reg_px q8, 0x100",
                "ldp q8, q9, [sp], #0x100",
            ),
        ],
    );
    assert_eq!(count, 34);
}

/// Pairs that follow one another, integer and float.
#[test]
fn next_pairs() {
    mirrored(
        "next",
        &[
            (
                "stp x19, x20, [sp, #-0xB0]!",
                ".seh_save_r19r20_x 0xB0",
                "ldp x19, x20, [sp], #0xB0",
            ),
            (
                "stp x21, x22, [sp, #0x10]",
                ".seh_save_next",
                "ldp x21, x22, [sp, #0x10]",
            ),
            (
                "stp x23, x24, [sp, #0x20]",
                ".seh_save_next",
                "ldp x23, x24, [sp, #0x20]",
            ),
            (
                "stp x25, x26, [sp, #0x30]",
                ".seh_save_next",
                "ldp x25, x26, [sp, #0x30]",
            ),
            (
                "stp d8, d9, [sp, #0x50]",
                ".seh_save_fregp d8, 0x50",
                "ldp d8, d9, [sp, #0x50]",
            ),
            (
                "stp d10, d11, [sp, #0x60]",
                ".seh_save_next",
                "ldp d10, d11, [sp, #0x60]",
            ),
            (
                "stp d12, d13, [sp, #0x70]",
                ".seh_save_next",
                "ldp d12, d13, [sp, #0x70]",
            ),
            (
                "stp x29, x30, [sp, #0x90]",
                ".seh_save_fplr 0x90",
                "ldp x29, x30, [sp, #0x90]",
            ),
            (
                "add x29, sp, #0x90",
                ".seh_add_fp 0x90",
                "sub sp, x29, #0x90",
            ),
        ],
    );
}

/// Unwind data of an image that is written word by word: `words` of `.xdata` for the code between `start` and `end`.
fn with_record(code: &str, words: &str) -> String {
    format!(
        "{code}
    .section .xdata,\"dr\"
    .p2align 2
record:
    {words}
    .section .pdata,\"dr\"
    .word start@IMGREL, record@IMGREL
    .text"
    )
}

/// The pair behind the last one of integer registers is the first one of floats, as the document has it.
#[test]
fn the_pair_behind_the_last_integers() {
    follow(
        "next-floats",
        &with_record(
            "start:
    stp x27, x28, [sp, #-0x40]!
    stp d8, d9, [sp, #0x10]
    stp d10, d11, [sp, #0x20]
    nop
    ldp d10, d11, [sp, #0x20]
    ldp d8, d9, [sp, #0x10]
    ldp x27, x28, [sp], #0x40
    ret
end:",
            // save_next, save_next, save_regp_x x27 0x40, end; one epilog at the end with the same codes.
            ".word 8 | 1 << 21 | 2 << 27
    .byte 0xE6, 0xE6, 0xCE, 0x07, 0xE4, 0xE3, 0xE3, 0xE3",
        ),
    );
}

/// Pieces of a function, as in the examples of the document's "Function fragments".
#[test]
fn fragments() {
    let prolog = "
    stp x29, x30, [sp, #-0x100]!
    stp x19, x20, [sp, #0xF0]
    mov x29, sp";
    let epilog = "
    mov sp, x29
    ldp x19, x20, [sp, #0xF0]
    ldp x29, x30, [sp], #0x100
    ret";
    // set_fp; save_regp x19, 0xF0; save_fplr_x 0x100; end
    let codes = "0xE1, 0xC8, 0x1E, 0x9F, 0xE4";
    let pdata = "
    .section .pdata,\"dr\"
    .word start@IMGREL, record1@IMGREL
    .word 2b@IMGREL, record2@IMGREL
    .word 3b@IMGREL, record3@IMGREL
    .text";
    let records = format!(
        "
    .section .xdata,\"dr\"
    .p2align 2
record1: // The prolog, no epilog.
    .word (2b - start) / 4 | 2 << 27
    .byte {codes}, 0xE3, 0xE3, 0xE3
record2: // Neither; one epilog that is none.
    .word (3b - 2b) / 4 | 1 << 22 | 2 << 27
    .word 0
    .byte 0xE5, {codes}, 0xE3, 0xE3
record3: // The epilog, behind a prolog that is elsewhere.
    .word (end - 3b) / 4 | 1 << 21 | 1 << 22 | 2 << 27
    .byte 0xE5, {codes}, 0xE3, 0xE3"
    );
    // What an epilog that is none covers is undone as the body is: its scope begins where nothing of it is.
    let records = records.replace(".word 0\n", ".word 2\n");
    follow(
        "fragments",
        &format!(
            "start:{prolog}
    mov x19, x0
    nop
2:  mov x20, x0
    mov x30, x0
    nop
    nop
3:  nop{epilog}
end:{records}{pdata}"
        ),
    );
}

/// Shrink wrapping: a region that saves more, between the function's own prolog and epilog.
#[test]
fn a_region_that_saves_more() {
    follow(
        "wrapped",
        "start:
    stp x29, x30, [sp, #-0x100]!
    stp x19, x20, [sp, #0xF0]
    mov x29, sp
    nop
2:  stp x21, x22, [sp, #0xE0]
    mov x21, x0
    nop
    ldp x21, x22, [sp, #0xE0]
3:  nop
    mov sp, x29
    ldp x19, x20, [sp, #0xF0]
    ldp x29, x30, [sp], #0x100
    ret
end:
    .section .xdata,\"dr\"
    .p2align 2
record1:
    .word (2b - start) / 4 | 2 << 27
    .byte 0xE1, 0xC8, 0x1E, 0x9F, 0xE4, 0xE3, 0xE3, 0xE3
record2: // save_regp x21, 0xE0; end_c; then the prolog of the function around it. An epilog of one instruction.
    .word (3b - 2b) / 4 | 1 << 22 | 2 << 27
    .word (3b - 2b) / 4 - 1
    .byte 0xC8, 0x9C, 0xE5, 0xE1, 0xC8, 0x1E, 0x9F, 0xE4
record3:
    .word (end - 3b) / 4 | 1 << 21 | 1 << 22 | 2 << 27
    .byte 0xE5, 0xE1, 0xC8, 0x1E, 0x9F, 0xE4, 0xE3, 0xE3
    .section .pdata,\"dr\"
    .word start@IMGREL, record1@IMGREL
    .word 2b@IMGREL, record2@IMGREL
    .word 3b@IMGREL, record3@IMGREL
    .text",
    );
}

/// More epilogs and codes than the first word can count.
#[test]
fn counts_in_a_word_of_their_own() {
    follow(
        "extended",
        &with_record(
            "start:
    sub sp, sp, #0x20
    stp x19, x30, [sp]
    nop
    ldp x19, x30, [sp]
    add sp, sp, #0x20
    ret
end:",
            // save_lrpair x19, 0; alloc_s 0x20; end
            ".word (end - start) / 4
    .word 1 | 1 << 16
    .word 3
    .byte 0xD6, 0x00, 0x02, 0xE4",
        ),
    );
}

/// A fragment that is packed has the frame of its function from its first instruction to its last.
#[test]
fn packed_fragments() {
    // x19, x20, and 16 bytes; no link. Flag 2.
    follow(
        "packed-fragment",
        "first:
    nop
    .globl start
start:
    stp x19, x20, [sp, #-0x10]!
    sub sp, sp, #0x10
2:  mov x19, x0
    nop
    mov x20, x0
3:  add sp, sp, #0x10
    ldp x19, x20, [sp], #0x10
    ret
end:
    .section .xdata,\"dr\"
    .p2align 2
record1:
    .word (2b - start) / 4 | 1 << 27
    .byte 0x01, 0x21 + 1, 0xE4, 0xE3
record3:
    .word (end - 3b) / 4 | 1 << 21 | 1 << 22 | 1 << 27
    .byte 0xE5, 0x01, 0x22, 0xE4
    .section .pdata,\"dr\"
    .word start@IMGREL, record1@IMGREL
    .word 2b@IMGREL, 2 | 3 << 2 | 2 << 16 | 2 << 23
    .word 3b@IMGREL, record3@IMGREL
    .text",
    );
}

/// Homes without saved registers are in the locals' part of the frame, so storing the arguments is no part of the prolog.
/// (A reader before LLVM 22 thinks otherwise; this is what the unwinder of the .NET runtime does.)
#[test]
fn homes_alone() {
    follow(
        "homes",
        "start:
    sub sp, sp, #0x70
    stp x0, x1, [sp, #0x30]
    stp x2, x3, [sp, #0x40]
    stp x4, x5, [sp, #0x50]
    stp x6, x7, [sp, #0x60]
    nop
    add sp, sp, #0x70
    ret
end:
    .section .pdata,\"dr\"
    .word start@IMGREL, 1 | 8 << 2 | 1 << 20 | 7 << 23
    .text",
    );
}

/// Sequences that make no sense are refused.
#[test]
fn refused_sequences() {
    for (name, codes) in [
        ("next-alone", "0xE6, 0xE4"),
        ("next-then-one", "0xE6, 0xD0, 0x00, 0xE4"),
        ("next-then-link", "0xE6, 0x40, 0xE4"),
        ("trap-frame", "0xE8, 0xE4"),
        ("unknown", "0xED, 0xE4"),
        ("unknown-two", "0xDF, 0x00, 0xE4"),
        ("beyond-x30", "0xE7, 0x5E, 0x00, 0xE4"),
        ("cut-off", "0xE3, 0xE3, 0xE3, 0xC0"),
    ] {
        let text = with_record(
            "start:\n    .rept 16\n    nop\n    .endr\nend:",
            &format!(
                ".word (end - start) / 4 | 2 << 27\n    .byte {codes}\n    .p2align 2\n    .word 0xE3E3E3E3"
            ),
        );
        let text = if name == "cut-off" {
            text.replace("2 << 27", "1 << 27")
        } else {
            text
        };
        let (process, start, end) = process(&format!("refused-{name}"), &text);
        let mut context = at_entry(start).context();
        context.pc = IMAGE_BASE + u64::from(end) - 4;
        assert_eq!(
            undo(&process, &mut context),
            Err(NtStatus::BAD_FUNCTION_TABLE),
            "{name}"
        );
    }
}

/// Reserved codes of a known length are passed over, as one instruction each.
#[test]
fn codes_of_the_future() {
    follow(
        "future",
        &with_record(
            "start:
    sub sp, sp, #0x20
    nop
    nop
    nop
    nop
    nop
    add sp, sp, #0x20
    ret
end:",
            ".word (end - start) / 4 | 1 << 22 | 5 << 27
    .word 6 | 15 << 22
    .byte 0xF8, 0, 0xF9, 0, 0, 0xFA, 0, 0, 0, 0xFB, 0, 0, 0, 0, 0xFD, 0x02, 0xE4, 0xE3, 0xE3, 0xE3",
        ),
    );
}

/// A stack that ends in the middle of a frame.
#[test]
fn a_stack_that_is_too_short() {
    let text = "start:
    .seh_proc start
    stp x29, x30, [sp, #-0x20]!
    .seh_save_fplr_x 0x20
    .seh_endprologue
    nop
end:
    brk #0
    .seh_endproc";
    let (process, start, _) = process("short", text);
    for sp in [STACK_HIGH - 8, STACK_HIGH, 0, u64::MAX - 7] {
        let mut context = at_entry(start).context();
        (context.sp, context.pc) = (sp, context.pc + 4);
        assert_eq!(
            undo(&process, &mut context),
            Err(NtStatus::BAD_STACK),
            "{sp:#x}"
        );
    }
}

/// What a packed entry saves must fit into its frame.
#[test]
fn packed_frames_that_are_too_small() {
    let (process, start, _) = process("small-frame", "start:\n    nop\nend:\n    ret\n");
    // Two integer registers and no frame at all.
    let function = RuntimeFunction::read(start, 1 | 2 << 2 | 2 << 16).unwrap();
    let entry = FunctionEntry {
        image_base: IMAGE_BASE,
        address: 0,
        function,
    };
    let mut context = at_entry(start).context();
    let pc = context.pc;
    let wanted = HandlerTypes::empty();
    let undone = arm64::virtual_unwind(&process, wanted, Some(&entry), pc, &mut context, None);
    assert_eq!(undone, Err(NtStatus::BAD_FUNCTION_TABLE));
}
