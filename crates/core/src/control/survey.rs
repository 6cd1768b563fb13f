//! Which control files there are.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::rc::Rc;

/// The names in a directory, in order; `None` while nobody has looked.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey(Option<Rc<[OsString]>>);

impl Survey {
    /// Looks. A directory that cannot be listed may still have files that can be read.
    pub(super) fn of(directory: &Path) -> Self {
        let names = fs::read_dir(directory).and_then(|entries| {
            entries.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>, _>>()
        });
        Self(names.ok().map(|mut names| {
            names.sort_unstable();
            names.into()
        }))
    }

    /// Whether there may be a file of this name.
    pub(super) fn may_have(&self, file: &OsStr) -> bool {
        self.0
            .as_ref()
            .is_none_or(|names| names.binary_search_by(|name| name.as_os_str().cmp(file)).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_may_be_there_unless_nothing_could_be_listed() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("me")).unwrap();
        let survey = Survey::of(home.path());
        assert!(survey.may_have(OsStr::new("me")));
        assert!(!survey.may_have(OsStr::new("locals")));
        assert!(Survey::of(&home.path().join("none")).may_have(OsStr::new("me")));
        assert!(Survey::default().may_have(OsStr::new("me")));
    }
}
