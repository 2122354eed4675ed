//! Follows a kernel's serial log along a dialogue.

use anyhow::Result;
use regex::Regex;

use crate::machine::spec::Machine;
use crate::test::cases::{Step, expression};

/// A dialogue under way.
pub(super) struct Dialogue {
    steps: Vec<Line>,
    refused: Vec<Regex>,
    /// The step that is waited for.
    next: usize,
    /// All that was printed.
    log: String,
    /// From where the step is sought: behind the last match and the lines in which it was not found.
    at: usize,
    /// Where the lines begin that were not yet searched for what is refused.
    unsearched: usize,
}

enum Line {
    Expect(Regex),
    Send(String),
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Read on.
    Wait,
    /// Send this to the kernel, then ask again.
    Send(String),
    /// Something was printed that must never be.
    Refused(String),
}

impl Dialogue {
    /// Prepares a dialogue for one machine: `{cpus}` and the like become its values.
    pub(super) fn new(steps: &[Step], machine: &Machine) -> Result<Self> {
        let mut dialogue = Self {
            steps: Vec::new(),
            refused: Vec::new(),
            next: 0,
            log: String::new(),
            at: 0,
            unsearched: 0,
        };
        for step in steps {
            match step {
                Step::Expect(pattern) => dialogue
                    .steps
                    .push(Line::Expect(expression(&machine.fill(pattern))?)),
                Step::Send(text) => dialogue.steps.push(Line::Send(text.clone())),
                Step::Refuse(pattern) => dialogue.refused.push(expression(&machine.fill(pattern))?),
            }
        }
        Ok(dialogue)
    }

    /// Takes in what was printed.
    pub(super) fn hear(&mut self, text: &str) {
        self.log.push_str(text);
    }

    /// Moves on as far as the log allows. `all_heard` says that nothing may follow soon, so
    /// that a last line without an end counts too.
    pub(super) fn advance(&mut self, all_heard: bool) -> Action {
        // A number that is still being printed must not match: only whole lines are looked at. Those that were looked at
        // once are not again, as what is met is met within a line: a log can have thousands.
        let whole = self.log.rfind('\n').map_or(0, |at| at + 1);
        let end = if all_heard { self.log.len() } else { whole };
        let readable = &self.log[..end];
        let unsearched = self.unsearched;
        if let Some(bad) = self.refused.iter().find_map(|refused| {
            let found = refused.find_at(readable, unsearched);
            found.map(|found| (refused, found))
        }) {
            return Action::Refused(format!(
                "{:?} was printed, which {:?} forbids",
                bad.1.as_str(),
                bad.0.as_str()
            ));
        }
        self.unsearched = whole;
        while let Some(step) = self.steps.get(self.next) {
            match step {
                Line::Expect(expected) => match expected.find_at(readable, self.at.min(end)) {
                    Some(found) => self.at = found.end(),
                    None => {
                        self.at = self.at.max(whole);
                        return Action::Wait;
                    }
                },
                Line::Send(text) => {
                    self.next += 1;
                    return Action::Send(text.clone());
                }
            }
            self.next += 1;
        }
        Action::Wait
    }

    /// The first step that was not met, as a clause.
    pub(super) fn unmet(&self) -> Option<String> {
        self.steps.get(self.next).map(|step| match step {
            Line::Expect(expected) => {
                format!(
                    "line {} of the dialogue was not met: nothing matched {:?}",
                    self.next + 1,
                    expected.as_str()
                )
            }
            Line::Send(text) => format!(
                "line {} of the dialogue was not reached: {text:?} was not sent",
                self.next + 1
            ),
        })
    }

    /// All that was printed so far.
    pub(super) fn log(&self) -> &str {
        &self.log
    }

    /// All that was printed.
    pub(super) fn into_log(self) -> String {
        self.log
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialogue(steps: &[Step]) -> Dialogue {
        let machine = Machine {
            cpus: 8,
            memory: "1G".into(),
            gic: Some(3),
            entry: None,
            cpu: None,
            icount: false,
            single_thread: false,
            acpi: true,
            kvm: false,
        };
        Dialogue::new(steps, &machine).unwrap()
    }

    fn expect(pattern: &str) -> Step {
        Step::Expect(pattern.into())
    }

    #[test]
    fn lines_in_their_order() {
        let mut talk = dialogue(&[expect("^one$"), expect("two")]);
        talk.hear("two\r\none\r\n");
        assert_eq!(talk.advance(false), Action::Wait);
        assert!(
            talk.unmet().unwrap().contains("line 2"),
            "the first `two` came before `one`"
        );
        talk.hear("two\n");
        talk.advance(false);
        assert_eq!(talk.unmet(), None);
    }

    #[test]
    fn half_a_line_does_not_count_until_the_end() {
        let mut talk = dialogue(&[expect(r"count \d+")]);
        talk.hear("count 1");
        talk.advance(false);
        assert!(talk.unmet().is_some());
        talk.advance(true);
        assert!(talk.unmet().is_none());
    }

    #[test]
    fn answers_are_sent_when_their_turn_comes() {
        let mut talk = dialogue(&[expect("ready"), Step::Send("go\n".into()), expect("gone")]);
        assert_eq!(talk.advance(false), Action::Wait);
        talk.hear("ready\n");
        assert_eq!(talk.advance(false), Action::Send("go\n".into()));
        assert_eq!(talk.advance(false), Action::Wait);
        talk.hear("gone\n");
        assert_eq!(talk.advance(false), Action::Wait);
        assert_eq!(talk.unmet(), None);
    }

    #[test]
    fn refused_text_is_found_wherever_it_stands() {
        let mut talk = dialogue(&[expect("done"), Step::Refuse("panic|lost".into())]);
        talk.hear("interrupt lost\ndone\n");
        assert!(matches!(talk.advance(false), Action::Refused(said) if said.contains("\"lost\"")));
    }

    #[test]
    fn a_line_that_comes_in_pieces_is_searched_whole() {
        let mut talk = dialogue(&[expect("^first.*last$"), Step::Refuse("^bad.*end".into())]);
        for piece in ["some\n", "first and ", "then ", "last\n"] {
            talk.hear(piece);
            talk.advance(true);
        }
        assert_eq!(talk.unmet(), None);
        for piece in ["bad ", "and an ", "en"] {
            talk.hear(piece);
            assert_eq!(talk.advance(true), Action::Wait);
        }
        talk.hear("d\n");
        assert!(matches!(talk.advance(false), Action::Refused(_)));
    }

    #[test]
    fn the_machines_values_are_filled_in() {
        let mut talk = dialogue(&[expect(r"^{cpus} processors, GICv{gic}, x{2}$")]);
        talk.hear("8 processors, GICv3, xx\n");
        talk.advance(false);
        assert_eq!(talk.unmet(), None);
    }
}
