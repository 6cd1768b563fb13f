//! Where mail for postmaster arrives. Others make their mailboxes themselves.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use qmail_core::users::Assignment;

use super::Failure;
use super::made::Site;
use super::tools::run;

const NAME: &str = "Maildir";

/// Makes a Maildir for `user`, if that is where his mail goes and he has none. The journal does not
/// hear of it: what is in there is his, and his home is no place for root to remove things from.
pub(super) fn make(site: &mut Site<impl Write>, user: &[u8]) -> Result<(), Failure> {
    let Some(owner) = owner(&site.home, user)?.filter(|owner| owner.user == user) else {
        return Ok(());
    };
    let path = owner.home.join(NAME);
    if !delivers_there(&site.home)? || path.symlink_metadata().is_ok() {
        return Ok(());
    }
    let mut command = Command::new(site.home.join("bin/maildirmake"));
    command.arg(&path);
    if qmail_sys::effective_uid() == 0 {
        command.uid(owner.uid).gid(owner.gid);
    }
    run(&mut command)?;
    site.say(&format!("made {}", path.display()));
    Ok(())
}

/// Whose mail it is, if that can be said.
fn owner(home: &Path, user: &[u8]) -> Result<Option<Assignment>, Failure> {
    let getpw = home.join("bin/qmail-getpw");
    let said = Command::new(&getpw).arg(OsStr::from_bytes(user)).output();
    let said = said.map_err(Failure::unable("run", &getpw))?;
    Ok(Assignment::parse(&said.stdout).ok())
}

fn delivers_there(home: &Path) -> Result<bool, Failure> {
    let path = home.join("control/defaultdelivery");
    let delivery = fs::read(&path).map_err(Failure::unable("read", &path))?;
    Ok(delivery.trim_ascii_end() == format!("./{NAME}/").as_bytes())
}
