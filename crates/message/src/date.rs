//! Dates as mail writes them, always in UTC, from seconds since 1970.

const SECONDS_PER_DAY: u64 = 86_400;
const DAYS_PER_ERA: u64 = 146_097;
/// Days from 0000-03-01, where an era of 400 years begins, to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_468;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// A moment, in the Gregorian calendar and UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year, as 2026.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    /// 0 to 23.
    pub hour: u64,
    /// 0 to 59.
    pub minute: u64,
    /// 0 to 59.
    pub second: u64,
    /// 0 for Sunday to 6 for Saturday.
    pub weekday: u64,
}

impl Civil {
    /// The calendar's name for `unix_seconds`.
    pub const fn from_unix(unix_seconds: u64) -> Self {
        let second_of_day = unix_seconds % SECONDS_PER_DAY;
        let days = unix_seconds / SECONDS_PER_DAY;
        // Years that begin in March put the leap day last, so that no month is irregular.
        let since_era_zero = days + DAYS_BEFORE_1970;
        let day_of_era = since_era_zero % DAYS_PER_ERA;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + since_era_zero / DAYS_PER_ERA * 400;
        Self {
            year: if month <= 2 { year + 1 } else { year },
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: second_of_day / 3_600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
            weekday: (days + 4) % 7,
        }
    }

    /// The month's English name, as `Jan`.
    pub fn month_name(&self) -> &'static str {
        name(&MONTHS, self.month.saturating_sub(1))
    }

    /// The weekday's English name, as `Sun`.
    fn weekday_name(&self) -> &'static str {
        name(&WEEKDAYS, self.weekday)
    }
}

fn name(names: &[&'static str], index: u64) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or("???")
}

/// As header fields have it: `2 Jan 2026 03:04:05 -0000`, the day without padding.
pub fn rfc5322(unix_seconds: u64) -> String {
    let at = Civil::from_unix(unix_seconds);
    let month = at.month_name();
    format!("{} {month} {} {:02}:{:02}:{:02} -0000", at.day, at.year, at.hour, at.minute, at.second)
}

/// As the `From ` line of an mbox has it: `Fri Jan 02 03:04:05 2026`.
pub fn mbox(unix_seconds: u64) -> String {
    let at = Civil::from_unix(unix_seconds);
    let (weekday, month) = (at.weekday_name(), at.month_name());
    format!(
        "{weekday} {month} {:02} {:02}:{:02}:{:02} {}",
        at.day, at.hour, at.minute, at.second, at.year
    )
}

/// As a Message-ID begins: `20260102030405`.
pub fn stamp(unix_seconds: u64) -> String {
    let at = Civil::from_unix(unix_seconds);
    format!("{}{:02}{:02}{:02}{:02}{:02}", at.year, at.month, at.day, at.hour, at.minute, at.second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_the_forms_that_qmail_writes() {
        let at = 1_767_323_045; // 2026-01-02 03:04:05
        assert_eq!(rfc5322(at), "2 Jan 2026 03:04:05 -0000");
        assert_eq!(mbox(at), "Fri Jan 02 03:04:05 2026");
        assert_eq!(stamp(at), "20260102030405");
    }

    #[test]
    fn time_begins_on_a_thursday() {
        assert_eq!(mbox(0), "Thu Jan 01 00:00:00 1970");
    }

    #[test]
    fn leap_days_come_every_four_years_but_not_in_2100() {
        assert_eq!(rfc5322(951_782_400), "29 Feb 2000 00:00:00 -0000");
        assert_eq!(rfc5322(1_709_251_199), "29 Feb 2024 23:59:59 -0000");
        assert_eq!(rfc5322(4_107_542_399), "28 Feb 2100 23:59:59 -0000");
        assert_eq!(rfc5322(4_107_542_400), "1 Mar 2100 00:00:00 -0000");
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for number in 0..DAYS_PER_ERA {
            let at = Civil::from_unix(number * SECONDS_PER_DAY);
            assert_eq!((at.year, at.month, at.day), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn the_largest_number_is_still_a_date() {
        assert!(rfc5322(u64::MAX).ends_with(" -0000"));
    }
}
