//! How a path may be opened, where std has a flag but no name for it.

/// `O_NOFOLLOW`, for std's `custom_flags`: a symbolic link in the place of the file is an error.
pub const OPEN_NOFOLLOW: i32 = libc::O_NOFOLLOW;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::os::unix::fs::OpenOptionsExt;

    #[test]
    fn a_symbolic_link_is_not_followed() {
        let open = |flags| OpenOptions::new().read(true).custom_flags(flags).open("/proc/self/exe");
        assert!(open(0).is_ok());
        assert_eq!(open(OPEN_NOFOLLOW).unwrap_err().raw_os_error(), Some(libc::ELOOP));
    }
}
