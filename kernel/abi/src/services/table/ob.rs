//! Rows of the table: services of objects, handles and waits.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __ob_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__po_services! {
            $callback $($before)*
            ob {
                /// Closes a handle.
                done NtClose = nt_close(handle: Handle);

                /// Says whether two handles refer to the same object.
                done NtCompareObjects = nt_compare_objects(first_object: Handle, second_object: Handle);

                /// Creates a directory of the object namespace.
                done NtCreateDirectoryObject = nt_create_directory_object(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Creates a directory that shows a second one's entries behind its own.
                done NtCreateDirectoryObjectEx = nt_create_directory_object_ex(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    shadow_directory: Handle, flags: u32,
                );

                /// Creates a namespace that only those who know its boundary can open.
                planned NtCreatePrivateNamespace = nt_create_private_namespace(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    boundary_descriptor: In<ObjectBoundaryDescriptor>,
                );

                /// Creates a name in the object namespace that stands for another.
                done NtCreateSymbolicLinkObject = nt_create_symbolic_link_object(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    link_target: In<UnicodeString>,
                );

                /// Makes a private namespace impossible to open.
                planned NtDeletePrivateNamespace = nt_delete_private_namespace(namespace: Handle);

                /// Makes a handle in one process to what a handle in another refers to, or closes the latter.
                done NtDuplicateObject = nt_duplicate_object(
                    source_process: Handle, source: Handle, target_process: Handle,
                    target: OptionalOut<Handle>, access: AccessMask, handle_attributes: u32, options: u32,
                );

                /// Keeps a named object when its last handle is closed.
                done NtMakePermanentObject = nt_make_permanent_object(handle: Handle);

                /// Lets a named object go when its last handle is closed.
                done NtMakeTemporaryObject = nt_make_temporary_object(handle: Handle);

                /// Opens a directory of the object namespace.
                done NtOpenDirectoryObject = nt_open_directory_object(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Opens a private namespace.
                planned NtOpenPrivateNamespace = nt_open_private_namespace(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    boundary_descriptor: In<ObjectBoundaryDescriptor>,
                );

                /// Opens a symbolic link itself, not what it stands for.
                done NtOpenSymbolicLinkObject = nt_open_symbolic_link_object(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Lists names and types in a directory of the object namespace.
                done NtQueryDirectoryObject = nt_query_directory_object(
                    directory: Handle, buffer: OptionalOutBytes, length: u32, return_single_entry: Boolean,
                    restart_scan: Boolean, context: InOut<u32>, return_length: OptionalOut<u32>,
                );

                /// Reads a property of an object or of its handle.
                /// Classes 0 to 4; not 5 and 6 (sessions).
                done NtQueryObject = nt_query_object(
                    handle: Handle, class: ObjectInformationClass, information: OptionalOutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads parts of an object's security descriptor.
                done NtQuerySecurityObject = nt_query_security_object(
                    handle: Handle, security_information: u32, security_descriptor: OptionalOutBytes,
                    length: u32, length_needed: Out<u32>,
                );

                /// Reads what a symbolic link stands for.
                /// The size of the buffer with which a link was made is not kept.
                done NtQuerySymbolicLinkObject = nt_query_symbolic_link_object(
                    link: Handle, link_target: InOut<UnicodeString>, return_length: OptionalOut<u32>,
                );

                /// Changes a property of a handle: inheritance, protection from closing.
                /// Class 4 (handle flags); not 5 and 6 (sessions).
                done NtSetInformationObject = nt_set_information_object(
                    handle: Handle, class: ObjectInformationClass, information: InBytes, length: u32,
                );

                /// Changes a property of a symbolic link.
                planned NtSetInformationSymbolicLink = nt_set_information_symbolic_link(
                    link: Handle, class: SymbolicLinkInformationClass, information: InBytes, length: u32,
                );

                /// Changes parts of an object's security descriptor.
                done NtSetSecurityObject = nt_set_security_object(
                    handle: Handle, security_information: u32, security_descriptor: In<SecurityDescriptor>,
                );

                /// Signals one object and waits for another without a gap between.
                done NtSignalAndWaitForSingleObject = nt_signal_and_wait_for_single_object(
                    signal: Handle, wait: Handle, alertable: Boolean, timeout: OptionalIn<i64>,
                );

                /// Waits until one or all of several objects are signaled.
                done NtWaitForMultipleObjects = nt_wait_for_multiple_objects(
                    count: u32, handles: InArray<Handle, Before>, wait_type: WaitType, alertable: Boolean,
                    timeout: OptionalIn<i64>,
                );

                /// Does the same with handles of 32 bits.
                planned NtWaitForMultipleObjects32 = nt_wait_for_multiple_objects32(
                    count: u32, handles: InArray<i32, Before>, wait_type: WaitType, alertable: Boolean,
                    timeout: OptionalIn<i64>,
                );

                /// Waits until an object is signaled.
                done NtWaitForSingleObject = nt_wait_for_single_object(
                    handle: Handle, alertable: Boolean, timeout: OptionalIn<i64>,
                );
            }
        }
    };
}
