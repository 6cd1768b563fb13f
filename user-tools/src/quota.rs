//! What commands that set or keep a quota share.

use qmail_core::maildir::Names;
use qmail_core::maildir::quota::Limits;

use crate::failure::Failure;

/// A quota that somebody has typed.
///
/// # Errors
/// If it is none.
pub fn limits(text: &[u8]) -> Result<Limits, Failure> {
    let what = [b"not a quota: ", text].concat();
    Limits::parse(text).ok_or(Failure::Permanent(what))
}

/// The names that this process gives.
pub fn names() -> Names {
    Names::new(std::process::id(), &qmail_sys::host_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_quota_is_told() {
        assert!(limits(b"1MB,5C").is_ok());
        let failure = limits(b"lots").unwrap_err();
        assert_eq!(failure.line("x"), b"x: fatal: not a quota: lots\n");
    }
}
