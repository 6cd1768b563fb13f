//! Starting remote deliveries, and understanding what qmail-remote says of them.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod output;

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use qmail_core::accounts::{Accounts, Role};
use qmail_core::tcpto::TimeoutFile;
use qmail_spawn::{Begun, Descriptors, Kind, Order, Spawner, Workers};
use qmail_sys::{FailureCodes, Spawn, inherit};

pub use output::RemoteOutput;

/// Works on commands until there are no more. `program` is run instead of qmail-remote, if it is a
/// name at all.
///
/// # Errors
/// If the work could not be begun, or had to be given up.
pub fn run(home: &Path, program: Option<OsString>) -> Result<(), Box<dyn Error>> {
    let descriptors = Descriptors { commands: inherit(0)?, reports: inherit(1)? };
    let owner = Accounts::load(home)?.user(Role::Queue).uid;
    std::env::set_current_dir(home.join("queue/mess"))?;
    // Hosts get a new chance when qmail is started again. The table only saves time.
    let _ = TimeoutFile::new(home).reset();
    let program = program.filter(|program| !program.is_empty());
    let program = program.unwrap_or_else(|| "qmail-remote".into());
    let remote = Remote { program };
    let limit = qmail_spawn::limit(home)?;
    Ok(Spawner::new(remote, limit, descriptors, Path::new("."), owner)?.run()?)
}

/// Remote deliveries.
struct Remote {
    program: OsString,
}

impl Kind for Remote {
    type Output = RemoteOutput;

    fn start(&mut self, order: Order, workers: &mut Workers) -> io::Result<Begun> {
        let Order { command, message, report } = order;
        let host = qmail_address::host(&command.recipient).unwrap_or_default();
        let codes = FailureCodes { permanent: 100, ..FailureCodes::all(111) };
        let spawn = Spawn::search(&self.program)
            .arg_bytes(host)
            .arg_bytes(&command.sender)
            .arg_bytes(&command.recipient)
            .connect(0, message.as_fd())
            .connect(1, report.as_fd())
            .connect(2, report.as_fd())
            .failing_with(codes);
        workers.start(spawn).map(Begun::Running)
    }
}
