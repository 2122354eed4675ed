//! Rows of the table: services of tokens, access checks and audits.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __se_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__tm_services! {
            $callback $($before)*
            se {
                /// Says which rights a security descriptor gives a client.
                done NtAccessCheck = nt_access_check(
                    security_descriptor: In<SecurityDescriptor>, client_token: Handle, access: AccessMask,
                    generic_mapping: In<GenericMapping>, privilege_set: OutBytes,
                    privilege_set_length: InOut<u32>, granted_access: Out<AccessMask>,
                    access_status: Out<NtStatus>,
                );

                /// Checks access and writes the audit.
                /// Decides as NT does, and writes no audit: there is no audit log.
                done NtAccessCheckAndAuditAlarm = nt_access_check_and_audit_alarm(
                    subsystem_name: In<UnicodeString>, handle_id: UserAddress,
                    object_type_name: In<UnicodeString>, object_name: In<UnicodeString>,
                    security_descriptor: In<SecurityDescriptor>, access: AccessMask,
                    generic_mapping: In<GenericMapping>, object_creation: Boolean,
                    granted_access: Out<AccessMask>, access_status: Out<NtStatus>,
                    generate_on_close: Out<Boolean>,
                );

                /// Checks access to an object with parts.
                done NtAccessCheckByType = nt_access_check_by_type(
                    security_descriptor: In<SecurityDescriptor>, principal_self_sid: OptionalIn<Sid>,
                    client_token: Handle, access: AccessMask, object_type_list: InArray<ObjectTypeList>,
                    object_type_list_length: u32, generic_mapping: In<GenericMapping>,
                    privilege_set: OutBytes, privilege_set_length: InOut<u32>,
                    granted_access: Out<AccessMask>, access_status: Out<NtStatus>,
                );

                /// Checks access to an object with parts and writes the audit.
                /// Decides as NT does, and writes no audit: there is no audit log.
                done NtAccessCheckByTypeAndAuditAlarm = nt_access_check_by_type_and_audit_alarm(
                    subsystem_name: In<UnicodeString>, handle_id: UserAddress,
                    object_type_name: In<UnicodeString>, object_name: In<UnicodeString>,
                    security_descriptor: In<SecurityDescriptor>, principal_self_sid: OptionalIn<Sid>,
                    access: AccessMask, audit_type: AuditEventType, flags: u32,
                    object_type_list: OptionalInArray<ObjectTypeList>, object_type_list_length: u32,
                    generic_mapping: In<GenericMapping>, object_creation: Boolean,
                    granted_access: Out<AccessMask>, access_status: Out<NtStatus>,
                    generate_on_close: Out<Boolean>,
                );

                /// Checks access to each part of an object.
                done NtAccessCheckByTypeResultList = nt_access_check_by_type_result_list(
                    security_descriptor: In<SecurityDescriptor>, principal_self_sid: OptionalIn<Sid>,
                    client_token: Handle, access: AccessMask, object_type_list: InArray<ObjectTypeList>,
                    object_type_list_length: u32, generic_mapping: In<GenericMapping>,
                    privilege_set: OutBytes, privilege_set_length: InOut<u32>,
                    granted_access: OutArray<AccessMask, Elsewhere>,
                    access_status: OutArray<NtStatus, Elsewhere>,
                );

                /// Checks access to each part of an object and writes the audit.
                /// Decides as NT does, and writes no audit: there is no audit log.
                done NtAccessCheckByTypeResultListAndAuditAlarm =
                    nt_access_check_by_type_result_list_and_audit_alarm(
                    subsystem_name: In<UnicodeString>, handle_id: UserAddress,
                    object_type_name: In<UnicodeString>, object_name: In<UnicodeString>,
                    security_descriptor: In<SecurityDescriptor>, principal_self_sid: OptionalIn<Sid>,
                    access: AccessMask, audit_type: AuditEventType, flags: u32,
                    object_type_list: OptionalInArray<ObjectTypeList>, object_type_list_length: u32,
                    generic_mapping: In<GenericMapping>, object_creation: Boolean,
                    granted_access: OutArray<AccessMask, Elsewhere>,
                    access_status: OutArray<NtStatus, Elsewhere>, generate_on_close: Out<Boolean>,
                );

                /// Does so for a client that is named by its token.
                /// Decides as NT does, and writes no audit: there is no audit log.
                done NtAccessCheckByTypeResultListAndAuditAlarmByHandle =
                    nt_access_check_by_type_result_list_and_audit_alarm_by_handle(
                    subsystem_name: In<UnicodeString>, handle_id: UserAddress, client_token: Handle,
                    object_type_name: In<UnicodeString>, object_name: In<UnicodeString>,
                    security_descriptor: In<SecurityDescriptor>, principal_self_sid: OptionalIn<Sid>,
                    access: AccessMask, audit_type: AuditEventType, flags: u32,
                    object_type_list: OptionalInArray<ObjectTypeList>, object_type_list_length: u32,
                    generic_mapping: In<GenericMapping>, object_creation: Boolean,
                    granted_access: OutArray<AccessMask, Elsewhere>,
                    access_status: OutArray<NtStatus, Elsewhere>, generate_on_close: Out<Boolean>,
                );

                /// Enables or disables groups of a token.
                done NtAdjustGroupsToken = nt_adjust_groups_token(
                    token: Handle, reset_to_default: Boolean, new_state: OptionalIn<TokenGroups>,
                    buffer_length: u32, previous_state: OptionalOutBytes<Before>,
                    return_length: OptionalOut<u32>,
                );

                /// Enables, disables or removes privileges of a token.
                done NtAdjustPrivilegesToken = nt_adjust_privileges_token(
                    token: Handle, disable_all_privileges: Boolean, new_state: OptionalIn<TokenPrivileges>,
                    buffer_length: u32, previous_state: OptionalOutBytes<Before>,
                    return_length: OptionalOut<u32>,
                );

                /// Changes claims and device groups of a token.
                planned NtAdjustTokenClaimsAndDeviceGroups = nt_adjust_token_claims_and_device_groups(
                    token: Handle, reset_user: Boolean, reset_device: Boolean, reset_device_groups: Boolean,
                    new_user_state: OptionalIn<TokenSecurityAttributes>,
                    new_device_state: OptionalIn<TokenSecurityAttributes>,
                    new_device_groups_state: OptionalIn<TokenGroups>, user_length: u32,
                    previous_user_state: OptionalOutBytes<Before>, device_length: u32,
                    previous_device_state: OptionalOutBytes<Before>, device_groups_length: u32,
                    previous_device_groups: OptionalOutBytes<Before>, user_return_length: OptionalOut<u32>,
                    device_return_length: OptionalOut<u32>, device_groups_return_length: OptionalOut<u32>,
                );

                /// Writes the audit of a handle's closing.
                /// Decides as NT does, and writes no audit: there is no audit log.
                done NtCloseObjectAuditAlarm = nt_close_object_audit_alarm(
                    subsystem_name: In<UnicodeString>, handle_id: UserAddress, generate_on_close: Boolean,
                );

                /// Says whether one signing level is at least another.
                planned NtCompareSigningLevels = nt_compare_signing_levels(
                    first_signing_level: u8, second_signing_level: u8,
                );

                /// Says whether two tokens give the same access.
                done NtCompareTokens = nt_compare_tokens(
                    first_token: Handle, second_token: Handle, equal: Out<Boolean>,
                );

                /// Creates a token for an app container.
                planned NtCreateLowBoxToken = nt_create_low_box_token(
                    handle: Out<Handle>, existing_token: Handle, access: AccessMask,
                    attributes: OptionalIn<ObjectAttributes>, package_sid: In<Sid>, capability_count: u32,
                    capabilities: OptionalInArray<SidAndAttributes, Before>, handle_count: u32,
                    handles: OptionalInArray<Handle, Before>,
                );

                /// Creates a token.
                /// A token without a label is of the level Medium.
                done NtCreateToken = nt_create_token(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    kind: TokenType, authentication_id: In<Luid>, expiration_time: In<i64>,
                    user: In<TokenUser>, groups: In<TokenGroups>, privileges: In<TokenPrivileges>,
                    owner: OptionalIn<TokenOwner>, primary_group: In<TokenPrimaryGroup>,
                    default_dacl: OptionalIn<TokenDefaultDacl>, source: In<TokenSource>,
                );

                /// Creates a token with claims.
                planned NtCreateTokenEx = nt_create_token_ex(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    kind: TokenType, authentication_id: In<Luid>, expiration_time: In<i64>,
                    user: In<TokenUser>, groups: In<TokenGroups>, privileges: In<TokenPrivileges>,
                    user_attributes: OptionalIn<TokenSecurityAttributes>,
                    device_attributes: OptionalIn<TokenSecurityAttributes>,
                    device_groups: OptionalIn<TokenGroups>,
                    mandatory_policy: OptionalIn<TokenMandatoryPolicy>, owner: OptionalIn<TokenOwner>,
                    primary_group: In<TokenPrimaryGroup>, default_dacl: OptionalIn<TokenDefaultDacl>,
                    source: In<TokenSource>,
                );

                /// Writes the audit of an object's deletion.
                /// Decides as NT does, and writes no audit: there is no audit log.
                done NtDeleteObjectAuditAlarm = nt_delete_object_audit_alarm(
                    subsystem_name: In<UnicodeString>, handle_id: UserAddress, generate_on_close: Boolean,
                );

                /// Makes a copy of a token, of another type or level if wanted.
                done NtDuplicateToken = nt_duplicate_token(
                    existing_token: Handle, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    effective_only: Boolean, kind: TokenType, handle: Out<Handle>,
                );

                /// Creates a restricted copy of a token.
                done NtFilterToken = nt_filter_token(
                    existing_token: Handle, flags: u32, sids_to_disable: OptionalIn<TokenGroups>,
                    privileges_to_delete: OptionalIn<TokenPrivileges>,
                    restricted_sids: OptionalIn<TokenGroups>, handle: Out<Handle>,
                );

                /// Creates a restricted copy of a token with claims.
                planned NtFilterTokenEx = nt_filter_token_ex(
                    existing_token: Handle, flags: u32, sids_to_disable: OptionalIn<TokenGroups>,
                    privileges_to_delete: OptionalIn<TokenPrivileges>,
                    restricted_sids: OptionalIn<TokenGroups>, user_claim_count: u32,
                    user_claims_to_disable: OptionalInArray<UnicodeString, Before>, device_claim_count: u32,
                    device_claims_to_disable: OptionalInArray<UnicodeString, Before>,
                    device_groups_to_disable: OptionalIn<TokenGroups>,
                    restricted_user: OptionalIn<TokenSecurityAttributes>,
                    restricted_device: OptionalIn<TokenSecurityAttributes>,
                    restricted_device_groups: OptionalIn<TokenGroups>, handle: Out<Handle>,
                );

                /// Reads the signing level that is remembered for a file.
                planned NtGetCachedSigningLevel = nt_get_cached_signing_level(
                    file: Handle, flags: Out<u32>, signing_level: Out<u8>, thumbprint: OptionalOutBytes,
                    thumbprint_size: OptionalInOut<u32>, thumbprint_algorithm: OptionalOut<u32>,
                );

                /// Lets a thread act as nobody.
                done NtImpersonateAnonymousToken = nt_impersonate_anonymous_token(thread: Handle);

                /// Writes the audit of an object's opening.
                /// Decides as NT does, and writes no audit: there is no audit log.
                done NtOpenObjectAuditAlarm = nt_open_object_audit_alarm(
                    subsystem_name: In<UnicodeString>, handle_id: UserAddress,
                    object_type_name: In<UnicodeString>, object_name: In<UnicodeString>,
                    security_descriptor: OptionalIn<SecurityDescriptor>, client_token: Handle,
                    access: AccessMask, granted_access: AccessMask, privileges: OptionalIn<PrivilegeSet>,
                    object_creation: Boolean, access_granted: Boolean, generate_on_close: Out<Boolean>,
                );

                /// Opens the token of a process.
                done NtOpenProcessToken = nt_open_process_token(
                    process: Handle, access: AccessMask, handle: Out<Handle>,
                );

                /// Opens the token of a process, with handle attributes.
                done NtOpenProcessTokenEx = nt_open_process_token_ex(
                    process: Handle, access: AccessMask, handle_attributes: u32, handle: Out<Handle>,
                );

                /// Opens the token that a thread impersonates.
                done NtOpenThreadToken = nt_open_thread_token(
                    thread: Handle, access: AccessMask, open_as_self: Boolean, handle: Out<Handle>,
                );

                /// Opens the token that a thread impersonates, with handle attributes.
                done NtOpenThreadTokenEx = nt_open_thread_token_ex(
                    thread: Handle, access: AccessMask, open_as_self: Boolean, handle_attributes: u32,
                    handle: Out<Handle>,
                );

                /// Says whether a client holds privileges.
                done NtPrivilegeCheck = nt_privilege_check(
                    client_token: Handle, required_privileges: InOut<PrivilegeSet>, result: Out<Boolean>,
                );

                /// Writes the audit of a privilege's use on an object.
                /// Decides as NT does, and writes no audit: there is no audit log.
                done NtPrivilegeObjectAuditAlarm = nt_privilege_object_audit_alarm(
                    subsystem_name: In<UnicodeString>, handle_id: UserAddress, client_token: Handle,
                    access: AccessMask, privileges: In<PrivilegeSet>, access_granted: Boolean,
                );

                /// Writes the audit of a privilege's use in a service.
                /// Decides as NT does, and writes no audit: there is no audit log.
                done NtPrivilegedServiceAuditAlarm = nt_privileged_service_audit_alarm(
                    subsystem_name: In<UnicodeString>, service_name: In<UnicodeString>, client_token: Handle,
                    privileges: In<PrivilegeSet>, access_granted: Boolean,
                );

                /// Reads a property of a token.
                /// Classes 1 to 13, 15, 17, 18, 20, 21, 23 to 32 and 40; not the others. No token is linked to
                /// another.
                done NtQueryInformationToken = nt_query_information_token(
                    token: Handle, class: TokenInformationClass, information: OptionalOutBytes, length: u32,
                    return_length: Out<u32>,
                );

                /// Reads security attributes of a token.
                /// No token has claims, so there is nothing to tell.
                done NtQuerySecurityAttributesToken = nt_query_security_attributes_token(
                    token: Handle, attributes: OptionalInArray<UnicodeString>, attribute_count: u32,
                    buffer: OutBytes, length: u32, return_length: Out<u32>,
                );

                /// Reads a value of the security policy.
                planned NtQuerySecurityPolicy = nt_query_security_policy(
                    policy: In<UnicodeString>, key_name: In<UnicodeString>, value_name: In<UnicodeString>,
                    value_type: SecureSettingValueType, value: OptionalOutBytes, value_size: InOut<u32>,
                );

                /// Remembers a signing level for a file.
                planned NtSetCachedSigningLevel = nt_set_cached_signing_level(
                    flags: u32, input_signing_level: u8, source_files: InArray<Handle>,
                    source_file_count: u32, target_file: Handle,
                );

                /// Remembers a signing level for a file, with more about it.
                planned NtSetCachedSigningLevel2 = nt_set_cached_signing_level2(
                    flags: u32, input_signing_level: u8, source_files: InArray<Handle>,
                    source_file_count: u32, target_file: Handle,
                    cache_information: OptionalIn<SigningCacheInformation>,
                );

                /// Changes a property of a token.
                /// Classes 4 to 6, 12, 15, 17 and 23 to 27; not the others.
                done NtSetInformationToken = nt_set_information_token(
                    token: Handle, class: TokenInformationClass, information: InBytes, length: u32,
                );
            }
        }
    };
}
