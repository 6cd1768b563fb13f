//! What a command was given: words and variables, as bytes.

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::failure::Failure;

/// The words behind the program's name.
pub fn words() -> Vec<OsString> {
    env::args_os().skip(1).collect()
}

/// A variable; one that is empty is there all the same.
pub fn variable(name: &str) -> Option<Vec<u8>> {
    env::var_os(name).map(OsStringExt::into_vec)
}

/// A variable that whoever calls us must set.
pub fn required(name: &str) -> Result<Vec<u8>, Failure> {
    variable(name).ok_or_else(|| Failure::Permanent(not_set(name)))
}

/// As [`required`], for what a user has forgotten and can mend.
pub fn wanted(name: &str) -> Result<Vec<u8>, Failure> {
    variable(name).ok_or_else(|| Failure::Temporary(not_set(name)))
}

fn not_set(name: &str) -> Vec<u8> {
    [name.as_bytes(), b" not set"].concat()
}
