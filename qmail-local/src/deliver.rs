//! Doing what the instructions say.

mod forward;
mod full;
mod program;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use qmail_core::maildir::{self, Delivered, Delivery, MaildirError, Names};
use qmail_core::mbox;

use crate::execute::{Actions, Next};
use crate::failure::Failure;
use crate::lines::Lines;
use crate::settings::Settings;
use crate::variables::Variables;

pub use full::FullMaildir;

/// One message and where it goes. Paths are relative to the home directory.
pub struct Deliver<'message> {
    /// The message.
    pub message: &'message File,
    /// What is put before it.
    pub lines: Lines,
    /// What programs learn.
    pub variables: Variables,
    /// Its names in maildirs.
    pub names: Names,
    /// What is set for all deliveries.
    pub settings: Settings,
    /// What is said of maildirs that are full.
    pub full: FullMaildir<'message>,
    /// Where the queue program is started.
    pub qmail_home: &'message Path,
    /// The sender of what is forwarded.
    pub forward_sender: Vec<u8>,
    /// Where it is to be forwarded to.
    pub recipients: Vec<Vec<u8>>,
}

impl Actions for Deliver<'_> {
    fn maildir(&mut self, path: &[u8]) -> Result<(), Failure> {
        let message = rewound(self.message)?;
        let lines = [self.lines.return_path.as_slice(), &self.lines.delivered_to];
        let Settings { quota, size_in_name, .. } = self.settings;
        let delivery = Delivery { maildir: as_path(path), lines: &lines, quota, size_in_name };
        match maildir::deliver(&delivery, &mut self.names, message) {
            Ok(Delivered { percent: None }) => Ok(()),
            Ok(Delivered { percent: Some(percent) }) => {
                let delivered_to = &self.lines.delivered_to;
                self.full.warn(delivery.maildir, percent, delivered_to, &mut self.names);
                Ok(())
            }
            Err(MaildirError::Full) => Err(Failure::Full(self.full.refusal())),
            Err(error) => Err(Failure::Maildir(error)),
        }
    }

    fn mbox(&mut self, path: &[u8]) -> Result<(), Failure> {
        let message = rewound(self.message)?;
        let lines = [self.lines.from.as_slice(), &self.lines.return_path, &self.lines.delivered_to];
        mbox::append(as_path(path), self.settings.locks, &lines, message)
            .map_err(|error| Failure::Mbox(path.to_vec(), error))
    }

    fn program(&mut self, command: &[u8]) -> Result<Next, Failure> {
        program::run(command, &self.variables, rewound(self.message)?)
    }

    fn forward(&mut self, address: &[u8]) {
        self.recipients.push(address.to_vec());
    }

    fn finish(self) -> Result<Option<u32>, Failure> {
        if self.recipients.is_empty() {
            return Ok(None);
        }
        rewound(self.message)?;
        forward::forward(&self).map(Some)
    }
}

/// The message, at its beginning: programs share the position with us.
pub(crate) fn rewound(mut message: &File) -> Result<&File, Failure> {
    message.seek(SeekFrom::Start(0)).map_err(|_| Failure::Rewind)?;
    Ok(message)
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
