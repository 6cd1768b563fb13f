//! Starting local deliveries: whose an address is, becoming him, and running qmail-local.
//!
//! A child of its own does all that for each delivery ([`delivery`]). It says what went wrong by
//! its exit code ([`trouble`]), as qmail-local says what became of the message ([`output`]).
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod delivery;
mod lookup;
pub mod output;
pub mod trouble;

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use qmail_core::accounts::{Accounts, Group, Role};
use qmail_spawn::{Descriptors, Kind, Spawner};
use qmail_sys::{Child, Identity, inherit};
use qmail_wire::spawn::Command;

use delivery::Delivery;
use output::LocalOutput;

/// What the process was given.
#[derive(Clone, Debug)]
pub struct Input {
    /// The home directory of qmail.
    pub home: PathBuf,
    /// The instructions of users who have none.
    pub default_delivery: OsString,
    /// What is run instead of qmail-local, if it is a name at all.
    pub program: Option<OsString>,
}

/// Works on commands until there are no more.
///
/// # Errors
/// If the work could not be begun, or had to be given up.
pub fn run(input: Input) -> Result<(), Box<dyn Error>> {
    let descriptors = Descriptors { commands: inherit(0)?, reports: inherit(1)? };
    let accounts = Accounts::load(&input.home)?;
    let owner = accounts.user(Role::Queue).uid;
    // Lookups are never made as root, however the accounts are set up.
    let lookup = accounts.identity(Role::Passwd, Group::NoFiles).ok_or("lookups as root")?;
    std::env::set_current_dir(input.home.join("queue/mess"))?;
    let local = Local { input, lookup };
    Ok(Spawner::new(&local, descriptors, Path::new("."), owner)?.run()?)
}

/// Local deliveries.
struct Local {
    input: Input,
    /// Who looks accounts up.
    lookup: Identity,
}

impl Local {
    fn program(&self) -> &OsStr {
        let named = self.input.program.as_deref().filter(|program| !program.is_empty());
        named.unwrap_or(OsStr::new("bin/qmail-local"))
    }
}

impl Kind for Local {
    type Output = LocalOutput;

    fn start(
        &self,
        command: &Command,
        message: BorrowedFd<'_>,
        report: BorrowedFd<'_>,
    ) -> io::Result<Child> {
        let (local, domain) = qmail_address::split(&command.recipient).unwrap_or_default();
        let delivery = Delivery {
            home: &self.input.home,
            lookup: self.lookup,
            program: self.program(),
            local,
            domain,
            sender: &command.sender,
            default_delivery: &self.input.default_delivery,
            message,
            report,
        };
        qmail_sys::fork(|| delivery.make())
    }
}
