//! Everything that is said about TLS and AUTH in the same words.

use qmail_wire::smtp_server::Reply;

/// To STARTTLS.
pub(super) const READY: Reply = Reply::new(220, "ready for tls");
/// To the right password.
pub(super) const WELCOME: Reply = Reply::new(235, "ok, go ahead (#2.0.0)");

/// And the connection ends.
pub(super) const NO_CERTIFICATE: Reply = Reply::new(454, "TLS missing certificate (#4.3.0)");
/// And the connection ends.
pub(super) const BOTH_TLS: Reply = Reply::new(421, "FORCE_TLS and DENY_TLS both found (#4.3.0)");
/// And the connection ends.
pub(super) const NO_CHECKER: Reply =
    Reply::new(421, "REQUIRE_AUTH set without valid AUTH program.");
/// And the connection ends.
pub(super) const TOO_MANY_FAILURES: Reply =
    Reply::new(421, "too many authentication failures (#4.7.0)");

/// The program that checks passwords has failed.
pub(super) const CHECKER_FAILED: Reply =
    Reply::new(454, "oops, problem with child and I can't auth (#4.3.0)");
/// It cannot be started.
pub(super) const NO_CHILD: Reply =
    Reply::new(454, "oops, child won't start and I can't auth (#4.3.0)");
/// Nothing to pass the password through.
pub(super) const NO_PIPE: Reply =
    Reply::new(454, "oops, unable to open pipe and I can't auth (#4.3.0)");
/// The program does not read it.
pub(super) const NOT_WRITTEN: Reply =
    Reply::new(454, "oops, unable to write pipe and I can't auth (#4.3.0)");

/// To STARTTLS with an argument.
pub(super) const NO_PARAMETERS: Reply =
    Reply::new(501, "Syntax error (no parameters allowed) (#5.5.4)");
/// To what is not how a mechanism works.
pub(super) const MALFORMED: Reply = Reply::new(501, "malformed auth input (#5.5.4)");
/// To `*`.
pub(super) const CANCELED: Reply = Reply::new(501, "auth exchange canceled (#5.0.0)");
/// To AUTH where it is not on offer.
pub(super) const NO_AUTH: Reply = Reply::new(503, "auth not available (#5.3.3)");
/// To a second AUTH.
pub(super) const KNOWN_ALREADY: Reply = Reply::new(503, "you're already authenticated (#5.5.0)");
/// To AUTH after MAIL.
pub(super) const NOT_NOW: Reply = Reply::new(503, "no auth during mail transaction (#5.5.0)");
/// To MAIL where TLS is demanded.
pub(super) const WANT_TLS: Reply = Reply::new(503, "STARTTLS first (#5.5.1)");
/// To MAIL from somebody else.
pub(super) const OTHER_SENDER: Reply = Reply::new(503, "from and auth not the same (#5.5.1)");
/// To a mechanism that there is not.
pub(super) const NO_MECHANISM: Reply = Reply::new(504, "auth type unimplemented (#5.5.1)");
/// To MAIL where AUTH is demanded. The blank has always been there.
pub(super) const WANT_AUTH: Reply = Reply::new(530, "Authorization required (#5.7.1) ");
/// To the wrong password.
pub(super) const WRONG: Reply = Reply::new(535, "authentication failed (#5.7.1)");
/// To a mechanism that needs TLS.
pub(super) const AUTH_WANTS_TLS: Reply = Reply::new(538, "auth not available without TLS (#5.3.3)");

/// To STARTTLS, if certificates or ciphers cannot be used.
pub(super) fn not_ready(reason: &str) -> Reply {
    Reply::with_text(454, format!("TLS unable to initialize ctx: {reason} (#4.3.0)"))
}

/// After a handshake that failed, in the clear: whoever sent no TLS can read it.
pub(super) fn failed(reason: &str) -> Reply {
    Reply::with_text(454, format!("TLS connection failed: {reason} (#4.3.0)"))
}
