//! What the log says, which others read: texts and order are tcpserver's, whatever our own name is.

use std::io;

use qmail_core::errno;

use crate::ends::Ends;
use crate::facts::Facts;

/// What is shown of a name.
const LONGEST: usize = 100;

/// How many connections there are, and may be.
pub(crate) fn status(count: usize, limit: usize) -> Vec<u8> {
    format!("tcpserver: status: {count}/{limit}").into_bytes()
}

/// Who handles a connection.
pub(crate) fn arrival(process: u32, ends: &Ends) -> Vec<u8> {
    format!("tcpserver: pid {process} from {}", ends.remote.ip()).into_bytes()
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is served.
    Ok,
    /// The rules deny it.
    Deny,
}

/// What became of a connection, and what is known of it.
pub(crate) fn decision(decision: Decision, process: u32, ends: &Ends, facts: &Facts) -> Vec<u8> {
    let word = match decision {
        Decision::Ok => "ok",
        Decision::Deny => "deny",
    };
    let mut line = format!("tcpserver: {word} {process} ").into_bytes();
    let known = |fact: &Option<Vec<u8>>| shown(fact.as_deref().unwrap_or_default());
    line.extend(known(&facts.local_name));
    line.extend(format!(":{}:{} ", ends.local.ip(), ends.local.port()).into_bytes());
    line.extend(known(&facts.remote_name));
    line.extend(format!(":{}:", ends.remote.ip()).into_bytes());
    line.extend(known(&facts.remote_user));
    line.extend(format!(":{}", ends.remote.port()).into_bytes());
    line
}

/// How a process ended, by its status from wait(2).
pub(crate) fn end(process: u32, status: u32) -> Vec<u8> {
    format!("tcpserver: end {process} status {status}").into_bytes()
}

/// Why a connection that was accepted is not served.
pub(crate) fn dropped(what: &str, error: &io::Error) -> String {
    format!("tcpserver: warning: dropping connection, {what}: {}", errno::text(error))
}

/// What went wrong otherwise.
pub(crate) fn warning(what: &str, error: &io::Error) -> String {
    format!("tcpserver: warning: {what}: {}", errno::text(error))
}

/// That an address has as many connections as it may have.
pub(crate) fn crowded(ends: &Ends, count: usize) -> String {
    format!("tcpserver: end {} perIPlimit {count}", ends.remote.ip())
}

/// What a remote host may have written, so that it neither ends a line or field nor gives orders to
/// a terminal or to a logger.
fn shown(text: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| match byte {
        b'%' | b':' => b'?',
        b'!'..=b'~' => *byte,
        _ => b'?',
    };
    let mut shown: Vec<u8> = text.iter().take(LONGEST).map(plain).collect();
    if text.len() >= LONGEST {
        shown.extend(b"...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(local: &str, remote: &str) -> Ends {
        Ends { local: local.parse().unwrap(), remote: remote.parse().unwrap() }
    }

    #[test]
    fn a_decision_names_both_ends() {
        let facts = Facts {
            local_name: Some(b"mail.example".to_vec()),
            remote_name: Some(b"a.example".to_vec()),
            remote_user: Some(b"joe".to_vec()),
        };
        let line = decision(Decision::Ok, 7, &ends("192.0.2.1:25", "192.0.2.2:4567"), &facts);
        let expected = "tcpserver: ok 7 mail.example:192.0.2.1:25 a.example:192.0.2.2:joe:4567";
        assert_eq!(line, expected.as_bytes());
        let line = decision(Decision::Deny, 7, &ends("[::1]:25", "[::1]:4"), &Facts::default());
        assert_eq!(line, b"tcpserver: deny 7 :::1:25 :::1::4");
    }

    #[test]
    fn what_others_write_stays_in_its_field() {
        assert_eq!(shown(b"a b%s:c\n\x1b[2J\xff~"), b"a?b?s?c??[2J?~");
        assert_eq!(shown(&[b'x'; 99]), [b'x'; 99]);
        assert_eq!(shown(&[b'x'; 100]), [[b'x'; 100].as_slice(), b"..."].concat());
        assert_eq!(shown(&[b'x'; 5000]).len(), 103);
    }

    #[test]
    fn reasons_are_in_qmails_words() {
        let error = io::Error::from_raw_os_error(2);
        let line = dropped("unable to read x", &error);
        assert_eq!(
            line,
            "tcpserver: warning: dropping connection, unable to read x: file does not exist"
        );
        assert_eq!(end(5, 25600), b"tcpserver: end 5 status 25600");
        assert_eq!(status(0, 40), b"tcpserver: status: 0/40");
    }
}
