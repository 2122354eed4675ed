//! Rows of the table: services of files, devices, completion ports and drivers.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __io_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__ke_services! {
            $callback $($before)*
            io {
                /// Puts a packet on a completion port when an object is signaled.
                planned NtAssociateWaitCompletionPacket = nt_associate_wait_completion_packet(
                    wait_completion_packet: Handle, io_completion: Handle, target_object: Handle,
                    key_context: UserAddress, apc_context: UserAddress, io_status: NtStatus,
                    io_status_information: Size, already_signaled: OptionalOut<Boolean>,
                );

                /// Cancels the caller's requests on a file.
                planned NtCancelIoFile = nt_cancel_io_file(file: Handle, io_status: Out<IoStatusBlock>);

                /// Cancels all requests on a file, or one of them.
                planned NtCancelIoFileEx = nt_cancel_io_file_ex(
                    file: Handle, io_status_of_request: UserAddress, io_status: Out<IoStatusBlock>,
                );

                /// Cancels what another thread waits for.
                planned NtCancelSynchronousIoFile = nt_cancel_synchronous_io_file(
                    thread: Handle, io_status_of_request: UserAddress, io_status: Out<IoStatusBlock>,
                );

                /// Takes back the association of a wait packet.
                planned NtCancelWaitCompletionPacket = nt_cancel_wait_completion_packet(
                    wait_completion_packet: Handle, remove_signaled_packet: Boolean,
                );

                /// Copies part of a file to another.
                planned NtCopyFileChunk = nt_copy_file_chunk(
                    source: Handle, destination: Handle, event: Handle, io_status: Out<IoStatusBlock>,
                    length: u32, source_offset: In<i64>, destination_offset: In<i64>,
                    source_key: OptionalIn<u32>, destination_key: OptionalIn<u32>, flags: u32,
                );

                /// Creates or opens a file, a directory or a device.
                planned NtCreateFile = nt_create_file(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    io_status: Out<IoStatusBlock>, allocation_size: OptionalIn<i64>, file_attributes: u32,
                    share_access: u32, create_disposition: u32, create_options: u32,
                    ea_buffer: OptionalInBytes, ea_length: u32,
                );

                /// Creates a completion port.
                /// Of packets only those of NtSetIoCompletion and of jobs: there is no I/O.
                done NtCreateIoCompletion = nt_create_io_completion(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    concurrent_threads: u32,
                );

                /// Creates a ring of requests that user mode fills.
                planned NtCreateIoRing = nt_create_io_ring(
                    handle: Out<Handle>, create_parameters_length: u32, create_parameters: InBytes<Before>,
                    output_parameters_length: u32, output_parameters: OutBytes<Before>,
                );

                /// Creates a mailslot.
                planned NtCreateMailslotFile = nt_create_mailslot_file(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    io_status: Out<IoStatusBlock>, create_options: u32, mailslot_quota: u32,
                    maximum_message_size: u32, read_timeout: In<i64>,
                );

                /// Creates an instance of a named pipe.
                planned NtCreateNamedPipeFile = nt_create_named_pipe_file(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    io_status: Out<IoStatusBlock>, share_access: u32, create_disposition: u32,
                    create_options: u32, named_pipe_type: u32, read_mode: u32, completion_mode: u32,
                    maximum_instances: u32, inbound_quota: u32, outbound_quota: u32, default_timeout: In<i64>,
                );

                /// Creates a packet that can be tied to an object.
                planned NtCreateWaitCompletionPacket = nt_create_wait_completion_packet(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                );

                /// Deletes a file by name.
                planned NtDeleteFile = nt_delete_file(attributes: In<ObjectAttributes>);

                /// Asks a device to do something.
                planned NtDeviceIoControlFile = nt_device_io_control_file(
                    file: Handle, event: Handle, apc_routine: UserAddress, apc_context: UserAddress,
                    io_status: Out<IoStatusBlock>, io_control_code: u32, input_buffer: OptionalInBytes,
                    input_buffer_length: u32, output_buffer: OptionalOutBytes, output_buffer_length: u32,
                );

                /// Writes what is cached of a file to the disk.
                planned NtFlushBuffersFile = nt_flush_buffers_file(
                    file: Handle, io_status: Out<IoStatusBlock>,
                );

                /// Writes what is cached of a file to the disk, all or data alone.
                planned NtFlushBuffersFileEx = nt_flush_buffers_file_ex(
                    file: Handle, flags: u32, parameters: InBytes, parameters_size: u32,
                    io_status: Out<IoStatusBlock>,
                );

                /// Asks a file system to do something.
                planned NtFsControlFile = nt_fs_control_file(
                    file: Handle, event: Handle, apc_routine: UserAddress, apc_context: UserAddress,
                    io_status: Out<IoStatusBlock>, fs_control_code: u32, input_buffer: OptionalInBytes,
                    input_buffer_length: u32, output_buffer: OptionalOutBytes, output_buffer_length: u32,
                );

                /// Loads a driver by its registry key.
                planned NtLoadDriver = nt_load_driver(driver_service_name: In<UnicodeString>);

                /// Locks a range of a file.
                planned NtLockFile = nt_lock_file(
                    file: Handle, event: Handle, apc_routine: UserAddress, apc_context: UserAddress,
                    io_status: Out<IoStatusBlock>, byte_offset: In<i64>, length: In<i64>, key: u32,
                    fail_immediately: Boolean, exclusive_lock: Boolean,
                );

                /// Tells when a directory changes.
                planned NtNotifyChangeDirectoryFile = nt_notify_change_directory_file(
                    file: Handle, event: Handle, apc_routine: UserAddress, apc_context: UserAddress,
                    io_status: Out<IoStatusBlock>, buffer: OutBytes, length: u32, completion_filter: u32,
                    watch_tree: Boolean,
                );

                /// Tells when a directory changes, with a class of information.
                planned NtNotifyChangeDirectoryFileEx = nt_notify_change_directory_file_ex(
                    file: Handle, event: Handle, apc_routine: UserAddress, apc_context: UserAddress,
                    io_status: Out<IoStatusBlock>, buffer: OutBytes, length: u32, completion_filter: u32,
                    watch_tree: Boolean, class: DirectoryNotifyInformationClass,
                );

                /// Tells sessions' listeners of a change.
                planned NtNotifyChangeSession = nt_notify_change_session(
                    session: Handle, change_sequence_number: u32, change_time_stamp: In<i64>,
                    event: IoSessionEvent, new_state: IoSessionState, previous_state: IoSessionState,
                    payload: OptionalInBytes, payload_size: u32,
                );

                /// Opens a file, a directory or a device.
                planned NtOpenFile = nt_open_file(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    io_status: Out<IoStatusBlock>, share_access: u32, open_options: u32,
                );

                /// Opens a completion port by name.
                done NtOpenIoCompletion = nt_open_io_completion(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Opens a session.
                planned NtOpenSession = nt_open_session(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Reads times and attributes of a file by name.
                planned NtQueryAttributesFile = nt_query_attributes_file(
                    attributes: In<ObjectAttributes>, file_information: Out<FileBasicInformation>,
                );

                /// Lists a directory.
                planned NtQueryDirectoryFile = nt_query_directory_file(
                    file: Handle, event: Handle, apc_routine: UserAddress, apc_context: UserAddress,
                    io_status: Out<IoStatusBlock>, information: OutBytes, length: u32,
                    class: FileInformationClass, return_single_entry: Boolean,
                    file_name: OptionalIn<UnicodeString>, restart_scan: Boolean,
                );

                /// Lists a directory, with flags.
                planned NtQueryDirectoryFileEx = nt_query_directory_file_ex(
                    file: Handle, event: Handle, apc_routine: UserAddress, apc_context: UserAddress,
                    io_status: Out<IoStatusBlock>, information: OutBytes, length: u32,
                    class: FileInformationClass, query_flags: u32, file_name: OptionalIn<UnicodeString>,
                );

                /// Reads extended attributes of a file.
                planned NtQueryEaFile = nt_query_ea_file(
                    file: Handle, io_status: Out<IoStatusBlock>, buffer: OutBytes, length: u32,
                    return_single_entry: Boolean, ea_list: OptionalInBytes, ea_list_length: u32,
                    ea_index: OptionalIn<u32>, restart_scan: Boolean,
                );

                /// Reads times, attributes and sizes of a file by name.
                planned NtQueryFullAttributesFile = nt_query_full_attributes_file(
                    attributes: In<ObjectAttributes>, file_information: Out<FileNetworkOpenInformation>,
                );

                /// Reads a property of a file by name.
                planned NtQueryInformationByName = nt_query_information_by_name(
                    attributes: In<ObjectAttributes>, io_status: Out<IoStatusBlock>, information: OutBytes,
                    length: u32, class: FileInformationClass,
                );

                /// Reads a property of a file.
                planned NtQueryInformationFile = nt_query_information_file(
                    file: Handle, io_status: Out<IoStatusBlock>, information: OutBytes, length: u32,
                    class: FileInformationClass,
                );

                /// Reads how many packets wait in a completion port.
                done NtQueryIoCompletion = nt_query_io_completion(
                    io_completion: Handle, class: IoCompletionInformationClass, information: OutBytes,
                    length: u32, return_length: OptionalOut<u32>,
                );

                /// Says what rings of requests can do.
                planned NtQueryIoRingCapabilities = nt_query_io_ring_capabilities(
                    length: Size, capabilities: OutBytes<Before>,
                );

                /// Reads users' quotas on a volume.
                planned NtQueryQuotaInformationFile = nt_query_quota_information_file(
                    file: Handle, io_status: Out<IoStatusBlock>, buffer: OutBytes, length: u32,
                    return_single_entry: Boolean, sid_list: OptionalInBytes, sid_list_length: u32,
                    start_sid: OptionalIn<Sid>, restart_scan: Boolean,
                );

                /// Reads a property of a file's volume.
                planned NtQueryVolumeInformationFile = nt_query_volume_information_file(
                    file: Handle, io_status: Out<IoStatusBlock>, information: OutBytes, length: u32,
                    class: FsInformationClass,
                );

                /// Reads from a file.
                planned NtReadFile = nt_read_file(
                    file: Handle, event: Handle, apc_routine: UserAddress, apc_context: UserAddress,
                    io_status: Out<IoStatusBlock>, buffer: OutBytes, length: u32,
                    byte_offset: OptionalIn<i64>, key: OptionalIn<u32>,
                );

                /// Reads from a file into single pages.
                planned NtReadFileScatter = nt_read_file_scatter(
                    file: Handle, event: Handle, apc_routine: UserAddress, apc_context: UserAddress,
                    io_status: Out<IoStatusBlock>, segments: InArray<FileSegmentElement, Elsewhere>,
                    length: u32, byte_offset: OptionalIn<i64>, key: OptionalIn<u32>,
                );

                /// Takes a packet from a completion port, or waits for one.
                done NtRemoveIoCompletion = nt_remove_io_completion(
                    io_completion: Handle, key_context: Out<UserAddress>, apc_context: Out<UserAddress>,
                    io_status: Out<IoStatusBlock>, timeout: OptionalIn<i64>,
                );

                /// Takes several packets from a completion port, or waits for one.
                done NtRemoveIoCompletionEx = nt_remove_io_completion_ex(
                    io_completion: Handle, packets: OutArray<FileIoCompletionInformation>, count: u32,
                    removed_count: Out<u32>, timeout: OptionalIn<i64>, alertable: Boolean,
                );

                /// Changes extended attributes of a file.
                planned NtSetEaFile = nt_set_ea_file(
                    file: Handle, io_status: Out<IoStatusBlock>, buffer: InBytes, length: u32,
                );

                /// Changes a property of a file.
                planned NtSetInformationFile = nt_set_information_file(
                    file: Handle, io_status: Out<IoStatusBlock>, information: InBytes, length: u32,
                    class: FileInformationClass,
                );

                /// Changes a property of a ring of requests.
                planned NtSetInformationIoRing = nt_set_information_io_ring(
                    io_ring: Handle, class: u32, length: u32, information: InBytes<Before>,
                );

                /// Puts a packet on a completion port.
                /// A port takes 65,536 packets at most.
                done NtSetIoCompletion = nt_set_io_completion(
                    io_completion: Handle, key_context: UserAddress, apc_context: UserAddress,
                    io_status: NtStatus, io_status_information: Size,
                );

                /// Puts a packet whose memory was reserved on a completion port.
                planned NtSetIoCompletionEx = nt_set_io_completion_ex(
                    io_completion: Handle, io_completion_packet: Handle, key_context: UserAddress,
                    apc_context: UserAddress, io_status: NtStatus, io_status_information: Size,
                );

                /// Changes users' quotas on a volume.
                planned NtSetQuotaInformationFile = nt_set_quota_information_file(
                    file: Handle, io_status: Out<IoStatusBlock>, buffer: InBytes, length: u32,
                );

                /// Changes a property of a file's volume.
                planned NtSetVolumeInformationFile = nt_set_volume_information_file(
                    file: Handle, io_status: Out<IoStatusBlock>, information: InBytes, length: u32,
                    class: FsInformationClass,
                );

                /// Starts the requests in a ring.
                planned NtSubmitIoRing = nt_submit_io_ring(
                    io_ring: Handle, flags: u32, wait_operations: u32, timeout: OptionalIn<i64>,
                );

                /// Unloads a driver.
                planned NtUnloadDriver = nt_unload_driver(driver_service_name: In<UnicodeString>);

                /// Unlocks a range of a file.
                planned NtUnlockFile = nt_unlock_file(
                    file: Handle, io_status: Out<IoStatusBlock>, byte_offset: In<i64>, length: In<i64>,
                    key: u32,
                );

                /// Writes to a file.
                planned NtWriteFile = nt_write_file(
                    file: Handle, event: Handle, apc_routine: UserAddress, apc_context: UserAddress,
                    io_status: Out<IoStatusBlock>, buffer: InBytes, length: u32, byte_offset: OptionalIn<i64>,
                    key: OptionalIn<u32>,
                );

                /// Writes single pages to a file.
                planned NtWriteFileGather = nt_write_file_gather(
                    file: Handle, event: Handle, apc_routine: UserAddress, apc_context: UserAddress,
                    io_status: Out<IoStatusBlock>, segments: InArray<FileSegmentElement, Elsewhere>,
                    length: u32, byte_offset: OptionalIn<i64>, key: OptionalIn<u32>,
                );
            }
        }
    };
}
