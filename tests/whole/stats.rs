//! What `clerestory stats` and `clerestory top` tell.

use crate::project::Project;

/// The figure behind a name in the table.
fn figure(table: &str, name: &str) -> u64 {
    let line = table.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let word = line.and_then(|line| line.split_whitespace().next());
    word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("no {name} in\n{table}"))
}

#[test]
fn requests_times_caches_and_programs_are_counted() {
    let project = Project::small();
    project.sh("cp /bin/ls $HOME/strange-ls && $HOME/strange-ls src > /dev/null");
    let stats = || project.world.clerestory(&["stats"]).ok();
    let table = stats();
    let lookups = figure(&table, "fuse.lookup");
    assert!(lookups > 0 && figure(&table, "lookup") <= lookups, "{table}");
    assert!(figure(&table, "strange-ls") > 0, "{table}");
    assert!(
        figure(&table, "cache.elements.hits") > 0 && figure(&table, "memory.resident_bytes") > 1 << 20,
        "{table}"
    );
    assert_eq!((figure(&table, "vobs.mounted"), figure(&table, "views.started")), (1, 1));
    // A warm read is nobody's request.
    project.sh("cat foo.c; cat foo.c; cat foo.c");
    let before = stats();
    project.sh("cat foo.c");
    let reads = |table: &str| figure(table, "fuse.read");
    assert_eq!(reads(&before), reads(&stats()));
}

#[test]
fn prometheus_reads_what_people_read() {
    let project = Project::small();
    let text = project.world.clerestory(&["stats", "--prometheus"]).ok();
    let sample = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).trim().parse::<f64>().unwrap()
    };
    assert!(sample("clerestory_requests_total{request=\"lookup\"}") >= 1.0);
    assert!(sample("clerestory_request_seconds_sum{request=\"lookup\"}") > 0.0);
    assert!(sample("clerestory_memory_resident_bytes") > 1e6);
    assert_eq!(sample("clerestory_vobs_mounted"), 1.0);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok()), "{line}");
    }
}

#[test]
fn top_looks_as_often_as_it_is_told() {
    let project = Project::small();
    let text = project.world.clerestory(&["top", "--interval", "0.1", "--count", "2"]).ok();
    assert_eq!(text.lines().filter(|line| line.starts_with("memory ")).count(), 2, "{text}");
    let refused = project.world.clerestory(&["top", "--interval", "0"]);
    assert!(refused.status != 0 && refused.stderr.contains("0.1 to 86400"), "{refused:?}");
}
