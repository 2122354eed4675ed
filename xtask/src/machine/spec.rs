//! One machine to run on, and sets of machines written as axes that are multiplied.

use anyhow::{Result, bail};
use regex::Regex;
use serde::Deserialize;

use crate::board::Board;

/// A machine: a board with its free quantities fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// The number of processors.
    pub(crate) cpus: u32,
    /// The amount of memory, as QEMU writes it: `256M`, `8G`.
    pub(crate) memory: String,
    /// The version of the ARM interrupt controller, where one can choose.
    pub(crate) gic: Option<u8>,
    /// The exception level of entry, where one can choose.
    pub(crate) entry: Option<String>,
    /// The CPU model, where one can choose.
    pub(crate) cpu: Option<String>,
    /// Whether time is counted in instructions, which makes a run repeatable.
    pub(crate) icount: bool,
    /// Whether one host thread plays all processors in turn.
    pub(crate) single_thread: bool,
    /// Whether the firmware gives ACPI tables.
    pub(crate) acpi: bool,
    /// Whether the host's hardware virtualization is used.
    pub(crate) kvm: bool,
}

/// The names that can stand in braces in a board's data and in dialogues.
pub(crate) const PLACEHOLDERS: [&str; 5] = ["cpus", "memory", "gic", "entry", "cpu"];

/// One value or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany<T> {
    /// One.
    One(T),
    /// Several: each makes a machine.
    Many(Vec<T>),
}

impl<T: Clone> OneOrMany<T> {
    fn values(axis: Option<&Self>) -> Vec<Option<T>> {
        match axis {
            None => vec![None],
            Some(Self::One(value)) => vec![Some(value.clone())],
            Some(Self::Many(values)) => values.iter().cloned().map(Some).collect(),
        }
    }
}

/// A set of machines: every combination of the values that are given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Axes {
    /// See [`Machine::cpus`].
    pub(crate) cpus: Option<OneOrMany<u32>>,
    /// See [`Machine::memory`].
    pub(crate) memory: Option<OneOrMany<String>>,
    /// See [`Machine::gic`].
    pub(crate) gic: Option<OneOrMany<u8>>,
    /// See [`Machine::entry`].
    pub(crate) entry: Option<OneOrMany<String>>,
    /// See [`Machine::cpu`].
    pub(crate) cpu: Option<OneOrMany<String>>,
    /// See [`Machine::icount`].
    pub(crate) icount: Option<bool>,
    /// `single` or `multi`: see [`Machine::single_thread`].
    pub(crate) thread: Option<Thread>,
    /// See [`Machine::acpi`].
    pub(crate) acpi: Option<bool>,
}

/// How host threads play processors.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Thread {
    /// One thread for all.
    Single,
    /// One thread for each.
    Multi,
}

/// What a person or a case asks for; what is absent takes the board's default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// See [`Machine::cpus`].
    pub(crate) cpus: Option<u32>,
    /// See [`Machine::memory`].
    pub(crate) memory: Option<String>,
    /// See [`Machine::gic`].
    pub(crate) gic: Option<u8>,
    /// See [`Machine::entry`].
    pub(crate) entry: Option<String>,
    /// See [`Machine::cpu`].
    pub(crate) cpu: Option<String>,
    /// See [`Machine::icount`].
    pub(crate) icount: bool,
    /// See [`Machine::single_thread`].
    pub(crate) single_thread: bool,
    /// Whether ACPI is taken away.
    pub(crate) no_acpi: bool,
    /// See [`Machine::kvm`].
    pub(crate) kvm: bool,
}

impl Axes {
    /// These axes, with every axis that `over` gives taken from there.
    pub(crate) fn overlaid(&self, over: &Self) -> Self {
        Self {
            cpus: over.cpus.clone().or_else(|| self.cpus.clone()),
            memory: over.memory.clone().or_else(|| self.memory.clone()),
            gic: over.gic.clone().or_else(|| self.gic.clone()),
            entry: over.entry.clone().or_else(|| self.entry.clone()),
            cpu: over.cpu.clone().or_else(|| self.cpu.clone()),
            icount: over.icount.or(self.icount),
            thread: over.thread.or(self.thread),
            acpi: over.acpi.or(self.acpi),
        }
    }

    /// Every combination.
    pub(crate) fn combine(&self) -> Vec<Wishes> {
        let mut all = Vec::new();
        for gic in OneOrMany::values(self.gic.as_ref()) {
            for entry in OneOrMany::values(self.entry.as_ref()) {
                for cpus in OneOrMany::values(self.cpus.as_ref()) {
                    for memory in OneOrMany::values(self.memory.as_ref()) {
                        for cpu in OneOrMany::values(self.cpu.as_ref()) {
                            all.push(Wishes {
                                cpus,
                                memory: memory.clone(),
                                gic,
                                entry: entry.clone(),
                                cpu,
                                icount: self.icount.unwrap_or(false),
                                single_thread: self.thread == Some(Thread::Single),
                                no_acpi: self.acpi == Some(false),
                                kvm: false,
                            });
                        }
                    }
                }
            }
        }
        all
    }
}

impl Wishes {
    /// What is asked for, as the end of a test's name: `.gic3.cpus4`; empty for the default machine.
    pub(crate) fn suffix(&self) -> String {
        let parts = [
            self.gic.map(|gic| format!("gic{gic}")),
            self.entry.clone(),
            self.cpus.map(|cpus| format!("cpus{cpus}")),
            self.memory.clone(),
            self.cpu.clone(),
            self.icount.then(|| "icount".to_owned()),
            self.single_thread.then(|| "single".to_owned()),
            self.no_acpi.then(|| "noacpi".to_owned()),
        ];
        parts
            .into_iter()
            .flatten()
            .map(|part| format!(".{part}"))
            .collect()
    }

    /// The machine on this board, or a sentence that says which limit forbids it.
    pub(crate) fn on(&self, board: &Board) -> Result<Machine> {
        let name = &board.name;
        let machine = Machine {
            cpus: self.cpus.unwrap_or(board.cpus.default),
            memory: self
                .memory
                .clone()
                .unwrap_or_else(|| board.memory.default.clone()),
            gic: choose(name, "gic", self.gic, &board.gic)?,
            entry: choose(name, "entry", self.entry.clone(), &board.entry)?,
            cpu: match (&self.cpu, &board.cpu) {
                (Some(_), None) => bail!("{name} has its own CPU: leave `--cpu` out"),
                (wish, default) => wish.clone().or_else(|| default.clone()),
            },
            icount: self.icount,
            single_thread: self.single_thread,
            acpi: !self.no_acpi,
            kvm: self.kvm,
        };
        check_limits(board, &machine)?;
        check_cpu(board, &machine)?;
        if !machine.acpi && !board.machine_options.contains_key("acpi=false") {
            bail!("{name} describes itself without ACPI: leave `--no-acpi` out");
        }
        if machine.kvm && machine.icount {
            bail!("instructions cannot be counted under KVM: leave out `--kvm` or `--icount`");
        }
        Ok(machine)
    }
}

fn choose<T: Clone + PartialEq + std::fmt::Display>(
    board: &str,
    what: &str,
    wish: Option<T>,
    allowed: &[T],
) -> Result<Option<T>> {
    let Some(wish) = wish else {
        return Ok(allowed.first().cloned());
    };
    if allowed.is_empty() {
        bail!("{board} has no choice of `{what}`: leave `--{what}` out");
    }
    if !allowed.contains(&wish) {
        let list: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        bail!(
            "{board} has no `{what}` {wish}: choose {}",
            list.join(" or ")
        );
    }
    Ok(Some(wish))
}

fn check_cpu(board: &Board, machine: &Machine) -> Result<()> {
    let Some(cpu) = &machine.cpu else {
        return Ok(());
    };
    let model = cpu.split(',').next().unwrap_or_default();
    for refused in &board.refused_cpu {
        if Regex::new(&format!("^(?:{})$", refused.pattern))?.is_match(model) {
            bail!(
                "{} cannot have the CPU {model} because {}: ask for another, such as {}",
                board.name,
                refused.why,
                board.cpu.as_deref().unwrap_or("the board's own")
            );
        }
    }
    Ok(())
}

fn check_limits(board: &Board, machine: &Machine) -> Result<()> {
    let (name, cpus) = (&board.name, &board.cpus);
    if machine.cpus < cpus.min || machine.cpus > cpus.max {
        let range = if cpus.min == cpus.max {
            cpus.min.to_string()
        } else {
            format!("{} to {}", cpus.min, cpus.max)
        };
        bail!(
            "{name} cannot have {} processors because {}: ask for {range}",
            machine.cpus,
            cpus.why
        );
    }
    let memory = &board.memory;
    let bytes = parse_size(&machine.memory)?;
    let (least, most) = (parse_size(&memory.min)?, parse_size(&memory.max)?);
    if bytes < least || bytes > most {
        let range = if least == most {
            memory.min.clone()
        } else {
            format!("{} to {}", memory.min, memory.max)
        };
        let why = match &memory.why_more {
            Some(why) if bytes > most => why,
            _ => &memory.why,
        };
        bail!(
            "{name} cannot have {} of memory because {why}: ask for {range}",
            with_unit(&machine.memory)
        );
    }
    for limit in &board.limit {
        if machine.fulfils(&limit.when) && machine.cpus > limit.cpus {
            bail!(
                "{name} cannot have {} processors with {} because {}: ask for fewer",
                machine.cpus,
                limit.when,
                limit.why
            );
        }
    }
    Ok(())
}

impl Machine {
    /// Whether a condition `name=value` of a board's data holds.
    pub(crate) fn fulfils(&self, condition: &str) -> bool {
        let Some((name, wanted)) = condition.split_once('=') else {
            return false;
        };
        self.value(name).is_some_and(|value| value == wanted)
    }

    /// The value of a quantity by its name, as placeholders and conditions use it.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        match name {
            "cpus" => Some(self.cpus.to_string()),
            "memory" => Some(self.memory.clone()),
            "gic" => self.gic.map(|gic| gic.to_string()),
            "entry" => self.entry.clone(),
            "cpu" => self.cpu.clone(),
            "icount" => Some(self.icount.to_string()),
            "acpi" => Some(self.acpi.to_string()),
            _ => None,
        }
    }

    /// Replaces `{cpus}`, `{memory}`, `{gic}`, `{entry}` and `{cpu}` in a text.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for name in PLACEHOLDERS {
            if let Some(value) = self.value(name) {
                filled = filled.replace(&format!("{{{name}}}"), &value);
            }
        }
        filled
    }
}

/// Reads a size such as `512M` or `8G`; a bare number is in mebibytes, as in QEMU.
pub(crate) fn parse_size(text: &str) -> Result<u64> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 30),
        _ => (text, 20),
    };
    let size = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift));
    match size {
        Some(size) => Ok(size),
        None => bail!("{text:?} is no amount of memory: write a number with M or G, such as 512M"),
    }
}

/// A size as it is meant: what has no unit is in mebibytes.
fn with_unit(text: &str) -> String {
    let bare = text.ends_with(|last: char| last.is_ascii_digit());
    format!("{text}{}", if bare { "M" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    fn board(name: &str) -> Board {
        Board::load(&Workspace::discover().unwrap(), name).unwrap()
    }

    fn axes(text: &str) -> Axes {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn axes_multiply() {
        let names: Vec<String> = axes("gic = [2, 3]\ncpus = [1, 4]")
            .combine()
            .iter()
            .map(Wishes::suffix)
            .collect();
        assert_eq!(
            names,
            [".gic2.cpus1", ".gic2.cpus4", ".gic3.cpus1", ".gic3.cpus4"]
        );
        assert_eq!(axes("").combine()[0].suffix(), "");
    }

    #[test]
    fn an_overlay_wins() {
        let both =
            axes("cpus = [1, 2]\nmemory = '1G'").overlaid(&axes("cpus = 8\nthread = 'single'"));
        let names: Vec<String> = both.combine().iter().map(Wishes::suffix).collect();
        assert_eq!(names, [".cpus8.1G.single"]);
    }

    #[test]
    fn the_pi_is_what_it_is() {
        let pi = board("raspi4");
        assert!(Wishes::default().on(&pi).is_ok());
        let refusals = [
            (
                Wishes {
                    cpus: Some(2),
                    ..Wishes::default()
                },
                "four",
            ),
            (
                Wishes {
                    memory: Some("1G".into()),
                    ..Wishes::default()
                },
                "2G",
            ),
            (
                Wishes {
                    gic: Some(3),
                    ..Wishes::default()
                },
                "leave `--gic` out",
            ),
            (
                Wishes {
                    cpu: Some("max".into()),
                    ..Wishes::default()
                },
                "own CPU",
            ),
        ];
        for (wishes, words) in refusals {
            let said = wishes.on(&pi).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn a_gicv2_serves_eight() {
        let virt = board("virt");
        let with = |gic, cpus| {
            Wishes {
                gic: Some(gic),
                cpus: Some(cpus),
                ..Wishes::default()
            }
            .on(&virt)
        };
        assert!(with(2, 8).is_ok() && with(3, 9).is_ok());
        assert!(with(2, 9).unwrap_err().to_string().contains("GICv2"));
        assert!(
            with(4, 1)
                .unwrap_err()
                .to_string()
                .contains("choose 3 or 2")
        );
        assert!(with(3, 0).is_err() && with(3, 65).is_err());
    }

    #[test]
    fn what_cannot_be_had_is_named_with_its_unit() {
        let virt = board("virt");
        let with = |memory: &str| {
            let memory = Some(memory.to_owned());
            Wishes {
                memory,
                ..Wishes::default()
            }
            .on(&virt)
        };
        let said = |memory| with(memory).unwrap_err().to_string();
        assert!(said("1").contains("cannot have 1M of"));
        assert!(said("1K").contains("cannot have 1K of"));
        assert!(with("512").is_ok());
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("8G").unwrap(), 8 << 30);
        assert_eq!(parse_size("256").unwrap(), 256 << 20);
        for wrong in [
            "",
            "G",
            "-1M",
            "1T",
            "99999999999999999999G",
            "18446744073709551615G",
        ] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
