//! Rows of the table: services of ports and messages.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __alpc_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__cm_services! {
            $callback $($before)*
            alpc {
                /// Accepts or refuses a client that wants to connect to a port.
                planned NtAcceptConnectPort = nt_accept_connect_port(
                    handle: Out<Handle>, port_context: UserAddress, connection_request: In<PortMessage>,
                    accept_connection: Boolean, server_view: OptionalInOut<PortView>,
                    client_view: OptionalOut<RemotePortView>,
                );

                /// Accepts or refuses a client that wants to connect to an ALPC port.
                planned NtAlpcAcceptConnectPort = nt_alpc_accept_connect_port(
                    handle: Out<Handle>, connection_port: Handle, flags: u32,
                    attributes: OptionalIn<ObjectAttributes>, port_attributes: OptionalIn<AlpcPortAttributes>,
                    port_context: UserAddress, connection_request: In<PortMessage>,
                    message_attributes: OptionalInOut<AlpcMessageAttributes>, accept_connection: Boolean,
                );

                /// Takes back a message that has not been answered.
                planned NtAlpcCancelMessage = nt_alpc_cancel_message(
                    port: Handle, flags: u32, message_context: In<AlpcContextAttribute>,
                );

                /// Connects to an ALPC port by name.
                planned NtAlpcConnectPort = nt_alpc_connect_port(
                    handle: Out<Handle>, port_name: In<UnicodeString>,
                    attributes: OptionalIn<ObjectAttributes>, port_attributes: OptionalIn<AlpcPortAttributes>,
                    flags: u32, required_server_sid: OptionalIn<Sid>, connection_message: OptionalInOutBytes,
                    buffer_length: OptionalInOut<Size>, out_attributes: OptionalInOut<AlpcMessageAttributes>,
                    in_attributes: OptionalInOut<AlpcMessageAttributes>, timeout: OptionalIn<i64>,
                );

                /// Connects to an ALPC port by its object attributes.
                planned NtAlpcConnectPortEx = nt_alpc_connect_port_ex(
                    handle: Out<Handle>, connection_attributes: In<ObjectAttributes>,
                    client_attributes: OptionalIn<ObjectAttributes>,
                    port_attributes: OptionalIn<AlpcPortAttributes>, flags: u32,
                    server_security: OptionalIn<SecurityDescriptor>, connection_message: OptionalInOutBytes,
                    buffer_length: OptionalInOut<Size>, out_attributes: OptionalInOut<AlpcMessageAttributes>,
                    in_attributes: OptionalInOut<AlpcMessageAttributes>, timeout: OptionalIn<i64>,
                );

                /// Creates an ALPC port that clients connect to.
                planned NtAlpcCreatePort = nt_alpc_create_port(
                    handle: Out<Handle>, attributes: OptionalIn<ObjectAttributes>,
                    port_attributes: OptionalIn<AlpcPortAttributes>,
                );

                /// Gives a port memory that is shared with the other side.
                planned NtAlpcCreatePortSection = nt_alpc_create_port_section(
                    port: Handle, flags: u32, section: Handle, section_size: Size, alpc_section: Out<Handle>,
                    actual_section_size: Out<Size>,
                );

                /// Sets a message aside for a time without memory.
                planned NtAlpcCreateResourceReserve = nt_alpc_create_resource_reserve(
                    port: Handle, flags: u32, message_size: Size, resource_id: Out<u32>,
                );

                /// Maps part of a port's section.
                planned NtAlpcCreateSectionView = nt_alpc_create_section_view(
                    port: Handle, flags: u32, view_attributes: InOut<AlpcDataViewAttribute>,
                );

                /// Makes a security context that travels with messages.
                planned NtAlpcCreateSecurityContext = nt_alpc_create_security_context(
                    port: Handle, flags: u32, security_attribute: InOut<AlpcSecurityAttribute>,
                );

                /// Takes a section away from a port.
                planned NtAlpcDeletePortSection = nt_alpc_delete_port_section(
                    port: Handle, flags: u32, section: Handle,
                );

                /// Gives up a message that was set aside.
                planned NtAlpcDeleteResourceReserve = nt_alpc_delete_resource_reserve(
                    port: Handle, flags: u32, resource_id: u32,
                );

                /// Removes a view of a port's section.
                planned NtAlpcDeleteSectionView = nt_alpc_delete_section_view(
                    port: Handle, flags: u32, view_base: UserAddress,
                );

                /// Deletes a security context.
                planned NtAlpcDeleteSecurityContext = nt_alpc_delete_security_context(
                    port: Handle, flags: u32, context: Handle,
                );

                /// Ends a connection.
                planned NtAlpcDisconnectPort = nt_alpc_disconnect_port(port: Handle, flags: u32);

                /// Acts in the container of a message's sender.
                planned NtAlpcImpersonateClientContainerOfPort = nt_alpc_impersonate_client_container_of_port(
                    port: Handle, message: In<PortMessage>, flags: u32,
                );

                /// Acts as a message's sender.
                planned NtAlpcImpersonateClientOfPort = nt_alpc_impersonate_client_of_port(
                    port: Handle, message: In<PortMessage>, flags: u32,
                );

                /// Opens the process that sent a message.
                planned NtAlpcOpenSenderProcess = nt_alpc_open_sender_process(
                    handle: Out<Handle>, port: Handle, port_message: In<PortMessage>, flags: u32,
                    access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Opens the thread that sent a message.
                planned NtAlpcOpenSenderThread = nt_alpc_open_sender_thread(
                    handle: Out<Handle>, port: Handle, port_message: In<PortMessage>, flags: u32,
                    access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Reads a property of an ALPC port.
                planned NtAlpcQueryInformation = nt_alpc_query_information(
                    port: Handle, class: AlpcPortInformationClass, information: InOutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads a property of a message.
                planned NtAlpcQueryInformationMessage = nt_alpc_query_information_message(
                    port: Handle, port_message: In<PortMessage>, class: AlpcMessageInformationClass,
                    information: OptionalOutBytes, length: u32, return_length: OptionalOut<u32>,
                );

                /// Makes a security context useless to others.
                planned NtAlpcRevokeSecurityContext = nt_alpc_revoke_security_context(
                    port: Handle, flags: u32, context: Handle,
                );

                /// Sends a message, waits for one, or both.
                planned NtAlpcSendWaitReceivePort = nt_alpc_send_wait_receive_port(
                    port: Handle, flags: u32, send_message: OptionalIn<PortMessage>,
                    send_attributes: OptionalInOut<AlpcMessageAttributes>, receive_message: OptionalOutBytes,
                    buffer_length: OptionalInOut<Size>,
                    receive_attributes: OptionalInOut<AlpcMessageAttributes>, timeout: OptionalIn<i64>,
                );

                /// Changes a property of an ALPC port.
                planned NtAlpcSetInformation = nt_alpc_set_information(
                    port: Handle, class: AlpcPortInformationClass, information: OptionalInBytes, length: u32,
                );

                /// Lets an accepted client go on.
                planned NtCompleteConnectPort = nt_complete_connect_port(port: Handle);

                /// Connects to a port by name.
                planned NtConnectPort = nt_connect_port(
                    handle: Out<Handle>, port_name: In<UnicodeString>,
                    security_qos: In<SecurityQualityOfService>, client_view: OptionalInOut<PortView>,
                    server_view: OptionalInOut<RemotePortView>, message_limit: OptionalOut<u32>,
                    information: OptionalInOutBytes, length: OptionalInOut<u32>,
                );

                /// Creates a port that clients connect to.
                planned NtCreatePort = nt_create_port(
                    handle: Out<Handle>, attributes: OptionalIn<ObjectAttributes>, connection_info_limit: u32,
                    message_limit: u32, pool_limit: u32,
                );

                /// Creates a port that can be waited for like other objects.
                planned NtCreateWaitablePort = nt_create_waitable_port(
                    handle: Out<Handle>, attributes: OptionalIn<ObjectAttributes>, connection_info_limit: u32,
                    message_limit: u32, pool_limit: u32,
                );

                /// Acts as the client whose message was received.
                planned NtImpersonateClientOfPort = nt_impersonate_client_of_port(
                    port: Handle, message: In<PortMessage>,
                );

                /// Waits for a client that wants to connect.
                planned NtListenPort = nt_listen_port(port: Handle, connection_request: Out<PortMessage>);

                /// Reads a property of a port.
                planned NtQueryInformationPort = nt_query_information_port(
                    port: Handle, class: PortInformationClass, information: OutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Copies data that a message refers to out of its sender.
                planned NtReadRequestData = nt_read_request_data(
                    port: Handle, message: In<PortMessage>, data_entry_index: u32, buffer: OutBytes,
                    buffer_size: Size, bytes_read: OptionalOut<Size>,
                );

                /// Answers a message.
                planned NtReplyPort = nt_reply_port(port: Handle, reply_message: In<PortMessage>);

                /// Answers a message and waits for the next.
                planned NtReplyWaitReceivePort = nt_reply_wait_receive_port(
                    port: Handle, port_context: OptionalOut<UserAddress>,
                    reply_message: OptionalIn<PortMessage>, receive_message: Out<PortMessage>,
                );

                /// Answers a message and waits for the next, for a limited time.
                planned NtReplyWaitReceivePortEx = nt_reply_wait_receive_port_ex(
                    port: Handle, port_context: OptionalOut<UserAddress>,
                    reply_message: OptionalIn<PortMessage>, receive_message: Out<PortMessage>,
                    timeout: OptionalIn<i64>,
                );

                /// Answers a message and waits for the answer to that.
                planned NtReplyWaitReplyPort = nt_reply_wait_reply_port(
                    port: Handle, reply_message: InOut<PortMessage>,
                );

                /// Sends a message without waiting for an answer.
                planned NtRequestPort = nt_request_port(port: Handle, request_message: In<PortMessage>);

                /// Sends a message and waits for its answer.
                planned NtRequestWaitReplyPort = nt_request_wait_reply_port(
                    port: Handle, request_message: In<PortMessage>, reply_message: Out<PortMessage>,
                );

                /// Connects to a port by name if its server is who it has to be.
                planned NtSecureConnectPort = nt_secure_connect_port(
                    handle: Out<Handle>, port_name: In<UnicodeString>,
                    security_qos: In<SecurityQualityOfService>, client_view: OptionalInOut<PortView>,
                    required_server_sid: OptionalIn<Sid>, server_view: OptionalInOut<RemotePortView>,
                    message_limit: OptionalOut<u32>, information: OptionalInOutBytes,
                    length: OptionalInOut<u32>,
                );

                /// Copies data into the sender of a message, where it refers to.
                planned NtWriteRequestData = nt_write_request_data(
                    port: Handle, message: In<PortMessage>, data_entry_index: u32, buffer: InBytes,
                    buffer_size: Size, bytes_written: OptionalOut<Size>,
                );
            }
        }
    };
}
