//! Services that are called with care, or not at all, and why.

use nt_abi::services::Service;

/// What care is taken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// None: any arguments.
    Any,
    /// Handles are nobody's and pointers lead nowhere, so that the service refuses.
    Refused,
    /// Any arguments but these numbers for its class.
    NotClasses(&'static [u32]),
    /// It is not called.
    Never,
}

/// The services, and the reason for each.
const RULES: &[(&str, Rule, &str)] = &[
    (
        "NtAlpcSendWaitReceivePort",
        Rule::Refused,
        "waits for a message",
    ),
    (
        "NtAssignProcessToJobObject",
        Rule::Refused,
        "a job can end the program, also when its last handle is closed",
    ),
    (
        "NtCallbackReturn",
        Rule::Never,
        "there is no callback to return from",
    ),
    ("NtChangeProcessState", Rule::Refused, "stops the program"),
    ("NtChangeThreadState", Rule::Refused, "stops the program"),
    ("NtContinue", Rule::Refused, "sets the program's registers"),
    (
        "NtContinueEx",
        Rule::Refused,
        "sets the program's registers",
    ),
    (
        "NtCreateThread",
        Rule::Refused,
        "a thread that starts anywhere ends the program by its fault",
    ),
    (
        "NtCreateThreadEx",
        Rule::Refused,
        "a thread that starts anywhere ends the program by its fault",
    ),
    (
        "NtDebugActiveProcess",
        Rule::Refused,
        "stops the program until a debugger lets it go",
    ),
    (
        "NtDisplayString",
        Rule::Refused,
        "writes anything on the console",
    ),
    (
        "NtInitiatePowerAction",
        Rule::Never,
        "switches the machine off",
    ),
    ("NtListenPort", Rule::Refused, "waits for a client"),
    (
        "NtQueueApcThread",
        Rule::Refused,
        "runs anything in the program",
    ),
    (
        "NtQueueApcThreadEx",
        Rule::Refused,
        "runs anything in the program",
    ),
    (
        "NtQueueApcThreadEx2",
        Rule::Refused,
        "runs anything in the program",
    ),
    (
        "NtRaiseException",
        Rule::Refused,
        "ends the program, which has no handler",
    ),
    (
        "NtReplyWaitReceivePort",
        Rule::Refused,
        "waits for a message",
    ),
    ("NtReplyWaitReplyPort", Rule::Refused, "waits for a message"),
    (
        "NtRequestWaitReplyPort",
        Rule::Refused,
        "waits for an answer",
    ),
    (
        "NtSetContextThread",
        Rule::Refused,
        "sets the program's registers",
    ),
    (
        "NtSetInformationProcess",
        // ProcessBreakOnTermination, ProcessInstrumentationCallback.
        Rule::NotClasses(&[29, 40]),
        "makes the program's end a bug check, as Windows does; sets where the program goes on after each call",
    ),
    (
        "NtSetInformationThread",
        // ThreadBreakOnTermination.
        Rule::NotClasses(&[18]),
        "makes the thread's end a bug check, as Windows does",
    ),
    (
        "NtSetSystemPowerState",
        Rule::Never,
        "switches the machine off",
    ),
    (
        "NtSetTimerEx",
        Rule::Refused,
        "names a routine that then runs in the program",
    ),
    ("NtShutdownSystem", Rule::Never, "switches the machine off"),
    ("NtSuspendProcess", Rule::Refused, "stops the program"),
    ("NtSuspendThread", Rule::Refused, "stops the program"),
    (
        "NtTerminateJobObject",
        Rule::Refused,
        "ends the program if it is in the job",
    ),
    ("NtTerminateProcess", Rule::Refused, "ends the program"),
    ("NtTerminateThread", Rule::Refused, "ends the program"),
    (
        "NtWaitForWorkViaWorkerFactory",
        Rule::Refused,
        "waits for work",
    ),
];

/// The care that a service needs.
pub(super) fn rule(service: &Service) -> Rule {
    RULES
        .iter()
        .find(|(name, ..)| *name == service.name)
        .map_or(Rule::Any, |(_, rule, _)| *rule)
}

/// How long a wait may last: an argument with one of these names is zero, or leads nowhere.
pub(super) fn is_timeout(name: &str) -> bool {
    matches!(name, "timeout" | "delay_interval")
}

/// What runs in the program: an argument with this name is null.
pub(super) fn is_routine(name: &str) -> bool {
    name.ends_with("routine")
}

/// Whether a service gives memory whose address it writes, and which has to be given back.
pub(super) fn makes_memory(service: &Service) -> bool {
    matches!(
        service.name,
        "NtAllocateVirtualMemory"
            | "NtAllocateVirtualMemoryEx"
            | "NtMapViewOfSection"
            | "NtMapViewOfSectionEx"
    )
}
