//! Rules by the address of a client, as tcprules(1) writes them and tcpserver(1) reads them.

use std::io;
use std::path::Path;

use crate::cdb::Cdb;

/// What is known of a client when the rules are asked.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// Its address.
    pub ip: &'a [u8],
    /// Its name, if it has one.
    pub host: Option<&'a [u8]>,
    /// What its host says of its user.
    pub info: Option<&'a [u8]>,
}

/// What the rules say of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is served, with these variables.
    Allow(Vec<(Vec<u8>, Vec<u8>)>),
    /// It is not.
    Deny,
}

/// What becomes of everybody when there is no such file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutRules {
    /// Nobody is served.
    Refuse,
    /// All are.
    Serve,
}

/// Asks the rules in the file at `path`.
///
/// # Errors
/// If it cannot be read, or is damaged: nobody knows then who may do what.
pub fn ask(path: &Path, without: WithoutRules, client: &Client<'_>) -> io::Result<Verdict> {
    match Cdb::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && without == WithoutRules::Serve => {
            Ok(Verdict::Allow(Vec::new()))
        }
        Err(error) => Err(error),
        Ok(rules) => {
            for key in keys(client) {
                if let Some(rule) = rules.get(&key)? {
                    return Ok(verdict(&rule));
                }
            }
            // Nobody has said anything against it.
            Ok(Verdict::Allow(Vec::new()))
        }
    }
}

/// What is looked for, the most special first: the first rule that there is counts.
fn keys(client: &Client<'_>) -> Vec<Vec<u8>> {
    let Client { ip, host, info } = *client;
    let named = |host: &[u8]| [b"=", host].concat();
    let mut keys = Vec::new();
    if let Some(info) = info {
        keys.push([info, b"@", ip].concat());
        keys.extend(host.map(|host| [info, b"@=", host].concat()));
    }
    keys.push(ip.to_vec());
    keys.extend(host.map(named));
    // 192.0.2. and so on; and with colons, for addresses of the newer family.
    let ends = (1..=ip.len()).rev().filter_map(|end| ip.get(..end));
    keys.extend(ends.filter(|part| part.ends_with(b".") || part.ends_with(b":")).map(Vec::from));
    if let Some(host) = host {
        let starts = (0..host.len()).filter_map(|start| host.get(start..));
        keys.extend(starts.filter(|part| part.starts_with(b".")).map(named));
        keys.push(b"=".to_vec());
    }
    keys.push(Vec::new());
    keys
}

/// A rule is a row of strings that end in NUL: `D` denies, `+NAME=value` sets a variable.
fn verdict(rule: &[u8]) -> Verdict {
    let mut variables = Vec::new();
    // What follows the last NUL is none.
    let complete = rule.iter().rposition(|byte| *byte == 0).and_then(|end| rule.get(..end));
    for word in complete.unwrap_or_default().split(|byte| *byte == 0) {
        match word.split_first() {
            Some((b'D', _)) => return Verdict::Deny,
            Some((b'+', setting)) => {
                if let Some(at) = setting.iter().position(|byte| *byte == b'=') {
                    let (name, value) = setting.split_at(at);
                    variables.push((name.to_vec(), value.get(1..).unwrap_or_default().to_vec()));
                }
            }
            _ => {}
        }
    }
    Verdict::Allow(variables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdb::CdbWriter;
    use std::fs::File;

    const CLIENT: Client<'_> =
        Client { ip: b"192.0.2.7", host: Some(b"a.b.example"), info: Some(b"joe") };

    fn asked(rules: &[(&[u8], &[u8])], client: &Client<'_>) -> Verdict {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rules.cdb");
        let mut writer = CdbWriter::new(File::create(&path).unwrap()).unwrap();
        for (key, data) in rules {
            writer.add(key, data).unwrap();
        }
        writer.finish().unwrap();
        ask(&path, WithoutRules::Refuse, client).unwrap()
    }

    #[test]
    fn keys_are_looked_for_from_the_most_special_one() {
        let keys: Vec<_> =
            keys(&CLIENT).into_iter().map(|key| String::from_utf8(key).unwrap()).collect();
        assert_eq!(
            keys,
            [
                "joe@192.0.2.7",
                "joe@=a.b.example",
                "192.0.2.7",
                "=a.b.example",
                "192.0.2.",
                "192.0.",
                "192.",
                "=.b.example",
                "=.example",
                "=",
                ""
            ]
        );
    }

    #[test]
    fn without_a_name_no_rule_for_names_is_looked_for() {
        let nobody = Client { ip: b"2001:db8::1", host: None, info: None };
        let keys = keys(&nobody);
        assert_eq!(keys.concat(), b"2001:db8::12001:db8::2001:db8:2001:");
    }

    #[test]
    fn the_first_rule_counts_whatever_the_others_say() {
        let open: (&[u8], &[u8]) = (b"", b"+QMAILQUEUE=/a=b\0+RELAYCLIENT=\0");
        let set = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        let expected = vec![set("QMAILQUEUE", "/a=b"), set("RELAYCLIENT", "")];
        assert_eq!(asked(&[open], &CLIENT), Verdict::Allow(expected));
        assert_eq!(asked(&[open, (b"192.0.", b"D\0")], &CLIENT), Verdict::Deny);
        let closed = [(b"192.0.".as_slice(), b"D\0".as_slice()), (b"=a.b.example", b"")];
        assert_eq!(asked(&closed, &CLIENT), Verdict::Allow(Vec::new()));
        assert_eq!(asked(&[(b"10.", b"D\0")], &CLIENT), Verdict::Allow(Vec::new()));
    }

    #[test]
    fn a_file_that_is_missing_or_damaged_serves_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rules.cdb");
        assert!(ask(&path, WithoutRules::Refuse, &CLIENT).is_err());
        assert_eq!(ask(&path, WithoutRules::Serve, &CLIENT).unwrap(), Verdict::Allow(Vec::new()));
        File::create(&path).unwrap();
        assert!(ask(&path, WithoutRules::Serve, &CLIENT).is_err());
    }
}
