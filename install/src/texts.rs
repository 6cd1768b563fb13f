//! What people read: the manual, and the documents of this release. Their text is part of this
//! program, so that it can be used without the directory that it was built in.

use qmail_core::accounts::Role::Owner;

use crate::layout::{Kind, Row, row};

/// A page of the manual.
macro_rules! page {
    ($name:literal) => {
        text!(concat!("man/", $name), concat!("../../docs/man/", $name))
    };
}

/// A file: its place in the tree, and the one that it is a copy of.
macro_rules! text {
    ($path:expr, $source:expr) => {
        row($path, Kind::Text(include_str!($source)), Owner, 0o0644)
    };
}

/// The rows of these files. There are no formatted pages: today's readers format them.
pub(crate) const TABLE: &[Row] = &[
    text!("doc/ARCHITECTURE.md", "../../docs/ARCHITECTURE.md"),
    text!("doc/CHANGELOG.md", "../../CHANGELOG.md"),
    text!("doc/COMPATIBILITY.md", "../../docs/COMPATIBILITY.md"),
    text!("doc/LICENSE-APACHE", "../../LICENSE-APACHE"),
    text!("doc/LICENSE-MIT", "../../LICENSE-MIT"),
    text!("doc/QUIRKS.md", "../../docs/QUIRKS.md"),
    text!("doc/README.md", "../../README.md"),
    text!("doc/SECURITY.md", "../../SECURITY.md"),
    text!("doc/dkim.md", "../../docs/dkim.md"),
    text!("doc/fuzzing.md", "../../docs/fuzzing.md"),
    text!("doc/operations.md", "../../docs/operations.md"),
    text!("doc/performance.md", "../../docs/performance.md"),
    text!("doc/pop3.md", "../../docs/pop3.md"),
    text!("doc/remote-failures.md", "../../docs/remote-failures.md"),
    text!("doc/remote.md", "../../docs/remote.md"),
    text!("doc/smtpd.md", "../../docs/smtpd.md"),
    text!("doc/takeover.md", "../../docs/takeover.md"),
    text!("doc/tls.md", "../../docs/tls.md"),
    page!("man1/bouncesaying.1"),
    page!("man1/condredirect.1"),
    page!("man1/datemail.1"),
    page!("man1/dnsip.1"),
    page!("man1/elq.1"),
    page!("man1/except.1"),
    page!("man1/forward.1"),
    page!("man1/maildir2mbox.1"),
    page!("man1/maildirmake.1"),
    page!("man1/maildirwatch.1"),
    page!("man1/mailsubj.1"),
    page!("man1/predate.1"),
    page!("man1/preline.1"),
    page!("man1/qbiff.1"),
    page!("man1/qreceipt.1"),
    page!("man1/qsmhook.1"),
    page!("man1/tcp-env.1"),
    page!("man5/addresses.5"),
    page!("man5/dot-qmail.5"),
    page!("man5/envelopes.5"),
    page!("man5/maildir.5"),
    page!("man5/mbox.5"),
    page!("man5/qmail-control.5"),
    page!("man5/qmail-header.5"),
    page!("man5/qmail-log.5"),
    page!("man5/qmail-users.5"),
    page!("man5/tcp-environ.5"),
    page!("man7/forgeries.7"),
    page!("man7/qmail-limits.7"),
    page!("man7/qmail.7"),
    page!("man8/authrequired.8"),
    page!("man8/checkpassword.8"),
    page!("man8/cmd5checkpw.8"),
    page!("man8/config.8"),
    page!("man8/dknewkey.8"),
    page!("man8/hi-q.8"),
    page!("man8/install.8"),
    page!("man8/pido.8"),
    page!("man8/qhpsi.8"),
    page!("man8/qmail-chkuser.8"),
    page!("man8/qmail-clean.8"),
    page!("man8/qmail-command.8"),
    page!("man8/qmail-dkim-remote.8"),
    page!("man8/qmail-dkim.8"),
    page!("man8/qmail-getpw.8"),
    page!("man8/qmail-inject.8"),
    page!("man8/qmail-local.8"),
    page!("man8/qmail-lspawn.8"),
    page!("man8/qmail-newcert.8"),
    page!("man8/qmail-newlist.8"),
    page!("man8/qmail-newmrh.8"),
    page!("man8/qmail-newu.8"),
    page!("man8/qmail-pop3d.8"),
    page!("man8/qmail-popup.8"),
    page!("man8/qmail-pw2u.8"),
    page!("man8/qmail-qfilter.8"),
    page!("man8/qmail-qhandle.8"),
    page!("man8/qmail-qmqpc.8"),
    page!("man8/qmail-qmqpd.8"),
    page!("man8/qmail-qmtpd.8"),
    page!("man8/qmail-qread.8"),
    page!("man8/qmail-qrepair.8"),
    page!("man8/qmail-qstat.8"),
    page!("man8/qmail-queue.8"),
    page!("man8/qmail-remote.8"),
    page!("man8/qmail-rspawn.8"),
    page!("man8/qmail-send.8"),
    page!("man8/qmail-setup.8"),
    page!("man8/qmail-showctl.8"),
    page!("man8/qmail-smtpd.8"),
    page!("man8/qmail-start.8"),
    page!("man8/qmail-tcpok.8"),
    page!("man8/qmail-tcpto.8"),
    page!("man8/qmail-tlsrelay.8"),
    page!("man8/qmail-todo.8"),
    page!("man8/qmail-upq.8"),
    page!("man8/qmailctl.8"),
    page!("man8/sendmail.8"),
    page!("man8/spam-zones.8"),
    page!("man8/splogger.8"),
    page!("man8/virus-check.8"),
];
