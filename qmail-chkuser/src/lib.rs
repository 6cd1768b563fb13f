//! Tells whether recipients exist: a process of its own, away from the network, which may be given
//! the right to look into users' homes without giving it to the SMTP server.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod instructions;
mod owner;
mod question;
mod vpopmail;

use std::io;
use std::path::{Path, PathBuf};

use qmail_address::{host, host_and_suffixes, split};
pub use question::Question;

use qmail_core::control::{ControlError, Controls, LOCALS, Map, Set, VIRTUALDOMAINS};

/// What there is at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Somebody.
    Somebody,
    /// Somebody whose mailbox is full.
    Full,
    /// Nobody.
    Nobody,
    /// The address is not one of ours.
    Elsewhere,
    /// We may not look, or something is broken that may be mended.
    Unclear,
}

impl Found {
    /// The letter that says so: `K`, `F`, `D`, `R` or `Z`.
    pub fn letter(self) -> u8 {
        match self {
            Self::Somebody => b'K',
            Self::Full => b'F',
            Self::Nobody => b'D',
            Self::Elsewhere => b'R',
            Self::Unclear => b'Z',
        }
    }
}

/// Everything that says who there is.
#[derive(Debug)]
pub struct Directory {
    home: PathBuf,
    locals: Set,
    virtual_domains: Map,
}

impl Directory {
    /// That of the tree at `home`.
    ///
    /// # Errors
    /// If a control file is there but cannot be read.
    pub fn open(home: &Path) -> Result<Self, ControlError> {
        let controls = Controls::open(home)?;
        Ok(Self {
            home: home.to_owned(),
            locals: controls.set(&LOCALS)?.unwrap_or_default(),
            virtual_domains: controls.map(&VIRTUALDOMAINS)?,
        })
    }

    /// Who is at an address.
    ///
    /// # Errors
    /// If something cannot be read.
    pub fn find(&self, question: Question<'_>) -> io::Result<Found> {
        let address = question.address;
        let Some(local) = self.local(address) else { return Ok(Found::Elsewhere) };
        let Some(owner) = owner::find(&self.home, &local)? else { return Ok(Found::Unclear) };
        let (mailbox, _) = split(address).unwrap_or((address, b""));
        instructions::find(&owner, mailbox, question)
    }

    /// The local part under which qmail-send delivers an address here.
    fn local(&self, address: &[u8]) -> Option<Vec<u8>> {
        let domain = host(address).unwrap_or_default();
        let (local, _) = split(address).unwrap_or((address, b""));
        if host(address).is_none() || self.locals.contains(domain) {
            return Some(local.to_vec());
        }
        let keys =
            std::iter::once(address).chain(host_and_suffixes(domain)).chain([b"".as_slice()]);
        let owner = self.virtual_domains.first(keys).filter(|owner| !owner.is_empty())?;
        Some([owner, b"-", local].concat())
    }
}

#[cfg(test)]
mod tests;
