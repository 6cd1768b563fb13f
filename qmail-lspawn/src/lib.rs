//! Starting local deliveries: whose an address is, becoming him, and running qmail-local.
//!
//! Whose an address is, `users/cdb` says or another process (`lookup`); then a child becomes him
//! and qmail-local (`delivery`). What went wrong is told by an exit code ([`trouble`]), as
//! qmail-local tells what became of the message ([`output`]).
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod delivery;
mod lookup;
pub mod output;
pub mod trouble;

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use qmail_core::accounts::{Accounts, Group, Role};
use qmail_core::users;
use qmail_spawn::{Begun, Descriptors, Kind, Order, Spawner, Workers};
use qmail_sys::{Exit, inherit};
use qmail_wire::spawn::DeliveryNumber;

use delivery::Delivery;
use lookup::Lookups;
use output::LocalOutput;
use trouble::{Failure, Trouble};

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
    let limit = qmail_spawn::limit(&input.home)?;
    std::env::set_current_dir(input.home.join("queue/mess"))?;
    let lookups = Lookups::new(input.home.clone(), lookup);
    let local = Local { input, lookups, waiting: BTreeMap::new() };
    Ok(Spawner::new(local, limit, descriptors, Path::new("."), owner)?.run()?)
}

/// Local deliveries.
struct Local {
    input: Input,
    lookups: Lookups,
    /// Those of which it is not known whose they are.
    waiting: BTreeMap<DeliveryNumber, Order>,
}

impl Local {
    fn begin(
        &self,
        order: &Order,
        found: Result<Vec<u8>, Failure>,
        workers: &mut Workers,
    ) -> io::Result<Begun> {
        let named = self.input.program.as_deref().filter(|program| !program.is_empty());
        let delivery = Delivery {
            home: &self.input.home,
            program: named.unwrap_or(OsStr::new("bin/qmail-local")),
            default_delivery: &self.input.default_delivery,
        };
        delivery.begin(order, found, workers)
    }
}

impl Kind for Local {
    type Output = LocalOutput;

    fn start(&mut self, order: Order, workers: &mut Workers) -> io::Result<Begun> {
        let (local, _) = qmail_address::split(&order.command.recipient).unwrap_or_default();
        // Quirk: nobody is at `@host`, and mail to him is gone, successfully. Pinned by
        // `an_empty_local_part_is_success` of the conformance suite.
        if local.is_empty() {
            return Ok(Begun::Over(0));
        }
        // The assignments come first, then the accounts of the host.
        match users::find(&self.input.home.join(users::DATABASE), local) {
            Ok(Some(strings)) => self.begin(&order, Ok(strings), workers),
            Ok(None) => {
                let delivery = order.command.delivery;
                if let Some(strings) = self.lookups.ask(delivery, local)? {
                    return self.begin(&order, Ok(strings), workers);
                }
                self.waiting.insert(delivery, order);
                Ok(Begun::Later)
            }
            Err(_) => Ok(Begun::Over(Trouble::Database.code())),
        }
    }

    fn waits_for(&self) -> Vec<(DeliveryNumber, BorrowedFd<'_>)> {
        self.lookups.waits_for()
    }

    fn go_on(
        &mut self,
        delivery: DeliveryNumber,
        workers: &mut Workers,
    ) -> Vec<(DeliveryNumber, io::Result<Begun>)> {
        let Some((found, deliveries)) = self.lookups.go_on(delivery) else { return Vec::new() };
        let begin = |delivery| match self.waiting.remove(&delivery) {
            Some(order) => (delivery, self.begin(&order, found.clone(), workers)),
            None => (delivery, Ok(Begun::Over(Trouble::Bug.code()))),
        };
        deliveries.into_iter().map(begin).collect()
    }

    fn ended(&mut self, process: u32, exit: Exit) -> Option<DeliveryNumber> {
        self.lookups.ended(process, exit)
    }
}
