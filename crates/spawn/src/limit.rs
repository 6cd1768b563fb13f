//! How many deliveries run at once.

use std::path::Path;

use qmail_core::built_in;
use qmail_core::control::{ControlError, Controls, SPAWNLIMIT};
use qmail_wire::spawn::{DeliveryNumber, Limit};

/// What the patch for more than 255 deliveries takes at most.
const HIGHEST: DeliveryNumber = 65_000;
/// Descriptors that are open for a delivery, at most. While somebody is asked whose it is, that is both
/// ends of its report, its message, and the question and the answer.
const FOR_EACH: u64 = 5;
/// Descriptors that are open for the spawner, for a delivery that is just being started, and for
/// those who wait for the next one.
const FOR_ALL: u64 = 200;

/// The limit that `control/spawnlimit` sets, or the one that is built in.
///
/// # Errors
/// If the file cannot be read.
pub fn limit(home: &Path) -> Result<Limit, ControlError> {
    let wanted = Controls::open(home)?.number(&SPAWNLIMIT)?;
    if wanted == 0 {
        return Ok(Limit::new(built_in::spawn_limit().into()));
    }
    let wanted = wanted.min(HIGHEST.into());
    let files = qmail_sys::allow_open_files(wanted * FOR_EACH + FOR_ALL);
    let possible = files.saturating_sub(FOR_ALL) / FOR_EACH;
    let limit = DeliveryNumber::try_from(wanted.min(possible)).unwrap_or(HIGHEST);
    Ok(Limit::new(limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    #[test]
    fn a_limit_is_what_the_file_says_as_far_as_descriptors_go() {
        let home = tempfile::tempdir().unwrap();
        let of = |text: Option<&str>| {
            fs::create_dir_all(home.path().join("control")).unwrap();
            if let Some(text) = text {
                let file = fs::File::create(home.path().join("control/spawnlimit"));
                file.unwrap().write_all(text.as_bytes()).unwrap();
            }
            limit(home.path()).unwrap()
        };
        let built_in = Limit::new(built_in::spawn_limit().into());
        assert_eq!((of(None), of(Some("0\n")), of(Some("x\n"))), (built_in, built_in, built_in));
        assert_eq!(of(Some("7\n")), Limit::new(7));
        assert_eq!(of(Some("255\n")).encode(), [255]);
        assert_eq!(of(Some("260\n")).encode(), [4, 1]);
        let files = qmail_sys::allow_open_files(u64::MAX);
        let most = of(Some("99999999\n")).deliveries;
        assert!(u64::from(most) <= files && most <= HIGHEST, "{most} of {files}");
    }
}
