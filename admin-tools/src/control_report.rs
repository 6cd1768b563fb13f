//! What the control files of a tree say, in the words of qmail-showctl.

mod rows;

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use qmail_core::control::{self, Control, Controls, Default, Shape, first_line, list_lines};
use qmail_core::if_there;

use crate::fatal::printable;
use rows::{ROWS, Row, Text};

const UNREADABLE: &[u8] = b"Oops! Trouble reading this file.\n";

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A directory cannot be entered; its name.
    Enter(PathBuf),
    /// `control/` cannot be listed.
    List,
    /// `control/me` cannot be read.
    Me,
}

impl Failure {
    /// What is printed.
    pub fn text(&self) -> String {
        match self {
            Self::Enter(directory) => {
                format!("Oops! Unable to chdir to {}.\n", directory.display())
            }
            Self::List => "Oops! Unable to open current directory.\n".into(),
            Self::Me => "Oops! Trouble reading control/me.".into(),
        }
    }
}

/// Reports on every file in `control/` below `home`.
pub fn report(home: &Path) -> Result<Vec<u8>, Failure> {
    let directory = home.join("control");
    is_directory(home).map_err(|_| Failure::Enter(home.to_owned()))?;
    is_directory(&directory).map_err(|_| Failure::Enter("control".into()))?;
    let entries = fs::read_dir(&directory).map_err(|_| Failure::List)?;
    let controls = Controls::open(home).map_err(|_| Failure::Me)?;
    let reporter = Reporter { controls, directory };
    let rows = ROWS.iter().map(|row| reporter.row(row));
    let names = entries.map_while(Result::ok).map(|entry| entry.file_name());
    let others = names.map(|name| reporter.other(name.as_bytes()));
    Ok(rows.chain(others).flatten().collect())
}

fn is_directory(path: &Path) -> io::Result<()> {
    // A name in it can only be looked up by who may enter it.
    fs::metadata(path.join(".")).map(drop)
}

struct Reporter {
    controls: Controls,
    directory: PathBuf,
}

impl Reporter {
    fn row(&self, row: &Row) -> Vec<u8> {
        let control = row.control;
        let text = match row.text {
            Text::Number(before, after) => self.number(control, before, after),
            Text::Line(before) => self.line(control, before),
            Text::List(missing, before, after) => self.list(control, missing, before, after),
            // Without a list of hosts, further hosts make no difference.
            Text::MoreHosts { with, without } => {
                let (missing, before, after) =
                    if self.is_missing(&control::RCPTHOSTS) { without } else { with };
                self.list(control, missing, before, after)
            }
            Text::Database => self.database().as_bytes().to_vec(),
        };
        section(control.file.as_bytes(), &text)
    }

    fn number(&self, control: &Control, before: &str, after: &str) -> Vec<u8> {
        let Ok(file) = self.read(control) else { return UNREADABLE.to_vec() };
        let found = file.and_then(|file| control::leading_number(&first_line(&file)));
        let (default, number) = match (found, control.default) {
            (Some(number), _) => ("", number),
            (None, Default::Number(number)) => ("(Default.) ", number),
            (None, _) => ("(Default.) ", 0),
        };
        format!("{default}{before}{number}{after}.\n").into_bytes()
    }

    fn line(&self, control: &Control, before: &str) -> Vec<u8> {
        let Ok(file) = self.read(control) else { return UNREADABLE.to_vec() };
        let (default, line) = match file {
            Some(file) => ("", first_line(&file)),
            None => ("(Default.) ", self.default_line(control)),
        };
        let line = printable(&line, b'?');
        [default.as_bytes(), before.as_bytes(), &line, b".\n"].concat()
    }

    fn default_line(&self, control: &Control) -> Vec<u8> {
        match control.default {
            Default::Me | Default::MeOr(_) => {
                self.controls.me().unwrap_or(control.file.as_bytes()).to_vec()
            }
            Default::Text(text) => text.into(),
            Default::Nothing | Default::Number(_) => b"undefined! Uh-oh".to_vec(),
        }
    }

    fn list(&self, control: &Control, missing: &str, before: &str, after: &str) -> Vec<u8> {
        let Ok(file) = self.read(control) else { return UNREADABLE.to_vec() };
        let Some(file) = file else { return format!("(Default.) {missing}\n").into_bytes() };
        let entries = list_lines(&file).into_iter().flat_map(|entry| {
            let entry = printable(&without_password(control, entry), b'?');
            [before.as_bytes(), &entry, after.as_bytes(), b"\n"].concat()
        });
        b"\n".iter().copied().chain(entries).collect()
    }

    fn database(&self) -> &'static str {
        match (self.modified(&control::MORERCPTHOSTS), self.modified(&control::MORERCPTHOSTS_CDB)) {
            (None, None) => "(Default.) No effect.\n",
            (None, Some(_)) => "Oops! morercpthosts.cdb exists but morercpthosts doesn't.\n",
            (Some(_), None) => "Oops! morercpthosts exists but morercpthosts.cdb doesn't.\n",
            (Some(source), Some(made)) if seconds(source) > seconds(made) => {
                "Oops! morercpthosts.cdb is older than morercpthosts.\n"
            }
            (Some(_), Some(_)) => "Modified recently enough; hopefully up to date.\n",
        }
    }

    /// A file that has no row: a setting that netqmail does not have, or none at all.
    fn other(&self, name: &[u8]) -> Vec<u8> {
        if ROWS.iter().any(|row| row.control.file.as_bytes() == name) {
            return Vec::new();
        }
        let known = control::ALL.iter().find(|control| control.file.as_bytes() == name);
        let text = match known {
            None => b"I have no idea what this file does.\n".to_vec(),
            Some(control) => self.extension(control),
        };
        section(&printable(name, b'?'), &text)
    }

    /// Lists are not shown: some hold passwords.
    fn extension(&self, control: &Control) -> Vec<u8> {
        let about = control.about;
        match control.shape {
            Shape::Number => self.number(control, &format!("{about}: "), ""),
            Shape::Line => self.line(control, &format!("{about}: ")),
            Shape::List if control.file == control::TLSSERVERCIPHERS.file => self.ciphers(control),
            Shape::List | Shape::Map | Shape::Cdb | Shape::File => {
                format!("{about}.\n").into_bytes()
            }
        }
    }

    /// Which ciphers are meant, where a word means none.
    fn ciphers(&self, control: &Control) -> Vec<u8> {
        let Ok(lines) = self.controls.list(control) else { return UNREADABLE.to_vec() };
        let list = lines.unwrap_or_default().join(&b':');
        let list = String::from_utf8_lossy(&printable(&list, b'?')).into_owned();
        let about = control.about;
        let unknown = qmail_tls::unknown_words(&list);
        let complaints: String =
            unknown.map(|word| format!("Oops! No cipher here is called {word}.\n")).collect();
        format!("{about}.\n{complaints}").into_bytes()
    }

    fn is_missing(&self, control: &Control) -> bool {
        matches!(self.read(control), Ok(None))
    }

    fn read(&self, control: &Control) -> io::Result<Option<Vec<u8>>> {
        if_there(fs::read(self.directory.join(control.file)))
    }

    fn modified(&self, control: &Control) -> Option<SystemTime> {
        fs::metadata(self.directory.join(control.file)).ok()?.modified().ok()
    }
}

fn section(name: &[u8], text: &[u8]) -> Vec<u8> {
    [b"\n", name, b": ", text].concat()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A route may have a user and his password behind it. Reports are sent to mailing lists.
fn without_password(control: &Control, mut entry: Vec<u8>) -> Vec<u8> {
    let mut bars = entry.iter().enumerate().filter(|(_, byte)| **byte == b'|');
    if control.file == control::SMTPROUTES.file
        && let Some((second, _)) = bars.nth(1)
    {
        entry.truncate(second + 1);
        entry.push(b'?');
    }
    entry
}

#[cfg(test)]
mod tests;
