//! Who starts the services and keeps them running.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Failure;
use super::journal::Made;
use super::made::Site;
use super::tools::{in_path, run};

/// What a server has: no POP3 without TLS, and nobody logs in at port 25.
pub(super) const SERVICES: [&str; 5] =
    ["qmail-send", "qmail-smtpd", "qmail-smtpsd", "qmail-submission", "qmail-pop3sd"];
/// The same in the words of the start/stop script.
const IN_SCRIPT: &str = "SERVICES='send smtp smtps submission pop3s'\n";
const SCRIPTS: &str = "/etc/init.d";
const OF_ADMINISTRATOR: &str = "/etc/systemd/system";
const OF_PACKAGES: [&str; 2] = ["/usr/lib/systemd/system", "/lib/systemd/system"];

/// Kinds of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Daemontools,
    Runit,
    S6,
    Systemd,
    /// The start/stop script: nobody starts again what has ended.
    Script,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Daemontools, Self::Runit, Self::S6, Self::Systemd, Self::Script];

    pub(super) fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().as_bytes() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Daemontools => "daemontools",
            Self::Runit => "runit",
            Self::S6 => "s6",
            Self::Systemd => "systemd",
            Self::Script => "script",
        }
    }

    /// Where services of this kind are always.
    fn place(self) -> Option<&'static str> {
        match self {
            Self::Systemd => Some(OF_ADMINISTRATOR),
            Self::Script => Some(SCRIPTS),
            Self::Daemontools | Self::Runit | Self::S6 => None,
        }
    }

    /// The process that looks for services in a directory.
    fn scanner(self) -> Option<&'static str> {
        match self {
            Self::Daemontools => Some("svscan"),
            Self::Runit => Some("runsvdir"),
            Self::S6 => Some("s6-svscan"),
            Self::Systemd | Self::Script => None,
        }
    }
}

/// One of them, and where it looks for services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Supervisor {
    pub(super) kind: Kind,
    pub(super) directory: PathBuf,
}

impl Supervisor {
    /// The one that was asked for.
    pub(super) fn named(kind: Kind, directory: Option<PathBuf>) -> Result<Self, Failure> {
        let directory = match (kind.place(), directory) {
            (Some(place), _) => place.into(),
            (None, Some(directory)) => directory,
            (None, None) => scanned(kind).ok_or(Failure::NoDirectory(kind.name()))?,
        };
        Ok(Self { kind, directory })
    }

    /// The one that is there. Whoever runs a supervisor beside systemd wants it to be used.
    pub(super) fn of_this_host() -> Self {
        let mut kinds = Kind::ALL.into_iter();
        if let Some(found) = kinds.find_map(|kind| Some(Self { kind, directory: scanned(kind)? })) {
            return found;
        }
        let is_systemd = Path::new("/run/systemd/system").is_dir();
        let (kind, place) =
            if is_systemd { (Kind::Systemd, OF_ADMINISTRATOR) } else { (Kind::Script, SCRIPTS) };
        Self { kind, directory: place.into() }
    }

    pub(super) fn needs_tcpserver(&self) -> bool {
        self.kind != Kind::Systemd
    }

    /// Hands the services over.
    pub(super) fn start(&self, site: &mut Site<impl Write>) -> Result<(), Failure> {
        // Before the first one: whoever undoes this has to stop what has started.
        site.noted_once(&Made::Supervised(self.kind.name().to_owned(), self.directory.clone()))?;
        match self.kind {
            Kind::Daemontools | Kind::Runit | Kind::S6 => self.link(site),
            Kind::Systemd => systemd(site),
            Kind::Script => script(site),
        }
    }

    /// Copies to where people look for them, and may change them.
    fn link(&self, site: &mut Site<impl Write>) -> Result<(), Failure> {
        let (from, to) = (site.home.join("services"), site.home.join("supervise"));
        site.directory(&to, 0o755)?;
        for service in SERVICES {
            for part in [service.to_owned(), format!("{service}/log")] {
                site.directory(&to.join(&part), 0o755)?;
                let run = format!("{part}/run");
                let text =
                    fs::read(from.join(&run)).map_err(Failure::unable("read", &from.join(&run)))?;
                site.file(&to.join(&run), &text, 0o755)?;
            }
            site.link(&self.directory.join(service), &to.join(service))?;
        }
        match self.kind {
            Kind::S6 => run(Command::new("s6-svscanctl").arg("-a").arg(&self.directory)),
            _ => Ok(()),
        }
    }
}

/// What systemd calls a service: one from the network begins with its socket.
pub(super) fn units() -> Vec<String> {
    let unit = |service: &str| match service {
        "qmail-send" => format!("{service}.service"),
        _ => format!("{service}.socket"),
    };
    SERVICES.into_iter().map(unit).collect()
}

fn systemd(site: &mut Site<impl Write>) -> Result<(), Failure> {
    let from = site.home.join("services/systemd");
    let entries = fs::read_dir(&from).map_err(Failure::unable("read", &from))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if OF_PACKAGES.iter().any(|place| Path::new(place).join(&name).exists()) {
            continue;
        }
        let text = fs::read(entry.path()).map_err(Failure::unable("read", &entry.path()))?;
        site.file(&Path::new(OF_ADMINISTRATOR).join(&name), &text, 0o644)?;
    }
    run(Command::new("systemctl").arg("daemon-reload"))?;
    run(Command::new("systemctl").args(["enable", "--now"]).args(units()))
}

fn script(site: &mut Site<impl Write>) -> Result<(), Failure> {
    let script = site.home.join("boot/qmail");
    site.file(Path::new("/etc/default/qmail"), IN_SCRIPT.as_bytes(), 0o644)?;
    site.link(&Path::new(SCRIPTS).join("qmail"), &script)?;
    if let Some(tool) = in_path("update-rc.d") {
        run(Command::new(tool).args(["qmail", "defaults"]))?;
    }
    run(Command::new(script).arg("start"))
}

/// Where a scanner that runs looks: the directory that it is in.
fn scanned(kind: Kind) -> Option<PathBuf> {
    let scanner = kind.scanner()?;
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let is_one = |path: &PathBuf| {
        fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim_end() == scanner)
    };
    let mut found = processes.map(|process| process.path()).filter(is_one);
    found.find_map(|path| fs::read_link(path.join("cwd")).ok())
}
