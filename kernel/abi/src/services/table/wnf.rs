//! Rows of the table: services of the Windows notification facility.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __wnf_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__wow64_services! {
            $callback $($before)*
            wnf {
                /// Creates the name of a state.
                planned NtCreateWnfStateName = nt_create_wnf_state_name(
                    state_name: Out<WnfStateName>, name_lifetime: WnfStateNameLifetime,
                    data_scope: WnfDataScope, persist_data: Boolean, type_id: OptionalIn<WnfTypeId>,
                    maximum_state_size: u32, security_descriptor: In<SecurityDescriptor>,
                );

                /// Forgets what was published under a name.
                planned NtDeleteWnfStateData = nt_delete_wnf_state_data(
                    state_name: In<WnfStateName>, explicit_scope: OptionalIn<Sid>,
                );

                /// Deletes the name of a state.
                planned NtDeleteWnfStateName = nt_delete_wnf_state_name(state_name: In<WnfStateName>);

                /// Takes the next change and says that the last one is dealt with.
                planned NtGetCompleteWnfStateSubscription = nt_get_complete_wnf_state_subscription(
                    old_state_name: OptionalIn<WnfStateName>, old_subscription_id: OptionalIn<u64>,
                    old_event_mask: u32, old_status: u32, new_descriptor: OutBytes, descriptor_size: u32,
                );

                /// Reads what was published under a name.
                planned NtQueryWnfStateData = nt_query_wnf_state_data(
                    state_name: In<WnfStateName>, type_id: OptionalIn<WnfTypeId>,
                    explicit_scope: OptionalIn<Sid>, change_stamp: Out<u32>, buffer: OptionalOutBytes,
                    buffer_length: InOut<u32>,
                );

                /// Reads a property of a state's name.
                planned NtQueryWnfStateNameInformation = nt_query_wnf_state_name_information(
                    state_name: In<WnfStateName>, class: WnfStateNameInformation,
                    explicit_scope: OptionalIn<Sid>, buffer: OutBytes, buffer_length: u32,
                );

                /// Names the event that is signaled when a state changes.
                planned NtSetWnfProcessNotificationEvent = nt_set_wnf_process_notification_event(
                    notification_event: Handle,
                );

                /// Asks to be told when a state changes.
                planned NtSubscribeWnfStateChange = nt_subscribe_wnf_state_change(
                    state_name: In<WnfStateName>, change_stamp: u32, event_mask: u32,
                    subscription_id: OptionalOut<u64>,
                );

                /// Asks no longer to be told.
                planned NtUnsubscribeWnfStateChange = nt_unsubscribe_wnf_state_change(
                    state_name: In<WnfStateName>,
                );

                /// Publishes under a name.
                planned NtUpdateWnfStateData = nt_update_wnf_state_data(
                    state_name: In<WnfStateName>, buffer: OptionalInBytes, length: u32,
                    type_id: OptionalIn<WnfTypeId>, explicit_scope: OptionalIn<Sid>,
                    matching_change_stamp: u32, check_stamp: u32,
                );
            }
        }
    };
}
