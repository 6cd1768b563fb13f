//! What starts, stops and supervises qmail: the start/stop scripts, a directory for each service in
//! the form that daemontools, runit and s6 share, and units of systemd.

use qmail_core::accounts::Role::Owner;

use crate::layout::{Row, row};
use crate::what::What;

/// Where the units are, in a tree.
pub(crate) const UNITS: &str = "services/systemd/";

/// A script, or a file for one to read.
macro_rules! script {
    ($path:literal, $source:literal, $mode:literal) => {
        row($path, What::Sample(include_str!(concat!("../", $source))), Owner, $mode)
    };
}

/// The directory of a service. The log of each is kept in the same way.
macro_rules! directory {
    ($name:literal) => {
        row(concat!("services/", $name), What::Directory, Owner, 0o0755)
    };
}

macro_rules! run {
    ($name:literal) => {
        row(
            concat!("services/", $name, "/run"),
            What::Sample(include_str!(concat!("../services/", $name, "/run"))),
            Owner,
            0o0755,
        )
    };
}

macro_rules! log {
    ($name:literal) => {
        row(concat!("services/", $name, "/log"), What::Directory, Owner, 0o0755)
    };
}

macro_rules! log_run {
    ($name:literal) => {
        row(
            concat!("services/", $name, "/log/run"),
            What::Sample(include_str!("../services/log")),
            Owner,
            0o0755,
        )
    };
}

/// A unit, followed by who it runs as and what it is kept from.
macro_rules! unit {
    ($name:literal) => {
        row(
            concat!("services/systemd/", $name),
            What::Sample(include_str!(concat!("../systemd/", $name))),
            Owner,
            0o0644,
        )
    };
    ($name:literal, $sandbox:literal) => {
        row(
            concat!("services/systemd/", $name),
            What::Sample(concat!(
                include_str!(concat!("../systemd/", $name)),
                include_str!(concat!("../systemd/", $sandbox))
            )),
            Owner,
            0o0644,
        )
    };
}

/// The rows of these files.
pub(crate) const TABLE: &[Row] = &[
    script!("boot/processes.sh", "scripts/processes.sh", 0o0644),
    script!("boot/qmail", "scripts/qmail", 0o0755),
    script!("boot/qmailctl", "scripts/qmailctl", 0o0755),
    script!("boot/spamd", "scripts/spamd", 0o0755),
    row("services", What::Directory, Owner, 0o0755),
    script!("services/listen", "services/listen", 0o0755),
    directory!("qmail-send"),
    run!("qmail-send"),
    log!("qmail-send"),
    log_run!("qmail-send"),
    directory!("qmail-smtpd"),
    run!("qmail-smtpd"),
    log!("qmail-smtpd"),
    log_run!("qmail-smtpd"),
    directory!("qmail-smtpsd"),
    run!("qmail-smtpsd"),
    log!("qmail-smtpsd"),
    log_run!("qmail-smtpsd"),
    directory!("qmail-submission"),
    run!("qmail-submission"),
    log!("qmail-submission"),
    log_run!("qmail-submission"),
    directory!("qmail-pop3d"),
    run!("qmail-pop3d"),
    log!("qmail-pop3d"),
    log_run!("qmail-pop3d"),
    directory!("qmail-pop3sd"),
    run!("qmail-pop3sd"),
    log!("qmail-pop3sd"),
    log_run!("qmail-pop3sd"),
    directory!("qmail-qmtpd"),
    run!("qmail-qmtpd"),
    log!("qmail-qmtpd"),
    log_run!("qmail-qmtpd"),
    directory!("qmail-qmqpd"),
    run!("qmail-qmqpd"),
    log!("qmail-qmqpd"),
    log_run!("qmail-qmqpd"),
    row("services/systemd", What::Directory, Owner, 0o0755),
    unit!("qmail-send.service"),
    unit!("qmail-smtpd.socket"),
    unit!("qmail-smtpd@.service", "sandbox-qmaild"),
    unit!("qmail-smtpsd.socket"),
    unit!("qmail-smtpsd@.service", "sandbox-qmaild"),
    unit!("qmail-submission.socket"),
    unit!("qmail-submission@.service", "sandbox-qmaild"),
    unit!("qmail-pop3d.socket"),
    unit!("qmail-pop3d@.service", "sandbox-root"),
    unit!("qmail-pop3sd.socket"),
    unit!("qmail-pop3sd@.service", "sandbox-root"),
    unit!("qmail-qmtpd.socket"),
    unit!("qmail-qmtpd@.service", "sandbox-qmaild"),
    unit!("qmail-qmqpd.socket"),
    unit!("qmail-qmqpd@.service", "sandbox-qmaild"),
];
