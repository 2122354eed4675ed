//! Rows of the table: services of the executive's own objects and settings.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __ex_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__io_services! {
            $callback $($before)*
            ex {
                /// Takes the right to change the cache of code maps.
                planned NtAcquireCMFViewOwnership = nt_acquire_cmf_view_ownership(
                    time_stamp: Out<u64>, token_taken: Out<Boolean>, replace_existing: Boolean,
                );

                /// Adds a string to the table of global atoms.
                done NtAddAtom = nt_add_atom(
                    atom_name: OptionalInBytes, length: u32, atom: OptionalOut<u16>,
                );

                /// Adds a string to the table of global atoms, with options.
                done NtAddAtomEx = nt_add_atom_ex(
                    atom_name: OptionalInBytes, length: u32, atom: OptionalOut<u16>, flags: u32,
                );

                /// Adds a boot entry to the firmware.
                planned NtAddBootEntry = nt_add_boot_entry(boot_entry: In<BootEntry>, id: OptionalOut<u32>);

                /// Adds a driver entry to the firmware.
                planned NtAddDriverEntry = nt_add_driver_entry(
                    driver_entry: In<DriverEntry>, id: OptionalOut<u32>,
                );

                /// Gives an id that is unique until the next start.
                done NtAllocateLocallyUniqueId = nt_allocate_locally_unique_id(luid: Out<Luid>);

                /// Gives the parts that UUIDs are made from.
                /// The sequence is not kept in the registry.
                done NtAllocateUuids = nt_allocate_uuids(
                    time: Out<u64>, range: Out<u32>, sequence: Out<u32>, seed: Out<UuidSeed>,
                );

                /// Asks or changes the cache of compatibility data.
                planned NtApphelpCacheControl = nt_apphelp_cache_control(
                    service_class: AppHelpServiceClass, service_context: OptionalInOutBytes<Elsewhere>,
                );

                /// Stops a timer.
                done NtCancelTimer = nt_cancel_timer(timer: Handle, current_state: OptionalOut<Boolean>);

                /// Stops a high-resolution timer.
                planned NtCancelTimer2 = nt_cancel_timer2(
                    timer: Handle, parameters: In<TimerCancelParameters>,
                );

                /// Makes an event not signaled.
                done NtClearEvent = nt_clear_event(event: Handle);

                /// Converts between two counters.
                /// Answers as a machine without an auxiliary counter: STATUS_NOT_SUPPORTED.
                done NtConvertBetweenAuxiliaryCounterAndPerformanceCounter =
                    nt_convert_between_auxiliary_counter_and_performance_counter(
                    from_auxiliary: Boolean, counter: In<u64>, converted_value: Out<u64>,
                    conversion_error: OptionalOut<u64>,
                );

                /// Creates an event.
                done NtCreateEvent = nt_create_event(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    event_type: EventType, initial_state: Boolean,
                );

                /// Creates a timer that goes on while the machine idles.
                planned NtCreateIRTimer = nt_create_ir_timer(
                    handle: Out<Handle>, timer_id: In<u32>, access: AccessMask,
                );

                /// Creates a keyed event, on which threads meet at an address.
                done NtCreateKeyedEvent = nt_create_keyed_event(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    flags: u32,
                );

                /// Creates a mutant, which Win32 calls mutex.
                done NtCreateMutant = nt_create_mutant(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    initial_owner: Boolean,
                );

                /// Creates a profile of a range of code.
                planned NtCreateProfile = nt_create_profile(
                    handle: Out<Handle>, process: Handle, profile_base: UserAddress, profile_size: Size,
                    bucket_size: u32, buffer: OutBytes, buffer_size: u32, profile_source: ProfileSource,
                    affinity: Size,
                );

                /// Creates a profile of a range of code, for processors of several groups.
                planned NtCreateProfileEx = nt_create_profile_ex(
                    handle: Out<Handle>, process: Handle, profile_base: UserAddress, profile_size: Size,
                    bucket_size: u32, buffer: OutBytes, buffer_size: u32, profile_source: ProfileSource,
                    group_count: u16, group_affinity: InArray<GroupAffinity, Before>,
                );

                /// Creates a semaphore.
                done NtCreateSemaphore = nt_create_semaphore(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    initial_count: i32, maximum_count: i32,
                );

                /// Creates a timer that is waited for.
                done NtCreateTimer = nt_create_timer(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    timer_type: TimerType,
                );

                /// Creates a high-resolution timer.
                planned NtCreateTimer2 = nt_create_timer2(
                    handle: Out<Handle>, timer_id: OptionalIn<u32>, attributes: OptionalIn<ObjectAttributes>,
                    timer_attributes: u32, access: AccessMask,
                );

                /// Creates a factory, which keeps a pool's threads at the right number.
                planned NtCreateWorkerFactory = nt_create_worker_factory(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    completion_port: Handle, worker_process: Handle, start_routine: UserAddress,
                    start_parameter: UserAddress, maximum_thread_count: u32, stack_reserve: Size,
                    stack_commit: Size,
                );

                /// Takes back one addition of an atom.
                done NtDeleteAtom = nt_delete_atom(atom: u16);

                /// Deletes a boot entry of the firmware.
                planned NtDeleteBootEntry = nt_delete_boot_entry(id: u32);

                /// Deletes a driver entry of the firmware.
                planned NtDeleteDriverEntry = nt_delete_driver_entry(id: u32);

                /// Shows a string on the console.
                /// No privilege is asked for.
                done NtDisplayString = nt_display_string(string: In<UnicodeString>);

                /// Shows a string on the boot screen.
                planned NtDrawText = nt_draw_text(text: In<UnicodeString>);

                /// Lists the boot entries of the firmware.
                planned NtEnumerateBootEntries = nt_enumerate_boot_entries(
                    buffer: OptionalOutBytes, buffer_length: InOut<u32>,
                );

                /// Lists the driver entries of the firmware.
                planned NtEnumerateDriverEntries = nt_enumerate_driver_entries(
                    buffer: OptionalOutBytes, buffer_length: InOut<u32>,
                );

                /// Lists the variables of the firmware.
                planned NtEnumerateSystemEnvironmentValuesEx = nt_enumerate_system_environment_values_ex(
                    class: u32, buffer: OptionalOutBytes, buffer_length: InOut<u32>,
                );

                /// Says whether policy allows a boot option.
                planned NtFilterBootOption = nt_filter_boot_option(
                    filter_operation: FilterBootOptionOperation, object_type: u32, element_type: u32,
                    data: OptionalInBytes, data_size: u32,
                );

                /// Finds a string in the table of global atoms.
                done NtFindAtom = nt_find_atom(
                    atom_name: OptionalInBytes, length: u32, atom: OptionalOut<u16>,
                );

                /// Writes the language of the installation to the disk.
                planned NtFlushInstallUILanguage = nt_flush_install_ui_language(
                    install_ui_language: u16, set_comitted_flag: u32,
                );

                /// Reads the registry's settings of languages.
                planned NtGetMUIRegistryInfo = nt_get_mui_registry_info(
                    flags: u32, data_size: InOut<u32>, data: OptionalOutBytes<Before>,
                );

                /// Maps a table of a code page, of normalization or of sorting.
                planned NtGetNlsSectionPtr = nt_get_nls_section_ptr(
                    section_type: u32, section_data: u32, context_data: OptionalOut<UserAddress>,
                    section_pointer: Out<UserAddress>, section_size: OptionalOut<Size>,
                );

                /// Maps the locale tables and says which locale is the default.
                planned NtInitializeNlsFiles = nt_initialize_nls_files(
                    base: Out<UserAddress>, default_locale_id: Out<u32>, casing_table_size: OptionalOut<i64>,
                );

                /// Says whether the language of the installation is on the disk.
                planned NtIsUILanguageComitted = nt_is_ui_language_comitted();

                /// Applies, lists or removes hot patches.
                planned NtManageHotPatch = nt_manage_hot_patch(
                    class: HotPatchInformationClass, information: OptionalInOutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Maps the cache of code maps.
                planned NtMapCMFModule = nt_map_cmf_module(
                    what: u32, index: u32, cache_index_out: OptionalOut<u32>,
                    cache_flags_out: OptionalOut<u32>, view_size_out: OptionalOut<u32>,
                    base: OptionalOut<UserAddress>,
                );

                /// Changes a boot entry of the firmware.
                planned NtModifyBootEntry = nt_modify_boot_entry(boot_entry: In<BootEntry>);

                /// Changes a driver entry of the firmware.
                planned NtModifyDriverEntry = nt_modify_driver_entry(driver_entry: In<DriverEntry>);

                /// Opens an event by name.
                done NtOpenEvent = nt_open_event(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Opens a keyed event by name.
                done NtOpenKeyedEvent = nt_open_keyed_event(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Opens a mutant by name.
                done NtOpenMutant = nt_open_mutant(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Opens a semaphore by name.
                done NtOpenSemaphore = nt_open_semaphore(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Opens a timer by name.
                done NtOpenTimer = nt_open_timer(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Signals an event for those who wait at this moment, then clears it.
                done NtPulseEvent = nt_pulse_event(event: Handle, previous_state: OptionalOut<i32>);

                /// Says how often the auxiliary counter ticks.
                /// Answers as a machine without an auxiliary counter: STATUS_NOT_SUPPORTED.
                done NtQueryAuxiliaryCounterFrequency = nt_query_auxiliary_counter_frequency(
                    frequency: Out<u64>,
                );

                /// Reads the order of the firmware's boot entries.
                planned NtQueryBootEntryOrder = nt_query_boot_entry_order(
                    ids: OptionalOutArray<u32>, count: InOut<u32>,
                );

                /// Reads the boot options of the firmware.
                planned NtQueryBootOptions = nt_query_boot_options(
                    boot_options: OptionalOutBytes, boot_options_length: InOut<u32>,
                );

                /// Reads the locale of the user or the system.
                /// One locale for all users, not kept in the registry.
                done NtQueryDefaultLocale = nt_query_default_locale(
                    user_profile: Boolean, default_locale_id: Out<u32>,
                );

                /// Reads the language of the user interface.
                /// One language for all users, not kept in the registry.
                done NtQueryDefaultUILanguage = nt_query_default_ui_language(
                    default_ui_language_id: Out<u16>,
                );

                /// Reads the order of the firmware's driver entries.
                planned NtQueryDriverEntryOrder = nt_query_driver_entry_order(
                    ids: OptionalOutArray<u32>, count: InOut<u32>,
                );

                /// Reads type and state of an event.
                done NtQueryEvent = nt_query_event(
                    event: Handle, class: EventInformationClass, information: OutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads a property of an atom, or lists atoms.
                done NtQueryInformationAtom = nt_query_information_atom(
                    atom: u16, class: AtomInformationClass, information: OutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads a property of a worker factory.
                planned NtQueryInformationWorkerFactory = nt_query_information_worker_factory(
                    worker_factory: Handle, class: WorkerFactoryInformationClass, information: OutBytes,
                    length: u32, return_length: OptionalOut<u32>,
                );

                /// Reads the language of the installation.
                done NtQueryInstallUILanguage = nt_query_install_ui_language(
                    install_ui_language_id: Out<u16>,
                );

                /// Reads how often profiles take a sample.
                planned NtQueryIntervalProfile = nt_query_interval_profile(
                    profile_source: ProfileSource, interval: Out<u32>,
                );

                /// Reads a value of the license.
                planned NtQueryLicenseValue = nt_query_license_value(
                    value_name: In<UnicodeString>, kind: OptionalOut<u32>, data: OptionalOutBytes,
                    data_size: u32, result_data_size: Out<u32>,
                );

                /// Reads count and owner of a mutant.
                done NtQueryMutant = nt_query_mutant(
                    mutant: Handle, class: MutantInformationClass, information: OutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads the counter that never stops, and how often it ticks.
                done NtQueryPerformanceCounter = nt_query_performance_counter(
                    performance_counter: Out<i64>, performance_frequency: OptionalOut<i64>,
                );

                /// Reads count and limit of a semaphore.
                done NtQuerySemaphore = nt_query_semaphore(
                    semaphore: Handle, class: SemaphoreInformationClass, information: OutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads a variable of the firmware.
                planned NtQuerySystemEnvironmentValue = nt_query_system_environment_value(
                    variable_name: In<UnicodeString>, variable_value: OutBytes, value_length: u16,
                    return_length: OptionalOut<u16>,
                );

                /// Reads a variable of the firmware that belongs to a vendor.
                planned NtQuerySystemEnvironmentValueEx = nt_query_system_environment_value_ex(
                    variable_name: In<UnicodeString>, vendor_guid: In<Guid>, buffer: OptionalOutBytes,
                    buffer_length: InOut<u32>, attributes: OptionalOut<u32>,
                );

                /// Reads a property of the system.
                /// Classes 0 to 3, 5, 8, 9, 16, 22, 28, 35, 44, 50, 62 to 64, 73, 103, 123, 145 and 149; not the
                /// others. Counts of I/O, of the cache and of switches are 0.
                done NtQuerySystemInformation = nt_query_system_information(
                    class: SystemInformationClass, information: OptionalOutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads a property of the system, with input.
                /// Classes 107, 181 and 230; of the others that take an input none.
                done NtQuerySystemInformationEx = nt_query_system_information_ex(
                    class: SystemInformationClass, input_buffer: InBytes, input_buffer_length: u32,
                    information: OptionalOutBytes, length: u32, return_length: OptionalOut<u32>,
                );

                /// Reads the time of day in 100 ns since 1601.
                done NtQuerySystemTime = nt_query_system_time(system_time: Out<i64>);

                /// Reads state and remaining time of a timer.
                done NtQueryTimer = nt_query_timer(
                    timer: Handle, class: TimerInformationClass, information: OutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads how often the clock can and does interrupt.
                done NtQueryTimerResolution = nt_query_timer_resolution(
                    maximum_time: Out<u32>, minimum_time: Out<u32>, current_time: Out<u32>,
                );

                /// Reports an error that needs the user.
                /// There is no port for errors: each is a line in the log, the answer is ResponseNotHandled, and
                /// OptionShutdownSystem does not stop the machine.
                done NtRaiseHardError = nt_raise_hard_error(
                    error_status: NtStatus, parameter_count: u32, unicode_string_mask: u32,
                    parameters: InArray<Size, Elsewhere>, valid_response_options: u32, response: Out<u32>,
                );

                /// Gives back the right to change the cache of code maps.
                planned NtReleaseCMFViewOwnership = nt_release_cmf_view_ownership();

                /// Wakes the thread that waits at an address, or waits for one to come.
                done NtReleaseKeyedEvent = nt_release_keyed_event(
                    keyed_event: Handle, key_value: UserAddress, alertable: Boolean, timeout: OptionalIn<i64>,
                );

                /// Gives up one acquisition of a mutant.
                done NtReleaseMutant = nt_release_mutant(mutant: Handle, previous_count: OptionalOut<i32>);

                /// Raises the count of a semaphore.
                done NtReleaseSemaphore = nt_release_semaphore(
                    semaphore: Handle, release_count: i32, previous_count: OptionalOut<i32>,
                );

                /// Asks a worker factory for one more thread.
                planned NtReleaseWorkerFactoryWorker = nt_release_worker_factory_worker(
                    worker_factory: Handle,
                );

                /// Makes an event not signaled and says what it was.
                done NtResetEvent = nt_reset_event(event: Handle, previous_state: OptionalOut<i32>);

                /// Changes the order of the firmware's boot entries.
                planned NtSetBootEntryOrder = nt_set_boot_entry_order(ids: InArray<u32>, count: u32);

                /// Changes the boot options of the firmware.
                planned NtSetBootOptions = nt_set_boot_options(
                    boot_options: In<BootOptions>, fields_to_change: u32,
                );

                /// Names the port that hard errors go to.
                planned NtSetDefaultHardErrorPort = nt_set_default_hard_error_port(
                    default_hard_error_port: Handle,
                );

                /// Changes the locale of the user or the system.
                /// One locale for all users, not kept in the registry.
                done NtSetDefaultLocale = nt_set_default_locale(
                    user_profile: Boolean, default_locale_id: u32,
                );

                /// Changes the language of the user interface.
                /// One language for all users, not kept in the registry.
                done NtSetDefaultUILanguage = nt_set_default_ui_language(default_ui_language_id: u16);

                /// Changes the order of the firmware's driver entries.
                planned NtSetDriverEntryOrder = nt_set_driver_entry_order(ids: InArray<u32>, count: u32);

                /// Signals an event.
                done NtSetEvent = nt_set_event(event: Handle, previous_state: OptionalOut<i32>);

                /// Signals an event and hands its waiter a boost.
                /// The waiter does not get the priority of the caller.
                done NtSetEventBoostPriority = nt_set_event_boost_priority(event: Handle);

                /// Wakes a thread that waits by its id, and releases a lock.
                planned NtSetEventEx = nt_set_event_ex(thread_id: Size, lock: OptionalIn<SrwLock>);

                /// Starts a timer that goes on while the machine idles.
                planned NtSetIRTimer = nt_set_ir_timer(timer: Handle, due_time: OptionalIn<i64>);

                /// Changes a property of a worker factory.
                planned NtSetInformationWorkerFactory = nt_set_information_worker_factory(
                    worker_factory: Handle, class: WorkerFactoryInformationClass, information: InBytes,
                    length: u32,
                );

                /// Changes how often profiles take a sample.
                planned NtSetIntervalProfile = nt_set_interval_profile(interval: u32, source: ProfileSource);

                /// Changes a variable of the firmware.
                planned NtSetSystemEnvironmentValue = nt_set_system_environment_value(
                    variable_name: In<UnicodeString>, variable_value: In<UnicodeString>,
                );

                /// Changes a variable of the firmware that belongs to a vendor.
                planned NtSetSystemEnvironmentValueEx = nt_set_system_environment_value_ex(
                    variable_name: In<UnicodeString>, vendor_guid: In<Guid>, buffer: OptionalInBytes,
                    buffer_length: u32, attributes: u32,
                );

                /// Changes a property of the system.
                planned NtSetSystemInformation = nt_set_system_information(
                    class: SystemInformationClass, information: OptionalInBytes, length: u32,
                );

                /// Sets the time of day.
                /// The clock that runs while the machine is off is not set.
                done NtSetSystemTime = nt_set_system_time(
                    system_time: OptionalIn<i64>, previous_time: OptionalOut<i64>,
                );

                /// Starts a timer, once or periodic, with an APC if wanted.
                /// No timer wakes a machine that sleeps (STATUS_TIMER_RESUME_IGNORED); a thread has at most 4,096 timers with routines.
                done NtSetTimer = nt_set_timer(
                    timer: Handle, due_time: In<i64>, timer_apc_routine: UserAddress,
                    timer_context: UserAddress, resume_timer: Boolean, period: i32,
                    previous_state: OptionalOut<Boolean>,
                );

                /// Starts a high-resolution timer.
                planned NtSetTimer2 = nt_set_timer2(
                    timer: Handle, due_time: In<i64>, period: OptionalIn<i64>,
                    parameters: OptionalIn<TimerSetParameters>,
                );

                /// Changes a property of a timer, such as which timers it is merged with.
                /// The wake context is not looked at: no timer wakes a machine that sleeps.
                done NtSetTimerEx = nt_set_timer_ex(
                    timer: Handle, class: TimerSetInformationClass, information: OptionalInOutBytes,
                    length: u32,
                );

                /// Asks the clock to interrupt more often.
                done NtSetTimerResolution = nt_set_timer_resolution(
                    desired_time: u32, set_resolution: Boolean, actual_time: Out<u32>,
                );

                /// Sets the node that UUIDs are made from.
                done NtSetUuidSeed = nt_set_uuid_seed(seed: In<UuidSeed>);

                /// Shuts the system down: halt, restart or power off.
                planned NtShutdownSystem = nt_shutdown_system(action: ShutdownAction);

                /// Ends a worker factory.
                planned NtShutdownWorkerFactory = nt_shutdown_worker_factory(
                    worker_factory: Handle, pending_worker_count: InOut<i32>,
                );

                /// Starts a profile.
                planned NtStartProfile = nt_start_profile(profile: Handle);

                /// Stops a profile.
                planned NtStopProfile = nt_stop_profile(profile: Handle);

                /// Translates a path between the notations of firmware and NT.
                planned NtTranslateFilePath = nt_translate_file_path(
                    input_file_path: In<FilePath>, output_type: u32, output_file_path: OptionalOutBytes,
                    output_file_path_length: OptionalInOut<u32>,
                );

                /// Waits at an address until another thread releases it.
                done NtWaitForKeyedEvent = nt_wait_for_keyed_event(
                    keyed_event: Handle, key_value: UserAddress, alertable: Boolean, timeout: OptionalIn<i64>,
                );

                /// Waits as a worker for packets of the factory's completion port.
                planned NtWaitForWorkViaWorkerFactory = nt_wait_for_work_via_worker_factory(
                    worker_factory: Handle, packet: Out<FileIoCompletionInformation>,
                );

                /// Tells a worker factory that its new thread runs.
                planned NtWorkerFactoryWorkerReady = nt_worker_factory_worker_ready(worker_factory: Handle);
            }
        }
    };
}
