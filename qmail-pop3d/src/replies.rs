//! Everything that is always said in the same words.

/// Done. The blank has always been there.
pub(crate) const OK: &str = "+OK ";

/// There is no such directory, or nobody said which.
pub(crate) const NO_MAILDIR: &str = "-ERR this user has no $HOME/Maildir";
/// The maildir lacks `new` or `cur`, or they cannot be read.
pub(crate) const NO_SCAN: &str = "-ERR unable to scan $HOME/Maildir";
/// A command that we do not know.
pub(crate) const UNIMPLEMENTED: &str = "-ERR unimplemented";
/// A number is missing, or a line is too long.
pub(crate) const SYNTAX: &str = "-ERR syntax error";
/// The first message is 1.
pub(crate) const FROM_ONE: &str = "-ERR messages are counted from 1";
/// There is no message of this number.
pub(crate) const NO_SUCH: &str = "-ERR not that many messages";
/// It has been marked.
pub(crate) const DELETED: &str = "-ERR already deleted";
/// It is gone, or not ours to read.
pub(crate) const NOT_OPENED: &str = "-ERR unable to open that message";
/// Some messages are still there.
pub(crate) const NOT_UNLINKED: &str = "-ERR unable to unlink all deleted messages";
/// What can be done after a login: RFC 2449.
pub(crate) const CAPABILITIES: &str =
    "+OK Capability list follows\r\nTOP\r\nUIDL\r\nLAST\r\nPIPELINING\r\nEXPIRE NEVER\r\n.";
