//! Rows of the table: services of the registry.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __cm_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__dbgk_services! {
            $callback $($before)*
            cm {
                /// Makes the changes of a registry transaction come true.
                planned NtCommitRegistryTransaction = nt_commit_registry_transaction(
                    registry_transaction: Handle, flags: u32,
                );

                /// Moves keys of a hive close to each other.
                planned NtCompactKeys = nt_compact_keys(count: u32, keys: InArray<Handle, Before>);

                /// Rewrites a hive without its gaps.
                planned NtCompressKey = nt_compress_key(key: Handle);

                /// Creates a key or opens it.
                planned NtCreateKey = nt_create_key(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    title_index: u32, class: OptionalIn<UnicodeString>, create_options: u32,
                    disposition: OptionalOut<u32>,
                );

                /// Creates or opens a key inside a transaction.
                planned NtCreateKeyTransacted = nt_create_key_transacted(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    title_index: u32, class: OptionalIn<UnicodeString>, create_options: u32,
                    transaction: Handle, disposition: OptionalOut<u32>,
                );

                /// Creates a transaction of the registry alone.
                planned NtCreateRegistryTransaction = nt_create_registry_transaction(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    create_options: u32,
                );

                /// Deletes a key that has no subkeys.
                planned NtDeleteKey = nt_delete_key(key: Handle);

                /// Deletes a value.
                planned NtDeleteValueKey = nt_delete_value_key(key: Handle, value_name: In<UnicodeString>);

                /// Reads a property of the n-th subkey.
                planned NtEnumerateKey = nt_enumerate_key(
                    key: Handle, index: u32, class: KeyInformationClass, information: OptionalOutBytes,
                    length: u32, return_length: Out<u32>,
                );

                /// Reads the n-th value.
                planned NtEnumerateValueKey = nt_enumerate_value_key(
                    key: Handle, index: u32, class: KeyValueInformationClass, information: OptionalOutBytes,
                    length: u32, return_length: Out<u32>,
                );

                /// Writes a key's hive to the disk.
                planned NtFlushKey = nt_flush_key(key: Handle);

                /// Holds changes of the registry back, for a snapshot.
                planned NtFreezeRegistry = nt_freeze_registry(timeout_in_seconds: u32);

                /// Tells the registry that the system has started.
                planned NtInitializeRegistry = nt_initialize_registry(boot_condition: u16);

                /// Shows a hive file under a key.
                planned NtLoadKey = nt_load_key(
                    target_key: In<ObjectAttributes>, source_file: In<ObjectAttributes>,
                );

                /// Shows a hive file under a key, with options.
                planned NtLoadKey2 = nt_load_key2(
                    target_key: In<ObjectAttributes>, source_file: In<ObjectAttributes>, flags: u32,
                );

                /// Shows a hive file under a key, with further parameters.
                planned NtLoadKey3 = nt_load_key3(
                    target_key: In<ObjectAttributes>, source_file: In<ObjectAttributes>, flags: u32,
                    extended_parameters: InArray<CmExtendedParameter>, parameter_count: u32,
                    access: AccessMask, handle: OptionalOut<Handle>, reserved: UserAddress,
                );

                /// Shows a hive file under a key and opens it.
                planned NtLoadKeyEx = nt_load_key_ex(
                    target_key: In<ObjectAttributes>, source_file: In<ObjectAttributes>, flags: u32,
                    trust_class_key: Handle, event: Handle, access: AccessMask, handle: OptionalOut<Handle>,
                    reserved: UserAddress,
                );

                /// Locks the keys of product activation.
                planned NtLockProductActivationKeys = nt_lock_product_activation_keys(
                    private_version: OptionalInOut<u32>, safe_mode: OptionalOut<u32>,
                );

                /// Makes a key read-only until the next start.
                planned NtLockRegistryKey = nt_lock_registry_key(key: Handle);

                /// Tells when a key or its subkeys change.
                planned NtNotifyChangeKey = nt_notify_change_key(
                    key: Handle, event: Handle, apc_routine: UserAddress, apc_context: UserAddress,
                    io_status: Out<IoStatusBlock>, completion_filter: u32, watch_tree: Boolean,
                    buffer: OptionalOutBytes, buffer_size: u32, asynchronous: Boolean,
                );

                /// Tells when one of several keys changes.
                planned NtNotifyChangeMultipleKeys = nt_notify_change_multiple_keys(
                    master_key: Handle, count: u32,
                    subordinate_objects: OptionalInArray<ObjectAttributes, Before>, event: Handle,
                    apc_routine: UserAddress, apc_context: UserAddress, io_status: Out<IoStatusBlock>,
                    completion_filter: u32, watch_tree: Boolean, buffer: OptionalOutBytes, buffer_size: u32,
                    asynchronous: Boolean,
                );

                /// Opens a key.
                planned NtOpenKey = nt_open_key(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Opens a key, with options.
                planned NtOpenKeyEx = nt_open_key_ex(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    open_options: u32,
                );

                /// Opens a key inside a transaction.
                planned NtOpenKeyTransacted = nt_open_key_transacted(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    transaction: Handle,
                );

                /// Opens a key inside a transaction, with options.
                planned NtOpenKeyTransactedEx = nt_open_key_transacted_ex(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    open_options: u32, transaction: Handle,
                );

                /// Opens a transaction of the registry by name.
                planned NtOpenRegistryTransaction = nt_open_registry_transaction(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Reads a property of a key.
                planned NtQueryKey = nt_query_key(
                    key: Handle, class: KeyInformationClass, information: OptionalOutBytes, length: u32,
                    return_length: Out<u32>,
                );

                /// Reads several values at once.
                planned NtQueryMultipleValueKey = nt_query_multiple_value_key(
                    key: Handle, value_entries: InOutArray<KeyValueEntry>, entry_count: u32,
                    value_buffer: OutBytes, buffer_length: InOut<u32>,
                    required_buffer_length: OptionalOut<u32>,
                );

                /// Counts the open keys of a hive.
                planned NtQueryOpenSubKeys = nt_query_open_sub_keys(
                    target_key: In<ObjectAttributes>, handle_count: Out<u32>,
                );

                /// Lists the open keys of a hive and who has them open.
                planned NtQueryOpenSubKeysEx = nt_query_open_sub_keys_ex(
                    target_key: In<ObjectAttributes>, buffer_length: u32, buffer: OptionalOutBytes<Before>,
                    required_size: Out<u32>,
                );

                /// Reads a value.
                planned NtQueryValueKey = nt_query_value_key(
                    key: Handle, value_name: In<UnicodeString>, class: KeyValueInformationClass,
                    information: OptionalOutBytes, length: u32, return_length: Out<u32>,
                );

                /// Gives a key another name.
                planned NtRenameKey = nt_rename_key(key: Handle, new_name: In<UnicodeString>);

                /// Exchanges a hive's file at the next start.
                planned NtReplaceKey = nt_replace_key(
                    new_file: In<ObjectAttributes>, target: Handle, old_file: In<ObjectAttributes>,
                );

                /// Fills a key from a hive file.
                planned NtRestoreKey = nt_restore_key(key: Handle, file: Handle, flags: u32);

                /// Takes the changes of a registry transaction back.
                planned NtRollbackRegistryTransaction = nt_rollback_registry_transaction(
                    registry_transaction: Handle, flags: u32,
                );

                /// Writes a key and its subkeys to a hive file.
                planned NtSaveKey = nt_save_key(key: Handle, file: Handle);

                /// Writes a key and its subkeys to a hive file of a given version.
                planned NtSaveKeyEx = nt_save_key_ex(key: Handle, file: Handle, format: u32);

                /// Writes two keys, one laid over the other, to a hive file.
                planned NtSaveMergedKeys = nt_save_merged_keys(
                    high_precedence_key: Handle, low_precedence_key: Handle, file: Handle,
                );

                /// Changes a property of a key.
                planned NtSetInformationKey = nt_set_information_key(
                    key: Handle, class: KeySetInformationClass, information: InBytes, length: u32,
                );

                /// Creates or changes a value.
                planned NtSetValueKey = nt_set_value_key(
                    key: Handle, value_name: In<UnicodeString>, title_index: u32, kind: u32,
                    data: OptionalInBytes, data_size: u32,
                );

                /// Lets changes of the registry go on.
                planned NtThawRegistry = nt_thaw_registry();

                /// Removes a hive that was loaded.
                planned NtUnloadKey = nt_unload_key(target_key: In<ObjectAttributes>);

                /// Removes a hive that was loaded, by force if wanted.
                planned NtUnloadKey2 = nt_unload_key2(target_key: In<ObjectAttributes>, flags: u32);

                /// Removes a hive as soon as nobody uses it, and signals an event.
                planned NtUnloadKeyEx = nt_unload_key_ex(target_key: In<ObjectAttributes>, event: Handle);
            }
        }
    };
}
