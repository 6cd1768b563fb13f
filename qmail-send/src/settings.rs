//! The control files of qmail-send.

use std::path::Path;

use qmail_address::EnvelopeSender;
use qmail_core::control::{
    BOUNCEFROM, BOUNCEHOST, BOUNCELIFETIME, BOUNCEMAXBYTES, BOUNCEMESSAGE, BOUNCESUBJECT,
    CONCURRENCYLOCAL, CONCURRENCYPERHOST, CONCURRENCYREMOTE, ControlError, Controls,
    DOUBLEBOUNCEHOST, DOUBLEBOUNCEMESSAGE, DOUBLEBOUNCESUBJECT, DOUBLEBOUNCETO, LOCALS, Map,
    QUEUELIFETIME, VIRTUALDOMAINS, first_line,
};
use qmail_wire::spawn::{DeliveryNumber, Limit};

use crate::bounce::{BounceSettings, Words};
use crate::channels::PerChannel;
use crate::lines;

/// The control files, and what they said when they were read.
#[derive(Debug)]
pub(crate) struct Settings {
    controls: Controls,
    /// Seconds after which a message is given up.
    pub lifetime: u64,
    /// The same for messages that tell of failures, where it is another.
    bounce_lifetime: Option<u64>,
    concurrency: PerChannel<u64>,
    /// Deliveries to one host at once.
    pub host_concurrency: Option<usize>,
    pub bounces: BounceSettings,
    /// What qmail-todo put before recipients, and bounces take away again.
    pub virtual_domains: Map,
}

/// A control file cannot be read, or there is neither `locals` nor `me`.
#[derive(Debug)]
pub(crate) struct Unreadable;

impl From<ControlError> for Unreadable {
    fn from(_: ControlError) -> Self {
        Self
    }
}

impl Settings {
    pub(crate) fn read(home: &Path) -> Result<Self, Unreadable> {
        let controls = Controls::open(home)?;
        // It is qmail-todo that uses them, but without them there is no start.
        controls.list(&LOCALS)?.ok_or(Unreadable)?;
        Ok(Self {
            lifetime: controls.number(&QUEUELIFETIME)?,
            bounce_lifetime: controls.number_if_set(&BOUNCELIFETIME)?,
            host_concurrency: controls
                .number_if_set(&CONCURRENCYPERHOST)?
                .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            concurrency: PerChannel {
                local: controls.number(&CONCURRENCYLOCAL)?,
                remote: controls.number(&CONCURRENCYREMOTE)?,
            },
            bounces: bounces(&controls)?,
            virtual_domains: controls.map(&VIRTUALDOMAINS)?,
            controls,
        })
    }

    /// Seconds after which a message of this sender is given up, unless it is as all others.
    pub(crate) fn lifetime_of(&self, sender: &EnvelopeSender) -> Option<u64> {
        match sender {
            EnvelopeSender::Bounce | EnvelopeSender::DoubleBounce => self.bounce_lifetime,
            EnvelopeSender::PerRecipient { .. } | EnvelopeSender::Ordinary(_) => None,
        }
    }

    /// Deliveries at once: what is wished for, but no more than the spawners can do.
    pub(crate) fn concurrency(&self, limits: &PerChannel<Limit>) -> PerChannel<DeliveryNumber> {
        PerChannel::new(|channel| {
            let wished = DeliveryNumber::try_from(*self.concurrency.of(channel));
            wished.unwrap_or(DeliveryNumber::MAX).min(limits.of(channel).deliveries)
        })
    }

    /// Reads `virtualdomains` again, as SIGHUP demands.
    ///
    /// # Errors
    /// The line for the log; it stays as it was then.
    pub(crate) fn reread(&mut self, home: &Path) -> Result<(), &'static str> {
        // A home that cannot be entered would look like one without control files.
        std::fs::metadata(home.join(".")).map_err(|_| lines::REREAD_HOME)?;
        self.controls.list(&LOCALS).ok().flatten().ok_or(lines::REREAD_LOCALS)?;
        let read = self.controls.map(&VIRTUALDOMAINS);
        self.virtual_domains = read.map_err(|_| lines::REREAD_DOMAINS)?;
        Ok(())
    }

    /// Reads again how many deliveries are wished for at once.
    ///
    /// # Errors
    /// The line for the log; both stay as they were then.
    pub(crate) fn reread_concurrency(&mut self) -> Result<(), &'static str> {
        let (local, remote) = (
            self.controls.number(&CONCURRENCYLOCAL).map_err(|_| lines::REREAD_LOCAL)?,
            self.controls.number(&CONCURRENCYREMOTE).map_err(|_| lines::REREAD_REMOTE)?,
        );
        self.concurrency = PerChannel { local, remote };
        Ok(())
    }
}

fn bounces(controls: &Controls) -> Result<BounceSettings, ControlError> {
    let line = |control| controls.line(control).map(Option::unwrap_or_default);
    let words = |subject, introduction| {
        Ok(Words { subject: line(subject)?, introduction: controls.whole(introduction)? })
    };
    Ok(BounceSettings {
        from: line(&BOUNCEFROM)?,
        host: line(&BOUNCEHOST)?,
        double_bounces_to: double_bounces_to(controls)?,
        bounce: words(&BOUNCESUBJECT, &BOUNCEMESSAGE)?,
        double_bounce: words(&DOUBLEBOUNCESUBJECT, &DOUBLEBOUNCEMESSAGE)?,
        most: controls.number_if_set(&BOUNCEMAXBYTES)?,
    })
}

/// Whoever has an empty first line wants none. A file of no bytes is one that somebody touched.
fn double_bounces_to(controls: &Controls) -> Result<Option<Vec<u8>>, ControlError> {
    let user = match controls.whole(&DOUBLEBOUNCETO)? {
        Some(file) if !file.is_empty() => first_line(&file),
        _ => b"postmaster".to_vec(),
    };
    let host = controls.line(&DOUBLEBOUNCEHOST)?.unwrap_or_default();
    Ok((!user.is_empty()).then(|| [user, host].join(&b'@')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::io::Write;

    fn home(files: &[(&str, &str)]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("control")).unwrap();
        for (name, text) in files {
            let mut file = File::create(home.path().join("control").join(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
        home
    }

    #[test]
    fn defaults_are_those_of_the_manual() {
        let home = home(&[("me", "here.example\n")]);
        let settings = Settings::read(home.path()).unwrap();
        let words = || Words { subject: b"failure notice".to_vec(), introduction: None };
        let bounces = BounceSettings {
            from: b"MAILER-DAEMON".to_vec(),
            host: b"here.example".to_vec(),
            double_bounces_to: Some(b"postmaster@here.example".to_vec()),
            bounce: words(),
            double_bounce: words(),
            most: None,
        };
        assert_eq!((settings.lifetime, settings.bounces.clone()), (604_800, bounces));
        assert_eq!(settings.bounce_lifetime, None);
        let limits = PerChannel { local: Limit::new(120), remote: Limit::new(15) };
        assert_eq!(settings.concurrency(&limits), PerChannel { local: 10, remote: 15 });
    }

    #[test]
    fn a_wish_beyond_every_limit_is_the_limit_and_zero_is_a_hold() {
        let home =
            home(&[("me", "h\n"), ("concurrencylocal", "9999\n"), ("concurrencyremote", "0")]);
        let settings = Settings::read(home.path()).unwrap();
        let limits = PerChannel { local: Limit::new(255), remote: Limit::new(255) };
        assert_eq!(settings.concurrency(&limits), PerChannel { local: 255, remote: 0 });
    }

    #[test]
    fn bounces_are_as_the_files_say() {
        let home = home(&[
            ("me", "h\n"),
            ("queuelifetime", "1000"),
            ("bouncelifetime", "200"),
            ("bouncesubject", "sorry\n"),
            ("doublebouncemessage", "Hi.\n"),
            ("bouncemaxbytes", "0"),
        ]);
        let settings = Settings::read(home.path()).unwrap();
        for (sender, expected) in
            [(&b""[..], Some(200)), (b"#@[]", Some(200)), (b"a@b", None), (b"a@b-@[]", None)]
        {
            assert_eq!(settings.lifetime_of(&EnvelopeSender::parse(sender)), expected);
        }
        assert_eq!(settings.bounces.bounce.subject, b"sorry");
        assert_eq!(settings.bounces.double_bounce.introduction.unwrap(), b"Hi.\n");
        assert_eq!(settings.bounces.most, Some(0));
    }

    #[test]
    fn nobody_gets_double_bounces_where_the_first_line_is_empty() {
        for (text, expected) in [
            ("\n", None),
            (" \t\nx\n", None),
            ("", Some(b"postmaster@h".as_slice())),
            ("joe\n", Some(b"joe@h")),
        ] {
            let home = home(&[("me", "h\n"), ("doublebounceto", text)]);
            let settings = Settings::read(home.path()).unwrap();
            assert_eq!(settings.bounces.double_bounces_to.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn without_locals_and_me_there_is_no_start() {
        assert!(Settings::read(home(&[]).path()).is_err());
        assert!(Settings::read(home(&[("locals", "")]).path()).is_ok());
    }

    #[test]
    fn what_cannot_be_read_again_stays_as_it_was() {
        let home = home(&[("me", "h\n"), ("virtualdomains", "v:joe\n")]);
        let mut settings = Settings::read(home.path()).unwrap();
        let path = home.path().join("control/virtualdomains");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(settings.reread(home.path()), Err(lines::REREAD_DOMAINS));
        assert_eq!(settings.virtual_domains.get(b"v"), Some(b"joe".as_slice()));
        fs::remove_dir(&path).unwrap();
        assert_eq!(settings.reread(home.path()), Ok(()));
        assert_eq!(settings.virtual_domains.get(b"v"), None);
        assert_eq!(settings.reread(Path::new("/nonexistent")), Err(lines::REREAD_HOME));
    }
}
