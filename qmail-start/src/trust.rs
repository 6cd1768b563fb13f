//! Whose word we take for who is who.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::Failure;

/// Root follows only root's word: in a single-user tree, `users/ids` is the user's, and he could
/// name whomever he wants to be.
pub fn trusted(home: &Path, caller: u32) -> Result<(), Failure> {
    match fs::metadata(home.join("users/ids")) {
        Ok(ids) if caller == 0 && ids.uid() != 0 => Err(Failure::ForeignIds),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::System(error)),
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_does_not_start_the_tree_of_a_user() {
        let home = tempfile::tempdir().unwrap();
        assert!(trusted(home.path(), 0).is_ok());
        fs::create_dir(home.path().join("users")).unwrap();
        fs::File::create(home.path().join("users/ids")).unwrap();
        let is_ours = qmail_sys::effective_uid() == 0;
        assert_eq!(trusted(home.path(), 0).is_ok(), is_ours);
        assert!(trusted(home.path(), 1000).is_ok());
        if is_ours {
            std::os::unix::fs::chown(home.path().join("users/ids"), Some(1000), None).unwrap();
            assert!(matches!(trusted(home.path(), 0), Err(Failure::ForeignIds)));
        }
    }
}
