//! spamcontrol's `BADMIMETYPE` and `BADLOADERTYPE`: bytes of base64 that executables have, at the
//! start of a file or anywhere in it.

use std::io;
use std::path::Path;

use qmail_core::cdb::Cdb;
use qmail_core::control::{BADLOADERTYPES_CDB, BADMIMETYPES_CDB, Control};
use qmail_core::file_types::{LOADER_TYPE, MIME_TYPE};
use qmail_core::if_there;
use qmail_message::parts::Line;

use crate::variables::Variables;

/// What these begin with, if nothing else is said.
const LOADER_START: u8 = b'M';

/// What is looked for in parts that are base64.
#[derive(Debug, Default)]
pub(super) struct BadTypes {
    first_lines: Option<Cdb>,
    /// The byte that tokens begin with, and the tokens.
    tokens: Option<(u8, Cdb)>,
    /// Blanks do not belong into base64, but hide it from filters.
    refuses_blanks: bool,
}

/// How a variable asks for a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish<'v> {
    spares_relay_clients: bool,
    rest: &'v [u8],
}

impl<'v> Wish<'v> {
    /// `-` asks for nothing; `+` before the rest spares clients that may relay.
    fn parse(value: &'v [u8]) -> Option<Self> {
        match value {
            b"-" => None,
            [b'+', rest @ ..] => Some(Self { spares_relay_clients: true, rest }),
            rest => Some(Self { spares_relay_clients: false, rest }),
        }
    }

    fn holds(self, may_relay: bool) -> bool {
        !(self.spares_relay_clients && may_relay)
    }
}

impl BadTypes {
    /// What the variables ask for.
    ///
    /// # Errors
    /// If a database is there but cannot be opened.
    pub(super) fn load(home: &Path, variables: &Variables, may_relay: bool) -> io::Result<Self> {
        let mut types = Self::default();
        let value = variables.value("BADMIMETYPE");
        if let Some(wish) = value.as_deref().and_then(Wish::parse)
            && wish.holds(may_relay)
        {
            types.refuses_blanks = wish.spares_relay_clients || wish.rest.starts_with(b"!");
            types.first_lines = open(home, &BADMIMETYPES_CDB)?;
        }
        let value = variables.value("BADLOADERTYPE");
        if let Some(wish) = value.as_deref().and_then(Wish::parse)
            && wish.holds(may_relay)
        {
            let start = wish.rest.first().copied().unwrap_or(LOADER_START);
            types.tokens = open(home, &BADLOADERTYPES_CDB)?.map(|tokens| (start, tokens));
        }
        Ok(types)
    }

    /// Whether anything is looked for.
    pub(super) fn is_idle(&self) -> bool {
        self.first_lines.is_none() && self.tokens.is_none() && !self.refuses_blanks
    }

    /// Whether a line has something that is not wanted.
    pub(super) fn hits(&self, line: Line<'_>) -> io::Result<bool> {
        if !line.is_base64 {
            return Ok(false);
        }
        let text = line.text;
        if self.refuses_blanks && text.trim_ascii_end().iter().any(|byte| b" \t".contains(byte)) {
            return Ok(true);
        }
        if let (true, Some(known), Some(start)) =
            (line.is_first, &self.first_lines, text.get(..MIME_TYPE))
            && known.get(start)?.is_some()
        {
            return Ok(true);
        }
        if let Some((first, tokens)) = &self.tokens {
            for token in text.windows(LOADER_TYPE).filter(|token| token.first() == Some(first)) {
                if tokens.get(token)?.is_some() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// The database, if it has been made.
fn open(home: &Path, control: &Control) -> io::Result<Option<Cdb>> {
    if_there(Cdb::open(home.join("control").join(control.file)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_core::cdb::CdbWriter;
    use std::fs::{File, create_dir};

    fn make(home: &Path, name: &str, keys: &[&str]) {
        let mut writer = CdbWriter::new(File::create(home.join(name)).unwrap()).unwrap();
        keys.iter().for_each(|key| writer.add(key.as_bytes(), b"").unwrap());
        writer.finish().unwrap();
    }

    fn hits(variables: &[(&str, &str)], may_relay: bool, text: &str) -> bool {
        let home = tempfile::tempdir().unwrap();
        create_dir(home.path().join("control")).unwrap();
        make(home.path(), "control/badmimetypes.cdb", &["TVqQAAMAA"]);
        make(home.path(), "control/badloadertypes.cdb", &["M2UUM", "TUxMV"]);
        let mut known = Variables::none();
        variables.iter().for_each(|(name, value)| known.set(name, value.as_bytes()));
        let types = BadTypes::load(home.path(), &known, may_relay).unwrap();
        assert!(
            !types.hits(Line { text: text.as_bytes(), is_first: true, is_base64: false }).unwrap()
        );
        types.hits(Line { text: text.as_bytes(), is_first: true, is_base64: true }).unwrap()
    }

    #[test]
    fn a_first_line_is_looked_up() {
        assert!(!hits(&[], false, "TVqQAAMAAAA"));
        assert!(!hits(&[("BADMIMETYPE", "-")], false, "TVqQAAMAAAA"));
        assert!(hits(&[("BADMIMETYPE", "")], false, "TVqQAAMAAAA"));
        assert!(hits(&[("BADMIMETYPE", "")], true, "TVqQAAMAA"));
        assert!(!hits(&[("BADMIMETYPE", "")], false, "tvqqaamaaAA"));
        assert!(!hits(&[("BADMIMETYPE", "")], false, "TVqQ"));
        assert!(hits(&[("BADMIMETYPE", "+")], false, "TVqQAAMAAAA"));
        assert!(!hits(&[("BADMIMETYPE", "+")], true, "TVqQAAMAAAA"));
    }

    #[test]
    fn blanks_are_refused_where_that_is_asked_for() {
        assert!(!hits(&[("BADMIMETYPE", "")], false, "iVBO RwoA"));
        assert!(hits(&[("BADMIMETYPE", "!")], true, "iVBO RwoA"));
        assert!(hits(&[("BADMIMETYPE", "+")], false, "iVBO\tRwoA"));
        assert!(!hits(&[("BADMIMETYPE", "!")], false, "iVBORwoA  "));
    }

    #[test]
    fn tokens_are_found_anywhere() {
        assert!(hits(&[("BADLOADERTYPE", "M")], true, "xxxxM2UUMxxx"));
        assert!(!hits(&[("BADLOADERTYPE", "M")], false, "xxxxTUxMVxxx"));
        assert!(hits(&[("BADLOADERTYPE", "T")], false, "xxxxTUxMV"));
        assert!(hits(&[("BADLOADERTYPE", "+")], false, "M2UUM"));
        assert!(!hits(&[("BADLOADERTYPE", "+M")], true, "M2UUM"));
        assert!(!hits(&[("BADLOADERTYPE", "-")], false, "M2UUM"));
    }

    #[test]
    fn without_a_database_nothing_is_listed_and_a_broken_one_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        let mut variables = Variables::none();
        variables.set("BADMIMETYPE", b"");
        assert!(BadTypes::load(home.path(), &variables, false).unwrap().is_idle());
        std::fs::create_dir_all(home.path().join("control/badmimetypes.cdb")).unwrap();
        assert!(BadTypes::load(home.path(), &variables, false).is_err());
    }
}
