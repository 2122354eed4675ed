//! `KUSER_SHARED_DATA`: the page that every process sees at [`ADDRESS`], read-only, and that the kernel keeps up to date.
//!
//! Programs of both widths read it without a system call: the time, the tick count, the version, the processor's features.
//! It has one layout for all. What changes while programs look is a [`KsystemTime`] or one aligned word.
//!
//! Offsets: Windows 10, version 1909, whose `XState` is the last large member; later versions append to it.

use crate::layout::layout;
use crate::numbers::numbers;

/// Where programs see it.
pub const ADDRESS: u64 = 0x7FFE_0000;

/// `MAXIMUM_XSTATE_FEATURES`.
pub const MAXIMUM_XSTATE_FEATURES: usize = 64;

layout! {
    /// `KSYSTEM_TIME`: a 64-bit number that 32-bit code can read whole. The writer writes `high2_time`, `low_part`, `high1_time`
    /// in this order; a reader reads them backwards until both high parts agree.
    pub struct KsystemTime (0x0C) {
        0x00 low_part: u32,
        0x04 high1_time: i32,
        0x08 high2_time: i32,
    }

    /// `XSTATE_FEATURE`: where a processor feature's registers lie in an XSAVE area.
    pub struct XstateFeature (8) {
        0x00 offset: u32,
        0x04 size: u32,
    }

    /// `XSTATE_CONFIGURATION`: which extended registers contexts have.
    pub struct XstateConfiguration (0x338) {
        0x000 enabled_features: u64,
        0x008 enabled_volatile_features: u64,
        0x010 size: u32,
        /// Bit 0 optimised save, 1 compaction.
        0x014 control_flags: u32,
        0x018 features: [XstateFeature; MAXIMUM_XSTATE_FEATURES],
        0x218 enabled_supervisor_features: u64,
        0x220 aligned_features: u64,
        0x228 all_feature_size: u32,
        0x22C all_features: [u32; MAXIMUM_XSTATE_FEATURES],
        0x32C reserved: u32,
        0x330 enabled_user_visible_supervisor_features: u64,
    }

    /// `KUSER_SHARED_DATA`.
    pub struct KuserSharedData (0x720) {
        0x000 tick_count_low_deprecated: u32,
        /// Milliseconds of a tick, in units of 2^-24.
        0x004 tick_count_multiplier: u32,
        /// Time since boot, in 100 ns.
        0x008 interrupt_time: KsystemTime,
        /// Time since 1601, UTC, in 100 ns.
        0x014 system_time: KsystemTime,
        /// UTC less local time, in 100 ns.
        0x020 time_zone_bias: KsystemTime,
        /// The lowest native machine (`IMAGE_FILE_MACHINE_*`).
        0x02C image_number_low: u16,
        0x02E image_number_high: u16,
        /// The Windows directory, DOS path, terminated.
        0x030 nt_system_root: [u16; 260],
        0x238 max_stack_trace_depth: u32,
        0x23C crypto_exponent: u32,
        0x240 time_zone_id: u32,
        0x244 large_page_minimum: u32,
        0x248 ait_sampling_value: u32,
        0x24C app_compat_flag: u32,
        0x250 rng_seed_version: u64,
        0x258 global_validation_run_level: u32,
        0x25C time_zone_bias_stamp: i32,
        0x260 nt_build_number: u32,
        0x264 nt_product_type: NtProductType,
        0x268 product_type_is_valid: u8,
        0x269 reserved0: u8,
        /// `PROCESSOR_ARCHITECTURE_*`.
        0x26A native_processor_architecture: u16,
        0x26C nt_major_version: u32,
        0x270 nt_minor_version: u32,
        /// Indexed by [`ProcessorFeature`]; 1 for present.
        0x274 processor_features: [u8; 64],
        0x2B4 reserved1: u32,
        0x2B8 reserved3: u32,
        0x2BC time_slip: u32,
        0x2C0 alternative_architecture: u32,
        0x2C4 boot_id: u32,
        0x2C8 system_expiration_date: i64,
        0x2D0 suite_mask: u32,
        /// Bit 0 enabled, bit 1 not connected.
        0x2D4 kd_debugger_enabled: u8,
        0x2D5 mitigation_policies: u8,
        0x2D6 cycles_per_yield: u16,
        0x2D8 active_console_id: u32,
        0x2DC dismount_count: u32,
        0x2E0 com_plus_package: u32,
        0x2E4 last_system_rit_event_tick_count: u32,
        0x2E8 number_of_physical_pages: u32,
        0x2EC safe_boot_mode: u8,
        0x2ED virtualization_flags: u8,
        0x2EE reserved12: [u8; 2],
        0x2F0 shared_data_flags: u32,
        0x2F4 data_flags_pad: u32,
        0x2F8 test_ret_instruction: u64,
        /// Counts of the performance counter in a second.
        0x300 qpc_frequency: i64,
        /// 0: x64 programs use SYSCALL; 1: INT 2Eh.
        0x308 system_call: u32,
        0x30C user_cet_available_environments: u32,
        0x310 system_call_pad: [u64; 2],
        /// Ticks since boot.
        0x320 tick_count: KsystemTime,
        0x32C tick_count_pad: u32,
        /// A secret for encoded pointers.
        0x330 cookie: u32,
        0x334 cookie_pad: u32,
        0x338 console_session_foreground_process_id: i64,
        0x340 time_update_lock: u64,
        0x348 baseline_system_time_qpc: u64,
        0x350 baseline_interrupt_time_qpc: u64,
        0x358 qpc_system_time_increment: u64,
        0x360 qpc_interrupt_time_increment: u64,
        0x368 qpc_system_time_increment_shift: u8,
        0x369 qpc_interrupt_time_increment_shift: u8,
        0x36A unparked_processor_count: u16,
        0x36C enclave_feature_mask: [u32; 4],
        0x37C telemetry_coverage_round: u32,
        0x380 user_mode_global_logger: [u16; 16],
        0x3A0 image_file_execution_options: u32,
        0x3A4 lang_generation_count: u32,
        0x3A8 reserved4: u64,
        0x3B0 interrupt_time_bias: u64,
        0x3B8 qpc_bias: u64,
        0x3C0 active_processor_count: u32,
        0x3C4 active_group_count: u8,
        0x3C5 reserved9: u8,
        /// Low byte: bit 0 the counter can be read without a system call, 1 on Hyper-V, 4 and 5 which barrier it needs,
        /// 7 with RDTSCP. High byte: how far to shift it right.
        0x3C6 qpc_data: u16,
        0x3C8 time_zone_bias_effective_start: i64,
        0x3D0 time_zone_bias_effective_end: i64,
        0x3D8 x_state: XstateConfiguration,
        0x710 feature_configuration_change_stamp: KsystemTime,
        0x71C spare: u32,
    }
}

impl KsystemTime {
    /// `value` in the form that every reader finds whole; the caller stores the parts in the order given above.
    pub const fn new(value: i64) -> Self {
        let [b0, b1, b2, b3, b4, b5, b6, b7] = value.to_le_bytes();
        let high = i32::from_le_bytes([b4, b5, b6, b7]);
        Self {
            low_part: u32::from_le_bytes([b0, b1, b2, b3]),
            high1_time: high,
            high2_time: high,
        }
    }

    /// The value, unless a writer was in between.
    pub const fn get(self) -> Option<i64> {
        if self.high1_time != self.high2_time {
            return None;
        }
        let [b0, b1, b2, b3] = self.low_part.to_le_bytes();
        let [b4, b5, b6, b7] = self.high1_time.to_le_bytes();
        Some(i64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]))
    }
}

numbers! {
    /// `NT_PRODUCT_TYPE`.
    pub struct NtProductType: u32 {
        /// A workstation.
        WIN_NT = 1, "NtProductWinNt";
        /// A domain controller.
        LAN_MAN_NT = 2, "NtProductLanManNt";
        /// A server.
        SERVER = 3, "NtProductServer";
    }

    /// `PF_*`: an index into `processor_features`.
    pub struct ProcessorFeature: u32 {
        FLOATING_POINT_PRECISION_ERRATA = 0, "PF_FLOATING_POINT_PRECISION_ERRATA";
        FLOATING_POINT_EMULATED = 1, "PF_FLOATING_POINT_EMULATED";
        COMPARE_EXCHANGE_DOUBLE = 2, "PF_COMPARE_EXCHANGE_DOUBLE";
        MMX_INSTRUCTIONS_AVAILABLE = 3, "PF_MMX_INSTRUCTIONS_AVAILABLE";
        PPC_MOVEMEM_64BIT_OK = 4, "PF_PPC_MOVEMEM_64BIT_OK";
        ALPHA_BYTE_INSTRUCTIONS = 5, "PF_ALPHA_BYTE_INSTRUCTIONS";
        XMMI_INSTRUCTIONS_AVAILABLE = 6, "PF_XMMI_INSTRUCTIONS_AVAILABLE";
        AMD3D_INSTRUCTIONS_AVAILABLE = 7, "PF_3DNOW_INSTRUCTIONS_AVAILABLE";
        RDTSC_INSTRUCTION_AVAILABLE = 8, "PF_RDTSC_INSTRUCTION_AVAILABLE";
        PAE_ENABLED = 9, "PF_PAE_ENABLED";
        XMMI64_INSTRUCTIONS_AVAILABLE = 10, "PF_XMMI64_INSTRUCTIONS_AVAILABLE";
        SSE_DAZ_MODE_AVAILABLE = 11, "PF_SSE_DAZ_MODE_AVAILABLE";
        NX_ENABLED = 12, "PF_NX_ENABLED";
        SSE3_INSTRUCTIONS_AVAILABLE = 13, "PF_SSE3_INSTRUCTIONS_AVAILABLE";
        COMPARE_EXCHANGE128 = 14, "PF_COMPARE_EXCHANGE128";
        COMPARE64_EXCHANGE128 = 15, "PF_COMPARE64_EXCHANGE128";
        CHANNELS_ENABLED = 16, "PF_CHANNELS_ENABLED";
        XSAVE_ENABLED = 17, "PF_XSAVE_ENABLED";
        ARM_VFP_32_REGISTERS_AVAILABLE = 18, "PF_ARM_VFP_32_REGISTERS_AVAILABLE";
        ARM_NEON_INSTRUCTIONS_AVAILABLE = 19, "PF_ARM_NEON_INSTRUCTIONS_AVAILABLE";
        SECOND_LEVEL_ADDRESS_TRANSLATION = 20, "PF_SECOND_LEVEL_ADDRESS_TRANSLATION";
        VIRT_FIRMWARE_ENABLED = 21, "PF_VIRT_FIRMWARE_ENABLED";
        RDWRFSGSBASE_AVAILABLE = 22, "PF_RDWRFSGSBASE_AVAILABLE";
        FASTFAIL_AVAILABLE = 23, "PF_FASTFAIL_AVAILABLE";
        ARM_DIVIDE_INSTRUCTION_AVAILABLE = 24, "PF_ARM_DIVIDE_INSTRUCTION_AVAILABLE";
        ARM_64BIT_LOADSTORE_ATOMIC = 25, "PF_ARM_64BIT_LOADSTORE_ATOMIC";
        ARM_EXTERNAL_CACHE_AVAILABLE = 26, "PF_ARM_EXTERNAL_CACHE_AVAILABLE";
        ARM_FMAC_INSTRUCTIONS_AVAILABLE = 27, "PF_ARM_FMAC_INSTRUCTIONS_AVAILABLE";
        RDRAND_INSTRUCTION_AVAILABLE = 28, "PF_RDRAND_INSTRUCTION_AVAILABLE";
        ARM_V8_INSTRUCTIONS_AVAILABLE = 29, "PF_ARM_V8_INSTRUCTIONS_AVAILABLE";
        ARM_V8_CRYPTO_INSTRUCTIONS_AVAILABLE = 30, "PF_ARM_V8_CRYPTO_INSTRUCTIONS_AVAILABLE";
        ARM_V8_CRC32_INSTRUCTIONS_AVAILABLE = 31, "PF_ARM_V8_CRC32_INSTRUCTIONS_AVAILABLE";
        RDTSCP_INSTRUCTION_AVAILABLE = 32, "PF_RDTSCP_INSTRUCTION_AVAILABLE";
        RDPID_INSTRUCTION_AVAILABLE = 33, "PF_RDPID_INSTRUCTION_AVAILABLE";
        ARM_V81_ATOMIC_INSTRUCTIONS_AVAILABLE = 34, "PF_ARM_V81_ATOMIC_INSTRUCTIONS_AVAILABLE";
        MONITORX_INSTRUCTION_AVAILABLE = 35, "PF_MONITORX_INSTRUCTION_AVAILABLE";
        SSSE3_INSTRUCTIONS_AVAILABLE = 36, "PF_SSSE3_INSTRUCTIONS_AVAILABLE";
        SSE4_1_INSTRUCTIONS_AVAILABLE = 37, "PF_SSE4_1_INSTRUCTIONS_AVAILABLE";
        SSE4_2_INSTRUCTIONS_AVAILABLE = 38, "PF_SSE4_2_INSTRUCTIONS_AVAILABLE";
        AVX_INSTRUCTIONS_AVAILABLE = 39, "PF_AVX_INSTRUCTIONS_AVAILABLE";
        AVX2_INSTRUCTIONS_AVAILABLE = 40, "PF_AVX2_INSTRUCTIONS_AVAILABLE";
        AVX512F_INSTRUCTIONS_AVAILABLE = 41, "PF_AVX512F_INSTRUCTIONS_AVAILABLE";
        ERMS_AVAILABLE = 42, "PF_ERMS_AVAILABLE";
        ARM_V82_DP_INSTRUCTIONS_AVAILABLE = 43, "PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE";
        ARM_V83_JSCVT_INSTRUCTIONS_AVAILABLE = 44, "PF_ARM_V83_JSCVT_INSTRUCTIONS_AVAILABLE";
        ARM_V83_LRCPC_INSTRUCTIONS_AVAILABLE = 45, "PF_ARM_V83_LRCPC_INSTRUCTIONS_AVAILABLE";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_whole_or_absent() {
        for value in [0, 1, -1, i64::MAX, i64::MIN, 0x0123_4567_89AB_CDEF] {
            assert_eq!(KsystemTime::new(value).get(), Some(value));
        }
        let torn = KsystemTime {
            high2_time: 1,
            ..KsystemTime::new(5)
        };
        assert_eq!(torn.get(), None);
    }
}
