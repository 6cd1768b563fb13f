//! Who may sign a message: the first of these who has keys.

use qmail_core::control::{BOUNCEHOST, ControlError, Controls};
use qmail_policy::Domain;

/// The author's domain; the sender's, or for a bounce that of bounces; this host's. So a forwarded
/// message is signed, too, by whoever forwards it. For each, the domains above it come next.
pub(crate) fn candidates(
    author: Option<Domain>,
    sender: &[u8],
    controls: &Controls,
) -> Result<Vec<Domain>, ControlError> {
    let sender = if sender.is_empty() || sender == b"#@[]" {
        controls.line(&BOUNCEHOST)?
    } else {
        qmail_address::host(sender).map(<[u8]>::to_vec)
    };
    let me = controls.me().map(<[u8]>::to_vec);
    let others = [sender, me].into_iter().flatten().filter_map(|name| Domain::parse(&name));
    let all = author.into_iter().chain(others);
    let mut found: Vec<Domain> = Vec::new();
    for name in all.flat_map(|name| name.and_parents().collect::<Vec<_>>()) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    fn names(author: &str, sender: &str, files: &[(&str, &str)]) -> String {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("control")).unwrap();
        for (name, text) in files {
            let file = fs::File::create(home.path().join("control").join(name));
            file.unwrap().write_all(text.as_bytes()).unwrap();
        }
        let controls = Controls::open(home.path()).unwrap();
        let author = Domain::parse(author.as_bytes());
        let found = candidates(author, sender.as_bytes(), &controls).unwrap();
        found.iter().map(Domain::as_str).collect::<Vec<_>>().join(" ")
    }

    const ME: (&str, &str) = ("me", "mail.me.example\n");

    #[test]
    fn the_author_comes_first_then_the_sender_then_this_host() {
        assert_eq!(
            names("a.b.example", "list@lists.c.example", &[ME]),
            "a.b.example b.example lists.c.example c.example mail.me.example me.example"
        );
        assert_eq!(names("me.example", "joe@me.example", &[ME]), "me.example mail.me.example");
    }

    #[test]
    fn bounces_are_signed_by_their_host() {
        for sender in ["", "#@[]"] {
            let bouncehost = ("bouncehost", "b.example\n");
            assert_eq!(
                names("", sender, &[ME, bouncehost]),
                "b.example mail.me.example me.example"
            );
            assert_eq!(names("", sender, &[ME]), "mail.me.example me.example");
            assert_eq!(names("", sender, &[]), "bouncehost");
        }
    }

    #[test]
    fn what_is_no_domain_is_passed_over() {
        assert_eq!(names("", "joe", &[]), "");
        assert_eq!(names("", "joe@[192.0.2.1]", &[]), "");
        assert_eq!(names("", "joe@../../etc", &[]), "");
    }
}
