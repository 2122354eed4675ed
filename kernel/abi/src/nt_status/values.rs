//! The statuses by name: what NT's kernel services and ntdll answer ([MS-ERREF] 2.3.1), in the order of their values.

use super::NtStatus;

statuses! {
    // Successes.
    /// The operation was done.
    SUCCESS = 0x0000_0000;
    /// The second of several objects ended the wait.
    WAIT_1 = 0x0000_0001;
    /// The third of several objects ended the wait.
    WAIT_2 = 0x0000_0002;
    /// The fourth of several objects ended the wait.
    WAIT_3 = 0x0000_0003;
    /// The last of 64 objects ended the wait.
    WAIT_63 = 0x0000_003F;
    /// The wait ended with a mutant whose owner had ended without releasing it.
    ABANDONED_WAIT_0 = 0x0000_0080;
    /// The same, with the last of 64 objects.
    ABANDONED_WAIT_63 = 0x0000_00BF;
    /// A user APC interrupted the wait.
    USER_APC = 0x0000_00C0;
    /// What was asked for had been done before.
    ALREADY_COMPLETE = 0x0000_00FF;
    /// A kernel APC interrupted the wait.
    KERNEL_APC = 0x0000_0100;
    /// The thread was alerted.
    ALERTED = 0x0000_0101;
    /// The time ran out.
    TIMEOUT = 0x0000_0102;
    /// The operation goes on and will report later.
    PENDING = 0x0000_0103;
    /// The name leads elsewhere and has to be looked up again.
    REPARSE = 0x0000_0104;
    /// There are more entries than the buffer took.
    MORE_ENTRIES = 0x0000_0105;
    /// Some of the privileges or groups are not the caller's to change.
    NOT_ALL_ASSIGNED = 0x0000_0106;
    /// Some names or identifiers could not be translated.
    SOME_NOT_MAPPED = 0x0000_0107;
    /// An opportunistic lock is being broken.
    OPLOCK_BREAK_IN_PROGRESS = 0x0000_0108;
    /// A volume was mounted.
    VOLUME_MOUNTED = 0x0000_0109;
    /// A notification ends because its handle was closed.
    NOTIFY_CLEANUP = 0x0000_010B;
    /// More changed than the buffer took: the directory or key has to be read anew.
    NOTIFY_ENUM_DIR = 0x0000_010C;
    /// No quotas are set for the account.
    NO_QUOTAS_FOR_ACCOUNT = 0x0000_010D;
    /// A page fault found its page still in memory.
    PAGE_FAULT_TRANSITION = 0x0000_0110;
    /// A page fault was answered with a page of zeros.
    PAGE_FAULT_DEMAND_ZERO = 0x0000_0111;
    /// A page fault was answered with a copy of the page.
    PAGE_FAULT_COPY_ON_WRITE = 0x0000_0112;
    /// A page fault met a guard page.
    PAGE_FAULT_GUARD_PAGE = 0x0000_0113;
    /// A page fault was answered from the paging file.
    PAGE_FAULT_PAGING_FILE = 0x0000_0114;
    /// The page in the cache is locked.
    CACHE_PAGE_LOCKED = 0x0000_0115;
    /// A crash dump is in the paging file.
    CRASH_DUMP = 0x0000_0116;
    /// The buffer holds nothing but zeros.
    BUFFER_ALL_ZEROS = 0x0000_0117;
    /// The object manager has to look the name up again.
    REPARSE_OBJECT = 0x0000_0118;
    /// A device now needs other resources.
    RESOURCE_REQUIREMENTS_CHANGED = 0x0000_0119;
    /// A translator is done and need not be asked further.
    TRANSLATION_COMPLETE = 0x0000_0120;
    /// No process has to end for this.
    NOTHING_TO_TERMINATE = 0x0000_0122;
    /// The process belongs to no job, or to another.
    PROCESS_NOT_IN_JOB = 0x0000_0123;
    /// The process belongs to the job.
    PROCESS_IN_JOB = 0x0000_0124;
    /// Snapshots are ready for hibernation.
    VOLSNAP_HIBERNATE_READY = 0x0000_0125;
    /// A filter completed the operation itself.
    FSFILTER_OP_COMPLETED_SUCCESSFULLY = 0x0000_0126;
    /// The interrupt vector was connected before.
    INTERRUPT_VECTOR_ALREADY_CONNECTED = 0x0000_0127;
    /// Others still use the interrupt.
    INTERRUPT_STILL_CONNECTED = 0x0000_0128;
    /// The caller is the new process of a clone.
    PROCESS_CLONED = 0x0000_0129;
    /// The file is locked, and all who have it open read.
    FILE_LOCKED_WITH_ONLY_READERS = 0x0000_012A;
    /// The file is locked, and some who have it open write.
    FILE_LOCKED_WITH_WRITERS = 0x0000_012B;
    /// The image's own signature is valid.
    VALID_IMAGE_HASH = 0x0000_012C;
    /// The image's signature in a catalog is valid.
    VALID_CATALOG_HASH = 0x0000_012D;
    /// The image's strong code hash is valid.
    VALID_STRONG_CODE_HASH = 0x0000_012E;
    /// The file is a ghost whose data are elsewhere.
    GHOSTED = 0x0000_012F;
    /// Data were overwritten.
    DATA_OVERWRITTEN = 0x0000_0130;
    /// The resource manager reads only.
    RESOURCEMANAGER_READ_ONLY = 0x0000_0202;
    /// The opportunistic lock now belongs to another handle.
    OPLOCK_SWITCHED_TO_NEW_HANDLE = 0x0000_0215;
    /// The handle with the opportunistic lock was closed.
    OPLOCK_HANDLE_CLOSED = 0x0000_0216;
    /// The operation waits until an opportunistic lock is broken.
    WAIT_FOR_OPLOCK = 0x0000_0367;
    /// The name has to be looked up again in the global directory.
    REPARSE_GLOBAL = 0x0000_0368;
    /// The page fault has to be taken again.
    PAGE_FAULT_RETRY = 0x0000_0369;
    /// The debugger handled the exception.
    DBG_EXCEPTION_HANDLED = 0x0001_0001;
    /// The debugger lets the program continue.
    DBG_CONTINUE = 0x0001_0002;

    // Informations, which are successes.
    /// An object of this name exists and was opened.
    OBJECT_NAME_EXISTS = 0x4000_0000;
    /// The thread was suspended before.
    THREAD_WAS_SUSPENDED = 0x4000_0001;
    /// A working-set limit was brought into its range.
    WORKING_SET_LIMIT_RANGE = 0x4000_0002;
    /// The image is mapped elsewhere than it prefers.
    IMAGE_NOT_AT_BASE = 0x4000_0003;
    /// A 16-bit segment was loaded, moved or freed (for debuggers).
    SEGMENT_NOTIFICATION = 0x4000_0005;
    /// A local session key was used.
    LOCAL_USER_SESSION_KEY = 0x4000_0006;
    /// The current directory cannot be used any more.
    BAD_CURRENT_DIRECTORY = 0x4000_0007;
    /// A serial port's operation was completed by another write.
    SERIAL_MORE_WRITES = 0x4000_0008;
    /// A hive was recovered from its log.
    REGISTRY_RECOVERED = 0x4000_0009;
    /// A read succeeded from a mirrored copy.
    FT_READ_RECOVERY_FROM_BACKUP = 0x4000_000A;
    /// A write succeeded on a mirrored copy.
    FT_WRITE_RECOVERY = 0x4000_000B;
    /// A serial port's operation ended because time ran out.
    SERIAL_COUNTER_TIMEOUT = 0x4000_000C;
    /// The image is for another machine.
    IMAGE_MACHINE_TYPE_MISMATCH = 0x4000_000E;
    /// Part of the data was received.
    RECEIVE_PARTIAL = 0x4000_000F;
    /// Expedited data were received.
    RECEIVE_EXPEDITED = 0x4000_0010;
    /// Part of the expedited data was received.
    RECEIVE_PARTIAL_EXPEDITED = 0x4000_0011;
    /// The event took place.
    EVENT_DONE = 0x4000_0012;
    /// The event is awaited.
    EVENT_PENDING = 0x4000_0013;
    /// A volume is being checked.
    CHECKING_FILE_SYSTEM = 0x4000_0014;
    /// A program ended with an error.
    FATAL_APP_EXIT = 0x4000_0015;
    /// The handle is one of the predefined ones of the registry.
    PREDEFINED_HANDLE = 0x4000_0016;
    /// The page was unlocked.
    WAS_UNLOCKED = 0x4000_0017;
    /// A system service notifies.
    SERVICE_NOTIFICATION = 0x4000_0018;
    /// A page was locked before.
    WAS_LOCKED = 0x4000_0019;
    /// A hard error to be written to the log.
    LOG_HARD_ERROR = 0x4000_001A;
    /// The process is a Win32 process already.
    ALREADY_WIN32 = 0x4000_001B;
    /// x86 emulation: leave the emulator.
    WX86_UNSIMULATE = 0x4000_001C;
    /// x86 emulation: continue.
    WX86_CONTINUE = 0x4000_001D;
    /// x86 emulation: a single step was met.
    WX86_SINGLE_STEP = 0x4000_001E;
    /// x86 emulation: a breakpoint was met.
    WX86_BREAKPOINT = 0x4000_001F;
    /// x86 emulation: continue after an exception.
    WX86_EXCEPTION_CONTINUE = 0x4000_0020;
    /// x86 emulation: nobody handled an exception.
    WX86_EXCEPTION_LASTCHANCE = 0x4000_0021;
    /// x86 emulation: hand an exception on.
    WX86_EXCEPTION_CHAIN = 0x4000_0022;
    /// The program is for another machine.
    IMAGE_MACHINE_TYPE_MISMATCH_EXE = 0x4000_0023;
    /// No other thread was ready to run.
    NO_YIELD_PERFORMED = 0x4000_0024;
    /// The timer was set but cannot wake the machine.
    TIMER_RESUME_IGNORED = 0x4000_0025;
    /// An arbiter left the request to its parent.
    ARBITRATION_UNHANDLED = 0x4000_0026;
    /// The CardBus controller is not supported.
    CARDBUS_NOT_SUPPORTED = 0x4000_0027;
    /// x86 emulation: make the thread's block.
    WX86_CREATEWX86TIB = 0x4000_0028;
    /// The processors are not of the same kind.
    MP_PROCESSOR_MISMATCH = 0x4000_0029;
    /// The machine hibernated.
    HIBERNATED = 0x4000_002A;
    /// The machine resumes from hibernation.
    RESUME_HIBERNATION = 0x4000_002B;
    /// The firmware was updated.
    FIRMWARE_UPDATED = 0x4000_002C;
    /// A driver forgot to unlock pages.
    DRIVERS_LEAKING_LOCKED_PAGES = 0x4000_002D;
    /// The message was retrieved.
    MESSAGE_RETRIEVED = 0x4000_002E;
    /// The machine changes its power state.
    SYSTEM_POWERSTATE_TRANSITION = 0x4000_002F;
    /// The message is in the completion list.
    ALPC_CHECK_COMPLETION_LIST = 0x4000_0030;
    /// The machine changes its power state in several steps.
    SYSTEM_POWERSTATE_COMPLEX_TRANSITION = 0x4000_0031;
    /// Policy asks for an audit of the access.
    ACCESS_AUDIT_BY_POLICY = 0x4000_0032;
    /// The hibernation file is to be given up.
    ABANDON_HIBERFILE = 0x4000_0033;
    /// Business rules are not enabled.
    BIZRULES_NOT_ENABLED = 0x4000_0034;
    /// The data were read from a copy.
    FT_READ_FROM_COPY = 0x4000_0035;
    /// The image is mapped elsewhere than in the other process.
    IMAGE_AT_DIFFERENT_BASE = 0x4000_0036;
    /// The hot patch waits for a better moment.
    PATCH_DEFERRED = 0x4000_0037;
    /// The machine woke up for this.
    WAKE_SYSTEM = 0x4000_0294;
    /// The directory service is shutting down.
    DS_SHUTTING_DOWN = 0x4000_0370;
    /// The debugger replies later.
    DBG_REPLY_LATER = 0x4001_0001;
    /// The debugger cannot give the handle.
    DBG_UNABLE_TO_PROVIDE_HANDLE = 0x4001_0002;
    /// The debugger ended the thread.
    DBG_TERMINATE_THREAD = 0x4001_0003;
    /// The debugger ended the process.
    DBG_TERMINATE_PROCESS = 0x4001_0004;
    /// Control-C was pressed.
    DBG_CONTROL_C = 0x4001_0005;
    /// A program sends its debugger a string.
    DBG_PRINTEXCEPTION_C = 0x4001_0006;
    /// A program tells its debugger of an error.
    DBG_RIPEXCEPTION = 0x4001_0007;
    /// Control-Break was pressed.
    DBG_CONTROL_BREAK = 0x4001_0008;
    /// A program sends its debugger a command.
    DBG_COMMAND_EXCEPTION = 0x4001_0009;
    /// A program sends its debugger a UTF-16 string.
    DBG_PRINTEXCEPTION_WIDE_C = 0x4001_000A;
    /// There is nothing to recover.
    RECOVERY_NOT_NEEDED = 0x4019_0034;
    /// The resource manager runs already.
    RM_ALREADY_STARTED = 0x4019_0035;

    // Warnings.
    /// A guard page was touched, and is none from now on.
    GUARD_PAGE_VIOLATION = 0x8000_0001;
    /// A data address had the wrong alignment.
    DATATYPE_MISALIGNMENT = 0x8000_0002;
    /// A breakpoint was met.
    BREAKPOINT = 0x8000_0003;
    /// A single step or other trace trap was met.
    SINGLE_STEP = 0x8000_0004;
    /// The buffer took only part of the data.
    BUFFER_OVERFLOW = 0x8000_0005;
    /// The listing has no more files.
    NO_MORE_FILES = 0x8000_0006;
    /// The debugger woke the machine.
    WAKE_SYSTEM_DEBUGGER = 0x8000_0007;
    /// Handles were closed by a reset.
    HANDLES_CLOSED = 0x8000_000A;
    /// The access control list has nothing to inherit.
    NO_INHERITANCE = 0x8000_000B;
    /// An identifier was replaced by another.
    GUID_SUBSTITUTION_MADE = 0x8000_000C;
    /// Only part of the memory could be copied.
    PARTIAL_COPY = 0x8000_000D;
    /// The printer has no paper.
    DEVICE_PAPER_EMPTY = 0x8000_000E;
    /// The device is switched off.
    DEVICE_POWERED_OFF = 0x8000_000F;
    /// The device is off line.
    DEVICE_OFF_LINE = 0x8000_0010;
    /// The device is busy.
    DEVICE_BUSY = 0x8000_0011;
    /// The file has no more extended attributes.
    NO_MORE_EAS = 0x8000_0012;
    /// The name of an extended attribute is not valid.
    INVALID_EA_NAME = 0x8000_0013;
    /// The list of extended attributes contradicts itself.
    EA_LIST_INCONSISTENT = 0x8000_0014;
    /// A flag of an extended attribute is not valid.
    INVALID_EA_FLAG = 0x8000_0015;
    /// The medium may have been changed and has to be verified.
    VERIFY_REQUIRED = 0x8000_0016;
    /// There was more than was asked for.
    EXTRANEOUS_INFORMATION = 0x8000_0017;
    /// A transaction of the security database has to be committed.
    RXACT_COMMIT_NECESSARY = 0x8000_0018;
    /// The enumeration has no more entries.
    NO_MORE_ENTRIES = 0x8000_001A;
    /// A tape mark for files was met.
    FILEMARK_DETECTED = 0x8000_001B;
    /// The medium was changed.
    MEDIA_CHANGED = 0x8000_001C;
    /// The bus was reset.
    BUS_RESET = 0x8000_001D;
    /// The medium ended.
    END_OF_MEDIA = 0x8000_001E;
    /// The medium's beginning was met.
    BEGINNING_OF_MEDIA = 0x8000_001F;
    /// The medium has to be checked.
    MEDIA_CHECK = 0x8000_0020;
    /// A tape mark for sets was met.
    SETMARK_DETECTED = 0x8000_0021;
    /// The tape has no data.
    NO_DATA_DETECTED = 0x8000_0022;
    /// The redirector cannot stop, as files are open.
    REDIRECTOR_HAS_OPEN_HANDLES = 0x8000_0023;
    /// The server cannot stop, as files are open.
    SERVER_HAS_OPEN_HANDLES = 0x8000_0024;
    /// The connection was ended before.
    ALREADY_DISCONNECTED = 0x8000_0025;
    /// The stack is unwound for a long jump.
    LONGJUMP = 0x8000_0026;
    /// A cleaning cartridge is in the drive.
    CLEANER_CARTRIDGE_INSTALLED = 0x8000_0027;
    /// Somebody objects to the device going away.
    PLUGPLAY_QUERY_VETOED = 0x8000_0028;
    /// The stack is unwound and frames are put together.
    UNWIND_CONSOLIDATE = 0x8000_0029;
    /// A damaged hive was recovered, perhaps with losses.
    REGISTRY_HIVE_RECOVERED = 0x8000_002A;
    /// The library might not be safe.
    DLL_MIGHT_BE_INSECURE = 0x8000_002B;
    /// The library might not fit.
    DLL_MIGHT_BE_INCOMPATIBLE = 0x8000_002C;
    /// The way to the file leads through a symbolic link.
    STOPPED_ON_SYMLINK = 0x8000_002D;
    /// The opportunistic lock of this kind cannot be granted.
    CANNOT_GRANT_REQUESTED_OPLOCK = 0x8000_002E;
    /// The access control entry has no condition.
    NO_ACE_CONDITION = 0x8000_002F;
    /// The device is being serviced.
    DEVICE_SUPPORT_IN_PROGRESS = 0x8000_0030;
    /// The device has to be switched off and on.
    DEVICE_POWER_CYCLE_REQUIRED = 0x8000_0031;
    /// There was nothing to do.
    NO_WORK_DONE = 0x8000_0032;
    /// The device has to be cleaned.
    DEVICE_REQUIRES_CLEANING = 0x8000_0288;
    /// The device's door is open.
    DEVICE_DOOR_OPEN = 0x8000_0289;
    /// Data were lost and the volume has to be repaired.
    DATA_LOST_REPAIR = 0x8000_0803;
    /// The debugger did not handle the exception.
    DBG_EXCEPTION_NOT_HANDLED = 0x8001_0001;

    // Errors.
    /// The operation failed for no more specific reason.
    UNSUCCESSFUL = 0xC000_0001;
    /// There is no such service, or it is not done.
    NOT_IMPLEMENTED = 0xC000_0002;
    /// There is no such class of information, or not for this operation.
    INVALID_INFO_CLASS = 0xC000_0003;
    /// The length does not fit the class of information.
    INFO_LENGTH_MISMATCH = 0xC000_0004;
    /// An instruction touched memory that it may not touch.
    ACCESS_VIOLATION = 0xC000_0005;
    /// A page could not be read from its file.
    IN_PAGE_ERROR = 0xC000_0006;
    /// The process has used up its share of the paging file.
    PAGEFILE_QUOTA = 0xC000_0007;
    /// The handle means nothing.
    INVALID_HANDLE = 0xC000_0008;
    /// A new thread's stack is not valid.
    BAD_INITIAL_STACK = 0xC000_0009;
    /// A new thread's first instruction is not valid.
    BAD_INITIAL_PC = 0xC000_000A;
    /// There is no process or thread with this id.
    INVALID_CID = 0xC000_000B;
    /// The timer belongs to another thread, which set it with an APC.
    TIMER_NOT_CANCELED = 0xC000_000C;
    /// An argument is wrong.
    INVALID_PARAMETER = 0xC000_000D;
    /// There is no such device.
    NO_SUCH_DEVICE = 0xC000_000E;
    /// There is no such file.
    NO_SUCH_FILE = 0xC000_000F;
    /// The device does not do this.
    INVALID_DEVICE_REQUEST = 0xC000_0010;
    /// The file ends before.
    END_OF_FILE = 0xC000_0011;
    /// Another volume is in the drive.
    WRONG_VOLUME = 0xC000_0012;
    /// No medium is in the drive.
    NO_MEDIA_IN_DEVICE = 0xC000_0013;
    /// The medium has no format that is known.
    UNRECOGNIZED_MEDIA = 0xC000_0014;
    /// The medium has no such sector.
    NONEXISTENT_SECTOR = 0xC000_0015;
    /// The completion of the request is taken over by somebody.
    MORE_PROCESSING_REQUIRED = 0xC000_0016;
    /// The quota or commit limit does not allow it.
    NO_MEMORY = 0xC000_0017;
    /// What was asked for is in use already.
    CONFLICTING_ADDRESSES = 0xC000_0018;
    /// The address is in no view of a section.
    NOT_MAPPED_VIEW = 0xC000_0019;
    /// The memory cannot be freed.
    UNABLE_TO_FREE_VM = 0xC000_001A;
    /// The section cannot be deleted.
    UNABLE_TO_DELETE_SECTION = 0xC000_001B;
    /// The system call number names no service.
    INVALID_SYSTEM_SERVICE = 0xC000_001C;
    /// The instruction does not exist.
    ILLEGAL_INSTRUCTION = 0xC000_001D;
    /// Locks were taken in the wrong order.
    INVALID_LOCK_SEQUENCE = 0xC000_001E;
    /// The view would be larger than its section.
    INVALID_VIEW_SIZE = 0xC000_001F;
    /// The file cannot be mapped.
    INVALID_FILE_FOR_SECTION = 0xC000_0020;
    /// The memory is committed already.
    ALREADY_COMMITTED = 0xC000_0021;
    /// The caller does not have the right.
    ACCESS_DENIED = 0xC000_0022;
    /// The buffer is too small, and nothing was written.
    BUFFER_TOO_SMALL = 0xC000_0023;
    /// The object is of another type.
    OBJECT_TYPE_MISMATCH = 0xC000_0024;
    /// Execution cannot continue after this exception.
    NONCONTINUABLE_EXCEPTION = 0xC000_0025;
    /// An exception handler answered something that does not exist.
    INVALID_DISPOSITION = 0xC000_0026;
    /// The stack is being unwound.
    UNWIND = 0xC000_0027;
    /// The stack was found not valid while it was unwound.
    BAD_STACK = 0xC000_0028;
    /// The frame to unwind to does not exist.
    INVALID_UNWIND_TARGET = 0xC000_0029;
    /// The memory is not locked.
    NOT_LOCKED = 0xC000_002A;
    /// Memory or a bus reports wrong parity.
    PARITY_ERROR = 0xC000_002B;
    /// The memory cannot be decommitted.
    UNABLE_TO_DECOMMIT_VM = 0xC000_002C;
    /// The memory is not committed.
    NOT_COMMITTED = 0xC000_002D;
    /// The attributes of the port are wrong.
    INVALID_PORT_ATTRIBUTES = 0xC000_002E;
    /// The message is longer than the port takes.
    PORT_MESSAGE_TOO_LONG = 0xC000_002F;
    /// Arguments contradict each other.
    INVALID_PARAMETER_MIX = 0xC000_0030;
    /// A quota cannot be lowered below what is in use.
    INVALID_QUOTA_LOWER = 0xC000_0031;
    /// The file system on the disk is damaged.
    DISK_CORRUPT_ERROR = 0xC000_0032;
    /// The name is not well formed.
    OBJECT_NAME_INVALID = 0xC000_0033;
    /// There is nothing of this name.
    OBJECT_NAME_NOT_FOUND = 0xC000_0034;
    /// The name is taken.
    OBJECT_NAME_COLLISION = 0xC000_0035;
    /// The port wants no messages.
    PORT_DO_NOT_DISTURB = 0xC000_0036;
    /// The other side of the port is gone.
    PORT_DISCONNECTED = 0xC000_0037;
    /// The device is attached already.
    DEVICE_ALREADY_ATTACHED = 0xC000_0038;
    /// A part of the path is not what it would have to be.
    OBJECT_PATH_INVALID = 0xC000_0039;
    /// A directory of the path does not exist.
    OBJECT_PATH_NOT_FOUND = 0xC000_003A;
    /// The path does not begin as a path has to.
    OBJECT_PATH_SYNTAX_BAD = 0xC000_003B;
    /// Data came faster than they were taken.
    DATA_OVERRUN = 0xC000_003C;
    /// Data came too late.
    DATA_LATE_ERROR = 0xC000_003D;
    /// Data could not be read or written without error.
    DATA_ERROR = 0xC000_003E;
    /// The check sum of data is wrong.
    CRC_ERROR = 0xC000_003F;
    /// The section is larger than can be backed.
    SECTION_TOO_BIG = 0xC000_0040;
    /// The server refused the connection.
    PORT_CONNECTION_REFUSED = 0xC000_0041;
    /// The port is not of the kind that is needed.
    INVALID_PORT_HANDLE = 0xC000_0042;
    /// The file is open in a way that forbids this.
    SHARING_VIOLATION = 0xC000_0043;
    /// A quota is used up.
    QUOTA_EXCEEDED = 0xC000_0044;
    /// The protection does not exist or does not fit.
    INVALID_PAGE_PROTECTION = 0xC000_0045;
    /// The caller does not own the mutant.
    MUTANT_NOT_OWNED = 0xC000_0046;
    /// The count would exceed the semaphore's limit.
    SEMAPHORE_LIMIT_EXCEEDED = 0xC000_0047;
    /// The port was set before.
    PORT_ALREADY_SET = 0xC000_0048;
    /// The section is not made from an image.
    SECTION_NOT_IMAGE = 0xC000_0049;
    /// The thread cannot be suspended more often.
    SUSPEND_COUNT_EXCEEDED = 0xC000_004A;
    /// The thread is ending.
    THREAD_IS_TERMINATING = 0xC000_004B;
    /// The limits of the working set are not possible.
    BAD_WORKING_SET_LIMIT = 0xC000_004C;
    /// The file is mapped in another way.
    INCOMPATIBLE_FILE_MAP = 0xC000_004D;
    /// The section does not allow this protection.
    SECTION_PROTECTION = 0xC000_004E;
    /// The file system has no extended attributes.
    EAS_NOT_SUPPORTED = 0xC000_004F;
    /// The extended attributes are too large.
    EA_TOO_LARGE = 0xC000_0050;
    /// There is no such extended attribute.
    NONEXISTENT_EA_ENTRY = 0xC000_0051;
    /// The file has no extended attributes.
    NO_EAS_ON_FILE = 0xC000_0052;
    /// The extended attributes are damaged.
    EA_CORRUPT_ERROR = 0xC000_0053;
    /// The range of the file is locked by somebody else.
    FILE_LOCK_CONFLICT = 0xC000_0054;
    /// The lock could not be had at once.
    LOCK_NOT_GRANTED = 0xC000_0055;
    /// The file is about to be deleted.
    DELETE_PENDING = 0xC000_0056;
    /// Control files are not supported.
    CTL_FILE_NOT_SUPPORTED = 0xC000_0057;
    /// The revision is not known.
    UNKNOWN_REVISION = 0xC000_0058;
    /// Two revisions do not fit each other.
    REVISION_MISMATCH = 0xC000_0059;
    /// The identifier may not be an owner.
    INVALID_OWNER = 0xC000_005A;
    /// The identifier may not be a primary group.
    INVALID_PRIMARY_GROUP = 0xC000_005B;
    /// The thread impersonates nobody.
    NO_IMPERSONATION_TOKEN = 0xC000_005C;
    /// A mandatory group cannot be disabled.
    CANT_DISABLE_MANDATORY = 0xC000_005D;
    /// No server for logging on answers.
    NO_LOGON_SERVERS = 0xC000_005E;
    /// There is no such logon session.
    NO_SUCH_LOGON_SESSION = 0xC000_005F;
    /// There is no such privilege.
    NO_SUCH_PRIVILEGE = 0xC000_0060;
    /// The caller does not hold the privilege.
    PRIVILEGE_NOT_HELD = 0xC000_0061;
    /// The name of the account is not well formed.
    INVALID_ACCOUNT_NAME = 0xC000_0062;
    /// The user exists.
    USER_EXISTS = 0xC000_0063;
    /// There is no such user.
    NO_SUCH_USER = 0xC000_0064;
    /// The group exists.
    GROUP_EXISTS = 0xC000_0065;
    /// There is no such group.
    NO_SUCH_GROUP = 0xC000_0066;
    /// The account is a member of the group already.
    MEMBER_IN_GROUP = 0xC000_0067;
    /// The account is no member of the group.
    MEMBER_NOT_IN_GROUP = 0xC000_0068;
    /// The last administrator cannot go.
    LAST_ADMIN = 0xC000_0069;
    /// The password is wrong.
    WRONG_PASSWORD = 0xC000_006A;
    /// The password is not well formed.
    ILL_FORMED_PASSWORD = 0xC000_006B;
    /// Policy does not allow the password.
    PASSWORD_RESTRICTION = 0xC000_006C;
    /// Name or password is wrong.
    LOGON_FAILURE = 0xC000_006D;
    /// A restriction of the account forbids it.
    ACCOUNT_RESTRICTION = 0xC000_006E;
    /// The account may not log on at this hour.
    INVALID_LOGON_HOURS = 0xC000_006F;
    /// The account may not log on at this machine.
    INVALID_WORKSTATION = 0xC000_0070;
    /// The password has expired.
    PASSWORD_EXPIRED = 0xC000_0071;
    /// The account is disabled.
    ACCOUNT_DISABLED = 0xC000_0072;
    /// No name or identifier could be translated.
    NONE_MAPPED = 0xC000_0073;
    /// Too many locally unique ids were asked for at once.
    TOO_MANY_LUIDS_REQUESTED = 0xC000_0074;
    /// No locally unique ids are left.
    LUIDS_EXHAUSTED = 0xC000_0075;
    /// A part of the security identifier is not valid.
    INVALID_SUB_AUTHORITY = 0xC000_0076;
    /// The access control list is not well formed.
    INVALID_ACL = 0xC000_0077;
    /// The security identifier is not well formed.
    INVALID_SID = 0xC000_0078;
    /// The security descriptor is not well formed.
    INVALID_SECURITY_DESCR = 0xC000_0079;
    /// The library has no such procedure.
    PROCEDURE_NOT_FOUND = 0xC000_007A;
    /// The file is no image that can be loaded.
    INVALID_IMAGE_FORMAT = 0xC000_007B;
    /// There is no token.
    NO_TOKEN = 0xC000_007C;
    /// The list for inheritance cannot be built.
    BAD_INHERITANCE_ACL = 0xC000_007D;
    /// The range of the file is not locked.
    RANGE_NOT_LOCKED = 0xC000_007E;
    /// The volume has no space left.
    DISK_FULL = 0xC000_007F;
    /// The server is disabled.
    SERVER_DISABLED = 0xC000_0080;
    /// The server is not disabled.
    SERVER_NOT_DISABLED = 0xC000_0081;
    /// Too many globally unique ids were asked for at once.
    TOO_MANY_GUIDS_REQUESTED = 0xC000_0082;
    /// No globally unique ids are left.
    GUIDS_EXHAUSTED = 0xC000_0083;
    /// The authority of the security identifier is not valid.
    INVALID_ID_AUTHORITY = 0xC000_0084;
    /// No agents are left.
    AGENTS_EXHAUSTED = 0xC000_0085;
    /// The label of the volume is not valid.
    INVALID_VOLUME_LABEL = 0xC000_0086;
    /// The section cannot be extended.
    SECTION_NOT_EXTENDED = 0xC000_0087;
    /// The section is not mapped as data.
    NOT_MAPPED_DATA = 0xC000_0088;
    /// The image has no resources.
    RESOURCE_DATA_NOT_FOUND = 0xC000_0089;
    /// The image has no resource of this type.
    RESOURCE_TYPE_NOT_FOUND = 0xC000_008A;
    /// The image has no resource of this name.
    RESOURCE_NAME_NOT_FOUND = 0xC000_008B;
    /// An array index was out of bounds (x86 BOUND).
    ARRAY_BOUNDS_EXCEEDED = 0xC000_008C;
    /// A floating-point operand is denormal.
    FLOAT_DENORMAL_OPERAND = 0xC000_008D;
    /// Floating-point division by zero.
    FLOAT_DIVIDE_BY_ZERO = 0xC000_008E;
    /// A floating-point result is not exact.
    FLOAT_INEXACT_RESULT = 0xC000_008F;
    /// A floating-point operation could not be represented.
    FLOAT_INVALID_OPERATION = 0xC000_0090;
    /// A floating-point result is too large.
    FLOAT_OVERFLOW = 0xC000_0091;
    /// The floating-point stack overflowed or underflowed.
    FLOAT_STACK_CHECK = 0xC000_0092;
    /// A floating-point result is too small.
    FLOAT_UNDERFLOW = 0xC000_0093;
    /// Division by zero.
    INTEGER_DIVIDE_BY_ZERO = 0xC000_0094;
    /// The result does not fit.
    INTEGER_OVERFLOW = 0xC000_0095;
    /// The instruction is not for this mode.
    PRIVILEGED_INSTRUCTION = 0xC000_0096;
    /// There are as many paging files as there may be.
    TOO_MANY_PAGING_FILES = 0xC000_0097;
    /// The file changed from outside so that it is not valid any more.
    FILE_INVALID = 0xC000_0098;
    /// The space that was set aside is used up.
    ALLOTTED_SPACE_EXCEEDED = 0xC000_0099;
    /// Memory or another resource of the system ran out.
    INSUFFICIENT_RESOURCES = 0xC000_009A;
    /// The path leaves the distributed file system.
    DFS_EXIT_PATH_FOUND = 0xC000_009B;
    /// The device reports that data are damaged.
    DEVICE_DATA_ERROR = 0xC000_009C;
    /// The device is not connected.
    DEVICE_NOT_CONNECTED = 0xC000_009D;
    /// The device lost its power.
    DEVICE_POWER_FAILURE = 0xC000_009E;
    /// Memory is released from its beginning only.
    FREE_VM_NOT_AT_BASE = 0xC000_009F;
    /// The memory is not allocated.
    MEMORY_NOT_ALLOCATED = 0xC000_00A0;
    /// The working set cannot grow further.
    WORKING_SET_QUOTA = 0xC000_00A1;
    /// The medium is protected from writing.
    MEDIA_WRITE_PROTECTED = 0xC000_00A2;
    /// The device is not ready.
    DEVICE_NOT_READY = 0xC000_00A3;
    /// The attributes of a group contradict each other.
    INVALID_GROUP_ATTRIBUTES = 0xC000_00A4;
    /// The impersonation level does not exist or is too low.
    BAD_IMPERSONATION_LEVEL = 0xC000_00A5;
    /// The token of an anonymous client cannot be opened.
    CANT_OPEN_ANONYMOUS = 0xC000_00A6;
    /// There is no such class of validation.
    BAD_VALIDATION_CLASS = 0xC000_00A7;
    /// The token is of the wrong type.
    BAD_TOKEN_TYPE = 0xC000_00A8;
    /// The disk's boot record is not valid.
    BAD_MASTER_BOOT_RECORD = 0xC000_00A9;
    /// An instruction's address had the wrong alignment.
    INSTRUCTION_MISALIGNMENT = 0xC000_00AA;
    /// All instances of the pipe are in use.
    INSTANCE_NOT_AVAILABLE = 0xC000_00AB;
    /// No instance of the pipe is free.
    PIPE_NOT_AVAILABLE = 0xC000_00AC;
    /// The pipe is in the wrong state for this.
    INVALID_PIPE_STATE = 0xC000_00AD;
    /// The pipe is busy.
    PIPE_BUSY = 0xC000_00AE;
    /// The operation is not for this kind of pipe.
    ILLEGAL_FUNCTION = 0xC000_00AF;
    /// The server disconnected the pipe.
    PIPE_DISCONNECTED = 0xC000_00B0;
    /// The other side of the pipe is closing.
    PIPE_CLOSING = 0xC000_00B1;
    /// The pipe is connected.
    PIPE_CONNECTED = 0xC000_00B2;
    /// The pipe waits for a client.
    PIPE_LISTENING = 0xC000_00B3;
    /// The pipe cannot be read in this mode.
    INVALID_READ_MODE = 0xC000_00B4;
    /// The device did not answer in time.
    IO_TIMEOUT = 0xC000_00B5;
    /// Somebody else closed the file by force.
    FILE_FORCED_CLOSED = 0xC000_00B6;
    /// The profile has not been started.
    PROFILING_NOT_STARTED = 0xC000_00B7;
    /// The profile has not been stopped.
    PROFILING_NOT_STOPPED = 0xC000_00B8;
    /// The access control list holds something unknown.
    COULD_NOT_INTERPRET = 0xC000_00B9;
    /// The file is a directory.
    FILE_IS_A_DIRECTORY = 0xC000_00BA;
    /// What the firmware or the machine offers is not supported.
    NOT_SUPPORTED = 0xC000_00BB;
    /// The other machine is not listening.
    REMOTE_NOT_LISTENING = 0xC000_00BC;
    /// The name exists twice.
    DUPLICATE_NAME = 0xC000_00BD;
    /// The network path does not exist.
    BAD_NETWORK_PATH = 0xC000_00BE;
    /// The network is busy.
    NETWORK_BUSY = 0xC000_00BF;
    /// The device does not exist any more.
    DEVICE_DOES_NOT_EXIST = 0xC000_00C0;
    /// The network takes no more commands.
    TOO_MANY_COMMANDS = 0xC000_00C1;
    /// The network adapter failed.
    ADAPTER_HARDWARE_ERROR = 0xC000_00C2;
    /// The answer from the network is not valid.
    INVALID_NETWORK_RESPONSE = 0xC000_00C3;
    /// The network failed in an unknown way.
    UNEXPECTED_NETWORK_ERROR = 0xC000_00C4;
    /// The other machine's adapter does not fit.
    BAD_REMOTE_ADAPTER = 0xC000_00C5;
    /// The print queue is full.
    PRINT_QUEUE_FULL = 0xC000_00C6;
    /// There is no space for printing.
    NO_SPOOL_SPACE = 0xC000_00C7;
    /// Printing was cancelled.
    PRINT_CANCELLED = 0xC000_00C8;
    /// The network name was deleted.
    NETWORK_NAME_DELETED = 0xC000_00C9;
    /// The network denies access.
    NETWORK_ACCESS_DENIED = 0xC000_00CA;
    /// The device is of the wrong kind.
    BAD_DEVICE_TYPE = 0xC000_00CB;
    /// The share does not exist.
    BAD_NETWORK_NAME = 0xC000_00CC;
    /// There are too many network names.
    TOO_MANY_NAMES = 0xC000_00CD;
    /// There are too many sessions.
    TOO_MANY_SESSIONS = 0xC000_00CE;
    /// Sharing is paused.
    SHARING_PAUSED = 0xC000_00CF;
    /// The server takes no more connections.
    REQUEST_NOT_ACCEPTED = 0xC000_00D0;
    /// The redirector is paused.
    REDIRECTOR_PAUSED = 0xC000_00D1;
    /// Writing over the network failed.
    NET_WRITE_FAULT = 0xC000_00D2;
    /// No more profiles can run.
    PROFILING_AT_LIMIT = 0xC000_00D3;
    /// The new name is on another volume.
    NOT_SAME_DEVICE = 0xC000_00D4;
    /// The file was renamed.
    FILE_RENAMED = 0xC000_00D5;
    /// The session with the server ended.
    VIRTUAL_CIRCUIT_CLOSED = 0xC000_00D6;
    /// The object has no security.
    NO_SECURITY_ON_OBJECT = 0xC000_00D7;
    /// The operation cannot be done without waiting.
    CANT_WAIT = 0xC000_00D8;
    /// The pipe has no data.
    PIPE_EMPTY = 0xC000_00D9;
    /// The domain cannot be asked.
    CANT_ACCESS_DOMAIN_INFO = 0xC000_00DA;
    /// The last thread cannot end itself in this way.
    CANT_TERMINATE_SELF = 0xC000_00DB;
    /// The server is in the wrong state for this.
    INVALID_SERVER_STATE = 0xC000_00DC;
    /// The domain is in the wrong state for this.
    INVALID_DOMAIN_STATE = 0xC000_00DD;
    /// The domain controller has the wrong role for this.
    INVALID_DOMAIN_ROLE = 0xC000_00DE;
    /// There is no such domain.
    NO_SUCH_DOMAIN = 0xC000_00DF;
    /// The domain exists.
    DOMAIN_EXISTS = 0xC000_00E0;
    /// There are as many domains as there may be.
    DOMAIN_LIMIT_EXCEEDED = 0xC000_00E1;
    /// The opportunistic lock was not granted.
    OPLOCK_NOT_GRANTED = 0xC000_00E2;
    /// An opportunistic lock was acknowledged in the wrong way.
    INVALID_OPLOCK_PROTOCOL = 0xC000_00E3;
    /// The security database is damaged.
    INTERNAL_DB_CORRUPTION = 0xC000_00E4;
    /// Something failed inside.
    INTERNAL_ERROR = 0xC000_00E5;
    /// An access mask holds generic rights that should have been mapped.
    GENERIC_NOT_MAPPED = 0xC000_00E6;
    /// The security descriptor is in the wrong form.
    BAD_DESCRIPTOR_FORMAT = 0xC000_00E7;
    /// A buffer in user memory cannot be accessed.
    INVALID_USER_BUFFER = 0xC000_00E8;
    /// I/O failed in an unknown way.
    UNEXPECTED_IO_ERROR = 0xC000_00E9;
    /// A section could not be created for an unknown reason.
    UNEXPECTED_MM_CREATE_ERR = 0xC000_00EA;
    /// A section could not be mapped for an unknown reason.
    UNEXPECTED_MM_MAP_ERROR = 0xC000_00EB;
    /// A section could not be extended for an unknown reason.
    UNEXPECTED_MM_EXTEND_ERR = 0xC000_00EC;
    /// Only a logon process may do this.
    NOT_LOGON_PROCESS = 0xC000_00ED;
    /// The logon session exists.
    LOGON_SESSION_EXISTS = 0xC000_00EE;
    /// The first argument is wrong.
    INVALID_PARAMETER_1 = 0xC000_00EF;
    /// The second argument is wrong.
    INVALID_PARAMETER_2 = 0xC000_00F0;
    /// The third argument is wrong.
    INVALID_PARAMETER_3 = 0xC000_00F1;
    /// The fourth argument is wrong.
    INVALID_PARAMETER_4 = 0xC000_00F2;
    /// The fifth argument is wrong.
    INVALID_PARAMETER_5 = 0xC000_00F3;
    /// The sixth argument is wrong.
    INVALID_PARAMETER_6 = 0xC000_00F4;
    /// The seventh argument is wrong.
    INVALID_PARAMETER_7 = 0xC000_00F5;
    /// The eighth argument is wrong.
    INVALID_PARAMETER_8 = 0xC000_00F6;
    /// The ninth argument is wrong.
    INVALID_PARAMETER_9 = 0xC000_00F7;
    /// The tenth argument is wrong.
    INVALID_PARAMETER_10 = 0xC000_00F8;
    /// The eleventh argument is wrong.
    INVALID_PARAMETER_11 = 0xC000_00F9;
    /// The twelfth argument is wrong.
    INVALID_PARAMETER_12 = 0xC000_00FA;
    /// The redirector is not running.
    REDIRECTOR_NOT_STARTED = 0xC000_00FB;
    /// The redirector is running already.
    REDIRECTOR_STARTED = 0xC000_00FC;
    /// The stack ran out.
    STACK_OVERFLOW = 0xC000_00FD;
    /// There is no such authentication package.
    NO_SUCH_PACKAGE = 0xC000_00FE;
    /// The table of functions for unwinding is damaged.
    BAD_FUNCTION_TABLE = 0xC000_00FF;
    /// There is no such environment variable.
    VARIABLE_NOT_FOUND = 0xC000_0100;
    /// The directory is not empty.
    DIRECTORY_NOT_EMPTY = 0xC000_0101;
    /// The file or directory is damaged.
    FILE_CORRUPT_ERROR = 0xC000_0102;
    /// The file is no directory.
    NOT_A_DIRECTORY = 0xC000_0103;
    /// The logon session is in the wrong state for this.
    BAD_LOGON_SESSION_STATE = 0xC000_0104;
    /// The id of the logon session is taken.
    LOGON_SESSION_COLLISION = 0xC000_0105;
    /// The name is too long.
    NAME_TOO_LONG = 0xC000_0106;
    /// Files are open on the connection.
    FILES_OPEN = 0xC000_0107;
    /// The connection is in use.
    CONNECTION_IN_USE = 0xC000_0108;
    /// The image has no such message.
    MESSAGE_NOT_FOUND = 0xC000_0109;
    /// The process is ending.
    PROCESS_IS_TERMINATING = 0xC000_010A;
    /// There is no such type of logon.
    INVALID_LOGON_TYPE = 0xC000_010B;
    /// The identifier has no translation.
    NO_GUID_TRANSLATION = 0xC000_010C;
    /// Impersonation is not possible with data that were not read.
    CANNOT_IMPERSONATE = 0xC000_010D;
    /// The image is loaded already.
    IMAGE_ALREADY_LOADED = 0xC000_010E;
    /// The process has no local descriptor table.
    NO_LDT = 0xC000_0117;
    /// The local descriptor table cannot have this size.
    INVALID_LDT_SIZE = 0xC000_0118;
    /// The local descriptor table has no such place.
    INVALID_LDT_OFFSET = 0xC000_0119;
    /// The descriptor is not valid for user mode.
    INVALID_LDT_DESCRIPTOR = 0xC000_011A;
    /// The image is for 16-bit Windows.
    INVALID_IMAGE_NE_FORMAT = 0xC000_011B;
    /// The transaction of the security database is in the wrong state.
    RXACT_INVALID_STATE = 0xC000_011C;
    /// The transaction of the security database could not be committed.
    RXACT_COMMIT_FAILURE = 0xC000_011D;
    /// An empty file cannot be mapped.
    MAPPED_FILE_SIZE_ZERO = 0xC000_011E;
    /// Too many files are open.
    TOO_MANY_OPENED_FILES = 0xC000_011F;
    /// The operation was cancelled.
    CANCELLED = 0xC000_0120;
    /// The file cannot be deleted.
    CANNOT_DELETE = 0xC000_0121;
    /// The name of the computer is not well formed.
    INVALID_COMPUTER_NAME = 0xC000_0122;
    /// The file was deleted.
    FILE_DELETED = 0xC000_0123;
    /// This is not possible with a built-in account.
    SPECIAL_ACCOUNT = 0xC000_0124;
    /// This is not possible with a built-in group.
    SPECIAL_GROUP = 0xC000_0125;
    /// This is not possible with a built-in user.
    SPECIAL_USER = 0xC000_0126;
    /// The group is the primary one of a member.
    MEMBERS_PRIMARY_GROUP = 0xC000_0127;
    /// The file is closed.
    FILE_CLOSED = 0xC000_0128;
    /// The process has too many threads.
    TOO_MANY_THREADS = 0xC000_0129;
    /// The thread belongs to another process.
    THREAD_NOT_IN_PROCESS = 0xC000_012A;
    /// The token is in use as a primary token.
    TOKEN_ALREADY_IN_USE = 0xC000_012B;
    /// The quota of the paging file is used up.
    PAGEFILE_QUOTA_EXCEEDED = 0xC000_012C;
    /// The system has committed all it can back.
    COMMITMENT_LIMIT = 0xC000_012D;
    /// The image is a virtual device driver.
    INVALID_IMAGE_LE_FORMAT = 0xC000_012E;
    /// The image does not begin as one.
    INVALID_IMAGE_NOT_MZ = 0xC000_012F;
    /// The image's header has a wrong check word.
    INVALID_IMAGE_PROTECT = 0xC000_0130;
    /// The image is for 16-bit Windows.
    INVALID_IMAGE_WIN_16 = 0xC000_0131;
    /// Two servers for logging on conflict.
    LOGON_SERVER_CONFLICT = 0xC000_0132;
    /// The clocks of client and domain controller differ too much.
    TIME_DIFFERENCE_AT_DC = 0xC000_0133;
    /// The security database has to be synchronized.
    SYNCHRONIZATION_REQUIRED = 0xC000_0134;
    /// A library that is needed was not found.
    DLL_NOT_FOUND = 0xC000_0135;
    /// Opening failed.
    OPEN_FAILED = 0xC000_0136;
    /// The right to do I/O could not be given.
    IO_PRIVILEGE_FAILED = 0xC000_0137;
    /// The library has no such ordinal.
    ORDINAL_NOT_FOUND = 0xC000_0138;
    /// The library has no such entry point.
    ENTRYPOINT_NOT_FOUND = 0xC000_0139;
    /// The program ended by Control-C.
    CONTROL_C_EXIT = 0xC000_013A;
    /// This side ended the connection.
    LOCAL_DISCONNECT = 0xC000_013B;
    /// The other side ended the connection.
    REMOTE_DISCONNECT = 0xC000_013C;
    /// The other side ran out of resources.
    REMOTE_RESOURCES = 0xC000_013D;
    /// The connection failed.
    LINK_FAILED = 0xC000_013E;
    /// The connection timed out.
    LINK_TIMEOUT = 0xC000_013F;
    /// The connection is not valid.
    INVALID_CONNECTION = 0xC000_0140;
    /// The address is not valid.
    INVALID_ADDRESS = 0xC000_0141;
    /// A library refused to initialize.
    DLL_INIT_FAILED = 0xC000_0142;
    /// A file of the system is missing or damaged.
    MISSING_SYSTEMFILE = 0xC000_0143;
    /// Nobody handled an exception.
    UNHANDLED_EXCEPTION = 0xC000_0144;
    /// The program could not be initialized.
    APP_INIT_FAILURE = 0xC000_0145;
    /// The paging file could not be created.
    PAGEFILE_CREATE_FAILED = 0xC000_0146;
    /// There is no paging file.
    NO_PAGEFILE = 0xC000_0147;
    /// There is no such level.
    INVALID_LEVEL = 0xC000_0148;
    /// The share's password is wrong.
    WRONG_PASSWORD_CORE = 0xC000_0149;
    /// Floating-point instructions are used without a unit for them.
    ILLEGAL_FLOAT_CONTEXT = 0xC000_014A;
    /// The pipe is broken.
    PIPE_BROKEN = 0xC000_014B;
    /// The registry is damaged.
    REGISTRY_CORRUPT = 0xC000_014C;
    /// The registry could not be read or written.
    REGISTRY_IO_FAILED = 0xC000_014D;
    /// The thread has no event pair.
    NO_EVENT_PAIR = 0xC000_014E;
    /// No file system knows the volume.
    UNRECOGNIZED_VOLUME = 0xC000_014F;
    /// No serial port could be initialized.
    SERIAL_NO_DEVICE_INITED = 0xC000_0150;
    /// There is no such local group.
    NO_SUCH_ALIAS = 0xC000_0151;
    /// The account is no member of the local group.
    MEMBER_NOT_IN_ALIAS = 0xC000_0152;
    /// The account is a member of the local group already.
    MEMBER_IN_ALIAS = 0xC000_0153;
    /// The local group exists.
    ALIAS_EXISTS = 0xC000_0154;
    /// The logon was not granted.
    LOGON_NOT_GRANTED = 0xC000_0155;
    /// There are as many secrets as there may be.
    TOO_MANY_SECRETS = 0xC000_0156;
    /// The secret is too long.
    SECRET_TOO_LONG = 0xC000_0157;
    /// The security database contradicts itself.
    INTERNAL_DB_ERROR = 0xC000_0158;
    /// This is not possible in full-screen mode.
    FULLSCREEN_MODE = 0xC000_0159;
    /// The token has too many identifiers.
    TOO_MANY_CONTEXT_IDS = 0xC000_015A;
    /// The account may not log on in this way.
    LOGON_TYPE_NOT_GRANTED = 0xC000_015B;
    /// The file is no hive.
    NOT_REGISTRY_FILE = 0xC000_015C;
    /// The domain controller is set up wrongly.
    DOMAIN_CTRLR_CONFIG_ERROR = 0xC000_015E;
    /// A member of the fault-tolerant set is missing.
    FT_MISSING_MEMBER = 0xC000_015F;
    /// A service's registry entry is not well formed.
    ILL_FORMED_SERVICE_ENTRY = 0xC000_0160;
    /// The character is not allowed here.
    ILLEGAL_CHARACTER = 0xC000_0161;
    /// The character does not exist in the other code page.
    UNMAPPABLE_CHARACTER = 0xC000_0162;
    /// The character is not defined in Unicode.
    UNDEFINED_CHARACTER = 0xC000_0163;
    /// The disk could not be recalibrated.
    DISK_RECALIBRATE_FAILED = 0xC000_0169;
    /// The disk failed, retries included.
    DISK_OPERATION_FAILED = 0xC000_016A;
    /// The disk could not be reset.
    DISK_RESET_FAILED = 0xC000_016B;
    /// The shared interrupt is in use.
    SHARED_IRQ_BUSY = 0xC000_016C;
    /// A member of the fault-tolerant set was given up.
    FT_ORPHANING = 0xC000_016D;
    /// The firmware could not connect an interrupt.
    BIOS_FAILED_TO_CONNECT_INTERRUPT = 0xC000_016E;
    /// The tape could not be partitioned.
    PARTITION_FAILURE = 0xC000_0172;
    /// The length of the block is wrong.
    INVALID_BLOCK_LENGTH = 0xC000_0173;
    /// The tape is not partitioned.
    DEVICE_NOT_PARTITIONED = 0xC000_0174;
    /// The medium cannot be locked.
    UNABLE_TO_LOCK_MEDIA = 0xC000_0175;
    /// The medium cannot be unloaded.
    UNABLE_TO_UNLOAD_MEDIA = 0xC000_0176;
    /// The end of the medium was passed.
    EOM_OVERFLOW = 0xC000_0177;
    /// No medium is in the drive.
    NO_MEDIA = 0xC000_0178;
    /// There is no such member.
    NO_SUCH_MEMBER = 0xC000_017A;
    /// The account cannot be a member.
    INVALID_MEMBER = 0xC000_017B;
    /// The registry key was deleted.
    KEY_DELETED = 0xC000_017C;
    /// The registry's log has no space.
    NO_LOG_SPACE = 0xC000_017D;
    /// There are too many security identifiers.
    TOO_MANY_SIDS = 0xC000_017E;
    /// The registry key has subkeys.
    KEY_HAS_CHILDREN = 0xC000_0180;
    /// Below a volatile key only volatile keys can be.
    CHILD_MUST_BE_VOLATILE = 0xC000_0181;
    /// The device is configured wrongly.
    DEVICE_CONFIGURATION_ERROR = 0xC000_0182;
    /// The driver failed inside.
    DRIVER_INTERNAL_ERROR = 0xC000_0183;
    /// The device is in the wrong state for this.
    INVALID_DEVICE_STATE = 0xC000_0184;
    /// The device reports an error.
    IO_DEVICE_ERROR = 0xC000_0185;
    /// The device does not keep to the protocol.
    DEVICE_PROTOCOL_ERROR = 0xC000_0186;
    /// This is the backup domain controller.
    BACKUP_CONTROLLER = 0xC000_0187;
    /// The log is full.
    LOG_FILE_FULL = 0xC000_0188;
    /// It is too late for this.
    TOO_LATE = 0xC000_0189;
    /// The workstation has no trust secret.
    NO_TRUST_LSA_SECRET = 0xC000_018A;
    /// The workstation has no account in the domain.
    NO_TRUST_SAM_ACCOUNT = 0xC000_018B;
    /// The trust between two domains failed.
    TRUSTED_DOMAIN_FAILURE = 0xC000_018C;
    /// The trust between workstation and domain failed.
    TRUSTED_RELATIONSHIP_FAILURE = 0xC000_018D;
    /// The event log is damaged.
    EVENTLOG_FILE_CORRUPT = 0xC000_018E;
    /// The event log could not be started.
    EVENTLOG_CANT_START = 0xC000_018F;
    /// The trust failed.
    TRUST_FAILURE = 0xC000_0190;
    /// The mutant cannot be acquired more often.
    MUTANT_LIMIT_EXCEEDED = 0xC000_0191;
    /// The logon service is not running.
    NETLOGON_NOT_STARTED = 0xC000_0192;
    /// The account has expired.
    ACCOUNT_EXPIRED = 0xC000_0193;
    /// Waiting here might never end.
    POSSIBLE_DEADLOCK = 0xC000_0194;
    /// Other credentials are in use with the same server.
    NETWORK_CREDENTIAL_CONFLICT = 0xC000_0195;
    /// The server has as many sessions as it may have.
    REMOTE_SESSION_LIMIT = 0xC000_0196;
    /// The event log changed while it was read.
    EVENTLOG_FILE_CHANGED = 0xC000_0197;
    /// The domains' ideas of their trust differ.
    DOMAIN_TRUST_INCONSISTENT = 0xC000_019B;
    /// A file-system driver has to be loaded first.
    FS_DRIVER_REQUIRED = 0xC000_019C;
    /// The image is loaded as a library.
    IMAGE_ALREADY_LOADED_AS_DLL = 0xC000_019D;
    /// The volume has no short names.
    SHORT_NAMES_NOT_ENABLED_ON_VOLUME = 0xC000_019F;
    /// The volume's security data contradict themselves.
    SECURITY_STREAM_IS_INCONSISTENT = 0xC000_01A0;
    /// The range to lock is not valid.
    INVALID_LOCK_RANGE = 0xC000_01A1;
    /// The condition of an access control entry is not well formed.
    INVALID_ACE_CONDITION = 0xC000_01A2;
    /// The image's subsystem is not there.
    IMAGE_SUBSYSTEM_NOT_PRESENT = 0xC000_01A3;
    /// The notification's identifier is taken.
    NOTIFICATION_GUID_ALREADY_DEFINED = 0xC000_01A4;
    /// The exception handler is not one that the image declares.
    INVALID_EXCEPTION_HANDLER = 0xC000_01A5;
    /// A privilege is named twice.
    DUPLICATE_PRIVILEGES = 0xC000_01A6;
    /// This is not allowed on a system file.
    NOT_ALLOWED_ON_SYSTEM_FILE = 0xC000_01A7;
    /// The volume has to be repaired.
    REPAIR_NEEDED = 0xC000_01A8;
    /// Quotas are not enabled.
    QUOTA_NOT_ENABLED = 0xC000_01A9;
    /// The process has no package identity.
    NO_APPLICATION_PACKAGE = 0xC000_01AA;
    /// The file's metadata are being rearranged.
    FILE_METADATA_OPTIMIZATION_IN_PROGRESS = 0xC000_01AB;
    /// The handles refer to different objects.
    NOT_SAME_OBJECT = 0xC000_01AC;
    /// Memory ran out where nothing can go on without it.
    FATAL_MEMORY_EXHAUSTION = 0xC000_01AD;
    /// The process belongs to no job.
    ERROR_PROCESS_NOT_IN_JOB = 0xC000_01AE;
    /// A set of processors is not valid.
    CPU_SET_INVALID = 0xC000_01AF;
    /// The device gave data that are not valid.
    IO_DEVICE_INVALID_DATA = 0xC000_01B0;
    /// A write had the wrong alignment.
    IO_UNALIGNED_WRITE = 0xC000_01B1;
    /// The shadow stack does not agree with a return address.
    CONTROL_STACK_VIOLATION = 0xC000_01B2;
    /// The network does not allow to open this.
    NETWORK_OPEN_RESTRICTION = 0xC000_0201;
    /// There is no session key.
    NO_USER_SESSION_KEY = 0xC000_0202;
    /// The user's session was deleted.
    USER_SESSION_DELETED = 0xC000_0203;
    /// The image has no resource of this language.
    RESOURCE_LANG_NOT_FOUND = 0xC000_0204;
    /// The server ran out of resources.
    INSUFF_SERVER_RESOURCES = 0xC000_0205;
    /// The size of the buffer is wrong.
    INVALID_BUFFER_SIZE = 0xC000_0206;
    /// A part of the network address is not valid.
    INVALID_ADDRESS_COMPONENT = 0xC000_0207;
    /// The network address may not have wildcards.
    INVALID_ADDRESS_WILDCARD = 0xC000_0208;
    /// There are too many network addresses.
    TOO_MANY_ADDRESSES = 0xC000_0209;
    /// The network address is in use.
    ADDRESS_ALREADY_EXISTS = 0xC000_020A;
    /// The network address was closed.
    ADDRESS_CLOSED = 0xC000_020B;
    /// The connection was ended.
    CONNECTION_DISCONNECTED = 0xC000_020C;
    /// The connection was reset.
    CONNECTION_RESET = 0xC000_020D;
    /// There are too many nodes.
    TOO_MANY_NODES = 0xC000_020E;
    /// The transport's transaction was aborted.
    TRANSACTION_ABORTED = 0xC000_020F;
    /// The transport's transaction timed out.
    TRANSACTION_TIMED_OUT = 0xC000_0210;
    /// A hive could not be loaded.
    CANNOT_LOAD_REGISTRY_FILE = 0xC000_0218;
    /// The debugger could not attach.
    DEBUG_ATTACH_FAILED = 0xC000_0219;
    /// A process that the system needs ended.
    SYSTEM_PROCESS_TERMINATED = 0xC000_021A;
    /// The data were not accepted.
    DATA_NOT_ACCEPTED = 0xC000_021B;
    /// A DOS machine met a hard error.
    VDM_HARD_ERROR = 0xC000_021D;
    /// A driver did not cancel a request in time.
    DRIVER_CANCEL_TIMEOUT = 0xC000_021E;
    /// The reply does not belong to the message.
    REPLY_MESSAGE_MISMATCH = 0xC000_021F;
    /// The address or offset of the view has the wrong alignment.
    MAPPED_ALIGNMENT = 0xC000_0220;
    /// The image's check sum is wrong.
    IMAGE_CHECKSUM_MISMATCH = 0xC000_0221;
    /// Data in the cache could not be written and are lost.
    LOST_WRITEBEHIND_DATA = 0xC000_0222;
    /// Client and server do not agree on parameters.
    CLIENT_SERVER_PARAMETERS_INVALID = 0xC000_0223;
    /// The password has to be changed before the first logon.
    PASSWORD_MUST_CHANGE = 0xC000_0224;
    /// It was not found.
    NOT_FOUND = 0xC000_0225;
    /// The stream is not small enough.
    NOT_TINY_STREAM = 0xC000_0226;
    /// Recovery failed.
    RECOVERY_FAILURE = 0xC000_0227;
    /// Reading would overflow the stack.
    STACK_OVERFLOW_READ = 0xC000_0228;
    /// A check failed.
    FAIL_CHECK = 0xC000_0229;
    /// The file id exists twice.
    DUPLICATE_OBJECTID = 0xC000_022A;
    /// The file has an id.
    OBJECTID_EXISTS = 0xC000_022B;
    /// The structure has to become a large one.
    CONVERT_TO_LARGE = 0xC000_022C;
    /// It should be tried again.
    RETRY = 0xC000_022D;
    /// It was found outside of where it was looked for.
    FOUND_OUT_OF_SCOPE = 0xC000_022E;
    /// A bucket has to be allocated.
    ALLOCATE_BUCKET = 0xC000_022F;
    /// There is no such set of properties.
    PROPSET_NOT_FOUND = 0xC000_0230;
    /// Data to be sent overflow their buffer.
    MARSHALL_OVERFLOW = 0xC000_0231;
    /// The variant is not valid.
    INVALID_VARIANT = 0xC000_0232;
    /// No domain controller was found.
    DOMAIN_CONTROLLER_NOT_FOUND = 0xC000_0233;
    /// The account is locked.
    ACCOUNT_LOCKED_OUT = 0xC000_0234;
    /// The handle is protected from closing.
    HANDLE_NOT_CLOSABLE = 0xC000_0235;
    /// The other side refused the connection.
    CONNECTION_REFUSED = 0xC000_0236;
    /// The connection was ended in order.
    GRACEFUL_DISCONNECT = 0xC000_0237;
    /// The address is associated already.
    ADDRESS_ALREADY_ASSOCIATED = 0xC000_0238;
    /// The address is not associated.
    ADDRESS_NOT_ASSOCIATED = 0xC000_0239;
    /// There is no such connection.
    CONNECTION_INVALID = 0xC000_023A;
    /// The connection is active.
    CONNECTION_ACTIVE = 0xC000_023B;
    /// The network cannot be reached.
    NETWORK_UNREACHABLE = 0xC000_023C;
    /// The host cannot be reached.
    HOST_UNREACHABLE = 0xC000_023D;
    /// The host does not have the protocol.
    PROTOCOL_UNREACHABLE = 0xC000_023E;
    /// Nobody listens at the port.
    PORT_UNREACHABLE = 0xC000_023F;
    /// The request was aborted.
    REQUEST_ABORTED = 0xC000_0240;
    /// The connection was aborted by this side.
    CONNECTION_ABORTED = 0xC000_0241;
    /// The compressed data are not well formed.
    BAD_COMPRESSION_BUFFER = 0xC000_0242;
    /// The file has views in user mode that forbid this.
    USER_MAPPED_FILE = 0xC000_0243;
    /// An audit could not be written.
    AUDIT_FAILED = 0xC000_0244;
    /// The process has not asked for a timer resolution.
    TIMER_RESOLUTION_NOT_SET = 0xC000_0245;
    /// There are as many connections as there may be.
    CONNECTION_COUNT_LIMIT = 0xC000_0246;
    /// The account may not log on at this time.
    LOGIN_TIME_RESTRICTION = 0xC000_0247;
    /// The account may not log on here.
    LOGIN_WKSTA_RESTRICTION = 0xC000_0248;
    /// The image is for another number of processors.
    IMAGE_MP_UP_MISMATCH = 0xC000_0249;
    /// More is needed for logging on.
    INSUFFICIENT_LOGON_INFO = 0xC000_0250;
    /// A library's entry point changed the stack.
    BAD_DLL_ENTRYPOINT = 0xC000_0251;
    /// A service's entry point changed the stack.
    BAD_SERVICE_ENTRYPOINT = 0xC000_0252;
    /// The reply to a message was lost.
    LPC_REPLY_LOST = 0xC000_0253;
    /// Another machine has this IP address.
    IP_ADDRESS_CONFLICT1 = 0xC000_0254;
    /// Another machine has this IP address, and this one gave it up.
    IP_ADDRESS_CONFLICT2 = 0xC000_0255;
    /// The registry is as large as it may be.
    REGISTRY_QUOTA_LIMIT = 0xC000_0256;
    /// The server does not cover this part of the path.
    PATH_NOT_COVERED = 0xC000_0257;
    /// The thread returns from a callback that it is not in.
    NO_CALLBACK_ACTIVE = 0xC000_0258;
    /// There are no more licenses.
    LICENSE_QUOTA_EXCEEDED = 0xC000_0259;
    /// The password is too short.
    PWD_TOO_SHORT = 0xC000_025A;
    /// The password was changed too recently.
    PWD_TOO_RECENT = 0xC000_025B;
    /// The password was used before.
    PWD_HISTORY_CONFLICT = 0xC000_025C;
    /// There is no such Plug and Play device.
    PLUGPLAY_NO_DEVICE = 0xC000_025E;
    /// There is no such compression.
    UNSUPPORTED_COMPRESSION = 0xC000_025F;
    /// There is no such hardware profile.
    INVALID_HW_PROFILE = 0xC000_0260;
    /// The path of the device is not valid.
    INVALID_PLUGPLAY_DEVICE_PATH = 0xC000_0261;
    /// A driver needs an ordinal that its library does not have.
    DRIVER_ORDINAL_NOT_FOUND = 0xC000_0262;
    /// A driver needs an entry point that its library does not have.
    DRIVER_ENTRYPOINT_NOT_FOUND = 0xC000_0263;
    /// The caller does not own the resource.
    RESOURCE_NOT_OWNED = 0xC000_0264;
    /// The file has as many names as it may have.
    TOO_MANY_LINKS = 0xC000_0265;
    /// The list of quotas contradicts itself.
    QUOTA_LIST_INCONSISTENT = 0xC000_0266;
    /// The file's data are off line.
    FILE_IS_OFFLINE = 0xC000_0267;
    /// The time for evaluation is over.
    EVALUATION_EXPIRATION = 0xC000_0268;
    /// A system library was moved, which it does not survive.
    ILLEGAL_DLL_RELOCATION = 0xC000_0269;
    /// The license was violated.
    LICENSE_VIOLATION = 0xC000_026A;
    /// A library refused to initialize while the user logs off.
    DLL_INIT_FAILED_LOGOFF = 0xC000_026B;
    /// The driver could not be loaded.
    DRIVER_UNABLE_TO_LOAD = 0xC000_026C;
    /// The distributed file system does not answer.
    DFS_UNAVAILABLE = 0xC000_026D;
    /// The volume was dismounted.
    VOLUME_DISMOUNTED = 0xC000_026E;
    /// x86 emulation: something failed inside.
    WX86_INTERNAL_ERROR = 0xC000_026F;
    /// x86 emulation: the floating-point stack overflowed or underflowed.
    WX86_FLOAT_STACK_CHECK = 0xC000_0270;
    /// Validation has to continue.
    VALIDATE_CONTINUE = 0xC000_0271;
    /// Nothing matches.
    NO_MATCH = 0xC000_0272;
    /// Nothing else matches.
    NO_MORE_MATCHES = 0xC000_0273;
    /// The file is no reparse point.
    NOT_A_REPARSE_POINT = 0xC000_0275;
    /// The reparse tag is not valid.
    IO_REPARSE_TAG_INVALID = 0xC000_0276;
    /// The reparse point has another tag.
    IO_REPARSE_TAG_MISMATCH = 0xC000_0277;
    /// The data of the reparse point are not well formed.
    IO_REPARSE_DATA_INVALID = 0xC000_0278;
    /// Nobody handles the reparse tag.
    IO_REPARSE_TAG_NOT_HANDLED = 0xC000_0279;
    /// The password is too long.
    PWD_TOO_LONG = 0xC000_027A;
    /// An exception that was put aside is reported now.
    STOWED_EXCEPTION = 0xC000_027B;
    /// The reparse point leads nowhere.
    REPARSE_POINT_NOT_RESOLVED = 0xC000_0280;
    /// The directory is a reparse point.
    DIRECTORY_IS_A_REPARSE_POINT = 0xC000_0281;
    /// The range overlaps one in the list.
    RANGE_LIST_CONFLICT = 0xC000_0282;
    /// Encryption failed.
    ENCRYPTION_FAILED = 0xC000_028A;
    /// Decryption failed.
    DECRYPTION_FAILED = 0xC000_028B;
    /// The range is not in the list.
    RANGE_NOT_FOUND = 0xC000_028C;
    /// There is no policy for recovering encrypted files.
    NO_RECOVERY_POLICY = 0xC000_028D;
    /// File encryption is not there.
    NO_EFS = 0xC000_028E;
    /// The file is encrypted in another way.
    WRONG_EFS = 0xC000_028F;
    /// The user has no keys for the file.
    NO_USER_KEYS = 0xC000_0290;
    /// The file is not encrypted.
    FILE_NOT_ENCRYPTED = 0xC000_0291;
    /// The file is not in the form for export.
    NOT_EXPORT_FORMAT = 0xC000_0292;
    /// The file is encrypted.
    FILE_ENCRYPTED = 0xC000_0293;
    /// No data block has this identifier.
    WMI_GUID_NOT_FOUND = 0xC000_0295;
    /// The data block has no such instance.
    WMI_INSTANCE_NOT_FOUND = 0xC000_0296;
    /// The data block has no such item.
    WMI_ITEMID_NOT_FOUND = 0xC000_0297;
    /// The data block changed: try again.
    WMI_TRY_AGAIN = 0xC000_0298;
    /// The volume has an older version.
    VOLUME_NOT_UPGRADED = 0xC000_029C;
    /// The link-tracking service is not running.
    NO_TRACKING_SERVICE = 0xC000_029F;
    /// The server is not who it had to be.
    SERVER_SID_MISMATCH = 0xC000_02A0;
    /// The attributes forbid a reparse point.
    REPARSE_ATTRIBUTE_CONFLICT = 0xC000_02B2;
    /// A deny-only group cannot be enabled.
    CANT_ENABLE_DENY_ONLY = 0xC000_02B3;
    /// Several floating-point faults at once.
    FLOAT_MULTIPLE_FAULTS = 0xC000_02B4;
    /// Several floating-point traps at once.
    FLOAT_MULTIPLE_TRAPS = 0xC000_02B5;
    /// The device was removed.
    DEVICE_REMOVED = 0xC000_02B6;
    /// The volume's change journal is being deleted.
    JOURNAL_DELETE_IN_PROGRESS = 0xC000_02B7;
    /// The volume has no active change journal.
    JOURNAL_NOT_ACTIVE = 0xC000_02B8;
    /// There is no such interface.
    NOINTERFACE = 0xC000_02B9;
    /// A driver does not let the machine sleep.
    DRIVER_FAILED_SLEEP = 0xC000_02C2;
    /// Client and server could not prove themselves to each other.
    MUTUAL_AUTHENTICATION_FAILED = 0xC000_02C3;
    /// A system file is damaged.
    CORRUPT_SYSTEM_FILE = 0xC000_02C4;
    /// A data address had the wrong alignment, which counts as an error.
    DATATYPE_MISALIGNMENT_ERROR = 0xC000_02C5;
    /// The data block cannot be changed.
    WMI_READ_ONLY = 0xC000_02C6;
    /// The data block could not be changed.
    WMI_SET_FAILURE = 0xC000_02C7;
    /// The paging file is smaller than it has to be.
    COMMITMENT_MINIMUM = 0xC000_02C8;
    /// A register without a value was used (Itanium).
    REG_NAT_CONSUMPTION = 0xC000_02C9;
    /// The changer's transport holds a medium.
    TRANSPORT_FULL = 0xC000_02CA;
    /// This is possible only when connected.
    ONLY_IF_CONNECTED = 0xC000_02CC;
    /// Enumeration of devices has to begin anew.
    PNP_RESTART_ENUMERATION = 0xC000_02CE;
    /// The entry of the change journal is gone.
    JOURNAL_ENTRY_DELETED = 0xC000_02CF;
    /// A system image has a wrong signature.
    SYSTEM_IMAGE_BAD_SIGNATURE = 0xC000_02D1;
    /// The machine has to be restarted for the device.
    PNP_REBOOT_REQUIRED = 0xC000_02D2;
    /// The power state is not possible.
    POWER_STATE_INVALID = 0xC000_02D3;
    /// The data block is not supported.
    WMI_NOT_SUPPORTED = 0xC000_02DD;
    /// There is not enough power.
    INSUFFICIENT_POWER = 0xC000_02DE;
    /// Several faults at once.
    MULTIPLE_FAULT_VIOLATION = 0xC000_02E8;
    /// It cannot be made.
    CANNOT_MAKE = 0xC000_02EA;
    /// The system shuts down.
    SYSTEM_SHUTDOWN = 0xC000_02EB;
    /// A security context was deleted before it was complete.
    UNFINISHED_CONTEXT_DELETED = 0xC000_02EE;
    /// No file has this id.
    OBJECTID_NOT_FOUND = 0xC000_02F0;
    /// The machine has no IP address.
    NO_IP_ADDRESSES = 0xC000_02F1;
    /// The credentials do not belong to the context.
    WRONG_CREDENTIAL_HANDLE = 0xC000_02F2;
    /// The cryptographic system is not valid.
    CRYPTO_SYSTEM_INVALID = 0xC000_02F3;
    /// The machine is shutting down.
    SHUTDOWN_IN_PROGRESS = 0xC000_02FE;
    /// The server is shutting down.
    SERVER_SHUTDOWN_IN_PROGRESS = 0xC000_02FF;
    /// The data block's provider is gone.
    WMI_GUID_DISCONNECTED = 0xC000_0301;
    /// The data block is disabled already.
    WMI_ALREADY_DISABLED = 0xC000_0302;
    /// The data block is enabled already.
    WMI_ALREADY_ENABLED = 0xC000_0303;
    /// The volume's file table has too many fragments.
    MFT_TOO_FRAGMENTED = 0xC000_0304;
    /// The copy protection does not allow it.
    COPY_PROTECTION_FAILURE = 0xC000_0305;
    /// The password has to be changed.
    PASSWORD_CHANGE_REQUIRED = 0xC000_030C;
    /// The host is down.
    HOST_DOWN = 0xC000_0350;
    /// The port is not set.
    PORT_NOT_SET = 0xC000_0353;
    /// No kernel debugger is active.
    DEBUGGER_INACTIVE = 0xC000_0354;
    /// Auditing is disabled.
    AUDITING_DISABLED = 0xC000_0356;
    /// The image is for 32-bit Windows.
    INVALID_IMAGE_WIN_32 = 0xC000_0359;
    /// The image is for 64-bit Windows.
    INVALID_IMAGE_WIN_64 = 0xC000_035A;
    /// The channel's bindings are wrong.
    BAD_BINDINGS = 0xC000_035B;
    /// The network session has expired.
    NETWORK_SESSION_EXPIRED = 0xC000_035C;
    /// The program is known not to work here and is blocked.
    APPHELP_BLOCK = 0xC000_035D;
    /// Nothing is left of the identifiers after filtering.
    ALL_SIDS_FILTERED = 0xC000_035E;
    /// The driver is not loaded in safe mode.
    NOT_SAFE_MODE_DRIVER = 0xC000_035F;
    /// Policy does not let programs run unless named.
    ACCESS_DISABLED_BY_POLICY_DEFAULT = 0xC000_0361;
    /// Policy does not let programs at this path run.
    ACCESS_DISABLED_BY_POLICY_PATH = 0xC000_0362;
    /// Policy does not let this publisher's programs run.
    ACCESS_DISABLED_BY_POLICY_PUBLISHER = 0xC000_0363;
    /// Policy does not let the program run.
    ACCESS_DISABLED_BY_POLICY_OTHER = 0xC000_0364;
    /// The driver refused to initialize.
    FAILED_DRIVER_ENTRY = 0xC000_0365;
    /// The device could not be enumerated.
    DEVICE_ENUMERATION_ERROR = 0xC000_0366;
    /// The mount point leads nowhere.
    MOUNT_POINT_NOT_RESOLVED = 0xC000_0368;
    /// The device object is not valid.
    INVALID_DEVICE_OBJECT_PARAMETER = 0xC000_0369;
    /// The machine reports a fault of the hardware.
    MCA_OCCURED = 0xC000_036A;
    /// The driver is known to do harm and is blocked.
    DRIVER_BLOCKED_CRITICAL = 0xC000_036B;
    /// The driver is blocked.
    DRIVER_BLOCKED = 0xC000_036C;
    /// The list of blocked drivers could not be read.
    DRIVER_DATABASE_ERROR = 0xC000_036D;
    /// The system hive is too large to start with.
    SYSTEM_HIVE_TOO_LARGE = 0xC000_036E;
    /// The image imports from something that is no library.
    INVALID_IMPORT_OF_NON_DLL = 0xC000_036F;
    /// There are no secrets.
    NO_SECRETS = 0xC000_0371;
    /// The stack could not be changed.
    FAILED_STACK_SWITCH = 0xC000_0373;
    /// A heap is damaged.
    HEAP_CORRUPTION = 0xC000_0374;
    /// The driver's last instance is still being unloaded.
    DRIVER_FAILED_PRIOR_UNLOAD = 0xC000_038E;
    /// A buffer on the stack was overrun, or the program asked to end at once.
    STACK_BUFFER_OVERRUN = 0xC000_0409;
    /// An argument goes beyond a quota.
    PARAMETER_QUOTA_EXCEEDED = 0xC000_0410;
    /// Hibernation failed.
    HIBERNATION_FAILURE = 0xC000_0411;
    /// A library that is loaded late could not be loaded.
    DELAY_LOAD_FAILED = 0xC000_0412;
    /// DOS programs are not allowed.
    VDM_DISALLOWED = 0xC000_0414;
    /// A display driver's thread hangs.
    HUNG_DISPLAY_DRIVER_THREAD = 0xC000_0415;
    /// The C library was given a wrong argument.
    INVALID_CRUNTIME_PARAMETER = 0xC000_0417;
    /// An exception in a callback to user mode was not handled.
    FATAL_USER_CALLBACK_EXCEPTION = 0xC000_041D;
    /// A program's own assertion did not hold.
    ASSERTION_FAILURE = 0xC000_0420;
    /// The verifier found a mistake.
    VERIFIER_STOP = 0xC000_0421;
    /// A callback's stack has to be taken off.
    CALLBACK_POP_STACK = 0xC000_0423;
    /// The driver does not fit and is blocked.
    INCOMPATIBLE_DRIVER_BLOCKED = 0xC000_0424;
    /// The hive was unloaded.
    HIVE_UNLOADED = 0xC000_0425;
    /// Compression is disabled.
    COMPRESSION_DISABLED = 0xC000_0426;
    /// The file system cannot do this.
    FILE_SYSTEM_LIMITATION = 0xC000_0427;
    /// The image's hash is not one that is signed.
    INVALID_IMAGE_HASH = 0xC000_0428;
    /// The device cannot do this.
    NOT_CAPABLE = 0xC000_0429;
    /// The request came out of sequence.
    REQUEST_OUT_OF_SEQUENCE = 0xC000_042A;
    /// A limit of the implementation was met.
    IMPLEMENTATION_LIMIT = 0xC000_042B;
    /// The caller has to be elevated.
    ELEVATION_REQUIRED = 0xC000_042C;
    /// There is no security context.
    NO_SECURITY_CONTEXT = 0xC000_042D;
    /// The range is beyond the file's valid data.
    BEYOND_VDL = 0xC000_0432;
    /// A write is under way.
    ENCOUNTERED_WRITE_IN_PROGRESS = 0xC000_0433;
    /// The page's mapping changed meanwhile.
    PTE_CHANGED = 0xC000_0434;
    /// The cache could not be purged.
    PURGE_FAILED = 0xC000_0435;
    /// The integrity label is not valid.
    INVALID_LABEL = 0xC000_0446;
    /// The process of a user-mode driver ended.
    DRIVER_PROCESS_TERMINATED = 0xC000_0450;
    /// More than one device may be the system's.
    AMBIGUOUS_SYSTEM_DEVICE = 0xC000_0451;
    /// The system's device was not found.
    SYSTEM_DEVICE_NOT_FOUND = 0xC000_0452;
    /// The boot program has to be started again.
    RESTART_BOOT_APPLICATION = 0xC000_0453;
    /// The firmware's memory is full.
    INSUFFICIENT_NVRAM_RESOURCES = 0xC000_0454;
    /// There is no such session.
    INVALID_SESSION = 0xC000_0455;
    /// The thread is in a session already.
    THREAD_ALREADY_IN_SESSION = 0xC000_0456;
    /// The thread is in no session.
    THREAD_NOT_IN_SESSION = 0xC000_0457;
    /// The weight is not valid.
    INVALID_WEIGHT = 0xC000_0458;
    /// The request is paused.
    REQUEST_PAUSED = 0xC000_0459;
    /// No range was processed.
    NO_RANGES_PROCESSED = 0xC000_0460;
    /// The disk ran out of resources.
    DISK_RESOURCES_EXHAUSTED = 0xC000_0461;
    /// It has to be repaired first.
    NEEDS_REMEDIATION = 0xC000_0462;
    /// The device does not have the feature.
    DEVICE_FEATURE_NOT_SUPPORTED = 0xC000_0463;
    /// The device cannot be reached.
    DEVICE_UNREACHABLE = 0xC000_0464;
    /// The token of an offloaded copy is not valid.
    INVALID_TOKEN = 0xC000_0465;
    /// The server does not answer.
    SERVER_UNAVAILABLE = 0xC000_0466;
    /// The file's data are not available at the moment.
    FILE_NOT_AVAILABLE = 0xC000_0467;
    /// The device ran out of resources.
    DEVICE_INSUFFICIENT_RESOURCES = 0xC000_0468;
    /// The package is being updated.
    PACKAGE_UPDATING = 0xC000_0469;
    /// The data could not be read from a copy.
    NOT_READ_FROM_COPY = 0xC000_046A;
    /// The file's data are on the volume itself.
    OBJECT_NOT_EXTERNALLY_BACKED = 0xC000_046D;
    /// Nobody knows where the file's data are.
    EXTERNAL_BACKING_PROVIDER_UNKNOWN = 0xC000_046E;
    /// Compression would make it larger.
    COMPRESSION_NOT_BENEFICIAL = 0xC000_046F;
    /// The volume's check sum of data is wrong.
    DATA_CHECKSUM_ERROR = 0xC000_0470;
    /// The request has too many segments.
    TOO_MANY_SEGMENT_DESCRIPTORS = 0xC000_0473;
    /// The offset has the wrong alignment.
    INVALID_OFFSET_ALIGNMENT = 0xC000_0474;
    /// The operation is under way already.
    OPERATION_IN_PROGRESS = 0xC000_0476;
    /// This is not possible for a file inside its record.
    RESIDENT_FILE_NOT_SUPPORTED = 0xC000_047A;
    /// This is not possible for a compressed file.
    COMPRESSED_FILE_NOT_SUPPORTED = 0xC000_047B;
    /// This is not possible for a directory.
    DIRECTORY_NOT_SUPPORTED = 0xC000_047C;
    /// The operation timed out.
    IO_OPERATION_TIMEOUT = 0xC000_047D;
    /// The share is not available.
    SHARE_UNAVAILABLE = 0xC000_0480;
    /// No library stands behind the API set.
    APISET_NOT_HOSTED = 0xC000_0481;
    /// There is no such API set.
    APISET_NOT_PRESENT = 0xC000_0482;
    /// The device, or the memory behind an address, did not answer.
    DEVICE_HARDWARE_ERROR = 0xC000_0483;
    /// Parental controls forbid it.
    BLOCKED_BY_PARENTAL_CONTROLS = 0xC000_0488;
    /// The callback has to be called directly.
    CALLBACK_INVOKE_INLINE = 0xC000_048B;
    /// The file is marked not to be written.
    MARKED_TO_DISALLOW_WRITES = 0xC000_048D;
    /// An enclave failed.
    ENCLAVE_FAILURE = 0xC000_048F;
    /// The device is being serviced.
    DEVICE_IN_MAINTENANCE = 0xC000_0499;
    /// This is not possible on a volume in direct-access memory.
    NOT_SUPPORTED_ON_DAX = 0xC000_049A;
    /// Free space is there, but in pieces.
    FREE_SPACE_TOO_FRAGMENTED = 0xC000_049B;
    /// The process may not create others.
    CHILD_PROCESS_BLOCKED = 0xC000_049D;
    /// The memory no longer keeps its data without power.
    STORAGE_LOST_DATA_PERSISTENCE = 0xC000_049E;
    /// The memory partition is ending.
    PARTITION_TERMINATING = 0xC000_04A0;
    /// Another hot patch is in the way.
    PATCH_CONFLICT = 0xC000_04AC;
    /// The directory has names that differ in case alone.
    CASE_DIFFERING_NAMES_IN_DIR = 0xC000_04B3;
    /// This is not possible for this file.
    FILE_NOT_SUPPORTED = 0xC000_04B4;
    /// Something it needs is missing.
    UNSATISFIED_DEPENDENCIES = 0xC000_04B9;
    /// The path goes through a case-sensitive directory.
    CASE_SENSITIVE_PATH = 0xC000_04BA;
    /// The path goes through a mount point that is not trusted.
    UNTRUSTED_MOUNT_POINT = 0xC000_04BC;
    /// The object cannot be changed.
    OBJECT_IS_IMMUTABLE = 0xC000_04BE;
    /// Virtual addresses ran out.
    INSUFFICIENT_VIRTUAL_ADDR_RESOURCES = 0xC000_04C2;
    /// This is not possible for an encrypted file.
    ENCRYPTED_FILE_NOT_SUPPORTED = 0xC000_04C3;
    /// This is not possible for a sparse file.
    SPARSE_FILE_NOT_SUPPORTED = 0xC000_04C4;
    /// This is not possible for a paging file.
    PAGEFILE_NOT_SUPPORTED = 0xC000_04C5;
    /// This is not possible on this volume.
    VOLUME_NOT_SUPPORTED = 0xC000_04C6;
    /// The index is out of bounds.
    INDEX_OUT_OF_BOUNDS = 0xC000_04D1;
    /// The name of the task is not valid.
    INVALID_TASK_NAME = 0xC000_0500;
    /// There is no such task.
    INVALID_TASK_INDEX = 0xC000_0501;
    /// The thread is in a task already.
    THREAD_ALREADY_IN_TASK = 0xC000_0502;
    /// The callback's answer replaces the operation.
    CALLBACK_BYPASS = 0xC000_0503;
    /// The scope is not defined.
    UNDEFINED_SCOPE = 0xC000_0504;
    /// The limit is not valid.
    INVALID_CAP = 0xC000_0505;
    /// The name leads elsewhere, which the caller does not want.
    REPARSE_POINT_ENCOUNTERED = 0xC000_050B;
    /// The program asked to end at once, without handlers.
    FAIL_FAST_EXCEPTION = 0xC000_0602;
    /// The port is closed.
    PORT_CLOSED = 0xC000_0700;
    /// The message was lost.
    MESSAGE_LOST = 0xC000_0701;
    /// The message is not well formed.
    INVALID_MESSAGE = 0xC000_0702;
    /// The request was cancelled by its sender.
    REQUEST_CANCELED = 0xC000_0703;
    /// A handler was entered again while it ran.
    RECURSIVE_DISPATCH = 0xC000_0704;
    /// A buffer for the message is needed.
    LPC_RECEIVE_BUFFER_EXPECTED = 0xC000_0705;
    /// The connection cannot be used in this way.
    LPC_INVALID_CONNECTION_USAGE = 0xC000_0706;
    /// The port takes no requests.
    LPC_REQUESTS_NOT_ALLOWED = 0xC000_0707;
    /// The resource is in use.
    RESOURCE_IN_USE = 0xC000_0708;
    /// Memory failed.
    HARDWARE_MEMORY_ERROR = 0xC000_0709;
    /// A thread pool met an exception with a handle.
    THREADPOOL_HANDLE_EXCEPTION = 0xC000_070A;
    /// A thread pool could not set an event after a callback.
    THREADPOOL_SET_EVENT_ON_COMPLETION_FAILED = 0xC000_070B;
    /// A thread pool could not release a semaphore after a callback.
    THREADPOOL_RELEASE_SEMAPHORE_ON_COMPLETION_FAILED = 0xC000_070C;
    /// A thread pool could not release a mutant after a callback.
    THREADPOOL_RELEASE_MUTEX_ON_COMPLETION_FAILED = 0xC000_070D;
    /// A thread pool could not free a library after a callback.
    THREADPOOL_FREE_LIBRARY_ON_COMPLETION_FAILED = 0xC000_070E;
    /// A thread pool was released while it was in use.
    THREADPOOL_RELEASED_DURING_OPERATION = 0xC000_070F;
    /// A callback returned while its thread impersonates.
    CALLBACK_RETURNED_WHILE_IMPERSONATING = 0xC000_0710;
    /// An APC returned while its thread impersonates.
    APC_RETURNED_WHILE_IMPERSONATING = 0xC000_0711;
    /// The process is protected.
    PROCESS_IS_PROTECTED = 0xC000_0712;
    /// The machine reports a fault of the hardware to the program.
    MCA_EXCEPTION = 0xC000_0713;
    /// The certificate belongs to several accounts.
    CERTIFICATE_MAPPING_NOT_UNIQUE = 0xC000_0714;
    /// Symbolic links of this kind are disabled.
    SYMLINK_CLASS_DISABLED = 0xC000_0715;
    /// The host name cannot be normalized.
    INVALID_IDN_NORMALIZATION = 0xC000_0716;
    /// The character has no translation to or from Unicode.
    NO_UNICODE_TRANSLATION = 0xC000_0717;
    /// It is registered already.
    ALREADY_REGISTERED = 0xC000_0718;
    /// The contexts do not belong together.
    CONTEXT_MISMATCH = 0xC000_0719;
    /// The port has a completion list already.
    PORT_ALREADY_HAS_COMPLETION_LIST = 0xC000_071A;
    /// A callback returned with its thread's priority changed.
    CALLBACK_RETURNED_THREAD_PRIORITY = 0xC000_071B;
    /// The thread is not valid.
    INVALID_THREAD = 0xC000_071C;
    /// A callback returned with a transaction set.
    CALLBACK_RETURNED_TRANSACTION = 0xC000_071D;
    /// A callback returned with the loader's lock held.
    CALLBACK_RETURNED_LDR_LOCK = 0xC000_071E;
    /// A callback returned with its thread's language changed.
    CALLBACK_RETURNED_LANG = 0xC000_071F;
    /// A callback returned in background mode.
    CALLBACK_RETURNED_PRI_BACK = 0xC000_0720;
    /// A callback returned with its thread's affinity changed.
    CALLBACK_RETURNED_THREAD_AFFINITY = 0xC000_0721;
    /// The message carries more handles than it may.
    LPC_HANDLE_COUNT_EXCEEDED = 0xC000_0722;
    /// A write would change code that runs.
    EXECUTABLE_MEMORY_WRITE = 0xC000_0723;
    /// A write would change the kernel's code.
    KERNEL_EXECUTABLE_MEMORY_WRITE = 0xC000_0724;
    /// A write would change another process's code.
    ATTACHED_EXECUTABLE_MEMORY_WRITE = 0xC000_0725;
    /// A write that was allowed once would change code.
    TRIGGERED_EXECUTABLE_MEMORY_WRITE = 0xC000_0726;
    /// Repair of the volume is disabled.
    DISK_REPAIR_DISABLED = 0xC000_0800;
    /// The domain is being renamed.
    DS_DOMAIN_RENAME_IN_PROGRESS = 0xC000_0801;
    /// The user's quota on the volume is used up.
    DISK_QUOTA_EXCEEDED = 0xC000_0802;
    /// The content is blocked.
    CONTENT_BLOCKED = 0xC000_0804;
    /// Clusters of the volume are bad.
    BAD_CLUSTERS = 0xC000_0805;
    /// The volume has to be checked.
    VOLUME_DIRTY = 0xC000_0806;
    /// Repair of the volume failed.
    DISK_REPAIR_UNSUCCESSFUL = 0xC000_0808;
    /// The volume's log of damage is full.
    CORRUPT_LOG_OVERFULL = 0xC000_0809;
    /// The volume's log of damage is damaged.
    CORRUPT_LOG_CORRUPTED = 0xC000_080A;
    /// The volume has no log of damage.
    CORRUPT_LOG_UNAVAILABLE = 0xC000_080B;
    /// The volume's log of damage was full and was deleted.
    CORRUPT_LOG_DELETED_FULL = 0xC000_080C;
    /// The volume's log of damage was cleared.
    CORRUPT_LOG_CLEARED = 0xC000_080D;
    /// No name is left for a file without a directory.
    ORPHAN_NAME_EXHAUSTED = 0xC000_080E;
    /// The volume is being scanned.
    PROACTIVE_SCAN_IN_PROGRESS = 0xC000_080F;
    /// Encrypted I/O is not possible here.
    ENCRYPTED_IO_NOT_POSSIBLE = 0xC000_0810;
    /// The volume's log of damage has records of a newer version.
    CORRUPT_LOG_UPLEVEL_RECORDS = 0xC000_0811;
    /// An assertion of the WoW64 layer did not hold.
    WOW_ASSERTION = 0xC000_9898;
    /// The signature is not valid.
    INVALID_SIGNATURE = 0xC000_A000;
    /// The keyed hash is not supported.
    HMAC_NOT_SUPPORTED = 0xC000_A001;
    /// The authentication tag is wrong.
    AUTH_TAG_MISMATCH = 0xC000_A002;
    /// The state cannot follow the present one.
    INVALID_STATE_TRANSITION = 0xC000_A003;
    /// The version of the kernel's information is not valid.
    INVALID_KERNEL_INFO_VERSION = 0xC000_A004;
    /// The version of the power engine's information is not valid.
    INVALID_PEP_INFO_VERSION = 0xC000_A005;
    /// Access through the handle was withdrawn.
    HANDLE_REVOKED = 0xC000_A006;
    /// The range's data are elsewhere and cannot be had.
    EOF_ON_GHOSTED_RANGE = 0xC000_A007;
    /// The queue of the IP filter is full.
    IPSEC_QUEUE_OVERFLOW = 0xC000_A010;
    /// Nothing changed that the debugger waits for.
    DBG_NO_STATE_CHANGE = 0xC001_0001;
    /// The program is not idle.
    DBG_APP_NOT_IDLE = 0xC001_0002;
    /// The network adapter is closing.
    NDIS_CLOSING = 0xC023_0002;

    // Warnings and errors of transactions.
    /// The file has no transaction data.
    NO_TXF_METADATA = 0x8019_0029;
    /// Recovery needs all handles closed.
    CANT_RECOVER_WITH_HANDLE_OPEN = 0x8019_0031;
    /// The transaction has no callbacks.
    TRANSACTION_SCOPE_CALLBACKS_NOT_SET = 0x8019_0042;
    /// Another transaction uses the file or key.
    TRANSACTIONAL_CONFLICT = 0xC019_0001;
    /// The transaction is not valid.
    INVALID_TRANSACTION = 0xC019_0002;
    /// The transaction is not active.
    TRANSACTION_NOT_ACTIVE = 0xC019_0003;
    /// The transaction manager could not be initialized.
    TM_INITIALIZATION_FAILED = 0xC019_0004;
    /// The resource manager is not active.
    RM_NOT_ACTIVE = 0xC019_0005;
    /// The resource manager's data are damaged.
    RM_METADATA_CORRUPT = 0xC019_0006;
    /// The caller has not joined the transaction.
    TRANSACTION_NOT_JOINED = 0xC019_0007;
    /// The directory does not belong to a resource manager.
    DIRECTORY_NOT_RM = 0xC019_0008;
    /// The server has no transactions.
    TRANSACTIONS_UNSUPPORTED_REMOTE = 0xC019_000A;
    /// The log cannot have this size.
    LOG_RESIZE_INVALID_SIZE = 0xC019_000B;
    /// The version of the file on the server is another.
    REMOTE_FILE_VERSION_MISMATCH = 0xC019_000C;
    /// The protocol is registered already.
    CRM_PROTOCOL_ALREADY_EXISTS = 0xC019_000F;
    /// The transaction could not be passed on.
    TRANSACTION_PROPAGATION_FAILED = 0xC019_0010;
    /// There is no such protocol.
    CRM_PROTOCOL_NOT_FOUND = 0xC019_0011;
    /// The transaction has a superior already.
    TRANSACTION_SUPERIOR_EXISTS = 0xC019_0012;
    /// The transaction is in the wrong state for this.
    TRANSACTION_REQUEST_NOT_VALID = 0xC019_0013;
    /// The transaction did not ask for this.
    TRANSACTION_NOT_REQUESTED = 0xC019_0014;
    /// The transaction was aborted before.
    TRANSACTION_ALREADY_ABORTED = 0xC019_0015;
    /// The transaction was committed before.
    TRANSACTION_ALREADY_COMMITTED = 0xC019_0016;
    /// The transaction's data for another process are not well formed.
    TRANSACTION_INVALID_MARSHALL_BUFFER = 0xC019_0017;
    /// The thread's transaction is not valid.
    CURRENT_TRANSACTION_NOT_VALID = 0xC019_0018;
    /// The log could not grow.
    LOG_GROWTH_FAILED = 0xC019_0019;
    /// The object does not exist any more.
    OBJECT_NO_LONGER_EXISTS = 0xC019_0021;
    /// The file has no such version inside the transaction.
    STREAM_MINIVERSION_NOT_FOUND = 0xC019_0022;
    /// The file's version inside the transaction is not valid any more.
    STREAM_MINIVERSION_NOT_VALID = 0xC019_0023;
    /// A version inside a transaction can only be read.
    CANT_OPEN_MINIVERSION_WITH_MODIFY_INTENT = 0xC019_0025;
    /// The file has as many versions inside the transaction as it may have.
    CANT_CREATE_MORE_STREAM_MINIVERSIONS = 0xC019_0026;
    /// The handle's transaction is over.
    HANDLE_NO_LONGER_VALID = 0xC019_0028;
    /// The log is damaged.
    LOG_CORRUPTION_DETECTED = 0xC019_0030;
    /// The resource manager is disconnected.
    RM_DISCONNECTED = 0xC019_0032;
    /// The enlistment is not a superior one.
    ENLISTMENT_NOT_SUPERIOR = 0xC019_0033;
    /// The file's identity does not survive.
    FILE_IDENTITY_NOT_PERSISTENT = 0xC019_0036;
    /// The transaction depends on another.
    CANT_BREAK_TRANSACTIONAL_DEPENDENCY = 0xC019_0037;
    /// The name would cross into another resource manager.
    CANT_CROSS_RM_BOUNDARY = 0xC019_0038;
    /// The resource manager's directory is not empty.
    TXF_DIR_NOT_EMPTY = 0xC019_0039;
    /// Transactions are still undecided.
    INDOUBT_TRANSACTIONS_EXIST = 0xC019_003A;
    /// The transaction manager has no log.
    TM_VOLATILE = 0xC019_003B;
    /// The time for rolling back ran out.
    ROLLBACK_TIMER_EXPIRED = 0xC019_003C;
    /// The file's transaction data are damaged.
    TXF_ATTRIBUTE_CORRUPT = 0xC019_003D;
    /// Encryption is not possible inside a transaction.
    EFS_NOT_ALLOWED_IN_TRANSACTION = 0xC019_003E;
    /// The file cannot be opened inside a transaction.
    TRANSACTIONAL_OPEN_NOT_ALLOWED = 0xC019_003F;
    /// A view inside a transaction is not possible over the network.
    TRANSACTED_MAPPING_UNSUPPORTED_REMOTE = 0xC019_0040;
    /// The transaction has to be promoted.
    TRANSACTION_REQUIRED_PROMOTION = 0xC019_0043;
    /// A program cannot be started inside a transaction.
    CANNOT_EXECUTE_FILE_IN_TRANSACTION = 0xC019_0044;
    /// Transactions are not frozen.
    TRANSACTIONS_NOT_FROZEN = 0xC019_0045;
    /// Transactions are being frozen.
    TRANSACTION_FREEZE_IN_PROGRESS = 0xC019_0046;
    /// The volume is no snapshot.
    NOT_SNAPSHOT_VOLUME = 0xC019_0047;
    /// Open files forbid a savepoint.
    NO_SAVEPOINT_WITH_OPEN_FILES = 0xC019_0048;
    /// A file cannot become sparse inside a transaction.
    SPARSE_NOT_ALLOWED_IN_TRANSACTION = 0xC019_0049;
    /// The log belongs to another transaction manager.
    TM_IDENTITY_MISMATCH = 0xC019_004A;
    /// The view's transaction is over.
    FLOATED_SECTION = 0xC019_004B;
    /// The resource manager takes no more work.
    CANNOT_ACCEPT_TRANSACTED_WORK = 0xC019_004C;
    /// Transactions cannot be aborted.
    CANNOT_ABORT_TRANSACTIONS = 0xC019_004D;
    /// There is no such transaction.
    TRANSACTION_NOT_FOUND = 0xC019_004E;
    /// There is no such resource manager.
    RESOURCEMANAGER_NOT_FOUND = 0xC019_004F;
    /// There is no such enlistment.
    ENLISTMENT_NOT_FOUND = 0xC019_0050;
    /// There is no such transaction manager.
    TRANSACTIONMANAGER_NOT_FOUND = 0xC019_0051;
    /// The transaction manager is not on line.
    TRANSACTIONMANAGER_NOT_ONLINE = 0xC019_0052;
    /// The transaction is not the outermost one.
    TRANSACTION_NOT_ROOT = 0xC019_0054;
    /// The transaction's object has expired.
    TRANSACTION_OBJECT_EXPIRED = 0xC019_0055;
    /// Compression is not possible inside a transaction.
    COMPRESSION_NOT_ALLOWED_IN_TRANSACTION = 0xC019_0056;
    /// The answer comes from somebody who is not enlisted.
    TRANSACTION_RESPONSE_NOT_ENLISTED = 0xC019_0057;
    /// The transaction's record is too long.
    TRANSACTION_RECORD_TOO_LONG = 0xC019_0058;
    /// Link tracking is not possible inside a transaction.
    NO_LINK_TRACKING_IN_TRANSACTION = 0xC019_0059;
    /// This is not possible inside a transaction.
    OPERATION_NOT_SUPPORTED_IN_TRANSACTION = 0xC019_005A;
    /// The transaction did not keep what it promised.
    TRANSACTION_INTEGRITY_VIOLATED = 0xC019_005B;
    /// It is another transaction manager than expected.
    TRANSACTIONMANAGER_IDENTITY_MISMATCH = 0xC019_005C;
    /// The resource manager cannot be frozen for a snapshot.
    RM_CANNOT_BE_FROZEN_FOR_SNAPSHOT = 0xC019_005D;
    /// The transaction has to write through.
    TRANSACTION_MUST_WRITETHROUGH = 0xC019_005E;
    /// The transaction has no superior.
    TRANSACTION_NO_SUPERIOR = 0xC019_005F;
    /// The handle has expired.
    EXPIRED_HANDLE = 0xC019_0060;
    /// The transaction has no such enlistment.
    TRANSACTION_NOT_ENLISTED = 0xC019_0061;
    /// Another filter is at that altitude.
    FLT_INSTANCE_ALTITUDE_COLLISION = 0xC01C_0011;

    // Errors of activation contexts.
    /// The activation context has no such section.
    SXS_SECTION_NOT_FOUND = 0xC015_0001;
    /// The activation context could not be made.
    SXS_CANT_GEN_ACTCTX = 0xC015_0002;
    /// The activation context is not well formed.
    SXS_INVALID_ACTCTXDATA_FORMAT = 0xC015_0003;
    /// There is no such assembly.
    SXS_ASSEMBLY_NOT_FOUND = 0xC015_0004;
    /// The manifest is not well formed.
    SXS_MANIFEST_FORMAT_ERROR = 0xC015_0005;
    /// The manifest could not be parsed.
    SXS_MANIFEST_PARSE_ERROR = 0xC015_0006;
    /// The activation context is disabled.
    SXS_ACTIVATION_CONTEXT_DISABLED = 0xC015_0007;
    /// The activation context has no such key.
    SXS_KEY_NOT_FOUND = 0xC015_0008;
    /// Two versions of an assembly conflict.
    SXS_VERSION_CONFLICT = 0xC015_0009;
    /// The section is of another type.
    SXS_WRONG_SECTION_TYPE = 0xC015_000A;
    /// The thread's activation context may not be asked.
    SXS_THREAD_QUERIES_DISABLED = 0xC015_000B;
    /// An assembly is missing.
    SXS_ASSEMBLY_MISSING = 0xC015_000C;
    /// The process's activation context was set before.
    SXS_PROCESS_DEFAULT_ALREADY_SET = 0xC015_000E;
    /// The activation context is not the innermost one.
    SXS_EARLY_DEACTIVATION = 0xC015_000F;
    /// The activation context is not active.
    SXS_INVALID_DEACTIVATION = 0xC015_0010;
    /// The activation context was deactivated before.
    SXS_MULTIPLE_DEACTIVATION = 0xC015_0011;
    /// The process has to end.
    SXS_PROCESS_TERMINATION_REQUESTED = 0xC015_0013;
    /// The stack of activation contexts is damaged.
    SXS_CORRUPT_ACTIVATION_STACK = 0xC015_0014;
    /// Side-by-side data are damaged.
    SXS_CORRUPTION = 0xC015_0015;
    /// An attribute of an identity has a wrong value.
    SXS_INVALID_IDENTITY_ATTRIBUTE_VALUE = 0xC015_0016;
    /// An identity has no such attribute.
    SXS_INVALID_IDENTITY_ATTRIBUTE_NAME = 0xC015_0017;
    /// An identity has an attribute twice.
    SXS_IDENTITY_DUPLICATE_ATTRIBUTE = 0xC015_0018;
    /// An identity is not well formed.
    SXS_IDENTITY_PARSE_ERROR = 0xC015_0019;
    /// A file of the assembly has another hash.
    SXS_FILE_HASH_MISMATCH = 0xC015_001B;
    /// The assembly is no deployment.
    SXS_ASSEMBLY_IS_NOT_A_DEPLOYMENT = 0xC015_001E;
}
