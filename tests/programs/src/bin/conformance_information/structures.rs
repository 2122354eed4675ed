//! Structures that tell of processors, pools and what guards the machine.

use super::*;

pub(super) fn small_structures_have_their_lengths() -> Outcome {
    let mut words = [0u64; 32];
    for (what, size) in [
        (Class::FLAGS, 4),
        (Class::TIME_ADJUSTMENT, 12),
        (Class::RANGE_START, 8),
    ] {
        let (status, length) = ask(what, &mut words, size);
        status!(status);
        expect!(length as usize, size);
        status!(ask(what, &mut words, size - 1).0, INFO_LENGTH_MISMATCH);
    }
    for (what, size) in [
        (Class::CURRENT_TIME_ZONE, 0xAC),
        (Class::SECURE_BOOT, 2),
        (Class::BASIC_PERFORMANCE, 32),
    ] {
        let (status, length) = ask(what, &mut words, size);
        status!(status);
        expect!(length as usize, size);
        let (status, length) = ask(what, &mut words, size - 1);
        status!(status, INFO_LENGTH_MISMATCH);
        expect!(length as usize, size);
    }
    status!(ask(Class::RANGE_START, &mut words, 8).0);
    holds!(words[0] >> 47 == 0x1_FFFF);
    Ok(())
}

pub(super) fn processors_are_told_with_their_relations() -> Outcome {
    let mut basic = SystemBasicInformation::new_zeroed();
    status!(
        ask(
            Class::BASIC,
            &mut basic,
            size_of::<SystemBasicInformation>()
        )
        .0
    );
    let processors = usize::from(basic.number_of_processors);
    let mut words = [0u64; 512];
    let (status, length) = ask(Class::LOGICAL_PROCESSOR, &mut words, 4096);
    status!(status);
    holds!(length as usize >= (processors + 2) * 32);
    let mut told = 0u32;
    let what = class(Class::LOGICAL_PROCESSOR_AND_GROUP);
    let query = |relation: u32, into: &mut [u64], length: u32, told: &mut u32| {
        NtQuerySystemInformationEx(what, &relation, 4u32, into, length, told)
    };
    status!(query(0, &mut words, 0, &mut told), INFO_LENGTH_MISMATCH);
    expect!(told as usize, processors * 48);
    status!(query(0, &mut words, 4096, &mut told));
    let mut mask = 0;
    for index in 0..processors {
        // Relationship and size, then 24 bytes, then the group's mask.
        expect!(words[index * 6], 48 << 32);
        expect!(words[index * 6 + 4].count_ones(), 1);
        mask |= words[index * 6 + 4];
    }
    expect!(mask, basic.active_processors_affinity_mask);
    status!(query(4, &mut words, 4096, &mut told));
    expect!(told, 80);
    expect!(words[0], 4 | 80 << 32);
    expect!(words[9], basic.active_processors_affinity_mask);
    status!(query(0xFFFF, &mut words, 4096, &mut told));
    holds!(told as usize >= processors * 48 + 48 + 48 + 80);
    status!(query(77, &mut words, 4096, &mut told), INVALID_PARAMETER);
    status!(
        NtQuerySystemInformationEx(what, NULL, 0u32, &mut words, 4096u32, NULL),
        INVALID_PARAMETER
    );
    status!(
        NtQuerySystemInformationEx(what, KERNEL, 4u32, &mut words, 4096u32, NULL),
        ACCESS_VIOLATION
    );
    // The native machine.
    let what = class(Class::SUPPORTED_PROCESSOR_ARCHITECTURES);
    let own = u64::MAX;
    status!(NtQuerySystemInformationEx(
        what, &own, 8u32, &mut words, 4096u32, &mut told
    ));
    let native = words[0] & 0xFFFF;
    let mut processor = SystemProcessorInformation::new_zeroed();
    status!(
        ask(
            Class::PROCESSOR,
            &mut processor,
            size_of::<SystemProcessorInformation>()
        )
        .0
    );
    // Both names of the machine are of the same one.
    let both = (processor.processor_architecture, native);
    holds!(both == (12, 0xAA64) || both == (9, 0x8664));
    Ok(())
}

pub(super) fn pool_tags_are_listed() -> Outcome {
    let mut words = [0u64; 1500];
    let (status, needed) = ask(Class::POOL_TAG, &mut words, 4);
    status!(status, INFO_LENGTH_MISMATCH);
    let (status, length) = ask(Class::POOL_TAG, &mut words, 12_000);
    status!(status);
    expect!(length as u64, 8 + words[0] * 40);
    holds!(length >= needed || needed - length < 400);
    Ok(())
}

pub(super) fn there_is_no_kernel_debugger() -> Outcome {
    let mut told = [9u8; 8];
    let (status, length) = ask(Class::KERNEL_DEBUGGER, &mut told, 2);
    status!(status);
    expect!(length, 2);
    expect!((told[0], told[1]), (0, 1));
    status!(
        ask(Class::KERNEL_DEBUGGER, &mut told, 1).0,
        INFO_LENGTH_MISMATCH
    );
    status!(ask(Class::KERNEL_DEBUGGER_EX, &mut told, 3).0);
    expect!((told[1], told[2]), (0, 0));
    Ok(())
}

pub(super) fn code_integrity_wants_its_length() -> Outcome {
    let mut told = [8u32, 0x55];
    status!(ask(Class::CODE_INTEGRITY, &mut told, 8).0);
    expect!(told, [8, 0]);
    told[0] = 7;
    status!(
        ask(Class::CODE_INTEGRITY, &mut told, 8).0,
        INFO_LENGTH_MISMATCH
    );
    status!(
        ask(Class::CODE_INTEGRITY, &mut told, 7).0,
        INFO_LENGTH_MISMATCH
    );
    Ok(())
}
