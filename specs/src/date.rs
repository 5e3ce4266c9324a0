//! Dates and times as users write them: in config specs, `-since` and the like. Owns the grammar and its meaning
//! relative to a given present; must not read a clock or the environment's time zone.
//!
//! ```text
//! date-time := 'now' | date [ ('.' | ':') time ] | time | iso-date [ ('T' | '.' | ':' | ' ') iso-time ]
//! date      := 'today' | 'yesterday' | weekday | d[d] '-' month [ '-' [yy]yy ]
//! time      := h[h] ':' m[m] [ ':' s[s] ] [ 'UTC' [ ('+'|'-') h[h] [ ':' m[m] ] ] ]
//! iso-time  := time without zone [ '.' fraction ] [ 'Z' | ('+'|'-') hh [ [':'] mm ] | 'UTC' ... ]
//! ```

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};
use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while_m_n};
use nom::character::complete::{alpha1, digit1, one_of};
use nom::combinator::{all_consuming, map, map_opt, map_res, opt, value};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

/// Why a text is no date-time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// It does not follow the grammar.
    #[error("not a date-time")]
    Syntax,
    /// The day is not in the calendar, such as 31-Apr.
    #[error("no such day")]
    NoSuchDay,
    /// The time is not on the clock, such as 25:00, or the offset from UTC is a day or more.
    #[error("no such time of day")]
    NoSuchTime,
    /// The moment cannot be counted in nanoseconds from 1970 in 64 bits: before 1677 or after 2262.
    #[error("date-time is out of range")]
    OutOfRange,
}

impl DateError {
    /// The form that would have been right, as a noun phrase.
    pub fn expected(&self) -> &'static str {
        match self {
            DateError::Syntax => {
                "a date-time such as now, yesterday, 9-Aug-2024.10:00UTC or 2024-08-09T10:00:00Z"
            }
            DateError::NoSuchDay => "a day of the calendar",
            DateError::NoSuchTime => "a time from 00:00:00 to 23:59:59",
            DateError::OutOfRange => "a year from 1678 to 2261",
        }
    }
}

/// Evaluates a date-time in relation to `now`, in `zone` unless the text names an offset from UTC.
///
/// Keywords are taken in any case. A missing time is midnight; a missing day is today; a weekday is the latest
/// such day, today included; a day without a year is the latest such day that is not after today. Two-digit years
/// are 1969 to 2068, as in POSIX. A time that a change of clocks skips is taken as if the clock had not changed;
/// of one that comes twice, the first. The result always fits in 64-bit nanoseconds since 1970.
pub fn parse_date_time(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, DateError> {
    let (_, written) = all_consuming(written).parse(text).map_err(|_| DateError::Syntax)?;
    let moment = match written {
        Written::Now => now,
        Written::At { day, clock } => evaluate(day, clock, now, zone)?,
    };
    nanoseconds(moment).map(|_| moment).ok_or(DateError::OutOfRange)
}

/// Nanoseconds since 1970, if they fit.
pub(crate) fn nanoseconds(moment: Timestamp) -> Option<i64> {
    i64::try_from(moment.as_nanosecond()).ok()
}

fn evaluate(day: Day, clock: Clock, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, DateError> {
    let zone = match clock.offset_s {
        None => zone.clone(),
        Some(seconds) => {
            let offset = Offset::from_seconds(seconds).ok().filter(|_| seconds.abs() < 24 * 3600);
            TimeZone::fixed(offset.ok_or(DateError::NoSuchTime)?)
        }
    };
    let time = Time::new(clock.hour, clock.minute, clock.second, clock.nanosecond);
    let time = time.map_err(|_| DateError::NoSuchTime)?;
    let date = day.evaluate(zone.to_datetime(now).date())?;
    let moment = date.to_datetime(time).to_zoned(zone).map_err(|_| DateError::OutOfRange)?;
    Ok(moment.timestamp())
}

#[derive(Clone, Debug)]
enum Written {
    Now,
    At { day: Day, clock: Clock },
}

#[derive(Clone, Copy, Debug)]
enum Day {
    Today,
    Yesterday,
    Latest(Weekday),
    WithoutYear { day: i8, month: i8 },
    Full { day: i8, month: i8, year: i16 },
}

impl Day {
    fn evaluate(self, today: Date) -> Result<Date, DateError> {
        let before = |days: i64| today.checked_sub(days.days()).map_err(|_| DateError::OutOfRange);
        match self {
            Day::Today => Ok(today),
            Day::Yesterday => before(1),
            Day::Latest(weekday) => before(weekday.until(today.weekday()).into()),
            Day::Full { day, month, year } => Date::new(year, month, day).map_err(|_| DateError::NoSuchDay),
            // Eight years hold every day of the calendar: 29-Feb was missing from 1897 to 1903.
            Day::WithoutYear { day, month } => (0..=8)
                .filter_map(|years| Date::new(today.year() - years, month, day).ok())
                .find(|&date| date <= today)
                .ok_or(DateError::NoSuchDay),
        }
    }
}

/// A time of day; the default is midnight in the caller's zone.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    offset_s: Option<i32>,
}

fn written(input: &str) -> IResult<&str, Written> {
    let iso_clock = opt(preceded(one_of("Tt.: "), iso_time));
    let clock = opt(preceded(one_of(".:"), time));
    let at = |(day, clock): (Day, Option<Clock>)| Written::At { day, clock: clock.unwrap_or_default() };
    alt((
        all_consuming(value(Written::Now, tag_no_case("now"))),
        all_consuming(map((iso_date, iso_clock), at)),
        all_consuming(map((alt((long_date, named_day)), clock), at)),
        map(time, |clock| Written::At { day: Day::Today, clock }),
    ))
    .parse(input)
}

fn digits<N: std::str::FromStr>(least: usize, most: usize) -> impl Fn(&str) -> IResult<&str, N> {
    move |input| {
        map_res(take_while_m_n(least, most, |c: char| c.is_ascii_digit()), |text: &str| text.parse())
            .parse(input)
    }
}

fn iso_date(input: &str) -> IResult<&str, Day> {
    let (rest, (year, _, month, _, day)) =
        (digits(4, 4), tag("-"), digits(2, 2), tag("-"), digits(2, 2)).parse(input)?;
    Ok((rest, Day::Full { day, month, year }))
}

fn long_date(input: &str) -> IResult<&str, Day> {
    let four = digits::<i16>(4, 4);
    let two = map(digits::<i16>(2, 2), |year| if year < 69 { 2000 + year } else { 1900 + year });
    let year = opt(preceded(tag("-"), alt((four, two))));
    let (rest, (day, month, year)) =
        (terminated(digits(1, 2), tag("-")), map_opt(alpha1, month_number), year).parse(input)?;
    let date = match year {
        Some(year) => Day::Full { day, month, year },
        None => Day::WithoutYear { day, month },
    };
    Ok((rest, date))
}

fn named_day(input: &str) -> IResult<&str, Day> {
    map_opt(alpha1, |word: &str| match word.to_ascii_lowercase().as_str() {
        "today" => Some(Day::Today),
        "yesterday" => Some(Day::Yesterday),
        _ => {
            index_of(word, &WEEKDAYS).and_then(|i| Weekday::from_monday_zero_offset(i).ok()).map(Day::Latest)
        }
    })
    .parse(input)
}

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
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

fn month_number(word: &str) -> Option<i8> {
    index_of(word, &MONTHS).map(|index| index + 1)
}

/// The index of the name that `word` is in full or as three letters.
fn index_of(word: &str, names: &[&str]) -> Option<i8> {
    let word = word.to_ascii_lowercase();
    let index = names.iter().position(|name| word == *name || word == name[..3])?;
    i8::try_from(index).ok()
}

/// Hours, minutes and perhaps seconds, without zone.
fn clock(input: &str) -> IResult<&str, Clock> {
    let (rest, (hour, _, minute, second)) =
        (digits(1, 2), tag(":"), digits(1, 2), opt(preceded(tag(":"), digits(1, 2)))).parse(input)?;
    Ok((rest, Clock { hour, minute, second: second.unwrap_or(0), ..Clock::default() }))
}

fn time(input: &str) -> IResult<&str, Clock> {
    map((clock, opt(utc)), |(clock, offset_s)| Clock { offset_s, ..clock }).parse(input)
}

fn iso_time(input: &str) -> IResult<&str, Clock> {
    let zulu = value(0, tag_no_case("z"));
    let fraction = opt(preceded(tag("."), map_opt(digit1, billionths)));
    let (rest, (clock, nanosecond, offset_s)) =
        (clock, fraction, opt(alt((zulu, offset, utc)))).parse(input)?;
    Ok((rest, Clock { nanosecond: nanosecond.unwrap_or(0), offset_s, ..clock }))
}

/// The decimals of a second, cut after the ninth.
fn billionths(decimals: &str) -> Option<i32> {
    format!("{decimals:0<9}")[..9].parse().ok()
}

fn utc(input: &str) -> IResult<&str, i32> {
    map(preceded(tag_no_case("utc"), opt(offset)), |offset| offset.unwrap_or(0)).parse(input)
}

/// `+h[h][[:]m[m]]`, in seconds.
fn offset(input: &str) -> IResult<&str, i32> {
    let minutes = alt((preceded(tag(":"), digits::<i32>(1, 2)), digits(2, 2)));
    let minutes = map_opt(opt(minutes), |minutes| Some(minutes.unwrap_or(0)).filter(|&minutes| minutes < 60));
    let (rest, (sign, hours, minutes)) = (one_of("+-"), digits::<i32>(1, 2), minutes).parse(input)?;
    let seconds = hours * 3600 + minutes * 60;
    Ok((rest, if sign == '-' { -seconds } else { seconds }))
}
