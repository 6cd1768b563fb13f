//! Where the qmail tree is.

use std::path::{Path, PathBuf};

const BUILT_IN: &str = include_str!("../../../install/conf-qmail");

/// The home directory of qmail: `$QMAILHOME` if that is an absolute path and the kernel did not
/// raise our privileges, otherwise the one in `install/conf-qmail`.
pub fn home() -> PathBuf {
    let named = std::env::var_os("QMAILHOME").map(PathBuf::from);
    match named.filter(|path| path.is_absolute() && !qmail_sys::secure_execution()) {
        Some(path) => path,
        None => built_in().to_owned(),
    }
}

/// The home directory that was set when the programs were built.
pub fn built_in() -> &'static Path {
    Path::new(first_line(BUILT_IN))
}

/// The first line of a `conf-*` file; what follows it is for human readers.
pub(crate) fn first_line(file: &str) -> &str {
    file.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_home_is_absolute() {
        assert!(built_in().is_absolute());
    }
}
