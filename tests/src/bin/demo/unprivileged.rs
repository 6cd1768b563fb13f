//! Started by root, the demonstration goes on as somebody who can do no harm.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use nix::unistd::User;

use crate::failure::{Failure, Outcome};
use crate::say::say;

/// Plays as `nobody`, with copies of the programs, which he may not be able to reach where they
/// are; the exit code of that. What went wrong there was told there.
pub(crate) fn play_as_nobody(programs: &Path) -> Outcome<ExitCode> {
    let user = User::from_name("nobody").ok().flatten();
    let user = user.ok_or_else(|| Failure::new("there is no user nobody to go on as"))?;
    let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
    let cannot = || Failure::because("cannot make a place for nobody");
    let place = tempfile::TempDir::with_prefix("qmail-demo-nobody-").map_err(cannot())?;
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o700)).map_err(cannot())?;
    chown(place.path(), Some(uid), Some(gid)).map_err(cannot())?;
    copy_programs(programs, place.path()).map_err(Failure::because("cannot copy programs"))?;
    say("Started by root: going on as nobody.\n");
    let own = std::env::current_exe().map_err(Failure::because("who am I"))?;
    let name = own.file_name().unwrap_or_default();
    let status = Command::new(place.path().join(name))
        .arg(place.path())
        .env("TMPDIR", place.path())
        .current_dir("/")
        .uid(uid)
        .gid(gid)
        .status()
        .map_err(Failure::because("cannot go on as nobody"))?;
    if status.code().is_none() {
        return Err(Failure::new(format!("as nobody: {status}")));
    }
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Links where that is possible: it is for a minute only.
fn copy_programs(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 {
            let target = to.join(entry.file_name());
            if fs::hard_link(entry.path(), &target).is_err() {
                fs::copy(entry.path(), &target)?;
            }
        }
    }
    Ok(())
}
