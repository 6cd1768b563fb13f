//! What the programs that take over find in their environment.

/// A variable, and its value; without one it is hidden.
pub(crate) type Change = (&'static str, Option<Vec<u8>>);

/// For qmail-inject: the author is the envelope sender, whoever runs us, and has the name that was
/// given. An empty sender names nobody.
pub(crate) fn author(sender: Option<&[u8]>, name: Option<Vec<u8>>) -> Vec<Change> {
    let mut changes = Vec::new();
    if let Some(sender) = sender.filter(|sender| !sender.is_empty()) {
        for hidden in ["QMAILNAME", "MAILNAME", "NAME", "QMAILHOST", "MAILHOST"] {
            changes.push((hidden, None));
        }
        let at = sender.iter().rposition(|byte| *byte == b'@');
        let (user, host) = sender.split_at(at.unwrap_or(sender.len()));
        changes.push(("QMAILUSER", Some(user.to_vec())));
        if let Some(host) = host.strip_prefix(b"@") {
            changes.push(("QMAILHOST", Some(host.to_vec())));
        }
    }
    // Last: a name that was given is not hidden.
    changes.extend(name.map(|name| ("MAILNAME", Some(name))));
    changes
}

/// For qmail-smtpd: the client is a program on this host, which may send anything anywhere.
pub(crate) fn local_client() -> Vec<Change> {
    const VARIABLES: [(&str, &str); 8] = [
        ("RELAYCLIENT", ""),
        ("DATABYTES", "0"),
        ("PROTO", "TCP"),
        ("TCPLOCALIP", "127.0.0.1"),
        ("TCPLOCALHOST", "localhost"),
        ("TCPREMOTEIP", "127.0.0.1"),
        ("TCPREMOTEHOST", "localhost"),
        ("TCPREMOTEINFO", "sendmail-bs"),
    ];
    VARIABLES.iter().map(|(name, value)| (*name, Some(value.as_bytes().to_vec()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(changes: &'a [Change], name: &str) -> Option<Option<&'a str>> {
        let last = changes.iter().rev().find(|(changed, _)| *changed == name)?;
        Some(last.1.as_deref().map(|value| str::from_utf8(value).unwrap()))
    }

    #[test]
    fn a_sender_becomes_the_author() {
        let changes = author(Some(b"a@b@c.d"), None);
        assert_eq!(value(&changes, "QMAILUSER"), Some(Some("a@b")));
        assert_eq!(value(&changes, "QMAILHOST"), Some(Some("c.d")));
        assert_eq!(value(&changes, "NAME"), Some(None));
        let changes = author(Some(b"joe"), None);
        assert_eq!(value(&changes, "QMAILUSER"), Some(Some("joe")));
        assert_eq!(value(&changes, "QMAILHOST"), Some(None));
    }

    #[test]
    fn a_name_is_kept_beside_a_sender() {
        let changes = author(Some(b"joe"), Some(b"Joe".to_vec()));
        assert_eq!(value(&changes, "MAILNAME"), Some(Some("Joe")));
        assert_eq!(value(&changes, "QMAILNAME"), Some(None));
        assert_eq!(author(None, Some(b"J".to_vec())), [("MAILNAME", Some(b"J".to_vec()))]);
    }

    #[test]
    fn the_empty_sender_leaves_the_author_alone() {
        assert_eq!(author(Some(b""), None), []);
    }
}
