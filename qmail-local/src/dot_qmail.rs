//! Instruction files: finding, checking, reading. Paths are relative to the home directory.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use qmail_core::{built_in, errno};
use qmail_sys::OPEN_NONBLOCKING;

use crate::choice::Candidate;
use crate::failure::Failure;

/// A file with the execute bit of its owner only forwards.
const FORWARD_ONLY: u32 = 0o100;

/// The file that was chosen.
#[derive(Debug)]
pub struct DotQmail {
    file: File,
    chosen: Candidate,
    /// Whether it may do nothing but forward.
    pub forward_only: bool,
}

impl DotQmail {
    /// The first of `candidates` that exists; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be told whether one exists, or others may write to it: then the next one must
    /// not be used in its place.
    pub fn find(candidates: impl Iterator<Item = Candidate>) -> Result<Option<Self>, Failure> {
        for candidate in candidates {
            if let Some(file) = open(&candidate.name)? {
                let failed = |error| Failure::OpenInstructions(candidate.name.clone(), error);
                let metadata = file.metadata().map_err(failed)?;
                let mode = metadata.permissions().mode();
                if !metadata.is_file() {
                    continue;
                }
                if mode & built_in::paternalism_mask() != 0 {
                    return Err(Failure::InstructionsWritable);
                }
                let forward_only = mode & FORWARD_ONLY != 0;
                return Ok(Some(Self { file, chosen: candidate, forward_only }));
            }
        }
        Ok(None)
    }

    /// What `default` in its name stands for, as an offset in the extension.
    pub fn default(&self) -> Option<usize> {
        self.chosen.default
    }

    /// All of it.
    pub fn read(mut self) -> Result<Vec<u8>, Failure> {
        let mut instructions = Vec::new();
        match self.file.read_to_end(&mut instructions) {
            Ok(_) => Ok(instructions),
            Err(error) => Err(Failure::ReadInstructions(self.chosen.name, error)),
        }
    }
}

/// Whether there is anything of this name.
pub fn exists(name: &[u8]) -> Result<bool, Failure> {
    match fs::metadata(path(name)) {
        Ok(_) => Ok(true),
        Err(error) if errno::is_temporary(&error) => {
            Err(Failure::OpenInstructions(name.to_vec(), error))
        }
        Err(_) => Ok(false),
    }
}

/// Without waiting: a FIFO is no instruction file.
fn open(name: &[u8]) -> Result<Option<File>, Failure> {
    match OpenOptions::new().read(true).custom_flags(OPEN_NONBLOCKING).open(path(name)) {
        Ok(file) => Ok(Some(file)),
        Err(error)
            if errno::is_temporary(&error) || error.kind() == ErrorKind::PermissionDenied =>
        {
            Err(Failure::OpenInstructions(name.to_vec(), error))
        }
        Err(_) => Ok(None),
    }
}

fn path(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}
