//! Where the message goes: into the queue, or to standard output.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use qmail_core::submit::Submission;

use crate::compose::Composed;
use crate::failure::Failure;

/// A message on its way out.
#[derive(Debug)]
pub(crate) enum Output {
    /// To the queue program.
    Queue(Submission),
    /// To whoever asked to see it.
    Print(BufWriter<File>),
}

impl Output {
    /// Starts the queue program.
    pub(crate) fn queue(home: &Path) -> Result<Self, Failure> {
        Submission::start(home).map(Self::Queue).map_err(|_| Failure::Queue)
    }

    /// Adds to the message.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Queue(submission) => {
                submission.write(bytes);
                Ok(())
            }
            Self::Print(file) => file.write_all(bytes).map_err(|_| Failure::Write),
        }
    }

    /// Ends the message and sends the envelope.
    pub(crate) fn finish(self, composed: &Composed) -> Result<(), Failure> {
        match self {
            Self::Queue(submission) => {
                let refused = submission.finish(&composed.sender, &composed.recipients);
                refused.map_err(Failure::Refused)
            }
            Self::Print(mut file) => file.flush().map_err(|_| Failure::Write),
        }
    }
}
