//! The way back: what was made goes, and what somebody has changed since stays.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use super::Failure;
use super::journal::{self, Made, sum_of};
use super::supervisor::{Kind, SERVICES, units};
use super::tools::{in_path, is_protected, run};

/// Deliveries end by themselves; whoever cannot wait zaps them.
const PATIENCE: u32 = 60;
/// A tenth of a second.
const BETWEEN: Duration = Duration::from_millis(100);

/// Undoes what the journal of the tree at `home` has, the last first.
pub(super) fn undo(home: &Path, mut output: impl Write) -> Result<(), Failure> {
    let path = journal::path(home);
    let made = journal::read(home).map_err(Failure::unable("read", &path))?;
    let made = made.ok_or(Failure::NoJournal)?;
    let supervisors: Vec<_> = made.iter().filter_map(supervisor).collect();
    for (kind, directory) in &supervisors {
        stop(home, *kind, directory)?;
    }
    wait_for_end(home)?;
    for (kind, directory) in &supervisors {
        dismiss_loggers(home, *kind, directory);
    }
    for each in made.iter().rev() {
        // Who does not listen gets rid of it all the same.
        if let Some(line) = take_back(each) {
            let _ = writeln!(output, "{line}");
        }
    }
    fs::remove_file(&path).map_err(Failure::unable("remove", &path))
}

/// Who was given services, and where.
fn supervisor(made: &Made) -> Option<(Kind, &Path)> {
    match made {
        Made::Supervised(by, directory) => Some((Kind::parse(by.as_bytes())?, directory)),
        Made::File(..) | Made::Link(..) | Made::Directory(_) => None,
    }
}

/// Stops what runs, and has the supervisor forget it.
fn stop(home: &Path, kind: Kind, directory: &Path) -> Result<(), Failure> {
    match kind {
        Kind::Systemd => run(Command::new("systemctl").args(["disable", "--now"]).args(units())),
        Kind::Script => {
            if let Some(tool) = in_path("update-rc.d") {
                // Which looks for the script, so it has to come first.
                let _ = run(Command::new(tool).args(["-f", "qmail", "remove"]));
            }
            run(Command::new(home.join("boot/qmail")).arg("stop"))
        }
        Kind::Daemontools | Kind::Runit | Kind::S6 => {
            for service in SERVICES {
                let link = directory.join(service);
                if fs::read_link(&link).is_ok_and(|to| to == home.join("supervise").join(service)) {
                    fs::remove_file(&link).map_err(Failure::unable("remove", &link))?;
                }
            }
            SERVICES.iter().for_each(|name| dismiss(kind, &home.join("supervise").join(name)));
            Ok(())
        }
    }
}

/// A supervisor that is not there need not be dismissed.
fn dismiss(kind: Kind, service: &Path) {
    let _ = match kind {
        Kind::Daemontools => run(Command::new("svc").arg("-dx").arg(service)),
        Kind::Runit => run(Command::new("sv").args(["-w", "0", "exit"]).arg(service)),
        Kind::S6 => run(Command::new("s6-svc").arg("-xd").arg(service)),
        Kind::Systemd | Kind::Script => Ok(()),
    };
}

/// Loggers go last, when everything has been said; runit has them go by themselves.
fn dismiss_loggers(home: &Path, kind: Kind, directory: &Path) {
    let own = SERVICES.map(|service| home.join("supervise").join(service));
    if matches!(kind, Kind::Daemontools | Kind::S6) {
        own.iter().for_each(|service| dismiss(kind, &service.join("log")));
    }
    if kind == Kind::S6 {
        let _ = run(Command::new("s6-svscanctl").arg("-an").arg(directory));
    }
    let all = own.iter().flat_map(|service| [service.clone(), service.join("log")]);
    let all: Vec<PathBuf> = all.collect();
    for _ in 0..PATIENCE * 10 {
        if !all.iter().any(|service| is_watched(service)) {
            return;
        }
        sleep(BETWEEN);
    }
}

/// Whether somebody supervises a service: then one of these FIFOs has a reader.
fn is_watched(service: &Path) -> bool {
    let has_reader = |name: &&str| {
        let mut options = OpenOptions::new();
        let options = options.write(true).custom_flags(qmail_sys::OPEN_NONBLOCKING);
        options.open(service.join("supervise").join(name)).is_ok()
    };
    ["ok", "control"].iter().any(has_reader)
}

/// Until nobody holds the lock of qmail-send.
fn wait_for_end(home: &Path) -> Result<(), Failure> {
    let path = home.join("queue/lock/sendmutex");
    let mutex = File::open(&path).map_err(Failure::unable("open", &path))?;
    for _ in 0..PATIENCE * 10 {
        if mutex.try_lock().is_ok() {
            return Ok(());
        }
        sleep(BETWEEN);
    }
    Err(Failure::StillRunning)
}

/// What is to be said of it, if it was there.
fn take_back(made: &Made) -> Option<String> {
    let (path, removed) = match made {
        Made::Supervised(..) => return None,
        Made::Directory(path) => (path, remove_directory(path)),
        Made::Link(target, path) => match fs::read_link(path) {
            Ok(found) if found == *target => (path, fs::remove_file(path)),
            Ok(_) => (path, Err(ErrorKind::InvalidData.into())),
            Err(error) => (path, Err(error)),
        },
        Made::File(sum, path) => match sum_of(path) {
            // Nobody edits a program: an upgrade has made it anew.
            Ok(found) if found == *sum || is_protected(path) => (path, fs::remove_file(path)),
            Ok(_) => (path, Err(ErrorKind::InvalidData.into())),
            Err(error) => (path, Err(error)),
        },
    };
    let shown = path.display();
    match removed {
        Ok(()) => Some(format!("removed {shown}")),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => None,
            ErrorKind::DirectoryNotEmpty => Some(format!("kept {shown}: it is not empty")),
            ErrorKind::InvalidData => Some(format!("kept {shown}: it was changed")),
            _ => Some(format!("kept {shown}: {}", qmail_core::errno::text(&error))),
        },
    }
}

/// Supervisors leave files of their own in the directories of services.
fn remove_directory(path: &Path) -> io::Result<()> {
    for own in ["supervise", "event"] {
        match fs::remove_dir_all(path.join(own)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    fs::remove_dir(path)
}

#[cfg(test)]
mod tests {
    use super::super::journal::sum;
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_was_changed_stays() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let write = |name: &str, text: &[u8]| File::create(at(name)).unwrap().write_all(text);
        write("same", b"a").unwrap();
        write("changed", b"b").unwrap();
        symlink("elsewhere", at("link")).unwrap();
        fs::create_dir_all(at("empty/supervise")).unwrap();
        fs::create_dir_all(at("full/mail")).unwrap();
        let said =
            |made: Made| take_back(&made).map(|line| line.split(' ').next().unwrap().to_owned());
        assert_eq!(said(Made::File(sum(b"a"), at("same"))).unwrap(), "removed");
        assert_eq!(said(Made::File(sum(b"a"), at("same"))), None);
        assert_eq!(said(Made::File(sum(b"a"), at("changed"))).unwrap(), "kept");
        assert_eq!(said(Made::Link("here".into(), at("link"))).unwrap(), "kept");
        assert_eq!(said(Made::Link("elsewhere".into(), at("link"))).unwrap(), "removed");
        assert_eq!(said(Made::Directory(at("empty"))).unwrap(), "removed");
        assert_eq!(said(Made::Directory(at("full"))).unwrap(), "kept");
    }
}
