//! What the control files and the environment say.

use std::path::{Path, PathBuf};
use std::time::Duration;

use qmail_core::control::{
    self, ControlError, Controls, DATABYTES, LOCALIPHOST, Map, SMTPGREETING, TIMEOUTSMTPD,
};
use qmail_core::long_list::Index;
use qmail_wire::smtp_server::Reply;

use crate::checks::{Check, Source, in_order};
use crate::client::Client;
use crate::extension::Extension;
use crate::greet_delay::GreetDelay;
use crate::journal::{self, Journal};
use crate::local_addresses::is_local;
use crate::replies::{self, UNREADABLE_CONTROLS};
use crate::session::{LiteralHost, Manners};
use crate::variables::Variables;
use crate::visit::Visit;

/// How long a client may take where no control file says it.
pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(1200);

/// Everything that a session depends on.
pub struct Settings {
    /// How it speaks.
    pub manners: Manners,
    /// How long each read and write may take.
    pub patience: Duration,
    /// Who is at the other end.
    pub visit: Visit,
    /// The policies, in the order in which they are asked.
    pub checks: Vec<Box<dyn Check>>,
    /// Verbs beyond the usual ones.
    pub extensions: Vec<Box<dyn Extension>>,
    /// What writes the log.
    pub journals: Vec<Box<dyn Journal>>,
    /// How long the greeting waits.
    pub greet_delay: Option<GreetDelay>,
    /// The list of what executables look like, if they are not wanted.
    pub signatures: Option<PathBuf>,
    /// What is said to some exit codes of queue programs.
    pub texts: Map,
    /// The control files, for those who add to this.
    pub controls: Controls,
}

/// A control file cannot be read, or nothing says what we are called.
#[derive(Debug)]
pub struct Unreadable;

impl Unreadable {
    /// What the client is told.
    pub fn reply(&self) -> Reply {
        UNREADABLE_CONTROLS
    }
}

impl From<ControlError> for Unreadable {
    fn from(_: ControlError) -> Self {
        Self
    }
}

impl Settings {
    /// Reads `control/` below `home`, and the environment.
    pub fn read(home: &Path, variables: Variables) -> Result<Self, Unreadable> {
        let controls = Controls::survey(home)?;
        let greeting = controls.line(&SMTPGREETING)?.ok_or(Unreadable)?;
        let client = Client::from_environment(&|name| variables.value(name));
        let source = Source { home, controls: &controls, variables: &variables, client: &client };
        let checks = in_order(&source)?;
        let signatures = source.list(&control::SIGNATURES, Index::Ignored)?;
        let unknown = source.number(&control::UNRECOGNISED500, &["UNRECOGNISED500"])?;
        let journals = variables.value("SMTPDLOG").or(controls.line(&control::SMTPDLOG)?);
        Ok(Self {
            patience: patience(controls.number(&TIMEOUTSMTPD)?),
            checks,
            extensions: Vec::new(),
            journals: journal::named(&journals.unwrap_or_default()),
            greet_delay: greet_delay(&source),
            texts: controls.map(&control::QUEUETEXTS)?,
            signatures: signatures
                .filter(|_| !variables.has("EXECUTABLEOK"))
                .map(|_| controls.path(&control::SIGNATURES)),
            manners: manners(greeting, controls.clone(), &variables, unknown > 0)?,
            controls,
            visit: Visit::new(client, variables),
        })
    }
}

fn greet_delay(source: &Source<'_>) -> Option<GreetDelay> {
    let seconds = source.variable_number(&["GREETDELAY", "SMTPD_GREETDELAY"])?;
    let drops = source.variables.value("DROP_PRE_GREET").is_some_and(|value| value != b"0");
    GreetDelay::new(seconds, drops)
}

fn manners(
    greeting: Vec<u8>,
    controls: Controls,
    variables: &Variables,
    unknown_is_500: bool,
) -> Result<Manners, Unreadable> {
    let databytes = controls.number(&DATABYTES)?;
    let databytes = variables
        .value("DATABYTES")
        .map_or(databytes, |value| control::leading_number(&value).unwrap_or(0));
    Ok(Manners {
        greeting,
        largest_message: Some(databytes).filter(|bytes| *bytes > 0),
        help: if variables.has("QMAILSMTPD_HELP_VERSION") {
            replies::LONG_HELP
        } else {
            replies::HELP
        },
        unknown: if unknown_is_500 { replies::UNRECOGNISED } else { replies::UNIMPLEMENTED },
        literal_host: controls.line(&LOCALIPHOST)?.map(|name| LiteralHost {
            name,
            is_local: Box::new(move |address| is_local(&controls, address)),
        }),
    })
}

/// At least a second, and no more than a clock can count.
fn patience(seconds: u64) -> Duration {
    Duration::from_secs(seconds.clamp(1, u32::MAX.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, create_dir};
    use std::io::Write;

    fn read(files: &[(&str, &str)], databytes: Option<&str>) -> Result<Settings, Unreadable> {
        let home = tempfile::tempdir().unwrap();
        create_dir(home.path().join("control")).unwrap();
        for (name, contents) in files {
            let mut file = File::create(home.path().join("control").join(name)).unwrap();
            file.write_all(contents.as_bytes()).unwrap();
        }
        let databytes = databytes.map(str::to_owned);
        let variable = move |name: &str| {
            let value = databytes.as_ref().filter(|_| name == "DATABYTES");
            value.map(|value| value.as_bytes().to_vec())
        };
        Settings::read(home.path(), Variables::new(Box::new(variable)))
    }

    #[test]
    fn without_a_name_there_is_no_session() {
        assert!(read(&[], None).is_err());
        assert_eq!(read(&[("me", "here\n")], None).unwrap().manners.greeting, b"here");
        assert!(read(&[("smtpgreeting", "hello")], None).unwrap().manners.literal_host.is_none());
    }

    #[test]
    fn the_variable_wins_over_the_file_and_zero_is_no_limit() {
        let limit = |file: &str, variable| {
            read(&[("me", "here"), ("databytes", file)], variable).unwrap().manners.largest_message
        };
        assert_eq!(limit("10", None), Some(10));
        assert_eq!(limit("0", None), None);
        assert_eq!(limit("10", Some("20k")), Some(20));
        assert_eq!(limit("10", Some("")), None);
        assert_eq!(limit("10", Some("99999999999999999999999")), Some(u64::MAX));
    }

    #[test]
    fn patience_is_at_least_a_second() {
        let patience = |file| read(&[("me", "x"), ("timeoutsmtpd", file)], None).unwrap().patience;
        assert_eq!(patience("0"), Duration::from_secs(1));
        assert_eq!(patience("7"), Duration::from_secs(7));
        assert_eq!(patience("99999999999999999999"), Duration::from_secs(u32::MAX.into()));
        assert_eq!(read(&[("me", "x")], None).unwrap().patience, DEFAULT_PATIENCE);
    }
}
