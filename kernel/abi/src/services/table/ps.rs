//! Rows of the table: services of processes, threads and jobs.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __ps_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__se_services! {
            $callback $($before)*
            ps {
                /// Keeps a process active while a handle is open.
                planned NtAcquireProcessActivityReference = nt_acquire_process_activity_reference(
                    handle: Out<Handle>, parent_process: Handle, process_activity_type: u32,
                );

                /// Wakes several threads that wait for it by id.
                /// Extended parameters, which are about boosts, are not looked at; 4,096 threads at most.
                done NtAlertMultipleThreadByThreadId = nt_alert_multiple_thread_by_thread_id(
                    thread_ids: InArray<Size>, count: u32,
                    extended_parameters: OptionalInOutArray<PsAlertThreadExtendedParameter>,
                    parameter_count: u32,
                );

                /// Takes back one suspension of a thread and alerts it.
                done NtAlertResumeThread = nt_alert_resume_thread(
                    thread: Handle, previous_suspend_count: OptionalOut<u32>,
                );

                /// Ends a thread's alertable wait.
                done NtAlertThread = nt_alert_thread(thread: Handle);

                /// Wakes a thread that waits for it by id.
                done NtAlertThreadByThreadId = nt_alert_thread_by_thread_id(thread_id: Size);

                /// Wakes a thread that waits for it by id, and names a lock.
                done NtAlertThreadByThreadIdEx = nt_alert_thread_by_thread_id_ex(
                    thread_id: Size, lock: OptionalIn<SrwLock>,
                );

                /// Keeps memory for a later APC or completion packet.
                planned NtAllocateReserveObject = nt_allocate_reserve_object(
                    handle: Out<Handle>, attributes: In<ObjectAttributes>, kind: MemoryReserveType,
                );

                /// Puts a process into a job.
                done NtAssignProcessToJobObject = nt_assign_process_to_job_object(
                    job: Handle, process: Handle,
                );

                /// Suspends or resumes a process for as long as a handle is open.
                planned NtChangeProcessState = nt_change_process_state(
                    process_state_change: Handle, process: Handle, state_change_type: ProcessStateChangeType,
                    information: OptionalInBytes, length: Size, reserved: u32,
                );

                /// Suspends or resumes a thread for as long as a handle is open.
                planned NtChangeThreadState = nt_change_thread_state(
                    thread_state_change: Handle, thread: Handle, state_change_type: ThreadStateChangeType,
                    information: OptionalInBytes, length: Size, reserved: u32,
                );

                /// Creates a job, which rules several processes together.
                done NtCreateJobObject = nt_create_job_object(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                );

                /// Makes several jobs an ordered set.
                planned NtCreateJobSet = nt_create_job_set(
                    count: u32, jobs: InArray<JobSetArray, Before>, flags: u32,
                );

                /// Creates a process without threads from a section.
                /// From an image section only, not as a copy of the parent; no debug port.
                done NtCreateProcess = nt_create_process(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    parent_process: Handle, inherit_object_table: Boolean, section: Handle,
                    debug_port: Handle, token: Handle,
                );

                /// Creates a process without threads from a section, with flags.
                /// From an image section only, not as a copy of the parent; no debug port.
                done NtCreateProcessEx = nt_create_process_ex(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    parent_process: Handle, flags: u32, section: Handle, debug_port: Handle, token: Handle,
                    reserved: u32,
                );

                /// Creates the handle that suspends a process.
                planned NtCreateProcessStateChange = nt_create_process_state_change(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    process: Handle, reserved: u32,
                );

                /// Creates a thread with given registers and stack.
                planned NtCreateThread = nt_create_thread(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    process: Handle, client_id: Out<ClientId>, thread_context: In<Context>,
                    initial_teb: In<InitialTeb>, create_suspended: Boolean,
                );

                /// Creates a thread that starts at a routine.
                /// Flags but CREATE_SUSPENDED change nothing; attributes CLIENT_ID and TEB_ADDRESS, not the others.
                done NtCreateThreadEx = nt_create_thread_ex(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    process: Handle, start_routine: UserAddress, argument: UserAddress, create_flags: u32,
                    zero_bits: Size, stack_size: Size, maximum_stack_size: Size,
                    attribute_list: OptionalIn<PsAttributeList>,
                );

                /// Creates the handle that suspends a thread.
                planned NtCreateThreadStateChange = nt_create_thread_state_change(
                    handle: Out<Handle>, access: AccessMask, attributes: OptionalIn<ObjectAttributes>,
                    thread: Handle, reserved: u32,
                );

                /// Creates a process with its first thread from an image file.
                /// Programs in \KnownDlls only, 64-bit ones of the machine; attributes JOB_LIST, PARENT_PROCESS,
                /// TOKEN, CLIENT_ID, TEB_ADDRESS, IMAGE_NAME, IMAGE_INFO, HANDLE_LIST, not the others.
                done NtCreateUserProcess = nt_create_user_process(
                    process: Out<Handle>, thread: Out<Handle>, process_access: AccessMask,
                    thread_access: AccessMask, process_attributes: OptionalIn<ObjectAttributes>,
                    thread_attributes: OptionalIn<ObjectAttributes>, process_flags: u32, thread_flags: u32,
                    process_parameters: OptionalIn<UserProcessParameters>, create_info: InOut<PsCreateInfo>,
                    attribute_list: OptionalIn<PsAttributeList>,
                );

                /// Sleeps for a time or until a time of day.
                done NtDelayExecution = nt_delay_execution(alertable: Boolean, delay_interval: In<i64>);

                /// Reads the registers of a thread.
                done NtGetContextThread = nt_get_context_thread(
                    thread: Handle, thread_context: InOut<Context>,
                );

                /// Opens the process after another one.
                /// In the order of their numbers, not of their making.
                done NtGetNextProcess = nt_get_next_process(
                    process: Handle, access: AccessMask, handle_attributes: u32, flags: u32,
                    handle: Out<Handle>,
                );

                /// Opens the thread after another one in a process.
                done NtGetNextThread = nt_get_next_thread(
                    process: Handle, thread: Handle, access: AccessMask, handle_attributes: u32, flags: u32,
                    handle: Out<Handle>,
                );

                /// Lets one thread act as another.
                done NtImpersonateThread = nt_impersonate_thread(
                    server_thread: Handle, client_thread: Handle, security_qos: In<SecurityQualityOfService>,
                );

                /// Says whether a process belongs to a job.
                done NtIsProcessInJob = nt_is_process_in_job(process: Handle, job: Handle);

                /// Opens a job by name.
                done NtOpenJobObject = nt_open_job_object(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                );

                /// Opens a process by its id or name.
                done NtOpenProcess = nt_open_process(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    client_id: OptionalIn<ClientId>,
                );

                /// Opens a thread by its id.
                done NtOpenThread = nt_open_thread(
                    handle: Out<Handle>, access: AccessMask, attributes: In<ObjectAttributes>,
                    client_id: OptionalIn<ClientId>,
                );

                /// Lists many regions of a process at once.
                planned NtPssCaptureVaSpaceBulk = nt_pss_capture_va_space_bulk(
                    process: Handle, base: UserAddress, bulk_information: OutBytes, length: Size,
                    return_length: OptionalOut<Size>,
                );

                /// Reads a property of a job.
                /// Classes 1 to 4, 6, 8, 9, 11 and 15; not the others. Counts of I/O are 0, and no rates are limited.
                done NtQueryInformationJobObject = nt_query_information_job_object(
                    job: Handle, class: JobObjectInformationClass, information: OutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads a property of a process.
                /// Classes 0 to 4, 7, 12, 18, 20 to 22, 24, 26, 29 to 31, 33, 34, 36, 37, 39, 45, 47, 51, 52, 60, 61
                /// and 75; not the others. Counts of I/O are 0, and nothing is debugged.
                done NtQueryInformationProcess = nt_query_information_process(
                    process: Handle, class: ProcessInformationClass, information: OutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Reads a property of a thread.
                /// Classes 0, 1, 9, 11, 12, 14, 16 to 18, 20, 22, 24, 25, 30, 33, 35 and 38; not the others.
                done NtQueryInformationThread = nt_query_information_thread(
                    thread: Handle, class: ThreadInformationClass, information: OutBytes, length: u32,
                    return_length: OptionalOut<u32>,
                );

                /// Says whether the process has an exception port.
                planned NtQueryPortInformationProcess = nt_query_port_information_process();

                /// Queues a user APC to a thread.
                done NtQueueApcThread = nt_queue_apc_thread(
                    thread: Handle, apc_routine: UserAddress, apc_argument1: UserAddress,
                    apc_argument2: UserAddress, apc_argument3: UserAddress,
                );

                /// Queues a user APC to a thread, with memory that was reserved.
                /// No reserve objects.
                done NtQueueApcThreadEx = nt_queue_apc_thread_ex(
                    thread: Handle, reserve: Handle, apc_routine: UserAddress, apc_argument1: UserAddress,
                    apc_argument2: UserAddress, apc_argument3: UserAddress,
                );

                /// Queues a user APC to a thread, with flags.
                /// No reserve objects; of the flags that for special APCs.
                done NtQueueApcThreadEx2 = nt_queue_apc_thread_ex2(
                    thread: Handle, reserve: Handle, apc_flags: u32, apc_routine: UserAddress,
                    apc_argument1: UserAddress, apc_argument2: UserAddress, apc_argument3: UserAddress,
                );

                /// Names a port that is told when the thread ends.
                planned NtRegisterThreadTerminatePort = nt_register_thread_terminate_port(port: Handle);

                /// Takes back one suspension of all threads of a process.
                done NtResumeProcess = nt_resume_process(process: Handle);

                /// Takes back one suspension of a thread.
                done NtResumeThread = nt_resume_thread(
                    thread: Handle, previous_suspend_count: OptionalOut<u32>,
                );

                /// Ends acting in another container.
                planned NtRevertContainerImpersonation = nt_revert_container_impersonation();

                /// Changes the registers of a thread.
                done NtSetContextThread = nt_set_context_thread(
                    thread: Handle, thread_context: In<Context>,
                );

                /// Changes a property of a job.
                /// Classes 2, 4, 6, 7 and 9; not the others. The scheduling class is only kept.
                done NtSetInformationJobObject = nt_set_information_job_object(
                    job: Handle, class: JobObjectInformationClass, information: InBytes, length: u32,
                );

                /// Changes a property of a process.
                /// Classes 1, 5, 9, 12, 18, 21, 22, 24 (to the same session), 25, 29, 31, 33, 34, 39 and 45; not the
                /// others. I/O and page priorities are only kept.
                done NtSetInformationProcess = nt_set_information_process(
                    process: Handle, class: ProcessInformationClass, information: InBytes, length: u32,
                );

                /// Changes a property of a thread.
                /// Classes 2 to 5, 9, 10, 13, 14, 17, 18, 22, 24, 25, 30, 33 and 38; not the others. I/O and page
                /// priorities are only kept.
                done NtSetInformationThread = nt_set_information_thread(
                    thread: Handle, class: ThreadInformationClass, information: InBytes, length: u32,
                );

                /// Suspends all threads of a process once more.
                /// A thread that is made meanwhile may be left out.
                done NtSuspendProcess = nt_suspend_process(process: Handle);

                /// Suspends a thread once more.
                done NtSuspendThread = nt_suspend_thread(
                    thread: Handle, previous_suspend_count: OptionalOut<u32>,
                );

                /// Ends all processes of a job.
                done NtTerminateJobObject = nt_terminate_job_object(job: Handle, exit_status: NtStatus);

                /// Ends a process and its threads.
                done NtTerminateProcess = nt_terminate_process(process: Handle, exit_status: NtStatus);

                /// Ends a thread.
                done NtTerminateThread = nt_terminate_thread(thread: Handle, exit_status: NtStatus);

                /// Runs the user APCs that are queued to the caller.
                done NtTestAlert = nt_test_alert();

                /// Waits until another thread wakes the caller by its id.
                done NtWaitForAlertByThreadId = nt_wait_for_alert_by_thread_id(
                    address: UserAddress, timeout: OptionalIn<i64>,
                );
            }
        }
    };
}
