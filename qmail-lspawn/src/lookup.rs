//! Whose an address is, where `users/cdb` does not say: qmail-getpw is asked.
//!
//! It runs as another user than we do: name services run code of others, and not as root. Ours stays
//! and is asked again and again ([`standing`]), a few of them where lookups take their time; each for
//! a minute, so that nothing that it has read grows old. It is not asked again what it has answered a
//! moment ago ([`recent`]). Another program in its place is run for each question ([`once`]), as by
//! netqmail.

mod once;
mod recent;
mod standing;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Instant;

use qmail_core::program::Program;
use qmail_sys::{Exit, Identity};
use qmail_wire::lookup::question;
use qmail_wire::spawn::DeliveryNumber;

use crate::trouble::{Failure, Trouble};
use once::Once;
use recent::Recent;
use standing::{Reading, Standing};

/// As seen from the home directory of qmail.
const PROGRAM: &str = "bin/qmail-getpw";
/// Those that wait for the next question, at most: as many as are asked at once on a busy site.
const IDLE: usize = 64;

/// All lookups that are under way, and who can be asked.
#[derive(Debug)]
pub(crate) struct Lookups {
    home: PathBuf,
    identity: Identity,
    idle: Vec<Standing>,
    open: BTreeMap<DeliveryNumber, Lookup>,
    recent: Recent,
    program: Option<Program>,
    /// Whether the program stays.
    stays: bool,
}

#[derive(Debug)]
struct Lookup {
    local: Vec<u8>,
    asked: Asked,
}

#[derive(Debug)]
enum Asked {
    Standing(Standing),
    Once(Once),
}

/// How far a lookup has come: the six strings, or why there are none.
pub(crate) type Found = Result<Vec<u8>, Failure>;

impl Lookups {
    pub(crate) fn new(home: PathBuf, identity: Identity) -> Self {
        let (idle, open, recent) = (Vec::new(), BTreeMap::new(), Recent::default());
        Self { home, identity, idle, open, recent, program: None, stays: true }
    }

    /// Asks whose `local` is. Returns what is known already.
    ///
    /// # Errors
    /// If there is no process to be had.
    pub(crate) fn ask(
        &mut self,
        delivery: DeliveryNumber,
        local: &[u8],
    ) -> io::Result<Option<Vec<u8>>> {
        let program = Program::at(&self.home.join(PROGRAM));
        if program != self.program {
            (self.program, self.stays) = (program, true);
            self.idle.clear();
            self.recent.forget();
        }
        if let Some(strings) = self.recent.find(local, Instant::now()) {
            return Ok(Some(strings.to_vec()));
        }
        self.idle.retain(Standing::is_fresh);
        let asked = match question(local).filter(|_| self.stays) {
            Some(question) => Asked::Standing(self.standing(question)?),
            None => Asked::Once(Once::start(&self.home, self.identity, local)?),
        };
        self.open.insert(delivery, Lookup { local: local.to_vec(), asked });
        Ok(None)
    }

    /// Somebody who has been asked.
    fn standing(&mut self, question: Vec<u8>) -> io::Result<Standing> {
        while let Some(mut standing) = self.idle.pop() {
            // It may have gone for reasons of its own.
            if standing.ask(&question).is_ok() {
                return Ok(standing);
            }
        }
        Standing::start(&self.home, self.identity, question, self.program)
    }

    pub(crate) fn waits_for(&self) -> Vec<(DeliveryNumber, BorrowedFd<'_>)> {
        let answers = self.open.iter().map(|(delivery, lookup)| match &lookup.asked {
            Asked::Standing(standing) => Some((*delivery, standing.answers())),
            Asked::Once(once) => Some((*delivery, once.answers()?)),
        });
        answers.flatten().collect()
    }

    /// Reads what there is to read. `None` if the lookup is not over.
    pub(crate) fn go_on(&mut self, delivery: DeliveryNumber) -> Option<Found> {
        let Lookup { local, asked } = self.open.remove(&delivery)?;
        let asked = match asked {
            Asked::Once(mut once) => match once.read() {
                Some(found) => return Some(found),
                None => Asked::Once(once),
            },
            Asked::Standing(mut standing) => match standing.read() {
                Reading::More => Asked::Standing(standing),
                Reading::Done(found) => {
                    if let Some(strings) = found.as_ref().ok().filter(|_| self.is_same(&standing)) {
                        self.recent.add(local, strings, Instant::now());
                    }
                    self.keep(standing);
                    return Some(found);
                }
                Reading::Gone => return Some(Err(Trouble::System.into())),
                Reading::NeverStayed => {
                    self.stays &= !self.is_same(&standing);
                    match Once::start(&self.home, self.identity, &local) {
                        Ok(once) => Asked::Once(once),
                        Err(_) => return Some(Err(Trouble::System.into())),
                    }
                }
            },
        };
        self.open.insert(delivery, Lookup { local, asked });
        None
    }

    /// A process has ended: which lookup it was the last sign of life of.
    pub(crate) fn ended(&mut self, process: u32, exit: Exit) -> Option<DeliveryNumber> {
        self.open.iter_mut().find_map(|(delivery, lookup)| match &mut lookup.asked {
            Asked::Once(once) => once.ended(process, exit).then_some(*delivery),
            // What becomes of it shows in its answers.
            Asked::Standing(_) => None,
        })
    }

    /// Whether it is the program that is there now.
    fn is_same(&self, standing: &Standing) -> bool {
        standing.program() == self.program
    }

    fn keep(&mut self, standing: Standing) {
        let is_of_use = standing.is_fresh() && self.is_same(&standing);
        if is_of_use && self.idle.len() < IDLE {
            self.idle.push(standing);
        }
    }
}
