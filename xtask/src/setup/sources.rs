//! The machine's own package sources, read to find its Debian mirror.
//!
//! What is missing is fetched from the mirror that the machine's owner chose. Both formats of
//! sources are read: one line each (`*.list`) and stanzas (`*.sources`).

use std::fs;
use std::path::Path;

/// One archive: an address with its suites and components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Options in brackets without the brackets, such as `signed-by=/path`; may be empty.
    pub(super) options: String,
    /// The archive's address.
    pub(super) uri: String,
    /// The suite.
    pub(super) suite: String,
    /// The components.
    pub(super) components: Vec<String>,
}

impl Source {
    /// The source in the one-line format.
    pub(super) fn line(&self) -> String {
        let options = if self.options.is_empty() {
            String::new()
        } else {
            format!("[{}] ", self.options)
        };
        format!(
            "deb {options}{} {} {}\n",
            self.uri,
            self.suite,
            self.components.join(" ")
        )
    }

    /// The same archive with another suite.
    pub(super) fn with_suite(&self, suite: &str) -> Self {
        Self {
            suite: suite.to_owned(),
            ..self.clone()
        }
    }
}

/// All enabled sources of binary packages below apt's folder of settings.
pub(super) fn configured(etc_apt: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    if let Ok(text) = fs::read_to_string(etc_apt.join("sources.list")) {
        sources.extend(parse_list(&text));
    }
    let mut parts: Vec<_> = fs::read_dir(etc_apt.join("sources.list.d"))
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    parts.sort();
    for path in parts {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("list") => sources.extend(parse_list(&text)),
            Some("sources") => sources.extend(parse_stanzas(&text)),
            _ => {}
        }
    }
    sources
}

/// The machine's archive of the release itself, such as `bookworm`, with `main` in it.
pub(super) fn release_archive<'s>(sources: &'s [Source], codename: &str) -> Option<&'s Source> {
    sources.iter().find(|source| {
        source.suite == codename && source.components.iter().any(|name| name == "main")
    })
}

/// The sources whose suite is the release or one of its companions (`-security`, `-updates`).
pub(super) fn of_release<'s>(sources: &'s [Source], codename: &str) -> Vec<&'s Source> {
    let companions = [
        codename.to_owned(),
        format!("{codename}-security"),
        format!("{codename}-updates"),
    ];
    sources
        .iter()
        .filter(|source| companions.contains(&source.suite))
        .collect()
}

/// The release's security archive on the mirror of its main one, where it lies beside it.
pub(super) fn security_archive(main: &Source) -> Option<Source> {
    let uri = main.uri.trim_end_matches('/');
    uri.ends_with("/debian").then(|| Source {
        uri: format!("{uri}-security"),
        ..main.with_suite(&format!("{}-security", main.suite))
    })
}

fn parse_list(text: &str) -> Vec<Source> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim();
    let rest = line
        .strip_prefix("deb")?
        .strip_prefix([' ', '\t'])?
        .trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace().map(str::to_owned);
    Some(Source {
        options: options.trim().to_owned(),
        uri: words.next()?,
        suite: words.next()?,
        components: words.collect(),
    })
}

fn parse_stanzas(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for stanza in kept.split(|line| line.trim().is_empty()) {
        sources.extend(parse_stanza(stanza));
    }
    sources
}

fn parse_stanza(lines: &[&str]) -> Vec<Source> {
    let field = |name: &str| -> Option<String> {
        let mut value: Option<String> = None;
        for line in lines {
            if line.starts_with([' ', '\t']) {
                // A continuation belongs to the field that was being collected.
                if let Some(value) = value.as_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            } else if value.is_some() {
                break;
            } else if let Some((key, rest)) = line.split_once(':')
                && key.trim().eq_ignore_ascii_case(name)
            {
                value = Some(rest.trim().to_owned());
            }
        }
        value.map(|value| value.trim().to_owned())
    };
    let words = |name: &str| -> Vec<String> {
        field(name)
            .map(|value| value.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default()
    };
    let disabled =
        field("Enabled").is_some_and(|value| ["no", "false", "0"].contains(&value.as_str()));
    if disabled || !words("Types").iter().any(|kind| kind == "deb") {
        return Vec::new();
    }
    // A key can be written out in the stanza itself; the one-line format cannot say that.
    let options = field("Signed-By")
        .filter(|key| key.starts_with('/'))
        .map(|key| format!("signed-by={}", key.replace(' ', ",")))
        .unwrap_or_default();
    let mut sources = Vec::new();
    for uri in words("URIs") {
        for suite in words("Suites") {
            sources.push(Source {
                options: options.clone(),
                uri: uri.clone(),
                suite,
                components: words("Components"),
            });
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANZAS: &str = "\
Types: deb
# a comment within a stanza
URIs: https://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: https://mirror.example/debian-security
Suites:
 bookworm-security
Components: main

Types: deb
Enabled: no
URIs: https://mirror.example/other
Suites: other
Components: main

Types: deb-src
URIs: https://mirror.example/source
Suites: bookworm
Components: main
";

    #[test]
    fn stanzas() {
        let sources = parse_stanzas(STANZAS);
        let suites: Vec<&str> = sources.iter().map(|source| source.suite.as_str()).collect();
        assert_eq!(
            suites,
            ["bookworm", "bookworm-updates", "bookworm-security"]
        );
        assert_eq!(
            sources[0].with_suite("bookworm-backports").line(),
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://mirror.example/debian bookworm-backports main contrib\n"
        );
        assert_eq!(
            sources[2].line(),
            "deb https://mirror.example/debian-security bookworm-security main\n"
        );
    }

    #[test]
    fn lines() {
        let text = "# deb https://mirror.example/no bookworm main\n\
                    deb https://mirror.example/debian bookworm main non-free # trailing\n\
                    deb [ arch=amd64 signed-by=/k.gpg ] https://mirror.example/x stable main\n\
                    deb-src https://mirror.example/debian bookworm main\n\
                    debug nonsense\n";
        let sources = parse_list(text);
        assert_eq!(sources.len(), 2);
        assert_eq!(sources[0].components, ["main", "non-free"]);
        assert_eq!(sources[1].options, "arch=amd64 signed-by=/k.gpg");
        assert_eq!(sources[1].uri, "https://mirror.example/x");
    }

    #[test]
    fn the_release_is_found_among_others() {
        let mut sources = parse_list("deb https://mirror.example/x stable main\n");
        assert_eq!(release_archive(&sources, "bookworm"), None);
        sources.extend(parse_stanzas(STANZAS));
        assert_eq!(
            release_archive(&sources, "bookworm").map(|found| found.uri.as_str()),
            Some("https://mirror.example/debian")
        );
        assert_eq!(of_release(&sources, "bookworm").len(), 3);
    }

    #[test]
    fn the_security_archive_lies_beside_the_main_one() {
        let main = &parse_list("deb https://mirror.example/debian/ bookworm main\n")[0];
        let line = "deb https://mirror.example/debian-security bookworm-security main\n";
        assert_eq!(security_archive(main).unwrap().line(), line);
        let elsewhere = &parse_list("deb https://mirror.example/d12 bookworm main\n")[0];
        assert_eq!(security_archive(elsewhere), None);
    }

    #[test]
    fn a_folder_is_read_in_both_formats() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sources.list.d")).unwrap();
        fs::write(
            dir.path().join("sources.list"),
            "deb https://mirror.example/debian bookworm main\n",
        )
        .unwrap();
        fs::write(dir.path().join("sources.list.d/a.sources"), STANZAS).unwrap();
        fs::write(
            dir.path().join("sources.list.d/b.list.disabled"),
            "deb https://mirror.example/b b main\n",
        )
        .unwrap();
        assert_eq!(configured(dir.path()).len(), 4);
        assert_eq!(configured(&dir.path().join("none")).len(), 0);
    }
}
