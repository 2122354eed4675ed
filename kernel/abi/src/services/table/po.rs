//! Rows of the table: services of power and Plug and Play.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __po_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__ps_services! {
            $callback $($before)*
            po {
                /// Turns off starting with the last good configuration.
                planned NtDisableLastKnownGood = nt_disable_last_known_good();

                /// Turns on starting with the last good configuration.
                planned NtEnableLastKnownGood = nt_enable_last_known_good();

                /// Reads how deep a device sleeps.
                planned NtGetDevicePowerState = nt_get_device_power_state(device: Handle, state: Out<u32>);

                /// Waits for a Plug and Play event.
                planned NtGetPlugPlayEvent = nt_get_plug_play_event(
                    event: Handle, context: UserAddress, event_block: OutBytes, event_buffer_size: u32,
                );

                /// Lets the machine sleep, hibernate or shut down.
                planned NtInitiatePowerAction = nt_initiate_power_action(
                    system_action: PowerAction, lightest_system_state: SystemPowerState, flags: u32,
                    asynchronous: Boolean,
                );

                /// Says whether the machine woke up by itself.
                planned NtIsSystemResumeAutomatic = nt_is_system_resume_automatic();

                /// Asks Plug and Play to do something.
                planned NtPlugPlayControl = nt_plug_play_control(
                    control_class: PlugPlayControlClass, data: InOutBytes, length: u32,
                );

                /// Reads or changes a property of power management.
                planned NtPowerInformation = nt_power_information(
                    information_level: PowerInformationLevel, input_buffer: OptionalInBytes,
                    input_buffer_length: u32, output_buffer: OptionalOutBytes, output_buffer_length: u32,
                );

                /// Exchanges hardware while the system runs.
                planned NtReplacePartitionUnit = nt_replace_partition_unit(
                    target_instance_path: In<UnicodeString>, spare_instance_path: In<UnicodeString>,
                    flags: u32,
                );

                /// Says how fast the machine has to wake up.
                planned NtRequestWakeupLatency = nt_request_wakeup_latency(latency: LatencyTime);

                /// Lets devices start one after another.
                planned NtSerializeBoot = nt_serialize_boot();

                /// Changes the power state of the machine.
                planned NtSetSystemPowerState = nt_set_system_power_state(
                    system_action: PowerAction, lightest_system_state: SystemPowerState, flags: u32,
                );

                /// Keeps machine or display awake.
                planned NtSetThreadExecutionState = nt_set_thread_execution_state(
                    new_flags: u32, previous_flags: Out<u32>,
                );
            }
        }
    };
}
