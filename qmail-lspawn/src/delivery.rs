//! One delivery: from whose it is to a qmail-local that runs as him.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use qmail_core::users::Assignment;
use qmail_spawn::{Begun, Order, Workers};
use qmail_sys::{FailureCodes, Gid, Identity, Spawn, Uid};

use crate::trouble::{Failure, Trouble};

/// What is the same for all deliveries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery<'a> {
    /// The home directory of qmail.
    pub(crate) home: &'a Path,
    /// qmail-local, as seen from `home`.
    pub(crate) program: &'a OsStr,
    pub(crate) default_delivery: &'a OsStr,
}

/// What a child ends with that does not become qmail-local.
const CODES: FailureCodes = FailureCodes {
    temporary: Trouble::RunLater.code(),
    permanent: Trouble::RunNever.code(),
    ..FailureCodes::all(Trouble::Bug.code())
};

impl Delivery<'_> {
    /// Begins the delivery, given the six strings that say whose it is.
    pub(crate) fn begin(
        self,
        order: &Order,
        found: Result<Vec<u8>, Failure>,
        workers: &mut Workers,
    ) -> io::Result<Begun> {
        match found.and_then(|strings| owner(&strings)) {
            Ok((assignment, identity)) => {
                let program = self.program(order, &assignment, identity);
                workers.start(program).map(Begun::Running)
            }
            Err(failure) => Ok(Begun::Over(failure.code())),
        }
    }

    /// Nothing that an address decides is run by root: an [`Identity`] is never his.
    fn program<'o>(
        self,
        order: &'o Order,
        assignment: &Assignment,
        identity: Identity,
    ) -> Spawn<'o> {
        let (local, domain) = qmail_address::split(&order.command.recipient).unwrap_or_default();
        Spawn::new(self.program)
            .arg("--")
            .arg_bytes(&assignment.user)
            .arg(&assignment.home)
            .arg_bytes(local)
            .arg_bytes(&assignment.dash)
            .arg_bytes(&assignment.extension)
            .arg_bytes(domain)
            .arg_bytes(&order.command.sender)
            .arg(self.default_delivery)
            .connect(0, order.message.as_fd())
            .connect(1, order.report.as_fd())
            .connect(2, order.report.as_fd())
            .directory(self.home)
            .as_user(identity)
            .failing_with(CODES)
    }
}

/// Who gets the message.
fn owner(strings: &[u8]) -> Result<(Assignment, Identity), Failure> {
    let assignment = Assignment::parse(strings).map_err(|_| Trouble::Bug)?;
    let uid = Uid::new(assignment.uid).ok_or(Trouble::Root)?;
    let identity = Identity { uid, gid: Gid(assignment.gid) };
    Ok((assignment, identity))
}
