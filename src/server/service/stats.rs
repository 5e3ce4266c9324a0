//! Figures about the daemon: requests of the mount, caches, memory.
//!
//! Everything is read when somebody asks; nothing here is on the way of a request.

use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::state::{Outcome, Server};
use crate::store::pool::CacheFigures;
use std::collections::BTreeMap;

impl Server {
    pub(super) fn stats(&self, _caller: &Caller, _request: &StatsRequest) -> Outcome<StatsReply> {
        let mounted = self.mounted.lock();
        let mut reply = StatsReply::default();
        let mut count = |name: String, value: u64| reply.counters.push(Counter { name, value });
        if let Some(mounted) = mounted.as_ref() {
            mounted
                .counters()
                .iter()
                .for_each(|(request, value)| count(format!("fuse.{}", request.name()), value));
        }
        let mut caches: BTreeMap<&str, CacheFigures> = BTreeMap::new();
        for vob in self.host.vobs() {
            vob.vob
                .cache_figures()
                .into_iter()
                .for_each(|(name, figures)| *caches.entry(name).or_default() += figures);
        }
        for (name, figures) in caches {
            count(format!("cache.{name}.hits"), figures.hits);
            count(format!("cache.{name}.misses"), figures.misses);
            count(format!("cache.{name}.entries"), figures.entries);
        }
        for (name, line) in [("memory.resident_bytes", "VmRSS:"), ("memory.peak_bytes", "VmHWM:")] {
            if let Some(kibibytes) = status_kib(line) {
                count(name.to_owned(), kibibytes << 10);
            }
        }
        count("vobs.mounted".to_owned(), self.host.vobs().len() as u64);
        count("views.started".to_owned(), self.host.views().len() as u64);
        if let Some(mounted) = mounted.as_ref() {
            let times = |(request, latency): (clerestory_mount::Request, clerestory_mount::Latency)| {
                let percentile = |percent| latency.percentile_ns(percent).unwrap_or_default();
                RequestTimes {
                    request: request.name().to_owned(),
                    count: latency.count(),
                    sum_ns: latency.sum_ns,
                    median_ns: percentile(50),
                    p99_ns: percentile(99),
                    longest_ns: percentile(100),
                }
            };
            reply.times = mounted.latencies().into_iter().map(times).collect();
            let caller = |count: clerestory_mount::CallerCount| {
                let clerestory_mount::CallerCount { name, processes, requests } = count;
                CallerCount { name, processes, requests }
            };
            reply.callers = mounted.callers().into_iter().map(caller).collect();
        }
        Ok(reply)
    }
}

/// A line of this process's status, in KiB (proc(5)).
fn status_kib(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}
