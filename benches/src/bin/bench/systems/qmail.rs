//! Any qmail.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use qmail_conformance::Tree;

use crate::site::{SINK, Site, words};
use crate::systems::{CONCURRENCY, Delivery, Sendmail, System};

/// A tree, or programs to make one of.
#[derive(Clone, Debug)]
pub(crate) struct Qmail {
    name: String,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    /// What `make` built.
    Built,
    Programs(PathBuf),
    Tree {
        source: PathBuf,
        home: PathBuf,
    },
}

impl Qmail {
    /// What `QMAIL_UNDER_TEST` names, else our own.
    pub(crate) fn ours() -> Self {
        match env::var_os("QMAIL_UNDER_TEST") {
            Some(tree) => Self::at("under test", tree.clone().into(), tree.into()),
            None => Self { name: "qmail-rs".to_owned(), origin: Origin::Built },
        }
    }

    /// netqmail, where `QMAIL_ORIGINAL` names a tree of it that was made for `/var/qmail`.
    pub(crate) fn original() -> Option<Self> {
        let source = env::var_os("QMAIL_ORIGINAL")?;
        Some(Self::at("netqmail", source.into(), "/var/qmail".into()))
    }

    pub(crate) fn at(name: &str, source: PathBuf, home: PathBuf) -> Self {
        Self { name: name.to_owned(), origin: Origin::Tree { source, home } }
    }

    pub(crate) fn of_programs(name: &str, programs: PathBuf) -> Self {
        Self { name: name.to_owned(), origin: Origin::Programs(programs) }
    }

    fn tree(&self) -> Tree {
        match &self.origin {
            Origin::Built => Tree::under_test(),
            Origin::Programs(programs) => Tree::of_programs(programs, &[]),
            Origin::Tree { source, home } => Tree::like(source, home),
        }
    }

    /// The words that run a program of it.
    pub(crate) fn program(site: &Site, name: &str) -> OsString {
        site.tree().home().join("bin").join(name).into_os_string()
    }

    /// Starts what delivers, alone.
    pub(crate) fn deliver(site: &Site) {
        site.start(&words([Self::program(site, "qmail-start"), "./Maildir/".into()]), &[]);
    }
}

impl System for Qmail {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_there(&self) -> bool {
        match &self.origin {
            Origin::Built => true,
            Origin::Programs(programs) => programs.join("install").exists(),
            Origin::Tree { source, .. } => source.join("bin/qmail-start").exists(),
        }
    }

    fn site(&self, counts: bool) -> io::Result<Site> {
        let tree = self.tree();
        tree.control("locals", "test.example\n");
        tree.control("rcpthosts", "test.example\nremote.example\n");
        tree.control("smtproutes", format!(":{SINK}\n"));
        for channel in ["concurrencylocal", "concurrencyremote"] {
            tree.control(channel, format!("{CONCURRENCY}\n"));
        }
        Ok(Site::new(tree, counts))
    }

    fn take(&self, site: &Site) -> io::Result<()> {
        let daemon = site.tree().accounts().qmaild;
        let own = Self::program(site, "qmail-tcpserver");
        let has_one = site.tree().command("/usr/bin/test").arg("-x").arg(&own).run();
        let server = if has_one.code == Some(0) { own } else { "tcpserver".into() };
        let mut server = vec![server];
        server.extend(words(["-H", "-R", "-l", "test.example", "-c", "200"]));
        server.extend(words(["-b", "200", "-u", &daemon.uid.to_string()]));
        server.extend(words(["-g", &daemon.gid.to_string(), "127.0.0.1", "2525"]));
        server.push(Self::program(site, "qmail-smtpd"));
        site.serve(&server, &[])
    }

    fn work(&self, site: &Site) -> io::Result<()> {
        Self::deliver(site);
        self.take(site)
    }

    fn sendmail(&self, site: &Site, _: Delivery) -> Sendmail {
        let words = words([Self::program(site, "sendmail"), "-fsender@elsewhere.example".into()]);
        Sendmail { words, variables: Vec::new(), asks_a_daemon: false }
    }

    fn qmail(&self) -> Option<&Qmail> {
        Some(self)
    }
}
