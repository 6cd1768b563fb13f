//! The date that predate writes: local time, with its distance from UTC.

use qmail_message::date::Civil;

/// The field `Date`, with LF, for a moment and a place that is so many seconds ahead of UTC.
pub fn date_line(unix_seconds: u64, offset: i64) -> String {
    let at = Civil::from_unix(unix_seconds.saturating_add_signed(offset));
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = (offset.unsigned_abs() + 30) / 60;
    let (day, month, year) = (at.day, at.month_name(), at.year);
    let (hour, minute, second) = (at.hour, at.minute, at.second);
    let (zone_hours, zone_minutes) = (minutes / 60, minutes % 60);
    format!(
        "Date: {day} {month} {year} {hour:02}:{minute:02}:{second:02} \
         {sign}{zone_hours:02}{zone_minutes:02}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: u64 = 1_767_323_045; // 2026-01-02 03:04:05 UTC

    #[test]
    fn zones_have_hours_and_minutes_and_a_sign() {
        assert_eq!(date_line(AT, 0), "Date: 2 Jan 2026 03:04:05 +0000\n");
        assert_eq!(date_line(AT, 19_800), "Date: 2 Jan 2026 08:34:05 +0530\n");
        assert_eq!(date_line(AT, -5 * 3600), "Date: 1 Jan 2026 22:04:05 -0500\n");
    }

    #[test]
    fn seconds_of_a_zone_are_rounded() {
        assert!(date_line(AT, 1_172).ends_with(" +0020\n"));
        assert!(date_line(AT, -1_172).ends_with(" -0020\n"));
    }
}
