//! Whose an address is: his whose name it begins with, and who owns his home directory.

use std::path::PathBuf;

use qmail_core::users::Assignment;

use crate::failure::Failure;

/// No name of this many bytes is asked for.
const NAME_LIMIT: usize = 32;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: Vec<u8>,
    /// User id.
    pub uid: u32,
    /// Id of its own group.
    pub gid: u32,
    /// Home directory.
    pub home: PathBuf,
}

/// What is known of accounts.
pub trait Accounts {
    /// The account of this name.
    ///
    /// # Errors
    /// If that cannot be told at present.
    fn find(&self, name: &[u8]) -> Result<Option<Account>, Failure>;

    /// Whether an account may have mail: it is not root's, and owns its home directory.
    ///
    /// # Errors
    /// If that cannot be told at present.
    fn may_have_mail(&self, account: &Account) -> Result<bool, Failure>;

    /// The account for addresses that belong to nobody.
    ///
    /// # Errors
    /// If there is none, or that cannot be told at present.
    fn alias(&self) -> Result<Account, Failure>;
}

/// Whose `local` is, and with which extension.
///
/// # Errors
/// If it cannot be told. That is not the same as nobody: mail for nobody may bounce.
pub fn owner(
    local: &[u8],
    break_character: u8,
    accounts: &impl Accounts,
) -> Result<Assignment, Failure> {
    for (name, extension) in readings(local, break_character) {
        if let Some(account) = accounts.find(&name.to_ascii_lowercase())?
            && accounts.may_have_mail(&account)?
        {
            return Ok(assignment(account, extension));
        }
    }
    Ok(assignment(accounts.alias()?, Some(local)))
}

/// The names that `local` may begin with, longest first, and what follows each of them behind the
/// break character.
fn readings(local: &[u8], break_character: u8) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    (0..=local.len().min(NAME_LIMIT - 1)).rev().filter_map(move |length| {
        let (name, rest) = local.split_at_checked(length)?;
        match rest.split_first() {
            None => Some((name, None)),
            Some((first, extension)) => {
                (*first == break_character).then_some((name, Some(extension)))
            }
        }
    })
}

/// Whatever the break character is, files of extensions have a hyphen.
fn assignment(account: Account, extension: Option<&[u8]>) -> Assignment {
    let Account { name, uid, gid, home } = account;
    let dash = if extension.is_some() { b"-".as_slice() } else { b"" };
    Assignment {
        user: name,
        uid,
        gid,
        home,
        dash: dash.to_vec(),
        extension: extension.unwrap_or_default().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Accounts of these names. `root` and `thief` may not have mail, `broken` cannot be told.
    struct Known {
        names: &'static [&'static str],
        asked: RefCell<Vec<String>>,
    }

    fn known(names: &'static [&'static str]) -> Known {
        Known { names, asked: RefCell::default() }
    }

    fn account(name: &str) -> Account {
        Account { name: name.into(), uid: 1, gid: 2, home: "/h".into() }
    }

    impl Accounts for Known {
        fn find(&self, name: &[u8]) -> Result<Option<Account>, Failure> {
            let name = String::from_utf8(name.to_vec()).unwrap();
            self.asked.borrow_mut().push(name.clone());
            match name.as_str() {
                "broken" => Err(Failure::System),
                name => Ok(self.names.contains(&name).then(|| account(name))),
            }
        }

        fn may_have_mail(&self, account: &Account) -> Result<bool, Failure> {
            match account.name.as_slice() {
                b"far" => Err(Failure::HomeServer),
                name => Ok(name != b"thief"),
            }
        }

        fn alias(&self) -> Result<Account, Failure> {
            Ok(account("alias"))
        }
    }

    fn found(local: &str, accounts: &Known) -> String {
        match owner(local.as_bytes(), b'-', accounts) {
            Ok(assignment) => {
                let strings = String::from_utf8(assignment.to_bytes()).unwrap();
                strings.replace("\x001\x002\0/h", "").replace('\0', ":")
            }
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn the_longest_name_wins_and_the_extension_keeps_its_case() {
        let accounts = known(&["joe", "joe-list", "a"]);
        assert_eq!(found("joe", &accounts), "joe:::");
        assert_eq!(found("JOE", &accounts), "joe:::");
        assert_eq!(found("joe-", &accounts), "joe:-::");
        assert_eq!(found("Joe-X-Y", &accounts), "joe:-:X-Y:");
        assert_eq!(found("joe-LIST", &accounts), "joe-list:::");
        assert_eq!(found("joe-list-A.b", &accounts), "joe-list:-:A.b:");
        assert_eq!(found("a--b", &accounts), "a:-:-b:");
    }

    #[test]
    fn what_is_nobodys_is_for_alias_with_the_whole_address() {
        let accounts = known(&["joe"]);
        assert_eq!(found("Joel", &accounts), "alias:-:Joel:");
        assert_eq!(found("x-joe", &accounts), "alias:-:x-joe:");
        assert_eq!(found("-joe", &accounts), "alias:-:-joe:");
        assert_eq!(found("", &accounts), "alias:-::");
        assert_eq!(found("joe@x-y", &accounts), "alias:-:joe@x-y:");
    }

    #[test]
    fn who_may_not_have_mail_is_passed_over() {
        assert_eq!(found("thief-x", &known(&["thief"])), "alias:-:thief-x:");
        assert_eq!(found("joe-thief", &known(&["joe", "joe-thief"])), "joe-thief:::");
        assert_eq!(found("thief-a", &known(&["thief", "thief-a"])), "thief-a:::");
    }

    #[test]
    fn what_cannot_be_told_is_not_nobody() {
        assert_eq!(found("broken-x", &known(&[])), Failure::System.to_string());
        assert_eq!(found("far-x", &known(&["far"])), Failure::HomeServer.to_string());
    }

    #[test]
    fn names_of_32_bytes_are_not_asked_for() {
        let accounts = known(&[]);
        let (long, short) = ("l".repeat(32), "s".repeat(31));
        found(&long, &accounts);
        found(&format!("{short}-{short}-x"), &accounts);
        assert_eq!(*accounts.asked.borrow(), [short]);
    }

    #[test]
    fn another_break_character_still_makes_a_hyphen() {
        let found = owner(b"joe+a-b", b'+', &known(&["joe"])).unwrap();
        assert_eq!((found.dash, found.extension), (b"-".to_vec(), b"a-b".to_vec()));
    }
}
