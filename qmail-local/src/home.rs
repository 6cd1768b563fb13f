//! The home directory of the recipient.

use std::fs::{self, Metadata};
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use qmail_core::built_in;

use crate::arguments::Mode;
use crate::failure::Failure;

/// Set by users who are changing their instructions: mail waits.
const STICKY: u32 = 0o1000;

/// Enters it, unless it is not safe or not ready for deliveries.
pub fn enter(home: &Path, mode: Mode, warnings: &mut dyn Write) -> Result<(), Failure> {
    std::env::set_current_dir(home).map_err(|error| Failure::SwitchHome(home.into(), error))?;
    // Where we are, whatever becomes of its name.
    let metadata = fs::metadata(".").map_err(Failure::StatHome)?;
    if check(&metadata)? == State::Sticky {
        match mode {
            Mode::Deliver => return Err(Failure::HomeSticky),
            Mode::Describe => {
                let _ = warnings.write_all(b"Warning: home directory is sticky.\n");
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    Sticky,
}

fn check(metadata: &Metadata) -> Result<State, Failure> {
    let mode = metadata.permissions().mode();
    if mode & built_in::paternalism_mask() != 0 {
        return Err(Failure::HomeWritable);
    }
    Ok(if mode & STICKY == 0 { State::Ready } else { State::Sticky })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(mode: u32) -> Option<State> {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(mode)).unwrap();
        check(&fs::metadata(home.path()).unwrap()).ok()
    }

    #[test]
    fn a_home_that_others_write_to_is_refused_even_if_sticky() {
        assert_eq!(state(0o755), Some(State::Ready));
        assert_eq!(state(0o775), Some(State::Ready));
        assert_eq!(state(0o1755), Some(State::Sticky));
        assert_eq!(state(0o757), None);
        assert_eq!(state(0o1777), None);
    }
}
