//! `clerestory stats` and `clerestory top`: what the daemon counts, as a table, for Prometheus, or live.

use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::{CallerCount, RequestTimes, StatsReply, StatsRequest};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Programs that `top` shows.
const TOP_PROGRAMS: usize = 10;

/// How `stats` writes.
#[derive(Clone, Copy, Eq, PartialEq, Debug)]
pub enum Form {
    /// For people.
    Table,
    /// The text format of Prometheus.
    Prometheus,
}

fn read(session: &mut Session) -> Result<StatsReply, CommandError> {
    session.call(async |mut host| host.stats(StatsRequest {}).await)
}

/// Prints what the daemon has counted since it began.
pub fn stats(session: &mut Session, form: Form) -> CommandResult {
    let reply = read(session)?;
    let lines = match form {
        Form::Table => table(&reply),
        Form::Prometheus => prometheus(&reply),
    };
    for line in lines {
        session.line(&[line.as_bytes()])?;
    }
    Ok(Outcome::Done)
}

fn table(reply: &StatsReply) -> Vec<String> {
    let width = reply.counters.iter().map(|counter| counter.name.len()).max().unwrap_or(0);
    let counter =
        |counter: &crate::server::proto::Counter| format!("{:<width$}  {}", counter.name, counter.value);
    let mut lines: Vec<String> = reply.counters.iter().map(counter).collect();
    if !reply.times.is_empty() {
        lines.push(String::new());
        lines
            .push(format!("{:<12} {:>10} {:>9} {:>9} {:>9}", "request", "count", "median", "p99", "longest"));
        lines.extend(reply.times.iter().map(times_line));
    }
    if !reply.callers.is_empty() {
        lines.push(String::new());
        lines.push(format!("{:<16} {:>10} {:>10}", "program", "processes", "requests"));
        lines.extend(reply.callers.iter().map(|caller| {
            format!("{:<16} {:>10} {:>10}", printable(&caller.name), caller.processes, caller.requests)
        }));
    }
    lines
}

fn times_line(times: &RequestTimes) -> String {
    let [median, p99, longest] = [times.median_ns, times.p99_ns, times.longest_ns].map(duration);
    format!("{:<12} {:>10} {median:>9} {p99:>9} {longest:>9}", times.request, times.count)
}

/// A time in the unit that fits it.
fn duration(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{:.1} us", nanoseconds as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", nanoseconds as f64 / 1e6),
        _ => format!("{:.1} s", nanoseconds as f64 / 1e9),
    }
}

/// A process may call itself anything.
fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The text format, version 0.0.4.
fn prometheus(reply: &StatsReply) -> Vec<String> {
    let mut lines = Vec::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: Vec<String>| {
        if !samples.is_empty() {
            lines.push(format!("# HELP {name} {help}"));
            lines.push(format!("# TYPE {name} {kind}"));
            lines.extend(samples);
        }
    };
    let of = |prefix: &str| {
        let prefix = format!("{prefix}.");
        let strip = move |counter: &crate::server::proto::Counter| {
            counter.name.strip_prefix(&prefix).map(|name| (name.to_owned(), counter.value))
        };
        reply.counters.iter().filter_map(strip).collect::<Vec<_>>()
    };
    let requests = of("fuse").into_iter();
    family(
        "clerestory_requests_total",
        "counter",
        "Requests of the kernel to the mount.",
        requests
            .map(|(name, value)| format!("clerestory_requests_total{{request=\"{name}\"}} {value}"))
            .collect(),
    );
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    let summary = |times: &RequestTimes| {
        let (name, request) = ("clerestory_request_seconds", &times.request);
        [
            format!("{name}{{request=\"{request}\",quantile=\"0.5\"}} {}", seconds(times.median_ns)),
            format!("{name}{{request=\"{request}\",quantile=\"0.99\"}} {}", seconds(times.p99_ns)),
            format!("{name}_sum{{request=\"{request}\"}} {}", seconds(times.sum_ns)),
            format!("{name}_count{{request=\"{request}\"}} {}", times.count),
        ]
    };
    family(
        "clerestory_request_seconds",
        "summary",
        "Time that requests took in the daemon.",
        reply.times.iter().flat_map(summary).collect(),
    );
    let caller = |caller: &CallerCount| {
        let program = caller.name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("clerestory_program_requests_total{{program=\"{program}\"}} {}", caller.requests)
    };
    family(
        "clerestory_program_requests_total",
        "counter",
        "Requests to the mount by the name of the program.",
        reply.callers.iter().map(caller).collect(),
    );
    for (part, kind, help) in [
        ("hits", "counter", "Times that a cache had what was wanted."),
        ("misses", "counter", "Times that a cache had not what was wanted."),
        ("entries", "gauge", "What a cache holds."),
    ] {
        let total = if kind == "counter" { "_total" } else { "" };
        let name = format!("clerestory_cache_{part}{total}");
        let sample = |(cache, value): (String, u64)| {
            let cache = cache.strip_suffix(part)?.strip_suffix('.')?;
            Some(format!("{name}{{cache=\"{cache}\"}} {value}"))
        };
        let samples = of("cache").into_iter().filter_map(sample).collect();
        family(&name, kind, help, samples);
    }
    for (prefix, name, help) in [
        ("memory", "resident_bytes", "Memory of the daemon."),
        ("memory", "peak_bytes", "The most memory that the daemon had."),
        ("vobs", "mounted", "VOBs that are mounted."),
        ("views", "started", "Views that are started."),
    ] {
        let value = of(prefix).into_iter().find(|(found, _)| found == name);
        let name = format!("clerestory_{prefix}_{name}");
        family(&name, "gauge", help, value.iter().map(|(_, value)| format!("{name} {value}")).collect());
    }
    lines
}

/// Shows again and again what was asked of the daemon since the last time.
///
/// # Errors
/// The daemon cannot be reached, or the output is closed.
pub fn top(session: &mut Session, interval: Duration, count: Option<u64>) -> CommandResult {
    let on_terminal = std::io::stdout().is_terminal();
    let (mut before, mut since) = (read(session)?, Instant::now());
    let mut shown = 0;
    while count.is_none_or(|count| shown < count) {
        std::thread::sleep(interval);
        let (now, at) = (read(session)?, Instant::now());
        if on_terminal {
            session.write(&[b"\x1b[H\x1b[2J"])?;
        } else if shown > 0 {
            session.line(&[b""])?;
        }
        for line in screen(&before, &now, at - since) {
            session.line(&[line.as_bytes()])?;
        }
        session.flush()?;
        (before, since, shown) = (now, at, shown + 1);
    }
    Ok(Outcome::Done)
}

fn screen(before: &StatsReply, now: &StatsReply, time: Duration) -> Vec<String> {
    let seconds = time.as_secs_f64().max(1e-3);
    let value = |reply: &StatsReply, name: &str| {
        reply.counters.iter().find(|counter| counter.name == name).map_or(0, |counter| counter.value)
    };
    let moved = |name: &str| value(now, name).saturating_sub(value(before, name));
    let mib = value(now, "memory.resident_bytes") as f64 / f64::from(1 << 20);
    let mut lines = vec![format!(
        "memory {mib:.0} MiB, {} VOBs mounted, {} views started",
        value(now, "vobs.mounted"),
        value(now, "views.started")
    )];
    for cache in ["elements", "directories", "contents"] {
        let (hits, misses) = (moved(&format!("cache.{cache}.hits")), moved(&format!("cache.{cache}.misses")));
        let share = match hits + misses {
            0 => "-".to_owned(),
            all => format!("{:.0} %", 100.0 * hits as f64 / all as f64),
        };
        let entries = value(now, &format!("cache.{cache}.entries"));
        lines.push(format!(
            "cache of {cache:<12} {share:>6} found of {:>8}, {entries} entries",
            hits + misses
        ));
    }
    lines.push(String::new());
    lines.push(format!(
        "{:<12} {:>10} {:>12}   since the daemon began: {:>8} {:>9}",
        "request", "per second", "count", "median", "p99"
    ));
    for counter in now.counters.iter().filter(|counter| counter.name.starts_with("fuse.")) {
        let request = counter.name.trim_start_matches("fuse.");
        let times = now.times.iter().find(|times| times.request == request);
        let [median, p99] = match times {
            Some(times) => [times.median_ns, times.p99_ns].map(duration),
            None => ["-", "-"].map(str::to_owned),
        };
        let rate = moved(&counter.name) as f64 / seconds;
        lines.push(format!("{request:<12} {rate:>10.0} {:>12} {median:>33} {p99:>9}", counter.value));
    }
    let earlier: HashMap<&str, u64> =
        before.callers.iter().map(|caller| (caller.name.as_str(), caller.requests)).collect();
    let since = |caller: &CallerCount| {
        let requests = earlier.get(caller.name.as_str()).copied().unwrap_or_default();
        (caller.requests.saturating_sub(requests), printable(&caller.name))
    };
    let mut callers: Vec<(u64, String)> =
        now.callers.iter().map(since).filter(|(count, _)| *count > 0).collect();
    callers.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    lines.push(String::new());
    lines.push(format!("{:<16} {:>10}", "program", "per second"));
    let rate = |(count, name): &(u64, String)| format!("{name:<16} {:>10.0}", *count as f64 / seconds);
    lines.extend(callers.iter().take(TOP_PROGRAMS).map(rate));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::proto::Counter;

    fn reply(lookups: u64, gcc: u64) -> StatsReply {
        let counter = |(name, value): (&str, u64)| Counter { name: name.to_owned(), value };
        let counters = [
            ("fuse.lookup", lookups),
            ("cache.elements.hits", 3 * lookups),
            ("cache.elements.misses", lookups),
            ("cache.elements.entries", 7),
            ("memory.resident_bytes", 5 << 20),
            ("vobs.mounted", 2),
            ("views.started", 1),
        ];
        let request = "lookup".to_owned();
        let times = RequestTimes {
            request,
            count: lookups,
            sum_ns: 5_000,
            median_ns: 1_280,
            p99_ns: 2_000_000,
            longest_ns: 3_000_000_000,
        };
        let caller = CallerCount { name: "c\"c\n".to_owned(), processes: 2, requests: gcc };
        StatsReply {
            counters: counters.into_iter().map(counter).collect(),
            times: vec![times],
            callers: vec![caller],
        }
    }

    #[test]
    fn the_table_has_counters_times_and_programs() {
        let lines = table(&reply(4, 9));
        assert_eq!(lines[0], "fuse.lookup             4");
        let line = "lookup                4    1.3 us    2.0 ms     3.0 s";
        assert!(lines.contains(&line.to_owned()), "{lines:#?}");
        assert_eq!(lines.last().unwrap(), "c\"c?                      2          9");
    }

    #[test]
    fn prometheus_gets_families_with_escaped_labels() {
        let text = prometheus(&reply(4, 9)).join("\n");
        for line in [
            "# TYPE clerestory_requests_total counter",
            "clerestory_requests_total{request=\"lookup\"} 4",
            "clerestory_request_seconds{request=\"lookup\",quantile=\"0.99\"} 0.002",
            "clerestory_request_seconds_sum{request=\"lookup\"} 0.000005",
            "clerestory_program_requests_total{program=\"c\\\"c\\n\"} 9",
            "clerestory_cache_hits_total{cache=\"elements\"} 12",
            "# TYPE clerestory_cache_entries gauge",
            "clerestory_memory_resident_bytes 5242880",
            "clerestory_views_started 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        let well_formed = |line: &str| {
            let Some((name, value)) = line.rsplit_once(' ') else { return false };
            name.starts_with("clerestory_") && value.parse::<f64>().is_ok()
        };
        assert!(text.lines().all(|line| line.starts_with("# ") || well_formed(line)), "{text}");
    }

    #[test]
    fn the_screen_shows_what_moved() {
        let lines = screen(&reply(4, 9), &reply(24, 29), Duration::from_secs(10));
        let line = |start: &str| lines.iter().find(|line| line.starts_with(start)).unwrap().clone();
        assert_eq!(lines[0], "memory 5 MiB, 2 VOBs mounted, 1 views started");
        assert_eq!(line("cache of elements"), "cache of elements       75 % found of       80, 7 entries");
        assert_eq!(line("lookup").split_whitespace().collect::<Vec<_>>()[..3], ["lookup", "2", "24"]);
        assert_eq!(line("c\"c?").split_whitespace().last(), Some("2"));
    }
}
