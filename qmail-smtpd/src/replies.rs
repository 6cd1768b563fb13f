//! Everything that is always said in the same words. Log readers and mailing lists know them.

use qmail_wire::smtp_server::Reply;

/// To HELP.
pub(crate) const HELP: Reply = Reply::new(214, "netqmail home page: http://qmail.org/netqmail");
/// To MAIL, RCPT and NOOP.
pub(crate) const OK: Reply = Reply::new(250, "ok");
/// To RSET.
pub(crate) const FLUSHED: Reply = Reply::new(250, "flushed");
/// To VRFY.
pub(crate) const VERIFY: Reply = Reply::new(252, "send some mail, i'll try my best");
/// To DATA.
pub(crate) const GO_AHEAD: Reply = Reply::new(354, "go ahead");

/// And the connection ends.
pub(crate) const UNREADABLE_CONTROLS: Reply = Reply::new(421, "unable to read controls (#4.3.0)");
/// And the connection ends.
pub(crate) const UNKNOWN_ADDRESSES: Reply =
    Reply::new(421, "unable to figure out my IP addresses (#4.3.0)");
/// And the connection ends.
pub(crate) const TIMEOUT: Reply = Reply::new(451, "timeout (#4.4.2)");
/// And the connection ends.
pub(crate) const BARE_LINE_END: Reply = Reply::new(451, "See https://cr.yp.to/docs/smtplf.html.");

/// No queue program could be started.
pub(crate) const NO_QUEUE: Reply = Reply::new(451, "qqt failure (#4.3.0)");
/// The rest may be sent in another transaction: RFC 5321 §4.5.3.1.10.
pub(crate) const TOO_MANY_RECIPIENTS: Reply = Reply::new(452, "too many recipients (#4.5.3)");

/// To a line that is longer than anything useful.
pub(crate) const LINE_TOO_LONG: Reply = Reply::new(500, "line too long (#5.5.2)");
/// To a command that we do not know.
pub(crate) const UNIMPLEMENTED: Reply = Reply::new(502, "unimplemented (#5.5.1)");
/// To RCPT and DATA.
pub(crate) const WANT_MAIL: Reply = Reply::new(503, "MAIL first (#5.5.1)");
/// To DATA.
pub(crate) const WANT_RCPT: Reply = Reply::new(503, "RCPT first (#5.5.1)");
/// To MAIL and RCPT.
pub(crate) const SYNTAX: Reply = Reply::new(555, "syntax error (#5.5.4)");

/// To a message that is too large.
pub(crate) const TOO_LARGE: Reply =
    Reply::new(552, "sorry, that message size exceeds my databytes limit (#5.3.4)");
/// To RCPT.
pub(crate) const BAD_SENDER: Reply =
    Reply::new(553, "sorry, your envelope sender is in my badmailfrom list (#5.7.1)");
/// To RCPT.
pub(crate) const NOT_OURS: Reply =
    Reply::new(553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)");
/// To a message that has been through too many hosts.
pub(crate) const LOOPING: Reply =
    Reply::new(554, "too many hops, this message is looping (#5.4.6)");
/// To RCPT.
pub(crate) const DENIED_HELO: Reply =
    Reply::new(553, "sorry, your HELO host name has been denied (#5.7.1)");
/// To RCPT.
pub(crate) const DENIED_SENDER: Reply =
    Reply::new(553, "sorry, your envelope sender has been denied (#5.7.1)");
/// To RCPT.
pub(crate) const DENIED_RECIPIENT: Reply =
    Reply::new(553, "sorry, your envelope recipient has been denied (#5.7.1)");
/// To RCPT.
pub(crate) const INVALID_HELO: Reply =
    Reply::new(550, "sorry, invalid HELO/EHLO greeting (#5.7.1)");
/// To RCPT.
pub(crate) const BAD_RECIPIENT: Reply =
    Reply::new(550, "sorry, your envelope recipient is in my badrcptto list (#5.7.1)");
/// To MAIL and RCPT, where a name server did not help.
pub(crate) const DNS_FAILURE: Reply = Reply::new(451, "DNS temporary failure (#4.3.0)");
/// To MAIL.
pub(crate) const NO_SENDER_DOMAIN: Reply =
    Reply::new(553, "sorry, your envelope sender domain must exist (#5.7.1)");
/// To MAIL.
pub(crate) const INVALID_SENDER: Reply =
    Reply::new(553, "sorry, invalid sender address specified (#5.7.1)");
/// To MAIL; and the connection ends.
pub(crate) const NO_NULL_SENDERS: Reply =
    Reply::new(421, "null senders temporarily denied (#4.3.0)");
/// To DATA.
pub(crate) const ONE_RECIPIENT_OF_BOUNCES: Reply =
    Reply::new(550, "sorry, bounce messages should have a single envelope recipient (#5.7.1)");
/// To RCPT.
pub(crate) const RELAY_PROBE: Reply = Reply::new(553, "we don't relay (#5.7.1)");
/// To RCPT, where a limit was set.
pub(crate) const RECIPIENT_LIMIT: Reply = Reply::new(452, "sorry, too many recipients (#4.5.3)");
/// To RCPT; and the connection ends.
pub(crate) const TOO_MANY_INVALID: Reply =
    Reply::new(421, "too many invalid addresses, goodbye (#4.3.0)");
/// To RCPT.
pub(crate) const NO_MAILBOX: Reply =
    Reply::new(550, "sorry, no mailbox here by that name (#5.1.1)");
/// To whoever speaks before he is greeted; and the connection ends.
pub(crate) const EARLY_TALKER: Reply = Reply::new(554, "SMTP protocol violation");
/// To a message.
pub(crate) const EXECUTABLE: Reply =
    Reply::new(552, "we don't accept email with such content (#5.3.4)");
/// To a message: spamcontrol's lists of what executables look like.
pub(crate) const INVALID_CONTENT: Reply =
    Reply::new(554, "sorry, invalid message content (#5.3.2)");
/// To a message that a queue program refuses, a virus scanner for one.
pub(crate) const REJECTED: Reply =
    Reply::new(554, "mail server permanently rejected message (#5.3.0)");
/// To a command that we do not know, if asked to say so.
pub(crate) const UNRECOGNISED: Reply = Reply::new(500, "unrecognised (#5.5.2)");
/// To RCPT, where a program says so.
pub(crate) const NO_RECIPIENT: Reply =
    Reply::new(553, "sorry, no mailbox here by that name. (#5.1.1)");
/// To RCPT; and the connection ends.
pub(crate) const UNVERIFIED: Reply = Reply::new(421, "unable to verify recipient (#4.3.0)");
/// To RCPT; and the connection ends.
pub(crate) const NO_RECIPIENT_CHECK: Reply =
    Reply::new(421, "unable to execute recipient check (#4.3.0)");
/// To RCPT; and the connection ends.
pub(crate) const NO_FORK: Reply = Reply::new(421, "unable to fork (#4.3.0)");
/// To RCPT; and the connection ends.
pub(crate) const OVER_LIMIT: Reply =
    Reply::new(421, "you have exceeded your messaging limits (#4.3.0)");
/// To RCPT, where what a program wants us to say cannot be said.
pub(crate) const TEMPORARY_PROBLEM: Reply = Reply::new(451, "temporary problem (#4.4.2)");
/// To RCPT: spamcontrol's `recipients`.
pub(crate) const NO_MAILBOX_BY_NAME: Reply =
    Reply::new(550, "sorry, no mailbox by that name (#5.7.1)");
/// The same, if `RECIPIENTS450` is set.
pub(crate) const MAILBOX_UNAVAILABLE: Reply =
    Reply::new(450, "sorry, mailbox currently unavailable (#4.2.1)");
/// To RCPT; and the connection ends.
pub(crate) const UNCHECKED_RECIPIENTS: Reply =
    Reply::new(421, "unable to check recipients (#4.3.0)");
/// Where a plug-in refuses without a word.
pub(crate) const PLUGIN_SILENT: Reply = Reply::new(451, "temporary failure (#4.3.0)");
/// To HELP, if asked to say more.
pub(crate) const LONG_HELP: Reply = Reply::new(
    214,
    concat!(
        "qmail-rs ",
        env!("CARGO_PKG_VERSION"),
        "\nHELO EHLO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT",
        "\nnetqmail home page: http://qmail.org/netqmail"
    ),
);
/// To RCPT: chkuser.
pub(crate) const CHKUSER_NO_MAILBOX: Reply =
    Reply::new(550, "5.1.1 sorry, no mailbox here by that name (chkuser)");
/// To RCPT: chkuser, for one who has tried too many names.
pub(crate) const CHKUSER_THRESHOLD: Reply =
    Reply::new(550, "5.7.1 sorry, you are violating our security policies (chkuser)");
/// To RCPT: chkuser, where the look-up failed.
pub(crate) const CHKUSER_LATER: Reply =
    Reply::new(451, "4.3.0 system temporary unavailable, try again later (chkuser)");
/// To RCPT: chkuser, for a mailbox that is full. Later there may be room, but not soon.
pub(crate) const CHKUSER_FULL: Reply =
    Reply::new(552, "5.2.2 sorry, recipient mailbox is full (chkuser)");
/// To RCPT: chkuser, for the one too many.
pub(crate) const CHKUSER_MAXIMUM: Reply = Reply::new(
    550,
    "5.5.3 sorry, reached maximum number of recipients allowed in one session (chkuser)",
);
/// To RCPT: chkuser.
pub(crate) const CHKUSER_NO_DOMAIN: Reply =
    Reply::new(550, "5.1.2 sorry, you must specify a domain (chkuser)");
/// To RCPT: chkuser.
pub(crate) const CHKUSER_BAD_RECIPIENT: Reply =
    Reply::new(553, "5.1.3 sorry, rcpt syntax not allowed (chkuser)");
/// To RCPT: chkuser.
pub(crate) const CHKUSER_NO_RECIPIENT_MX: Reply =
    Reply::new(550, "5.1.2 sorry, can't find a valid MX for rcpt domain (chkuser)");
/// To MAIL: chkuser.
pub(crate) const CHKUSER_BAD_SENDER: Reply =
    Reply::new(553, "5.1.7 sorry, sender syntax not allowed (chkuser)");
/// To MAIL: chkuser.
pub(crate) const CHKUSER_NO_SENDER_MX: Reply =
    Reply::new(550, "5.1.8 sorry, can't find a valid MX for sender domain (chkuser)");
/// To MAIL and RCPT: chkuser, where a name server did not help.
pub(crate) const CHKUSER_DNS_FAILURE: Reply =
    Reply::new(451, "4.4.0 DNS temporary failure (chkuser)");
/// To MAIL: chkuser.
pub(crate) const CHKUSER_MUST_AUTHENTICATE: Reply =
    Reply::new(530, "5.7.0 Authentication required (chkuser)");
