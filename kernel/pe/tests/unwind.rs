//! Unwind data, against what `llvm-readobj --unwind` 14 prints for the same images.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use nt_abi::NtStatus;
use pe::unwind_arm64::{self, Epilogs, Linkage, Packed, Saved, UnwindCode, UnwindData};
use pe::unwind_x64::{FunctionTable, RuntimeFunction, UnwindOperation, UnwindTail};
use pe::{Image, Machine};
use support::builder::{NewImage, Writer};
use support::data;

const BAD: NtStatus = NtStatus::BAD_FUNCTION_TABLE;

/// The steps of a function's prolog: where each ends, and what it did.
fn steps(functions: &FunctionTable<'_>, function: RuntimeFunction) -> Vec<(u8, UnwindOperation)> {
    let info = functions.unwind_info(function).unwrap();
    let codes = info.codes.iter().map(Result::unwrap);
    codes
        .map(|code| (code.prolog_offset, code.operation))
        .collect()
}

#[test]
fn functions_of_x64() {
    use UnwindOperation::{Allocate, Push, Save, SaveXmm, SetFrame};
    let file = data("x64.dll");
    let image = Image::from_file(&file).unwrap();
    let functions = image.functions_x64().unwrap().unwrap();
    let ranges: Vec<_> = functions
        .iter()
        .map(|f| (f.begin_rva, f.end_rva, f.unwind_rva))
        .collect();
    assert_eq!(
        ranges,
        [
            (0x1000, 0x101F, 0x22CC),
            (0x1020, 0x104A, 0x22D4),
            (0x1050, 0x1060, 0x22F0),
            (0x1060, 0x1062, 0x2314),
            (0x10BE, 0x1135, 0x20F0),
        ]
    );
    let function = |number| functions.get(number).unwrap();
    assert_eq!(steps(&functions, function(0)), [(4, Allocate(40))]);
    assert_eq!(
        steps(&functions, function(1)),
        [
            (
                0x29,
                SaveXmm {
                    register: 7,
                    offset: 0x12_3400
                }
            ),
            (
                0x21,
                SaveXmm {
                    register: 6,
                    offset: 0x90
                }
            ),
            (
                0x19,
                Save {
                    register: 3,
                    offset: 0x100
                }
            ),
            (0x11, SetFrame),
            (0x09, Allocate(74560)),
            (0x02, Push(6)),
            (0x01, Push(5)),
        ]
    );
    let framed = functions.unwind_info(function(1)).unwrap();
    assert_eq!((framed.version, framed.prolog_size), (1, 41));
    assert_eq!(
        (framed.frame_register, framed.frame_offset),
        (Some(5), 0x80)
    );
    assert_eq!(framed.tail, UnwindTail::None);
    assert_eq!(steps(&functions, function(2)), [(7, Allocate(1_048_576))]);
}

#[test]
fn tails_of_x64() {
    let file = data("x64.dll");
    let image = Image::from_file(&file).unwrap();
    let functions = image.functions_x64().unwrap().unwrap();
    let guarded = functions.unwind_info(functions.get(2).unwrap()).unwrap();
    let UnwindTail::Handler {
        rva,
        data_rva,
        on_exception,
        on_unwind,
    } = guarded.tail
    else {
        panic!("{:?}", guarded.tail);
    };
    assert_eq!((rva, on_exception, on_unwind), (0x1062, true, true));
    // The scopes are the ones in the source.
    let scopes: Vec<_> = image
        .scope_table(data_rva)
        .unwrap()
        .map(|scope| {
            (
                scope.begin_rva,
                scope.end_rva,
                scope.handler_rva,
                scope.target_rva,
            )
        })
        .collect();
    assert_eq!(scopes, [(0x1050, 0x1054, 1, 0x1058)]);

    let chained = functions.get(3).unwrap();
    let chain = RuntimeFunction {
        begin_rva: 0x1020,
        end_rva: 0x1050,
        unwind_rva: 0x2324,
    };
    assert_eq!(
        functions.unwind_info(chained).unwrap().tail,
        UnwindTail::Chained(chain)
    );
    assert_eq!(functions.primary(chained), Ok(chain));
    assert_eq!(functions.primary(chain), Ok(chain));
}

#[test]
fn finding_functions_of_x64() {
    let file = data("x64.dll");
    let image = Image::from_file(&file).unwrap();
    let functions = image.functions_x64().unwrap().unwrap();
    for rva in 0xFF0..0x1140 {
        let by_search = functions
            .iter()
            .find(|f| (f.begin_rva..f.end_rva).contains(&rva));
        assert_eq!(functions.find(rva), by_search, "{rva:#x}");
    }
    assert!(image.functions_arm64().unwrap().is_none());
}

/// Codes that no assembler wrote for the images: machine frames, version 2's epilogs, unknown ones.
#[test]
fn rare_codes_of_x64() {
    let said = |version: u8, codes: &[u8]| {
        let mut bytes = Writer(Vec::new());
        bytes.u32(0x1000).u32(0x1100).u32(0x100C);
        bytes
            .bytes(&[version, 0, u8::try_from(codes.len() / 2).unwrap(), 0])
            .bytes(codes);
        let mut image = NewImage::new(Machine::AMD64);
        image.directories[3] = (0x1000, 12);
        image.sections = vec![NewImage::section(0x1000, 0x200, bytes.0)];
        let file = image.build();
        let image = Image::from_file(&file).unwrap();
        let functions = image.functions_x64().unwrap().unwrap();
        let info = functions.unwind_info(functions.get(0).unwrap())?;
        info.codes
            .iter()
            .map(|code| code.map(|code| code.operation))
            .collect::<Result<Vec<_>, _>>()
    };
    let frame = |error_code| UnwindOperation::MachineFrame { error_code };
    assert_eq!(
        said(1, &[1, 0x0A, 1, 0x1A]),
        Ok(vec![frame(false), frame(true)])
    );
    assert_eq!(said(1, &[1, 0x2A]), Err(BAD));
    assert_eq!(said(1, &[5, 0x16]), Err(BAD));
    assert_eq!(
        said(2, &[5, 0x16]),
        Ok(vec![UnwindOperation::Epilog {
            size_or_offset: 5,
            info: 1
        }])
    );
    assert_eq!(
        said(1, &[0, 0x21]),
        Err(BAD),
        "large, but neither near nor far"
    );
    assert_eq!(said(1, &[0, 0x01]), Err(BAD), "cut off");
    assert_eq!(said(1, &[0, 0x0B]), Err(BAD));
    assert_eq!(said(3, &[]), Err(BAD));
    assert_eq!(said(0, &[]), Err(BAD));
}

#[test]
fn chains_that_are_circles() {
    let mut bytes = Writer(Vec::new());
    // Both entries lead to the second; the record chains to itself.
    bytes.u32(0x1000).u32(0x1010).u32(0x100D);
    bytes.u32(0x1010).u32(0x1020).u32(0x100D);
    bytes
        .bytes(&[0x21, 0, 0, 0])
        .u32(0x1000)
        .u32(0x1010)
        .u32(0x1018);
    let mut image = NewImage::new(Machine::AMD64);
    image.directories[3] = (0x1000, 24);
    image.sections = vec![NewImage::section(0x1000, 0x200, bytes.0)];
    let file = image.build();
    let image = Image::from_file(&file).unwrap();
    let functions = image.functions_x64().unwrap().unwrap();
    let function = functions.get(0).unwrap();
    assert_eq!(functions.resolve(function), Err(BAD));
    assert_eq!(functions.unwind_info(function), Err(BAD));
    let chained = RuntimeFunction {
        unwind_rva: 0x1018,
        ..function
    };
    assert_eq!(functions.primary(chained), Err(BAD));
}

fn saved(register: u8, offset: u16) -> Saved {
    Saved { register, offset }
}

#[test]
fn functions_of_arm64() {
    let file = data("arm64.dll");
    let image = Image::from_file(&file).unwrap();
    let functions = image.functions_arm64().unwrap().unwrap();
    let all: Vec<_> = functions.iter().map(Result::unwrap).collect();
    let packed = Packed {
        length: 20,
        fragment: false,
        float_registers: 0,
        integer_registers: 0,
        homes_arguments: false,
        linkage: Linkage::Chained,
        frame_size: 32,
    };
    assert_eq!(
        all.iter()
            .map(|f| (f.begin_rva, f.unwind))
            .collect::<Vec<_>>(),
        [
            (0x1000, UnwindData::Packed(packed)),
            (0x1014, UnwindData::Record(0x2070)),
            (0x1054, UnwindData::Record(0x20A4)),
        ]
    );
    let lengths: Vec<_> = all.iter().map(|f| functions.length(*f).unwrap()).collect();
    assert_eq!(lengths, [20, 64, 36]);
    for rva in 0xFF0..0x1100 {
        let expected = match rva {
            0x1000..0x1014 => Some(all[0]),
            0x1014..0x1054 => Some(all[1]),
            0x1054..0x1078 => Some(all[2]),
            _ => None,
        };
        assert_eq!(functions.find(rva), Ok(expected), "{rva:#x}");
    }
}

fn codes(codes: unwind_arm64::UnwindCodes<'_>) -> Vec<UnwindCode> {
    codes.map(Result::unwrap).collect()
}

#[test]
fn records_of_arm64() {
    use UnwindCode as C;
    let file = data("arm64.dll");
    let image = Image::from_file(&file).unwrap();
    let functions = image.functions_arm64().unwrap().unwrap();
    let full = functions.record(0x2070).unwrap();
    assert_eq!(full.handler_rva, Some(0x1078));
    let data_at = image.at(full.handler_data_rva, 4).unwrap();
    assert_eq!(data_at, 0x1234_5678_u32.to_le_bytes());
    assert_eq!(
        codes(full.prolog()),
        [
            C::Nop,
            C::AddFrame(96),
            C::SaveLrPair(saved(23, 80)),
            C::SaveFloat(saved(10, 64)),
            C::SaveFloatPair(saved(8, 48)),
            C::Save(saved(21, 32)),
            C::SavePair(saved(19, 16)),
            C::Allocate(32768),
            C::End,
        ]
    );
    let epilogs: Vec<_> = full
        .epilogs
        .iter()
        .map(|epilog| (epilog.start, codes(full.epilog(epilog).unwrap())))
        .collect();
    assert_eq!(
        epilogs,
        [
            (Some(40), vec![C::AddFrame(96), C::Allocate(32768), C::End]),
            (Some(56), vec![C::Allocate(32768), C::End]),
        ]
    );

    let split = functions.record(0x20A4).unwrap();
    assert_eq!((split.handler_rva, split.epilogs.iter().count()), (None, 0));
    assert_eq!(
        codes(split.prolog()),
        [
            C::Allocate(1_048_576),
            C::Allocate(32),
            C::SavePairPre(saved(24, 32)),
            C::SavePre(saved(28, 16)),
            C::SaveFloatPre(saved(14, 16)),
            C::SaveFloatPairPre(saved(8, 16)),
            C::SaveNext,
            C::SaveR19R20Pre(64),
            C::End,
        ]
    );
}

/// An ARM64 image with one function at 0x1000 whose record is given.
fn with_record(words: &[u32]) -> Vec<u8> {
    let mut bytes = Writer(Vec::new());
    bytes.u32(0x1000).u32(0x1008);
    words.iter().for_each(|word| {
        bytes.u32(*word);
    });
    let mut image = NewImage::new(Machine::ARM64);
    image.directories[3] = (0x1000, 8);
    image.sections = vec![NewImage::section(0x1000, 0x200, bytes.0)];
    image.build()
}

/// The layouts that the images do not have, written from the format's description.
#[test]
fn other_records_of_arm64() {
    let read = |words: &[u32]| {
        let file = with_record(words);
        let image = Image::from_file(&file).unwrap();
        let record = image.functions_arm64().unwrap().unwrap().record(0x1008)?;
        let prolog: Result<Vec<_>, _> = record.prolog().collect();
        Ok((record.function_length, prolog, record.epilogs.iter().next()))
    };
    // One epilog, at the end: the count is the index of its first code.
    let (length, prolog, epilog) = read(&[1 << 27 | 2 << 22 | 1 << 21 | 10, 0xE4E4_E4E1]).unwrap();
    assert_eq!(length, 40);
    assert_eq!(prolog, Ok(vec![UnwindCode::SetFrame, UnwindCode::End]));
    let epilog = epilog.unwrap();
    assert_eq!((epilog.start, epilog.code_index), (None, 2));

    // Counts in a second word: one epilog at 8, one word of codes.
    let (_, prolog, epilog) = read(&[10, 1 << 16 | 1, 3 << 22 | 2, 0xE4E4_E4FC]).unwrap();
    assert_eq!(prolog, Ok(vec![UnwindCode::SignLr, UnwindCode::End]));
    let epilog = epilog.unwrap();
    assert_eq!((epilog.start, epilog.code_index), (Some(8), 3));

    // Three bytes for any register: a pair of q8 and q9 at sp + 32; then x5, alone, pre-indexed.
    let (_, prolog, _) = read(&[2 << 27 | 1 << 21, 0xE782_48E7, 0xE4E4_0025]).unwrap();
    let any = |kind, register, pair, moves_stack, offset| UnwindCode::SaveAny {
        kind,
        register,
        pair,
        moves_stack,
        offset,
    };
    use pe::unwind_arm64::RegisterKind::{Integer, Quad};
    assert_eq!(
        prolog,
        Ok(vec![
            any(Quad, 8, true, false, 32),
            any(Integer, 5, false, true, 16),
            UnwindCode::End
        ])
    );

    assert_eq!(
        read(&[1 << 18 | 1 << 27, 0xE4]),
        Err(BAD),
        "an unknown version"
    );
    assert_eq!(read(&[31 << 27]), Err(BAD), "codes beyond the section");
    let (_, prolog, _) = read(&[1 << 27, 0xE0E3_E3E3]).unwrap();
    assert_eq!(prolog, Err(BAD), "a code that is cut off");
}

#[test]
fn packed_functions_of_arm64() {
    let read = |word: u32| {
        let mut bytes = Writer(Vec::new());
        bytes.u32(0x1000).u32(word);
        let mut image = NewImage::new(Machine::ARM64);
        image.directories[3] = (0x1000, 8);
        image.sections = vec![NewImage::section(0x1000, 0x200, bytes.0)];
        let file = image.build();
        let image = Image::from_file(&file).unwrap();
        let functions = image.functions_arm64().unwrap().unwrap();
        functions.get(0).map(|function| function.unwrap().unwind)
    };
    // A fragment of 8 bytes: d8 to d10, x19 to x22, arguments stored, signed, 16 bytes of frame.
    let word = 1 << 23 | 2 << 21 | 1 << 20 | 4 << 16 | 2 << 13 | 2 << 2 | 2;
    let packed = Packed {
        length: 8,
        fragment: true,
        float_registers: 3,
        integer_registers: 4,
        homes_arguments: true,
        linkage: Linkage::ChainedSigned,
        frame_size: 16,
    };
    assert_eq!(read(word), Ok(UnwindData::Packed(packed)));
    assert_eq!(read(11 << 16 | 1), Err(BAD), "x19 to x29: no such form");
    assert_eq!(read(3), Err(BAD), "reserved");
    assert_eq!(Epilogs::Scopes(&[]).iter().next(), None);
}
