//! Rows of the table: services of debug objects.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __dbgk_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__etw_services! {
            $callback $($before)*
            dbgk {
                /// Creates the object through which a debugger gets events.
                planned NtCreateDebugObject = nt_create_debug_object(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    flags: u32,
                );

                /// Attaches a debug object to a process.
                planned NtDebugActiveProcess = nt_debug_active_process(process: Handle, debug_object: Handle);

                /// Lets a thread that reported an event go on.
                planned NtDebugContinue = nt_debug_continue(
                    debug_object: Handle, client_id: In<ClientId>, continue_status: NtStatus,
                );

                /// Says whether a component's messages go to the kernel debugger.
                planned NtQueryDebugFilterState = nt_query_debug_filter_state(component_id: u32, level: u32);

                /// Detaches a debug object from a process.
                planned NtRemoveProcessDebug = nt_remove_process_debug(process: Handle, debug_object: Handle);

                /// Decides whether a component's messages go to the kernel debugger.
                planned NtSetDebugFilterState = nt_set_debug_filter_state(
                    component_id: u32, level: u32, state: Boolean,
                );

                /// Changes a property of a debug object.
                planned NtSetInformationDebugObject = nt_set_information_debug_object(
                    debug_object: Handle, class: DebugObjectInformationClass, information: InBytes,
                    length: u32, return_length: OptionalOut<u32>,
                );

                /// Asks the kernel debugger's part of the kernel.
                planned NtSystemDebugControl = nt_system_debug_control(
                    command: SystemDebugCommand, input_buffer: OptionalInOutBytes, input_buffer_length: u32,
                    output_buffer: OptionalOutBytes, output_buffer_length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Waits for an event of the processes that are debugged.
                planned NtWaitForDebugEvent = nt_wait_for_debug_event(
                    debug_object: Handle, alertable: Boolean, timeout: OptionalIn<i64>,
                    wait_state_change: Out<DebugWaitStateChange>,
                );
            }
        }
    };
}
