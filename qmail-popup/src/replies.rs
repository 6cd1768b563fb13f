//! Everything that is said.

/// Done. The blank has always been there.
pub(crate) const OK: &str = "+OK ";

/// The command line of the program itself is wrong.
pub(crate) const USAGE: &str = "-ERR usage: popup hostname subprogram";
/// An argument is missing, or a line is too long.
pub(crate) const SYNTAX: &str = "-ERR syntax error";
/// PASS comes after USER.
pub(crate) const WANT_USER: &str = "-ERR USER first";
/// Any other command.
pub(crate) const WANT_LOGIN: &str = "-ERR authorization first";
/// The subprogram says no.
pub(crate) const FAILED: &str = "-ERR authorization failed";
/// The subprogram was killed.
pub(crate) const CRASHED: &str = "-ERR aack, child crashed";
/// Nothing to pass the password through.
pub(crate) const NO_PIPE: &str = "-ERR unable to open pipe";
/// The subprogram cannot be started.
pub(crate) const NO_FORK: &str = "-ERR unable to fork";
/// The subprogram does not read the password.
pub(crate) const NOT_WRITTEN: &str = "-ERR unable to write pipe";
/// A way to log in that there is not, or not now.
pub(crate) const NO_MECHANISM: &str = "-ERR auth type unimplemented";
/// The client did not want to go on with AUTH.
pub(crate) const CANCELED: &str = "-ERR auth exchange canceled";
/// TLS begins after this.
pub(crate) const START_TLS: &str = "+OK starting TLS negotiation";
/// TLS cannot be had, or is there already.
pub(crate) const NO_TLS: &str = "-ERR STLS not available";
/// A way to log in that is taken in TLS only.
pub(crate) const WANT_TLS: &str = "-ERR TLS required but not negotiated";
