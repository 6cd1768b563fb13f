//! How far this host's clock on the wall is from UTC.

use std::mem::MaybeUninit;

/// Seconds that local time is ahead of UTC at `unix_seconds`, as `$TZ` or `/etc/localtime` say;
/// 0 if nobody can tell.
pub fn local_offset(unix_seconds: u64) -> i64 {
    let Ok(time) = unix_seconds.try_into() else { return 0 };
    let mut broken_down = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: localtime_r reads one number and writes one `tm`, both of which we own.
    let result = unsafe { libc::localtime_r(&raw const time, broken_down.as_mut_ptr()) };
    if result.is_null() {
        return 0;
    }
    // SAFETY: it was zeroed, which is a valid `tm`, and then filled.
    let broken_down = unsafe { broken_down.assume_init() };
    #[allow(clippy::useless_conversion, reason = "c_long is 32 bits wide on some platforms")]
    i64::from(broken_down.tm_gmtoff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_is_more_than_a_day_from_utc() {
        assert!(local_offset(1_767_323_045).abs() < 86_400);
        assert_eq!(local_offset(u64::MAX), 0);
    }
}
