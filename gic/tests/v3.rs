//! Version 3's driver against the model.

mod model;

use gic::v3::{self, Gic, MaskView, Redistributor};
use gic::{Error, Trigger};
use model::{Distributor3, Model, Redistributor3, Shape, System3};

/// One security state; the non-secure state of two, with group 0 kept by EL3 and without.
const SHAPES: [Shape; 3] = [
    Shape {
        processors: 40,
        lines: 128,
        priority_bits: 4,
        non_secure: false,
        mask_shifted: false,
    },
    Shape {
        processors: 40,
        lines: 128,
        priority_bits: 5,
        non_secure: true,
        mask_shifted: true,
    },
    Shape {
        processors: 40,
        lines: 128,
        priority_bits: 5,
        non_secure: true,
        mask_shifted: false,
    },
];

fn prepare(model: &Model) -> (Gic<Distributor3>, MaskView) {
    let gic = Gic::new(Distributor3(model.clone())).expect("the model is sound");
    let view = gic
        .mask_view(&System3(model.clone(), 0))
        .expect("the model is sound");
    (gic, view)
}

fn on(model: &Model, view: MaskView, processor: usize) -> (Redistributor3, System3) {
    let (redistributor, system) = (
        Redistributor3(model.clone(), processor),
        System3(model.clone(), processor),
    );
    assert_eq!(
        v3::initialize_processor(&redistributor, &system, view, 0),
        Ok(())
    );
    (redistributor, system)
}

#[test]
fn the_view_of_the_mask_is_found_out() {
    let views = SHAPES.map(|shape| prepare(&Model::new(3, shape)).1);
    assert_eq!(
        views,
        [MaskView::Alike, MaskView::Alike, MaskView::Unshifted]
    );
}

#[test]
fn each_level_masks_exactly_its_own_and_lower_ones() {
    for shape in SHAPES {
        let model = Model::new(3, shape);
        let (gic, view) = prepare(&model);
        let (_, system) = on(&model, view, 0);
        for line in 1..16_u8 {
            gic.connect(32 + u32::from(line), line, Trigger::Level, 0);
        }
        for present in 0..=15_u8 {
            v3::set_mask(&system, view, present);
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
        let model = Model::new(3, shape);
        let (gic, view) = prepare(&model);
        let (_, system) = on(&model, view, 0);
        for line in 1..16_u8 {
            gic.connect(32 + u32::from(line), line, Trigger::Edge, 0);
        }
        for present in 1..16_u8 {
            model.pend(0, 32 + u32::from(present));
            let taken = v3::acknowledge(&system).expect("it is pending");
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
            v3::end(&system, taken);
        }
    }
}

#[test]
fn private_interrupts_are_each_processors_own() {
    let model = Model::new(3, SHAPES[2]);
    let (_gic, view) = prepare(&model);
    let all: Vec<_> = (0..2)
        .map(|processor| on(&model, view, processor))
        .collect();
    v3::enable_private(&all[1].0, 27, 13);
    model.pend(0, 27);
    model.pend(1, 27);
    assert_eq!((model.signalled(0), model.signalled(1)), (None, Some(27)));
    v3::set_mask(&all[1].1, view, 13);
    assert_eq!(v3::acknowledge(&all[1].1), None);
}

#[test]
fn a_call_reaches_all_clusters_with_one_write_each() {
    let model = Model::new(3, SHAPES[0]);
    let (_gic, view) = prepare(&model);
    let all: Vec<_> = (0..40)
        .map(|processor| on(&model, view, processor))
        .collect();
    for (redistributor, _) in &all {
        v3::enable_private(redistributor, 0, 14);
    }
    let targets = [1_usize, 3, 15, 16, 17, 39];
    let affinities: Vec<u64> = targets
        .iter()
        .map(|number| model.0.borrow().processors[*number].affinity)
        .collect();
    v3::send(&all[0].1, 0, affinities.into_iter());
    assert_eq!(model.0.borrow().sent, [0x800A, 0x1_0003, 0x2_0080]);
    for (number, (_, system)) in all.iter().enumerate() {
        let taken = v3::acknowledge(system);
        assert_eq!(
            taken.is_some(),
            targets.contains(&number),
            "processor {number}"
        );
        taken.into_iter().for_each(|taken| v3::end(system, taken));
    }
}

#[test]
fn affinities_beyond_sixteen_and_in_all_fields_are_sent_to() {
    let model = Model::new(3, SHAPES[0]);
    let system = System3(model.clone(), 0);
    v3::send(
        &system,
        5,
        [0x12_0034_5678_u64, 0x12_0034_567F, 0x12_0034_5688].into_iter(),
    );
    let common = 0x12 << 48 | 0x34 << 32 | 5 << 24 | 0x56 << 16;
    assert_eq!(
        model.0.borrow().sent,
        [common | 7 << 44 | 0x8100, common | 8 << 44 | 0x0100]
    );
}

#[test]
fn lines_follow_their_route() {
    let model = Model::new(3, SHAPES[1]);
    let (gic, view) = prepare(&model);
    let all: Vec<_> = (0..40)
        .map(|processor| on(&model, view, processor))
        .collect();
    gic.connect(100, 6, Trigger::Level, 0x0203);
    model.pend(0, 100);
    assert_eq!((model.signalled(3), model.signalled(35)), (None, Some(100)));
    gic.disable(100);
    assert_eq!(v3::acknowledge(&all[35].1), None);
}

#[test]
fn too_few_priorities_are_refused() {
    let model = Model::new(
        3,
        Shape {
            priority_bits: 4,
            non_secure: true,
            ..SHAPES[0]
        },
    );
    assert!(matches!(
        Gic::new(Distributor3(model)).err(),
        Some(Error::PriorityBits { found: 0xE0 })
    ));
}

/// Region, GICR_TYPER of each frame, and what is found.
fn walk(length: u64, typers: &[u64]) -> Vec<Redistributor> {
    let mut found = Vec::new();
    let mut left = typers.iter();
    v3::walk(
        0x1000_0000,
        0x1000_0000 + length,
        &mut |_| left.next().copied(),
        &mut |one| found.push(one),
    );
    found
}

#[test]
fn redistributors_are_walked_by_stride_and_last() {
    const LAST: u64 = 1 << 4;
    const VIRTUAL_LPIS: u64 = 1 << 1;
    let at = |address, affinity| Redistributor { address, affinity };
    assert_eq!(
        walk(
            0x10_0000,
            &[0, 1 << 32 | VIRTUAL_LPIS, 0x0203_0405 << 32 | LAST, 7 << 32]
        ),
        [
            at(0x1000_0000, 0),
            at(0x1002_0000, 1),
            at(0x1006_0000, 0x02_0003_0405)
        ]
    );
    assert_eq!(
        walk(0x4_0000, &[0, 1 << 32, 2 << 32]).len(),
        2,
        "the region ends before a last one is marked"
    );
    assert_eq!(walk(0x1_0000, &[0]), []);
    assert_eq!(
        walk(0x10_0000, &[]),
        [],
        "a type register that cannot be read ends the walk"
    );
}
