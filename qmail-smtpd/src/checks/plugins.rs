//! qmail-spp: programs of the administrator's that are asked at each step of a session, and answer
//! with commands of one letter.

pub mod commands;
mod config;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use qmail_sys::{Exit, FailureCodes, Spawn};
use qmail_wire::smtp_server::{Reply, path};

use super::{Check, Verdict};
use crate::client::Authentication;
use crate::printable::text;
use crate::program::{Allowance, Ended, run};
use crate::replies;
use crate::transaction::{Recipient, Transaction};
use crate::visit::Visit;

use commands::{Command, commands};
pub(super) use config::{Section, Sections};

/// As much as a plug-in may say.
const MOST_OUTPUT: usize = 65_536;
/// So many fields, and lines for a later command, are kept: a client may repeat MAIL for ever.
const MOST_KEPT: usize = 1000;

/// Asks the plug-ins of the section for each step.
pub(super) struct Plugins {
    sections: Sections,
    home: PathBuf,
    time: Duration,
    /// A plug-in has said that no more of them need be asked.
    is_done: bool,
    /// What is to be said to the next MAIL, RCPT and DATA.
    queued: [Vec<Vec<u8>>; 3],
    tried_recipients: u64,
}

/// What the plug-ins of a section say together.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Next,
    Vouch,
    Verdict(Verdict),
}

impl Plugins {
    pub(super) fn new(sections: Sections, home: PathBuf, time: Duration) -> Self {
        Self {
            sections,
            home,
            time,
            is_done: false,
            queued: [const { Vec::new() }; 3],
            tried_recipients: 0,
        }
    }

    fn ask(&mut self, visit: &mut Visit, section: Section, address: &mut Vec<u8>) -> Verdict {
        let queued = section.queue().and_then(|queue| self.queued.get(queue));
        if let Some(lines) = queued.filter(|lines| !lines.is_empty()) {
            return Verdict::Refuse(Reply::verbatim(lines.join(&b'\n')));
        }
        if self.is_done {
            return Verdict::Pass;
        }
        for plugin in self.sections.plugins(section).to_vec() {
            if let Some(name) = section.address_variable() {
                visit.variables.set(name, address);
            }
            let output = match self.run(visit, &plugin) {
                Ok((output, Ended::With(Exit::Code(120)))) if output.is_empty() => {
                    return failure(&plugin, "can't execute");
                }
                Ok((output, Ended::With(Exit::Code(_)))) => output,
                Ok((_, Ended::With(Exit::Signal(_)))) => return failure(&plugin, "child crashed"),
                Ok((_, Ended::TimedOut)) => return failure(&plugin, "timeout"),
                Err(_) => return failure(&plugin, "can't pipe()"),
            };
            match self.obey(visit, &output, address) {
                Answer::Next => {}
                Answer::Vouch => return Verdict::Vouch,
                Answer::Verdict(verdict) => return verdict,
            }
        }
        Verdict::Pass
    }

    fn run(&self, visit: &Visit, plugin: &[u8]) -> io::Result<(Vec<u8>, Ended)> {
        let spawn = match plugin.strip_prefix(b":") {
            Some(command) => Spawn::new("/bin/sh").arg("-c").arg_bytes(command),
            None => {
                Spawn::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(plugin))
            }
        };
        let spawn = visit.variables.prepare(spawn).directory(&self.home).close(0);
        let spawn = spawn.failing_with(FailureCodes::all(120));
        run(spawn, &[1], Allowance { time: self.time, bytes: MOST_OUTPUT })
    }

    /// Does what a plug-in says, up to the first command that ends it.
    fn obey(&mut self, visit: &mut Visit, output: &[u8], address: &mut Vec<u8>) -> Answer {
        for command in commands(output) {
            match command {
                Command::Accept => {
                    self.is_done = true;
                    return Answer::Verdict(Verdict::Pass);
                }
                Command::Next => return Answer::Verdict(Verdict::Pass),
                Command::Ok => return Answer::Vouch,
                Command::Error(said) => return Answer::Verdict(Verdict::Refuse(reply(said))),
                Command::Reject(said) => return Answer::Verdict(Verdict::Disconnect(reply(said))),
                Command::Drop => return Answer::Verdict(Verdict::HangUp),
                Command::Later(queue, said) => {
                    if let Some(queued) = self.queued.get_mut(queue)
                        && queued.len() < MOST_KEPT
                    {
                        queued.push(said);
                    }
                }
                Command::Print(said) => visit.say(said),
                Command::Header(field) if visit.fields.len() < MOST_KEPT => {
                    visit.fields.push(field)
                }
                Command::Header(_) => {}
                Command::Change(new) => {
                    let parsed = path(&[b"<", new.as_slice(), b">"].concat());
                    if parsed.len() < 900 && !qmail_address::breaks_lines(&parsed) {
                        *address = parsed;
                    }
                }
                Command::Set(name, value) => visit.variables.set(&name, &value),
                Command::Unset(name) => visit.variables.remove(&name),
            }
        }
        Answer::Next
    }
}

/// A plug-in must say something if it refuses; if it does not, that is for later.
fn reply(said: Vec<u8>) -> Reply {
    if said.is_empty() { replies::PLUGIN_SILENT } else { Reply::verbatim(said) }
}

fn failure(plugin: &[u8], what: &str) -> Verdict {
    let mut said = b"qmail-spp failure: ".to_vec();
    said.extend(text(plugin, 300));
    said.extend_from_slice(format!(": {what} (#4.3.0)").as_bytes());
    Verdict::Refuse(Reply::with_text(451, said))
}

impl Check for Plugins {
    fn connected(&mut self, visit: &mut Visit) -> Verdict {
        self.ask(visit, Section::Connection, &mut Vec::new())
    }

    fn hello(&mut self, visit: &mut Visit, name: &[u8]) -> Verdict {
        self.ask(visit, Section::Helo, &mut name.to_vec())
    }

    fn authenticated(&mut self, visit: &mut Visit, _user: &Authentication) -> Verdict {
        self.ask(visit, Section::Auth, &mut Vec::new())
    }

    fn sender(&mut self, visit: &mut Visit, beginning: &mut Transaction) -> Verdict {
        self.tried_recipients = 0;
        self.ask(visit, Section::Mail, &mut beginning.sender)
    }

    fn recipient(&mut self, visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        self.tried_recipients = self.tried_recipients.saturating_add(1);
        let is_taken = recipient.is_ours || visit.may_relay();
        let accepted = visit.accepted_recipients().to_string();
        let tried = self.tried_recipients.to_string();
        visit.variables.set("SMTPRCPTCOUNT", accepted.as_bytes());
        visit.variables.set("SMTPRCPTCOUNTALL", tried.as_bytes());
        visit.variables.set("SMTPRCPTHOSTSOK", if is_taken { b"1" } else { b"0" });
        self.ask(visit, Section::Rcpt, &mut recipient.address)
    }

    fn accepted(&mut self, visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        if self.sections.plugins(Section::Pass).is_empty() {
            return Verdict::Pass;
        }
        let count = visit.accepted_recipients().saturating_add(1).to_string();
        visit.variables.set("SMTPRCPTCOUNT", count.as_bytes());
        self.ask(visit, Section::Pass, &mut recipient.address)
    }

    fn data(&mut self, visit: &mut Visit) -> Verdict {
        self.ask(visit, Section::Data, &mut Vec::new())
    }

    fn reset(&mut self, _visit: &mut Visit) {
        self.queued = [const { Vec::new() }; 3];
        self.tried_recipients = 0;
    }
}

#[cfg(test)]
mod tests;
