//! What tells the type of a file that is base64: what `qmail-newlist` puts into databases, and
//! `qmail-smtpd` looks up in them.

/// As much of a line of `badmimetypes`, and of the first line of a file, counts, in bytes.
pub const MIME_TYPE: usize = 9;
/// And of a line of `badloadertypes`, anywhere in a file.
pub const LOADER_TYPE: usize = 5;
