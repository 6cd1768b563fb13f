//! The command line: `[HOST] CHECKER [SUBPROGRAM [ARGUMENT...]]`, in both orders that patches have
//! made of it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What the command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    /// What challenges are made with.
    pub(super) host: Option<Vec<u8>>,
    /// What checks passwords.
    pub(super) checker: Option<Checker>,
}

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checker {
    pub(super) program: OsString,
    pub(super) arguments: Vec<OsString>,
}

impl Arguments {
    /// A first word that is no program, with two more behind it, is a host.
    pub(super) fn parse(
        words: impl IntoIterator<Item = OsString>,
        is_program: &dyn Fn(&OsStr) -> bool,
    ) -> Self {
        let mut words: Vec<OsString> = words.into_iter().collect();
        let names_host = words.len() >= 3 && words.first().is_some_and(|word| !is_program(word));
        let host = names_host.then(|| words.remove(0).into_vec());
        let mut words = words.into_iter();
        let checker =
            words.next().map(|program| Checker { program, arguments: words.by_ref().collect() });
        Self { host, checker }
    }
}

impl Checker {
    /// Whether it says yes to every password: where a patch has another order of words, a
    /// subprogram has become the checker, and the host an open relay.
    pub(super) fn says_yes(&self) -> bool {
        Path::new(&self.program).file_name().is_some_and(|name| name == "true" || name == ":")
    }
}

/// Whether this word is the path of something, or is found in `$PATH`.
pub(super) fn is_program(word: &OsStr) -> bool {
    let is_executable = |path: &Path| {
        path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    word.as_bytes().contains(&b'/')
        || std::env::split_paths(&path).any(|directory| is_executable(&directory.join(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> (Option<String>, Option<String>) {
        let is_program = |word: &OsStr| word == "checkpassword" || word == "true";
        let words = words.split_whitespace().map(OsString::from);
        let Arguments { host, checker } =
            Arguments::parse(words, &|word| is_program(word) || word.as_bytes().contains(&b'/'));
        let host = host.map(|host| String::from_utf8(host).unwrap());
        let checker = checker.map(|checker| {
            let words = [checker.program].into_iter().chain(checker.arguments);
            words.map(|word| word.into_string().unwrap()).collect::<Vec<_>>().join(" ")
        });
        (host, checker)
    }

    #[test]
    fn the_host_may_be_there_or_not() {
        let words =
            |host: Option<&str>, checker: &str| (host.map(str::to_owned), Some(checker.to_owned()));
        assert_eq!(parse(""), (None, None));
        assert_eq!(parse("checkpassword true"), words(None, "checkpassword true"));
        assert_eq!(parse("/bin/check true"), words(None, "/bin/check true"));
        assert_eq!(
            parse("mail.example.org checkpassword true"),
            words(Some("mail.example.org"), "checkpassword true")
        );
        assert_eq!(parse("checkpassword true x"), words(None, "checkpassword true x"));
        assert_eq!(
            parse("mail.example.org checkpassword"),
            words(None, "mail.example.org checkpassword")
        );
    }

    #[test]
    fn a_checker_that_always_says_yes_is_found_out() {
        let says_yes =
            |program: &str| Checker { program: program.into(), arguments: Vec::new() }.says_yes();
        assert!(says_yes("true") && says_yes("/bin/true") && says_yes("/usr/bin/true"));
        assert!(!says_yes("/bin/checkpassword"));
    }

    #[test]
    fn programs_are_paths_or_are_found() {
        assert!(is_program(OsStr::new("sh")) && is_program(OsStr::new("/no/such/file")));
        assert!(!is_program(OsStr::new("mail.example.org")));
    }
}
