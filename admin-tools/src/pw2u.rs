//! From the accounts of a host to `users/assign`.

mod account;
mod rules;

use std::fmt;
use std::io::{self, BufRead, Read, Write};

pub use account::Account;
pub use rules::{HomeCheck, Lists, Rules};

use crate::lines::{Next, each_line, without_end};
use qmail_core::control::Map;

/// Why the list is not complete. Nothing that was written may be used.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The accounts, or a list of ours, cannot be read.
    Read,
    /// The result cannot be written.
    Write,
    /// There is no account for addresses that belong to nobody.
    NoAlias(String),
    /// A home directory is missing, or cannot be looked at.
    Home(Vec<u8>),
    /// A subuser belongs to an account that is not in the list.
    NoUser(Vec<u8>),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = String::from_utf8_lossy;
        match self {
            Self::Read => formatter.write_str("unable to read input"),
            Self::Write => formatter.write_str("unable to write output"),
            Self::NoAlias(name) => write!(formatter, "unable to find {name} user"),
            Self::Home(home) => write!(formatter, "unable to stat {}", shown(home)),
            Self::NoUser(name) => {
                write!(formatter, "unable to find {} user for subuser", shown(name))
            }
        }
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Read
    }
}

/// Where the assignments go.
pub struct Writer<'a, W> {
    rules: &'a Rules,
    output: W,
    /// `NAME::NAME:UID:GID:HOME:` for each account, for the subusers.
    accounts: Vec<Vec<u8>>,
    has_alias: bool,
}

impl<'a, W: Write> Writer<'a, W> {
    /// Writes to `output` as `rules` say.
    pub fn new(rules: &'a Rules, output: W) -> Self {
        Self { rules, output, accounts: Vec::new(), has_alias: false }
    }

    /// Adds the addresses of all accounts in a passwd(5) file. `owner` is asked who owns a home
    /// directory.
    pub fn accounts(
        &mut self,
        passwd: impl BufRead,
        owner: impl Fn(&[u8]) -> io::Result<u32>,
    ) -> Result<(), Failure> {
        each_line(passwd, |line| {
            if let Some(account) = Account::parse(without_end(line))
                && self.rules.accept(&account, &owner)?
            {
                self.account(&account)?;
            }
            Ok::<_, Failure>(Next::Go)
        })?;
        if self.has_alias { Ok(()) } else { Err(Failure::NoAlias(self.rules.alias.clone())) }
    }

    /// Adds the addresses in `users/subusers`.
    pub fn subusers(&mut self, subusers: impl BufRead) -> Result<(), Failure> {
        let accounts: Map = std::mem::take(&mut self.accounts).into_iter().collect();
        each_line(subusers, |line| {
            let mut fields = without_end(line).split(|byte| *byte == b':');
            let all = (fields.next(), fields.next(), fields.next(), fields.next());
            if let (Some(name), Some(user), Some(prefix), Some(_)) = all {
                let account = accounts.get(user).ok_or_else(|| Failure::NoUser(user.to_vec()))?;
                self.subuser(name, account, prefix)?;
            }
            Ok(Next::Go)
        })
    }

    /// Adds lines as they are.
    pub fn append(&mut self, mut lines: impl Read) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        lines.read_to_end(&mut bytes)?;
        self.put(&[&bytes])?;
        // The end of the list must stand on a line of its own.
        if bytes.is_empty() || bytes.ends_with(b"\n") { Ok(()) } else { self.put(&[b"\n"]) }
    }

    /// Ends the list.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.put(&[b".\n"])?;
        self.output.flush().map_err(|_| Failure::Write)
    }

    fn account(&mut self, account: &Account) -> Result<(), Failure> {
        let strings = account.strings();
        if account.name == self.rules.alias.as_bytes() {
            self.put(&[b"+", &strings, self.rules.dash, b":\n"])?;
            self.has_alias = true;
        }
        for name in self.rules.names(account) {
            self.put(&[b"=", &name, &strings, b"::\n"])?;
            if let Some(break_character) = self.rules.break_character {
                let dash = self.rules.dash;
                self.put(&[b"+", &name, &[break_character], &strings, dash, b":\n"])?;
            }
        }
        self.accounts.push([account.name.as_slice(), b":", &strings].concat());
        Ok(())
    }

    fn subuser(&mut self, name: &[u8], account: &[u8], prefix: &[u8]) -> Result<(), Failure> {
        let dash = self.rules.dash;
        self.put(&[b"=", name, account, dash, prefix, b":\n"])?;
        match self.rules.break_character {
            None => Ok(()),
            Some(break_character) => {
                self.put(&[b"+", name, &[break_character], account, dash, prefix, b"-:\n"])
            }
        }
    }

    fn put(&mut self, pieces: &[&[u8]]) -> Result<(), Failure> {
        pieces.iter().try_for_each(|piece| self.output.write_all(piece)).map_err(|_| Failure::Write)
    }
}

#[cfg(test)]
mod tests;
