//! `services`: the reference page of system services, `docs/services.md`, written from the table.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};
use nt_abi::services::arguments::{ArgumentKind, Direction, Length, Target};
use nt_abi::services::{Argument, Component, SERVICES, Service, State};

use crate::workspace::Workspace;

/// The page.
pub(crate) const PAGE: &str = "docs/services.md";

const OPENING: &str = "\
# System services

Every service that the table in `kernel/abi/src/services/table` declares. This page is written by
`cargo xtask services`; change the table, never the page.

`done` means that the kernel has the service, all of it unless the last column says what is not done or is otherwise than
in NT; an information class that is not done gives an error. A `planned` one answers `STATUS_NOT_IMPLEMENTED`. Numbers are not
listed: a service's is its place in the table, private to one build of the kernel and its ntdll.

An argument is `name: type`. `in`, `out` and `inout` are pointers to what the service reads, writes, or both; one
with `?` may be null. `[next]` and `[previous]` say that the argument beside it holds the length in bytes, or the
number of elements; `[...]` that the service's description tells.
";

/// `cargo xtask services`: writes the page, and prints how many services are done.
pub(crate) fn command(workspace: &Workspace) -> Result<()> {
    let changed = !is_up_to_date(workspace);
    write(workspace)?;
    let state = if changed {
        "written anew"
    } else {
        "was up to date"
    };
    println!(
        "{} of the kernel's system services are done; {PAGE} {state}",
        share(SERVICES)
    );
    Ok(())
}

/// Writes the page.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    fs::write(workspace.root().join(PAGE), page())
        .with_context(|| format!("{PAGE} cannot be written"))
}

/// Whether the page says what the table says.
pub(crate) fn is_up_to_date(workspace: &Workspace) -> bool {
    fs::read_to_string(workspace.root().join(PAGE)).is_ok_and(|text| text == page())
}

/// The services that are called done and that no text calls outside of comments.
pub(crate) fn uncalled<'a>(services: &[Service], texts: &[&'a str]) -> Vec<&'static str> {
    let calls = |text: &'a str, name: &str| {
        text.match_indices(name).any(|(at, _)| {
            let line = text[..at].rsplit('\n').next().unwrap_or_default();
            let before = line.chars().next_back();
            let is_whole = !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
            is_whole && !line.contains("//") && text[at + name.len()..].starts_with('(')
        })
    };
    services
        .iter()
        .filter(|service| service.state == State::Done)
        .map(|service| service.name)
        .filter(|name| !texts.iter().any(|text| calls(text, name)))
        .collect()
}

fn page() -> String {
    let mut page = OPENING.to_owned();
    let groups: Vec<&[Service]> = SERVICES
        .chunk_by(|left, right| left.component == right.component)
        .collect();
    page += "\n| component | services | done |\n|---|---|---|\n";
    for group in &groups {
        let (name, title) = names(group[0].component);
        let done = share(group);
        page += &format!(
            "| [`{name}`](#{name}): {title} | {} | {done} |\n",
            group.len()
        );
    }
    page += &format!(
        "| all that are the kernel's | {} | {} |\n",
        of_kernel(SERVICES).count(),
        share(SERVICES)
    );
    for group in groups {
        page += &section(group);
    }
    page
}

/// The services of one component.
fn section(group: &[Service]) -> String {
    let (name, title) = names(group[0].component);
    let mut text = format!(
        "\n## {name}\n\n{}{}.\n\n",
        title[..1].to_uppercase(),
        &title[1..]
    );
    text += "| service | state | arguments | what it does | not done, or otherwise |\n|---|---|---|---|---|\n";
    for service in group {
        let state = match service.state {
            State::Done => "done",
            State::Planned => "planned",
        };
        let arguments: Vec<String> = service.arguments.iter().map(argument).collect();
        text += &format!(
            "| `{}` | {state} | {} | {} | {} |\n",
            service.name,
            arguments.join(", "),
            service.summary().replace('|', "\\|"),
            service.note().replace('|', "\\|")
        );
    }
    text
}

fn argument(argument: &Argument) -> String {
    format!("`{}: {}`", argument.name, kind(argument.kind))
}

fn kind(kind: ArgumentKind) -> String {
    match kind {
        ArgumentKind::Handle => "HANDLE".into(),
        ArgumentKind::Boolean => "BOOLEAN".into(),
        ArgumentKind::Status => "NTSTATUS".into(),
        ArgumentKind::AccessMask => "ACCESS_MASK".into(),
        ArgumentKind::Address => "PVOID".into(),
        ArgumentKind::Unsigned8 => "UCHAR".into(),
        ArgumentKind::Unsigned16 => "USHORT".into(),
        ArgumentKind::Unsigned32 => "ULONG".into(),
        ArgumentKind::Signed32 => "LONG".into(),
        ArgumentKind::Unsigned64 => "ULONGLONG".into(),
        ArgumentKind::Size => "SIZE_T".into(),
        ArgumentKind::Enumeration(name) => name.into(),
        ArgumentKind::Pointer {
            direction,
            optional,
            target,
        } => pointer(direction, optional, target),
    }
}

fn pointer(direction: Direction, optional: bool, target: Target) -> String {
    let mut text = String::from(match direction {
        Direction::In => "in",
        Direction::Out => "out",
        Direction::InOut => "inout",
    });
    if optional {
        text.push('?');
    }
    let (name, length) = match target {
        Target::One(name) => (name, ""),
        Target::Array(name, length) => (name, place(length)),
        Target::Bytes(length) => ("bytes", place(length)),
    };
    // Writing to a String cannot fail.
    let _ = write!(text, " {name}{length}");
    text
}

fn place(length: Length) -> &'static str {
    match length {
        Length::Next => "[next]",
        Length::Previous => "[previous]",
        Length::Elsewhere => "[...]",
    }
}

/// How many of these are done, of those that the kernel will ever have: `3 of 40 (7 %)`.
fn share(services: &[Service]) -> String {
    let all = of_kernel(services).count();
    if all == 0 {
        return "not the kernel's".into();
    }
    let done = of_kernel(services)
        .filter(|service| service.state == State::Done)
        .count();
    format!("{done} of {all} ({} %)", done * 100 / all)
}

fn of_kernel(services: &[Service]) -> impl Iterator<Item = &Service> {
    services
        .iter()
        .filter(|service| service.component != Component::Wow64)
}

/// A component's name and what it is.
fn names(component: Component) -> (&'static str, &'static str) {
    match component {
        Component::Alpc => ("alpc", "ports and messages"),
        Component::Cm => ("cm", "the configuration manager: the registry"),
        Component::Dbgk => ("dbgk", "user-mode debugging"),
        Component::Etw => ("etw", "event tracing"),
        Component::Ex => ("ex", "the executive's own objects and settings"),
        Component::Io => ("io", "files, devices, completion ports, drivers"),
        Component::Ke => ("ke", "the kernel core: contexts, exceptions, yielding"),
        Component::Mm => ("mm", "virtual memory, sections, paging files"),
        Component::Ob => ("ob", "handles, directories, waits on any object"),
        Component::Po => ("po", "power, and plug and play"),
        Component::Ps => ("ps", "processes, threads, jobs"),
        Component::Se => ("se", "tokens, access checks, audits"),
        Component::Tm => ("tm", "the kernel transaction manager"),
        Component::Wnf => ("wnf", "the Windows notification facility"),
        Component::Wow64 => (
            "wow64",
            "services of a 32-bit ntdll alone, which the WoW64 layer answers",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_one_row() {
        let page = page();
        for service in SERVICES {
            let row = format!("| `{}` | ", service.name);
            assert_eq!(page.matches(&row).count(), 1, "{row}");
        }
    }

    #[test]
    fn types_are_written_as_explained() {
        let array = Target::Array("HANDLE", Length::Previous);
        assert_eq!(pointer(Direction::In, false, array), "in HANDLE[previous]");
        let bytes = Target::Bytes(Length::Next);
        assert_eq!(pointer(Direction::InOut, true, bytes), "inout? bytes[next]");
        assert_eq!(kind(ArgumentKind::Enumeration("WAIT_TYPE")), "WAIT_TYPE");
    }

    #[test]
    fn a_service_is_called_by_its_whole_name() {
        let service = |name, state| Service {
            number: 0,
            name,
            component: SERVICES[0].component,
            state,
            arguments: &[],
        };
        let services = [
            service("NtClose", State::Done),
            service("NtCloseEx", State::Done),
            service("NtOpen", State::Planned),
        ];
        assert_eq!(uncalled(&services, &[]), ["NtClose", "NtCloseEx"]);
        assert_eq!(
            uncalled(&services, &["NtCloseEx(1)", "use NtClose;"]),
            ["NtClose"]
        );
        assert_eq!(
            uncalled(&services, &["(NtClose(1), ANtCloseEx(1))"]),
            ["NtCloseEx"]
        );
        let comment = ["NtCloseEx(1)\n  /// as NtClose(1)\n"];
        assert_eq!(uncalled(&services, &comment), ["NtClose"]);
        let all = uncalled(&services, &["NtCloseEx(1)", "NtClose(0)"]);
        assert!(all.is_empty());
    }

    #[test]
    fn shares_are_of_the_kernels_own() {
        let service = |component, state| Service {
            number: 0,
            name: "NtX",
            component,
            state,
            arguments: &[],
        };
        let services = [
            service(Component::Ob, State::Done),
            service(Component::Ob, State::Planned),
            service(Component::Ob, State::Planned),
            service(Component::Wow64, State::Planned),
        ];
        assert_eq!(share(&services), "1 of 3 (33 %)");
        assert_eq!(share(&services[3..]), "not the kernel's");
    }
}
