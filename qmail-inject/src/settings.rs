//! All that is known before the message is read.

use std::fs;
use std::path::Path;

use qmail_address::quote;
use qmail_core::control::{
    self, Control, Controls, DEFAULTDOMAIN, DEFAULTHOST, IDHOST, PLUSDOMAIN, Set,
};
use qmail_core::if_there;
use qmail_message::complete::Completion;
use qmail_message::rewrite;

use crate::author::Author;
use crate::command::Command;
use crate::failure::Failure;

/// The value of an environment variable.
pub(crate) type Variable<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// Hosts and domains that are added to what people write.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    /// Of addresses.
    pub completion: Completion,
    /// The right side of a Message-ID.
    pub id_host: Vec<u8>,
}

/// All that is known before the message is read.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Who sends.
    pub author: Author,
    /// What is added to addresses.
    pub defaults: Defaults,
    /// Addresses of mailing lists: mail to one of them gets a `Mail-Followup-To`.
    pub lists: Option<Set>,
    /// The envelope sender, if the command line has it.
    pub sender: Option<Vec<u8>>,
    /// Recipients on the command line.
    pub recipients: Vec<Vec<u8>>,
    /// Whether recipients in the header count.
    pub header_recipients: bool,
    /// When we started, in seconds since 1970.
    pub started: u64,
    /// Our process id.
    pub process: u32,
}

impl Defaults {
    /// Reads the controls of a tree. The environment may replace each of them, but does not help
    /// where one cannot be read.
    pub(crate) fn read(home: &Path, variable: Variable<'_>) -> Result<Self, Failure> {
        let controls = Controls::open(home)?;
        let value = |control: &Control, name: &str| -> Result<Vec<u8>, Failure> {
            let line = controls.line(control)?;
            Ok(variable(name).or(line).unwrap_or_default())
        };
        let domain = value(&DEFAULTDOMAIN, "QMAILDEFAULTDOMAIN")?;
        let host = value(&DEFAULTHOST, "QMAILDEFAULTHOST")?;
        let plus_domain = value(&PLUSDOMAIN, "QMAILPLUSDOMAIN")?;
        let id_host = value(&IDHOST, "QMAILIDHOST")?;
        // It is copied into a field as it is.
        if qmail_address::breaks_lines(&id_host) {
            return Err(Failure::Line(id_host));
        }
        let completion = Completion::new(&host, &plus_domain, &domain);
        let completion = completion.map_err(|bad| Failure::Line(bad.0))?;
        Ok(Self { completion, id_host })
    }
}

impl Settings {
    /// Completes the addresses of the command line.
    pub(crate) fn new(
        author: Author,
        defaults: Defaults,
        lists: Option<Set>,
        command: Command,
        started: u64,
        process: u32,
    ) -> Result<Self, Failure> {
        let complete = |address: &[u8]| rewrite::address(address, &defaults.completion);
        let mut recipients = Vec::with_capacity(command.recipients.len());
        let sender = match command.sender {
            None => None,
            // The empty sender, as it is written everywhere else.
            Some(sender) if sender == b"<>" => Some(Vec::new()),
            Some(sender) => Some(complete(&sender).map_err(|_| Failure::Line(quote(&sender)))?),
        };
        for recipient in command.recipients {
            let address = complete(&recipient).map_err(|_| Failure::Address(recipient))?;
            // Nobody is at an empty address.
            if !address.is_empty() {
                recipients.push(address);
            }
        }
        let header_recipients = command.header_recipients;
        Ok(Self {
            author,
            defaults,
            lists,
            sender,
            recipients,
            header_recipients,
            started,
            process,
        })
    }
}

/// Reads the file that `$QMAILMFTFILE` names; it may be missing.
pub(crate) fn read_lists(variable: Variable<'_>) -> Result<Option<Set>, Failure> {
    use std::os::unix::ffi::OsStringExt as _;
    let Some(path) = variable("QMAILMFTFILE") else { return Ok(None) };
    let file = if_there(fs::read(std::ffi::OsString::from_vec(path))).map_err(Failure::Read)?;
    Ok(file.map(|file| control::list_lines(&file).into_iter().collect()))
}
