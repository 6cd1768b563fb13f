//! The control files of qmail-send.

use std::path::Path;

use qmail_core::control::{
    BOUNCEFROM, BOUNCEHOST, CONCURRENCYLOCAL, CONCURRENCYREMOTE, ControlError, Controls,
    DOUBLEBOUNCEHOST, DOUBLEBOUNCETO, LOCALS, Map, QUEUELIFETIME, VIRTUALDOMAINS,
};
use qmail_wire::spawn::{DeliveryNumber, Limit};

use crate::bounce::BounceSettings;
use crate::channels::PerChannel;
use crate::lines;

/// The control files, and what they said when they were read.
#[derive(Debug)]
pub(crate) struct Settings {
    controls: Controls,
    pub lifetime: u64,
    concurrency: PerChannel<u64>,
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
        let line = |control| controls.line(control).map(Option::unwrap_or_default);
        let double_bounces_to = [line(&DOUBLEBOUNCETO)?, line(&DOUBLEBOUNCEHOST)?].join(&b'@');
        let bounces = BounceSettings {
            from: line(&BOUNCEFROM)?,
            host: line(&BOUNCEHOST)?,
            double_bounces_to,
        };
        Ok(Self {
            lifetime: controls.number(&QUEUELIFETIME)?,
            concurrency: PerChannel {
                local: controls.number(&CONCURRENCYLOCAL)?,
                remote: controls.number(&CONCURRENCYREMOTE)?,
            },
            bounces,
            virtual_domains: controls.map(&VIRTUALDOMAINS)?,
            controls,
        })
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
        let bounces = BounceSettings {
            from: b"MAILER-DAEMON".to_vec(),
            host: b"here.example".to_vec(),
            double_bounces_to: b"postmaster@here.example".to_vec(),
        };
        assert_eq!((settings.lifetime, settings.bounces.clone()), (604_800, bounces));
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
