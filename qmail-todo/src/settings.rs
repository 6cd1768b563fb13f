//! The control files that decide about recipients.

use std::path::Path;

use qmail_core::control::{
    ControlError, Controls, ENVNOATHOST, LOCALS, Map, PERCENTHACK, Set, VIRTUALDOMAINS,
};

use crate::route::Routes;

/// Why the settings are not known.
#[derive(Debug)]
pub(crate) enum SettingsError {
    /// A control file cannot be read.
    Read,
    /// There is neither `locals` nor `me`: nothing would be local.
    NoLocals,
}

impl From<ControlError> for SettingsError {
    fn from(_: ControlError) -> Self {
        Self::Read
    }
}

/// What could not be read again. The settings stay as they were then, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RereadError {
    Home,
    Locals,
    VirtualDomains,
}

/// The control files, and what they said when they were read.
#[derive(Debug)]
pub(crate) struct Settings {
    controls: Controls,
    pub routes: Routes,
}

impl Settings {
    pub(crate) fn read(home: &Path) -> Result<Self, SettingsError> {
        let controls = Controls::open(home)?;
        let routes = Routes {
            default_host: controls.line(&ENVNOATHOST)?.unwrap_or_default(),
            percent_hack: controls.set(&PERCENTHACK)?.unwrap_or_default(),
            locals: controls.set(&LOCALS)?.ok_or(SettingsError::NoLocals)?,
            virtual_domains: controls.map(&VIRTUALDOMAINS)?,
        };
        Ok(Self { controls, routes })
    }

    /// Reads `locals` and `virtualdomains` again, as SIGHUP demands; with `me` as it was.
    pub(crate) fn reread(&mut self, home: &Path) -> Result<(), RereadError> {
        let (locals, virtual_domains) = self.read_again(home)?;
        self.routes.locals = locals;
        self.routes.virtual_domains = virtual_domains;
        Ok(())
    }

    fn read_again(&self, home: &Path) -> Result<(Set, Map), RereadError> {
        // A home that cannot be entered would look like one without control files.
        std::fs::metadata(home.join(".")).map_err(|_| RereadError::Home)?;
        let locals = self.controls.set(&LOCALS).ok().flatten().ok_or(RereadError::Locals)?;
        let domains =
            self.controls.map(&VIRTUALDOMAINS).map_err(|_| RereadError::VirtualDomains)?;
        Ok((locals, domains))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_core::queue::Channel;
    use std::fs;
    use std::io::Write;

    fn write(home: &Path, name: &str, text: &str) {
        let path = home.join("control").join(name);
        fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("control")).unwrap();
        home
    }

    #[test]
    fn without_locals_and_me_there_is_no_start() {
        let home = home();
        assert!(matches!(Settings::read(home.path()), Err(SettingsError::NoLocals)));
        write(home.path(), "me", "here\n");
        let routes = Settings::read(home.path()).unwrap().routes;
        assert_eq!(routes.default_host, b"here");
        assert!(routes.locals.contains(b"here"));
    }

    #[test]
    fn what_cannot_be_read_again_leaves_all_as_it_was() {
        let home = home();
        write(home.path(), "locals", "here\n");
        let mut settings = Settings::read(home.path()).unwrap();
        write(home.path(), "locals", "there\n");
        fs::create_dir(home.path().join("control/virtualdomains")).unwrap();
        assert_eq!(settings.reread(home.path()), Err(RereadError::VirtualDomains));
        assert_eq!(settings.routes.route(b"a@here").channel, Channel::Local);
        fs::remove_dir(home.path().join("control/virtualdomains")).unwrap();
        assert_eq!(settings.reread(home.path()), Ok(()));
        assert_eq!(settings.routes.route(b"a@there").channel, Channel::Local);
        fs::remove_file(home.path().join("control/locals")).unwrap();
        assert_eq!(settings.reread(home.path()), Err(RereadError::Locals));
        drop(home);
        let gone = Path::new("/nonexistent/home");
        assert_eq!(settings.reread(gone), Err(RereadError::Home));
    }
}
