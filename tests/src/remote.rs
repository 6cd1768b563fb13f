//! qmail-remote, run directly.

use crate::Tree;
use crate::process::{Finished, Program};

/// What qmail-remote reported.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// All records, without their ends.
    pub records: Vec<String>,
}

impl Report {
    /// What a finished qmail-remote printed.
    ///
    /// # Panics
    ///
    /// When it did not exit 0 or the last record is not complete.
    #[must_use]
    pub fn of(finished: &Finished) -> Self {
        assert_eq!(finished.code, Some(0), "{}", finished.said());
        let text = finished.text();
        let records = text.strip_suffix('\0').unwrap_or_else(|| panic!("unfinished: {text:?}"));
        Self { records: records.split('\0').map(str::to_owned).collect() }
    }

    /// The only record.
    ///
    /// # Panics
    ///
    /// When there is another number of records than one.
    #[must_use]
    pub fn only(&self) -> &str {
        assert_eq!(self.records.len(), 1, "{:?}", self.records);
        &self.records[0]
    }
}

impl Tree {
    /// qmail-remote as qmailr with a short message, not yet started.
    #[must_use]
    pub fn remote_program(&self, host: &str, sender: &str, recipients: &[&str]) -> Program<'_> {
        self.program("qmail-remote")
            .run_as(self.accounts().qmailr)
            .args([host, sender])
            .args(recipients.iter().copied())
            .stdin("Subject: hello\n\nHi.\n")
    }

    /// Runs qmail-remote on a short message.
    #[must_use]
    pub fn remote(&self, host: &str, sender: &str, recipients: &[&str]) -> Report {
        Report::of(&self.remote_program(host, sender, recipients).run())
    }
}
