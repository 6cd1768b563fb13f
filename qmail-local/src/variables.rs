//! What programs learn of a delivery: environment variables.

use qmail_core::variable::harmless;
use qmail_sys::Spawn;

use crate::arguments::Arguments;
use crate::lines::Lines;

/// The variables of a delivery. `None` hides one that we got ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variables(Vec<(&'static str, Option<Vec<u8>>)>);

impl Variables {
    /// Those that we got ourselves, and no others.
    pub fn inherited() -> Self {
        Self(Vec::new())
    }

    /// All that a delivery sets. `default` is what `default` in the name of the instruction file
    /// stands for, if it was such a file.
    pub fn new(
        arguments: &Arguments,
        lines: &Lines,
        default: Option<&[u8]>,
        forward_sender: &[u8],
    ) -> Self {
        use std::os::unix::ffi::OsStrExt as _;
        let Arguments { user, home, local, domain, sender, extension, .. } = arguments;
        let [ext2, ext3, ext4] = extensions(extension);
        let [host2, host3, host4] = hosts(domain);
        let recipient = arguments.recipient();
        let set: [(&'static str, &[u8]); 18] = [
            ("HOST", domain),
            ("HOME", home.as_os_str().as_bytes()),
            ("USER", user),
            ("LOCAL", local),
            ("RECIPIENT", &recipient),
            ("DTLINE", &lines.delivered_to),
            ("SENDER", sender),
            ("RPLINE", &lines.return_path),
            ("UFLINE", &lines.from),
            ("EXT", extension),
            ("EXT2", ext2),
            ("EXT3", ext3),
            ("EXT4", ext4),
            ("HOST2", host2),
            ("HOST3", host3),
            ("HOST4", host4),
            ("NEWSENDER", forward_sender),
            ("DEFAULT", default.unwrap_or_default()),
        ];
        let exported = set.map(|(name, value)| {
            let hidden = name == "DEFAULT" && default.is_none();
            (name, (!hidden).then(|| harmless(value).into_owned()))
        });
        Self(exported.to_vec())
    }

    /// Shows them to a program.
    #[must_use]
    pub fn show_to<'fd>(&self, program: Spawn<'fd>) -> Spawn<'fd> {
        self.0.iter().fold(program, |program, (name, value)| match value {
            Some(value) => program.env(name, value),
            None => program.env_remove(name),
        })
    }
}

/// What follows the first, second and third dash; empty if there are fewer.
fn extensions(extension: &[u8]) -> [&[u8]; 3] {
    let mut rest = extension;
    std::array::from_fn(|_| {
        let dash = rest.iter().position(|byte| *byte == b'-');
        rest = dash.and_then(|dash| rest.get(dash + 1..)).unwrap_or_default();
        rest
    })
}

/// What precedes the last, second last and third last dot; all there is if there are fewer.
fn hosts(host: &[u8]) -> [&[u8]; 3] {
    let mut rest = host;
    std::array::from_fn(|_| {
        let dot = rest.iter().rposition(|byte| *byte == b'.');
        rest = dot.and_then(|dot| rest.get(..dot)).unwrap_or(rest);
        rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::arguments;

    fn value(arguments: &Arguments, default: Option<&[u8]>, name: &str) -> Option<Vec<u8>> {
        let lines = Lines::new(arguments, 0);
        let Variables(all) = Variables::new(arguments, &lines, default, b"new@sender");
        all.into_iter().find(|(known, _)| *known == name).unwrap().1
    }

    #[test]
    fn parts_of_extension_and_host_have_variables_of_their_own() {
        let arguments = Arguments { extension: b"a-B-c".to_vec(), ..arguments() };
        for (name, expected) in [
            ("RECIPIENT", "joe-List@a.b.example"),
            ("EXT", "a-B-c"),
            ("EXT2", "B-c"),
            ("EXT3", "c"),
            ("EXT4", ""),
            ("HOST", "a.b.example"),
            ("HOST2", "a.b"),
            ("HOST3", "a"),
            ("HOST4", "a"),
            ("HOME", "/home/joe"),
            ("NEWSENDER", "new@sender"),
        ] {
            assert_eq!(value(&arguments, None, name).unwrap(), expected.as_bytes(), "{name}");
        }
    }

    #[test]
    fn default_is_set_or_hidden_and_never_somebody_elses() {
        assert_eq!(value(&arguments(), Some(b""), "DEFAULT").unwrap(), b"");
        assert_eq!(value(&arguments(), None, "DEFAULT"), None);
    }

    #[test]
    fn no_value_is_a_function() {
        let hostile = b"() { :;}; x-() { :;}".to_vec();
        let arguments = Arguments { extension: hostile.clone(), sender: hostile, ..arguments() };
        assert_eq!(value(&arguments, None, "SENDER").unwrap(), b"_) { :;}; x-() { :;}");
        assert_eq!(value(&arguments, None, "EXT2").unwrap(), b"_) { :;}");
        let arguments = Arguments { sender: b"()@x".to_vec(), ..arguments };
        assert_eq!(value(&arguments, None, "SENDER").unwrap(), b"()@x");
    }
}
