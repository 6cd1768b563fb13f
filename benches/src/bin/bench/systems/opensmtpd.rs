//! OpenSMTPD.

use std::io;
use std::path::{Path, PathBuf};

use qmail_conformance::{Tree, files};

use crate::site::{SINK, Site, directory, words};
use crate::systems::{Delivery, Sendmail, System, UNPACKED, add_account, path, shell};

const USER: u32 = 7883;
const QUEUE_USER: u32 = 7884;

/// Without the pauses that it makes between connections. It does not flush what it takes to the disk.
#[derive(Debug)]
pub(crate) struct OpenSmtpd;

impl System for OpenSmtpd {
    fn name(&self) -> &'static str {
        "OpenSMTPD"
    }

    fn is_there(&self) -> bool {
        program("smtpd").exists()
    }

    fn site(&self, counts: bool) -> io::Result<Site> {
        let tree = Tree::under_test();
        add_account(&tree, "opensmtpd", USER)?;
        add_account(&tree, "opensmtpq", QUEUE_USER)?;
        make_places(&tree)?;
        make_commands(&tree)?;
        let text = format!(
            "mta limit conn-delay-host 0 conn-delay-source 0 conn-delay-connector 0 \
             conn-delay-relay 0 conn-delay-domain 0\n\
             listen on 127.0.0.1 port 2525 hostname test.example\n\
             listen on socket\n\
             smtp max-message-size 1G\n\
             action \"maildir\" maildir \"~/Maildir\"\n\
             action \"on\" relay host smtp://{SINK}\n\
             match from any for domain \"test.example\" action \"maildir\"\n\
             match from any for any action \"on\"\n"
        );
        files::write(&tree.scratch().join("smtpd.conf"), text);
        Ok(Site::new(tree, counts))
    }

    fn take(&self, site: &Site) -> io::Result<()> {
        self.work(site)?;
        for what in ["mda", "mta"] {
            site.run(
                &words([commands(site.tree()).join("smtpctl").into(), path("pause"), path(what)]),
                &[],
            )?;
        }
        Ok(())
    }

    fn work(&self, site: &Site) -> io::Result<()> {
        let config = site.tree().scratch().join("smtpd.conf");
        let daemon = [program("smtpd").into_os_string(), path("-d"), path("-f"), config.into()];
        site.serve(&words(daemon), &[])
    }

    /// It listens with a backlog of five: further clients repeat their SYN after a second.
    fn most_sessions(&self) -> usize {
        4
    }

    fn sendmail(&self, site: &Site, _: Delivery) -> Sendmail {
        let program = commands(site.tree()).join("sendmail").into_os_string();
        let words = [program, path("-fsender@elsewhere.example")];
        Sendmail { words: words.into(), variables: Vec::new(), asks_a_daemon: true }
    }
}

fn program(name: &str) -> PathBuf {
    Path::new(UNPACKED).join("opensmtpd/usr/sbin").join(name)
}

/// Where its commands are, with the group that they ask for.
fn commands(tree: &Tree) -> PathBuf {
    tree.scratch().join("commands")
}

fn make_commands(tree: &Tree) -> io::Result<()> {
    let place = directory(&tree.scratch(), "commands", (0, 0), 0o755)?;
    for name in ["smtpctl", "sendmail"] {
        let command = place.join(name);
        std::fs::copy(program(name), &command)?;
        std::os::unix::fs::chown(&command, None, Some(QUEUE_USER))?;
        files::set_mode(&command, 0o2755);
    }
    Ok(())
}

/// Its places are compiled in: private ones are mounted there, the queue from the measured disk.
fn make_places(tree: &Tree) -> io::Result<()> {
    let place = tree.scratch();
    let library = directory(&place, "lib", (0, 0), 0o755)?;
    let spool = directory(&place, "spool", (0, 0), 0o755)?;
    directory(&spool, "smtpd", (0, 0), 0o711)?;
    directory(&directory(&library, "opensmtpd", (0, 0), 0o755)?, "empty", (0, 0), 0o755)?;
    let script = "mount --bind \"$1\" /var/lib && mount --bind \"$2\" /var/spool &&
        mount --bind \"$3\" /usr/libexec && mount -t tmpfs -o mode=755 tmpfs /run";
    let helpers = Path::new(UNPACKED).join("opensmtpd/usr/libexec");
    shell(tree, script, &[&library, &spool, &helpers])
}
