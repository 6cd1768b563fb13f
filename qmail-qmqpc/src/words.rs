//! Telling the caller in the server's words what became of the message.

use std::io::Write;

use qmail_core::own_words::listener;

use crate::reply::Reply;

/// The exit code that means: my words are on the descriptor for them.
const OWN_WORDS: u8 = 82;

/// Tells the caller, who may have `named` the descriptor on which he listens, and gives the exit code:
/// where nobody listens, the plain one has to do.
pub fn tell(reply: &Reply, named: Option<&str>) -> u8 {
    let told = reply
        .words()
        .and_then(|words| listener(named).and_then(|mut pipe| pipe.write_all(&words)).ok());
    if told.is_some() { OWN_WORDS } else { reply.code() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_listen_gets_the_plain_code() {
        assert_eq!(tell(&Reply::Never(b"no".to_vec()), Some("31")), 31);
        assert_eq!(tell(&Reply::Queued, None), 0);
    }
}
