//! What the kernel says about how this program was started.

/// Whether the kernel raised our privileges at exec (a set-id program run by somebody else).
///
/// Such a program must not believe its environment: see getauxval(3), `AT_SECURE`.
pub fn secure_execution() -> bool {
    // SAFETY: getauxval reads a table that the kernel filled before main and touches nothing else.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}
