//! Accounts, as passwd(5) has them.

use qmail_core::control::leading_number;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: Vec<u8>,
    /// Its user id.
    pub uid: u64,
    /// Its home directory.
    pub home: Vec<u8>,
    uid_text: Vec<u8>,
    gid_text: Vec<u8>,
}

impl Account {
    /// Parses a line; `None` if it is no account, or root's: nothing is delivered to root.
    pub fn parse(line: &[u8]) -> Option<Self> {
        if line.contains(&0) {
            return None;
        }
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        let [name, _, uid, gid, _, home, _, ..] = fields.as_slice() else { return None };
        Some(Self {
            name: name.to_vec(),
            uid: leading_number(uid).filter(|uid| *uid > 0)?,
            home: home.to_vec(),
            uid_text: uid.to_vec(),
            gid_text: gid.to_vec(),
        })
    }

    /// `:NAME:UID:GID:HOME:`, as it stands in an assignment.
    pub fn strings(&self) -> Vec<u8> {
        let fields: [&[u8]; 6] = [b"", &self.name, &self.uid_text, &self.gid_text, &self.home, b""];
        fields.join(&b':')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_six_colons_at_least() {
        let account = Account::parse(b"joe:x:1000:100:Joe,,:/home/joe:/bin/sh").unwrap();
        assert_eq!((account.uid, account.home.as_slice()), (1000, b"/home/joe".as_slice()));
        assert_eq!(account.strings(), b":joe:1000:100:/home/joe:");
        assert!(Account::parse(b"joe:x:1000:100:Joe:/home/joe:").is_some());
        assert_eq!(Account::parse(b"joe:x:1000:100:Joe:/home/joe"), None);
    }

    #[test]
    fn root_is_no_account_and_neither_is_nonsense() {
        for line in ["root:x:0:0:::", "joe:x:x:0:::", "joe:x::0:::", "j\0e:x:1:1:::", "", "+"] {
            assert_eq!(Account::parse(line.as_bytes()), None, "{line:?}");
        }
    }
}
