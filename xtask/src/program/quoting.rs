//! A program's command line, as Windows' programs take it apart again.
//!
//! A Windows program gets one text. `CommandLineToArgvW` and the C libraries cut it at spaces outside quotes; a
//! backslash is itself, but before a quote two stand for one, and one makes the quote a character. The first word,
//! the program, knows no backslashes: it ends at the next quote if it begins with one, else at a space.

use anyhow::{Result, bail};

/// The command line for a program of this name with these arguments.
pub(crate) fn command_line(program: &str, arguments: &[String]) -> Result<String> {
    let mut line = first_word(program)?;
    for argument in arguments {
        line.push(' ');
        push_quoted(&mut line, argument);
    }
    Ok(line)
}

fn first_word(program: &str) -> Result<String> {
    if program.contains('"') {
        bail!(
            "the program's name {program:?} has a quote in it, which no Windows program's can: rename it"
        );
    }
    Ok(if program.contains(separates) {
        format!("\"{program}\"")
    } else {
        program.to_owned()
    })
}

fn separates(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\u{b}')
}

fn push_quoted(line: &mut String, argument: &str) {
    if !argument.is_empty() && !argument.contains(|c| separates(c) || c == '"') {
        line.push_str(argument);
        return;
    }
    line.push('"');
    let mut backslashes = 0;
    for character in argument.chars() {
        match character {
            '\\' => backslashes += 1,
            '"' => {
                line.extend(std::iter::repeat_n('\\', 2 * backslashes + 1));
                line.push('"');
                backslashes = 0;
            }
            other => {
                line.extend(std::iter::repeat_n('\\', backslashes));
                line.push(other);
                backslashes = 0;
            }
        }
    }
    // Before the closing quote they would make it a character.
    line.extend(std::iter::repeat_n('\\', 2 * backslashes));
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `CommandLineToArgvW` makes of the words after the first, by its documentation.
    fn taken_apart(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let (mut quoted, mut backslashes) = (false, 0);
        for c in line.chars() {
            if c == '\\' {
                backslashes += 1;
                continue;
            }
            let count = if c == '"' {
                backslashes / 2
            } else {
                backslashes
            };
            if backslashes > 0 {
                word.get_or_insert_default()
                    .extend(std::iter::repeat_n('\\', count));
            }
            let literal = c != '"' || backslashes % 2 == 1;
            backslashes = 0;
            if !literal {
                word.get_or_insert_default();
                quoted = !quoted;
            } else if separates(c) && !quoted {
                words.extend(word.take());
            } else {
                word.get_or_insert_default().push(c);
            }
        }
        if backslashes > 0 {
            word.get_or_insert_default()
                .extend(std::iter::repeat_n('\\', backslashes));
        }
        words.extend(word);
        words
    }

    #[test]
    fn plain_words_stay_as_they_are() {
        let line = command_line("hello.exe", &["a".into(), r"c:\x\".into(), "-n=3".into()]);
        assert_eq!(line.unwrap(), r"hello.exe a c:\x\ -n=3");
        assert_eq!(command_line("my app.exe", &[]).unwrap(), "\"my app.exe\"");
        assert!(command_line("a\"b.exe", &[]).is_err());
    }

    #[test]
    fn what_is_quoted_comes_out_again() {
        let hard = [
            "",
            " ",
            "a b",
            "\"",
            "\\",
            "\\\\",
            "\\\"",
            "a\\\\\"b c\\",
            "ends \\",
            "ends \\\\",
            "\t",
            "é ü",
            "--",
            " -- ",
            "\\\\server\\share name\\",
        ];
        let arguments: Vec<String> = hard.iter().map(|text| (*text).to_owned()).collect();
        let line = command_line("p", &arguments).unwrap();
        let rest = line.strip_prefix("p ").unwrap();
        assert_eq!(taken_apart(rest), hard, "{line}");
        for argument in hard {
            let line = command_line("p", &[argument.to_owned()]).unwrap();
            assert_eq!(taken_apart(&line[2..]), [argument], "{line}");
        }
    }
}
