//! The control files.

use std::path::Path;
use std::time::Duration;

use qmail_core::control::{Controls, HELOHOST, Map, SMTPROUTES, TIMEOUTCONNECT, TIMEOUTREMOTE};

/// What the control files say.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) greeting_name: Vec<u8>,
    pub(crate) connect_timeout: Duration,
    /// For each read and each write.
    pub(crate) transfer_timeout: Duration,
    pub(crate) routes: Map,
}

/// A file cannot be read, or `helohost` and `me` are both missing.
#[derive(Debug)]
pub(crate) struct Unreadable;

impl Settings {
    pub(crate) fn read(home: &Path) -> Result<Self, Unreadable> {
        let controls = Controls::open(home).map_err(|_| Unreadable)?;
        let seconds = |control| controls.number(control).map(timeout).map_err(|_| Unreadable);
        Ok(Self {
            connect_timeout: seconds(&TIMEOUTCONNECT)?,
            transfer_timeout: seconds(&TIMEOUTREMOTE)?,
            greeting_name: controls.line(&HELOHOST).ok().flatten().ok_or(Unreadable)?,
            routes: controls.map(&SMTPROUTES).map_err(|_| Unreadable)?,
        })
    }
}

/// Never 0, which for a socket means for ever, and no more than the system can count.
fn timeout(seconds: u64) -> Duration {
    Duration::from_secs(seconds.clamp(1, u64::from(u32::MAX) / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_is_at_least_a_second() {
        assert_eq!(timeout(0), Duration::from_secs(1));
        assert_eq!(timeout(60), Duration::from_secs(60));
        assert_eq!(timeout(u64::MAX), Duration::from_secs(2_147_483_647));
    }
}
