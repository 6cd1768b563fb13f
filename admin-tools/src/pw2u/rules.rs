//! Which accounts have addresses, and how these look.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use qmail_core::accounts::Role;
use qmail_core::built_in::break_character;
use qmail_core::control::{Map, Set, list_lines};
use qmail_core::if_there;
use qmail_core::options::{BadOption, Given, Options};

use super::{Account, Failure};

/// What a home directory is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomeCheck {
    /// Nothing.
    Off,
    /// Whether its account owns it; that it is there goes without saying.
    Required,
    /// Whether its account owns it; an account without one has no addresses.
    Optional,
}

/// Everything that decides about an account.
#[derive(Debug)]
pub struct Rules {
    /// What is asked of home directories.
    pub home_check: HomeCheck,
    /// Whether names may have capitals, which no address is looked up with.
    pub capitals: bool,
    /// What stands between a name and an extension; `None` if there are no extensions.
    pub break_character: Option<u8>,
    /// What the field for the dash has: a hyphen, or a hyphen and a slash, and its colon.
    pub dash: &'static [u8],
    /// The account for addresses that belong to nobody.
    pub alias: String,
    /// Lists of the administrator.
    pub lists: Lists,
}

/// The files in `users/` that say more of accounts.
#[derive(Debug, Default)]
pub struct Lists {
    include: Option<Set>,
    exclude: Option<Set>,
    mailnames: Option<Map>,
}

impl Lists {
    /// Reads those that are there.
    pub fn read(users: &Path) -> io::Result<Self> {
        let set = |lines: Vec<Vec<u8>>| lines.into_iter().collect::<Set>();
        Ok(Self {
            include: list(&users.join("include"))?.map(set),
            exclude: list(&users.join("exclude"))?.map(set),
            mailnames: list(&users.join("mailnames"))?.map(|lines| lines.into_iter().collect()),
        })
    }
}

fn list(path: &Path) -> io::Result<Option<Vec<Vec<u8>>>> {
    Ok(if_there(fs::read(path))?.map(|bytes| list_lines(&bytes)))
}

impl Rules {
    /// As the command line says.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, BadOption> {
        let mut rules = Self {
            home_check: HomeCheck::Optional,
            capitals: false,
            break_character: Some(break_character()),
            dash: b"-:",
            alias: Role::Alias.name().into(),
            lists: Lists::default(),
        };
        let mut options = Options::new(b"/ohHuUc:C", words);
        while let Some(given) = options.next_option()? {
            match given {
                Given::Letter(b'/') => rules.dash = b"-/:",
                Given::Letter(b'o') => rules.home_check = HomeCheck::Optional,
                Given::Letter(b'h') => rules.home_check = HomeCheck::Required,
                Given::Letter(b'H') => rules.home_check = HomeCheck::Off,
                Given::Letter(b'u') => rules.capitals = true,
                Given::Letter(b'U') => rules.capitals = false,
                Given::Letter(_) => rules.break_character = None,
                Given::Argument(_, argument) => rules.break_character = argument.first().copied(),
            }
        }
        Ok(rules)
    }

    /// Whether an account has addresses. `owner` is asked who owns a home directory.
    pub(super) fn accept(
        &self,
        account: &Account,
        owner: &impl Fn(&[u8]) -> io::Result<u32>,
    ) -> Result<bool, Failure> {
        let name = &account.name;
        if !self.capitals && name.iter().any(u8::is_ascii_uppercase) {
            return Ok(false);
        }
        if self.lists.include.as_ref().is_some_and(|include| !include.contains(name)) {
            return Ok(false);
        }
        if self.lists.exclude.as_ref().is_some_and(|exclude| exclude.contains(name)) {
            return Ok(false);
        }
        if self.home_check == HomeCheck::Off {
            return Ok(true);
        }
        match owner(&account.home) {
            Ok(owner) => Ok(u64::from(owner) == account.uid),
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && self.home_check == HomeCheck::Optional =>
            {
                Ok(false)
            }
            Err(_) => Err(Failure::Home(account.home.clone())),
        }
    }

    /// The names that an account is addressed by: its own, or those of its line in `mailnames`.
    pub(super) fn names(&self, account: &Account) -> Vec<Vec<u8>> {
        let listed = self.lists.mailnames.as_ref().and_then(|names| names.get(&account.name));
        let names = listed.unwrap_or(&account.name).split(|byte| *byte == b':');
        names.filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
    }
}
