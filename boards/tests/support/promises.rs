//! What holds for every result, whatever the input was.

use std::fmt::Write as _;

use boards::{
    Console, DiscoveryError, EnableMethod, InterruptController, LoaderBlock,
    PHYSICAL_ADDRESS_LIMIT, PhysRange, PowerControl,
};

/// Checks the promises of the crate on one result.
pub(crate) fn check(result: &Result<LoaderBlock, DiscoveryError>) {
    match result {
        Ok(block) => check_block(block),
        Err(error) => {
            let mut sentence = String::new();
            write!(sentence, "{error}").unwrap();
            assert!((10..=250).contains(&sentence.len()), "{sentence}");
            assert!(!sentence.chars().any(char::is_control), "{sentence:?}");
        }
    }
}

fn check_block(block: &LoaderBlock) {
    assert!(!block.memory.is_empty());
    for list in [&block.memory, &block.reserved] {
        for range in list {
            assert!(
                range.start < range.end && range.end <= PHYSICAL_ADDRESS_LIMIT,
                "{range:x?}"
            );
            assert!(
                range.start.is_multiple_of(4096) && range.end.is_multiple_of(4096),
                "{range:x?}"
            );
        }
        for pair in list.windows(2) {
            assert!(pair[0].end < pair[1].start, "{pair:x?}");
        }
    }
    if let Some(initrd) = block.initrd {
        let holds = |range: &PhysRange| range.start <= initrd.start && initrd.end <= range.end;
        assert!(
            !initrd.is_empty() && block.reserved.iter().any(holds),
            "{initrd:x?}"
        );
    }
    let boots = block
        .processors
        .iter()
        .filter(|processor| processor.enable_method == EnableMethod::Boot);
    assert_eq!(boots.count(), 1);
    for (index, processor) in block.processors.iter().enumerate() {
        let others = &block.processors[..index];
        assert!(
            others
                .iter()
                .all(|other| other.hardware_id != processor.hardware_id)
        );
        if processor.enable_method == EnableMethod::Psci {
            assert!(block.psci.is_some());
        }
    }
    block.console.iter().for_each(check_console);
    match &block.interrupt_controller {
        InterruptController::GicV2 {
            distributor,
            cpu_interface,
        } => {
            check_registers(distributor);
            check_registers(cpu_interface);
        }
        InterruptController::GicV3 {
            distributor,
            redistributors,
        } => {
            assert!(!redistributors.is_empty());
            check_registers(distributor);
            redistributors.iter().for_each(check_registers);
        }
        InterruptController::Apic {
            local_apic,
            io_apics,
            overrides,
            ..
        } => {
            assert!(*local_apic < PHYSICAL_ADDRESS_LIMIT && !io_apics.is_empty());
            assert!(overrides.iter().all(|known| known.isa < 16));
        }
    }
    if let PowerControl::Bcm2835Pm(registers) = &block.power {
        check_registers(registers);
    }
}

/// Checks a console.
pub(crate) fn check_console(console: &Console) {
    check_registers(
        &PhysRange::new(console.base, console.length).expect("a console does not wrap around"),
    );
}

fn check_registers(range: &PhysRange) {
    assert!(
        !range.is_empty() && range.end <= PHYSICAL_ADDRESS_LIMIT,
        "{range:x?}"
    );
}
