//! Small graphs written as text, and laws that hold for every graph.

use proptest::prelude::*;

use super::super::graph::CommitNode;
use super::*;

fn id(commit: usize) -> ObjectId {
    let mut bytes = [0; 20];
    bytes[..6].copy_from_slice(&(commit as u64).to_be_bytes()[2..]);
    ObjectId::from_bytes(&bytes).unwrap()
}

/// `"- 0 0 1,2"`: the parents of each commit, `-` for a root. Dates are 10 times the index.
fn graph(text: &str) -> CommitGraph {
    let nodes = text.split_whitespace().enumerate().map(|(index, parents)| CommitNode {
        id: id(index),
        parents: parents.split(',').filter_map(|parent| parent.parse().ok()).collect(),
        committer_seconds: index as i64 * 10,
    });
    CommitGraph::new(nodes.collect()).unwrap()
}

/// `"heads/main=3 tags/v1=2"`; the first is the default branch.
fn refs(text: &str) -> Vec<Reference> {
    let parsed = text.split_whitespace().map(|item| {
        let (name, commit) = item.split_once('=').unwrap();
        let name = RefName::new(format!("refs/{name}"));
        Reference { name, commit: id(commit.parse().unwrap()), tag_object: None }
    });
    parsed.collect()
}

fn plan(graph: &CommitGraph, refs: &[Reference], existing: &[ExistingLine]) -> Plan {
    plan_lines(graph, &refs[0].name, refs, existing).unwrap()
}

/// Each line as `name@fork:old+new`, for example `topic@1:2+3,4`.
fn shown(plan: &Plan) -> Vec<String> {
    let merge = |name: &str| {
        name.strip_prefix("merge-").map(|hex| {
            let (hex, number) =
                hex.split_once('-').map_or((hex, String::new()), |(hex, n)| (hex, format!("-{n}")));
            format!("merge-{}{number}", u64::from_str_radix(hex, 16).unwrap())
        })
    };
    let line = |line: &Line| {
        let fork = line.forks_at.map(|fork| format!("@{fork}")).unwrap_or_default();
        let commits = line.commits.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let name = merge(&line.name).unwrap_or_else(|| line.name.clone());
        format!("{name}{fork}:{}+{commits}", line.placed_before)
    };
    plan.lines.iter().map(line).collect()
}

/// What a plan leaves behind for the next import.
fn remembered(graph: &CommitGraph, plan: &Plan, before: &[ExistingLine]) -> Vec<ExistingLine> {
    let remember = |(index, line): (usize, &Line)| {
        let mut commits = before.get(index).map(|line| line.commits.clone()).unwrap_or_default();
        commits.extend(line.commits.iter().map(|&commit| graph.nodes()[commit].id));
        ExistingLine { name: line.name.clone(), source: line.source.clone(), commits }
    };
    plan.lines.iter().enumerate().map(remember).collect()
}

#[test]
fn first_imports() {
    let cases: [(&str, &str, &str, &[&str]); 11] = [
        ("one branch", "- 0 1", "heads/master=2", &["main:0+0,1,2"]),
        ("a fork", "- 0 1 1 3", "heads/main=2 heads/topic=4", &["main:0+0,1,2", "topic@1:0+3,4"]),
        ("an alias makes no line", "- 0 1", "heads/main=2 heads/old=1 tags/v1=0", &["main:0+0,1,2"]),
        ("name order", "- 0 1 1", "heads/main=1 heads/b=3 heads/a=2", &["main:0+0,1", "a@1:0+2", "b@1:0+3"]),
        (
            "heads before remotes",
            "- 0 1",
            "heads/main=0 remotes/a/x=2 heads/z=1",
            &["main:0+0", "z@0:0+1", "a/x@1:0+2"],
        ),
        ("two roots", "- - 1 0", "heads/main=3 heads/pages=2", &["main:0+0,3", "pages:0+1,2"]),
        ("a tag on a side commit", "- 0 0", "heads/main=1 tags/v1=2", &["main:0+0,1", "tag-v1@0:0+2"]),
        ("a merged root", "- - 0,1", "heads/main=2", &["main:0+0,2", "merge-2:0+1"]),
        (
            "an octopus",
            "- 0 0 0 1,2,3",
            "heads/main=4",
            &["main:0+0,1,4", "merge-4@0:0+2", "merge-4-2@0:0+3"],
        ),
        ("criss-cross merges", "- 0 0 1,2 2,1 3,4", "heads/main=5", &["main:0+0,1,3,5", "merge-5@0:0+2,4"]),
        (
            "another branch named main, and a branch named like a tag's line",
            "- 0 0 0",
            "heads/master=0 heads/main=1 heads/tag-x=2 tags/x=3",
            &["main:0+0", "main-2@0:0+1", "tag-x@0:0+2", "tag-x-2@0:0+3"],
        ),
    ];
    for (what, commits, names, expected) in cases {
        let graph = graph(commits);
        assert_eq!(shown(&plan(&graph, &refs(names), &[])), expected, "{what}");
    }
}

#[test]
fn a_history_merged_again_and_again_is_one_line() {
    // Side history 1, 3, 5 merged into main at 2, 4, 6.
    let graph = graph("- 0 0,1 1 2,3 3 4,5");
    assert_eq!(shown(&plan(&graph, &refs("heads/main=6"), &[])), ["main:0+0,2,4,6", "merge-6@0:0+1,3,5"]);
}

#[test]
fn merges_inside_merged_histories_get_lines_too() {
    let graph = graph("- 0 1 1 3,2 0 5,4");
    let plan = plan(&graph, &refs("heads/main=6"), &[]);
    assert_eq!(shown(&plan), ["main:0+0,5,6", "merge-6@0:0+1,3,4", "merge-4@1:0+2"]);
    let LineSource::Merge { commit } = &plan.lines[2].source else { panic!("a merge") };
    assert_eq!(*commit, id(4));
}

/// What it shows, commits, refs before, how many commits before, refs after, lines after.
type Later = (&'static str, &'static str, &'static str, usize, &'static str, &'static [&'static str]);

#[test]
fn later_imports() {
    let cases: [Later; 8] = [
        ("nothing new", "- 0", "heads/main=1", 2, "heads/main=1", &["main:2+"]),
        ("main grows", "- 0 1 2", "heads/main=1", 2, "heads/main=3", &["main:2+2,3"]),
        (
            "a topic grows",
            "- 0 0 2",
            "heads/main=1 heads/t=2",
            3,
            "heads/main=1 heads/t=3",
            &["main:2+", "t@0:1+3"],
        ),
        (
            "a topic was fast-forwarded into main",
            "- 0 1 2 3",
            "heads/main=1 heads/t=3",
            4,
            "heads/main=4 heads/t=3",
            &["main:2+4", "t@1:2+"],
        ),
        (
            "a topic was merged, followed main and went on",
            "- 0 0 1,2 3",
            "heads/main=1 heads/t=2",
            3,
            "heads/main=3 heads/t=4",
            &["main:2+3", "t@0:1+4"],
        ),
        (
            "a rewritten topic gets a new line",
            "- 0 0 1",
            "heads/main=1 heads/t=2",
            3,
            "heads/main=1 heads/t=3",
            &["main:2+", "t@0:1+", "t-2@1:0+3"],
        ),
        ("rewritten main goes on", "- 0 1 0", "heads/main=2", 3, "heads/main=3", &["main:3+3"]),
        (
            "a merged history goes on",
            "- 0 0 1,2 2 3,4",
            "heads/main=3",
            4,
            "heads/main=5",
            &["main:3+5", "merge-3@0:1+4"],
        ),
    ];
    for (what, commits, before, count, after, expected) in cases {
        let whole = graph(commits);
        let first = CommitGraph::new(whole.nodes()[..count].to_vec()).unwrap();
        let existing = remembered(&first, &plan(&first, &refs(before), &[]), &[]);
        let second = plan(&whole, &refs(after), &existing);
        assert_eq!(shown(&second), expected, "{what}");
        for (index, placement) in second.placements.iter().enumerate() {
            assert_eq!(placement.is_new, index >= count, "{what}");
            assert_eq!(placement.first_parent, whole.first_parent(index), "{what}");
        }
    }
}

#[test]
fn a_ref_knows_its_own_line_and_where_it_is() {
    let graph = graph("- 0 0");
    let plan = plan(&graph, &refs("heads/main=1 heads/old=0 heads/t=2"), &[]);
    let tips: Vec<_> =
        plan.tips.iter().map(|tip| (tip.name.short(), tip.commit, tip.own_line.map(LineId::index))).collect();
    assert_eq!(tips, [("main".into(), 1, Some(0)), ("old".into(), 0, None), ("t".into(), 2, Some(1))]);
}

#[test]
fn commits_that_left_the_repository_keep_their_places() {
    let graph = graph("- 0");
    let gone = ObjectId::from_bytes(&[9; 20]).unwrap();
    let existing =
        ExistingLine { name: "main".into(), source: LineSource::Default, commits: vec![id(0), gone] };
    let plan = plan(&graph, &refs("heads/main=1"), &[existing]);
    assert_eq!(shown(&plan), ["main:2+1"]);
    assert_eq!(plan.placements[1].position, 2);
}

#[test]
fn a_history_that_was_shallow_is_completed() {
    let graph = graph("- 0 1");
    let existing = ExistingLine { name: "main".into(), source: LineSource::Default, commits: vec![id(2)] };
    assert_eq!(shown(&plan(&graph, &refs("heads/main=2"), &[existing])), ["main@1:1+", "unreached:0+0,1"]);
}

#[test]
fn effective_dates_never_fall() {
    let mut nodes = graph("- 0 1 2 1").nodes().to_vec();
    for (node, seconds) in nodes.iter_mut().zip([5, 30, 10, 40, 7]) {
        node.committer_seconds = seconds;
    }
    let graph = CommitGraph::new(nodes).unwrap();
    let plan = plan(&graph, &refs("heads/main=3 heads/t=4"), &[]);
    assert_eq!(plan.effective_seconds, [5, 10, 10, 40, 7]);
}

#[test]
fn contradictions_are_refused() {
    let graph = graph("- 0");
    let references = refs("heads/main=1 heads/x=7");
    let planned = |references: &[Reference], default: &str, existing: &[ExistingLine]| {
        plan_lines(&graph, &RefName::new(default), references, existing).unwrap_err().to_string()
    };
    let line = |name: &str, commit| ExistingLine {
        name: name.into(),
        source: LineSource::Unreached,
        commits: vec![id(commit)],
    };
    let good = &references[..1];
    assert!(planned(&references, "refs/heads/main", &[]).contains("not part of the history"));
    assert!(planned(good, "refs/heads/no", &[]).contains("not among the refs"));
    assert!(planned(good, "refs/heads/main", &[line("a", 0), line("a", 1)]).contains("named a"));
    assert!(planned(good, "refs/heads/main", &[line("a", 0), line("b", 0)]).contains("placed twice"));
}

/// Random graphs: each commit has up to three parents among the commits before it.
fn any_graph() -> impl Strategy<Value = CommitGraph> {
    let parents = prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..40);
    let dates = prop::collection::vec(0..50i64, 40);
    (parents, dates).prop_map(|(parents, dates)| {
        let node = |(index, choices): (usize, Vec<prop::sample::Index>)| {
            let mut chosen: Vec<usize> = Vec::new();
            for parent in choices.iter().filter(|_| index > 0).map(|choice| choice.index(index)) {
                if !chosen.contains(&parent) {
                    chosen.push(parent);
                }
            }
            CommitNode { id: id(index), parents: chosen, committer_seconds: dates[index] }
        };
        CommitGraph::new(parents.into_iter().enumerate().map(node).collect()).unwrap()
    })
}

/// Refs on every tip, so that all is reachable, and on some other commits.
fn refs_for(graph: &CommitGraph, extra: &[usize]) -> Vec<Reference> {
    let is_tip = |commit: &usize| !graph.nodes().iter().any(|node| node.parents.contains(commit));
    let tips = (0..graph.len()).rev().filter(is_tip).chain(extra.iter().map(|commit| commit % graph.len()));
    let name = |number: usize| match number {
        0 => "refs/heads/master".to_owned(),
        _ => format!("refs/{}/r{number}", ["heads", "remotes", "tags"][number % 3]),
    };
    let reference = |(number, commit)| Reference {
        name: RefName::new(name(number)),
        commit: id(commit),
        tag_object: None,
    };
    tips.enumerate().map(reference).collect()
}

fn check_laws(graph: &CommitGraph, plan: &Plan, existing: &[ExistingLine]) {
    let lines = remembered(graph, plan, existing);
    let mut count = 0;
    for (index, line) in lines.iter().enumerate() {
        let commits: Vec<usize> = line.commits.iter().map(|commit| graph.find(commit).unwrap()).collect();
        count += commits.len();
        assert!(!commits.is_empty());
        for (position, &commit) in commits.iter().enumerate() {
            let placement = plan.placements[commit];
            assert_eq!((placement.line.index(), placement.position as usize), (index, position));
            assert!(commits[position + 1..].iter().all(|&later| !graph.is_ancestor(later, commit)));
        }
        for seconds in -1..51 {
            let newest = commits.iter().rfind(|&&commit| graph.nodes()[commit].committer_seconds <= seconds);
            let effective = commits.iter().rfind(|&&commit| plan.effective_seconds[commit] <= seconds);
            assert_eq!(newest, effective);
        }
    }
    assert_eq!(count, graph.len(), "every commit is placed once");
    let names: FxHashSet<_> = plan.lines.iter().map(|line| &line.name).collect();
    assert_eq!(names.len(), plan.lines.len());
}

proptest! {
    #[test]
    fn every_commit_is_placed_once_also_in_two_imports(
        graph in any_graph(),
        extra in prop::collection::vec(0..40usize, 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let references = refs_for(&graph, &extra);
        let whole = plan(&graph, &references, &[]);
        check_laws(&graph, &whole, &[]);
        for line in &whole.lines {
            for pair in line.commits.windows(2) {
                prop_assert_eq!(graph.first_parent(pair[1]), Some(pair[0]));
            }
        }
        let mut shuffled = references.clone();
        shuffled.reverse();
        prop_assert_eq!(&plan_lines(&graph, &references[0].name, &shuffled, &[]).unwrap(), &whole);

        let prefix = CommitGraph::new(graph.nodes()[..=cut.index(graph.len())].to_vec()).unwrap();
        let first = plan(&prefix, &refs_for(&prefix, &extra), &[]);
        let existing = remembered(&prefix, &first, &[]);
        check_laws(&graph, &plan(&graph, &references, &existing), &existing);
    }
}
