//! Everything that is always said in the same words. Log readers and mailing lists know them.

use qmail_wire::smtp_server::Reply;

/// To HELP.
pub const HELP: Reply = Reply::new(214, "netqmail home page: http://qmail.org/netqmail");
/// To MAIL, RCPT and NOOP.
pub const OK: Reply = Reply::new(250, "ok");
/// To RSET.
pub const FLUSHED: Reply = Reply::new(250, "flushed");
/// To VRFY.
pub const VERIFY: Reply = Reply::new(252, "send some mail, i'll try my best");
/// To DATA.
pub const GO_AHEAD: Reply = Reply::new(354, "go ahead");

/// And the connection ends.
pub const UNREADABLE_CONTROLS: Reply = Reply::new(421, "unable to read controls (#4.3.0)");
/// And the connection ends.
pub const UNKNOWN_ADDRESSES: Reply =
    Reply::new(421, "unable to figure out my IP addresses (#4.3.0)");
/// And the connection ends.
pub const TIMEOUT: Reply = Reply::new(451, "timeout (#4.4.2)");
/// And the connection ends.
pub const BARE_LINE_END: Reply = Reply::new(451, "See https://cr.yp.to/docs/smtplf.html.");

/// No queue program could be started.
pub const NO_QUEUE: Reply = Reply::new(451, "qqt failure (#4.3.0)");
/// The rest may be sent in another transaction: RFC 5321 §4.5.3.1.10.
pub const TOO_MANY_RECIPIENTS: Reply = Reply::new(452, "too many recipients (#4.5.3)");

/// To a line that is longer than anything useful.
pub const LINE_TOO_LONG: Reply = Reply::new(500, "line too long (#5.5.2)");
/// To a command that we do not know.
pub const UNIMPLEMENTED: Reply = Reply::new(502, "unimplemented (#5.5.1)");
/// To RCPT and DATA.
pub const WANT_MAIL: Reply = Reply::new(503, "MAIL first (#5.5.1)");
/// To DATA.
pub const WANT_RCPT: Reply = Reply::new(503, "RCPT first (#5.5.1)");
/// To MAIL and RCPT.
pub const SYNTAX: Reply = Reply::new(555, "syntax error (#5.5.4)");

/// To a message that is too large.
pub const TOO_LARGE: Reply =
    Reply::new(552, "sorry, that message size exceeds my databytes limit (#5.3.4)");
/// To RCPT.
pub const BAD_SENDER: Reply =
    Reply::new(553, "sorry, your envelope sender is in my badmailfrom list (#5.7.1)");
/// To RCPT.
pub const NOT_OURS: Reply =
    Reply::new(553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)");
/// To a message that has been through too many hosts.
pub const LOOPING: Reply = Reply::new(554, "too many hops, this message is looping (#5.4.6)");
