//! What the programs that are there name, and ours do not.
//!
//! A compiled program has the names of its files in it as they are, so a file that only a patch
//! knows of is found in the program that was patched.

use std::fs;
use std::path::PathBuf;

use crate::item::Item;
use crate::what::What;
use crate::{Failure, Place, contents};

/// The programs that would be replaced by others.
#[derive(Debug, Default)]
pub(super) struct OldPrograms(Vec<(String, Vec<u8>)>);

impl OldPrograms {
    /// Reads those at `place` that differ from ours.
    pub(super) fn read(
        place: &Place,
        items: &[Item],
        sources: &[PathBuf],
    ) -> Result<Self, Failure> {
        let mut programs = Vec::new();
        for item in items.iter().filter(|item| item.what == What::Program) {
            let Ok(old) = fs::read(place.path(item)) else { continue };
            let name = item.path.rsplit('/').next().unwrap_or_default();
            let source = contents::source_of(name, sources)?;
            let new = fs::read(&source).map_err(Failure::unable("read", &source))?;
            if new != old {
                programs.push((item.path.clone(), old));
            }
        }
        Ok(Self(programs))
    }

    /// The first program that names `path`, as it would to open it.
    pub(super) fn naming(&self, path: &str) -> Option<&str> {
        let names = |program: &[u8]| is_named(program, path.as_bytes());
        self.0.iter().find(|(_, program)| names(program)).map(|(name, _)| name.as_str())
    }

    /// The first program that names something below the directory `path`.
    pub(super) fn entering(&self, path: &str) -> Option<&str> {
        let start = format!("\0{path}/");
        let names = |program: &[u8]| finds(program, start.as_bytes());
        self.0.iter().find(|(_, program)| names(program)).map(|(name, _)| name.as_str())
    }
}

/// A name is a whole string of C's: `control/me` is not meant by `control/me.bak`.
fn is_named(program: &[u8], path: &[u8]) -> bool {
    finds(program, &[b"\0", path, b"\0"].concat())
}

fn finds(program: &[u8], bytes: &[u8]) -> bool {
    program.windows(bytes.len()).any(|window| window == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_count() {
        let program = ("bin/qmail-smtpd".to_owned(), b"x\0control/spfrules\0plugins/a\0".to_vec());
        let old = OldPrograms(vec![program]);
        assert_eq!(old.naming("control/spfrules"), Some("bin/qmail-smtpd"));
        assert_eq!(old.naming("control/spf"), None);
        assert_eq!(old.naming("ntrol/spfrules"), None);
        assert_eq!(old.entering("plugins"), Some("bin/qmail-smtpd"));
        assert_eq!(old.entering("gins"), None);
    }
}
