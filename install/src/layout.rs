//! Everything in a qmail tree, with owners and modes, as one table.

use qmail_core::accounts::Role;

use crate::what::What;

/// A row of the table. The group of everything is qmail's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Path below the home of qmail; empty for the home itself.
    pub(crate) path: &'static str,
    /// What it is.
    pub(crate) what: What,
    /// Whether it is a directory with parts.
    pub(crate) division: Division,
    /// Whose it is.
    pub(crate) owner: Role,
    /// Its mode, set-id bits included.
    pub(crate) mode: u32,
}

/// Whether a directory has one of the same owner and mode for each part of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Division {
    /// It has none, or is no directory.
    None,
    /// It has.
    Always,
    /// In a queue with hashed envelopes only.
    IfHashed,
}

use Division::{Always, IfHashed};
use Role::{Alias, Owner, Queue, Remote, Send};
use What::{Boot, Directory, Fifo, ForwardingBoot, Ids, Program, Sample, Zeros};

pub(crate) const fn row(path: &'static str, what: What, owner: Role, mode: u32) -> Row {
    Row { path, what, division: Division::None, owner, mode }
}

const fn divided(path: &'static str, division: Division, owner: Role, mode: u32) -> Row {
    Row { path, what: Directory, division, owner, mode }
}

const MAIL_LOCAL: &str =
    r#"|preline -f /usr/libexec/mail.local -r "${SENDER:-MAILER-DAEMON}" -d "$USER""#;
const BIN_MAIL: &str = r#"|preline -f /bin/mail -r "${SENDER:-MAILER-DAEMON}" -d "$USER""#;
const OLD_BIN_MAIL: &str = r#"|preline -f /bin/mail -f "${SENDER:-MAILER-DAEMON}" -d "$USER""#;

/// Programs that stay where they were built, or where a package has its own: those that set a tree
/// up, where netqmail leaves them, too. In `bin`, `hostname` would come before the system's own for
/// everybody's delivery commands.
pub(crate) const BESIDE: [&str; 12] = [
    "config",
    "config-fast",
    "dnsfq",
    "dnsip",
    "dnsmxip",
    "dnsptr",
    "dnstxt",
    "hostname",
    "install",
    "ipmeprint",
    "qmail-setup",
    "qmail-upq",
];

/// Everything, in the order in which it can be made.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter().chain(crate::services::TABLE).chain(crate::texts::TABLE)
}

/// A directory comes before what is in it; `mess` is the last of the split ones, since programs
/// count its parts: until it is there, there is no queue.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    row("",                     Directory,     Owner,  0o0755),
    row("alias",                Directory,     Alias,  0o2755),
    row("bin",                  Directory,     Owner,  0o0755),
    row("boot",                 Directory,     Owner,  0o0755),
    row("control",              Directory,     Owner,  0o0755),
    // Keys that sign mail: of no use to anybody but who signs.
    row("control/domainkeys",   Directory,     Remote, 0o0700),
    row("doc",                  Directory,     Owner,  0o0755),
    row("doc/samples",          Directory,     Owner,  0o0755),
    row("man",                  Directory,     Owner,  0o0755),
    row("man/cat1",             Directory,     Owner,  0o0755),
    row("man/cat5",             Directory,     Owner,  0o0755),
    row("man/cat7",             Directory,     Owner,  0o0755),
    row("man/cat8",             Directory,     Owner,  0o0755),
    row("man/man1",             Directory,     Owner,  0o0755),
    row("man/man5",             Directory,     Owner,  0o0755),
    row("man/man7",             Directory,     Owner,  0o0755),
    row("man/man8",             Directory,     Owner,  0o0755),
    row("users",                Directory,     Owner,  0o0755),

    row("users/ids",            Ids,           Owner,  0o0644),

    row("queue",                Directory,     Queue,  0o0750),
    row("queue/lock",           Directory,     Queue,  0o0750),
    row("queue/pid",            Directory,     Queue,  0o0700),
    row("queue/bounce",         Directory,     Send,   0o0700),
    divided("queue/intd",           IfHashed, Queue,  0o0700),
    divided("queue/todo",           IfHashed, Queue,  0o0750),
    divided("queue/info",           Always,   Send,   0o0700),
    divided("queue/local",          Always,   Send,   0o0700),
    divided("queue/remote",         Always,   Send,   0o0700),
    divided("queue/mess",           Always,   Queue,  0o0750),
    row("queue/lock/sendmutex", Zeros(0),      Send,   0o0600),
    row("queue/lock/tcpto",     Zeros(1024),   Remote, 0o0644),
    row("queue/lock/trigger",   Fifo,          Send,   0o0622),

    // The only set-id program.
    row("bin/qmail-queue",      Program,       Queue,  0o4711),
    // They run as root, and only root has any use for them.
    row("bin/checkpassword",    Program,       Owner,  0o0700),
    row("bin/cmd5checkpw",      Program,       Owner,  0o0700),
    row("bin/qmail-lspawn",     Program,       Owner,  0o0700),
    row("bin/qmail-newcert",    Program,       Owner,  0o0700),
    row("bin/qmail-newmrh",     Program,       Owner,  0o0700),
    row("bin/qmail-newu",       Program,       Owner,  0o0700),
    row("bin/qmail-qhandle",    Program,       Owner,  0o0700),
    row("bin/qmail-qrepair",    Program,       Owner,  0o0700),
    row("bin/qmail-start",      Program,       Owner,  0o0700),
    // They run as one of qmail's accounts, or belong to root's work: nobody else may read them, so
    // nobody may trace them.
    row("bin/qmail-clean",      Program,       Owner,  0o0711),
    row("bin/qmail-dkim",       Program,       Owner,  0o0711),
    row("bin/qmail-dkim-remote", Program,      Owner,  0o0711),
    row("bin/qmail-getpw",      Program,       Owner,  0o0711),
    row("bin/qmail-local",      Program,       Owner,  0o0711),
    row("bin/qmail-popup",      Program,       Owner,  0o0711),
    row("bin/qmail-pw2u",       Program,       Owner,  0o0711),
    row("bin/qmail-remote",     Program,       Owner,  0o0711),
    row("bin/qmail-rspawn",     Program,       Owner,  0o0711),
    row("bin/qmail-send",       Program,       Owner,  0o0711),
    row("bin/qmail-tlsrelay",   Program,       Owner,  0o0711),
    row("bin/qmail-todo",       Program,       Owner,  0o0711),
    row("bin/splogger",         Program,       Owner,  0o0711),
    // For everybody.
    row("bin/dknewkey",         Program,       Owner,  0o0755),
    row("bin/qmail-inject",     Program,       Owner,  0o0755),
    row("bin/qmail-pop3d",      Program,       Owner,  0o0755),
    row("bin/qmail-qmqpc",      Program,       Owner,  0o0755),
    row("bin/qmail-qmqpd",      Program,       Owner,  0o0755),
    row("bin/qmail-qmtpd",      Program,       Owner,  0o0755),
    row("bin/qmail-qread",      Program,       Owner,  0o0755),
    row("bin/qmail-qstat",      Program,       Owner,  0o0755),
    row("bin/qmail-showctl",    Program,       Owner,  0o0755),
    row("bin/qmail-smtpd",      Program,       Owner,  0o0755),
    row("bin/qmail-tcpok",      Program,       Owner,  0o0755),
    row("bin/qmail-tcpto",      Program,       Owner,  0o0755),
    row("bin/pido",             Program,       Owner,  0o0755),
    row("bin/sendmail",         Program,       Owner,  0o0755),
    row("bin/qmail-tcpserver",  Program,       Owner,  0o0755),
    row("bin/tcp-env",          Program,       Owner,  0o0755),
    row("bin/tcp-name",         Program,       Owner,  0o0755),
    // What qmail-smtpd may run.
    row("bin/authlogger",      Program,       Owner,  0o0755),
    row("bin/authrequired",    Program,       Owner,  0o0755),
    row("bin/hi-q",            Program,       Owner,  0o0755),
    row("bin/ifauthskip",      Program,       Owner,  0o0755),
    row("bin/qhpsi",           Program,       Owner,  0o0755),
    row("bin/qmail-chkuser",   Program,       Owner,  0o0755),
    row("bin/qmail-newlist",   Program,       Owner,  0o0755),
    row("bin/qmail-qfilter",   Program,       Owner,  0o0755),
    row("bin/rblspp",          Program,       Owner,  0o0755),
    row("bin/spam-zones",      Program,       Owner,  0o0755),
    row("bin/virus-check",     Program,       Owner,  0o0755),
    // For everybody's mailbox and .qmail files.
    row("bin/bouncesaying",     Program,       Owner,  0o0755),
    row("bin/condredirect",     Program,       Owner,  0o0755),
    row("bin/datemail",         Program,       Owner,  0o0755),
    row("bin/elq",              Program,       Owner,  0o0755),
    row("bin/except",           Program,       Owner,  0o0755),
    row("bin/forward",          Program,       Owner,  0o0755),
    row("bin/maildir2mbox",     Program,       Owner,  0o0755),
    row("bin/maildirmake",      Program,       Owner,  0o0755),
    row("bin/maildirwatch",     Program,       Owner,  0o0755),
    row("bin/mailsubj",         Program,       Owner,  0o0755),
    row("bin/pinq",             Program,       Owner,  0o0755),
    row("bin/predate",          Program,       Owner,  0o0755),
    row("bin/preline",          Program,       Owner,  0o0755),
    row("bin/qail",             Program,       Owner,  0o0755),
    row("bin/qbiff",            Program,       Owner,  0o0755),
    row("bin/qreceipt",         Program,       Owner,  0o0755),
    row("bin/qsmhook",          Program,       Owner,  0o0755),
    row("bin/deliverquota",     Program,       Owner,  0o0755),
    // In nobody's PATH, and in the place of no program of vpopmail: see docs/vpopmail.md.
    row("vpopmail",             Directory,     Owner,  0o0755),
    row("vpopmail/vchkpw",      Program,       Owner,  0o0700),
    row("vpopmail/vdelivermail", Program,      Owner,  0o0755),

    row("boot/home",            Boot("./Mailbox"),                     Owner, 0o0755),
    row("boot/home+df",         ForwardingBoot("./Mailbox"),           Owner, 0o0755),
    row("boot/proc",            Boot("|preline procmail"),             Owner, 0o0755),
    row("boot/proc+df",         ForwardingBoot("|preline procmail"),   Owner, 0o0755),
    row("boot/binm1",           Boot(MAIL_LOCAL),                      Owner, 0o0755),
    row("boot/binm1+df",        ForwardingBoot(MAIL_LOCAL),            Owner, 0o0755),
    row("boot/binm2",           Boot(BIN_MAIL),                        Owner, 0o0755),
    row("boot/binm2+df",        ForwardingBoot(BIN_MAIL),              Owner, 0o0755),
    row("boot/binm3",           Boot(OLD_BIN_MAIL),                    Owner, 0o0755),
    row("boot/binm3+df",        ForwardingBoot(OLD_BIN_MAIL),          Owner, 0o0755),

    // For the administrator to copy.
    row("doc/samples/qmail-smtpd-rblsmtpd", Sample(include_str!("../samples/qmail-smtpd-rblsmtpd")), Owner, 0o0755),
    row("doc/samples/smtpplugins", Sample(include_str!("../samples/smtpplugins")), Owner, 0o0644),
    row("doc/samples/stunnel-pop3s.conf", Sample(include_str!("../samples/stunnel-pop3s.conf")), Owner, 0o0644),
    row("doc/samples/stunnel-smtps.conf", Sample(include_str!("../samples/stunnel-smtps.conf")), Owner, 0o0644),
    row("doc/samples/tcp.qmqp", Sample(include_str!("../samples/tcp.qmqp")), Owner, 0o0644),
    row("doc/samples/tcp.smtp", Sample(include_str!("../samples/tcp.smtp")), Owner, 0o0644),
];

/// The path of each part of a split directory.
pub(crate) fn parts(path: &str, split: u64) -> impl Iterator<Item = String> {
    (0..split).map(move |part| format!("{path}/{part}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_directory_comes_before_what_is_in_it_and_nothing_comes_twice() {
        let mut seen = HashSet::new();
        for row in rows() {
            let parent = row.path.rsplit_once('/').map_or("", |(parent, _)| parent);
            assert!(row.path.is_empty() || seen.contains(parent), "{}", row.path);
            assert!(seen.insert(row.path), "{}", row.path);
        }
    }

    #[test]
    fn qmail_queue_is_the_only_set_id_program() {
        let is_set_id = |row: &&Row| row.what == What::Program && row.mode & 0o6000 != 0;
        let set_id: Vec<_> = rows().filter(is_set_id).map(|row| row.path).collect();
        assert_eq!(set_id, ["bin/qmail-queue"]);
    }

    #[test]
    fn programs_are_roots_except_where_they_are_set_id() {
        for row in rows().filter(|row| row.what == What::Program) {
            assert_eq!(row.owner == Queue, row.mode & 0o4000 != 0, "{}", row.path);
        }
    }
}
