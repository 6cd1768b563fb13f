//! Who forwarded mail comes from: the owner of a list, if it has one.

use qmail_address::EnvelopeSender;

use crate::arguments::Arguments;

/// The sender for forwarding. `exists` tells whether there is a file of this name in the home
/// directory.
pub fn forward_sender<E>(
    arguments: &Arguments,
    exists: impl Fn(&[u8]) -> Result<bool, E>,
) -> Result<Vec<u8>, E> {
    let Arguments { local, domain, dash, sender, .. } = arguments;
    let parsed = EnvelopeSender::parse(sender);
    if matches!(parsed, EnvelopeSender::Bounce | EnvelopeSender::DoubleBounce) {
        // A bounce that gets a sender again could bounce for ever.
        return Ok(sender.clone());
    }
    let owner = [b".qmail", dash.as_slice(), &arguments.safe_extension(), b"-owner"].concat();
    if !exists(&owner)? {
        return Ok(sender.clone());
    }
    let [before, after] = if exists(&[owner.as_slice(), b"-default"].concat())? {
        // Each recipient gets a sender of his own, so that bounces show whom they are about.
        [b"-owner-@".as_slice(), b"-@[]"]
    } else {
        [b"-owner@".as_slice(), b""]
    };
    Ok([local, before, domain, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::arguments;

    fn sender_with(files: &[&str], sender: &str) -> String {
        let arguments = Arguments { sender: sender.into(), ..arguments() };
        let exists = |name: &[u8]| Ok::<_, ()>(files.iter().any(|file| file.as_bytes() == name));
        String::from_utf8(forward_sender(&arguments, exists).unwrap()).unwrap()
    }

    #[test]
    fn without_an_owner_the_sender_stays() {
        assert_eq!(sender_with(&[], "s@x"), "s@x");
        assert_eq!(sender_with(&[".qmail-list-owner-default"], "s@x"), "s@x");
    }

    #[test]
    fn an_owner_takes_the_bounces() {
        assert_eq!(sender_with(&[".qmail-list-owner"], "s@x"), "joe-List-owner@a.b.example");
        let both = [".qmail-list-owner", ".qmail-list-owner-default"];
        assert_eq!(sender_with(&both, "s@x"), "joe-List-owner-@a.b.example-@[]");
    }

    #[test]
    fn bounces_stay_bounces() {
        for sender in ["", "#@[]"] {
            assert_eq!(sender_with(&[".qmail-list-owner"], sender), sender);
        }
    }

    #[test]
    fn what_cannot_be_told_is_an_error() {
        assert_eq!(forward_sender(&arguments(), |_| Err("later")), Err("later"));
    }
}
