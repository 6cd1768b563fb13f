//! Whose an address is, where `users/cdb` does not say: qmail-getpw is asked.
//!
//! It runs as another user than we do: name services run code of others, and not as root. Ours stays
//! and is asked again and again ([`standing`]), a few of them where lookups take their time; each for
//! a minute, so that nothing that it has read grows old. It is not asked what another one is being
//! asked, nor what was answered a moment ago ([`recent`]). Another program in its place is run for
//! each question ([`once`]), as by netqmail.

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
    /// Other deliveries that wait for the same answer.
    others: Vec<DeliveryNumber>,
}

#[derive(Debug)]
enum Asked {
    Standing(Standing),
    Once(Once),
}

/// How far a lookup has come.
enum Step {
    Waiting(Asked),
    Found(Found),
}

/// The six strings, or why there are none.
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
        if let Some(lookup) = self.same(local) {
            lookup.others.push(delivery);
            return Ok(None);
        }
        self.idle.retain(Standing::is_fresh);
        let asked = match question(local).filter(|_| self.stays) {
            Some(question) => Asked::Standing(self.standing(question)?),
            None => Asked::Once(Once::start(&self.home, self.identity, local)?),
        };
        let lookup = Lookup { local: local.to_vec(), asked, others: Vec::new() };
        self.open.insert(delivery, lookup);
        Ok(None)
    }

    /// Where the program that is there now is being asked this.
    fn same(&mut self, local: &[u8]) -> Option<&mut Lookup> {
        let program = self.program;
        let is_asked = |asked: &Asked| match asked {
            Asked::Standing(standing) => standing.program() == program,
            Asked::Once(_) => false,
        };
        let mut all = self.open.values_mut();
        all.find(|lookup| lookup.local == local && is_asked(&lookup.asked))
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

    /// Reads what there is to read. What was found, and for which deliveries; `None` if the lookup is
    /// not over.
    pub(crate) fn go_on(
        &mut self,
        delivery: DeliveryNumber,
    ) -> Option<(Found, Vec<DeliveryNumber>)> {
        let Lookup { local, asked, mut others } = self.open.remove(&delivery)?;
        match self.read(&local, asked) {
            Step::Found(found) => {
                others.insert(0, delivery);
                Some((found, others))
            }
            Step::Waiting(asked) => {
                self.open.insert(delivery, Lookup { local, asked, others });
                None
            }
        }
    }

    fn read(&mut self, local: &[u8], asked: Asked) -> Step {
        match asked {
            Asked::Once(mut once) => match once.read() {
                Some(found) => Step::Found(found),
                None => Step::Waiting(Asked::Once(once)),
            },
            Asked::Standing(mut standing) => match standing.read() {
                Reading::More => Step::Waiting(Asked::Standing(standing)),
                Reading::Done(found) => {
                    if let Some(strings) = found.as_ref().ok().filter(|_| self.is_same(&standing)) {
                        self.recent.add(local.to_vec(), strings, Instant::now());
                    }
                    self.keep(standing);
                    Step::Found(found)
                }
                Reading::Gone => Step::Found(Err(Trouble::System.into())),
                Reading::NeverStayed => {
                    self.stays &= !self.is_same(&standing);
                    match Once::start(&self.home, self.identity, local) {
                        Ok(once) => Step::Waiting(Asked::Once(once)),
                        Err(_) => Step::Found(Err(Trouble::System.into())),
                    }
                }
            },
        }
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
