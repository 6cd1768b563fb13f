//! Who sends: what the environment says of him.

/// The person for whom the message is sent, as environment variables describe him.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Author {
    /// Local part of `From`.
    pub user: Vec<u8>,
    /// Host of `From`; without it, the default host.
    pub host: Option<Vec<u8>>,
    /// His name. One that is empty is shown.
    pub name: Option<Vec<u8>>,
    /// Local part of the envelope sender.
    pub sender_user: Vec<u8>,
    /// Host of the envelope sender.
    pub sender_host: Option<Vec<u8>>,
    /// What he wants to be done differently.
    pub letters: Letters,
}

/// The letters of `$QMAILINJECT`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Letters {
    /// `c`: the name in `From` is a comment behind the address.
    pub name_is_comment: bool,
    /// `s`: `Return-Path` in the message does not count.
    pub ignore_return_path: bool,
    /// `f`: `From` in the message is replaced.
    pub replace_from: bool,
    /// `i`: `Message-ID` in the message is replaced.
    pub replace_message_id: bool,
    /// `r`: each recipient gets an envelope sender of his own.
    pub sender_per_recipient: bool,
    /// `m`: each message gets an envelope sender of its own.
    pub sender_per_message: bool,
}

impl Author {
    /// Asks for variables by name.
    pub(crate) fn new(variable: impl Fn(&str) -> Option<Vec<u8>>) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| variable(name));
        let user = first(&["QMAILUSER", "MAILUSER", "USER", "LOGNAME"]);
        let user = user.unwrap_or_else(|| b"anonymous".to_vec());
        let host = first(&["QMAILHOST", "MAILHOST"]);
        Self {
            name: first(&["QMAILNAME", "MAILNAME", "NAME"]),
            sender_user: variable("QMAILSUSER").unwrap_or_else(|| user.clone()),
            sender_host: variable("QMAILSHOST").or_else(|| host.clone()),
            letters: Letters::new(&variable("QMAILINJECT").unwrap_or_default()),
            user,
            host,
        }
    }
}

impl Letters {
    fn new(letters: &[u8]) -> Self {
        let has = |letter| letters.contains(&letter);
        Self {
            name_is_comment: has(b'c'),
            ignore_return_path: has(b's'),
            replace_from: has(b'f'),
            replace_message_id: has(b'i'),
            sender_per_recipient: has(b'r'),
            sender_per_message: has(b'm'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(variables: &[(&str, &str)]) -> Author {
        Author::new(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_bytes().to_vec())
        })
    }

    #[test]
    fn the_first_variable_that_is_set_counts_even_if_it_is_empty() {
        let author = author(&[
            ("LOGNAME", "log"),
            ("USER", "user"),
            ("MAILNAME", ""),
            ("NAME", "Joe"),
            ("MAILHOST", "h"),
        ]);
        assert_eq!(author.user, b"user");
        assert_eq!(author.name, Some(vec![]));
        assert_eq!((author.sender_user, author.sender_host), (b"user".into(), Some(b"h".into())));
    }

    #[test]
    fn sender_variables_are_for_the_sender_only() {
        let author = author(&[("QMAILSUSER", "s"), ("QMAILSHOST", "sh")]);
        assert_eq!((author.user, author.host), (b"anonymous".into(), None));
        assert_eq!((author.sender_user, author.sender_host), (b"s".into(), Some(b"sh".into())));
    }

    #[test]
    fn letters_may_stand_in_any_order_beside_others() {
        let letters = author(&[("QMAILINJECT", "mxc")]).letters;
        assert!(letters.sender_per_message && letters.name_is_comment);
        assert!(!letters.replace_from && !letters.sender_per_recipient);
    }
}
