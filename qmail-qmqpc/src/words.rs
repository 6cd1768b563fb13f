//! Telling the caller in the server's words what became of the message.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileTypeExt;

use crate::reply::Reply;

/// The exit code that means: my words are on the descriptor for them.
const OWN_WORDS: u8 = 82;
/// The descriptor for them, unless `$ERROR_FD` names another.
const DESCRIPTOR: u8 = 6;

/// Tells the caller, and gives the exit code. A caller that listens has a pipe on the descriptor for
/// words; what else may be there is left alone, and the plain exit code has to do.
pub fn tell(reply: &Reply, named: Option<&str>) -> u8 {
    let told = reply.words().and_then(|words| {
        let descriptor = descriptor(named);
        let mut pipe = File::from(qmail_sys::inherit(descriptor).ok()?);
        let is_pipe = pipe.metadata().ok()?.file_type().is_fifo();
        is_pipe.then(|| pipe.write_all(&words).ok()).flatten()
    });
    if told.is_some() { OWN_WORDS } else { reply.code() }
}

fn descriptor(named: Option<&str>) -> u8 {
    named.and_then(|number| number.parse().ok()).filter(|n| *n > 1).unwrap_or(DESCRIPTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_may_be_named() {
        assert_eq!(descriptor(Some("4")), 4);
        for other in [None, Some(""), Some("0"), Some("x"), Some("300")] {
            assert_eq!(descriptor(other), 6);
        }
    }

    #[test]
    fn who_does_not_listen_gets_the_plain_code() {
        assert_eq!(tell(&Reply::Never(b"no".to_vec()), Some("31")), 31);
        assert_eq!(tell(&Reply::Queued, None), 0);
    }
}
