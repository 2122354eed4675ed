//! Services that are called with care, or not at all, and why.

use nt_abi::services::arguments::{ArgumentKind, Direction, Target};
use nt_abi::services::{Component, Service};

/// What care is taken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// None: any arguments.
    Any,
    /// Handles are nobody's and pointers lead nowhere, so that the service refuses.
    Refused,
    /// Processes and threads are victims; without one as [`Refused`](Self::Refused).
    Victim,
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
        Rule::Victim,
        "a job can end the program, also when its last handle is closed; so the program is in none",
    ),
    (
        "NtCallbackReturn",
        Rule::Never,
        "there is no callback to return from",
    ),
    ("NtChangeProcessState", Rule::Victim, "stops the program"),
    ("NtChangeThreadState", Rule::Victim, "stops the program"),
    ("NtContinue", Rule::Refused, "sets the program's registers"),
    (
        "NtContinueEx",
        Rule::Refused,
        "sets the program's registers",
    ),
    (
        "NtCreateThread",
        Rule::Victim,
        "a thread that starts anywhere ends the program by its fault",
    ),
    (
        "NtCreateThreadEx",
        Rule::Victim,
        "a thread that starts anywhere ends the program by its fault",
    ),
    (
        "NtDebugActiveProcess",
        Rule::Victim,
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
        Rule::Victim,
        "runs anything in the program",
    ),
    (
        "NtQueueApcThreadEx",
        Rule::Victim,
        "runs anything in the program",
    ),
    (
        "NtQueueApcThreadEx2",
        Rule::Victim,
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
        Rule::Victim,
        "sets the program's registers",
    ),
    (
        "NtSetInformationProcess",
        // ProcessQuotaLimits, ProcessBreakOnTermination, ProcessInstrumentationCallback.
        Rule::NotClasses(&[1, 29, 40]),
        "leaves the program no memory; makes its end a bug check, as Windows does; sets where it goes on after each call",
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
    ("NtSuspendProcess", Rule::Victim, "stops the program"),
    ("NtSuspendThread", Rule::Victim, "stops the program"),
    ("NtTerminateProcess", Rule::Victim, "ends the program"),
    ("NtTerminateThread", Rule::Victim, "ends the program"),
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

/// Whether a service makes handles.
pub(super) fn makes_handles(service: &Service) -> bool {
    service.arguments.iter().any(|argument| {
        matches!(
            argument.kind,
            ArgumentKind::Pointer {
                direction: Direction::Out | Direction::InOut,
                target: Target::One("HANDLE"),
                ..
            }
        )
    })
}

/// Whether a service works on the memory of the process that it is given.
pub(super) fn uses_memory(service: &Service) -> bool {
    service.component == Component::Mm
        && service
            .arguments
            .first()
            .is_some_and(|first| first.name == "process" && first.kind == ArgumentKind::Handle)
        || service.name.starts_with("NtMapViewOfSection")
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
