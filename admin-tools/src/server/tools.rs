//! What other programs make: the certificate, the protected checkpassword, the rules.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::made::{Site, Was};
use super::supervisor::Supervisor;
use super::{Failure, journal::Made};

/// Where SMTP finds a checkpassword that only it can use.
const PROTECTED: &str = "/bin/qmaild";
const RULES: &str = "/etc/tcp.smtp";
/// This host itself may relay. Nobody else: they log in.
const FIRST_RULES: &[u8] = b"# Who may relay without logging in; then: qmailctl cdb\n\
    127.:allow,RELAYCLIENT=\"\"\n";

/// Whether this is the program in there.
pub(super) fn is_protected(path: &Path) -> bool {
    path == Path::new(PROTECTED).join("checkpassword")
}

/// Where these programs are.
#[derive(Debug)]
pub(super) struct Tools {
    home: PathBuf,
    /// Beside ourselves, as in every place where qmail is installed from.
    install: PathBuf,
    tcprules: Option<PathBuf>,
}

impl Tools {
    pub(super) fn find(home: &Path, supervisor: &Supervisor) -> Result<Self, Failure> {
        let own = std::env::current_exe().ok();
        let install = own.and_then(|own| Some(own.parent()?.join("install")));
        let install = install
            .filter(|install| install.is_file())
            .ok_or(Failure::NoTool("install", "qmail-rs, and beside this command"))?;
        let tcprules = in_path("tcprules");
        if supervisor.needs_tcpserver() && (tcprules.is_none() || in_path("tcpserver").is_none()) {
            return Err(Failure::NoTool("tcpserver", "ucspi-tcp"));
        }
        Ok(Self { home: home.to_owned(), install, tcprules })
    }

    pub(super) fn certificate(
        &self,
        site: &mut Site<impl Write>,
        name: &[u8],
    ) -> Result<(), Failure> {
        let newcert = self.home.join("bin/qmail-newcert");
        let control = self.home.join("control");
        let text = String::from_utf8_lossy(name).into_owned();
        let link = control.join("clientcert.pem");
        let had_link = link.symlink_metadata().is_ok();
        site.by_other(&control.join("servercert.pem"), || run(Command::new(newcert).arg(text)))?;
        // Made beside it.
        if !had_link && link.is_symlink() {
            site.noted(&Made::Link("servercert.pem".into(), link))?;
        }
        Ok(())
    }

    /// In the tree of one user there is nobody to protect it from.
    pub(super) fn protect(&self, site: &mut Site<impl Write>) -> Result<(), Failure> {
        if qmail_sys::effective_uid() != 0 {
            return Ok(());
        }
        let directory = Path::new(PROTECTED);
        let is_new = directory.symlink_metadata().is_err();
        if is_new {
            site.directory(directory, 0o500)?;
        }
        let program = directory.join("checkpassword");
        let install = &self.install;
        site.by_other(&program, || run(Command::new(install).args(["protect", PROTECTED])))?;
        Ok(())
    }

    pub(super) fn rules(&self, site: &mut Site<impl Write>) -> Result<(), Failure> {
        let Some(tcprules) = &self.tcprules else { return Ok(()) };
        site.file(Path::new(RULES), FIRST_RULES, 0o644)?;
        let (cdb, temporary) = (format!("{RULES}.cdb"), format!("{RULES}.tmp"));
        let made = site.by_other(Path::new(&cdb), || {
            let source = File::open(RULES).map_err(Failure::unable("read", Path::new(RULES)))?;
            run(Command::new(tcprules).args([&cdb, &temporary]).stdin(source))
        })?;
        if made == Was::Missing {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
            std::fs::set_permissions(&cdb, mode)
                .map_err(Failure::unable("change", Path::new(&cdb)))?;
        }
        Ok(())
    }

    /// The names by which this host sends mail.
    pub(super) fn links(&self, site: &mut Site<impl Write>) -> Result<(), Failure> {
        if qmail_sys::effective_uid() == 0 {
            let sendmail = self.home.join("bin/sendmail");
            for name in ["/usr/sbin/sendmail", "/usr/lib/sendmail"] {
                site.link(Path::new(name), &sendmail)?;
            }
        }
        Ok(())
    }
}

/// A program, wherever the system keeps its own.
pub(super) fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/bin", "/command", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let mut directories = std::env::split_paths(&path).chain(usual);
    directories.find_map(|directory| Some(directory.join(name)).filter(|path| path.is_file()))
}

/// Runs a program, which has to succeed. What it says is said to whoever listens to us.
pub(super) fn run(command: &mut Command) -> Result<(), Failure> {
    let words = format!("{command:?}");
    let output = command.stdout(Stdio::null()).status();
    match output {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Failure::Tool(words)),
    }
}
