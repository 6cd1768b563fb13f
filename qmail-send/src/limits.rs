//! What the spawners say first.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::Duration;

use qmail_sys::{Interest, poll};
use qmail_wire::spawn::Limit;

use crate::Ends;
use crate::channels::PerChannel;
use crate::lines::StartFailure;

/// A spawner that has said one byte says the next one within this time, if there is one: it is a
/// spawner with the patch for more than 255 deliveries, which writes them one by one.
const FOR_MORE: Duration = Duration::from_millis(20);

/// How many deliveries at once the spawners can do, and how they number them: the first thing that
/// they say, and all that they say before they are told something.
pub(crate) fn limits(
    local: &mut Ends,
    remote: &mut Ends,
) -> Result<PerChannel<Limit>, StartFailure> {
    let mut said = PerChannel { local: Said::default(), remote: Said::default() };
    said.local.read(local)?;
    said.remote.read(remote)?;
    if said.local.may_go_on() || said.remote.may_go_on() {
        // Both at the same time.
        std::thread::sleep(FOR_MORE);
    }
    Ok(PerChannel { local: said.local.limit(local)?, remote: said.remote.limit(remote)? })
}

/// What a spawner has said of its limit.
#[derive(Default)]
struct Said {
    bytes: [u8; 2],
    length: usize,
}

impl Said {
    fn may_go_on(&self) -> bool {
        self.length < self.bytes.len()
    }

    fn read(&mut self, ends: &mut Ends) -> Result<(), StartFailure> {
        let rest = self.bytes.get_mut(self.length..).unwrap_or_default();
        loop {
            match ends.from.read(rest) {
                Ok(0) => return Err(StartFailure::Spawners),
                Ok(length) => {
                    self.length += length;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(StartFailure::Spawners),
            }
        }
    }

    fn limit(mut self, ends: &mut Ends) -> Result<Limit, StartFailure> {
        if self.may_go_on() && says_more(ends) {
            self.read(ends)?;
        }
        self.bytes.get(..self.length).and_then(Limit::parse).ok_or(StartFailure::Spawners)
    }
}

fn says_more(ends: &Ends) -> bool {
    poll(&mut [Interest::reading(ends.from.as_fd())], Some(Duration::ZERO)).unwrap_or(false)
}
