//! What can go wrong before another program takes over.

use qmail_core::options::BadOption;

const USAGE: &str =
    "sendmail: usage: sendmail [ -t ] [ -fsender ] [ -Fname ] [ -bp ] [ -bs ] [ arg ... ]\n";

/// Why no program took over.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The command line is wrong; perhaps an option of it.
    Usage(Option<BadOption>),
    /// Started as newaliases, which belongs to another package.
    NewAliases,
    /// The home directory of qmail cannot be entered.
    Home,
    /// A program of qmail cannot be run.
    Program(&'static str),
}

impl Failure {
    /// The exit code.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::NewAliases => 100,
            Self::Home | Self::Program(_) => 111,
        }
    }

    /// What goes to standard error.
    pub fn message(&self) -> String {
        match self {
            Self::Usage(None) => USAGE.to_owned(),
            Self::Usage(Some(bad)) => format!("{bad}\n{USAGE}"),
            Self::NewAliases => {
                "sendmail: fatal: please use fastforward/newaliases instead\n".to_owned()
            }
            Self::Home => "sendmail: fatal: unable to switch to qmail home directory\n".to_owned(),
            Self::Program(program) => format!("sendmail: fatal: unable to run {program}\n"),
        }
    }
}
