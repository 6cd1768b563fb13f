//! What a program was given at its start, and what it makes of that.

use std::io;
use std::os::unix::ffi::OsStrExt;

use crate::exec::Change;
use crate::fork;

/// Whether the kernel raised our privileges at exec (a set-id program run by somebody else).
///
/// Such a program must not believe its environment: see getauxval(3), `AT_SECURE`.
pub fn secure_execution() -> bool {
    // SAFETY: getauxval reads a table that the kernel filled before main and touches nothing else.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Changes our environment.
///
/// # Errors
/// `InvalidInput` for what is no name or no value; `Other` if this process has more than one thread.
pub(crate) fn change(changes: &[Change]) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    fork::alone()?;
    for (name, value) in changes {
        let strings = [Some(name), value.as_ref()];
        let has_nul = strings.iter().flatten().any(|string| string.as_bytes().contains(&0));
        if has_nul || name.is_empty() || name.as_bytes().contains(&b'=') {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        match value {
            // SAFETY: nobody reads the environment meanwhile, for there is no other thread.
            Some(value) => unsafe { std::env::set_var(name, value) },
            // SAFETY: as above.
            None => unsafe { std::env::remove_var(name) },
        }
    }
    Ok(())
}
