//! Rows of the table: services of transactions.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __tm_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__wnf_services! {
            $callback $($before)*
            tm {
                /// Says that a resource manager has committed.
                planned NtCommitComplete = nt_commit_complete(
                    enlistment: Handle, tm_virtual_clock: OptionalIn<i64>,
                );

                /// Starts the commit of those below an enlistment.
                planned NtCommitEnlistment = nt_commit_enlistment(
                    enlistment: Handle, tm_virtual_clock: OptionalIn<i64>,
                );

                /// Commits a transaction.
                planned NtCommitTransaction = nt_commit_transaction(transaction: Handle, wait: Boolean);

                /// Lets a resource manager take part in a transaction.
                planned NtCreateEnlistment = nt_create_enlistment(
                    handle: Out<Handle>, access: AccessMask, resource_manager: Handle, transaction: Handle,
                    attributes: OptionalIn<ObjectAttributes>, create_options: u32, notification_mask: u32,
                    enlistment_key: UserAddress,
                );

                /// Creates a resource manager.
                planned NtCreateResourceManager = nt_create_resource_manager(
                    handle: Out<Handle>, access: AccessMask, tm: Handle, rm_guid: In<Guid>,
                    attributes: OptionalIn<ObjectAttributes>, create_options: u32,
                    description: OptionalIn<UnicodeString>,
                );

                /// Creates a transaction.
                planned NtCreateTransaction = nt_create_transaction(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    uow: OptionalIn<Guid>, tm: Handle, create_options: u32, isolation_level: u32,
                    isolation_flags: u32, timeout: OptionalIn<i64>, description: OptionalIn<UnicodeString>,
                );

                /// Creates a transaction manager, with a log or without.
                planned NtCreateTransactionManager = nt_create_transaction_manager(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    log_file_name: OptionalIn<UnicodeString>, create_options: u32, commit_strength: u32,
                );

                /// Lists transaction objects.
                planned NtEnumerateTransactionObject = nt_enumerate_transaction_object(
                    root_object: Handle, query_type: KtmObjectType, object_cursor: InOutBytes,
                    object_cursor_length: u32, return_length: Out<u32>,
                );

                /// Holds transactions back, for a snapshot.
                planned NtFreezeTransactions = nt_freeze_transactions(
                    freeze_timeout: In<i64>, thaw_timeout: In<i64>,
                );

                /// Takes the next notification of a resource manager.
                planned NtGetNotificationResourceManager = nt_get_notification_resource_manager(
                    resource_manager: Handle, transaction_notification: OutBytes, notification_length: u32,
                    timeout: OptionalIn<i64>, return_length: OptionalOut<u32>, asynchronous: u32,
                    asynchronous_context: Size,
                );

                /// Opens an enlistment by its id.
                planned NtOpenEnlistment = nt_open_enlistment(
                    handle: Out<Handle>, access: AccessMask, resource_manager: Handle,
                    enlistment_guid: In<Guid>, attributes: OptionalIn<ObjectAttributes>,
                );

                /// Opens a resource manager by its id.
                planned NtOpenResourceManager = nt_open_resource_manager(
                    handle: Out<Handle>, access: AccessMask, tm: Handle,
                    resource_manager_guid: OptionalIn<Guid>, attributes: OptionalIn<ObjectAttributes>,
                );

                /// Opens a transaction by its id.
                planned NtOpenTransaction = nt_open_transaction(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    uow: In<Guid>, tm: Handle,
                );

                /// Opens a transaction manager by its log or id.
                planned NtOpenTransactionManager = nt_open_transaction_manager(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    log_file_name: OptionalIn<UnicodeString>, tm_identity: OptionalIn<Guid>,
                    open_options: u32,
                );

                /// Says that a resource manager is ready to prepare.
                planned NtPrePrepareComplete = nt_pre_prepare_complete(
                    enlistment: Handle, tm_virtual_clock: OptionalIn<i64>,
                );

                /// Starts the stage before preparing.
                planned NtPrePrepareEnlistment = nt_pre_prepare_enlistment(
                    enlistment: Handle, tm_virtual_clock: OptionalIn<i64>,
                );

                /// Says that a resource manager has prepared.
                planned NtPrepareComplete = nt_prepare_complete(
                    enlistment: Handle, tm_virtual_clock: OptionalIn<i64>,
                );

                /// Starts preparing.
                planned NtPrepareEnlistment = nt_prepare_enlistment(
                    enlistment: Handle, tm_virtual_clock: OptionalIn<i64>,
                );

                /// Says that a transaction was passed on.
                planned NtPropagationComplete = nt_propagation_complete(
                    resource_manager: Handle, request_cookie: u32, buffer_length: u32,
                    buffer: InBytes<Before>,
                );

                /// Says that a transaction could not be passed on.
                planned NtPropagationFailed = nt_propagation_failed(
                    resource_manager: Handle, request_cookie: u32, status: NtStatus,
                );

                /// Reads a property of an enlistment.
                planned NtQueryInformationEnlistment = nt_query_information_enlistment(
                    enlistment: Handle, class: EnlistmentInformationClass, information: OutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads a property of a resource manager.
                planned NtQueryInformationResourceManager = nt_query_information_resource_manager(
                    resource_manager: Handle, class: ResourceManagerInformationClass, information: OutBytes,
                    length: u32, return_length: OptionalOut<u32>,
                );

                /// Reads a property of a transaction.
                planned NtQueryInformationTransaction = nt_query_information_transaction(
                    transaction: Handle, class: TransactionInformationClass, information: OutBytes,
                    length: u32, return_length: OptionalOut<u32>,
                );

                /// Reads a property of a transaction manager.
                planned NtQueryInformationTransactionManager = nt_query_information_transaction_manager(
                    transaction_manager: Handle, class: TransactionManagerInformationClass,
                    information: OutBytes, length: u32, return_length: OptionalOut<u32>,
                );

                /// Says that a resource manager changed nothing.
                planned NtReadOnlyEnlistment = nt_read_only_enlistment(
                    enlistment: Handle, tm_virtual_clock: OptionalIn<i64>,
                );

                /// Recovers an enlistment.
                planned NtRecoverEnlistment = nt_recover_enlistment(
                    enlistment: Handle, enlistment_key: UserAddress,
                );

                /// Recovers a resource manager.
                planned NtRecoverResourceManager = nt_recover_resource_manager(resource_manager: Handle);

                /// Recovers a transaction manager from its log.
                planned NtRecoverTransactionManager = nt_recover_transaction_manager(
                    transaction_manager: Handle,
                );

                /// Registers a protocol that passes transactions on.
                planned NtRegisterProtocolAddressInformation = nt_register_protocol_address_information(
                    resource_manager: Handle, protocol_id: In<CrmProtocolId>, protocol_length: u32,
                    protocol_information: InBytes<Before>, create_options: u32,
                );

                /// Gives a transaction manager a new id.
                planned NtRenameTransactionManager = nt_rename_transaction_manager(
                    log_file_name: In<UnicodeString>, transaction_manager_id: In<Guid>,
                );

                /// Says that a resource manager has rolled back.
                planned NtRollbackComplete = nt_rollback_complete(
                    enlistment: Handle, tm_virtual_clock: OptionalIn<i64>,
                );

                /// Rolls back the transaction of an enlistment.
                planned NtRollbackEnlistment = nt_rollback_enlistment(
                    enlistment: Handle, tm_virtual_clock: OptionalIn<i64>,
                );

                /// Rolls back a transaction.
                planned NtRollbackTransaction = nt_rollback_transaction(transaction: Handle, wait: Boolean);

                /// Recovers a transaction manager up to a moment.
                planned NtRollforwardTransactionManager = nt_rollforward_transaction_manager(
                    transaction_manager: Handle, tm_virtual_clock: OptionalIn<i64>,
                );

                /// Changes a property of an enlistment.
                planned NtSetInformationEnlistment = nt_set_information_enlistment(
                    enlistment: Handle, class: EnlistmentInformationClass, information: InBytes, length: u32,
                );

                /// Changes a property of a resource manager.
                planned NtSetInformationResourceManager = nt_set_information_resource_manager(
                    resource_manager: Handle, class: ResourceManagerInformationClass, information: InBytes,
                    length: u32,
                );

                /// Changes a property of a transaction.
                planned NtSetInformationTransaction = nt_set_information_transaction(
                    transaction: Handle, class: TransactionInformationClass, information: InBytes,
                    length: u32,
                );

                /// Changes a property of a transaction manager.
                planned NtSetInformationTransactionManager = nt_set_information_transaction_manager(
                    tm: Handle, class: TransactionManagerInformationClass, information: InBytes, length: u32,
                );

                /// Declines to commit in a single phase.
                planned NtSinglePhaseReject = nt_single_phase_reject(
                    enlistment: Handle, tm_virtual_clock: OptionalIn<i64>,
                );

                /// Lets transactions go on.
                planned NtThawTransactions = nt_thaw_transactions();
            }
        }
    };
}
