//! Dates as cleartool prints them.
//!
//! Pure: the zone, the style and the present time come in. ISO is the default, the forms of before version 7 come
//! with CCASE_ISO_DATE_FMT=0.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// How dates are printed in one run.
#[derive(Debug, Clone)]
pub struct Dates {
    style: DateStyle,
    zone: TimeZone,
    now_s: i64,
}

/// The generation of date forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateStyle {
    /// `2021-06-10T01:49:46-04:00`.
    Iso,
    /// `10-Jun-21.01:49:46`.
    Legacy,
}

/// Half a year of 365.25 days: what is older, or in the future, is printed with its year.
const RECENT_LIMIT_S: i64 = 15_778_800;

impl Dates {
    /// Forms for this process: the system's zone, the style of CCASE_ISO_DATE_FMT.
    pub fn from_environment() -> Dates {
        let style = match std::env::var("CCASE_ISO_DATE_FMT") {
            Ok(value) if value == "0" => DateStyle::Legacy,
            _ => DateStyle::Iso,
        };
        Dates::new(style, TimeZone::system(), Timestamp::now().as_second())
    }

    /// Forms as given.
    pub fn new(style: DateStyle, zone: TimeZone, now_s: i64) -> Dates {
        Dates { style, zone, now_s }
    }

    fn zoned(&self, time_s: i64) -> Zoned {
        // A damaged time prints as the nearest one that has a date.
        let time_s = time_s.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        Timestamp::from_second(time_s).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone())
    }

    /// The full form: to the second.
    pub fn full(&self, time_s: i64) -> String {
        let time = self.zoned(time_s);
        match self.style {
            DateStyle::Iso => time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            DateStyle::Legacy => time.strftime("%d-%b-%y.%H:%M:%S").to_string(),
        }
    }

    /// The form of listings: to the minute, without its year when it is recent. It has no blank in it.
    pub fn short(&self, time_s: i64) -> String {
        let time = self.zoned(time_s);
        let age_s = self.now_s.saturating_sub(time_s);
        let recent = (0..=RECENT_LIMIT_S).contains(&age_s);
        let form = match (self.style, recent) {
            (DateStyle::Iso, true) => "--%m-%dT%H:%M",
            (DateStyle::Iso, false) => "%Y-%m-%dT%H:%M",
            (DateStyle::Legacy, true) => "%d-%b.%H:%M",
            (DateStyle::Legacy, false) => "%d-%b-%y",
        };
        time.strftime(form).to_string()
    }

    /// The day alone: `2021-06-10`.
    pub fn day(&self, time_s: i64) -> String {
        let form = match self.style {
            DateStyle::Iso => "%Y-%m-%d",
            DateStyle::Legacy => "%d-%b-%y",
        };
        self.zoned(time_s).strftime(form).to_string()
    }

    /// In digits, the same in both styles: `20210610.014946`.
    pub fn numeric(&self, time_s: i64) -> String {
        self.zoned(time_s).strftime("%Y%m%d.%H%M%S").to_string()
    }

    /// The day of the week: `Thursday`.
    pub fn weekday(&self, time_s: i64) -> String {
        self.zoned(time_s).strftime("%A").to_string()
    }

    /// How many whole days ago it was; 0 for the future.
    pub fn age_days(&self, time_s: i64) -> i64 {
        self.now_s.saturating_sub(time_s).max(0) / 86_400
    }

    /// How many whole months of the calendar ago it was; 0 for the future.
    pub fn age_months(&self, time_s: i64) -> i64 {
        let (then, now) = (self.zoned(time_s), self.zoned(self.now_s));
        let months = |time: &Zoned| i64::from(time.year()) * 12 + i64::from(time.month());
        let place = |time: &Zoned| (time.day(), time.time());
        (months(&now) - months(&then) - i64::from(place(&now) < place(&then))).max(0)
    }

    /// The form of view-private objects: `Wed 06/10/21 01:49:46`.
    pub fn modified(&self, time_s: i64) -> String {
        self.zoned(time_s).strftime("%a %m/%d/%y %H:%M:%S").to_string()
    }

    /// Reads a date-time as config specs have it; `None` when it is none. Dates refer to this process's zone.
    pub fn moment(&self, text: &str) -> Option<i64> {
        let now = Timestamp::from_second(self.now_s).ok()?;
        let moment = clerestory_specs::parse_date_time(text, now, &self.zone).ok()?;
        Some(moment.as_second())
    }

    /// Reads a date-time argument such as `today`, `monday.10:00`, `3-Jun`, `3-Jun-21.10:00UTC-5` or ISO 8601;
    /// `None` when it is none. What is missing: the time is midnight, the date today, the year the latest that is
    /// not in the future.
    pub fn parse(&self, text: &str) -> Option<i64> {
        let lower = text.trim().to_ascii_lowercase();
        if lower == "now" {
            return Some(self.now_s);
        }
        if let Some(time_s) = self.parse_iso(text.trim()) {
            return Some(time_s);
        }
        let first_mark = lower.find(['.', ':']);
        let (date, time) = match first_mark {
            // `10:00` is a time alone; `4-sep:02:00` is tolerated for `4-sep.02:00`.
            Some(mark) if lower[..mark].bytes().all(|byte| byte.is_ascii_digit()) => ("today", &lower[..]),
            Some(mark) => (&lower[..mark], &lower[mark + 1..]),
            None => (&lower[..], "0:00"),
        };
        let (clock, zone) = match time.split_once("utc") {
            Some((clock, offset)) => (clock, TimeZone::fixed(parse_offset(offset)?)),
            None => (time, self.zone.clone()),
        };
        let now = Timestamp::from_second(self.now_s).ok()?.to_zoned(zone.clone());
        let date = parse_date(date, now.date())?;
        let mut parts = clock.split(':').map(|part| part.parse::<i8>().ok());
        let (hour, minute) = (parts.next()??, parts.next()??);
        let second = parts.next().unwrap_or(Some(0))?;
        if parts.next().is_some() {
            return None;
        }
        let time = jiff::civil::Time::new(hour, minute, second, 0).ok()?;
        Some(date.to_datetime(time).to_zoned(zone).ok()?.timestamp().as_second())
    }

    fn parse_iso(&self, text: &str) -> Option<i64> {
        if !text.get(..5)?.ends_with('-') {
            return None;
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            return Some(time.as_second());
        }
        let local = text.parse::<jiff::civil::DateTime>().ok()?;
        Some(local.to_zoned(self.zone.clone()).ok()?.timestamp().as_second())
    }
}

fn parse_offset(text: &str) -> Option<jiff::tz::Offset> {
    if text.is_empty() {
        return Some(jiff::tz::Offset::UTC);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let digits = &text[1..];
    let (hours, minutes) = match digits.split_once(':') {
        Some(pair) => pair,
        None if digits.len() == 4 && digits.is_ascii() => digits.split_at(2),
        None => (digits, "0"),
    };
    let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
    if !(0..60).contains(&minutes) || !(0..24).contains(&hours) {
        return None;
    }
    jiff::tz::Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn parse_date(text: &str, today: jiff::civil::Date) -> Option<jiff::civil::Date> {
    match text {
        "today" => return Some(today),
        "yesterday" => return today.yesterday().ok(),
        _ => {}
    }
    let named =
        |names: &[&str], word: &str| names.iter().position(|name| *name == word || name[..3] == *word);
    if let Some(day) = named(&WEEKDAYS, text) {
        let back = (i64::from(today.weekday().to_monday_zero_offset()) - day as i64).rem_euclid(7);
        return today.checked_sub(jiff::Span::new().days(back)).ok();
    }
    let mut parts = text.split('-');
    let day: i8 = parts.next()?.parse().ok()?;
    let month = named(&MONTHS, parts.next()?)? as i8 + 1;
    let year = match parts.next() {
        Some(year) if year.len() == 2 => {
            let short: i16 = year.parse().ok()?;
            if short < 70 { 2000 + short } else { 1900 + short }
        }
        Some(year) => year.parse().ok()?,
        None => {
            let this_year = jiff::civil::Date::new(today.year(), month, day).ok();
            // 29 February of a common year goes back to the last leap year.
            let mut year = today.year();
            let mut date = this_year;
            while date.is_none_or(|date| date > today) {
                year -= 1;
                if today.year() - year > 8 {
                    return None;
                }
                date = jiff::civil::Date::new(year, month, day).ok();
            }
            year
        }
    };
    match parts.next() {
        Some(_) => None,
        None => jiff::civil::Date::new(year, month, day).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2021-06-10T01:49:46-04:00.
    const TIME_S: i64 = 1_623_304_186;

    fn dates(style: DateStyle, now_s: i64) -> Dates {
        Dates::new(style, TimeZone::fixed(jiff::tz::offset(-4)), now_s)
    }

    #[test]
    fn dates_have_an_iso_and_a_legacy_form() {
        let day_s = 86_400;
        for (style, age_s, full, short) in [
            (DateStyle::Iso, day_s, "2021-06-10T01:49:46-04:00", "--06-10T01:49"),
            (DateStyle::Iso, 200 * day_s, "2021-06-10T01:49:46-04:00", "2021-06-10T01:49"),
            (DateStyle::Iso, -day_s, "2021-06-10T01:49:46-04:00", "2021-06-10T01:49"),
            (DateStyle::Legacy, day_s, "10-Jun-21.01:49:46", "10-Jun.01:49"),
            (DateStyle::Legacy, 200 * day_s, "10-Jun-21.01:49:46", "10-Jun-21"),
        ] {
            let dates = dates(style, TIME_S + age_s);
            assert_eq!((dates.full(TIME_S).as_str(), dates.short(TIME_S).as_str()), (full, short));
        }
        assert_eq!(dates(DateStyle::Iso, TIME_S).modified(TIME_S), "Thu 06/10/21 01:49:46");
        assert!(!dates(DateStyle::Iso, TIME_S).full(i64::MAX).is_empty());
    }

    #[test]
    fn date_time_arguments_are_read() {
        let dates = dates(DateStyle::Iso, TIME_S);
        for (text, expected) in [
            ("now", "2021-06-10T01:49:46-04:00"),
            ("today", "2021-06-10T00:00:00-04:00"),
            ("Yesterday.10:30", "2021-06-09T10:30:00-04:00"),
            ("thursday", "2021-06-10T00:00:00-04:00"),
            ("Fri", "2021-06-04T00:00:00-04:00"),
            ("3-Jun", "2021-06-03T00:00:00-04:00"),
            ("11-jun", "2020-06-11T00:00:00-04:00"),
            ("29-feb", "2020-02-29T00:00:00-04:00"),
            ("16-DECEMBER-2019.7:05:09", "2019-12-16T07:05:09-04:00"),
            ("4-Sep-93:02:00", "1993-09-04T02:00:00-04:00"),
            ("9-may-08.14:00:00utc+0000", "2008-05-09T10:00:00-04:00"),
            ("9-Aug.10:00UTC-5", "2020-08-09T11:00:00-04:00"),
            ("10:00", "2021-06-10T10:00:00-04:00"),
            ("2021-06-01T12:00:00Z", "2021-06-01T08:00:00-04:00"),
            ("2021-06-01T12:00:00", "2021-06-01T12:00:00-04:00"),
            ("2021-06-01", "2021-06-01T00:00:00-04:00"),
        ] {
            let found = dates.parse(text).map(|time_s| dates.full(time_s));
            assert_eq!(found.as_deref(), Some(expected), "{text}");
        }
        for text in ["", "soon", "32-jan", "3-foo", "1-jan.25:00", "1-jan.10", "1-jan-21-1", "9-aug.1:00utc5"]
        {
            assert_eq!(dates.parse(text), None, "{text}");
        }
    }
}
