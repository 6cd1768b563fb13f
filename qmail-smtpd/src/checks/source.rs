//! Where checks have their settings from.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use qmail_core::control::{
    Control, ControlError, Controls, LISTLANGUAGES, TIMEOUTPLUGIN, leading_number, list_lines,
};
use qmail_core::long_list::{Index, LongList};

use super::lists::Language;
use crate::client::Client;
use crate::variables::Variables;

/// No client waits longer for a reply.
const LONGEST_PATIENCE: u64 = 3600;

/// Control files, and the variables that override them for one client.
pub struct Source<'a> {
    /// The home directory of qmail.
    pub home: &'a Path,
    /// The control files.
    pub controls: &'a Controls,
    /// The variables.
    pub variables: &'a Variables,
    /// Who has come.
    pub client: &'a Client,
}

impl Source<'_> {
    /// A number: from the first of these variables that is set, or else from the file. A variable
    /// that is no number is 0.
    pub fn number(&self, control: &Control, names: &[&str]) -> Result<u64, ControlError> {
        // The file must be readable even if the variable wins: a typing error must not wait for
        // the client without the variable.
        let from_file = self.controls.number(control)?;
        Ok(self.variable_number(names).unwrap_or(from_file))
    }

    /// A number from the first of these variables that is set.
    pub fn variable_number(&self, names: &[&str]) -> Option<u64> {
        let value = names.iter().find_map(|name| self.variables.value(name))?;
        Some(leading_number(&value).unwrap_or(0))
    }

    /// Whether a variable is set to something else than 0 or nothing.
    pub fn is_on(&self, name: &str) -> bool {
        self.variables.value(name).is_some_and(|value| !matches!(value.as_slice(), b"" | b"0"))
    }

    /// A path in a variable: below the home of qmail unless it says otherwise.
    pub fn path(&self, path: &[u8]) -> PathBuf {
        self.home.join(OsStr::from_bytes(path))
    }

    /// The lines of a file that a variable names.
    pub fn named_list(&self, path: &[u8]) -> Result<Vec<Vec<u8>>, ControlError> {
        let path = self.path(path);
        match fs::read(&path) {
            Ok(text) => Ok(list_lines(&text)),
            Err(error) => Err(ControlError { path, error }),
        }
    }

    /// How long a program may take that somebody waits for.
    pub fn patience(&self) -> Result<Duration, ControlError> {
        let seconds = self.number(&TIMEOUTPLUGIN, &["TIMEOUTPLUGIN"])?;
        Ok(Duration::from_secs(seconds.clamp(1, LONGEST_PATIENCE)))
    }

    /// Whether there is such a variable.
    pub fn has(&self, name: &str) -> bool {
        self.variables.has(name)
    }

    /// A list.
    pub fn list(&self, control: &Control, index: Index) -> Result<Option<LongList>, ControlError> {
        LongList::load(self.controls, control, index)
    }

    /// The language in which a list is written: `$LISTLANGUAGES` and `control/listlanguages` say
    /// `name:language`.
    pub fn language(&self, name: &str, default: Language) -> Result<Language, ControlError> {
        let file = self.controls.map(&LISTLANGUAGES)?;
        let variable = self.variables.value("LISTLANGUAGES").unwrap_or_default();
        let words = variable.split(|byte| byte.is_ascii_whitespace() || *byte == b',');
        let chosen = words
            .filter_map(|word| word.strip_prefix(name.as_bytes())?.strip_prefix(b":"))
            .next_back()
            .or_else(|| file.get(name.as_bytes()));
        Ok(chosen.and_then(Language::named).unwrap_or(default))
    }
}
