//! Version 2's driver against the model.

mod model;

use gic::v2::Gic;
use gic::{Error, Trigger};
use model::{Block2, Distributor2, Interface2, Model, Shape};

/// One security state; the non-secure state of two, with as many bits as the GIC-400 has; the fewest bits that suffice.
const SHAPES: [Shape; 3] = [
    Shape {
        processors: 8,
        lines: 96,
        priority_bits: 4,
        non_secure: false,
        mask_shifted: false,
    },
    Shape {
        processors: 8,
        lines: 96,
        priority_bits: 5,
        non_secure: true,
        mask_shifted: false,
    },
    Shape {
        processors: 8,
        lines: 96,
        priority_bits: 7,
        non_secure: false,
        mask_shifted: false,
    },
];

/// The driver as a processor sees it; the registers are the same for all, banked by the reader.
fn on(model: &Model, processor: usize) -> Gic<Block2> {
    let distributor = Block2::Distributor(Distributor2(model.clone(), processor));
    let gic = Gic::new(
        distributor,
        Block2::Interface(Interface2(model.clone(), processor)),
    )
    .expect("the model is sound");
    assert_eq!(gic.initialize_processor(0), Ok(1 << processor));
    gic
}

#[test]
fn each_level_masks_exactly_its_own_and_lower_ones() {
    for shape in SHAPES {
        let model = Model::new(2, shape);
        let gic = on(&model, 0);
        for line in 1..16_u8 {
            gic.connect(32 + u32::from(line), line, Trigger::Level, 1);
        }
        for present in 0..=15_u8 {
            gic.set_mask(present);
            for line in 1..16_u8 {
                let intid = 32 + u32::from(line);
                model.pend(0, intid);
                assert_eq!(
                    model.signalled(0).is_some(),
                    line > present,
                    "level {line} at level {present}"
                );
                model.unpend(0, intid);
            }
        }
    }
}

#[test]
fn an_active_interrupt_masks_as_its_level_does() {
    for shape in SHAPES {
        let model = Model::new(2, shape);
        let gic = on(&model, 0);
        for line in 1..16_u8 {
            gic.connect(32 + u32::from(line), line, Trigger::Edge, 1);
        }
        for present in 1..16_u8 {
            model.pend(0, 32 + u32::from(present));
            let taken = gic.acknowledge().expect("it is pending");
            for line in 1..16_u8 {
                let intid = 32 + u32::from(line);
                model.pend(0, intid);
                assert_eq!(
                    model.signalled(0).is_some(),
                    line > present,
                    "level {line} while {present} is active"
                );
                model.unpend(0, intid);
            }
            gic.end(taken);
        }
    }
}

#[test]
fn the_highest_level_comes_first_and_others_follow_after_the_end() {
    let model = Model::new(2, SHAPES[1]);
    let gic = on(&model, 0);
    for (intid, level) in [(40, 5), (41, 9), (42, 7)] {
        gic.connect(intid, level, Trigger::Edge, 1);
        model.pend(0, intid);
    }
    for expected in [41, 42, 40] {
        let taken = gic.acknowledge().expect("it is pending");
        assert_eq!(taken.intid(), expected);
        assert_eq!(gic.acknowledge(), None, "lower ones wait");
        gic.end(taken);
    }
    assert_eq!(gic.acknowledge(), None);
}

#[test]
fn a_call_reaches_its_targets_once_for_each_sender() {
    let model = Model::new(2, SHAPES[0]);
    let all: Vec<_> = (0..8).map(|processor| on(&model, processor)).collect();
    for gic in &all {
        gic.enable_private(0, 14);
    }
    all[3].send(0, 0b1010_0000);
    all[4].send(0, 0b1000_0000);
    for (processor, expected) in [(0, 0), (5, 1), (6, 0), (7, 2)] {
        for _ in 0..expected {
            let taken = all[processor].acknowledge().expect("it was called");
            assert_eq!(taken.intid(), 0);
            all[processor].end(taken);
        }
        assert_eq!(all[processor].acknowledge(), None);
    }
}

#[test]
fn lines_go_to_their_targets_until_they_are_disabled() {
    let model = Model::new(2, SHAPES[0]);
    let all: Vec<_> = (0..8).map(|processor| on(&model, processor)).collect();
    all[0].connect(50, 6, Trigger::Level, 1 << 4);
    model.pend(0, 50);
    assert_eq!((model.signalled(0), model.signalled(4)), (None, Some(50)));
    all[0].disable(50);
    assert_eq!(
        all[4].acknowledge(),
        None,
        "signalled, disabled, then acknowledged: spurious"
    );
}

#[test]
fn private_interrupts_are_each_processors_own() {
    let model = Model::new(2, SHAPES[1]);
    let all: Vec<_> = (0..2).map(|processor| on(&model, processor)).collect();
    all[1].enable_private(27, 13);
    model.pend(0, 27);
    model.pend(1, 27);
    assert_eq!((model.signalled(0), model.signalled(1)), (None, Some(27)));
    all[1].set_mask(13);
    assert_eq!(model.signalled(1), None);
    all[1].set_mask(12);
    assert_eq!(model.signalled(1), Some(27));
}

#[test]
fn too_few_priorities_are_refused() {
    for (priority_bits, non_secure, sound) in [
        (3, false, false),
        (4, false, true),
        (4, true, false),
        (5, true, true),
    ] {
        let model = Model::new(
            2,
            Shape {
                priority_bits,
                non_secure,
                ..SHAPES[0]
            },
        );
        let distributor = Block2::Distributor(Distributor2(model.clone(), 0));
        let result = Gic::new(distributor, Block2::Interface(Interface2(model, 0)));
        assert_eq!(result.is_ok(), sound);
        if let Err(error) = result {
            assert!(matches!(error, Error::PriorityBits { .. }));
        }
    }
}

#[test]
fn lines_are_counted_up_to_the_special_ones() {
    for (lines, expected) in [(32, 32), (96, 96), (1024, 1020)] {
        let model = Model::new(2, Shape { lines, ..SHAPES[0] });
        assert_eq!(on(&model, 0).lines(), expected);
    }
}
