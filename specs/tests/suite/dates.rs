//! The date-time grammar, at Friday 2024-03-15 12:30:15 in New York.

use clerestory_specs::{DateError, parse_date_time};

use crate::support::{now, zone};

#[test]
fn date_times_are_evaluated() {
    let table = [
        ("now", "2024-03-15T16:30:15Z"),
        ("NOW", "2024-03-15T16:30:15Z"),
        ("today", "2024-03-15T04:00:00Z"),
        ("Today.10:30", "2024-03-15T14:30:00Z"),
        ("yesterday", "2024-03-14T04:00:00Z"),
        ("yesterday.23:59:59", "2024-03-15T03:59:59Z"),
        ("friday", "2024-03-15T04:00:00Z"),
        ("Thu", "2024-03-14T04:00:00Z"),
        ("saturday", "2024-03-09T05:00:00Z"),
        ("SUN.12:00", "2024-03-10T16:00:00Z"),
        ("monday:8:05", "2024-03-11T12:05:00Z"),
        ("9-Aug", "2023-08-09T04:00:00Z"),
        ("15-Mar", "2024-03-15T04:00:00Z"),
        ("15-mar.23:00", "2024-03-16T03:00:00Z"),
        ("16-Mar", "2023-03-16T04:00:00Z"),
        ("29-Feb", "2024-02-29T05:00:00Z"),
        ("9-august-2020", "2020-08-09T04:00:00Z"),
        ("09-AUG-20", "2020-08-09T04:00:00Z"),
        ("1-Jan-70", "1970-01-01T05:00:00Z"),
        ("1-Jan-68", "2068-01-01T05:00:00Z"),
        ("1-Jan-69", "1969-01-01T05:00:00Z"),
        ("5-Nov-1999.23:59", "1999-11-06T04:59:00Z"),
        ("4-Sep:02:00", "2023-09-04T06:00:00Z"),
        ("4-Sep-2021:02:00:30", "2021-09-04T06:00:30Z"),
        ("10-Jul.19:00", "2023-07-10T23:00:00Z"),
        ("9-Aug.10:00UTC", "2023-08-09T10:00:00Z"),
        ("9-Aug-2022.10:00utc-5", "2022-08-09T15:00:00Z"),
        ("9-Aug-2022.10:00:30UTC+5:30", "2022-08-09T04:30:30Z"),
        ("10:00", "2024-03-15T14:00:00Z"),
        ("7:5:3", "2024-03-15T11:05:03Z"),
        ("10:00UTC", "2024-03-15T10:00:00Z"),
        ("10:00UTC-5", "2024-03-15T15:00:00Z"),
        ("1:00UTC+14", "2024-03-15T11:00:00Z"),
        ("2024-05-01", "2024-05-01T04:00:00Z"),
        ("2024-05-01T10:00", "2024-05-01T14:00:00Z"),
        ("2024-05-01T10:00:00", "2024-05-01T14:00:00Z"),
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00Z"),
        ("2024-05-01t10:00z", "2024-05-01T10:00:00Z"),
        ("2024-05-01T10:00:00.25Z", "2024-05-01T10:00:00.25Z"),
        ("2024-05-01T10:00:00.1234567899Z", "2024-05-01T10:00:00.123456789Z"),
        ("2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00Z"),
        ("2024-05-01T10:00:00-0330", "2024-05-01T13:30:00Z"),
        ("2024-05-01T10:00-05", "2024-05-01T15:00:00Z"),
        ("2024-05-01.10:00", "2024-05-01T14:00:00Z"),
        ("2024-05-01 10:00", "2024-05-01T14:00:00Z"),
        ("2012-12-04T10:08:53-05:00", "2012-12-04T15:08:53Z"),
        // Skipped and repeated by the change of clocks.
        ("10-Mar-2024.02:30", "2024-03-10T07:30:00Z"),
        ("3-Nov-2024.01:30", "2024-11-03T05:30:00Z"),
    ];
    for (text, expected) in table {
        let moment = parse_date_time(text, now(), &zone());
        assert_eq!(moment.map(|moment| moment.to_string()), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn what_is_no_date_time_is_refused() {
    let table = [
        ("", DateError::Syntax),
        ("tomorrow", DateError::Syntax),
        ("now.10:00", DateError::Syntax),
        ("9-Augu", DateError::Syntax),
        ("9-Aug-202", DateError::Syntax),
        ("9-Aug-24x", DateError::Syntax),
        ("9-Aug.", DateError::Syntax),
        ("9-Aug.10", DateError::Syntax),
        ("Aug-9", DateError::Syntax),
        ("100:00", DateError::Syntax),
        ("10:00 UTC", DateError::Syntax),
        ("10:00UTC5", DateError::Syntax),
        ("10:00UTC+5:60", DateError::Syntax),
        ("24-05-01", DateError::Syntax),
        ("2024-5-1", DateError::Syntax),
        ("2024-05-01T", DateError::Syntax),
        ("2024-05-01T10", DateError::Syntax),
        (" today", DateError::Syntax),
        ("31-Apr", DateError::NoSuchDay),
        ("0-Apr", DateError::NoSuchDay),
        ("29-Feb-2023", DateError::NoSuchDay),
        ("2024-13-01", DateError::NoSuchDay),
        ("24:00", DateError::NoSuchTime),
        ("10:60", DateError::NoSuchTime),
        ("2024-05-01T10:00:60", DateError::NoSuchTime),
        ("10:00UTC+24", DateError::NoSuchTime),
        ("1-Jan-1600", DateError::OutOfRange),
        ("1-Jan-9999", DateError::OutOfRange),
    ];
    for (text, expected) in table {
        assert_eq!(parse_date_time(text, now(), &zone()), Err(expected), "{text}");
    }
}
